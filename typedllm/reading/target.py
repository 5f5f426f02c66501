"""What the reader must know of the declared type: a JSON Schema document compiled, part by part and when asked, to shapes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Final, cast

from typedllm.reading.fixes import NONE
from typedllm.reading.shape import ARMS, Shape
from typedllm.reading.words import fold
from typedllm.records import JsonSchema
from typedllm.schema.walk import is_object, walk

_KEY: Final = re.compile(r'"([^"\\]{1,80}+)"\s*+:')


class Target:
    """A document with its shapes, one for all parts that say the same.

    Args:
        document: JSON Schema, draft 2020-12, with `#/...` references.
        drops_keys: whether the value is without the keys that its type neither declares nor keeps.
    """

    def __init__(self, document: JsonSchema, drops_keys: bool = True) -> None:
        self.document = document
        self.drops_keys = drops_keys
        self._shapes: dict[tuple[int, frozenset[str]], Shape] = {}  # by identity of the node, which is kept alive
        self._alike: dict[tuple[str, frozenset[str]], Shape] = {}  # by what the node says
        self._kept: list[JsonSchema] = []
        self.words: dict[Shape, str] = {}  # what a shape is called in the prompt, once somebody asked

    @cached_property
    def root(self) -> Shape:
        """The shape of the whole value."""
        return self.shape(self.document)

    @cached_property
    def anything(self) -> Shape:
        """The shape of a part that the document says nothing of."""
        return ANYTHING

    @cached_property
    def is_hollow(self) -> bool:
        """Whether an object without a single declared key passes for it: a wrong envelope must not."""
        shapes = self.root.arms or (self.root,)
        return any(shape.properties and not shape.required and shape.extra is True for shape in shapes)

    @cached_property
    def overlaps(self) -> bool:
        """Whether a key that one arm of a union leaves out as unknown may be declared by another."""
        unions = (self.shape(node) for _, node in walk(self.document) if is_object(node) and ARMS & node.keys())
        return any(_overlap([arm for arm in union.arms if arm.properties]) for union in unions if not union.is_tagged)

    @cached_property
    def has_bits(self) -> bool:
        """Whether a declared value is a truth value, 0 or 1: to Python, and so to pydantic, true is equal to 1."""
        nodes = (self.shape(node) for _, node in walk(self.document) if is_object(node))
        return any(isinstance(each, int | float) and each in (0, 1) for node in nodes for each in node.literals or ())

    @cached_property
    def has_synonyms(self) -> bool:
        """Whether a property is read under several keys: of two of them in one object, pydantic takes the first."""
        return any(is_object(node) and "x-also" in node for _, node in walk(self.document))

    @cached_property
    def drops(self) -> bool:
        """Whether there is an object that may leave out what is written under a key that it does not declare."""
        return any(shape.extra is True and not shape.keeps for shape in self._objects)

    def may_rename(self, text: str) -> bool:
        """Whether a JSON text has a key that may be another form of a declared one, where other keys are taken too."""
        if not self._folded:
            return False
        return any(fold(key) in self._folded for key in set(_KEY.findall(text)) - self._declared)

    @cached_property
    def _declared(self) -> frozenset[str]:
        """The keys of all objects, but for those of which another one is a form: each may stand where that is meant."""
        keys = {key for shape in self._objects for key in shape.properties}
        forms = Counter(map(fold, keys))
        return frozenset(key for key in keys if forms[fold(key)] == 1)

    @cached_property
    def _folded(self) -> frozenset[str]:
        """The keys of those objects that take others too, in all their forms."""
        return frozenset(key for shape in self._objects if shape.extra is not False for key in shape.folded_keys)

    @cached_property
    def _objects(self) -> list[Shape]:
        """The objects with declared keys."""
        nodes = [node for _, node in walk(self.document) if is_object(node) and "properties" in node]
        return [self.shape(node) for node in nodes]

    @cached_property
    def may_be_called(self) -> bool:
        """Whether a tool call with its arguments could pass for an object of these keys."""
        return any(not shape.properties.keys().isdisjoint(("name", "type", "id")) for shape in self._objects)

    def shape(self, node: object, allow: frozenset[str] = NONE) -> Shape:
        """The shape of a sub-document, where what stands around it allows these lossy fixes."""
        if not isinstance(node, dict):
            node = {} if node is not False else {"not": {}}
        key = id(cast("object", node)), allow
        found = self._shapes.get(key)
        if found is None:
            alike = json.dumps(node, default=id), allow
            found = self._alike.get(alike)
            if found is None:
                found = self._alike[alike] = Shape(self, cast("JsonSchema", node), around=allow)
            self._shapes[key] = found
            self._kept.append(cast("JsonSchema", node))
        return found

    def either(self, shapes: Iterable[Shape]) -> Shape:
        """One shape that stands for any of these."""
        distinct = list(dict.fromkeys(shapes))
        return distinct[0] if len(distinct) == 1 else Shape(self, {}, tuple(distinct))

    def at(self, path: str) -> Shape | None:
        """The shape at a JSON Pointer; None where the document says nothing."""
        shape = self.root
        for step in path.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if key in shape.properties or ("object" in shape.kinds and not key.isdigit()):
                shape = shape.child(key)
            elif "array" in shape.kinds and (key.isdigit() or key == "-"):
                shape = shape.item(int(key) if key.isdigit() else 0)
            else:
                shape = shape.child(key)
            if shape.open:
                return None
        return shape

    def resolve(self, node: JsonSchema) -> JsonSchema:
        """The node with its references and `allOf` parts laid into it."""
        seen: set[str] = set()
        while isinstance(reference := node.get("$ref"), str) and reference not in seen:
            seen.add(reference)
            rest = {key: value for key, value in node.items() if key != "$ref"}
            node = _noting({**(meant := self._at(reference)), **rest}, meant, rest)
        parts = node.get("allOf")
        if isinstance(parts, list):
            rest = {key: value for key, value in node.items() if key != "allOf"}
            for part in cast("list[object]", parts):
                if isinstance(part, dict):
                    rest = _merged(rest, self.resolve(cast("JsonSchema", part)))
            node = rest
        return node

    def _at(self, reference: str) -> JsonSchema:
        node: object = self.document
        if not reference.startswith("#"):
            return {}
        for step in reference[1:].split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = cast("dict[str, object]", node).get(key)
            elif isinstance(node, list) and key.isdigit() and int(key) < len(cast("list[object]", node)):
                node = cast("list[object]", node)[int(key)]
            else:
                return {}
        return cast("JsonSchema", node) if isinstance(node, dict) else {}


def _merged(a: JsonSchema, b: JsonSchema) -> JsonSchema:
    merged = {**a, **b}
    for keyword in ("properties", "patternProperties"):
        if keyword in a and keyword in b:
            merged[keyword] = {**a[keyword], **b[keyword]}
    if "required" in a and "required" in b:
        merged["required"] = [*a["required"], *(key for key in b["required"] if key not in a["required"])]
    return _noting(merged, a, b)


def _noting(merged: JsonSchema, a: JsonSchema, b: JsonSchema) -> JsonSchema:
    """What two nodes make together, with the fixes that either allows."""
    if "x-allow" in a and "x-allow" in b:
        merged["x-allow"] = [*a["x-allow"], *b["x-allow"]]
    return merged


def _overlap(arms: list[Shape]) -> bool:
    keys = {key for arm in arms for key in arm.properties}
    return any(arm.extra is True and keys - arm.properties.keys() for arm in arms)


ANYTHING: Final = Target({}).root
"""The shape that takes any JSON value."""
