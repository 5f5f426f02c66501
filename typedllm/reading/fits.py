"""Whether data stands under a shape as it is: aligning it would change nothing and note nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias, cast

from typedllm.reading import words
from typedllm.reading.bounds import DEFAULT
from typedllm.reading.leaves import meaning
from typedllm.reading.nodes import Node
from typedllm.reading.shape import Shape
from typedllm.schema.walk import is_list, is_object

_Seen: TypeAlias = "dict[tuple[int, int], bool]"
_CONTAINERS: Final = frozenset({"object", "array"})
_NO_SPELLING: Final = words.Spelling(0)


def fits(data: Any, shape: Shape) -> bool:
    """Whether plain JSON data stands under a shape as it is.

    Args:
        data: an object or a list.
        shape: what is declared.
    """
    return shape.free or _fits(data, shape, {})


def strays(data: Any, shape: Shape, kept: bool = False) -> bool:
    """Whether a key that the type does not declare may stand for one that it declares and that is not there.

    Args:
        data: plain JSON data.
        shape: what is declared.
        kept: whether the value keeps what is written under keys that are not declared.
    """
    return not shape.free and _strays(data, shape, kept, {}, words.Spelling(DEFAULT.compared))


def _strays(data: Any, shape: Shape, kept: bool, seen: _Seen, spelling: words.Spelling) -> bool:
    if shape.free or not data or not (is_list(data) or is_object(data)):
        return False
    if shape.arms:
        key = (id(data), id(shape))
        if key not in seen:
            seen[key] = any(_strays(data, arm, kept, seen, spelling) for arm in _meant(data, shape))
        return seen[key]
    if is_list(data):
        if shape.prefix:
            return any(_strays(value, shape.item(index), kept, seen, spelling) for index, value in enumerate(data))
        items = shape.items
        return bool(items.kinds & _CONTAINERS) and any(_strays(value, items, kept, seen, spelling) for value in data)
    if shape.has_stray(tuple(data), spelling, kept):
        return True
    return any(
        _strays(value, shape.child(key), kept, seen, spelling)
        for key, value in data.items()
        if isinstance(value, dict | list)
    )


def _fits(data: Any, shape: Shape, seen: _Seen) -> bool:
    kind = type(cast("object", data))
    if shape.free or kind in shape.plain:
        return True
    if shape.arms:
        return _fits_an_arm(data, shape, seen)
    if shape.literals is not None:
        return kind not in (dict, list) and shape.lists(data)
    if kind is dict:
        return "object" in shape.kinds and _object_fits(data, shape, seen)
    if kind is list:
        return "array" in shape.kinds and _array_fits(data, shape, seen)
    return kind is str and _text_fits(data, shape)


def _text_fits(data: str, shape: Shape) -> bool:
    meant = meaning(Node("string", data, 0, 0), shape, DEFAULT.digits, _NO_SPELLING)
    whole = shape.longest is None or len(data) <= shape.longest
    return meant is not None and not meant.kind and meant.data == data and whole


def _key_fits(key: str, shape: Shape) -> bool:
    meant = meaning(Node("string", key, 0, 0), shape, DEFAULT.digits, _NO_SPELLING)
    return meant is not None and str(meant.data) == key


def _fits_an_arm(data: Any, shape: Shape, seen: _Seen) -> bool:
    key = (id(data), id(shape))
    if key not in seen:
        seen[key] = any(_fits(data, arm, seen) for arm in _meant(data, shape))
    return seen[key]


def _meant(data: Any, shape: Shape) -> Iterable[Shape]:
    """The arms that may be meant: where a tag tells them apart, those that have it with this very value."""
    tag = shape.tag if is_object(data) else None
    if tag is None:
        return shape.arms
    said: object = data.get(tag)
    return (
        arm
        for arm in shape.arms
        if tag in arm.properties
        and any(type(each) is type(said) and each == said for each in arm.properties[tag].literals or ())
    )


def _object_fits(data: dict[str, Any], shape: Shape, seen: _Seen) -> bool:
    known, keys = shape.properties, data.keys()
    if shape.lacks(keys) or (shape.keys is not None and not all(_key_fits(key, shape.keys) for key in keys)):
        return False
    if known and keys <= known.keys():
        return all(type(value) in known[key].plain or _fits(value, known[key], seen) for key, value in data.items())
    if known or shape.extra is False:
        if known and not shape.required and known.keys().isdisjoint(keys):
            return False
        return all(key in known or shape.foresees(key) for key in keys) and _below_fits(data, shape, seen)
    return _below_fits(data, shape, seen)


def _below_fits(data: dict[str, Any], shape: Shape, seen: _Seen) -> bool:
    return all(_fits(value, shape.child(key), seen) for key, value in data.items())


def _array_fits(data: list[Any], shape: Shape, seen: _Seen) -> bool:
    if "drop_item" in shape.allow:
        return False
    if shape.prefix:
        return all(_fits(value, shape.item(index), seen) for index, value in enumerate(data))
    items = shape.items
    return items.free or items.plain.issuperset(map(type, data)) or all(_fits(value, items, seen) for value in data)
