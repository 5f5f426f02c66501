"""From notes to what a caller sees: fixes and issues, with the text before and after, cut to a bound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from typedllm.reading.align import Entry
from typedllm.reading.bounds import DEFAULT
from typedllm.reading.fixes import FAULTS, MEANING, TIER, Note
from typedllm.reading.target import Target
from typedllm.records import Fix, Issue, Policy, Span
from typedllm.schema.typescript import render_type

_ELISION: Final = re.compile(
    r"\A(?://|#|/\*)\W*(?:\.\.\.|…)|\.\.\.\s*(?:\*/)?\s*\Z|\b(?:omitted for|remaining (?:items|entries|fields)|same as above)\b",
    re.IGNORECASE,
)


_BRACKETS: Final = frozenset(
    {"missing_closer", "wrong_closer", "extra_closer", "missing_opener", "wrong_opener", "extra_opener"}
)


class Told(NamedTuple):
    """What the notes of a reading say."""

    fixes: tuple[Fix, ...]
    issues: tuple[Issue, ...]


def tell(entries: Iterable[Entry], text: str, policy: Policy, target: Target) -> Told:
    """Sorts notes into the fixes that the policy permits and the issues that remain."""
    fixes: list[Fix] = []
    issues: list[Issue] = []
    for path, note in entries:
        if note.kind == "comment" and _ELISION.search(text[note.start : note.end]):
            note = Note("elision", note.start, note.end, "", True)  # what the comment says
        if note.kind == "unfit":
            continue
        if note.fault:
            got = cut(text[note.start : note.end])
            expected = expects(target, path) if note.kind == "missing_value" else ""
            issues.append(Issue(path, note.kind, expected, got, FAULTS[note.kind], Span(note.start, note.end)))
        elif policy.permits(note.kind, TIER[note.kind]):
            fixes.append(as_fix(path, note, text))
        else:
            issues.append(proposed(path, note, text, target))
    return Told(tuple(fixes), tuple(issues))


def is_permitted(entries: Iterable[Entry], text: str, policy: Policy) -> bool:
    """Whether the policy permits everything that the notes say, and none of them is a fault."""
    kinds = {note.kind for _, note in entries if not note.fault}
    if not all(policy.permits(kind, TIER[kind]) for kind in kinds):
        return False
    elided = "comment" in kinds and any(
        note.kind == "comment" and _ELISION.search(text[note.start : note.end]) for _, note in entries
    )
    return not elided and not any(note.fault and note.kind != "unfit" for _, note in entries)


def is_sound(entries: Iterable[Entry], length: int) -> bool:
    """Whether the structure is beyond doubt: where brackets were mended, an item must not be taken for a list too."""
    kinds = {note.kind for _, note in entries if not (note.kind == "missing_closer" and note.start == length)}
    return not ("single_item" in kinds and kinds & _BRACKETS)


def as_fix(path: str, note: Note, text: str) -> Fix:
    """A note as the fix that it is."""
    span = Span(note.start, note.end)
    return Fix(path, note.kind, TIER[note.kind], cut(text[note.start : note.end]), cut(note.after), span)


def proposed(path: str, note: Note, text: str, target: Target) -> Issue:
    """A fix that is not permitted, as the issue that it leaves."""
    fix = as_fix(path, note, text)
    return Issue(path, note.kind, expects(target, path), fix.before, MEANING[note.kind], fix.span, fix)


def with_places(
    issues: Iterable[Issue], spans: Mapping[str, Span], proposals: Mapping[str, Note], text: str, target: Target
) -> list[Issue]:
    """The validator's issues, with what was expected, where they stand, and what could be guessed."""
    placed: list[Issue] = []
    for issue in issues:
        note = proposals.get(issue.path)
        proposal = as_fix(issue.path, note, text) if note else None
        expected = issue.expected or expects(target, issue.path)
        placed.append(
            Issue(issue.path, issue.code, expected, issue.got, issue.message, spans.get(issue.path), proposal)
        )
    return placed


def expects(target: Target, path: str) -> str:
    """What the declared type wants at a place, in the words of the prompt."""
    shape = target.at(path)
    if shape is None or shape.open:
        return ""
    return render_type(shape.document, target.document)


def cut(text: str, limit: int = DEFAULT.shown) -> str:
    """A text, cut to a bound."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
