"""Markers for `Annotated` that change how a type is shown."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import GetJsonSchemaHandler
from pydantic_core import core_schema as core

from typedllm.errors import SchemaError
from typedllm.records import JsonSchema


@dataclass(frozen=True, slots=True)
class TypeScript:
    """Shows a part of a type in the caller's own TypeScript; what is validated stays the same.

        Colour = Annotated[str, Field(pattern="^#[0-9a-f]{6}$"), TypeScript("`#${string}`")]

    Attributes:
        text: a TypeScript type, on one line or more.

    Raises:
        SchemaError: the text is blank, or would close a Markdown fence around it.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip() or "```" in self.text or "~~~" in self.text:
            raise SchemaError(f"no TypeScript type: {self.text[:80]!r} (give one, without a Markdown fence)")

    def __get_pydantic_json_schema__(self, schema: core.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {**handler(schema), "x-ts": self.text}
