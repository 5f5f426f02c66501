"""Windows: some characters of a stretch, cut into gaps and tokens, and written anew as JSON."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate, compress
from typing import Final

from typedllm.reading.gaps import NUMBER, Gap, gap, opening
from typedllm.reading.strings import OPENERS

_DOUBLE: Final = (
    r'"(?<!\\")[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
)
_SINGLE: Final = r"'(?<!\\')[^'\\\x00-\x1f]*+(?:\\[\"'\\/bfnrt][^'\\\x00-\x1f]*+)*+'"
SINGLE_QUOTED: Final = re.compile(_SINGLE).fullmatch
TOKEN: Final = re.compile(f"({_DOUBLE}|{_SINGLE}|{NUMBER})")  # each begins with one of a few signs: those are sought
IS_KEY: Final = re.compile(rf"([\"'])[^{re.escape(OPENERS + '»')}\\\x00-\x1f]{{1,60}}\1").fullmatch
_COLON: Final = re.compile(r"[ \t\n\r]*:")
INSIDE: Final = re.compile(r"\\(.)|\"")


class Window:
    """Some characters of a stretch, cut into gaps and tokens by turns.

    Attributes:
        count: how many gaps are followed by a token.
        gaps: these; None for one that is not clean, and at the end.
        tokens: what follows them.
        written: both, by turns.
        pieces: the same as JSON.
    """

    def __init__(self, text: str, left: str, last: bool, first: bool) -> None:
        parts = TOKEN.split(text)
        self.count = count = max(0, len(parts) // 2 - (not last))
        self._texts = texts = parts[0 : 2 * count + 1 : 2]
        self._opening = opening(texts[0]) if first and count else None
        self.tokens = parts[1 : 2 * count : 2]
        self._known = known = {each: gap(each) for each in set(texts[:count])}
        self.gaps: list[Gap | None] = [*map(known.get, texts[:count]), None]
        if first and count:
            self.gaps[0] = self._opening
        self._check([left, *self.tokens], known)
        written = {each: found.json if found else "" for each, found in known.items()}
        self.written = parts[: 2 * count]
        self.pieces = self.written.copy()
        self.pieces[::2] = map(written.__getitem__, texts[:count])
        if self._opening:
            self.pieces[0] = self._opening.json
        self._has_quoted = "'" in text
        self._has_escapes = "\\'" in text
        if self._has_quoted:
            self.pieces[1::2] = [
                each if each[0] != "'" else requoted(each) if '"' in each or "\\" in each else f'"{each[1:-1]}"'
                for each in self.tokens
            ]

    @property
    def length(self) -> int:
        """Characters of all the gaps and tokens."""
        return sum(map(len, self.written))

    @cached_property
    def at(self) -> list[int]:
        """Where each gap and token begins in the text, and where the last ends."""
        return [0, *accumulate(map(len, self.written))]

    @cached_property
    def _brackets(self) -> dict[str, str]:
        return {each: found.brackets if found else "" for each, found in self._known.items()}

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """How many fixes of each gap count; empty where none holds any."""
        if not any(found and found.fixes for found in self._known.values()):
            return {}
        return {each: found.counted if found else 0 for each, found in self._known.items()}

    def brackets(self, first: int, bad: int) -> str:
        """The brackets of the gaps from one to another."""
        said = "".join(map(self._brackets.__getitem__, self._texts[max(first, int(self._opening is not None)) : bad]))
        return said if self._opening is None or first else self._opening.brackets + said

    def fixes(self, first: int, bad: int) -> tuple[int, set[str]]:
        """How many fixes count from one gap to another, and the kinds of all."""
        count, kinds = 0, set[str]()
        if self._numbers:
            taken = self._texts[max(first, int(self._opening is not None)) : bad]
            count = sum(map(self._numbers.__getitem__, taken))
            kinds.update(*(found.fixes for each in set(taken) if (found := self._known[each])))
        if self._opening is not None and not first:
            count += self._opening.counted
            kinds.update(self._opening.fixes)
        if self._has_quoted:
            quoted = [each for each in self.tokens[first:bad] if each[0] == "'"]
            escaped = self._has_escapes and any(map(escapes, quoted))
            kinds.update(["quote_style"] * bool(quoted), ["escape_style"] * escaped)
        return count, kinds

    def _check(self, lefts: list[str], known: Mapping[str, Gap | None]) -> None:
        """What a gap alone does not tell: an odd key, or a number behind it, may change where a string ends."""
        if any(each and each.blank for each in known.values()):
            for index, each in enumerate(self.gaps):
                if each and each.blank and lefts[index][:1] in "\"'" and self.tokens[index][0] not in "\"'":
                    self.gaps[index] = None
        after_key = {each: found is not None and found.after_key for each, found in known.items()}
        flags = [*map(after_key.__getitem__, self._texts[:-1]), _COLON.match(self._texts[-1]) is not None]
        if all(map(IS_KEY, set(compress(lefts, flags)))):
            return
        for index, (left, flag) in enumerate(zip(lefts, flags, strict=True)):
            if flag and not IS_KEY(left):
                self.gaps[index] = self.gaps[max(0, index - 1)] = None

    def has_quote(self, index: int) -> bool:
        """Whether a gap holds a quote: the beginning of a string, perhaps, whose end is not there."""
        text = self._texts[index]
        return '"' in text or "'" in text

    def gap_at(self, offset: int) -> int:
        """The index of the gap that begins at an offset; -1 when none does."""
        found = bisect_left(self.at, offset)
        return found // 2 if found < len(self.at) and self.at[found] == offset and found % 2 == 0 else -1


def escapes(token: str) -> int:
    """How many quotes a string in single quotes escapes."""
    return sum(each[1] == "'" for each in INSIDE.finditer(token, 1)) if "\\'" in token else 0


def requoted(token: str) -> str:
    """A string in single quotes as JSON."""
    inside = token[1:-1]
    if '"' in inside or "\\'" in inside:
        inside = INSIDE.sub(in_double, inside)
    return f'"{inside}"'


def in_double(found: re.Match[str]) -> str:
    """A character of a string in single quotes, as in one in double quotes."""
    return "'" if found[1] == "'" else '\\"' if found[0] == '"' else found[0]
