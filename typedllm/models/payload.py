"""What a service sent, read without trust: each part by the type that it has to have, or as if it were absent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from pydantic_core import from_json

from typedllm.records import FinishReason, TokenLogprob, Usage

UNREPORTED: Final = Usage(requests=1, unreported=1)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error that a service reports, in a reply of status 200, in a stream, or in an error reply.

    Attributes:
        message: what it says; empty when it says nothing.
        code: its own name or number for it.
        param: the part of the request that it names.
        generated: the text that the model wrote and that the service would not deliver.
    """

    message: str
    code: str = ""
    param: str = ""
    generated: str | None = None

    @property
    def status(self) -> int | None:
        """The HTTP status, where the service gives it as the error's code."""
        return int(self.code) if self.code.isdecimal() and len(self.code) == 3 else None


def parse(data: bytes | str) -> object:
    """The JSON value.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return cast("object", from_json(data))
    except ValueError:
        pass
    try:
        return cast("object", json.loads(data))  # the slower reader takes lone surrogates, which models do write
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def table(value: object) -> Mapping[str, object]:
    """The object, or an empty one."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def rows(value: object) -> Sequence[object]:
    """The array, or an empty one."""
    return cast("Sequence[object]", value) if isinstance(value, list) else ()


def text(value: object) -> str:
    """The string, or an empty one."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """The non-negative whole number, or None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def as_text(value: object) -> str:
    """The string; what is not one, as JSON text; nothing as an empty string."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


_FINISH: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "tool_calls": "stop",
    "function_call": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "abort": "cut",
}


def finish_reason(value: object, refusal: str | None = None) -> FinishReason | None:
    """The finish reason in the words of this package; None for one that is missing or unknown."""
    reason = _FINISH.get(text(value).lower())
    return "refusal" if refusal and reason in {"stop", None} else reason


def trouble(value: object) -> Trouble:
    """The error that is told in a reply's body, in whichever of the usual forms."""
    listed = rows(value)
    whole = table(listed[0] if len(listed) == 1 else value)
    error = whole.get("error", whole)
    told = table(error)
    message = text(told.get("message")) or text(error) or text(value) or as_text(whole.get("detail"))
    return Trouble(
        message.strip(),
        str(told.get("code") or told.get("type") or whole.get("code") or ""),
        text(told.get("param")),
        as_text(told["failed_generation"]) if "failed_generation" in told else None,
    )


def chosen_logprobs(value: object) -> tuple[TokenLogprob, ...] | None:
    """The log-probabilities in a choice: a list of tokens, or parallel lists; None when there are none."""
    found = table(value)
    entries = [table(row) for row in rows(found.get("content"))]
    if not entries:
        names, numbers = rows(found.get("tokens")), rows(found.get("token_logprobs"))
        entries = [{"token": name, "logprob": number} for name, number in zip(names, numbers, strict=False)]
    return tokens_of(entries)


def tokens_of(entries: Sequence[Mapping[str, object]]) -> tuple[TokenLogprob, ...] | None:
    """Log-probabilities from their entries; None when there are none, or one of them is not a number."""
    tokens = tuple(
        TokenLogprob(_token(entry), float(number), _alternatives(entry.get("top_logprobs")))
        for entry in entries
        if isinstance(number := entry.get("logprob"), int | float)
    )
    return tokens if tokens and len(tokens) == len(entries) else None


def _alternatives(value: object) -> tuple[tuple[str, float], ...]:
    entries = map(table, rows(value))
    return tuple(
        (_token(entry), float(number)) for entry in entries if isinstance(number := entry.get("logprob"), int | float)
    )


def _token(entry: Mapping[str, object]) -> str:
    """The text of a token by its bytes, where the service tells them: its own text of a part of a character is none."""
    told = [byte for byte in rows(entry.get("bytes")) if isinstance(byte, int) and 0 <= byte < 256]
    return bytes(told).decode("utf-8", "surrogateescape") if told else text(entry.get("token"))
