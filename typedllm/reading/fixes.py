"""The catalogue of leniencies: every way in which a reply may differ from strict JSON of the declared type.

Each is a *fix* with a name and a tier (see `Policy`); what has no single reading is a *fault* and becomes an issue.
The reader and the aligner note both in the same way, by position; the text before is looked up when they are reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from typedllm.records import Policy, Tier

_TIERS: Final[Mapping[Tier, Mapping[str, str]]] = {
    "packaging": {
        "reasoning": "reasoning text before or around the answer",
        "prose": "text before or after the answer",
        "fence": "a Markdown fence around the answer",
        "emphasis": "Markdown emphasis around the answer",
        "tag": "an XML-like tag around the answer",
        "mark": "a byte-order mark",
        "plain_text": "the text itself is the declared string",
    },
    "syntax": {
        "trailing_comma": "a comma before a closing bracket",
        "extra_comma": "a doubled or leading comma",
        "missing_comma": "no comma between two parts",
        "wrong_comma": "another separator in place of a comma",
        "missing_colon": "no colon after a key",
        "wrong_colon": "another sign in place of a colon",
        "quote_style": "single, typographic or other quotes",
        "missing_quote": "a quote is missing where the structure shows the end",
        "extra_quote": "a quote doubled at the start or end of a string",
        "unquoted_key": "a key without quotes",
        "unquoted_string": "a string without quotes",
        "unescaped_quote": "a quote inside a string that is not escaped",
        "raw_control": "a line break or control character inside a string that is not escaped",
        "invalid_escape": "a backslash that escapes nothing; it is kept",
        "escape_style": "an escape of another language",
        "line_sign": "a bullet or another sign before each line of the document",
        "escaped_quotes": "quotes of the document itself are escaped",
        "comment": "a comment",
        "literal_style": "a literal of another language, such as True or None",
        "number_style": "a number as another language writes it, such as 0x1f, 1_000, +1, .5",
        "concatenation": "a string in pieces joined by +",
        "call": "a constructor around a value, such as ObjectId(...), or a call in place of an object, such as f(a=1)",
        "tuple": "parentheses in place of square brackets",
        "missing_closer": "a closing bracket is missing",
        "wrong_closer": "a closing bracket of another kind",
        "extra_closer": "a closing bracket too many",
        "missing_opener": "an opening bracket is missing",
        "wrong_opener": "an opening bracket of another kind than the declared one",
        "extra_opener": "an opening bracket too many",
        "stray_sign": "a colon or backslash too many",
        "swapped_signs": "two signs in each other's place",
        "repeated_key": "a key twice with the same value",
        "space": "white space that JSON does not know",
        "json_lines": "several values in a row in place of a list",
    },
    "schema": {
        "string_to_number": "a number in quotes",
        "string_to_boolean": "a truth value in quotes",
        "string_to_null": "null in quotes, or an empty string where only null fits",
        "number_to_string": "a number where text is declared",
        "boolean_to_string": "a truth value where text is declared",
        "number_form": "a number in another form of the same value, such as 7.0 for 7",
        "thousands": "a number with thousands separators",
        "enum_form": "a declared word in another case, without its accents, with other separators, quotes or space around it",
        "enum_name": "the name of an enum member in place of its value",
        "key_form": "a key in another case or style, or without its accents",
        "field_name": "a field's name in place of its alias",
        "single_item": "one item in place of a list of it",
        "nested_list": "a list around the list",
        "encoded": "JSON inside a string in place of the JSON itself",
        "envelope": "one key around the answer",
        "time_form": "another form of the same date, time or duration",
        "space_around": "white space around a date, an address or an identifier",
        "extra_key": "a key that the type ignores",
        "json_form": "a value of another JSON type that stands for the same",
    },
    "guess": {
        "percent": "a percent sign dropped from a number",
        "currency": "a currency sign dropped from a number",
        "decimal_comma": "a decimal comma",
        "boolean_word": "yes, no, on, off, 1 or 0 for a truth value",
        "null_word": "a word such as N/A for null",
        "near_enum": "a declared word, misspelt",
        "label": "the one declared word in prose that is marked as the answer",
        "near_key": "a declared key, misspelt",
        "open_scalar": "a number or word that the end of the text may have cut",
        "likely_quote": "a quote that may end the text or be a part of it (escape those inside)",
        "split_text": "one text in place of a list, each of whose parts is an item as it is declared",
        "likely_item": "one text in place of a list of texts, with commas or the like in it: it may be one item or several",
        "unit": "a number with a unit behind it or a label in front of it",
        "zero_padded": "a number with leading zeros",
    },
    "loss": {
        "surrogate": "half of a character escape, replaced by U+FFFD",
        "rounded": "a number rounded",
        "open_string": "a string that the end of the text has cut",
        "cut_string": "a string cut to the declared length",
        "first_item": "the first item of a list in place of one",
        "drop_item": "an item of a list that does not fit, left out",
        "drop_key": "a key that the type forbids, left out",
        "default": "the declared default for a required key that is missing",
    },
}

LOSSY: Final[frozenset[Tier]] = frozenset({"guess", "loss"})
TIER: Final[Mapping[str, Tier]] = {kind: tier for tier, kinds in _TIERS.items() for kind in kinds}
MEANING: Final[Mapping[str, str]] = {kind: meaning for kinds in _TIERS.values() for kind, meaning in kinds.items()}

FAULTS: Final[Mapping[str, str]] = {
    "missing_value": "a key without a value: write the value, or leave the key out",
    "elision": "something is left out here: write it in full",
    "unexpected_text": "this is not JSON",
    "repeated_key_differs": "this key stands here more than once, with different values: write it once",
    "unfinished": "the text ends before this is complete",
    "too_deep": "nested too deeply",
    "too_long": "too long for one value",
    "too_many_digits": "a number of too many digits",
    "too_many_keys": "too many keys or items",
    "too_many_fixes": "too much of this is broken",
    "too_many_issues": "so much before this place does not fit that the rest was not looked at",
    "unclear_syntax": "one character is wrong near here, and it can be read in several ways: write it as JSON",
    "unclear_escape": "a backslash here may be meant as it stands or begin an escape: write \\\\ for each that is meant",
    "unclear_brackets": "the brackets do not tell what belongs together: write it as JSON",
    "unclear_union": "this fits several of the declared forms, with different values",
    "unread": "this is not what the only form with this key declares, and must not be left out",
    "unknown_keys": "none of these keys is declared",
    "unfit": "this is not what is declared",
    "unlisted": "this is none of the declared values",
    "not_finite": "JSON has no such number",
}


NOTATION: Final = frozenset({"quote_style", "unquoted_key", "literal_style", "number_style", "escape_style"})
"""Fixes of syntax that a document in the notation of another language has at each part, however long it is."""


def known(kinds: Iterable[str]) -> frozenset[str]:
    """The kinds, if there are fixes of all these names.

    Raises:
        ValueError: there is none of one of them.
    """
    asked = frozenset(kinds)
    if not asked:
        return asked
    for kind in sorted(asked - TIER.keys()):
        near = get_close_matches(kind, TIER, 1)
        lossy = ", ".join(sorted(each for each, tier in TIER.items() if tier in LOSSY))
        raise ValueError(
            f"no fix is called {kind!r} ({f'did you mean {near[0]!r}? ' if near else ''}allow= takes: {lossy})"
        )
    return asked


NONE: Final[frozenset[str]] = frozenset()


class Note(NamedTuple):
    """A fix (its kind is in `TIER`) or else a fault, at a place of the text; `after` is what the text became."""

    kind: str
    start: int
    end: int
    after: str = ""
    fault: bool = False


class Entry(NamedTuple):
    """A note at its place in the document, with the lossy kinds that the type allows there."""

    path: str
    note: Note
    allow: frozenset[str] = NONE

    def is_permitted(self, policy: Policy) -> bool:
        """Whether a fix may be applied; what becomes of keys that are not declared is for the type to say."""
        kind = self.note.kind
        return kind == "extra_key" or policy.permits(kind, TIER[kind]) or kind in self.allow

    @property
    def is_lossy(self) -> bool:
        """Whether it is a guess or a loss."""
        return not self.note.fault and TIER[self.note.kind] in LOSSY
