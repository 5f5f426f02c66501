"""The scripted model: its steps in every form, asked in every way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedllm.errors import ModelError
from typedllm.models import AsyncChatModel, ChatModel, StreamingChatModel, profile_of
from typedllm.models.chunks import join, split
from typedllm.records import Chunk, Message, Reply, Request, TokenLogprob, Usage
from typedllm.schema.profiles import Profile
from typedllm.testing import ScriptedModel

ASK = Request((Message("user", "two lattes"),))

REPLIES = st.builds(
    Reply,
    text=st.text(),
    finish_reason=st.sampled_from(["stop", "length", "content_filter", "refusal", "cut"]),
    source=st.sampled_from(["text", "tool", "error"]),
    refusal=st.none() | st.text(),
    reasoning=st.text(),
    usage=st.builds(Usage, input_tokens=st.none() | st.integers(0, 9), requests=st.just(1)),
    model=st.text(),
    logprobs=st.none() | st.just((TokenLogprob("a", -0.5, (("a", -0.5),)),)),
    retries=st.integers(0, 3),
)


@given(REPLIES, st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_split_and_join_are_inverse(reply: Reply, sizes: list[int]) -> None:
    assert join(split(reply, sizes)) == reply


def test_pieces_are_as_long_as_asked() -> None:
    assert [chunk.text for chunk in split(Reply("abcdefgh"), (1, 3))] == ["a", "bcd", "efg", "h", ""]


def test_a_stream_that_never_says_why_it_ended_is_cut() -> None:
    assert join([Chunk(text="a"), Chunk(text="b", reasoning="r")]) == Reply("ab", finish_reason="cut", reasoning="r")


def complete(model: ScriptedModel) -> Reply:
    return model.complete(ASK)


def acomplete(model: ScriptedModel) -> Reply:
    return anyio.run(model.acomplete, ASK)


def stream(model: ScriptedModel) -> Reply:
    return join(model.stream(ASK))


def astream(model: ScriptedModel) -> Reply:
    async def collect() -> Reply:
        return join([chunk async for chunk in model.astream(ASK)])

    return anyio.run(collect)


WAYS = pytest.mark.parametrize("ask", [complete, acomplete, stream, astream])


@WAYS
def test_steps_are_said_in_order(ask: Callable[[ScriptedModel], Reply]) -> None:
    whole = Reply("whole", finish_reason="length", usage=Usage(3, 1, 2, requests=1))
    said = [
        "text",
        whole,
        ["pie", "ces"],
        [Chunk(text="x", finish_reason="length")],
        lambda request: request.messages[0].text,
        "",
    ]
    model = ScriptedModel(said)
    assert [ask(model) for _ in said] == [
        Reply("text"),
        whole,
        Reply("pieces"),
        Reply("x", finish_reason="length"),
        Reply("two lattes"),
        Reply(""),
    ]
    assert model.requests == [ASK] * len(said)


@WAYS
def test_an_exception_is_raised(ask: Callable[[ScriptedModel], Reply]) -> None:
    model = ScriptedModel([TimeoutError("late"), ["half", ConnectionError("gone")], lambda _: KeyError("k")])
    for kind in (TimeoutError, ConnectionError, KeyError):
        with pytest.raises(kind):
            ask(model)


def test_a_cut_stream_gives_its_pieces_first() -> None:
    seen: list[str] = []
    with pytest.raises(ConnectionError):
        seen.extend(chunk.text for chunk in ScriptedModel([["half", ConnectionError()]]).stream(ASK))
    assert seen == ["half"]


@WAYS
def test_a_script_at_its_end_says_how_often_it_was_asked(ask: Callable[[ScriptedModel], Reply]) -> None:
    model = ScriptedModel(["one"], name="barista")
    ask(model)
    for asked in (2, 3):
        with pytest.raises(ModelError, match=f"barista was asked {asked} times and has 1 steps") as caught:
            ask(model)
        assert caught.value.code == "unrecorded"


def test_a_coroutine_step_is_awaited_and_refused_where_nobody_awaits() -> None:
    async def slow(request: Request) -> str:
        await anyio.lowlevel.checkpoint()
        return request.messages[0].text

    assert acomplete(ScriptedModel([slow])) == astream(ScriptedModel([slow])) == Reply("two lattes")
    for ask in (complete, stream):
        with pytest.raises(TypeError, match="AsyncClient"):
            ask(ScriptedModel([slow]))


def test_threads_share_one_script() -> None:
    model = ScriptedModel(str(n) for n in range(200))
    with ThreadPoolExecutor(8) as pool:
        texts = [reply.text for reply in pool.map(model.complete, repeat(ASK, 200))]
    assert sorted(texts, key=int) == [str(n) for n in range(200)]


def test_it_is_a_chat_model_in_every_respect() -> None:
    profile = Profile("mine", "2026-01-01", ("schema",))
    model = ScriptedModel([], name="m", profile=profile)
    for kind in (ChatModel, AsyncChatModel, StreamingChatModel):
        assert isinstance(model, kind)
    assert (isinstance(model.stream(ASK), Iterator), isinstance(model.astream(ASK), AsyncIterator)) == (True, True)
    assert (model.name, profile_of(model), repr(model)) == ("m", profile, "ScriptedModel(name='m', requests=0)")
