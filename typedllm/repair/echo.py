"""The made-up content of an example that a model gives for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from typedllm import prompts
from typedllm.records import Issue, Message, Reading, Request
from typedllm.repair.calls import Call
from typedllm.schema.instances import PLACEHOLDER
from typedllm.schema.walk import is_list, is_object
from typedllm.validation import pointer

__all__ = ["echoes"]

_WRITTEN: Final = f'"{PLACEHOLDER}"'


def echoes(call: Call[Any], request: Request, reading: Reading[Any]) -> list[Issue]:
    """The texts that can have come from nowhere but an example that this side made up and showed.

    Weak models copy it: with the embedded model every repair that an example made valid was such a copy.

    Args:
        call: the call; where anything that its caller wrote has the same text, nothing is said.
        request: what was asked.
        reading: of the answer.
    """
    if not any(_WRITTEN in message.text for message in request.messages):
        return []
    found = [Issue(place, "echo", got=_WRITTEN, message=prompts.ECHO) for place in _places(reading.data, ())]
    return [] if found and any(PLACEHOLDER in text for text in _own(call)) else found


def _places(data: object, path: tuple[str | int, ...]) -> Iterator[str]:
    if data == PLACEHOLDER:
        yield pointer(path)
    elif is_object(data):
        for key, value in data.items():
            yield from _places(value, (*path, key))
    elif is_list(data):
        for index, value in enumerate(data):
            yield from _places(value, (*path, index))


def _own(call: Call[Any]) -> Iterator[str]:
    """What the caller wrote."""
    settings, schema = call.settings, call.schema
    yield from (call.task.text, settings.system, schema.typescript())
    yield from (message.text for message in settings.history)
    for asked, value in settings.examples:
        yield asked.text if isinstance(asked, Message) else asked
        yield schema.dump(value)
