"""All commands, put together."""

from __future__ import annotations

import importlib.metadata
from typing import Annotated

import typer

from typedllm.cli.ask import chat, run
from typedllm.cli.exits import Commands
from typedllm.cli.lint import lint
from typedllm.cli.look import check, render
from typedllm.cli.setup import doctor, local, models

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Typed output from language models.",
    epilog=(
        "Exit codes: 0 fine, 1 no valid reply, 2 wrong usage or schema, 3 the model cannot be asked, 4 it declined, "
        "5 the reply was cut off, 6 a bound was met, 7 a program failed, 130 interrupted."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(importlib.metadata.version("typedllm"))
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Typed output from language models."""


for command in (run, chat, check, render, lint, doctor, models):
    app.command()(command)
app.add_typer(local, name="local")
