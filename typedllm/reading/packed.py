"""The one JSON value of a reply, where all around it is packaging: a fence, and prose that can hold no other answer."""

from __future__ import annotations

import re
from typing import Final

from typedllm.reading.extract import begins, is_reference
from typedllm.reading.rivals import goes_on
from typedllm.reading.seams import torn
from typedllm.records import Span

_PROSE: Final = r"[^{}\[\]<`~]*+"
_BEFORE: Final = re.compile(rf"{_PROSE}(?:(?P<fence>`{{3}}|~{{3}})[\w+-]*+[ \t]*+\n\s*+)?(?=[{{\[])")
_BEHIND: Final = {
    None: re.compile(_PROSE),
    "```": re.compile(rf"\s*+```{_PROSE}"),
    "~~~": re.compile(rf"\s*+~~~{_PROSE}"),
}
_NEAR: Final = 60


def packed(text: str) -> Span | None:
    """Where the text stands that is the whole answer if it is JSON; None where something else could be one too."""
    before = _BEFORE.match(text)
    if before is None:
        return None
    start, end = before.end(), max(text.rfind("}"), text.rfind("]")) + 1
    if end <= start or not _BEHIND[before["fence"]].fullmatch(text, end):
        return None
    if '"' in text[max(0, start - _NEAR) : start] or not begins(text, start) or is_reference(text, start, end):
        return None
    return None if goes_on(text, end) or torn(start, end, text) else Span(start, end)
