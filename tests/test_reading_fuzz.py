"""A short, seeded run of the fuzzer of reading; `benchmarks/fuzz_reading.py` runs it for as long as one likes."""

from __future__ import annotations

import random

import pytest

from tests.support import fuzzing


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_broken_replies_keep_the_laws(seed: int) -> None:
    dice, texts = random.Random(seed), fuzzing.seeds()
    for _ in range(400):
        fuzzing.run(dice, texts)


FOUND = [
    ("texts", "{c:b}<think>"),  # reasoning that began behind the answer
    ("str", '"-{\\n\\""'),  # a valid string with a bracket in it, and its place
    ("maps", '{"":"\\\\"}'),
    ("maps", '<think{ax">'),  # a bracket inside what may become a tag
    ("any", '{""[a),'),
    ("pet", "[null4"),
    ("tree", "{d:…"),
    ("tree", "[{]"),  # nothing fits, and nothing was said
    ("tree", '{"":"" ""c":'),
    ("texts", ' example {{"a": "b" }:\n\n{'),
    ("bool", '[""}```'),
    ("int", '{"a":Number(Number(2)}}'),  # constructors of which not all are closed
    ("orders", "[Fo(Fo(F]"),
    ("pet", '{a": 1}'),  # the place of a key whose quote was put before the text
    ("pet", 'a": 1, "kind": "dog"}'),
    ("order", "[2, 3].filter(name ='x')"),  # what a call belongs to, when that was read before
    ("maps", '{{"result": For example}} {}:'),  # two answers, of which the second one comes first
    ("any", "NaN"),
    ("word", "'Positive'\b"),
    ("order", 'Here:\n{"name": "?", "paid": true, "x": ["?"]}'),  # strict, with a key that the type ignores
]


@pytest.mark.parametrize(("name", "text"), FOUND)
def test_what_was_found(name: str, text: str) -> None:
    for seed in range(40):
        fuzzing.check(random.Random(seed), fuzzing.TYPES[name], text)
