"""The reader: one JSON value out of text that comes in pieces, tolerant, in time linear in the text.

What is plain JSON is read in long strides by regular expressions. What is not is read token by token; each deviation
from strict JSON is marked by `fix(...)` and each part without a reading by `fault(...)`, so that both can be audited
by searching for these words. A decision looks at a bounded stretch of text ahead (or at the end of the text), so that
the outcome does not depend on how the text was cut into pieces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, cast

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Member, Node
from typedllm.reading.scalars import NUMBER, Scalar, scalar
from typedllm.reading.strings import AHEAD, BARE_KEY, CLOSERS, ESCAPE, OPENERS, QUOTED_KEY, Behind, Place, escape, verdict
from typedllm.reading.target import Shape

_S: Final = r"[ \t\n\r]*"
_STRING: Final = r'"((?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})*+)"'
_VALUE: Final = rf"(?:{_STRING}|({NUMBER.pattern})|(true|false|null))"
_MEMBER: Final = re.compile(
    rf'{_S}{_STRING}{_S}:{_S}{_VALUE}{_S}(?:,(?={_S}"[^"\\\x00-\x1f]*"{_S}:)|(?=\}}{_S}[,\]}}]))'
)
_ITEM: Final = re.compile(rf'{_S}{_VALUE}{_S}(?:,(?={_S}(?:["{{\[\-0-9]|true|false|null))|(?=\]{_S}[,\]}}]))')
_KEY: Final = re.compile(rf"{_STRING}{_S}:")
_MEMBER_SCALAR: Final = re.compile(rf"({NUMBER.pattern}|true|false|null)(?={_S}(?:[\]}}]|,[^0-9]))")
_ITEM_SCALAR: Final = re.compile(rf"({NUMBER.pattern}|true|false|null)(?={_S}[\],}}]|[ \t\n\r]+[\"{{\[0-9-])")
_WORDS: Final = {"true": True, "false": False, "null": None}
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_ODD_SPACE: Final = re.compile(r"[\s\ufeff\u200b-\u200d\u2060]")
_PLAIN: Final = {
    opener: re.compile(rf"[^{re.escape(closers)}\\\x00-\x1f]+") for opener, closers in CLOSERS.items()
}
_ANY_KEY: Final = rf"""(?:"[^"\\\n]*"|'[^'\\\n]*'){_S}:"""
_STRUCTURE: Final[Mapping[Place, str]] = {
    "key": rf"(?={_S}:)",
    "member": rf"(?={_S}(?:,{_S}{_ANY_KEY}|}}{_S}[,}}\]]))",
    "item": rf"(?={_S}(?:,{_S}[\"'{{\[0-9-]|\]{_S}[,}}\]]))",
    "root": r"(?!)",
}
_QUICK: Final = {
    place: {q: re.compile(rf"{q}([^\"'\\\x00-\x1f]+){q}{behind}") for q in "\"'"} for place, behind in _STRUCTURE.items()
}
_TO_VALUE: Final = re.compile(rf"{_S}:")
_COLON: Final = re.compile(r":|=>?|：")
_LOOSE_KEY: Final = re.compile(rf"([\w$@][^\n:{{}}\[\],\"]{{0,100}}?)([\"'”’`]?)\s*(?::|=>?|：)")
_OPEN_KEY: Final = re.compile(r"[\"'“]([^\W\d][\w$-]*)\s*:\s*(?=[\"'“\d{\[tfnTFN-])")
_BARE: Final = re.compile(r"[^,}\])\n\r/#\"”;]+")
_CALL: Final = re.compile(r"(?:new\s+)?[A-Z]\w*\(")
_OTHER: Final = re.compile(r"[^,}\]\n]+")
_TAIL: Final = re.compile(r",\s*\Z|\n\s*\Z|\A\s+\Z")
_PAIRS: Final = {"{": "}", "[": "]", "(": ")"}


class Frame:
    """An open container: its node, its shape as far as known, and the member that is being read."""

    __slots__ = ("closer", "closers", "comma", "key", "key_at", "known", "node", "shape")

    def __init__(self, node: Node, shape: Shape, closer: str, around: str) -> None:
        self.node = node
        self.shape = shape
        self.closer = closer
        self.closers = around + closer
        self.known = shape.properties if closer == "}" else {}
        self.comma = -1
        self.key = ""
        self.key_at = -1


class JsonReader:
    """Reads one JSON value, from its first character on.

    Args:
        shape: what the value is declared to be, as guide.
        base: offset of that first character in the reply.
        bounds: what it may hold.
    """

    def __init__(self, shape: Shape, base: int = 0, bounds: Bounds = DEFAULT) -> None:
        self.shape = shape
        self.bounds = bounds
        self.base = base
        self.buf = ""
        self.pos = 0
        self.eof = False
        self.root: Node | None = None
        self.stack: list[Frame] = []
        self.done = False
        self.was_cut = False
        self.parts = 0
        self.noted = 0
        self._state: Callable[[], bool] = self._value
        self._spaced = -1  # where the last run of odd white space ended
        self._calls = 0  # constructors that are open around the value
        self._loose: list[Note] = []  # notes that wait for the next node
        self._comment = ""
        self._comment_at = 0
        self._string: _String | None = None

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

    def _run(self) -> None:
        while not self.done and self._state():
            pass

    def _cut(self) -> None:
        """The text ended inside the value: closes what is open, and says so."""
        self.was_cut = True
        end = self.base + len(self.buf)
        if self._string is not None:
            self._end_string(end, "open_string")
        if self._comment:
            self.fix("comment", self._comment_at, end)
            self._comment = ""
        if self.root is None:
            self.done = True
            return
        if self.stack and (self.stack[-1].comma >= 0 or self.stack[-1].key_at >= 0):
            self.fault("unfinished", end, end)
        while self.stack:
            self.fix("missing_closer", end, end, self.stack[-1].closer)
            self._close(end)

    # ---- notes ----

    def fix(self, kind: str, start: int, end: int, after: str = "") -> None:
        """Marks one deviation from strict JSON, at offsets of the reply."""
        self._note(Note(kind, start, end, after))

    def fault(self, kind: str, start: int, end: int) -> None:
        """Marks a part that has no reading."""
        self._note(Note(kind, start, end, "", True))

    def _note(self, note: Note) -> None:
        if note.kind == "space" and self._spaced == note.start:
            self._spaced = note.end
            return
        self._spaced = note.end if note.kind == "space" else -1
        self.noted += 1
        if self.noted > self.bounds.fixes:
            self._give_up("too_many_fixes")
        elif self._string is not None:
            self._string.notes.append(note)
        elif self.stack:
            self.stack[-1].node.note(note)
        elif self.root is not None:
            self.root.note(note)
        else:
            self._loose.append(note)

    def _give_up(self, kind: str) -> None:
        """A bound is met: the rest of the text is not read."""
        if self.done:
            return
        here = self.base + self.pos
        if self.root is None:
            self.root = Node("hole", None, here, here)
        self.root.note(Note(kind, here, here, "", True))
        for frame in self.stack:
            frame.node.end = here
        self.stack = []
        self.done = True

    # ---- white space and comments ----

    def _next(self) -> str:
        """Moves to the next significant character and returns it; empty when the text so far holds none."""
        while True:
            if self._comment and not self._skip_comment():
                return ""
            buf = self.buf
            self.pos = _end_of(_SPACE, buf, self.pos)
            if self.pos == len(buf):
                return ""
            sign = buf[self.pos]
            if sign in "/#":
                if len(buf) - self.pos < 2 and not self.eof:
                    return ""
                if sign == "#" or buf[self.pos + 1 : self.pos + 2] in ("/", "*"):
                    self._comment = "*/" if buf.startswith("/*", self.pos) else "\n"
                    self._comment_at = self.base + self.pos
                    self.pos += 1 if sign == "#" else 2
                    continue
            elif sign > "~" or sign < " ":
                found = _ODD_SPACE.match(buf, self.pos)
                if found:
                    self.fix("space", self.base + self.pos, self.base + self.pos + 1)
                    self.pos += 1
                    continue
            return sign

    def _skip_comment(self) -> bool:
        found = self.buf.find(self._comment, self.pos)
        if found < 0:
            self.pos = max(self.pos, len(self.buf) - len(self._comment) + 1)
            return False
        self.pos = found + (2 if self._comment == "*/" else 0)
        self._comment = ""
        self.fix("comment", self._comment_at, self.base + self.pos)
        return True

    def _lacks(self, count: int) -> bool:
        """Whether fewer characters than that are there, and more may come."""
        return not self.eof and len(self.buf) - self.pos < count

    # ---- containers ----

    def _open(self, sign: str) -> bool:
        if len(self.stack) >= self.bounds.depth:
            self._give_up("too_deep")
            return False
        at = self.base + self.pos
        node = Node("object" if sign == "{" else "array", [], at, -1)
        shape = self._guide()
        self._add(node)
        self.stack.append(Frame(node, shape, _PAIRS[sign], self._closers()))
        if sign == "(":
            self.fix("tuple", at, at + 1, "[")
        self.pos += 1
        self._state = self._members if sign == "{" else self._items
        return True

    def _guide(self) -> Shape:
        if not self.stack:
            return self.shape
        frame = self.stack[-1]
        if frame.closer != "}":
            return frame.shape.item(len(frame.node.items))
        if frame.key not in frame.known and len(self.stack) == 1:
            return self.shape  # an envelope, if anything
        return frame.shape.child(frame.key)

    def _add(self, node: Node) -> None:
        """Puts a value where one is expected."""
        self.parts += 1
        if self.parts > self.bounds.parts:
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

    def _closer(self, sign: str) -> bool:
        """A closing bracket, right or wrong."""
        at = self.base + self.pos
        frame = self.stack[-1]
        if frame.comma >= 0:
            self.fix("trailing_comma", frame.comma, frame.comma + 1)
            frame.comma = -1
        if sign != frame.closer:
            found = next((i for i in range(len(self.stack) - 2, -1, -1) if self.stack[i].closer == sign), -1)
            wrong = self._is_wrong(found)
            if wrong is None:
                return False
            if wrong:
                self.fix("wrong_closer", at, at + 1, frame.closer)
            else:
                while len(self.stack) - 1 > found:
                    self.fix("missing_closer", at, at, self.stack[-1].closer)
                    self._close(at)
        self.pos += 1
        self._close(at + 1)
        return True

    def _is_wrong(self, found: int) -> bool | None:
        """Whether a closing bracket that does not fit was meant for the innermost container, not for the one found."""
        if found < 0:
            return True
        if self._lacks(AHEAD):
            return None
        behind = self.buf[self.pos + 1 : self.pos + AHEAD]
        at = _end_of(_SPACE, behind, 0)
        if found == 0:
            return behind[at : at + 1] in (",", "}", "]") and bool(behind[at:].strip(" \t\n\r`"))
        if behind[at : at + 1] != ",":
            return False
        key = QUOTED_KEY.match(behind, _end_of(_SPACE, behind, at + 1))
        in_object = self.stack[found - 1].closer == "}"
        return (key is not None) != in_object

    def _closers(self) -> str:
        return self.stack[-1].closers if self.stack else ""

    # ---- objects ----

    def _members(self) -> bool:
        """Expects a key or the end of an object."""
        frame = self.stack[-1]
        self._plain_members(frame)
        sign = self._next()
        if not sign or self.done:
            return False
        at = self.base + self.pos
        if sign in OPENERS:
            return self._quoted_key(frame)
        if sign in "}])":
            return self._closer(sign)
        if sign == ",":
            self.fix("extra_comma", at, at + 1)
            self.pos += 1
            return True
        if sign in "{[" and len(self.stack) > 1 and self.stack[-2].closer == "]" and frame.node.members:
            self.fix("missing_closer", at, at, frame.closer)
            self._close(at)
            return True
        return self._bare_key(frame)

    def _plain_members(self, frame: Frame) -> None:
        """The long stride: members that are plain JSON with plain values."""
        if self._comment:
            return
        buf, pos, base, members, known = self.buf, self.pos, self.base, frame.node.members, frame.known
        any_key = not known or len(self.stack) == 1 or not frame.shape.closed
        match = _MEMBER.match
        while (found := match(buf, pos)) is not None:
            key, text, number, word = found.groups()
            if not (any_key or key in known):
                break
            part = 2 if text is not None else 3 if number is not None else 4
            start, end = found.span(part)
            if part == 2:
                if "\\" in text:
                    text = json.loads(f'"{text}"')
                node = Node("string", text, base + start - 1, base + end + 1)
            elif part == 3:
                if end - start > self.bounds.digits:
                    break
                node = Node("number", number, base + start, base + end)
            else:
                node = Node("literal", _WORDS[word], base + start, base + end)
            members.append(Member(json.loads(f'"{key}"') if "\\" in key else key, node, base + found.start(1) - 1))
            pos = found.end()
            frame.comma = base + pos - 1 if buf[pos - 1] == "," else -1
            self.parts += 1
        self.pos = pos
        if self.parts > self.bounds.parts:
            self._give_up("too_many_keys")

    def _quoted_key(self, frame: Frame) -> bool:
        found = _KEY.match(self.buf, self.pos)
        if found is None:
            if self._lacks(AHEAD):
                return False
            found = _OPEN_KEY.match(self.buf, self.pos)
            if found is None:
                return self._open_string("key")
            self.fix("missing_quote", self.base + found.start(), self.base + found.end(1), f'"{found[1]}"')
        key = json.loads(f'"{found[1]}"') if "\\" in found[1] else found[1]
        return self._take_key(key, self.base + self.pos, found.end())

    def _take_key(self, key: str, at: int, end: int) -> bool:
        """Takes a key that is followed by its colon, unless it shows that the object ended before it."""
        frame = self.stack[-1]
        if self._belongs_above(frame, key):
            self.fix("missing_closer", at, at, frame.closer)
            comma = frame.comma
            frame.comma = -1
            self._close(at)
            self.stack[-1].comma = comma
            self._state = self._members
            return True
        frame.key, frame.key_at = key, at
        self.pos = end
        self._state = self._value
        return True

    def _belongs_above(self, frame: Frame, key: str) -> bool:
        """Whether the key is unknown here and known to the object around: the closing bracket is missing."""
        if not frame.known or key in frame.known or len(self.stack) < 2 or not frame.shape.closed:
            return False
        above = self.stack[-2]
        if not above.known or key not in above.known:
            return False
        return all(member.key != key for member in above.node.members[-64:])

    def _bare_key(self, frame: Frame) -> bool:
        if self._lacks(AHEAD):
            return False
        at = self.base + self.pos
        found = _LOOSE_KEY.match(self.buf, self.pos)
        if found is None:
            return self._unexpected()
        key = found[1].strip()
        self.fix("missing_quote" if found[2] else "unquoted_key", at, self.base + found.end(2), f'"{key}"')
        if found[0][-1] != ":":
            self.fix("wrong_colon", self.base + found.end() - 1, self.base + found.end(), ":")
        return self._take_key(key, at, found.end())

    def _unexpected(self) -> bool:
        """Text that is no part of JSON: it is passed over and told."""
        at = self.base + self.pos
        if self.buf.startswith(("...", "…"), self.pos):
            self.fault("elision", at, at + 3)
            self.pos += 3 if self.buf[self.pos] == "." else 1
            self.stack[-1].comma = -1
            return True
        end = max(_end_of(_OTHER, self.buf, self.pos), self.pos + 1)
        self.fault("unexpected_text", at, self.base + end)
        self.pos = end
        return True

    def _colon(self) -> bool:
        """Expects the colon after a key that was read as a string."""
        sign = self._next()
        if not sign:
            return False
        frame, at = self.stack[-1], self.base + self.pos
        found = _COLON.match(self.buf, self.pos)
        if found and self._lacks(2):
            return False
        if found is None and sign not in ",}])":
            self.fix("missing_colon", at, at, ":")
        elif found and found[0] != ":":
            self.fix("wrong_colon", at, self.base + found.end(), ":")
        if found:
            self.pos = found.end()
        if self._belongs_above(frame, frame.key):
            key, key_at = frame.key, frame.key_at
            frame.key_at, comma, frame.comma = -1, frame.comma, -1
            self.fix("missing_closer", key_at, key_at, frame.closer)
            self._close(key_at)
            frame = self.stack[-1]
            frame.key, frame.key_at, frame.comma = key, key_at, comma
        self._state = self._value
        return True

    # ---- arrays ----

    def _items(self) -> bool:
        """Expects an item or the end of an array."""
        frame = self.stack[-1]
        if frame.closer == "]" and not self._comment:
            self._plain_items(frame)
        return self._value()

    def _plain_items(self, frame: Frame) -> None:
        buf, pos, base, items = self.buf, self.pos, self.base, frame.node.items
        match = _ITEM.match
        while (found := match(buf, pos)) is not None:
            text, number, word = found.groups()
            part = 1 if text is not None else 2 if number is not None else 3
            start, end = found.span(part)
            if part == 1:
                if "\\" in text:
                    text = json.loads(f'"{text}"')
                node = Node("string", text, base + start - 1, base + end + 1)
            elif part == 2:
                if end - start > self.bounds.digits:
                    break
                node = Node("number", number, base + start, base + end)
            else:
                node = Node("literal", _WORDS[word], base + start, base + end)
            items.append(node)
            pos = found.end()
            frame.comma = base + pos - 1 if buf[pos - 1] == "," else -1
            self.parts += 1
        self.pos = pos
        if self.parts > self.bounds.parts:
            self._give_up("too_many_keys")

    # ---- values ----

    def _value(self) -> bool:
        """Expects a value; in an array also its end."""
        sign = self._next()
        if not sign or self.done:
            return False
        if sign in "{[(":
            return self._open(sign)
        if sign in OPENERS:
            return self._open_string(self._place())
        if sign in ",}])":
            return self._no_value(sign)
        found = (_ITEM_SCALAR if self._place() == "item" else _MEMBER_SCALAR).match(self.buf, self.pos)
        if found is None or found.end() - found.start() > self.bounds.digits:
            return self._bare_value()
        word = found[0]
        node = self._scalar_node(word, self.pos, found.end())
        self._add(node)
        self.pos = found.end()
        self._state = self._after
        return True

    def _scalar_node(self, word: str, start: int, end: int) -> Node:
        if word in _WORDS:
            return Node("literal", _WORDS[word], self.base + start, self.base + end)
        return Node("number", word, self.base + start, self.base + end)

    def _place(self) -> Place:
        if not self.stack:
            return "root"
        return "member" if self.stack[-1].closer == "}" else "item"

    def _no_value(self, sign: str) -> bool:
        at = self.base + self.pos
        if self._place() == "item":
            if sign != ",":
                return self._closer(sign)
            self.fix("extra_comma", at, at + 1)
            self.pos += 1
            return True
        if self._place() == "root":
            self.done = True
            return False
        hole = Node("hole", None, at, at)
        hole.note(Note("missing_value", self.stack[-1].key_at, at, "", True))
        self._add(hole)
        self._state = self._after
        return True

    # ---- values without quotes ----

    def _bare_value(self) -> bool:
        """Text without quotes, to where the structure goes on."""
        if self._lacks(AHEAD):
            return False
        if self.buf.startswith(("...", "…"), self.pos):
            return self._elision()
        call = _CALL.match(self.buf, self.pos)
        if call:
            return self._call(call.end())
        end, stop = self.pos, "on"
        while stop == "on":
            end = _end_of(_BARE, self.buf, end)
            if end - self.pos >= self.bounds.bare:
                return self._too_long()
            stop = self._bare_stops(end)
            end += stop == "on"
        return stop != "more" and self._take_bare(end, stop == "quote")

    def _bare_stops(self, end: int) -> Literal["stop", "on", "quote", "more"]:
        """Whether text without quotes ends here, perhaps at a closing quote."""
        buf = self.buf
        if not self.eof and len(buf) - end < AHEAD:
            return "more"
        sign = buf[end : end + 1]
        if not sign or sign in "\n\r}])":
            return "stop"
        if sign in '"”':
            if QUOTED_KEY.match(buf, end) and self._place() == "member":
                return "stop"
            behind = Behind(buf[end + 1 : end + 1 + AHEAD], True)
            return "quote" if verdict(behind, self._place(), 0, self._closers()) == "ends" else "on"
        if sign in "/#":
            comment = sign == "#" or buf[end + 1 : end + 2] in ("/", "*")
            return "stop" if comment and buf[end - 1] in " \t" else "on"
        if self._place() != "member" or sign == ";":
            return "stop" if sign == "," or end + 1 == len(buf) or buf[end + 1] in "\n\r" else "on"
        after = _end_of(_SPACE, buf, end + 1)
        if after == len(buf) or buf[after] in "}]" or "\n" in buf[end:after]:
            return "stop"
        return "stop" if QUOTED_KEY.match(buf, after) or BARE_KEY.match(buf, after) else "on"

    def _take_bare(self, end: int, quoted: bool) -> bool:
        word = self.buf[self.pos : end].rstrip()
        if not word:
            return self._unexpected()
        start = self.base + self.pos
        stop = start + len(word)
        read = Scalar("string", word, "missing_quote") if quoted else scalar(word)
        node = Node(read.kind, read.value, start, stop + quoted)
        if read.kind == "number" and len(word) > self.bounds.digits:
            node = Node("hole", None, start, stop)
            node.note(Note("too_many_digits", start, stop, "", True))
        elif read.fix:
            node.note(Note(read.fix, start, node.end, _shown(read.value)))
        if self.stack and not quoted and stop == self.base + len(self.buf):
            node.note(Note("open_scalar", start, stop, _shown(read.value)))
        self._add(node)
        self.pos = end + quoted
        self._state = self._after
        self.done = self.done or not self.stack
        return True

    def _call(self, end: int) -> bool:
        """A constructor around one value, which stands for the whole."""
        self.fix("call", self.base + self.pos, self.base + end)
        self.pos = end
        self._calls += 1
        return True

    def _elision(self) -> bool:
        at = self.base + self.pos
        node = Node("hole", None, at, at + 3)
        node.note(Note("elision", at, at + 3, "", True))
        self._add(node)
        self.pos += 3 if self.buf[self.pos] == "." else 1
        self._state = self._after
        return True

    def _too_long(self) -> bool:
        digits = self.buf[self.pos] in "-0123456789" and self.buf[self.pos + 1 : self.pos + 50].isdigit()
        self._give_up("too_many_digits" if digits else "too_long")
        return False

    # ---- strings ----

    def _open_string(self, place: Place) -> bool:
        buf, pos = self.buf, self.pos
        opener = buf[pos]
        if self._lacks(3):
            return False
        found = _QUICK[place][opener].match(buf, pos) if opener in _QUICK[place] else None
        if found and not found[1].isspace():
            return self._quick_string(place, opener, found[1], found.end())
        triple = opener * 3 if opener in "\"'" and buf.startswith(opener * 3, pos) else ""
        self._string = _String(self.base + pos, place, triple or CLOSERS[opener], _PLAIN[opener], bool(triple))
        if opener != '"' or triple:
            self.fix("quote_style", self.base + pos, self.base + pos + len(triple or opener), '"')
        self.pos += len(triple or opener)
        self._state = self._in_string
        return True

    def _quick_string(self, place: Place, opener: str, text: str, end: int) -> bool:
        """A string without anything to mend inside, with the document's structure right behind it."""
        start, self.pos = self.base + self.pos, end
        if place == "key":
            if opener != '"':
                self.fix("quote_style", start, start + 1, '"')
            return self._take_key(text, start, _end_of(_TO_VALUE, self.buf, end))
        node = Node("string", text, start, self.base + end)
        if opener != '"':
            self.noted += 1
            node.note(Note("quote_style", start, start + 1, '"'))
        self._add(node)
        self._state = self._after
        return True

    def _in_string(self) -> bool:
        string = cast(_String, self._string)
        while not self.done:
            buf = self.buf
            found = string.plain.match(buf, self.pos)
            if found:
                string.parts.append(found[0])
                self.pos = found.end()
            if self.pos == len(buf):
                return False
            sign = buf[self.pos]
            if sign == "\\":
                if self._lacks(ESCAPE):
                    return False
                self._escape(string)
            elif sign in string.closers:
                ended = self._quote(string)
                if ended is None:
                    return False
                if ended:
                    return True
            else:
                self._control(string, sign)
        return False

    def _control(self, string: _String, sign: str) -> None:
        if not string.raw and sign < " ":
            at = self.base + self.pos
            self.fix("raw_control", at, at + 1, _shown(sign)[1:-1])
        string.parts.append(sign)
        self.pos += 1

    def _escape(self, string: _String) -> None:
        read = escape(self.buf, self.pos)
        at = self.base + self.pos
        if read.fix:
            self.fix(read.fix, at, at + read.length, _shown(read.text)[1:-1])
        string.parts.append(read.text)
        self.pos += read.length

    def _quote(self, string: _String) -> bool | None:
        """A quote inside a string: its end, a part of it, or the quote of the next key."""
        if string.raw:
            return self._triple_quote(string)
        buf, pos = self.buf, self.pos
        text = buf[pos + 1 : pos + 1 + AHEAD]
        behind = Behind(text, self.eof or len(text) == AHEAD)
        said = verdict(behind, string.place, string.inner, self._closers())
        if said == "more":
            return None
        at = self.base + pos
        if said == "ends":
            self.pos += 1
            self._end_string(at + 1)
            return True
        key = QUOTED_KEY.match(buf, pos) if string.place == "member" else None
        if key is None and string.place == "member" and self._lacks(AHEAD):
            return None
        lost = self._lost_quote(string, key[1]) if key else ""
        if lost:
            self._end_before(string, lost)
            return True
        string.inner += 1
        if string.inner > self.bounds.quotes:
            self._give_up("too_many_fixes")
            return False
        self.fix("unescaped_quote", at, at + 1, '\\"' if buf[pos] == '"' else buf[pos])
        string.parts.append(buf[pos])
        self.pos += 1
        return False

    def _triple_quote(self, string: _String) -> bool | None:
        if self._lacks(4):
            return None
        if self.buf.startswith(string.closers, self.pos) and self.buf[self.pos + 3 : self.pos + 4] != string.closers[0]:
            self.pos += 3
            self._end_string(self.base + self.pos)
            return True
        string.parts.append(self.buf[self.pos])
        self.pos += 1
        return False

    def _lost_quote(self, string: _String, key: str) -> str:
        """The name of the fix if the next member begins here, so that the string lost its closing quote."""
        frame = self.stack[-1]
        tail = _TAIL.search("".join(string.parts[-3:])[-80:])
        if tail is None or key == frame.key:
            return ""
        if frame.known:
            return "missing_quote" if key in frame.known else ""
        return "missing_quote" if "\n" in tail[0] else "likely_quote" if "," in tail[0] else ""

    def _end_before(self, string: _String, lost: str) -> None:
        """Ends a string before the comma that the quote here follows."""
        text = "".join(string.parts)
        kept = text.rstrip()
        comma = kept.endswith(",")
        kept = kept[:-1].rstrip() if comma else kept
        end = self.base + self.pos - (len(text) - len(kept))
        string.parts = [kept]
        string.notes = [note for note in string.notes if note.start < end]
        self.fix(lost, end, end, '"')
        self._end_string(end)
        if comma:
            self.stack[-1].comma = end
            self._state = self._members

    def _end_string(self, end: int, cut: str = "") -> None:
        string = cast(_String, self._string)
        text = "".join(string.parts)
        if cut:
            self.fix(cut, string.start, end, _shown(text))
        self._string = None
        if string.place == "key":
            for note in string.notes:
                self._note(note)
            self.stack[-1].key, self.stack[-1].key_at = text, string.start
            self._state = self._colon
            return
        node = Node("string", text, string.start, end)
        node.notes = string.notes or None
        if string.joined is not None:
            string.joined.value = string.joined.text + text
            string.joined.end = end
            for note in string.notes:
                string.joined.note(note)
        else:
            self._add(node)
        self._state = self._after
        if not self.stack:
            self.done = True

    # ---- after a value ----

    def _after(self) -> bool:
        """Expects a comma or a closing bracket."""
        sign = self._next()
        if not sign or self.done:
            return False
        frame, at = self.stack[-1], self.base + self.pos
        if self._calls and sign != ")":
            self._calls = 0
            self.fault("unexpected_text", at, at + 1)
        if sign == ",":
            frame.comma = at
            self.pos += 1
        elif sign in "}])":
            return self._close_call() if sign == ")" and self._calls else self._closer(sign)
        elif sign in ";，、":
            self.fix("wrong_comma", at, at + 1, ",")
            frame.comma = at
            self.pos += 1
        elif sign == "+" and self._last(frame).kind == "string":
            return self._concatenate(frame)
        elif sign == ":" and frame.closer == "]":
            return self._key_in_array(frame)
        else:
            return self._no_comma(frame, sign)
        self._state = self._members if frame.closer == "}" else self._items
        return True

    def _last(self, frame: Frame) -> Node:
        return frame.node.members[-1].node if frame.closer == "}" else frame.node.items[-1]

    def _close_call(self) -> bool:
        self._calls -= 1
        self.pos += 1
        return True

    def _concatenate(self, frame: Frame) -> bool:
        at = _end_of(_SPACE, self.buf, self.pos + 1)
        if at == len(self.buf) and not self.eof:
            return False
        if self.buf[at : at + 1] not in OPENERS or at == len(self.buf):
            return self._unexpected()
        if not self.eof and len(self.buf) - at < 3:
            return False
        self.fix("concatenation", self.base + self.pos, self.base + self.pos + 1)
        self.pos = at
        self._open_string(self._place())
        cast(_String, self._string).joined = self._last(frame)
        return True

    def _key_in_array(self, frame: Frame) -> bool:
        """A colon after an item: the item is a key, and the array before it was not closed."""
        items = frame.node.items
        if len(self.stack) < 2 or self.stack[-2].closer != "}" or items[-1].kind not in ("string", "bare"):
            return self._unexpected()
        key = items.pop()
        self.fix("missing_closer", key.start, key.start, "]")
        self._close(key.start)
        above = self.stack[-1]
        above.key, above.key_at = key.text, key.start
        self.pos += 1
        self._state = self._value
        return True

    def _no_comma(self, frame: Frame, sign: str) -> bool:
        at = self.base + self.pos
        if frame.closer == "}":
            if sign in "{[" and len(self.stack) > 1 and self.stack[-2].closer == "]":
                self.fix("missing_closer", at, at, "}")
                self._close(at)
                return True
            if self._lacks(AHEAD):
                return False
            if not (QUOTED_KEY.match(self.buf, self.pos) or _LOOSE_KEY.match(self.buf, self.pos)):
                return self._unexpected()
            self._state = self._members
        elif sign in OPENERS or sign in "{[(" or sign.isalnum() or sign == "-":
            self._state = self._items
        else:
            return False if self._lacks(4) else self._unexpected()
        self.fix("missing_comma", at, at, ",")
        return True


class _String:
    """A string that is being read."""

    __slots__ = ("closers", "inner", "joined", "notes", "parts", "place", "plain", "raw", "start")

    def __init__(self, start: int, place: Place, closers: str, plain: re.Pattern[str], raw: bool) -> None:
        self.start = start
        self.place: Place = place
        self.closers = closers
        self.plain = plain
        self.raw = raw
        self.parts: list[str] = []
        self.notes: list[Note] = []
        self.inner = 0
        self.joined: Node | None = None


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
