"""How large a schema is, by what services bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from typedllm.records import JsonSchema
from typedllm.schema.accepts import Limits
from typedllm.schema.walk import Node, children, is_list, is_object, resolve, walk

_NAMES: Final[dict[str, str]] = {
    "properties": "properties",
    "depth": "levels of nesting",
    "enum_values": "enum values",
    "optional": "optional properties",
    "unions": "parts of several types",
    "characters": "characters of names and enum values",
}


def too_large(schema: JsonSchema, limits: Limits) -> Iterator[str]:
    """Which limits a schema exceeds, in words."""
    measured = measures(schema)
    for name, words in _NAMES.items():
        most = getattr(limits, name)
        if most is not None and measured[name] > most:
            yield f"{measured[name]:,} {words}, of {most:,} at most"


def measures(schema: JsonSchema) -> dict[str, int]:
    """The size of a schema under the names of `Limits`."""
    found = dict.fromkeys(_NAMES, 0)
    found["characters"] = sum(map(len, schema.get("$defs", {})))
    for _, node in walk(schema):
        if not is_object(node):
            continue
        properties, values = node.get("properties", {}), node.get("enum", [])
        constants = [node["const"]] if "const" in node else values
        found["properties"] += len(properties)
        found["optional"] += sum(name not in node.get("required", ()) for name in properties)
        found["enum_values"] += len(values)
        found["unions"] += "anyOf" in node or "oneOf" in node or is_list(node.get("type"))
        found["characters"] += sum(map(len, properties)) + sum(len(v) for v in constants if isinstance(v, str))
    found["depth"] = _depth(schema, schema, frozenset())
    return found


def _depth(document: JsonSchema, node: Node, above: frozenset[str]) -> int:
    """Objects and lists within each other; a recursive part counts once."""
    if not is_object(node):
        return 0
    reference = node.get("$ref")
    if isinstance(reference, str):
        target = None if reference in above else resolve(document, reference)
        return 0 if target is None else _depth(document, target, above | {reference})
    own = int("properties" in node or "items" in node or "prefixItems" in node)
    inner = [_depth(document, part, above) for path, part in children(node) if path[0] != "$defs"]
    return own + max(inner, default=0)
