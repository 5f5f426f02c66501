"""Generated types with values: for the laws that hold of every type."""

from __future__ import annotations

import copy
import datetime
import enum
import keyword
from collections.abc import Iterator
from dataclasses import field, make_dataclass
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypeAlias

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model
from typing_extensions import TypedDict


class Typed(NamedTuple):
    """A type with the values that it admits."""

    type: Any
    values: st.SearchStrategy[Any]


Recipe: TypeAlias = st.SearchStrategy[Typed]

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.from_regex("[a-z][a-z_]{0,5}[a-z]", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name) and not hasattr(BaseModel, name) and not hasattr(dict, name)
)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@st.composite
def integers(draw: st.DrawFn) -> Typed:
    low, size = draw(st.integers(-1000, 1000)), draw(st.integers(0, 1000))
    return Typed(Annotated[int, Field(ge=low, le=low + size)], st.integers(low, low + size))


@st.composite
def literals(draw: st.DrawFn) -> Typed:
    values = draw(
        st.lists(WORDS | st.integers(-9, 9), min_size=1, max_size=4, unique_by=lambda value: (type(value), value))
    )
    return Typed(Literal[tuple(values)], st.sampled_from(values))


LEAVES: Recipe = st.one_of(
    st.sampled_from(
        [
            Typed(str, WORDS),
            Typed(bool, st.booleans()),
            Typed(float, st.floats(allow_nan=False, allow_infinity=False)),
            Typed(type(None), st.none()),
            Typed(datetime.date, st.dates()),
            Typed(Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
            Typed(Colour, st.sampled_from(Colour)),
            Typed(Annotated[str, Field(min_length=1, max_length=3)], st.text("ab", min_size=1, max_size=3)),
        ]
    ),
    integers(),
    literals(),
)


def extend(inner: Recipe) -> Recipe:
    """Types made of these types."""
    return st.one_of(
        inner.map(lambda of: Typed(list[of.type], st.lists(of.values, max_size=3))),  # type: ignore[name-defined]
        inner.map(lambda of: Typed(dict[str, of.type], st.dictionaries(WORDS, of.values, max_size=3))),  # type: ignore[name-defined]
        inner.map(lambda of: Typed(of.type | None, of.values | st.none())),
        st.lists(inner, max_size=3).map(_tuple),
        models(inner),
        typed_dicts(inner),
        dataclasses(inner),
        tagged_unions(inner),
    )


def _tuple(parts: list[Typed]) -> Typed:
    types = tuple(part.type for part in parts)
    return Typed(tuple.__class_getitem__(types or ((),)), st.tuples(*(part.values for part in parts)))


def _fields(inner: Recipe) -> st.SearchStrategy[dict[str, tuple[Typed, bool, str]]]:
    """Fields by name: their types, whether they may be left out, and their descriptions."""
    return st.dictionaries(NAMES, st.tuples(inner, st.booleans(), WORDS), max_size=4)


@st.composite
def models(draw: st.DrawFn, inner: Recipe, tag: str = "") -> Typed:
    """A BaseModel, with aliases that are odd keys."""
    fields = draw(_fields(inner))
    spec: dict[str, Any] = {"tag": (Literal[tag], ...)} if tag else {}
    values: dict[str, st.SearchStrategy[Any]] = {}
    for index, (name, (of, optional, words)) in enumerate(fields.items()):
        default = draw(of.values) if optional else ...
        alias = f"{name} {words}{index}" if words else None
        spec[f"f_{name}"] = (of.type, Field(default, alias=alias, description=words))
        values[f"f_{name}"] = of.values
    if tag:
        values["tag"] = st.just(tag)
    config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, extra=draw(st.sampled_from(["ignore", "forbid"]))
    )
    model = create_model(f"Model{tag or draw(st.integers(0, 9))}", __config__=config, **spec)
    return Typed(model, st.fixed_dictionaries(values).map(lambda made: model(**made)))


@st.composite
def typed_dicts(draw: st.DrawFn, inner: Recipe) -> Typed:
    fields = draw(_fields(inner))
    hints = {name: NotRequired[of.type] if optional else of.type for name, (of, optional, _) in fields.items()}
    needed = {name: of.values for name, (of, optional, _) in fields.items() if not optional}
    rest = {name: of.values for name, (of, optional, _) in fields.items() if optional}
    return Typed(TypedDict("Dict", hints), st.fixed_dictionaries(needed, optional=rest))  # type: ignore[operator]


@st.composite
def dataclasses(draw: st.DrawFn, inner: Recipe) -> Typed:
    fields = draw(_fields(inner))
    spec: list[Any] = [(name, of.type) for name, (of, optional, _) in fields.items() if not optional]
    for name, (of, optional, _) in fields.items():
        if optional:
            default = draw(of.values)
            spec.append((name, of.type, field(default_factory=lambda default=default: copy.deepcopy(default))))
    made = make_dataclass("Data", spec)
    values = st.fixed_dictionaries({name: of.values for name, (of, *_) in fields.items()})
    return Typed(made, values.map(lambda given: made(**given)))


@st.composite
def tagged_unions(draw: st.DrawFn, inner: Recipe) -> Typed:
    arms = [draw(models(inner, tag=tag)) for tag in draw(st.lists(st.sampled_from("ABC"), min_size=2, unique=True))]
    union: Any = reduce(or_, (arm.type for arm in arms))
    return Typed(Annotated[union, Field(discriminator="tag")], st.one_of(*(arm.values for arm in arms)))


TYPES: Recipe = st.recursive(LEAVES, extend, max_leaves=8)


@st.composite
def typed_values(draw: st.DrawFn, most: int = 3) -> tuple[Any, list[Any]]:
    """A type with some of its values."""
    made = draw(TYPES)
    return made.type, draw(st.lists(made.values, min_size=1, max_size=most))


def broken(value: Any) -> Iterator[Any]:
    """Copies of a JSON value with one part each left out, or replaced by something simple of another kind."""
    yield from (other for other in (None, True, 7, "~") if type(other) is not type(value))
    if isinstance(value, dict):
        for key, part in value.items():
            yield {other: kept for other, kept in value.items() if other != key}
            yield from ({**value, key: other} for other in broken(part))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in broken(part))
