"""Words against the declared ones: enum members, keys, numbers, truth values and dates in other forms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from typedllm.reading.scalars import scalar

_JOINERS: Final = "\u200d\ufe0e\ufe0f"
_SEPARATORS: Final = re.compile(r"[\s_\\-]+")  # of Markdown too, which writes `a\_b`
_LONGEST: Final = 60
_AROUND_NUMBER: Final = 100
_TYPOS: Final = 3
_MARGIN: Final = 2
_AROUND: Final = " \t\r\n\"'`“”‘’*.,;:!()[]"
_BEFORE: Final = _AROUND.replace("!", "")
_THOUSANDS: Final = re.compile(r"[+-]?[0-9]{1,3}(?:([, _'’\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?(?:[0-9]{1,3}(?:[. ][0-9]{3})+|[0-9]+),[0-9]+")
_PERCENT: Final = re.compile(r"(.*?)\s*(?:%|percent|per cent)", re.IGNORECASE)
_CURRENCY: Final = re.compile(r"(?:[$€£¥₹]|US\$|[A-Z]{3})\s*(.+)|(.+?)\s*(?:[$€£¥₹]|[A-Z]{3})")
_PLAIN: Final = ("string_to_number", "thousands")
_UNIT: Final = r"(?:[^\W\d_]+(?:/[^\W\d_]+)?[²³]?|°\s?[CFK]?)"
_WITHIN: Final = re.compile(
    rf"(?:[^\W\d_][^\d:=~≈<>()\n]{{0,40}}[:=]|#)?\s*([-+]?\d(?:[\d,._' \u00a0\u202f]*\d)?)"
    rf"(?:[ \u00a0\u202f-]?{_UNIT}(?:[ -]{_UNIT}){{0,2}})?\.?"
)
_WORDS: Final = re.compile(r"[^\W\d_]+")
_QUALIFIERS: Final = frozenset(
    _WORDS.findall(
        "k m b bn mn tn thousand thousands million millions billion billions trillion trillions hundred hundreds dozen "
        "dozens lakh lakhs crore crores score grand half halves quarter quarters third thirds double triple twice times x "
        "percent percentage pct or and plus minus more less fewer about approx approximately around roughly nearly almost "
        "circa ca over under above below beyond ish at up to max min maximum minimum least most some something not no "
        "between from than odd estimated tausend million millionen milliarde milliarden mille millions millones"
    )
)
"""Words that make of a number another one, a range or a guess."""
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}
_BOOLEAN_WORDS: Final[Mapping[str, bool]] = {
    "yes": True, "no": False, "on": True, "off": False, "1": True, "0": False, "y": True, "n": False,
}  # fmt: skip
NULL_WORDS: Final = frozenset(
    {"none", "n/a", "na", "nil", "unknown", "undefined", "not available", "not specified", "-"}
)


class Meant(NamedTuple):
    """What a text stands for, with the name of the fix that says so."""

    value: str
    fix: str


def fold(word: str) -> str:
    """The word without case and separators: `Oat Milk`, `oat_milk` and `oatMilk` are the same, however composed."""
    return unicodedata.normalize("NFC", _SEPARATORS.sub("", word).casefold())


def unaccented(word: str) -> str:
    """The folded word without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFD", fold(word)) if not unicodedata.combining(sign))


def folded(words: Iterable[str], form: Callable[[str], str] = fold) -> dict[str, str | None]:
    """Folded words to the words themselves; None where several fold to the same."""
    found: dict[str, str | None] = {}
    for word in words:
        key = form(word)
        found[key] = None if key in found and found[key] != word else word
    return found


def trimmed(word: str) -> str:
    """The word without quotes, emphasis, punctuation and space around it; in front, `!` denies it."""
    return word.rstrip(_AROUND).lstrip(_BEFORE)


class Lexicon:
    """Declared words, found by what a misspelling of them keeps: the first letter and the digits."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for word in words:
            folded = fold(word)
            self._words.setdefault((folded[:1], _digits(folded)), []).append((folded, word))

    def like(self, written: str) -> list[tuple[str, str]]:
        """Those that a folded word may be a misspelling of, each in its folded form and as it is declared."""
        alike = self._words.get((written[:1], _digits(written)), ())
        return [each for each in alike if abs(len(each[0]) - len(written)) <= _TYPOS + _MARGIN]


class Spelling:
    """Finds misspelt words among the declared ones.

    Args:
        limit: how many words may be compared in all: it is slow, and a reply may have many words that are not known.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._found: dict[tuple[str, int, frozenset[str]], str | None] = {}

    @property
    def is_spent(self) -> bool:
        """Whether as many words were compared as may be."""
        return self._left <= 0

    def nearest(self, word: str, declared: Lexicon, taken: frozenset[str] = frozenset()) -> str | None:
        """The one declared word that this is a misspelling of, if there is one.

        Args:
            word: as it was written.
            declared: the words that there are.
            taken: words that are not meant.
        """
        if len(word) > _AROUND_NUMBER or self._left <= 0:
            return None
        key = (word, id(declared), taken)
        if key not in self._found:
            written = fold(word)
            alike = [each for each in declared.like(written) if each[1] not in taken]
            self._left -= len(alike)
            self._found[key] = _nearest(written, alike)
        return self._found[key]


def _nearest(written: str, words: Sequence[tuple[str, str]]) -> str | None:
    """The one word that a folded word is a misspelling of, if there is one; each with its folded form.

    One letter in four may be wrong (missing, too many, another one, or two swapped), the first letter is right, digits
    are as they were written, and the next likely word is at least two letters further away.
    """
    if not 0 < len(written) <= _LONGEST:
        return None
    near = sorted((distance(written, folded, _TYPOS + _MARGIN), word, folded) for folded, word in words)
    if not near or (len(near) > 1 and near[1][0] - near[0][0] < _MARGIN):
        return None
    wrong, best, folded = near[0]
    return best if wrong <= min(max(len(written), len(folded)) // 4, _TYPOS) else None


def distance(a: str, b: str, most: int) -> int:
    """How many letters must be put in, taken out, replaced or swapped with their neighbour; `most + 1` for any more."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i] + [most + 1] * len(b)
        for j in range(max(1, i - most), min(len(b), i + most) + 1):
            row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != b[j - 1]))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == b[j - 1]:
                row[j] = min(row[j], before[j - 2] + 1)
        before, last = last, row
    return min(last[-1], most + 1)


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))


def cut(text: str, length: int) -> str:
    """The beginning of a text, at most so many characters; no accent is taken off its letter."""
    while 0 < length < len(text) and (unicodedata.combining(text[length]) or text[length] in _JOINERS):
        length -= 1
    return text[:length]


def number(text: str) -> Meant | None:
    """The JSON number that a text stands for."""
    return _short_number(text) if len(text) <= _AROUND_NUMBER else _number(text)


def _number(text: str) -> Meant | None:
    text = text.strip()
    read = scalar(text)
    if read.kind == "number" and read.fix != "zero_padded":
        return Meant(str(read.value), "string_to_number")
    if _THOUSANDS.fullmatch(text):
        return Meant(re.sub(r"[^0-9.\-]", "", text), "thousands")
    if _DECIMAL_COMMA.fullmatch(text):
        return Meant(re.sub(r"[. +]", "", text).replace(",", "."), "decimal_comma")
    for pattern, fix in ((_PERCENT, "percent"), (_CURRENCY, "currency")):
        found = pattern.fullmatch(text)
        inner = number(next(filter(None, found.groups()), "")) if found else None
        if inner and inner.fix in _PLAIN:
            return Meant(inner.value, fix)
    if read.kind == "number":
        return Meant(str(read.value), "zero_padded")
    return _number_within(text)


_short_number = lru_cache(maxsize=1024)(_number)  # the arms of a union ask for the same


def _number_within(text: str) -> Meant | None:
    """The number of a text that consists of it, a unit behind it and a label in front of it, and nothing else."""
    found = _WITHIN.fullmatch(text) if len(text) <= _AROUND_NUMBER else None
    if found is None or any(sign.isnumeric() and not sign.isdecimal() and sign not in "²³" for sign in text):
        return None  # a fraction, or a number word of a language whose number words are signs
    if not _QUALIFIERS.isdisjoint(_WORDS.findall(text.casefold())):
        return None
    inner = number(found[1]) if found[1] != text else None
    return Meant(inner.value, "unit") if inner and inner.fix in _PLAIN else None


def boolean(text: str) -> Meant | None:
    """The truth value that a text stands for."""
    word = trimmed(text).casefold()
    if word in _BOOLEANS:
        return Meant(word, "string_to_boolean")
    if word in _BOOLEAN_WORDS:
        return Meant("true" if _BOOLEAN_WORDS[word] else "false", "boolean_word")
    return None
