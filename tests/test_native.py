"""Native schemas on the whole path: what is sent, shown and read back."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from tests.both import Both
from typedllm import Client
from typedllm.errors import ModelError
from typedllm.models.scripted import ScriptedModel
from typedllm.schema.profiles import ANTHROPIC, GROQ, OPENAI, VLLM, Profile


class Line(BaseModel):
    sku: Annotated[str, Field(min_length=2)]
    note: str = "none"


class Order(BaseModel):
    lines: list[Line]
    prices: dict[str, int]
    place: tuple[int, int] = (0, 0)


class Bill(BaseModel):
    lines: list[Line]
    city: str = "Bonn"
    zip: str | None = None


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


SENT = {
    "lines": [{"sku": "ab", "note": None}],
    "prices": [{"key": "ab", "value": 3}],
    "place": {"item_0": 1, "item_1": 2},
}
ORDER = Order(lines=[Line(sku="ab")], prices={"ab": 3}, place=(1, 2))


def text(value: Any) -> str:
    return json.dumps(value)


def sent(model: ScriptedModel, number: int = 0) -> Any:
    native = model.requests[number].native
    return None if native is None else native.document


def test_the_wire_schema_is_sent_and_its_reply_read_back(both: Both) -> None:
    model = ScriptedModel([text(SENT)], profile=GROQ)
    result = both.run(model, "x", Order)
    assert result.value == ORDER
    assert result.fixes == ()
    assert sent(model)["properties"]["prices"]["type"] == "array"
    assert "key: string" in model.requests[0].messages[0].content
    assert "Record<" not in model.requests[0].messages[0].content
    assert {"/prices/ab", "/place/1", "/lines/0/sku"} <= set(result.spans)


@pytest.mark.parametrize(
    "reply",
    [
        f"Here it is:\n```json\n{text(SENT)}\n```",
        text({"lines": [{"sku": "ab"}], "prices": {"ab": 3}, "place": [1, 2]}),
        text(SENT)[:-1],
    ],
)
def test_replies_in_another_form_are_read_too(both: Both, reply: str) -> None:
    assert both.run(ScriptedModel([reply], profile=OPENAI), "x", Order).value == ORDER


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"prices": [{"key": "a", "value": "x"}]}, "/prices/a"),
        ({"prices": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}, "/prices/a"),
        ({"lines": [{"sku": "a", "note": None}]}, "/lines/0/sku"),
        ({"place": {"item_0": 1, "item_1": "x"}}, "/place/1"),
    ],
)
def test_issues_have_the_places_of_the_type(both: Both, change: Any, path: str) -> None:
    result = both.run(ScriptedModel([text({**SENT, **change})], profile=OPENAI), "x", Order, max_repairs=0)
    assert [issue.path for issue in result.issues] == [path]


@pytest.mark.parametrize("strategy", ["full", "patch", "auto"])
def test_a_repair_goes_on_in_the_shape_that_it_asks_for(both: Both, strategy: Any) -> None:
    wrong = {**SENT, "place": {"item_0": 1, "item_1": "x"}}
    again = {"/place/1": 2} if strategy == "patch" else SENT
    model = ScriptedModel([text(wrong), text(again), text(SENT)], profile=GROQ)
    result = both.run(model, "x", Order, strategy=strategy)
    assert result.value == ORDER
    words = model.requests[1].messages
    if strategy == "full":
        assert '"key":"ab"' in words[-1].content
    if strategy == "patch":
        assert "Record<string, integer>" in words[0].content


def test_a_root_that_is_no_object_and_examples(both: Both) -> None:
    model = ScriptedModel([text({"value": [{"key": "a", "value": 1}]})], profile=GROQ)
    assert both.run(model, "x", dict[str, int], examples=[("y", {"b": 2})]).value == {"a": 1}
    written = [message.content for message in model.requests[0].messages if message.role == "assistant"]
    assert written == ['{"value":[{"key":"b","value":2}]}']


def test_a_map_of_anything_is_not_its_own_envelope(both: Both) -> None:
    reply = text({"value": [{"key": "a", "value": "[1]"}]})
    assert both.run(ScriptedModel([reply], profile=OPENAI), "x", dict[str, Any]).value == {"a": [1]}


@pytest.mark.parametrize(
    ("profile", "modes"), [(ANTHROPIC, None), (Profile("x", "", ("schema", "json"), accepts=ANTHROPIC.accepts), "json")]
)
def test_what_does_not_fit_is_carried_in_the_next_way(both: Both, profile: Profile, modes: str | None) -> None:
    model = ScriptedModel(['{"value": 1}'], profile=profile)
    assert both.run(model, "x", Tree).value == Tree(value=1)
    native = model.requests[0].native
    assert (native.mode if native else None) == modes
    assert "children?: Tree[]" in model.requests[0].messages[0].content


def test_what_must_be_enforced_and_cannot_be_is_told(both: Both) -> None:
    model = ScriptedModel(['{"value": 1}'], profile=ANTHROPIC)
    error = both.run(model, "x", Tree, native="require").error
    assert isinstance(error, ModelError)
    assert error.code == "schema_unfit"
    assert "contains itself (Tree)" in str(error)
    assert model.requests == []


def test_the_same_shape_is_shown_as_the_type() -> None:
    client = Client(ScriptedModel(["{}"], profile=VLLM))
    assert "prices: Record<string, integer>" in client.render("x", Order).messages[0].content


def test_a_stream_shows_the_value_only() -> None:
    with Client(ScriptedModel([text(SENT)], profile=GROQ, chunk_sizes=[3])).stream("x", Order) as stream:
        shown = [snapshot.data for snapshot in stream]
    assert shown[-1] == ORDER.model_dump(mode="json", exclude_unset=True)
    assert {"lines": [{"sku": "ab"}], "prices": {"ab": 3}} in shown
    assert not any(word in text(shown) for word in ("item_0", '"key"', "null"))


@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_stream_shows_no_null_for_what_is_absent(size: int) -> None:
    reply = '{"lines": [{"sku": "ab", "note": null}, {"note": "x", "sku": "cd"}], "city": null, "zip": null}'
    with Client(ScriptedModel([reply], profile=GROQ, chunk_sizes=[size])).stream("x", Bill) as stream:
        shown = [snapshot.data for snapshot in stream]
        assert stream.result() == Bill(lines=[Line(sku="ab"), Line(sku="cd", note="x")])
    assert shown[-1] == {"lines": [{"sku": "ab"}, {"note": "x", "sku": "cd"}], "zip": None}
    assert len(shown) > 5 or size == 100
    assert all("null" not in text({**data, "zip": ""}) for data in shown if data)
