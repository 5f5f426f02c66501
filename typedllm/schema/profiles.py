"""What each family of services accepts and enforces, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from typedllm.records import NativeMode


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of services.

    Attributes:
        name: the family.
        as_of: the day on which the facts were read, as an ISO date.
        native: the ways in which it takes a schema, best first; empty: in the prompt only.
        shows_schema: whether it shows a native schema to the model itself, so that the prompt need not.
        logprobs: whether it gives token log-probabilities.
        max_tokens: its spelling of the token limit.
        example: whether its models are so small that the prompt should carry a generated example instance.
    """

    name: str
    as_of: str
    native: tuple[NativeMode, ...] = ()
    shows_schema: bool = False
    logprobs: bool = False
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    example: bool = False


PROMPT_ONLY: Final = Profile("prompt_only", "2026-11-24")
