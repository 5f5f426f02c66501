"""Whether two types have no value in common, as far as their kinds, keys and constants show it."""

from __future__ import annotations

from typing import Any, Final

from typedllm.records import JsonSchema
from typedllm.schema.admits import same
from typedllm.schema.walk import Node, is_list, is_object, resolve

_DEEPEST: Final = 8


def disjoint(document: JsonSchema, one: Node, other: Node, depth: int = 0) -> bool:
    """Whether no value has both forms; False where that is not plain.

    Args:
        document: what references point into.
        one: a schema.
        other: another.
        depth: how many levels were gone down already.
    """
    one, other = _resolved(document, one), _resolved(document, other)
    if depth > _DEEPEST or isinstance(one, bool) or isinstance(other, bool):
        return one is False or other is False
    for a, b in ((one, other), (other, one)):
        for keyword in ("anyOf", "oneOf"):
            if keyword in a:
                return all(disjoint(document, arm, b, depth + 1) for arm in a[keyword])
    if not _types(one) & _types(other):
        return True
    values, others = _values(one), _values(other)
    if values is not None and others is not None:
        return not any(same(a, b) for a in values for b in others)
    if _types(one) & _types(other) != {"object"}:
        return False
    return _lacks_keys(one, other) or _lacks_keys(other, one) or _tagged(document, one, other, depth)


def _resolved(document: JsonSchema, node: Node) -> Node:
    for _ in range(_DEEPEST):
        if is_object(node) and "$ref" in node:
            node = resolve(document, node["$ref"]) or True
    return node


def _types(node: JsonSchema) -> set[str]:
    declared = node.get("type", ["object", "array", "string", "number", "boolean", "null"])
    types: set[str] = set(declared if is_list(declared) else [declared])
    return types - {"integer"} | ({"number"} if "integer" in types else set())


def _values(node: JsonSchema) -> list[Any] | None:
    return [node["const"]] if "const" in node else node.get("enum")


def _lacks_keys(one: JsonSchema, other: JsonSchema) -> bool:
    """Whether an object needs a key that the other may not have."""
    closed = other.get("additionalProperties") is False
    return closed and any(name not in other.get("properties", {}) for name in one.get("required", ()))


def _tagged(document: JsonSchema, one: JsonSchema, other: JsonSchema, depth: int) -> bool:
    """Whether both need a key whose values differ."""
    common = set(one.get("required", ())) & set(other.get("required", ()))
    both = [(one.get("properties", {}).get(name, True), other.get("properties", {}).get(name, True)) for name in common]
    return any(disjoint(document, a, b, depth + 1) for a, b in both)
