"""A scalar that stands alone, without a container around it: a number, a declared word, a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from typedllm.reading.bounds import Bounds
from typedllm.reading.fixes import TIER, Note
from typedllm.reading.labels import label
from typedllm.reading.nodes import Node
from typedllm.reading.reader import JsonReader
from typedllm.reading.scalars import NUMBER_STYLES, Scalar, scalar
from typedllm.reading.shape import Kind, Shape
from typedllm.reading.strings import OPENERS
from typedllm.reading.words import fold

_TEXT: Final[frozenset[Kind]] = frozenset({"string"})
_DIGITS: Final = re.compile(r"[-+]?[0-9][0-9_]*+(?:\.[0-9_]*+)?(?:[eE][-+]?[0-9]++)?")
_QUOTED: Final = re.compile(r"(?=['“‘])[^\w\s](?P<text>[^'“”‘’\\\n]*)['”’]")
_INNER_QUOTES: Final = frozenset({"unescaped_quote", "likely_quote"})
_UNCLOSED: Final = re.compile(r"[\"'“][^\"'“”\n]*")


def _long_scalar(body: str) -> Scalar:
    """A text that is too long for a number, unless as an issue."""
    return Scalar("hole", None) if _DIGITS.fullmatch(body) else Scalar("bare", body)


def is_any_text(shape: Shape) -> bool:
    """Whether any text is a value, and nothing else."""
    return shape.kinds == _TEXT and any(
        arm.literals is None and not arm.format and not arm.hint for arm in shape.arms or (shape,)
    )


def may_go_on(body: str, root: Shape) -> bool:
    """Whether a text without quotes may be the beginning of a longer one that is declared."""
    begun = fold(body)
    arms = root.arms or (root,)
    return any(
        arm.literals is None or any(fold(each).startswith(begun) and fold(each) != begun for each in arm.texts)
        for arm in arms
    )


def read_scalar(body: str, start: int, root: Shape, bounds: Bounds) -> Node:
    """What a text that is a scalar, if anything, says; `start` is where it stands in the reply."""
    is_any, takes_any = is_any_text(root), any(map(is_any_text, root.arms or (root,)))
    others = OPENERS if root.open else "" if is_any else "'“‘"  # a backtick is emphasis
    if body[:1] == '"' or (len(body) > 1 and body[:1] in others):
        node = _quoted_scalar(body, start, root, bounds)
        if node is not None:
            return node
    is_text = "string" in root.kinds and root.literals is None and not root.open
    if not is_any and (quoted := _QUOTED.fullmatch(body)):
        node = Node("string", quoted["text"], start, start + len(body))
        node.note(Note("quote_style", start, start + len(body), json.dumps(quoted["text"], ensure_ascii=False)))
        return node
    unclosed = body.rfind('"') == 0 if takes_any else _UNCLOSED.fullmatch(body)
    if not is_any and unclosed:
        node = Node("string", body[1:], start, start + len(body))
        node.note(Note("unfinished", start, start + len(body), "", True))
        return node
    read = scalar(body) if len(body) <= bounds.digits else _long_scalar(body)
    if read.fix in NUMBER_STYLES and root.keeps_digits:
        read = Scalar("bare", body)
    if (is_text and not _is_declared(read, root)) or read.kind == "bare" or TIER.get(read.fix) == "guess":
        node = Node("string", body, start, start + len(body))
        node.note(Note("plain_text", start, start + len(body)))
        return node
    node = Node(read.kind, read.value, start, start + len(body))
    if read.kind == "hole":
        node.note(Note("too_many_digits", start, start + len(body), "", True))
    elif read.fix:
        node.note(Note(read.fix, start, start + len(body), read.json))
    return node


def _is_declared(read: Scalar, root: Shape) -> bool:
    """Whether it is JSON as it stands, of a kind that is declared beside texts; a number is none where these have a format.

    A literal of another language is one as well, where no text of any form is declared, nor such a word.
    """
    foreign = read.kind == "literal" and not root.is_text and fold(str(read.value)) not in map(fold, _texts(root))
    if (read.fix and not foreign) or read.value in ("NaN", "Infinity", "-Infinity"):
        return False
    kind: Kind = "number" if read.kind == "number" else "null" if read.value is None else "boolean"
    return kind in root.kinds or (kind == "number" and ("integer" in root.kinds or not root.takes_texts))


def _texts(root: Shape) -> Iterator[str]:
    """The declared words."""
    return (text for arm in root.arms or (root,) for text in arm.texts)


def _quoted_scalar(body: str, start: int, root: Shape, bounds: Bounds) -> Node | None:
    """A text that is one string in quotes, of which none stands inside it."""
    reader = JsonReader(root, start, bounds)
    reader.eof = True
    reader.feed(body)
    reader.close()
    node = reader.root
    if node is None or node.kind != "string" or reader.was_cut or reader.gave_up or reader.rest:
        return None
    return None if any(note.kind in _INNER_QUOTES for note in node.remarks) else node


def labelled(body: str, start: int, root: Shape) -> Node | None:
    """The declared word that prose gives as its answer, where the answer is one of a few words."""
    arms = [arm for arm in root.arms or (root,) if "null" not in arm.kinds]
    literals = [literal for arm in arms for literal in arm.literals or ()]
    words_only = all(arm.literals is not None for arm in arms)
    said = label(body, [each for each in literals if isinstance(each, str)]) if words_only else None
    if said is None:
        return None
    node = Node("string", said.word, start + said.start, start + said.end)
    node.note(Note("label", node.start, node.end, json.dumps(said.word, ensure_ascii=False)))
    return node
