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
    from typedllm.schema.unknown import Known, NotStated
    from typedllm.schema.vocabulary import Vocabulary
    from typedllm.streaming import Event, Snapshot

__all__ = [
    "AsyncClient",
    "Attempt",
    "Budget",
    "BudgetError",
    "ChatModel",
    "Client",
    "Event",
    "Fix",
    "Issue",
    "Known",
    "Message",
    "ModelError",
    "NotStated",
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
    "Snapshot",
    "TruncatedError",
    "TypedLLMError",
    "Usage",
    "Vocabulary",
]

_NAMES = {
    "budget": "Budget",
    "client": "AsyncClient Client",
    "declared": "Schema",
    "errors": "BudgetError ModelError ProgramError RefusalError RepairError SchemaError TruncatedError TypedLLMError",
    "models": "ChatModel",
    "prices": "Price",
    "records": "Attempt Fix Issue Message Policy Reply Request Result Usage",
    "schema.unknown": "Known NotStated",
    "schema.vocabulary": "Vocabulary",
    "streaming": "Event Snapshot",
}
_MODULE = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """The public names, imported at first use: importing the package costs next to nothing."""
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_MODULE[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]
