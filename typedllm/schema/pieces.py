"""Small parts of the rewriting of schemas: keywords, words, and the forms that are added."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from typedllm.records import JsonSchema
from typedllm.schema.build import HINTS
from typedllm.schema.comments import literal, rules
from typedllm.schema.walk import Node, is_list, is_object

KINDS: Final = ("object", "array", "string", "integer", "number", "boolean", "null")
SILENT: Final = (
    frozenset(
        {"title", "description", "examples", "deprecated", "readOnly", "writeOnly", "discriminator", "default"}
        | {"contentEncoding", "contentMediaType", "$schema", "$defs", "$comment", "$id", "$anchor"}
    )
    | HINTS
)
SHAPE: Final = frozenset({"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "properties", "required"}) | {
    "additionalProperties",
    "items",
    "prefixItems",
}
KIND_BY_KEYWORD: Final[Mapping[str, str]] = {
    "properties": "object",
    "additionalProperties": "object",
    "patternProperties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
}
"""The kind of value that a keyword is about: where no type is declared, that is meant."""
_NOT_PLAIN: Final = re.compile(r"\(\?(?:[=!]|<[=!]|P?[=<>(])|\\[1-9bBk]|[*+?}]\+")
_LONGEST: Final = 200


def words(node: JsonSchema, lost: JsonSchema, *, with_default: bool) -> list[str]:
    """The rules that are lost, and the hints, each in a few words."""
    told = {key: node[key] for key in node if key in lost or key in HINTS or key in ("examples", "deprecated", "type")}
    told = without(told, "x-names")
    if with_default and "default" in node:
        told["default"] = node["default"]
    if "contentMediaType" in node:
        told["contentMediaType"] = node["contentMediaType"]
    words = rules(told)
    for key in lost:
        if not rules({key: lost[key]}) and key not in ("format", "minItems", "maxItems", "exclusiveMinimum"):
            written = f"{key}: {literal(lost[key])}"
            words += [written] if len(written) <= _LONGEST else []
    return words


def described(description: str, words: list[str]) -> str:
    """A description with words behind it."""
    said = "; ".join(words)
    return f"{description} ({said})" if description and said else description or said


def is_kept(pattern: str, patterns: str) -> bool:
    """Whether a pattern is of the kind that is taken: `any`, `plain` or `anchored`."""
    if patterns == "any":
        return True
    plain = not _NOT_PLAIN.search(pattern)
    return plain and (patterns == "plain" or (pattern.startswith("^") and pattern.endswith("$")))


def without(node: JsonSchema, *keys: str) -> JsonSchema:
    """The schema without these keywords."""
    return {key: value for key, value in node.items() if key not in keys}


def name_of(reference: str) -> str:
    """The name of what a reference points to."""
    return reference.removeprefix("#/$defs/") if reference.startswith("#/$defs/") else "Whole"


def names(word: str) -> Iterator[str]:
    """Names to choose from, the first that is free wins."""
    yield word
    number = 1
    while number := number + 1:
        yield f"{word}_{number}"


def kinds_of(node: JsonSchema) -> list[str]:
    """The types that a schema names, or that its keywords are about."""
    declared = node.get("type")
    if declared is None:
        return list(dict.fromkeys(kind for key, kind in KIND_BY_KEYWORD.items() if key in node))
    return list(declared) if is_list(declared) else [declared]


def is_kind(value: object, kind: str) -> bool:
    """Whether a JSON value is of this type; each value is of one."""
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int):
        return kind == "integer"
    if isinstance(value, float):
        return kind == "number"
    return kind == (
        "null" if value is None else "object" if is_object(value) else "array" if is_list(value) else "string"
    )


def is_constant(part: Node) -> bool:
    """Whether there is one possible value."""
    return is_object(part) and ("const" in part or len(part.get("enum", ())) == 1)


def keys_of(wire: Node) -> Iterable[str]:
    """The declared keys of an object."""
    keys: Iterable[str] = wire.get("properties", {}) if is_object(wire) else ()
    return keys


def wrapped(wire: JsonSchema, key: str) -> JsonSchema:
    """An object with this as its only property."""
    return {"type": "object", "properties": {key: wire}, "required": [key], "additionalProperties": False}


def nullable(wire: JsonSchema) -> JsonSchema:
    """The schema with null; its description stays outside."""
    if wire.get("type") == "null" or None in wire.get("enum", ()):
        return wire
    arms = wire.get("anyOf", [without(wire, "description", "default")])
    if not any(arm.get("type") == "null" or None in arm.get("enum", ()) for arm in arms):
        arms = [*arms, {"type": "null"}]
    return {"anyOf": arms, **{key: wire[key] for key in ("description", "default") if key in wire}}
