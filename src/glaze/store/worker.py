"""The registry of workers: who lives, by lease; and the queues they serve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from glaze.model.value import WorkerId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("worker")


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A living worker; ``jobs`` is how many it holds now."""

    id: WorkerId
    name: str
    version: str
    queues: list[str]
    started_at: datetime
    lease_until: datetime
    jobs: int


class WorkerStore:
    """Register, renew, stop. A worker renews one row; its jobs' tokens carry its id."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``; heartbeats take the reserved lane."""
        self._db = db

    async def register(
        self, name: str, version: str, queues: Sequence[str], *, lease_s: float
    ) -> WorkerId:
        """Begin a worker whose lease ends in ``lease_s`` seconds."""
        params = {"name": name, "version": version, "queues": list(queues), "lease_s": lease_s}
        async with self._db.fleet(reserved=True) as conn:
            row = await (await conn.execute(_sql["register"], params)).fetchone()
        if row is None:
            raise LookupError("INSERT returned no row")
        return WorkerId(row["id"])

    async def heartbeat(self, worker_id: WorkerId, *, lease_s: float) -> bool:
        """Renew the lease, ``lease_s`` seconds from now.

        Returns: False where the worker was marked as stopped: its jobs are others' by now, so it
        must drop everything and register anew.
        """
        params = {"worker": worker_id, "lease_s": lease_s}
        async with self._db.fleet(reserved=True) as conn:
            return await (await conn.execute(_sql["heartbeat"], params)).fetchone() is not None

    async def stop(self, worker_id: WorkerId) -> None:
        """End a worker; whatever it still holds will be rescued."""
        async with self._db.fleet(reserved=True) as conn:
            await conn.execute(_sql["stop"], {"worker": worker_id})

    async def bury(self) -> list[WorkerId]:
        """Mark workers whose lease has passed as stopped, for good; return their ids."""
        async with self._db.fleet() as conn:
            return [row["id"] for row in await (await conn.execute(_sql["bury"])).fetchall()]

    async def living(self) -> list[WorkerView]:
        """Return the workers that are not stopped, with how many jobs each holds."""
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(_sql["registry"])).fetchall()
        return [WorkerView(**row) for row in rows]

    async def pause(self, queue: str) -> None:
        """Let nobody claim from ``queue`` until it is resumed."""
        async with self._db.fleet() as conn:
            await conn.execute(_sql["pause_queue"], {"queue": queue})

    async def resume(self, queue: str) -> None:
        """Let claims from ``queue`` go on."""
        async with self._db.fleet() as conn:
            await conn.execute(_sql["resume_queue"], {"queue": queue})
