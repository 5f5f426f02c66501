"""A result as a person reads it on a terminal, and as a program reads it from a pipe."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json
from rich.console import Console
from rich.json import JSON

from typedllm.cli.exits import code_of
from typedllm.cli.screen import note
from typedllm.records import Attempt, Result, Usage


def value_json(value: Any) -> str:
    """A value as JSON, in one line."""
    return to_json(value, by_alias=True).decode()


def result_json(result: Result[Any], **more: Any) -> str:
    """A result with all its story as one JSON object, in one line; `more` stands in front."""
    error = result.error
    return value_json(
        more
        | {
            "value": None if error else result.value,
            "error": error and {"kind": type(error).__name__, "message": str(error), "exit": int(code_of(error))},
            "model": result.model,
            "attempts": [_attempt(attempt) for attempt in result.attempts],
            "fixes": tuple(result.fixes),
            "issues": result.issues,
            "usage": result.usage,
            "seconds": round(result.seconds, 3),
        }
    )


def _attempt(attempt: Attempt) -> dict[str, Any]:
    reply = attempt.reply
    return {
        "kind": attempt.kind,
        "reply": reply and reply.text,
        "finish_reason": reply and reply.finish_reason,
        "fixes": tuple(attempt.fixes),
        "issues": attempt.issues,
        "usage": reply and reply.usage,
        "seconds": reply and round(reply.seconds, 3),
    }


def show_value(value: Any) -> None:
    """A value on standard output: coloured and indented for a person."""
    Console().print(JSON(value_json(value), indent=2, ensure_ascii=False), soft_wrap=True)


def show_story(result: Result[Any]) -> None:
    """How a result came about, on standard error: attempts with their issues, fixes, tokens, time."""
    several = len(result.attempts) > 1
    for number, attempt in enumerate(result.attempts, 1):
        if attempt.issues or several:
            note(f"attempt {number} ({attempt.kind})" + ("" if attempt.issues else ": valid"), "bold")
        for issue in attempt.issues:
            note(f"  {issue}", "red")
    for fix in result.fixes:
        note(f"fix {fix}" + ("" if fix.lossless else " (lossy)"), "yellow")
    note(f"{count(len(result.attempts), 'attempt')}, {tokens(result.usage)}, {result.seconds:.1f} s, {result.model}")


def count(number: int, what: str) -> str:
    """A number with its noun."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def tokens(usage: Usage) -> str:
    """The tokens used, in words; what was not reported is said, never 0."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return "tokens not reported"
    cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
    return f"{usage.input_tokens} tokens in{cached}, {usage.output_tokens} out"
