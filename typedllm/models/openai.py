"""Chat models behind the API of OpenAI: OpenAI itself, and every service and local server that speaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from urllib.parse import urlsplit

from typedllm.errors import ModelError
from typedllm.models import chat, responses, vendor
from typedllm.models.chunks import split
from typedllm.models.clients import Clients
from typedllm.models.drive import Driver, opened
from typedllm.models.failures import Asked, error_of, salvage, worth_retrying
from typedllm.models.payload import trouble
from typedllm.models.services import SERVICES, Service, service_at
from typedllm.models.streams import Api, StreamReader, read_whole
from typedllm.models.transport import Call, Clock, Delivered, Failure, Pause, deliver
from typedllm.records import Chunk, Reply, Request
from typedllm.schema.profiles import Profile

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from typedllm.models.vendor import Body

__all__ = ["OpenAIModel"]

MAX_BYTES: Final = 64 * 2**20
MAX_RETRIES: Final = 2
_APIS: Final = {"chat": cast("Api", chat), "responses": cast("Api", responses)}


class OpenAIModel:
    """A `ChatModel` behind the API of OpenAI, sync, async and streamed, through the openai package.

    It retries what the transport loses, and nothing else: 408, 409, 429, 5xx and connections that fail, honouring
    Retry-After. All attempts and pauses together stay within the request's `timeout`. One instance serves any number
    of threads and event loops.

    >>> model = OpenAIModel("gpt-5-mini")
    >>> model = OpenAIModel("qwen3:8b", service="ollama")
    >>> model = OpenAIModel("my-model", base_url="http://localhost:9000/v1")
    >>> model = OpenAIModel("gpt-5-mini", client=openai.OpenAI(...))  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str,
        *,
        service: str | Service | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        client: OpenAI | AsyncOpenAI | None = None,
        async_client: AsyncOpenAI | None = None,
        api: Literal["chat", "responses"] | None = None,
        profile: Profile | None = None,
        max_retries: int = MAX_RETRIES,
        max_bytes: int = MAX_BYTES,
        clock: Clock = Clock(),  # noqa: B008  # immutable
    ) -> None:
        """Name the model. Nothing is read from the environment, and nothing sent, before the first call.

        Args:
            model: its name at the service.
            service: who serves it: a prefix of the table of services. Default: the one at `base_url` or of the
                client, else `openai`.
            base_url: where it is served, when not where the table says.
            api_key: the key; default: the environment variable of the service, read at the first call.
            client: a client of the openai package to send with, `OpenAI` or `AsyncOpenAI`, Azure's included. For the
                other world its twin is made from the same settings.
            async_client: an `AsyncOpenAI` beside a `client` that has no twin.
            api: which API is spoken; default: what the table says, Chat Completions for most.
            profile: what the model accepts, when the table does not know.
            max_retries: how often a request is sent again when the transport fails.
            max_bytes: how long the body of a reply may be.
            clock: time and chance, for tests.

        Raises:
            ModelError: there is no service of that name (`code="config"`).
            TypeError: `client` is no client of the openai package.
        """
        brought = tuple(given for given in (client, async_client) if given is not None)
        at = base_url or next((vendor.url_of(given) for given in brought), None)
        if service is None:
            service = service_at(at) if at else SERVICES["openai"]
        elif isinstance(service, str):
            service = _known(service)
        self.model = model
        self.max_retries = max_retries
        self._service = service
        self._speaks = api or service.api
        self._profile = profile or service.profile
        self._max_bytes = max_bytes
        self._clock = clock
        self._usage_in_streams = True
        self._clients = Clients(service, base_url, api_key, brought)
        self._driver = Driver(self._clients, clock, max_bytes)
        self._name = f"{service.prefix}:{model}" if service.prefix else f"{_shown(at or '')}#{model}"

    @property
    def name(self) -> str:
        """How the model is called in results, errors and logs."""
        return self._name

    @property
    def profile(self) -> Profile:
        """What the service accepts."""
        return self._profile

    def __repr__(self) -> str:
        return f"OpenAIModel({self._name!r})"

    def complete(self, request: Request, /) -> Reply:
        """Ask once.

        Raises:
            ModelError: no usable reply came; its `code` says why.
        """
        return self._driver.run(self._exchange(request))

    async def acomplete(self, request: Request, /) -> Reply:
        """The same, without blocking the event loop (asyncio or trio). Cancelling it closes the connection."""
        return await self._driver.arun(self._exchange(request))

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        """The reply in pieces. Closing the iterator closes the connection at once.

        Raises:
            ModelError: as `complete`; when the connection is cut in the middle, its `reply` holds what came.
        """
        deadline = self._driver.deadline(request.timeout)
        begun = self._driver.run(self._opening(request))
        if isinstance(begun, Reply):
            yield from split(begun, (max(1, len(begun.text)),))
            return
        body, reader = begun
        try:
            for piece in self._driver.pieces(body, deadline, request.idle_timeout, lambda: reader.linger):
                yield from reader.feed(piece)
        except vendor.transport_errors() as error:
            reader.broken(vendor.failure_of(error))
        finally:
            body.close()
        yield from reader.close()

    async def astream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """The same, without blocking the event loop."""
        deadline = self._driver.deadline(request.timeout)
        begun = await self._driver.arun(self._opening(request))
        if isinstance(begun, Reply):
            for chunk in split(begun, (max(1, len(begun.text)),)):
                yield chunk
            return
        body, reader = begun
        try:
            async with opened(body) as pieces:
                while (
                    piece := await self._driver.next_of(pieces, deadline, request.idle_timeout, reader.linger)
                ) is not None:
                    for chunk in reader.feed(piece):
                        yield chunk
        except vendor.transport_errors() as error:
            reader.broken(vendor.failure_of(error))
        for chunk in reader.close():
            yield chunk

    def close(self) -> None:
        """Close the connections of blocking calls. They open again at the next call."""
        self._clients.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop; they are closed by themselves when it ends."""
        await self._clients.aclose()

    # What to do, written once for both worlds

    @property
    def _api(self) -> Api:
        return _APIS[self._speaks]

    def _asked(self, request: Request) -> Asked:
        return Asked(self._service, _shown(self._clients.url), request, self._clients.secrets)

    def _exchange(self, request: Request) -> Generator[Call | Pause, Any, Reply]:
        begun = self._clock.now()
        asked = self._asked(request)
        delivered = yield from self._deliver(self._call(request, stream=False), asked)
        reply = (
            self._failed(delivered, asked)
            if isinstance(delivered.outcome, Failure)
            else read_whole(delivered.outcome, self._api, asked, delivered.retries)
        )
        return replace(reply, retries=delivered.retries, seconds=self._clock.now() - begun)

    def _opening(self, request: Request) -> Generator[Call | Pause, Any, Reply | tuple[Body, StreamReader]]:
        deadline = self._driver.deadline(request.timeout)
        asked = self._asked(request)
        call = self._call(request, stream=True)
        delivered = yield from self._deliver(call, asked)
        if isinstance(delivered.outcome, Failure) and self._rejects_stream_options(delivered.outcome, call):
            self._usage_in_streams = False
            left = None if deadline is None else max(0.001, deadline - self._clock.now())
            delivered = yield from self._deliver(replace(self._call(request, stream=True), timeout=left), asked)
        if isinstance(delivered.outcome, Failure):
            return replace(self._failed(delivered, asked), retries=delivered.retries)
        reader = StreamReader(self._api, asked, retries=delivered.retries, max_bytes=self._max_bytes)
        return delivered.outcome, reader

    def _deliver(self, call: Call, asked: Asked) -> Generator[Call | Pause, Any, Delivered[Any]]:
        return deliver(
            call,
            max_retries=self.max_retries,
            clock=self._clock,
            retryable=lambda failure: worth_retrying(failure, asked),
        )

    def _call(self, request: Request, *, stream: bool) -> Call:
        body = self._api.body(self.model, request, self._profile, stream=stream)
        if not self._usage_in_streams:
            body.pop("stream_options", None)
        headers: dict[str, str] = body.pop("extra_headers", None) or {}
        body.update(body.pop("extra_body", None) or {})
        return Call(self._api.PATH, body, stream, request.timeout, headers)

    def _rejects_stream_options(self, failure: Failure, call: Call) -> bool:
        return failure.status in {400, 422} and "stream_options" in call.body and "stream_options" in str(failure.body)

    def _failed(self, delivered: Delivered[Any], asked: Asked) -> Reply:
        failure = cast("Failure", delivered.outcome)
        reply = salvage(trouble(failure.body)) if failure.kind == "status" else None
        if reply is None:
            raise error_of(failure, asked, delivered.retries)
        return reply


def _known(prefix: str) -> Service:
    if prefix not in SERVICES:
        choices = ", ".join(sorted(SERVICES))
        raise ModelError(f"no such service: {prefix!r} (one of {choices}; or give base_url=)", code="config")
    return SERVICES[prefix]


def _shown(url: str) -> str:
    """A URL without what may be secret in it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
