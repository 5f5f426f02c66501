"""What holds of every type."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests import compiler
from tests.generated import TYPES, Typed, broken, typed_values
from tests.support.laws import examples
from typedllm.schema.build import _build, build, strip_hints
from typedllm.schema.comments import harmless, paragraphs
from typedllm.schema.names import identifier, key, quoted
from typedllm.schema.typescript import render
from typedllm.schema.walk import walk

relaxed = examples(40)


@relaxed
@given(typed_values())
def test_what_is_written_is_read_back(case: tuple[Any, list[Any]]) -> None:
    type_, values = case
    adapter = build(type_).adapter
    schema = Draft202012Validator(strip_hints(build(type_).document))
    for value in values:
        text = adapter.dump_json(value, by_alias=True)
        assert adapter.validate_json(text) == value
        assert not list(schema.iter_errors(json.loads(text)))


@pytest.mark.slow
@relaxed
@given(TYPES)
def test_rendering_is_a_function_of_the_type(made: Typed) -> None:
    one, two = build(made.type), _build(made.type)
    text = render(one.document, one.name)
    assert one.document == two.document
    assert text == render(json.loads(json.dumps(two.document)), two.name)
    assert render(one.document, one.name, compact=True) == "".join(f"{line.lstrip()}\n" for line in text.splitlines())
    assert not [line for line in text.splitlines() if line.lstrip().startswith(("```", "~~~"))]


@relaxed
@given(TYPES)
def test_the_public_document_has_no_hints(made: Typed) -> None:
    document = build(made.type).document
    hints = [
        word for _, node in walk(strip_hints(document)) if isinstance(node, dict) for word in node if word[:2] == "x-"
    ]
    assert hints == []
    assert build(made.type).document == document


@given(st.text())
def test_text_stays_in_its_comment_and_fence(text: str) -> None:
    for line in (*paragraphs(text), harmless(text), quoted(text), key(text)):
        assert len(line.splitlines()) <= 1
        assert "```" not in line
        assert "~~~" not in line
    assert json.loads(quoted(text)) == text
    assert identifier(text).isidentifier()


def loose(node: Any) -> Any:
    """A document with what TypeScript can state, and nothing more."""
    if isinstance(node, list):
        return [loose(part) for part in node]
    if not isinstance(node, dict):
        return "number" if node == "integer" else node
    tables, kept = ("properties", "$defs"), ("prefixItems", "anyOf", "oneOf", "items", "additionalProperties")
    made = {name: loose(node[name]) for name in kept if name in node}
    made |= {name: {key: loose(part) for key, part in node[name].items()} for name in tables if name in node}
    made |= {name: node[name] for name in ("required", "enum", "const", "$ref") if name in node}
    if "prefixItems" in node or node.get("maxItems") == 0:
        made |= {name: node[name] for name in ("minItems", "maxItems") if name in node}
    return made | ({"type": loose(node["type"])} if "type" in node else {})


@pytest.mark.slow
@compiler.needed
def test_compiler_agrees_with_generated_types() -> None:
    files: dict[str, str] = {}

    @settings(relaxed, max_examples=150, database=None, derandomize=True)
    @given(typed_values(most=2))
    def collect(case: tuple[Any, list[Any]]) -> None:
        type_, values = case
        built = build(type_)
        accepted = [json.loads(built.adapter.dump_json(value, by_alias=True)) for value in values]
        stated = Draft202012Validator(loose(built.document))
        refused = [other for value in accepted for other in broken(value) if not stated.is_valid(other)]
        texts = ([json.dumps(value) for value in accepted], [json.dumps(value) for value in refused[:20]])
        files[f"generated{len(files)}"] = compiler.module(render(built.document, built.name), built.name, *texts)

    collect()
    assert not compiler.faults(files)
