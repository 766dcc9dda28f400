"""A sandbox that all whole-path tests share, and settings for processes of their own."""

from collections.abc import Iterator, Mapping

import pytest
from cli_process import Sandbox, environment, running_sandbox

COMPANIES = 300
QUICK = {
    "GLAZE_LEASE_S": "2",
    "GLAZE_HEARTBEAT_S": "0.5",
    "GLAZE_POLL_S": "0.2",
    # A call that a killed worker left behind is given up after its timeout and 5 s.
    "GLAZE_PROVIDER__WEBSITE__TIMEOUT_S": "8",
    **{
        f"GLAZE_PROVIDER__{name}__TIMEOUT_S": "3"
        for name in ("APOLLO", "SERPER", "LLM", "DNS_MX", "ENRICHLAYER")
    },
    **{f"GLAZE_PROVIDER__{name}__CALLS_PER_MINUTE": "6000" for name in ("APOLLO", "SERPER", "LLM")},
}
"""Settings under which crashes are noticed within seconds and no limit slows a test down."""


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
