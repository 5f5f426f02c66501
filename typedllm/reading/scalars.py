"""Numbers and words without quotes: what they mean in JSON, and in the languages that models confuse it with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from typedllm.reading.nodes import NodeKind

NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None}
_FOREIGN: Final[Mapping[str, bool | None]] = {
    "True": True, "TRUE": True, "False": False, "FALSE": False, "None": None, "NULL": None, "Null": None,
    "nil": None, "undefined": None,
}  # fmt: skip
_NOT_FINITE: Final[Mapping[str, str]] = {
    "NaN": "NaN", "nan": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "+Infinity": "Infinity",
    "inf": "Infinity", "-inf": "-Infinity",
}  # fmt: skip
_RADIX: Final = re.compile(r"([+-]?)0(?:[xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)n?")
_RADIX_LENGTH: Final = 3_000  # Python writes no integer of more than 4,300 digits
_STYLED: Final = re.compile(r"([+-]?)([0-9]+(?:_[0-9]+)*)?(?:\.([0-9]+(?:_[0-9]+)*)?)?([eE][+-]?[0-9]+)?n?")

NUMBER_STYLES: Final = ("number_style", "zero_padded")
"""Fixes of numbers that JSON writes otherwise."""


class Scalar(NamedTuple):
    """What a word without quotes is, with the name of the fix that says so."""

    kind: NodeKind
    value: str | bool | None
    fix: str = ""

    @property
    def json(self) -> str:
        """It as JSON; of a number, the digits."""
        return str(self.value) if self.kind == "number" else json.dumps(self.value, ensure_ascii=False)


def scalar(word: str) -> Scalar:
    """Reads a word without quotes.

    Args:
        word: the text, without white space around it.
    """
    if NUMBER.fullmatch(word):
        return Scalar("number", word)
    if word in _LITERALS:
        return Scalar("literal", _LITERALS[word])
    if word in _FOREIGN:
        return Scalar("literal", _FOREIGN[word], "literal_style")
    if word in _NOT_FINITE:
        return Scalar("number", _NOT_FINITE[word], "" if word == _NOT_FINITE[word] else "literal_style")
    return _styled(word) or Scalar("bare", word)


def _styled(word: str) -> Scalar | None:
    radix = _RADIX.fullmatch(word)
    if radix and len(word) <= _RADIX_LENGTH:
        return Scalar("number", str(int(word.rstrip("n").replace("_", ""), 0)), "number_style")
    found = _STYLED.fullmatch(word)
    if not found or not (found[2] or found[3]):
        return None
    whole, fraction = ((found[part] or "").replace("_", "") for part in (2, 3))
    padded = len(whole) > 1 and whole.startswith("0")
    text = ("-" if found[1] == "-" else "") + (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
    if word.startswith(".") is False and "." in word and not fraction:
        text += ".0"
    return Scalar("number", text + (found[4] or ""), "zero_padded" if padded else "number_style")
