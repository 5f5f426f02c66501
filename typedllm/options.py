"""The options of a call: what may be said, the defaults, and how several layers of them are merged."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal, TypeAlias, TypeGuard, cast

from typing_extensions import TypedDict

from typedllm.budget import Budget
from typedllm.prices import Priced
from typedllm.records import Attempt, Message, NativeMode, Policy, Request
from typedllm.tracing import Tracing

OnInvalid: TypeAlias = Literal["off", "warn", "stop"]
OnBroken: TypeAlias = Literal["raise", "resume"]
NativeChoice: TypeAlias = Literal["auto", "require", "repair", "prompt"] | NativeMode
Strategy: TypeAlias = Literal["auto", "full", "patch", "constrain"]
Layout: TypeAlias = Literal["user", "assistant"]


class Options(TypedDict, total=False):
    """Keyword arguments that clients, prompt functions and their methods share; a nearer one wins.

    Attributes:
        max_repairs: how often the model is asked again, at most (default 2; 0: never).
        timeout: seconds for the whole call, all repairs and transport retries included (default 120; None: no bound).
        policy: which fixes are applied on this machine (default `"safe"`: the lossless ones).
        allow: names of lossy fixes to apply on top.
        native: how the schema is carried: `"auto"` (the best way that the service supports, stepping down visibly when
            it refuses or ignores it), `"require"` (the same without stepping down), `"repair"` (in the prompt at first,
            natively in repairs), or one way: `"schema"`, `"tool"`, `"json"`, `"prompt"`.
        strategy: what a repair asks for: `"auto"` (the failing parts where that saves tokens, else the whole),
            `"full"` (the whole), `"patch"` (the failing parts wherever they can be asked for alone), `"constrain"` (the
            whole, decoded under the schema where the service can).
        layout: where a repair quotes the rejected reply: in the `"user"` turn, as data (default), or as the turn of
            the `"assistant"` that it was.
        repair_temperature: temperature of the repair that follows when a repair brought no progress (default: none is
            set).
        escalate_at: with several models: the number of the repair that the next model is asked for (1: the first
            repair already; default: when `max_repairs` of a model are spent).
        system: instructions that stand before the schema in the system message.
        history: earlier turns of the conversation.
        examples: pairs of a request and the value of the declared type that it should give.
        context: pydantic's validation context.
        checks: rules of your own on the value; a `ValueError` or `AssertionError` goes back to the model in its words.
        logprobs: ask for token log-probabilities (default False).
        min_confidence: ask again for what the model held less probable: a bound from 0 to 1 for every value of a closed
            set and every number; or bounds by JSON Pointer, where `*` stands for one step (`{"/items/*/size": 0.9}`).
            It asks for log-probabilities.
        throttle: in a stream, seconds between two snapshots at the least (default 0: each piece gives one).
        on_invalid: in a stream, what happens when a closed part can never be valid: nothing (`"off"`, the default), a
            log line (`"warn"`), or the end of the stream (`"stop"`), after which the model is asked for what is wrong
            or missing.
        max_chars: in a stream, characters of one reply (default 8,000,000).
        max_repeats: in a stream, characters of the same text again and again (four times or more) that are taken for a
            model that will not end (default 16,384; None: any number).
        idle_timeout: in a stream, seconds in which nothing at all may come from the service, after which the reply is
            given up (default 60; None: no bound). A model of your own finds it in the request.
        on_broken: in a stream, what happens when the connection breaks, or goes silent, in the middle of a reply:
            `"raise"` (default: the `ModelError`, with what came in its `reply`), or `"resume"`: what is closed is
            kept, and the rest asked for by a repair.
        budget: bounds on requests, tokens and money, one `Budget` or several; they may be shared between calls.
        price: what a model costs, for `max_cost` and for the accounts: a `Price`, or prices by the model's name; it
            wins over the list prices of the package genai-prices.
        on_attempt: called with each `Attempt` when its reply has been read.
        on_repair: called with the `Attempt` that failed and the `Request` of its repair, before that is sent. Hooks
            may be coroutine functions; what one raises ends the call and reaches the caller as it is.
        trace: whether spans and metrics are recorded where `opentelemetry-api` is installed (default True, without
            prompts and replies), or a `Tracing` that says what and to whom.
        temperature, top_p, max_tokens, seed, stop, presence_penalty, frequency_penalty, reasoning_effort: sampling
            options, sent only when given, since some models reject some of them.
        extra: further fields of the request body, sent as they are.
    """

    max_repairs: int
    timeout: float | None
    policy: Policy | Literal["strict", "safe", "lenient"]
    allow: Sequence[str]
    native: NativeChoice
    strategy: Strategy
    layout: Layout
    repair_temperature: float | None
    escalate_at: int | None
    system: str
    history: Sequence[Message]
    examples: Sequence[tuple[Any, Any]]
    context: Mapping[str, Any]
    checks: Sequence[Callable[..., object]]
    logprobs: bool
    min_confidence: float | Mapping[str, float] | None
    throttle: float
    on_invalid: OnInvalid
    max_chars: int
    max_repeats: int | None
    idle_timeout: float | None
    on_broken: OnBroken
    budget: Budget | Sequence[Budget] | None
    price: Priced | None
    on_attempt: Callable[[Attempt], object] | None
    on_repair: Callable[[Attempt, Request], object] | None
    trace: bool | Tracing
    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    stop: str | Sequence[str]
    presence_penalty: float
    frequency_penalty: float
    reasoning_effort: str
    extra: Mapping[str, Any]


SAMPLING: Final = (
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Options with their defaults filled in; the fields mean what they mean on `Options`."""

    max_repairs: int = 2
    timeout: float | None = 120.0
    policy: Policy = field(default_factory=Policy.of)
    native: NativeChoice = "auto"
    strategy: Strategy = "auto"
    layout: Layout = "user"
    repair_temperature: float | None = None
    escalate_at: int | None = None
    system: str = ""
    history: tuple[Message, ...] = ()
    examples: tuple[tuple[Any, Any], ...] = ()
    context: Mapping[str, Any] | None = None
    checks: tuple[Callable[..., object], ...] = ()
    logprobs: bool = False
    min_confidence: float | Mapping[str, float] | None = None
    throttle: float = 0.0
    on_invalid: OnInvalid = "off"
    max_chars: int = 8_000_000
    max_repeats: int | None = 16_384
    idle_timeout: float | None = 60.0
    on_broken: OnBroken = "raise"
    budget: Budget | Sequence[Budget] | None = None
    price: Priced | None = None
    on_attempt: Callable[[Attempt], object] | None = None
    on_repair: Callable[[Attempt, Request], object] | None = None
    trace: bool | Tracing = True
    sampling: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The budgets, each once."""
        given = self.budget
        return () if given is None else (given,) if isinstance(given, Budget) else tuple(dict.fromkeys(given))

    @property
    def tracing(self) -> Tracing | None:
        """What is traced; None: nothing."""
        return self.trace if isinstance(self.trace, Tracing) else Tracing() if self.trace else None

    def merge(self, options: Mapping[str, Any]) -> Settings:
        """These settings with nearer options over them.

        Raises:
            TypeError: there is no option of that name.
            ValueError: an option's value is out of its range.
        """
        said: dict[str, Any] = {key: options[key] for key in options if options[key] is not None or key not in _EMPTY}
        options = said
        if not options:
            return self
        _check(options)
        sampling = {**self.sampling, **{key: said[key] for key in SAMPLING if key in said}, **said.get("extra", {})}
        changes: dict[str, Any] = {key: options[key] for key in _PLAIN if key in options}
        for key in ("history", "examples", "checks"):
            if key in options:
                changes[key] = tuple(options[key])
        if "policy" in options or "allow" in options:
            changes["policy"] = Policy.of(options.get("policy", self.policy), _allowed(options.get("allow", ())))
        if changes.get("min_confidence") is not None:
            changes["logprobs"] = True
        return replace(self, sampling=sampling, **changes)


_PLAIN: Final = (
    "max_repairs",
    "timeout",
    "native",
    "strategy",
    "layout",
    "repair_temperature",
    "escalate_at",
    "system",
    "context",
    "logprobs",
    "min_confidence",
    "throttle",
    "on_invalid",
    "max_chars",
    "max_repeats",
    "idle_timeout",
    "on_broken",
    "budget",
    "price",
    "on_attempt",
    "on_repair",
    "trace",
)
_CHOICES: Final = {
    "native": ("auto", "require", "repair", "schema", "tool", "json", "prompt"),
    "strategy": ("auto", "full", "patch", "constrain"),
    "layout": ("user", "assistant"),
    "on_invalid": ("off", "warn", "stop"),
    "on_broken": ("raise", "resume"),
}
_EMPTY: Final = frozenset({*SAMPLING, "system", "history", "examples", "checks", "allow", "extra"})
"""Where None says the same as saying nothing."""

_KNOWN: Final = frozenset(Options.__annotations__)
assert {f.name for f in fields(Settings)} - {"sampling"} <= _KNOWN  # the two lists are one


def _allowed(kinds: Sequence[str]) -> frozenset[str]:
    from typedllm.reading.fixes import known

    return known(kinds)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: object) -> TypeGuard[Collection[Any]]:
    return isinstance(value, Collection) and not isinstance(value, str | Mapping)


def _is_list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: _is_list(value) and all(map(fits, value))


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple | list) and len(cast("Sequence[object]", value)) == 2


_Kind: TypeAlias = tuple[Callable[[Any], bool], str]
_NUMBER: Final[_Kind] = (_is_number, "a number")
_TEXT: Final[_Kind] = (lambda value: isinstance(value, str), "a text")
_MAPPING: Final[_Kind] = (lambda value: isinstance(value, Mapping), "a mapping")
_KINDS: Final[Mapping[str, _Kind]] = {
    "system": _TEXT,
    "reasoning_effort": _TEXT,
    "history": (
        _is_list_of(lambda each: isinstance(each, Message)),
        "a list of Messages, such as Message('user', '...')",
    ),
    "examples": (_is_list_of(_is_pair), "a list of pairs of a request and its value"),
    "checks": (_is_list_of(callable), "a list of functions"),
    "allow": (_is_list_of(lambda each: isinstance(each, str)), "a list of names of fixes"),
    "context": _MAPPING,
    "extra": _MAPPING,
    "budget": (
        lambda value: isinstance(value, Budget) or _is_list_of(lambda each: isinstance(each, Budget))(value),
        "a Budget, or a list of them",
    ),
    "on_attempt": (callable, "a function"),
    "on_repair": (callable, "a function"),
    **dict.fromkeys(("timeout", "idle_timeout", "throttle", "max_chars", "max_repeats", "temperature"), _NUMBER),
    **dict.fromkeys(("repair_temperature", "top_p", "max_tokens", "seed"), _NUMBER),
    **dict.fromkeys(("presence_penalty", "frequency_penalty"), _NUMBER),
}
"""What the values of options are, where another kind would fail far away from here, or at the service."""


def _check(options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(_KNOWN))}"
            raise TypeError(
                f"unknown option: {name} ({hint}; fields for the service itself go into extra={{...}}, keys, addresses "
                "and transport retries to the model: OpenAIModel(...))"
            )
    for name, (fits, what) in _KINDS.items():
        if options.get(name) is not None and not fits(options[name]):
            raise TypeError(f"{name} is not {what}: {options[name]!r}")
    repairs = options.get("max_repairs", 0)
    if not isinstance(repairs, int) or repairs < 0:
        raise ValueError(f"max_repairs is not a whole number of repairs from 0 on: {repairs!r}")
    _check_confidence(options.get("min_confidence"))
    timeout = options.get("timeout")
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout is not a number of seconds above 0: {timeout!r} (None: no bound)")
    idle = options.get("idle_timeout")
    if idle is not None and not idle > 0:
        raise ValueError(f"idle_timeout is not a number of seconds above 0: {idle!r} (None: no bound)")
    _check_stream(options)
    rung = options.get("escalate_at")
    if rung is not None and (not isinstance(rung, int) or rung < 1):
        raise ValueError(f"escalate_at is not the number of a repair, from 1 on: {rung!r}")
    for name, choices in _CHOICES.items():
        if name in options and options[name] not in choices:
            raise ValueError(f"unknown {name}: {options[name]!r} (use one of {', '.join(choices)})")


def _check_stream(options: Mapping[str, Any]) -> None:
    throttle = options.get("throttle", 0.0)
    if throttle is None or not throttle >= 0:
        raise ValueError(f"throttle is not a number of seconds from 0 on: {throttle!r}")
    for name, none in (("max_chars", ""), ("max_repeats", " (None: no bound)")):
        bound = options.get(name, 1)
        if not (isinstance(bound, int) and bound > 0) and not (bound is None and none):
            raise ValueError(f"{name} is not a number of characters from 1 on: {bound!r}{none}")


def _check_confidence(bound: object) -> None:
    bounds = cast("Mapping[object, object]", bound) if isinstance(bound, Mapping) else {"": bound}
    for pointer, each in bounds.items():
        if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
            raise ValueError(
                f'min_confidence names no place: {pointer!r} (write a JSON Pointer, such as "/items/*/size")'
            )
        if each is not None and not (isinstance(each, int | float) and 0 <= each <= 1):
            raise ValueError(f"min_confidence is not a probability from 0 to 1: {each!r}")
