"""Quotes inside a text: which of them opens something, which closes it, and whether each has its counterpart."""

from __future__ import annotations

import re
from typing import Final

from typedllm.reading.strings import Place

_OPENED_BY: Final = {"”": "“„”", "’": "‘’'", "»": "«", "´": "`´"}
_INSIDE: Final = 600
_STOPS: Final = ".!?…。！？"  # behind one a quote may close, though no space stands behind it, as in Chinese
_BRACKETS: Final = ("(", "[", "{", "<")


def closes_inner(text: str, at: int) -> bool:
    """Whether a quote closes what another one opens in the same string, behind the last double quote."""
    inside, quote = text[max(0, at - _INSIDE) : at].rpartition('"')[2], re.escape(text[at])
    openers = _OPENED_BY.get(text[at], "").replace(text[at], "")  # these do nothing else, behind a letter as well
    before = re.findall(rf"(?<!\w){quote}|{quote}(?!\w)" + (f"|[{openers}]" if openers else ""), inside)
    return len(before) % 2 == 1


def is_glued(place: Place, quote: str, before: str, after: str) -> bool:
    """Whether a quote stands between two words of an item: one without the comma and the other quote of two items."""
    return place == "item" and quote == '"' and (before + after).isascii() and before.isalpha() and after.isalpha()


def facing(before: str, after: str) -> str:
    """Whether a quote between these two signs opens (`<`) or closes (`>`) what stands in quotes, or may do either (`?`).

    Behind a digit, it may be a sign of inches.
    """
    if before.isdigit() and not after.isalnum():
        return "?"
    if before.isspace() != after.isspace():
        return ">" if after.isspace() else "<"
    if before.isalnum() != after.isalnum():
        return ">" if before.isalnum() else "<"
    return "?"


def is_odd(text: str, quote: str) -> bool:
    """Whether of the quotes inside a text the first closes and the last opens (it may be two, as in `"a" or "b"`), or one
    lacks its counterpart, which an apostrophe has not; at the start it may be one that is doubled.
    """
    places = [found.start() for found in re.finditer(quote, text) if found.start()]
    faces = [facing(text[at - 1], text[at + 1 : at + 2]) for at in places]
    if faces and text[:1] != quote and faces[0] == ">" and faces[-1] == "<":
        return True
    return quote == '"' and _is_unpaired(text, places, faces)


def _is_unpaired(text: str, places: list[int], faces: list[str]) -> bool:
    """Whether one quote of a text lacks its counterpart, but for one behind a digit or one alone between two letters.

    Args:
        text: what stands in the quotes of the document.
        places: where quotes stand in it, but for one at its start.
        faces: what each of them does.
    """
    begins = text[:1] == '"'
    spare = [""] if begins else []  # what stands behind each that may have a counterpart
    left, inches = 0, 0  # how many must have one, and how many may be signs of inches
    for at, face in zip(places, faces, strict=True):
        before, after = text[at - 1], text[at + 1 : at + 2]
        if face == "<" and not (left and before in _STOPS):
            left += 1
        elif left and after != "{":
            left -= 1
        elif before.isalpha() and (after.isalnum() or after in _BRACKETS):
            spare.append(after)  # it opens something behind a letter, as in `f"{name}"`, or is alone
        elif before.isdigit() and face == "?":
            inches += 1
        elif spare:
            if spare.pop().isalnum() and not after:
                return True  # one at the end may be doubled as well
        elif face == ">" or not after:
            return True
        else:
            spare.append(after)
    if begins and spare:
        return left > 0 or len(faces) > inches == 0
    return left > 0 or (len(spare) % 2 == 1 and len(faces) - inches > 1)
