"""On how many examples a law is tried."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "ci"

settings.register_profile(
    "dev",
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile("ci", settings.get_profile("dev"), max_examples=60, print_blob=True)


def examples(count: int) -> settings:
    """So many in `make test`, a quarter of them in the quick loop."""
    return settings(max_examples=count if THOROUGH else max(10, count // 4))
