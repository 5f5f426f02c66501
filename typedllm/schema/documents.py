"""JSON Schema documents as declared types: loaded, checked when declared, and validated by `jsonschema`.

What differs from `jsonschema`'s own behaviour, each so that a reply cannot hang the process and an issue names its
place: patterns run in linear time (`patterns`), unique items are found in linear time, multiples are exact in decimal
(19.99 is a multiple of 0.01), formats that the standard library can decide are held against the text, and nothing is
ever fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeAlias

from typedllm.records import Issue, JsonSchema
from typedllm.schema.certain import Certain
from typedllm.schema.dialects import Draft, draft_of, read_document, refused
from typedllm.schema.formats import conforms
from typedllm.schema.normal import normalise
from typedllm.schema.patterns import PatternError, compile_pattern
from typedllm.schema.references import Resolved, resolve
from typedllm.schema.violations import Explainer, Missing
from typedllm.schema.walk import is_list, is_object

MAX_ISSUES: Final = 200
"""Most issues of one value that are reported."""

_Check: TypeAlias = Callable[[Any, Any, Any, Any], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A JSON Schema document that can be rendered, and validated by.

    Attributes:
        document: the document in the one form that the package works on: draft 2020-12, local `$defs`.
        draft: the draft that it was written in, such as `draft 7`.
    """

    document: JsonSchema
    draft: str
    _validator: Any = field(repr=False)
    _explainer: Explainer = field(repr=False)
    _certain: Certain = field(repr=False)

    def is_valid(self, data: object) -> bool:
        """Whether plain JSON data is valid: False also where that cannot be found out (see `iter_issues`)."""
        try:
            if self._certain.is_valid(data, self._certain.document):
                return True
            return not self._certain.is_exact and bool(self._validator.is_valid(data))
        except (RecursionError, ValueError):
            return False
        finally:
            self._certain.forget()

    def iter_issues(self, data: object) -> tuple[Issue, ...]:
        """What is wrong with a value; empty when it is valid.

        Args:
            data: plain JSON data.

        Returns:
            The issues in document order, at most `MAX_ISSUES`. Data that is nested too deeply to be checked (from
            about a hundred levels of a recursive schema on) has one issue, `depth`; an integer of more digits than
            Python writes (4,300 by default) likewise, `digits`.
        """
        try:
            if self._certain.is_valid(data, self._certain.document):
                return ()
            self._certain.explains = True
            return self._explainer.issues(self._validator.iter_errors(data), MAX_ISSUES)
        except RecursionError:
            return (Issue("", "depth", "a value that is nested less deeply", "", "too deep to be checked"),)
        except ValueError as error:
            if "integer string conversion" not in str(error):
                raise
            return (Issue("", "digits", "numbers of fewer digits", "", "a number is too long to be checked"),)
        finally:
            self._certain.forget()


def load(document: Mapping[str, Any] | bool | str | Path, *, formats: bool = True) -> Loaded:
    """Reads a JSON Schema document of draft 2020-12, 2019-09 or 7 (6 and 4 as far as they differ in keywords only).

    Args:
        document: the document, or the path of a file that holds it; it is copied. Without `$schema` it is read as
            draft 2020-12.
        formats: whether `format` is held against texts, for the formats in `formats.FORMATS`; False: it tells the
            model and checks nothing, as the specification has it by default.

    Raises:
        SchemaError: it cannot be read, is malformed, refers to something outside itself (nothing is fetched), refers
            to itself without end, or has a pattern that cannot be run in bounded time. Every problem is listed, with
            its JSON Pointer.
    """
    read = read_document(document)
    resolved = resolve(read, draft_of(read))
    if not resolved.problems:
        resolved.problems += _patterns(resolved)
    if resolved.problems:
        raise refused(resolved.problems)
    normal = normalise(resolved)
    if resolved.problems:
        raise refused(resolved.problems)
    certain = Certain(resolved, formats)
    return Loaded(normal, resolved.draft.name, _validator(resolved, formats, certain), Explainer(resolved), certain)


def _patterns(resolved: Resolved) -> list[str]:
    problems: list[str] = []
    for schema in resolved.schemas:
        written = [schema["pattern"]] if "pattern" in schema else []
        named = schema.get("patternProperties", {})
        if named and not resolved.local and "unevaluatedProperties" in resolved.keywords:
            problems.append(
                f"{resolved.at(schema)}: patternProperties beside dynamic references, which cannot be checked in "
                "bounded time (use $ref)"
            )
        for source in [*written, *named]:
            try:
                compile_pattern(source)
            except PatternError as error:
                problems.append(f"{resolved.at(schema)}: the pattern {json.dumps(source)[:120]} {error}")
    return problems


def _validator(resolved: Resolved, formats: bool, certain: Certain) -> Any:
    checks: dict[str, _Check] = {name: check for name, check in _CHECKS.items() if name in resolved.keywords}
    if resolved.local:
        evaluated = _Evaluated(resolved)
        checks |= {name: check for name, check in evaluated.checks().items() if name in resolved.keywords}
    checks["format"] = _format if formats else _nothing
    checks |= {name: check for name, check in _listed().items() if name in resolved.keywords}
    checks |= {"$ref": _referred(resolved)} if resolved.local else {}
    checks |= {name: check for name, check in _unless_certain(certain).items() if name in resolved.keywords}
    engine = _extended(resolved.draft, tuple(checks.items()))
    return engine(resolved.document, registry=import_module("jsonschema_specifications").REGISTRY)


def _referred(resolved: Resolved) -> _Check:
    """What a reference leads to, which is known already."""

    def ref(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        target = resolved.target(schema)
        if target is not None:
            yield from validator.descend(instance, target)
        else:
            yield from validator._validate_reference(ref=value, instance=instance)  # of a copied node

    return ref


def _listed() -> dict[str, _Check]:
    """The values of an enum, found at once however many there are."""
    found: dict[int, frozenset[object]] = {}  # by the identity of lists that the document keeps alive

    def enum(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
        if id(value) not in found:
            found[id(value)] = frozenset(map(_frozen, value))
        if _frozen(instance) not in found[id(value)]:
            yield _error()

    return {"enum": enum}


def _unless_certain(certain: Certain) -> dict[str, _Check]:
    """The keywords that lead to the parts of a value: what is certainly valid below them is passed over."""

    def items(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        first = len(schema.get("prefixItems", ()))
        if not is_list(instance) or len(instance) <= first:
            return
        if value is False:
            yield _error()
        for index in range(first, len(instance) if is_object(value) else 0):
            if not certain.is_valid(instance[index], value):
                yield from validator.descend(instance[index], value, path=index)

    def properties(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
        if is_object(instance):
            for name, part in value.items():
                if name in instance and not certain.is_valid(instance[name], part):
                    yield from validator.descend(instance[name], part, path=name, schema_path=name)

    return {"items": items, "properties": properties} if certain.is_usable else {}


@lru_cache(maxsize=64)
def _extended(draft: Draft, checks: tuple[tuple[str, _Check], ...]) -> Any:
    return import_module("jsonschema.validators").extend(draft.engine(), dict(checks))


def _error(**fields: Any) -> Any:
    return import_module("jsonschema.exceptions").ValidationError("", **fields)


def _nothing(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    return iter(())


def _pattern(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    if isinstance(instance, str):
        pattern = compile_pattern(value)
        found = pattern.search(instance)
        if found is None:
            yield _error(validator="undecided", validator_value=pattern.limit)
        elif not found:
            yield _error()


def _format(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    if isinstance(instance, str) and isinstance(value, str) and not conforms(instance, value):
        yield _error()


def _required(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    if is_object(instance) and is_list(value):
        for name in value:
            if name not in instance:
                yield _error(path=(name,), instance=Missing())


def _dependent(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    if not is_object(instance):
        return
    for name, wanted in value.items():
        if name not in instance:
            continue
        if not is_list(wanted):
            yield from validator.descend(instance, wanted, schema_path=name)
            continue
        for other in wanted:
            if other not in instance:
                yield _error(path=(other,), instance=Missing(f"needed because {name} is there"))


def _named(schema: JsonSchema, key: str) -> list[Any]:
    """The subschemas for a key, by its name and by patterns."""
    found = [schema["properties"][key]] if key in schema.get("properties", ()) else []
    return found + [part for source, part in schema.get("patternProperties", {}).items() if _matches(source, key)]


def _matches(source: str, key: str) -> bool:
    """Whether a pattern takes a key; a key that is too long for a pattern with a bound is not taken."""
    return bool(compile_pattern(source).search(key))


def _pattern_properties(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    if is_object(instance):
        for key, part in instance.items():
            for source in value:
                if _matches(source, key):
                    yield from validator.descend(part, value[source], path=key, schema_path=source)


def _additional_properties(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if is_object(instance):
        extra = [key for key in instance if not _named(schema, key)]
        yield from _left_over(validator, value, [(key, instance[key]) for key in extra])


def _left_over(validator: Any, value: Any, parts: Iterable[tuple[str | int, Any]]) -> Iterator[Any]:
    for key, part in parts:
        if value is False:
            yield _error(path=(key,), instance=part)
        else:
            yield from validator.descend(part, value, path=key)


def _property_names(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    if is_object(instance):
        for key in instance:
            wrong = list(validator.descend(key, value))
            if wrong:
                yield _error(path=(key,), instance=key, context=wrong)


def _multiple_of(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    if (isinstance(instance, float) and not isfinite(instance)) or (
        validator.is_type(instance, "number") and _exact(instance) % _exact(value)
    ):
        yield _error()


def _exact(number: float | Decimal) -> Fraction:
    """The number as it is written in decimal: 0.1 is a tenth."""
    return Fraction(number) if isinstance(number, int) else Fraction(str(number))


def _unique_items(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:  # noqa: ARG001
    if value and is_list(instance):
        seen: set[object] = set()
        for index, part in enumerate(instance):
            frozen = _frozen(part)
            if frozen in seen:
                yield _error(path=(index,), instance=part)
            seen.add(frozen)


def _frozen(value: Any) -> object:
    """A hashable stand-in, equal for equal JSON values: 1 is 1.0, and true is not 1."""
    if is_object(value):
        return "object", frozenset((key, _frozen(part)) for key, part in value.items())
    if is_list(value):
        return "array", tuple(_frozen(part) for part in value)
    return isinstance(value, bool), value


_CHECKS: Final[Mapping[str, _Check]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "required": _required,
    "dependentRequired": _dependent,
    "dependencies": _dependent,
    "multipleOf": _multiple_of,
    "uniqueItems": _unique_items,
}


class _Evaluated:
    """`unevaluatedProperties` and `unevaluatedItems`: what no other keyword of a schema has looked at."""

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.contains = "prefixItems" in resolved.keywords

    def checks(self) -> dict[str, _Check]:
        return {"unevaluatedProperties": self._properties, "unevaluatedItems": self._items}

    def _properties(self, validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if is_object(instance):
            done = self._seen(validator, {**schema, "unevaluatedProperties": None}, instance, schema)
            rest = [(key, part) for key, part in instance.items() if key not in done]
            yield from _left_over(validator, value, rest)

    def _items(self, validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if is_list(instance):
            done = self._seen(validator, {**schema, "unevaluatedItems": None}, instance, schema)
            rest = [(index, part) for index, part in enumerate(instance) if index not in done]
            yield from _left_over(validator, value, rest)

    def _seen(self, validator: Any, schema: Any, instance: Any, holder: Any = None) -> set[str | int]:
        """Keys or indexes of a valid value that a schema evaluates; `holder`: what its `$ref` is known by."""
        if not is_object(schema):
            return set()
        node = schema
        found = self._keys(node, instance) if is_object(instance) else self._indexes(validator, node, instance)
        for part in self._applied(validator, node, instance):
            found |= self._seen(validator, part, instance)
        if "$ref" in node:
            found |= self._seen(validator, self.resolved.target(holder or node), instance)
        return found

    def _keys(self, schema: JsonSchema, instance: JsonSchema) -> set[str | int]:
        if any(schema.get(name) is not None for name in ("additionalProperties", "unevaluatedProperties")):
            return set(instance)
        return {key for key in instance if _named(schema, key)}

    def _indexes(self, validator: Any, schema: JsonSchema, instance: object) -> set[str | int]:
        if not is_list(instance):
            return set()
        parts = instance
        items = schema.get("items")
        rest = [name for name in ("additionalItems", "unevaluatedItems") if schema.get(name) is not None]
        if (items is not None and not is_list(items)) or "unevaluatedItems" in rest:
            return set(range(len(parts)))
        if is_list(items) and rest:
            return set(range(len(parts)))
        found: set[str | int] = set(range(len(items or schema.get("prefixItems", []))))
        if self.contains and "contains" in schema:
            found |= {index for index, part in enumerate(parts) if _fits(validator, part, schema["contains"])}
        return found

    def _applied(self, validator: Any, schema: JsonSchema, instance: Any) -> Iterator[Any]:
        """The subschemas that hold for the same value."""
        for keyword in ("allOf", "anyOf", "oneOf"):
            yield from (part for part in schema.get(keyword, ()) if _fits(validator, instance, part))
        if "if" in schema:
            holds = _fits(validator, instance, schema["if"])
            yield from [schema["if"]] if holds else []
            yield schema.get("then" if holds else "else")
        for name, part in schema.get("dependentSchemas", {}).items():
            if is_object(instance) and name in instance:
                yield part


def _fits(validator: Any, instance: Any, schema: Any) -> bool:
    return next(validator.descend(instance, schema), None) is None
