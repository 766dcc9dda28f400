"""The contract of a job kind: what it takes, what it does, how it is tried again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from glaze.errors import ArgsInvalid, Fault, InputError
from glaze.jobs.journal import Journal, Level, Write
from glaze.logs import followed
from glaze.model.job import ClaimedJob, NewJob, RetryPolicy
from glaze.model.outcome import CalledBack, Outcome, Snooze
from glaze.model.redact import Redactor
from glaze.model.value import JobId, Json, WorkspaceId
from glaze.store.batch import NewBatch
from glaze.store.event import NewEvent
from glaze.traces import traceparent

A = TypeVar("A", bound=BaseModel)


Parents: TypeAlias = Callable[[WorkspaceId, JobId], Awaitable[Mapping[str, Json]]]
"""Loads what the jobs left that a job came after."""


Callbacks: TypeAlias = Callable[
    [WorkspaceId, JobId, str, float], Awaitable[CalledBack | Snooze | None]
]
"""Has a job wait to be told something from outside."""


def _unheard(_job: ClaimedJob, _event: NewEvent) -> None:
    """Nobody listens."""


async def _no_parents(_workspace_id: WorkspaceId, _job_id: JobId) -> Mapping[str, Json]:
    return {}


async def _no_callback(
    _workspace_id: WorkspaceId, _job_id: JobId, _event: str, _within_s: float
) -> None:
    """Nobody calls back."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a worker lends all jobs it runs; by itself it hears nothing and knows no other job."""

    say: Write = _unheard
    redactor: Redactor = field(default_factory=Redactor)
    parents: Parents = _no_parents
    callbacks: Callbacks = _no_callback


def _any(_args: BaseModel) -> None:
    """Whatever the model takes can be done."""


class JobContext:
    """What a running job knows of itself, and where it says how it goes.

    ``job`` is as it was claimed: its token fences what it writes elsewhere, a reservation checks it.
    What few jobs use is made when it is first asked for.
    """

    __slots__ = ("_cancelled", "_host", "_journal", "job")

    def __init__(self, job: ClaimedJob, host: Host) -> None:
        """Let ``job`` know of ``host`` and nothing else."""
        self.job = job
        self._host = host
        self._cancelled: asyncio.Event | None = None
        self._journal: Journal | None = None

    @property
    def cancelled(self) -> asyncio.Event:
        """Set when the job was asked to stop."""
        if self._cancelled is None:
            self._cancelled = asyncio.Event()
        return self._cancelled

    @property
    def journal(self) -> Journal:
        """What this attempt says of itself."""
        if self._journal is None:
            self._journal = Journal(self._host.say, self._host.redactor)
        return self._journal

    async def parent_results(self) -> Mapping[str, Json]:
        """Return the results of the jobs that this one came after; None where one left nothing.

        They are named by step in a workflow, else by id as text, and read when asked for. A batch
        has no result of its own: its rows are read through it.
        """
        return await self._host.parents(self.job.workspace_id, self.job.id)

    async def callback(self, event: str, *, within_s: float) -> CalledBack | Snooze | None:
        """Wait to be told ``event`` from outside, by ``POST /v1/callbacks/jobs``.

        Returns: What was said; or the ``Snooze`` to return, after which the job runs anew as soon
        as it is told, or when ``within_s`` seconds from the first call are over; None once they are.
        """
        return await self._host.callbacks(self.job.workspace_id, self.job.id, event, within_s)

    def progress(self, percent: float, message: str = "") -> None:
        """Say how far the job is, 0 to 100, and what it is at: ``progress(40, "asked Apollo")``.

        It is written with the next group of outcomes, where several came only the last.
        """
        self.journal.progress(self.job, percent, message)

    def log(self, level: Level, message: str, /, **facts: object) -> None:
        """Log a line; from info on it stands in the job's log, too.

        Secrets and personal data are masked, long ones cut, and an attempt has 200 lines.
        """
        self.journal.log(self.job, level, message, facts)


@dataclass(frozen=True, slots=True)
class Kind(Generic[A]):
    """One kind of job. ``run`` returns how the attempt ended; what it raises is tried again.

    An attempt that lasts over ``timeout_s`` seconds is cancelled and tried again. ``queue`` is
    where its jobs go unless the caller says otherwise. ``check`` raises InputError for arguments
    that the model takes but this installation cannot serve: it is asked before a job is written.
    A bounded run (serverless) begins one only while ``least_s`` seconds are left, by default
    ``timeout_s``: less where what was done of an attempt that is broken off is not lost.
    Where ``alert_after`` jobs or more died within an hour, an alert is raised, once an hour.
    Jobs of an ``internal`` kind are made by the product alone, with what they belong to: nobody asks
    for one from outside, however it would be made.
    """

    name: str
    args: type[A]
    run: Callable[[A, JobContext], Awaitable[Outcome]]
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout_s: float = 600.0
    queue: str = "default"
    least_s: float | None = None
    alert_after: int | None = None
    description: str = ""
    check: Callable[[A], None] = _any
    internal: bool = False

    def parse(self, args: Json) -> A:
        """Read arguments as they came from outside or out of the database.

        Raises: ArgsInvalid with the path of each fault.
        """
        try:
            return self.args.model_validate(args)
        except ValidationError as error:
            raise ArgsInvalid(self.name, _faults(error)) from error
        except ArgsInvalid:
            raise
        except InputError as error:  # from a model's own validator, which knows no path
            raise ArgsInvalid(self.name, [Fault("", str(error))]) from error

    @property
    def shortest_s(self) -> float:
        """Seconds that must be left of a bounded run to begin one."""
        return self.timeout_s if self.least_s is None else self.least_s

    def facts(self) -> dict[str, Json]:
        """Return what there is to know of it, with the JSON schema of its arguments."""
        return {
            "name": self.name,
            "description": self.description,
            "queue": self.queue,
            "internal": self.internal,
            "timeout_s": self.timeout_s,
            "retry": asdict(self.retry),
            "args": self.args.model_json_schema(),
        }

    def _plain(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            "max_attempts": self.retry.max_attempts,
            "correlation_id": followed(),
        }

    def job(self, args: A, **options: Any) -> NewJob:
        """Return a job of this kind; ``options`` are fields of NewJob.

        Arguments at their default are left out. Who asks for it (a request, a command, a running
        job) passes its correlation id on.
        """
        body = args.model_dump(mode="json", exclude_defaults=True)
        asked = {"traceparent": traceparent()} | self._plain()
        return NewJob(self.name, body, **asked | options)

    def batch(self, settings: Mapping[str, Json], **options: Any) -> NewBatch:
        """Return a batch whose rows are jobs of this kind; ``options`` are fields of NewBatch.

        ``settings`` are the arguments that all rows share; a row is the argument ``input``.
        """
        return NewBatch(self.name, settings, **self._plain() | options)


Kinds: TypeAlias = Mapping[str, Kind[Any]]


def _faults(error: ValidationError) -> list[Fault]:
    return [
        Fault(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, "))
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
