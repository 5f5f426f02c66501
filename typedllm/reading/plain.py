"""Strict JSON, in which no object has a key twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any


def parse(data: bytes) -> Any:
    """The data of a JSON text in UTF-8, as `json.loads` gives it.

    Raises:
        ValueError: it is not JSON, has NaN or infinity, half of a surrogate pair or a key twice in one object, or is
            nested more than some 200 levels deep.
    """
    return _parser()(data, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys")


def json_end(text: str, start: int = 0) -> int:
    """Where the JSON value that begins here ends; -1 when it is not JSON."""
    try:
        return json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return -1


@cache
def _parser() -> Callable[..., Any]:
    from jiter import from_json  # it comes with the client of OpenAI: imported at the first reply

    return from_json
