"""The chat model behind the API of OpenAI, against a real server: what it makes of replies, in every way of asking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.models import ASK, NATIVE, TOOL, WAYS, Way, joined, model_at
from tests.support.server import Server, Step, fail, say
from typedllm.records import Reply, Request, Usage

USAGE = Usage(11, 4, 7, 3, None, 1)
COLUMNS = ("text", "finish_reason", "source", "refusal", "reasoning", "usage")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)


def shown(reply: Reply, expected: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(reply, name) for name in expected}


REPLIES: dict[str, tuple[Step, Request, dict[str, Any]]] = {
    "text": (say("hello"), ASK, {"text": "hello", "finish_reason": "stop", "source": "text", "usage": USAGE}),
    "length": (say("hel", finish="length"), ASK, {"text": "hel", "finish_reason": "length"}),
    "no usage": (say("hello", usage=None), ASK, {"usage": Usage(requests=1, unreported=1)}),
    "blank": (say("  \n "), ASK, {"text": "  \n ", "finish_reason": "stop", "source": "text"}),
    "null": (say(None), ASK, {"text": "", "source": "text"}),
    "refusal": (say(None, refusal="no way"), ASK, {"text": "", "finish_reason": "refusal", "refusal": "no way"}),
    "filter": (say("a", finish="content_filter"), ASK, {"text": "a", "finish_reason": "content_filter"}),
    "reasoning": (say("a", reasoning="because"), ASK, {"text": "a", "reasoning": "because"}),
    "several choices": (say("first", choices=3), ASK, {"text": "first"}),
    "tool for text": (say(None, tool='{"a": 1}'), ASK, {"text": '{"a": 1}', "source": "tool", "finish_reason": "stop"}),
    "text beside a tool": (say("hm", tool='{"a": 1}'), ASK, {"text": "hm", "source": "text"}),
    "tool": (say("hm", tool='{"a": 1}'), TOOL, {"text": '{"a": 1}', "source": "tool"}),
    "text for a tool": (say('{"a": 1}'), TOOL, {"text": '{"a": 1}', "source": "text"}),
}


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("case", REPLIES)
def test_replies(server: Server, way: Way, case: str, api: str) -> None:
    step, request, expected = REPLIES[case]
    model = model_at(server, api=api)
    server.script(step, step, replace(step, pieces=1, comments=True))
    for reply in (
        way.complete(model, request),
        joined(way.stream(model, request)),
        joined(way.stream(model, request)),
    ):
        assert shown(reply, expected) == expected
    assert [seen.streamed for seen in server.requests] == [False, True, True]
    model.close()


def test_a_rejected_request_is_asked_once(server: Server, way: Way) -> None:
    server.script(fail(400, "response_format is not supported"))
    with pytest.raises(Exception, match="rejects the schema") as caught:
        way.complete(model_at(server), NATIVE)
    assert caught.value.code == "schema_rejected"  # type: ignore[attr-defined]
    assert len(server.requests) == 1
