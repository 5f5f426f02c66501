"""The one value of a reply, where all around it is packaging: a fence, and prose that can hold no other answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.extract import begins
from typedllm.reading.found import is_operand, is_reference
from typedllm.reading.rivals import PLAIN, goes_on, rivals
from typedllm.reading.seams import torn
from typedllm.reading.stretch import Stretch
from typedllm.reading.sweep import swept
from typedllm.records import Span

_PROSE: Final = r"[^{}\[\]<`~]*+"
_BEFORE: Final = re.compile(rf"{_PROSE}(?:(?P<fence>`{{3}}|~{{3}})[\w+-]*+[ \t]*+\n\s*+)?(?=[{{\[])")
_BEHIND: Final = {
    None: re.compile(rf"(?!\s*+\)){_PROSE}"),
    "```": re.compile(rf"\s*+```{_PROSE}"),
    "~~~": re.compile(rf"\s*+~~~{_PROSE}"),
}
_NEAR: Final = 60


def unpacked(text: str, mend: bool, bounds: Bounds = DEFAULT) -> Iterator[str]:
    """The text of the answer as JSON, if it is JSON: as it stands in its packaging, and then with its syntax mended.

    Args:
        text: the reply.
        mend: whether lossless fixes of syntax are applied.
        bounds: what the reply may hold.
    """
    place = _packed(text)
    if place is None:
        return
    yield text[slice(*place)]
    if mend and (mended := _mended(text, place, bounds)) is not None:
        yield mended


def _packed(text: str) -> Span | None:
    """Where the whole answer stands, if it can be read there; None where something else could be an answer too."""
    before = _BEFORE.match(text)
    if before is None:
        return None
    start, end = before.end(), max(text.rfind("}"), text.rfind("]")) + 1
    if end <= start or not _BEHIND[before["fence"]].fullmatch(text, end):
        return None
    if '"' in text[max(0, start - _NEAR) : start] or not begins(text, start) or is_reference(text, start, end):
        return None
    if is_operand(text, start, end):
        return None
    return None if goes_on(text, end) or torn(start, end, text) else Span(start, end)


def _mended(text: str, place: Span, bounds: Bounds) -> str | None:
    """What stands at a place as JSON; None where it takes a closer look to tell."""
    part = swept(text, place.start, place.end, bounds)
    if part is None:
        part = Stretch(text, place.start, 0, True, "", bounds.depth).part(place.start)
    if part is None or part.end != place.end or not part.is_within(bounds, 0):
        return None
    if not part.kinds <= PLAIN and rivals(text[place.start :], place.end - place.start, bounds):
        return None
    return part.json
