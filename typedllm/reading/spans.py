"""Spans, fixes and candidates that are worked out when somebody asks for one: most callers never do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar, overload

from typedllm.records import Span

T = TypeVar("T")


class LazySpans(Mapping[str, Span]):
    """JSON Pointer to where its value stands in the text.

    Args:
        work_out: gives the whole mapping.
    """

    def __init__(self, work_out: Callable[[], dict[str, Span]]) -> None:
        self._work_out = work_out
        self._found: dict[str, Span] | None = None

    def _all(self) -> dict[str, Span]:
        if self._found is None:
            self._found = self._work_out()
        return self._found

    def __getitem__(self, pointer: str) -> Span:
        return self._all()[pointer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __reduce__(self) -> tuple[type[dict[str, Span]], tuple[dict[str, Span]]]:
        return dict, (dict(self._all()),)  # a copy is for another process or a cache: it holds what was worked out

    def __repr__(self) -> str:
        return repr(self._all())


class LazyTuple(Sequence[T]):
    """Fixes or candidates, in the order of the text; equal to a tuple of the same.

    Args:
        work_out: gives all of them.
    """

    def __init__(self, work_out: Callable[[], tuple[T, ...]]) -> None:
        self._work_out: Callable[[], tuple[T, ...]] | None = work_out
        self._found: tuple[T, ...] = ()

    def _all(self) -> tuple[T, ...]:
        if (work_out := self._work_out) is not None:
            self._found, self._work_out = work_out(), None
        return self._found

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == tuple(other) if isinstance(other, (LazyTuple, tuple)) else NotImplemented  # pyright: ignore[reportUnknownArgumentType]  # of whatever type

    def __hash__(self) -> int:
        return hash(self._all())

    def __reduce__(self) -> tuple[type[tuple[T, ...]], tuple[tuple[T, ...]]]:
        return tuple, (self._all(),)  # see `LazySpans`

    def __repr__(self) -> str:
        return repr(self._all())
