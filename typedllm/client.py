"""`Client` and `AsyncClient`: drive the loop, nothing else."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeAlias, TypeVar, cast, overload
from weakref import WeakKeyDictionary

from typing_extensions import TypeForm, Unpack

from typedllm.declared import Schema
from typedllm.drivers import adrive, aperform, drive, perform
from typedllm.errors import SchemaError
from typedllm.function import AsyncPromptFunction, PromptFunction
from typedllm.meter import Meter
from typedllm.models import ChatModel, profile_of
from typedllm.options import Options, Settings
from typedllm.records import Message, NativeMode, Request, Result
from typedllm.repair import Call, Rung, first_request, loop
from typedllm.watch import Known, Watch

if TYPE_CHECKING:
    from typedllm.streaming import AsyncStream, Stream

T = TypeVar("T")
P = ParamSpec("P")

Prompt: TypeAlias = "str | Message | Sequence[Message]"
"""A request: a text, a user message, or messages that end with a user turn."""

Models: TypeAlias = "str | ChatModel | Sequence[str | ChatModel]"
"""A model or its name; several: a ladder, which a call climbs when repairs at one model do not help."""


class _BaseClient:
    """What both clients share: which model is asked, and with which options.

    Attributes:
        meter: what all calls of this client took together; see `Meter.totals`.
    """

    def __init__(self, model: Models | None = None, **options: Unpack[Options]) -> None:
        self._spec = model
        self._settings = Settings().merge(options)
        self.meter = Meter()
        self._resolved: tuple[ChatModel, ...] = ()
        self._overrides: list[tuple[ChatModel, ...]] = []
        self._lock = threading.Lock()

    @property
    def model(self) -> ChatModel:
        """The chat model that is asked first; see `models`."""
        return self.models[0]

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """The chat models in the order in which they are asked; resolved at the first use.

        Raises:
            ModelError: no model was named and none is configured, or a name is not known.
        """
        if self._overrides:
            return self._overrides[-1]
        with self._lock:
            if not self._resolved:
                self._resolved = _resolved(self._spec)
            return self._resolved

    @contextmanager
    def override(self, model: Models) -> Generator[ChatModel]:
        """Ask another model inside the block: for tests. It holds for this client in every thread and task.

        Args:
            model: a `ChatModel`, or the name of one; several: a ladder.
        """
        chosen = _resolved(model)
        self._overrides.append(chosen)
        try:
            yield chosen[0]
        finally:
            self._overrides.remove(chosen)

    @property
    def settings(self) -> Settings:
        """The options of this client, over the defaults."""
        return self._settings

    def render(self, prompt: Prompt, schema: Schema[Any] | TypeForm[Any], **options: Unpack[Options]) -> Request:
        """The exact request that `generate` would send first. Nothing is sent."""
        return first_request(self._call(prompt, schema, options))

    def _call(self, prompt: Prompt, schema: Any, options: Options) -> Call[Any]:
        task, settings = _task(prompt, self._settings.merge(options))
        declared = _declared(schema)
        for _, value in settings.examples:
            declared.check_value(value)
        return self._prepare(task, declared, settings)

    def _prepare(self, task: Message, declared: Schema[T], settings: Settings) -> Call[T]:
        models, declared = self.models, declared.current()
        refusals = declared.once("refusals", WeakKeyDictionary[_BaseClient, dict[str, set[NativeMode]]])
        with self._lock:
            mine = refusals.setdefault(self, {})
            rungs = tuple(Rung(each.name, profile_of(each), mine.setdefault(each.name, set())) for each in models)
        return Call(declared, task, settings, rungs, watch=Watch(settings, _traits(models), self.meter))

    def _own(self) -> list[ChatModel]:
        """The models that this client made."""
        pairs = zip(_listed(self._spec), self._resolved, strict=False)
        return [model for spec, model in pairs if not isinstance(spec, ChatModel)]

    def __repr__(self) -> str:
        named = [spec if isinstance(spec, str) else spec.name for spec in _listed(self._spec) if spec is not None]
        return f"{type(self).__name__}({', '.join(map(repr, named))})"


def _traits(models: Sequence[ChatModel]) -> dict[str, Known]:
    return {model.name: Known(getattr(model, "price", None), getattr(model, "count_tokens", None)) for model in models}


def _listed(models: Models | None) -> Sequence[str | ChatModel | None]:
    if models is None or isinstance(models, str | ChatModel):
        return [models]
    given: Any = models
    return models if isinstance(given, Sequence) else [given]  # what is no model is refused where it is resolved


def _resolved(models: Models | None) -> tuple[ChatModel, ...]:
    if not (listed := _listed(models)):
        raise ValueError("the list of models is empty (name one at least)")
    return tuple(model if isinstance(model, ChatModel) else _named(model) for model in listed)


def _named(name: str | None) -> ChatModel:
    from typedllm.models.resolve import resolve

    return resolve(name)


def _declared(schema: Any) -> Schema[Any]:
    if isinstance(schema, Schema):
        return schema  # pyright: ignore[reportUnknownVariableType]  # isinstance cannot say Schema[Any]
    return Schema(schema)


def _task(prompt: Prompt, settings: Settings) -> tuple[Message, Settings]:
    """The last user turn; further messages in front of it join the history."""
    if isinstance(prompt, str):
        return Message("user", prompt), settings
    if isinstance(prompt, Message):
        return prompt, settings
    given = cast("object", prompt)
    if not isinstance(given, Sequence) or not all(
        isinstance(each, Message) for each in cast("Sequence[object]", given)
    ):
        first = "the prompt comes first, then the type: give a text" if isinstance(given, type) else "give a text"
        raise TypeError(
            f"the prompt is neither a text nor messages: {given!r} ({first}, Message('user', ...) or a list of Messages)"
        )
    if not prompt or prompt[-1].role != "user":
        raise ValueError("the prompt has no last user message (give a text, or messages that end with a user turn)")
    return prompt[-1], replace(settings, history=(*settings.history, *prompt[:-1]))


class Client(_BaseClient):
    """Asks a chat model for values of a declared type, blocking.

    Args:
        model: `"openai:gpt-5-mini"`, `"ollama:qwen3"`, `"local"`, `"http://host/v1#name"`, or a `ChatModel` of your
            own; None: the `TYPEDLLM_MODEL` variable, else the embedded model if it is installed. Several: a ladder,
            whose next model is asked when the one before it declines, is down, or gives nothing valid.
        **options: defaults for every call; see `Options`.
    """

    @overload
    def run(self, prompt: Prompt, schema: Schema[T], **options: Unpack[Options]) -> Result[T]: ...
    @overload
    def run(self, prompt: Prompt, schema: TypeForm[T], **options: Unpack[Options]) -> Result[T]: ...
    def run(self, prompt: Any, schema: Any, **options: Unpack[Options]) -> Result[Any]:
        """Ask for a value and give the whole story.

        Args:
            prompt: the request: a text, or messages that end with a user turn.
            schema: the declared type, or a `Schema`.
            **options: see `Options`.

        Returns:
            The value or an error; the attempts, the fixes, the usage. It never raises for a bad reply.

        Raises:
            SchemaError: the type cannot be rendered or validated.
        """
        return self._drive(self._call(prompt, schema, options))

    @overload
    def generate(self, prompt: Prompt, schema: Schema[T], **options: Unpack[Options]) -> T: ...
    @overload
    def generate(self, prompt: Prompt, schema: TypeForm[T], **options: Unpack[Options]) -> T: ...
    def generate(self, prompt: Any, schema: Any, **options: Unpack[Options]) -> Any:
        """Ask for a value of the declared type; arguments as for `run`.

        Raises:
            RepairError: replies came, none was valid within `max_repairs`.
            ModelError: no usable reply came; a `RefusalError` or `TruncatedError` where the model declined or was cut.
            BudgetError: the time bound was met.
            SchemaError: the type cannot be rendered or validated.
        """
        return self.run(prompt, schema, **options).value

    @overload
    def prompt(self, function: Callable[P, T], /) -> PromptFunction[P, T]: ...
    @overload
    def prompt(self, /, **options: Unpack[Options]) -> Callable[[Callable[P, T]], PromptFunction[P, T]]: ...
    def prompt(self, function: Any = None, /, **options: Unpack[Options]) -> Any:
        """Make a function whose body is the model; see `PromptFunction`.

        Args:
            function: its docstring is the instruction, its arguments are the data, its return annotation is the
                declared type. The body is never run.
            **options: defaults for this function; see `Options`.

        Raises:
            SchemaError: the function has no return annotation or docstring, or its type cannot be rendered.
        """
        scope = _caller(inspect.currentframe())

        def declare(function: Any) -> PromptFunction[Any, Any]:
            _refuse(inspect.iscoroutinefunction(_plain(function)), function, "a coroutine function", "an AsyncClient")
            return PromptFunction(
                function, self._settings.merge(options), self._prepare, self._drive, self._stream, scope
            )

        return declare if function is None else declare(function)

    @overload
    def stream(self, prompt: Prompt, schema: Schema[T], **options: Unpack[Options]) -> Stream[T]: ...
    @overload
    def stream(self, prompt: Prompt, schema: TypeForm[T], **options: Unpack[Options]) -> Stream[T]: ...
    def stream(self, prompt: Any, schema: Any, **options: Unpack[Options]) -> Stream[Any]:
        """Ask for a value and show the reply as it comes.

        Args:
            prompt: as for `run`.
            schema: as for `run`.
            **options: see `Options`.

        Returns:
            A stream, to be used in a `with` block; nothing is sent before it is entered.
        """
        return self._stream(self._call(prompt, schema, options))

    def _stream(self, call: Call[T]) -> Stream[T]:
        from typedllm.streaming import Driver, Stream  # imported at the first stream

        models = self.models
        return Stream(call, Driver(models, partial(perform, models), self._prepare, self._drive))

    def _drive(self, call: Call[T]) -> Result[T]:
        return drive(loop(call), self.models)

    def close(self) -> None:
        """Close the connections of the models that this client made from names."""
        for model in self._own():
            getattr(model, "close", _nothing)()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _caller(frame: FrameType | None) -> FrameType:
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back


def _plain(function: Any) -> Any:
    return getattr(function, "__func__", function)


def _refuse(wrong: bool, function: Any, what: str, other: str) -> None:
    if wrong:
        name = getattr(_plain(function), "__qualname__", repr(function))
        raise SchemaError(f"{name} is {what} (use the prompt decorator of {other} for it)")


def _nothing() -> None:
    return None


class AsyncClient(_BaseClient):
    """Asks a chat model for values of a declared type, on asyncio or trio; the twin of `Client`.

    Args:
        model: as for `Client`.
        **options: defaults for every call; see `Options`.
    """

    @overload
    async def run(self, prompt: Prompt, schema: Schema[T], **options: Unpack[Options]) -> Result[T]: ...
    @overload
    async def run(self, prompt: Prompt, schema: TypeForm[T], **options: Unpack[Options]) -> Result[T]: ...
    async def run(self, prompt: Any, schema: Any, **options: Unpack[Options]) -> Result[Any]:
        """Ask for a value and give the whole story; see `Client.run`."""
        return await self._drive(self._call(prompt, schema, options))

    @overload
    async def generate(self, prompt: Prompt, schema: Schema[T], **options: Unpack[Options]) -> T: ...
    @overload
    async def generate(self, prompt: Prompt, schema: TypeForm[T], **options: Unpack[Options]) -> T: ...
    async def generate(self, prompt: Any, schema: Any, **options: Unpack[Options]) -> Any:
        """Ask for a value of the declared type; see `Client.generate`."""
        return (await self.run(prompt, schema, **options)).value

    @overload
    def prompt(self, function: Callable[P, Coroutine[Any, Any, T]], /) -> AsyncPromptFunction[P, T]: ...
    @overload
    def prompt(
        self, /, **options: Unpack[Options]
    ) -> Callable[[Callable[P, Coroutine[Any, Any, T]]], AsyncPromptFunction[P, T]]: ...
    def prompt(self, function: Any = None, /, **options: Unpack[Options]) -> Any:
        """Make a coroutine function whose body is the model; see `Client.prompt`."""
        scope = _caller(inspect.currentframe())

        def declare(function: Any) -> AsyncPromptFunction[Any, Any]:
            if inspect.isasyncgenfunction(plain := _plain(function)):
                raise SchemaError(f"{plain.__qualname__} is an async generator (leave out its yield; return list[...])")
            _refuse(not inspect.iscoroutinefunction(plain), function, "no coroutine function", "a Client")
            return AsyncPromptFunction(
                function, self._settings.merge(options), self._prepare, self._drive, self._stream, scope
            )

        return declare if function is None else declare(function)

    @overload
    def stream(self, prompt: Prompt, schema: Schema[T], **options: Unpack[Options]) -> AsyncStream[T]: ...
    @overload
    def stream(self, prompt: Prompt, schema: TypeForm[T], **options: Unpack[Options]) -> AsyncStream[T]: ...
    def stream(self, prompt: Any, schema: Any, **options: Unpack[Options]) -> AsyncStream[Any]:
        """Ask for a value and show the reply as it comes; see `Client.stream`."""
        return self._stream(self._call(prompt, schema, options))

    def _stream(self, call: Call[T]) -> AsyncStream[T]:
        from typedllm.streaming import AsyncStream, Driver

        models = self.models
        return AsyncStream(call, Driver(models, partial(aperform, models), self._prepare, self._drive))

    async def _drive(self, call: Call[T]) -> Result[T]:
        return await adrive(loop(call), self.models)

    async def aclose(self) -> None:
        """Close the connections of the models that this client made from names."""
        for model in self._own():
            close = getattr(model, "aclose", None)
            if close is not None:
                await close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
