"""Which arms of a union an object can still be meant for, told by its keys before any of them is tried."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from typedllm.reading import words
from typedllm.reading.shape import Shape


class Rank(NamedTuple):
    """How badly something fits; less is better."""

    unfit: int
    lossy: int
    unknown: int
    mended: int


BEST = Rank(0, 0, 0, 0)


class Chance(NamedTuple):
    """What the keys of an object tell of one arm.

    Attributes:
        floor: it fits no better than that.
        number: its place among the arms.
        arm: the arm.
        alike: equal for arms that make the same of every object with these keys; None: that cannot be said.
    """

    floor: Rank
    number: int
    arm: Shape
    alike: Hashable


class Chances:
    """What keys tell of the arms of unions, found once for all objects of the same keys.

    Args:
        permits: whether a kind of fixes may be applied to a shape.
    """

    def __init__(self, permits: Callable[[str, Shape], bool]) -> None:
        self._permits = permits
        self._found: dict[tuple[int, frozenset[str]], tuple[Chance, ...]] = {}

    def of(self, keys: frozenset[str], shape: Shape, arms: Sequence[Shape]) -> Sequence[Chance]:
        """The arms, those that may fit best first.

        Args:
            keys: all that an object has.
            shape: the union.
            arms: those of its arms that may be meant for an object of these keys and tag.
        """
        if len(arms) < len(shape.arms):
            return self._sorted(keys, arms)
        found = self._found.get((id(shape), keys))
        if found is None:
            found = self._found[id(shape), keys] = self._sorted(keys, arms)
        return found

    def _sorted(self, keys: frozenset[str], arms: Sequence[Shape]) -> tuple[Chance, ...]:
        chances = [Chance(self._floor(keys, arm), index, arm, self._alike(keys, arm)) for index, arm in enumerate(arms)]
        return tuple(sorted(chances, key=lambda each: each[:2]))

    def _floor(self, keys: frozenset[str], arm: Shape) -> Rank:
        """How badly an object of these keys fits at least, whatever stands at them."""
        if arm.kinds != frozenset({"object"}) or any(self._permits(kind, arm) for kind in ("near_key", "default")):
            return BEST
        odd = [key for key in keys if not arm.foresees(key)]
        meant = {named for key in odd if (named := _meant(key, arm)) is not None} - keys
        missing = len(arm.required - keys - meant)
        if not self._permits("key_form", arm) or not arm.properties:
            return Rank(missing if not meant else 0, 0, 0, 0)
        unknown = sum(_meant(key, arm) not in meant for key in odd)
        if arm.extra is False:
            return Rank(missing + unknown * (not self._permits("drop_key", arm)), 0, 0, 0)
        counts = arm.extra is True and arm.node.get("additionalProperties") is not True
        return Rank(missing, 0, unknown * counts, unknown * counts)

    def _alike(self, keys: frozenset[str], arm: Shape) -> Hashable:
        if arm.kinds != frozenset({"object"}) or not keys or not keys <= arm.properties.keys() or arm.keys is not None:
            return None
        missing = arm.required - keys
        if missing and self._permits("default", arm):
            return None
        return frozenset((key, id(arm.properties[key])) for key in keys), missing, arm.allow


def _meant(key: str, arm: Shape) -> str | None:
    """The declared key that another form of it stands for."""
    named = arm.fields.get(key) or arm.folded_keys.get(words.fold(key))
    return named or arm.plain_keys.get(words.unaccented(key))
