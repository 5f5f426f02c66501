"""A set of words that is known only at run time, as a type."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError
from pydantic_core import core_schema as core

from typedllm.errors import SchemaError
from typedllm.records import JsonSchema
from typedllm.schema.comments import literal

_SHOWN: Final = 5
_MOST_COMPARED: Final = 10_000

Used = list[tuple["Vocabulary", tuple[str, ...]]]
_used: Final[ContextVar[Used | None]] = ContextVar("used", default=None)


class Vocabulary:
    """The words that a string may be, from an iterable or from a function that loads them.

    One object stands for the vocabulary, whatever its words are today: no class is made for them, and the types that
    use it are built once. The words are loaded at first use and stay the same until `refresh`, so that what the model
    is told and what is validated are the same words; a request under way when they change is validated by the new
    ones, and its repair is told those.

        City = Annotated[str, Vocabulary("city", load_cities)]

    Args:
        name: what one word is, in the singular; a model reads it.
        words: the words, or a function that gives them; duplicates are dropped, the order is kept.
        shown: up to how many words are listed to the model; a larger set is summarised by its size and first words.
    """

    def __init__(self, name: str, words: Iterable[str] | Callable[[], Iterable[str]], *, shown: int = 200) -> None:
        self.name: Final = name
        self.shown: Final = shown
        self._load: Callable[[], Iterable[str]] = words if callable(words) else tuple(words).__iter__
        self._lock = threading.Lock()
        self._words: frozenset[str] | None = None
        self._listed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Vocabulary({self.name!r})"

    @property
    def words(self) -> tuple[str, ...]:
        """The words of now: the same tuple until the next `refresh`.

        Raises:
            SchemaError: there are none, or one is not a string.
        """
        if self._words is None:
            with self._lock:
                if self._words is None:
                    self._take()
        return self._listed

    def refresh(self) -> None:
        """Load the words anew; what does not change keeps everything built as it is.

        Raises:
            SchemaError: there are none, or one is not a string.
        """
        with self._lock:
            self._take()

    def _take(self) -> None:
        words: dict[object, None] = dict.fromkeys(self._load())
        if not words or not all(isinstance(word, str) for word in words):
            fault = "holds something that is not a string" if words else "is empty"
            raise SchemaError(f"the vocabulary {self.name!r} {fault} (give at least one word, all of them strings)")
        listed = tuple(map(str, words))
        if listed != self._listed:
            self._listed = listed
        self._words = frozenset(listed)

    def _check(self, value: str) -> str:
        words = self.words
        if value in (self._words or ()):
            return value
        near = get_close_matches(value, words[:_MOST_COMPARED], n=3)
        hint = f"; near it: {', '.join(map(literal, near))}" if near else ""
        raise PydanticCustomError(
            "vocabulary",
            "{value} is not a known {name}{hint}",
            {"value": literal(value[:80]), "name": self.name, "hint": hint},
        )

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core.CoreSchema:
        return core.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: core.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        words = self.words
        used = _used.get()
        if used is not None:
            used.append((self, words))
        made: dict[str, Any] = {**handler(schema), "enum": list(words)}
        if len(words) > self.shown:
            made["x-open"] = f"{self.name}: one of {len(words):,}, such as {', '.join(map(literal, words[:_SHOWN]))}"
        return made


@contextmanager
def collecting() -> Generator[Used]:
    """Note which vocabularies a document is made of, with their words."""
    used: Used = []
    token = _used.set(used)
    try:
        yield used
    finally:
        _used.reset(token)
