"""Long stretches of a reply as JSON: what the reader makes of them token by token, at the speed of a JSON parser.

A stretch is cut into its strings and numbers and the gaps between them. Where each of these is read alike whatever
stands around (see `gaps`), the stretch is written anew as JSON. A container in it that is then valid JSON is what the
reader would have read, with as many fixes; so the reader passes over it as a whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, compress
from typing import Final, NamedTuple

from typedllm.reading.gaps import LONGEST, Gap, Mark, gap, opening, tail
from typedllm.reading.strings import AHEAD, OPENERS, QUOTED_KEY, Behind, Place, verdict

_DOUBLE: Final = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_SINGLE: Final = r"'[^'\\\x00-\x1f]*+(?:\\[\"'\\/bfnrt][^'\\\x00-\x1f]*+)*+'"
_NUMBER: Final = r"-?\b(?:0|[1-9][0-9]{0,60})(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,3})?(?![\w.])"
_TOKEN: Final = re.compile(rf"""((?=["'0-9-])(?:{_DOUBLE}|{_SINGLE}|{_NUMBER}))""")
_IS_KEY: Final = re.compile(rf"([\"'])[^{re.escape(OPENERS + '»')}\\\x00-\x1f]{{1,60}}\1").fullmatch
_COLON: Final = re.compile(r"[ \t\n\r]*:")
_TO_QUOTE: Final = {
    quote: re.compile(rf"((?:[^{quote}\\\x00-\x1f]++|\\[\"\\/bfnrt])*+)([{quote}\n\t])") for quote in "\"'"
}
_SEAM: Final = re.compile(r"(?:[,\[\]{}():\n]|\\.|^[\"'])\s*\Z")
_WRITTEN: Final = {"\n": "\\n", "\t": "\\t", '"': '\\"', "'": "'"}
_INSIDE: Final = re.compile(r"\\(.)|\"")
_PAIRS: Final = {"{": "}", "[": "]"}
_CLOSERS: Final = frozenset("}]")
_FIRST: Final = 512
_MOST_QUOTES: Final = 50


class Part(NamedTuple):
    """A container that closes within a stretch.

    Attributes:
        end: offset after it, in the reply.
        json: it as JSON.
        fixes: where the fixes inside it stand.
        kinds: the kinds of these.
    """

    end: int
    json: str
    fixes: Sequence[int]
    kinds: frozenset[str]


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
        self._before = ""  # the gap before that
        self._out: list[str] = []
        self._length = 0
        self._open: list[tuple[str, int, int]] = []
        self._closed: dict[int, tuple[int, int, int]] = {}
        self._fixes: defaultdict[str, list[int]] = defaultdict(list)
        size = _FIRST
        while size:
            size = self._grow(size)
        self.end = base + self._at
        self._json = "".join(self._out)
        for places in self._fixes.values():
            places.sort()

    def part(self, at: int) -> Part | None:
        """The container that begins at an offset of the reply, if it closes within the stretch."""
        found = self._closed.get(at)
        if found is None:
            return None
        end, start, stop = found
        inside = {
            kind: places[bisect_right(places, at) : bisect_left(places, end)] for kind, places in self._fixes.items()
        }
        return Part(end, self._json[start:stop], sorted(chain(*inside.values())), frozenset(filter(inside.get, inside)))

    # ---- window by window ----

    def _grow(self, size: int) -> int:
        """Takes in what is clean of the next characters; how many to look at next, 0 for none."""
        last = self._at + size >= len(self._buf)
        window = _Window(self._buf[self._at : self._at + size], self._left, last, self._at == self._start)
        start, at, clean = self._at, 0, True
        while clean:
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
        if not clean:
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
        if found is not None and self._mark([(found[0].marks, self._base + self._at, self._length)]):
            self._out.append(found[0].json)
            self._at += found[1]
        return 0

    def _take(self, window: _Window, start: int, first: int, bad: int) -> bool:
        """Takes in the gaps from one to another, with what stands behind each; False at a bracket out of place."""
        if first == bad:
            return True
        shift = self._length - window.to[2 * first]
        base, at, to = self._base + start, window.at, window.to
        marked = window.marked[bisect_left(window.marked, first) : bisect_left(window.marked, bad)]
        gaps = ((window.gaps[index], base + at[2 * index], shift + to[2 * index]) for index in marked)
        if not self._mark((found.marks, here, there) for found, here, there in gaps if found):
            return False
        for kind, places in window.fixes.items():
            inside = places[bisect_left(places, at[2 * first]) : bisect_left(places, at[2 * bad])]
            self._fix(kind, [start + each for each in inside])
        self._out += window.pieces[2 * first : 2 * bad]
        self._length = shift + window.to[2 * bad]
        self._left = window.tokens[bad - 1]
        before = window.gaps[bad - 1]
        self._before = before.json if before else ""
        self._at = start + at[2 * bad]
        return True

    def _mark(self, gaps: Iterable[tuple[Sequence[Mark], int, int]]) -> bool:
        """Notes the brackets and fixes of gaps at their places in both texts; False at a bracket out of place."""
        open_, closed, fixes, room = self._open, self._closed, self._fixes, self._room
        for marks, at, to in gaps:
            for what, here, there in marks:
                if what in _PAIRS:
                    if len(open_) >= room:
                        return False
                    open_.append((what, at + here, to + there))
                elif what not in _CLOSERS:
                    fixes[what].append(at + here)
                elif open_:
                    opener, begin, json = open_.pop()
                    if _PAIRS[opener] != what:
                        return False
                    closed[begin] = at + here, json, to + there
        return True

    def _fix(self, kind: str, places: Iterable[int]) -> None:
        self._fixes[kind] += [self._base + each for each in places]

    # ---- strings with quotes or line breaks inside ----

    def _join(self) -> int:
        """Reads the last string on, behind a quote that may not end it; its end in the text, -1 when that is unclear."""
        place = self._place()
        if not place or not self._left or self._left[0] not in "\"'":
            return -1
        begin = self._at - len(self._left)
        closers = self._closers + "".join(_PAIRS[each[0]] for each in self._open)
        found = _odd_string(self._buf, begin, place, self._ends, closers)
        if found is None:
            return -1
        end, json, fixes = found
        self._length += len(json) - len(self._out[-1])
        self._out[-1] = json
        self._fix("unescaped_quote", [each for each in fixes if self._buf[each] in "\"'"])
        self._fix("raw_control", [each for each in fixes if self._buf[each] not in "\"'"])
        return end

    def _place(self) -> Place | None:
        if not self._open:
            return None
        if self._open[-1][0] == "[":
            return "item"
        return "member" if self._before.rstrip().endswith(":") else None


class _Window:
    """Some characters of a stretch, cut into gaps and tokens by turns.

    Attributes:
        count: how many gaps are followed by a token.
        gaps: these; None for one that is not clean, and at the end.
        tokens: what follows them.
        pieces: both as JSON, by turns.
        at: where each of both begins in the text, and where the last ends.
        to: the same in the JSON.
        marked: indices of gaps with marks.
        fixes: where the fixes of single quotes stand, by kind.
    """

    def __init__(self, text: str, left: str, last: bool, first: bool) -> None:
        parts = _TOKEN.split(text)
        self.count = count = max(0, len(parts) // 2 - (not last))
        self._texts = texts = parts[0 : 2 * count + 1 : 2]
        self.tokens = parts[1 : 2 * count : 2]
        known = {each: gap(each) for each in set(texts[:count])}
        self.gaps: list[Gap | None] = [*map(known.get, texts[:count]), None]
        if first and count:
            self.gaps[0] = opening(texts[0])
        self._check([left, *self.tokens], known)
        written = {each: found.json if found else "" for each, found in known.items()}
        self.pieces = parts[: 2 * count]
        self.pieces[::2] = map(written.__getitem__, texts[:count])
        if first and count:
            self.pieces[0] = self.gaps[0].json if self.gaps[0] else ""
        self.at = [0, *accumulate(map(len, parts[: 2 * count]))]
        self.fixes: dict[str, list[int]] = {}
        if "'" in text:
            self._requote()
        self.to = [0, *accumulate(map(len, self.pieces))]
        marked = {each for each, found in known.items() if found and found.marks}
        if first:
            marked.add(texts[0])
        self.marked = [index for index, each in enumerate(texts[:count]) if each in marked]

    def _check(self, lefts: list[str], known: Mapping[str, Gap | None]) -> None:
        """What a gap alone does not tell: an odd key, or a number behind it, may change where a string ends."""
        if any(each and each.blank for each in known.values()):
            for index, each in enumerate(self.gaps):
                if each and each.blank and lefts[index][:1] in "\"'" and self.tokens[index][0] not in "\"'":
                    self.gaps[index] = None
        after_key = {each: found is not None and found.after_key for each, found in known.items()}
        flags = [*map(after_key.__getitem__, self._texts[:-1]), _COLON.match(self._texts[-1]) is not None]
        if all(map(_IS_KEY, set(compress(lefts, flags)))):
            return
        for index, (left, flag) in enumerate(zip(lefts, flags, strict=True)):
            if flag and not _IS_KEY(left):
                self.gaps[index] = self.gaps[max(0, index - 1)] = None

    def _requote(self) -> None:
        quotes = self.fixes["quote_style"] = []
        escapes = self.fixes["escape_style"] = []
        for index, token in enumerate(self.tokens):
            if token[0] == "'":
                begin = self.at[2 * index + 1]
                inside = token[1:-1]
                quotes.append(begin)
                if "\\'" in inside:
                    escapes += [begin] * sum(each[1] == "'" for each in _INSIDE.finditer(inside))
                if '"' in inside or "\\'" in inside:
                    inside = _INSIDE.sub(_in_double, inside)
                self.pieces[2 * index + 1] = f'"{inside}"'

    def has_quote(self, index: int) -> bool:
        """Whether a gap holds a quote: the beginning of a string, perhaps, whose end is not there."""
        text = self._texts[index]
        return '"' in text or "'" in text

    def gap_at(self, offset: int) -> int:
        """The index of the gap that begins at an offset; -1 when none does."""
        found = bisect_left(self.at, offset)
        return found // 2 if found < len(self.at) and self.at[found] == offset and found % 2 == 0 else -1


def _in_double(found: re.Match[str]) -> str:
    """A character of a string in single quotes, as in one in double quotes."""
    return "'" if found[1] == "'" else '\\"' if found[0] == '"' else found[0]


def _odd_string(buf: str, start: int, place: Place, ends: bool, closers: str) -> tuple[int, str, list[int]] | None:
    """A string with quotes or line breaks inside: its end, its JSON, and where it was mended; None when unclear."""
    quote, at, inner = buf[start], start + 1, 0
    out, fixes = ['"'], list[int]()
    while (found := _TO_QUOTE[quote].match(buf, at)) and inner <= _MOST_QUOTES:
        text, sign = found.groups()
        out.append(_INSIDE.sub(_in_double, text) if quote == "'" and '"' in text else text)
        at = found.end()
        if sign == quote:
            behind = Behind(buf[at : at + AHEAD], ends or len(buf) - at >= AHEAD)
            said = verdict(behind, place, inner, closers)
            if said == "ends":
                out.append('"')
                return at, "".join(out), fixes
            doubt = said != "inner" or not behind.complete or _SEAM.search(buf[max(start, at - 81) : at - 1])
            if doubt or QUOTED_KEY.match(buf, at - 1) or buf[at : at + 1] == quote:
                return None
            inner += 1
        out.append(_WRITTEN[sign])
        fixes.append(at - 1)
    return None
