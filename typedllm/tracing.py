"""Spans and metrics by the GenAI semantic conventions of OpenTelemetry, where `opentelemetry-api` is installed.

Names are those of the conventions' development version of 2026 (`gen_ai.*`); what they have no name for is
`typedllm.*`. https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit

from typedllm.errors import BudgetError, ModelError
from typedllm.records import Attempt, AttemptKind, Message, Reply, Request

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["Scope", "Trace", "Tracing"]

Scope: TypeAlias = Callable[[], AbstractContextManager[object]]
Value: TypeAlias = "str | int | float | bool | Sequence[str]"

_PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "openai-responses": "openai",
    "xai": "x_ai",
}
"""Names of the conventions where they differ from the prefixes of ours."""

_SAMPLING: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
_TOKENS: Final = {
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.cache_read.input_tokens": "cached_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.usage.reasoning.output_tokens": "reasoning_tokens",
}
_SILENT: Final = ("opentelemetry.trace", "opentelemetry.metrics")
_SECONDS: Final = tuple(0.01 * 2**power for power in range(14))
_COUNTS: Final = tuple(float(4**power) for power in range(14))


@dataclass(frozen=True, slots=True)
class Tracing:
    """What is traced, and to whom.

    Attributes:
        content: whether prompts and replies are recorded. They may hold personal data: off by default.
        tracer_provider: receives the spans; None: the global one.
        meter_provider: receives the metrics; None: the global one.
    """

    content: bool = False
    tracer_provider: TracerProvider | None = None
    meter_provider: MeterProvider | None = None

    def trace(self, schema: str) -> Trace | None:
        """The trace of a call that begins now; None where OpenTelemetry is not installed, or nobody listens.

        Args:
            schema: name of the declared type.
        """
        return Trace(self, schema) if _installed() and self._is_heard() else None

    def _is_heard(self) -> bool:
        """Whether there is a provider: the ones that come with the API itself record nothing."""
        from opentelemetry.metrics import get_meter_provider
        from opentelemetry.trace import get_tracer_provider

        providers = (self.tracer_provider or get_tracer_provider(), self.meter_provider or get_meter_provider())
        return any(not type(each).__module__.startswith(_SILENT) for each in providers)


@cache
def _installed() -> bool:
    try:
        return find_spec("opentelemetry.trace") is not None
    except ImportError:
        return False


@dataclass(frozen=True, slots=True)
class _Instruments:
    tokens: Histogram
    seconds: Histogram
    first: Histogram


@cache
def _instruments(provider: MeterProvider | None) -> _Instruments:
    from opentelemetry.metrics import get_meter

    histogram = partial(get_meter("typedllm", meter_provider=provider).create_histogram)
    return _Instruments(
        histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_COUNTS,
        ),
        histogram(
            "gen_ai.client.operation.duration",
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        ),
        histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time to receive the first chunk of a streamed reply.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        ),
    )


@dataclass(slots=True)
class _Open:
    """An attempt whose span is open."""

    span: Span
    about: dict[str, Value]
    began: float
    ended: int | None = None


@dataclass(slots=True)
class Trace:
    """The spans of one call: one for the call, and below it one for each attempt."""

    tracing: Tracing
    schema: str
    _call: Span = field(init=False)
    _open: _Open | None = None

    def __post_init__(self) -> None:
        from opentelemetry.trace import SpanKind, get_tracer

        tracer = get_tracer("typedllm", tracer_provider=self.tracing.tracer_provider)
        self._call = tracer.start_span(f"generate {self.schema}", kind=SpanKind.INTERNAL)
        self._call.set_attribute("typedllm.schema.name", self.schema)

    @property
    def scope(self) -> Scope:
        """Makes the innermost open span the current one, for what runs inside it: HTTP clients, judges, hooks."""
        from opentelemetry.trace import use_span

        span = self._open.span if self._open is not None and self._open.ended is None else self._call
        return partial(use_span, span, record_exception=False, set_status_on_exception=False)

    def sent(self, kind: AttemptKind, request: Request, model: str) -> None:
        """A request is about to be sent."""
        from opentelemetry.trace import SpanKind, get_tracer, set_span_in_context

        about = _about(model)
        name = f"chat {about.get('gen_ai.request.model', model)}"
        tracer = get_tracer("typedllm", tracer_provider=self.tracing.tracer_provider)
        local = about["gen_ai.provider.name"] == "local"
        span = tracer.start_span(name, set_span_in_context(self._call), SpanKind.INTERNAL if local else SpanKind.CLIENT)
        span.set_attributes(about | _asked(request) | {"typedllm.attempt.kind": kind})
        if self.tracing.content:
            span.set_attribute("gen_ai.input.messages", _messages(request.messages))
        self._open = _Open(span, about, time.perf_counter())

    def answered(self, reply: Reply) -> None:
        """A reply came."""
        if (attempt := self._open) is None:
            return
        attempt.ended = time.time_ns()
        attempt.span.set_attributes(_told(reply))
        if self.tracing.content:
            attempt.span.set_attribute("gen_ai.output.messages", _written(reply))
        self._measure(attempt, reply, "")

    def failed(self, error: BaseException) -> None:
        """No whole reply came."""
        if (attempt := self._open) is None:
            return
        attempt.ended = time.time_ns()
        code = _type_of(error)
        _blame(attempt.span, code)
        self._measure(attempt, error.reply if isinstance(error, ModelError | BudgetError) else None, code)

    def attempted(self, attempt: Attempt) -> None:
        """The reply has been judged: its span ends, with the time at which the reply came."""
        if (opened := self._open) is None:
            return
        codes = tuple(dict.fromkeys(issue.code for issue in attempt.issues))
        opened.span.set_attribute("typedllm.issue.count", len(attempt.issues))
        if codes:
            opened.span.set_attribute("typedllm.issue.codes", codes)
        opened.span.end(opened.ended)
        self._open = None

    def end(self, attempts: Sequence[Attempt], error: BaseException | None) -> None:
        """The call has ended; a `GeneratorExit` says that it was given up."""
        if self._open is not None:
            self._open.span.end(self._open.ended)
        kinds = [attempt.kind for attempt in attempts]
        self._call.set_attribute("typedllm.attempt.count", len(kinds))
        self._call.set_attribute("typedllm.repair.count", sum(kind not in ("first", "step-down") for kind in kinds))
        if error is not None:
            _blame(self._call, _type_of(error))
        self._call.end()

    def _measure(self, attempt: _Open, reply: Reply | None, code: str) -> None:
        instruments = _instruments(self.tracing.meter_provider)
        about = {key: value for key, value in attempt.about.items() if key.startswith(("gen_ai.", "server."))}
        if reply is not None and reply.model:
            about["gen_ai.response.model"] = reply.model
        failed: dict[str, Value] = {"error.type": code} if code else {}
        instruments.seconds.record(time.perf_counter() - attempt.began, {**about, **failed})
        if reply is None:
            return
        for kind, count in (("input", reply.usage.input_tokens), ("output", reply.usage.output_tokens)):
            if count is not None:
                instruments.tokens.record(count, {**about, "gen_ai.token.type": kind})
        if reply.first_token_seconds is not None:
            instruments.first.record(reply.first_token_seconds, about)


def _about(model: str) -> dict[str, Value]:
    """Provider, model and address, from a model's name."""
    about: dict[str, Value] = {"gen_ai.operation.name": "chat"}
    address, _, below = model.partition("#")
    prefix, _, named = model.partition(":")
    if below and "://" in address:
        parts = urlsplit(address)
        about |= {"gen_ai.provider.name": parts.hostname or address, "gen_ai.request.model": below}
        about |= {"server.address": parts.hostname or address}
        about |= {"server.port": parts.port or (443 if parts.scheme == "https" else 80)}
    else:
        about |= {"gen_ai.provider.name": _PROVIDERS.get(prefix, prefix), "gen_ai.request.model": named or prefix}
    return about


def _asked(request: Request) -> dict[str, Value]:
    said: dict[str, Value] = {"gen_ai.output.type": "json" if request.native is not None else "text"}
    for option, name in _SAMPLING.items():
        value = request.options.get(option)
        if isinstance(value, int | float):
            said[f"gen_ai.request.{name}"] = value
    stop = request.options.get("stop")
    if stop:
        said["gen_ai.request.stop_sequences"] = [stop] if isinstance(stop, str) else [str(each) for each in stop]
    return said


def _told(reply: Reply) -> dict[str, Value]:
    said: dict[str, Value] = {
        name: count for name, key in _TOKENS.items() if (count := getattr(reply.usage, key)) is not None
    }
    if reply.model:
        said["gen_ai.response.model"] = reply.model
    if reply.finish_reason is not None:
        said["gen_ai.response.finish_reasons"] = [reply.finish_reason]
    if reply.first_token_seconds is not None:
        said["gen_ai.response.time_to_first_chunk"] = reply.first_token_seconds
    if reply.usage.cost is not None:
        said["typedllm.cost"] = float(reply.usage.cost)
    said["typedllm.retry.count"] = reply.retries
    return said


def _messages(messages: Sequence[Message]) -> str:
    return json.dumps([{"role": each.role, "parts": _parts(each)} for each in messages], ensure_ascii=False)


def _parts(message: Message) -> list[Mapping[str, object]]:
    """The text of a message as the conventions want it; of other parts their kind alone."""
    if isinstance(message.content, str):
        return [{"type": "text", "content": message.content}]
    return [
        {"type": "text", "content": part["text"]} if "text" in part else {"type": str(part.get("type", "data"))}
        for part in message.content
    ]


def _written(reply: Reply) -> str:
    parts = [{"type": "reasoning", "content": reply.reasoning}] if reply.reasoning else []
    parts.append({"type": "text", "content": reply.text})
    return json.dumps(
        [{"role": "assistant", "parts": parts, "finish_reason": reply.finish_reason or ""}], ensure_ascii=False
    )


def _type_of(error: BaseException) -> str:
    """A name of few values: the HTTP status, our own code, or the exception's name."""
    if isinstance(error, ModelError):
        return error.code if error.status is None else str(error.status)
    if isinstance(error, BudgetError):
        return error.bound
    if isinstance(error, GeneratorExit):
        return "cancelled"
    return type(error).__qualname__


def _blame(span: Span, code: str) -> None:
    """Mark a span as failed. The message is left out: it may quote the reply."""
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR))
