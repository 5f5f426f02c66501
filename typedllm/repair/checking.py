"""Running the caller's checks: rules in code first, then the models that judge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, cast, runtime_checkable

from typedllm.budget import Budget
from typedllm.errors import BudgetError, ModelError, SchemaError, TypedLLMError
from typedllm.meter import counted_into
from typedllm.records import Issue, Message, Usage
from typedllm.repair.calls import Check, Step
from typedllm.tracing import Scope

__all__ = ["Checked", "Judge", "Subject", "Verdict", "run_checks"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a judge is shown.

    Attributes:
        value: the value of the declared type.
        text: the same as JSON; for plain text, the text.
        task: the request that it answers.
        budgets: bounds that the call draws on, and its judges with it.
        seconds: what is left of the call's time; None: unbounded.
    """

    value: Any
    text: str
    task: Message
    budgets: tuple[Budget, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says.

    Attributes:
        issues: what is wrong with the value; none: it passes.
        usage: what the judging cost.
        error: why there is no judgement; the call ends with it, since a value that nobody judged does not pass.
    """

    issues: tuple[Issue, ...] = ()
    usage: Usage = field(default_factory=Usage)
    error: TypedLLMError | None = None


@runtime_checkable
class Judge(Protocol):
    """A check that is shown the request too, and accounts for what it costs."""

    @property
    def name(self) -> str:
        """How it is called in errors."""
        ...

    @property
    def blocks(self) -> bool:
        """Whether `judge` waits for a model; an event loop runs it in a thread."""
        ...

    def judge(self, subject: Subject, /) -> Verdict | Awaitable[Verdict]:
        """Judge a value. Nothing is raised for what a model does."""
        ...


@dataclass(slots=True)
class Checked:
    """What the checks of one reply came to; the fields mean what they mean on `Verdict`."""

    issues: list[Issue] = field(default_factory=list[Issue])
    usage: Usage = field(default_factory=Usage)
    error: TypedLLMError | None = None


Rule = Callable[..., object]


def run_checks(
    rules: Sequence[Rule | Judge],
    subject: Callable[[], Subject],
    scope: Scope = nullcontext,
    known: Sequence[Issue] = (),
) -> Generator[Step, object, Checked]:
    """Run the checks of one value.

    The rules in code are all run, in order, and all that they find is collected. Judges cost money: they are asked
    only about a value that the rules pass; those that can be awaited all at once, the others one after another.

    Args:
        rules: what is to be run.
        subject: gives what judges are shown.
        scope: the context to do it in.
        known: what is wrong with the value already.
    """
    checked = Checked(list(known))
    judges = [rule for rule in rules if isinstance(rule, Judge)]
    for rule in rules:
        if not isinstance(rule, Judge) and checked.error is None:
            yield from _rule(rule, subject().value, checked, scope)
    if not judges or checked.issues or checked.error:
        return checked
    asked = subject()
    for judge in judges:
        if judge.blocks:
            _book(judge, (yield Check(partial(judge.judge, asked), judge.name, True, scope)), checked)
    waiting = [judge for judge in judges if not judge.blocks]
    if waiting:
        verdicts = yield Check(
            partial(_together, waiting, asked), ", ".join(judge.name for judge in waiting), scope=scope
        )
        for judge, verdict in zip(waiting, cast("list[object]", verdicts), strict=True):
            _book(judge, verdict, checked)
    return checked


def _rule(rule: Rule, value: object, checked: Checked, scope: Scope) -> Generator[Step, object, None]:
    name = getattr(rule, "__name__", "check")
    spent: list[Usage] = []
    try:
        said = yield Check(partial(_said, rule, value, spent), name, scope=scope)
    except SchemaError:
        raise
    except TypedLLMError as error:
        checked.error = _unjudged(name, error)
        spent = spent or [error.usage]
    except (ValueError, AssertionError) as error:
        checked.issues.append(Issue("", "check", message=str(error) or f"{type(error).__name__} in {name}"))
    else:
        checked.issues += _issues(name, said, value)
    checked.usage = sum(spent, checked.usage)


def _said(rule: Rule, value: object, spent: list[Usage]) -> object:
    """What the rule returns; what it yields, if it is a generator. What it asks of models is noted."""
    with counted_into(spent):
        said = rule(value)
        if isinstance(said, Generator):
            return list(cast("Generator[object]", said))
    return _awaited(cast("Awaitable[object]", said), spent) if isinstance(said, Awaitable) else said


async def _awaited(said: Awaitable[object], spent: list[Usage]) -> object:
    with counted_into(spent):
        return await said


def _issues(name: str, said: object, value: object) -> list[Issue]:
    if said is None or said is value:
        return []
    if isinstance(said, Issue):
        return [said]
    if isinstance(said, list | tuple):
        several = cast("Sequence[object]", said)
        issues = [each for each in several if isinstance(each, Issue)]
        if len(issues) == len(several):
            return issues
    raise TypeError(
        f"the check {name} returned {said!r} (raise ValueError to reject the value, or return or yield Issues; None: "
        "it passes)"
    )


def _book(judge: Judge, verdict: object, checked: Checked) -> None:
    if not isinstance(verdict, Verdict):
        raise TypeError(
            f"the judge {judge.name} gave no Verdict: {verdict!r} (the driver must send back what it gives)"
        )
    checked.issues += verdict.issues
    checked.usage = checked.usage + verdict.usage
    if verdict.error is not None and checked.error is None:
        checked.error = _unjudged(judge.name, verdict.error)


def _unjudged(name: str, error: TypedLLMError) -> TypedLLMError:
    message = f"the check {name} could not be made: {error}"
    if isinstance(error, BudgetError):
        failed: TypedLLMError = BudgetError(message, bound=error.bound)
    else:
        status, retryable = (error.status, error.retryable) if isinstance(error, ModelError) else (None, False)
        failed = ModelError(message, code="check", status=status, retryable=retryable)
    failed.__cause__ = error
    return failed


async def _together(judges: Sequence[Judge], subject: Subject) -> list[object]:
    from anyio import create_task_group

    verdicts: list[object] = [None] * len(judges)

    async def ask(index: int) -> None:
        verdict = judges[index].judge(subject)
        verdicts[index] = await verdict if isinstance(verdict, Awaitable) else verdict

    async with create_task_group() as group:
        for index in range(len(judges)):
            group.start_soon(ask, index)
    return verdicts
