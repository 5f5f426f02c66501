"""Recording and replay, by their laws, in every way of asking."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_scripted import REPLIES
from typedllm.errors import ModelError
from typedllm.models import ChatModel
from typedllm.models.chunks import join
from typedllm.models.replay import line_schema
from typedllm.records import Message, Native, Reply, Request, TokenLogprob, Usage
from typedllm.schema.profiles import VLLM, Profile
from typedllm.testing import RecordingModel, ReplayModel, ScriptedModel, record

SCHEMA_FILE = Path(__file__).parent.parent / "schemas" / "replay.schema.json"
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
REQUESTS = st.builds(
    Request,
    messages=st.lists(
        st.builds(
            Message,
            st.sampled_from(["system", "user", "assistant"]),
            TEXT | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), max_size=2),
        ),
        max_size=3,
    ).map(tuple),
    native=st.none() | st.builds(Native, st.sampled_from(["schema", "json"]), TEXT, st.dictionaries(TEXT, JSON)),
    options=st.dictionaries(TEXT, JSON, max_size=3),
    timeout=st.none() | st.floats(0, 9),
    logprobs=st.booleans(),
)


def ask(text: str = "two lattes", **options: Any) -> Request:
    return Request((Message("system", "Take the order."), Message("user", text)), options=options)


def complete(model: Any, request: Request) -> Reply:
    reply = model.complete(request)
    assert isinstance(reply, Reply)
    return reply


def acomplete(model: Any, request: Request) -> Reply:
    reply = anyio.run(model.acomplete, request)
    assert isinstance(reply, Reply)
    return reply


def stream(model: Any, request: Request) -> Reply:
    return join(model.stream(request))


def astream(model: Any, request: Request) -> Reply:
    async def collect() -> Reply:
        return join([chunk async for chunk in model.astream(request)])

    return anyio.run(collect)


WAYS = pytest.mark.parametrize("way", [complete, acomplete, stream, astream])


def shuffled(value: Any) -> Any:
    """The same value with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@pytest.mark.slow
@given(st.lists(st.tuples(REQUESTS, REPLIES), max_size=4))
def test_what_was_recorded_is_said_again_in_order(said: list[tuple[Request, Reply]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "replies.jsonl"
        model = record(ScriptedModel([reply for _, reply in said]), path)
        for request, reply in said:
            assert complete(model, request) == reply
        if not said:
            assert not path.exists()
            return
        replay = ReplayModel(path)
        for request, reply in said:
            same = Request(request.messages, request.native, shuffled(dict(request.options)), logprobs=request.logprobs)
            assert complete(replay, same) == reply
        schema = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text("utf-8")))
        for line in path.read_text("utf-8").rstrip("\n").split("\n"):
            schema.validate(json.loads(line))


def test_the_schema_of_the_file_is_in_step() -> None:
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == line_schema(), "write it anew with: python -m schemas"


def told(reply: Reply) -> tuple[object, ...]:
    return (reply.text, reply.finish_reason, reply.reasoning, reply.usage, reply.logprobs)


FULL = Reply(
    '{"size": "größe\u2028"}',
    finish_reason="length",
    reasoning="hm",
    usage=Usage(9, 3, 4, requests=1),
    logprobs=(TokenLogprob("{", -0.1, (("{", -0.1), ("[", -2.5))),),
)


@WAYS
@pytest.mark.parametrize("again", [complete, acomplete, stream, astream])
def test_every_way_of_recording_serves_every_way_of_replay(
    tmp_path: Path, way: Callable[[Any, Request], Reply], again: Callable[[Any, Request], Reply]
) -> None:
    profile = Profile("mine", "2026-01-01", ("schema",), logprobs=True)
    model = record(ScriptedModel([FULL], name="real", profile=profile), tmp_path / "r.jsonl")
    assert told(way(model, ask())) == told(FULL)
    replay = ReplayModel(tmp_path / "r.jsonl")
    assert told(again(replay, ask())) == told(FULL)
    assert (model.name, replay.name, model.profile, replay.profile) == ("real", "replay:real", profile, profile)


def test_a_stream_comes_again_in_its_pieces(tmp_path: Path) -> None:
    pieces = ["a", "bcd", "", "ef"]
    model = record(ScriptedModel([pieces]), tmp_path / "r.jsonl")
    assert stream(model, ask()).text == "abcdef"
    replay = ReplayModel(tmp_path / "r.jsonl", repeat=True)
    assert [chunk.text for chunk in replay.stream(ask()) if chunk.text] == ["a", "bcd", "ef"]
    assert replay.complete(ask()).seconds > 0


@WAYS
def test_once_asks_for_what_is_missing(tmp_path: Path, way: Callable[[Any, Request], Reply]) -> None:
    path = tmp_path / "r.jsonl"
    for script, texts in ((["1"], ["one"]), (["2"], ["one", "two"]), ([], ["two", "one"])):
        inner = ScriptedModel(script)
        model = record(inner, path, mode="once")
        assert [way(model, ask(text)).text for text in texts] == [{"one": "1", "two": "2"}[text] for text in texts]
        assert len(inner.requests) == len(script)
    assert len(path.read_text("utf-8").splitlines()) == 3


def test_all_begins_anew_with_the_first_reply(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    complete(record(ScriptedModel(["old"]), path), ask())
    failing = record(ScriptedModel([TimeoutError()]), path)
    with pytest.raises(TimeoutError):
        complete(failing, ask())
    assert ReplayModel(path).complete(ask()).text == "old"
    complete(record(ScriptedModel(["new"]), path), ask())
    assert ReplayModel(path).complete(ask()).text == "new"


def test_a_stream_that_is_closed_early_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    model = record(ScriptedModel(["long text to stream", "other"]), path)
    pieces = model.stream(ask())
    assert isinstance(pieces, Iterator)
    assert next(pieces).text == "long tex"
    pieces.close()  # type: ignore[attr-defined]
    assert not path.exists()


class Blocking:
    name = "blocking"

    def complete(self, request: Request, /) -> Reply:
        return Reply("blocked")


class Awaited:
    name = "awaited"

    async def complete(self, request: Request, /) -> Reply:
        await anyio.lowlevel.checkpoint()
        return Reply("awaited")


@pytest.mark.parametrize("inner", [Blocking(), Awaited()])
def test_a_model_with_one_method_is_recorded(tmp_path: Path, inner: ChatModel) -> None:
    path = tmp_path / "r.jsonl"
    assert acomplete(record(inner, path), ask()).text in ("blocked", "awaited")

    async def plain() -> Reply:
        outcome = record(inner, path).complete(ask())
        return outcome if isinstance(outcome, Reply) else await outcome

    assert anyio.run(plain) == ReplayModel(path).complete(ask())
    for way in (stream, astream):
        with pytest.raises(ModelError, match="cannot stream"):
            way(record(inner, path), ask())


@WAYS
def test_an_unrecorded_request_is_shown_against_the_nearest(
    tmp_path: Path, way: Callable[[Any, Request], Reply]
) -> None:
    path = tmp_path / "r.jsonl"
    model = record(ScriptedModel(repeat("{}")), path)
    for text in ("something else entirely", "two lattes\nand a muffin"):
        complete(model, ask(text, temperature=0))
    with pytest.raises(ModelError) as caught:
        way(ReplayModel(path), ask("two lattes\nand a bagel", temperature=0, api_key="sk-1"))
    message = str(caught.value)
    assert caught.value.code == "unrecorded"
    assert [line for line in message.splitlines() if line.startswith(("-", "+")) and line[1] not in "-+"] == [
        "-user: and a muffin",
        "+user: and a bagel",
    ]
    assert "(2 recorded)" in message
    assert f'record(model, {str(path)!r}, mode="once")' in message
    assert "sk-1" not in message


def test_a_long_difference_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    complete(record(ScriptedModel(["{}"]), path), ask())
    with pytest.raises(ModelError, match=r"\.\.\. \d+ more lines$"):
        ReplayModel(path).complete(ask("\n".join(map(str, range(100)))))


def test_a_request_that_is_asked_more_often_than_recorded(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    model = record(ScriptedModel(["first", "second"]), path)
    assert [complete(model, ask()).text for _ in range(2)] == ["first", "second"]
    replay, endless = ReplayModel(path), ReplayModel(path, repeat=True)
    assert [replay.complete(ask()).text for _ in range(2)] == ["first", "second"]
    with pytest.raises(ModelError, match="recorded 2 times and is asked again"):
        replay.complete(ask())
    assert [endless.complete(ask()).text for _ in range(3)] == ["first", "second", "second"]


def test_secrets_are_neither_written_nor_part_of_the_key(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    secret = {"extra_headers": {"X": "hush"}, "api_key": "hush", "extra_body": {"Authorization": "hush", "keep": 1}}
    complete(record(ScriptedModel(["{}"]), path), ask(**secret))
    assert "hush" not in path.read_text("utf-8")
    assert ReplayModel(path).complete(ask(extra_body={"keep": 1})).text == "{}"
    with pytest.raises(ModelError, match="no recorded reply"):
        ReplayModel(path).complete(ask(extra_body={"keep": 2}))


def test_what_cannot_be_written_is_refused_before_it_is_paid_for(tmp_path: Path) -> None:
    inner = ScriptedModel(["{}"])
    with pytest.raises(ModelError, match="cannot be written as JSON") as caught:
        complete(record(inner, tmp_path / "r.jsonl"), ask(stop=object()))
    assert (caught.value.code, inner.requests) == ("bad_request", [])


HEADER = '{"replay": 1, "model": "m", "profile": {"name": "p", "as_of": "2026-01-01"}}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no recorded replies: .*record\\(model"),
        (b"", "line 1"),
        (b"\xff", "not a recording"),
        (b'{"request": {"messages": []}, "reply": {"text": ""}}', "one header must stand on its first line"),
        (f"{HEADER}\n{HEADER}".encode(), "one header must stand on its first line"),
        (f"{HEADER}\n{{}}\n".encode(), "line 2"),
        (HEADER.replace("1", "2", 1).encode(), "line 1"),
    ],
)
def test_a_file_that_is_no_recording(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "r.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        ReplayModel(path)
    assert caught.value.code == "config"


def test_what_they_say_of_themselves(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(HEADER, encoding="utf-8")
    assert repr(ReplayModel(path)) == f"ReplayModel({str(path)!r}, replies=0)"
    assert ReplayModel(path, name="mine").name == "mine"
    assert (
        repr(RecordingModel(ScriptedModel([]), "r"))
        == "RecordingModel(ScriptedModel(name='scripted', requests=0), 'r')"
    )
    assert isinstance(ReplayModel(path).astream(ask()), AsyncIterator)


def test_a_header_is_written_the_same_in_every_process(tmp_path: Path) -> None:
    """Sets of strings are in another order in each process."""
    program = (
        "import sys\n"
        "from typedllm.records import Message, Request\n"
        "from typedllm.schema.profiles import VLLM\n"
        "from typedllm.testing import ScriptedModel, record\n"
        "record(ScriptedModel(['x'], profile=VLLM), sys.argv[1]).complete(Request((Message('user', 'x'),)))\n"
    )
    paths = [tmp_path / f"{seed}.jsonl" for seed in (1, 2)]
    for seed, path in enumerate(paths, 1):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", program, str(path)], check=True, env=environment)
    one, other = (path.read_text("utf-8") for path in paths)
    assert one == other
    assert ReplayModel(paths[0]).profile == VLLM
