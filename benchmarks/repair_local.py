"""What repairs are worth with a real, weak model: the embedded one, without its grammar, on labelled requests.

    python benchmarks/repair_local.py [--quick] [--show] [--only NAME ...] [--replies FILE]

Each request is asked in several ways: by strategy, by where the rejected reply stands, with the grammar in repairs only,
and with the grammar from the start. Counted is the share of valid values after 0, 1, 2 and 3 repairs, the share that is
*right* (the value has what the label says; a label says only what is beyond doubt), and the tokens of all requests, of
those that failed as well, for each valid value.

Decoding is greedy with a fixed seed. Equal requests are asked once, so that all ways begin from the same first reply.
Replies are kept in a file, by default in the folder for temporary files: a run that was interrupted goes on from there,
and a second run asks only what a change of the prompts or of the loop has made different.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isawaitable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python

from schemas.contacts import Contacts
from schemas.health import HealthRecord
from schemas.music import Commands
from schemas.restaurant import Order
from typedllm import Client, Result
from typedllm.models import ChatModel, profile_of
from typedllm.models.local import LocalModel
from typedllm.options import Options
from typedllm.records import Reply, Request
from typedllm.testing import record

ROOT = Path(__file__).resolve().parent.parent
MAX_REPAIRS = 3
MAX_TOKENS = 96

WAYS: dict[str, Options] = {
    "auto": {"native": "prompt"},
    "full": {"native": "prompt", "strategy": "full"},
    "patch": {"native": "prompt", "strategy": "patch"},
    "auto, assistant's turn": {"native": "prompt", "layout": "assistant"},
    "constrain": {"native": "prompt", "strategy": "constrain"},
    "auto, grammar in repairs": {"native": "repair"},
    "grammar from the start": {"native": "auto"},
}

BOUNDS: Options = {"max_repairs": MAX_REPAIRS, "max_tokens": MAX_TOKENS, "timeout": None}

Ask = Callable[[ChatModel, str, Options], Result[Any]]


class Case(NamedTuple):
    """A request with what must stand in a right value: of an object the keys that are named, of a list every item."""

    text: str
    right: Any


@dataclass(frozen=True)
class Domain:
    """Requests of one kind, and how they are asked."""

    name: str
    ask: Ask
    cases: list[Case]


def plain(declared: Any) -> Ask:
    """The request as it is, for a type."""

    def ask(model: ChatModel, text: str, options: Options) -> Result[Any]:
        result: Result[Any] = Client(model).run(text, declared, **options)
        return result

    return ask


def example(name: str, function: str) -> Ask:
    """A prompt function of an example, with the few-shot examples that it has."""
    spec = spec_from_file_location(f"example_{name}", ROOT / "examples" / name / "main.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    asked = getattr(module, function)

    def ask(model: ChatModel, text: str, options: Options) -> Result[Any]:
        with module.client.override(model):
            said = asked.with_options(**options).run(text)
            return asyncio.run(said) if isawaitable(said) else said  # type: ignore[arg-type]  # a coroutine

    return ask


def domains() -> list[Domain]:
    """All requests; the inputs of the examples come first in their domains."""
    return [
        Domain(
            "sentiment",
            example("sentiment", "sentiment"),
            [
                Case("hello, world", "neutral"),
                Case("Typed output is awesome!", "positive"),
                Case("I'm having a good day", "positive"),
                Case("it's very rainy outside", "negative"),
                Case("The coffee is awful and the waiter was rude.", "negative"),
                Case("The parcel was delivered on Monday.", "neutral"),
            ],
        ),
        Domain(
            "calendar, flat",
            example("calendar", "understand"),
            [
                Case("Cancel my dentist appointment on Tuesday", {"action": "remove", "day": "Tuesday"}),
                Case("Team meeting on Thursday", {"action": "add", "title": "team meeting", "day": "Thursday"}),
                Case("When is the concert in June?", {"action": "find"}),
                Case("Delete the yoga class on Friday", {"action": "remove", "day": "Friday"}),
                Case("Which day is the school play?", {"action": "find"}),
            ],
        ),
        Domain(
            "table",
            example("streaming_table", "lines"),
            [
                Case(
                    "2 lattes at 4.50 each, 1 bagel at 3.20, 3 espressos at 2.80 each",
                    [
                        {"quantity": 2, "price": 4.5},
                        {"quantity": 1, "price": 3.2},
                        {"quantity": 3, "price": 2.8},
                    ],
                ),
                Case(
                    "1 tea at 2.00 and 2 muffins at 3.10 each",
                    [{"item": "tea", "quantity": 1, "price": 2}, {"quantity": 2, "price": 3.1}],
                ),
            ],
        ),
        Domain(
            "form",
            example("streaming_form", "contact"),
            [
                Case(
                    "Hello, this is Ann Lee of Northwind Tea in Oslo. Please send two sample boxes, or call me at "
                    "555-0142.",
                    {"name": "Ann Lee", "company": "Northwind Tea", "city": "Oslo", "phone": "555-0142"},
                ),
                Case(
                    "Bo Ek, Ek Bikes, Malmo, 040-123456: the invoice is wrong.",
                    {"name": "Bo Ek", "company": "Ek Bikes", "city": "Malmo", "phone": "040-123456"},
                ),
            ],
        ),
        Domain(
            "contacts",
            plain(Contacts),
            [
                Case(
                    "Ann Lee, ann@lee.example, Oslo",
                    {"contacts": [{"name": "Ann Lee", "emails": ["ann@lee.example"]}]},
                ),
                Case(
                    "Sales: Cy Ray, mobile 555-0199.",
                    {"contacts": [{"name": "Cy Ray", "phones": [{"number": "555-0199", "kind": "mobile"}]}]},
                ),
            ],
        ),
        Domain(
            "music",
            plain(Commands),
            [
                Case("Pause the music.", {"commands": [{"type": "control", "what": "pause"}]}),
                Case("Set the volume to 40.", {"commands": [{"type": "volume", "to": 40}]}),
                Case("Play some jazz.", {"commands": [{"type": "play", "tracks": {"genre": "jazz"}}]}),
            ],
        ),
        Domain(
            "restaurant",
            plain(Order),
            [
                Case(
                    "A large pepperoni pizza, please.",
                    {"items": [{"type": "pizza", "name": "Pepperoni", "size": "large"}]},
                ),
                Case(
                    "One small Hawaiian without ham and a beer.",
                    {"items": [{"name": "Hawaiian", "size": "small", "removed": ["ham"]}, {"type": "beer"}]},
                ),
            ],
        ),
        Domain(
            "health",
            plain(HealthRecord),
            [
                Case(
                    "I take 20 mg of lisinopril once a day.",
                    {"entries": [{"type": "medication", "name": "lisinopril", "dose": {"value": 20, "unit": "mg"}}]},
                ),
            ],
        ),
        Domain(
            "coffee",
            example("coffee_shop", "order"),
            [
                Case("two lattes, please", {"items": [{"product": {"name": "latte"}, "quantity": 2}]}),
                Case(
                    "a tall cappuccino with oat milk",
                    {"items": [{"product": {"name": "cappuccino", "size": "tall", "options": [{"name": "oat milk"}]}}]},
                ),
                Case(
                    "a double espresso and a blueberry muffin, warmed up",
                    {
                        "items": [
                            {"product": {"name": "espresso", "size": "doppio"}},
                            {"product": {"name": "blueberry muffin", "options": [{"name": "warmed"}]}},
                        ]
                    },
                ),
                Case(
                    "two lawnmowers and a grande mocha",
                    {"items": [{"type": "unknown"}, {"product": {"name": "mocha", "size": "grande"}}]},
                ),
                Case("roses are red", {"items": [{"type": "unknown"}]}),
            ],
        ),
    ]


class Kept:
    """The embedded model with a memory: what was asked before, in this run or in one that the file keeps, is not asked
    again."""

    def __init__(self, path: Path) -> None:
        self._model = record(LocalModel(), path, mode="once")
        self._said: dict[str, Reply] = {}
        self.name = "local"
        self.profile = profile_of(self._model)

    def complete(self, request: Request, /) -> Reply:
        """Ask, once for each request."""
        key = repr(replace(request, timeout=None))
        if key not in self._said:
            reply = self._model.complete(request)
            assert isinstance(reply, Reply)
            self._said[key] = reply
        return self._said[key]


@dataclass
class Tally:
    """What one way came to.

    Attributes:
        valid: how many values were valid after that many repairs, or fewer.
        right: how many of them were right.
        at_once: how many were right without a repair.
        requests: requests.
        read: tokens of the prompts.
        written: tokens of the replies.
        again: repairs whose reply was the one before, byte for byte.
        stuck: calls that ended early since there was no progress.
        seconds: seconds of the model.
    """

    valid: list[int]
    right: int = 0
    at_once: int = 0
    requests: int = 0
    read: int = 0
    written: int = 0
    again: int = 0
    stuck: int = 0
    seconds: float = 0.0

    def add(self, case: Case, result: Result[Any]) -> None:
        """Count one call."""
        replies = [attempt.reply for attempt in result.attempts if attempt.reply]
        self.requests += len(replies)
        self.read += result.usage.input_tokens or 0
        self.written += result.usage.output_tokens or 0
        self.again += sum(one.text == other.text for one, other in pairwise(replies))
        self.seconds += sum(reply.seconds for reply in replies)
        self.stuck += "no progress" in str(result.error)
        if result.ok:
            for repairs in range(len(replies) - 1, MAX_REPAIRS + 1):
                self.valid[repairs] += 1
            if has(to_jsonable_python(result.value), case.right):
                self.right += 1
                self.at_once += len(replies) == 1


def has(value: Any, right: Any) -> bool:
    """Whether a value has what the label says; the case of letters does not matter."""
    if isinstance(right, dict):
        return isinstance(value, dict) and all(has(value.get(name), each) for name, each in right.items())
    if isinstance(right, list):
        return isinstance(value, list) and len(value) == len(right) and all(map(has, value, right))
    if isinstance(right, str):
        return isinstance(value, str) and value.casefold() == right.casefold()
    return bool(value == right)


def show(way: str, case: Case, result: Result[Any]) -> None:
    """Print a call that was repaired, attempt by attempt."""
    if len(result.attempts) == 1:
        return
    print(f"--- {way}: {case.text}")
    for attempt in result.attempts:
        print(f"  {attempt.kind}: {attempt.reply and attempt.reply.text.strip()!r}")
        for issue in attempt.issues:
            print(f"      {issue}")
    right = result.ok and has(to_jsonable_python(result.value), case.right)
    print(f"  => {'right' if right else 'valid' if result.ok else result.error}")


def table(tallies: dict[str, Tally], count: int) -> Iterator[str]:
    """The result as a Markdown table."""
    yield f"{count} requests; `repeats`: repairs answered with the text of the reply before"
    yield "| | valid at once | after 1 | after 2 | after 3 | right | requests | prompt | written | repeats | time |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    first = next(iter(tallies.values()))
    for way, tally in tallies.items():
        shares = " | ".join(f"{valid / count:.0%}" for valid in tally.valid)
        good = max(1, tally.valid[-1])
        yield (
            f"| {way} | {shares} | {tally.right / count:.0%} | {tally.requests} | {tally.read // good} | "
            f"{tally.written // good} | {tally.again} | {tally.seconds / first.seconds:.2f} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the first request of the first four domains alone")
    parser.add_argument("--show", action="store_true", help="print each repaired call")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these domains alone")
    parser.add_argument(
        "--replies", type=Path, default=Path(tempfile.gettempdir()) / "typedllm-repair-local.jsonl", help="kept replies"
    )
    args = parser.parse_args()
    model = Kept(args.replies)
    chosen = [domain for domain in domains() if not args.only or domain.name in args.only]
    chosen = [replace(domain, cases=domain.cases[:1]) for domain in chosen[:4]] if args.quick else chosen
    tallies = {way: Tally([0] * (MAX_REPAIRS + 1)) for way in WAYS}
    asked = 0
    try:
        for domain in chosen:
            for case in domain.cases:
                results = {way: domain.ask(model, case.text, {**BOUNDS, **options}) for way, options in WAYS.items()}
                for way, result in results.items():
                    tallies[way].add(case, result)
                    if args.show:
                        show(way, case, result)
                asked += 1
            print(f"{domain.name}: {json.dumps({way: tally.valid[-1] for way, tally in tallies.items()})}", flush=True)
    except KeyboardInterrupt:
        print("interrupted: the requests so far")
    print("\n".join(table(tallies, asked)))


if __name__ == "__main__":
    main()
