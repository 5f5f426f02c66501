"""Brackets: which container opens, which closes, and what a bracket that is wrong, missing or one too many means."""

from __future__ import annotations

import re
from typing import Final, Literal

from typedllm.reading.cursor import SPACE, Frame
from typedllm.reading.fixes import Note
from typedllm.reading.keys import QUOTED_KEY
from typedllm.reading.nodes import Node
from typedllm.reading.shape import Kind
from typedllm.reading.strides import StrideReader
from typedllm.reading.strings import AHEAD, OPENERS, end_of

_CLOSING: Final = re.compile(r"[}\])\s]*")


class BracketReader(StrideReader):
    """Opens and closes containers.

    Attributes:
        passed: offsets of closing brackets that are known to be one too many.
    """

    passed: frozenset[int] = frozenset()

    def _open(self, sign: str) -> bool:
        at = self.base + self.pos
        if self._fits_above(sign):
            frame = self.stack[-1]
            comma, frame.comma = frame.comma, -1
            self._close_missing(at)
            self.stack[-1].comma = comma
        if sign == "(" or not self.at_once:
            tried = 1
        elif (tried := self._at_once()) == 0:
            return not self.done
        if not self._push(Node("object" if sign == "{" else "array", [], at, -1), ")" if sign == "(" else "", tried):
            return False
        if sign == "(":
            self.fix("tuple", at, at + 1, "[")
        self.pos += 1
        self._state = self._members if sign == "{" else self._items
        return True

    def _push(self, node: Node, also: str = "", tried: int = 1) -> bool:
        if len(self.stack) >= self.bounds.depth:
            self._give_up("too_deep")
            return False
        shape = self._guide()
        self._add(node)
        self.stack.append(Frame(node, shape, "}" if node.kind == "object" else "]", self._closers(), also, tried))
        return True

    def _closer(self, sign: str) -> bool:
        """A closing bracket, right or wrong."""
        at = self.base + self.pos
        frame = self.stack[-1]
        if at in self.passed:
            return self._pass_over()
        if frame.comma >= 0:
            self.fix("trailing_comma", frame.comma, frame.comma + 1)
            frame.comma = -1
        if sign not in (frame.closer, frame.also):
            found = next((i for i in range(len(self.stack) - 2, -1, -1) if self.stack[i].closer == sign), -1)
            meant = self._meant(found)
            if meant == "more":
                return False
            if meant == "extra":
                return self._no_opener(frame) if sign == "]" and self._is_item(frame) else self._pass_over()
            if meant == "wrong":
                self.fix("wrong_closer", at, at + 1, frame.closer)
            else:
                while len(self.stack) - 1 > found:
                    self._close_missing(at)
        self.pos += 1
        self._close(at + 1)
        return True

    def _is_item(self, frame: Frame) -> bool:
        """Whether the last value of an object is an item of the list that is declared there."""
        if frame.closer != "}" or not frame.node.members:
            return False
        member = frame.node.members[-1]
        shape = frame.shape.child(member.key)
        kind: Kind = "object" if member.node.kind == "object" else "string"
        return "array" in shape.kinds and member.node.kind in (kind, "number") and kind not in shape.kinds

    def _no_opener(self, frame: Frame) -> bool:
        """A list of one item whose opening bracket is missing."""
        at = self.base + self.pos
        member = frame.node.members.pop()
        items = Node("array", [member.node], member.node.start, at + 1)
        items.note(Note("missing_opener", member.node.start, member.node.start, "["))
        frame.node.members.append(member._replace(node=items))
        self.pos += 1
        self._state = self._after
        return True

    def _pass_over(self) -> bool:
        at = self.base + self.pos
        self.fix("extra_closer", at, at + 1)
        self.pos += 1
        self._state = self._after
        return True

    def _meant(self, found: int) -> Literal["wrong", "extra", "missing", "more"]:
        """What a closing bracket that does not fit means: another one for the innermost container, one too many, or
        the right one for the container that was found further out, behind others that are missing.
        """
        if self._lacks(AHEAD):
            return "more"
        behind = self.buf[self.pos + 1 : self.pos + AHEAD]
        at = end_of(SPACE, behind, 0)
        if found < 0 and not self.stack[-1].node.value:
            return "wrong"  # right behind the bracket that opens it
        if found < 0:
            return "extra" if self._goes_on(behind, at) and not self._for_inner(behind, at) else "wrong"
        if found == 0:
            more = behind[at : at + 1] in (",", "}", "]") and behind[at:].strip(" \t\n\r`")
            return "wrong" if more else "missing"
        if behind[at : at + 1] != ",":
            return "missing"
        key = QUOTED_KEY.match(behind, end_of(SPACE, behind, at + 1))
        in_object = self.stack[found - 1].closer == "}"
        return "wrong" if (key is not None) != in_object else "missing"

    def _goes_on(self, behind: str, at: int) -> bool:
        """Whether the innermost container goes on behind a bracket that nothing opened, or its own bracket follows."""
        frame = self.stack[-1]
        if behind[at : at + 1] == ",":
            at = end_of(SPACE, behind, at + 1)
            return (QUOTED_KEY.match(behind, at) is not None) == (frame.closer == "}")
        brackets = end_of(_CLOSING, behind, at)
        wanted = [each.closer for each in self.stack[::-1]]
        return "".join(behind[at:brackets].split()).startswith("".join(wanted)[:brackets] or " ")

    def _for_inner(self, behind: str, at: int) -> bool:
        """Whether the key behind a bracket that nothing opened shows that it was meant for the innermost object."""
        frame = self.stack[-1]
        if len(self.stack) < 2 or self.stack[-2].closer != "}" or behind[at : at + 1] != ",":
            return False
        last = frame.node.members[-1].node if frame.closer == "}" and frame.node.members else None
        if last is not None and last.kind == "array" and self.buf[self.pos] == "]":
            return False  # it is doubled
        key = QUOTED_KEY.match(behind, end_of(SPACE, behind, at + 1))
        name = key[0].rstrip(" \t\r\n:=>：").strip(OPENERS) if key else ""
        return name not in frame.known

    def _key_in_array(self, frame: Frame) -> bool:
        """A colon after an item: the item is a key. The declared type tells which bracket is missing or wrong."""
        items = frame.node.items
        key = items[-1]
        if key.kind not in ("string", "bare") or key.notes:
            return self._unexpected()
        above = self.stack[-2] if len(self.stack) > 1 and self.stack[-2].closer == "}" else None
        takes_objects = frame.shape.item(len(items) - 1)
        if len(items) == 1 and "object" in frame.shape.kinds and "array" not in frame.shape.kinds:
            self._turn_to_object(frame)
        elif key.text in takes_objects.properties and not (above and key.text in above.known and len(items) > 1):
            items.pop()
            self.fix("missing_opener", key.start, key.start, "{")
            if not self._push(Node("object", [], key.start, -1)):
                return False
        elif above and self._is_above(above, key.text, items):
            items.pop()
            self._close_missing(key.start)
        else:
            return self._unexpected()
        frame = self.stack[-1]
        frame.key, frame.key_at, frame.comma = key.text, key.start, -1
        self.pos += 1
        self._state = self._value
        return True

    def _is_above(self, above: Frame, key: str, items: list[Node]) -> bool:
        """Whether a key in an array is one of the object around it, so that the array's closing bracket is missing."""
        return key in above.known or (not above.known and len(items) > 1 and items[-2].kind != "object")

    def _key_for_value(self, frame: Frame) -> bool:
        """A colon after the value of a member: that value is a key, and the bracket before it is missing."""
        member = frame.node.members[-1]
        key = member.node
        if key.kind not in ("string", "bare") or key.text not in frame.shape.child(member.key).properties:
            return self._unexpected()
        frame.node.members.pop()
        frame.key, frame.key_at = member.key, member.start
        self.fix("missing_opener", key.start, key.start, "{")
        if not self._push(Node("object", [], key.start, -1)):
            return False
        frame = self.stack[-1]
        frame.key, frame.key_at = key.text, key.start
        self.pos += 1
        self._state = self._value
        return True

    def _fits_above(self, sign: str) -> bool:
        """Whether a container cannot stand in this array, but could in the one around: a closing bracket is missing."""
        if self.strict or sign == "(" or len(self.stack) < 2:
            return False
        if self.stack[-1].closer != "]" or self.stack[-2].closer != "]":
            return False
        frame, above = self.stack[-1], self.stack[-2]
        kind: Kind = "object" if sign == "{" else "array"
        index = len(frame.node.items)
        full = frame.shape.prefix and index >= len(frame.shape.prefix) == frame.shape.node.get("maxItems")
        takes = not full and kind in frame.shape.item(index).kinds
        return index > 0 and not takes and kind in above.shape.item(len(above.node.items)).kinds

    def _turn_to_object(self, frame: Frame) -> None:
        """The container that was opened with another bracket is an object."""
        start = frame.node.start
        frame.node.kind, frame.node.value = "object", []
        frame.node.notes = [note for note in frame.node.notes or () if note.kind != "tuple"]
        frame.turn("}", frame.also or "]")
        self.fix("wrong_opener", start, start + 1, "{")

    def _turn_to_array(self, frame: Frame) -> bool:
        """Turns an object without members to an array, if that is what is declared here."""
        if frame.node.members or "array" not in frame.shape.kinds or "object" in frame.shape.kinds:
            return False
        start = frame.node.start
        frame.node.kind, frame.node.value = "array", []
        frame.turn("]", "}")
        self.fix("wrong_opener", start, start + 1, "[")
        return True

    def _unexpected(self) -> bool:
        raise NotImplementedError
