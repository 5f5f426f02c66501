"""Follows the reader: what of the document is final, and what is new since the last look.

A part is shown as soon as nothing that may follow can change it: a text when every arm that may be meant takes a
text there, anything else once it is closed and stands as it will in the value. What waits for more (a key in another
spelling, a `"7"` for a number) is shown when the object around it closes, aligned as in the whole reply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from typedllm.reading.align import Aligner
from typedllm.reading.bounds import Bounds
from typedllm.reading.extract import Extractor
from typedllm.reading.nodes import Node
from typedllm.reading.reader import JsonReader
from typedllm.reading.settle import Judge, Settled, settle
from typedllm.reading.shape import Shape
from typedllm.reading.target import Target
from typedllm.records import MISSING, Policy
from typedllm.streaming.handover import LaneReader, events_of, later
from typedllm.streaming.lane import Lane
from typedllm.streaming.levels import Key, Level
from typedllm.streaming.places import Place, as_written
from typedllm.streaming.shown import ends, goes_on, part_at, settled
from typedllm.streaming.snapshots import Change, Open, Snapshot, Text, pointer

_LONGEST_KEY: Final = 80
_CONTAINERS: Final = ("object", "array")


class Live:
    """The data of one reply while it comes.

    Args:
        target: what the reply is declared to be.
        policy: which fixes are applied.
        judge_of: what judges the data at a JSON Pointer; None where the type does not say what stands there.

    Attributes:
        nulls: whether null stands for an absent property, where that does not take null.
    """

    def __init__(self, target: Target, policy: Policy, judge_of: Callable[[str], Judge[Any] | None]) -> None:
        self.target = target
        self._judge_of = judge_of
        self.nulls = False
        self.policy = policy
        self._reader: JsonReader | None = None
        self._lane: Lane | None = None  # what was shown last was read there
        self._held_back: list[Change] = []  # what is shown once it goes beyond what was shown from the lane
        self._events = 0  # how much that was
        self._rooted = Place((target.root,), policy)
        self._stack: list[Level] = []
        self._text: Open | None = None  # the open text
        self._shown = Text()  # what is certain of it
        self._string: object = None  # the reader's own
        self._taken = 0  # how many pieces of the reader's text were looked at
        self._tail = ""  # held back: it may turn out to stand behind the text
        self._root: Any = MISSING
        self._stuck = False  # what was shown cannot go on: it stays as it is until the whole is known
        self._changes: list[Change] = []

    def extractor(self) -> Extractor:
        """What finds the answer in the reply, to be followed."""
        return Extractor(self.target, reader=self._read)

    def _read(self, shape: Shape, base: int, bounds: Bounds) -> JsonReader:
        place = self._rooted if shape is self.target.root else Place((shape,), self.policy)
        return LaneReader(shape, base, bounds, Lane(place, self.nulls, bounds))

    def follow(self, reader: JsonReader | None) -> Snapshot | None:
        """What is new, now that the reader has taken more; None: nothing that can be shown."""
        if isinstance(reader, LaneReader) and reader is self._reader and (lane := reader.lane) is not None:
            if not lane.changes:
                return None
            self._root = lane.root
            changes, lane.changes = self._changes + lane.changes, []
            self._changes = []
            return Snapshot(changes, lane.top, lane.root)
        self.look(reader)
        return self._snapshot() if self._changes else None

    def look(self, reader: JsonReader | None) -> None:
        """Take note of what is new."""
        if reader is None:
            return
        if reader is not self._reader:
            self._reader = reader
            self.void()
        if isinstance(reader, LaneReader) and (lane := reader.lane) is not None:
            self._lane = lane
            self._root = lane.root
            if lane.changes:
                self._changes += lane.changes
                lane.changes = []
        elif self._lane is not None:
            self._leave_lane(reader, self._lane)
        else:
            self._walk(reader)

    def _walk(self, reader: JsonReader) -> None:
        if self._root is MISSING and not self._stuck:
            stack = self._stack
            if not stack:
                self._begin(reader)
            while stack and not self._stuck and self._advance(stack[-1], reader):
                pass

    def _leave_lane(self, reader: JsonReader, lane: Lane) -> None:
        """Follow the reader itself from now on, as soon as it is beyond what was shown."""
        before, told = self._changes + lane.changes, len(self._held_back)
        lane.changes, self._changes = [], self._held_back
        if not self._held_back:
            self._events = events_of(lane.chain)
        self._walk(reader)
        self._held_back, self._changes = self._changes, before
        if len(self._held_back) == told or self._stuck:
            return
        new = later(self._held_back, self._events, lane.length)
        if new is None:
            return
        if ends(lane.chain, self._snapshot_of(None).data) is None:
            self._stuck = True
            return
        for level, part in zip(self._stack, lane.chain, strict=False):
            if not level.reuse(part):
                break
        self._lane, self._held_back = None, []
        self._changes = before + new

    def changes(self) -> list[Change]:
        """What is new since this was asked the last time."""
        changes, self._changes = self._changes, []
        return changes

    @property
    def shown(self) -> Any:
        """The whole as it was shown; `MISSING` while it is open."""
        return self._root

    def begin(self, before: list[Change]) -> None:
        """Begin after these changes."""
        self._changes = before

    def settle(self, data: Any) -> Snapshot:
        """The last snapshot, once the whole value is known: what was shown goes on to it, or is void."""
        self._changes += settled(self._open(), self._root, data)
        self._clear()
        self._root = data
        return self._snapshot()

    @property
    def levels(self) -> Sequence[Level]:
        """The objects and lists that are open, outermost first."""
        return self._stack

    def part(self, pointer: str, *, growing: bool = False) -> Any:
        """The data at a JSON Pointer; see `part_at`."""
        return part_at(self._open(), self._root, pointer, growing=growing)

    def void(self) -> None:
        """What was shown does not count any more."""
        if self._stack or self._text is not None or self._root is not MISSING or self._lane is not None:
            self._changes.append(("restarted", None, "", MISSING))
        self._clear()

    def forget(self, pointer: str) -> int:
        """Drop the items so far of the list at a pointer, while it is open: they are in no later snapshot."""
        if self._lane is not None and isinstance(self._reader, LaneReader):
            self._reader.leave()
            self.look(self._reader)
        for at, level in enumerate(self._stack if self._lane is None else ()):
            if level.open.path == pointer:
                before = level.gone
                gone = level.forget()
                if gone > before:
                    self._relink(at)
                return gone
        return 0

    def _relink(self, at: int) -> None:
        """What is open below a level is shown in what it is now; snapshots that were kept know it as it was."""
        above = self._stack[at].open
        for level in self._stack[at + 1 :]:
            above = level.open = Open(above, level.open.key, level.open.parts, level.gone)
        if self._text is not None:
            self._text = Open(above, self._text.key, self._text.parts)

    def _snapshot(self) -> Snapshot:
        return self._snapshot_of(self._lane)

    def _snapshot_of(self, lane: Lane | None) -> Snapshot:
        if lane is not None:
            return Snapshot(self.changes(), lane.top, lane.root)
        top = self._text
        if top is None and self._stack:
            top = self._stack[-1].open
        return Snapshot(self.changes(), top, self._root)

    def _open(self) -> list[Open]:
        if self._lane is not None:
            return self._lane.chain
        chain = [level.open for level in self._stack]
        return chain if self._text is None else [*chain, self._text]

    def _clear(self) -> None:
        self._stack, self._text, self._root, self._stuck = [], None, MISSING, False
        self._lane, self._held_back = None, []

    # ---- following the tree ----

    def _begin(self, reader: JsonReader) -> None:
        """Look for the beginning of the value."""
        place = self._rooted if reader.shape is self.target.root else Place((reader.shape,), self.policy)
        if reader.root is None:
            self._grow(reader, None, "", place)
        elif reader.root.kind in _CONTAINERS:
            if self._fits(reader.root, place):
                self._enter(Level(reader.root, place, None, ""))
            else:
                self._stuck = True
        elif reader.done:
            self._close(None, "", self._aligned(reader.root, place.declared, ""))

    def _advance(self, level: Level, reader: JsonReader) -> bool:
        """Take in what is new in the innermost open part; True: another part is the innermost now."""
        children, closed = level.children, level.node.end >= 0
        count = len(children)
        if level.count < count:
            last: Node = children[-1][1] if level.items is None else children[-1]
            if last.kind in _CONTAINERS:
                waits = level.drops and last.end < 0
            else:
                waits = not closed and not _has_moved_on(reader, level.node)
            final = count - 1 if waits else count
            if self._members(level, final) if level.items is None else self._items(level, final):
                return True
            if level.count < count:
                return False
        if closed:
            self._leave(level)
            return True
        if reader.open_string is not None and not level.drops:
            if self._text is not None:
                self._more(reader)
            else:
                self._begin_text(level, reader)
        return False

    def _members(self, level: Level, final: int) -> bool:
        """Take in the members of an object, up to one that is open itself; whether there is one to go into."""
        for at in range(level.count, final):
            key, node, _ = level.children[at]
            place = None if key in level.members else level.place.kept(key)
            if place is None:
                level.held = True
            elif node.kind in _CONTAINERS and (node.end < 0 or self._fits(node, place)):
                return self._go_into(level, at, key, node, place)
            else:
                self._scalar(level, key, node, place)
        level.count = final
        return False

    def _items(self, level: Level, final: int) -> bool:
        """Take in the items of a list, up to one that is open itself; whether there is one to go into."""
        for at in range(level.count, final):
            node, index = level.children[at], at + level.gone
            if level.held:
                continue
            place = level.place.item(index)
            if level.drops:
                self._item(level, node, place)
            elif node.kind in _CONTAINERS and (node.end < 0 or self._fits(node, place)):
                return self._go_into(level, at, index, node, place)
            else:
                self._scalar(level, index, node, place)
        level.count = final
        return False

    def _fits(self, node: Node, place: Place) -> bool:
        """Whether an object or a list may stand here, so that it is shown part by part."""
        return bool(place.of_kind("object" if node.kind == "object" else "array").declared)

    def _go_into(self, level: Level, at: int, key: Key, node: Node, place: Place) -> bool:
        """Go on in an open part; one that cannot stand here waits for its end."""
        fits = self._fits(node, place)
        level.count = at + fits
        if fits:
            self._enter(Level(node, place, level.open, key))
        return fits

    def _begin_text(self, level: Level, reader: JsonReader) -> None:
        """A text is being read; it is shown where it is the next part of what is innermost."""
        frame = reader.stack[-1] if reader.stack else None
        if frame is None or frame.node is not level.node:
            return
        if level.items is not None:
            if len(self._stack) > 1 and _may_be_key(reader):
                return
            key: Key = level.count + level.gone
        elif frame.key_at >= 0:
            key = frame.key
        else:
            return
        if (place := level.below(key)) is not None:
            self._grow(reader, level.open, key, place)

    def _enter(self, level: Level) -> None:
        self._text = None
        self._stack.append(level)
        self._changes.append(("opened", level.open.above, level.open.key, level.open))

    def _leave(self, level: Level) -> None:
        """The innermost open part is closed."""
        data: Any = level.members if level.items is None else level.items
        if level.held or (level.items is None and level.place.fills_in(level.members)):
            data = MISSING if self.nulls else self._aligned(level.node, level.declared, level.open.path)
            if data is MISSING or not goes_on(level.open, data):
                self._stuck = True
                return
        self._stack.pop()
        self._close(self._stack[-1] if self._stack else None, level.open.key, data)

    def _close(self, level: Level | None, key: Key, data: Any) -> None:
        if self._text is not None:
            if not str(data).startswith(self._shown.upto(len(self._shown))):
                self._stuck = True
                return
            self._text = None
        if level is None:
            if data is MISSING:
                return
            self._root = data
            self._changes.append(("closed", None, "", data))
        elif data is MISSING:
            level.held = True
        else:
            level.put(key, data)
            self._changes.append(("closed", level.open, key, data))

    def _aligned(self, node: Node, declared: tuple[Shape, ...], path: str) -> Any:
        """The data of a closed part as the whole reply will have it, fit or not; `MISSING` where that is not settled."""
        if len(declared) != 1:
            return MISSING
        aligner = Aligner(self.policy)
        data = aligner.align(node, declared[0], path)
        if aligner.items:
            settled = self._settled(node, declared, path)
            return settled.data if settled is not None and settled.fits else MISSING
        return data

    def _settled(self, node: Node, declared: tuple[Shape, ...], path: str) -> Settled[Any] | None:
        """A closed part without items that do not fit; None where nothing can judge it."""
        judge = None if self.nulls or len(declared) != 1 else self._judge_of(path)
        return None if judge is None else settle(node, declared[0], Aligner(self.policy), judge, "", path)

    def _item(self, level: Level, node: Node, place: Place) -> None:
        """A closed item of a list whose items may be left out."""
        index = len(level.open.parts)
        settled = self._settled(node, place.declared, pointer(level.open, index))
        if settled is None:
            level.held = True
        elif settled.fits:
            if type(settled.data) in (str, list, dict):
                self._changes.append(("opened", level.open, index, MISSING))
            self._close(level, index, settled.data)

    def _scalar(self, level: Level, key: Key, node: Node, place: Place) -> None:
        data = MISSING if node.notes and node.kind != "string" else as_written(node)
        if self.nulls and node.kind in _CONTAINERS:
            level.held = True
            return
        if type(data) not in place.sure:
            if data is None and self.nulls and level.may_lack(key) and not place.takes(None):
                return
            if not place.takes(data):
                data = self._aligned(node, place.declared, pointer(level.open, key))
        if self._text is None and data is not MISSING:
            if type(data) is str:
                self._changes.append(("opened", level.open, key, MISSING))
            level.put(key, data)
            self._changes.append(("closed", level.open, key, data))
        else:
            self._close(level, key, data)
        if level.place.several and data is not MISSING and isinstance(key, str):
            level.place = level.place.narrowed(key, data)

    def _grow(self, reader: JsonReader, above: Open | None, key: Key, place: Place) -> None:
        """Show what is certain of a text that is being read."""
        string = reader.open_string
        if string is None or string.place == "key" or string.joined is not None or not place.texts:
            return
        if self._text is None:
            self._shown = Text()
            self._string, self._taken, self._tail = string, 0, ""
            self._text = Open(above, key, self._shown)
            self._changes.append(("opened", above, key, MISSING))
        self._more(reader)

    def _more(self, reader: JsonReader) -> None:
        """Show what came of the open text."""
        string, text = reader.open_string, self._text
        if string is None or text is None or string is not self._string:
            return
        parts, taken = string.parts, self._taken
        count = len(parts)
        if count == taken:
            return
        new = parts[taken] if count == taken + 1 else "".join(parts[taken:])
        self._taken = count
        if self._tail:
            new = self._tail + new
        shown = new.rstrip().removesuffix(",").rstrip()
        self._tail = new[len(shown) :]
        if shown:
            self._shown.add(shown)
            self._changes.append(("grew", text.above, text.key, shown))


def _may_be_key(reader: JsonReader) -> bool:
    """Whether the text that is being read in a list may turn out to be the next key of the object around it."""
    string = reader.open_string
    return string is None or sum(map(len, string.parts)) <= _LONGEST_KEY


def _has_moved_on(reader: JsonReader, node: Node) -> bool:
    """Whether something follows the last part of an open container, so that it cannot go on."""
    for frame in reversed(reader.stack):
        if frame.node is node:
            return frame.comma >= 0 or frame.key_at >= 0
    return True
