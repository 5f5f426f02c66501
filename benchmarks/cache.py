"""Prompt caches: how many tokens of a prompt the embedded model evaluates again.

    python benchmarks/cache.py

For each domain one prompt function is called twice with different texts; then a check rejects a first reply, so that
it is repaired. `changing first line` is the second call again, with a line that differs from call to call in front of
the schema, as a date or an id would: what a prompt that begins with it pays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

from schemas import coffee, contacts, sentiment
from typedllm import Attempt, Client
from typedllm.models.local import LocalModel

DOMAINS: dict[str, tuple[Any, tuple[str, str]]] = {
    "sentiment": (sentiment.Sentiment, ("The coffee was cold.", "Best cake in town, and they know it.")),
    "contacts": (contacts.Contacts, ("Ann Lee, ann@lee.org, Oslo", "Write to Bo Ek at bo@ek.se or 555-0199.")),
    "coffee": (coffee.Cart, ("A tall latte, please.", "Two espressos and a bagel with butter.")),
}


class Row(NamedTuple):
    """One request: tokens of its prompt, how many were in the cache, and the seconds to its first token."""

    domain: str
    what: str
    prompt: int
    cached: int
    seconds: float


def rows() -> Iterator[Row]:
    """Ask, domain by domain; each model begins with an empty cache."""
    for domain, (declared, (first, second)) in DOMAINS.items():
        client = Client(LocalModel(name=f"local-{domain}"), max_repairs=0, max_tokens=48, timeout=None)
        yield row(domain, "first call", client.run(first, declared).attempts[0])
        yield row(domain, "second call, another text", client.run(second, declared).attempts[0])
        repaired = client.run(second, declared, max_repairs=1, checks=[once()], native="prompt")
        yield row(domain, f"its repair ({repaired.attempts[-1].kind})", repaired.attempts[-1])
        lines = count()
        for text in (first, second):
            changed = client.run(text, declared, system=f"Request {next(lines)}.").attempts[0]
        yield row(domain, "changing first line", changed)


def once() -> Callable[[object], None]:
    """A check that rejects the first value."""
    seen: list[object] = []

    def check(value: object) -> None:
        seen.append(value)
        if len(seen) == 1:
            raise ValueError("read the request once more")

    return check


def row(domain: str, what: str, attempt: Attempt) -> Row:
    """What an attempt says of its prompt."""
    reply = attempt.reply
    assert reply is not None
    usage = reply.usage
    assert usage.input_tokens is not None
    return Row(domain, what, usage.input_tokens, usage.cached_tokens or 0, reply.first_token_seconds or reply.seconds)


def main() -> None:
    """Print a Markdown table."""
    print("| prompt | request | prompt tokens | from the cache | evaluated | seconds to the first token |")
    print("|---|---|--:|--:|--:|--:|")
    for each in rows():
        evaluated = each.prompt - each.cached
        print(f"| {each.domain} | {each.what} | {each.prompt} | {each.cached} | {evaluated} | {each.seconds:.2f} |")


if __name__ == "__main__":
    main()
