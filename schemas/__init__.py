"""Schemas to use at once: one domain a module, with the same as a JSON Schema document beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from schemas.calendar import CalendarActions
from schemas.coffee import Cart
from schemas.contacts import Contacts
from schemas.drawing import Drawing
from schemas.health import HealthRecord
from schemas.invoice import Invoice
from schemas.music import Commands
from schemas.restaurant import Order
from schemas.sentiment import Sentiment

ROOTS: Final[dict[str, type[BaseModel]]] = {
    "calendar": CalendarActions,
    "coffee": Cart,
    "contacts": Contacts,
    "drawing": Drawing,
    "health": HealthRecord,
    "invoice": Invoice,
    "music": Commands,
    "restaurant": Order,
    "sentiment": Sentiment,
}


def path_of(domain: str) -> Path:
    """Where the JSON Schema document of a domain stands."""
    return Path(__file__).with_name(f"{domain}.json")
