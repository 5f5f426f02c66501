"""What each family of services accepts as a native schema, as data; `wire.to_wire` rewrites a type to fit it.

Sources, read on the day that `as_of` tells: the services' documentation of structured outputs, and where that is silent,
what their own client libraries send and recorded replies show. What no source tells is taken as not accepted: a rule
that is not sent is still validated, and a schema that is refused costs a request.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal

_NUMBERS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_LENGTHS: Final = frozenset({"minLength", "maxLength"})
_SIZES: Final = frozenset({"minItems", "maxItems"})
_NINE: Final = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a schema may be; None: no bound is known.

    Attributes:
        properties: properties of all objects together.
        depth: objects and lists within each other.
        enum_values: values of all enums together.
        optional: properties that may be left out.
        unions: parts that may be of several types.
        characters: names of properties and definitions, and texts of enums, together.
    """

    properties: int | None = None
    depth: int | None = None
    enum_values: int | None = None
    optional: int | None = None
    unions: int | None = None
    characters: int | None = None


@dataclass(frozen=True, slots=True)
class Accepts:
    """What a native schema may be made of.

    Attributes:
        as_of: the day on which the facts were read, as an ISO date.
        keywords: rules on values that are kept.
        formats: values of `format` that are kept.
        closed: whether each object must say `additionalProperties: false`.
        all_required: whether each property must be required.
        object_root: whether the root must be a plain object: no union, no reference.
        maps: whether `additionalProperties` may be a schema.
        untyped: whether a part may be anything.
        tuples: whether `prefixItems` may be used.
        one_of: whether `oneOf` may be used.
        default: whether `default` may be used.
        const: whether `const` may be used; else an enum of one value.
        refs: references: `any`, `bare` (nothing stands beside one), or `inlined` (none).
        recursion: whether a type may contain itself.
        patterns: what a `pattern` that is kept may be: `any`, `plain` (no looking around, no references back),
            `anchored` (plain, from `^` to `$`).
        least_items: the largest `minItems`; None: any.
        limits: how large it may be.
        tries: whether that is a guess: a type that would change its shape or lose rules is sent as it is instead, and
            no strict decoding is asked for.
    """

    as_of: str
    keywords: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    closed: bool = False
    all_required: bool = False
    object_root: bool = True
    maps: bool = False
    untyped: bool = False
    tuples: bool = False
    one_of: bool = False
    default: bool = False
    const: bool = True
    refs: Literal["any", "bare", "inlined"] = "bare"
    recursion: bool = True
    patterns: Literal["any", "plain", "anchored"] = "plain"
    least_items: int | None = None
    limits: Limits = field(default=Limits())
    tries: bool = False


_AS_OF: Final = "2026-11-24"

OPENAI: Final = Accepts(
    _AS_OF,
    _NUMBERS | _SIZES | {"pattern"},
    _NINE,
    closed=True,
    all_required=True,
    limits=Limits(properties=5_000, depth=10, enum_values=1_000, characters=120_000),
)
"""OpenAI, strict mode."""

OPENAI_2024: Final = replace(
    OPENAI,
    keywords=frozenset[str](),
    formats=frozenset[str](),
    limits=Limits(properties=100, depth=5, enum_values=500, characters=15_000),
)
"""OpenAI as it was until 2025; some gateways and older models still have these limits."""

UNKNOWN: Final = replace(OPENAI, tries=True)
"""A service of which nothing is known: a gateway to OpenAI refuses a schema that says it is strict and is not, local
servers pass over the flag, and all of them take the form of OpenAI."""

ANTHROPIC: Final = Accepts(
    _AS_OF,
    frozenset({"minItems"}),
    _NINE | {"uri"},
    closed=True,
    recursion=False,
    least_items=1,
    limits=Limits(optional=15, unions=9),
)
"""Anthropic: 24 optional properties or 16 unions are refused; the limits here leave room, for they are counted over
the whole request."""

GEMINI: Final = Accepts(
    _AS_OF,
    frozenset({"minimum", "maximum"}) | _SIZES,
    frozenset({"date-time", "date", "time"}),
    tuples=True,
    const=False,
    recursion=False,
)
"""Gemini. Maps are taken by its documentation and yet come back empty over the compatible API: they are lists here."""

DEEPSEEK: Final = Accepts(
    _AS_OF,
    frozenset(),
    frozenset({"email", "hostname", "ipv4", "ipv6", "uuid"}),
    closed=True,
    all_required=True,
    refs="inlined",
    recursion=False,
)
"""DeepSeek, strict tools of its beta API; the profile `deepseek` stays with JSON mode, for which no schema is sent."""

GROQ: Final = replace(OPENAI, keywords=frozenset[str](), formats=frozenset[str](), limits=Limits())
"""Groq: as OpenAI; which rules it enforces is not told."""

MISTRAL: Final = Accepts(_AS_OF, closed=True)
"""Mistral: its own client only closes the objects; no list of keywords is published."""

_GRAMMAR: Final = Accepts(
    _AS_OF,
    frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern"}) | _LENGTHS | _SIZES,
    frozenset({"date", "time", "date-time", "uuid"}),
    object_root=False,
    maps=True,
    untyped=True,
    one_of=True,
    default=True,
    refs="bare",
    patterns="anchored",
)

LLAMA_CPP: Final = _GRAMMAR
"""llama.cpp's server: keywords that its grammar cannot hold are passed over silently."""

OLLAMA: Final = _GRAMMAR
"""Ollama on this machine, which hands the schema to llama.cpp."""

LM_STUDIO: Final = _GRAMMAR
"""LM Studio: llama.cpp, or Outlines for MLX models; what both take."""

VLLM: Final = Accepts(
    _AS_OF,
    (_NUMBERS - {"multipleOf"}) | _LENGTHS | _SIZES | {"pattern"},
    _NINE | {"uri"},
    object_root=False,
    maps=True,
    untyped=True,
    tuples=True,
    default=True,
    refs="any",
)
"""vLLM with xgrammar, its first choice."""

OPENROUTER: Final = OPENAI
"""OpenRouter hands the schema on: in the form of OpenAI, which all of its services take."""

TOGETHER: Final = GROQ
"""Together: no list of keywords is published; the form of OpenAI."""

FIREWORKS: Final = GROQ
"""Fireworks: no list of keywords is published; the form of OpenAI."""
