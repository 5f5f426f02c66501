"""Prompt functions that are declared or called wrongly, and what else functions go through."""

from __future__ import annotations

import copy
import functools
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from typedllm import AsyncClient, Client, SchemaError
from typedllm.testing import ScriptedModel

client = Client(ScriptedModel(["1"]))
aclient = AsyncClient(ScriptedModel(["1"]))


class Engine:
    pass


@client.prompt
def count(thing: Any, /, *rest: str, unit: str = "pieces") -> int:
    """Count."""


def plain(text: str) -> int:
    """Count."""
    return 1


async def drawn(text: str) -> AsyncIterator[int]:
    """Count."""
    yield 1


async def awaited(text: str) -> int:
    """Count."""
    return 1


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: client.prompt(functools.partial(plain, "a")), r"functools.partial\(.* is no function \(write one"),
        (
            lambda: client.prompt(awaited),
            r"awaited is a coroutine function \(use the prompt decorator of an AsyncClient",
        ),
        (lambda: aclient.prompt(plain), r"plain is no coroutine function \(use the prompt decorator of a Client"),
        (lambda: aclient.prompt(drawn), r"drawn is an async generator \(leave out its yield"),
    ],
)
def test_what_is_no_function_of_this_kind_is_refused(declare: Callable[[], object], said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        declare()


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        ((), {}, r"count\(\) missing a required( positional-only)? argument: 'thing'$"),
        (("a",), {"units": "kg"}, r"count\(\) got an unexpected keyword argument 'units'$"),
        (
            ("a",),
            {"max_repairs": 3},
            r"count\(\) got .*'max_repairs' \(options go through with_options\(max_repairs=...\)\)",
        ),
        ((Engine(),), {}, "the argument thing cannot be shown to the model: Engine has no JSON form"),
        (([Engine()],), {}, "the argument thing cannot be shown to the model: Engine has no JSON form"),
        ((b"\xff",), {}, "the argument thing cannot be shown to the model: invalid utf-8"),
    ],
)
def test_a_wrong_call_names_the_function_or_the_argument(args: Any, kwargs: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        count.render(*args, **kwargs)


def test_every_kind_of_parameter_is_told() -> None:
    said = count.render({"a": [1]}, "b", unit="```\nkg").messages[-1].text
    assert said == (
        'Count.\n\nthing:\n```json\n{"a":[1]}\n```\n\nrest:\n```json\n["b"]\n```\n\nunit:\n````\n```\nkg\n````'
    )


def test_it_is_pickled_and_copied_as_functions_are() -> None:
    assert pickle.loads(pickle.dumps(count)) is count
    assert copy.deepcopy(count) is count
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(count.with_options(seed=1))


def test_a_partial_of_it_asks() -> None:
    with client.override(ScriptedModel(["3"])) as model:
        assert functools.partial(count, unit="kg")("apples") == 3
        assert "kg" in model.requests[0].messages[-1].text
