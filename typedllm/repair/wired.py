"""A type in the shape that a service is asked for: made once, shown, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from typedllm.declared import Schema
from typedllm.reading import plain
from typedllm.reading.examine import Examination, spans_of
from typedllm.reading.fixes import FAULTS, TIER
from typedllm.reading.spans import LazySpans, LazyTuple
from typedllm.reading.target import Target
from typedllm.records import MISSING, FinishReason, Issue, JsonSchema, Native, Policy, Reading, Reply
from typedllm.schema.admits import admits
from typedllm.schema.bare import bare
from typedllm.schema.build import strip_hints
from typedllm.schema.codecs import Trail
from typedllm.schema.profiles import Profile
from typedllm.schema.typescript import render
from typedllm.schema.walk import is_object, walk
from typedllm.schema.wire import Wire, to_wire, wire_key

T = TypeVar("T")

_BOUNDS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}) | {
    "minLength",
    "maxLength",
}


@dataclass(frozen=True, slots=True)
class Wired:
    """A wire schema with what the package makes of it.

    Attributes:
        wire: the schema with its codec.
        document: its schema as it is sent: without its words where the service does not show them to the model.
        target: the shape as the reader knows it.
        typescript: the shape as the prompt shows it.
        allows: whether the type allows lossy fixes, which only the type itself says.
    """

    wire: Wire
    document: JsonSchema
    target: Target
    typescript: str
    allows: bool = False


def wired(schema: Schema[Any], profile: Profile) -> Wired | None:
    """The type as this service takes it; None where it is not known what the service takes."""
    accepts = profile.accepts
    return (
        None
        if accepts is None
        else schema.once(
            (wire_key(accepts), profile.shows_schema),
            lambda: _wired(schema, to_wire(schema.document, accepts), profile.shows_schema),
        )
    )


def _wired(schema: Schema[Any], wire: Wire, shown: bool) -> Wired:
    typescript = schema.typescript() if wire.is_same else render(wire.schema, schema.name)
    document = wire.schema if shown else bare(wire.schema)
    allows = any(is_object(node) and "x-allow" in node for _, node in walk(schema.document))
    return Wired(wire, document, schema.target if wire.is_same else Target(wire.schema), typescript, allows)


def decoded_freely(native: Native | None, reply: Reply, reading: Reading[Any]) -> bool:
    """Whether a reply was plainly not decoded under the schema that went with the request.

    Kinds, keys and constants are looked at, which every decoder holds; of bounds and patterns not all do.
    """
    if native is None or native.mode == "json" or reply.finish_reason != "stop" or reading.reasoning:
        return False
    try:
        data = json.loads(reply.text)
    except (ValueError, RecursionError):
        return True
    document = strip_hints(native.document, _BOUNDS)
    return not admits(document, document, data)


def reshaped(schema: Schema[Any], profile: Profile, native: Native | None) -> Wired | None:
    """The shape that a request asks for, where it is not that of the type."""
    if native is None or native.mode == "json" or schema.is_text:
        return None
    found = wired(schema, profile)
    return None if found is None or found.wire.is_same or native.document is not found.document else found


def dump_wired(schema: Schema[T], found: Wired, value: T) -> str:
    """A value as a model would write it for such a request."""
    return json.dumps(found.wire.encode(json.loads(schema.dump(value))), ensure_ascii=False, separators=(",", ":"))


def examine_wired(
    schema: Schema[T],
    found: Wired,
    text: str,
    finish_reason: FinishReason | None,
    policy: Policy,
    context: Mapping[str, Any] | None,
) -> Reading[T]:
    """The reading of a reply to such a request, in terms of the user's type.

    What was written in the user's own shape after all is taken too: decoding leaves it as it is.

    Args:
        schema: the declared type.
        found: the shape that was asked for.
        text: what the model wrote.
        finish_reason: why it stopped, when known.
        policy: which fixes are applied.
        context: pydantic's validation context.
    """

    def judge(data: Any, _: str | None) -> tuple[T | None, tuple[Issue, ...]]:
        decoded, trail = found.wire.decode_with_notes(data)
        result = schema.validate(decoded, context=context)
        back = {here: there for there, here in trail.places.items()}
        issues = tuple(replace(issue, path=_moved(back, issue.path)) for issue in (*trail.issues, *result.issues))
        return (None, issues) if issues else (result.value, ())

    try:
        data = MISSING if found.target.is_hollow else plain.parse(text.encode())
    except ValueError:
        data = MISSING
    if data is not MISSING:
        value, issues = judge(data, None)
        if not issues:
            decoded, trail = found.wire.decode_with_notes(data)
            spans = LazySpans(lambda: {trail.place(at): span for at, span in spans_of(text, found.target).items()})
            return Reading("ok", value, lambda: decoded, spans=spans)
    reading = Examination(found.target, judge, policy, finish_reason).read(text)
    theirs = _in_user_terms(found, reading)
    if reading.data is MISSING or found.wire.decode_with_notes(reading.data)[1].issues:
        return theirs
    return _by_the_type(schema, theirs, policy, context)


def _by_the_type(
    schema: Schema[T], reading: Reading[T], policy: Policy, context: Mapping[str, Any] | None
) -> Reading[T]:
    """The same by what only the type itself says: what it allows, and the names of its members.

    The shape that a service is sent has no room for it.
    """
    known = TIER.keys() | FAULTS.keys()
    if reading.status != "invalid" or any(issue.code in known for issue in reading.issues):
        return reading
    again = schema.examine(json.dumps(reading.data, ensure_ascii=False), "stop", policy, context)
    if again.status != "ok":
        return reading
    mended = tuple(replace(fix, span=reading.spans.get(fix.path)) for fix in again.fixes)
    moved = any(fix.kind == "drop_item" for fix in mended)
    return replace(
        again,
        fixes=(*reading.fixes, *mended),
        spans={} if moved else reading.spans,
        candidates=reading.candidates,
        reasoning=reading.reasoning,
    )


def _moved(places: Mapping[str, str], pointer: str) -> str:
    return Trail(places=dict(places)).place(pointer)


def _in_user_terms(found: Wired, reading: Reading[T]) -> Reading[T]:
    written = reading.data
    decoded, trail = (MISSING, Trail()) if written is MISSING else found.wire.decode_with_notes(written)
    return replace(
        reading,
        found=decoded,
        issues=tuple(replace(issue, path=trail.place(issue.path)) for issue in reading.issues),
        fixes=LazyTuple(lambda: tuple(replace(fix, path=trail.place(fix.path)) for fix in reading.fixes)),
        spans=LazySpans(lambda: {trail.place(at): span for at, span in reading.spans.items()}),
    )
