"""The whole path with a scripted model: both clients, through the public surface."""

from __future__ import annotations

import pickle
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationInfo, field_validator

import typedllm
from tests.both import Both
from typedllm import (
    BudgetError,
    Client,
    Message,
    ModelError,
    RefusalError,
    RepairError,
    Reply,
    Request,
    TruncatedError,
    TypedLLMError,
    Usage,
)
from typedllm.models.scripted import ScriptedModel


class Drink(BaseModel):
    name: str
    size: Literal["short", "tall", "grande"]
    shots: int = Field(default=1, ge=1, le=4)


GOOD = '{"name":"latte","size":"tall"}'
BAD = '{"name":"latte","size":"huge"}'
TALL = Drink(name="latte", size="tall")


def test_value_at_once(both: Both) -> None:
    model = ScriptedModel([GOOD])
    result = both.run(model, "a tall latte", Drink)
    assert result.ok
    assert result.value == TALL
    assert type(result.value) is Drink
    assert result.fixes == ()
    assert result.issues == ()
    assert [attempt.kind for attempt in result.attempts] == ["first"]
    assert result.model == "scripted"
    (request,) = model.requests
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.messages[-1].text == "a tall latte"
    assert '"short" | "tall" | "grande"' in request.messages[0].text


def test_a_bad_reply_is_repaired_and_told_what_was_wrong(both: Both) -> None:
    model = ScriptedModel([BAD, GOOD])
    result = both.run(model, "a tall latte", Drink)
    assert result.value == TALL
    first, second = result.attempts
    assert first.kind == "first"
    assert first.issues[0].path == "/size"
    assert second.issues == ()
    asked = model.requests[1].messages[-1].text
    assert asked.startswith("a tall latte\n")
    assert "/size" in asked
    assert '"huge"' in asked
    assert model.requests[1].messages[:-1] == model.requests[0].messages[:-1]


def test_only_the_latest_reply_stays_in_the_conversation(both: Both) -> None:
    model = ScriptedModel(['{"name":"one"}', '{"name":"two"}', GOOD])
    assert both.run(model, "a latte", Drink, max_repairs=3).ok
    last = model.requests[2].messages[-1].text
    assert "two" in last
    assert "one" not in last
    assert [len(request.messages) for request in model.requests] == [2, 2, 2]


@pytest.mark.parametrize("repairs", [0, 1, 2])
def test_never_more_replies_than_the_bound(both: Both, repairs: int) -> None:
    model = ScriptedModel([f'{{"name": "n{i}", "size": {i}}}' for i in range(9)])
    result = both.run(model, "a latte", Drink, max_repairs=repairs)
    assert not result.ok
    assert len(model.requests) == len(result.attempts) <= 1 + repairs
    error = result.error
    assert isinstance(error, RepairError)
    assert error.attempts == result.attempts
    assert error.issues == result.issues
    assert "/size" in str(error)
    assert "max_repairs=" in str(error)
    with pytest.raises(RepairError):
        _ = result.value


REFUSED = Reply("", "refusal", refusal="I cannot help with that.", usage=Usage(10, output_tokens=5, requests=1))


@pytest.mark.parametrize(
    ("reply", "kind", "replies"),
    [
        (REFUSED, RefusalError, 1),
        (Reply("", "content_filter"), RefusalError, 1),
        (ModelError("down", code="server", status=500), ModelError, 1),
    ],
    ids=["refusal", "filter", "server"],
)
def test_what_is_never_repaired(both: Both, reply: Any, kind: type[TypedLLMError], replies: int) -> None:
    model = ScriptedModel([reply, GOOD])
    result = both.run(model, "a latte", Drink)
    assert type(result.error) is kind
    assert len(model.requests) == replies
    assert len(result.error.attempts) == replies


def test_a_truncated_reply_is_its_own_failure(both: Both) -> None:
    model = ScriptedModel([Reply('{"name":"lat', "length")] * 9)
    error = both.run(model, "a latte", Drink).error
    assert isinstance(error, TruncatedError)
    assert error.partial == '{"name":"lat'
    assert "max_tokens" in str(error)


@pytest.mark.parametrize(
    ("declared", "said"), [(str, "Once upon a ti"), (int, "12"), (int | str, "12"), (float, "0.5")]
)
def test_what_shows_no_end_of_its_own_is_cut_at_the_token_limit(both: Both, declared: Any, said: str) -> None:
    error = both.run(ScriptedModel([Reply(said, "length")]), "x", declared, max_repairs=0).error
    assert isinstance(error, TruncatedError)
    assert error.partial == said


@pytest.mark.parametrize(
    ("declared", "said", "value"),
    [(Literal["yes", "no"], "yes", "yes"), (str, '"So."', "So."), (bool, "true", True), (list[int], "[12]", [12])],
)
def test_what_shows_its_end_is_whole_at_the_token_limit(both: Both, declared: Any, said: str, value: object) -> None:
    assert both.run(ScriptedModel([Reply(said, "length")]), "x", declared, max_repairs=0).value == value


@pytest.mark.parametrize("text", ["", "   \n", "I am not sure.", '{"name": "latte", "size": "tall" "x"; }'])
def test_blank_prose_and_broken_replies_are_asked_again(both: Both, text: str) -> None:
    model = ScriptedModel([text, GOOD])
    assert both.run(model, "a latte", Drink).value == TALL


def test_usage_is_summed_and_what_is_unknown_is_said(both: Both) -> None:
    told = Usage(100, 40, 20, 5, requests=1)
    result = both.run(ScriptedModel([Reply(BAD, usage=told), Reply(GOOD, usage=told)]), "x", Drink)
    assert result.usage == Usage(200, 80, 40, 10, requests=2)
    result = both.run(ScriptedModel([Reply(BAD, usage=told), GOOD]), "x", Drink)
    assert result.usage == Usage(100, 40, 20, 5, requests=2, unreported=1)


def test_the_deadline_is_one_for_the_whole_call(both: Both) -> None:
    def slow(request: Request) -> str:
        import time

        time.sleep(0.05)
        return BAD

    model = ScriptedModel([slow] * 50)
    result = both.run(model, "x", Drink, max_repairs=50, timeout=0.12)
    assert isinstance(result.error, BudgetError | RepairError)
    assert 1 <= len(model.requests) < 50
    first = model.requests[0].timeout
    assert first is not None
    assert first <= 0.12


def test_checks_go_back_to_the_model_in_their_own_words(both: Both) -> None:
    def no_tall(drink: Drink) -> None:
        if drink.size == "tall":
            raise ValueError("we are out of tall cups")

    model = ScriptedModel([GOOD, '{"name":"latte","size":"short"}'])
    result = both.run(model, "a latte", Drink, checks=[no_tall])
    assert result.value.size == "short"
    assert "we are out of tall cups" in model.requests[1].messages[-1].text


def test_coroutine_checks_run_in_both_worlds(both: Both) -> None:
    async def no_tall(drink: Drink) -> None:
        assert drink.size != "tall", "no tall cups"

    model = ScriptedModel([GOOD, '{"name":"latte","size":"short"}'])
    assert both.run(model, "a latte", Drink, checks=[no_tall]).value.size == "short"


def test_another_exception_in_a_check_is_an_error_of_the_program(both: Both) -> None:
    def broken(drink: Drink) -> None:
        raise KeyError("stock")

    with pytest.raises(KeyError):
        both.run(ScriptedModel([GOOD]), "a latte", Drink, checks=[broken])


class Stocked(BaseModel):
    size: str

    @field_validator("size")
    @classmethod
    def in_stock(cls, value: str, info: ValidationInfo) -> str:
        if value not in (info.context or {}).get("stock", ()):
            raise ValueError("not in stock")
        return value


def test_validation_context(both: Both) -> None:
    model = ScriptedModel(['{"size":"xl"}', '{"size":"m"}'])
    result = both.run(model, "x", Stocked, context={"stock": ["m"]})
    assert result.value.size == "m"
    assert "not in stock" in model.requests[1].messages[-1].text


def test_examples_history_and_system_stand_in_front(both: Both) -> None:
    model = ScriptedModel([GOOD])
    both.run(
        model,
        [Message("user", "hello"), Message("assistant", "hi"), Message("user", "a tall latte")],
        Drink,
        system="You work in a coffee shop.",
        history=[Message("user", "before"), Message("assistant", "yes")],
        examples=[("a short mocha", Drink(name="mocha", size="short"))],
    )
    messages = model.requests[0].messages
    assert [message.text for message in messages[1:]] == [
        "a short mocha",
        '{"name":"mocha","size":"short"}',
        "before",
        "yes",
        "hello",
        "hi",
        "a tall latte",
    ]
    assert messages[0].text.startswith("You work in a coffee shop.")


def test_sampling_options_are_sent_only_when_given(both: Both) -> None:
    model = ScriptedModel([GOOD, GOOD])
    both.run(model, "x", Drink)
    both.run(model, "x", Drink, temperature=0.2, seed=7, extra={"top_k": 3})
    assert dict(model.requests[0].options) == {}
    assert dict(model.requests[1].options) == {"temperature": 0.2, "seed": 7, "top_k": 3}


def test_nearer_options_win() -> None:
    model = ScriptedModel([BAD] * 9)
    client = Client(model, max_repairs=5, temperature=1.0)
    assert len(client.run("x", Drink, max_repairs=0, temperature=0.0).attempts) == 1
    assert model.requests[0].options["temperature"] == 0.0


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"max_repair": 1}, TypeError, "max_repairs"),
        ({"max_repairs": -1}, ValueError, "max_repairs"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"native": "xml"}, ValueError, "native|carry"),
        ({"policy": "loose"}, ValueError, "policy"),
        ({"allow": ["near_enums"]}, ValueError, "near_enum"),
    ],
)
def test_options_held_wrong(options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        Client(ScriptedModel([]), **options)


def test_override_holds_inside_the_block_and_nests() -> None:
    client = Client(ScriptedModel([GOOD], name="outer"))
    with client.override(ScriptedModel([GOOD], name="one")), client.override(ScriptedModel([GOOD], name="two")):
        assert client.run("x", Drink).model == "two"
    assert client.run("x", Drink).model == "outer"


def test_render_sends_nothing() -> None:
    model = ScriptedModel([GOOD])
    client = Client(model)
    request = client.render("a tall latte", Drink, temperature=0.5)
    assert model.requests == []
    client.run("a tall latte", Drink, temperature=0.5)
    assert model.requests[0].messages == request.messages
    assert model.requests[0].options == request.options


def test_the_stable_part_is_the_same_bytes_for_every_call_and_repair() -> None:
    model = ScriptedModel([BAD, GOOD, GOOD])
    client = Client(model)
    client.run("one", Drink)
    client.run("two", Drink)
    assert len({request.messages[0].text for request in model.requests}) == 1


@pytest.mark.parametrize(
    "error",
    [
        typedllm.TypedLLMError("a"),
        typedllm.SchemaError("a", problems=["b"]),
        ModelError("a", code="server", status=500, retryable=True, provider="x"),
        RefusalError("a", text="no"),
        TruncatedError("a", partial="{"),
        RepairError("a", issues=[typedllm.Issue("/a", "b")]),
        BudgetError("a", bound="timeout"),
        typedllm.ProgramError("a", step=3),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_pickling(error: TypedLLMError) -> None:
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is type(error)
    assert twin.__dict__ == error.__dict__
    assert str(twin) == str(error)


def test_results_are_instances_of_the_users_own_class() -> None:
    value = Client(ScriptedModel([GOOD])).generate("x", Drink)
    assert type(value) is Drink
    assert value == TALL
    assert pickle.loads(pickle.dumps(value)) == TALL
