"""What is declared for a place of the document, worked out once for each: the facts that showing a part rests on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from typedllm.reading.fixes import TIER
from typedllm.reading.nodes import Node
from typedllm.reading.shape import Kind, Shape, kind_of
from typedllm.records import MISSING, Policy

Container: TypeAlias = Literal["object", "array"]

_TYPES: Final[dict[Kind, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_OTHER: Final = "\0"  # no key is this one: the place of all keys that are not declared


class Place:
    """One place, by each arm that may be meant around it.

    Args:
        declared: what each arm declares.
        policy: which fixes are applied.

    Attributes:
        several: whether there is more than one arm.
        texts: whether a text here stays as it was written, whatever its end.
        sure: types of data that stand here as they are.
    """

    def __init__(self, declared: tuple[Shape, ...], policy: Policy) -> None:
        self.declared = declared
        self.policy = policy
        self.several = len(declared) > 1
        self.texts = all(self._only_texts(shape) for shape in declared)
        self.sure = frozenset[type].intersection(*map(self._sure, declared)) if declared else frozenset[type]()
        self._of_kind: dict[str, Place] = {}
        self._below: dict[str, Place] = {}
        self._kept: dict[str, Place | None] = {}
        self._item: Place | None = None

    def of_kind(self, kind: Container) -> Place:
        """The same, by the plain arms that take such a container."""
        found = self._of_kind.get(kind)
        if found is None:
            found = Place(tuple(shape for shape in plain(self.declared) if kind in shape.kinds), self.policy)
            self._of_kind[kind] = found
        return found

    def member(self, key: str) -> Place:
        """The place of a member."""
        found = self._below.get(key)
        if found is None:
            name = key if any(shape.foresees(key) for shape in self.declared) else _OTHER
            found = self._below.get(name)
            found = found or Place(_distinct(shape.child(key) for shape in self.declared), self.policy)
            self._below[name] = found
        return found

    def item(self, index: int) -> Place:
        """The place of an item."""
        if self._item is not None:
            return self._item
        name = str(index) if any(index < len(shape.prefix) for shape in self.declared) else _OTHER
        found = self._below.get(name)
        if found is None:
            items = _distinct(shape.item(index) for shape in self.declared)
            found = self._below[name] = Place(items, self.policy)
        if not any(shape.prefix for shape in self.declared):
            self._item = found
        return found

    def kept(self, key: str) -> Place | None:
        """The place of a member; None where one of this key may come to stand under another."""
        try:
            return self._kept[key]
        except KeyError:
            found = self.member(key) if self._keeps(key) else None
            if any(key in each.properties for each in self.declared):
                self._kept[key] = found
            return found

    def _keeps(self, key: str) -> bool:
        """Whether a member of this key stays under it."""
        return all(each.foresees(key) or each.open or isinstance(each.extra, Shape) for each in self.declared)

    def takes(self, data: object) -> bool:
        """Whether data stands here as it is, whichever arm is meant around it."""
        return type(data) in self.sure or all(self._takes(shape, data) for shape in self.declared)

    @cached_property
    def drops(self) -> bool:
        """Whether items that do not fit may be left out, whichever arm is meant."""
        return any(self._permits("drop_item", shape) for shape in self.declared)

    @cached_property
    def _defaults(self) -> tuple[str, ...]:
        """The keys that an object may get when it closes without them."""
        pairs = ((key, shape.child(key)) for shape in self.declared for key in shape.required)
        return tuple(key for key, part in pairs if part.default is not MISSING and self._permits("default", part))

    def fills_in(self, written: Collection[object]) -> bool:
        """Whether an object with these keys may get further ones when it closes."""
        return bool(self._defaults) and any(key not in written for key in self._defaults)

    def may_lack(self, key: str) -> bool:
        """Whether a member of this key is a property that may be left out."""
        return all(key not in shape.required for shape in self.declared)

    def narrowed(self, key: str, value: object) -> Place:
        """The arms that are meant, now that a literal is known that only some of them take."""
        if not all(key in shape.properties and shape.properties[key].literals for shape in self.declared):
            return self
        meant = tuple(shape for shape in self.declared if self._takes(shape.properties[key], value))
        return Place(meant, self.policy) if meant and len(meant) < len(self.declared) else self

    def _permits(self, kind: str, shape: Shape) -> bool:
        return self.policy.permits(kind, TIER[kind]) or kind in shape.allow

    def _as_written(self, shape: Shape, length: int | None = None) -> bool:
        """Whether a text (of this length; None: of any) stands under a shape as it is."""
        if shape.hint or shape.format:
            return False
        fits = shape.longest is None or (length is not None and length <= shape.longest)
        return fits or not self._permits("cut_string", shape)

    def _sure(self, shape: Shape) -> frozenset[type]:
        """Types of data that stand under a shape as they are, without a look at the data."""
        if shape.arms:
            return frozenset[type]().union(*map(self._sure, shape.arms))
        if shape.literals is not None:
            return frozenset()
        kinds = shape.kinds if self._as_written(shape) else shape.kinds - {"string"}
        return frozenset(each for kind in kinds for each in _TYPES.get(kind, ()))

    def _takes(self, shape: Shape, value: object) -> bool:
        if shape.arms:
            return any(self._takes(arm, value) for arm in shape.arms)
        if shape.literals is not None:
            return any(type(each) is type(value) and each == value for each in shape.literals)
        if value is MISSING or (isinstance(value, str) and not self._as_written(shape, len(value))):
            return False
        kind = kind_of(value)
        return kind in shape.kinds or (kind == "integer" and "number" in shape.kinds)

    def _only_texts(self, declared: Shape) -> bool:
        texts = [shape for shape in plain((declared,)) if "string" in shape.kinds]
        return bool(texts) and all(shape.literals is None and self._as_written(shape) for shape in texts)


def plain(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """The shapes with unions as their arms, each once."""
    return _distinct(arm for shape in shapes for arm in (shape.arms or (shape,)))


def as_written(node: Node) -> Any:
    """The value of a scalar that was written as JSON writes it; `MISSING` for any other."""
    kind, value = node.kind, node.value
    if kind == "string" or kind == "literal":
        return value
    if kind == "number" and isinstance(value, str):
        return int(value) if value.removeprefix("-").isdecimal() else float(value)
    return MISSING


def _distinct(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    return tuple(dict.fromkeys(shapes))
