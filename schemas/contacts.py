"""People and how to reach them, out of letters, signatures and web pages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from typedllm.schema.unknown import Known, NotStated

Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["ada@example.org"])]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Phone(_Part):
    number: str
    """as written, with its country code where there is one"""
    kind: Literal["mobile", "work", "home", "fax", "unknown"] = "unknown"


class Address(_Part):
    street: Known[str] | NotStated
    postcode: Known[str] | NotStated
    city: Known[str] | NotStated
    country: Known[str] | NotStated


class Contact(_Part):
    """A person; nothing that the text does not say."""

    name: str
    """as written, without titles"""
    role: Known[str] | NotStated
    organisation: Known[str] | NotStated
    emails: list[Email] = []
    phones: list[Phone] = []
    address: Known[Address] | NotStated


class Contacts(_Part):
    """Everybody whom the text gives a way to reach, in its order."""

    contacts: list[Contact]
