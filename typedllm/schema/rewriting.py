"""The rewriting itself: node by node, each with the codec of its part."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from typedllm.records import MISSING, JsonSchema
from typedllm.schema.accepts import Accepts
from typedllm.schema.codecs import (
    SAME,
    Arm,
    Codec,
    Fields,
    Items,
    JsonText,
    Numbered,
    Pairs,
    Property,
    Reference,
    Union,
    Wrapped,
    step,
)
from typedllm.schema.disjoint import disjoint
from typedllm.schema.merging import merged, target_of
from typedllm.schema.pieces import (
    KINDS,
    SHAPE,
    SILENT,
    described,
    is_constant,
    is_kept,
    is_kind,
    keys_of,
    kinds_of,
    name_of,
    names,
    nullable,
    without,
    words,
    wrapped,
)
from typedllm.schema.subschema import accepts_null
from typedllm.schema.walk import Node, is_object

MAX_PARTS: Final = 20_000
"""Most parts of a schema whose references are written out; beyond it does not fit."""


FURTHER_KEYS: Final = "further keys"
"""The loss that keys cannot be written which the document neither declares nor forbids."""


class Loss(NamedTuple):
    """What a wire schema does not say.

    Attributes:
        pointer: where it stands in the user's document.
        what: the keyword, or a few words.
    """

    pointer: str
    what: str


class _Made(NamedTuple):
    wire: JsonSchema
    codec: Codec


class Rewriting:
    """One document for one service.

    Args:
        document: the document.
        accepts: what the service accepts.
        wrapped: arms of unions that are to stand in an object of their own, by pointer.
    """

    def __init__(self, document: JsonSchema, accepts: Accepts, wrapped: frozenset[str] = frozenset()) -> None:
        self._document, self._accepts, self._wrapped = document, accepts, wrapped
        self._definitions: JsonSchema = {}
        self._codecs: dict[str, Codec] = {}
        self._open: list[str] = []
        self._unions: list[list[tuple[str, Arm]]] = []
        self._parts = 0
        self.losses: list[Loss] = []
        self.reasons: list[str] = []
        self._schema: JsonSchema = {}

    def run(self) -> tuple[JsonSchema, Codec]:
        """The schema, and the codec of the whole."""
        wire, codec = self._root()
        if self._accepts.object_root and (wire.get("type") != "object" or "anyOf" in wire or "enum" in wire):
            wire, codec = wrapped(wire, "value"), Wrapped(codec, "value")
        self._schema.update(wire)
        if self._definitions:
            self._schema["$defs"] = {name: self._definitions[name] for name in sorted(self._definitions)}
        return self._schema, codec

    def _root(self) -> _Made:
        root = {key: value for key, value in self._document.items() if key != "$defs"}
        if root.keys() - SILENT == {"$ref"} and self._accepts.object_root:
            name = name_of(root["$ref"])
            made = self._reference(root, "")
            body = self._definitions.get(name)
            if body is None or not self._accepts.object_root:
                return made
            if not any(f'"#/$defs/{name}"' in json.dumps(each) for each in self._definitions.values()):
                del self._definitions[name]
            return _Made(body, made.codec)
        return self._node(root, "")

    def collisions(self) -> frozenset[str]:
        """The arms of unions that could not be told from another arm on the way back."""
        found: set[str] = set()
        for arms in self._unions:
            changed = [arm.codec.changes(set()) for _, arm in arms]
            for index, (place, arm) in enumerate(arms):
                for other in range(index):
                    pair = changed[index], changed[other]
                    if any(pair) and not disjoint(self._schema, arm.wire, arms[other][1].wire):
                        found |= {place} if pair[0] else set()
                        found |= {arms[other][0]} if pair[1] else set()
        return frozenset(found)

    # ---- one part ----

    def _node(self, node: Node, at: str) -> _Made:
        self._parts += 1
        if isinstance(node, bool):
            node = {} if node else {"not": {}}
        if self._parts > MAX_PARTS:
            self._reason("too large once its references are written out")
            return self._text({}, at)
        node = merged(self._document, node, lambda what: self._lose(at, what))
        if "$ref" in node:
            return self._reference(node, at)
        if "not" in node and node["not"] in ({}, True):
            self._lose(at, "nothing is allowed here")
            return _Made({"type": "null"}, SAME)
        if "enum" in node or "const" in node:
            return self._values(node, at)
        if "anyOf" in node or "oneOf" in node:
            return self._union(node, at)
        kinds = kinds_of(node)
        if len(kinds) == 1:
            return self._typed(node, kinds[0], at)
        if not kinds:
            return self._anything(node, at)
        return self._arms(node, [{**node, "type": kind} for kind in kinds], at, described=False)

    def _typed(self, node: JsonSchema, kind: str, at: str) -> _Made:
        if kind == "object":
            return self._object(node, at)
        if kind == "array":
            return self._array(node, at)
        return _Made(self._told(node, {"type": kind}, at), SAME)

    def _anything(self, node: JsonSchema, at: str) -> _Made:
        if self._accepts.untyped:
            return _Made(self._told(node, {}, at), SAME)
        return self._text(node, at)

    def _text(self, node: JsonSchema, at: str) -> _Made:
        wire = self._told(node, {"type": "string"}, at)
        wire["description"] = described(wire.get("description", ""), ["JSON text"])
        return _Made(wire, JsonText())

    def _values(self, node: JsonSchema, at: str) -> _Made:
        values = node["enum"] if "enum" in node else [node["const"]]
        if "const" in node:
            values = [node["const"]]
        kinds = [kind for kind in KINDS if any(is_kind(value, kind) for value in values)]
        if {"object", "array"} & set(kinds) and not self._accepts.untyped:
            texts = [json.dumps(value, ensure_ascii=False) for value in values]
            return _Made(self._told(node, {"type": "string", "enum": texts}, at), JsonText())
        wire: JsonSchema = {"type": kinds[0]} if len(kinds) == 1 else {"type": kinds} if kinds else {}
        if len(values) == 1 and "const" in node and self._accepts.const:
            wire["const"] = values[0]
        else:
            wire["enum"] = list(values)
        return _Made(self._told(node, wire, at), SAME)

    # ---- references ----

    def _reference(self, node: JsonSchema, at: str) -> _Made:
        reference: str = node["$ref"]
        name = name_of(reference)
        recursive = name in self._open
        if recursive and not self._accepts.recursion:
            self._reason(f"the type contains itself ({name})")
            return self._text(node, at)
        if self._accepts.refs == "inlined":
            if recursive:
                self._reason(f"the type contains itself ({name}), and references are not taken")
                return self._text(node, at)
            self._open.append(name)
            made = self._node({**target_of(self._document, reference), **without(node, "$ref")}, at)
            self._open.pop()
            return made
        if name not in self._codecs and not recursive:
            self._open.append(name)
            place = reference[1:]
            self._definitions[name], self._codecs[name] = self._node(self._whole(reference), place)
            self._open.pop()
        told = self._told(node, {}, at)
        wire: JsonSchema = {"$ref": f"#/$defs/{name}"}
        if told:
            wire = {**wire, **told} if self._accepts.refs == "any" else {"anyOf": [wire], **told}
        return _Made(wire, Reference(self._codecs, name))

    def _whole(self, reference: str) -> JsonSchema:
        target = target_of(self._document, reference)
        return without(target, "$defs") if reference == "#" else target

    # ---- objects ----

    def _object(self, node: JsonSchema, at: str) -> _Made:
        properties: JsonSchema = node.get("properties", {})
        is_map = not properties and not node.get("required")
        free = self._free(node, is_map)
        if not is_map or free is None or self._accepts.maps:
            return self._fields(node, properties, free, at)
        wire, codec = self._pairs(node, free, at)
        return _Made(self._told(node, wire, at, drop=True), codec)

    def _free(self, node: JsonSchema, is_map: bool) -> Node | None:
        """The type of keys that are not declared; None: there are none, or nothing is said of them."""
        free: Node | None = node.get("additionalProperties", node.get("unevaluatedProperties"))
        if "patternProperties" in node:
            named = list(node["patternProperties"].values())
            return {"anyOf": [*named, *([free] if free not in (None, True, False) else [])]}
        if free is False:
            return None
        return True if free is None and is_map else free

    def _pairs(self, node: JsonSchema, free: Node, at: str) -> tuple[JsonSchema, Codec]:
        part, codec = self._node(free, f"{at}/additionalProperties")
        key = (
            self._told(node["propertyNames"], {"type": "string"}, at) if is_object(node.get("propertyNames")) else None
        )
        members = {"key": key or {"type": "string"}, "value": part}
        item = {"type": "object", "properties": members, "required": ["key", "value"], "additionalProperties": False}
        return {"type": "array", "items": item}, Pairs(codec)

    def _fields(self, node: JsonSchema, properties: JsonSchema, free: Node | None, at: str) -> _Made:
        required: list[str] = node.get("required", [])
        wire: JsonSchema = {"type": "object", "properties": {}}
        known: dict[str, Property] = {}
        undeclared = {name: True for name in required if name not in properties}
        for name, part in sorted({**properties, **undeclared}.items(), key=lambda pair: not is_constant(pair[1])):
            made, known[name] = self._property(part, name in required, f"{at}/properties{step(name)}")
            wire["properties"][name] = made
        says = "additionalProperties" in node or "unevaluatedProperties" in node
        further: Codec = SAME
        rest, pairs = "", SAME
        if free is not None and not self._accepts.maps:
            rest = next(name for name in names("other_keys") if name not in known)
            wire["properties"][rest], pairs = self._pairs(node, free, at)
        elif is_object(free):
            wire["additionalProperties"], further = self._node(free, f"{at}/additionalProperties")
        if "patternProperties" in node:
            self._lose(at, "patternProperties")
        if self._accepts.closed or (says and free is None):
            wire["additionalProperties"] = False
            if not says and free is None:
                self._lose(at, FURTHER_KEYS)
        wire["required"] = [
            name for name in wire["properties"] if self._accepts.all_required or name == rest or name in required
        ]
        codec = Fields(known, rest, pairs, further=further, closed=self._accepts.closed)
        return _Made(self._told(node, wire, at, drop=bool(rest)), codec)

    def _property(self, part: Node, required: bool, at: str) -> tuple[JsonSchema, Property]:
        wire, codec = self._node(part, at)
        if required or not self._accepts.all_required:
            return wire, Property(codec)
        default = part.get("default", MISSING) if is_object(part) else MISSING
        if is_object(part) and "const" in part and default == part["const"]:
            return wire, Property(codec, default)
        written = isinstance(codec, JsonText)  # then null itself is the text "null"
        if not written and (accepts_null(self._document, part) or part == {}):
            filler = None if default is MISSING else codec.encode(default)
            return nullable(wire), Property(codec, filler)
        return nullable(wire), Property(codec, None, absent=True)

    # ---- lists ----

    def _array(self, node: JsonSchema, at: str) -> _Made:
        prefix: list[Node] = node.get("prefixItems", [])
        rest: Node = node.get("items", True)
        if prefix and not self._accepts.tuples:
            return self._tuple(node, prefix, rest, at)
        wire: JsonSchema = {"type": "array"}
        firsts = [self._node(part, f"{at}/prefixItems/{index}") for index, part in enumerate(prefix)]
        if firsts:
            wire["prefixItems"] = [made.wire for made in firsts]
        item = SAME
        if rest is False or rest == {"not": {}}:
            wire["maxItems"] = len(prefix)
            wire["items"] = {"type": "null"} if not prefix else False
            if "maxItems" not in self._accepts.keywords and not prefix:
                self._lose(at, "maxItems")
                del wire["maxItems"]
        elif rest is not True or not self._accepts.untyped:
            wire["items"], item = self._node(rest, f"{at}/items")
        return _Made(self._told(node, wire, at), Items(item, [made.codec for made in firsts]))

    def _tuple(self, node: JsonSchema, prefix: list[Node], rest: Node, at: str) -> _Made:
        least = node.get("minItems", 0)
        wire: JsonSchema = {"type": "object", "properties": {}}
        items: list[Property] = []
        for index, part in enumerate(prefix):
            name = f"item_{index}"
            made, item = self._property(part, index < least, f"{at}/prefixItems/{index}")
            wire["properties"][name] = made
            items.append(item)
        more: Codec | None = None
        if rest not in (False, {"not": {}}) and node.get("maxItems", len(prefix) + 1) > len(prefix):
            wire["properties"]["more"], more = self._array({"type": "array", "items": rest}, f"{at}/items")
        names = list(wire["properties"])
        wire["required"] = [n for i, n in enumerate(names) if self._accepts.all_required or i < least or n == "more"]
        wire["additionalProperties"] = False
        bounds = {key: node[key] for key in ("minItems", "maxItems") if key in node}
        return _Made(self._told(without(node, *bounds), wire, at), Numbered(items, more))

    # ---- unions ----

    def _union(self, node: JsonSchema, at: str) -> _Made:
        keyword = "anyOf" if "anyOf" in node else "oneOf"
        rest = without(node, keyword, *SILENT)
        if keyword == "anyOf" and "oneOf" in rest:
            self._lose(at, "oneOf")
            rest = without(rest, "oneOf")
        arms: list[Node] = node[keyword]
        if rest:
            bare = all(is_object(arm) and not arm.keys() - SILENT - {"required"} for arm in arms)
            if bare:
                self._lose(at, keyword)
                return self._node(without(node, keyword), at)
            arms = [{"allOf": [arm, rest]} for arm in arms]
        return self._arms(node, arms, at, described=True)

    def _arms(self, node: JsonSchema, arms: Iterable[Node], at: str, *, described: bool) -> _Made:
        made: list[tuple[str, Arm]] = []
        silent = SILENT - {"$defs"}
        for index, part in enumerate(arms):
            place = f"{at}/anyOf/{index}"
            plain = part if described or isinstance(part, bool) else without(part, *silent)
            if plain in (True, {}) and not self._accepts.untyped:
                return self._text({key: value for key, value in node.items() if key in SILENT}, at)
            wire, codec = self._node(plain, place)
            if place in self._wrapped:
                key = next(n for n in names(codec.word) if not any(n in keys_of(arm.wire) for _, arm in made))
                wire, codec = wrapped(wire, key), Wrapped(codec, key)
            made.append((place, Arm(plain, wire, codec)))
        self._unions.append(made)
        keyword = "oneOf" if "oneOf" in node and self._accepts.one_of else "anyOf"
        union: JsonSchema = {keyword: [arm.wire for _, arm in made]}
        told = {key: value for key, value in node.items() if key in SILENT}
        return _Made(self._told(told, union, at), Union([arm for _, arm in made], self._document, self._schema))

    # ---- words ----

    def _told(self, node: Node, wire: JsonSchema, at: str, *, drop: bool = False) -> JsonSchema:
        """The wire schema of a part with the rules that are kept, and the others in its description.

        Args:
            node: the part.
            wire: its schema so far; filled.
            at: where the part stands.
            drop: whether no rule is kept, since the shape is another.
        """
        if isinstance(node, bool):
            return wire
        lost: JsonSchema = {}
        for key, value in node.items():
            if key in SILENT or key in SHAPE or key in wire:
                continue
            if not drop and self._keeps(key, value, wire):
                wire[key] = value
            elif key not in ("patternProperties", "unevaluatedProperties"):
                lost[key] = value
        if "default" in node and self._accepts.default and not drop:
            wire["default"] = node["default"]
        for key in lost:
            self._lose(at, key)
        said = words(node, lost, with_default="default" not in wire)
        if text := described(node.get("description", ""), said):
            wire["description"] = text
        return wire

    def _keeps(self, key: str, value: Any, wire: JsonSchema) -> bool:
        if key == "format":
            return value in self._accepts.formats and wire.get("type") == "string"
        if key not in self._accepts.keywords:
            return False
        if key == "pattern":
            return is_kept(value, self._accepts.patterns)
        return not (key == "minItems" and self._accepts.least_items is not None and value > self._accepts.least_items)

    def _lose(self, at: str, what: str) -> None:
        loss = Loss(at, what)
        if loss not in self.losses:
            self.losses.append(loss)

    def _reason(self, words: str) -> None:
        if words not in self.reasons:
            self.reasons.append(words)
