"""What a model's service really does, found out by asking it: nothing is believed of a table or of a status 200."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, cast

from pydantic_core import from_json

from typedllm import prompts
from typedllm.errors import ModelError
from typedllm.models import ChatModel
from typedllm.records import JsonSchema, Message, Native, NativeMode, Reply, Request
from typedllm.schema.profiles import Profile

__all__ = ["ModeReport", "ProbeReport", "probe"]

Outcome: TypeAlias = Literal["enforced", "ignored", "rejected", "unclear"]
Probing: TypeAlias = Generator[Request, "Reply | ModelError", "ProbeReport"]

MODES: Final[tuple[NativeMode, ...]] = ("schema", "tool", "json")
_FINAL: Final = frozenset({"config", "auth", "connection", "timeout", "rate_limit"})
_OPTIONS: Final = {"max_tokens": 2048}


@dataclass(frozen=True, slots=True)
class ModeReport:
    """What came of one way of carrying a schema.

    Attributes:
        mode: the way.
        outcome: `enforced`: the reply obeys a schema that nobody can guess, against the words of the prompt;
            `ignored`: it does not; `rejected`: the service does not take the request; `unclear`: no whole reply came.
        said: the reply, or the service's error.
    """

    mode: NativeMode
    outcome: Outcome
    said: str


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a model's service really does.

    Attributes:
        model: which was asked.
        modes: each way of carrying a schema, in the order of `MODES`.
        checks_schemas: whether a schema that is no schema is refused; None when no schema is enforced at all.
        logprobs: whether token log-probabilities came.
        usage: whether the tokens were reported.
        reasoning: whether reasoning came apart from the text.
        tags: whether reasoning came in `<think>` tags within the text.
    """

    model: str
    modes: tuple[ModeReport, ...]
    checks_schemas: bool | None
    logprobs: bool
    usage: bool
    reasoning: bool
    tags: bool

    @property
    def enforced(self) -> tuple[NativeMode, ...]:
        """The ways in which a schema is really enforced."""
        return tuple(report.mode for report in self.modes if report.outcome == "enforced")

    def corrected(self, profile: Profile) -> Profile:
        """The profile with what was found out in place of what was believed; what stayed unclear is kept."""
        known = {report.mode for report in self.modes if report.outcome != "unclear"}
        kept = [mode for mode in profile.native if mode not in known]
        native = tuple(mode for mode in MODES if mode in self.enforced or mode in kept)
        return replace(profile, native=native, logprobs=self.logprobs)


def probe(model: ChatModel, *, timeout: float | None = 60.0) -> ProbeReport:
    """Ask a model five or six small questions, and tell what its service really does.

    Args:
        model: which is asked.
        timeout: seconds for each question; None: no bound.

    Raises:
        ModelError: the service cannot be asked at all: no key, no connection, no such model, no time left.
        TypeError: the model answers coroutine functions only.
    """
    questions = _questions(model.name)
    answer: Reply | ModelError | None = None
    while True:
        try:
            request = next(questions) if answer is None else questions.send(answer)
        except StopIteration as end:
            report: ProbeReport = end.value
            return report
        answer = _answer(model, replace(request, timeout=timeout))


def _answer(model: ChatModel, request: Request) -> Reply | ModelError:
    try:
        reply = model.complete(request)
    except ModelError as error:
        if error.code in _FINAL:
            raise
        return error
    if not isinstance(reply, Reply):
        if inspect.iscoroutine(reply):
            reply.close()
        raise TypeError(f"{model.name} answers coroutine functions only (give it a `complete` that blocks)")
    return reply


def _questions(name: str) -> Probing:
    plain = yield _request(prompts.PROBE_WORD, logprobs=True)
    told = plain if isinstance(plain, Reply) else (yield _request(prompts.PROBE_WORD))
    if isinstance(told, ModelError):
        raise told
    modes: list[ModeReport] = []
    replies = [told]
    for mode in MODES:
        words = [secrets.token_hex(4) for _ in range(3)]
        question = prompts.PROBE_WORD if mode == "json" else prompts.PROBE_OBJECT
        answer = yield _request(question, Native(mode, "probe", {} if mode == "json" else _schema(words)))
        modes.append(_judged(mode, answer, words))
        replies += [answer] if isinstance(answer, Reply) else []
    checks = None
    if modes[0].outcome == "enforced":
        wrong = yield _request(prompts.PROBE_OBJECT, Native("schema", "probe", {"type": secrets.token_hex(4)}))
        checks = isinstance(wrong, ModelError)
    return ProbeReport(
        name,
        tuple(modes),
        checks,
        logprobs=isinstance(plain, Reply) and plain.logprobs is not None,
        usage=any(not reply.usage.unreported for reply in replies),
        reasoning=any(reply.reasoning for reply in replies),
        tags=any("</think>" in reply.text for reply in replies),
    )


def _request(question: str, native: Native | None = None, *, logprobs: bool = False) -> Request:
    return Request((Message("user", question),), native, _OPTIONS, logprobs=logprobs)


def _schema(words: list[str]) -> JsonSchema:
    return {
        "type": "object",
        "properties": {"word": {"type": "string", "enum": words}},
        "required": ["word"],
        "additionalProperties": False,
    }


def _judged(mode: NativeMode, answer: Reply | ModelError, words: list[str]) -> ModeReport:
    if isinstance(answer, ModelError):
        rejected = answer.code in {"schema_rejected", "bad_request"}
        return ModeReport(mode, "rejected" if rejected else "unclear", str(answer))
    if answer.finish_reason not in {"stop", None} or not answer.text.strip():
        return ModeReport(mode, "unclear", answer.text or f"finish reason: {answer.finish_reason}")
    value = _value(answer.text)
    obeyed = isinstance(value, dict) if mode == "json" else value in [{"word": word} for word in words]
    return ModeReport(mode, "enforced" if obeyed else "ignored", answer.text)


def _value(text: str) -> object:
    try:
        return cast("object", from_json(text.rpartition("</think>")[2]))
    except ValueError:
        return None
