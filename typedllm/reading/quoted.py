"""Reading quoted strings, in pieces and tolerantly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from typedllm.reading.brackets import BracketReader
from typedllm.reading.cursor import Frame, shown
from typedllm.reading.ends import PLAIN_ITEM, own_bracket, verdict
from typedllm.reading.escapes import ESCAPE, escape
from typedllm.reading.fixes import Note
from typedllm.reading.keys import QUOTED_KEY, key_verdict
from typedllm.reading.nodes import Node
from typedllm.reading.pairs import closes_inner, is_glued, is_odd
from typedllm.reading.strings import AHEAD, CLOSERS, OPENERS, Behind, OpenString, Place, Verdict, end_of

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
_RUN: Final = {'"': re.compile('"+'), "'": re.compile("'+"), "`": re.compile("`+")}
_INFO: Final = re.compile(r"[\w.+#/ -]{0,40}\n")
_ESCAPES: Final = re.compile(r'(?:\\["\\/bfnrt])++')
_SEAM: Final = re.compile(r"(\s*(?:[}\])]\s*)*)(,\s*|(?<=\n)[ \t]*|\A\s+)\Z")
_STRUCTURE_BEFORE: Final = re.compile(
    r"(?:\n|[“”«»´`'’])\s*[\[\]{}(),:][\s\[\]{}(),:]*\Z|[，、；]\s*\Z|(?:\n\s*[}\])][\s}\]),]*|,[ \t]*\n\s*)[^\W\d]\w{0,60}\s*:\s*\Z|\*/[\s+,]*\Z|\"[ \t]*[,.;:]?[ \t]*(?:(?://|#)[^\n]*)?\n\s*\Z"
)
_COMMAS: Final = (";", "；", "，", "、")
_RECENT: Final = 8
_INDENT: Final = re.compile(r"\n[ \t]*\Z")
_FOREIGN: Final = re.compile(r"[“”„«»´`]\s*\Z")
_ATTRIBUTE: Final = re.compile(r"\s+[\w:.-]+=[\"']")  # of a tag of HTML
_IN_TAG: Final = re.compile(r"<[A-Za-z][^<>]*\Z")
_WORD_ENDS: Final = re.compile(r"[^\s\d]\Z")
_APOSTROPHE: Final = re.compile(r"['’]\s*\Z")
_DOUBLE: Final = re.compile(r"\"\s*\Z")
_REMARK: Final = re.compile(r",[ \t]*+(?://|#|/\*)")
_NEXT: Final = {
    "item": re.compile(r"[,;]\s*'(?=\w)|[\"'][\s}\])]*[,;:.]\s*[\"']?\w{1,60}[\"']?\s*:"),
    "member": re.compile(r"[\"'][\s}\])]*[,;:.]\s*[\"']?\w{1,60}[\"']?\s*:"),
}
"""What would be the beginning of the next part behind a text in single quotes."""


class Lost(NamedTuple):
    """Where a string without closing quote ended: the fix that says so, the brackets and the comma behind it."""

    fix: str = ""
    closers: str = ""
    comma: bool = False


_KEPT: Final = Lost()


class QuotedReader(BracketReader):
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
        triple = opener * 3 if opener in _RUN and buf.startswith(opener * 3, pos) else ""
        if triple == "```" and self._lacks(48):
            return False
        self._string = OpenString(self.base + pos, place, triple or CLOSERS[opener], _PLAIN[opener], bool(triple))
        if opener != '"' or triple:
            self.fix("quote_style", self.base + pos, self.base + pos + len(triple or opener), '"')
        self.pos += len(triple or opener)
        if triple == "```":
            self.pos = end_of(_INFO, buf, self.pos)  # a fence for a string: the line that opens it is none of it
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
            string.escapes.append(len(string.parts))
            string.parts.append(json.loads(f'"{run[0]}"'))
            self.pos = run.end()
            return
        read = escape(self.buf, self.pos)
        at = self.base + self.pos
        if read.fix == "unclear_escape":
            self.fault(read.fix, at, at + read.length)
        elif read.fix:
            self.fix(read.fix, at, at + read.length, shown(read.text)[1:-1])
        if read.fix == "invalid_escape" and self.buf[self.pos + 1 : self.pos + 2].isalpha():
            string.unescaped = True
        string.parts.append(read.text)
        self.pos += read.length

    def _quote(self, string: OpenString) -> bool | None:
        """A quote inside a string: its end, a part of it, or the quote of the next key."""
        if string.raw:
            return self._triple_quote(string)
        buf, pos = self.buf, self.pos
        text = buf[pos + 1 : pos + 1 + AHEAD]
        behind = Behind(text, self.eof or len(text) == AHEAD)
        said = "ends" if self.strict or self._is_key(string, behind) else self._verdict(string, behind)
        if said == "more" or (said != "ends" and not behind.complete):
            return None  # what is still to come may show that it ends here
        at = self.base + pos
        if said == "ends":
            self.pos += 1
            self._end_string(at + 1)
            return True
        if string.place == "key":
            doubled = self._doubled_in_key(string, behind)
            if doubled is not False:
                return None if doubled is None else False
        lost = self._lost_quote(string)
        if lost is None:
            return None
        if lost.fix:
            self._end_before(string, lost)
            return True
        string.torn = string.torn or (
            (string.inner - string.apostrophes) % 2 == 0 and _INDENT.search(string.tail()) is not None
        )
        before = string.tail()[-1:]
        string.inner += 1
        string.apostrophes += buf[pos] in "'’" and behind.text[:1].isalnum() and before.isalnum()
        if string.inner > self.bounds.quotes:
            self._give_up("too_many_fixes")
            return False
        doubtful = said == "doubt" or self._may_end(string, at, behind) or _STRUCTURE_BEFORE.search(string.tail())
        glued = is_glued(string.place, buf[pos], before, behind.text[:1])
        kind = "likely_quote" if doubtful or glued else "unescaped_quote"
        self.fix(kind, at, at + 1, '\\"' if buf[pos] == '"' else buf[pos])
        string.parts.append(buf[pos])
        self.pos += 1
        return False

    def _may_end(self, string: OpenString, at: int, behind: Behind) -> bool:
        """Whether a quote inside a string looks like its end: the string is empty, or the item before a missing comma."""
        if not behind.text[:1].isspace() or string.inner % 2 == 0:
            return False
        if at == string.start + 1:
            return True
        line_ends = behind.text.lstrip(" \t\r").startswith("\n")  # else it may stand for inches, behind a digit
        return string.place == "item" and (line_ends or _WORD_ENDS.search(string.tail()) is not None)

    def _verdict(self, string: OpenString, behind: Behind) -> Verdict:
        known = self.stack[-1].known if string.place == "member" else frozenset[str]()
        said = verdict(behind, string.place, self._inner(string), self._closers(), known)
        if said in ("ends", "doubt") and _ATTRIBUTE.match(behind.text) and _IN_TAG.search(string.tail()):
            return "inner"
        if said in ("ends", "doubt") and string.inner % 2 and (opened := string.own_brackets()):
            own = own_bracket(behind, opened)
            return said if own == "ends" else own
        return said

    def _inner(self, string: OpenString) -> int:
        """How many quotes inside the string may pair with this one."""
        sign = self.buf[self.pos]
        if sign not in "”’»" or sign != string.closers[0]:
            return string.inner - string.apostrophes
        return int(sign in string.tail())  # one that cannot open a text: those of other kinds say nothing

    def _is_key(self, string: OpenString, behind: Behind) -> bool:
        """Whether what began as a value is a key of that value: its opening bracket is missing."""
        if string.place != "member" or behind.text.lstrip()[:1] != ":":
            return False
        frame = self.stack[-1]
        return "".join(string.parts) in frame.shape.child(frame.key).properties

    def _triple_quote(self, string: OpenString) -> bool | None:
        """Quotes inside a string with three of them around it: the last three of a run end it."""
        run = end_of(_RUN[string.closers[0]], self.buf, self.pos) - self.pos
        if run > self.bounds.quotes:
            self._give_up("too_many_fixes")
            return None
        if self._lacks(run + 1):
            return None
        inner = run - 3 if run >= 3 else run
        if inner and run >= 3 and not any(string.parts):  # nothing but quotes: no text that anybody wrote
            self.fault("unclear_syntax", self.base + self.pos, self.base + self.pos + run)
        string.parts.append(self.buf[self.pos : self.pos + inner])
        self.pos += run
        if run >= 3:
            self._end_string(self.base + self.pos)
        return run >= 3

    def _lost_quote(self, string: OpenString) -> Lost | None:
        """Where the string ended if this quote begins the next key or item, so that its own closing quote is missing.

        None when the text that came so far does not tell.
        """
        buf, pos = self.buf, self.pos
        if string.place not in ("member", "item"):
            return _KEPT
        seam = _SEAM.search(string.tail())
        key = QUOTED_KEY.match(buf, pos)
        if key is None:
            if key_verdict(buf[pos : pos + AHEAD], 0, not self._lacks(AHEAD)) == "more":
                return None
            return self._lost_item(string, seam)
        if seam is None:
            return _KEPT
        name = key[0].rstrip(" \t\r\n:=>：").strip(OPENERS)
        for closers in dict.fromkeys((re.sub(r"\s", "", seam[1]), "")):
            frame = self._below(closers)
            if frame is None or frame.closer != "}" or (not closers and name == frame.key):
                continue
            if name in frame.known:
                return Lost("missing_quote", closers, seam[2].startswith(","))
            if not frame.known and ("\n" in seam[0] or "," in seam[0]):
                kind = "missing_quote" if "\n" in seam[0] and not closers else "likely_quote"
                return Lost(kind, closers, seam[2].startswith(","))
        return _KEPT

    def _lost_item(self, string: OpenString, seam: re.Match[str] | None) -> Lost | None:
        if string.place != "item" or seam is None or seam[1].strip() or not seam[2].startswith(","):
            return _KEPT
        if self._lacks(AHEAD):
            return None
        if PLAIN_ITEM.match(self.buf, self.pos, self.pos + AHEAD) is None:
            return _KEPT
        return Lost("missing_quote" if "\n" in seam[2] else "likely_quote", "", True)

    def _below(self, closers: str) -> Frame | None:
        """The container that is open once these brackets have closed the ones inside it."""
        if len(closers) >= len(self.stack):
            return None
        inner = [frame.closer for frame in self.stack[len(self.stack) - len(closers) :]]
        return self.stack[-1 - len(closers)] if list(closers) == inner[::-1] else None

    def _end_before(self, string: OpenString, lost: Lost) -> None:
        """Ends a string before the brackets and the comma that this quote follows."""
        text = "".join(string.parts)
        seam = cast("re.Match[str]", _SEAM.search(string.tail()))
        cut = len(seam[0]) if lost.closers else len(seam[2])
        kept, tail = text[: len(text) - cut].rstrip(), text[len(text) - cut :]
        end = self.base + self.pos - (len(text) - len(kept))
        fix, comma = lost.fix, lost.comma
        if kept.endswith(_COMMAS) and not lost.closers and not comma:
            fix, comma = fix if self._has_other_commas() else "likely_quote", True
            kept = kept[:-1].rstrip()
            end = self.base + self.pos - (len(text) - len(kept))
        if (remark := _REMARK.search(kept, kept.rfind("\n") + 1)) and not lost.closers:
            kept, comma = kept[: remark.start()], True
            end = self.base + self.pos - (len(text) - len(kept))
        other = _FOREIGN.search(kept) or _APOSTROPHE.search(kept)
        if string.closers == "'" and kept.count('"') % 2:
            other = _DOUBLE.search(kept) or other
        closed = other is not None and closes_inner(kept, other.start())
        if closed:
            fix = "likely_quote"
        elif other:
            fix = "likely_quote" if other.re is _APOSTROPHE and fix != "likely_quote" else fix
            kept = kept[: other.start()]
        elif kept.endswith(string.closers) and kept.count(string.closers) % 2:
            fix = "likely_quote"  # its backslash may be the last sign of the text
        elif not kept:
            fix = "likely_quote"  # a text without a character may be a quote too many
        elif _STRUCTURE_BEFORE.search(kept, max(0, len(kept) - AHEAD)) or kept.endswith(("{", "[")):
            fix = "likely_quote"  # it took in the end of what it stands in, or the beginning of what follows
        elif string.closers == '"' and string.inner % 2:
            fix = "likely_quote"  # a quote inside may be the one that is missing
        if string.is_unclear:
            self.fault("unclear_escape", string.start, end)
        string.parts, string.escapes = [kept], []
        string.notes = [note for note in string.notes if note.start < end]
        self.fix(fix, end - (other is not None and not closed), end, '"')
        self._end_string(end)
        for bracket in lost.closers:
            self._close(self.base + self.pos - len(tail) + tail.index(bracket) + 1)
        if comma:
            self.stack[-1].comma = end
            self._state = self._members if self.stack[-1].closer == "}" else self._items

    def _has_other_commas(self) -> bool:
        """Whether another sign stood for a comma here before."""
        return any(note.kind == "wrong_comma" for note in (self.stack[-1].node.notes or ())[-_RECENT:])

    def _doubled_in_key(self, string: OpenString, behind: Behind) -> bool | None:
        """Passes over the second of two opening quotes of a key, or the first of two closing ones."""
        at, sign = self.base + self.pos, self.buf[self.pos]
        if at == string.start + 1:
            self.fix("extra_quote", at, at + 1)
            self.pos += 1
            return True
        if behind.text[:1] != sign:
            return False
        said = verdict(Behind(behind.text[1:], behind.complete), "key", 0, "")
        if said == "ends":
            self.fix("extra_quote", at, at + 1)
            self.pos += 1
        return None if said == "more" else said == "ends"

    def _edges(self, string: OpenString, text: str, end: int) -> str:
        """The text of a value without a quote that is doubled at its start or end, where the type tells that it is."""
        if string.inner > 2:
            return text
        if len(string.closers) > 1:
            return text  # typographic quotes around quotes of another kind
        inner = [note for note in string.notes if note.kind == "unescaped_quote"]
        edges = (string.start + 1, end - 2)
        if len(inner) != string.inner or not all(note.start in edges for note in inner) or len(text) < 2:
            return text
        free = self._guide().is_text
        if free and string.inner == 2 and string.closers != "'":
            if self._doubles_quotes():
                string.notes = [note._replace(kind="likely_quote") if note in inner else note for note in string.notes]
            return text  # a text in quotes
        count = sum(text.count(quote) for quote in string.closers)
        if count != string.inner and count % 2 == 0 and string.closers != "'":
            return text  # it ends, or begins, what an escaped one does at its other end
        kind = "likely_quote" if free else "extra_quote"
        string.notes = [note._replace(kind=kind, after="") if note in inner else note for note in string.notes]
        return text.strip(string.closers) if count == string.inner else text

    def _doubles_quotes(self) -> bool:
        """Whether a key around has its quotes twice: then those of a text may be doubled as well."""
        notes = (note for frame in self.stack[-2:] for note in (frame.node.notes or ())[-_RECENT:])
        return any(note.kind == "extra_quote" for note in notes)

    def _end_string(self, end: int, cut: str = "") -> None:
        string = cast("OpenString", self._string)
        text = "".join(string.parts)
        if string.is_unclear:
            self.fault("unclear_escape", string.start, end)
        torn = (
            string.torn and (string.inner - string.apostrophes) % 2
        )  # the one at a line's start begins another string
        if torn or (string.inner and is_odd(text, string.closers[0])):
            likely = (note._replace(kind="likely_quote") for note in string.notes if note.kind == "unescaped_quote")
            string.notes = [note for note in string.notes if note.kind != "unescaped_quote"] + list(likely)
        if string.closers == "'" and string.inner and string.place in _NEXT and _NEXT[string.place].search(text):
            self.fix("likely_quote", string.start, end, shown(text))  # it may be two parts
        if cut:
            self.fix(cut, string.start, end, shown(text))
        self._string = None
        if string.place == "key":
            for note in string.notes:
                self._note(note)
            self.stack[-1].key, self.stack[-1].key_at = text, string.start
            self._state = self._colon
            return
        node = Node("string", self._edges(string, text, end) if string.inner else text, string.start, end)
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
