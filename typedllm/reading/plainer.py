"""A broken text with all of it as JSON that is settled where it stands, so that one sign that is wrong is alone."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import Final

from typedllm.reading.gaps import gap, opening, tail
from typedllm.reading.mends import Mend
from typedllm.reading.windows import TOKEN, requoted

_DOUBLE: Final = str.maketrans("'", '"')
_SINGLE: Final = str.maketrans('"', "'")


class Plainer:
    """The text written anew: its clean gaps as JSON, and the strings between them.

    Args:
        text: begins with a container.

    Attributes:
        json: what came of it; not all of it is JSON.
    """

    def __init__(self, text: str) -> None:
        self._written = written = TOKEN.split(text)
        strings = [each[0] for each in written[1::2] if each[0] in "\"'"]
        self._single = 2 * strings.count("'") > len(strings)
        self._out = out = [
            self._string(each) if index % 2 else self._gap(each, index) for index, each in enumerate(written)
        ]
        self.json = "".join(out)

    def _gap(self, text: str, index: int) -> str:
        if index == len(self._written) - 1:
            found = tail(text, True) if index else None
            return found[0].json + self._raw(text[found[1] :]) if found else self._raw(text)
        clean = gap(text) if index else opening(text)
        return clean.json if clean else self._raw(text)

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
        ours, theirs = self._ends
        piece = bisect_right(ours, count) - 1
        return theirs[piece] + (count - ours[piece] if self._is_kept(piece) else 0)

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
