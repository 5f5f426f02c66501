"""Which of several candidates is the answer: those that may be meant as well as the best one, or in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from typedllm.reading.found import in_a_row
from typedllm.reading.weighing import Option
from typedllm.schema.walk import is_list

T = TypeVar("T")

_CLOSING: Final = " \t\r\n}])`~"
_LEVEL, _GRADE, _ALIKE = 0, 3, 5
"""Of an order: what comes first, what tells exact from mended, and how much of it is the same where nothing separates."""


def rivals_of(
    best: Option[T], options: Sequence[Option[T]], order: Mapping[int, tuple[Any, ...]], free: bool, text: str
) -> list[Option[T]]:
    """The valid candidates of which nothing says that they are not meant, as well as the best one.

    Args:
        best: the first one by its order.
        options: all of them.
        order: what they are told apart by (see `Option.order`), by identity.
        free: whether any object fits.
        text: the reply.
    """
    first = order[id(best)]
    valid = [each for each in options if each.valid]
    rivals = [each for each in valid if order[id(each)][:_ALIKE] == first[:_ALIKE]]
    rivals += [each for each in valid if _is_one_more(each, best, text)]
    level = [each for each in valid if order[id(each)][_LEVEL] == first[_LEVEL]]  # lossless too
    rivals += [each for each in level if _is_beside(each, best, text)]
    exact = [each for each in level if not free or order[id(each)][_GRADE] <= first[_GRADE]]  # any object may be none
    return rivals + [each for each in exact if _may_be_newer(each, best)]


def announced(best: Option[T], options: Sequence[Option[T]], free: bool, text: str) -> Option[T]:
    """The best candidate, or the one in its place that is not valid: which the text marks, or which it repeats."""
    best = max(
        (each for each in options if each is best or _stands_above(each, best, free)),
        key=lambda each: (each.found.word, each is not best),
    )
    return next((each for each in options if _is_repeated_by(best, each, text)), best)


def is_taken_back(best: Option[Any], last: Option[Any], text: str, free: bool) -> bool:
    """Whether the end of the text has cut another answer of the same kind, which is no repetition.

    Any object may be one where any object fits (`free`), or where nothing of it came. What begins
    alike repeats it, but for a bracket that follows at once, and for an item: all of a list begin so.
    """
    if last is best or not last.found.cut or last.found.mark < best.found.mark or last.node.kind != best.node.kind:
        return False
    again = text[last.found.start : last.found.end].rstrip(_CLOSING)
    if text.startswith(again, best.found.start):
        return _is_lone(best) or (len(again) == 1 and in_a_row([best.found, last.found], text))
    if last.node.kind != "object" or not last.node.value:
        return last.node.kind in ("object", "array")
    written, keys = ({member.key for member in each.node.members} for each in (best, last))
    return free or not written.isdisjoint(keys)


def _stands_above(option: Option[Any], best: Option[Any], free: bool) -> bool:
    """Whether the text marks another candidate as the answer, though it is not valid: a draft is no answer for it.

    It has declared keys; where any object fits (`free`), it stands in a fence too, if that does.
    """
    same = option.node.kind == best.node.kind or best.found.word < 0
    lone = _is_lone(best)  # beside the only item of a list, it may be another item
    least = max(0, best.found.word) if lone else best.found.word + 1
    meant = option.known > 0 or (free and bool(option.node.value) and option.found.fenced >= best.found.fenced)
    return not option.valid and same and meant and option.found.word >= least


def _is_repeated_by(best: Option[Any], option: Option[Any], text: str) -> bool:
    """Whether an answer that the end of the text has cut only repeats the beginning of one that is not valid."""
    if not best.found.cut or option.valid or option.found.cut:
        return False
    again = text[best.found.start : best.found.end].rstrip(_CLOSING)
    return len(again) > 1 and text.startswith(again, option.found.start)


def _is_lone(option: Option[Any]) -> bool:
    """Whether one item stands for the list of it that is declared."""
    return any(entry.note.kind == "single_item" and not entry.path for entry in option.entries)


def _is_one_more(option: Option[Any], best: Option[Any], text: str) -> bool:
    """Whether an item that the list does not have stands right beside it."""
    if not is_list(best.data) or best.node.kind != "array" or not _is_lone(option):
        return False
    beside = sorted((best.found, option.found), key=lambda found: found.start)
    return in_a_row(beside, text) and all(item not in best.data for item in option.data)


def _is_beside(option: Option[Any], best: Option[Any], text: str) -> bool:
    """Whether another answer of the same kind stands right beside it, and no word says which is meant: none is a draft."""
    if option is best or option.node.kind != best.node.kind or option.found.word != best.found.word:
        return False
    beside = sorted((best.found, option.found), key=lambda found: found.start)
    return option.found.fenced == best.found.fenced and in_a_row(beside, text)


def _may_be_newer(option: Option[Any], best: Option[Any]) -> bool:
    """Whether another answer behind this one may be meant in its place: nothing says that this is the last one, but at
    most that it corrects what came before; and it is not said of the other that it is an example.
    """
    later = option.found.start >= best.found.end and option.found.fenced >= best.found.fenced
    return later and not best.found.is_last and not option.found.cut and option.found.may_be_meant
