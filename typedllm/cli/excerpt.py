"""A part of a text with a caret line under it."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from typedllm.cli.screen import printable
from typedllm.records import Span

WIDTH: Final = 100
"""Characters of a line that are shown at most, those in front of the part included."""


def excerpt(text: str, span: Span) -> str:
    """The line in which a part begins, with its number, and carets under the part.

    Args:
        text: the whole text.
        span: the part; one that goes on in further lines is marked to the end of its first.
    """
    begin = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    end = len(text) if end < 0 else end
    left = max(begin, span.start - WIDTH // 2)
    right = min(end, left + WIDTH)
    before = ("... " if left > begin else "") + _flat(text[left : span.start])
    part = _flat(text[span.start : min(span.end, right)])
    line = before + part + _flat(text[span.start + len(part) : right]) + (" ..." if right < end else "")
    number = str(text.count("\n", 0, begin) + 1)
    carets = " " * cell_len(before) + "^" * max(1, cell_len(part))
    return f"  {number} | {line}\n  {' ' * len(number)} | {carets}"


def _flat(text: str) -> str:
    return printable(text.replace("\t", " "))
