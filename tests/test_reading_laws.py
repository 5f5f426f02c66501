"""Laws of reading, held by generated documents and every way of breaking them."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.support.laws import examples
from tests.support.pieces import Piecewise
from typedllm.declared import Schema
from typedllm.reading.fixes import FAULTS, MEANING, TIER
from typedllm.records import Result

WORD = st.text(st.characters(codec="ascii", min_codepoint=97, max_codepoint=122), min_size=1, max_size=8)
TEXT = st.text(st.sampled_from("ab 'é\U0001f600/\\\n\",:{}[]#.-1"), max_size=12)
PLAIN = st.text(st.sampled_from("abcdé xyz019"), min_size=1, max_size=12).map(str.strip).filter(bool)
SCALAR = (
    st.none() | st.booleans() | st.integers(-(10**6), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
ROOT = st.lists(JSON, min_size=1, max_size=3) | st.dictionaries(TEXT, JSON, min_size=1, max_size=3)


class Line(BaseModel):
    sku: str
    count: int
    price: float | None = None


class Order(BaseModel):
    name: str
    lines: list[Line]
    paid: bool


ORDER = st.builds(
    Order,
    name=PLAIN,
    lines=st.lists(st.builds(Line, sku=PLAIN, count=st.integers(), price=st.none() | st.floats(-1e6, 1e6)), max_size=3),
    paid=st.booleans(),
)
ANY, TYPED = Schema(Any), Schema(Order)


def exact(a: object, b: object) -> bool:
    return json.dumps(a) == json.dumps(b)


def seen(result: Result[Any]) -> tuple[object, ...]:
    return result.ok, repr(result._value), result.fixes, result.issues, dict(result.spans), result.candidates


@given(ROOT, st.sampled_from([None, 1, "\t"]))
def test_valid_json_is_never_changed(value: Any, indent: Any) -> None:
    result = ANY.read(json.dumps(value, indent=indent, ensure_ascii=False))
    assert exact(result.value, value)
    assert result.fixes == ()


@given(ROOT)
def test_prose_and_fences_around_it_change_nothing(value: Any) -> None:
    text = f"<think>Is it [1]? {{}}</think>\nHere it is:\n```json\n{json.dumps(value)}\n```\nDone."
    result = ANY.read(text)
    assert exact(result.value, value)
    assert {fix.tier for fix in result.fixes} == {"packaging"}
    assert json.loads(text[slice(*result.spans[""])]) == value


def single_quotes(text: str) -> str:
    return text.replace("'", "\\u0027").replace('"', "'")


BREAK: dict[str, Callable[[str], str]] = {
    "trailing comma": lambda text: re.sub(r"(?<=[\w\"}\]])\n(\s*[}\]])", r",\n\1", text),
    "missing comma": lambda text: text.replace(",\n", "\n"),
    "doubled comma": lambda text: text.replace(",\n", ",,\n"),
    "single quotes": single_quotes,
    "typographic quotes": lambda text: re.sub(r'"([^"]*)"', "“\\1”", text),
    "unquoted keys": lambda text: re.sub(r'"(\w+)":', r"\1:", text),
    "python": lambda text: text.replace(": true", ": True").replace(": false", ": False").replace(": null", ": None"),
    "comment": lambda text: text.replace("\n", " // note\n", 2),
    "block comment": lambda text: text.replace(": ", ": /* note */ "),
    "missing colon": lambda text: text.replace('": ', '" '),
    "numbers in quotes": lambda text: re.sub(r": (-?\d+)(,?)\n", r': "\1"\2\n', text),
    "no closer": lambda text: text.rstrip("}\n "),
    "envelope": lambda text: f'{{"order": {text}}}',
    "encoded": lambda text: json.dumps(text),
    "key case": lambda text: text.replace('"name"', '"Name"').replace('"paid"', '"PAID"'),
    "odd space": lambda text: text.replace(": ", ":\u00a0"),
    "prose": lambda text: f"Sure, see [1].\n{text}\nAnything else?",
    "extra closer": lambda text: text + "}",
    "semicolons": lambda text: text.replace(",\n", ";\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", BREAK)
@given(order=ORDER)
def test_a_broken_reply_gives_the_value_or_issues_never_another_value(how: str, order: Order) -> None:
    text = BREAK[how](order.model_dump_json(indent=2))
    result = TYPED.read(text)
    assert result.ok or result.issues
    if result.ok:
        assert result.value == order
        assert all(fix.lossless for fix in result.fixes)
    assert seen(TYPED.read(text)) == seen(result)


def test_each_way_of_breaking_is_read() -> None:
    order = Order(name="Ann", lines=[Line(sku="a b", count=2), Line(sku="c", count=3, price=1.5)], paid=True)
    texts = {how: breaking(order.model_dump_json(indent=2)) for how, breaking in BREAK.items()}
    assert [how for how, text in texts.items() if not TYPED.read(text).ok] == []
    assert all(TYPED.read(text).value == order for text in texts.values())


@given(st.lists(ORDER, min_size=1, max_size=2), st.sampled_from(sorted(BREAK)), st.integers(1, 9), st.integers(0, 400))
def test_any_cut_into_pieces_gives_the_same(orders: list[Order], how: str, size: int, end: int) -> None:
    text = "\n".join(BREAK[how](order.model_dump_json(indent=1)) for order in orders)[: 10 + end]
    same_in_pieces(TYPED, text, size)


WORDS = st.sampled_from(["a ", "it's", ' "so" ', ", ", "}", "[1]", ": ", "é", "\n", "x"])
SPOKEN = st.lists(WORDS, min_size=1, max_size=6).map("".join)
LONG = st.builds(
    Order,
    name=SPOKEN,
    lines=st.lists(st.builds(Line, sku=SPOKEN, count=st.integers(0, 99), price=st.none() | st.just(1.5)), min_size=3),
    paid=st.booleans(),
)
LOOSE: dict[str, Callable[[str], str]] = {
    **BREAK,
    "inner quotes": lambda text: text.replace('\\"', '"'),
    "raw line breaks": lambda text: text.replace("\\n", "\n"),
    "Python": lambda text: repr(json.loads(text)),
}


@pytest.mark.slow
@given(LONG, st.lists(st.sampled_from(sorted(LOOSE)), min_size=1, max_size=3), st.sampled_from([1, 7, 50, 400]))
@examples(150)
def test_what_is_passed_over_at_once_is_read_as_part_by_part(order: Order, ways: list[str], size: int) -> None:
    text = order.model_dump_json(indent=2)
    for how in ways:
        with contextlib.suppress(ValueError):
            text = LOOSE[how](text)
    for schema in (ANY, TYPED):
        same_in_pieces(schema, text, size)


NOISE = st.text(st.sampled_from("{}[]()\"'`,:;\\/#*<>ntu0123.-+eE abctruefalsn\n\u00a0“”…="), max_size=60)


@given(NOISE, st.integers(1, 5))
@examples(400)
def test_noise_is_read_alike_in_pieces_and_never_fails(text: str, size: int) -> None:
    for schema in (ANY, TYPED):
        same_in_pieces(schema, text, size)
        same_in_pieces(schema, "{" + text, size)


def same_in_pieces(schema: Schema[Any], text: str, size: int) -> None:
    whole = schema.read(text)
    reader = Piecewise(schema)
    for at in range(0, len(text), size):
        reader.feed(text[at : at + size])
    assert seen(reader.close()) == seen(whole)


HOSTILE = ["[", '{"a":', '"', "\\", "/* ", "```json\n", "1", '{"a":1} ', "<think>", "\u00a0", ",", '{"a":"', "'", "a: "]


@pytest.mark.slow
@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("head", ["", '{"name": ', '{"name": "', '{"lines": ['])
def test_hostile_text_ends_in_an_issue(unit: str, head: str) -> None:
    result = TYPED.read(head + unit * (50_000 // len(unit)))
    assert result.issues


def test_every_kind_of_fix_has_a_tier_and_a_meaning() -> None:
    assert TIER.keys() == MEANING.keys()
    assert not TIER.keys() & FAULTS.keys()
