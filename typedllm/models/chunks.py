"""A reply in pieces, and pieces as a reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from typedllm.records import Chunk, FinishReason, Reply, Source, TokenLogprob, Usage

_UNREPORTED = Usage(requests=1, unreported=1)


def split(reply: Reply, sizes: Sequence[int]) -> Iterator[Chunk]:
    """The chunks of a reply: its text in pieces, then one chunk with all that is not text.

    Args:
        reply: what is cut.
        sizes: lengths of the pieces in characters, at least one; the last is used again until the text ends.
    """
    text, start, left = reply.text, 0, list(sizes[::-1])
    while start < len(text):
        end = start + max(1, left.pop() if len(left) > 1 else left[0])
        yield Chunk(text[start:end])
        start = end
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
        self._finish_reason: FinishReason | None = None
        self._source: Source | None = None
        self._usage: Usage | None = None
        self._model = ""
        self._retries = 0

    def add(self, chunk: Chunk) -> None:
        """Add the next chunk."""
        if chunk.text:
            self._texts.append(chunk.text)
        if chunk.reasoning:
            self._reasoning.append(chunk.reasoning)
        if chunk.refusal is not None:
            self._refusal.append(chunk.refusal)
        if chunk.logprobs:
            self._logprobs += chunk.logprobs
        if chunk.finish_reason is not None:
            self._finish_reason = chunk.finish_reason
        if chunk.source is not None:
            self._source = chunk.source
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.model:
            self._model = chunk.model
        if chunk.retries:
            self._retries = max(chunk.retries, self._retries)

    @property
    def ended(self) -> bool:
        """Whether the service has said why the reply ended."""
        return self._finish_reason is not None

    def forget(self) -> None:
        """Drop the text so far: it is in no reply."""
        self._texts.clear()
        self._logprobs.clear()

    def reply(self, *, seconds: float = 0.0, first_token_seconds: float | None = None) -> Reply:
        """The reply so far; `finish_reason` is `cut` while no chunk has said why it ended."""
        return Reply(
            "".join(self._texts),
            finish_reason=self._finish_reason or "cut",
            source=self._source or "text",
            refusal="".join(self._refusal) if self._refusal else None,
            reasoning="".join(self._reasoning),
            usage=self._usage or _UNREPORTED,
            model=self._model,
            logprobs=tuple(self._logprobs) or None,
            retries=self._retries,
            seconds=seconds,
            first_token_seconds=first_token_seconds,
        )


def join(chunks: Iterable[Chunk]) -> Reply:
    """The reply that the chunks add up to."""
    gathered = Gathered()
    for chunk in chunks:
        gathered.add(chunk)
    return gathered.reply()
