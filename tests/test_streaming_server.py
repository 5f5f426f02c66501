"""Streams from a real server on loopback, in every way that services send and break them, through both clients."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, cast

import anyio
import pytest

from tests.both import Both
from tests.support.server import Server, Step, say
from tests.test_streaming import BAD, GOOD, VALUE, Line, Order
from typedllm import Client, ModelError, RefusalError, Result, Schema, TruncatedError
from typedllm.models.openai import OpenAIModel
from typedllm.models.scripted import ScriptedModel
from typedllm.records import Chunk, Request, Usage
from typedllm.schema.profiles import OPENAI
from typedllm.streaming import Snapshot

THINKING = '<think>Is it {"who": "Bob"}?</think>'
THOUGHT = THINKING + "\n```json\n" + GOOD + "\n```\nDone."
CUT = GOOD.index('"b"') + 1  # inside the second line


def followed(
    both: Both, model: Any, schema: Any = Order, *, leave: int | None = None, **options: Any
) -> tuple[list[Snapshot], Result[Any]]:
    """The snapshots (all, or the first few and then the block is left), and the outcome."""
    client, seen = both.client(model), list[Snapshot]()
    if both.world == "sync":
        with client.stream("x", schema, **options) as stream:
            for snapshot in stream:
                seen.append(snapshot)
                if len(seen) == leave:
                    break
            if leave is None:
                return seen, stream.finish()
        return seen, stream.finish()

    async def main() -> tuple[list[Snapshot], Result[Any]]:
        async with client.stream("x", schema, **options) as stream:
            async for snapshot in stream:
                seen.append(snapshot)
                if len(seen) == leave:
                    break
            if leave is None:
                return seen, await stream.finish()
        return seen, await stream.finish()

    return anyio.run(main, backend=both.world)


def model_at(server: Server, api: Any = "chat") -> OpenAIModel:
    return OpenAIModel("m", base_url=server.url, api=api, max_retries=0)


WAYS: dict[str, tuple[Step, dict[str, Any]]] = {
    "text": (say(GOOD, pieces=9), {}),
    "one chunk": (say(GOOD, pieces=1), {}),
    "a piece a character": (say(GOOD, pieces=len(GOOD)), {}),
    "comments between": (say(GOOD, pieces=9, comments=True), {}),
    "thoughts apart": (say(GOOD, pieces=9, reasoning="two lines, I think"), {}),
    "thoughts in the text": (say(THOUGHT, pieces=40), {}),
    "tool call": (say(None, tool=GOOD, pieces=9, finish="tool_calls"), {"native": "tool"}),
    "native schema": (say(GOOD, pieces=9), {"native": "schema"}),
    "several choices": (say(GOOD, pieces=9, choices=3), {}),
}


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("case", WAYS)
def test_streams_of_either_api(server: Server, both: Both, case: str, api: str) -> None:
    step, options = WAYS[case]
    server.script(step)
    snapshots, result = followed(both, model_at(server, api), **options)
    assert result.value == VALUE
    assert snapshots[-1].complete
    assert Schema(Order).validate(snapshots[-1].data).value == VALUE
    assert len(snapshots) > (3 if step.pieces > 1 else 0)
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.requests) == (11, 7, 1)
    reply = result.attempts[0].reply
    assert reply is not None
    assert reply.reasoning == (THINKING if step.text == THOUGHT else step.reasoning)
    assert reply.source == ("tool" if step.tool else "text")
    assert (reply.first_token_seconds or 0) > 0


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("native", ["tool", "schema"])
def test_a_root_that_is_sent_in_an_object(server: Server, both: Both, native: str, api: Any) -> None:
    text = json.dumps({"value": [{"sku": "ab", "count": number} for number in range(6)]})
    server.script(say(None, tool=text, pieces=12, finish="tool_calls") if native == "tool" else say(text, pieces=12))
    model = OpenAIModel("m", base_url=server.url, api=api, profile=OPENAI, max_retries=0)
    snapshots, result = followed(both, model, list[Line], native=native)
    assert [line.count for line in result.value] == list(range(6))
    assert snapshots[-1].complete
    assert [len(snapshot.data) for snapshot in snapshots] == sorted(len(snapshot.data) for snapshot in snapshots)
    assert len(snapshots) > 6


def test_a_connection_that_is_cut(server: Server, both: Both) -> None:
    """It is an error with what came, and nothing is asked again."""
    server.script(say(GOOD, pieces=9, cut=1500))
    snapshots, result = followed(both, model_at(server))
    error = result.error
    assert isinstance(error, ModelError)
    assert (error.code, error.retryable) == ("connection", True)
    assert error.reply is not None
    assert GOOD.startswith(error.reply.text)
    assert error.reply.text
    assert [attempt.reply for attempt in error.attempts] == [error.reply]
    assert snapshots
    assert not snapshots[-1].complete
    assert len(server.requests) == 1


def test_a_connection_that_is_cut_may_be_resumed(server: Server, both: Both) -> None:
    """What is closed is kept; the whole may be written again where that is cheaper."""
    server.script(say(GOOD, pieces=9, cut=1500))
    server.reply = say(GOOD, pieces=9)
    _, result = followed(both, model_at(server), on_broken="resume", strategy="full")
    assert result.value == VALUE
    assert [attempt.reply.finish_reason for attempt in result.attempts if attempt.reply] == ["cut", "stop"]


@pytest.mark.parametrize(("finish", "error"), [("content_filter", RefusalError), ("length", TruncatedError)])
def test_ends_that_are_no_stop(server: Server, both: Both, finish: str, error: type[Exception]) -> None:
    server.script(say(GOOD[:CUT], pieces=9, finish=finish))
    snapshots, result = followed(both, model_at(server), max_repairs=0)
    assert isinstance(result.error, error)
    assert result.usage.output_tokens == 7
    assert snapshots[-1].data["lines"][0] == {"sku": "a", "count": 1}
    assert not any(snapshot.complete for snapshot in snapshots)


def test_a_refusal(server: Server, both: Both) -> None:
    server.script(say(None, refusal="I would rather not"))
    snapshots, result = followed(both, model_at(server))
    assert isinstance(result.error, RefusalError)
    assert result.error.text == "I would rather not"
    assert snapshots == []


def test_what_a_truncated_reply_holds_is_kept_and_the_rest_asked_for(server: Server, both: Both) -> None:
    server.script(say(GOOD[:CUT], pieces=9, finish="length"))

    def rest(seen: Any) -> Step:
        asked = seen.body["messages"][-1]["content"]
        assert '"sku":"a"' in asked.replace(" ", "")
        return say('{"/lines/-": [{"sku":"b","count":2}], "/note": "x\\u00e9y"}')

    server.script(rest)
    snapshots, result = followed(both, model_at(server))
    if result.ok:
        assert result.value == VALUE
        assert snapshots[-1].events[0].kind == "restarted"
        assert snapshots[-1].data == VALUE.model_dump()
    assert [attempt.kind for attempt in result.attempts][:2] == ["first", "patch"]


def test_leaving_the_block_closes_the_connection(server: Server, both: Both) -> None:
    server.script(say(GOOD * 50, pieces=900, pause=0.01))
    _, result = followed(both, model_at(server), leave=2)
    assert server.requests[0].gone.wait(5)
    assert isinstance(result.error, ModelError)
    assert result.error.code == "cancelled"
    assert result.usage.requests == 1
    assert result.attempts[0].reply is not None
    assert GOOD.startswith(result.attempts[0].reply.text)


class Noticed(OpenAIModel):
    """Tells when the first text of a stream was taken."""

    def __init__(self, server: Server) -> None:
        super().__init__("m", base_url=server.url, max_retries=0)
        self.taken = threading.Event()

    async def astream(self, request: Request, /) -> AsyncIterator[Chunk]:
        async with aclosing(cast("AsyncGenerator[Chunk]", super().astream(request))) as chunks:
            async for chunk in chunks:
                yield chunk
                if chunk.text:
                    self.taken.set()


@pytest.mark.parametrize("world", ["asyncio", "trio"])
@pytest.mark.parametrize("taking", ["snapshots", "result", "items", "closed"])
def test_cancelling_closes_the_connection_at_once(server: Server, world: str, taking: str) -> None:
    """The service goes silent for 30 seconds; it sees the client gone long before, and what came is accounted for."""
    server.script(say(GOOD, pieces=9, stall=4))
    both, kept, model = Both(world), list[Any](), Noticed(server)

    async def take() -> None:
        async with both.client(model).stream("x", Order) as stream:
            kept.append(stream)
            if taking == "snapshots":
                async for _ in stream:
                    pass
            elif taking == "items":
                async for _ in stream.items("/lines", Line):
                    pass
            else:
                await (stream.result() if taking == "result" else stream.closed("/note", str))
        raise AssertionError("the stream cannot have ended")

    async def main() -> Result[Any]:
        async with anyio.create_task_group() as group:
            group.start_soon(take)
            assert await anyio.to_thread.run_sync(model.taken.wait, 30)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(server.requests[0].gone.wait, 5)
        return await kept[0].finish()

    result = anyio.run(main, backend=world)
    assert isinstance(result.error, ModelError)
    assert result.error.code == "cancelled"
    reply = result.attempts[0].reply
    assert reply is not None
    assert reply.text
    assert GOOD.startswith(reply.text)
    assert reply.finish_reason == "cut"
    assert kept[0].usage == result.usage
    assert (result.usage.requests, result.usage.unreported) == (1, 1)


def test_a_stream_that_goes_silent(server: Server, both: Both) -> None:
    server.script(say(GOOD, pieces=9, stall=4))
    _, result = followed(both, model_at(server), idle_timeout=0.2)
    error = result.error
    assert isinstance(error, ModelError)
    assert error.code == "silent"
    assert "0.2 s" in str(error)
    assert "idle_timeout=" in str(error)
    assert error.reply is not None
    assert GOOD.startswith(error.reply.text)
    assert server.requests[0].gone.wait(5)


@pytest.mark.parametrize("bad", [0, -1])
def test_an_idle_timeout_is_a_time(bad: float) -> None:
    with pytest.raises(ValueError, match="idle_timeout"):
        Client("local", idle_timeout=bad)


def test_stopping_early_closes_the_connection_and_keeps_what_is_valid(server: Server, both: Both) -> None:
    """The end of the reply, which is a hundred more lines, is never received."""
    long = BAD[: BAD.index('],"note"')] + ',{"sku":"c","count":3}' * 100 + BAD[BAD.index('],"note"') :]
    server.script(say(long, pieces=300, pause=0.005))
    server.reply = say(GOOD, pieces=9)
    seen, result = followed(both, model_at(server), on_invalid="stop", strategy="full")
    assert server.requests[0].gone.wait(5)
    assert result.value == VALUE
    first, second = (attempt.reply for attempt in result.attempts)
    assert first is not None
    assert second is not None
    assert (first.finish_reason, second.finish_reason) == ("cut", "stop")
    assert len(first.text) < len(BAD)
    assert any(issue.path == "/lines/0/count" for issue in result.attempts[0].issues)
    restarts = [at for at, snapshot in enumerate(seen) if snapshot.events[0].kind == "restarted"]
    assert len(restarts) == 1
    assert len(seen) - restarts[0] > 3  # the repair was shown as it came, since it is the whole value


def test_stopping_early_asks_for_the_rest_alone(server: Server, both: Both) -> None:
    """What was closed and valid is not asked for again, nor shown anew."""
    lines = [{"sku": f"item number {number}", "count": number} for number in range(1, 40)]
    lines[30]["count"] = "a few"
    written = json.dumps({"who": "Ann, Lee", "lines": lines, "note": "n" * 2000})
    server.script(say(written, pieces=200, pause=0.005))

    def rest(seen: Any) -> Step:
        asked = json.dumps(seen.body["messages"])
        assert "item number 30" in asked
        assert "item number 39" not in asked
        more = [{"sku": f"item number {number}", "count": number} for number in range(32, 40)]
        return say(json.dumps({"/lines/30/count": 31, "/lines/-": more, "/note": "short"}), pieces=9)

    server.script(rest)
    seen, result = followed(both, model_at(server), on_invalid="stop")
    assert server.requests[0].gone.wait(5)
    lines[30]["count"] = 31
    assert result.value.model_dump() == {"who": "Ann, Lee", "lines": lines, "note": "short"}
    assert [attempt.kind for attempt in result.attempts] == ["first", "patch"]
    first = result.attempts[0].reply
    assert first is not None
    assert first.finish_reason == "cut"
    assert len(first.text) < len(written) - 1500
    assert seen[-1].data == result.value.model_dump()
    assert result.usage.unreported == 1


def test_what_stopping_early_kept_is_told() -> None:
    model = ScriptedModel(
        [BAD, '{"/lines/0/count": 1, "/lines/-": [{"sku":"b","count":2}], "/note": "x\\u00e9y"}'], chunk_sizes=[4]
    )
    with Client(model).stream("x", Order, on_invalid="stop") as stream:
        result = stream.finish()
        stopped = stream.stopped
    assert stopped is not None
    assert (stopped.at, stopped.received < len(BAD)) == ("/lines/0/count", True)
    later = [attempt.reply for attempt in result.attempts[1:]]
    assert stopped.asked == sum(len(reply.text) for reply in later if reply)
    assert stopped.kept == max(0, len(Schema(Order).dump(result.value)) - stopped.asked)


class Endless:
    """A model that writes a list of so many lines, and keeps nothing of it."""

    name = "endless"

    def __init__(self, count: int) -> None:
        self.count = count

    def complete(self, request: Request, /) -> Any:
        raise NotImplementedError

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        yield Chunk('{"who": "Ann", "lines": [')
        for number in range(self.count):
            yield Chunk(f'{{"sku": "and so on", "count": {number}}},')
        yield Chunk('{"sku": "z", "count": 0}], "note": null}')
        yield Chunk(usage=Usage(5, output_tokens=self.count, requests=1), finish_reason="stop")

    def astream(self, request: Request, /) -> Any:
        raise NotImplementedError


def peak(count: int, *, keep: bool) -> int:
    client = Client(Endless(count))
    tracemalloc.start()
    try:
        with client.stream("x", Order) as stream:
            number = sum(1 for _ in stream.items("/lines", Line, keep=keep))
        assert number == count + 1
        assert stream.usage == Usage(5, output_tokens=count, requests=1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_items_that_are_not_kept_take_no_memory() -> None:
    peak(1_000, keep=False)  # what is made once, and what the interpreter keeps for reuse
    few, many = peak(500, keep=False), peak(1_500, keep=False)
    assert many < 1.2 * few
    assert peak(1_500, keep=True) > 2 * few


def test_the_whole_of_items_that_are_not_kept_is_refused() -> None:
    with Client(Endless(5)).stream("x", Order) as stream:
        assert len(list(stream.items("/lines", keep=False))) == 6
        with pytest.raises(ModelError, match="not kept") as caught:
            stream.result()
    assert caught.value.code == "unkept"


def test_parts_of_a_document(both: Both) -> None:
    document = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": {"$ref": "#/$defs/row"}}},
        "required": ["rows"],
        "$defs": {"row": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
    }
    schema = Schema.from_json_schema(document)
    rows = schema.part("/rows/0")
    assert rows is not None
    assert rows.validate({"n": 1}).ok
    assert not rows.validate({"n": "x"}).ok
    with Client(ScriptedModel(['{"rows": [{"n": 1}, {"n": 2}]}'], chunk_sizes=[3])).stream("x", schema) as stream:
        assert list(stream.items("/rows")) == [{"n": 1}, {"n": 2}]
