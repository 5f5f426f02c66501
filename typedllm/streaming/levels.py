"""An open object or list of the reply, as far as it was followed."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from typedllm.reading.nodes import Node
from typedllm.streaming.places import Place
from typedllm.streaming.snapshots import Open

Key: TypeAlias = str | int


class Level:
    """An open object or list, as far as it was followed.

    Attributes:
        children: what the reader has of it so far.
        declared: what it is declared to be, by each arm that may be meant around it.
        place: the plain arms of these that it may be.
        members: what of it is final, where it is an object.
        items: the same where it is a list; None: it is an object.
        open: the same for snapshots.
        count: how many of its children were looked at.
        gone: how many children were forgotten.
        held: whether some of them wait for its end.
        drops: whether items that do not fit are left out, so that each waits for its own end.
    """

    __slots__ = ("children", "count", "declared", "drops", "gone", "held", "items", "members", "node", "open", "place")

    def __init__(self, node: Node, declared: Place, above: Open | None, key: Key) -> None:
        self.node = node
        self.children: list[Any] = cast("list[Any]", node.value)  # members or items
        self.declared = declared.declared
        self.members: dict[str, Any] = {}
        self.items: list[Any] | None = None
        if node.kind == "object":
            self.place = declared.of_kind("object")
            self.open = Open(above, key, self.members)
        else:
            self.place = declared.of_kind("array")
            self.items = []
            self.open = Open(above, key, self.items)
        self.count = self.gone = 0
        self.held = not self.place.declared
        self.drops = self.items is not None and self.place.drops

    def below(self, key: Key) -> Place | None:
        """What is declared for a child; None where it may turn out to stand elsewhere, whatever follows."""
        if isinstance(key, str):
            return None if key in self.members else self.place.kept(key)
        return None if self.held else self.place.item(key)

    def may_lack(self, key: Key) -> bool:
        """Whether a child of this key is a property that may be left out."""
        return isinstance(key, str) and self.place.may_lack(key)

    def put(self, key: Key, data: Any) -> None:
        """Take in a child that is final."""
        if isinstance(key, str):
            self.members[key] = data
        elif self.items is not None:
            self.items.append(data)

    def reuse(self, shown: Open) -> bool:
        """Go on with the very objects that were shown of it, if this is what was shown."""
        if self.open.key != shown.key:
            return False
        if self.items is not None and isinstance(shown.parts, list):
            self.items[: len(shown.parts)] = shown.parts
        elif isinstance(shown.parts, dict):
            self.members.update(shown.parts)
        return True

    def forget(self) -> int:
        """Drop the items so far, but for the last one, which the reader may still need; how many are gone by now."""
        gone = self.count - 1
        if gone > 0 and self.items is not None and not self.held and not self.drops:
            del self.node.items[:gone]
            self.count, self.gone = 1, self.gone + gone
            self.items = self.items[gone:]
            self.open = Open(self.open.above, self.open.key, self.items, self.gone)
        return self.gone
