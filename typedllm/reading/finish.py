"""The candidates once the whole text is there: what only its end can tell."""

from __future__ import annotations

import re
from typing import Final

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.escaped import unescaped
from typedllm.reading.extract import Extractor
from typedllm.reading.fixes import Note
from typedllm.reading.found import AHEAD, HELD, Found, is_operand, is_reference, lead_of, set_aside
from typedllm.reading.plain import json_end
from typedllm.reading.prefixed import unprefixed
from typedllm.reading.reader import JsonReader
from typedllm.reading.seams import reopened
from typedllm.reading.target import Target
from typedllm.reading.unopened import unopened

_UNESCAPED: Final = 5
_AGAIN: Final = 4  # how often the text may be read again in search of JSON
_CLOSERS: Final = re.compile(r"\s*(?!\]\]>)[}\])](?:(?!\]\]>)[}\])\s])*")


def finish(found: list[Found], text: str, target: Target, bounds: Bounds = DEFAULT, since: int = 0) -> list[Found]:
    """What can be said of the candidates only when the whole text is there; `since` is where its reasoning ends."""
    found = _without_signs(unopened(found, text, target, bounds, since), text, target, bounds)
    found = _without_escapes(_without_references(found, text, target), text, target, bounds)
    found = _whole(_strict_first(found, text, target, bounds), text, target, bounds)
    for each in found:
        set_aside(each, text)
        extra = _CLOSERS.match(text, each.end)
        if extra and not each.cut:
            each.node.note(Note("extra_closer", each.end, each.end + len(extra[0].rstrip())))
            each.end += len(extra[0].rstrip())
            each.closed_more = True
    return found


def _without_references(found: list[Found], text: str, target: Target) -> list[Found]:
    """The candidates, without the operands of code, and without the references of a sentence (`see [1]`): they are none
    where texts are declared, or where there is another candidate of a declared kind.
    """
    root = target.root
    found = [each for each in found if each.cut or not is_operand(text, each.start, each.end)]
    numbers = "array" in root.kinds and not root.item(0).kinds.isdisjoint(("integer", "number"))
    alike = [each for each in found if is_reference(text, each.start, each.node.end)]
    if numbers and all(each in alike or each.node.kind not in root.kinds for each in found):
        return found
    lengths = {len(each.node.items) for each in found if numbers and each not in alike and each.node.kind == "array"}
    lengths.discard(1)  # a list as long as another one may be the same in other units
    return [
        each
        for each in found
        if each.fenced or each not in alike or len(each.node.items) in lengths or not _is_in_sentence(each, text)
    ]


def _is_in_sentence(each: Found, text: str) -> bool:
    before = text[max(0, each.start - AHEAD) : each.start].rpartition("\n")[2].rstrip()
    return before != "" and before[-1] not in ":="


def _strict_first(found: list[Found], text: str, target: Target, bounds: Bounds) -> list[Found]:
    """What is JSON as it stands is read as JSON, however odd its strings are."""
    done: list[Found] = []
    left = _AGAIN * len(text)
    while found:
        each, *found = found
        end = json_end(text, each.start) if each.mended and left > 0 else -1
        if end >= 0:
            reader = JsonReader(target.root, each.start, bounds, strict=True)
            reader.eof = True
            reader.feed(text[each.start : end])
            if reader.root is not None and reader.done and not reader.gave_up:
                swallowed = end < each.end
                left -= len(text) - end if swallowed else end - each.start
                each = Found(reader.root, each.fenced, False, each.lead, end)
                found = _rescan(text, end, target, bounds) if swallowed else found
        done.append(each)
    return done


def _whole(found: list[Found], text: str, target: Target, bounds: Bounds) -> list[Found]:
    """The candidates with what stands behind a bracket that closed the first of them too early."""
    again = reopened(found[0].node, text, target, bounds) if found and not found[0].cut else None
    if again is None:
        return found
    node, end = again
    first = Found(node, found[0].fenced, False, found[0].lead, end, mended=True)
    return [first, *(each for each in found[1:] if each.start >= end)]


def _rescan(text: str, start: int, target: Target, bounds: Bounds) -> list[Found]:
    extractor = Extractor(target, bounds, start)
    extractor.read(text[start:])
    return extractor.found


def _without_signs(found: list[Found], text: str, target: Target, bounds: Bounds) -> list[Found]:
    """The candidates, with the document whose lines have a sign before them in the place of what was made of it."""
    read = unprefixed(text, target, bounds)
    if read is None or any(each.start <= read.start < each.end and not each.mended for each in found):
        return found
    lead = lead_of(text[max(0, read.start - HELD) : read.start].rstrip("> \t"))
    others = [each for each in found if each.end <= read.start or each.start >= read.end]
    return sorted([*others, Found(read.node, False, False, lead, read.end, mended=True)], key=lambda each: each.start)


def _without_escapes(found: list[Found], text: str, target: Target, bounds: Bounds) -> list[Found]:
    """The candidates, the first of those whose own quotes are escaped read without the escapes."""
    done: list[Found] = []
    left = _UNESCAPED
    for each in found:
        if done and each.start < done[-1].end:
            continue
        read = unescaped(each.start, text, target, bounds) if left else None
        if read is not None:
            left -= 1
            each = Found(read.node, each.fenced, False, each.lead, read.end, each.unclosed, mended=True)
        done.append(each)
    return done
