"""Asking for the failing parts only: which they are, how they are typed, and how they are put into the document.

A patch is one JSON object whose keys are JSON Pointers fixed by this side and whose values have the types of those
parts. `/items/-` takes further items of a list. What stands outside the pointers is never touched: the splice copies
the containers on the way to a part and shares the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from typedllm import prompts
from typedllm.records import MISSING, Fix, Issue, JsonSchema
from typedllm.schema.subschema import Member, accepts_null, assemble, at, below, members, part, steps
from typedllm.schema.walk import Node, is_list, is_object
from typedllm.validation import pointer

MAX_SLOTS: Final = 40
"""Most parts that one patch asks for; above it the whole is asked for."""

OWN_WORDS: Final = frozenset({"value", "check", "rule"})
"""Codes of rules in code: they may look at several parts, so that any part below their place may be the wrong one."""

CUT: Final = frozenset({"truncated", "unfinished"})
"""Codes of parts that the end of the text cut off."""

BYTES_PER_TOKEN: Final = 4

_HEAVY: Final = 25
_SMALL: Final = 25
_CONTEXT: Final = 50
_SHOWN: Final = 600
_WORD: Final = re.compile(r"[^\W_]+")


def compact(data: object) -> str:
    """JSON as short as it gets."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def tokens(data: object) -> int:
    """About how many tokens the JSON of some data has."""
    return -(-len(compact(data).encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Slot:
    """One part that is asked for.

    Attributes:
        pointer: where it goes.
        schema: its type.
        required: whether it must be written; else it may be left as it is.
        removes: whether null takes the part out.
    """

    pointer: str
    schema: Node
    required: bool = True
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """Parts of a document that are asked for.

    Attributes:
        base: the document; never changed.
        slots: the parts; none stands within another.
        document: the schema of the reply.
        nullable: pointers of optional parts that may be null; elsewhere null leaves an optional part as it is.
    """

    base: Any
    slots: tuple[Slot, ...]
    document: JsonSchema
    nullable: frozenset[str] = frozenset()

    def written(self, data: object) -> dict[str, Any]:
        """What a reply writes of the parts that were asked for."""
        found: dict[str, Any] = {}
        if not is_object(data):
            return found
        for slot in self.slots:
            keeps = not (slot.required or slot.removes or slot.pointer in self.nullable)
            if slot.pointer in data and not (keeps and data[slot.pointer] is None):
                found[slot.pointer] = data[slot.pointer]
        return found

    def splice(self, parts: Mapping[str, Any]) -> Any:
        """The document with the parts in their places; what no pointer names is shared with the base."""
        whole = self.base
        for slot in self.slots:
            if slot.pointer in parts:
                whole = _put(whole, steps(slot.pointer), parts[slot.pointer], slot.removes)
        return whole

    def excerpt(self) -> dict[str, Any] | None:
        """What the model must see of the document, by pointer; None: the whole, since that is hardly more."""
        whole = tokens(self.base)
        if whole <= _SMALL:
            return None
        shown: dict[str, Any] = {}
        left = _SHOWN
        for place, value in (pair for slot in self.slots for pair in _around(self.base, slot.pointer)):
            if place not in shown and not _covered(place, shown) and (cost := tokens(value) + len(place) // 4) <= left:
                shown[place] = value
                left -= cost
        return shown if _SHOWN - left < whole else None

    def place(self, path: str) -> str:
        """Where a part of the reply goes, as a pointer into the document."""
        slot, *rest = steps(path) or [""]
        if slot.endswith("/-"):
            slot = slot.removesuffix("/-")
            had = at(self.base, slot)
            rest[:1] = [str(int(rest[0]) + len(had))] if rest and rest[0].isdecimal() else rest[:1]
        return slot + pointer(rest)

    def moved(self, fixes: Iterable[Fix]) -> Iterator[Fix]:
        """Fixes made while the patch was read, at their places in the document."""
        return (replace(fix, path=self.place(fix.path)) for fix in fixes)

    def kept(self, fixes: Iterable[Fix], parts: Mapping[str, Any]) -> Iterator[Fix]:
        """The fixes of the document that still hold when these parts were written anew."""
        return (fix for fix in fixes if not fix.path or not any(_within(fix.path, place) for place in parts))


def plan(document: JsonSchema, data: object, issues: Sequence[Issue]) -> Patch | None:
    """The patch that asks for what the issues name.

    Args:
        document: the schema of the whole.
        data: the rejected document, as far as it was read.
        issues: what is wrong with it.

    Returns:
        The patch; None where only the whole can be asked for.
    """
    found: dict[str, Slot] = {}
    for issue in issues:
        for slot in _slots(document, data, issue):
            old = found.get(slot.pointer)
            if old is None or (slot.required and not old.required):
                found[slot.pointer] = slot
    slots = tuple(_apart(found))
    if not slots or "" in found or len(slots) > MAX_SLOTS:
        return None
    typed = {slot.pointer: Member(_typed(slot), slot.required) for slot in slots}
    nullable = {slot.pointer for slot in slots if not slot.required and accepts_null(document, slot.schema)}
    return Patch(data, slots, assemble(document, typed), frozenset(nullable))


def _typed(slot: Slot) -> Node:
    if slot.removes:
        return {"type": "null", "description": prompts.TAKEN_OUT}
    if slot.pointer.endswith("/-"):
        return {"type": "array", "items": slot.schema, "description": prompts.FURTHER}
    return slot.schema


def _slots(document: JsonSchema, data: object, issue: Issue) -> Iterator[Slot]:
    if issue.code in CUT:
        yield from _open(document, data, issue.path)
        return
    where = _parent(issue.path) if issue.code == "tag" else issue.path
    if at(data, where) is MISSING:
        while where and at(data, _parent(where)) is MISSING:
            where = _parent(where)
    elif where and part(document, where, data) is None and is_object(at(data, _parent(where))):
        yield Slot(where, {"type": "null"}, removes=True)
        yield from _absent(document, data, _parent(where))
        return
    while where and part(document, where, data) is None:
        where = _parent(where)
    value = at(data, where)
    if issue.code in OWN_WORDS and is_object(value) and (not where or tokens(value) > _HEAVY):
        yield from _opened(document, data, where, issue.message)
    elif (node := part(document, where, data)) is not None:
        yield Slot(where, node)


def _open(document: JsonSchema, data: object, path: str) -> Iterator[Slot]:
    """What may be missing in the containers that were open where the text ended."""
    wanted = steps(path)
    for depth in range(len(wanted) + 1):
        where = pointer(wanted[:depth])
        value = at(data, where)
        if is_list(value) and (item := part(document, f"{where}/-", data)) is not None:
            yield Slot(f"{where}/-", item, required=False)
        elif is_object(value):
            yield from _absent(document, data, where)
        elif value is MISSING and is_object(at(data, _parent(where))) and (node := part(document, where, data)):
            yield Slot(where, node, required=False)


def _absent(document: JsonSchema, data: object, where: str) -> Iterator[Slot]:
    """The properties of an object that it does not have."""
    value = at(data, where)
    node = part(document, where, data)
    for name, member in ({} if node is None else members(document, node, value)).items():
        if below(value, name) is MISSING:
            yield Slot(where + pointer([name]), member.schema, member.required)


def _opened(document: JsonSchema, data: object, where: str, said: str) -> Iterator[Slot]:
    """The properties of an object, each of which may be the wrong one: those that the rule names, if it names any."""
    value = at(data, where)
    node = part(document, where, data)
    known = {} if node is None else members(document, node, value)
    slots: list[Slot] = []
    names: list[Collection[str]] = []
    for name in dict.fromkeys([*known, *value]):
        place = where + pointer([name])
        schema = known[name].schema if name in known else part(document, place, data)
        if schema is not None:
            slots.append(Slot(place, schema, required=False))
            names.append({name, schema.get("x-field", name)} if is_object(schema) else {name})
    words = _words(said)
    named = [slot for slot, own in zip(slots, names, strict=True) if any(_words(name) in words for name in own)]
    yield from named or slots


def _words(text: str) -> str:
    """The words of a text, or of a name in any of the usual styles, each between spaces."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return f" {' '.join(_WORD.findall(apart)).casefold()} "


def _apart(found: Mapping[str, Slot]) -> Iterator[Slot]:
    """The slots without those that stand within another; what must be written wins over what may."""
    for place, slot in found.items():
        around = [other for other in found.values() if other.pointer != place and _within(place, other.pointer)]
        inside = [other for other in found.values() if other.pointer != place and _within(other.pointer, place)]
        hidden = any(other.required or not slot.required for other in around)
        if not hidden and not (not slot.required and any(other.required for other in inside)):
            yield slot


def _within(place: str, whole: str) -> bool:
    return place == whole or place.startswith(f"{whole}/")


def _covered(place: str, shown: Iterable[str]) -> bool:
    return any(_within(place, other) for other in shown)


def _parent(place: str) -> str:
    return place.rpartition("/")[0]


def _put(whole: Any, path: Sequence[str], value: Any, removes: bool) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if is_list(whole):
        if head == "-":
            return [*whole, *(value if is_list(value) else [value])]
        index = int(head)
        return [*whole[:index], _put(whole[index], rest, value, removes), *whole[index + 1 :]]
    if not rest and removes and value is None:
        return {name: each for name, each in whole.items() if name != head}
    return {**whole, head: _put(whole.get(head), rest, value, removes)}


def _around(data: object, place: str) -> Iterator[tuple[str, Any]]:
    """What tells the model what a part is about: the object around it, as far as that is small."""
    where = _parent(place)
    around = at(data, where)
    if tokens(around) <= _CONTEXT:
        while where and tokens(at(data, _parent(where))) <= _CONTEXT:
            where = _parent(where)
        yield where, at(data, where)
        return
    if place.endswith("/-"):
        yield from ((f"{where}/{index}", around[index]) for index in range(max(0, len(around) - 2), len(around)))
    elif (own := at(data, place)) is not MISSING:
        yield place, own
    if is_object(around):
        small = [(where + pointer([name]), value) for name, value in around.items() if tokens(value) <= _CONTEXT // 3]
        yield from small[:12]
