"""`Budget`: bounds on requests, seconds, tokens and money, for one call or for a whole job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Self

from typedllm.errors import BudgetError
from typedllm.prices import Tariff, money
from typedllm.records import Reply, Request, Usage

__all__ = ["BYTES_PER_TOKEN", "Budget", "Spending", "actual", "estimate", "estimate_tokens"]

BYTES_PER_TOKEN = 4
"""Bytes of UTF-8 that are taken for one token where nobody has counted. Byte-pair vocabularies give 3.5 to 4.5 for
English prose, 2.5 to 3.5 for JSON and code."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What counts towards a budget.

    Attributes:
        requests: requests sent, those that failed included; the transport's own retries are not counted.
        input_tokens: as reported; where a service reports none, estimated.
        output_tokens: likewise.
        cost: US dollars.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)

    def __add__(self, other: Spending) -> Spending:
        return Spending(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: Spending) -> Spending:
        return Spending(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))


class Budget:
    """Bounds that calls may share, between threads and tasks too.

    Each request is checked before it is sent: with what was spent, with what is on its way, and with an estimate of
    its own prompt. So requests are never exceeded, and the other bounds at most by what the requests that are on
    their way at that moment cost beyond their estimate: one for each call that runs.

    >>> job = Budget(max_cost="2.50", max_seconds=3600)
    """

    def __init__(
        self,
        *,
        max_requests: int | None = None,
        max_seconds: float | None = None,
        max_input_tokens: int | None = None,
        max_output_tokens: int | None = None,
        max_cost: Decimal | float | str | None = None,
        each_call: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the bounds; None: unbounded.

        Args:
            max_requests: requests that may be sent, repairs and failures included.
            max_seconds: seconds from the first request on; what is left also bounds the request that is sent.
            max_input_tokens: tokens of all prompts, cached ones included.
            max_output_tokens: tokens of all replies, reasoning included.
            max_cost: US dollars. The price of each model must be known: see `Price`.
            each_call: every call gets bounds of its own, instead of a share of these.
            clock: seconds, monotonic.

        Raises:
            ValueError: a bound is negative or no number.
        """
        self._bounds: dict[str, int | float | Decimal | None] = {
            "max_requests": max_requests,
            "max_seconds": max_seconds,
            "max_input_tokens": max_input_tokens,
            "max_output_tokens": max_output_tokens,
            "max_cost": None if max_cost is None else money("max_cost", max_cost),
        }
        for name, bound in self._bounds.items():
            if bound is not None and not bound >= 0:
                raise ValueError(f"{name} is not a bound from 0 on: {bound!r} (None: unbounded)")
        self.each_call = each_call
        self._clock = clock
        self._lock = threading.Lock()
        self._began: float | None = None
        self._spent = Spending()
        self._flying = Spending()

    @property
    def spent(self) -> Spending:
        """What was spent so far; what is on its way is not in it."""
        with self._lock:
            return self._spent

    @property
    def seconds_left(self) -> float | None:
        """Seconds until `max_seconds` is met; None: unbounded."""
        bound = self._bounds["max_seconds"]
        if bound is None:
            return None
        with self._lock:
            return float(bound) if self._began is None else max(0.0, float(bound) - (self._clock() - self._began))

    @property
    def bounds_cost(self) -> bool:
        """Whether money is bounded."""
        return self._bounds["max_cost"] is not None

    def for_call(self) -> Self:
        """The budget that a call draws on: this one, or with `each_call` a fresh one with the same bounds."""
        if not self.each_call:
            return self
        fresh = object.__new__(type(self))
        fresh.__dict__.update(self.__dict__, each_call=False, _lock=threading.Lock(), _began=None)
        fresh.__dict__.update(_spent=Spending(), _flying=Spending())
        return fresh

    def reserve(self, wanted: Spending) -> None:
        """Set aside what a request is estimated to need.

        Args:
            wanted: one request with its estimated tokens and cost.

        Raises:
            BudgetError: a bound is met, or would be by this request.
        """
        if late := self.late():
            raise late
        with self._lock:
            taken = self._spent + self._flying
            for name, bound in self._bounds.items():
                if bound is None or name == "max_seconds":
                    continue
                used, need = (getattr(each, name.removeprefix("max_")) for each in (taken, wanted))
                if used + need > bound:
                    raise self._met(name, f"{used} of {bound} are spent or on their way, and the next needs {need}")
            if self._began is None:
                self._began = self._clock()
            self._flying = self._flying + wanted

    def settle(self, reserved: Spending, actual: Spending) -> None:
        """Book what a request did cost in the place of what was set aside for it."""
        with self._lock:
            self._flying = self._flying - reserved
            self._spent = self._spent + actual

    def late(self) -> BudgetError | None:
        """The error that says that the time is over; None: it is not."""
        return self._met("max_seconds", f"{self._bounds['max_seconds']} s are over") if self.seconds_left == 0 else None

    def _met(self, bound: str, fact: str) -> BudgetError:
        return BudgetError(f"the budget is spent: {bound}: {fact} (raise {bound}=)", bound=bound)

    def __repr__(self) -> str:
        said = [f"{name}={bound}" for name, bound in self._bounds.items() if bound is not None]
        return f"Budget({', '.join([*said, 'each_call=True'] if self.each_call else said)}, spent={self.spent})"


def estimate_tokens(request: Request) -> int:
    """About how many tokens a request's prompt has: its bytes, the native schema's included, by `BYTES_PER_TOKEN`.

    What is not text (images) is not counted, as its tokens do not follow from its bytes.
    """
    size = sum(len(message.text.encode()) for message in request.messages)
    if request.native is not None and request.native.document:
        size += len(str(request.native.document))
    return -(-size // BYTES_PER_TOKEN)


def estimate(tokens: int, tariff: Tariff | None) -> Spending:
    """What a request with a prompt of so many tokens takes at the least: a reply has one token."""
    cost = tariff.cost(Usage(tokens, output_tokens=1)) if tariff is not None else None
    return Spending(1, tokens, 1, cost or Decimal(0))


def actual(reply: Reply, reserved: Spending, tariff: Tariff | None) -> Spending:
    """What a request took: as the service reports it, estimated where it reports nothing."""
    usage = reply.usage
    written = -(-len((reply.text + reply.reasoning).encode()) // BYTES_PER_TOKEN)
    tokens = reserved.input_tokens if usage.input_tokens is None else usage.input_tokens
    output = written if usage.output_tokens is None else usage.output_tokens
    cost = usage.cost
    if cost is None and tariff is not None:
        cost = tariff.cost(Usage(tokens, output_tokens=output))
    return Spending(1, tokens, output, reserved.cost if cost is None else cost)
