"""Commands for a music player."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Search(_Part):
    """Tracks by what is known of them; give at least one."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    free_text: str | None = None
    """a mood, an occasion, or anything else"""


Tracks = TypeAliasType("Tracks", Search | Literal["these", "last result", "now playing"])


class Play(_Part):
    type: Literal["play"]
    tracks: Tracks = "these"
    shuffle: bool = False
    first: Annotated[int, Field(ge=1)] | None = None
    """how many of them"""


class Control(_Part):
    type: Literal["control"]
    what: Literal["pause", "resume", "next", "previous", "stop", "shuffle on", "shuffle off"]


class Volume(_Part):
    """Either one."""

    type: Literal["volume"]
    to: Annotated[int, Field(ge=0, le=100)] | None = None
    change: Annotated[int, Field(ge=-100, le=100)] | None = None
    """percent points, negative for softer"""


class Find(_Part):
    type: Literal["find"]
    tracks: Search
    most: int = Field(default=10, ge=1, le=100)


class Keep(_Part):
    """Put tracks into a playlist, made if there is none of that name."""

    type: Literal["keep"]
    tracks: Tracks
    playlist: str


class RemovePlaylist(_Part):
    type: Literal["remove playlist"]
    playlist: str


class UnknownText(_Part):
    """A part of the request that is no command for a music player."""

    type: Literal["unknown"]
    text: str


class Commands(_Part):
    """What the player is to do, in order."""

    commands: list[
        Annotated[
            Play | Control | Volume | Find | Keep | RemovePlaylist | UnknownText,
            Field(discriminator="type"),
        ]
    ]
