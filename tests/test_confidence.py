"""Probabilities of parts of a reply, from the log-probabilities of its tokens."""

from __future__ import annotations

import enum
import math
import pickle
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.both import Both
from typedllm import Client, Message, ModelError, RepairError, Reply, Request, Schema
from typedllm.confidence import Confidence, token_bytes
from typedllm.models.payload import tokens_of
from typedllm.models.replay import ReplayModel, record
from typedllm.models.scripted import ScriptedModel
from typedllm.records import Span, TokenLogprob
from typedllm.schema.closed import closed_set

Told = tuple[str, float] | tuple[str, float, dict[str, float]]


def line(*told: Told | str) -> tuple[TokenLogprob, ...]:
    """Tokens by text, probability and alternatives; a bare text is certain."""
    tokens: list[TokenLogprob] = []
    for each in told:
        text, chance, others = (each, 1.0, {}) if isinstance(each, str) else (*each, {})[:3]
        top = tuple((other, math.log(p)) for other, p in {text: chance, **others}.items())
        tokens.append(TokenLogprob(text, math.log(chance), top))
    return tuple(tokens)


def confidence(tokens: tuple[TokenLogprob, ...], spans: Mapping[str, str | Span], declared: Any = None) -> Confidence:
    """Of a reply that the tokens spell; a span may be given as the text that stands there."""
    text = "".join(token.token for token in tokens).encode("utf-8", "surrogateescape").decode()
    places = {
        pointer: place if isinstance(place, Span) else Span(text.index(place), text.index(place) + len(place))
        for pointer, place in spans.items()
    }
    return Confidence(text, tokens, places, Schema(declared).document if declared is not None else None)


class Size(enum.Enum):
    TALL = "tall"
    TRENTA = "trenta"
    SHORT = "short"


class Order(BaseModel):
    size: Size | None
    iced: bool = False
    count: Literal[1, 12, 2] = 1
    name: str = ""
    price: float = 0


SPAN = {"/size": '"tall"'}
CLOSED: dict[str, tuple[tuple[Told | str, ...], dict[str, str], float]] = {
    "against the others": (('{"size":"', ("tall", 0.6, {"short": 0.3, "grande": 0.1}), '"}'), SPAN, 0.6 / 0.9),
    "what no member begins with does not count": (('{"size":"', ("tall", 0.2, {"Hmm": 0.8}), '"}'), SPAN, 1.0),
    "another way to cut the same text": (('{"size":"', ("ta", 0.5, {"tall": 0.25, "t": 0.25}), 'll"}'), SPAN, 1.0),
    "a shared beginning, then the choice": (
        ('{"size":"', ("t", 0.5, {"s": 0.5}), ("all", 0.8, {"renta": 0.2}), '"}'),
        SPAN,
        0.5 * 0.8,
    ),
    "case does not matter": (
        ('{"size":"', ("Tall", 0.6, {"TALL": 0.2, "SHORT": 0.2}), '"}'),
        {"/size": '"Tall"'},
        0.8,
    ),
    "a member that is no text": (('{"size":', ('"', 0.75, {"null": 0.25}), 'tall"}'), SPAN, 0.75),
    "in one token with the key": (('{"size', ('":"', 0.5, {'":null': 0.25, '": "': 0.25}), 'tall"}'), SPAN, 2 / 3),
    "null": (('{"size":', ("null", 0.9, {'"': 0.1}), "}"), {"/size": "null"}, 0.9),
    "the whole member": (("{", '"size":', ('"tall"}', 0.5, {'"tall",': 0.25, '"short"}': 0.25})), SPAN, 0.75),
    "boolean": (('{"iced":', ("true", 0.7, {"false": 0.2, " true": 0.1}), "}"), {"/iced": "true"}, 0.7 / 0.9),
    "what is not reported may be another member": (('{"size":"', ("tall", 0.6, {"short": 0.1}), '"}'), SPAN, 0.6 / 0.8),
    "and as much as all that is left": (('{"size":"', ("tall", 0.9), '"}'), SPAN, 0.9),
    "what was written is not among the reported": (
        ('{"size":"', ("tall", 0.01, {"The": 0.5, "Here": 0.2}), '"}'),
        SPAN,
        1 / 3,
    ),
    "a number of a set": (('{"count":', ("1", 0.6, {"2": 0.3, "3": 0.1}), "}"), {"/count": "1"}, 0.6 / 0.9),
}


@pytest.mark.parametrize(("told", "span", "expected"), CLOSED.values(), ids=CLOSED)
def test_a_choice_from_a_closed_set(told: tuple[Told | str, ...], span: dict[str, str], expected: float) -> None:
    (pointer,) = span
    found = confidence(line(*told), span, Order)
    assert found.closed(pointer)
    assert found[pointer] == pytest.approx(expected)


class Cat(BaseModel):
    kind: Literal["cat"]
    size: Literal["small", "big"]


class Dog(BaseModel):
    kind: Literal["dog"]
    size: str
    tags: list[bool] = []


class Owner(BaseModel):
    pets: dict[str, Cat | Dog | None] = {}
    pair: tuple[Size, str] | None = None
    next: Owner | None = None


CAT: Any = {"kind": "cat", "size": "big"}
DOG: Any = {"kind": "dog", "size": "big", "tags": [True]}
SETS: dict[str, tuple[Any, str, set[str] | None]] = {
    "a tag: those of all arms": ({"pets": {"a/b": CAT}}, "/pets/a~1b/kind", {'"cat"', '"dog"'}),
    "in the arm that the tag means": ({"pets": {"x": CAT}}, "/pets/x/size", {'"small"', '"big"'}),
    "which is open in the other": ({"pets": {"x": DOG}}, "/pets/x/size", None),
    "without a tag: all arms": ({"pets": {"x": {"size": "big"}}}, "/pets/x/size", None),
    "items": ({"pets": {"x": DOG}}, "/pets/x/tags/0", {"true", "false"}),
    "a place in a tuple": ({"pair": ["tall", "x", True]}, "/pair/0", {'"tall"', '"trenta"', '"short"'}),
    "the next, open": ({"pair": ["tall", "x", True]}, "/pair/1", None),
    "behind the places": ({"pair": ["tall", "x", True]}, "/pair/2", None),
    "through a recursion": ({"next": {"pair": ["tall", "x"]}}, "/next/pair/0", {'"tall"', '"trenta"', '"short"'}),
    "an object or null": ({"next": None}, "/next", None),
    "no such place": ({}, "/nothing", None),
}


@pytest.mark.parametrize(("data", "pointer", "members"), SETS.values(), ids=SETS)
def test_what_a_value_was_chosen_from(data: Any, pointer: str, members: set[str] | None) -> None:
    found = closed_set(Schema(Owner).document, pointer, data)
    assert found == (None if members is None else {member.encode() for member in members})


OPEN: dict[str, tuple[tuple[Told | str, ...], dict[str, str], float]] = {
    "a text: all its tokens": (('{"name":"', ("An", 0.5), ("na", 0.5), ('"', 0.5), "}"), {"/name": '"Anna"'}, 0.125),
    "layout in front does not count": ((('{"name":"', 0.1), ("Anna", 0.5), '"}'), {"/name": '"Anna"'}, 0.5),
    "nor what stands behind": (
        ('{"name":"', ('Anna"', 0.5, {'Anna",': 0.25, "An": 0.25}), "}"),
        {"/name": '"Anna"'},
        0.75,
    ),
    "an empty text": (('{"name":', ('"', 0.9), ('"', 0.5, {"A": 0.5}), "}"), {"/name": '""'}, 0.5),
    "a number": (('{"price":', ("1", 0.5, {"2": 0.5}), ("2", 0.5), "}"), {"/price": "12"}, 0.25),
    "that might have gone on": (('{"price":', "1", ("}", 0.75, {"2": 0.125, ".5": 0.125})), {"/price": "1"}, 0.75),
    "or did not, in one token": (('{"price":', ("1}", 0.5, {"1,": 0.25, "12": 0.25})), {"/price": "1"}, 0.75),
    "nothing in an object": (('{"price":', ("{}", 0.5), "}"), {"/price": "{}"}, 0.5),
}


@pytest.mark.parametrize(("told", "span", "expected"), OPEN.values(), ids=OPEN)
def test_a_value_of_an_open_set(told: tuple[Told | str, ...], span: dict[str, str], expected: float) -> None:
    (pointer,) = span
    found = confidence(line(*told), span, Order)
    assert not found.closed(pointer)
    assert found[pointer] == pytest.approx(expected)


def test_the_whole_is_the_product_of_its_parts() -> None:
    told = line(
        ('{"size":"', 0.5, {"Hmm": 0.5}),
        ("tall", 0.5, {"short": 0.5}),
        ('","iced":', 0.5),
        ("true", 0.5, {"false": 0.5}),
        "}",
    )
    whole = Span(0, len("".join(token.token for token in told)))
    found = confidence(told, {"": whole, "/size": '"tall"', "/iced": "true"}, Order)
    assert found[""] == pytest.approx(0.25)
    assert found.leaves == ("/size", "/iced")
    assert dict(found) == pytest.approx({"": 0.25, "/size": 0.5, "/iced": 0.5})
    assert pickle.loads(pickle.dumps(found)) == dict(found)
    assert "/size" in repr(found)


def escaped(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


@given(st.text(alphabet='aé€😀\u0301"', max_size=8), st.data())
def test_tokens_that_split_characters_are_laid_exactly(name: str, data: st.DataObject) -> None:
    """Each byte is given a probability of its own; the value's is the product over exactly its bytes."""
    quoted = '"' + name.replace('"', '\\"') + '"'
    text = '{"ß":1,"name":' + quoted + ',"z":"é"}'
    raw = text.encode()
    cuts = sorted({0, len(raw), *data.draw(st.lists(st.integers(0, len(raw)), max_size=12))})
    pieces = [raw[a:b] for a, b in pairwise(cuts)]
    chances = [data.draw(st.sampled_from([0.5, 0.25, 1.0])) for _ in pieces]
    tokens = tuple(
        TokenLogprob(escaped(piece), math.log(chance)) for piece, chance in zip(pieces, chances, strict=True)
    )
    start = text.index('"name":') + len('"name":')
    found = Confidence(text, tokens, {"/name": Span(start, start + len(quoted))})
    first, last = len(text[:start].encode()) + 1, len(text[: start + len(quoted)].encode())
    inside = [p for (a, b), p in zip(pairwise(cuts), chances, strict=True) if a < last and b > first]
    assert found["/name"] == pytest.approx(math.prod(inside))


def test_tokens_around_the_reply_are_left_out() -> None:
    tokens = line(("<think>hm</think>", 0.1), ("1", 0.5), ("", 0.1), ("<|end|>", 0.1))
    assert Confidence("1", tokens, {"": Span(0, 1)})[""] == pytest.approx(0.5)


NOTHING: dict[str, tuple[str, tuple[TokenLogprob, ...]]] = {
    "no tokens": ("12", ()),
    "other tokens": ("12", line("3", "4")),
    "a place that is not known": ("1", line("1", "1")),
    "an empty reply": ("", line("1")),
}


@pytest.mark.parametrize(("text", "tokens"), NOTHING.values(), ids=NOTHING)
def test_nothing_is_guessed(text: str, tokens: tuple[TokenLogprob, ...]) -> None:
    found = Confidence(text, tokens, {"": Span(0, len(text))})
    assert dict(found) == {}
    with pytest.raises(KeyError, match="no log-probabilities"):
        found[""]


def test_a_part_that_is_not_there_is_said() -> None:
    with pytest.raises(KeyError, match="/size: no such part"):
        confidence(line("1"), {"": "1"})["/size"]


def sized(size: str, chance: float, other: str) -> Reply:
    told = line('{"size":"', (size, chance, {other: 1 - chance}), '","name":"', ("A", 0.01), '"}')
    return Reply("".join(token.token for token in told), logprobs=told)


def test_a_result_tells(both: Both) -> None:
    model = ScriptedModel([sized("tall", 0.75, "short")])
    result = both.run(model, "x", Order, logprobs=True)
    assert model.requests[0].logprobs
    assert result.confidence["/size"] == pytest.approx(0.75)
    assert result.confidence["/name"] == pytest.approx(0.01)
    assert not both.run(ScriptedModel(['{"size":"tall"}']), "x", Order).confidence


def test_what_the_model_was_unsure_of_is_asked_again(both: Both) -> None:
    model = ScriptedModel([sized("tall", 0.5, "short"), sized("short", 0.9, "tall")])
    result = both.run(model, "x", Order, min_confidence=0.8)
    assert result.value.size is Size.SHORT
    (issue,) = result.attempts[0].issues
    assert (issue.path, issue.code, issue.got) == ("/size", "unsure", '"tall"')
    assert "50 %" in issue.message
    assert "/size" in model.requests[1].messages[-1].text
    assert all(request.logprobs for request in model.requests)


class Line(BaseModel):
    sku: str
    size: Size


class Lines(BaseModel):
    note: Literal["yes", "no"]
    lines: list[Line] = []


def test_of_a_patch_the_kept_parts_keep_theirs(both: Both) -> None:
    first = line(
        '{"note":"', ("yes", 0.8, {"no": 0.2}), '","lines":[{"sku":"', ("A", 0.5), '","size":"', ("tall", 0.9, {"short": 0.1}),
        '"},{"sku":"', ("B", 0.25), '","size":"', ("huge", 0.9), '"}]}',
    )  # fmt: skip
    second = line('{"/lines/1/size":"', ("trenta", 0.6, {"tall": 0.2, "Hmm": 0.2}), '"}')
    replies = [Reply("".join(token.token for token in told), logprobs=told) for told in (first, second)]
    result = both.run(ScriptedModel(replies), "x", Lines, logprobs=True, strategy="patch")
    assert result.value.lines[1].size is Size.TRENTA
    expected = {
        "/note": 0.8,
        "/lines/0/sku": 0.5,
        "/lines/0/size": 0.9,
        "/lines/0": 0.45,
        "/lines/1/sku": 0.25,
        "/lines/1/size": 0.75,
        "/lines/1": 0.1875,
        "/lines": 0.45 * 0.1875,
        "": 0.8 * 0.45 * 0.1875,
    }
    assert dict(result.confidence) == pytest.approx(expected)


def layered(kept: str | None, data: Any) -> Confidence:
    """`{"a":[1,2],"b":0}` with probabilities, and a reply to it that writes some parts anew."""
    first = line('{"a":[', ("1", 0.5), ",", ("2", 0.5), '],"b":', ("0", 0.5), "}")
    text = "".join(token.token for token in first)
    spans = {"": Span(0, len(text)), "/a": Span(5, 10), "/a/0": Span(6, 7), "/a/1": Span(8, 9), "/b": Span(15, 16)}
    earlier = Confidence(text, first, spans, data=lambda: {"a": [1, 2], "b": 0})
    told = line('{"x":', ("7", 0.25), "}")
    return Confidence('{"x":7}', told, {} if kept is None else {kept: Span(5, 6)}, data=lambda: data, earlier=earlier)


LAYERS: dict[str, tuple[str | None, Any, dict[str, float]]] = {
    "nothing anew": (None, {"a": [1, 2], "b": 0}, {"": 0.125, "/a": 0.25, "/a/0": 0.5, "/a/1": 0.5, "/b": 0.5}),
    "a part": ("/b", {"a": [1, 2], "b": 7}, {"": 0.0625, "/a": 0.25, "/a/0": 0.5, "/a/1": 0.5, "/b": 0.25}),
    "the whole of a list": ("/a", {"a": 7, "b": 0}, {"": 0.125, "/a": 0.25, "/b": 0.5}),
    "a further item": ("/a/2", {"a": [1, 2, 7]}, {"": 0.0625, "/a": 0.0625, "/a/0": 0.5, "/a/1": 0.5, "/a/2": 0.25}),
    "what was taken out is gone": ("/b", {"a": [1], "b": 7}, {"": 0.125, "/a": 0.5, "/a/0": 0.5, "/b": 0.25}),
}


@pytest.mark.parametrize(("kept", "data", "expected"), LAYERS.values(), ids=LAYERS)
def test_layers(kept: str | None, data: Any, expected: dict[str, float]) -> None:
    found = layered(kept, data)
    assert dict(found) == pytest.approx(expected)
    assert found.is_whole


def test_the_outer_parts_are_not_known_where_an_inner_one_is_not() -> None:
    unknown = Confidence('{"a":1,"b":2}', (), {"": Span(0, 13), "/a": Span(5, 6), "/b": Span(11, 12)})
    found = Confidence("7", line(("7", 0.5)), {"/b": Span(0, 1)}, data=lambda: {"a": 1, "b": 7}, earlier=unknown)
    assert dict(found) == {"/b": 0.5}
    assert not found.is_whole


BOUNDS: dict[str, tuple[Any, bool]] = {
    "free text is not bounded by one number": (0.7, True),
    "a place by name": ({"/name": 0.005}, True),
    "the same, higher": ({"/name": 0.5}, False),
    "the nearest pattern holds": ({"/*": 0.9, "/size": 0.5, "/name": 0.001}, True),
    "a pattern": ({"/*": 0.7}, False),
    "the whole": ({"": 0.5}, False),
    "a place that is not in the reply": ({"/iced": 0.9}, True),
    "nothing": (None, True),
}


@pytest.mark.parametrize(("bound", "passes"), BOUNDS.values(), ids=BOUNDS)
def test_bounds_by_place(both: Both, bound: Any, passes: bool) -> None:
    result = both.run(ScriptedModel([sized("tall", 0.75, "short")]), "x", Order, min_confidence=bound, max_repairs=0)
    assert result.ok is passes
    assert passes or isinstance(result.error, RepairError)


def test_a_bound_that_cannot_be_held_is_an_error(both: Both) -> None:
    error = both.run(ScriptedModel(['{"size":"tall"}']), "x", Order, min_confidence=0.5).error
    assert isinstance(error, ModelError)
    assert "log-probabilities" in str(error)
    assert error.attempts


@pytest.mark.parametrize("wrong", [-0.1, 1.1, "high", {"/size": 2}, {"size": 0.5}, {1: 0.5}])
def test_what_is_no_bound(wrong: Any) -> None:
    with pytest.raises(ValueError, match="min_confidence"):
        Client(ScriptedModel([]), min_confidence=wrong)


def test_services_tell_the_bytes_of_half_characters() -> None:
    """OpenAI and llama.cpp write a text of their own for such a token, and its bytes beside it."""
    entries = [
        {
            "token": "\\xc3",
            "bytes": [0xC3],
            "logprob": -1,
            "top_logprobs": [{"token": "", "bytes": [0xC3], "logprob": -1}],
        },
        {"token": "", "bytes": [0xA9], "logprob": -0.5},
        {"token": "<|end|>", "bytes": None, "logprob": 0.0},
    ]
    tokens = tokens_of(entries)
    assert tokens is not None
    assert [token_bytes(token.token) for token in tokens] == [b"\xc3", b"\xa9", b"<|end|>"]
    assert [token_bytes(other) for other, _ in tokens[0].top] == [b"\xc3"]
    assert Confidence("é", tokens, {"": Span(0, 1)})[""] == pytest.approx(math.exp(-1.5))


def test_half_characters_are_recorded_and_replayed(tmp_path: Path) -> None:
    reply = Reply("é", logprobs=(TokenLogprob(escaped(b"\xc3"), -1.0), TokenLogprob(escaped(b"\xa9"), -1.0)))
    request = Request((Message("user", "x"),), logprobs=True)
    record(ScriptedModel([reply]), tmp_path / "replies.jsonl").complete(request)
    assert ReplayModel(tmp_path / "replies.jsonl").complete(request).logprobs == reply.logprobs


@pytest.mark.local
def test_the_embedded_model_tells() -> None:
    class Review(BaseModel):
        sentiment: Literal["positive", "neutral", "negative"]
        word: str

    client = Client("local", logprobs=True)
    result = client.run("What a lovely day! 😀 The word is: naïve 你好", Review)
    assert result.ok, result.error
    reply = result.attempts[-1].reply
    assert reply is not None
    assert reply.logprobs is not None
    assert b"".join(token_bytes(token.token) for token in reply.logprobs).decode() == reply.text
    assert set(result.confidence) == {"", "/sentiment", "/word"}
    for pointer, chance in result.confidence.items():
        assert 0 < chance <= 1, pointer
    assert result.confidence[""] == pytest.approx(result.confidence["/sentiment"] * result.confidence["/word"])


@pytest.mark.local
def test_the_embedded_model_is_asked_again_where_it_wavers() -> None:
    client, moods = Client("local", max_repairs=1), Literal["positive", "neutral", "negative"]
    surely, hardly = (client.run("So so.", moods, min_confidence=least) for least in (0.0, 0.9999))
    assert surely.ok
    assert 0 < surely.confidence[""] < 0.9999
    assert [issue.code for issue in hardly.attempts[0].issues] == ["unsure"]
    assert len(hardly.attempts) > 1
