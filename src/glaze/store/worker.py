"""The registry of workers: who lives, by lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from glaze.model.value import JobId, WorkerId
from glaze.store.backlog import listed
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("worker")


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A living worker. Totals are of its whole process."""

    id: WorkerId
    name: str
    version: str
    queues: list[str]
    kinds: list[str] | None  # None: every kind
    concurrency: int | None  # slots
    host: str | None
    pid: int | None
    memory_bytes: int | None  # resident, at the last heartbeat
    done: int  # attempts that ended well
    failed: int  # attempts that did not
    started_at: datetime
    lease_until: datetime
    lease_left_s: float  # below 0: silent for too long, about to be buried
    drain_at: datetime | None  # when it was asked to end
    jobs: int  # held now
    job_ids: list[JobId]  # of those the ones begun first, at most 20
    oldest_job_s: float | None  # for how long it has held the one begun first


class Beat(NamedTuple):
    """What a worker learns at a heartbeat; never false."""

    draining: bool  # asked to claim no more and to end


class WorkerStore:
    """Register, renew, stop. A worker renews one row; its jobs' tokens carry its id."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``; heartbeats take the reserved lane."""
        self._db = db

    async def register(
        self,
        name: str,
        version: str,
        queues: Sequence[str],
        *,
        lease_s: float,
        kinds: Sequence[str] | None = None,
        concurrency: int | None = None,
        host: str | None = None,
        pid: int | None = None,
        memory_bytes: int | None = None,
    ) -> WorkerId:
        """Begin a worker whose lease ends in ``lease_s`` seconds."""
        params = {
            "name": name,
            "version": version,
            "queues": list(queues),
            "kinds": listed(kinds),
            "concurrency": concurrency,
            "host": host,
            "pid": pid,
            "memory_bytes": memory_bytes,
            "lease_s": lease_s,
        }
        async with self._db.fleet(reserved=True) as conn:
            row = await (await conn.execute(_sql["register"], params)).fetchone()
        if row is None:
            raise LookupError("INSERT returned no row")
        return WorkerId(row["id"])

    async def heartbeat(
        self,
        worker_id: WorkerId,
        *,
        lease_s: float,
        memory_bytes: int | None = None,
        done: int | None = None,
        failed: int | None = None,
    ) -> Beat | None:
        """Renew the lease, ``lease_s`` seconds from now, and note memory and totals where given.

        Returns: None where the worker was marked as stopped: its jobs are others' by now, so it
        must drop everything and register anew.
        """
        params = {
            "worker": worker_id,
            "lease_s": lease_s,
            "memory_bytes": memory_bytes,
            "done": done,
            "failed": failed,
        }
        async with self._db.fleet(reserved=True) as conn:
            row = await (await conn.execute(_sql["heartbeat"], params)).fetchone()
        return None if row is None else Beat(row["draining"])

    async def drain(self, workers: Sequence[WorkerId]) -> list[WorkerId]:
        """Ask workers to claim no more, to end what runs and to leave; return those that live.

        They claim nothing from now on, and notice by a hint or at their next heartbeat.
        """
        async with self._db.fleet(reserved=True) as conn:
            rows = await (await conn.execute(_sql["drain"], {"workers": list(workers)})).fetchall()
        return [row["id"] for row in rows]

    async def stop(
        self, worker_id: WorkerId, *, done: int | None = None, failed: int | None = None
    ) -> None:
        """End a worker; whatever it still holds will be rescued."""
        params = {"worker": worker_id, "done": done, "failed": failed}
        async with self._db.fleet(reserved=True) as conn:
            await conn.execute(_sql["stop"], params)

    async def bury(self) -> list[WorkerId]:
        """Mark workers whose lease has passed as stopped, for good; return their ids."""
        async with self._db.fleet() as conn:
            return [row["id"] for row in await (await conn.execute(_sql["bury"])).fetchall()]

    async def living(self) -> list[WorkerView]:
        """Return the workers that are not stopped, with how many jobs each holds."""
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(_sql["registry"])).fetchall()
        return [WorkerView(**row) for row in rows]
