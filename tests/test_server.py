"""The loopback server is right about the protocols: the openai package itself reads what it says."""

from __future__ import annotations

import openai
import pytest

from tests.support.server import Server, fail, say

STEP = say("hello world", reasoning="hm", tool='{"a": 1}', finish="length")


@pytest.fixture
def client(server: Server) -> openai.OpenAI:
    return openai.OpenAI(api_key="key", base_url=server.url, max_retries=0)


def test_chat_completions(server: Server, client: openai.OpenAI) -> None:
    server.script(STEP)
    with client:
        reply = client.chat.completions.create(model="m", messages=[])
    assert reply.choices[0].message.content == "hello world"
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 7
    assert server.requests[0].headers["authorization"] == "Bearer key"
    assert server.requests[0].body == {"model": "m", "messages": []}


@pytest.mark.parametrize("pieces", [1, 3])
def test_chat_completions_streamed(server: Server, client: openai.OpenAI, pieces: int) -> None:
    server.script(say("hello world", pieces=pieces, comments=True))
    with client:
        chunks = list(client.chat.completions.create(model="m", messages=[], stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "hello world"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_responses(server: Server, client: openai.OpenAI) -> None:
    server.script(STEP, STEP)
    with client:
        reply = client.responses.create(model="m", input="x")
        events = list(client.responses.create(model="m", input="x", stream=True))
    assert reply.output_text == "hello world"
    assert reply.status == "incomplete"
    assert events[-1].type == "response.incomplete"


def test_an_error_and_a_cut(server: Server, client: openai.OpenAI) -> None:
    server.script(fail(429, "too many", after="3"), say("x", cut=5))
    with client:
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="m", messages=[])
        with pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(model="m", messages=[])
    assert caught.value.response.headers["retry-after"] == "3"
    assert server.unused == 0
