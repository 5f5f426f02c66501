"""What must type-check in pyright strict and mypy strict, with the types that both must see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, assert_type

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from typedllm import AsyncClient, Client, Message, Request, Result, Schema


class Cart(BaseModel):
    items: list[str]


class Question(BaseModel):
    text: str


@dataclass
class Point:
    x: int


class Row(TypedDict):
    a: int


client = Client("openai:gpt-5-mini", max_repairs=2)
aclient = AsyncClient()

assert_type(client.generate("x", Cart), Cart)
assert_type(client.generate("x", Cart | Question), Cart | Question)
assert_type(client.generate("x", list[Cart]), list[Cart])
assert_type(client.generate("x", dict[str, Cart]), dict[str, Cart])
assert_type(client.generate("x", tuple[int, str]), tuple[int, str])
assert_type(client.generate("x", Literal["a", "b"]), Literal["a", "b"])
assert_type(client.generate("x", Annotated[int, Field(ge=1)]), int)
assert_type(client.generate("x", int | None), int | None)
assert_type(client.generate("x", Point), Point)
assert_type(client.generate("x", Row), Row)
assert_type(client.generate("x", date), date)
assert_type(client.generate("x", Schema(Cart | Question)), Cart | Question)
assert_type(client.generate([Message("user", "x")], Schema(list[Cart])), list[Cart])
assert_type(client.run("x", Cart | Question), Result[Cart | Question])
assert_type(client.run("x", Cart).value, Cart)
assert_type(client.render("x", Cart, temperature=0.5), Request)
assert_type(Schema(Cart | Question).read("{}").value, Cart | Question)
assert_type(Schema(Literal["a", "b"]).validate("a").value, Literal["a", "b"])


@client.prompt
def sentiment(review: str) -> Literal["positive", "negative"]:
    """Classify."""
    raise NotImplementedError


@client.prompt(max_repairs=3, temperature=0.1)
def order(text: str, *, strict: bool = False) -> Cart | Question:
    """Take an order."""
    raise NotImplementedError


@aclient.prompt
async def aorder(text: str) -> Cart | Question:
    """Take an order."""
    raise NotImplementedError


@aclient.prompt(timeout=3)
async def amany(text: str) -> list[Cart]:
    """Take orders."""
    raise NotImplementedError


assert_type(sentiment("x"), Literal["positive", "negative"])
assert_type(order("x"), Cart | Question)
assert_type(order("x", strict=True), Cart | Question)
assert_type(order.run("x", strict=True), Result[Cart | Question])
assert_type(order.render("x"), Request)
assert_type(order.schema, Schema[Cart | Question])
assert_type(order.with_options(max_repairs=0)("x"), Cart | Question)
sentiment.example("Meh.", returns="negative")


@order.check
def in_stock(value: Cart | Question, text: str) -> None:
    if not text:
        raise ValueError("nothing was asked for")


class Shop:
    @client.prompt
    def take(self, text: str) -> Cart:
        """Take an order."""
        raise NotImplementedError

    @aclient.prompt
    async def atake(self, text: str) -> Cart:
        """Take an order."""
        raise NotImplementedError


assert_type(Shop().take("x"), Cart)
assert_type(Shop().take.run("x"), Result[Cart])


async def main() -> None:
    assert_type(await aorder("x"), Cart | Question)
    assert_type(await amany("x"), list[Cart])
    assert_type(await aorder.run("x"), Result[Cart | Question])
    assert_type(await Shop().atake("x"), Cart)
    assert_type(await aclient.generate("x", Cart | Question), Cart | Question)
    assert_type(await aclient.generate("x", Literal["a"]), Literal["a"])
    assert_type(await aclient.run("x", Schema(Cart)), Result[Cart])
