"""A server as a process of its own, for as long as a benchmark asks it."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

_HANG_S = 60.0


class Served(NamedTuple):
    """Where it listens on this machine, and what it is."""

    port: int
    process: Process

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(command: list[str], port: int, **environment: str) -> AsyncIterator[Served]:
    """Run Python with ``command`` and wait until it listens on ``port``; end it after the block."""
    # What sizes a benchmark is no setting of the product, which refuses what it does not know.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GLAZE_BENCH")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=kept | environment, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(_HANG_S):
            while not await _listens(port):  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(0.1)
        yield Served(port, process)
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
