"""The HTTP clients of one model: a blocking one, and one for each event loop."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from threading import Lock
from typing import TYPE_CHECKING, Any, cast
from weakref import ReferenceType, WeakKeyDictionary, ref

from typedllm.errors import ModelError
from typedllm.models import vendor
from typedllm.models.services import Service, address

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from typedllm.models.vendor import AnyClient

NO_KEY = "no-key"


class Clients:
    """Makes the clients at first use, and finds them again.

    An async client belongs to the event loop that it was first used on, and is closed when that loop ends.
    """

    def __init__(
        self, service: Service, base_url: str | None, api_key: str | None, brought: tuple[AnyClient, ...] = ()
    ) -> None:
        self._service = service
        self._base_url = base_url
        self._api_key = api_key
        self._brought = {vendor.is_async(client): client for client in brought}
        self._blocking: OpenAI | None = None
        self._looped: WeakKeyDictionary[Any, tuple[AsyncOpenAI, AsyncGenerator[None]]] = WeakKeyDictionary()
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("_service", "_base_url", "_api_key", "_brought")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _blocking=None, _looped=WeakKeyDictionary(), _lock=Lock())

    @property
    def url(self) -> str:
        """The base URL.

        Raises:
            ModelError: nothing says where the service stands.
        """
        for client in self._brought.values():
            return str(client.base_url).rstrip("/")
        url = self._base_url or address(self._service, os.environ)
        if not url.startswith(("http://", "https://")):
            place = repr(url) if url else "nothing"
            variable = self._service.url_variable or "base_url="
            raise ModelError(
                f"no base URL for {self._service.prefix or 'the model'}: {place} (set {variable} to http://host/v1)",
                code="config",
                provider=self._service.prefix,
            )
        return url

    @property
    def key(self) -> str:
        """The API key; `NO_KEY` where the service needs none.

        Raises:
            ModelError: the service needs a key, and there is none.
        """
        for client in self._brought.values():
            return client.api_key
        names = self._service.keys
        key = (self._api_key or next(filter(None, map(os.environ.get, names)), "")).strip()
        if not key and self._service.needs_key:
            raise ModelError(
                f"no API key for {self._service.prefix} (set {' or '.join(names)}, or pass api_key=)",
                code="auth",
                provider=self._service.prefix,
            )
        if not (key.isascii() and key.isprintable()):
            raise ModelError(
                f"the API key for {self._service.prefix or self.url} holds characters that no header can carry"
                f" (copy it again into {' or '.join(names)})",
                code="auth",
                provider=self._service.prefix,
            )
        return key or NO_KEY

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        key = self.key
        return (key,) if key and key != NO_KEY else ()

    def blocking(self) -> OpenAI:
        """The client for blocking calls, on any thread."""
        with self._lock:
            if self._blocking is None:
                self._blocking = cast("OpenAI", self._brought.get(False) or self._made("OpenAI"))
            return self._blocking

    async def looped(self) -> AsyncOpenAI:
        """The client for the event loop that runs."""
        if True in self._brought:
            return cast("AsyncOpenAI", self._brought[True])
        loop = _running_loop()
        with self._lock:
            found = self._looped.get(loop)
        if found is not None:
            return found[0]
        client = cast("AsyncOpenAI", self._made("AsyncOpenAI"))
        closing = self._closed_with_the_loop(client, ref(loop))
        with self._lock:
            for other in [other for other in self._looped if getattr(other, "is_closed", bool)()]:
                del self._looped[other]
            self._looped[loop] = (client, closing)
        await anext(closing)
        return client

    async def _closed_with_the_loop(self, client: AsyncOpenAI, loop: ReferenceType[Any]) -> AsyncGenerator[None]:
        """Wait, and close the client: event loops close the asynchronous generators that are left when they end."""
        import anyio

        try:
            yield
        finally:
            with self._lock:
                self._looped.pop(loop(), None)
            with anyio.CancelScope(shield=True):
                await client.close()

    def _made(self, kind: str) -> AnyClient:
        for client in self._brought.values():
            return vendor.twin(client)
        own = self._service.prefix.startswith("openai")
        return cast("AnyClient", vendor.new_client(kind, api_key=self.key, base_url=self.url, own=own))

    def close(self) -> None:
        """Close the blocking client, if it was made here; the next call makes another."""
        with self._lock:
            client, self._blocking = self._blocking, None
        if client is not None and client is not self._brought.get(False):
            client.close()

    async def aclose(self) -> None:
        """Close the client of the event loop that runs, if it was made here."""
        with self._lock:
            found = self._looped.get(_running_loop())
        if found is not None:
            await found[1].aclose()


def _running_loop() -> object:
    """What stands for the event loop that runs: asyncio's loop, or trio's token."""
    import asyncio

    trio = sys.modules.get("trio")
    try:
        return asyncio.get_running_loop() if trio is None else trio.lowlevel.current_trio_token()
    except RuntimeError:
        return asyncio.get_running_loop()
