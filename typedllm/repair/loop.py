"""The loop itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from typedllm.confidence import Confidence
from typedllm.errors import BudgetError, ModelError, RefusalError, RepairError, TruncatedError, TypedLLMError
from typedllm.records import MISSING, Attempt, Issue, NativeMode, Reading, Reply, Request, Result, Usage, with_reasoning
from typedllm.repair.calls import Ask, Call, Check, Loop, Step, first_request
from typedllm.repair.checking import Checked, Subject, run_checks
from typedllm.repair.echo import echoes
from typedllm.repair.patch import compact
from typedllm.repair.patched import put_in, read_patch
from typedllm.repair.plans import Failure, Plan, repair_plan
from typedllm.repair.unsure import unsure
from typedllm.repair.wired import decoded_freely, examine_wired, reshaped

T = TypeVar("T")

log = logging.getLogger("typedllm")

_STUCK: Final = 2
_LONGEST: Final = 12  # characters of a token, on average
_STEPS_DOWN: Final = ("auto", "repair")
_DOWN: Final = frozenset({"server", "connection", "timeout", "silent", "rate_limit", "bad_response"})


def loop(call: Call[T]) -> Loop[T]:
    """Drive one call to its result. Yields requests and checks; never raises for what a model does."""
    call.watch.begin(call.schema.name)
    run = _Run(call)
    try:
        result = yield from run.steps()
    except BaseException as error:
        call.watch.end(run.attempts, error, cancelled=True)
        raise
    call.watch.end(run.attempts, result.error)
    return result


class _Run(Generic[T]):
    """One call.

    Attributes:
        rung: which model of the ladder is asked.
        repairs: how many repairs it was asked for.
        failure: what the next repair starts from.
        attempts: those of this call.
        story: the same, and what was asked for parts of a reply while it came.
    """

    def __init__(self, call: Call[T]) -> None:
        self.call = call
        self.started = call.clock()
        self.attempts: list[Attempt] = []
        self.story: list[Attempt] = []
        self.rung = 0
        self.confidence = Confidence("", (), {})
        self.repairs = 0
        self.failure: Failure | None = None
        self._seen: set[object] = set()
        self._asked: list[Request] = []

    def steps(self) -> Loop[T]:
        """Attempt after attempt, until there is a result."""
        try:
            step: Plan | Result[T] = self._begun()
            while isinstance(step, Plan):
                step = yield from self._attempt(step)
        except ModelError as error:
            if error.code != "schema_unfit":
                raise
            return self._failed(error)
        return step

    def _attempt(self, plan: Plan) -> Generator[Step, object, Plan | Result[T]]:
        self._asked.append(plan.request)
        try:
            request = self._bounded(plan)
        except BudgetError as error:
            return self._failed(error)
        try:
            answer = yield Ask(request, self.rung, self.call.watch.scope, plan.patch is None)
        except (BudgetError, ModelError) as error:
            self.call.watch.failed(error)
            yield from self._attempted(Attempt(plan.kind, request, error.reply, model=self._model))
            self._take_over()
            return self._without_reply(plan, error) if isinstance(error, ModelError) else self._failed(error)
        if not isinstance(answer, Reply):
            raise TypeError(f"the chat model {self._model} gave no Reply but {answer!r} (return Reply(text))")
        reply = self.call.watch.after(answer)
        first = self._read(plan, reply)
        reading = self._with_mended(first)
        reading, checked = yield from self._examine(plan, reply, reading)
        told = reading if first.status == "ok" else first
        kept = with_reasoning(reply, first.reasoning)
        yield from self._attempted(
            Attempt(plan.kind, request, kept, told.fixes, told.issues, self._model, checked.usage)
        )
        self._take_over()
        if checked.error is not None:
            return self._failed(checked.error, reading)
        if reading.status == "ok":
            return self._result(reading)
        step = self._after(plan, reply, reading)
        if isinstance(step, Plan) and step.kind != "first":
            yield from self._told("on_repair", self.call.watch.repairing(self.attempts[-1], step.request))
        return step

    # What follows an attempt.

    def _after(self, plan: Plan, reply: Reply, reading: Reading[T]) -> Plan | Result[T]:
        """What follows a reply that gave no value."""
        if reading.status == "refused":
            return self._climbed("declined") or self._failed(_declined(reading.issues[0].message), reading)
        self.failure = self._failure(plan, reply, reading)
        ignored = self._ignores(plan, reply, reading)
        if ignored and self.call.settings.native == "require":
            return self._failed(self._ignored(plan), reading)
        error = self._spent(self.failure, reply)
        if error is not None:
            return self._climbed("gave nothing valid") or self._failed(error, reading)
        self.repairs += 1
        step = self._begun()
        if step.request in self._asked:
            error = self._error(self.failure, reply, stuck=True)
            return self._climbed("made no progress") or self._failed(error, reading)
        return replace(step, kind="step-down") if ignored else step

    def _without_reply(self, plan: Plan, error: ModelError) -> Plan | Result[T]:
        """What follows a request that got no reply."""
        if self._steps_down(plan, error):
            return replace(self._begun(), kind="step-down")
        overdue = self._overdue(error)
        if overdue is None and error.code in _DOWN and (step := self._climbed(f"failed: {error.code}")):
            return step
        return self._failed(overdue or error)

    def _begun(self) -> Plan:
        """The next request to the model whose turn it is."""
        if self.failure is None:
            return Plan("first", first_request(self.call, self.rung))
        return repair_plan(self.call, self.rung, self.failure)

    def _climbed(self, why: str) -> Plan | None:
        """The request to the next model of the ladder, if there is one."""
        if self.rung + 1 == len(self.call.ladder):
            return None
        log.warning("%s %s; asking %s", self._model, why, self.call.ladder[self.rung + 1].model)
        self.rung += 1
        self.repairs = 0
        self._seen.clear()
        self._asked.clear()
        if self.failure is not None:
            self.failure = replace(self.failure, stuck=0, plain=False, free=False)
        return self._begun()

    def _failure(self, plan: Plan, reply: Reply, reading: Reading[T]) -> Failure:
        """What the next repair starts from: the document so far, where this reply gave none."""
        before = self.failure
        if before is not None and plan.patch is not None and reading.data is MISSING:
            return replace(before, stuck=before.stuck + 1)
        document = reading.data
        marks = {_mark(reading), (plan.patch is not None, reply.text)} - {None}
        stuck = before.stuck + 1 if before is not None and marks & self._seen else 0
        self._seen |= marks
        return Failure(
            reading.status,
            reply.text if plan.patch is None or document is MISSING else compact(document),
            reading.issues,
            document,
            reading.fixes,
            plan.request.native.mode if plan.request.native else None,
            _limit(reply),
            stuck,
            plain=before is not None and before.plain,
            free=(before is not None and before.free) or decoded_freely(plan.request.native, reply, reading),
        )

    def _ignores(self, plan: Plan, reply: Reply, reading: Reading[T]) -> bool:
        """Whether the service plainly did not enforce the schema; then it is carried in another way from now on."""
        native = plan.request.native
        if native is None or native.mode == "json" or reply.finish_reason != "stop" or not reply.text.strip():
            return False
        if reading.status not in ("no_json", "broken_json"):
            return False
        if self.call.settings.native in _STEPS_DOWN:
            self._step_down(native.mode, "ignored")
        return self.call.settings.native in (*_STEPS_DOWN, "require")

    def _steps_down(self, plan: Plan, error: ModelError) -> bool:
        """Whether the call goes on with a way of carrying the schema that the service has not refused."""
        native = plan.request.native
        if error.code != "schema_rejected" or native is None:
            return False
        if plan.patch is not None and self.failure is not None and not self.failure.plain:
            log.warning(
                "%s refused the schema of the parts; they are asked for without (%s)", self._model, error.status
            )
            self.failure = replace(self.failure, plain=True)
            return True
        if self.call.settings.native not in _STEPS_DOWN:
            return False
        self._step_down(native.mode, "refused")
        return True

    def _step_down(self, mode: NativeMode, how: str) -> None:
        self.call.ladder[self.rung].refused.add(mode)
        log.warning("%s %s the schema as %s; stepping down", self._model, how, mode)

    # What ends a call.

    def _spent(self, failure: Failure, reply: Reply) -> TypedLLMError | None:
        """The error that ends the work of this model; None: a repair may follow."""
        settings = self.call.settings
        last = self.rung + 1 == len(self.call.ladder)
        most = settings.max_repairs
        if settings.escalate_at is not None and not last:
            most = min(most, settings.escalate_at - 1)
        spent = self.repairs >= most
        return self._error(failure, reply, stuck=not spent) if spent or failure.stuck >= _STUCK else None

    def _error(self, failure: Failure, reply: Reply, *, stuck: bool) -> TypedLLMError:
        """The error after a last failure: there was no progress, or no repair was left."""
        name, count = self.call.schema.name, sum(attempt.reply is not None for attempt in self.attempts)
        tries = f"{count} attempt{'s' if count > 1 else ''}"
        if failure.status == "truncated":
            way_out = "raise max_tokens=" if stuck else "raise max_tokens=, or allow more with max_repairs="
            return TruncatedError(
                f"the reply was cut off at the token limit after {len(reply.text)} characters ({way_out})",
                partial=reply.text,
                code="truncated",
            )
        if stuck:
            message = (
                f"no progress in {tries}: the model writes the same again; last: {failure.issues[0]} (ask another "
                f"model, vary it with repair_temperature=, or loosen {name})"
            )
        else:
            message = (
                f"no valid reply in {tries}; last: {failure.issues[0]} (allow more with max_repairs=, or loosen {name})"
            )
        return RepairError(message, issues=failure.issues)

    def _ignored(self, plan: Plan) -> ModelError:
        mode = plan.request.native.mode if plan.request.native else "prompt"
        return ModelError(
            f'{self._model} ignored the schema that it was sent as {mode} (native="auto" steps down)',
            code="schema_ignored",
        )

    @property
    def _model(self) -> str:
        return self.call.ladder[self.rung].model

    def _bounded(self, plan: Plan) -> Request:
        """The request within the bounds, or a `BudgetError`."""
        left = self._left()
        if left == 0:
            raise self._late()
        return self.call.watch.before(plan.kind, replace(plan.request, timeout=left), self._model)

    def _attempted(self, attempt: Attempt) -> Generator[Step, object, None]:
        self.attempts.append(attempt)
        self.story.append(attempt)
        yield from self._told("on_attempt", self.call.watch.attempted(attempt))

    def _told(self, name: str, hooks: Iterable[Callable[[], object]]) -> Generator[Step, object, None]:
        for hook in hooks:
            yield Check(hook, name, scope=self.call.watch.scope)

    def _read(self, plan: Plan, reply: Reply) -> Reading[T]:
        if reply.finish_reason in ("refusal", "content_filter"):
            words = reply.refusal or reply.text
            refused = Issue("", "refused", message=words or "the model declined")
            return Reading("refused", issues=(refused,))
        settings = self.call.settings
        if plan.patch is not None and self.failure is not None:
            return read_patch(self.call.schema, settings, plan.patch, self.failure.fixes, reply)
        if shape := reshaped(self.call.schema, self.call.ladder[self.rung].profile, plan.request.native):
            return examine_wired(
                self.call.schema, shape, reply.text, reply.finish_reason, settings.policy, settings.context
            )
        return self.call.schema.examine(reply.text, reply.finish_reason, settings.policy, settings.context)

    def _with_mended(self, reading: Reading[T]) -> Reading[T]:
        """The reading with the parts that were asked for again while the reply came."""
        call = self.call
        if reading.status != "invalid" or not call.mended or reading.data is MISSING:
            return reading
        return put_in(call.schema, call.settings, reading, call.mended) or reading

    def _take_over(self) -> None:
        """What was asked for parts of a reply stands in the story behind the reply."""
        for part in self.call.mended:
            self.story += [replace(attempt, kind="patch") for attempt in part.attempts]
        self.call.mended.clear()

    def _examine(
        self, plan: Plan, reply: Reply, reading: Reading[T]
    ) -> Generator[Step, object, tuple[Reading[T], Checked]]:
        """See whether a reading that is valid passes the checks."""
        settings = self.call.settings
        if reading.status == "ok" or reading.data is not MISSING:
            self._weigh(plan, reply, reading)
        if reading.status != "ok":
            return reading, Checked()
        try:
            least = settings.min_confidence
            known = echoes(self.call, plan.request, reading)
            known += [] if least is None else unsure(self.confidence, least, self._model)
        except ModelError as error:
            return reading, Checked(error=error)
        checked = yield from run_checks(
            settings.checks, lambda: self._subject(reading.value), self.call.watch.scope, known
        )
        if checked.issues:
            reading = replace(reading, status="invalid", value=None, issues=tuple(checked.issues))
        return reading, checked

    def _weigh(self, plan: Plan, reply: Reply, reading: Reading[T]) -> None:
        """How sure the model was: of a patch, on top of what it was of the parts that are kept."""
        earlier = self.confidence if plan.patch is not None else None
        self.confidence = Confidence(
            reply.text, reply.logprobs or (), reading.spans, self.call.schema.document, lambda: reading.data, earlier
        )

    def _subject(self, value: Any) -> Subject:
        call = self.call
        text = str(value) if call.schema.is_text else call.schema.dump(value)
        return Subject(value, text, call.task, call.watch.budgets, self._left())

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
        error.attempts = tuple(self.story)
        error.usage = self._usage()
        return self._result(reading or Reading("invalid"), error)

    def _result(self, reading: Reading[T], error: TypedLLMError | None = None) -> Result[T]:
        return Result(
            reading.value if error is None else None,
            error,
            tuple(self.story),
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
        if len(self.story) == 1:
            return self.story[0].usage
        return sum((attempt.usage for attempt in self.story), Usage())


def _declined(words: str) -> RefusalError:
    return RefusalError(
        f"the model declined: {words} (reword the request, or ask another model)", text=words, code="refused"
    )


def _limit(reply: Reply) -> int | None:
    """The tokens of a reply, if so few can have this text at all: services report nonsense too."""
    count = reply.usage.output_tokens
    return count if count is not None and count * _LONGEST >= len(reply.text) else None


def _mark(reading: Reading[Any]) -> object:
    """What two failures have in common that are the same; where no document was read, their texts say it."""
    if reading.data is MISSING:
        return None
    issues = frozenset((issue.path, issue.code, issue.got) for issue in reading.issues)
    return reading.status, issues, compact(reading.data) if reading.status == "truncated" else ""
