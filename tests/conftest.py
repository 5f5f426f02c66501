"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.both import WORLDS, Both
from tests.support.laws import THOROUGH
from tests.support.server import Server

# No test asserts a time: how long an example takes says more of the machine than of the code.
settings.load_profile("ci" if THOROUGH else "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the embedded model share one process: the model is loaded once, and has the cores to itself."""
    for item in items:
        if item.get_closest_marker("local"):
            item.add_marker(pytest.mark.xdist_group("local"))


@pytest.fixture(params=WORLDS)
def both(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


@pytest.fixture
def server() -> Iterator[Server]:
    """A real HTTP server on loopback, scripted by the test."""
    with Server() as running:
        yield running
