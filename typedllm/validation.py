"""From JSON to a value of the declared type, or to issues."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Protocol, TypeAlias, TypeVar, cast, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaError, SchemaValidator
from pydantic_core.core_schema import ErrorType

from typedllm.reading import plain
from typedllm.reading.fits import fits, strays
from typedllm.reading.target import Target
from typedllm.records import MISSING, Issue, JsonValue
from typedllm.schema.keys import Keys
from typedllm.schema.subschema import at
from typedllm.schema.walk import is_list, is_object
from typedllm.schema.written import written

if TYPE_CHECKING:
    from typedllm.schema.build import Built
    from typedllm.schema.documents import Loaded

_FORBIDS: Final = "extra" in signature(TypeAdapter[Any].validate_json).parameters
"""Whether pydantic can be told, for one text, to forbid unknown keys: since 2.12."""

_REBUILDS: Final = "_use_prebuilt" in signature(SchemaValidator).parameters
"""Whether pydantic can be told to make the validators of models within a type anew."""

_CALLED: Final = ("post_init", "custom_init", "custom_error_type")
_SILENT: Final = frozenset({"serialization", "metadata"})
_DATA: Final = frozenset({"default", "expected", "members"})
_LISTS: Final = frozenset({"list", "set", "frozenset", "tuple"})
_LONG: Final = 8_000
"""Characters of a text from which on it is worth it to stop at the first item that is wrong."""
_STUMBLES: Final = (TypeError, AttributeError, LookupError, ArithmeticError, OSError, SchemaError)
"""What validators in code, and some of pydantic's own, raise of data that they did not expect: beside what they mean to,
the name of a file that is too long, or an item that is left out where no list is.
"""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


Undeclared: TypeAlias = Literal["none", "kept", "dropped"]
"""What a text has under keys that the type does not declare: nothing, what the value may keep, what it may leave out."""


class InvalidError(ValueError):
    """The data is not of the declared type.

    Attributes:
        issues: why not.
    """

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(map(str, issues)))
        self.issues = tuple(issues)


class _StumbledError(ValueError):
    """A validator in code could not cope with the data."""


class Validator(Protocol[T_co]):
    """Judges JSON against a declared type."""

    def validate_text(self, text: str, context: Mapping[str, Any] | None) -> tuple[T_co, Undeclared]:
        """The value of a text that is valid at once, and has no key twice in one object; and what it has beside that.

        Raises:
            ValueError: it is not, or has.
        """
        ...

    def validate_data(self, data: Any, context: Mapping[str, Any] | None) -> T_co:
        """The value of plain JSON data.

        Raises:
            InvalidError: it is not of the declared type.
        """
        ...

    def dump(self, value: Any) -> str:
        """A value as the JSON that a model would write for it."""
        ...


class PydanticValidator(Generic[T]):
    """Judges by a pydantic `TypeAdapter`, in strict JSON mode: nothing is converted that no fix reports."""

    def __init__(self, built: Built[T]) -> None:
        self._built = built  # kept alive, so that the next `Schema` of the type finds it
        self._adapter = built.adapter
        self._document = built.document
        self._keys = Keys(self._adapter.core_schema)
        self._is_any = self._adapter.core_schema["type"] == "any"

    def validate_text(self, text: str, context: Mapping[str, Any] | None) -> tuple[T, Undeclared]:
        """See `Validator`."""
        data = text.encode()
        if self._is_any:
            return cast("T", plain.parse(data)), "kept"
        value, undeclared = self._at_once(text, data, context)
        closely = self._target.has_bits or self._swallows
        if closely or not self._keys.are_once(text, value):
            parsed = plain.parse(data)
            if (closely or self._target.has_synonyms) and not fits(parsed, self._target.root):
                raise ValueError("it takes a closer look whether this is what is declared")
        return value, undeclared

    def _at_once(self, text: str, data: bytes, context: Mapping[str, Any] | None) -> tuple[T, Undeclared]:
        """The value of a text; a key that is left out must be none that is declared, under another name or elsewhere."""
        overlaps, drops, forbids = self._overlaps, self._target.drops, _FORBIDS and not self._swallows
        judge = self._brief if len(data) > _LONG else self._adapter
        if overlaps and not forbids:
            raise ValueError("pydantic cannot say whether a key was left out")
        if overlaps or (drops and forbids):
            try:
                return self._read(data, context, judge, extra="forbid"), "none"
            except ValidationError:
                if overlaps:
                    raise
        value = self._read(data, context, judge)
        if (drops or self._target.may_rename(text)) and strays(plain.parse(data), self._target.root):
            raise ValueError("a key that is not declared may stand for one that is")
        return value, "dropped" if drops else "kept"

    def _read(
        self,
        data: str | bytes,
        context: Mapping[str, Any] | None,
        judge: SchemaValidator | TypeAdapter[T] | None = None,
        strict: bool = True,
        **options: Any,
    ) -> T:
        judge = self._adapter if judge is None else judge
        try:
            value: T = judge.validate_json(data, strict=strict, context=context, **options)
            return value
        except _STUMBLES as error:
            raise _StumbledError(f"a validator raised {type(error).__name__}: {error}") from error

    @cached_property
    def _brief(self) -> SchemaValidator | TypeAdapter[T]:
        """The same validator, which stops at the first item of a list that is wrong: no list of all that is, is made."""
        if not _REBUILDS:
            return self._adapter
        build: Any = SchemaValidator
        try:
            made: SchemaValidator = build(_stopping(self._adapter.core_schema), _use_prebuilt=False)
        except SchemaError:  # a part of the type that cannot be built a second time
            return self._adapter
        return made

    @cached_property
    def _target(self) -> Target:
        return Target(self._document)

    @cached_property
    def _overlaps(self) -> bool:
        return self._target.overlaps

    def validate_data(self, data: Any, context: Mapping[str, Any] | None) -> T:
        """See `Validator`."""
        from typedllm.schema.violations import shown

        text = json.dumps(data)
        brief = len(text) > _LONG and not self._speaks
        try:
            return self._read(text, context, self._brief if brief else None)
        except _StumbledError as error:
            structural = self._explainer.iter_issues(data)
            raise InvalidError(structural or [Issue("", "value", got=shown(data), message=str(error))]) from error
        except ValidationError as error:
            structural = self._explainer.iter_issues(data)
            refused = self._all_of(error, text, context) if brief and not structural else error
            if not structural and (value := self._unchanged(text, data, refused, context)) is not MISSING:
                return cast("T", value)
            raise InvalidError(self._issues(refused, data, structural)) from error

    def _all_of(self, error: ValidationError, text: str, context: Mapping[str, Any] | None) -> ValidationError:
        """An error that told the first item alone which is wrong, with all that are."""
        try:
            self._read(text, context)
        except ValidationError as whole:
            return whole
        return error

    def _unchanged(self, text: str, data: Any, error: ValidationError, context: Mapping[str, Any] | None) -> Any:
        """The value of data that strict JSON mode refuses though the document takes it, or `MISSING`.

        Some types have no strict JSON mode: it asks for an instance, which JSON cannot hold. What is written is taken
        when the value says, once more as JSON, exactly the same at the places that were refused.
        """
        places = {walk(row["loc"], data)[0] for row in error.errors(include_url=False, include_context=False)}
        try:
            value = self._read(text, context, strict=False)
            again = json.loads(self.dump(value))
        except ValueError:
            return MISSING
        return value if _says_the_same(data, again, places) else MISSING

    def _issues(self, error: ValidationError, data: Any, structural: Sequence[Issue]) -> list[Issue]:
        """What is wrong, in the words of the document, and then in those of validators in code.

        pydantic reports every arm of a union that failed; the document tells which one was meant.
        """
        from typedllm.schema.violations import shown

        if structural and not self._speaks:
            return list(structural)  # a list of all that pydantic refuses may be long
        rows = error.errors(include_url=False)
        spoken: dict[tuple[str, str], Issue] = {}
        for row, said in zip(rows, map(_own_words, rows), strict=True):
            if said is not None:
                path, value = walk(row["loc"], data)
                spoken[path, said] = Issue(path, "value", got=shown(value), message=said)
        if structural or spoken:
            return [*structural, *spoken.values()]
        row, path, value = max(((row, *walk(row["loc"], data)) for row in rows), key=lambda each: each[1].count("/"))
        return [Issue(path, row["type"], got=shown(value), message=row["msg"])]

    @cached_property
    def _speaks(self) -> bool:
        """Whether code of somebody else may find a value wrong, in words of its own."""
        return _runs_code(self._adapter.core_schema)

    @cached_property
    def _swallows(self) -> bool:
        """Whether an error in a part may be passed over, so that no key can be forbidden that may stand there."""
        return _has_fallback(self._adapter.core_schema)

    @cached_property
    def _explainer(self) -> Loaded:
        from typedllm.schema.documents import load  # jsonschema comes with it: imported when something is wrong

        return load(self._document, formats=False)

    def dump(self, value: Any) -> str:
        """See `Validator`."""
        return written(value, self._adapter)


class DocumentValidator:
    """Judges by a JSON Schema document; the value is the data itself."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    @cached_property
    def _target(self) -> Target:
        return Target(self._loaded.document)

    def validate_text(self, text: str, context: Mapping[str, Any] | None) -> tuple[JsonValue, Undeclared]:  # noqa: ARG002
        """See `Validator`."""
        data: JsonValue = plain.parse(text.encode())
        if not self._loaded.is_valid(data):
            raise ValueError("it is not of the declared type")  # what is wrong is told of what is aligned
        if self._target.may_rename(text) and strays(data, self._target.root, kept=True):
            raise ValueError("a key that is not declared may stand for one that is")
        return data, "kept"

    def validate_data(self, data: Any, context: Mapping[str, Any] | None) -> JsonValue:  # noqa: ARG002
        """See `Validator`."""
        issues = self._loaded.iter_issues(data)
        if issues:
            raise InvalidError(issues)
        valid: JsonValue = data
        return valid

    def dump(self, value: Any) -> str:
        """See `Validator`."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _says_the_same(data: Any, again: Any, places: Iterable[str]) -> bool:
    """Whether two documents are equal at these places, and of one kind wherever both say something."""
    same = {place: (at(data, place), at(again, place)) for place in places}
    if any(MISSING in pair or not _equal(*pair) for pair in same.values()):
        return False
    pairs: list[tuple[Any, Any]] = [(data, again)]
    while pairs:
        one, other = pairs.pop()
        if is_object(one) and is_object(other):
            pairs += [(value, other[key]) for key, value in one.items() if key in other]
        elif is_list(one) and is_list(other):
            pairs += zip(one, other, strict=False)
        elif _kind(one) is not _kind(other):
            return False
    return True


def _equal(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _kind(value: object) -> type[object]:
    return float if type(value) is int else type(value)


def _stopping(node: Any) -> Any:
    """A part of a core schema that says the same, and stops at the first item of a list that is wrong."""
    if is_object(node):
        is_part = isinstance(node.get("type"), str)
        kept = _SILENT | _DATA if is_part else frozenset[str]()
        made = {key: value if key in kept else _stopping(value) for key, value in node.items()}
        return {**made, "fail_fast": True} if is_part and made["type"] in _LISTS else made
    if is_list(node):
        return [_stopping(part) for part in node]
    return tuple(_stopping([*node])) if type(node) is tuple else node


def _runs_code(node: object) -> bool:
    """Whether a part of a core schema calls a function that is not pydantic's."""
    return _has(node, lambda part: any(part.get(key) for key in _CALLED) or any(map(_is_function, part.values())))


def _has_fallback(node: object) -> bool:
    """Whether a part of a core schema has something else to give where its data is not valid."""
    return _has(node, lambda part: part["type"] == "function-wrap" or part.get("on_error", "raise") != "raise")


def _has(node: object, says: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Whether this is so of a part of a core schema; what has no type holds parts by names of somebody's choice."""
    if is_object(node):
        is_part = isinstance(node.get("type"), str)
        if is_part and says(node):
            return True
        return any(_has(part, says) for key, part in node.items() if not (is_part and key in _SILENT))
    return isinstance(node, (list, tuple)) and any(_has(part, says) for part in cast("Iterable[object]", node))


def _is_function(value: object) -> bool:
    return callable(value) and not isinstance(value, type)


def _own_words(row: Any) -> str | None:
    """The message of a validator in code; None for a rule of pydantic's own."""
    if row["type"] in ("value_error", "assertion_error"):
        return str(row["msg"]).partition(", ")[2]
    return None if row["type"] in _core_types() else str(row["msg"])


@cache
def _core_types() -> frozenset[str]:
    return frozenset(get_args(ErrorType))


def walk(location: Iterable[str | int], data: Any) -> tuple[str, Any]:
    """The JSON Pointer of a pydantic location, and what stands there.

    Segments that do not lead anywhere in the document (union tags, names of validators) are left out; a last
    segment that names a missing key is kept.
    """
    path: list[str | int] = []
    value = data
    segments = list(location)
    for index, segment in enumerate(segments):
        below = child(value, segment)
        if below is MISSING and not (is_object(value) and index == len(segments) - 1):
            continue
        path.append(segment)
        value = below
    return pointer(path), value


def child(value: object, segment: str | int) -> Any:
    """What stands below a JSON value, or `MISSING`."""
    try:
        return cast("Any", value)[segment] if isinstance(value, (dict, list)) else MISSING
    except (KeyError, IndexError, TypeError):
        return MISSING


def pointer(path: Iterable[str | int]) -> str:
    """The JSON Pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
