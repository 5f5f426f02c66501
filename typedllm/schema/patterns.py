"""The regular expressions of JSON Schema (ECMA-262), run so that no pattern can hang the process.

A pattern is translated to the linear-time engine that pydantic brings along (Rust's `regex`). What that engine has
no notion of, lookaround and back-references, is taken apart where this is exact (`^(?=.*\\d)(?!x).{8,}$` is three
searches), or else run by Python's `re` on strings that are short enough for the worst case of the pattern, a bound
computed from its structure. A pattern whose worst case is exponential there (`^(?!x)(a+)+\\1$`) is refused.

Source of the dialect: ECMA-262 (2024), section 22.2, with the `u` flag; letters that are no escape are errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Final, NamedTuple

from pydantic_core import SchemaError as _CoreSchemaError
from pydantic_core import SchemaValidator, core_schema

from typedllm.schema.characters import LINE_ENDS, SETS, SURROGATES, Ranges, character, character_class, complement

BUDGET: Final = 10_000_000
"""Most backtracking steps that one search by Python's `re` may need (about a third of a second)."""

MAX_GROUPS: Final = 50
"""Deepest nesting of groups."""

_LONGEST: Final = 1 << 16
_SHORTEST: Final = 16

_CONTROLS: Final = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D}
_CODE: Final = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|c([A-Za-z])|(0)(?!\d)")
_LOW_SURROGATE: Final = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_QUANTIFIER: Final = re.compile(r"(?:([*+?])|\{(\d{1,9})(?:(,)(\d{0,9}))?\})\??")
_GROUP: Final = re.compile(r"\?(?::|<([A-Za-z_]\w*)>|(<?[=!])|(i):)")
_BACK: Final = re.compile(r"k<([A-Za-z_]\w*)>|([1-9]\d?)")
_PROPERTY: Final = re.compile(r"[pP]\{[A-Za-z_]+(?:=[A-Za-z0-9_]+)?\}")


# What differs between the two engines; `_python` rewrites these, which no other translation can produce.
_END: Final = r"\z"
_EDGE: Final = r"(?-u:\b)"
_INSIDE: Final = r"(?-u:\B)"


class PatternError(ValueError):
    """The pattern is not ECMA-262, or cannot be run within a bound."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    Attributes:
        source: as written.
        limit: longest text, in characters, that is searched; None: any length, in linear time.
    """

    source: str
    limit: int | None
    _tests: tuple[tuple[Callable[[str], bool], bool], ...]

    def search(self, text: str) -> bool | None:
        """Whether the pattern is found anywhere in the text; None when the text is longer than `limit`."""
        if self.limit is not None and len(text) > self.limit:
            return None
        return all(test(text) is wanted for test, wanted in self._tests)


@lru_cache(maxsize=1024)
def compile_pattern(source: str) -> Pattern:
    """The pattern, ready to search.

    Args:
        source: a regular expression of ECMA-262.

    Raises:
        PatternError: it is malformed, or could take exponential time and cannot be rewritten.
    """
    if (tests := _Parser(source).split()) is not None:
        return Pattern(source, None, tests)
    parser = _Parser(source)
    text = parser.whole()
    if not parser.backtracks and (test := _linear(text)) is not None:
        return Pattern(source, None, ((test, True),))
    if parser.properties:
        raise PatternError("mixes \\p{...} with what only a backtracking engine can run")
    limit = parser.cost.limit()
    if limit is None:
        raise PatternError(
            "could take exponential time (it repeats a group of variable length beside a lookaround or a "
            "back-reference, or is too large to compile): rewrite it without, or say the rule in the description"
        )
    found = _python(text)
    return Pattern(source, limit, ((found, True),))


def explodes(source: str) -> bool:
    """Whether a backtracking engine such as Python's `re` may need exponential time for this pattern."""
    parser = _Parser(source)
    parser.whole()
    return parser.cost.limit() is None


def _linear(text: str) -> Callable[[str], bool] | None:
    try:
        validator = SchemaValidator(core_schema.str_schema(pattern=text, regex_engine="rust-regex", strict=True))
    except _CoreSchemaError as error:
        if "size limit" in str(error):
            return None
        raise PatternError(f"is malformed: {str(error).splitlines()[-1]}") from None

    def test(value: str) -> bool:
        return validator.isinstance_python(_LONE.sub("\ufffd", value))

    return test


_LONE: Final = re.compile("[\ud800-\udfff]")


def _python(text: str) -> Callable[[str], bool]:
    try:
        text = text.replace(_END, r"\Z").replace(_EDGE, r"\b").replace(_INSIDE, r"\B")
        compiled = re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"is malformed: {error}") from None
    return lambda value: compiled.search(value) is not None


class _Cost:
    """What bounds the steps of a backtracking search: how far each quantifier may vary."""

    def __init__(self) -> None:
        self.spans: list[int] = []
        self.explosive = False
        self.anchored = False

    def limit(self) -> int | None:
        """Longest text whose search stays within the budget; None when there is none worth having."""
        length = _LONGEST
        while length >= _SHORTEST and not self.explosive:
            starts = 1 if self.anchored else length
            if starts * prod(min(span, length) for span in self.spans) <= BUDGET:
                return length
            length //= 2
        return None


class _Part(NamedTuple):
    text: str
    varies: bool = False
    arms: int = 1


class _Parser:
    """Reads a pattern of ECMA-262 and writes it in the common subset of Rust's `regex` and Python's `re`."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.depth = 0
        self.backtracks = False
        self.properties = False
        self.cost = _Cost()

    def whole(self) -> str:
        """The whole pattern, lookarounds in their places."""
        # `(?i)` in front is no ECMA-262, but authors write it, and it has one meaning only.
        flags = "(?i)" if self.source.startswith("(?i)") else ""
        self.at = len(flags)
        part = self._alternatives()
        self._end()
        self.cost.anchored = part.arms == 1 and self.source.startswith("^", len(flags))
        return flags + part.text

    def split(self) -> tuple[tuple[Callable[[str], bool], bool], ...] | None:
        """`^`, lookaheads and the rest as searches with the outcome wanted; None where that is not exact."""
        if not self.source.startswith(("^(?=", "^(?!")):
            return None
        self.at = 1
        searches: list[tuple[str, bool]] = []
        while self.source.startswith(("(?=", "(?!"), self.at):
            wanted = self.source[self.at + 2] == "="
            self.at += 3
            searches.append((f"^(?:{self._alternatives().text})", wanted))
            self._expect(")")
            if _QUANTIFIER.match(self.source, self.at):
                return None
        rest = self._alternatives()
        if self.backtracks or rest.arms > 1:
            return None
        self._end()
        tests = [(_linear(text), wanted) for text, wanted in [*searches, (f"^{rest.text}", True)]]
        found = tuple((test, wanted) for test, wanted in tests if test is not None)
        return found if len(found) == len(tests) else None

    def _end(self) -> None:
        if self.at < len(self.source):
            raise PatternError(f"has an unmatched ) at {self.at}")

    def _expect(self, closing: str) -> None:
        if not self.source.startswith(closing, self.at):
            raise PatternError(f"lacks a {closing}")
        self.at += len(closing)

    def _alternatives(self) -> _Part:
        arms = [self._sequence()]
        while self.source.startswith("|", self.at):
            self.at += 1
            arms.append(self._sequence())
        if len(arms) > 1:
            self.cost.spans.append(len(arms))
        return _Part("|".join(arm.text for arm in arms), len(arms) > 1 or arms[0].varies, len(arms))

    def _sequence(self) -> _Part:
        parts: list[_Part] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            parts.append(self._quantified(self._atom()))
        return _Part("".join(part.text for part in parts), any(part.varies for part in parts))

    def _quantified(self, atom: _Part) -> _Part:
        found = _QUANTIFIER.match(self.source, self.at)
        if found is None:
            return atom
        if atom.text in ("^", _END, _EDGE, _INSIDE):
            raise PatternError(f"has nothing to repeat at {self.at}")
        self.at = found.end()
        sign, low, comma, high = found.groups()
        least = int(low) if low else int(sign == "+")
        most = (1 if sign == "?" else _LONGEST) if sign else least if not comma else int(high) if high else _LONGEST
        if most < least:
            raise PatternError(f"has a range out of order at {found.start()}")
        if atom.varies and most > 1:
            self.cost.explosive = True
        if most != least:
            self.cost.spans.append(most - least + 1)
        return _Part(atom.text + found.group(), atom.varies or most != least)

    def _atom(self) -> _Part:
        sign = self.source[self.at]
        if sign in "*+?":
            raise PatternError(f"has nothing to repeat at {self.at}")
        self.at += 1
        match sign:
            case "(":
                return self._group()
            case "[":
                return _Part(self._class())
            case "\\":
                return _Part(self._escape())
            case "^":
                return _Part("^")
            case "$":
                return _Part(_END)
            case ".":
                return _Part(character_class(LINE_ENDS, negated=True))
            case _:
                return _Part(character(ord(sign)))

    def _group(self) -> _Part:
        self.depth += 1
        if self.depth > MAX_GROUPS:
            raise PatternError(f"nests more than {MAX_GROUPS} groups")
        opening = "("
        look = ""
        if self.source.startswith("?", self.at):
            found = _GROUP.match(self.source, self.at)
            if found is None:
                raise PatternError(f"has an unknown group at {self.at - 1}")
            self.at = found.end()
            name, look, flags = found.groups(default="")
            opening = f"(?P<{name}>" if name else f"(?{look or flags + ':'}"
            self.backtracks = self.backtracks or bool(look)
        inner = self._alternatives()
        self._expect(")")
        self.depth -= 1
        return _Part(f"{opening}{inner.text})", inner.varies)

    def _escape(self) -> str:
        if found := _BACK.match(self.source, self.at):
            self.at = found.end()
            self.backtracks = True
            # Matching what a group took costs up to that length again, at each place that it is tried.
            self.cost.spans.append(_LONGEST)
            return f"(?P={found[1]})" if found[1] else f"\\{found[2]}"
        if self.source.startswith(("b", "B"), self.at):
            self.at += 1
            return _EDGE if self.source[self.at - 1] == "b" else _INSIDE
        if self.source.startswith(("A", "Z", "z"), self.at):
            # No ECMA-262 either, and of one meaning as well.
            self.at += 1
            return "^" if self.source[self.at - 1] == "A" else _END
        value = self._escaped()
        return value if isinstance(value, str) else character_class(value)

    def _escaped(self) -> Ranges | str:
        """The characters of an escape that stands for characters, or a Unicode property as it is written."""
        sign = self.source[self.at : self.at + 1]
        if found := _PROPERTY.match(self.source, self.at):
            self.at = found.end()
            self.properties = True
            return f"\\{found.group()}"
        if found := _CODE.match(self.source, self.at):
            self.at = found.end()
            return self._code(found)
        self.at += 1
        if sign in _CONTROLS:
            return ((_CONTROLS[sign], _CONTROLS[sign]),)
        if sign.lower() in SETS:
            return SETS[sign] if sign in SETS else complement(SETS[sign.lower()])
        if not sign or sign.isalnum():
            raise PatternError(f"has an escape that ECMA-262 does not know: \\{sign}")
        return ((ord(sign), ord(sign)),)

    def _code(self, found: re.Match[str]) -> Ranges:
        byte, unit, point, control, _ = found.groups()
        if control:
            code = ord(control) % 32
        else:
            code = int(byte or unit or point or "0", 16)
        low = _LOW_SURROGATE.match(self.source, self.at)
        if unit and 0xD800 <= code <= 0xDBFF and low:
            self.at = low.end()
            code = 0x10000 + ((code - 0xD800) << 10) + (int(low[1], 16) - 0xDC00)
        if code > 0x10FFFF or SURROGATES[0] <= code <= SURROGATES[1]:
            raise PatternError(f"names no character: \\{found.group()}")
        return ((code, code),)

    def _class(self) -> str:
        negated = self.source.startswith("^", self.at)
        self.at += negated
        ranges: list[tuple[int, int]] = []
        properties: list[str] = []
        while not self.source.startswith("]", self.at):
            first = self._member()
            if isinstance(first, str):
                properties.append(first)
                continue
            if self.source.startswith("-", self.at) and not self.source.startswith("-]", self.at):
                self.at += 1
                last = self._member()
                # Beside a set the hyphen is itself, as in `[\w-.]`.
                properties += [last] if isinstance(last, str) else []
                first = self._range(first, () if isinstance(last, str) else last)
            ranges += first
        self.at += 1
        return character_class(ranges, "".join(properties), negated=negated)

    def _member(self) -> Ranges | str:
        if self.at >= len(self.source):
            raise PatternError("lacks a ]")
        sign = self.source[self.at]
        self.at += 1
        if sign != "\\":
            return ((ord(sign), ord(sign)),)
        if self.source.startswith("b", self.at):
            self.at += 1
            return ((0x08, 0x08),)
        return self._escaped()

    def _range(self, first: Ranges, last: Ranges) -> Ranges:
        if any(len(side) != 1 or side[0][0] != side[0][1] for side in (first, last)):
            return (*first, (0x2D, 0x2D), *last)
        if first[0][0] > last[0][0]:
            raise PatternError(f"has a range out of order before {self.at}")
        return ((first[0][0], last[0][1]),)
