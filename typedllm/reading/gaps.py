"""Gaps: what stands between two strings or numbers of a document, where it can be read without a look around.

A gap holds brackets, commas, colons, literals and keys without quotes. It is clean when each deviation from JSON in it
is settled by the gap alone; then it is known as JSON, with the places of its brackets and of what was mended. A
document has few different gaps, so each is read once. A run is what stands between two strings: gaps, with numbers
between them. Runs that differ in digits alone are alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import compress
from typing import Final, Literal, NamedTuple, TypeAlias

from typedllm.reading.ends import verdict
from typedllm.reading.fixes import NOTATION
from typedllm.reading.strings import AHEAD, Behind, Place

_S: Final = r"[ \t\n\r]"
_PIECE: Final = re.compile(
    rf"(?P<space>{_S}{{1,64}}+(?!{_S}))|(?P<key>[^\W\d]\w{{0,60}})(?={_S}{{0,8}}:)"
    r"|(?P<literal>true|false|null|True|False|None)(?=[ \t\r]*[\n,}\]])|(?P<sign>[{}\[\],:])"
)
_COLON: Final = re.compile(rf"{_S}{{0,8}}:")
NUMBER: Final = (
    r"[0-9-](?:(?<=-)(?:0|[1-9][0-9]{0,60})|(?<=[0-9])(?<!\w[0-9])(?:(?<=0)|(?<=[1-9])[0-9]{0,60}))"
    r"(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,3})?(?![\w.])"
)
_NUMBER: Final = re.compile(f"({NUMBER})")
_DIGITS: Final = re.compile("[0-9][0-9.]*")
_ALIKE: Final = str.maketrans("023456789", "111111111")
_NUMBER_ENDS: Final = re.compile(rf"{_S}*[,\]}}]|[ \t\r]*\n")
_CLOSES: Final = re.compile(rf"{_S}*[}}\]]")
_SURELY_CLOSES: Final = re.compile(rf"{_S}*[}}\]][ \t\r]*(?:[\n,}}\])]|(\Z))")
_FOREIGN: Final = {"True": "true", "False": "false", "None": "null"}
_FOLLOWERS: Final[tuple[tuple[Place, str], ...]] = (("member", '"k": 1,'), ("item", '"k", 1,'))
LONGEST: Final = 400
"""Characters of the longest gap that is looked at."""

Before: TypeAlias = Literal["value", "key", "open", "comma", "colon"]


class Mark(NamedTuple):
    """A bracket of a gap, or a fix by its kind: its place in the gap, and in its JSON; of a closing bracket, its end."""

    what: str
    at: int
    to: int


class Gap(NamedTuple):
    """A gap, read.

    Attributes:
        json: it as JSON.
        marks: its brackets and fixes, in order.
        after_key: whether what stands before it is a key.
        blank: whether it is white space: then a comma is missing.
        brackets: its brackets, in order.
        fixes: the kinds of its fixes, in order.
        counted: how many of these are held against the bound.
    """

    json: str
    marks: tuple[Mark, ...]
    after_key: bool
    blank: bool
    brackets: str
    fixes: tuple[str, ...]
    counted: int


@lru_cache(maxsize=4096)
def gap(text: str) -> Gap | None:
    """The gap between two strings or numbers; None when it is not clean."""
    if len(text) > LONGEST or not _left_ends(text):
        return None
    scan = _Scan(text, "value")
    return scan.gap() if scan.end == len(text) and scan.join() else None


@lru_cache(maxsize=256)
def opening(text: str) -> Gap | None:
    """The gap between the opening bracket of a container, which it includes, and the first string or number."""
    scan = _Scan(text, "colon")
    return scan.gap() if scan.end == len(text) <= LONGEST and scan.join() else None


def alike(text: str) -> str:
    """A text with all its digits the same."""
    return text.translate(_ALIKE)


@lru_cache(maxsize=4096)
def run(text: str) -> Gap | None:
    """What stands between two strings, which may hold numbers without a leading zero; None when it is not clean."""
    pieces = _pieces(text)
    return _joined(pieces, [*map(gap, pieces[::2])])


@lru_cache(maxsize=256)
def beginning(text: str) -> Gap | None:
    """The same between the opening bracket of a container, which it includes, and the first string."""
    pieces = _pieces(text)
    return _joined(pieces, [opening(pieces[0]), *map(gap, pieces[2::2])])


def ending(text: str, reply: str, end: int) -> Gap | None:
    """The same between the last string of a container and the bracket that closes it.

    Args:
        text: what stands there, the closing bracket included.
        reply: the whole text.
        end: where the container ends in it.
    """
    pieces = _pieces(text)
    at = end - len(pieces[-1])
    found = tail(reply[at : at + LONGEST], at + LONGEST >= len(reply))
    marks = found[0].marks if found else ()
    closes = next((index for index, mark in enumerate(marks) if mark.at == end - at and mark.what in "}]"), -1)
    if found is None or closes < 0:
        return None
    closed = _made(found[0].json[: marks[closes].to], marks[: closes + 1], found[0].after_key)
    return _joined(pieces, [*map(gap, pieces[:-1:2]), closed])


def _pieces(text: str) -> list[str]:
    """Gaps and numbers by turns; a text that is too long for that is in one piece."""
    return _NUMBER.split(text) if len(text) <= LONGEST else [text]


def _joined(pieces: list[str], gaps: list[Gap | None]) -> Gap | None:
    """Gaps with the numbers between them; None when one is not clean.

    A number is no key, nor does it tell that the string before it ends when no comma stands between.
    """
    found = [each for each in gaps if each is not None]
    if len(found) < len(gaps) or (found[0].blank and len(gaps) > 1) or any(each.after_key for each in found[1:]):
        return None
    if len(pieces) == 1:
        return found[0]
    json, at, marks = "", 0, list[Mark]()
    for each, written, number in zip(found, pieces[::2], [*pieces[1::2], ""], strict=True):
        marks += [Mark(mark.what, mark.at + at, mark.to + len(json)) for mark in each.marks]
        json += each.json + number
        at += len(written) + len(number)
    return _made(json, tuple(marks), found[0].after_key)


def _made(json: str, marks: tuple[Mark, ...], after_key: bool, blank: bool = False) -> Gap:
    kinds = [mark.what for mark in marks]
    brackets = "".join(each for each in kinds if len(each) == 1)
    fixes = tuple(each for each in kinds if len(each) > 1)
    return Gap(json, marks, after_key, blank, brackets, fixes, sum(each not in NOTATION for each in fixes))


def filled(texts: list[str], shapes: list[str], mends: Mapping[str, Gap]) -> list[str]:
    """Runs as JSON.

    Args:
        texts: as they are written.
        shapes: the same with all digits alike.
        mends: those of these that are not JSON as they stand.
    """
    done = [*map({each: found.json for each, found in mends.items()}.get, shapes, texts)]
    forms = {each: _form(each, found.json) for each, found in mends.items() if "1" in each}
    if forms:
        for index in compress(range(len(texts)), map(forms.__contains__, shapes)):
            text = texts[index]
            first, rest = forms[shapes[index]]
            done[index] = first + "".join([text[start:end] + said for start, end, said in rest])
    return done


@lru_cache(maxsize=1024)
def _form(shape: str, json: str) -> tuple[str, list[tuple[int, int, str]]]:
    """What becomes of a run: what it begins with, and where each number stands in it, with what comes behind that."""
    first, *rest = _DIGITS.split(json)
    return first, [(*found.span(), said) for found, said in zip(_DIGITS.finditer(shape), rest, strict=True)]


@lru_cache(maxsize=256)
def tail(text: str, ends: bool, opens: bool = False) -> tuple[Gap, int] | None:
    """The clean part of a gap that is not clean as a whole, with its length.

    Args:
        text: the gap, and what follows it.
        ends: whether the reply ends with the text.
        opens: whether a container begins with it.
    """
    if not opens and not (_COLON.match(text) or _left_ends_before(text, ends)):
        return None
    scan = _Scan(text[:LONGEST], "colon" if opens else "value")
    return (scan.gap(), scan.end) if scan.marks else None


def _left_ends(text: str) -> bool:
    """Whether a string or a number ends before a gap, whatever container they stand in."""
    if _COLON.match(text):
        return True
    if not _NUMBER_ENDS.match(text) or (_CLOSES.match(text) and not _SURELY_CLOSES.match(text + '"')):
        return False
    return all(verdict(Behind((text + then)[:AHEAD], False), place, 0, "]}") == "ends" for place, then in _FOLLOWERS)


def _left_ends_before(text: str, ends: bool) -> bool:
    if not _NUMBER_ENDS.match(text):
        return False
    if _CLOSES.match(text):
        sure = _SURELY_CLOSES.match(text)
        if sure is None or (sure[1] is not None and not ends):
            return False
    behind = Behind(text[:AHEAD], ends or len(text) >= AHEAD)
    return all(verdict(behind, place, 0, "]}") == "ends" for place in ("member", "item"))


class _Scan:
    """Reads a gap piece by piece, as far as it is clean.

    Args:
        text: the gap.
        before: what stands before it.

    Attributes:
        marks: see `Gap`.
        end: how far it is clean.
    """

    def __init__(self, text: str, before: Before) -> None:
        self.marks: list[Mark] = []
        self.end = 0
        self._text = text
        self._after_key = before == "value" and _COLON.match(text) is not None
        self._before: Before = "key" if self._after_key else before
        self._json = ""
        self._since = 0  # where the last piece ended
        while (found := _PIECE.match(text, self.end)) and self._take(found.lastgroup or "", found[0]):
            self.end = found.end()

    def gap(self) -> Gap:
        """What was read."""
        return _made(self._json, tuple(self.marks), self._after_key, self._text.isspace())

    def join(self) -> bool:
        """Whether a value or a key may follow; a missing comma before it is supplied."""
        if self._before == "value":
            if "\n" not in self._text[self._since : self.end]:
                return False
            self._mark("missing_comma")
            self._json += ","
        return self._before != "key"

    def _take(self, kind: str, text: str) -> bool:
        if kind == "space":
            self._json += text
            return True
        taken = self._sign(text) if kind == "sign" else self.join() and self._word(kind, text)
        self._since = self.end + len(text)
        return taken

    def _word(self, kind: str, text: str) -> bool:
        if kind == "key" or text in _FOREIGN:
            self._mark("unquoted_key" if kind == "key" else "literal_style")
        self._json += f'"{text}"' if kind == "key" else _FOREIGN.get(text, text)
        self._before = "key" if kind == "key" else "value"
        return True

    def _sign(self, sign: str) -> bool:
        if sign in "{[":
            if not self.join():
                return False
            self._mark(sign)
            self._before = "open"
        elif sign in "}]":
            if self._before in ("key", "colon"):
                return False
            if self._before == "comma":
                self._drop_comma()
            self.marks.append(Mark(sign, self.end + 1, len(self._json) + 1))
            self._before = "value"
        elif self._before != ("value" if sign == "," else "key"):
            return False
        else:
            self._before = "comma" if sign == "," else "colon"
        self._json += sign
        return True

    def _drop_comma(self) -> None:
        """A comma before a closing bracket: only spaces stand behind it."""
        kept, _, spaces = self._json.rpartition(",")
        self._json = kept + spaces
        self.marks.append(Mark("trailing_comma", self._text.rindex(",", 0, self.end), len(kept)))

    def _mark(self, what: str) -> None:
        self.marks.append(Mark(what, self.end, len(self._json)))
