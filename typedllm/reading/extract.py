"""Finding the answer in a reply: reasoning, fences and prose are told from the parts that may be the answer.

The text is scanned from left to right, once. Where a container plausibly begins, a reader takes over until it closes;
so brackets inside strings do not count, and an inner object never stands for its broken outer one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from typedllm.reading.bare import KEYWORDS
from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.found import AHEAD, BETWEEN, FENCE_LINE, HELD, Found, lead_of, word_of
from typedllm.reading.reader import JsonReader
from typedllm.reading.shape import Shape
from typedllm.reading.strings import OPENERS
from typedllm.reading.target import Target
from typedllm.reading.words import fold
from typedllm.records import Span

_KEYWORD: Final = r"\s{0,8}(?P<key>[^\W\d]\w{0,60})\s{0,8}"
_DEFINES: Final = r"(?:def|function|func|fun|fn|class)\s{1,8}"
_NAME: Final = re.compile(rf"(?<![\w.])(?P<defined>{_DEFINES})?(?P<name>[^\W\d][\w.]{{0,60}})\Z")
_TAG_NAMES: Final = r"think|thinking|thought|thoughts|reasoning|reason|scratchpad|analysis|reflection"
_MARK: Final = (
    rf"<(?i:\|?/?(?:[\w-]{{1,20}}:)?(?:(?:start|begin|end)_(?:of_)?)?(?:{_TAG_NAMES})\b[^<>{{\[`~\n]{{0,40}}>)"
    r"|\[(?i:/?(?:think|thinking|thought|reasoning)\])|◁(?i:/?(?:think|thinking)▷)"
)
_SIGN: Final = re.compile(  # each form begins with one sign, by which a search passes over prose at once
    rf"{_MARK}|\{{|\[|```(?:`{{0,37}})|~~~(?:~{{0,37}})|\((?={_KEYWORD}=[^=>])|\"(?=(?:\s|\\[nt]){{0,40}}+[{{\[](?!(?:\s{{0,40}}[{{\[]){{0,3}}\s{{0,40}}\"\w))"
)
_IN_QUOTES: Final = re.compile(r"\"(?:\s|\\[nt]){0,40}+(?:[{\[]\s*){1,4}(?:[^\s\"{\[]|\"[\s\S])")
_BRACKETED: Final = [f"[{sign}{name}]" for sign in ("", "/") for name in ("think", "thinking", "thought", "reasoning")]
_LONGEST_MARK: Final = max(map(len, _BRACKETED))
_TAG: Final = re.compile(_MARK)
_CLOSES: Final = re.compile(r"[<\[◁]\|?(?:/|(?:[\w-]{1,20}:)?end_)", re.IGNORECASE)
_PARTIAL: Final = re.compile(
    r"<[^<>\n]{0,80}\Z|◁[^◁▷\n]{0,20}\Z|`+\Z|~+\Z|\"(?:\s|\\[nt]){0,40}\\?\Z"
    rf"|(?<![\w.]){_DEFINES}\Z"
    rf"|(?<![\w.])(?:{_DEFINES})?[^\W\d][\w.]{{0,60}}+(?:\(\s{{0,8}}(?:[^\W\d]\w{{0,60}}\s{{0,8}}=?)?)?\Z"
)
_BEFORE: Final = r"(?:[\s,\ufeff\u180e\u200b-\u200d\u2060]|(?://|#)[^\n]*\n|/\*(?:[^*]|\*(?!/))*+\*/)*+"
_QUOTES: Final = re.escape(OPENERS)
_OBJECT: Final = re.compile(
    rf"\{{{_BEFORE}(?:[{_QUOTES}}}\\{{…]|\.\.\.|&[\w#]{{2,5}};|(?:[^\W\d]|[$@])[^\n:{{}}\[\],\"]{{0,60}}?[\"']?\s*[:=]"
    rf"|[^\W\d]\w{{0,60}}\s+[\"'“‘]|\d\w{{0,60}}\s*:|-?\d[\d.]*\s*[,}}]|\Z)",
    re.DOTALL,
)
_HEADING: Final = (
    r"\[?[ \t]{0,8}#[^\n\[\]]{0,80}\]"  # `[[ ## name ## ]]`: brackets around what would be a comment alone
)
_ARRAY: Final = re.compile(
    rf"\[(?!{_HEADING}){_BEFORE}(?:[{_QUOTES}{{\[\]\\(+.-]|&[\w#]{{2,5}};|\d|(?:true|false|null|True|False|None|NaN)\b"
    rf"|\w[^\[\]{{}}\n]{{0,80}},|{KEYWORDS}|\Z)",
    re.DOTALL,
)
_SPACE: Final = re.compile(r"\s*")
_LINE: Final = 300  # characters of the prose before a candidate that are kept


class Extractor:
    """Takes a reply in pieces and finds the parts of it that may be the answer.

    Args:
        target: what the answer is declared to be.
        bounds: what a reply may hold.
        base: offset of the text in the reply.
        reader: makes a reader of one candidate.
    """

    def __init__(
        self,
        target: Target,
        bounds: Bounds = DEFAULT,
        base: int = 0,
        reader: Callable[[Shape, int, Bounds], JsonReader] = JsonReader,
    ) -> None:
        self.target = target
        self._new_reader = reader
        self.bounds = bounds
        self.found: list[Found] = []
        self.reasoning: list[Span] = []
        self.reader: JsonReader | None = None
        self.latest: JsonReader | None = None
        self.too_long = False
        self._pieces: list[str] = []
        self._length = 0
        self._buf = ""
        self._base = base
        self._eof = False
        self._full = False  # a bound is met: no more candidates
        self._thinking = -1  # where open reasoning began
        self._fence = ""  # the sign that closes the open fence
        self._line = ""  # the prose right before
        self._blank = True  # whether nothing but white space came so far
        self._lead = ""
        self._taken = -1  # where the last candidate ended

    @property
    def text(self) -> str:
        """The whole text so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def feed(self, text: str) -> None:
        """Takes the next piece."""
        self._length += len(text)
        if self._length > self.bounds.chars:
            self.too_long = True
            return
        self._pieces.append(text)
        reader = self.reader
        if reader is None:
            self._buf += text
        else:
            reader.feed(text)
            if not reader.done:
                return
            self._take()
        self._scan()

    def forget(self) -> None:
        """Drops the text so far, which only `text` needs."""
        self._pieces.clear()

    def read(self, text: str) -> None:
        """Takes the whole text: the same as `feed` and then `close`, but known to be all from the beginning."""
        self._eof = True
        self.feed(text)
        self.close()

    def close(self) -> None:
        """Ends the text."""
        self._eof = True
        self._end_reader()
        self._scan()
        if self._thinking >= 0:
            self._unclosed()

    # ---- scanning prose ----

    def _scan(self) -> None:
        at = 0
        while self.reader is None:
            found = (_TAG if self._full else _SIGN).search(self._buf, at)
            if found is None:
                held = _PARTIAL.search(self._buf, max(at, len(self._buf) - HELD))
                self._drop(len(self._buf) if held is None or self._eof else max(at, held.start()))
                return
            if not self._eof and len(self._buf) - found.start() < AHEAD and not self._certain(found):
                self._drop(found.start())
                return
            at = self._sign(found)
            if self.reader is not None:
                return

    def _sign(self, found: re.Match[str]) -> int:
        """Handles one sign; returns where to go on in the buffer."""
        sign = found[0]
        if _TAG.fullmatch(sign):
            self._tag(found)
        elif self._thinking >= 0:
            pass
        elif sign[0] in "`~":
            return self._fenced(found)
        elif sign == "(":
            name = _NAME.search(self._before(found.start()))
            called = name is not None and not name["defined"]
            if name is not None and called and not self._full and self._is_declared(found["key"]):
                return self._begin(found.start() - len(name["name"]))
        elif not self._full and self._begins(found):
            return self._begin(found.start())
        return found.end()

    def _begins(self, found: re.Match[str]) -> bool:
        if found[0] == "[" and self._before(found.start()).endswith("<![CDATA"):
            return False
        if found[0] == '"':
            return not self.found and self._is_alone(found.start())
        return begins(self._buf, found.start())

    def _before(self, at: int) -> str:
        """What stands right before a place in the buffer, on the same line at least."""
        return (self._line + self._buf[:at])[-_LINE:] if at < _LINE else self._buf[at - _LINE : at]

    def _is_alone(self, at: int) -> bool:
        """Whether nothing is said before what begins here, but for the line that opens its fence."""
        if self._blank and _SPACE.fullmatch(self._buf, 0, at):
            return True
        line = self._before(at).rstrip().rpartition("\n")[2]
        return self._fence != "" and FENCE_LINE.fullmatch(line) is not None

    def _is_declared(self, key: str) -> bool:
        """Whether the answer, or an item of it, has this key."""
        root = self.target.root
        shapes = [shape.named or shape for shape in (root, root.items) if shape.takes_members]
        return any(key in shape.properties or fold(key) in shape.folded_keys for shape in shapes)

    def _certain(self, found: re.Match[str]) -> bool:
        """Whether what this sign begins does not depend on text that is still to come."""
        if found[0] == "[":
            tail = self._buf[found.start() : found.start() + _LONGEST_MARK].lower()
            if any(mark.startswith(tail) for mark in _BRACKETED):
                return False
        if found[0] == '"':
            return _IN_QUOTES.match(self._buf, found.start()) is not None
        if self._thinking >= 0 or found[0][0] in "<◁(" or (len(found[0]) > 1 and found[0][0] == "["):
            return True
        if found[0][0] in "`~":
            return "\n" in self._buf[found.end() : found.start() + AHEAD]
        ahead = self._buf[found.start() : found.start() + AHEAD]
        begins = _OBJECT if found[0] == "{" else _ARRAY
        return all(begins.match(ahead + more) for more in ("\0", "a\0", "=\0", "#]\0"))

    def _drop(self, count: int) -> None:
        gone = self._buf[:count]
        if gone:
            self._line = (self._line + gone)[-_LINE:]
            self._blank = self._blank and not gone.strip()
        self._buf = self._buf[count:]
        self._base += count

    def _tag(self, found: re.Match[str]) -> None:
        at = self._base + found.start()
        if not _CLOSES.match(found[0]):
            if self._thinking < 0:
                self._thinking = at
            return
        start = self._thinking
        if start < 0:
            # A closing tag alone: the template opened the reasoning, and all so far was part of it.
            start = self.reasoning[-1].end if self.reasoning else 0
            self.found = [each for each in self.found if each.end <= start]
        self.reasoning.append(Span(start, self._base + found.end()))
        self._thinking = -1
        self._fence = ""

    def _fenced(self, found: re.Match[str]) -> int:
        if self._fence and found[0].startswith(self._fence):
            self._fence = ""
            return found.end()
        self._fence = found[0]
        said = self._buf[found.end() : found.start() + AHEAD].partition("\n")[0]
        return found.end() + (0 if "{" in said or "[" in said else len(said))

    def _unclosed(self) -> None:
        """Reasoning that never ended: what closes the text may still be the answer."""
        start, self._thinking = self._thinking, -1
        text = self.text
        if not self.found:
            self._buf, self._base = text[start + 1 :], start + 1
            self._line = ""
            self._scan()
            self.found = [each for each in self.found if not text[each.end :].strip(" \t\r\n`") and not each.cut]
            for each in self.found:
                each.unclosed = True
        end = self.found[0].start if self.found and self.found[0].unclosed else len(text)
        self.reasoning.append(Span(start, end))

    # ---- reading ----

    def _begin(self, start: int) -> int:
        self._drop(start)
        follows = self.found and self._base == self._taken + len(self._line)
        if not (follows and (BETWEEN.fullmatch(self._line) or self._is_one_more(self._line))):
            self._lead = lead_of(self._line)
        self.reader = self.latest = self._new_reader(self.target.root, self._base, self.bounds)
        self.reader.eof = self._eof
        text, self._buf = self._buf, ""
        self._read(text)
        self._end_reader()
        return 0

    def _is_one_more(self, between: str) -> bool:
        """Whether an example stands before this on the same line, and nothing says that this is none."""
        return "\n" not in between and word_of(self._lead) < 0 and not word_of(between)

    def _end_reader(self) -> None:
        """Ends the reader with the text."""
        if self._eof and self.reader is not None:
            self.reader.close()
            self._take()

    def _read(self, text: str) -> None:
        reader = self.reader
        if reader is None:
            return
        reader.feed(text)
        if reader.done:
            self._take()

    def _take(self) -> None:
        """The reader is done: its value is a candidate, and the prose goes on behind it."""
        reader, self.reader = self.reader, None
        if reader is None:
            return
        end = reader.base + reader.pos if reader.done and not reader.was_cut else reader.base + len(reader.buf)
        self._buf = reader.rest if reader.done and not reader.was_cut else ""
        self._base = end
        self._line = ""
        self._taken = end
        self._full = self._full or reader.gave_up or len(self.found) + 1 >= self.bounds.candidates
        if reader.root is not None:
            found = Found(reader.root, bool(self._fence), reader.was_cut, self._lead, end, mended=reader.noted > 0)
            self.found.append(found)


def begins(text: str, at: int) -> bool:
    """Whether the bracket at a place plausibly begins a JSON value."""
    return bool((_OBJECT if text[at] == "{" else _ARRAY).match(text[at : at + AHEAD]))
