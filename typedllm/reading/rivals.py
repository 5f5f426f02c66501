"""Other readings of a broken text: the plain JSON that stands one character away from it.

Text that lost or gained one character has few such neighbours, and they differ from it near the place where a strict
parser fails. When they all say one thing, that is what the text says; when they say several, it is not clear.

To try each change of one character at the failure is the first stage of Burke and Fisher, "A practical method for LR
and LL syntactic error diagnosis and recovery", ACM TOPLAS 9 (1987).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from typedllm.reading.bounds import DEFAULT, Bounds
from typedllm.reading.mends import OUTSIDE, Mend
from typedllm.reading.pairs import closes_inner, facing
from typedllm.reading.strings import LINE_ENDS

_BEFORE: Final = 16
_AFTER: Final = 6
_STRETCH: Final = 600
_CLOSE: Final = 80  # characters that have as many signs, as a rule
_SPACES: Final = " \t\r\n"
_STRUCTURE: Final = OUTSIDE + '"'
_ESCAPED: Final = re.compile(r'(?<![0-9\\])\\"')  # behind a digit it may stand for inches
_QUOTATION: Final = re.compile(r"[„“][^„“”\w]*\w[^„“”]*\Z")
_DIGITS: Final = "\0{}".format  # a number is no text of the same digits
_PARSE: Final = json.JSONDecoder(parse_int=_DIGITS, parse_float=_DIGITS).raw_decode
_CLOSING: Final = " \t\r\n}])`~"
_OTHER_QUOTES: Final = "'`´“”„‟«»＂"
_PAIRS: Final = {"“": "”", "„": "“”", "«": "»", "‟": "”"}
_APOSTROPHE: Final = re.compile(r"[snoh\d\\]['’′]")
_SIGNS: Final = re.compile(rf'[{{}}\[\],:"\\\n();={_OTHER_QUOTES}]')
_MORE: Final = re.compile(r'\s*[,:"}\]，、；：]')
_OPENS: Final = re.compile(r"[,:{\[，、；：]\s*\Z")
_OUTLINE: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\],]', re.DOTALL)
_ENDED: Final = re.compile(r'["}\]\w]')
_BEGUN: Final = re.compile(r'["{\[\w-]')
_FITS: Final = {
    ",": (_ENDED, _BEGUN),
    ":": (re.compile('"'), _BEGUN),
    "}": (re.compile(r'["{}\]\w]'), re.compile(r"[,}\]]?")),
    "]": (re.compile(r'["\[}\]\w]'), re.compile(r"[,}\]]?")),
    "{": (re.compile(r"[:,\[]?"), re.compile(r'["}]')),
    "[": (re.compile(r"[:,\[]?"), re.compile(r'["{\[\]\w-]')),
}
"""Between which two signs a sign of structure can stand."""
_OTHERS: Final = {",": ":", ":": ",", "{": "[", "[": "{", "(": "{[", "}": "]", "]": "}", ")": "}]", ";": ",:", "=": ":"}
_FEET: Final = re.compile(r"\d{1,3}\s?['’′]\s?\d{1,2}(?:\.\d{1,2})?\"")  # and inches: the quote ends no text
_NUMBER: Final = re.compile(r"[:,\[]\s*-?\d[\d.]*\Z")
_CLOSES: Final = re.compile(r"\s*[,:}\]，、；：]")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TO_LAST_QUOTE: Final = re.compile(r'.*(?<!\\)(?:\\\\)*"', re.DOTALL)
_WITHIN: Final = re.compile(r'(?:[^"\\]|\\.)*+', re.DOTALL)
_W: Final = r"[ \t\n\r]*+"
_STRING_ENDS: Final = rf'[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"(?={_W}(?:[,:\]}}]|\Z))'
_TOKENS: Final = re.compile(
    rf'(?:{_W}(?:"{_STRING_ENDS}|[\w.+-]++(?={_W}(?:[,\]}}]|\Z))|[{{\[](?={_W}["{{\[\]}}\w.+-])'
    rf'|[}}\]](?={_W}(?:[,\]}}]|\Z))|[,:](?={_W}["{{\[\w.+-]))){{0,100}}+'
)
"""What JSON is made of, each part followed by one that may follow it; all JSON is so, and some other text."""
_REMARK: Final = re.compile(
    r",[ \t]*(?://|#|/\*)[^\n]*\Z|(?:\n|\\n)[ \t]*+[}\]](?:\s|\\n)*+,(?:\s|\\n)*+[{\[]?(?:\s|\\n)*+\Z"
)
_TWO_ITEMS: Final = re.compile(r"\w['’”]\s*,\s*['‘“]\w")
_FRACTION: Final = re.compile(r",[0-9]")
_REST_OF_STRING: Final = re.compile(_STRING_ENDS)
_STARTS: Final = re.compile(r"""[:,\[{]\s*(?=["{\[])|\A(?=["{\[])""")
PLAIN: Final = frozenset({
    "trailing_comma", "extra_comma", "comment", "literal_style", "number_style", "space", "escape_style",
    "invalid_escape", "raw_control", "quote_style", "repeated_key", "repeated_key_differs", "json_lines",
    "escaped_quotes", "line_sign", "concatenation", "call", "tuple", "unclear_escape",
})  # fmt: skip
"""Fixes and faults of syntax that no other reading competes with."""


class Rival(NamedTuple):
    """JSON that is one change away."""

    mend: Mend
    json: str

    @property
    def end(self) -> int:
        """Where it ends in the text that was changed."""
        return len(self.json) - self.mend.growth


def goes_on(text: str, end: int) -> bool:
    """Whether what follows a value that ended here looks like more of the document that it is a part of."""
    return _MORE.match(text, end) is not None


def rivals(text: str, least: int, bounds: Bounds = DEFAULT) -> list[Rival]:
    """The JSON texts that are one character away from a text that is no JSON, one for each value.

    Args:
        text: begins with the value.
        least: how many characters of it the value takes up at least.
        bounds: `rivals` bounds the characters that are parsed.

    Returns:
        The likely ones; the unlikely ones (`Mend.doubt` 2) only where there is no other.
    """
    failure = _failure(text)
    if failure is None:
        return []
    start, opening = _outline(text, max(0, failure - _STRETCH))
    near = _near(text, start, failure)
    if text[:1] in "{[" and not _may_end(text, _end(text, near[-1]), least):
        return []
    left = bounds.rivals
    found: dict[str, Rival] = {}
    for mend in sorted(_mends(text, start, failure, near), key=lambda mend: (mend.doubt, mend.is_exchange)):
        if mend.doubt > 1 and found:
            break
        mended = mend.applied(text)
        if text[:1] in "{[" and mended[:1] not in "{[":
            continue  # a container does not become a text
        try:
            value, end = _PARSE(opening + mended[start:])
        except (ValueError, RecursionError):
            continue
        left -= len(mended)
        if left < 0:
            return []  # what was not compared cannot be judged
        end += start - len(opening)
        if end < least + mend.growth or _is_behind(mend, mended, end) or goes_on(mended, end):
            continue
        if mend.is_swap and _unbalances(mend, text):
            continue
        if mend.is_swap and _is_swallowed(mend, opening + mended[start:], mend.at - start + len(opening)):
            continue
        found.setdefault(json.dumps(value), Rival(mend, mended[:end]))
    alike = list(found.values())
    likely = [rival.mend for rival in alike if rival.mend.new == "" and not rival.mend.doubt]
    doubled = any(_is_doubled(text, mend.at) for mend in likely)
    return [rival for rival in alike if not rival.mend.is_swap or _pairs_own(rival.mend, text)] if doubled else alike


def _pairs_own(mend: Mend, text: str) -> bool:
    """Whether a swap moves a bracket into a text that has its counterpart, or out of one that has not."""
    first, last = mend.new[0], mend.new[-1]
    before = behind_quote(text[max(0, mend.at - _STRETCH) : mend.at])
    if last == '"' and first in "}]":
        return _balances(first, before + first)
    if first == '"' and last in "}]":
        return not _balances(last, before + last)
    said = _WITHIN.match(text, mend.at + len(mend.old), mend.at + _STRETCH)
    if last != '"' or first not in "{[" or said is None:
        return False
    return said[0].count("}]"["{[".index(first)]) <= said[0].count(first)


def _is_behind(mend: Mend, mended: str, end: int) -> bool:
    """Whether a change does not touch the value that ends here, nor take away a closing bracket right behind it."""
    beside = mend.new == "" and mend.old in "}]" and mended[end : mend.at].strip() == ""
    return end <= mend.at and not beside


def _failure(text: str) -> int | None:
    """How far a strict parser comes; None when it comes to the end of a value, with nothing of JSON behind it."""
    try:
        end = _PARSE(text)[1]
    except json.JSONDecodeError as error:
        return error.pos
    except RecursionError:
        return None
    return end if goes_on(text, end) else None


def _outline(text: str, before: int) -> tuple[int, str]:
    """A place between two parts of the document, at most this far in, and JSON that stands for all before it.

    What comes before that place is JSON and is read once, not for each change behind it.
    """
    open_, place, around = list[str](), 0, list[str]()
    for found in _OUTLINE.finditer(text, 0, before):
        sign = found[0]
        if sign == ",":
            place, around = found.end(), open_.copy()
        elif sign in "{[":
            open_.append(sign)
        elif sign in "}]" and open_:
            open_.pop()
    if not place:
        return 0, ""
    signs = [*around, ""]
    inner = "".join(sign + '"":' * (sign == "{" and signs[index + 1] != "") for index, sign in enumerate(around))
    return place, inner + ('"":0,' if around[-1:] == ["{"] else "0,")


def _near(text: str, start: int, failure: int) -> list[int]:
    """The signs of structure near the failure, and the failure."""
    first, before = max(start, failure - _STRETCH), list[int]()
    for since in (max(first, failure - _CLOSE), first):
        before = [found.start() for found in _SIGNS.finditer(text, since, failure)]
        if len(before) >= _BEFORE:
            break
    behind = [found.start() for found in islice(_SIGNS.finditer(text, failure, failure + _STRETCH), _AFTER)]
    return sorted({*before[-_BEFORE:], *behind, failure})


def _end(text: str, at: int) -> int:
    """Where the text begins that no change at this place, or before it, touches."""
    return at + 2 + _spaces(text[at + 1 : at + 1 + _STRETCH])


def _may_end(text: str, at: int, least: int) -> bool:
    """Whether what no change touches can be the end of JSON: where there is a second failure, it cannot.

    A change may have put its beginning inside or outside of a string, or behind a backslash.
    """
    least = len(text[:least].rstrip(_CLOSING))
    begun = [at, *(found.end() for skip in (0, 1) if (found := _REST_OF_STRING.match(text, at + skip)))]
    return any(_is_json_up_to(text, each, least) for each in begun)


def _is_json_up_to(text: str, at: int, least: int) -> bool:
    """Whether a text may be JSON from one place to another."""
    while at < least and (found := _TOKENS.match(text, at)) and found.end() > at:
        at = found.end()
    return at >= least


def _mends(text: str, start: int, failure: int, near: Sequence[int]) -> Iterator[Mend]:
    """The changes that could make JSON of the text: each at a sign of structure near the failure."""
    for at in near:
        sign = text[at : at + 1]
        if sign and sign in '{}[],:"\\':
            doubt = _doubt_of_stray(text, at, sign, failure)
            if not (sign == '"' and doubt > 1 and text[max(0, at - 1) : at].isdecimal()):  # inches
                yield Mend(at, "", sign, doubt)
        yield from _of_quotes(text, at)
        yield from _exchanged(text, at)
    yield from _swaps(text, near)
    first = max(start, failure - _STRETCH)
    for found in _STARTS.finditer(text, first, failure):
        at = found.end()
        for sign in "{[":
            if _FITS[sign][1].fullmatch(text[at]):
                yield Mend(at, sign, doubt=1)
        if text[at] in "{[":
            yield Mend(at, "", text[at], _doubt_of_stray(text, at, text[at], failure))
    gaps = {gap for place in near for gap in _gaps(text, place)}
    for at in sorted(gap for gap in gaps if gap >= start):
        if text[at - 1 : at].isalnum() and (text[at : at + 1].isalnum() or text[at : at + 1] == "-"):
            continue  # the middle of a word, a number or a range
        before, after = text[max(0, at - _STRETCH) : at].rstrip()[-1:], text[at : at + _STRETCH].lstrip()[:1]
        for sign, (behind_it, ahead_of_it) in _FITS.items():
            if behind_it.fullmatch(before) and ahead_of_it.fullmatch(after):
                doubt = int(sign in "{[" or _is_inside(text, at, sign))
                doubt = 2 if sign + after in ("{}", "[]") or (sign == "," and _is_glued(text, at)) else doubt
                yield Mend(at, sign, doubt=doubt)  # an empty container would be a value that nobody wrote
        fits = (_may_open(text, at) and not _FEET.match(text, at)) or _may_close(text, at)
        fits = fits and not _makes_blank(text, at) and not _is_lone_quote(text, at - 1) and not _ends_remark(text, at)
        doubt = 2 if not fits else int(_is_other_quote(text, at))
        yield Mend(at, '"', doubt=doubt)


def _of_quotes(text: str, at: int) -> Iterator[Mend]:
    """Quotes that may stand here in the place of others, or lack a backslash before them."""
    sign = text[at : at + 1]
    if _is_escaped(text, at + 1):
        yield Mend(at, "\\")
    if sign == '"':
        yield Mend(at, "\\", doubt=_doubt_of_escape(text, at))
    elif sign and sign in _OTHER_QUOTES:
        paired = closes_inner(text, at) or _is_paired(text, at)
        unlikely = _is_lone_quote(text, at) or _TWO_ITEMS.search(behind_quote(text[max(0, at - _STRETCH) : at]))
        yield Mend(at, '"', sign, doubt=2 if unlikely else int(paired))


def _exchanged(text: str, at: int) -> Iterator[Mend]:
    """Signs of structure that may stand here in the place of others."""
    sign = text[at : at + 1]
    others = _OTHERS.get(sign, "")
    before, after = text[max(0, at - _STRETCH) : at].rstrip()[-1:], text[at + 1 : at + _STRETCH].lstrip()[:1]
    for other in others:
        behind_it, ahead_of_it = _FITS[other]
        if behind_it.fullmatch(before) and ahead_of_it.fullmatch(after):
            yield Mend(at, other, sign, doubt=2 * (sign == ":" and _is_alone(text, at)))


def _is_alone(text: str, at: int) -> bool:
    """Whether a colon is all that separates in its brackets: what is on both sides of it is a pair, or a range."""
    before, after = text[max(0, at - _STRETCH) : at], text[at + 1 : at + _STRETCH]
    return "," not in before.rpartition("[")[2] and "," not in after.partition("]")[0]


def _is_other_quote(text: str, at: int) -> bool:
    """Whether a quote that is missing here would stand beside one of another kind: more likely, that one stands for it.

    Not so where that one may be an apostrophe (`the guests'`, `6'`, `'90s`), or closes what another one opens.
    """
    before, after = text[max(0, at - 2) : at], text[at : at + 2]
    if after and after[0] in _OTHER_QUOTES:
        return not after[1:].isdigit() and after[0] not in text[at + 1 : at + _STRETCH].partition('"')[0]
    if len(before) < 2 or before[1] not in _OTHER_QUOTES or _APOSTROPHE.fullmatch(before):
        return False
    return not closes_inner(text, at - 1)


def _makes_blank(text: str, at: int) -> bool:
    """Whether a quote here would make a text without a character of the one beside it: that may be one too many."""
    opening = at - (text[at - 1 : at] == '"')
    return text[opening : opening + 1] == '"' and _OPENS.search(text[max(0, opening - 8) : opening]) is not None


def _ends_remark(text: str, at: int) -> bool:
    """Whether a quote here would take a remark into the text before it, or the brackets at the end of a line."""
    return _REMARK.search(text[max(0, at - _STRETCH) : at]) is not None


def _is_paired(text: str, at: int) -> bool:
    """Whether a typographic quote opens what another one closes before the next double quote."""
    closers = _PAIRS.get(text[at], "")
    return any(sign in closers for sign in text[at + 1 : at + _STRETCH].partition('"')[0])


def _is_lone_quote(text: str, at: int) -> bool:
    """Whether a quote of another kind is all of a text, or the one that closes a text without a character."""
    return text[at : at + 1] in _OTHER_QUOTES and text[at - 1 : at] == '"' and _makes_blank(text, at)


def _swaps(text: str, near: Iterable[int]) -> Iterator[Mend]:
    """Signs that may stand in each other's place: neighbours, but for white space."""
    for at in near:
        for left, right in ((at - 1, at), (at, at + 1 + _spaces(text[at + 1 : at + 1 + _STRETCH]))):
            a, b = text[max(0, left) : left + 1], text[right : right + 1]
            if a.isalnum() and b == '"' and (a in "ubrf" or not text[right + 1 : right + 2].isalnum()):
                continue  # the prefix of a string, or a word whose opening quote is missing
            if right > left + 1 and (a.isalnum() or b.isalnum()):
                continue  # white space is between them: they are no neighbours
            if (a in OUTSIDE and text[right : right + 2].isalnum() and text[right + 1 : right + 2]) or (
                b in OUTSIDE and left > 0 and text[left - 1 : right].isalnum()
            ):
                continue  # a word or number would be divided
            if left >= 0 and a != b and (a in _STRUCTURE or b in _STRUCTURE) and _is_sign(a) and _is_sign(b):
                yield Mend(left, b + text[left + 1 : right] + a, text[left : right + 1])


def _is_inside(text: str, at: int, sign: str) -> bool:
    """Whether a sign that is missing here stands at the edge of the text beside it, where it means nothing."""
    before = text[max(0, at - _STRETCH) : at].rstrip()
    if before.endswith(sign + '"'):
        said = behind_quote(before[:-1])
        return sign == ":" or (sign in "}]" and said.count("{["["}]".index(sign)]) < said.count(sign))
    ahead = text[at : at + _STRETCH].lstrip()[:2]
    return sign in ",:" and ahead == '"' + sign


def _is_glued(text: str, at: int) -> bool:
    """Whether a number stands right before a text that is no key: it may be a part of it."""
    said = _REST_OF_STRING.match(text, at + 1, at + _STRETCH) if text[at : at + 1] == '"' else None
    return said is not None and text[at - 1 : at].isdigit() and text[said.end() : at + 2 * _STRETCH].lstrip()[:1] != ":"


def _is_sign(sign: str) -> bool:
    """Whether it may change places with its neighbour: what else stands there may be another separator."""
    return sign.isalnum() or (sign != "" and sign in _STRUCTURE)


def _gaps(text: str, at: int) -> Iterator[int]:
    """Where a character may be missing around a sign: at it, behind it, and beyond the white space there."""
    yield at
    yield at + 1
    yield at + 1 + _spaces(text[at + 1 : at + 1 + _STRETCH])
    yield at - _spaces(text[max(0, at - _STRETCH) : at][::-1])


def _spaces(text: str) -> int:
    return len(text) - len(text.lstrip(_SPACES))


def _doubt_of_stray(text: str, at: int, sign: str, failure: int) -> int:
    doubled = _is_doubled(text, at)
    if sign == '"' and _is_of_quotation(text, at):
        return 2
    if sign == '"':
        return 0 if doubled or _NUMBER.search(text, max(0, at - _STRETCH), at) else 2
    if text[at - 1 : at].isalnum() and text[at + 1 : at + 2].isalnum():
        return 2  # what it divides would become one
    if text[at - 1 : at] == "\\":
        return 2  # what follows it would be escaped
    if sign == "," and _FRACTION.match(text, at) and text[max(0, at - 2) : at].rstrip().endswith(":"):
        return 2  # `,5` may be a half
    if sign in "}]":
        return int(not (doubled and at == failure) and text[at:].strip(_CLOSING) != "")
    return int(sign in "{[" and not doubled)


def _doubt_of_escape(text: str, at: int) -> int:
    """How likely a backslash is missing before a quote."""
    if _is_all_of_text(text, at):
        return 0
    ends = _is_structure(text, at) or LINE_ENDS.match(text, at + 1) is not None
    unclear = ends or _is_alone_inside(text, at)
    return 2 * (unclear and not _is_of_quotation(text, at))


def _is_escaped(text: str, at: int) -> bool:
    """Whether a backslash stands before a quote: it escapes it, is too many, or is the last sign of the text that ends here."""
    return text[at - 1 : at] == "\\" and text[at : at + 1] == '"'


def _is_all_of_text(text: str, at: int) -> bool:
    """Whether a quote is the middle one of three: all of a text, or one too many around a text without a character."""
    return text[at - 1 : at + 2] == '"""' and text[at + 2 : at + 3] != '"' and _makes_blank(text, at)


def _may_open(text: str, at: int) -> bool:
    """Whether a quote here could be one that opens a string."""
    before, after = text[at - 1 : at], text[at : at + 1]
    if not after.strip() or not (before in ",:{[" or before.isspace()):
        return False
    listed = text[max(0, at - _STRETCH) : at].rstrip()[-1:] != ":"
    return not (listed and "," in text[at : at + _STRETCH].partition('"')[0])


def _may_close(text: str, at: int) -> bool:
    """Whether a quote here could be one that closes a string."""
    before, after = text[at - 1 : at], text[at : at + 1]
    if (
        not before.strip()
        or (before in "”‟»＂" and not closes_inner(text, at - 1))
        or (before in ",:{[" and after.isspace())
    ):
        return False
    opener = text.rfind('"', max(0, at - _STRETCH), at)
    listed = text[max(0, opener - _STRETCH) : max(0, opener)].rstrip()[-1:] != ":"
    if listed and after == "," and text[at + 1 : at + _STRETCH].lstrip()[:1].isdigit():
        return False  # a comma of the text, as in `100, 200`
    return (not after.strip() or after in ",:}]") and not (listed and "," in text[opener + 1 : at])


def _is_of_quotation(text: str, at: int) -> bool:
    """Whether a quote is one of a pair inside a text, though it stands right at the end or at the start of it."""
    return _ends_quotation(text, at) or _begins_quotation(text, at)


def _ends_quotation(text: str, at: int) -> bool:
    """Whether a quote, or the one that it doubles, ends what an escaped or a typographic one has opened inside a text."""
    end = at - (text[at - 1 : at] == '"' and text[at - 2 : at - 1] != "\\")
    before = text[max(0, end - _STRETCH) : end]
    if len(_ESCAPED.findall(behind_quote(before))) % 2:
        return True
    return _QUOTATION.search(before.rpartition('"')[2]) is not None


def _begins_quotation(text: str, at: int) -> bool:
    """Whether a quote right behind the one that opens a text begins what an escaped one ends inside of it."""
    start = at + (text[at + 1 : at + 2] == '"')
    said = _REST_OF_STRING.match(text, start + 1, start + _STRETCH)
    return text[start - 1 : start] == '"' and said is not None and len(_ESCAPED.findall(said[0])) % 2 == 1


def _is_alone_inside(text: str, at: int) -> bool:
    """Whether a quote opens or closes something inside a text, and no escaped one behind it is its counterpart."""
    face = facing(text[at - 1 : at], text[at + 1 : at + 2])
    said = _REST_OF_STRING.match(text, at + 1, at + _STRETCH) if face == "<" else None
    return face != "?" and (said is None or len(_ESCAPED.findall(said[0])) % 2 == 0)


def _is_doubled(text: str, at: int) -> bool:
    return text[at : at + 1] in (text[max(0, at - 1) : at], text[at + 1 : at + 2])


def _unbalances(mend: Mend, text: str) -> bool:
    """Whether a swap takes the first or last bracket out of a text whose brackets are in balance with it."""
    first, last = mend.old[0], mend.old[-1]
    if first == '"' and last in "{[":
        said = _WITHIN.match(text, mend.at + len(mend.old), mend.at + _STRETCH)
        return said is not None and said[0].count("}]"["{[".index(last)]) > said[0].count(last)
    if last != '"' or first not in "}]":
        return False
    before = behind_quote(text[max(0, mend.at - _STRETCH) : mend.at])
    return before.count("{["["}]".index(first)]) > before.count(first)


def behind_quote(text: str) -> str:
    """What stands behind the last quote that is not escaped; the whole text where there is none."""
    found = _TO_LAST_QUOTE.match(text)
    return text[found.end() :] if found else text


def _is_swallowed(mend: Mend, text: str, at: int) -> bool:
    """Whether a swap moved a sign of structure into a string: it is more likely that another one moved out of it.

    Args:
        mend: the swap.
        text: the text with the change, from a place outside of any string.
        at: where in it the change stands.
    """
    signs = [at + index for index in (0, len(mend.new) - 1) if mend.new[index] in OUTSIDE]
    for found in _STRING.finditer(text):
        if not signs or found.start() > signs[-1]:
            return False
        if any(found.start() < sign < found.end() and not _balances(text[sign], found[0]) for sign in signs):
            return True
    return False


def _balances(sign: str, said: str) -> bool:
    """Whether a bracket closes what the text that it stands in has opened."""
    return sign in "}]" and said.count(sign) <= said.count("{["["}]".index(sign)])


def _is_structure(text: str, at: int) -> bool:
    """Whether a quote stands where one of the document's own would."""
    if _is_doubled(text, at):
        return not text[max(0, at - 2) : at].rstrip('"')[-1:].isdecimal()  # behind a number it may stand for inches
    return bool(_CLOSES.match(text, at + 1) or _OPENS.search(text[max(0, at - 8) : at]))
