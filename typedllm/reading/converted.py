"""Plain JSON of another type than the declared one, converted in one pass: what the aligner makes of it, part by part.

Nothing is decided here. What stands as it is stays; a scalar that does not is shown to the aligner, once for all that
are equal; so are the keys of an object. What takes a closer look than that is left to the aligner as a whole.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Any, Final, TypeAlias, cast

from typedllm.reading import words
from typedllm.reading.align import Aligner
from typedllm.reading.envelopes import ARGUMENTS
from typedllm.reading.fixes import TIER
from typedllm.reading.leaves import meaning
from typedllm.reading.nodes import Member, Node
from typedllm.reading.plain import parse
from typedllm.reading.shape import Kind, Shape
from typedllm.records import MISSING, Policy
from typedllm.schema.walk import is_list, is_object

_Plan: TypeAlias = "Sequence[tuple[str, Shape]]"
_LONG: Final = 4_000_000  # characters, of which a reply could have more parts than its bound
_INSIDE: Final = 4  # containers within a text
_DEEP: Final = 12  # containers, each of them at a short key: so that no JSON Pointer comes near its bound
_LONG_KEY: Final = 60
_ODD_NUMBER: Final = re.compile(r"-0(?![0-9.])|[0-9]{60}")  # to Python, -0 is 0
_CALL: Final = re.compile(r"\(\s*[^\W\d]\w*\s*=")
_CONTAINERS: Final = frozenset({dict, list})
_OBJECT: Final[frozenset[Kind]] = frozenset({"object"})
_ARRAY: Final[frozenset[Kind]] = frozenset({"array"})


class _UnclearError(Exception):
    """A part takes a closer look."""


def may_convert(text: str, policy: Policy) -> bool:
    """Whether the answer of a reply may be converted in one pass; a call in its prose may be one as well."""
    drops = policy.permits("drop_item", TIER["drop_item"])
    return "schema" in policy.tiers and not drops and _CALL.search(text) is None


def converted(text: str, shape: Shape, policy: Policy) -> str | None:
    """A JSON text as the aligner would have it; None where nothing is to be done, or it takes a closer look to tell.

    Args:
        text: an object or a list.
        shape: what is declared for it.
        policy: which fixes are applied.

    Raises:
        ValueError: it is not JSON.
    """
    data = parse(text.encode())
    if len(text) > _LONG or _ODD_NUMBER.search(text):
        return None
    converter = _Converter(policy)
    try:
        made = converter.part(data, shape, 0)
    except _UnclearError:
        return None
    return json.dumps(made) if converter.changed else None


class _Converter:
    """Converts one document.

    Attributes:
        changed: whether anything is not as it was.
    """

    def __init__(self, policy: Policy) -> None:
        self.changed = False
        self._policy = policy
        self._aligner = Aligner(policy)
        self._spelling = words.Spelling(0)  # what may be misspelt is left to the aligner
        self._nodes: list[Node] = []  # kept, since the aligner knows them by their identity
        self._leaves: dict[tuple[int, type, object], Any] = {}
        self._plans: dict[tuple[int, tuple[str, ...]], _Plan] = {}
        self._arms: dict[tuple[int, object], Shape] = {}
        self._tags: dict[tuple[int, tuple[str, ...]], str | None] = {}

    def part(self, data: Any, shape: Shape, depth: int) -> Any:
        """A part, converted."""
        kind = type(cast("object", data))
        if kind in shape.plain:
            return data
        if kind not in _CONTAINERS:
            return self._leaf(data, kind, shape)
        if depth > _DEEP:
            raise _UnclearError
        if shape.free:
            _see_depth(data, depth)
            return data
        meant = self._arm(data, shape) if shape.arms else shape
        return self._object(data, meant, depth) if kind is dict else self._array(data, meant, depth)

    def _kept(self, data: Any) -> Node:
        node = _node(data)
        self._nodes.append(node)
        return node

    def _array(self, data: list[Any], shape: Shape, depth: int) -> list[Any]:
        lists = len(data) > 1 and "array" in shape.items.kinds and list not in set(map(type, data))
        alone = len(data) == 1 and is_list(data[0]) and "array" not in shape.item(0).kinds
        if "array" not in shape.kinds or "drop_item" in shape.allow or alone or (lists and not shape.prefix):
            raise _UnclearError
        if shape.prefix:
            return [self.part(each, shape.item(index), depth + 1) for index, each in enumerate(data)]
        items = shape.items
        return [self.part(each, items, depth + 1) for each in data]

    def _object(self, data: dict[str, Any], shape: Shape, depth: int) -> dict[str, Any]:
        keys = tuple(data)
        plan = self._plans.get((id(shape), keys))
        if plan is None:
            plan = self._plans[id(shape), keys] = self._plan(keys, shape)
        return {key: self.part(each, below, depth + 1) for (key, below), each in zip(plan, data.values(), strict=True)}

    def _plan(self, keys: tuple[str, ...], shape: Shape) -> _Plan:
        """The declared keys that those of an object stand for, each with the shape of its value."""
        known, keyed = shape.properties, shape.properties or shape.extra is False or shape.keys is not None
        odd = shape.named is not None or "object" not in shape.kinds or not ARGUMENTS.isdisjoint(keys)
        if odd or any(len(key) > _LONG_KEY for key in keys) or _may_be_packed(keys, shape):
            raise _UnclearError
        made = [self._key(key, frozenset(keys), shape) for key in keys] if keyed else keys
        distinct = set(made)
        hollow = bool(known and keys and not shape.required and shape.extra is True and distinct.isdisjoint(known))
        if len(distinct) < len(made) or shape.lacks(distinct) or hollow:
            raise _UnclearError
        self.changed = self.changed or tuple(made) != keys
        return [(key, shape.child(key)) for key in made]

    def _key(self, key: str, keys: frozenset[str], shape: Shape) -> str:
        known, path = shape.properties, "/0"
        member = Member(key, Node("hole", None, 0, 0), 0)
        made: str | None = key
        if not (key in known or (not known and shape.extra is not False) or shape.foresees(key)):
            made = self._aligner._key(member, keys, shape, path)  # pyright: ignore[reportPrivateUsage]
        if made is not None and shape.keys is not None:
            made = self._aligner._map_key(member, shape.keys, path)  # pyright: ignore[reportPrivateUsage]
        if made is None:
            raise _UnclearError
        self._see_notes()
        return made

    def _arm(self, data: Any, shape: Shape) -> Shape:
        """The only arm of a union that a container can be meant for."""
        kind = type(cast("object", data))
        tag = self._tag(tuple(data), shape) if kind is dict and shape.tag is not None else None
        said = None if tag is None else cast("object", data[tag])
        if type(said) in _CONTAINERS:
            tag = said = None
        key = id(shape), (kind, tag, type(said), said)
        if key not in self._arms:
            self._arms[key] = self._found_arm(kind, shape, tag, said)
        return self._arms[key]

    def _tag(self, keys: tuple[str, ...], shape: Shape) -> str | None:
        """The key of an object that tells the arms apart, as it is written."""
        known = self._tags.get((id(shape), keys), MISSING)
        if known is MISSING:
            wanted = words.fold(shape.tag or "")
            known = next((key for key in keys if words.fold(key) == wanted), None)
            self._tags[id(shape), keys] = known
        return known

    def _found_arm(self, kind: type, shape: Shape, tag: str | None, said: object) -> Shape:
        found: Sequence[Shape] = ()
        if isinstance(said, float):
            raise _UnclearError
        if tag is not None and shape.tag is not None:
            node = Node("object", [Member(tag, _node(said), 0)], 0, 0)
            found = self._aligner._tagged(node, shape.tag, shape)  # pyright: ignore[reportPrivateUsage]
        kinds = _OBJECT if kind is dict else _ARRAY
        found = found or [arm for arm in shape.arms if not kinds.isdisjoint(arm.kinds)]
        if len(found) != 1:
            raise _UnclearError
        return found[0]

    # ---- scalars ----

    def _leaf(self, value: Any, kind: type, shape: Shape) -> Any:
        key = id(shape), kind, value
        made = self._leaves.get(key, MISSING)
        if made is MISSING:
            made = self._leaves[key] = self._aligned(value, shape)
            self.changed = self.changed or type(made) is not kind or made != value
        if type(made) not in _CONTAINERS:
            return made
        _see_depth(made, _DEEP - _INSIDE)
        return copy.deepcopy(made)

    def _aligned(self, value: Any, shape: Shape) -> Any:
        """What the aligner makes of a scalar; of a number its digits as they were written are not known."""
        node, whole = _node(value), shape.arms or shape.longest is not None
        meant = None if whole else meaning(node, shape, self._aligner.bounds.digits, self._spelling)
        if meant is not None and (not meant.kind or self._aligner.permits(meant.kind, shape)):
            made = meant.data
        else:
            made = self._aligner.align(self._kept(value), shape, "/0")
            self._see_notes()
        if made is MISSING or (isinstance(value, float) and not isinstance(made, int | float)):
            raise _UnclearError
        return made

    def _see_notes(self) -> None:
        """See that all that was noted may be done, and that no syntax was mended, in a text that is JSON itself."""
        aligner = self._aligner
        entries = aligner.entries
        if aligner.gave_up or aligner.passed_over or aligner.is_spent:
            raise _UnclearError
        for entry in entries:
            if entry.note.fault or not entry.is_permitted(self._policy) or TIER[entry.note.kind] == "syntax":
                raise _UnclearError
        entries.clear()


def _node(value: Any) -> Node:
    """Data as it would be written; the digits of a number may be others."""
    if is_object(value):
        return Node("object", [Member(key, _node(each), 0) for key, each in value.items()], 0, 0)
    if is_list(value):
        return Node("array", [_node(each) for each in value], 0, 0)
    if isinstance(value, str):
        return Node("string", value, 0, 0)
    if value is None or isinstance(value, bool):
        return Node("literal", value, 0, 0)
    return Node("number", json.dumps(value), 0, 0)


def _may_be_packed(keys: tuple[str, ...], shape: Shape) -> bool:
    """Whether an object with keys that must be there may stand in an envelope: none of its own is declared."""
    if not shape.required or not keys or keys[0] in shape.properties:
        return False
    return not any(key in shape.properties or words.fold(key) in shape.folded_keys for key in keys)


def _see_depth(data: Any, depth: int) -> None:
    """See that a part where nothing is declared is not so deep, nor at such keys, that its place would be too long."""
    if depth > _DEEP:
        raise _UnclearError
    if is_object(data) and any(len(key) > _LONG_KEY for key in data):
        raise _UnclearError
    for each in data.values() if is_object(data) else data:
        if type(each) in _CONTAINERS:
            _see_depth(each, depth + 1)
