"""Follows the reader: what of the document is final, and what is new since the last look.

A part is shown as soon as nothing that may follow can change it: a text when every arm that may be meant takes a
text there, anything else once it is closed and stands as it will in the value. What waits for more (a key in another
spelling, a `"7"` for a number) is shown when the object around it closes, aligned as in the whole reply.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, cast

from typedllm.reading.align import Aligner
from typedllm.reading.cursor import Frame
from typedllm.reading.nodes import Node
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import Shape, Target, kind_of
from typedllm.records import MISSING, Policy
from typedllm.streaming.snapshots import Event, Open, Parts, Snapshot

_CONTAINERS: Final = ("object", "array")


class _Level:
    """An open object or list, as far as it was followed.

    Attributes:
        declared: what it is declared to be, by each arm that may be meant around it.
        shapes: the plain arms of these that it may be.
        parts: what of it is final.
        count: how many of its children were looked at.
        held: whether some of them wait for its end.
    """

    __slots__ = ("count", "declared", "held", "key", "node", "parts", "path", "shapes")

    def __init__(self, node: Node, declared: tuple[Shape, ...], path: str, key: str) -> None:
        self.node = node
        self.declared = declared
        self.shapes = tuple(shape for shape in _plain(declared) if _kind(node) in shape.kinds)
        self.path = path
        self.key = key
        self.parts: Parts = {} if node.kind == "object" else []
        self.count = 0
        self.held = not self.shapes

    def child(self, index: int) -> tuple[str, Node]:
        """A child with its key."""
        if self.node.kind == "array":
            return str(index), self.node.items[index]
        member = self.node.members[index]
        return member.key, member.node

    def below(self, key: str) -> tuple[Shape, ...]:
        """What is declared for a child, by each arm."""
        if self.node.kind == "array":
            found = [shape.item(int(key)) for shape in self.shapes]
        else:
            found = [shape.child(key) for shape in self.shapes]
        return tuple(found) if len(found) == 1 else tuple(dict.fromkeys(found))

    def pointer(self, key: str) -> str:
        """The JSON Pointer of a child."""
        if "~" in key or "/" in key:
            key = key.replace("~", "~0").replace("/", "~1")
        return f"{self.path}/{key}"

    def knows(self, key: str) -> bool:
        """Whether a child of this key stays where it is, whatever follows."""
        if self.node.kind == "array":
            return not self.held
        if key in self.parts:
            return False
        return all(key in each.properties or each.open or isinstance(each.extra, Shape) for each in self.shapes)

    def narrow(self, key: str, value: object) -> None:
        """A literal that only some arms take tells which of them are meant."""
        if len(self.shapes) > 1 and all(key in s.properties and s.properties[key].literals for s in self.shapes):
            self.shapes = tuple(s for s in self.shapes if _takes(s.properties[key], value)) or self.shapes

    def put(self, key: str, data: Any) -> None:
        """Take in a child that is final."""
        if isinstance(self.parts, list):
            self.parts.append(data)
        else:
            self.parts[key] = data


class Live:
    """The data of one reply while it comes.

    Args:
        target: what the reply is declared to be.
        policy: which fixes are applied.
    """

    def __init__(self, target: Target, policy: Policy) -> None:
        self.target = target
        self.policy = policy
        self._reader: JsonReader | None = None
        self._stack: list[_Level] = []
        self._text: list[str] = []  # pieces of the open text
        self._text_at: tuple[str, str] | None = None  # its path and key
        self._taken = 0  # how many pieces of the reader's text were looked at
        self._tail = ""  # held back: it may turn out to stand behind the text
        self._root: Any = MISSING
        self._events: list[Event] = []

    def follow(self, reader: JsonReader | None) -> Snapshot | None:
        """What is new, now that the reader has taken more; None: nothing that can be shown."""
        if reader is not None and reader is not self._reader:
            self._restart(reader)
        if self._reader is not None and self._root is MISSING:
            self._look(self._reader)
        return self._snapshot()

    @property
    def complete(self) -> bool:
        """Whether the whole was shown."""
        return self._root is not MISSING

    def replace(self, data: Any) -> Snapshot:
        """The snapshot of a value that came about otherwise, such as by a repair."""
        self._forget()
        self._root = data
        self._events += [Event("restarted", ""), Event("closed", "", value=data)]
        return cast("Snapshot", self._snapshot())

    def _snapshot(self) -> Snapshot | None:
        if not self._events:
            return None
        stack = [Open(each.path, each.key, _kind(each.node), each.parts, len(each.parts)) for each in self._stack]
        if self._text_at is not None:
            path, key = self._text_at
            stack.append(Open(path, key, "string", self._text, len(self._text)))
        events, self._events = tuple(self._events), []
        return Snapshot(events, tuple(stack), self._root)

    def _forget(self) -> None:
        self._stack, self._text_at, self._root = [], None, MISSING

    def _restart(self, reader: JsonReader) -> None:
        shown = self._stack or self._text_at or self._root is not MISSING
        self._reader = reader
        self._forget()
        if shown:
            self._events.append(Event("restarted", ""))

    # ---- following the tree ----

    def _look(self, reader: JsonReader) -> None:
        declared = (reader.shape,)
        if reader.root is None:
            self._grow(reader, "", "", declared)
        elif not self._stack and reader.root.kind not in _CONTAINERS:
            if reader.done:
                self._close("", "", self._aligned(reader.root, declared, ""))
        else:
            if not self._stack:
                self._enter(_Level(reader.root, declared, "", ""))
            while self._stack and self._advance(self._stack[-1], reader):
                pass

    def _advance(self, level: _Level, reader: JsonReader) -> bool:
        """Take in what is new in the innermost open part; True: another part is the innermost now."""
        children = cast("Sequence[object]", level.node.value)
        closed = level.node.end >= 0
        while level.count < len(children):
            key, node = level.child(level.count)
            if node.kind in _CONTAINERS:
                level.count += 1
                if level.knows(key):
                    self._enter(_Level(node, level.below(key), level.pointer(key), key))
                    return True
                level.held = True
            elif closed or level.count < len(children) - 1 or _has_moved_on(reader, level.node):
                level.count += 1
                self._scalar(level, key, node)
            else:
                return False
        if closed:
            self._leave(level)
            return True
        frame = reader.stack[-1] if reader.stack else None
        if frame is not None and frame.node is level.node:
            self._begin_text(level, frame, reader)
        return False

    def _begin_text(self, level: _Level, frame: Frame, reader: JsonReader) -> None:
        if level.node.kind == "object" and frame.key_at < 0:
            return
        key = frame.key if level.node.kind == "object" else str(level.count)
        if level.knows(key):
            self._grow(reader, level.pointer(key), key, level.below(key))

    def _enter(self, level: _Level) -> None:
        self._text_at = None
        self._stack.append(level)
        self._events.append(Event("opened", level.path))

    def _leave(self, level: _Level) -> None:
        """The innermost open part is closed."""
        self._stack.pop()
        self._close(
            level.path, level.key, self._aligned(level.node, level.declared, level.path) if level.held else level.parts
        )

    def _close(self, path: str, key: str, data: Any) -> None:
        self._text_at = None
        above = self._stack[-1] if self._stack else None
        if data is MISSING:
            if above is not None:
                above.held = True
            return
        if above is None:
            self._root = data
        else:
            above.put(key, data)
        self._events.append(Event("closed", path, value=data))

    def _aligned(self, node: Node, declared: tuple[Shape, ...], path: str) -> Any:
        """The data of a closed part as the whole reply will have it; `MISSING` where that is not settled."""
        if len(declared) != 1:
            return MISSING
        aligner = Aligner(self.policy)
        data = aligner.align(node, declared[0], path)
        return MISSING if any(entry.note.fault for entry in aligner.entries) else data

    def _scalar(self, level: _Level, key: str, node: Node) -> None:
        path = level.pointer(key)
        if not level.knows(key):
            level.held = True
            return
        declared = level.below(key)
        data = MISSING if node.notes else _as_written(node)
        if not all(_takes(shape, data) for shape in declared):
            data = self._aligned(node, declared, path)
        if data is not MISSING:
            if isinstance(data, str) and self._text_at is None:
                self._events.append(Event("opened", path))
            level.narrow(key, data)
        self._close(path, key, data)

    def _grow(self, reader: JsonReader, path: str, key: str, declared: tuple[Shape, ...]) -> None:
        """Show what is certain of a text that is being read."""
        string = reader.open_string
        if string is None or string.place == "key" or not all(map(_only_texts, declared)):
            return
        if self._text_at is None:
            self._text, self._text_at, self._taken, self._tail = [], (path, key), 0, ""
            self._events.append(Event("opened", path))
        new = self._tail + "".join(string.parts[self._taken :])
        self._taken = len(string.parts)
        shown = new.rstrip().removesuffix(",").rstrip()
        self._tail = new[len(shown) :]
        if shown:
            self._text.append(shown)
            self._events.append(Event("grew", path, shown))


def _kind(node: Node) -> Literal["object", "array"]:
    return "object" if node.kind == "object" else "array"


def _has_moved_on(reader: JsonReader, node: Node) -> bool:
    """Whether something follows the last part of an open container, so that it cannot go on."""
    frame = next((each for each in reversed(reader.stack) if each.node is node), None)
    return frame is None or frame.comma >= 0 or frame.key_at >= 0


def _plain(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """The shapes with unions as their arms, each once."""
    return tuple(dict.fromkeys(arm for shape in shapes for arm in (shape.arms or (shape,))))


def _as_written(node: Node) -> Any:
    """The value of a scalar that was written as JSON writes it; `MISSING` for any other."""
    if node.kind == "number":
        return json.loads(node.text)
    return node.value if node.kind in ("string", "literal") else MISSING


def _takes(shape: Shape, value: object) -> bool:
    """Whether a value stands as it is under this shape (or an arm of it), whichever arm is meant around it."""
    if shape.arms:
        return any(_takes(arm, value) for arm in shape.arms)
    if shape.literals is not None:
        return any(type(each) is type(value) and each == value for each in shape.literals)
    if value is MISSING or (isinstance(value, str) and (shape.hint or shape.format)):
        return False
    kind = kind_of(value)
    return kind in shape.kinds or (kind == "integer" and "number" in shape.kinds)


def _only_texts(declared: Shape) -> bool:
    """Whether a text under this shape stays as it was written, whatever its end."""
    texts = [shape for shape in _plain((declared,)) if "string" in shape.kinds]
    return bool(texts) and all(shape.literals is None and not shape.hint and not shape.format for shape in texts)
