"""What an alignment notes: fixes and what does not fit, under the policy; how bad that is."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from operator import add
from typing import Final, NamedTuple

from typedllm.reading import words
from typedllm.reading.arms import BEST, Chances, Rank
from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.fixes import LOSSY, TIER, Entry, Note
from typedllm.reading.leaves import Data
from typedllm.reading.nodes import Node
from typedllm.reading.shape import Kind, Shape
from typedllm.records import Policy, Span

UNFIT: Final = "unfit"
MISFIT: Final = Rank(1, 0, 0, 0)
MUST_FIT: Final = Rank(0, sys.maxsize, sys.maxsize, sys.maxsize)
"""The limit of a trial that must fit."""
NO_LIMIT: Final = Rank(sys.maxsize, 0, 0, 0)
_SOME: Final = 8  # entries after which a trial is held against its limit again


class LostError(Exception):
    """A trial has become worse than its limit."""


class Trial(NamedTuple):
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


class Marks:
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
        self._memo: dict[tuple[int, int], Trial] = {}
        self._drops = policy.permits("drop_item", TIER["drop_item"])
        self._as_it_is: dict[int, tuple[Data, list[Entry], str]] = {}  # containers where nothing is declared
        self._encoded: dict[tuple[int, Shape], Node | None] = {}  # what strings hold that are JSON themselves
        self._faults = 0  # parts that do not fit, in the trial at hand or outside of all
        self._trying = False
        self._valid: dict[int, bool] = {}  # whether strings hold valid JSON, by their identity
        self._repeated: set[int] = set()  # values of keys that stand in their object already, by their identity
        self._lone: set[int] = set()  # values that are alone in their map, by their identity
        self._styled: set[int] = set()  # numbers that were written as in another language, by their identity
        self._made: list[Node] = []  # what was made here: trials know nodes by their identity
        self._chances = Chances(self.permits)
        self._arms: dict[tuple[Shape, frozenset[Kind]], Sequence[Shape]] = {}
        self._limit: Rank = NO_LIMIT  # of the trial at hand
        self._ranked: tuple[int, Rank] = (0, BEST)  # up to which entry the trial at hand is ranked, and how
        self._spelling = words.Spelling(bounds.compared)
        self.stopped: Entry | None = None

    def permits(self, kind: str, shape: Shape) -> bool:
        """Whether a fix of this kind may be applied here."""
        return self.policy.permits(kind, TIER[kind]) or kind in shape.allow

    def fix(self, kind: str, node: Node, shape: Shape, path: str, after: Data) -> bool:
        """Marks a conversion, and says whether the policy permits it; if not, it is proposed."""
        if self.could(
            Note(kind, node.start, node.end, after if isinstance(after, str) else as_json(after)), shape, path
        ):
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
        self.fault(UNFIT, node.start, node.end, path)

    @property
    def _is_full(self) -> bool:
        """Whether so much does not fit that the rest is not looked at."""
        return self._faults >= self.bounds.faults

    @property
    def gave_up(self) -> bool:
        """Whether a bound is met."""
        return self.stopped is not None

    @property
    def is_spent(self) -> bool:
        """Whether misspelt words are not looked for any more."""
        return self._spelling.is_spent

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
        if len(self.entries) - at < _SOME and self._limit is not MUST_FIT:
            return
        rank = Rank(*map(add, rank, self._counted(at)))
        self._ranked = len(self.entries), rank
        if rank > self._limit:
            raise LostError


def is_styled(notes: Sequence[Note]) -> bool:
    """Whether a number was written as in another language."""
    return any(note.kind == "number_style" for note in notes)


def as_json(data: Data) -> str:
    return json.dumps(data, ensure_ascii=False)


def escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key
