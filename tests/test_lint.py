"""The linter: for each code what triggers it, and a near miss that does not."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typer.testing import CliRunner

from schemas import ROOTS
from typedllm import Schema
from typedllm.cli.app import app
from typedllm.schema.accepts import OPENAI, OPENAI_2024, VLLM
from typedllm.schema.findings import words
from typedllm.schema.lint import COSTLY, DEEP, LONG_VALUES, MANY_VALUES, cost
from typedllm.schema.unknown import Known, NotStated
from typedllm.schema.vocabulary import Vocabulary


def model(**fields: Any) -> type[BaseModel]:
    given = {name: field if isinstance(field, tuple) else (field, ...) for name, field in fields.items()}
    return create_model("Made", **given)


def codes(declared: Any) -> list[tuple[str, str]]:
    is_document = isinstance(declared, dict) and "type" not in vars(type(declared))
    schema: Schema[Any] = Schema.from_json_schema(declared) if is_document else Schema(declared)
    return [(finding.pointer, finding.code) for finding in schema.lint()]


def even(value: int) -> int:
    return value


def odd(value: int) -> int:
    """odd"""
    return value


class Cat(BaseModel):
    lives: int


class Dog(BaseModel):
    tricks: list[str]


class Tagged(BaseModel):
    kind: Literal["cat", "lion"]


class Barking(BaseModel):
    kind: Literal["dog"]


class Pythonic(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    name: str = Field(pattern="^a+$")


class Holds(BaseModel):
    """A class within another one has its own engine."""

    model_config = ConfigDict(regex_engine="python-re")
    inner: Dog
    code: Annotated[str, Field(max_length=3)]


@pydantic_dataclass(config=ConfigDict(regex_engine="python-re"))
class PythonicData:
    name: Annotated[str, Field(pattern="^(a+)+$")]


class PythonicDict(TypedDict):
    __pydantic_config__ = ConfigDict(regex_engine="python-re")  # type: ignore[misc]
    name: Annotated[str, Field(pattern="^a+$")]


class Linear(BaseModel):
    name: str = Field(pattern="^a+$")
    inner: Pythonic


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


@dataclass
class Node:
    children: list[Node]


def nested(depth: int) -> Any:
    made: Any = str
    for _ in range(depth):
        made = list[made]
    return made


REASON = "/properties/reasoning"
FACTS = [("", "invented")]
CASES: dict[str, list[tuple[Any, list[tuple[str, str]]]]] = {
    "answer_first": [
        (model(urgent=bool, reasoning=str), [(REASON, "answer_first")]),
        (model(diagnosis=str, reasoning=(list[str], [])), [(REASON, "answer_first")]),
        (model(grade=int, explanation=str), [("/properties/explanation", "answer_first")]),
        (model(size=Literal["s", "l"], notes=(str, Field(description="the reasoning behind it"))),
         [("/properties/notes", "answer_first")]),
        (model(reasoning=str, urgent=bool), []),
        (model(question=str, reasoning=str, answer=str), []),
        (model(kind=Literal["a"], thoughts=str, urgent=bool), []),
        (model(title=str, ingredients=list[str], steps=list[str]), []),
        (model(word=str, explanation=str), []),
        (model(answer=str, reasoning=int), []),
    ],
    "invented": [
        (model(name=str, email=str, phone_number=str), FACTS),
        (model(sent=datetime.date), FACTS),
        (model(customerId=int), FACTS),
        (model(date_of_birth=str), FACTS),
        (model(unitPrice=Decimal), FACTS),
        (model(inner=model(age=int)), [("/$defs/Made", "invented")]),
        (model(email=Known[str] | NotStated, age=int | None, price=(int, 0)), []),
        (model(email=(str, Field(description="empty if there is none"))), []),
        (model(email_subject=str, date_format=Literal["iso", "us"], phones=list[str], invoice_number=str), []),
        ({"type": "object", "properties": {"age": {"type": ["integer", "null"]}}, "required": ["age"]}, []),
        ({"type": "object", "properties": {"age": {"type": "integer"}}}, []),
    ],
    "huge_enum": [
        (Literal[tuple(map(str, range(MANY_VALUES + 1)))], [("", "huge_enum")]),
        (list[Literal["x" * LONG_VALUES]], []),
        (list[Literal["x" * LONG_VALUES, "y"]], [("/items", "huge_enum")]),
        (Literal[tuple(map(str, range(MANY_VALUES)))], []),
        (Annotated[str, Vocabulary("number", map(str, range(1_000)))], []),
    ],
    "no_discriminator": [
        (Cat | Dog, [("", "no_discriminator")]),
        (list[Cat | Dog | None], [("/items", "no_discriminator")]),
        (Cat | Tagged, [("", "no_discriminator")]),
        (Tagged | Barking, []),
        (Annotated[Tagged | Barking, Field(discriminator="kind")], []),
        (Cat | str | None, []),
        (Cat | list[Dog], []),
    ],
    "untold_rule": [
        (Annotated[int, AfterValidator(even)], [("", "untold_rule")]),
        (Annotated[int, AfterValidator(odd)], []),
        (Annotated[str, AfterValidator(str.strip)], []),
    ],
    "python_pattern": [
        (Pythonic, [("/properties/name", "python_pattern")]),
        (PythonicData, [("/properties/name", "python_pattern")]),
        (PythonicDict, [("/properties/name", "python_pattern")]),
        (Annotated[str, Field(pattern=re.compile("^a$"))], [("", "python_pattern")]),
        (Linear, [("/$defs/Pythonic/properties/name", "python_pattern")]),
        (Holds, []),
    ],
    "bounded_pattern": [
        ({"pattern": "a+b(?!c)a+d"}, [("", "bounded_pattern")]),
        ({"patternProperties": {r"^(.)\1$": {"type": "string"}}}, [("", "bounded_pattern")]),
        ({"pattern": r"^(?=.*\d).{8,}$"}, []),
        (Annotated[str, Field(pattern=r"(?P<year>\d{4})")], []),
    ],
    "exploding_pattern": [
        (Annotated[str, Field(pattern="^(a+)+$")], [("", "exploding_pattern")]),
        (Annotated[str, Field(pattern="^a+b+$")], []),
    ],
    "open_ended": [
        (dict[str, Any], [("", "open_ended")]),
        (list[dict], [("/items", "open_ended")]),
        (Open, [("", "open_ended")]),
        (model(extra=Any), [("/properties/extra", "open_ended")]),
        (dict[str, int], []),
        (dict[Literal["a"], Any], []),
        (model(name=str), []),
        ({"not": {"type": "object"}}, []),
    ],
    "deep": [
        (nested(DEEP + 1), [("", "deep")]),
        (nested(DEEP), []),
        (Node, []),
    ],
    "alike_names": [
        (model(userName=str, user_name=str), [("", "alike_names")]),
        (model(user_name=str, user_names=str), []),
    ],
    "cryptic_name": [
        (model(q=str, qx=str), [("/properties/q", "cryptic_name"), ("/properties/qx", "cryptic_name")]),
        (model(id=Known[int] | NotStated, x=float, q=(str, Field(description="quality"))), []),
    ],
    "cost": [
        (model(name=(str, Field(description="long " * (COSTLY // 5)))), [("", "cost")]),
        (model(name=(str, Field(description="long " * (COSTLY // 6)))), []),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "declared", "found"), [(code, *case) for code, cases in CASES.items() for case in cases]
)
def test_finds_that_and_nothing_else(code: str, declared: Any, found: list[tuple[str, str]]) -> None:
    assert codes(declared) == found
    assert {code for _, code in found} <= {code}


def test_the_domain_schemas_lint_without_noise() -> None:
    found = {domain: codes(root) for domain, root in ROOTS.items()}
    assert found.pop("invoice") == [("", "invented"), ("/$defs/Line", "invented")]
    assert not any(found.values())


@pytest.mark.parametrize("domain", ROOTS)
def test_pointers_lead_somewhere_in_the_public_document(domain: str) -> None:
    from typedllm.records import MISSING
    from typedllm.schema.subschema import at

    schema = Schema(ROOTS[domain])
    assert all(at(schema.json_schema(), finding.pointer) is not MISSING for finding in schema.lint())


def test_a_finding_reads_as_a_line_and_names_what_it_means() -> None:
    (finding,) = Schema(model(name=str, email=str, age=int, birthday=str)).lint()
    assert str(finding) == (
        "/: a text may not state email, age and birthday, and a model that must answer makes one up (allow null where it "
        "may be missing, in Python `Known[...] | NotStated`, or say in the description what to write then) [invented]"
    )
    (finding,) = Schema(PythonicData).lint()
    assert "can take exponential time" in finding.what
    (finding,) = Schema(Annotated[int, AfterValidator(even)]).lint()
    assert finding.what.endswith("by even")
    big = model(inner=model(name=(str, Field(description="long " * COSTLY))))
    assert "Made" in Schema(big).lint()[-1].what


def test_what_a_service_does_not_take_is_a_finding_when_one_is_named() -> None:
    schema: Schema[Any] = Schema(model(name=Annotated[str, Field(max_length=3)]))
    assert schema.lint() == ()
    assert [(found.pointer, found.code) for found in schema.lint(OPENAI)] == [("/properties/name", "not_sent")]
    assert schema.lint(VLLM) == ()
    deep: Any = nested(6)
    reasons = [found for found in Schema(model(it=deep)).lint(OPENAI_2024) if found.code == "not_taken"]
    assert len(reasons) == 1


def test_hints_for_the_linter_are_not_public() -> None:
    for declared in (Pythonic, Annotated[int, AfterValidator(even)]):
        schema: Schema[Any] = Schema(declared)
        assert "x-" in json.dumps(schema.document)
        assert "x-" not in json.dumps(schema.json_schema())
        assert "python" not in schema.typescript()
        assert "even" not in schema.typescript()


def test_recursive_unions_and_references_end() -> None:
    tree: Any = {"$defs": {"a": {"anyOf": [{"type": "string"}, {"items": {"$ref": "#/$defs/a"}}]}}, "$ref": "#/$defs/a"}
    assert codes(tree) == []


def test_cost_measures_both_forms() -> None:
    schema = Schema(ROOTS["coffee"])
    size = cost(schema.document, schema.name)
    assert size.typescript == len(schema.typescript())
    assert size.json_schema == len(json.dumps(schema.json_schema(), separators=(",", ":"), ensure_ascii=False))
    assert cost(schema.document, schema.name, lambda text: text.count("Syrup")).typescript >= 2


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("dateOfBirth", ["date", "of", "birth"]),
        ("HTTPServer_id2", ["http", "server", "id"]),
        ("größe-cm", ["grösse", "cm"]),
        ("__", []),
    ],
)
def test_names_are_taken_apart(name: str, parts: list[str]) -> None:
    assert words(name) == parts


def test_command_prints_findings_and_its_exit_code_says_whether_there_are_any(tmp_path: Path) -> None:
    document = tmp_path / "ticket.json"
    document.write_text('{"type": "object", "properties": {"q": {"type": "string"}}}')
    done = CliRunner().invoke(app, ["lint", "--schema", str(document)])
    assert done.exit_code == 1
    assert done.stdout.startswith("/properties/q: ")
    assert "characters as TypeScript" in done.stderr
    told = json.loads(CliRunner().invoke(app, ["lint", "-s", str(document), "--json"]).stdout)
    assert [finding["code"] for finding in told["findings"]] == ["cryptic_name"]
    assert told["cost"]["characters"]["json_schema"] == 54
    done = CliRunner().invoke(app, ["lint", "-s", "schemas.sentiment:Sentiment"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert CliRunner().invoke(app, ["lint", "-s", "schemas.sentiment:Gone"]).exit_code == 2
