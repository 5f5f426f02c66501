"""A reply in the shape that a service was asked for, shown while it comes as the value that it stands for.

What the wire shape rewrote is undone part by part, as soon as a part is closed: a root in `{"value": ...}`, a map as a
list of pairs, a tuple as an object. What cannot be told before its end (which arm of a union was meant, a value before
its key) is shown when it closes.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from typedllm.reading.extract import Extractor
from typedllm.reading.reader import JsonReader
from typedllm.reading.shape import Kind
from typedllm.records import MISSING, Policy
from typedllm.repair.wired import Wired
from typedllm.schema.codecs import SAME, Codec, Pair, Trail
from typedllm.streaming.levels import Key
from typedllm.streaming.live import Live
from typedllm.streaming.shown import goes_on, part_at, settled
from typedllm.streaming.snapshots import Change, Open, Snapshot, Text
from typedllm.streaming.snapshots import pointer as place

_INSIDE: Final = "\0"  # the key of what is a part of the container around it, without a place of its own


class _Where(NamedTuple):
    """Where something that was written stands in the value.

    Attributes:
        codec: what it stands for.
        above: the open part around it.
        key: its key there; `_INSIDE`: its parts stand there.
        absent: whether null stands for nothing.
    """

    codec: Codec
    above: Open | None
    key: Key
    absent: bool = False


class _Frame:
    """A container of the reply that is open.

    Attributes:
        above, key: its place in what was written.
        where: its place in the value; None: it waits for the end of what is around it.
        codec: what it stands for; None: that is told by its end.
        out: what its parts stand in; None: in what its place says.
        seen: how many of its parts were taken.
        gone: how many of them were forgotten.
        late: whether some of them wait for its end.
        listed: whether it is a list in what was written and in the value.
        name: the key of a pair, once it is known.
    """

    __slots__ = ("above", "codec", "gone", "key", "late", "listed", "name", "out", "own", "seen", "where")

    def __init__(self, above: Open | None, key: Key, where: _Where | None, codec: Codec | None) -> None:
        self.above = above
        self.key = key
        self.where = where
        self.codec = codec
        self.out: Open | None = None
        self.own = False
        self.seen = self.gone = 0
        self.late = self.listed = False
        self.name: str | None = None


class Decoded:
    """The data of one reply while it comes, in place of `Live`.

    Args:
        found: the shape of the reply.
        policy: which fixes are applied.

    Attributes:
        target: what the reply is declared to be.
    """

    def __init__(self, found: Wired, policy: Policy) -> None:
        self.target = found.target
        self._codec = found.wire.codec
        self._live = Live(found.target, policy, lambda _: None)
        self._plain: dict[int, bool] = {}
        self._changes: list[Change] = []
        self._frames: list[_Frame] = []
        self._chain: list[Open] = []
        self._text: Open | None = None
        self._root: Any = MISSING
        self._stuck = False  # what was shown cannot go on: it stays as it is until the whole is known

    def extractor(self) -> Extractor:
        """What finds the answer in the reply, to be followed."""
        return Extractor(self.target)

    def follow(self, reader: JsonReader | None) -> Snapshot | None:
        """What is new, now that the reader has taken more; None: nothing that can be shown."""
        self._live.look(reader)
        for change in self._live.changes():
            if change[0] == "restarted":
                self.void()
            elif not self._stuck:
                self._take(*change)
        return self._snapshot() if self._changes else None

    @property
    def shown(self) -> Any:
        """The whole as it was shown; `MISSING` while it is open."""
        return self._root

    def changes(self) -> list[Change]:
        """What is new since this was asked the last time."""
        changes, self._changes = self._changes, []
        return changes

    def begin(self, before: list[Change]) -> None:
        """Begin after these changes."""
        self._changes = before

    def settle(self, data: Any) -> Snapshot:
        """The last snapshot, once the whole value is known: what was shown goes on to it, or is void."""
        self._changes += settled(self._open(), self._root, data)
        self._clear()
        self._root = data
        return self._snapshot()

    def part(self, pointer: str, *, growing: bool = False) -> Any:
        """The data at a JSON Pointer; see `part_at`."""
        return part_at(self._open(), self._root, pointer, growing=growing)

    def forget(self, pointer: str) -> int:
        """Drop the items so far of the list at a pointer, while it is open, where it is sent as a list too."""
        for at, part in enumerate(self._chain):
            frame = next((each for each in self._frames if each.own and each.out is part), None)
            if part.path == pointer and frame is not None and frame.listed and not frame.late:
                gone = self._live.forget(place(frame.above, frame.key))
                if gone > part.gone and isinstance(part.parts, list):
                    self._renew(at, Open(part.above, part.key, part.parts[gone - part.gone :], gone))
                    frame.gone = gone
                return gone
        return 0

    def _renew(self, at: int, part: Open) -> None:
        """What is open below a part stands in what that is now; snapshots that were kept know it as it was."""
        new: dict[int, Open] = {}
        for old in self._open()[at:]:
            made = part if not new else Open(new[id(old.above)], old.key, old.parts, old.gone)
            new[id(old)] = made
        self._chain = [new.get(id(each), each) for each in self._chain]
        self._text = None if self._text is None else new.get(id(self._text), self._text)
        for frame, level in zip(self._frames, self._live.levels, strict=False):
            frame.above = level.open.above
            frame.out = None if frame.out is None else new.get(id(frame.out), frame.out)
            if frame.where is not None and frame.where.above is not None:
                frame.where = frame.where._replace(above=new.get(id(frame.where.above), frame.where.above))

    def void(self) -> None:
        """What was shown does not count any more."""
        if self._chain or self._text is not None or self._root is not MISSING:
            self._changes.append(("restarted", None, "", MISSING))
        self._clear()

    def _clear(self) -> None:
        self._frames, self._chain, self._text, self._root, self._stuck = [], [], None, MISSING, False

    def _open(self) -> list[Open]:
        return self._chain if self._text is None else [*self._chain, self._text]

    def _snapshot(self) -> Snapshot:
        chain = self._open()
        return Snapshot(self.changes(), chain[-1] if chain else None, self._root)

    # ---- following what was written ----

    def _take(self, kind: str, above: Open | None, key: Key, said: Any) -> None:
        frame = self._frames[-1] if self._frames else None
        if kind == "closed" and frame is not None and frame.above is above and frame.key == key:
            self._frames.pop()
            self._leave(frame, said)
        elif kind == "grew":
            if self._text is not None and isinstance(self._text.parts, Text):
                self._text.parts.add(said)
                self._changes.append(("grew", self._text.above, self._text.key, said))
        elif kind == "closed":
            self._scalar(frame, key, said)
        elif isinstance(said, Open):
            self._enter(said, self._where(frame, key))
        else:
            self._begin_text(self._where(frame, key))

    def _where(self, frame: _Frame | None, key: Key) -> _Where | None:
        """Where a part of a container stands; None: that is not known before the container ends."""
        if frame is None:
            return _Where(self._codec, None, "")
        if frame.where is None or frame.codec is None:
            return None
        if isinstance(frame.codec, Pair):
            fresh = key == "value" and frame.name is not None and frame.out is not None
            return self._at(frame, frame.codec.value, frame.name) if fresh else None
        count = 0 if frame.out is None else len(frame.out.parts)
        part = frame.codec.part(key, count)
        if part is None:
            return None
        if frame.out is None:
            return _Where(part.codec, frame.where.above, frame.where.key)
        if part.key is None:
            return _Where(part.codec, frame.out, _INSIDE)
        here = count + frame.out.gone if isinstance(frame.out.parts, list) else part.key
        return self._at(frame, part.codec, here, part.absent)

    def _at(self, frame: _Frame, codec: Codec, key: Key | None, absent: bool = False) -> _Where | None:
        if frame.out is None or key is None or (isinstance(frame.out.parts, dict) and key in frame.out.parts):
            return None
        return _Where(codec, frame.out, key, absent)

    def _enter(self, written: Open, where: _Where | None) -> None:
        kind: Kind = "array" if isinstance(written.parts, list) else "object"
        codec = None if where is None else self._meant(where.codec, kind)
        if codec is not None and codec.sent not in (kind, "any"):
            codec = None
        frame = _Frame(written.above, written.key, where, codec)
        self._frames.append(frame)
        if where is None or codec is None:
            return
        shape = kind if codec.meant == "same" else codec.meant
        if where.key == _INSIDE:
            frame.out = where.above
        elif shape != "part":
            frame.out = Open(where.above, where.key, {} if shape == "object" else [])
            frame.own, frame.listed = True, kind == shape == "array"
            self._chain.append(frame.out)
            self._changes.append(("opened", where.above, where.key, frame.out))

    def _begin_text(self, where: _Where | None) -> None:
        if where is not None and where.key != _INSIDE and self._meant(where.codec, "string") is SAME:
            self._text = Open(where.above, where.key, Text())
            self._changes.append(("opened", where.above, where.key, MISSING))

    def _scalar(self, frame: _Frame | None, key: Key, said: Any) -> None:
        if frame is not None and isinstance(frame.codec, Pair) and key == "key" and isinstance(said, str):
            frame.name = said
            frame.seen += 1
            return
        where = self._where(frame, key)
        if where is None or where.key == _INSIDE:
            if frame is not None:
                frame.late = True
            return
        if frame is not None:
            frame.seen += 1
        if not (where.absent and said is None):
            self._put(where, where.codec.decode(said, Trail(), "", ""))

    def _leave(self, frame: _Frame, said: Any) -> None:
        """A container of the reply is closed."""
        around = self._frames[-1] if self._frames else None
        whole = frame.seen - frame.gone == len(said) and not frame.late
        where = frame.where
        if where is None or (not frame.own and frame.codec is not None and not whole):
            placed = False
        elif frame.own and frame.out is not None:
            self._chain.pop()
            data: Any = frame.out.parts if whole else where.codec.decode(said, Trail(), "", "")
            if not whole and not goes_on(frame.out, data):
                self._stuck = True
                return
            self._put(where, data)
            placed = True
        elif frame.codec is None:
            placed = where.key != _INSIDE
            if placed:
                self._put(where, where.codec.decode(said, Trail(), "", ""))
        else:
            placed = True
        if around is None:
            self._stuck = self._stuck or not placed
        elif placed:
            around.seen += 1
        else:
            around.late = True

    def _put(self, where: _Where, data: Any) -> None:
        if self._text is not None:
            if not goes_on(self._text, data):
                self._stuck = True
                return
            self._text = None
        elif isinstance(data, str):
            self._changes.append(("opened", where.above, where.key, MISSING))
        above = where.above
        if above is None:
            self._root = data
        elif isinstance(above.parts, list):
            above.parts.append(data)
        elif isinstance(above.parts, dict):
            above.parts[str(where.key)] = data
        self._changes.append(("closed", above, where.key, data))

    def _meant(self, codec: Codec, kind: Kind) -> Codec | None:
        """What a part of this kind stands for; None: that is told by its end."""
        codec = codec.named
        arms = codec.arms
        if not arms:
            return codec
        arms = [arm for arm in arms if kind in self.target.shape(arm.wire).kinds]
        if all(self._is_plain(arm.codec) for arm in arms):
            return SAME
        return self._meant(arms[0].codec, kind) if len(arms) == 1 else None

    def _is_plain(self, codec: Codec) -> bool:
        known = self._plain.get(id(codec))
        if known is None:
            known = self._plain[id(codec)] = not codec.changes(set())
        return known
