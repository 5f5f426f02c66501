"""Spans that are worked out when somebody asks for one: most callers never do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from typedllm.records import Span


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
