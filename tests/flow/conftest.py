"""A sandbox that all whole-path tests share, and settings for processes of their own."""

from collections.abc import Iterator, Mapping

import pytest
from cli_process import QUICK, Sandbox, environment, running_sandbox

COMPANIES = 300


@pytest.fixture(scope="session")
def playing() -> Iterator[Sandbox]:
    with running_sandbox(COMPANIES) as running:
        yield running


@pytest.fixture
def vendors(playing: Sandbox) -> Sandbox:
    """The session's sandbox, with nothing billed yet and no faults."""
    playing.send("POST", "reset")
    return playing


@pytest.fixture
def quick(dsn: str, vendors: Sandbox) -> Mapping[str, str]:
    """The environment of a process on this test's database."""
    return environment(dsn, vendors) | QUICK
