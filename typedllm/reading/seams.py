"""What stands right before and behind a candidate: a document that was torn in two must not pass for its half."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import Note
from typedllm.reading.found import Found, word_of
from typedllm.reading.keys import QUOTED_KEY
from typedllm.reading.nodes import Node
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import Target

_BEFORE: Final = re.compile(r"(?:[\"'}\])]\s*[,，、；]|[\[{]|[\"']\s*:)\s*\Z")
_TAIL: Final = re.compile(r"[,，、；\[{]\s*\Z|[\"'}\]\n]\s*[}\]]\s*\Z|[\"'`]\s*:\s*\Z|[{,]\s*\w+\s*:\s*\Z")
_WRAPPED: Final = re.compile(r"(?:\\[A-Za-z]{1,30}\{|(?P<xml><!\[CDATA\[))\s*\Z")
"""What ends in a bracket that is none of the document: a macro of LaTeX (`\\boxed{...}`), character data of XML."""
_JOINT: Final = re.compile(r"\s*+[,;]?\s*+(?:[^\W\d][\w-]{0,60}+\s*+:?\s*+){1,3}")
"""What stands between two parts of one document whose names have no quotes."""
_BEHIND: Final = re.compile(
    r"\s*[}\])]*\s*(?:[,，、；]\s*(?:[\"'{\[]|(?:-?[0-9][0-9.eE+-]*|true|false|null)\s*[,}\]])|[.;:]?\s*[\"'][^\"'\n]{1,80}[\"']\s*:|[.;:][{\[])"
)
_NEXT_LIST: Final = re.compile(r"(?<=\])\[")  # at once: a piece of the same list, or what takes one item of it
_CLOSED_TEXT: Final = re.compile(r"[\"']\s*[,}\]]")  # that of a string around the candidate
_BRACKET: Final = re.compile(r"(?<=[\"'`])[}\]]{1,3}(?=[\"'`])|(?P<sign>[{}\[\]])")
_FURTHER: Final = 4_000
_KEY_BEHIND: Final = re.compile(r"\s*,\s*")
_REOPENED: Final = 3
_LOOK: Final = 200


def torn(start: int, end: int, text: str, closed_more: bool = False, mended: bool = False) -> Note | None:
    """The fault of a candidate that is a piece of a larger document, whose other pieces stand right beside it.

    Args:
        start: where the candidate begins.
        end: where it ends.
        text: the reply.
        closed_more: whether brackets behind it close more than it opened.
        mended: whether it is not JSON as it stands, so that its end may be the end of a part of it.
    """
    before = text[max(0, start - _LOOK) : start]
    wrapped = _WRAPPED.search(before)
    if wrapped is None and (_TAIL if closed_more else _BEFORE).search(before):
        return Note("unexpected_text", max(0, start - _LOOK), start, "", True)
    behind = _BEHIND.match(text, end, end + _LOOK)
    rest = text[end : end + _FURTHER]
    if wrapped and wrapped["xml"]:
        rest = rest.partition("]]>")[0]
    if (
        behind
        or (mended and (_NEXT_LIST.match(text, end) or _closes_more(rest)))
        or (_CLOSED_TEXT.match(text, end) and text[max(0, start - 1) : start] != text[end])
    ):
        return Note("unexpected_text", end, min(end + _LOOK, len(text)), "", True)
    return None


def mark_torn(found: Sequence[Found], text: str) -> None:
    """Marks the candidates that are pieces of a larger document."""
    of_one = _joined(found, text)
    for each in found:
        fault = torn(each.start, each.end, text, each.closed_more, each.mended)
        if fault is None and each in of_one:
            fault = Note("unexpected_text", of_one[0].start, of_one[-1].end, "", True)
        if fault is not None and not each.cut:
            each.node.note(fault)


def _joined(found: Sequence[Found], text: str) -> Sequence[Found]:
    """The candidates that are parts of one document: there are only words between them, which do not say which is the
    answer, and the brackets behind the last one close what none of them has opened.
    """
    first = len(found) - 1 if found and found[-1].closed_more else 0
    while first > 0 and _JOINT.fullmatch(text, found[first - 1].end, found[first].start):
        if word_of(found[first].lead):
            break
        first -= 1
    return found[first:] if first < len(found) - 1 and found[-1].closed_more else ()


def _closes_more(text: str) -> bool:
    """Whether more brackets close in a text than it has opened by then; those in quotes are none."""
    depth = 0
    for found in _BRACKET.finditer(text):
        if found["sign"]:
            depth += 1 if found["sign"] in "{[" else -1
        if depth < 0:
            return True
    return False


def reopened(node: Node, text: str, target: Target, bounds: Bounds = DEFAULT) -> tuple[Node, int] | None:
    """Reads an object anew that was closed too early, since a comma and a key stand behind its closing bracket.

    Args:
        node: what was read.
        text: the reply.
        target: what the answer is declared to be.
        bounds: what it may hold.

    Returns:
        The object with the members behind that bracket and the offset after it; None when that does not stand.
    """
    passed: set[int] = set()
    read, end = node, node.end
    for _ in range(_REOPENED):
        comma = _KEY_BEHIND.match(text, end)
        if read.kind != "object" or comma is None or not QUOTED_KEY.match(text, comma.end(), comma.end() + _LOOK):
            break
        passed.add(end - 1)
        reader = JsonReader(target.root, node.start, bounds, at_once=False)
        reader.passed = frozenset(passed)
        reader.feed(text[node.start :])
        reader.close()
        if reader.root is None or reader.was_cut or reader.gave_up:
            return None
        read, end = reader.root, reader.base + reader.pos
    return (read, end) if passed and end > node.end else None
