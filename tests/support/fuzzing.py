"""Structured fuzzing of the reader: replies broken token by token, and the laws that hold for whatever comes of them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from tests.support.pieces import Piecewise
from typedllm import Schema
from typedllm.reading.fixes import TIER
from typedllm.records import MISSING, FinishReason, Result, Span

CORPUS: Final = Path(__file__).parent.parent / "corpus" / "replies.jsonl"
_LOSSY: Final = [kind for kind, tier in TIER.items() if tier in ("guess", "loss")]
_TOKEN: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\w.+-]+|\s+|.', re.DOTALL)
_ODD: Final = "\0\x07\u00a0\u200b\u2028\u202e\ufeff\ud800\udfff\U0001f600é“”‘’«»、，：\\`'\"/#*~<>()+=;%$|&@^?!_-…"
_PARTS: Final = [
    *"{}[]\"',:;()+-=#.", "\\", "\n", "\t", "...", "//", "/* x */", "```", "```json\n", "~~~", "<think>", "</think>",
    "null", "true", "None", "NaN", "1", "-1e", "0.5", "007", "1_000", "0x1f", '""', "''", '"a":', '"name": "', '{"', '"}',
    "}}", "]]", "[1, 2]", "{}", '"""', "\\n", '\\"', "\\u00e9", "\\ud83d", "// note\n", "answer", "Final answer: ",
    "e.g. ", '"kind": "cat"', "name: ", "(omitted)", ", and ", "Ann", "-",
]  # fmt: skip
_WRAPS: Final = [
    "```json\n{}\n```", "Here it is:\n{}\nAnything else?", "<think>{{}} or [1]?</think>{}", "[{}]", '{{"result": {}}}',
    "{}\n{}", "{},", "({})", "x {} y", '"{}"', "<answer>{}</answer>", "`{}`", "For example {{}}:\n\n{}",
]  # fmt: skip


class Line(BaseModel):
    """An item of an order."""

    sku: str
    count: int = 1
    price: float | None = None
    size: Literal["small", "tall", "extra large"] = "tall"


class Order(BaseModel):
    """What most people declare."""

    name: str
    lines: list[Line] = []
    paid: bool
    note: str | None = None


class Tree(BaseModel):
    """A type that refers to itself."""

    value: int | str = 0
    children: list[Tree] = []


class Cat(BaseModel):
    """An arm of a union."""

    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    """The other arm."""

    kind: Literal["dog"]
    good: bool


_DOCUMENT: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$"},
        "tags": {"type": "array", "items": {"enum": ["red", "green", 1, None]}},
        "n": {"type": ["integer", "null"]},
        "where": {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "number"}}]},
    },
    "required": ["id"],
    "additionalProperties": False,
}
TYPES: Final[dict[str, Schema[Any]]] = {
    "any": Schema(Any),
    "int": Schema(int),
    "float": Schema(float),
    "bool": Schema(bool),
    "str": Schema(str),
    "word": Schema(Literal["positive", "negative", "not clear"]),
    "texts": Schema(list[str]),
    "order": Schema(Order),
    "orders": Schema(list[Order]),
    "tree": Schema(Tree),
    "pet": Schema(Annotated[Cat | Dog, Field(discriminator="kind")]),
    "either": Schema(Cat | Dog | int | list[str]),
    "map": Schema(dict[str, int]),
    "maps": Schema(dict[str, list[Line] | str]),
    "document": Schema.from_json_schema(_DOCUMENT),
}
_SEEDS: Final = [
    '{"name": "Ann", "lines": [{"sku": "a-1", "count": 2, "price": 1.5, "size": "small"}], "paid": true}',
    '{\n  "name": "O\'Neil, \\"Bob\\"",\n  "lines": [\n    {"sku": "x", "price": null}\n  ],\n  "paid": false,\n  "note": "a, b: c"\n}',
    '{"value": 1, "children": [{"value": "x", "children": []}, {"value": -2}]}',
    '{"kind": "cat", "lives": 7}',
    '{"id": "a-b", "tags": ["red", 1, null], "n": null, "where": {"x": 1.5e3}}',
    '{"a": 1, "b c": 20, "d": -3}',
    '["one", "two, three", "f\\u00fcnf", ""]',
    '[{"name": "A", "paid": true}, {"name": "B", "paid": false, "note": "line\\nbreak"}]',
    "42",
    "positive",
    '{"x": [{"sku": "a"}], "y": "text with {braces} and [brackets]"}',
]  # fmt: skip


def seeds() -> list[str]:
    """Replies to begin with: the corpus, and valid documents of the types."""
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    return _SEEDS * 10 + [row["text"] for row in rows]


# ---- breaking ----


def _delete(dice: random.Random, tokens: list[str]) -> None:
    at = dice.randrange(len(tokens))
    del tokens[at : at + dice.choice((1, 1, 1, 2, 5))]


def _insert(dice: random.Random, tokens: list[str]) -> None:
    tokens.insert(dice.randrange(len(tokens) + 1), dice.choice(_PARTS) if dice.random() < 0.8 else dice.choice(_ODD))


def _swap(dice: random.Random, tokens: list[str]) -> None:
    one, two = dice.randrange(len(tokens)), dice.randrange(len(tokens))
    tokens[one], tokens[two] = tokens[two], tokens[one]


def _repeat(dice: random.Random, tokens: list[str]) -> None:
    at, size = dice.randrange(len(tokens)), dice.choice((1, 2, 4, 8))
    tokens[at:at] = tokens[at : at + size] * dice.choice((1, 1, 2, 30))


def _cut(dice: random.Random, tokens: list[str]) -> None:
    text = "".join(tokens)
    tokens[:] = [text[: dice.randrange(len(text) + 1)]]


def _odd(dice: random.Random, tokens: list[str]) -> None:
    at = dice.randrange(len(tokens))
    inside = dice.randrange(len(tokens[at]) + 1)
    tokens[at] = tokens[at][:inside] + dice.choice(_ODD) + tokens[at][inside + dice.randrange(2) :]


def _retype(dice: random.Random, tokens: list[str]) -> None:
    at = dice.randrange(len(tokens))
    make: list[Callable[[str], str]] = [
        lambda token: f'"{token}"',
        lambda token: token.strip('"'),
        lambda token: f"[{token}]",
        lambda token: f"'{token[1:-1]}'",
        lambda token: token.upper(),
        lambda token: f"“{token[1:-1]}”",
        lambda token: json.dumps(token),
        lambda token: token.replace("\\", ""),
    ]
    tokens[at] = dice.choice(make)(tokens[at])


_WAYS: Final = [_delete, _insert, _swap, _repeat, _odd, _retype, _delete, _insert, _retype, _cut]


def mutant(dice: random.Random, texts: list[str]) -> str:
    """A reply, broken in some ways."""
    text = dice.choice(texts)
    if dice.random() < 0.1:
        other = dice.choice(texts)
        text = text[: dice.randrange(len(text) + 1)] + other[dice.randrange(len(other) + 1) :]
    tokens = _TOKEN.findall(text)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 5, 9))):
        if tokens:
            dice.choice(_WAYS)(dice, tokens)
    text = "".join(tokens)
    if dice.random() < 0.2:
        text = dice.choice(_WRAPS).replace("{}", text)
    if dice.random() < 0.1:
        text = json.dumps(text) if dice.random() < 0.5 else json.dumps({"name": text, "paid": True, "x": [text]})
    return text


# ---- laws ----


def seen(result: Result[Any]) -> tuple[object, ...]:
    """All that a caller sees of a result."""
    outcome = repr(result.value) if result.ok else None
    return outcome, result.fixes, result.issues, dict(result.spans), result.candidates


def check(dice: random.Random, schema: Schema[Any], text: str) -> Result[Any]:
    """Reads a text, and sees that the laws hold.

    Raises:
        AssertionError: one does not; its message names the law.
    """
    finish: FinishReason | None = dice.choice((None, None, None, "stop", "length"))
    policy: Literal["strict", "safe", "lenient"] = dice.choice(("safe", "safe", "safe", "lenient", "strict"))
    allow = dice.sample(_LOSSY, 3) if dice.random() < 0.1 else _LOSSY if dice.random() < 0.05 else []
    result = schema.read(text, finish, policy, allow=allow)
    assert seen(schema.read(text, finish, policy, allow=allow)) == seen(result), "reading twice gives the same"
    _in_pieces(dice, schema, text, result, finish, policy, allow)
    _placed(text, result)
    if result.ok:
        data = json.loads(schema.dump(result.value))
        _written(text, result, data)
        _read_again(schema, result)
        if not result.fixes:
            _is_plain(schema, text, result)
    else:
        assert result.issues, "what has no value has issues"
    _is_read_at_once(schema, text, finish)
    return result


def _in_pieces(
    dice: random.Random, schema: Schema[Any], text: str, whole: Result[Any], finish: FinishReason | None,
    policy: Literal["strict", "safe", "lenient"], allow: list[str],
) -> None:  # fmt: skip
    reader = Piecewise(schema, policy, allow=allow)
    size, at = dice.choice((1, 2, 3, 7, 20, 100)), 0
    while at < len(text):
        step = dice.randint(1, 2 * size)
        reader.feed(text[at : at + step])
        at += step
    assert seen(reader.close(finish)) == seen(whole), "the whole and the pieces give the same"


def _placed(text: str, result: Result[Any]) -> None:
    for each in (*result.fixes, *result.issues):
        span = each.span
        assert span is None or 0 <= span.start <= span.end <= len(text), f"{each} stands in the text"
    for pointer, span in result.spans.items():
        assert 0 <= span.start <= span.end <= len(text), f"{pointer} stands in the text"
    for fix in result.fixes:
        if fix.span is None:
            continue
        assert text[fix.span.start : fix.span.end].startswith(fix.before.removesuffix("…")), (
            f"{fix} tells what was there"
        )


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _leaves(value, f"{path}/{index}")
    else:
        yield path, data


def _written(text: str, result: Result[Any], data: Any) -> None:
    """Nothing is invented: each leaf stands in the text as it is, or a fix says what became of it."""
    for path, leaf in _leaves(data):
        span = result.spans.get(path)
        parents = [path[:at] for at, sign in enumerate(path) if sign == "/"]
        if span is None:
            encoded = any(fix.kind == "encoded" and fix.path in (*parents, path) for fix in result.fixes)
            assert encoded, f"{path} has a place"
            continue
        here = [fix for fix in result.fixes if fix.span and fix.span.start <= span.end and span.start <= fix.span.end]
        kinds = {
            fix.kind for fix in here if fix.path == path or fix.kind in _WIDE or (fix.span and _within(fix.span, span))
        }
        written = text[span.start : span.end]
        if not kinds - _AROUND:
            assert _same(json.loads(written), leaf), f"{path}: {leaf!r} is what is written, {written!r}"
        elif isinstance(leaf, str) and not kinds & _CHANGING and "\\" not in written:
            rest = iter(written)
            assert all(sign in rest for sign in leaf if sign.isalnum()), f"{path}: {leaf!r} comes of {written!r}"


_AROUND: Final = frozenset({"prose", "fence", "reasoning", "mark", "tag"})


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


_WIDE: Final = frozenset(
    {"encoded", "escaped_quotes", "line_sign", "single_item", "json_lines", "envelope", "json_form"}
)
_CHANGING: Final = frozenset(
    {
        *("encoded", "escaped_quotes", "enum_form", "enum_name", "near_enum", "time_form", "json_form", "label"),
        *("number_style", "literal_style", "boolean_to_string"),
    }
)


def _same(a: object, b: object) -> bool:
    if isinstance(a, int) and isinstance(b, float):
        return json.loads(f"{a}.0") == b
    return a == b or json.dumps(a) == json.dumps(b)


def _read_again(schema: Schema[Any], result: Result[Any]) -> None:
    again = schema.read(schema.dump(result.value))
    assert again.ok, "a value that was read is read again"
    assert repr(again.value) == repr(result.value), "a value that was read is read again"
    assert not again.fixes, "a value that was read is read again without fixes"


def _plain(text: str, *, finite: bool = True) -> Any:
    """The data of strict JSON in which no key stands twice; `MISSING` for any other text.

    To pydantic, NaN and Infinity are JSON, too.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError
        return dict(pairs)

    def constant(name: str) -> Any:
        if finite:
            raise ValueError(name)
        return float(name)

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except (ValueError, RecursionError):
        return MISSING


def _is_plain(schema: Schema[Any], text: str, result: Result[Any]) -> None:
    data = _plain(text, finite=False)
    assert data is not MISSING, "what has no fixes is strict JSON"
    valid = schema.validate(data)
    assert valid.ok, "what has no fixes is valid"
    assert repr(valid.value) == repr(result.value), "what has no fixes is what a strict parser reads"


def _is_read_at_once(schema: Schema[Any], text: str, finish: FinishReason | None) -> None:
    data = _plain(text)
    if data is MISSING or re.search(r"\\u[dD][89a-fA-F]", text) or finish == "length":
        return
    valid = schema.validate(data)
    if not valid.ok or schema.target.is_hollow:
        return
    result = schema.read(text, finish)
    assert result.ok, "what is valid is read"
    assert repr(result.value) == repr(valid.value), "what is valid is read as it is"
    assert {fix.kind for fix in result.fixes} <= {"extra_key"}, "what is valid has no fixes, but for keys left out"


def run(dice: random.Random, texts: list[str]) -> tuple[str, str]:
    """One try; the type and the text.

    Raises:
        LawError: a law was broken, or there was an exception.
    """
    name, text = dice.choice(list(TYPES)), mutant(dice, texts)
    state = dice.getstate()
    try:
        check(dice, TYPES[name], text)
    except Exception as error:
        raise LawError(name, text, state) from error
    return name, text


def fails(failure: LawError, text: str) -> bool:
    """Whether another text breaks the same law when it is read in the same way."""
    dice = random.Random()
    dice.setstate(failure.state)
    try:
        check(dice, TYPES[failure.name], text)
    except Exception as error:
        return type(error) is type(failure.__cause__)
    return False


class LawError(Exception):
    """A text that breaks a law, with the state of the dice that chose how it was read."""

    def __init__(self, name: str, text: str, state: tuple[Any, ...]) -> None:
        super().__init__(f"{name}: {text!r}")
        self.name = name
        self.text = text
        self.state = state
