"""What stands beside the loop of one call: budgets, prices, the meter, hooks, traces. The loop tells it what happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from typedllm.budget import Budget, Spending, actual, estimate, estimate_tokens
from typedllm.errors import BudgetError, ModelError
from typedllm.meter import Meter
from typedllm.options import Settings
from typedllm.prices import Tariff, tariff_of
from typedllm.records import Attempt, AttemptKind, Reply, Request
from typedllm.tracing import Scope, Trace

__all__ = ["Known", "Watch"]

log = logging.getLogger("typedllm")

Hook = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Known:
    """What a `ChatModel` says of itself beyond its profile.

    Attributes:
        price: a `Price`, where it has an attribute of that name.
        count_tokens: counts the tokens of a request's prompt, where it has a method of that name.
    """

    price: object = None
    count_tokens: Callable[[Request], int] | None = None


_NOTHING_KNOWN: Final = Known()
_NOTHING_WANTED: Final = Spending()


@dataclass(slots=True)
class _Flight:
    """A request on its way."""

    kind: AttemptKind
    request: Request
    model: str
    reserved: Spending
    tariff: Tariff | None
    sent: float


@dataclass(slots=True)
class Watch:
    """Keeps account of one call.

    Attributes:
        settings: the merged options of the call.
        models: what the models say of themselves, by name.
        meter: counts the attempts and the call.
        clock: seconds, monotonic.
        budgets: what the call draws on, once it has begun.
    """

    settings: Settings = field(default_factory=Settings)
    models: Mapping[str, Known] = field(default_factory=dict[str, Known])
    meter: Meter = field(default_factory=Meter)
    clock: Callable[[], float] = time.monotonic
    budgets: tuple[Budget, ...] = ()
    _flight: _Flight | None = None
    _began: float = 0.0
    _trace: Trace | None = None

    @property
    def scope(self) -> Scope:
        """The context in which a driver does what the loop asks for: the open span is the current one there."""
        return nullcontext if self._trace is None else self._trace.scope

    def begin(self, schema: str) -> None:
        """The call begins.

        Args:
            schema: name of the declared type.
        """
        self._began = self.clock()
        self._trace = self.settings.tracing.trace(schema) if self.settings.tracing is not None else None
        self.budgets = tuple(budget.for_call() for budget in self.settings.budgets)

    def before(self, kind: AttemptKind, request: Request, model: str) -> Request:
        """A request is to be sent: what the budgets let through.

        Returns:
            The request; its timeout is what the budgets leave, when that is less.

        Raises:
            BudgetError: a bound is met, or money is bounded and the model's price is not known.
        """
        known = self.models.get(model, _NOTHING_KNOWN)
        tariff = tariff_of(model, self.settings.price, known.price)
        wanted = self._wanted(request, model, known, tariff)
        for done, budget in enumerate(self.budgets):
            try:
                budget.reserve(wanted)
            except BudgetError:
                for earlier in self.budgets[:done]:
                    earlier.settle(wanted, Spending())
                raise
        if self.budgets:
            limits = [request.timeout, *(budget.seconds_left for budget in self.budgets)]
            request = replace(request, timeout=min((limit for limit in limits if limit is not None), default=None))
        if self._trace is not None:
            self._trace.sent(kind, request, model)
        self._flight = _Flight(kind, request, model, wanted, tariff, self.clock())
        return request

    def _wanted(self, request: Request, model: str, known: Known, tariff: Tariff | None) -> Spending:
        if not self.budgets:
            return _NOTHING_WANTED
        if tariff is None and any(budget.bounds_cost for budget in self.budgets):
            raise BudgetError(
                f"max_cost bounds a model whose price is not known: {model} (give price=Price(input=..., output=...), "
                "or install typedllm[prices] for the list prices of hosted models)",
                bound="max_cost",
            )
        return estimate((known.count_tokens or estimate_tokens)(request), tariff)

    def after(self, reply: Reply) -> Reply:
        """A reply came.

        Returns:
            The reply with its cost, and with the seconds that its model did not measure.
        """
        reply = self._came(reply)
        if self._trace is not None:
            self._trace.answered(reply)
        return reply

    def failed(self, error: ModelError | BudgetError) -> None:
        """The request brought an error; what came before it is accounted for like a reply."""
        retries, code = (error.retries, error.code) if isinstance(error, ModelError) else (0, "timeout")
        if error.reply is not None:
            error.reply = self._came(replace(error.reply, retries=max(error.reply.retries, retries)))
        else:
            self._unanswered(retries, charged=code == "timeout")
        if self._trace is not None:
            self._trace.failed(error)

    def _came(self, reply: Reply) -> Reply:
        assert self._flight is not None
        flight, self._flight = self._flight, None
        reply = _completed(reply, flight.tariff, self.clock() - flight.sent)
        if self.budgets:
            self._book(flight, actual(reply, flight.reserved, flight.tariff))
        self.meter.count_attempt(Attempt(flight.kind, flight.request, reply), reply.retries)
        return reply

    def late(self) -> BudgetError | None:
        """The error of a budget whose time is over."""
        return next((late for budget in self.budgets if (late := budget.late())), None)

    def attempted(self, attempt: Attempt) -> tuple[Hook, ...]:
        """An attempt is complete: the hooks that are to be run."""
        reply = attempt.reply
        log.debug(
            "%s: %s: %s, %d issues", attempt.model, attempt.kind, reply and reply.finish_reason, len(attempt.issues)
        )
        if self._trace is not None:
            self._trace.attempted(attempt)
        hook = self.settings.on_attempt
        return () if hook is None else (partial(hook, attempt),)

    def repairing(self, attempt: Attempt, request: Request) -> tuple[Hook, ...]:
        """A repair of the attempt is about to be asked for: the hooks that are to be run."""
        hook = self.settings.on_repair
        return () if hook is None else (partial(hook, attempt, request),)

    def end(self, attempts: Sequence[Attempt], error: BaseException | None, *, cancelled: bool = False) -> None:
        """The call has ended; a request that is still on its way was given up.

        Args:
            attempts: all of them.
            error: why there is no value; None: there is one.
            cancelled: whether the caller gave it up, or an error of the program did.
        """
        if self._flight is not None:
            self._unanswered(0, charged=True)
            if self._trace is not None and error is not None:
                self._trace.failed(error)
        if self._trace is not None:
            self._trace.end(attempts, error)
        cancelled = cancelled or (isinstance(error, ModelError) and error.code in ("cancelled", "unkept"))
        self.meter.count_call(self.clock() - self._began, failed=error is not None, cancelled=cancelled)

    def _unanswered(self, retries: int, *, charged: bool) -> None:
        """No reply came. Where the service may have worked all the same, the budgets are charged the estimate."""
        assert self._flight is not None
        flight, self._flight = self._flight, None
        self._book(flight, flight.reserved if charged else Spending(requests=flight.reserved.requests))
        self.meter.count_attempt(Attempt(flight.kind, flight.request, None), retries)

    def _book(self, flight: _Flight, spending: Spending) -> None:
        for budget in self.budgets:
            budget.settle(flight.reserved, spending)


def _completed(reply: Reply, tariff: Tariff | None, elapsed: float) -> Reply:
    usage = reply.usage
    cost = tariff.cost(usage) if usage.cost is None and tariff is not None else usage.cost
    if cost is not None:
        usage = replace(usage, cost=cost, priced=usage.requests)
    seconds = reply.seconds or elapsed
    waited = reply.queue_seconds or max(0.0, elapsed - seconds)
    return replace(reply, usage=usage, seconds=seconds, queue_seconds=waited)
