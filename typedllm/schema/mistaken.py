"""What stands where a type belongs and is none: what it is, and what was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from inspect import isroutine
from types import ModuleType
from typing import Any, Final

_MOST: Final = 60
_MAKERS: Final = frozenset({"typing", "typing_extensions", "types", "pydantic_core", "pydantic_core._pydantic_core"})


class NotATypeError(ValueError):
    """Something that is no type was declared as one; the message is a sentence for a `SchemaError`."""


def be_a_type(declared: Any) -> None:
    """See that something can be a type: a class, a name, or something that `typing` made.

    Raises:
        NotATypeError: it is a value, such as `[int]` for `list[int]`.
    """
    if isinstance(declared, type) and any(base.__module__ == "pydantic.v1.main" for base in declared.__mro__):
        raise NotATypeError(
            f"{declared.__name__} is a model of pydantic.v1 (derive it from pydantic's BaseModel of now)"
        )
    if isinstance(declared, type | str) or declared is None or hasattr(declared, "__origin__"):
        return
    if type(declared).__module__ not in _MAKERS:
        raise NotATypeError(f"{_shown(declared)} is not a type ({_meant(declared)})")


def _meant(value: Any) -> str:
    kinds = [kind for kind in type(value).__mro__ if kind in _MEANT]
    if isroutine(value):
        return "give the type that it returns, or make it a prompt function with @client.prompt"
    return _MEANT[kinds[0]](value) if kinds else f"give a type; its own is {type(value).__name__}"


def _meant_by_several(several: Collection[Any]) -> str:
    values, kind = list(several), type(several).__name__
    names = [value.__name__ if isinstance(value, type) else repr(value) for value in values]
    if all(isinstance(value, str | int) for value in values):
        return f"for one of these values write Literal[{_short(', '.join(names))}]"
    return f"write {kind}[{_short(', '.join(names))}]" + (f", or {_short(' | '.join(names))}" if names[1:] else "")


_MEANT: Final[Mapping[type, Callable[[Any], str]]] = {
    dict: lambda _: "declare a TypedDict; a JSON Schema document goes through Schema.from_json_schema(document)",
    **dict.fromkeys((list, tuple, set, frozenset), _meant_by_several),
    **dict.fromkeys((int, float), lambda value: f"for this one value write Literal[{value!r}]"),
    ModuleType: lambda _: "give a type that it holds",
}


def _shown(value: Any) -> str:
    if isroutine(value) or isinstance(value, ModuleType):
        return f"the {'module' if isinstance(value, ModuleType) else 'function'} {value.__name__}"
    return _short(repr(value))


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]}..."
