"""Guards the bounds of one reply as it comes: how long it is, how long it takes, and whether it says the same again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from typedllm.errors import BudgetError, ModelError
from typedllm.options import Settings

_END: Final = 64  # characters at the end that must have stood before, if what came repeats
_TIMES: Final = 4  # how often a text must have come in full to be the same again and again


class Guard:
    """Counts what comes, and cuts it at a bound.

    Args:
        settings: the bounds in characters.
        timeout: seconds in which the reply must have come.
        clock: seconds on a clock that never goes back.

    Attributes:
        length: characters so far.
        first: seconds until the first of them; None: nothing came.
    """

    def __init__(self, settings: Settings, timeout: float | None, clock: Callable[[], float]) -> None:
        self.length = 0
        self.first: float | None = None
        self._most = settings.max_chars
        self._repeats = settings.max_repeats
        self._clock = clock
        self._began = clock()
        self._end = float("inf") if timeout is None else self._began + timeout
        self._recent: list[str] = []
        self._looked = 0  # at how many of the characters

    @property
    def seconds(self) -> float:
        """Seconds since the request."""
        return self._clock() - self._began

    def take(self, text: str) -> None:
        """Take note of the next piece.

        Raises:
            ModelError: it comes too late, or the same text comes again and again.
            BudgetError: the reply is too long.
        """
        now = self._clock()
        if self.first is None:
            self.first = now - self._began
        self.length += len(text)
        if now > self._end:
            raise ModelError("the stream was cut: it did not end in time (raise timeout=)", code="timeout")
        if self.length > self._most:
            raise BudgetError(
                f"the stream was cut: it is longer than {self._most} characters (raise max_chars=)",
                bound="max_chars",
            )
        if self._repeats is not None:
            self._recent.append(text)
            if self.length - self._looked >= self._repeats:
                self._repeated(self._repeats)

    def _repeated(self, repeats: int) -> None:
        recent = "".join(self._recent)[-repeats:]
        self._recent, self._looked = [], self.length
        if _repeats(recent):
            raise ModelError(
                f"the stream was cut: the same text came again and again for {repeats} characters (ask another "
                "way, or allow it with max_repeats=None)",
                code="looping",
            )


def _repeats(text: str) -> bool:
    """Whether it is one text again and again."""
    end = text[-max(1, min(_END, len(text) // _TIMES)) :]
    at = len(text) - len(end)
    while (at := text.rfind(end, 0, at + len(end) - 1)) >= 0:
        period = len(text) - len(end) - at
        if period * _TIMES > len(text):
            return False
        if text[:-period] == text[period:]:
            return True
    return False
