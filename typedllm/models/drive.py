"""The drivers of both worlds: they do what a generator of steps says, and decide nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typedllm.models import vendor
from typedllm.models.clients import Clients
from typedllm.models.transport import Call, Clock, Pause
from typedllm.models.vendor import Body

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

T = TypeVar("T")

_MOMENT: Final = 1.0
"""Seconds; who waits longer than that behind a reply waits for its usage."""


class Driver:
    """Sends, reads and sleeps for one model."""

    def __init__(self, clients: Clients, clock: Clock, max_bytes: int) -> None:
        self._clients = clients
        self._clock = clock
        self._max_bytes = max_bytes

    def deadline(self, timeout: float | None) -> float | None:
        """When a timeout that begins now is over."""
        return None if timeout is None else self._clock.now() + timeout

    def run(self, steps: Generator[Call | Pause, Any, T]) -> T:
        """Do the steps; what they return."""
        client = self._clients.blocking()
        outcome: object = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(step, Pause):
                self._clock.sleep(step.seconds)
                outcome = None
                continue
            try:
                outcome = self._send(client, step)
            except vendor.transport_errors() as error:
                outcome = vendor.failure_of(error)

    async def arun(self, steps: Generator[Call | Pause, Any, T]) -> T:
        """The same, without blocking the event loop."""
        client = await self._clients.looped()
        outcome: object = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(step, Pause):
                await self._clock.asleep(step.seconds)
                outcome = None
                continue
            try:
                outcome = await self._asend(client, step)
            except vendor.transport_errors() as error:
                outcome = vendor.failure_of(error)

    def _send(self, client: OpenAI, call: Call) -> Body | bytes:
        deadline = self.deadline(call.timeout)
        body = vendor.post(client, call)
        if call.stream:
            return body
        gathered = _Gathered(self._max_bytes)
        try:
            for piece in self.pieces(body, deadline):
                gathered.add(piece)
        finally:
            body.close()
        return gathered.whole()

    async def _asend(self, client: AsyncOpenAI, call: Call) -> Body | bytes:
        import anyio

        with anyio.fail_after(call.timeout):
            body = await vendor.apost(client, call)
            if call.stream:
                return body
            gathered = _Gathered(self._max_bytes)
            async with opened(body) as pieces:
                async for piece in pieces:
                    gathered.add(piece)
        return gathered.whole()

    def pieces(
        self,
        body: Body,
        deadline: float | None,
        idle: float | None = None,
        linger: Callable[[], float | None] = lambda: None,
    ) -> Iterator[bytes]:
        """The bytes of a body as they come.

        Args:
            body: what is read.
            deadline: when it must be there.
            idle: how long nothing may come, in seconds.
            linger: the same for what may come behind the end of the reply; None: the reply goes on.

        Raises:
            TimeoutError: the deadline has passed.
            SilentError: nothing came for too long.
        """
        bounds = [each for each in (idle, self._left(deadline)) if each is not None]
        if bounds:
            vendor.limit_reads(body, max(0.001, min(bounds)))
        try:
            for piece in _until_left(body, linger):
                yield piece
                if deadline is not None and self._clock.now() > deadline:
                    raise TimeoutError("the body takes too long")
        except vendor.late_errors() as error:
            if self._silent(deadline, idle):
                raise vendor.SilentError from error
            raise

    async def next_of(
        self,
        pieces: AsyncIterator[bytes],
        deadline: float | None,
        idle: float | None = None,
        linger: float | None = None,
    ) -> bytes | None:
        """The next bytes of a body, within the same bounds; None at its end."""
        import anyio

        left = self._left(deadline)
        bounds = [each for each in (idle, left, linger) if each is not None]
        try:
            with anyio.fail_after(max(0.0, min(bounds)) if bounds else None):
                return await anext(pieces, None)
        except TimeoutError as error:
            if linger is not None:
                return None
            if idle is not None and (left is None or idle < left):
                raise vendor.SilentError from error
            raise

    def _left(self, deadline: float | None) -> float | None:
        return None if deadline is None else deadline - self._clock.now()

    def _silent(self, deadline: float | None, idle: float | None) -> bool:
        """Whether it was the silence that took too long, and not the whole."""
        left = self._left(deadline)
        return idle is not None and (left is None or left > 0)


def _until_left(body: Body, linger: Callable[[], float | None]) -> Iterator[bytes]:
    """The bytes of a body; behind the end of the reply its connection is hung up when nothing comes.

    One that cannot be hung up is read on with the bounds of the reply, where its usage may still come.
    """
    pieces = iter(body.iter_bytes())
    while (seconds := linger()) is None:
        piece = next(pieces, None)
        if piece is None:
            return
        yield piece
    while (seconds := linger()) is not None:
        with vendor.hung_up_after(body, seconds) as may_read:
            piece = next(pieces, None) if may_read or seconds > _MOMENT else None
        if piece is None:
            return
        yield piece


class _Gathered:
    """A body put together, up to a bound."""

    def __init__(self, room: int) -> None:
        self._pieces: list[bytes] = []
        self._room = room

    def add(self, piece: bytes) -> None:
        """Add the next bytes.

        Raises:
            TooLongError: they are more than allowed.
        """
        self._pieces.append(piece)
        self._room -= len(piece)
        if self._room < 0:
            raise vendor.TooLongError

    def whole(self) -> bytes:
        return b"".join(self._pieces)


@asynccontextmanager
async def opened(body: Body) -> AsyncGenerator[AsyncIterator[bytes]]:
    """The bytes of a body as they come; closed at the end, its connection too when bytes are left.

    The HTTP libraries read through nested asynchronous generators. These are run to their end here, on the closed
    connection: an event loop that finds one of them unfinished later complains of it.
    """
    import anyio

    pieces = body.aiter_bytes()
    try:
        yield pieces
    finally:
        with anyio.CancelScope(shield=True):
            await body.aclose()
            try:
                async for _ in pieces:
                    pass
            except vendor.transport_errors():
                pass
