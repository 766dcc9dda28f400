"""Batches: a million narrow rows, of which only a window are jobs at any time."""

import json
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from glaze.errors import BatchStateConflict, InputError, PersonSuppressed
from glaze.model.personal import erased, is_erased, people_in
from glaze.model.value import BatchId, JobId, Json, WorkspaceId
from glaze.store import dependency
from glaze.store.attempt import Row, encode
from glaze.store.database import Connection, Database
from glaze.store.job import Due, tell_due
from glaze.store.outline import Places
from glaze.store.statements import statements
from glaze.store.suppression import WHY, suppressed
from glaze.store.text import storable

_sql = statements("batch")

ROWS_CHUNK = 5_000  # rows a transaction: none lasts over a second
MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch to create. ``settings`` are the arguments that all rows share, stored once.

    ``source_key`` is a hash of the input and the options: the same command finds its batch again
    until its output was written.
    ``feed_window`` is how many rows may be jobs at the same time.
    """

    kind: str
    settings: Mapping[str, Json]
    queue: str = "default"
    priority: int = 3
    max_attempts: int = 5
    source_key: bytes | None = None
    feed_window: int = 500
    correlation_id: str | None = None  # of whoever made it; its rows' jobs carry it
    job_id: JobId | None = None  # the job that waits for it: once that ends, the batch is cancelled
    name: str | None = None
    tags: Sequence[str] = ()
    request_key: bytes | None = None  # one batch has it: the same request finds its batch again
    request_hash: bytes | None = None  # of all that the request asked
    columns: Sequence[tuple[str, str | None]] | None = (
        None  # of its file, and what each is taken for
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """The counters of a batch. ``queued`` rows are jobs now; what is not counted is still new.

    ``running`` of the queued rows are in the hands of workers.
    """

    id: BatchId
    state: str
    kind: str
    total: int
    queued: int
    completed: int
    partial: int
    failed: int
    cancelled: int
    created_at: datetime
    finished_at: datetime | None
    running: int
    name: str | None = None
    tags: Sequence[str] = ()
    cancelled_at: datetime | None = None

    @property
    def draining(self) -> int:
        """How many rows of a cancelled batch are still in flight; no new vendor call is made."""
        return self.running if self.state == "cancelled" else 0

    @property
    def ended(self) -> int:
        """How many rows are at their end."""
        return self.completed + self.partial + self.failed + self.cancelled

    @property
    def over(self) -> bool:
        """Whether no row will change any more."""
        return self.finished_at is not None


class OfRequest(NamedTuple):
    """The batch that a request made before."""

    id: BatchId
    state: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class RowResult:
    """A row with what became of it; ``error`` is "code: message"."""

    row_no: int
    state: str
    input: Json
    result: Json
    error: str | None
    carried: Mapping[str, Json] | None = None  # of columns of its file that are taken for nothing


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row to be added: its job's input, and what is known of it by then.

    ``places`` is whom it names, where that was worked out. ``carried`` is looked at by nobody, and
    stands beside it.
    """

    input: Json
    places: Places | None = None
    carried: Mapping[str, Json] | None = None


class _Encoded(NamedTuple):
    """A row to be added, as JSON."""

    input: str
    places: str
    carried: str


_NULL = "null"


class BatchStore:
    """Batches of a workspace, and the feeder, which is the fleet's."""

    def __init__(self, db: Database, due: Due | None = None) -> None:
        """Use the pools of ``db``; ``due`` is called after commits that made jobs pending."""
        self._db = db
        self._due = due

    async def create(self, workspace_id: WorkspaceId, new: NewBatch) -> BatchId:
        """Make an empty batch in state loading.

        Raises: BatchStateConflict where an open batch of the same source exists: find it.
        """
        params = {
            "kind": new.kind,
            "queue": new.queue,
            "priority": new.priority,
            "max_attempts": new.max_attempts,
            "settings": Jsonb(storable(dict(new.settings))),
            "source_key": new.source_key,
            "feed_window": new.feed_window,
            "correlation_id": new.correlation_id,
            "job_id": new.job_id,
            "name": new.name,
            "tags": list(new.tags),
            "request_key": new.request_key,
            "request_hash": new.request_hash,
            "columns": None if new.columns is None else Jsonb(storable([*map(list, new.columns)])),
        }
        try:
            async with self._db.workspace(workspace_id) as conn:
                row = await _one(conn, "create", params)
        except UniqueViolation as error:
            raise BatchStateConflict("an open batch was made from the same source") from error
        if row is None:
            raise LookupError("INSERT returned no row")
        return BatchId(row["id"])

    async def add_rows(
        self,
        workspace_id: WorkspaceId,
        batch_id: BatchId,
        inputs: Iterable[Json | NewRow] | AsyncIterable[Json | NewRow],
    ) -> int:
        """Append rows to a batch that is loading, a chunk a transaction; return how many.

        An input alone is a row of which nothing else is known.

        Raises: BatchStateConflict when the batch is not loading, InputError above a million rows.
        """
        added = 0
        chunk: list[_Encoded] = []
        async for given in _each(inputs):
            chunk.append(_encoded(given))
            if len(chunk) == ROWS_CHUNK:
                added += await self._add_chunk(workspace_id, batch_id, chunk)
                chunk = []
        if chunk:
            added += await self._add_chunk(workspace_id, batch_id, chunk)
        return added

    async def _add_chunk(
        self, workspace_id: WorkspaceId, batch_id: BatchId, chunk: Sequence[_Encoded]
    ) -> int:
        async with self._db.workspace(workspace_id) as conn:
            last = await (await conn.execute(_sql["last_row"], {"batch": batch_id})).fetchone()
            if last is None or last["state"] != "loading":
                raise BatchStateConflict(f"batch {batch_id} takes no rows any more")
            if last["row_no"] + len(chunk) > MOST_ROWS:
                raise InputError(f"a batch has at most {MOST_ROWS} rows; split the input")
            kept = await _without_suppressed(conn, chunk)
            places, carried = [one.places for one in kept], [one.carried for one in kept]
            rows = {
                "batch": batch_id,
                "after": last["row_no"],
                "inputs": _array([one.input for one in kept]),
                "places": _array(places) if {*places} != {_NULL} else "[]",
                "carried": _array(carried) if {*carried} != {_NULL} else "[]",
            }
            await conn.execute(_sql["add_rows"], rows)
            await conn.execute(_sql["add_total"], {"batch": batch_id, "n": len(chunk)})
        return len(chunk)

    async def start(self, workspace_id: WorkspaceId, batch_id: BatchId) -> None:
        """Let a loaded batch run; one without rows is finished at once.

        Raises: BatchStateConflict when it is not loading.
        """
        await self._turn(workspace_id, batch_id, ["loading"], "running", "batch_started")
        await self.feed(batch_id)

    async def pause(self, workspace_id: WorkspaceId, batch_id: BatchId) -> None:
        """Begin no further row; what runs goes on to its end.

        Raises: BatchStateConflict when it is not running.
        """
        await self._turn(workspace_id, batch_id, ["running"], "paused", "batch_paused")

    async def resume(self, workspace_id: WorkspaceId, batch_id: BatchId) -> None:
        """Go on with a paused batch.

        Raises: BatchStateConflict when it is not paused.
        """
        await self._turn(workspace_id, batch_id, ["paused"], "running", "batch_resumed")
        await self.feed(batch_id)

    async def _turn(
        self, workspace_id: WorkspaceId, batch_id: BatchId, was: list[str], to: str, event: str
    ) -> None:
        params = {"batch": batch_id, "from": was, "to": to, "type": event}
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["turn"], params)).fetchone()
            over = row is not None and row["state"] == "finished"
            due = await _advance_behind(conn, batch_id) if over else []
        tell_due(self._due, due)
        if row is None:
            raise BatchStateConflict(f"batch {batch_id} is not {' or '.join(was)}")

    async def cancel(self, workspace_id: WorkspaceId, batch_id: BatchId) -> bool:
        """Flip the batch to cancelled; return False where it was at its end already.

        Rows never fed count as cancelled at once. ``JobStore.sweep_cancelled`` then takes the
        window's jobs; a worker does so within a second.
        """
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["cancel"], {"batch": batch_id})).fetchone()
            due = await _advance_behind(conn, batch_id) if row and row["over"] else []
        tell_due(self._due, due)
        return row is not None

    async def progress(self, workspace_id: WorkspaceId, batch_id: BatchId) -> Progress | None:
        """Return the counters of a batch, or None where there is none."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["progress"], {"batch": batch_id})).fetchone()
        return Progress(**row) if row else None

    async def of_request(self, workspace_id: WorkspaceId, request_key: bytes) -> OfRequest | None:
        """Return the batch that a request with this key made, or None."""
        async with self._db.workspace(workspace_id) as conn:
            row = await _one(conn, "of_request", {"request_key": request_key})
        return OfRequest(**row) if row else None

    async def discard(self, workspace_id: WorkspaceId, batch_id: BatchId) -> None:
        """Remove a batch that was never started, with all its rows; any other stays as it is."""
        progress = await self.progress(workspace_id, batch_id)
        for after in range(0, progress.total if progress else 0, ROWS_CHUNK):
            stretch = {"batch": batch_id, "after": after, "until": after + ROWS_CHUNK}
            async with self._db.workspace(workspace_id) as conn:
                await conn.execute(_sql["discard_rows"], stretch)
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["discard"], {"batch": batch_id})

    async def find(self, workspace_id: WorkspaceId, source_key: bytes) -> BatchId | None:
        """Return the batch made from this source that is open or not yet written, or None."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["find"], {"source_key": source_key})).fetchone()
        return BatchId(row["id"]) if row else None

    async def written(
        self, workspace_id: WorkspaceId, batch_id: BatchId, finished_at: datetime
    ) -> None:
        """Record that all output of a batch that ended at ``finished_at`` was written.

        From then on its source does not find it any more, unless rows of it are tried again.
        """
        params = {"batch": batch_id, "finished_at": finished_at}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["written"], params)

    async def tell_progress(self, spacing_s: float) -> None:
        """Write an event for each open batch that came further, once in ``spacing_s`` seconds."""
        async with self._db.fleet() as conn:
            await conn.execute(_sql["tell_progress"], {"spacing_s": spacing_s})

    async def orphans(self) -> list[tuple[WorkspaceId, BatchId]]:
        """Return batches whose job has ended without waiting for them: cancel each."""
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(_sql["orphans"])).fetchall()
        return [(row["workspace_id"], row["id"]) for row in rows]

    async def made_by(
        self, workspace_id: WorkspaceId, job_id: JobId, source_key: bytes
    ) -> BatchId | None:
        """Return the batch that a job made under this key, whatever its state, or None."""
        params = {"job_id": job_id, "source_key": source_key}
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["made_by"], params)).fetchone()
        return BatchId(row["id"]) if row else None

    async def results(
        self, workspace_id: WorkspaceId, batch_id: BatchId, *, after: int = 0, n: int = 1000
    ) -> list[RowResult]:
        """Return up to ``n`` rows above the row number ``after``, in order."""
        params = {"batch": batch_id, "after": after, "n": n}
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["results"], params)).fetchall()
        return [_row_result(row) for row in rows]

    async def named_rows(
        self, workspace_id: WorkspaceId, batch_id: BatchId, rows: Sequence[int]
    ) -> list[RowResult]:
        """Return the rows of these numbers, in order; numbers that no row has are passed over."""
        params = {"batch": batch_id, "rows": list(rows)}
        async with self._db.workspace(workspace_id) as conn:
            found = await (await conn.execute(_sql["named_rows"], params)).fetchall()
        return [_row_result(row) for row in found]

    async def stretch(
        self,
        workspace_id: WorkspaceId,
        batch_id: BatchId,
        states: Sequence[str],
        *,
        after: int,
        until: int,
        n: int,
    ) -> list[RowResult]:
        """Return up to ``n`` rows in these states, of the numbers above ``after`` up to ``until``."""
        params = {"batch": batch_id, "after": after, "until": until, "n": n}
        async with self._db.workspace(workspace_id) as conn:
            found = await conn.execute(_sql["stretch"], params | {"states": list(states)})
            rows = await found.fetchall()
        return [_row_result(row) for row in rows]

    async def feed(self, batch_id: BatchId | None = None) -> int:
        """Make new rows of one batch at or below half its window jobs; return how many.

        Without ``batch_id`` the first such batch. One feeder a batch: another passes it over.
        """
        async with self._db.fleet() as conn:
            batch = await _one(conn, "hungry", {"batch": batch_id})
            if batch is None:
                return 0
            fed = await _one(conn, "feed", batch)
        if fed is None or not fed["fed"]:
            return 0
        if self._due is not None:
            self._due(batch["queue"], fed["rank"])
        return int(fed["fed"])


def _encoded(row: Json | NewRow) -> _Encoded:
    if not isinstance(row, NewRow):
        return _Encoded(encode(row), _NULL, _NULL)
    places = _NULL if row.places is None else encode(row.places)
    return _Encoded(encode(row.input), places, encode(row.carried) if row.carried else _NULL)


def _array(each: Sequence[str]) -> str:
    return f"[{','.join(each)}]"


async def _without_suppressed(conn: Connection, chunk: Sequence[_Encoded]) -> Sequence[_Encoded]:
    """Keep nothing of rows about suppressed people: each fails, with the reason, and costs nothing.

    Of a row that names one only in what is carried along nothing of that is kept.
    """
    people: list[set[str]] = []
    beside: list[set[str]] = []

    def named() -> set[str]:
        people.extend(people_in(json.loads(one.input)) for one in chunk)
        beside.extend(people_in(json.loads(one.carried)) for one in chunk)
        return set().union(*people, *beside)

    barred = await suppressed(conn, named)
    if not barred:
        return chunk
    left = _encoded(erased())
    return [
        left
        if not barred.isdisjoint(them)
        else one
        if barred.isdisjoint(others)
        else one._replace(carried=_NULL)
        for one, them, others in zip(chunk, people, beside, strict=True)
    ]


async def _advance_behind(conn: Connection, batch_id: BatchId) -> list[Row]:
    """Move on who waits for a batch that has just ended."""
    return await dependency.advance(conn, await dependency.successors_of_batches(conn, [batch_id]))


def _row_result(row: Mapping[str, Any]) -> RowResult:
    """Return a row; what is left of the result of an erased person's is none."""
    if not is_erased(row["result"]):
        return RowResult(**row)
    why = row["error"] or f"{PersonSuppressed.code}: {WHY}"
    return RowResult(**{**row, "result": None, "error": why})


async def _one(conn: Connection, name: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
    return await (await conn.execute(_sql[name], params)).fetchone()


async def _each(
    inputs: Iterable[Json | NewRow] | AsyncIterable[Json | NewRow],
) -> AsyncIterator[Json | NewRow]:
    if isinstance(inputs, AsyncIterable):
        async for given in inputs:
            yield given
    else:
        for given in inputs:
            yield given
