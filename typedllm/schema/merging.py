"""What several schemas that all hold say, as one schema."""

from __future__ import annotations

from collections.abc import Callable

from typedllm.records import JsonSchema
from typedllm.schema.pieces import SILENT, without
from typedllm.schema.walk import is_object, resolve


def merged(document: JsonSchema, node: JsonSchema, lose: Callable[[str], None]) -> JsonSchema:
    """The node with its `allOf`, and with a reference that has rules beside it, laid into it.

    Args:
        document: what references point into.
        node: the schema.
        lose: is told what cannot be said by one schema.
    """
    seen: set[str] = set()
    while ("$ref" in node and node.keys() - SILENT - {"$ref"}) or "allOf" in node:
        parts = [{"$ref": node["$ref"]}] if "$ref" in node else []
        parts += [part for part in node.get("allOf", ()) if is_object(part)]
        node = {key: value for key, value in node.items() if key not in ("$ref", "allOf")}
        if len(parts) == 1 and not node.keys() - SILENT:
            node = {**parts[0], **node}
            continue
        for part in parts:
            reference = part.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                part = {**without(part, "$ref"), **target_of(document, reference)}
            node = _both(node, without(part, "$ref"), lose)
    return node


def _both(one: JsonSchema, other: JsonSchema, lose: Callable[[str], None]) -> JsonSchema:
    """What two schemas that both hold say, as far as one schema can say it."""
    made = {**other, **one}
    for key in ("properties", "patternProperties"):
        if key in one and key in other:
            both = {name: {"allOf": [other[key][name], part]} for name, part in one[key].items() if name in other[key]}
            made[key] = {**other[key], **one[key], **both}
    if "required" in one and "required" in other:
        made["required"] = list(dict.fromkeys([*other["required"], *one["required"]]))
    if "allOf" in one and "allOf" in other:
        made["allOf"] = [*other["allOf"], *one["allOf"]]
    for key in sorted(one.keys() & other.keys() - SILENT - {"properties", "patternProperties", "required", "allOf"}):
        if one[key] != other[key]:
            lose(f"two rules for {key}")
    return made


def target_of(document: JsonSchema, reference: str) -> JsonSchema:
    """What a reference points to; of one that points nowhere, a schema that says nothing."""
    target = resolve(document, reference)
    return target if is_object(target) else {}
