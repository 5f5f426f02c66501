"""`Meter`: what all calls of a client took together."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Final

from typedllm.records import Attempt, Usage

__all__ = ["Meter", "Totals", "counted_into"]

_ledger: Final[ContextVar[list[Usage] | None]] = ContextVar("ledger", default=None)


@contextmanager
def counted_into(ledger: list[Usage]) -> Generator[None]:
    """Within it, what the replies of any client cost is noted in the list too, and in that of such a block around it.

    Args:
        ledger: takes the usage of each reply. What is asked in threads that the block starts is not noted.
    """
    outer, start = _ledger.get(), len(ledger)
    token = _ledger.set(ledger)
    try:
        yield
    finally:
        _ledger.reset(token)
        if outer is not None:
            outer += ledger[start:]


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted up to a moment.

    Attributes:
        calls: calls that have ended.
        failed: of these, how many gave no value.
        cancelled: of these, how many were given up by the caller, or stopped by an error of the program.
        attempts: requests sent.
        unanswered: of these, how many brought no reply; what they cost is not known.
        repairs: of these, how many asked again because a reply was not valid.
        retries: how often the transport sent a request again; not among `attempts`.
        seconds: of all calls, from their beginning to their end; calls that run at once are each counted.
        usage: tokens and money of all replies.
    """

    calls: int = 0
    failed: int = 0
    cancelled: int = 0
    attempts: int = 0
    unanswered: int = 0
    repairs: int = 0
    retries: int = 0
    seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)


class Meter:
    """Counts what a client does; from any thread or task.

    An attempt is counted the moment that its reply is here, so that nothing is lost when the call fails later, is
    cancelled, or a stream is cut. A model that judges is counted by the client that asks it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = Totals()

    @property
    def totals(self) -> Totals:
        """What was counted so far; a snapshot."""
        with self._lock:
            return self._totals

    def reset(self) -> Totals:
        """Begin again at nothing.

        Returns:
            What was counted until now; no attempt falls in between.
        """
        with self._lock:
            totals, self._totals = self._totals, Totals()
            return totals

    def count_attempt(self, attempt: Attempt, retries: int = 0) -> None:
        """Count a request with what came of it.

        Args:
            attempt: its `judging` is left out: another client has counted that.
            retries: how often the transport sent it again.
        """
        reply, ledger = attempt.reply, _ledger.get()
        if reply is not None and ledger is not None:
            ledger.append(reply.usage)
        with self._lock:
            now = self._totals
            self._totals = replace(
                now,
                attempts=now.attempts + 1,
                unanswered=now.unanswered + (reply is None),
                repairs=now.repairs + (attempt.kind not in ("first", "step-down")),
                retries=now.retries + retries,
                usage=now.usage if reply is None else now.usage + reply.usage,
            )

    def count_call(self, seconds: float, *, failed: bool = False, cancelled: bool = False) -> None:
        """Count a call that has ended."""
        with self._lock:
            now = self._totals
            self._totals = replace(
                now,
                calls=now.calls + 1,
                failed=now.failed + failed,
                cancelled=now.cancelled + cancelled,
                seconds=now.seconds + seconds,
            )

    def __repr__(self) -> str:
        return f"Meter({self.totals})"
