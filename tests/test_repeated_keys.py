"""A key that stands twice with different values never passes, though valid replies are not read a second time to see it."""

from __future__ import annotations

import json
import random
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, Json, field_validator, model_validator
from typing_extensions import TypedDict

from typedllm import Schema


class Flat(BaseModel):
    name: str
    size: int = 0
    note: str | None = None


class Nested(BaseModel):
    one: Flat
    two: Flat | None = None
    many: list[Flat] = []
    named: dict[str, Flat] = {}


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(alias="theName")
    first: int = Field(validation_alias=AliasPath("numbers", 0))
    second: int = Field(validation_alias=AliasPath("numbers", 1))
    other: int = Field(0, validation_alias=AliasChoices("other", "another"))


class Sharing(BaseModel):
    one: str = Field("", alias="name")
    two: str = Field("", alias="name")


class Setting(BaseModel):
    name: str
    size: int = 0
    more: int = 0

    @model_validator(mode="after")
    def fill(self) -> Setting:
        self.size = self.more = 1
        return self


class Posted(BaseModel):
    name: str
    size: int = 0
    more: int = 0

    def model_post_init(self, context: Any, /) -> None:
        self.size = self.more = 1


class Making(BaseModel):
    name: str
    inner: Flat | None = None

    @field_validator("inner", mode="before")
    @classmethod
    def make(cls, value: Any) -> Any:
        return {"name": "made", "size": 1, "note": "x"} if value is None else value


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str


class Typed(TypedDict, total=False):
    name: str
    size: int


class Packed(BaseModel):
    packed: Json[dict[str, int]]
    name: str


class Tree(BaseModel):
    name: str
    below: list[Tree] = []


class Tagged(BaseModel):
    kind: Literal["t"]
    size: int


class TaggedTree(BaseModel):
    kind: Literal["tree"]
    below: list[TaggedTree] = []


TREES = [{"kind": "tree", "below": [{"kind": "tree"}]}, None]
FLAT = {"name": "a: b", "size": 2, "note": 'http://x, "y": z'}
CASES: list[tuple[Any, Any]] = [
    (list[Flat], [FLAT, {"name": "x"}, {"name": "y", "note": None}]),
    (list[Flat], [{"name": "x", "size": 1}] * 20),
    (Nested, {"one": FLAT, "two": None, "many": [FLAT] * 9, "named": {"k": FLAT, "l:": FLAT}}),
    (list[Aliased], [{"theName": "x", "numbers": [1, 2], "other": 3}] * 12),
    (list[Sharing], [{"name": "x"}] * 40),
    (list[Setting], [{"name": "x"}] * 40),
    (list[Posted], [{"name": "x"}] * 40),
    (list[Making], [{"name": "x", "inner": None}] * 20),
    (list[Open], [{"name": "x", "more": 1, "most": {"a": 1}}] * 20),
    (list[Typed], [{"name": "x", "size": 1}] * 20),
    (list[Packed], [{"packed": '{"a": 1, "b": 2}', "name": "x"}] * 20),
    (list[Flat | Typed], [{"name": "x", "size": 1}] * 20),
    (list[Flat | Nested], [{"name": "x"}, {"one": FLAT, "many": [FLAT]}] * 9),
    (list[Tagged | Setting], [{"kind": "t", "size": 1}, {"name": "x"}] * 9),
    (list[Annotated[Tagged | TaggedTree, Field(discriminator="kind")] | None], [*TREES, {"kind": "t", "size": 1}] * 5),
    (Tree, {"name": "a", "below": [{"name": "b", "below": []}] * 20}),
    (dict[str, Flat], {f"k {index}": FLAT for index in range(9)}),
    (dict[str, dict[str, int]], {f"k{index}": {"a": 1, "b": 2} for index in range(20)}),
    (dict[str, Any], {f"k{index}": {"a": 1, "b": [{"c": 1}]} for index in range(20)}),
    (Any, [{"a": 1, "b": {"c": [1, 2]}}] * 20),
    (list[dict[Literal["a", "b"], int]], [{"a": 1, "b": 2}] * 20),
]


def twice(value: Any, at: int, other: str) -> str | None:
    """The JSON of a value in which the key at a place stands once more, with another value; None: it has no such place."""
    count, done = -1, False

    def written(part: Any) -> str:
        nonlocal count, done
        if isinstance(part, list):
            return f"[{', '.join(map(written, part))}]"
        if not isinstance(part, dict):
            return json.dumps(part)
        members: list[str] = []
        for key, below in part.items():
            count += 1
            if count == at and json.loads(other) != below:
                done = True
                members.append(f"{json.dumps(key)}: {other}")
            members.append(f"{json.dumps(key)}: {written(below)}")
        return f"{{{', '.join(members)}}}"

    text = written(value)
    return text if done else None


@pytest.mark.slow
@pytest.mark.parametrize(("declared", "value"), CASES, ids=lambda part: str(part)[:40])
def test_a_key_that_stands_twice_is_always_seen(declared: Any, value: Any) -> None:
    schema: Schema[Any] = Schema(declared)
    for indent in (None, 2):
        plain = schema.read(json.dumps(value, indent=indent))
        assert plain.ok, plain.issues
        assert plain.fixes == ()
    keys = json.dumps(value).count('":')
    for at in random.Random(1).sample(range(keys), min(keys, 12)):
        for other in ('"another"', "77", "null", "{}"):
            text = twice(value, at, other)
            assert text is None or not schema.read(text).ok, (at, other)


def test_a_colon_for_a_key_does_not_hide_it() -> None:
    schema = Schema(list[Flat])
    items = [{"name": "x", "size": 1, "note": "y"} for _ in range(20)]
    text = json.dumps(items).replace('"size": 1, ', "", 1)
    assert schema.read(text).ok
    assert not schema.read(text.replace('"note": "y"', '"note": "y", "note": "z"', 1)).ok
    odd = text.replace('": ', '" \n:').replace('"note" \n:"y"', '"note":"y", "note" :"z"', 1)
    assert not schema.read(odd).ok
