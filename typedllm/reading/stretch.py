"""Long stretches of a reply as JSON: what the reader makes of them token by token, at the speed of a JSON parser.

A stretch is cut into its strings and numbers and the gaps between them. Where each of these is read alike whatever
stands around (see `gaps`), the stretch is written anew as JSON. A container in it that is then valid JSON is what the
reader would have read, with as many fixes; so the reader passes over it as a whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain
from typing import Final, NamedTuple

from typedllm.reading.bounds import Bounds
from typedllm.reading.ends import verdict
from typedllm.reading.fixes import NOTATION
from typedllm.reading.gaps import LONGEST, Gap, gap, tail
from typedllm.reading.keys import QUOTED_KEY
from typedllm.reading.pairs import is_glued, is_odd
from typedllm.reading.strings import AHEAD, LINE_ENDS, Behind, Place, Verdict
from typedllm.reading.windows import INSIDE, IS_KEY, SINGLE_QUOTED, Window, escapes, in_double

_TO_QUOTE: Final = {
    quote: re.compile(rf"((?:[^{quote}\\\x00-\x1f]++|\\[\"\\/bfnrt])*+)([{quote}\n\t])") for quote in "\"'"
}
_SEAM: Final = re.compile(r"(?:[,\[\]{}():\n]|\\.|^[\"'])\s*\Z")
_WRITTEN: Final = {"\n": "\\n", "\t": "\\t", '"': '\\"', "'": "'"}
_PAIRS: Final = {"{": "}", "[": "]"}
_CLOSERS: Final = frozenset("}]")
CLOSING: Final = str.maketrans(_PAIRS)
STEPS: Final = {"{": 1, "[": 1, "}": -1, "]": -1}
_FIRST: Final = 512
_SMALL: Final = 48  # characters of a container that is as soon read part by part
_MOST_QUOTES: Final = 50
_BLOCK: Final = 256  # fixes that are held against the bound at once


class Part(NamedTuple):
    """A container that closes within a stretch.

    Attributes:
        end: offset after it, in the reply.
        json: it as JSON.
        fixes: how many fixes it holds that count (see `Bounds.fixes`).
        kinds: the kinds of all its fixes.
        places: gives where those stand that count.
        growth: offsets, each with the number of fixes up to there or further on.
    """

    end: int
    json: str
    fixes: int
    kinds: frozenset[str]
    places: Callable[[], Sequence[int]]
    growth: Sequence[tuple[int, int]] = ()

    def is_within(self, bounds: Bounds, before: int) -> bool:
        """Whether its fixes, with so many before it, are within the bound."""
        most = bounds.fixes - before
        if self.fixes <= most:
            return True
        if self.growth and all(count + _BLOCK <= most + (at >> 3) for at, count in self.growth):
            return True
        places = self.places()
        blocks = range(0, len(places), _BLOCK)
        return all(min(index + _BLOCK, len(places)) <= most + (places[index] >> 3) for index in blocks)


class Stretch:
    """The text from the beginning of a container on, as far as it is read alike whatever stands around.

    Args:
        buf: the text so far.
        at: where the container begins.
        base: offset of the text in the reply.
        ends: whether the reply ends with the text.
        closers: the brackets that would close the containers around, outermost first.
        room: how deep containers may nest in it.

    Attributes:
        end: offset after it, in the reply.
    """

    def __init__(self, buf: str, at: int, base: int, ends: bool, closers: str, room: int) -> None:
        self._buf = buf
        self._base = base
        self._ends = ends
        self._closers = closers
        self._room = room
        self._start = self._at = at  # where the next gap begins
        self._left = ""  # the string or number before it
        self._before = ""  # the gap before that, as JSON
        self._written: list[str] = []  # gaps, and what follows them, by turns
        self._out: list[str] = []  # the same as JSON
        self._special: dict[int, Gap] = {}  # the first gap and the last, where they are not read like others
        self._brackets: list[str] = []
        self._open = ""  # the brackets that are open, outermost first
        self._over = False  # whether the container is closed and none stands around it: what follows is none of it
        self._count = 0
        self._growth: list[tuple[int, int]] = []
        self._kinds: set[str] = set()
        self._odd: dict[str, list[int]] = {"unescaped_quote": [], "raw_control": []}
        size = _FIRST
        while size:
            size = self._grow(size)
        self._json = "".join(self._out)

    @property
    def end(self) -> int:
        """Offset after it, in the reply."""
        return self._base + self._at

    def part(self, at: int) -> Part | None:
        """The container that begins at an offset of the reply, if it closes within the stretch and is worth it."""
        if at == self._base + self._start and (whole := self._whole()) is not None:
            return whole
        found = self._index.closed.get(at)
        if found is None or found[0] - at < _SMALL:
            return None
        end, start, stop = found
        inside = self._index.inside(at, end)
        kinds = frozenset(filter(inside.get, inside))
        count = sum(len(places) for kind, places in inside.items() if kind not in NOTATION)
        return Part(end, self._json[start:stop], count, kinds, lambda: _merged(inside))

    def _whole(self) -> Part | None:
        """The container that the stretch begins with, where the last bracket of it is the one that closes it."""
        last = self._special.get(len(self._out) // 2)
        if self._open or last is None or not last.brackets:
            return None
        depths = list(accumulate(map(STEPS.__getitem__, "".join(self._brackets))))
        if depths.index(0) < len(depths) - 1:
            return None
        _, at, to = next(mark for mark in reversed(last.marks) if mark.what in _CLOSERS)
        start, end = self._base + self._start, self.end - len(self._written[-1]) + at
        json = self._json[: len(self._json) - len(last.json) + to]
        kinds = frozenset(self._kinds)
        return Part(end, json, self._count, kinds, lambda: _merged(self._index.inside(start, end)), self._growth)

    @cached_property
    def _index(self) -> _Index:
        """Where all its brackets and fixes stand."""
        index = _Index(self._base + self._start)
        gaps = [self._special.get(number) or gap(text) for number, text in enumerate(self._written[::2])]
        index.mark(gaps, self._written, self._out)
        index.requote(self._written)
        for kind, places in self._odd.items():
            index.fixes[kind] += [self._base + each for each in places]
        index.sort()
        return index

    # ---- window by window ----

    def _grow(self, size: int) -> int:
        """Takes in what is clean of the next characters; how many to look at next, 0 for none."""
        last = self._at + size >= len(self._buf)
        window = Window(self._buf[self._at : self._at + size], self._left, last, self._at == self._start)
        start, at, clean = self._at, 0, True
        while clean and not self._over:
            bad = window.gaps.index(None, at)
            clean = self._take(window, start, at, bad)
            if not clean or bad == window.count:
                break
            end = self._join() if bad > at or at == 0 else -1
            if end < 0:
                return self._stop(size, last, window.has_quote(bad), bad > 0)
            self._at, self._left = end, ""
            at = window.gap_at(end - start)
            if at < 0:
                return _FIRST
        if not clean or self._over:
            return 0
        if not last and window.count:
            return size * 2
        return self._stop(size, last, not last, False)

    def _stop(self, size: int, last: bool, cut: bool, further: bool) -> int:
        """The next gap is not clean; unless the end of the window has cut a string there, the stretch ends with it."""
        size = size if further else size * 2
        if cut and not last and size <= 2 * (self._at - self._start + _FIRST):
            return size
        ends = self._ends and self._at + LONGEST >= len(self._buf)
        found = tail(self._buf[self._at : self._at + LONGEST], ends, self._at == self._start)
        after_key = found is not None and found[0].after_key
        if found is not None and (not after_key or IS_KEY(self._left)) and self._nest(found[0].brackets):
            self._special[len(self._out) // 2] = found[0]
            self._count += found[0].counted
            self._growth.append((self.end, self._count))
            self._kinds.update(found[0].fixes)
            self._out.append(found[0].json)
            self._written.append(self._buf[self._at : self._at + found[1]])
            self._at += found[1]
        return 0

    def _take(self, window: Window, start: int, first: int, bad: int) -> bool:
        """Takes in the gaps from one to another, with what stands behind each; False at a bracket out of place."""
        if first == bad:
            return True
        if not self._nest(window.brackets(first, bad)):
            return False
        if not self._out and window.gaps[0] is not None:
            self._special[0] = window.gaps[0]
        count, kinds = window.fixes(first, bad)
        self._count += count
        self._growth.append((self._base + self._at, self._count))
        self._kinds |= kinds
        self._out += window.pieces[2 * first : 2 * bad]
        self._written += window.written[2 * first : 2 * bad]
        self._left = window.tokens[bad - 1]
        before = window.gaps[bad - 1]
        self._before = before.json if before else ""
        self._at = start + (window.length if bad == window.count else window.at[2 * bad])
        return True

    def _nest(self, brackets: str) -> bool:
        """Takes in the next brackets; False if one is out of place."""
        if not brackets:
            return True
        steps = [*map(STEPS.__getitem__, brackets)]
        depths = list(accumulate(steps, initial=len(self._open)))
        if min(depths) < 0:
            depths = list(accumulate(steps, _nested, initial=len(self._open)))
        if max(depths) > self._room:
            return False
        self._over = self._over or (not self._closers and 0 in depths[1:])
        left = reduced(self._open + brackets)
        if "{]" in left or "[}" in left:
            return False
        self._brackets.append(brackets)
        self._open = left.lstrip("}]")
        return True

    # ---- strings with quotes or line breaks inside ----

    def _join(self) -> int:
        """Reads the last string on, behind a quote that may not end it; its end in the text, -1 when that is unclear."""
        place = self._place()
        if not place or not self._left or self._left[0] not in "\"'":
            return -1
        begin = self._at - len(self._left)
        closers = self._closers + self._open.translate(CLOSING)
        found = odd_string(self._buf, begin, place, self._ends, closers)
        if found is None:
            return -1
        end, json, fixes = found
        self._out[-1] = json
        self._written[-1] = self._buf[begin:end]
        self._count += len(fixes)
        self._growth.append((self._base + begin, self._count))
        for each in fixes:
            kind = "unescaped_quote" if self._buf[each] in "\"'" else "raw_control"
            self._odd[kind].append(each)
            self._kinds.add(kind)
        return end

    def _place(self) -> Place | None:
        if not self._open:
            return None
        if self._open[-1] == "[":
            return "item"
        return "member" if self._before.rstrip().endswith(":") else None


class _Index:
    """Where the brackets and the fixes of a stretch stand.

    Args:
        start: offset of the stretch in the reply.

    Attributes:
        closed: the containers that close in it: from their beginning to their end, and where their JSON stands.
        fixes: where the fixes stand, by kind.
    """

    def __init__(self, start: int) -> None:
        self._start = start
        self.closed: dict[int, tuple[int, int, int]] = {}
        self.fixes: defaultdict[str, list[int]] = defaultdict(list)

    def mark(self, gaps: Sequence[Gap | None], written: Sequence[str], out: Sequence[str]) -> None:
        """Notes the brackets and fixes of gaps at their places in both texts."""
        open_, closed, fixes = list[tuple[int, int]](), self.closed, self.fixes
        at = list(accumulate(map(len, written), initial=self._start))[::2]
        to = list(accumulate(map(len, out), initial=0))[::2]
        for found, from_, into in zip(gaps, at, to, strict=False):
            for what, here, there in found.marks if found else ():
                if what in _PAIRS:
                    open_.append((from_ + here, into + there))
                elif what not in _CLOSERS:
                    fixes[what].append(from_ + here)
                elif open_:
                    begin, json = open_.pop()
                    closed[begin] = from_ + here, json, into + there

    def requote(self, written: Sequence[str]) -> None:
        """Notes the fixes of strings in single quotes."""
        at = list(accumulate(map(len, written), initial=self._start))
        for begin, token in zip(at[1::2], written[1::2], strict=False):
            if token[0] == "'" and SINGLE_QUOTED(token):
                self.fixes["quote_style"].append(begin)
                self.fixes["escape_style"] += [begin] * escapes(token)

    def sort(self) -> None:
        """Puts the fixes of each kind in order."""
        for places in self.fixes.values():
            places.sort()

    def inside(self, start: int, end: int) -> dict[str, list[int]]:
        """Where the fixes stand between two offsets, by kind."""
        return {
            kind: places[bisect_right(places, start) : bisect_left(places, end)] for kind, places in self.fixes.items()
        }


def reduced(brackets: str) -> str:
    """The brackets without those that close each other."""
    length = -1
    while len(brackets) != length:
        length = len(brackets)
        brackets = brackets.replace("{}", "").replace("[]", "")
    return brackets


def _nested(depth: int, step: int) -> int:
    return depth + step if depth + step > 0 else 0


def _merged(places: Mapping[str, Sequence[int]]) -> list[int]:
    return sorted(chain(*(each for kind, each in places.items() if kind not in NOTATION)))


def odd_string(
    buf: str, start: int, place: Place, ends: bool, closers: str, gap: int = -1
) -> tuple[int, str, list[int]] | None:
    """A string with quotes or line breaks inside: its end, its JSON, and where it was mended; None when unclear.

    Args:
        buf: the text so far.
        start: where the string begins.
        place: where it stands.
        ends: whether the reply ends with the text.
        closers: the brackets that would close the containers around, outermost first.
        gap: where a clean gap is known to begin, if the quote before it is none that pairs with another inside.
    """
    quote, at, inner = buf[start], start + 1, 0
    to_quote = _TO_QUOTE[quote].match
    out, fixes = ['"'], list[int]()
    while (found := to_quote(buf, at)) and inner <= _MOST_QUOTES:
        text, sign = found.groups()
        out.append(INSIDE.sub(in_double, text) if quote == "'" and '"' in text else text)
        at = found.end()
        if sign == quote:
            after = buf[at : at + 1]
            complete = ends or len(buf) - at >= AHEAD
            said: Verdict = "inner"  # as it always is before a letter
            if at == gap and inner % 2 == 0:
                said = "ends"
            elif not after.isalnum():
                said = verdict(Behind(buf[at : at + AHEAD], complete), place, inner, closers)
            if said == "ends" and inner % 2 and any(sign in buf[start:at] for sign in "{[("):
                return None  # what follows may be within a bracket of the text
            if said == "ends" and inner and is_odd(buf[start + 1 : at - 1].replace(f"\\{quote}", quote), quote):
                return None
            if said == "ends" and inner % 2 and place == "member" and buf[at : at + AHEAD].lstrip()[:1] == ",":
                return None  # only what is declared tells whether it is a key
            if said == "ends":
                out.append('"')
                return at, "".join(out), fixes
            if said != "inner" or not complete or after == quote or _is_seam(buf[max(start, at - 81) : at - 1]):
                return None
            if QUOTED_KEY.match(buf, at - 1) or is_glued(place, sign, buf[at - 2], after):
                return None
            if place == "item" and inner % 2 == 0 and LINE_ENDS.match(buf, at):
                return None  # a comma may be missing
            inner += 1
        out.append(_WRITTEN[sign])
        fixes.append(at - 1)
    return None


def _is_seam(before: str) -> bool:
    """Whether a sign of structure, an escape or the beginning of the string stands before a quote."""
    said = before.rstrip()
    if said[-1:].isalnum() and said[-2:-1] != "\\":
        return "\n" in before[len(said) :]
    return _SEAM.search(before) is not None
