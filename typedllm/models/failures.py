"""What a failure means: the error it becomes, or the reply that it carries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from typedllm.errors import ModelError
from typedllm.models.payload import UNREPORTED, Trouble, trouble
from typedllm.models.services import Service
from typedllm.models.transport import Failure
from typedllm.records import Reply, Request

MAX_QUOTE: Final = 300

_ABOUT_SCHEMA: Final = re.compile(
    r"schema|response_format|text\.format|grammar|structured.?output|json_object|json.?mode|tool_choice|\btools?\b"
    r"|function|requested parameters",
    re.IGNORECASE,
)
_TOO_LONG: Final = re.compile(r"context.{0,8}(length|window|size)|too (long|many tokens)", re.IGNORECASE)
_NO_CREDIT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_NAMED: Final = {
    "server_error": "server",
    "overloaded_error": "server",
    "rate_limit_exceeded": "rate_limit",
    "rate_limit_error": "rate_limit",
}
_FILTERED: Final = frozenset({"content_filter", "content_policy_violation"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked what, for the words of an error.

    Attributes:
        service: who was asked.
        url: at which base URL.
        request: what was asked.
        secrets: texts that no message may show.
    """

    service: Service
    url: str
    request: Request
    secrets: Sequence[str] = ()

    @property
    def provider(self) -> str:
        """The name of who was asked."""
        return self.service.prefix or self.url

    def clean(self, said: str) -> str:
        """What was said, on one line, bounded, and without secrets."""
        for secret in self.secrets:
            said = said.replace(secret, "[key]")
        said = " ".join(said.split())
        return said if len(said) <= MAX_QUOTE else said[: MAX_QUOTE - 3] + "..."


def worth_retrying(failure: Failure, asked: Asked) -> bool:
    """Whether the same request may succeed when it is sent again."""
    told = trouble(failure.body)
    if told.code in _NO_CREDIT or told.generated is not None:
        return False
    return failure.retryable and not _rejects_schema(failure.status, told, asked)


def salvage(told: Trouble) -> Reply | None:
    """The reply that stands in a service's error: the text that it would not deliver, or a content filter's word."""
    if told.generated is not None:
        return Reply(told.generated, source="error", usage=UNREPORTED)
    if told.code in _FILTERED:
        return Reply("", finish_reason="content_filter", source="error", refusal=told.message or None, usage=UNREPORTED)
    return None


def error_of(failure: Failure, asked: Asked, retries: int, *, reply: Reply | None = None) -> ModelError:
    """The error that a failure becomes; the vendor's own is its `__cause__`, unless that would show a secret."""
    if failure.kind == "status":
        error = refused(trouble(failure.body), failure.status, asked, retries, reply=reply)
    else:
        error = _unreachable(failure, asked, retries, reply)
    if not any(secret in str(failure.cause) for secret in asked.secrets):
        error.__cause__ = failure.cause
    return error


def _unreachable(failure: Failure, asked: Asked, retries: int, reply: Reply | None) -> ModelError:
    source = failure.cause.__cause__ or failure.cause
    reason = asked.clean(f"{type(source).__name__}: {source}".rstrip(": "))
    if failure.kind == "too_long":
        message = f"{asked.provider} sent more bytes than it may (allow more with max_bytes=)"
        return ModelError(message, provider=asked.provider, retries=retries, reply=reply)
    if failure.kind == "silent":
        message = (
            f"{asked.provider} went silent in the middle of the reply: nothing for {asked.request.idle_timeout:g} s "
            "(allow longer silence with idle_timeout=)"
        )
    elif failure.kind == "timeout":
        limit = "" if asked.request.timeout is None else f" within {asked.request.timeout:g} s"
        message = f"{asked.provider} gave no reply{limit}{_again(retries)}: {reason} (allow more with timeout=)"
    elif reply is not None:
        message = f"the connection to {asked.provider} was cut in the middle of the reply: {reason} (ask again)"
    else:
        message = (
            f"no connection to {asked.provider} at {asked.url}{_again(retries)}: {reason} ({_reach(asked.service)})"
        )
    return ModelError(
        message,
        code=failure.kind,
        retryable=True,
        provider=asked.provider,
        retries=retries,
        reply=reply,
    )


def _reach(service: Service) -> str:
    if service.start:
        return f"start it with `{service.start}`, or say where it is with {service.url_variable}"
    return "check the network and the base URL"


def refused(
    told: Trouble, status: int | None, asked: Asked, retries: int = 0, *, reply: Reply | None = None
) -> ModelError:
    """The error for what a service says itself, with its status (None: it stands in a reply of status 200)."""
    status = status if status is not None else told.status
    code, advice = _meaning(told, status, asked)
    said = asked.clean(told.message)
    number = "" if status is None else f" ({status})"
    reason = said or told.code or "it gives no reason"
    message = f"{asked.provider} {_FACTS[code]}{number}{_again(retries)}: {reason} ({advice})"
    return ModelError(
        message,
        code=code,
        status=status,
        retryable=code in {"rate_limit", "server", "timeout"} and told.code not in _NO_CREDIT,
        provider=asked.provider,
        retries=retries,
        reply=reply,
    )


_FACTS: Final = {
    "auth": "refuses the API key",
    "rate_limit": "limits the rate",
    "schema_rejected": "rejects the schema",
    "bad_request": "rejects the request",
    "server": "failed",
    "timeout": "gave up waiting for the model",
    "bad_response": "sent no reply",
}


def _meaning(told: Trouble, status: int | None, asked: Asked) -> tuple[str, str]:
    """The stable code of an error, and what to do about it."""
    if status in {401, 403}:
        return "auth", f"check {' or '.join(asked.service.keys) or 'api_key='}, and what the key is allowed to use"
    if told.code in _NO_CREDIT or status == 402:
        return "rate_limit" if status == 429 else "bad_request", "check the account's balance and its limits"
    if _rejects_schema(status, told, asked):
        return "schema_rejected", "carry the schema another way, or in the prompt alone"
    if status == 429:
        return "rate_limit", "wait, or send fewer requests at a time"
    if status == 408:
        return "timeout", "try again later"
    if status == 404:
        return "bad_request", "check the name of the model and the base URL"
    if status is not None and 400 <= status < 500 and status != 409:
        return "bad_request", "check the options and the length of the prompt"
    if status is not None and (status >= 500 or status == 409):
        return "server", "try again later"
    if told.code in _NAMED:
        return _NAMED[told.code], "try again later"
    return "bad_response", "try again, or check that the base URL speaks this API"


def _rejects_schema(status: int | None, told: Trouble, asked: Asked) -> bool:
    if asked.request.native is None or status not in {400, 404, 405, 415, 422, 500, 501}:
        return False
    said = f"{told.param} {told.code} {told.message}"
    return bool(_ABOUT_SCHEMA.search(said)) and not _TOO_LONG.search(said)


def _again(retries: int) -> str:
    return f" after {retries} {'retry' if retries == 1 else 'retries'}" if retries else ""
