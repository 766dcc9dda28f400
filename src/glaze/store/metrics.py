"""How a workspace's jobs fare: what waits, and a sample of what ended and was asked lately."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from glaze.model.value import Micros, WorkspaceId
from glaze.store.attempt import Row
from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("metrics")

MOST = 10_000
"""No state is counted further, so that looking stays cheap however many jobs there are."""
SAMPLE = 1_000
"""So many of the latest jobs, and of the latest calls, the shares and times are of."""


@dataclass(frozen=True, slots=True)
class Latest:
    """What the latest jobs came to that ended: ``jobs`` of them, within ``over_s`` seconds until now."""

    jobs: int
    over_s: float | None  # None: there is none
    completed: int
    partial: int
    failed: int
    dead: int
    cancelled: int
    answered: int  # enrichments that brought something, or could have
    from_cache: int  # of these: asked nobody
    with_inference: int  # jobs that asked a language model
    cost_micros: Micros
    p50_s: float | None  # from begin to end
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """How the latest settled calls to one provider fared."""

    provider: str
    calls: int
    matches: int
    cost_micros: Micros
    p50_s: float | None


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """What waits now, what ended since a moment, and what the latest of it came to."""

    open: Mapping[str, int]  # by state, each up to MOST
    ended: int  # up to MOST
    latest: Latest
    providers: Sequence[Asked]
    rows: Mapping[str, int]  # of batches, by state, and in all


class MetricsStore:
    """Looks at jobs and calls in the order of indexes, and no further than bounds."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def of_jobs(
        self,
        workspace_id: WorkspaceId,
        since: datetime,
        *,
        enrich: str,
        inference: Collection[str],
    ) -> JobMetrics:
        """Return how jobs fare since a moment (aware).

        ``enrich`` is the kind whose jobs may be answered from the cache, ``inference`` names the
        providers that are language models.
        """
        params = {
            "since": since,
            "most": MOST,
            "sample": SAMPLE,
            "enrich": enrich,
            "inference": sorted(inference),
        }
        async with self._db.workspace(workspace_id) as conn:
            open_ = await _rows(conn, "open", params)
            [ended] = await _rows(conn, "ended", params)
            [latest] = await _rows(conn, "latest", params)
            providers = await _rows(conn, "providers", params)
            [rows] = await _rows(conn, "rows", params)
        return JobMetrics(
            open={row["state"]: row["jobs"] for row in open_},
            ended=ended["jobs"],
            latest=Latest(**latest),
            providers=[Asked(**row) for row in providers],
            rows=rows,
        )


async def _rows(conn: Connection, name: str, params: Mapping[str, object]) -> list[Row]:
    return await (await conn.execute(_sql[name], params)).fetchall()
