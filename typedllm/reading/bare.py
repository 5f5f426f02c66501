"""Reading values without quotes."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Final, Literal

from typedllm.reading.cursor import SPACE
from typedllm.reading.ends import verdict
from typedllm.reading.escapes import unescaped
from typedllm.reading.fixes import Note
from typedllm.reading.keys import BARE_KEY, QUOTED_KEY, declared_key
from typedllm.reading.nodes import Node
from typedllm.reading.quoted import QuotedReader
from typedllm.reading.scalars import NUMBER_STYLES, Scalar, scalar
from typedllm.reading.strings import AHEAD, COUNTERPART, OPENERS, Behind, end_of
from typedllm.reading.words import fold

_BARE: Final = re.compile(r"[^,}\])\n\r/#\"”;；，、]+")
_OPENING: Final = re.compile(r"[(\[{]")
PREFIX: Final = re.compile(r"[ub](?=\"[^\"\n]*\"|'[^'\n]*')")
_PREFIXED: Final = re.compile(r"[^\W\d_]{1,2}'[^']*'")
_THEN_KEY: Final = re.compile(rf"\s+(?={BARE_KEY.pattern}\s*(?:[\"'“{{\[\d-]|(?:true|false|null|True|False|None)\b))")
_THEN_ITEM: Final = re.compile(r"\s+([\w.+-]{1,60})(?=\s*[,\]\n]|\s+[\w.+-]{1,60}\s*[,\]\n])")
_INNER_KEY: Final = re.compile(r"[^(\[{]*\s[^\W\d]\w*:(?!//)")
_ESCAPED: Final = re.compile(r"\\(?:[^A-Za-z]|n)")
_HEAD: Final = re.compile(r"([^\s(\[{]+)\s*[\[{]")
_CODE: Final = re.compile(r"[\w\])][(\[]\s{0,8}[\"']|\([\"]")
_NAMED: Final = re.compile(r"<[^\W\d][^<>/=]{0,60}>")  # what the format says stands there
_WORD: Final = re.compile(r"[\w.+-]{1,60}")
_BARE_KEY_ALONE: Final = re.compile(r"[^\W\d]\w{0,60}(?=:[\s\"'\[{])")
_SWALLOWED: Final = re.compile(r"\w[\"'”’]{1,2}\s*[:：]\s*[\[{\"'“\d]|,\s*[\"'“‘][\w$]")  # a key, or its beginning
_ESCAPE: Final = re.compile(r"\\[nrtu\"'\\]")
_RECENT: Final = 8
_UNESCAPED: Final = re.compile(r'(?<!\\)"')
_THEN_STRING: Final = re.compile(r"""[^\s"']+\s+(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_SIGILS: Final = "$%&@:?<>{}[]() "
_CALL: Final = re.compile(r"(?:new\s{1,20})?[A-Z]\w{0,60}\(")
KEYWORDS: Final = r"[^\W\d][\w.]{0,60}\((?=\s{0,8}[^\W\d]\w{0,60}\s{0,8}=(?!=))"
"""A call with its arguments by name, as far as its opening bracket."""
_KEYWORDS: Final = re.compile(KEYWORDS)


class BareReader(QuotedReader):
    """Reads values without quotes, to where the structure goes on."""

    def _unexpected(self) -> bool:
        raise NotImplementedError

    def _bare_value(self) -> bool:
        """Text without quotes, to where the structure goes on."""
        if self._lacks(AHEAD):
            return False
        if self.buf.startswith(("...", "…"), self.pos):
            return self._elision()
        if PREFIX.match(self.buf, self.pos, self.pos + AHEAD):
            return self._prefix()
        call = _KEYWORDS.match(self.buf, self.pos)
        if call and (not self.stack or self._guide().takes_members):
            return self._keywords(call.end())
        call = _CALL.match(self.buf, self.pos)
        if call:
            return self._call(call.end())
        end, stop = max(self.pos, self._seen - self.base), "on"
        if end == self.pos and self._place() != "root" and (word := self._without_comma() or self._key_above()):
            return self._take_bare(word, False)
        if end == self.pos:
            self._opened, self._quoted = [], 0
        opened = self._opened
        while stop == "on":
            start, end = end, end_of(_BARE, self.buf, end)
            opened += [COUNTERPART[sign] for sign in _OPENING.findall(self.buf, start, end)]
            if end - self.pos >= self.bounds.bare:
                return self._too_long()
            stop = self._bare_stops(end, opened)
            end += stop == "on"
        self._seen = self.base + end
        return stop != "more" and self._take_bare(end, stop == "quote", bool(opened))

    def _without_comma(self) -> int:
        """Where a number or literal ends, if the next key or item follows it without a comma; else 0."""
        found = _WORD.match(self.buf, self.pos)
        if found is None or not self._is_scalar(found.end()):
            return 0
        if self._place() == "member":
            at = end_of(SPACE, self.buf, found.end())
            quoted = QUOTED_KEY.match(self.buf, at, self.pos + AHEAD) or declared_key(
                self.buf, at, self.stack[-1].known
            )
            bare = _THEN_KEY.match(self.buf, found.end(), self.pos + AHEAD)
            return found.end() if at > found.end() and (quoted or bare) else 0
        behind = _THEN_ITEM.match(self.buf, found.end(), self.pos + AHEAD)
        return found.end() if behind and scalar(behind[1]).kind in ("number", "literal") else 0

    def _key_above(self) -> int:
        """Where a key ends that stands in a list, and is declared for the object around it; else 0."""
        if self._place() != "item" or len(self.stack) < 2 or not self.stack[-1].node.items:
            return 0
        found = _BARE_KEY_ALONE.match(self.buf, self.pos)
        return found.end() if found and found[0] in self.stack[-2].known else 0

    def _bare_stops(self, end: int, opened: list[str]) -> Literal["stop", "on", "quote", "more"]:
        """Whether text without quotes ends here, perhaps at a closing quote; not inside brackets of its own."""
        buf = self.buf
        if not self.eof and len(buf) - end < AHEAD:
            return "more"
        sign = buf[end : end + 1]
        if opened and sign == opened[-1]:
            opened.pop()
            return "on"
        if not sign or sign in "\n\r}])":
            return "stop"
        if opened and sign == ",":
            known = self.stack[-1].known if self.stack else frozenset[str]()
            return "stop" if declared_key(buf, end_of(SPACE, buf, end + 1), known) else "on"
        if sign in '"”':
            if self._place() == "member" and self._begins_key(end):
                return "stop"
            behind = Behind(buf[end + 1 : end + 1 + AHEAD], True)
            if self._quoted % 2 == 0 and verdict(behind, self._place(), 0, self._closers()) == "ends":
                return "quote"
            self._quoted += 1
            return "on"
        if sign in "/#":
            comment = sign == "#" or buf[end + 1 : end + 2] in ("/", "*")
            return "stop" if comment and (buf[end - 1] in " \t" or self._is_scalar(end)) else "on"
        if sign in "；，、":
            return "stop" if self._place() == "item" or self._is_scalar(end) else "on"
        if self._place() != "member" or sign == ";":
            return "stop" if sign == "," or end + 1 == len(buf) or buf[end + 1] in "\n\r" else "on"
        rest = buf[end : end + AHEAD]
        after = end_of(SPACE, rest, 1)
        if after == len(rest) or rest[after] in ",}]" or "\n" in rest[:after] or rest.startswith(("//", "/*"), after):
            return "stop"
        if rest[after] == "#" and self._is_scalar(end):
            return "stop"
        return "stop" if QUOTED_KEY.match(rest, after) or BARE_KEY.match(rest, after) else "on"

    def _begins_key(self, end: int) -> bool:
        """Whether a quote begins the next key, and not one that nothing declares: in code, `a ? "b" : "c"` has none."""
        found = QUOTED_KEY.match(self.buf, end)
        known = self.stack[-1].known
        return found is not None and (not known or found[0].rstrip(" :=>：").strip(OPENERS) in known)

    def _is_scalar(self, end: int) -> bool:
        return scalar(self.buf[self.pos : end].strip()).kind in ("number", "literal")

    def _take_bare(self, end: int, quoted: bool, opened: bool = False) -> bool:
        """Takes the text up to a place; `opened` says that a bracket in it is still open."""
        word = self.buf[self.pos : end].rstrip()
        if len(word) > 1 and word[-1] == ",":  # between it and a comment
            end = self.pos + len(word) - 1
            word = word[:-1].rstrip()
        if not word:
            return self._unexpected()
        start = self.base + self.pos
        stop = start + len(word)
        if word[-1] in ":." and scalar(word[:-1]).kind in ("number", "literal") and self._is_comma(word[-1], end):
            word, quoted = word[:-1], False
            end, stop = self.pos + len(word), stop - 1
        if not quoted and self._has_lost_opening(word):
            word, quoted, stop, end = word[:-1], True, stop - 1, self.pos + len(word) - 1
        said, notes = unescaped(word, start) if quoted else (word, [])
        read = Scalar("string", said, self._missing_quote()) if quoted else scalar(word)
        if read.fix in NUMBER_STYLES and self._guide().keeps_digits:
            read = Scalar("bare", word)
        node = Node(read.kind, read.value, start, stop + quoted)
        node.notes = notes or None
        if read.kind == "number" and len(word) > self.bounds.digits:
            node = Node("hole", None, start, stop)
            node.note(Note("too_many_digits", start, stop, "", True))
        elif read.kind in ("bare", "string") and (
            opened or self._is_unclear(word, quoted) or (not quoted and self._is_odd_one(end))
        ):
            node.note(Note("likely_quote", start, node.end, read.json))
        elif read.fix:
            node.note(Note(read.fix, start, node.end, read.json))
        if _ESCAPED.match(word) or (read.kind == "bare" and self._is_before_container(word)):
            node.note(Note("unexpected_text", start, stop, "", True))
        if word.endswith(("...", "…")):
            node.note(Note("elision", start, stop, "", True))
        if read.kind == "bare" and self._is_variable(word):
            node.note(Note("missing_value", start, stop, "", True))
        cut = end == len(self.buf) if read.kind == "bare" else stop == self.base + len(self.buf)
        if self.stack and read.kind != "literal" and not quoted and cut:
            node.note(Note("open_scalar", start, stop, read.json))
        self._add(node)
        self.pos = end + 1 if quoted else stop - self.base
        self._state = self._after
        self.done = self.done or not self.stack
        return True

    def _is_unclear(self, word: str, quoted: bool) -> bool:
        """Whether text without quotes may as well be something else: a prefix or call around a string, inches, a key."""
        first = word.find('"')
        if word[0] == ":" or (word.startswith("&") and word.endswith(";")):
            return True  # a colon too many; quotes as HTML writes them
        if _ends_in_string(word, quoted):
            return True
        if quoted:
            return (word[-1].isdigit() and self._guide().is_text) or (
                self._place() == "member" and self._is_stray_key()
            )
        if (
            _SWALLOWED.search(word)
            or _ESCAPE.search(word)
            or _closes(word)
            or _PREFIXED.fullmatch(word)
            or not any(map(str.isalnum, word))
        ):
            return True
        if word[-1] in ".;" and scalar(word[:-1]).kind in ("number", "literal"):
            return True  # the sign may stand for a comma
        head = _HEAD.match(word)
        if head and scalar(head[1]).kind in ("number", "literal"):
            return True  # a bracket behind a value: a comma may be missing
        if first > 0 and (word[first - 1].isalnum() or not any(map(str.isalnum, word[:first]))):
            return True
        if _CODE.search(word) or (_NAMED.fullmatch(word) and self._place() == "member"):
            return True
        if first > 0 and QUOTED_KEY.search(word, first):
            return True  # a key that is not declared
        if first > 0 and scalar(word[:first].rstrip(" \t.:;=|")).kind in ("number", "literal"):
            return True  # another sign may stand for the comma
        return self._place() == "member" and self._is_bare_key() and _INNER_KEY.match(word) is not None

    def _is_stray_key(self) -> bool:
        """Whether the key of this member has no quotes either, and is not declared where others are: all may be text."""
        frame = self.stack[-1]
        return bool(frame.known) and frame.key not in frame.known and self._is_bare_key()

    def _is_odd_one(self, end: int) -> bool:
        """Whether it is the last item of a list whose other texts have quotes, so that it may say that there are more; or
        has no comma behind it, and a text in quotes instead, so that it may be a word too many.
        """
        if self._place() != "item" or not self._guide().is_text:
            return False
        items, behind = self.stack[-1].node.items[-_RECENT:], self.buf[end : end + AHEAD].lstrip()[:1]
        odd = (behind == "]" and bool(items)) or (behind != "" and behind in OPENERS)
        return odd and all(item.kind == "string" for item in items)

    def _is_before_container(self, word: str) -> bool:
        """Whether a bracket opens in the text that stands where a container is declared: it may be that container."""
        kinds = self._guide().kinds
        return "string" not in kinds and not kinds.isdisjoint(("object", "array")) and ("[" in word or "{" in word)

    def _is_variable(self, word: str) -> bool:
        """Whether the word of a value is that of its key: in code it names a variable, whose value is not known."""
        if self._place() != "member" or word in self._guide().texts:
            return False
        key, name = self.stack[-1].key, word.strip(_SIGILS)
        return word == key or (name != word and fold(name) == fold(key))

    def _has_lost_opening(self, word: str) -> bool:
        """Whether a text ends with a quote such as the others around it have: the one that opens it is missing."""
        notes = (self.stack[-1].node.notes or ())[-_RECENT:] if self.stack else ()
        return _closes(word) and any(note.kind == "quote_style" for note in notes)

    def _is_bare_key(self) -> bool:
        """Whether the key of this member was written without quotes."""
        frame = self.stack[-1]
        since = takewhile(lambda note: note.start >= frame.key_at, reversed(frame.node.notes or ()))
        return any(note.kind == "unquoted_key" and note.start == frame.key_at for note in since)

    def _prefix(self) -> bool:
        """A letter before a string, as Python writes it."""
        self.fix("literal_style", self.base + self.pos, self.base + self.pos + 1)
        self.pos += 1
        return True

    def _is_comma(self, sign: str, end: int) -> bool:
        """Whether a colon or a stop behind a number or literal stands for a comma: something follows it."""
        after = end_of(SPACE, self.buf, end)
        if self._place() == "item" and self.buf[after : after + 1] in OPENERS + "{[":
            return after < len(self.buf)
        return sign == ":" or QUOTED_KEY.match(self.buf, after) is not None

    def _missing_quote(self) -> str:
        """The fix of a string without its opening quote: behind an item without quotes, that may be a part of it."""
        items = self.stack[-1].node.items if self._place() == "item" else []
        return "likely_quote" if items and items[-1].kind in ("bare", "number") else "missing_quote"

    def _call(self, end: int) -> bool:
        """A constructor around one value, which stands for the whole."""
        self.fix("call", self.base + self.pos, self.base + end)
        self.pos = end
        self._calls.append(self.stack[-1] if self.stack else None)
        return True

    def _keywords(self, end: int) -> bool:
        """A call with arguments by name, which stands for an object of these."""
        at = self.base + self.pos
        if not self._push(Node("object", [], at, -1), ")"):
            return False
        frame = self.stack[-1]
        frame.closers = frame.around + ")"
        self.fix("call", at, self.base + end)
        self.pos = end
        self._state = self._members
        return True

    def _elision(self) -> bool:
        at, size = self.base + self.pos, 3 if self.buf[self.pos] == "." else 1
        node = Node("hole", None, at, at + size)
        node.note(Note("elision", at, at + size, "", True))
        self._add(node)
        self.pos += size
        self._state = self._after
        return True

    def _too_long(self) -> bool:
        digits = self.buf[self.pos] in "-0123456789" and self.buf[self.pos + 1 : self.pos + 50].isdigit()
        self._give_up("too_many_digits" if digits else "too_long")
        return False


def _ends_in_string(word: str, quoted: bool) -> bool:
    """Whether a word stands before what may as well be the string: `about "5 days"`, or one whose quote is misplaced.

    Args:
        word: the text, without the quote that ends it.
        quoted: whether one does.
    """
    count = len(_UNESCAPED.findall(word))
    return count % 2 == 1 or (not quoted and _THEN_STRING.fullmatch(word) is not None)


def _closes(word: str) -> bool:
    """Whether a text without quotes ends with one that nothing in it opens."""
    return word[-1] in "'’`´" and word.count(word[-1]) % 2 == 1 and len(word) > 1
