"""Which of a reply's channels holds the answer: the message or a tool call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from typedllm.records import Request

Channel: TypeAlias = Literal["text", "tool"]


class Piece(NamedTuple):
    """Text of the answer, and the channel in which it stood."""

    text: str
    source: Channel


def expected(request: Request) -> Channel:
    """Where the answer is expected."""
    return "tool" if request.native is not None and request.native.mode == "tool" else "text"


class Answer:
    """The answer among what arrives in both channels.

    What arrives where it is expected is given out at once. The other channel is kept to the end, and is the answer
    only when the expected one stayed blank.
    """

    def __init__(self, channel: Channel) -> None:
        self._expected: Channel = channel
        self._other: Channel = "tool" if channel == "text" else "text"
        self._blank: list[str] = []
        self._kept: list[str] = []
        self._given = False
        self._call: object = None

    def add(self, channel: Channel, text: str) -> Piece | None:
        """Take the next text of a channel; what can be given out of it."""
        if channel != self._expected:
            self._kept.append(text)
            return None
        if not self._given and not text.strip():
            self._blank.append(text)
            return None
        lead, self._blank, self._given = "".join(self._blank), [], True
        return Piece(lead + text, channel) if text or lead else None

    def add_call(self, call: object, text: str) -> Piece | None:
        """Take the next text of a tool call; several calls stand on lines of their own.

        Args:
            call: what tells this call from another, such as its index.
            text: further text of its arguments.
        """
        lead = "\n" if self._call is not None and self._call != call and text else ""
        self._call = call
        return self.add("tool", lead + text)

    def end(self) -> Piece:
        """What remains to be given out, and where the answer stood."""
        kept = "".join(self._kept)
        if not self._given and kept.strip():
            return Piece(kept, self._other)
        blank = "".join(self._blank)
        if self._given or blank or self._expected == "text":
            return Piece(blank, self._expected)
        return Piece(kept, "text")


def whole(answer: Answer, pieces: Iterator[Piece | None]) -> Piece:
    """The answer, all at once."""
    texts = [piece.text for piece in pieces if piece]
    last = answer.end()
    return Piece("".join((*texts, last.text)), last.source)
