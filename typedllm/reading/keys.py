"""How the keys of an object are written, with their quotes and their colon or without."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final, NamedTuple

from typedllm.reading.strings import AHEAD, QUOTES, Verdict

_COLON: Final = r"\s*(?::|=>?|：)"
QUOTED_KEY: Final = re.compile(
    rf"(?:\"(?:[^\"\\\n]|\\.){{0,80}}+\"|\"{{1,2}}[^\"\\\n]{{1,80}}\"{{1,2}}|[{QUOTES}][^{QUOTES}\n]{{1,80}}[{QUOTES}]){_COLON}"
)
BARE_KEY: Final = re.compile(
    rf"(?:[$@]?[^\W\d][\w$.-]{{0,60}}[{QUOTES}]?{_COLON}(?!//)|-?[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?\s*:(?=\s*[{QUOTES}{{\[]))"
)
KEY_BEGUN: Final = re.compile(
    rf"[{QUOTES}]{{1,2}}[^{QUOTES}\n]{{0,80}}(?:[{QUOTES}]{{1,2}}\s*)?\Z|[$@]?(?:[^\W\d][\w$.-]{{0,60}})?[{QUOTES}]?\s*:?/?\Z"
)
_DECLARED_KEY: Final = re.compile(
    rf"([{QUOTES}]{{0,2}})([^{QUOTES}:=;{{}}\[\],\n]{{1,80}}?)"
    rf"(?:([{QUOTES}]{{0,2}})\s{{0,8}}(:|=>?|：|;)|([{QUOTES}])\s{{0,8}}|\s{{1,8}})"
    rf"\s{{0,8}}(?=[{QUOTES}{{\[0-9-]|(?:true|false|null|True|False|None)\b)"
)
_CLOSES_KEY: Final = re.compile(rf"[{QUOTES}]\s{{0,8}}(?::|=>?|：)")


class DeclaredKey(NamedTuple):
    """A declared key as it was written: its quotes, where it ends, its colon and where that stands, and where its value
    begins.
    """

    name: str
    opening: str
    closing: str
    stop: int
    colon: str
    colon_at: int
    end: int


def declared_key(text: str, at: int, known: Container[str]) -> DeclaredKey | None:
    """The declared key that stands here, however its quotes and its colon are written."""
    found = _DECLARED_KEY.match(text, at, at + AHEAD)
    if found is None or found[2].strip() not in known:
        return None
    if found[1] and not (found[3] or found[4] or found[5]) and _CLOSES_KEY.match(text, found.end()):
        return None  # the quote that seems to open the value closes the key
    stop = max(found.end(2), found.end(3), found.end(5))
    closing, colon = found[3] or found[5] or "", found[4] or ""
    return DeclaredKey(found[2].strip(), found[1], closing, stop, colon, found.start(4), found.end())


def key_verdict(text: str, at: int, complete: bool) -> Verdict:
    """Whether a key with its colon begins here: `ends` says so, for the string before it; `more` of the text may tell."""
    if text[at : at + 1] in ("u", "b") and text[at + 1 : at + 2] in ("'", '"'):
        at += 1  # Python writes it before a string
    found = QUOTED_KEY.match(text, at) or BARE_KEY.match(text, at)
    if found:
        return "ends" if complete or found.end() + 2 <= len(text) else "more"
    return "more" if not complete and KEY_BEGUN.match(text, at) else "inner"
