"""From what the model wrote to the declared shape: conversions with one meaning, each marked by `fix(...)`.

Nothing is validated here: what does not fit stays as it was written, for the validator to say so. What only a lossy
fix would mend stays too, unless the policy permits that kind, and becomes the proposal of the issue.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice
from operator import add
from typing import Final, NamedTuple

from typedllm.reading import words
from typedllm.reading.arms import BEST, Chances, Rank
from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.envelopes import arguments, envelopes
from typedllm.reading.fits import fits
from typedllm.reading.fixes import LOSSY, TIER, Entry, Note
from typedllm.reading.leaves import Data, as_written, meaning
from typedllm.reading.listed import parts
from typedllm.reading.nodes import Member, Node, Whole, place
from typedllm.reading.plain import parse
from typedllm.reading.reader import JsonReader
from typedllm.reading.target import ANYTHING, Kind, Shape
from typedllm.records import MISSING, Policy, Span
from typedllm.schema.walk import is_object

_STILL_TEXT: Final = ("", "time_form", "space_around")
_UNFIT: Final = "unfit"
_OBJECT: Final[frozenset[Kind]] = frozenset({"object"})
_CONTAINERS: Final[frozenset[Kind]] = frozenset({"object", "array"})
_FENCED: Final = re.compile(r"(?P<mark>`{3,})[\w+-]*[ \t]*\n(?P<inside>.*?)\n[ \t]*(?P=mark)", re.DOTALL)
_SEPARATED: Final = re.compile(r"\S\s*(?:[,;|\n、，；]|\sand\s)\s*\S")


_MISFIT: Final = Rank(1, 0, 0, 0)
_FITS: Final = Rank(0, sys.maxsize, sys.maxsize, sys.maxsize)
_ANY: Final = Rank(sys.maxsize, 0, 0, 0)
_ALIKE: Final = 100  # items that tell what the others are
_SOME: Final = 8  # entries after which a trial is held against its limit again


class _LostError(Exception):
    """A trial has become worse than its limit."""


class _Trial(NamedTuple):
    """What an arm makes of a node.

    Attributes:
        rank: how badly it fits; at least, where it is lost.
        lost: whether it was given up, being worse than its limit.
        path: where the node was when it was tried.
    """

    data: Data
    entries: list[Entry]
    rank: Rank
    shape: Shape
    lost: bool = False
    path: str = ""


class Aligner:
    """Aligns one tree.

    Args:
        policy: which fixes are applied.
        spans: filled with the place of each part, by JSON Pointer, when given.
        closed_only: leave out what the end of the text cut.
        closely: look at each part of what was read at once too.
        wanted: the JSON Pointers of which `spans` is filled, with those around each; all when not given. What stands
            elsewhere is then not aligned.

    Attributes:
        entries: what was mended and what does not fit, in order.
        stopped: the bound that was met, so that the rest was not looked at, wherever it was: in a trial too.
        passed_over: kinds of fixes that are not among these; none when it looks closely.
        proposals: fixes that are not permitted, by the JSON Pointer of the part that they would mend.
        items: of lists whose items may be left out, each item by its JSON Pointer.
    """

    def __init__(
        self,
        policy: Policy,
        spans: dict[str, Span] | None = None,
        bounds: Bounds = DEFAULT,
        closed_only: bool = False,
        closely: bool = False,
        wanted: frozenset[str] | None = None,
    ) -> None:
        self.policy = policy
        self._wanted = wanted
        self.closely = closely or spans is not None or "drop_item" in policy.allow
        self.spans = spans
        self.bounds = bounds
        self.closed_only = closed_only
        self.entries: list[Entry] = []
        self.passed_over: set[str] = set()
        self.proposals: dict[str, Note] = {}
        self.items: dict[str, Node] = {}
        self._left_out: frozenset[int] = frozenset()  # items, by their identity
        self._memo: dict[tuple[int, int], _Trial] = {}
        self._drops = policy.permits("drop_item", TIER["drop_item"])
        self._as_it_is: dict[int, tuple[Data, list[Entry], str]] = {}  # containers where nothing is declared
        self._encoded: dict[tuple[int, Shape], Node | None] = {}  # what strings hold that are JSON themselves
        self._faults = 0  # parts that do not fit, in the trial at hand or outside of all
        self._trying = False
        self._valid: dict[int, bool] = {}  # whether strings hold valid JSON, by their identity
        self._repeated: set[int] = set()  # values of keys that stand in their object already, by their identity
        self._lone: set[int] = set()  # values that are alone in their map, by their identity
        self._made: list[Node] = []  # what was made here: trials know nodes by their identity
        self._chances = Chances(self.permits)
        self._arms: dict[tuple[Shape, frozenset[Kind]], Sequence[Shape]] = {}
        self._limit: Rank = _ANY  # of the trial at hand
        self._ranked: tuple[int, Rank] = (0, BEST)  # up to which entry the trial at hand is ranked, and how
        self._spelling = words.Spelling(bounds.compared)
        self.stopped: Entry | None = None

    def anew(
        self,
        *,
        spans: dict[str, Span] | None = None,
        closed_only: bool = False,
        closely: bool = False,
        without: Iterable[Node] = (),
        wanted: frozenset[str] | None = None,
    ) -> Aligner:
        """One that aligns the same tree once more, and leaves out these items as well."""
        other = Aligner(self.policy, spans, self.bounds, closed_only, closely, wanted)
        other._encoded = self._encoded
        other._left_out = self._left_out.union(map(id, without))
        return other

    def align(self, node: Node, shape: Shape, path: str = "") -> Data:
        """The data of a node, as near to its shape as one meaning allows; `MISSING` for a hole."""
        if self.gave_up or self._is_full:
            return MISSING
        if self._limit is not _ANY:
            self._race()
        if self._wanted is not None and self.spans is not None and path not in self._wanted:
            return None
        if type(node) is Whole and self._stands(node, shape):
            self.entries.extend(Entry(path, note, shape.allow) for note in node.remarks)
            self.passed_over |= node.mended
            return node.data
        if node.notes:
            self.entries.extend([Entry(path, note, shape.allow) for note in node.notes])
            if self.closed_only and any(note.kind in ("open_string", "open_scalar") for note in node.notes):
                return MISSING
        if self.spans is not None:
            self.spans[path] = Span(node.start, node.end)
        if len(path) > self.bounds.pointer and node.kind in ("object", "array"):
            self.fault("too_long", node.start, node.end, path)
            return MISSING
        if shape is ANYTHING and self.spans is None and node.kind in ("object", "array") and not self._drops:
            return self._free(node, path)
        if shape.arms:
            return self._union(node, shape, path)
        if node.kind == "object":
            return self._object(node, shape, path)
        if node.kind == "array":
            return self._array(node, shape, path)
        if node.kind == "hole":
            return MISSING
        return self._scalar(node, shape, path)

    def _free(self, node: Node, path: str) -> Data:
        """A container where nothing is declared: the same in each trial of what stands around it, so it is done once."""
        found = self._as_it_is.get(id(node))
        if found is None:
            since = len(self.entries)
            align = self._object if node.kind == "object" else self._array
            found = self._as_it_is[id(node)] = align(node, ANYTHING, path), self.entries[since:], path
        elif found[2] == path:
            self.entries.extend(found[1])
        else:
            self.entries.extend(_moved(found[1], found[2], path))
        return found[0]

    def _stands(self, node: Whole, shape: Shape) -> bool:
        """Whether what was read at once stands as it is."""
        permitted = not node.mended or "syntax" in self.policy.tiers
        known = node.shape is shape
        return node.intact and permitted and not self.closely and (known or fits(node.data, shape))

    # ---- marks ----

    def permits(self, kind: str, shape: Shape) -> bool:
        """Whether a fix of this kind may be applied here."""
        return self.policy.permits(kind, TIER[kind]) or kind in shape.allow

    def fix(self, kind: str, node: Node, shape: Shape, path: str, after: Data) -> bool:
        """Marks a conversion, and says whether the policy permits it; if not, it is proposed."""
        if self.could(Note(kind, node.start, node.end, after if isinstance(after, str) else _json(after)), shape, path):
            return True
        self._unfit(node, path)
        return False

    def could(self, note: Note, shape: Shape, path: str) -> bool:
        """The same for what fits as it stands, as far as can be said here."""
        if self.permits(note.kind, shape):
            self.entries.append(Entry(path, note, shape.allow))
            return True
        self.proposals.setdefault(path, note)
        return False

    def fault(self, kind: str, start: int, end: int, path: str) -> None:
        """Marks what has no reading."""
        self.entries.append(Entry(path, Note(kind, start, end, "", True)))
        self._count(1, start, end, path)

    def _count(self, faults: int, start: int, end: int, path: str) -> None:
        """Counts what does not fit, up to the bound behind which nothing is looked at; a trial has one of its own."""
        self._faults += faults
        if self._is_full and not self._trying and not self.gave_up:
            self._stop("too_many_issues", start, end, path)

    def _stop(self, kind: str, start: int, end: int, path: str) -> None:
        self.stopped = Entry(path, Note(kind, start, end, "", True))
        self.entries.append(self.stopped)

    def _unfit(self, node: Node, path: str) -> None:
        self.fault(_UNFIT, node.start, node.end, path)

    @property
    def _is_full(self) -> bool:
        """Whether so much does not fit that the rest is not looked at."""
        return self._faults >= self.bounds.faults

    @property
    def gave_up(self) -> bool:
        """Whether a bound is met."""
        return self.stopped is not None

    def rank(self, since: int = 0) -> Rank:
        """How badly what was aligned since then fits."""
        unfit, lossy, unknown, mended = self._counted(since)
        return Rank(unfit + self.gave_up, lossy, unknown, mended)

    def _counted(self, since: int) -> Rank:
        unfit = lossy = unknown = mended = 0
        for _, note, _ in self.entries[since:]:
            if note.fault:
                unfit += 1
                continue
            tier = TIER[note.kind]
            lossy += tier in LOSSY
            unknown += note.kind == "extra_key"
            mended += tier == "schema"
        return Rank(unfit, lossy, unknown, mended)

    def _race(self) -> None:
        """Gives the trial at hand up where it has become worse than its limit."""
        at, rank = self._ranked
        if len(self.entries) - at < _SOME and self._limit is not _FITS:
            return
        rank = Rank(*map(add, rank, self._counted(at)))
        self._ranked = len(self.entries), rank
        if rank > self._limit:
            raise _LostError

    # ---- unions ----

    def _union(self, node: Node, shape: Shape, path: str) -> Data:
        arms = self._meant_arms(node, shape)
        if len(arms) == 1:
            return self._bare(node, arms[0], path)
        kinds = _kinds_of(node)
        trials = self._trials(node, shape, arms, kinds, path)
        run = [trial for trial in trials if not trial.lost]
        best = min(run, key=lambda trial: (trial.rank, kinds.isdisjoint(trial.shape.kinds)))
        best, rivals = self._rivals(node, best, run, arms, path)
        self.entries.extend(best.entries)
        self._count(best.rank.unfit, node.start, node.end, path)
        if rivals and best.rank.unfit == 0:
            self.fault("unclear_union", node.start, node.end, path)
        if self.spans is not None:
            self._bare(node, best.shape, path)
        return best.data

    def _trials(
        self, node: Node, shape: Shape, arms: Sequence[Shape], kinds: frozenset[Kind], path: str
    ) -> list[_Trial]:
        """What the arms make of a node, but for those that another one is certainly before."""
        meant = node if node.kind == "object" else self._object_in(node)
        if meant is None:
            return [self._try(node, arm, path) for arm in arms]
        tried: dict[int, _Trial] = {}
        alike: dict[Hashable, _Trial] = {}
        best = _ANY, True, 0
        for chance in self._chances.of(frozenset([member.key for member in meant.members]), shape, arms):
            floor = chance.floor if meant is node else min(chance.floor, _MISFIT)
            if floor > best[0]:
                break  # the others, too, fit no better
            place = floor, kinds.isdisjoint(chance.arm.kinds), chance.number
            if best[0].unfit and place > best:
                continue
            trial = alike.get(chance.alike) if chance.alike is not None else None
            trial = self._try(node, chance.arm, path, best[0]) if trial is None else trial._replace(shape=chance.arm)
            tried[chance.number] = trial
            if not trial.lost:
                alike[chance.alike] = trial
                best = min(best, (trial.rank, place[1], place[2]))
        return [tried[index] for index in sorted(tried)]

    def _rivals(
        self, node: Node, best: _Trial, run: list[_Trial], arms: Sequence[Shape], path: str
    ) -> tuple[_Trial, list[_Trial]]:
        """The arm that is meant, and those that may be meant as well: a key that one leaves out is not unknown to all."""
        if best.rank.unfit == 0 and best.rank.unknown and is_object(best.data):
            keys = {key for key, value in best.data.items() if value is not None}
            others = [arm for arm in arms if arm.takes(keys) - best.shape.properties.keys()]
            takes = [self._try(node, arm, path)._replace(shape=arm) for arm in others]
            fuller = [trial for trial in takes if trial.rank.unknown < best.rank.unknown]
            if fuller:
                best = min(fuller, key=lambda trial: trial.rank)
                unread = [entry for entry in best.entries if entry.note.kind == _UNFIT][:1]
                self.entries.extend(Entry(path, note._replace(kind="unread")) for path, note, _ in unread)
                return best, []
            return best, [trial for trial in takes if trial.rank.unknown == best.rank.unknown]
        kinds = _kinds_of(node)
        same = [each for each in run if each.rank == best.rank and each.data != best.data]
        own = not kinds.isdisjoint(best.shape.kinds)  # a number that stays one, before a number as a text
        return best, [trial for trial in same if not own or not kinds.isdisjoint(trial.shape.kinds)]

    def _meant_arms(self, node: Node, shape: Shape) -> Sequence[Shape]:
        """The arms that the node may mean: the one of its tag, or else those of its kind, or else all."""
        if node.kind == "object" and shape.tag is not None:
            tagged = self._tagged(node, shape.tag, shape)
            if tagged:
                return tagged
        kinds = _kinds_of(node)
        same = self._of_kinds(shape, kinds)
        if node.kind in ("object", "array"):
            return same or shape.arms
        if node.kind in ("string", "bare") and ("{" in node.text or "[" in node.text):
            return shape.arms  # it may hold JSON
        return [arm for arm in shape.arms if arm.kinds != _OBJECT or arm.literals is not None] or shape.arms[:1]

    def _of_kinds(self, shape: Shape, kinds: frozenset[Kind]) -> Sequence[Shape]:
        found = self._arms.get((shape, kinds))
        if found is None:
            found = [arm for arm in shape.arms if not kinds.isdisjoint(arm.kinds)]
            self._arms[shape, kinds] = found
        return found

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

    def _try(self, node: Node, arm: Shape, path: str, limit: Rank = _ANY) -> _Trial:
        """What an arm makes of a node; where that becomes worse than the limit, it is given up."""
        key = (id(node), id(arm))
        found = self._memo.get(key)
        if found is None or (found.lost and found.rank <= limit):
            # A list of itself takes any node as its one item, without end: a part that is tried within itself is unfit.
            unfit = Entry(path, Note(_UNFIT, node.start, node.end, "", True))
            self._memo[key] = _Trial(MISSING, [unfit], _MISFIT, arm, path=path)
            found = self._memo[key] = self._tried(node, arm, path, limit)
        return (
            found if found.path == path else found._replace(entries=_moved(found.entries, found.path, path), path=path)
        )

    def _tried(self, node: Node, arm: Shape, path: str, limit: Rank) -> _Trial:
        since, spans, around = len(self.entries), self.spans, (self._limit, self._ranked, self._faults, self._trying)
        self.spans, self._limit, self._ranked, self._faults, self._trying = None, limit, (since, BEST), 0, True
        try:
            data = self._bare(node, arm, path)
            return _Trial(data, self.entries[since:], self.rank(since), arm, path=path)
        except _LostError:
            return _Trial(MISSING, [], self._ranked[1], arm, True, path)
        finally:
            del self.entries[since:]
            self.spans = spans
            self._limit, self._ranked, self._faults, self._trying = around

    def _as_tried(self, node: Node, shape: Shape, path: str) -> Data:
        """Aligns what fits, as a trial has shown."""
        if self.spans is not None or node.remarks:
            return self.align(node, shape, path)
        trial = self._try(node, shape, path)
        self.entries.extend(trial.entries)
        return trial.data

    def _bare(self, node: Node, shape: Shape, path: str) -> Data:
        """Aligns without the node's own notes, which are taken already."""
        notes, node.notes = node.notes, None
        try:
            return self.align(node, shape, path)
        finally:
            node.notes = notes

    # ---- objects ----

    def _object(self, node: Node, shape: Shape, path: str) -> Data:
        if shape.named is not None:
            shape = shape.named
        if "object" not in shape.kinds:
            return self._encoded_here(node, shape, path) or self._other_container(node, shape, path)
        if (found := self._called(node, shape, path)) is not None:
            return self.align(found, shape, path)
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
                self._again(member, data[key], shape.child(key), f"{path}/{_escaped(key)}")
                continue
            value = self.align(member.node, shape.child(key), f"{path}/{_escaped(key)}")
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
        if (inner.kind != "object" or inner.members) and not self._fits(inner, shape, path):
            return None  # without arguments, it is a call all the same
        if not self.fix("envelope", node, shape, path, "{...}"):
            return None
        others = [member for member in node.members if member.node is not inner]
        self.entries += [Entry(path, Note("extra_key", each.start, each.node.end), shape.allow) for each in others]
        return inner

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
            child, below = shape.child(key), f"{path}/{_escaped(key)}"
            if child.default is MISSING or key in written:
                self.fault(_UNFIT, node.start, node.end, below)
            elif self.fix("default", Node("hole", None, node.end, node.end), child, below, _json(child.default)):
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
        if meant is None and (bare := words.trimmed(member.key)) != member.key:
            meant = shape.folded_keys.get(words.fold(bare))
        if meant in keys and member.key not in shape.child(meant).also:
            meant = None
        if meant is not None and self.fix(kind, place, shape, f"{path}/{_escaped(meant)}", _json(meant)):
            return meant
        if isinstance(shape.extra, Shape) or shape.keeps:
            return member.key
        below = f"{path}/{_escaped(member.key)}"
        near = self._spelling.nearest(member.key, shape.spelt_keys, keys)
        if near is not None:
            asked = (
                below if shape.extra is False and not self.permits("near_key", shape) else f"{path}/{_escaped(near)}"
            )
            if self.fix("near_key", place, shape, asked, _json(near)):
                return near
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
            self.fault(_UNFIT, member.start, member.node.start, f"{path}/{_escaped(member.key)}")
            return member.key
        key = str(meant.data)
        if key == member.key:
            return key
        kind = "near_key" if meant.kind == "near_enum" else "key_form"
        below = key if self.permits(kind, declared) else member.key
        return key if self.fix(kind, place, declared, f"{path}/{_escaped(below)}", _json(key)) else member.key

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

    # ---- arrays ----

    def _array(self, node: Node, shape: Shape, path: str) -> Data:
        if "array" not in shape.kinds:
            return self._encoded_here(node, shape, path) or self._one_of(node, shape, path)
        if self._is_nested(node, shape, path) and self.fix("nested_list", node, shape, path, "[...]"):
            return self.align(node.items[0], shape, path)
        if self._may_be_one(node, shape, path):
            self._unfit(node, path)
            return self._plain(node, path)
        if not shape.prefix and self.permits("drop_item", shape):
            data = list(self._kept(node, shape, path))
        else:
            data = [self.align(item, shape.item(index), f"{path}/{index}") for index, item in enumerate(node.items)]
        return [item for item in data if item is not MISSING] if MISSING in data else data

    def _encoded_here(self, node: Node, shape: Shape, path: str) -> str | None:
        """JSON itself where a text that holds JSON is declared."""
        if "string" not in shape.kinds or shape.node.get("contentMediaType") != "application/json":
            return None
        data = self._plain(node, path)
        if data is MISSING:
            return None
        text = _json(data)
        return text if self.fix("json_form", node, shape, path, text) else None

    def _is_nested(self, node: Node, shape: Shape, path: str) -> bool:
        """Whether the only item is the list that is declared here."""
        inner = node.items[0] if len(node.items) == 1 else None
        if inner is None or inner.kind != "array" or "array" in shape.item(0).kinds:
            return False
        return self._fits(inner, shape, path)

    def _may_be_one(self, node: Node, shape: Shape, path: str) -> bool:
        """Whether a list stands where a list of lists is declared: each of its items may be a list, or all are one."""
        if len(node.items) < 2 or shape.prefix or "array" not in shape.items.kinds:
            return False
        if any(item.kind == "array" for item in node.items):
            return False
        return all(
            any(entry.note.kind == "single_item" and entry.path == path for entry in trial.entries)
            for trial in (self._try(item, shape.items, path) for item in islice(node.items, _ALIKE))
        )

    def _one_of(self, node: Node, shape: Shape, path: str) -> Data:
        """A list where one is declared."""
        first = node.items[0] if node.items else None
        kind = "single_item" if len(node.items) == 1 else "first_item"
        if first is None or any(note.fault for note in first.remarks) or not self._fits(first, shape, path):
            return self._other_container(node, shape, path)
        value = self._try(first, shape, path).data
        if value is MISSING:
            return value  # the end of the text has cut it
        self._lone.update({id(first)} if id(node) in self._lone else ())
        return (
            self._as_tried(first, shape, path) if self.fix(kind, node, shape, path, value) else self._plain(node, path)
        )

    def _kept(self, node: Node, shape: Shape, path: str) -> Iterator[Data]:
        """The items that are not left out, each at its place among these."""
        count, faults = 0, self._faults
        for index, item in enumerate(node.items):
            if id(item) in self._left_out:
                note = Note("drop_item", item.start, item.end)
                self.entries.append(Entry(f"{path}/{index}", note, shape.allow))
                continue
            self.items[f"{path}/{count}"] = item
            yield self.align(item, shape.items, f"{path}/{count}")
            count += 1
            self._faults = faults  # an item that does not fit may be left out

    def _fits(self, node: Node, shape: Shape, path: str) -> bool:
        limit = _ANY if self._drops or "drop_item" in shape.allow else _FITS
        return self._try(node, shape, path, limit).rank.unfit == 0

    def _other_container(self, node: Node, shape: Shape, path: str) -> Data:
        if node.kind == "object" and "array" in shape.kinds and self._fits(node, shape.items, path):
            return self._wrapped(node, shape, path)
        if path and node.kind == "object" and (found := self._enveloped(node, shape, path)) is not None:
            return self.align(found, shape, path)
        self._unfit(node, path)
        return self._plain(node, path)

    def _wrapped(self, node: Node, shape: Shape, path: str) -> Data:
        """One item where a list of it is declared."""
        is_text = node.kind in ("string", "bare") and not shape.items.format  # a date has commas of its own
        may_be_several = is_text and _SEPARATED.search(node.text)
        if not self.fix("likely_item" if may_be_several else "single_item", node, shape, path, "[...]"):
            return self._plain(node, path)
        return [self._bare(node, shape.items, f"{path}/0")]

    def _plain(self, node: Node, path: str) -> Data:
        """The data as it was written."""
        return self._bare(node, ANYTHING, path)

    # ---- scalars ----

    def _scalar(self, node: Node, shape: Shape, path: str) -> Data:
        meant = meaning(node, shape, self.bounds.digits, self._spelling)
        if meant is None and shape.literals is None:
            return self._contained(node, shape, path)
        if meant is None:
            value = as_written(node)
            equal = shape.literals is not None and not isinstance(value, str) and value in shape.literals
            self.fault("unlisted" if equal else _UNFIT, node.start, node.end, path)  # to Python, true is 1
            return value
        data, kind, after = meant
        if node.kind == "bare" and kind in _STILL_TEXT:
            self.entries.append(Entry(path, Note("unquoted_string", node.start, node.end, _json(node.text))))
        if kind and not self.fix(kind, node, shape, path, after or _json(data)):
            return as_written(node)
        if shape.longest is not None and isinstance(data, str) and len(data) > shape.longest:
            cut = words.cut(data, shape.longest)
            note = Note("cut_string", node.start, node.end, _json(cut))
            return cut if self.could(note, shape, path) else data
        return data

    def _contained(self, node: Node, shape: Shape, path: str) -> Data:
        """A scalar where a container is declared: JSON in a string, or one item of a list."""
        inner = self._decoded(node, shape) if node.kind in ("string", "bare") else None
        if inner is not None and self._fits(inner, shape, path) and self.fix("encoded", node, shape, path, "{...}"):
            return self._as_tried(inner, shape, path)
        value = as_written(node)
        is_something = value is not None and (not isinstance(value, str) or value.strip() != "")
        if "array" in shape.kinds and is_something and not shape.prefix and self._fits(node, shape.items, path):
            return self._wrapped(node, shape, path)
        split = self._split(node, shape, path) if "array" in shape.kinds and isinstance(value, str) else None
        if split is not None and self.fix("split_text", node, shape, path, "[...]"):
            return self._as_tried(split, shape, path)
        self._unfit(node, path)
        return value

    def _split(self, node: Node, shape: Shape, path: str) -> Node | None:
        """The list that one text stands for, where each of its parts is an item and the whole is none."""
        items = shape.items
        if shape.prefix or items.takes_texts or items.open or items.kinds <= _CONTAINERS:
            return None
        if any(meaning(node, arm, self.bounds.digits, self._spelling) for arm in items.arms or (items,)):
            return None
        place = node.start, node.end
        made = [Node("array", [Node("string", part, *place) for part in found], *place) for found in parts(node.text)]
        self._made += made
        fitting = [each for each in made if self._fits(each, shape, path)]
        several = any(self._try(each, shape, path).data != self._try(fitting[0], shape, path).data for each in fitting)
        return fitting[0] if fitting and not several else None

    def _object_in(self, node: Node) -> Node | None:
        """The object that a string holds as valid JSON."""
        if node.kind not in ("string", "bare"):
            return None
        inner = self._decoded(node, ANYTHING) if self._is_valid(node) else None
        return inner if inner is not None and inner.kind == "object" else None

    def _is_valid(self, node: Node) -> bool:
        if id(node) not in self._valid:
            self._valid[id(node)] = _is_json(node.text)
        return self._valid[id(node)]

    def _decoded(self, node: Node, shape: Shape) -> Node | None:
        """The JSON that a string holds, all of it."""
        if shape.kinds.isdisjoint(_CONTAINERS):
            return None
        key = (id(node), ANYTHING if self._is_valid(node) else shape)  # of valid JSON every shape makes the same
        if key in self._encoded:
            return self._encoded[key]
        found, text = None, _unfenced(node.text.strip())
        if text[:1] in ("{", "["):
            reader = JsonReader(key[1], 0, self.bounds)
            reader.feed(text)
            reader.close()
            if reader.root and not reader.rest.strip() and not reader.was_cut:
                found = reader.root
                place(found, node.start, node.end)
        self._encoded[key] = found
        return found


def _is_json(text: str) -> bool:
    """Whether a text is valid JSON as it stands."""
    text = _unfenced(text.strip())
    if text[:1] not in ("{", "["):
        return False
    try:
        parse(text.encode())
    except (ValueError, UnicodeError):
        return False
    return True


def _moved(entries: Iterable[Entry], old: str, new: str) -> list[Entry]:
    """What was noted of a part when it stood at another place."""
    return [entry._replace(path=new + entry.path[len(old) :]) for entry in entries]


def _unfenced(text: str) -> str:
    """A text without the fence that is all around it."""
    found = _FENCED.fullmatch(text) if text.startswith("`") else None
    return found["inside"].strip() if found else text


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


def _json(data: Data) -> str:
    return json.dumps(data, ensure_ascii=False)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key
