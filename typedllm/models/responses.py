"""The Responses API: a request as its body, its reply and its stream events read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from typedllm.models.answer import Answer, Piece, expected, whole
from typedllm.models.chat import TOP_LOGPROBS, tool_name
from typedllm.models.payload import (
    UNREPORTED,
    Trouble,
    as_text,
    count,
    finish_reason,
    rows,
    table,
    text,
    tokens_of,
    trouble,
)
from typedllm.records import Chunk, Message, Native, Reply, Request, TokenLogprob, Usage
from typedllm.schema.profiles import Profile

PATH: Final = "/responses"
_LOGPROBS: Final = "message.output_text.logprobs"


def body(model: str, request: Request, profile: Profile, *, stream: bool) -> dict[str, Any]:
    """What is sent. Options stand under their Chat Completions names; those that this API lacks pass as they are.

    The reply is not kept by the service (`store`), unless the options say so.
    """
    made: dict[str, Any] = {"model": model, "input": [*map(_message, request.messages)], "store": False}
    made.update(request.options)
    for name in ("max_tokens", "max_completion_tokens"):
        if name in made:
            made["max_output_tokens"] = made.pop(name)
    if "reasoning_effort" in made:
        made["reasoning"] = {**made.get("reasoning", {}), "effort": made.pop("reasoning_effort")}
    if "verbosity" in made:
        made["text"] = {**made.get("text", {}), "verbosity": made.pop("verbosity")}
    if request.logprobs:
        made.setdefault("top_logprobs", TOP_LOGPROBS)
        made["include"] = [*made.get("include", ()), _LOGPROBS]
    if request.native is not None:
        _add_native(made, request.native)
        made.update(profile.beside_native)
    if stream:
        made["stream"] = True
    return made


def _message(message: Message) -> dict[str, Any]:
    if isinstance(message.content, str):
        return {"role": message.role, "content": message.content}
    kind = "output_text" if message.role == "assistant" else "input_text"
    return {"role": message.role, "content": [_part(part, kind) for part in message.content]}


def _part(part: Mapping[str, Any], kind: str) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"type": kind, "text": part["text"]}
    if part.get("type") == "image_url":
        image = part["image_url"]
        made = {"type": "input_image", "image_url": image["url"]}
        return {**made, "detail": image["detail"]} if "detail" in image else made
    return dict(part)


def _add_native(made: dict[str, Any], native: Native) -> None:
    name = tool_name(native.name)
    if native.mode == "tool":
        tool = {"type": "function", "name": name, "parameters": native.document, "strict": native.strict}
        made.update(tools=[tool], tool_choice={"type": "function", "name": name})
        return
    form: dict[str, Any] = {"type": "json_object"}
    if native.mode == "schema":
        form = {"type": "json_schema", "name": name, "schema": native.document, "strict": native.strict}
    made["text"] = {**made.get("text", {}), "format": form}


def read(payload: object, request: Request) -> Reply | Trouble:
    """The reply, or the error that stands in its place."""
    response = table(payload)
    items = [*map(table, rows(response.get("output")))]
    status = response.get("status")
    if response.get("error") or (not items and status != "incomplete"):
        return trouble(payload)
    reader = Answer(expected(request))
    answer = whole(reader, _pieces(items, reader))
    parts = [part for item in items for part in map(table, rows(item.get("content")))]
    refusal = "".join(text(part.get("refusal")) for part in parts) or None
    reason = text(table(response.get("incomplete_details")).get("reason")) or ("stop" if status == "completed" else "")
    entries = [table(entry) for part in parts for entry in rows(part.get("logprobs"))]
    return Reply(
        answer.text,
        finish_reason=finish_reason(reason, refusal),
        source=answer.source,
        refusal=refusal,
        reasoning="".join(_reasoning(items)),
        usage=_usage(response.get("usage")) or UNREPORTED,
        model=text(response.get("model")),
        logprobs=tokens_of(entries) if answer.source == "text" else None,
    )


def _pieces(items: list[Mapping[str, object]], answer: Answer) -> Iterator[Piece | None]:
    for item in items:
        if item.get("type") == "function_call":
            yield answer.add_call(item.get("call_id"), as_text(item.get("arguments")))
        elif item.get("type") == "message":
            for part in map(table, rows(item.get("content"))):
                yield answer.add("text", text(part.get("text")))


def _reasoning(items: list[Mapping[str, object]]) -> Iterator[str]:
    for item in items:
        if item.get("type") == "reasoning":
            for part in (*rows(item.get("summary")), *rows(item.get("content"))):
                yield text(table(part).get("text"))


def _usage(value: object) -> Usage | None:
    usage = table(value)
    given, made = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    if given is None and made is None:
        return None
    cached = count(table(usage.get("input_tokens_details")).get("cached_tokens"))
    return Usage(given, cached, made, count(table(usage.get("output_tokens_details")).get("reasoning_tokens")), None, 1)


class Events:
    """The events of one stream, read in order.

    Attributes:
        heard: whether an event was one of this API.
        finished: whether the service has said why the reply ended.
        counted: whether it has said what the reply cost: it says both at once.
    """

    def __init__(self, request: Request) -> None:
        self.heard = self.finished = self.counted = False
        self._request = request
        self._answer = Answer(expected(request))
        self._spoken = False

    def read(self, event: object) -> Iterator[Chunk | Trouble]:
        """What one event says."""
        found = table(event)
        kind = text(found.get("type"))
        delta = text(found.get("delta"))
        self.heard = self.heard or kind.startswith("response.")
        if kind in {"response.completed", "response.incomplete"}:
            yield from self._end(found.get("response"))
        elif kind in {"error", "response.failed"} or (not kind and trouble(event).message):
            yield trouble(found.get("response", event))
        elif kind == "response.output_text.delta":
            yield from self._text(self._answer.add("text", delta), found)
        elif kind == "response.function_call_arguments.delta":
            yield from self._text(self._answer.add_call(found.get("output_index"), delta), {})
        elif kind == "response.refusal.delta":
            yield Chunk(refusal=delta)
        elif kind in {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}:
            yield Chunk(reasoning=delta)

    def _text(self, piece: Piece | None, event: Mapping[str, object]) -> Iterator[Chunk]:
        self._spoken = True
        logprobs: tuple[TokenLogprob, ...] = tokens_of([*map(table, rows(event.get("logprobs")))]) or ()
        if piece or logprobs:
            yield Chunk(piece.text if piece else "", source=piece.source if piece else None, logprobs=logprobs)

    def _end(self, response: object) -> Iterator[Chunk | Trouble]:
        self.finished = self.counted = True
        reply = read(response, self._request)
        if isinstance(reply, Trouble):
            yield reply
            return
        last = self._answer.end() if self._spoken else Piece(reply.text, "tool" if reply.source == "tool" else "text")
        yield Chunk(
            last.text, finish_reason=reply.finish_reason, source=last.source, usage=reply.usage, model=reply.model
        )

    def close(self) -> Iterator[Chunk]:
        """What is left when the stream ended without its last event: nothing that would make it whole."""
        return iter(())
