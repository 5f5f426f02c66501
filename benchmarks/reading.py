"""Reading broken replies: megabytes per second, growth with length, and what is right, beside other libraries.

    python benchmarks/reading.py [--seconds 20]

`json_repair`, `jiter`, `fast_json_repair` and `baml_py` are measured when they are installed. A peer is given at most
`--seconds` for one text; "-" is a text that it refuses, "slow" one that it was not given, since the one before took
too long. The growth is the exponent of the time between the two longest texts: 1 is linear.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import random
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from typedllm import Schema

SIZES = (1_000, 100_000, 1_000_000)
CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "replies.jsonl"


def document(size: int) -> dict[str, Any]:
    """Records of some 130 characters, as many as make up the size."""
    dice = random.Random(1)
    record = {"name": "Item", "price": 0.0, "tags": ["alpha", "beta"], "active": True, "about": "some words about it"}
    count = max(1, size // 130)
    items = [{**record, "id": index, "price": round(dice.random() * 100, 2)} for index in range(count)]
    return {"items": items}


def texts(size: int) -> dict[str, str]:
    """One document, valid and broken in several ways."""
    value = document(size)
    plain, pretty = json.dumps(value), json.dumps(value, indent=2)
    return {
        "valid": plain,
        "fenced": f"Here it is:\n```json\n{pretty}\n```\nAnything else?",
        "trailing commas": pretty.replace("\n    }", ",\n    }"),
        "unquoted keys": re.sub(r'"(\w+)":', r"\1:", pretty),
        "python": repr(value),
        "inner quotes": plain.replace("words", '"words"'),
        "missing commas": pretty.replace(",\n", "\n"),
        "one comma, late": plain[:-2] + ",]}",
    }


def peers() -> dict[str, Callable[[str], Any]]:
    """The readers that are installed."""
    schema = Schema(Any)
    found: dict[str, Callable[[str], Any]] = {"typedllm": lambda text: schema.read(text).value}
    for name, make in {
        "json_repair": lambda module: lambda text: _not_empty(module.loads(text)),
        "fast_json_repair": lambda module: lambda text: _not_empty(module.loads(text)),
        "jiter": lambda module: lambda text: module.from_json(text.encode(), partial_mode="trailing-strings"),
    }.items():
        try:
            found[name] = make(importlib.import_module(name))
        except ImportError:
            continue
    return found


def _not_empty(value: Any) -> Any:
    if value == "":
        raise ValueError("nothing was read")
    return value


def seconds(read: Callable[[str], Any], text: str) -> float | None:
    """The best of three times; None when the text is refused."""
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        try:
            read(text)
        except Exception:
            return None
        best = min(best, time.perf_counter() - start)
        if best > 1:
            break
    return best


def speed(limit: float) -> None:
    """Prints a table of speeds for each way of breaking."""
    readers = peers()
    print(f"{'MB/s':<18}{'':<18}" + "".join(f"{size // 1000:>8} KB" for size in SIZES) + "   growth")
    for how in texts(1000):
        for name, read in readers.items():
            times: list[float | None] = []
            for size in SIZES:
                slow = times and times[-1] is not None and times[-1] * 10 > limit
                times.append(math.inf if slow else seconds(read, texts(size)[how]))
            lengths = [len(texts(size)[how]) for size in SIZES]
            print(f"{how:<18}{name:<18}" + "".join(map(_cell, times, lengths)) + _growth(times, lengths))


def _cell(taken: float | None, length: int) -> str:
    shown = "-" if taken is None else "slow" if taken == math.inf else f"{length / taken / 1e6:.2f}"
    return f"{shown:>11}"


def _growth(times: list[float | None], lengths: list[int]) -> str:
    done = [(taken, length) for taken, length in zip(times, lengths, strict=True) if taken and taken != math.inf]
    if len(done) < 2:
        return ""
    (a, short), (b, long) = done[-2:]
    return f"{math.log(b / a) / math.log(long / short):>9.2f}"


class Record(BaseModel):
    """An item of the documents, as people declare it."""

    id: int
    name: str
    price: float
    tags: list[str]
    active: bool
    about: str | None = None


class Page(BaseModel):
    """A text with a title."""

    title: str
    body: str


class Tree(BaseModel):
    """Small objects, one inside the other."""

    name: str
    below: list[Tree] = []


def tree(depth: int) -> dict[str, Any]:
    """A tree with two branches at each place."""
    return {"name": "x", "below": [tree(depth - 1), tree(depth - 1)] if depth else []}


def at_once() -> None:
    """Prints what reading a valid reply costs, in times of pydantic's own `validate_json`, measured in turns."""
    records = document(50_000)["items"]
    cases: dict[str, tuple[Any, Any]] = {
        "one record": (Record, records[0]),
        "10 records": (list[Record], records[:10]),
        "50 KB of records": (list[Record], records),
        "the same, for Any": (Any, records),
        "50 KB of text": (Page, {"title": "x", "body": "It was quiet: nobody said a word. " * 1500}),
        "a map": (dict[str, int], {f"key {index}": index for index in range(3000)}),
        "a tree": (Tree, tree(8)),
    }
    for name, (declared, value) in cases.items():
        text, adapter, schema = json.dumps(value), TypeAdapter[Any](declared), Schema(declared)
        alone = whole = math.inf
        for _ in range(15):
            alone = min(alone, _spent(partial(adapter.validate_json, text, strict=True), len(text)))
            whole = min(whole, _spent(partial(schema.read, text), len(text)))
        more = (whole - alone) * 1e6
        print(
            f"{name:<18}{len(text):>7} characters {whole / alone:>7.2f} times validate_json ({more:+.1f} microseconds)"
        )


def _spent(run: Callable[[], Any], length: int) -> float:
    """Processor seconds of one run, over as many as make up a measurable time."""
    count = max(1, 100_000 // length)
    start = time.process_time()
    for _ in range(count):
        run()
    return (time.process_time() - start) / count


def accuracy() -> None:
    """Prints what is right, refused and silently wrong on the part of the corpus that needs no declared type."""
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["type"] == "any"]
    for name, read in peers().items():
        right = wrong = 0
        for row in rows:
            try:
                got = json.dumps(read(row["text"]), sort_keys=True)
            except Exception:
                right += bool(row.get("refused"))
                continue
            good = not row.get("refused") and got == json.dumps(row["value"], sort_keys=True)
            right, wrong = right + good, wrong + (not good)
        print(f"{name:<18}{right / len(rows):>7.1%} right {wrong / len(rows):>7.1%} silently wrong, of {len(rows)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    accuracy()
    at_once()
    speed(parser.parse_args().seconds)
