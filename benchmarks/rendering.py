"""Size of the renderings, and what building one costs: `python -m benchmarks.rendering`.

Sizes are characters, and tokens where the embedded model (`typedllm[local]`) is installed: each domain schema as
TypeScript, as compact TypeScript, and as pydantic's own JSON Schema without white space. Times are the best of
several rounds.
"""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable

from pydantic import BaseModel, Field, TypeAdapter, create_model

from schemas import ROOTS
from typedllm.errors import ModelError
from typedllm.models.tokens import count_tokens
from typedllm.schema import build as module
from typedllm.schema.build import build
from typedllm.schema.typescript import render


def token_counter() -> Callable[[str], int] | None:
    """Counts tokens with the embedded model's tokenizer; None where it is not installed."""
    try:
        count_tokens("ready")
    except ModelError:
        return None
    return count_tokens


def sizes() -> None:
    """Print what each domain schema costs."""
    measures: dict[str, Callable[[str], int]] = {"characters": len}
    if counter := token_counter():
        measures["tokens"] = counter
    for unit, measure in measures.items():
        print(f"{unit:14} {'TypeScript':>11} {'compact':>8} {'JSON Schema':>12} {'ratio':>6}")
        totals = [0, 0, 0]
        for domain, root in ROOTS.items():
            built = build(root)
            texts = (
                render(built.document, built.name),
                render(built.document, built.name, compact=True),
                json.dumps(root.model_json_schema(), separators=(",", ":"), ensure_ascii=False),
            )
            row = [measure(text) for text in texts]
            totals = [total + cost for total, cost in zip(totals, row, strict=True)]
            print(f"{domain:14} {row[0]:11,} {row[1]:8,} {row[2]:12,} {row[0] / row[2]:6.2f}")
        print(f"{'together':14} {totals[0]:11,} {totals[1]:8,} {totals[2]:12,} {totals[0] / totals[2]:6.2f}\n")


def best(action: Callable[[], object], *, number: int = 1, rounds: int = 7) -> float:
    """Milliseconds of the fastest round."""
    return min(timeit.repeat(action, number=number, repeat=rounds)) / number * 1000


def fresh_model() -> type[BaseModel]:
    """A model of 100 fields that nothing has seen before."""
    kinds = (int, str, float, bool, list[int])
    return create_model(
        "Wide", **{f"field_{i}": (kinds[i % 5], Field(description=f"the field {i}")) for i in range(100)}
    )


def times() -> None:
    """Print what building costs, and that later calls build nothing."""
    models = [fresh_model() for _ in range(14)]
    plain = best(lambda: TypeAdapter(model := models.pop()).json_schema() and model)
    whole = best(lambda: build(models.pop()))
    kept = fresh_model()
    document = build(kept).document
    print(f"100 fields: pydantic's TypeAdapter and json_schema {plain:.2f} ms, build {whole:.2f} ms")
    print(f"100 fields: render {best(lambda: render(document, 'Wide')):.2f} ms")

    module._build = None  # type: ignore[assignment]  # a later call that builds would fail here
    once = best(lambda: build(kept), number=100_000, rounds=3)
    print(f"100,000 further calls: nothing built, {once * 1000:.2f} µs each")


if __name__ == "__main__":
    sizes()
    times()
