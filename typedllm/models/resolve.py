"""From what a caller writes to a chat model."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Final
from urllib.parse import urldefrag

from typedllm.errors import ModelError
from typedllm.models import ChatModel
from typedllm.models.openai import OpenAIModel
from typedllm.models.services import SERVICES

VARIABLE: Final = "TYPEDLLM_MODEL"


def resolve(spec: str | ChatModel | None = None) -> ChatModel:
    """The chat model that is meant.

    Args:
        spec: `"openai:gpt-5-mini"`, or another prefix of the table of services with the name of a model there;
            `"http://host/v1#model"` for any other service that speaks the API of OpenAI; `"local"` for the embedded
            model, `"local:/path/model.gguf"` for another one; `"replay:/path/replies.jsonl"` for recorded replies; a
            `ChatModel` as it is. None: what the variable `TYPEDLLM_MODEL` says, else the embedded model when it is
            installed.

    Raises:
        ModelError: nothing is meant, or it is not known (`code="config"`); the message lists the choices.
    """
    if spec is None:
        spec = os.environ.get(VARIABLE, "").strip() or None
    if spec is None:
        return _default()
    if not isinstance(spec, str):
        return _given(spec)
    if spec.startswith(("http://", "https://")):
        url, model = urldefrag(spec)
        if not model:
            raise ModelError(f"no model is named in {url} (write {url}#name)", code="config")
        return OpenAIModel(model, base_url=url)
    prefix, _, model = spec.partition(":")
    if prefix == "local":
        from typedllm.models.local import LocalModel

        return LocalModel(model or None)
    if prefix == "replay" and model:
        from typedllm.models.replay import ReplayModel

        return ReplayModel(model)
    if prefix not in SERVICES or not model:
        raise _unknown(spec, prefix)
    return OpenAIModel(model, service=prefix)


def _given(spec: object) -> ChatModel:
    if isinstance(spec, ChatModel):
        return spec
    kind = type(spec).__name__
    way = f"OpenAIModel('name', client={kind}(...))" if "OpenAI" in kind else f"a ChatModel, or text: {choices()}"
    raise ModelError(f"not a chat model: {kind} (give {way})", code="config")


def _default() -> ChatModel:
    from typedllm.models.weights import is_installed

    if not is_installed():
        raise ModelError(f"no model is configured ({choices()})", code="config")
    from typedllm.models.local import LocalModel

    return LocalModel()


def choices() -> str:
    """What can be configured, for a message."""
    return (
        f'set {VARIABLE} or pass one: "openai:gpt-5-mini" or another of {", ".join(sorted(SERVICES))};'
        ' "http://host/v1#model"; "local" after `pip install "typedllm[local]"` and `typedllm local pull`;'
        ' "replay:FILE" for recorded replies'
    )


def _unknown(spec: str, prefix: str) -> ModelError:
    if prefix in SERVICES:
        return ModelError(f"no model is named in {spec!r} (write {prefix}:NAME)", code="config", provider=prefix)
    service, _, model = spec.partition("/")
    near = get_close_matches(prefix, [*SERVICES, "local", "replay"], n=1)
    near = [f"{service}:{model}"] if service in SERVICES and model else near
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ModelError(f"no such model: {spec!r} ({hint}{choices()})", code="config")
