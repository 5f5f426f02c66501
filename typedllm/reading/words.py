"""Words against the declared ones: enum members, keys, numbers, truth values and dates in other forms."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from typedllm.reading.scalars import NUMBER, scalar

_SEPARATORS: Final = re.compile(r"[\s_\-]+")
_AROUND: Final = " \t\r\n\"'`“”‘’*.,;:!()[]"
_THOUSANDS: Final = re.compile(r"[+-]?[0-9]{1,3}(?:([, _'’\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?(?:[0-9]{1,3}(?:[. ][0-9]{3})+|[0-9]+),[0-9]+")
_PERCENT: Final = re.compile(r"(.*?)\s*(?:%|percent|per cent)", re.IGNORECASE)
_CURRENCY: Final = re.compile(r"(?:[$€£¥₹]|US\$|[A-Z]{3})\s*(.+)|(.+?)\s*(?:[$€£¥₹]|[A-Z]{3})")
_ANY_NUMBER: Final = re.compile(r"[-+]?[0-9](?:[0-9,_']*[0-9])?(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SCALES: Final = re.compile(
    r"(?i)[0-9]\s*(?:k|m|bn?|thousand|million|billion|dozen|hundred)\b|[0-9]\s*[-–/:]\s*[0-9]|[~≈()<>]"
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})(?=$|[T ])")
_NAMED_MONTH: Final = re.compile(
    r"(?i)(?:([0-9]{1,2})(?:st|nd|rd|th)?\.?\s+)?([a-z]{3,9})\.?\s+(?:([0-9]{1,2})(?:st|nd|rd|th)?,?\s+)?([0-9]{4})"
)
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
    """The word without case and separators: `Oat Milk`, `oat_milk` and `oatMilk` are the same."""
    return _SEPARATORS.sub("", word).casefold()


def folded(words: Iterable[str]) -> dict[str, str | None]:
    """Folded words to the words themselves; None where several fold to the same."""
    found: dict[str, str | None] = {}
    for word in words:
        key = fold(word)
        found[key] = None if key in found and found[key] != word else word
    return found


def trimmed(word: str) -> str:
    """The word without quotes, emphasis, punctuation and space around it."""
    return word.strip(_AROUND)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one word that this is a misspelling of, if there is one: a letter in four is wrong at most."""
    if not 3 <= len(word) <= 60:
        return None
    folds = {each.casefold(): each for each in words if abs(len(each) - len(word)) <= 2}
    near = difflib.get_close_matches(word.casefold(), folds, 2, 0.75)
    return folds[near[0]] if len(near) == 1 else None


def number(text: str) -> Meant | None:
    """The JSON number that a text stands for."""
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
        if inner and inner.fix in ("string_to_number", "thousands"):
            return Meant(inner.value, fix)
    if read.kind == "number":
        return Meant(str(read.value), "zero_padded")
    return _number_within(text)


def _number_within(text: str) -> Meant | None:
    found = _ANY_NUMBER.findall(text[:200])
    if len(found) != 1 or _SCALES.search(text):
        return None
    plain = re.sub(r"[,_'+]", "", found[0])
    return Meant(plain, "unit") if NUMBER.fullmatch(plain) else None


def boolean(text: str) -> Meant | None:
    """The truth value that a text stands for."""
    word = trimmed(text).casefold()
    if word in _BOOLEANS:
        return Meant(word, "string_to_boolean")
    if word in _BOOLEAN_WORDS:
        return Meant("true" if _BOOLEAN_WORDS[word] else "false", "boolean_word")
    return None


def moment(text: str) -> str | None:
    """A date (and time) with the year first or the month named, as ISO 8601; None when it has not one meaning."""
    text = text.strip()
    found = _YEAR_FIRST.match(text)
    if found:
        return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}{text[found.end() :]}"
    named = _NAMED_MONTH.fullmatch(text)
    if named is None or bool(named[1]) == bool(named[3]) or named[2][:3].lower() not in _MONTHS:
        return None
    return f"{named[4]}-{_MONTHS.index(named[2][:3].lower()) + 1:02}-{int(named[1] or named[3]):02}"
