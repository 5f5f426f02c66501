"""From types to documents: problems, words, caching, and the types of this package."""

from __future__ import annotations

import copy
import dataclasses
import gc
import pickle
import sys
import threading
import typing
import weakref
from collections.abc import Callable
from typing import Annotated, Any, Literal, Protocol

import pytest
from pydantic import (
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    ImportString,
    ValidationError,
    create_model,
    field_validator,
)
from typing_extensions import TypedDict

from typedllm import Client, Schema
from typedllm.errors import SchemaError
from typedllm.models.scripted import ScriptedModel
from typedllm.schema import build as module
from typedllm.schema.build import build
from typedllm.schema.markers import TypeScript
from typedllm.schema.typescript import render
from typedllm.schema.unknown import Known, NotStated
from typedllm.schema.vocabulary import Vocabulary


def shown(type_: object) -> str:
    built = build(type_)
    return render(built.document, built.name)


# What cannot be supported.


class Plain:
    pass


class Talks(Protocol):
    def talk(self) -> str: ...


@dataclasses.dataclass
class Unfit:
    """Several parts that JSON cannot hold."""

    call: Callable[[int], str]
    fine: int
    plain: list[Plain]
    kind: dict[str, type[int]]
    either: int | Plain
    maybe: Plain | None = None


class Undefined(TypedDict):
    one: Missing  # type: ignore[name-defined]  # noqa: F821
    two: list[Absent]  # type: ignore[name-defined]  # noqa: F821


class Pathless(BaseModel):
    inner: int = Field(validation_alias=AliasPath("outer", 0))


class Lazy(BaseModel):
    items: typing.Iterable[int]


class Importing(BaseModel):
    """A reply that names code, which pydantic imports."""

    hook: ImportString[Callable[[], int]]
    either: int | ImportString[Any]


@pytest.mark.parametrize(
    ("type_", "problems"),
    [
        (
            Unfit,
            ["Unfit.call: a callable", "Unfit.plain[]: Plain is", "Unfit.kind[...]: a class", "Unfit.maybe: Plain is"],
        ),
        (list[Unfit], ["Unfit.call", "Unfit.plain[]", "Unfit.kind[...]", "Unfit.maybe"]),
        (tuple[int, Plain, Callable[[], int]], ["Reply[1]: Plain is", "Reply[2]: a callable"]),
        (Talks, ["Talks: "]),
        (Undefined, ["the name 'Missing' is not defined", "the name 'Absent' is not defined"]),
        (Pathless, ["Pathless.inner: an AliasPath alone names no key"]),
        (Lazy, ["Lazy.items: pydantic checks the items of an iterable only when they are drawn"]),
        (Importing, ["Importing.hook: a reply is not to name code", "Importing.either: a reply is not to name code"]),
        (Annotated[str, Field(pattern="(")], ["regex parse error"]),
    ],
)
def test_all_problems_are_listed_with_place_and_way_out(type_: Any, problems: list[str]) -> None:
    with pytest.raises(SchemaError) as caught:
        build(type_)
    assert len(caught.value.problems) == len(problems)
    for expected, problem in zip(problems, caught.value.problems, strict=True):
        assert expected in problem
        assert problem in str(caught.value)


def test_what_json_cannot_give_is_left_out_of_a_union() -> None:
    assert shown(list[int | Callable[[], int]]) == "type integer = number;\ntype Reply = integer[];\n"


# Words.


class Base(BaseModel):
    inherited: int
    """of the base"""


class Described(Base):
    own: int
    """of its own"""
    told: int = Field(description="by Field")
    """not this one"""
    checked: str

    @field_validator("checked")
    @classmethod
    def _check(cls, value: str) -> str:
        """It rhymes.

        More that is of no use here.
        """
        return value


def test_attribute_docstrings_and_validators_are_told() -> None:
    properties = build(Described).document["properties"]
    assert [node.get("description") for node in properties.values()] == ["of the base", "of its own", "by Field", None]
    assert properties["checked"]["x-validators"] == ["It rhymes."]


def test_local_classes_are_found() -> None:
    class Inner(BaseModel):
        n: int

    @dataclasses.dataclass
    class Outer:
        inner: list[Inner]
        """local words"""

    assert build(Outer).document["properties"]["inner"]["description"] == "local words"
    assert build(list["Inner"]).adapter.validate_json('[{"n": 1}]') == [Inner(n=1)]


# Once per type.


def test_a_type_is_built_once() -> None:
    for make in (lambda: list[int], lambda: Literal["a", 1], lambda: dict[str, int | None], lambda: Described):
        assert build(make()) is build(make())


def test_order_and_kind_tell_types_apart_that_are_equal() -> None:
    assert shown(int | str) != shown(str | int)
    assert shown(Literal[1]) != shown(Literal[True])
    assert shown(list[Literal[0, 1]]) != shown(list[Literal[False, True]])


@pytest.mark.slow
def test_classes_made_in_a_loop_are_let_go() -> None:
    before = len(module._alive)
    made = [weakref.ref(create_model("Passing", n=(int, ...))) for _ in range(2)]
    for index in range(module._RECENT + 2):
        model = create_model(f"Passing{index}", n=(int, index))
        build(model)
        made.append(weakref.ref(model))
    del model
    gc.collect()
    assert sum(reference() is not None for reference in made) <= module._RECENT + 1
    assert len(module._alive) <= before + module._RECENT + 2


def test_threads_share_what_is_built() -> None:
    model = create_model("Shared", n=(int, 1))
    built: list[object] = []
    threads = [threading.Thread(target=lambda: built.append(build(model))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, built))) == 1


def test_later_calls_build_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    build(Described)
    monkeypatch.setattr(module, "_build", None)
    assert all(build(Described) for _ in range(1000))


# Types that pydantic refuses.


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic takes typing.TypedDict itself")
def test_typing_typed_dict() -> None:
    class Node(typing.TypedDict, total=False):
        """A node."""

        name: typing.Required[Annotated[str, "how it is called"]]
        kids: list[Node]

    globals()["Node"] = Node
    adapter = build(dict[str, Node] | None).adapter
    assert adapter.validate_json('{"a": {"name": "x", "kids": [{"name": "y"}]}}') == {
        "a": {"name": "x", "kids": [{"name": "y"}]}
    }
    with pytest.raises(ValidationError):
        adapter.validate_json('{"a": {"kids": []}}')
    assert "name: string; // how it is called" in shown(Node)


def test_a_generic_name_that_is_not_defined() -> None:
    class Shelf(BaseModel):
        box: Gone[int]  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(SchemaError, match="the name 'Gone' is not defined"):
        build(Shelf)


def test_typed_dict_keeps_its_config() -> None:
    class Closed(typing.TypedDict):
        __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
        name: str

    with pytest.raises(ValidationError):
        build(Closed).adapter.validate_json('{"name": "x", "other": 1}')


@pytest.mark.skipif(sys.version_info < (3, 12), reason="a syntax of Python 3.12")
def test_type_statements_and_type_parameters() -> None:
    names: dict[str, typing.Any] = {}
    source = """
from pydantic import BaseModel

type Name = str
type Tree[T] = T | list[Tree[T]]
type Pair[A, B] = tuple[A, B]

class Box[T: (int, str)](BaseModel):
    content: T
    label: Name

class Shelf[T](BaseModel):
    boxes: list[Box[int]]
    rest: Tree[T]
"""
    exec(compile(source, "shelf", "exec", dont_inherit=True), names)
    shelf = build(names["Shelf"][str])
    value = shelf.adapter.validate_json('{"boxes": [{"content": 1, "label": "a"}], "rest": ["x", ["y"]]}')
    assert value.boxes[0].content == 1
    assert value.rest == ["x", ["y"]]
    with pytest.raises(ValidationError):
        shelf.adapter.validate_json('{"boxes": [], "rest": [1]}')
    assert "label: string" in shown(names["Shelf"][str])
    assert shown(names["Tree"][int]).count("Tree") >= 2
    assert build(names["Pair"][str, int]).adapter.validate_json('["a", 1]') == ("a", 1)
    with pytest.raises(ValidationError):
        build(names["Box"][int]).adapter.validate_json('{"content": "x", "label": "a"}')


def test_items_of_an_iterable_are_checked_at_once() -> None:
    adapter = build(typing.Iterable[int]).adapter
    assert adapter.validate_json("[1, 2]") == [1, 2]
    with pytest.raises(ValidationError):
        adapter.validate_json('["x"]')


# Runtime vocabularies.


def test_vocabulary_follows_its_source() -> None:
    cities = ["Aachen", "Bonn"]
    vocabulary = Vocabulary("city", lambda: cities)

    class Trip(BaseModel):
        to: Annotated[str, vocabulary]

    built = build(Trip)
    assert 'to: "Aachen" | "Bonn"' in shown(Trip)
    assert built.fresh() is built
    cities.append("Celle")
    assert built.fresh() is built  # what was told stays what is validated
    with pytest.raises(ValidationError, match='"Celle" is not a known city'):
        built.adapter.validate_python({"to": "Celle"})
    vocabulary.refresh()
    assert built.adapter.validate_python({"to": "Celle"}) == Trip(to="Celle")
    assert build(Trip).document == built.fresh().document != built.document
    assert build(Trip) is build(Trip)
    assert 'to: "Aachen" | "Bonn" | "Celle"' in shown(Trip)
    vocabulary.refresh()
    assert build(Trip).fresh() is build(Trip)


def test_each_call_tells_the_words_of_now() -> None:
    words = ["one"]
    vocabulary = Vocabulary("word", lambda: words)
    client = Client(ScriptedModel(["two", "two"]))

    @client.prompt
    def pick() -> Annotated[str, vocabulary, "of the list"]:
        """Pick a word."""

    assert pick.schema.current() is pick.schema
    assert "// of the list" in pick.render().messages[0].text
    assert '"one"' in pick.render().messages[0].text
    words.append("two")
    vocabulary.refresh()
    assert "// of the list" in pick.render().messages[0].text
    assert '"one" | "two"' in pick.render().messages[0].text
    assert pick() == "two"


@pytest.mark.parametrize(("words", "fault"), [([], "is empty"), (["a", 1], "not a string")])
def test_vocabulary_without_words_is_an_error(words: list[Any], fault: str) -> None:
    with pytest.raises(SchemaError, match=fault):
        build(Annotated[str, Vocabulary("city", words)])


def test_near_words_are_told() -> None:
    adapter = build(Annotated[str, Vocabulary("city", ["Berlin", "Bonn"])]).adapter
    with pytest.raises(ValidationError, match='"Berlim" is not a known city; near it: "Berlin"'):
        adapter.validate_python("Berlim")


# Honest unknowns.


class Patient(BaseModel):
    age: Known[int] | NotStated
    name: Known[str] | NotStated = NotStated()


@pytest.mark.parametrize(
    ("text", "age"), [('{"age":7,"name":"a"}', Known(7)), ('{"age":null,"name":null}', NotStated())]
)
def test_known_or_not_stated(text: str, age: object) -> None:
    patient = build(Patient).adapter.validate_json(text)
    assert patient.age == age
    assert patient.model_dump_json() == text
    assert Patient.model_validate(patient.model_dump()) == patient
    assert Patient(age=patient.age, name=patient.name) == patient
    for made in (pickle.loads(pickle.dumps(patient.age)), copy.deepcopy(patient.age)):
        assert made == age
        assert hash(made) == hash(age)
    match patient.age:
        case Known(value):
            assert value == 7
        case NotStated():
            assert not patient.age


def test_not_stated_must_be_said() -> None:
    with pytest.raises(ValidationError):
        build(Patient).adapter.validate_json("{}")
    with pytest.raises(SchemaError, match="null means not stated"):
        build(Known[int | None])
    assert repr(Known(1)) == "Known(1)"


# The caller's own TypeScript.


def test_own_typescript_replaces_a_part_and_what_only_it_used() -> None:
    class Holder(BaseModel):
        raw: Annotated[Described, TypeScript("Record<string, string>")]

    assert shown(Holder) == "interface Holder { raw: Record<string, string> }\n"
    for text in ("", "  ", "a ``` b"):
        with pytest.raises(SchemaError, match="no TypeScript type"):
            TypeScript(text)


class Branch(BaseModel):
    below: list[Branch] = []


def test_a_marker_stays_where_it_stands() -> None:
    marked: module.Built[Any] = build(Annotated[Branch, TypeScript("Foo")])
    assert marked.document["x-ts"] == "Foo"
    assert "x-ts" not in build(Branch).document
    assert "x-ts" not in build(list[Branch]).document["items"]


def test_two_fields_may_be_read_from_one_key() -> None:
    class Twice(BaseModel):
        first: int = Field(alias="x")
        second: int = Field(alias="x")

    schema = Schema(Twice)
    assert schema.json_schema()["required"] == ["x"]
    assert schema.read('{"x": 1}').value.second == 1
    assert [issue.path for issue in schema.read('{"x": "q"}').issues] == ["/x"]
