"""What is wrong with a reply as lines for the model: most useful first, like ones together, all within a bound."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from typedllm import prompts
from typedllm.records import Issue
from typedllm.repair.patch import BYTES_PER_TOKEN, CUT, OWN_WORDS

MAX_LINES: Final = 20
MAX_TOKENS: Final = 600
"""Most lines, and about how many tokens, that are said of one reply."""

_LIKE: Final = 3
_RANGES: Final = 6
_INDEX: Final = re.compile(r"(?<=/)\d+(?=/|$)")


def lines(issues: Iterable[Issue], typed: Collection[str] = ()) -> list[str]:
    """The issues as lines.

    Issues of one kind at more than three like places (`/lines/3/sku`, `/lines/7/sku`, ...) are told once in full; the
    others stand in one line. What is beyond the bounds is counted.

    Args:
        issues: what is wrong.
        typed: places whose types stand below the lines, so that what was expected there need not be said twice.
    """
    told = list(_lines(issues, typed))
    said: list[str] = []
    left = MAX_TOKENS * BYTES_PER_TOKEN
    for line in told:
        left -= len(line.encode("utf-8", "replace")) + 3
        if len(said) == MAX_LINES or left < 0:
            return [*said, prompts.more(len(told) - len(said))]
        said.append(line)
    return said


def _lines(issues: Iterable[Issue], typed: Collection[str]) -> Iterator[str]:
    told = dict.fromkeys(map(_own_words, issues))
    for group in _grouped(sorted(told, key=_usefulness)):
        first, *others = (replace(issue, expected="") if issue.path in typed else issue for issue in group)
        yield prompts.line(first)
        if len(group) > _LIKE:
            yield prompts.like(_places([issue.path for issue in others]), len(others))
        else:
            yield from map(prompts.line, others)


def _own_words(issue: Issue) -> Issue:
    """A rule in code speaks for itself: the type was met, and what it looked at may be large. What was cut is quoted
    above."""
    if issue.code in CUT:
        return replace(issue, got="", message=prompts.CUT_OFF)
    if issue.code not in OWN_WORDS:
        return issue
    return replace(issue, expected="", got="" if issue.got[:1] in ("{", "[") else issue.got)


def _usefulness(issue: Issue) -> int:
    """What the schema says outright comes first, then rules in code: these often follow from the others."""
    return 0 if issue.code in CUT else 1 if issue.expected else 3 if issue.code in OWN_WORDS else 2


def _grouped(issues: Iterable[Issue]) -> Iterable[list[Issue]]:
    groups: dict[tuple[str, ...], list[Issue]] = {}
    for issue in issues:
        kind = (_INDEX.sub("*", issue.path), issue.code, issue.expected, issue.message)
        groups.setdefault(kind, []).append(issue)
    return groups.values()


def _places(paths: Sequence[str]) -> str:
    """Several like pointers as one: `/lines/3..24/sku`."""
    split = [path.split("/") for path in paths]
    varying = [index for index, parts in enumerate(zip(*split, strict=True)) if len(set(parts)) > 1]
    shown = list(split[0])
    for index in varying:
        numbers = sorted({int(path[index]) for path in split})
        shown[index] = _ranges(numbers) if len(varying) == 1 else f"{numbers[0]}..{numbers[-1]}"
    return "/".join(shown)


def _ranges(numbers: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    said = [f"{low}..{high}" if high > low else str(low) for low, high in runs[:_RANGES]]
    return ",".join([*said, "..."] if len(runs) > _RANGES else said)
