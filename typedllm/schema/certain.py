"""Whether a value is certainly valid, at a fraction of what `jsonschema` costs: what is, it need not look at.

A schema is compiled to one function, once. Such a function is exact for the keywords that it knows; a schema with
another keyword is never certain, and where that matters (below `not` and `oneOf`) neither is the schema around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from typedllm.schema.formats import conforms
from typedllm.schema.patterns import compile_pattern
from typedllm.schema.references import Resolved
from typedllm.schema.walk import Node, is_list, is_object

_Test: TypeAlias = Callable[[Any], bool]
_CONTAINERS: Final = frozenset({dict, list})
_LARGE: Final = 8
_REFERRED: Final = 8  # references that are followed, one to the next
_SILENT: Final = frozenset({
    "$schema", "$id", "$anchor", "$comment", "$defs", "definitions", "title", "description", "default", "examples",
    "deprecated", "readOnly", "writeOnly", "discriminator", "contentMediaType", "contentEncoding", "contentSchema",
})  # fmt: skip
"""Keywords that allow every value."""
_TYPES: Final[Mapping[str, _Test]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: value is True or value is False,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": lambda value: type(value) in (int, float),
    "string": lambda value: type(value) is str,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
}
_BOUNDS: Final[Mapping[str, tuple[type | tuple[type, ...], Callable[[Any, Any], bool]]]] = {
    "minimum": ((int, float), lambda value, bound: value >= bound),
    "maximum": ((int, float), lambda value, bound: value <= bound),
    "exclusiveMinimum": ((int, float), lambda value, bound: value > bound),
    "exclusiveMaximum": ((int, float), lambda value, bound: value < bound),
    "minLength": (str, lambda value, bound: len(value) >= bound),
    "maxLength": (str, lambda value, bound: len(value) <= bound),
    "minItems": (list, lambda value, bound: len(value) >= bound),
    "maxItems": (list, lambda value, bound: len(value) <= bound),
    "minProperties": (dict, lambda value, bound: len(value) >= bound),
    "maxProperties": (dict, lambda value, bound: len(value) <= bound),
}


@dataclass(frozen=True, slots=True)
class _Check:
    """What a schema says: `holds` is exact, or else its "no" means nothing."""

    holds: _Test
    exact: bool = True


_ALL: Final = _Check(lambda _: True)
_NONE: Final = _Check(lambda _: False)
_UNKNOWN: Final = _Check(lambda _: False, False)


class Certain:
    """The values that a document certainly allows, part by part.

    Args:
        resolved: a document; of draft 2020-12 with local references, or nothing is certain.
        formats: whether `format` is held against texts.

    Attributes:
        is_usable: whether anything of it is ever certain.
        document: the document.
        explains: whether the value at hand is looked at part by part, to tell what is wrong with it.
    """

    def __init__(self, resolved: Resolved, formats: bool) -> None:
        self._resolved = resolved
        self.document = resolved.document
        self._formats = formats
        self.is_usable = resolved.local and "prefixItems" in resolved.keywords
        self._checks: dict[int, _Check] = {}  # by the identity of the schema, which the document keeps alive
        self._found: dict[tuple[int, int], bool] = {}  # of the large containers of the value at hand
        self.explains = False

    def forget(self) -> None:
        """Another value comes: what was found of the parts of the last one is not kept."""
        self._found.clear()
        self.explains = False

    def is_valid(self, value: object, schema: Node) -> bool:
        """Whether a value is certainly valid."""
        if not self.is_usable:
            return False
        try:
            return self._check(schema).holds(value)
        except RecursionError:
            return False

    @property
    def is_exact(self) -> bool:
        """Whether what is not certainly valid is certainly invalid."""
        return self.is_usable and self._check(self.document).exact

    def _once(self, value: dict[str, Any] | list[Any], schema: object, holds: Callable[[], bool]) -> bool:
        """What holds for a large container is found once, though each part around it asks."""
        if len(value) < _LARGE:
            return holds()
        key = id(value), id(schema)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = holds()
        return found

    def _within(self, value: object, schema: Node) -> bool:
        """What a schema that refers to itself makes of a part; asked for again from each part on the way to a wrong one."""
        holds = self._checks[id(schema)].holds
        if not self.explains or not (is_object(value) or is_list(value)):
            return holds(value)
        key = id(value), id(schema)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = holds(value)
        return found

    def _check(self, schema: Node) -> _Check:
        if isinstance(schema, bool):
            return _ALL if schema else _NONE
        found = self._checks.get(id(schema))
        if found is None:
            # A schema that refers to itself is asked for again while it is made: only its "yes" is known to be exact.
            self._checks[id(schema)] = _Check(lambda value: self._within(value, schema), False)
            found = self._checks[id(schema)] = self._made(schema)
        return found

    def _made(self, schema: dict[str, Any]) -> _Check:
        parts = [self._part(keyword, value, schema) for keyword, value in schema.items()]
        parts = [part for part in parts if part is not _ALL]
        if not parts:
            return _ALL
        if any(part is _UNKNOWN for part in parts):
            return _UNKNOWN
        tests = tuple(part.holds for part in parts)
        exact = all(part.exact for part in parts)
        if len(tests) == 1:
            return _Check(tests[0], exact)

        def holds(value: object) -> bool:
            for test in tests:  # noqa: SIM110  # a generator costs more than the tests
                if not test(value):
                    return False
            return True

        return _Check(holds, exact)

    def _part(self, keyword: str, value: Any, schema: dict[str, Any]) -> _Check:
        if keyword in _SILENT or keyword.startswith("x-") or keyword not in self._resolved.keywords:
            return _ALL
        if keyword == "$ref":
            target = self._resolved.target(schema)
            return _UNKNOWN if target is None else self._check(target)
        if keyword in _BOUNDS:
            kinds, compare = _BOUNDS[keyword]
            return _Check(lambda each: not isinstance(each, kinds) or isinstance(each, bool) or compare(each, value))
        make: Callable[[Any, dict[str, Any]], _Check] | None = getattr(self, f"_{keyword.lower()}", None)
        return make(value, schema) if make is not None and keyword in _KNOWN else _UNKNOWN

    # ---- scalars ----

    def _type(self, value: Any, _: dict[str, Any]) -> _Check:
        if isinstance(value, str):
            return _Check(_TYPES[value])
        tests = [_TYPES[each] for each in value]
        return _Check(lambda each: any(test(each) for test in tests))

    def _enum(self, value: list[Any], _: dict[str, Any]) -> _Check:
        if any(type(each) in _CONTAINERS for each in value):
            return _UNKNOWN
        listed = frozenset((_kind(each), each) for each in value)
        return _Check(lambda each: type(each) not in _CONTAINERS and (_kind(each), each) in listed)

    def _const(self, value: Any, schema: dict[str, Any]) -> _Check:
        return self._enum([value], schema)

    def _pattern(self, value: str, _: dict[str, Any]) -> _Check:
        pattern = compile_pattern(value)
        return _Check(lambda each: not isinstance(each, str) or pattern.search(each) is True)

    def _format(self, value: Any, _: dict[str, Any]) -> _Check:
        if not self._formats:
            return _ALL
        return _Check(lambda each: not isinstance(each, str) or not isinstance(value, str) or conforms(each, value))

    # ---- objects ----

    def _required(self, value: list[str], _: dict[str, Any]) -> _Check:
        names = frozenset(value)
        return _Check(lambda each: not isinstance(each, dict) or names <= each.keys())

    def _properties(self, value: dict[str, Any], _: dict[str, Any]) -> _Check:
        checks = {key: self._check(part) for key, part in value.items()}
        tests = {key: check.holds for key, check in checks.items() if check is not _ALL}
        if not tests:
            return _ALL

        def holds(each: object) -> bool:
            if is_object(each):
                for key, inner in each.items():
                    test = tests.get(key)
                    if test is not None and not test(inner):
                        return False
            return True

        return _Check(holds, all(check.exact for check in checks.values()))

    def _additionalproperties(self, value: Node, schema: dict[str, Any]) -> _Check:
        if "patternProperties" in schema:
            return _UNKNOWN
        known, check = frozenset(schema.get("properties", ())), self._check(value)
        if check is _ALL:
            return _ALL
        if check is _NONE:
            return _Check(lambda each: not isinstance(each, dict) or known >= each.keys())
        test = check.holds

        def hold(each: dict[str, Any]) -> bool:
            return all(test(inner) for key, inner in each.items() if key not in known)

        def holds(each: object) -> bool:
            return not is_object(each) or self._once(each, value, lambda: hold(each))

        return _Check(holds, check.exact)

    # ---- arrays ----

    def _items(self, value: Node, schema: dict[str, Any]) -> _Check:
        if is_list(value):
            return _UNKNOWN
        first, check = len(schema.get("prefixItems", ())), self._check(value)
        if check is _ALL:
            return _ALL
        test = check.holds

        def hold(each: list[Any]) -> bool:
            return all(map(test, each[first:] if first else each))

        def holds(each: object) -> bool:
            return not is_list(each) or self._once(each, value, lambda: hold(each))

        return _Check(holds, check.exact)

    def _prefixitems(self, value: list[Any], _: dict[str, Any]) -> _Check:
        checks = [self._check(part) for part in value]
        tests = [check.holds for check in checks]

        def holds(each: object) -> bool:
            return not is_list(each) or all(test(inner) for test, inner in zip(tests, each, strict=False))

        return _Check(holds, all(check.exact for check in checks))

    # ---- combinations ----

    def _allof(self, value: list[Any], _: dict[str, Any]) -> _Check:
        checks = [self._check(part) for part in value]
        tests = [check.holds for check in checks]
        return _Check(lambda each: all(test(each) for test in tests), all(check.exact for check in checks))

    def _anyof(self, value: list[Any], _: dict[str, Any]) -> _Check:
        checks = [self._check(part) for part in value]
        meant = _Arms(self._needed(part) for part in value)
        tests = [check.holds for check in checks]
        return _Check(
            lambda each: any(tests[index](each) for index in meant.of(each)), all(check.exact for check in checks)
        )

    def _oneof(self, value: list[Any], _: dict[str, Any]) -> _Check:
        checks = [self._check(part) for part in value]
        if not all(check.exact for check in checks):
            return _UNKNOWN
        meant = _Arms(self._needed(part) for part in value)
        tests = [check.holds for check in checks]

        def holds(each: object) -> bool:
            count = 0
            for index in meant.of(each):
                count += tests[index](each)
                if count > 1:
                    return False
            return count == 1

        return _Check(holds)

    def _needed(self, schema: Node | None) -> frozenset[str] | None:
        """The keys that a value must have; None where it need be no object."""
        for _ in range(_REFERRED):
            if not is_object(schema) or "$ref" not in schema:
                break
            schema = self._resolved.target(schema)
        if not is_object(schema) or schema.get("type") != "object" or "$ref" in schema:
            return None
        return frozenset(schema.get("required", ()))

    def _not(self, value: Node, _: dict[str, Any]) -> _Check:
        check = self._check(value)
        test = check.holds
        return _Check(lambda each: not test(each)) if check.exact else _UNKNOWN


class _Arms:
    """The alternatives that a value may be meant for, told by its keys.

    Args:
        needed: for each the keys that a value must have; None where it need be no object.
    """

    def __init__(self, needed: Iterable[frozenset[str] | None]) -> None:
        self._needed = list(enumerate(needed))
        self._others = [index for index, keys in self._needed if keys is None]

    def of(self, value: object) -> list[int]:
        """Which alternatives, by index."""
        if not is_object(value):
            return self._others
        own = value.keys()
        return [index for index, keys in self._needed if keys is None or keys <= own]


_KNOWN: Final = frozenset({
    "type", "enum", "const", "pattern", "format", "required", "properties", "additionalProperties", "items",
    "prefixItems", "allOf", "anyOf", "oneOf", "not",
})  # fmt: skip


def _kind(value: object) -> str:
    """What tells equal Python values apart that JSON takes for different ones: true is not 1."""
    return "boolean" if isinstance(value, bool) else "other"
