"""Hostile replies: each of these took minutes, or a deep stack, until what it makes the reader do was bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, Union

import pytest
from pydantic import BaseModel, ValidationError, create_model

from tests.support.pieces import Piecewise
from typedllm.declared import Schema
from typedllm.reading import plainer
from typedllm.reading.align import Aligner
from typedllm.reading.fixes import Entry
from typedllm.reading.nodes import Node
from typedllm.reading.reader import JsonReader
from typedllm.reading.shape import Shape
from typedllm.reading.stretch import Stretch
from typedllm.reading.strides import StrideReader
from typedllm.reading.target import Target
from typedllm.reading.windows import TOKEN
from typedllm.records import MISSING, Policy
from typedllm.schema.build import build
from typedllm.validation import PydanticValidator


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
    ("any", 'c: x "b", ', "{a: "),  # keys and texts without quotes, and quotes inside
    ("any", "\\n", "["),  # line breaks as they are written in strings
    ("colour", "red ", ""),  # a declared word, everywhere
    ("item", '\\"', '{"name": "'),  # quotes that are escaped, of which none ends the text
    ("item", "{b:[}", ""),  # broken parts, each of which is compared with what it may have been
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "unit", "head"), HOSTILE)
def test_hostile_text_is_read_in_linear_time(name: str, unit: str, head: str) -> None:
    text = head + unit * max(1, SIZE // len(unit))
    schema = TYPES[name]
    assert schema.read(text).issues
    reader = Piecewise(schema)
    for at in range(0, len(text), 7):
        reader.feed(text[at : at + 7])
    assert reader.close().issues


@pytest.mark.slow
def test_the_places_of_many_parts_are_not_each_told_by_a_long_key() -> None:
    text = '{"' + "k" * SIZE + '": [' + "1," * SIZE + "x]}"
    for each in (text, text.replace(",x", ""), text.replace(",x]", "")):
        result = TYPES["any"].read(each)
        assert result.ok or result.issues
        assert len(result.spans) < 10


def test_a_comment_with_much_space_in_it_is_read_in_linear_time() -> None:
    assert TYPES["item"].read("{/* ..." + " " * SIZE + "x */}").issues


FILLED = [
    ("item", '{"name": "x', ",#a", '\nfoo, "tags": []}'),  # what may be a remark, within a text without its last quote
    ("item", '{"name": "a"}', " ", '1 {"name": "b"}}'),  # space between two parts, of which one is torn off
    ("item", '{"name": "a"} a', " ", '1 {"name": "b"}}'),
    ("item", '{"name": "a", "tags": x}, and', " ", '"{"name": "b"}'),  # the same in what may be a sentence
    ("item", '{"name": "', '\\"a ', '" b", "tags": []}'),  # escaped quotes of a text that one more ends too early
    ("any", "[1,\n", "// a,\n", "2]"),  # remarks on lines of their own, each of which may stand for items
    ("item", "", "<![CDATA[", "{}"),
    ("any", "", '"[ ', ""),
]


@pytest.mark.parametrize(("name", "head", "unit", "tail"), FILLED)
def test_a_long_stretch_of_a_text_is_looked_at_once(name: str, head: str, unit: str, tail: str) -> None:
    result = TYPES[name].read(head + unit * (SIZE // len(unit)) + tail)
    assert result.ok or result.issues


def test_many_keys_that_are_not_declared_are_each_looked_at_once() -> None:
    keys = ",".join(f'"tag{number}": 1' for number in range(SIZE // 10))
    assert TYPES["item"].read(f'{{"name": "a", "tags": [], {keys}}}').ok


DEEP = ["[", '{"a":', '{"children":', '{"children":[', '"children":{"children":', '[{"name":"x","tags":[']


@pytest.mark.slow
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


class Open(BaseModel, extra="allow"):
    x: int


class Pair(BaseModel):
    x: int
    y: str


FIELDS: list[dict[str, Any]] = [{"x": (int, ...), f"y{index}": (str, "")} for index in range(20)]
ARMS: Any = list[Union[tuple(create_model("Arm", **fields) for fields in FIELDS)]]  # pyright: ignore  # noqa: UP007
ANY_ARM: Schema[Any] = Schema(ARMS)


def test_a_bound_that_is_met_in_one_arm_of_a_union_loses_none_of_the_items_behind() -> None:
    rows = '{"x":1,"y":"q"},' * 3
    repeated = '{"x":1,' + '"z":1,' * 1500 + '"y":"q"},'
    result = Schema(list[Open | Pair]).read(f"[{rows}{repeated}{rows}]")
    assert [issue.code for issue in result.issues] == ["too_many_fixes"]


def test_a_bound_that_is_met_among_the_arms_of_a_union_is_an_issue() -> None:
    assert ANY_ARM.read('{"a":[' + '"k":1,' * 700).issues


@pytest.mark.parametrize(("head", "unit"), [('{"lines":[', '"a",'), ('{"a":[', "[1,[2]],"), ('{"a":[', '{"b":[1]},')])
def test_what_no_arm_of_a_union_takes_is_not_aligned_for_each(
    monkeypatch: pytest.MonkeyPatch, head: str, unit: str
) -> None:
    calls, align = 0, Aligner.align

    def counted(self: Aligner, node: Node, shape: Shape, path: str = "") -> Any:
        nonlocal calls
        calls += 1
        return align(self, node, shape, path)

    monkeypatch.setattr(Aligner, "align", counted)
    count = 300
    assert ANY_ARM.read(head + unit * count).issues
    assert calls < 12 * count * len(unit)


@pytest.mark.parametrize("word", ["null", "true", "None", "1", '"x"'])
def test_a_stretch_holds_the_last_value_whatever_it_is(word: str) -> None:
    """A word is a part of the gap behind its key, which is then the last of the text."""
    row = '{"a": 1, "b": "' + "x" * 40 + '"}, '
    text = '{"rows": [' + row * 20 + f'{{"a": 1, "b": {word}}},]}}'
    part = Stretch(text, 0, 0, True, "", 100).part(0)
    assert part is not None
    assert part.end == len(text)
    assert text[: part.end].replace("},]", "}]").replace("None", "null") == part.json


@pytest.fixture
def aligned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The places of the parts that are aligned, each as often as it is."""
    places, align = list[str](), Aligner.align

    def noted(self: Aligner, node: Node, shape: Shape, path: str = "") -> Any:
        places.append(path)
        return align(self, node, shape, path)

    monkeypatch.setattr(Aligner, "align", noted)
    return places


def test_the_parts_of_a_long_list_are_aligned_once_to_tell_what_is_wrong_with_one(aligned: list[str]) -> None:
    rows = '{"name": 7, "tags": []},' * 1000
    result = TYPES["items"].read(f'[{rows}{{"name": [1, 2], "tags": []}},{rows}{{"tags": []}}]')
    assert len(aligned) < 4 * 2002 + 100  # each part, and each item once more: it is not where the issues are
    assert [(issue.path, issue.span) for issue in result.issues] == [
        ("/1000/name", result.spans["/1000/name"]),
        ("/2001/name", None),
    ]


def test_arms_that_cannot_be_meant_are_not_tried(aligned: list[str]) -> None:
    rows = '{"x":"1","y7":2},' * 100 + '{"q":1},' * 100
    result = ANY_ARM.read(f'[{rows}{{"x":1}}]')
    assert [(issue.path, issue.code) for issue in result.issues[:2]] == [("/100/x", "missing"), ("/101/x", "missing")]
    assert [fix.kind for fix in result.fixes[:2]] == ["string_to_number", "number_to_string"]
    assert len(aligned) < 10 * 201  # of twenty arms each object is meant for one, or the first is as good as any


def test_arms_that_make_the_same_of_an_object_are_tried_once(aligned: list[str]) -> None:
    result = ANY_ARM.read("[" + '{"x": "1"},' * 100 + "]")
    assert result.ok
    assert len(aligned) < 5 * 100


def test_a_stretch_ends_with_the_outermost_container() -> None:
    one = '{"a": [1, 2, {"b": "a text that is of some length"}]}'
    text = f"{one}, " * 1000
    stretch = Stretch(text, 0, 0, True, "", 100)
    assert stretch.end < 2000
    part = stretch.part(0)
    assert part is not None
    assert part.json == text[: part.end] == one


@pytest.mark.parametrize("sign", ["{}", "and then\n{}", "```json\n{}\n```"])
def test_candidates_of_which_none_is_valid_are_taken_apart_once(sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = list[str]()

    class Noted:
        def split(self, text: str) -> list[str]:
            taken.append(text)
            return TOKEN.split(text)

    monkeypatch.setattr(plainer, "TOKEN", Noted())
    assert TYPES["item"].read((sign.format('{"b": 1}') + " \n") * 1000).issues
    assert len(taken) == 1


@pytest.mark.parametrize("around", ["{}", "Here:\n```json\n{}\n```", "{}\n"])
def test_records_that_are_all_to_be_converted_are_not_aligned_one_by_one(around: str, aligned: list[str]) -> None:
    rows = [{"Name": "x", "tags": "a"}, {"name": 7, "TAGS": ["b"]}] * 500
    result = TYPES["items"].read(around.replace("{}", json.dumps(rows)))
    assert result.value == [Item(name="x", tags=["a"]), Item(name="7", tags=["b"])] * 500
    assert len(aligned) < 10
    assert [fix.kind for fix in result.fixes if fix.path.startswith("/1/")] == ["number_to_string", "key_form"]
    assert result.spans["/1/name"]
    assert len(aligned) > 1000


def test_keys_without_values_end_in_an_issue() -> None:
    result = TYPES["any"].read("{" + '"a",' * 20_000)
    assert "too_many_fixes" in {issue.code for issue in result.issues}


def test_the_fixes_around_what_was_read_at_once_are_told_without_reading_its_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(*_: object) -> Node:
        raise AssertionError("the parts were read")

    monkeypatch.setattr(StrideReader, "_read", read)
    text = json.dumps([{"name": "x", "tags": ["y"]}] * 50)
    result = TYPES["items"].read(f"Here:\n```json\n{text}\n```")
    assert {fix.kind for fix in result.fixes} == {"fence", "prose"}


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["'a', ", "'a',", "True, ", "{x:1},", "+1,"])
def test_a_long_document_in_another_notation_is_read_however_dense_its_fixes_are(unit: str) -> None:
    count = 1000 + 4000 * 8 // (8 - len(unit))  # more than there may be of other fixes
    result = TYPES["any"].read("[" + unit * count + unit.rstrip(", ") + "]")
    assert result.ok
    assert len(result.value) == count + 1
    assert len(result.fixes) == count + 1


def test_a_notation_does_not_hide_how_much_else_is_broken() -> None:
    result = TYPES["any"].read("[" + "['',,,]," * 3000 + "[]]")
    assert "too_many_fixes" in {issue.code for issue in result.issues}


ROWS: dict[str, Schema[Any]] = {
    "items": Schema(list[Item]),
    "union": ANY_ARM,
    "document": Schema.from_json_schema({"type": "array", "items": Item.model_json_schema()}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_behind_a_thousand_wrong_parts_nothing_is_looked_at(name: str, aligned: list[str]) -> None:
    result = ROWS[name].read('[{"q": 1}' + ', {"q": 1}' * 20_000 + "]")
    assert (result.issues[0].path, result.issues[0].code) == ("/0/x" if name == "union" else "/0/name", "missing")
    last = result.issues[-1]
    assert (last.path.partition("/")[0], last.code) == ("", "too_many_issues")
    assert "was not looked at" in last.message
    assert not any(issue.code == "missing" and issue.path.count("/") == 1 for issue in result.issues)
    assert sum(path.count("/") > 1 for path in aligned) < 2500


def test_what_is_not_looked_at_is_not_said_to_be_missing() -> None:
    class Book(BaseModel):
        pages: list[int]
        title: str

    text = '{"pages": [' + '"x", ' * 2000 + '1], "title": "A"}'
    reading = Schema(Book).examine(text, None, Policy.of("safe"), None)
    assert [issue.code for issue in reading.issues] == ["type"] * 200 + ["too_many_issues"]
    assert reading.data is MISSING  # a repair that took it for the whole would lose the rest


def test_fewer_wrong_parts_are_all_looked_at() -> None:
    result = ROWS["items"].read('[{"name": "a"}' + ', {"name": "a"}' * 900 + "]")
    assert {issue.code for issue in result.issues} == {"missing"}


def test_bad_items_that_may_be_left_out_are_not_counted() -> None:
    result = Schema(list[int]).read("[1" + ', "x", 2' * 3000 + "]", allow=["drop_item"])
    assert result.ok
    assert result.value == [1] + [2] * 3000


def test_a_word_of_ten_thousand_is_found_among_the_few_that_it_may_be() -> None:
    words = [f"word {index:05}" for index in range(10_000)]
    schema = Schema.from_json_schema({"type": "array", "items": {"enum": words}})
    wrong = ["ward " + word[5:] for word in words[::5]]
    result = schema.read(json.dumps(wrong), allow=["near_enum"])
    assert result.value == words[::5]


def test_a_long_text_that_is_wrong_is_not_held_against_every_arm() -> None:
    validator = PydanticValidator(build(ARMS))
    with pytest.raises(ValidationError) as caught:
        validator.validate_text('[{"q": 1}' + ', {"q": 1}' * 5000 + "]", None)
    assert caught.value.error_count() < 100


def test_an_object_in_a_text_is_read_once_for_all_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    read, texts = JsonReader.feed, list[str]()

    def noted(self: JsonReader, text: str) -> None:
        texts.append(text)
        read(self, text)

    monkeypatch.setattr("typedllm.reading.align.JsonReader.feed", noted)
    rows = json.dumps('{"x": "1", "y3": "a"}')
    result = ANY_ARM.read(f"[{rows}, {rows}]")
    assert result.ok
    assert texts.count('{"x": "1", "y3": "a"}') == 1  # equal ones are converted at once


def test_notes_of_a_trial_are_counted_from_its_own_first_one() -> None:
    """Each trial skipped over all notes before it."""
    counted: list[int] = []

    class Noted(list[Entry]):
        def __iter__(self) -> Iterator[Entry]:
            counted.append(len(self))
            return super().__iter__()

    aligner = Aligner(Policy.of("safe"))
    aligner.entries = Noted()
    count = 300
    items = [Node("number", "1", 0, 1) for _ in range(count)] + [Node("array", [], 0, 1)]
    aligner.align(Node("array", items, 0, 1), Target({"items": {"type": "array", "items": {"type": "integer"}}}).root)
    assert len(aligner.entries) == count
    assert sum(counted) < 10 * count
