"""Which request follows a failure: parts or the whole, what is shown, what is said, how it is decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from typedllm import prompts
from typedllm.records import (
    MISSING,
    AttemptKind,
    Fix,
    Issue,
    Message,
    Native,
    NativeMode,
    ReadingStatus,
    Request,
)
from typedllm.repair.calls import Call, first_request, native_schema, shown_natively
from typedllm.repair.feedback import lines
from typedllm.repair.patch import Patch, compact, plan, tokens
from typedllm.repair.wired import Wired, reshaped
from typedllm.schema.bare import bare
from typedllm.schema.build import strip_hints
from typedllm.schema.instances import instance
from typedllm.schema.profiles import Profile
from typedllm.schema.subschema import at, part
from typedllm.schema.typescript import Rendering, render
from typedllm.schema.wire import to_wire

QUOTE_LIMIT: Final = 8_000
"""Characters of a rejected reply that a repair quotes."""

PROSE_LIMIT: Final = 500
"""The same where no JSON was found in it."""

OUTPUT_WEIGHT: Final = 4
"""What a token of a reply costs in tokens of a prompt: services ask three to five times as much, and it takes longer."""

_WORDS: Final = 25
_TYPE: Final = 8
_UNKNOWN: Final = 10
_EXAMPLES: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """A request, and how its reply is to be read.

    Attributes:
        kind: what kind of attempt it is.
        request: what is sent.
        patch: the parts that it asks for; None: the whole.
    """

    kind: AttemptKind
    request: Request
    patch: Patch | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What a repair starts from.

    Attributes:
        status: the kind of failure.
        text: the rejected reply.
        issues: what is wrong with it.
        document: the JSON that was read of it; `MISSING` when none was.
        fixes: what was changed in that on this machine.
        native: how the schema was enforced on the reply.
        limit: the token limit that cut the reply, when known.
        stuck: how many repairs in a row brought no progress.
        plain: whether parts are asked for without a native schema, since the service refused one.
        free: whether the service plainly did not hold a reply to the native schema: there is no use in one then.
    """

    status: ReadingStatus
    text: str
    issues: tuple[Issue, ...]
    document: Any = MISSING
    fixes: Sequence[Fix] = ()
    native: NativeMode | None = None
    limit: int | None = None
    stuck: int = 0
    plain: bool = field(default=False, kw_only=True)
    free: bool = field(default=False, kw_only=True)


def repair_plan(call: Call[Any], rung: int, failure: Failure) -> Plan:
    """The cheapest repair that can work."""
    patch = _patch(call, failure)
    if patch is not None and call.settings.native == "require":
        native = native_schema(call, rung, repair=True)
        patch = patch if native is None or _narrowed(native, patch, call.ladder[rung].profile) is not None else None
    return _full(call, rung, failure) if patch is None else _parts(call, rung, failure, patch)


def _patch(call: Call[Any], failure: Failure) -> Patch | None:
    strategy = call.settings.strategy
    if strategy in ("full", "constrain") or failure.document is MISSING or call.schema.is_text:
        return None
    if (strategy == "auto" and failure.stuck) or (failure.plain and call.settings.native == "require"):
        return None
    patch = plan(call.schema.document, failure.document, failure.issues)
    wanted = strategy == "patch" or failure.status == "truncated"
    return patch if patch is not None and (wanted or pays(patch)) else None


def pays(patch: Patch) -> bool:
    """Whether asking for the parts takes fewer tokens than asking for the whole, by their sizes and what is said."""
    sizes = [
        (
            slot.required,
            tokens(slot.pointer) + (_UNKNOWN if (now := at(patch.base, slot.pointer)) is MISSING else tokens(now)),
        )
        for slot in patch.slots
    ]
    must = [size for required, size in sizes if required]
    may = [size for required, size in sizes if not required]
    written = sum(must) if must else sum(may) // len(may)
    excerpt = patch.excerpt()
    whole = tokens(patch.base)
    read = _WORDS + _TYPE * len(sizes) + sum(tokens(slot.pointer) for slot in patch.slots)
    read += whole if excerpt is None else tokens(excerpt)
    return OUTPUT_WEIGHT * written + read < (OUTPUT_WEIGHT + 1) * whole


def _full(call: Call[Any], rung: int, failure: Failure) -> Plan:
    native = _native(call, rung, failure)
    shape = reshaped(call.schema, call.ladder[rung].profile, native)
    request = first_request(call, rung) if shape is None else first_request(call, rung, native)
    if shape is not None:
        failure = _as_written(failure, shape)
    constrained = native is not None and native.mode == "schema" and failure.native != "schema"
    request = replace(request, native=native, options=_options(call, failure, whole=True))
    quoted, extras = _quoted(failure), _extras(call, request, failure, [""])
    found = partial(prompts.full_repair, is_json=failure.document is not MISSING)
    words = prompts.text_repair if call.schema.is_text else found
    messages = _asked(
        call,
        request,
        failure,
        lambda shown: words(quoted if shown else "", lines(failure.issues), extras),
    )
    return Plan("constrain" if constrained else "full", replace(request, messages=messages))


def _native(call: Call[Any], rung: int, failure: Failure) -> Native | None:
    """The schema as the service is asked to enforce it on a repair."""
    native = native_schema(call, rung, repair=True)
    profile = call.ladder[rung].profile
    needed = call.settings.native not in ("auto", "repair") or call.settings.strategy == "constrain"
    needed = needed or profile.shows_schema or reshaped(call.schema, profile, native) is not None
    return native if not failure.free or needed or (native and native.mode == "json") else None


def _as_written(failure: Failure, shape: Wired) -> Failure:
    """The failure with its document in the shape that is asked for; examples of the type would have another."""
    if failure.document is MISSING:
        return replace(failure, stuck=0)
    written = shape.wire.encode(failure.document)
    return replace(failure, document=written, text=compact(written), stuck=0)


def _parts(call: Call[Any], rung: int, failure: Failure, patch: Patch) -> Plan:
    profile = call.ladder[rung].profile
    whole = native_schema(call, rung)
    moved = reshaped(call.schema, profile, whole) is not None
    request = first_request(call, rung, None) if moved else first_request(call, rung)
    native = None if failure.plain else _narrowed(_native(call, rung, failure), patch, profile)
    request = replace(request, native=native, options=_options(call, failure, whole=False))
    extras = _extras(call, request, failure, [slot.pointer for slot in patch.slots])
    shown = shown_natively(call, rung, native)
    typescript = "" if shown else _typed(call, patch, named=moved or not shown_natively(call, rung, whole))
    typed = () if shown else [slot.pointer for slot in patch.slots]
    excerpt = patch.excerpt()
    seen = compact(patch.base) if excerpt is None else {place: compact(data) for place, data in excerpt.items()}
    optional = not all(slot.required for slot in patch.slots)
    messages = _asked(
        call,
        request,
        failure,
        lambda quoted: prompts.patch_repair(
            seen if quoted else "",
            lines(failure.issues, typed),
            typescript,
            name=call.schema.name,
            optional=optional,
            extras=extras,
        ),
    )
    return Plan("patch", replace(request, messages=messages), patch)


def _asked(call: Call[Any], request: Request, failure: Failure, words: Callable[[bool], str]) -> tuple[Message, ...]:
    """The conversation with the repair at its end."""
    quoted = prompts.cut(failure.text, QUOTE_LIMIT)
    if call.settings.layout == "assistant" and quoted.strip():
        return (*request.messages, Message("assistant", quoted), Message("user", words(False)))
    return prompts.append(request.messages, words(True))


def _quoted(failure: Failure) -> str:
    """The rejected reply as it is quoted: what was read of it, else its text."""
    if failure.status == "invalid" and failure.document is not MISSING:
        return prompts.cut(compact(failure.document), QUOTE_LIMIT)
    return prompts.cut(failure.text.strip(), PROSE_LIMIT if failure.document is MISSING else QUOTE_LIMIT)


def _options(call: Call[Any], failure: Failure, *, whole: bool) -> dict[str, Any]:
    """The sampling options; where a limit of the caller's cut the reply, twice that limit for the whole of it."""
    options = dict(call.settings.sampling)
    if failure.status == "truncated" and "max_tokens" in options and (whole or failure.stuck):
        options["max_tokens"] *= 2
    if failure.stuck and call.settings.repair_temperature is not None:
        options["temperature"] = call.settings.repair_temperature
    return options


def _extras(call: Call[Any], request: Request, failure: Failure, places: Sequence[str]) -> list[str]:
    """What is said beyond the issues: the limit that was met; examples, where the same was said before."""
    limit = request.options.get("max_tokens", failure.limit) if failure.status == "truncated" else None
    limited = prompts.text_limit if call.schema.is_text else prompts.limit
    said = [limited(limit)] if limit is not None else []
    return [*said, *_examples(call, failure, places)] if failure.stuck and not call.schema.is_text else said


def _examples(call: Call[Any], failure: Failure, places: Sequence[str]) -> list[str]:
    document = call.schema.document
    failing = [issue.path for issue in failure.issues if issue.path]
    said: list[str] = []
    for place in dict.fromkeys([*[place for place in places if place], *failing, ""]):
        node = part(document, place, failure.document)
        made = MISSING if node is None else instance(document, node if place else None)
        if made is not MISSING and len(said) < _EXAMPLES and not (said and not place):
            said.append(prompts.example(place, compact(made)))
    return said


def _typed(call: Call[Any], patch: Patch, *, named: bool) -> str:
    """The type of the patch: by the names that the prompt declares, or else with their declarations."""
    if not named:
        return render(patch.document, "Parts")
    rendering = Rendering(call.schema.document, call.schema.name)
    properties = patch.document["properties"]
    return prompts.patch_type(
        [
            (
                slot.pointer,
                slot.required,
                rendering.type(properties[slot.pointer], limit=2_000),
                rendering.words(properties[slot.pointer]),
            )
            for slot in patch.slots
        ]
    )


def _narrowed(native: Native | None, patch: Patch, profile: Profile) -> Native | None:
    """The way in which the schema is carried, for the parts; None where the service takes them in another shape only."""
    if native is None or native.mode == "json":
        return native
    if profile.accepts is None:
        return replace(native, name="parts", document=strip_hints(patch.document))
    wire = to_wire(patch.document, profile.accepts)
    if not (wire.fits and wire.is_same):
        return None
    document = wire.schema if profile.shows_schema else bare(wire.schema)
    return replace(native, name="parts", document=document, strict=wire.strict)
