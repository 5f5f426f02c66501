"""Laws of reading over replies that are made by seed: every way of writing a value, every way of breaking it."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.replies.breaking import STYLES, some_breakings
from tests.replies.types import schemas
from tests.replies.values import Sampler
from tests.replies.writing import AROUND, SYNTAX, written
from tests.support.pieces import Piecewise
from typedllm import Schema

SCHEMAS = schemas()
TYPED = [schema for schema in SCHEMAS if not schema.target.root.is_map]
"""The types for which not every object will do: what stands around an answer can be told from it."""

UNTOLD = frozenset({". for ,", ": for ,", "doubled [", "no [", "{ for [", "[ for {", "( for [", "( for {", "no ]"})
"""Ways of breaking that can leave a document of the same type: no reader can tell."""


class Case(NamedTuple):
    """A reply, with what must not come of it: anything else than this value."""

    how: str
    schema: Schema[Any]
    text: str
    value: Any


def broken(seeds: range, hard: float) -> Iterator[Case]:
    """Documents that were broken in one place, and that are not JSON of their type any more."""
    for index, schema in enumerate(SCHEMAS):
        for seed in seeds:
            dice = random.Random(seed * 1000 + index)
            data = Sampler(schema, dice, hard).draw()
            value = schema.validate(data).value
            for how, text in some_breakings(STYLES[dice.choice(sorted(STYLES))](data), dice, 8):
                if not is_valid(schema, text):
                    yield Case(how, schema, text, value)


def is_valid(schema: Schema[Any], text: str) -> bool:
    try:
        return schema.validate(json.loads(text)).ok
    except ValueError:
        return False


def replies(seeds: range, hard: float) -> Iterator[Case]:
    """Values as models write them."""
    for index, schema in enumerate(TYPED):
        for seed in seeds:
            dice = random.Random(seed * 1000 + index)
            data = Sampler(schema, dice, hard).draw()
            value = schema.validate(data).value
            for syntax in ("", *SYNTAX):
                around = dice.choice(("", *AROUND))
                yield Case(f"{syntax}, {around}", schema, written(data, dice, syntax, around), value)


def outcome(case: Case) -> str:
    result = case.schema.read(case.text)
    if not result.ok:
        return "refused"
    return "right" if repr(result.value) == repr(case.value) else "wrong"


def shares(cases: list[Case]) -> tuple[dict[str, float], list[Case]]:
    """The share of each outcome, and the cases that were read as another value."""
    outcomes = [outcome(case) for case in cases]
    counts = Counter(outcomes)
    wrong = [case for case, said in zip(cases, outcomes, strict=True) if said == "wrong"]
    return {said: count / len(cases) for said, count in counts.items()}, wrong


@pytest.mark.slow
def test_what_is_broken_in_one_place_is_read_or_told() -> None:
    said, wrong = shares(list(broken(range(3), hard=0.1)))
    assert [case for case in wrong if case.how not in UNTOLD and case.schema in TYPED] == []
    assert said.get("wrong", 0) < 0.005
    assert said["right"] > 0.8


@pytest.mark.slow
def test_what_models_write_is_read() -> None:
    said, wrong = shares(list(replies(range(2), hard=0.2)))
    assert wrong == []
    assert said["right"] > 0.95


@pytest.mark.parametrize("size", [1, 7])
def test_replies_are_read_alike_in_pieces(size: int) -> None:
    dice = random.Random(size)
    for case in dice.sample([*broken(range(1), hard=0.2), *replies(range(1), hard=0.2)], 150):
        whole = case.schema.read(case.text)
        reader = Piecewise(case.schema)
        for at in range(0, len(case.text), size):
            reader.feed(case.text[at : at + size])
        pieces = reader.close()
        assert (pieces.ok, repr(pieces), pieces.fixes, pieces.issues) == (
            whole.ok, repr(whole), whole.fixes, whole.issues,
        )  # fmt: skip
        assert dict(pieces.spans) == dict(whole.spans)
