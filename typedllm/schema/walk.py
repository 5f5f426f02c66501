"""Where sub-schemas stand in a JSON Schema document, and what a reference points to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from typing_extensions import TypeIs

from typedllm.records import JsonSchema

Node: TypeAlias = "JsonSchema | bool"

_ONE: Final = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_LIST: Final = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_MAP: Final = ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")
_ALL: Final = frozenset((*_ONE, *_LIST, *_MAP))


def is_object(value: object) -> TypeIs[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeIs[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def _is_node(value: object) -> TypeIs[Node]:
    return isinstance(value, dict | bool)


def children(node: Node) -> Iterator[tuple[tuple[str, ...], Node]]:
    """The direct sub-schemas of a node, each with its path from the node, in a fixed order."""
    if isinstance(node, bool) or _ALL.isdisjoint(node):
        return
    for key in _MAP:
        if is_object(table := node.get(key)):
            yield from (((key, name), child) for name, child in table.items() if _is_node(child))
    for key in _LIST:
        if is_list(members := node.get(key)):
            yield from (((key, str(index)), child) for index, child in enumerate(members) if _is_node(child))
    for key in _ONE:
        if key in node and _is_node(child := node[key]):
            yield (key,), child


def walk(document: Node) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every sub-schema of a document with its path, the document itself first; depth does not matter."""
    stack: list[tuple[tuple[str, ...], Node]] = [((), document)]
    while stack:
        path, node = stack.pop()
        yield path, node
        stack.extend(reversed([(path + step, child) for step, child in children(node)]))


def resolve(document: Node, reference: str) -> Node | None:
    """The schema that a reference within the document points to, or None.

    Args:
        document: the whole document.
        reference: a pointer (`#/$defs/Cart`), an anchor (`#cart`), or either behind the `$id` of an embedded schema.
    """
    base, _, fragment = reference.partition("#")
    start: Node | None = document
    if base:
        start = next((node for _, node in walk(document) if is_object(node) and node.get("$id") == base), None)
    if start is None or not fragment:
        return start
    if not fragment.startswith("/"):
        return next((node for _, node in walk(start) if is_object(node) and fragment in _anchors(node)), None)
    return _at(start, unquote(fragment))


def _anchors(node: JsonSchema) -> tuple[object, object]:
    return node.get("$anchor"), node.get("$dynamicAnchor")


def _at(start: Node, pointer: str) -> Node | None:
    found: Any = start
    for part in pointer.split("/")[1:]:
        step = part.replace("~1", "/").replace("~0", "~")
        if is_object(found) and step in found:
            found = found[step]
        elif is_list(found) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found if _is_node(found) else None
