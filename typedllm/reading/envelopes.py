"""What an answer may be wrapped in: one key, the keys of a tool call, none of which is declared, or a list of these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from typedllm.reading import words
from typedllm.reading.bounds import DEFAULT
from typedllm.reading.fixes import Note
from typedllm.reading.leaves import meaning
from typedllm.reading.nodes import Member, Node
from typedllm.reading.shape import Shape

_DEPTH: Final = 4
_MEMBERS: Final = 8
_CONTAINERS: Final = ("object", "array")
_NO_SPELLING: Final = words.Spelling(0)
_TEXT: Final = frozenset({"string"})
_CALL: Final = frozenset({"name", "type", "id"})
ARGUMENTS: Final = frozenset({"arguments", "parameters", "args", "input"})
"""Keys of a tool call that hold what the tool is called with."""
_FAILURES: Final = frozenset({"error", "errors", "exception", "refusal"})


def envelopes(node: Node, root: Shape) -> Iterator[tuple[Node, list[Note]]]:
    """The parts that may be the answer when the whole does not fit, each with the fixes that say what was around it.

    A part is taken out only where none of the keys around it is declared, and all that stands beside it are scalars. A
    scalar stands in one envelope only, or in a tool call. An envelope may be the only item of a list.
    The name in a tool call (`{"name": ..., "arguments": {...}}`) is that of the tool.

    Args:
        node: the whole.
        root: what the answer is declared to be.
    """
    notes: list[Note] = []
    for depth in range(_DEPTH):
        if node.kind == "array" and len(node.items) == 1 and node.items[0].kind == "object":
            notes = [*notes, Note("single_item", node.start, node.end, "[0]")]
            node = node.items[0]
        member = _wrapped(node, root)
        if member is None or (depth and not _may_be_deep(node, member)) or _is_hollow(member.node, root):
            return
        notes = [*notes, Note("envelope", node.start, node.end, f'["{member.key}"]')]
        notes += [Note("extra_key", each.start, each.node.end) for each in node.members if each is not member]
        node = member.node
        yield node, notes


def arguments(node: Node, root: Shape) -> Node | None:
    """What stands in a tool call, though the answer has its other keys too: there, they are those of the tool."""
    keys = {member.key for member in node.members}
    declares = bool(root.required) or any(shape.properties and not shape.keeps for shape in _objects(root))
    if not declares or not keys & ARGUMENTS or not keys <= _CALL | ARGUMENTS or len(keys & ARGUMENTS) != 1:
        return None
    inner = next(member for member in node.members if member.key in ARGUMENTS)
    return None if _is_declared(inner.key, root) else inner.node


def _may_be_deep(node: Node, member: Member) -> bool:
    """Whether a part that stands in an envelope within another may be the answer."""
    called = any(each.key in ARGUMENTS for each in node.members)
    return member.node.kind in _CONTAINERS or _is_encoded(member.node) or called


def _is_hollow(node: Node, root: Shape) -> bool:
    """Whether an object says nothing, where the answer has keys: it would be all defaults."""
    return node.kind == "object" and not node.members and bool(root.properties or root.items.properties)


def _wrapped(node: Node, root: Shape) -> Member | None:
    """The only member that can be the answer."""
    if node.kind != "object" or root.open or not 1 <= len(node.members) <= _MEMBERS:
        return None
    keys = {member.key for member in node.members}
    called = is_call(keys)
    beside = keys - _CALL if called else keys
    may_be_map = any(_may_have(shape, key) for key in keys for shape in _maps(root))
    if may_be_map and not (called and len(keys) > 1) and not _holds_list(node, root):
        return None  # a key of the map may be what it seems to be wrapped in
    if any(_is_declared(key, root) or words.fold(key) in _FAILURES for key in beside):
        return None
    if len(node.members) == 1:
        return node.members[0]
    if beside is keys and any(note.kind == "missing_closer" for note in node.notes or ()):
        return None  # more may have stood beside it
    inner = [member for member in node.members if member.node.kind in _CONTAINERS or _is_encoded(member.node)]
    if not inner and root.texts and root.kinds == _TEXT:
        inner = [member for member in node.members if words.fold(str(member.node.value)) in root.folded_texts]
    return inner[0] if len(inner) == 1 else None


def _holds_list(node: Node, root: Shape) -> bool:
    """Whether a list is declared and stands in an object that cannot be it."""
    return "object" not in root.kinds and any(member.node.kind == "array" for member in node.members)


def _may_have(shape: Shape, key: str) -> bool:
    """Whether a map may have this key, in whatever form it is written."""
    if shape.extra is False:
        return shape.foresees(key)
    return (
        shape.keys is None or meaning(Node("string", key, 0, 0), shape.keys, DEFAULT.digits, _NO_SPELLING) is not None
    )


def is_call(keys: set[str]) -> bool:
    """Whether the keys of an object are those of a tool call."""
    return bool(keys & ARGUMENTS) and keys <= _CALL | ARGUMENTS


def _is_declared(key: str, root: Shape) -> bool:
    """Whether the answer, or an item of it, has such a key."""
    return any(key in shape.properties or words.fold(key) in shape.folded_keys for shape in _objects(root))


def _maps(root: Shape) -> list[Shape]:
    """The maps of any keys that the answer, or an item of it, may be."""
    shapes = _objects(root) if root.is_map else ()
    return [shape for each in shapes for shape in each.arms or (each,) if "object" in shape.kinds]


def _objects(root: Shape) -> tuple[Shape, ...]:
    """The shapes of the answer and of an item of it."""
    return (root, root.item(0)) if "array" in root.kinds else (root,)


def _is_encoded(node: Node) -> bool:
    return node.kind == "string" and node.text.lstrip()[:1] in ("{", "[")
