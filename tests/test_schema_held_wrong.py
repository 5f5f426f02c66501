"""What is declared and cannot be: each is refused when it is declared, with what it is and the way out."""

from __future__ import annotations

import collections
import datetime
import enum
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Required

import pytest
from pydantic import BaseModel, TypeAdapter

from typedllm import Client, Schema, SchemaError
from typedllm.testing import ScriptedModel


class Cup(BaseModel):
    size: str


class Pair(enum.Enum):
    LEFT = (1, 2)


class Day(enum.Enum):
    NEW_YEAR = datetime.date(2026, 1, 1)


class Rank(enum.Enum):
    LOW = 1
    HIGH = 2


class Nobody(enum.Enum):
    pass


class Ranked(BaseModel):
    scores: dict[Rank, int]
    places: dict[tuple[int, int], int]
    pairs: list[Pair]
    first: dict[Rank, str] = {}


@pytest.mark.parametrize(
    ("declared", "said", "way_out"),
    [
        ([int], "is not a type", "write list[int]"),
        ((int, str), "is not a type", "write tuple[int, str], or int | str"),
        ({"a", "b"}, "is not a type", "write Literal["),
        ("tall or short please", "expression", ""),
        ({"type": "object"}, "is not a type", "Schema.from_json_schema(document)"),
        ({"a": int}, "is not a type", "a TypedDict"),
        (7, "7 is not a type", "write Literal[7]"),
        (..., "Ellipsis is not a type", ""),
        (dict[str, ...], "Ellipsis is not a type", ""),  # type: ignore[misc]
        (list[Literal["a"] | Callable[..., int]] | list[3], "3 is not a type", "write Literal[3]"),  # type: ignore[valid-type]
        (len, "the function len is not a type", "the type that it returns"),
        (lambda text: text, "the function <lambda> is not a type", "prompt function"),
        (math, "the module math is not a type", "a type that it holds"),
        (Cup(size="tall"), "Cup(size='tall') is not a type", "its own is Cup"),
        (TypeAdapter(int), "is not a type", "its own is TypeAdapter"),
        (ClassVar[int], "typing.ClassVar[int]", "cannot stand there by itself"),
        (Required[int], "typing.Required[int]", "cannot stand there by itself"),
        (Literal, "typing.Literal", "cannot stand there by itself"),
        (Pair, "Pair: Pair.LEFT is (1, 2), which is no JSON", "make it a string or a number"),
        (Day, "Day: Day.NEW_YEAR is datetime.date(2026, 1, 1), which is no JSON", "make it a string or a number"),
        (Nobody, "Nobody has no members", "declare some"),
        (Literal[()], "Literal[()] has no values", "declare some"),  # type: ignore[valid-type]
        (Literal[b"x"], "the literal b'x' is no JSON", "make it a string or a number"),
        (dict[Literal[1, 2], int], "a key is text in JSON", "declare keys of str"),
        (dict[list[int], int], "a key is text in JSON", "declare keys of str"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_it_is_refused_with_a_way_out(declared: Any, said: str, way_out: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Client(ScriptedModel([])).generate("Hello", declared)
    assert said in str(caught.value)
    assert way_out in str(caught.value)


def test_every_key_and_value_that_json_cannot_hold_is_listed() -> None:
    with pytest.raises(SchemaError) as caught:
        Schema(Ranked)
    places = [problem.partition(":")[0] for problem in caught.value.problems]
    assert sorted(places) == ["Pair", "Ranked.first", "Ranked.places", "Ranked.scores"]


def test_an_undefined_name_and_a_sentence_are_told_apart() -> None:
    with pytest.raises(SchemaError, match="the name 'Gone' is not defined"):
        Schema("Gone")


class Grade(enum.IntEnum):
    GOOD = 1
    BAD = 2


class Right(enum.Flag):
    READ = 4
    WRITE = 2


class Twice(enum.Enum):
    ONE = 1
    YES = True


@dataclass
class Sum:
    parts: list[int]
    total: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.total = sum(self.parts)


@pytest.mark.parametrize(
    ("declared", "text", "value", "shown"),
    [
        (dict[Grade, str], '{"1": "a"}', {Grade.GOOD: "a"}, "keys: 1 GOOD, 2 BAD"),
        (Right, "6", Right.READ | Right.WRITE, "0..6; sum of: 4 READ, 2 WRITE"),
        (Twice, "1", Twice.ONE, "1 ONE\ntype Twice = 1;"),
        (Sum, '{"parts": [1, 2]}', Sum([1, 2]), "interface Sum { parts: integer[] }"),
        (Collection[int], "[1]", [1], "type Reply = integer[];"),
        (collections.abc.AsyncIterator[int], "[1]", [1], "type Reply = integer[];"),
        (collections.abc.Iterable, '[1, "a"]', [1, "a"], "type Reply = any[];"),
    ],
)
def test_what_can_be_read_is_shown_and_read(declared: Any, text: str, value: Any, shown: str) -> None:
    schema = Schema(declared)
    assert schema.read(text).value == value
    assert shown in schema.typescript()
