"""The arms of a union, tried: which of them a part means."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Final

from typedllm.reading import words
from typedllm.reading.arms import BEST, Rank
from typedllm.reading.envelopes import is_call
from typedllm.reading.fixes import Entry, Note
from typedllm.reading.leaves import Data
from typedllm.reading.marks import MISFIT, MUST_FIT, NO_LIMIT, UNFIT, LostError, Marks, Trial, is_styled
from typedllm.reading.nodes import Node
from typedllm.reading.shape import Kind, Shape
from typedllm.records import MISSING
from typedllm.schema.walk import is_object

_OBJECT: Final[frozenset[Kind]] = frozenset({"object"})


class UnionAligner(Marks):
    """Aligns what is declared to be one of several."""

    def align(self, node: Node, shape: Shape, path: str = "") -> Data:
        """The data of a node, as near to its shape as one meaning allows; `MISSING` for a hole."""
        raise NotImplementedError

    def _object_in(self, node: Node) -> Node | None:
        raise NotImplementedError

    def _union(self, node: Node, shape: Shape, path: str) -> Data:
        arms = self._meant_arms(node, shape)
        if len(arms) == 1:
            return self._bare(node, arms[0], path)
        kinds = kinds_of(node)
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
    ) -> list[Trial]:
        """What the arms make of a node, but for those that another one is certainly before."""
        meant = node if node.kind == "object" else self._object_in(node)
        if meant is None or _may_be_around(meant, shape):
            return [self._try(node, arm, path) for arm in arms]
        tried: dict[int, Trial] = {}
        alike: dict[Hashable, Trial] = {}
        best = NO_LIMIT, True, 0
        for chance in self._chances.of(frozenset([member.key for member in meant.members]), shape, arms):
            floor = chance.floor if meant is node else min(chance.floor, MISFIT)
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
        self, node: Node, best: Trial, run: list[Trial], arms: Sequence[Shape], path: str
    ) -> tuple[Trial, list[Trial]]:
        """The arm that is meant, and those that may be meant as well: a key that one leaves out is not unknown to all."""
        if best.rank.unfit == 0 and best.rank.unknown and is_object(best.data):
            keys = {key for key, value in best.data.items() if value is not None}
            others = [arm for arm in arms if arm.takes(keys) - best.shape.properties.keys()]
            takes = [self._try(node, arm, path)._replace(shape=arm) for arm in others]
            fuller = [trial for trial in takes if trial.rank.unknown < best.rank.unknown]
            if fuller:
                best = min(fuller, key=lambda trial: trial.rank)
                unread = [entry for entry in best.entries if entry.note.kind == UNFIT][:1]
                self.entries.extend(Entry(path, note._replace(kind="unread")) for path, note, _ in unread)
                return best, []
            return best, [trial for trial in takes if trial.rank.unfit == 0]
        kinds = kinds_of(node)
        same = [each for each in run if each.rank == best.rank and each.data != best.data]
        own = not kinds.isdisjoint(best.shape.kinds)  # a number that stays one, before a number as a text
        return best, [trial for trial in same if not own or not kinds.isdisjoint(trial.shape.kinds)]

    def _meant_arms(self, node: Node, shape: Shape) -> Sequence[Shape]:
        """The arms that the node may mean: the one of its tag, or else those of its kind, or else all."""
        if node.kind == "object" and shape.tag is not None:
            tagged = self._tagged(node, shape.tag, shape)
            if tagged:
                return tagged
        kinds = kinds_of(node)
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

    def _try(self, node: Node, arm: Shape, path: str, limit: Rank = NO_LIMIT) -> Trial:
        """What an arm makes of a node; where that becomes worse than the limit, it is given up."""
        key = (id(node), id(arm))
        found = self._memo.get(key)
        if found is None or (found.lost and found.rank <= limit):
            # A list of itself takes any node as its one item, without end: a part that is tried within itself is unfit.
            unfit = Entry(path, Note(UNFIT, node.start, node.end, "", True))
            self._memo[key] = Trial(MISSING, [unfit], MISFIT, arm, path=path)
            found = self._memo[key] = self._tried(node, arm, path, limit)
        return (
            found if found.path == path else found._replace(entries=moved(found.entries, found.path, path), path=path)
        )

    def _tried(self, node: Node, arm: Shape, path: str, limit: Rank) -> Trial:
        since, spans, around = len(self.entries), self.spans, (self._limit, self._ranked, self._faults, self._trying)
        self.spans, self._limit, self._ranked, self._faults, self._trying = None, limit, (since, BEST), 0, True
        try:
            data = self._bare(node, arm, path)
            return Trial(data, self.entries[since:], self.rank(since), arm, path=path)
        except LostError:
            return Trial(MISSING, [], self._ranked[1], arm, True, path)
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
        if notes and is_styled(notes):
            self._styled.add(id(node))
        try:
            return self.align(node, shape, path)
        finally:
            node.notes = notes

    def _fits(self, node: Node, shape: Shape, path: str) -> bool:
        limit = NO_LIMIT if self._drops or "drop_item" in shape.allow else MUST_FIT
        return self._try(node, shape, path, limit).rank.unfit == 0


def _may_be_around(node: Node, shape: Shape) -> bool:
    """Whether the keys of an object may be those of an envelope, so that they say nothing of the arms."""
    if node.kind != "object" or not node.members:
        return False
    keys = {member.key for member in node.members}
    lone = len(keys) == 1 and node.members[0].node.kind == "object" and keys.isdisjoint(shape.properties)
    return lone or is_call(keys)


def moved(entries: Iterable[Entry], old: str, new: str) -> list[Entry]:
    """What was noted of a part when it stood at another place."""
    return [entry._replace(path=new + entry.path[len(old) :]) for entry in entries]


def kinds_of(node: Node) -> frozenset[Kind]:
    """The kinds of JSON value that a node is."""
    if node.kind == "object":
        return frozenset({"object"})
    if node.kind == "array":
        return frozenset({"array"})
    if node.kind == "number":
        return frozenset({"integer", "number"})
    if node.kind == "literal":
        return frozenset({"null"}) if node.value is None else frozenset({"boolean"})
    return frozenset({"string"})
