"""What a value is written as is read as that value: for types of every kind, alone and inside of others."""

from __future__ import annotations

import datetime as dt
import enum
import fractions
import ipaddress
import json
import pathlib
import re
import uuid
from collections import Counter, deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, BeforeValidator, PlainSerializer, create_model
from pydantic_core import core_schema as core

from tests.support.laws import examples
from typedllm import Schema


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Ratio(enum.Enum):
    HALF = 0.5
    WHOLE = 1.0


class Word(enum.StrEnum):
    A = "a"
    B = "b"


class Celsius(float):
    """A number of one's own, made by a validator."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> core.CoreSchema:
        return core.no_info_after_validator_function(cls, core.float_schema())


@dataclass(frozen=True)
class Colour:
    """A type whose strict mode wants an instance, which JSON cannot hold, as third parties write them."""

    name: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> core.CoreSchema:
        return core.lax_or_strict_schema(
            lax_schema=core.no_info_after_validator_function(cls.of, core.str_schema()),
            strict_schema=core.is_instance_schema(cls),
            serialization=core.plain_serializer_function_ser_schema(lambda colour: colour.name),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: Any) -> dict[str, Any]:
        return dict(handler(core.str_schema()))

    @classmethod
    def of(cls, name: str) -> Colour:
        if not name:
            raise ValueError("a colour has a name")
        return cls(name.lower())


GERMAN = Annotated[
    dt.date,
    PlainSerializer(lambda day: day.strftime("%d.%m.%Y"), return_type=str),
    BeforeValidator(lambda text: dt.datetime.strptime(text, "%d.%m.%Y").date() if "." in str(text) else text),  # noqa: DTZ007
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LOWER = st.text(st.sampled_from("abcxyz"), min_size=1, max_size=8)
V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)

TYPES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (bytes, TEXT.map(str.encode)),
    (complex, st.complex_numbers(allow_nan=False, allow_infinity=False, max_magnitude=1e6)),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (fractions.Fraction, st.fractions()),
    (dt.date, st.dates()),
    (dt.time, st.times()),
    (dt.datetime, st.datetimes() | st.datetimes(timezones=st.just(dt.UTC))),
    (dt.timedelta, st.timedeltas(dt.timedelta(-(10**6)), dt.timedelta(10**6))),
    (uuid.UUID, st.uuids()),
    (pathlib.PurePosixPath, LOWER.map(pathlib.PurePosixPath)),
    (re.Pattern[str], LOWER.map(re.compile)),
    (ipaddress.IPv4Address, V4),
    (ipaddress.IPv6Address, st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)),
    (pydantic.IPvAnyAddress, V4),
    (ipaddress.IPv4Network, V4.map(ipaddress.IPv4Network)),
    (ipaddress.IPv4Interface, V4.map(ipaddress.IPv4Interface)),
    (Level, st.sampled_from(Level)),
    (Number, st.sampled_from(Number)),
    (Ratio, st.sampled_from(Ratio)),
    (Word, st.sampled_from(Word)),
    (Literal[1, "a", True, None], st.sampled_from([1, "a", True, None])),
    (pydantic.AnyUrl, LOWER.map(lambda word: pydantic.AnyUrl(f"http://{word}.example/{word}"))),
    (pydantic.ByteSize, st.integers(0, 2**40).map(pydantic.ByteSize)),
    (pydantic.SecretStr, TEXT.map(pydantic.SecretStr)),
    (pydantic.Secret[int], st.integers().map(pydantic.Secret[int])),
    (pydantic.Base64Bytes, st.binary(max_size=9)),
    (pydantic.Json[list[int]], st.lists(st.integers())),
    (set[int], st.sets(st.integers())),
    (frozenset[str], st.frozensets(TEXT)),
    (deque[int], st.lists(st.integers()).map(deque)),
    (tuple[int, str], st.tuples(st.integers(), TEXT)),
    (dict[int, str], st.dictionaries(st.integers(), TEXT)),
    (dict[dt.date, int], st.dictionaries(st.dates(), st.integers())),
    (dict[uuid.UUID, int], st.dictionaries(st.uuids(), st.integers())),
    (Counter[str], st.lists(LOWER).map(Counter)),
    (Celsius, st.floats(-300, 300).map(Celsius)),
    (Colour, LOWER.map(Colour)),
    (GERMAN, st.dates(dt.date(1900, 1, 1))),
    (Annotated[int, AfterValidator(abs)], st.integers(0)),
]


class Pair(NamedTuple):
    left: Any
    right: Any


def inside(declared: Any, value: Any, way: str) -> tuple[Any, Any]:
    """The type and a value of it, inside of another."""
    match way:
        case "list":
            return list[declared], [value, value]
        case "map":
            return dict[str, declared], {"a": value}
        case "optional":
            return declared | None, value
        case "field":
            model = create_model("Holder", part=(declared, ...), more=(list[declared], []))
            return model, model.model_construct(part=value, more=[value])
        case "alone":
            return declared, value
    raise AssertionError(way)


@pytest.mark.slow
@examples(300)
@given(st.data(), st.sampled_from(TYPES), st.sampled_from(["alone", "list", "map", "optional", "field"]))
def test_what_is_written_is_read(data: st.DataObject, kind: tuple[Any, st.SearchStrategy[Any]], way: str) -> None:
    declared, value = inside(kind[0], data.draw(kind[1]), way)
    schema: Schema[Any] = Schema(declared)
    text = schema.dump(value)
    result = schema.read(text)
    assert result.value == value
    assert type(result.value) is type(value)
    assert {fix.tier for fix in result.fixes} <= {"packaging"}
    if schema.is_text:
        return  # the fence is a part of the text
    fenced = schema.read(f"Here it is:\n```json\n{text}\n```")
    assert fenced.value == value
    assert {fix.kind for fix in fenced.fixes if fix.tier != "packaging"} <= {"json_form"}


@pytest.mark.parametrize("declared", [Colour, list[Colour], dict[str, Colour], Colour | int])
def test_a_type_without_a_strict_mode_takes_what_it_says_again(declared: Any) -> None:
    schema: Schema[Any] = Schema(declared)
    wrap = {list[Colour]: "[%s]", dict[str, Colour]: '{"a": %s}'}.get(declared, "%s")
    assert "red" in schema.dump(schema.read(wrap % '"red"').value)
    for changed in ('"RED"', '""', *(["{}"] if "%" in wrap[1:] else [])):  # another text, or none of the type
        assert not schema.read(wrap % changed).ok


def test_only_the_places_that_strict_mode_refused_are_taken_so() -> None:
    class Paint(BaseModel):
        colour: Colour
        litres: int
        price: Decimal = Decimal(1)
        until: dt.date = dt.date(2030, 1, 1)

    schema = Schema(Paint)
    value = schema.read('{"colour": "red", "litres": 2}').value
    assert (value.colour, value.litres) == (Colour("red"), 2)
    for wrong in ('"litres": 2.5', '"litres": true', '"litres": 2, "until": 5', '"litres": 2, "price": "x"'):
        assert not schema.read(f'{{"colour": "red", {wrong}}}').ok
    assert schema.read('{"colour": "red", "litres": "2"}').fixes[0].kind == "string_to_number"


def test_json_in_place_of_a_text_that_holds_it() -> None:
    schema: Schema[Any] = Schema(create_model("Call", arguments=(pydantic.Json[dict[str, list[int]]], ...)))
    for written in ('"{\\"a\\": [1]}"', '{"a": [1]}', "{a: [1,]}"):
        assert schema.read(f'{{"arguments": {written}}}').value.arguments == {"a": [1]}
    assert [fix.kind for fix in schema.read('{"arguments": {"a": [1]}}').fixes] == ["json_form"]
    assert not schema.read('{"arguments": {"a": [1, ...]}}').ok


def test_decimals_keep_their_digits() -> None:
    class Bill(BaseModel):
        total: Decimal
        tax: Decimal | None = None

    schema = Schema(Bill)
    long = "12345678901234567890.123456789"
    for written in (long, f'"{long}"', f'"{long[:2]},345,678,901,234,567,890.123456789"'):
        assert schema.read(f'{{"total": {written}, "tax": null}}').value.total == Decimal(long)
    assert schema.read(f'{{"total": 1, "tax": {long}}}').value.tax == Decimal(long)
    assert schema.read('{"total": "1,234.50"}').value.total.as_tuple() == Decimal("1234.50").as_tuple()
    assert not schema.read('{"total": "1,5"}').ok
    assert not schema.read('{"total": "$5"}').ok
    assert schema.read('{"total": "$5.10"}', allow=["currency"]).value.total == Decimal("5.10")


TIMES = [
    (dt.time, "3:04 PM", dt.time(15, 4)),
    (dt.time, "12 a.m.", dt.time(0)),
    (dt.time, "9:30", dt.time(9, 30)),
    (dt.time, "09:30 UTC", dt.time(9, 30, tzinfo=dt.UTC)),
    (dt.date, "2024-01-02T00:00:00Z", dt.date(2024, 1, 2)),
    (dt.date, "Tuesday, 2nd January 2024", dt.date(2024, 1, 2)),
    (dt.date, " 2024-01-02\n", dt.date(2024, 1, 2)),
    (dt.datetime, "2024-01-02 03:04:05 UTC", dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
    (dt.datetime, "January 2, 2024 at 3:04 PM", dt.datetime.fromisoformat("2024-01-02T15:04")),
    (dt.datetime, "2024/1/2 3:04", dt.datetime.fromisoformat("2024-01-02T03:04")),
    (dt.timedelta, "5 minutes", dt.timedelta(minutes=5)),
    (dt.timedelta, "1 hour and 30 min", dt.timedelta(minutes=90)),
    (dt.timedelta, "2 weeks, 3 days", dt.timedelta(17)),
    (dt.timedelta, "1.5 hours", dt.timedelta(minutes=90)),
    (uuid.UUID, " 12345678-1234-5678-1234-567812345678", uuid.UUID("12345678123456781234567812345678")),
    (ipaddress.IPv4Address, "1.2.3.4 ", ipaddress.IPv4Address("1.2.3.4")),
]
NO_TIMES = [
    (dt.time, ["13 PM", "9", "nine", "25:00", "9:3"]),
    (dt.date, ["03/04/2025", "2024-01-02T10:00:00", "2 Foo 2024", "2024", "tomorrow", "2024-13-01"]),
    (dt.datetime, ["2024-01-02", "January 2, 2024", "03/04/2025 10:00", "2024-01-02 25:00"]),
    (dt.timedelta, ["5", "a while", "5 months", "5 minutes 2 hours", "5 m", "minutes", "1 hour 2 hours"]),
    (ipaddress.IPv4Address, ["1.2.3", "1.2.3.4/32"]),
]


@pytest.mark.parametrize(("declared", "text", "value"), TIMES)
def test_forms_of_one_meaning(declared: Any, text: str, value: Any) -> None:
    result = Schema(list[declared]).read(json.dumps([text]))
    assert result.value == [value]
    assert [fix.kind for fix in result.fixes] in (["time_form"], ["space_around"])
    assert result.fixes[0].lossless


@pytest.mark.parametrize(("declared", "text"), [(declared, text) for declared, texts in NO_TIMES for text in texts])
def test_forms_of_none_or_several(declared: Any, text: str) -> None:
    assert not Schema(list[declared]).read(json.dumps([text])).ok
