"""Which jobs an action from outside is about, and what it changes of them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from glaze.errors import InputError
from glaze.model.job import TERMINAL, JobState
from glaze.model.label import checked_tags, checked_time, checked_webhook
from glaze.model.value import JobId

OPEN = frozenset(JobState) - TERMINAL
"""The states of what has not come to its end."""

NOT_BEGUN = OPEN - {JobState.PROCESSING}
"""The states of what no worker holds."""

_LEAST_URGENT = 5


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs: those that meet every criterion given; an empty one asks for nothing.

    Rows of a batch are never among them: they are seen and steered with their batch. Times are
    aware; ``after`` includes its moment, ``before`` does not.
    """

    ids: tuple[JobId, ...] | None = None  # None: whatever their ids
    states: frozenset[JobState] = frozenset()
    kinds: tuple[str, ...] = ()
    kinds_not: tuple[str, ...] = ()  # is of none of them
    queues: tuple[str, ...] = ()
    tags_any: tuple[str, ...] = ()  # has at least one of them
    tags_all: tuple[str, ...] = ()  # has all of them
    created_after: datetime | None = None
    created_before: datetime | None = None
    finished_after: datetime | None = None
    finished_before: datetime | None = None
    error_code: str | None = None  # of the last error
    slower_s: float | None = None  # took so many seconds or more, of those that have ended
    text: str | None = None  # every word of it, or how it begins, stands in the arguments

    @property
    def is_everything(self) -> bool:
        """Tell whether every job of the workspace meets it."""
        return self == Filter()

    def within(self, allowed: Collection[JobState]) -> Self:
        """Return the part of it whose jobs are in one of the states ``allowed``.

        Raises: InputError where it asks for other states only.
        """
        states = (self.states or frozenset(allowed)) & frozenset(allowed)
        if not states:
            asked = ", ".join(sorted(self.states))
            takes = ", ".join(state for state in JobState if state in allowed)
            raise InputError(f"this cannot be done to jobs that are {asked}; it takes {takes}")
        return replace(self, states=states)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes different about jobs that have not begun; None leaves a thing as it is."""

    priority: int | None = None  # 1 to 5
    due_at: datetime | None = None  # a moment that has passed: now; before the year 3000
    tags: tuple[str, ...] | None = None  # in place of those it has; () takes them off
    webhook_url: str | None = None  # "" takes it off

    def checked(self) -> Self:
        """Return it with its tags each once.

        Raises: InputError where nothing is changed, or a value cannot be had.
        """
        if self == type(self)():
            raise InputError("nothing to change: give a priority, a due time, tags or a webhook")
        if self.priority is not None and not 1 <= self.priority <= _LEAST_URGENT:
            raise InputError(f"priority {self.priority}: it is 1 (most urgent) to 5")
        if self.due_at is not None:
            checked_time(self.due_at, "due time")
        if self.webhook_url:
            checked_webhook(self.webhook_url)
        return self if self.tags is None else replace(self, tags=checked_tags(self.tags))
