"""`Schema[T]`: the declared output type in one object, however it was declared."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar, cast

from typing_extensions import TypeForm

from typedllm.errors import RepairError, TypedLLMError
from typedllm.reading.allow import check_allowed
from typedllm.reading.converted import converted, may_convert
from typedllm.reading.envelopes import ARGUMENTS
from typedllm.reading.examine import Examination, spans_of
from typedllm.reading.fixes import known
from typedllm.reading.leaves import may_lose_digits
from typedllm.reading.packed import unpacked
from typedllm.reading.pieces import ReplyReader
from typedllm.reading.spans import LazySpans, LazyTuple
from typedllm.reading.target import Target
from typedllm.records import (
    MISSING,
    Attempt,
    FinishReason,
    Fix,
    Issue,
    JsonSchema,
    JsonValue,
    Policy,
    Reading,
    Reply,
    Result,
    Usage,
)
from typedllm.schema import subschema
from typedllm.schema.build import Built, build, strip_hints
from typedllm.schema.names import identifier
from typedllm.schema.parts import part_type
from typedllm.schema.typescript import render
from typedllm.schema.walk import is_object, walk
from typedllm.validation import DocumentValidator, InvalidError, PydanticValidator, Validator

if TYPE_CHECKING:
    from typedllm.schema.accepts import Accepts
    from typedllm.schema.findings import Finding

T = TypeVar("T")
_NO_USAGE: Final = Usage()
Made = TypeVar("Made")


class Schema(Generic[T]):
    """The declared output type.

    Args:
        type: any type that pydantic validates: a model, a dataclass, a `TypedDict`, a union, `list[...]`,
            `Literal[...]`, an enum, a scalar, `Annotated[...]` of these.

    Raises:
        SchemaError: the type, or a part of it, cannot be rendered or validated; every such part is listed.
    """

    def __init__(self, type: TypeForm[T]) -> None:  # noqa: A002  # the word of the domain
        self._take(build(type))

    def _take(self, built: Built[T]) -> None:
        self._built: Built[T] | None = built
        self._kept = built.kept
        self._type: Any = built.declared
        self._name = built.name
        self._document = built.document
        self._validator: Validator[T] = self.once("validator", lambda: PydanticValidator(built))

    @classmethod
    def from_json_schema(
        cls, document: Mapping[str, Any] | bool | str | Path, *, formats: bool = True
    ) -> Schema[JsonValue]:
        """A JSON Schema document as the declared type; the value is plain JSON, and `jsonschema` validates it.

        Args:
            document: the document (draft 2020-12, 2019-09 or 7), or the path of a file that holds it.
            formats: whether `format` is held against texts; False: it tells the model and checks nothing.

        Raises:
            SchemaError: it cannot be used; every problem is listed, with its JSON Pointer.
        """
        from typedllm.schema.documents import load  # a part of the package that Python types do without

        loaded = load(document, formats=formats)
        check_allowed(loaded.document)
        title = loaded.document.get("title")
        schema = cast("Schema[JsonValue]", object.__new__(cls))
        schema._kept = {}
        schema._type = MISSING
        schema._name = identifier(title) if isinstance(title, str) else "Reply"
        schema._document = loaded.document
        schema._validator = DocumentValidator(loaded)
        schema._built = None
        return schema

    def current(self) -> Schema[T]:
        """This, or the same with the words of now when a runtime vocabulary in it was refreshed; each call asks."""
        if self._built is None or (fresh := self._built.fresh()) is self._built:
            return self
        schema: Schema[T] = object.__new__(type(self))
        schema._take(fresh)
        return schema

    @property
    def name(self) -> str:
        """How the root type is called in the prompt."""
        return self._name

    @property
    def document(self) -> JsonSchema:
        """The JSON Schema that the package works on, hints included. Do not change it."""
        return self._document

    @property
    def is_text(self) -> bool:
        """Whether the type is plain text: then the reply itself is the value, and no JSON is asked for."""
        return self._document.get("type") == "string" and not self._document.keys() & {"enum", "const", "format"}

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What is made of this type once, and found again by every `Schema` of it.

        Args:
            key: what it is; there are few of them.
            make: makes it. Threads that come at the same moment may each do so: all get the same one.
        """
        found: Made | None = self._kept.get(key)
        return self._kept.setdefault(key, make()) if found is None else found

    @cached_property
    def target(self) -> Target:
        """The type as the reader knows it."""
        return self.once("target", lambda: Target(self._document, drops_keys=self._type is not MISSING))

    def part(self, pointer: str) -> Schema[Any] | None:
        """The type of a part of the value.

        Args:
            pointer: JSON Pointer of the part.

        Returns:
            Its schema; None where the type does not say what stands there, or says several things.
        """
        steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
        key = ("part", *("0" if step.isdecimal() else step for step in steps))
        return self.once(key, lambda: self._part(steps))

    def _part(self, steps: tuple[str, ...]) -> Schema[Any] | None:
        if self._type is MISSING:
            return self._part_of_document(steps)
        found = part_type(self._type, steps)
        return None if found is MISSING else Schema(found)

    def _part_of_document(self, steps: tuple[str, ...]) -> Schema[Any] | None:
        pointer = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
        found = subschema.part(self._document, pointer, MISSING)
        if found is None:
            return None
        made = subschema.assemble(self._document, {"part": subschema.Member(found, True)})
        node = made["properties"]["part"]
        return Schema.from_json_schema({**node, "$defs": made.get("$defs", {})} if isinstance(node, dict) else node)

    def typescript(self, *, compact: bool = False) -> str:
        """The type as TypeScript, as the prompt shows it.

        Args:
            compact: one line a type, rather than four spaces of indentation.
        """
        return self.once(("typescript", compact), lambda: render(self._document, self._name, compact=compact))

    def json_schema(self) -> JsonSchema:
        """The type as a JSON Schema document (draft 2020-12); a copy, to be changed at will."""
        return strip_hints(self.plain)

    @property
    def plain(self) -> JsonSchema:
        """What `json_schema` gives a copy of. Do not change it."""
        return self.once("plain", lambda: strip_hints(self._document))

    def lint(self, accepts: Accepts | None = None) -> tuple[Finding, ...]:
        """What the type could do better before a model is asked; empty when there is nothing to say.

        Args:
            accepts: what the service accepts that is to be asked, such as `schema.accepts.OPENAI`; what its native
                schema cannot say is a finding too.

        Returns:
            The findings, each with its pointer into `json_schema()` and its mend.
        """
        from typedllm.schema.lint import lint

        return self.once(("lint", accepts), lambda: lint(self._document, self._name, accepts))

    def dump(self, value: T) -> str:
        """A value of the type as the JSON that a model would write for it."""
        return self._validator.dump(value)

    def check_value(self, value: T) -> None:
        """See that a value of the type would pass as a reply: it is dumped and validated.

        Raises:
            RepairError: it would not.
        """
        self.validate(json.loads(self.dump(value))).value  # noqa: B018  # raises

    def validate(self, data: Any, *, context: Mapping[str, Any] | None = None) -> Result[T]:
        """Judge plain JSON data; nothing is converted.

        Args:
            data: what `json.loads` gives.
            context: pydantic's validation context.

        Returns:
            The value, or the issues.
        """
        try:
            return Result(self._validator.validate_data(data, context))
        except InvalidError as error:
            return Result(None, _rejected(error.issues), issues=error.issues)

    def read(
        self,
        text: str,
        finish_reason: FinishReason | None = None,
        policy: Policy | Literal["strict", "safe", "lenient"] = "safe",
        *,
        allow: Iterable[str] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Result[T]:
        """Read a reply, without a model.

        Args:
            text: what the model wrote.
            finish_reason: why it stopped, when known; `"length"` tells a truncation from broken JSON.
            policy: which fixes are applied: `strict` packaging only, `safe` the lossless ones, `lenient` guesses too.
            allow: lossy kinds to apply on top, by name.
            context: pydantic's validation context.

        Returns:
            The value, or the issues; with the fixes, the spans and the candidates.
        """
        given = cast("object", text)
        if not isinstance(given, str):
            raise TypeError(f"a reply is text, not {type(text).__name__} (decode it; for data take Schema.validate)")
        reading = self.examine(text, finish_reason, Policy.of(policy, known(allow)), context)
        return self._result(reading, text, finish_reason)

    def reader(
        self,
        policy: Policy | Literal["strict", "safe", "lenient"] = "safe",
        *,
        allow: Iterable[str] = (),
        context: Mapping[str, Any] | None = None,
    ) -> ReplyReader[T]:
        """The same in pieces: `feed(text)` as the reply comes, then `close()`.

        The text is read when it is closed: as a whole, it is read faster than as it comes.

        Args:
            policy: which fixes are applied.
            allow: lossy kinds to apply on top, by name.
            context: pydantic's validation context.
        """
        permitted = Policy.of(policy, known(allow))

        def read(text: str, finish_reason: FinishReason | None) -> Result[T]:
            return self._result(self.examine(text, finish_reason, permitted, context), text, finish_reason)

        return ReplyReader(read)

    def _result(self, reading: Reading[T], text: str, finish_reason: FinishReason | None) -> Result[T]:
        reply = Reply(text, finish_reason, reasoning=reading.reasoning, usage=_NO_USAGE)
        attempt = Attempt("first", None, reply, reading.fixes, reading.issues)
        error: TypedLLMError | None = None if reading.status == "ok" else _rejected(reading.issues, (attempt,))
        return Result(
            reading.value, error, (attempt,), reading.fixes, reading.issues, reading.spans, reading.candidates
        )

    def examine(
        self, text: str, finish_reason: FinishReason | None, policy: Policy, context: Mapping[str, Any] | None
    ) -> Reading[T]:
        """What the loop asks of a reply: its reading, with the kind of failure."""
        reading = self._at_once(text, finish_reason, policy, context)
        return reading or self._examination(finish_reason, policy, context).read(text)

    def _at_once(
        self, text: str, finish_reason: FinishReason | None, policy: Policy, context: Mapping[str, Any] | None
    ) -> Reading[T] | None:
        """The reading of a reply that is valid without a look at its parts."""
        reading = self._valid(text, finish_reason, policy, context)
        if reading is None and self._may_be_valid(text, finish_reason) and not self._may_be_called(text):
            reading = self._unpacked(text, finish_reason, policy, context)
        return reading

    def _may_be_valid(self, text: str, finish_reason: FinishReason | None) -> bool:
        """Whether what the validator takes needs no closer look; a number at the token limit may have gone on."""
        if self.target.is_hollow or (finish_reason == "length" and text.rstrip()[-1:].isdigit()):
            return False
        return not (self._has_decimals and may_lose_digits(text))

    def _may_be_called(self, text: str) -> bool:
        """Whether a key that the type leaves out may be that of the arguments of a tool call."""
        return self.target.may_be_called and any(f'"{key}"' in text for key in ARGUMENTS)

    def _valid(
        self, text: str, finish_reason: FinishReason | None, policy: Policy, context: Mapping[str, Any] | None
    ) -> Reading[T] | None:
        """The reading of a reply that is valid as it stands, but for keys that the type leaves out."""
        if not self._may_be_valid(text, finish_reason):
            return None
        try:
            value, undeclared = self._validator.validate_text(text, context)
        except ValueError:
            return None
        if undeclared != "none" and self._may_be_called(text):
            return None
        if undeclared != "dropped":
            return Reading("ok", value, lambda: json.loads(text), spans=LazySpans(lambda: spans_of(text, self.target)))
        told = self._told_later(value, text, text, policy, finish_reason)
        return replace(told, fixes=LazyTuple(lambda: tuple(fix for fix in told.fixes if fix.kind == "extra_key")))

    def _unpacked(
        self, text: str, finish_reason: FinishReason | None, policy: Policy, context: Mapping[str, Any] | None
    ) -> Reading[T] | None:
        """The reading of a reply that is valid but for what is told when somebody asks: its packaging, its syntax, and
        parts that stand for others of the declared type.
        """
        whole = text.strip()  # is not valid
        converts = not self.target.root.free and may_convert(text, policy)
        for inner in unpacked(text, "syntax" in policy.tiers):
            if len(inner) != len(whole) or inner != whole:
                with suppress(ValueError):
                    value, _ = self._validator.validate_text(inner, context)
                    told = self._told_later(value, inner, text, policy, finish_reason)
                    return replace(told, fixes=LazyTuple(partial(_around, told.fixes)))
            if not converts:
                continue
            with suppress(ValueError):
                made = converted(inner, self.target.root, policy)
                if made is None:
                    return None  # it is JSON: there is no syntax to mend
                value, _ = self._validator.validate_text(made, context)
                return self._told_later(value, made, text, policy, finish_reason)
        return None

    def _told_later(
        self, value: T, inner: str, text: str, policy: Policy, finish_reason: FinishReason | None
    ) -> Reading[T]:
        """The reading of a value that is known: its fixes, spans and candidates are worked out for who asks for them."""

        def settled(_data: Any, _text: str | None) -> tuple[T, tuple[Issue, ...]]:
            return value, ()

        closely = cache(lambda: Examination(self.target, settled, policy, finish_reason).read(text))
        return Reading(
            "ok",
            value,
            lambda: json.loads(inner),
            fixes=LazyTuple(lambda: tuple(closely().fixes)),
            spans=LazySpans(lambda: dict(closely().spans)),
            candidates=LazyTuple(lambda: tuple(closely().candidates)),
        )

    @cached_property
    def _has_decimals(self) -> bool:
        """Whether a number of the type holds more digits than JSON numbers commonly do."""
        return self.once(
            "decimals",
            lambda: any(is_object(node) and node.get("x-type") == "decimal" for _, node in walk(self._document)),
        )

    def _examination(
        self, finish_reason: FinishReason | None, policy: Policy, context: Mapping[str, Any] | None
    ) -> Examination[T]:
        def judge(data: Any, text: str | None) -> tuple[T | None, tuple[Issue, ...]]:
            if text is not None:
                with suppress(ValueError):
                    return self._validator.validate_text(text, context)[0], ()
            try:
                return self._validator.validate_data(data, context), ()
            except InvalidError as error:
                return None, error.issues

        return Examination(self.target, judge, policy, finish_reason)


def _around(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
    """The fixes that convert no data: a validator in code has seen it as it stands, and made of it what it would."""
    tiers, kinds = ("packaging", "syntax"), ("extra_key", "field_name")
    return tuple(fix for fix in fixes if fix.tier in tiers or fix.kind in kinds)


def _rejected(issues: tuple[Issue, ...], attempts: tuple[Attempt, ...] = ()) -> RepairError:
    more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
    first = issues[0] if issues else "nothing is said"
    return RepairError(f"the data is not valid: {first}{more}", issues=issues, attempts=attempts)
