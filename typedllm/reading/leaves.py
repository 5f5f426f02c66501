"""What a scalar that the model wrote stands for where a shape is declared, and the name of the fix that says so."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Final, NamedTuple, cast

from typedllm.reading import words
from typedllm.reading.moments import is_moment, iso, may_count, tight
from typedllm.reading.nodes import Node
from typedllm.reading.shape import Kind, Shape

Data = object
_LONG: Final = re.compile(r"[0-9](?:[0-9.]{15}|[eE][+-]?[0-9]{3})")
_PATH: Final = re.compile(r"(?:\w+\.)+\w+")  # of a member of an Enum
_POINTS: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")


class Meaning(NamedTuple):
    """The data that a scalar stands for.

    Attributes:
        data: what it becomes.
        kind: the fix that makes it so; empty: it stands as it was written.
        after: how the fix shows what it became; empty: as JSON.
    """

    data: Data
    kind: str = ""
    after: str = ""


def may_lose_digits(text: str) -> bool:
    """Whether a JSON text has a number that may have more digits, or be smaller, than a float holds."""
    return _LONG.search(text) is not None


def as_written(node: Node) -> Data:
    """The data of a scalar as the model wrote it."""
    return json.loads(node.text) if node.kind == "number" else node.value


def meaning(node: Node, shape: Shape, digits: int, spelling: words.Spelling) -> Meaning | None:
    """What a scalar stands for.

    Args:
        node: the scalar.
        shape: what is declared there; no union.
        digits: most digits of a number.
        spelling: finds misspelt words.

    Returns:
        None where it is nothing of what is declared.
    """
    if shape.literals is not None:
        return _literal(node, shape, spelling)
    if node.kind == "literal":
        return _constant(cast("bool | None", node.value), shape)
    if node.kind == "number":
        return _number(node.text, shape, digits)
    return _text(node.text, shape, digits)


def _constant(value: bool | None, shape: Shape) -> Meaning | None:
    kind: Kind = "null" if value is None else "boolean"
    if kind in shape.kinds:
        return Meaning(value)
    if value is not None and "string" in shape.kinds:
        return Meaning("true" if value else "false", "boolean_to_string")
    return None


def _number(text: str, shape: Shape, digits: int) -> Meaning | None:
    value = json.loads(text)
    if shape.hint == "decimal" and isinstance(value, float) and Decimal(text) != Decimal(repr(value)):
        return Meaning(text)  # a text holds all its digits
    if "number" in shape.kinds or (isinstance(value, int) and "integer" in shape.kinds):
        return Meaning(value)
    if "integer" in shape.kinds:
        whole = whole_number(text, digits)
        return _rounded(text) if whole is None else Meaning(whole, "number_form")
    if "string" in shape.kinds:
        return _number_as_text(text, shape)
    if "boolean" in shape.kinds and text in ("0", "1"):
        return Meaning(bool(value), "boolean_word")
    return None


def _number_as_text(text: str, shape: Shape) -> Meaning | None:
    if shape.own_form:
        return Meaning(text, "number_to_string")
    meant = _formatted(text, shape.format)
    if meant is None or (not meant.kind and not may_count(text, shape.format)):
        return None
    return Meaning(meant.data, meant.kind or "number_to_string")


def _rounded(text: str) -> Meaning | None:
    number = float(text)
    return Meaning(round(number), "rounded") if abs(number) < 1e15 else None


def _text(text: str, shape: Shape, digits: int) -> Meaning | None:
    if "string" in shape.kinds:
        if shape.forbids(text):
            return None
        if shape.hint == "decimal":
            return _decimal(text)
        return Meaning(text) if shape.own_form else _formatted(text, shape.format)
    if not shape.kinds.isdisjoint(("integer", "number")):
        return _text_number(text, shape, digits)
    if "boolean" in shape.kinds:
        meant = words.boolean(text)
        return Meaning(meant.value == "true", meant.fix, meant.value) if meant else None
    if "null" in shape.kinds:
        word = text.strip().casefold()
        kind = "string_to_null" if word in ("null", "") else "null_word" if word in words.NULL_WORDS else ""
        return Meaning(None, kind) if kind else None
    return None


def _formatted(text: str, form: str) -> Meaning | None:
    if not form:
        return Meaning(text)
    moment = iso(text, form)
    if moment is not None and moment != text:
        return Meaning(moment, "time_form")
    bare = tight(text, form)
    said = text if bare is None else bare
    if not is_moment(said, form):
        return None
    return Meaning(said, "" if bare is None else "space_around")


def _decimal(text: str) -> Meaning | None:
    """The text of a decimal, digit by digit."""
    try:
        Decimal(text)
    except InvalidOperation:
        meant = words.number(text)
        return Meaning(meant.value, meant.fix) if meant else None
    return Meaning(text)


def _text_number(text: str, shape: Shape, digits: int) -> Meaning | None:
    meant = words.number(text) if shape.hint != "decimal" else None  # its texts keep their digits
    if meant is None or len(meant.value) > digits:
        return None
    if "number" in shape.kinds:
        value = json.loads(meant.value)
        beyond = isinf(value) and meant.value[-1].isdigit()
        return None if beyond else Meaning(value, meant.fix, meant.value)
    if _POINTS.fullmatch(text.strip()):
        return None  # in many languages a point separates thousands
    whole = whole_number(meant.value, digits)
    return _rounded(meant.value) if whole is None else Meaning(whole, meant.fix, meant.value)


def _literal(node: Node, shape: Shape, spelling: words.Spelling) -> Meaning | None:
    value = as_written(node)
    if shape.lists(value):
        return Meaning(value)
    if node.kind == "number" and (same := shape.equal_number(value)) is not None:
        return Meaning(same, "number_form")
    text = words.trimmed(json.dumps(value) if node.kind == "literal" else node.text)
    quoted = node.kind in ("string", "bare")
    if quoted and (meant := _word(node.text.strip(), shape) or _word(text, shape)):
        return meant
    if text.lower() in shape.written:
        return Meaning(shape.written[text.lower()], "json_form")
    if not quoted and shape.lists(text):
        return Meaning(text, "number_to_string" if node.kind == "number" else "json_form")
    near = spelling.nearest(text, shape.spelt_texts) if quoted else None
    return Meaning(near, "near_enum") if near is not None else None


def _word(text: str, shape: Shape) -> Meaning | None:
    """The declared word that a text is another form of."""
    if shape.lists(text):
        return Meaning(text, "enum_form")
    meant = shape.folded_texts.get(words.fold(text)) or shape.plain_texts.get(words.unaccented(text))
    if meant is not None:
        other = shape.names.get(text, meant) != meant  # the name of another member, as it is declared
        return None if other else Meaning(meant, "enum_form")
    name = text.rpartition(".")[2] if _PATH.fullmatch(text) else text
    named = shape.names.get(name)
    if named is None:
        known = shape.folded_names.get(words.fold(name))
        named = None if known is None else shape.names[known]
    return None if named is None else Meaning(named, "enum_name")


def whole_number(text: str, digits: int) -> int | None:
    """The integer that the text of a number stands for, if it is one."""
    whole, _, fraction = text.partition(".")
    if not fraction.strip("0") and "e" not in text and "E" not in text and whole.lstrip("-").isdigit():
        return int(whole) if len(whole) <= digits else None
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else None
