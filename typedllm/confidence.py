"""How probable the model held each part of its reply, from the log-probabilities of its tokens.

A probability here is that of the text which stands for a value, given all that the model had written before it. It
says how the model was torn, not whether it is right: `docs/confidence.md` says what that is good for.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from typedllm.records import MISSING, JsonSchema, JsonValue, Span, TokenLogprob
from typedllm.schema.closed import closed_set
from typedllm.schema.subschema import at

__all__ = ["Confidence", "token_bytes"]

_GOES_ON: Final = frozenset(b"%c" % byte for byte in b"0123456789.eE+-") | {b""}


class Confidence(Mapping[str, float]):
    """Probabilities by JSON Pointer; worked out when asked for.

    - A value of a closed set (an enum, a literal, a boolean, null): its probability against the other members of the
      set, among the alternatives that the service reports for each token.
    - Any other text or number: the probability of exactly this text. It falls with the length of the text.
    - An object or a list: the product over its parts; how it is laid out does not count.

    It is empty where the service gave no log-probabilities, or its tokens do not add up to the reply.
    """

    def __init__(
        self,
        text: str,
        tokens: Sequence[TokenLogprob],
        spans: Mapping[str, Span],
        document: JsonSchema | None = None,
        data: Callable[[], JsonValue] = lambda: None,
        earlier: Confidence | None = None,
    ) -> None:
        """Hold what is needed; nothing is worked out.

        Args:
            text: the reply.
            tokens: its tokens.
            spans: JSON Pointer to where its value stands in the text.
            document: the schema, which tells what a value was chosen from; None: nothing is known.
            data: gives the JSON that was read, which tells the arms of unions that were meant.
            earlier: of the reply whose other parts were kept, when this one wrote some parts anew.
        """
        self._text = text
        self._tokens = tokens
        self._places = spans
        self._document = document
        self._data = data
        self._earlier = earlier
        self._known: dict[str, float] = {}

    @property
    def data(self) -> JsonValue:
        """The JSON that was read, which the pointers point into."""
        return self._data()

    @cached_property
    def _line(self) -> _Line | None:
        return _Line.of(self._text, self._tokens)

    @cached_property
    def _own(self) -> tuple[str, ...]:
        """What this reply wrote that has no parts."""
        parents = {pointer.rpartition("/")[0] for pointer in self._places if pointer}
        return tuple(pointer for pointer in self._places if pointer not in parents) if self._line is not None else ()

    @cached_property
    def _sources(self) -> dict[str, Confidence]:
        """For each part that has no parts, the reply that wrote it."""
        sources: dict[str, Confidence] = dict.fromkeys(self._own, self)
        if self._earlier is None:
            return sources
        above = {pointer[:end] for pointer in self._own for end in _ends(pointer)}
        data = self._data()
        for pointer, source in self._earlier._sources.items():
            anew = pointer in above or any(sources.get(pointer[:end]) is self for end in _ends(pointer))
            if not anew and at(data, pointer) is not MISSING:
                sources[pointer] = source
        return sources

    @cached_property
    def _pointers(self) -> tuple[str, ...]:
        """All parts, the outer ones first; without the outer ones where a part of them is not known."""
        if self._earlier is None:
            return tuple(self._places) if self._line is not None else ()
        if self._line is None or not self._earlier.is_whole:
            return self.leaves
        found = {pointer[:end]: None for pointer in self.leaves for end in _ends(pointer)}
        return tuple(sorted(found, key=lambda pointer: pointer.count("/")))

    @property
    def is_whole(self) -> bool:
        """Whether all parts of the value are known."""
        return "" in self._pointers

    def __getitem__(self, pointer: str) -> float:
        if pointer not in self._pointers:
            why = "no such part in the reply" if self._pointers else "no log-probabilities of its tokens are known"
            raise KeyError(f"{pointer}: {why}")
        if pointer not in self._known:
            source = self._sources.get(pointer)
            below = (each for each in self.leaves if each.startswith(f"{pointer}/"))
            self._known[pointer] = math.prod(map(self.__getitem__, below)) if source is None else source._leaf(pointer)
        return self._known[pointer]

    @property
    def leaves(self) -> tuple[str, ...]:
        """The pointers of the parts that have no parts."""
        return tuple(self._sources)

    def closed(self, pointer: str) -> bool:
        """Whether the value there was chosen from a closed set."""
        return self._members(pointer) is not None

    def written(self, pointer: str) -> str:
        """The text that stands there."""
        source = self._sources.get(pointer, self)
        start, end = source._places.get(pointer, (0, 0))
        return source._text[start:end]

    def _members(self, pointer: str) -> frozenset[bytes] | None:
        return None if self._document is None else closed_set(self._document, pointer, self._data())

    def _leaf(self, pointer: str) -> float:
        assert self._line is not None
        return self._line.probability(self._places[pointer], self._members(pointer))

    def __iter__(self) -> Iterator[str]:
        return iter(self._pointers)

    def __len__(self) -> int:
        return len(self._pointers)

    def __repr__(self) -> str:
        return f"Confidence({ {pointer: round(self[pointer], 4) for pointer in self} })"

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def _ends(pointer: str) -> list[int]:
    """Where the pointers of a part and of all that it stands in end."""
    return [index for index, character in enumerate(pointer) if character == "/"] + [len(pointer)]


def token_bytes(token: str) -> bytes:
    """The bytes of a token; those of a token that is no whole text stand in it as surrogate escapes (PEP 383)."""
    return token.encode("utf-8", "surrogateescape")


class _Token(NamedTuple):
    """A token with the bytes of the reply that it covers."""

    start: int
    end: int
    logprob: float
    others: tuple[tuple[bytes, float], ...]


class _Line:
    """The bytes of a reply with its tokens laid along them."""

    def __init__(self, raw: bytes, offsets: Sequence[int], tokens: Sequence[_Token]) -> None:
        self._raw = raw
        self._offsets = offsets
        self._tokens = tokens
        self._starts = [token.start for token in tokens]
        self._ends = [token.end for token in tokens]

    @classmethod
    def of(cls, text: str, tokens: Sequence[TokenLogprob]) -> _Line | None:
        """Lay the tokens along the text; None where they do not spell it, or spell it twice."""
        pieces = [token_bytes(token.token) for token in tokens]
        whole, raw = b"".join(pieces), text.encode("utf-8", "surrogatepass")
        shift = whole.find(raw)
        if not raw or shift < 0 or whole.find(raw, shift + 1) >= 0:
            return None
        laid: list[_Token] = []
        start = -shift
        for token, piece in zip(tokens, pieces, strict=True):
            end = start + len(piece)
            if piece and end > 0 and start < len(raw):
                others = tuple((token_bytes(other), logprob) for other, logprob in token.top if other != token.token)
                laid.append(_Token(start, end, token.logprob, others))
            start = end
        return cls(raw, _byte_offsets(text), laid)

    def probability(self, span: Span, members: frozenset[bytes] | None) -> float:
        """How probable the text of a span is, against the other members of its set where there is one."""
        start, end = (self._offsets[place] if self._offsets else place for place in span)
        written = self._raw[start:end]
        chosen = frozenset(member for member in members or () if member.lower() == written.lower())
        if members and chosen:
            others, chosen = members - chosen, chosen | {written}
            pairs = [self._weighed(token, start, chosen, others) for token in self._over(start, end)]
            return math.prod(own / (own + away) if own else 0.0 for own, away in pairs)
        found = math.prod(self._same(token, end) for token in self._over(start + written.startswith(b'"'), end))
        ends = 1 - self._going_on(end) if written[:1] in b"-0123456789" else 1.0
        return min(1.0, max(0.0, found * ends))

    def _over(self, start: int, end: int) -> Sequence[_Token]:
        """The tokens that cover a part of these bytes."""
        return self._tokens[bisect_right(self._ends, start) : bisect_left(self._starts, end)]

    def _same(self, token: _Token, end: int) -> float:
        """The probability of the token; at the end of the value, also of those that differ only behind it."""
        total = math.exp(token.logprob)
        if token.end < end:
            return total
        shared = self._raw[token.start : end]
        return total + sum(
            math.exp(logprob)
            for other, logprob in token.others
            if other.startswith(shared) and _is_over(shared, other[len(shared) :])
        )

    def _weighed(
        self, token: _Token, start: int, chosen: frozenset[bytes], others: frozenset[bytes]
    ) -> tuple[float, float]:
        """The probability of what leads to the member that was written, and of what leads to others.

        Of what is not reported, as much counts for the others as can be theirs: one token each, for those that no
        reported one leads to, at most as probable as the one that was written and as every reported one.
        """
        before = self._raw[start : max(start, token.start)]
        ahead = self._raw[token.start : max(start, token.start)]
        own, away, left = math.exp(token.logprob), 0.0, 1 - math.exp(token.logprob)
        least, live = own, _led(before, others)
        unseen = live - _led(self._raw[start : token.end], live)
        for other, logprob in token.others:
            chance = math.exp(logprob)
            least, left = min(least, chance), left - chance
            if other.startswith(ahead) and (told := other[len(ahead) :]):
                led, own_too = _led(before + told, live), bool(_led(before + told, chosen))
                unseen -= led
                own += chance if own_too and not led else 0.0
                away += chance if led and not own_too else 0.0
        return own, away + min(max(0.0, left), len(unseen) * least)

    def _going_on(self, end: int) -> float:
        """The probability that a number that ends here would have had more digits."""
        index = bisect_left(self._starts, end)
        if index == len(self._tokens) or self._starts[index] != end:
            return 0.0
        return sum(
            math.exp(logprob) for other, logprob in self._tokens[index].others if other and other[:1] in _GOES_ON
        )


def _is_over(value: bytes, behind: bytes) -> bool:
    """Whether a value ends where it seems to: a text by its quote, a number or word by what stands behind it."""
    return value.endswith(b'"') or (behind[:1] not in _GOES_ON and not behind[:1].isalpha())


def _led(so_far: bytes, members: frozenset[bytes]) -> frozenset[bytes]:
    """Those that a beginning may become, or is with something behind it; case does not matter."""
    return frozenset(member for member in members if _leads(so_far.lower(), member.lower()))


def _leads(so_far: bytes, wanted: bytes) -> bool:
    if wanted.startswith(so_far):
        return True
    return so_far.startswith(wanted) and _is_over(wanted, so_far[len(wanted) :])


def _byte_offsets(text: str) -> Sequence[int]:
    """At which byte each character begins, and the end; empty where both counts are the same."""
    if text.isascii():
        return ()
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode("utf-8", "surrogatepass")))
    return offsets
