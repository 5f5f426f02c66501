"""JSON Schema documents of several drafts: read, checked, and brought into one form.

Draft 2020-12, 2019-09 and 7 are read in full; 6 and 4 as far as they differ in keywords only. Every reference is
resolved inside the document, by `$id`, `$anchor` or pointer; nothing is ever fetched.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from typedllm.errors import SchemaError
from typedllm.records import JsonSchema, JsonValue
from typedllm.schema.walk import Node, is_list, is_object

MAX_DEPTH: Final = 200
"""Deepest nesting of a schema document, counting objects and arrays."""

ONE: Final = frozenset(
    {
        *("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not"),
        *("propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
    }
)
SEVERAL: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems", "items"})
NAMED: Final = frozenset(
    {"$defs", "definitions", "properties", "patternProperties", "dependentSchemas", "dependencies"}
)
REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
SAME_VALUE: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
"""The keywords whose subschemas see the same value as the schema that they stand in."""

PLACES: Final = frozenset({"$defs", "definitions"})
"""The keywords that only hold schemas for others to refer to; both are read in every draft."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft of JSON Schema.

    Attributes:
        name: its usual name.
        uri: what `$schema` says.
        validator: the class of `jsonschema` that knows it.
    """

    name: str
    uri: str
    validator: str

    @property
    def old(self) -> bool:
        """Whether what stands beside a `$ref` is ignored (draft 7 and older)."""
        return self.uri.startswith("http://")

    def engine(self) -> Any:
        """The class of `jsonschema` that validates by this draft; imported at first use."""
        return getattr(import_module("jsonschema.validators"), self.validator)

    def keywords(self) -> frozenset[str]:
        """The keywords that assert something in this draft, and those that hold schemas for reference."""
        known = frozenset[str](self.engine().VALIDATORS)
        known |= {"then", "else"} if "if" in known else frozenset()
        known |= {"minContains", "maxContains"} if "dependentRequired" in known else frozenset()
        known |= {"exclusiveMinimum", "exclusiveMaximum"}  # draft 4 has them as flags, without a check of their own
        return known | PLACES


LATEST: Final = Draft("draft 2020-12", "https://json-schema.org/draft/2020-12/schema", "Draft202012Validator")
DRAFTS: Final = (
    LATEST,
    Draft("draft 2019-09", "https://json-schema.org/draft/2019-09/schema", "Draft201909Validator"),
    Draft("draft 7", "http://json-schema.org/draft-07/schema", "Draft7Validator"),
    Draft("draft 6", "http://json-schema.org/draft-06/schema", "Draft6Validator"),
    Draft("draft 4", "http://json-schema.org/draft-04/schema", "Draft4Validator"),
)


def pointer(*parts: str | int) -> str:
    """The JSON Pointer (RFC 6901) of a path."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def read_document(document: Mapping[str, Any] | bool | str | Path) -> Node:
    """A private copy of a schema document, or of the one in a file.

    Raises:
        SchemaError: the file cannot be read, or this is not JSON, or it is nested deeper than `MAX_DEPTH`.
    """
    if isinstance(document, str | Path):
        document = _from_file(Path(document))
    if not isinstance(document, Mapping | bool):
        raise SchemaError(f"a schema is an object or a boolean, got {type(document).__name__}")
    problems: list[str] = []
    copied = _copy(document, "", 0, problems)
    if problems:
        raise refused(problems)
    return cast("Node", copied)


def _from_file(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise SchemaError(f"cannot read the schema file {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"the schema file {path} is not JSON: {error}") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _copy(value: object, at: str, depth: int, problems: list[str]) -> JsonValue:
    if depth > MAX_DEPTH:
        problems.append(f"{at[:80]}...: nested deeper than {MAX_DEPTH} levels")
        return None
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value)
        problems += [f"{at or '/'}: a key is not a string: {key!r}" for key in entries if not isinstance(key, str)]
        return {str(key): _copy(part, at + pointer(str(key)), depth + 1, problems) for key, part in entries.items()}
    if isinstance(value, list | tuple):
        parts = cast("Sequence[object]", value)
        return [_copy(part, at + pointer(index), depth + 1, problems) for index, part in enumerate(parts)]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    problems.append(f"{at or '/'}: not a JSON value: {type(value).__name__}")
    return None


def refused(problems: list[str]) -> SchemaError:
    """The error that lists all that is wrong with a document."""
    shown = "; ".join(problems[:8]) + (f"; and {len(problems) - 8} more" if len(problems) > 8 else "")
    return SchemaError(f"the JSON Schema document cannot be used: {shown}", problems=problems)


def draft_of(document: Node) -> Draft:
    """The draft that the document declares; 2020-12 when it declares none.

    Raises:
        SchemaError: `$schema` names something else.
    """
    said = document.get("$schema") if is_object(document) else None
    if said is None:
        return LATEST
    for draft in DRAFTS:
        if isinstance(said, str) and said.removesuffix("#") == draft.uri:
            return draft
    known = ", ".join(draft.uri for draft in DRAFTS)
    raise SchemaError(f"unknown $schema: {said!r} (use one of {known})")


def children(schema: JsonSchema, keywords: Set[str]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The subschemas that stand directly in a schema under one of the keywords, each with its path from there."""
    for key, value in schema.items():
        if key not in keywords:
            continue
        if is_object(value) and key in NAMED:
            for name, part in value.items():
                if not (key == "dependencies" and is_list(part)):
                    yield (key, name), part
        elif is_list(value) and key in SEVERAL:
            for index, part in enumerate(value):
                yield (key, index), part
        elif key in ONE:
            yield (key,), value
