"""What each family of services accepts and enforces, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from typedllm.records import NativeMode
from typedllm.schema import accepts
from typedllm.schema.accepts import Accepts


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
        example: whether its models are so small that a prompt whose schema is not enforced should carry a generated
            example instance.
        reasoning: where it puts reasoning text: in a field of the message, in `<think>` tags of the text, or nowhere.
        accepts: what a native schema may be made of; None: that is not known, and it is sent as it is.
        beside_native: further body fields that must stand beside a native schema so that it is enforced.
    """

    name: str
    as_of: str
    native: tuple[NativeMode, ...] = ()
    shows_schema: bool = False
    logprobs: bool = False
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    example: bool = False
    reasoning: Literal["", "reasoning_content", "reasoning", "content", "think"] = ""
    accepts: Accepts | None = None
    beside_native: Mapping[str, Any] = field(default_factory=dict[str, Any])


_AS_OF: Final = "2026-11-24"
_ALL: Final[tuple[NativeMode, ...]] = ("schema", "tool", "json")

PROMPT_ONLY: Final = Profile("prompt_only", _AS_OF)
GENERIC: Final = Profile("generic", _AS_OF, ("schema", "json"), logprobs=True, accepts=accepts.UNKNOWN)

OPENAI: Final = Profile(
    "openai", _AS_OF, _ALL, shows_schema=True, logprobs=True, max_tokens="max_completion_tokens", accepts=accepts.OPENAI
)
ANTHROPIC: Final = Profile("anthropic", _AS_OF, ("tool",), shows_schema=True, accepts=accepts.ANTHROPIC)
GEMINI: Final = Profile("gemini", _AS_OF, _ALL, shows_schema=True, accepts=accepts.GEMINI)
MISTRAL: Final = Profile("mistral", _AS_OF, _ALL, reasoning="content", accepts=accepts.MISTRAL)
GROQ: Final = Profile(
    "groq", _AS_OF, _ALL, max_tokens="max_completion_tokens", reasoning="reasoning", accepts=accepts.GROQ
)
DEEPSEEK: Final = Profile("deepseek", _AS_OF, ("json",), logprobs=True, reasoning="reasoning_content")
OPENROUTER: Final = Profile(
    "openrouter",
    _AS_OF,
    _ALL,
    reasoning="reasoning",
    accepts=accepts.OPENROUTER,
    beside_native={"provider": {"require_parameters": True}},
)
TOGETHER: Final = Profile("together", _AS_OF, ("schema", "json"), reasoning="reasoning", accepts=accepts.TOGETHER)
FIREWORKS: Final = Profile(
    "fireworks", _AS_OF, ("schema", "json"), reasoning="reasoning_content", accepts=accepts.FIREWORKS
)
XAI: Final = Profile("xai", _AS_OF, ("schema", "tool"), reasoning="reasoning_content", accepts=accepts.UNKNOWN)

OLLAMA: Final = Profile(
    "ollama", _AS_OF, ("schema", "json"), logprobs=True, reasoning="reasoning", accepts=accepts.OLLAMA
)
LMSTUDIO: Final = Profile("lmstudio", _AS_OF, ("schema",), reasoning="reasoning_content", accepts=accepts.LM_STUDIO)
VLLM: Final = Profile("vllm", _AS_OF, _ALL, logprobs=True, reasoning="reasoning", accepts=accepts.VLLM)
LLAMA_CPP: Final = Profile(
    "llama_cpp", _AS_OF, ("schema",), logprobs=True, reasoning="reasoning_content", accepts=accepts.LLAMA_CPP
)
