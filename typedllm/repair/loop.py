"""The loop itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from typedllm import prompts
from typedllm.confidence import Confidence
from typedllm.errors import BudgetError, ModelError, RefusalError, RepairError, TruncatedError, TypedLLMError
from typedllm.records import Attempt, AttemptKind, Issue, Reading, Reply, Request, Result, Usage
from typedllm.repair.calls import Ask, Call, Check, Loop, Step, first_request
from typedllm.repair.checking import Checked, Subject, run_checks
from typedllm.repair.unsure import unsure

T = TypeVar("T")

QUOTE_LIMIT = 8_000
"""Characters of a rejected reply that a repair quotes."""

log = logging.getLogger("typedllm")


def loop(call: Call[T]) -> Loop[T]:
    """Drive one call to its result. Yields requests and checks; never raises for what a model does."""
    call.watch.begin(call.schema.name)
    run = _Run(call)
    try:
        result = yield from run.steps()
    except BaseException as error:
        call.watch.end(run.attempts, error, cancelled=True)
        raise
    call.watch.end(result.attempts, result.error)
    return result


class _Run(Generic[T]):
    def __init__(self, call: Call[T]) -> None:
        self.call = call
        self.started = call.clock()
        self.attempts: list[Attempt] = []
        self.repairs = 0
        self.rung = 0
        self.confidence: Confidence | dict[str, float] = {}

    def steps(self) -> Loop[T]:
        kind: AttemptKind = "first"
        request = first_request(self.call)
        while True:
            try:
                request = self._bounded(kind, request)
                answer = yield Ask(request, self.rung, self.call.watch.scope)
            except BudgetError as error:
                return self._failed(error)
            except ModelError as error:
                self.call.watch.failed(error)
                yield from self._attempted(Attempt(kind, request, error.reply, model=self._model))
                if self._steps_down(error, request):
                    kind, request = "step-down", first_request(self.call)
                    continue
                return self._failed(self._overdue(error) or error)
            assert isinstance(answer, Reply)
            reply = self.call.watch.after(answer)
            reading, checked = yield from self._examine(reply)
            yield from self._attempted(
                Attempt(kind, request, reply, reading.fixes, reading.issues, self._model, checked.usage)
            )
            if checked.error is not None:
                return self._failed(checked.error, reading)
            if reading.status == "ok":
                return self._result(reading)
            final = self._final(reading, reply)
            if final is not None:
                return self._failed(final, reading)
            self.repairs += 1
            kind, request = "full", self._full(reading, reply)
            yield from self._told("on_repair", self.call.watch.repairing(self.attempts[-1], request))

    @property
    def _model(self) -> str:
        return self.call.ladder[self.rung].model

    def _bounded(self, kind: AttemptKind, request: Request) -> Request:
        """The request within the bounds, or a `BudgetError`."""
        left = self._left()
        if left == 0:
            raise self._late()
        return self.call.watch.before(kind, replace(request, timeout=left), self._model)

    def _attempted(self, attempt: Attempt) -> Generator[Step, object, None]:
        self.attempts.append(attempt)
        yield from self._told("on_attempt", self.call.watch.attempted(attempt))

    def _told(self, name: str, hooks: Iterable[Callable[[], object]]) -> Generator[Step, object, None]:
        for hook in hooks:
            yield Check(hook, name, scope=self.call.watch.scope)

    def _examine(self, reply: Reply) -> Generator[Step, object, tuple[Reading[T], Checked]]:
        if reply.finish_reason in ("refusal", "content_filter"):
            words = reply.refusal or reply.text
            refused = Issue("", "refused", message=words or "the model declined")
            return Reading("refused", issues=(refused,)), Checked()
        settings = self.call.settings
        reading = self.call.schema.examine(reply.text, reply.finish_reason, settings.policy, settings.context)
        if reading.status != "ok":
            return reading, Checked()
        self.confidence = confidence = Confidence(
            reply.text, reply.logprobs or (), reading.spans, self.call.schema.document, lambda: reading.data
        )
        try:
            least = settings.min_confidence
            known = [] if least is None else unsure(confidence, least, self._model)
        except ModelError as error:
            return reading, Checked(error=error)
        checked = yield from run_checks(
            settings.checks, lambda: self._subject(reading.value), self.call.watch.scope, known
        )
        if checked.issues:
            reading = replace(reading, status="invalid", value=None, issues=tuple(checked.issues))
        return reading, checked

    def _subject(self, value: Any) -> Subject:
        call = self.call
        text = str(value) if call.schema.is_text else call.schema.dump(value)
        return Subject(value, text, call.task, call.watch.budgets, self._left())

    def _full(self, reading: Reading[T], reply: Reply) -> Request:
        """Ask for the whole value again; only the latest rejected reply stands in the conversation."""
        request = first_request(self.call)
        text = prompts.full_repair(reading.status, reply.text, reading.issues, QUOTE_LIMIT)
        return replace(request, messages=prompts.append(request.messages, text))

    def _steps_down(self, error: ModelError, request: Request) -> bool:
        """Whether the call goes on with a way of carrying the schema that the service has not refused."""
        if error.code != "schema_rejected" or request.native is None or self.call.settings.native != "auto":
            return False
        self.call.ladder[self.rung].refused.add(request.native.mode)
        log.warning(
            "%s refused the schema as %s; stepping down (%s)",
            self.call.ladder[self.rung].model,
            request.native.mode,
            error.status,
        )
        return True

    def _final(self, reading: Reading[T], reply: Reply) -> TypedLLMError | None:
        """The error that ends the call after this reading; None: a repair may follow."""
        if reading.status == "refused":
            words = reading.issues[0].message
            return RefusalError(
                f"the model declined: {words} (reword the request, or ask another model)", text=words, code="refused"
            )
        if reading.status == "truncated":
            return TruncatedError(
                f"the reply was cut off at the token limit after {len(reply.text)} characters (raise max_tokens=)",
                partial=reply.text,
                code="truncated",
            )
        if self.repairs >= self.call.settings.max_repairs:
            count = self.repairs + 1
            tries = f"{count} attempt{'s' if count > 1 else ''}"
            return RepairError(
                f"no valid reply in {tries}; last: {reading.issues[0]} (allow more with max_repairs=, or loosen "
                f"{self.call.schema.name})",
                issues=reading.issues,
            )
        return None

    def _left(self) -> float | None:
        timeout = self.call.settings.timeout
        return None if timeout is None else max(0.0, timeout - (self.call.clock() - self.started))

    def _overdue(self, error: ModelError) -> BudgetError | None:
        """The bound that a request met which ran out of time."""
        if error.code != "timeout":
            return None
        return self._late() if self._left() == 0 else self.call.watch.late()

    def _late(self) -> BudgetError:
        seconds = self.call.settings.timeout
        return BudgetError(f"the time bound was met: {seconds} s for the whole call (raise timeout=)", bound="timeout")

    def _failed(self, error: TypedLLMError, reading: Reading[T] | None = None) -> Result[T]:
        error.attempts = tuple(self.attempts)
        error.usage = self._usage()
        return self._result(reading or Reading("invalid"), error)

    def _result(self, reading: Reading[T], error: TypedLLMError | None = None) -> Result[T]:
        return Result(
            reading.value if error is None else None,
            error,
            tuple(self.attempts),
            reading.fixes,
            reading.issues,
            reading.spans,
            reading.candidates,
            self._usage(),
            self.call.clock() - self.started,
            self.call.ladder[self.rung].model,
            self.confidence,
        )

    def _usage(self) -> Usage:
        if len(self.attempts) == 1:
            return self.attempts[0].usage
        return sum((attempt.usage for attempt in self.attempts), Usage())
