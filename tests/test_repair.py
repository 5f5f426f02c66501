"""Repairs: what is asked for, in which words, and the laws that hold for every sequence of replies."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tests.both import Both
from tests.support.laws import examples
from typedllm import Client, ModelError, RefusalError, RepairError, Reply, Result, Schema, TruncatedError
from typedllm.models.scripted import ScriptedModel
from typedllm.records import MISSING, Issue, Policy, Usage
from typedllm.repair.feedback import MAX_LINES, MAX_TOKENS, lines
from typedllm.repair.patch import plan
from typedllm.schema.profiles import OPENAI, Profile
from typedllm.schema.subschema import at, part


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Drink(Part):
    kind: Literal["drink"]
    name: str
    size: Literal["short", "tall", "grande"]
    shots: Annotated[int, Field(ge=1, le=4)] = 1


class Cake(Part):
    kind: Literal["cake"]
    name: str
    slices: Annotated[int, Field(ge=1)]
    notes: str | None = None


class Order(Part):
    customer: str
    lines: list[Annotated[Drink | Cake, Field(discriminator="kind")]]
    labels: dict[str, int] = {}
    paid: Annotated[float, Field(ge=0)]
    total: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def covers(self) -> Order:
        if self.paid > self.total:
            raise ValueError("paid is more than total")
        return self


DRINK = {"kind": "drink", "name": "latte", "size": "tall"}
CAKE = {"kind": "cake", "name": "carrot cake", "slices": 2}


def order(count: int = 12, **changes: Any) -> dict[str, Any]:
    lines_ = [dict(DRINK if index % 2 else CAKE) for index in range(count)]
    return {"customer": "Ada", "lines": lines_, "paid": 20, "total": 48.5, **changes}


def put(document: Any, pointer: str, value: Any) -> Any:
    """A copy with one part changed, or taken out (`MISSING`)."""
    copy = json.loads(json.dumps(document))
    *way, last = pointer.split("/")[1:]
    inner = copy
    for step in way:
        inner = inner[int(step) if isinstance(inner, list) else step]
    key: Any = int(last) if isinstance(inner, list) else last
    if value is MISSING:
        inner.pop(key, None)
    else:
        inner[key] = value
    return copy


def text(data: Any) -> str:
    return json.dumps(data)


CUT = text(order())[: len(text(order())) // 3]
SNAPSHOTS = Path(__file__).parent / "snapshots"

CATALOGUE: dict[str, tuple[list[Any], dict[str, Any], list[str], Any]] = {
    "one field": (
        [text(put(order(), "/lines/1/size", "huge")), '{"/lines/1/size": "tall"}'],
        {},
        ["first", "patch"],
        order(),
    ),
    "missing field": (
        [text(put(order(), "/customer", MISSING)), '{"/customer": "Ada"}'],
        {},
        ["first", "patch"],
        order(),
    ),
    "several": (
        [
            text(put(put(put(order(), "/lines/1/size", 5), "/lines/2/slices", 0), "/paid", "no")),
            '{"/lines/1/size": "tall", "/lines/2/slices": 2, "/paid": 20}',
        ],
        {},
        ["first", "patch"],
        order(),
    ),
    "unknown key": (
        [
            text(put(put(order(), "/lines/0/notes", MISSING) if "notes" in CAKE else order(), "/lines/0/note", "warm")),
            '{"/lines/0/note": null, "/lines/0/notes": "warm"}',
        ],
        {},
        ["first", "patch"],
        put(order(), "/lines/0/notes", "warm"),
    ),
    "wrong arm": (
        [text(put(order(), "/lines/3/kind", "tea")), text({"/lines/3": DRINK})],
        {},
        ["first", "patch"],
        order(),
    ),
    "map": (
        [text(order(labels={"a": 1, "b~/c": "many"})), '{"/labels/b~0~1c": 2}'],
        {},
        ["first", "patch"],
        order(labels={"a": 1, "b~/c": 2}),
    ),
    "cross-field": ([text(order(paid=60)), '{"/paid": 40}'], {}, ["first", "patch"], order(paid=40)),
    "one kind, many places": (
        [text(order(lines=[{**DRINK, "size": f"size {n}"} for n in range(24)])), text(order())],
        {"strategy": "full"},
        ["first", "full"],
        order(),
    ),
    "truncated": (
        [
            Reply(CUT, "length"),
            Reply(text({"/lines/3/size": "tall", "/lines/-": order()["lines"][4:9]})[:-30], "length"),
            text(
                {"/lines/8/name": "carrot cake", "/lines/8/slices": 2, "/lines/-": order()["lines"][9:]}
                | {"/paid": 20, "/total": 48.5, "/labels": None}
            ),
        ],
        {"max_tokens": 100},
        ["first", "patch", "patch"],
        order(),
    ),
    "small": (['{"kind": "drink", "name": "tea", "size": "huge"}', text(DRINK)], {}, ["first", "full"], DRINK),
    "prose": (["Sure, I can do that.", text(order())], {}, ["first", "full"], order()),
    "blank": (["  ", text(order())], {}, ["first", "full"], order()),
    "broken": (['{"customer": "Ada", "lines": [}}} what', text(order())], {}, ["first", "full"], order()),
    "no progress": (
        [text(put(order(), "/lines/1/size", "huge")), '{"/lines/1/size": "huge"}', text(order())],
        {"repair_temperature": 0.9},
        ["first", "patch", "full"],
        order(),
    ),
    "assistant layout": (
        [text(put(order(), "/lines/1/size", "huge")), '{"/lines/1/size": "tall"}'],
        {"layout": "assistant"},
        ["first", "patch"],
        order(),
    ),
    "the whole after all": (
        [text(put(order(), "/lines/1/size", "huge")), text(order())],
        {},
        ["first", "patch"],
        order(),
    ),
    "pinned whole": (
        [text(put(order(), "/lines/1/size", "huge")), text(order())],
        {"strategy": "full"},
        ["first", "full"],
        order(),
    ),
}


def conversation(model: ScriptedModel) -> str:
    """What the model read after the first request."""
    said: list[str] = []
    for request in model.requests[1:]:
        for message in request.messages[1:]:
            said.append(f"=== {message.role}\n{message.text}")
        said.append(f"=== options {dict(request.options)}")
    return "\n".join(said) + "\n"


@pytest.mark.parametrize("name", CATALOGUE)
def test_repairs_and_their_words(both: Both, name: str) -> None:
    script, options, kinds, wanted = CATALOGUE[name]
    model = ScriptedModel(script)
    schema = Drink if name == "small" else Order
    result = both.run(model, "Take the order.", schema, **options)
    assert [attempt.kind for attempt in result.attempts] == kinds, result.error
    if wanted is not None:
        assert result.value == schema.model_validate(wanted)
    compare(f"repair {name}", conversation(model))


def compare(name: str, said: str) -> None:
    """Hold what the model reads against the stored text; `UPDATE_SNAPSHOTS=1` stores it anew."""
    path = SNAPSHOTS / f"{name.replace(' ', '_').replace(',', '')}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(said, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == said


def test_every_prompt_stays_the_same_up_to_the_repair() -> None:
    """The stable part comes first, byte for byte, so that prompt caches hold."""
    model = ScriptedModel(CATALOGUE["one field"][0])
    Client(model).run("Take the order.", Order)
    first, second = (request.messages for request in model.requests)
    assert second[:-1] == first[:-1]
    assert second[-1].text.startswith(first[-1].text)


# Issues as lines.

ISSUES = st.lists(
    st.builds(
        Issue,
        st.lists(st.sampled_from(["lines", "0", "1", "7", "12", "a/b", "x\ny", "k" * 300]), max_size=4).map(
            lambda steps: "".join(f"/{step}" for step in steps)
        ),
        st.sampled_from(["missing", "type", "value", "truncated"]),
        st.sampled_from(["", "string", "integer"]),
        st.text(max_size=100),
        st.text(max_size=2000),
    ),
    max_size=60,
)


@given(ISSUES)
def test_what_is_told_is_bounded_and_one_line_each(issues: list[Issue]) -> None:
    said = lines(issues)
    assert len(said) <= MAX_LINES + 1
    assert sum(len(line.encode("utf-8", "replace")) for line in said) <= 4 * MAX_TOKENS + 40
    assert not any("\n" in line for line in said)
    assert bool(said) == bool(issues)


def test_like_issues_are_told_together() -> None:
    issues = [Issue(f"/lines/{n}/sku", "type", "string", str(n)) for n in (*range(3, 26), 30)]
    assert lines(issues) == ["/lines/3/sku: expected string, got 3", "/lines/4..25,30/sku (23 more): the same"]


def test_what_was_expected_is_not_said_twice() -> None:
    issues = [Issue("/size", "enum", '"short" | "tall"', '"huge"'), Issue("/name", "missing", "string")]
    assert lines(issues, ["/size", "/name"]) == ['/size: got "huge"', "/name: missing"]
    assert lines(issues, ["/name"]) == ['/size: expected "short" | "tall", got "huge"', "/name: missing"]


class Booking(Part):
    lines: list[Annotated[Drink | Cake, Field(discriminator="kind")]]
    first_day: int
    last_day: Annotated[int, Field(alias="lastDay")]
    deposit: Annotated[int, Field(alias="paidAhead")] = 0
    customer: str = ""


NAMED = {
    "the first day is after the last day": ["/first_day", "/lastDay"],
    "first_day > lastDay": ["/first_day", "/lastDay"],
    "the deposit is too small": ["/paidAhead"],
    "paidAhead: too small": ["/paidAhead"],
    "these dates do not go together": ["/lines", "/first_day", "/lastDay", "/paidAhead", "/customer"],
    "depositors only": ["/lines", "/first_day", "/lastDay", "/paidAhead", "/customer"],
}


@pytest.mark.parametrize("said", NAMED)
def test_a_rule_in_code_offers_the_fields_that_it_names(said: str) -> None:
    data = {"lines": order()["lines"], "first_day": 3, "lastDay": 1}
    patch = plan(Schema(Booking).document, data, [Issue("", "value", message=said)])
    assert patch is not None
    assert [slot.pointer for slot in patch.slots] == NAMED[said]
    assert not any(slot.required for slot in patch.slots)


def test_a_limit_that_the_reply_itself_disproves_is_not_told() -> None:
    counts = {5: False, len(CUT) // 4: True}
    for count, told in counts.items():
        cut = Reply(CUT, "length", usage=Usage(output_tokens=count))
        model = ScriptedModel([cut, text(order())])
        Client(model).run("Take the order.", Order)
        assert (f"At most {count} tokens" in model.requests[1].messages[-1].text) == told


BARE: dict[str, tuple[str, Any, str, list[tuple[str, str]] | None]] = {
    "enum": ("/lines/1/size", "huge", '"tall"', [("/lines/1/size", "bare_part")]),
    "fenced": (
        "/lines/1/size",
        "huge",
        '```json\n"tall"\n```',
        [("/lines/1/size", "fence"), ("/lines/1/size", "bare_part")],
    ),
    "missing text": ("/customer", MISSING, '"Ada"', [("/customer", "bare_part")]),
    "number": ("/paid", "no", "20", [("/paid", "bare_part")]),
    "number in quotes": ("/paid", "no", '"20"', [("/paid", "string_to_number"), ("/paid", "bare_part")]),
    "object": ("/lines/3/kind", "tea", text(DRINK), [("/lines/3", "bare_part")]),
    "the same again": ("/lines/1/size", "huge", '"huge"', None),
    "prose": ("/customer", MISSING, "I cannot say.", None),
    "prose about it": ("/lines/1/size", "huge", "Make it tall.", None),
    "no such type": ("/paid", "no", "null", None),
    "the whole, still wrong": ("/labels", "none", text(order(labels="none")), None),
    "another pointer": ("/labels", "none", '{"/labels/a": 1}', None),
}


@pytest.mark.parametrize("name", BARE)
def test_a_bare_value_is_the_only_part_that_was_asked_for(name: str) -> None:
    place, wrong, reply, fixes = BARE[name]
    result = Client(ScriptedModel([text(put(order(), place, wrong)), reply])).run("x", Order, max_repairs=1)
    assert result.ok == (fixes is not None)
    if fixes is not None:
        assert result.value == Order.model_validate(order())
        assert [(fix.path, fix.kind) for fix in result.fixes] == fixes
        assert fixes[-1][0] in result.spans


def test_of_several_parts_a_bare_value_is_none() -> None:
    wrong = put(put(order(), "/lines/1/size", "huge"), "/lines/3/size", "huge")
    assert not Client(ScriptedModel([text(wrong), '"tall"'])).run("x", Order, max_repairs=1).ok


# Laws.

PLACES = ["/customer", "/lines/0/slices", "/lines/1/size", "/lines/3/kind", "/lines/4", "/paid", "/labels", "/total"]
SPOILT = st.sampled_from([MISSING, None, "huge", -1, 7, [], {}, {"kind": "cake"}, "tall", 2, "drink"])


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    document: Any = order(draw(st.integers(5, 8)))
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4, unique=True)):
        value = draw(SPOILT)
        if not (place == "/lines/4" and value is MISSING):
            document = put(document, place, value)
    return document


SCHEMA = Schema(Order)


def outside(document: Any, pointers: Sequence[str]) -> Any:
    """The document without what stands at the pointers; of a list that takes further items, the first ones."""

    def strip(value: Any, place: str) -> Any:
        if place in pointers:
            return "..."
        if isinstance(value, dict):
            inner = {key: strip(each, f"{place}/{key}") for key, each in value.items()}
            return {key: each for key, each in inner.items() if each != "..."}
        if isinstance(value, list):
            return [strip(each, f"{place}/{index}") for index, each in enumerate(value)]
        return value

    return strip(document, "")


@examples(60)
@given(spoilt(), st.data())
def test_a_patch_changes_nothing_outside_its_pointers(document: Any, data: st.DataObject) -> None:
    patch = plan(SCHEMA.document, document, SCHEMA.validate(document).issues)
    if patch is None:
        return
    before = text(document)
    pointers = [slot.pointer for slot in patch.slots]
    parts = {place: data.draw(SPOILT.filter(lambda value: value is not MISSING)) for place in pointers}
    spliced = patch.splice(patch.written(parts))
    assert outside(spliced, pointers) == outside(document, pointers)
    assert text(document) == before
    assert not any(one != other and one.startswith(f"{other}/") for one in pointers for other in pointers)


@pytest.mark.slow
@examples(60)
@given(spoilt(), st.data())
def test_a_value_after_a_patch_is_what_validation_of_the_spliced_document_gives(
    document: Any, data: st.DataObject
) -> None:
    reading = SCHEMA.examine(text(document), "stop", Policy.of("safe"), None)
    patch = plan(SCHEMA.document, reading.data, reading.issues)
    if patch is None:
        return
    parts = {slot.pointer: data.draw(SPOILT.filter(lambda value: value is not MISSING)) for slot in patch.slots}
    result = Client(ScriptedModel([text(document), text(parts)])).run("x", Order, strategy="patch", max_repairs=1)
    expected = SCHEMA.read(text(patch.splice(patch.written(parts))))
    assert result.ok == expected.ok
    if expected.ok:
        assert result.value == expected.value


REPLIES = st.one_of(
    spoilt().map(text),
    st.just(text(order())),
    st.sampled_from(["", "prose", "{", '{"/paid": 3}', '{"/lines/1/size": "tall"}', '{"customer": "A"}', "[1, 2"]),
    st.builds(Reply, spoilt().map(lambda document: text(document)[:150]), st.just("length")),
    st.just(Reply("", "refusal", refusal="no")),
    st.builds(
        lambda code: ModelError("failed", code=code),
        st.sampled_from(["server", "schema_rejected", "auth", "timeout", "bad_request"]),
    ),
)
PROFILES = st.builds(
    Profile,
    st.just("test"),
    st.just("2026-11-24"),
    st.permutations(["schema", "tool", "json"]).flatmap(
        lambda modes: st.integers(0, 3).map(lambda n: tuple(modes[:n]))
    ),
    st.booleans(),
    example=st.booleans(),
)


@pytest.mark.slow
@examples(80)
@given(
    st.lists(REPLIES, max_size=12),
    st.integers(0, 4),
    st.lists(PROFILES, min_size=1, max_size=3),
    st.sampled_from(["auto", "full", "patch", "constrain"]),
    st.sampled_from(["auto", "require", "repair", "prompt"]),
    st.sampled_from(["user", "assistant"]),
    st.none() | st.integers(1, 3),
    st.none() | st.integers(10, 100),
)
def test_the_loop_ends_within_its_bounds_on_every_sequence_of_replies(
    script: list[Any],
    repairs: int,
    profiles: list[Profile],
    strategy: Any,
    native: Any,
    layout: Any,
    escalate_at: int | None,
    limit: int | None,
) -> None:
    script = [*script, *[ModelError("the end", code="auth")] * 40]
    replies = iter(script)
    models = [
        ScriptedModel((lambda _: next(replies) for _ in range(99)), name=f"m{n}", profile=profile)
        for n, profile in enumerate(profiles)
    ]
    options: dict[str, Any] = {} if limit is None else {"max_tokens": limit}
    result: Result[Order] = Client(models).run(
        "Take the order.",
        Order,
        max_repairs=repairs,
        strategy=strategy,
        native=native,
        layout=layout,
        escalate_at=escalate_at,
        **options,
    )
    for model in models:
        answered = [each for each in result.attempts if each.model == model.name and each.reply is not None]
        assert len(answered) <= 1 + repairs
        asked = [(request.messages, request.native, dict(request.options)) for request in model.requests]
        assert all(one != other for index, one in enumerate(asked) for other in asked[:index])
        for request in model.requests:
            roles = [message.role for message in request.messages]
            assert roles[-1] == "user"
            assert all(one != other for one, other in pairwise(roles))
    if result.ok:
        assert result.value == SCHEMA.validate(json.loads(SCHEMA.dump(result.value))).value
        assert result.attempts[-1].issues == ()
    else:
        assert result.error is not None
        assert result.error.attempts == result.attempts


# Ladder, steps down, truncation.


def ladder(*scripts: list[Any]) -> list[ScriptedModel]:
    return [ScriptedModel(script, name=f"m{index}") for index, script in enumerate(scripts)]


WRONG = text(put(order(), "/lines/1/size", "huge"))
FIXED = '{"/lines/1/size": "tall"}'
REFUSAL = Reply("", "refusal", refusal="no")
LADDERS: dict[str, tuple[list[list[Any]], dict[str, Any], list[tuple[str, str]]]] = {
    "refusal": ([[REFUSAL], [text(order())]], {}, [("m0", "first"), ("m1", "first")]),
    "down": ([[ModelError("down", code="server")], [text(order())]], {}, [("m0", "first"), ("m1", "first")]),
    "down while repairing": (
        [[WRONG, ModelError("down", code="server")], [FIXED]],
        {},
        [("m0", "first"), ("m0", "patch"), ("m1", "patch")],
    ),
    "first repair": ([[WRONG], [FIXED]], {"escalate_at": 1}, [("m0", "first"), ("m1", "patch")]),
    "second repair": (
        [[WRONG, '{"/lines/1/size": "big"}'], [FIXED]],
        {"escalate_at": 2},
        [("m0", "first"), ("m0", "patch"), ("m1", "patch")],
    ),
    "spent": ([[WRONG], [FIXED]], {"max_repairs": 0}, [("m0", "first"), ("m1", "patch")]),
}


@pytest.mark.parametrize("name", LADDERS)
def test_a_ladder_is_climbed(both: Both, name: str) -> None:
    scripts, options, told = LADDERS[name]
    models = ladder(*scripts)
    result = both.call(both.client(models, **options).run, "Take the order.", Order)
    assert result.value == Order.model_validate(order())
    assert [(attempt.model, attempt.kind) for attempt in result.attempts] == told
    assert result.model == "m1"


def test_a_wrong_key_does_not_climb(both: Both) -> None:
    models = ladder([ModelError("no key", code="auth")], [text(order())])
    error = both.call(both.client(models).run, "x", Order).error
    assert isinstance(error, ModelError)
    assert models[1].requests == []


def test_the_top_of_the_ladder_says_why(both: Both) -> None:
    error = both.call(both.client(ladder([REFUSAL], [REFUSAL])).run, "x", Order).error
    assert isinstance(error, RefusalError)
    assert len(error.attempts) == 2


NATIVE = Profile("test", "2026-11-24", ("schema", "json"))


def test_a_refused_schema_steps_down_and_stays_down(both: Both) -> None:
    model = ScriptedModel([ModelError("400", code="schema_rejected"), text(order()), text(order())], profile=NATIVE)
    client = both.client(model)
    result = both.call(client.run, "x", Order)
    assert [attempt.kind for attempt in result.attempts] == ["first", "step-down"]
    assert both.call(client.run, "x", Order).ok
    assert [request.native.mode if request.native else None for request in model.requests] == ["schema", "json", "json"]


def test_an_ignored_schema_steps_down(both: Both) -> None:
    model = ScriptedModel(["Happy to help!", text(order())], profile=NATIVE)
    result = both.run(model, "x", Order)
    assert result.ok
    assert [attempt.kind for attempt in result.attempts] == ["first", "step-down"]
    assert [request.native.mode if request.native else None for request in model.requests] == ["schema", "json"]
    error = both.run(ScriptedModel(["Happy to help!"], profile=NATIVE), "x", Order, native="require").error
    assert isinstance(error, ModelError)
    assert error.code == "schema_ignored"


FREE = {
    "another kind": (put(order(), "/lines/1/size", "huge"), True),
    "a missing key": (put(order(), "/customer", MISSING), True),
    "an unknown key": (put(order(), "/lines/2/note", "warm"), True),
    "a bound": (put(order(), "/lines/1/shots", 9), False),
    "a rule in code": (order(paid=60), False),
}


@pytest.mark.parametrize("name", FREE)
def test_a_schema_that_was_plainly_not_enforced_is_not_sent_with_the_repair(both: Both, name: str) -> None:
    wrong, free = FREE[name]
    model = ScriptedModel([text(wrong), text(order()), text(order())], profile=NATIVE)
    client = both.client(model)
    assert both.call(client.run, "x", Order, strategy="full").ok
    assert both.call(client.run, "x", Order).ok
    assert [request.native is None for request in model.requests] == [False, free, False]


@pytest.mark.parametrize(
    ("options", "profile"),
    [
        ({"native": "schema"}, NATIVE),
        ({"strategy": "constrain"}, NATIVE),
        ({}, Profile("shows", "2026-11-24", ("schema",), shows_schema=True)),
    ],
)
def test_it_is_sent_all_the_same_where_it_is_asked_for_or_shown(options: dict[str, Any], profile: Profile) -> None:
    model = ScriptedModel([WRONG, text(order())], profile=profile)
    assert Client(model).run("x", Order, **options).ok
    assert all(request.native is not None for request in model.requests)


def test_parts_that_the_service_shows_are_not_shown_in_the_prompt() -> None:
    model = ScriptedModel([WRONG, FIXED], profile=OPENAI)
    assert Client(model).run("Take the order.", Order).ok
    said, native = model.requests[1].messages[-1].text, model.requests[1].native
    assert native is not None
    assert list(native.document["properties"]) == ["/lines/1/size"]
    assert 'expected "short" | "tall" | "grande", got "huge"' in said
    assert "```typescript" not in said
    assert "the parts that the schema names" in said


def test_refused_parts_are_asked_for_without_a_native_schema(both: Both) -> None:
    wrong = text(put(order(), "/lines/1/shots", 9))
    model = ScriptedModel([wrong, ModelError("400", code="schema_rejected"), '{"/lines/1/shots": 2}'], profile=NATIVE)
    result = both.run(model, "x", Order)
    assert result.ok
    assert [attempt.kind for attempt in result.attempts] == ["first", "patch", "step-down"]
    parts = model.requests[1].native
    assert parts is not None
    assert list(parts.document["properties"]) == ["/lines/1/shots"]
    assert model.requests[2].native is None


@pytest.mark.parametrize("options", [{"native": "repair"}, {"native": "prompt", "strategy": "constrain"}])
def test_a_repair_is_constrained_where_the_first_request_was_not(both: Both, options: dict[str, Any]) -> None:
    model = ScriptedModel(["prose", text(order())], profile=NATIVE)
    result = both.run(model, "x", Order, **options)
    assert [attempt.kind for attempt in result.attempts] == ["first", "constrain"]
    assert [request.native.mode if request.native else None for request in model.requests] == [None, "schema"]


def test_no_progress_ends_the_call_early(both: Both) -> None:
    model = ScriptedModel([WRONG] * 9)
    error = both.run(model, "x", Order, max_repairs=8).error
    assert isinstance(error, RepairError)
    assert "no progress" in str(error)
    assert len(model.requests) <= 4


def test_nothing_is_asked_twice_with_the_same_limit(both: Both) -> None:
    model = ScriptedModel([Reply("Well, let me", "length")] * 9)
    error = both.run(model, "x", Order, max_repairs=8, max_tokens=50).error
    assert isinstance(error, TruncatedError)
    assert [request.options["max_tokens"] for request in model.requests][:2] == [50, 100]
    assert len(model.requests) <= 4


def test_a_plain_text_is_asked_for_as_plain_text(both: Both) -> None:
    model = ScriptedModel([Reply("Once upon a", "length"), Reply("The end of a much longer", "length"), "The end."])
    assert both.run(model, "A story.", str, max_tokens=10).value == "The end."
    said = [request.messages[-1].text for request in model.requests[1:]]
    assert all("JSON" not in words and "of the form" not in words for words in said)
    assert "At most 20 tokens" in said[0]


class Guest(Part):
    name: str
    city: str = ""
    tags: list[str] = []


SMALL = Profile("small", "2026-11-24", example=True)
COPY = '{"name": "...", "tags": ["new", "..."]}'


def test_the_content_of_a_made_up_example_is_no_answer(both: Both) -> None:
    model = ScriptedModel([COPY, '{"/name": "Ann", "/tags/1": "tall"}'], profile=SMALL)
    result = both.run(model, "Ann is here.", Guest, strategy="patch")
    assert result.value == Guest(name="Ann", tags=["new", "tall"])
    assert [(issue.path, issue.code) for issue in result.attempts[0].issues] == [("/name", "echo"), ("/tags/1", "echo")]


def test_what_may_come_from_the_caller_is_no_copy(both: Both) -> None:
    for options in ({}, {"system": "Say ... for nothing."}, {"examples": [("x", Guest(name="..."))]}):
        asked = "Note '...'." if not options else "Ann."
        model = ScriptedModel([COPY], profile=SMALL)
        assert both.run(model, asked, Guest, **options).ok
    assert both.run(ScriptedModel([COPY]), "Ann.", Guest).ok  # no example was shown
    assert both.run(ScriptedModel(['"..."'], profile=SMALL), "x", Literal["...", "no"]).value == "..."


def test_continuing_can_be_off(both: Both) -> None:
    error = both.run(ScriptedModel([Reply(CUT, "length")]), "x", Order, max_repairs=0).error
    assert isinstance(error, TruncatedError)
    assert error.partial == CUT


def test_fixes_of_kept_parts_stay_in_the_result(both: Both) -> None:
    document = put(put(order(), "/lines/1/size", "huge"), "/lines/0/slices", "2")
    result = both.run(ScriptedModel([text(document), FIXED]), "x", Order)
    assert result.value == Order.model_validate(order())
    assert [(fix.path, fix.kind) for fix in result.fixes] == [("/lines/0/slices", "string_to_number")]
    assert dict(result.spans) == {"/lines/1/size": (18, 24)}


def test_fixes_of_parts_stand_at_their_places_in_the_document(both: Both) -> None:
    script = [text(put(order(), "/lines/2/slices", "two")), '{"/lines/2/slices": "2", "/total": 1}']
    result = both.run(ScriptedModel(script), "x", Order)
    assert result.value == Order.model_validate(order())
    assert [(fix.path, fix.kind) for fix in result.fixes] == [
        ("/lines/2/slices", "string_to_number"),
        ("/total", "unasked_part"),
    ]


# Parts of a schema.

PARTS = {
    "/customer": "string",
    "/lines": "array",
    "/lines/1/size": "enum",
    "/lines/-/slices": "integer",
    "/labels/anything": "integer",
    "/lines/0/size": None,
    "/lines/1/slices": None,
    "/nothing": None,
}


@pytest.mark.parametrize("place", PARTS)
def test_the_part_of_a_schema_for_a_part_of_a_value(place: str) -> None:
    node = part(SCHEMA.document, place, order(3))
    said = None if node is None else "enum" if "enum" in node else node["type"]  # type: ignore[operator, index]
    assert said == PARTS[place]


def test_parts_through_tuples_recursion_and_untagged_unions() -> None:
    class Tree(BaseModel):
        children: list[Tree] = []
        pair: tuple[int, str] | None = None
        either: dict[str, int] | dict[str, str] | str = ""

    document = Schema(Tree).document
    value = {"children": [{"children": [{}], "pair": [1, 2]}], "either": {}}
    assert part(document, "/children/0/children/0/pair/1", {}) == {"type": "string"}
    assert part(document, "/children/0/pair/1", value) == {"type": "string"}
    assert part(document, "/either/x", value) == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert at(value, "/children/0/pair/0") == 1


def test_of_a_whole_that_is_written_in_place_of_the_parts_only_the_parts_are_taken() -> None:
    class Event(BaseModel):
        action: Literal["add", "remove"]
        title: str
        day: str

    wrong = '{"action":"cancel","title":"Cancel my appointment with the dentist","day":"Tuesday"}'
    other = '{"action":"remove","title":"lunch with Ana","day":"Friday"}'
    result = Client(ScriptedModel([wrong, other])).run("x", Event, strategy="patch")
    assert result.value == Event(action="remove", title="Cancel my appointment with the dentist", day="Tuesday")
    assert [fix.kind for fix in result.fixes] == ["unasked_part"]
    assert result.attempts[1].kind == "patch"
