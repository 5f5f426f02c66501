"""A schema without its words: all that a decoder needs, where the model reads the type in the prompt."""

from __future__ import annotations

from typing import Final

from typedllm.records import JsonSchema
from typedllm.schema.build import HINTS, strip_hints
from typedllm.schema.walk import is_object, walk

_WORDS: Final = HINTS | {
    "$comment",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
}
_DEFINITIONS: Final = "#/$defs/"
_MOST: Final = 50


def bare(document: JsonSchema) -> JsonSchema:
    """A copy that accepts the same: words are left out, and a definition that is used once stands where it is used.

    Args:
        document: the schema as it would be sent with its words.
    """
    copy = strip_hints(document, _WORDS)
    for _, node in list(walk(copy)):
        if is_object(node):
            if node.keys() == {"anyOf"} and len(node["anyOf"]) == 1 and is_object(only := node["anyOf"][0]):
                node.clear()
                node.update(only)
            if node.get("required") == []:
                del node["required"]
    _write_out(copy)
    return copy


def _write_out(document: JsonSchema) -> None:
    """Put definitions that are used once, and not within themselves, in the place of their references."""
    definitions: JsonSchema = document.get("$defs", {})
    nodes = [node for _, node in walk(document) if is_object(node)]
    references = [node["$ref"] for node in nodes if "$ref" in node]
    if any("$id" in node for node in nodes) or not all(_is_plain(each, definitions) for each in references):
        return
    once = {name for name in definitions if references.count(_DEFINITIONS + name) == 1 and not _recurs(document, name)}
    if len(once) > _MOST:
        return
    for node in nodes:
        while node.keys() == {"$ref"} and (name := node["$ref"].removeprefix(_DEFINITIONS)) in once:
            node.clear()
            node.update(definitions.pop(name))
            once.remove(name)
    if not definitions:
        document.pop("$defs", None)


def _is_plain(reference: str, definitions: JsonSchema) -> bool:
    return reference == "#" or reference.removeprefix(_DEFINITIONS) in definitions


def _recurs(document: JsonSchema, name: str) -> bool:
    """Whether a definition is reached from within itself, or reaches the whole document."""
    seen: set[str] = set()
    pending = [name]
    while pending:
        for _, node in walk(document["$defs"][pending.pop()]):
            reference = node.get("$ref") if is_object(node) else None
            if reference == "#":
                return True
            if reference and (inner := reference.removeprefix(_DEFINITIONS)) not in seen:
                seen.add(inner)
                pending.append(inner)
    return name in seen
