"""What the job statements are given: new jobs, attempts at their end, jobs taken back; as JSON rows."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, assert_never

from glaze.errors import InputError
from glaze.model.job import After, ClaimedJob, JobState, NewJob, checked_after, may_become
from glaze.model.label import checked_tags, checked_time, checked_webhook
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Partial, Retry, Snooze
from glaze.model.value import Json
from glaze.store.text import storable

DEATHS_OF_POISON = 3
_LONGEST_MESSAGE = 2000
_SURROGATE = re.compile("[\ud800-\udfff]")

Row = dict[str, Any]


def encode(value: Json) -> str:
    """Return ``value`` as JSON text that PostgreSQL can hold.

    Raises: InputError when it is not JSON (a foreign type, a cycle, NaN, too deep).
    """
    try:
        text = _dumps(value)
        if "\\u0000" in text or (not text.isascii() and _SURROGATE.search(text)):
            text = _dumps(storable(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from error
    return text


_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


_WITHOUT_RESULT = (Retry, Snooze)


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt at its end, ready to be written; ``body`` is the result as JSON text."""

    job: ClaimedJob
    outcome: Outcome
    body: str | None = None
    stack: str | None = None

    @classmethod
    def of(cls, job: ClaimedJob, outcome: Outcome, *, stack: str | None = None) -> Self:
        """Encode the result of ``outcome``.

        Raises: InputError when the result is not JSON.
        """
        result = None if isinstance(outcome, _WITHOUT_RESULT) else outcome.result
        return cls(job, outcome, None if result is None else encode(result), stack)


def job_row(n: int, job: NewJob) -> Row:
    """Return the row of a job to enqueue; ``n`` is its place in the call.

    Raises: InputError for a bad tag, webhook or time, too many parents or one parent twice.
    """
    return {
        "n": n,
        "kind": job.kind,
        "queue": job.queue,
        "priority": job.priority,
        "max_attempts": job.max_attempts,
        "correlation_id": job.correlation_id,
        "expires_at": job.expires_at and checked_time(job.expires_at, "expires_at").isoformat(),
        "due_at": job.due_at and checked_time(job.due_at, "due_at").isoformat(),
        "args": job.args,
        **({"traceparent": job.traceparent} if job.traceparent else {}),
    } | _labels(job)


def _labels(job: NewJob) -> Row:
    """Return what few jobs have, and only what this one has: the row travels as text."""
    row: Row = {}
    if job.tags:
        row["tags"] = checked_tags(job.tags)
    if job.webhook_url is not None:
        row["webhook_url"] = checked_webhook(job.webhook_url)
    if job.replay_of is not None:
        row["replay_of"] = job.replay_of
    if job.after:
        row["after"] = [after_row(one) for one in checked_after(job.after)]
    if job.workflow_id is not None:
        row |= {"workflow_id": job.workflow_id, "step": job.step}
    return row


def after_row(after: After) -> Row:
    """Return what an edge says of the parent."""
    return {"parent_id": after.job, "batch_id": after.batch, "if_failed": after.if_failed}


def body_hash(job: NewJob) -> str:
    """Return the hash (hex) of what an idempotency key stands for."""
    due = None if job.due_at is None else job.due_at.isoformat()
    body: list[Json] = [job.kind, job.args, job.queue, job.priority, job.max_attempts, due]
    if labels := _labels(job):  # absent ones leave the hash as older versions wrote it
        body.append(labels)
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def ended_row(ended: Ended) -> Row:
    """Return the row that writes the end of one attempt."""
    job = ended.job
    row: Row = {
        "id": job.id,
        "worker_id": job.worker_id,
        "claim_no": job.claim_no,
    }
    row |= _change(ended)
    _check(row["state"])
    if ended.body is not None:
        row["body"] = ended.body
    return row


_PLAIN_ENDS: dict[type[Outcome], JobState] = {
    Done: JobState.COMPLETED,
    Partial: JobState.PARTIAL,
    Cancelled: JobState.CANCELLED,
}


def _change(ended: Ended) -> Row:
    match ended.outcome:
        case Done() | Partial() | Cancelled():
            return {"state": _PLAIN_ENDS[type(ended.outcome)]}
        case Failed(code, message):
            return {"state": JobState.FAILED} | _failure(ended, code, message)
        case Retry(code, message) if ended.job.attempt >= ended.job.max_attempts:
            return {"state": JobState.DEAD} | _failure(ended, code, message)
        case Retry(code, message, delay_s):
            again = {"state": JobState.SCHEDULED, "type": "retried", "delay_s": delay_s or 0.0}
            return again | _failure(ended, code, message)
        case Snooze(until, reason):
            return {
                "state": JobState.SCHEDULED,
                "type": "snoozed",
                "due_at": until.isoformat(),
                "given_back": 1,
                "data": {"reason": reason, "until": until.isoformat()},
            }
        case _ as other:
            assert_never(other)


def _failure(ended: Ended, code: str, message: str) -> Row:
    message = message[:_LONGEST_MESSAGE]
    data = {"code": code, "message": message, "attempt": ended.job.attempt}
    if ended.stack is not None:
        data["stack"] = ended.stack
    return {"error": f"{code}: {message}", "data": data}


def freed_row(held: Mapping[str, Any], *, died: bool) -> Row:
    """Return the row that takes a job from the worker that holds it.

    Where the worker died, the death is counted, and the third makes the job dead.
    """
    deaths = held["deaths"] + died
    row = {key: held[key] for key in ("workspace_id", "id", "batch_id", "row_no")}
    row |= {"deaths": deaths, "data": {"worker": held["worker_id"], "deaths": deaths}}
    if deaths >= DEATHS_OF_POISON:
        message = f"{deaths} workers died while they ran it"
        row |= {"state": JobState.DEAD, "type": "dead", "error": f"poison: {message}"}
        row["data"] |= {"code": "poison", "message": message}
    elif held["cancel_requested"]:
        row |= {"state": JobState.CANCELLED, "type": "cancelled"}
    else:
        row |= {"state": JobState.PENDING, "type": "rescued" if died else "handed_back"}
    _check(row["state"])
    return row


def _check(state: JobState) -> None:
    if not may_become(JobState.PROCESSING, state):
        raise ValueError(f"a job that is processed cannot become {state}")
