"""Results and errors go to other processes and into caches: pickled and copied deeply they are what they were."""

from __future__ import annotations

import copy
import datetime
import enum
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing import get_context
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import pytest
from pydantic import BaseModel, RootModel
from typing_extensions import TypedDict

from tests.both import Both
from typedllm import Reply, Result, Schema, TruncatedError, TypedLLMError
from typedllm.records import Span, TokenLogprob, Usage
from typedllm.testing import ScriptedModel

T = TypeVar("T")


class Size(enum.Enum):
    SHORT = "short"
    TALL = "tall"


class Drink(BaseModel):
    size: Size
    price: Decimal = Decimal("3.50")


@dataclass
class Visit:
    day: datetime.date
    drinks: list[Drink] = field(default_factory=list)


class Point(NamedTuple):
    x: int
    y: int = 0


class Row(TypedDict):
    key: str


class Box(BaseModel, Generic[T]):
    held: T


class Words(RootModel[list[str]]):
    pass


VALUES: list[tuple[Any, str]] = [
    (Drink, '{"size": "tall"}'),
    (Visit, '{"day": "2025-03-04", "drinks": [{"size": "TALL", "price": "4.10"}]}'),
    (Point, "[1, 2]"),
    (Row, "Sure: {key: 'a',}"),
    (Box[Drink], '{"held": {"size": "short"}}'),
    (Words, '["a", "b"]'),
    (Drink | Row, '{"key": "b"}'),
    (set[int], "[1, 2]"),
    (Literal["yes", "no"], '"yes"'),
    (Size, "tall"),
    (str, "just text"),
]

WAYS: dict[str, Callable[[Any], Any]] = {
    "deep copy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "oldest pickle": lambda value: pickle.loads(pickle.dumps(value, 2)),
}
way = pytest.mark.parametrize("twin_of", WAYS.values(), ids=WAYS)


def same(one: Result[Any], other: Result[Any]) -> None:
    """Everything that a result says, but for the identity of its error."""
    assert other.ok == one.ok
    if one.ok:
        assert other.value == one.value
        assert type(other.value) is type(one.value)
    else:
        assert type(other.error) is type(one.error)
        assert str(other.error) == str(one.error)
        assert vars(other.error) == vars(one.error)
    for name in (
        "attempts", "fixes", "issues", "spans", "candidates", "usage", "seconds", "model", "confidence"
    ):  # fmt: skip
        assert getattr(other, name) == getattr(one, name)
    assert repr(other) == repr(one)


@way
@pytest.mark.parametrize(("declared", "text"), VALUES, ids=lambda value: str(value)[:40])
def test_what_was_read(declared: Any, text: str, twin_of: Callable[[Any], Any]) -> None:
    for reply in (text, f"Here it is:\n```json\n{text}\n```", text[:-1], "no"):
        result = Schema(declared).read(reply)
        same(result, twin_of(result))


@way
def test_what_was_asked(both: Both, twin_of: Callable[[Any], Any]) -> None:
    told = tuple(TokenLogprob(token, -0.1, (("x", -3.0),)) for token in ('{"size"', ': "tall"', "}"))
    good = Reply('{"size": "tall"}', logprobs=told, usage=Usage(7, 0, 3, cost=Decimal("0.1"), requests=1, priced=1))
    for replies in ([good], ['{"size": "huge"}', good], ["{", "{"], [Reply('{"size": "ta', "length")] * 2):
        result = both.run(ScriptedModel(replies), "A tall one.", Drink, max_repairs=1, logprobs=True)
        assert not result.ok or result.spans["/size"]
        same(result, twin_of(result))
    declined = both.run(ScriptedModel([Reply("", "refusal", refusal="No.")]), "A tall one.", Drink)
    same(declined, twin_of(declined))


@way
def test_what_was_raised(both: Both, twin_of: Callable[[Any], Any]) -> None:
    client = both.client(ScriptedModel([Reply('{"size": "ta', "length"), '{"size": "huge"}', '{"size": "huge"}']))
    for kind in (TruncatedError, TypedLLMError):
        with pytest.raises(kind) as caught:
            both.call(client.generate, "A tall one.", Drink, max_repairs=0)
        twin = twin_of(caught.value)
        assert type(twin) is type(caught.value)
        assert vars(twin) == vars(caught.value)
        assert twin.attempts
        assert twin.attempts[0].request == caught.value.attempts[0].request


@way
def test_a_copy_is_a_copy(twin_of: Callable[[Any], Any]) -> None:
    result = Schema(Visit).read('{"day": "2025-03-04", "drinks": [{"size": "tall"}]}')
    twin = twin_of(result)
    assert dict(twin.spans) == {
        "": Span(0, 51),
        "/day": Span(8, 20),
        "/drinks": Span(32, 50),
        "/drinks/0": Span(33, 49),
        "/drinks/0/size": Span(42, 48),
    }
    twin.value.drinks.clear()
    assert len(result.value.drinks) == 1


def read_elsewhere(text: str) -> Result[Drink]:
    return Schema(Drink).read(text)


def test_results_come_back_from_other_processes() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        good, bad = pool.map(read_elsewhere, ['{"size": "tall"}', '{"size": "huge"}'], timeout=60)
    assert good.value == Drink(size=Size.TALL)
    assert good.spans["/size"] == Span(9, 15)
    assert bad.issues[0].path == "/size"
