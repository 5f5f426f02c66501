"""What `jsonschema` finds wrong, as issues: a real path, the rule in words, and of a union the meant branch only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, cast

from typedllm.records import Issue, JsonSchema
from typedllm.schema.dialects import NAMED, pointer
from typedllm.schema.references import Resolved
from typedllm.schema.walk import Node, is_list, is_object

GOT: Final = 80
"""Most characters of a value that an issue shows."""

_ALTERNATIVES: Final = 12
_WORDS: Final = 200
_PLURAL: Final = re.compile(r"\b1 (item|key|character)s")
_TYPE_NAMES: Final = {"integer": "an integer", "array": "a list", "object": "an object"}

# Keyword: code, and the rule in words; `{}` is the keyword's value.
_RULES: Final[dict[str, tuple[str, str]]] = {
    "minimum": ("minimum", "at least {}"),
    "maximum": ("maximum", "at most {}"),
    "exclusiveMinimum": ("exclusive_minimum", "more than {}"),
    "exclusiveMaximum": ("exclusive_maximum", "less than {}"),
    "multipleOf": ("multiple_of", "a multiple of {}"),
    "minLength": ("min_length", "a text of at least {} characters"),
    "maxLength": ("max_length", "a text of at most {} characters"),
    "pattern": ("pattern", "a text that matches {}"),
    "format": ("format", "a text of the format {}"),
    "minItems": ("min_items", "at least {} items"),
    "maxItems": ("max_items", "at most {} items"),
    "uniqueItems": ("unique_items", "items that all differ"),
    "minProperties": ("min_properties", "at least {} keys"),
    "maxProperties": ("max_properties", "at most {} keys"),
    "minContains": ("min_contains", "more items of the kind {kind}: at least {}"),
    "maxContains": ("max_contains", "fewer items of the kind {kind}: at most {}"),
    "contains": ("contains", "at least one item of the kind {kind}"),
    "not": ("not", "anything but {kind}"),
}


class Missing(NamedTuple):
    """Stands for the value at a key that is not there."""

    because: str = ""


def shown(value: object, limit: int = GOT) -> str:
    """A value as JSON text, cut to a bound; the work is bounded as well."""
    if isinstance(value, str):
        value = value[: limit + 1]
    if isinstance(value, int) and value.bit_length() > 4 * limit:
        return "a number of many digits"
    pieces: list[str] = []
    size = 0
    try:
        for piece in json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), default=str).iterencode(value):
            pieces.append(piece[: limit + 1])
            size += len(piece)
            if size > limit:
                break
    except ValueError:
        # Python writes no integer of more than some thousand digits.
        pieces.append("...")
    text = "".join(pieces).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


class Explainer:
    """Turns the errors of one document's validator into issues."""

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved

    def issues(self, errors: Iterable[Any], most: int) -> tuple[Issue, ...]:
        """The first issues, no more than `most`, each path and code once."""
        found: dict[tuple[str, str, str], Issue] = {}
        listing = 0
        for issue in islice((issue for error in errors for issue in self._explain(error)), 4 * most):
            found.setdefault((issue.path, issue.code, issue.expected), issue)
            listing += issue.code in ("enum", "const")
            if len(found) - listing >= most:
                break
        listed = {path for path, code, _ in found if code in ("enum", "const")}  # this tells the type as well
        return tuple(issue for issue in found.values() if issue.code != "type" or issue.path not in listed)[:most]

    def _explain(self, error: Any) -> Iterator[Issue]:
        if error.validator in ("anyOf", "oneOf") and error.context:
            yield from self._union(error)
            return
        path = pointer(*error.absolute_path)
        missing = isinstance(error.instance, Missing)
        got = "" if missing else shown(error.instance)
        code, expected, message = self._rule(error)
        expected = _PLURAL.sub(r"1 \1", expected)
        yield Issue(path, code, expected, got, message or self._condition(error))

    def _rule(self, error: Any) -> tuple[str, str, str]:
        """Code, expectation and message of an error that is no union's."""
        keyword, value = error.validator, error.validator_value
        schema = error.schema if is_object(error.schema) else {}
        match keyword:
            case "type":
                return "type", self.words({"type": value}), ""
            case "enum" | "const":
                return keyword, self.words({keyword: value}), ""
            case "required" | "dependentRequired" | "dependencies" if isinstance(error.instance, Missing):
                name = error.absolute_path[-1]
                return "missing", self.words(self._property(schema, name)), error.instance.because
            case "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" | "additionalItems":
                return "extra", "", self._known(schema, keyword)
            case "items" if value is False:
                return "extra", f"at most {len(schema.get('prefixItems', ()))} items", ""
            case "propertyNames":
                inner = next((issue for one in error.context for issue in self._explain(one)), None)
                return "property_name", f"a key that is {inner.expected or 'another' if inner else 'another'}", ""
            case "oneOf":
                return "one_of", f"exactly one of {self.words({'oneOf': value})}", "several of them fit"
            case "undecided":
                return (
                    "undecided",
                    f"a text of at most {value} characters",
                    "its pattern cannot be tried on a longer one",
                )
            case "not" if is_object(value) and not value:
                return "never", "", "nothing is allowed here"
            case _ if keyword in _RULES:
                return self._bound(keyword, value, schema)
            case _:
                return "never", "", "nothing is allowed here"

    def _bound(self, keyword: str, value: Any, schema: JsonSchema) -> tuple[str, str, str]:
        code, text = _RULES[keyword]
        # Draft 4 says so with a flag beside the bound.
        if schema.get(f"exclusiveM{keyword[1:]}") is True:
            code, text = _RULES[f"exclusiveM{keyword[1:]}"]
        kind: Node = value if isinstance(value, bool) or is_object(value) else {}
        if "ontains" in keyword:
            kind = schema.get("contains", {})
        shape = text.format(value if isinstance(value, str) else shown(value), kind=self.words(kind))
        return code, shape[:_WORDS], ""

    def _property(self, schema: JsonSchema, name: object) -> Node:
        properties = schema.get("properties", {})
        return cast("Node", properties.get(name, {}))

    def _known(self, schema: JsonSchema, keyword: str) -> str:
        if keyword not in ("additionalProperties", "unevaluatedProperties"):
            return "no further items are allowed"
        names = list(schema.get("properties", {}))
        if not names or keyword == "unevaluatedProperties" or "patternProperties" in schema:
            return "this key is not allowed here"
        return f"no such key (the keys are {_cut([json.dumps(name, ensure_ascii=False) for name in names], ', ')})"

    def _condition(self, error: Any) -> str:
        """Says that the rule holds by a condition, when it does."""
        parts = list(error.absolute_schema_path)
        conditional = any(
            part in ("then", "else") and (index == 0 or parts[index - 1] not in NAMED)
            for index, part in enumerate(parts)
        )
        return "needed by a condition on the rest of the value" if conditional else ""

    # --- unions -----------------------------------------------------------------------------------------------

    def _union(self, error: Any) -> Iterator[Issue]:
        arms: dict[int, list[Any]] = {}
        for one in error.context:
            # What an arm that is plain `false` finds wrong has no path in the schema.
            if one.schema_path:
                arms.setdefault(one.schema_path[0], []).append(one)
        schemas = error.validator_value
        wrong_tag = self._by_tag(error, schemas, arms)
        if wrong_tag is not None:
            yield wrong_tag
            return
        if not arms:
            yield Issue(pointer(*error.absolute_path), "never", "", shown(error.instance), "nothing is allowed here")
            return
        unknown = [self._unknown(schema, error.instance) for schema in schemas]
        chosen = min(arms, key=lambda index: (*_distance(arms[index]), unknown[index], index))
        if _distance(arms[chosen])[0]:
            yield Issue(pointer(*error.absolute_path), "union", self.words({"anyOf": schemas}), shown(error.instance))
            return
        for one in arms[chosen]:
            yield from self._explain(one)

    def _unknown(self, schema: Node, value: object) -> int:
        """How many keys of the value an arm does not declare."""
        return len(value.keys() - self._followed(schema).get("properties", {}).keys()) if is_object(value) else 0

    def _by_tag(self, error: Any, schemas: list[Node], arms: dict[int, list[Any]]) -> Issue | None:
        """Leaves the arms that the value's tag names; an issue when it names none."""
        value = error.instance
        if not is_object(value):
            return None
        tags = {index: self._tags(schema) for index, schema in enumerate(schemas) if self._kind(schema) != "other"}
        for name in next(iter(tags.values()), ()):
            allowed = [tag[name] for tag in tags.values() if name in tag]
            flat = [json.dumps(option) for options in allowed for option in options]
            if len(allowed) != len(tags) or len(set(flat)) != len(flat) or len(tags) < 2:
                continue
            meant = [i for i, tag in tags.items() if name in value and any(value[name] == one for one in tag[name])]
            if not meant:
                expected = self.words({"enum": [option for options in allowed for option in options]})
                path = pointer(*error.absolute_path, name)
                there = name in value
                return Issue(path, "tag" if there else "missing", expected, shown(value[name]) if there else "")
            for index in [index for index in arms if index not in meant]:
                del arms[index]
            return None
        return None

    def _kind(self, schema: Node) -> str:
        """Whether a schema is for objects (or might be); what is for other values has no tag."""
        said = self._followed(schema).get("type", "object")
        return "object" if said == "object" or (is_list(said) and "object" in said) else "other"

    def _followed(self, schema: Node | None) -> JsonSchema:
        seen = 0
        while is_object(schema) and "$ref" in schema and seen < GOT:
            schema, seen = self.resolved.target(schema), seen + 1
        return schema if is_object(schema) else {}

    def _tags(self, schema: Node, depth: int = 0) -> dict[str, list[Any]]:
        """The properties that a schema allows a few values for, as `kind: "circle"`."""
        found: dict[str, list[Any]] = {}
        followed = self._followed(schema)
        for part in followed.get("allOf", ()) if depth < _ALTERNATIVES else ():
            found |= self._tags(part, depth + 1)
        for name, part in followed.get("properties", {}).items():
            options = self._followed(part)
            if "const" in options:
                found[name] = [options["const"]]
            elif "enum" in options:
                found[name] = list(options["enum"])
        return found

    # --- words ------------------------------------------------------------------------------------------------

    def words(self, schema: Node, depth: int = 0) -> str:
        """A schema in a few words."""
        if isinstance(schema, bool) or not schema or depth > 3:
            return "a value" if schema is not False else "nothing"
        if "$ref" in schema:
            followed = self._followed(schema)
            title = followed.get("title")
            return title[:GOT] if isinstance(title, str) else self.words(followed, depth + 1)
        if "const" in schema:
            return shown(schema["const"])
        if "enum" in schema:
            options = schema["enum"]
            return _cut([shown(option) for option in options[:_ALTERNATIVES]], count=len(options))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return _cut(list(dict.fromkeys(self.words(part, depth + 1) for part in schema[keyword])))
        return self._typed(schema)

    def _typed(self, schema: JsonSchema) -> str:
        title, said = schema.get("title"), schema.get("type", "object" if "properties" in schema else "a value")
        names: Sequence[str] = [said] if isinstance(said, str) else said
        if isinstance(title, str) and names[0] == "object":
            return title[:GOT]
        text = " | ".join(_TYPE_NAMES.get(name, name) for name in names)
        if names[0] == "object" and schema.get("required"):
            return f"{text} with {_cut([shown(name) for name in schema['required']], ', ')}"
        for keyword in ("pattern", "format", "minimum", "maximum", "minLength", "maxLength"):
            if keyword in schema:
                return f"{text} ({_RULES[keyword][1].format(schema[keyword])})"[:_WORDS]
        return text


def _distance(errors: list[Any]) -> tuple[bool, int, int]:
    """How far a value is from an arm: of another kind altogether, else how many errors, and how near the root."""
    other_kind = any(
        not one.path and one.validator in ("type", "const", "enum", None) and not isinstance(one.instance, Missing)
        for one in errors
    )
    return other_kind, len(errors), -max(len(one.path) for one in errors)


def _cut(parts: Sequence[str], joiner: str = " | ", count: int = 0) -> str:
    """The parts joined, cut to a bound; `count`: how many there are in all, where not all are given."""
    kept, count = parts[:_ALTERNATIVES], max(count, len(parts))
    text = joiner.join(kept)
    return text if count == len(kept) else f"{text}{joiner}... ({count} in all)"
