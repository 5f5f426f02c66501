"""Reading in strides: a container whose text is read alike whatever stands around is passed over at once.

Its data come from a JSON parser; its parts, fixes and spans are read token by token, by the same reader, when somebody
asks for them. What is passed over is no more than a matter of speed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from typedllm.reading import plain
from typedllm.reading.cursor import Cursor
from typedllm.reading.fits import fits
from typedllm.reading.nodes import Node, Whole
from typedllm.reading.shape import Shape
from typedllm.reading.stretch import Stretch
from typedllm.records import MISSING
from typedllm.schema.walk import is_object

_WORTH: Final = 200
_CONTAINERS: Final = frozenset({dict, list})


class StrideReader(Cursor):
    """Passes over containers that are plain as a whole."""

    _stretch: Stretch | None = None
    _rest = 0  # where stretches are tried again
    _pause = _WORTH  # how far away that is, after a stretch of no use

    def _at_once(self) -> int:
        """Reads the container that begins here, if that can be: 0; else the length of those worth trying inside it."""
        at = self.base + self.pos
        longest = self.stack[-1].tried if self.stack else sys.maxsize
        if self._stretch is None or at >= self._stretch.end:
            room = self.bounds.depth - len(self.stack)
            if at < self._rest or room < 1 or len(self.buf) - self.pos < _WORTH or self._loose:
                return longest
            self._stretch = Stretch(self.buf, self.pos, self.base, self.eof, self._closers(), room)
            self._rest, self._pause = self._stretch.end + self._pause, self._pause * 2
        part = self._stretch.part(at)
        if part is None or part.end - at > longest:
            return longest
        shape = self._guide()
        data = self._data(part.json, shape) if part.is_within(self.bounds, self.counted) else MISSING
        if data is MISSING:
            return max(1, (part.end - at) // 2)
        self._rest, self._pause = 0, _WORTH
        text = self.buf[self.pos : part.end - self.base]
        read = partial(self._read, text, shape, at, self._closers())
        self.pos = part.end - self.base
        self.noted += len(part.kinds)
        self.counted += part.fixes
        self._add(Whole(data, part.json, at, part.end, part.kinds, shape, read))
        self._state = self._after
        self.done = self.done or not self.stack
        return 0

    def _data(self, text: str, shape: Shape) -> Any:
        """The data of a container, if they stand as they are; else `MISSING`."""
        try:
            data = plain.parse(text.encode())
        except ValueError:
            return MISSING
        if not fits(data, shape):
            return MISSING
        parts = len(text) // 2
        if self.parts + parts > self.bounds.parts:
            self._count()
            parts = _parts(data)
        else:
            self._uncounted.append((parts, data))
        if self.parts + parts > self.bounds.parts:
            return MISSING
        self.parts += parts
        return data

    def _count(self) -> None:
        """Counts the parts of what was read at once, of which `parts` has the most that there could be."""
        for most, data in self._uncounted:
            self.parts += _parts(data) - most
        self._uncounted = []

    def _read(self, text: str, shape: Shape, at: int, around: str) -> Node:
        """The same container part by part."""
        reader = type(self)(shape, at, self.bounds, self.strict, around, at_once=False)
        reader.eof = True
        reader.feed(text)
        return reader.root or Node("hole", None, at, at)


def _parts(data: Any) -> int:
    """How many keys and items there are below."""
    count, containers = 0, [data]
    while containers:
        container = containers.pop()
        count += len(container)
        values: Iterable[Any] = container.values() if is_object(container) else container
        containers += [value for value in values if type(value) in _CONTAINERS]
    return count
