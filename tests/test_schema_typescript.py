from __future__ import annotations

import enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from typedllm.schema.build import build
from typedllm.schema.typescript import render, render_type


class Size(enum.Enum):
    SHORT = "short"
    TALL = "tall"


class Cat(BaseModel):
    lives: int
    kind: Literal["cat"]


class Dog(BaseModel):
    bark: bool
    kind: Literal["dog"]


class Order(BaseModel):
    """What was ordered."""

    size: Size
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    quantity: int = Field(1, ge=1, le=10, description="how many")
    note: str | None = None


def shown(type_: object, *, compact: bool = False) -> str:
    built = build(type_)
    return render(built.document, built.name, compact=compact)


def test_model() -> None:
    assert shown(Order) == (
        "type integer = number;\n"
        "// What was ordered.\n"
        "interface Order {\n"
        '    size: "short" | "tall";\n'
        '    pet: { kind: "cat"; lives: integer } | { kind: "dog"; bark: boolean };\n'
        "    quantity?: integer; // how many; 1..10; default: 1\n"
        "    note?: string | null;\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (list[int], "type integer = number;\ntype Reply = integer[];\n"),
        (Literal["a", "b"], 'type Reply = "a" | "b";\n'),
        (bool | None, "type Reply = boolean | null;\n"),
        (dict[str, list[str | bool]], "type Reply = Record<string, (string | boolean)[]>;\n"),
        (tuple[str, bool], "type Reply = [string, boolean];\n"),
    ],
)
def test_any_root(type_: object, text: str) -> None:
    assert shown(type_) == text


def test_part_of_a_document() -> None:
    document = build(Order).document
    assert render_type(document["properties"]["size"], document) == '"short" | "tall"'
