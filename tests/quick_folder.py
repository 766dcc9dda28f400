"""Where the tests' server keeps its data: a database a test is thousands of small files in a minute."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30
"""Bytes that have to be free there: several servers share it, each with some 300 MB."""
_NAME = "glaze-tests-"
_PATIENCE_S = 10.0


@contextmanager
def quick_folder(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder in memory, where there is room, else one of pytest's.

    On a disk copying a database takes the kernel ten times as long, which was half of all the time
    that the tests took. Once the body has let go of the server, the folder is deleted.
    """
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield factory.mktemp("pg")
        return
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=_MEMORY))
    try:
        yield folder
    finally:
        until = time.monotonic() + _PATIENCE_S
        while any(folder.rglob("postmaster.pid")) and time.monotonic() < until:
            time.sleep(0.05)  # another process tells nobody when it has ended
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Delete what tests left there that were killed: their servers have ended with them."""
    for folder in _MEMORY.glob(f"{_NAME}*"):
        whose = folder.name.removeprefix(_NAME).partition("-")[0]
        if whose.isdecimal() and not psutil.pid_exists(int(whose)):
            shutil.rmtree(folder, ignore_errors=True)
