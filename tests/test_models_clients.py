"""The clients behind a model: the caller's own, their twins, one for each event loop, and what they send."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.to_thread
import openai
import pytest

from tests.support.models import ASK, Time, Way, model_at, run
from tests.support.server import Server, fail, say
from typedllm.errors import ModelError
from typedllm.models.openai import OpenAIModel
from typedllm.models.transport import Clock
from typedllm.records import Reply

LOOPS = ("asyncio", "trio")


def brought(client: Any, **more: Any) -> OpenAIModel:
    return OpenAIModel("m", client=client, clock=Time().clock, **more)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_of_the_callers_own(server: Server, loop: str) -> None:
    """Its settings count, but for its retries; it is not changed, and not closed."""
    server.reply = fail(500, "broken")

    async def ask() -> ModelError:
        async with openai.AsyncOpenAI(api_key="key", base_url=server.url, max_retries=5) as client:
            model = brought(client, max_retries=1)
            with pytest.raises(ModelError, match="after 1 retry") as caught:
                await model.acomplete(ASK)
            await model.aclose()
            assert (client.max_retries, client.is_closed()) == (5, False)
            return caught.value

    assert run(loop, ask).retries == 1
    assert len(server.requests) == 2


CLIENTS: dict[str, Callable[[str], Any]] = {
    "sync": lambda url: openai.OpenAI(api_key="key", base_url=url, default_headers={"X-Mine": "1"}, project="p"),
    "async": lambda url: openai.AsyncOpenAI(api_key="key", base_url=url, default_headers={"X-Mine": "1"}, project="p"),
}


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_and_its_twin(server: Server, kind: str, loop: str) -> None:
    client = CLIENTS[kind](server.url)
    model = brought(client)

    async def other() -> str:
        return (await model.acomplete(ASK)).text if kind == "sync" else "{}"

    if kind == "async":
        assert model.complete(ASK).text == '{"ok": true}'
        model.close()
    else:
        assert run(loop, other) == '{"ok": true}'
        client.close()
    headers = server.requests[-1].headers
    assert (headers["x-mine"], headers["openai-project"], headers["authorization"]) == ("1", "p", "Bearer key")
    assert headers["x-stainless-async"].startswith("async") == (kind == "sync")


def test_azure_and_its_twin(server: Server) -> None:
    root = server.url.removesuffix("/v1")
    with openai.AzureOpenAI(api_key="key", azure_endpoint=root, api_version="2025-04-01-preview") as client:
        model = brought(client)
        assert model.complete(ASK).text == '{"ok": true}'
        assert run("asyncio", lambda: model.acomplete(ASK)).text == '{"ok": true}'
    for seen in server.requests:
        assert seen.path == "/openai/deployments/m/chat/completions"
        assert seen.query == "api-version=2025-04-01-preview"
        assert seen.headers["api-key"] == "key"


def test_a_client_without_a_twin(server: Server) -> None:
    with openai.OpenAI(api_key="key", base_url=server.url, http_client=openai.DefaultHttpxClient()) as client:
        model = brought(client)
        assert model.complete(ASK).text == '{"ok": true}'
        with pytest.raises(ModelError, match="give the other kind of client too") as caught:
            run("asyncio", lambda: model.acomplete(ASK))
        assert caught.value.code == "config"

        async def both() -> str:
            async with openai.AsyncOpenAI(api_key="key", base_url=server.url) as twin:
                return (await brought(client, async_client=twin).acomplete(ASK)).text

        assert run("trio", both) == '{"ok": true}'


def test_what_is_no_client() -> None:
    with pytest.raises(TypeError, match="not a client of the openai package: str"):
        brought("client")


def test_one_model_serves_many_loops(server: Server) -> None:
    """One after the other, beside each other on threads, and beside blocking calls within a running loop."""
    model = model_at(server)

    async def several() -> list[Reply]:
        async def ask(_: int) -> None:
            replies.append(await model.acomplete(ASK))

        replies: list[Reply] = []
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(ask, number)
        return [*replies, model.complete(ASK)]

    loops = [*LOOPS, *LOOPS, "asyncio"]
    with ThreadPoolExecutor(3) as pool:
        replies = [reply for found in pool.map(lambda loop: run(loop, several), loops) for reply in found]
    assert [reply.text for reply in replies] == ['{"ok": true}'] * 25
    assert not model._clients._looped
    model.close()


def test_connections_are_used_again(server: Server) -> None:
    model = model_at(server)

    async def thrice() -> None:
        for _ in range(3):
            await model.acomplete(ASK)
            [_ async for _ in model.astream(ASK)]

    for loop in LOOPS:
        run(loop, thrice)
    for _ in range(3):
        model.complete(ASK)
        list(model.stream(ASK))
    model.close()
    assert len({seen.port for seen in server.requests}) == 3
    assert model.complete(ASK).text == '{"ok": true}'
    model.close()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("streamed", [False, True])
def test_cancelling_closes_the_connection(server: Server, loop: str, streamed: bool) -> None:
    server.script(say("hello", stall=2, wait=0 if streamed else 20))
    model = model_at(server)

    async def ask() -> None:
        if streamed:
            [_ async for _ in model.astream(ASK)]
        await model.acomplete(ASK)

    async def cancel() -> bool:
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await anyio.to_thread.run_sync(server.heard.wait)
            group.cancel_scope.cancel()
        return server.requests[0].gone.wait(5)

    assert run(loop, cancel)
    assert len(server.requests) == 1


@pytest.mark.parametrize("way", ["sync", "asyncio"])
def test_no_key_goes_to_a_stranger(server: Server, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "GROQ_API_KEY"):
        monkeypatch.setenv(name, f"secret-{name}")
    model = model_at(server)
    Way(way).complete(model)
    model.close()
    assert "secret" not in str(server.requests[0].headers)


def test_keys_are_read_at_the_first_call(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    model = OpenAIModel("m", service="groq", base_url=server.url)
    with pytest.raises(ModelError, match=r"no API key for groq \(set GROQ_API_KEY, or pass api_key=\)") as caught:
        model.complete(ASK)
    assert (caught.value.code, caught.value.provider) == ("auth", "groq")
    monkeypatch.setenv("GROQ_API_KEY", "bad\u2028key")
    with pytest.raises(ModelError, match="no header can carry"):
        model.complete(ASK)
    monkeypatch.setenv("GROQ_API_KEY", " key\n")
    assert model.complete(ASK).text == '{"ok": true}'
    assert server.requests[0].headers["authorization"] == "Bearer key"
    model.close()


def test_a_model_travels_to_another_process(server: Server) -> None:
    model = model_at(server, api_key="key", clock=Clock())
    assert model.complete(ASK).text == '{"ok": true}'
    other = pickle.loads(pickle.dumps(model))
    assert other.complete(ASK).text == '{"ok": true}'
    assert server.requests[1].headers["authorization"] == "Bearer key"
    model.close()
    other.close()
