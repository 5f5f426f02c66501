"""The linter: what a schema could do better before a model is asked, each finding with its mend.

It looks at the document alone, whether that was made of a Python type or given as JSON Schema. The measured grounds:
one wrong leaf in a union of five objects without a tag is 19 errors of pydantic, 1,022 tokens of a repair request; with
a tag it is one error, 53 tokens. Of 514 real schemas the TypeScript has 0.57 times the tokens of compact JSON Schema
(median).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from typedllm.records import JsonSchema
from typedllm.schema.accepts import Accepts
from typedllm.schema.build import strip_hints
from typedllm.schema.findings import Finding, Site, branches, follow
from typedllm.schema.patterns import PatternError, compile_pattern, explodes
from typedllm.schema.rewriting import FURTHER_KEYS
from typedllm.schema.typescript import render
from typedllm.schema.walk import Node, children, is_list, is_object, walk
from typedllm.schema.wire import to_wire
from typedllm.schema.wording import alike_names, answer_first, cryptic_name, invented

MANY_VALUES: Final = 100
"""Values of an enum from which on it is huge."""

LONG_VALUES: Final = 2_000
"""Characters of an enum's values from which on it is huge."""

DEEP: Final = 10
"""Most objects and arrays within each other: what OpenAI's strict mode takes (structured outputs, 2025)."""

COSTLY: Final = 8_000
"""Characters of TypeScript, about 2,000 tokens, from which on the cost is a finding."""

_Check: TypeAlias = Callable[[Site], Iterator[Finding]]
_NOTES: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "x-field", "x-also", "$comment"}
)
_ANYTHING: Final = "a model has nothing to go by, and nothing is validated"


def lint(document: JsonSchema, name: str = "Reply", accepts: Accepts | None = None) -> tuple[Finding, ...]:
    """What the document could do better.

    Args:
        document: a JSON Schema (draft 2020-12), with or without the hints of `build`.
        name: what the root type is called.
        accepts: what the service accepts that is to be asked (see `accepts`); what its native schema cannot say is a
            finding too.

    Returns:
        The findings in the order of the document, those about the whole last.
    """
    sites = [Site(document, path, node) for path, node in walk(document) if is_object(node)]
    found = [finding for site in sites if not site.is_condition for check in _CHECKS for finding in check(site)]
    return (*found, *_deep(document), *_costly(document, name), *(_sent(document, accepts) if accepts else ()))


@dataclass(frozen=True, slots=True)
class Cost:
    """How long a schema is.

    Attributes:
        typescript: as it stands in prompts.
        json_schema: as JSON Schema without white space.
    """

    typescript: int
    json_schema: int


def cost(document: JsonSchema, name: str = "Reply", count: Callable[[str], int] = len) -> Cost:
    """How long a document is in its two forms.

    Args:
        document: a JSON Schema (draft 2020-12), with or without the hints of `build`.
        name: what the root type is called.
        count: how a text is measured; by default in characters.
    """
    return Cost(count(render(document, name)), count(_compact(strip_hints(document))))


def _compact(node: Node) -> str:
    return json.dumps(node, separators=(",", ":"), ensure_ascii=False)


def _huge_enum(site: Site) -> Iterator[Finding]:
    values = site.node.get("enum")
    if not is_list(values) or "x-open" in site.node:
        return
    size = sum(len(_compact(value)) for value in values)
    if len(values) > MANY_VALUES or size > LONG_VALUES:
        yield site.finding(
            "huge_enum",
            f"{len(values)} values, {size:,} characters, stand in each prompt",
            "declare the words as a `Vocabulary`, which is told in brief and validated in full, or ask for the group"
            " first",
        )


def _no_discriminator(site: Site) -> Iterator[Finding]:
    if "discriminator" in site.node or site.node.keys().isdisjoint({"anyOf", "oneOf"}):
        return
    arms = [arm for arm in branches(site.document, site.node) if _is_record(arm)]
    if len(arms) > 1 and not any(_tells_apart(site, name, arms) for name in arms[0].get("properties", {})):
        yield site.finding(
            "no_discriminator",
            f"a union of {len(arms)} objects without a tag: what is wrong with a reply is said of a guessed arm, or of"
            " all of them",
            'give each a property such as `type: Literal["..."]`, and the union `Field(discriminator="type")`',
        )


def _is_record(node: JsonSchema) -> bool:
    return bool(node.get("properties")) or node.get("type") == "object"


def _tells_apart(site: Site, name: str, arms: list[JsonSchema]) -> bool:
    """Whether a property has values of its own in each arm."""
    seen: set[str] = set()
    for arm in arms:
        tag = site.follow(arm.get("properties", {}).get(name, {}))
        values = {_compact(value) for value in ([tag["const"]] if "const" in tag else tag.get("enum", ()))}
        if not values or not seen.isdisjoint(values):
            return False
        seen |= values
    return True


def _untold_rule(site: Site) -> Iterator[Finding]:
    if names := site.node.get("x-untold"):
        yield site.finding(
            "untold_rule",
            f"the model is not told what is validated by {', '.join(names)}",
            "say the rule in a docstring of that function: it becomes part of the prompt",
        )


def _patterns(site: Site) -> Iterator[Finding]:
    own, named = site.node.get("pattern"), site.node.get("patternProperties")
    if isinstance(own, str) and site.node.get("x-regex") == "python":
        yield site.finding(
            "python_pattern",
            f"{own} is run by Python's engine within pydantic, where nothing bounds its time"
            + (", and it can take exponential time" if _explodes(own) else ""),
            'leave out `regex_engine="python-re"` and give the pattern as a text: then it runs in linear time',
        )
    elif isinstance(own, str):
        yield from _portable_pattern(site, own)
    for source in named if is_object(named) else ():
        yield from _portable_pattern(site, source)


def _portable_pattern(site: Site, source: str) -> Iterator[Finding]:
    try:
        limit = compile_pattern(source).limit
    except PatternError:  # a dialect of its own, which pydantic's linear engine took
        return
    if limit is not None:
        yield site.finding(
            "bounded_pattern",
            f"{source} needs backtracking: a text of more than {limit:,} characters is left undecided",
            "write it without lookaround and back-references, or bound the text by maxLength",
        )
    elif _explodes(source):
        yield site.finding(
            "exploding_pattern",
            f"{source} runs in linear time here, but can take any backtracking engine exponential time",
            "do not repeat a group that repeats itself, if others validate by this schema too",
        )


def _explodes(source: str) -> bool:
    try:
        return explodes(source)
    except PatternError:
        return False


def _open_ended(site: Site) -> Iterator[Finding]:
    node = site.node
    known = {
        "properties",
        "patternProperties",
        "$ref",
        "allOf",
        "anyOf",
        "oneOf",
        "enum",
        "const",
        "propertyNames",
        "x-ts",
    } & node.keys()
    rest = node.get("additionalProperties")
    if node.get("type") == "object" and (not known or known == {"properties"}) and rest in (None, True, {}):
        if not node.get("properties"):
            yield site.finding(
                "open_ended",
                f"an object of any keys and values: {_ANYTHING}",
                "declare its keys, or the type of its values",
            )
        elif rest is not None:
            yield site.finding(
                "open_ended", "further keys of any kind are taken", 'forbid them (extra="forbid"), or declare them'
            )
    for name, child in site.node.get("properties", {}).items():
        if child is True or (is_object(child) and child.keys() <= _NOTES):
            yield site.finding(
                "open_ended", f"any value is taken: {_ANYTHING}", "give it a type", "properties", str(name)
            )


def _deep(document: JsonSchema) -> Iterator[Finding]:
    depth = _depth(document)
    if depth > DEEP:
        yield Finding(
            "",
            "deep",
            f"{depth} objects and arrays stand within each other; services take {DEEP} and fewer, and models lose count",
            "flatten what has one property only, or ask for the parts in calls of their own",
        )


def _depth(document: JsonSchema) -> int:
    """How many objects and arrays stand within each other at most; what refers back to itself counts once."""
    depths: dict[int, int] = {}
    opened: set[int] = set()
    stack: list[tuple[JsonSchema, bool]] = [(document, False)]
    while stack:
        node, ready = stack.pop()
        below = list(_held(document, node))
        if ready:
            opened.discard(id(node))
            own = not {"properties", "items", "prefixItems"}.isdisjoint(node) or node.get("type") in ("object", "array")
            depths[id(node)] = own + max((depths.get(id(part), 0) for part in below), default=0)
        elif id(node) not in depths and id(node) not in opened:
            opened.add(id(node))
            stack.append((node, True))
            stack.extend((part, False) for part in below)
    return depths[id(document)]


def _held(document: JsonSchema, node: JsonSchema) -> Iterator[JsonSchema]:
    """The parts that a value of this node may hold or be."""
    if "$ref" in node and (target := follow(document, node)):
        yield target
    for path, child in children(node):
        if is_object(child) and path[0] not in _ASIDE:
            yield child


_ASIDE: Final = frozenset({"$defs", "definitions", "not", "if", "propertyNames", "contains"})


def _costly(document: JsonSchema, name: str) -> Iterator[Finding]:
    size = cost(document, name)
    if size.typescript > COSTLY:
        parts = document.get("$defs", {})
        largest = sorted(parts, key=lambda each: len(_compact(parts[each])), reverse=True)[:3]
        of = f"; its largest parts are {', '.join(largest)}" if largest else ""
        yield Finding(
            "",
            "cost",
            f"{size.typescript:,} characters of TypeScript stand in each prompt"
            f" ({size.json_schema:,} as JSON Schema){of}",
            "ask in several calls, each for a part of it, or shorten descriptions and enums",
        )


def _sent(document: JsonSchema, accepts: Accepts) -> Iterator[Finding]:
    wire = to_wire(document, accepts)
    for loss in (loss for loss in wire.losses if loss.what != FURTHER_KEYS):
        yield Finding(
            loss.pointer,
            "not_sent",
            f"the service does not hold the model to this: {loss.what}",
            "it is validated all the same; where that costs repairs, say it by the type, with an enum for instance",
        )
    for reason in wire.reasons:
        yield Finding(
            "",
            "not_taken",
            f"the service would not take this as a native schema: {reason}",
            "change that, or use JSON mode",
        )


_CHECKS: Final[tuple[_Check, ...]] = (
    answer_first,
    invented,
    _huge_enum,
    _no_discriminator,
    _untold_rule,
    _patterns,
    _open_ended,
    alike_names,
    cryptic_name,
)
