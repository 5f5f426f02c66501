"""Hostile replies: each of these took minutes, or a deep stack, until what it makes the reader do was bounded."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel

from typedllm.declared import Schema


class Item(BaseModel):
    name: str
    tags: list[str]


class Tree(BaseModel):
    value: int = 0
    children: list[Tree] = []


TYPES: dict[str, Schema[Any]] = {
    "any": Schema(Any),
    "colour": Schema(Literal["red", "green"]),
    "item": Schema(Item),
    "items": Schema(list[Item]),
    "tree": Schema(Tree),
    "document": Schema.from_json_schema({"type": "array", "items": {"type": "string", "enum": ["red", "green"]}}),
}
SIZE = 100_000

HOSTILE = [
    ("items", '{"name":"x","tags":["', ""),  # keys that are unknown where they stand
    ("item", '{"nama":1,"tagz":2,"nome":', ""),  # keys that look misspelt
    ("document", '["rad", "gren", "grean", "reed", ', ""),  # words that look misspelt
    ("any", '"' + " " * SIZE, "x"),  # a quote and much space before a bracket that does not come
    ("any", '"[', "x"),  # quotes that may begin JSON in a string
    ("any", "```{;", ""),  # fences without an end of line
    ("any", "/**/", "{"),  # comments, of which none need be the last
    ("colour", "`", "`" * SIZE + "\n"),  # fences as long as the reply
    ("any", " ", '["a" +'),  # space after a plus sign
    ("any", "a,", "{a: "),  # text without quotes
    ("colour", "red ", ""),  # a declared word, everywhere
    ("item", "{b:[}", ""),  # broken parts, each of which is compared with what it may have been
]


@pytest.mark.parametrize(("name", "unit", "head"), HOSTILE)
def test_hostile_text_is_read_in_linear_time(name: str, unit: str, head: str) -> None:
    text = head + unit * max(1, SIZE // len(unit))
    schema = TYPES[name]
    assert schema.read(text).issues
    reader = schema.reader()
    for at in range(0, len(text), 7):
        reader.feed(text[at : at + 7])
    assert reader.close().issues


def test_the_places_of_many_parts_are_not_each_told_by_a_long_key() -> None:
    text = '{"' + "k" * SIZE + '": [' + "1," * SIZE + "x]}"
    for each in (text, text.replace(",x", ""), text.replace(",x]", "")):
        result = TYPES["any"].read(each)
        assert result.ok or result.issues
        assert len(result.spans) < 10


def test_a_comment_with_much_space_in_it_is_read_in_linear_time() -> None:
    assert TYPES["item"].read("{/* ..." + " " * SIZE + "x */}").issues


DEEP = ["[", '{"a":', '{"children":', '{"children":[', '"children":{"children":', '[{"name":"x","tags":[']


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("unit", DEEP)
@pytest.mark.parametrize("closed", [False, True])
def test_deep_nesting_ends_in_an_issue(name: str, unit: str, closed: bool) -> None:
    closers = "".join({"{": "}", "[": "]"}[sign] for sign in reversed(unit) if sign in "{[")
    for depth in (110, 160, 3000):
        result = TYPES[name].read(unit * depth + "1" + (closers * depth if closed else ""))
        assert result.ok or result.issues
        assert dict(result.spans) or not result.ok


@pytest.mark.parametrize(
    "text", ["1" * 5000, "1_" * 5000 + "1", "0x" + "f" * 5000, '"' + "1" * 5000 + '"', "1." * 3000]
)
@pytest.mark.parametrize("around", ["{}", "[{}]", '{{"a": {}}}', '{{"value": {},}}'])
def test_a_number_of_many_digits_ends_in_an_issue(text: str, around: str) -> None:
    for schema in (Schema(int), Schema(float), Schema(list[int]), Schema(dict[str, float]), TYPES["tree"]):
        result = schema.read(around.format(text))
        assert result.issues
        assert not result.ok
