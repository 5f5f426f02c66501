"""What a command ends with: the exit codes, and one place where expected errors become a line on standard error."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from typedllm.cli.screen import complain
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


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    OK = 0
    INVALID = 1
    USAGE = 2
    MODEL = 3
    REFUSED = 4
    TRUNCATED = 5
    BUDGET = 6
    PROGRAM = 7
    INTERRUPTED = 130


class MistakeError(Exception):
    """The command was called in a way that cannot work; the message says what to do."""


_CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (MistakeError, Exit.USAGE),
    (SchemaError, Exit.USAGE),
    (RefusalError, Exit.REFUSED),
    (TruncatedError, Exit.TRUNCATED),
    (ModelError, Exit.MODEL),
    (BudgetError, Exit.BUDGET),
    (ProgramError, Exit.PROGRAM),
    (RepairError, Exit.INVALID),
)


def code_of(error: Exception | None) -> Exit:
    """The exit code that says what failed."""
    if error is None:
        return Exit.OK
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.INVALID)


class Commands(TyperGroup):
    """The group of all commands: an expected error is one line and an exit code, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command.

        Raises:
            typer.Exit: with the code of what failed.
        """
        try:
            return super().invoke(ctx)
        except (TypedLLMError, MistakeError) as error:
            complain(str(error))
            raise typer.Exit(code_of(error)) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(Exit.INTERRUPTED) from None
