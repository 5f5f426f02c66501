"""Replies with several things wrong at once: a style throughout, and one sign missing, or a draft beside the answer."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from typedllm import Schema


class Stay(BaseModel):
    """One nested level, texts and other scalars."""

    guest: str
    nights: int
    remarks: str = ""
    extras: list[str] = []
    paid: bool | None = None


class Plan(BaseModel):
    """A list of them."""

    city: str
    stays: list[Stay]


def read(declared: Any, text: str) -> Any:
    """The value of a reply."""
    result = Schema(declared).read(text)
    assert result.ok, result.issues
    return result.value


def kinds(declared: Any, text: str) -> set[str]:
    """The kinds of the fixes that were made."""
    return {fix.kind for fix in Schema(declared).read(text).fixes}


def refused(declared: Any, text: str) -> bool:
    """Whether it is an issue."""
    return not Schema(declared).read(text).ok


# ---- which of several is the answer ----

DRAFT = '{"guest": "Lund", "nights": 2}'
ANSWER = "{'guest': 'Lund', 'nights': 3}"


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{DRAFT}\n```\n\nWait, two is too few. Corrected:\n\n```json\n{ANSWER}\n```",
        f"{DRAFT}\n\nCorrection:\n{ANSWER}",
        f"An example of the format:\n\n{DRAFT}\n\nThe booking:\n\n{ANSWER}",
        f"```json\n{DRAFT}\n```\n### Final answer\n\nAs agreed:\n```json\n{ANSWER}\n```",
    ],
)
def test_the_words_before_an_answer_weigh_more_than_its_notation(text: str) -> None:
    assert read(Stay, text).nights == 3


@pytest.mark.parametrize("broken", ["{'guest': 'Lund', 'nights':", "{'guest': 'Lund', 'nights': 'three or so'}"])
def test_a_draft_does_not_stand_for_the_corrected_answer_that_is_broken(broken: str) -> None:
    assert refused(Stay, f"{DRAFT}\n\nCorrected:\n\n{broken}")
    assert refused(list[Stay], f"[{DRAFT}]\n\nCorrected:\n\n[{broken}]")


@pytest.mark.parametrize("declared", [Stay, list[Stay], Any])
@pytest.mark.parametrize(
    "begun", ["{", '{"gu', '{"guest": "Berg"', '{"guest": "Berg",', '{"guest": "Berg", "nights": 4']
)
@pytest.mark.parametrize("between", ["", "\n", "\n\nSecond booking:\n"])
def test_an_answer_is_not_whole_where_another_one_was_begun_behind_it(declared: Any, begun: str, between: str) -> None:
    follows = begun == "{" and not between.strip()
    may_repeat = DRAFT.startswith(begun) and declared != list[Stay] and not follows
    assert refused(declared, DRAFT + between + begun) is not may_repeat


@pytest.mark.parametrize("cut", [1, 2, 5, 15])
@pytest.mark.parametrize("form", ["plain", "escaped", "indented"])
def test_an_answer_that_was_cut_while_it_was_repeated_is_whole(cut: int, form: str) -> None:
    text = {"plain": DRAFT, "escaped": DRAFT.replace('"', '\\"'), "indented": DRAFT.replace("{", "{\n")}[form]
    assert read(Stay, f"```json\n{text}\n```\n\nTo repeat:\n```json\n{text[:cut]}").nights == 2


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"guest": "Lund", "nights": 2}\n{"guest": "Berg"}', "/1/nights"),
        ('{"guest": "Lund", "nights": 2}, {"guest": "Berg", "nights": "?"}', "/1/nights"),
        ('{"guest": "Lund"}\n{"guest": "Berg", "nights": 4}', "/0/nights"),
        ('1. {"guest": "Lund", "nights": 2}\n2. {"guest": "Berg", "nights": "?"}', "/1/nights"),
        ('### 1\n{"guest": "Lund", "nights": 2}\n### 2\n{"guest": "Berg", "nights": "?"}', ""),
        ('[{"guest": "Lund", "nights": 2}]\n{"guest": "Berg", "nights": 4}', ""),
        (f'{DRAFT}\n{{"guest": "Berg", "nights": 4}}\n{{"name": "Dahl", "count": 1}}', "/2/guest"),
    ],
)
def test_an_item_outside_the_brackets_is_not_left_out(text: str, path: str) -> None:
    assert Schema(list[Stay]).read(text).issues[0].path == path


def test_what_stands_beside_a_list_and_is_no_item_of_it_is_no_second_answer() -> None:
    for text in (
        f'{{"thought": "two nights"}}\n{DRAFT}',
        f'{DRAFT}\n{{"done": true}}',
        f"[{DRAFT}]\n{DRAFT}",
        f'Example: {{"guest": "x"}}\n{DRAFT}',
    ):
        assert len(read(list[Stay], text)) == 1


def test_what_is_called_wrong_above_the_answer_is_the_one_before() -> None:
    assert read(Stay, f"{DRAFT}\nThat was wrong.\n\nThis is the stay:\n{{'guest': 'Lund', 'nights': 3}}").nights == 3


@pytest.mark.parametrize(
    "other", ["{'guest': 'Lund', 'nights': 3}", '{"guest": "Lund", "nights": 3,}', '{guest: "Lund", nights: 3}}']
)
def test_another_notation_does_not_tell_one_answer_from_another(other: str) -> None:
    assert refused(Stay, f"One:\n{DRAFT}\n\nTwo:\n{other}")
    assert refused(Stay, f"One:\n{other}\n\nTwo:\n{DRAFT}")
    assert read(Stay, f"One:\n{other}\n\nTwo:\n```json\n{DRAFT}\n```").nights == 2


@pytest.mark.parametrize(
    "word", ["Previous answer for reference:", "In an earlier version I had", "Step 1, rough version:"]
)
def test_an_earlier_version_is_no_answer(word: str) -> None:
    assert read(Stay, f"{word}\n{DRAFT}\n\nNow:\n{{'guest': 'Lund', 'nights': 3}}").nights == 3
    assert read(Stay, f"{{'guest': 'Lund', 'nights': 3}}\n\n{word} {DRAFT}").nights == 3


LATER = '{"guest": "Lund", "nights": 3}'


@pytest.mark.parametrize("answer", [ANSWER, LATER])
@pytest.mark.parametrize(
    "lead",
    ["Here it is in the requested format:", "It matches the schema:", "I am not sure, but:", "So, all in all:"],
)
def test_an_answer_behind_a_draft_is_not_passed_over_for_its_notation_or_a_word_that_may_introduce_it(
    lead: str, answer: str
) -> None:
    text = f"I first thought of {DRAFT} here.\n{lead}\n{answer}"
    assert refused(Stay, text) or read(Stay, text).nights == 3


@pytest.mark.parametrize("lead", ["For example:", "It is not", "That draft was:", "This would be wrong:"])
def test_what_is_said_to_be_none_behind_the_answer_is_none(lead: str) -> None:
    assert read(Stay, f"{DRAFT}\n{lead}\n{LATER}").nights == 2


@pytest.mark.parametrize(
    "lead",
    [
        "The answer should be in this format:",
        "The final answer must look like this:",
        "An example of the answer:",
        "Expected result format:",
        "I need to output the final answer as JSON such as",
        "Before I answer, a draft:",
        "My first answer was",
        "The original result:",
        "If the answer were no, it would be",
        "Actually, that is",
    ],
)
@pytest.mark.parametrize(
    "form", ["{lead}\n{draft}\n\nNow:\n{answer}", "{lead}\n```json\n{draft}\n```\n```json\n{answer}\n```"]
)
def test_what_the_answer_was_or_is_to_be_is_none_where_another_one_follows(lead: str, form: str) -> None:
    text = form.format(lead=lead, draft=DRAFT, answer=LATER)
    assert refused(Stay, text) or read(Stay, text).nights == 3


@pytest.mark.parametrize(
    "lead", ["The final answer in the requested format:", "Final answer:", "The answer is", "Result:"]
)
def test_what_is_said_to_be_the_answer_stays_it(lead: str) -> None:
    assert read(Stay, f"{lead}\n{LATER}\n\nThe guest had asked for {DRAFT} at first.").nights == 3
    assert read(Stay, f"{DRAFT} was wrong. {lead}\n{LATER}").nights == 3


@pytest.mark.parametrize(
    "said",
    [" Wait, that is wrong. ", "\n\nSorry, the nights were wrong:\n\n", "\nThis was an example.\n", "\nNot quite.\n"],
)
def test_what_is_said_of_the_draft_is_not_said_of_the_answer_behind_it(said: str) -> None:
    assert refused(Stay, f"{DRAFT}{said}{LATER}") or read(Stay, f"{DRAFT}{said}{LATER}").nights == 3


def test_what_stands_behind_a_correction_may_correct_it_too() -> None:
    corrected = f"```json\n{DRAFT}\n```\nCorrected:\n```json\n{LATER}\n```"
    more = LATER.replace("3", "4")
    assert read(Stay, corrected).nights == 3
    assert refused(Stay, f"{corrected}\nThey asked for one more, so:\n```json\n{more}\n```")
    assert read(Stay, f"{corrected}\nAn example of a longer stay:\n```json\n{more}\n```").nights == 3
    assert read(Stay, f"{corrected.replace('Corrected', 'Corrected answer')}\nOr:\n```json\n{more}\n```").nights == 3


@pytest.mark.parametrize(
    "text",
    [
        '{{"plan": "A", stays:\n  first {one},\n  second {other}\n}}',
        '{{"plan": "A", "stays":\n  first {one},\n  second {other}\n ]\n}}',
        "{{first {one}, second {other}}}",
        "[Stay {one}, Stay {other}]",
        "{{early: first {one}, late: second {other}}}",
        "Perhaps {one} or {other}}}",
    ],
)
@pytest.mark.parametrize("declared", [Stay, dict[str, Any]])
def test_a_part_of_a_document_does_not_stand_for_the_whole(declared: Any, text: str) -> None:
    assert refused(declared, text.format(one=DRAFT, other=LATER))


@pytest.mark.parametrize("closers", ["}", "\n}", "]", "]}"])
@pytest.mark.parametrize("lead", ["Here it is:\n", "The stay: ", "```json\n"])
def test_a_bracket_too_many_is_none_of_the_sentence_before(lead: str, closers: str) -> None:
    assert read(Stay, f"{lead}{LATER}{closers}").nights == 3
    assert read(Stay, f"Two nights: {DRAFT}\nFinal: {LATER}{closers}").nights == 3


def test_a_colon_behind_a_key_is_that_of_a_document_that_was_torn() -> None:
    for before in ('"city": "Rome", first: ', '"first": '):
        assert refused(Stay, f"...{before}{LATER}}}")


@pytest.mark.parametrize("opener", ["{", "["])
def test_a_bracket_at_the_end_of_a_text_without_its_quote_may_be_the_document_s(opener: str) -> None:
    for closers in ("}", "}}"):
        assert refused(Stay, f'{{"guest": "Lund\nand more:\n{opener}\n"nights": 3\n{closers}')
    assert read(Stay, '{"guest": "Lund\nand more:\n"nights": 3\n}').guest == "Lund\nand more:"


def test_line_breaks_written_as_in_a_string_are_white_space_between_the_parts() -> None:
    assert read(
        Plan, r'{"city": "Rome", "stays": \n[{"guest": "Lund", "nights": 3},\n\n{"guest": "B", "nights": 1}]\n}'
    )
    assert read(list[str], r'["a",\n"b",\t"c"]') == ["a", "b", "c"]
    assert refused(Stay, r'{"guest": \new, "nights": 3}')


class Query(BaseModel):
    """Something to run."""

    kind: str
    code: str


@pytest.mark.parametrize(
    "code",
    [
        'UPDATE rooms SET size = "big", view = "sea" WHERE floor = "2"',
        'style color="red", size = 4',
        '<a href="x", id="y">',
        'say "yes", reason: none',
        'x "b", "c": "d" y',
    ],
)
def test_what_is_no_declared_key_does_not_end_a_text_in_which_a_quote_is_open(code: str) -> None:
    for text in (f'{{"kind": "q", "code": "{code}"}}', f'{{"code": "{code}",\n"kind": "q"}}'):
        result = Schema(Query).read(text)
        assert not result.ok or result.value.code == code
    assert refused(dict[str, Any], f'{{"kind": "q", "code": "{code}"}}') or '"c": ' in code


def test_a_declared_key_ends_a_text_in_which_a_quote_is_open() -> None:
    assert read(Query, '{"code": "5" 4"", "kind": "q"}').code == '5" 4"'
    assert read(Query, '{"code": "a 65" screen", "kind": "q"}').code == 'a 65" screen'


@pytest.mark.parametrize("declared", [Query, dict[str, Any]])
def test_one_quote_before_a_word_of_a_text_may_lack_the_one_behind_it(declared: Any) -> None:
    assert refused(declared, '{"code": "say "yes", "kind": "q"}')
    assert refused(declared, '{"kind": "q", "code": "say "yes"}')
    whole = read(declared, '{"kind": "q", "code": "say "yes" to it"}')
    assert (whole["code"] if declared is not Query else whole.code) == 'say "yes" to it'
    assert not refused(declared, r'{"kind": "q", "code": "say "yes\" to it"}')


# ---- a style throughout, and one sign ----

STYLES = {
    "single quotes": lambda text: text.replace('"', "'"),
    "trailing commas": lambda text: text.replace("\n}", ",\n}"),
    "keys without quotes": lambda text: text.replace('"guest"', "guest").replace('"nights"', "nights"),
    "missing commas": lambda text: text.replace('"Lund",\n', '"Lund"\n'),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("sign", "instead"),
    [('["a", "b"]', '["a", "b"'), ('["a", "b"]', '"a", "b"]'), ('"b"]', '"b""]'), ('"Berth B"', 'Berth B"')],
)
def test_one_sign_is_mended_in_a_text_that_is_no_json_elsewhere_either(style: str, sign: str, instead: str) -> None:
    text = '{\n  "guest": "Lund",\n  "nights": 3,\n  "extras": ["a", "b"],\n  "remarks": "Berth B"\n}'
    value = read(Stay, STYLES[style](text.replace(sign, instead)))
    assert value == Stay(guest="Lund", nights=3, extras=["a", "b"], remarks="Berth B")


@pytest.mark.parametrize(
    "text",
    [
        '{"guest": "Lund" "nights": 3 "paid": true "remarks" "late"}',
        '{"guest" "Lund", "nights" 3 "paid" true \'remarks\': "late"}',
        "{'guest': 'Lund', 'nights': 3 'paid': True 'remarks': 'late'}",
        '{"guest": "Lund", "nights": 3 "remarks" "late", "paid": true}',
    ],
)
def test_keys_follow_numbers_and_literals_without_a_comma(text: str) -> None:
    assert read(Stay, text) == Stay(guest="Lund", nights=3, paid=True, remarks="late")


def test_two_commas_behind_a_literal_of_another_language_are_no_part_of_it() -> None:
    assert read(Stay, '{"guest": "Lund", "paid": None,,\n "nights": 3,}').paid is None


# ---- texts ----


@pytest.mark.parametrize("count", [7, 8, 50, 40_000])
def test_nothing_but_quotes_is_no_text(count: int) -> None:
    for text in ('"' * count, '{"a": ' + '"' * count, '{"a": ' + '"' * count + "}"):
        assert refused(Any, text)
    assert read(Any, '{"a": """the "red" one"""}') == {"a": 'the "red" one'}


def test_escapes_count_in_a_text_whose_opening_quote_is_missing() -> None:
    text = '{"guest": "Lund", "remarks": Late.\\nBring the \\"red\\" key.", "nights": 3}'
    assert read(Stay, text).remarks == 'Late.\nBring the "red" key.'
    assert refused(Stay, '{"guest": "Lund", "remarks": see C:\\Users\\new", "nights": 3,}')


def test_escapes_in_a_text_without_quotes_are_in_doubt() -> None:
    result = Schema(Stay).read("{guest: Lund, nights: 3, remarks: late\\nagain}")
    assert [issue.code for issue in result.issues] == ["likely_quote"]


def test_a_quote_that_opens_a_line_belongs_to_no_text_that_has_an_odd_number_of_them() -> None:
    torn = '{"guest": "Lund", "nights": 3, "extras": [\n  "a bed; and a cot.\n  "Towels",\n  "soap"]}'
    assert refused(Stay, torn)
    paired = '{"guest": "Lund", "nights": 3, "extras": ["the sign says\n  "Towels" twice", "soap"]}'
    assert read(Stay, paired).extras == ['the sign says\n  "Towels" twice', "soap"]


def test_the_sign_that_stands_for_commas_is_no_part_of_a_text_without_its_closing_quote() -> None:
    text = '{\n"nights": 3;\n"guest": "Lund;\n"remarks": "late"\n}'
    assert read(Stay, text).guest == "Lund"
    assert refused(Stay, '{\n"nights": 3,\n"guest": "Lund;\n"remarks": "late"\n}')


# ---- signs before lines, and around keys ----

LISTED = """{
  - "city": "Oslo",
  - "stays": [
    - {
      - "guest": "O'Neil",
      - "nights": -2
    }
  ]
}"""
QUOTED = '> Here it is:\n>\n> {\n>   "city": "Oslo",\n>   "stays": [{"guest": "O\'Neil", "nights": -2}]\n> }'


@pytest.mark.parametrize("text", [LISTED, LISTED.replace("- ", "* "), LISTED.replace("- ", "•  "), QUOTED])
def test_a_sign_before_each_line_is_none_of_the_document(text: str) -> None:
    assert read(Plan, text) == Plan(city="Oslo", stays=[Stay(guest="O'Neil", nights=-2)])
    assert "line_sign" in kinds(Plan, text)
    reader = Schema(Plan).reader()
    for sign in text:
        reader.feed(sign)
    assert reader.close().value == read(Plan, text)


def test_bullets_in_a_text_stay() -> None:
    text = '{\n"guest": "Lund",\n"nights": 3,\n"remarks": "Bring:\n- soap\n- a towel"\n}'
    assert read(Stay, text).remarks == "Bring:\n- soap\n- a towel"


def test_emphasis_is_no_part_of_a_declared_key() -> None:
    assert read(Stay, '{"**guest**": "**Lund**", "`nights`": 3}') == Stay(guest="**Lund**", nights=3)
    assert read(dict[str, int], '{"**a**": 1}') == {"**a**": 1}


# ---- where the type or the layout decides ----


@pytest.mark.parametrize(
    "text",
    [
        '{\n"guest": "Lund";\n"nights" 3;\n"remarks": "late"\n}',
        '{"guest": "Lund" "nights" 3 "remarks" "late"}',
        '{"nights": 3, "remarks": "late", "guest": "Lund\n}',
        '```json\n{"nights": 3, "remarks": "late", "guest": "Lund}\n```',
    ],
)
def test_a_declared_key_or_a_bracket_on_its_own_line_ends_a_text(text: str) -> None:
    assert read(Stay, text) == Stay(guest="Lund", nights=3, remarks="late")


@pytest.mark.parametrize("text", ['{"nights": 3, "guest": "Lund}', '{"nights": 3, "guest": "f(x) { return 1;\n}'])
def test_a_bracket_that_may_belong_to_the_text_does_not_end_it(text: str) -> None:
    assert refused(Stay, text)


class Bill(BaseModel):
    """Texts that have a form."""

    total: Decimal
    due: date | None = None


@pytest.mark.parametrize("total", ['"12.50""', '""12.50"', '12.50"'])
@pytest.mark.parametrize("due", ['""2026-03-01"', '"2026-03-01""', '2026-03-01"'])
def test_a_quote_too_many_is_no_inch_where_the_text_has_a_form(total: str, due: str) -> None:
    text = f'{{\n"total": {total},\n"due": {due},\n}}'
    assert read(Bill, text) == Bill(total=Decimal("12.50"), due=date(2026, 3, 1))


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (list[str], '"a", "b [1]"]', ["a", "b [1]"]),
        (list[int], "-5, 7\n]\n", [-5, 7]),
        (list[Any], '"a", {}]', ["a", {}]),
        (list[list[int]], "1, 2], [3]]", [[1, 2], [3]]),
        (list[list[int]], "[1], [2]]", [[1], [2]]),
        (dict[str, list[int]], '"oat": [1], "cow": []}', {"oat": [1], "cow": []}),
        (Stay, '"guest": "Lund", "nights": 2, "extras": ["tea"]}', Stay(guest="Lund", nights=2, extras=["tea"])),
        (Stay, 'guest": "Lund",\n  "nights": 2\n}\n```\nAnything else?', Stay(guest="Lund", nights=2)),
        (Stay, 'Here:\n```json\n"guest": "Lund", "nights": 2, "extras": []}\n```', Stay(guest="Lund", nights=2)),
        (Plan, '"city": "Oslo", "stays": [{"guest": "Lund", "nights": 2}]\n}\n\nEnjoy!',
         Plan(city="Oslo", stays=[Stay(guest="Lund", nights=2)])),
        (list[Stay], '"guest": "Lund", "nights": 2}, {"guest": "Berg", "nights": 1}]',
         [Stay(guest="Lund", nights=2), Stay(guest="Berg", nights=1)]),
        (list[Stay], '{"guest": "Lund", "nights": 2}]', [Stay(guest="Lund", nights=2)]),
        (Any, '"city": "Oslo", "stays": [{}]}', {"city": "Oslo", "stays": [{}]}),
        (list[int], "<think>Three.</think>\n1, 2, 3]", [1, 2, 3]),
        (dict[str, int], '<think>Two.</think>"a": 1, "b": 2}', {"a": 1, "b": 2}),
    ],
)  # fmt: skip
def test_the_request_may_have_begun_the_answer(declared: Any, text: str, value: Any) -> None:
    assert read(declared, text) == value
    assert "missing_opener" in kinds(declared, text)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (Stay, '("guest": "Lund", "nights": 2, "extras": ["tea"]}', Stay(guest="Lund", nights=2, extras=["tea"])),
        (list[str], '("oat", "cow"]', ["oat", "cow"]),
        (list[float], "{1.25,\n 42]", [1.25, 42.0]),
        (list[list[str]], '{["oat"], []]', [["oat"], []]),
        (Stay | list[Stay], '["guest": "Lund", "nights": 2}', Stay(guest="Lund", nights=2)),
    ],
)
def test_another_sign_may_stand_in_the_place_of_the_first_bracket(declared: Any, text: str, value: Any) -> None:
    assert read(declared, text) == value
    assert "wrong_opener" in kinds(declared, text)


@pytest.mark.parametrize("text", ['"guest": "Lund", "nights": 2', "guest: Lund\nnights: 2\n"])
def test_members_without_braces_may_have_gone_on_where_the_limit_cut_them(text: str) -> None:
    assert read(Stay, text) == Stay(guest="Lund", nights=2)
    assert not Schema(Stay).read(text, finish_reason="length").ok


def test_a_container_that_the_end_leaves_open_is_not_closed_without_its_braces() -> None:
    assert refused(Stay, '"guest": "Lund", "nights": 2, "extras": ["tea"')
    assert read(Stay, '"guest": "Lund", "nights": 2, "extras": ["tea"]').extras == ["tea"]
    assert refused(Stay, '"guest" is the key, see ["tea"]')


def test_the_end_of_a_list_is_not_the_list() -> None:
    assert refused(list[Any], "'a', {\"b\": 1}, [2]]")


@pytest.mark.parametrize("text", ['{"a" ]', '["a": "b"]', "{'a', 'b'}", '{"s": {"a", "b"}, "n": 1}'])
def test_where_nothing_is_declared_no_sign_is_taken_for_another(text: str) -> None:
    kinds_made = kinds(Any, text)
    assert kinds_made.isdisjoint(("wrong_comma", "wrong_colon"))
    assert read(Any, "{time: 10:30, n: 1}") == {"time": "10:30", "n": 1}


@pytest.mark.parametrize(
    "text",
    [
        'Here is the JSON:\n{"guest": "Lund", "nights": 2}}',
        'Here\'s the result [as asked]:\n\n{"guest": "Lund", "nights": 2}}\n\nEnjoy!',
        'Result: {"guest": "Lund", "nights": 2}]',
    ],
)
def test_a_bracket_too_many_behind_an_answer_that_prose_announces(text: str) -> None:
    assert read(Stay, text) == Stay(guest="Lund", nights=2)
    assert kinds(Stay, text) == {"prose", "extra_closer"}


@pytest.mark.parametrize(
    "text", ['"stay": {"guest": "Lund", "nights": 2}}', '{stay: {"guest": "Lund", "nights": 2}} }']
)
def test_a_piece_whose_bracket_stands_before_it_is_a_piece(text: str) -> None:
    assert read(Stay | None, text) == Stay(guest="Lund", nights=2) or refused(Stay | None, text)
    assert refused(dict[str, int], text)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (Stay, '<response>\n{"guest": "Lund", "nights": 2\n</response>', Stay(guest="Lund", nights=2)),
        (Stay, '<answer>{"nights": 2, "guest": "Lund"</answer>', Stay(guest="Lund", nights=2)),
        (Stay, '<tool_call>\n{"name": "stay", "arguments": {"guest": "Lund", "nights": 2}\n</tool_call>',
         Stay(guest="Lund", nights=2)),
        (Stay, '<tool_call>{"name": "stay", "arguments": {"guest": "Lund", "nights": 2, "extras": ["tea"\n</tool_call>\n',
         Stay(guest="Lund", nights=2, extras=["tea"])),
        (Plan, '```json\n{"name": "plan", "arguments": {"city": "Oslo", "stays": []}\n```', Plan(city="Oslo", stays=[])),
    ],
)  # fmt: skip
def test_the_tag_around_a_document_ends_it_as_a_fence_does(declared: Any, text: str, value: Any) -> None:
    assert read(declared, text) == value
    assert "missing_closer" in kinds(declared, text)


@pytest.mark.parametrize(
    "inside",
    ['"nights": 2, "guest":', '"guest": "Lund", "nights": 2,', '"guest": "Lund", "nights": 2, "extras": ["tea",'],
)
def test_a_tag_where_a_part_should_stand_says_that_it_is_missing(inside: str) -> None:
    assert refused(Stay, f"<answer>{{{inside}\n</answer>")


def test_markup_inside_a_text_ends_nothing() -> None:
    text = '{"guest": "<b>say "hi"</b>\n", "nights": 2, "remarks": "<p class="x"</p>"}'
    assert read(Stay, text) == Stay(guest='<b>say "hi"</b>\n', nights=2, remarks='<p class="x"</p>')


@pytest.mark.parametrize("text", ['["oat"，1.5，true]', '["oat"、1.5、true]', '[\n"oat"\n  1.5\n  true\n]'])
def test_a_number_is_the_next_item_behind_a_wide_comma_or_on_a_line_of_its_own(text: str) -> None:
    assert read(tuple[str, float, bool], text) == ("oat", 1.5, True)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (dict[str, int], '{"name": "count", "arguments": {"oat": 1}}', {"oat": 1}),
        (list[dict[str, int]], '{"rows": [{"oat": 1}, {"cow": 2}], "status": "ok"}', [{"oat": 1}, {"cow": 2}]),
    ],
)
def test_a_map_in_a_tool_call_and_a_list_of_maps_under_a_key(declared: Any, text: str, value: Any) -> None:
    assert read(declared, text) == value
    assert "envelope" in kinds(declared, text)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (dict[str, int], '{"Paris": {"people": 3}}'),  # the key is one of the map as likely as an envelope
        (list[dict[str, Any]], '{"rows": [{"oat": 1}]}'),  # one item, or the list in an envelope
        (list[Any], '{"rows": [{"oat": 1}]}'),
        (list[dict[str, Any]], '{"name": "put", "arguments": "[{\\"oat\\": 1}]"}'),
    ],
)
def test_what_may_be_an_envelope_of_a_map_or_a_part_of_it_is_asked_about(declared: Any, text: str) -> None:
    assert refused(declared, text)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (Stay | None, "```json\nnull", None),
        (int, "```\n42", 42),
        (bool, "```json\ntrue\n", True),
        (list[int], "~~~\n42", [42]),
    ],
)
def test_a_fence_that_does_not_close_is_none_of_a_lone_scalar(declared: Any, text: str, value: Any) -> None:
    assert read(declared, text) == value
    assert declared in (bool, Stay | None) or not Schema(declared).read(text, finish_reason="length").ok


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (list[str], '[\n  "oat",\n]\n\nI set "tags" to [] since none were mentioned.', ["oat"]),
        (list[str], '["oat"]\n\nI set "tags" to [] since none were mentioned.', ["oat"]),
        (dict[str, Any], "{'oat': 1}\n\nNote: missing values would be {} or null.", {"oat": 1}),
        (list[int], "Based on [1][2], the answer is:\n[\n  42,\n]\n[1] a.pdf\n[2] b.pdf", [42]),
        (dict[str, Any], '{oat: 1}\n\nExample of another valid answer: {"tea": 2}', {"oat": 1}),
        (list[str], "There are none, so the list is [] today.", []),  # nothing else is there
        (list[list[str]], '[["oat"], []]\n\n[["oat"], []]', [["oat"], []]),  # said twice
    ],
)
def test_a_container_in_a_sentence_is_no_answer_where_there_is_another(declared: Any, text: str, value: Any) -> None:
    assert read(declared, text) == value


def test_an_empty_container_in_a_sentence_does_not_stand_for_a_broken_answer() -> None:
    assert refused(list[int], '[1, "two", 3]\n\nI set the others to [] for now.')
    assert refused(Stay | None, '{"guest": "Lund", "nights": "some"}\n\nWithout a guest it would be null.')


@pytest.mark.parametrize(
    "around", ["<![CDATA[{}]]>", "<data><![CDATA[\n{}\n]]></data>", "The result: \\boxed{{{}}}", '"{}"', '"\n{}\n"']
)
@pytest.mark.parametrize(
    "inside", ['{"guest": "Lund", "nights": 2}', '{"guest": "Lund", "nights": 2,}', '[{"guest": "Lund", nights: 2}]']
)
def test_brackets_and_quotes_around_the_document_are_none_of_it(around: str, inside: str) -> None:
    declared = list[Stay] if inside.startswith("[") else Stay
    value = Stay(guest="Lund", nights=2)
    assert read(declared, around.format(inside)) == ([value] if inside.startswith("[") else value)


def test_a_list_of_texts_in_plain_quotes_is_not_its_first_bracket() -> None:
    assert read(list[str], '"["oat \\\\ cow", "tea"]"') == ["oat \\ cow", "tea"]


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (dict[str, str], '{"said": ""no""}', {"said": '"no"'}),
        (dict[str, Stay], '{"a": {"guest": ""Lund"", "nights": 2}}', {"a": Stay(guest='"Lund"', nights=2)}),
    ],
)
def test_quotes_at_both_ends_of_a_text_in_a_map_are_a_part_of_it(declared: Any, text: str, value: Any) -> None:
    assert read(declared, text) == value


class Guest(BaseModel):
    """Has a key of tool calls."""

    name: str
    nights: int = 1


@pytest.mark.parametrize("key", ["arguments", "parameters", "args", "input"])
def test_the_name_in_a_tool_call_is_that_of_the_tool(key: str) -> None:
    text = f'{{"name": "book", "{key}": {{"name": "Lund", "nights": 2}}}}'
    assert read(Guest, text) == Guest(name="Lund", nights=2)
    assert read(Guest, f'{{"functionCall": {text}}}') == Guest(name="Lund", nights=2)


@pytest.mark.parametrize(
    ("text", "guest"),
    [
        ('{\n  "guest": "Lund, B., # from page 3\n  "nights": 2\n}', "Lund, B."),
        ('{\n  "guest": "Lund, // it\'s the "first" one\n  "nights": 2 // too\n}', "Lund"),
        ("{'guest': 'Lund\", 'nights': 2}", "Lund"),
        ("{'guest': 'the \"Lund\"', 'nights': 2}", 'the "Lund"'),
        ("{'guest': ''Lund', 'nights': 2}", "Lund"),
    ],
)
def test_a_quote_is_missing_before_a_remark_or_another_stands_for_it(text: str, guest: str) -> None:
    assert read(Stay, text) == Stay(guest=guest, nights=2)


@pytest.mark.parametrize(
    "text",
    [
        "{'guest': 'x', 'nights': 1, 'extras': ['tea\", 'a \"good\" bed', 'soap']}",  # one item or two
        "{'guest': 'x', 'nights': 1, 'extras': ['tea,'it\\'s a bed', 'soap']}",
        '{"guest": "x", "nights": 1, "extras": ["3"\nbeds", "soap"]}',
        '{"guest": "x", "nights": 1, "extras": ["tea". // as stated\n  "soap"]}',
        '{"guest": "x", "nights": 1, "remarks": null.}',
    ],
)
def test_what_may_be_two_items_is_not_taken_for_one(text: str) -> None:
    assert refused(Stay, text)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (list[str], '["oat，"cow"]'),  # a quote is missing, or one of the text
        (list[str], '["oat"，cow"]'),
        (Stay, '{guest: Lund, remarks: "x", nights: 2, other: value"}'),
        (dict[str, Any], "{paid: 'no\", nights: 'two'}"),
        (list[dict[str, Any]], '[{"a": /* x */ "oat\n  },\n  {\n    "b": /* x */ "cow"}]'),
    ],
)
def test_what_may_have_taken_in_the_next_part_is_asked_about(declared: Any, text: str) -> None:
    assert refused(declared, text)


def test_a_doubled_quote_of_a_key_is_none_of_the_value_before() -> None:
    assert read(dict[str, Any], "{'paid': False, 'nights'': [2, 3]}") == {"paid": False, "nights": [2, 3]}


def test_one_bracket_for_another_in_an_empty_list_loses_no_item() -> None:
    assert read(list[list[str]], '[[], [}, ["oat"]]') == [[], [], ["oat"]]


def test_a_key_of_the_object_around_a_list_closes_it_without_quotes_too() -> None:
    text = "{guest: 'Lund', extras: ['tea'\n, nights: 2}"
    assert read(Stay, text) == Stay(guest="Lund", nights=2, extras=["tea"])
    assert "missing_closer" in kinds(Stay, text)


def test_a_wrong_bracket_right_behind_the_one_that_opens_a_list_closes_it() -> None:
    assert read(list[list[int]], "[[), [2]]") == [[], [2]]
    assert read(list[list[int]], "[[}, // none\n [2]]") == [[], [2]]


@pytest.mark.parametrize(
    "text", ["{guest: It\\'s Lund', nights: 2}", "{guest: 'x', nights: 1, extras: ['tea']:remarks:'y'}"]
)
def test_a_quote_that_is_left_over_makes_no_text(text: str) -> None:
    assert refused(Stay, text)


class Comment(BaseModel):
    """Holds others of its kind."""

    body: str
    replies: list["Comment"] = []


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (Comment, '{"body": "a", "replies": [{"body": "b，"replies": [\n]}]}，{"body": "c"}]}'),  # the last is a piece
        (list[list[str]], '[\n ["a"\n "b"]]\n ["c"\n "d"]\n]'),  # closed too early
        (list[list[str]], "[\n []\n []]\n]"),
        (Stay, "{guest: 'x', nights: 1, extras: [\n 'tea',\n 'soap\n ],\n remarks: 'y'\n}"),
    ],
)
def test_no_part_of_a_document_is_lost_that_was_closed_too_early(declared: Any, text: str) -> None:
    assert refused(declared, text)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (Guest | list[Guest], '{"name": "Lund"}\n{"name": "Lund"}', Guest(name="Lund")),  # said twice
        (Guest | list[Guest], '{"name": "Lund"}\n{"name": "Berg"}', [Guest(name="Lund"), Guest(name="Berg")]),
        (list[Guest], '{"name": "Lund"}\n{"name": "Lund"}', [Guest(name="Lund"), Guest(name="Lund")]),
        (list[tuple[int, int]], "[[1, 2]]\n[[1, 2]]", [(1, 2)]),
        (list[tuple[int, int]], "[1, 2]\n[1, 2]", [(1, 2), (1, 2)]),
    ],
)
def test_an_answer_that_is_repeated_is_no_list_of_it(declared: Any, text: str, value: Any) -> None:
    assert read(declared, text) == value


def test_two_whole_lists_are_not_joined() -> None:
    assert refused(list[tuple[int, int]], "[[1, 2]]\n[[3, 4]]")
    assert read(Stay, '[INST] Where? [/INST] {"guest": "Lund", "nights": 2}}') == Stay(guest="Lund", nights=2)


@pytest.mark.parametrize("behind", [", which was wrong.", ", but that is not right", ", and so on."])
def test_a_draft_in_a_sentence_does_not_take_in_the_answer_below(behind: str) -> None:
    assert read(Stay, f'I had {{"todo": "..."}}{behind}\n\nNow:\n{{"guest": "Lund", "nights": 2}}').nights == 2


def test_references_in_a_row_do_not_stand_for_the_list_below() -> None:
    text = "Based on the documents [1][2]:\n[5]\n\nMissing values would be {} or null."
    assert read(list[Literal[1, 5]], text) == [5]


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (list[str], """["oat', 'cow']"""),  # one item, or two
        (dict[str, str | None], "{'guest': None, 'remarks: None}"),
        (dict[str, Any], "{'paid': True, 'nights' False}"),
    ],
)
def test_a_text_does_not_take_in_the_quotes_of_the_next_part(declared: Any, text: str) -> None:
    assert refused(declared, text)


def test_a_key_without_a_space_behind_its_colon_closes_the_list_too() -> None:
    assert read(Stay, "{guest:'Lund',nights:2,extras:['tea',remarks:'quiet'}").remarks == "quiet"
