"""Which of a reply's channels holds the answer: the message or a tool call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from typedllm.records import Request

Channel: TypeAlias = Literal["text", "tool"]


class Piece(NamedTuple):
    """Text of the answer, and the channel in which it stood."""

    text: str
    source: Channel


def expected(request: Request) -> Channel:
    """Where the answer is expected."""
    return "tool" if request.native is not None and request.native.mode == "tool" else "text"


_SIGN: Final = re.compile(r'[{}\[\]"\\]')


class _Arguments:
    """The arguments of one tool call, as far as telling their end needs them."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False
        self._escaped = -1  # where in the next piece the character stands that a backslash precedes
        self.whole = False

    def add(self, text: str) -> None:
        """Take the next piece."""
        for found in _SIGN.finditer(text):
            sign, at = found[0], found.start()
            if self._in_text:
                if at == self._escaped:
                    continue
                if sign == "\\":
                    self._escaped = at + 1
                self._in_text = sign != '"'
            elif sign == '"':
                self._in_text = True
            elif sign != "\\":
                self._depth += 1 if sign in "{[" else -1
                self.whole = self._depth == 0
        self._escaped -= len(text)


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
        self._arguments = _Arguments()
        self._waiting: dict[object, list[str]] = {}  # further calls that began before this one ended

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
        """Take the next text of a tool call; several calls stand on lines of their own, also when they come interleaved.

        Args:
            call: what tells this call from another, such as its index.
            text: further text of its arguments.
        """
        if text and self._call is not None and call != self._call:
            if self._waiting or not self._arguments.whole:
                self._waiting.setdefault(call, []).append(text)
                return None
            self._arguments = _Arguments()
            self._call = call
            text = "\n" + text
        elif text:
            self._call = call
        self._arguments.add(text)
        return self.add("tool", text)

    def end(self) -> Piece:
        """What remains to be given out, and where the answer stood."""
        waited = "".join("\n" + "".join(texts) for texts in self._waiting.values())
        if waited and self._expected == "tool":
            return Piece("".join(self._blank) + waited, "tool")
        kept = "".join(self._kept) + waited
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
