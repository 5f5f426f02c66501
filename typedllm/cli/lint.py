"""The command that says what a schema could do better: `lint`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from typedllm.cli.exits import Exit
from typedllm.cli.options import JsonOption, SchemaOption
from typedllm.cli.report import value_json
from typedllm.cli.screen import note, progress, say
from typedllm.cli.targets import load
from typedllm.declared import Schema
from typedllm.errors import ModelError
from typedllm.models.tokens import count_tokens
from typedllm.schema.lint import Cost, cost


def lint(
    schema: SchemaOption,
    count: Annotated[bool, typer.Option("--count", help="Give the size in tokens too.")] = False,
    json: JsonOption = False,
) -> None:
    """Say what a schema could do better before a model is asked, each finding with its mend.

    Exits with 0 when there is nothing to say, with 1 when there are findings. `--count` counts tokens by the embedded
    model's tokenizer where that is installed.
    """
    target = load(schema)
    findings, costs = target.lint(), _costs(target, count)
    if json:
        print(value_json({"findings": findings, "cost": costs}))
    else:
        for finding in findings:
            say(str(finding))
        for unit, each in costs.items():
            note(f"{each.typescript:,} {unit} as TypeScript, {each.json_schema:,} as JSON Schema")
    raise typer.Exit(Exit.INVALID if findings else Exit.OK)


def _costs(target: Schema[Any], tokens: bool) -> dict[str, Cost]:
    """What the schema costs in characters, and in tokens where that is asked for and can be counted."""
    costs = {"characters": cost(target.document, target.name)}
    try:
        if tokens:
            with progress("counting ..."):
                costs["tokens"] = cost(target.document, target.name, count_tokens)
    except ModelError as error:
        note(str(error))
    return costs
