"""A reply in pieces, read when it is complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from typedllm.reading.bounds import DEFAULT
from typedllm.records import FinishReason, Result

T = TypeVar("T")


class ReplyReader(Generic[T]):
    """Reads a reply that comes in pieces; made by `Schema.reader`. The outcome is that of `Schema.read` on the whole.

    What is shown of a reply while it comes is for `Client.stream`.
    """

    def __init__(self, read: Callable[[str, FinishReason | None], Result[T]]) -> None:
        self._read = read
        self._pieces: list[str] = []
        self._room = DEFAULT.chars  # characters that are kept yet: a reply that is longer is not read

    @property
    def text(self) -> str:
        """The reply so far."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def feed(self, text: str) -> None:
        """Takes the next piece of the reply, of any size."""
        if self._room >= 0:
            self._room -= len(text)
            self._pieces.append(text)

    def close(self, finish_reason: FinishReason | None = None) -> Result[T]:
        """Ends the reply.

        Args:
            finish_reason: why the model stopped, when known.

        Returns:
            The value, or the issues.
        """
        return self._read(self.text, finish_reason)
