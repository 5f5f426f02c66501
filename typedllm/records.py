"""The nouns of the framework: plain data, without behaviour that needs anything else of the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from typedllm.policy import LOSSLESS_TIERS
from typedllm.policy import Policy as Policy
from typedllm.policy import Tier as Tier

if TYPE_CHECKING:
    from typedllm.errors import TypedLLMError

T = TypeVar("T")

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
JsonSchema: TypeAlias = "dict[str, Any]"

Role: TypeAlias = Literal["system", "user", "assistant"]
NativeMode: TypeAlias = Literal["schema", "tool", "json"]
FinishReason: TypeAlias = Literal["stop", "length", "content_filter", "refusal", "cut"]
Source: TypeAlias = Literal["text", "tool", "error"]
AttemptKind: TypeAlias = Literal["first", "full", "patch", "constrain", "step-down"]


class Missing(Enum):
    """The absence of a JSON value, which None cannot say."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


class Span(NamedTuple):
    """Where something stands in a reply's text: character offsets, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fix:
    """One change made on this machine.

    Attributes:
        path: JSON Pointer of the part that changed; `""` is the root.
        kind: name of the leniency, such as `"trailing_comma"`.
        tier: `packaging`, `syntax` and `schema` are lossless; `guess` and `loss` are not.
        before: what the model wrote, cut to a bound.
        after: what it became, as JSON text, cut to a bound.
        span: where `before` stands in the reply.
    """

    path: str
    kind: str
    tier: Tier
    before: str = ""
    after: str = ""
    span: Span | None = None

    @property
    def lossless(self) -> bool:
        """Whether the text (or the declared type) admitted this one reading only."""
        return self.tier in LOSSLESS_TIERS

    def __str__(self) -> str:
        return f"{self.path or '/'}: {self.kind}: {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with a reply.

    Attributes:
        path: JSON Pointer into the document that the model wrote; `""` is the root.
        code: a stable name, such as `"missing"`, `"enum"`, `"truncated"`.
        expected: what the declared type wants here, in the words of the prompt.
        got: what the model wrote here, as JSON text, cut to a bound.
        message: the rule in words where `expected` cannot say it (a validator's own message).
        span: where the part stands in the reply.
        proposal: the reading that a lossy fix would have taken, had the caller allowed it.
    """

    path: str
    code: str
    expected: str = ""
    got: str = ""
    message: str = ""
    span: Span | None = None
    proposal: Fix | None = None

    def __str__(self) -> str:
        said = [f"expected {self.expected}"] if self.expected else []
        got = self.got or ("nothing" if self.code == "missing" else "")
        said += [f"got {got}"] if got else []
        said += [self.message] if self.message else []
        return f"{self.path or '/'}: {', '.join(said) or self.code}"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money; None is "not reported", never 0.

    Attributes:
        input_tokens: tokens of the prompt, cached ones included.
        cached_tokens: of these, how many the service read from its prompt cache.
        output_tokens: tokens of the reply, reasoning included.
        reasoning_tokens: of these, how many were spent on reasoning.
        cost: money in US dollars.
        requests: how many replies are summed here.
        unreported: how many of them came without usage.
        priced: of how many the cost is known, and so in `cost`.
    """

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: Decimal | None = None
    requests: int = 0
    unreported: int = 0
    priced: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.cached_tokens, other.cached_tokens),
            _sum(self.output_tokens, other.output_tokens),
            _sum(self.reasoning_tokens, other.reasoning_tokens),
            other.cost if self.cost is None else self.cost if other.cost is None else self.cost + other.cost,
            self.requests + other.requests,
            self.unreported + other.unreported,
            self.priced + other.priced,
        )


def _sum(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: `system`, `user` or `assistant`.
        content: text, or content parts (text, images) as the service takes them.
    """

    role: Role
    content: str | Sequence[Mapping[str, Any]]

    @property
    def text(self) -> str:
        """The text of the message; parts that are not text are left out."""
        if isinstance(self.content, str):
            return self.content
        return "".join(str(part["text"]) for part in self.content if "text" in part)


@dataclass(frozen=True, slots=True)
class Native:
    """The schema as the service itself is asked to enforce it.

    Attributes:
        mode: `schema` (response format), `tool` (the arguments of one forced tool), `json` (any JSON object).
        name: name of the schema or tool.
        document: the wire schema; empty for `json`.
        strict: whether the service is asked for strict decoding, where it knows such a flag.
    """

    mode: NativeMode
    name: str = "reply"
    document: JsonSchema = field(default_factory=dict[str, Any])
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """What one call sends.

    Attributes:
        messages: the conversation, stable parts first.
        native: the schema as the service is asked to enforce it; None: it stands in the prompt only.
        options: sampling options, under the names of the Chat Completions API, `max_tokens` among them.
        timeout: seconds that are left for this request with all its transport retries; None: no bound.
        logprobs: whether token log-probabilities are wanted.
        idle_timeout: seconds without a byte after which a streamed reply is given up; None: no bound.
        partial: whether the error of a stream that breaks is to hold what came: one who keeps the pieces needs no
            second copy.
    """

    messages: tuple[Message, ...]
    native: Native | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    timeout: float | None = None
    logprobs: bool = False
    idle_timeout: float | None = None
    partial: bool = True


class TokenLogprob(NamedTuple):
    """A token of the reply with its natural-log probability, and the alternatives at its place.

    A token that is a part of a character holds its bytes as surrogate escapes (PEP 383), as `confidence.token_bytes`
    takes them back.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Attributes:
        text: what the model wrote as its answer, wherever the service put it.
        finish_reason: `stop`, `length` (token limit), `content_filter`, `refusal`, `cut` (stopped by this side).
        source: where the text stood: in the message, in a tool call's arguments, or in a service's error.
        refusal: the words with which the model declined.
        reasoning: reasoning that the service sent apart from the text, and, once it is read, what stood in the text.
        usage: what the service says it cost.
        model: the name that the service gives the model.
        logprobs: log-probabilities of the tokens of `text`, when asked for and given.
        retries: how often this request was sent again because the transport failed.
        seconds: from the sending to the last byte, retries included.
        first_token_seconds: to the first piece of text, when streamed.
        queue_seconds: from the call's wish to the sending: waiting for a free thread, connection or model.
    """

    text: str
    finish_reason: FinishReason | None = "stop"
    source: Source = "text"
    refusal: str | None = None
    reasoning: str = ""
    usage: Usage = Usage(requests=1, unreported=1)
    model: str = ""
    logprobs: tuple[TokenLogprob, ...] | None = None
    retries: int = 0
    seconds: float = 0.0
    first_token_seconds: float | None = None
    queue_seconds: float = 0.0


def with_reasoning(reply: Reply, said: str) -> Reply:
    """A reply that was read, with the reasoning that stood in its text, signs around it included."""
    return replace(reply, reasoning="\n".join(filter(None, (reply.reasoning, said)))) if said else reply


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a streamed reply; the fields mean what they mean on `Reply`, and what is None says nothing."""

    text: str = ""
    reasoning: str = ""
    refusal: str | None = None
    finish_reason: FinishReason | None = None
    source: Source | None = None
    usage: Usage | None = None
    model: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request with its reply, and what was made of it.

    Attributes:
        kind: `first`, a repair (`full`, `patch`, `constrain`), or a `step-down` to a way of carrying the schema
            that the service accepts.
        request: what was sent; None when a text was read without a model.
        reply: what came back; None when nothing came.
        fixes: what was changed on this machine.
        issues: what was wrong.
        model: the `ChatModel` that was asked.
        judging: what models that judged the reply cost.
    """

    kind: AttemptKind
    request: Request | None
    reply: Reply | None
    fixes: Sequence[Fix] = ()
    issues: tuple[Issue, ...] = ()
    model: str = ""
    judging: Usage = Usage()

    @property
    def usage(self) -> Usage:
        """What the attempt cost, the judging included."""
        if self.reply is None:
            return self.judging
        return self.reply.usage + self.judging if self.judging.requests else self.reply.usage


ReadingStatus: TypeAlias = Literal[
    "ok", "empty", "refused", "truncated", "no_json", "broken_json", "invalid", "ambiguous"
]


class Candidate(NamedTuple):
    """A part of the reply that was considered as the answer."""

    span: Span
    chosen: bool
    reason: str


@dataclass(slots=True)  # not frozen: that would double what it costs to make one, and each reply makes one
class Reading(Generic[T]):
    """What was found in one reply.

    Attributes:
        status: `ok`, or the kind of failure.
        value: the value of the declared type; None unless `ok`.
        found: the data, or a function that gives it: most callers never ask for it.
        issues: what is wrong; empty when `ok`.
        fixes: what was changed on this machine.
        spans: JSON Pointer to where its value stands in the text.
        candidates: the parts of the text that were considered.
        reasoning: reasoning that stood in the text.
    """

    status: ReadingStatus
    value: T | None = None
    found: Any = MISSING
    issues: tuple[Issue, ...] = ()
    fixes: Sequence[Fix] = ()
    spans: Mapping[str, Span] = field(default_factory=dict[str, Span])
    candidates: Sequence[Candidate] = ()
    reasoning: str = ""

    @property
    def data(self) -> Any:
        """The JSON that was read, fixes included, as far as it is closed; `MISSING` when there is none."""
        return self.found() if callable(self.found) else self.found


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """The outcome of a call: a value, or an error that says why not.

    Attributes:
        error: why there is no value; None when there is one.
        attempts: every request with its reply, oldest first.
        fixes: the changes on this machine that the value rests on.
        issues: what was wrong with the last reply; empty when there is a value.
        spans: JSON Pointer to where its value stands in the text of the last reply.
        candidates: the parts of the last reply that were considered as the answer.
        usage: summed over all attempts.
        seconds: from the call to its end.
        model: name of the `ChatModel` that wrote the value.
        confidence: JSON Pointer to the probability that the model gave to the text there; empty without `logprobs`.
    """

    _value: T | None
    error: TypedLLMError | None = None
    attempts: tuple[Attempt, ...] = ()
    fixes: Sequence[Fix] = ()
    issues: tuple[Issue, ...] = ()
    spans: Mapping[str, Span] = field(default_factory=dict[str, Span])
    candidates: Sequence[Candidate] = ()
    usage: Usage = Usage()
    seconds: float = 0.0
    model: str = ""
    confidence: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    @property
    def value(self) -> T:
        """The value of the declared type.

        Raises:
            TypedLLMError: `error`, when there is none.
        """
        if self.error is not None:
            raise self.error
        return self._value  # type: ignore[return-value]  # with no error the value is a T, which may itself be None

    def __repr__(self) -> str:
        outcome = repr(self._value) if self.ok else f"error={self.error!r}"
        return f"Result({outcome}, attempts={len(self.attempts)}, fixes={len(self.fixes)}, model={self.model!r})"
