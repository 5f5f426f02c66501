"""Examples are written as the type reads them, whatever its serializers would write."""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, Field

from typedllm import Client, Known, NotStated, Schema
from typedllm.testing import ScriptedModel


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    good: bool


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Dated(BaseModel):
    day: datetime.date

    @pydantic.field_serializer("day")
    def _short(self, day: datetime.date) -> str:
        return day.strftime("%d/%m/%Y")


class Paired(BaseModel):
    day: datetime.date

    @pydantic.field_serializer("day")
    def _short(self, day: datetime.date) -> str:
        return day.strftime("%d/%m/%Y")

    @pydantic.field_validator("day", mode="before")
    @classmethod
    def _long(cls, text: str) -> datetime.date:
        return datetime.datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=datetime.UTC).date()


class Renamed(BaseModel):
    came: str = Field(validation_alias=pydantic.AliasChoices("in", "inside"), serialization_alias="out")
    hidden: int = Field(exclude=True)


class ByName(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=False, extra="allow")
    user_name: str = Field(alias="userName")


class Square(BaseModel):
    model_config = ConfigDict(extra="forbid")
    side: int

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @functools.cached_property
    def area(self) -> int:
        return self.side**2


class Whole(BaseModel):
    side: int

    @pydantic.model_serializer
    def _other(self) -> dict[str, int]:
        return {"SIDE": self.side}


class Locked(BaseModel):
    word: pydantic.Secret[int]
    more: list[pydantic.SecretStr]


class Inner(BaseModel):
    inner: pydantic.Json[list[int]]


@pydantic.dataclasses.dataclass
class Item:
    size: int = Field(alias="Size")


class Spot(NamedTuple):
    dated: Dated
    at: datetime.timedelta


@dataclass
class Tray:
    spots: dict[datetime.date, tuple[Spot, ...]]
    age: Known[int] | NotStated
    whole: Whole


DAY = datetime.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("declared", "value", "text"),
    [
        (Pet, Cat(lives=7), '{"kind":"cat","lives":7}'),
        (list[Pet], [Dog(good=True)], '[{"kind":"dog","good":true}]'),
        (Cat, Cat(lives=7), '{"lives":7}'),
        (Dated, Dated(day=DAY), '{"day":"2026-01-31"}'),
        (Paired, Paired.model_construct(day=DAY), '{"day":"31/01/2026"}'),
        (Renamed, Renamed.model_validate({"in": "é", "hidden": 1}), '{"in":"é","hidden":1}'),
        (ByName, ByName(user_name="a", more=1), '{"user_name":"a","more":1}'),  # type: ignore[call-arg]
        (Square, Square(side=3), '{"side":3}'),
        (Whole, Whole(side=3), '{"side":3}'),
        (Locked, Locked.model_validate({"word": 7, "more": ["a"]}), '{"word":7,"more":["a"]}'),
        (Inner, Inner.model_validate({"inner": "[1]"}), '{"inner":"[1]"}'),
        (pydantic.Secret[int], pydantic.Secret[int](7), "7"),
        (Item, pydantic.TypeAdapter(Item).validate_python({"Size": 1}), '{"Size":1}'),
        (
            Tray,
            Tray({DAY: (Spot(Dated(day=DAY), datetime.timedelta(hours=1)),)}, Known(3), Whole(side=1)),
            '{"spots":{"2026-01-31":[[{"day":"2026-01-31"},"PT1H"]]},"age":3,"whole":{"side":1}}',
        ),
    ],
)
def test_an_example_is_written_as_it_is_read(declared: Any, value: Any, text: str) -> None:
    schema: Schema[Any] = Schema(declared)
    assert schema.dump(value) == text
    assert schema.read(schema.dump(value)).value == value


def test_a_few_shot_example_has_the_tag_that_the_schema_asks_for() -> None:
    client = Client(ScriptedModel(['{"kind": "dog", "good": true}']))

    @client.prompt
    def pet(text: str) -> Pet:
        """Which pet?"""

    pet.example("A cat.", returns=Cat(lives=7))
    assert pet.render("A dog.").messages[2].text == '{"kind":"cat","lives":7}'
