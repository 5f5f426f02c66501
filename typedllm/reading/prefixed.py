"""Documents with a sign before each line: a bullet, or the sign of a quotation."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node, place
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import Target

_BEGINS: Final = re.compile(
    r"(?m)^[ \t]*>[ \t]*(?P<quoted>[{\[])(?=[^\n]*(?:\n[ \t]*>|\Z))"
    r"|(?P<listed>[{\[])[ \t]*\n(?=[ \t]*(?P<bullet>[-*•])[ \t]+[\"'“`{\[\w])"
)
_QUOTED: Final = re.compile(r"(?P<sign>[ \t]*>)[^\n]*(?:\n|\Z)")
_LISTED: Final = {
    each: re.compile(
        rf"(?:[ \t]*(?P<sign>{re.escape(each)}[ \t]+)|[ \t]*[}}\])](?=[}}\]),; \t\r]*$)|[ \t\r]*$)[^\n]*(?:\n|\Z)",
        re.MULTILINE,
    )
    for each in "-*•"
}


class Prefixed(NamedTuple):
    """What was read without the signs, and where it stands in the text."""

    node: Node
    start: int
    end: int


def unprefixed(text: str, target: Target, bounds: Bounds = DEFAULT) -> Prefixed | None:
    """Reads the first document whose lines begin with a sign, all of them, without these signs.

    Args:
        text: the reply.
        target: what the answer is declared to be.
        bounds: what it may hold.
    """
    found = _BEGINS.search(text)
    if found is None:
        return None
    start = found.start("quoted") if found["quoted"] else found.start("listed")
    line, at = (_QUOTED if found["quoted"] else _LISTED[found["bullet"]]), text.find("\n", start) + 1
    written = [text[start:at]] if at else [text[start:]]
    kept = written.copy()
    while 0 < at < len(text) and (one := line.match(text, at)):
        written.append(one[0])
        kept.append(one[0][: one.start("sign") - at] + one[0][one.end("sign") - at :] if one["sign"] else one[0])
        at = one.end()
    reader = JsonReader(target.root, 0, bounds)
    reader.feed("".join(kept))
    reader.close()
    node = reader.root
    if node is None or not reader.done or reader.gave_up or reader.was_cut:
        return None
    end = start + _source(reader.base + reader.pos, kept, written)
    place(node, start, end)
    node.note(Note("line_sign", start, end))
    return Prefixed(node, start, end)


def _source(end: int, kept: list[str], written: list[str]) -> int:
    """Where the first so many characters of the lines end in the lines as they were written."""
    before = 0
    for short, long in zip(kept, written, strict=True):
        if end <= len(short):
            return before + end + len(long) - len(short)
        end -= len(short)
        before += len(long)
    return before
