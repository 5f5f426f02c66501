"""Reading broken replies: megabytes per second, growth with length, and what is right, beside other libraries.

    PYTHONPATH=. python benchmarks/reading.py [--seconds 20] [--seeds 5]

`json_repair`, `jiter`, `fast_json_repair` and `baml_py` are measured when they are installed; of BAML its parser of
replies, for a type that takes any JSON. A peer is given at most `--seconds` for one text; "-" is a text that it
refuses, "slow" one that it was not given, since the one before took too long. The growth is the exponent of the time
between the two longest texts: 1 is linear. Times are CPU of this process, the best of three, with all readers in turn
on each text. `and fixes` is typedllm with a look at the fixes, which are worked out when they are asked for. The ratios
at the end are speeds on the text of 100 KB over that of json_repair.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import math
import random
import re
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from typedllm import Schema

SIZES = (1_000, 100_000, 1_000_000)
FIXES = "and fixes"
SOUND = 2
"""How many of `texts` are not broken."""
BAML = """
type JSON = string | int | float | bool | null | JSON[] | map<string, JSON>
client<llm> None {
  provider openai
  options {
    model "none"
    api_key "none"
  }
}
function Read(text: string) -> JSON {
  client None
  prompt #"{{ text }} {{ ctx.output_format }}"#
}
"""
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
    found: dict[str, Callable[[str], Any]] = {
        "typedllm": lambda text: schema.read(text).value,
        FIXES: lambda text: [(result := schema.read(text)).value, len(result.fixes)][0],
    }
    for name, make in {
        "json_repair": lambda module: lambda text: _not_empty(module.loads(text)),
        "fast_json_repair": lambda module: lambda text: _not_empty(module.loads(text)),
        "jiter": lambda module: lambda text: module.from_json(text.encode(), partial_mode="trailing-strings"),
    }.items():
        try:
            found[name] = make(importlib.import_module(name))
        except ImportError:
            continue
    with contextlib.suppress(ImportError):
        found["baml_py"] = baml(importlib.import_module("baml_py"))
    return found


def baml(module: Any) -> Callable[[str], Any]:
    """BAML's parser of replies, without its code generator: a plain JSON value needs no classes."""
    runtime = module.BamlRuntime.from_files(".", {"main.baml": BAML}, {})
    context, names = runtime.create_context_manager(), types.ModuleType("names")
    return lambda text: runtime.parse_llm_response("Read", text, names, names, names, False, context, None, None, {})


def _not_empty(value: Any) -> Any:
    if value == "":
        raise ValueError("nothing was read")
    return value


def seconds(readers: dict[str, Callable[[str], Any]], text: str) -> dict[str, float | None]:
    """The best of three times of each; None when the text is refused."""
    best: dict[str, float | None] = dict.fromkeys(readers, math.inf)
    for _ in range(3):
        for name, read in readers.items():
            known = best[name]
            if known is not None and (known == math.inf or known < 1):
                best[name] = _once(read, text, known)
    return best


def _once(read: Callable[[str], Any], text: str, known: float) -> float | None:
    start = time.process_time()
    try:
        read(text)
    except Exception:
        return None
    return min(known, time.process_time() - start)


def speed(limit: float) -> None:
    """Prints a table of speeds for each way of breaking, and the ratios to json_repair."""
    readers = peers()
    ratios: dict[str, list[float]] = {"typedllm": [], FIXES: []}
    print(f"{'MB/s':<18}{'':<18}" + "".join(f"{size // 1000:>8} KB" for size in SIZES) + "   growth")
    for how in texts(1000):
        times: dict[str, list[float | None]] = {name: [] for name in readers}
        for size in SIZES:
            slow = [name for name, past in times.items() if past and past[-1] is not None and past[-1] * 10 > limit]
            taken = seconds({name: read for name, read in readers.items() if name not in slow}, texts(size)[how])
            for name, past in times.items():
                past.append(taken.get(name, math.inf))
        lengths = [len(texts(size)[how]) for size in SIZES]
        for name, past in times.items():
            print(f"{how:<18}{name:<18}" + "".join(map(_cell, past, lengths)) + _growth(past, lengths))
        theirs = times.get("json_repair", [None] * 3)[1]
        for name, found in ratios.items():
            ours = times[name][1]
            if theirs and ours:
                found.append(theirs / ours)
                print(f"{how:<18}{name + ' / json_repair':<30}{theirs / ours:>7.1f}", flush=True)
    for name, found in ratios.items():
        if broken := found[SOUND:]:
            mean = math.exp(sum(map(math.log, broken)) / len(broken))
            print(f"{name} / json_repair on broken text of 100 KB, geometric mean: {mean:.1f}")


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
        if name == FIXES:
            continue
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


def made(seeds: range) -> Iterator[tuple[str, Schema[Any], str, Any]]:
    """Replies made by seed, of many types: how, the declared type, the text, and the value that it stands for."""
    from tests.replies.breaking import STYLES, some_breakings
    from tests.replies.types import schemas
    from tests.replies.values import Sampler
    from tests.replies.writing import AROUND, SYNTAX, written

    for index, schema in enumerate(schemas()):
        for seed in seeds:
            dice = random.Random(seed * 1000 + index)
            data = Sampler(schema, dice, 0.2).draw()
            value = schema.validate(data).value
            if not schema.target.root.is_map:
                for syntax in ("", *SYNTAX):
                    yield "written", schema, written(data, dice, syntax, dice.choice(("", *AROUND))), value
            for _, text in some_breakings(STYLES[dice.choice(sorted(STYLES))](data), dice, 8):
                yield "broken in one place", schema, text, value


def typed_accuracy(seeds: int) -> None:
    """Prints what is right, refused and silently wrong on replies made by seed; peers are validated by pydantic."""
    readers: dict[str, Callable[[Schema[Any], str], Any]] = {"typedllm": lambda schema, text: schema.read(text)}
    for name, read in peers().items():
        if name != "typedllm":
            readers[name] = lambda schema, text, read=read: schema.validate(read(text))
    counts: dict[tuple[str, str], Counter[str]] = {}
    for how, schema, text, value in made(range(1000, 1000 + seeds)):
        if _is_valid(schema, text):
            continue
        for name, run in readers.items():
            counts.setdefault((how, name), Counter())[_outcome(partial(run, schema, text), value)] += 1
    for (how, name), said in counts.items():
        shares = " ".join(f"{said[each] / said.total():>7.1%} {each}" for each in ("right", "refused", "wrong"))
        print(f"{how:<22}{name:<18}{shares}, of {said.total()}")


def _is_valid(schema: Schema[Any], text: str) -> bool:
    try:
        return schema.validate(json.loads(text)).ok
    except ValueError:
        return False


def _outcome(run: Callable[[], Any], value: Any) -> str:
    try:
        result = run()
    except Exception:
        return "refused"
    if not result.ok:
        return "refused"
    return "right" if repr(result.value) == repr(value) else "wrong"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    accuracy()
    typed_accuracy(parser.parse_args().seeds)
    at_once()
    speed(parser.parse_args().seconds)
