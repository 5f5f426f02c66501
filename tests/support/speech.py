"""How the loopback server says a step in each protocol: Chat Completions and Responses, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.server import Seen, Step

INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS = 11, 4, 7, 3


def whole(step: Step, seen: Seen) -> bytes:
    """The body of a reply that is not streamed."""
    made = _response(step, seen) if seen.path.endswith("/responses") else _completion(step, seen)
    return json.dumps(made).encode()


def events(step: Step, seen: Seen) -> Iterator[bytes]:
    """The events of a streamed reply."""
    responses = seen.path.endswith("/responses")
    for event in _response_events(step, seen) if responses else _chunks(step, seen):
        if step.comments:
            yield b": keep-alive\n\n"
        name = f"event: {event['type']}\n" if responses else ""
        yield f"{name}data: {json.dumps(event)}\n\n".encode()
    if step.trouble is not None:
        yield f"data: {json.dumps({'error': step.trouble})}\n\n".encode()
    elif step.done and not responses:
        yield b"data: [DONE]\n\n"


def _cut(text: str, pieces: int) -> list[str]:
    size = max(1, -(-len(text) // pieces))
    return [text[start : start + size] for start in range(0, len(text), size)]


# Chat Completions


def _usage(step: Step) -> dict[str, Any] | None:
    if step.usage is not True:
        return dict(step.usage) if step.usage else None
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
        "completion_tokens_details": {"reasoning_tokens": REASONING_TOKENS},
    }


def _logprobs(step: Step, seen: Seen) -> dict[str, Any] | None:
    if not step.logprobs or not seen.body.get("logprobs"):
        return None
    return {
        "content": [
            {"token": token, "logprob": value, "top_logprobs": [{"token": token, "logprob": value}]}
            for token, value in step.logprobs
        ]
    }


def _tool_name(seen: Seen) -> str:
    tools = seen.body.get("tools") or [{}]
    return str(tools[0].get("function", tools[0]).get("name", "tool"))


def _message(step: Step, seen: Seen) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": step.text}
    if step.refusal is not None:
        message["refusal"] = step.refusal
    if step.reasoning:
        message[step.reasoning_field] = step.reasoning
    if step.tool is not None:
        call = {"id": "call_1", "type": "function", "function": {"name": _tool_name(seen), "arguments": step.tool}}
        message["tool_calls"] = [call]
    return message


def _completion(step: Step, seen: Seen) -> dict[str, Any]:
    first = {"index": 0, "message": _message(step, seen), "logprobs": _logprobs(step, seen)}
    others = [
        {"index": n, "message": {"role": "assistant", "content": "other choice"}, "finish_reason": "stop"}
        for n in range(1, step.choices)
    ]
    if step.finish is not None:
        first["finish_reason"] = step.finish
    reply = {**_head(seen, "chat.completion"), "choices": [first, *others][: step.choices]}
    usage = _usage(step)
    return {**reply, "usage": usage} if usage else reply


def _head(seen: Seen, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1700000000, "model": seen.body.get("model", "")}


def _deltas(step: Step, seen: Seen) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    for piece in _cut(step.reasoning, step.pieces):
        yield {step.reasoning_field: piece}
    for piece in _cut(step.text or "", step.pieces):
        yield {"content": piece}
    for piece in _cut(step.refusal or "", step.pieces):
        yield {"refusal": piece}
    for number, piece in enumerate(_cut(step.tool or "", step.pieces)):
        start = {"id": "call_1", "type": "function"} if number == 0 else {}
        name = {"name": _tool_name(seen)} if number == 0 else {}
        yield {"tool_calls": [{"index": 0, **start, "function": {**name, "arguments": piece}}]}


def _chunks(step: Step, seen: Seen) -> Iterator[dict[str, Any]]:
    head = _head(seen, "chat.completion.chunk")
    deltas = list(_deltas(step, seen))
    if step.pieces == 1:
        deltas = [{name: value for delta in deltas for name, value in delta.items()}]
    for number, delta in enumerate(deltas):
        for index in range(1, step.choices):
            other = {"index": index, "delta": {"content": "other"}, "finish_reason": None}
            yield {**head, "choices": [other]}
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": None}
        if number == len(deltas) - 1:
            choice["logprobs"] = _logprobs(step, seen)
        if step.pieces == 1 and step.finish:
            choice["finish_reason"] = step.finish
        yield {**head, "choices": [choice][: step.choices]}
    if step.finish is not None and step.pieces > 1:
        yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": step.finish}][: step.choices]}
    usage = _usage(step)
    if usage and (seen.body.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": usage}


# Responses

_STATUS = {"length": "incomplete", "content_filter": "incomplete"}
_REASON = {"length": "max_output_tokens", "content_filter": "content_filter"}


def _content(step: Step, seen: Seen) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if step.text is not None:
        part: dict[str, Any] = {"type": "output_text", "text": step.text, "annotations": []}
        if step.logprobs and "message.output_text.logprobs" in (seen.body.get("include") or []):
            part["logprobs"] = [{"token": t, "logprob": v, "top_logprobs": []} for t, v in step.logprobs]
        parts.append(part)
    if step.refusal is not None:
        parts.append({"type": "refusal", "refusal": step.refusal})
    return parts


def _output(step: Step, seen: Seen) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if step.reasoning:
        items.append({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": step.reasoning}]})
    if step.choices and (step.text is not None or step.refusal is not None or step.tool is None):
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        items.append({**message, "content": _content(step, seen)})
    if step.tool is not None:
        call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": _tool_name(seen)}
        items.append({**call, "arguments": step.tool})
    return items


def _response(step: Step, seen: Seen) -> dict[str, Any]:
    finish = step.finish or ""
    usage = _usage(step)
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": _STATUS.get(finish, "completed"),
        "incomplete_details": {"reason": _REASON[finish]} if finish in _REASON else None,
        "error": None,
        "model": seen.body.get("model", ""),
        "output": _output(step, seen),
        "usage": usage
        and {
            "input_tokens": usage["prompt_tokens"],
            "input_tokens_details": usage.get("prompt_tokens_details"),
            "output_tokens": usage["completion_tokens"],
            "output_tokens_details": usage.get("completion_tokens_details"),
            "total_tokens": usage["total_tokens"],
        },
    }


def _response_events(step: Step, seen: Seen) -> Iterator[dict[str, Any]]:
    final = _response(step, seen)
    yield {"type": "response.created", "response": {**final, "status": "in_progress", "output": [], "usage": None}}
    for number, item in enumerate(final["output"]):
        place = {"output_index": number, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": number, "item": {**item, "content": []}}
        kinds = {
            "reasoning": (("response.reasoning_summary_text.delta", step.reasoning),),
            "message": (
                ("response.output_text.delta", step.text or ""),
                ("response.refusal.delta", step.refusal or ""),
            ),
            "function_call": (("response.function_call_arguments.delta", step.tool or ""),),
        }
        for kind, text in kinds[item["type"]]:
            for piece in _cut(text, step.pieces):
                yield {"type": kind, **place, "delta": piece}
        yield {"type": "response.output_item.done", "output_index": number, "item": item}
    if step.done and step.trouble is None:
        yield {"type": f"response.{final['status']}", "response": final}
