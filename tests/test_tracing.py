"""Spans and metrics, received by the OpenTelemetry SDK."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.both import Both
from typedllm import AsyncClient, Attempt, Budget, Client, ModelError, Price, Reply, Request, Usage
from typedllm.judge import check_with
from typedllm.models.scripted import ScriptedModel
from typedllm.tracing import Tracing

BAD, GOOD = '"secret"', "1"


def told(text: str = GOOD, **rest: Any) -> Reply:
    return Reply(text, usage=Usage(100, 60, 10, 4, requests=1), model="served", **rest)


@dataclass
class Collector:
    """An SDK of its own, so that tests do not share the global one."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meter_provider = MeterProvider([self.reader])

    def tracing(self, **options: Any) -> Tracing:
        return Tracing(tracer_provider=self.tracer_provider, meter_provider=self.meter_provider, **options)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """By the order in which they ended; the call is the last."""
        finished = self.exporter.get_finished_spans()
        return {f"{index} {span.name}": span for index, span in enumerate(finished)}

    def points(self, name: str) -> list[HistogramDataPoint]:
        data = self.reader.get_metrics_data()
        assert data is not None
        found = [
            metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return [point for metric in found for point in metric.data.data_points if isinstance(point, HistogramDataPoint)]


@pytest.fixture
def collector() -> Collector:
    return Collector()


def test_one_span_for_the_call_and_one_for_each_attempt(both: Both, collector: Collector) -> None:
    model = ScriptedModel([told(BAD), told(GOOD, retries=2, first_token_seconds=0.5)], name="mistral:small")
    client = both.client(model, trace=collector.tracing(), price=Price(1, 1), temperature=0.5, stop="END", seed=3)
    assert both.call(client.run, "my secret", int).ok
    first, second, call = collector.spans.values()
    assert [first.name, second.name, call.name] == ["chat small", "chat small", "generate Reply"]
    assert call.parent is None
    assert call.kind is SpanKind.INTERNAL
    assert first.kind is SpanKind.CLIENT
    for attempt in (first, second):
        assert attempt.parent is not None
        assert attempt.parent.span_id == call.context.span_id
    assert dict(second.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "small",
        "gen_ai.output.type": "text",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 3,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.model": "served",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "typedllm.attempt.kind": "full",
        "typedllm.cost": float(Decimal("0.00011")),
        "typedllm.issue.count": 0,
        "typedllm.retry.count": 2,
    }
    assert first.attributes is not None
    assert first.attributes["typedllm.issue.count"] == 1
    assert first.attributes["typedllm.issue.codes"]
    assert first.status.status_code is StatusCode.UNSET
    assert dict(call.attributes or {}) == {
        "typedllm.schema.name": "Reply",
        "typedllm.attempt.count": 2,
        "typedllm.repair.count": 1,
    }


def test_content_is_recorded_on_demand_only(both: Both, collector: Collector, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    for tracing in (collector.tracing(), collector.tracing(content=True)):
        client = both.client(ScriptedModel([told(BAD, reasoning="hm"), GOOD]), trace=tracing)
        assert both.call(client.run, "my secret", int).ok
    spans = list(collector.spans.values())
    assert "secret" not in "".join(span.to_json() for span in spans[:3])
    asked = json.loads(str((spans[3].attributes or {})["gen_ai.input.messages"]))
    assert [message["role"] for message in asked] == ["system", "user"]
    assert asked[1]["parts"] == [{"type": "text", "content": "my secret"}]
    (answer,) = json.loads(str((spans[3].attributes or {})["gen_ai.output.messages"]))
    assert answer["parts"] == [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": BAD}]
    assert "secret" not in "".join(record.getMessage() for record in caplog.records)
    assert any(record.name == "typedllm" for record in caplog.records)


FAILURES: dict[str, tuple[list[Any], dict[str, Any], str, list[str]]] = {
    "HTTP status": ([ModelError("secret", code="server", status=503)], {}, "503", ["503"]),
    "no connection": ([ModelError("secret", code="connection")], {}, "connection", ["connection"]),
    "cut": ([ModelError("secret", code="bad_response", reply=told("se"))], {}, "bad_response", ["bad_response"]),
    "refused": ([Reply("", "refusal", refusal="secret")], {}, "refused", [""]),
    "never valid": ([BAD], {"max_repairs": 0}, "RepairError", [""]),
    "budget": ([GOOD], {"budget": Budget(max_requests=0)}, "max_requests", []),
}


@pytest.mark.parametrize(("script", "options", "call", "attempts"), FAILURES.values(), ids=FAILURES)
def test_failures_have_a_type_and_no_words(
    both: Both, collector: Collector, script: list[Any], options: dict[str, Any], call: str, attempts: list[str]
) -> None:
    client = both.client(ScriptedModel(script), trace=collector.tracing(), **options)
    assert not both.call(client.run, "x", int).ok
    *below, whole = collector.spans.values()
    assert (whole.attributes or {})["error.type"] == call
    assert whole.status.status_code is StatusCode.ERROR
    assert [(span.attributes or {}).get("error.type", "") for span in below] == attempts
    assert "secret" not in "".join(span.to_json() for span in (*below, whole))


def test_a_cancelled_call_ends_its_spans(collector: Collector) -> None:
    async def hang(_: Request) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    async def main() -> None:
        with anyio.move_on_after(0.05):
            await AsyncClient(ScriptedModel([hang]), trace=collector.tracing()).run("x", int)

    anyio.run(main)
    assert [(span.attributes or {})["error.type"] for span in collector.spans.values()] == ["cancelled"] * 2


def test_what_runs_inside_finds_its_place(both: Both, collector: Collector) -> None:
    """A model's HTTP client below the attempt; a judge and a hook below the call; the call below the caller."""
    tracer = collector.tracer_provider.get_tracer("test")

    def ask(_: Request) -> Reply:
        tracer.start_span("POST").end()
        return told()

    def hook(_: Attempt) -> None:
        tracer.start_span("hook").end()

    passes = '{"problems":[],"keeps_rule":true}'
    judge = check_with(Client(ScriptedModel([passes]), trace=collector.tracing()), "Anything goes.")
    client = both.client(ScriptedModel([ask]), trace=collector.tracing(), on_attempt=hook, checks=[judge])
    with tracer.start_as_current_span("caller"):
        assert both.call(client.run, "x", int).ok
        assert trace.get_current_span().get_span_context().is_valid
    by_id = {span.context.span_id: span.name for span in collector.exporter.get_finished_spans()}
    below = [
        (span.name, by_id.get(span.parent.span_id) if span.parent else None)
        for span in collector.exporter.get_finished_spans()
    ]
    assert sorted(below, key=str) == sorted(
        [
            ("POST", "chat scripted"),
            ("chat scripted", "generate Ruling"),
            ("generate Ruling", "generate Reply"),
            ("chat scripted", "generate Reply"),
            ("hook", "generate Reply"),
            ("generate Reply", "caller"),
            ("caller", None),
        ],
        key=str,
    )


def test_metrics(both: Both, collector: Collector) -> None:
    script = [told(BAD), told(first_token_seconds=0.25), ModelError("down", code="server", status=500)]
    client = both.client(ScriptedModel(script, name="http://host:81/v1#m"), trace=collector.tracing())
    assert both.call(client.run, "x", int).ok
    assert not both.call(client.run, "x", int).ok
    about = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "host",
        "gen_ai.request.model": "m",
        "server.address": "host",
        "server.port": 81,
    }
    served = {**about, "gen_ai.response.model": "served"}
    tokens = {
        str((point.attributes or {})["gen_ai.token.type"]): point
        for point in collector.points("gen_ai.client.token.usage")
    }
    assert {kind: (point.count, point.sum) for kind, point in tokens.items()} == {"input": (2, 200), "output": (2, 20)}
    assert dict(tokens["input"].attributes or {}) == {**served, "gen_ai.token.type": "input"}
    durations = {
        (point.attributes or {}).get("error.type"): (point.count, dict(point.attributes or {}))
        for point in collector.points("gen_ai.client.operation.duration")
    }
    assert durations == {None: (2, served), "500": (1, {**about, "error.type": "500"})}
    (first,) = collector.points("gen_ai.client.operation.time_to_first_chunk")
    assert (first.count, first.sum) == (1, 0.25)


def test_it_can_be_switched_off(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(ScriptedModel([GOOD, GOOD]), trace=collector.tracing())
    assert client.run("x", int, trace=False).ok
    assert collector.spans == {}
    assert client.run("x", int).ok
    assert len(collector.spans) == 2


ABSENT = """
import sys
from importlib.abc import MetaPathFinder
class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("opentelemetry", "genai_prices"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from typedllm import Client
from typedllm.models.scripted import ScriptedModel
result = Client(ScriptedModel(["1"], name="openai:gpt-5-mini")).run("x", int)
print(result.value, result.usage.cost)
"""


def test_without_the_packages_calls_go_on() -> None:
    done = subprocess.run([sys.executable, "-c", ABSENT], capture_output=True, text=True, check=True)
    assert done.stdout == "1 None\n"


@pytest.mark.parametrize("name", ["openai:gpt-4o", "openai-responses:gpt-4o", "https://api.openai.com/v1#gpt-4o"])
def test_list_prices(name: str) -> None:
    """The price of a model of 2024 does not change any more: 2.50 and 10 dollars, 1.25 when cached."""
    usage = Usage(1_000_000, 200_000, 100_000, requests=1)
    result = Client(ScriptedModel([Reply(GOOD, usage=usage)], name=name)).run("x", int, budget=Budget(max_cost=5))
    assert result.usage.cost == Decimal("3.25")
    assert result.usage.priced == 1


@pytest.mark.parametrize(
    "name", ["gpt-4o", "openai:unheard-of", "nowhere:gpt-4o", "local", "http://127.0.0.1:1/v1#gpt-4o"]
)
def test_no_price_is_guessed(name: str) -> None:
    usage = Usage(1_000_000, output_tokens=1, requests=1)
    assert Client(ScriptedModel([Reply(GOOD, usage=usage)], name=name)).run("x", int).usage.cost is None
