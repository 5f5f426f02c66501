"""What hostile replies cost: seconds of CPU and bytes of memory for each byte of text, and how the time grows.

    python benchmarks/hostile.py [KB] [part of a name]

Each family is read at the size given and at a quarter of it. Growth above 1.2 is more than linear.
"""

from __future__ import annotations

import json
import math
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple, Union

from pydantic import BaseModel, Field, create_model

from typedllm import Schema


class Item(BaseModel):
    sku: str
    n: int = 0


class Order(BaseModel):
    lines: list[Item]


class Tree(BaseModel):
    value: int = 0
    children: list[Tree] = []


def _arm(index: int, required: bool) -> type[BaseModel]:
    fields: dict[str, Any] = {"x": (int, ...), f"y{index}": (str, ... if required else ""), "z": (list[int], [])}
    return create_model(f"Arm{index}", **fields)


def _arms(required: bool) -> Any:
    return Union[tuple(_arm(index, required) for index in range(20))]  # noqa: UP007


class Red(BaseModel):
    kind: Literal["red"]
    v: int


class Blue(BaseModel):
    kind: Literal["blue"]
    v: list[int]


class Closed(BaseModel, extra="forbid"):
    alpha_one: int
    beta_two: str = ""


class Fork(BaseModel):
    left: Fork | Leaf | int = 0
    right: Fork | Leaf | str = ""


class Leaf(BaseModel):
    leaf: int | list[Fork]


_NODE = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#/$defs/n"}},
                   {"type": "object", "additionalProperties": {"$ref": "#/$defs/n"}}]}  # fmt: skip
_WIDE: dict[str, Any] = {f"field_{index}_name": (int, 0) for index in range(500)}
_ONE_OF = [{"type": "object", "properties": {"a": {"type": "integer"}, f"b{index}": {}}, "required": ["a", f"b{index}"]}
           for index in range(50)]  # fmt: skip
TYPES: dict[str, Schema[Any]] = {
    "any": Schema(Any),
    "order": Schema(Order),
    "items": Schema(list[Item]),
    "texts": Schema(list[str]),
    "numbers": Schema(list[int]),
    "tree": Schema(Tree),
    "arms": Schema(list[_arms(False)]),
    "strict arms": Schema(list[_arms(True)]),
    "words": Schema(list[Literal[tuple(f"word{index:04}" for index in range(5000))]]),  # pyright: ignore
    "one of": Schema.from_json_schema({"type": "array", "items": {"oneOf": _ONE_OF}}),
    "item": Schema(Item),
    "tagged": Schema(list[Annotated[Red | Blue, Field(discriminator="kind")]]),
    "closed": Schema(list[Closed]),
    "forks": Schema(list[Fork]),
    "lists": Schema(list[list[int]]),
    "many words": Schema(list[Literal[tuple(f"member {index:05}" for index in range(10_000))]]),  # pyright: ignore
    "wide": Schema(create_model("Wide", **_WIDE)),  # pyright: ignore
    "keyed": Schema(dict[int, Item]),
    "scalars": Schema(list[int | bool | date | list[int] | dict[str, int] | Literal["red"] | None]),
    "unique": Schema.from_json_schema({"type": "array", "uniqueItems": True, "items": {"type": "object"}}),
    "pattern": Schema.from_json_schema({"type": "array", "items": {"type": "string", "pattern": "^(a+)+b$"}}),
    "cycle": Schema.from_json_schema({"$defs": {"n": _NODE}, "type": "array", "items": {"$ref": "#/$defs/n"}}),
    "patterns": Schema.from_json_schema({"patternProperties": {"^a": {"type": "integer"}}, "type": "object"}),
    "all of": Schema.from_json_schema({"type": "array", "items": {"allOf": _ONE_OF[:20]}}),
}


class Family(NamedTuple):
    """A text of any length: `unit` over and over between `head` and `tail`."""

    of: str
    head: str
    unit: str | Callable[[int], str]
    tail: str = ""
    allow: tuple[str, ...] = ()

    def text(self, size: int) -> str:
        count = size // (len(self.unit) if isinstance(self.unit, str) else 12)
        body = self.unit * count if isinstance(self.unit, str) else ",".join(map(self.unit, range(count)))
        return self.head + body + self.tail


FAMILIES: dict[str, Family] = {
    "opening brackets": Family("any", "", "["),
    "opening keys": Family("order", "", '{"a":'),
    "quotes": Family("any", "", '"'),
    "backslashes": Family("any", "", "\\"),
    "comments": Family("any", "", "/*"),
    "fences": Family("order", "", "```\n"),
    "candidates": Family("order", "", "{} "),
    "digits": Family("any", "", "1"),
    "thoughts": Family("order", "", "<think>"),
    "numbers for texts": Family("texts", "[", "1,", "{}]"),
    "texts for numbers": Family("numbers", "[", '"x",', "1]"),
    "objects for texts": Family("texts", "[", '{"sku":7},', "{}]"),
    "mended, one wrong": Family("order", '{"lines":[', '{"sku":7},', "{}]}"),
    "keys missing": Family("items", "[", '{"n":1},', "{}]"),
    "keys unknown": Family("order", "{", lambda index: f'"k{index}":{index}', "}"),
    "keys doubled": Family("any", "{", lambda index: f'"k{index // 2}":1', "}"),
    "words misspelt": Family("words", "[", lambda index: f'"wrd{index % 5000:04}"', "]"),
    "no arm fits": Family("arms", "[", '{"q":1},', '{"x":1}]'),
    "one arm fits": Family("strict arms", "[", '{"x":"1","y3":2},', '{"x":1}]'),
    "all arms misfit": Family("strict arms", "[", '{"x":"1","y3":"a","z":["q"]},', '{"x":1}]'),
    "oneOf of fifty, mended": Family("one of", "[", '{"a":"1","b7":2},', '{"a":"1","b7":2}]'),
    "oneOf of fifty, wrong": Family("one of", "[", '{"a":1},', '{"a":1}]'),
    "valid but for one": Family("one of", "[", '{"a":1,"b7":2},', '{"a":1}]'),
    "single quotes, open": Family("any", "[", "'a',"),
    "single quotes, closed": Family("any", "[", "'a',", "'b']"),
    "a slip at the end": Family("any", "[", "1,", "x y]"),
    "strings in strings": Family("items", "[", json.dumps('{"sku":7}') + ",", "1]"),
    "items left out": Family("numbers", "[", '1,"x",', "1]", ("drop_item",)),
    "odd quotes": Family("any", '{"a":"', 'it"s a "b" c, ', '"}'),
    "drafts": Family("order", "", '```json\n{"lines":[{"sku":"a","n":"x"}]}\n```\n'),
    "items left out, arms": Family("arms", "[", '{"q":1},', '{"x":1}]', ("drop_item",)),
    "items left out, lists": Family("lists", "[", '[1,"x"],', "[1]]", ("drop_item",)),
    "one item for a list": Family("lists", "[", "1,", "[1]]"),
    "a list or many": Family("lists", "[", "1,", "1]"),
    "lists around items": Family("items", "[", "[" * 50 + '{"sku":1}' + "]" * 50 + ",", "1]"),
    "objects in texts, arms": Family("arms", "[", json.dumps('{"x":"1"}') + ",", '{"x":1}]'),
    "candidates, wrong": Family("item", "", '{"sku":7,"n":"x"}\n'),
    "tags wrong": Family("tagged", "[", '{"kind":"green","v":1},', '{"kind":"red","v":1}]'),
    "keys misspelt": Family("closed", "[", lambda index: f'{{"alpha_on{chr(97 + index % 26)}":1}}', "]"),
    "keys of a wide object": Family("wide", "{", lambda index: f'"Field {index} Nam":"1"', "}"),
    "keys that are numbers": Family("keyed", "{", lambda index: f'"{index}":{{"n":1}}', "}"),
    "keys by pattern": Family("patterns", "{", lambda index: f'"a{index}":"x"', "}"),
    "forks, a wrong leaf": Family("forks", "[", '{"left":' * 40 + '{"leaf":"x"}' + "}" * 40 + ",", "{}]"),
    "references, a wrong leaf": Family("cycle", "[", '{"a":' * 40 + '"x"' + "}" * 40 + ",", "1]"),
    "scalars of no arm": Family("scalars", "[", '"x",', "1]"),
    "words of ten thousand": Family("many words", "[", lambda index: f'"memxer {index % 10_000:05}"', "]"),
    "patterns, backtracking": Family("pattern", "[", '"' + "a" * 40 + '",', '"aab"]'),
    "items alike": Family("unique", "[", lambda index: f'{{"a":[{index // 2}]}}', "]"),
    "all of twenty": Family("all of", "[", '{"a":1},', "{}]"),
    "deep lists": Family("tree", '{"children":[', '{"children":[' * 40 + "1" + "]}" * 40 + ",", "1]}"),
}


def seconds(family: Family, size: int) -> float:
    """Seconds of CPU for a byte of the text."""
    text, schema = family.text(size), TYPES[family.of]
    start = time.process_time()
    schema.read(text, allow=family.allow)
    return (time.process_time() - start) / len(text)


def memory(family: Family, size: int) -> float:
    """Bytes of memory for a byte of the text, at the most."""
    text = family.text(size)
    tracemalloc.start()
    TYPES[family.of].read(text, allow=family.allow)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / len(text)


def main() -> None:
    """Prints the table."""
    size = int(sys.argv[1]) * 1000 if len(sys.argv) > 1 else 100_000
    print(f"{'family':24} {'s/MB':>7} {'growth':>7} {'memory':>7}")
    for name, family in FAMILIES.items():
        if sys.argv[2:] and sys.argv[2] not in name:
            continue
        seconds(family, 2000)  # what is made of the type once
        small, large = seconds(family, size // 4), seconds(family, size)
        growth = 1 + math.log(large / small, 4)
        print(f"{name:24} {large * 1e6:7.2f} {growth:7.2f} {memory(family, size // 4):6.0f}x", flush=True)


if __name__ == "__main__":
    main()
