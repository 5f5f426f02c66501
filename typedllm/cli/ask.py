"""The commands that ask a model: `run` and `chat`."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any

import typer

from typedllm.cli.exits import Exit, code_of
from typedllm.cli.options import (
    FileOption,
    JsonOption,
    ModelOption,
    SchemaOption,
    TextArgument,
    asking,
    contents,
    takes_options,
    words,
)
from typedllm.cli.report import result_json, show_story, show_value, value_json
from typedllm.cli.screen import complain, on_terminal
from typedllm.cli.targets import load
from typedllm.client import Client
from typedllm.declared import Schema
from typedllm.options import Options
from typedllm.records import Message, Result


@takes_options
def run(
    chosen: Options,
    schema: SchemaOption,
    text: TextArgument = None,
    file: FileOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
) -> None:
    """Ask a model for a value of a declared type.

    On a terminal the value is shown with its attempts, fixes and tokens; on a pipe it is one line of JSON.
    """
    target, asked = load(schema), words(text, file)
    with asking(model, chosen) as client:
        result = client.run(asked, target)
    if json:
        print(result_json(result))
    show(result, value=not json)
    raise typer.Exit(code_of(result.error))


def show(result: Result[Any], *, value: bool = True) -> None:
    """A result as `run` shows it: the value on standard output, an error on standard error."""
    if value and result.ok:
        show_value(result.value) if on_terminal() else print(value_json(result.value))
    if on_terminal():
        show_story(result)
    if result.error is not None:
        complain(str(result.error))


@takes_options
def chat(
    chosen: Options,
    schema: SchemaOption,
    file: FileOption = None,
    model: ModelOption = None,
    keep: Annotated[int, typer.Option(min=0, help="How many earlier requests the model is shown.")] = 10,
) -> None:
    """Ask for one value after the other; the model is shown what came before.

    Each line is a request. Blank lines and lines that begin with # are skipped, @clear forgets what came before, quit
    or exit ends. With --file, or when standard input is no terminal, the lines are read from there. On a pipe each
    answer is one line of JSON. The exit code is that of the first request that failed.
    """
    target = load(schema)
    if file is not None:
        lines: Iterable[str] = contents(file).splitlines()
    else:
        lines = _typed() if sys.stdin.isatty() else sys.stdin
    with asking(model, chosen) as client:
        raise typer.Exit(_converse(lines, _Conversation(client, target, keep)))


class _Conversation:
    """Requests with their values, of which the latest are shown to the model."""

    def __init__(self, client: Client, target: Schema[Any], keep: int) -> None:
        self._client = client
        self._target = target
        self._turns: deque[tuple[Message, Message]] = deque(maxlen=keep)

    def ask(self, line: str) -> Result[Any]:
        history = [message for turn in self._turns for message in turn]
        result = self._client.run([*history, Message("user", line)], self._target)
        if result.ok:
            self._turns.append((Message("user", line), Message("assistant", self._target.dump(result.value))))
        return result

    def clear(self) -> None:
        self._turns.clear()


def _converse(lines: Iterable[str], conversation: _Conversation) -> Exit:
    outcome = Exit.OK
    for line in map(str.strip, lines):
        match line:
            case "quit" | "exit":
                break
            case "@clear":
                conversation.clear()
            case _ if line and not line.startswith("#"):
                result = conversation.ask(line)
                outcome = outcome or code_of(result.error)
                _answer(line, result)
            case _:
                pass
    return outcome


def _answer(line: str, result: Result[Any]) -> None:
    if on_terminal():
        show(result)
    else:
        print(result_json(result, request=line), flush=True)


def _typed() -> Iterator[str]:
    """Lines as a person types them, edited as the terminal allows, until the end of input."""
    with suppress(ImportError):
        import_module("readline")  # from here on `input` has a line editor and a memory
    while True:
        try:
            yield input("> ")
        except EOFError:
            print()
            return
