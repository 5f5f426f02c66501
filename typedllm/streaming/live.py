"""Follows the reader: what of the document is final, and what is new since the last look.

A part is shown as soon as nothing that may follow can change it: a text when every arm that may be meant takes a
text there, anything else once it is closed and stands as it will in the value. What waits for more (a key in another
spelling, a `"7"` for a number) is shown when the object around it closes, aligned as in the whole reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from typedllm.reading.align import Aligner
from typedllm.reading.cursor import Frame
from typedllm.reading.nodes import Node
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import Shape, Target
from typedllm.records import MISSING, Policy
from typedllm.schema.walk import is_object
from typedllm.streaming.places import Container, Place, as_written
from typedllm.streaming.snapshots import Event, Open, Parts, Snapshot

_LONGEST_KEY: Final = 80
_CONTAINERS: Final = ("object", "array")


class _Level:
    """An open object or list, as far as it was followed.

    Attributes:
        declared: what it is declared to be, by each arm that may be meant around it.
        place: the plain arms of these that it may be.
        parts: what of it is final.
        open: the same for snapshots.
        count: how many of its children were looked at.
        gone: how many children were forgotten.
        held: whether some of them wait for its end.
    """

    __slots__ = ("count", "declared", "gone", "held", "key", "listed", "node", "open", "parts", "path", "place")

    def __init__(self, node: Node, declared: Place, path: str, key: str) -> None:
        kind: Container = "object" if node.kind == "object" else "array"
        self.node = node
        self.listed = kind == "array"
        self.declared = declared.declared
        self.place = declared.of_kind(kind)
        self.path = path
        self.key = key
        self.parts: Parts = [] if self.listed else {}
        self.open = Open(path, key, kind, self.parts)
        self.count = self.gone = 0
        self.held = not self.place.declared

    def child(self, index: int) -> tuple[str, Node]:
        """A child with its key."""
        if self.listed:
            return str(index + self.gone), self.node.items[index]
        member = self.node.members[index]
        return member.key, member.node

    def below(self, key: str) -> Place:
        """What is declared for a child."""
        return self.place.item(int(key)) if self.listed else self.place.member(key)

    def pointer(self, key: str) -> str:
        """The JSON Pointer of a child."""
        if "~" in key or "/" in key:
            key = key.replace("~", "~0").replace("/", "~1")
        return f"{self.path}/{key}"

    def knows(self, key: str) -> bool:
        """Whether a child of this key stays where it is, whatever follows."""
        if self.listed:
            return not self.held
        return key not in self.parts and self.place.keeps(key)

    def may_lack(self, key: str) -> bool:
        """Whether a child of this key is a property that may be left out."""
        return not self.listed and all(key not in shape.required for shape in self.place.declared)

    def put(self, key: str, data: Any) -> None:
        """Take in a child that is final."""
        if self.listed:
            cast("list[Any]", self.parts).append(data)
        else:
            cast("dict[str, Any]", self.parts)[key] = data

    def forget(self) -> int:
        """Drop the items so far, but for the last one, which the reader may still need; how many are gone by now."""
        gone = self.count - 1
        if gone > 0 and self.listed and not self.held:
            del self.node.items[:gone]
            self.count, self.gone = 1, self.gone + gone
            self.parts = cast("list[Any]", self.parts)[gone:]
            self.open = self.open._replace(parts=self.parts)
        return self.gone


class Live:
    """The data of one reply while it comes.

    Args:
        target: what the reply is declared to be.
        policy: which fixes are applied.

    Attributes:
        nulls: whether null stands for an absent property, where that does not take null.
    """

    def __init__(self, target: Target, policy: Policy) -> None:
        self.target = target
        self.nulls = False
        self.policy = policy
        self._reader: JsonReader | None = None
        self._rooted = Place((target.root,))
        self._stack: list[_Level] = []
        self._text: list[str] = []  # pieces of the open text
        self._text_at: Open | None = None
        self._string: object = None  # the reader's own
        self._taken = 0  # how many pieces of the reader's text were looked at
        self._tail = ""  # held back: it may turn out to stand behind the text
        self._root: Any = MISSING
        self._stuck = False  # what was shown cannot go on: it stays as it is until the whole is known
        self._events: list[Event] = []

    def follow(self, reader: JsonReader | None) -> Snapshot | None:
        """What is new, now that the reader has taken more; None: nothing that can be shown."""
        if reader is not None and reader is not self._reader:
            self._restart(reader)
        if self._reader is not None and self._root is MISSING and not self._stuck:
            self._look(self._reader)
        return self._snapshot() if self._events else None

    @property
    def complete(self) -> bool:
        """Whether the whole was shown."""
        return self._root is not MISSING

    def replace(self, data: Any) -> Snapshot:
        """The snapshot of a value that came about otherwise, such as by a repair."""
        self._forget()
        self._root = data
        self._events += [Event("restarted", ""), Event("closed", "", value=data)]
        return self._snapshot()

    def forget(self, pointer: str) -> int:
        """Drop the items so far of the list at a pointer, while it is open: they are in no later snapshot."""
        return next((level.forget() for level in self._stack if level.path == pointer), 0)

    def _snapshot(self) -> Snapshot:
        opens = [each.open for each in self._stack]
        if self._text_at is not None:
            opens.append(self._text_at)
        events, self._events = tuple(self._events), []
        return Snapshot(events, tuple(opens), tuple([len(each.parts) for each in opens]), self._root)

    def _forget(self) -> None:
        self._stack, self._text_at, self._root, self._stuck = [], None, MISSING, False

    def _restart(self, reader: JsonReader) -> None:
        shown = self._stack or self._text_at or self._root is not MISSING
        self._reader = reader
        self._forget()
        if shown:
            self._events.append(Event("restarted", ""))

    # ---- following the tree ----

    def _look(self, reader: JsonReader) -> None:
        place = self._rooted if reader.shape is self.target.root else Place((reader.shape,))
        if reader.root is None:
            self._grow(reader, "", "", place)
        elif not self._stack and reader.root.kind not in _CONTAINERS:
            if reader.done:
                self._close("", "", self._aligned(reader.root, place.declared, ""))
        else:
            if not self._stack:
                self._enter(_Level(reader.root, place, "", ""))
                self._stuck = not self._stack
            while self._stack and not self._stuck and self._advance(self._stack[-1], reader):
                pass

    def _advance(self, level: _Level, reader: JsonReader) -> bool:
        """Take in what is new in the innermost open part; True: another part is the innermost now."""
        children = cast("Sequence[object]", level.node.value)
        closed, count = level.node.end >= 0, len(children)
        while level.count < count:
            key, node = level.child(level.count)
            if node.kind in _CONTAINERS:
                level.count += 1
                if level.knows(key):
                    self._enter(_Level(node, level.below(key), level.pointer(key), key))
                    return True
                level.held = True
            elif closed or level.count < count - 1 or _has_moved_on(reader, level.node):
                level.count += 1
                self._scalar(level, key, node)
            else:
                return False
        if closed:
            self._leave(level)
            return True
        frame = reader.stack[-1] if reader.stack else None
        if frame is not None and frame.node is level.node and reader.open_string is not None:
            self._begin_text(level, frame, reader)
        return False

    def _begin_text(self, level: _Level, frame: Frame, reader: JsonReader) -> None:
        if self._text_at is not None:
            self._more(reader)
        elif level.listed or frame.key_at >= 0:
            key = str(level.count + level.gone) if level.listed else frame.key
            if level.listed and len(self._stack) > 1 and _may_be_key(reader):
                return
            if level.knows(key):
                self._grow(reader, level.pointer(key), key, level.below(key))

    def _enter(self, level: _Level) -> None:
        self._text_at = None
        if level.place.declared:
            self._stack.append(level)
            self._events.append(Event("opened", level.path))
        elif self._stack:
            self._stack[-1].held = True

    def _leave(self, level: _Level) -> None:
        """The innermost open part is closed."""
        data: Any = level.parts
        if level.held:
            data = MISSING if self.nulls else self._aligned(level.node, level.declared, level.path)
        if data is MISSING or not _goes_on(level.parts, data):
            self._stuck = True
            return
        self._stack.pop()
        self._close(level.path, level.key, data)

    def _close(self, path: str, key: str, data: Any) -> None:
        if self._text_at is not None and not str(data).startswith("".join(self._text)):
            self._stuck = True
            return
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
        self._events.append(Event("closed", path, "", data))

    def _aligned(self, node: Node, declared: tuple[Shape, ...], path: str) -> Any:
        """The data of a closed part as the whole reply will have it; `MISSING` where that is not settled."""
        if len(declared) != 1:
            return MISSING
        aligner = Aligner(self.policy)
        data = aligner.align(node, declared[0], path)
        return MISSING if any(entry.note.fault for entry in aligner.entries) else data

    def _scalar(self, level: _Level, key: str, node: Node) -> None:
        if not level.knows(key):
            level.held = True
            return
        path, place = level.pointer(key), level.below(key)
        data = MISSING if node.notes else as_written(node)
        if data is None and self.nulls and level.may_lack(key) and not place.takes(None):
            return
        if not place.takes(data):
            data = self._aligned(node, place.declared, path)
        if data is not MISSING:
            if self._text_at is None and isinstance(data, str):
                self._events.append(Event("opened", path))
            if len(level.place.declared) > 1:
                level.place = level.place.narrowed(key, data)
        self._close(path, key, data)

    def _grow(self, reader: JsonReader, path: str, key: str, place: Place) -> None:
        """Show what is certain of a text that is being read."""
        string = reader.open_string
        if string is None or string.place == "key" or string.joined is not None or not place.texts:
            return
        if self._text_at is None:
            self._string, self._text, self._taken, self._tail = string, [], 0, ""
            self._text_at = Open(path, key, "string", self._text)
            self._events.append(Event("opened", path))
        self._more(reader)

    def _more(self, reader: JsonReader) -> None:
        """Show what came of the open text."""
        string, at = reader.open_string, self._text_at
        if string is None or at is None or string is not self._string or len(string.parts) == self._taken:
            return
        new = self._tail + "".join(string.parts[self._taken :])
        self._taken = len(string.parts)
        shown = new.rstrip().removesuffix(",").rstrip()
        self._tail = new[len(shown) :]
        if shown:
            self._text.append(shown)
            self._events.append(Event("grew", at.path, shown))


def _may_be_key(reader: JsonReader) -> bool:
    """Whether the text that is being read in a list may turn out to be the next key of the object around it."""
    string = reader.open_string
    return string is None or sum(map(len, string.parts)) <= _LONGEST_KEY


def _goes_on(shown: Parts, data: Any) -> bool:
    """Whether the data of a closed part still has all that was shown of it."""
    if isinstance(shown, list):
        return isinstance(data, list) and data[: len(shown)] == shown
    return is_object(data) and all(key in data and data[key] == value for key, value in shown.items())


def _has_moved_on(reader: JsonReader, node: Node) -> bool:
    """Whether something follows the last part of an open container, so that it cannot go on."""
    frame = next((each for each in reversed(reader.stack) if each.node is node), None)
    return frame is None or frame.comma >= 0 or frame.key_at >= 0
