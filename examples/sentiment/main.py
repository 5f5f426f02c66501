"""Say how the writer of a text feels.

python examples/sentiment/main.py                              the recorded replies: no key, no network
python examples/sentiment/main.py --model local                the embedded model
python examples/sentiment/main.py --model openai:gpt-5-mini    any other model
python examples/sentiment/main.py --model local --record       ask anew, and keep the replies
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from typedllm import Client
from typedllm.models.resolve import resolve
from typedllm.testing import record

HERE = Path(__file__).parent
REPLIES = HERE / "replies.jsonl"

client = Client(f"replay:{REPLIES}", timeout=600)


@client.prompt
def sentiment(review: str) -> Literal["negative", "neutral", "positive"]:
    """Classify the sentiment of the review."""
    ...


def main() -> None:
    """Judge each line of input.txt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=f"replay:{REPLIES}", help="which model judges")
    parser.add_argument("--record", action="store_true", help="keep the replies of that model")
    args = parser.parse_args()
    model = resolve(args.model)
    with client.override(record(model, REPLIES) if args.record else model):
        for text in (HERE / "input.txt").read_text("utf-8").splitlines():
            print(f"{sentiment(text):8}  {text}")


if __name__ == "__main__":
    main()
