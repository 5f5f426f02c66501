"""Real replies, recorded once into a file and said again without a network."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError

from typedllm.errors import ModelError
from typedllm.models import AsyncChatModel, ChatModel, StreamingChatModel, profile_of
from typedllm.models.chunks import Gathered, split
from typedllm.records import Chunk, JsonValue, Reply, Request
from typedllm.schema.profiles import Profile

__all__ = ["Exchange", "Header", "RecordingModel", "ReplayModel", "record"]

RecordMode: TypeAlias = Literal["all", "once"]

_SECRET: Final = re.compile("header|api_?key|authorization|secret|password", re.IGNORECASE)
_SIZES: Final = (8,)
_LINES_SHOWN: Final = 20
_LINES_COMPARED: Final = 400


class Header(BaseModel):
    """The first line of a file: which model was recorded, and what it accepts (it decides how a request looks)."""

    replay: Literal[1]
    model: str
    profile: Profile


class Exchange(BaseModel):
    """Every other line: a request with the reply to it.

    Attributes:
        request: what was asked; no timeout, no header, no key.
        reply: what came back.
        pieces: lengths in characters of the pieces in which it came, when it was streamed.
    """

    request: Request
    reply: Reply
    pieces: list[int] = []


_FILE_LINE: Final = TypeAdapter[Header | Exchange](Header | Exchange)
_REQUEST: Final = TypeAdapter(Request)


def line_schema() -> dict[str, JsonValue]:
    """The JSON Schema of one line of a file of recorded replies."""
    document = _FILE_LINE.json_schema()
    for part in document["$defs"].values():
        part["description"] = part.get("description", "").partition("\n\n")[0]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | document


class ReplayModel:
    """A `ChatModel` that says recorded replies again: for the same request the same reply, without a network.

    Requests are the same when their messages, schema and options are, whatever the order of keys. Where the same
    request was recorded several times, its replies come in the order of the recording.
    """

    def __init__(self, path: str | Path, *, name: str | None = None, repeat: bool = False) -> None:
        """Read the file.

        Args:
            path: a file that `record` wrote.
            name: how the model is called in results and errors; None: `replay:` and the recorded model's name.
            repeat: whether the last reply to a request is said again when it is asked more often than recorded.

        Raises:
            ModelError: there is no such file, or it is no recording (`code="config"`).
        """
        self._path = Path(path)
        self._tape = _Tape(self._path)
        self._name = name or f"replay:{self._tape.header.model}"
        self._repeat = repeat

    @property
    def name(self) -> str:
        """How the model is called."""
        return self._name

    @property
    def profile(self) -> Profile:
        """What the recorded model accepts."""
        return self._tape.header.profile

    def __repr__(self) -> str:
        return f"ReplayModel({str(self._path)!r}, replies={len(self._tape.exchanges)})"

    def complete(self, request: Request, /) -> Reply:
        """The recorded reply.

        Raises:
            ModelError: this request was not recorded (`code="unrecorded"`); the message shows how it differs from
                the nearest one that was.
        """
        return self._exchange(request).reply

    async def acomplete(self, request: Request, /) -> Reply:
        """The same."""
        return self._exchange(request).reply

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        """The recorded reply, in the pieces in which it came."""
        yield from _pieces(self._exchange(request))

    async def astream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """The same."""
        for chunk in _pieces(self._exchange(request)):
            yield chunk

    def _exchange(self, request: Request) -> Exchange:
        found = self._tape.take(request, repeat=self._repeat)
        if found is None:
            raise ModelError(self._tape.difference(request), code="unrecorded", provider=self._name)
        return found


def record(model: ChatModel, path: str | Path, *, mode: RecordMode = "all") -> RecordingModel:
    """The same model, whose replies are written to a file that `ReplayModel` reads.

    >>> client = Client(record(resolve("local"), "replies.jsonl", mode="once"))  # doctest: +SKIP

    Args:
        model: any chat model.
        path: the file, one JSON object to a line; its folder must exist.
        mode: `all` begins the file anew with the first reply; `once` says what is recorded and asks for the rest.

    Raises:
        ModelError: `once`, and the file is there but no recording (`code="config"`).
    """
    return RecordingModel(model, path, mode=mode)


class RecordingModel:
    """What `record` returns. A reply is written when it is complete: a stream that is closed early is not."""

    def __init__(self, model: ChatModel, path: str | Path, *, mode: RecordMode = "all") -> None:
        """See `record`."""
        self._model = model
        self._path = Path(path)
        self._lock = Lock()
        self._tape = _Tape(self._path) if mode == "once" and self._path.exists() else None
        self._begun = self._tape is not None

    @property
    def name(self) -> str:
        """The name of the recorded model."""
        return self._model.name

    @property
    def profile(self) -> Profile:
        """What the recorded model accepts."""
        return profile_of(self._model)

    def __repr__(self) -> str:
        return f"RecordingModel({self._model!r}, {str(self._path)!r})"

    def complete(self, request: Request, /) -> Reply | Awaitable[Reply]:
        """Ask once, and write the reply down; to be awaited if the recorded model's is."""
        found = self._found(request)
        if found is not None:
            return found.reply
        outcome = self._model.complete(request)
        return self._write(request, outcome) if isinstance(outcome, Reply) else self._settled(request, outcome)

    async def acomplete(self, request: Request, /) -> Reply:
        """The same, without blocking the event loop."""
        found = self._found(request)
        if found is not None:
            return found.reply
        if isinstance(self._model, AsyncChatModel):
            return self._write(request, await self._model.acomplete(request))
        from anyio.to_thread import run_sync

        outcome = await run_sync(self._model.complete, request, abandon_on_cancel=True)
        return self._write(request, outcome if isinstance(outcome, Reply) else await outcome)

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        """The reply in pieces, written down when it is complete."""
        found = self._found(request)
        if found is not None:
            yield from _pieces(found)
            return
        if not isinstance(self._model, StreamingChatModel):
            raise _unstreamed(self._model)
        chunks, take = self._model.stream(request), _Taken()
        try:
            for chunk in chunks:
                take.add(chunk)
                yield chunk
        finally:
            getattr(chunks, "close", _nothing)()
        self._write(request, take.reply(), take.sizes)

    async def astream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """The same, without blocking the event loop."""
        found = self._found(request)
        if found is not None:
            for chunk in _pieces(found):
                yield chunk
            return
        if not isinstance(self._model, StreamingChatModel):
            raise _unstreamed(self._model)
        chunks, take = self._model.astream(request), _Taken()
        try:
            async for chunk in chunks:
                take.add(chunk)
                yield chunk
        finally:
            await getattr(chunks, "aclose", _anothing)()
        self._write(request, take.reply(), take.sizes)

    async def _settled(self, request: Request, outcome: Awaitable[Reply]) -> Reply:
        return self._write(request, await outcome)

    def _found(self, request: Request) -> Exchange | None:
        _canonical(request)  # a request that cannot be written is refused before it is paid for
        return None if self._tape is None else self._tape.take(request)

    def _write(self, request: Request, reply: Reply, pieces: Iterable[int] = ()) -> Reply:
        exchange = Exchange(request=_public(request), reply=reply, pieces=list(pieces))
        with self._lock, self._path.open("a" if self._begun else "w", encoding="utf-8", newline="\n") as file:
            if not self._begun:
                file.write(_line(Header(replay=1, model=self.name, profile=self.profile)))
                self._begun = True
            file.write(_line(exchange))
        return reply


class _Taken(Gathered):
    """A streamed reply being written down: also the lengths of its pieces, and how long it took."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self._began = monotonic()
        self._first: float | None = None

    def add(self, chunk: Chunk) -> None:
        super().add(chunk)
        if chunk.text:
            self.sizes.append(len(chunk.text))
            self._first = self._first or monotonic() - self._began

    def reply(self, *, seconds: float = 0.0, first_token_seconds: float | None = None) -> Reply:
        took = seconds or monotonic() - self._began
        return super().reply(seconds=took, first_token_seconds=first_token_seconds or self._first)


class _Tape:
    """What a file holds, and how far it has been said."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._said: Counter[str] = Counter()
        self.header, self.exchanges = _read(path)
        self._of: dict[str, list[Exchange]] = {}
        for exchange in self.exchanges:
            self._of.setdefault(_canonical(exchange.request), []).append(exchange)

    def take(self, request: Request, *, repeat: bool = False) -> Exchange | None:
        """The next recorded exchange for this request; None when there is none left."""
        key = _canonical(request)
        known = self._of.get(key, [])
        with self._lock:
            turn = self._said[key]
            if turn < len(known):
                self._said[key] += 1
                return known[turn]
        return known[-1] if known and repeat else None

    def difference(self, request: Request) -> str:
        """Why there is none left, in words for the caller."""
        where, again = f"{self._path} ({len(self.exchanges)} recorded)", f"record(model, {str(self._path)!r}"
        if known := self._of.get(_canonical(request)):
            return (
                f"no recorded reply is left for this request in {where}: it was recorded {len(known)} times and is"
                f" asked again (record the run anew with {again}), or ReplayModel(..., repeat=True))"
            )
        asked = _readable(request)
        nearest: list[str] = max(
            (_readable(exchange.request) for exchange in self.exchanges),
            key=lambda lines: _likeness(lines, asked),
            default=list[str](),
        )
        shown = list(difflib.unified_diff(nearest, asked, "nearest recorded request", "this request", n=1, lineterm=""))
        cut = [f"... {len(shown) - _LINES_SHOWN} more lines"] if len(shown) > _LINES_SHOWN else []
        return "\n".join(
            [
                f'no recorded reply for this request in {where}; record it with {again}, mode="once")',
                *shown[:_LINES_SHOWN],
                *cut,
            ]
        )


def _read(path: Path) -> tuple[Header, list[Exchange]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _config(f"no recorded replies: {path} (write them with record(model, {str(path)!r}))") from None
    except UnicodeDecodeError as error:
        raise _config(f"not a recording: {path}: {error} (record it anew)") from error
    lines = [_parsed(path, number, line) for number, line in enumerate(text.rstrip("\n").split("\n"), 1)]
    exchanges = [line for line in lines[1:] if isinstance(line, Exchange)]
    if not isinstance(lines[0], Header) or len(exchanges) != len(lines) - 1:
        raise _config(f"not a recording: {path}: one header must stand on its first line (record it anew)")
    return lines[0], exchanges


def _parsed(path: Path, number: int, line: str) -> Header | Exchange:
    try:
        return _FILE_LINE.validate_python(json.loads(line))  # pydantic's own JSON takes no half character
    except ValueError as error:
        raise _config(f"not a recording: {path}, line {number}: {error} (record it anew)") from error


def _config(fact: str) -> ModelError:
    return ModelError(fact, code="config", provider="replay")


def _unstreamed(model: ChatModel) -> ModelError:
    return _config(f"{model.name} cannot stream (call it without streaming, or give it `stream` and `astream`)")


def _pieces(exchange: Exchange) -> Iterator[Chunk]:
    return split(exchange.reply, exchange.pieces or _SIZES)


def _public(request: Request) -> Request:
    return replace(request, options=_without_secrets(request.options), timeout=None, idle_timeout=None, partial=True)


def _without_secrets(options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {
        name: _without_secrets(value) if isinstance(value, dict) else value
        for name, value in options.items()
        if not _SECRET.search(name)
    }


def _canonical(request: Request) -> str:
    """What tells requests apart: everything that decides the reply, whatever the order of keys."""
    try:
        content = _REQUEST.dump_python(_public(request), mode="json")
    except PydanticSerializationError as error:
        raise ModelError(
            f"the request cannot be written as JSON: {error} (give plain data in its options)", code="bad_request"
        ) from error
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _line(line: Header | Exchange) -> str:
    content = line.model_dump(mode="python" if isinstance(line, Header) else "json", exclude_defaults=True)
    text = json.dumps(content, ensure_ascii=False, default=sorted) + "\n"  # sets have no order of their own
    return text.encode("utf-8", "backslashreplace").decode()  # a token may be half a character: JSON's own escape


def _readable(request: Request) -> list[str]:
    """A request as lines of text, for a comparison that a person can read."""
    lines: list[str] = []
    for message in request.messages:
        whole = message.content if isinstance(message.content, str) else json.dumps(message.content, indent=1)
        lines += [f"{message.role}: {line}" for line in whole.splitlines()]
    lines += [f"option {name} = {value!r}" for name, value in sorted(_without_secrets(request.options).items())]
    if request.native is not None:
        document = json.dumps(request.native.document, indent=1, sort_keys=True, ensure_ascii=False)
        lines += [f"schema ({request.native.mode}): {line}" for line in document.splitlines()]
    return [*lines, f"logprobs = {request.logprobs}"]


def _likeness(one: list[str], other: list[str]) -> float:
    return difflib.SequenceMatcher(None, one[:_LINES_COMPARED], other[:_LINES_COMPARED], autojunk=False).ratio()


def _nothing() -> None:
    return None


async def _anothing() -> None:
    return None
