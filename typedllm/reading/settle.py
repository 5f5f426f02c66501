"""Aligned and judged; and where the policy permits it, once more without the items that do not fit.

Items are left out only where that makes the reading whole: otherwise the model is asked, and nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from typedllm.reading.align import Aligner
from typedllm.reading.fixes import Entry
from typedllm.reading.nodes import Node, Whole
from typedllm.reading.report import in_the_way, is_elision, pointers_around
from typedllm.reading.shape import Shape
from typedllm.records import MISSING, Issue
from typedllm.schema.documents import MAX_ISSUES

T = TypeVar("T")

Judge: TypeAlias = Callable[[Any, "str | None"], "tuple[T | None, tuple[Issue, ...]]"]
"""Judges plain JSON data, given as JSON text too where that is at hand: the value, or why it is not of the type."""

_INDEX: Final = re.compile(r"[0-9]+")
_ROUNDS: Final = 16
"""How often items are left out: lists within lists fail from the inside to the outside."""


@dataclass(slots=True)
class Settled(Generic[T]):
    """What became of one tree.

    Attributes:
        aligner: what aligned it, with what it marked.
        data: the data.
        barred: the notes for which it cannot be accepted.
        value: the value, where it was judged and is valid.
        issues: why it is not.
    """

    aligner: Aligner
    data: Any
    barred: tuple[Entry, ...]
    value: T | None = None
    issues: tuple[Issue, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether there is a value."""
        return self.data is not MISSING and not self.barred and not self.issues


def settle(
    node: Node, shape: Shape, aligner: Aligner, judge: Judge[T], text: str, path: str = "", *, whole: bool = True
) -> Settled[T]:
    """Aligns and judges a tree.

    Args:
        node: the tree.
        shape: what is declared for it.
        aligner: a fresh one.
        judge: says whether data is of the declared type.
        text: the reply.
        path: JSON Pointer of the tree.
        whole: whether its end was written; of what was cut nothing is left out.
    """
    first = rest = _judged(node, shape, aligner, judge, text, path)
    for _ in range(_ROUNDS if whole else 0):
        if rest.fits or not rest.aligner.items or not (bad := _bad_items(rest, text)):
            break
        rest = _judged(node, shape, rest.aligner.anew(without=bad), judge, text, path)
    return rest if rest.fits else first


def _judged(node: Node, shape: Shape, aligner: Aligner, judge: Judge[T], text: str, path: str) -> Settled[T]:
    data = aligner.align(node, shape, path)
    if aligner.stopped is not None and aligner.stopped not in aligner.entries:
        aligner.entries.append(aligner.stopped)  # it was met in a trial of something else
    settled: Settled[T] = Settled(aligner, data, tuple(in_the_way(aligner.entries, text, aligner.policy)))
    if data is not MISSING and not any(entry.note.fault for entry in settled.barred):
        as_text = node.json if isinstance(node, Whole) and node.intact and data is node.data else None
        settled.value, settled.issues = judge(data, as_text)
    return settled


def _bad_items(settled: Settled[Any], text: str) -> list[Node]:
    """The items for which the tree cannot be accepted; none where something else is wrong with it too."""
    items = settled.aligner.items
    if any(entry.note.kind == "elision" or is_elision(entry.note, text) for entry in settled.barred):
        return []
    places = [entry.path for entry in settled.barred] + [issue.path for issue in settled.issues]
    named = [_item(path, items) for path in places]
    bad = [place for place in named if place is not None]
    if len(bad) < len(named):
        return []
    if len(settled.issues) >= MAX_ISSUES:
        bad.extend(_not_named(settled, frozenset(bad)))
    return [items[place] for place in bad]


def _not_named(settled: Settled[Any], named: frozenset[str]) -> Iterator[str]:
    """The items behind those that the issues name, which are the first of many, that the aligner found unfit too.

    Of lists at places of one kind in which the validator found one right that the aligner did not, none is taken at the
    aligner's word.
    """
    items = settled.aligner.items
    unfit = {_item(entry.path, items) for entry in settled.aligner.entries if entry.note.kind == "unfit"}
    lists: dict[str, list[str]] = {}
    for place in items:
        if place in unfit or place in named:
            lists.setdefault(_INDEX.sub("", place), []).append(place)
    for places in lists.values():
        first = next((index for index, place in enumerate(places) if place not in named), len(places))
        if first and named.isdisjoint(places[first:]):
            yield from places[first:]


def _item(path: str, items: Mapping[str, Node]) -> str | None:
    """The innermost item that a JSON Pointer leads into."""
    return next((place for place in pointers_around(path) if place in items), None)
