"""From what the model wrote to the declared shape: conversions with one meaning, each marked by `fix(...)`.

Nothing is validated here: what does not fit stays as it was written, for the validator to say so. What only a lossy
fix would mend stays too, unless the policy permits that kind, and becomes the proposal of the issue.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

from typedllm.reading import words
from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import TIER, Note
from typedllm.reading.nodes import Member, Node, place
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import ANYTHING, Kind, Shape
from typedllm.records import MISSING, Policy, Span

Data = object
_MOMENTS: Final = frozenset({"date", "date-time"})
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
        if shape.literals is not None:
            return self._literal(node, shape, path)
        if node.kind == "literal":
            return self._constant(node, shape, path)
        if node.kind == "number":
            return self._number(node, shape, path)
        return self._text(node, shape, path)

    def _constant(self, node: Node, shape: Shape, path: str) -> Data:
        value = cast("bool | None", node.value)
        kind: Kind = "null" if value is None else "boolean"
        if kind in shape.kinds:
            return value
        if value is not None and "string" in shape.kinds:
            text = "true" if value else "false"
            return text if self.fix("boolean_to_string", node, path, json.dumps(text)) else value
        return self._listed(node, shape, path, value)

    def _listed(self, node: Node, shape: Shape, path: str, value: Data) -> Data:
        """A value that does not fit, unless as the only item of a list."""
        if "array" in shape.kinds and value is not None and not shape.prefix and self._fits(node, shape.items, path):
            return self._wrapped(node, shape, path)
        self._unfit(node, path)
        return value

    def _number(self, node: Node, shape: Shape, path: str) -> Data:
        text = node.text
        value = json.loads(text)
        if isinstance(value, int) and not shape.kinds.isdisjoint(("integer", "number")):
            return value
        if "number" in shape.kinds:
            return value
        if "integer" in shape.kinds:
            return self._integer(node, text, path, value, "number_form")
        if "string" in shape.kinds:
            return text if self.fix("number_to_string", node, path, json.dumps(text)) else value
        if "boolean" in shape.kinds and text in ("0", "1"):
            return bool(value) if self.fix("boolean_word", node, path, bool(value)) else value
        return self._listed(node, shape, path, value)

    def _integer(self, node: Node, text: str, path: str, value: Data, kind: str) -> Data:
        """A whole number out of the text of a number, if it is one."""
        whole = _whole(text, self.bounds.digits)
        if whole is not None:
            return whole if self.fix(kind, node, path, whole) else value
        number = float(text)
        if abs(number) < 1e15 and self.fix("rounded", node, path, round(number)):
            return round(number)
        if abs(number) >= 1e15:
            self._unfit(node, path)
        return value

    def _text(self, node: Node, shape: Shape, path: str) -> Data:
        text = node.text
        if "string" in shape.kinds:
            if node.kind == "bare":
                self.entries.append(Entry(path, Note("unquoted_string", node.start, node.end, json.dumps(text))))
            return self._formatted(node, shape, path)
        if not shape.kinds.isdisjoint(("integer", "number")):
            return self._text_number(node, shape, path)
        if "boolean" in shape.kinds:
            meant = words.boolean(text)
            if meant and self.fix(meant.fix, node, path, meant.value):
                return meant.value == "true"
        elif "null" in shape.kinds:
            kind = "string_to_null" if text.strip().casefold() in ("null", "") else "null_word"
            known = kind == "string_to_null" or text.strip().casefold() in words.NULL_WORDS
            if known and self.fix(kind, node, path, "null"):
                return None
        else:
            return self._inner(node, shape, path)
        self._unfit(node, path)
        return text

    def _formatted(self, node: Node, shape: Shape, path: str) -> Data:
        text = node.text
        if shape.format not in _MOMENTS:
            return text
        meant = words.moment(text)
        return meant if meant and meant != text and self.fix("time_form", node, path, json.dumps(meant)) else text

    def _text_number(self, node: Node, shape: Shape, path: str) -> Data:
        meant = words.number(node.text)
        if meant is None:
            self._unfit(node, path)
            return node.text
        if "number" not in shape.kinds and _whole(meant.value, self.bounds.digits) is None:
            return self._integer(node, meant.value, path, node.text, "rounded")
        value = _whole(meant.value, self.bounds.digits) if "number" not in shape.kinds else json.loads(meant.value)
        return value if self.fix(meant.fix, node, path, meant.value) else node.text

    def _inner(self, node: Node, shape: Shape, path: str) -> Data:
        """A string where a container is declared: JSON in a string, or one item of a list."""
        inner = self._decoded(node, shape)
        if inner is not None:
            value = self._try(inner, shape, path)
            if value.rank.unfit == 0 and self.fix("encoded", node, path, "{...}"):
                return self.align(inner, shape, path)
        return self._listed(node, shape, path, node.text)

    def _decoded(self, node: Node, shape: Shape) -> Node | None:
        """The JSON that a string holds, all of it."""
        if id(node) in self._encoded:
            return self._encoded[id(node)]
        found, text = None, node.text.strip()
        if text[:1] in ("{", "["):
            reader = JsonReader(shape, 0, self.bounds)
            reader.feed(text)
            reader.close()
            if reader.root and not reader.rest.strip() and not reader.was_cut:
                found = reader.root
                place(found, node.start, node.end)
        self._encoded[id(node)] = found
        return found

    # ---- literals ----

    def _literal(self, node: Node, shape: Shape, path: str) -> Data:
        literals = shape.literals or ()
        value = json.loads(node.text) if node.kind == "number" else node.value
        if any(type(value) is type(literal) and value == literal for literal in literals):
            if node.kind == "bare":
                self.entries.append(Entry(path, Note("unquoted_string", node.start, node.end, json.dumps(value))))
            return value
        meant, kind = self._member(node, shape)
        if kind and self.fix(kind, node, path, json.dumps(meant)):
            return meant
        if not kind:
            self._unfit(node, path)
        return value

    def _member(self, node: Node, shape: Shape) -> tuple[Data, str]:
        """The literal that a part stands for, with the name of the fix."""
        literals = shape.literals or ()
        text = words.trimmed(_written(node))
        texts = {literal: literal for literal in literals if isinstance(literal, str)}
        if node.kind in ("string", "bare"):
            if text in texts:
                return texts[text], "enum_form"
            meant = words.folded(texts).get(words.fold(text))
            if meant is not None:
                return meant, "enum_form"
            name = text.rpartition(".")[2]
            named = shape.names.get(name) if name in shape.names else _folded_name(shape.names, name)
            if named is not None:
                return named, "enum_name"
        other = [
            literal for literal in literals if not isinstance(literal, str) and json.dumps(literal) == text.lower()
        ]
        if other:
            return other[0], "json_form"
        if node.kind != "string" and text in texts:
            return texts[text], "number_to_string" if node.kind == "number" else "json_form"
        near = words.nearest(text, texts) if node.kind in ("string", "bare") else None
        return near, "near_enum" if near is not None else ""


def _folded_name(names: Mapping[str, object], name: str) -> object:
    meant = words.folded(names).get(words.fold(name))
    return None if meant is None else names[meant]


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


def _written(node: Node) -> str:
    return json.dumps(node.value) if node.kind == "literal" else node.text


def _whole(text: str, digits: int) -> int | None:
    """The integer that the text of a number stands for, if it is one."""
    whole, _, fraction = text.partition(".")
    if not fraction.strip("0") and "e" not in text and "E" not in text and whole.lstrip("-").isdigit():
        return int(whole) if len(whole) <= digits else None
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else None


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key
