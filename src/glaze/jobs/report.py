"""What a worker process tells its manager, a line a second on standard output."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psutil

from glaze.jobs.retry import going_on
from glaze.jobs.tally import Tally
from glaze.jobs.worker import Worker
from glaze.model.value import WorkerId

EVERY_S = 1.0
RECYCLE_CODE = 75
"""Exit code of a worker that passed its memory limit: start a fresh one (EX_TEMPFAIL)."""


@dataclass(frozen=True, slots=True)
class Report:
    """One line. ``worker_id`` is None before it is registered and once it drains."""

    worker_id: WorkerId | None
    slots_in_use: int
    memory_bytes: int
    tally: Tally

    def line(self) -> bytes:
        """Return the report as one line of JSON."""
        told = [self.worker_id, self.slots_in_use, self.memory_bytes, self.tally.as_json()]
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """Return the report that ``line`` of the same version made."""
        worker_id, slots_in_use, memory_bytes, tally = json.loads(line)
        return cls(worker_id, slots_in_use, memory_bytes, Tally.of_json(tally))


def take_output() -> int:
    """Keep standard output for reports; whatever else is printed goes to standard error.

    Returns: the descriptor to report to.
    """
    channel = os.dup(1)
    os.dup2(2, 1)
    return channel


async def report(worker: Worker, channel: int) -> None:
    """Tell the manager until cancelled; the last line is written then."""
    memory = psutil.Process().memory_info
    try:
        while going_on():
            _tell(channel, worker, int(memory().rss))
            await asyncio.sleep(EVERY_S)
    finally:
        _tell(channel, worker, int(memory().rss))


def _tell(channel: int, worker: Worker, memory_bytes: int) -> None:
    told = Report(worker.worker_id, worker.slots[0], memory_bytes, worker.tally)
    with suppress(BrokenPipeError):  # the manager is gone, which its other pipe tells
        os.write(channel, told.line())


async def manager_gone() -> None:
    """Wait until the manager's end of standard input is closed, as its death does too."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_read_pipe(lambda: protocol, sys.stdin)
    try:
        await reader.read()
    finally:
        transport.close()
