"""What both kinds of stream share: the accounts, the judging of parts, the throttle."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar, get_args

from typedllm import prompts
from typedllm.declared import Schema
from typedllm.models import ChatModel
from typedllm.options import Settings
from typedllm.records import MISSING, Issue, Message, Result, Usage
from typedllm.repair import Call, Step
from typedllm.repair.calls import Mended
from typedllm.repair.feedback import lines
from typedllm.repair.patch import compact
from typedllm.schema.walk import is_list
from typedllm.streaming.core import Core, Stopped
from typedllm.streaming.parts import Items, Rejected
from typedllm.streaming.snapshots import Snapshot

T = TypeVar("T")

END: Final[Any] = object()
"""Where a stream has nothing more to show."""

OnInvalidItem: TypeAlias = Literal["repair", "skip"]


@dataclass(frozen=True, slots=True)
class Driver:
    """What a stream needs of its client.

    Attributes:
        models: the ladder.
        perform: does a step of the loop; gives something to await in an async client.
        prepare: makes the call of a user message.
        drive: runs a call; gives something to await in an async client.
    """

    models: tuple[ChatModel, ...]
    perform: Callable[[Step], Any]
    prepare: Callable[[Message, Schema[Any], Settings], Call[Any]]
    drive: Callable[[Call[Any]], Any]


class BaseStream(Generic[T]):
    """What both kinds of stream share."""

    def __init__(self, call: Call[T], driver: Driver) -> None:
        self._core = Core(call)
        self._driver = driver
        self._rejected: list[Rejected] = []
        self._source: Any = None  # the generator of all that is shown
        self._left = False

    def __getattr__(self, name: str) -> Any:
        if name == "_snapshots":
            raise RuntimeError("the stream was not entered (write `with client.stream(...) as stream:`)")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """Items that `items(..., on_invalid="skip")` left out."""
        return tuple(self._rejected)

    @property
    def invalid(self) -> tuple[Issue, ...]:
        """Issues of closed parts that were met while the reply came, with `on_invalid` `"warn"` or `"stop"`."""
        return tuple(self._core.invalid)

    @property
    def stopped(self) -> Stopped | None:
        """Where `on_invalid="stop"` cut the reply, and once there is a value what that kept; None: it did not."""
        return self._core.stopped

    @property
    def usage(self) -> Usage:
        """What the stream cost so far: repairs of single items, and the call itself once it has ended or was left."""
        result = self._core.result
        parts = (attempt.usage for part in self._core.call.mended for attempt in part.attempts)
        return sum(parts, result.usage if result is not None else Usage())

    def _enter(self, source: Any) -> None:
        if self._source is not None:
            raise RuntimeError("a stream is entered once (call stream() again for another)")
        self._source = source

    @property
    def _snapshots(self) -> Any:
        """What is left to be shown.

        Raises:
            RuntimeError: the stream was not entered, or is being taken elsewhere.
        """
        source = self._source
        if source is None:
            word = "async with" if hasattr(self, "__aenter__") else "with"
            raise RuntimeError(f"the stream has not begun (use it in a block: `{word} ....stream(...) as stream:`)")
        if getattr(source, "gi_running", False) or getattr(source, "ag_running", False):
            raise RuntimeError("the stream is being taken by another thread or task (let one of them take it)")
        return source

    def _open(self) -> Any:
        """The same, for one who wants each snapshot."""
        if self._left:
            raise RuntimeError("the stream is closed (take its snapshots inside the block)")
        return self._snapshots

    def _ended(self) -> Result[T]:
        if self._core.result is None:
            raise RuntimeError("the stream is closed (take its items and its result inside the block)")
        return self._core.result

    def _raise_unless_complete(self) -> None:
        error = self._ended().error
        if error is not None and not self._rejected and getattr(error, "code", "") != "unkept":
            raise error

    def _part(self, pointer: str, type_: Any) -> Schema[Any]:
        if type_ is not None:
            return Schema(type_)
        schema = self._core.call.schema.part(pointer)
        if schema is None:
            raise ValueError(f"the declared type does not say what stands at {pointer!r} (give the type of the part)")
        return schema

    def _item(self, pointer: str, type_: Any, on_invalid: str) -> Schema[Any]:
        """What the items of a list are declared to be."""
        if on_invalid not in get_args(OnInvalidItem):
            raise ValueError(f"unknown on_invalid: {on_invalid!r} (use one of {', '.join(get_args(OnInvalidItem))})")
        target = self._core.call.schema.target
        declared = target.at(pointer) if pointer else target.root
        if declared is not None and "array" not in declared.kinds:
            raise ValueError(f"the declared type has no list at {pointer!r} (for another part: closed())")
        return self._part(f"{pointer}/0", type_)

    def _so_far(self, items: Items) -> list[Any] | None:
        """The items that have closed already."""
        listed = self._core.part(items.pointer, growing=True)
        return listed if is_list(listed) else None

    def _lacking(self, pointer: str) -> KeyError:
        self._raise_unless_complete()
        return KeyError(f"{pointer}: the reply ended without it")

    def _judge(self, schema: Schema[Any], data: Any) -> Result[Any]:
        return schema.validate(data, context=self._core.call.settings.context)

    def _mend(self, schema: Schema[Any], data: Any, result: Result[Any]) -> Call[Any]:
        """The call that asks for one item again, on its own."""
        call = self._core.call
        (task,) = prompts.append((call.task,), prompts.item_repair(compact(data), lines(result.issues)))
        return self._driver.prepare(task, schema, replace(call.settings, checks=(), examples=()))

    def _forget(self, items: Items) -> None:
        if not items.keep and not items.ended:
            items.gone = self._core.forget(items.pointer)

    def _settled(
        self, items: Items, schema: Schema[Any], data: Any, result: Result[Any], mended: Result[Any] | None
    ) -> bool:
        """Take note of an item; whether it is handed out."""
        if mended is not None:
            self._core.call.mended.append(self._part_mended(items, schema, data, mended))
        elif result.ok:
            items.given(data)
        else:
            self._rejected.append(Rejected(items.count - 1, data, result.issues))
        return result.ok or mended is not None

    def _part_mended(self, items: Items, schema: Schema[Any], data: Any, mended: Result[Any]) -> Mended:
        place = f"{items.pointer}/{items.count - 1}"
        if not items.keep or not mended.ok:
            return Mended(place, MISSING, MISSING, mended.attempts)
        return Mended(place, data, json.loads(schema.dump(mended.value)), mended.attempts)


class Throttle:
    """Lets a snapshot through at most every so many seconds; what is held back is in the next one."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last = float("-inf")
        self._held: Snapshot | None = None

    def take(self, snapshot: Snapshot) -> Snapshot | None:
        """The snapshot to show now, if any."""
        if not self._seconds:
            return snapshot
        self._held = snapshot.since(self._held)
        if self._clock() - self._last < self._seconds:
            return None
        return self.rest()

    def rest(self) -> Snapshot | None:
        """The snapshot that is held back."""
        held, self._held = self._held, None
        self._last = self._clock()
        return held
