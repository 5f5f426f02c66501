"""Streams that end in every way, and the reader of their events."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.models import ASK, NATIVE, TOOL, WAYS, Way, joined, model_at
from tests.support.server import Server, Step, fail, raw, say
from typedllm.errors import ModelError
from typedllm.models.clients import Clients
from typedllm.models.drive import Driver
from typedllm.models.sse import EventDecoder
from typedllm.models.transport import Clock
from typedllm.models.vendor import Body

SSE = "text/event-stream"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)


def sse(*events: object, end: str = "\n\n") -> Step:
    """A stream of these events."""
    lines = [f"data: {event if isinstance(event, str) else json.dumps(event)}" for event in events]
    return raw(end.join((*lines, "")), content_type=SSE)


def body_of(*events: object) -> bytes:
    """The same as bytes."""
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)


def delta(text: str = "", finish: str | None = None, **more: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": text, **more}, "finish_reason": finish}]}


WHOLE: dict[str, tuple[Step, str]] = {
    "no end marker": (sse(delta("a"), delta("b", "stop")), "ab"),
    "no finish reason": (sse(delta("a"), delta("b"), "[DONE]"), "ab"),
    "carriage returns": (sse(delta("a"), delta("b", "stop"), "[DONE]", end="\r\n\r\n"), "ab"),
    "no last blank line": (sse(delta("a"), delta("b", "stop"), end="\n\n"), "ab"),
    "not a stream": (raw(json.dumps({"choices": [{"message": {"content": "ab"}, "finish_reason": "stop"}]})), "ab"),
    "called a stream": (raw('{"choices": [{"message": {"content": "ab"}}]}', content_type=SSE), "ab"),
    "message for delta": (sse({"choices": [{"message": {"content": "ab"}, "finish_reason": "stop"}]}), "ab"),
    "content in parts": (sse({"choices": [{"delta": {"content": [{"text": "ab"}]}, "finish_reason": "stop"}]}), "ab"),
    "after the end": (sse(delta("ab", "stop"), "[DONE]", "what is this"), "ab"),
    "one event": (say("ab", pieces=1, done=False), "ab"),
    "carriage returns alone": (sse(delta("a"), delta("b", "stop"), "[DONE]", end="\r\r"), "ab"),
    "no blank lines": (sse(delta("a"), delta("b", "stop"), "[DONE]", end="\n"), "ab"),
    "a byte order mark": (raw(b"\xef\xbb\xbf" + body_of(delta("ab", "stop")), content_type=SSE), "ab"),
    "compressed": (
        raw(gzip.compress(body_of(delta("a"), delta("b", "stop"))), headers={"Content-Encoding": "gzip"}),
        "ab",
    ),
    "the end twice": (sse(delta("ab", "stop"), "[DONE]", "[DONE]", delta("c")), "ab"),
    "an error after the end": (sse(delta("ab", "stop"), {"error": {"message": "late"}}), "ab"),
    "signs of life": (sse({"type": "ping"}, {}, "null", "[]", "", delta("ab", "stop"), "{}"), "ab"),
    "nothing in a choice": (
        sse({"choices": None}, {"choices": []}, {"choices": [{"index": 0, "delta": None}]}, delta("ab", "stop")),
        "ab",
    ),
    "a role alone": (sse({"choices": [{"delta": {"role": "assistant", "content": None}}]}, delta("ab", "stop")), "ab"),
    "usage of null": (sse({**delta("a"), "usage": None, "error": None}, delta("b", "stop")), "ab"),
    "a blank finish reason": (sse(delta("a", ""), delta("b", ""), "[DONE]"), "ab"),
    "another finish reason": (sse(delta("a"), delta("b", "eos_token")), "ab"),
    "a choice numbered by text": (
        sse({"choices": [{"index": "0", "delta": {"content": "ab"}}]}, delta("", "stop")),
        "ab",
    ),
    "the same choice twice": (
        sse({"choices": [{"index": 0, "delta": {"content": text}} for text in "ab"]}, delta("", "stop")),
        "ab",
    ),
    "thoughts under many names": (
        sse(
            *(delta("", **{name: "hm {"}) for name in ("reasoning", "thinking", "reasoning_text")), delta("ab", "stop")
        ),
        "ab",
    ),
    "a long line": (sse(delta(" " * 1_000_000 + "ab", "stop")), " " * 1_000_000 + "ab"),
    "lone surrogate": (
        raw('data: {"choices": [{"delta": {"content": "a\\ud83d"}, "finish_reason": "stop"}]}\n\n'),
        "a\ud83d",
    ),
    "leading blanks": (sse(delta("\n"), delta(" a"), delta("b ", "stop")), "\n ab "),
}


@pytest.mark.parametrize("case", WHOLE)
def test_streams_that_are_whole(server: Server, way: Way, case: str) -> None:
    step, text = WHOLE[case]
    server.script(step)
    model = model_at(server)
    reply = joined(way.stream(model))
    assert (reply.text, reply.finish_reason or "stop") == (text, "stop" if "called" not in case else "cut")
    model.close()


BROKEN: dict[str, tuple[Step, str, str, bool]] = {
    "cut at once": (say("hello", cut=0), "connection", "", True),
    "cut": (say("hello world", cut=700), "connection", "hello wo", True),
    "no end": (sse(delta("hel")), "connection", "hel", True),
    "half an event": (
        raw('data: {"choices": [{"delta": {"content": "hel"}}]}\n\ndata: {"cho'),
        "connection",
        "hel",
        True,
    ),
    "not json": (sse(delta("hel"), "{nonsense"), "bad_response", "hel", False),
    "trouble": (say("hello", done=False, trouble={"message": "engine died", "code": 500}), "server", "hello", True),
    "trouble at once": (sse({"error": {"message": "engine died"}}), "bad_response", "", False),
    "trouble of a choice": (sse({"choices": [{"error": {"message": "gone", "code": 502}}]}), "server", "", True),
    "trouble with a name": (sse({"error": {"message": "busy", "code": "overloaded_error"}}), "server", "", True),
    "an error without a frame": (sse(delta("hel"), {"message": "engine died"}), "bad_response", "hel", False),
    "an error as text": (sse(delta("hel"), {"error": "engine died"}), "bad_response", "hel", False),
    "another API": (sse({"type": "message_start"}, {"type": "message_stop"}), "bad_response", "", False),
    "a page": (raw("<!doctype html>\n<html></html>\n", content_type="text/html"), "bad_response", "", False),
    "compressed and cut": (
        raw(gzip.compress(b"data: " + json.dumps(delta("hel")).encode())[:-9], headers={"Content-Encoding": "gzip"}),
        "connection",
        "",
        True,
    ),
    "too long": (say("hello" * 1000, pieces=1), "bad_response", "", False),
    "empty": (raw("", content_type=SSE), "connection", "", True),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BROKEN)
def test_streams_that_break(server: Server, way: Way, case: str) -> None:
    """Nothing is asked again once a reply has begun, and what came is kept."""
    step, code, text, retryable = BROKEN[case]
    if case == "trouble":
        step = replace(step, finish=None)
    server.script(step)
    model = model_at(server, max_bytes=4000)
    with pytest.raises(ModelError) as caught:
        way.stream(model)
    error = caught.value
    assert (error.code, error.retryable, error.retries) == (code, retryable, 0)
    assert error.reply is not None
    assert error.reply.text == text
    assert len(server.requests) == 1
    model.close()


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_stream_of_either_api_breaks(server: Server, way: Way, api: str) -> None:
    server.script(say("hello world", done=False, finish=None, usage=None))
    model = model_at(server, api=api)
    with pytest.raises(ModelError, match="in the middle of the reply") as caught:
        way.stream(model)
    assert caught.value.reply is not None
    assert (caught.value.reply.text, caught.value.reply.finish_reason) == ("hello world", "cut")
    model.close()


def test_a_response_that_fails_in_the_middle(server: Server, way: Way) -> None:
    failed = {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow down"}}
    server.script(
        sse(
            {"type": "response.output_text.delta", "delta": "hel"},
            {"type": "response.failed", "response": failed},
        )
    )
    model = model_at(server, api="responses")
    with pytest.raises(ModelError, match="limits the rate: slow down") as caught:
        way.stream(model)
    assert caught.value.reply is not None
    assert (caught.value.code, caught.value.reply.text) == ("rate_limit", "hel")
    model.close()


def test_text_that_the_service_would_not_deliver(server: Server, way: Way) -> None:
    server.script(sse({"error": {"message": "no", "code": "json_validate_failed", "failed_generation": "{oops"}}))
    model = model_at(server)
    reply = joined(way.stream(model, NATIVE))
    assert (reply.text, reply.source, reply.finish_reason) == ("{oops", "error", "stop")
    model.close()


def test_arguments_of_several_calls(server: Server, way: Way) -> None:
    def call(index: int, text: str) -> dict[str, object]:
        return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}

    events = [
        {"choices": [{"delta": call(index, text)}]} for index, text in [(0, '{"a"'), (0, ": 1}"), (1, '{"a": 2}')]
    ]
    server.script(sse(*events, delta(finish="tool_calls"), "[DONE]"))
    model = model_at(server)
    chunks = way.stream(model, TOOL)
    assert [chunk.text for chunk in chunks if chunk.text] == ['{"a"', ": 1}", '\n{"a": 2}']
    assert joined(chunks).source == "tool"
    model.close()


PIECES = ['{"a"', ": 1", "}"]
CALLS: dict[str, list[dict[str, object]]] = {
    "named once": [{"index": 0, "id": "c", "type": "function", "function": {"name": "T", "arguments": PIECES[0]}}]
    + [{"index": 0, "function": {"arguments": text}} for text in PIECES[1:]],
    "named each time": [{"index": 0, "id": "c", "function": {"name": "T", "arguments": text}} for text in PIECES],
    "null names": [{"index": 0, "id": None, "function": {"name": None, "arguments": text}} for text in PIECES],
    "no index": [{"function": {"arguments": text}} for text in PIECES],
    "null index": [{"index": None, "function": {"arguments": text}} for text in PIECES],
    "another id each time": [{"index": 0, "id": text, "function": {"arguments": text}} for text in PIECES],
    "null arguments first": [{"index": 0, "function": {"arguments": text}} for text in (None, *PIECES)],
    "arguments as JSON": [{"index": 0, "function": {"arguments": {"a": 1}}}],
}


@pytest.mark.parametrize("case", CALLS)
def test_arguments_of_a_call_in_pieces(server: Server, way: Way, case: str) -> None:
    events = [{"choices": [{"delta": {"tool_calls": [call]}}]} for call in CALLS[case]]
    server.script(sse(*events, delta(finish="tool_calls"), "[DONE]"))
    model = model_at(server)
    reply = joined(way.stream(model, TOOL))
    assert (json.loads(reply.text), reply.source) == ({"a": 1}, "tool")
    model.close()


def test_a_service_that_cannot_report_usage_in_streams(server: Server, way: Way) -> None:
    server.script(fail(400, "unknown parameter: stream_options"), say("one"), say("two"))
    model = model_at(server)
    assert [joined(way.stream(model)).text for _ in range(2)] == ["one", "two"]
    assert ["stream_options" in seen.body for seen in server.requests] == [True, False, False]
    model.close()


@given(
    st.lists(st.binary(max_size=12).filter(lambda data: not set(data) & set(b"\r\n")), max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.data(),
)
def test_events_do_not_depend_on_where_the_bytes_are_cut(events: list[bytes], end: bytes, data: st.DataObject) -> None:
    text = b"".join(b": comment" + end + b"event: e" + end + b"data: " + event + end + end for event in events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    decoder = EventDecoder()
    pieces = [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    found = [event for piece in pieces for event in decoder.feed(piece)]
    assert [*found, *decoder.close()] == events


def test_an_event_may_have_several_lines_and_no_end() -> None:
    decoder = EventDecoder()
    assert [*decoder.feed(b"data: a\ndata:b\nid: 1\n\ndata: c")] == [b"a\nb"]
    assert [*decoder.close()] == [b"c"]


@pytest.mark.parametrize("partial", [True, False])
def test_who_keeps_the_pieces_needs_no_second_copy(server: Server, way: Way, partial: bool) -> None:
    """A stream of any length is then read in constant memory."""
    server.script(sse(delta("hel"), delta("lo")))
    model = model_at(server)
    with pytest.raises(ModelError, match="in the middle of the reply") as caught:
        way.stream(model, replace(ASK, partial=partial))
    assert caught.value.reply is not None
    assert caught.value.reply.text == ("hello" if partial else "")
    model.close()


class Unsocketed:
    """The body of a client whose connection is no socket of its own, as over HTTP/2, or of a transport of somebody's."""

    http_version = "HTTP/2"
    extensions: dict[str, Any] = {}

    def iter_bytes(self) -> Iterator[bytes]:
        yield from (b"text", b"finish reason", b"usage")


@pytest.mark.parametrize(("linger", "count"), [(2.0, 3), (0.2, 2)])
def test_the_usage_behind_the_reply_is_read_also_where_a_connection_cannot_be_hung_up(
    linger: float, count: int
) -> None:
    read: list[bytes] = []
    driver = Driver(cast("Clients", None), Clock(), 1_000)
    for piece in driver.pieces(cast("Body", Unsocketed()), None, None, lambda: linger if len(read) > 1 else None):
        read.append(piece)
    assert len(read) == count
