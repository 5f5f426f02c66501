"""`check_with`: a model that judges a value by a rule in words, as a check."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Awaitable
from functools import partial
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Unpack

from typedllm import prompts
from typedllm.client import AsyncClient, Client
from typedllm.options import Options
from typedllm.records import MISSING, Issue, Message, Result
from typedllm.repair import Subject, Verdict
from typedllm.schema.subschema import at

__all__ = ["Problem", "RuleJudge", "Ruling", "check_with"]


MOST: Final = 20
"""Most places that one ruling names: a model that will not end is held to it."""


class Problem(BaseModel):
    """One place where the value breaks the rule."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, Field(description='JSON Pointer of the part, such as "/lines/0/size"; "" is the whole value')]
    why: Annotated[
        str, Field(description="What is wrong there, and what would be right, in one sentence", max_length=500)
    ]


class Ruling(BaseModel):
    """The judge's answer."""

    model_config = ConfigDict(extra="forbid")

    problems: Annotated[
        list[Problem], Field(description="Every place where the value breaks the rule; often none", max_length=MOST)
    ]
    keeps_rule: Annotated[bool, Field(description="Whether the value keeps the rule: true exactly if problems is []")]

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if self.keeps_rule != (not self.problems):
            raise ValueError("keeps_rule must be true exactly if problems is empty")
        return self


class RuleJudge:
    """A check that asks a model; made by `check_with`."""

    def __init__(self, client: Client | AsyncClient, rule: str, name: str, options: Options) -> None:
        self.rule = rule
        self._name = name
        self._client = client
        self._options = options

    @property
    def name(self) -> str:
        """How the check is called in errors."""
        return self._name

    @property
    def blocks(self) -> bool:
        """Whether the client that is asked blocks."""
        return isinstance(self._client, Client)

    def __call__(self, value: Any) -> Verdict | Awaitable[Verdict]:
        """Judge a value by itself, without a request that it answers; to be awaited with an `AsyncClient`."""
        return self.judge(Subject(value, json.dumps(value, default=str, ensure_ascii=False), Message("user", "")))

    def judge(self, subject: Subject, /) -> Verdict | Awaitable[Verdict]:
        """Ask whether the value keeps the rule."""
        if isinstance(self._client, Client):
            return _verdict(self._client.run(self._prompt(subject), Ruling, **self._bounded(subject)))
        return self._judge(self._client, subject)

    async def _judge(self, client: AsyncClient, subject: Subject) -> Verdict:
        return _verdict(await client.run(self._prompt(subject), Ruling, **self._bounded(subject)))

    def _prompt(self, subject: Subject) -> Message:
        words = prompts.judging(self.rule, subject.task.text, subject.text)
        if isinstance(subject.task.content, str):
            return Message("user", words)
        pictures = [part for part in subject.task.content if "text" not in part]
        return Message("user", [*pictures, {"type": "text", "text": words}])

    def _bounded(self, subject: Subject) -> Options:
        """The options of the judge's call: it draws on the budgets and the time of the call that it judges."""
        settings = self._client.settings.merge(self._options)
        limits = [limit for limit in (settings.timeout, subject.seconds) if limit]
        return {
            **self._options,
            "checks": [*settings.checks, partial(_places, subject.text)],
            "budget": list(dict.fromkeys([*subject.budgets, *settings.budgets])),
            "timeout": min(limits, default=None),
        }

    def __repr__(self) -> str:
        return f"check_with({self._client!r}, {self.rule!r})"


def check_with(client: Client | AsyncClient, rule: str, *, name: str = "", **options: Unpack[Options]) -> RuleJudge:
    """A check whose judge is a model.

    The judge is shown the request, the value as JSON and the rule, each fenced as data, and answers in a typed form
    that is read, validated and repaired like any other reply. What it finds goes back to the model that wrote the
    value, at the place that it names. Where it gives no valid answer, the judged call ends with an error: nothing
    passes unjudged. Its usage is in `Attempt.judging` and so in the result of the judged call; its client's meter
    counts it, once.

    >>> polite = check_with(client, "Every answer is polite.")  # doctest: +SKIP
    >>> client.generate("Answer the complaint.", Letter, checks=[polite])  # doctest: +SKIP

    On a prompt function it is `answer.check(polite)`.

    Args:
        client: asks the judge. It may be the same client, or one with a better model. A blocking one serves async
            calls too, in a thread; an `AsyncClient` serves blocking ones, in an event loop of its own.
        rule: what must hold, in words.
        name: how the check is called in errors; default: the rule, cut.
        **options: for the judge's calls; see `Options`.

    Raises:
        ValueError: the rule is blank.
    """
    if not rule.strip():
        raise ValueError("the rule is blank (say in words what must hold)")
    return RuleJudge(client, rule, name or textwrap.shorten(rule, 60, placeholder="…"), options)


def _places(text: str, ruling: Ruling) -> None:
    """The places that a ruling names are in the value."""
    for problem in ruling.problems:
        if problem.path[:1] not in ("", "/") or at(json.loads(text), problem.path) is MISSING:
            raise ValueError(f'the value has no part "{problem.path}"')


def _verdict(result: Result[Ruling]) -> Verdict:
    if not result.ok:
        return Verdict(usage=result.usage, error=result.error)
    issues = (Issue(problem.path, "rule", message=problem.why) for problem in result.value.problems)
    return Verdict(tuple(issues), result.usage)
