"""Fuzzes the reader: broken replies against the laws of reading, and repeated ones against time and memory.

    python -m benchmarks.fuzz_reading laws [--seconds 600] [--seed 1]
    python -m benchmarks.fuzz_reading growth [--seconds 600] [--seed 1] [--size 60000]

`laws` breaks the replies of the corpus and valid documents token by token (`tests/support/fuzzing.py`), reads them as
one of several types, and prints each text that breaks a law, made as short as it can be. `growth` repeats a few tokens
until the text is long, whole and in pieces, and prints what costs more than `--limit` seconds a megabyte or `--memory`
times the text, and whatever grows faster than the text. Seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import math
import random
import time
import tracemalloc
from collections import Counter
from typing import Any

from tests.support import fuzzing
from tests.support.pieces import Piecewise
from typedllm import Schema

TOKENS = [
    *"{[\"':},]\\/`#=+;()-", "\\\\", "//", "/*", "*/", "```", "~~~", "<think>", "</think>", "<json>", "--", "true", "nul",
    "1", "-1e", "1_000", "a", '"a":', '{"a":', "[1,", '{"name":"x","tags":["', ' "name"', " tags", "…", "“", "”", "\u00a0",
    "\ufeff", "\u2028", "\\u", "\\ud800", "NaN", "...", "\n", " ", "\t", "the answer is ", "(omitted)", "Final answer:",
    '"a","b":', '"x" ', "x y, ", "name: ", '"name":', "ObjectId(", '\\"', "\\n", '{"', '"}', '"""', "'''", "é", "、", "{}",
    "[]", '{"a":1}', '"value":', '"children":[', '"children":{', '"kind":"cat"', '"lines":[{"sku":"',
]  # fmt: skip
HEADS = [
    "",
    "",
    "",
    '{"name": "',
    '{"name":"x","lines":["',
    "```json\n{",
    "Sure: ",
    '["',
    "[",
    "{",
    '{"children":[{"value":"',
]
TAILS = ["", "", '"}', '"]}', "]", "}", "\n```\nDone.", '</think>{"a":1}']
GROWS = 1.35  # an exponent between two lengths that is more than linear and noise


def laws(seconds: float, seed: int) -> None:
    """Prints each kind of broken law with the shortest text that was found for it."""
    dice, texts, counts = random.Random(seed), fuzzing.seeds(), Counter[str]()
    start, runs = time.process_time(), 0
    while time.process_time() - start < seconds:
        runs += 1
        try:
            fuzzing.run(dice, texts)
        except fuzzing.LawError as failure:
            law = _law(failure.__cause__)
            counts[law] += 1
            if counts[law] <= 3:
                print(f"{law}\n    {failure.name} {_shortened(failure)!r}", flush=True)
    print(f"{runs} texts; broken laws: {dict(counts) or 'none'}")


def _law(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {str(error)[:80]}"


def _shortened(failure: fuzzing.LawError) -> str:
    """The text without what the failure does not need."""
    text, size = failure.text, max(1, len(failure.text) // 2)
    while True:
        at = 0
        while at < len(text):
            shorter = text[:at] + text[at + size :]
            if fuzzing.fails(failure, shorter):
                text = shorter
            else:
                at += size
        if size == 1:
            return text
        size //= 2


def growth(seconds: float, seed: int, size: int, limit: float, memory: float) -> None:
    """Prints repeated texts that cost more than their length allows, the worst first."""
    for schema in fuzzing.TYPES.values():
        schema.read("{x")  # what is imported at first use is imported
    dice, start, runs = random.Random(seed), time.process_time(), 0
    rows: list[tuple[float, str]] = []
    while time.process_time() - start < seconds:
        runs += 1
        name, piece = dice.choice(list(fuzzing.TYPES)), dice.choice((0, 0, 0, 1, 7, 1000))
        unit = "".join(dice.choice(TOKENS) for _ in range(dice.choice((1, 1, 2, 2, 3, 4, 6))))
        head, tail = dice.choice(HEADS), dice.choice(TAILS)
        short, long = (head + unit * (count // len(unit) + 1) + tail for count in (size // 4, size))
        schema = fuzzing.TYPES[name]
        quick, slow = cost(schema, short, piece), cost(schema, long, piece)
        exponent = math.log(max(slow, 1e-4) / max(quick, 1e-4)) / math.log(len(long) / len(short))
        peak = peak_memory(schema, short, piece) / len(short) if runs % 10 == 0 else 0.0
        spent = slow / len(long) * 1e6 - (3 if piece == 1 else 0)  # a call of `feed` for each character costs as well
        if spent > limit or peak > memory or (exponent > GROWS and slow > 0.1):
            row = f"{spent:7.2f} s/MB  ^{exponent:.2f}  {peak:5.0f}x  {name:<9} {piece:>4} {head!r} {unit!r} {tail!r}"
            rows.append((max(spent, 0.0), row))
    print(*(row for _, row in sorted(rows, reverse=True)[:40]), sep="\n")
    print(
        f"{runs} texts, {len(rows)} of them beyond {limit} s/MB, {memory:.0f} times the text, or growing faster than it"
    )


def _read(schema: Schema[Any], text: str, piece: int) -> None:
    if not piece:
        schema.read(text)
        return
    reader = Piecewise(schema)
    for at in range(0, len(text), piece):
        reader.feed(text[at : at + piece])
    reader.close()


def cost(schema: Schema[Any], text: str, piece: int) -> float:
    """Processor seconds of one reading; the better of two when it took long."""
    best = math.inf
    for _ in range(2):
        start = time.process_time()
        _read(schema, text, piece)
        best = min(best, time.process_time() - start)
        if best < 0.05 or best > 5:
            break
    return best


def peak_memory(schema: Schema[Any], text: str, piece: int) -> int:
    """Most bytes that one reading holds at a time."""
    tracemalloc.start()
    try:
        _read(schema, text, piece)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("laws", "growth"))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=60_000)
    parser.add_argument("--limit", type=float, default=2.0)
    parser.add_argument("--memory", type=float, default=100.0)
    given = parser.parse_args()
    if given.what == "laws":
        laws(given.seconds, given.seed)
    else:
        growth(given.seconds, given.seed, given.size, given.limit, given.memory)
