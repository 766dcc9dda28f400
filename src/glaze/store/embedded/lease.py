"""Use the embedded server of a data folder, together with every other process that does."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from glaze.errors import StoreError, StoreUnavailable
from glaze.store.embedded.binaries import find_binaries
from glaze.store.embedded.folder import DataFolder, FolderLock, open_private, tail

POLL_S = 0.02
LONGEST_LOG = 1 << 20  # bytes of supervisor.log, which then becomes supervisor.log.1
# What the supervisor inherits: enough to run this Python, and none of its starter's secrets.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")


class Lease:
    """The right to use a data folder's server, for as long as this process lives or keeps it."""

    def __init__(
        self, folder: DataFolder, users: FolderLock, *, unsafe_fast: bool, idle_s: float
    ) -> None:
        """Hold ``users``, taken shared; made by ``ensure_server``."""
        self._folder = folder
        self._users = users
        self._unsafe_fast = unsafe_fast
        self._idle_s = idle_s

    @property
    def dsn(self) -> str:
        """The libpq URL of the cluster's superuser; it may change when the server had to restart.

        Raises:
            StoreError: the data folder's files are gone.
        """
        endpoint = self._folder.endpoint()
        if endpoint is None:
            raise StoreError(f"{self._folder.endpoint_file} is missing")
        return self._folder.dsn(endpoint)

    def recover(self, *, timeout_s: float = 60.0) -> str:
        """Return the URL as soon as the server answers, after having it started where need be.

        For the pool to call when a connection fails. Blocks: in a coroutine, call it in a thread.

        Raises:
            StoreUnavailable: the server does not start, or not within ``timeout_s``.
            StoreError: it cannot start here, or runs in a mode that this user must not accept.
        """
        try:
            return self._await_answer(timeout_s)
        except OSError as error:
            raise StoreError(f"the data folder {self._folder.path} fails: {error}") from error

    def _await_answer(self, timeout_s: float) -> str:
        deadline = time.monotonic() + timeout_s
        log_start = None
        while True:
            with FolderLock(self._folder.supervisor_lock) as supervisor:
                if supervisor.take():
                    if log_start is not None:
                        self._give_up("did not start", log_start)
                    log_start = self._start_supervisor(supervisor)
            if dsn := self._answering():
                return dsn
            if time.monotonic() > deadline:
                self._give_up(f"does not answer after {timeout_s:g} s", log_start or 0)
            time.sleep(POLL_S)  # files tell of readiness, and no portable event tells of files

    def release(self) -> None:
        """Let the server stop once no one else uses it. Idempotent.

        Should the supervisor have been killed, a new one is started, for it has to stop the server.
        """
        if self._users.closed:
            return
        try:
            if self._users.in_place():
                with FolderLock(self._folder.supervisor_lock) as supervisor:
                    if supervisor.take() and self._folder.postmaster():
                        self._start_supervisor(supervisor)
        finally:
            self._users.close()

    def __enter__(self) -> Self:
        """Release at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release."""
        self.release()

    def _answering(self) -> str | None:
        """The URL, if a server takes connections there."""
        from psycopg.pq import PGconn, Ping  # noqa: PLC0415  not for the supervisor, who starts fast

        endpoint, told = self._folder.endpoint(), self._folder.postmaster()
        if endpoint is None or told is None or not told.ready:
            return None
        dsn = self._folder.dsn(endpoint)
        if PGconn.ping(f"{dsn}&connect_timeout=2".encode()) != Ping.OK:
            return None
        if endpoint.unsafe_fast and not self._unsafe_fast:
            raise StoreError(
                f"the server in {self._folder.path} was started by another process in a mode that "
                "may lose data; wait until that process has ended"
            )
        return dsn

    def _start_supervisor(self, lock: FolderLock) -> int:
        """Start a supervisor, which inherits the lock; return where its part of the log begins."""
        find_binaries(major=self._folder.major())  # here the reason for a refusal is seen at once
        path = self._folder.supervisor_log
        if path.exists() and path.stat().st_size > LONGEST_LOG:
            path.replace(path.with_name(path.name + ".1"))
        command = [sys.executable, "-P", "-m", "glaze.store.embedded.supervisor"]
        command += [str(self._folder.path), f"--lock-fd={lock.fd}", f"--idle-s={self._idle_s}"]
        if self._unsafe_fast:
            command.append("--unsafe-fast")
        with os.fdopen(open_private(path, os.O_WRONLY | os.O_APPEND), "ab") as log:
            start = log.tell()
            subprocess.run(  # noqa: S603  our own arguments; it returns once detached
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=[lock.fd],
                env={name: os.environ[name] for name in INHERITED if name in os.environ},
            )
        return start

    def _give_up(self, what: str, log_start: int) -> None:
        said = tail(self._folder.supervisor_log, since=log_start)
        raise StoreUnavailable(f"the PostgreSQL server in {self._folder.path} {what}:\n{said}")


def ensure_server(
    data_dir: Path,
    *,
    unsafe_fast: bool = False,
    idle_s: float = 10.0,
    start_timeout_s: float = 60.0,
) -> Lease:
    """Return a lease on the data folder's server, started if it is not running.

    Blocks while it starts: in a coroutine, call it in a thread.

    Args:
        data_dir: made where it is missing.
        unsafe_fast: no fsync, for tests: a crash of the machine may corrupt the data.
        idle_s: seconds without any user after which the server stops; the first user's counts.
        start_timeout_s: seconds to wait; crash recovery of much data may take longer, and goes on.

    Raises:
        StoreUnavailable: the server does not start, or not in time.
        StoreError: the folder cannot be used, or no server installed here can open it.
    """
    folder = DataFolder(data_dir.resolve())
    try:
        folder.create()
        _check_owner(folder)
        users = _share(folder, deadline=time.monotonic() + start_timeout_s)
        lease = Lease(folder, users, unsafe_fast=unsafe_fast, idle_s=idle_s)
        try:
            lease.recover(timeout_s=start_timeout_s)
        except BaseException:
            lease.release()
            raise
    except OSError as error:
        raise StoreError(f"the data folder {folder.path} cannot be used: {error}") from error
    return lease


def _check_owner(folder: DataFolder) -> None:
    if folder.pgdata.exists() and os.geteuid() not in (0, folder.pgdata.stat().st_uid):
        raise StoreError(
            f"the database in {folder.path} belongs to another user (uid "
            f"{folder.pgdata.stat().st_uid}): run as that user or as root, or choose another folder"
        )


def _share(folder: DataFolder, *, deadline: float) -> FolderLock:
    """Take the users' lock; a supervisor that is just stopping the server is waited for."""
    while True:
        users = FolderLock(folder.users_lock)
        if users.take(shared=True) and users.in_place():
            return users
        users.close()
        if time.monotonic() > deadline:
            raise StoreUnavailable(f"the server in {folder.path} is stopping, and does not end")
        time.sleep(POLL_S)
