"""Typed output from language models: declare a type, get a value of that type or an error that says why not."""

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
from typedllm.records import Attempt, Fix, Issue, Message, Policy, Reply, Request, Result, Usage

__all__ = [
    "AsyncClient",
    "Attempt",
    "BudgetError",
    "ChatModel",
    "Client",
    "Fix",
    "Issue",
    "Message",
    "ModelError",
    "Policy",
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
