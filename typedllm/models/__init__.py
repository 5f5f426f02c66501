"""Chat models: the only I/O of the package."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Protocol, runtime_checkable

from typedllm.records import Chunk, Reply, Request
from typedllm.schema.profiles import PROMPT_ONLY, Profile

__all__ = ["AsyncChatModel", "ChatModel", "StreamingChatModel", "profile_of"]


@runtime_checkable
class ChatModel(Protocol):
    """An LLM behind one method. Write a class with these two members to bring your own.

    A model may also have `profile` (a `Profile`: what the service accepts), `acomplete` (the same as `complete`,
    for models that are native to both worlds), `stream` / `astream`, `price` (a `Price`), and `count_tokens` (a method
    that counts the prompt of a `Request`, for budgets).
    """

    @property
    def name(self) -> str:
        """How the model is called in results, errors and logs, such as `openai:gpt-5-mini`."""
        ...

    def complete(self, request: Request, /) -> Reply | Awaitable[Reply]:
        """Ask once. An `async def` serves as well: both clients can drive either.

        Raises:
            ModelError: no usable reply came. A refusal or a truncation is a reply, not an error.
        """
        ...


@runtime_checkable
class AsyncChatModel(Protocol):
    """A chat model whose `complete` blocks and that has a coroutine function beside it."""

    async def acomplete(self, request: Request, /) -> Reply:
        """Ask once, without blocking the event loop."""
        ...


@runtime_checkable
class StreamingChatModel(Protocol):
    """A chat model that can give its reply in pieces. Closing the iterator closes the connection at once."""

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        """The reply in pieces; their texts together are the text of the reply."""
        ...

    def astream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """The same, without blocking the event loop."""
        ...


def profile_of(model: ChatModel) -> Profile:
    """What the model's service accepts; a model that does not say takes schemas in the prompt only."""
    profile = getattr(model, "profile", PROMPT_ONLY)
    return profile if isinstance(profile, Profile) else PROMPT_ONLY
