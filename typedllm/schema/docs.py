"""What a class says of itself in words: docstrings, of attributes too, `Doc` and plain strings in `Annotated`."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache, partial
from itertools import pairwise
from types import FunctionType, MethodType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import Doc, get_type_hints

# Validators of these packages state their rule in the schema already.
_SILENT: Final = frozenset({"pydantic", "pydantic_core", "annotated_types", "pydantic_extra_types", "typedllm"})
_FOREIGN: Final = frozenset(
    {"builtins", "typing", "typing_extensions", "enum", "abc", "collections.abc", "pydantic.main"}
)


def docstring_of(function: Callable[..., Any]) -> str | None:
    """The first paragraph of a validator's docstring, on one line; None for one that is not the caller's own."""
    own = _own(function)
    return _paragraph(inspect.getdoc(own) or "") or None if own else None


def name_of(function: Callable[..., Any]) -> str | None:
    """The name of a validator; None for one that is not the caller's own."""
    own = _own(function)
    return own.__name__ if own else None


def _own(function: Callable[..., Any]) -> FunctionType | MethodType | None:
    while isinstance(function, partial):
        function = function.func
    if not isinstance(function, FunctionType | MethodType) or function.__module__.partition(".")[0] in _SILENT:
        return None
    return function


def _paragraph(doc: str) -> str:
    return " ".join(doc.split("\n\n")[0].split())


def describe(made: JsonSchemaValue, cls: type) -> JsonSchemaValue:
    """The schema of a class with what its source and its annotations say, where nothing is said yet."""
    hints, said = _hints(cls), attribute_docstrings(cls)
    properties: dict[str, Any] = made.get("properties", {})
    for key, node in properties.items():
        name = node.get("x-field", key)
        properties[key] = _describe_one(node, hints.get(name), said.get(name))
    if "prefixItems" in made:
        names = [node.get("x-field", "") for node in made["prefixItems"]]  # of a tuple that is a model's root: none
        parts = zip(made["prefixItems"], names, strict=True)
        made = {**made, "prefixItems": [_describe_one(node, hints.get(name), said.get(name)) for node, name in parts]}
        doc = inspect.cleandoc(cls.__doc__ or "")
        if doc and not doc.startswith(f"{cls.__name__}(") and "description" not in made:
            made["description"] = doc
    return made


def _describe_one(node: JsonSchemaValue, hint: Any, docstring: str | None) -> JsonSchemaValue:
    node = annotate(node, hint)
    return {**node, "description": docstring} if docstring and "description" not in node else node


def _hints(cls: type) -> Mapping[str, Any]:
    fields: Mapping[str, FieldInfo] | None = cls.__dict__.get("__pydantic_fields__")
    if fields is not None:
        return {name: _as_annotated(field) for name, field in fields.items()}
    try:
        return get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, AttributeError):
        return {}


def _as_annotated(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def annotate(node: JsonSchemaValue, hint: Any) -> JsonSchemaValue:
    """The schema of an annotation with the words inside it: `Doc`, or a plain string, in an `Annotated`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is None or not args:
        return node
    if origin is Annotated:
        words = [m.documentation if isinstance(m, Doc) else m for m in args[1:] if isinstance(m, Doc | str)]
        node = {**node, "description": words[-1]} if words and "description" not in node else node
        return annotate(node, args[0])
    if str(getattr(origin, "_name", "")) in {"Required", "NotRequired", "ReadOnly"}:
        return annotate(node, args[0])
    if origin in {Union, UnionType}:
        arms = [arm for arm in args if arm is not type(None)]
        return _annotate_arms(node, arms)
    return _annotate_items(node, origin, args)


def _annotate_arms(node: JsonSchemaValue, hints: list[Any]) -> JsonSchemaValue:
    arms: list[JsonSchemaValue] = node.get("anyOf", [])
    null = [arm for arm in arms if arm == {"type": "null"}]
    if len(arms) - len(null) != len(hints):
        return node
    told = [annotate(arm, hint) for arm, hint in zip((arm for arm in arms if arm not in null), hints, strict=True)]
    return {**node, "anyOf": [*told, *null]}


def _annotate_items(node: JsonSchemaValue, origin: Any, args: tuple[Any, ...]) -> JsonSchemaValue:
    if not isinstance(origin, type):
        return node
    if issubclass(origin, Mapping) and len(args) == 2 and isinstance(node.get("additionalProperties"), dict):
        return {**node, "additionalProperties": annotate(node["additionalProperties"], args[1])}
    if "prefixItems" in node and len(node["prefixItems"]) == len(args):
        items = [annotate(item, hint) for item, hint in zip(node["prefixItems"], args, strict=True)]
        return {**node, "prefixItems": items}
    if issubclass(origin, Collection) and isinstance(node.get("items"), dict):
        return {**node, "items": annotate(node["items"], args[0])}
    return node


def attribute_docstrings(cls: type) -> dict[str, str]:
    """The string literals below the attributes of a class and of its bases, by attribute; needs the source."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__ not in _FOREIGN:
            found.update(_own_docstrings(base))
    return found


def _own_docstrings(cls: type) -> Mapping[str, str]:
    try:
        lines = linecache.getlines(inspect.getfile(cls))
    except (OSError, TypeError):
        return {}
    return _docstrings_in("".join(lines)).get(cls.__qualname__, {})


@lru_cache(maxsize=32)
def _docstrings_in(source: str) -> Mapping[str, Mapping[str, str]]:
    """The attribute docstrings of each class in a module, by the class's qualified name."""
    found: dict[str, Mapping[str, str]] = {}
    try:
        stack: list[tuple[str, ast.AST]] = [("", ast.parse(source))]
    except (SyntaxError, ValueError, RecursionError):
        return {}
    while stack:
        scope, node = stack.pop()
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, ast.ClassDef):
                inner = f"{scope}{child.name}."
                name = inner[:-1]
                # Of two classes of one name, nobody can say which one is meant.
                found[name] = {} if name in found else dict(_docstrings_below(child.body))
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = f"{scope}{child.name}.<locals>."
            stack.append((inner, child))
    return found


def _docstrings_below(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                yield name, inspect.cleandoc(words)
            case _:
                pass
