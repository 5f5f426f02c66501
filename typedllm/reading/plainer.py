"""A broken text with all of it as JSON that is settled where it stands, so that one sign that is wrong is alone."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import Final

from typedllm.reading.gaps import Gap, gap, opening, tail
from typedllm.reading.mends import Mend
from typedllm.reading.windows import TOKEN, requoted

_DOUBLE: Final = str.maketrans("'", '"')
_SINGLE: Final = str.maketrans('"', "'")


class Plainer:
    """The text written anew: its clean gaps as JSON, and the strings between them.

    Args:
        text: begins with a container.
        longer: the same of a text that ends with this one, so that it is not taken apart again.

    Attributes:
        json: what came of it; not all of it is JSON.
    """

    def __init__(self, text: str, longer: Plainer | None = None) -> None:
        self._written = written = (longer and longer._behind(text)) or TOKEN.split(text)
        self._single = "'" in text and _prefers_single(written[1::2])
        self._out = out = written.copy()
        if self._single:
            out[1::2] = map({each: self._string(each) for each in set(written[1::2])}.__getitem__, written[1::2])
        known = {each: self._clean(each, gap(each)) for each in set(written[2:-1:2])}  # few of them differ
        out[2:-1:2] = map(known.__getitem__, written[2:-1:2])
        if len(written) > 1:
            out[0] = self._clean(written[0], opening(written[0]))
        out[-1] = self._tail(written[-1], len(written) > 1)
        self.json = "".join(out)

    def _behind(self, text: str) -> list[str]:
        """The pieces of a text that this one ends with; none where it begins within a string or a number."""
        at = sum(map(len, self._written)) - len(text)
        for piece, written in enumerate(self._written):
            if at < len(written):
                return [] if piece % 2 or at < 0 else [written[at:], *self._written[piece + 1 :]]
            at -= len(written)
        return []

    def _clean(self, text: str, clean: Gap | None) -> str:
        return clean.json if clean else self._raw(text)

    def _tail(self, text: str, behind: bool) -> str:
        found = tail(text, True) if behind else None
        return found[0].json + self._raw(text[found[1] :]) if found else self._raw(text)

    def _raw(self, text: str) -> str:
        return text.translate(_DOUBLE) if self._single else text

    def _string(self, token: str) -> str:
        return requoted(token) if self._single and token[0] == "'" else token

    @cached_property
    def _ends(self) -> tuple[list[int], list[int]]:
        """Where each piece begins, in the text and in what became of it; and where the last ends."""
        return [0, *accumulate(map(len, self._written))], [0, *accumulate(map(len, self._out))]

    def length(self, count: int) -> int:
        """How long the part that stands for the first characters of the text is at least."""
        ours = theirs = 0
        for piece, (written, out) in enumerate(zip(self._written, self._out, strict=True)):
            if ours + len(written) > count:
                return theirs + (count - ours if self._is_kept(piece) else 0)
            ours, theirs = ours + len(written), theirs + len(out)
        return theirs

    def source(self, mend: Mend) -> Mend | None:
        """The same change of the text itself; None where what it changes does not stand there."""
        ours, theirs = self._ends
        piece = bisect_right(theirs, mend.at) - 1
        within = mend.at - theirs[piece] if self._is_kept(piece) else 0
        if mend.old and theirs[piece] + within != mend.at:
            return None
        old, new = (each.translate(_SINGLE) if self._single else each for each in (mend.old, mend.new))
        stands = piece == len(self._written) or self._written[piece].startswith(old, within)
        return mend._replace(at=ours[piece] + within, old=old, new=new) if stands else None

    def _is_kept(self, piece: int) -> bool:
        """Whether a piece is as long as it was, so that each of its characters stands where it stood."""
        return piece < len(self._written) and len(self._written[piece]) == len(self._out[piece])


def _prefers_single(tokens: list[str]) -> bool:
    """Whether more of the strings among these are in single quotes than in double ones."""
    signs = [each[0] for each in tokens]
    return signs.count("'") > signs.count('"')
