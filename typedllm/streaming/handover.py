"""From the lane to the reader: who reads on where the text stops being plain JSON, and what was shown by then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typedllm.reading.bounds import Bounds
from typedllm.reading.nodes import Node
from typedllm.reading.reader import JsonReader
from typedllm.reading.shape import Shape
from typedllm.records import MISSING
from typedllm.streaming.lane import Lane
from typedllm.streaming.snapshots import Change, Open, Text


class LaneReader(JsonReader):
    """A reader that stays in the lane as long as it can, and goes on part by part, since somebody follows it.

    Attributes:
        lane: what it does as long as it is in there.
    """

    def __init__(self, shape: Shape, base: int, bounds: Bounds, lane: Lane) -> None:
        super().__init__(shape, base, bounds, at_once=False)
        self.lane: Lane | None = lane
        self._log: list[str] = []  # the text so far

    def feed(self, text: str) -> None:
        """Takes the next piece of the text."""
        if self.lane is None:
            super().feed(text)
            return
        self._log.append(text)
        if not self.lane.feed(text):
            self.leave()
        elif self.lane.root is not MISSING:
            self._end(self.lane)

    def close(self) -> None:
        """Ends the text."""
        if self.lane is not None and not self.done:
            if self.lane.end():
                self._end(self.lane)
            else:
                self.leave()
        if not self.done:
            super().close()

    def leave(self) -> None:
        """Read the text so far, and what will come, without the lane."""
        if self.lane is not None and not self.done:
            text, self._log = "".join(self._log), []
            self.lane = None
            super().feed(text)

    def _end(self, lane: Lane) -> None:
        start, size = self.base, sum(map(len, self._log))
        self._log = []
        self.buf, self.base = lane.rest, start + size - len(lane.rest)
        self.root = Node("object" if isinstance(lane.root, dict) else "array", [], start, self.base)
        self.done = True


def events_of(chain: Sequence[Open]) -> int:
    """How many parts began or ended in what is shown, the pieces of open texts not counted."""
    count = 0
    for part in chain:
        count += 1
        if not isinstance(part.parts, Text):
            left: list[Any] = list(part.parts.values() if isinstance(part.parts, dict) else part.parts)
            while left:
                data = left.pop()
                count += 2 if isinstance(data, str | list | dict) else 1
                if isinstance(data, list | dict):
                    left += data.values() if isinstance(data, dict) else data
    return count


def later(changes: Sequence[Change], events: int, length: int) -> list[Change] | None:
    """The changes after so many events and so many characters of the text that is open then; None: not so far."""
    for at, change in enumerate(changes):
        if change[0] != "grew":
            if not events:
                return list(changes[at:])
            events -= 1
        elif not events:
            kind, above, key, text = change
            if len(text) >= length:
                rest: list[Change] = [(kind, above, key, text[length:])] if text[length:] else []
                return rest + list(changes[at + 1 :])
            length -= len(text)
    return [] if not events and not length else None
