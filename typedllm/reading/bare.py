"""Reading values without quotes."""

from __future__ import annotations

import re
from typing import Final, Literal

from typedllm.reading.cursor import SPACE, end_of, shown
from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node
from typedllm.reading.quoted import QuotedReader
from typedllm.reading.scalars import Scalar, scalar
from typedllm.reading.strings import AHEAD, BARE_KEY, QUOTED_KEY, Behind, verdict

_BARE: Final = re.compile(r"[^,}\])\n\r/#\"”;]+")
_CALL: Final = re.compile(r"(?:new\s{1,20})?[A-Z]\w{0,60}\(")


class BareReader(QuotedReader):
    """Reads values without quotes, to where the structure goes on."""

    def _unexpected(self) -> bool:
        raise NotImplementedError

    def _bare_value(self) -> bool:
        """Text without quotes, to where the structure goes on."""
        if self._lacks(AHEAD):
            return False
        if self.buf.startswith(("...", "…"), self.pos):
            return self._elision()
        call = _CALL.match(self.buf, self.pos)
        if call:
            return self._call(call.end())
        end, stop = max(self.pos, self._seen - self.base), "on"
        while stop == "on":
            end = end_of(_BARE, self.buf, end)
            if end - self.pos >= self.bounds.bare:
                return self._too_long()
            stop = self._bare_stops(end)
            end += stop == "on"
        self._seen = self.base + end
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
        rest = buf[end : end + AHEAD]
        after = end_of(SPACE, rest, 1)
        if after == len(rest) or rest[after] in "}]" or "\n" in rest[:after]:
            return "stop"
        return "stop" if QUOTED_KEY.match(rest, after) or BARE_KEY.match(rest, after) else "on"

    def _take_bare(self, end: int, quoted: bool) -> bool:
        word = self.buf[self.pos : end].rstrip()
        if not word:
            return self._unexpected()
        start = self.base + self.pos
        stop = start + len(word)
        if word[-1] == ":" and scalar(word[:-1]).kind in ("number", "literal"):
            word, quoted = word[:-1], False
            end, stop = self.pos + len(word), stop - 1
        read = Scalar("string", word, self._missing_quote()) if quoted else scalar(word)
        node = Node(read.kind, read.value, start, stop + quoted)
        if read.kind == "number" and len(word) > self.bounds.digits:
            node = Node("hole", None, start, stop)
            node.note(Note("too_many_digits", start, stop, "", True))
        elif read.fix:
            node.note(Note(read.fix, start, node.end, shown(read.value)))
        if word.endswith(("...", "…")):
            node.note(Note("elision", start, stop, "", True))
        if self.stack and read.kind != "literal" and not quoted and stop == self.base + len(self.buf):
            node.note(Note("open_scalar", start, stop, shown(read.value)))
        self._add(node)
        self.pos = end + quoted
        self._state = self._after
        self.done = self.done or not self.stack
        return True

    def _missing_quote(self) -> str:
        """The fix of a string without its opening quote: behind an item without quotes, that may be a part of it."""
        items = self.stack[-1].node.items if self._place() == "item" else []
        return "likely_quote" if items and items[-1].kind in ("bare", "number") else "missing_quote"

    def _call(self, end: int) -> bool:
        """A constructor around one value, which stands for the whole."""
        self.fix("call", self.base + self.pos, self.base + end)
        self.pos = end
        self._calls += 1
        return True

    def _elision(self) -> bool:
        at, size = self.base + self.pos, 3 if self.buf[self.pos] == "." else 1
        node = Node("hole", None, at, at + size)
        node.note(Note("elision", at, at + size, "", True))
        self._add(node)
        self.pos += size
        self._state = self._after
        return True

    def _too_long(self) -> bool:
        digits = self.buf[self.pos] in "-0123456789" and self.buf[self.pos + 1 : self.pos + 50].isdigit()
        self._give_up("too_many_digits" if digits else "too_long")
        return False
