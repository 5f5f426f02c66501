"""Whether a value has the form that a schema describes: which arm of a union it is meant for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from typedllm.records import MISSING, JsonSchema
from typedllm.schema.walk import Node, is_list, is_object, resolve

_BOUNDS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "exclusiveMinimum": lambda value, bound: value > bound,
    "exclusiveMaximum": lambda value, bound: value < bound,
}
_DEEPEST: Final = 60


def kind_of(value: object) -> str:
    """The JSON kind of a value; `number` for every number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "object" if is_object(value) else "array" if is_list(value) else "string"


def same(one: object, other: object) -> bool:
    """Whether two JSON values are equal: true is not 1."""
    if kind_of(one) != kind_of(other):
        return False
    if is_object(one) and is_object(other):
        return one.keys() == other.keys() and all(same(part, other[key]) for key, part in one.items())
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def admits(document: JsonSchema, node: Node, value: object, depth: int = 0) -> bool:
    """Whether a value has this form: kinds, constants, keys, sizes and bounds; patterns and formats are not looked at.

    Args:
        document: what references point into.
        node: the schema.
        value: plain JSON data.
        depth: how many levels were gone down already; from a bound on, everything is admitted.
    """
    if isinstance(node, bool) or depth > _DEEPEST:
        return node is not False

    def down(part: Node, inner: object) -> bool:
        return admits(document, part, inner, depth + 1)

    if isinstance(reference := node.get("$ref"), str):
        target = resolve(document, reference)
        if target is not None and not down(target, value):
            return False
    if not _is_one_of(node, value) or not _is_typed(node, value):
        return False
    if not all(down(part, value) for part in node.get("allOf", ())) or ("not" in node and node["not"] in ({}, True)):
        return False
    for keyword in ("anyOf", "oneOf"):
        if keyword in node and not any(down(arm, value) for arm in node[keyword]):
            return False
    if is_object(value):
        return _is_object(node, value, down)
    return _is_list(node, value, down) if is_list(value) else _is_bounded(node, value)


def _is_one_of(node: JsonSchema, value: object) -> bool:
    if "const" in node and not same(node["const"], value):
        return False
    return "enum" not in node or any(same(each, value) for each in node["enum"])


def _is_typed(node: JsonSchema, value: object) -> bool:
    if "type" not in node:
        return True
    types = node["type"] if is_list(node["type"]) else [node["type"]]
    kind = kind_of(value)
    whole = kind == "number" and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    return kind in types or (whole and "integer" in types)


def _is_object(node: JsonSchema, value: Mapping[str, Any], down: Callable[[Node, object], bool]) -> bool:
    properties, patterns = node.get("properties", {}), node.get("patternProperties")
    if any(name not in value for name in node.get("required", ())):
        return False
    extra: Node = True if patterns else node.get("additionalProperties", True)
    return all(down(properties.get(name, extra), part) for name, part in value.items())


def _is_list(node: JsonSchema, value: list[Any], down: Callable[[Node, object], bool]) -> bool:
    if len(value) < node.get("minItems", 0) or len(value) > node.get("maxItems", len(value)):
        return False
    prefix, rest = node.get("prefixItems", []), node.get("items", True)
    return all(down(prefix[index] if index < len(prefix) else rest, part) for index, part in enumerate(value))


def _is_bounded(node: JsonSchema, value: object) -> bool:
    if isinstance(value, str):
        return bool(node.get("minLength", 0) <= len(value) <= node.get("maxLength", len(value)))
    if kind_of(value) != "number":
        return True
    return all(keyword not in node or holds(value, node[keyword]) for keyword, holds in _BOUNDS.items())


def likeness(document: JsonSchema, node: Node, value: object) -> int:
    """How much a value that is not admitted still looks as if it were meant for a schema; higher is more."""
    for _ in range(_DEEPEST):
        if is_object(node) and "$ref" in node:
            node = resolve(document, node["$ref"]) or True
    if isinstance(node, bool) or not _is_typed(node, value):
        return 0
    if not is_object(value):
        return 1
    score = 1
    for name, part in node.get("properties", {}).items():
        found = value.get(name, MISSING)
        constant = is_object(part) and ("const" in part or len(part.get("enum", ())) == 1)
        if found is not MISSING:
            score += (100 if _is_one_of(part, found) else -100) if constant else 1
    return score
