"""Bounds that keep reading linear in time and memory, whatever the text. Each has a name and ends in an issue."""

from __future__ import annotations

from typing import Final, NamedTuple


class Bounds(NamedTuple):
    """What one reply may hold.

    Attributes:
        chars: characters of the reply.
        depth: nested containers; pydantic's own JSON parser stops at about 200.
        pointer: characters of the JSON Pointer of a container: the place of each part in it begins with it.
        digits: digits of one number.
        parts: keys and items, all together.
        fixes: fixes of one reply, without those of another notation (see `fixes.NOTATION`); a longer one may have one
            more for each eight characters.
        faults: parts of one reply that have no reading, or do not fit.
        repeated: keys that stand in their object already.
        quotes: quotes inside one string that are not escaped.
        candidates: parts of the reply that are considered as the answer.
        bare: characters of a string without quotes.
        rivals: characters that are parsed to compare the readings of one broken part, and looked at for all of them.
        compared: declared words that words of the reply are compared with, in search of misspellings.
        shown: characters of the text that a fix or an issue quotes.
    """

    chars: int = 32_000_000
    depth: int = 128
    pointer: int = 2_000
    digits: int = 1_000
    parts: int = 2_000_000
    fixes: int = 4_000
    faults: int = 1_000
    repeated: int = 1_000
    quotes: int = 5_000
    candidates: int = 100
    bare: int = 2_000
    rivals: int = 4_000_000
    compared: int = 5_000
    shown: int = 100


DEFAULT: Final = Bounds()
