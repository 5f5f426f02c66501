"""Prompt functions: a function whose body is the model."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import update_wrapper, wraps
from importlib import import_module
from types import FrameType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, get_type_hints, overload

from typing_extensions import Unpack

from typedllm import prompts
from typedllm.declared import Schema
from typedllm.errors import SchemaError
from typedllm.options import Options, Settings
from typedllm.records import Message, Request, Result
from typedllm.repair import Call, first_request

if TYPE_CHECKING:
    from typedllm.streaming import AsyncStream, Stream

P = ParamSpec("P")
P2 = ParamSpec("P2")
T = TypeVar("T")
S = TypeVar("S")
Rule = TypeVar("Rule", bound=Callable[..., object])

Prepare = Callable[[Message, Schema[Any], Settings], Call[Any]]
"""How a client makes a call of a user message."""


class _Declared(Generic[P, T]):
    """What both kinds of prompt function share: from a function and its arguments to a call."""

    def __init__(
        self,
        function: Any,
        settings: Settings,
        prepare: Prepare,
        drive: Callable[[Call[Any]], Any],
        stream: Callable[[Call[Any]], Any],
        scope: FrameType,
    ) -> None:
        self._wrapped = function
        self._function: Callable[..., Any] = getattr(function, "__func__", function)
        if not hasattr(self._function, "__qualname__"):
            raise SchemaError(f"{function!r} is no function (write one with def: its body is the model)")
        self._settings = settings
        self._prepare = prepare
        self._drive = drive
        self._stream = stream
        self._bound: tuple[object, ...] = ()
        self._signature = inspect.signature(self._function)
        self._instruction = _instruction(self._function)
        self._scope: Mapping[str, Any] | None = _visible(scope)
        self._built: Schema[T] | None = None
        self._examples: list[tuple[Message, Any]] = []
        self._checks: list[Callable[..., object]] = []
        update_wrapper(cast("Any", self), self._function)
        with suppress(NameError):  # the annotation names a class that is defined further down: the first call builds
            self.schema  # noqa: B018  # built when declared, so that its errors are met there

    @property
    def schema(self) -> Schema[T]:
        """The declared type: the return annotation."""
        if self._built is None:
            self._built = Schema(_return_type(self._function, self._scope or {}))
            self._scope = None
        return self._built

    def check(self, rule: Rule, /) -> Rule:
        """Add a rule of your own, as a decorator.

        Args:
            rule: a function or coroutine function of the value; further parameters are filled with the call's
                arguments of the same names. Its `ValueError` or `AssertionError` goes back to the model in its own
                words; any other exception is an error of the program.

        Raises:
            TypeError: a parameter of the rule is no argument of the prompt function.
        """
        wanted = list(inspect.signature(rule).parameters)[1:]
        unknown = [name for name in wanted if name not in self._signature.parameters]
        if unknown:
            raise TypeError(
                f"the check {_name(rule)} asks for {', '.join(unknown)}, which {self._function.__qualname__} does not "
                f"take (its arguments: {', '.join(self._signature.parameters)})"
            )
        self._checks.append(rule)
        return rule

    def example(self, *args: Any, returns: T, **kwargs: Any) -> Self:
        """Add a few-shot example: shown to the model in front of the request.

        Args:
            *args: arguments of a call,
            returns: the value that it should give; validated now.
            **kwargs: as for a call.

        Raises:
            RepairError: the value is not of the declared type.
        """
        message, _ = self._ask(args, kwargs)
        self.schema.check_value(returns)
        self._examples.append((message, returns))
        return self

    def with_options(self, **options: Unpack[Options]) -> Self:
        """The same prompt function with other options; see `Options`."""
        return self._copy(_settings=self._settings.merge(options))

    def render(self, *args: P.args, **kwargs: P.kwargs) -> Request:
        """The exact request that a call with these arguments would send first. Nothing is sent."""
        return first_request(self._call(args, kwargs))

    def _ask(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Message, dict[str, Any]]:
        """The user message for these arguments, and the arguments by name."""
        try:
            bound = self._signature.bind(*self._bound, *args, **kwargs)
        except TypeError as error:
            misplaced = [name for name in kwargs if name in Options.__annotations__]
            hint = f" (options go through with_options({misplaced[0]}=...))" if misplaced else ""
            raise TypeError(f"{self._function.__qualname__}() {error}{hint}") from None
        bound.apply_defaults()
        arguments = dict(bound.arguments)
        for hidden in list(self._signature.parameters)[: len(self._bound) or self._is_given_its_class(args)]:
            del arguments[hidden]
        return Message("user", prompts.task(self._instruction, arguments)), dict(bound.arguments)

    def _is_given_its_class(self, args: tuple[Any, ...]) -> bool:
        """Whether a `classmethod` around this calls it: from Python 3.13 on that binds nothing, and passes the class."""
        if not args or not isinstance(args[0], type):
            return False
        declared: Any = inspect.getattr_static(args[0], self._function.__name__, None)
        return getattr(declared, "__wrapped__", None) is self and isinstance(declared, classmethod)

    def _call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call[T]:
        message, arguments = self._ask(args, kwargs)
        settings = self._settings
        settings = replace(
            settings,
            context={**arguments, **(settings.context or {})},
            examples=(*settings.examples, *self._examples),
            checks=(*settings.checks, *(_filled(rule, arguments) for rule in self._checks)),
        )
        return self._prepare(message, self.schema, settings)

    def _copy(self, **changes: Any) -> Self:
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    def _bind(self, instance: object, owner: type | None) -> Self:
        """As a method: a plain function is bound to the instance, a class method to the class."""
        if isinstance(self._wrapped, staticmethod):
            return self
        if isinstance(self._wrapped, classmethod):
            return self._copy(_bound=(owner if owner is not None else type(instance),))
        return self if instance is None else self._copy(_bound=(instance,))

    def __reduce__(self) -> str:
        """Pickled as functions are: by name."""
        return self._function.__qualname__

    def __repr__(self) -> str:
        return f"<prompt function {self._function.__qualname__}{self._signature}>"


class PromptFunction(_Declared[P, T]):
    """A function whose body is the model, made by `Client.prompt`.

    Its docstring is the instruction, its arguments are the data, its return annotation is the declared type. It works
    on methods too; with `classmethod` and `staticmethod`, in either order. From Python 3.13 on, `classmethod` on the
    outside leaves the plain call only: put it inside for `run`, `render` and `stream`.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask; the value of the declared type, or an error as `Client.generate` raises it."""
        return self.run(*args, **kwargs).value

    def run(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Ask, and give the whole story; see `Client.run`."""
        result: Result[T] = self._drive(self._call(args, kwargs))
        return result

    def stream(self, *args: P.args, **kwargs: P.kwargs) -> Stream[T]:
        """Ask, and show the reply as it comes; see `Client.stream`."""
        stream: Stream[T] = self._stream(self._call(args, kwargs))
        return stream

    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Self: ...
    @overload
    def __get__(
        self: PromptFunction[Concatenate[S, P2], T], instance: S, owner: type[Any] | None = None, /
    ) -> PromptFunction[P2, T]: ...
    def __get__(self, instance: Any, owner: Any = None, /) -> Any:
        """Bind to an instance or a class."""
        return self._bind(instance, owner)


class AsyncPromptFunction(_Declared[P, T]):
    """A coroutine function whose body is the model, made by `AsyncClient.prompt`; the twin of `PromptFunction`."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask; the value of the declared type, or an error as `AsyncClient.generate` raises it."""
        return (await self.run(*args, **kwargs)).value

    async def run(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Ask, and give the whole story; see `Client.run`."""
        answer: Awaitable[Result[T]] = self._drive(self._call(args, kwargs))
        return await answer

    def stream(self, *args: P.args, **kwargs: P.kwargs) -> AsyncStream[T]:
        """Ask, and show the reply as it comes; see `AsyncClient.stream`."""
        stream: AsyncStream[T] = self._stream(self._call(args, kwargs))
        return stream

    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Self: ...
    @overload
    def __get__(
        self: AsyncPromptFunction[Concatenate[S, P2], T], instance: S, owner: type[Any] | None = None, /
    ) -> AsyncPromptFunction[P2, T]: ...
    def __get__(self, instance: Any, owner: Any = None, /) -> Any:
        """Bind to an instance or a class."""
        return self._bind(instance, owner)


def _instruction(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise SchemaError(
            f"the prompt function {function.__qualname__} has no docstring (write one: it is the instruction that the "
            "model reads)"
        )
    return text


def _return_type(function: Callable[..., Any], scope: Mapping[str, Any]) -> Any:
    """The return annotation alone: annotations of parameters may name what is not imported."""
    annotation = _annotations(function).get("return", inspect.Signature.empty)
    if annotation is inspect.Signature.empty:
        raise SchemaError(
            f"the prompt function {function.__qualname__} has no return annotation (write one: it is the declared type)"
        )
    holder = SimpleNamespace(__annotations__={"return": annotation})
    space = getattr(inspect.unwrap(function), "__globals__", {})
    return get_type_hints(holder, globalns=space, localns=dict(scope), include_extras=True)["return"]


def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
    if sys.version_info < (3, 14):
        return inspect.get_annotations(function)
    annotationlib = import_module("annotationlib")
    found: Mapping[str, Any] = annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF)
    return found


def _visible(frame: FrameType) -> dict[str, Any]:
    """The local names where a function is declared; from within a class body also those around the class."""
    names = dict(frame.f_locals)
    outer = frame.f_back
    while "__qualname__" in frame.f_locals and outer is not None:
        names = {**outer.f_locals, **names}
        frame, outer = outer, outer.f_back
    return names


def _filled(rule: Callable[..., object], arguments: Mapping[str, Any]) -> Callable[[Any], object]:
    """The rule as a function of the value alone."""
    wanted = list(inspect.signature(rule).parameters)[1:]
    if not wanted:
        return rule

    @wraps(rule)
    def filled(value: Any) -> object:
        return rule(value, **{name: arguments[name] for name in wanted})

    return filled


def _name(rule: Callable[..., object]) -> str:
    return getattr(rule, "__name__", repr(rule))
