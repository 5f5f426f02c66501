"""JSON Schema documents as declared types: the official suite, issues, references, and patterns that cannot hang."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.laws import examples
from typedllm.declared import Schema
from typedllm.errors import SchemaError
from typedllm.schema import violations
from typedllm.schema.certain import Certain
from typedllm.schema.documents import MAX_ISSUES, load
from typedllm.schema.formats import FORMATS
from typedllm.schema.patterns import BUDGET, PatternError, compile_pattern, explodes
from typedllm.schema.violations import GOT, Explainer

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
SUITES = {
    "draft7": DRAFT_7,
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
OPTIONAL = ("ecmascript-regex", "non-bmp-regex", "bignum", "float-overflow")
# What is refused when declared: what needs a document from elsewhere, and meta-schemas of one's own.
REFUSED = {
    "vocabulary.json": {
        "schema that uses custom metaschema with with no validation vocabulary",
        "ignore unrecognized optional vocabulary",
    },
    "dynamicRef.json": {
        "strict-tree schema, guards against misspelled properties",
        "$ref and $dynamicAnchor are independent of order - $ref first",
        "$ref and $dynamicAnchor are independent of order - $defs first",
        "$ref to $dynamicRef finds detached $dynamicAnchor",
        "tests for implementation dynamic anchor and reference link",
    },
}
# Where the normal form says "any value": targets that only the value decides, and the meta-schemas.
LOOSER = {
    "defs.json": {"validate definition against metaschema"},
    "definitions.json": {"validate definition against metaschema"},
    "ref.json": {"remote ref, containing refs itself"},
    "recursiveRef.json": {
        "dynamic $recursiveRef destination (not predictable at schema compile time)",
        "multiple dynamic paths to the $recursiveRef keyword",
    },
    "dynamicRef.json": {
        "$dynamicRef skips over intermediate resources - direct reference",
        (
            "A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is "
            "evaluated"
        ),
        (
            "A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first "
            "$dynamicAnchor in the dynamic scope"
        ),
        (
            "A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic "
            "scope resolution"
        ),
        "after leaving a dynamic scope, it is not used by a $dynamicRef",
        "multiple dynamic paths to the $dynamicRef keyword",
    },
    "unevaluatedItems.json": {"unevaluatedItems with $dynamicRef", "unevaluatedItems with $recursiveRef"},
    "unevaluatedProperties.json": {
        "unevaluatedProperties with $dynamicRef",
        "unevaluatedProperties with $recursiveRef",
    },
}


@pytest.fixture(scope="session")
def suite(pytestconfig: pytest.Config) -> Path:
    """The official JSON-Schema-Test-Suite, from the source distribution of `jsonschema`."""
    folder = Path(pytestconfig.cache.mkdir("json-schema-suite"))
    name = f"jsonschema-{version('jsonschema')}"
    if not (folder / name).exists():
        with TemporaryDirectory(dir=folder) as mine:  # other processes of the run may do the same at this moment
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "jsonschema"]
            command += ["--retries", "0", "--timeout", "20", "-d", mine, name.replace("-", "==")]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("the JSON Schema test suite is not here, and could not be downloaded")
            with tarfile.open(Path(mine) / f"{name}.tar.gz") as archive:
                archive.extractall(mine, filter="data")
            with suppress(OSError):  # it is there by now
                (Path(mine) / name).rename(folder / name)
    return folder / name / "json" / "tests"


class Verdict(NamedTuple):
    file: str
    case: str
    test: str
    valid: bool
    said: object


def verdicts(files: list[Path], uri: str, *, formats: bool) -> Iterator[Verdict]:
    for file in files:
        for case in json.loads(file.read_text("utf-8")):
            schema = case["schema"]
            try:
                loaded = load({"$schema": uri, **schema} if isinstance(schema, dict) else schema, formats=formats)
            except SchemaError:
                loaded = None
            for test in case["tests"]:
                said = None if loaded is None else not loaded.iter_issues(test["data"])
                yield Verdict(file.name, case["description"], test["description"], test["valid"], said)


@pytest.mark.slow
@pytest.mark.parametrize("draft", SUITES)
def test_agrees_with_the_official_suite(suite: Path, draft: str) -> None:
    folder = suite / draft
    files = sorted(folder.glob("*.json")) + [folder / "optional" / f"{name}.json" for name in OPTIONAL]
    all_of_them = list(verdicts([file for file in files if file.exists()], SUITES[draft], formats=False))
    judged = [one for one in all_of_them if one.said is not None]
    assert [one for one in judged if one.said is not one.valid] == []
    refused = {(one.file, one.case) for one in all_of_them if one.said is None and one.file != "refRemote.json"}
    assert {case for _, case in refused if case not in REFUSED.get(_, ())} == set()
    assert len(judged) > 0.95 * len(all_of_them) > 800


@pytest.mark.slow
@pytest.mark.parametrize("draft", SUITES)
def test_the_normal_form_accepts_what_the_original_accepts(suite: Path, draft: str) -> None:
    judged, looser = 0, set[tuple[str, str]]()
    for file in sorted((suite / draft).glob("*.json")):
        for case in json.loads(file.read_text("utf-8")):
            schema = case["schema"]
            try:
                loaded = load(
                    {"$schema": SUITES[draft], **schema} if isinstance(schema, dict) else schema, formats=False
                )
            except SchemaError:
                continue
            normal = load(loaded.document, formats=False)
            for test in case["tests"]:
                refused, judged = loaded.iter_issues(test["data"]), judged + 1
                if bool(normal.iter_issues(test["data"])) is not bool(refused):
                    assert refused, f"{file.name}: {case['description']}: {test['description']}"
                    looser.add((file.name, case["description"]))
    assert {case for name, case in looser if case not in LOOSER.get(name, ())} == set()
    assert judged > 800


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_formats_agree_with_the_official_suite(suite: Path, name: str) -> None:
    file = suite / "draft2020-12" / "optional" / "format" / f"{name}.json"
    found = list(verdicts([file], SUITES["draft2020-12"], formats=True))
    assert found
    assert [one for one in found if one.said is not one.valid] == []


SHAPE = {
    "$schema": DRAFT_7,
    "oneOf": [{"$ref": "#/definitions/circle"}, {"$ref": "#/definitions/square"}],
    "definitions": {
        "circle": {
            "type": "object",
            "properties": {"kind": {"const": "circle"}, "r": {"type": "number", "minimum": 0}},
            "required": ["kind", "r"],
            "additionalProperties": False,
        },
        "square": {
            "type": "object",
            "properties": {"kind": {"const": "square"}, "side": {"type": "integer"}},
            "required": ["kind", "side"],
            "additionalProperties": False,
        },
    },
}
TREE = {
    "$id": "https://example.com/tree",
    "type": "object",
    "properties": {"v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["v"],
}
UNION = {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "object", "required": ["a"]}]}


@pytest.mark.parametrize(
    ("schema", "data", "said"),
    [
        (SHAPE, {"kind": "circle", "r": -1}, ["/r: expected at least 0, got -1"]),
        (SHAPE, {"kind": "oval"}, ['/kind: expected "circle" | "square", got "oval"']),
        (SHAPE, {"r": 1}, ['/kind: expected "circle" | "square", got nothing']),
        (SHAPE, {"kind": "square"}, ["/side: expected an integer, got nothing"]),
        (
            SHAPE,
            {"kind": "square", "side": 1, "r": 2},
            ['/r: got 2, no such key (the keys are "kind", "side")'],
        ),
        (SHAPE, 3, ['/: expected an object with "kind", "r" | an object with "kind", "side", got 3']),
        (TREE, {"v": 1, "kids": [{"v": "1"}]}, ['/kids/0/v: expected an integer, got "1"']),
        (UNION, "long text", ['/: expected a text of at most 3 characters, got "long text"']),
        (UNION, {}, ["/a: expected a value, got nothing"]),
        ({"properties": {"0": {"type": "null"}}}, {"0": 1}, ["/0: expected null, got 1"]),
        ({"properties": {"a/b~c": {"const": [1]}}}, {"a/b~c": 1}, ["/a~1b~0c: expected [1], got 1"]),
        ({"items": {"multipleOf": 0.01}}, [19.99, 0.3, 0.005], ["/2: expected a multiple of 0.01, got 0.005"]),
        (
            {"uniqueItems": True},
            [1, True, {"a": 1}, {"a": 1.0}],
            ['/3: expected items that all differ, got {"a": 1.0}'],
        ),
        ({"contains": {"const": 3}}, [1], ["/: expected at least one item of the kind 3, got [1]"]),
        ({"not": {"type": "string"}}, "x", ['/: expected anything but string, got "x"']),
        (
            {"propertyNames": {"pattern": "^a"}},
            {"b": 1},
            ['/b: expected a key that is a text that matches ^a, got "b"'],
        ),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1},
            ["/b: expected a value, got nothing, needed because a is there"],
        ),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
            {"a": 1},
            ["/b: expected a value, got nothing, needed by a condition on the rest of the value"],
        ),
        (
            {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False},
            {"a": 1, "b": 2},
            ["/b: got 2, this key is not allowed here"],
        ),
        (
            {"prefixItems": [{"type": "string"}], "items": False, "minItems": 1},
            ["a", 1],
            ['/: expected at most 1 item, got ["a", 1]'],
        ),
        ({"patternProperties": {"^n_": {"type": "integer"}}}, {"n_a": "x"}, ['/n_a: expected an integer, got "x"']),
        ({"format": "date"}, "2024-02-30", ['/: expected a text of the format date, got "2024-02-30"']),
        (False, 1, ["/: got 1, nothing is allowed here"]),
        ({"anyOf": [False, False]}, 1, ["/: got 1, nothing is allowed here"]),
    ],
)
def test_says_what_is_wrong_and_where(schema: Any, data: Any, said: list[str]) -> None:
    assert [str(issue) for issue in load(schema).iter_issues(data)] == said


def test_bounds_what_an_issue_shows_and_how_many_there_are() -> None:
    loaded = load({"items": {"type": "string"}, "maxItems": 10})
    issues = loaded.iter_issues([{"key": ["x" * 100_000]}] * 1_000)
    assert len(issues) == MAX_ISSUES
    assert all(len(issue.got) <= GOT for issue in issues)
    assert [issue.code for issue in loaded.iter_issues([10**5_000])] == ["digits"]


def test_deep_data_is_an_issue_and_deep_documents_are_refused() -> None:
    data: Any = {"v": 1}
    for _ in range(5_000):
        data = {"v": 1, "kids": [data]}
    assert [issue.code for issue in load(TREE).iter_issues(data)] == ["depth"]
    deep: Any = {}
    for _ in range(5_000):
        deep = {"not": deep}
    with pytest.raises(SchemaError, match="nested deeper than 200 levels"):
        load(deep)
    middle: Any
    value: Any
    middle, value = {"type": "integer"}, "x"
    for _ in range(90):
        middle, value = {"items": middle}, [value]
    assert [issue.path for issue in load(middle).iter_issues(value)] == ["/0" * 90]


@pytest.mark.parametrize(
    ("schema", "problems"),
    [
        (
            {"properties": {"a": {"type": 3, "minimum": "x"}}, "required": "a"},
            ["/required", "/properties/a/type", "min"],
        ),
        ({"$ref": "https://example.com/other.json"}, ["nothing is fetched"]),
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}}, ["/properties/a: $ref to '#/$defs/gone'"]),
        ({"$ref": "#"}, ["Root: refers to itself without an end"]),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {}]}}}, ["a: refers to itself"]),
        ({"$schema": "https://example.com/mine"}, ["unknown $schema"]),
        ({"$defs": {"a": {"$schema": DRAFT_7}}}, ["/$defs/a: declares another draft"]),
        ({"properties": {"a": {"pattern": "("}}}, ['/properties/a: the pattern "("']),
        ({"pattern": r"^(?!x)(a+)+\1$"}, ["exponential time"]),
        ({"enum": [object()]}, ["/enum/0: not a JSON value: object"]),
        ({"enum": [float("nan")]}, ["/enum/0: not a JSON value: float"]),
        ({1: 2}, ["a key is not a string: 1"]),
        (3, ["a schema is an object or a boolean, got int"]),
    ],
)
def test_refuses_when_declared_and_lists_every_problem(schema: Any, problems: list[str]) -> None:
    with pytest.raises(SchemaError) as caught:
        load(schema)
    for problem in problems:
        assert problem in str(caught.value)


def test_reads_files_and_leaves_the_callers_document_alone(tmp_path: Path) -> None:
    path = tmp_path / "shape.json"
    path.write_text(json.dumps(SHAPE), "utf-8")
    assert load(path).document == load(str(path)).document == load(SHAPE).document
    assert SHAPE["$schema"] == DRAFT_7
    path.write_text("{'a'}", "utf-8")
    for gone in (path, tmp_path / "none.json"):
        with pytest.raises(SchemaError, match="schema file"):
            load(gone)


@pytest.mark.parametrize(
    ("schema", "normal"),
    [
        (
            {"$schema": DRAFT_7, "items": [{"type": "string"}, True], "additionalItems": False},
            {"prefixItems": [{"type": "string"}, {}], "items": False},
        ),
        (
            {"$schema": DRAFT_7, "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
            {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}},
        ),
        (
            {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True},
            {"exclusiveMinimum": 1},
        ),
        (
            {"$schema": DRAFT_7, "properties": {"a": {"$ref": "#/definitions/x y", "minimum": 3}}, "definitions": {"x y": {}}},
            {"properties": {"a": {"$ref": "#/$defs/x_y"}}, "$defs": {"x_y": {}}},
        ),
        (TREE, {"$ref": "#/$defs/Root", "$defs": {"Root": {**TREE, "properties": {
            "v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/Root"}}}}}}),
        (
            {"$ref": "#b", "$defs": {"one": {"$id": "https://example.com/o", "$defs": {"x": {"$ref": "#/$defs/y"}, "y": {
                "type": "null"}}}, "two": {"$anchor": "b", "$ref": "https://example.com/o#/$defs/x"}}},
            {"$ref": "#/$defs/two", "$defs": {"two": {"$ref": "#/$defs/x"}, "x": {"$ref": "#/$defs/y"}, "y": {"type": "null"}}},
        ),
        (
            {"$defs": {"list": {"$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}}}, "$ref": "#/$defs/list"},
            {"$ref": "#/$defs/list", "$defs": {"list": {"items": {"$ref": "#/$defs/list"}}}},
        ),
        ({"properties": {"a": True, "b": False}, "unknown": 1}, {"properties": {"a": {}, "b": {"not": {}}}}),
    ],
)  # fmt: skip
def test_brings_every_draft_into_one_form(schema: Any, normal: Any) -> None:
    if schema is TREE:
        del normal["$defs"]["Root"]["$id"]
    assert load(schema).document == normal


def test_that_form_accepts_what_the_original_accepts() -> None:
    assert not load(load(SHAPE).document).iter_issues({"kind": "circle", "r": 1})
    assert load(load(SHAPE).document).iter_issues({"kind": "circle"})


# --- patterns -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found", "not_found"),
    [
        ("^(a+)+$", "aaa", "a" * 5_000 + "!"),
        (r"^(?=.*[A-Z])(?=.*\d)(?!.*\s).{8,}$", "abcdefgH1", "abcdefgh1"),
        (r"^\p{Letter}+$", "é", "1"),
        (r"^\d+$", "12", "\u0663"),
        ("a$", "a", "a\n"),
        (r"^\w$", "_", "é"),
        (r"^\S$", "a", "\ufeff"),
        ("^[^]$", "\n", ""),
        ("^.$", "x", "\u2028"),
        (r"^\cJ$", "\n", "J"),
        (r"^\uD83D\uDC32*$", "\U0001f432\U0001f432", "\ud83d"),
        (r"^[\w-.]+\/$", "a-.b/", "a b/"),
        ("^x{,3}$", "x{,3}", "xx"),
        (r"^(.)\1$", "aa", "ab"),
        (r"^(?<q>['\"]).*\k<q>$", "'a'", "'a\""),
        ("foo(?!bar)", "foox", "foobar"),
        (r"\bx\B", "xy", "x y"),
        ("[]|^b", "b", "a"),
        ("(?i)^straße$", "STRAßE", "strasse"),
        (r"\A[&&\]~~[]\Z", "[", "a"),
    ],
)
def test_patterns_are_those_of_ecma_262(source: str, found: str, not_found: str) -> None:
    pattern = compile_pattern(source)
    assert pattern.search(found) is True
    assert pattern.search(not_found) is False


@pytest.mark.parametrize(
    "source", ["(", "a)", "a**", "[a", r"\a", "[b-a]", "a{3,1}", "(?#x)", r"\u{110000}", "a\\", r"\p{No such}"]
)
def test_malformed_patterns_are_errors(source: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(source)


def test_what_needs_backtracking_is_bounded_by_its_worst_case() -> None:
    pattern = compile_pattern("a+b(?!c)a+d")
    assert pattern.limit is not None
    assert pattern.limit**3 <= BUDGET
    assert pattern.search("a" * pattern.limit) is False
    assert pattern.search("a" * (pattern.limit + 1)) is None
    issues = load({"pattern": "a+b(?!c)a+d"}).iter_issues("a" * 1_000)
    assert [issue.code for issue in issues] == ["undecided"]
    assert explodes("^(a+)+$")
    assert not explodes("^a+b+$")


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", "ab"])
PATTERNS = st.recursive(
    ATOMS,
    lambda part: st.one_of(
        st.tuples(part, part).map("".join),
        st.tuples(part, part).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(part, st.sampled_from(["*", "+", "?", "{1,2}", "{2}"])).map(lambda two: f"(?:{two[0]}){two[1]}"),
        part.map(lambda one: f"(?!{one})"),
    ),
    max_leaves=5,
)


@examples(200)
@given(PATTERNS.map(lambda body: f"^{body}$"), st.text("ab 1", max_size=6))
def test_translated_patterns_find_what_python_finds(source: str, text: str) -> None:
    import re

    try:
        found = compile_pattern(source).search(text)
    except PatternError:
        return
    assert found is (re.search(source.replace("$", r"\Z"), text, re.ASCII) is not None)


# --- as the declared type -----------------------------------------------------------------------------------------


def test_a_document_is_a_schema_whose_value_is_plain_json() -> None:
    schema = Schema.from_json_schema({"title": "Order", **UNION})
    assert schema.name == "Order"
    result = schema.read('Here: {"a": [1, 2.5, null]}')
    assert result.value == {"a": [1, 2.5, None]}
    assert schema.read("[]").issues[0].code == "union"
    assert schema.dump({"a": "é"}) == '{"a":"é"}'
    assert "type Order" in schema.typescript()
    with pytest.raises(SchemaError):
        Schema.from_json_schema({"type": "text"})


@pytest.mark.slow
def test_what_is_certainly_valid_is_valid(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [
        (schema["schema"], [test["data"] for test in schema["tests"]])
        for file in sorted((suite / "draft2020-12").glob("*.json"))
        for schema in json.loads(file.read_text(encoding="utf-8"))
    ]
    values = [value for _, some in documents[::7] for value in some][::5]
    sure = 0
    for document, own in documents[::3]:
        try:
            loaded = load(document)
        except SchemaError:
            continue
        said = [loaded.iter_issues(value) for value in [*own, *values]]
        sure += sum(not issues for issues in said)
        with monkeypatch.context() as patch:
            patch.setattr(Certain, "is_valid", lambda *_: False)
            assert said == [loaded.iter_issues(value) for value in [*own, *values]]
    assert sure > 1000


def test_of_a_long_list_only_what_is_wrong_is_looked_at_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    loaded = load({"type": "object", "properties": {"items": {"type": "array", "items": item}}})
    explained, explain = 0, Explainer._explain

    def counted(self: Explainer, error: Any) -> Any:
        nonlocal explained
        explained += 1
        return explain(self, error)

    monkeypatch.setattr(Explainer, "_explain", counted)
    rows: list[Any] = [{"n": number} for number in range(1000)]
    assert loaded.iter_issues({"items": rows}) == ()
    assert [issue.path for issue in loaded.iter_issues({"items": [*rows, {}, *rows]})] == ["/items/1000/n"]
    assert explained == 1
    assert len(loaded.iter_issues({"items": [{"m": 1}] * 100_000})) == MAX_ISSUES
    assert explained < 1000


def test_what_is_wrong_with_a_reply_is_not_explained_before_it_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Schema.from_json_schema(
        {"type": "array", "items": {"type": "object", "properties": {"n": {}}, "required": ["n"]}}
    )

    def explain(*_: object) -> Any:
        raise AssertionError("nobody asks what is wrong")

    monkeypatch.setattr(Explainer, "_explain", explain)
    assert schema.read('[{"N": 1}, {"n": 2,}]').issues == ()


def test_of_many_words_those_that_are_told_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written = list[object]()
    monkeypatch.setattr(violations, "shown", lambda value, *_: written.append(value) or "x")
    issues = load({"enum": [f"word{number}" for number in range(5000)]}).iter_issues("word")
    assert [issue.expected for issue in issues] == [f"{'x | ' * 12}... (5000 in all)"]
    assert len(written) < 50


def test_the_halves_of_a_character_are_one_however_the_document_is_escaped() -> None:
    schema = Schema.from_json_schema({"type": "object", "properties": {"milk": {"type": "string"}}})
    assert schema.read('{\\"milk\\": \\"\\ud83e\\udd5b\\"}').value == {"milk": "\U0001f95b"}
    assert schema.read('{\\"milk\\": \\"\\ud83e\\"}').issues[0].code == "surrogate"
