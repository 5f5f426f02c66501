"""A whole container as JSON, in few steps for all of it: what a stretch makes of it, without a look at each part.

It is cut at its quotes. Where all strings are plain and all runs between them are clean (see `gaps`), or stand inside a
string that goes on behind its quotes, it is what a stretch would make of it; else it is left to that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import accumulate, compress
from typing import Final, NamedTuple

from typedllm.reading.bounds import Bounds
from typedllm.reading.gaps import Gap, alike, beginning, ending, filled, run
from typedllm.reading.stretch import CLOSING, Part, Stretch, odd_string, reduced
from typedllm.reading.strings import Place
from typedllm.reading.windows import IS_KEY

_PAIR: Final = "\x7f\x7f"  # in the place of two backslashes, while strings are cut
_ESCAPED: Final = "\x80\x80"  # in the place of a quote that is escaped
_HELD: Final = "\0\x7f\x80"
_INNER: Final = "\x7f"  # in the place of a run that stands inside a string
_ODD_ESCAPE: Final = re.compile(r"\\(?![/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})")
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_CLASSES: Final = bytes(each if each in b"01." else 49 if each in b"23456789" else 32 for each in range(256))
_NO_BRACKETS: Final = bytes(each for each in range(256) if each not in b"{}[]")
_BLOCK: Final = 512  # runs whose fixes are held against the bound at once
_FEW: Final = 64


def swept(text: str, start: int, end: int, bounds: Bounds) -> Part | None:
    """The container at a place of a reply, if all of it is plain; None where it takes a closer look to tell.

    Args:
        text: the whole reply.
        start: where the container begins.
        end: where it ends.
        bounds: what it may hold.
    """
    cut = _cut(text[start:end])
    if cut is None:
        return None
    first, last = beginning(cut.parts[0]), ending(cut.parts[-1], text, end)
    if first is None or last is None:
        return None
    sweep = _Sweep(text, start, cut, first, last)
    if not sweep.is_clean(bounds.depth):
        return None
    growth = sweep.growth() if sweep.count > bounds.fixes else ()
    places = partial(_places, text, start, bounds)
    return Part(end, sweep.json(), sweep.count, frozenset(sweep.kinds), places, growth)


class _Cut(NamedTuple):
    """A text, cut at its quotes.

    Attributes:
        parts: runs and strings by turns, beginning and ending with a run.
        quote: the quote.
        has_escapes: whether signs may stand for what is escaped in it.
    """

    parts: list[str]
    quote: str
    has_escapes: bool


def _cut(text: str) -> _Cut | None:
    """None where a string is not plain, or a number begins with a zero that it may not begin with."""
    quote = '"' if '"' in text else "'"
    if any(sign in text for sign in _HELD):
        return None
    has_escapes = "\\" in text
    if has_escapes and quote == "'" and "\\u" in text:
        return None
    if has_escapes:
        text = text.replace("\\\\", _PAIR).replace(f"\\{quote}", _ESCAPED)
        if _ODD_ESCAPE.search(text):
            return None
    parts = text.split(quote)
    if len(parts) < 3 or len(parts) % 2 == 0:
        return None
    outside = " ".join(parts[::2]).encode(errors="replace").translate(_CLASSES)
    if b" 00" in outside or b" 01" in outside:
        return None
    inside = "".join(parts[1::2])
    return None if not inside.isprintable() and _CONTROL.search(inside) else _Cut(parts, quote, has_escapes)


class _Sweep:
    """A container that was cut, with its first run and its last.

    Attributes:
        count: how many fixes it holds that count.
        kinds: the kinds of all.
    """

    def __init__(self, text: str, start: int, cut: _Cut, first: Gap, last: Gap) -> None:
        self._text = text
        self._start = start
        self._parts, self._quote, self._has_escapes = cut
        self._first = first
        self._last = last
        self._shapes = alike("\0".join(self._parts[2:-1:2])).split("\0") if len(self._parts) > 3 else []
        self._known: dict[str, Gap] = {}
        self._inner: list[int] = []  # the parts behind which a quote of a string stands
        self.count = first.counted + last.counted
        self.kinds = {*first.fixes, *last.fixes}

    def is_clean(self, depth: int) -> bool:
        """Whether all of it can be told; `depth` is how deep containers may nest."""
        odd, most = set[str](), _FEW + len(self._shapes) // 8
        for each in set(self._shapes):
            found = run(each)
            if found is not None:
                self._known[each] = found
            elif len(odd) < most and self._quote == '"':
                odd.add(each)
            else:
                return False
        if odd and not self._join(odd):
            return False
        self._number()
        return self._has_keys() and self._nests(depth)

    def _number(self) -> None:
        """Counts the fixes."""
        self._mends = {each: found for each, found in self._known.items() if found.fixes}
        if self._mends:
            counts = Counter(self._shapes)
            self.count += sum(counts[each] * found.counted for each, found in self._mends.items())
            self.kinds.update(*(found.fixes for each, found in self._mends.items() if counts[each]))
        if self._quote == "'":
            escaped = self._has_escapes and any(_ESCAPED in each for each in self._parts[1::2])
            self.kinds.update(["quote_style"], ["escape_style"] * escaped)

    def _has_keys(self) -> bool:
        """Whether what stands before a colon is a plain key."""
        before = {each for each, found in self._known.items() if found.after_key}
        keys = set(compress(self._parts[1:-2:2], map(before.__contains__, self._shapes)))
        if self._last.after_key:
            keys.add(self._parts[-2])
        return all(IS_KEY(f'"{each}"') and _PAIR not in each and _ESCAPED not in each for each in keys)

    def _nests(self, depth: int) -> bool:
        """Whether the brackets are right, and the last one is the first that closes the container."""
        runs = "".join(self._shapes).encode(errors="replace").translate(None, _NO_BRACKETS).decode()
        brackets = self._first.brackets + runs + self._last.brackets
        if brackets[0] + brackets[-1] not in ("{}", "[]"):
            return False
        left, passes = brackets[1:-1], 1
        while left and 2 * passes < depth:  # each pass takes away one or two levels
            left, length = left.replace("{}", "").replace("[]", ""), len(left)
            passes += 1
            if len(left) == length:
                return False
        return not left and 2 * passes <= depth

    # ---- strings with quotes inside ----

    def _join(self, odd: set[str]) -> bool:
        """Joins the strings that go on behind their quotes; False when that is unclear."""
        shapes, known, start = self._shapes, self._known, self._start
        brackets = {each: found.brackets for each, found in known.items()}
        known[_INNER] = Gap("", (), False, False, "", (), 0)
        ends = [*accumulate(map(len, self._parts))]
        around, done = _Around(self._first.brackets), 0
        for index in [index for index, each in enumerate(shapes) if each in odd]:
            if index < done:
                continue
            around.add("".join(map(brackets.__getitem__, shapes[done:index])))
            before = known[shapes[index - 1]] if index else self._first
            if around.place == "member" and not before.json.rstrip().endswith(":"):
                return False
            behind = index + 1
            while behind < len(shapes) and shapes[behind] in odd:
                behind += 1
            begin, gap = start + ends[2 * index] + 2 * index, start + ends[2 * behind + 1] + 2 * behind + 2
            found = odd_string(self._text, begin, around.place, True, around.closers, gap)
            count = len(found[2]) if found else 0
            done = index + count // 2
            if found is None or count % 2 or found[0] != start + ends[2 * done + 1] + 2 * done + 2:
                return False
            after = known.get(shapes[done]) if done < len(shapes) else self._last
            if after is None or after.after_key:
                return False
            shapes[index:done] = [_INNER] * (done - index)
            self._inner += range(2 * index + 1, 2 * done + 1)
        self.count += len(self._inner)
        self.kinds.add("unescaped_quote")
        return True

    # ---- what came of it ----

    def json(self) -> str:
        """It as JSON."""
        parts = self._parts.copy()
        if self._mends:
            parts[2:-1:2] = filled(parts[2:-1:2], self._shapes, self._mends)
        for each in self._inner:
            parts[each] += "\\"
        parts[0], parts[-1] = self._first.json, self._last.json
        json = '"'.join(parts)
        if self._has_escapes:
            json = json.replace(_ESCAPED, '\\"' if self._quote == '"' else "'").replace(_PAIR, "\\\\")
        return json

    def growth(self) -> list[tuple[int, int]]:
        """Offsets, each with the number of fixes that count up to there or further on."""
        parts, shapes = self._parts, self._shapes
        numbers = {each: found.counted for each, found in self._known.items()}
        at, count, found = self._start, self._first.counted + self._last.counted, list[tuple[int, int]]()
        inner = Counter(each // (2 * _BLOCK) for each in self._inner)
        for block in range(0, len(shapes) + 1, _BLOCK):
            said = parts[2 * block : 2 * (block + _BLOCK)]
            count += inner[block // _BLOCK]
            count += sum(map(numbers.__getitem__, shapes[block : block + _BLOCK]))
            found.append((at, count))
            at += sum(map(len, said)) + len(said)
        return found


class _Around:
    """The containers around a place.

    Attributes:
        place: what a string is there.
        closers: the brackets that would close them, outermost first.
    """

    def __init__(self, brackets: str) -> None:
        self._open = ""
        self.place: Place = "root"
        self.closers = ""
        self._known: dict[tuple[str, str], tuple[str, str, Place]] = {}
        self.add(brackets)

    def add(self, brackets: str) -> None:
        """Goes on behind some brackets."""
        key = self._open, brackets
        if key not in self._known:
            open_ = reduced(self._open + brackets)
            place: Place = "item" if open_.endswith("[") else "member"
            self._known[key] = open_, open_.translate(CLOSING), place
        self._open, self.closers, self.place = self._known[key]


def _places(text: str, start: int, bounds: Bounds) -> Sequence[int]:
    """Where the fixes stand, which takes a look at each."""
    part = Stretch(text, start, 0, True, "", bounds.depth).part(start)
    return part.places() if part is not None else ()
