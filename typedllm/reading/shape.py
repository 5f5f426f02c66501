"""What one part of the declared type takes: kinds of JSON value, keys, words, items, arms.

A shape guides the reading (where a string ends, which closing bracket is missing) and the alignment; it does not
validate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from typedllm.reading.fixes import NONE
from typedllm.reading.moments import is_strict
from typedllm.reading.words import Lexicon, Spelling, fold, folded, unaccented
from typedllm.records import MISSING, JsonSchema, JsonValue, Missing
from typedllm.schema.patterns import Pattern, PatternError, compile_pattern
from typedllm.schema.pieces import KIND_BY_KEYWORD

if TYPE_CHECKING:
    from typedllm.reading.target import Target

Kind: TypeAlias = Literal["object", "array", "string", "integer", "number", "boolean", "null"]
KINDS: Final[frozenset[Kind]] = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_KEPT: Final = 64  # sets of keys that are remembered
ARMS: Final = {"anyOf": 0, "oneOf": 1}.keys()
"""The keywords of a union."""
_SCALARS: Final[Mapping[Kind, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class Shape:
    """What one part of the document takes. Everything is worked out when it is first asked for."""

    def __init__(
        self,
        target: Target,
        source: JsonSchema,
        arms: tuple[Shape, ...] | None = None,
        around: frozenset[str] = NONE,
    ) -> None:
        self.target = target
        self.source = source
        self._arms = arms
        self._around = around

    def _below(self, node: object) -> Shape:
        """The shape of a part: what is allowed here is allowed there."""
        return self.target.shape(node, self.allow)

    @cached_property
    def _anything(self) -> Shape:
        return Shape(self.target, {}, None, self.allow) if self.allow else self.target.anything

    @cached_property
    def node(self) -> JsonSchema:
        """The sub-document, with references resolved."""
        return self.target.resolve(self.source)

    @cached_property
    def allow(self) -> frozenset[str]:
        """The lossy fixes that the type allows here, by name."""
        declared = self.node.get("x-allow")
        return self._around.union(cast("list[str]", declared)) if isinstance(declared, list) else self._around

    @cached_property
    def default(self) -> JsonValue | Literal[Missing.MISSING]:
        """What is declared to stand where nothing does; `MISSING`: nothing is."""
        return cast("JsonValue", self.node.get("x-default", self.node.get("default", MISSING)))

    @cached_property
    def longest(self) -> int | None:
        """The most characters of a plain text; None: no bound, or it is counted in something else."""
        longest = self.node.get("maxLength")
        return longest if isinstance(longest, int) and not self.hint and not self.format else None

    def forbids(self, text: str) -> bool:
        """Whether the type certainly has no such text, where that may stand for null."""
        if text.strip().casefold() not in ("", "null"):
            return False
        if is_strict(self.format) or len(text) < self.node.get("minLength", 0):
            return True
        pattern = self.node.get("pattern")
        try:
            return isinstance(pattern, str) and not compile_pattern(pattern).search(text)
        except PatternError:
            return False

    @cached_property
    def document(self) -> JsonSchema:
        """The sub-document as it stands, for a reader of the issue."""
        return self.source if self._arms is None else {"anyOf": [arm.source for arm in self._arms]}

    @cached_property
    def arms(self) -> tuple[Shape, ...]:
        """The alternatives, when this is a union: flat, none of them a union itself."""
        if self._arms is not None:
            return tuple(_flat(self._arms, set()))
        for keyword in ARMS:
            if isinstance(self.node.get(keyword), list):
                arms = cast("list[object]", self.node[keyword])
                return tuple(_flat([self._below(self._hinted(arm)) for arm in arms], {id(self)}))
        declared = self.node.get("type")
        if isinstance(declared, list) and len(cast("list[str]", declared)) > 1 and self.literals is None:
            return tuple(self._below({**self.node, "type": kind}) for kind in cast("list[str]", declared))
        return ()

    def _hinted(self, arm: object) -> object:
        """An arm with the hint that stands on the union: together they are one type."""
        return {**cast("JsonSchema", arm), "x-type": self.hint} if self.hint and isinstance(arm, dict) else arm

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of JSON value that it takes."""
        if self.arms:
            return frozenset[Kind]().union(*(arm.kinds for arm in self.arms))
        if self.literals is not None:
            return frozenset(kind_of(value) for value in self.literals)
        declared = self.node.get("type")
        if isinstance(declared, str):
            return frozenset({cast("Kind", declared)})
        if isinstance(declared, list):
            return frozenset(cast("list[Kind]", declared))
        if self.node.get("not") == {}:
            return frozenset()
        implied = frozenset[Kind](
            cast("Kind", kind) for keyword, kind in KIND_BY_KEYWORD.items() if keyword in self.node
        )
        return implied or KINDS

    @cached_property
    def open(self) -> bool:
        """Whether it takes any JSON value at all."""
        return not self.arms and self.kinds == KINDS

    @cached_property
    def is_map(self) -> bool:
        """Whether it takes objects of any keys, or a list of such."""
        if "object" in self.kinds:
            return not self.properties
        return (
            "array" in self.kinds
            and not self.prefix
            and self.items is not self
            and "object" in self.items.kinds
            and not self.items.properties
        )

    @cached_property
    def free(self) -> bool:
        """Whether any data stands here as it is."""
        return self.open and not self._is_special and "drop_item" not in self.allow

    @cached_property
    def plain(self) -> frozenset[type]:
        """The types of scalars that stand here as they are, whatever their value."""
        if self.arms:
            return frozenset[type]().union(*(arm.plain for arm in self.arms))
        if self.literals is not None:
            return frozenset()
        kinds = self.kinds - {"string", "number"} if self._is_special else self.kinds
        return frozenset(each for kind in kinds for each in _SCALARS.get(kind, ()))

    @property
    def _is_special(self) -> bool:
        """Whether the value of a text or a number tells whether it stands as it is."""
        return bool(self.format or self.hint) or self.node.get("maxLength") is not None

    @cached_property
    def literals(self) -> tuple[JsonValue, ...] | None:
        """The only values that it takes, if they are listed."""
        if "const" in self.node:
            return (self.node["const"],)
        listed = self.node.get("enum")
        return tuple(cast("list[JsonValue]", listed)) if isinstance(listed, list) else None

    @cached_property
    def names(self) -> Mapping[str, JsonValue]:
        """Names of enum members, to their values."""
        names = self.node.get("x-names")
        if isinstance(names, str):
            names = [names]
        if not isinstance(names, list) or self.literals is None:
            return {}
        found = dict(zip(cast("list[str]", names), self.literals, strict=False))
        return {**cast("JsonSchema", self.node.get("x-aliases", {})), **found}

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The texts among `literals`, in the order of the document."""
        return tuple(dict.fromkeys(each for each in self.literals or () if isinstance(each, str)))

    @cached_property
    def folded_texts(self) -> Mapping[str, str | None]:
        """The texts among `literals` without case and separators, where that is unique."""
        return folded(self.texts)

    @cached_property
    def plain_texts(self) -> Mapping[str, str | None]:
        """The texts among `literals` without accents as well, where that is unique."""
        return folded(self.texts, unaccented)

    @cached_property
    def spelt_texts(self) -> Lexicon:
        """The texts among `literals`, to find one by a misspelling."""
        return Lexicon(self.texts)

    @cached_property
    def spelt_keys(self) -> Lexicon:
        """The declared keys, to find one by a misspelling."""
        return Lexicon(self.properties)

    @cached_property
    def folded_names(self) -> Mapping[str, str | None]:
        """The names of enum members without case and separators, where that is unique."""
        return folded(self.names)

    @cached_property
    def written(self) -> Mapping[str, JsonValue]:
        """The literals that are no texts, by the JSON that stands for them."""
        return {json.dumps(each): each for each in reversed(self.literals or ()) if not isinstance(each, str)}

    def lists(self, value: object) -> bool:
        """Whether a scalar is one of `literals`, type and all."""
        return (type(value), value) in self._listed

    @cached_property
    def _listed(self) -> frozenset[tuple[type, object]]:
        return frozenset((type(each), each) for each in self.literals or () if not isinstance(each, dict | list))

    def equal_number(self, value: object) -> int | float | None:
        """The number among `literals` that is equal to a number."""
        return self._numbers.get(value) if isinstance(value, int | float) else None

    @cached_property
    def _numbers(self) -> Mapping[int | float, int | float]:
        numbers = [each for each in self.literals or () if isinstance(each, int | float) and not isinstance(each, bool)]
        return {each: each for each in reversed(numbers)}

    @cached_property
    def takes_texts(self) -> bool:
        """Whether it takes any text."""
        arms = self.arms or (self,)
        return any("string" in arm.kinds and arm.literals is None and not arm.format for arm in arms)

    @cached_property
    def hint(self) -> str:
        """What JSON Schema cannot say of the type: `decimal`, `bytes`, `set`, ..."""
        return str(self.node.get("x-type", ""))

    @cached_property
    def format(self) -> str:
        """The declared format of a string."""
        return str(self.node.get("format", ""))

    @cached_property
    def is_text(self) -> bool:
        """Whether it takes texts of any form."""
        if self.arms:
            return any(arm.is_text for arm in self.arms)
        return "string" in self.kinds and self.literals is None and not self.format and not self.hint

    @cached_property
    def keeps_digits(self) -> bool:
        """Whether a number could only be a text here, so that its sign, its zeros and all else of it count."""
        return "string" in self.kinds and self.kinds.isdisjoint(("integer", "number"))

    @property
    def own_form(self) -> bool:
        """Whether code reads the text before its format counts."""
        return "x-own-form" in self.node

    @cached_property
    def properties(self) -> Mapping[str, Shape]:
        """The declared keys; of a union, those of all its arms."""
        if self.arms:
            keys = dict.fromkeys(key for arm in self.arms for key in arm.properties)
            return {
                key: self.target.either(a.properties[key] for a in self.arms if key in a.properties) for key in keys
            }
        declared = self.node.get("properties")
        if not isinstance(declared, dict):
            return {}
        return {key: self._below(value) for key, value in cast("JsonSchema", declared).items()}

    @cached_property
    def patterns(self) -> tuple[tuple[Pattern, Shape], ...]:
        """The shapes of keys by what the keys look like."""
        declared = self.node.get("patternProperties")
        return tuple(self._patterns(cast("JsonSchema", declared))) if isinstance(declared, dict) else ()

    def _patterns(self, declared: JsonSchema) -> Iterator[tuple[Pattern, Shape]]:
        for source, value in declared.items():
            try:
                yield compile_pattern(source), self._below(value)
            except PatternError:
                continue

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Names of fields in code, and other keys under which they are read, to their keys."""
        return {
            name: key
            for key, shape in self.properties.items()
            for name in (*shape.also, *([str(shape.source["x-field"])] if "x-field" in shape.source else ()))
        }

    @cached_property
    def also(self) -> tuple[str, ...]:
        """The other keys under which this property is read."""
        return tuple(cast("list[str]", self.source.get("x-also", ())))

    @cached_property
    def deep(self) -> frozenset[str]:
        """The keys below which properties are read by a path."""
        return frozenset(cast("list[str]", self.node.get("x-deep", ())))

    @cached_property
    def keeps(self) -> bool:
        """Whether it keeps what is written under further keys."""
        return self.node.get("additionalProperties") is True

    @cached_property
    def drops(self) -> bool:
        """Whether the value is without what is written under further keys."""
        return self.extra is True and not self.keeps and self.target.drops_keys

    @cached_property
    def folded_keys(self) -> Mapping[str, str | None]:
        """The declared keys (and names of fields) without case and separators, where that is unique."""
        found = folded(self.properties)
        for name, key in self.fields.items():
            found.setdefault(fold(name), key)
        return found

    @cached_property
    def plain_keys(self) -> Mapping[str, str | None]:
        """The declared keys without accents as well, where that is unique."""
        return folded(self.properties, unaccented)

    @cached_property
    def required(self) -> frozenset[str]:
        """The keys that must be there."""
        return frozenset(cast("list[str]", self.node.get("required", [])))

    @cached_property
    def extra(self) -> bool | Shape:
        """What it makes of further keys: forbids them (False), ignores or keeps them (True), or their shape."""
        declared = self.node.get("additionalProperties", True)
        return declared if isinstance(declared, bool) else self._below(declared)

    @cached_property
    def keys(self) -> Shape | None:
        """The shape of the keys of a map, where they are declared words or have a format."""
        declared = self.node.get("propertyNames")
        keys = self._below(cast("object", declared)) if isinstance(declared, dict) and not self.properties else None
        return keys if keys is not None and (keys.literals is not None or keys.format) else None

    def takes(self, keys: Set[str]) -> Set[str]:
        """Those of the keys that are declared here, where all are there that must be."""
        return keys & self.properties.keys() if self.required <= keys else frozenset()

    @cached_property
    def closed(self) -> bool:
        """Whether it is an object with declared keys, so that another key is a sign of something wrong."""
        if self.arms:
            return all(arm.closed for arm in self.arms if "object" in arm.kinds)
        return bool(self.properties) and isinstance(self.extra, bool)

    @cached_property
    def prefix(self) -> tuple[Shape, ...]:
        """The shapes of the first items, of a tuple."""
        return tuple(self._below(item) for item in self.node.get("prefixItems", ()))

    @cached_property
    def named(self) -> Shape | None:
        """The object that stands for it as well, where it is a tuple of named parts."""
        if self.hint != "named-tuple":
            return None
        parts = {str(part.source["x-field"]): part.source for part in self.prefix if "x-field" in part.source}
        needed = list(parts)[: self.node.get("minItems", 0)]
        made = {"type": "object", "properties": parts, "required": needed, "additionalProperties": False}
        return Shape(self.target, made, None, self.allow)

    @cached_property
    def takes_members(self) -> bool:
        """Whether it takes an object, as such or for a tuple of named parts."""
        return "object" in self.kinds or any(arm.named is not None for arm in self.arms or (self,))

    @cached_property
    def items(self) -> Shape:
        """The shape of the items (of those after `prefix`)."""
        if self.arms:
            listing = [arm.items for arm in self.arms if "array" in arm.kinds]
            return self.target.either(listing) if listing else self._anything
        declared = self.node.get("items", {})
        return self._below(cast("object", declared)) if declared else self._anything

    @cached_property
    def tag(self) -> str | None:
        """The key whose value tells the arms of a union of objects apart."""
        declared = self.node.get("discriminator")
        if isinstance(declared, dict) and "propertyName" in declared:
            return str(cast("JsonSchema", declared)["propertyName"])
        objects = [arm for arm in self.arms if "object" in arm.kinds]
        if len(objects) < 2:
            return None
        shared = [key for key in objects[0].properties if all(key in arm.properties for arm in objects)]
        return next((key for key in shared if self._tells_apart(objects, key)), None)

    @property
    def is_tagged(self) -> bool:
        """Whether each object of the union must have the key that tells its arms apart."""
        tag, objects = self.tag, [arm for arm in self.arms if "object" in arm.kinds]
        return tag is not None and ("discriminator" in self.node or all(tag in arm.required for arm in objects))

    def _tells_apart(self, objects: list[Shape], key: str) -> bool:
        values: set[str] = set()
        for arm in objects:
            literals = arm.properties[key].literals
            if literals is None or not values.isdisjoint(map(repr, literals)):
                return False
            values.update(map(repr, literals))
        return True

    def item(self, index: int) -> Shape:
        """The shape of the item at an index."""
        return self.prefix[index] if index < len(self.prefix) else self.items

    def child(self, key: str) -> Shape:
        """The shape of the value at a key, as far as it is known."""
        found = self.properties.get(key)
        if found is None and self.patterns:
            found = next((shape for pattern, shape in self.patterns if pattern.search(key)), None)
        if found is not None:
            return found
        return self.extra if isinstance(self.extra, Shape) else self._anything

    @property
    def takes_any_key(self) -> bool:
        """Whether it says what stands at keys that are not declared."""
        return isinstance(self.extra, Shape)

    def foresees(self, key: str) -> bool:
        """Whether the type says what stands at this key."""
        return key in self.properties or key in self.deep or any(pattern.search(key) for pattern, _ in self.patterns)

    def has_stray(self, keys: tuple[str, ...], spelling: Spelling, kept: bool = False) -> bool:
        """Whether one of the keys of an object is not declared, and may stand for one that is, also as a misspelling.

        So it is where none of them is declared, unless they are `kept`: the object may be an envelope, or something else.
        """
        if self.extra is False or not self.properties:
            return False
        known = self._strays.get(keys)
        if known is None:
            odd = [key for key in keys if not self.foresees(key)]
            kept = kept or self.keeps or self.extra is not True
            none = bool(odd) and len(odd) == len(keys) and not kept
            present = frozenset(keys)
            known = none or any(
                self.folded_keys.get(fold(key)) or (not kept and spelling.nearest(key, self.spelt_keys, present))
                for key in odd
            )
            if len(self._strays) < _KEPT:
                self._strays[keys] = known
        return known

    @cached_property
    def _strays(self) -> dict[tuple[str, ...], bool]:
        return {}

    def lacks(self, keys: Set[str]) -> bool:
        """Whether an object of these keys has not all that it must; what is read from deeper is not known."""
        return bool(self.required) and not self.required <= keys and self.deep.isdisjoint(keys)


def _flat(arms: Iterable[Shape], seen: set[int]) -> Iterator[Shape]:
    for arm in arms:
        if id(arm) in seen:
            continue
        if arm.arms:
            yield from _flat(arm.arms, seen | {id(arm)})
        else:
            yield arm


def kind_of(value: Any) -> Kind:
    """The kind of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"
