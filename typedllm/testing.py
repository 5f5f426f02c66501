"""For tests of programs that use typedllm: a scripted model, recorded replies, and a guard against the network."""

from __future__ import annotations

from typedllm.models.scripted import ScriptedModel

__all__ = ["ScriptedModel"]
