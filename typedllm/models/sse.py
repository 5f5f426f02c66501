"""Server-sent events, read from bytes as they come."""

from __future__ import annotations

from collections.abc import Iterator


class EventDecoder:
    """Bytes in, the data of each event out; linear in what comes, however it is cut."""

    def __init__(self) -> None:
        self._unread: list[bytes] = []
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The events that this piece completes."""
        end = piece.rfind(b"\n") + 1
        if not end:
            self._unread.append(piece)
            return
        lines = b"".join((*self._unread, piece[:end])).splitlines()
        self._unread = [piece[end:]] if end < len(piece) else []
        yield from self._events(lines)

    def close(self) -> Iterator[bytes]:
        """The last event, when the blank line behind it is missing."""
        lines, self._unread = b"".join(self._unread).splitlines(), []
        yield from self._events([*lines, b""])

    def _events(self, lines: list[bytes]) -> Iterator[bytes]:
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data = []
