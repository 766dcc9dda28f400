"""Schedules: jobs that recur, and what becomes of the times that were missed or come too early."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from glaze.errors import InputError
from glaze.model.cron import Recurrence
from glaze.model.value import Json

ON_TIME = timedelta(seconds=60)
"""A time that no worker fired for within this span is missed."""

MOVED = timedelta(hours=3)
"""How far a government may move a time by new rules for its zone, and it is still found."""

MOST_MISSED = 100
"""Most jobs that are made at once for missed times, the latest ones."""

LONGEST_NAME = 100


class Overlap(StrEnum):
    """What happens at a time at which the schedule's last job has not ended."""

    SKIP = "skip"  # no job; an event says so
    ALLOW = "allow"  # another job beside it


class Missed(StrEnum):
    """What becomes of times at which nobody was there, or the schedule was paused."""

    SKIP = "skip"  # nothing: it goes on with the next time
    ONCE = "once"  # one job for all of them
    ALL = "all"  # a job each, up to MOST_MISSED


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """A job that recurs; its name is its own within the workspace."""

    name: str
    when: Recurrence
    kind: str
    args: Json
    queue: str = "default"
    priority: int = 3  # 1 is the most urgent, 5 the least
    max_attempts: int = 5
    tags: tuple[str, ...] = ()
    overlap: Overlap = Overlap.SKIP
    missed: Missed = Missed.ONCE

    def __post_init__(self) -> None:
        """Refuse what contradicts itself. Raises: InputError."""
        name = self.name
        if not (0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
            raise InputError(
                f"a schedule's name has 1 to {LONGEST_NAME} printable characters: {name[:50]!r}"
            )
        if self.missed is Missed.ALL and self.overlap is Overlap.SKIP:
            raise InputError(
                "a job for each missed time means several at once: set overlap to allow"
            )


class Dropped(NamedTuple):
    """Times that get no job: from ``first`` on, before ``before``."""

    first: datetime
    before: datetime


class Firing(NamedTuple):
    """What a schedule does now."""

    times: Sequence[datetime]  # a job for each
    dropped: Dropped | None
    next_at: datetime | None  # None: it never comes again


def firing(when: Recurrence, missed: Missed, since: datetime, now: datetime) -> Firing:
    """Decide what is done at ``now`` for the times since ``since``, the first that is open.

    Where ``since`` is no such time any more the zone's rules were changed after it was counted:
    then one that has moved before it counts, and for one that has moved behind it nothing is due.
    """
    due = when.latest(since, now, MOST_MISSED) or when.latest(since - MOVED, now, 1)
    if missed is Missed.ALL:
        times, kept_from = due, since if len(due) < MOST_MISSED else due[0]
    elif missed is Missed.ONCE:
        times, kept_from = due[-1:], since
    else:
        times = [time for time in due[-1:] if now - time <= ON_TIME]
        kept_from = times[0] if times else now
    dropped = Dropped(since, kept_from) if kept_from > since else None
    return Firing(times, dropped, when.next_after(now))
