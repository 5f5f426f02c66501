"""What is sent as a native schema: it is what the service accepts, and values go there and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, TypeAdapter

from tests.generated import typed_values
from tests.support.laws import examples
from tests.zoo import ZOO, Cat, Constrained, Dog, Movie, Person, Point, Tree
from typedllm.declared import Schema
from typedllm.schema import accepts as table
from typedllm.schema.accepts import Accepts
from typedllm.schema.bare import bare
from typedllm.schema.build import build, strip_hints
from typedllm.schema.walk import walk
from typedllm.schema.wire import Wire, to_wire

NAMED = {name: value for name, value in vars(table).items() if isinstance(value, Accepts) and name[0] != "_"}
FAMILIES = {name: NAMED[name] for name in {value: name for name, value in reversed(NAMED.items())}.values()}
STRICT = FAMILIES["OPENAI"]
SHAPE = {"type", "enum", "anyOf", "properties", "required", "items", "$ref", "$defs", "description"}
pytestmark = pytest.mark.filterwarnings("ignore:.*ReadOnly")
relaxed = examples(15)


def offences(schema: dict[str, Any], accepts: Accepts) -> Iterator[str]:
    """Where a schema uses what a service does not accept."""
    allowed = SHAPE | accepts.keywords
    for flag, words in {
        "maps": {"additionalProperties"},
        "tuples": {"prefixItems"},
        "one_of": {"oneOf"},
        "default": {"default"},
        "const": {"const"},
    }.items():
        allowed |= words if getattr(accepts, flag) else set()
    for path, node in walk(schema):
        if not isinstance(node, dict):
            ends = path[-1] in ("additionalProperties", "items")
            if not (ends and node is False):
                yield f"{path}: {node}"
            continue
        if accepts.closed and node.get("type") == "object" and node.get("additionalProperties") is not False:
            yield f"{path}: open"
        if accepts.all_required and set(node.get("properties", {})) != set(node.get("required", [])):
            yield f"{path}: optional"
        if not accepts.untyped and not node.keys() & {"type", "anyOf", "enum", "$ref"}:
            yield f"{path}: untyped"
        if "$ref" in node and (
            accepts.refs == "inlined" or (accepts.refs == "bare" and len(node.keys() - {"$defs"}) > 1)
        ):
            yield f"{path}: reference"
        if "format" in node and node["format"] not in accepts.formats:
            yield f"{path}: format {node['format']}"
        if node.get("minItems", 0) > (99 if accepts.least_items is None else accepts.least_items):
            yield f"{path}: minItems"
        if re.search(r"\(\?[=!<]", node.get("pattern", "")):
            yield f"{path}: pattern"
        strange = node.keys() - allowed - {"format"} - {"additionalProperties"}
        if strange or (isinstance(node.get("additionalProperties"), dict) and not accepts.maps):
            yield f"{path}: {sorted(strange) or 'map'}"
    if accepts.object_root and (schema.get("type") != "object" or "anyOf" in schema):
        yield "the root is no object"


def goes_round(wire: Wire, document: dict[str, Any], value: Any) -> Any:
    """What comes back of a value; what is sent must be valid there."""
    sent = wire.encode(value)
    assert list(Draft202012Validator(wire.schema).iter_errors(sent)) == [], (sent, wire.schema)
    back, trail = wire.decode_with_notes(sent)
    assert trail.issues == []
    assert not wire.is_same or sent == back
    return back


def stated(value: Any) -> Any:
    """A value without keys that are null: of a key that may be both, null is what comes back when it was absent."""
    if isinstance(value, dict):
        return {key: stated(part) for key, part in value.items() if part is not None}
    return [stated(part) for part in value] if isinstance(value, list) else value


def held(type_: Any, texts: list[str], accepts: Accepts) -> None:
    document = build(type_).document
    adapter: TypeAdapter[Any] = build(type_).adapter
    wire = to_wire(document, accepts)
    Draft202012Validator.check_schema(wire.schema)
    assert json.dumps(wire.schema) == json.dumps(to_wire(json.loads(json.dumps(document)), accepts).schema)
    if not wire.fits:
        return
    assert not wire.strict or list(offences(wire.schema, accepts)) == []
    for text in texts:
        back = goes_round(wire, document, json.loads(text))
        value = adapter.validate_json(json.dumps(back))
        assert value == adapter.validate_json(text) or stated(back) == stated(json.loads(text))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@relaxed
@given(case=typed_values())
def test_values_go_there_and_back(family: str, case: tuple[Any, list[Any]]) -> None:
    type_, values = case
    adapter = build(type_).adapter
    held(type_, [adapter.dump_json(value, by_alias=True).decode() for value in values], FAMILIES[family])


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ZOO)
def test_types_of_every_kind_go_there_and_back(name: str, family: str) -> None:
    case = ZOO[name]
    held(case.type, list(case.accepted), FAMILIES[family])


def varied(value: Any) -> Iterator[Any]:
    """A value with one thing changed."""
    yield from (None, [], {}, "other", 7)
    if isinstance(value, dict):
        for key, part in value.items():
            yield {name: each for name, each in value.items() if name != key}
            yield from ({**value, key: each} for each in varied(part))
        yield {**value, "another": 1}
    if isinstance(value, list) and value:
        yield from ([each, *value[1:]] for each in varied(value[0]))


@pytest.mark.parametrize("name", ZOO)
def test_without_its_words_a_schema_accepts_the_same(name: str) -> None:
    """Definitions that are used once are written out, and nothing else changes."""
    document = strip_hints(build(ZOO[name].type).document)
    wire = to_wire(document, FAMILIES["ANTHROPIC"]).schema
    for schema in (document, wire):
        short = bare(schema)
        assert len(json.dumps(short)) <= len(json.dumps(schema))
        assert bare(short) == short
        one, other = Draft202012Validator(schema), Draft202012Validator(short)
        for text in ZOO[name].accepted:
            for value in (json.loads(text), *islice(varied(json.loads(text)), 60)):
                assert one.is_valid(value) == other.is_valid(value), (value, schema, short)


def test_what_is_left_out_of_a_schema() -> None:
    class Owner(BaseModel):
        """Whose it is."""

        title: str = Field(description="how to address them")
        pet: Annotated[Cat | Dog, Field(discriminator="kind")]
        other: Dog | None = None

    document = strip_hints(Schema(Owner).document)
    short = bare(document)
    assert list(short["properties"]) == ["title", "pet", "other"]
    assert short["properties"]["title"] == {"type": "string"}
    assert list(short["$defs"]) == ["Dog"]
    assert short["properties"]["pet"]["oneOf"][0]["properties"]["kind"]["const"] == "cat"
    assert "discriminator" not in json.dumps(short)
    assert bare(Schema(Tree).document)["$defs"].keys() == {"Tree"}


class Bird(BaseModel):
    kind: Literal["bird"]
    wings: Annotated[int, Field(ge=0, le=2)]


class Fish(BaseModel):
    kind: Literal["fish"]
    depth: float | None


class Pets(BaseModel):
    """An open model, as most are."""

    all: list[Annotated[Bird | Fish, Field(discriminator="kind")]]


class Named(BaseModel):
    name: Annotated[str, Field(min_length=2)]


LOOSE: dict[str, tuple[Any, bool]] = {
    "a model with a tagged union": (Pets, True),
    "a root that is no object": (list[Bird], False),
    "an optional property": (Person, False),
    "a map": (dict[str, int], False),
    "lengths": (Named, False),
}


@pytest.mark.parametrize("name", LOOSE)
def test_a_service_of_which_nothing_is_known_is_asked_to_be_strict_only_where_it_can_be(name: str) -> None:
    type_, strict = LOOSE[name]
    schema = Schema(type_)
    wire = to_wire(schema.document, FAMILIES["UNKNOWN"])
    assert (wire.fits, wire.is_same, wire.strict) == (True, True, strict)
    assert strict or wire.schema == schema.json_schema()
    assert not strict or list(offences(wire.schema, STRICT)) == []


MAP = {"type": "object", "additionalProperties": {"type": "integer"}}
PAIR = {"type": "object", "properties": {"key": {"type": "string"}, "value": {"type": "integer"}}}
DOCUMENTS: dict[str, tuple[Any, list[Any]]] = {
    "map or list": ({"anyOf": [MAP, {"type": "array", "items": {"type": "integer"}}]}, [{}, [], {"a": 1}, [1]]),
    "map or pairs": (
        {"anyOf": [MAP, {"type": "array", "items": {**PAIR, "required": ["key", "value"]}}]},
        [{"key": 1, "value": 2}, [{"key": "a", "value": 1}], {}, []],
    ),
    "tuple or object": (
        {
            "oneOf": [
                {"type": "array", "prefixItems": [{"type": "integer"}], "minItems": 1, "items": False},
                {
                    "type": "object",
                    "properties": {"item_0": {"type": "integer"}},
                    "required": ["item_0"],
                    "additionalProperties": False,
                },
            ]
        },
        [[1], {"item_0": 1}],
    ),
    "text or JSON text": ({"type": ["string", "object"]}, ["{}", {}, {"a": [1, None]}, "a"]),
    "anything": (True, [1, "1", None, [], {"a": {}}]),
    "any list": ({"type": "array"}, [[], ["[]", [], 1]]),
    "declared and further keys": (
        {"properties": {"other_keys": {"type": "string"}}, "additionalProperties": {"type": "array"}, "type": "object"},
        [{}, {"other_keys": "a"}, {"x": [1], "other_keys": "a", "y": []}],
    ),
    "further keys, whatever else is said of them": (
        {"type": "object", "additionalProperties": {"type": "integer"}, "unevaluatedProperties": False},
        [{"a": 1}],
    ),
    "keys by pattern": (
        {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False},
        [{}, {"x-a": 1}],
    ),
    "optional, null and both": (
        {
            "type": "object",
            "properties": {
                "absent": {"type": "integer"},
                "empty": {"type": ["integer", "null"]},
                "kind": {"const": "a", "default": "a"},
            },
            "required": ["empty"],
        },
        [{"empty": None, "kind": "a"}, {"absent": 1, "empty": 2, "kind": "a"}],
    ),
    "rest of a tuple": (
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": {"type": "boolean"}},
        [[], ["a"], ["a", 1], ["a", 1, True, False]],
    ),
    "parts that all hold": (
        {
            "allOf": [{"$ref": "#/$defs/A"}, {"properties": {"b": {"type": "integer"}}, "required": ["b"]}],
            "$defs": {"A": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}},
        },
        [{"a": "x", "b": 1}],
    ),
    "one of two keys": (
        {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {}},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        [{"a": 1}, {"b": "x"}, {"a": 1, "b": [1]}],
    ),
    "lists as constants": ({"enum": [[1], {"a": 1}, "x"]}, [[1], {"a": 1}, "x"]),
    "recursion in a map": (
        {"$ref": "#/$defs/T", "$defs": {"T": {"type": "object", "additionalProperties": {"$ref": "#/$defs/T"}}}},
        [{}, {"a": {"b": {}, "c": {"d": {}}}}],
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_go_there_and_back(name: str, family: str) -> None:
    declared, values = DOCUMENTS[name]
    schema = Schema.from_json_schema(declared)
    wire = to_wire(schema.document, FAMILIES[family])
    Draft202012Validator.check_schema(wire.schema)
    if wire.fits:
        assert not wire.strict or list(offences(wire.schema, FAMILIES[family])) == []
        for value in values:
            assert schema.validate(value).ok
            assert goes_round(wire, schema.document, value) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "value", "item_0", "a"]), inner)
    ),
    max_leaves=8,
)


@relaxed
@given(JSON, st.sampled_from(sorted(DOCUMENTS)))
def test_whatever_is_written_is_decoded(value: Any, name: str) -> None:
    wire = to_wire(Schema.from_json_schema(DOCUMENTS[name][0]).document, STRICT)
    back, trail = wire.decode_with_notes(value)
    json.dumps(back)
    assert all(place.startswith("/") or not place for place in trail.places.values())


class Everything(BaseModel):
    scores: dict[str, int]
    place: Point
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    code: Annotated[str, Field(min_length=2, description="as printed")] = "xx"
    size: Literal["s", "m"] | None = None
    anything: Any = None


def test_what_is_rewritten() -> None:
    wire = to_wire(Schema(Everything).document, STRICT)
    properties = wire.schema["properties"]
    assert properties["code"] == {
        "anyOf": [{"type": "string"}, {"type": "null"}],
        "description": 'as printed (at least 2 characters; default: "xx")',
    }
    assert [list(wire.schema["$defs"][name]["properties"]) for name in ("Cat", "Dog")] == [
        ["kind", "lives"],
        ["kind", "good"],
    ]
    assert ("/properties/code", "minLength") in wire.losses
    sent = {
        "scores": [{"key": "a", "value": 1}],
        "place": {"item_0": 1, "item_1": None},
        "pet": {"kind": "dog", "good": True},
        "code": None,
        "size": None,
        "anything": '{"b": [1]}',
    }
    back, trail = wire.decode_with_notes(sent)
    assert back == {
        "scores": {"a": 1},
        "place": [1],
        "pet": {"kind": "dog", "good": True},
        "size": None,
        "anything": {"b": [1]},
    }
    moved = ("/scores/0/value", "/place/item_0", "/pet/good", "/scores/0", "/nowhere/x")
    assert [trail.place(each) for each in moved] == ["/scores/a", "/place/0", "/pet/good", "/scores/a", "/nowhere/x"]


def test_a_key_that_stands_twice_is_told() -> None:
    wire = to_wire(Schema(dict[str, int]).document, STRICT)
    pairs = [{"key": "a/b", "value": 1}, {"key": "a/b", "value": 2}]
    assert wire.decode({"value": pairs}) == {"a/b": 2}
    assert [(issue.path, issue.code) for issue in wire.issues({"value": pairs})] == [("/a~1b", "duplicate_key")]


WIDE: Any = {"type": "object", "properties": {f"p{n}": {"type": "integer"} for n in range(200)}}


@pytest.mark.parametrize(
    ("document", "family", "reason"),
    [
        (Schema(Tree).document, "ANTHROPIC", "contains itself (Tree)"),
        (Schema(Tree).document, "DEEPSEEK", "contains itself"),
        (WIDE, "OPENAI_2024", "200 properties, of 100 at most"),
        (WIDE, "ANTHROPIC", "200 optional properties, of 15 at most"),
        ({"enum": [str(n) for n in range(1001)]}, "OPENAI", "1,001 enum values"),
        ({"enum": ["x" * 120_001]}, "OPENAI", "characters"),
    ],
)
def test_what_does_not_fit_has_reasons(document: Any, family: str, reason: str) -> None:
    wire = to_wire(document, FAMILIES[family])
    assert not wire.fits
    assert reason in " ".join(wire.reasons)


@pytest.mark.slow
def test_references_are_written_out_up_to_a_bound() -> None:
    doubled = {f"D{n}": {"type": "array", "items": {"anyOf": [{"$ref": f"#/$defs/D{n + 1}"}] * 2}} for n in range(30)}
    document = {"$ref": "#/$defs/D0", "$defs": {**doubled, "D30": {"type": "integer"}}}
    assert "too large once its references are written out" in to_wire(document, FAMILIES["DEEPSEEK"]).reasons
    plain = to_wire(Schema(list[Person]).document, FAMILIES["DEEPSEEK"])
    assert plain.fits
    assert "$ref" not in json.dumps(plain.schema)


@pytest.mark.parametrize("type_", [Person, Constrained, Movie])
def test_a_service_that_takes_nearly_everything_is_sent_the_same_shape(type_: Any) -> None:
    assert to_wire(Schema(type_).document, FAMILIES["VLLM"]).is_same
