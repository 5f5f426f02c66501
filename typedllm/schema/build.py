"""From a Python type to its document: JSON Schema by pydantic, with what JSON Schema cannot say beside it.

The document is draft 2020-12, in validation mode, under the names that are validated, without generated titles. Hint
keywords carry what the other parts of the package need and JSON Schema loses; `strip_hints` takes them out again:

- `x-names`: beside `enum` or `const`: the member names of the Enum, parallel to the values.
- `x-field`: on a property whose key is an alias, and on the items of a named tuple: the Python name of the field.
- `x-type`: `decimal`, `fraction`, `bytes`, `complex`, `set`, `timedelta`, `named-tuple`: what the value becomes.
- `x-rules`: rules that are validated and that JSON Schema has no keyword for, in words.
- `x-validators`: docstrings of validators in code.
- `x-ts`: the caller's own TypeScript text for this part.
- `x-open`: the summary of a runtime vocabulary that is too long to list.
"""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, get_args, get_origin
from weakref import WeakValueDictionary

from pydantic import PydanticUserError, TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic_core import SchemaError as CoreSchemaError
from typing_extensions import TypeForm

from typedllm.errors import SchemaError
from typedllm.records import JsonSchema
from typedllm.schema.generate import UNSUPPORTED, Generator
from typedllm.schema.names import identifier
from typedllm.schema.walk import Node, children, walk

T = TypeVar("T")

HINTS: Final = frozenset({"x-names", "x-field", "x-type", "x-rules", "x-validators", "x-ts", "x-open"})

_RECENT: Final = 512


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Built(Generic[T]):
    """What is made of a Python type, once.

    Attributes:
        adapter: pydantic's validator.
        document: the JSON Schema with its hints; to be read only.
        name: what the type is called in a prompt.
    """

    adapter: TypeAdapter[T]
    document: JsonSchema
    name: str


_lock: Final = threading.RLock()
_alive: Final[WeakValueDictionary[Hashable, Built[Any]]] = WeakValueDictionary()
_recent: Final[OrderedDict[Hashable, Built[Any]]] = OrderedDict()


def build(type_: TypeForm[T]) -> Built[T]:
    """The validator and the document of a type; made at the first call, and found again at later ones.

    What was built is kept while anything uses it, and beyond that for the last 512 types, so that classes made in a
    loop are let go again.

    Args:
        type_: any type that pydantic can validate.

    Raises:
        SchemaError: parts of the type cannot be validated or told to a model; lists them all.
    """
    try:
        key = _key(type_)
        hash(key)
    except TypeError:
        return _build(type_)
    with _lock:
        built = _alive.get(key)
        if built is None:
            built = _alive[key] = _build(type_)
        _recent[key] = built
        _recent.move_to_end(key)
        if len(_recent) > _RECENT:
            _recent.popitem(last=False)
        return built


def _key(type_: Any) -> Hashable:
    """A key under which the same declaration is found: unlike `==` it tells `int | str` from `str | int`."""
    if isinstance(type_, str):
        raise TypeError("a name means what its module says")
    origin, args = get_origin(type_), get_args(type_)
    if origin is None:
        return (type_,)
    if origin is Literal:
        return Literal, tuple(map(_typed, args))
    if origin is Annotated:
        return Annotated, _key(args[0]), tuple(map(_typed, args[1:]))
    return origin, tuple(map(_key, args))


def _typed(value: object) -> Hashable:
    return type(value), value


def _build(type_: TypeForm[T]) -> Built[T]:
    name = _name(type_)
    try:
        adapter = TypeAdapter(type_, _parent_depth=_depth_outside(inspect.currentframe()))
        document = adapter.json_schema(schema_generator=Generator)
    except (PydanticUserError, PydanticUndefinedAnnotation, CoreSchemaError) as error:
        raise _refused(name, [f"{name}: {_first_line(error)}"]) from error
    if problems := list(_problems(name, document)):
        raise _refused(name, problems)
    return Built(adapter, document, name)


def _depth_outside(frame: FrameType | None) -> int:
    """How many frames up the first caller outside this package stands: its names may occur in the type."""
    depth = 1
    while frame and str(frame.f_globals.get("__name__", "")).partition(".")[0] == "typedllm":
        frame, depth = frame.f_back, depth + 1
    return depth


def _name(type_: Any) -> str:
    """What the type calls itself, else `Reply`."""
    named = getattr(type_, "__name__", None) if get_origin(type_) is not Annotated else None
    if not isinstance(named, str) or getattr(type_, "__module__", "builtins") in {"builtins", "typing"}:
        return "Reply"
    return identifier(named)


def _problems(name: str, document: JsonSchema) -> Iterator[str]:
    for path, node in walk(document):
        if isinstance(node, dict) and UNSUPPORTED in node:
            yield f"{_place(name, path)}: {node[UNSUPPORTED]}"


def _place(name: str, path: tuple[str, ...]) -> str:
    """A path in the document as one writes it in Python: `Order.lines[].price`."""
    place, steps = name, list(path)
    while steps:
        step = steps.pop(0)
        if step == "$defs":
            place = steps.pop(0)
        elif step == "properties":
            place += f".{steps.pop(0)}"
        elif step == "prefixItems":
            place += f"[{steps.pop(0)}]"
        elif step == "items":
            place += "[]"
        elif step in {"additionalProperties", "patternProperties"}:
            place += "[...]"
    return place


def _refused(name: str, problems: list[str]) -> SchemaError:
    listed = "\n".join(f"- {problem}" for problem in problems)
    return SchemaError(f"unsupported parts in {name}:\n{listed}", problems=problems)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def strip_hints(document: JsonSchema) -> JsonSchema:
    """A copy of the document without hint keywords: what the public `json_schema()` gives."""
    copy: JsonSchema = {}
    stack: list[tuple[JsonSchema, JsonSchema]] = [(document, copy)]
    while stack:
        node, into = stack.pop()
        into.update((key, value) for key, value in node.items() if key not in HINTS)
        for path, child in children(node):
            fresh: Node = {} if isinstance(child, dict) else child
            _put(into, node, path, fresh)
            if isinstance(child, dict) and isinstance(fresh, dict):
                stack.append((child, fresh))
    return copy


def _put(into: JsonSchema, node: JsonSchema, path: tuple[str, ...], child: Node) -> None:
    """Put a copied sub-schema at its place, in a copy of the table or list that holds it."""
    key, *rest = path
    if not rest:
        into[key] = child
        return
    if into[key] is node[key]:
        into[key] = node[key].copy()
    into[key][int(rest[0]) if isinstance(into[key], list) else rest[0]] = child
