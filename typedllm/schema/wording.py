"""What the names of properties tell the linter: heuristics, meant to be quiet rather than complete.

They know English names. A name is judged by its words, and a description that says what to do when the text is silent
counts as the mend.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from typedllm.records import JsonSchema
from typedllm.schema.comments import literal
from typedllm.schema.findings import Finding, Property, Site, branches, words
from typedllm.schema.walk import is_list, is_object

_SCALARS: Final = frozenset({"string", "number", "integer"})
_FACT_FORMATS: Final = frozenset({"date", "date-time", "time", "email", "uuid", "uri", "hostname", "ipv4", "ipv6"})
_FACTS: Final = frozenset(
    words(
        "age address amount birthday birthdate cost date deadline dob email fax fee homepage iban id isbn link mail mobile "
        "passport phone postcode price salary ssn tax telephone total uuid url vat website year zip"
    )
)
_WITH: Final = frozenset({"number", "code", "no"})
_HEAD: Final = re.compile(r"^(.*?)(?: (?:of|in|per|for|on|at|from|by) .*)?$")
_WAY_OUT: Final = re.compile(
    r"\b(unknown|unstated|unclear|missing|absent|not (stated|given|known|mentioned|specified|in the text)|n/?a"
    r"|(if|when|where) (there (is|are) )?(none|no|not|unknown)|empty|made up|invent(ed)?|generated|today|current)\b",
    re.IGNORECASE,
)

_REASONS: Final = frozenset(words("rationale reasoning thinking thought thoughts"))
_GROUNDS: Final = frozenset(words("analysis evidence explanation justification proof reason reasons steps why"))
_SAYS_REASONS: Final = re.compile(
    r"\b(reasoning|rationale|step by step|chain of thought|justif(y|ies|ication))\b", re.I
)
_ANSWERS: Final = frozenset(
    words(
        "answer category choice class classification conclusion decision diagnosis grade label outcome prediction rating "
        "recommendation result score sentiment solution value verdict"
    )
)
_SUBJECTS: Final = frozenset(words("claim id index key name number premise question quote ref subject text title"))

# Short names that everybody reads alike.
_PLAIN: Final = frozenset(words("as at by cc go id in is no of ok on or to tv up us x y z"))


def answer_first(site: Site) -> Iterator[Finding]:
    """An answer that is written before its reasoning: what a model writes first, it cannot reason about any more."""
    before: list[Property] = []
    for one in site.properties():
        kind = _reasons(one)
        answers = [each.name for each in before if _is_answer(each, whatever=kind == "reasoning")] if kind else []
        if answers:
            yield site.finding(
                "answer_first",
                f"{one.name} is written after {_listed(answers)}, which it gives the grounds of",
                f"declare {one.name} first: models write in the order of the schema",
                *("properties", one.name),
            )
        if not kind:
            before.append(one)


def _reasons(one: Property) -> str | None:
    """Whether a property holds reasoning, or grounds that may be part of the subject as well (steps of a recipe)."""
    if not any(_is_text(branch) for branch in _below(one.target)):
        return None
    named = set(words(one.name))
    if named & _REASONS or _SAYS_REASONS.search(one.description):
        return "reasoning"
    return "grounds" if named & _GROUNDS else None


def _below(target: JsonSchema) -> list[JsonSchema]:
    """The alternatives of a property that are written in place, and the items of its lists."""
    arms = branches(target, target)
    return arms + [items for branch in arms if is_object(items := branch.get("items"))]


def _is_text(node: JsonSchema) -> bool:
    return node.get("type") in ("string", None) and "enum" not in node and "const" not in node


def _is_answer(one: Property, *, whatever: bool) -> bool:
    if "const" in one.target or set(words(one.name)) & _SUBJECTS:
        return False
    chosen = "enum" in one.target or one.target.get("type") == "boolean"
    return whatever or chosen or bool(set(words(one.name)) & _ANSWERS)


def invented(site: Site) -> Iterator[Finding]:
    """Facts that are required though a text may well not state them: with nowhere to say so, a model makes one up."""
    facts = [
        one.name for one in site.properties() if one.required and "default" not in one.node and _is_fact(site, one)
    ]
    if facts:
        yield site.finding(
            "invented",
            f"a text may not state {_listed(facts)}, and a model that must answer makes one up",
            "allow null where it may be missing, in Python `Known[...] | NotStated`, or say in the description what to"
            " write then",
        )


def _is_fact(site: Site, one: Property) -> bool:
    arms = branches(site.document, one.node)
    if not all(_is_scalar(arm) for arm in arms) or _WAY_OUT.search(one.description):
        return False
    if any(arm.get("format") in _FACT_FORMATS for arm in arms):
        return True
    head = _HEAD.sub(r"\1", " ".join(words(one.name))).split()
    if len(head) > 1 and head[-1] in _WITH:
        head.pop()
    return bool(head) and head[-1] in _FACTS


def _is_scalar(node: JsonSchema) -> bool:
    kinds = node.get("type")
    listed: set[object] = {*kinds} if is_list(kinds) else {kinds}
    return listed <= _SCALARS and "enum" not in node and "const" not in node


def alike_names(site: Site) -> Iterator[Finding]:
    """Names of one object that differ in case and separators alone: models mix them up, and so may the reader."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for one in site.properties():
        groups[re.sub(r"[\W_]+", "", one.name).casefold() or one.name].append(one.name)
    for names in groups.values():
        if len(names) > 1:
            yield site.finding(
                "alike_names",
                f"{_listed(names)} differ in case and separators alone",
                "give them names that cannot be mixed up, with an alias if the name outside is fixed",
            )


def cryptic_name(site: Site) -> Iterator[Finding]:
    """Names of one or two letters that nothing explains."""
    for one in site.properties():
        if (
            len(one.name) <= 2
            and one.name.casefold() not in _PLAIN
            and not one.description
            and "const" not in one.target
        ):
            yield site.finding(
                "cryptic_name",
                f"what {literal(one.name)} stands for is said nowhere",
                "give it a description, or a longer name",
                *("properties", one.name),
            )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
