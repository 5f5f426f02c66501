"""What is told of a reply: where a fix stands, what was there and what it became; and what is asked, with what is proposed."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from tests.both import Both
from typedllm import Reply, Result, Schema
from typedllm.testing import ScriptedModel


class Mood(Enum):
    HAPPY = "happy"
    VERY_ANGRY = "very_angry"


class Pet(BaseModel):
    name: str
    age: int


class Owner(BaseModel):
    first_name: str
    pets: list[Pet] = []


class Label(BaseModel):
    identifier: int = Field(alias="id")


class Note(BaseModel):
    text: str
    tags: list[str] = []
    counts: list[float] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    barks: bool


REX = {"name": "Rex", "age": 3}

TOLD: list[tuple[Any, str, Any, tuple[str, str, str, str]]] = [
    (Pet, '{"name": "Rex", "age": 0x3}', REX, ("/age", "number_style", "0x3", "3")),
    (Pet, '{"name": "Rex", "age": +3}', REX, ("/age", "number_style", "+3", "3")),
    (Note, '{"text": "", "counts": [.5, 1_000]}', {"text": "", "counts": [0.5, 1000.0]},
     ("/counts/1", "number_style", "1_000", "1000")),
    (int, "42.", 42, ("", "number_style", "42.", "42.0")),
    (dict[str, str], '{"a": [“é”]}', {"a": "é"}, ("/a", "single_item", "[“é”]", '"é"')),
    (Pet, '{name: "Rex", "age": 3}', REX, ("", "unquoted_key", "name", '"name"')),
    (Pet, '{"name": "Rex", age : 3}', REX, ("", "unquoted_key", "age", '"age"')),
    (Pet, "{'name': 'Rex', 'age': 3}", REX, ("", "quote_style", "'name'", '"name"')),
    (Pet, '{""name"": "Rex", "age": 3}', REX, ("", "extra_quote", '""name""', '"name"')),
    (Pet, '{"name: "Rex", "age": 3}', REX, ("", "missing_quote", '"name', '"name"')),
    (Pet, "{name=Rex, age=3}", REX, ("", "wrong_colon", "=", ":")),
    (Pet, '{name => "Rex", "age": 3}', REX, ("", "wrong_colon", "=>", ":")),
    (Pet, '{"name" "Rex", "age": 3}', REX, ("", "missing_colon", "", ":")),
    (Owner, '{"firstName" : "A"}', {"first_name": "A"}, ("/first_name", "key_form", '"firstName"', '"first_name"')),
    (Owner, '{first-name: "A"}', {"first_name": "A"}, ("/first_name", "key_form", "first-name", '"first_name"')),
    (Label, '{"identifier": 7}', {"id": 7}, ("/id", "field_name", '"identifier"', '"id"')),
    (Note, '{"text": "a" + "b"}', {"text": "ab"}, ("/text", "concatenation", "+", "")),
    (Note, '{"text": "", "tags": ["a" + \n"b", "c"]}', {"text": "", "tags": ["ab", "c"]},
     ("/tags/0", "concatenation", "+", "")),
    (dict[str, Owner], '{"a/b": {"first_name": "A", "pets": [{"name": "Rex", "age": "3"}]}}',
     {"a/b": {"first_name": "A", "pets": [REX]}}, ("/a~1b/pets/0/age", "string_to_number", '"3"', "3")),
    (list[Cat | Dog], '[{"kind": "dog", "barks": true}, {"kind": "CAT", "lives": 9}]',
     [{"kind": "dog", "barks": True}, {"kind": "cat", "lives": 9}], ("/1/kind", "enum_form", '"CAT"', '"cat"')),
    (list[Mood], '["happy", "Very angry"]', ["happy", "very_angry"], ("/1", "enum_form", '"Very angry"', '"very_angry"')),
    (Pet, '{"name": "Rex", "age": 3, "legs": 4}', REX, ("/legs", "extra_key", '"legs": 4', "")),
]  # fmt: skip


ASKED: list[tuple[Any, str, str, str, str | None]] = [
    # what the end of the text may have cut
    (Note, '{"text": "hello wor', "/text", "truncated", '"hello wor"'),
    (Note, '{"text": "", "tags": ["a", "b', "/tags/1", "truncated", '"b"'),
    (Pet, '{"name": "Rex", "age": 3', "/age", "truncated", "3"),
    # a quote that may be all of a text, or one too many; a backslash that may be meant, or too many
    (Note, '{"text": """}', "/text", "truncated", None),
    (Note, '{"text": "", "tags": ["\'", """, "`"]}', "/tags/1", "truncated", None),
    (Note, r'{"text": "C:\"}', "/text", "truncated", None),
    (Note, r'{"text": "C:\dir\"}', "/text", "truncated", None),
    (Pet, r'{"name": "a\", "age": 3}', "/name", "likely_quote", None),
    (Pet, '{""name"": ""Rex"", "age": 3}', "/name", "likely_quote", None),
    (dict[str, str], r'{"a": "x, y", "b": "why: \"because\"}', "/b", "truncated", None),
    (Note, '{"text": "", "tags": ["x", "2“q”]}', "/tags/1", "truncated", None),
    (Note, '{"text": "", "tags": ["x", "100, 200]}', "/tags/1", "truncated", None),
    # a word too many before a text, or a text without quotes; a comment, or the text behind its quote
    (Note, '{"text": hm "x y"}', "/text", "likely_quote", r'"hm \"x y\""'),
    (Note, "{'text': hm 'x y'}", "/text", "likely_quote", "\"hm 'x y'\""),
    (Note, '{"text": hm "x y, "tags": []}', "/text", "likely_quote", r'"hm \"x y"'),
    (Note, '{"text":: hm "x y"}', "/text", "likely_quote", r'": hm \"x y\""'),
    (Note, r"""{"text": 5"'11\""}""", "/text", "likely_quote", r'''"5\"'11\""'''),
    (Note, '{"text": "", "tags": ["a", hm\n "b"]}', "/tags/1", "likely_quote", '"hm"'),
    (Note, '{"text": "", "tags": [3".5", "a"]}', "/tags/0", "likely_quote", r'"3\".5\""'),
    (Note, '{"text": "", "tags": hm ["a"]}', "/tags", "unexpected_text", None),
    (Note, '{"text": "", "tags": ["1, 2\'\n "// no",\n "x"]}', "/tags", "unexpected_text", None),
    (Note, '{..."text”: "x"}', "", "elision", None),
    # brackets around a text without quotes: a remark, or a part of the text
    (Note, '{"text": (omitted)}', "/text", "type", '"omitted"'),
    (Note, '{"text": "", "tags": ["a", (3 more)]}', "/tags/1", "type", '"3 more"'),
    (Note, '{"text": "", "tags": [a, b, [omitted]]}', "/tags/2", "type", '"omitted"'),
]

LEFT_OUT = [
    '["a", "b", /* and so on */]',
    '["a", "b", /* the others like it */]',
    '["a", "b" /* remaining tags omitted */]',
    '["a", // 3 items left out\n "e"]',
    '["a", "b", // and 98 more\n]',
    '["a", "b", # plus several others\n]',
    '["a", "b", // etc.\n]',
    '["a", "b" // truncated\n]',
    '["a", "b", // the rest is elided\n]',
]

REMARKS = [
    '["a", /* the second */ "b"]',
    '["a", "b", /* the second */\n]',
    '["a", // may be omitted\n "b"]',
    '["a", "b", // omitted if empty\n]',
    '["a", "b" // 2 more than before\n]',
    '["a", // more or less\n "b"]',
    '["a", // needs 2 more\n "b"]',
]


def data_of(schema: Schema[Any], result: Result[Any]) -> Any:
    return json.loads(schema.dump(result.value))


@pytest.mark.parametrize(
    ("declared", "text", "data", "fix"), TOLD, ids=lambda each: each if isinstance(each, str) else ""
)
def test_a_fix_says_where_it_stands_and_what_it_did(
    declared: Any, text: str, data: Any, fix: tuple[str, str, str, str]
) -> None:
    schema = Schema[Any](declared)
    result = schema.read(text)
    expected = schema.read(json.dumps(data))
    assert data_of(schema, result) == data_of(schema, expected)
    assert fix in [(each.path, each.kind, each.before, each.after) for each in result.fixes]
    for each in result.fixes:
        assert each.lossless
        assert each.span is not None
        assert text[slice(*each.span)] == each.before


@pytest.mark.parametrize(("declared", "text", "path", "code", "proposal"), ASKED, ids=[text for _, text, *_ in ASKED])
def test_what_is_asked_says_where_and_what_may_be_meant(
    declared: Any, text: str, path: str, code: str, proposal: str | None
) -> None:
    result = Schema[Any](declared).read(text)
    assert not result.ok
    issue = next(each for each in result.issues if (each.path, each.code) == (path, code))
    if proposal is not None:
        assert issue.proposal is not None
        assert issue.proposal.after == proposal
        assert Schema[Any](declared).read(text, allow={issue.proposal.kind}).ok


@pytest.mark.parametrize("text", LEFT_OUT)
def test_a_comment_in_the_place_of_items_is_an_issue(text: str) -> None:
    result = Schema(list[str]).read(text)
    assert [issue.code for issue in result.issues] == ["elision"]


@pytest.mark.parametrize("text", REMARKS)
def test_a_comment_about_an_item_is_none(text: str) -> None:
    assert Schema(list[str]).read(text).value == ["a", "b"]


def test_at_the_token_limit_nothing_is_proposed_for_what_was_cut() -> None:
    (issue,) = Schema(Note).read('{"text": "hello wor', "length").issues
    assert (issue.code, issue.proposal) == ("truncated", None)


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ('{"name": "Rex", "age": 3, "legs": 4}\n{"name": "Rex", "age": 3}', True),
        ('{"name": "Rex", "age": 3}\n\n{"name": "Rex", "age": 3, "legs": 4}', True),
        ('{"name": "Rex", "age": 3, "legs": 4} {"name": "Rex", "age": 3, "legs": 5}', True),
        ('{"name": "Rex", "age": 3, "of": {"x": [1]}}\n{"name": "Rex", "age": "3", "of": {}}', True),
        ('{"name": "Rex", "age": 3, "legs": 4}\n{"name": "Rex", "age": 4}', False),
    ],
)
def test_answers_that_differ_in_keys_that_are_left_out_are_one(text: str, ok: bool) -> None:
    result = Schema(Pet).read(text)
    assert result.ok is ok
    if ok:
        assert result.value == Pet(name="Rex", age=3)
    else:
        (issue,) = result.issues
        assert (issue.code, issue.span) == ("ambiguous", (0, len(text)))


def test_keys_that_a_type_keeps_tell_answers_apart() -> None:
    text = '{"name": "Rex", "age": 3, "legs": 4}\n{"name": "Rex", "age": 3}'
    assert not Schema(dict[str, str | int]).read(text).ok


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [
        ('<think>three?</think>{"name": "Rex", "age": 3}', "<think>three?</think>"),
        ('three?\n</think>\n```json\n{"name": "Rex", "age": 3}\n```', "three?\n</think>"),
        ('<think>a</think>So: <think>b</think>{"name": "Rex", "age": "3"}', "<think>a</think><think>b</think>"),
        ('{"name": "Rex", "age": 3}', ""),
    ],
)
def test_reasoning_is_kept_on_the_reply(text: str, reasoning: str, both: Both) -> None:
    read = Schema(Pet).read(text)
    asked = both.run(ScriptedModel([text]), "x", Pet)
    apart = both.run(ScriptedModel([Reply(text, reasoning="I see")]), "x", Pet)
    for result, expected in ((read, reasoning), (asked, reasoning), (apart, f"I see\n{reasoning}".strip())):
        assert result.value == Pet(name="Rex", age=3)
        assert result.attempts[-1].reply is not None
        assert result.attempts[-1].reply.reasoning == expected
        assert result.attempts[-1].reply.text == text
