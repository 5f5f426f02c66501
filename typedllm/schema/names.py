"""Names that TypeScript accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Final

# What a type may not be called in TypeScript, and the names that the rendering itself uses.
_RESERVED_WORDS: Final = """
any bigint boolean never null number object string symbol undefined unknown void break case catch class const
continue debugger default delete do else enum export extends false finally for function if import in
instanceof new return super switch this throw true try typeof var while with as async await implements
interface let package private protected public static yield type infer is keyof readonly unique abstract
asserts declare module namespace require global out satisfies Array Partial Record integer
"""
RESERVED: Final = frozenset(_RESERVED_WORDS.split())


def identifier(text: str, fallback: str = "Reply") -> str:
    """The text as a name: what no identifier may hold becomes an underscore."""
    name = re.sub(r"_+", "_", re.sub(r"[^\w]", "_", text)).rstrip("_")
    name = name if name.isidentifier() else f"_{name}" if f"_{name}".isidentifier() and name else fallback
    return f"{name}_" if name in RESERVED else name


def unused(name: str, taken: Collection[str]) -> str:
    """The name, numbered if it is taken."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}{number}"
    return candidate


def key(name: str) -> str:
    """The name of a property, quoted where TypeScript asks for it."""
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name, re.ASCII) and name != "__proto__" else quoted(name)


def quoted(text: str) -> str:
    """The text as a string literal; it holds no line break, nor a Markdown fence."""
    literal = json.dumps(text, ensure_ascii=False)
    literal = re.sub(r"`{3,}|~{3,}", lambda run: f"\\u{ord(run[0][0]):04x}" * len(run[0]), literal)
    return re.sub("[\x7f-\x9f\u2028\u2029\ud800-\udfff]", lambda odd: f"\\u{ord(odd[0]):04x}", literal)
