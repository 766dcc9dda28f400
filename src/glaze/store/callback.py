"""Callbacks of jobs: what a job waits to be told from outside, and what it was told."""

from collections.abc import Callable
from datetime import datetime

from psycopg.types.json import Jsonb

from glaze.errors import JobStateConflict, NotFound
from glaze.model.outcome import CalledBack, Snooze
from glaze.model.value import JobId, Json, WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("callback")


def _unheard(_queue: str, _rank: datetime) -> None:
    """Nobody listens: workers poll."""


class CallbackStore:
    """Callbacks of each workspace's jobs. Every method is one transaction."""

    def __init__(self, db: Database, hint: Callable[[str, datetime], None] = _unheard) -> None:
        """Use the pools of ``db``; ``hint`` is told of jobs that wait no more."""
        self._db = db
        self._hint = hint

    async def expect(
        self, workspace_id: WorkspaceId, job_id: JobId, event: str, within_s: float
    ) -> CalledBack | Snooze | None:
        """Return what came, how to wait for it, or None where its time is over.

        The time counts from the first call.
        """
        params = {"job": job_id, "event": event, "within_s": within_s}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["expect"], params)
            [row] = await (await conn.execute(_sql["read"], params)).fetchall()
        if row["arrived"]:
            return CalledBack(row["data"])
        if row["late"]:
            return None
        return Snooze(row["wanted_until"], f"waits to be told {event}")

    async def answer(
        self, workspace_id: WorkspaceId, job_id: JobId, event: str, data: Json
    ) -> None:
        """Tell a job what it waits for; it goes on at once.

        Raises: NotFound where there is no such job or it waits for nothing of the kind,
        JobStateConflict where it was told before, or has given up or ended.
        """
        params = {"job": job_id, "event": event}
        async with self._db.workspace(workspace_id) as conn:
            job = await (await conn.execute(_sql["hold_job"], params)).fetchone()
            held = await (await conn.execute(_sql["hold"], params)).fetchone()
            if job is None or held is None:
                raise NotFound(f"no job {job_id} waits to be told {event!r}")
            if held["arrived"]:
                raise JobStateConflict(f"job {job_id} was told {event!r} before")
            if held["late"] or job["state"] not in {"scheduled", "pending", "processing"}:
                raise JobStateConflict(f"job {job_id} waits for {event!r} no more")
            await conn.execute(_sql["answer"], params | {"data": Jsonb(data)})
            rows = await (await conn.execute(_sql["wake"], params)).fetchall()
        for row in rows:
            self._hint(row["queue"], row["rank"])
