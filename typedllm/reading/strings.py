"""Strings: where one ends when quotes inside it are not escaped, and what its escapes mean.

A quote ends a string when what follows can only be the document's structure: `:` after a key; after a value, the next
key, the next item or a closing bracket. The decision looks at a bounded stretch of text behind the quote, so it is the
same however the text is cut into pieces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Node

AHEAD: Final = 160
"""How many characters behind a quote are looked at."""

_TAIL: Final = 80

Place: TypeAlias = Literal["key", "member", "item", "root"]
Verdict: TypeAlias = Literal["ends", "inner", "more", "doubt"]

CLOSERS: Final[Mapping[str, str]] = {
    '"': '"', "'": "'", "`": "`´", "“": "”“\"", "”": "”\"", "„": "“”\"", "‟": "”\"", "‘": "’'", "‚": "’‘'", "‛": "’'", "’": "’'", "´": "´", "«": "»", "＂": "＂",
}  # fmt: skip
OPENERS: Final = "".join(CLOSERS)
_QUOTES: Final = re.escape(OPENERS + "»")
_SPACE: Final = re.compile(r"[\s\ufeff\u180e\u200b-\u200d\u2060]*")
_COLON: Final = r"\s*(?::|=>?|：)"
QUOTED_KEY: Final = re.compile(
    rf"(?:\"(?:[^\"\\\n]|\\.){{0,80}}+\"|\"{{1,2}}[^\"\\\n]{{1,80}}\"{{1,2}}|[{_QUOTES}][^{_QUOTES}\n]{{1,80}}[{_QUOTES}]){_COLON}"
)
BARE_KEY: Final = re.compile(
    rf"(?:[$@]?[^\W\d][\w$.-]{{0,60}}[{_QUOTES}]?{_COLON}(?!//)|-?[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?\s*:(?=\s*[{_QUOTES}{{\[]))"
)
_KEY_BEGUN: Final = re.compile(
    rf"[{_QUOTES}]{{1,2}}[^{_QUOTES}\n]{{0,80}}(?:[{_QUOTES}]{{1,2}}\s*)?\Z|[$@]?(?:[^\W\d][\w$.-]{{0,60}})?[{_QUOTES}]?\s*:?/?\Z"
)
_LINE_KEY: Final = re.compile(rf"[^\s{_QUOTES},:{{}}\[\]][^{_QUOTES},:{{}}\[\]\n]{{0,60}}:\s{{0,8}}[{_QUOTES}{{\[]")
_LINE_KEY_BEGUN: Final = re.compile(rf"[^{_QUOTES},:{{}}\[\]\n]{{0,61}}(?::\s{{0,8}})?\Z")
_CLOSING: Final = re.compile(r"[}\])\s,]*(?:```\s*)?")
_GOES_ON: Final = re.compile(r'[^{"]*"\s*,\s*"[^"\n]*"\s*:')
_DECLARED_KEY: Final = re.compile(
    rf"([{_QUOTES}]{{0,2}})([^{_QUOTES}:=;{{}}\[\],\n]{{1,80}}?)"
    rf"(?:([{_QUOTES}]{{0,2}})\s{{0,8}}(:|=>?|：|;)|([{_QUOTES}])\s{{0,8}}|\s{{1,8}})"
    rf"\s{{0,8}}(?=[{_QUOTES}{{\[0-9-]|(?:true|false|null|True|False|None)\b)"
)
_CLOSES_KEY: Final = re.compile(rf"[{_QUOTES}]\s{{0,8}}(?::|=>?|：)")
_CONTAINER: Final = re.compile(rf"[{{\[]\s{{0,20}}[{_QUOTES}{{\[]")
LINE_ENDS: Final = re.compile(r"[ \t\r]*\n")
_COMMENT: Final = re.compile(r"//|/\*")
_POINT: Final = re.compile(r"\.\d")  # of a number without its zero
_BRACKETS: Final = re.compile(r"[}\])\s]*")
_STRAY_WORD: Final = re.compile(rf"\w{{1,30}}\s{{1,4}}[{_QUOTES}][^{_QUOTES}\n]{{1,80}}[{_QUOTES}]\s{{0,3}}:")
_BEGINS: Final = re.compile(rf"\s*[;，、.:]?\s*[{_QUOTES}{{\[]")
_OPEN_KEY: Final = re.compile(r"[\"'“][^\W\d][\w$-]{0,40}\s{0,3}:\s{0,3}(?=[\"'“\d{\[tfnTFN-])")
_SCALAR_ENDS: Final = re.compile(r"(?:-?\d[\d.eE+-]{0,30}|true|false|null|True|False|None)\s{0,4}[,，、；}\]]")
_ON_ITS_LINE: Final = re.compile(r"(?:-?\d[\d.eE+-]{0,30}|true|false|null|True|False|None)[ \t]{0,4}\r?\n")
_BARE_VALUE: Final = re.compile(r"-?\d|(?:true|false|null|True|False|None)\b")
_NEXT_STRING: Final = re.compile(
    rf"[{_QUOTES}][^{_QUOTES}\n]*[{_QUOTES}](?:\s*[;,\]}})\[{{]|\s+(?:[\"\d-]|(?:true|false|null)\b)|\s*\Z)"
)
CLOSING_TAG: Final = re.compile(r"</[^\W\d][\w.:-]{0,60}>\s*(?:\n|</|`{3}|\Z)")
CLOSING_TAG_BEGUN: Final = re.compile(r"<(?:\Z|/(?:[\w.:-]{0,61}\Z|[\w.:-]{1,61}>\s*(?:\Z|<\Z|`{1,2}\Z)))")
PLAIN_ITEM: Final = re.compile(rf"(?:\"[^\"\n]*\"|[{_QUOTES}][^{_QUOTES}\n]*[{_QUOTES}])\s*(?:[,\]}})]|\Z)")


COUNTERPART: Final[Mapping[str, str]] = {"{": "}", "[": "]", "(": ")"}
_BRACKET: Final = re.compile(r"[(){}\[\]]")
_CONTROL_OR_LETTER: Final = re.compile(r"[\b\f]|[\n\r\t][A-Za-z]")


_OPENED_BY: Final = {"”": "“„”", "’": "‘’'", "»": "«", "´": "`´"}
_INSIDE: Final = 600


def closes_inner(text: str, at: int) -> bool:
    """Whether a quote closes what another one opens in the same string, behind the last double quote."""
    inside = text[max(0, at - _INSIDE) : at].rpartition('"')[2]
    before = re.findall(
        rf"(?<!\w)[{re.escape(_OPENED_BY.get(text[at], text[at]))}]|{re.escape(text[at])}(?!\w)", inside
    )
    return len(before) % 2 == 1


class OpenString:
    """A string that is being read."""

    __slots__ = (
        "apostrophes",
        "closers",
        "counted",
        "escapes",
        "inner",
        "joined",
        "notes",
        "opened",
        "parts",
        "place",
        "plain",
        "raw",
        "start",
        "torn",
        "unescaped",
    )

    def __init__(self, start: int, place: Place, closers: str, plain: re.Pattern[str], raw: bool) -> None:
        self.start = start
        self.place: Place = place
        self.closers = closers
        self.plain = plain
        self.raw = raw
        self.parts: list[str] = []
        self.notes: list[Note] = []
        self.inner = 0
        self.apostrophes = 0  # how many of them stand between two letters
        self.joined: Node | None = None
        self.escapes: list[int] = []  # which parts were escapes of JSON
        self.torn = False  # whether a quote inside opens a line
        self.unescaped = False  # whether a backslash before a letter escapes nothing
        self.opened: list[str] = []  # what would close the brackets that are open in its text
        self.counted = 0  # how many parts were looked at for that

    @property
    def is_unclear(self) -> bool:
        """Whether its backslashes cannot be told from escapes: in `C:\\Users\\new` one of the two is no escape."""
        if not self.unescaped:
            return False
        ends = ("".join(self.parts[index : index + 2])[: len(self.parts[index]) + 1] for index in self.escapes)
        return any(_CONTROL_OR_LETTER.search(end) for end in ends)

    def own_brackets(self) -> list[str]:
        """What would close the brackets that its text has opened so far, outermost first."""
        for part in self.parts[self.counted :]:
            for sign in _BRACKET.findall(part):
                if sign in COUNTERPART:
                    self.opened.append(COUNTERPART[sign])
                elif self.opened and self.opened[-1] == sign:
                    self.opened.pop()
        self.counted = len(self.parts)
        return self.opened

    def tail(self) -> str:
        """The last characters of its text so far, however it was cut into pieces."""
        taken, length = list[str](), 0
        for part in reversed(self.parts):
            taken.append(part[-_TAIL:])
            length += len(taken[-1])
            if length >= _TAIL:
                break
        return "".join(reversed(taken))[-_TAIL:]


class Behind(NamedTuple):
    """What stands behind a quote: the text (at most `AHEAD` characters), and whether more of it may come."""

    text: str
    complete: bool


class DeclaredKey(NamedTuple):
    """A declared key as it was written: its quotes, its colon, and where its value begins."""

    name: str
    opening: str
    closing: str
    colon: str
    end: int


def declared_key(text: str, at: int, known: Container[str]) -> DeclaredKey | None:
    """The declared key that stands here, however its quotes and its colon are written."""
    found = _DECLARED_KEY.match(text, at, at + AHEAD)
    if found is None or found[2].strip() not in known:
        return None
    if found[1] and not (found[3] or found[4] or found[5]) and _CLOSES_KEY.match(text, found.end()):
        return None  # the quote that seems to open the value closes the key
    return DeclaredKey(found[2].strip(), found[1], found[3] or found[5] or "", found[4] or "", found.end())


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
    at = _end(_SPACE, text, 0)
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
        key = at if sign in OPENERS else _end(_SPACE, text, at + 1)
        if key > 0 and declared_key(text, key, known):
            return "ends"
    if sign in OPENERS:
        return _after_quote(text, at, complete, place, inner)
    return _after_other(text, at, complete, place, closers, inner)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def is_glued(place: Place, quote: str, before: str, after: str) -> bool:
    """Whether a quote stands between two words of an item: one without the comma and the other quote of two items."""
    return place == "item" and quote == '"' and (before + after).isascii() and before.isalpha() and after.isalpha()


def facing(before: str, after: str) -> str:
    """Whether a quote between these two signs opens (`<`) or closes (`>`) what stands in quotes, or may do either (`?`).

    Behind a digit, it may be a sign of inches.
    """
    if before.isdigit() and not after.isalnum():
        return "?"
    if before.isspace() != after.isspace():
        return ">" if after.isspace() else "<"
    if before.isalnum() != after.isalnum():
        return ">" if before.isalnum() else "<"
    return "?"


def is_odd(text: str, quote: str) -> bool:
    """Whether of the quotes inside a text the first closes and the last opens (it may be two, as in `"a" or "b"`), or one
    lacks its counterpart, which an apostrophe has not; at the start it may be one that is doubled.
    """
    places = [found.start() for found in re.finditer(quote, text) if found.start()]
    faces = [facing(text[at - 1], text[at + 1 : at + 2]) for at in places]
    spare = text[:1] == quote
    if faces and not spare and faces[0] == ">" and faces[-1] == "<":
        return True
    left = 0
    for face in faces if quote == '"' else ():
        if face == "<":
            left += 1
        elif left:
            left -= 1
        elif face == ">" and spare:
            spare = False
        elif face == ">":
            return True
    return left > 0


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
    left, at = len(opened), _end(_SPACE, text, 0)
    while left and text[at : at + 1] == opened[left - 1]:
        left, at = left - 1, _end(_SPACE, text, at + 1)
    if left < len(opened) and at < len(text) and text[at] not in ",}])`":
        return "inner"
    wanted = list(opened[:left])
    while wanted and (found := _BRACKET.search(text, at)):
        at = found.end()
        if found[0] in COUNTERPART:
            wanted.append(COUNTERPART[found[0]])
        elif found[0] != wanted.pop():
            return "ends"
    if wanted:
        return "doubt" if complete else "more"
    at = _end(_SPACE, text, at)
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


def _key(text: str, at: int, complete: bool) -> Verdict:
    if text[at : at + 1] in ("u", "b") and text[at + 1 : at + 2] in ("'", '"'):
        at += 1  # Python writes it before a string
    found = QUOTED_KEY.match(text, at) or BARE_KEY.match(text, at)
    if found:
        return "ends" if complete or found.end() + 2 <= len(text) else "more"
    return "more" if not complete and _KEY_BEGUN.match(text, at) else "inner"


def key_verdict(text: str, growing: bool) -> Verdict:
    """Whether a key with its colon begins with this text."""
    return _key(text, 0, not growing)


def _after_comma(
    text: str, at: int, complete: bool, place: Place, inner: int, closers: str, known: Container[str]
) -> Verdict:
    at = _end(_SPACE, text, at)
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
    said = _key(text, at, complete)
    if said == "ends" and inner % 2 and not _is_own_key(text, at, known):
        return "doubt"
    if said != "inner":
        return said
    if declared_key(text, at, known):
        return "ends"
    if sign == "{" and closers[-2:-1] == "]":
        return _key(text, _end(_SPACE, text, at + 1), complete)
    if complete and sign in _QUOTES and _KEY_BEGUN.match(text, at):
        return "ends"  # the end of the text has cut a key
    if _OPEN_KEY.match(text, at):
        return "ends" if "\n" in text[:at] else "doubt"
    if sign in "{[" and (complete or len(text) - at > 40) and _CONTAINER.match(text, at):
        return "doubt"
    if "\n" in text[:at] and _LINE_KEY.match(text, at):
        return "doubt" if inner % 2 else "ends"
    begun = sign in "{[" or (known and (sign in _QUOTES or sign.isalpha())) or _LINE_KEY_BEGUN.match(text, at)
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
    after = _end(_SPACE, text, line) if line >= 0 else len(text)
    if after == len(text):
        return "inner" if complete else "more"
    return "ends" if text[after] in "}])" else _key(text, after, complete)


def _comment(text: str, at: int, complete: bool) -> Verdict:
    if _COMMENT.match(text, at):
        return "ends"
    return "more" if not complete and at + 3 > len(text) else "inner"


def _after_closer(text: str, at: int, complete: bool, closers: str, inner: int) -> Verdict:
    """A bracket follows: does the document go on behind it, or does the string?"""
    if text[at] not in closers:
        return _rest_closes(text, at, complete, inner)
    space = _end(_SPACE, text, at + 1)
    if space == len(text):
        return "ends" if complete else "more"
    if text[space] in ",}])`<" or "\n" in text[at:space]:
        return "ends"
    if text[space] in "/#":
        return "ends" if space > at + 1 else "inner"
    if len(closers) > 1:
        said = _key(text, space, complete)
        if said == "inner" and not complete and not text[space + 1 :].strip():
            return "more"
        return ("doubt" if inner % 2 else "ends") if said == "inner" and _BEGINS.match(text, space) else said
    found = _GOES_ON.match(text, space)
    return "inner" if found else "ends" if complete else "more"


def _rest_closes(text: str, at: int, complete: bool, inner: int) -> Verdict:
    """A bracket that nothing here opened: a wrong one where the document goes on or ends, else a part of the string."""
    end = _end(_CLOSING, text, at)
    if end == len(text):
        return "ends" if complete else "more"
    behind = _end(_BRACKETS, text, at)
    if text[behind] != "," and not (inner % 2 == 0 and text[behind] in OPENERS):
        return "inner"
    after = _end(_SPACE, text, behind + (text[behind] == ","))
    said = "ends" if text[after : after + 1] in ("{", "[") else _key(text, after, complete)
    return "doubt" if said == "ends" and inner % 2 else said


def _after_quote(text: str, at: int, complete: bool, place: Place, inner: int) -> Verdict:
    key = _key(text, at, complete)
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
        after = _end(_SPACE, text, at + 1)
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
        after = _end(_SPACE, text, at + 1)
        if not complete:
            return "more"
        return "ends" if after < len(text) and text[after] in OPENERS and PLAIN_ITEM.match(text, after) else "inner"
    if sign in "{[":
        return _before_container(text, at, complete, place, closers)
    if place == "item" and at > 0 and (sign.isalnum() or sign == "-"):
        return _scalar(text, at, complete, inner)
    if place != "member" or at == 0:
        return "inner"
    said = _key(text, at, complete)
    return "doubt" if said == "ends" and inner % 2 and sign.isalpha() else said


def _after_other_comma(text: str, at: int, complete: bool, place: Place, closers: str, inner: int) -> Verdict:
    """A sign follows that may stand for the comma before the next part."""
    after = _end(_SPACE, text, at + 1)
    if after == len(text):
        return "ends" if complete else "more"
    if text[after] in "}])":
        return _after_closer(text, after, complete, closers, inner)
    if place == "item" and text[at] != ";" and (text[after].isalnum() or text[after] == "-"):
        return _scalar(text, after, complete, inner)
    if place == "item" and text[after] in "{[" and (complete or len(text) - after >= 40):
        return "doubt" if inner % 2 or not _CONTAINER.match(text, after) else "ends"
    if place == "member":
        return _key(text, after, complete)
    if text[after] in OPENERS:
        return "ends"
    return "inner" if text[at] == ";" or inner % 2 else "doubt"


def _before_tag(text: str, at: int, complete: bool) -> Verdict | None:
    """A tag closes behind which nothing stands on the line: that of the document, as a fence does. None: there is none."""
    if not complete and CLOSING_TAG_BEGUN.match(text, at) and len(text) - at < AHEAD:
        return "more"
    return "ends" if CLOSING_TAG.match(text, at) else None


def _before_sign(text: str, at: int, complete: bool, inner: int) -> Verdict:
    """A stop or a colon follows: one for the comma before the next key, or a part of the string."""
    after = _end(_SPACE, text, at + 1)
    if after == len(text):
        return "ends" if complete else "more"
    key = _key(text, after, complete)
    return "doubt" if key == "inner" and text[at] == ":" and inner % 2 == 0 and text[after] in OPENERS else key


def _before_container(text: str, at: int, complete: bool, place: Place, closers: str) -> Verdict:
    """A container follows without a comma: the next item, or a part of the string."""
    if place == "item" and "\n" in text[:at]:
        return "ends"
    if text[at] == "{" and place == "member" and closers[-2:-1] == "]":
        return _key(text, _end(_SPACE, text, at + 1), complete)
    if not complete and len(text) - at < 40:
        return "more"
    return "doubt" if _CONTAINER.match(text, at) else "inner"


def _scalar(text: str, at: int, complete: bool, inner: int) -> Verdict:
    """A number or literal behind an item without a comma between: the next item, if the list goes on behind it."""
    found = _SCALAR_ENDS.match(text, at) or ("\n" in text[:at] and _ON_ITS_LINE.match(text, at))
    if found:
        return "doubt" if inner % 2 else "ends"
    return "inner" if complete or len(text) - at >= 40 else "more"


_ESCAPED: Final[Mapping[str, str]] = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
_FOREIGN: Final[Mapping[str, str]] = {"'": "'", "`": "`", "“": "“", "”": "”", "0": "\0", "\n": ""}
_UNICODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_BYTE: Final = re.compile(r"\\x([0-9a-fA-F]{2})")
_OCTAL: Final = re.compile(r"\\[0-7]{2,3}(?![0-9])")
_SHORT: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3}|x[0-9a-fA-F])(?![0-9A-Za-z_])")
_BRACED: Final = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}")
_LONG: Final = re.compile(r"\\U([0-9a-fA-F]{8})")
ESCAPE: Final = 12
"""Characters of the longest escape: a surrogate pair."""


class Escape(NamedTuple):
    """One escape: what it stands for, how long it is, and the name of the fix, if it is not JSON."""

    text: str
    length: int
    fix: str = ""


def escape(text: str, at: int) -> Escape:
    """Reads the escape at a backslash; the text must hold `ESCAPE` characters from there, or end."""
    sign = text[at + 1 : at + 2]
    if sign in _ESCAPED and sign:
        return Escape(_ESCAPED[sign], 2)
    found = _UNICODE.match(text, at)
    if found:
        return _character(text, int(found[1], 16), found.end(), at)
    for pattern in (_BYTE, _BRACED, _LONG):
        found = pattern.match(text, at)
        if found and int(found[1], 16) <= 0x10FFFF:
            return Escape(chr(int(found[1], 16)), found.end() - at, "escape_style")
    found = _OCTAL.match(text, at)
    if found:
        return Escape(found[0], len(found[0]), "unclear_escape")
    if sign in _FOREIGN and sign:
        return Escape(_FOREIGN[sign], 2, "escape_style")
    found = _SHORT.match(text, at)
    if found:
        return Escape(found[0], len(found[0]), "unclear_escape")
    return Escape("\\", 1, "invalid_escape")


def unescaped(text: str, start: int) -> tuple[str, list[Note]]:
    """A text without its escapes, and what is odd about them; `start` is where it stands in the reply."""
    parts, notes, at = list[str](), list[Note](), 0
    while (sign := text.find("\\", at)) >= 0:
        read = escape(text, sign)
        parts += text[at:sign], read.text
        at = sign + read.length
        if read.fix:
            shown = json.dumps(read.text, ensure_ascii=False)[1:-1]
            fault = read.fix == "unclear_escape"
            notes.append(Note(read.fix, start + sign, start + at, "" if fault else shown, fault))
    said = "".join([*parts, text[at:]])
    if any(note.kind == "invalid_escape" for note in notes) and _CONTROL_OR_LETTER.search(said):
        notes.append(Note("unclear_escape", start, start + len(text), "", True))
    return said, notes


def _character(text: str, code: int, end: int, at: int) -> Escape:
    if not 0xD800 <= code <= 0xDFFF:
        return Escape(chr(code), end - at)
    low = _UNICODE.match(text, end)
    if code < 0xDC00 and low and 0xDC00 <= int(low[1], 16) <= 0xDFFF:
        return Escape(chr(0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00), 12)
    return Escape("\ufffd", end - at, "surrogate")
