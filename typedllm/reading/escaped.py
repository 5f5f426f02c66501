"""Documents whose own quotes and line breaks are escaped, as when JSON is written into a string of JSON, a CSV field
or HTML."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node, place
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import Target

_BEGINS: Final = re.compile(
    r"[{\[](?:[\s{\[\],]|\\[nrt]|-?[0-9.]++|true|false|null)*+\\+[\"']"
    r"|[{\[][\s{\[]*+(?:\\[nrt]\s*+)++(?:[\"'\\{}\[\]0-9-]|(?:true|false|null)\b|\w++\s*+:)"
)
_DOUBLED: Final = re.compile(r'[{\[][\s{\[]*+""[^"\n]{1,160}""\s*+[:,]')
_MARKED_UP: Final = re.compile(r"[{\[][\s{\[]*+&(?:quot|#34|#x22);")
_PAIR: Final = re.compile('""')
_ENTITY: Final = re.compile(r"&(?:quot|apos|amp|lt|gt|#[0-9]{2,4}|#x[0-9a-fA-F]{2,4});")
_ESCAPE: Final = re.compile(
    r"\\(?:[\"\\/bfnrt']|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_ESCAPES_ITSELF: Final = re.compile(r"\\[\"\\]")
_BARE_QUOTE: Final = re.compile(r'(?<!\\)"')
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
    pattern = _PAIR if doubled else _ENTITY if _MARKED_UP.match(text, start, start + _AHEAD) else _ESCAPE
    if pattern is _ESCAPE and not _BEGINS.match(text, start, start + _AHEAD):
        return None
    levels = [text[start:]]
    if pattern is not _ESCAPE:
        levels.append(pattern.sub(_character, levels[0]))
    while pattern is _ESCAPE and len(levels) <= _LEVELS and _BEGINS.match(levels[-1], 0, _AHEAD):
        levels.append(_ESCAPE.sub(_character, levels[-1]))
    reader = JsonReader(target.root, 0, bounds)
    reader.feed(levels[-1])
    reader.close()
    node = reader.root
    if node is None or not reader.done or reader.gave_up or reader.was_cut:
        return None
    end = reader.base + reader.pos
    for level in reversed(levels[:-1]):
        end = _source(level, end, pattern)
    written = text[start : start + end]
    if doubled and '"' in written.replace('""', ""):
        return None  # some are, some are not
    if pattern is _ESCAPE and _ESCAPES_ITSELF.search(written) and _BARE_QUOTE.search(written):
        return None
    place(node, start, start + end)
    node.note(Note("escaped_quotes", start, start + end))
    return Unescaped(node, start + end)


def _character(found: re.Match[str]) -> str:
    said = found[0]
    if said[0] == "&":
        return html.unescape(said)
    return said[-1] if said[-1] in "\"'" else str(json.loads(f'"{said}"'))


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
