"""Options of the whole suite: which device, whether slow tests run."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

import tensorlite as tl
from tensorlite.devices.base import KINDS

# The same examples every time, so that a change fails for what it changed. To look for new ones:
# HYPOTHESIS_PROFILE=default pytest
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="the device to test: cpu, numba or cuda")
    parser.addoption("--slow", action="store_true", help="run the slow tests too")


def pytest_configure(config: pytest.Config) -> None:
    kind = config.getoption("--device").partition(":")[0]
    if kind not in KINDS:
        raise pytest.UsageError(f"--device {kind}: expected one of {', '.join(KINDS)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kind = config.getoption("--device").partition(":")[0]
    reason = KINDS[kind].unavailable()
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: give --slow to run it"))
        if reason and "device" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=f"no {kind} here: {reason}"))


@pytest.fixture
def device(request: pytest.FixtureRequest) -> tl.device:
    """The device under test."""
    return tl.device(request.config.getoption("--device"))
