"""What the whole process shares: its event loop, garbage collection and clock."""

import gc
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

import uvloop

_GARBAGE_THRESHOLDS = (50_000, 20, 50)
"""Python's own (700, 10, 10) suit a script: a worker's thousands of short-lived objects a second
made the collector a fifth of its work."""

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` on uvloop, as all that this process does; return what it returns."""
    collect_rarely()
    return uvloop.run(main)


def collect_rarely() -> None:
    """Leave what the imports made out of every collection, and collect at a server's pace."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def utc_now() -> datetime:
    """Return the time: the clock of a running process."""
    return datetime.now(UTC)  # noqa: TID251  the one place that reads it
