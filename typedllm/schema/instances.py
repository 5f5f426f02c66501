"""A small example of a schema: the same bytes for the same schema, and always valid against it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from typedllm.errors import SchemaError
from typedllm.records import MISSING, JsonSchema
from typedllm.schema.patterns import PatternError, compile_pattern
from typedllm.schema.subschema import Member, assemble
from typedllm.schema.walk import Node, is_list, is_object, resolve

PLACEHOLDER: Final = "..."
"""What stands for a text of which nothing is known."""

_DEPTH: Final = 12
_TEXTS: Final[Mapping[str, str]] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT1H30M",
    "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "uri": "https://example.org/",
    "email": "name@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "json-string": "{}",
}
_TRIES: Final = ("text", "Text", "TEXT", "a", "A", "1", "12", "123", "1234", "12345", "+15550100", "a1", "A1")


def instance(document: JsonSchema, node: Node | None = None) -> Any:
    """An example of a schema, or of a part of it.

    Required properties only, one item in each list that may have one; texts are `PLACEHOLDER` or as their format asks.

    Args:
        document: the schema.
        node: the part, whose references point into `document`; None: the whole.

    Returns:
        JSON data that is valid, or `MISSING` where none was found, as with most patterns.
    """
    made = _Maker(document).make(document if node is None else node, 0)
    return made if made is not MISSING and _is_valid(document, node, made) else MISSING


def _is_valid(document: JsonSchema, node: Node | None, made: Any) -> bool:
    from typedllm.schema.documents import load

    whole = document if node is None else assemble(document, {"part": Member(node, True)})
    try:
        return not load(whole).iter_issues(made if node is None else {"part": made})
    except SchemaError:
        return False


class _Maker:
    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._open: list[object] = []

    def make(self, node: Node, depth: int) -> Any:
        """The first of the ways to an example that leads to one."""
        if isinstance(node, bool) or not node:
            return MISSING if node is False else PLACEHOLDER
        reference = node.get("$ref")
        if depth > _DEPTH or (reference is not None and reference in self._open):
            return MISSING
        self._open.append(reference)
        made = next((made for made in self._ways(node, depth) if made is not MISSING), MISSING)
        self._open.pop()
        return made

    def _ways(self, node: JsonSchema, depth: int) -> Iterator[Any]:
        if "const" in node:
            yield node["const"]
        yield from node.get("examples", [])[:1]
        yield from node.get("enum", [])[:1]
        if whole := self._merged(node):
            yield self.make(whole, depth + 1)
        for key in ("anyOf", "oneOf"):
            arms = [{**_without(node, key), **arm} if is_object(arm) else arm for arm in node.get(key, ())]
            for arm in sorted(arms, key=lambda arm: is_object(arm) and arm.get("type") == "null"):
                yield self.make(arm, depth + 1)
        declared = node.get("type", [])
        for type_ in sorted(declared if is_list(declared) else [declared], key=lambda type_: type_ == "null"):
            yield _OF_TYPE[type_](self, node, depth) if type_ in _OF_TYPE else MISSING
        if "type" not in node and "properties" in node:
            yield self.of_object(node, depth)

    def _merged(self, node: JsonSchema) -> JsonSchema:
        """The node with its reference and the parts of its `allOf` written into it; empty when it has none."""
        parts: list[Node] = list(node.get("allOf", ()))
        if isinstance(reference := node.get("$ref"), str):
            parts.append(resolve(self._document, reference) or False)
        if not parts:
            return {}
        whole: JsonSchema = _without(node, "allOf", "$ref")
        for part in parts:
            if not is_object(part):
                continue
            properties: JsonSchema = {**whole.get("properties", {}), **part.get("properties", {})}
            required = [*whole.get("required", ()), *part.get("required", ())]
            whole = {**part, **whole, "properties": properties, "required": required}
        return {key: value for key, value in whole.items() if value or key not in ("properties", "required")}

    def of_object(self, node: JsonSchema, depth: int) -> Any:
        """The required properties; more where a least number is asked for."""
        known: dict[str, Node] = node.get("properties", {})
        made: dict[str, Any] = {}
        for name in [*node.get("required", ()), *known, *(f"key{n}" for n in range(1, 4))]:
            if name not in node.get("required", ()) and len(made) >= node.get("minProperties", 0):
                break
            other: Node = node.get("additionalProperties", True)
            made[name] = self.make(known.get(name, other), depth + 1)
        return MISSING if MISSING in made.values() else made

    def of_array(self, node: JsonSchema, depth: int) -> Any:
        """What is asked for at least, and one item where one may stand."""
        least, most = node.get("minItems", 0), node.get("maxItems", math.inf)
        prefix = [self.make(part, depth + 1) for part in node.get("prefixItems", ())]
        item: Any = self.make(node.get("items", not prefix), depth + 1)
        if item is MISSING or len(prefix) >= most:
            made: list[Any] = prefix
        else:
            made = [*prefix, *[item] * min(max(least - len(prefix), not prefix), 50)]
        return MISSING if MISSING in made or len(made) < least else made

    def of_string(self, node: JsonSchema, _: int) -> Any:
        """A text by its format or pattern, as long as it must be."""
        least, most = node.get("minLength", 0), node.get("maxLength", math.inf)
        tries = (
            [_TEXTS[node["format"]]]
            if node.get("format") in _TEXTS
            else [PLACEHOLDER, "." * min(least, 1000), *_TRIES, ""]
        )
        try:
            pattern = compile_pattern(node.get("pattern", ""))
        except PatternError:
            return MISSING
        return next((text for text in tries if least <= len(text) <= most and pattern.search(text)), MISSING)

    def of_boolean(self, *_: object) -> Any:
        """Either."""
        return True

    def of_null(self, *_: object) -> Any:
        """Null."""
        return None

    def of_number(self, node: JsonSchema, _: int) -> Any:
        """A small number within the bounds."""
        step = node.get("multipleOf", 1 if node.get("type") == "integer" else 0)
        low = max(node.get("minimum", -math.inf), node.get("exclusiveMinimum", -math.inf))
        high = min(node.get("maximum", math.inf), node.get("exclusiveMaximum", math.inf))
        tries = [1, 0, low, low + (step or 1), high, high - (step or 1), (low + high) / 2, step]
        tries += [math.ceil(low / step) * step] if step and low > -math.inf else []
        return next((_plain(number) for number in tries if _within(number, node, step)), MISSING)


def _within(number: float, node: JsonSchema, step: float) -> bool:
    return (
        math.isfinite(number)
        and number >= node.get("minimum", -math.inf)
        and number <= node.get("maximum", math.inf)
        and number > node.get("exclusiveMinimum", -math.inf)
        and number < node.get("exclusiveMaximum", math.inf)
        and not (step and number % step)
    )


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _without(node: JsonSchema, *keys: str) -> JsonSchema:
    return {key: value for key, value in node.items() if key not in keys}


_OF_TYPE: Final[Mapping[Any, Callable[[_Maker, JsonSchema, int], Any]]] = {
    "object": _Maker.of_object,
    "array": _Maker.of_array,
    "string": _Maker.of_string,
    "number": _Maker.of_number,
    "integer": _Maker.of_number,
    "boolean": _Maker.of_boolean,
    "null": _Maker.of_null,
}
