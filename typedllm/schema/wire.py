"""A type in the shape that a service accepts as a native schema, and the way back.

What is rewritten, where the service demands it: a property that may be left out becomes required and may be null, and
null is read back as absent; a map becomes a list of `{key, value}`; a tuple an object `item_0`, `item_1`, ...; a part
that may be anything JSON text in a string; `oneOf` becomes `anyOf`; a root that is no object stands in `{"value": ...}`;
arms of a union that could not be told apart on the way back stand in an object of one key each. Rules that cannot be
sent are told in the description, and validated all the same. A property with one possible value comes first, so that a
model says which arm it writes before it writes it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

from typedllm.records import Issue, JsonSchema
from typedllm.schema.accepts import Accepts
from typedllm.schema.build import HINTS, strip_hints
from typedllm.schema.codecs import SAME, Codec, Trail, step
from typedllm.schema.measures import too_large
from typedllm.schema.rewriting import FURTHER_KEYS, Loss, Rewriting
from typedllm.schema.walk import is_object, walk

_KEYS: Final = "propertyNames"  # few decoders take it, and pydantic writes keys that are numbers as no text can be


@dataclass(frozen=True, slots=True)
class Wire:
    """What is sent for a type.

    Attributes:
        schema: the schema that is sent; its bytes depend on the type and on what the service accepts alone.
        losses: what it does not say.
        reasons: why the service would not take it; empty when it fits.
        is_same: whether values have the same shape as those of the user's type.
        only_nulls: whether they differ at most in nulls for properties that are absent.
        codec: writes and reads them.
        strict: whether strict decoding is asked for.
    """

    schema: JsonSchema
    losses: tuple[Loss, ...]
    reasons: tuple[str, ...]
    is_same: bool
    only_nulls: bool
    codec: Codec
    strict: bool = True

    @property
    def fits(self) -> bool:
        """Whether the service takes the schema."""
        return not self.reasons

    def encode(self, value: Any) -> Any:
        """A JSON value of the user's type as the service has it written."""
        return self.codec.encode(value)

    def decode(self, value: Any) -> Any:
        """The JSON value that was meant by what was written; what lacks its shape comes back as it is."""
        return self.decode_with_notes(value)[0]

    def decode_with_notes(self, value: Any) -> tuple[Any, Trail]:
        """The same, with keys that stand twice in a map (the last one is taken), and where each part went."""
        trail = Trail()
        return self.codec.decode(value, trail, "", ""), trail

    def issues(self, value: Any) -> tuple[Issue, ...]:
        """What is wrong with the shape of what was written, beyond what validation of the decoded value finds."""
        return tuple(self.decode_with_notes(value)[1].issues)


def to_wire(document: JsonSchema, accepts: Accepts) -> Wire:
    """The wire schema of a type.

    Args:
        document: the type, in the form that the package works on (`Schema.document`).
        accepts: what the service accepts.

    Returns:
        The schema with its codec. It never fails: what cannot be sent is in `losses`, and a schema that the service
        would not take has `reasons`.
    """
    wire = _rewritten(document, accepts)
    if accepts.tries and not (wire.fits and wire.is_same and all(loss.what == FURTHER_KEYS for loss in wire.losses)):
        losses = (
            Loss("".join(map(step, path)), _KEYS) for path, node in walk(document) if is_object(node) and _KEYS in node
        )
        return Wire(strip_hints(document, HINTS | {_KEYS}), tuple(losses), (), True, True, SAME, strict=False)
    return wire


def _rewritten(document: JsonSchema, accepts: Accepts) -> Wire:
    rewriting = Rewriting(document, accepts)
    schema, codec = rewriting.run()
    if collisions := rewriting.collisions():
        rewriting = Rewriting(document, accepts, collisions)
        schema, codec = rewriting.run()
    reasons = (*rewriting.reasons, *too_large(schema, accepts.limits))
    is_same, only_nulls = not codec.changes(set()), not codec.changes(set(), nulls=False)
    return Wire(schema, tuple(rewriting.losses), tuple(dict.fromkeys(reasons)), is_same, only_nulls, codec)


def wire_key(accepts: Accepts) -> Hashable:
    """The key under which a type keeps its wire schema."""
    return "wire", accepts
