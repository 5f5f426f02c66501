"""Reading the reply to a patch: as parts, or as the whole where the model wrote that after all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from typedllm.declared import Schema
from typedllm.options import Settings
from typedllm.records import MISSING, Fix, Reading, Reply
from typedllm.repair.patch import CUT, Patch, compact
from typedllm.schema.walk import is_object

T = TypeVar("T")


def read_patch(schema: Schema[T], settings: Settings, patch: Patch, fixes: tuple[Fix, ...], reply: Reply) -> Reading[T]:
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
        whole = schema.examine(reply.text, reply.finish_reason, settings.policy, settings.context)
        return whole if whole.status == "ok" else replace(whole, status=_told(answer.status), found=MISSING)
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
