"""Schemas to use at once: one domain a module, with the same as a JSON Schema document beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from schemas.coffee import Cart
from schemas.sentiment import Sentiment

ROOTS: Final[dict[str, type[BaseModel]]] = {
    "coffee": Cart,
    "sentiment": Sentiment,
}


def path_of(domain: str) -> Path:
    """Where the JSON Schema document of a domain stands."""
    return Path(__file__).with_name(f"{domain}.json")
