"""Types of many kinds, and replies in which a part may be taken for another: what is meant is read, or asked about."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel
from typing_extensions import TypeAliasType

from tests.test_reading_aligned import read
from typedllm import Schema


class Day(Enum):
    MONDAY = "Monday"
    TUESDAY = "Tuesday"


class Answer(Enum):
    """The words of the members are those of the others."""

    YES = "no"
    NO = "yes"


class Guest(BaseModel):
    name: str
    age: int


class Regular(BaseModel):
    name: str
    age: int
    company: str


class Seat(BaseModel):
    """All of it may be left out."""

    name: str = "nobody"
    row: int = 1


class Stop(BaseModel):
    """A name that is needed, beside what may be left out."""

    name: str
    row: int = 0


class Notes(BaseModel):
    """Keeps what it does not declare."""

    model_config = ConfigDict(extra="allow")
    title: str
    first_seen: date | None = None


class Color(NamedTuple):
    red: int
    green: int
    blue: int = 0
    name: str | None = None


class Line(NamedTuple):
    start: Color
    end: Color
    label: str = "solid"


class Address(BaseModel):
    zip: str


class Customer(BaseModel):
    address: Address
    phones: list[str] = []


class Order(BaseModel):
    customer: Customer
    number: int


class Text(BaseModel):
    text: str


class Call(BaseModel):
    phone: str


Numbers = RootModel[int | list[int]]
Nested = TypeAliasType("Nested", "int | list[Nested]")
Pair: TypeAlias = tuple[list[int], list[str]]
People: TypeAlias = list[Guest | Regular]
OPEN: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "in_stock": {"type": "boolean"}},
    "required": ["name"],
}
TREE: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"label": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            "required": ["label"],
            "additionalProperties": False,
        }
    },
}

READ: list[tuple[Any, str, Any]] = [
    # in valid JSON no bracket is missing
    (Pair, '[[[1],[2]],["a"]]', ([1, 2], ["a"])),
    # one bracket for another, before two that are wrong
    (Line, '[[1,2,3],[4,5,6),"dashed"]', Line(Color(1, 2, 3), Color(4, 5, 6), "dashed")),
    (Any, "[1,[2,[3}],[]]", [1, [2, [3]], []]),
    # a bracket and a quote in each other's place
    (Customer, '{"address": {"zip": "05123}"}', Customer(address=Address(zip="05123"))),
    (list[tuple[str, list[str]]], '[["a", "[x"]], ["b", []]]', [("a", ["x"]), ("b", [])]),
    (list[tuple[str, list[str]]], '[["a", ["x"]], "[b", []]]', [("a", ["x"]), ("b", [])]),
    (
        Order,
        '{"customer": {"address": {"zip": "05123}", "phones": ["+49"]}, "number": 1}',
        Order(customer=Customer(address=Address(zip="05123"), phones=["+49"]), number=1),
    ),
    (Nested, "[1,[2,[3]],][]", [1, [2, [3]], []]),
    # tool calls, where the answer has a name too, or is a map or a list
    (Seat, '{"name": "seat", "arguments": {"row": 2}}', Seat(row=2)),
    (list[Seat], '{"name": "seat", "arguments": [{"row": 2}, {"name": "Ann"}]}', [Seat(row=2), Seat(name="Ann")]),
    (list[Stop], '{"name": "add", "arguments": {"stops": [{"name": "A", "row": 2}]}}', [Stop(name="A", row=2)]),
    (list[Seat], '{"type": "tool_use", "name": "seat", "input": [{"row": 2}]}', [Seat(row=2)]),
    (Guest | Regular, '{"name": "x", "arguments": {"NAME": "B", "AGE": 4, "COMPANY": "C"}}',
     Regular(name="B", age=4, company="C")),
    (People, '[{"person": {"NAME": "B", "AGE": 4, "COMPANY": "C"}}]', [Regular(name="B", age=4, company="C")]),
    # what stands around a map that has no such key
    (dict[Day, Address], '{"result": {"Monday": {"zip": "1"}}}', {Day.MONDAY: Address(zip="1")}),
    (dict[date, float], '{"result": {"2024-01-02": 1.5}}', {date(2024, 1, 2): 1.5}),
    # a key in another form, also where it would be kept
    (Notes, '{"title": "x", "firstSeen": "2024-01-02"}', Notes(title="x", first_seen=date(2024, 1, 2))),
    (Notes, "{'title': 'x', 'firstSeen': '2024-01-02',}", Notes(title="x", first_seen=date(2024, 1, 2))),
    (OPEN, '{"name": "x", "inStock": true}', {"name": "x", "in_stock": True}),
    (OPEN, '{"name": "x", "other": true}', {"name": "x", "other": True}),
    # a scalar that is the answer, beside a container that is not
    (Numbers, "Draft:\n```json\n[1, 2]\n```\nFinal answer:\n```json\n4\n```", Numbers(4)),
    (Guest | None, '```json\n{"name": "A", "age": 1}\n```\nCorrected:\n```json\nnull\n```', None),
    (float, "Here it is:\n```json\n0.25", 0.25),
    (list[int], "<think>two of them</think>\n(1, 2)", [1, 2]),
    (Guest | str, "'nobody'", "nobody"),
    (Guest | str, "'tis the season", "'tis the season"),
    (Literal["a", "b"] | None, "None", None),
    # other commas between items of several kinds
    (list[Any], '["x"，{"op"："not"}，[1]]', ["x", {"op": "not"}, [1]]),
    (list[str | None], '[\n  "a",\n  null.\n  "b"\n]', ["a", None, "b"]),
    # a number that can only be a text is that text
    (Call, '{"phone": +491234567}', Call(phone="+491234567")),
    (Call, '{"phone": 0049123}', Call(phone="0049123")),
    (dict[str, str | None], '{"phone": +491234567}', {"phone": "+491234567"}),
    (list[str], "[0x1f, .50]", ["0x1f", ".50"]),
    (Literal["+1", "1"], "+1", "+1"),
    (list[int | date], '["3"]', [3]),
]  # fmt: skip

ASKED: list[tuple[Any, str]] = [
    (Text, '{"text":"hello, \\"you\\": {x"}}'),  # the quote and the bracket, or a bracket too many
    (list[list[int]], "[[1,2],][3]"),
    (list[tuple[str, list[str]]], '[["a", ["x]"], ["b", []]]'),
    (Numbers, "```json\n[1, 2]\n```\nor\n```json\n4\n```"),
    (Guest | str, '("name": "A", "age"'),
    (Guest | str, '"nobody'),
    (Call, '{"phone": [+491234567]}'),
    (int | tuple[str, str] | str, '( "a", "b"'),
    (Guest | str, '<think>\nMaybe {\n  "name": "A",\n  "age": 1\n}? No.\n</think>\n'),
    (Guest, '<think>\n"name": "A",\n"age": 1\n</think>\nI cannot tell.'),
    (dict[str, int], 'Draft:\n```json\n{"a": 1}\n```\nFinal answer:\n```json\n{"a": "x"}\n```'),
    (
        list[Guest],
        '```json\n[{"name":"A","age":1},{"name":"B","age":"x"}]\n```\nAgain:\n```json\n[{"name":"A","age":1}',
    ),
    (list[int | str], '[1."1","x",3]'),
    (Answer, '"YES"'),  # the name of one, and the value of another in capital letters
    (dict[str, Guest], '{"function": {"name": "x", "arguments": {"a": {"name": "A", "age": 1}}}}'),
]

INNER = """'{"label": "a", "kids": "[\\\\"{\\\\\\\\\\\\"label\\\\\\\\\\\\": \\\\\\\\\\\\"c\\\\\\\\\\\\"}\\\\"]"}'"""


def schema_of(declared: Any) -> Schema[Any]:
    return Schema[Any].from_json_schema(declared) if isinstance(declared, dict) else Schema(declared)


@pytest.mark.parametrize(("declared", "text", "value"), READ)
def test_what_is_meant_is_read(declared: Any, text: str, value: Any) -> None:
    result = schema_of(declared).read(text)
    assert result.value == value
    assert type(result.value) is type(value)
    assert all(fix.lossless for fix in result.fixes)


@pytest.mark.parametrize(("declared", "text"), ASKED)
def test_what_may_be_two_things_is_asked_about(declared: Any, text: str) -> None:
    result = read(declared, text)
    assert not result.ok
    assert result.issues


def test_a_part_of_a_string_that_is_escaped_twice_never_stands_for_the_whole() -> None:
    result = schema_of(TREE).read(INNER)
    assert not result.ok or result.value == {"label": "a", "kids": [{"label": "c"}]}


@pytest.mark.parametrize("text", ["```json\n4", "```json\n4\n"])
def test_a_number_in_a_fence_that_the_limit_left_open_may_go_on(text: str) -> None:
    assert Schema(int).read(text, finish_reason="length").issues[0].code == "truncated"


@pytest.mark.parametrize(("declared", "value"), [(tuple[str, int], ("a", 1)), (Color, Color(1, 2))])
def test_a_tuple_is_the_root_of_a_model(declared: Any, value: Any) -> None:
    class Root(RootModel[declared]):  # type: ignore[valid-type]
        """What it is."""

    schema = Schema(Root)
    assert "What it is." in schema.typescript()
    assert schema.read(schema.dump(Root(value))).value == Root(value)


class Bounded(BaseModel):
    """Two numbers under a key each."""

    rates: dict[str, Annotated[float, Field(ge=0)]]


@pytest.mark.parametrize("text", ['{"rates": {"name": 1, "arguments": 2}}', '{"rates": {"input": 1}}'])
def test_the_keys_of_a_tool_call_may_be_those_of_a_map(text: str) -> None:
    assert read(Bounded, text).ok
