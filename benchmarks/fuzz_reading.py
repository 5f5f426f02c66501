"""Coverage-guided fuzzing of the reader with atheris (not a dependency: install it for this).

    python benchmarks/fuzz_reading.py -max_total_time=120 -max_len=400

Held on every text: no exception but the documented ones, the same outcome in pieces of any size, and a value without
fixes only where a strict parser reads the same.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["typedllm.reading"]):
    from typedllm import Schema

ANY: Schema[Any] = Schema(Any)
USERS: Schema[Any] = Schema.from_json_schema(
    {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "size": {"enum": ["S", "L"]}, "age": {"type": "integer"}},
            "required": ["name"],
        },
    }
)


def one(data: bytes) -> None:
    """Reads one text whole and in pieces."""
    provider = atheris.FuzzedDataProvider(data)
    size = provider.ConsumeIntInRange(1, 9)
    text = provider.ConsumeUnicodeNoSurrogates(400)
    for schema in (ANY, USERS):
        whole = schema.read(text)
        reader = schema.reader()
        for at in range(0, len(text), size):
            reader.feed(text[at : at + size])
        pieces = reader.close()
        assert (whole.ok, whole.fixes, whole.issues) == (pieces.ok, pieces.fixes, pieces.issues)
        assert whole.ok or whole.issues
        if whole.ok:
            assert repr(whole.value) == repr(pieces.value)
        if whole.ok and not whole.fixes:
            assert repr(json.loads(text)) == repr(whole.value)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
