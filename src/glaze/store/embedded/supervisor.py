"""The detached process that owns an embedded server: starts it, restarts it, stops it when unused.

Run as ``python -m glaze.store.embedded.supervisor DATA_DIR --lock-fd N`` by whoever needs a server
and finds no supervisor; ``N`` is the supervisor's lock, open and already taken, so that there is no
moment at which two could be started.
"""

import argparse
import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from glaze.errors import GlazeError
from glaze.store.embedded.folder import DataFolder, FolderLock
from glaze.store.embedded.server import Server

TICK_S = 0.5

log = logging.getLogger("glaze.store.embedded")


def main(arguments: list[str] | None = None) -> int:
    """Detach, then supervise until the server is unused; the exit code is 1 if it cannot run."""
    parser = argparse.ArgumentParser(description="Own the embedded PostgreSQL of a data folder.")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--lock-fd", type=int, required=True)
    parser.add_argument("--idle-s", type=float, default=10.0)
    parser.add_argument("--unsafe-fast", action="store_true")
    options = parser.parse_args(arguments)
    if os.fork():  # init becomes the parent, and reaps it, however long the starter lives on
        os._exit(0)
    os.setsid()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(process)d] %(message)s")
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _exit)
    folder = DataFolder(options.data_dir)
    try:
        with (
            FolderLock(folder.supervisor_lock, fd=options.lock_fd) as supervisor,
            FolderLock(folder.users_lock) as users,
        ):
            server = Server(folder, unsafe_fast=options.unsafe_fast)
            server.initialise()
            supervise(server, supervisor=supervisor, users=users, idle_s=options.idle_s)
    except (GlazeError, OSError) as error:
        log.error("%s", error)  # noqa: TRY400  users are shown this text, not our stack
        return 1
    return 0


def supervise(server: Server, *, supervisor: FolderLock, users: FolderLock, idle_s: float) -> None:
    """Keep the server running until no user has held its lock for ``idle_s`` seconds.

    On return the server is stopped, and the users' lock still held: who comes now waits for the end
    of this process and starts the next.

    Raises:
        StoreUnavailable: the server does not start.
    """
    try:
        server.start()
        log.info("server is ready")
        unused_since = None
        while supervisor.in_place() and users.in_place():  # else the folder was deleted
            if server.exited(within_s=min(TICK_S, idle_s / 4)):
                log.warning("server died, starting it again")
                server.start()
                log.info("server is ready again")
            if not users.take():
                unused_since = None
                continue
            unused_since = unused_since or time.monotonic()
            if time.monotonic() - unused_since >= idle_s:
                log.info("no user for %g s, stopping", idle_s)
                break
            users.drop()
    finally:
        server.stop()


def _exit(_signum: int, _frame: FrameType | None) -> None:
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, signal.SIG_IGN)  # stopping is under way
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
