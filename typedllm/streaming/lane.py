"""The quick lane: while the text is plain JSON that the type takes as it stands, what is shown is read off it directly.

A reply is nearly always that, from its first bracket to its last. So one pass of a few regular expressions builds the
data and notes the changes, without nodes. A part counts only where the reader would be certain of it too: a text ends
where the document's structure follows its quote. At the first sign that is anything else the lane ends, for good: the
reader takes the text so far, once, and goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

from typedllm.reading.bounds import Bounds
from typedllm.reading.scalars import NUMBER
from typedllm.records import MISSING
from typedllm.streaming.places import Place
from typedllm.streaming.snapshots import Change, Open, Text

_LONGEST_KEY: Final = 80
_WAITS: Final = 300  # characters that are awaited before something is told from what the reader has to judge

_S: Final = r"[ \t\n\r]*+"
_CHARS: Final = (
    r'(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+"
)
_KEY: Final = rf'"([^"\\\x00-\x1f]*+)"{_S}:'
_WORD: Final = "true|false|null"
# What stands behind a closing bracket whose last part is a text, so that the bracket is surely none of its characters.
_OUT: Final = rf"(?={_S}[,}}\]`<]|[ \t\r]*+\n{_S}[^ \t\n\r])"
_SCALAR: Final = rf"({NUMBER.pattern}|{_WORD})"
_NEXT_ITEM: Final = rf',(?={_S}["{{\[\-0-9tfn])'


def _member_with(out: str) -> re.Pattern[str]:
    """A value with the next key, or before the end of the object: the text, the scalar, the keys behind each."""
    return re.compile(rf'{_S}(?:"({_CHARS})"{_S}(?:,{_S}{_KEY}|(?=\}}{out}))|{_SCALAR}{_S}(?:,{_S}{_KEY}|(?=\}})))')


def _item_with(out: str) -> re.Pattern[str]:
    """An item with the comma behind it, or before the end of the list."""
    return re.compile(rf'{_S}(?:"({_CHARS})"{_S}({_NEXT_ITEM}|(?=\]{out}))|{_SCALAR}{_S}({_NEXT_ITEM}|(?=\])))')


def _end(out: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The quote that ends a text in an object, and in a list."""
    return (
        re.compile(rf'"{_S}(?:,{_S}{_KEY}|(?=\}}{out}))'),
        re.compile(rf'"{_S}({_NEXT_ITEM}|(?=\]{out}))'),
    )


_MEMBER: Final = (
    _member_with(_OUT),
    _member_with(rf"(?:{_OUT}|(?={_S}\Z))"),
)  # while more may come; when the text is complete
_ITEM: Final = _item_with(_OUT), _item_with(rf"(?:{_OUT}|(?={_S}\Z))")
_END: Final = _end(_OUT), _end(rf"(?:{_OUT}|(?={_S}\Z))")
_FIRST: Final = re.compile(rf"{_S}(?:{_KEY}|\}})")
_NEXT: Final = re.compile(rf"{_S}(?:,{_S}{_KEY}|\}})")
_COMMA: Final = re.compile(rf"{_S}(?:,|\])")
_TEXT: Final = re.compile(_CHARS)
_SPACE: Final = re.compile(_S)

# What may still become one of these.
_KEY_BEGUN: Final = r'(?:"[^"\\\x00-\x1f]*+(?:"[ \t\n\r]*+)?)?'
_SCALAR_BEGUN: Final = re.compile(rf"{_S}(?:[-+.0-9a-zE]+{_S}(?:,{_S}{_KEY_BEGUN})?)?\Z")
_END_BEGUN: Final = re.compile(rf'"{_S}(?:,{_S}{_KEY_BEGUN}|[}}\]]{_S})?\Z')
_FIRST_BEGUN: Final = re.compile(rf"{_S}{_KEY_BEGUN}\Z")
_NEXT_BEGUN: Final = re.compile(rf"{_S}(?:,{_S}{_KEY_BEGUN})?\Z")
_ESCAPE_BEGUN: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,4}(?:\\u?[0-9a-fA-F]{0,3})?)?\Z")

_WHITE: Final = " \t\n\r"  # and no sign at all
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}


class _Level:
    """An object or a list that is open: its place, and what of it is final."""

    __slots__ = ("key", "open", "parts", "place")

    def __init__(self, parts: dict[str, Any] | list[Any], place: Place, above: Open | None, key: str | int) -> None:
        self.parts = parts
        self.place = place
        self.key = ""  # of the member that is being read
        self.open = Open(above, key, parts)

    def put(self, key: str | int, data: Any) -> None:
        """Take in a part that is final."""
        if isinstance(self.parts, dict):
            self.parts[str(key)] = data
        else:
            self.parts.append(data)


class Lane:
    """Reads plain JSON in pieces, from its opening bracket on.

    Args:
        place: what is declared for it.
        nulls: whether null stands for an absent property, where that does not take null.
        bounds: what it may hold.

    Attributes:
        changes: what is new since somebody took them.
        text: the open text, where it is shown.
        root: the whole, once it is closed.
        rest: what was not read yet; once the whole is closed, what stands behind it.
    """

    def __init__(self, place: Place, nulls: bool, bounds: Bounds) -> None:
        self._place = place
        self._nulls = nulls
        self._bounds = bounds
        self._at = 0  # how far `rest` was read
        self._complete = False  # whether nothing more will come
        self._doubt = False
        self._stack: list[_Level] = []
        self._step: Callable[[], bool] = self._begin
        self._below = place  # what is declared for the open text
        self._parts: list[str] = []  # of it
        self._shown = Text()  # what of it is shown
        self._tail = ""  # held back: it may turn out to stand behind the text
        self.changes: list[Change] = []
        self.text: Open | None = None
        self.root: Any = MISSING
        self.rest = ""

    @property
    def top(self) -> Open | None:
        """The innermost open part."""
        return self.text or (self._stack[-1].open if self._stack else None)

    @property
    def chain(self) -> list[Open]:
        """The open parts, outermost first."""
        chain = [level.open for level in self._stack]
        return chain if self.text is None else [*chain, self.text]

    @property
    def length(self) -> int:
        """How many characters of the open text are shown."""
        return 0 if self.text is None else len(self._shown)

    def feed(self, text: str) -> bool:
        """Take the next piece; False: there is something that the reader has to judge."""
        self.rest += text
        while self._step():
            pass
        if self._at:
            self.rest = self.rest[self._at :]
            self._at = 0
        return not self._doubt

    def end(self) -> bool:
        """End the text; False: it is not complete."""
        self._complete = True
        return self.feed("") and self.root is not MISSING

    # ---- what is expected next: each reads what it can, and says whether something else is expected now ----

    def _begin(self) -> bool:
        return self._open_part(self._place, None, "", 0)

    def _first(self) -> bool:
        """The first key of an object, or its end."""
        found = _FIRST.match(self.rest, self._at)
        return self._key(found[1], found.end()) if found else self._wait(_FIRST_BEGUN, self._at)

    def _member(self) -> bool:
        """The value of a member, and what follows it."""
        buf, at, level, changes = self.rest, self._at, self._stack[-1], self.changes
        part, key, place, members = level.open, level.key, level.place, cast("dict[str, Any]", level.parts)
        match = _MEMBER[self._complete].match
        while (found := match(buf, at)) is not None:
            text, behind, scalar, after = found.groups()
            below = place.kept(key)
            if below is None or key in members:
                return self._give_up()
            if text is not None:
                data: Any = json.loads(f'"{text}"') if "\\" in text else text
            else:
                data, behind = self._scalar(scalar), after
            if type(data) in below.sure or below.takes(data):
                members[key] = data
                changes.append(("closed" if text is None else "written", part, key, data))
                if place.several:
                    place = level.place = place.narrowed(key, data)
            elif not (data is None and self._nulls and place.may_lack(key)):
                return self._give_up()
            at = found.end()
            if behind is None:
                return self._close(at + 1)
            key = behind
        level.key, self._at = key, at
        below = None if key in members else place.kept(key)
        return self._give_up() if below is None else self._value(below, part, key)

    def _item(self) -> bool:
        """An item of a list, and what follows it."""
        buf, at, level, changes = self.rest, self._at, self._stack[-1], self.changes
        part, place, items = level.open, level.place, cast("list[Any]", level.parts)
        match = _ITEM[self._complete].match
        while (found := match(buf, at)) is not None:
            text, behind, scalar, after = found.groups()
            below = place.item(len(items))
            if text is not None:
                data: Any = json.loads(f'"{text}"') if "\\" in text else text
            else:
                data, behind = self._scalar(scalar), after
            if type(data) not in below.sure and not below.takes(data):
                return self._give_up()
            changes.append(("closed" if text is None else "written", part, len(items), data))
            items.append(data)
            at = found.end()
            if not behind:
                return self._close(at + 1)
        self._at = at
        return self._value(place.item(len(items)), part, len(items))

    def _value(self, place: Place, above: Open, key: str | int) -> bool:
        """A value that is not there in one piece."""
        buf, at = self.rest, self._at
        sign = buf[at : at + 1]
        if sign in _WHITE:
            at = _end_of(_SPACE, buf, at)
            if at == len(buf):
                return False
            sign = buf[at]
        if sign in "{[":
            return self._open_part(place, above, key, at)
        if sign == '"':
            return self._open_text(place, above, key, at + 1)
        if sign == "]" and key == 0:
            return self._close(at + 1)
        return self._wait(_SCALAR_BEGUN, at)

    def _after(self) -> bool:
        """What follows an object or a list that was closed."""
        if isinstance(self._stack[-1].parts, dict):
            found = _NEXT.match(self.rest, self._at)
            return self._key(found[1], found.end()) if found else self._wait(_NEXT_BEGUN, self._at)
        found = _COMMA.match(self.rest, self._at)
        if found is None:
            return self._wait(_NEXT_BEGUN, self._at)
        if found[0][-1] == "]":
            return self._close(found.end())
        self._at = found.end()
        self._step = self._item
        return True

    def _in_text(self) -> bool:
        """What comes of a text, to its end."""
        buf, at = self.rest, self._at
        found = _TEXT.match(buf, at)
        end = found.end() if found else at
        if end > at:
            piece = buf[at:end]
            if "\\" in piece:
                piece = str(json.loads(f'"{piece}"'))
            self._parts.append(piece)
            self._show(piece)
            self._at = end
        if end == len(buf):
            return False
        if buf[end] == "\\":
            return self._wait(_ESCAPE_BEGUN, end)
        level = self._stack[-1]
        is_item = isinstance(level.parts, list)
        found = _END[self._complete][is_item].match(buf, end)
        if found is None:
            return self._wait(_END_BEGUN, end)
        if not self._end_text(level):
            return self._give_up()
        if is_item and found[1]:
            self._at = found.end()
            self._step = self._item
            return True
        return self._key(None if is_item else found[1], found.end() + (is_item or found[1] is None))

    # ---- parts ----

    def _scalar(self, word: str) -> Any:
        """A number or a word; `MISSING` where a number is too long."""
        if word in _WORDS:
            return _WORDS[word]
        if len(word) > self._bounds.digits:
            return MISSING
        return int(word) if word.removeprefix("-").isdecimal() else float(word)

    def _key(self, key: str | None, end: int) -> bool:
        """The next key, or None: the end."""
        if key is None:
            return self._close(end)
        self._stack[-1].key = key
        self._at = end
        self._step = self._member
        return True

    def _open_part(self, place: Place, above: Open | None, key: str | int, at: int) -> bool:
        if self.rest[at] not in "{[":
            return self._give_up()
        is_object = self.rest[at] == "{"
        found = place.of_kind("object" if is_object else "array")
        if not found.declared or len(self._stack) >= self._bounds.depth or (not is_object and found.drops):
            return self._give_up()
        level = _Level({} if is_object else [], found, above, key)
        self._stack.append(level)
        self.changes.append(("opened", above, key, level.open))
        self._at = at + 1
        self._step = self._first if is_object else self._item
        return True

    def _close(self, end: int) -> bool:
        level = self._stack.pop()
        data = level.parts
        if isinstance(data, dict) and level.place.fills_in(data):
            self._stack.append(level)
            return self._give_up()
        self._at = end
        key = level.open.key
        if not self._stack:
            self.root = data
            self.changes.append(("closed", None, "", data))
            return False
        above = self._stack[-1]
        above.put(key, data)
        self.changes.append(("closed", above.open, key, data))
        self._step = self._after
        return True

    def _open_text(self, place: Place, above: Open, key: str | int, at: int) -> bool:
        self._parts, self._at, self._below = [], at, place
        self._step = self._in_text
        if place.texts and (isinstance(key, str) or len(self._stack) == 1):
            self._show_text(above, key)
        return True

    def _show_text(self, above: Open, key: str | int) -> None:
        self._shown, self._tail = Text(), ""
        self.text = Open(above, key, self._shown)
        self.changes.append(("opened", above, key, MISSING))

    def _show(self, piece: str) -> None:
        """Show what came of the open text, unless it may turn out to be a key of the object around the list."""
        text = self.text
        if text is None:
            level = self._stack[-1]
            if isinstance(level.parts, dict) or not self._below.texts or sum(map(len, self._parts)) <= _LONGEST_KEY:
                return
            self._show_text(level.open, len(level.parts))
            text, piece = cast("Open", self.text), "".join(self._parts)
        shown = new = self._tail + piece
        if new[-1] == "," or new[-1].isspace():
            shown = new.rstrip().removesuffix(",").rstrip()
        self._tail = new[len(shown) :]
        if shown:
            self._shown.add(shown)
            self.changes.append(("grew", text.above, text.key, shown))

    def _end_text(self, level: _Level) -> bool:
        """The open text is complete; False: it does not stand here as it is."""
        data = "".join(self._parts)
        if str not in self._below.sure and not self._below.takes(data):
            return False
        key = level.key if isinstance(level.parts, dict) else len(level.parts)
        self.changes.append(("written" if self.text is None else "closed", level.open, key, data))
        level.put(key, data)
        self.text = None
        if level.place.several and isinstance(key, str):
            level.place = level.place.narrowed(key, data)
        return True

    def _wait(self, begun: re.Pattern[str], at: int) -> bool:
        """Wait for more of what may be something plain."""
        if len(self.rest) - at > _WAITS or begun.match(self.rest, at) is None:
            self._doubt = True
        return False

    def _give_up(self) -> bool:
        self._doubt = True
        return False


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
