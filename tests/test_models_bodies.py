"""What is sent to the service, in both APIs, and what of its replies is understood beyond the usual."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.models import ASK, model_at
from tests.support.server import Server, raw, say
from typedllm.models import chat, responses
from typedllm.models.payload import Trouble
from typedllm.records import Message, Native, Reply, Request, TokenLogprob, Usage
from typedllm.schema.profiles import GENERIC, OPENAI, OPENROUTER, Profile

SCHEMA: dict[str, Any] = {"type": "object"}
USER = {"role": "user", "content": "hi"}


def ask(native: Native | None = None, **options: Any) -> Request:
    return Request(ASK.messages, native, options)


FUNCTION = {"name": "out", "parameters": SCHEMA, "strict": True}
FORCED = {"type": "function", "name": "out"}
FORMAT = {"type": "json_schema", "name": "out", "schema": SCHEMA}

BODIES: dict[str, tuple[Request, Profile, dict[str, Any], dict[str, Any]]] = {
    "plain": (ask(), GENERIC, {}, {}),
    "options": (
        ask(temperature=0.5, seed=1),
        GENERIC,
        {"temperature": 0.5, "seed": 1},
        {"temperature": 0.5, "seed": 1},
    ),
    "limit": (ask(max_tokens=9), GENERIC, {"max_tokens": 9}, {"max_output_tokens": 9}),
    "other limit": (ask(max_tokens=9), OPENAI, {"max_completion_tokens": 9}, {"max_output_tokens": 9}),
    "effort": (
        ask(reasoning_effort="low"),
        OPENAI,
        {"reasoning_effort": "low"},
        {"reasoning": {"effort": "low"}},
    ),
    "schema": (
        ask(Native("schema", "out", SCHEMA)),
        GENERIC,
        {"response_format": {"type": "json_schema", "json_schema": {"name": "out", "schema": SCHEMA, "strict": True}}},
        {"text": {"format": {**FORMAT, "strict": True}}},
    ),
    "loose schema": (
        ask(Native("schema", "out", SCHEMA, strict=False), verbosity="low"),
        OPENROUTER,
        {
            "verbosity": "low",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "out", "schema": SCHEMA, "strict": False},
            },
            "provider": {"require_parameters": True},
        },
        {
            "text": {"verbosity": "low", "format": {**FORMAT, "strict": False}},
            "provider": {"require_parameters": True},
        },
    ),
    "json": (
        ask(Native("json")),
        GENERIC,
        {"response_format": {"type": "json_object"}},
        {"text": {"format": {"type": "json_object"}}},
    ),
    "tool": (
        ask(Native("tool", "out", SCHEMA)),
        GENERIC,
        {
            "tools": [{"type": "function", "function": FUNCTION}],
            "tool_choice": {"type": "function", "function": {"name": "out"}},
        },
        {"tools": [{"type": "function", **FUNCTION}], "tool_choice": FORCED},
    ),
    "logprobs": (
        Request(ASK.messages, logprobs=True),
        GENERIC,
        {"logprobs": True, "top_logprobs": 5},
        {"top_logprobs": 5, "include": ["message.output_text.logprobs"]},
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_bodies(case: str) -> None:
    request, profile, in_chat, in_responses = BODIES[case]
    assert chat.body("m", request, profile, stream=False) == {"model": "m", "messages": [USER], **in_chat}
    assert responses.body("m", request, profile, stream=False) == {
        "model": "m",
        "input": [USER],
        "store": False,
        **in_responses,
    }


def test_content_parts() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}
    request = Request((Message("user", [{"type": "text", "text": "see"}, image]), Message("assistant", "ok")))
    assert chat.body("m", request, GENERIC, stream=False)["messages"][0]["content"] == [
        {"type": "text", "text": "see"},
        image,
    ]
    assert responses.body("m", request, GENERIC, stream=False)["input"] == [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
            ],
        },
        {"role": "assistant", "content": "ok"},
    ]


def test_extras(server: Server) -> None:
    model = model_at(server)
    model.complete(ask(extra_body={"top_k": 5}, extra_headers={"X-Title": "t"}, min_p=0.1))
    seen = server.requests[0]
    assert seen.body == {"model": "m", "messages": [USER], "min_p": 0.1, "top_k": 5}
    assert seen.headers["x-title"] == "t"
    model.close()


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_logprobs(server: Server, api: str) -> None:
    tokens = (("yes", -0.25), ("!", -1.0))
    server.script(*[say("yes!", logprobs=tokens)] * 2)
    model = model_at(server, api=api)
    found = model.complete(Request(ASK.messages, logprobs=True)).logprobs
    assert [(token.token, token.logprob) for token in found or ()] == [*tokens]
    assert model.complete(ASK).logprobs is None
    model.close()


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_has_many_names(server: Server, field: str) -> None:
    server.script(say("a", reasoning="why", reasoning_field=field))
    model = model_at(server)
    assert model.complete(ASK).reasoning == "why"
    model.close()


def completion(message: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": message or {"content": "a"}, "finish_reason": "stop", **more}]}


READ: dict[str, tuple[dict[str, Any], Reply]] = {
    "thinking parts": (
        completion(
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "why"}]},
                    {"type": "text", "text": "a"},
                ]
            }
        ),
        Reply("a", reasoning="why"),
    ),
    "old function call": (
        completion({"content": None, "function_call": {"name": "f", "arguments": "{}"}}),
        Reply("{}", source="tool"),
    ),
    "arguments as an object": (
        completion({"tool_calls": [{"function": {"arguments": {"a": "é"}}}]}),
        Reply('{"a": "é"}', source="tool"),
    ),
    "two calls": (
        completion({"tool_calls": [{"id": "1", "function": {"arguments": "1"}}, {"function": {"arguments": "2"}}]}),
        Reply("1\n2", source="tool"),
    ),
    "choices out of order": (
        {"choices": [{"index": 1, "message": {"content": "b"}}, {"index": 0, "message": {"content": "a"}}]},
        Reply("a", finish_reason=None),
    ),
    "unknown finish reason": (completion(finish_reason="whatever"), Reply("a", finish_reason=None)),
    "parallel log-probabilities": (
        completion(logprobs={"tokens": ["a"], "token_logprobs": [-0.5]}),
        Reply("a", logprobs=(TokenLogprob("a", -0.5),)),
    ),
    "log-probabilities without numbers": (completion(logprobs={"content": [{"token": "a"}]}), Reply("a")),
    "no message": ({"choices": [{}]}, Reply("", finish_reason=None)),
    "wrong types": ({"choices": [{"message": {"content": [5], "refusal": []}}], "usage": "?"}, Reply("", None)),
    "content as an object": (completion({"content": {"a": "é"}}), Reply('{"a": "é"}')),
    "content as texts": (completion({"content": ["a", {"type": "text", "text": "b"}, None]}), Reply("ab")),
    "a text for a message": ({"choices": [{"text": "a", "finish_reason": "stop"}]}, Reply("a")),
}


@pytest.mark.parametrize("case", READ)
def test_what_replies_look_like(case: str) -> None:
    payload, expected = READ[case]
    assert chat.read(payload, ASK) == expected


USAGES: dict[str, tuple[dict[str, Any], Usage]] = {
    "reasoning apart": (
        {
            "prompt_tokens": 5,
            "completion_tokens": 7,
            "total_tokens": 15,
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        Usage(5, None, 10, 3, None, 1),
    ),
    "reasoning within": (
        {
            "prompt_tokens": 5,
            "completion_tokens": 7,
            "total_tokens": 12,
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        Usage(5, None, 7, 3, None, 1),
    ),
    "cost and cache": (
        {"prompt_tokens": 5, "completion_tokens": 7, "prompt_cache_hit_tokens": 4, "cost": 0.1},
        Usage(5, 4, 7, None, Decimal("0.1"), 1),
    ),
    "whole floats": ({"prompt_tokens": 5.0, "completion_tokens": 7.5}, Usage(5, None, None, None, None, 1)),
    "a cost that is none": ({"prompt_tokens": 5, "cost": float("nan")}, Usage(5, None, None, None, None, 1)),
    "a cost below zero": ({"prompt_tokens": 5, "cost": -1}, Usage(5, None, None, None, None, 1)),
    "half": ({"completion_tokens": 7}, Usage(None, None, 7, None, None, 1)),
    "nonsense": ({"prompt_tokens": True, "completion_tokens": "7"}, Usage(requests=1, unreported=1)),
}


@pytest.mark.parametrize("case", USAGES)
def test_usage(case: str) -> None:
    told, expected = USAGES[case]
    reply = chat.read({**completion(), "usage": told}, ASK)
    assert isinstance(reply, Reply)
    assert reply.usage == expected


def test_a_response_that_failed() -> None:
    failed = {"status": "failed", "output": [], "error": {"code": "server_error", "message": "oops"}}
    assert responses.read(failed, ASK) == Trouble("oops", "server_error")
    cut = {"status": "incomplete", "output": [], "incomplete_details": {"reason": "max_output_tokens"}}
    assert responses.read(cut, ASK) == Reply("", finish_reason="length")


def test_a_service_with_other_words(server: Server) -> None:
    server.script(raw('[{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}]', 400))
    model = model_at(server)
    with pytest.raises(Exception, match=r"rejects the request \(400\): bad"):
        model.complete(ASK)
    model.close()
