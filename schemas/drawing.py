"""Drawings of simple shapes, on a canvas with the origin at its upper left corner."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

Length = TypeAliasType("Length", Annotated[float, Field(gt=0, le=10_000)])
Colour = TypeAliasType(
    "Colour",
    Literal["black", "blue", "brown", "gray", "green", "none", "orange", "pink", "purple", "red", "white", "yellow"]
    | Annotated[str, Field(pattern="^#[0-9a-f]{6}$", examples=["#ff8000"])],
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Style(_Part):
    line: Colour = "black"
    fill: Colour = "none"
    width: Annotated[float, Field(gt=0, le=100)] = 1
    dashed: bool = False


class Box(_Part):
    type: Literal["box"]
    x: float
    y: float
    width: Length
    height: Length
    text: str = ""
    style: Style | None = None


class Ellipse(_Part):
    """Within the box of that corner and size."""

    type: Literal["ellipse"]
    x: float
    y: float
    width: Length
    height: Length
    text: str = ""
    style: Style | None = None


class Arrow(_Part):
    type: Literal["arrow"]
    start: tuple[float, float]
    end: tuple[float, float]
    head: Literal["none", "start", "end", "both"] = "end"
    style: Style | None = None


class Group(_Part):
    """Shapes that belong together, their places relative to the group's."""

    type: Literal["group"]
    x: float = 0
    y: float = 0
    shapes: list[Shape]


class UnknownText(_Part):
    """A part of the request that cannot be drawn with these."""

    type: Literal["unknown"]
    text: str


Shape = TypeAliasType("Shape", Annotated[Box | Ellipse | Arrow | Group | UnknownText, Field(discriminator="type")])


class Drawing(_Part):
    """The whole drawing, what lies below first."""

    width: Length = 800
    height: Length = 600
    shapes: list[Shape]


Group.model_rebuild()
