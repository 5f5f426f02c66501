"""The Chat Completions API: a request as its body, its reply and its stream events read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from math import inf
from typing import Any, Final

from typedllm.models.answer import Answer, Piece, expected, whole
from typedllm.models.payload import (
    UNREPORTED,
    Trouble,
    as_text,
    chosen_logprobs,
    count,
    finish_reason,
    rows,
    table,
    text,
    trouble,
)
from typedllm.records import Chunk, FinishReason, Native, Reply, Request, Usage
from typedllm.schema.profiles import Profile

PATH: Final = "/chat/completions"
TOP_LOGPROBS: Final = 5
_REASONING: Final = ("reasoning_content", "reasoning", "thinking", "reasoning_text")
_SILENT: Final = ("usage", "error", "x_groq")
_USUAL: Final = frozenset({"index", "delta", "finish_reason", "logprobs"})
_FIRST: Final = (0, None, "0", "")
"""How services number the first choice."""


def body(model: str, request: Request, profile: Profile, *, stream: bool) -> dict[str, Any]:
    """What is sent. Options that the API does not know pass as they are."""
    made: dict[str, Any] = {
        "model": model,
        "messages": [
            {
                "role": message.role,
                "content": message.content if isinstance(message.content, str) else [*map(dict, message.content)],
            }
            for message in request.messages
        ],
    }
    made.update(request.options)
    if "max_tokens" in made and profile.max_tokens != "max_tokens":
        made[profile.max_tokens] = made.pop("max_tokens")
    if request.logprobs:
        made.update(logprobs=True, top_logprobs=made.get("top_logprobs", TOP_LOGPROBS))
    if request.native is not None:
        made.update(_native(request.native), **profile.beside_native)
    if stream:
        made.update(stream=True, stream_options={"include_usage": True})
    return made


def tool_name(name: str) -> str:
    """The name in the characters and the length that services take."""
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", name)[:64] or "reply"


def _native(native: Native) -> dict[str, Any]:
    name = tool_name(native.name)
    if native.mode == "json":
        return {"response_format": {"type": "json_object"}}
    if native.mode == "schema":
        schema = {"name": name, "schema": native.document, "strict": native.strict}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    function: dict[str, Any] = {"name": name, "parameters": native.document}
    if native.strict:
        function["strict"] = True
    return {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": name}},
    }


def read(payload: object, request: Request) -> Reply | Trouble:
    """The reply, or the error that stands in its place."""
    completion = table(payload)
    choices = rows(completion.get("choices"))
    if not choices:
        return trouble(payload)
    choice = _first(choices)
    if choice.get("error"):
        return trouble(choice)
    message = table(choice.get("message")) or {"content": choice.get("text")}
    reader = Answer(expected(request))
    answer = whole(reader, _pieces(message, reader))
    refusal = text(message.get("refusal")) or None
    return Reply(
        answer.text,
        finish_reason=finish_reason(choice.get("finish_reason"), refusal),
        source=answer.source,
        refusal=refusal,
        reasoning=_reasoning(message),
        usage=read_usage(completion.get("usage")) or UNREPORTED,
        model=text(completion.get("model")),
        logprobs=chosen_logprobs(choice.get("logprobs")) if answer.source == "text" else None,
    )


def _first(choices: Any) -> Mapping[str, object]:
    return min(map(table, choices), key=lambda choice: count(choice.get("index")) or 0)


def _pieces(message: Mapping[str, object], answer: Answer) -> Iterator[Piece | None]:
    content = message.get("content")
    parts = rows(content)
    if not parts and content not in (None, []):  # a service that has read the JSON itself gives the object
        yield answer.add("text", as_text(content))
    for part in parts:
        yield answer.add("text", text(part) or text(table(part).get("text")))
    for place, call in enumerate(map(table, rows(message.get("tool_calls")))):
        arguments = table(call.get("function")).get("arguments")
        yield answer.add_call(call.get("index", place), as_text(arguments))
    if "function_call" in message:
        yield answer.add("tool", as_text(table(message["function_call"]).get("arguments")))


def _reasoning(message: Mapping[str, object]) -> str:
    said = next((found for name in _REASONING if (found := text(message.get(name)))), "")
    parts = [part for part in map(table, rows(message.get("content"))) if part.get("type") == "thinking"]
    return said + "".join(text(table(row).get("text")) for part in parts for row in rows(part.get("thinking")))


def read_usage(value: object) -> Usage | None:
    """What a service says that a reply cost; None when it says nothing.

    Services differ in whether reasoning is counted within the completion; the total tells.
    """
    usage = table(value)
    prompt, completion = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    if prompt is None and completion is None:
        return None
    reasoning = count(table(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    if reasoning and count(usage.get("total_tokens")) == (prompt or 0) + (completion or 0) + reasoning:
        completion = (completion or 0) + reasoning
    cached = count(table(usage.get("prompt_tokens_details")).get("cached_tokens"))
    cost = usage.get("cost")
    return Usage(
        prompt,
        count(usage.get("prompt_cache_hit_tokens")) if cached is None else cached,
        completion,
        reasoning,
        Decimal(str(cost))
        if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < inf
        else None,
        requests=1,
    )


class Events:
    """The events of one stream, read in order; of several choices, the first.

    Attributes:
        heard: whether an event was one of this API.
        finished: whether the service has said why the reply ended.
        counted: whether it has said what the reply cost.
    """

    def __init__(self, request: Request) -> None:
        self.heard = self.finished = self.counted = False
        self._answer = Answer(expected(request))
        self._model = ""
        self._refused = False

    def read(self, event: object) -> Iterable[Chunk | Trouble]:
        """What one event says."""
        found = table(event)
        return self._closely(event, found) if (usual := self._usual(found)) is None else usual

    def _usual(self, event: Mapping[str, object]) -> Iterable[Chunk] | None:
        """What nearly every event says, some text of the first choice and nothing else; None of any other."""
        choices = rows(event.get("choices"))
        if len(choices) != 1 or event.get("model", "") != self._model or any(map(event.get, _SILENT)):
            return None
        choice = table(choices[0])
        if choice.get("index") not in _FIRST or not choice.keys() <= _USUAL:
            return None
        delta = table(choice.get("delta"))
        content = delta.get("content")
        if not isinstance(content, str) or choice.get("finish_reason") or choice.get("logprobs"):
            return None
        if len(delta) > 1 and any(delta[name] for name in delta if name not in ("content", "role")):
            return None
        self.heard = True
        piece = self._answer.add("text", content)
        return (Chunk(piece.text, source=piece.source),) if piece else ()

    def _closely(self, event: object, found: Mapping[str, object]) -> Iterator[Chunk | Trouble]:
        if found.get("error") or not ("choices" in found or "usage" in found):
            told = trouble(event)
            if told.message or found.get("error"):
                yield told
            return  # a sign of life, such as a ping
        self.heard = True
        usage = read_usage(found.get("usage")) or read_usage(table(found.get("x_groq")).get("usage"))
        model = text(found.get("model"))
        self.counted = self.counted or usage is not None
        if usage or (model and model != self._model):
            self._model = model
            yield Chunk(usage=usage, model=model)
        for choice in map(table, rows(found.get("choices"))):
            if choice.get("index") in _FIRST:
                yield from self._choice(choice)

    def _choice(self, choice: Mapping[str, object]) -> Iterator[Chunk | Trouble]:
        if choice.get("error"):
            yield trouble(choice)
            return
        delta = table(choice.get("delta") or choice.get("message"))
        reasoning, refusal = _reasoning(delta), text(delta.get("refusal"))
        self._refused = self._refused or bool(refusal)
        logprobs = chosen_logprobs(choice.get("logprobs")) or ()
        if reasoning or refusal or logprobs:
            yield Chunk(reasoning=reasoning, refusal=refusal or None, logprobs=logprobs)
        for piece in _pieces(delta, self._answer):
            if piece:
                yield Chunk(piece.text, source=piece.source)
        if choice.get("finish_reason") and not self.finished:
            self.finished = True
            yield self._last(finish_reason(choice["finish_reason"], "refused" if self._refused else None))

    def close(self) -> Iterator[Chunk]:
        """What is left when the stream has ended as it should, without a finish reason."""
        if not self.finished:
            yield self._last("refusal" if self._refused else "stop")

    def _last(self, reason: FinishReason | None) -> Chunk:
        last = self._answer.end()
        return Chunk(last.text, source=last.source, finish_reason=reason)
