"""A job's states, its legal transitions, its lease token and its retry policy."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from glaze.errors import InputError
from glaze.model.value import BatchId, JobId, Json, WorkerId, WorkflowId, WorkspaceId


class JobState(StrEnum):
    """Where a job stands. A terminal state is left only by an explicit retry (a new round)."""

    WAITING = "waiting"  # a dependency is open, nothing else
    SCHEDULED = "scheduled"  # due in the future: run at, backoff or snooze
    PENDING = "pending"  # due now, free to claim
    PROCESSING = "processing"  # claimed; its token names the worker
    COMPLETED = "completed"  # did all it was asked
    PARTIAL = "partial"  # asked properly, not everything was to be had
    FAILED = "failed"  # permanent error
    DEAD = "dead"  # attempts exhausted, expired, or poison
    CANCELLED = "cancelled"  # by the user


TERMINAL = frozenset(
    {
        JobState.COMPLETED,
        JobState.PARTIAL,
        JobState.FAILED,
        JobState.DEAD,
        JobState.CANCELLED,
    },
)

_LEGAL: dict[JobState, frozenset[JobState]] = {
    JobState.WAITING: frozenset(
        {JobState.SCHEDULED, JobState.PENDING, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.SCHEDULED: frozenset({JobState.PENDING, JobState.DEAD, JobState.CANCELLED}),
    JobState.PENDING: frozenset(
        {JobState.PROCESSING, JobState.SCHEDULED, JobState.DEAD, JobState.CANCELLED}
    ),
    JobState.PROCESSING: TERMINAL | {JobState.SCHEDULED, JobState.PENDING},
    **dict.fromkeys(TERMINAL, frozenset({JobState.PENDING, JobState.SCHEDULED})),
}


def may_become(now: JobState, then: JobState) -> bool:
    """Tell whether a job in state ``now`` may go to ``then``; all writes ask this."""
    return then in _LEGAL[now]


class Token(NamedTuple):
    """The fencing token of one claim: only its holder may write the job's outcome."""

    worker_id: WorkerId
    claim_no: int


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long apart a failing job is tried.

    Attempt 1 runs at once; the wait before attempt n+1 is ``base_s * multiplier ** (n - 1)``,
    at most ``cap_s``, spread by plus or minus ``jitter`` (a fraction).
    """

    max_attempts: int = 5
    base_s: float = 60.0
    multiplier: float = 2.0
    cap_s: float = 3600.0
    jitter: float = 0.1

    def delay_s(self, attempt: int, rng: random.Random) -> float:
        """Return the seconds to wait after the failure of attempt number ``attempt`` (from 1)."""
        plain = min(self.cap_s, self.base_s * self.multiplier ** (attempt - 1))
        return plain * (1 + self.jitter * rng.uniform(-1, 1))


INTERACTIVE = RetryPolicy(base_s=1.0, cap_s=300.0)
"""The policy of jobs that a person waits for: 1 s doubling to 300 s."""


class IfFailed(StrEnum):
    """What becomes of a job one of whose parents does not succeed (failed, dead, cancelled)."""

    CANCEL = "cancel"  # it is cancelled, at once
    FAIL = "fail"  # it fails, at once
    RUN = "run"  # an end is an end: it runs once the others are at theirs


@dataclass(frozen=True, slots=True)
class After:
    """What a job waits for: another job, or a whole batch; it must exist already.

    Raises: InputError unless exactly one of the two is named.
    """

    job: JobId | None = None
    if_failed: IfFailed = IfFailed.CANCEL
    batch: BatchId | None = None

    def __post_init__(self) -> None:
        """Check that there is one parent."""
        if (self.job is None) == (self.batch is None):
            raise InputError("a job comes after one job or one batch: name exactly one")


MOST_PARENTS = 1000


def checked_after(after: Sequence[After]) -> tuple[After, ...]:
    """Return ``after``, each once.

    Raises: InputError for over 1,000, or a parent with two policies.
    """
    kept = tuple(dict.fromkeys(after))
    if len(kept) > MOST_PARENTS:
        raise InputError(
            f"{len(kept)} parents; a job comes after at most {MOST_PARENTS}: put more into a batch"
        )
    if len({(one.job, one.batch) for one in kept}) < len(kept):
        raise InputError("a job comes after the same parent with two policies")
    return kept


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to enqueue. ``due_at`` in the future makes it scheduled, else it is pending.

    With ``after`` it waits until all of these are at their end.
    """

    kind: str
    args: Json
    queue: str = "default"
    priority: int = 3  # 1 is the most urgent, 5 the least
    due_at: datetime | None = None
    max_attempts: int = 5
    expires_at: datetime | None = None
    idempotency_key: str | None = None
    correlation_id: str | None = None
    tags: tuple[str, ...] = ()  # at most 20 of 1 to 64 characters each
    webhook_url: str | None = None  # told of the end
    replay_of: JobId | None = None  # the job whose work it repeats
    after: tuple[After, ...] = ()  # at most 1,000; a batch is one
    workflow_id: WorkflowId | None = None
    step: str | None = None  # its name within the workflow
    traceparent: str | None = None  # the span that it was asked for in


class ClaimedJob(NamedTuple):
    """A job in the hands of one worker, as the claim returned it.

    A tuple, and in the order of the claim's columns: thousands are made a second.
    """

    workspace_id: WorkspaceId
    id: JobId
    kind: str
    attempt: int  # this try, counted at the claim, from 1; a snooze gives it back
    max_attempts: int
    created_at: datetime  # of a batch row: when its batch was made
    batch_id: BatchId | None
    row_no: int | None
    correlation_id: str | None
    worker_id: WorkerId
    claim_no: int
    args: Json = None  # None until they are loaded
    traceparent: str | None = None  # as args

    @property
    def token(self) -> Token:
        """What only this claim may write with."""
        return Token(self.worker_id, self.claim_no)
