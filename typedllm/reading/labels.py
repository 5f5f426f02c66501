"""A declared word that prose gives as its answer, where the answer is one of a few words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

from typedllm.reading.words import fold, folded, trimmed

_WORK: Final = 2_000_000
"""How many characters times words are looked at, at most."""

_PARTS: Final = re.compile(r"[\s_\-]+")
_QUOTED: Final = re.compile(r"[\"'`“‘«*_]\Z")
_UNQUOTED: Final = re.compile(r"[\"'`”’»*_]")
_BEHIND_COLON: Final = re.compile(r"\w[\"'`”’»*_]*[ \t]*[:=][\s\"'`“‘«*_]*\Z")
_ENDS: Final = re.compile(r"[\"'`”’»*_]*(?:[ \t]*(?:\Z|[\r\n])|[.,;!)]|[ \t]+[(–—-])")
_ASKED: Final = re.compile(r"[\"'`”’»*_]*[ \t]*\?")
_SENTENCE: Final = re.compile(r"[.!?;\n]")
_DENIALS: Final = frozenset(
    re.findall(
        r"\w+",
        "not no never neither nor without hardly barely cannot cant isnt wasnt arent dont doesnt didnt wont nicht kein "
        "keine nie pas jamais ni non nunca sin",
    )
)
_PLACES: Final = 100
"""From so many places of a word on, none of them is the answer."""
_REACH: Final = 3
"""How many words before it a denial stands at most."""


class Label(NamedTuple):
    """A declared word in prose, with its place."""

    word: str
    start: int
    end: int


def label(text: str, words: Iterable[str]) -> Label | None:
    """The declared word that prose gives as its answer.

    It is the only one that occurs as a whole; it is marked in one place at least (in quotes or emphasis, behind a
    colon, or alone on the first or last line), and denied or asked for in none.
    """
    declared = folded(words)
    if not declared or len(declared) * len(text) > _WORK:
        return None
    shapes = sorted((_spelt(word) for word in declared.values() if word and fold(word)), key=len, reverse=True)
    found = re.finditer(rf"(?<![\w-])(?:{'|'.join(shapes)})(?![\w]|-\w)", text, re.IGNORECASE) if shapes else ()
    places = list(islice(found, _PLACES))
    if len(places) == _PLACES or len({fold(each[0]) for each in places}) != 1 or None in declared.values():
        return None
    word = declared[fold(places[0][0])]
    marked = [each for each in places if _is_marked(text, each.start(), each.end())]
    if word is None or not marked or any(_is_denied(text, each.start(), each.end()) for each in places):
        return None
    return Label(word, *marked[-1].span())


def _spelt(word: str) -> str:
    return r"[\s_-]*".join(map(re.escape, filter(None, _PARTS.split(word))))


def _is_marked(text: str, start: int, end: int) -> bool:
    before, line = text[max(0, start - 80) : start], _line(text, start, end)
    if _QUOTED.search(before) and _UNQUOTED.match(text, end):
        return True
    if _BEHIND_COLON.search(before) and _ENDS.match(text, end):
        return True
    outer = text.strip().splitlines()
    return trimmed(line) == text[start:end] and line.strip() in (outer[0].strip(), outer[-1].strip())


def _line(text: str, start: int, end: int) -> str:
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    return text[first : last if last >= 0 else len(text)]


def _is_denied(text: str, start: int, end: int) -> bool:
    """Whether a denial stands just before it, or a question mark behind it."""
    sentence = _SENTENCE.split(text[max(0, start - 80) : start])[-1]
    return is_denial(sentence) or _ASKED.match(text, end) is not None


def is_denial(said: str, reach: int = _REACH) -> bool:
    """Whether one of the last words of a text is a denial."""
    words = re.findall(r"\w+", said.replace("'", "").replace("’", "").casefold())
    return not _DENIALS.isdisjoint(words[-reach:])
