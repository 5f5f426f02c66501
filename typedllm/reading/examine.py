"""What a reply is worth: the answer found, aligned, judged; or what is wrong with it.

Among several candidates the rule is, in order: what is valid as it stands, before what is valid with fixes, before
what is not valid; then what the text marks as the answer (a fence, "final", "corrected", not "example" or "draft").
Different values that nothing separates are an issue, not a coin toss.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from typedllm.reading.align import Aligner
from typedllm.reading.alone import is_any_text, labelled, may_go_on, read_scalar
from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.choosing import announced, is_taken_back, rivals_of
from typedllm.reading.extract import Extractor
from typedllm.reading.fenced import insides, scalars
from typedllm.reading.finish import finish
from typedllm.reading.fixes import FAULTS, Entry, Note
from typedllm.reading.found import Found
from typedllm.reading.listed import row
from typedllm.reading.nodes import Node
from typedllm.reading.reader import JsonReader
from typedllm.reading.report import as_fix, cut, fixes_of, pointers_around, tell, with_places
from typedllm.reading.seams import mark_torn
from typedllm.reading.settle import Judge
from typedllm.reading.shape import Kind, Shape
from typedllm.reading.spans import LazySpans, LazyTuple
from typedllm.reading.target import Target
from typedllm.reading.weighing import Option, Weighing, differs, without_extra
from typedllm.records import MISSING, Candidate, FinishReason, Fix, Issue, Policy, Reading, ReadingStatus, Span

T = TypeVar("T")

_BLANK: Final = " \t\r\n"
_CONTAINERS: Final[frozenset[Kind]] = frozenset({"object", "array"})
_MEMBER: Final = re.compile(r'"([^"\\\n]{1,80})"\s{0,8}:')
_LISTED: Final = re.compile(r"\s*[(\[{]\s{0,80}\"")
_OF_THE_CUT: Final = frozenset({"unfinished", "missing", "unclear_brackets"})
_EMPHASIS: Final = re.compile(r"(\*{1,3}|_{1,3}|`{1,2})(?P<text>[^\s*_`](?:[^\n]*[^\s*_`])?)\1")
_AROUND: Final = ("emphasis", "tag")
_TAGGED: Final = re.compile(r"<(?P<name>[A-Za-z][\w.-]{0,40})>\s*(?P<text>[^<>]*[^<>\s])\s*</(?P=name)>")
_OF_THE_REST: Final = frozenset({"min_items", "min_properties", "contains", "min_contains"})
_OPEN: Final = ("open_string", "open_scalar")
_SYNTAX_FAULTS: Final = frozenset({"unexpected_text", "unfinished", "too_deep", "too_long", "too_many_fixes"})


class Examination(Generic[T]):
    """Examines one reply.

    Args:
        target: what the answer is declared to be.
        judge: says whether data is of the declared type.
        policy: which fixes are applied.
        finish_reason: why the model stopped, when known.
    """

    def __init__(
        self,
        target: Target,
        judge: Judge[T],
        policy: Policy,
        finish_reason: FinishReason | None = None,
        bounds: Bounds = DEFAULT,
    ) -> None:
        self.target = target
        self.judge = judge
        self.policy = policy
        self.finish_reason = finish_reason
        self.bounds = bounds
        self.weighing = Weighing(target, judge, policy, finish_reason == "length", bounds)

    def read(self, text: str) -> Reading[T]:
        """Reads a whole text."""
        extractor = Extractor(self.target, self.bounds)
        extractor.read(text)
        return self.conclude(extractor)

    def conclude(self, extractor: Extractor) -> Reading[T]:
        """Reads what an extractor found, once it is closed."""
        try:
            return self._conclude(extractor)
        except RecursionError:
            return _failed("broken_json", "too_deep", "nested too deeply for what is declared")

    def _conclude(self, extractor: Extractor) -> Reading[T]:
        if extractor.too_long:
            return _failed("broken_json", "too_long", f"the reply is longer than {self.bounds.chars} characters")
        text = extractor.text
        reasoning = "".join(text[span.start : span.end] for span in extractor.reasoning)
        visible = _without(text, extractor.reasoning)
        if not visible.strip(" \t\r\n\ufeff"):
            truncated = self.finish_reason == "length" and text.strip() != ""
            return _failed("truncated" if truncated else "empty", "empty", "the reply is blank", reasoning)
        since = max((span.end for span in extractor.reasoning), default=0)
        text_only = is_any_text(self.target.root)
        found = [] if text_only else finish(extractor.found, text, self.target, self.bounds, since)
        options = self.weighing.lines(found, text)
        if not options:
            mark_torn(found, text)
            options = self.weighing.all(found, text)
            options += self._scalars_beside(found, since, text)
        if not any(option.valid for option in options):
            options += self._bare_answer(extractor, since, text)
        if not options:
            return self._nothing(reasoning)
        return self._choose(options, extractor, text, reasoning)

    def _nothing(self, reasoning: str) -> Reading[T]:
        if self.finish_reason == "length":
            return _failed("truncated", "truncated", "the text ends before the answer begins", reasoning)
        return _failed("no_json", "no_json", "no JSON value was found in the reply", reasoning)

    # ---- candidates ----

    def _scalars_beside(self, found: Sequence[Found], since: int, text: str) -> Iterator[Option[T]]:
        """Scalars in fences, where the answer may be one as well as what was found."""
        root = self.target.root
        if not found or root.open or root.kinds <= _CONTAINERS:
            return
        beside = scalars(text, since, found, root, self.bounds)
        for each in islice(beside, self.bounds.candidates):
            option = self.weighing.aligned(each, each.node, text)
            if option.valid:
                yield option

    def _bare_answer(self, extractor: Extractor, start: int, text: str) -> list[Option[T]]:
        """A scalar that stands alone, where a scalar is declared; or text, where text is; from `start` on."""
        root = self.target.root
        text_only = is_any_text(root)
        lists = "array" in root.kinds and root.kinds <= _CONTAINERS and not root.prefix and not extractor.found
        broken = bool(root.kinds & _CONTAINERS) and (extractor.found or _is_broken(text, start, root))
        if not lists and (root.kinds <= _CONTAINERS or broken):
            return []
        inner = text[start:]
        fences = [] if text_only else list(islice(insides(inner), 2))
        fenced = fences[0] if len(fences) == 1 else None
        closed = fenced is not None and fenced[1] < len(inner)
        outer = inner[slice(*fenced)] if fenced else inner
        body = outer.strip(" \t\r\n\ufeff")
        start += (fenced[0] if fenced else 0) + outer.find(body)
        if lists:
            return self._bare_items(body, start, text, closed)
        tagged = None if text_only else _TAGGED.fullmatch(body)
        if tagged:
            node = read_scalar(tagged["text"], start + tagged.start("text"), root, self.bounds)
            node.note(Note("tag", start, start + len(body)))
        else:
            node = read_scalar(body, start, root, self.bounds)
        if root.open and any(note.kind == "plain_text" for note in node.remarks):
            return []
        # Nothing shows where a text without quotes or a number ends: at the token limit it may have gone on.
        open_end = node.kind == "number" or (bool(node.notes) and may_go_on(body, root))
        cut = self.finish_reason == "length" and not closed and open_end
        option = self.weighing.aligned(Found(node, fenced is not None, cut, "", start + len(body)), node, text)
        if option.valid:
            return [option]
        if not text_only and (bold := _EMPHASIS.fullmatch(body)):
            node = read_scalar(bold["text"], start + bold.start("text"), root, self.bounds)
            node.note(Note("emphasis", start, start + len(body)))
            return [self.weighing.aligned(Found(node, False, False, "", start + len(body)), node, text)]
        if (said := labelled(body, start, root)) is None:
            return [option]
        return [self.weighing.aligned(Found(said, False, False, "", said.end), said, text)]

    def _bare_items(self, body: str, start: int, text: str, fenced: bool) -> list[Option[T]]:
        """The items of a list that stand alone, where no prose can be taken for one."""
        items = self.target.root.items
        node = row(body, start)
        if node is None and not items.takes_texts and not items.open:
            node = read_scalar(body, start, items, self.bounds)
        if node is None:
            return []
        cut = self.finish_reason == "length" and not fenced
        option = self.weighing.aligned(Found(node, fenced, cut, "", start + len(body)), node, text)
        return [option] if option.valid else []

    # ---- the outcome ----

    def _choose(self, options: list[Option[T]], extractor: Extractor, text: str, reasoning: str) -> Reading[T]:
        free = self.target.root.is_map
        order = {id(option): option.order(index, free) for index, option in enumerate(options)}
        best = min(options, key=lambda option: order[id(option)])
        if best.valid:
            rivals = rivals_of(best, options, order, free, text)
            if self._say_other(rivals, best):
                return self._ambiguous(rivals, options, reasoning)
            best = announced(best, options, free, text)
            if best.valid and is_taken_back(best, options[-1], text, free):
                if options[-1].valid:
                    return self._ambiguous([best, options[-1]], options, reasoning)
                best = options[-1]
        candidates = tuple(_candidate(option, option is best) for option in options)
        if best.valid:
            return self._accepted(best, extractor, text, candidates, reasoning)
        return self._rejected(best, text, candidates, reasoning)

    def _say_other(self, rivals: Sequence[Option[T]], best: Option[T]) -> bool:
        """Whether a candidate differs from the best one in more than keys that the type leaves out."""
        others = [each for each in rivals if each is not best and differs(each.data, best.data)]
        if not any("extra_key" in each.kinds for each in (*others, best)):
            return bool(others)
        meant = without_extra(best, self.target.root)
        return any(differs(without_extra(each, self.target.root), meant) for each in others)

    def _ambiguous(self, rivals: list[Option[T]], options: list[Option[T]], reasoning: str) -> Reading[T]:
        places = sorted({Span(option.found.start, option.found.end) for option in rivals})
        at = ", ".join(f"{start}-{end}" for start, end in places[:5])
        message = f"{len(places)} different answers that nothing tells apart, at {at}: write one"
        if len(places) == 1:
            message = f"what stands at {at} can be read in {len(rivals)} ways: write one"
        around = Span(places[0].start, max(place.end for place in places))
        issue = Issue("", "ambiguous", message=message, span=around)
        candidates = tuple(_candidate(option, False) for option in options)
        return Reading("ambiguous", issues=(issue,), candidates=candidates, reasoning=reasoning)

    def _accepted(
        self, best: Option[T], extractor: Extractor, text: str, candidates: tuple[Candidate, ...], reasoning: str
    ) -> Reading[T]:
        reasoned = tuple(extractor.reasoning)

        def work_out() -> tuple[Fix, ...]:
            packaging = [Entry("", note) for note in _packaging(best.found, reasoned, text)]
            return fixes_of([*packaging, *best.all_entries(self.target.root)], text, self.policy)

        fixes = LazyTuple(work_out)
        return Reading("ok", best.value, best.data, (), fixes, self._spans(best), candidates, reasoning)

    def _spans(self, option: Option[T]) -> LazySpans:
        def work_out() -> dict[str, Span]:
            spans: dict[str, Span] = {}
            with suppress(RecursionError):
                option.aligner.anew(spans=spans).align(option.node, self.target.root)
            return spans

        return LazySpans(work_out)

    def _places(self, option: Option[T], issues: Sequence[Issue]) -> dict[str, Span]:
        """Where the parts stand that issues name, and the parts around these."""
        spans: dict[str, Span] = {}
        wanted = frozenset(around for issue in issues for around in pointers_around(issue.path))
        with suppress(RecursionError):
            option.aligner.anew(spans=spans, wanted=wanted).align(option.node, self.target.root)
        return spans

    def _rejected(self, best: Option[T], text: str, candidates: tuple[Candidate, ...], reasoning: str) -> Reading[T]:
        entries = [
            entry for entry in best.all_entries(self.target.root) if entry.note.kind not in (*_OPEN, "too_many_issues")
        ]
        spans = self._spans(best)
        issues = list(tell(entries, text, self.policy, self.target))
        if not best.issues and best.data is not MISSING:
            best.issues = self.judge(best.data, None)[1]
        taken = {issue.path for issue in issues}
        later = [issue for issue in _looked_at(best) if issue.path not in taken]
        issues += with_places(later, self._places(best, later), best.aligner.proposals, text, self.target, self.policy)
        if best.aligner.stopped is not None:
            issues += [
                issue for issue in tell([best.aligner.stopped], text, self.policy, self.target) if issue not in issues
            ]
        if not issues:
            span = Span(best.found.start, best.found.end)
            got = cut(text[span.start : span.end])
            issues.append(Issue("", "unclear_brackets", "", got, FAULTS["unclear_brackets"], span))
        status: ReadingStatus = "invalid"
        if best.found.cut:
            status, issues, best.data = "truncated", self._cut_issues(best, issues, text), self._closed_data(best)
        elif any(issue.code in _SYNTAX_FAULTS for issue in issues):
            status = "broken_json"
        if best.aligner.stopped is not None:
            best.data = MISSING  # whoever mended it would lose the rest
        fixes = LazyTuple(lambda: fixes_of(entries, text, self.policy))
        return Reading(status, None, best.data, tuple(issues), fixes, spans, candidates, reasoning)

    def _closed_data(self, best: Option[T]) -> Callable[[], Any]:
        """The data without what the end of the text cut, worked out when somebody asks."""

        def work_out() -> Any:
            try:
                return best.aligner.anew(closed_only=True).align(best.node, self.target.root)
            except RecursionError:
                return MISSING

        return cache(work_out)

    def _cut_issues(self, best: Option[T], issues: list[Issue], text: str) -> list[Issue]:
        path, node = _last(best.node)
        span = Span(node.start, node.end)
        message, proposal = "the text ends here, before the answer is complete", self._open_end(best, text)
        if node.kind == "string" and node.text.rstrip().endswith(("}", "]")):  # these may be the document's own
            message, proposal = "no quote closes this text before the end of the reply", None
        said = Issue(path, "truncated", "", cut(text[node.start : node.end]), message, span, proposal)
        return [
            said,
            *(issue for issue in issues if issue.path != path and issue.code not in _OF_THE_CUT),
        ]

    def _open_end(self, best: Option[T], text: str) -> Fix | None:
        """What a lossy fix would make of the part that the end of the text has cut; none where the model was cut."""
        if self.finish_reason == "length":
            return None
        entries = best.all_entries(self.target.root)
        open_ = (each for each in entries if each.note.kind in _OPEN and not each.is_permitted(self.policy))
        return next((as_fix(each.path, each.note, text) for each in open_), None)


def _looked_at(option: Option[Any]) -> Sequence[Issue]:
    """What the validator finds wrong, but for what may stand where nothing was looked at any more."""
    stopped = option.aligner.stopped
    if stopped is None:
        return option.issues
    around = frozenset(pointers_around(stopped.path))
    open_ = {(path, code) for path in around for code in _OF_THE_REST}
    return [
        issue
        for issue in option.issues
        if (issue.path, issue.code) not in open_
        and not (issue.code == "missing" and issue.path.rpartition("/")[0] in around)
    ]


def _failed(status: ReadingStatus, code: str, message: str, reasoning: str = "") -> Reading[Any]:
    return Reading(status, issues=(Issue("", code, message=message),), reasoning=reasoning)


def _candidate(option: Option[Any], chosen: bool) -> Candidate:
    fit = "valid" if option.valid else f"{option.known} declared keys, {option.rank.unfit} parts that do not fit"
    other = ", marked" if option.found.mark > 0 else ", in a sentence" if option.found.aside else ", an example"
    mark = {0: "", 1: ", fenced"}.get(option.found.mark, other)
    return Candidate(Span(option.found.start, option.found.end), chosen, fit + mark)


def _without(text: str, spans: Sequence[Span]) -> str:
    parts, at = list[str](), 0
    for span in spans:
        parts.append(text[at : span.start])
        at = span.end
    return "".join([*parts, text[at:]])


def _is_broken(text: str, start: int, root: Shape) -> bool:
    """Whether a text begins with a bracket and a quote, or has a declared key in quotes, with its colon: it is no text
    then, but a container that is broken.
    """
    if _LISTED.match(text, start):
        return True
    return any(found[1] in root.properties for found in _MEMBER.finditer(text, start))


def _packaging(found: Found, reasoning: Sequence[Span], text: str) -> list[Note]:
    """What stands around the answer."""
    notes = [Note("reasoning", span.start, span.end) for span in reasoning]
    start = min((note.start for note in found.node.remarks if note.kind in _AROUND), default=found.start)
    outside = [*reasoning, Span(start, found.end)]
    rest = _without(text, sorted(outside))
    if "\ufeff" in rest:
        notes.append(Note("mark", 0, 1))
    if found.fenced:
        notes.append(Note("fence", found.start, found.end))
    if re.sub(r"(?m)^[ \t]*(?:`{3,}|~{3,})[\w+-]*[ \t]*$|`{3,}|~{3,}|\ufeff", "", rest).strip(_BLANK):
        notes.append(
            Note("prose", 0, found.start) if text[: found.start].strip(_BLANK) else Note("prose", found.end, len(text))
        )
    elif re.search(r"`{3}|~{3}", rest) and not found.fenced:
        notes.append(Note("fence", found.end, len(text)))
    return notes


def _last(node: Node) -> tuple[str, Node]:
    """The innermost part that the end of the text cut, with its JSON Pointer."""
    path = ""
    while node.kind in ("object", "array") and node.value and any(n.kind == "missing_closer" for n in node.notes or ()):
        if node.kind == "object":
            key, below = node.members[-1].key, node.members[-1].node
        else:
            key, below = str(len(node.items) - 1), node.items[-1]
        inside = any(n.kind in ("missing_closer", "open_string", "open_scalar") for n in below.notes or ())
        if not inside:
            break
        path, node = f"{path}/{key.replace('~', '~0').replace('/', '~1')}", below
    return path, node


def spans_of(text: str, target: Target) -> dict[str, Span]:
    """Where each part of a JSON text stands, by JSON Pointer."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    spans = {"": Span(start, end)}
    if text.startswith(("{", "["), start):
        reader = JsonReader(target.root, start, strict=True)
        reader.feed(text[start:end])
        reader.close()
        if reader.root is not None and not reader.gave_up:
            with suppress(RecursionError):
                Aligner(Policy.of("strict"), spans).align(reader.root, target.root)
    return spans
