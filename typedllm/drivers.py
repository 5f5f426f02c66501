"""Running the loop to its end: blocking, or in an event loop. What the loop asks for is done here, and nothing decided."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from typedllm.errors import ModelError
from typedllm.models import AsyncChatModel, ChatModel
from typedllm.records import Reply, Request, Result
from typedllm.repair import Check, Loop, Step

T = TypeVar("T")


class _Run(Generic[T]):
    """A loop that is being run, in a `with` block, which ends it.

    Attributes:
        step: what is to be done next; None at the end.
        result: the outcome, at the end.
    """

    def __init__(self, steps: Loop[T]) -> None:
        self._steps = steps
        self.step: Step | None = None
        self.result: Result[T]

    def __enter__(self) -> Self:
        self.done(None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._steps.close()

    def done(self, outcome: object) -> None:
        """The step was done, with this outcome."""
        try:
            self.step = self._steps.send(outcome)
        except StopIteration as stop:
            self.step, self.result = None, stop.value

    def failed(self, error: Exception) -> None:
        """The step failed; the loop decides what that means."""
        try:
            self.step = self._steps.throw(error)
        except StopIteration as stop:
            self.step, self.result = None, stop.value


def drive(steps: Loop[T], models: Sequence[ChatModel]) -> Result[T]:
    """Run a loop to its end, blocking."""
    with _Run(steps) as run:
        while (step := run.step) is not None:
            try:
                outcome = perform(models, step)
            except Exception as error:
                run.failed(error)
            else:
                run.done(outcome)
    return run.result


async def adrive(steps: Loop[T], models: Sequence[ChatModel]) -> Result[T]:
    """Run a loop to its end, in an event loop."""
    with _Run(steps) as run:
        while (step := run.step) is not None:
            try:
                with step.scope():
                    outcome = await aperform(models, step)
            except Exception as error:
                run.failed(error)
            else:
                run.done(outcome)
    return run.result


def perform(models: Sequence[ChatModel], step: Step) -> object:
    """Do what the loop asks for, blocking."""
    with step.scope():
        if isinstance(step, Check):
            return _settled(step.run())
        reply = models[step.rung].complete(step.request)
        return reply if isinstance(reply, Reply) else _settled(reply)


def _settled(outcome: Any) -> Any:
    """The outcome; one that is to be awaited is, in an event loop of its own thread."""
    if not inspect.isawaitable(outcome):
        return outcome
    from anyio.from_thread import start_blocking_portal

    async def wait() -> Any:
        return await outcome

    with start_blocking_portal() as portal:
        return portal.call(wait)


async def aperform(models: Sequence[ChatModel], step: Step) -> object:
    """Do what the loop asks for, in an event loop."""
    with step.scope():
        if isinstance(step, Check):
            outcome = await _in_thread(step.run) if step.blocks else step.run()
            return await outcome if inspect.isawaitable(outcome) else outcome
        return await _answer(models[step.rung], step.request)


async def _answer(model: ChatModel, request: Request) -> Reply:
    from anyio import fail_after

    try:
        with fail_after(request.timeout):
            return await _acomplete(model, request)
    except TimeoutError as error:
        raise ModelError(f"{model.name} did not answer in time (raise timeout=)", code="timeout") from error


async def _in_thread(run: Callable[[], object]) -> object:
    from anyio.to_thread import run_sync

    return await run_sync(run)


async def _acomplete(model: ChatModel, request: Request) -> Reply:
    if isinstance(model, AsyncChatModel):
        return await model.acomplete(request)
    if inspect.iscoroutinefunction(model.complete):
        reply: Awaitable[Reply] = model.complete(request)
        return await reply
    from anyio.to_thread import run_sync

    outcome = await run_sync(model.complete, request, abandon_on_cancel=True)
    return outcome if isinstance(outcome, Reply) else await outcome
