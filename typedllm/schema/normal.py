"""The one form of JSON Schema that rendering, reading and wire schemas work on.

Draft 2020-12; each thing referred to stands in `$defs` under a plain name, and every `$ref` is `#/$defs/NAME`; no
identifiers, no keywords that the document's own draft does not know. `true` and `false` are written `{}` and
`{"not": {}}`, save where they only open or close an object or a list. What a reference leads to by way of its caller
(`$dynamicRef` with several anchors) is `{}`: the original document still decides what is valid.
"""

from __future__ import annotations

import re
from typing import Any, Final

from typedllm.records import JsonSchema
from typedllm.schema.dialects import NAMED, ONE, PLACES, REFERENCES, SAME_VALUE, SEVERAL, children
from typedllm.schema.references import Resolved
from typedllm.schema.walk import Node, is_list, is_object

_ANNOTATIONS: Final[dict[str, type | tuple[type, ...]]] = {
    "title": str,
    "description": str,
    "default": object,
    "examples": list,
    "deprecated": bool,
    "readOnly": bool,
    "writeOnly": bool,
    "contentEncoding": str,
    "contentMediaType": str,
    "discriminator": dict,
    "x-ts": str,
    "x-allow": object,
    "x-default": object,
}
_UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_EVALUATING: Final = ("items", "additionalProperties")
_OPENNESS: Final = frozenset(
    {"additionalProperties", "unevaluatedProperties", "unevaluatedItems", "items", "additionalItems"}
)


def normalise(resolved: Resolved) -> JsonSchema:
    """The document in that one form; what is wrong with its references is added to `resolved.problems`."""
    normaliser = _Normaliser(resolved)
    root = _object(normaliser.schema(resolved.document))
    definitions = normaliser.definitions()
    if is_object(resolved.document) and id(resolved.document) in normaliser.names:
        root = {"$ref": f"#/$defs/{normaliser.names[id(resolved.document)]}"}
    resolved.problems += _endless(definitions)
    return {**root, "$defs": definitions} if definitions else root


def _object(node: Node) -> JsonSchema:
    return ({} if node else {"not": {}}) if isinstance(node, bool) else node


class _Normaliser:
    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.names: dict[int, str] = {}
        # Where unevaluated parts are refused, "any value" has to say that it evaluates all of them.
        self.counts = any(not _UNEVALUATED.isdisjoint(schema) for schema in resolved.schemas)
        self.waiting: list[JsonSchema] = []

    def definitions(self) -> JsonSchema:
        """What was referred to, in the order in which it was met."""
        found: JsonSchema = {}
        done = 0
        while done < len(self.waiting):
            node = self.waiting[done]
            found[self.names[id(node)]] = _object(self.schema(node))
            done += 1
        return found

    def schema(self, node: Node) -> Node:
        if isinstance(node, bool):
            return node
        kept: JsonSchema = {key: value for key, value in node.items() if _is_annotation(key, value)}
        references = [self._reference(node, key) for key in REFERENCES if key in node]
        if not (references and self.resolved.draft.old):
            for key, value in node.items():
                if key in self.resolved.keywords and key not in REFERENCES and key not in PLACES:
                    self._keyword(kept, key, value, node)
        for reference in references:
            if kept.keys() & reference.keys():
                kept["allOf"] = [*kept.get("allOf", ()), reference]
            else:
                kept |= reference
        return kept

    def _reference(self, node: JsonSchema, keyword: str) -> JsonSchema:
        target = self.resolved.target(node, keyword)
        if target is None:
            return dict.fromkeys(_EVALUATING, True) if self.counts else {}
        if isinstance(target, bool):
            return {} if target else {"not": {}}
        if id(target) not in self.names:
            self.names[id(target)] = self._name(target)
            self.waiting.append(target)
        return {"$ref": f"#/$defs/{self.names[id(target)]}"}

    def _name(self, target: JsonSchema) -> str:
        path = [str(part) for part in self.resolved.pointers[id(target)]]
        words = [part for part in path if not (part in {*ONE, *SEVERAL, *NAMED, *PLACES} or part.isdigit())]
        title = target.get("title")
        base = words[-1] if words else title if isinstance(title, str) else "Root"
        name = plain = re.sub(r"\W+", "_", base).strip("_") or "Part"
        taken = set(self.names.values())
        number = 2
        while name in taken:
            name, number = f"{plain}_{number}", number + 1
        return name

    def _keyword(self, kept: JsonSchema, key: str, value: Any, node: JsonSchema) -> None:
        """Adds a keyword in its form of draft 2020-12."""
        match key:
            case "items" if is_list(value):
                kept["prefixItems"] = [_object(self.schema(part)) for part in value]
                if "additionalItems" in node:
                    kept["items"] = self.schema(node["additionalItems"])
            case "additionalItems":
                pass
            case "dependencies":
                self._dependencies(kept, value)
            case "exclusiveMinimum" | "exclusiveMaximum" if isinstance(value, bool):
                bound = "m" + key.removeprefix("exclusiveM")
                kept.update({key: node[bound]} if value and bound in node else {})
            case "minimum" | "maximum" if node.get(f"exclusiveM{key[1:]}") is True:
                pass
            case _:
                kept[key] = self._value(key, value)

    def _dependencies(self, kept: JsonSchema, value: dict[str, Any]) -> None:
        required = {name: part for name, part in value.items() if is_list(part)}
        schemas = {name: _object(self.schema(part)) for name, part in value.items() if name not in required}
        kept.update({"dependentRequired": required} if required else {})
        kept.update({"dependentSchemas": schemas} if schemas else {})

    def _value(self, key: str, value: Any) -> Any:
        if key in NAMED:
            return {name: _object(self.schema(part)) for name, part in value.items()}
        if key in SEVERAL and is_list(value):
            return [_object(self.schema(part)) for part in value]
        if key in ONE:
            return self.schema(value) if key in _OPENNESS else _object(self.schema(value))
        return value


def _is_annotation(key: str, value: object) -> bool:
    if key == "discriminator":
        return is_object(value) and isinstance(value.get("propertyName"), str)
    return key in _ANNOTATIONS and isinstance(value, _ANNOTATIONS[key])


def _endless(definitions: JsonSchema) -> list[str]:
    """The definitions that lead back to themselves without ever reaching a part of the value."""
    edges = {name: _same_value(part) for name, part in definitions.items()}
    done: set[str] = set()
    problems: list[str] = []
    for start in edges:
        trail: list[tuple[str, list[str]]] = [(start, list(edges[start]))] if start not in done else []
        while trail:
            name, left = trail[-1]
            if not left:
                done.add(name)
                trail.pop()
                continue
            following = left.pop()
            if any(following == passed for passed, _ in trail):
                problems.append(f"{following}: refers to itself without an end (say what its parts are)")
                done.add(following)
            elif following not in done:
                trail.append((following, list(edges[following])))
    return problems


def _same_value(schema: JsonSchema) -> list[str]:
    """Names of the definitions that are applied to the same value as this schema."""
    found: list[str] = []
    stack: list[Any] = [schema]
    while stack:
        part = stack.pop()
        if is_object(part):
            node = part
            if "$ref" in node:
                found.append(str(node["$ref"]).removeprefix("#/$defs/"))
            stack += [inner for path, inner in children(node, SAME_VALUE) if path]
    return found
