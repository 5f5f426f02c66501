"""Chat models on the loopback server, and one way to ask them in all worlds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

import trio

from tests.support.server import Server
from typedllm.models.chunks import Gathered
from typedllm.models.openai import OpenAIModel
from typedllm.models.transport import Clock
from typedllm.records import Chunk, Message, Native, Reply, Request

T = TypeVar("T")

ASK = Request((Message("user", "hi"),))
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL = Request((Message("user", "hi"),), native=Native("tool", "out", SCHEMA))
NATIVE = Request((Message("user", "hi"),), native=Native("schema", "out", SCHEMA))

WAYS = ("sync", "asyncio", "trio")


class Time:
    """A clock that moves only when it is slept on, and remembers how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.seconds = 100.0
        self.clock = Clock(lambda: self.seconds, self.sleep, self.asleep, lambda: 0.0)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


def model_at(server: Server, **more: Any) -> OpenAIModel:
    """A model on the loopback server; its pauses take no time, unless a clock is given."""
    more.setdefault("clock", Time().clock)
    return OpenAIModel("m", base_url=server.url, **more)


def run(way: str, function: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function in this event loop."""

    async def main() -> T:
        return await function()

    return asyncio.run(main()) if way == "asyncio" else trio.run(main)


class Way:
    """Asking a model: blocking, or in one of the event loops."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def complete(self, model: OpenAIModel, request: Request = ASK) -> Reply:
        """Ask once."""
        if self.name == "sync":
            return model.complete(request)
        return run(self.name, lambda: model.acomplete(request))

    def stream(self, model: OpenAIModel, request: Request = ASK, *, pieces: int | None = None) -> list[Chunk]:
        """Ask for a stream; read it to its end, or so many chunks with text and then close it."""
        if self.name == "sync":
            return _read(model.stream(request), pieces)
        return run(self.name, lambda: _aread(model.astream(request), pieces))


def _read(stream: Iterator[Chunk], pieces: int | None) -> list[Chunk]:
    chunks: list[Chunk] = []
    for chunk in stream:
        chunks.append(chunk)
        if sum(bool(chunk.text) for chunk in chunks) == pieces:
            break
    stream.close()  # type: ignore[attr-defined]
    return chunks


async def _aread(stream: AsyncIterator[Chunk], pieces: int | None) -> list[Chunk]:
    chunks: list[Chunk] = []
    async for chunk in stream:
        chunks.append(chunk)
        if sum(bool(chunk.text) for chunk in chunks) == pieces:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return chunks


def joined(chunks: list[Chunk]) -> Reply:
    """The reply that the chunks add up to."""
    gathered = Gathered()
    for chunk in chunks:
        gathered.add(chunk)
    return gathered.reply()
