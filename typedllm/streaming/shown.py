"""What is shown of a value: the parts that are open, outermost first, or the whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from typedllm.records import MISSING
from typedllm.schema.subschema import steps
from typedllm.schema.walk import is_list, is_object
from typedllm.streaming.parts import below
from typedllm.streaming.snapshots import Change, Open, Text


def same(one: Any, other: Any) -> bool:
    """Whether two parts are the same JSON: `1`, `1.0` and `true` are not."""
    return one is other or (one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def goes_on(part: Open, data: Any) -> bool:
    """Whether data still has all that was shown of an open part."""
    shown = part.parts
    if isinstance(shown, Text):
        return isinstance(data, str) and data.startswith(shown.upto(len(shown)))
    if isinstance(shown, list):
        return is_list(data) and same(data[: len(shown)], shown)
    if not is_object(data) or not shown.keys() <= data.keys():
        return False
    return same({key: data[key] for key in shown}, shown)


def ends(chain: Sequence[Open], data: Any) -> list[Change] | None:
    """The changes that close what is open with the parts of a whole, innermost first; None: it is not what was shown."""
    made: list[Change] = []
    for part in chain:
        if made:
            data = below(data, str(part.key))
        if not goes_on(part, data):
            return None
        made.append(("closed", part.above, part.key, data))
    return made[::-1]


def settled(chain: Sequence[Open], root: Any, data: Any) -> list[Change]:
    """The changes that end what was shown in the whole that it turned out to be."""
    made = ends(chain, data) if root is MISSING else None
    whole: Change = ("closed", None, "", data)
    if made is None:
        void: Change = ("restarted", None, "", MISSING)
        return [void, whole]
    return made or [whole]


def part_at(chain: Sequence[Open], root: Any, pointer: str, *, growing: bool) -> Any:
    """The data at a JSON Pointer; `MISSING` where nothing is closed.

    Args:
        chain: what is open.
        root: the whole, once it is closed.
        pointer: of the part.
        growing: whether a list that is open counts, as far as it came.
    """
    path, data, depth = steps(pointer), root, 0
    for inner in chain[1:]:
        if depth == len(path) or path[depth] != str(inner.key):
            break
        depth += 1
    if chain:
        part = chain[depth]
        data = part.parts
        if part.gone or isinstance(data, Text):
            return MISSING
        if depth == len(path):
            return data[:] if growing and isinstance(data, list) else MISSING
    for key in path[depth:]:
        data = below(data, key)
    return data
