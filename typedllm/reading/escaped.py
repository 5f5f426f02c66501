"""Documents whose own quotes and line breaks are escaped, as when JSON is written into a string of JSON or a CSV field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node, place
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import Target

_BEGINS: Final = re.compile(r"[{\[](?:[\s{\[\],]|\\[nrt]|-?[0-9.]++|true|false|null)*+\\+\"|[{\[][\s{\[]*+\\[nrt]")
_DOUBLED: Final = re.compile(r'[{\[][\s{\[]*+""[^"\n]{1,80}""\s*+:')
_PAIR: Final = re.compile('""')
_ESCAPE: Final = re.compile(r"\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4})")
_LEVELS: Final = 3
_AHEAD: Final = 200


class Unescaped(NamedTuple):
    """What was read once the escapes were taken off, and where it ends in the text."""

    node: Node
    end: int


def unescaped(start: int, text: str, target: Target, bounds: Bounds = DEFAULT) -> Unescaped | None:
    """Reads a document anew without its escapes, if they are its own.

    Args:
        start: where it begins.
        text: the reply.
        target: what the answer is declared to be.
        bounds: what it may hold.
    """
    doubled = _DOUBLED.match(text, start, start + _AHEAD)
    if not doubled and not _BEGINS.match(text, start, start + _AHEAD):
        return None
    levels = [text[start:]]
    if doubled:
        levels.append(levels[0].replace('""', '"'))
    while not doubled and len(levels) <= _LEVELS and _BEGINS.match(levels[-1], 0, _AHEAD):
        levels.append(_ESCAPE.sub(_character, levels[-1]))
    reader = JsonReader(target.root, 0, bounds)
    reader.feed(levels[-1])
    reader.close()
    node = reader.root
    if node is None or not reader.done or reader.gave_up or reader.was_cut:
        return None
    end = reader.base + reader.pos
    for level in reversed(levels[:-1]):
        end = _source(level, end, _PAIR if doubled else _ESCAPE)
    if doubled and '"' in text[start : start + end].replace('""', ""):
        return None  # some are, some are not
    place(node, start, start + end)
    node.note(Note("escaped_quotes", start, start + end))
    return Unescaped(node, start + end)


def _character(found: re.Match[str]) -> str:
    return str(json.loads(f'"{found[0]}"'))


def _source(level: str, end: int, pattern: re.Pattern[str]) -> int:
    """Where the first so many characters of the decoded text end in the text itself."""
    for at, length in _escapes(level, pattern):
        if at >= end:
            break
        end += length - 1
    return end


def _escapes(level: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Offset and length of each escape."""
    return ((found.start(), len(found[0])) for found in pattern.finditer(level))
