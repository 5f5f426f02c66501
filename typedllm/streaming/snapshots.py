"""What a stream has shown so far: snapshots, cheap to make and never changed afterwards, with what is new in each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from typedllm.records import MISSING

Parts: TypeAlias = "dict[str, Any] | list[Any]"


class Event(NamedTuple):
    """One change of the data.

    Attributes:
        kind: `opened` (an object, a list or a text began), `grew` (a text that is still open), `closed` (final),
            `restarted` (what was shown is void: the reply went on to another answer, or a repair replaced it).
        path: JSON Pointer.
        text: what the text grew by.
        value: the value, when closed. Do not change it.
    """

    kind: Literal["opened", "grew", "closed", "restarted"]
    path: str
    text: str = ""
    value: Any = MISSING


class Open(NamedTuple):
    """An open part: of its parts, a snapshot knows how many there were.

    Attributes:
        path: its JSON Pointer.
        key: its key in the object around it.
        kind: what it is.
        parts: members, items, or pieces of text; only ever added to.
    """

    path: str
    key: str
    kind: Literal["object", "array", "string"]
    parts: Parts

    def data(self, size: int, key: str, below: Any) -> Any:
        """The part as it was when it had so many parts, with the open part below it in its place."""
        if self.kind == "string":
            return "".join(islice(self.parts, size))
        if self.kind == "object":
            members = dict(islice(cast("dict[str, Any]", self.parts).items(), size))
            return members if below is MISSING else {**members, key: below}
        items = cast("list[Any]", self.parts)[:size]
        return items if below is MISSING else [*items, below]


@dataclass(slots=True, eq=False)
class Snapshot:
    """The JSON so far.

    Nothing in it is half of a number, a literal or a key; only texts may still grow. It is plain data, not a value of
    the declared type: that comes from the stream's `result()` alone.

    Attributes:
        events: what changed since the snapshot before.
    """

    events: tuple[Event, ...]
    _stack: tuple[Open, ...] = ()
    _sizes: tuple[int, ...] = ()
    _root: Any = MISSING

    @property
    def open(self) -> tuple[str, ...]:
        """JSON Pointers of the parts that are still open, outermost first; every other part that is shown is final."""
        return tuple(each.path for each in self._stack)

    @property
    def complete(self) -> bool:
        """Whether all of it is final."""
        return not self._stack and self._root is not MISSING

    @property
    def data(self) -> Any:
        """The data as it was at this snapshot; `MISSING` while there is none.

        Closed parts are the same objects from snapshot to snapshot: do not change them. What is open is copied when
        this is read, which costs what the open lists and objects hold by then; `events` cost nothing of the kind.
        """
        key, below = "", self._root
        for level, size in zip(reversed(self._stack), reversed(self._sizes), strict=True):
            key, below = level.key, level.data(size, key, below)
        return below
