"""Bounds and accounts: budgets are kept, sums are exact, nothing is dropped."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from decimal import Decimal
from itertools import repeat
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.both import Both
from typedllm import (
    AsyncClient,
    Attempt,
    Budget,
    BudgetError,
    Client,
    Message,
    ModelError,
    Price,
    Reply,
    Request,
    TypedLLMError,
    Usage,
)
from typedllm.budget import BYTES_PER_TOKEN, Spending, estimate_tokens
from typedllm.models.local import LocalModel
from typedllm.models.scripted import ScriptedModel
from typedllm.watch import Watch

BAD, GOOD = '"x"', "1"
WRONG = tuple(f'"x{n}"' for n in range(20))
PRICE = Price(input=1, output=10, cached="0.5")


def said(text: str = GOOD, tokens: int | None = 100, output: int | None = 10, **rest: Any) -> Reply:
    return Reply(text, usage=Usage(tokens, output_tokens=output, requests=1, unreported=tokens is None), **rest)


BOUNDS: dict[str, tuple[dict[str, Any], int]] = {
    "max_requests": ({"max_requests": 2}, 2),
    "none at all": ({"max_requests": 0}, 0),
    "max_input_tokens": ({"max_input_tokens": 2500}, 3),
    "less than one prompt": ({"max_input_tokens": 5}, 0),
    "max_output_tokens": ({"max_output_tokens": 25}, 3),
    "max_cost": ({"max_cost": "0.0021"}, 2),
    "the tightest holds": ({"max_output_tokens": 1000, "max_requests": 1}, 1),
}


@pytest.mark.parametrize(("bounds", "allowed"), BOUNDS.values(), ids=BOUNDS)
def test_a_bound_ends_the_call_before_the_next_request(both: Both, bounds: dict[str, Any], allowed: int) -> None:
    model = ScriptedModel([said(text, 1000) for text in WRONG])
    budget = Budget(**bounds)
    client = both.client(model, max_repairs=9, price=PRICE)
    result = both.call(client.run, "how many?", int, budget=budget)
    assert len(model.requests) == allowed
    error = result.error
    assert isinstance(error, BudgetError)
    assert error.bound in bounds
    assert f"{error.bound}=" in str(error)
    assert len(error.attempts) == allowed
    assert error.usage == result.usage == client.meter.totals.usage
    assert budget.spent.requests == allowed


def test_a_budget_is_shared_between_calls_and_each_call_may_have_its_own(both: Both) -> None:
    client = both.client(ScriptedModel(repeat(GOOD)))
    job = Budget(max_requests=2)
    outcomes = [both.call(client.run, "x", int, budget=job).ok for _ in range(3)]
    assert outcomes == [True, True, False]
    own = Budget(max_requests=1, each_call=True)
    assert all(both.call(client.run, "x", int, budget=[own, Budget(max_requests=3)]).ok for _ in range(3))
    assert own.spent == Spending()


def test_a_refusal_of_one_budget_leaves_the_others_alone(both: Both) -> None:
    wide, narrow = Budget(max_requests=5), Budget(max_requests=0)
    result = both.call(both.client(ScriptedModel([])).run, "x", int, budget=[wide, narrow])
    assert isinstance(result.error, BudgetError)
    assert wide.spent == Spending()
    for _ in range(5):
        wide.reserve(Spending(requests=1))


def test_the_seconds_of_a_job_bound_its_requests(both: Both) -> None:
    now = [0.0]
    budget = Budget(max_seconds=10, clock=lambda: now[0])

    def slowly(_: Request) -> str:
        now[0] += 4
        return WRONG[int(now[0])]

    model = ScriptedModel(repeat(slowly))
    error = both.call(both.client(model, timeout=60, max_repairs=9).run, "x", int, budget=budget).error
    assert isinstance(error, BudgetError)
    assert error.bound == "max_seconds"
    assert [request.timeout for request in model.requests] == [10.0, 6.0, 2.0]


def test_money_needs_a_price(both: Both) -> None:
    model = ScriptedModel([GOOD])
    client = both.client(model, budget=Budget(max_cost=1))
    error = both.call(client.run, "x", int).error
    assert isinstance(error, BudgetError)
    assert error.bound == "max_cost"
    assert "scripted" in str(error)
    assert model.requests == []
    assert both.call(client.run, "x", int, price={"scripted": PRICE}).ok


def test_a_model_may_bring_its_price_and_its_counter(both: Both) -> None:
    class Counting(ScriptedModel):
        price = Price(0, 0)

        def count_tokens(self, request: Request) -> int:
            return 1000 * len(request.messages)

    client = both.client(Counting(repeat(GOOD)))
    result = both.call(client.run, "x", int, budget=Budget(max_cost=0, max_input_tokens=2000))
    assert result.ok
    error = both.call(client.run, "x", int, budget=Budget(max_input_tokens=1999)).error
    assert isinstance(error, BudgetError)
    assert "2000" in str(error)


def test_the_embedded_model_costs_nothing() -> None:
    assert LocalModel().price.cost(Usage(10, output_tokens=10)) == 0


PRICED: list[tuple[Usage, str | None]] = [
    (Usage(1_000_000, output_tokens=0), "1"),
    (Usage(1_000_000, 400_000, 100_000), "1.8"),
    (Usage(0, output_tokens=3), "0.00003"),
    (Usage(None, output_tokens=3), None),
    (Usage(3), None),
]


@pytest.mark.parametrize(("usage", "dollars"), PRICED)
def test_a_price_of_your_own(usage: Usage, dollars: str | None) -> None:
    assert PRICE.cost(usage) == (None if dollars is None else Decimal(dollars))


@pytest.mark.parametrize("wrong", [-1, "much", float("nan"), float("inf")])
def test_what_is_no_price_and_no_bound(wrong: Any) -> None:
    with pytest.raises(ValueError, match="input is not an amount"):
        Price(input=wrong, output=1)
    with pytest.raises(ValueError, match="max_cost"):
        Budget(max_cost=wrong)
    with pytest.raises(ValueError, match="max_requests"):
        Budget(max_requests=-1)


def test_an_unknown_price_is_said_never_zero(both: Both) -> None:
    client = both.client([ScriptedModel([said(BAD)], name="a"), ScriptedModel([])])
    result = both.call(client.run, "x", int, max_repairs=0)
    assert (result.usage.cost, result.usage.priced, result.usage.requests) == (None, 0, 1)
    priced = both.client(ScriptedModel([said(BAD), said(GOOD, None, None)]), price=PRICE)
    usage = both.call(priced.run, "x", int).usage
    assert (usage.cost, usage.priced, usage.requests) == (Decimal("0.0002"), 1, 2)


def test_what_a_service_says_it_costs_is_believed(both: Both) -> None:
    told = Reply(GOOD, usage=Usage(10, output_tokens=1, cost=Decimal("0.7"), requests=1))
    result = both.call(both.client(ScriptedModel([told]), price=PRICE).run, "x", int)
    assert result.usage.cost == Decimal("0.7")


def test_what_is_not_reported_counts_by_estimate(both: Both) -> None:
    budget = Budget(max_output_tokens=10_000)
    model = ScriptedModel(['"' + "x" * 400 + '"', GOOD])
    assert both.call(both.client(model).run, "x", int, budget=budget).ok
    expected = sum(estimate_tokens(request) for request in model.requests)
    assert budget.spent == Spending(2, expected, -(-402 // BYTES_PER_TOKEN) + 1)


def taken(both: Both, client: Any, pieces: int, **options: Any) -> Any:
    """Take so many pieces of a stream of numbers and leave it; its outcome, if it came to one."""
    if both.world == "sync":
        with client.stream("x", list[int], **options) as stream:
            for count, _ in enumerate(stream, 1):
                if count == pieces:
                    return None
            return stream.finish()

    async def take() -> Any:
        async with client.stream("x", list[int], **options) as stream:
            count = 0
            async with aclosing(aiter(stream)) as snapshots:
                async for _ in snapshots:
                    count += 1
                    if count == pieces:
                        return None
            return await stream.finish()

    return anyio.run(take, backend=both.world)


def test_a_stream_that_is_left_is_paid_for(both: Both) -> None:
    budget = Budget(max_requests=9)
    client = both.client(ScriptedModel([["[1", ",2", ",3", "]"]]), budget=budget)
    assert taken(both, client, 1) is None
    totals = client.meter.totals
    assert (totals.calls, totals.cancelled, totals.attempts, totals.unanswered) == (1, 1, 1, 0)
    assert totals.usage == Usage(requests=1, unreported=1)
    assert budget.spent.requests == 1
    assert budget.spent.input_tokens > 0


def test_a_stream_that_is_cut_is_paid_for(both: Both) -> None:
    client = both.client(ScriptedModel([["[1", ",2", ",3" * 99, "]"]]))
    result = taken(both, client, 99, max_chars=50)
    assert isinstance(result.error, BudgetError)
    assert result.error.bound == "max_chars"
    (attempt,) = result.attempts
    assert attempt.reply.text.startswith("[1,2,3")
    assert result.usage == client.meter.totals.usage == Usage(requests=1, unreported=1)


def test_a_stream_is_accounted_for_like_a_call(both: Both) -> None:
    client = both.client(ScriptedModel([said("[1, 2]")]), price=PRICE)
    result = taken(both, client, 99)
    assert result.value == [1, 2]
    assert result.usage == client.meter.totals.usage
    assert result.usage.cost == Decimal("0.0002")
    assert result.attempts[0].reply.first_token_seconds is not None


@pytest.mark.parametrize(("code", "charged"), [("timeout", True), ("connection", False)])
def test_a_request_that_failed_is_counted(both: Both, code: str, charged: bool) -> None:
    budget = Budget(max_requests=9)
    client = both.client(ScriptedModel([ModelError("gone", code=code, retries=2)]))
    assert not both.call(client.run, "x", int, budget=budget).ok
    assert budget.spent.requests == 1
    assert (budget.spent.input_tokens > 0) is charged
    totals = client.meter.totals
    assert (totals.calls, totals.failed, totals.attempts, totals.unanswered, totals.retries) == (1, 1, 1, 1, 2)


def test_the_part_of_a_reply_that_came_before_an_error_is_paid_for(both: Both) -> None:
    client = both.client(ScriptedModel([ModelError("cut", reply=said("1", 100, 1), retries=1)]), price=PRICE)
    result = both.call(client.run, "x", int)
    assert result.error is not None
    assert result.usage == result.error.usage == client.meter.totals.usage
    assert result.usage.cost == Decimal("0.00011")
    assert client.meter.totals.retries == 1


def test_a_cancelled_call_is_counted() -> None:
    async def hang(_: Request) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    client = AsyncClient(ScriptedModel([said(BAD), hang]))
    budget = Budget(max_requests=9)

    async def main() -> None:
        with anyio.move_on_after(0.05):
            await client.run("x", int, budget=budget)

    anyio.run(main)
    totals = client.meter.totals
    assert (totals.calls, totals.cancelled, totals.attempts, totals.unanswered) == (1, 1, 2, 1)
    assert totals.usage == said().usage
    assert budget.spent.requests == 2
    assert budget.spent.input_tokens > 100


def test_the_meter_sums_over_calls_and_threads() -> None:
    client = Client(ScriptedModel(repeat(said(retries=1))), price=PRICE)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: client.run("x", int), range(40)))
    totals = client.meter.reset()
    assert totals.usage == sum((result.usage for result in results), Usage())
    assert (totals.calls, totals.attempts, totals.retries, totals.failed) == (40, 40, 40, 0)
    assert totals.usage.cost == 40 * Decimal("0.0002")
    assert totals.seconds >= sum(result.attempts[0].reply.seconds for result in results if result.attempts[0].reply)
    assert client.meter.totals.calls == 0


usages = st.builds(
    Usage,
    input_tokens=st.none() | st.integers(0, 3000),
    cached_tokens=st.none() | st.just(0),
    output_tokens=st.none() | st.integers(0, 3000),
    requests=st.just(1),
)


@given(st.lists(st.tuples(st.booleans(), usages), max_size=8), st.integers(0, 4))
def test_sums_are_exact(script: list[tuple[bool, Usage]], repairs: int) -> None:
    steps = [Reply(GOOD if good else WRONG[n], usage=usage) for n, (good, usage) in enumerate(script)]
    client = Client(ScriptedModel(steps), max_repairs=repairs, price=PRICE)
    results = [client.run("x", int) for _ in range(3)]
    for result in results:
        replies = [attempt.reply for attempt in result.attempts if attempt.reply]
        assert result.usage == sum((reply.usage for reply in replies), Usage())
        assert result.usage.requests == len(replies)
        assert result.ok or (result.error is not None and result.error.usage == result.usage)
    assert client.meter.totals.usage == sum((result.usage for result in results), Usage())
    assert client.meter.totals.attempts == sum(len(result.attempts) for result in results)


@given(
    st.lists(usages, min_size=1, max_size=12),
    st.fixed_dictionaries(
        {
            "max_requests": st.none() | st.integers(0, 10),
            "max_input_tokens": st.none() | st.integers(0, 9000),
            "max_output_tokens": st.none() | st.integers(0, 9000),
            "max_cost": st.none() | st.decimals(0, "0.05", places=4),
        }
    ),
)
def test_a_budget_is_overshot_by_one_request_at_most(script: list[Usage], bounds: dict[str, Any]) -> None:
    budget = Budget(**bounds)
    steps = [Reply(WRONG[n], usage=usage) for n, usage in enumerate(script)]
    model = ScriptedModel(steps)
    before = [Spending()]
    client = Client(model, max_repairs=2, price=PRICE, budget=budget, on_attempt=lambda _: before.append(budget.spent))
    for _ in script:
        client.run("x", int)
    for name, bound in bounds.items():
        spent = [getattr(spending, name.removeprefix("max_")) for spending in before]
        if bound is not None and len(spent) > 1:
            assert spent[-2] <= bound  # all but the last request
    if bounds["max_requests"] is not None:
        assert len(model.requests) <= bounds["max_requests"]


@pytest.mark.parametrize("threads", [1, 4])
def test_threads_overshoot_by_one_request_each(threads: int) -> None:
    """All wait for each other with their request on its way: the most that can be on its way at once."""
    gate = threading.Barrier(threads)

    def slowly(_: Request) -> Reply:
        gate.wait(timeout=10)
        return said(output=1000)

    budget = Budget(max_output_tokens=1000, max_requests=threads)
    client = Client(ScriptedModel(repeat(slowly)), budget=budget)
    with ThreadPoolExecutor(threads) as pool:
        first = list(pool.map(lambda _: client.run("x", int), range(threads)))
        later = list(pool.map(lambda _: client.run("x", int), range(threads)))
    assert all(result.ok for result in first)
    assert all(isinstance(result.error, BudgetError) for result in later)
    assert budget.spent.output_tokens == 1000 * threads


FAILURES: dict[str, Callable[[], Any]] = {
    "repair": lambda: Client(ScriptedModel(WRONG), price=PRICE).generate("x", int),
    "budget": lambda: Client(ScriptedModel([BAD]), budget=Budget(max_requests=1)).generate("x", int),
    "model": lambda: Client(ScriptedModel([BAD, ModelError("down", reply=said("1"))])).generate("x", int),
}


@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES)
def test_errors_travel_between_processes_with_their_attempts(fail: Callable[[], Any]) -> None:
    with pytest.raises(TypedLLMError) as caught:
        fail()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is type(caught.value)
    assert str(copy) == str(caught.value)
    assert copy.attempts == caught.value.attempts
    assert copy.attempts
    assert copy.usage == caught.value.usage


@pytest.mark.parametrize(
    ("told", "seconds", "queued"),
    [
        (Reply("1"), 5.0, 0.0),
        (Reply("1", seconds=3.0), 3.0, 2.0),
        (Reply("1", seconds=3.0, queue_seconds=1.0), 3.0, 1.0),
    ],
    ids=["not measured by the model", "waited on this side", "told by the model"],
)
def test_the_seconds_of_an_attempt(told: Reply, seconds: float, queued: float) -> None:
    now = iter([0.0, 10.0, 15.0, 16.0])
    watch = Watch(clock=lambda: next(now))
    watch.begin("int")
    watch.before("first", Request(()), "model")
    reply = watch.after(told)
    assert (reply.seconds, reply.queue_seconds) == (seconds, queued)
    watch.end([], None)
    assert watch.meter.totals.seconds == 16.0


def test_hooks_are_told(both: Both) -> None:
    told: list[Any] = []

    async def later(attempt: Attempt) -> None:
        told.append(attempt)

    client = both.client(ScriptedModel([BAD, GOOD]), on_attempt=later, on_repair=lambda *given: told.append(given))
    result = both.call(client.run, "x", int)
    first, (failed, request), second = told
    assert (first, second) == result.attempts
    assert failed is first
    assert isinstance(request, Request)
    assert request.messages == second.request.messages


def test_what_a_hook_raises_reaches_the_caller(both: Both) -> None:
    def hook(_: Attempt) -> None:
        raise KeyError("mine")

    client = both.client(ScriptedModel([GOOD]), on_attempt=hook)
    with pytest.raises(KeyError, match="mine"):
        both.call(client.run, "x", int)
    assert client.meter.totals.usage.requests == 1
    assert client.meter.totals.cancelled == 1


def test_hooks_are_told_of_failures_too(both: Both) -> None:
    told: list[Attempt] = []
    client = both.client(ScriptedModel([ModelError("down")]), on_attempt=told.append)
    assert both.call(client.run, "x", int).attempts == tuple(told)
    assert told[0].reply is None


@given(st.text(max_size=200))
def test_the_estimate_follows_the_bytes(text: str) -> None:
    tokens = estimate_tokens(Request((Message("user", text),)))
    assert tokens == -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)
