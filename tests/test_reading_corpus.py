"""Broken replies as models write them, with what must come of each: the value, or a refusal."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from tests.support.pieces import Piecewise
from typedllm.declared import Schema


class User(BaseModel):
    name: str
    age: int


class Options(BaseModel):
    city: str | None = None
    n: int = 0
    when: date | None = None
    tags: list[str] = []
    flag: bool = False


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool


TYPES: dict[str, Any] = {
    "any": Any,
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "mood": Literal["positive", "negative"],
    "user": User,
    "users": list[User],
    "opt": Options,
    "pet": Annotated[Cat | Dog, Field(discriminator="kind")],
    "either": int | str,
}
ROWS = [json.loads(line) for line in (Path(__file__).parent / "corpus" / "replies.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['type']}: {row['text'][:50]!r}")
@pytest.mark.parametrize("size", [None, 3])
def test_corpus(row: dict[str, Any], size: int | None) -> None:
    schema: Schema[Any] = Schema(TYPES[row["type"]])
    text = row["text"]
    if size is None:
        result = schema.read(text)
    else:
        reader = Piecewise(schema)
        for at in range(0, len(text), size):
            reader.feed(text[at : at + size])
        result = reader.close()
    if row.get("refused"):
        assert not result.ok, (result.value, result.fixes)
        assert result.issues
        return
    written = TypeAdapter(TYPES[row["type"]]).dump_python(result.value, mode="json", exclude_unset=True)
    assert json.dumps(written, sort_keys=True) == json.dumps(row["value"], sort_keys=True)
    assert all(fix.lossless for fix in result.fixes)
