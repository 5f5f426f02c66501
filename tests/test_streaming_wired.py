"""Streams of replies in the shape that a service demands: shown part by part as the value that they stand for."""

from __future__ import annotations

import copy
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.generated import typed_values
from tests.support.laws import examples
from tests.test_streaming_laws import ends_in_the_value, honest
from tests.zoo import ZOO
from typedllm import Client, Result, Schema
from typedllm.models.scripted import ScriptedModel
from typedllm.records import Chunk, Request
from typedllm.schema.profiles import ANTHROPIC, GROQ, OPENAI, Profile
from typedllm.schema.wire import to_wire
from typedllm.streaming import Snapshot


class Line(BaseModel):
    sku: str
    count: int
    note: str | None = None


class Bill(BaseModel):
    lines: list[Line]
    prices: dict[str, int]
    spot: tuple[int, str]
    more: Any


LINES = [{"sku": "ab", "count": 1}, {"sku": "cd", "count": 2, "note": "n"}]
BILL = {"lines": LINES, "prices": {"p": 1, "q": 2}, "spot": [3, "zz"], "more": {"k": [1]}}


def written(schema: Schema[Any], profile: Profile, data: Any) -> str:
    """A value as a model writes it for such a service."""
    assert profile.accepts is not None
    return json.dumps(to_wire(schema.document, profile.accepts).encode(data))


def followed(
    text: str, schema: Schema[Any], profile: Profile, sizes: list[int]
) -> tuple[list[tuple[Snapshot, Any]], Result[Any]]:
    model = ScriptedModel([text], profile=profile, chunk_sizes=sizes)
    with Client(model, max_repairs=0).stream("x", schema) as stream:
        seen = [(snapshot, copy.deepcopy(snapshot.data)) for snapshot in stream]
        return seen, stream.finish()


@pytest.mark.parametrize("profile", [OPENAI, GROQ, ANTHROPIC], ids=lambda profile: profile.name)
@pytest.mark.parametrize(
    ("type_", "data"),
    [
        (list[Line], LINES),
        (dict[str, Line], {"x": LINES[0], "y": LINES[1]}),
        (Bill, BILL),
        (tuple[int, str], [1, "ab"]),
    ],
    ids=["list", "map", "object", "tuple"],
)
def test_the_value_is_shown_part_by_part(type_: Any, data: Any, profile: Profile) -> None:
    schema = Schema[Any](type_)
    seen, result = followed(written(schema, profile, data), schema, profile, [4])
    honest(seen)
    assert result.ok
    ends_in_the_value(seen, result, schema)
    assert len(seen) > 3
    assert not any(event.kind == "restarted" for snapshot, _ in seen for event in snapshot.events)


def test_pointers_are_those_of_the_value() -> None:
    schema = Schema[Any](Bill)
    seen, _ = followed(written(schema, OPENAI, BILL), schema, OPENAI, [4])
    closed = {event.path: event.value for snapshot, _ in seen for event in snapshot.events if event.kind == "closed"}
    assert closed["/prices/p"] == 1
    assert closed["/spot/1"] == "zz"
    assert closed["/more"] == {"k": [1]}
    assert closed["/lines/1/note"] == "n"


class Slow:
    """A model that tells how much of its text was taken."""

    name = "slow"
    profile = OPENAI

    def __init__(self, text: str) -> None:
        self.text = text
        self.taken = 0

    def complete(self, request: Request, /) -> Any:
        raise NotImplementedError

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        assert request.native is not None
        while self.taken < len(self.text):
            self.taken += 4
            yield Chunk(self.text[self.taken - 4 : self.taken])
        yield Chunk(finish_reason="stop")

    def astream(self, request: Request, /) -> Any:
        raise NotImplementedError


def test_items_of_a_root_that_is_sent_in_an_object_come_as_they_close() -> None:
    model = Slow(written(Schema(list[Line]), OPENAI, [{"sku": str(n), "count": n} for n in range(3)]))
    with Client(model).stream("x", list[Line]) as stream:
        items = stream.items()
        assert next(items) == Line(sku="0", count=0)
        assert model.taken < len(model.text) - 40
        assert [line.count for line in items] == [1, 2]


class Endless(Slow):
    """A model that writes a list of so many lines, and keeps nothing of it."""

    def __init__(self, count: int) -> None:
        super().__init__("")
        self.count = count

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        yield Chunk('{"value": [')
        for number in range(self.count):
            yield Chunk(
                f'{{"sku": "and so on", "count": {number}, "note": null}}{"," if number < self.count - 1 else ""}'
            )
        yield Chunk("]}", finish_reason="stop")


def peak(count: int) -> int:
    client = Client(Endless(count))
    tracemalloc.start()
    try:
        with client.stream("x", list[Line]) as stream:
            assert all(line.count == number for number, line in enumerate(stream.items(keep=False)))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_items_that_are_not_kept_take_no_memory() -> None:
    peak(450)  # what is made once, and what the interpreter keeps for reuse
    few, many = peak(450), peak(1_000)
    assert many < 1.2 * few


def test_an_item_of_a_wrong_type_is_repaired_on_its_own() -> None:
    text = '{"value": [{"sku": "a", "count": 1, "note": null}, {"sku": "b", "count": "x", "note": null}]}'
    model = ScriptedModel([text, '{"sku": "b", "count": 2, "note": null}'], profile=OPENAI, chunk_sizes=[5])
    with Client(model).stream("x", list[Line]) as stream:
        assert list(stream.items()) == [Line(sku="a", count=1), Line(sku="b", count=2)]


ODD = {
    "the value before its key": '{"value": [{"value": 1, "key": "a"}, {"key": "b", "value": 2}]}',
    "a key twice": '{"value": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}',
    "the shape of the type": '{"a": 1, "b": 2}',
    "a pair without a value": '{"value": [{"key": "a", "value": 1}, {"key": "b"}]}',
    "no pair": '{"value": [{"key": "a", "value": 1}, 3]}',
    "more beside it": '{"value": [{"key": "a", "value": 1}], "more": 1}',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("size", [1, 5, 100])
def test_what_was_not_asked_for_is_shown_honestly(text: str, size: int) -> None:
    schema = Schema[Any](dict[str, int])
    seen, result = followed(text, schema, OPENAI, [size])
    honest(seen)
    if result.ok:
        ends_in_the_value(seen, result, schema)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Item 'id' on TypedDict")
@pytest.mark.parametrize("profile", [OPENAI, GROQ], ids=lambda profile: profile.name)
@pytest.mark.parametrize("name", ZOO)
def test_every_type_is_shown_honestly_in_the_shape_of_a_service(name: str, profile: Profile) -> None:
    schema = Schema[Any](ZOO[name].type)
    for text in ZOO[name].accepted:
        sent = written(schema, profile, json.loads(text))
        for dressed in {sent, f"```json\n{sent}\n```", sent.replace("}", ",}"), text}:
            seen, result = followed(dressed, schema, profile, [1, 1, 5])
            honest(seen)
            if result.ok:
                ends_in_the_value(seen, result, schema)


@examples(60)
@given(typed_values(most=1), st.sampled_from([OPENAI, GROQ]), st.integers(1, 9))
def test_any_type_is_shown_honestly_in_the_shape_of_a_service(
    typed: tuple[Any, list[Any]], profile: Profile, size: int
) -> None:
    schema = Schema[Any](typed[0])
    sent = written(schema, profile, json.loads(schema.dump(typed[1][0])))
    seen, result = followed(sent, schema, profile, [size])
    honest(seen)
    if result.ok:
        ends_in_the_value(seen, result, schema)
