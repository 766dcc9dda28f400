"""Run one job: decode, perform under a deadline, normalise; whatever happens becomes a value."""

import asyncio
import math
import random
import traceback
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, get_args

import structlog
from pydantic import BaseModel

from glaze.errors import ArgsInvalid, GlazeError, InputError, PersonSuppressed
from glaze.jobs.deadlines import Deadlines
from glaze.jobs.kind import Host, JobContext, Kind, Kinds
from glaze.logs import heard, running
from glaze.model.job import ClaimedJob
from glaze.model.label import LATEST
from glaze.model.outcome import Failed, Outcome, Retry, Snooze
from glaze.model.personal import is_erased
from glaze.model.value import JobId
from glaze.store.attempt import Ended
from glaze.store.suppression import WHY
from glaze.traces import span

log = structlog.get_logger("jobs")

_OUTCOMES = get_args(Outcome)
_FAILURES = (Failed, Retry)  # only these have a stack
_LONGEST_DELAY_S = 365 * 86_400.0


class _Performed(NamedTuple):
    """What an attempt came to, with the stack where it broke."""

    outcome: Outcome
    stack: str | None = None


class Executor:
    """Runs attempts of one lease, any number side by side."""

    def __init__(self, kinds: Kinds, host: Host, *, rng: random.Random) -> None:
        """Run jobs of ``kinds``, which see ``host``; retries are spread by ``rng``."""
        self.running: dict[JobId, JobContext] = {}
        self._kinds = kinds
        self._host = host
        self._rng = rng
        self._deadlines = Deadlines()

    def cancel(self, jobs: Iterable[JobId]) -> None:
        """Ask those of ``jobs`` that run here to stop."""
        for job_id in jobs:
            if context := self.running.get(job_id):
                context.cancelled.set()

    async def execute(self, job: ClaimedJob) -> Ended:
        """Run one attempt at ``job`` and return how it ended; why it failed is told masked.

        Raises: nothing of the job's; only its own cancellation, when the worker ends or has lost
        its lease, and then there is no outcome.
        """
        kind = self._kinds.get(job.kind)
        if kind is None:
            return Ended(job, Failed("kind_unknown", f"this version runs no {job.kind!r} jobs"))
        args = _decode(kind, job)
        if isinstance(args, Failed):
            return Ended(job, args)
        context = self.running[job.id] = JobContext(job, self._host)
        named = running.set(job)
        try:
            told = heard("jobs", "debug")
            if told:
                log.debug("job begins", kind=job.kind, attempt=job.attempt)
            with span(f"job {job.kind}", "consumer", parent=job.traceparent) as traced:
                performed = _masked(await self._perform(kind, args, context), context)
                ended = _normalise(kind, job, performed, self._rng)
                if traced is not None:
                    traced.set_attributes(_traced(job, ended))
            if told:
                log.debug("job ends", kind=job.kind, outcome=type(ended.outcome).__name__.lower())
            return ended
        finally:
            running.reset(named)
            del self.running[job.id]

    async def _perform(self, kind: Kind[Any], args: BaseModel, context: JobContext) -> _Performed:
        deadline = self._deadlines.open(kind.timeout_s)
        try:
            async with deadline:
                return _Performed(await kind.run(args, context))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise  # the worker ends, or its lease is lost
            return _broken("crashed", "something inside the job was cancelled")
        # The one place where whatever a job raises becomes a value: a library's sys.exit, too.
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001
            if deadline.expired():
                return _Performed(Retry("timeout", f"not done after {kind.timeout_s:g} s"))
            return _raised(error)
        finally:
            self._deadlines.close(deadline)


def _traced(job: ClaimedJob, ended: Ended) -> dict[str, str | int]:
    return {
        "glaze.job.id": job.id,
        "glaze.job.attempt": job.attempt,
        "glaze.job.outcome": type(ended.outcome).__name__.lower(),
        "glaze.correlation": job.correlation_id or "",
    }


def _decode(kind: Kind[Any], job: ClaimedJob) -> BaseModel | Failed:
    if is_erased(job.args):
        return Failed(PersonSuppressed.code, WHY)
    try:
        return kind.parse(job.args)  # type: ignore[no-any-return]
    except ArgsInvalid as error:
        return Failed(error.code, "; ".join(map(str, error.faults)))


def _raised(error: BaseException) -> _Performed:
    """Judge what a job raised: bad input cannot get better, anything else may."""
    if isinstance(error, InputError):
        return _Performed(Failed(error.code, str(error)))
    if isinstance(error, GlazeError):
        log.warning("job failed for now", code=error.code, error=str(error))
        return _Performed(Retry(error.code, str(error)))
    return _broken("crashed", f"{type(error).__name__}: {error}")


def _broken(code: str, message: str) -> _Performed:
    stack = traceback.format_exc()
    log.error("job crashed", error=message, stack=stack)
    return _Performed(Retry(code, message), stack)


def _masked(performed: _Performed, context: JobContext) -> _Performed:
    """Mask why an attempt failed: it stands in the job's row and log, results stay as they are."""
    outcome, stack = performed
    if not isinstance(outcome, _FAILURES):
        return performed
    job, mask = context.job, context.journal.masked
    return _Performed(
        replace(outcome, message=mask(job, outcome.message)), stack and mask(job, stack)
    )


def _delay_s(retry: Retry, kind: Kind[Any], job: ClaimedJob, rng: random.Random) -> float:
    """Return the seconds to wait: the kind's backoff, unless the job named some that can be had."""
    if retry.delay_s is None or math.isnan(retry.delay_s):
        return kind.retry.delay_s(job.attempt, rng)
    return min(max(0.0, retry.delay_s), _LONGEST_DELAY_S)


def _normalise(
    kind: Kind[Any], job: ClaimedJob, performed: _Performed, rng: random.Random
) -> Ended:
    """Bring an outcome into the form that is written: delays filled in, the result as JSON."""
    outcome = performed.outcome
    if not isinstance(outcome, _OUTCOMES):
        message = f"{kind.name} returned {type(outcome).__name__}, which is no outcome"
        log.error("job returned no outcome", error=message)
        return Ended(job, Failed("outcome_invalid", message))
    try:
        if isinstance(outcome, Retry):
            outcome = replace(outcome, delay_s=_delay_s(outcome, kind, job, rng))
        if isinstance(outcome, Snooze) and outcome.until > LATEST:
            outcome = replace(outcome, until=LATEST)
    except TypeError as error:  # a wait that is no number, a time without its zone
        log.exception("job returned a wait that is none")
        return Ended(job, Failed("outcome_invalid", f"no wait that can be had: {error}"))
    try:
        return Ended.of(job, outcome, stack=performed.stack)
    except InputError as error:
        log.exception("job returned a result that cannot be kept")
        return Ended(job, Failed("result_invalid", str(error)))
