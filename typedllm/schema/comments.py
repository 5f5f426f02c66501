"""The rules of a schema in words, and how words stand in a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from typing_extensions import TypeIs

from typedllm.records import JsonSchema
from typedllm.schema.names import quoted
from typedllm.schema.walk import is_list, is_object

_LONGEST_VALUE: Final = 100
_FORMATS: Final[Mapping[str, str]] = {
    "date": "date YYYY-MM-DD",
    "time": "time HH:MM:SS",
    "date-time": "date-time YYYY-MM-DDTHH:MM:SS",
    "duration": "ISO 8601 duration such as PT1H30M",
    "uuid": "UUID",
    "uri": "URL",
    "email": "email address",
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
    "binary": "",
    "password": "",
    "ipvanyaddress": "IP address",
    "ipvanynetwork": "IP network",
    "ipvanyinterface": "IP interface",
    "ipv4network": "IPv4 network",
    "ipv6network": "IPv6 network",
    "ipv4interface": "IPv4 interface",
    "ipv6interface": "IPv6 interface",
    "path": "file path",
    "file-path": "path of an existing file",
    "directory-path": "path of an existing directory",
    "regex": "regular expression",
    "json-string": "JSON text",
}


def rules(node: JsonSchema) -> list[str]:
    """What is validated of this part and its type does not say, each rule in a few words.

    Sub-schemas are left out; defaults and examples are in, since a model should know them.
    """
    return [rule for make in _RULES for rule in make(node) if rule]


def _numbers(node: JsonSchema) -> Iterator[str]:
    low, high = node.get("minimum"), node.get("maximum")
    if _is_number(low) and _is_number(high):
        yield f"{_number(low)}..{_number(high)}"
    else:
        bounds = ((">=", low), (">", node.get("exclusiveMinimum")), ("<=", high), ("<", node.get("exclusiveMaximum")))
        yield " and ".join(f"{sign} {_number(bound)}" for sign, bound in bounds if _is_number(bound))
    if _is_number(step := node.get("multipleOf")):
        yield f"multiple of {_number(step)}"


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _sizes(node: JsonSchema) -> Iterator[str]:
    tuple_like = "prefixItems" in node
    yield _range(node.get("minLength"), node.get("maxLength"), "character")
    if not tuple_like:
        yield _range(node.get("minItems"), node.get("maxItems"), "item")
    yield _range(node.get("minProperties"), node.get("maxProperties"), "key")
    if node.get("uniqueItems"):
        yield "no duplicates"


def _range(low: int | None, high: int | None, noun: str) -> str:
    low = low or None
    if low is None and high is None:
        return ""
    most = high if high is not None else low
    plural = noun if most == 1 else f"{noun}s"
    if low == high:
        return f"exactly {low} {plural}"
    if high is None:
        return f"at least {low} {plural}"
    return f"at most {high} {plural}" if low is None else f"{low}..{high} {plural}"


def _texts(node: JsonSchema) -> Iterator[str]:
    form = node.get("format")
    if isinstance(form, str) and node.get("type") in {"string", None}:
        yield _FORMATS.get(form, form)
    yield f"matches {node['pattern']}" if isinstance(node.get("pattern"), str) else ""
    if "contentMediaType" in node and not node.get("contentSchema"):
        yield f"{node['contentMediaType']} text"


def _hints(node: JsonSchema) -> Iterator[str]:
    kind = node.get("x-type")
    yield _KINDS.get(kind, "") if isinstance(kind, str) else ""
    yield from node.get("x-rules", ())
    yield from node.get("x-validators", ())
    yield node.get("x-open", "")
    names, values = node.get("x-names"), node.get("enum")
    if names and values and not all(isinstance(value, str) for value in values):
        yield ", ".join(f"{literal(value)} {name}" for value, name in zip(values, names, strict=True))


_KINDS: Final[Mapping[str, str]] = {
    "decimal": "decimal",
    "complex": "complex number such as 1+2j",
    "fraction": "fraction such as 3/4",
}


def _advice(node: JsonSchema) -> Iterator[str]:
    if "const" not in node and node.get("default") not in (
        None,
        [],
        {},
    ):  # what an absent list or null comes to goes without saying
        default = literal(node["default"])
        yield f"default: {default}" if len(default) <= _LONGEST_VALUE else "has a default"
    if is_list(examples := node.get("examples")):
        shown = [text for text in map(literal, examples[:3]) if len(text) <= _LONGEST_VALUE]
        yield f"e.g. {', '.join(shown)}" if shown else ""
    if node.get("deprecated"):
        yield "deprecated"


_RULES: Final[tuple[Callable[[JsonSchema], Iterable[str]], ...]] = (_numbers, _sizes, _texts, _hints, _advice)


def literal(value: Any) -> str:
    """A JSON value on one line, as TypeScript writes it."""
    if isinstance(value, str):
        return quoted(value)
    if is_list(value):
        return f"[{', '.join(map(literal, value))}]"
    if is_object(value):
        inner = ", ".join(f"{quoted(name)}: {literal(part)}" for name, part in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value)


def paragraphs(text: str) -> list[str]:
    """A description as the lines of a comment: wrapped lines are joined, paragraphs and list items stay apart."""
    lines: list[str] = []
    joins = False
    for raw in text.splitlines():
        line = " ".join(raw.split())
        if line and joins and not re.match(r"([-*+•]|\d+[.)])\s", line):
            lines[-1] += f" {line}"
        elif line:
            lines.append(line)
        joins = bool(line)
    return [harmless(line) for line in lines]


def harmless(line: str) -> str:
    """The text as one line that closes neither its comment nor a Markdown fence around it; spaces stay as they are."""
    line = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", _escaped, line)
    return re.sub(r"`{3,}|~{3,}", lambda run: " ".join(run[0]), line)


def _escaped(odd: re.Match[str]) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(odd[0], f"\\u{ord(odd[0]):04x}")
