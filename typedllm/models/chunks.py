"""A reply in pieces, and pieces as a reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from typedllm.records import Chunk, Reply, TokenLogprob, Usage

_UNREPORTED = Usage(requests=1, unreported=1)


def split(reply: Reply, sizes: Sequence[int]) -> Iterator[Chunk]:
    """The chunks of a reply: its text in pieces, then one chunk with all that is not text.

    Args:
        reply: what is cut.
        sizes: lengths of the pieces in characters, at least one; the last is used again until the text ends.
    """
    start = turn = 0
    while start < len(reply.text):
        end = start + max(1, sizes[min(turn, len(sizes) - 1)])
        yield Chunk(text=reply.text[start:end])
        start, turn = end, turn + 1
    yield Chunk(
        reasoning=reply.reasoning,
        refusal=reply.refusal,
        finish_reason=reply.finish_reason,
        source=reply.source,
        usage=reply.usage,
        model=reply.model,
        logprobs=reply.logprobs or (),
        retries=reply.retries,
    )


class Gathered:
    """Chunks added up: what came so far, as a reply."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._last = Chunk()

    def add(self, chunk: Chunk) -> None:
        """Add the next chunk."""
        last = self._last
        if chunk.text:
            self._texts.append(chunk.text)
        if chunk.reasoning:
            self._reasoning.append(chunk.reasoning)
        self._refusal += [] if chunk.refusal is None else [chunk.refusal]
        self._logprobs += chunk.logprobs
        self._last = Chunk(
            finish_reason=chunk.finish_reason or last.finish_reason,
            source=chunk.source or last.source,
            usage=chunk.usage or last.usage,
            model=chunk.model or last.model,
            retries=max(chunk.retries, last.retries),
        )

    @property
    def ended(self) -> bool:
        """Whether the service has said why the reply ended."""
        return self._last.finish_reason is not None

    def forget(self) -> None:
        """Drop the text so far: it is in no reply."""
        self._texts.clear()
        self._logprobs.clear()

    def reply(self, *, seconds: float = 0.0, first_token_seconds: float | None = None) -> Reply:
        """The reply so far; `finish_reason` is `cut` while no chunk has said why it ended."""
        last = self._last
        return Reply(
            "".join(self._texts),
            finish_reason=last.finish_reason or "cut",
            source=last.source or "text",
            refusal="".join(self._refusal) if self._refusal else None,
            reasoning="".join(self._reasoning),
            usage=last.usage or _UNREPORTED,
            model=last.model,
            logprobs=tuple(self._logprobs) or None,
            retries=last.retries,
            seconds=seconds,
            first_token_seconds=first_token_seconds,
        )


def join(chunks: Iterable[Chunk]) -> Reply:
    """The reply that the chunks add up to."""
    gathered = Gathered()
    for chunk in chunks:
        gathered.add(chunk)
    return gathered.reply()
