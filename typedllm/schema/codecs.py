"""From the shape that a user's type has to the shape that is sent, and back: one codec for each part of a type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from typedllm.records import MISSING, Issue, JsonSchema
from typedllm.schema.admits import admits, likeness
from typedllm.schema.walk import Node, is_list, is_object


def step(key: object) -> str:
    """A key as a step of a JSON Pointer."""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")


@dataclass(slots=True)
class Trail:
    """What is noted while a value is decoded.

    Attributes:
        issues: keys that stand twice in a map.
        places: pointers into what was written, with the pointers of the same parts in the value.
    """

    issues: list[Issue] = field(default_factory=list[Issue])
    places: dict[str, str] = field(default_factory=dict[str, str])

    def place(self, pointer: str) -> str:
        """Where a part of what was written stands in the value; of a part that has no place, the part around it."""
        found, rest = pointer, ""
        while found not in self.places and found:
            found, _, last = found.rpartition("/")
            rest = f"/{last}{rest}"
        return self.places.get(found, found) + rest


class Part(NamedTuple):
    """A member or item of what was written, as far as it is known before the rest is.

    Attributes:
        codec: what it stands for.
        key: where it stands in the value of what is around it; None: its own parts stand there.
        absent: whether null means that it is absent.
    """

    codec: Codec
    key: str | int | None
    absent: bool = False


class Codec:
    """The codec of a part that is sent as it is.

    Attributes:
        word: what it is called in names.
        sent: the kind of JSON value that it is sent as.
        meant: what such a value becomes: an `object`, an `array`, the `same`, or what the one `part` in it stands for.
    """

    word = "value"
    sent: Literal["object", "array", "string", "any"] = "any"
    meant: Literal["object", "array", "same", "part"] = "same"

    @property
    def named(self) -> Codec:
        """The codec itself, of one that stands for another by name."""
        return self

    @property
    def arms(self) -> Sequence[Arm]:
        """The types that may be meant, of a union."""
        return ()

    def part(self, key: str | int, count: int) -> Part | None:  # noqa: ARG002
        """What a member or item stands for, while what is around it is still being written.

        Args:
            key: its key or index in what was written.
            count: how many parts of the value are known by then.

        Returns:
            None: that is not known before the end.
        """
        return Part(SAME, key)

    def encode(self, value: Any) -> Any:
        """The value as it is sent; what is not of the type comes back as it is."""
        return value

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        """The value that was meant; what lacks the shape that was asked for comes back as it is.

        Args:
            value: what was written.
            trail: takes notes.
            there: pointer of what was written.
            here: pointer of the value.
        """
        trail.places[there] = here
        return value

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:  # noqa: ARG002
        """Whether the shape differs.

        Args:
            seen: the recursive parts that are being asked already.
            nulls: whether null for an absent property counts.
        """
        return False


SAME = Codec()


class Reference(Codec):
    """A named part, which may contain itself."""

    def __init__(self, codecs: Mapping[str, Codec], name: str) -> None:
        self._codecs, self._name = codecs, name

    @property
    def named(self) -> Codec:
        return self._codecs[self._name].named

    def encode(self, value: Any) -> Any:
        return self._codecs[self._name].encode(value)

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        return self._codecs[self._name].decode(value, trail, there, here)

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:
        codec = self._codecs[self._name]
        if id(codec) in seen:
            return False
        return codec.changes(seen | {id(codec)}, nulls=nulls)


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an object.

    Attributes:
        codec: that of its value.
        filler: what is sent when it is absent; `MISSING`: it stays absent.
        absent: whether null, when read, means that it is absent.
    """

    codec: Codec
    filler: Any = MISSING
    absent: bool = False


class Fields(Codec):
    """An object with known keys; further keys, where they have a type, as a list of pairs under a key of its own."""

    word = "object"
    sent = meant = "object"

    def __init__(
        self,
        known: Mapping[str, Property],
        rest: str = "",
        pairs: Codec = SAME,
        *,
        further: Codec = SAME,
        closed: bool = False,
    ) -> None:
        self._known, self._rest, self._pairs, self._further, self._closed = known, rest, pairs, further, closed

    def part(self, key: str | int, count: int) -> Part | None:  # noqa: ARG002
        known = self._known.get(str(key))
        if known is not None:
            return Part(known.codec, key, known.absent)
        return Part(self._pairs, None) if self._rest and key == self._rest else Part(self._further, key)

    def encode(self, value: Any) -> Any:
        if not is_object(value):
            return value
        made: dict[str, Any] = {}
        for name, each in self._known.items():
            if name in value:
                made[name] = each.codec.encode(value[name])
            elif each.filler is not MISSING:
                made[name] = each.filler
        extra = {name: part for name, part in value.items() if name not in self._known}
        if self._rest:
            made[self._rest] = self._pairs.encode(extra)
        if self._rest or self._closed:
            return made
        return made | {name: self._further.encode(part) for name, part in extra.items()}

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        trail.places[there] = here
        if not is_object(value):
            return value
        made: dict[str, Any] = {}
        for name, part in value.items():
            each = self._known.get(name)
            if each is not None and not (each.absent and part is None):
                made[name] = each.codec.decode(part, trail, there + step(name), here + step(name))
            elif each is None and not (self._rest and name == self._rest):
                made[name] = self._further.decode(part, trail, there + step(name), here + step(name))
        if self._rest and self._rest in value:
            further = self._pairs.decode(value[self._rest], trail, there + step(self._rest), here)
            made = {**further, **made} if is_object(further) else {**made, self._rest: further}
        return made

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:
        if self._rest or (nulls and any(each.filler is not MISSING for each in self._known.values())):
            return True
        return self._further.changes(seen, nulls=nulls) or any(
            each.codec.changes(seen, nulls=nulls) for each in self._known.values()
        )


class Items(Codec):
    """A list; the first items may have types of their own."""

    word = "list"
    sent = meant = "array"

    def __init__(self, item: Codec, prefix: Sequence[Codec] = ()) -> None:
        self._item, self._prefix = item, prefix

    def part(self, key: str | int, count: int) -> Part | None:  # noqa: ARG002
        return Part(self._of(int(key)), key)

    def _of(self, index: int) -> Codec:
        return self._prefix[index] if index < len(self._prefix) else self._item

    def encode(self, value: Any) -> Any:
        if not is_list(value):
            return value
        return [self._of(index).encode(part) for index, part in enumerate(value)]

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        trail.places[there] = here
        if not is_list(value):
            return value
        return [
            self._of(index).decode(part, trail, f"{there}/{index}", f"{here}/{index}")
            for index, part in enumerate(value)
        ]

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:
        return any(codec.changes(seen, nulls=nulls) for codec in (self._item, *self._prefix))


class Pair(Codec):
    """One `{key, value}` of a map.

    Attributes:
        value: the codec of the value.
    """

    sent = "object"
    meant = "part"

    def __init__(self, value: Codec) -> None:
        self.value = value


class Pairs(Codec):
    """A map, as a list of `{key, value}`."""

    word = "map"
    sent = "array"
    meant = "object"

    def __init__(self, part: Codec) -> None:
        self._part = part
        self._pair = Pair(part)

    def part(self, key: str | int, count: int) -> Part | None:  # noqa: ARG002
        return Part(self._pair, None)

    def encode(self, value: Any) -> Any:
        if not is_object(value):
            return value
        return [{"key": key, "value": self._part.encode(part)} for key, part in value.items()]

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        trail.places[there] = here
        if not is_list(value) or not all(is_object(pair) and isinstance(pair.get("key"), str) for pair in value):
            return value
        made: dict[str, Any] = {}
        for index, pair in enumerate(value):
            place = here + step(pair["key"])
            trail.places[f"{there}/{index}"] = place
            if pair["key"] in made:
                trail.issues.append(
                    Issue(place, "duplicate_key", "each key once", json.dumps(pair["key"], ensure_ascii=False)[:80])
                )
            if "value" in pair:
                made[pair["key"]] = self._part.decode(pair["value"], trail, f"{there}/{index}/value", place)
        return made

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:  # noqa: ARG002
        return True


class Numbered(Codec):
    """A tuple, as an object `item_0`, `item_1`, ...; items behind these in `more`."""

    word = "tuple"
    sent = "object"
    meant = "array"

    def __init__(self, items: Sequence[Property], more: Codec | None) -> None:
        self._items, self._more = items, more
        self._behind = None if more is None else Items(more)

    def part(self, key: str | int, count: int) -> Part | None:
        if count < len(self._items):
            item = self._items[count]
            return Part(item.codec, count, item.absent) if key == f"item_{count}" else None
        return Part(self._behind, None) if self._behind is not None and key == "more" else None

    def encode(self, value: Any) -> Any:
        if not is_list(value):
            return value
        made: dict[str, Any] = {}
        for index, item in enumerate(self._items):
            if index < len(value):
                made[f"item_{index}"] = item.codec.encode(value[index])
            elif item.filler is not MISSING:
                made[f"item_{index}"] = item.filler
        if self._more is not None:
            made["more"] = [self._more.encode(part) for part in value[len(self._items) :]]
        return made

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        trail.places[there] = here
        if not is_object(value):
            return value
        made: list[Any] = []
        for index, item in enumerate(self._items):
            name = f"item_{index}"
            if name not in value or (item.absent and value[name] is None):
                break
            made.append(item.codec.decode(value[name], trail, f"{there}/{name}", f"{here}/{index}"))
        more = value.get("more")
        if self._more is not None and is_list(more) and len(made) == len(self._items):
            for index, part in enumerate(more):
                made.append(self._more.decode(part, trail, f"{there}/more/{index}", f"{here}/{len(made)}"))
        return made

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:  # noqa: ARG002
        return True


class JsonText(Codec):
    """A part that may be anything, as JSON text in a string."""

    word = "json"
    sent = "string"

    def encode(self, value: Any) -> Any:
        return json.dumps(value, ensure_ascii=False)

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        trail.places[there] = here
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:  # noqa: ARG002
        return True


class Wrapped(Codec):
    """A part within an object of one key."""

    sent = "object"
    meant = "part"

    def __init__(self, codec: Codec, key: str) -> None:
        self._codec, self._key = codec, key

    def part(self, key: str | int, count: int) -> Part | None:  # noqa: ARG002
        return Part(self._codec, None) if key == self._key else None

    def encode(self, value: Any) -> Any:
        return {self._key: self._codec.encode(value)}

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        trail.places[there] = here
        if not is_object(value) or value.keys() != {self._key}:
            return value
        return self._codec.decode(value[self._key], trail, there + step(self._key), here)

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:  # noqa: ARG002
        return True


@dataclass(frozen=True, slots=True)
class Arm:
    """One type of a union: in the user's document, as it is sent, and from the one to the other."""

    user: Node
    wire: Node
    codec: Codec


class Union(Codec):
    """A part of several types: that of a value is found by its form."""

    word = "union"

    def __init__(self, arms: Sequence[Arm], user: JsonSchema, wire: JsonSchema) -> None:
        self._arms, self._user, self._wire = arms, user, wire

    @property
    def arms(self) -> Sequence[Arm]:
        return self._arms

    def encode(self, value: Any) -> Any:
        arm = self._meant([(arm, arm.user) for arm in self._arms], self._user, value)
        return arm.codec.encode(value)

    def decode(self, value: Any, trail: Trail, there: str, here: str) -> Any:
        arm = self._meant([(arm, arm.wire) for arm in self._arms], self._wire, value)
        return arm.codec.decode(value, trail, there, here)

    def _meant(self, arms: list[tuple[Arm, Node]], document: JsonSchema, value: Any) -> Arm:
        like = [(likeness(document, node, value), arm, node) for arm, node in arms]
        near = [(score, arm, node) for score, arm, node in like if score > 0] or like
        if len(near) > 1:
            for _, arm, node in near:
                if admits(document, node, value):
                    return arm
        return max(near, key=lambda each: each[0])[1]

    def changes(self, seen: set[int], *, nulls: bool = True) -> bool:
        return any(arm.codec.changes(seen, nulls=nulls) for arm in self._arms)
