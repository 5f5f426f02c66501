"""What a stream has shown so far: snapshots, cheap to make and never changed afterwards, with what is new in each.

Following a reply only notes each change as a few references. Pointers, events and data are made of them when they are
asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias

from typedllm.records import MISSING

EventKind: TypeAlias = Literal["opened", "grew", "closed", "restarted"]


class Event(NamedTuple):
    """One change of the data.

    Attributes:
        kind: `opened` (an object, a list or a text began), `grew` (a text that is still open), `closed` (final),
            `restarted` (what was shown is void: the reply went on to another answer, or a repair replaced it).
        path: JSON Pointer.
        text: what the text grew by.
        value: the value, when closed. Do not change it.
    """

    kind: EventKind
    path: str
    text: str = ""
    value: Any = MISSING


class Text:
    """A text that grows, in pieces that are put together when it is asked for."""

    __slots__ = ("_fresh", "_length", "_whole")

    def __init__(self) -> None:
        self._whole = ""
        self._fresh: list[str] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, piece: str) -> None:
        """Add a piece."""
        self._fresh.append(piece)
        self._length += len(piece)

    def upto(self, length: int) -> str:
        """Its first characters."""
        if self._fresh:
            self._whole += "".join(self._fresh)
            self._fresh.clear()
        return self._whole if length == self._length else self._whole[:length]


Parts: TypeAlias = "dict[str, Any] | list[Any] | Text"


class Open:
    """An open part. While a part of it is open it gets no other, so each knows the size of what is around it.

    Args:
        above: the open part around it.
        key: its key there, or its index.
        parts: its members, its items, or its text; only ever added to.
        gone: how many items before these were forgotten.
    """

    __slots__ = ("above", "around", "gone", "key", "parts")

    def __init__(self, above: Open | None, key: str | int, parts: Parts, gone: int = 0) -> None:
        self.above = above
        self.gone = gone
        self.key = key
        self.parts: Parts = parts
        self.around: int = 0 if above is None else len(above.parts)

    @property
    def path(self) -> str:
        """Its JSON Pointer."""
        return pointer(self.above, self.key)

    def data(self, size: int, key: str | int, below: Any) -> Any:
        """The part as it was when it had this size, with the open part below it in its place."""
        parts = self.parts
        if isinstance(parts, Text):
            return parts.upto(size)
        if isinstance(parts, dict):
            members = parts.copy() if len(parts) == size else dict(islice(parts.items(), size))
            if below is not MISSING:
                members[str(key)] = below
            return members
        items = parts[:size]
        if below is not MISSING:
            items.append(below)
        return items


Change: TypeAlias = tuple[Literal[EventKind, "written"], Open | None, str | int, Any]
"""An event as it is noted: its kind, the open part around its place, the key there, and its text or value.

Of an object or a list that began, it is the open part itself. A text that was `written` began and is final.
"""


def pointer(above: Open | None, key: str | int) -> str:
    """The JSON Pointer of a place."""
    path = ""
    while above is not None:
        step = str(key)
        if "~" in step or "/" in step:
            step = step.replace("~", "~0").replace("/", "~1")
        path = f"/{step}{path}"
        key = above.key
        above = above.above
    return path


class Snapshot:
    """The JSON so far.

    Nothing in it is half of a number, a literal or a key; only texts may still grow. It is plain data, not a value of
    the declared type: that comes from the stream's `result()` alone. It stays what it is, also when the stream goes on.
    """

    __slots__ = ("_changes", "_events", "_root", "_size", "_top")

    def __init__(self, changes: list[Change], top: Open | None = None, root: Any = MISSING) -> None:
        self._changes = changes
        self._events: tuple[Event, ...] | None = None
        self._top = top
        self._size = 0 if top is None else len(top.parts)
        self._root = root

    def __repr__(self) -> str:
        return f"Snapshot(data={self.data!r}, open={self.open!r})"

    @property
    def events(self) -> tuple[Event, ...]:
        """What changed since the snapshot before."""
        if self._events is None:
            self._events = tuple([event for change in self._changes for event in _events(change)])
        return self._events

    @property
    def open(self) -> tuple[str, ...]:
        """JSON Pointers of the parts that are still open, outermost first; every other part that is shown is final."""
        paths: list[str] = []
        part = self._top
        while part is not None:
            paths.append(part.path)
            part = part.above
        return tuple(reversed(paths))

    @property
    def complete(self) -> bool:
        """Whether all of it is final."""
        return self._top is None and self._root is not MISSING

    @property
    def data(self) -> Any:
        """The data as it was at this snapshot; `MISSING` while there is none.

        Closed parts are the same objects from snapshot to snapshot: do not change them. What is open is copied when
        this is read, which costs what the open lists and objects hold by then; `events` cost nothing of the kind.
        """
        key: str | int = ""
        data, part, size = self._root, self._top, self._size
        while part is not None:
            data = part.data(size, key, data)
            key, size, part = part.key, part.around, part.above
        return data

    def since(self, before: Snapshot | None) -> Snapshot:
        """This snapshot, with what changed in the one before as well."""
        if before is not None:
            self._changes = before._changes + self._changes
            self._events = None
        return self


def _events(change: Change) -> Iterator[Event]:
    kind, above, key, said = change
    path = pointer(above, key)
    if kind == "grew":
        yield Event(kind, path, said)
        return
    if kind != "closed":
        yield Event("opened" if kind == "written" else kind, path)
    if kind == "closed" or kind == "written":
        yield Event("closed", path, "", said)
