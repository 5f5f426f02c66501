"""Reading in pieces, part by part: what a stream shows is found so, and must end in what the whole reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from typedllm.declared import Schema
from typedllm.reading.extract import Extractor
from typedllm.records import FinishReason, Policy, Result


class Piecewise:
    """A reader like that of `Schema.reader`, which reads each piece as it comes.

    Args:
        schema: the declared type.
        policy, allow, context: see `Schema.read`.
    """

    def __init__(
        self,
        schema: Schema[Any],
        policy: Literal["strict", "safe", "lenient"] = "safe",
        *,
        allow: Iterable[str] = (),
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self._schema = schema
        self._policy = Policy.of(policy, allow)
        self._context = context
        self._extractor = Extractor(schema.target)

    def feed(self, text: str) -> None:
        """Takes the next piece."""
        self._extractor.feed(text)

    def close(self, finish_reason: FinishReason | None = None) -> Result[Any]:
        """Ends the reply; what is valid as it stands has no other reading."""
        schema, text = self._schema, self._extractor.text
        self._extractor.close()
        reading = schema._valid(text, finish_reason, self._policy, self._context)
        reading = reading or schema._examination(finish_reason, self._policy, self._context).conclude(self._extractor)
        return schema._result(reading, text, finish_reason)
