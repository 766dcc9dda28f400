"""The contract of a job kind: what it takes, what it does, how it is tried again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel

from glaze.model.job import ClaimedJob, NewJob, RetryPolicy
from glaze.model.outcome import Outcome
from glaze.model.value import Json

A = TypeVar("A", bound=BaseModel)

Note: TypeAlias = Callable[[str, Json], None]
"""Takes an event's type and data; it is written with the next group of outcomes."""


def _unheard(_type: str, _data: Json) -> None:
    """Nobody listens: the job runs outside a worker."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a running job knows of itself."""

    job: ClaimedJob  # its token fences what it writes elsewhere: a reservation checks it
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)  # set when asked to stop
    note: Note = _unheard  # puts a line into the job's log: note("progress", {"percent": 40})


@dataclass(frozen=True, slots=True)
class Kind(Generic[A]):
    """One kind of job. ``run`` returns how the attempt ended; what it raises is tried again.

    An attempt that lasts over ``timeout_s`` seconds is cancelled and tried again. ``queue`` is
    where its jobs go unless the caller says otherwise.
    """

    name: str
    args: type[A]
    run: Callable[[A, JobContext], Awaitable[Outcome]]
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout_s: float = 600.0
    queue: str = "default"

    def job(self, args: A, **options: Any) -> NewJob:
        """Return a job of this kind; ``options`` are fields of NewJob."""
        plain: dict[str, Any] = {"queue": self.queue, "max_attempts": self.retry.max_attempts}
        return NewJob(self.name, args.model_dump(mode="json"), **plain | options)


Kinds: TypeAlias = Mapping[str, Kind[Any]]
