"""One schema node as TypeScript, made from the forms of its parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Final, NamedTuple

from typing_extensions import TypeIs

from typedllm.records import JsonSchema
from typedllm.schema.comments import harmless, literal, paragraphs, rules
from typedllm.schema.names import key
from typedllm.schema.walk import Node, is_list, is_object

UNION, INTERSECTION, ATOM = range(3)

LONGEST: Final = 1000
_INLINE: Final = 60
_WIDTH: Final = 110


class Form(NamedTuple):
    """A type as text.

    Attributes:
        text: as it is declared, with comments, on one line or more.
        flat: on one line without comments, cut to `LONGEST` characters.
        binds: how tightly it holds together: a union least, an atom most.
        height: how many braces and brackets it nests.
        loops: whether it names, outside of braces, a type that is still being written.
    """

    text: str
    flat: str
    binds: int = ATOM
    height: int = 0
    loops: bool = False


def atom(text: str) -> Form:
    """A type that needs no parentheses."""
    return Form(text, text)


ANY: Final = atom("any")
NEVER: Final = atom("never")


class Writer:
    """Writes nodes whose parts are written already.

    Attributes:
        forms: what is written, by the node's `id`.
        words: the comment of each node, as lines, by the node's `id`.
        integers: whether `integer` was used.
    """

    def __init__(
        self,
        targets: Mapping[str, Node | None],
        name_of: Callable[[JsonSchema], str],
        inlined: Collection[int],
        arms: Collection[int],
        circular: Collection[int],
    ) -> None:
        self.forms: MutableMapping[int, Form] = {}
        self.words: MutableMapping[int, list[str]] = {}
        self.integers = False
        self._targets = targets
        self._name_of = name_of
        self._inlined = inlined
        self._arms = arms
        self._circular = circular

    def write(self, node: Node) -> None:
        """Write one node.

        Args:
            node: the node; all its direct parts, and what it refers to unless that is named, are written.
        """
        self.forms[id(node)] = self._form(node)
        self.words[id(node)] = [] if isinstance(node, bool) else self._comment(node)

    def _of(self, node: Node) -> Form:
        return self.forms.get(id(node), ANY)

    def _said(self, node: Node) -> str:
        return ", ".join(self.words.get(id(node), ()))

    # Types.

    def _form(self, node: Node) -> Form:
        if isinstance(node, bool):
            return ANY if node else NEVER
        if isinstance(own := node.get("x-ts"), str):
            return Form(own, " ".join(own.split()), UNION)
        parts = [part for part in self._parts(node) if part != ANY]
        if node.get("not") in ({}, True) or NEVER in parts:
            return NEVER
        if not parts and id(node) in self._circular:
            return NEVER  # it is what it is: it adds nothing to a union
        return _join(parts, " & ", INTERSECTION) if parts else ANY

    def _parts(self, node: JsonSchema) -> Iterator[Form]:
        """What all holds of the node, to be intersected."""
        if (reference := reference_of(node)) is not None and id(node) not in self._circular:
            yield self._reference(self._targets.get(reference))
        if "const" in node:
            yield atom(literal(node["const"]))
        elif is_list(node.get("enum")) and "x-open" not in node:
            yield union(atom(literal(value)) for value in node["enum"])
        elif (types := types_of(node)) and not _said_by_arms(node):
            yield union(self._basic(node, type_) for type_ in types)
        for combinator in ("anyOf", "oneOf"):
            if is_list(arms := node.get(combinator)):
                yield union(self._of(arm) for arm in arms)
        yield from (self._of(part) for part in node.get("allOf", ()) if id(part) not in self._circular)

    def _reference(self, target: Node | None) -> Form:
        if target is None:
            return ANY
        if not self._is_named(target):
            return self._of(target)
        name = self._name_of(target)
        return Form(name, name, loops=id(target) not in self.forms)

    def _is_named(self, target: Node) -> TypeIs[JsonSchema]:
        return is_object(target) and id(target) not in self._inlined

    def _basic(self, node: JsonSchema, type_: str) -> Form:
        if type_ == "array":
            return self._array(node)
        if type_ == "object":
            return self._object(node)
        self.integers = self.integers or type_ == "integer"
        return atom(type_) if type_ in {"string", "number", "integer", "boolean", "null"} else ANY

    def _array(self, node: JsonSchema) -> Form:
        items: Node = node.get("items", True)
        prefix: list[Node] = node.get("prefixItems", [])
        item = self._of(items)
        if not prefix:
            return atom("[]") if items is False or node.get("maxItems") == 0 else _list(item)
        most, least = node.get("maxItems", len(prefix) + 1), node.get("minItems", 0)
        labels = [str(part.get("x-field", "")) if is_object(part) else "" for part in prefix]
        parts = [*map(self._of, prefix)]
        members = [
            _member(part, label * all(labels), i >= least)
            for i, (part, label) in enumerate(zip(parts, labels, strict=True))
        ]
        if items is not False and most > len(prefix):
            rest = "rest: " * all(labels)
            members.append((f"...{rest}{_list(item).text}", f"...{rest}{_list(item).flat}"))
        text, flat = (f"[{', '.join(made)}]" for made in zip(*members[:most], strict=True))
        return Form(text, _cut(flat), ATOM, 1 + max(part.height for part in [*parts, item]))

    def _object(self, node: JsonSchema) -> Form:
        properties: dict[str, Node] = node.get("properties", {})
        required: list[str] = [name for name in node.get("required", ()) if isinstance(name, str)]
        others = self._others(node)
        if not properties and not required:
            return self._record(node, others)
        lines: list[str] = []
        flats: list[str] = []
        for name in self._in_order(node, properties, required):
            form, head = self._of(properties.get(name, True)), f"{key(name)}{'' if name in required else '?'}: "
            lines += _line(f"{head}{form.text};", self._property_words(name, properties.get(name, True)))
            flats.append(f"{head}{form.flat}")
        if others:
            line, flat = self._index(properties, required, others)
            lines += line
            flats.append(flat)
        flat = _cut(f"{{ {'; '.join(flats)} }}")
        if len(flat) <= _INLINE and not any("//" in line for line in lines):
            return Form(flat, flat, ATOM, 1 + self._height(node))
        body = "\n".join(lines).replace("\n", "\n    ")
        return Form(f"{{\n    {body}\n}}", flat, ATOM, 1 + self._height(node))

    def _height(self, node: JsonSchema) -> int:
        parts: list[Node] = [*node.get("properties", {}).values(), *self._others(node)]
        return max((self._of(part).height for part in parts), default=0)

    def _in_order(self, node: JsonSchema, properties: Mapping[str, Node], required: Sequence[str]) -> list[str]:
        """The names as declared; in an arm of a union the constants first, so that the model settles the arm first."""
        names = list(dict.fromkeys([*properties, *required]))
        return (
            sorted(names, key=lambda name: not is_tag(properties.get(name, True))) if id(node) in self._arms else names
        )

    def _others(self, node: JsonSchema) -> list[Node]:
        """The schemas of keys that are not named; none when there may be none, or when nothing is said of them."""
        patterns: list[Node] = [*node.get("patternProperties", {}).values()]
        said = node.get("properties") or node.get("required") or patterns
        extra: Node = node.get("additionalProperties", not said)
        return patterns if extra is False else [*patterns, extra]

    def _record(self, node: JsonSchema, others: Sequence[Node]) -> Form:
        value = union(map(self._of, others))
        names = self._of(node["propertyNames"]) if "propertyNames" in node else atom("string")
        if not others or node.get("maxProperties") == 0:
            return atom("Record<string, never>")
        keys = self._is_enumerated(node.get("propertyNames"))
        made = [
            _record_of(name if keys else None, held, value.loops)
            for name, held in ((names.text, value.text), (names.flat, value.flat))
        ]
        return Form(made[0], _cut(made[1]), ATOM, 1 + value.height)

    def _is_enumerated(self, names: Any) -> bool:
        while is_object(names) and (reference := reference_of(names)) is not None:
            names = self._targets.get(reference)
        values: list[object] = (
            names.get("enum", [names.get("const")]) if is_object(names) and "x-open" not in names else []
        )
        return bool(values) and all(isinstance(value, str) for value in values)

    def _index(
        self, properties: Mapping[str, Node], required: Sequence[str], others: Sequence[Node]
    ) -> tuple[list[str], str]:
        """The line for keys that are not named; TypeScript holds the named ones to its type too."""
        value = union(map(self._of, others))
        alike = set(properties) <= set(required) and {self._of(child).text for child in properties.values()} <= {
            value.text
        }
        if value == ANY or alike:
            return [f"[key: string]: {value.text};"], f"[key: string]: {value.flat}"
        return _line("[key: string]: any;", [f"other keys: {value.flat}"]), "[key: string]: any"

    # Words.

    def _property_words(self, name: str, node: Node) -> list[str]:
        words = self.words.get(id(node), [])
        title = node.get("title") if is_object(node) and "description" not in node and "$ref" not in node else None
        if isinstance(title, str) and " " in title.strip() and _squashed(title) != _squashed(name):
            return [harmless(title), *words] if len(words) != 1 else [f"{harmless(title)}; {words[0]}"]
        return words

    def _comment(self, node: JsonSchema) -> list[str]:
        """The description and the rules of a node as the lines of a comment."""
        lines = paragraphs(node["description"]) if isinstance(node.get("description"), str) else []
        target = self._targets.get(reference_of(node) or "")
        if target is not None and not self._is_named(target):
            inner = self.words.get(id(target), [])
            lines = [*lines, *inner] if inner != lines else lines
        said = [harmless(rule) for rule in [*self._inner_rules(node), *rules(node)]]
        if not said:
            return lines
        return [*lines[:-1], f"{lines[-1].rstrip('.;')}; {'; '.join(said)}"] if lines else ["; ".join(said)]

    def _inner_rules(self, node: JsonSchema) -> Iterator[str]:
        """The rules of parts that have no line of their own, and of what TypeScript has no type for."""
        if "x-ts" not in node:
            yield from self._part_rules(node)
            yield from self._arm_rules(node)
        yield from self._logic(node)

    def _part_rules(self, node: JsonSchema) -> Iterator[str]:
        parts: list[tuple[str, Any]] = [("items", node.get("items"))]
        prefix: list[Node] = node.get("prefixItems", [])
        labels = [part.get("x-field") if is_object(part) else None for part in prefix]
        parts += [(label or f"item {i + 1}", part) for i, (label, part) in enumerate(zip(labels, prefix, strict=True))]
        patterns: dict[str, Node] = node.get("patternProperties", {})
        for pattern, part in patterns.items():
            said = self._said(part) or (self._of(part).flat if len(patterns) > 1 else "")
            yield f"keys match {pattern}" + (f": {said}" if said else "")
        named = "other " if node.get("properties") or patterns else ""
        parts += [("other keys" if named else "values", node.get("additionalProperties"))]
        names = node.get("propertyNames")
        parts += [("keys", names)] if not self._is_enumerated(names) else []
        yield from (f"{name}: {said}" for name, part in parts if is_object(part) and (said := self._said(part)))

    def _arm_rules(self, node: JsonSchema) -> Iterator[str]:
        arms: list[Node] = [arm for key in ("anyOf", "oneOf") for arm in node.get(key, ())]
        told = [arm for arm in arms if arm != {"type": "null"}]
        alone = len(told) == 1 or "x-type" in node
        for arm in told:
            if said := self._said(arm):
                yield said if alone else f"{self._of(arm).flat}: {said}"
        yield from (said for part in node.get("allOf", ()) if (said := self._said(part)))

    def _logic(self, node: JsonSchema) -> Iterator[str]:
        if "not" in node and node["not"] not in ({}, True, False):
            yield f"not {self._shape(node['not'])}"
        if "if" in node:
            then, other = node.get("then", True), node.get("else", True)
            yield f"if {self._shape(node['if'])}" + "".join(
                f" {word} {self._shape(part)}" for word, part in (("then", then), ("else", other)) if part is not True
            )
        if "contains" in node:
            least, most = node.get("minContains", 1), node.get("maxContains")
            yield f"at least {least}{f' and at most {most}' if most is not None else ''} of {self._shape(node['contains'])}"
        for name, part in {**node.get("dependencies", {}), **node.get("dependentSchemas", {})}.items():
            yield f"with {literal(name)}: {', '.join(map(literal, part)) if is_list(part) else self._shape(part)}"
        for name, needed in node.get("dependentRequired", {}).items():
            yield f"with {literal(name)} also {', '.join(map(literal, needed))}"
        if node.get("contentSchema"):
            yield f"JSON text of {self._shape(node['contentSchema'])}"
        if (reference := reference_of(node)) is not None and self._targets.get(reference) is None:
            yield f"as in {reference}"

    def _shape(self, node: Node) -> str:
        said = self._said(node)
        return f"{self._of(node).flat} ({said})" if said else self._of(node).flat


def reference_of(node: JsonSchema) -> str | None:
    """What a node refers to, statically or dynamically; nothing where the caller's own text stands for it."""
    if "x-ts" in node:
        return None
    found = node.get("$ref", node.get("$dynamicRef", node.get("$recursiveRef")))
    return found if isinstance(found, str) else None


_IMPLIED: Final[Mapping[str, frozenset[str]]] = {
    "object": frozenset({"properties", "required", "additionalProperties", "patternProperties", "propertyNames"}),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "contentMediaType"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
}


def types_of(node: object) -> list[str]:
    """The JSON types of a node: as it says, else as its keywords imply."""
    if not is_object(node):
        return []
    types = node.get("type")
    if isinstance(types, str):
        return [types]
    if is_list(types):
        return [str(type_) for type_ in types]
    return [type_ for type_, keywords in _IMPLIED.items() if keywords & set(node)][:1]


def is_tag(node: Node) -> bool:
    """Whether the node admits a single constant."""
    return is_object(node) and ("const" in node or len(node.get("enum", ())) == 1)


def _said_by_arms(node: JsonSchema) -> bool:
    """Whether the arms of a union say all that the plain `type` beside them says."""
    arms: list[Node] = node.get("anyOf") or node.get("oneOf") or []
    told = all(is_object(arm) and ("type" in arm or "const" in arm or "enum" in arm or "$ref" in arm) for arm in arms)
    return bool(arms) and told and not ({"properties", "required", "items", "prefixItems"} & set(node))


def union(arms: Iterable[Form]) -> Form:
    """Any of these types; null comes last."""
    distinct = [arm for arm in dict.fromkeys(arms) if arm != NEVER]
    distinct.sort(key=lambda arm: arm.text == "null")
    return ANY if ANY in distinct else _join(distinct, " | ", UNION) if distinct else NEVER


def _join(parts: Sequence[Form], by: str, binds: int) -> Form:
    distinct = list(dict.fromkeys(parts))
    if len(distinct) == 1:
        return distinct[0]
    texts = (part.text if part.binds >= binds else f"({part.text})" for part in distinct)
    flats = (part.flat if part.binds >= binds else f"({part.flat})" for part in distinct)
    height, loops = max(part.height for part in distinct), any(part.loops for part in distinct)
    return Form(by.join(texts), _cut(by.join(flats)), binds, height, loops)


def _record_of(keys: str | None, value: str, loops: bool) -> str:
    """A map; TypeScript lets a type name itself inside braces, but not as an argument of `Record`."""
    if loops:
        return f"{{ [key in {keys}]?: {value} }}" if keys else f"{{ [key: string]: {value} }}"
    return f"Partial<Record<{keys}, {value}>>" if keys else f"Record<string, {value}>"


def _list(item: Form) -> Form:
    text, flat = (f"{text}[]" if item.binds == ATOM else f"({text})[]" for text in (item.text, item.flat))
    return Form(text, _cut(flat), ATOM, item.height + 1, item.loops)


def _member(part: Form, label: str, optional: bool) -> tuple[str, str]:
    """One place of a tuple, as text and flat."""
    if label:
        return f"{label}{'?' * optional}: {part.text}", f"{label}{'?' * optional}: {part.flat}"
    if not optional:
        return part.text, part.flat
    return (f"{part.text}?", f"{part.flat}?") if part.binds == ATOM else (f"({part.text})?", f"({part.flat})?")


def _cut(flat: str) -> str:
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 4]} ..."


def _squashed(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _line(code: str, words: Sequence[str]) -> list[str]:
    """A line of code with its comment: behind it if it fits, else above."""
    if len(words) == 1 and "\n" not in code and len(code) + len(words[0]) + 4 <= _WIDTH:
        return [f"{code} // {words[0]}"]
    return [*(f"// {word}" for word in words), code]
