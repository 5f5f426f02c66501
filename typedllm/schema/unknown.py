"""`Known[T] | NotStated`: a value, or the honest answer that the text does not give it.

A required field with nowhere to say "not stated" makes a model invent. On the wire a `Known` is its value and
`NotStated` is null: both fit every service's schema, and nothing is lost on the way there and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema as core

from typedllm.errors import SchemaError
from typedllm.records import JsonSchema

T_co = TypeVar("T_co", covariant=True)

_MEANING: Final = "not stated in the text"


class Known(Generic[T_co]):
    """A value that the text states.

    Args:
        value: the value.
    """

    __slots__ = ("_value",)
    __match_args__ = ("value",)

    def __init__(self, value: T_co) -> None:
        self._value = value

    @property
    def value(self) -> T_co:
        """The value."""
        return self._value

    def __repr__(self) -> str:
        return f"Known({self._value!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and self._value == cast("Known[object]", other).value

    def __hash__(self) -> int:
        return hash((Known, self._value))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core.CoreSchema:
        args = get_args(source)
        inner = handler.generate_schema(args[0]) if args else core.any_schema()
        if _accepts_none(inner):
            raise SchemaError(
                f"{source}: null means not stated, and the type itself allows null (give it without None)"
            )
        made = core.no_info_after_validator_function(cls, inner)
        same = core.is_instance_schema(cls)
        return core.json_or_python_schema(
            json_schema=made,
            python_schema=core.union_schema([same, made]),
            serialization=core.plain_serializer_function_ser_schema(_value_of, return_schema=inner),
        )


def _value_of(known: Known[Any]) -> object:
    return known.value


def _accepts_none(schema: Any) -> bool:
    if schema["type"] == "union":
        return any(_accepts_none(arm[0] if isinstance(arm, tuple) else arm) for arm in schema["choices"])
    return schema["type"] in {"nullable", "none"} or (schema["type"] == "default" and _accepts_none(schema["schema"]))


@dataclass(frozen=True, slots=True)
class NotStated:
    """The text does not say. All of them are equal, and false."""

    def __bool__(self) -> bool:
        return False

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> core.CoreSchema:
        made = core.no_info_after_validator_function(_not_stated, core.none_schema())
        return core.json_or_python_schema(
            json_schema=made,
            python_schema=core.union_schema([core.is_instance_schema(cls), made]),
            serialization=core.plain_serializer_function_ser_schema(_null, return_schema=core.none_schema()),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"type": "null", "description": _MEANING, "x-alias": cls.__name__}


def _not_stated(value: None) -> NotStated:  # noqa: ARG001  # pydantic gives it the null
    return NotStated()


def _null(value: NotStated) -> None:  # noqa: ARG001
    return None
