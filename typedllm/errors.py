"""The error tree.

TypedLLMError
├── SchemaError        the type cannot be rendered or validated; raised when it is declared
├── ModelError         no usable reply
│   ├── RefusalError   the model declined, or a content filter did
│   └── TruncatedError the token limit was met
├── RepairError        replies came, none was valid
├── BudgetError        a bound of time, tokens, bytes or money was met
└── ProgramError       a valid program failed while it ran

A message is: the fact in lower case, the thing, what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from typedllm.records import Attempt, Issue, Reply, Usage


class TypedLLMError(Exception):
    """Every error of this package.

    Attributes:
        attempts: the requests so far with their replies, oldest first.
        usage: what they cost, summed.
    """

    def __init__(self, message: str, *, attempts: Sequence[Attempt] = (), usage: Usage | None = None) -> None:
        super().__init__(message)
        self.attempts: tuple[Attempt, ...] = tuple(attempts)
        self.usage: Usage = usage if usage is not None else _sum(self.attempts)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(_rebuild, type(self)), (self.args, self.__dict__)


def _rebuild(kind: type[TypedLLMError], args: tuple[Any, ...], state: dict[str, Any]) -> TypedLLMError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def _sum(attempts: Sequence[Attempt]) -> Usage:
    return sum((attempt.usage for attempt in attempts), Usage())


class SchemaError(TypedLLMError, TypeError):
    """The type cannot be rendered or validated.

    Attributes:
        problems: each unsupported part: its path in the type, and the way out.
    """

    def __init__(self, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems: tuple[str, ...] = tuple(problems)


class ModelError(TypedLLMError):
    """No usable reply came.

    Attributes:
        code: what failed: `config`, `auth`, `rate_limit`, `connection`, `timeout`, `schema_rejected`,
            `bad_request`, `server`, `bad_response`, `unrecorded`.
        status: the HTTP status, when there was one.
        retryable: whether the same request may well succeed later.
        provider: which service was asked.
        reply: what came before the failure, such as the text of a stream that was cut.
        retries: how often the request was sent again before this.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "bad_response",
        status: int | None = None,
        retryable: bool = False,
        provider: str = "",
        reply: Reply | None = None,
        retries: int = 0,
        attempts: Sequence[Attempt] = (),
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message, attempts=attempts, usage=usage)
        self.code: str = code
        self.status: int | None = status
        self.retryable: bool = retryable
        self.provider: str = provider
        self.reply: Reply | None = reply
        self.retries: int = retries


class RefusalError(ModelError):
    """The model declined, or a content filter did. It is not asked again.

    Attributes:
        text: what it said.
    """

    def __init__(self, message: str, *, text: str = "", **keywords: Any) -> None:
        super().__init__(message, **keywords)
        self.text: str = text


class TruncatedError(ModelError):
    """The token limit was met before the reply was complete.

    Attributes:
        partial: the text that came.
    """

    def __init__(self, message: str, *, partial: str = "", **keywords: Any) -> None:
        super().__init__(message, **keywords)
        self.partial: str = partial


class RepairError(TypedLLMError):
    """Replies came, and none was valid within the bound.

    Attributes:
        issues: what was wrong with the last one.
    """

    def __init__(self, message: str, *, issues: Sequence[Issue] = (), attempts: Sequence[Attempt] = ()) -> None:
        super().__init__(message, attempts=attempts)
        self.issues: tuple[Issue, ...] = tuple(issues)


class BudgetError(TypedLLMError):
    """A bound was met.

    Attributes:
        bound: its name: `timeout`, `max_requests`, `max_seconds`, `max_input_tokens`, `max_output_tokens`,
            `max_cost`, `max_bytes`, `max_chars`.
        reply: what had come of the reply that met it, when one was on its way.
    """

    def __init__(
        self, message: str, *, bound: str, reply: Reply | None = None, attempts: Sequence[Attempt] = ()
    ) -> None:
        super().__init__(message, attempts=attempts)
        self.bound: str = bound
        self.reply: Reply | None = reply


class ProgramError(TypedLLMError):
    """A valid program failed while it ran.

    Attributes:
        step: index of the step that failed.
    """

    def __init__(self, message: str, *, step: int) -> None:
        super().__init__(message)
        self.step: int = step
