"""The commands that ask no model: `render` and `check`."""

from __future__ import annotations

import json as jsons
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import typer

from typedllm.cli.excerpt import excerpt
from typedllm.cli.exits import code_of
from typedllm.cli.options import (
    FileOption,
    JsonOption,
    ModelOption,
    PolicyName,
    SchemaOption,
    TextArgument,
    client_of,
    json_object,
    lossy_kinds,
    takes_options,
    words,
)
from typedllm.cli.report import count, result_json, show_value, value_json
from typedllm.cli.screen import complain, note, on_terminal, progress
from typedllm.cli.targets import load
from typedllm.client import Client
from typedllm.errors import ModelError
from typedllm.models import ChatModel
from typedllm.models.scripted import ScriptedModel
from typedllm.models.tokens import count_tokens
from typedllm.options import Options
from typedllm.records import FinishReason, Fix, Issue, Request, Result

Format: TypeAlias = Literal["prompt", "typescript", "compact", "json-schema"]


@takes_options
def render(
    chosen: Options,
    schema: SchemaOption,
    text: TextArgument = None,
    file: FileOption = None,
    model: ModelOption = None,
    format: Annotated[Format, typer.Option(help="What to show.")] = "prompt",  # noqa: A002  # the option's name
    count: Annotated[bool, typer.Option("--count", help="Show the size in place of the text.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the exact prompt, or the schema as it stands in prompts; nothing is sent.

    `compact` is TypeScript with one line a type. `--count` counts characters, and tokens by the embedded model's
    tokenizer where that is installed.
    """
    target = load(schema)
    if format == "prompt":
        request = client_of(_asked(model), chosen).render(words(text, file), target)
        shown = value_json(request) if json else _conversation(request)
    elif format == "json-schema":
        document = target.json_schema()
        shown = value_json(document) if json else jsons.dumps(document, indent=2, ensure_ascii=False)
    else:
        typescript = target.typescript(compact=format == "compact").rstrip()
        shown = value_json(typescript) if json else typescript
    _size(shown) if count else print(shown)


def _asked(models: Sequence[str] | None) -> Sequence[ChatModel]:
    """The model whose prompt is shown: the one that is named or configured, else one that says nothing of itself."""
    try:
        return Client(models or None).models
    except ModelError as error:
        if models or error.code != "config":
            raise
        note("no model is configured: this is the prompt for one that takes the schema in the prompt only")
        return [ScriptedModel([])]


def _conversation(request: Request) -> str:
    """A request as text: each message under its role, then what is sent beside the messages."""
    parts = [f"[{message.role}]\n{message.text}" for message in request.messages]
    if request.native is not None:
        native = request.native
        parts.append(f"[{native.mode}]\n{jsons.dumps(native.document, indent=2, ensure_ascii=False)}")
    if request.options:
        parts.append(f"[options]\n{value_json(request.options)}")
    return "\n\n".join(parts)


def check(
    schema: SchemaOption,
    text: TextArgument = None,
    file: FileOption = None,
    policy: Annotated[PolicyName, typer.Option(help="Which fixes are applied.")] = "safe",
    allow: Annotated[list[str] | None, typer.Option(metavar="KIND", help="A lossy fix to apply as well.")] = None,
    context: Annotated[str | None, typer.Option(metavar="JSON", help="The validation context, an object.")] = None,
    finish_reason: Annotated[FinishReason | None, typer.Option(help="Why the reply ended, when known.")] = None,
    json: JsonOption = False,
) -> None:
    """Read a reply that is already there: fix what has one meaning, validate, and say what is wrong.

    No model is asked. Each fix and each issue is shown under the line where it stands.
    """
    target, reply = load(schema), words(text, file)
    given = None if context is None else json_object(context, "--context")
    result = target.read(reply, finish_reason, policy, allow=lossy_kinds(allow), context=given)
    if json:
        print(result_json(result))
    else:
        _explain(reply, result)
    raise typer.Exit(code_of(result.error))


def _explain(reply: str, result: Result[Any]) -> None:
    if result.ok:
        show_value(result.value) if on_terminal() else print(value_json(result.value))
    for fix in result.fixes:
        note(f"fix ({'lossless' if fix.lossless else 'lossy'}) {fix}", "yellow")
        _point(reply, fix)
    for issue in result.issues:
        note(f"issue {issue}", "red")
        _point(reply, issue)
        if issue.proposal is not None:
            note(f"  could be {issue.proposal.after or 'left out'} (--allow {issue.proposal.kind})")
    if not result.ok:
        complain(f"the reply is not valid: {count(len(result.issues), 'issue')}")


def _point(reply: str, thing: Fix | Issue) -> None:
    if thing.span is not None:
        note(excerpt(reply, thing.span), "")


def _size(text: str) -> None:
    """How long a text is, in characters and in tokens."""
    try:
        with progress("counting ..."):
            tokens = count_tokens(text)
    except ModelError as error:
        tokens = None
        note(str(error))
    if on_terminal():
        print(f"{len(text)} characters, {'no count of' if tokens is None else tokens} tokens")
    else:
        print(value_json({"characters": len(text), "tokens": tokens}))
