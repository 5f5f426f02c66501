"""Declared types of many kinds, as users of typed output declare them."""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired

from pydantic import AnyUrl, BaseModel, ConfigDict, Field, RootModel
from typing_extensions import TypedDict

from typedllm import Schema


class Priority(enum.Enum):
    LOW = "low"
    HIGH = "high"
    VERY_HIGH = "very high"


class Rating(enum.IntEnum):
    ONE = 1
    FIVE = 5


class Person(BaseModel):
    name: str
    age: int
    email: str | None = None


class Address(BaseModel):
    street: str
    city: str
    zip_code: str


class Employee(BaseModel):
    person: Person
    address: Address
    skills: list[str]
    salary: float


class Task(BaseModel):
    title: str
    done: bool
    priority: Priority
    subtasks: list[Task] = []


class Ticket(BaseModel):
    id: int
    summary: str
    labels: list[str]
    severity: Literal["minor", "major", "critical"]
    assignee: Person | None = None


class Line(BaseModel):
    description: str
    quantity: int
    price: Decimal


class Invoice(BaseModel):
    number: str
    issued: date
    lines: list[Line]
    total: Decimal
    notes: str | None = None


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float


class Box(BaseModel):
    kind: Literal["box"]
    width: float
    height: float
    label: str = ""


class Drawing(BaseModel):
    title: str
    shapes: list[Annotated[Circle | Box, Field(discriminator="kind")]]


class Search(BaseModel):
    tool: Literal["search"]
    query: str
    limit: int = 10


class Answer(BaseModel):
    tool: Literal["answer"]
    text: str
    sources: list[str]


class Step(BaseModel):
    thought: str
    action: Search | Answer


class Point(NamedTuple):
    x: float
    y: float


class Route(BaseModel):
    name: str
    points: list[Point]


class Movie(TypedDict):
    title: str
    year: int
    genres: list[str]
    tagline: NotRequired[str]


@dataclass
class Meeting:
    subject: str
    start: datetime
    attendees: list[str] = field(default_factory=list[str])
    room: str | None = None


class Code(BaseModel):
    language: Literal["python", "javascript", "sql"]
    source: str
    explanation: str


class Snake(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    first_name: str = Field(alias="firstName")
    last_name: str = Field(alias="lastName")
    is_active: bool = Field(alias="isActive")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    left: int
    right: int
    operator: Literal["+", "-", "*"]


class Loose(BaseModel):
    title: str | None = None
    author: str | None = None
    pages: int | None = None


class Tree(BaseModel):
    value: int
    left: Tree | None = None
    right: Tree | None = None


class Comment(BaseModel):
    author: str
    body: str
    replies: list[Comment] = []


class Review(BaseModel):
    sentiment: Literal["positive", "negative", "neutral"]
    score: Annotated[float, Field(ge=0, le=1)]
    quotes: list[str]
    summary: str


class Config(BaseModel):
    name: str
    options: dict[str, str]
    limits: dict[str, int]
    enabled: bool


class Matrix(BaseModel):
    rows: list[list[int]]
    comment: str = ""


class Stay(BaseModel):
    hotel: str
    check_in: date
    nights: int
    guests: list[Person]
    breakfast: bool | None = None


class Failure(BaseModel):
    error: str
    code: int


class Success(BaseModel):
    result: str
    seconds: float


class Recipe(BaseModel):
    name: str
    ingredients: list[tuple[str, float, str]]
    steps: list[str]
    vegetarian: bool


class Song(BaseModel):
    title: str
    artist: str
    seconds: int
    released: date | None = None


class Ledger(BaseModel):
    owner: str
    balances: dict[str, Decimal]
    opened: datetime
    tags: set[str] = set()


class Slot(BaseModel):
    day: Literal["mon", "tue", "wed"]
    at: time
    who: uuid.UUID


class Page(BaseModel):
    url: AnyUrl
    title: str
    links: list[str]
    meta: dict[str, str | int | bool]


class Table(RootModel[list[dict[str, str | float | None]]]):
    pass


class Poll(BaseModel):
    question: str
    options: list[str]
    votes: dict[str, list[int]]
    closed: bool


class Wide(BaseModel):
    a: str
    b: int
    c: bool
    d: float
    e: str
    f: int | None
    g: list[int]
    h: str


class Cell(BaseModel):
    value: str | int | float | bool | None


class Sheet(BaseModel):
    name: str
    cells: list[list[Cell]]


class Graph(BaseModel):
    nodes: list[str]
    edges: list[tuple[int, int]]


class Nested(BaseModel):
    class Inner(BaseModel):
        class Core(BaseModel):
            text: str
            n: int

        core: Core
        label: str

    inner: Inner
    tail: str


class Translation(BaseModel):
    source: str
    target: str
    language: str
    confidence: float


class Extraction(BaseModel):
    people: list[Person]
    places: list[str]
    dates: list[date]
    summary: str


class Contact(BaseModel):
    name: str
    phones: list[str]
    mail: str | None = None
    kind: Literal["home", "work"] = "home"


PERSON_DOCUMENT: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "roles": {"type": "array", "items": {"enum": ["admin", "editor", "viewer"]}},
        "manager": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    },
    "required": ["id", "name", "roles"],
}
EVENT_DOCUMENT: Final[dict[str, Any]] = {
    "$defs": {
        "place": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "lat": {"type": "number"}, "lon": {"type": "number"}},
            "required": ["name"],
            "additionalProperties": False,
        }
    },
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "place": {"$ref": "#/$defs/place"},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
        "capacity": {"type": ["integer", "null"]},
    },
    "required": ["title", "place", "tags"],
    "additionalProperties": False,
}

TYPES: Final[tuple[Any, ...]] = (
    Person, Address, Employee, Task, Ticket, Line, Invoice, Circle, Drawing, Step, Route, Movie, Meeting, Code, Snake,
    Strict, Loose, Tree, Comment, Review, Config, Matrix, Stay, Recipe, Song, Ledger, Slot, Page, Table, Poll, Wide,
    Sheet, Graph, Nested, Translation, Extraction, Contact,
    list[Person], list[Task], list[Line], list[Song], list[Movie], list[str], list[int], list[list[str]],
    list[Priority], list[Point], list[Circle | Box], list[Rating], list[Snake], list[date],
    dict[str, Person], dict[str, list[str]], dict[str, int], dict[str, Any], dict[str, Decimal],
    tuple[str, int], tuple[Person, Address], tuple[int, ...], tuple[str, float, bool],
    Success | Failure, Person | list[Person], Person | Address | None, Circle | Box, Search | Answer,
    Annotated[Search | Answer, Field(discriminator="tool")], list[str | int], Any,
)  # fmt: skip


def schemas() -> list[Schema[Any]]:
    """A schema for each of the types and documents."""
    documents = (PERSON_DOCUMENT, EVENT_DOCUMENT)
    return [*map(Schema[Any], TYPES), *(Schema[Any].from_json_schema(document) for document in documents)]
