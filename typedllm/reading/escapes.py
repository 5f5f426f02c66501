"""What the escapes of a string mean."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from typedllm.reading.fixes import Note

CONTROL_OR_LETTER: Final = re.compile(r"[\b\f]|[\n\r\t][A-Za-z]")
_ESCAPED: Final[Mapping[str, str]] = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip

_FOREIGN: Final[Mapping[str, str]] = {"'": "'", "`": "`", "“": "“", "”": "”", "0": "\0", "\n": ""}
_UNICODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_BYTE: Final = re.compile(r"\\x([0-9a-fA-F]{2})")
_OCTAL: Final = re.compile(r"\\[0-7]{2,3}(?![0-9])")
_SHORT: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3}|x[0-9a-fA-F])(?![0-9A-Za-z_])")
_BRACED: Final = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}")
_LONG: Final = re.compile(r"\\U([0-9a-fA-F]{8})")
ESCAPE: Final = 12
"""Characters of the longest escape: a surrogate pair."""


class Escape(NamedTuple):
    """One escape: what it stands for, how long it is, and the name of the fix, if it is not JSON."""

    text: str
    length: int
    fix: str = ""


def escape(text: str, at: int) -> Escape:
    """Reads the escape at a backslash; the text must hold `ESCAPE` characters from there, or end."""
    sign = text[at + 1 : at + 2]
    if sign in _ESCAPED and sign:
        return Escape(_ESCAPED[sign], 2)
    found = _UNICODE.match(text, at)
    if found:
        return _character(text, int(found[1], 16), found.end(), at)
    for pattern in (_BYTE, _BRACED, _LONG):
        found = pattern.match(text, at)
        if found and int(found[1], 16) <= 0x10FFFF:
            return Escape(chr(int(found[1], 16)), found.end() - at, "escape_style")
    found = _OCTAL.match(text, at)
    if found:
        return Escape(found[0], len(found[0]), "unclear_escape")
    if sign in _FOREIGN and sign:
        return Escape(_FOREIGN[sign], 2, "escape_style")
    found = _SHORT.match(text, at)
    if found:
        return Escape(found[0], len(found[0]), "unclear_escape")
    return Escape("\\", 1, "invalid_escape")


def unescaped(text: str, start: int) -> tuple[str, list[Note]]:
    """A text without its escapes, and what is odd about them; `start` is where it stands in the reply."""
    parts, notes, at = list[str](), list[Note](), 0
    while (sign := text.find("\\", at)) >= 0:
        read = escape(text, sign)
        parts += text[at:sign], read.text
        at = sign + read.length
        if read.fix:
            shown = json.dumps(read.text, ensure_ascii=False)[1:-1]
            fault = read.fix == "unclear_escape"
            notes.append(Note(read.fix, start + sign, start + at, "" if fault else shown, fault))
    said = "".join([*parts, text[at:]])
    if any(note.kind == "invalid_escape" for note in notes) and CONTROL_OR_LETTER.search(said):
        notes.append(Note("unclear_escape", start, start + len(text), "", True))
    return said, notes


def _character(text: str, code: int, end: int, at: int) -> Escape:
    if not 0xD800 <= code <= 0xDFFF:
        return Escape(chr(code), end - at)
    low = _UNICODE.match(text, end)
    if code < 0xDC00 and low and 0xDC00 <= int(low[1], 16) <= 0xDFFF:
        return Escape(chr(0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00), 12)
    return Escape("\ufffd", end - at, "surrogate")
