"""From a Python type to its document: JSON Schema by pydantic, with what JSON Schema cannot say beside it.

The document is draft 2020-12, in validation mode, under the names that are validated, without generated titles. Hint
keywords carry what the other parts of the package need and JSON Schema loses; `strip_hints` takes them out again:

- `x-names`: beside `enum` or `const`: the member names of the Enum, parallel to the values.
- `x-aliases`: further names of the members of the Enum, to their values.
- `x-field`: on a property whose key is an alias, and on the items of a named tuple: the Python name of the field.
- `x-also`: on a property: the other keys under which the field is read.
- `x-deep`: on an object: keys below which fields are read by an alias path.
- `x-type`: `decimal`, `fraction`, `bytes`, `complex`, `set`, `timedelta`, `named-tuple`: what the value becomes.
- `x-rules`: rules that are validated and that JSON Schema has no keyword for, in words.
- `x-validators`: docstrings of validators in code.
- `x-untold`: names of validators in code without a docstring, for the linter.
- `x-own-form`: beside a `format` whose text is first read by code, which may want it in a form of its own.
- `x-regex`: `python` beside a `pattern` that pydantic runs by Python's engine, for the linter.
- `x-ts`: the caller's own TypeScript text for this part.
- `x-alias`: a name under which equal parts are declared once, where they occur more than once.
- `x-allow`: lossy fixes that are allowed there and below, by name; `x-default`: what the fix `default` puts there.
- `x-open`: the summary of a runtime vocabulary that is too long to list; its `enum` is whole.
"""

from __future__ import annotations

import inspect
import threading
import warnings
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, get_args, get_origin
from weakref import WeakValueDictionary

from pydantic import ConfigDict, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic_core import SchemaError as CoreSchemaError
from typing_extensions import TypeForm

from typedllm.errors import SchemaError
from typedllm.records import JsonSchema
from typedllm.schema.docs import annotate
from typedllm.schema.generate import UNSUPPORTED, Generator
from typedllm.schema.mistaken import NotATypeError
from typedllm.schema.names import identifier
from typedllm.schema.portable import portable
from typedllm.schema.vocabulary import Vocabulary, collecting
from typedllm.schema.walk import Node, children, walk

T = TypeVar("T")

HINTS: Final = frozenset(
    {
        "x-names",
        "x-aliases",
        "x-field",
        "x-also",
        "x-deep",
        "x-type",
        "x-rules",
        "x-validators",
        "x-untold",
        "x-regex",
        "x-own-form",
        "x-ts",
        "x-open",
        "x-alias",
        "x-allow",
        "x-default",
    }
)

_RECENT: Final = 512
_MOST_NAMES: Final = 50
_NAMELESS: Final = frozenset({"builtins", "collections", "collections.abc", "types", "typing", "typing_extensions"})
_MAKE_IT_ONE: Final = "make it a dataclass, a TypedDict or a BaseModel"
_PYDANTIC_REFUSES: Final = (PydanticUserError, PydanticUndefinedAnnotation, CoreSchemaError, SyntaxError, ImportError)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Built(Generic[T]):
    """What is made of a Python type, once.

    Attributes:
        adapter: pydantic's validator.
        document: the JSON Schema with its hints; to be read only.
        name: what the type is called in a prompt.
        vocabularies: the runtime vocabularies in it, each with the words that the document holds.
        kept: what the floors above make of the type, once; it lives as long as this.
        declared: the type.
    """

    adapter: TypeAdapter[T]
    document: JsonSchema
    name: str
    vocabularies: tuple[tuple[Vocabulary, tuple[str, ...]], ...] = ()
    kept: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any], repr=False, compare=False)
    declared: object = field(default=None, repr=False, compare=False)

    def fresh(self) -> Built[T]:
        """This, or the same with the words of today when a vocabulary was refreshed since."""
        if all(vocabulary.words is words for vocabulary, words in self.vocabularies):
            return self
        return _with_document(self.adapter, self.name, self.declared)


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
        known = _alive.get(key)
        built = known.fresh() if known else _build(type_)
        _alive[key] = built
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
        form = portable(type_)
    except NotATypeError as error:
        raise _refused(name, [f"{name}: {error}"]) from None
    try:
        adapter: TypeAdapter[T] = TypeAdapter(form, _parent_depth=_depth_outside(inspect.currentframe()))
        return _with_document(adapter, name, type_)
    except _PYDANTIC_REFUSES as error:
        raise _refused(name, list(_diagnosis(name, form, error))) from error


def _with_document(adapter: TypeAdapter[T], name: str, type_: object) -> Built[T]:
    with collecting() as vocabularies:
        document = annotate(adapter.json_schema(schema_generator=Generator), type_)
    if problems := list(_problems(name, document)):
        raise _refused(name, problems)
    return Built(adapter, document, name, tuple(vocabularies), declared=type_)


def _depth_outside(frame: FrameType | None) -> int:
    """How far up the first caller outside this package stands, as pydantic counts: its names may occur in the type."""
    depth = 2
    while frame and str(frame.f_globals.get("__name__", "")).partition(".")[0] == "typedllm":
        frame, depth = frame.f_back, depth + 1
    return depth


def _diagnosis(name: str, form: Any, error: Exception) -> Iterator[str]:
    """All that is wrong with a type that pydantic refused at its first fault."""
    if isinstance(error, PydanticSchemaGenerationError):
        try:
            wrapped: Any = tuple.__class_getitem__(form)
            with warnings.catch_warnings():  # that what is no type is taken for anything
                warnings.simplefilter("ignore")
                lenient: TypeAdapter[Any] = TypeAdapter(wrapped, config=ConfigDict(arbitrary_types_allowed=True))
                document = lenient.json_schema(schema_generator=Generator)
        except _PYDANTIC_REFUSES:
            document = {}
        if found := list(_problems(name, {"$defs": document.get("$defs", {}), **document.get("prefixItems", [{}])[0]})):
            yield from found
            return
    if isinstance(error, PydanticUserError) and error.code == "class-not-fully-defined":
        for missing in _undefined_names(form):
            yield f"{name}: the name {missing!r} is not defined (define it before the type is used, or import it)"
        return
    lines = str(error).partition("\n\nFor further information")[0].split()
    said = " ".join(lines).partition(". Set `arbitrary_types_allowed")
    way_out = _MAKE_IT_ONE if "<class " in said[0] else "it cannot stand there by itself"
    yield f"{name}: {said[0]}{f' ({way_out})' if said[1] else ''}"


def _undefined_names(form: Any) -> Iterator[str]:
    """The names that a type's annotations use and nobody has defined, each found by defining those before it."""
    namespace: dict[str, Any] = {}
    adapter: TypeAdapter[Any] = TypeAdapter(form, config=None)
    for _ in range(_MOST_NAMES):
        try:
            adapter.rebuild(raise_errors=True, force=True, _types_namespace=namespace)
            return
        except PydanticUndefinedAnnotation as undefined:
            missing = str(undefined.name)
            if missing in namespace:
                return
            namespace[missing] = Any
            yield missing
        except (*_PYDANTIC_REFUSES, TypeError, AttributeError):  # what is missing is generic, or has attributes
            return


def _name(type_: Any) -> str:
    """What the type calls itself, else `Reply`."""
    origin = get_origin(type_) or type_
    named, module = getattr(origin, "__name__", None), str(getattr(origin, "__module__", "builtins"))
    if not isinstance(named, str) or module in _NAMELESS:
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


def strip_hints(document: JsonSchema, keywords: Collection[str] = HINTS) -> JsonSchema:
    """A copy of the document without hint keywords: what the public `json_schema()` gives.

    Args:
        document: the document.
        keywords: what is left out of each of its schemas.
    """
    copy: JsonSchema = {}
    stack: list[tuple[JsonSchema, JsonSchema]] = [(document, copy)]
    while stack:
        node, into = stack.pop()
        into.update((key, value) for key, value in node.items() if key not in keywords)
        for path, child in children(node):
            if path[0] in keywords:
                continue
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
