"""JSON Schema documents of any origin as TypeScript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import compiler
from tests.test_documents import SUITES, suite  # noqa: F401
from typedllm.errors import SchemaError
from typedllm.schema.documents import load
from typedllm.schema.typescript import Rendering, render, render_type

DEFS: dict[str, Any] = {"$defs": {"A": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}}}
REF = {"$ref": "#/$defs/A"}

# A document, its type as it is written, JSON texts of it, and JSON texts that it does not admit.
DOCUMENTS: dict[str, tuple[Any, str, list[str], list[str]]] = {
    "true": ({}, "any", ["1"], []),
    "no value": ({"not": {}}, "never", [], ["1"]),
    "types": ({"type": ["string", "null", "integer"]}, "string | integer | null", ['"a"', "null"], ["true"]),
    "const object": ({"const": {"a": [1, None]}}, '{ "a": [1, null] }', ['{"a": [1, null]}'], ['{"a": []}']),
    "enum of all": ({"enum": [1, "a", None, [1], {"b": 1.5}]}, '1 | "a" | [1] | { "b": 1.5 } | null', ["[1]"], ["2"]),
    "empty enum": ({"enum": []}, "never", [], ["1"]),
    "allOf": (
        {**DEFS, "allOf": [REF, {"type": "object", "properties": {"b": {"type": "integer"}}}]},
        "{ a: string } & { b?: integer }",
        ['{"a": "x", "b": 1}'],
        ['{"b": 1}'],
    ),
    "allOf of unions": (
        {"allOf": [{"type": ["string", "number"]}, {"type": ["string", "null"]}]},
        "(string | number) & (string | null)",
        ['"a"'],
        ["1"],
    ),
    "allOf of rules": ({"allOf": [{"type": "string"}, {"minLength": 2}]}, "string", ['"ab"'], ["1"]),
    "required arms": (
        {"type": "object", "properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        "{ a?: any; b?: any } & ({ a: any } | { b: any })",
        ['{"a": 1}'],
        ["{}"],
    ),
    "null first": ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "string | null", ["null"], ["1"]),
    "type beside arms": (
        {"type": "string", "anyOf": [{"const": "a"}, {"const": "b"}]},
        '"a" | "b"',
        ['"a"'],
        ['"c"'],
    ),
    "closed tuple": ({"prefixItems": [{"type": "string"}], "items": False}, "[string?]", ["[]"], ["[1]"]),
    "open tuple": (
        {"prefixItems": [{"type": "string"}, True], "minItems": 1, "items": {"type": "number"}},
        "[string, any?, ...number[]]",
        ['["a", null, 1]'],
        ["[]"],
    ),
    "array of arrays": ({"items": {"items": {"type": "boolean"}}}, "boolean[][]", ["[[true]]"], ["[true]"]),
    "no items": ({"type": "array", "items": False}, "[]", ["[]"], ["[1]"]),
    "map": ({"additionalProperties": {"type": "number"}}, "Record<string, number>", ['{"a": 1}'], ['{"a": "b"}']),
    "closed": ({"type": "object", "additionalProperties": False}, "Record<string, never>", ["{}"], ['{"a": 1}']),
    "patterns": (
        {"patternProperties": {"^x": {"type": "string"}, "^y": {"type": "number"}}, "additionalProperties": False},
        "Record<string, string | number>",
        ['{"x": "a"}'],
        ['{"x": null}'],
    ),
    "odd keys": (
        {
            "properties": {"__proto__": {"type": "string"}, "a-b": {}, "class": {}, "1": {}, "": {}, 'q"\n': {}},
            "required": ["a-b"],
        },
        '{ "__proto__"?: string; "a-b": any; class?: any; "1"?: any; ""?: any; "q\\"\\n"?: any }',
        ['{"a-b": 1}'],
        ["{}"],
    ),
    "unnamed required": ({"type": "object", "required": ["z"]}, "{ z: any }", ['{"z": 1}'], ["{}"]),
    "never there": ({"properties": {"a": False}}, "{ a?: never }", ["{}"], ['{"a": 1}']),
    "fitting index": (
        {"properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": {"type": "string"}},
        "{ a: string; [key: string]: string }",
        ['{"a": "x", "b": "y"}'],
        ['{"a": "x", "b": 1}'],
    ),
    "other index": (
        {"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "number"}},
        "{ a?: string; [key: string]: any }",
        ['{"a": "x", "b": 1}'],
        ['{"a": 1}'],
    ),
    "recursion": (
        {"type": "object", "properties": {"next": {"$ref": "#"}}},
        "Reply",
        ['{"next": {"next": {}}}'],
        ['{"next": 1}'],
    ),
    "dynamic recursion": (
        {"$dynamicAnchor": "node", "properties": {"next": {"$dynamicRef": "#node"}}},
        "Reply",
        ['{"next": {}}'],
        ['{"next": 1}'],
    ),
    "recursive map": (
        {"$ref": "#/$defs/J", "$defs": {"J": {"anyOf": [{"additionalProperties": {"$ref": "#/$defs/J"}}, {"type": "null"}]}}},
        "J",
        ['{"a": {"b": null}}'],
        ["1"],
    ),
    "itself": ({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, "A", [], []),
    "itself or more": (
        {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/B"}, {"const": 1}]}, "B": {"oneOf": [{"$ref": "#/$defs/A"}, {"const": 2}]}}},
        "A",
        ["1", "2"],
        ["3"],
    ),
    "reference by pointer": (
        {"properties": {"a": {"type": "boolean"}, "b": {"$ref": "#/properties/a"}}, "required": ["b"]},
        "{ a?: boolean; b: boolean }",
        ['{"b": true}'],
        ['{"b": 1}'],
    ),
    "odd name of a definition": (
        {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"const": 5}}},
        "5",
        ["5"],
        ["6"],
    ),
    "embedded document": (
        {"$ref": "item.json#/$defs/x", "$defs": {"item": {"$id": "item.json", "$defs": {"x": {"const": 1}}}}},
        "1",
        ["1"],
        ["2"],
    ),
    "names of TypeScript": (
        {
            "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("string", "Record", "interface", "integer", "Reply")],
            "$defs": {
                name: {"type": "object", "properties": {f"a{i}": {"type": "integer"}, "b": {"additionalProperties": {"type": "string"}}}, "required": [f"a{i}"], "description": "d"}
                for i, name in enumerate(("string", "Record", "interface", "integer", "Reply"))
            },
        },
        "string_ | Record_ | interface_ | integer_ | Reply2",
        ['{"a0": 1, "b": {"c": "d"}}'],
        ["{}", '"a"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_type(name: str) -> None:
    document, text, *_ = DOCUMENTS[name]
    rendering = Rendering(document, "Reply")
    whole = rendering.text.partition("Reply = ")[2].strip().rstrip(";") or rendering.type(document)
    assert text in (whole, render_type(document, document), rendering._writer.forms[id(document)].flat)


@pytest.mark.slow
@compiler.needed
def test_compiler_agrees() -> None:
    files = {
        f"document{index}": compiler.module(render(document, "Reply"), "Reply", accepted, refused)
        for index, (document, _, accepted, refused) in enumerate(DOCUMENTS.values())
    }
    files["deep"] = render(deep(3000), "Reply")
    assert not compiler.faults(files)


@pytest.mark.slow
@compiler.needed
@pytest.mark.parametrize("draft", SUITES)
def test_the_official_suite_compiles(suite: Path, draft: str) -> None:  # noqa: F811  # a fixture of that module
    files: dict[str, str] = {}
    for file in sorted((suite / draft).glob("*.json")):
        for index, case in enumerate(json.loads(file.read_text("utf-8"))):
            schema = case["schema"]
            try:
                loaded = load({"$schema": SUITES[draft], **schema} if isinstance(schema, dict) else schema)
            except SchemaError:
                continue  # refused when declared: nothing is shown
            files[f"{file.stem.replace('-', '_')}_{index}"] = render(loaded.document, "Reply")
    assert len(files) > 200
    assert not compiler.faults(files)


@pytest.mark.parametrize(
    ("node", "comment"),
    [
        ({"not": {"const": 1}}, "not 1"),
        ({"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}}, "if { a?: 1 } then { b: any }"),
        ({"type": "array", "contains": {"type": "string", "minLength": 2}}, "at least 1 of string (at least 2 characters)"),
        ({"contains": {"const": 1}, "minContains": 2, "maxContains": 3}, "at least 2 and at most 3 of 1"),
        ({"dependentRequired": {"a": ["b", "c"]}}, 'with "a" also "b", "c"'),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, 'with "a": { b: any }'),
        ({"patternProperties": {"^x": {"type": "string", "maxLength": 2}}}, "keys match ^x: at most 2 characters"),
        ({"type": "object", "propertyNames": {"pattern": "^a"}}, "keys: matches ^a"),
        ({"type": "object", "minProperties": 2}, "at least 2 keys"),
        ({"$ref": "https://example.org/x.json"}, "as in https://example.org/x.json"),
        ({"type": "array", "minItems": 2, "maxItems": 2}, "exactly 2 items"),
        ({"type": "array", "prefixItems": [{"minimum": 3}]}, "item 1: >= 3"),
        ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "number", "minimum": 0}]}, "string: at most 3 characters; number: >= 0"),
        ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}, "at most 3 characters"),
        ({"type": "number", "minimum": 1.0, "exclusiveMaximum": 2.5, "multipleOf": 0.5}, ">= 1 and < 2.5; multiple of 0.5"),
        ({"type": "string", "format": "hostname"}, "hostname"),
        ({"type": "string", "contentMediaType": "text/html"}, "text/html text"),
        ({"default": False}, "default: false"),
        ({"default": "x" * 200}, "has a default"),
        ({"examples": [{"a": 1}]}, 'e.g. { "a": 1 }'),
        ({"description": "Wrapped\nline.\n\n- one\n- two", "minLength": 1}, "Wrapped line.|- one|- two; at least 1 character"),
        ({"pattern": "a\nb \u2028```"}, "matches a\\nb \\u2028` ` `"),
    ],
)  # fmt: skip
def test_comment(node: dict[str, Any], comment: str) -> None:
    assert Rendering(node, "Reply").words(node) == comment.split("|")


def deep(levels: int) -> dict[str, Any]:
    """Objects in arrays in unions, so many levels deep."""
    node: dict[str, Any] = {"type": "string", "maxLength": 3}
    for _ in range(levels):
        node = {"type": "object", "properties": {"in": {"anyOf": [{"type": "array", "items": node}, {"type": "null"}]}}}
    return node


@pytest.mark.slow
def test_no_depth_overflows_the_stack() -> None:
    text = render(deep(5000), "Reply")
    assert max(map(len, text.splitlines())) < 200
    assert "at most 3 characters" in text


def test_a_long_type_is_cut_for_a_message() -> None:
    document = {"type": "object", "properties": {"a": {"enum": [f"word{i}" for i in range(1000)]}}}
    shown = Rendering(document, "Reply")
    line = shown.type(document["properties"]["a"], limit=60)
    assert line == '"word0" | "word1" | "word2" | "word3" | ... 996 more'
    assert shown.type({"type": "array", "items": document["properties"]["a"]}, limit=20).endswith(" ...")
    assert shown.type(document) == "Reply"


def test_own_nodes_leave_nothing_behind() -> None:
    shown = Rendering(DEFS | {"anyOf": [REF, REF, {"items": REF}]}, "Reply")
    size = len(shown._writer.forms)
    for _ in range(3):
        assert shown.type({"type": "array", "items": dict(REF)}) == "A[]"
    assert len(shown._writer.forms) == size


def test_names_take_no_fence_and_no_line_break() -> None:
    text = render({"enum": ["```\n~~~~", "\u2028\x85\ud800é"]}, "Reply")
    assert text == 'type Reply = "\\u0060\\u0060\\u0060\\n\\u007e\\u007e\\u007e\\u007e" | "\\u2028\\u0085\\ud800é";\n'
