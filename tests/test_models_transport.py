"""Retries, the one deadline, and what a failure becomes, against a real server."""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.models import ASK, NATIVE, WAYS, Time, Way, joined, model_at
from tests.support.server import Server, Step, fail, raw, say
from typedllm.errors import ModelError
from typedllm.models.transport import Clock, retry_after
from typedllm.records import Request

BROKEN = [fail(500), fail(503), fail(408), fail(409), fail(429), fail(529), say("x", cut=-1), say("x", cut=0)]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("streamed", [False, True])
def test_what_the_transport_loses_is_sent_again(server: Server, way: Way, streamed: bool) -> None:
    time = Time()
    for step in BROKEN[:-1] if streamed else BROKEN:
        server.script(step, step, say("hello"))
        model = model_at(server, clock=time.clock)
        reply = joined(way.stream(model)) if streamed else way.complete(model)
        assert (reply.text, reply.retries) == ("hello", 2)
        assert time.slept == [0.5, 1.0]
        assert server.unused == 0
        time.slept.clear()
        model.close()


@pytest.mark.parametrize(
    ("after", "slept"),
    [
        ({"Retry-After": "7"}, [7.0]),
        ({"Retry-After": "1.5"}, [1.5]),
        ({"Retry-After": "0"}, [0.0]),
        ({"retry-after-ms": "250", "Retry-After": "1"}, [0.25]),
        ({"Retry-After": "soon"}, [0.5]),
        ({}, [0.5]),
    ],
)
def test_the_service_says_when(server: Server, after: dict[str, str], slept: list[float]) -> None:
    time = Time()
    server.script(fail(429, headers=after), say("hello"))
    assert Way("sync").complete(model_at(server, clock=time.clock)).retries == 1
    assert time.slept == slept


@given(st.integers(0, 10_000))
def test_a_date_says_when(seconds: int) -> None:
    now = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    assert retry_after({"retry-after": date}, now) == seconds
    assert retry_after({"retry-after": date}, now + timedelta(days=1)) == 0.0


@pytest.mark.parametrize(("after", "timeout"), [("30", 20.0), ("3600", None)])
def test_a_wait_that_is_too_long_is_not_begun(server: Server, way: Way, after: str, timeout: float | None) -> None:
    time = Time()
    server.script(fail(429, "slow down", after=after))
    with pytest.raises(ModelError, match="slow down") as caught:
        way.complete(model_at(server, clock=time.clock), replace(ASK, timeout=timeout))
    assert (caught.value.code, caught.value.retryable, caught.value.retries) == ("rate_limit", True, 0)
    assert (time.slept, len(server.requests)) == ([], 1)


def test_each_attempt_has_what_is_left(server: Server, way: Way) -> None:
    server.script(fail(500, after="4"), fail(500, after="3"), say("hello"))
    way.complete(model_at(server), replace(ASK, timeout=10.0))
    given_seconds = [float(seen.headers["x-stainless-read-timeout"]) for seen in server.requests]
    assert given_seconds == [10.0, 6.0, 3.0]


SLOW: dict[str, Step] = {
    "headers": say("hello", wait=20),
    "body": say("hello" * 100, pause=20),
    "dribble": say("hello" * 100, pieces=50, pause=0.15),
}


@pytest.mark.slow
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("case", SLOW)
def test_a_slow_service_meets_the_deadline(server: Server, way: Way, case: str, streamed: bool) -> None:
    server.script(SLOW[case])
    server.reply = SLOW[case]
    model = model_at(server, max_retries=0, clock=Clock())
    request = replace(ASK, timeout=0.3)
    with pytest.raises(ModelError, match=r"no reply within 0\.3 s") as caught:
        way.stream(model, request) if streamed else way.complete(model, request)
    assert caught.value.code == "timeout"
    assert caught.value.__cause__ is not None
    # On a busy machine the deadline may be met before the request has left.
    assert all(request.gone.wait(5) for request in server.requests)
    model.close()


FAILURES: dict[str, tuple[Step, Request, str, int | None, int]] = {
    "key": (fail(401, "Incorrect API key"), ASK, "auth", 401, 1),
    "forbidden": (fail(403), ASK, "auth", 403, 1),
    "no credit": (fail(429, code="insufficient_quota"), ASK, "rate_limit", 429, 1),
    "balance": (fail(402, "Insufficient Balance"), ASK, "bad_request", 402, 1),
    "model": (fail(404, "no such model"), ASK, "bad_request", 404, 1),
    "length": (fail(400, "context_length exceeded: messages and functions"), NATIVE, "bad_request", 400, 1),
    "schema": (fail(400, "Invalid schema for response_format"), NATIVE, "schema_rejected", 400, 1),
    "param": (fail(422, "not permitted", param="response_format.type"), NATIVE, "schema_rejected", 422, 1),
    "grammar": (fail(500, "failed to parse grammar"), NATIVE, "schema_rejected", 500, 1),
    "no schema": (fail(400, "Invalid schema for response_format"), ASK, "bad_request", 400, 1),
    "advice": (fail(503, headers={"x-should-retry": "false"}), ASK, "server", 503, 1),
    "not implemented": (fail(501), ASK, "server", 501, 1),
    "gave up": (fail(408), ASK, "timeout", 408, 3),
    "limit": (fail(429, "slow down"), ASK, "rate_limit", 429, 3),
    "server": (fail(500), ASK, "server", 500, 3),
    "text": (raw("<h1>Bad Gateway</h1>", 502, "text/html"), ASK, "server", 502, 3),
    "cut": (say("x", cut=-1), ASK, "connection", None, 3),
    "not json": (raw("<html>hello</html>"), ASK, "bad_response", 200, 1),
    "half": (raw('{"choices": ['), ASK, "bad_response", 200, 1),
    "nothing": (raw(""), ASK, "bad_response", 200, 1),
    "list": (raw("[]"), ASK, "bad_response", None, 1),
    "number": (raw("1"), ASK, "bad_response", None, 1),
    "no choices": (say(choices=0), ASK, "bad_response", None, 1),
    "error object": (raw('{"error": {"message": "overloaded", "code": 503}}'), ASK, "server", 503, 1),
    "error text": (raw('{"error": "model is loading"}'), ASK, "bad_response", None, 1),
    "choice error": (raw('{"choices": [{"error": {"message": "gone", "code": 502}}]}'), ASK, "server", 502, 1),
    "detail": (raw('{"detail": [{"loc": ["body", "response_format"]}]}', 422), NATIVE, "schema_rejected", 422, 1),
    "too long": (say("x" * 5000), ASK, "bad_response", None, 1),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures(server: Server, way: Way, case: str) -> None:
    step, request, code, status, sent = FAILURES[case]
    server.reply = step
    model = model_at(server, max_bytes=4000)
    with pytest.raises(ModelError) as caught:
        way.complete(model, request)
    error = caught.value
    assert (error.code, error.status, error.retries) == (code, status, sent - 1)
    assert error.retryable == (code in {"rate_limit", "server", "connection", "timeout"} and case != "no credit")
    assert error.provider == server.url
    assert len(server.requests) == sent
    if step.status != 200 or code == "connection":
        assert error.__cause__ is not None
    model.close()


SALVAGED: dict[str, tuple[Step, tuple[str, str, str | None]]] = {
    "groq": (fail(400, "json_validate_failed", failed_generation='{"a": oops'), ('{"a": oops', "stop", None)),
    "groq tool": (fail(400, code="tool_use_failed", failed_generation={"a": 1}), ('{"a": 1}', "stop", None)),
    "filter": (fail(400, "filtered", code="content_filter"), ("", "content_filter", "filtered")),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("case", SALVAGED)
def test_an_error_that_carries_the_reply(server: Server, way: Way, case: str, streamed: bool) -> None:
    step, expected = SALVAGED[case]
    server.script(step)
    model = model_at(server)
    reply = joined(way.stream(model, NATIVE)) if streamed else way.complete(model, NATIVE)
    assert (reply.text, reply.finish_reason, reply.refusal) == expected
    assert reply.source == "error"
    assert reply.usage.unreported == 1
    model.close()


def test_no_secret_is_shown(server: Server, way: Way) -> None:
    secret = "sk-very-secret-123"
    model = model_at(server, api_key=secret)
    server.script(fail(401, f"bad key {secret}"), fail(400, f"{secret} again"), raw(f"<{secret}>"))
    for _ in range(3):
        with pytest.raises(ModelError) as caught:
            way.complete(model)
        assert server.requests[-1].headers["authorization"] == f"Bearer {secret}"
        assert secret not in "".join(traceback.format_exception(caught.value))
    assert secret not in repr(model)
    model.close()


def test_closing_a_stream_closes_the_connection(server: Server, way: Way) -> None:
    server.script(say("hello world", pieces=3, stall=2))
    model = model_at(server)
    chunks = way.stream(model, pieces=1)
    assert "".join(chunk.text for chunk in chunks) == "hell"
    assert server.requests[0].gone.wait(5)
    model.close()
