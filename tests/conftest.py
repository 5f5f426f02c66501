"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.both import WORLDS, Both
from tests.support.server import Server

# No test asserts a time: how long an example takes says more of the machine than of the code.
settings.register_profile("dev", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), max_examples=150, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


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
