"""A small storm for every run of the tests; the long one is ``make storm``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from glaze.store.embedded import ensure_server
from glaze.store.embedded.lease import Lease
from tests.storm.__main__ import one_storm
from tests.storm.storm import Plan
from tests.storm_only import storm_only


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[Lease]:
    """A server of this test's own: it is going to be killed."""
    lease = ensure_server(tmp_path / "data", idle_s=2)
    yield lease
    lease.release()


@storm_only
def test_thirty_killed_workers_a_killed_server_and_a_frozen_worker_lose_nothing_and_end_nothing_twice(
    tmp_path: Path, lease: Lease
) -> None:
    line = one_storm(tmp_path / "data", lease, Plan(seed=7, kills=30, server_kills=1, freezes=1))
    assert line["holds"], line
    assert int(str(line["attempts"])) > int(str(line["jobs"])) > 30
