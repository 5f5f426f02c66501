"""What a class says of itself in words: docstrings, of attributes too, `Doc` and plain strings in `Annotated`."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Annotated, Any, get_args, get_origin

from pydantic.json_schema import JsonSchemaValue
from typing_extensions import Doc, get_type_hints

# Validators of these packages state their rule in the schema already.
_SILENT = ("pydantic", "pydantic_core", "annotated_types", "pydantic_extra_types", "typedllm")


def docstring_of(function: Callable[..., Any]) -> str | None:
    """The first paragraph of a validator's docstring, on one line; None for one that is not the caller's own."""
    while isinstance(function, partial):
        function = function.func
    if not isinstance(function, FunctionType | MethodType) or function.__module__.partition(".")[0] in _SILENT:
        return None
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split()) or None


def describe(made: JsonSchemaValue, cls: type) -> None:
    """Add to the properties of a class what its source and its annotations say of them, where nothing is said yet."""
    said = {**attribute_docstrings(cls), **_metadata(cls)}
    for key, node in made.get("properties", {}).items():
        words = said.get(node.get("x-field", key))
        if words and "description" not in node:
            made["properties"][key] = {**node, "description": words}


def _metadata(cls: type) -> dict[str, str]:
    try:
        hints = get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, AttributeError):
        return {}
    return {name: words for name, hint in hints.items() if (words := annotation_words(hint))}


def annotation_words(hint: Any) -> str | None:
    """The words in an `Annotated`: its last `Doc` or plain string."""
    words = None
    while (origin := get_origin(hint)) is not None:
        if origin is Annotated:
            found = [
                m.documentation if isinstance(m, Doc) else m for m in hint.__metadata__ if isinstance(m, Doc | str)
            ]
            words = words or (found[-1] if found else None)
        elif str(getattr(origin, "_name", "")) not in {"Required", "NotRequired", "ReadOnly"}:
            break
        hint = get_args(hint)[0]
    return words


def attribute_docstrings(cls: type) -> dict[str, str]:
    """The string literals below the attributes of a class and of its bases, by attribute; needs the source."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__ not in {"builtins", "typing", "pydantic.main"}:
            found.update(_own_docstrings(base))
    return found


def _own_docstrings(cls: type) -> Iterator[tuple[str, str]]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return
    body = tree.body[0]
    if not isinstance(body, ast.ClassDef) or body.name != cls.__name__:
        return
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, inspect.cleandoc(words)
            case _:
                pass
