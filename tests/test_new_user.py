"""The mistakes that a new user makes first: each message says what to do."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.cli.terminal import environment
from tests.support.server import Server, fail
from typedllm import AsyncClient, Client, Schema
from typedllm.models.openai import OpenAIModel
from typedllm.testing import ScriptedModel


@dataclass
class Job:
    worker: threading.Thread


def no_docstring(text: str) -> int: ...


def no_annotation(text: str):  # type: ignore[no-untyped-def]
    """Count."""


async def coroutine(text: str) -> int:
    """Count."""


def asked(name: str, **options: Any) -> Callable[[], object]:
    return lambda: Client(name, **options).generate("How many?", int)


MISTAKES: list[tuple[Callable[[], object], str, str]] = [
    (lambda: Client().generate("How many?", int), "no model is configured", "set TYPEDLLM_MODEL or pass one"),
    (asked("opnai:gpt-5-mini"), "no such model: 'opnai:gpt-5-mini'", "did you mean 'openai'?"),
    (asked("gpt-5-mini"), "no such model: 'gpt-5-mini'", "openai:gpt-5-mini"),
    (asked("openai:"), "no model is named", "write openai:NAME"),
    (asked("openai:gpt-5-mini"), "no API key for openai", "set OPENAI_API_KEY"),
    (asked("local"), "the weights of the embedded model are not here", "typedllm local pull"),
    (asked("replay:nowhere.jsonl"), "no recorded replies: nowhere.jsonl", "record("),
    (asked("ollama:qwen3", timeout=5), "no connection to ollama", "ollama serve"),
    (
        lambda: Schema(Job),
        "Job.worker: Thread is a class that pydantic cannot build",
        "make it a dataclass or a BaseModel",
    ),
    (lambda: Client(max_repair=1), "unknown option: max_repair", "did you mean max_repairs?"),  # type: ignore[call-arg]
    (lambda: Client(max_repairs=-1), "max_repairs is not a whole number of repairs", "from 0 on"),
    (lambda: Client(timeout=0), "timeout is not a number of seconds above 0", "None: no bound"),
    (lambda: Client().prompt(no_docstring), "no_docstring has no docstring", "write one: it is the instruction"),
    (lambda: Client().prompt(no_annotation), "no_annotation has no return annotation", "it is the declared type"),
    (lambda: Client().prompt(coroutine), "coroutine is a coroutine function", "AsyncClient"),
    (lambda: AsyncClient().prompt(no_docstring), "no_docstring is no coroutine function", "Client"),  # type: ignore[arg-type]
]


def one(*replies: Any, **options: Any) -> Client:
    return Client(ScriptedModel(list(replies) or ["1"]), **options)


def wrong(**options: Any) -> Callable[[], object]:
    return lambda: one().generate("How many?", int, **options)


class Own:
    """A model that does not keep to the protocol."""

    name = "own"

    def complete(self, request: object) -> str:
        return "1"


MISTAKES += [
    (asked("openai/gpt-5-mini"), "no such model: 'openai/gpt-5-mini'", "did you mean 'openai:gpt-5-mini'?"),
    (
        lambda: Client(OpenAI(api_key="key")).generate("Hello", int),  # type: ignore[arg-type]
        "not a chat model: OpenAI",
        "give OpenAIModel('name', client=OpenAI(...))",
    ),
    (lambda: Client(7).generate("Hello", int), "not a chat model: int", "openai:gpt-5-mini"),  # type: ignore[arg-type]
    (
        lambda: Client(Own()).generate("Hello", int),  # type: ignore[arg-type]
        "the chat model own gave no Reply but '1'",
        "return Reply(text)",
    ),
    (lambda: one().generate(int, "How many?"), "the prompt is neither", "the prompt comes first"),  # type: ignore
    (
        lambda: one().generate([{"role": "user", "content": "Hello"}], int),  # type: ignore[list-item]
        "the prompt is neither a text nor messages",
        "Message('user', ...)",
    ),
    (lambda: list(one().stream("Hello", int)), "the stream has not begun", "with ....stream(...) as stream"),
    (lambda: Schema(int).read(b"7"), "a reply is text, not bytes", "decode it"),  # type: ignore[arg-type]
    (lambda: one({"n": 1}).generate("Hello", int), "a step of scripted is no text", "json.dumps"),
    (lambda: ScriptedModel("7"), "a script is a list of steps", "ScriptedModel([text])"),
    (wrong(api_key="key"), "unknown option: api_key", "to the model: OpenAIModel(...)"),
    (wrong(system=["Be brief."]), "system is not a text", "['Be brief.']"),
    (wrong(history=[{"role": "user"}]), "history is not a list of Messages", "Message('user', '...')"),
    (wrong(examples=("one", 1)), "examples is not a list of pairs", "('one', 1)"),
    (wrong(examples=[("one", "uno")]), "the data is not valid", 'expected an integer, got "uno"'),
    (wrong(checks=print), "checks is not a list of functions", "print"),
    (wrong(allow="rounded"), "allow is not a list of names", "'rounded'"),
    (wrong(timeout="60"), "timeout is not a number", "'60'"),
    (wrong(temperature="hot"), "temperature is not a number", "'hot'"),
    (wrong(on_attempt=7), "on_attempt is not a function", "7"),
    (wrong(budget=7), "budget is not a Budget", "7"),
]


def test_none_says_the_same_as_saying_nothing() -> None:
    request = one(temperature=0.5).render("Hello", int, temperature=None, system=None, history=None, extra=None)  # type: ignore[arg-type]
    assert request == one(temperature=0.5).render("Hello", int)


@pytest.fixture(autouse=True)
def _nothing_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    for name in ("TYPEDLLM_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("mistake", "fact", "way_out"), MISTAKES, ids=[case[1] for case in MISTAKES])
def test_a_first_mistake_says_what_to_do(mistake: Callable[[], object], fact: str, way_out: str) -> None:
    with pytest.raises((TypeError, ValueError, Exception)) as caught:
        mistake()
    message = str(caught.value)
    assert fact in message
    assert way_out in message.split(fact, 1)[1]


def test_a_wrong_key_is_named_and_not_shown(server: Server) -> None:
    server.reply = fail(401, "Incorrect API key provided: sk-very-secret")
    with pytest.raises(Exception, match="401") as caught:
        Client(OpenAIModel("m", base_url=server.url, api_key="sk-very-secret")).generate("How many?", int)
    assert "sk-very-secret" not in f"{caught.value}{caught.value!r}{caught.value.__dict__}"


@pytest.mark.parametrize(
    ("missing", "code", "said"),
    [
        ("xllamacpp", "from typedllm.models.llama import runtime; runtime()", "pip install 'typedllm[local]'"),
        ("typer", "from typedllm.cli import main; main()", "pip install 'typedllm[cli]'"),
    ],
)
def test_an_extra_that_is_not_installed_is_named(missing: str, code: str, said: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; {code}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode != 0
    assert said in done.stderr
