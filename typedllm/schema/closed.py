"""What the value at a place was chosen from, where the schema lists it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from typedllm.records import JsonSchema, JsonValue
from typedllm.schema.walk import Node, is_list, is_object, resolve

__all__ = ["closed_set"]

_CONSTANTS: Final[dict[object, tuple[JsonValue, ...]]] = {"boolean": (True, False), "null": (None,)}


def closed_set(document: JsonSchema, pointer: str, data: JsonValue) -> frozenset[bytes] | None:
    """The values that may stand at a place, as compact JSON in UTF-8; None where the schema does not list them.

    Of a union, those arms count whose tags agree with the data; the tag itself is chosen from those of all arms.

    Args:
        document: the schema of the whole.
        pointer: the place.
        data: the whole as it was read.
    """
    nodes: list[Node] = [document]
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        nodes = [child for node in nodes for child in _below(document, node, key, data)]
        data = _child(data, key)
    found = [_listed(document, node, ()) for node in nodes]
    if not found or None in found:
        return None
    return frozenset(_json(member) for members in found if members for member in members)


def _json(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _child(data: JsonValue, key: str) -> JsonValue:
    if is_object(data):
        return data.get(key)
    return data[int(key)] if is_list(data) and key.isdecimal() and int(key) < len(data) else None


def _below(document: JsonSchema, node: Node, key: str, data: JsonValue) -> Iterator[Node]:
    """The schemas of one step below a place."""
    for plain in _plain(document, node, key, data):
        prefix = plain.get("prefixItems", [])
        if is_list(data):
            listed = key.isdecimal() and int(key) < len(prefix)
            below = prefix[int(key)] if listed else plain.get("items")
        else:
            below = plain.get("properties", {}).get(key, plain.get("additionalProperties"))
        if isinstance(below, dict | bool) and below is not False:
            yield below


def _plain(document: JsonSchema, node: Node, key: str, data: JsonValue) -> list[JsonSchema]:
    """The schemas that hold at a place, references followed, with the arms of unions that may be meant."""
    found: list[JsonSchema] = []
    pending: list[Node | None] = [node]
    while pending:
        node_or_none = pending.pop()
        if not isinstance(node_or_none, dict) or any(node_or_none is seen for seen in found):
            continue
        found.append(node_or_none)
        pending.append(_target(document, node_or_none))
        pending += node_or_none.get("allOf", [])
        for union in ("anyOf", "oneOf"):
            arms = node_or_none.get(union, [])
            pending += [arm for arm in arms if _agrees(document, arm, key, data)] or arms
    return found


def _target(document: JsonSchema, node: JsonSchema) -> Node | None:
    return resolve(document, reference) if isinstance(reference := node.get("$ref"), str) else None


def _agrees(document: JsonSchema, arm: Node, key: str, data: JsonValue) -> bool:
    """Whether the constants of an arm, that of the place in question left aside, are those of the data."""
    trail: list[Node] = []
    while isinstance(arm, dict) and "$ref" in arm and arm not in trail:
        trail.append(arm)
        arm = _target(document, arm) or False
    if not isinstance(arm, dict) or not is_object(data):
        return True
    tags: dict[str, Any] = {name: child for name, child in arm.get("properties", {}).items() if name != key}
    return all(
        data[name] == child["const"]
        for name, child in tags.items()
        if is_object(child) and "const" in child and name in data
    )


def _listed(document: JsonSchema, node: Node, trail: tuple[Node, ...]) -> list[JsonValue] | None:
    """The members of a schema that lists them: an enum, a constant, a boolean, null, a union of these."""
    if isinstance(node, bool) or any(node is seen for seen in trail):
        return None
    if "const" in node:
        return [node["const"]]
    if is_list(listed := node.get("enum")):
        return listed
    if (target := _target(document, node)) is not None:
        return _listed(document, target, (*trail, node))
    for union in ("anyOf", "oneOf"):
        if is_list(arms := node.get(union)):
            found = [_listed(document, arm, (*trail, node)) for arm in arms]
            return None if None in found else [member for members in found if members for member in members]
    kind = node.get("type")
    known = [_CONSTANTS.get(each) for each in (kind if is_list(kind) else [kind])]
    return None if not known or None in known else [value for values in known if values for value in values]
