"""One change of a text: a sign put in, taken out, put in the place of another, or swapped with its neighbour."""

from __future__ import annotations

from typing import Final, NamedTuple

from typedllm.reading.fixes import Note
from typedllm.reading.nodes import Member, Node

OUTSIDE: Final = "{}[],:"
"""The signs of structure, but for quotes."""
_PUT_IN: Final = {
    '"': "missing_quote", "'": "missing_quote", ",": "missing_comma", ":": "missing_colon", "\\": "unescaped_quote",
    "}": "missing_closer", "]": "missing_closer", "{": "missing_opener", "[": "missing_opener",
}  # fmt: skip
_TAKEN_OUT: Final = {
    ",": "extra_comma", "}": "extra_closer", "]": "extra_closer", "{": "extra_opener", "[": "extra_opener",
    '"': "extra_quote", "'": "extra_quote", ":": "stray_sign", "\\": "stray_sign",
}  # fmt: skip
_EXCHANGED: Final = {
    '"': "quote_style", "'": "quote_style", ",": "wrong_comma", ":": "wrong_colon", "{": "wrong_opener",
    "[": "wrong_opener", "}": "wrong_closer", "]": "wrong_closer",
}  # fmt: skip


class Mend(NamedTuple):
    """One character put in, taken out, put in the place of another, or swapped with its neighbour.

    Attributes:
        at: where, in the text.
        new: what is missing; "" where something is too many.
        old: what is too many; "" where something is missing.
        doubt: 0 likely; 1 less so: an opening bracket; 2 unlikely: structure of the document is explained away.
    """

    at: int
    new: str
    old: str = ""
    doubt: int = 0

    def applied(self, text: str) -> str:
        """The text with the change."""
        return text[: self.at] + self.new + text[self.at + len(self.old) :]

    @property
    def is_swap(self) -> bool:
        """Whether two signs stand in each other's place."""
        return len(self.new) > 1

    @property
    def is_exchange(self) -> bool:
        """Whether a sign of structure stands in the place of another one."""
        return self.old != "" and len(self.new) == 1 and self.new in OUTSIDE

    @property
    def growth(self) -> int:
        """By how much the text becomes longer."""
        return len(self.new) - len(self.old)

    def note(self, base: int) -> Note:
        """The change as a fix; `base` is where the text begins in the reply."""
        if self.is_swap:
            kind = "swapped_signs"
        else:
            kind = _EXCHANGED[self.new] if self.new and self.old else _PUT_IN.get(self.new) or _TAKEN_OUT[self.old]
        return Note(kind, base + self.at, base + self.at + len(self.old), self.new)


def shift(node: Node, mend: Mend, base: int) -> None:
    """Puts a tree that was read out of the changed text where its parts stand in the reply."""
    turn, by = base + mend.at, -mend.growth
    end = turn + len(mend.new) if mend.is_swap else turn

    def moved(at: int, inside: int) -> int:
        return inside if turn < at < end else at + by * (at > turn)

    stack = [node]
    while stack:
        node = stack.pop()
        node.start, node.end = moved(node.start, turn), moved(node.end, end)
        if node.notes:
            node.notes = [note._replace(start=moved(note.start, turn), end=moved(note.end, end)) for note in node.notes]
        if node.kind == "object":
            node.value = [Member(key, inner, moved(start, turn)) for key, inner, start in node.members]
            stack.extend(member.node for member in node.members)
        elif node.kind == "array":
            stack.extend(node.items)


def attach(node: Node, note: Note) -> None:
    """Notes something at the innermost part that stands around its place."""
    while True:
        parts = (
            [member.node for member in node.members]
            if node.kind == "object"
            else node.items
            if node.kind == "array"
            else []
        )
        inner = next((part for part in parts if part.start < note.start < part.end), None)
        if inner is None:
            node.note(note)
            return
        node = inner
