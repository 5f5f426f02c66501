"""Invoices, to the cent."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypeAliasType

from typedllm.schema.unknown import Known, NotStated

Money = TypeAliasType("Money", Annotated[Decimal, Field(decimal_places=2)])


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Line(_Part):
    description: str
    quantity: Annotated[Decimal, Field(gt=0)] = Decimal(1)
    unit_price: Money
    amount: Money
    """the line's total as printed, tax as on the invoice"""


class Party(_Part):
    name: str
    tax_id: Known[str] | NotStated


class Invoice(_Part):
    """One invoice, with its figures as printed."""

    number: str
    date: datetime.date
    due: Known[datetime.date] | NotStated
    seller: Party
    buyer: Party
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])
    lines: list[Line] = Field(min_length=1)
    tax: Money = Decimal(0)
    """what is added to the lines"""
    total: Money

    @model_validator(mode="after")
    def _adds_up(self) -> Invoice:
        """The amounts of the lines and the tax add up to the total."""
        added = sum((line.amount for line in self.lines), self.tax)
        if added != self.total:
            raise ValueError(f"the lines and the tax add up to {added}, the total says {self.total}")
        return self
