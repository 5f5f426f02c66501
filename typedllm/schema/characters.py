"""Sets of characters by their code points, as classes that both regular expression engines read alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""The first and the last code point of each run."""

_DIGIT: Final[Ranges] = ((0x30, 0x39),)
_WORD: Final[Ranges] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
LINE_ENDS: Final[Ranges] = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_SPACE: Final[Ranges] = (
    *((0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
)
SURROGATES: Final = (0xD800, 0xDFFF)
SETS: Final = {"d": _DIGIT, "w": _WORD, "s": _SPACE}


def complement(ranges: Ranges) -> Ranges:
    """All other characters; halves of surrogate pairs are none."""
    found: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted([*ranges, SURROGATES]):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return (*found, (start, 0x10FFFF))


def character(code: int) -> str:
    """One character, escaped where it might mean something else."""
    return chr(code) if chr(code).isascii() and chr(code).isalnum() else f"\\U{code:08x}"


def character_class(ranges: Iterable[tuple[int, int]], properties: str = "", *, negated: bool = False) -> str:
    """A character class that both engines read alike; an empty one matches nothing, its negation anything."""
    body = "".join(character(low) + (f"-{character(high)}" if high > low else "") for low, high in ranges)
    if not body and not properties:
        return r"[\s\S]" if negated else r"[^\s\S]"
    return f"[{'^' if negated else ''}{body}{properties}]"
