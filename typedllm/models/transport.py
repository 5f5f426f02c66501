"""Sending one request as often as the transport needs: every decision, and no I/O.

`deliver` is a generator. It yields what to do (`Call`: send this; `Pause`: sleep), is sent what came of it, and
returns the outcome that stands. The drivers for both worlds are a few lines each.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Generic, Literal, TypeVar

T = TypeVar("T")

MAX_PAUSE: Final = 60.0
_FINAL: Final = frozenset({"TooManyRedirects", "DecodingError", "UnsupportedProtocol", "InvalidURL"})
"""What an HTTP client raises for an answer, or an address, that will be the same again."""
_FIRST_BACKOFF: Final = 0.5
_MAX_BACKOFF: Final = 8.0


async def _asleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that a test can stand in for both.

    Attributes:
        now: seconds on a clock that never goes back.
        sleep: wait so many seconds.
        asleep: the same, without blocking the event loop.
        chance: a number from 0 to 1, for the jitter.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = _asleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Call:
    """Send this.

    Attributes:
        path: below the base URL.
        body: the JSON body.
        stream: whether the open response is wanted, in place of its body.
        timeout: seconds that it may take; None: as long as the HTTP client allows.
        headers: further headers.
    """

    path: str
    body: Mapping[str, Any]
    stream: bool = False
    timeout: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Pause:
    """Sleep."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """No reply came.

    Attributes:
        kind: `status` (an error reply), `connection`, `timeout`, `silent` (a stream that nothing comes from any more),
            or `too_long` (more bytes than allowed).
        cause: the vendor's error.
        status: the HTTP status of an error reply.
        headers: its headers, names in lower case.
        body: its body, parsed if it is JSON.
    """

    kind: Literal["status", "connection", "timeout", "silent", "too_long"]
    cause: Exception
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: object = None

    @property
    def retryable(self) -> bool:
        """Whether the same request may well succeed when it is sent again."""
        if self.status is None:
            causes = {type(error).__name__ for error in (self.cause, self.cause.__cause__)}
            return self.kind != "too_long" and not causes & _FINAL
        advice = self.headers.get("x-should-retry")
        if advice in {"true", "false"}:
            return advice == "true"
        return self.status in {408, 409, 429} or (self.status >= 500 and self.status != 501)


@dataclass(frozen=True, slots=True)
class Delivered(Generic[T]):
    """What came of it in the end, and how often the request was sent again."""

    outcome: T | Failure
    retries: int


def deliver(
    call: Call, *, max_retries: int, clock: Clock, retryable: Callable[[Failure], bool]
) -> Generator[Call | Pause, Any, Delivered[Any]]:
    """Send a call, again when that may help, within the time that it has.

    A wait that would not leave time for another attempt, or that is longer than `MAX_PAUSE`, is not begun: the
    failure stands at once.

    Args:
        call: what is sent; its `timeout` bounds all attempts and pauses together.
        max_retries: how often it is sent again at most.
        clock: time and chance.
        retryable: whether it may help to send it again.
    """
    deadline = None if call.timeout is None else clock.now() + call.timeout
    retries = 0
    while True:
        outcome = yield call
        if not isinstance(outcome, Failure) or retries == max_retries or not retryable(outcome):
            return Delivered(outcome, retries)
        wait = retry_after(outcome.headers, datetime.now(UTC))
        if wait is None:
            wait = min(_FIRST_BACKOFF * 2**retries, _MAX_BACKOFF) * (1 - clock.chance() / 4)
        left = None if deadline is None else deadline - clock.now()
        if wait > MAX_PAUSE or (left is not None and wait >= left):
            return Delivered(outcome, retries)
        yield Pause(wait)
        retries += 1
        if deadline is not None:
            call = replace(call, timeout=max(0.001, deadline - clock.now()))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that a service asks to wait: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
