"""Every first prompt as a text to review; `UPDATE_SNAPSHOTS=1` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from typedllm import Client, Issue, Request, prompts
from typedllm.models.scripted import ScriptedModel
from typedllm.repair.feedback import lines
from typedllm.schema.profiles import Profile

SNAPSHOTS = Path(__file__).parent / "snapshots"


class Drink(BaseModel):
    """What is ordered."""

    name: str
    size: Literal["short", "tall"] = "tall"
    shots: int = Field(default=1, ge=1, le=4, description="of espresso")


client = Client(ScriptedModel([]))
shown = Client(ScriptedModel([], profile=Profile("shows", "2026-11-24", native=("schema",), shows_schema=True)))
small = Client(ScriptedModel([], profile=Profile("small", "2026-11-24", example=True)))


@client.prompt
def order(text: str, amounts: list[int]) -> Drink:
    """Take the order."""
    raise NotImplementedError


def text(request: Request) -> str:
    return "\n".join(f"--- {message.role}\n{message.text}" for message in request.messages) + "\n"


PROMPTS: dict[str, Any] = {
    "generate": lambda: text(client.render("A tall latte.", Drink)),
    "system_and_examples": lambda: text(
        client.render("A tall latte.", Drink, system="You work here.", examples=[("A mocha.", Drink(name="mocha"))])
    ),
    "plain_text": lambda: text(client.render("Say hello.", str, system="Be short.")),
    "schema_shown_by_the_service": lambda: text(shown.render("A tall latte.", Drink)),
    "made_up_example": lambda: text(small.render("A tall latte.", Drink)),
    "prompt_function": lambda: text(order.render("A ```latte```.", [1, 2])),
    "judge": lambda: prompts.judging("It is polite.", "Say hello.", '"Hello!"') + "\n",
    "text_repair": lambda: prompts.text_repair("Hallo!", ["say it in English"], [prompts.text_limit(50)]) + "\n",
    "item_repair": lambda: (
        prompts.item_repair('{"shots":9}', lines([Issue("/shots", "maximum", "at most 4", "9")])) + "\n"
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_prompt(name: str) -> None:
    path = SNAPSHOTS / f"prompt_{name}.txt"
    now = PROMPTS[name]()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(now, encoding="utf-8")
    assert now == path.read_text(encoding="utf-8"), "a prompt has changed: read it, then UPDATE_SNAPSHOTS=1"
