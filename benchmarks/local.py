"""The embedded model: cold start, speed, and what a second call of the same prompt function costs.

    python benchmarks/local.py

Runs each cold start in a process of its own. Everything is taken in one run, so the ratios hold on a loaded machine;
the absolute figures are those of this machine at this moment.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from time import perf_counter
from typing import Any

COLD = """
from time import perf_counter
began = perf_counter()
from typing import Literal
from typedllm import Client
imported = perf_counter() - began
client = Client("local")
client.model.load()
loaded = perf_counter() - began
result = client.run("What a lovely day!", Literal["positive", "neutral", "negative"])
import json
print(json.dumps({"import": imported, "load": loaded - imported, "value": perf_counter() - began, "ok": result.ok}))
"""

REVIEWS = (
    "The coffee was cold and the waiter rude.",
    "Best cake in town, and they know it.",
    "It is a cafe. It sells coffee.",
)


def cold_starts(times: int = 3) -> dict[str, float]:
    """Seconds from the start of a program to its first value: the median of several processes."""
    runs: list[dict[str, float]] = []
    for _ in range(times):
        began = perf_counter()
        done = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout) | {"process": perf_counter() - began})
    return {name: statistics.median(run[name] for run in runs) for name in ("import", "load", "value", "process")}


def speed(tokens: int = 128) -> dict[str, float]:
    """Tokens per second of one long reply, after the prompt."""
    from typedllm.models.local import LocalModel
    from typedllm.records import Message, Request

    reply = LocalModel().complete(
        Request((Message("user", "Tell a long story."),), options={"max_tokens": tokens, "ignore_eos": True})
    )
    assert reply.first_token_seconds is not None
    assert reply.usage.output_tokens == tokens
    return {"tokens_per_second": (tokens - 1) / (reply.seconds - reply.first_token_seconds)}


def second_call() -> list[dict[str, Any]]:
    """Prompt tokens that are evaluated at each call of one prompt function, the first of which finds no cache."""
    from typing import Literal

    from typedllm import Client

    client = Client("local")

    @client.prompt
    def sentiment(review: str) -> Literal["positive", "neutral", "negative"]:
        """Classify the review of a customer."""
        raise NotImplementedError

    rows: list[dict[str, Any]] = []
    for review in (*REVIEWS, REVIEWS[-1]):
        result = sentiment.run(review)
        usage, reply = result.usage, result.attempts[0].reply
        assert reply is not None
        assert usage.input_tokens is not None
        rows.append(
            {
                "prompt_tokens": usage.input_tokens,
                "evaluated": usage.input_tokens - (usage.cached_tokens or 0),
                "first_token_seconds": reply.first_token_seconds,
                "seconds": result.seconds,
            }
        )
    return rows


def main() -> None:
    """Print the figures."""
    cold, rows = cold_starts(), second_call()
    print("cold start, seconds (median of 3 processes)")
    for name, seconds in cold.items():
        print(f"  to {name:<8}{seconds:8.2f}")
    print(f"generation        {speed()['tokens_per_second']:8.1f} tokens/s")
    print("the same prompt function, call by call")
    first = rows[0]
    for number, row in enumerate(rows, 1):
        share = row["evaluated"] / first["evaluated"]
        wait = row["first_token_seconds"] / first["first_token_seconds"]
        print(
            f"  {number}: {row['evaluated']:4} of {row['prompt_tokens']} prompt tokens evaluated ({share:5.0%} of the"
            f" first call), first token after {row['first_token_seconds']:.2f} s ({wait:5.0%}), {row['seconds']:.2f} s"
        )


if __name__ == "__main__":
    main()
