"""Orders in a pizza restaurant."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

Topping = TypeAliasType(
    "Topping",
    Literal[
        "anchovies",
        "basil",
        "extra cheese",
        "ham",
        "jalapeños",
        "mushrooms",
        "olives",
        "onions",
        "pepperoni",
        "peppers",
        "pineapple",
        "sausage",
        "spinach",
        "tomatoes",
    ],
)
Ingredient = TypeAliasType(
    "Ingredient", Literal["cheese", "croutons", "cucumber", "lettuce", "olives", "onions", "parmesan", "tomatoes"]
)
Quantity = TypeAliasType("Quantity", Annotated[int, Field(ge=1)])


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Pizza(_Part):
    type: Literal["pizza"]
    name: Literal["Hawaiian", "Margherita", "Pepperoni", "Yeti", "Veggie"] | None = None
    """one from the menu; leave out for one by its toppings"""
    size: Literal["small", "medium", "large", "extra large"] = "large"
    added: list[Topping] = []
    removed: list[Topping] = []
    """toppings of the named pizza to leave off"""
    quantity: Quantity = 1


class Beer(_Part):
    type: Literal["beer"]
    kind: str
    """as the guest calls it, such as "Mack and Jacks" or "whatever is on tap" """
    quantity: Quantity = 1


class Salad(_Part):
    type: Literal["salad"]
    portion: Literal["half", "whole"] = "whole"
    style: Literal["garden", "Greek"] = "garden"
    added: list[Ingredient] = []
    removed: list[Ingredient] = []
    quantity: Quantity = 1


class UnknownText(_Part):
    """A part of the order that fits nothing on the menu."""

    type: Literal["unknown"]
    text: str
    """the words that were not understood"""


class Order(_Part):
    """Everything that the guests order."""

    items: list[Annotated[Pizza | Beer | Salad | UnknownText, Field(discriminator="type")]]
