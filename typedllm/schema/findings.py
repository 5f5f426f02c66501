"""A finding of the linter, and the place that a check looks at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from typedllm.records import JsonSchema
from typedllm.schema.walk import Node, is_list, is_object, resolve

Code: TypeAlias = Literal[
    "answer_first",
    "invented",
    "huge_enum",
    "no_discriminator",
    "untold_rule",
    "python_pattern",
    "bounded_pattern",
    "exploding_pattern",
    "open_ended",
    "deep",
    "alike_names",
    "cryptic_name",
    "cost",
    "not_sent",
    "not_taken",
]

_CONDITIONS: Final = frozenset({"not", "if"})
_TABLES: Final = frozenset({"$defs", "properties", "patternProperties", "dependentSchemas"})
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_CHAIN: Final = 50
_WORD: Final = re.compile(r"[^\W\d_]+")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a schema could do better.

    Attributes:
        pointer: JSON Pointer into the schema.
        code: what kind of finding it is.
        what: the fact, in words.
        mend: what to do about it.
    """

    pointer: str
    code: Code
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.what} ({self.mend}) [{self.code}]"


class Property(NamedTuple):
    """A property of an object.

    Attributes:
        name: its key.
        node: its schema, as it stands.
        target: what that comes to, references followed.
        required: whether it must be there.
    """

    name: str
    node: JsonSchema
    target: JsonSchema

    required: bool

    @property
    def description(self) -> str:
        """What is said of it."""
        return str(self.node.get("description") or self.target.get("description") or "")


@dataclass(frozen=True, slots=True)
class Site:
    """A part of a document that is looked at.

    Attributes:
        document: the whole.
        path: the steps to the part.
        node: the part.
    """

    document: JsonSchema
    path: tuple[str, ...]
    node: JsonSchema

    def finding(self, code: Code, what: str, mend: str, *below: str) -> Finding:
        """A finding about this part, or about what stands some steps below it."""
        return Finding(pointer((*self.path, *below)), code, what, mend)

    @property
    def is_condition(self) -> bool:
        """Whether the part says what a value is not, or when something holds: nothing that a model writes."""
        return not _CONDITIONS.isdisjoint(keywords(self.path))

    def follow(self, node: Node) -> JsonSchema:
        """What a node comes to when its references are followed; `{}` for what accepts anything, or nothing."""
        return follow(self.document, node)

    def properties(self) -> Iterator[Property]:
        """The properties that are declared here, in order."""
        table, required = self.node.get("properties"), self.node.get("required", ())
        for name, node in table.items() if is_object(table) else ():
            own: JsonSchema = node if is_object(node) else {}
            yield Property(name, own, self.follow(own), name in required)


def follow(document: JsonSchema, node: Node) -> JsonSchema:
    """What a node comes to when its references are followed; `{}` for what accepts anything, or nothing."""
    for _ in range(_CHAIN):
        if not (is_object(node) and isinstance(reference := node.get("$ref"), str)):
            break
        node = resolve(document, reference) or {}
    return node if is_object(node) else {}


def branches(document: JsonSchema, node: JsonSchema) -> list[JsonSchema]:
    """What a value may be, unions within unions taken apart and references followed, each once; itself if no union."""
    found: dict[int, JsonSchema] = {}
    seen: set[int] = set()
    pending: list[Node] = [node]
    while pending:
        part = follow(document, pending.pop())
        if id(part) in seen:
            continue
        seen.add(id(part))
        arms = [arm for key in ("anyOf", "oneOf") if is_list(listed := part.get(key)) for arm in listed]
        if arms:
            pending.extend(reversed(arms))
        else:
            found[id(part)] = part
    return list(found.values())


def keywords(path: Iterable[str]) -> list[str]:
    """The keywords of a path, without the names and numbers between."""
    found: list[str] = []
    names = False
    for step in path:
        if names:
            names = False
            continue
        found.append(step)
        names = step in _TABLES or step in _LISTS
    return found


def pointer(path: Iterable[str]) -> str:
    """The JSON Pointer (RFC 6901) of a path."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)


def words(name: str) -> list[str]:
    """The words of a name, in lower case: `dateOfBirth`, `date_of_birth` and `date-of-birth` have three."""
    return [part.casefold() for part in _WORD.findall(_HUMP.sub("_", name))]
