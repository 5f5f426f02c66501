"""`min_confidence`: what the model held improbable, as issues."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from typedllm import prompts
from typedllm.confidence import Confidence
from typedllm.errors import ModelError
from typedllm.records import Issue
from typedllm.schema.violations import GOT

__all__ = ["unsure"]


def unsure(confidence: Confidence, bound: float | Mapping[str, float], model: str) -> list[Issue]:
    """The parts below their bound.

    Raises:
        ModelError: no log-probabilities are known, so that the bound cannot be held.
    """
    if not confidence:
        raise ModelError(
            f"min_confidence cannot be held: no log-probabilities of the reply came from {model} (leave it out, or ask "
            'a service that gives them; those of tool calls are not given: native="schema")',
            code="config",
        )
    bounds = _by_pattern(confidence, bound) if isinstance(bound, Mapping) else _by_kind(confidence, bound)
    return [
        Issue(pointer, "unsure", got=confidence.written(pointer)[:GOT], message=prompts.unsure(chance))
        for pointer, least in bounds
        if (chance := confidence[pointer]) < least
    ]


def _by_kind(confidence: Confidence, bound: float) -> Iterator[tuple[str, float]]:
    for pointer in confidence.leaves:
        if confidence.closed(pointer) or confidence.written(pointer)[:1] in "-0123456789":
            yield pointer, bound


def _by_pattern(confidence: Confidence, bounds: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    patterns = [(re.compile(re.escape(each).replace(r"\*", "[^/]*")), least) for each, least in bounds.items()]
    for pointer in confidence:
        found = (least for pattern, least in patterns if pattern.fullmatch(pointer))
        least = bounds.get(pointer, next(found, None))
        if least is not None:
            yield pointer, least
