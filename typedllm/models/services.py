"""The services that a short name stands for, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from typedllm.schema import profiles
from typedllm.schema.profiles import Profile


@dataclass(frozen=True, slots=True)
class Service:
    """A service that speaks the API of OpenAI.

    Attributes:
        prefix: its short name, as in `groq:model`.
        base_url: where it stands; empty: only its variable says.
        profile: what it accepts.
        keys: environment variables with the API key, the first that is set wins.
        needs_key: whether it answers only with a key.
        url_variable: environment variable that says where it stands, in place of `base_url`.
        url_path: what is added to the value of that variable, when it has no path of its own.
        api: which of the two APIs is spoken.
        start: how a server on this machine is started, for the message when there is none.
    """

    prefix: str
    base_url: str
    profile: Profile
    keys: tuple[str, ...] = ()
    needs_key: bool = True
    url_variable: str = ""
    url_path: str = ""
    api: Literal["chat", "responses"] = "chat"
    start: str = ""


_OPENAI: Final = "https://api.openai.com/v1"

_TABLE: Final = (
    Service("openai", _OPENAI, profiles.OPENAI, ("OPENAI_API_KEY",), url_variable="OPENAI_BASE_URL"),
    Service(
        "openai-responses",
        _OPENAI,
        profiles.OPENAI,
        ("OPENAI_API_KEY",),
        url_variable="OPENAI_BASE_URL",
        api="responses",
    ),
    Service(
        "azure",
        "",
        profiles.OPENAI,
        ("AZURE_OPENAI_API_KEY",),
        url_variable="AZURE_OPENAI_ENDPOINT",
        url_path="/openai/v1",
    ),
    Service("anthropic", "https://api.anthropic.com/v1", profiles.ANTHROPIC, ("ANTHROPIC_API_KEY",)),
    Service(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        profiles.GEMINI,
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    Service("mistral", "https://api.mistral.ai/v1", profiles.MISTRAL, ("MISTRAL_API_KEY",)),
    Service("groq", "https://api.groq.com/openai/v1", profiles.GROQ, ("GROQ_API_KEY",)),
    Service("deepseek", "https://api.deepseek.com/v1", profiles.DEEPSEEK, ("DEEPSEEK_API_KEY",)),
    Service("openrouter", "https://openrouter.ai/api/v1", profiles.OPENROUTER, ("OPENROUTER_API_KEY",)),
    Service("together", "https://api.together.xyz/v1", profiles.TOGETHER, ("TOGETHER_API_KEY",)),
    Service("fireworks", "https://api.fireworks.ai/inference/v1", profiles.FIREWORKS, ("FIREWORKS_API_KEY",)),
    Service("xai", "https://api.x.ai/v1", profiles.XAI, ("XAI_API_KEY",)),
    Service(
        "ollama",
        "http://localhost:11434/v1",
        profiles.OLLAMA,
        ("OLLAMA_API_KEY",),
        needs_key=False,
        url_variable="OLLAMA_HOST",
        url_path="/v1",
        start="ollama serve",
    ),
    Service(
        "lmstudio",
        "http://localhost:1234/v1",
        profiles.LMSTUDIO,
        ("LMSTUDIO_API_KEY",),
        needs_key=False,
        url_variable="LMSTUDIO_BASE_URL",
        start="lms server start",
    ),
    Service(
        "vllm",
        "http://localhost:8000/v1",
        profiles.VLLM,
        ("VLLM_API_KEY",),
        needs_key=False,
        url_variable="VLLM_BASE_URL",
        start="vllm serve MODEL",
    ),
    Service(
        "llamacpp",
        "http://localhost:8080/v1",
        profiles.LLAMA_CPP,
        ("LLAMA_API_KEY",),
        needs_key=False,
        url_variable="LLAMACPP_BASE_URL",
        start="llama-server -m MODEL.gguf",
    ),
)

SERVICES: Final[Mapping[str, Service]] = {service.prefix: service for service in _TABLE}


def service_at(base_url: str) -> Service:
    """The hosted service of the table that stands at this URL; for another, a service of which nothing is known.

    Its key is never that of another service: an address is not trusted with keys that were not meant for it.
    """
    place = urlsplit(base_url).netloc
    for service in _TABLE:
        if service.needs_key and urlsplit(service.base_url).netloc == place:
            return service
    if place.endswith((".openai.azure.com", ".services.ai.azure.com")):
        return SERVICES["azure"]
    return Service("", base_url, profiles.GENERIC, ("TYPEDLLM_API_KEY",), needs_key=False)


def address(service: Service, environment: Mapping[str, str]) -> str:
    """The base URL: what the service's variable says, else what the table says; empty when neither does."""
    told = environment.get(service.url_variable, "").strip() if service.url_variable else ""
    if not told:
        return service.base_url
    parts = urlsplit(told if "://" in told else f"http://{told}")
    known = urlsplit(service.base_url)
    host = parts.netloc.replace("0.0.0.0", "127.0.0.1")
    if parts.port is None and parts.scheme == known.scheme == "http" and known.port:
        host = f"{host}:{known.port}"
    path = parts.path.rstrip("/") or service.url_path
    return urlunsplit((parts.scheme, host, path, parts.query, ""))
