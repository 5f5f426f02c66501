"""One streamed call without I/O: a driver tells it the chunks, it says what to show and what to do next."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from typedllm.confidence import Confidence
from typedllm.errors import BudgetError, ModelError, TruncatedError
from typedllm.models.chunks import Gathered
from typedllm.reading.extract import Extractor
from typedllm.reading.settle import Judge
from typedllm.records import MISSING, Chunk, Issue, Reply, Request, Result
from typedllm.repair import Ask, Call, Step, loop
from typedllm.repair.wired import Wired, reshaped
from typedllm.streaming.decoded import Decoded
from typedllm.streaming.guard import Guard
from typedllm.streaming.live import Live
from typedllm.streaming.shown import same
from typedllm.streaming.snapshots import Event, Snapshot

T = TypeVar("T")

_BROKEN: Final = frozenset({"connection", "silent"})
_DEPTH: Final = 4  # parts below are judged with the part around them: each is judged at most so often

log = logging.getLogger("typedllm")


@dataclass(frozen=True, slots=True)
class Stopped:
    """What came of stopping a stream early.

    A service does not say how many tokens a stream would have had, so these are characters, and what is known.

    Attributes:
        at: JSON Pointer of the part that could not be valid.
        received: characters of the reply until then.
        asked: characters of the replies that followed.
        kept: characters of the value (as JSON) that no later reply wrote again.
    """

    at: str
    received: int
    asked: int = 0
    kept: int = 0


class Core(Generic[T]):
    """Follows one call.

    Attributes:
        step: what the driver is to do next; None at the end.
        result: the outcome, at the end.
        invalid: issues of closed parts, met while the reply came.
        stopping: whether the driver is to close the connection.
        stopped: where the reply was stopped early; None: it was not.
    """

    def __init__(self, call: Call[T], clock: Callable[[], float] = time.monotonic) -> None:
        self.call = call
        self._settings = call.settings
        self.step: Step | None = None
        self.result: Result[T] | None = None
        self.invalid: list[Issue] = []
        self.stopping = False
        self.stopped: Stopped | None = None
        self._clock = clock
        self._shape: Wired | None = None  # of the reply, where it is not that of the type
        self._live = self._follower(None)
        self._forgot = ""  # the list whose items are not kept
        self._gathered = Gathered()
        self._extractor: Extractor | None = None
        self._guard = Guard(call.settings, None, clock)
        self._steps = loop(call)
        self._advance(None)

    # ---- the loop ----

    def done(self, outcome: object) -> None:
        """The step was done, with this outcome."""
        self._advance(outcome)

    def failed(self, error: Exception) -> None:
        """The step failed. What came of a reply by then is kept on the error."""
        if isinstance(error, ModelError | BudgetError) and isinstance(self.step, Ask):
            if self._guard.length and isinstance(error, ModelError) and self._resumes(error):
                return
            if self._guard.length or error.reply is not None:
                error.reply = self._reply()
        self._advance(error)

    def leave(self) -> None:
        """The caller wants no more. What was received is accounted for; hooks may be left to run."""
        if isinstance(self.step, Ask) and self._gathered.ended:
            self.end()
        if isinstance(self.step, Ask):
            self._advance(
                ModelError(
                    "the stream is closed: it was left before its end (take items and result inside the with block)",
                    code="cancelled",
                    reply=self._reply() if self._guard.length else None,
                )
            )

    def close(self) -> None:
        """End the call where it stands."""
        self._steps.close()
        self.step = None

    @property
    def request(self) -> Request:
        """What is to be sent."""
        assert isinstance(self.step, Ask)
        return replace(self.step.request, idle_timeout=self._settings.idle_timeout, partial=False)

    def _resumes(self, error: ModelError) -> bool:
        """Whether a reply that broke off is gone on with: the loop takes it for a truncated one."""
        broke = error.code in _BROKEN and self._settings.on_broken == "resume" and not self._forgot
        if broke:
            log.warning("%s: the stream broke off after %s characters: %s", self._name, self._guard.length, error)
            self._broken = True
            self._advance(self._reply())
        return broke

    @property
    def _name(self) -> str:
        return self.call.schema.name

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
            self._begin(self.step)
        elif self.result is not None and self.stopped is not None and self.result.ok:
            self.stopped = self._saved(self.stopped, self.result)

    # ---- one reply ----

    def _begin(self, step: Ask) -> None:
        """A reply begins to come. It is shown if it is to be the whole value: the parts that a patch brings are not."""
        self._gathered = Gathered()
        self.stopping = self._broken = False
        self._guard = Guard(self._settings, step.request.timeout, self._clock)
        self._extractor = self._live.extractor() if self._is_shown(step) else None

    def _is_shown(self, step: Ask) -> bool:
        """Whether what comes is the value as it grows; then what follows it is made, by the shape of the reply."""
        if not step.whole:
            return False
        shape = reshaped(self.call.schema, self.call.ladder[step.rung].profile, step.request.native)
        if shape is not None and shape.allows and not shape.wire.only_nulls:
            return False  # what the type gives up is known at the end
        if shape is not self._shape:
            self._live.void()
            before, self._shape = self._live.changes(), shape
            self._live = self._follower(shape)
            self._live.begin(before)
        return True

    def _follower(self, shape: Wired | None) -> Live | Decoded:
        if shape is not None and not shape.wire.only_nulls:
            return Decoded(shape, self._settings.policy)
        live = Live(self.call.schema.target, self._settings.policy, self._judge_of)
        live.nulls = shape is not None
        return live

    def take(self, chunk: Chunk) -> Snapshot | None:
        """Take in the next piece.

        Returns:
            What is new, when anything is.

        Raises:
            ModelError: it takes too long, or the same text comes again and again.
            BudgetError: the reply is too long.
        """
        self._gathered.add(chunk)
        if not chunk.text:
            return None
        self._guard.take(chunk.text)
        extractor = self._extractor
        if extractor is None:
            return None
        extractor.feed(chunk.text)
        snapshot = self._live.follow(extractor.latest)
        if snapshot is not None and self._settings.on_invalid != "off":
            self._judge(snapshot)
        return snapshot

    def shown(self) -> Snapshot | None:
        """What is new now that the reply is complete."""
        if self._extractor is None or self.stopping:
            return None
        self._extractor.close()
        reader = self._extractor.latest
        return None if reader is not None and reader.was_cut else self._live.follow(reader)

    def end(self) -> None:
        """The reply is complete, or was stopped: the loop goes on with it."""
        reply = self._reply()
        self._advance(self._unkept(reply) if self._forgot else reply)

    def forget(self, pointer: str) -> int:
        """Keep nothing of the items so far of the list at a pointer: neither their data nor their text.

        Returns:
            How many are gone; 0 as well once the list is closed.
        """
        gone = 0 if self._extractor is None or self.step is None else self._live.forget(pointer)
        if gone and self._extractor is not None:
            self._forgot = f"the items of {pointer or 'the list'}"
            self._extractor.forget()
            self._gathered.forget()
        return gone

    def part(self, pointer: str, *, growing: bool = False) -> Any:
        """The data at a JSON Pointer, as far as it was shown; see `Live.part`."""
        return self._live.part(pointer, growing=growing)

    def _unkept(self, reply: Reply) -> ModelError:
        """How a call ends whose text was not kept, so that there is nothing to be read as a whole."""
        if reply.finish_reason == "length":
            return TruncatedError(
                f"the reply was cut off at the token limit after {self._guard.length} characters (raise max_tokens=)",
                code="truncated",
                reply=reply,
            )
        return ModelError(
            f"{self._forgot} were handed out and not kept (for the whole as well: keep=True)",
            code="unkept",
            reply=reply,
        )

    def final(self) -> Snapshot | None:
        """The value as data, where it is not what was shown: it was found elsewhere in the reply, or repaired."""
        result, live = self.result, self._live
        if result is None or not result.ok:
            return None
        reply = result.attempts[-1].reply
        is_container = reply is not None and reply.text.lstrip()[:1] in ("{", "[")  # no brackets within a text
        as_written = isinstance(result.fixes, tuple) and not result.fixes  # others would have to be worked out
        shown = self._extractor is not None and isinstance(live, Live) and live.shown is not MISSING
        if is_container and as_written and shown:
            return None  # the text is JSON, and was shown
        data = result.confidence.data if isinstance(result.confidence, Confidence) else MISSING
        if data is MISSING:
            data = json.loads(self.call.schema.dump(result.value))
        return None if same(data, live.shown) else live.settle(data)

    def _reply(self) -> Reply:
        reply = self._gathered.reply(seconds=self._guard.seconds, first_token_seconds=self._guard.first)
        return replace(reply, finish_reason="cut") if self.stopping or self._broken else reply

    def _saved(self, stopped: Stopped, result: Result[T]) -> Stopped:
        replies = [attempt.reply for attempt in result.attempts if attempt.reply is not None]
        cut = next(at for at, reply in enumerate(replies) if reply.finish_reason == "cut")
        asked = sum(len(reply.text) for reply in replies[cut + 1 :])
        return replace(stopped, asked=asked, kept=max(0, len(self.call.schema.dump(result.value)) - asked))

    def _judge(self, snapshot: Snapshot) -> None:
        """See whether a part that is final can be valid at all."""
        for event in snapshot.events:
            if event.kind == "closed" and 0 < event.path.count("/") <= _DEPTH:
                known = {(issue.path, issue.code) for issue in self.invalid}
                issues = [issue for issue in self.issues(event) if (issue.path, issue.code) not in known]
                self.invalid += issues
                if issues and self._settings.on_invalid == "stop" and not self._forgot:
                    self.stopping = True
                    self.stopped = self.stopped or Stopped(issues[0].path, self._guard.length)
                elif issues:
                    log.warning("%s: a part of the reply is not valid: %s", self.call.schema.name, issues[0].path)

    def _judge_of(self, path: str) -> Judge[Any] | None:
        """What judges the data at a JSON Pointer."""
        schema: Any = self.call.schema.part(path)

        def judge(data: Any, _: str | None) -> tuple[Any, tuple[Issue, ...]]:
            issues = schema.validate(data, context=self.call.settings.context).issues
            return None, tuple(replace(issue, path=path + issue.path) for issue in issues)

        return None if schema is None else judge

    def issues(self, event: Event) -> tuple[Issue, ...]:
        """What is wrong with a closed part, with its place in the whole."""
        judge = self._judge_of(event.path)
        return () if judge is None or event.value is MISSING else judge(event.value, None)[1]
