"""Take orders in a coffee shop: what a customer says, as a typed cart.

python examples/coffee_shop/main.py                              the recorded replies: no key, no network
python examples/coffee_shop/main.py --model local                the embedded model
python examples/coffee_shop/main.py --model openai:gpt-5-mini    any other model
python examples/coffee_shop/main.py --model local --record       ask anew, and keep the replies
"""

from __future__ import annotations

import argparse
from pathlib import Path

from schemas.coffee import BakeryItem, Cart, EspressoDrink, LatteDrink, LineItem, Milk, UnknownText
from typedllm import Client, Result
from typedllm.models.resolve import resolve
from typedllm.testing import record

HERE = Path(__file__).parent
REPLIES = HERE / "replies.jsonl"

client = Client(f"replay:{REPLIES}", timeout=600, max_tokens=256)


@client.prompt
def order(request: str) -> Cart:
    """Take the order of a customer in a coffee shop."""
    ...


def item(product: LatteDrink | EspressoDrink | BakeryItem, quantity: int = 1) -> LineItem:
    """A line of an order."""
    return LineItem(type="line item", product=product, quantity=quantity)


soy = Milk(type="milk", name="soy milk")
order.example(
    "a tall latte with soy milk",
    returns=Cart(items=[item(LatteDrink(type="latte", name="latte", size="tall", options=[soy]))]),
)
order.example("three bagels", returns=Cart(items=[item(BakeryItem(type="bakery", name="bagel"), 3)]))
order.example(
    "a double ristretto, and a tall tree",
    returns=Cart(
        items=[
            item(EspressoDrink(type="espresso", name="ristretto", size="doppio")),
            UnknownText(type="unknown", text="a tall tree"),
        ]
    ),
)


def show(request: str, result: Result[Cart]) -> None:
    """Print what came of a request, and how."""
    print(f"> {request}")
    for number, attempt in enumerate(result.attempts, 1):
        for issue in attempt.issues:
            print(f"  attempt {number}: {issue}")
    if result.ok:
        for item in result.value.items:
            print(f"  {item!r}")
    else:
        print(f"  no value: {result.error}")
    fixes = ", ".join(f"{fix.kind} at {fix.path or '/'}" for fix in result.fixes)
    usage = result.usage
    print(f"  attempts: {len(result.attempts)}, fixes: {fixes or 'none'}, ", end="")
    print(f"tokens: {usage.input_tokens} in, {usage.output_tokens} out\n")


def main() -> None:
    """Take each order of input.txt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=f"replay:{REPLIES}", help="which model takes the orders")
    parser.add_argument("--record", action="store_true", help="keep the replies of that model")
    args = parser.parse_args()
    model = resolve(args.model)
    with client.override(record(model, REPLIES) if args.record else model):
        for request in (HERE / "input.txt").read_text("utf-8").splitlines():
            show(request, order.run(request))


if __name__ == "__main__":
    main()
