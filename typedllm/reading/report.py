"""From notes to what a caller sees: fixes and issues, with the text before and after, cut to a bound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from typedllm.reading.bounds import DEFAULT
from typedllm.reading.fixes import FAULTS, MEANING, TIER, Entry, Note
from typedllm.reading.target import Target
from typedllm.records import Fix, Issue, Policy, Span
from typedllm.schema.typescript import render_type

_ELISION: Final = re.compile(
    r"\A(?://|#|/\*)\W*(?:\.\.\.|…)|\.\.\.\s*+(?:\*/\s*+)?\Z|\b(?:remaining (?:items|entries|fields)|same as above)\b"
    r"|(?<!\bbe )\b(?:omitted|elided|left out)\b(?! (?:if|when|unless|by default)\b)"
    r"|\A\W*(?:(?:and|plus) (?:(?:\d+|some|many|several|a few) )?|(?:\d+|some|many|several|a few) )(?:more|others)\b(?! than\b)"
    r"|\A\W*(?:and )?so (?:on|forth)\b"
    r"|\A\W*(?:etc|truncated)\b\W*\Z",
    re.IGNORECASE,
)
"""What says that something is left out: not where it says of a part when it may be."""

_OF_KEYS: Final = frozenset({"key_form", "field_name", "near_key"})
_BEHIND_KEY: Final = " \t\r\n:=>："
_INDENT: Final = 100
_FURTHER: Final = 2_000  # characters of further comments behind one
_COMMA_BEFORE: Final = re.compile(r",\s*\n\s*\Z")
_WORDS: Final = re.compile(r"(?://|#|/\*|<!--)[\s*#/-]*[^\W\d_]")
_LIST_ENDS: Final = re.compile(r"\s*(?:(?://|#)[^\n]*\n\s*)*\]")
_BRACKET_BEHIND: Final = re.compile(r"[ \t]*\]")
_BRACKETS: Final = frozenset(
    {"missing_closer", "wrong_closer", "extra_closer", "missing_opener", "wrong_opener", "extra_opener"}
)


def tell(entries: Iterable[Entry], text: str, policy: Policy, target: Target) -> tuple[Issue, ...]:
    """The issues that remain of notes, the first of a bounded number."""
    issues: list[Issue] = []
    for entry in entries:
        path, note, _ = entry
        if note.kind == "unfit":
            continue
        if is_elision(note, text):
            note = Note("elision", note.start, note.end, "", True)
        if note.fault:
            got = cut(text[note.start : note.end])
            expected = expects(target, path) if note.kind in ("missing_value", "unread", "unlisted") else ""
            issues.append(Issue(path, note.kind, expected, got, FAULTS[note.kind], Span(note.start, note.end)))
        elif not entry.is_permitted(policy):
            issues.append(proposed(path, note, text, target))
        if len(issues) >= DEFAULT.faults:
            break
    return tuple(issues)


def fixes_of(entries: Iterable[Entry], text: str, policy: Policy) -> tuple[Fix, ...]:
    """The fixes that the policy permits, up to where issues are told no more."""
    fixes: list[Fix] = []
    issues = 0
    for entry in entries:
        path, note, _ = entry
        if note.kind == "unfit":
            continue
        if note.fault or not entry.is_permitted(policy) or is_elision(note, text):
            issues += 1
        else:
            fixes.append(as_fix(path, note, text))
        if issues >= DEFAULT.faults:
            break
    return tuple(fixes)


def is_elision(note: Note, text: str) -> bool:
    """Whether it is a comment that says that something is left out."""
    if note.kind != "comment":
        return False
    return _ELISION.search(text[note.start : note.end]) is not None or _stands_for_items(note, text)


def _stands_for_items(note: Note, text: str) -> bool:
    """Whether it says in words, where an item would stand, what comes behind the last comma of a list: items may be meant.

    That is on a line of its own, or between the comma and the bracket on one line.
    """
    since = max(0, note.start - _INDENT)
    if text.startswith("/*", note.start) and _BRACKET_BEHIND.match(text, note.end, note.end + _INDENT):
        return text[since : note.start].rstrip(" \t")[-1:] == "," and _WORDS.match(text, note.start) is not None
    before = _COMMA_BEFORE.search(text, since, note.start)
    return (
        before is not None
        and _WORDS.match(text, note.start) is not None
        and _LIST_ENDS.match(text, note.end, note.end + _FURTHER) is not None
    )


def in_the_way(entries: Iterable[Entry], text: str, policy: Policy) -> Iterator[Entry]:
    """The notes for which a reading cannot be accepted: faults, and fixes that the policy does not permit.

    What does not fit is not among them: the validator says so.
    """
    for entry in entries:
        note = entry.note
        if note.fault:
            if note.kind != "unfit":
                yield entry
        elif not entry.is_permitted(policy) or is_elision(note, text):
            yield entry


def is_sound(entries: Iterable[Entry], length: int) -> bool:
    """Whether the structure is beyond doubt.

    Where brackets were mended, an item must not be taken for a list too, nor anything be left out as unknown: it may
    belong elsewhere. Nor where the quotes of the document were escaped. A comma too many may stand for a bracket before the end.
    """
    entries = tuple(entries)
    kinds = {entry.note.kind for entry in entries}
    if "single_item" in kinds and "escaped_quotes" in kinds:
        return False
    if not kinds.isdisjoint(_BRACKETS) and any(entry.path and entry.note.kind == "extra_key" for entry in entries):
        return False
    if any(entry.note.kind == "missing_closer" and entry.note.start < length for entry in entries):
        return kinds.isdisjoint(("single_item", "first_item", "extra_comma"))
    return (kinds - {"missing_closer"}).isdisjoint(_BRACKETS) or kinds.isdisjoint(("single_item", "first_item"))


def as_fix(path: str, note: Note, text: str) -> Fix:
    """A note as the fix that it is."""
    if note.kind in _OF_KEYS:  # it was noted up to where the value begins
        key = text[note.start : note.end].rstrip(_BEHIND_KEY)
        note = note._replace(end=note.start + len(key) if key else note.end)
    span = Span(note.start, note.end)
    return Fix(path, note.kind, TIER[note.kind], cut(text[note.start : note.end]), cut(note.after), span)


def proposed(path: str, note: Note, text: str, target: Target) -> Issue:
    """A fix that is not permitted, as the issue that it leaves."""
    fix = as_fix(path, note, text)
    return Issue(path, note.kind, expects(target, path), fix.before, MEANING[note.kind], fix.span, fix)


def with_places(
    issues: Iterable[Issue],
    spans: Mapping[str, Span],
    proposals: Mapping[str, Note],
    text: str,
    target: Target,
    policy: Policy,
) -> list[Issue]:
    """The validator's issues, with what was expected, where they stand, and what a lossy fix would make of them."""
    placed: list[Issue] = []
    for issue in issues:
        note = proposals.get(issue.path)
        proposal = as_fix(issue.path, note, text) if note else _without_item(issue.path, spans, text, target, policy)
        expected = issue.expected or ("" if issue.code == "extra" else expects(target, issue.path))
        placed.append(
            Issue(issue.path, issue.code, expected, issue.got, issue.message, spans.get(issue.path), proposal)
        )
    return placed


def _without_item(path: str, spans: Mapping[str, Span], text: str, target: Target, policy: Policy) -> Fix | None:
    """That the item of a list that the path leads into could be left out, where that is not permitted."""
    while path:
        around, _, step = path.rpartition("/")
        shape = target.at(around) if step.isdecimal() else None
        if shape is not None and "array" in shape.kinds and not shape.prefix and path in spans:
            entry = Entry(path, Note("drop_item", *spans[path]), shape.allow)
            return None if entry.is_permitted(policy) else as_fix(path, entry.note, text)
        path = around
    return None


def pointers_around(path: str) -> Iterator[str]:
    """A JSON Pointer and those of the parts around it, the innermost first."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def expects(target: Target, path: str) -> str:
    """What the declared type wants at a place, in the words of the prompt."""
    shape = target.at(path)
    if shape is None or shape.open:
        return ""
    if shape not in target.words:
        target.words[shape] = render_type({**shape.document}, target.document)  # the root in full, not by its name
    return target.words[shape]


def cut(text: str, limit: int = DEFAULT.shown) -> str:
    """A text, cut to a bound."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
