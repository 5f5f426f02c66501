"""References of a JSON Schema document, resolved inside the document and made local."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from typedllm.records import JsonSchema
from typedllm.schema.dialects import PLACES, REFERENCES, Draft, children, pointer
from typedllm.schema.walk import Node, is_list, is_object

_IDENTIFIERS: Final = ("$schema", "$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary")
_SUBSCHEMA: Final[JsonSchema] = {}


class Reference(NamedTuple):
    """A reference and what it leads to; None where that depends on how one comes there."""

    holder: JsonSchema
    keyword: str
    target: Node | None


@dataclass(slots=True)
class Resolved:
    """A document with its references.

    Attributes:
        document: as written; when `local`, with plain pointers for references and without identifiers.
        draft: the draft that it is written in.
        keywords: what that draft knows.
        references: each reference.
        pointers: where each object of the document stands, by its `id`.
        schemas: each object that is a schema.
        local: whether every reference leads to one place in this document.
        problems: what is wrong, each with its JSON Pointer.
    """

    document: Node
    draft: Draft
    keywords: frozenset[str]
    references: list[Reference] = field(default_factory=list[Reference])
    pointers: dict[int, tuple[str | int, ...]] = field(default_factory=dict[int, tuple[str | int, ...]])
    schemas: list[JsonSchema] = field(default_factory=list[JsonSchema])
    local: bool = True
    problems: list[str] = field(default_factory=list[str])

    def at(self, node: JsonSchema) -> str:
        """JSON Pointer of an object of the document, as a message shows it."""
        return pointer(*self.pointers.get(id(node), ())) or "/"

    def target(self, holder: JsonSchema, keyword: str = "$ref") -> Node | None:
        """What a reference leads to; None where that is not one place."""
        return self._targets.get((id(holder), keyword))

    _targets: dict[tuple[int, str], Node | None] = field(default_factory=dict[tuple[int, str], "Node | None"])

    def index(self) -> None:
        """Makes `target` answer from `references`."""
        self._targets = {(id(one.holder), one.keyword): one.target for one in self.references}


def resolve(document: Node, draft: Draft) -> Resolved:
    """Resolves and checks every schema of a document, and makes it local where that is exact."""
    resolved = Resolved(document, draft, draft.keywords())
    _locate(document, (), resolved)
    if is_object(document):
        _Walk(resolved).run(document)
        document.pop("$schema", None)
        if resolved.local and not resolved.problems:
            _make_local(resolved)
    resolved.index()
    return resolved


def _locate(value: object, path: tuple[str | int, ...], resolved: Resolved) -> None:
    if is_object(value):
        resolved.pointers[id(value)] = path
        for key, part in value.items():
            _locate(part, (*path, key), resolved)
    elif is_list(value):
        for index, part in enumerate(value):
            _locate(part, (*path, index), resolved)


class _Walk:
    """One pass over the schemas of a document, in the order in which they stand there."""

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.seen: set[int] = set()
        self.anchors: Counter[str] = Counter()
        self.dynamic: list[tuple[int, str]] = []
        referencing = import_module("referencing.jsonschema")
        self.specification = referencing.specification_with(resolved.draft.uri)
        self.unresolvable = import_module("referencing.exceptions").Unresolvable
        self.registry = import_module("jsonschema_specifications").REGISTRY
        engine = resolved.draft.engine()
        self.meta = engine(engine.META_SCHEMA, registry=self.registry)

    def run(self, document: JsonSchema) -> None:
        resolver = self.registry.resolver_with_root(self.specification.create_resource(document))
        # Where a reference leads to a place that no keyword makes a schema, that place is walked afterwards.
        later: list[tuple[JsonSchema, Any]] = [(document, resolver)]
        while later:
            stack = [later.pop()]
            while stack:
                node, outer = stack.pop()
                if id(node) in self.seen:
                    continue
                self.seen.add(id(node))
                self.resolved.schemas.append(node)
                inner = outer
                if self._is_well_formed(node):
                    inner = self._enter(node, outer)
                    later += self._references(node, inner)
                parts = [part for _, part in children(node, self.resolved.keywords) if is_object(part)]
                stack += [(part, inner) for part in reversed(parts)]
        self._settle()

    def _is_well_formed(self, node: JsonSchema) -> bool:
        resolved = self.resolved
        errors = list(self.meta.iter_errors(_shallow(node, resolved.keywords)))
        found = [
            f"{pointer(*resolved.pointers[id(node)], *error.absolute_path) or '/'}: {_complaint(error)}"
            for error in errors
        ]
        said = node.get("$schema")
        if isinstance(said, str) and said.rstrip("#") != resolved.draft.uri:
            found.append(f"{resolved.at(node)}: declares another draft: {said} (write all of it in one)")
        # The vocabularies of one draft each find the same.
        resolved.problems += dict.fromkeys(found)
        return not errors

    def _enter(self, node: JsonSchema, outer: Any) -> Any:
        """The resolver inside a schema."""
        self.anchors[str(node.get("$dynamicAnchor", ""))] += 1
        self.anchors["$recursiveAnchor"] += node.get("$recursiveAnchor") is True
        if node is self.resolved.document:
            return outer
        return outer.in_subresource(self.specification.create_resource(node))

    def _references(self, node: JsonSchema, resolver: Any) -> list[tuple[JsonSchema, Any]]:
        later: list[tuple[JsonSchema, Any]] = []
        for keyword in REFERENCES:
            if keyword not in node or keyword not in self.resolved.keywords:
                continue
            try:
                found = resolver.lookup(node[keyword])
            except (self.unresolvable, ValueError):
                self.resolved.problems.append(
                    f"{self.resolved.at(node)}: {keyword} to {node[keyword]!r}, which is not in this document "
                    "(nothing is fetched: copy it into $defs)"
                )
                continue
            target = found.contents
            if is_object(target) and id(target) in self.resolved.pointers:
                later.append((target, found.resolver))
            elif is_object(target):
                self.resolved.local = False
                target = None
            elif not isinstance(target, bool):
                self.resolved.problems.append(f"{self.resolved.at(node)}: {keyword} to {node[keyword]!r}, no schema")
            self._note(node, keyword, target)
        return later

    def _note(self, node: JsonSchema, keyword: str, target: Node | None) -> None:
        self.resolved.references.append(Reference(node, keyword, target))
        if not is_object(target):
            return
        index = len(self.resolved.references) - 1
        name = str(node[keyword]).rpartition("#")[2]
        if keyword == "$dynamicRef" and target.get("$dynamicAnchor") == name:
            self.dynamic.append((index, name))
        if keyword == "$recursiveRef" and target.get("$recursiveAnchor") is True:
            self.dynamic.append((index, "$recursiveAnchor"))

    def _settle(self) -> None:
        """A dynamic reference is a plain one when the whole document has one anchor of its name."""
        references = self.resolved.references
        for index, name in self.dynamic:
            if self.anchors[name] > 1:
                references[index] = references[index]._replace(target=None)
                self.resolved.local = False


def _shallow(node: JsonSchema, keywords: frozenset[str]) -> JsonSchema:
    """A schema with its subschemas emptied, so that each is checked by itself, however deep it stands."""
    shallow = dict(node)
    for path, part in children(node, keywords):
        if not is_object(part):
            continue
        if len(path) == 1:
            shallow[str(path[0])] = _SUBSCHEMA
        else:
            key, name = path
            held = shallow[str(key)]
            if held is node[str(key)]:
                held = shallow[str(key)] = held.copy()
            held[name] = _SUBSCHEMA
    return shallow


def _complaint(error: Any) -> str:
    for one in (error, *error.context):
        if one.validator == "enum":
            return f"expected one of {', '.join(map(json.dumps, one.validator_value))}, got {one.instance!r:.80}"
    return str(error.message)[:200]


def _make_local(resolved: Resolved) -> None:
    for one in resolved.references:
        one.holder.pop(one.keyword, None)
    references: list[Reference] = []
    for holder, _, target in resolved.references:
        if is_object(target):
            fragment = quote(pointer(*resolved.pointers[id(target)]), safe="/~!$&'()*+,;=:@")
            references.append(_put(holder, {"$ref": f"#{fragment}"}, target))
        else:
            if resolved.draft.old:
                for key in [key for key in holder if key not in PLACES]:
                    del holder[key]
            if target is False:
                _put(holder, {"not": {}}, target)
    resolved.references = references
    names = ("id",) if resolved.draft.name == "draft 4" else _IDENTIFIERS
    for schema in resolved.schemas:
        for name in names:
            schema.pop(name, None)


def _put(holder: JsonSchema, entry: JsonSchema, target: Node) -> Reference:
    """Adds an entry to a schema, inside `allOf` where its keyword is taken."""
    ((keyword, value),) = entry.items()
    if keyword in holder:
        holder["allOf"] = [*holder.get("allOf", ()), entry]
        return Reference(entry, keyword, target)
    holder[keyword] = value
    return Reference(holder, keyword, target)
