"""Servers that send a stream in odd ways, or break it: the right value, or a clear error with what came; never a hang."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from tests.both import Both
from tests.support.server import Server, Step, drip, fail, raw, say
from tests.test_streaming import GOOD, VALUE, Order
from tests.test_streaming_server import followed, model_at
from typedllm import BudgetError, ModelError, TypedLLMError
from typedllm.models.openai import OpenAIModel
from typedllm.records import Usage

pytestmark = pytest.mark.slow

DONE = b"data: [DONE]\n\n"
PIECES = [GOOD[start : start + 9] for start in range(0, len(GOOD), 9)]


def part(content: object = "", finish: object = None, **more: Any) -> dict[str, Any]:
    """An event of the first choice."""
    delta = {"role": "assistant", "content": content, **more.pop("delta", {})}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def used(count: int) -> dict[str, int]:
    return {"prompt_tokens": 5, "completion_tokens": count}


def sent(*events: object, end: bytes = DONE) -> tuple[bytes, ...]:
    """The events as bytes, and the end marker."""
    said = (event if isinstance(event, str) else json.dumps(event) for event in events)
    return (*(f"data: {event}\n\n".encode() for event in said), end)


def call(index: int | None, text: str, **more: Any) -> dict[str, Any]:
    """A piece of a tool call's arguments."""
    at = {} if index is None else {"index": index}
    return part(None, delta={"tool_calls": [{**at, **more, "function": {"name": "Order", "arguments": text}}]})


def other(content: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 1, "delta": {"content": content}, "finish_reason": finish}]}


WHOLE = [*map(part, PIECES), part(finish="stop")]
NEW_LINES = b"data: " + json.dumps(part(GOOD, "stop"), indent=1).replace("\n", "\ndata: ").encode() + b"\n\n"
TOOL = {"native": "tool"}
COUNTED = Usage(5, output_tokens=3, requests=1)
UNTOLD = Usage(requests=1, unreported=1)
Case = tuple[Step, dict[str, Any], Usage]

GIVEN: dict[str, Case] = {
    "held open after its end": (drip(*sent(*WHOLE, {"choices": [], "usage": used(3)}), hold=20), {}, COUNTED),
    "held open without usage": (drip(*sent(*WHOLE), hold=20), {}, UNTOLD),
    "held open without an end marker": (
        drip(*sent(*map(part, PIECES), part(finish="stop", usage=used(3)), end=b""), hold=20),
        {},
        COUNTED,
    ),
    "held open behind the finish reason": (drip(*sent(*WHOLE, end=b""), hold=20), {}, UNTOLD),
    "usage that comes late": (
        drip(*sent(*WHOLE, end=b""), *sent({"choices": [], "usage": used(3)}), pause=0.1),
        {},
        COUNTED,
    ),
    "usage with each piece": (
        drip(*sent(*(part(text, usage=used(at)) for at, text in enumerate(PIECES)), part("", "stop", usage=used(3)))),
        {},
        COUNTED,
    ),
    "finish reason twice": (drip(*sent(*WHOLE, part(finish="stop"), part(finish="length"))), {}, UNTOLD),
    "finish reason with each piece": (drip(*sent(*(part(text, "stop") for text in PIECES))), {}, UNTOLD),
    "choices interleaved": (
        drip(*sent(*(each for text in PIECES for each in (other("{"), part(text))), other("", "length"), WHOLE[-1])),
        {},
        UNTOLD,
    ),
    "thoughts under two names": (
        drip(*sent(part(delta={"reasoning_content": "{"}), part(delta={"reasoning": "}"}), *WHOLE)),
        {},
        UNTOLD,
    ),
    "events without anything": (
        drip(*sent({"choices": None}, {"choices": [None]}, {"choices": [{"index": 0}]}, part(None), "3", *WHOLE)),
        {},
        UNTOLD,
    ),
    "an object as content": (drip(*sent(part(json.loads(GOOD)), part(finish="stop"))), {}, UNTOLD),
    "a call without index": (
        drip(*sent(*(call(None, text) for text in PIECES), part(finish="tool_calls"))),
        TOOL,
        UNTOLD,
    ),
    "calls interleaved": (
        drip(*sent(*(each for text in PIECES for each in (call(0, text), call(1, text))), part(finish="tool_calls"))),
        TOOL,
        UNTOLD,
    ),
    "events of several lines": (drip(NEW_LINES, DONE), {}, UNTOLD),
    "carriage returns and a mark": (
        drip(b"\xef\xbb\xbf" + NEW_LINES.replace(b"\n", b"\r\n"), DONE.replace(b"\n", b"\r\n")),
        {},
        UNTOLD,
    ),
    "a byte at a time": (
        drip(*(bytes((byte,)) for byte in f"data: {json.dumps(part(GOOD, 'stop'), ensure_ascii=False)}\n\n".encode())),
        {},
        UNTOLD,
    ),
    "compressed": (
        drip(gzip.compress(b"".join(sent(*WHOLE))), headers={"Content-Encoding": "gzip"}),
        {},
        UNTOLD,
    ),
    "one document": (
        raw(json.dumps({"choices": [{"message": {"content": GOOD}, "finish_reason": "stop"}], "usage": used(3)})),
        {},
        COUNTED,
    ),
}


@pytest.mark.parametrize("case", GIVEN)
def test_odd_streams_give_the_value(server: Server, both: Both, case: str) -> None:
    step, options, usage = GIVEN[case]
    server.script(step)
    began = time.monotonic()
    snapshots, result = followed(both, model_at(server), max_repairs=0, **options)
    assert result.value == VALUE
    assert result.usage == usage
    assert snapshots[-1].complete
    assert time.monotonic() - began < 15


def looping(text: str, times: int) -> Step:
    return drip(*sent(*map(part, ['{"who":"', *[text] * times])))


BROKEN: dict[str, tuple[Step, dict[str, Any], str, str]] = {
    "no end": (drip(*sent(*map(part, PIECES[:4]), end=b"")), {}, "connection", GOOD[:36]),
    "an error in the middle": (
        drip(*sent(*map(part, PIECES[:4]), {"error": {"message": "out of memory", "code": 500}})),
        {},
        "server",
        GOOD[:36],
    ),
    "an error as text": (drip(*sent(*map(part, PIECES[:4]), {"error": "gone"})), {}, "bad_response", GOOD[:36]),
    "an error in place of a stream": (
        raw('{"error": {"message": "no such model", "code": 404}}'),
        {},
        "bad_request",
        "",
    ),
    "nothing": (raw(""), {}, "connection", ""),
    "cut while compressed": (
        drip(gzip.compress(b"".join(sent(*WHOLE)))[:60], headers={"Content-Encoding": "gzip"}),
        {},
        "connection",
        "",
    ),
    "not compressed": (drip(*sent(*WHOLE), headers={"Content-Encoding": "gzip"}), {}, "connection", ""),
    "no JSON": (drip(*sent(*map(part, PIECES[:4]), "[" * 100_000)), {}, "bad_response", GOOD[:36]),
    "silence": (drip(*sent(*WHOLE), stall=4), {"idle_timeout": 0.2}, "silent", GOOD[:36]),
    "words again and again": (looping("la la ", 9000), {}, "looping", ""),
    "a page again and again": (looping("".join(map(str, range(1000))), 30), {}, "looping", ""),
    "blanks again and again": (drip(*sent(*map(part, ['{"who":"x",', *["\n    "] * 9000]))), {}, "looping", ""),
    "signs of life alone": (drip(*[b": alive\n\n"] * 100, pause=0.05), {"timeout": 0.4}, "", ""),
    "a slow drip": (drip(*(bytes((byte,)) for byte in sent(*WHOLE)[0]), pause=0.05), {"timeout": 0.4}, "", ""),
    "too long": (drip(*sent(*(part(str(number)) for number in range(2000)))), {"max_chars": 2000}, "", ""),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_streams_give_an_error_with_what_came(server: Server, both: Both, case: str) -> None:
    if case == "not compressed" and both.world == "trio":
        pytest.skip("the HTTP library leaves a generator behind, of which trio complains")
    step, options, code, text = BROKEN[case]
    server.script(step)
    began = time.monotonic()
    _, result = followed(both, OpenAIModel("m", base_url=server.url, max_retries=1), **{"max_repairs": 0, **options})
    error = result.error
    assert isinstance(error, ModelError if code else BudgetError)
    assert getattr(error, "code", "") == code
    assert type(error).__name__ in {"ModelError", "BudgetError"}
    replies = [attempt.reply for attempt in error.attempts if attempt.reply is not None]
    assert not text or [reply.text for reply in replies] == [text]
    assert error.usage == result.usage
    assert len(server.requests) == 1
    assert time.monotonic() - began < 15


def test_a_wait_that_the_service_asks_for_comes_before_the_stream(server: Server, both: Both) -> None:
    server.script(fail(429, after="0.05"), say(GOOD))
    _, result = followed(both, OpenAIModel("m", base_url=server.url))
    assert result.value == VALUE
    assert server.requests[1].at - server.requests[0].at >= 0.05


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_connection_serves_one_stream_after_the_other(server: Server, both: Both, api: Any) -> None:
    server.reply = say(GOOD, pieces=4)
    model, count = model_at(server, api), 3
    if both.world == "sync":
        for _ in range(count):
            with both.client(model).stream("x", Order) as stream:
                assert stream.result() == VALUE
    else:

        async def main() -> None:
            for _ in range(count):
                async with both.client(model).stream("x", Order) as stream:
                    assert await stream.result() == VALUE

        anyio.run(main, backend=both.world)
    assert len({seen.port for seen in server.requests}) == 1


WAITS: dict[str, Sequence[Step]] = {
    "for the status line": (say(GOOD, wait=30.0),),
    "for the first piece": (say(GOOD, stall=0),),
    "for the end of the body": (drip(*sent(*WHOLE, end=b""), hold=30.0),),
    "before another try": (fail(503, after="30"), say(GOOD)),
    "for a repair": (say("{}"), say(GOOD, wait=30.0)),
    "in the middle of a repair": (say("{}"), say(GOOD, stall=3)),
}


@pytest.mark.parametrize("world", ["asyncio", "trio"])
@pytest.mark.parametrize("case", WAITS)
def test_cancelling_while_waiting(server: Server, world: str, case: str) -> None:
    """Nothing holds a task that is cancelled, wherever it waits, and what came by then is told."""
    steps = WAITS[case]
    server.script(*steps)
    both, kept = Both(world), list[Any]()
    asked = 1 if "try" in case else len(steps)

    async def take() -> None:
        model = OpenAIModel("m", base_url=server.url)
        async with both.client(model).stream("x", Order, strategy="full") as stream:
            kept.append(stream)
            await stream.result()
        raise AssertionError("the stream cannot have ended")

    async def main() -> Any:
        async with anyio.create_task_group() as group:
            group.start_soon(take)
            assert await anyio.to_thread.run_sync(server.hears, asked)
            await anyio.sleep(0.1)
            group.cancel_scope.cancel()
        return await kept[0].finish()

    began = time.monotonic()
    result = anyio.run(main, backend=world)
    assert time.monotonic() - began < 20
    if "end of the body" in case:
        assert result.value == VALUE  # the service had said that the reply was complete
    else:
        assert isinstance(result.error, TypedLLMError)
    assert result.usage == kept[0].usage
    assert len([attempt for attempt in result.attempts if attempt.reply]) >= ("repair" in case)
    if "try" not in case:
        assert server.requests[-1].gone.wait(10)
