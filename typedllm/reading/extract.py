"""Finding the answer in a reply: reasoning, fences and prose are told from the parts that may be the answer.

The text is scanned from left to right, once. Where a container plausibly begins, a reader takes over until it closes;
so brackets inside strings do not count, and an inner object never stands for its broken outer one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from typedllm.reading.bare import KEYWORDS
from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.escaped import unescaped
from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node
from typedllm.reading.prefixed import unprefixed
from typedllm.reading.reader import JsonReader
from typedllm.reading.seams import reopened
from typedllm.reading.strings import OPENERS
from typedllm.reading.target import Shape, Target
from typedllm.reading.words import fold
from typedllm.records import Span

_AHEAD: Final = 160
_UNESCAPED: Final = 5
_KEYWORD: Final = r"\s{0,8}(?P<key>[^\W\d]\w{0,60})\s{0,8}"
_DEFINES: Final = r"(?:def|function|func|fun|fn|class)\s{1,8}"
_NAME: Final = re.compile(rf"(?<![\w.])(?P<defined>{_DEFINES})?(?P<name>[^\W\d][\w.]{{0,60}})\Z")
_TAG_NAMES: Final = r"think|thinking|thought|thoughts|reasoning|reason|scratchpad|analysis|reflection"
_MARK: Final = (
    rf"<(?i:\|?/?(?:[\w-]{{1,20}}:)?(?:(?:start|begin|end)_(?:of_)?)?(?:{_TAG_NAMES})\b[^<>{{\[`~\n]{{0,40}}>)"
    r"|\[(?i:/?(?:think|thinking|thought|reasoning)\])|◁(?i:/?(?:think|thinking)▷)"
)
_SIGN: Final = re.compile(  # each form begins with one sign, by which a search passes over prose at once
    rf"{_MARK}|\{{|\[|```(?:`{{0,37}})|~~~(?:~{{0,37}})|\((?={_KEYWORD}=[^=])|\"(?=(?:\s|\\[nt]){{0,40}}+[{{\[])"
)
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
_AGAIN: Final = 4  # how often the text may be read again in search of JSON
_HELD: Final = 128  # how far back a sign may have begun that the end of the text so far has cut
_LINE: Final = 300  # characters of the prose before a candidate that are kept
_CLOSERS: Final = re.compile(r"\s*[}\])][}\])\s]*")
_FIRST_KEY: Final = re.compile(r"[\"'“]?([^\"'”:{}\n]{1,80})[\"'”]?\s*:")
_LINE_KEY: Final = re.compile(r"^[ \t]*[\"“]([^\"”:{}\n]{1,80})[\"”][ \t]*:", re.MULTILINE)
_REFERENCE: Final = re.compile(r"\[[0-9]{1,4}(?:(?:,\s*|[–-])[0-9]{1,4})*\]")
_OPERATOR_BEFORE: Final = re.compile(
    r"(?:[=!]=|^[ \t]*for[ \t][\w, ()]{1,60}[ \t]in|^[ \t]*(?:(?:const|let|var)[ \t]+)?[\[{(][^\n=]{0,100}[\]})][ \t]*=)[ \t]*\Z",
    re.MULTILINE,
)
_OPERATOR_BEHIND: Final = re.compile(r"\s*\??\.[^\W\d]\w{0,60}\(|[ \t]*=(?![=>])|[ \t)]*[=!]=")
_TUPLE: Final = re.compile(r"\s*(?P<tuple>\(\s*[\"'0-9+.({\[-].*\))\s*", re.DOTALL)
_NEXT_TAG: Final = re.compile(r"</(?P<name>\w[\w.:-]{0,40})>\s*,?\s*<(?P=name)(?:\s[^<>\n]{0,60})?>")
_BULLET: Final = re.compile(r"(?:\A|[,;]?\s*\n)\s*(?:[-*•]|[0-9]{1,3}[.)])[ \t]+\Z")
_ITEMS: Final = ('"', *"-0123456789")
_BETWEEN: Final = re.compile(r"[\s,;]*")
_NEXT_FENCE: Final = re.compile(r"\s*(?P<fence>`{3,}|~{3,})[\s,;]*(?P=fence)[\w+.#-]*\s*")
_FINAL: Final = re.compile(
    r"\b(?:final|corrected|correction|fixed|revised|updated|actual|actually)\b|\banswer\b|\bresult\b", re.IGNORECASE
)
_MARKUP: Final = re.compile(r"</?\w[^<>\n]{0,60}>")
_FENCE_LINE: Final = re.compile(r"[ \t]*(?:`{3,}|~{3,})[\w+.# -]*")
_EXAMPLE: Final = re.compile(
    r"\b(?:example|e\.g\.|for instance|such as|format|schema|template|draft|wrong|incorrect|invalid|instead of|not)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Found:
    """A part of the reply that may be the answer.

    Attributes:
        node: what was read.
        fenced: whether it stands in a fence.
        cut: whether the end of the text cut it.
        lead: the line before it, and the one before that.
        end: offset after it.
        mended: whether it is not JSON as it stands.
        unclosed: whether it stands in reasoning that never ended.
        closed_more: whether brackets behind it close more than it opened.
    """

    node: Node
    fenced: bool
    cut: bool
    lead: str
    end: int
    unclosed: bool = False
    mended: bool = False
    closed_more: bool = False

    @property
    def start(self) -> int:
        """Offset of its first character."""
        return self.node.start

    @property
    def word(self) -> int:
        """What the words before it say: 1 that it is the answer, -1 that it is not, 0 neither."""
        return _said(self.lead)

    @property
    def mark(self) -> int:
        """How strongly the text marks it as the answer."""
        return 2 * self.word + self.fenced


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
                held = _PARTIAL.search(self._buf, max(at, len(self._buf) - _HELD))
                self._drop(len(self._buf) if held is None or self._eof else max(at, held.start()))
                return
            if not self._eof and len(self._buf) - found.start() < _AHEAD and not self._certain(found):
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
            name = _NAME.search(self._buf[max(0, found.start() - _AHEAD) : found.start()])
            called = name is not None and not name["defined"]
            if name is not None and called and not self._full and self._is_declared(found["key"]):
                return self._begin(found.start() - len(name["name"]))
        elif not self._full and self._begins(found):
            return self._begin(found.start())
        return found.end()

    def _begins(self, found: re.Match[str]) -> bool:
        if found[0] == '"':
            return not self.found and self._is_alone(self._buf[: found.start()])
        return begins(self._buf, found.start())

    def _is_alone(self, before: str) -> bool:
        """Whether nothing is said before what begins here, but for the line that opens its fence."""
        if self._blank and not before.strip():
            return True
        line = (self._line + before)[-_LINE:].rstrip().rpartition("\n")[2]
        return self._fence != "" and _FENCE_LINE.fullmatch(line) is not None

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
        if self._thinking >= 0 or found[0][0] in '<◁"(' or (len(found[0]) > 1 and found[0][0] == "["):
            return True
        if found[0][0] in "`~":
            return "\n" in self._buf[found.end() : found.start() + _AHEAD]
        ahead = self._buf[found.start() : found.start() + _AHEAD]
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
        said = self._buf[found.end() : found.start() + _AHEAD].partition("\n")[0]
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
        if not (follows and (_BETWEEN.fullmatch(self._line) or self._is_one_more(self._line))):
            self._lead = _lead(self._line)
        self.reader = self.latest = self._new_reader(self.target.root, self._base, self.bounds)
        self.reader.eof = self._eof
        text, self._buf = self._buf, ""
        self._read(text)
        self._end_reader()
        return 0

    def _is_one_more(self, between: str) -> bool:
        """Whether an example stands before this on the same line, and nothing says that this is none."""
        return "\n" not in between and _said(self._lead) < 0 and not _said(between)

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


def _said(lead: str) -> int:
    example = bool(_EXAMPLE.search(lead.rpartition("\n")[2]))
    final = bool(_FINAL.search(_MARKUP.sub(" ", lead) if example else lead))
    return 1 if final else -example


def _lead(prose: str) -> str:
    """The last two lines that say something, without the one that opens a fence."""
    said = [line.strip(" \t`") for line in prose.split("\n") if line.strip() and not _FENCE_LINE.fullmatch(line)]
    return "\n".join(said[-2:])


def begins(text: str, at: int) -> bool:
    """Whether the bracket at a place plausibly begins a JSON value."""
    return bool((_OBJECT if text[at] == "{" else _ARRAY).match(text[at : at + _AHEAD]))


def is_reference(text: str, start: int, end: int) -> bool:
    """Whether a list of numbers may as well be a reference to a source, such as `[1]`."""
    return _REFERENCE.fullmatch(text, start, end) is not None


def is_operand(text: str, start: int, end: int) -> bool:
    """Whether a container is only a part of an expression or a loop in code: the answer would be what it computes."""
    before = text[max(0, start - _AHEAD) : start]
    return bool(_OPERATOR_BEHIND.match(text, end) or _OPERATOR_BEFORE.search(before))


def finish(found: list[Found], text: str, target: Target, bounds: Bounds = DEFAULT) -> list[Found]:
    """What can be said of the candidates only when the whole text is there."""
    if not found and "object" in target.root.kinds:
        found = _without_braces(text, target, bounds)
    if not found and "array" in target.root.kinds and not target.root.open:
        found = _in_parentheses(text, target, bounds)
    if "array" in target.root.kinds and not (found and not text[: found[0].start].strip()):
        found = _without_bracket(text, target, bounds) or found
    found = _without_signs(found, text, target, bounds)
    found = _without_escapes(_without_references(found, text, target), text, target, bounds)
    found = _whole(_strict_first(found, text, target, bounds), text, target, bounds)
    for each in found:
        extra = _CLOSERS.match(text, each.end)
        if extra and not each.cut:
            each.node.note(Note("extra_closer", each.end, each.end + len(extra[0].rstrip())))
            each.end += len(extra[0].rstrip())
            each.closed_more = True
    return found


def _without_references(found: list[Found], text: str, target: Target) -> list[Found]:
    """The candidates, without the operands of code, and without the references of a sentence (`see [1]`): they are none
    where texts are declared, or where there is another candidate of a declared kind.
    """
    root = target.root
    found = [each for each in found if each.cut or not is_operand(text, each.start, each.end)]
    numbers = "array" in root.kinds and not root.item(0).kinds.isdisjoint(("integer", "number"))
    alike = [each for each in found if is_reference(text, each.start, each.node.end)]
    if numbers and all(each in alike or each.node.kind not in root.kinds for each in found):
        return found
    return [each for each in found if each.fenced or each not in alike or not _is_in_sentence(each, text)]


def _is_in_sentence(each: Found, text: str) -> bool:
    before = text[max(0, each.start - _AHEAD) : each.start].rpartition("\n")[2].rstrip()
    return before != "" and before[-1] not in ":="


def _strict_first(found: list[Found], text: str, target: Target, bounds: Bounds) -> list[Found]:
    """What is JSON as it stands is read as JSON, however odd its strings are."""
    done: list[Found] = []
    left = _AGAIN * len(text)
    while found:
        each, *found = found
        end = _json_end(text, each.start) if each.mended and left > 0 else -1
        if end >= 0:
            reader = JsonReader(target.root, each.start, bounds, strict=True)
            reader.eof = True
            reader.feed(text[each.start : end])
            if reader.root is not None and reader.done and not reader.gave_up:
                swallowed = end < each.end
                left -= len(text) - end if swallowed else end - each.start
                each = Found(reader.root, each.fenced, False, each.lead, end)
                found = _rescan(text, end, target, bounds) if swallowed else found
        done.append(each)
    return done


def _whole(found: list[Found], text: str, target: Target, bounds: Bounds) -> list[Found]:
    """The candidates with what stands behind a bracket that closed the first of them too early."""
    again = reopened(found[0].node, text, target, bounds) if found and not found[0].cut else None
    if again is None:
        return found
    node, end = again
    first = Found(node, found[0].fenced, False, found[0].lead, end, mended=True)
    return [first, *(each for each in found[1:] if each.start >= end)]


def _json_end(text: str, start: int) -> int:
    """Where the JSON value that begins here ends; -1 when it is not JSON."""
    try:
        return json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return -1


def _rescan(text: str, start: int, target: Target, bounds: Bounds) -> list[Found]:
    extractor = Extractor(target, bounds, start)
    extractor.read(text[start:])
    return extractor.found


def _without_signs(found: list[Found], text: str, target: Target, bounds: Bounds) -> list[Found]:
    """The candidates, with the document whose lines have a sign before them in the place of what was made of it."""
    read = unprefixed(text, target, bounds)
    if read is None or any(each.start <= read.start < each.end and not each.mended for each in found):
        return found
    lead = _lead(text[max(0, read.start - _HELD) : read.start].rstrip("> \t"))
    others = [each for each in found if each.end <= read.start or each.start >= read.end]
    return sorted([*others, Found(read.node, False, False, lead, read.end, mended=True)], key=lambda each: each.start)


def _without_braces(text: str, target: Target, bounds: Bounds) -> list[Found]:
    """Members without the braces around them, from the first line or from one that begins with a key in quotes."""
    keys = target.root.properties
    start = len(text) - len(text.lstrip("\ufeff \t\r\n,"))
    first = _FIRST_KEY.match(text, start)
    if first is None or first[1] not in keys:
        start = next((line.start(1) - 1 for line in _LINE_KEY.finditer(text) if line[1] in keys), -1)
        if start < 0:
            return []
    body = text.rstrip()
    inside = body.rstrip("`~")
    fenced = len(body) - len(inside) > 2 and inside.rstrip(" \t").endswith("\n")
    end = len(inside.rstrip() if fenced else body)
    reader = JsonReader(target.root, start - 1, bounds)
    reader.feed("{" + text[start:end])
    if not reader.done:
        reader.feed("}")
        reader.close()
    if reader.root is None or reader.was_cut:
        return []
    reader.root.start, reader.root.end = start, end
    reader.root.note(Note("missing_opener", start, start, "{"))
    return [Found(reader.root, False, False, "", end)]


def _without_bracket(text: str, target: Target, bounds: Bounds) -> list[Found]:
    """Items without the bracket that opens their list: the request may have begun the answer with it."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if not text.startswith(_ITEMS, start) or text[end - 1 : end] != "]" or _json_end("[" + text[start:end], 0) < 0:
        return []
    reader = JsonReader(target.root, start - 1, bounds, strict=True)
    reader.eof = True
    reader.feed("[" + text[start:end])
    if reader.root is None or not reader.done or reader.gave_up or reader.rest:
        return []
    reader.root.start = start
    reader.root.note(Note("missing_opener", start, start, "["))
    return [Found(reader.root, False, False, "", end)]


def _in_parentheses(text: str, target: Target, bounds: Bounds) -> list[Found]:
    """A tuple of another language that is the whole text."""
    body = _TUPLE.fullmatch(text)
    if body is None:
        return []
    reader = JsonReader(target.root, body.start("tuple"), bounds)
    reader.eof = True
    reader.feed(body["tuple"])
    reader.close()
    if reader.root is None or reader.was_cut or reader.rest.strip():
        return []
    return [Found(reader.root, False, False, "", body.end("tuple"), mended=True)]


def _without_escapes(found: list[Found], text: str, target: Target, bounds: Bounds) -> list[Found]:
    """The candidates, the first of those whose own quotes are escaped read without the escapes."""
    done: list[Found] = []
    left = _UNESCAPED
    for each in found:
        if done and each.start < done[-1].end:
            continue
        read = unescaped(each.start, text, target, bounds) if left else None
        if read is not None:
            left -= 1
            each = Found(read.node, each.fenced, False, each.lead, read.end, each.unclosed, mended=True)
        done.append(each)
    return done


def in_a_row(found: list[Found], text: str) -> bool:
    """Whether the candidates follow each other with nothing but white space and commas between, or each in its own tag or
    fence, and all of these alike, or as the items of a list of Markdown.
    """
    between = {text[before.end : after.start].strip() for before, after in pairwise(found)}
    if len(between) == 1 and (_NEXT_TAG.fullmatch(said := next(iter(between))) or _NEXT_FENCE.fullmatch(said)):
        return True
    if _BULLET.search(text[max(0, found[0].start - _HELD) : found[0].start]):
        return all(_BULLET.fullmatch(text, before.end, after.start) for before, after in pairwise(found))
    return all(_BETWEEN.fullmatch(text, before.end, after.start) for before, after in pairwise(found))
