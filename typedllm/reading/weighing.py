"""The candidates for the answer, weighed: what the declared type makes of each of them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, Generic, TypeVar, cast

from typedllm.reading.align import Aligner
from typedllm.reading.arms import Rank
from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.envelopes import envelopes
from typedllm.reading.fixes import NOTATION, TIER, Entry, Note
from typedllm.reading.found import Found, in_a_row
from typedllm.reading.mends import Mend, attach, shift
from typedllm.reading.nodes import Node
from typedllm.reading.plainer import Plainer
from typedllm.reading.reader import JsonReader
from typedllm.reading.report import in_the_way, is_sound
from typedllm.reading.rivals import PLAIN, Rival, behind_quote, goes_on, rivals
from typedllm.reading.seams import torn
from typedllm.reading.settle import Judge, settle
from typedllm.reading.shape import Shape
from typedllm.reading.target import Target
from typedllm.records import Issue, Policy
from typedllm.schema.walk import is_list, is_object

T = TypeVar("T")

_CLOSING: Final = " \t\r\n}])`~"
_CLOSERS: Final = ("}", "]")
_CLOSED: Final = " \t\r\n`~"
_SENTENCE_BEHIND: Final = re.compile(r",[ \t]++[^\W\d]++[ \t][^\n\"'“:{\[]*+\n|:[ \t]*+\r?\n")
_PAIR: Final = re.compile(r'\{\s*"[^"]*"\s*:\s*"[^"]*"\s*\}')  # as well a set of two texts
_PASSES: Final = 8  # how often a text is looked at, in search of what its parts that are not valid may have been
_LOOKED_AT: Final = 100_000  # characters that are looked at for that in any text
_NOTATION: Final = PLAIN | NOTATION | {"extra_closer"}
_GRADES: Final[Mapping[str, int]] = {"guess": 2, "loss": 3}


@dataclass(slots=True)
class Option(Generic[T]):
    """A candidate with what became of it.

    Attributes:
        entries: what was noted, but for what the aligner passed over.
        outside: what was noted around the node; the first of the entries.
        known: how many declared keys it has, or items.
    """

    found: Found
    node: Node
    aligner: Aligner
    data: Any
    entries: list[Entry]
    rank: Rank
    value: T | None = None
    issues: tuple[Issue, ...] = ()
    valid: bool = False
    known: int = 0
    outside: Sequence[Entry] = ()

    @property
    def kinds(self) -> set[str]:
        """The kinds of all that was noted."""
        return {entry.note.kind for entry in self.entries} | self.aligner.passed_over

    def all_entries(self, shape: Shape) -> list[Entry]:
        """All that was noted, one by one; `shape` is what is declared for the node."""
        if not self.aligner.passed_over:
            return self.entries
        aligner = self.aligner.anew(closely=True)
        aligner.align(self.node, shape)
        kept = [entry for entry in self.entries if entry.note.kind == "unclear_syntax"]
        return [*self.outside, *aligner.entries, *kept]

    def order(self, index: int, free: bool) -> tuple[int, ...]:
        """What is better comes first; where any object fits (`free`), fitting at once says little."""
        fixes = [entry.note.kind for entry in self.entries if not entry.note.fault]
        least = 1 if self.aligner.passed_over else 0
        grade = max((_GRADES.get(TIER[kind], 1) for kind in fixes), default=least) if self.valid else 4
        if grade == 1 and self.kinds <= _NOTATION:
            grade = 0  # only written otherwise: that tells no answer from another
        known = 0 if self.valid else -self.known
        mark = self.found.mark if free else self.found.word
        return grade // 2, known, -mark, grade, -self.found.mark, self.rank.unfit, -index


class Weighing(Generic[T]):
    """Weighs the candidates of one reply.

    Args:
        target: what the answer is declared to be.
        judge: says whether data is of the declared type.
        policy: which fixes are applied.
        at_limit: whether the model stopped at its token limit.
        bounds: what a reply may hold.
    """

    def __init__(
        self, target: Target, judge: Judge[T], policy: Policy, at_limit: bool, bounds: Bounds = DEFAULT
    ) -> None:
        self.target = target
        self.judge = judge
        self.policy = policy
        self.at_limit = at_limit
        self.bounds = bounds
        self._plainer: Plainer | None = None  # of the candidate before
        self._left = {True: bounds.rivals, False: bounds.rivals}  # characters to look at, of what is valid and what not

    def one(self, found: Found, node: Node, text: str) -> Option[T]:
        """A candidate, without the unknown keys around it where only what is inside fits."""
        option = self.aligned(found, node, text)
        if option.valid:
            return self._item_or_envelope(option, node, text)
        for inner, notes in envelopes(node, self.target.root):
            unwrapped = self.aligned(found, inner, text, *notes)
            if unwrapped.valid:
                return unwrapped
            if unwrapped.known and not option.known:
                option = unwrapped
        return option

    def _item_or_envelope(self, option: Option[T], node: Node, text: str) -> Option[T]:
        """One item of free keys for a list of them: a list in it may as well be the answer."""
        if node.kind != "object" or not self.target.root.is_map or "single_item" not in option.kinds:
            return option
        for inner, notes in envelopes(node, self.target.root):
            items = inner.items if inner.kind == "array" else []
            may_be = inner.kind == "string" or any(item.kind == "object" for item in items)  # of a tool call, a text
            if may_be and self.aligned(option.found, inner, text, *notes).valid:
                option.entries.append(Entry("", Note("unclear_union", node.start, node.end, "", True)))
                option.valid, option.value = False, None
        return option

    def all(self, found: Sequence[Found], text: str) -> list[Option[T]]:
        """The candidates, without the inner parts of one that was broken."""
        options: list[Option[T]] = []
        self._left[False] = min(self.bounds.rivals, max(_LOOKED_AT, _PASSES * len(text)))
        for each in found:
            if options and each.start < options[-1].found.end:
                continue
            if options and not options[-1].valid and _is_inner(text, options[-1].found.end, each.start):
                options[-1].found.end = each.end
                continue
            option = self._compared(self.one(each, each.node, text), text)
            if options and not options[-1].valid and _lacks_its_opener(option):
                option.valid, option.value = False, None  # the one before may have opened it
            options.append(option)
        return options

    def _compared(self, option: Option[T], text: str) -> Option[T]:
        """The candidate as it reads with one character changed, where all such changes that fit say one thing."""
        found = option.found
        if option.valid and found.closed_more and self._may_lack_opener(option, text):
            return self._unclear(option, Rival(Mend(0, "", text[found.start]), ""))
        kinds = {kind for kind in option.kinds if TIER.get(kind) not in ("packaging", "schema")}
        if (kinds <= PLAIN and not goes_on(text, found.end)) or (found.cut and self.at_limit) or _is_torn_off(found):
            return option
        self._left[option.valid] -= len(text) - found.start
        if self._left[option.valid] < 0:
            return option
        near, plain = self._near(option, text)
        if plain is None:
            near = [each for each in near if not torn(found.start, found.start + each.end, text, mended=True)]
        fitting = [(rival, fit) for rival in near if (fit := self._rival(found, rival, text)) is not None]
        if not fitting:
            return option
        order = [(fit.rank.lossy, fit.rank.unknown, rival.mend.doubt, fit.rank.mended) for rival, fit in fitting]
        best = [each for each, rank in zip(fitting, order, strict=True) if rank == min(order)]
        rival, fit = best[0]
        if len(best) > 1 or rival.mend.doubt > 1:
            return self._unclear(option, rival) if any(differs(option.data, each.data) for _, each in best) else option
        if option.valid and not differs(option.data, fit.data):
            return option
        if option.valid and rival.mend.new in _CLOSERS and not rival.mend.old:
            return self._unclear(option, rival)  # it is missing here, or at the end
        if option.valid and any(TIER.get(kind) == "schema" for kind in fit.kinds - option.kinds):
            return self._unclear(option, rival)  # it fits less well
        if plain is not None:
            read = self._as_written(found, fit, plain.source(rival.mend), text)
            return read or self._unclear(option, rival)
        shift(fit.found.node, rival.mend, found.start)
        attach(fit.found.node, rival.mend.note(found.start))
        return self.one(fit.found, fit.found.node, text)

    def _may_lack_opener(self, option: Option[T], text: str) -> bool:
        """Whether the bracket behind the answer may as well close another one that is missing before it."""
        found = option.found
        closers = text[found.node.end : found.end].strip()
        if closers not in _CLOSERS or self.target.root.open:
            return False
        opener = "{["[_CLOSERS.index(closers)]
        reader = JsonReader(self.target.root, found.start, self.bounds)
        reader.eof = True
        reader.feed(opener + text[found.start : found.end])
        if reader.root is None or not reader.done or reader.gave_up:
            return False
        other = self.aligned(Found(reader.root, found.fenced, False, found.lead, found.end), reader.root, text)
        return other.valid and differs(other.data, option.data)

    def _near(self, option: Option[T], text: str) -> tuple[list[Rival], Plainer | None]:
        """What is one character away from the candidate, or from what it is when all that is settled is JSON."""
        found = option.found
        whole, least = text[found.start :], len(text[found.start : found.end].rstrip(_CLOSED))
        near, plain, said = rivals(whole, least, self.bounds), None, whole
        if not near and not option.valid:
            other = self._plainer = Plainer(whole, self._plainer)
            if other.json != whole:
                near, plain, said = rivals(other.json, other.length(least), self.bounds), other, other.json
        root = self.target.root
        if found.cut or _is_closed_around(found.node):
            near = [each for each in near if _is_before_cut(option, each, said) or _knows_more(option, each, root)]
        twice = option.valid and option.kinds >= {"missing_closer", "extra_closer"}
        if not twice and (option.valid or root.open):  # one sign for another is told by what is declared alone
            near = [rival for rival in near if not rival.mend.is_exchange]
        elif root.is_map:
            near = [rival for rival in near if not _is_lone_pair(rival)]
        return near, plain

    def _as_written(self, found: Found, fit: Option[T], mend: Mend | None, text: str) -> Option[T] | None:
        """What a change makes of a text that is no JSON elsewhere either, if it says what the JSON says."""
        if mend is None:
            return None
        reader = JsonReader(self.target.root, found.start, self.bounds)
        reader.eof = True
        reader.feed(mend.applied(text[found.start :]))
        if reader.root is None or not reader.done or reader.gave_up:
            return None
        end = reader.base + reader.pos - mend.growth
        shift(reader.root, mend, found.start)
        attach(reader.root, mend.note(found.start))
        read = self.one(Found(reader.root, found.fenced, False, found.lead, end, mended=True), reader.root, text)
        return read if read.valid and not differs(read.data, fit.data) else None

    def _rival(self, found: Found, rival: Rival, text: str) -> Option[T] | None:
        """What the type makes of a neighbour of the candidate, if it is valid."""
        reader = JsonReader(self.target.root, found.start, self.bounds, strict=True)
        reader.eof = True
        reader.feed(rival.json)
        if reader.root is None or not reader.done or reader.gave_up:
            return None
        end = found.start + rival.end
        option = self.one(Found(reader.root, found.fenced, False, found.lead, end, mended=True), reader.root, text)
        return option if option.valid else None

    def _unclear(self, option: Option[T], rival: Rival) -> Option[T]:
        """A candidate that can be read in several ways is not valid in any."""
        if option.valid and not self.policy.permits("likely_quote", "guess"):
            at = option.found.start + rival.mend.at
            option.entries.append(Entry("", Note("unclear_syntax", at, at + 1, "", True)))
            option.valid, option.value = False, None
        return option

    def aligned(self, found: Found, node: Node, text: str, *notes: Note) -> Option[T]:
        """A candidate as it stands; `notes` are what was mended around it."""
        aligner = Aligner(self.policy, bounds=self.bounds)
        settled = settle(node, self.target.root, aligner, self.judge, text, whole=not found.cut)
        outside = [Entry("", note) for note in notes]
        if notes and found.node is not node:
            outside = [Entry("", note) for note in found.node.notes or ()] + outside
        data, aligner = settled.data, settled.aligner
        option: Option[T] = Option(found, node, aligner, data, [*outside, *aligner.entries], aligner.rank())
        option.outside = outside
        option.value, option.issues = settled.value, settled.issues
        cut_short = found.cut and self.at_limit
        sound = is_sound(option.entries, len(text)) and not any(in_the_way(outside, text, self.policy))
        by_chance = bool(notes) and self._takes_anything(option, [note.kind for note in notes])
        option.valid = settled.fits and sound and not by_chance and not cut_short
        option.known = 0 if by_chance else _known(data, self.target.root)
        return option

    def _takes_anything(self, option: Option[T], around: Sequence[str]) -> bool:
        """Whether much passes that is in envelopes by chance: a text or a number for a list of these, an only item for a
        scalar, one item for a list where they are several.
        """
        node, kinds = option.node, {entry.note.kind for entry in option.aligner.entries if not entry.path}
        if kinds.isdisjoint(("single_item", "split_text")):
            return False
        if not isinstance(option.data, list):
            return node.kind == "array" and not isinstance(option.data, dict)
        items = self.target.root.items
        free = any(arm.literals is None for arm in items.arms or (items,)) and "encoded" not in kinds
        return around.count("envelope") > 1 or (free and node.kind != "object")

    def lines(self, found: Sequence[Found], text: str) -> list[Option[T]]:
        """Several values in a row, where a list of them is declared: also where one of them is a bad item."""
        root = self.target.root
        if len(found) < 2 or "array" not in root.kinds or root.open or not in_a_row(list(found), text) or found[-1].cut:
            return []
        if any(each.node.kind == "array" for each in found) and "array" not in root.items.kinds:
            return []  # several lists are not the items of one
        if found[-1].closed_more and any(each.node.kind == "array" for each in found):
            return []  # a list that was closed too early
        if torn(found[0].start, found[-1].end, text, found[-1].closed_more) or self._is_said_again(found, text):
            return []
        if any(each.mended and text.startswith("][", each.end - 1) for each in found):
            return []  # two brackets may have changed places
        node = Node("array", [each.node for each in found], found[0].start, found[-1].end)
        node.note(Note("json_lines", node.start, node.end, "[...]"))
        whole = Found(node, found[0].fenced, False, found[0].lead, found[-1].end)
        option = self.aligned(whole, node, text)
        lists = any(
            each.node.kind == "array" for each in found
        )  # each may be the list: told from its items only by these
        items = sum(1 for item in option.data if _known([item], root))
        meant = found[0].word >= 0 and not lists and items > 1  # one beside other things is one item
        return [option] if option.rank.unfit == 0 or meant else []

    def _is_said_again(self, found: Sequence[Found], text: str) -> bool:
        """Whether the first of several values is the whole answer, and the others repeat it or are another one."""
        written = {text[each.start : each.end] for each in found}
        if len(written) > 1 and found[0].node.kind != "array":
            return False
        option = self.aligned(found[0], found[0].node, text)
        return option.valid and option.kinds.isdisjoint(("single_item", "nested_list"))


def _is_closed_around(node: Node) -> bool:
    """Whether its last brackets are missing, and the fence or tag around it says that it ends there."""
    return any(note.kind == "missing_closer" and note.start == node.end for note in node.remarks)


def _is_lone_pair(rival: Rival) -> bool:
    """Whether a colon was put between two texts with nothing else in their braces."""
    at = rival.mend.at
    return rival.mend.new == ":" and any(found.start() < at < found.end() for found in _PAIR.finditer(rival.json))


def _is_before_cut(option: Option[Any], rival: Rival, said: str) -> bool:
    """Whether a change puts nothing in for what the end of the text has cut."""
    mend = rival.mend
    if option.valid:  # with brackets at its end: nothing else is missing
        return mend.growth == 0
    at = mend.at
    while mend.new and said.startswith(mend.new, at):  # to put a sign in before its like is no other change
        at += 1
    if mend.old and (not mend.new or (mend.new == '"' and not mend.doubt)):
        return True
    rest = said[at + (len(mend.old) if mend.new == '"' else 0) :]
    if rest.strip(_CLOSING):
        return True
    inside = behind_quote(said[: mend.at])  # all brackets at the end are those that are open: none is of the text
    alone = rest.lstrip(" \t").startswith("\n") or (option.found.fenced and "`" in rest)
    return mend.new == '"' and alone and rest.strip(_CLOSED) != "" and not any(sign in inside for sign in "{[")


def _knows_more(option: Option[Any], rival: Rival, root: Shape) -> bool:
    """Whether a bracket that closes before the end leaves more of the declared keys where they are declared."""
    closes = rival.mend.new in _CLOSERS and not rival.mend.old
    return option.valid and closes and _known(json.loads(rival.json), root) > option.known


def _known(data: object, shape: Shape) -> int:
    """How many declared keys there are, in the items too; of a list of other things, how many items."""
    if isinstance(data, dict):
        keys = shape.properties if "object" in shape.kinds else shape.items.properties  # of the only item
        return len(keys & cast("dict[str, Any]", data).keys())
    if not isinstance(data, list) or "array" not in shape.kinds:
        return 0
    items = cast("list[object]", data)
    if "object" in shape.items.kinds:
        return sum(_known(item, shape.items) for item in items)
    return len(items)


def _lacks_its_opener(option: Option[Any]) -> bool:
    """Whether its first bracket was not written."""
    start = option.found.start
    return any(entry.note.kind == "missing_opener" and entry.note.start == start for entry in option.entries)


def _is_torn_off(found: Found) -> bool:
    """Whether more of the same document stands before it."""
    return any(note.fault and note.start < found.start for note in found.node.remarks)


def _is_inner(text: str, end: int, start: int) -> bool:
    """Whether a value that starts here is a part of the document whose reading ended there, and not another one."""
    between = text[end:start]
    before = between.rstrip(" \t\r\n\\\"'")  # in a string that broke, it may stand in quotes that are escaped
    on = (goes_on(text, end) and not _SENTENCE_BEHIND.match(between)) or text.startswith("\\", end)
    return on and before[-1:] in tuple(",:[{，、；：") and between.strip(" \t\r\n,") != ""


def differs(a: Any, b: Any) -> bool:
    return a != b or json.dumps(a, sort_keys=True) != json.dumps(b, sort_keys=True)


def without_extra(option: Option[Any], shape: Shape) -> Any:
    """The data of a candidate without the keys that its type leaves out; `shape` is what is declared for it."""
    data = copy.deepcopy(option.data)
    if not shape.target.drops_keys:
        return data
    for path, note, _ in option.all_entries(shape):
        if note.kind == "extra_key" and path:
            *steps, key = (step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:])
            around = reduce(_inside, steps, data)
            if is_object(around):
                around.pop(key, None)
    return data


def _inside(data: Any, step: str) -> Any:
    """A part of the data; None where there is none."""
    if is_object(data):
        return data.get(step)
    return data[int(step)] if is_list(data) and step.isdecimal() and int(step) < len(data) else None
