"""CPU per call beyond the bare openai client, on one loopback server in another process, in one run.

    python benchmarks/calls.py [--calls 300] [--rounds 5] [--memory 10000]

Each round times every contestant in turn, so that other work on the machine meets them alike; the median of the
rounds is shown, and its ratio to the bare client (`client.chat.completions.create`, which reads nothing of the text).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import openai
from pydantic import BaseModel

from typedllm import AsyncClient, Client
from typedllm.models.openai import OpenAIModel
from typedllm.records import Message, Request

ROOT = Path(__file__).parents[1]


class Small(BaseModel):
    answer: str


class Line(BaseModel):
    sku: str
    quantity: int
    options: list[str] = []


class Order(BaseModel):
    customer: str
    lines: list[Line]
    notes: dict[str, str] = {}


SMALL = '{"answer": "yes"}'
NESTED = json.dumps(
    {
        "customer": "Ada",
        "lines": [{"sku": f"A-{n}", "quantity": n, "options": ["milk", "sugar"]} for n in range(40)],
        "notes": {"gift": "yes", "ribbon": "blue"},
    }
)


def cpu(work: Callable[[], object], calls: int) -> float:
    """CPU milliseconds of this process for each call."""
    begun = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - begun) / calls * 1000


def contestants(url: str, text: str, kind: type[BaseModel]) -> dict[str, Callable[[], object]]:
    """What is compared."""
    bare = openai.OpenAI(api_key="key", base_url=url, max_retries=0)
    beside = asyncio.new_event_loop()
    abare = openai.AsyncOpenAI(api_key="key", base_url=url, max_retries=0)
    model = OpenAIModel("m", base_url=url)
    client, aclient = Client(model), AsyncClient(model)
    prompt = "Say it: " + text
    request = Request((Message("user", prompt),))
    messages = [{"role": "user", "content": prompt}]
    return {
        "bare client": lambda: bare.chat.completions.create(model="m", messages=messages),  # type: ignore[arg-type]
        "chat model": lambda: model.complete(request),
        "typed value": lambda: client.generate(prompt, kind),
        "bare client, async": lambda: beside.run_until_complete(
            abare.chat.completions.create(model="m", messages=messages)  # type: ignore[arg-type]
        ),
        "chat model, async": lambda: beside.run_until_complete(model.acomplete(request)),
        "typed value, async": lambda: beside.run_until_complete(aclient.generate(prompt, kind)),
    }


def compare(url: str, label: str, text: str, kind: type[BaseModel], calls: int, rounds: int) -> None:
    """Print the table for one type."""
    found = contestants(url, text, kind)
    for work in found.values():
        cpu(work, 20)
    times = {name: [] for name in found}
    for _ in range(rounds):
        for name, work in found.items():
            times[name].append(cpu(work, calls))
    middle = {name: statistics.median(series) for name, series in times.items()}
    for name, value in middle.items():
        against = middle["bare client, async" if "async" in name else "bare client"]
        print(f"{label:8} {name:20} {value:7.3f} ms  {value / against:5.2f}x")


def memory(url: str, calls: int) -> None:
    """Print how much memory grows over many calls."""
    model = OpenAIModel("m", base_url=url)
    request = Request((Message("user", "hi"),))
    for done in range(calls + 1):
        if done in {calls // 10, calls}:
            gc.collect()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"after {done:6} calls: {_resident():8.1f} MB resident, {peak / 1024:8.1f} MB at most")
        model.complete(request)
    model.close()


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Start the server, and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, default=10_000)
    given = parser.parse_args()
    os.environ.setdefault("TYPEDLLM_API_KEY", "key")
    for label, text, kind in (("small", SMALL, Small), ("nested", NESTED, Order)):
        command = [sys.executable, "-m", "tests.support.server", text]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            compare(url, label, text, kind, given.calls, given.rounds)
            if label == "small" and given.memory:
                memory(url, given.memory)
            server.terminate()


if __name__ == "__main__":
    main()
