"""Types that pydantic refuses or does not check, as equivalent types that it validates to the same values."""

from __future__ import annotations

import collections.abc
import sys
from types import UnionType
from typing import Annotated, Any, Final, Literal, LiteralString, Never, NoReturn, Union, get_args, get_origin

import typing_extensions
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema as core
from typing_extensions import get_type_hints

from typedllm.schema.mistaken import NotATypeError, be_a_type

_LISTS: Final = frozenset(
    {
        collections.abc.Iterable,
        collections.abc.Iterator,
        collections.abc.Generator,
        collections.abc.Collection,
        collections.abc.Container,
        collections.abc.Reversible,
        collections.abc.AsyncIterable,
        collections.abc.AsyncIterator,
        collections.abc.AsyncGenerator,
    }
)


class _Nothing:
    """Marks a type without values."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> core.CoreSchema:
        return core.literal_schema([cls])  # a class is no JSON value, so none is accepted

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"not": {}}


def portable(type_: Any) -> Any:
    """The type with these parts replaced, wherever they stand outside of classes.

    - `Never` and `NoReturn`: a type without values.
    - `LiteralString`: `str`.
    - `Iterable[T]`, `Iterator[T]`, `Generator[T, ...]`: `list[T]`, since pydantic checks the items of those only when
      they are drawn, long after the reply was accepted; and `Collection[T]`, `AsyncIterator[T]` and their like, which
      pydantic does not know.
    - `typing.TypedDict` before Python 3.12: the same by `typing_extensions`, whose values are plain dicts too.

    Raises:
        NotATypeError: it is no type, or holds something that is none.
    """
    return _Portable().of(type_)


class _Portable:
    def __init__(self) -> None:
        self._made: dict[type, Any] = {}

    def of(self, type_: Any) -> Any:
        be_a_type(type_)
        if type_ is Never or type_ is NoReturn:
            return _Nothing
        if type_ is LiteralString:
            return str
        if sys.version_info < (3, 12) and _is_typing_typed_dict(type_):
            return self._typed_dict(type_)
        return self._generic(type_)

    def _generic(self, type_: Any) -> Any:
        origin: Any = get_origin(type_)
        args = get_args(type_)
        form: Any = origin or type_
        if form in _LISTS:
            return list.__class_getitem__(self.of(args[0]) if args else Any)
        if origin is Literal and not args:
            raise NotATypeError("Literal[()] has no values (declare some)")
        if not args or origin in {None, Literal, collections.abc.Callable}:  # pyright: ignore[reportUnknownMemberType]
            return type_
        if origin is Annotated:
            new = (self.of(args[0]), *args[1:])
        else:
            new = tuple(arg if form is tuple and (arg is ... or arg == ()) else self.of(arg) for arg in args)
        if all(a is b for a, b in zip(args, new, strict=True)):
            return type_
        form = Union if origin is UnionType else form
        return form[new] if len(new) > 1 else form[new[0]]  # pyright: ignore[reportGeneralTypeIssues]

    def _typed_dict(self, type_: Any) -> Any:
        if type_ not in self._made:
            # First the empty class, then its keys, since they may hold the class itself.
            made: Any = typing_extensions.TypedDict(type_.__name__, {}, total=type_.__total__)  # type: ignore[misc]
            self._made[type_] = made
            made.__module__, made.__qualname__, made.__doc__ = type_.__module__, type_.__qualname__, type_.__doc__
            hints = get_type_hints(type_, include_extras=True)
            made.__annotations__ = {name: self.of(hint) for name, hint in hints.items()}
            made.__required_keys__, made.__optional_keys__ = type_.__required_keys__, type_.__optional_keys__
            if "__pydantic_config__" in vars(type_):
                setattr(made, "__pydantic_config__", vars(type_)["__pydantic_config__"])  # noqa: B010  # mypy knows it not
        return self._made[type_]


def _is_typing_typed_dict(type_: Any) -> bool:
    return isinstance(type_, type) and type(type_).__name__ == "_TypedDictMeta" and type(type_).__module__ == "typing"
