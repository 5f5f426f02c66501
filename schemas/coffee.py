"""Orders in a coffee shop: a deep union of products with their options."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

Size = TypeAliasType("Size", Literal["short", "tall", "grande", "venti"])
Temperature = TypeAliasType("Temperature", Literal["hot", "extra hot", "warm", "iced"])
Amount = TypeAliasType(
    "Amount", Literal["no", "light", "regular", "extra"] | Annotated[int, Field(ge=1, description="pumps or pieces")]
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Milk(_Part):
    """What to make it with, or to add to it."""

    type: Literal["milk"]
    name: Literal[
        "whole milk",
        "two percent milk",
        "nonfat milk",
        "half and half",
        "heavy cream",
        "oat milk",
        "soy milk",
        "almond milk",
        "coconut milk",
        "eggnog",
    ]


class Sweetener(_Part):
    type: Literal["sweetener"]
    name: Literal["sugar", "brown sugar", "honey", "stevia", "sucralose", "agave"]
    amount: Amount = "regular"


class Syrup(_Part):
    type: Literal["syrup"]
    name: Literal[
        "almond",
        "butter rum",
        "caramel",
        "cinnamon",
        "hazelnut",
        "orange",
        "peppermint",
        "raspberry",
        "toffee",
        "vanilla",
    ]
    amount: Amount = "regular"


class Topping(_Part):
    type: Literal["topping"]
    name: Literal["cinnamon", "foam", "ice", "nutmeg", "whipped cream", "water", "chocolate drizzle", "caramel drizzle"]
    amount: Amount = "regular"


class Caffeine(_Part):
    type: Literal["caffeine"]
    name: Literal["regular", "two thirds caf", "half caf", "one third caf", "decaf"]


class Preparation(_Part):
    """How to make or to hand it over."""

    type: Literal["preparation"]
    name: Literal["dry", "wet", "concentrated", "for here cup", "lid", "double cup", "to go", "with room"]


class BakeryOption(_Part):
    type: Literal["bakery option"]
    name: Literal["butter", "strawberry jam", "cream cheese"]
    amount: Amount = "regular"


class BakeryPreparation(_Part):
    type: Literal["bakery preparation"]
    name: Literal["warmed", "cut in half", "toasted"]


DrinkOption = TypeAliasType(
    "DrinkOption",
    Annotated[Milk | Sweetener | Syrup | Topping | Caffeine | Preparation, Field(discriminator="type")],
)


class BakeryItem(_Part):
    type: Literal["bakery"]
    name: Literal[
        "apple bran muffin", "blueberry muffin", "lemon poppyseed muffin", "butter croissant", "bagel", "banana bread"
    ]
    options: list[Annotated[BakeryOption | BakeryPreparation, Field(discriminator="type")]] = []


class LatteDrink(_Part):
    type: Literal["latte"]
    name: Literal["cappuccino", "flat white", "latte", "latte macchiato", "mocha", "chai latte"]
    temperature: Temperature = "hot"
    size: Size = "grande"
    options: list[DrinkOption] = []


class EspressoDrink(_Part):
    type: Literal["espresso"]
    name: Literal["espresso", "lungo", "ristretto", "macchiato"]
    size: Literal["solo", "doppio", "triple", "quad"] = "doppio"
    options: list[DrinkOption] = []


class CoffeeDrink(_Part):
    type: Literal["coffee"]
    name: Literal["americano", "brewed coffee", "cold brew", "cafe au lait"]
    temperature: Temperature = "hot"
    size: Size = "grande"
    options: list[DrinkOption] = []


class LineItem(_Part):
    type: Literal["line item"]
    product: Annotated[BakeryItem | LatteDrink | EspressoDrink | CoffeeDrink, Field(discriminator="type")]
    quantity: Annotated[int, Field(ge=1)] = 1


class UnknownText(_Part):
    """A part of the order that fits nothing else."""

    type: Literal["unknown"]
    text: str
    """the words that were not understood"""


class Cart(_Part):
    """Everything that the customer orders."""

    items: list[Annotated[LineItem | UnknownText, Field(discriminator="type")]]
