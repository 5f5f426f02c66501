"""Types that are seldom declared, and forms in which models write them: one meaning is read, two are asked about."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from tests.test_reading_aligned import read


class Grind(IntEnum):
    """How fine."""

    COARSE = 1
    FINE = 4


class Milk(Enum):
    """Two names for one value."""

    OAT = "oat"
    HAFER = "oat"  # noqa: PIE796  # an alias
    COW = "cow"


class Kettle(BaseModel):
    """Each property under several keys."""

    model_config = ConfigDict(populate_by_name=True)

    litres: float = Field(alias="volumeInLitres")
    maker: str = Field(default="", validation_alias=AliasChoices("maker", "brand", "madeBy"))


READ: list[tuple[Any, str, Any, set[str]]] = [
    # several names of one thing
    (Milk, "HAFER", Milk.OAT, {"plain_text", "enum_name"}),
    (Kettle, '{"litres": "2", "madeBy": "Brew Co"}', Kettle(litres=2, maker="Brew Co"),
     {"field_name", "string_to_number"}),
    (Kettle, '{"volumeInLitres": 2, "maker": "Brew Co", "brand": "Brew Co"}', Kettle(litres=2, maker="Brew Co"),
     {"field_name", "repeated_key"}),
    # numbers
    (Literal[5, True], "5.0", 5, {"number_form"}),
    (Literal[5, True], '"true"', True, {"json_form"}),
]  # fmt: skip

REFUSED: list[tuple[Any, str, str, str]] = [
    # to Python, true is 1
    (Grind, "true", "", "unlisted"),
    (Literal[5, True], "1", "", "unlisted"),
    (dict[str, Literal[0, 7]], '{"cups": false}', "/cups", "unlisted"),
    # two keys for one property
    (Kettle, '{"litres": 2, "volumeInLitres": 3}', "/volumeInLitres", "repeated_key_differs"),
    (Kettle, '{"litres": 2, "maker": "Brew Co", "brand": "Pour Co"}', "/maker", "repeated_key_differs"),
    # nothing is no item, and what no number holds is no number
    (dict[str, list[str]], '{"notes": ""}', "/notes", "type"),
    (float, '"1e999"', "", "type"),
    # the text ends in a string, and not before it
    (dict[str, str], '{"roast":"}', "/roast", "truncated"),
]


@pytest.mark.parametrize(("declared", "text", "value", "kinds"), READ)
def test_one_meaning_is_read(declared: Any, text: str, value: Any, kinds: set[str]) -> None:
    result = read(declared, text)
    assert result.value == value
    assert {fix.kind for fix in result.fixes} == kinds


@pytest.mark.parametrize(("declared", "text", "path", "code"), REFUSED)
def test_two_meanings_are_asked_about(declared: Any, text: str, path: str, code: str) -> None:
    result = read(declared, text)
    assert not result.ok
    assert (result.issues[0].path, result.issues[0].code) == (path, code)
