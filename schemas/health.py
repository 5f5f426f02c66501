"""What a person says of their health: medications, conditions, other care. A demonstration, no medical device."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from typedllm.schema.unknown import Known, NotStated


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Quantity(_Part):
    value: float = Field(gt=0)
    unit: str
    """as written, such as "mg", "tablet" or "day" """


class ApproximateDay(_Part):
    """When, as far as the text says."""

    text: str
    """such as "2019", "last spring" or "since childhood" """
    year: Known[int] | NotStated


class Medication(_Part):
    type: Literal["medication"]
    name: str
    dose: Known[Quantity] | NotStated
    """how much at a time"""
    frequency: Known[str] | NotStated
    """such as "twice a day" or "when needed" """
    start: Known[ApproximateDay] | NotStated
    end: Known[ApproximateDay] | NotStated


class Condition(_Part):
    """An illness, an allergy or a complaint."""

    type: Literal["condition"]
    name: str
    status: Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved", "unknown"]
    start: Known[ApproximateDay] | NotStated


class OtherCare(_Part):
    """Care that is neither, such as a diet, an operation or physiotherapy."""

    type: Literal["other"]
    name: str
    start: Known[ApproximateDay] | NotStated
    end: Known[ApproximateDay] | NotStated


class HealthRecord(_Part):
    """What the text says, and nothing that it does not."""

    entries: list[Annotated[Medication | Condition | OtherCare, Field(discriminator="type")]]
    not_understood: list[str] = []
    """parts of the text that may matter and fit no entry"""
