"""Reading quoted strings, in pieces and tolerantly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, cast

from typedllm.reading.cursor import Cursor, end_of, shown
from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node
from typedllm.reading.strings import (
    AHEAD,
    CLOSERS,
    ESCAPE,
    QUOTED_KEY,
    Behind,
    OpenString,
    Place,
    escape,
    key_verdict,
    verdict,
)

_S: Final = r"[ \t\n\r]*"
_PLAIN: Final = {opener: re.compile(rf"[^{re.escape(closers)}\\\x00-\x1f]+") for opener, closers in CLOSERS.items()}
_ANY_KEY: Final = rf"""(?:"[^"\\\n]*"|'[^'\\\n]*'){_S}:"""
_STRUCTURE: Final[Mapping[Place, str]] = {
    "key": rf"(?={_S}:)",
    "member": rf"(?={_S}(?:,{_S}{_ANY_KEY}|}}{_S}[,}}\]]))",
    "item": rf"(?={_S}(?:,{_S}[\"'{{\[0-9-]|\]{_S}[,}}\]]))",
    "root": r"(?!)",
}
_QUICK: Final = {
    place: {q: re.compile(rf"{q}([^\"'\\\x00-\x1f]+){q}{behind}") for q in "\"'"}
    for place, behind in _STRUCTURE.items()
}
_TO_VALUE: Final = re.compile(rf"{_S}:")
_RUN: Final = {'"': re.compile('"+'), "'": re.compile("'+")}
_ESCAPES: Final = re.compile(r'(?:\\["\\/bfnrt])++')
_TAIL: Final = re.compile(r",\s*\Z|\n\s*\Z|\A\s+\Z")


class QuotedReader(Cursor):
    """Reads strings with quotes, whatever the quotes."""

    def _take_key(self, key: str, at: int, end: int) -> bool:
        raise NotImplementedError

    def _colon(self) -> bool:
        raise NotImplementedError

    def _open_string(self, place: Place, quick: bool = True) -> bool:
        buf, pos = self.buf, self.pos
        opener = buf[pos]
        if self._lacks(3):
            return False
        found = _QUICK[place][opener].match(buf, pos) if quick and opener in _QUICK[place] else None
        if found and not found[1].isspace():
            return self._quick_string(place, opener, found[1], found.end())
        triple = opener * 3 if opener in "\"'" and buf.startswith(opener * 3, pos) else ""
        self._string = OpenString(self.base + pos, place, triple or CLOSERS[opener], _PLAIN[opener], bool(triple))
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
            return self._take_key(text, start, end_of(_TO_VALUE, self.buf, end))
        node = Node("string", text, start, self.base + end)
        if opener != '"':
            self.noted += 1
            node.note(Note("quote_style", start, start + 1, '"'))
        self._add(node)
        self._state = self._after
        return True

    def _in_string(self) -> bool:
        string = cast("OpenString", self._string)
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

    def _control(self, string: OpenString, sign: str) -> None:
        if not string.raw and sign < " ":
            at = self.base + self.pos
            self.fix("raw_control", at, at + 1, shown(sign)[1:-1])
        string.parts.append(sign)
        self.pos += 1

    def _escape(self, string: OpenString) -> None:
        run = _ESCAPES.match(self.buf, self.pos)
        if run:
            string.parts.append(json.loads(f'"{run[0]}"'))
            self.pos = run.end()
            return
        read = escape(self.buf, self.pos)
        at = self.base + self.pos
        if read.fix:
            self.fix(read.fix, at, at + read.length, shown(read.text)[1:-1])
        string.parts.append(read.text)
        self.pos += read.length

    def _quote(self, string: OpenString) -> bool | None:
        """A quote inside a string: its end, a part of it, or the quote of the next key."""
        if string.raw:
            return self._triple_quote(string)
        buf, pos = self.buf, self.pos
        text = buf[pos + 1 : pos + 1 + AHEAD]
        behind = Behind(text, self.eof or len(text) == AHEAD)
        said = "ends" if self.strict else verdict(behind, string.place, string.inner, self._closers())
        if said == "more":
            return None
        at = self.base + pos
        if said == "ends":
            self.pos += 1
            self._end_string(at + 1)
            return True
        key = QUOTED_KEY.match(buf, pos) if string.place == "member" else None
        if (
            key is None
            and string.place == "member"
            and key_verdict(buf[pos : pos + AHEAD], self._lacks(AHEAD)) == "more"
        ):
            return None
        lost = self._lost_quote(string, key[0].rstrip(" \t\r\n:=>：")[1:-1]) if key else ""
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

    def _triple_quote(self, string: OpenString) -> bool | None:
        """Quotes inside a string with three of them around it: the last three of a run end it."""
        run = end_of(_RUN[string.closers[0]], self.buf, self.pos) - self.pos
        if self._lacks(run + 1):
            if run > self.bounds.quotes:
                self._give_up("too_many_fixes")
            return None
        inner = run - 3 if run >= 3 else run
        string.parts.append(self.buf[self.pos : self.pos + inner])
        self.pos += run
        if run >= 3:
            self._end_string(self.base + self.pos)
        return run >= 3

    def _lost_quote(self, string: OpenString, key: str) -> str:
        """The name of the fix if the next member begins here, so that the string lost its closing quote."""
        frame = self.stack[-1]
        tail = _TAIL.search("".join(string.parts[-3:])[-80:])
        if tail is None or key == frame.key:
            return ""
        if frame.known:
            return "missing_quote" if key in frame.known else ""
        return "missing_quote" if "\n" in tail[0] else "likely_quote" if "," in tail[0] else ""

    def _end_before(self, string: OpenString, lost: str) -> None:
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
        string = cast("OpenString", self._string)
        text = "".join(string.parts)
        if cut:
            self.fix(cut, string.start, end, shown(text))
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
