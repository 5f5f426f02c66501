"""What the loop is given, what it asks of its driver, and the request that a call begins with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from typedllm import prompts
from typedllm.declared import Schema
from typedllm.errors import ModelError
from typedllm.options import Settings
from typedllm.records import MISSING, Attempt, JsonSchema, Message, Native, NativeMode, Request, Result
from typedllm.repair.wired import Wired, dump_wired, reshaped, wired
from typedllm.schema.instances import instance
from typedllm.schema.profiles import PROMPT_ONLY, Profile
from typedllm.tracing import Scope
from typedllm.watch import Watch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rung:
    """One model of the ladder.

    Attributes:
        model: name of the `ChatModel`.
        profile: what its service accepts.
        refused: ways of carrying the schema that this model is known to refuse for this schema; added to.
    """

    model: str = ""
    profile: Profile = PROMPT_ONLY
    refused: set[NativeMode] = field(default_factory=set[NativeMode])


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that is to be sent: the driver sends back the reply, or throws the `ModelError`.

    Attributes:
        request: what is to be sent.
        rung: to which model of the ladder.
        scope: the context to do it in, so that traces of HTTP clients find their place; a driver whose requests do
            not wait for their replies leaves it out.
        whole: whether the whole value is asked for, not some parts of it.
    """

    request: Request
    rung: int = 0
    scope: Scope = nullcontext
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """A rule or hook of the caller's that is to be run: the driver calls it, awaits what it gives if that is to be
    awaited, and sends the outcome, or throws.

    Attributes:
        run: what is called.
        name: how it is called in errors.
        blocks: whether it waits for I/O, so that an event loop runs it in a thread.
        scope: the context to do it in, as for `Ask`.
    """

    run: Callable[[], object]
    name: str
    blocks: bool = False
    scope: Scope = nullcontext


Step: TypeAlias = Ask | Check
Loop: TypeAlias = Generator[Step, object, Result[T]]


@dataclass(frozen=True, slots=True)
class Mended:
    """A part of a reply that was asked for again on its own, while the reply came.

    Attributes:
        pointer: where it stands.
        before: what the reply has there.
        data: what it became; `MISSING` where nothing valid came.
        attempts: what was asked for that.
    """

    pointer: str
    before: Any
    data: Any
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """All that the loop needs to know of one call.

    Attributes:
        schema: the declared type.
        task: the last user turn: the request itself.
        settings: the merged options.
        ladder: the models, in the order in which they are asked.
        arguments: the call's arguments by name, for checks that ask for them.
        clock: seconds, monotonic.
        watch: keeps the accounts of this call; one call each.
        mended: parts of the reply that is coming which were asked for again; the loop takes them over.
    """

    schema: Schema[T]
    task: Message
    settings: Settings
    ladder: tuple[Rung, ...] = (Rung(),)
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    clock: Callable[[], float] = time.monotonic
    watch: Watch = field(default_factory=Watch)
    mended: list[Mended] = field(default_factory=list[Mended])


def first_request(call: Call[Any], rung: int = 0, native: Native | Literal["chosen"] | None = "chosen") -> Request:
    """The request that a call begins with.

    Args:
        call: the call.
        rung: which model of its ladder.
        native: the schema as the service enforces it, where it is not the one that the call begins with.
    """
    settings, schema = call.settings, call.schema
    native = native_schema(call, rung) if native == "chosen" else native
    shape = reshaped(schema, call.ladder[rung].profile, native)
    if schema.is_text:
        words = prompts.text_system(settings.system)
    else:
        typescript = (
            "" if shown_natively(call, rung, native) else schema.typescript() if shape is None else shape.typescript
        )
        words = prompts.system(schema.name, typescript, settings.system, _example(call, rung, native, shape))
    messages = [Message("system", words)]
    for asked, value in settings.examples:
        messages.append(asked if isinstance(asked, Message) else Message("user", asked))
        written = value if schema.is_text else dump_wired(schema, shape, value) if shape else schema.dump(value)
        messages.append(Message("assistant", written))
    return Request(
        (*messages, *settings.history, call.task), native, settings.sampling, settings.timeout, settings.logprobs
    )


def shown_natively(call: Call[Any], rung: int, native: Native | None) -> bool:
    """Whether the service itself shows the schema to the model, so that the prompt need not."""
    return native is not None and native.mode != "json" and call.ladder[rung].profile.shows_schema


def native_schema(call: Call[Any], rung: int, *, repair: bool = False) -> Native | None:
    """The schema as the service of that rung is asked to enforce it.

    Args:
        call: the call.
        rung: which model of its ladder.
        repair: whether it is for a repair, which may be constrained where the first request is not.
    """
    choice, profile, refused = call.settings.native, call.ladder[rung].profile, call.ladder[rung].refused
    if repair and (choice == "repair" or call.settings.strategy == "constrain"):
        modes: Iterable[NativeMode] = profile.native
    elif choice == "prompt" or choice == "repair":
        modes = ()
    else:
        modes = profile.native if choice == "auto" or choice == "require" else (choice,)
    if call.schema.is_text:
        return None
    modes = [mode for mode in modes if mode not in refused]
    for mode in modes:
        if (native := _native(call.schema, profile, mode)) is not None:
            return native
    if choice == "require" and modes and (found := wired(call.schema, profile)):
        raise ModelError(
            f"{call.ladder[rung].model} cannot enforce {call.schema.name}: {'; '.join(found.wire.reasons)} "
            '(change the type, or let native="auto" carry it in another way)',
            code="schema_unfit",
        )
    return None


def _native(schema: Schema[Any], profile: Profile, mode: NativeMode) -> Native | None:
    """The schema carried in that way; None where the service would not take it."""
    if mode == "json":
        return Native(mode, "reply")
    found = wired(schema, profile)
    if found is None:
        return Native(mode, "reply", schema.plain)
    return Native(mode, "reply", found.document, found.wire.strict) if found.wire.fits else None


def _example(call: Call[Any], rung: int, native: Native | None, shape: Wired | None) -> str:
    """A made-up value, for a small model that nothing else holds to the form: one that is held copies its content."""
    if not call.ladder[rung].profile.example or (native is not None and native.mode == "schema"):
        return ""
    if shape is not None:
        return _written(shape.wire.schema)
    return call.schema.once("example", lambda: _written(call.schema.document))


def _written(document: JsonSchema) -> str:
    made = instance(document)
    return "" if made is MISSING else json.dumps(made, ensure_ascii=False)
