"""Understand requests to a calendar, and repair what a model gets wrong.

The recorded replies are of the embedded model *without* the grammar that usually keeps it to the schema: so it makes
mistakes that the schema shows, is told of them, and corrects them or not.

    python examples/calendar/main.py                              the recorded replies: no key, no network
    python examples/calendar/main.py --model local                the embedded model, without its grammar
    python examples/calendar/main.py --model openai:gpt-5-mini    any other model
    python examples/calendar/main.py --model local --record       ask anew, and keep the replies
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from typedllm import Client
from typedllm.models.resolve import resolve
from typedllm.testing import record

HERE = Path(__file__).parent
REPLIES = HERE / "replies.jsonl"

client = Client(f"replay:{REPLIES}", native="prompt", timeout=600, max_tokens=128)


@dataclass
class Action:
    """One action on a calendar."""

    action: Literal["add", "remove", "find"]
    title: str
    day: str


@client.prompt
def understand(request: str) -> Action:
    """What is to be done?"""
    ...


understand.example("Lunch with Ana on Friday", returns=Action("add", "lunch with Ana", "Friday"))


def main() -> None:
    """Understand each line of input.txt, and tell how."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=f"replay:{REPLIES}", help="which model understands")
    parser.add_argument("--record", action="store_true", help="keep the replies of that model")
    args = parser.parse_args()
    model = resolve(args.model)
    with client.override(record(model, REPLIES) if args.record else model):
        for request in (HERE / "input.txt").read_text("utf-8").splitlines():
            result = understand.run(request)
            print(f"> {request}")
            for attempt in result.attempts:
                print(f"  {attempt.kind}: {attempt.reply and attempt.reply.text.strip()}")
                for issue in attempt.issues:
                    print(f"    {issue}")
            print(f"  {result.value if result.ok else result.error}\n")


if __name__ == "__main__":
    main()
