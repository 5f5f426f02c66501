"""Server-sent events, read from bytes as they come."""

from __future__ import annotations

import codecs


class EventDecoder:
    """Bytes in, the data of each event out; linear in what comes, however it is cut."""

    def __init__(self) -> None:
        self._unread: list[bytes] = []
        self._data: list[bytes] = []
        self._begun = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that this piece completes."""
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r", 0, -1)) + 1  # a CR at the very end may be half of a CRLF
        if not end:
            self._unread.append(piece)
            return []
        lines = b"".join((*self._unread, piece[:end])).splitlines()
        self._unread = [piece[end:]] if end < len(piece) else []
        return self._events(lines)

    def close(self) -> list[bytes]:
        """The last event, when the blank line behind it is missing."""
        lines, self._unread = b"".join(self._unread).splitlines(), []
        return self._events([*lines, b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        for line in lines:
            if not self._begun:
                self._begun, line = True, line.removeprefix(codecs.BOM_UTF8)
            if line.startswith(b"data:"):
                data = line[6:] if line.startswith(b"data: ") else line[5:]
                if self._data and self._data[-1].endswith(b"}") and data[:1] in (b"{", b"["):
                    events.append(self._taken())  # no JSON goes on so: the blank line between two events is missing
                self._data.append(data)
            elif not line and self._data:
                events.append(self._taken())
        return events

    def _taken(self) -> bytes:
        lines, self._data = self._data, []
        return lines[0] if len(lines) == 1 else b"\n".join(lines)
