"""Servers that hold HTTP or JSON in odd ways: what comes of it is a `ModelError`, and nothing is asked again in vain."""

from __future__ import annotations

import pytest

from tests.support.models import ASK, model_at
from tests.support.server import Server, raw
from typedllm import ModelError


@pytest.mark.parametrize(
    ("body", "said"),
    [('{"a":' * 100_000, "sent what is not JSON"), ("", "an empty body"), ("[" * 100_000, "sent what is not JSON")],
)
def test_a_body_that_is_no_json(server: Server, body: str, said: str) -> None:
    server.script(raw(body))
    model = model_at(server)
    with pytest.raises(ModelError, match=said) as caught:
        model.complete(ASK)
    assert caught.value.code == "bad_response"
    model.close()


def test_a_circle_of_redirects_is_walked_once(server: Server) -> None:
    server.reply = raw("", 307, headers={"Location": server.url + "/chat/completions"})
    model = model_at(server)
    with pytest.raises(ModelError, match="TooManyRedirects") as caught:
        model.complete(ASK)
    assert caught.value.retries == 0
    model.close()


def test_a_body_that_cannot_be_unpacked_is_not_asked_for_again(server: Server) -> None:
    server.reply = raw("{}", headers={"Content-Encoding": "gzip"})
    model = model_at(server)
    with pytest.raises(ModelError, match="header check") as caught:
        model.complete(ASK)
    assert caught.value.retries == 0
    assert len(server.requests) == 1
    model.close()
