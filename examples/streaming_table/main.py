"""Fill a table while the reply comes: each row is shown, validated, as it closes.

python examples/streaming_table/main.py                              the recorded replies: no key, no network
python examples/streaming_table/main.py --model local                the embedded model
python examples/streaming_table/main.py --model openai:gpt-5-mini    any other model
python examples/streaming_table/main.py --model local --record       ask anew, and keep the replies
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pydantic import BaseModel, Field
from rich.console import Console
from rich.live import Live
from rich.table import Table

from typedllm import Client
from typedllm.models.resolve import resolve
from typedllm.testing import record

HERE = Path(__file__).parent
REPLIES = HERE / "replies.jsonl"

client = Client(f"replay:{REPLIES}", timeout=600, max_tokens=512)


class Line(BaseModel):
    """One line of an order."""

    item: str
    quantity: int = Field(ge=1)
    price: float = Field(ge=0, description="of one, as written")


@client.prompt
def lines(order: str) -> list[Line]:
    """List the lines of the order."""
    ...


lines.example(
    "4 teas at 2.10 each, 1 scone at 1.95",
    returns=[Line(item="teas", quantity=4, price=2.10), Line(item="scone", quantity=1, price=1.95)],
)


def fill(order: str, console: Console) -> None:
    """Show the lines of one order as they come."""
    console.print(f"> {order}", markup=False)
    table = Table("item", "quantity", "price", width=60)
    with lines.stream(order) as stream, Live(table, console=console):
        for line in stream.items():
            table.add_row(line.item, str(line.quantity), f"{line.price:.2f}")


def main() -> None:
    """Take each order of input.txt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=f"replay:{REPLIES}", help="which model reads the orders")
    parser.add_argument("--record", action="store_true", help="keep the replies of that model")
    args = parser.parse_args()
    model = resolve(args.model)
    console = Console(width=None if args.model != parser.get_default("model") else 100)
    with client.override(record(model, REPLIES) if args.record else model):
        for order in (HERE / "input.txt").read_text("utf-8").splitlines():
            fill(order, console)


if __name__ == "__main__":
    main()
