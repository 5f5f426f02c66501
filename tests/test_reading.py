"""Reading replies: what is read, with which fixes, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from typedllm.declared import Schema
from typedllm.records import Policy


class Drink(BaseModel):
    name: Literal["latte", "mocha"]
    size: Literal["small", "tall"]
    quantity: int = 1


class Order(BaseModel):
    items: list[Drink]
    note: str = ""


LATTE = {"name": "latte", "size": "tall"}

READ = [
    ('{"items":[{"name":"latte","size":"tall"}]}', set()),
    ('Sure!\n```json\n{"items":[{"name":"latte","size":"tall"}]}\n```\nEnjoy.', {"fence", "prose"}),
    ('<think>{"items":[]}</think>{"items":[{"name":"latte","size":"tall"}]}', {"reasoning"}),
    ('{"items":[{"name":"latte","size":"tall"},],}', {"trailing_comma"}),
    ("{'items':[{'name':'latte','size':'tall'}]}", {"quote_style"}),
    ("{items:[{name:latte,size:tall}]}", {"unquoted_key", "unquoted_string"}),
    ('{"items":[{"name":"Latte","size":" TALL "}]}', {"enum_form"}),
    ('{"Items":[{"name":"latte","size":"tall"}]}', {"key_form"}),
    ('{"order":{"items":[{"name":"latte","size":"tall"}]}}', {"envelope"}),
    ('{"items":{"name":"latte","size":"tall"}}', {"single_item"}),
    ('"{\\"items\\":[{\\"name\\":\\"latte\\",\\"size\\":\\"tall\\"}]}"', {"encoded"}),
    ('{"items":[{"name":"latte","size":"tall"}', {"missing_closer"}),
]


@pytest.mark.parametrize(("text", "kinds"), READ)
def test_what_has_one_meaning_is_read(text: str, kinds: set[str]) -> None:
    result = Schema(Order).read(text)
    assert [item.model_dump(exclude_defaults=True) for item in result.value.items] == [LATTE]
    assert {fix.kind for fix in result.fixes} == kinds
    assert all(fix.lossless for fix in result.fixes)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [(int, "**42**", 42), (float, "*0.5*", 0.5), (int, "`7`", 7)],
)
def test_emphasis_around_a_lone_answer_is_packaging(declared: Any, text: str, value: Any) -> None:
    result = Schema(declared).read(text)
    assert result.value == value
    assert [fix.kind for fix in result.fixes] == ["emphasis"]
    assert Schema(str).read(text).value == text


def test_a_truncated_reply_is_told_as_that_alone() -> None:
    issues = Schema(Order).read('{"items":[{"name":"latte","size":"tall","quantity":2').issues
    assert [issue.code for issue in issues] == ["truncated"]


def test_of_a_list_for_one_text_that_the_end_has_cut_nothing_is_kept() -> None:
    reading = Schema(dict[str, str]).examine('{"note": "x", "name": [["lat', "length", Policy.of("safe"), None)
    assert (reading.status, reading.data) == ("truncated", {"note": "x"})


REFUSED: list[tuple[Any, str, str]] = [
    (Order, "I cannot do that.", "no_json"),
    (Order, "", "empty"),
    (Order, '{"items":[{"name":"latte","size":"ta', "truncated"),
    (Order, '{"items":[{"name":"latte","size":"tall"}, ...]}', "elision"),
    (Order, '{"items":[{"name":"latte","size":}]}', "missing_value"),
    (Order, '{"items":[{"name":"latte","size":"tal"}]}', "enum"),
    (list[Order], "{}", "type"),
    (dict[str, int], '{"a":1} or {"a":2}', "ambiguous"),
    (dict[str, int], '{"a":1,"a":2}', "repeated_key_differs"),
    (Literal["yes", "no"], "not yes", "enum"),
    (dict[str, str], r'{"path": "C:\Users\new\temp"}', "unclear_escape"),
    (dict[str, str], r'{"formula": "\alpha + \beta"}', "unclear_escape"),
    (dict[str, str], r'{"pattern": "\d+\b"}', "unclear_escape"),
    (dict[str, list[str]], '{"tags": "a, b and c"}', "type"),
    (list[list[int]], "[1, 2]", "type"),
    (dict[str, list[set[str]]], '{"groups": ["a", "b"]}', "type"),
    (dict[str, list[str]], '{"tags": "- a\\n- b"}', "type"),
]


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (dict[str, str], r'{"path": "C:\Users\\new"}', {"path": r"C:\Users\new"}),
        (dict[str, str], r'{"text": "it\'s \_one\_\nline"}', {"text": "it's \\_one\\_\nline"}),
        (dict[str, list[str]], '{"tags": "one tag"}', {"tags": ["one tag"]}),
        (date, '"20240105"', date(2024, 1, 5)),
        (list[list[int]], "[[1, 2], 3]", [[1, 2], [3]]),
        (list[list[int]], "[1]", [[1]]),
        (list[int | list[int]], "[1, 2]", [1, 2]),
        (list[int], "[1]\nActually, with the third one:\n[1, 2]", [1, 2]),
    ],
)
def test_what_is_in_no_doubt_is_read(declared: Any, text: str, value: Any) -> None:
    assert Schema(declared).read(text).value == value


@pytest.mark.parametrize(("declared", "text", "code"), REFUSED)
def test_what_has_not_one_meaning_is_refused(declared: Any, text: str, code: str) -> None:
    result = Schema(declared).read(text)
    assert not result.ok
    assert code in [issue.code for issue in result.issues]


def test_of_a_forbidden_key_it_is_not_said_what_another_arm_expects() -> None:
    arms = [
        {"properties": {name: {"type": "integer"}}, "required": [name], "additionalProperties": False} for name in "ab"
    ]
    (issue,) = Schema.from_json_schema({"type": "object", "oneOf": arms}).read('{"a": 1, "b": 2}').issues
    assert (issue.path, issue.expected, issue.got) == ("/b", "", "2")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_reply_may_come_in_pieces(size: int) -> None:
    text = "Sure! {'items': [{'name': 'latte', 'size': 'Tall'},]} Enjoy."
    reader = Schema(Order).reader()
    for at in range(0, len(text), size):
        reader.feed(text[at : at + size])
    assert reader.text == text
    result, whole = reader.close(), Schema(Order).read(text)
    assert (result.value, result.fixes, dict(result.spans)) == (whole.value, whole.fixes, dict(whole.spans))


def test_of_a_reply_in_pieces_no_more_is_kept_than_can_be_read() -> None:
    reader = Schema(Order).reader()
    for _ in range(40):
        reader.feed(" " * 1_000_000)
    assert len(reader.text) == 33_000_000
    assert [issue.code for issue in reader.close().issues] == ["too_long"]
