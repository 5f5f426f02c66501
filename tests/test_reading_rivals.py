"""One character wrong: what the text can only mean is read, what it can mean in several ways is an issue."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.support.pieces import Piecewise
from typedllm import Schema


class Line(BaseModel):
    sku: str
    quantity: int
    price: float
    tags: list[str] = []
    note: str | None = None


class Order(BaseModel):
    number: int
    customer: str
    lines: list[Line]
    paid: bool
    address: dict[str, str]
    kind: Literal["web", "shop"]


WORDS = st.from_regex(r"[A-Za-z][A-Za-z0-9 .!?%()/-]{0,14}[a-z.]", fullmatch=True)
LINES = st.builds(
    Line,
    sku=WORDS,
    quantity=st.integers(0, 999),
    price=st.floats(0, 99).map(lambda price: round(price, 2)),
    tags=st.lists(WORDS, max_size=3),
    note=st.none() | WORDS,
)
ORDERS = st.builds(
    Order,
    number=st.integers(0, 99999),
    customer=WORDS,
    lines=st.lists(LINES, max_size=3),
    paid=st.booleans(),
    address=st.fixed_dictionaries({"street": WORDS, "city": WORDS}),
    kind=st.sampled_from(["web", "shop"]),
)
STRUCTURE = re.compile(r'[{}\[\]:,"]')


@given(ORDERS, st.sampled_from([None, 2]), st.booleans(), st.data())
def test_a_document_with_one_sign_too_few_or_too_many_is_read_rightly_or_refused(
    order: Order, indent: int | None, doubled: bool, data: st.DataObject
) -> None:
    text = json.dumps(order.model_dump(), indent=indent)
    at = data.draw(st.sampled_from([found.start() for found in STRUCTURE.finditer(text)]))
    result = Schema(Order).read(text[: at + doubled] + text[at + (not doubled) :])
    assert not result.ok or result.value == order


READ: list[tuple[Any, str, Any, str]] = [
    (Any, '{"a":"x","b""y"}', {"a": "x", "b": "y"}, "missing_colon"),
    (Any, '{"a"::"x","b":1}', {"a": "x", "b": 1}, "wrong_colon"),
    (Any, '["red","green""blue"]', ["red", "green", "blue"], "missing_comma"),
    (Any, '{"a":[{"b":1}{"b":2}],"c":"x"}', {"a": [{"b": 1}, {"b": 2}], "c": "x"}, "missing_comma"),
    (Any, '{"a":""x","b":1}', {"a": "x", "b": 1}, "extra_quote"),
    (Any, '{"a"":"x","b":1}', {"a": "x", "b": 1}, "extra_quote"),
    (Any, '{"a":{"b":1}},"c":2}', {"a": {"b": 1}, "c": 2}, "extra_closer"),
    (Any, '{"a":["x, y","z],"b":1}', {"a": ["x, y", "z"], "b": 1}, "missing_quote"),
    (dict[str, list[int]], '{"a":1,2],"b":[3]}', {"a": [1, 2], "b": [3]}, "missing_opener"),
]


@pytest.mark.parametrize(("declared", "text", "value", "kind"), READ)
def test_the_one_character_that_makes_json_of_it_is_the_fix(declared: Any, text: str, value: Any, kind: str) -> None:
    result = Schema(declared).read(text)
    assert result.value == value
    assert [fix.kind for fix in result.fixes] == [kind]
    assert all(fix.lossless for fix in result.fixes)


def test_places_behind_the_change_are_those_of_the_reply() -> None:
    for text in ('{"a":["x","y""z"],"b":{"c":"d"}}', '{"a":""x","b":{"c":"d"}}', '{"a"::"x","b":{"c":"d"}}'):
        span = Schema(Any).read(text).spans["/b"]
        assert text[span.start : span.end] == '{"c":"d"}'


class Label(BaseModel):
    said: str
    size: int = 0


class Labelled(BaseModel):
    label: Label


def test_a_bracket_of_a_text_in_balance_changes_no_place_with_its_quote() -> None:
    text = '{"label": {"said": "{\\"a\\": 1}", "size": -8}'
    assert Schema(Labelled).read(text).value == Labelled(label=Label(said='{"a": 1}', size=-8))
    result = Schema(dict[str, list[str]]).read('{"said": "[a] b"]}')
    assert result.value == {"said": ["[a] b"]}
    assert [fix.kind for fix in result.fixes] == ["missing_opener"]


@pytest.mark.parametrize("quote", ["`", "'", "\u201d"])
@pytest.mark.parametrize("end", ["]", "\n]"])
def test_a_quote_of_another_kind_before_the_end_is_the_one_that_closes_the_text(quote: str, end: str) -> None:
    result = Schema(tuple[int, str]).read(f'[1, "oat{quote}{end}')
    assert result.value == (1, "oat")
    assert [fix.kind for fix in result.fixes] == ["quote_style"]


UNCLEAR: list[tuple[Any, str]] = [
    (dict[str, list[int]], '{"cups":}61]}'),  # no swap divides a number
    (list[str], '["»]'),  # nor is a text made that has no character, or a quote alone
    (dict[str, str | int], '{"a":"“,"b":1}'),
    (list[str], '["“, "x"]'),
    (dict[str, str | int], '{"a":"\',"b":1}'),
    (list[str], '["oat", -]'),
    (Any, "[null[2]]x[3]]"),
    (Any, '{"a": null[2]}'),
    (dict[str, int], '{…"b"=137,"{}"=11}'),
]


@pytest.mark.parametrize(("declared", "text"), UNCLEAR)
def test_what_takes_more_than_one_sign_is_not_made_up(declared: Any, text: str) -> None:
    assert not Schema(declared).read(text).ok


def test_a_list_that_was_closed_too_early_never_stands_for_the_whole() -> None:
    assert Schema(list[list[int]]).read("[[8],][10, 14]]").value == [[8], [10, 14]]
    assert not Schema(list[list[int]]).read("[[8],] or [10, 14]]").ok


REFUSED = ['{"size":"15.6"","n":1}', '{"a":"one","two":"three}']


@pytest.mark.parametrize("text", REFUSED)
def test_what_several_characters_could_mend_differently_is_an_issue(text: str) -> None:
    result = Schema(Any).read(text)
    assert not result.ok
    assert all(issue.message for issue in result.issues)


def test_the_inner_parts_of_a_broken_document_never_stand_for_it() -> None:
    text = '{"a": ]{"b" 1 2}, "c": {"street": "x", "city": "y"}}'
    assert not Schema(dict[str, str]).read(text).ok
    assert not Schema(Any).read(text).ok


def test_pieces_end_in_the_same_reading() -> None:
    text = 'Here: {"a":["x","y""z"],"b":{"c":""d"}} Done.'
    whole = Schema(Any).read(text)
    reader = Piecewise(Schema(Any))
    for sign in text:
        reader.feed(sign)
    pieces = reader.close()
    assert (pieces.ok, pieces.fixes, pieces.issues) == (whole.ok, whole.fixes, whole.issues)


def test_a_slip_far_into_a_long_document_is_found() -> None:
    items = [{"name": f"item {number}", "size": "tall"} for number in range(3000)]
    text = json.dumps(items)
    at = text.rindex('"size"', 0, len(text) // 2)
    result = Schema(list[dict[str, str]]).read(text[:at] + text[at + 1 :])
    assert result.value == items


PREFIX = re.compile(r"""[\s:\[,][bu]["']""")
"""A letter before a string as Python writes it: that is read as such."""
NEIGHBOURS = re.compile(r'([{}\[\]:,"])(\s*)((?!\1)[{}\[\]:,"\w])')


@given(ORDERS, st.sampled_from([None, 2]), st.data())
def test_a_document_with_two_neighbouring_signs_swapped_is_read_rightly_or_refused(
    order: Order, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(order.model_dump(), indent=indent)
    found = data.draw(st.sampled_from(list(NEIGHBOURS.finditer(text))))
    broken = text[: found.start()] + found[3] + found[2] + found[1] + text[found.end() :]
    assume(not PREFIX.search(broken))
    result = Schema(Order).read(broken)
    assert not result.ok or _squeezed(result.value) == _squeezed(order), (broken, result.value)


def _squeezed(order: Order) -> str:
    """All of it, but for white space at the edges of its texts: a quote and a blank may have changed places."""
    return re.sub(r'\s*"\s*', '"', order.model_dump_json())


def test_swapped_signs_are_a_fix_with_its_place() -> None:
    result = Schema(Any).read('{"name:" "Ann", "n": 1}')
    assert result.value == {"name": "Ann", "n": 1}
    result = Schema(list[str]).read('["inbox", "draft]"')
    assert result.value == ["inbox", "draft"]
    (fix,) = result.fixes
    assert (fix.kind, fix.before, fix.span) == ("swapped_signs", ']"', (16, 18))
    assert result.spans["/1"] == (10, 18)


class Visit(BaseModel):
    patient: str
    room: int
    drugs: list[str] = []


@pytest.mark.parametrize(
    "text",
    [
        '{"patient", "Ona Ruiz", "room": 7, "drugs": ["a", "b"]}',
        '{"patient": "Ona Ruiz": "room": 7, "drugs": ["a", "b"]}',
        '{"patient": "Ona Ruiz", "room", 7, "drugs": ["a", "b"]}',
        '{"patient": "Ona Ruiz", "room": 7, "drugs": {"a", "b"]}',
        '{"patient": \'Ona Ruiz", "room": 7, "drugs": ["a", "b"]}',
        '{"patient": "Ona Ruiz\', "room": 7, "drugs": ["a", "b"]}',
        '{"patient“: "Ona Ruiz", "room": 7, "drugs": ["a", "b"]}',
        '{"patient": "Ona Ruiz", "room": 7, "drugs": ["a`, "b"]}',
    ],
)
def test_one_sign_stands_for_another(text: str) -> None:
    assert Schema(Visit).read(text).value == Visit(patient="Ona Ruiz", room=7, drugs=["a", "b"])


@pytest.mark.parametrize("said", ["the guests'", "6'", "Ona\\'"])
def test_a_quote_of_another_kind_that_may_belong_to_the_text_is_in_doubt(said: str) -> None:
    assert not Schema(Visit).read(f'{{"patient": "{said}, "room": 7}}').ok


@pytest.mark.parametrize("said", ["known as 'Ona'", "“Ona”", "Ona and «Ria»"])
def test_a_quote_of_another_kind_that_closes_another_one_stays(said: str) -> None:
    assert Schema(Visit).read(f'{{"patient": "{said}, "room": 7}}').value == Visit(patient=said, room=7)


@pytest.mark.parametrize("text", ['{"said": "no", "size": 1}]', 'Here:\n```json\n{"said": "no"}\n]\n```'])
def test_a_bracket_behind_the_answer_may_close_a_list_that_is_declared_too(text: str) -> None:
    result = Schema(Label | list[Label]).read(text)
    assert [issue.code for issue in result.issues] == ["unclear_syntax"]
    assert Schema(Label).read(text).value.said == "no"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"say \"no""', 'say "no"'),
        (r'""no\" it says"', '"no" it says'),
        (r'"say \"no\"""', 'say "no"'),
        (r'""say \"no\" twice"', 'say "no" twice'),
        (r'"a 12\" pipe""', 'a 12" pipe'),
    ],
)
@pytest.mark.parametrize("around", ["[{}]", '{{"said": {}}}', '["a", {}, "b"]'])
def test_a_quote_at_the_edge_of_a_text_pairs_with_an_escaped_one_inside(written: str, value: str, around: str) -> None:
    expected = json.loads(around.format(json.dumps(value)))
    assert Schema(list[str] if around[0] == "[" else dict[str, str]).read(around.format(written)).value == expected


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (dict[str, list[int]], '{"oat", [1]}', {"oat": [1]}),
        (dict[str, str], '{"oat", "milk", "tea": "leaf"}', {"oat": "milk", "tea": "leaf"}),
        (list[dict[str, int]], '[{"oat": 2}, {"tea", 1}]', [{"oat": 2}, {"tea": 1}]),
    ],
)
def test_a_comma_for_a_colon_in_a_map_is_a_colon(declared: Any, text: str, value: Any) -> None:
    result = Schema(declared).read(text)
    assert result.value == value
    assert [fix.kind for fix in result.fixes] == ["wrong_colon"]


@pytest.mark.parametrize("text", ['{"oat", "tea"}', '{"a": {"oat", "tea"}}', '{"oat", "tea", "milk"}'])
def test_two_texts_in_braces_may_as_well_be_a_set(text: str) -> None:
    assert not Schema(dict[str, str] | dict[str, dict[str, str]]).read(text).ok
