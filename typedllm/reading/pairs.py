"""Quotes inside a text: which of them opens something, which closes it, and whether each has its counterpart."""

from __future__ import annotations

import re
from typing import Final

from typedllm.reading.strings import Place

_OPENED_BY: Final = {"”": "“„”", "’": "‘’'", "»": "«", "´": "`´"}
_INSIDE: Final = 600


def closes_inner(text: str, at: int) -> bool:
    """Whether a quote closes what another one opens in the same string, behind the last double quote."""
    inside = text[max(0, at - _INSIDE) : at].rpartition('"')[2]
    before = re.findall(
        rf"(?<!\w)[{re.escape(_OPENED_BY.get(text[at], text[at]))}]|{re.escape(text[at])}(?!\w)", inside
    )
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
    spare = text[:1] == quote
    if faces and not spare and faces[0] == ">" and faces[-1] == "<":
        return True
    left = 0
    for face in faces if quote == '"' else ():
        if face == "<":
            left += 1
        elif left:
            left -= 1
        elif face == ">" and spare:
            spare = False
        elif face == ">":
            return True
    return left > 0
