"""Parts of a streamed value as they close: the items of a list, each once and in order, or one part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typedllm.errors import ModelError
from typedllm.records import MISSING, Issue
from typedllm.schema.walk import is_list, is_object
from typedllm.streaming.snapshots import Event, Snapshot


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item of a streamed list that was left out.

    Attributes:
        index: its place in the list.
        data: what the model wrote.
        issues: what is wrong with it.
    """

    index: int
    data: Any
    issues: tuple[Issue, ...]


class Part:
    """Waits for one part.

    Args:
        pointer: its JSON Pointer.
    """

    def __init__(self, pointer: str) -> None:
        if pointer and not pointer.startswith("/"):
            raise ValueError(f'not a JSON Pointer: {pointer!r} (write "/{pointer}"; "" is the whole value)')
        self.pointer = pointer

    def new(self, snapshot: Snapshot | None) -> Iterator[Any]:
        """What closed at the pointer in this snapshot."""
        for event in snapshot.events if snapshot else ():
            if event.kind == "closed" and (found := self._within(event)) is not MISSING:
                yield found

    def _within(self, event: Event) -> Any:
        if self.pointer != event.path and not self.pointer.startswith(f"{event.path}/"):
            return MISSING
        value = event.value
        for step in self.pointer[len(event.path) :].split("/")[1:]:
            value = below(value, step.replace("~1", "/").replace("~0", "~"))
        return value


class Items(Part):
    """Takes snapshots and gives the items of one list that are new in each.

    Args:
        pointer: JSON Pointer of the list.
        keep: whether the items stay, so that a list that begins anew can be held against them.
    """

    def __init__(self, pointer: str, *, keep: bool) -> None:
        super().__init__(pointer)
        self.keep = keep
        self.count = 0
        self.gone = 0
        self.ended = False
        self._given: dict[int, Any] = {}

    def new(self, snapshot: Snapshot | None) -> Iterator[Any]:
        """The data of the items that were not given yet, with `count` one behind each.

        Raises:
            ModelError: an item that was handed out is no part of the value any more.
        """
        for event in snapshot.events if snapshot else ():
            if event.kind == "restarted" and self.gone:
                raise self._restarted(0)
            if event.kind != "closed":
                continue
            parent, _, last = event.path.rpartition("/")
            if event.path and parent == self.pointer and last.isdecimal():
                yield from self._item(int(last), event.value)
            elif is_list(listed := self._within(event)):
                self.ended = True
                yield from self._listed(listed)

    def begin(self, listed: list[Any] | None) -> Iterator[Any]:
        """The data of the items that had closed before anyone asked for them."""
        yield from self._listed(listed or [])

    def given(self, data: Any) -> None:
        """The last item was handed out: it must stay what it is."""
        if self.keep:
            self._given[self.count - 1] = data

    def _listed(self, listed: list[Any]) -> Iterator[Any]:
        if self.gone + len(listed) < self.count:
            raise self._restarted(self.gone + len(listed))
        for index, data in enumerate(listed, self.gone):
            yield from self._item(index, data)

    def _item(self, index: int, data: Any) -> Iterator[Any]:
        if index >= self.count:
            self.count = index + 1
            yield data
        elif index in self._given and not _same(self._given[index], data):
            raise self._restarted(index)

    def _restarted(self, index: int) -> ModelError:
        return ModelError(
            f"the reply began anew: item {index} was handed out, and is not what it was (take the whole with result())",
            code="restarted",
        )


def _same(one: Any, other: Any) -> bool:
    return one is other or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def below(value: Any, key: str) -> Any:
    """The member or item at a step of a JSON Pointer; `MISSING`: there is none."""
    if is_list(value):
        return value[int(key)] if key.isdecimal() and int(key) < len(value) else MISSING
    return value.get(key, MISSING) if is_object(value) else MISSING
