"""A chat model that says what a test tells it to say."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from threading import Lock
from typing import TypeAlias, cast

from typedllm.errors import ModelError
from typedllm.models.chunks import join, split
from typedllm.records import Chunk, Reply, Request
from typedllm.schema.profiles import PROMPT_ONLY, Profile

__all__ = ["Answer", "ScriptedModel", "Step"]

Answer: TypeAlias = "str | Reply | Exception | Sequence[str | Chunk | Exception]"
Step: TypeAlias = "Answer | Callable[[Request], Answer | Awaitable[Answer]]"


class ScriptedModel:
    """A `ChatModel` for tests: one step of the script for each request, in order, from any thread or event loop.

    A step is a text, a `Reply`, an exception (raised), a sequence of pieces (streamed as they stand; an exception
    among them cuts the stream there), or a function of the `Request` that returns one of these. A coroutine function
    serves as well, with clients that await.

    >>> model = ScriptedModel(['{"size": "huge"}', '{"size": "tall"}'])

    Attributes:
        requests: what was asked, oldest first.
    """

    def __init__(
        self,
        script: Iterable[Step],
        *,
        name: str = "scripted",
        profile: Profile = PROMPT_ONLY,
        chunk_sizes: Sequence[int] = (8,),
    ) -> None:
        """Write the script.

        Args:
            script: the steps. An endless iterator never runs out.
            name: how the model is called in results and errors.
            profile: what the model claims to accept.
            chunk_sizes: lengths, in characters, of the pieces in which a text is streamed; the last is used again
                until the text ends.
        """
        if isinstance(script, str):
            raise TypeError("a script is a list of steps (for one reply write ScriptedModel([text]))")
        self.requests: list[Request] = []
        self._script = iter(script)
        self._name = name
        self._profile = profile
        self._sizes = tuple(chunk_sizes) or (8,)
        self._said = 0
        self._lock = Lock()

    @property
    def name(self) -> str:
        """How the model is called."""
        return self._name

    @property
    def profile(self) -> Profile:
        """What the model claims to accept."""
        return self._profile

    def __repr__(self) -> str:
        return f"ScriptedModel(name={self._name!r}, requests={len(self.requests)})"

    def complete(self, request: Request, /) -> Reply:
        """Say the next step.

        Raises:
            ModelError: the script is at its end (`code="unrecorded"`).
            Exception: the step is this exception.
        """
        return self._whole(self._blocking(request))

    async def acomplete(self, request: Request, /) -> Reply:
        """The same; a step that is a coroutine function is awaited."""
        return self._whole(await self._awaited(request))

    def stream(self, request: Request, /) -> Iterator[Chunk]:
        """Say the next step in pieces."""
        yield from self._pieces(self._blocking(request))

    async def astream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """The same; a step that is a coroutine function is awaited."""
        for chunk in self._pieces(await self._awaited(request)):
            yield chunk

    def _next(self, request: Request) -> Answer | Awaitable[Answer]:
        with self._lock:
            self.requests.append(request)
            try:
                step = next(self._script)
            except StopIteration:
                raise self._exhausted() from None
            self._said += 1
        return step(request) if callable(step) else step

    def _exhausted(self) -> ModelError:
        return ModelError(
            f"the script is at its end: {self._name} was asked {len(self.requests)} times and has {self._said} steps"
            " (add a step, or look at .requests for what was asked)",
            code="unrecorded",
            provider=self._name,
        )

    def _blocking(self, request: Request) -> Answer:
        answer = self._next(request)
        if not isinstance(answer, Awaitable):
            return answer
        if inspect.iscoroutine(answer):
            answer.close()
        raise TypeError(f"a step of {self._name} is a coroutine function: ask it with an AsyncClient")

    async def _awaited(self, request: Request) -> Answer:
        answer = self._next(request)
        return await answer if isinstance(answer, Awaitable) else answer

    def _whole(self, answer: Answer) -> Reply:
        return answer if isinstance(answer, Reply) else join(self._pieces(answer))

    def _pieces(self, answer: Answer) -> Iterator[Chunk]:
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            answer = Reply(answer)
        if isinstance(answer, Reply):
            yield from split(answer, self._sizes)
            return
        given = cast("object", answer)
        if not isinstance(given, Sequence):
            raise TypeError(f"a step of {self._name} is no text: {answer!r} (write json.dumps(value), or a Reply)")
        ended = False
        for piece in answer:
            if isinstance(piece, Exception):
                raise piece
            chunk = Chunk(text=piece) if isinstance(piece, str) else piece
            ended = ended or chunk.finish_reason is not None
            yield chunk
        if not ended:
            yield Chunk(finish_reason="stop")
