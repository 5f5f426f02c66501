"""Documents without their opening bracket: the request had written it, or another sign stands in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.cursor import SPACE
from typedllm.reading.fixes import Note
from typedllm.reading.found import FENCE_LINE, HELD, Found, lead_of
from typedllm.reading.nodes import Node
from typedllm.reading.plain import json_end
from typedllm.reading.reader import JsonReader
from typedllm.reading.shape import Shape
from typedllm.reading.strings import end_of
from typedllm.reading.target import Target

_BEGINS: Final = re.compile(r"[\s\ufeff]*+(?=[\"\w({\[-])")
_IN_FENCE: Final = re.compile(rf"^{FENCE_LINE.pattern}\n{_BEGINS.pattern}", re.MULTILINE)
_ITEMS: Final = '"-0123456789'
_KEYED: Final = re.compile(r'(?:(?P<quote>")|(?![{\[(]))(?:[^"\\\n]|\\.){0,80}"\s*:')
_ENDS: Final = re.compile(r"[ \t]*(?:\r?\n(?!\s*[\]}),])|\Z|[`~]{3})")
_ALL: Final = re.compile(r"\s*(?:[`~]{3,})?\s*\Z")
_FIRST_KEY: Final = re.compile(r"[\"'“]?([^\"'”:{}\n]{1,80})[\"'”]?\s*:")
_LINE_KEY: Final = re.compile(r"^[ \t]*[\"“]([^\"”:{}\n]{1,80})[\"”][ \t]*:", re.MULTILINE)
_TUPLE: Final = re.compile(r"\s*(?P<tuple>\(\s*[\"'0-9+.({\[-].*\))\s*", re.DOTALL)


def unopened(found: list[Found], text: str, target: Target, bounds: Bounds = DEFAULT, since: int = 0) -> list[Found]:
    """The candidates, with a document that lacks its opening bracket in the place of what stands inside of it.

    Args:
        found: the candidates.
        text: the reply.
        target: what the answer is declared to be.
        bounds: what it may hold.
        since: where the answer may begin: behind what was reasoned.
    """
    kinds = target.root.kinds
    if kinds.isdisjoint(("object", "array")):
        return found
    read = _plain(text, target, bounds, since)
    if read is None and "object" in kinds:
        read = _members(found, text, target, bounds, since)
    if read is None and not found and "array" in kinds and not target.root.open:
        read = _in_parentheses(text, target, bounds, since)
    if read is None:
        return found
    others = [each for each in found if each.end <= read.start or each.start >= read.end]
    return sorted([*others, read], key=lambda each: each.start)


def _plain(text: str, target: Target, bounds: Bounds, since: int) -> Found | None:
    """What is JSON with the bracket put before it, or in the place of the sign there."""
    first, fenced = _BEGINS.match(text, since), _IN_FENCE.search(text, since)
    for begins in filter(None, (first, fenced)):
        start = begins.end()
        for inner, opener in _openers(text, start, target.root):
            body = opener + text[inner:]
            length = json_end(body)
            end = inner + length - len(opener)
            if length < 0 or not (_ENDS if opener[0] == "{" else _ALL).match(text, end):
                continue
            reader = JsonReader(target.root, inner - len(opener), bounds, strict=True)
            reader.eof = True
            reader.feed(body[:length])
            if reader.root is None or not reader.done or reader.gave_up or reader.rest:
                continue
            _put(reader.root, start)
            reader.root.note(Note("wrong_opener" if inner > start else "missing_opener", start, inner, opener))
            return Found(reader.root, begins is fenced, False, _lead(text, start), end)
    return None


def _put(node: Node, start: int) -> None:
    """Has a document begin where it does in the text, and what it begins with, too: signs were put before it."""
    node.start = max(node.start, start)
    if node.kind == "object" and node.members:
        first = node.members[0]
        node.members[0] = first._replace(start=max(first.start, start))
    elif node.kind == "array" and node.items:
        _put(node.items[0], start)


def _openers(text: str, at: int, root: Shape) -> Iterator[tuple[int, str]]:
    """Where the document may go on behind its opening bracket, and what that bracket may be."""
    lists = "array" in root.kinds
    sign = text[at]
    if keyed := _KEYED.match(text, at):
        quote = "" if keyed["quote"] else '"'
        if "object" in root.kinds:
            yield at, "{" + quote
        if lists and root.items.takes_members:
            yield at, "[{" + quote
    elif lists and _is_item(sign, root):
        yield at, "["
        if "array" in root.items.kinds and sign != "[":
            yield at, "[["
    if sign in "({[":
        opener = "{" if _KEYED.match(text, end_of(SPACE, text, at + 1)) else "["
        if opener != sign and {"{": "object", "[": "array"}[opener] in root.kinds:
            yield at + 1, opener


def _is_item(sign: str, root: Shape) -> bool:
    """Whether what begins with this sign can only be an item of the declared list, and not the answer."""
    if sign == "{":
        return "object" not in root.kinds and root.items.takes_members
    return "array" in root.items.kinds if sign == "[" else sign in _ITEMS


def _members(found: list[Found], text: str, target: Target, bounds: Bounds, since: int) -> Found | None:
    """Members without the braces around them, from the first line or from one that begins with a key in quotes."""
    keys, last = target.root.properties, found[0].start if found else len(text)
    start = len(text) - len(text[since:].lstrip("\ufeff \t\r\n,"))
    first = _FIRST_KEY.match(text, start)
    if first is None or first[1] not in keys:
        start = next((line.start(1) - 1 for line in _LINE_KEY.finditer(text, since, last) if line[1] in keys), -1)
    if not 0 <= start < last or (found and text[start] not in '"“'):
        return None
    body = text.rstrip()
    inside = body.rstrip("`~")
    fenced = len(body) - len(inside) > 2 and inside.rstrip(" \t").endswith("\n")
    end = len(inside.rstrip() if fenced else body)
    reader = JsonReader(target.root, start - 1, bounds)
    reader.feed("{" + text[start:end])
    closed = reader.done
    if closed:
        end = min(end, reader.base + reader.pos)
    else:
        reader.feed("}")
        reader.close()
    if reader.root is None or reader.was_cut or (found and reader.faults) or _is_open(reader.root, end):
        return None
    reader.root.start, reader.root.end = start, end
    reader.root.note(Note("missing_opener", start, start, "{"))
    return Found(reader.root, fenced, not (closed or fenced), "", end)


def _is_open(node: Node, end: int) -> bool:
    """Whether a container inside is open where the text ends."""
    while node.kind in ("object", "array") and (last := node.last) is not None:
        node = last
        if any(note.kind == "missing_closer" and note.start >= end for note in node.remarks):
            return True
    return False


def _in_parentheses(text: str, target: Target, bounds: Bounds, since: int) -> Found | None:
    """A tuple of another language that is the whole text."""
    body = _TUPLE.fullmatch(text, since)
    if body is None:
        return None
    reader = JsonReader(target.root, body.start("tuple"), bounds)
    reader.eof = True
    reader.feed(body["tuple"])
    reader.close()
    if reader.root is None or reader.was_cut or reader.rest.strip():
        return None
    return Found(reader.root, False, False, "", body.end("tuple"), mended=True)


def _lead(text: str, start: int) -> str:
    return lead_of(text[max(0, start - HELD) : start])
