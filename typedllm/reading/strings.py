"""Strings while they are read: their quotes, what was taken of them so far, and the text behind a quote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from typedllm.reading.escapes import CONTROL_OR_LETTER
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
QUOTES: Final = re.escape(OPENERS + "»")
ANY_SPACE: Final = re.compile(r"[\s\ufeff\u180e\u200b-\u200d\u2060]*")
LINE_ENDS: Final = re.compile(r"[ \t\r]*\n")
COUNTERPART: Final[Mapping[str, str]] = {"{": "}", "[": "]", "(": ")"}
BRACKET: Final = re.compile(r"[(){}\[\]]")


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
        return any(CONTROL_OR_LETTER.search(end) for end in ends)

    def own_brackets(self) -> list[str]:
        """What would close the brackets that its text has opened so far, outermost first."""
        for part in self.parts[self.counted :]:
            for sign in BRACKET.findall(part):
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


def end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where what the pattern takes from here on ends; here, when it takes nothing."""
    found = pattern.match(text, at)
    return found.end() if found else at
