"""The insides of fences: a scalar that stands in one is found by it, as a container is by its bracket."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from typedllm.reading.alone import read_scalar
from typedllm.reading.bounds import Bounds
from typedllm.reading.found import AHEAD, Found, lead_of
from typedllm.reading.shape import Shape
from typedllm.records import Span

_FENCE: Final = re.compile(r"(`{3,}+|~{3,}+)[ \t]*$|^(`{3,}+|~{3,}+)[^\n]*$", re.MULTILINE)
_SCALAR: Final = re.compile(
    r'"(?:[^"\\\x00-\x1f]|\\.)*+"|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null'
)


def insides(text: str) -> Iterator[Span]:
    """Where the insides of fences stand; that of one that nothing closes, if the text begins with it, or if a scalar of
    JSON is all that stands in it.
    """
    mark, start, first = "", 0, True
    for sign in _FENCE.finditer(text):
        if mark and (sign[1] or "").startswith(mark):
            yield Span(start, sign.start())
            mark, first = "", False
        elif not mark and text[max(0, sign.start() - 1) : sign.start()] in ("", "\n"):
            mark, start = sign[1] or sign[2], sign.end()
    begins = first and mark and not text[: text.index(mark)].strip()
    if mark and (begins or _SCALAR.fullmatch(text[start:].strip())):
        yield Span(start, len(text))


def scalars(text: str, since: int, found: Sequence[Found], root: Shape, bounds: Bounds) -> Iterator[Found]:
    """The scalars of JSON that stand in fences of their own, as candidates beside the containers that were found.

    Args:
        text: the reply.
        since: where the answer may begin.
        found: the containers.
        root: what the answer is declared to be.
        bounds: what it may hold.
    """
    taken = [(each.start, each.end) for each in found]
    for start, end in insides(text[since:]):
        inside = text[since + start : since + end]
        body = inside.strip()
        at = since + start + inside.find(body)
        if _SCALAR.fullmatch(body) and not any(begun <= at < ended for begun, ended in taken):
            node = read_scalar(body, at, root, bounds)
            yield Found(node, True, False, lead_of(text[max(0, at - 2 * AHEAD) : at]), at + len(body))
