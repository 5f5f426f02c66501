"""Ways of breaking a JSON text in one place: one structural character is left out, doubled, swapped or put in."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

STYLES: Final[Mapping[str, Callable[[Any], str]]] = {
    "minified": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "spaced": lambda value: json.dumps(value, ensure_ascii=False),
    "indented": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
}
"""How JSON is laid out."""

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_SWAPS: Final[Mapping[str, str]] = {
    "{": "[(", "}": "])", "[": "{(", "]": "})", ",": ";.:", ":": "=;,", "'": '"', '"': "'“”",
}  # fmt: skip


class Broken(NamedTuple):
    """A text that was broken in one place, with the name of what was done to which sign."""

    how: str
    text: str


def places(text: str) -> Iterator[tuple[int, str]]:
    """The structural characters of a JSON text: their offsets and names; a quote is an opener or a closer."""
    for found in _TOKEN.finditer(text):
        start, end = found.span()
        if found[0][0] == '"':
            yield start, "opening quote"
            yield end - 1, "closing quote"
        elif found[0] in "{}[],:":
            yield start, found[0]


def breakings(text: str) -> Iterator[Broken]:
    """Every way of breaking the text in one place."""
    for at, name in places(text):
        sign, before, after = text[at], text[:at], text[at + 1 :]
        yield Broken(f"no {name}", before + after)
        yield Broken(f"doubled {name}", before + sign + sign + after)
        for other in _SWAPS[sign]:
            yield Broken(f"{other} for {name}", before + other + after)
    for found in _TOKEN.finditer(text):
        for inner in re.finditer(r'\\(["nt\\])', found[0]):
            if inner[1] == "\\":
                continue
            at = found.start() + inner.start()
            sign = {"n": "\n", "t": "\t"}.get(inner[1], inner[1])
            yield Broken(f"unescaped {inner[1]}", text[:at] + sign + text[at + 2 :])


def some_breakings(text: str, dice: random.Random, count: int) -> list[Broken]:
    """Some of the ways, each name with the same chance."""
    ways: dict[str, list[Broken]] = {}
    for broken in breakings(text):
        ways.setdefault(broken.how, []).append(broken)
    names = dice.sample(sorted(ways), min(count, len(ways)))
    return [dice.choice(ways[name]) for name in names]
