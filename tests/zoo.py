"""Types of every kind, each with JSON texts: accepted, refused by its type, and refused by a rule beyond its type."""

from __future__ import annotations

import collections
import datetime
import enum
import ipaddress
import pathlib
import re
import typing
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, Required, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag
from typing_extensions import Doc, ReadOnly, TypeAliasType, TypedDict

from typedllm.schema.markers import TypeScript
from typedllm.schema.unknown import Known, NotStated
from typedllm.schema.vocabulary import Vocabulary

T = TypeVar("T")
Number = TypeVar("Number", bound=int | float)


@dataclass(frozen=True)
class Case:
    """One type.

    Attributes:
        type: the type.
        accepted: JSON texts of it.
        mistyped: JSON texts that are refused, and that TypeScript refuses too.
        unruly: JSON texts that are refused for a rule that TypeScript cannot state.
        says: parts of the rendering.
    """

    type: Any
    accepted: tuple[str, ...]
    mistyped: tuple[str, ...] = ()
    unruly: tuple[str, ...] = ()
    says: tuple[str, ...] = ()


class Size(enum.StrEnum):
    """How large the cup is"""

    SHORT = "short"
    """two gulps"""
    TALL = "tall"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Flags(enum.Flag):
    READ = 4
    WRITE = 2


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


class Person(BaseModel):
    """Somebody."""

    name: str
    """as on the passport"""
    age: int | None = None
    _secret: int = 1

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def greeting(self) -> str:
        return f"Hello {self.name}"


class Employee(Person):
    """Somebody with a boss."""

    boss: Employee | None = None


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


class Even(BaseModel):
    odd: Odd | None = None


class Odd(BaseModel):
    even: Even


class Box(BaseModel, Generic[T]):
    content: T


class Pair(BaseModel, Generic[Number]):
    left: Number
    right: Number


class Aliased(BaseModel):
    model_config = ConfigDict(extra="forbid")
    first_name: str = Field(alias="first name")
    last_name: str = Field(
        validation_alias=pydantic.AliasChoices("last-name", "surname"), serialization_alias="last-name"
    )


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    name: str


class Constrained(BaseModel):
    count: Annotated[int, Field(ge=1, le=10, multiple_of=2)]
    ratio: float = Field(gt=0, lt=1)
    code: str = Field(pattern=r"^[A-Z]{2}\d+$", min_length=3, max_length=5)
    tags: set[Annotated[str, Field(max_length=3)]] = Field(min_length=1)
    scores: dict[str, Annotated[int, Field(ge=0)]] = {}


class Documented(BaseModel):
    old: str = Field("x", deprecated=True, description="Ends the comment */ // and\nthe ``` fence ~~~")
    shown: str = Field(examples=["a", "b"], title="What is shown")
    said: Annotated[str, Doc("by Doc")]
    plain: Annotated[str, "by a string"]
    deep: list[Annotated[str, Doc("each")]]


class Cat(BaseModel):
    lives: int
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    good: bool
    kind: Literal["dog"] = "dog"


def _kind(value: Any) -> str:
    return "cat" if isinstance(value, Cat) or (isinstance(value, dict) and "lives" in value) else "dog"


class Point(NamedTuple):
    """A place; x: to the right; y: default: 0"""

    x: int
    """to the right"""
    y: float = 0


@dataclass
class Track:
    """A song."""

    title: str
    """as printed"""
    seconds: Annotated[int, Field(gt=0)] = 180
    tags: list[str] = field(default_factory=list)


@dataclass
class Total:
    parts: list[int]
    total: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.total = sum(self.parts)


@pydantic.dataclasses.dataclass
class Album:
    tracks: list[Track] = Field(min_length=1)
    year: int = Field(default=2000, description="of release")


class Movie(TypedDict, total=False):
    """A film."""

    title: Required[str]
    """in its own language"""
    year: int
    id: ReadOnly[int]


class Standard(typing.TypedDict):
    n: int
    next: typing.NotRequired[Standard]


Functional = TypedDict("Functional", {"odd key": str, "class": NotRequired[int]})
UserId = NewType("UserId", int)
Json = TypeAliasType("Json", "dict[str, Json] | list[Json] | str | float | bool | None")
Percent = TypeAliasType("Percent", Annotated[float, Field(ge=0, le=100)])
IntList = RootModel[list[int]]


def _namesake(kind: Any) -> type[BaseModel]:
    return pydantic.create_model("Person", __module__=f"zoo.{kind.__name__}", badge=(kind, ...))


class Even2(BaseModel):
    n: int

    @pydantic.field_validator("n")
    @classmethod
    def _even(cls, value: int) -> int:
        """The number is even."""
        if value % 2:
            raise ValueError("odd")
        return value


class Namesakes(BaseModel):
    one: _namesake(int)  # type: ignore[valid-type]
    two: _namesake(str)  # type: ignore[valid-type]
    three: Person


class Times(BaseModel):
    day: datetime.date
    clock: datetime.time
    moment: pydantic.AwareDatetime
    local: pydantic.NaiveDatetime
    length: datetime.timedelta
    past: pydantic.PastDate


class Texts(BaseModel):
    id: uuid.UUID
    path: pathlib.Path
    url: pydantic.HttpUrl
    ip: ipaddress.IPv4Address
    secret: pydantic.SecretStr
    data: bytes
    pattern: re.Pattern[str]
    inner: pydantic.Json[list[int]]


ZOO: dict[str, Case] = {
    "str": Case(str, ('"é"',), ("1", "null")),
    "int": Case(int, ("7",), ('"x"', "null"), ("1.5",), ("type integer = number;",)),
    "float": Case(float, ("1.5", "2"), ('"x"',)),
    "bool": Case(bool, ("true",), ('"maybe"',)),
    "none": Case(None, ("null",), ("1",)),
    "any": Case(Any, ("1", "null", '{"a": []}')),
    "object": Case(object, ("1",)),
    "never": Case(list[typing.Never], ("[]",), ("[1]",)),
    "literal string": Case(typing.LiteralString, ('"a"',), ("1",)),
    "literal": Case(Literal["a", 1, True, None], ('"a"', "1", "true", "null"), ('"b"', "2")),
    "one literal": Case(Literal["a"], ('"a"',), ('"b"',)),
    "str enum": Case(Size, ('"tall"',), ('"TALL"',), (), ("two gulps", "How large the cup is")),
    "int enum": Case(Level, ("1",), ("3",), (), ("1 LOW, 2 HIGH",)),
    "flags": Case(Flags, ("4", "6"), ('"x"',), ("8",), ("0..6; sum of: 4 READ, 2 WRITE",)),
    "mixed enum": Case(Mixed, ("1", '"two"'), ("2",)),
    "union": Case(int | str, ("1", '"a"'), ("null", "[]")),
    "optional": Case(int | None, ("1", "null"), ('"x"',)),
    "list": Case(list[int], ("[]", "[1]"), ('["a"]', "{}")),
    "bare list": Case(list, ('[1, "a"]',), ("{}",)),
    "bare dict": Case(dict, ('{"a": 1}',), ('"a"',)),
    "bare tuple": Case(tuple, ('[1, "a"]',), ("{}",)),
    "list of unions": Case(list[int | str | None], ('[1, "a", null]',), ("[[]]",)),
    "set": Case(set[int], ("[1]",), ('["a"]',), (), ("no duplicates",)),
    "frozenset": Case(frozenset[str], ('["a"]',), ("[[]]",)),
    "deque": Case(collections.deque[int], ("[1]",), ('["a"]',)),
    "sequence": Case(collections.abc.Sequence[int], ("[1]",), ('["a"]',)),
    "collection": Case(collections.abc.Collection[int], ("[1]",), ('["a"]',)),
    "iterable": Case(collections.abc.Iterable[int], ("[1]",), ('["a"]',)),
    "mapping": Case(collections.abc.Mapping[str, int], ('{"a": 1}',), ('{"a": "x"}',)),
    "defaultdict": Case(collections.defaultdict[str, list[int]], ('{"a": [1]}',), ('{"a": 1}',)),
    "ordered dict": Case(collections.OrderedDict[str, int], ('{"a": 1}',), ('{"a": "x"}',)),
    "counter": Case(collections.Counter[str], ('{"a": 1}',), ('{"a": "x"}',)),
    "literal keys": Case(dict[Literal["a", "b"], int], ('{"a": 1}', "{}"), ('{"c": 1}', '{"a": "x"}')),
    "enum keys": Case(dict[Size, int], ('{"tall": 1}',), ('{"TALL": 1}',)),
    "int enum keys": Case(dict[Level, str], ('{"1": "a"}',), ('{"1": []}',), ('{"3": "a"}',), ("keys: 1 LOW, 2 HIGH",)),
    "number keys": Case(dict[int, str], ('{"1": "a"}',), ('{"1": []}',), ('{"x": "a"}',), ("keys: numbers as text",)),
    "tuple": Case(tuple[int, str], ('[1, "a"]',), ('["a", 1]', "[1]", '[1, "a", 2]')),
    "empty tuple": Case(tuple[()], ("[]",), ("[1]",)),
    "variadic tuple": Case(tuple[int | str, ...], ("[]", '[1, "a"]'), ("[null]",)),
    "named tuple": Case(
        Point,
        ("[1]", "[1, 2.5]"),
        ('["a"]', "[1, 2, 3]"),
        (),
        ("[x: integer, y?: number]", "A place; x: to the right; y: default: 0"),
    ),
    "new type": Case(UserId, ("1",), ('"x"',)),
    "model": Case(
        Person, ('{"name": "Ada"}', '{"name": "Ada", "age": null}'), ("{}", '{"name": 1}'), (), ("// Somebody.",)
    ),
    "inheritance": Case(Employee, ('{"name": "Ada", "boss": {"name": "Bob"}}',), ('{"name": "Ada", "boss": 1}',)),
    "tree": Case(Tree, ('{"value": 1, "children": [{"value": 2}]}',), ('{"value": 1, "children": [{}]}',)),
    "list of trees": Case(list[Tree], ('[{"value": 1}]',), ("[1]",)),
    "mutual recursion": Case(Even, ('{"odd": {"even": {}}}',), ('{"odd": {}}',)),
    "generic": Case(Box[int], ('{"content": 1}',), ('{"content": "a"}',)),
    "generics of one origin": Case(
        tuple[Box[str], Box[list[int]]], ('[{"content": "a"}, {"content": [1]}]',), ("[1, 2]",)
    ),
    "bounded generic": Case(Pair[int], ('{"left": 1, "right": 2}',), ('{"left": 1, "right": "b"}',)),
    "unbound generic": Case(Box, ('{"content": 1}',), ("{}",)),
    "root model": Case(IntList, ("[1]",), ('["a"]',)),
    "aliases": Case(Aliased, ('{"first name": "a", "last-name": "b"}',), ('{"first_name": "a", "last_name": "b"}',)),
    "open model": Case(
        Open, ('{"name": "a", "more": 1}',), ("{}",), ('{"name": "a", "more": "x"}',), ("other keys: integer",)
    ),
    "constraints": Case(
        Constrained,
        ('{"count": 4, "ratio": 0.5, "code": "AB1", "tags": ["x"]}',),
        ('{"count": "4", "ratio": 0.5, "code": "AB1", "tags": [[]]}',),
        (
            '{"count": 3, "ratio": 0.5, "code": "AB1", "tags": ["x"]}',
            '{"count": 4, "ratio": 0.5, "code": "AB1", "tags": []}',
            '{"count": 4, "ratio": 0.5, "code": "ab1", "tags": ["long"]}',
        ),
        (
            "1..10; multiple of 2",
            "> 0 and < 1",
            "3..5 characters",
            r"matches ^[A-Z]{2}\d+$",
            "items: at most 3 characters; at least 1 item",
            "values: >= 0",
        ),
    ),
    "documentation": Case(
        Documented,
        ('{"shown": "a", "said": "a", "plain": "a", "deep": []}',),
        ("{}",),
        (),
        ("deprecated", 'e.g. "a", "b"', "What is shown", "by Doc", "by a string", "items: each", "` ` ` fence ~ ~ ~"),
    ),
    "validator": Case(Even2, ('{"n": 2}',), ("{}",), ('{"n": 1}',), ("The number is even.",)),
    "tagged union": Case(
        Annotated[Cat | Dog, Field(discriminator="kind")],
        ('{"kind": "cat", "lives": 9}',),
        ('{"kind": "cat", "good": true}', '{"lives": 9}', '{"kind": "cow"}'),
        (),
        ('{ kind: "cat"; lives: integer } | { kind: "dog"; good: boolean }',),
    ),
    "callable tag": Case(
        Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(_kind)],
        ('{"lives": 9}', '{"good": true, "kind": "dog"}'),
        ('{"kind": "dog"}',),
    ),
    "untagged union": Case(Cat | Dog, ('{"lives": 9}', '{"good": true}'), ("{}",)),
    "dataclass": Case(
        Track,
        ('{"title": "a"}', '{"title": "a", "seconds": 1, "tags": ["b"]}'),
        ("{}", '{"title": 1}'),
        ('{"title": "a", "seconds": 0}',),
        ("A song.", "as printed", "> 0", "default: 180"),
    ),
    "computed dataclass": Case(
        Total, ('{"parts": [1]}',), ('{"parts": 1}',), (), ("interface Total { parts: integer[] }",)
    ),
    "pydantic dataclass": Case(Album, ('{"tracks": [{"title": "a"}]}',), ("{}",), ('{"tracks": []}',), ("of release",)),
    "typed dict": Case(
        Movie,
        ('{"title": "a"}', '{"title": "a", "year": 1}'),
        ("{}",),
        (),
        ("A film.", "in its own language", "year?: integer"),
    ),
    "functional typed dict": Case(
        Functional, ('{"odd key": "a"}',), ("{}",), (), ('"odd key": string', "class?: integer")
    ),
    "typing.TypedDict": Case(list[Standard], ('[{"n": 1, "next": {"n": 2}}]',), ("[{}]",)),
    "recursive alias": Case(Json, ('{"a": [1, null, {"b": "c"}]}',)),
    "alias": Case(list[Percent], ("[1]",), ('["a"]',), ("[101]",), ("0..100",)),
    "namesakes": Case(
        Namesakes,
        ('{"one": {"badge": 1}, "two": {"badge": "a"}, "three": {"name": "b"}}',),
        ('{"one": {"badge": "a"}, "two": {"badge": "a"}, "three": {"name": "b"}}',),
    ),
    "times": Case(
        Times,
        (
            (
                '{"day": "2026-11-24", "clock": "09:30:00", "moment": "2026-11-24T09:30:00Z", '
                '"local": "2026-11-24T09:30:00", "length": "PT1H30M", "past": "2020-01-01"}'
            ),
        ),
        (),
        (
            (
                '{"day": "24.11.", "clock": "09:30:00", "moment": "2026-11-24T09:30:00Z", '
                '"local": "2026-11-24T09:30:00", "length": "PT1H30M", "past": "2020-01-01"}'
            ),
        ),
        ("YYYY-MM-DD", "with time zone", "without time zone", "in the past", "ISO 8601 duration"),
    ),
    "texts": Case(
        Texts,
        (
            (
                '{"id": "12345678-1234-5678-1234-567812345678", "path": "/a", "url": "https://a.example", "ip": "127.0.0.1", '
                '"secret": "**********", "data": "x", "pattern": "^a", "inner": "[1]"}'
            ),
        ),
        ("{}",),
        (),
        ("UUID", "file path", "http or https only", "IPv4 address", "regular expression", "JSON text of integer[]"),
    ),
    "decimal": Case(
        Annotated[Decimal, Field(ge=0, decimal_places=2)],
        ("1.5", '"12.50"'),
        ("null",),
        ("-1", '"1.234"'),
        (">= 0", "at most 2 decimal places"),
    ),
    "fraction": Case(Fraction, ('"3/4"', "1"), ("null",), ('"a"',)),
    "complex": Case(complex, ('"1+2j"',), ("null",)),
    "byte size": Case(pydantic.ByteSize, ('"1MB"', "5"), ("null",)),
    "vocabulary": Case(Annotated[str, Vocabulary("city", ["Aachen", "Bonn"])], ('"Bonn"',), ('"bonn"',)),
    "large vocabulary": Case(
        list[Annotated[str, Vocabulary("word", map(str, range(1000)))]],
        ('["7"]',),
        ("[7]",),
        ('["x"]',),
        ('items: word: one of 1,000, such as "0", "1"',),
    ),
    "own TypeScript": Case(
        Annotated[str, TypeScript("`#${string}`")], ('"#a"',), ("1",), (), ("type Reply = `#${string}`;",)
    ),
    "known": Case(
        list[Known[int] | NotStated], ("[1, null]",), ('["a"]',), (), ("integer | null", "not stated in the text")
    ),
}
