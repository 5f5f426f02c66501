"""A list that was written without its brackets: the parts of one text, or strings in a row."""

from __future__ import annotations

import json
import re
from typing import Final

from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node

_SEPARATORS: Final = tuple(map(re.compile, (r"\s*\n\s*", r"\s*[;；]\s*", r"\s*\|\s*", r"\s*[,，、]\s*", r"\s+and\s+")))
_LAST: Final = re.compile(r"(?:\A|\s+)and\s+")
_BULLET: Final = re.compile(r"[-*•]\s+")
_THOUSANDS: Final = re.compile(r"[0-9],[0-9]{3}(?![0-9])")
_ROW: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"(?:\s*,\s*"(?:[^"\\\x00-\x1f]|\\.)*")*+\s*,?')


def parts(text: str) -> list[list[str]]:
    """The parts of a text that lists them, in each way to take it apart; the first that fits is meant.

    It is split at line breaks, or else at semicolons, bars, commas, or "and". Where a comma may stand within a number,
    it is not split at all.
    """
    sign = next((sign for sign in _SEPARATORS if sign.search(text.strip())), None)
    if sign is None or _THOUSANDS.search(text):
        return []
    found = [_BULLET.sub("", part, count=1) if sign is _SEPARATORS[0] else part for part in sign.split(text.strip())]
    *before, last = found
    apart = [part for part in _LAST.split(last) if part]
    return [found, [*before, *apart]] if sign is _SEPARATORS[3] and apart != [last] else [found]


def row(text: str, start: int) -> Node | None:
    """The list of strings that stand in a row, with commas between them.

    Args:
        text: all of it.
        start: where it begins in the reply.
    """
    if not _ROW.fullmatch(text):
        return None
    try:
        items: list[str] = json.loads(f"[{text.rstrip().rstrip(',')}]")
    except ValueError:
        return None
    end = start + len(text)
    node = Node("array", [Node("string", item, start, end) for item in items], start, end)
    node.note(Note("json_lines", start, end, "[...]"))
    return node
