"""The options that commands share, and what is made of them."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, cast

import typer

from typedllm.cli.exits import MistakeError
from typedllm.cli.screen import progress
from typedllm.client import Client
from typedllm.models import ChatModel, profile_of
from typedllm.options import Options
from typedllm.reading.fixes import known
from typedllm.records import Reply, Request
from typedllm.schema.profiles import Profile

PolicyName: TypeAlias = Literal["strict", "safe", "lenient"]
NativeName: TypeAlias = Literal["auto", "require", "schema", "tool", "json", "prompt"]

SchemaOption = Annotated[
    str,
    typer.Option(
        "--schema", "-s", metavar="WHERE", help="file.py:Name, module.path:Name or file.json.", show_default=False
    ),
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="Such as local or openai:gpt-5-mini; several: when repairs at one do not help, the next is asked. "
        "[default: TYPEDLLM_MODEL, else local]",
    ),
]
TextArgument = Annotated[str | None, typer.Argument(help="The text; without it, --file or standard input is read.")]
FileOption = Annotated[Path | None, typer.Option("--file", "-f", help="Read the text from this file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")]


def options(
    *,
    max_repairs: Annotated[int | None, typer.Option(min=0, help="How often to ask again. [default: 2]")] = None,
    native: Annotated[NativeName | None, typer.Option(help="How the schema is carried. [default: auto]")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for everything. [default: 120]")] = None,
    temperature: Annotated[float | None, typer.Option(help="Sent only when given.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Length of a reply, in tokens.")] = None,
    seed: Annotated[int | None, typer.Option(help="Sent only when given.")] = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="Instructions in front of the schema.")] = None,
    policy: Annotated[PolicyName | None, typer.Option(help="Which fixes are applied. [default: safe]")] = None,
    allow: Annotated[list[str] | None, typer.Option(metavar="KIND", help="A lossy fix to apply as well.")] = None,
    context: Annotated[str | None, typer.Option(metavar="JSON", help="The validation context, an object.")] = None,
    extra: Annotated[str | None, typer.Option(metavar="JSON", help="Further fields of the request body.")] = None,
) -> Options:
    """The options of a call, from those of the command line that were given.

    Raises:
        MistakeError: a text that should be a JSON object is none, or there is no fix of an allowed name.
    """
    given = {
        "max_repairs": max_repairs,
        "native": native,
        "timeout": timeout,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "seed": seed,
        "system": system,
        "policy": policy,
        "allow": lossy_kinds(allow) or None,
        "context": None if context is None else json_object(context, "--context"),
        "extra": None if extra is None else json_object(extra, "--extra"),
    }
    return cast("Options", {name: value for name, value in given.items() if value is not None})


def takes_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a call besides its own; it takes what is made of them as `chosen`."""
    own = [each for each in _parameters(command) if each.name != "chosen"]
    shared = _parameters(options)

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        chosen = options(**{each.name: given.pop(each.name) for each in shared})
        command(**given, chosen=chosen)

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *shared)]
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    vars(with_options)["__signature__"] = inspect.Signature(parameters)
    return with_options


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


def lossy_kinds(allow: Sequence[str] | None) -> frozenset[str]:
    """The fixes that are allowed by name.

    Raises:
        MistakeError: there is none of such a name.
    """
    try:
        return known(allow or ())
    except ValueError as error:
        raise MistakeError(f"--allow: {error}") from None


def json_object(text: str, option: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise MistakeError(f"{option} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise MistakeError(f'{option} is not a JSON object: {text} (write it as {{"name": ...}})')
    return value  # pyright: ignore[reportUnknownVariableType]  # the keys of a JSON object are strings


def words(text: str | None, file: Path | None) -> str:
    """The text that a command works on: its argument, its file, or standard input.

    Raises:
        MistakeError: there is none, or the file cannot be read.
    """
    if text is not None and file is not None:
        raise MistakeError("a text and --file are both given (give one of them)")
    if text is not None:
        return text
    if file is not None:
        return contents(file)
    if sys.stdin.isatty():
        raise MistakeError("no text is given (write it behind the command, or use --file or standard input)")
    return sys.stdin.read()


def contents(file: Path) -> str:
    """A text file.

    Raises:
        MistakeError: it cannot be read.
    """
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise MistakeError(f"{file} cannot be read: {why}") from None


def client_of(models: Sequence[str | ChatModel] | None, chosen: Options) -> Client:
    """A client with these options.

    Raises:
        MistakeError: an option's value is out of its range.
    """
    try:
        return Client(models or None, **chosen)
    except ValueError as error:
        raise MistakeError(str(error)) from None


@contextmanager
def asking(models: Sequence[str] | None, chosen: Options) -> Generator[Client]:
    """A client that shows on the terminal what it is waiting for.

    Raises:
        MistakeError: an option's value is out of its range.
        ModelError: the model is not known or not configured.
    """
    with client_of(models, chosen) as client, client.override([_Watched(model) for model in client.models]):
        yield client


class _Watched:
    """A chat model that shows each request on the terminal."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._asked = 0

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def profile(self) -> Profile:
        return profile_of(self._model)

    def complete(self, request: Request, /) -> Reply | Awaitable[Reply]:
        self._asked += 1
        with progress(f"asking {self.name} ... (request {self._asked})"):
            return self._model.complete(request)
