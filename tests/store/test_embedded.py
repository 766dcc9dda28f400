"""The embedded server is shared, survives any kill, and ends with its last user."""

import os
import signal
import socketserver
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from glaze.errors import StoreError, StoreUnavailable
from glaze.store.embedded import Lease, ensure_server
from glaze.store.embedded.folder import DataFolder, Endpoint

HANG_S = 30.0
IDLE_S = 0.4

USER = """
import sys
from pathlib import Path
from glaze.store.embedded import ensure_server
with ensure_server(Path(sys.argv[1]), unsafe_fast=True, idle_s=0.4) as lease:
    print(lease.dsn, flush=True)
    sys.stdin.read()
"""


def until(look: Callable[[], object]) -> None:
    deadline = time.monotonic() + HANG_S
    while not look():
        assert time.monotonic() < deadline, "it hangs"
        time.sleep(0.02)


def processes(*marks: str) -> list[int]:
    """Pids of the live processes with all of these arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if set(marks) <= set(arguments):
            found.append(int(process.name))
    return found


def postmasters(folder: Path) -> list[int]:
    return processes(f"--glaze.data_folder={folder}")


def supervisors(folder: Path) -> list[int]:
    return processes("glaze.store.embedded.supervisor", str(folder))


def start_user(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", USER, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def end_user(user: subprocess.Popen[str]) -> None:
    user.communicate()
    assert user.returncode is not None


def kill(*pids: int) -> None:
    """Kill processes that are not ours to reap, and wait until they are gone."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in pids))


def count_rows(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select count(*) from kept").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose processes must all have ended by themselves after the test."""
    path = tmp_path / "data"
    yield path
    until(lambda: not postmasters(path) and not supervisors(path))


@pytest.fixture
def lease(folder: Path) -> Iterator[Lease]:
    """A durable server with one committed row."""
    with ensure_server(folder, idle_s=IDLE_S) as lease:
        with psycopg.connect(lease.dsn) as conn:
            conn.execute("create table kept as select 1 as row")
        yield lease


def test_processes_that_come_at_once_share_one_server(folder: Path) -> None:
    users = [start_user(folder) for _ in range(4)]
    told = {user.stdout.readline() for user in users if user.stdout}
    assert len(told) == 1
    assert told.pop().startswith("postgresql://")
    assert len(postmasters(folder)) == 1
    assert len(supervisors(folder)) == 1
    for user in users:
        end_user(user)


def test_the_server_stays_while_one_user_is_left_and_then_ends(folder: Path, lease: Lease) -> None:
    other = start_user(folder)
    assert other.stdout
    other.stdout.readline()
    server = postmasters(folder)
    lease.release()
    time.sleep(4 * IDLE_S)  # nothing may happen, so there is nothing to wait for
    assert postmasters(folder) == server
    end_user(other)
    until(lambda: not postmasters(folder) and not supervisors(folder))
    assert not (folder / "pgdata" / "postmaster.pid").exists(), "a clean shutdown removes it"


def test_the_server_ends_when_its_last_user_was_killed(folder: Path) -> None:
    user = start_user(folder)
    assert user.stdout
    user.stdout.readline()
    assert postmasters(folder)
    user.kill()
    user.communicate()
    until(lambda: not postmasters(folder) and not supervisors(folder))


def test_a_later_user_finds_the_rows_under_the_same_url(folder: Path, lease: Lease) -> None:
    first = lease.dsn
    lease.release()
    until(lambda: not supervisors(folder))
    with ensure_server(folder, idle_s=IDLE_S) as later:
        assert count_rows(later.dsn) == 1
        assert later.dsn == first


def test_a_killed_supervisor_leaves_the_server_to_the_next(folder: Path, lease: Lease) -> None:
    server = postmasters(folder)
    with psycopg.connect(lease.dsn) as conn:
        kill(*supervisors(folder))
        with ensure_server(folder, idle_s=IDLE_S) as other:
            assert count_rows(other.dsn) == 1
            assert postmasters(folder) == server, "adopted, not restarted"
            assert len(supervisors(folder)) == 1
        conn.execute("select 1")


def test_a_killed_server_is_started_again_with_every_committed_row(
    folder: Path, lease: Lease
) -> None:
    before = lease.dsn
    kill(*postmasters(folder))
    assert count_rows(lease.recover()) == 1
    assert lease.dsn == before


def test_an_adopted_server_that_is_killed_is_started_again(folder: Path, lease: Lease) -> None:
    kill(*supervisors(folder))
    lease.recover()
    adopted = postmasters(folder)
    kill(*adopted)
    until(lambda: postmasters(folder) not in ([], adopted))
    assert count_rows(lease.recover()) == 1


def test_server_and_supervisor_killed_together_come_back_for_a_user(
    folder: Path, lease: Lease
) -> None:
    kill(*supervisors(folder), *postmasters(folder))
    with ensure_server(folder, idle_s=IDLE_S) as other:
        assert count_rows(other.dsn) == 1
    assert count_rows(lease.recover()) == 1


def test_the_last_user_gets_the_server_stopped_though_its_supervisor_was_killed(
    folder: Path, lease: Lease
) -> None:
    kill(*supervisors(folder))
    assert postmasters(folder)
    lease.release()
    until(lambda: not postmasters(folder) and not supervisors(folder))


def test_a_terminated_supervisor_stops_the_server_cleanly(folder: Path, lease: Lease) -> None:
    os.kill(supervisors(folder)[0], signal.SIGTERM)
    until(lambda: not supervisors(folder))
    assert not postmasters(folder)
    assert not (folder / "pgdata" / "postmaster.pid").exists()
    assert count_rows(lease.recover()) == 1


@pytest.mark.parametrize("state", ["zombie", "running"])
def test_a_lock_file_with_the_pid_of_something_else_is_no_obstacle(
    folder: Path, lease: Lease, state: str
) -> None:
    lock = folder / "pgdata" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lease.release()
    until(lambda: not supervisors(folder))
    owner = lock.parent.stat()
    other = subprocess.Popen(
        ["sleep", "1000"],
        **({"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}),
    )
    if state == "zombie":
        other.kill()
    lock.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
    os.chown(lock, owner.st_uid, owner.st_gid)
    with ensure_server(folder, idle_s=IDLE_S) as later:
        assert count_rows(later.dsn) == 1
    other.kill()
    other.wait()


def test_files_left_by_the_dead_and_a_port_taken_since_are_no_obstacle(
    folder: Path, lease: Lease
) -> None:
    before = lease.dsn
    lease.release()
    until(lambda: not supervisors(folder))
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as taken:
        port = taken.server_address[1]
        DataFolder(folder).write_endpoint(Endpoint(port, unsafe_fast=False))
        (folder / "pgdata" / f".s.PGSQL.{port}.lock").write_text("2147483647\n")
        (folder / "pgdata.new").mkdir()
        with ensure_server(folder, idle_s=IDLE_S) as later:
            assert count_rows(later.dsn) == 1
            assert str(port) not in later.dsn
            assert later.dsn != before


def test_a_deleted_data_folder_takes_its_server_along(folder: Path, lease: Lease) -> None:
    folder.rename(folder.with_name("trash"))  # at once, where deleting would race with the server
    until(lambda: not postmasters(folder) and not supervisors(folder))
    with pytest.raises(StoreError, match="fails"):
        lease.recover()
    lease.release()
    with ensure_server(folder, unsafe_fast=True, idle_s=IDLE_S) as fresh:
        psycopg.connect(fresh.dsn).close()


def test_a_server_that_cannot_start_says_why(folder: Path, lease: Lease) -> None:
    lease.release()
    until(lambda: not supervisors(folder))
    with (folder / "pgdata" / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = on\n")
    with pytest.raises(StoreUnavailable, match="no_such_setting"):
        ensure_server(folder)


def test_a_folder_of_another_major_version_is_refused_with_advice(
    folder: Path, lease: Lease
) -> None:
    lease.release()
    until(lambda: not supervisors(folder))
    (folder / "pgdata" / "PG_VERSION").write_text("14\n")
    with pytest.raises(StoreError, match=r"made by PostgreSQL 14.*pg_dump"):
        ensure_server(folder)


def test_a_user_with_real_data_is_not_given_a_server_that_may_lose_it(folder: Path) -> None:
    with (
        ensure_server(folder, unsafe_fast=True, idle_s=IDLE_S),
        pytest.raises(StoreError, match="may lose data"),
    ):
        ensure_server(folder)


def test_the_server_is_durable_and_speaks_utf8_and_utc(lease: Lease) -> None:
    names = [
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "jit",
        "timezone",
        "max_connections",
    ]
    with psycopg.connect(lease.dsn) as conn:
        values = [conn.execute("select current_setting(%s)", [name]).fetchone() for name in names]
        encoding = conn.execute("select lower('ÀÉ'), current_setting('server_encoding')").fetchone()
    assert [value[0] for value in values if value] == ["on", "on", "on", "off", "UTC", "100"]
    assert encoding == ("àé", "UTF8")


def test_nobody_logs_in_without_the_password(lease: Lease) -> None:
    url, _, _ = lease.dsn.partition("?")
    port = lease.dsn.rpartition("=")[2]
    wrong = url.rpartition("@")[0].rpartition(":")[0] + ":wrong@/postgres"
    for host in (lease.dsn.partition("host=")[2].partition("&")[0], "127.0.0.1"):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(f"{wrong}?host={host}&port={port}")
