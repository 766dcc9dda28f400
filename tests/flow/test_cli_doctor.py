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
from glaze.cli.checkup import Grade, clock, disk, temporary
from glaze.model.access import Scope
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.access import KeyStore
from glaze.store.database import Database

HOOK = """
insert into webhook (workspace_id, url, events, salt, failing_since, disabled_at, disabled_why)
values (1, 'https://a.example.com/', '{*}', '', clock_timestamp(), null, null),
  (1, 'https://b.example.com/', '{*}', '', clock_timestamp(), clock_timestamp(), 'failing')
"""

UNKNOWN = """
with asked as (
  insert into question (workspace_id, credential, provider, operation, key) values (1, 'env', 'apollo', 'people_match', '') returning id
), sent as (
  insert into vendor_request (workspace_id, provider, operation, credential, calls, deadline)
  values (1, 'apollo', 'people_match', 'env', 1, clock_timestamp()) returning id
)
insert into call (workspace_id, question_id, generation, state, request_id, position, reason, wanted, reserved_micros, deadline)
select 1, asked.id, 1, 'unknown', sent.id, 1, 'cheapest', '{person_email}', 1, clock_timestamp() from asked, sent
"""
KEPT = """
with data as (insert into data_key (workspace_id, wrapped, wrapped_by) values (1, '', 'nobody'))
insert into vendor_key (workspace_id, provider, sealed, last_four, version) values (1, 'hunter', '', 'abcd', 1)
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
        conn.execute("insert into queue (name, paused_at) values ('slow', '2026-03-14 09:26Z')")
        conn.execute(UNKNOWN)
        conn.execute(KEPT)
    told = cli.run("doctor", code=1).out
    for subject, advice in (
        ("note   workers: frozen sent no heartbeat in time", "look whether it hangs"),
        ("note   API keys: workspace default has none that counts", "glaze keys create"),
        ("note   language model: none is set up", "set LLM_API_KEY"),
        (
            "note   queue slow: paused since 2026-03-14 09:26, 0 jobs wait",
            "glaze queues resume slow",
        ),
        ("note   ledger: workspace default has calls that may", "docs/ledger.md"),
        ("broken key of hunter: workspace default: ", "set the key anew"),
        ("onnect", "check the network, proxy or firewall"),
        ("(https://a.example.com/): has not answered since", "glaze webhooks deliveries 1"),
        ("(https://b.example.com/): told nothing since", "glaze webhooks enable 2"),
    ):
        assert subject in told
        assert advice in told
    assert "ok     clock: " in told
    assert "ok     disk: " in told
    assert " temporary files: " in told


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


@pytest.mark.parametrize(
    ("free", "for_data", "for_files"),
    [
        (0, Grade.BROKEN, Grade.BROKEN),
        (150 * 2**20, Grade.BROKEN, Grade.NOTE),
        (1900 * 2**20, Grade.NOTE, Grade.FINE),
        (3 * 2**30, Grade.FINE, Grade.FINE),
    ],
)
def test_a_disk_that_is_full_or_nearly_so_is_told_before_postgresql_stops(
    tmp_path: Path, free: int, for_data: Grade, for_files: Grade
) -> None:
    data = disk(tmp_path, lambda _: free)
    files = temporary(tmp_path, 200, lambda _: free)
    assert (data.grade, files.grade) == (for_data, for_files)
    assert ("GLAZE_DATA_DIR" in data.advice) is (for_data is not Grade.FINE)
    assert ("TMPDIR" in files.advice) is (for_files is not Grade.FINE)
    assert f"{free / 2**30:.1f} GiB free at {tmp_path}" == data.told
