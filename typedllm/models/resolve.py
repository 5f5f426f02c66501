"""From what a caller names to a chat model."""

from __future__ import annotations

from typedllm.errors import ModelError
from typedllm.models import ChatModel


def resolve(spec: str | ChatModel | None) -> ChatModel:
    """The chat model that is meant.

    Raises:
        ModelError: nothing is known by that name.
    """
    if isinstance(spec, ChatModel):
        return spec
    raise ModelError(f"no chat model is known by this name: {spec!r} (give a ChatModel)", code="config")
