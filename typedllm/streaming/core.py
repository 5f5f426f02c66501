"""One streamed call without I/O: a driver tells it the chunks, it says what to show and what to do next."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from typedllm.errors import BudgetError, ModelError
from typedllm.models.chunks import Gathered
from typedllm.reading.extract import Extractor
from typedllm.records import MISSING, Chunk, Issue, Reply, Result
from typedllm.repair import Ask, Call, Step, loop
from typedllm.streaming.live import Live
from typedllm.streaming.snapshots import Event, Snapshot

T = TypeVar("T")

_PERIODS: Final = 512
_DEPTH: Final = 2

log = logging.getLogger("typedllm")


class Core(Generic[T]):
    """Follows one call.

    Attributes:
        step: what the driver is to do next; None at the end.
        result: the outcome, at the end.
        invalid: issues of closed parts, met while the reply came.
        stopping: whether the driver is to close the connection.
    """

    def __init__(self, call: Call[T], clock: Callable[[], float] = time.monotonic) -> None:
        self.call = call
        self._settings = call.settings
        self.step: Step | None = None
        self.result: Result[T] | None = None
        self.invalid: list[Issue] = []
        self.stopping = False
        self._clock = clock
        self._steps = loop(call)
        self._replies = 0
        self._advance(None)

    # ---- the loop ----

    def done(self, outcome: object) -> None:
        """The step was done, with this outcome."""
        self._advance(outcome)

    def failed(self, error: Exception) -> None:
        """The step failed. What came of a reply by then is kept on the error."""
        if isinstance(error, ModelError | BudgetError) and error.reply is None and self._came():
            error.reply = self._reply()
        self._advance(error)

    def close(self) -> None:
        """End the call where it stands; what was received by then is accounted for."""
        if self._came():
            self.failed(ModelError("the stream was left before its end", code="cancelled"))
        self._steps.close()
        self.step = None

    def _came(self) -> bool:
        """Whether a reply is coming, and some of it has."""
        return isinstance(self.step, Ask) and self._length > 0

    def _advance(self, outcome: object) -> None:
        try:
            if isinstance(outcome, Exception):
                self.step = self._steps.throw(outcome)
            else:
                self.step = self._steps.send(outcome)
        except StopIteration as stop:
            self.step, self.result = None, stop.value
        except BaseException:
            self.step = None
            raise
        if isinstance(self.step, Ask):
            self._begin()

    # ---- one reply ----

    def _begin(self) -> None:
        """A reply begins to come. Only the first is shown: that of a repair may be a part of the value."""
        self._gathered = Gathered()
        self._began, self.stopping = self._clock(), False
        self._first: float | None = None
        self._length, self._recent = 0, ""
        self._replies += 1
        schema = self.call.schema
        if self._replies == 1:
            self._extractor = Extractor(schema.target)
            self._live = Live(schema.target, self.call.settings.policy)

    def take(self, chunk: Chunk) -> Snapshot | None:
        """Take in the next piece.

        Returns:
            What is new, when anything is.

        Raises:
            ModelError: the same text comes again and again.
            BudgetError: the reply is too long.
        """
        self._gathered.add(chunk)
        if not chunk.text:
            return None
        now = self._clock() - self._began
        if self._first is None:
            self._first = now
        self._guard(chunk.text, now)
        if self._replies > 1:
            return None
        self._extractor.feed(chunk.text)
        snapshot = self._live.follow(self._extractor.latest)
        if snapshot is not None and self._settings.on_invalid != "off":
            self._judge(snapshot)
        return snapshot

    def shown(self) -> Snapshot | None:
        """What is new now that the reply is complete."""
        if self._replies > 1 or self.stopping:
            return None
        self._extractor.close()
        return self._live.follow(self._extractor.latest)

    def end(self) -> None:
        """The reply is complete, or was stopped: the loop goes on with it."""
        self._advance(self._reply())

    def final(self) -> Snapshot | None:
        """The value as data, where it is not what was shown: it was found elsewhere in the reply, or repaired."""
        result = self.result
        if result is None or not result.ok or (self._replies == 1 and self._live.complete):
            return None
        return self._live.replace(json.loads(self.call.schema.dump(result.value)))

    def _reply(self) -> Reply:
        seconds = self._clock() - self._began
        reply = self._gathered.reply(seconds=seconds, first_token_seconds=self._first)
        return replace(reply, finish_reason="cut") if self.stopping else reply

    def _guard(self, text: str, seconds: float) -> None:
        self._length += len(text)
        timeout = self.step.request.timeout if isinstance(self.step, Ask) else None
        if timeout is not None and seconds > timeout:
            raise ModelError("the stream was cut: it did not end in time (raise timeout=)", code="timeout")
        if self._length > self._settings.max_chars:
            raise BudgetError(
                f"the stream was cut: it is longer than {self._settings.max_chars} characters (raise max_chars=)",
                bound="max_chars",
            )
        repeats = self._settings.max_repeats
        if repeats is None:
            return
        self._recent += text
        if len(self._recent) >= 2 * repeats:
            self._recent = self._recent[-repeats:]
            if any(self._recent[:-period] == self._recent[period:] for period in range(1, _PERIODS + 1)):
                raise ModelError(
                    f"the stream was cut: the same text came again and again for {repeats} characters (ask another "
                    "way, or allow it with max_repeats=None)",
                    code="looping",
                )

    def _judge(self, snapshot: Snapshot) -> None:
        """See whether a part that is final can be valid at all."""
        for event in snapshot.events:
            if event.kind == "closed" and 0 < event.path.count("/") <= _DEPTH:
                issues = self.issues(event)
                self.invalid += issues
                if issues and self._settings.on_invalid == "stop":
                    self.stopping = True
                elif issues:
                    log.warning("%s: a part of the reply is not valid: %s", self.call.schema.name, issues[0].path)

    def issues(self, event: Event) -> tuple[Issue, ...]:
        """What is wrong with a closed part, with its place in the whole."""
        schema: Any = self.call.schema.part(event.path)
        if schema is None or event.value is MISSING:
            return ()
        found = schema.validate(event.value, context=self.call.settings.context).issues
        return tuple(replace(issue, path=event.path + issue.path) for issue in found)
