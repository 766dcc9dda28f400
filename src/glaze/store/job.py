"""Jobs from their enqueuing to their end: every change is fenced, logged and batched."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg.rows import dict_row, tuple_row

from glaze.errors import IdempotencyConflict, PersonSuppressed
from glaze.model.job import After, ClaimedJob, JobState, NewJob, checked_after
from glaze.model.personal import people_in
from glaze.model.value import BatchId, JobId, Json, WorkerId, WorkflowId, WorkspaceId
from glaze.store import dependency
from glaze.store.attempt import Ended, Row, body_hash, encode, ended_row, freed_row, job_row
from glaze.store.backlog import listed
from glaze.store.database import Connection, Database
from glaze.store.deadlock import past_deadlocks
from glaze.store.event import NewEvent, append
from glaze.store.statements import Statements, as_array, statements
from glaze.store.suppression import WHY, suppressed

CHUNK = 1000
NO_JOB = JobId(0)  # ids start above

Due = Callable[[str, datetime], None]
"""Told after a commit that made jobs pending: their queue and the lowest rank among them."""


class Finished(NamedTuple):
    """What became of a group: the jobs whose outcome was written, and batches that want feeding."""

    accepted: frozenset[JobId]
    hungry: tuple[BatchId, ...]


class Rescued(NamedTuple):
    """What was taken back from dead workers: back in the queue, or at their end as poison."""

    released: int
    ended: int


class Progress(NamedTuple):
    """How far a running job said it was: 0 to 100, and what it was at."""

    percent: int
    message: str


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as the outside sees it. Times are aware UTC; ``error`` is "code: message"."""

    id: JobId
    kind: str
    queue: str
    state: JobState
    priority: int
    attempt: int
    max_attempts: int
    deaths: int
    round: int
    cancel_requested: bool
    due_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    error: str | None
    correlation_id: str | None
    tags: tuple[str, ...] = ()
    webhook_url: str | None = None
    replay_of: JobId | None = None
    batch_id: BatchId | None = None  # whose row it is
    open_parents: int | None = None  # of a waiting job: how many are not at their end
    workflow_id: WorkflowId | None = None
    step: str | None = None
    args: Json = None
    result: Json = None
    progress: Progress | None = None  # its last word, of the latest attempt that said anything


@dataclass(frozen=True, slots=True)
class Answered:
    """A job whose result was known when it was asked for. ``took_s``: what finding it took, in seconds."""

    job: NewJob  # that stands alone, but for its idempotency key, and is due at once
    result: Json
    took_s: float


class Enqueued(NamedTuple):
    """Jobs that a transaction inserted: ids in the caller's order, and the new rows."""

    ids: list[JobId]
    made: Sequence[Row]


class CancelledJobs(NamedTuple):
    """The states of jobs that a transaction cancelled or asked to stop, and who became due by it."""

    states: dict[JobId, JobState]
    due: list[Row]


class _Keyed(NamedTuple):
    """Ids that idempotency keys decide, by place in the call."""

    taken: dict[int, JobId]  # new: the job is to be inserted under this id
    known: dict[int, JobId]  # an earlier call's job
    same_as: dict[int, int]  # twin within this call


class JobStore:
    """The queue and the record. Each method is one transaction, or one a workspace."""

    def __init__(
        self, db: Database, due: Due | None = None, ended: Callable[[], None] | None = None
    ) -> None:
        """Use the pools of ``db``.

        ``due`` is called after commits that made jobs pending, ``ended`` after those that ended some.
        """
        self._db = db
        self._due = due
        self._tell_ended = ended or _to_nobody
        self._sql: Statements = statements("job")
        self._batch_sql = statements("batch")

    # -- coming in -------------------------------------------------------------------------------

    async def enqueue(self, workspace_id: WorkspaceId, jobs: Sequence[NewJob]) -> list[JobId]:
        """Insert ``jobs`` and return their ids in the same order.

        A job whose idempotency key was used within 24 hours with the same body is not inserted:
        its id is that of the first. The body is kind, arguments, queue, priority, attempts, due
        time, tags, webhook, what it replays and what it comes after.

        A job that comes after others waits until they are at their end; where they are already,
        it does at once what it would have done then.

        Raises: InputError when arguments are not JSON, a tag or webhook is none, or there is no
        such job or batch to wait for; IdempotencyConflict when a key was used with another body;
        PersonSuppressed when arguments name somebody about whom nothing is kept.
        """
        if not jobs:
            return []
        made: list[Row] = []
        if all(map(_stands_alone, jobs)):
            rows: list[Json] = [job_row(n, job) for n, job in enumerate(jobs)]
            sql, params = self._sql["enqueue"], {"jobs": encode(rows), "unlisted": True}
            made = await self._db.workspace_rows(workspace_id, sql, params, row_factory=dict_row)
        enqueued = Enqueued([row["id"] for row in made], made)
        if not made:

            async def once() -> Enqueued:
                async with self._db.workspace(workspace_id) as conn:
                    return await self.enqueue_within(conn, jobs)

            # Who grows a graph and who ends its parents can wait for each other.
            enqueued = await past_deadlocks(once)
        self.tell(enqueued.made)
        return enqueued.ids

    async def enqueue_within(
        self, conn: Connection, jobs: Sequence[NewJob], given: Sequence[JobId] = ()
    ) -> "Enqueued":
        """Insert ``jobs`` in a workspace's open transaction; pass ``made`` to ``tell`` after it.

        With ``given`` ids, one for each, an earlier one of the jobs may be a later one's parent.

        Raises: as ``enqueue``.
        """
        await _refuse_suppressed(conn, jobs)
        rows = [job_row(n, job) for n, job in enumerate(jobs)]
        ids = await self._keyed_ids(conn, jobs)
        own = dict(enumerate(given)) | ids.taken
        fresh = [n for n in range(len(jobs)) if n not in ids.known and n not in ids.same_as]
        after = {n: checked_after(jobs[n].after) for n in fresh if jobs[n].after}
        ended = await self._hold_parents(conn, after, given) if after else frozenset()
        new = [rows[n] | {"id": own.get(n)} for n in fresh]
        made = await self._fetch(conn, "enqueue", jobs=encode(new), unlisted=False) if new else []
        found = ids.known | {row["n"]: row["id"] for row in made}
        again: list[Json] = [
            {"replay_of": old, "job": found[n]} for n in fresh if (old := jobs[n].replay_of)
        ]
        if again:
            await conn.execute(self._sql["replayed"], {"jobs": encode(again)})
        if after:
            await dependency.add_edges(conn, {found[n]: parents for n, parents in after.items()})
            ready = [found[n] for n, parents in after.items() if not ended.isdisjoint(parents)]
            made += await dependency.advance(conn, ready)
        return Enqueued([found[ids.same_as.get(n, n)] for n in range(len(jobs))], made)

    async def insert_ended(
        self, workspace_id: WorkspaceId, jobs: Sequence["Answered"]
    ) -> list["JobView | JobId"]:
        """Insert jobs that are at their end already; return each as it stands, in the same order.

        Where an idempotency key was used before it is the id of the first job, as in ``enqueue``:
        nothing is inserted, and that job may not have ended yet.

        Raises: IdempotencyConflict, PersonSuppressed, InputError as ``enqueue``; then nothing was
            written.
        """
        found: dict[int, JobView | JobId] = {}
        if all(one.job.idempotency_key is None for one in jobs):
            rows = encode([_answered_row(n, one) for n, one in enumerate(jobs)])
            made = await self._db.workspace_rows(
                workspace_id,
                self._sql["insert_ended"],
                {"jobs": rows, "unlisted": True},
                row_factory=dict_row,
            )
            found = {row["n"]: _answered_view(jobs[row["n"]], row) for row in made}
        if not found:
            async with self._db.workspace(workspace_id) as conn:
                found = await self._insert_ended_within(conn, jobs)
        self._tell_ended()
        return [found[n] for n in range(len(jobs))]

    async def _insert_ended_within(
        self, conn: Connection, jobs: Sequence["Answered"]
    ) -> dict[int, "JobView | JobId"]:
        new = [one.job for one in jobs]
        await _refuse_suppressed(conn, new)
        ids = await self._keyed_ids(conn, new)
        fresh = [n for n in range(len(jobs)) if n not in ids.known and n not in ids.same_as]
        rows: list[Json] = [_answered_row(n, jobs[n]) | {"id": ids.taken.get(n)} for n in fresh]
        made = await self._fetch(conn, "insert_ended", jobs=encode(rows), unlisted=False)
        found: dict[int, JobView | JobId] = {**ids.known}
        found |= {row["n"]: _answered_view(jobs[row["n"]], row) for row in made}
        return found | {n: found[first] for n, first in ids.same_as.items()}

    async def _hold_parents(
        self, conn: Connection, after: Mapping[int, Sequence[After]], given: Sequence[JobId]
    ) -> frozenset[After]:
        own = set(given)  # nobody else sees them yet
        others = {one for parents in after.values() for one in parents if one.job not in own}
        return await dependency.hold_parents(conn, others) if others else frozenset()

    async def _keyed_ids(self, conn: Connection, jobs: Sequence[NewJob]) -> "_Keyed":
        first, hashes, same_as = _first_uses(jobs)
        ids = _Keyed({}, {}, same_as)
        if not first:
            return ids
        keys = [{"key": key, "hash": hashes[key]} for key in first]
        for row in await self._fetch(conn, "keys_taken", keys=encode(keys)):
            ids.taken[first[row["key"]]] = row["job_id"]
        others = [key for key, n in first.items() if n not in ids.taken]
        for row in await self._fetch(conn, "keys_known", keys=others) if others else ():
            if row["hash"] != hashes[row["key"]]:
                raise _conflict(row["key"])
            ids.known[first[row["key"]]] = row["job_id"]
        return ids

    # -- in the hands of workers -----------------------------------------------------------------

    async def claim(
        self,
        queue: str,
        n: int,
        worker_id: WorkerId,
        from_rank: datetime | None = None,
        kinds: Sequence[str] | None = None,
    ) -> tuple[list[ClaimedJob], datetime | None]:
        """Take up to ``n`` due jobs of ``queue``, the most urgent first, without their arguments.

        Rows below ``from_rank`` are not looked at: dead index entries gather there while somebody
        holds a snapshot open. Jobs of other than ``kinds`` are passed over, each at the cost of a
        look: kinds with a large backlog and workers of their own want a queue of their own.

        Returns: the jobs and the highest rank among them, from which the next claim may start.
        """
        params = {
            "queue": queue,
            "n": n,
            "worker": worker_id,
            "from_rank": from_rank,
            "kinds": listed(kinds),
        }
        rows = await self._db.fleet_rows(
            self._sql["claim"], params, row_factory=tuple_row, binary=True
        )
        return [_claimed(row) for row in rows], rows[-1][-1] if rows else None

    async def claim_suspect(
        self, queues: Sequence[str], worker_id: WorkerId, kinds: Sequence[str] | None = None
    ) -> ClaimedJob | None:
        """Take one job that was there when two workers died, if there is any."""
        params = {"queues": list(queues), "worker": worker_id, "kinds": listed(kinds)}
        sql = self._sql["claim_suspect"]
        rows = await self._db.fleet_rows(sql, params, row_factory=tuple_row, binary=True)
        return _claimed(rows[0]) if rows else None

    async def load(self, workspace_id: WorkspaceId, jobs: Sequence[ClaimedJob]) -> list[ClaimedJob]:
        """Return ``jobs`` of one workspace with their arguments.

        A batch row's arguments are the batch's settings with the row as ``input``; what it asks was
        asked when the batch was made, however late the row was fed.
        """
        plain = [job for job in jobs if job.batch_id is None]
        rows = [job for job in jobs if job.batch_id is not None]
        loaded: dict[JobId, ClaimedJob] = {}
        if plain:
            loaded |= await self._load_plain(workspace_id, plain)
        if rows:
            async with self._db.workspace(workspace_id) as conn:
                loaded |= await self._load_rows(conn, rows)
        return [loaded.get(job.id, job) for job in jobs]

    async def _load_plain(
        self, workspace_id: WorkspaceId, jobs: Sequence[ClaimedJob]
    ) -> dict[JobId, ClaimedJob]:
        ids = {"jobs": as_array(job.id for job in jobs)}
        found = await self._db.workspace_rows(
            workspace_id,
            self._sql["args_of_jobs"],
            ids,
            row_factory=tuple_row,
            binary=True,
        )
        beside = {job_id: rest for job_id, *rest in found}
        return {job.id: _with(job, *beside[job.id]) for job in jobs if job.id in beside}

    async def _load_rows(
        self, conn: Connection, jobs: Sequence[ClaimedJob]
    ) -> dict[JobId, ClaimedJob]:
        ids = sorted({job.batch_id for job in jobs if job.batch_id is not None})
        places = {"batches": [job.batch_id for job in jobs], "rows": [job.row_no for job in jobs]}
        found = await _rows(conn, self._batch_sql["settings"], batches=ids)
        batches = {row["id"]: row for row in found}
        inputs = {
            (row["batch_id"], row["row_no"]): row["input"]
            for row in await _rows(conn, self._batch_sql["inputs"], **places)
        }
        loaded = {}
        for job in jobs:
            batch = batches[job.batch_id]
            if (given := inputs.get((job.batch_id, job.row_no))) is not None:
                args = {**batch["settings"], "input": given}
                of_batch = {name: batch[name] for name in ("created_at", "correlation_id")}
                loaded[job.id] = _with(job._replace(**of_batch), args)
        return loaded

    async def finish(
        self, workspace_id: WorkspaceId, group: Sequence[Ended], said: Sequence[NewEvent] = ()
    ) -> Finished:
        """Write the outcomes of one workspace's attempts, all in one transaction.

        What jobs ``said`` of themselves meanwhile stands in their logs before that.

        Each is compared and set on (id, processing, token): one whose token is stale changes
        nothing, and its id is not among the accepted. A Retry with no attempt left is dead; a
        Retry without a delay is due at once.
        """
        gone: list[Row] = []
        hungry: list[BatchId] = []
        after: list[JobId] = []
        stay = [ended_row(e) for e in group if e.job.batch_id is None]
        rows = [ended_row(e) for e in group if e.job.batch_id is not None]
        again = [row for row in rows if row["state"] == JobState.SCHEDULED]
        async with self._db.workspace(workspace_id) as conn:
            if said:
                await append(conn, said)
            await conn.execute(self._sql["by_hash"])
            if again:
                await conn.execute(self._sql["hold"], {"jobs": [row["id"] for row in again]})
            if rows:
                gone = await self._end(conn, "finish_rows", rows)
            if left := stay + again:
                stay, after = await self._end_some(conn, left)
            if gone:
                hungry, behind = await self._settle_rows(conn, gone)
                after += behind
            due = await dependency.advance(conn, after)
        self.tell(due)
        self._tell_ended()
        return Finished(frozenset(row["id"] for row in (*gone, *stay)), tuple(hungry))

    async def _end(self, conn: Connection, name: str, rows: list[Row]) -> list[Row]:
        ids = as_array(row["id"] for row in rows)
        return await self._fetch(conn, name, ended=encode(rows), ids=ids)

    async def _end_some(self, conn: Connection, rows: list[Row]) -> tuple[list[Row], list[JobId]]:
        """Write ends, and look in the same breath who waits for them."""
        ids = [row["id"] for row in rows]
        ended = {"ended": encode(rows), "ids": as_array(ids)}
        closed = await conn.execute(self._sql["finish"], ended)
        # A statement of its own: it sees who came in while the first waited for a parent's lock.
        after = await dependency.successors(conn, ids)
        return await closed.fetchall(), after

    async def _settle_rows(
        self, conn: Connection, rows: Iterable[Mapping[str, Any]]
    ) -> tuple[list[BatchId], list[JobId]]:
        """Count rows at their end; return the batches that want feeding and who waits for the others."""
        found = await _rows(conn, self._batch_sql["settle_rows"], rows=encode([*rows]))
        over = [row["id"] for row in found if row["over"]]
        hungry = [row["id"] for row in found if not row["over"]]
        return hungry, await dependency.successors_of_batches(conn, over)

    async def cancels(self, worker_id: WorkerId) -> list[JobId]:
        """Return which jobs that this worker holds were asked to stop."""
        async with self._db.fleet() as conn:
            return [row["id"] for row in await self._fetch(conn, "cancels", worker=worker_id)]

    # -- duties of any worker --------------------------------------------------------------------

    async def promote(self, n: int = CHUNK) -> int:
        """Make up to ``n`` scheduled jobs that have come due pending; return how many."""
        async with self._db.fleet() as conn:
            await conn.execute(self._sql["in_index_order"])
            rows = await self._fetch(conn, "promote", n=n)
        self.tell(rows)
        return sum(row["moved"] for row in rows)

    async def expire(self, n: int = CHUNK) -> int:
        """Make up to ``n`` jobs that were not begun in time dead; return how many."""
        async with self._db.fleet() as conn:
            late = [row["id"] for row in await self._fetch(conn, "expire", n=n)]
            due = await self._advance_behind(conn, late)
        self.tell(due)
        if late:
            self._tell_ended()
        return len(late)

    async def repair(
        self, after: JobId = NO_JOB, n: int = CHUNK
    ) -> tuple[tuple[JobId, ...], JobId]:
        """Move on those of up to ``n`` waiting jobs above ``after`` whom nothing keeps waiting.

        Returns: who they were, for nobody should be, and the id after which the next page starts.
        """
        swept = await dependency.repair(self._db, after, n)
        self.tell(swept.moved)
        return swept.stranded, swept.next_after

    async def _advance_behind(self, conn: Connection, ended: Collection[JobId]) -> list[Row]:
        """Move on who waits for jobs that have just ended."""
        return await dependency.advance(conn, await dependency.successors(conn, ended))

    async def rescue(self, n: int = CHUNK) -> Rescued:
        """Take back jobs of workers that are stopped or unknown; a third death makes one dead.

        Mark workers whose lease has passed first (``WorkerStore.bury``): only then nobody can
        renew what is taken here.
        """
        async with self._db.fleet() as conn:
            lost = await self._fetch(conn, "lost", n=n)
            rescued, due = await self._release(conn, lost, died=True)
        self.tell(due)
        if rescued.ended:
            self._tell_ended()
        return rescued

    async def hand_back(self, worker_id: WorkerId, keep: Collection[JobId] = ()) -> int:
        """Put what a living worker holds back into the queue, but for ``keep``; return how many.

        Attempts are given back and nobody died.
        """
        async with self._db.fleet() as conn:
            held = await self._fetch(conn, "held", worker=worker_id, keep=list(keep))
            released, due = await self._release(conn, held, died=False)
        self.tell(due)
        return sum(released)

    async def _release(
        self, conn: Connection, held: Sequence[Mapping[str, Any]], *, died: bool
    ) -> tuple[Rescued, list[Row]]:
        due: list[Row] = []
        after: list[JobId] = []
        freed = [freed_row(row, died=died) for row in held]
        if freed:
            await conn.execute(self._sql["by_hash"])
        back = [r for r in freed if r["state"] == JobState.PENDING or r["batch_id"] is None]
        gone = [r for r in freed if r["state"] != JobState.PENDING and r["batch_id"] is not None]
        if back:
            due = await self._fetch(conn, "release", freed=encode(back))
        if gone:
            await conn.execute(self._sql["remove"], {"gone": encode(gone)})
            _, after = await self._settle_rows(conn, gone)
        ended = [r["id"] for r in freed if r["state"] != JobState.PENDING]
        after += await dependency.successors(conn, ended)
        due += await dependency.advance(conn, after)
        return Rescued(len(freed) - len(ended), len(ended)), due

    async def sweep_cancelled(self) -> int:
        """Remove waiting jobs of cancelled batches and ask running ones to stop; return how many.

        A batch's cancel calls it at once; workers repeat it until such a batch holds no job.
        """
        swept = 0
        async with self._db.fleet() as conn:
            batches = await _rows(conn, self._batch_sql["cancelled_open"])
        for batch in batches:
            one = {"workspace": batch["workspace_id"], "batch": batch["id"]}
            async with self._db.fleet() as conn:
                gone = await _rows(conn, self._batch_sql["drop_waiting"], **one)
                await conn.execute(self._batch_sql["ask_to_stop"], one)
                due = []
                if gone:
                    ended = [row | {"state": "cancelled"} for row in gone]
                    _, after = await self._settle_rows(conn, ended)
                    due = await dependency.advance(conn, after)
            self.tell(due)
            swept += len(gone)
        return swept

    # -- from outside ----------------------------------------------------------------------------

    async def cancel(
        self, workspace_id: WorkspaceId, jobs: Sequence[JobId]
    ) -> dict[JobId, JobState]:
        """Cancel what has not begun and ask what runs to stop; return the states of those touched.

        Who waits for a cancelled job does as its policy says. Rows of a batch are cancelled with
        their batch, not here.
        """
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(self._sql["hold_to_cancel"], {"jobs": list(jobs)})
            cancelled = await self.cancel_within(conn, jobs)
        self.tell(cancelled.due)
        self._tell_ended()
        return cancelled.states

    async def cancel_within(self, conn: Connection, jobs: Sequence[JobId]) -> "CancelledJobs":
        """Do it within the caller's transaction; pass ``due`` to ``tell`` after it."""
        rows = await self._fetch(conn, "cancel", jobs=list(jobs))
        over = [row["id"] for row in rows if row["state"] != JobState.PROCESSING]
        due = await self._advance_behind(conn, over)
        return CancelledJobs({row["id"]: JobState(row["state"]) for row in rows}, due)

    async def reopen(self, workspace_id: WorkspaceId, jobs: Sequence[JobId]) -> list[JobId]:
        """Open terminal jobs again as a new round; return those that were terminal."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await self.reopen_within(conn, jobs)
        self.tell(rows)
        return [row["id"] for row in rows]

    async def reopen_within(self, conn: Connection, jobs: Sequence[JobId]) -> list[Row]:
        """Do it within the caller's transaction, who then tells of the rows returned."""
        return await self._fetch(conn, "reopen", jobs=list(jobs))

    async def get(self, workspace_id: WorkspaceId, job_id: JobId) -> JobView | None:
        """Return a job with its arguments and result, or None; its log is the event store's."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await self._fetch(conn, "get", job=job_id)
        return view_of(rows[0]) if rows else None

    async def ended(
        self, jobs: Sequence[tuple[WorkspaceId, JobId]]
    ) -> list[tuple[WorkspaceId, JobId]]:
        """Return which of ``jobs``, of any workspaces, are at their end or gone."""
        params = {"workspaces": [one[0] for one in jobs], "jobs": [one[1] for one in jobs]}
        async with self._db.fleet() as conn:
            rows = await self._fetch(conn, "ended", **params)
        return [(row["workspace_id"], row["id"]) for row in rows]

    async def results_of_parents(self, workspace_id: WorkspaceId, job_id: JobId) -> dict[str, Json]:
        """Return what the jobs that ``job_id`` came after left: by step, or by id as text."""
        async with self._db.workspace(workspace_id) as conn:
            return await dependency.results_of_parents(conn, job_id)

    async def result(self, workspace_id: WorkspaceId, result_id: int) -> Json:
        """Return one stored result, or None where it is gone."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await self._fetch(conn, "result", result=result_id)
        body: Json = rows[0]["body"] if rows else None
        return body

    async def page(
        self,
        workspace_id: WorkspaceId,
        n: int = 100,
        *,
        before: JobId | None = None,
        state: JobState | None = None,
    ) -> list[JobView]:
        """Return up to ``n`` jobs, newest first, below the id ``before``, without args or results."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await self._fetch(conn, "page", n=n, before=before, state=state)
        return [view_of(row) for row in rows]

    async def _fetch(self, conn: Connection, name: str, **params: object) -> list[Row]:
        return await _rows(conn, self._sql[name], **params)

    def tell(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Pass on the lowest rank of each queue; called after the commit."""
        tell_due(self._due, rows)

    def tell_ended(self) -> None:
        """Pass on that jobs ended; called after the commit."""
        self._tell_ended()


def _to_nobody() -> None:
    """Nobody in this process passes it on."""


def tell_due(due: Due | None, rows: Iterable[Mapping[str, Any]]) -> None:
    """Pass on the lowest rank of each queue among ``rows`` that became pending."""
    if due is None:
        return
    lowest: dict[str, datetime] = {}
    for row in rows:
        if row["rank"] is not None:
            lowest[row["queue"]] = min(row["rank"], lowest.get(row["queue"], row["rank"]))
    for queue, rank in lowest.items():
        due(queue, rank)


async def _rows(conn: Connection, sql: LiteralString, **params: object) -> list[Row]:
    return await (await conn.execute(sql, params)).fetchall()


def _stands_alone(job: NewJob) -> bool:
    """Tell whether nothing need be looked up to insert ``job``."""
    return job.idempotency_key is None and not job.after and job.replay_of is None


def _answered_row(n: int, one: Answered) -> Row:
    return job_row(n, one.job) | {"body": one.result, "took_s": one.took_s}


def _answered_view(one: Answered, row: Row) -> JobView:
    job = one.job
    return JobView(
        id=row["id"],
        kind=job.kind,
        queue=job.queue,
        state=JobState.COMPLETED,
        priority=job.priority,
        attempt=0,
        max_attempts=job.max_attempts,
        deaths=0,
        round=1,
        cancel_requested=False,
        due_at=row["begun"],
        created_at=row["begun"],
        started_at=row["begun"],
        finished_at=row["now"],
        expires_at=None,
        error=None,
        correlation_id=job.correlation_id,
        tags=job.tags,
        webhook_url=job.webhook_url,
        args=job.args,
        result=one.result,
    )


def _first_uses(jobs: Sequence[NewJob]) -> tuple[dict[str, int], dict[str, str], dict[int, int]]:
    """Return by key its first place in the call and its body's hash, and who is whose twin."""
    first: dict[str, int] = {}
    hashes: dict[str, str] = {}
    same_as: dict[int, int] = {}
    for n, job in enumerate(jobs):
        key = job.idempotency_key
        if key is None:
            continue
        body = body_hash(job)
        if hashes.setdefault(key, body) != body:
            raise _conflict(key)
        if first.setdefault(key, n) != n:
            same_as[n] = first[key]
    return first, hashes, same_as


def _conflict(key: str) -> IdempotencyConflict:
    return IdempotencyConflict(
        f"idempotency key {key!r} was used with another body; send the same body or a new key"
    )


def _claimed(row: tuple[Any, ...]) -> ClaimedJob:
    return ClaimedJob._make(row[:-1])  # behind the job stands its rank


def _with(job: ClaimedJob, args: Json, traceparent: str | None = None) -> ClaimedJob:
    return ClaimedJob._make((*job[:-2], args, traceparent))


_DONE = (JobState.COMPLETED, JobState.PARTIAL)


def view_of(row: Mapping[str, Any]) -> JobView:
    """Return the view of a row of ``job``, with arguments and result where the row has them."""
    view = {name: row[name] for name in JobView.__dataclass_fields__ if name in row}
    if said := view.get("progress"):
        percent = 100 if row["state"] in _DONE else said["percent"]  # whatever it said last
        view["progress"] = Progress(percent, said["message"])
    return JobView(**view | {"state": JobState(row["state"]), "tags": tuple(row["tags"] or ())})


async def _refuse_suppressed(conn: Connection, jobs: Sequence[NewJob]) -> None:
    """Raises: PersonSuppressed, naming the place of each job that is about somebody suppressed."""
    people: list[set[str]] = []

    def named() -> set[str]:
        people.extend(people_in(job.args) for job in jobs)
        return set().union(*people)

    barred = await suppressed(conn, named)
    guilty = [str(n) for n, them in enumerate(people) if not barred.isdisjoint(them)]
    if guilty:
        where = f" (jobs {', '.join(guilty[:20])} of this call)" if len(jobs) > 1 else ""
        raise PersonSuppressed(WHY + where)
