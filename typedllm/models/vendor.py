"""The openai package, and all that depends on how it is made: imported at first use, versions 2 and 3 alike.

Its clients send for us, for their authentication, proxies, Azure addresses and providers; its response models, its
retries and its environment variables for other services stay unused.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from typedllm.errors import ModelError
from typedllm.models.payload import parse
from typedllm.models.transport import Call, Failure

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    AnyClient: TypeAlias = OpenAI | AsyncOpenAI


class Body(Protocol):
    """An open HTTP response, as far as it is used here."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    def iter_bytes(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...
    def aiter_bytes(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


class TooLongError(Exception):
    """A body is longer than allowed."""


class SilentError(Exception):
    """Nothing comes from an open body any more."""


@cache
def _http() -> Any:
    """The HTTP library that the installed openai package is built on (httpx in version 2, httpx2 in version 3)."""
    import openai

    return sys.modules[openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]]


def _loaded() -> list[Any]:
    """The HTTP libraries that the clients may be built on: the caller's own may use the other one."""
    return [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]


def transport_errors() -> tuple[type[Exception], ...]:
    """What may be raised while a request is sent or a response is read."""
    import anyio
    import openai

    raised = [error for http in _loaded() for error in (http.RequestError, http.StreamError)]
    return (openai.APIError, *raised, ssl.SSLError, anyio.EndOfStream, TimeoutError, TooLongError, SilentError)


def failure_of(error: Exception) -> Failure:
    """A transport error as a failure."""
    import openai

    if isinstance(error, openai.APIStatusError):
        headers = {name.lower(): value for name, value in error.response.headers.items()}
        return Failure("status", error, error.status_code, headers, _content(error))
    if isinstance(error, TooLongError):
        return Failure("too_long", error)
    if isinstance(error, SilentError):
        return Failure("silent", error)
    late = isinstance(error, (openai.APITimeoutError, *late_errors()))
    return Failure("timeout" if late else "connection", error)


def late_errors() -> tuple[type[Exception], ...]:
    """What is raised when a read takes too long."""
    return (TimeoutError, *(http.TimeoutException for http in _loaded()))


def _content(error: Any) -> object:
    try:
        return parse(error.response.content)
    except ValueError:
        return cast("object", error.response.text)


def post(client: OpenAI, call: Call) -> Body:
    """Send; the response is open, and its body unread."""
    return cast("Body", _poster(client)(call.path, stream=True, stream_cls=None, **_arguments(client, call)))


async def apost(client: AsyncOpenAI, call: Call) -> Body:
    """The same, without blocking the event loop."""
    return cast("Body", await _poster(client)(call.path, stream=True, stream_cls=None, **_arguments(client, call)))


def limit_reads(body: Body, seconds: float) -> None:
    """Let no single read of this body take longer than this."""
    opened: Any = body
    timeouts: dict[str, float | None] = opened.request.extensions["timeout"]
    timeouts["read"] = min(seconds, timeouts.get("read") or seconds)


@contextmanager
def hung_up_after(body: Body, seconds: float) -> Generator[bool]:
    """Shut the connection of a body when what is done here takes longer; whether that can be done.

    A blocking read has the timeout that it began with: it ends when there is no connection any more.
    """
    opened: Any = body
    stream = None if opened.http_version == "HTTP/2" else opened.extensions.get("network_stream")
    connection = None if stream is None else stream.get_extra_info("socket")
    if connection is None:
        yield False
        return
    timer = Timer(seconds, _hang_up, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield True
    finally:
        timer.cancel()


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # of TLS too: another thread reads with its state


def _poster(client: AnyClient) -> Any:
    return client.post


def _arguments(client: AnyClient, call: Call) -> dict[str, Any]:
    options: dict[str, Any] = {"max_retries": 0, "security": {"bearer_auth": True}}
    if call.timeout is not None:
        options["timeout"] = _timeout(client.timeout, call.timeout)
    if call.headers:
        options["headers"] = dict(call.headers)
    return {"cast_to": _http().Response, "body": call.body, "options": options}


def _timeout(allowed: Any, left: float) -> Any:
    """The client's own timeouts, none of them longer than what is left."""
    parts: Mapping[str, float | None] = (
        allowed.as_dict()
        if hasattr(allowed, "as_dict")
        else dict.fromkeys(("connect", "read", "write", "pool"), allowed)
    )
    return _http().Timeout(**{name: left if part is None else min(part, left) for name, part in parts.items()})


def new_client(kind: str, *, api_key: str, base_url: str, own: bool) -> Any:
    """A client of the openai package.

    Args:
        kind: `OpenAI` or `AsyncOpenAI`.
        api_key: the key.
        base_url: where the service stands.
        own: whether it is OpenAI's own: to no other goes the organization that the environment names.
    """
    import openai

    client = getattr(openai, kind)(api_key=api_key, base_url=base_url, max_retries=0)
    if not own:
        client.organization = client.project = None
    return client


def is_async(client: object) -> bool:
    """Whether this client is for event loops.

    Raises:
        TypeError: it is no client of the openai package.
    """
    import openai

    if not isinstance(client, openai.OpenAI | openai.AsyncOpenAI):
        raise TypeError(f"not a client of the openai package: {type(client).__name__} (give an OpenAI or AsyncOpenAI)")
    return isinstance(client, openai.AsyncOpenAI)


def url_of(client: object) -> str:
    """The base URL of a client.

    Raises:
        TypeError: it is no client of the openai package.
    """
    is_async(client)
    return str(cast("AnyClient", client).base_url)


def twin(client: AnyClient) -> AnyClient:
    """The client for the other world, with the same settings.

    Raises:
        ModelError: the client sends through an HTTP client, a provider or a subclass of the caller's own, which has no twin.
    """
    import openai

    other = {
        openai.OpenAI: openai.AsyncOpenAI,
        openai.AsyncOpenAI: openai.OpenAI,
        openai.AzureOpenAI: openai.AsyncAzureOpenAI,
        openai.AsyncAzureOpenAI: openai.AzureOpenAI,
    }.get(type(client))
    inner: Any = client
    if other is None or not type(inner._client).__name__.endswith("ClientWrapper") or _private(inner, "_provider"):
        raise ModelError(
            f"this {type(client).__name__} cannot be used from {'blocking' if is_async(client) else 'async'} code: it has"
            " an HTTP client or a provider of its own (give the other kind of client too: client=, async_client=)",
            code="config",
        )
    settings: dict[str, Any] = {
        "api_key": _private(inner, "_api_key_provider") or client.api_key,
        "base_url": client.base_url,
        "organization": client.organization,
        "project": client.project,
        "timeout": client.timeout,
        "max_retries": 0,
        "default_headers": _private(inner, "_custom_headers"),
        "default_query": client.default_query,
    }
    if "Azure" in type(client).__name__:
        settings |= {"api_version": inner._api_version, "azure_ad_token": inner._azure_ad_token}
        settings["azure_ad_token_provider"] = inner._azure_ad_token_provider
    return cast("AnyClient", other(**settings))


def _private(client: Any, name: str) -> Any:
    return getattr(client, name, None)
