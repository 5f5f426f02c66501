"""Issues of values that pydantic refuses: real document paths, the arm that was meant, the words of the prompt."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    OnErrorOmit,
    ValidationError,
    WrapValidator,
    create_model,
    model_validator,
)
from pydantic import dataclasses as pydantic_dataclasses

from schemas.coffee import Cart
from typedllm import RepairError, Schema


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=0, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str
    tricks: list[str] = []


class Plain(BaseModel):
    pet: Cat | Dog


class Tagged(BaseModel):
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]


def even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


class Range(BaseModel):
    low: Annotated[int, AfterValidator(even)]
    high: int
    day: datetime.date = datetime.date(2026, 1, 1)

    @model_validator(mode="after")
    def ordered(self) -> Range:
        assert self.low <= self.high, "low is above high"
        return self


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        (Cat, {"kind": "cat"}, ["/lives: expected an integer"]),
        (Cat, {"kind": "cat", "lives": 10}, ["/lives: expected at most 9, got 10"]),
        (Plain, {"pet": {"kind": "cat", "lives": "nine"}}, ['/pet/lives: expected an integer, got "nine"']),
        (Plain, {"pet": {"kind": "dog", "tricks": [1]}}, ["/pet/name: ", "/pet/tricks/0: expected string, got 1"]),
        (Tagged, {"pets": [{"kind": "dog"}]}, ["/pets/0/name: "]),
        (Tagged, {"pets": [{"kind": "cow"}]}, ['/pets/0/kind: expected "cat" | "dog", got "cow"']),
        (Tagged, {"pets": [{"lives": 3}]}, ["/pets/0/kind: "]),
        (Range, {"low": 3, "high": 4}, ["/low: got 3, must be even"]),
        (Range, {"low": 6, "high": 4}, ["/: got ", "low is above high"]),
        (dict[str, int], {"a/b~c": "x"}, ["/a~1b~0c: expected an integer"]),
        (tuple[int, str], [1], ["/: expected at least 2 items"]),
        (int, True, ["/: expected an integer, got true"]),
        (float, "0.5", ['/: expected number, got "0.5"']),
        (datetime.date, "tomorrow", ['/: got "tomorrow", Input should be a valid date']),
        (Range, {"low": 2, "high": 4, "day": "x"}, ["/day: "]),
    ],
)
def test_issues(type_: Any, data: Any, expected: list[str]) -> None:
    result = Schema(type_).validate(data)
    assert isinstance(result.error, RepairError)
    text = "\n".join(map(str, result.issues))
    for line in expected:
        assert line in text
    assert "pydantic" not in text
    assert len(result.issues) <= len(expected)


def test_one_wrong_leaf_in_a_deep_union_is_one_issue() -> None:
    """A peer says 47 issues in 9,208 characters here (one wrong option in a coffee order)."""
    cart = {
        "items": [
            {
                "type": "line item",
                "quantity": 2,
                "product": {
                    "type": "latte",
                    "name": "latte",
                    "size": "tall",
                    "options": [{"type": "milk", "name": "goat milk"}],
                },
            }
        ]
    }
    (issue,) = Schema(Cart).validate(cart).issues
    assert issue.path == "/items/0/product/options/0/name"
    assert issue.got == '"goat milk"'
    assert len(str(issue)) < 300


class Shot(BaseModel):
    grams: int

    @model_validator(mode="before")
    @classmethod
    def named(cls, data: Any) -> Any:
        return {"grams": data["weight"] / data["parts"]} if "weight" in data else data


@pytest.mark.parametrize(
    ("text", "issue"),
    [
        ('{"weight": 36}', "/grams: expected an integer, got nothing"),
        ('{"weight": 36, "parts": 0, "grams": 1}', "a validator raised ZeroDivisionError: division by zero"),
        ("[36]", "/: expected an object, got [36]"),
    ],
)
def test_a_validator_that_stumbles_over_data_is_an_issue(text: str, issue: str) -> None:
    result = Schema(Shot).read(text)
    assert issue in str(result.issues[0])


def test_a_part_that_lax_reading_would_leave_out_is_an_issue() -> None:
    """The value of lax mode is compared with what was written at each place that strict mode refuses, in any order."""
    days: dict[str, Any] = {f"day_{index}": (datetime.date, ...) for index in range(20)}
    types = create_model("Dated", **days) | create_model("Whole", number=(int, ...))
    assert Schema(types).validate({"number": 1.0, **dict.fromkeys(days, "null")}).issues


def test_a_validator_that_stumbles_over_one_candidate_is_not_in_the_way_of_another() -> None:
    assert Schema(Shot).read('Not {"weight": 0} but {"grams": 18}').value == Shot(grams=18)


class Bean(BaseModel):
    grams: int


def _or_none_left(data: Any, handler: Any) -> Any:
    try:
        return handler(data)
    except ValidationError:
        return Bean(grams=0)


class Bag(BaseModel):
    beans: list[OnErrorOmit[Bean]] = []
    best: Annotated[Bean, WrapValidator(_or_none_left)] = Bean(grams=0)


@pytest.mark.parametrize("end", ["}", ",}"])
def test_what_a_type_has_instead_of_a_part_never_stands_for_one_with_an_unknown_key_or_a_number_in_quotes(
    end: str,
) -> None:
    text = '{"beans": [{"grams": 1, "from": "Peru"}, {"grams": "2"}, {}], "best": {"grams": "3", "from": "Kenya"}' + end
    assert Schema(Bag).read(text).value == Bag(beans=[Bean(grams=1), Bean(grams=2)], best=Bean(grams=3))


class Named(BaseModel):
    """Fields whose names are words that pydantic has in its own schemas."""

    metadata: list[OnErrorOmit[Bean]]
    serialization: Annotated[str, AfterValidator(lambda text: _refuse(text))] = "a"
    default: list[int] = []


def _refuse(text: str) -> str:
    raise ValueError(f"there is no {text}")


def test_a_field_may_be_called_as_pydantic_calls_a_part_of_its_schemas() -> None:
    schema = Schema(Named)
    assert schema.read('{"metadata": [{"grams": 1, "from": "Peru"}]}').value.metadata == [Bean(grams=1)]
    issues = schema.read('{"metadata": [], "serialization": "tea", "default": ["x"]}').issues
    assert [issue.path for issue in issues] == ["/default/0", "/serialization"]
    assert "there is no tea" in str(issues[1])


@pytest.mark.parametrize("length", [1, 10_000])
def test_a_long_text_is_judged_as_a_short_one_is(length: int) -> None:
    class Note(BaseModel):
        at: list[tuple[int, str]]
        text: str

    schema = Schema(Note)
    right = {"at": [[1, "a"], [2, "b"]], "text": "x" * length}
    assert schema.validate(right).value == Note(at=[(1, "a"), (2, "b")], text="x" * length)
    wrong = {"at": [["?", "a"], [2, 3]], "text": "x" * length}
    assert [issue.path for issue in schema.validate(wrong).issues] == ["/at/0/0", "/at/1/1"]


@pydantic_dataclasses.dataclass
class Scaled:
    """A number that no value has."""

    base: int
    factor: dataclasses.InitVar[int] = 2


def test_what_a_value_does_not_say_again_is_not_taken_for_the_same() -> None:
    result = Schema(Scaled).validate({"base": 1, "factor": 4.0})
    assert [issue.path for issue in result.issues] == ["/factor"]
