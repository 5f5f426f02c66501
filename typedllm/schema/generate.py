"""Pydantic's JSON Schema generator with the hints of `build.py`, and with problems noted where they stand."""

from __future__ import annotations

from collections.abc import Generator as Generating
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum, Flag
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import PydanticSerializationError, to_jsonable_python
from pydantic_core import core_schema as core

from typedllm.schema.docs import attribute_docstrings, describe, docstring_of, name_of
from typedllm.schema.walk import is_list, is_object, resolve, walk

UNSUPPORTED: Final = "x-unsupported"

_WAY_OUT: Final = "give it a JSON form with pydantic.WithJsonSchema, or leave the field out with SkipJsonSchema"
_OTHERWISE: Final = "make it a dataclass or a BaseModel, or declare the JSON that it is made from"
_NO_IMPORT: Final = "a reply is not to name code that is imported and run (declare the names as a Literal)"
_NO_KEYS: Final = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "model", "dataclass", "typed-dict", "named-tuple", "call", "none"}
)
_BOUNDS: Final = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_WHEN: Final = {"past": "in the past", "future": "in the future"}
_ZONES: Final = {"aware": "with time zone", "naive": "without time zone"}


class Generator(GenerateJsonSchema):
    """Makes the document of one type."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012  # as the base class declares it
        "skipped-choice",
        "non-serializable-default",
        "skipped-discriminator",
    }

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._by_name = False
        self._engine: object = None
        self._defined: dict[str, Any] = {}

    def generate(self, schema: core.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        document = super().generate(schema, mode)
        for _, node in walk(document):
            if is_object(node) and is_object(tagged := node.get("discriminator")):
                _require(node, tagged["propertyName"], document)
        return document

    def definitions_schema(self, schema: core.DefinitionsSchema) -> JsonSchemaValue:
        self._defined.update((str(one.get("ref")), one) for one in schema["definitions"])
        return super().definitions_schema(schema)

    # What no reply is to decide.

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        if _imports(schema):
            return {UNSUPPORTED: _NO_IMPORT}
        return super().generate_inner(schema)

    # What JSON cannot hold.

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        what = getattr(schema.get("cls"), "__name__", "") or error_info.removeprefix("core_schema.").partition(" (")[0]
        return {UNSUPPORTED: f"{what} has no JSON form ({_WAY_OUT})"}

    def callable_schema(self, schema: core.CallableSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {UNSUPPORTED: f"a callable has no JSON form ({_WAY_OUT})"}

    def is_instance_schema(self, schema: core.IsInstanceSchema) -> JsonSchemaValue:
        name = getattr(schema["cls"], "__name__", str(schema["cls"]))
        return {UNSUPPORTED: f"{name} is a class that pydantic cannot build from JSON ({_OTHERWISE})"}

    def is_subclass_schema(self, schema: core.IsSubclassSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {UNSUPPORTED: f"a class has no JSON form ({_WAY_OUT})"}

    def generator_schema(self, schema: core.GeneratorSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {UNSUPPORTED: "pydantic checks the items of an iterable only when they are drawn (use list or Sequence)"}

    def union_schema(self, schema: core.UnionSchema) -> JsonSchemaValue:
        made = super().union_schema(schema)
        arms = [arm for arm in made.get("anyOf", ()) if UNSUPPORTED not in arm]
        if not arms or len(arms) == len(made["anyOf"]) or {UNSUPPORTED: _NO_IMPORT} in made["anyOf"]:
            return made
        return arms[0] if len(arms) == 1 else {**made, "anyOf": arms}

    # What JSON Schema loses.

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def enum_schema(self, schema: core.EnumSchema) -> JsonSchemaValue:
        docs = attribute_docstrings(schema["cls"])
        members: list[Enum] = list(dict.fromkeys(schema["members"]))
        if not members:
            return {UNSUPPORTED: f"{schema['cls'].__name__} has no members (declare some)"}
        if found := next((member for member in members if not _is_json(member.value)), None):
            return {UNSUPPORTED: f"{found} is {found.value!r}, which is no JSON (make it a string or a number)"}
        if issubclass(schema["cls"], Flag):
            return _flags(schema["cls"], members)
        rules = [f"{member.value}: {docs[member.name]}" for member in members if member.name in docs]
        made = _hinted(
            super().enum_schema({**schema, "members": members}), rules=rules, names=[member.name for member in members]
        )
        aliases = {name: member.value for name, member in schema["cls"].__members__.items() if name != member.name}
        return {**made, "x-aliases": aliases} if aliases else made

    def literal_schema(self, schema: core.LiteralSchema) -> JsonSchemaValue:
        if other := [value for value in schema["expected"] if not _is_json(getattr(value, "value", value))]:
            return {UNSUPPORTED: f"the literal {other[0]!r} is no JSON (make it a string or a number)"}
        made = super().literal_schema(schema)
        names = [value.name for value in schema["expected"] if isinstance(value, Enum)]
        return _hinted(made, names=names) if len(names) == len(schema["expected"]) else made

    def decimal_schema(self, schema: core.DecimalSchema) -> JsonSchemaValue:
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        rules = [f"at most {digits} digits"] * (digits is not None)
        rules += [f"at most {places} decimal places"] * (places is not None)
        return _hinted(super().decimal_schema(schema), "decimal", rules)

    def fraction_schema(self, schema: Any) -> JsonSchemaValue:
        return _hinted(super().fraction_schema(schema), "fraction")

    def bytes_schema(self, schema: core.BytesSchema) -> JsonSchemaValue:
        return _hinted(super().bytes_schema(schema), "bytes")

    def complex_schema(self, schema: core.ComplexSchema) -> JsonSchemaValue:
        return _hinted(super().complex_schema(schema), "complex")

    def timedelta_schema(self, schema: core.TimedeltaSchema) -> JsonSchemaValue:
        return _hinted(super().timedelta_schema(schema), "timedelta", _temporal(schema))

    def date_schema(self, schema: core.DateSchema) -> JsonSchemaValue:
        return _hinted(super().date_schema(schema), rules=_temporal(schema))

    def time_schema(self, schema: core.TimeSchema) -> JsonSchemaValue:
        return _hinted(super().time_schema(schema), rules=_temporal(schema))

    def datetime_schema(self, schema: core.DatetimeSchema) -> JsonSchemaValue:
        return _hinted(super().datetime_schema(schema), rules=_temporal(schema))

    def url_schema(self, schema: core.UrlSchema) -> JsonSchemaValue:
        return _hinted(super().url_schema(schema), rules=_schemes(schema))

    def multi_host_url_schema(self, schema: core.MultiHostUrlSchema) -> JsonSchemaValue:
        return _hinted(super().multi_host_url_schema(schema), rules=_schemes(schema))

    def set_schema(self, schema: core.SetSchema) -> JsonSchemaValue:
        return _hinted(super().set_schema(schema), "set")

    def frozenset_schema(self, schema: core.FrozenSetSchema) -> JsonSchemaValue:
        return _hinted(super().frozenset_schema(schema), "set")

    def dict_schema(self, schema: core.DictSchema) -> JsonSchemaValue:
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        if "keys_schema" in schema and not _from_text(schema["keys_schema"], self._defined):
            return {UNSUPPORTED: "a key is text in JSON, and these cannot be made of text (declare keys of str)"}
        numeric = keys.get("type") in {"integer", "number"}
        return _hinted(super().dict_schema(schema), rules=["keys: numbers as text"] * numeric)

    def named_tuple_schema(self, schema: Any) -> JsonSchemaValue:
        names = [field["name"] for field in schema["fields"]]
        return _named(super().named_tuple_schema(schema), schema["cls"], names)

    def call_schema(self, schema: core.CallSchema) -> JsonSchemaValue:
        """Named tuples, before pydantic 2.14."""
        cls, made = schema["function"], super().call_schema(schema)
        names = [str(name) for name in getattr(cls, "_fields", ())]
        return _named(made, cls, names) if isinstance(cls, type) and names and "prefixItems" in made else made

    def str_schema(self, schema: core.StringSchema) -> JsonSchemaValue:
        made, pattern = super().str_schema(schema), schema.get("pattern")
        by_python = schema.get("regex_engine", self._engine) == "python-re" or not isinstance(pattern, str | None)
        return {**made, "x-regex": "python"} if pattern is not None and by_python else made

    @contextmanager
    def _within(self, schema: Mapping[str, Any]) -> Generating[None]:
        """Note the engine of regular expressions that the class asks for, while its parts are made."""
        outer, self._engine = self._engine, schema.get("config", {}).get("regex_engine")
        try:
            yield
        finally:
            self._engine = outer

    # Classes: their fields' names and words.

    def model_schema(self, schema: core.ModelSchema) -> JsonSchemaValue:
        config = schema["cls"].model_config
        outer, self._by_name = self._by_name, bool(config.get("validate_by_name") or config.get("populate_by_name"))
        with self._within(schema):
            made = super().model_schema(schema)
        self._by_name = outer
        return describe(made, schema["cls"])

    def dataclass_schema(self, schema: core.DataclassSchema) -> JsonSchemaValue:
        with self._within(schema):
            return describe(super().dataclass_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: core.TypedDictSchema) -> JsonSchemaValue:
        with self._within(schema):
            made = self._with_fields(super().typed_dict_schema(schema), schema["fields"].items())
        return describe(made, schema["cls"]) if "cls" in schema else made

    def model_fields_schema(self, schema: core.ModelFieldsSchema) -> JsonSchemaValue:
        return self._with_fields(super().model_fields_schema(schema), schema["fields"].items())

    def dataclass_args_schema(self, schema: core.DataclassArgsSchema) -> JsonSchemaValue:
        schema = {**schema, "fields": [field for field in schema["fields"] if field.get("init", True)]}
        return self._with_fields(super().dataclass_args_schema(schema), [(f["name"], f) for f in schema["fields"]])

    def _with_fields(self, made: JsonSchemaValue, fields: Iterable[tuple[str, Mapping[str, Any]]]) -> JsonSchemaValue:
        """The object with the Python name on each property that goes by another."""
        properties, deep = made.get("properties", {}), set[str]()
        for name, field in fields:
            choices = _alias_paths(field.get("validation_alias"))
            deep.update(str(path[0]) for path in choices if len(path) > 1)
            found = next((path[0] for path in choices if len(path) == 1 and path[0] in properties), name)
            if found != name:
                properties[found] = {**properties[found], "x-field": name}
            elif choices and name in properties and not self._by_name and [name] not in choices:
                properties[name] = {UNSUPPORTED: "an AliasPath alone names no key (add a plain name with AliasChoices)"}
            also = [path[0] for path in choices if len(path) == 1] + [name] * self._by_name
            if found in properties and (others := [each for each in dict.fromkeys(also) if each != found]):
                properties[found] = {**properties[found], "x-also": others}
        if "required" in made:  # two fields may be read from one key
            made["required"] = list(dict.fromkeys(made["required"]))
        return {**made, "x-deep": sorted(deep)} if deep else made

    # Validators in code.

    def function_after_schema(self, schema: core.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        return _validated(super().function_after_schema(schema), schema)

    def function_before_schema(self, schema: core.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        return _validated(_own_form(super().function_before_schema(schema)), schema)

    def function_wrap_schema(self, schema: core.WrapValidatorFunctionSchema) -> JsonSchemaValue:
        return _validated(_own_form(super().function_wrap_schema(schema)), schema)

    def function_plain_schema(self, schema: core.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        return _validated(super().function_plain_schema(schema), schema)


def _hinted(
    made: JsonSchemaValue, type_: str | None = None, rules: Iterable[str] = (), names: Iterable[str] = ()
) -> JsonSchemaValue:
    hints: dict[str, Any] = {"x-type": type_, "x-rules": list(rules), "x-names": list(names)}
    return {**made, **{key: value for key, value in hints.items() if value}}


def _validated(made: JsonSchemaValue, schema: Mapping[str, Any]) -> JsonSchemaValue:
    """The schema with the docstring of the function that validates beyond it, or with its name where it has none."""
    function = schema["function"]["function"]
    doc, name = docstring_of(function), name_of(function)
    if doc:
        return {**made, "x-validators": [*made.get("x-validators", ()), doc]}
    return {**made, "x-untold": [*made.get("x-untold", ()), name]} if name else made


def _is_json(value: object) -> bool:
    """Whether JSON can hold a value, rather than something that stands for it."""
    try:
        return bool(to_jsonable_python(value) == value)
    except (PydanticSerializationError, ValueError):
        return False


def _from_text(keys: Mapping[str, Any], defined: Mapping[str, Any]) -> bool:
    """Whether pydantic makes keys of this kind from the text that a key is in JSON."""
    kind = keys["type"]
    if kind == "definition-ref":
        return _from_text(defined.get(keys["schema_ref"], {"type": "any"}), defined)
    if kind == "union":
        arms: list[Any] = [arm if is_object(arm) else arm[0] for arm in keys["choices"]]
        return any(_from_text(arm, defined) for arm in arms)
    if kind == "literal" or (kind == "enum" and "sub_type" not in keys):
        values = [getattr(value, "value", value) for value in keys.get("expected", keys.get("members", ()))]
        return any(isinstance(value, str) for value in values)
    if inner := keys.get("json_schema") or keys.get("schema"):
        return _from_text(inner, defined) or kind in {"function-before", "function-wrap"}
    return kind not in _NO_KEYS


def _imports(schema: Mapping[str, Any]) -> bool:
    """Whether it is pydantic's `ImportString`, which imports what a text names."""
    function = schema["function"]["function"] if schema["type"] in ("function-plain", "function-before") else None
    module, name = getattr(function, "__module__", None), getattr(function, "__name__", None)
    return name == "import_string" and isinstance(module, str) and module.partition(".")[0] == "pydantic"


def _flags(cls: type[Flag], members: Iterable[Enum]) -> JsonSchemaValue:
    """Flags add up, so that any sum of them is a value."""
    told = ", ".join(f"{member.value} {member.name}" for member in members)
    most = 0
    for member in members:
        most |= member.value
    return {"title": cls.__name__, "type": "integer", "minimum": 0, "maximum": most, "x-rules": [f"sum of: {told}"]}


def _alias_paths(alias: Any) -> list[list[Any]]:
    """The paths under which a field is read: pydantic gives a name, a path, or several paths."""
    if isinstance(alias, str):
        return [[alias]]
    return [alias] if alias and not is_list(alias[0]) else alias or []


def _named(made: JsonSchemaValue, cls: type, names: Iterable[str]) -> JsonSchemaValue:
    items = [{**item, "x-field": name} for item, name in zip(made.get("prefixItems", ()), names, strict=True)]
    return describe({**made, "title": cls.__name__, "x-type": "named-tuple", "prefixItems": items}, cls)


def _temporal(schema: Mapping[str, Any]) -> Iterator[str]:
    """Bounds of dates and times, which JSON Schema has no keywords for."""
    bounds = ((sign, schema[bound]) for bound, sign in _BOUNDS.items() if bound in schema)
    yield from (f"{sign} {to_jsonable_python(at) if isinstance(at, timedelta) else at}" for sign, at in bounds)
    yield from (_WHEN[schema["now_op"]] for _ in "1" if "now_op" in schema)
    zone = schema.get("tz_constraint")
    if zone is not None:
        yield _ZONES.get(zone, f"{zone} seconds from UTC")


def _schemes(schema: Mapping[str, Any]) -> list[str]:
    schemes: list[str] = schema.get("allowed_schemes") or []
    return [f"{' or '.join(schemes)} only"] if schemes else []


def _require(union: JsonSchemaValue, tag: str, document: JsonSchemaValue) -> None:
    """Mark the tag as required in each arm: pydantic needs it to choose the arm, even where it has a default."""
    pending: list[Any] = list(union.get("oneOf", ()))
    while pending:
        arm: object = pending.pop()
        while is_object(arm) and "$ref" in arm:
            arm = resolve(document, arm["$ref"])
        if is_object(arm) and tag in arm.get("properties", {}) and tag not in arm.get("required", ()):
            arm["required"] = [tag, *arm.get("required", ())]
            arm["properties"][tag].pop("default", None)
        elif is_object(arm):
            pending.extend(arm.get("oneOf", ()))


def _own_form(made: JsonSchemaValue) -> JsonSchemaValue:
    """The document of what code sees first: how a text with a format is written is its own affair."""
    return {**made, "x-own-form": True} if "format" in made else made
