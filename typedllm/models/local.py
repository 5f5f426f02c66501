"""Models that run in this process: the embedded one, and any GGUF file."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final, Literal

from typedllm.errors import ModelError
from typedllm.models import weights
from typedllm.models.chunks import Gathered
from typedllm.models.llama import Engine, Failure, Logprob, Piece, Run, Settings, engine_for, runtime
from typedllm.prices import Price
from typedllm.records import Chunk, FinishReason, JsonSchema, JsonValue, Reply, Request, TokenLogprob, Usage
from typedllm.schema.profiles import Profile

__all__ = ["LocalModel"]

GrammarMode = Literal["schema", "json"]

_FINISH: Final[dict[str, FinishReason]] = {"stop": "stop", "length": "length", "tool_calls": "stop"}
# Keywords that the grammar does not know are left to validation. At most one blank between two tokens, so that a model
# cannot go on writing blanks for ever: on eight contacts 313 tokens and 27 of 32 fields right, against 818 and 25 with
# any white space, 267 and 22 with none (embedded model, TypeScript in the prompt, no example).
_GUIDANCE: Final[JsonSchema] = {"lenient": True, "whitespace_pattern": " ?"}
_LOOKS_AROUND: Final = re.compile(r"\(\?(?:<?[=!]|P=|\()|\\[1-9]")
_BOUNDS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_LARGEST: Final = 2**63 - 1
_DATA: Final = frozenset({"const", "enum", "default", "examples"})
_JSON_BEGINS: Final = frozenset('{["-0123456789tfn')
# Under a grammar a forced token may be far from the likeliest, and so may those that it was chosen over: of three moods
# of a text the second stood at place 88. More than these changed the confidence by less than 0.02.
_ALTERNATIVES: Final = 100
_TOKEN_LIMITS: Final = ("max_tokens", "max_completion_tokens")


class LocalModel:
    """A `ChatModel` that needs no key and no network: it runs in this process, on this machine's processor.

    Without a path it is the embedded model, SmolLM2-135M-Instruct, whose weights `typedllm local pull` brings once.
    It is loaded at the first call and shared by every `LocalModel` with the same file and settings; it is freed with
    the last of them. Closing a stream, cancelling a call or running out of time stops the generation within a token
    (within a step of the prompt: about half a second on 2 cores).

    >>> model = LocalModel(native=())  # do not decode under the schema's grammar

    Attributes:
        price: nothing.
    """

    price: Final = Price(0, 0)

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        native: Sequence[GrammarMode] = ("schema",),
        context: int = 4096,
        max_tokens: int = 512,
        parallel: int = 1,
        threads: int = 1,
        batch_threads: int = 2,
        cache_prompt: bool = True,
        example: bool | None = None,
        name: str | None = None,
        verbose: bool = False,
    ) -> None:
        """Configure; nothing is read yet.

        Decoding is greedy (`temperature` 0) with the seed 0 unless a request's options say otherwise.

        Args:
            path: a GGUF file; None: the embedded model.
            native: whether a reply is decoded under the grammar of the schema (`"schema"`) or of JSON (`"json"`).
                Empty: the model writes what it likes.
            context: tokens that a prompt and its reply may take together. The embedded model takes about 23 kB of
                memory for each, and was trained with 8,192.
            max_tokens: length of a reply, in tokens, where the request sets none.
            parallel: how many replies are generated at once. Others wait. 4 gave 1.8 times the tokens per second of
                1 over eight requests, each being slower.
            threads: threads that generate. Two are slower than one on a machine that has other work.
            batch_threads: threads that evaluate the prompt.
            cache_prompt: whether the part of the prompt that the last call had as well is not evaluated again. It
                makes a second call of the same prompt function start at once; without it the text of a reply does
                not depend on the calls before.
            example: whether prompts without the grammar should carry a generated example; None: for the embedded
                model, which is so small that it needs one. Under the grammar one did harm: 9 of 20 moods right with
                it and 14 without, 3 of 8 numbers and 6, as many as before of 28 requests to the examples.
            name: how the model is called in results and errors; None: `local`, or `local:` and the path.
            verbose: whether the runtime writes its log to standard error.

        Raises:
            ValueError: a number is not positive.
        """
        for label, number in {
            "context": context,
            "max_tokens": max_tokens,
            "parallel": parallel,
            "threads": threads,
            "batch_threads": batch_threads,
        }.items():
            if number < 1:
                raise ValueError(f"not a positive number: {label}={number} (give 1 or more)")
        self._path = None if path is None else Path(path).expanduser()
        self._name = name or ("local" if path is None else f"local:{path}")
        self._settings = partial(
            Settings,
            context=context,
            parallel=parallel,
            threads=threads,
            batch_threads=batch_threads,
            verbose=verbose,
        )
        self._body: dict[str, JsonValue] = {"temperature": 0, "seed": 0, "cache_prompt": cache_prompt}
        self._max_tokens = max_tokens
        self._engine: Engine | None = None
        self._profile = Profile(
            "local",
            "2026-11-24",
            native=tuple(native),
            logprobs=True,
            example=path is None if example is None else example,
        )

    @property
    def name(self) -> str:
        """How the model is called: `local`, or `local:` and the path."""
        return self._name

    @property
    def profile(self) -> Profile:
        """What it enforces: by default the schema, which it does not show to the model."""
        return self._profile

    def __repr__(self) -> str:
        return f"LocalModel({self._name!r}, native={self._profile.native!r})"

    def load(self) -> None:
        """Load the model now rather than at the first call (0.6 s for the embedded one).

        Raises:
            ModelError: there is no such file, it is not a GGUF file, or the runtime is not installed.
        """
        self._loaded()

    def complete(self, request: Request, /) -> Reply:
        """Ask once.

        Raises:
            ModelError: the model cannot be loaded (`config`), the prompt does not fit (`bad_request`), the grammar
                cannot express the schema (`schema_rejected`), or the time is over (`timeout`, with what came so far
                as `.reply`).
        """
        call = _Call(self, request)
        try:
            return call.gather()
        finally:
            call.stop()

    async def acomplete(self, request: Request, /) -> Reply:
        """The same, without blocking the event loop; a cancelled call stops generating."""
        import anyio

        call = _Call(self, request)
        try:
            # A limiter of its own: waiting calls must not use up the threads of the caller's program.
            return await anyio.to_thread.run_sync(call.gather, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
        finally:
            call.stop()

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        """The reply in pieces, about a token each. Closing the iterator stops generating."""
        call = _Call(self, request)
        try:
            while (chunk := call.next()) is not None:
                yield chunk
        finally:
            call.stop()

    async def astream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """The same, without blocking the event loop."""
        import anyio

        call, limiter = _Call(self, request), anyio.CapacityLimiter(1)
        try:
            while (
                chunk := await anyio.to_thread.run_sync(call.next, abandon_on_cancel=True, limiter=limiter)
            ) is not None:
                yield chunk
        finally:
            call.stop()

    def work(self, request: Request) -> Callable[[Callable[[Piece], bool]], None]:
        """What generates the reply to this request, for a thread of its own."""
        body, schema = self._body_of(request), _grammar_of(request)

        def generate(put: Callable[[Piece], bool]) -> None:
            self._loaded().chat(body, schema, put)

        return generate

    def _loaded(self) -> Engine:
        engine = self._engine
        if engine is None or engine.pid != os.getpid():
            runtime()
            path = _checked(self._path).resolve()
            engine = self._engine = engine_for(self._settings(path))
        return engine

    def _body_of(self, request: Request) -> dict[str, JsonValue]:
        options = dict(request.options)
        body: dict[str, JsonValue] = self._body | options
        body["messages"] = [
            {
                "role": message.role,
                "content": message.content
                if isinstance(message.content, str)
                else [dict(part) for part in message.content],
            }
            for message in request.messages
        ]
        body["stream_options"] = {"include_usage": True}
        if not any(options.get(limit) for limit in _TOKEN_LIMITS):
            body["max_tokens"] = self._max_tokens
        if request.logprobs:
            body |= {"logprobs": True, "top_logprobs": options.get("top_logprobs", _ALTERNATIVES)}
        return body


class _Call:
    """One request on its way: pieces of the runtime in, chunks out."""

    def __init__(self, model: LocalModel, request: Request) -> None:
        self._model = model
        self._constrained = self._unproven = request.native is not None
        self._timeout = request.timeout
        self._run = Run(model.work(request), request.timeout)
        self.stop = self._run.stop

    def next(self) -> Chunk | None:
        """The next chunk that says something; None at the end."""
        while True:
            try:
                piece = self._run.next()
            except TimeoutError as error:
                raise self._error(
                    f"no complete reply of {self._model.name} within {self._timeout:g} s (allow more with timeout=,"
                    " or a shorter reply with max_tokens=)",
                    code="timeout",
                    retryable=True,
                ) from error
            except (ValueError, RuntimeError, TypeError) as error:
                raise self._failed({"message": str(error)}) from error
            if piece is None:
                return None
            if "error" in piece:
                raise self._failed(piece["error"])
            if (chunk := _chunk(piece)) != _NOTHING:
                self._prove(chunk.text.lstrip())
                return chunk

    def gather(self) -> Reply:
        """The whole reply."""
        began, first, gathered = monotonic(), None, Gathered()
        try:
            while (chunk := self.next()) is not None:
                first = first or (monotonic() - began if chunk.text else None)
                gathered.add(chunk)
        except ModelError as error:
            error.reply = gathered.reply(seconds=monotonic() - began, first_token_seconds=first)
            raise
        return gathered.reply(seconds=monotonic() - began, first_token_seconds=first)

    def _prove(self, text: str) -> None:
        """The runtime says nothing when it has no grammar for a schema: but then the reply does not begin as JSON."""
        if self._unproven and text:
            self._unproven = False
            if text[0] not in _JSON_BEGINS:
                raise self._failed({"message": "the runtime makes no grammar of it"})

    def _failed(self, failure: Failure) -> ModelError:
        said = failure.get("message", "the runtime does not say why")
        if failure.get("type") == "exceed_context_size_error":
            return self._error(
                f"the prompt is too long: {failure.get('n_prompt_tokens')} tokens, and {self._model.name} takes"
                f" {failure.get('n_ctx')} with the reply (shorten it, or give LocalModel a larger context=)",
                code="bad_request",
            )
        if self._constrained and ("schema" in said.lower() or "grammar" in said.lower()):
            return self._error(
                f"{self._model.name} cannot decode under the schema: {said} (change the type, or decode without a"
                " grammar: LocalModel(native=()))",
                code="schema_rejected",
            )
        server = failure.get("code", 400) >= 500
        return self._error(
            f"{self._model.name} cannot answer: {said} (change the request, or see LocalModel(verbose=True))",
            code="server" if server else "bad_request",
        )

    def _error(self, fact: str, *, code: str, retryable: bool = False) -> ModelError:
        return ModelError(fact, code=code, retryable=retryable, provider="local")


def _checked(path: Path | None) -> Path:
    if path is None:
        path = weights.weights_path()
        if not path.is_file():
            raise _config(
                f"the weights of the embedded model are not here: {path} (run `typedllm local pull` once, or from"
                " Python typedllm.models.weights.pull(): 98 MB)"
            )
    if not path.is_file():
        raise _config(f"no such file: {path} (give the path of a GGUF file)")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise _config(f"not a GGUF file: {path} (it does not begin with the letters GGUF)")
    return path


def _config(fact: str) -> ModelError:
    return ModelError(fact, code="config", provider="local")


def _grammar_of(request: Request) -> JsonSchema | None:
    native = request.native
    if native is None:
        return None
    if native.mode == "tool":
        raise ModelError(
            "local models do not enforce tool calls (ask with the mode `schema`)", code="bad_request", provider="local"
        )
    document: JsonSchema = {"type": "object"} if native.mode == "json" else _expressible(native.document)
    return {**document, "x-guidance": _GUIDANCE}


def _expressible(part: JsonSchema) -> JsonSchema:
    """The schema without what the runtime does not take: patterns that a finite automaton cannot hold (with one of them
    there is no grammar), and bounds that are no 64-bit integers."""
    return {
        key: value if key in _DATA else _expressible_value(value)
        for key, value in part.items()
        if not (key == "pattern" and isinstance(value, str) and _LOOKS_AROUND.search(value))
        and not (key in _BOUNDS and isinstance(value, int) and abs(value) > _LARGEST)
    }


def _expressible_value(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _expressible(value)
    return [_expressible_value(item) for item in value] if isinstance(value, list) else value


_NOTHING: Final = Chunk()


def _chunk(piece: Piece) -> Chunk:
    choices = piece.get("choices") or [{}]
    choice, usage = choices[0], piece.get("usage")
    delta, finish = choice.get("delta", {}), choice.get("finish_reason")
    return Chunk(
        text=delta.get("content") or "",
        reasoning=delta.get("reasoning_content") or "",
        finish_reason=_FINISH.get(finish, "stop") if finish else None,
        usage=None
        if usage is None
        else Usage(
            input_tokens=usage.get("prompt_tokens"),
            cached_tokens=usage.get("prompt_tokens_details", {}).get("cached_tokens"),
            output_tokens=usage.get("completion_tokens"),
            cost=Decimal(0),
            requests=1,
        ),
        logprobs=tuple(_logprob(token) for token in (choice.get("logprobs") or {}).get("content", [])),
    )


def _logprob(token: Logprob) -> TokenLogprob:
    top = tuple((_text(other), _number(other["logprob"])) for other in token.get("top_logprobs", []))
    return TokenLogprob(_text(token), _number(token["logprob"]), top)


def _text(token: Logprob) -> str:
    """The text of a token by its bytes: that of a part of a character is none."""
    told = token.get("bytes")
    return bytes(told).decode("utf-8", "surrogateescape") if told else token["token"]


def _number(logprob: float | None) -> float:
    return float("-inf") if logprob is None else logprob
