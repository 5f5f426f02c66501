"""From JSON to a value of the declared type, or to issues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, get_args

from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from typedllm.records import MISSING, Issue, JsonValue
from typedllm.schema.written import written

if TYPE_CHECKING:
    from typedllm.schema.build import Built
    from typedllm.schema.documents import Loaded

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class InvalidError(ValueError):
    """The data is not of the declared type.

    Attributes:
        issues: why not.
    """

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(map(str, issues)))
        self.issues = tuple(issues)


class Validator(Protocol[T_co]):
    """Judges JSON against a declared type."""

    def validate_text(self, text: str, context: Mapping[str, Any] | None) -> T_co:
        """The value of a text that is valid at once.

        Raises:
            ValueError: it is not.
        """
        ...

    def validate_data(self, data: Any, context: Mapping[str, Any] | None) -> T_co:
        """The value of plain JSON data.

        Raises:
            InvalidError: it is not of the declared type.
        """
        ...

    def dump(self, value: Any) -> str:
        """A value as the JSON that a model would write for it."""
        ...


class PydanticValidator(Generic[T]):
    """Judges by a pydantic `TypeAdapter`, in strict JSON mode: nothing is converted that no fix reports."""

    def __init__(self, built: Built[T]) -> None:
        self._built = built  # kept alive, so that the next `Schema` of the type finds it
        self._adapter = built.adapter
        self._document = built.document

    def validate_text(self, text: str, context: Mapping[str, Any] | None) -> T:
        """See `Validator`."""
        return self._adapter.validate_json(text, strict=True, context=context)

    def validate_data(self, data: Any, context: Mapping[str, Any] | None) -> T:
        """See `Validator`."""
        try:
            return self._adapter.validate_json(json.dumps(data), strict=True, context=context)
        except ValidationError as error:
            raise InvalidError(self._issues(error, data)) from error

    def _issues(self, error: ValidationError, data: Any) -> list[Issue]:
        """What is wrong, in the words of the document, and then in those of validators in code.

        pydantic reports every arm of a union that failed; the document tells which one was meant.
        """
        from typedllm.schema.violations import shown

        rows = [(row, *walk(row["loc"], data)) for row in error.errors(include_url=False)]
        structural = self._explainer.iter_issues(data)
        spoken = {
            (path, said): Issue(path, "value", got=shown(value), message=said)
            for row, path, value in rows
            if (said := _own_words(row)) is not None
        }
        if structural or spoken:
            return [*structural, *spoken.values()]
        row, path, value = max(rows, key=lambda each: each[1].count("/"))
        return [Issue(path, row["type"], got=shown(value), message=row["msg"])]

    @cached_property
    def _explainer(self) -> Loaded:
        from typedllm.schema.documents import load  # jsonschema comes with it: imported when something is wrong

        return load(self._document, formats=False)

    def dump(self, value: Any) -> str:
        """See `Validator`."""
        return written(value, self._adapter)


class DocumentValidator:
    """Judges by a JSON Schema document; the value is the data itself."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def validate_text(self, text: str, context: Mapping[str, Any] | None) -> JsonValue:
        """See `Validator`."""
        return self.validate_data(json.loads(text, parse_constant=_no_constant), context)

    def validate_data(self, data: Any, context: Mapping[str, Any] | None) -> JsonValue:  # noqa: ARG002
        """See `Validator`."""
        issues = self._loaded.iter_issues(data)
        if issues:
            raise InvalidError(issues)
        valid: JsonValue = data
        return valid

    def dump(self, value: Any) -> str:
        """See `Validator`."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _own_words(row: Any) -> str | None:
    """The message of a validator in code; None for a rule of pydantic's own."""
    if row["type"] in ("value_error", "assertion_error"):
        return str(row["msg"]).partition(", ")[2]
    return None if row["type"] in _core_types() else str(row["msg"])


@cache
def _core_types() -> frozenset[str]:
    return frozenset(get_args(ErrorType))


def walk(location: Iterable[str | int], data: Any) -> tuple[str, Any]:
    """The JSON Pointer of a pydantic location, and what stands there.

    Segments that do not lead anywhere in the document (union tags, names of validators) are left out; a last
    segment that names a missing key is kept.
    """
    path: list[str | int] = []
    value = data
    segments = list(location)
    for index, segment in enumerate(segments):
        below = child(value, segment)
        if below is MISSING and not (_is_object(value) and index == len(segments) - 1):
            continue
        path.append(segment)
        value = below
    return pointer(path), value


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def child(value: object, segment: str | int) -> Any:
    """What stands below a JSON value, or `MISSING`."""
    try:
        return cast("Any", value)[segment] if isinstance(value, (dict, list)) else MISSING
    except (KeyError, IndexError, TypeError):
        return MISSING


def pointer(path: Iterable[str | int]) -> str:
    """The JSON Pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
