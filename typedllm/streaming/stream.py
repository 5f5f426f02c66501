"""`Stream` and `AsyncStream`: drive a streamed call, nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing
from typing import Any, Final, Self, TypeVar, overload

from typing_extensions import TypeForm

from typedllm.declared import Schema
from typedllm.models import StreamingChatModel
from typedllm.models.chunks import split
from typedllm.records import MISSING, Chunk, Result
from typedllm.repair import Ask, Call, Check, Step
from typedllm.streaming.base import END, BaseStream, Driver, OnInvalidItem, Throttle
from typedllm.streaming.parts import Items, Part
from typedllm.streaming.snapshots import Snapshot

T = TypeVar("T")
E = TypeVar("E")

_WHOLE: Final = (1 << 30,)


class Stream(BaseStream[T]):
    """A call whose reply is shown as it comes, made by `Client.stream`; use it in a `with` block.

    Iterating gives snapshots of the JSON so far, the last one that of the value. Leaving the block closes the
    connection at once.
    """

    def __enter__(self) -> Self:
        self._enter(self._steps())
        return self

    def __exit__(self, *_: object) -> None:
        self._left = True
        try:
            self._source.close()
            self._core.leave()
            while isinstance(step := self._core.step, Check):
                self._do(step)
        finally:
            self._core.close()

    def __iter__(self) -> Iterator[Snapshot]:
        return self._shown(self._open())

    def _shown(self, snapshots: Generator[Snapshot | None]) -> Iterator[Snapshot]:
        throttle = Throttle(self._core.call.settings.throttle)
        take = throttle.take
        for snapshot in snapshots:
            if snapshot is not None and (shown := take(snapshot)) is not None:
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
    def items(self: Stream[list[E]], *, on_invalid: OnInvalidItem = ..., keep: bool = ...) -> Iterator[E]: ...
    @overload
    def items(
        self, pointer: str, type: TypeForm[E], *, on_invalid: OnInvalidItem = ..., keep: bool = ...
    ) -> Iterator[E]: ...
    @overload
    def items(self, pointer: str, *, on_invalid: OnInvalidItem = ..., keep: bool = ...) -> Iterator[Any]: ...
    def items(
        self,
        pointer: str = "",
        type: Any = None,  # noqa: A002
        *,
        on_invalid: OnInvalidItem = "repair",
        keep: bool = True,
    ) -> Iterator[Any]:
        """The items of a list, each validated and handed out the moment that it closes, in order.

        Nothing more is asked once the list is complete: checks of the whole value run when `result()` is taken.

        Args:
            pointer: JSON Pointer of the list; `""` is the whole value.
            type: the type of an item, for type checkers and where the declared type does not say it.
            on_invalid: an item that is not valid is asked for again on its own (`repair`), or left out and kept in
                `rejected` (`skip`).
            keep: False: an item is forgotten once the next one has begun, so that a list of any length takes the
                memory of a few items; then there is no `result()`, and no reply in the attempts.

        Raises:
            RepairError: an item stayed invalid.
            ModelError: no usable reply came, or the reply began anew after items were handed out.
        """
        items = Items(pointer, keep=keep)
        return self._items(items, self._item(pointer, type, on_invalid), on_invalid, self._snapshots)

    def _items(
        self, items: Items, schema: Schema[Any], on_invalid: OnInvalidItem, snapshots: Generator[Snapshot | None]
    ) -> Iterator[Any]:
        fresh = items.begin(self._so_far(items))
        while True:
            for data in fresh:
                result, mended = self._judge(schema, data), None
                if not result.ok and on_invalid == "repair":
                    mended = self._driver.drive(self._mend(schema, data, result))
                if self._settled(items, schema, data, result, mended):
                    yield (mended or result).value
            self._forget(items)
            snapshot = next(snapshots, END)
            if snapshot is END:
                break
            if snapshot is None and items.ended:
                return
            fresh = items.new(snapshot)
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
        part, schema, snapshots = Part(pointer), self._part(pointer, type), self._snapshots
        if (data := self._core.part(pointer)) is not MISSING:
            shown: E = self._judge(schema, data).value
            return shown
        for snapshot in snapshots:
            for data in part.new(snapshot):
                value: E = self._judge(schema, data).value
                return value
        raise self._lacking(pointer)

    def _steps(self) -> Generator[Snapshot | None]:
        core = self._core
        while (step := core.step) is not None:
            if isinstance(step, Ask):
                yield from self._receive(step)
                continue
            self._do(step)
        if (last := core.final()) is not None:
            yield last

    def _do(self, step: Step) -> None:
        try:
            outcome = self._driver.perform(step)
        except Exception as error:
            self._core.failed(error)
        else:
            self._core.done(outcome)

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
            return model.stream(self._core.request)
        return split(self._driver.perform(step), _WHOLE)


class AsyncStream(BaseStream[T]):
    """A call whose reply is shown as it comes, made by `AsyncClient.stream`; use it in an `async with` block.

    The twin of `Stream`.
    """

    def __init__(self, call: Call[T], driver: Driver) -> None:
        super().__init__(call, driver)
        self._handed: list[AsyncGenerator[Any]] = []

    async def __aenter__(self) -> Self:
        self._enter(self._steps())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left = True
        try:
            for each in (*self._handed, self._source):
                await each.aclose()
            self._core.leave()
            while isinstance(step := self._core.step, Check):
                await self._do(step)
        finally:
            self._core.close()

    def __aiter__(self) -> AsyncIterator[Snapshot]:
        return self._held(self._shown(self._open()))

    def _held(self, each: AsyncGenerator[E]) -> AsyncGenerator[E]:
        """A generator that is closed with the stream: event loops complain of one that is left in the middle."""
        self._handed.append(each)
        return each

    async def _shown(self, snapshots: AsyncGenerator[Snapshot | None]) -> AsyncGenerator[Snapshot]:
        throttle = Throttle(self._core.call.settings.throttle)
        async for snapshot in snapshots:
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
    def items(self: AsyncStream[list[E]], *, on_invalid: OnInvalidItem = ..., keep: bool = ...) -> AsyncIterator[E]: ...
    @overload
    def items(
        self, pointer: str, type: TypeForm[E], *, on_invalid: OnInvalidItem = ..., keep: bool = ...
    ) -> AsyncIterator[E]: ...
    @overload
    def items(self, pointer: str, *, on_invalid: OnInvalidItem = ..., keep: bool = ...) -> AsyncIterator[Any]: ...
    def items(
        self,
        pointer: str = "",
        type: Any = None,  # noqa: A002
        *,
        on_invalid: OnInvalidItem = "repair",
        keep: bool = True,
    ) -> AsyncIterator[Any]:
        """The items of a list, each validated and handed out the moment that it closes; see `Stream.items`."""
        items = Items(pointer, keep=keep)
        return self._held(self._items(items, self._item(pointer, type, on_invalid), on_invalid, self._snapshots))

    async def _items(
        self, items: Items, schema: Schema[Any], on_invalid: OnInvalidItem, snapshots: AsyncGenerator[Snapshot | None]
    ) -> AsyncGenerator[Any]:
        fresh = items.begin(self._so_far(items))
        while True:
            for data in fresh:
                result, mended = self._judge(schema, data), None
                if not result.ok and on_invalid == "repair":
                    mended = await self._driver.drive(self._mend(schema, data, result))
                if self._settled(items, schema, data, result, mended):
                    yield (mended or result).value
            self._forget(items)
            snapshot = await anext(snapshots, END)
            if snapshot is END:
                break
            if snapshot is None and items.ended:
                return
            fresh = items.new(snapshot)
        self._raise_unless_complete()

    async def closed(self, pointer: str, type: TypeForm[E] | None = None) -> E:  # noqa: A002
        """One part, validated, the moment that it closes; see `Stream.closed`."""
        part, schema, snapshots = Part(pointer), self._part(pointer, type), self._snapshots
        if (data := self._core.part(pointer)) is not MISSING:
            shown: E = self._judge(schema, data).value
            return shown
        async for snapshot in snapshots:
            for data in part.new(snapshot):
                value: E = self._judge(schema, data).value
                return value
        raise self._lacking(pointer)

    async def _steps(self) -> AsyncGenerator[Snapshot | None]:
        core = self._core
        while (step := core.step) is not None:
            if isinstance(step, Ask):
                async with aclosing(self._receive(step)) as received:
                    async for snapshot in received:
                        yield snapshot
                continue
            await self._do(step)
        if (last := core.final()) is not None:
            yield last

    async def _do(self, step: Step) -> None:
        try:
            outcome = await self._driver.perform(step)
        except Exception as error:
            self._core.failed(error)
        else:
            self._core.done(outcome)

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
            return model.astream(self._core.request)
        return _awaitable(split(await self._driver.perform(step), _WHOLE))


async def _awaitable(chunks: Iterator[Chunk]) -> AsyncGenerator[Chunk]:
    for chunk in chunks:
        yield chunk


def _nothing() -> None:
    return None


async def _anothing() -> None:
    return None
