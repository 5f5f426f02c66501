"""Parts of a reply that may be the answer, and what the text around them says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from typedllm.reading.labels import is_denial
from typedllm.reading.nodes import Node

AHEAD: Final = 160
"""Characters around a sign that tell what it means."""
HELD: Final = 128
"""How far back a sign may have begun that the end of the text so far has cut."""
_REFERENCE: Final = re.compile(r"\[[0-9]{1,4}(?:(?:,\s*|[–-])[0-9]{1,4})*\]")
_REFERENCES: Final = re.compile(rf"(?:{_REFERENCE.pattern})+")
_OPERATOR_BEFORE: Final = re.compile(
    r"(?:[=!]=|^[ \t]*for[ \t][\w, ()]{1,60}[ \t]in|^[ \t]*(?:(?:const|let|var)[ \t]+)?[\[{(][^\n=]{0,100}[\]})][ \t]*=)[ \t]*\Z",
    re.MULTILINE,
)
_OPERATOR_BEHIND: Final = re.compile(r"\s*\??\.[^\W\d]\w{0,60}\(|[ \t]*=(?![=>])|[ \t)]*[=!]=")
_PARTS: Final = re.compile(r"[{}\[\]]|\w\(")
_NEXT_TAG: Final = re.compile(r"</(?P<name>\w[\w.:-]{0,40})>\s*,?\s*<(?P=name)(?:\s[^<>\n]{0,60})?>")
_BULLET: Final = re.compile(r"(?:\A|[,;]?\s*\n)\s*(?:[-*•]|[0-9]{1,3}[.)])[ \t]+\Z")
BETWEEN: Final = re.compile(r"[\s,;]*")
_NEXT_FENCE: Final = re.compile(r"\s*(?P<fence>`{3,}|~{3,})[\s,;]*(?P=fence)[\w+.#-]*\s*")
_CORRECTED: Final = re.compile(
    r"\b(?:final|corrected|correction|fixed|revised|updated|checked|verified|improved|actual|actually)\b", re.IGNORECASE
)
_FINAL: Final = re.compile(rf"{_CORRECTED.pattern}|\b(?:answer|result)\b", re.IGNORECASE)
_ONE_OF_MANY: Final = re.compile(
    r"\b(?:example|e\.g\.|for instance|such as|(?:previous|earlier|old|initial|rough)(?:ly)?)\b", re.IGNORECASE
)
_SETTLED: Final = re.compile(r"\b(?:final|answer|result)\b", re.IGNORECASE)
_HEDGED: Final = re.compile(
    r"\b(?:should|must|would|could|might|may|if|like|first|original|originally|before|possible|expected"
    r"|(?:I|we) (?:need|have|want) to)\b",
    re.IGNORECASE,
)
_EXAMPLE: Final = re.compile(
    rf"{_ONE_OF_MANY.pattern}|\b(?:draft|instead of)\b|\bnot[ \t]*:?\Z"
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\b(?:wrong|incorrect|invalid)\b",
    re.IGNORECASE,
)
_MAYBE_EXAMPLE: Final = re.compile(r"\b(?:format|schema|template|not|wrong|incorrect|invalid)\b", re.IGNORECASE)
"""Words that introduce an example, or an answer: `the format is`, `in the requested format`, `that was wrong`."""
_TAKEN_BACK: Final = re.compile(r"\b(?:wrong|incorrect|mistaken?|mistakes|oops)\b", re.IGNORECASE)
_JUST_BEFORE: Final = re.compile(rf"(?:{_EXAMPLE.pattern})\s*\Z", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<!e\.g)[.;!?]\s|\n")
_FINISHED: Final = re.compile(r"(?<!e\.g)[.!?]\Z")
_MARKUP: Final = re.compile(r"</?\w[^<>\n]{0,60}>")
FENCE_LINE: Final = re.compile(r"[ \t]*(?:`{3,}|~{3,})[\w+.# -]*")


@dataclass(slots=True)
class Found:
    """A part of the reply that may be the answer.

    Attributes:
        node: what was read.
        fenced: whether it stands in a fence.
        cut: whether the end of the text cut it.
        lead: the line before it, and the one before that.
        end: offset after it.
        mended: whether it is not JSON as it stands.
        unclosed: whether it stands in reasoning that never ended.
        closed_more: whether brackets behind it close more than it opened.
        aside: whether it is a part of a sentence, as the `[]` in "there are none, so I left [] there".
    """

    node: Node
    fenced: bool
    cut: bool
    lead: str
    end: int
    unclosed: bool = False
    mended: bool = False
    closed_more: bool = False
    aside: bool = False

    @property
    def start(self) -> int:
        """Offset of its first character."""
        return self.node.start

    @property
    def word(self) -> int:
        """What the words around it say: 1 that it is the answer, -1 that it is not, 0 neither."""
        return word_of(self.lead) or -self.aside

    @property
    def may_be_meant(self) -> bool:
        """Whether what the words before it say does not tell an example from an answer."""
        return self.word >= 0 or not (self.aside or _is_example(_SENTENCE.split(self.lead)[-1]))

    @property
    def is_last(self) -> bool:
        """Whether the words before it say that it is the last one, and not only that it is a better one."""
        return self.word > 0 and any(_is_final(each, _SETTLED) for each in _SENTENCE.split(self.lead))

    @property
    def mark(self) -> int:
        """How strongly the text marks it as the answer."""
        return 2 * self.word + self.fenced


def word_of(lead: str) -> int:
    """What words before an answer say: 1 that it is the answer, -1 that it is not, 0 neither."""
    *before, said = _SENTENCE.split(lead)
    many, example = _ONE_OF_MANY.search(said), _is_example(said)
    maybe = _EXAMPLE.search(said) or _MAYBE_EXAMPLE.search(said)
    sentences = _SENTENCE.split(_MARKUP.sub(" ", lead)) if maybe else [*before, said]
    if any(_is_final(each, _CORRECTED if many or example else _FINAL) for each in sentences):
        return 1
    if example:
        return 0 if not many and any(_is_final(each, _FINAL) for each in sentences) else -1
    if any(_is_denied(each, _FINAL) for each in sentences):
        return -1
    if any(map(_TAKEN_BACK.search, [*before, said] if _FINISHED.search(said) else before)):
        return 1
    return -1 if maybe else 0


def _is_example(sentence: str) -> bool:
    """Whether a sentence calls what follows an example; one that is over speaks of what came before it."""
    return _EXAMPLE.search(sentence) is not None and not _FINISHED.search(sentence)


def _is_final(sentence: str, words: re.Pattern[str]) -> bool:
    """Whether a sentence calls what follows the answer, and says not only what that was before, or is to be like."""
    return words.search(sentence) is not None and not _HEDGED.search(sentence) and not _is_denied(sentence, words)


def _is_denied(sentence: str, words: re.Pattern[str]) -> bool:
    """Whether a sentence denies that this is the answer: `not the answer`, `wrong answer`, `the answer is not`."""
    found = words.search(sentence)
    before = sentence[: found.start()] if found else ""
    return found is not None and (
        is_denial(before) or is_denial(sentence, 1) or _JUST_BEFORE.search(before) is not None
    )


def lead_of(prose: str) -> str:
    """The last two lines that say something, without the one that opens a fence."""
    said = [line.strip(" \t`") for line in prose.split("\n") if line.strip() and not FENCE_LINE.fullmatch(line)]
    return "\n".join(said[-2:])


def is_reference(text: str, start: int, end: int) -> bool:
    """Whether a list of numbers may as well be a reference to a source, such as `[1]`."""
    return _REFERENCE.fullmatch(text, start, end) is not None


def set_aside(each: Found, text: str) -> None:
    """Notes of a candidate whether it stands in the middle of a sentence, on a line with the words around it."""
    if each.fenced or each.cut or "\n" in text[each.start : each.end]:
        return
    before = text[max(0, each.start - AHEAD) : each.start].rpartition("\n")[2].rstrip()
    after = text[each.end : each.end + AHEAD].partition("\n")[0].lstrip()
    if is_reference(text, each.start, each.end):
        before, after = (_REFERENCES.sub("", part).strip() for part in (before, after))
    if _PARTS.search(before) or _PARTS.search(after):
        return  # one of several on the line
    if before[-1:].isalnum() or before.endswith((",", ";")):
        each.aside = after == "" or after[0].isalnum() or after[0] in ".,:;?!)"
    elif before == "" and after[:1].isalnum() and is_reference(text, each.start, each.end):
        each.aside, each.lead = True, ""  # what the lines before announce is not this


def is_operand(text: str, start: int, end: int) -> bool:
    """Whether a container is only a part of an expression or a loop in code: the answer would be what it computes."""
    before = text[max(0, start - AHEAD) : start]
    return bool(_OPERATOR_BEHIND.match(text, end) or _OPERATOR_BEFORE.search(before))


def in_a_row(found: list[Found], text: str) -> bool:
    """Whether the candidates follow each other with nothing but white space and commas between, or each in its own tag or
    fence, and all of these alike, or as the items of a list of Markdown.
    """
    between = {text[before.end : after.start].strip() for before, after in pairwise(found)}
    if len(between) == 1 and (_NEXT_TAG.fullmatch(said := next(iter(between))) or _NEXT_FENCE.fullmatch(said)):
        return True
    if _BULLET.search(text[max(0, found[0].start - HELD) : found[0].start]):
        return all(_BULLET.fullmatch(text, before.end, after.start) for before, after in pairwise(found))
    return all(BETWEEN.fullmatch(text, before.end, after.start) for before, after in pairwise(found))
