"""The Python type of a part of a value, found by JSON Pointer steps."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, NewType, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, RootModel
from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType, is_typeddict

from typedllm.records import MISSING
from typedllm.schema.written import input_name


def part_type(type_: Any, steps: Sequence[str]) -> Any:
    """What stands at the steps in a value of that type.

    Args:
        type_: a Python type.
        steps: keys as they are validated, and indices of lists.

    Returns:
        The type, its constraints as `Annotated`; `MISSING` where the type does not say, or says several things.
    """
    for step in steps:
        arms = [found for arm in _arms(type_) if (found := _below(arm, step)) is not MISSING]
        if len(arms) != 1:
            return MISSING
        type_ = arms[0]
    return type_


def _arms(type_: Any) -> list[Any]:
    """The alternatives of a type, aliases and wrappers taken off."""
    while True:
        if isinstance(type_, TypeAliasType):
            type_ = type_.__value__
        elif isinstance(get_origin(type_), TypeAliasType):
            origin = get_origin(type_)
            type_ = origin.__value__[get_args(type_)]
        elif isinstance(type_, NewType):
            type_ = type_.__supertype__
        elif get_origin(type_) is Annotated or _name(get_origin(type_)) in ("Required", "NotRequired", "ReadOnly"):
            type_ = get_args(type_)[0]
        elif isinstance(type_, type) and issubclass(type_, RootModel):
            type_ = type_.model_fields["root"].annotation
        else:
            break
    if get_origin(type_) in (Union, types.UnionType):
        return [plain for arm in get_args(type_) for plain in _arms(arm)]
    return [type_]


def _below(type_: Any, step: str) -> Any:
    origin, args = get_origin(type_), get_args(type_)
    holder: Any = origin if isinstance(origin, type) else type_
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return _field(type_.model_fields, step)
    if dataclasses.is_dataclass(holder) or is_typeddict(holder):
        return _member(type_, holder, step)
    if not isinstance(holder, type):
        return MISSING
    if issubclass(holder, tuple):
        return _tuple_item(origin or type_, args, step)
    if issubclass(holder, Mapping):
        return args[1] if len(args) > 1 else MISSING
    if issubclass(holder, Collection) and not issubclass(holder, (str, bytes)):
        return args[0] if args else MISSING
    return MISSING


def _field(fields: Mapping[str, FieldInfo], step: str) -> Any:
    for name, field in fields.items():
        if step == input_name(name, field):
            return _constrained(field)
    return MISSING


def _constrained(field: FieldInfo) -> Any:
    """The field's type with its rules, without what only a field can have (aliases, defaults)."""
    rules = [*field.metadata, *([Field(discriminator=field.discriminator)] if field.discriminator else [])]
    made: Any = field.annotation
    for rule in rules:
        made = Annotated[made, rule]
    return made


def _member(type_: Any, holder: Any, step: str) -> Any:
    """A member of a dataclass or typed dict; of one with aliases only pydantic knows, and says so in its fields."""
    fields: Mapping[str, FieldInfo] | None = getattr(holder, "__pydantic_fields__", None)
    if fields is not None:
        return _field(fields, step)
    if get_args(type_):
        return MISSING
    return get_type_hints(holder, include_extras=True).get(step, MISSING)


def _tuple_item(holder: Any, args: tuple[Any, ...], step: str) -> Any:
    if hasattr(holder, "_fields"):
        hints = list(get_type_hints(holder, include_extras=True).values())
        return hints[int(step)] if step.isdecimal() and int(step) < len(hints) else MISSING
    if len(args) == 2 and args[1] is Ellipsis:
        return args[0]
    return args[int(step)] if step.isdecimal() and int(step) < len(args) else MISSING


def _name(origin: Any) -> str:
    return str(getattr(origin, "_name", None) or getattr(origin, "__name__", ""))
