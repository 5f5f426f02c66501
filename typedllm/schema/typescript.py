"""A document as TypeScript: what the model is shown.

Named types come before their use and the root comes last, next to the instruction that asks for it. Each is declared
once; what is used once and short is written where it is used. Rules that TypeScript cannot state stand in comments.
`integer` is declared as a name of `number` where it occurs, which is shorter than a comment at each number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from typedllm.records import JsonSchema
from typedllm.schema.comments import harmless, literal, paragraphs, rules
from typedllm.schema.names import identifier, key, unused
from typedllm.schema.walk import Node, children, is_list, is_object, resolve

_UNION, _INTERSECTION, _ATOM = range(3)
_INLINE: Final = 60
_WIDTH: Final = 110
_NESTING: Final = 6


class _Type(NamedTuple):
    """A type as text: how tightly it binds, and how many braces and brackets deep it is."""

    text: str
    binds: int = _ATOM
    height: int = 0

    def within(self, binds: int) -> str:
        """The text, in parentheses if it binds less tightly than its surroundings."""
        return self.text if self.binds >= binds else f"({self.text})"


_ANY: Final = _Type("any")


def render(document: JsonSchema, name: str, *, compact: bool = False) -> str:
    """The document as TypeScript declarations, root last.

    Args:
        document: a JSON Schema (draft 2020-12), with or without the hints of `build`.
        name: what the root type is called.
        compact: without indentation.
    """
    text = TypeScript(document, name).text
    return "\n".join(line.lstrip() for line in text.splitlines()) + "\n" if compact else text


def render_type(node: Node, document: JsonSchema, *, limit: int = 200) -> str:
    """A part of a document as one line of TypeScript.

    Args:
        node: the part.
        document: the document that its references point into.
        limit: most characters; what is longer is cut, with an ellipsis.
    """
    return TypeScript(document, "Reply").type(node, limit=limit)


class TypeScript:
    """One document as TypeScript.

    Attributes:
        text: the declarations.
    """

    def __init__(self, document: JsonSchema, name: str) -> None:
        self._document = document
        self._types: dict[int, _Type] = {}
        self._declared: dict[str, str] = {}
        self._inlined: dict[str, Node] = {}
        self._recursive: set[str] = set()
        self._uses: Counter[str] = Counter()
        self._names = self._name_all(name)
        self._kept: list[Node] = []
        self._visit(document)
        self.text: str = self._finish()

    def type(self, node: Node, *, limit: int = 200) -> str:
        """A part of the document as one line, cut to `limit` characters."""
        self._visit(node)
        line = " ".join(line.partition(" // ")[0].strip() for line in self._types[id(node)].text.splitlines())
        return line if len(line) <= limit else f"{line[: limit - 4].rstrip()} ..."

    def _name_all(self, root: str) -> dict[str, str]:
        """A name for each schema that is referred to, in the order in which they are met."""
        names: dict[str, str] = {"#": identifier(root)}
        stack: list[Node] = [self._document]
        while stack:
            node = stack.pop()
            if isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
                self._uses[reference] += 1
                if self._uses[reference] == 1 and (target := resolve(self._document, reference)) is not None:
                    if reference not in names:
                        names[reference] = self._named(reference, target, names)
                    if reference != "#":
                        stack.append(target)
            stack.extend(reversed([child for path, child in children(node) if path[0] not in {"$defs", "definitions"}]))
        return names

    def _named(self, reference: str, target: Node, names: dict[str, str]) -> str:
        title = target.get("title") if isinstance(target, dict) else None
        fallback = identifier(reference.rpartition("/")[2], "Part")
        name = title if isinstance(title, str) and title.isidentifier() else fallback
        root = self._document
        if root.get("$ref") == reference and set(root) <= {"$ref", "$defs"}:
            return identifier(name)
        return unused(identifier(name), set(names.values()))

    def _visit(self, start: Node) -> None:
        """Write the type of each part below `start`, parts before wholes, so that no depth overflows the stack."""
        opened: set[int] = set()
        stack: list[tuple[Node, str | None, bool]] = [(start, None, False)]
        open_references: set[str] = set()
        while stack:
            node, reference, ready = stack.pop()
            if ready:
                self._types[id(node)] = self._write(node)
                self._kept.append(node)
                if reference:
                    open_references.discard(reference)
                    self._settle(reference, node)
                continue
            if id(node) in opened or id(node) in self._types:
                if reference in open_references:
                    self._recursive.add(reference)
                continue
            opened.add(id(node))
            if reference:
                open_references.add(reference)
            stack.append((node, reference, True))
            stack.extend(reversed(list(self._below(node, open_references))))

    def _below(self, node: Node, open_references: set[str]) -> Iterator[tuple[Node, str | None, bool]]:
        if isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
            if reference in open_references or reference == "#":
                self._recursive.add(reference)
            elif (target := resolve(self._document, reference)) is not None:
                yield target, reference, False
        for path, child in children(node):
            if path[0] not in {"$defs", "definitions"}:
                yield child, None, False

    def _settle(self, reference: str, node: Node) -> None:
        """Declare a schema that is referred to, or keep it for the one place that uses it."""
        made = self._types[id(node)]
        alone = self._uses[reference] == 1 and reference not in self._recursive
        short = "\n" not in made.text and len(made.text) <= _INLINE
        if alone and short and len(self._words(node)) <= 1:
            self._inlined[reference] = node
        else:
            self._declare(self._names[reference], node)

    def _declare(self, name: str, node: Node) -> None:
        made = self._types[id(node)]
        above = "".join(f"// {line}\n" for line in self._words(node))
        is_interface = made.text.startswith("{") and made.text.endswith("}") and made.binds == _ATOM
        whole = f"interface {name} {made.text}" if is_interface else f"type {name} = {made.text};"
        self._declared[name] = above + whole

    def _finish(self) -> str:
        root = self._document
        lone = set(root) - {"$defs", "$schema", "$id"} == {"$ref"} and root["$ref"] in self._names
        if not (lone and self._names[root["$ref"]] in self._declared):
            self._declare(self._names["#"], root)
        bodies = list(self._declared.values())
        head = ["type integer = number;"] if any(self._is_integer(node) for node in self._kept) else []
        return "\n".join([*head, *bodies]) + "\n"

    def _is_integer(self, node: Node) -> bool:
        return isinstance(node, dict) and "integer" in _types(node) and "enum" not in node and "const" not in node

    # One node, its parts written already.

    def _of(self, node: Node) -> _Type:
        return self._types.get(id(node), _ANY)

    def _write(self, node: Node) -> _Type:
        if isinstance(node, bool):
            return _ANY if node else _Type("never")
        if isinstance(own := node.get("x-ts"), str):
            return _Type(own, _UNION)
        parts = [part for part in self._parts(node) if part != _ANY]
        return _join(parts, " & ", _INTERSECTION) if parts else _ANY

    def _parts(self, node: JsonSchema) -> Iterator[_Type]:
        """What all holds of the node, to be intersected."""
        if isinstance(reference := node.get("$ref"), str):
            yield self._reference(reference)
        if "const" in node:
            yield _Type(literal(node["const"]))
        elif isinstance(node.get("enum"), list):
            yield _union(_Type(literal(value)) for value in node["enum"])
        elif (types := _types(node)) and not self._said_by_arms(node):
            yield _union(self._basic(node, type_) for type_ in types)
        for combinator in ("anyOf", "oneOf"):
            if node.get(combinator):
                yield _union(self._of(arm) for arm in node[combinator])
        for part in node.get("allOf", ()):
            yield self._of(part)

    def _said_by_arms(self, node: JsonSchema) -> bool:
        """Whether the arms of a union say all that the plain `type` beside them says."""
        arms = node.get("anyOf") or node.get("oneOf") or ()
        return bool(arms) and "properties" not in node and all(_types(arm) or "$ref" in arm for arm in arms)

    def _reference(self, reference: str) -> _Type:
        if reference in self._inlined:
            return self._of(self._inlined[reference])
        return _Type(self._names[reference]) if reference in self._names else _ANY

    def _basic(self, node: JsonSchema, type_: str) -> _Type:
        if type_ == "array":
            return self._array(node)
        return self._object(node) if type_ == "object" else _Type(type_)

    def _array(self, node: JsonSchema) -> _Type:
        items, prefix = node.get("items", True), node.get("prefixItems", [])
        if not prefix and node.get("maxItems") == 0:
            return _Type("[]")
        item = self._of(items)
        if not prefix:
            return _Type(f"{item.within(_ATOM)}[]", _ATOM, item.height + 1)
        least = node.get("minItems", 0)
        labels = [str(part.get("x-field", "")) if is_object(part) else "" for part in prefix]
        parts = [self._of(part) for part in prefix]
        members = [
            f"{label}{'?' * (index >= least)}: {part.text}" if all(labels) else _optional(part, index >= least)
            for index, (label, part) in enumerate(zip(labels, parts, strict=True))
        ]
        if items is not False and node.get("maxItems", len(prefix) + 1) > len(prefix):
            members.append(f"...{'rest: ' * all(labels)}{item.within(_ATOM)}[]")
        return _Type(f"[{', '.join(members)}]", _ATOM, 1 + max(part.height for part in [*parts, item]))

    def _object(self, node: JsonSchema) -> _Type:
        properties: dict[str, Node] = node.get("properties", {})
        required = set(node.get("required", ()))
        others = self._others(node)
        if not properties and not required:
            return self._record(node, others)
        lines: list[str] = []
        for name in [*_tags_first(properties, required), *sorted(required - set(properties))]:
            child = properties.get(name, True)
            type_ = self._of(child).text
            lines += _line(f"{key(name)}{'' if name in required else '?'}: {type_};", self._words(child))
        if others:
            lines += self._index(properties, others)
        body = "\n".join(lines).replace("\n", "\n    ")
        flat = "{ " + body.replace("\n    ", " ")[:-1] + " }"
        if "//" not in body and len(flat) <= _INLINE:
            return _Type(flat, _ATOM, 1)
        return _Type(f"{{\n    {body}\n}}", _ATOM, 1)

    def _others(self, node: JsonSchema) -> list[Node]:
        """The schemas of keys that are not named; none when there may be none, or when nothing is said of them."""
        patterns = list(node.get("patternProperties", {}).values())
        extra = node.get("additionalProperties", not node.get("properties") and not patterns)
        return patterns if extra is False else [*patterns, extra]

    def _record(self, node: JsonSchema, others: Sequence[Node]) -> _Type:
        if not others:
            return _Type("{}")
        value = _union(self._of(other) for other in others)
        names = self._of(node["propertyNames"]) if "propertyNames" in node else _Type("string")
        if names.text.startswith('"'):
            return _Type(f"Partial<Record<{names.text}, {value.text}>>")
        return _Type(f"Record<string, {value.text}>")

    def _index(self, properties: dict[str, Node], others: Sequence[Node]) -> list[str]:
        value = _union(self._of(other) for other in others)
        if value == _ANY or {self._of(child).text for child in properties.values()} <= {value.text}:
            return [f"[key: string]: {value.text};"]
        return _line("[key: string]: any;", [f"other keys: {' '.join(value.text.split())}"])

    # Words.

    def _words(self, node: Node) -> list[str]:
        """The description and the rules of a part as the lines of a comment."""
        if isinstance(node, bool):
            return []
        lines = paragraphs(node["description"]) if isinstance(node.get("description"), str) else []
        said = [harmless(rule) for rule in self._rules(node)]
        if not said:
            return lines
        return [f"{lines[0].rstrip('.')}; {'; '.join(said)}"] if len(lines) == 1 else [*lines, "; ".join(said)]

    def _rules(self, node: JsonSchema) -> Iterable[str]:
        own = rules(node)
        if (reference := node.get("$ref")) in self._inlined:
            own = [*self._words(self._inlined[str(reference)]), *own]
        return [*self._inner_rules(node), *own]

    def _inner_rules(self, node: JsonSchema) -> Iterator[str]:
        """The rules of parts that have no line of their own."""
        for name, child in (("items", node.get("items")), ("values", node.get("additionalProperties"))):
            if is_object(child) and (said := self._words(child)):
                yield f"{name}: {', '.join(said)}"
        arms = [arm for arm in [*node.get("anyOf", ()), *node.get("oneOf", ())] if arm != {"type": "null"}]
        for arm in arms:
            if said := self._words(arm):
                text = ", ".join(said)
                yield text if len(arms) == 1 else f"{self._of(arm).text.splitlines()[0]}: {text}"


def _types(node: Any) -> list[str]:
    if not is_object(node):
        return []
    types = node.get("type")
    if isinstance(types, str):
        return [types]
    if is_list(types):
        return [str(type_) for type_ in types]
    for type_, keywords in _IMPLIED.items():
        if keywords & set(node):
            return [type_]
    return []


_IMPLIED: Final = {
    "object": {"properties", "required", "additionalProperties", "patternProperties", "propertyNames"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"},
    "string": {"minLength", "maxLength", "pattern"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}


def _union(arms: Iterable[_Type]) -> _Type:
    distinct = list(dict.fromkeys(arms))
    distinct.sort(key=lambda arm: arm.text == "null")
    return _ANY if _ANY in distinct else _join(distinct, " | ", _UNION) if distinct else _Type("never")


def _join(parts: Sequence[_Type], by: str, binds: int) -> _Type:
    distinct = list(dict.fromkeys(parts))
    if len(distinct) == 1:
        return distinct[0]
    return _Type(by.join(part.within(binds) for part in distinct), binds, max(part.height for part in distinct))


def _optional(part: _Type, optional: bool) -> str:
    return f"{part.within(_ATOM)}?" if optional else part.text


def _tags_first(properties: dict[str, Node], required: set[str]) -> list[str]:
    """The names with the required constants first: a model that writes the tag first knows which arm it is in."""
    return sorted(properties, key=lambda name: not (name in required and _is_tag(properties[name])))


def _is_tag(node: Node) -> bool:
    return isinstance(node, dict) and ("const" in node or len(node.get("enum", ())) == 1)


def _line(code: str, words: Sequence[str]) -> list[str]:
    """A line of code with its comment: behind it if it fits, else above."""
    if not words:
        return [code]
    last = code.splitlines()[-1]
    if len(words) == 1 and "\n" not in code and len(last) + len(words[0]) + 4 <= _WIDTH:
        return [f"{code} // {words[0]}"]
    return [*(f"// {word}" for word in words), code]
