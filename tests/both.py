"""One test body for both clients: sync, and async on asyncio and trio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio

from typedllm import AsyncClient, Client, Result
from typedllm.models import ChatModel

WORLDS = ("sync", "asyncio", "trio")


class Both:
    """A client of the world that the test runs in, called as if it were the blocking one."""

    def __init__(self, world: str) -> None:
        self.world = world

    def client(self, model: str | ChatModel | None = None, **options: Any) -> Any:
        return Client(model, **options) if self.world == "sync" else AsyncClient(model, **options)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a method or prompt function of the client, waiting for it where it is async."""
        if self.world == "sync":
            return function(*args, **kwargs)

        async def wait() -> Any:
            return await function(*args, **kwargs)

        return anyio.run(wait, backend=self.world)

    def run(self, model: ChatModel, prompt: Any, schema: Any, **options: Any) -> Result[Any]:
        result = self.call(self.client(model).run, prompt, schema, **options)
        assert isinstance(result, Result)
        return result

    def prompt(self, client: Any, function: Callable[..., Any], **options: Any) -> Any:
        """Decorate: for an async client, a coroutine function of the same signature."""
        if self.world == "sync":
            return client.prompt(**options)(function) if options else client.prompt(function)
        import functools

        @functools.wraps(function)
        async def twin(*args: Any, **kwargs: Any) -> Any:
            raise AssertionError("the body is never run")

        return client.prompt(**options)(twin) if options else client.prompt(twin)
