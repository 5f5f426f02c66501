"""The tree that the reader builds: what the model wrote, part by part, with places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from typedllm.reading.fixes import Note

NodeKind: TypeAlias = Literal["object", "array", "string", "number", "literal", "bare", "hole"]


class Node:
    """One part of a document as it was written.

    Attributes:
        kind: `bare` is text without quotes that is neither number nor literal; a `hole` is where a value should be.
        value: members; items; decoded text; the digits as written (a JSON number); True, False or None; the text.
        start: offset of its first character in the reply.
        end: offset after its last one; -1 while it is open.
        notes: what was mended or is wrong here, in the order of the text.
    """

    __slots__ = ("end", "kind", "notes", "start", "value")

    def __init__(self, kind: NodeKind, value: object, start: int, end: int) -> None:
        self.kind: NodeKind = kind
        self.value = value
        self.start = start
        self.end = end
        self.notes: list[Note] | None = None

    def note(self, note: Note) -> None:
        """Adds a note."""
        if self.notes is None:
            self.notes = []
        self.notes.append(note)

    @property
    def remarks(self) -> Sequence[Note]:
        """Its notes, but for the lossless ones inside of what was read at once."""
        return self.notes or ()

    @property
    def members(self) -> list[Member]:
        """The members of an object."""
        return cast("list[Member]", self.value)

    @property
    def items(self) -> list[Node]:
        """The items of an array."""
        return cast("list[Node]", self.value)

    @property
    def last(self) -> Node | None:
        """The last part of a container, if it has one."""
        if not self.value:
            return None
        return self.members[-1].node if self.kind == "object" else self.items[-1]

    @property
    def text(self) -> str:
        """The text of a string, number or bare part."""
        return cast("str", self.value)


class Whole(Node):
    """A container that was read at once: its data are known, its parts are read when somebody asks for them.

    Args:
        data: it as plain JSON data.
        json: the same as JSON text.
        mended: the kinds of the fixes that it holds, all of them lossless ones of syntax.
        shape: what is known to be declared so that the data stand as they are.
        read: reads it part by part.
    """

    __slots__ = ("_later", "_read", "data", "json", "mended", "shape")

    def __init__(
        self,
        data: Any,
        json: str,
        start: int,
        end: int,
        mended: frozenset[str],
        shape: object,
        read: Callable[[], Node],
    ) -> None:
        self.kind = "object" if isinstance(data, dict) else "array"
        self.start = start
        self.end = end
        self.data: Any = data
        self.json = json
        self.mended = mended
        self.shape = shape
        self._later: list[Note] = []
        self._read: Callable[[], Node] | None = read

    def __getattr__(self, name: str) -> Any:
        """`value` and `notes`, when they are asked for the first time."""
        if name in ("value", "notes") and (read := self._read) is not None:
            node = read()
            self.value = node.value
            self.notes = [*(node.notes or ()), *self._later] or None
            self._read = None
        return object.__getattribute__(self, name)

    @property
    def intact(self) -> bool:
        """Whether nobody has asked for its parts, so that nothing was noted at them or changed."""
        return self._read is not None

    @property
    def remarks(self) -> Sequence[Note]:
        """See `Node`."""
        return self._later if self.intact else self.notes or ()

    def note(self, note: Note) -> None:
        """Adds a note."""
        if self.intact:
            self._later.append(note)
        else:
            super().note(note)


class Member(NamedTuple):
    """A key of an object with its value; `start` is where the key stands."""

    key: str
    node: Node
    start: int


def place(node: Node, start: int, end: int) -> None:
    """Puts a tree that was read out of a decoded string where that string stands."""
    stack = [node]
    while stack:
        node = stack.pop()
        node.start, node.end = start, end
        if node.notes:
            node.notes = [note._replace(start=start, end=end) for note in node.notes]
        if node.kind == "object":
            node.value = [Member(member.key, member.node, start) for member in node.members]
            stack.extend(member.node for member in node.members)
        elif node.kind == "array":
            stack.extend(node.items)
