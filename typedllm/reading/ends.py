"""Where a string ends when quotes inside it are not escaped.

A quote ends a string when what follows can only be the document's structure: `:` after a key; after a value, the next
key, the next item or a closing bracket. The decision looks at a bounded stretch of text behind the quote, so it is the
same however the text is cut into pieces.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Final

from typedllm.reading.keys import BARE_KEY, KEY_BEGUN, QUOTED_KEY, declared_key, key_verdict
from typedllm.reading.strings import (
    AHEAD,
    ANY_SPACE,
    BRACKET,
    COUNTERPART,
    OPENERS,
    QUOTES,
    Behind,
    Place,
    Verdict,
    end_of,
)

_LINE_KEY: Final = re.compile(rf"[^\s{QUOTES},:{{}}\[\]][^{QUOTES},:{{}}\[\]\n]{{0,60}}:\s{{0,8}}[{QUOTES}{{\[]")
_LINE_KEY_BEGUN: Final = re.compile(rf"[^{QUOTES},:{{}}\[\]\n]{{0,61}}(?::\s{{0,8}})?\Z")
_CLOSING: Final = re.compile(r"[}\])\s,]*(?:```\s*)?")
_GOES_ON: Final = re.compile(r'[^{"]*"\s*,\s*"[^"\n]*"\s*:')
_CONTAINER: Final = re.compile(rf"[{{\[]\s{{0,20}}[{QUOTES}{{\[]")
_COMMENT: Final = re.compile(r"//|/\*")
_POINT: Final = re.compile(r"\.\d")  # of a number without its zero
_BRACKETS: Final = re.compile(r"[}\])\s]*")
_STRAY_WORD: Final = re.compile(rf"\w{{1,30}}\s{{1,4}}[{QUOTES}][^{QUOTES}\n]{{1,80}}[{QUOTES}]\s{{0,3}}:")
_BEGINS: Final = re.compile(rf"\s*[;，、.:]?\s*[{QUOTES}{{\[]")
_OPEN_KEY: Final = re.compile(r"[\"'“][^\W\d][\w$-]{0,40}\s{0,3}:\s{0,3}(?=[\"'“\d{\[tfnTFN-])")
_SCALAR_ENDS: Final = re.compile(r"(?:-?\d[\d.eE+-]{0,30}|true|false|null|True|False|None)\s{0,4}[,，、；}\]]")
_ON_ITS_LINE: Final = re.compile(r"(?:-?\d[\d.eE+-]{0,30}|true|false|null|True|False|None)[ \t]{0,4}\r?\n")
_BARE_VALUE: Final = re.compile(r"-?\d|(?:true|false|null|True|False|None)\b")
_NEXT_STRING: Final = re.compile(
    rf"[{QUOTES}][^{QUOTES}\n]*[{QUOTES}](?:\s*[;,\]}})\[{{]|\s+(?:[\"\d-]|(?:true|false|null)\b)|\s*\Z)"
)
CLOSING_TAG: Final = re.compile(r"</[^\W\d][\w.:-]{0,60}>\s*(?:\n|</|`{3}|\Z)")
_CLOSING_TAG_BEGUN: Final = re.compile(r"<(?:\Z|/(?:[\w.:-]{0,61}\Z|[\w.:-]{1,61}>\s*(?:\Z|<\Z|`{1,2}\Z)))")
PLAIN_ITEM: Final = re.compile(rf"(?:\"[^\"\n]*\"|[{QUOTES}][^{QUOTES}\n]*[{QUOTES}])\s*(?:[,\]}})]|\Z)")


def verdict(
    behind: Behind, place: Place, inner: int, closers: str, known: Container[str] = frozenset[str]()
) -> Verdict:
    """Whether the quote before this text ends its string.

    `doubt` is a quote that is more likely a part of the string than its end, but not surely.

    Args:
        behind: the text that follows the quote.
        place: where the string stands.
        inner: how many quotes inside the string were not escaped so far.
        closers: the brackets that would close the containers around the string, outermost first.
        known: the declared keys of the object around it.
    """
    text, complete = behind
    if text[:1].isalnum() and place != "key":
        return "inner"
    at = end_of(ANY_SPACE, text, 0)
    if at == len(text):
        return "ends" if complete else "more"
    sign = text[at]
    if place == "key":
        return _after_key(text, at, complete)
    if place == "root":
        return "ends" if "\n" in text[:at] else "inner"
    if sign == ",":
        return _after_comma(text, at + 1, complete, place, inner, closers, known)
    if sign in "}])":
        return _after_closer(text, at, complete, closers, inner)
    if text.startswith("```"[: len(text) - at], at):
        return "ends" if complete or len(text) - at >= 3 else "more"
    if sign == "<" and inner % 2 == 0 and (said := _before_tag(text, at, complete)) is not None:
        return said
    if place == "member" and sign in ";；，、" + OPENERS and inner % 2 == 0:
        key = at if sign in OPENERS else end_of(ANY_SPACE, text, at + 1)
        if key > 0 and declared_key(text, key, known):
            return "ends"
    if sign in OPENERS:
        return _after_quote(text, at, complete, place, inner)
    return _after_other(text, at, complete, place, closers, inner)


def own_bracket(behind: Behind, opened: Sequence[str]) -> Verdict:
    """Whether the brackets that a text has opened before a quote close behind it, and the text goes on behind them.

    `ends` says nothing of the kind; `doubt` is a bracket that may be one of the document.

    Args:
        behind: the text that follows the quote.
        opened: what would close the brackets that are open in the text, outermost first.
    """
    if len(opened) > AHEAD:
        return "doubt"
    text, complete = behind
    left, at = len(opened), end_of(ANY_SPACE, text, 0)
    while left and text[at : at + 1] == opened[left - 1]:
        left, at = left - 1, end_of(ANY_SPACE, text, at + 1)
    if left < len(opened) and at < len(text) and text[at] not in ",}])`":
        return "inner"
    wanted = list(opened[:left])
    while wanted and (found := BRACKET.search(text, at)):
        at = found.end()
        if found[0] in COUNTERPART:
            wanted.append(COUNTERPART[found[0]])
        elif found[0] != wanted.pop():
            return "ends"
    if wanted:
        return "doubt" if complete else "more"
    at = end_of(ANY_SPACE, text, at)
    if at == len(text) and not complete:
        return "more"
    return "doubt" if text[at : at + 1] in ",}])`" else "inner"


def _after_key(text: str, at: int, complete: bool) -> Verdict:
    sign = text[at]
    if sign in ":：=,;}{[" or (at > 0 and sign in OPENERS):
        return "ends"
    if not complete and len(text) - at < (6 if at > 0 else 40):
        return "more"
    if (_BARE_VALUE if at > 0 else _SCALAR_ENDS).match(text, at):
        return "ends"
    return "doubt"


def _after_comma(
    text: str, at: int, complete: bool, place: Place, inner: int, closers: str, known: Container[str]
) -> Verdict:
    at = end_of(ANY_SPACE, text, at)
    if at == len(text):
        return "ends" if complete else "more"
    sign = text[at]
    if sign in "}])," or text.startswith(("...", "…"), at):
        return "ends"
    if sign == "#":
        return _before_hash(text, at, complete) if inner % 2 else "ends"
    if sign in "/." and not _POINT.match(text, at):
        return _comment(text, at, complete)
    if place == "member":
        return _member_after_comma(text, at, complete, inner, closers, known)
    if inner % 2 == 0:
        return "ends"
    if sign not in OPENERS:
        if not complete and len(text) - at < 40:
            return "more"
        return "doubt" if _SCALAR_ENDS.match(text, at) or _CONTAINER.match(text, at) else "inner"
    found = PLAIN_ITEM.match(text, at)
    if not complete and (found is None or found.end() == len(text)):
        return "more"
    return "ends" if found else "doubt"


def _member_after_comma(text: str, at: int, complete: bool, inner: int, closers: str, known: Container[str]) -> Verdict:
    sign = text[at]
    said = key_verdict(text, at, complete)
    if said == "ends" and inner % 2 and not _is_own_key(text, at, known):
        return "doubt"
    if said != "inner":
        return said
    if declared_key(text, at, known):
        return "ends"
    if sign == "{" and closers[-2:-1] == "]":
        return key_verdict(text, end_of(ANY_SPACE, text, at + 1), complete)
    if complete and sign in QUOTES and KEY_BEGUN.match(text, at):
        return "ends"  # the end of the text has cut a key
    if _OPEN_KEY.match(text, at):
        return "ends" if "\n" in text[:at] else "doubt"
    if sign in "{[" and (complete or len(text) - at > 40) and _CONTAINER.match(text, at):
        return "doubt"
    if "\n" in text[:at] and _LINE_KEY.match(text, at):
        return "doubt" if inner % 2 else "ends"
    begun = sign in "{[" or (known and (sign in QUOTES or sign.isalpha())) or _LINE_KEY_BEGUN.match(text, at)
    if not complete and begun:
        return "more"
    if sign.isalpha():
        return _stray_word(text, at, complete)
    return _next_string(text, at, complete) if inner % 2 == 0 else "inner"


def _is_own_key(text: str, at: int, known: Container[str]) -> bool:
    """Whether a key behind a comma is none of what a text with quotes inside may say, such as `a = "b", c = "d"`."""
    found = QUOTED_KEY.match(text, at)
    if found and not known:
        return True
    found = found or BARE_KEY.match(text, at)
    return found is not None and found[0].rstrip(" \t\r\n:=>：").strip(OPENERS) in known


def _next_string(text: str, at: int, complete: bool) -> Verdict:
    """After a comma: a string that is followed by structure is a key without value, not a part of this string."""
    found = _NEXT_STRING.match(text, at)
    if found and (complete or found.end() < len(text)):
        return "ends"
    return "more" if not complete and text[at] in OPENERS else "inner"


def _stray_word(text: str, at: int, complete: bool) -> Verdict:
    """After a comma: a word with a key behind it does not belong there, or all of it is part of this string."""
    if _STRAY_WORD.match(text, at):
        return "doubt"
    return "inner" if complete or len(text) - at >= 120 else "more"


def _before_hash(text: str, at: int, complete: bool) -> Verdict:
    """After a comma: a comment where the document goes on in the next line."""
    line = text.find("\n", at)
    after = end_of(ANY_SPACE, text, line) if line >= 0 else len(text)
    if after == len(text):
        return "inner" if complete else "more"
    return "ends" if text[after] in "}])" else key_verdict(text, after, complete)


def _comment(text: str, at: int, complete: bool) -> Verdict:
    if _COMMENT.match(text, at):
        return "ends"
    return "more" if not complete and at + 3 > len(text) else "inner"


def _after_closer(text: str, at: int, complete: bool, closers: str, inner: int) -> Verdict:
    """A bracket follows: does the document go on behind it, or does the string?"""
    if text[at] not in closers:
        return _rest_closes(text, at, complete, inner)
    space = end_of(ANY_SPACE, text, at + 1)
    if space == len(text):
        return "ends" if complete else "more"
    if text[space] in ",}])`<" or "\n" in text[at:space]:
        return "ends"
    if text[space] in "/#":
        return "ends" if space > at + 1 else "inner"
    if len(closers) > 1:
        said = key_verdict(text, space, complete)
        if said == "inner" and not complete and not text[space + 1 :].strip():
            return "more"
        return ("doubt" if inner % 2 else "ends") if said == "inner" and _BEGINS.match(text, space) else said
    found = _GOES_ON.match(text, space)
    return "inner" if found else "ends" if complete else "more"


def _rest_closes(text: str, at: int, complete: bool, inner: int) -> Verdict:
    """A bracket that nothing here opened: a wrong one where the document goes on or ends, else a part of the string."""
    end = end_of(_CLOSING, text, at)
    if end == len(text):
        return "ends" if complete else "more"
    behind = end_of(_BRACKETS, text, at)
    if text[behind] != "," and not (inner % 2 == 0 and text[behind] in OPENERS):
        return "inner"
    after = end_of(ANY_SPACE, text, behind + (text[behind] == ","))
    said = "ends" if text[after : after + 1] in ("{", "[") else key_verdict(text, after, complete)
    return "doubt" if said == "ends" and inner % 2 else said


def _after_quote(text: str, at: int, complete: bool, place: Place, inner: int) -> Verdict:
    key = key_verdict(text, at, complete)
    if key == "inner" and place == "member" and at > 0 and inner % 2 == 0:
        return "doubt"  # two strings in a row
    if key != "inner" or place != "item":
        return key
    if at > 0:
        return "doubt" if inner % 2 else "ends"
    if not complete:
        return "more"
    return ("doubt" if inner else "ends") if PLAIN_ITEM.match(text, at) else "inner"


def _after_other(text: str, at: int, complete: bool, place: Place, closers: str, inner: int) -> Verdict:
    sign = text[at]
    if sign in "/#":
        return ("ends" if at > 0 else "inner") if sign == "#" else _comment(text, at, complete)
    if sign == "+":
        after = end_of(ANY_SPACE, text, at + 1)
        if after == len(text):
            return "ends" if complete else "more"
        if text[after] == "/":
            return _comment(text, after, complete)
        return "ends" if text[after] in OPENERS else "doubt" if inner % 2 == 0 else "inner"
    if sign in ";；，、":
        return _after_other_comma(text, at, complete, place, closers, inner)
    if sign in ".:" and place == "member":
        return _before_sign(text, at, complete, inner)
    if sign == ":" and place == "item":
        return "ends"
    if sign == "." and inner == 0:
        after = end_of(ANY_SPACE, text, at + 1)
        if not complete:
            return "more"
        return "ends" if after < len(text) and text[after] in OPENERS and PLAIN_ITEM.match(text, after) else "inner"
    if sign in "{[":
        return _before_container(text, at, complete, place, closers)
    if place == "item" and at > 0 and (sign.isalnum() or sign == "-"):
        return _scalar(text, at, complete, inner)
    if place != "member" or at == 0:
        return "inner"
    said = key_verdict(text, at, complete)
    return "doubt" if said == "ends" and inner % 2 and sign.isalpha() else said


def _after_other_comma(text: str, at: int, complete: bool, place: Place, closers: str, inner: int) -> Verdict:
    """A sign follows that may stand for the comma before the next part."""
    after = end_of(ANY_SPACE, text, at + 1)
    if after == len(text):
        return "ends" if complete else "more"
    if text[after] in "}])":
        return _after_closer(text, after, complete, closers, inner)
    if place == "item" and text[at] != ";" and (text[after].isalnum() or text[after] == "-"):
        return _scalar(text, after, complete, inner)
    if place == "item" and text[after] in "{[" and (complete or len(text) - after >= 40):
        return "doubt" if inner % 2 or not _CONTAINER.match(text, after) else "ends"
    if place == "member":
        return key_verdict(text, after, complete)
    if text[after] in OPENERS:
        return "ends"
    return "inner" if text[at] == ";" or inner % 2 else "doubt"


def _before_tag(text: str, at: int, complete: bool) -> Verdict | None:
    """A tag closes behind which nothing stands on the line: that of the document, as a fence does. None: there is none."""
    if not complete and _CLOSING_TAG_BEGUN.match(text, at) and len(text) - at < AHEAD:
        return "more"
    return "ends" if CLOSING_TAG.match(text, at) else None


def _before_sign(text: str, at: int, complete: bool, inner: int) -> Verdict:
    """A stop or a colon follows: one for the comma before the next key, or a part of the string."""
    after = end_of(ANY_SPACE, text, at + 1)
    if after == len(text):
        return "ends" if complete else "more"
    key = key_verdict(text, after, complete)
    return "doubt" if key == "inner" and text[at] == ":" and inner % 2 == 0 and text[after] in OPENERS else key


def _before_container(text: str, at: int, complete: bool, place: Place, closers: str) -> Verdict:
    """A container follows without a comma: the next item, or a part of the string."""
    if place == "item" and "\n" in text[:at]:
        return "ends"
    if text[at] == "{" and place == "member" and closers[-2:-1] == "]":
        return key_verdict(text, end_of(ANY_SPACE, text, at + 1), complete)
    if not complete and len(text) - at < 40:
        return "more"
    return "doubt" if _CONTAINER.match(text, at) else "inner"


def _scalar(text: str, at: int, complete: bool, inner: int) -> Verdict:
    """A number or literal behind an item without a comma between: the next item, if the list goes on behind it."""
    found = _SCALAR_ENDS.match(text, at) or ("\n" in text[:at] and _ON_ITS_LINE.match(text, at))
    if found:
        return "doubt" if inner % 2 else "ends"
    return "inner" if complete or len(text) - at >= 40 else "more"
