"""Other readings of a broken text: the plain JSON that stands one character away from it.

Text that lost or gained one character has few such neighbours, and they differ from it near the place where a strict
parser fails. When they all say one thing, that is what the text says; when they say several, it is not clear.

To try each change of one character at the failure is the first stage of Burke and Fisher, "A practical method for LR
and LL syntactic error diagnosis and recovery", ACM TOPLAS 9 (1987).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Member, Node

_BEFORE: Final = 16
_AFTER: Final = 6
_STRETCH: Final = 600
_SPACES: Final = " \t\r\n"
_PARSE: Final = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode
_CLOSING: Final = " \t\r\n}])`~"
_OTHER_QUOTES: Final = "'`´“”„‟«»＂"
_SIGNS: Final = re.compile(rf'[{{}}\[\],:"\\\n{_OTHER_QUOTES}]')
_MORE: Final = re.compile(r'\s*[,:"}\]]')
_OPENS: Final = re.compile(r"[,:{\[]\s*\Z")
_OUTLINE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)
_ENDED: Final = re.compile(r'["}\]\w]')
_BEGUN: Final = re.compile(r'["{\[\w-]')
_FITS: Final = {
    ",": (_ENDED, _BEGUN),
    ":": (re.compile('"'), _BEGUN),
    "}": (re.compile(r'["{}\]\w]'), re.compile(r"[,}\]]?")),
    "]": (re.compile(r'["\[}\]\w]'), re.compile(r"[,}\]]?")),
    "{": (re.compile(r"[:,\[]?"), re.compile(r'["}]')),
    "[": (re.compile(r"[:,\[]?"), re.compile(r'["{\[\]\w-]')),
}
"""Between which two signs a sign of structure can stand."""
_CLOSES: Final = re.compile(r"\s*[,:}\]]")
_PUT_IN: Final = {
    '"': "missing_quote", ",": "missing_comma", ":": "missing_colon", "\\": "unescaped_quote",
    "}": "missing_closer", "]": "missing_closer", "{": "missing_opener", "[": "missing_opener",
}  # fmt: skip
_TAKEN_OUT: Final = {
    ",": "extra_comma", "}": "extra_closer", "]": "extra_closer", "{": "extra_opener", "[": "extra_opener",
    '"': "extra_quote", ":": "stray_sign", "\\": "stray_sign",
}  # fmt: skip
PLAIN: Final = frozenset({
    "trailing_comma", "extra_comma", "comment", "literal_style", "number_style", "space", "escape_style",
    "invalid_escape", "raw_control", "quote_style", "repeated_key", "repeated_key_differs", "json_lines",
    "escaped_quotes", "concatenation", "call", "tuple", "unclear_escape",
})  # fmt: skip
"""Fixes and faults of syntax that no other reading competes with."""


class Mend(NamedTuple):
    """One character put in, taken out, or put in the place of another.

    Attributes:
        at: where, in the text.
        new: the character that is missing; "" where one is too many.
        old: the character that is too many; "" where one is missing.
        doubt: 0 likely; 1 less so: an opening bracket; 2 unlikely: structure of the document is explained away.
    """

    at: int
    new: str
    old: str = ""
    doubt: int = 0

    def applied(self, text: str) -> str:
        """The text with the change."""
        return text[: self.at] + self.new + text[self.at + len(self.old) :]

    @property
    def growth(self) -> int:
        """By how much the text becomes longer."""
        return len(self.new) - len(self.old)

    def note(self, base: int) -> Note:
        """The change as a fix; `base` is where the text begins in the reply."""
        kind = "quote_style" if self.new and self.old else _PUT_IN.get(self.new) or _TAKEN_OUT[self.old]
        return Note(kind, base + self.at, base + self.at + len(self.old), self.new)


class Rival(NamedTuple):
    """JSON that is one change away."""

    mend: Mend
    json: str


def goes_on(text: str, end: int) -> bool:
    """Whether what follows a value that ended here looks like more of the document that it is a part of."""
    return _MORE.match(text, end) is not None


def rivals(text: str, least: int, bounds: Bounds = DEFAULT) -> list[Rival]:
    """The JSON texts that are one character away from a text that is no JSON, one for each value.

    Args:
        text: begins with the value.
        least: how many characters of it the value takes up at least.
        bounds: `rivals` bounds the characters that are parsed.

    Returns:
        The likely ones; the unlikely ones (`Mend.doubt` 2) only where there is no other.
    """
    failure = _failure(text)
    if failure is None:
        return []
    start, opening = _outline(text, max(0, failure - _STRETCH))
    left = bounds.rivals
    found: dict[str, Rival] = {}
    for mend in sorted(_mends(text, start, failure), key=lambda mend: mend.doubt):
        if mend.doubt > 1 and found:
            break
        mended = mend.applied(text)
        try:
            value, end = _PARSE(opening + mended[start:])
        except (ValueError, RecursionError):
            continue
        left -= len(mended)
        if left < 0:
            return []  # what was not compared cannot be judged
        end += start - len(opening)
        if end < least + mend.growth or end <= mend.at or goes_on(mended, end):
            continue
        found.setdefault(json.dumps(value), Rival(mend, mended[:end]))
    return list(found.values())


def _failure(text: str) -> int | None:
    """How far a strict parser comes; None when it comes to the end of a value, with nothing of JSON behind it."""
    try:
        end = _PARSE(text)[1]
    except json.JSONDecodeError as error:
        return error.pos
    except RecursionError:
        return None
    return end if goes_on(text, end) else None


def _outline(text: str, before: int) -> tuple[int, str]:
    """A place between two parts of the document, at most this far in, and JSON that stands for all before it.

    What comes before that place is JSON and is read once, not for each change behind it.
    """
    open_, place, around = list[str](), 0, list[str]()
    for found in _OUTLINE.finditer(text, 0, before):
        sign = found[0]
        if sign == ",":
            place, around = found.end(), open_.copy()
        elif sign in "{[":
            open_.append(sign)
        elif sign in "}]" and open_:
            open_.pop()
    if not place:
        return 0, ""
    signs = [*around, ""]
    inner = "".join(sign + '"":' * (sign == "{" and signs[index + 1] != "") for index, sign in enumerate(around))
    return place, inner + ('"":0,' if around[-1:] == ["{"] else "0,")


def _mends(text: str, start: int, failure: int) -> Iterator[Mend]:
    """The changes that could make JSON of the text: each at a sign of structure near the failure."""
    places = [found.start() for found in _SIGNS.finditer(text, max(start, failure - _STRETCH), failure + _STRETCH)]
    behind = next((index for index, at in enumerate(places) if at >= failure), len(places))
    near = sorted({*places[max(0, behind - _BEFORE) : behind + _AFTER], failure})
    for at in near:
        sign = text[at : at + 1]
        if sign and sign in '{}[],:"\\':
            yield Mend(at, "", sign, _doubt_of_stray(text, at, sign))
        if sign == '"':
            yield Mend(at, "\\", doubt=2 * _is_structure(text, at))
        elif sign and sign in _OTHER_QUOTES:
            yield Mend(at, '"', sign)
    gaps = {gap for place in near for gap in _gaps(text, place)}
    for at in sorted(gap for gap in gaps if gap >= start):
        if text[at - 1 : at].isalnum() and text[at : at + 1].isalnum():
            continue  # the middle of a word or number
        before, after = text[max(0, at - _STRETCH) : at].rstrip()[-1:], text[at : at + _STRETCH].lstrip()[:1]
        for sign, (behind_it, ahead_of_it) in _FITS.items():
            if behind_it.fullmatch(before) and ahead_of_it.fullmatch(after):
                yield Mend(at, sign, doubt=int(sign in "{["))
        yield Mend(at, '"', doubt=0 if _may_open(text, at) or _may_close(text, at) else 2)


def _gaps(text: str, at: int) -> Iterator[int]:
    """Where a character may be missing around a sign: at it, behind it, and beyond the white space there."""
    yield at
    yield at + 1
    yield at + 1 + _spaces(text[at + 1 : at + 1 + _STRETCH])
    yield at - _spaces(text[max(0, at - _STRETCH) : at][::-1])


def _spaces(text: str) -> int:
    return len(text) - len(text.lstrip(_SPACES))


def _doubt_of_stray(text: str, at: int, sign: str) -> int:
    if sign == '"':
        return 0 if _is_doubled(text, at) else 2
    if text[at - 1 : at].isalnum() and text[at + 1 : at + 2].isalnum():
        return 2  # what it divides would become one
    return 1 if sign in "{[" or (sign in "}]" and text[at:].strip(_CLOSING)) else 0


def _may_open(text: str, at: int) -> bool:
    """Whether a quote here could be one that opens a string."""
    before, after = text[at - 1 : at], text[at : at + 1]
    if not after.strip() or not (before in ",:{[" or before.isspace()):
        return False
    listed = text[max(0, at - _STRETCH) : at].rstrip()[-1:] != ":"
    return not (listed and "," in text[at : at + _STRETCH].partition('"')[0])


def _may_close(text: str, at: int) -> bool:
    """Whether a quote here could be one that closes a string."""
    before, after = text[at - 1 : at], text[at : at + 1]
    if not before.strip() or before in "”‟»＂" or (before in ",:{[" and after.isspace()):
        return False
    opener = text.rfind('"', max(0, at - _STRETCH), at)
    listed = text[max(0, opener - _STRETCH) : max(0, opener)].rstrip()[-1:] != ":"
    return (not after.strip() or after in ",:}]") and not (listed and "," in text[opener + 1 : at])


def _is_doubled(text: str, at: int) -> bool:
    return '"' in (text[at - 1 : at], text[at + 1 : at + 2])


def _is_structure(text: str, at: int) -> bool:
    """Whether a quote stands where one of the document's own would."""
    if _is_doubled(text, at):
        return not text[max(0, at - 2) : at].rstrip('"')[-1:].isdecimal()  # behind a number it may stand for inches
    return bool(_CLOSES.match(text, at + 1) or _OPENS.search(text[max(0, at - 8) : at]))


def shift(node: Node, mend: Mend, base: int) -> None:
    """Puts a tree that was read out of the changed text where its parts stand in the reply."""
    turn, by = base + mend.at, -mend.growth
    stack = [node]
    while stack:
        node = stack.pop()
        node.start += by * (node.start > turn)
        node.end += by * (node.end > turn)
        if node.notes:
            node.notes = [
                note._replace(start=note.start + by * (note.start > turn), end=note.end + by * (note.end > turn))
                for note in node.notes
            ]
        if node.kind == "object":
            node.value = [Member(key, inner, start + by * (start > turn)) for key, inner, start in node.members]
            stack.extend(member.node for member in node.members)
        elif node.kind == "array":
            stack.extend(node.items)


def attach(node: Node, note: Note) -> None:
    """Notes something at the innermost part that stands around its place."""
    while True:
        parts = (
            [member.node for member in node.members]
            if node.kind == "object"
            else node.items
            if node.kind == "array"
            else []
        )
        inner = next((part for part in parts if part.start < note.start < part.end), None)
        if inner is None:
            node.note(note)
            return
        node = inner
