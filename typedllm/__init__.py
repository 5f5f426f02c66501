"""Typed output from language models: declare a type, get a value of that type or an error that says why not."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typedllm.budget import Budget
    from typedllm.client import AsyncClient, Client
    from typedllm.declared import Schema
    from typedllm.errors import (
        BudgetError,
        ModelError,
        ProgramError,
        RefusalError,
        RepairError,
        SchemaError,
        TruncatedError,
        TypedLLMError,
    )
    from typedllm.models import ChatModel
    from typedllm.prices import Price
    from typedllm.records import Attempt, Fix, Issue, Message, Policy, Reply, Request, Result, Usage

__all__ = [
    "AsyncClient",
    "Attempt",
    "Budget",
    "BudgetError",
    "ChatModel",
    "Client",
    "Fix",
    "Issue",
    "Message",
    "ModelError",
    "Policy",
    "Price",
    "ProgramError",
    "RefusalError",
    "RepairError",
    "Reply",
    "Request",
    "Result",
    "Schema",
    "SchemaError",
    "TruncatedError",
    "TypedLLMError",
    "Usage",
]

_MODULES = ("client", "declared", "models", "budget", "prices", "errors", "records")


def __getattr__(name: str) -> object:
    """The public names, imported at first use: importing the package costs next to nothing."""
    if name in __all__:
        for module in map(import_module, (f"{__name__}.{each}" for each in reversed(_MODULES))):
            if name in vars(module):
                globals()[name] = vars(module)[name]
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
