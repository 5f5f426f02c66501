"""The part of a schema that speaks of a part of a value, found by JSON Pointer (RFC 6901)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from typedllm.records import MISSING, JsonSchema
from typedllm.schema.patterns import PatternError, compile_pattern
from typedllm.schema.walk import Node, is_list, is_object, resolve, walk

_ROOT: Final = "Whole"


class Member(NamedTuple):
    """A property that an object may have."""

    schema: Node
    required: bool


def steps(pointer: str) -> list[str]:
    """The unescaped steps of a JSON Pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def below(value: object, step: str) -> Any:
    """What stands at one step below a JSON value, or `MISSING`."""
    if is_object(value):
        return value.get(step, MISSING)
    if is_list(value) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return MISSING


def at(value: object, pointer: str) -> Any:
    """What stands at a pointer, or `MISSING`."""
    for step in steps(pointer):
        value = below(value, step)
    return value


def part(document: JsonSchema, pointer: str, value: object) -> Node | None:
    """The schema of one part of a value.

    Args:
        document: the schema of the whole.
        pointer: the part; the step `-` is an item behind the last one of a list.
        value: the whole, which tells the arms of unions that are meant. It need not be valid.

    Returns:
        The schema, with references that point into `document`; a union where several arms may be meant; None where
        the document does not provide for such a part.
    """
    found: list[Node] = [document]
    for step in steps(pointer):
        found = _distinct(child for node in found for child in _step(document, node, step, value))
        value = below(value, step)
    if not found:
        return None
    return found[0] if len(found) == 1 else {"anyOf": found}


def members(document: JsonSchema, node: Node, value: object) -> dict[str, Member]:
    """The properties that an object described by `node` may have, in declared order."""
    known: dict[str, Node] = {}
    required = set[str]()
    for plain in _plain(document, node, value):
        known = {**plain.get("properties", {}), **known}
        required.update(plain.get("required", ()))
    return {name: Member(child, name in required) for name, child in known.items()}


def accepts_null(document: JsonSchema, node: Node) -> bool:
    """Whether null may stand here."""
    return any(_types_null(plain) for plain in _plain(document, node, None)) or node is True


def assemble(document: JsonSchema, parts: dict[str, Member]) -> JsonSchema:
    """The schema of an object of parts of `document`, with the definitions that they refer to and no others."""
    properties = {name: _rerooted(member.schema) for name, member in parts.items()}
    required = [name for name, member in parts.items() if member.required]
    made: JsonSchema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    source: JsonSchema = document.get("$defs", {})
    needed: JsonSchema = {}
    pending: list[Node] = [made]
    while pending:
        for _, node in walk(pending.pop()):
            name = node.get("$ref", "").removeprefix("#/$defs/") if isinstance(node, dict) else ""
            if name and name not in needed and (name in source or name == _ROOT):
                whole = {key: value for key, value in document.items() if key != "$defs"}
                needed[name] = _rerooted(whole if name == _ROOT and name not in source else source[name])
                pending.append(needed[name])
    return {**made, "$defs": needed} if needed else made


def _rerooted(node: Node) -> Node:
    """The schema with references to the whole document as references to a definition."""
    if not any(isinstance(child, dict) and child.get("$ref") == "#" for _, child in walk(node)):
        return node
    replaced: Node = _replaced(node)
    return replaced


def _replaced(value: Any) -> Any:
    if is_object(value):
        return {k: f"#/$defs/{_ROOT}" if k == "$ref" and v == "#" else _replaced(v) for k, v in value.items()}
    return [_replaced(each) for each in value] if is_list(value) else value


def _distinct(nodes: Iterable[Node]) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        if node not in found:
            found.append(node)
    return found


def _step(document: JsonSchema, node: Node, step: str, value: object) -> Iterator[Node]:
    for plain in _plain(document, node, value):
        if not is_object(value):
            yield from _item(plain, step)
        if not is_list(value):
            yield from _member(plain, step)


def _item(plain: JsonSchema, step: str) -> Iterator[Node]:
    prefix = plain.get("prefixItems", [])
    if step.isdecimal() and int(step) < len(prefix):
        yield prefix[int(step)]
    elif (step == "-" or step.isdecimal()) and plain.get("items") not in (None, False):
        yield plain["items"]


def _member(plain: JsonSchema, step: str) -> Iterator[Node]:
    found = [plain["properties"][step]] if step in plain.get("properties", ()) else []
    found += [child for pattern, child in plain.get("patternProperties", {}).items() if _matches(pattern, step)]
    if not found and plain.get("additionalProperties") not in (None, False):
        found = [plain["additionalProperties"]]
    yield from found


def _matches(pattern: str, text: str) -> bool:
    try:
        return compile_pattern(pattern).search(text) is True
    except PatternError:
        return False


def _plain(document: JsonSchema, node: Node, value: object) -> list[JsonSchema]:
    """The schemas that hold together at this place: references followed, of unions the arms that are meant."""
    found: list[JsonSchema] = []
    pending: list[Node] = [node]
    while pending:
        node = pending.pop(0)
        if isinstance(node, bool) or any(node is seen for seen in found):
            continue
        found.append(node)
        if isinstance(reference := node.get("$ref"), str) and (target := resolve(document, reference)) is not None:
            pending.append(target)
        pending += node.get("allOf", [])
        pending += [node[key] for key in ("then", "else") if key in node]
        for key in ("anyOf", "oneOf"):
            pending += _meant(document, node.get(key, []), value)
    return found


def _meant(document: JsonSchema, arms: list[Node], value: object) -> list[Node]:
    """The arms that a value may mean: those whose type and constants it does not contradict, else those of its type."""
    typed = [arm for arm in arms if _fits_type(document, arm, value)]
    return [arm for arm in typed if _fits_constants(document, arm, value)] or typed


def _whole(document: JsonSchema, arm: Node) -> list[JsonSchema]:
    """The arm with what it refers to, its own unions left aside."""
    found: list[JsonSchema] = []
    while isinstance(arm, dict) and arm not in found:
        found.append(arm)
        arm = resolve(document, arm.get("$ref", "")) or False
    return found


def _fits_type(document: JsonSchema, arm: Node, value: object) -> bool:
    wanted = "object" if is_object(value) else "array" if is_list(value) else None
    declared = [plain["type"] for plain in _whole(document, arm) if "type" in plain]
    return wanted is None or not declared or any(wanted == each or wanted in each for each in declared)


def _fits_constants(document: JsonSchema, arm: Node, value: object) -> bool:
    if not is_object(value):
        return True
    for plain in _whole(document, arm):
        for name, child in plain.get("properties", {}).items():
            if name in value and is_object(child) and value[name] not in _constants(child, value[name]):
                return False
    return True


def _constants(child: JsonSchema, otherwise: object) -> list[Any]:
    """The one or few values of a tag; of what is no tag, whatever stands there."""
    return [child["const"]] if "const" in child else [otherwise]


def _types_null(plain: JsonSchema) -> bool:
    declared = plain.get("type", "")
    return declared == "null" or (is_list(declared) and "null" in declared) or None in plain.get("enum", ())
