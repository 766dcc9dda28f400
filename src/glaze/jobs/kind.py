"""The contract of a job kind: what it takes, what it does, how it is tried again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from glaze.errors import ArgsInvalid, Fault
from glaze.model.job import ClaimedJob, NewJob, RetryPolicy
from glaze.model.outcome import Outcome
from glaze.model.value import Json
from glaze.store.batch import NewBatch

A = TypeVar("A", bound=BaseModel)

Note: TypeAlias = Callable[[str, Json], None]
"""Takes an event's type and data; it is written with the next group of outcomes."""


def _unheard(_type: str, _data: Json) -> None:
    """Nobody listens: the job runs outside a worker."""


def _any(_args: BaseModel) -> None:
    """Whatever the model takes can be done."""


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
    where its jobs go unless the caller says otherwise. ``check`` raises InputError for arguments
    that the model takes but this installation cannot serve: it is asked before a job is written.
    """

    name: str
    args: type[A]
    run: Callable[[A, JobContext], Awaitable[Outcome]]
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout_s: float = 600.0
    queue: str = "default"
    description: str = ""
    check: Callable[[A], None] = _any

    def parse(self, args: Json) -> A:
        """Read arguments as they came from outside or out of the database.

        Raises: ArgsInvalid with the path of each fault.
        """
        try:
            return self.args.model_validate(args)
        except ValidationError as error:
            raise ArgsInvalid(self.name, _faults(error)) from error

    def job(self, args: A, **options: Any) -> NewJob:
        """Return a job of this kind; ``options`` are fields of NewJob.

        Arguments at their default are left out.
        """
        plain: dict[str, Any] = {"queue": self.queue, "max_attempts": self.retry.max_attempts}
        body = args.model_dump(mode="json", exclude_defaults=True)
        return NewJob(self.name, body, **plain | options)

    def batch(self, settings: Mapping[str, Json], **options: Any) -> NewBatch:
        """Return a batch whose rows are jobs of this kind; ``options`` are fields of NewBatch.

        ``settings`` are the arguments that all rows share; a row is the argument ``input``.
        """
        plain: dict[str, Any] = {"queue": self.queue, "max_attempts": self.retry.max_attempts}
        return NewBatch(self.name, settings, **plain | options)


Kinds: TypeAlias = Mapping[str, Kind[Any]]


def _faults(error: ValidationError) -> list[Fault]:
    return [
        Fault(".".join(map(str, one["loc"])), one["msg"])
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
