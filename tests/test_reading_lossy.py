"""Guesses and losses: off unless their name is allowed, by the call or by the type, and then reported in full."""

from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model

from tests.both import Both
from tests.support.laws import examples
from tests.support.pieces import Piecewise
from tests.test_streaming_laws import followed, honest, rebuilt
from typedllm import Client, Schema, SchemaError
from typedllm.reading.allow import Allow
from typedllm.reading.fixes import LOSSY, TIER
from typedllm.records import Policy, Result
from typedllm.schema.profiles import OPENAI
from typedllm.testing import ScriptedModel


class Size(Enum):
    SHORT = "short"
    TALL = "tall"
    EXTRA_TALL = "extra_tall"


class Line(BaseModel):
    sku: Annotated[str, Field(pattern="^[a-z]+$")]
    count: Annotated[int, Field(ge=1)]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=5)]


class Order(BaseModel):
    lines: Annotated[list[Line], Field(min_length=1)]
    to: str = ""


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid")
    word: Annotated[str, Field(max_length=3)]
    below: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    names: list[Annotated[str, Field(min_length=2)]]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
WITH_DEFAULT = {
    "type": "object",
    "properties": {
        "to": {"type": "string"},
        "currency": {"$ref": "#/$defs/currency"},
        "parts": {"type": "array", "items": {"$ref": "#"}},
    },
    "required": ["to", "currency"],
    "$defs": {"currency": {"enum": ["EUR", "USD"], "default": "EUR"}},
}
BY_PATTERN = {
    "type": "object",
    "patternProperties": {"^x-": {"type": "integer"}},
    "properties": {"a": {"type": "string", "maxLength": 2}},
    "additionalProperties": False,
}


class Case(NamedTuple):
    """A reply that one kind of fix would mend: with what comes of it, and the fix: path, before, after."""

    kind: str
    declared: Any
    text: str
    data: Any
    path: str
    before: str
    after: str


CASES = [
    Case("near_enum", Size, '"shrot"', "short", "", '"shrot"', '"short"'),
    Case("near_enum", list[Size], '["tall", "extra tal"]', ["tall", "extra_tall"], "/1", '"extra tal"', '"extra_tall"'),
    Case("near_key", Closed, '{"nmae": "x"}', {"name": "x"}, "/name", '"nmae"', '"name"'),
    Case("unit", int, '"3 years"', 3, "", '"3 years"', "3"),
    Case("unit", list[float], '["Age: 30", "1,200.5 km/h"]', [30, 1200.5], "/0", '"Age: 30"', "30"),
    Case("unit", list[Cat | int], '["20 °C"]', [20], "/0", '"20 °C"', "20"),
    Case("unit", dict[str, int], '{"a": 5 kg}', {"a": 5}, "/a", "5 kg", "5"),
    Case("label", Size, "I would say: **tall**.", "tall", "", "tall", '"tall"'),
    Case("label", Size | None, "tall\n\nBecause the guest is thirsty.", "tall", "", "tall", '"tall"'),
    Case("label", Literal["oat milk", "soy"], "Answer: Oat-Milk", "oat milk", "", "Oat-Milk", '"oat milk"'),
    Case("rounded", int, "3.7", 4, "", "3.7", "4"),
    Case("cut_string", Closed, '{"name": "Leonardo"}', {"name": "Leona"}, "/name", '"Leonardo"', '"Leona"'),
    Case("cut_string", Closed, '{"name": "Rene\u0301e\u0301"}', {"name": "Rene\u0301"}, "/name",
         '"Rene\u0301e\u0301"', '"Rene\u0301"'),
    Case("cut_string", BY_PATTERN, '{"a": "abc", "x-1": 1}', {"a": "ab", "x-1": 1}, "/a", '"abc"', '"ab"'),
    Case("cut_string", Tree, '{"word": "a", "below": [{"word": "four"}]}',
         {"word": "a", "below": [{"word": "fou"}]}, "/below/0/word", '"four"', '"fou"'),
    Case("drop_key", Closed, '{"colour": {"b": [1]}, "name": "a"}', {"name": "a"}, "/colour",
         '"colour": {"b": [1]}', ""),
    Case("drop_key", BY_PATTERN, '{"x-1": 1, "y": 2}', {"x-1": 1}, "/y", '"y": 2', ""),
    Case("drop_key", Tree, '{"word": "a", "below": [{"word": "b", "z": 1}]}',
         {"word": "a", "below": [{"word": "b"}]}, "/below/0/z", '"z": 1', ""),
    Case("drop_item", list[Line], '[{"sku": "a", "count": 1}, {"sku": "B", "count": 1}]',
         [{"sku": "a", "count": 1}], "/1", '{"sku": "B", "count": 1}', ""),
    Case("drop_item", list[int], '[1, "two", 3]', [1, 3], "/1", '"two"', ""),
    Case("drop_item", set[int], '["one", 3]', [3], "/0", '"one"', ""),
    Case("drop_item", list[Pet], '[{"kind": "cow"}, {"kind": "cat", "lives": 9}]',
         [{"kind": "cat", "lives": 9}], "/0", '{"kind": "cow"}', ""),
    Case("drop_item", Pet, '{"kind": "dog", "names": ["x", "yy"]}', {"kind": "dog", "names": ["yy"]},
         "/names/0", '"x"', ""),
    Case("drop_item", list[Order], '[{"lines": [{"sku": "A", "count": 1}]}, {"lines": [{"sku": "b", "count": 1}]}]',
         [{"lines": [{"sku": "b", "count": 1}]}], "/0", '{"lines": [{"sku": "A", "count": 1}]}', ""),
    Case("drop_item", {"type": "array", "items": {"type": "integer", "minimum": 0}}, "[1, -1]", [1], "/1", "-1", ""),
    Case("drop_item", Tree, '{"word": "a", "below": [{"word": "four"}, {"word": "b", "below": [1]}]}',
         {"word": "a", "below": [{"word": "b", "below": []}]}, "/below/0", '{"word": "four"}', ""),
    Case("first_item", Cat, '[{"kind": "cat", "lives": 1}, {"kind": "cat", "lives": 2}]',
         {"kind": "cat", "lives": 1}, "", '[{"kind": "cat", "lives": 1}, {"kind": "cat", "lives": 2}]',
         '{"kind": "cat", "lives": 1}'),
    Case("first_item", dict[str, str], '{"a": ["x", "y"]}', {"a": "x"}, "/a", '["x", "y"]', '"x"'),
    Case("default", WITH_DEFAULT, '{"to": "me"}', {"to": "me", "currency": "EUR"}, "/currency", "", '"EUR"'),
    Case("default", WITH_DEFAULT, '{"to": "me", "currency": "USD", "parts": [{"to": "you"}]}',
         {"to": "me", "currency": "USD", "parts": [{"to": "you", "currency": "EUR"}]}, "/parts/0/currency",
         "", '"EUR"'),
]  # fmt: skip


def schema_of(declared: Any) -> Schema[Any]:
    return Schema.from_json_schema(declared) if isinstance(declared, dict) else Schema(declared)


def data_of(schema: Schema[Any], result: Result[Any]) -> Any:
    return json.loads(schema.dump(result.value))


def found(result: Result[Any], kind: str) -> list[tuple[str, str, str]]:
    return [(fix.path, fix.before, fix.after) for fix in result.fixes if fix.kind == kind]


cases = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.text[:40]}")


@cases
def test_allowed_by_the_call(case: Case) -> None:
    schema = schema_of(case.declared)
    result = schema.read(case.text, allow={case.kind})
    assert data_of(schema, result) == case.data
    assert (case.path, case.before, case.after) in found(result, case.kind)
    fix = next(fix for fix in result.fixes if fix.kind == case.kind)
    assert not fix.lossless
    assert fix.span is not None
    assert case.text[slice(*fix.span)] == case.before
    assert schema.read(case.text, policy=Policy(Policy.of().tiers | {TIER[case.kind]})).ok


@cases
def test_not_allowed_it_is_proposed(case: Case, both: Both) -> None:
    schema = schema_of(case.declared)
    for options in ({}, {"allow": {"surrogate"}}):
        result = schema.read(case.text, **options)
        assert not result.ok
        proposals = [issue.proposal for issue in result.issues if issue.proposal]
        assert case.kind in {proposal.kind for proposal in proposals}
        inner = next((each for each in proposals if each.kind == case.kind and each.path == case.path), None)
        if inner is not None:
            assert (inner.before, inner.after) == (case.before, case.after)
    model = ScriptedModel([case.text, case.text])
    asked = both.run(model, "x", schema, max_repairs=1, strategy="full")
    assert not asked.ok
    said = model.requests[1].messages[-1].text
    assert case.after in said or not case.after
    assert "did you mean ?" not in said


@cases
def test_allowed_by_the_type(case: Case) -> None:
    if isinstance(case.declared, dict):
        schema = schema_of({**case.declared, "x-allow": [case.kind]})
        assert schema.read(case.text).ok
        assert "x-allow" not in json.dumps(schema.json_schema())
        return
    own: Schema[Any] = Schema(Annotated[case.declared, Allow(case.kind)])
    assert data_of(own, own.read(case.text)) == case.data
    assert "x-allow" not in json.dumps(own.json_schema())
    if case.kind != "label":
        field: Schema[Any] = Schema(create_model("Holder", part=(Annotated[case.declared, Allow(case.kind)], ...)))
        text = f'{{"part": {case.text}}}'
        assert json.loads(field.dump(field.read(text).value)) == {"part": case.data}
        beside: Schema[Any] = Schema(
            create_model("Holder", part=case.declared, other=(Annotated[case.declared, Allow(case.kind)], None))
        )
        assert not beside.read(text).ok


@cases
@pytest.mark.parametrize("size", [1, 7])
def test_in_pieces(case: Case, size: int) -> None:
    schema = schema_of(case.declared)
    for allow in ((), (case.kind,)):
        whole, reader = schema.read(case.text, allow=allow), Piecewise(schema, allow=allow)
        for at in range(0, len(case.text), size):
            reader.feed(case.text[at : at + size])
        piecewise = reader.close()
        assert piecewise.ok == whole.ok
        assert (piecewise.fixes, piecewise.issues, dict(piecewise.spans)) == (
            whole.fixes,
            whole.issues,
            dict(whole.spans),
        )


@cases
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_streamed(case: Case, size: int) -> None:
    schema = schema_of(case.declared)
    seen, result = followed(case.text, schema, [size], allow=[case.kind])
    honest(seen)
    assert not any(event.kind == "restarted" for snapshot, _ in seen[:-1] for event in snapshot.events)
    assert data_of(schema, result) == case.data
    assert json.loads(schema.dump(schema.validate(seen[-1][1]).value)) == case.data
    assert json.loads(schema.dump(schema.validate(rebuilt(seen)).value)) == case.data


NEVER = [
    (int, "unit", ['"about 5"', '"5 or so"', '"3-5"', '"5k"', '"~3"', '"5+"', '"1.5 million"', '"1,5 kg"', '"three"',
                   '"12/5"', '"(5)"', '"5ish"', '"at least 5"', '"5 dozen"', '"3 and a half"', '"5 of 10"',
                   '"2024-01-05"', '"3 ½"', '"not 5"', '"1.234,56 kg"']),
    (Literal["active", "closed", "increase"], "near_enum",
     ['"inactive"', '"decrease"', '"clos"', '"a"', '"acts"', '"something else"']),
    (Literal["small", "smart", "v1.5", "v2.5", "cat", "east"], "near_enum",
     ['"smal"', '"smar"', '"smarl"', '"v1.6"', '"car"', '"west"', '"smll t"']),
    (Literal["positive", "negative"], "label",
     ["It is not positive.", "It is positive or negative.", 'Is it "positive"?', "positivity", "non-positive",
      "Answer: not really positive", "I think that positive words are rare here.", "Answer: positive thinking",
      "positive\nnegative", 'It is never "positive"']),
    (list[int], "drop_item", ["[1, 2, ...]", "[1, 2", '[1, "x", 3', "[1, 2, # and so on ...\n]", '{"a": "x"}', "x"]),
    (tuple[int, int], "drop_item", ['[1, "x", 2]', '["x", 1]']),
    (Annotated[list[int], Field(min_length=2)], "drop_item", ['[1, "x"]']),
    (Line, "default", ['{"sku": "a"}']),
    (Line, "first_item", ["[]", '[{"sku": "a"}, {"sku": "b", "count": 1}]']),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "kind", "text"), [(declared, kind, text) for declared, kind, texts in NEVER for text in texts]
)
def test_what_is_never_guessed(declared: Any, kind: str, text: str) -> None:
    assert not Schema(declared).read(text, allow=[kind]).ok


def test_what_was_left_out_stands_in_the_fixes_and_moves_no_place() -> None:
    text = '{"lines": [{"sku": "A", "count": 1}, {"sku": "b", "count": 2}, 7, {"sku": "c", "count": "3"}]}'
    result = Schema(Order).read(text, allow=["drop_item"])
    assert [line.sku for line in result.value.lines] == ["b", "c"]
    assert [(fix.kind, fix.path) for fix in result.fixes] == [
        ("drop_item", "/lines/0"),
        ("drop_item", "/lines/2"),
        ("string_to_number", "/lines/1/count"),
    ]
    assert text[slice(*result.spans["/lines/1/sku"])] == '"c"'
    assert "/lines/2" not in result.spans


def test_nothing_is_left_out_where_that_does_not_help() -> None:
    text = '{"lines": [{"sku": "A", "count": 1}, {"sku": "b", "count": 2}], "to": {"x": 1}}'
    result = Schema(Order).read(text, allow=["drop_item"])
    assert {issue.path for issue in result.issues} >= {"/lines/0/sku"}
    assert not found(result, "drop_item")


def test_what_keeps_all_is_taken_before_what_loses() -> None:
    text = 'Draft:\n[1, "x"]\nCorrected:\n[1, "2"]'
    assert Schema(list[int]).read(text, allow=["drop_item"]).value == [1, 2]
    assert Schema(list[int]).read('[1, "x"]\nor\n[3, 4]', allow=["drop_item"]).value == [3, 4]


def test_an_arm_that_fits_is_taken_before_one_that_loses() -> None:
    both: Schema[Any] = Schema(Annotated[list[int] | list[str], Allow("drop_item")])
    assert both.read('["a", "b"]').value == ["a", "b"]


def test_a_default_of_ones_own() -> None:
    class Bill(BaseModel):
        total: int
        currency: Annotated[str, Allow("default", default="EUR")]
        size: Annotated[Size, Allow(default=Size.TALL)]

    schema = Schema(Bill)
    result = schema.read('{"total": 3, "size": "short"}')
    assert result.value == Bill(total=3, currency="EUR", size=Size.SHORT)
    assert "/currency" not in result.spans
    assert found(result, "default") == [("/currency", "", '"EUR"')]
    assert "EUR" not in schema.typescript()
    assert not schema.read('{"total": 3}').ok
    assert schema.read('{"total": 3}', allow=["default"]).value.size is Size.TALL
    assert not schema.read('{"total": 3, "currency": null, "size": "tall"}', allow=["default"]).ok


@pytest.mark.parametrize("make", [lambda: Allow("drop_items"), lambda: Allow("nothing at all")])
def test_a_name_that_is_none(make: Any) -> None:
    with pytest.raises(SchemaError, match=r"no fix is called .*allow= takes: boolean_word, .*drop_item"):
        make()


def test_a_name_that_is_none_says_the_nearest() -> None:
    with pytest.raises(SchemaError, match="did you mean 'drop_item'"):
        Allow("drop_items")
    with pytest.raises(ValueError, match="did you mean 'drop_item'"):
        Schema(int).read("1", allow=["drop_items"])
    for document in ({"items": {"x-allow": ["drop_items"]}}, {"items": {"x-allow": "drop_items"}}):
        with pytest.raises(SchemaError, match=r"#/items: no fix is called 'drop_items' \(did you mean 'drop_item'"):
            Schema.from_json_schema(document)


def test_markers_add_up_and_are_told_apart() -> None:
    inner = Annotated[list[int], Allow("drop_item")]
    schema: Schema[Any] = Schema(Annotated[dict[str, inner], Allow("unit")])
    assert schema.read('{"a": ["3 kg", "x"]}').value == {"a": [3]}
    assert Allow("unit", "label") == Allow("label", "unit") != Allow("unit")
    assert len({Allow("unit"), Allow("unit"), Allow("unit", default=1)}) == 2
    assert repr(Allow("unit", default=1)) == "Allow('unit', default=1)"


def test_a_patch_keeps_what_the_type_allows(both: Both) -> None:
    class Bill(BaseModel):
        lines: Annotated[list[Line], Allow("drop_item", "unit")]
        to: str

    bad = json.dumps({"lines": [{"sku": "a", "count": "2 pieces"}, {"sku": "B", "count": 1}] * 9, "to": {"x": 1}})
    model = ScriptedModel([bad, '{"/to": "me"}'])
    result = both.run(model, "x", Bill, max_repairs=1, strategy="patch")
    assert result.value.to == "me"
    assert {line.count for line in result.value.lines} == {2}


def test_the_page_names_each_kind() -> None:
    page = (Path(__file__).parent.parent / "docs" / "reading.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*`) \|", page.partition("| guess |")[2].partition("## ")[0], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {kind for kind, tier in TIER.items() if tier in LOSSY}


def test_it_holds_for_the_shape_that_a_service_is_sent(both: Both) -> None:
    class Bill(BaseModel):
        lines: Annotated[list[Line], Allow("drop_item", "unit")]
        currency: Annotated[str, Allow("default", default="EUR")]
        counts: dict[str, int] = {}

    lines = '"lines": [{"sku": "A", "count": 1}, {"sku": "b", "count": "2 pieces"}]'
    reply = f'{{{lines}, "counts": [{{"key": "a", "value": 1}}]}}'
    result = both.run(ScriptedModel([reply], profile=OPENAI), "x", Bill, max_repairs=0)
    assert result.value == Bill(lines=[Line(sku="b", count=2)], currency="EUR", counts={"a": 1})
    assert {fix.kind for fix in result.fixes} >= {"drop_item", "unit", "default"}
    with Client(ScriptedModel([reply], profile=OPENAI, chunk_sizes=[5])).stream("x", Bill) as stream:
        seen = [event for snapshot in stream for event in snapshot.events]
        assert stream.result() == result.value
    assert [(event.kind, event.path) for event in seen if event.kind != "restarted"] == [("closed", "")]
    same = both.run(ScriptedModel([reply], profile=OPENAI), "x", Order, max_repairs=0, allow=["drop_item", "unit"])
    assert same.value.lines == [Line(sku="b", count=2)]
    for wrong in (reply.replace('"counts"', '"lines": [], "counts"'), reply.replace('"value": 1', '"value": "x"')):
        assert not both.run(ScriptedModel([wrong], profile=OPENAI), "x", Bill, max_repairs=0).ok


ITEM = st.fixed_dictionaries({"sku": st.sampled_from(["a", "B", "c"]), "count": st.integers(0, 3) | st.just("2")})


@examples(60)
@given(st.lists(ITEM | st.integers(), max_size=6), st.lists(st.integers(1, 12), min_size=1, max_size=4), st.booleans())
def test_whole_and_streamed_leave_out_the_same(items: list[Any], sizes: list[int], nested: bool) -> None:
    schema: Schema[Any] = Schema(Order) if nested else Schema(list[Line])
    text = json.dumps({"to": "me", "lines": items} if nested else items)
    whole = schema.read(text, allow=["drop_item"])
    good = [each for each in items if isinstance(each, dict) and each["sku"].islower() and each["count"] != 0]
    expected = [Line(sku=each["sku"], count=int(each["count"])) for each in good]
    assert whole.ok == bool(expected or not nested)
    seen, result = followed(text, schema, sizes, allow=["drop_item"])
    honest(seen)
    if whole.ok:
        assert (whole.value.lines if nested else whole.value) == expected
        assert result.value == whole.value
        assert schema.validate(rebuilt(seen)).value == whole.value
        assert len(found(whole, "drop_item")) == len(items) - len(expected)
        for fix in whole.fixes:
            assert fix.span is not None
            assert text[slice(*fix.span)] == fix.before


def test_items_that_are_left_out_are_not_handed_out() -> None:
    text = json.dumps([{"sku": "a", "count": 1}, {"sku": "B", "count": 1}, {"sku": "c", "count": 1}])
    with Client(ScriptedModel([text], chunk_sizes=[5])).stream("x", list[Line], allow=["drop_item"]) as stream:
        assert [item.sku for item in stream.items()] == ["a", "c"]
        assert len(stream.result()) == 2


@pytest.mark.parametrize("type_", [list[int], list[list[int]]])
def test_any_number_of_bad_items_is_left_out(type_: Any) -> None:
    count = 5000
    one, good = ('"x", 1', 1) if type_ == list[int] else ('[1, "x"]', [1])
    result = Schema(type_).read("[" + ", ".join([one] * count) + "]", allow=["drop_item"])
    assert result.value == [good] * count
    assert len(result.fixes) == count
