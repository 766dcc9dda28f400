"""One postmaster over one data folder: initialise the cluster, start or adopt it, watch it, stop it."""

import logging
import os
import pwd
import secrets
import select
import shutil
import signal
import socketserver
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from glaze.errors import StoreError, StoreUnavailable
from glaze.store.embedded.binaries import Binaries, find_binaries, reachable, readable_copy
from glaze.store.embedded.folder import SUPERUSER, DataFolder, Endpoint, tail

POLL_S = 0.02
ATTEMPTS = 2  # another program may take the port in the moment before the server does
ATTEMPTS_AFTER_CRASH = 20  # backends of a killed postmaster hold its shared memory for a moment
ATTEMPT_PAUSE_S = 0.25
FAST_STOP_S = 60.0  # the checkpoint of a fast shutdown; after that, recovery at the next start
BUILTIN_LOCALE_MAJOR = 17
REALPATH_MAJOR = 16  # before, programs find themselves by leaving the working directory and back
HERE = "/proc/self/cwd"

# Written into postgresql.conf once, so that the owner of the folder may change them.
SETTINGS = """
# Set by Glaze for a small machine; yours to change.
shared_buffers = 128MB
max_connections = 100
jit = off
wal_compression = on
autovacuum_naptime = 10s
autovacuum_vacuum_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.05
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_filename = 'server-%w.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 10MB
"""
UNSAFE_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class _RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class _ServerUser:
    """Whom the server runs as; PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @classmethod
    def of(cls, folder: DataFolder) -> "_ServerUser":
        """The owner of the cluster; for a new one, of the folder, or nobody in root's stead."""
        owner = (folder.pgdata if folder.pgdata.exists() else folder.path).stat()
        if owner.st_uid != 0:
            return cls(owner.st_uid, owner.st_gid)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def run_as(self) -> _RunAs:
        """The arguments that make subprocess switch to the user, where that is another one."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


class Server:
    """The postmaster of a data folder, as its one supervisor handles it."""

    def __init__(self, folder: DataFolder, *, unsafe_fast: bool = False) -> None:
        """Choose the programs and the user.

        Raises:
            StoreError: no server installed here can open this data folder.
        """
        self._folder = folder
        self._unsafe_fast = unsafe_fast
        self._user = _ServerUser.of(folder)
        binaries = find_binaries(major=folder.major())
        other = self._user.uid != os.geteuid()
        self._binaries: Binaries = readable_copy(binaries, folder.path) if other else binaries
        self._child: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def initialise(self) -> None:
        """Make the cluster if the folder has none; it appears whole or not at all.

        Raises:
            StoreError: ``initdb`` failed; the message carries what it said.
        """
        if self._folder.pgdata.exists():
            return
        if not self._folder.password_file.exists():
            self._folder.write_private(self._folder.password_file, secrets.token_urlsafe(24))
        new = self._folder.pgdata.with_name("pgdata.new")
        shutil.rmtree(new, ignore_errors=True)  # left by a supervisor that died in here
        new.mkdir(mode=0o700)
        os.chown(new, self._user.uid, self._user.gid)
        self._initdb(new)
        # O_NOFOLLOW: the folder is another user's, and as root we write only what is in it
        conf = os.open(new / "postgresql.conf", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        with os.fdopen(conf, "a") as file:
            file.write(SETTINGS)
            file.flush()
            os.fsync(conf)
        new.rename(self._folder.pgdata)
        self._folder.sync()

    def _initdb(self, pgdata: Path) -> None:
        command = [str(self._binaries.folder / "initdb"), "-D", self._seen_by_server(pgdata)]
        command += ["-U", SUPERUSER, "--auth=scram-sha-256", "--pwfile=/dev/stdin"]
        command += ["--encoding=UTF8", "--locale=C"]
        if self._binaries.major >= BUILTIN_LOCALE_MAJOR:
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self._unsafe_fast:
            command.append("--no-sync")
        with tempfile.TemporaryFile() as password:  # nameless, and never on a command line
            password.write(self._folder.password_file.read_bytes())
            password.seek(0)
            os.fchown(password.fileno(), self._user.uid, -1)
            done = subprocess.run(  # noqa: S603  our own arguments
                command,
                stdin=password,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd=pgdata,
                env=_environment(),
                **self._user.run_as(),
            )
        if done.returncode != 0:
            raise StoreError(f"initdb failed in {pgdata}:\n{done.stdout[-4000:]}")

    def start(self) -> None:
        """Bring the server to where it accepts connections; a live one of ours is adopted.

        Waits for as long as crash recovery takes.

        Raises:
            StoreUnavailable: the server gave up again and again; the message carries its log.
        """
        crashed = self._folder.postmaster() is not None
        logs = {log: log.stat().st_size for log in self._logs()}
        for attempt in range(ATTEMPTS_AFTER_CRASH if crashed else ATTEMPTS):
            if attempt:
                time.sleep(ATTEMPT_PAUSE_S)
            self._adopt_or_launch()
            if self._becomes_ready():
                return
        said = "\n".join(tail(log, since=logs.get(log, 0)) for log in self._logs())
        raise StoreUnavailable(f"PostgreSQL does not start in {self._folder.pgdata}\n{said}")

    def _logs(self) -> list[Path]:
        return sorted((self._folder.pgdata / "log").glob("*"))

    def exited(self, *, within_s: float) -> bool:
        """Wait up to ``within_s`` for the postmaster to end; say whether it has."""
        try:
            handle = os.pidfd_open(self._pid)
        except ProcessLookupError:
            pass
        except (AttributeError, OSError):  # macOS, or an old kernel, cannot wait for it
            deadline = time.monotonic() + within_s
            while self._alive() and time.monotonic() < deadline:
                time.sleep(POLL_S)
        else:
            try:
                select.select([handle], [], [], within_s)
            finally:
                os.close(handle)
        return not self._alive()

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, sessions end, all is on disk."""
        for signum, patience_s in ((signal.SIGINT, FAST_STOP_S), (signal.SIGQUIT, FAST_STOP_S)):
            if not self._alive():
                return
            os.kill(self._pid, signum)
            if self.exited(within_s=patience_s):
                return
        logging.getLogger(__name__).error("postmaster %d does not stop", self._pid)

    def _adopt_or_launch(self) -> None:
        lock = self._folder.postmaster()
        if lock and _is_postmaster_of(lock.pid, self._folder):
            self._child, self._pid = None, lock.pid
            return
        endpoint = Endpoint(self._port(), self._unsafe_fast)
        self._folder.write_endpoint(endpoint)
        settings = {
            "glaze.data_folder": str(self._folder.path),  # how a postmaster is known as ours
            "port": str(endpoint.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": ".",  # relative to the cluster: no path is too long
            **(UNSAFE_FAST if self._unsafe_fast else {}),
        }
        command = [str(self._binaries.folder / "postgres")]
        command += ["-D", self._seen_by_server(self._folder.pgdata)]
        command += [f"--{name}={value}" for name, value in settings.items()]
        self._child = subprocess.Popen(  # noqa: S603  our own arguments
            command,
            stdin=subprocess.DEVNULL,
            cwd=self._folder.pgdata,
            # A killed postmaster that nobody has reaped yet, or another process with its number,
            # would block the start. The server takes the pid of its grandparent for no obstacle.
            env=_environment(**({"PG_GRANDPARENT_PID": str(lock.pid)} if lock else {})),
            start_new_session=True,
            **self._user.run_as(),
        )
        self._pid = self._child.pid

    def _seen_by_server(self, pgdata: Path) -> str:
        """The cluster's path for a server that starts with the cluster as working directory.

        Another user may lack permission for a folder above the cluster. The kernel's link to the
        working directory leads in without passing there, and no permission has to be loosened.
        """
        if self._user.uid == os.geteuid() or reachable(self._folder.path):
            return str(pgdata)
        if not Path(HERE).exists() or self._binaries.major < REALPATH_MAJOR:
            raise StoreError(
                f"the server runs as user {self._user.uid}, who cannot reach {self._folder.path}: "
                "choose a data folder that every user can pass through, such as /var/lib/glaze"
            )
        return HERE

    def _port(self) -> int:
        """The port of the last start if it is free, for clients remember it; else any free one."""
        last = self._folder.endpoint()
        if last is not None and (port := _free_port(last.port)):
            return port
        return _free_port(0)

    def _becomes_ready(self) -> bool:
        while True:
            told = self._folder.postmaster()
            if told and told.pid == self._pid and told.ready:
                return True
            if self.exited(within_s=POLL_S):
                return False

    def _alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return _is_postmaster_of(self._pid, self._folder)


class _Probe(socketserver.TCPServer):
    allow_reuse_address = True  # as PostgreSQL does: connections in TIME_WAIT are no obstacle


def _free_port(port: int) -> int:
    """Return ``port`` (0: any) of 127.0.0.1 if it can be bound, else 0."""
    try:
        with _Probe(("127.0.0.1", port), socketserver.BaseRequestHandler) as probe:
            return int(probe.server_address[1])
    except OSError:
        return 0


def _is_postmaster_of(pid: int, folder: DataFolder) -> bool:
    """Whether ``pid`` is a live server that was started for this data folder.

    The command line tells, which is readable without rights over the process, and empty for one
    that is dead but not reaped.
    """
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        if Path("/proc/self").exists():
            return False
        ps = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        told = subprocess.run(ps, capture_output=True, check=False)  # noqa: S603  a number
        return os.fsencode(f"--glaze.data_folder={folder.path} --") in told.stdout
    return os.fsencode(f"--glaze.data_folder={folder.path}") in arguments


def _environment(**more: str) -> Mapping[str, str]:
    """What the server needs to know, and no secret of the process that started it."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"} | more
