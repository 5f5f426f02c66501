"""Reading the reply to a patch: as parts, or as the whole that holds them where the model wrote that after all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from typedllm.declared import Schema
from typedllm.options import Settings
from typedllm.records import MISSING, Fix, Reading, ReadingStatus, Reply
from typedllm.repair.calls import Mended
from typedllm.repair.patch import CUT, Patch, Slot, compact
from typedllm.schema.subschema import at
from typedllm.schema.walk import is_list, is_object
from typedllm.validation import pointer

T = TypeVar("T")


def read_patch(schema: Schema[T], settings: Settings, patch: Patch, fixes: Sequence[Fix], reply: Reply) -> Reading[T]:
    """The whole document with the reply's parts in it, validated as a whole.

    Args:
        schema: the declared type.
        settings: the options of the call.
        patch: what was asked for.
        fixes: those of the document that is patched.
        reply: what came.

    Returns:
        The reading; its data is `MISSING` where the reply holds neither parts nor a valid whole.
    """
    answer = Schema.from_json_schema(patch.document).examine(reply.text, reply.finish_reason, settings.policy, None)
    data = answer.data
    parts = patch.written(data)
    if not parts and not _says_nothing(patch, data):
        whole = _read_whole(schema, settings, patch, fixes, reply, _told(answer.status))
        return whole if whole.status == "ok" else _read_bare(schema, settings, patch, fixes, reply) or whole
    spliced = patch.splice(parts)
    reading = schema.examine(compact(spliced), "stop", settings.policy, settings.context)
    reading = replace(
        reading,
        fixes=(*patch.kept(fixes, parts), *patch.moved(answer.fixes), *_left_out(patch, data), *reading.fixes),
        spans={patch.place(path): span for path, span in answer.spans.items() if path},
        candidates=answer.candidates,
        reasoning=answer.reasoning,
    )
    if answer.status != "truncated":
        return reading
    cut = [replace(issue, path=patch.place(issue.path)) for issue in answer.issues if issue.code in CUT]
    others = [issue for issue in reading.issues if issue.code != "missing"]
    return replace(reading, status="truncated", value=None, found=spliced, issues=(*cut, *others))


def put_in(schema: Schema[T], settings: Settings, reading: Reading[T], mended: Iterable[Mended]) -> Reading[T] | None:
    """An invalid document with the parts that were asked for again while it came; None where there are none in it."""
    slots: list[Slot] = []
    parts: dict[str, Any] = {}
    for part in mended:
        there = at(reading.data, part.pointer)
        if MISSING not in (part.data, there) and compact(part.before) == compact(there):
            slots.append(Slot(part.pointer, True))
            parts[part.pointer] = part.data
    if not parts:
        return None
    patch = Patch(reading.data, tuple(slots), {})
    whole = schema.examine(compact(patch.splice(parts)), "stop", settings.policy, settings.context)
    spans = {path: span for path, span in reading.spans.items() if not _is_inside(path, parts)}
    fixes = (*patch.kept(reading.fixes, parts), *whole.fixes)
    return replace(whole, fixes=fixes, spans=spans, candidates=reading.candidates, reasoning=reading.reasoning)


def _is_inside(path: str, parts: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in parts)


def _read_whole(
    schema: Schema[T], settings: Settings, patch: Patch, fixes: Sequence[Fix], reply: Reply, status: ReadingStatus
) -> Reading[T]:
    """A whole that was written in place of the parts: those are taken out of it, and the rest stays what it was."""
    whole = schema.examine(reply.text, reply.finish_reason, settings.policy, settings.context)
    parts = _out_of(whole.data, patch) if whole.status == "ok" else {}
    if not parts:
        return replace(whole, status=status, value=None, found=MISSING)
    reading = schema.examine(compact(patch.splice(parts)), "stop", settings.policy, settings.context)
    taken = tuple(f"{place.removesuffix('/-')}/" for place in parts)
    rest = Fix("", "unasked_part", "packaging", before=compact(whole.data)[:80])
    inside = [fix for fix in whole.fixes if f"{fix.path}/".startswith(taken)]
    return replace(
        reading,
        fixes=(*patch.kept(fixes, parts), *inside, rest, *reading.fixes),
        spans={path: span for path, span in whole.spans.items() if f"{path}/".startswith(taken)},
        candidates=whole.candidates,
        reasoning=whole.reasoning,
    )


def _read_bare(
    schema: Schema[T], settings: Settings, patch: Patch, fixes: Sequence[Fix], reply: Reply
) -> Reading[T] | None:
    """The value of the only part that was asked for, written without its pointer; None where the reply is no such."""
    if len(patch.slots) != 1 or reply.finish_reason == "length":
        return None
    (slot,) = patch.slots
    node = patch.document["properties"][slot.pointer]
    part = Schema.from_json_schema({**node, "$defs": patch.document.get("$defs", {})} if is_object(node) else node)
    answer = part.examine(reply.text, reply.finish_reason, settings.policy, None)
    loose = any(fix.kind in ("plain_text", "envelope") for fix in answer.fixes)
    if answer.status != "ok" or loose or _may_be_whole(patch, answer.data):
        return None
    parts = patch.written({slot.pointer: answer.data})
    place = pointer([slot.pointer])
    bare = Fix(patch.place(place), "bare_part", "packaging", before=compact(answer.data)[:80])
    moved = patch.moved(replace(fix, path=place + fix.path) for fix in answer.fixes)
    reading = schema.examine(compact(patch.splice(parts)), "stop", settings.policy, settings.context)
    return replace(
        reading,
        fixes=(*patch.kept(fixes, parts), *moved, bare, *reading.fixes),
        spans={patch.place(place + path): span for path, span in answer.spans.items()},
        candidates=answer.candidates,
        reasoning=answer.reasoning,
    )


def _may_be_whole(patch: Patch, data: object) -> bool:
    """Whether an object may be meant as the whole, or as parts by pointer: then it is no part, though it fits one."""
    known = patch.base.keys() if is_object(patch.base) else ()
    return is_object(data) and any(key in known or key.startswith("/") for key in data)


def _out_of(whole: Any, patch: Patch) -> dict[str, Any]:
    """The parts that were asked for, as a whole value has them."""
    found: dict[str, Any] = {}
    for slot in patch.slots:
        listed = slot.pointer.removesuffix("/-")
        value = at(whole, listed)
        if listed != slot.pointer and is_list(value):
            had: Any = at(patch.base, listed)
            value = value[len(had) :] if value[: len(had)] == had else MISSING
        if value is not MISSING:
            found[slot.pointer] = value
    return found


def _told(status: Any) -> Any:
    return "invalid" if status == "ok" else status


def _says_nothing(patch: Patch, data: object) -> bool:
    """Whether the reply is an object of parts that leaves all of them as they are."""
    return is_object(data) and data.keys() <= {slot.pointer for slot in patch.slots}


def _left_out(patch: Patch, data: object) -> list[Fix]:
    """Parts that nobody asked for, which stay as they were."""
    asked = {slot.pointer for slot in patch.slots}
    unasked = [(name, value) for name, value in data.items() if name not in asked] if is_object(data) else []
    return [Fix(name, "unasked_part", "packaging", before=compact(value)[:80]) for name, value in unasked]
