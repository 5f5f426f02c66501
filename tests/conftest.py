"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.both import WORLDS, Both
from tests.support.server import Server

settings.register_profile("untimed", deadline=None)  # no test asserts a time
settings.load_profile("untimed")


@pytest.fixture(params=WORLDS)
def both(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


@pytest.fixture
def server() -> Iterator[Server]:
    """A real HTTP server on loopback, scripted by the test."""
    with Server() as running:
        yield running
