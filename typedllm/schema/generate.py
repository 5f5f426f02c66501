"""Pydantic's JSON Schema generator with the hints of `build.py`, and with problems noted where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema as core

from typedllm.schema.docs import describe, docstring_of

UNSUPPORTED: Final = "x-unsupported"

_WAY_OUT: Final = "give it a JSON form with pydantic.WithJsonSchema, or keep the field out with SkipJsonSchema"


class Generator(GenerateJsonSchema):
    """Makes the document of one type."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012  # as the base class declares it
        "skipped-choice",
        "non-serializable-default",
        "skipped-discriminator",
    }

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ARG002
        return {UNSUPPORTED: f"no JSON Schema for {error_info.removeprefix('core_schema.')} ({_WAY_OUT})"}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def union_schema(self, schema: core.UnionSchema) -> JsonSchemaValue:
        made = super().union_schema(schema)
        arms = [arm for arm in made.get("anyOf", ()) if UNSUPPORTED not in arm]
        if not arms or len(arms) == len(made["anyOf"]):
            return made
        return arms[0] if len(arms) == 1 else {**made, "anyOf": arms}

    def enum_schema(self, schema: core.EnumSchema) -> JsonSchemaValue:
        return {**super().enum_schema(schema), "x-names": [member.name for member in schema["members"]]}

    def literal_schema(self, schema: core.LiteralSchema) -> JsonSchemaValue:
        made = super().literal_schema(schema)
        names = [value.name for value in schema["expected"] if isinstance(value, Enum)]
        return {**made, "x-names": names} if len(names) == len(schema["expected"]) else made

    def model_schema(self, schema: core.ModelSchema) -> JsonSchemaValue:
        return _described(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: core.DataclassSchema) -> JsonSchemaValue:
        return _described(super().dataclass_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: core.TypedDictSchema) -> JsonSchemaValue:
        made = _with_fields(super().typed_dict_schema(schema), schema["fields"].items())
        return _described(made, schema["cls"]) if "cls" in schema else made

    def model_fields_schema(self, schema: core.ModelFieldsSchema) -> JsonSchemaValue:
        return _with_fields(super().model_fields_schema(schema), schema["fields"].items())

    def dataclass_args_schema(self, schema: core.DataclassArgsSchema) -> JsonSchemaValue:
        return _with_fields(super().dataclass_args_schema(schema), [(f["name"], f) for f in schema["fields"]])

    def decimal_schema(self, schema: core.DecimalSchema) -> JsonSchemaValue:
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        rules = [f"at most {digits} digits"] * (digits is not None)
        rules += [f"at most {places} decimal places"] * (places is not None)
        return _hinted(super().decimal_schema(schema), "decimal", rules)

    def bytes_schema(self, schema: core.BytesSchema) -> JsonSchemaValue:
        return _hinted(super().bytes_schema(schema), "bytes")

    def complex_schema(self, schema: core.ComplexSchema) -> JsonSchemaValue:
        return _hinted(super().complex_schema(schema), "complex")

    def timedelta_schema(self, schema: core.TimedeltaSchema) -> JsonSchemaValue:
        return _hinted(super().timedelta_schema(schema), "timedelta")

    def set_schema(self, schema: core.SetSchema) -> JsonSchemaValue:
        return _hinted(super().set_schema(schema), "set")

    def frozenset_schema(self, schema: core.FrozenSetSchema) -> JsonSchemaValue:
        return _hinted(super().frozenset_schema(schema), "set")

    def function_after_schema(self, schema: core.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        return _validated(super().function_after_schema(schema), schema)

    def function_before_schema(self, schema: core.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        return _validated(super().function_before_schema(schema), schema)

    def function_wrap_schema(self, schema: core.WrapValidatorFunctionSchema) -> JsonSchemaValue:
        return _validated(super().function_wrap_schema(schema), schema)

    def function_plain_schema(self, schema: core.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        return _validated(super().function_plain_schema(schema), schema)


def _hinted(made: JsonSchemaValue, type_: str, rules: Iterable[str] = ()) -> JsonSchemaValue:
    return {**made, "x-type": type_, **({"x-rules": said} if (said := list(rules)) else {})}


def _validated(made: JsonSchemaValue, schema: Mapping[str, Any]) -> JsonSchemaValue:
    """The schema with the docstring of the function that validates beyond it."""
    doc = docstring_of(schema["function"]["function"])
    return {**made, "x-validators": [*made.get("x-validators", ()), doc]} if doc else made


def _with_fields(made: JsonSchemaValue, fields: Iterable[tuple[str, Mapping[str, Any]]]) -> JsonSchemaValue:
    """The object with the Python name on each property that goes by another."""
    properties = made.get("properties", {})
    for name, field in fields:
        alias = _alias(field.get("validation_alias"), properties)
        if alias is not None and alias != name:
            properties[alias] = {**properties[alias], "x-field": name}
    return made


def _alias(alias: Any, properties: Mapping[str, Any]) -> str | None:
    choices = [[alias]] if isinstance(alias, str) else alias or []
    return next((path[0] for path in choices if len(path) == 1 and path[0] in properties), None)


def _described(made: JsonSchemaValue, cls: type) -> JsonSchemaValue:
    describe(made, cls)
    return made
