"""A document as TypeScript: what the model is shown.

Named types come before their use and the root comes last, next to the instruction that asks for it. Each is declared
once; what is used once and short is written where it is used. Rules that TypeScript cannot state stand in comments.
`integer` is declared as a name of `number` where it occurs, which is shorter than a comment at each number.
"""

from __future__ import annotations

import copy
from collections import ChainMap, Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from typedllm.records import JsonSchema
from typedllm.schema.comments import literal
from typedllm.schema.forms import ATOM, Form, Writer, atom, reference_of
from typedllm.schema.names import identifier, unused
from typedllm.schema.walk import Node, children, is_list, is_object, resolve

_INLINE: Final = 90
_NESTING: Final = 6
_BARE: Final = frozenset({"allOf", "anyOf", "oneOf"})


def render(document: JsonSchema, name: str, *, compact: bool = False) -> str:
    """The document as TypeScript declarations, root last.

    Args:
        document: a JSON Schema (draft 2020-12), with or without the hints of `build`.
        name: what the root type is called.
        compact: without indentation.
    """
    text = Rendering(document, name).text
    return "\n".join(line.lstrip() for line in text.splitlines()) + "\n" if compact else text


def render_type(node: Node, document: JsonSchema, *, limit: int = 200) -> str:
    """A part of a document as one line of TypeScript.

    Args:
        node: the part.
        document: the document that its references point into.
        limit: most characters; what is longer is cut, with an ellipsis.
    """
    return Rendering(document, "Reply").type(node, limit=limit)


class _Step(NamedTuple):
    """A node to be written.

    Attributes:
        node: the node.
        ready: whether its parts are written.
        above: the step that it is the same as, or an arm of, without braces or brackets between.
    """

    node: Node
    ready: bool = False
    above: _Step | None = None

    def is_bare_in(self, node: Node) -> bool:
        """Whether that node comes down to this one."""
        step = self.above
        while step is not None and step.node is not node:
            step = step.above
        return step is not None


class Rendering:
    """One document as TypeScript.

    Attributes:
        text: the declarations.
    """

    def __init__(self, document: JsonSchema, name: str) -> None:
        self._document = document
        self._targets: dict[str, Node | None] = {}
        self._names: dict[int, str] = {id(document): identifier(name)}
        self._references: dict[int, str] = {}
        self._uses: Counter[int] = Counter()
        self._aliases: Counter[str] = Counter()
        arms: set[int] = set()
        self._survey(arms)
        self._recursive: set[int] = set()
        self._inlined: set[int] = set()
        self._circular: set[int] = set()
        self._declared: dict[str, str] = {}
        self._writer = Writer(self._targets, self._name_of, self._inlined, arms, self._circular)
        self._visit(document, settle=True)
        self.text: str = self._finish()

    def type(self, node: Node, *, limit: int = 200) -> str:
        """A part of the document as one line: its name if it is declared, else its type.

        Args:
            node: a node of the document, or one whose references point into it.
            limit: most characters; what is longer is cut, with an ellipsis.
        """
        if self._names.get(id(node)) in self._declared:
            return self._names[id(node)]
        line = self._part(node).forms[id(node)].flat
        if len(line) <= limit:
            return line
        if is_object(node) and is_list(values := node.get("enum")):
            return _first_of([literal(value) for value in values], limit)
        return f"{line[: limit - 4].rstrip()} ..."

    def words(self, node: Node) -> list[str]:
        """The description and the rules of a part, as the lines of its comment."""
        return self._part(node).words[id(node)]

    def _part(self, node: Node) -> Writer:
        """The writer with this node written; what was not part of the document is forgotten with it."""
        if id(node) in self._writer.forms:
            return self._writer
        part = copy.copy(self)
        part._writer = copy.copy(self._writer)
        part._writer.forms = ChainMap({}, self._writer.forms)
        part._writer.words = ChainMap({}, self._writer.words)
        part._visit(node, settle=False)
        return part._writer

    def _survey(self, arms: set[int]) -> None:
        """Find what is referred to, how often, and which nodes are arms of a union."""
        stack: list[Node] = [self._document]
        while stack:
            node = stack.pop()
            if is_object(node) and (target := self._target(node)) is not None:
                self._uses[id(target)] += 1
                if self._uses[id(target)] == 1 and target is not self._document:
                    self._references[id(target)] = reference_of(node) or ""
                    stack.append(target)
            if is_object(node):
                arms.update(map(id, self._arms(node)))
                self._aliases.update([node["x-alias"]] if isinstance(node.get("x-alias"), str) else ())
            stack.extend(reversed([child for _, child in _parts(node)]))

    def _target(self, node: JsonSchema) -> JsonSchema | None:
        """The node that this one refers to; None when it is unknown, or true or false."""
        reference = reference_of(node)
        if reference is None:
            return None
        if reference not in self._targets:
            self._targets[reference] = resolve(self._document, reference)
        target = self._targets[reference]
        return target if is_object(target) else None

    def _arms(self, node: JsonSchema) -> Iterator[Node]:
        arms = [arm for key in ("anyOf", "oneOf") if is_list(listed := node.get(key)) for arm in listed]
        told = [arm for arm in arms if arm != {"type": "null"}]
        for arm in told if len(told) > 1 else ():
            yield (self._target(arm) or arm) if is_object(arm) else arm

    def _name_of(self, target: JsonSchema) -> str:
        """The name of a schema that is declared: its own, numbered if another one has it."""
        if id(target) not in self._names:
            root = self._names[id(self._document)]
            taken = {*self._names.values(), *map(identifier, self._aliases)} - (
                {root} if self._is_lone(target) else set()
            )
            self._names[id(target)] = unused(self._wanted(target), taken)
        return self._names[id(target)]

    def _wanted(self, target: JsonSchema) -> str:
        title = target.get("title")
        if isinstance(title, str) and title.isidentifier():
            return identifier(title)
        return identifier(self._references[id(target)].rpartition("/")[2].lstrip("#"), "Part")

    def _is_lone(self, target: JsonSchema) -> bool:
        """Whether the root is this definition, and nothing more."""
        said = set(self._document) - {"$defs", "definitions", "$schema", "$id"}
        return said == {"$ref"} and self._target(self._document) is target

    def _visit(self, start: Node, *, settle: bool) -> None:
        """Write each node below `start`, parts before wholes, without recursion: no depth overflows the stack."""
        opened: set[int] = set()
        stack = [_Step(start)]
        while stack:
            step = stack.pop()
            node = step.node
            if step.ready:
                self._writer.write(node)
                if settle:
                    self._settle(node)
                opened.discard(id(node))
            elif id(node) in opened:
                self._recursive.add(id(node))
                if step.above is not None and step.is_bare_in(node):
                    self._circular.add(id(step.above.node))
            elif id(node) not in self._writer.forms:
                opened.add(id(node))
                stack.append(step._replace(ready=True))
                stack.extend(reversed([*self._below(step)]))

    def _below(self, step: _Step) -> Iterator[_Step]:
        for path, child in _parts(step.node):
            yield _Step(child, above=step if path[0] in _BARE else None)
        if is_object(step.node) and (target := self._target(step.node)) is not None:
            yield _Step(target, above=step)

    def _settle(self, node: Node) -> None:
        """Declare a node, or leave it to be written where it is used."""
        if node is self._document:
            return
        form, words = self._writer.forms[id(node)], self._writer.words[id(node)]
        if id(node) in self._uses and is_object(node):
            if id(node) not in self._recursive and self._is_shorter_inline(node, form, words):
                self._inlined.add(id(node))
            else:
                self._declare(self._name_of(node), form, words)
        elif is_object(node) and self._aliases[alias := node.get("x-alias", "")] > 1:
            self._set_apart(node, identifier(alias), form, words)
        elif form.height > _NESTING:
            self._set_apart(node, unused("Part", {*self._names.values(), *self._declared}), form, words)

    def _set_apart(self, node: Node, name: str, form: Form, words: list[str]) -> None:
        """Declare a part that nothing refers to, and write its name where it stands."""
        if name not in self._declared:
            self._declare(name, form, words)
        self._writer.forms[id(node)] = atom(name)
        self._writer.words[id(node)] = []

    def _is_shorter_inline(self, node: JsonSchema, form: Form, words: list[str]) -> bool:
        uses, name = self._uses[id(node)], self._wanted(node)
        if "\n" in form.text or len(form.text) > _INLINE or len(words) > (form.text[0] != "{"):
            return False
        declared = len(f"type {name} = {form.text};\n") + uses * len(name)
        return uses == 1 or (not words and uses * len(form.text) <= declared)

    def _declare(self, name: str, form: Form, words: list[str]) -> None:
        above = "".join(f"// {line}\n" for line in words)
        is_interface = form.binds == ATOM and form.text[0] == "{" and form.text[-1] == "}"
        self._declared[name] = above + (
            f"interface {name} {form.text}" if is_interface else f"type {name} = {form.text};"
        )

    def _finish(self) -> str:
        root, name = self._document, self._names[id(self._document)]
        if name not in self._declared:
            self._declare(name, self._writer.forms[id(root)], self._writer.words[id(root)])
        head = ["type integer = number;"] * self._writer.integers
        return "\n".join([*head, *self._declared.values()]) + "\n"


def _parts(node: Node) -> Iterator[tuple[tuple[str, ...], Node]]:
    """The direct parts of a node that are shown with it."""
    if is_object(node) and "x-ts" in node:
        return
    for path, child in children(node):
        if path[0] not in {"$defs", "definitions"}:
            yield path, child


def _first_of(texts: list[str], limit: int) -> str:
    """As many members of a union as there is room for, and how many more there are."""
    kept: list[str] = []
    room = limit - 20
    while len(kept) < len(texts) and len(texts[len(kept)]) + 3 <= room:
        room -= len(texts[len(kept)]) + 3
        kept.append(texts[len(kept)])
    return " | ".join([*kept, f"... {len(texts) - len(kept)} more"])
