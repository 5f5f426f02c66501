"""A value of a type as the JSON that a model would write for it: JSON that reads back as the value."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import Enum
from typing import Any, Literal, get_origin

from pydantic import AliasChoices, BaseModel, RootModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, to_jsonable_python


def written(value: Any, adapter: TypeAdapter[Any]) -> str:
    """The JSON of a value.

    How pydantic serializes a value need not be how it validates one: serializers, serialization aliases, excluded and
    computed fields go out only, and the tag of a union that is a default is left out with the defaults. So several ways
    are tried, and the first is taken whose JSON is read as the same value.

    Args:
        value: a value of the type.
        adapter: pydantic's validator of the type.

    Returns:
        The JSON; where no way leads back to the value, the first that is valid, else the first.

    Raises:
        PydanticSerializationError: the value has no JSON form at all.
    """
    ways: list[Callable[[], str]] = [
        lambda: _by_pydantic(value, adapter, exclude_unset=True),
        lambda: _by_pydantic(value, adapter, exclude_unset=False),
        lambda: json.dumps(by_structure(value), ensure_ascii=False, separators=(",", ":")),
    ]
    texts: list[str] = []
    for text in _texts(ways):
        try:
            back = adapter.validate_json(text, strict=True)
        except Exception:  # what the caller's own validators raise
            texts.append(text)
            continue
        if back == value:
            return text
        texts.insert(0, text)
    return texts[0] if texts else ways[0]()


def _texts(ways: list[Callable[[], str]]) -> Iterator[str]:
    for way in ways:
        try:
            yield way()
        except (PydanticSerializationError, ValueError, RecursionError):
            continue


def _by_pydantic(value: Any, adapter: TypeAdapter[Any], *, exclude_unset: bool) -> str:
    made = adapter.dump_json(value, by_alias=True, exclude_unset=exclude_unset, round_trip=True, warnings=False)
    return made.decode()


def by_structure(value: Any) -> Any:
    """The plain JSON data of a value, made of what it holds, under the names that are validated.

    Fields at their defaults are left out, but for those with listed values: they tell the arms of a union apart.
    """
    if _is_a(value, RootModel):
        return by_structure(value.root)
    if _is_a(value, BaseModel):
        return _of_model(value)
    if hasattr(value, "__dataclass_fields__") and not _is_a(value, type):
        return _of_dataclass(value)
    if _is_a(value, Mapping):
        return {_key(key): by_structure(part) for key, part in value.items()}
    if _is_a(value, Collection) and not _is_a(value, str | bytes | bytearray | Enum):
        return [by_structure(part) for part in value]
    if hasattr(value, "get_secret_value"):
        return by_structure(value.get_secret_value())
    return _leaf(value)


def _is_a(value: object, kind: Any) -> bool:
    return isinstance(value, kind)


def _of_model(model: BaseModel) -> dict[str, Any]:
    said = {
        name if model.model_config.get("validate_by_alias") is False else input_name(name, field): getattr(model, name)
        for name, field in type(model).model_fields.items()
        if name in model.model_fields_set or get_origin(field.annotation) is Literal
    }
    return {name: by_structure(part) for name, part in {**said, **(model.model_extra or {})}.items()}


def _of_dataclass(value: Any) -> dict[str, Any]:
    known: Mapping[str, FieldInfo] = getattr(value, "__pydantic_fields__", {})
    names = [each.name for each in dataclasses.fields(value) if each.init]
    return {
        input_name(name, known[name]) if name in known else name: by_structure(getattr(value, name)) for name in names
    }


def input_name(name: str, field: FieldInfo) -> str:
    """The name under which a field is validated; of several the first."""
    alias = field.validation_alias or field.alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return next((choice for choice in choices if isinstance(choice, str)), name)


def _key(key: object) -> str:
    return str(next(iter(to_jsonable_python({key: None}))))


def _leaf(value: Any) -> Any:
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        return TypeAdapter[Any](value.__class__).dump_python(value, mode="json")
