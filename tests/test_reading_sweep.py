"""A document that is taken at one sweep is what a stretch makes of it, gap by gap."""

from __future__ import annotations

import json
import random

import pytest

from typedllm.reading.bounds import DEFAULT
from typedllm.reading.stretch import Part, Stretch
from typedllm.reading.sweep import swept

ROWS = [
    {"id": 10 * index, "price": index / 8, "name": "tea", "tags": ["a b", "c"], "note": None, "on": True}
    for index in range(12)
]
PRETTY, PLAIN = json.dumps({"rows": ROWS}, indent=2), json.dumps({"rows": ROWS})
SWEPT = {
    "trailing commas": PRETTY.replace("\n    }", ",\n    }"),
    "one comma": PLAIN[:-2] + ",]}",
    "python": repr({"rows": ROWS}),
    "no commas": PRETTY.replace(",\n", "\n"),
    "bare keys": PRETTY.replace('"price"', "price").replace('"id"', "id2"),
    "quotes inside": PLAIN.replace("tea", 'green "tea" leaves'),
    "quotes inside, and a comma": PLAIN[:-2].replace("a b", 'the "a" or "b" one') + ",]}",
    "escapes": PLAIN[:-2].replace("tea", r"a \\ \" \u00e9 \n b") + ",]}",
    "escapes in single quotes": repr({"rows": ROWS}).replace("tea", r"it\'s \\ b"),
}
PIECES = (
    '"', "'", ",", ", ", ":", "\n", " ", "{", "}", "[", "]", "\\", '\\"', "0", "01", "-1.5e3", "k1", "True", "null", '"a"', "é",
    ',\n "k": ', '"it\'s"', '"a "b" c"', "\x01", "\x7f", "“", "//",
)  # fmt: skip


def stretched(text: str, start: int, end: int) -> Part | None:
    part = Stretch(text, start, 0, True, "", DEFAULT.depth).part(start)
    return part if part is not None and part.end == end else None


def same(swept: Part, part: Part | None) -> bool:
    if part is None or swept[:3] != part[:3]:
        return False
    return swept.kinds == part.kinds and [*swept.places()] == [*part.places()]


@pytest.mark.parametrize("text", SWEPT.values(), ids=SWEPT)
def test_a_document_of_a_known_kind_is_taken_at_once(text: str) -> None:
    part = swept(text, 0, len(text), DEFAULT)
    assert part is not None
    assert same(part, stretched(text, 0, len(text)))
    json.loads(part.json)


def test_what_is_taken_at_once_is_what_a_stretch_makes_of_it() -> None:
    dice, taken = random.Random(7), 0
    for _ in range(1500):
        text = dice.choice([*SWEPT.values()])
        for _ in range(dice.choice((1, 1, 2, 4))):
            at = dice.randrange(1, len(text))
            text = text[:at] + dice.choice(PIECES) + text[at + dice.choice((0, 0, 1, 3)) :]
        end = max(text.rfind("}"), text.rfind("]")) + 1
        part = swept(text, 0, end, DEFAULT)
        taken += part is not None
        assert part is None or same(part, stretched(text, 0, end)), text
    assert taken > 100


def test_fixes_are_held_against_the_bound_where_they_stand() -> None:
    thin, dense = '{"a": "' + "x" * 40 + '",},\n', '["",],'
    for row, fits in ((thin, True), (dense, False)):
        text = "[" + row * 20_000 + "]"
        part, other = swept(text, 0, len(text), DEFAULT), stretched(text, 0, len(text))
        assert part is not None
        assert other is not None
        assert part.is_within(DEFAULT, 0) is other.is_within(DEFAULT, 0) is fits


def test_containers_that_nest_too_deeply_are_left_to_others() -> None:
    text = "[" * 200 + '"a",' + "]" * 200
    assert swept(text, 0, len(text), DEFAULT) is None
