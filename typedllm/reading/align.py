"""From what the model wrote to the declared shape: conversions with one meaning, each marked by `fix(...)`.

Nothing is validated here: what does not fit stays as it was written, for the validator to say so. What only a lossy
fix would mend stays too, unless the policy permits that kind, and becomes the proposal of the issue.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from typedllm.reading import words
from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import TIER, Note
from typedllm.reading.leaves import Data, as_written, meaning
from typedllm.reading.nodes import Member, Node, place
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import ANYTHING, Kind, Shape
from typedllm.records import MISSING, Policy, Span

_STILL_TEXT: Final = ("", "time_form")
_UNFIT: Final = "unfit"


class Entry(NamedTuple):
    """A note at its place in the document."""

    path: str
    note: Note


class Rank(NamedTuple):
    """How badly something fits; less is better."""

    unfit: int
    lossy: int
    unknown: int
    mended: int


class _Trial(NamedTuple):
    data: Data
    entries: list[Entry]
    rank: Rank
    shape: Shape


class Aligner:
    """Aligns one tree.

    Args:
        policy: which fixes are applied.
        spans: filled with the place of each part, by JSON Pointer, when given.
        closed_only: leave out what the end of the text cut.
    """

    def __init__(
        self,
        policy: Policy,
        spans: dict[str, Span] | None = None,
        bounds: Bounds = DEFAULT,
        closed_only: bool = False,
    ) -> None:
        self.policy = policy
        self.spans = spans
        self.bounds = bounds
        self.closed_only = closed_only
        self.entries: list[Entry] = []
        self.proposals: dict[str, Note] = {}
        self._memo: dict[tuple[int, int], _Trial] = {}
        self._encoded: dict[int, Node | None] = {}  # what strings hold that are JSON themselves

    def align(self, node: Node, shape: Shape, path: str = "") -> Data:
        """The data of a node, as near to its shape as one meaning allows; `MISSING` for a hole."""
        if node.notes:
            self.entries.extend(Entry(path, note) for note in node.notes)
            if self.closed_only and any(note.kind in ("open_string", "open_scalar") for note in node.notes):
                return MISSING
        if self.spans is not None:
            self.spans[path] = Span(node.start, node.end)
        if shape.arms:
            return self._union(node, shape, path)
        if node.kind == "object":
            return self._object(node, shape, path)
        if node.kind == "array":
            return self._array(node, shape, path)
        if node.kind == "hole":
            return MISSING
        return self._scalar(node, shape, path)

    # ---- marks ----

    def fix(self, kind: str, node: Node, path: str, after: Data) -> bool:
        """Marks a conversion, and says whether the policy permits it; if not, it is proposed."""
        note = Note(kind, node.start, node.end, after if isinstance(after, str) else json.dumps(after))
        if self.policy.permits(kind, TIER[kind]):
            self.entries.append(Entry(path, note))
            return True
        self.proposals.setdefault(path, note)
        self._unfit(node, path)
        return False

    def fault(self, kind: str, start: int, end: int, path: str) -> None:
        """Marks what has no reading."""
        self.entries.append(Entry(path, Note(kind, start, end, "", True)))

    def _unfit(self, node: Node, path: str) -> None:
        self.fault(_UNFIT, node.start, node.end, path)

    def rank(self, since: int = 0) -> Rank:
        """How badly what was aligned since then fits."""
        notes = [entry.note for entry in self.entries[since:]]
        lossy = sum(not note.fault and TIER[note.kind] in ("guess", "loss") for note in notes)
        unknown = sum(note.kind == "extra_key" for note in notes)
        mended = sum(not note.fault and TIER[note.kind] == "schema" for note in notes)
        return Rank(sum(note.fault for note in notes), lossy, unknown, mended)

    # ---- unions ----

    def _union(self, node: Node, shape: Shape, path: str) -> Data:
        arms = self._meant_arms(node, shape)
        if len(arms) == 1:
            return self._bare(node, arms[0], path)
        trials = [self._try(node, arm, path) for arm in arms]
        best = min(trials, key=lambda trial: trial.rank)
        self.entries.extend(best.entries)
        rivals = [trial for trial in trials if trial.rank == best.rank and trial.data != best.data]
        if rivals and best.rank.unfit == 0:
            self.fault("unclear_union", node.start, node.end, path)
        if self.spans is not None:
            self._bare(node, best.shape, path)
        return best.data

    def _meant_arms(self, node: Node, shape: Shape) -> Sequence[Shape]:
        """The arms that the node may mean: the one of its tag, or else those of its kind, or else all."""
        if node.kind == "object" and shape.tag is not None:
            tagged = self._tagged(node, shape.tag, shape)
            if tagged:
                return tagged
        kinds = _kinds_of(node)
        same = [arm for arm in shape.arms if not kinds.isdisjoint(arm.kinds)]
        if node.kind in ("object", "array"):
            return same or shape.arms
        return shape.arms

    def _tagged(self, node: Node, tag: str, shape: Shape) -> list[Shape]:
        wanted = words.fold(tag)
        said = next((member.node for member in node.members if words.fold(member.key) == wanted), None)
        if said is None or said.kind not in ("string", "bare", "number", "literal"):
            return []
        objects = [arm for arm in shape.arms if tag in arm.properties]
        texts = [(arm, [str(literal) for literal in arm.properties[tag].literals or ()]) for arm in objects]
        exact = [arm for arm, literals in texts if str(said.value) in literals]
        word = words.fold(words.trimmed(str(said.value)))
        return exact or [arm for arm, literals in texts if word in map(words.fold, literals)]

    def _try(self, node: Node, arm: Shape, path: str) -> _Trial:
        key = (id(node), id(arm))
        found = self._memo.get(key)
        if found is None:
            since, spans, self.spans = len(self.entries), self.spans, None
            data = self._bare(node, arm, path)
            found = self._memo[key] = _Trial(data, self.entries[since:], self.rank(since), arm)
            del self.entries[since:]
            self.spans = spans
        return found

    def _bare(self, node: Node, shape: Shape, path: str) -> Data:
        """Aligns without the node's own notes, which are taken already."""
        notes, node.notes = node.notes, None
        try:
            return self.align(node, shape, path)
        finally:
            node.notes = notes

    # ---- objects ----

    def _object(self, node: Node, shape: Shape, path: str) -> Data:
        if "object" not in shape.kinds:
            return self._other_container(node, shape, path)
        data: dict[str, Data] = {}
        known = shape.properties
        for member in node.members:
            key = member.key if member.key in known or not known else self._key(member, node, shape, path)
            if key in data:
                self._again(member, data[key], shape.child(key), f"{path}/{_escaped(key)}")
                continue
            value = self.align(member.node, shape.child(key), f"{path}/{_escaped(key)}")
            if value is not MISSING:
                data[key] = value
        if shape.required and not shape.required <= data.keys():
            for key in shape.required - data.keys():
                self.fault(_UNFIT, node.start, node.end, f"{path}/{_escaped(key)}")
        if known and not shape.required and node.members and data.keys().isdisjoint(known) and shape.extra is True:
            self.fault("unknown_keys", node.start, node.end, path)
        return data

    def key(self, member: Member, node: Node, shape: Shape) -> str:
        """The declared key that a member's key stands for."""
        known = shape.properties
        return member.key if member.key in known or not known else self._key(member, node, shape, "")

    def _key(self, member: Member, node: Node, shape: Shape, path: str) -> str:
        """The declared key that a key stands for, or the key itself."""
        place = Node("string", member.key, member.start, member.node.start)
        meant, kind = shape.fields.get(member.key), "field_name"
        if meant is None:
            meant, kind = shape.folded_keys.get(words.fold(member.key)), "key_form"
        if meant is not None:
            exact = any(other.key == meant for other in node.members)
            if not exact and self.fix(kind, place, f"{path}/{_escaped(meant)}", json.dumps(meant)):
                return meant
        if isinstance(shape.extra, Shape) or shape.node.get("additionalProperties") is True:
            return member.key
        below = f"{path}/{_escaped(member.key)}"
        near = words.nearest(member.key, (key for key in shape.properties if all(m.key != key for m in node.members)))
        if near is not None and self.fix("near_key", place, below, json.dumps(near)):
            return near
        if shape.extra is True:
            self.entries.append(Entry(below, Note("extra_key", member.start, member.node.end)))
        elif near is None:
            self.fault(_UNFIT, member.start, member.node.end, below)
        return member.key

    def _again(self, member: Member, value: Data, shape: Shape, path: str) -> None:
        """A key that stands in the object a second time."""
        spans, self.spans = self.spans, None
        same = self.align(member.node, shape, path) == value
        self.spans = spans
        if same:
            self.entries.append(Entry(path, Note("repeated_key", member.start, member.node.end)))
        else:
            self.fault("repeated_key_differs", member.start, member.node.end, path)

    # ---- arrays ----

    def _array(self, node: Node, shape: Shape, path: str) -> Data:
        if "array" not in shape.kinds:
            if len(node.items) == 1 and not node.items[0].notes and self._fits(node.items[0], shape, path):
                value = self._bare(node.items[0], shape, path)
                return value if self.fix("single_item", node, path, value) else self._plain(node, path)
            return self._other_container(node, shape, path)
        data = [self.align(item, shape.item(index), f"{path}/{index}") for index, item in enumerate(node.items)]
        return [item for item in data if item is not MISSING] if MISSING in data else data

    def _fits(self, node: Node, shape: Shape, path: str) -> bool:
        return self._try(node, shape, path).rank.unfit == 0

    def _other_container(self, node: Node, shape: Shape, path: str) -> Data:
        if node.kind == "object" and "array" in shape.kinds and self._fits(node, shape.items, path):
            return self._wrapped(node, shape, path)
        self._unfit(node, path)
        return self._plain(node, path)

    def _wrapped(self, node: Node, shape: Shape, path: str) -> Data:
        """One item where a list of it is declared."""
        if not self.fix("single_item", node, path, "[...]"):
            return self._plain(node, path)
        return [self._bare(node, shape.items, f"{path}/0")]

    def _plain(self, node: Node, path: str) -> Data:
        """The data as it was written."""
        return self._bare(node, ANYTHING, path)

    # ---- scalars ----

    def _scalar(self, node: Node, shape: Shape, path: str) -> Data:
        meant = meaning(node, shape, self.bounds.digits)
        if meant is None and shape.literals is None:
            return self._contained(node, shape, path)
        if meant is None:
            self._unfit(node, path)
            return as_written(node)
        if node.kind == "bare" and meant.kind in _STILL_TEXT:
            self.entries.append(Entry(path, Note("unquoted_string", node.start, node.end, json.dumps(node.text))))
        if not meant.kind or self.fix(meant.kind, node, path, meant.after or json.dumps(meant.data)):
            return meant.data
        return as_written(node)

    def _contained(self, node: Node, shape: Shape, path: str) -> Data:
        """A scalar where a container is declared: JSON in a string, or one item of a list."""
        inner = self._decoded(node, shape) if node.kind in ("string", "bare") else None
        if inner is not None and self._fits(inner, shape, path) and self.fix("encoded", node, path, "{...}"):
            return self.align(inner, shape, path)
        value = as_written(node)
        if "array" in shape.kinds and value is not None and not shape.prefix and self._fits(node, shape.items, path):
            return self._wrapped(node, shape, path)
        self._unfit(node, path)
        return value

    def _decoded(self, node: Node, shape: Shape) -> Node | None:
        """The JSON that a string holds, all of it."""
        if id(node) in self._encoded:
            return self._encoded[id(node)]
        found, text = None, node.text.strip()
        if text[:1] in ("{", "[") and not shape.kinds.isdisjoint(("object", "array")):
            reader = JsonReader(shape, 0, self.bounds)
            reader.feed(text)
            reader.close()
            if reader.root and not reader.rest.strip() and not reader.was_cut:
                found = reader.root
                place(found, node.start, node.end)
        self._encoded[id(node)] = found
        return found


def _kinds_of(node: Node) -> frozenset[Kind]:
    if node.kind == "object":
        return frozenset({"object"})
    if node.kind == "array":
        return frozenset({"array"})
    if node.kind == "number":
        return frozenset({"integer", "number"})
    if node.kind == "literal":
        return frozenset({"null"}) if node.value is None else frozenset({"boolean"})
    return frozenset({"string"})


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key
