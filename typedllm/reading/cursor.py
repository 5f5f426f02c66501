"""The ground of the reader: the text that came so far, what was noted, white space, comments and open containers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import NOTATION, Note
from typedllm.reading.nodes import Member, Node, Whole
from typedllm.reading.shape import Shape
from typedllm.reading.strings import AHEAD, OPENERS, OpenString, Place, end_of

SPACE: Final = re.compile(r"[ \t\n\r]*")
_ODD_SPACE: Final = re.compile(r"[\s\ufeff\u180e\u200b-\u200d\u2060]+")
_WRITTEN_SPACE: Final = re.compile(rf"(?:\\[nrt][ \t\n\r]*)+(?=[{re.escape(OPENERS)}{{}}\[\],0-9-])")
"""Line breaks as they are written in strings, where none is open."""

_COMMENTS: Final[Mapping[str, str]] = {"//": "\n", "#": "\n", "/*": "*/", "<!--": "-->"}


class Frame:
    """An open container: its node, its shape as far as known, and the member that is being read."""

    __slots__ = ("also", "around", "closer", "closers", "comma", "key", "key_at", "known", "node", "shape", "tried")

    def __init__(self, node: Node, shape: Shape, closer: str, around: str, also: str, tried: int) -> None:
        self.node = node
        self.shape = shape
        self.around = around
        self.turn(closer, also)
        self.comma = -1
        self.key = ""
        self.key_at = -1
        self.tried = tried

    def turn(self, closer: str, also: str = "") -> None:
        """Says which bracket closes it, and which one too: the counterpart of its opening bracket as written."""
        self.closer = closer
        self.also = also
        self.closers = self.around + closer + also
        self.known: Mapping[str, Shape] = self.shape.properties if closer == "}" else {}


class Cursor:
    """Reads one JSON value, from its first character on.

    Args:
        shape: what the value is declared to be, as guide.
        base: offset of that first character in the reply.
        bounds: what it may hold.
        strict: the text is known to be JSON: no quote inside a string is in doubt.
        around: the brackets that would close the containers around the value, outermost first.
        at_once: whether containers may be read at once.
    """

    def __init__(
        self,
        shape: Shape,
        base: int = 0,
        bounds: Bounds = DEFAULT,
        strict: bool = False,
        around: str = "",
        at_once: bool = True,
    ) -> None:
        self.shape = shape
        self.bounds = bounds
        self.strict = strict
        self.around = around
        self.at_once = at_once
        self.base = base
        self.buf = ""
        self.pos: int = 0
        self.eof = False
        self.root: Node | None = None
        self.stack: list[Frame] = []
        self.done = False
        self.was_cut = False
        self.gave_up = False
        self._bound: Note | None = None  # the bound that was met
        self.parts = 0
        self._uncounted: list[tuple[int, object]] = []  # what `parts` has an upper bound of
        self.noted: int = 0
        self.counted: int = 0  # those of the notes that are held against the bound
        self.faults = 0
        self._state: Callable[[], bool] = self._value
        self._spaced = -1  # where the last run of odd white space ended
        self._calls: list[Frame | None] = []  # the containers in which constructors are open around a value
        self._seen = 0  # how far text without quotes was followed
        self._opened: list[str] = []  # the brackets that are open inside it, as what would close them
        self._quoted = 0  # the quotes inside it
        self._loose: list[Note] = []  # notes that wait for the next node
        self._comment = ""
        self._comment_at = 0
        self._string: OpenString | None = None

    # ---- driving ----

    def feed(self, text: str) -> None:
        """Takes the next piece of the text, until the value is `done`; what follows it is left in `rest`."""
        self.buf = self.buf[self.pos :] + text
        self.base += self.pos
        self.pos = 0
        self._run()

    def close(self) -> None:
        """Ends the text."""
        self.eof = True
        self._run()
        if not self.done:
            self._cut()

    @property
    def rest(self) -> str:
        """The text after the value, as far as it was fed."""
        return self.buf[self.pos :]

    @property
    def open_string(self) -> OpenString | None:
        """The string that is being read, if any."""
        return self._string

    def _run(self) -> None:
        while not self.done and self._state():
            pass
        self._leave()

    def _cut(self) -> None:
        """The text ended inside the value: closes what is open, and says so."""
        self.was_cut = True
        end = self.base + len(self.buf)
        if self._string is not None:
            self._end_string(end, "open_string")
        if self._comment:
            self.fix("comment", self._comment_at, end)
            self._comment = ""
            if self.stack:
                self.fault("unfinished", self._comment_at, end)  # it may have swallowed what closes the document
        if self.root is None:
            self.done = True
            return
        if self.stack and (self.stack[-1].comma >= 0 or self.stack[-1].key_at >= 0 or not self.stack[-1].node.value):
            self.fault("unfinished", end, end)
        while self.stack:
            self._close_missing(end)
        self._leave()

    # ---- notes ----

    def fix(self, kind: str, start: int, end: int, after: str = "") -> None:
        """Marks one deviation from strict JSON, at offsets of the reply."""
        self._note(Note(kind, start, end, after))

    def fault(self, kind: str, start: int, end: int) -> None:
        """Marks a part that has no reading."""
        self._note(Note(kind, start, end, "", True))

    def _note(self, note: Note) -> None:
        self.noted += 1
        self.counted += note.kind not in NOTATION
        self.faults += note.fault
        if self.counted > self.bounds.fixes + (note.start >> 3) or self.faults > self.bounds.faults:
            self._give_up("too_many_fixes")
        elif self._string is not None:
            self._string.notes.append(note)
        elif self.stack:
            self.stack[-1].node.note(note)
        elif self.root is not None:
            self.root.note(note)
        else:
            self._loose.append(note)

    def _close_missing(self, at: int) -> None:
        """Closes the innermost container, whose bracket is missing here."""
        frame = self.stack[-1]
        self.fix("missing_closer", at, at, frame.closer)
        around, last = frame.node, frame.node.last
        if last is not None and last.kind in ("object", "array") and not isinstance(last, Whole):
            around, last = last, last.last
        if (
            last is not None
            and last.kind == "string"
            and _ends_in_stray(last.text, "}" if around.kind == "object" else "]")
        ):
            self.fault("unclear_syntax", last.end - 1, last.end)  # the quote and the bracket may have changed places
        self._close(at)

    def _give_up(self, kind: str) -> None:
        """A bound is met: the rest of the text is not read."""
        if not self.gave_up:
            self._bound = Note(kind, self.base + self.pos, self.base + self.pos, "", True)
        self.gave_up = True
        self.done = True

    def _leave(self) -> None:
        """Closes what a bound has left open, once the step that met it is over."""
        if self._bound is None:
            return
        here = self._bound.start
        if self.root is None:
            self.root = Node("hole", None, here, here)
        self.root.note(self._bound)
        for frame in self.stack:
            frame.node.end = here
        self.stack = []
        self._bound = None

    # ---- white space and comments ----

    def _next(self) -> str:
        """Moves to the next significant character and returns it; empty when the text so far holds none."""
        while True:
            if self._comment and not self._skip_comment():
                return ""
            buf = self.buf
            if self._spaced == self.base + self.pos:
                self._spaced += end_of(_ODD_SPACE, buf, self.pos) - self.pos  # a piece of the text has cut the run
                self.pos = self._spaced - self.base
            self.pos = end_of(SPACE, buf, self.pos)
            if self.pos == len(buf):
                return ""
            sign = buf[self.pos]
            if sign in "/#<":
                if not self.eof and any(len(buf) - self.pos < len(each) for each in _COMMENTS if each[0] == sign):
                    return ""
                opening = next((each for each in _COMMENTS if buf.startswith(each, self.pos)), "")
                if opening:
                    self._comment = _COMMENTS[opening]
                    self._comment_at = self.base + self.pos
                    self.pos += len(opening)
                    continue
            elif sign == "\\":
                if self._lacks(AHEAD):
                    return ""
                found = _WRITTEN_SPACE.match(buf, self.pos, self.pos + AHEAD)
                if found:
                    self.fix("space", self.base + self.pos, self.base + found.end())
                    self.pos = found.end()
                    continue
            elif sign > "~" or sign < " ":
                found = _ODD_SPACE.match(buf, self.pos)
                if found:
                    if self._spaced != self.base + self.pos:
                        self.fix("space", self.base + self.pos, self.base + self.pos + 1)
                    self.pos = found.end()
                    self._spaced = self.base + self.pos
                    continue
            return sign

    def _skip_comment(self) -> bool:
        found = self.buf.find(self._comment, self.pos)
        if found < 0:
            self.pos = max(self.pos, len(self.buf) - len(self._comment) + 1)
            return False
        self.pos = found + len(self._comment.rstrip())
        self._comment = ""
        start = self._comment_at - self.base
        if self.buf[start - 1 : start] == '"' and self.buf.count('"', start, self.pos) % 2:
            self.fault("unexpected_text", self._comment_at, self.base + self.pos)  # that quote may open a text
        self.fix("comment", self._comment_at, self.base + self.pos)
        return True

    def _lacks(self, count: int) -> bool:
        """Whether fewer characters than that are there, and more may come."""
        return not self.eof and len(self.buf) - self.pos < count

    # ---- containers ----

    def _guide(self) -> Shape:
        if not self.stack:
            return self.shape
        frame = self.stack[-1]
        if frame.closer != "}":
            return frame.shape.item(len(frame.node.items))
        if frame.key not in frame.known and len(self.stack) == 1 and not (self.around or self.shape.takes_any_key):
            return self.shape  # an envelope, if anything
        return frame.shape.child(frame.key)

    def _is_full(self) -> bool:
        """Whether there are too many parts."""
        if self.parts > self.bounds.parts:
            self._count()
        return self.parts > self.bounds.parts

    def _count(self) -> None:
        raise NotImplementedError

    def _add(self, node: Node) -> None:
        """Puts a value where one is expected."""
        self.parts += 1
        if self._is_full():
            self._give_up("too_many_keys")
            return
        if self._loose:
            for note in self._loose:
                node.note(note)
            self._loose = []
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        frame.comma = -1
        if frame.closer == "}":
            frame.node.members.append(Member(frame.key, node, frame.key_at))
            frame.key_at = -1
        else:
            frame.node.items.append(node)

    def _close(self, end: int) -> None:
        frame = self.stack.pop()
        frame.node.end = end
        if not self.stack:
            self.done = True
        self._state = self._after

    def _closers(self) -> str:
        return self.stack[-1].closers if self.stack else self.around

    def _place(self) -> Place:
        if not self.stack:
            return "root"
        return "member" if self.stack[-1].closer == "}" else "item"

    # ---- what is expected next: each reads one step, and says whether more steps are possible ----

    def _closer(self, sign: str) -> bool:
        raise NotImplementedError

    def _value(self) -> bool:
        raise NotImplementedError

    def _members(self) -> bool:
        raise NotImplementedError

    def _items(self) -> bool:
        raise NotImplementedError

    def _after(self) -> bool:
        raise NotImplementedError

    def _end_string(self, end: int, cut: str = "") -> None:
        raise NotImplementedError


def shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _ends_in_stray(text: str, closer: str) -> bool:
    """Whether a text ends in a closing bracket that it has not opened."""
    opener = "{["["}]".index(closer)]
    return text.rstrip().endswith(closer) and text.count(closer) > text.count(opener)
