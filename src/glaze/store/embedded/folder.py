"""What lies in an embedded server's data folder, as its users and its supervisor both read it."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from glaze.errors import StoreError

SUPERUSER = "glaze"
LONGEST_SOCKET_PATH = 100  # bytes; sun_path holds 104 on macOS and 108 on Linux, with its NUL


def open_private(path: Path, flags: int) -> int:
    """Open a file of the data folder, made 0600 where it is missing, and return its descriptor.

    What root makes belongs to the folder's owner, who may come too. Links are not followed: in
    another user's folder, root must not be led to other files.
    """
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags | os.O_NOFOLLOW)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)
    return fd


class FolderLock:
    """A ``flock`` on one file of the data folder.

    The kernel drops it with the last process that holds the open file, however that process died:
    a lock file left behind means nothing.
    """

    def __init__(self, path: Path, *, fd: int | None = None) -> None:
        """Open the lock file of ``path``, or go on with ``fd``, inherited open and locked."""
        self._path = path
        self.fd = open_private(path, os.O_RDWR) if fd is None else fd
        os.set_inheritable(self.fd, False)

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock if that needs no waiting; say whether it is held now."""
        try:
            fcntl.flock(self.fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def drop(self) -> None:
        """Let others take the lock; the file stays open."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def in_place(self) -> bool:
        """Whether the path still leads to this file: a lock on a deleted file excludes nobody."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self.fd))
        except FileNotFoundError:
            return False

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self.fd < 0

    def close(self) -> None:
        """Close the file: the lock ends, unless a child process inherited it. Idempotent."""
        if not self.closed:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        """Close at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


@dataclass(frozen=True)
class Endpoint:
    """How the running server, or the last one, was started."""

    port: int
    unsafe_fast: bool  # a crash of the machine may lose or corrupt data: for tests


@dataclass(frozen=True)
class PostmasterFile:
    """The lines of ``postmaster.pid`` that matter here (PostgreSQL, miscadmin.h)."""

    pid: int
    ready: bool  # accepts connections


@dataclass(frozen=True)
class DataFolder:
    """The paths in a data folder, and what their files say."""

    path: Path  # absolute

    @property
    def pgdata(self) -> Path:
        """The cluster; 0700, of the server's user; the Unix socket lies in it as well."""
        return self.path / "pgdata"

    @property
    def users_lock(self) -> Path:
        """Held shared by every user for as long as it may connect."""
        return self.path / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held exclusively by the one supervisor."""
        return self.path / "supervisor.lock"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor, ``initdb`` and a server that cannot start have to say."""
        return self.path / "supervisor.log"

    @property
    def password_file(self) -> Path:
        """The superuser's password, 0600."""
        return self.path / "password"

    @property
    def endpoint_file(self) -> Path:
        """The port, and whether the server is durable, as JSON."""
        return self.path / "server.json"

    def create(self) -> None:
        """Make the folder where it is missing; what exists keeps its permissions.

        Root's lets others pass through, for the server's user must reach what is its own in there;
        every file of ours is 0600, and the cluster 0700.
        """
        self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)

    def major(self) -> int | None:
        """The PostgreSQL major version of the cluster, or None before the first start."""
        try:
            return int((self.pgdata / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def endpoint(self) -> Endpoint | None:
        """How the server was last started, or None if it never was."""
        try:
            return Endpoint(**json.loads(self.endpoint_file.read_text()))
        except FileNotFoundError:
            return None

    def write_endpoint(self, endpoint: Endpoint) -> None:
        """Record how the server is about to be started; readers see the old or the new whole."""
        self.write_private(self.endpoint_file, json.dumps(asdict(endpoint)))

    def write_private(self, path: Path, text: str) -> None:
        """Write a 0600 file so that it is there whole or not at all, after a power cut too."""
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        with os.fdopen(open_private(new, os.O_WRONLY), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        self.sync()

    def sync(self) -> None:
        """Make renames in the folder durable."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def postmaster(self) -> PostmasterFile | None:
        """What the postmaster says of itself; it may be dead by now. None without its file."""
        try:
            lines = (self.pgdata / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if not lines or not lines[0].strip().isdigit():
            return None
        return PostmasterFile(int(lines[0]), ready=lines[7:8] == ["ready   "])

    def dsn(self, endpoint: Endpoint) -> str:
        """The libpq URL of the cluster's superuser.

        It leads over the Unix socket, or over 127.0.0.1 where the socket's path would be too long,
        or has a comma, which separates hosts.

        Raises:
            StoreError: the password file is gone.
        """
        try:
            password = self.password_file.read_text()
        except FileNotFoundError:
            raise StoreError(
                f"{self.password_file} is missing, and without it nobody can log in to the "
                f"database in {self.pgdata}; restore the file from a backup of the folder"
            ) from None
        socket = os.fsencode(self.pgdata / f".s.PGSQL.{endpoint.port}")
        by_socket = len(socket) <= LONGEST_SOCKET_PATH and b"," not in socket
        host = str(self.pgdata) if by_socket else "127.0.0.1"
        return (
            f"postgresql://{SUPERUSER}:{quote(password, safe='')}@/postgres"
            f"?host={quote(host, safe='')}&port={endpoint.port}"
        )


def tail(path: Path, *, since: int = 0, lines: int = 20) -> str:
    """The last lines of a log from byte ``since`` on, or an empty text without the file."""
    try:
        with path.open("rb") as log:
            log.seek(max(since, log.seek(0, os.SEEK_END) - 64 * 1024))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
