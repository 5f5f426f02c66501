"""What the declared type makes of what a model wrote: one meaning is read, two are asked about."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, Field

from tests.support.pieces import Piecewise
from typedllm.declared import Schema
from typedllm.records import Result


class Roast(Enum):
    """How dark."""

    LIGHT = "l"
    DARK = "d"


class Bean(BaseModel):
    """A kind of coffee."""

    origin: str
    grown: int | None = None
    roasted: date | None = None


class Blend(BaseModel):
    """Several kinds."""

    origin: str
    parts: int


class Tea(BaseModel):
    """No coffee."""

    leaf: str
    steep: int


class Juice(BaseModel):
    """No coffee either."""

    leaf: str
    fruit: int


class Site(BaseModel):
    """Keys with accents."""

    region: str = Field(alias="región")
    height: int = Field(alias="altura")


class Done(BaseModel):
    """Told from its counterpart by a key that may be left out."""

    status: Literal["done"] = "done"
    cups: int


class Failed(BaseModel):
    """Its counterpart."""

    status: Literal["failed"] = "failed"
    reason: str


class Loose(BaseModel):
    """All of it may be left out."""

    shade: str | None = None


def read(declared: Any, text: str, **options: Any) -> Result[Any]:
    """The whole reading; in pieces it is the same."""
    schema: Schema[Any] = Schema(declared)
    result = schema.read(text, **options)
    for size in (1, 5):
        reader = Piecewise(schema)
        for at in range(0, len(text), size):
            reader.feed(text[at : at + size])
        again = reader.close(options.get("finish_reason"))
        assert (again.ok, again.issues, list(again.fixes)) == (result.ok, result.issues, list(result.fixes))
    return result


Moka = Literal["café", "moka"]

READ: list[tuple[Any, str, Any, set[str]]] = [
    # keys of maps
    (dict[Roast, int], '{"LIGHT": 3, "D": "4"}', {Roast.LIGHT: 3, Roast.DARK: 4}, {"key_form", "string_to_number"}),
    (dict[Literal["low", "high"], int], "{Low: 1, HIGH: 2}", {"low": 1, "high": 2}, {"key_form", "unquoted_key"}),
    (dict[date, int], '{"5 May 2024": 7}', {date(2024, 5, 5): 7}, {"key_form"}),
    (dict[str, str], '{"kind": "a",\nwith milk: "b",\n2.5: "c"}',
     {"kind": "a", "with milk": "b", "2.5": "c"}, {"unquoted_key"}),
    # words without their accents, or composed in another way
    (Moka, "CAFE", "café", {"plain_text", "enum_form"}),
    (Moka, unicodedata.normalize("NFD", "café"), "café", {"plain_text", "enum_form"}),
    (Site, '{"region": "Huila", "ALTURA": 1700}', Site(región="Huila", altura=1700), {"field_name", "key_form"}),
    # null where no such text may stand
    (Bean, '{"origin": "Huila", "grown": "", "roasted": "null"}', Bean(origin="Huila"), {"string_to_null"}),
    # dates
    (date, "the 3rd of May 2024", date(2024, 5, 3), {"plain_text", "time_form"}),
    (date, '"3-May-2024"', date(2024, 5, 3), {"time_form"}),
    (date, '"2024 May 3"', date(2024, 5, 3), {"time_form"}),
    (date, '"Friday, May 3, 2024"', date(2024, 5, 3), {"time_form"}),
    (date, '"23/05/2024"', date(2024, 5, 23), {"time_form"}),
    (date, '"05/23/2024"', date(2024, 5, 23), {"time_form"}),
    (date, '"5.5.2024"', date(2024, 5, 5), {"time_form"}),
    (datetime, '"20240503T071500Z"', datetime(2024, 5, 3, 7, 15, tzinfo=UTC), {"time_form"}),
    (date | datetime, '"2024/05/03 07:15"', datetime.fromisoformat("2024-05-03T07:15"), {"time_form"}),
    (timedelta, '"2h15m"', timedelta(hours=2, minutes=15), {"time_form"}),
    # unions
    (Bean | Blend, '{"origin": "Huila", "parts": "3"}', Blend(origin="Huila", parts=3), {"string_to_number"}),
    (list[int | str], "[7.0]", [7], {"number_form"}),
    (Annotated[list[int] | int, "either"], '"[1, 2]"', [1, 2], {"encoded"}),
    (dict[str, list[date]], '{"days": "May 3, 2024"}', {"days": [date(2024, 5, 3)]}, {"single_item", "time_form"}),
    # tuples
    (tuple[int, str], "(7, 'a')", (7, "a"), {"tuple", "quote_style"}),
    # scalars alone
    (int, "'7'", 7, {"quote_style", "string_to_number"}),
    (date, "'2024-05-03'", date(2024, 5, 3), {"quote_style"}),
    (int, "<total>7</total>", 7, {"tag"}),
    (str, '{"a": 1}', '{"a": 1}', {"plain_text"}),
    (str, '["a"]', '["a"]', {"plain_text"}),
    (Blend, '{"origin": "Huila", "parts": 3, "note": "```"}', Blend(origin="Huila", parts=3), {"extra_key"}),
    (list[Blend], '{"blends": "```json\\n[{\\"origin\\": \\"Huila\\", \\"parts\\": 3}]\\n```"}',
     [Blend(origin="Huila", parts=3)], {"envelope", "encoded"}),
]  # fmt: skip

REFUSED: list[tuple[Any, str, str, str]] = [
    (dict[str, list[str]], '{"tags": set()}', "/tags", "type"),
    (dict[str, list[str]], '{"tags": cup.names}', "/tags", "type"),
    (Bean | Blend, '{"origin": "Huila", "parts": "few"}', "/parts", "unread"),
    (Tea | Juice, '{"leaf": "mint", "steep": 3, "fruit": 2}', "", "unclear_union"),
    (Tea | Loose, '{"leaf": "mint", "steep": 3, "shade": "full"}', "", "unclear_union"),
    (list[Tea | Loose], '[{"leaf": "mint", "steep": "3", "shade": "full"}]', "/0", "unclear_union"),
    (dict[Roast, int], '{"LIGHT": 3, "l": 4}', "/l", "repeated_key_differs"),
    (dict[Roast, int], '{"medium": 3}', "/medium", "property_name"),
    (date, '"Monday, May 3, 2024"', "", "date_parsing"),
    (date, '"03/05/2024"', "", "date_parsing"),
    (timedelta, '"15m"', "", "time_delta_parsing"),
    (int, '"1.000"', "", "type"),
    (Moka, '"moka', "", "label"),
    (list[str], "(none of them)", "", "no_json"),
    (list[int], "(1 of 2)", "/0", "type"),
    (Literal["résumé", "résumè"], "resume", "", "enum"),
    (Loose, '{"drink": {}}', "", "unknown_keys"),
    (list[Loose], '[{"shade": "full"}, {"drink": {}}]', "/1", "unknown_keys"),
    (Done | Failed, '{"cups": 2, "reason": "no milk"}', "", "unclear_union"),
    (Literal[1, 2], '{"size": {"cups": 1}}', "", "enum"),
]


@pytest.mark.parametrize(("declared", "text", "value", "kinds"), READ)
def test_one_meaning_is_read(declared: Any, text: str, value: Any, kinds: set[str]) -> None:
    result = read(declared, text)
    assert result.value == value
    assert {fix.kind for fix in result.fixes} == kinds


@pytest.mark.parametrize(("declared", "text", "path", "code"), REFUSED)
def test_two_meanings_are_asked_about(declared: Any, text: str, path: str, code: str) -> None:
    result = read(declared, text)
    assert (result.issues[0].path, result.issues[0].code) == (path, code)


def test_what_was_left_out_of_an_arm_is_told() -> None:
    result = read(Bean | Blend, '{"origin": "Huila", "shade": "full"}')
    assert result.value == Bean(origin="Huila")
    assert [(fix.path, fix.kind) for fix in result.fixes] == [("/shade", "extra_key")]


def test_an_absent_key_of_another_arm_is_no_doubt() -> None:
    assert read(Tea | Juice, '{"leaf": "mint", "steep": 3, "fruit": null}').value == Tea(leaf="mint", steep=3)


def test_a_misspelt_key_is_proposed_where_it_is_missed() -> None:
    issue = read(Blend, '{"orgin": "Huila", "parts": 3}').issues[0]
    assert (issue.path, issue.code) == ("/origin", "missing")
    assert issue.proposal is not None
    assert (issue.proposal.kind, issue.proposal.before.rstrip(": "), issue.proposal.after) == (
        "near_key", '"orgin"', '"origin"',
    )  # fmt: skip


def test_at_the_token_limit_a_word_may_be_the_beginning_of_another() -> None:
    declared = Literal["pour", "pour over", "press"]
    assert not read(declared, "pour", finish_reason="length").ok
    assert read(declared, "press", finish_reason="length").value == "press"
    assert read(declared, '"pour"', finish_reason="length").value == "pour"


def test_of_a_union_the_arm_is_told_whose_keys_are_there() -> None:
    issue = read(Tea | Blend, '{"parts": 3}').issues[0]
    assert (issue.path, issue.code) == ("/origin", "missing")


def test_a_decimal_is_no_null() -> None:
    assert read(Decimal | None, '"null"').value is None


def _german(text: Any) -> Any:
    return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007


def test_what_code_reads_first_keeps_the_form_that_it_was_written_in() -> None:
    declared = list[Annotated[date, BeforeValidator(_german)]]
    assert read(declared, '["24.12.2025", "01.01.2026",]').value == [date(2025, 12, 24), date(2026, 1, 1)]
    assert read(list[date], '["24.12.2025",]').value == [date(2025, 12, 24)]


def test_a_prefix_is_one_that_python_writes() -> None:
    assert read(list[str], '["Aa", u"a"]').value == ["Aa", "a"]
    assert read(list[str], '["Aa", B"a"]').value == ["Aa", "Ba"]


def test_a_fix_below_one_item_for_a_list_says_where_it_stands_in_the_list() -> None:
    """It was tried as the whole first, which is another place."""

    class Tea(BaseModel):
        cups: int
        leaf: str

    class Coffee(BaseModel):
        cups: int
        roast: str

    result = Schema(list[Tea | Coffee]).read('{"cups": "2", "roast": "dark"}')
    assert [(fix.path, fix.kind) for fix in result.fixes] == [("", "single_item"), ("/0/cups", "string_to_number")]
