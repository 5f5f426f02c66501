"""Generated examples: valid, deterministic, small."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from annotated_types import Ge, Gt, Len, Lt, MultipleOf
from hypothesis import given
from pydantic import BaseModel, Field

from schemas import coffee
from tests.generated import TYPES, Typed
from tests.support.laws import examples
from typedllm import Schema
from typedllm.records import MISSING
from typedllm.schema.instances import instance


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Pair(NamedTuple):
    left: int
    right: str


class Tree(BaseModel):
    name: str
    children: list[Tree]


class Chain(BaseModel):
    next: Chain | None


CASES: list[tuple[Any, Any]] = [
    (str, "..."),
    (int, 1),
    (Annotated[int, Gt(10), Lt(13)], 11),
    (Annotated[float, Ge(0.5), Lt(0.75)], 0.5),
    (Annotated[int, MultipleOf(7), Gt(1)], 7),
    (Annotated[str, Len(5, 8)], "....."),
    (Annotated[str, Field(pattern=r"^\d{3}$")], "123"),
    (Annotated[str, Field(pattern=r"^[A-Z]{9}-\d{77}$")], MISSING),
    (Annotated[list[int], Len(2, 4)], [1, 1]),
    (list[Literal["a", "b"]], ["a"]),
    (dict[str, int], {}),
    (Size, "s"),
    (date, "2026-01-31"),
    (UUID, "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
    (Decimal, 1),
    (Pair, [1, "..."]),
    (int | None, 1),
    (Tree, {"name": "...", "children": []}),
    (Chain, {"next": None}),
    (Annotated[str, Field(examples=["LHR"])], "LHR"),
]


@pytest.mark.parametrize(("type_", "wanted"), CASES, ids=[str(type_)[:50] for type_, _ in CASES])
def test_examples(type_: Any, wanted: Any) -> None:
    schema = Schema(type_)
    made = instance(schema.document)
    assert made == wanted
    if made is not MISSING:
        assert schema.validate(made).ok


def test_an_example_of_a_whole_domain_is_valid_and_the_same_each_time() -> None:
    schema = Schema(coffee.Cart)
    assert schema.validate(instance(schema.document)).ok
    assert instance(schema.document) == instance(schema.document)


@pytest.mark.slow
@examples(40)
@given(TYPES)
def test_an_example_of_any_type_is_valid(typed: Typed) -> None:
    schema: Schema[Any] = Schema(typed.type)
    made = instance(schema.document)
    assert made is MISSING or schema.validate(made).ok
