"""Markers for `Annotated` that change how a type is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema as core

from typedllm.errors import SchemaError
from typedllm.records import JsonSchema
from typedllm.schema.walk import is_list


class Hint:
    """A marker that adds hints to the JSON Schema of the part that it stands on."""

    __slots__ = ()

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core.CoreSchema:
        """The schema with metadata of its own: that of a recursive class is shared, and pydantic adds hints to it."""
        schema: Any = handler(source)
        own = {key: value.copy() if is_list(value) else value for key, value in schema.get("metadata", {}).items()}
        copied: Any = {**schema, "metadata": own}
        return cast("core.CoreSchema", copied)


@dataclass(frozen=True, slots=True)
class TypeScript(Hint):
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
