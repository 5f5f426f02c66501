"""A streamed reply read from the bytes of its body: every decision, and no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

from typedllm.errors import ModelError
from typedllm.models.chunks import Gathered, split
from typedllm.models.failures import Asked, error_of, refused, salvage
from typedllm.models.payload import Trouble, parse
from typedllm.models.sse import EventDecoder
from typedllm.models.transport import Failure
from typedllm.records import Chunk, Reply, Request
from typedllm.schema.profiles import Profile

_END: Final = b"[DONE]"
_AFTER_ALL: Final = 0.2
_AFTER_REPLY: Final = 2.0


class Events(Protocol):
    """The events of one stream, read in order.

    Attributes:
        heard: whether an event was one of this API.
        finished: whether the service has said why the reply ended.
        counted: whether it has said what the reply cost.
    """

    heard: bool
    finished: bool
    counted: bool

    def read(self, event: object) -> Iterable[Chunk | Trouble]: ...
    def close(self) -> Iterator[Chunk]: ...


class Api(Protocol):
    """One of the two APIs: a module with these names."""

    PATH: str

    def body(self, model: str, request: Request, profile: Profile, *, stream: bool) -> dict[str, Any]: ...
    def read(self, payload: object, request: Request) -> Reply | Trouble: ...
    def Events(self, request: Request) -> Events: ...  # noqa: N802  # a class of the module


def read_whole(data: bytes, api: Api, asked: Asked, retries: int = 0) -> Reply:
    """The reply in a body of status 200.

    Raises:
        ModelError: the body is not JSON, holds no reply, or reports an error.
    """
    try:
        payload = parse(data)
    except ValueError as error:
        start = asked.clean(data[:200].decode(errors="replace")) or "an empty body"
        message = f"{asked.provider} sent what is not JSON: {start} (check that the base URL speaks this API)"
        raise ModelError(message, provider=asked.provider, status=200, retries=retries) from error
    read = api.read(payload, asked.request)
    if isinstance(read, Reply):
        return read
    reply = salvage(read)
    if reply is None:
        raise refused(read, None, asked, retries)
    return reply


class StreamReader:
    """Bytes in, chunks out.

    A service that streams nothing, and sends its whole reply as one JSON document, is understood as well.
    """

    def __init__(self, api: Api, asked: Asked, *, retries: int, max_bytes: int) -> None:
        self._api = api
        self._asked = asked
        self._retries = retries
        self._room = max_bytes
        self._events = api.Events(asked.request)
        self._decoder = EventDecoder()
        self._document: list[bytes] | None = None
        self._begun = b""  # the first bytes that are no white space
        self._done = False
        self._keeps = asked.request.partial
        self._so_far = Gathered()

    def feed(self, piece: bytes) -> Iterator[Chunk]:
        """What this piece of the body adds.

        Raises:
            ModelError: the service reports an error, or sends what cannot be read, or more than it may.
        """
        self._room -= len(piece)
        if self._room < 0:
            raise self._cut(Failure("too_long", ValueError("too long")))
        if not self._begun and piece.strip():
            self._begun = piece.lstrip()[:200]
            self._document = [] if piece.lstrip()[:1] in {b"{", b"["} else None
            if self._retries:
                yield from self._add(Chunk(retries=self._retries))
        if self._document is not None:
            self._document.append(piece)
            return
        for data in self._decoder.feed(piece):
            yield from self._event(data)

    def close(self) -> Iterator[Chunk]:
        """What remains once the body has ended.

        Raises:
            ModelError: it ended before the reply did.
        """
        if self._document is not None:
            reply = read_whole(b"".join(self._document), self._api, self._asked, self._retries)
            yield from split(reply, (len(reply.text),))
            return
        ended = Failure("connection", EOFError("the stream ended before the reply did"))
        for data in self._decoder.close():
            if not (self._done or self._is_whole(data)):  # the end has cut it
                self.broken(ended)
                return
            yield from self._event(data)
        if self._done:
            for chunk in self._events.close():
                yield from self._add(chunk)
        if self._begun and not self._events.heard and not self.complete:
            said = self._asked.clean(self._begun.decode(errors="replace"))
            raise self._unreadable(f"what is no stream of this API: {said}", "check the base URL")
        self.broken(ended)

    @property
    def complete(self) -> bool:
        """Whether nothing more can come."""
        return self._events.finished or self._done

    @property
    def linger(self) -> float | None:
        """Seconds that are given to what may still come; None: the reply goes on.

        Behind its end there is no more than the end of the body, which leaves the connection free for another request;
        behind the finish reason there may be the usage.
        """
        if not self.complete:
            return None
        return _AFTER_ALL if self._done or self._events.counted else _AFTER_REPLY

    def broken(self, failure: Failure) -> None:
        """The connection broke: no loss when nothing more was to come.

        Raises:
            ModelError: there was more to come; its `reply` holds what came so far.
        """
        if not self.complete:
            raise self._cut(failure)

    def _cut(self, failure: Failure) -> ModelError:
        return error_of(failure, self._asked, self._retries, reply=self._so_far.reply())

    def _event(self, data: bytes) -> Iterable[Chunk]:
        if self._done or data.strip() == _END:
            self._done = True
            return ()
        if not data.strip():
            return ()
        try:
            event = parse(data)
        except ValueError as error:
            start = self._asked.clean(data[:200].decode(errors="replace"))
            raise self._unreadable(f"an event that is not JSON: {start}", "ask again") from error
        chunks: list[Chunk] = []
        for chunk in self._events.read(event):
            if isinstance(chunk, Chunk):
                chunks += self._add(chunk)
            else:
                chunks += self._trouble(chunk)
        return chunks

    def _is_whole(self, data: bytes) -> bool:
        """Whether the last event is one."""
        if not data.strip() or data.strip() == _END:
            return True
        try:
            parse(data)
        except ValueError:
            return False
        return True

    def _unreadable(self, what: str, advice: str) -> ModelError:
        return ModelError(
            f"{self._asked.provider} sent {what} ({advice})",
            provider=self._asked.provider,
            retries=self._retries,
            reply=self._so_far.reply(),
        )

    def _add(self, chunk: Chunk) -> tuple[Chunk]:
        if self._keeps:
            self._so_far.add(chunk)
        return (chunk,)

    def _trouble(self, told: Trouble) -> Iterable[Chunk]:
        if self.complete:
            return ()  # what came is the reply
        so_far = self._so_far.reply()
        reply = salvage(told)
        if reply is None or so_far.text:
            raise refused(told, None, self._asked, self._retries, reply=so_far)
        self._done = self._events.finished = True
        return split(reply, (max(1, len(reply.text)),))
