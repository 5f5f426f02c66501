"""The reader: one JSON value out of text that comes in pieces, tolerant, in time linear in the text.

What is plain JSON is read in long strides by regular expressions. What is not is read token by token; each deviation
from strict JSON is marked by `fix(...)` and each part without a reading by `fault(...)`, so that both can be audited
by searching for these words. A decision looks at a bounded stretch of text ahead (or at the end of the text), so that
the outcome does not depend on how the text was cut into pieces.
"""

from __future__ import annotations

import json
import re
from typing import Final, cast

from typedllm.reading.bare import PREFIX, BareReader
from typedllm.reading.cursor import SPACE, Frame, shown
from typedllm.reading.ends import CLOSING_TAG
from typedllm.reading.fixes import Note
from typedllm.reading.keys import QUOTED_KEY, DeclaredKey, declared_key
from typedllm.reading.nodes import Member, Node
from typedllm.reading.scalars import NUMBER
from typedllm.reading.strings import AHEAD, OPENERS, OpenString, end_of

_S: Final = r"[ \t\n\r]*"
_STRING: Final = r'"((?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})*+)"'
_VALUE: Final = rf"(?:{_STRING}|({NUMBER.pattern})|(true|false|null))"
_MEMBER: Final = re.compile(
    rf'{_S}{_STRING}{_S}:{_S}{_VALUE}{_S}(?:,(?={_S}"[^"\\\x00-\x1f]*"{_S}:)|(?=\}}{_S}[,\]}}]))'
)
_ITEM: Final = re.compile(
    rf'{_S}(?:{_VALUE}{_S}(?:,(?={_S}(?:["{{\[\-0-9]|true|false|null))|(?=\]{_S}[,\]}}]))'
    rf"|'(?!\s*')([^\"'\\\x00-\x1f]+)'{_S}(?:,(?={_S}[\"'{{\[0-9-])|(?=\]{_S}[,}}\]])))"
)
_KEY: Final = re.compile(rf"{_STRING}{_S}:")
_MEMBER_SCALAR: Final = re.compile(rf"({NUMBER.pattern}|true|false|null)(?={_S}(?:[\]}};；，、]|,[^0-9])|[\[{{])")
_ITEM_SCALAR: Final = re.compile(
    rf"({NUMBER.pattern}|true|false|null)(?={_S}[\],}};；，、]|[ \t\n\r]+(?:[\"{{\[0-9-]|true|false|null))"
)
_WORDS: Final = {"true": True, "false": False, "null": None}
_COLON: Final = re.compile(r":|=>?|[：;]")
_SECOND_COLON: Final = re.compile(r":\s*[\"'“\d{\[tfnTFN-]")
_LOOSE_KEY: Final = re.compile(r"([\w$@][^\n:{}\[\],\"]{0,100}?)([\"'”’`]?)\s*(?::|=>?|：)")
_NUMBER_ITEM: Final = re.compile(r"[-+]?[0-9][0-9.]{0,60}\s*[,}]")
_ODD_KEY: Final = re.compile(r"\S+\s+(?:-?\d[\d.]*|true|false|null|True|False|None)\s+\S|.*\\")
_NO_COLON: Final = re.compile(
    r"([^\W\d][\w$-]{0,60})\s+(?=(?:\"[^\"\n]*\"|'[^'\n]*'|“[^”\n]*”|‘[^’\n]*’|-?\d[\d.]*|true|false|null)\s*[,}])"
)
_FENCE: Final = re.compile(r"`{3,}[ \t]*(?:\n|\Z)")
_PLUS: Final = re.compile(r"\+\s*(?:(?:/\*(?:[^*]|\*(?!/))*\*/|//[^\n]*\n)\s*)*")
_OPEN_KEY: Final = re.compile(r"[\"'“]([^\W\d][\w$-]*)\s*:\s*(?=[\"'“\d{\[tfnTFN-])")
_OTHER: Final = re.compile(rf"[^,}}\]\n]{{1,{AHEAD}}}")


class JsonReader(BareReader):
    """Reads one JSON value, from its first character on.

    Args:
        shape: what the value is declared to be, as guide.
        base: offset of that first character in the reply.
        bounds: what it may hold.
        strict: the text is known to be JSON: no quote inside a string is in doubt.
    """

    # ---- objects ----

    def _members(self) -> bool:
        """Expects a key or the end of an object."""
        frame = self.stack[-1]
        self._plain_members(frame)
        sign = self._next()
        if not sign or self.done:
            return False
        at = self.base + self.pos
        if sign in OPENERS:
            return self._quoted_key()
        if sign in "}])":
            return self._closer(sign)
        if sign == ",":
            self.fix("extra_comma", at, at + 1)
            self.pos += 1
            return True
        if sign in "{[" and not frame.node.members:
            return self._second_opener(frame, sign)
        if sign in "{[" and len(self.stack) > 1 and self.stack[-2].closer == "]":
            self._close_missing(at)
            return True
        return self._bare_key()

    def _second_opener(self, frame: Frame, sign: str) -> bool:
        """A container where the first key should be: the bracket before it is doubled, or another one was meant."""
        if self._turn_to_array(frame):
            self._state = self._items
            return True
        if sign == "[":
            return self._unexpected()
        at = self.base + self.pos
        self.fix("extra_opener", at, at + 1)
        self.pos += 1
        return True

    def _plain_members(self, frame: Frame) -> None:
        """The long stride: members that are plain JSON with plain values."""
        if self._comment:
            return
        buf, pos, base, members, known = self.buf, self.pos, self.base, frame.node.members, frame.known
        any_key = not known or len(self.stack) == 1 or not frame.shape.closed
        match = _MEMBER.match
        while (found := match(buf, pos)) is not None:
            key, text, number, word = found.groups()
            if not (any_key or key in known):
                break
            part = 2 if text is not None else 3 if number is not None else 4
            start, end = found.span(part)
            if part == 2:
                if text and "\\" in text:
                    text = json.loads(f'"{text}"')
                node = Node("string", text, base + start - 1, base + end + 1)
            elif part == 3:
                if end - start > self.bounds.digits:
                    break
                node = Node("number", number, base + start, base + end)
            else:
                node = Node("literal", _WORDS[word], base + start, base + end)
            members.append(Member(json.loads(f'"{key}"') if "\\" in key else key, node, base + found.start(1) - 1))
            pos = found.end()
            frame.comma = base + pos - 1 if buf[pos - 1] == "," else -1
            self.parts += 1
        self.pos = pos
        if self._is_full():
            self._give_up("too_many_keys")

    def _quoted_key(self) -> bool:
        found = _KEY.match(self.buf, self.pos)
        if found is None:
            if self._lacks(AHEAD):
                return False
            declared = declared_key(self.buf, self.pos, self.stack[-1].known)
            if declared:
                return self._declared_key(declared)
            found = _OPEN_KEY.match(self.buf, self.pos)
            if found is None or QUOTED_KEY.match(self.buf, self.pos):
                return self._open_string("key")
            self.fix("missing_quote", self.base + found.start(), self.base + found.end(1), f'"{found[1]}"')
        key = json.loads(f'"{found[1]}"') if "\\" in found[1] else found[1]
        return self._take_key(key, self.base + self.pos, found.end())

    def _declared_key(self, key: DeclaredKey) -> bool:
        """A declared key whose quotes or colon are not those of JSON."""
        at, end, colon = self.base + self.pos, self.base + key.end, self.base + key.colon_at
        quotes = key.opening + key.closing
        if quotes != '""':
            kind = "extra_quote" if len(quotes) > 2 else ("unquoted_key", "missing_quote", "quote_style")[len(quotes)]
            self.fix(kind, at, self.base + key.stop, shown(key.name))
        if not key.colon:
            self.fix("missing_colon", end, end, ":")
        elif key.colon != ":":
            self.fix("wrong_colon", colon, colon + len(key.colon), ":")
        elif quotes == '""':
            self.fix("space", at, end)
        return self._take_key(key.name, at, key.end)

    def _take_key(self, key: str, at: int, end: int) -> bool:
        """Takes a key that is followed by its colon, unless it shows that the object ended before it."""
        frame = self.stack[-1]
        if self._belongs_above(frame, key):
            comma = frame.comma
            frame.comma = -1
            self._close_missing(at)
            self.stack[-1].comma = comma
            self._state = self._members
            return True
        frame.key, frame.key_at = key, at
        self.pos = end
        self._state = self._value
        return True

    def _belongs_above(self, frame: Frame, key: str) -> bool:
        """Whether the key is unknown here and known to the object around: the closing bracket is missing."""
        if self.strict or not frame.known or key in frame.known or len(self.stack) < 2 or not frame.shape.closed:
            return False
        above = self.stack[-2]
        if not above.known or key not in above.known:
            return False
        return all(member.key != key for member in above.node.members[-64:])

    def _bare_key(self) -> bool:
        if self._lacks(AHEAD):
            return False
        if PREFIX.match(self.buf, self.pos, self.pos + AHEAD):
            return self._prefix()
        at = self.base + self.pos
        if _NUMBER_ITEM.match(self.buf, self.pos) and self._turn_to_array(self.stack[-1]):
            self._state = self._items
            return True
        declared = declared_key(self.buf, self.pos, self.stack[-1].known)
        if declared:
            return self._declared_key(declared)
        found = _LOOSE_KEY.match(self.buf, self.pos)
        if found is None:
            found = _NO_COLON.match(self.buf, self.pos, self.pos + AHEAD)
            if found is None:
                return self._unexpected()
            self.fix("unquoted_key", at, self.base + found.end(1), f'"{found[1]}"')
            self.fix("missing_colon", self.base + found.end(), self.base + found.end(), ":")
            return self._take_key(found[1], at, found.end())
        key = found[1].strip()
        kind = "likely_quote" if _ODD_KEY.match(key) else "missing_quote" if found[2] else "unquoted_key"
        self.fix(kind, at, self.base + found.end(2), f'"{key}"')
        if found[0][-1] != ":":
            self.fix("wrong_colon", self.base + found.end() - 1, self.base + found.end(), ":")
        return self._take_key(key, at, found.end())

    def _unexpected(self) -> bool:
        """Text that is no part of JSON: it is passed over and told."""
        if self._lacks(AHEAD):
            return False
        at = self.base + self.pos
        if self.buf.startswith(("...", "…"), self.pos):
            size = 3 if self.buf[self.pos] == "." else 1
            self.fault("elision", at, at + size)
            self.pos += size
            self.stack[-1].comma = -1
            return True
        end = max(end_of(_OTHER, self.buf, self.pos), self.pos + 1)
        self.fault("unexpected_text", at, self.base + end)
        self.pos = end
        return True

    def _colon(self) -> bool:
        """Expects the colon after a key that was read as a string."""
        sign = self._next()
        if not sign:
            return False
        frame, at = self.stack[-1], self.base + self.pos
        if sign in ",}]" and self._turn_to_array(frame):
            self._add(Node("string", frame.key, frame.key_at, at))
            self._state = self._after
            return True
        found = _COLON.match(self.buf, self.pos)
        if found and self._lacks(2):
            return False
        if found is None and sign not in ",}])":
            self.fix("missing_colon", at, at, ":")
        elif found and found[0] != ":":
            self.fix("wrong_colon", at, self.base + found.end(), ":")
        if found:
            self.pos = found.end()
        if self._belongs_above(frame, frame.key):
            key, key_at = frame.key, frame.key_at
            frame.key_at, comma, frame.comma = -1, frame.comma, -1
            self._close_missing(key_at)
            frame = self.stack[-1]
            frame.key, frame.key_at, frame.comma = key, key_at, comma
        self._state = self._value
        return True

    # ---- arrays ----

    def _items(self) -> bool:
        """Expects an item or the end of an array."""
        frame = self.stack[-1]
        if not self._comment:
            self._plain_items(frame)
        return self._value()

    def _plain_items(self, frame: Frame) -> None:
        buf, pos, base, items = self.buf, self.pos, self.base, frame.node.items
        match = _ITEM.match
        while (found := match(buf, pos)) is not None:
            text, number, word, single = found.groups()
            part = 1 if text is not None else 2 if number is not None else 3 if word else 4
            start, end = found.span(part)
            if part == 1:
                if text and "\\" in text:
                    text = json.loads(f'"{text}"')
                node = Node("string", text, base + start - 1, base + end + 1)
            elif part == 2:
                if end - start > self.bounds.digits:
                    break
                node = Node("number", number, base + start, base + end)
            elif word:
                node = Node("literal", _WORDS[word], base + start, base + end)
            else:
                node = Node("string", single, base + start - 1, base + end + 1)
                node.note(Note("quote_style", node.start, base + start, '"'))
                self.noted += 1
            items.append(node)
            pos = found.end()
            frame.comma = base + pos - 1 if buf[pos - 1] == "," else -1
            self.parts += 1
        self.pos = pos
        if self._is_full():
            self._give_up("too_many_keys")

    # ---- values ----

    def _value(self) -> bool:
        """Expects a value; in an array also its end."""
        sign = self._next()
        if not sign or self.done:
            return False
        if sign in "{[(":
            return self._open(sign)
        if sign in OPENERS:
            return self._open_string(self._place())
        if sign in ",}])":
            return self._no_value(sign)
        if sign == ":" and self._place() == "member":
            if self._lacks(AHEAD):
                return False
            if _SECOND_COLON.match(self.buf, self.pos):
                self.fix("wrong_colon", self.base + self.pos, self.base + self.pos + 1)
                self.pos += 1
                return True
        if sign == "<" and self.stack:
            if self._lacks(AHEAD):
                return False
            if CLOSING_TAG.match(self.buf, self.pos):
                self.fault("unfinished", self.base + self.pos, self.base + self.pos)
                return self._end_at_fence()
        found = (_ITEM_SCALAR if self._place() == "item" else _MEMBER_SCALAR).match(self.buf, self.pos)
        if found is None or found.end() - found.start() > self.bounds.digits:
            return self._bare_value()
        word = found[0]
        node = self._scalar_node(word, self.pos, found.end())
        self._add(node)
        self.pos = found.end()
        self._state = self._after
        return True

    def _scalar_node(self, word: str, start: int, end: int) -> Node:
        if word in _WORDS:
            return Node("literal", _WORDS[word], self.base + start, self.base + end)
        return Node("number", word, self.base + start, self.base + end)

    def _no_value(self, sign: str) -> bool:
        at = self.base + self.pos
        if self._place() == "item":
            if sign != ",":
                return self._closer(sign)
            self.fix("extra_comma", at, at + 1)
            self.pos += 1
            return True
        if self._place() == "root":
            self.done = True
            return False
        hole = Node("hole", None, at, at)
        hole.note(Note("missing_value", self.stack[-1].key_at, at, "", True))
        self._add(hole)
        self.noted += 1
        self.counted += 1
        self.faults += 1
        if self.faults > self.bounds.faults:
            self._give_up("too_many_fixes")
        self._state = self._after
        return True

    # ---- after a value ----

    def _after(self) -> bool:
        """Expects a comma or a closing bracket."""
        sign = self._next()
        if not sign or self.done:
            return False
        frame, at = self.stack[-1], self.base + self.pos
        called = bool(self._calls) and frame is self._calls[-1]
        if called and sign != ")":
            self._calls, called = [], False
            self.fault("unexpected_text", at, at + 1)
        if sign == ",":
            frame.comma = at
            self.pos += 1
        elif sign in "}])":
            return self._close_call() if called else self._closer(sign)
        elif sign in ";；，、":
            self.fix("wrong_comma", at, at + 1, ",")
            frame.comma = at
            self.pos += 1
        elif sign == "+" and self._last(frame).kind == "string":
            return self._concatenate(frame)
        elif sign in ".:" and self._lacks(AHEAD):
            return False
        elif sign in ".:" and self._for_comma(frame):
            self.fix("wrong_comma", at, at + 1, ",")
            frame.comma = at
            self.pos += 1
        elif sign == ":":
            return self._key_in_array(frame) if frame.closer == "]" else self._key_for_value(frame)
        else:
            return self._no_comma(frame, sign)
        self._state = self._members if frame.closer == "}" else self._items
        return True

    def _for_comma(self, frame: Frame) -> bool:
        """Whether a stop or a colon stands where a comma should: the next member or item follows it."""
        after = end_of(SPACE, self.buf, self.pos + 1)
        if frame.closer == "}":
            return QUOTED_KEY.match(self.buf, after) is not None
        return self.buf[self.pos] == "." and self.buf[after : after + 1] in OPENERS + "{["

    def _last(self, frame: Frame) -> Node:
        return cast("Node", frame.node.last)

    def _close_call(self) -> bool:
        self._calls.pop()
        self.pos += 1
        return True

    def _concatenate(self, frame: Frame) -> bool:
        space = _PLUS.match(self.buf, self.pos, self.pos + AHEAD)
        at = space.end() if space else self.pos + 1
        if at == len(self.buf) and not self.eof:
            return False
        if self.buf[at : at + 1] not in OPENERS or at == len(self.buf):
            return self._unexpected()
        if not self.eof and len(self.buf) - at < 3:
            return False
        plus = self.base + self.pos
        self.pos = at
        self._open_string(self._place(), quick=False)
        cast("OpenString", self._string).joined = self._last(frame)
        self.fix("concatenation", plus, plus + 1)
        return True

    def _end_at_fence(self) -> bool:
        """The fence or tag around the document closes before its brackets do."""
        end = self.base + self.pos
        while self.stack:
            self._close_missing(end)
        return False

    def _no_comma(self, frame: Frame, sign: str) -> bool:
        at = self.base + self.pos
        if sign == "`":
            if self._lacks(AHEAD):
                return False
            if _FENCE.match(self.buf, self.pos):
                return self._end_at_fence()
        if sign == "<":
            if self._lacks(AHEAD):
                return False
            if CLOSING_TAG.match(self.buf, self.pos):
                return self._end_at_fence()
        if frame.closer == "}":
            if sign in "{[" and len(self.stack) > 1 and self.stack[-2].closer == "]":
                self._close_missing(at)
                return True
            if self._lacks(AHEAD):
                return False
            is_key = QUOTED_KEY.match(self.buf, self.pos) or _LOOSE_KEY.match(self.buf, self.pos)
            if not is_key and declared_key(self.buf, self.pos, frame.known) is None:
                return self._unexpected()
            self._state = self._members
        elif frame.also == ")" and sign in OPENERS:
            return self._unexpected()  # Python takes two strings in a row for one
        elif sign in OPENERS and self._last(frame).end == at and self._last(frame).kind in ("number", "literal"):
            return self._unexpected()  # it may belong to what it is glued to
        elif sign in OPENERS or sign in "{[(" or sign.isalnum() or sign == "-":
            self._state = self._items
        else:
            return False if self._lacks(4) else self._unexpected()
        self.fix("missing_comma", at, at, ",")
        return True
