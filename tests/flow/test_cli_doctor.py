"""``glaze doctor`` names each dependency that is missing or broken, and what to do about it."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from cli_process import Cli, Sandbox, environment, running_sandbox
from whole_path import free_port

from glaze.boot.process import utc_now
from glaze.cli.checkup import Grade, clock, disk
from glaze.model.access import Scope
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.access import KeyStore
from glaze.store.database import Database

HOOK = """
insert into webhook (workspace_id, url, events, salt, failing_since, disabled_at, disabled_why)
values (1, 'https://a.example.com/', '{*}', '', clock_timestamp(), null, null),
  (1, 'https://b.example.com/', '{*}', '', clock_timestamp(), clock_timestamp(), 'failing')
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(companies=20) as running:
        yield running


@pytest.fixture
def cli(tmp_path, dsn, sandbox):
    return Cli(tmp_path, environment(dsn, sandbox))


def test_each_dependency_that_is_not_well_is_named_with_what_to_do(cli: Cli, dsn: str) -> None:
    cli.environment["GLAZE_SANDBOX_URL"] = f"http://127.0.0.1:{free_port()}"
    del cli.environment["LLM_API_KEY"]
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "insert into worker (name, version, queues, lease_until) values"
            " ('frozen', '0', '{default}', clock_timestamp() - interval '1 second')"
        )
        conn.execute(HOOK)
    told = cli.run("doctor").out
    for subject, advice in (
        ("note   workers: frozen sent no heartbeat in time", "look whether it hangs"),
        ("note   API keys: workspace default has none that counts", "glaze keys create"),
        ("note   language model: none is set up", "set LLM_API_KEY"),
        ("onnect", "check the network, proxy or firewall"),
        ("(https://a.example.com/): has not answered since", "glaze webhooks deliveries 1"),
        ("(https://b.example.com/): told nothing since", "glaze webhooks enable 2"),
    ):
        assert subject in told
        assert advice in told
    assert "ok     clock: " in told
    assert "ok     disk: " in told


def test_what_is_mended_is_told_as_well(cli: Cli, dsn: str) -> None:
    async def make() -> None:
        async with Database.open(dsn, size=1) as db:
            await KeyStore(db).create(DEFAULT_WORKSPACE, "test", [Scope.READ])

    asyncio.run(make())
    told = cli.run("doctor").out
    assert "API keys" not in told
    assert "ok     language model: " in told
    assert "ok     vendors: " in told
    assert "note   workers: none lives" in told


def test_a_clock_that_is_off_is_broken_and_a_folder_to_come_has_the_disk_of_its_parent(
    tmp_path: Path,
) -> None:
    now = utc_now()
    assert clock(now + timedelta(seconds=2), now).grade is Grade.FINE
    off = clock(now - timedelta(minutes=3), now)
    assert (off.grade, "NTP" in off.advice) == (Grade.BROKEN, True)
    assert disk(tmp_path / "not" / "there" / "yet").grade in {Grade.FINE, Grade.NOTE}
