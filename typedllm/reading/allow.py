"""`Allow`: lossy fixes that a type allows, wherever it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import core_schema as core
from pydantic_core import to_jsonable_python

from typedllm.errors import SchemaError
from typedllm.reading.fixes import known
from typedllm.records import MISSING, JsonSchema
from typedllm.schema.markers import Hint
from typedllm.schema.walk import is_list, walk


class Allow(Hint):
    """Allows lossy fixes, by name, in a part of a type and in all that is in it.

        class Order(BaseModel):
            lines: Annotated[list[Line], Allow("drop_item")]
            currency: Annotated[str, Allow("default", default="EUR")]

    In a JSON Schema document the same is written `"x-allow": ["drop_item"]` and `"x-default": "EUR"`.

    Args:
        *kinds: names of fixes; `typedllm.reading.fixes` lists them.
        default: what the fix `default` puts where the key is missing; without it, the `default` of the schema, and
            where there is none, nothing.

    Raises:
        SchemaError: there is no fix of that name, or the default is no JSON.
    """

    __slots__ = ("default", "kinds")

    def __init__(self, *kinds: str, default: object = MISSING) -> None:
        try:
            self.kinds = tuple(sorted(known(kinds)))
            self.default: Any = default if default is MISSING else to_jsonable_python(default)
        except ValueError as error:
            raise SchemaError(str(error)) from None

    def __get_pydantic_json_schema__(self, schema: core.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        made = handler(schema)
        made = {**made, "x-allow": sorted({*made.get("x-allow", ()), *self.kinds})}
        return made if self.default is MISSING else {**made, "x-default": self.default}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Allow) and (self.kinds, repr(self.default)) == (other.kinds, repr(other.default))

    def __hash__(self) -> int:
        return hash((self.kinds, repr(self.default)))

    def __repr__(self) -> str:
        shown = [*map(repr, self.kinds), *([] if self.default is MISSING else [f"default={self.default!r}"])]
        return f"Allow({', '.join(shown)})"


def check_allowed(document: JsonSchema) -> None:
    """See that each fix that a document allows is one.

    Raises:
        SchemaError: one is not; lists them all.
    """
    problems = list(_problems(document))
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise SchemaError(f"the document allows what is no fix:\n{listed}", problems=problems)


def _problems(document: JsonSchema) -> Iterator[str]:
    for path, node in walk(document):
        if isinstance(node, dict) and "x-allow" in node:
            try:
                known(node["x-allow"] if is_list(node["x-allow"]) else [node["x-allow"]])
            except ValueError as error:
                yield f"{'/'.join(('#', *path))}: {error}"
