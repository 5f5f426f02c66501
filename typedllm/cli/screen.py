"""What stands on the terminal: text of models is shown as text, never as markup or as control codes."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

_CONTROL = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), 127, *range(128, 160)) if code not in (9, 10)}


def printable(text: str) -> str:
    """The text with its control characters replaced: what a model wrote must not steer the terminal."""
    return text.translate(_CONTROL)


def on_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def say(text: str, style: str = "") -> None:
    """A line on standard output, not wrapped."""
    Console().print(Text(printable(text), style=style), soft_wrap=True)


def note(text: str, style: str = "dim") -> None:
    """A line on standard error, not wrapped."""
    Console(stderr=True).print(Text(printable(text), style=style), soft_wrap=True)


def complain(text: str) -> None:
    """An error on standard error."""
    Console(stderr=True).print(Text.assemble(("error: ", "bold red"), printable(text)), soft_wrap=True)


@contextmanager
def progress(line: str) -> Generator[None]:
    """Show what is going on, on standard error, while the block runs; nothing when that is no terminal."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status(Text(printable(line))):
            yield
    else:
        yield
