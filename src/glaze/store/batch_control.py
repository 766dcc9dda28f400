"""Batches in the user's hands: which there are, what they ask, and what failed tried again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.errors import UniqueViolation

from glaze.errors import BatchStateConflict
from glaze.model.failpoint import At, nowhere
from glaze.model.value import BatchId, FieldName, Json, Micros, WorkspaceId
from glaze.store.batch import BatchStore, Progress
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("batch_control")

_STRETCH = 10_000
"""Row numbers looked at in one transaction, so that none lasts over a second."""
_REOPENS = frozenset({"running", "paused", "finished"})


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What a batch asks and how: ``settings`` are the arguments that all its rows share."""

    kind: str
    queue: str
    priority: int
    feed_window: int
    settings: Mapping[str, Json]
    columns: Sequence[
        tuple[str, str | None]
    ] = ()  # of its file, in order, with what each is taken for


class BatchControl:
    """What a user looks at and does with batches of a workspace, beside running them."""

    def __init__(self, db: Database, batches: BatchStore, at: At = nowhere) -> None:
        """Use the pools of ``db``; ``batches`` feeds what is opened again. ``at``: failpoints."""
        self._at = at
        self._db = db
        self._batches = batches

    async def page(
        self,
        workspace_id: WorkspaceId,
        n: int = 20,
        *,
        before: BatchId | None = None,
        states: Sequence[str] | None = None,
        tags: Sequence[str] = (),
    ) -> list[Progress]:
        """Return up to ``n`` batches, newest first, below the id ``before``.

        ``states``: in one of these; ``tags``: with all of these.
        """
        params = {
            "n": n,
            "before": before,
            "states": None if states is None else list(states),
            "tags": list(tags),
        }
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["page"], params)).fetchall()
        return [Progress(**row) for row in rows]

    async def plan(self, workspace_id: WorkspaceId, batch_id: BatchId) -> BatchPlan | None:
        """Return what a batch asks, or None where there is none."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["plan"], {"batch": batch_id})).fetchone()
        return BatchPlan(**row) if row else None

    async def input_names(self, workspace_id: WorkspaceId, batch_id: BatchId) -> tuple[str, ...]:
        """Return the names that stand in the inputs of a batch's rows, each once, in order."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["input_names"], {"batch": batch_id})).fetchall()
        return tuple(row["name"] for row in rows)

    async def add_column(
        self, workspace_id: WorkspaceId, batch_id: BatchId, field: FieldName
    ) -> None:
        """Give a batch that has ended one more field.

        Raises: BatchStateConflict where it has not ended, or asks for the field already.
        """
        params = {"batch": batch_id, "field": field}
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["add_column"], params)).fetchone()
        if row is None:
            raise BatchStateConflict(
                f"batch {batch_id} is not at its end, or has the column {field} already"
            )

    async def tell_decided(
        self, workspace_id: WorkspaceId, batch_id: BatchId, row_no: int, field: str
    ) -> None:
        """Write an event: somebody decided what a cell is, or took that back."""
        params = {"batch": batch_id, "row": row_no, "field": field}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["tell_decided"], params)

    async def since_stopped(self, workspace_id: WorkspaceId, batch_id: BatchId) -> Micros:
        """Return what calls that were begun after a batch was stopped cost, or may."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["since_stopped"], {"batch": batch_id})).fetchone()
        return Micros(row["cost_micros"] if row else 0)

    async def retry_failed(
        self, workspace_id: WorkspaceId, batch_id: BatchId, *, partial: bool = False
    ) -> int:
        """Open all rows that failed again, with ``partial`` those that are partial too.

        They become jobs again as the window has room. A batch that was paused stays so, any other
        runs; it stands still while its rows are gone through. Interrupted at that, the same call
        goes on with it. The rows were asked for when their batch was made, so answers that came
        since then are not bought again.

        Returns: how many rows; with none the batch is left as it was.

        Raises: BatchStateConflict where it is loading, cancelled, a job's own or not there, or the
            same source has another open batch.
        """
        states = ["failed", "partial"] if partial else ["failed"]
        opened = after = 0
        total = 1
        while after < total:
            stretch = {"batch": batch_id, "after": after, "until": after + _STRETCH}
            async with self._db.workspace(workspace_id) as conn:
                held = await (await conn.execute(_sql["hold"], {"batch": batch_id})).fetchone()
                total = _checked(batch_id, held)["total"]
                params = stretch | {"states": states}
                try:
                    row = await (await conn.execute(_sql["reopen_rows"], params)).fetchone()
                except UniqueViolation as error:
                    raise BatchStateConflict(
                        f"batch {batch_id}: another open batch was made from the same source"
                    ) from error
            opened += row["n"] if row else 0
            after += _STRETCH
            self._at("reopened")
        end = {"batch": batch_id, "rows": opened}
        async with self._db.workspace(workspace_id) as conn:
            turned = await (await conn.execute(_sql["go_on"], end)).fetchone()
        if turned:
            await self._batches.feed(batch_id)
        return opened


def _checked(batch_id: BatchId, held: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if held is None:
        raise BatchStateConflict(f"there is no batch {batch_id}")
    if held["state"] not in _REOPENS:
        raise BatchStateConflict(f"batch {batch_id} is {held['state']}: nothing is tried again")
    if held["job_id"] is not None:
        raise BatchStateConflict(
            f"batch {batch_id} is a part of job {held['job_id']}: try that again"
        )
    return held
