"""`Stream` and `AsyncStream`: drive a streamed call, nothing else."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar, overload

from typing_extensions import TypeForm

from typedllm import prompts
from typedllm.declared import Schema
from typedllm.models import ChatModel, StreamingChatModel
from typedllm.models.chunks import split
from typedllm.options import Settings
from typedllm.records import Chunk, Issue, Message, Result, Usage
from typedllm.repair import Ask, Call, Step
from typedllm.streaming.core import Core
from typedllm.streaming.parts import Items, Part, Rejected
from typedllm.streaming.snapshots import Snapshot

T = TypeVar("T")
E = TypeVar("E")

OnInvalidItem: TypeAlias = Literal["repair", "skip"]

_WHOLE = (1 << 30,)


@dataclass(frozen=True, slots=True)
class Driver:
    """What a stream needs of its client.

    Attributes:
        models: the ladder.
        perform: does a step of the loop; gives something to await in an async client.
        prepare: makes the call of a user message.
        drive: runs a call; gives something to await in an async client.
    """

    models: tuple[ChatModel, ...]
    perform: Callable[[Step], Any]
    prepare: Callable[[Message, Schema[Any], Settings], Call[Any]]
    drive: Callable[[Call[Any]], Any]


class _Stream(Generic[T]):
    """What both kinds of stream share."""

    def __init__(self, call: Call[T], driver: Driver) -> None:
        self._core = Core(call)
        self._driver = driver
        self._rejected: list[Rejected] = []
        self._mended = Usage()

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """Items that `items(..., on_invalid="skip")` left out."""
        return tuple(self._rejected)

    @property
    def invalid(self) -> tuple[Issue, ...]:
        """Issues of closed parts that were met while the reply came, with `on_invalid` `"warn"` or `"stop"`."""
        return tuple(self._core.invalid)

    @property
    def usage(self) -> Usage:
        """What the stream cost so far: repairs of single items, and the call itself once it has ended."""
        result = self._core.result
        return self._mended + (result.usage if result is not None else Usage())

    def _ended(self) -> Result[T]:
        if self._core.result is None:
            raise RuntimeError("the stream is closed (take its items and its result inside the with block)")
        return self._core.result

    def _raise_unless_complete(self) -> None:
        error = self._ended().error
        if error is not None and not self._rejected:
            raise error

    def _part(self, pointer: str, type_: Any) -> Schema[Any]:
        if type_ is not None:
            return Schema(type_)
        schema = self._core.call.schema.part(pointer)
        if schema is None:
            raise ValueError(f"the declared type does not say what stands at {pointer!r} (give the type of the part)")
        return schema

    def _judge(self, schema: Schema[Any], data: Any) -> Result[Any]:
        return schema.validate(data, context=self._core.call.settings.context)

    def _mend(self, schema: Schema[Any], data: Any, result: Result[Any]) -> Call[Any]:
        """The call that asks for one item again, on its own."""
        call = self._core.call
        (task,) = prompts.append((call.task,), prompts.item_repair(data, result.issues))
        return self._driver.prepare(task, schema, replace(call.settings, checks=(), examples=()))

    def _settled(self, items: Items, data: Any, result: Result[Any], mended: Result[Any] | None) -> bool:
        """Take note of an item; whether it is handed out."""
        if mended is not None:
            self._mended += mended.usage
        elif result.ok:
            items.given(data)
        else:
            self._rejected.append(Rejected(items.count - 1, data, result.issues))
        return result.ok or mended is not None


class _Throttle:
    """Lets a snapshot through at most every so many seconds; what is held back is in the next one."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last = float("-inf")
        self._held: Snapshot | None = None

    def take(self, snapshot: Snapshot) -> Snapshot | None:
        """The snapshot to show now, if any."""
        if self._held is not None:
            snapshot = replace(snapshot, events=self._held.events + snapshot.events)
        self._held = snapshot
        if self._clock() - self._last < self._seconds:
            return None
        return self.rest()

    def rest(self) -> Snapshot | None:
        """The snapshot that is held back."""
        held, self._held = self._held, None
        self._last = self._clock()
        return held


class Stream(_Stream[T]):
    """A call whose reply is shown as it comes, made by `Client.stream`; use it in a `with` block.

    Iterating gives snapshots of the JSON so far, the last one that of the value. Leaving the block closes the
    connection at once.
    """

    def __enter__(self) -> Self:
        self._snapshots = self._steps()
        return self

    def __exit__(self, *_: object) -> None:
        self._snapshots.close()
        self._core.close()

    def __iter__(self) -> Iterator[Snapshot]:
        throttle = _Throttle(self._core.call.settings.throttle)
        for snapshot in self._snapshots:
            if snapshot is not None and (shown := throttle.take(snapshot)) is not None:
                yield shown
        if (shown := throttle.rest()) is not None:
            yield shown

    def finish(self) -> Result[T]:
        """Take the rest of the stream, and give the whole story; see `Client.run`."""
        for _ in self._snapshots:
            pass
        return self._ended()

    def result(self) -> T:
        """Take the rest of the stream; the value of the declared type, or an error as `Client.generate` raises it."""
        return self.finish().value

    @overload
    def items(self: Stream[list[E]], *, on_invalid: OnInvalidItem = "repair") -> Iterator[E]: ...
    @overload
    def items(self, pointer: str, type: TypeForm[E], *, on_invalid: OnInvalidItem = "repair") -> Iterator[E]: ...
    @overload
    def items(self, pointer: str, *, on_invalid: OnInvalidItem = "repair") -> Iterator[Any]: ...
    def items(self, pointer: str = "", type: Any = None, *, on_invalid: OnInvalidItem = "repair") -> Iterator[Any]:  # noqa: A002
        """The items of a list, each validated and handed out the moment that it closes, in order.

        Nothing more is asked once the list is complete: checks of the whole value run when `result()` is taken.

        Args:
            pointer: JSON Pointer of the list; `""` is the whole value.
            type: the type of an item, for type checkers and where the declared type does not say it.
            on_invalid: an item that is not valid is asked for again on its own (`repair`), or left out and kept in
                `rejected` (`skip`).

        Raises:
            RepairError: an item stayed invalid.
            ModelError: no usable reply came, or the reply began anew after items were handed out.
        """
        items, schema = Items(pointer), self._part(f"{pointer}/0", type)
        for snapshot in self._snapshots:
            if snapshot is None and items.ended:
                return
            for data in items.new(snapshot):
                result, mended = self._judge(schema, data), None
                if not result.ok and on_invalid == "repair":
                    mended = self._driver.drive(self._mend(schema, data, result))
                if self._settled(items, data, result, mended):
                    yield (mended or result).value
        self._raise_unless_complete()

    def closed(self, pointer: str, type: TypeForm[E] | None = None) -> E:  # noqa: A002
        """One part, validated, the moment that it closes.

        Args:
            pointer: its JSON Pointer.
            type: its type, for type checkers and where the declared type does not say it.

        Raises:
            RepairError: it is not valid. `result()` has the whole repaired.
            KeyError: the reply ended without it.
        """
        part, schema = Part(pointer), self._part(pointer, type)
        for snapshot in self._snapshots:
            for data in part.new(snapshot):
                value: E = self._judge(schema, data).value
                return value
        self._raise_unless_complete()
        raise KeyError(pointer)

    def _steps(self) -> Generator[Snapshot | None]:
        core = self._core
        while (step := core.step) is not None:
            if isinstance(step, Ask):
                yield from self._receive(step)
                continue
            try:
                outcome = self._driver.perform(step)
            except Exception as error:
                core.failed(error)
            else:
                core.done(outcome)
        if (last := core.final()) is not None:
            yield last

    def _receive(self, step: Ask) -> Generator[Snapshot | None]:
        core = self._core
        chunks: Iterator[Chunk] = iter(())
        try:
            chunks = self._chunks(step)
            for chunk in chunks:
                if (snapshot := core.take(chunk)) is not None:
                    yield snapshot
                if core.stopping:
                    break
        except Exception as error:
            core.failed(error)
            return
        finally:
            getattr(chunks, "close", _nothing)()
        yield core.shown()
        yield None
        core.end()

    def _chunks(self, step: Ask) -> Iterator[Chunk]:
        model = self._driver.models[step.rung]
        if isinstance(model, StreamingChatModel):
            return model.stream(step.request)
        return split(self._driver.perform(step), _WHOLE)


class AsyncStream(_Stream[T]):
    """A call whose reply is shown as it comes, made by `AsyncClient.stream`; use it in an `async with` block.

    The twin of `Stream`.
    """

    async def __aenter__(self) -> Self:
        self._snapshots = self._steps()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._snapshots.aclose()
        self._core.close()

    async def __aiter__(self) -> AsyncIterator[Snapshot]:
        throttle = _Throttle(self._core.call.settings.throttle)
        async for snapshot in self._snapshots:
            if snapshot is not None and (shown := throttle.take(snapshot)) is not None:
                yield shown
        if (shown := throttle.rest()) is not None:
            yield shown

    async def finish(self) -> Result[T]:
        """Take the rest of the stream, and give the whole story; see `Client.run`."""
        async for _ in self._snapshots:
            pass
        return self._ended()

    async def result(self) -> T:
        """Take the rest of the stream; the value of the declared type, or an error as `Client.generate` raises it."""
        return (await self.finish()).value

    @overload
    def items(self: AsyncStream[list[E]], *, on_invalid: OnInvalidItem = "repair") -> AsyncIterator[E]: ...
    @overload
    def items(self, pointer: str, type: TypeForm[E], *, on_invalid: OnInvalidItem = "repair") -> AsyncIterator[E]: ...
    @overload
    def items(self, pointer: str, *, on_invalid: OnInvalidItem = "repair") -> AsyncIterator[Any]: ...
    async def items(
        self,
        pointer: str = "",
        type: Any = None,  # noqa: A002
        *,
        on_invalid: OnInvalidItem = "repair",
    ) -> AsyncIterator[Any]:
        """The items of a list, each validated and handed out the moment that it closes; see `Stream.items`."""
        items, schema = Items(pointer), self._part(f"{pointer}/0", type)
        async for snapshot in self._snapshots:
            if snapshot is None and items.ended:
                return
            for data in items.new(snapshot):
                result, mended = self._judge(schema, data), None
                if not result.ok and on_invalid == "repair":
                    mended = await self._driver.drive(self._mend(schema, data, result))
                if self._settled(items, data, result, mended):
                    yield (mended or result).value
        self._raise_unless_complete()

    async def closed(self, pointer: str, type: TypeForm[E] | None = None) -> E:  # noqa: A002
        """One part, validated, the moment that it closes; see `Stream.closed`."""
        part, schema = Part(pointer), self._part(pointer, type)
        async for snapshot in self._snapshots:
            for data in part.new(snapshot):
                value: E = self._judge(schema, data).value
                return value
        self._raise_unless_complete()
        raise KeyError(pointer)

    async def _steps(self) -> AsyncGenerator[Snapshot | None]:
        core = self._core
        while (step := core.step) is not None:
            if isinstance(step, Ask):
                async with aclosing(self._receive(step)) as received:
                    async for snapshot in received:
                        yield snapshot
                continue
            try:
                outcome = await self._driver.perform(step)
            except Exception as error:
                core.failed(error)
            else:
                core.done(outcome)
        if (last := core.final()) is not None:
            yield last

    async def _receive(self, step: Ask) -> AsyncGenerator[Snapshot | None]:
        core = self._core
        chunks: AsyncIterator[Chunk] | None = None
        try:
            chunks = await self._chunks(step)
            async for chunk in chunks:
                if (snapshot := core.take(chunk)) is not None:
                    yield snapshot
                if core.stopping:
                    break
        except Exception as error:
            core.failed(error)
            return
        finally:
            await getattr(chunks, "aclose", _anothing)()
        yield core.shown()
        yield None
        core.end()

    async def _chunks(self, step: Ask) -> AsyncIterator[Chunk]:
        model = self._driver.models[step.rung]
        if isinstance(model, StreamingChatModel):
            return model.astream(step.request)
        return _awaitable(split(await self._driver.perform(step), _WHOLE))


async def _awaitable(chunks: Iterator[Chunk]) -> AsyncGenerator[Chunk]:
    for chunk in chunks:
        yield chunk


def _nothing() -> None:
    return None


async def _anothing() -> None:
    return None
