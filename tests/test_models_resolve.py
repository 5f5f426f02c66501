"""From what a caller writes to a chat model, and the table of services."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import openai
import pytest

from tests.support.models import ASK
from tests.support.server import Server
from typedllm.errors import ModelError
from typedllm.models import ChatModel, profile_of
from typedllm.models.local import LocalModel
from typedllm.models.openai import OpenAIModel
from typedllm.models.resolve import resolve
from typedllm.models.services import SERVICES, Service, address, service_at
from typedllm.schema import profiles
from typedllm.testing import ScriptedModel

NAMES = {
    "openai:gpt-5-mini": ("openai:gpt-5-mini", profiles.OPENAI),
    "ollama:qwen3:8b": ("ollama:qwen3:8b", profiles.OLLAMA),
    "openrouter:openai/gpt-5": ("openrouter:openai/gpt-5", profiles.OPENROUTER),
    "openai-responses:gpt-5": ("openai-responses:gpt-5", profiles.OPENAI),
    "http://localhost:9000/v1#my/model": ("http://localhost:9000/v1#my/model", profiles.GENERIC),
    "https://api.groq.com/openai/v1#llama": ("groq:llama", profiles.GROQ),
    "https://me:secret@host.example/v1/?key=secret#m": ("https://host.example/v1#m", profiles.GENERIC),
    "https://mine.openai.azure.com/openai/v1#gpt-4o": ("azure:gpt-4o", profiles.OPENAI),
    "local:/path/to/model.gguf": ("local:/path/to/model.gguf", None),
    "local": ("local", None),
}


@pytest.mark.parametrize("spec", NAMES)
def test_names(spec: str) -> None:
    model = resolve(spec)
    name, profile = NAMES[spec]
    assert model.name == name
    assert isinstance(model, OpenAIModel if profile else LocalModel)
    assert profile is None or profile_of(model) is profile
    assert "secret" not in repr(model)


UNKNOWN = {
    "opanai:gpt-5": r"no such model: 'opanai:gpt-5' \(did you mean 'openai'\?.*anthropic, azure, .*\"local\"",
    "gpt-5": "no such model: 'gpt-5' .*openai:gpt-5-mini",
    "groq": r"no model is named in 'groq' \(write groq:NAME\)",
    "groq:": r"no model is named in 'groq:'",
    "http://localhost:9000/v1": r"no model is named in http://localhost:9000/v1 \(write http://localhost:9000/v1#name\)",
}


@pytest.mark.parametrize("spec", UNKNOWN)
def test_what_is_not_known(spec: str) -> None:
    with pytest.raises(ModelError, match=UNKNOWN[spec]) as caught:
        resolve(spec)
    assert caught.value.code == "config"


def test_objects() -> None:
    model = ScriptedModel(["1"])
    assert resolve(model) is model
    with (
        openai.OpenAI(api_key="key") as client,
        pytest.raises(ModelError, match=r"OpenAIModel\('name', client=OpenAI"),
    ):
        resolve(client)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="not a chat model: int"):
        resolve(1)  # type: ignore[arg-type]


def test_a_service_that_is_not_known() -> None:
    with pytest.raises(ModelError, match=r"no such service: 'nobody' \(one of anthropic, .*base_url="):
        OpenAIModel("m", service="nobody")


def test_nothing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable, else the embedded model, else the choices."""
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path))
    monkeypatch.delenv("TYPEDLLM_MODEL", raising=False)
    with pytest.raises(
        ModelError, match=r"no model is configured \(set TYPEDLLM_MODEL .*typedllm local pull"
    ) as caught:
        resolve(None)
    assert caught.value.code == "config"
    monkeypatch.setenv("TYPEDLLM_MODEL", "deepseek:deepseek-chat")
    assert resolve().name == "deepseek:deepseek-chat"


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.prefix)
def test_the_table(service: Service) -> None:
    """Each row says where the service stands, or which variable does, and how it is reached when it does not answer."""
    assert service.base_url.startswith(("https://", "http://localhost")) or service.url_variable
    assert service.keys
    assert service.needs_key != bool(service.start)
    assert not service.base_url.endswith("/")
    if service.needs_key and service.base_url and service.api == "chat":
        assert service_at(f"{service.base_url}/") is service


def test_the_table_of_the_documentation() -> None:
    page = (Path(__file__).parents[1] / "docs" / "models.md").read_text()
    lines = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `")]
    shown = {prefix.strip(" `"): cells for cell, *cells in lines for prefix in cell.split(",")}
    assert shown.keys() == SERVICES.keys()
    for prefix, (keys, place, native) in shown.items():
        service = SERVICES[prefix]
        assert native.split() == ", ".join(service.profile.native).split()
        assert service.url_variable in place
        assert all(f"`{key}`" in keys for key in service.keys) if service.needs_key else "none needed" in keys


ADDRESSES = {
    ("ollama", ""): "http://localhost:11434/v1",
    ("ollama", "0.0.0.0"): "http://127.0.0.1:11434/v1",
    ("ollama", "box:8000"): "http://box:8000/v1",
    ("ollama", "https://box.example"): "https://box.example/v1",
    ("ollama", "http://box/ollama/v1/"): "http://box:11434/ollama/v1",
    ("openai", "https://proxy.example/v1"): "https://proxy.example/v1",
    ("azure", "https://mine.openai.azure.com/"): "https://mine.openai.azure.com/openai/v1",
    ("azure", ""): "",
}


@pytest.mark.parametrize(("prefix", "told"), ADDRESSES)
def test_addresses(prefix: str, told: str) -> None:
    service = SERVICES[prefix]
    assert address(service, {service.url_variable: told}) == ADDRESSES[prefix, told]


def test_a_model_is_found_where_its_variable_says(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", urlsplit(server.url).netloc)
    model = OpenAIModel("qwen3:8b", service="ollama")
    reply = model.complete(ASK)
    assert (reply.text, reply.model) == ('{"ok": true}', "qwen3:8b")
    model.close()


@pytest.mark.parametrize(
    ("prefix", "variable", "url", "message"),
    [
        ("ollama", "OLLAMA_HOST", "127.0.0.1:9", r"no connection to ollama at http://127.0.0.1:9/v1.*`ollama serve`"),
        ("azure", "AZURE_OPENAI_ENDPOINT", "", r"no base URL for azure: nothing \(set AZURE_OPENAI_ENDPOINT"),
        ("vllm", "VLLM_BASE_URL", "ftp://box", r"no base URL for vllm: 'ftp://box' \(set VLLM_BASE_URL"),
    ],
)
def test_nobody_is_there(prefix: str, variable: str, url: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, url)
    model: ChatModel = OpenAIModel("m", service=prefix, api_key="key", max_retries=0)
    with pytest.raises(ModelError, match=message) as caught:
        model.complete(ASK)
    assert caught.value.code in {"connection", "config"}
    model.close()  # type: ignore[attr-defined]
