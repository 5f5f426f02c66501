"""What must not type-check: each marked line is an error for pyright strict and for mypy strict, no other is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from typedllm import AsyncClient, Client, Schema


class Cart(BaseModel):
    items: list[str]


client = Client()
aclient = AsyncClient()


@client.prompt
def sentiment(review: str) -> Literal["positive", "negative"]:
    """Classify."""
    raise NotImplementedError


class Shop:
    @client.prompt
    def take(self, text: str) -> Cart:
        """Take an order."""
        raise NotImplementedError


client.generate("x", Cart, max_repair=1)  # error: no such option
client.generate("x", Cart, temperature="hot")  # error: not a number
client.generate(3, Cart)  # error: not a prompt
wrong: int = client.generate("x", Cart)  # error: a Cart
sentiment(3)  # error: not a text
sentiment("x", strictly=True)  # error: no such argument
sentiment()  # error: an argument is missing
mood: Literal["positive"] = sentiment("x")  # error: or "negative"
Shop().take()  # error: an argument is missing
Shop().take("x", "y")  # error: one too many
sentiment.example("Meh.", returns="awful")  # error: not of the declared type
text: str = Schema(Cart).read("{}").value  # error: a Cart
late: Cart = aclient.generate("x", Cart)  # error: not awaited


@aclient.prompt  # error: not a coroutine function
def plain(text: str) -> Cart:
    """Take an order."""
    raise NotImplementedError
