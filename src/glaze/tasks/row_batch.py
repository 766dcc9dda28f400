"""What the kinds share that spread one job over many rows: make a batch, wait for it, sum it up."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from glaze.jobs.kind import JobContext, Kind
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Partial, Retry, Snooze
from glaze.model.value import BatchId, Json
from glaze.store.batch import ROWS_CHUNK, Progress, RowResult
from glaze.store.job import JobView
from glaze.tasks.tools import Tools

MOST_ROWS = ROWS_CHUNK
"""How many rows one such job takes: as many as are written in one transaction."""
_SHORTEST_S, _LONGEST_S = 0.5, 30.0
_SHARE_OF_AGE = 10
_PAGE = 500


async def _nothing() -> None:
    """Nothing has to be there before the rows."""


class Rows(NamedTuple):
    """What is to be done row by row: one argument set for all, and an ``input`` each."""

    kind: Kind[Any]
    settings: Mapping[str, Json]
    inputs: Sequence[Json]
    before: Callable[[], Awaitable[None]] = _nothing  # done before the rows are there, once


async def finished_batch(tools: Tools, ctx: JobContext, rows: Rows) -> Progress | Outcome:
    """Return the counters of this job's finished batch, or how the attempt ends before.

    The job does not hold a slot while its rows run: it snoozes, shortly at first, later for a
    tenth of the batch's age, up to half a minute. Found again by job and round, the batch is
    made once.
    """
    view = await tools.jobs.get(ctx.job.workspace_id, ctx.job.id)
    if view is None:
        return Retry("job_gone", "the job was removed while it ran")
    batch_id = await _open(tools, ctx, view, rows)
    progress = await tools.batches.progress(ctx.job.workspace_id, batch_id)
    if progress is None:
        return Retry("batch_gone", f"batch {batch_id} was removed while its job waited for it")
    if ctx.cancelled.is_set():
        await tools.batches.cancel(ctx.job.workspace_id, batch_id)
        return Cancelled(_counts(progress))
    if progress.over:
        return progress
    now = tools.clock()
    age_s = (now - progress.created_at).total_seconds()
    wait_s = min(_LONGEST_S, max(_SHORTEST_S, age_s / _SHARE_OF_AGE))
    ctx.progress(100 * progress.ended / max(1, progress.total), "rows are worked on")
    reason = f"batch {batch_id}: {progress.ended:,} of {progress.total:,} rows are done"
    return Snooze(now + timedelta(seconds=wait_s), reason)


async def found_batch(tools: Tools, ctx: JobContext) -> BatchId | None:
    """Return the batch that this job made in this round; None before it has."""
    view = await tools.jobs.get(ctx.job.workspace_id, ctx.job.id)
    if view is None:
        return None
    return await tools.batches.made_by(ctx.job.workspace_id, ctx.job.id, _key(view))


def _key(view: JobView) -> bytes:
    return hashlib.sha256(f"job {view.id} round {view.round}".encode()).digest()


async def _open(tools: Tools, ctx: JobContext, view: JobView, rows: Rows) -> BatchId:
    """Find the batch of this job and round, or make it; either way it is loaded and started."""
    workspace_id, job_id, key = ctx.job.workspace_id, ctx.job.id, _key(view)
    batch_id = await tools.batches.made_by(workspace_id, job_id, key)
    if batch_id is None:
        new = rows.kind.batch(
            rows.settings,
            queue=view.queue,
            priority=view.priority,
            source_key=key,
            job_id=job_id,
        )
        batch_id = await tools.batches.create(workspace_id, new)
    progress = await tools.batches.progress(workspace_id, batch_id)
    if progress is not None and progress.state == "loading":
        if not progress.total:
            await rows.before()
            await tools.batches.add_rows(workspace_id, batch_id, rows.inputs)
        await tools.batches.start(workspace_id, batch_id)
    return batch_id


async def row_results(tools: Tools, ctx: JobContext, batch_id: BatchId) -> AsyncIterator[RowResult]:
    """Yield every row of a batch in order."""
    after = 0
    while page := await tools.batches.results(ctx.job.workspace_id, batch_id, after=after, n=_PAGE):
        for row in page:
            yield row
        after = page[-1].row_no


async def summed_up(
    tools: Tools, ctx: JobContext, progress: Progress, details: Mapping[str, Json]
) -> Outcome:
    """Return how a job ends whose batch is over; ``details`` stand beside the counts."""
    spend = await tools.pipeline.means.ledger.spend_of_batch(ctx.job.workspace_id, progress.id)
    body: dict[str, Json] = {
        **_counts(progress),
        "cost_micros": sum(int(row["price_micros"]) for row in spend),
        "unknown_micros": sum(int(row["unknown_micros"]) for row in spend),
        **details,
    }
    if progress.state == "cancelled":
        return Cancelled(body)
    if progress.completed == progress.total:
        return Done(body)
    if progress.failed == progress.total:
        return Failed("every_row_failed", f"all {progress.total:,} rows failed", body)
    return Partial(body)


def _counts(progress: Progress) -> dict[str, Json]:
    return {
        "batch_id": progress.id,
        "total": progress.total,
        "completed": progress.completed,
        "partial": progress.partial,
        "failed": progress.failed,
        "cancelled": progress.cancelled,
    }
