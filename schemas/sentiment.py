"""The sentiment of a text."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Sentiment(BaseModel):
    """How the writer of a text feels about its subject."""

    sentiment: Literal["negative", "neutral", "positive"]
