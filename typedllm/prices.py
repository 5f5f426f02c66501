"""What a reply cost: by a price of the caller's own, or by the `genai-prices` package where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any, Protocol, TypeAlias

from typedllm.records import Usage

__all__ = ["Price", "Priced", "Tariff", "tariff_of"]

_MILLION = Decimal(1_000_000)


class Tariff(Protocol):
    """Turns tokens into money."""

    def cost(self, usage: Usage, /) -> Decimal | None:
        """US dollars for this usage; None: it is not known, which is never the same as nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Price:
    """A price of your own, in US dollars for a million tokens.

    >>> Price(input="0.25", output=2, cached="0.025").cost(Usage(1_000, output_tokens=500))
    Decimal('0.00125')

    Attributes:
        input: of the prompt.
        output: of the reply, reasoning included.
        cached: of the part of the prompt that the service read from its cache; None: as `input`.

    Raises:
        ValueError: a price is no number from 0 on.
    """

    input: Decimal | float | str
    output: Decimal | float | str
    cached: Decimal | float | str | None = None

    def __post_init__(self) -> None:
        for name in ("input", "output", "cached"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, money(name, given))

    def cost(self, usage: Usage, /) -> Decimal | None:
        """US dollars for this usage; None when the service did not report its tokens."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached = usage.cached_tokens or 0
        rates = (self.input, self.output, self.input if self.cached is None else self.cached)
        counts = (usage.input_tokens - cached, usage.output_tokens, cached)
        return sum((Decimal(rate) * count for rate, count in zip(rates, counts, strict=True)), Decimal(0)) / _MILLION


Priced: TypeAlias = "Price | Mapping[str, Price]"
"""One price for whatever is asked, or prices by the model's name."""


def money(name: str, given: Decimal | float | str) -> Decimal:
    """An amount of money as a decimal number: `0.1` is a tenth, not its nearest binary fraction.

    Raises:
        ValueError: it is no number from 0 on.
    """
    try:
        amount = Decimal(str(given))
    except ArithmeticError:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{name} is not an amount of US dollars from 0 on: {given!r}")
    return amount


def tariff_of(model: str, own: Priced | None, carried: object = None) -> Tariff | None:
    """What a model costs.

    Args:
        model: its name, such as `openai:gpt-5-mini`.
        own: the caller's prices; they win.
        carried: a `Price` that the `ChatModel` itself brings along.

    Returns:
        None where no price is known.
    """
    if isinstance(own, Price):
        return own
    if own is not None and model in own:
        return own[model]
    return carried if isinstance(carried, Price) else _listed(model)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A model that genai-prices knows."""

    library: Any
    model: str
    where: Mapping[str, str]

    def cost(self, usage: Usage, /) -> Decimal | None:
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        counted = self.library.Usage(
            input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, cache_read_tokens=usage.cached_tokens
        )
        try:
            total: Decimal = self.library.calc_price(counted, self.model, **self.where).total_price
        except LookupError:
            return None
        return total


@cache
def _listed(name: str) -> _Listed | None:
    """The tariff that genai-prices has for a model which names its provider or its service's address."""
    address, _, below = name.partition("#")
    provider, _, model = name.partition(":")
    where = {"provider_api_url": address} if below else {"provider_id": provider}
    model = below or model
    if not model:
        return None
    try:
        library = import_module("genai_prices")
    except ImportError:
        return None
    listed = _Listed(library, model, where)
    return listed if listed.cost(Usage(0, output_tokens=0)) is not None else None
