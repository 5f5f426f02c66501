"""What a model's service really does: servers that enforce, ignore and reject a schema, each found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.models import model_at
from tests.support.server import Seen, Server, Step, fail, say
from typedllm.errors import ModelError
from typedllm.models.doctor import ModeReport, probe
from typedllm.schema.profiles import DEEPSEEK, OLLAMA, OPENAI
from typedllm.testing import ScriptedModel

ECHO = '{"word": "hello"}'


def asked(body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Which way of carrying a schema a request takes, and the schema."""
    if "tools" in body:
        return "tool", body["tools"][0]["function"]["parameters"]
    form = body.get("response_format", {"type": ""})
    return {"json_schema": "schema", "json_object": "json"}.get(form["type"], ""), form.get("json_schema", {}).get(
        "schema", {}
    )


def obey(seen: Seen) -> Step:
    """A service that decodes under the schema's grammar, and refuses what is no schema."""
    mode, schema = asked(seen.body)
    if mode == "":
        return say("hello", logprobs=(("hello", -0.1),), reasoning="they want hello")
    if mode == "json":
        return say('{"hello": "hello"}')
    if schema["type"] != "object":
        return fail(400, f"Invalid schema for response_format: {schema['type']!r} is not valid")
    text = f'{{"word": "{schema["properties"]["word"]["enum"][1]}"}}'
    return say(None, tool=text) if mode == "tool" else say(text)


def ignore(seen: Seen) -> Step:
    """A service that takes every request and does what the prompt says."""
    mode, _ = asked(seen.body)
    return say("<think>hm</think>hello" if mode in {"", "json"} else ECHO, usage=None)


def know_json(seen: Seen) -> Step:
    """A service that knows JSON mode alone, where it writes blanks."""
    mode, _ = asked(seen.body)
    if "logprobs" in seen.body:
        return fail(400, "logprobs is not supported")
    return say("hello") if not mode else say("   ") if mode == "json" else fail(400, "response_format: unknown type")


def lax(seen: Seen) -> Step:
    """A service that enforces a schema, and drops without a word what it cannot read."""
    _, schema = asked(seen.body)
    return say(ECHO) if schema.get("type") not in {None, "object"} else obey(seen)


SERVICES: dict[str, tuple[Callable[[Seen], Step], list[str], bool | None, list[bool], int]] = {
    "obey": (obey, ["enforced", "enforced", "enforced"], True, [True, True, True, False], 5),
    "ignore": (ignore, ["ignored", "ignored", "ignored"], None, [False, False, False, True], 4),
    "know_json": (know_json, ["rejected", "rejected", "unclear"], None, [False, True, False, False], 5),
    "lax": (lax, ["enforced", "enforced", "enforced"], False, [True, True, True, False], 5),
}


@pytest.mark.parametrize("case", SERVICES)
def test_services(server: Server, case: str) -> None:
    server.reply, outcomes, checks, seen, asked_times = SERVICES[case]
    model = model_at(server)
    report = probe(model)
    model.close()
    assert [mode.outcome for mode in report.modes] == outcomes
    assert report.checks_schemas is checks
    assert [report.logprobs, report.usage, report.reasoning, report.tags] == seen
    assert len(server.requests) == asked_times
    assert report.model == model.name


def test_a_profile_is_corrected(server: Server) -> None:
    model = model_at(server)
    server.reply = obey
    assert probe(model).corrected(DEEPSEEK) == replace(DEEPSEEK, native=("schema", "tool", "json"))
    server.reply = ignore
    assert probe(model).corrected(OLLAMA) == replace(OLLAMA, native=(), logprobs=False)
    server.reply = know_json
    assert probe(model).corrected(OPENAI) == replace(OPENAI, native=("json",), logprobs=False)
    model.close()


def test_a_service_that_cannot_be_asked(server: Server) -> None:
    model = model_at(server, max_retries=0)
    for step, sent in ((fail(401), 1), (fail(404, "no such model"), 2), (fail(429), 1)):
        server.requests.clear()
        server.reply = step
        with pytest.raises(ModelError):
            probe(model)
        assert len(server.requests) == sent
    server.reply = say("hello")
    server.script(say("hello"), fail(500), say("hel", finish="length"))
    assert [report.outcome for report in probe(model).modes] == ["unclear", "unclear", "ignored"]
    model.close()


def test_other_models_can_be_asked() -> None:
    model = ScriptedModel(["hello", ECHO, "nonsense", "[1]"])
    report = probe(model)
    assert report.modes[1] == ModeReport("tool", "ignored", "nonsense")
    assert report.enforced == ()

    class Later(ScriptedModel):
        async def complete(self, request: object) -> None:  # type: ignore[override]
            """Never."""

    with pytest.raises(TypeError, match="coroutine functions"):
        probe(Later([]))  # type: ignore[arg-type]
