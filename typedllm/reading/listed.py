"""A list that was written without its brackets: the parts of one text, or strings in a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node

_LINES: Final = re.compile(r"\s*\n\s*")
_COMMAS: Final = re.compile(r"\s*[,，、]\s*")
_SEPARATORS: Final = (_LINES, re.compile(r"\s*[;；]\s*"), re.compile(r"\s*\|\s*"), _COMMAS, re.compile(r"\s+and\s+"))
_LAST: Final = re.compile(r"(?:\A|\s+)and\s+")
_BULLET: Final = re.compile(r"(?:[-*•]|[0-9]{1,3}[.)])\s+")
_THOUSANDS: Final = re.compile(r"[0-9],[0-9]{3}(?![0-9])")
_ROW: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"(?:\s*,\s*"(?:[^"\\\x00-\x1f]|\\.)*")*+\s*,?')


def parts(text: str) -> Iterator[list[str]]:
    """The parts of a text that lists them, in each way to take it apart.

    It is split at line breaks, semicolons, bars, commas or "and". Where a comma may stand within a number, it is not
    split at all.
    """
    text = text.strip()
    if _THOUSANDS.search(text):
        return
    for sign in _SEPARATORS:
        found = sign.split(text)
        if len(found) < 2:
            continue
        if sign is _LINES:
            found = [_BULLET.sub("", part, count=1) for part in found]
        yield found
        *before, last = found
        apart = [part for part in _LAST.split(last) if part]
        if sign is _COMMAS and apart != [last]:
            yield [*before, *apart]


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
