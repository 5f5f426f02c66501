"""Types that are seldom declared, and forms in which models write them: one meaning is read, two are asked about."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, FilePath

from tests.test_reading_aligned import read
from typedllm import Schema


class Grind(IntEnum):
    """How fine."""

    COARSE = 1
    FINE = 4


class Milk(Enum):
    """Two names for one value."""

    OAT = "oat"
    HAFER = "oat"  # noqa: PIE796  # an alias
    COW = "cow"


class Pour(BaseModel):
    """One step."""

    grams: int
    after: str | None = None


class Recipe(BaseModel):
    """Several steps."""

    pours: list[Pour]


class Ratio(NamedTuple):
    """Named parts."""

    coffee: int
    water: int
    unit: str = "g"


class Barista(BaseModel):
    """A name, as tools have one."""

    name: str
    since: int | None = None


class Stock(BaseModel):
    """A field that may be left out."""

    name: str
    in_stock: bool | None = None


class Located(BaseModel):
    """A field that is read from deeper in the document."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")
    city: str = Field(validation_alias=AliasPath("place", "city"))


class Bill(BaseModel):
    """A number with all its digits."""

    total: Decimal
    cups: tuple[int, int] = (0, 0)


class Cup(BaseModel):
    """A tuple and a set within."""

    ratio: Ratio
    sizes: set[int] = set()


class Kettle(BaseModel):
    """Each property under several keys."""

    model_config = ConfigDict(populate_by_name=True)

    litres: float = Field(alias="volumeInLitres")
    maker: str = Field(default="", validation_alias=AliasChoices("maker", "brand", "madeBy"))


class Shelf(BaseModel):
    """A map beside a key."""

    cups: dict[str, int]
    free: int = 0


CALL = (
    '{"role": "assistant", "calls": [{"id": "c1", "type": "function", "function": {"name": "pour", '
    '"arguments": "{\\"grams\\": 30}"}}]}'
)
With = Literal["oat", "salt and pepper", "cow"]

READ: list[tuple[Any, str, Any, set[str]]] = [
    # what pydantic would leave out in silence, where a field with a default stands for it
    (Stock, '{"name": "oat", "inStock": true}', Stock(name="oat", in_stock=True), {"key_form"}),
    (list[Stock], '[{"name": "oat", "IN-STOCK": false, "shelf": 2}]', [Stock(name="oat", in_stock=False)], {"key_form", "extra_key"}),
    (dict[str, Stock | int], '{"a": {"name": "oat", "inStock": true}}', {"a": Stock(name="oat", in_stock=True)}, {"key_form"}),
    (Stock, '{"name": "oat", "in_stock": true, "inStock": true}', Stock(name="oat", in_stock=True), {"key_form", "repeated_key"}),
    (Stock, '{"name": "oat", "nam": "cow"}', Stock(name="oat"), {"extra_key"}),
    (Literal["milk (oat)", "milk (cow)"], '"Milk (oat)"', "milk (oat)", {"enum_form"}),
    # where a text is declared, a number stays as it was written
    (dict[str, str], '{"code": 0x1F, "phone": +49}', {"code": "0x1F", "phone": "+49"}, {"unquoted_string"}),
    (list[float], "As [3] shows, it is [0.1, 0.2, 0.7].", [0.1, 0.2, 0.7], {"prose"}),
    (Stock, '{"name": "oat", "shelf": 2}', Stock(name="oat"), {"extra_key"}),
    # Markdown puts a backslash before each underscore
    (Stock, '{"name": "oat", "in\\_stock": true}', Stock(name="oat", in_stock=True), {"invalid_escape", "key_form"}),
    (Stock, '{"name": "oat", "in\\\\_stock": true}', Stock(name="oat", in_stock=True), {"key_form"}),
    (Literal["oat_milk", "cow"], '"oat\\_milk"', "oat_milk", {"invalid_escape", "enum_form"}),
    # an escape of Python for what lies beyond four digits
    (dict[str, str], "{'milk': '\\U0001f95b'}", {"milk": "\U0001f95b"}, {"quote_style", "escape_style"}),
    # a key below which fields are read is no unknown one
    (Located, '{"place": {"city": "Oslo"},}', Located(city="Oslo"), {"trailing_comma"}),
    (list[Located], '[{"place": {"city": "Oslo"}}]', [Located(city="Oslo")], set()),
    # several names of one thing
    (Milk, "HAFER", Milk.OAT, {"plain_text", "enum_name"}),
    (Kettle, '{"litres": "2", "madeBy": "Brew Co"}', Kettle(volumeInLitres=2, maker="Brew Co"),
     {"field_name", "string_to_number"}),
    (Kettle, '{"volumeInLitres": 2, "maker": "Brew Co", "brand": "Brew Co"}', Kettle(volumeInLitres=2, maker="Brew Co"),
     {"field_name", "repeated_key"}),
    # envelopes in lists, and lists in envelopes
    (Pour, '[{"name": "pour", "arguments": {"grams": 30}}]', Pour(grams=30), {"single_item", "envelope", "extra_key"}),
    (Pour, CALL, Pour(grams=30), {"single_item", "envelope", "extra_key", "encoded"}),
    (list[Pour], '[{"name": "pour", "arguments": {"grams": 30}}, {"name": "pour", "arguments": {"grams": "60"}}]',
     [Pour(grams=30), Pour(grams=60)], {"envelope", "extra_key", "string_to_number"}),
    (Recipe, '{"pours": {"pour": [{"grams": 30}, {"grams": 60}]}}', Recipe(pours=[Pour(grams=30), Pour(grams=60)]),
     {"envelope"}),
    (list[Pour], '{"pours": {"grams": 30}}', [Pour(grams=30)], {"envelope", "single_item"}),
    (list[Pour], '<step>{"grams": 30}</step>\n<step>{"grams": 60}</step>', [Pour(grams=30), Pour(grams=60)],
     {"json_lines", "prose"}),
    (list[Milk], '{"milks": "cow"}', [Milk.COW], {"envelope", "single_item"}),
    (Barista, '{"name": "hire", "arguments": {"name": "Ann", "since": "2019"}}', Barista(name="Ann", since=2019),
     {"envelope", "extra_key", "string_to_number"}),
    (list[Barista], '[{"name": "hire", "arguments": {"name": "Ann"}}, {"name": "hire", "arguments": {"name": "Bo"}}]',
     [Barista(name="Ann"), Barista(name="Bo")], {"envelope", "extra_key"}),
    (list[Pour], '1. {"grams": 30}\n2. {"grams": 60}', [Pour(grams=30), Pour(grams=60)], {"json_lines", "prose"}),
    # calls with their arguments by name
    (Bill, "Bill(total=Decimal('4.50'), cups=(1, Size(2)))", Bill(total=Decimal("4.50"), cups=(1, 2)),
     {"call", "unquoted_key", "wrong_colon", "quote_style", "tuple"}),
    (Pour, "pour(grams=30, after='a \\'minute\\'')", Pour(grams=30, after="a 'minute'"),
     {"call", "unquoted_key", "wrong_colon", "escape_style", "quote_style"}),
    (Pour, "First: [kettle.pour(grams=30)] (then wait)", Pour(grams=30),
     {"prose", "single_item", "call", "unquoted_key", "wrong_colon"}),
    (Recipe, '{"pours": [Pour(grams=30), Pour(grams=60)]}', Recipe(pours=[Pour(grams=30), Pour(grams=60)]),
     {"call", "unquoted_key", "wrong_colon"}),
    (list[Pour], "Pour(grams=30)\nPour(grams=60)", [Pour(grams=30), Pour(grams=60)],
     {"json_lines", "call", "unquoted_key", "wrong_colon"}),
    # tuples with named parts, and sets
    (Cup, '{"ratio": {"Coffee": "15", "water": 250}}', Cup(ratio=Ratio(15, 250)), {"key_form", "string_to_number"}),
    (Cup, "Cup(ratio=Ratio(coffee=15, water=250), sizes={120, 240})", Cup(ratio=Ratio(15, 250), sizes={120, 240}),
     {"call", "unquoted_key", "wrong_colon", "wrong_opener"}),
    (list[Ratio], '{"coffee": 15, "water": 250}', [Ratio(15, 250)], {"single_item"}),
    (set[int], "{1, 2}", {1, 2}, {"wrong_opener"}),
    # members without braces, behind prose
    (Pour, 'The first pour:\n\n"grams": 30,\n"after": "bloom"', Pour(grams=30, after="bloom"),
     {"prose", "missing_opener"}),
    (Pour, '```\n"grams": 30,\n"after": "bloom"\n```', Pour(grams=30, after="bloom"), {"fence", "missing_opener"}),
    # lists without brackets
    (list[int], "30", [30], {"single_item"}),
    (list[str], '"oat", "cow"', ["oat", "cow"], {"json_lines"}),
    (list[str], '"oat"', ["oat"], {"json_lines"}),
    # what stands in a fence is what it is without one, whatever the type is beside it
    (int | str, "```json\n77\n```", 77, {"fence"}),
    (Milk | Literal["none"], "Here:\n```\n\"cow\"\n```", Milk.COW, {"fence", "prose"}),
    (date | UUID, "```json\n\"2024-05-03\"\n```", date(2024, 5, 3), {"fence"}),
    (str | None, "<think>Is there one?</think>null", None, {"reasoning"}),
    (bytes, "```json\n\"[1]\"\n```", b"[1]", {"fence"}),
    (Decimal | str, "Here:\n```json\n\"{\\\"a\\\": 1}\"\n```", '{"a": 1}', {"fence", "prose"}),
    (bytes, "'a\\tb'", b"a\tb", {"quote_style"}),
    # a document whose own quotes are escaped, and one in which one quote is
    (dict[str, str], '{\\"path\\": \\"C:\\\\\\\\new\\"}', {"path": "C:\\new"}, {"escaped_quotes"}),
    (Stock, '{\\"name":"C:\\\\new","in_stock":true}', Stock(name="C:\\new", in_stock=True), {"stray_sign"}),
    # numbers
    (Decimal, "1e-400", Decimal("1e-400"), set()),
    (dict[str, datetime], '{"at": 1714521600}', {"at": datetime(2024, 5, 1, tzinfo=UTC)}, {"number_to_string"}),
    (dict[str, date], '{"on": 20240501}', {"on": date(2024, 5, 1)}, {"time_form"}),
    (list[Decimal], "[1e-400,]", [Decimal("1e-400")], {"trailing_comma"}),
    (Literal[5, True], "5.0", 5, {"number_form"}),
    (Literal[5, True], '"true"', True, {"json_form"}),
]  # fmt: skip

LISTED: list[tuple[Any, str, Any]] = [
    (list[int], "30, 60, 100", [30, 60, 100]),
    (set[Milk], "- oat\n- Cow", {Milk.OAT, Milk.COW}),
    (list[Milk], "1. oat\n2. cow", [Milk.OAT, Milk.COW]),
    (list[date], "May 3, 2024 and May 4, 2024", [date(2024, 5, 3), date(2024, 5, 4)]),
    (list[Milk], "oat and cow", [Milk.OAT, Milk.COW]),
    (dict[str, list[With]], '{"with": "salt and pepper, oat"}',
     {"with": ["salt and pepper", "oat"]}),
    (dict[str, list[str]], '{"notes": "dry, sweet"}', {"notes": ["dry", "sweet"]}),
    (dict[str, list[str]], '{"notes": "- dry\\n- sweet"}', {"notes": ["dry", "sweet"]}),
]  # fmt: skip
"""Lists that are no JSON."""

REFUSED: list[tuple[Any, str, str, str]] = [
    (Stock, '{"name": "oat", "inStock": "plenty"}', "/in_stock", "union"),
    (Pour, "def pour(grams=7, after='bloom'):\n    ...", "", "no_json"),  # a definition is no call
    (Pour, "function pour(grams = 7) { return grams }", "", "no_json"),
    # to Python, true is 1
    (Grind, "true", "", "unlisted"),
    (Literal[5, True], "1", "", "unlisted"),
    (dict[str, Literal[0, 7]], '{"cups": false}', "/cups", "unlisted"),
    # two keys for one property
    (Stock, '{"name": "oat", "in_stock": false, "inStock": true}', "/in_stock", "repeated_key_differs"),
    (Stock, '{"name": "oat", "inStock": true, "in_stock": false,}', "/in_stock", "repeated_key_differs"),
    (Kettle, '{"litres": 2, "volumeInLitres": 3}', "/volumeInLitres", "repeated_key_differs"),
    (Kettle, '{"litres": 2, "maker": "Brew Co", "brand": "Pour Co"}', "/maker", "repeated_key_differs"),
    # any text would be a list of texts, and any list in an envelope a scalar
    (list[str], "oat", "", "no_json"),
    (list[str], '{"note": "there is none"}', "", "type"),
    (Milk, '{"type": "string", "enum": ["cow"]}', "", "label"),
    (Pour, '[{"name": "pour", "arguments": {"grams": 30}}, {"name": "pour", "arguments": {"grams": 60}}]', "", "type"),
    (list[Pour], '<draft>{"grams": 30}</draft><final>{"grams": 60}</final>', "", "ambiguous"),
    (Pour, "pour(grams=30, after='bloom') or pour(grams=60, after='bloom')", "", "ambiguous"),
    (Pour, "the function f(x=1), (grams=30) and pour(grams==30)", "", "no_json"),
    (Pour, "[{'grams': 30]", "", "unclear_brackets"),
    (Cup, '{"ratio": {"coffee": 15}}', "/ratio", "type"),
    (set[int], "{1: 2}", "", "type"),
    (list[int], '{"total": 3}', "", "type"),
    (Pour, 'He wrote "grams": 30', "", "no_json"),
    (Pour, 'One:\n"grams": 30\nor:\n"grams": 60', "", "no_json"),
    (Barista, '{"name": "hire", "arguments": {}}', "/name", "missing"),
    (Barista, "hire(name=f'{first} {last}')", "/name", "likely_quote"),
    (list[Milk], '["oat"]["cow"]', "", "ambiguous"),
    (set[int], "{1, 2} or {3}", "", "ambiguous"),
    # the name of a member stands alone, or behind that of its class
    (Milk, '"anything but that. HAFER"', "", "enum"),
    # the same in other units, and no reference to a source
    (list[float], "[0.1, 0.2, 0.7] or, in percent, [10, 20, 70]", "", "ambiguous"),
    # a range, and a word that may say that there are more
    (list[int], "[1, 2, 3-5]", "/2", "type"),
    (list[str], '["oat", "cow", etc.]', "/2", "likely_quote"),
    (list[str], '["oat", "cow", and others]', "/2", "likely_quote"),
    # a key that is left out may be one that is declared
    (Stock, '{"name": "oat", "in_stok": true}', "/in_stock", "near_key"),
    (Stock, "{name: 'oat', in_stok: true}", "/in_stock", "near_key"),
    # two lists in a row, of which one is not quite JSON
    (list[Pour], '[{"grams": 30},]\n[{"grams": 60}]', "", "ambiguous"),
    # a denial in the notation of code
    (dict[str, bool], '{"hot": "!true"}', "/hot", "type"),
    (Milk, '"!oat"', "", "enum"),
    (Barista, "{name: $name}", "/name", "missing_value"),
    (Barista, '{name: !"Ann"}', "/name", "likely_quote"),
    # a list of records is no map, and a sum of texts and variables no text
    (dict[str, dict[str, str]], '{"to do": [{"who": "Ann", "what": "grind"}]}', "/to do", "type"),
    (Barista, '{"name": "Ann " + middle + " Lee"}', "/name", "likely_quote"),
    # a list that goes on in another fence
    (list[Pour], '```\n[{"grams": 30},\n{"grams": 40}\n```\n```\n{"grams": 60}]\n```', "", "unexpected_text"),
    # one number or two
    (list[int], "1,200", "", "no_json"),
    (list[float], "1,5", "", "no_json"),
    (dict[str, list[int]], '{"grams": "1,200, 300"}', "/grams", "type"),
    (dict[str, list[With]], '{"with": "oat, salt and pepper and cow"}', "/with", "type"),
    # of two keys around an answer, either may be that of the map
    (dict[str, Pour], '{"result": {"first": {"grams": 30}}}', "/result/grams", "missing"),
    # the missing bracket may be that of the map, behind which a declared key stands
    (Shelf, '{"cups": {"tall": 3, "free": 2}', "", "truncated"),
    (Shelf, '{"cups": {, "free": 2}', "", "truncated"),
    # a year, or what a clock shows, is no moment of January 1970
    (dict[str, datetime], '{"at": 2024}', "/at", "type"),
    (datetime, '{"at": 4}', "", "datetime_parsing"),
    (datetime, "```\n2024\n```", "", "type"),
    (dict[str, time], '{"at": 930}', "/at", "type"),
    # a bracket that is missing between others, and a comma too many that may stand for it
    (dict[str, Any], '{"cups": [1, [2, 3,, 4], "free": 2}', "", "unclear_brackets"),
    # nothing is no item, and what no number holds is no number
    (Annotated[int, Field(multiple_of=3)], "1e400", "", "multiple_of"),
    (FilePath, '"' + "a" * 5_000 + '"', "", "value"),
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


@pytest.mark.parametrize(("declared", "text", "value"), LISTED)
def test_a_list_that_is_no_json_is_taken_apart_where_that_is_allowed(declared: Any, text: str, value: Any) -> None:
    assert not read(declared, text).ok
    assert Schema(declared).read(text, allow=["split_text"]).value == value


@pytest.mark.parametrize(("declared", "text", "path", "code"), REFUSED)
def test_two_meanings_are_asked_about(declared: Any, text: str, path: str, code: str) -> None:
    result = read(declared, text)
    assert not result.ok
    assert (result.issues[0].path, result.issues[0].code) == (path, code)


@pytest.mark.parametrize(
    "mark", ["<think>|</think>", "<brew:think>|</brew:think>", "[THINK]|[/THINK]", "◁think▷|◁/think▷",
             "<|START_THINKING|>|<|END_THINKING|>", "<|begin_of_thought|>|<|end_of_thought|>", "|</think>"]
)  # fmt: skip
def test_reasoning_is_set_aside_however_it_is_marked(mark: str) -> None:
    opening, _, closing = mark.partition("|") if "|>" not in mark else mark.partition(">|")
    opening += ">" * ("|>" in mark)
    result = read(Pour, f'{opening}Is it {{"grams": 30}}?{closing}\n{{"grams": 60}}')
    assert result.value == Pour(grams=60)
    assert [fix.kind for fix in result.fixes] == ["reasoning"]


@pytest.mark.parametrize(
    "text", ['{"name"\u2028: "oat"}', '{"name": "oat", "in_stock": null\u00a0}', '\u2003{"name": "oat"}']
)
def test_white_space_that_json_does_not_know_is_a_fix(text: str) -> None:
    result = read(Stock, text)
    assert result.value == Stock(name="oat")
    assert [fix.kind for fix in result.fixes] == ["prose" if text[0] != "{" else "space"]


def test_a_bracket_right_behind_the_answer_is_no_prose() -> None:
    assert Schema(Stock).read('({"name": "oat"})', policy="strict").issues[0].code == "extra_closer"


def test_what_becomes_of_undeclared_keys_is_for_the_type_to_say_and_not_for_the_policy() -> None:
    for text in ('{"name": "oat", "x": 1}', 'Here:\n{"name": "oat", "x": 1}'):
        result = Schema(Stock).read(text, policy="strict")
        assert result.value == Stock(name="oat")
        assert [fix.kind for fix in result.fixes if fix.kind != "prose"] == ["extra_key"]
