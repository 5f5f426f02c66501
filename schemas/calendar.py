"""Actions on a calendar."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

Clock = TypeAliasType("Clock", Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["09:30", "17:00"])])


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TimeRange(_Part):
    start: Clock | None = None
    end: Clock | None = None


class Event(_Part):
    day: str
    """as in the request, such as "2026-11-24", "Friday" or "the week of June 3"; relative days stay relative"""
    time: TimeRange | None = None
    description: str
    location: str | None = None
    participants: list[str] = []
    """names of people or of groups, such as "the sales team" """


class EventReference(_Part):
    """What points to events that exist; give what the request gives."""

    day: str | None = None
    time: TimeRange | None = None
    description: str | None = None
    location: str | None = None
    participants: list[str] = []


class AddEvent(_Part):
    type: Literal["add event"]
    event: Event


class RemoveEvents(_Part):
    type: Literal["remove events"]
    events: EventReference


class AddParticipants(_Part):
    type: Literal["add participants"]
    events: EventReference | None = None
    """leave out for the event that was last spoken of"""
    participants: list[str] = Field(min_length=1)


class MoveEvent(_Part):
    type: Literal["move event"]
    events: EventReference | None = None
    day: str | None = None
    time: TimeRange | None = None


class Redescribe(_Part):
    type: Literal["change description"]
    events: EventReference | None = None
    description: str


class FindEvents(_Part):
    type: Literal["find events"]
    events: EventReference


class UnknownRequest(_Part):
    """A part of the request that is no action on a calendar."""

    type: Literal["unknown"]
    text: str
    """the words that were not understood"""


Action = TypeAliasType(
    "Action",
    Annotated[
        AddEvent | RemoveEvents | AddParticipants | MoveEvent | Redescribe | FindEvents | UnknownRequest,
        Field(discriminator="type"),
    ],
)


class CalendarActions(_Part):
    """What the request asks for, in order."""

    actions: list[Action]
