"""Objects: their keys in the declared form, what is missing and what is too many."""

from __future__ import annotations

import copy

from typedllm.reading import words
from typedllm.reading.envelopes import arguments, envelopes
from typedllm.reading.fixes import Entry, Note
from typedllm.reading.leaves import Data, meaning
from typedllm.reading.marks import UNFIT, as_json, escaped
from typedllm.reading.nodes import Member, Node
from typedllm.reading.shape import Shape
from typedllm.reading.unions import UnionAligner
from typedllm.records import MISSING


class ObjectAligner(UnionAligner):
    """Aligns objects."""

    def _encoded_here(self, node: Node, shape: Shape, path: str) -> str | None:
        raise NotImplementedError

    def _other_container(self, node: Node, shape: Shape, path: str) -> Data:
        raise NotImplementedError

    def _object(self, node: Node, shape: Shape, path: str) -> Data:
        if shape.named is not None:
            shape = shape.named
        if (found := self._called(node, shape, path)) is not None:
            return self.align(found, shape, path)
        if "object" not in shape.kinds:
            return self._encoded_here(node, shape, path) or self._other_container(node, shape, path)
        if path and (found := self._enveloped(node, shape, path)) is not None:
            return self.align(found, shape, path)
        data: dict[str, Data] = {}
        known, keys = shape.properties, frozenset[str]()
        self._lone.update(id(member.node) for member in node.members if not known and len(node.members) == 1)
        for member in node.members:
            key: str | None = member.key
            if not (key in known or (not known and shape.extra is not False) or shape.foresees(member.key)):
                keys = keys or frozenset([other.key for other in node.members])
                key = self._key(member, keys, shape, path)
            if key is None:
                continue
            if shape.keys is not None:
                key = self._map_key(member, shape.keys, path)
            if self.gave_up or self._is_full:
                break
            if key in data:
                self._again(member, data[key], shape.child(key), f"{path}/{escaped(key)}")
                continue
            value = self.align(member.node, shape.child(key), f"{path}/{escaped(key)}")
            if value is not MISSING:
                data[key] = value
        if shape.lacks(data.keys()):
            self._complete(data, node, shape, path)
        if known and not shape.required and node.members and data.keys().isdisjoint(known) and shape.extra is True:
            self.fault("unknown_keys", node.start, node.end, path)
        return data

    def _called(self, node: Node, shape: Shape, path: str) -> Node | None:
        """The arguments of a tool call, where its other keys would pass for those of the answer."""
        if len(node.members) < 2 or (inner := arguments(node, shape)) is None:
            return None
        meant: Node | None = inner
        self._lone.update({id(inner)} if id(node) in self._lone else ())
        is_empty = inner.kind == "object" and not inner.members and bool(shape.required)
        if not is_empty and not self._fits(inner, shape, path):  # without arguments, it is a call all the same
            meant = self._enveloped(inner, shape, path) if inner.kind == "object" else None
        if meant is None or not self.fix("envelope", node, shape, path, "{...}"):
            return None
        others = [member for member in node.members if member.node is not inner]
        self.entries += [Entry(path, Note("extra_key", each.start, each.node.end), shape.allow) for each in others]
        return meant

    def _enveloped(self, node: Node, shape: Shape, path: str) -> Node | None:
        """What stands in an envelope here, where keys that must be there tell that it is meant; its notes are taken."""
        items = shape if "object" in shape.kinds else shape.items
        if not items.required or any(member.key in items.properties for member in node.members[:1]):
            return None
        if id(node) in self._lone:
            return None  # the envelope may as well be that of the map
        for inner, notes in envelopes(node, shape):
            if inner.kind in ("object", "array") and self._fits(inner, shape, path):
                entries = [Entry(path, note, shape.allow) for note in notes]
                if all(entry.is_permitted(self.policy) for entry in entries):
                    self.entries.extend(entries)
                    return inner
        return None

    def _complete(self, data: dict[str, Data], node: Node, shape: Shape, path: str) -> None:
        """Required keys that are missing: their defaults where that is permitted."""
        written = {member.key for member in node.members}
        for key in sorted(shape.required - data.keys()):
            child, below = shape.child(key), f"{path}/{escaped(key)}"
            if child.default is MISSING or key in written:
                self.fault(UNFIT, node.start, node.end, below)
            elif self.fix("default", Node("hole", None, node.end, node.end), child, below, as_json(child.default)):
                data[key] = copy.deepcopy(child.default)

    def _key(self, member: Member, keys: frozenset[str], shape: Shape, path: str) -> str | None:
        """The declared key that an unknown key stands for, or the key itself; None where it is left out.

        `keys` are all that the object has.
        """
        place = Node("string", member.key, member.start, member.node.start)
        meant, kind = shape.fields.get(member.key), "field_name"
        if meant is None:
            meant, kind = shape.folded_keys.get(words.fold(member.key)), "key_form"
        if meant is None and shape.folded_keys.keys() != shape.plain_keys.keys():
            meant = shape.plain_keys.get(words.unaccented(member.key))
        bare = words.trimmed(member.key)
        if meant is None and bare != member.key and not member.key.startswith(("...", "…")):
            meant = shape.folded_keys.get(words.fold(bare))
        takes_more = shape.keeps or isinstance(shape.extra, Shape)
        stays = takes_more or (shape.extra is True and not shape.drops)
        if meant in keys and stays and member.key not in shape.child(meant).also:
            meant = None  # it is a key of its own
        if meant is not None and self.fix(kind, place, shape, f"{path}/{escaped(meant)}", as_json(meant)):
            return meant
        if takes_more:
            return member.key
        below = f"{path}/{escaped(member.key)}"
        near = self._spelling.nearest(member.key, shape.spelt_keys, keys)
        if near is not None:
            asked = below if shape.extra is False and not self.permits("near_key", shape) else f"{path}/{escaped(near)}"
            if self.fix("near_key", place, shape, asked, as_json(near)):
                return near
            if shape.drops and near not in shape.required:
                self.entries.append(Entry(asked, Note("near_key", place.start, place.end, as_json(near)), shape.allow))
        if shape.extra is True:
            self.entries.append(Entry(below, Note("extra_key", member.start, member.node.end)))
            return member.key
        if near is None and meant is None:
            whole = Node("hole", None, member.start, member.node.end)
            return None if self.fix("drop_key", whole, shape, below, "") else member.key
        return member.key

    def _map_key(self, member: Member, declared: Shape, path: str) -> str:
        """The key of a map whose keys are declared words or dates, in the declared form."""
        place = Node("string", member.key, member.start, member.node.start)
        meant = meaning(place, declared, self.bounds.digits, self._spelling)
        if meant is None:
            self.fault(UNFIT, member.start, member.node.start, f"{path}/{escaped(member.key)}")
            return member.key
        key = str(meant.data)
        if key == member.key:
            return key
        kind = "near_key" if meant.kind == "near_enum" else "key_form"
        below = key if self.permits(kind, declared) else member.key
        return key if self.fix(kind, place, declared, f"{path}/{escaped(below)}", as_json(key)) else member.key

    def _again(self, member: Member, value: Data, shape: Shape, path: str) -> None:
        """A key that stands in the object a second time."""
        self._repeated.add(id(member.node))
        if len(self._repeated) > self.bounds.repeated:
            self._stop("too_many_fixes", member.start, member.node.end, path)
            return
        spans, self.spans = self.spans, None
        same = self.align(member.node, shape, path) == value
        self.spans = spans
        if same:
            self.entries.append(Entry(path, Note("repeated_key", member.start, member.node.end)))
        else:
            self.fault("repeated_key_differs", member.start, member.node.end, path)
