"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.both import WORLDS, Both
from tests.support.server import Server


@pytest.fixture(params=WORLDS)
def both(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


@pytest.fixture
def server() -> Iterator[Server]:
    """A real HTTP server on loopback, scripted by the test."""
    with Server() as running:
        yield running
