"""What is made of a type is made once, by whichever thread comes first, and let go with the type."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from sys import setprofile
from types import FrameType
from typing import Annotated, Any
from weakref import ref

import pytest
from pydantic import BaseModel, create_model

from typedllm import Request, Schema
from typedllm.client import Client
from typedllm.schema.profiles import Profile
from typedllm.schema.vocabulary import Vocabulary
from typedllm.testing import ScriptedModel

NATIVE = Profile("native", "2026-11-24", ("schema",))
BUILDERS = {
    "TypeAdapter.__init__",
    "Target.__init__",
    "render",
    "strip_hints",
    "PydanticValidator.__init__",
    "annotate",
}
BUILDERS |= {"Shape.__init__", "system", "fenced", "core_schema", "load"}


class Size(BaseModel):
    ounces: int


class Drink(BaseModel):
    name: str
    size: Size


REPLY = '{"name": "latte", "size": {"ounces": 12}}'


@contextmanager
def building() -> Iterator[list[str]]:
    """Which functions that build something are called inside the block."""
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_qualname in BUILDERS:
            called.append(frame.f_code.co_qualname)

    setprofile(note)
    try:
        yield called
    finally:
        setprofile(None)


def collect() -> None:
    """Let go of all that nobody holds: one collection can leave behind what the next one finds."""
    while gc.collect():
        pass


def client(profile: Profile = NATIVE) -> Client:
    return Client(ScriptedModel(repeat(REPLY), profile=profile))


@pytest.mark.parametrize("type_", [Drink, Drink | None, list[Drink] | Drink, Annotated[Drink, "noted"]])
def test_the_first_call_builds_and_later_ones_do_not(type_: Any) -> None:
    asking = client()
    with building() as first:
        asking.generate("a latte", type_)
    assert "render" in first
    assert "Target.__init__" in first
    with building() as later:
        for _ in range(50):
            asking.generate("a latte", type_)
            client(Profile("other", "2026-11-24")).render("another", type_)
    assert later == []


def test_every_schema_of_a_type_gives_the_same_objects() -> None:
    one, other = Schema(Drink), Schema(Drink)
    assert one.typescript() is other.typescript()
    assert one.typescript(compact=True) is other.typescript(compact=True) is not one.typescript()
    assert one.document is other.document
    asked = [client().render("a latte", Drink) for _ in range(2)]
    assert asked[0].messages[0].content is asked[1].messages[0].content
    assert natives(asked[0]) is natives(asked[1])


def natives(request: Request) -> object:
    assert request.native is not None
    return request.native.document


def test_a_document_as_the_type_builds_once_too() -> None:
    schema = Schema.from_json_schema({"type": "object", "properties": {"name": {"type": "string"}}})
    asking = client()
    asking.generate("a latte", schema)
    with building() as later:
        asking.generate("a latte", schema)
    assert later == []
    assert schema.typescript() is schema.typescript()


def test_clients_are_let_go_before_the_types_that_they_were_asked_for() -> None:
    def ask() -> ref[Client]:
        asking = client()
        asking.generate("a latte", Drink)
        return ref(asking)

    gone = ask()
    collect()
    assert gone() is None


def test_the_json_schema_that_is_given_out_is_the_callers_own() -> None:
    schema = Schema(Drink)
    schema.json_schema()["properties"].clear()
    assert Schema(Drink).json_schema()["properties"].keys() == {"name", "size"}
    assert natives(client().render("a latte", Drink)) == schema.json_schema()


def test_a_refreshed_vocabulary_is_told_anew() -> None:
    words = ["tea"]
    menu = Vocabulary("drink", lambda: words)
    type_ = list[Annotated[str, menu]]
    assert '"tea"' in Schema(type_).typescript()
    words.append("mate")
    menu.refresh()
    assert '"mate"' in Schema(type_).typescript()


def test_threads_that_come_at_once_get_the_same_objects() -> None:
    model = create_model("Order", name=(str, ...), size=(Size, ...))
    together = threading.Barrier(8)
    found: list[str] = []

    def ask() -> None:
        together.wait()
        found.append(Schema(model).typescript())
        client().generate("a latte", model)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(each) for each in found}) == 1
    assert len(found) == 8


@pytest.mark.slow
def test_classes_made_in_a_loop_are_let_go() -> None:
    asking = client()
    seen: list[ref[type[BaseModel]]] = []
    for index in range(700):
        made = create_model(f"Made{index}", name=(str, ...), size=(Size, ...))
        asking.generate("a latte", made)
        seen.append(ref(made))
    del made
    collect()
    assert sum(each() is not None for each in seen) < 600


@pytest.mark.slow
def test_memory_stays_flat_over_many_calls() -> None:
    class Constant:
        name = "constant"

        def complete(self, request: Request, /) -> Any:
            return ScriptedModel([REPLY]).complete(request)

    asking = Client(Constant())
    for _ in range(100):
        asking.generate("a latte", Drink)
    tracemalloc.start()
    try:
        asking.generate("a latte", Drink)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(2_000):
            asking.generate("a latte", Drink)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
