"""From JSON to a value of the declared type, or to issues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from typedllm.records import MISSING, Issue

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

GOT_LIMIT = 80
"""Characters of a rejected value that an issue shows."""


class InvalidError(Exception):
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


class PydanticValidator(Generic[T]):
    """Judges by a pydantic `TypeAdapter`, in strict JSON mode: nothing is converted that no fix reports."""

    def __init__(self, adapter: TypeAdapter[T]) -> None:
        self._adapter = adapter

    def validate_text(self, text: str, context: Mapping[str, Any] | None) -> T:
        """See `Validator`."""
        return self._adapter.validate_json(text, strict=True, context=context)

    def validate_data(self, data: Any, context: Mapping[str, Any] | None) -> T:
        """See `Validator`."""
        try:
            return self._adapter.validate_json(json.dumps(data), strict=True, context=context)
        except ValidationError as error:
            raise InvalidError([_issue(row, data) for row in error.errors(include_url=False)]) from error


def _issue(row: Any, data: Any) -> Issue:
    path, value = walk(row["loc"], data)
    code = str(row["type"])
    message = str(row["msg"])
    if code in ("value_error", "assertion_error"):
        message = message.partition(", ")[2]
    return Issue(path, code, got="" if code == "missing" else shown(value), message=message)


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


def shown(value: Any, limit: int = GOT_LIMIT) -> str:
    """A JSON value as text, cut to `limit` characters."""
    if value is MISSING:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"
