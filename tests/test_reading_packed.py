"""What is valid but for its packaging is read at once, and told as if it had been looked at closely."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from pydantic import BaseModel, ValidationInfo, field_validator, model_validator

from tests.replies.types import schemas
from tests.replies.values import Sampler
from tests.replies.writing import AROUND as WRAPPED
from tests.replies.writing import SYNTAX, written
from tests.test_reading_corpus import ROWS, TYPES
from typedllm.declared import Schema
from typedllm.reading.examine import Examination
from typedllm.records import Issue, Policy, Reading, Result

AROUND = (
    "Here it is:\n```json\n{}\n```\nAnything else?", "```\n{}\n```", "~~~\n{}\n~~~\n", "Sure! {} Is that all?", "{} is it.",
    "[1] {}", "one, {}, two", '"{}"', "Example: {}", 'The "final" answer: {}', 'name": {}', '{}, "b": 2', "({})", "{} 12",
    "is 5: {}", "\ufeff{}\n", "```json\n{}", "{}\n```", "- {}\n- none", "x => {};", "see {} there",
)  # fmt: skip


def told(reading: Result[Any] | Reading[Any]) -> tuple[object, ...]:
    value = None if reading.issues else repr(reading.value)
    return value, reading.issues, dict(reading.spans), tuple(reading.fixes), tuple(reading.candidates)


def closely(schema: Schema[Any], text: str) -> tuple[object, ...]:
    """What is told of a reply by those who look at each part of it."""

    def judge(data: Any, _: str | None) -> tuple[Any, tuple[Issue, ...]]:
        result = schema.validate(data)
        return (result.value, ()) if result.ok else (None, result.issues)

    return told(Examination(schema.target, judge, Policy.of()).read(text))


@pytest.mark.slow
@pytest.mark.parametrize("schema", [*schemas(), Schema(Any)], ids=lambda schema: schema.name)
def test_a_packed_reply_is_read_as_if_it_were_not(schema: Schema[Any]) -> None:
    dice = random.Random(schema.name)
    data = Sampler(schema, dice, 0.2).draw()
    written = json.dumps(data, indent=dice.choice((None, 1)))
    if not written.startswith(("{", "[")):
        return
    for around in AROUND:
        text = around.replace("{}", written)
        result = schema.read(text)
        assert len(result.fixes) == 0 or told(result) == closely(schema, text), text


@pytest.mark.parametrize("row", [row for row in ROWS if row["type"] != "str"], ids=lambda row: row["text"][:40])
def test_so_is_each_reply_of_the_corpus(row: dict[str, Any]) -> None:
    schema: Schema[Any] = Schema(TYPES[row["type"]])
    result = schema.read(row["text"])
    if len(result.fixes) > 0:
        assert told(result) == closely(schema, row["text"])


@pytest.mark.slow
@pytest.mark.parametrize("schema", [*schemas(), Schema(Any)], ids=lambda schema: schema.name)
def test_so_is_one_whose_syntax_is_mended(schema: Schema[Any]) -> None:
    dice = random.Random(schema.name)
    data = Sampler(schema, dice, 0.2).draw()
    for syntax in SYNTAX:
        text = written(data, dice, syntax, dice.choice(("", *WRAPPED)))
        result = schema.read(text)
        assert len(result.fixes) == 0 or told(result) == closely(schema, text), text


class Once(BaseModel):
    """Counts how often it is validated."""

    n: int

    @model_validator(mode="after")
    def count(self, info: ValidationInfo) -> Once:
        assert info.context is not None
        info.context["times"] += 1
        return self


def test_what_is_told_of_a_packed_reply_validates_nothing_again() -> None:
    context = {"times": 0}
    result = Schema(Once).read('Here:\n```json\n{"n": 1}\n```', context=context)
    assert [fix.kind for fix in result.fixes] == ["fence", "prose"]
    assert [candidate.chosen for candidate in result.candidates] == [True]
    assert result.spans["/n"] == (20, 21)
    assert context == {"times": 1}


class Tagged(BaseModel):
    """Its code sees the text before it is a list."""

    tags: list[str]

    @field_validator("tags", mode="before")
    @classmethod
    def _split(cls, said: Any) -> Any:
        return said.split(";") if isinstance(said, str) else said


def test_what_code_made_of_a_text_is_no_fix() -> None:
    bare = Schema(Tagged).read('{"tags": "[\\"a\\"]"}')
    packed = Schema(Tagged).read('Here:\n```json\n{"tags": "[\\"a\\"]"}\n```')
    assert packed.value == bare.value == Tagged(tags='["a"]')  # type: ignore[arg-type]
    assert [fix.kind for fix in packed.fixes] == ["fence", "prose"]
