"""Who waits for whom: edges between jobs, and how an end moves those on that waited for it.

All of it happens in the transaction that ends a parent or inserts a child. Ends take their own jobs
first, then batches, then the successors, which wait; so does whoever inserts a child.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from glaze.errors import InputError
from glaze.model.job import TERMINAL, After, JobState
from glaze.model.value import BatchId, JobId, Json
from glaze.store.attempt import Row, after_row, encode
from glaze.store.database import Connection, Database
from glaze.store.statements import Statements, as_array, statements

_sql: Statements = statements("dependency")
_by_hash = statements("job")["by_hash"]
_PAGE = 1000


async def hold_parents(conn: Connection, parents: Collection[After]) -> frozenset[After]:
    """Lock parents until the commit, so that none ends unseen; return those at their end.

    Raises: InputError for one that does not exist, or is a row of a batch.
    """
    jobs = {one.job for one in parents if one.job is not None}
    batches = {one.batch for one in parents if one.batch is not None}
    params = {"jobs": sorted(jobs), "batches": sorted(batches)}
    await conn.execute(_sql["hold_jobs"], params | {"all": False})
    held = await conn.execute(_sql["hold_batches"], params)
    found = await conn.execute(_sql["hold_jobs"], params | {"all": True})
    known_batches = {row["id"]: row["ended"] for row in await held.fetchall()}
    known_jobs = {row["id"]: row for row in await found.fetchall()}
    _refuse_unknown(jobs, known_jobs, batches, known_batches)
    return frozenset(
        one
        for one in parents
        if known_batches.get(one.batch) or (one.job in known_jobs and _over(known_jobs[one.job]))
    )


def _over(job: Row) -> bool:
    return JobState(job["state"]) in TERMINAL


def _refuse_unknown(
    jobs: Collection[JobId],
    known_jobs: Mapping[Any, Row],
    batches: Collection[BatchId],
    known_batches: Collection[Any],
) -> None:
    for kind, given, known in (("job", jobs, known_jobs), ("batch", batches, known_batches)):
        if unknown := sorted(set(given) - set(known)):
            listed = ", ".join(map(str, unknown[:10]))
            raise InputError(f"there is no {kind} {listed} to wait for")
    for job_id, row in known_jobs.items():
        if row["batch_id"] is not None:
            raise InputError(
                f"job {job_id} is a row of batch {row['batch_id']}: wait for the batch"
            )


async def add_edges(conn: Connection, children: Mapping[JobId, Sequence[After]]) -> None:
    """Write who waits for whom."""
    edges: list[Json] = [
        {"child_id": child} | after_row(one) for child, after in children.items() for one in after
    ]
    await conn.execute(_sql["add"], {"edges": encode(edges)})


async def successors(conn: Connection, jobs: Collection[JobId]) -> list[JobId]:
    """Return who waits, or once waited, for any of ``jobs``."""
    if not jobs:
        return []
    params = {"jobs": as_array(jobs)}
    await conn.execute(_sql["by_index"])
    found = await conn.execute(_sql["successors_of_jobs"], params)
    return [row["id"] for row in await found.fetchall()]


async def successors_of_batches(conn: Connection, batches: Collection[BatchId]) -> list[JobId]:
    """Return who waits, or once waited, for any of ``batches``."""
    if not batches:
        return []
    params = {"batches": list(batches)}
    await conn.execute(_sql["by_index"])
    found = await conn.execute(_sql["successors_of_batches"], params)
    return [row["id"] for row in await found.fetchall()]


async def advance(conn: Connection, jobs: Collection[JobId]) -> list[Row]:
    """Judge those of ``jobs`` that wait by what their parents have become.

    Whose parents are all at their end goes on; one with a parent that did not succeed does as its
    policy says, and so do those behind it. Judging twice does no harm.

    Returns: id, state, queue and rank (None unless pending) of each that waits no more.
    """
    if not jobs:
        return []
    await conn.execute(_sql["by_index"])
    await conn.execute(_sql["by_key"])
    params: dict[str, Any] = {"jobs": list(jobs)}
    held = await (await conn.execute(_sql["hold_waiting"], params)).fetchall()
    if not held:
        return []
    await conn.execute(_by_hash)
    ids, workspaces = [row["id"] for row in held], [row["workspace_id"] for row in held]
    params = {"jobs": ids, "workspaces": workspaces}
    return await (await conn.execute(_sql["advance"], params)).fetchall()


class Swept(NamedTuple):
    """One page of the sweep: who was stranded, who of all goes on, and where the next page starts."""

    stranded: tuple[JobId, ...]
    moved: list[Row]
    next_after: JobId


async def repair(db: Database, after: JobId, n: int = _PAGE) -> Swept:
    """Look at up to ``n`` waiting jobs above the id ``after`` and move on whom nothing keeps."""
    async with db.fleet() as conn:
        params = {"after": after, "n": n}
        page = await (await conn.execute(_sql["stranded"], params)).fetchall()
        stranded = tuple(row["id"] for row in page if row["stranded"])
        moved = await advance(conn, stranded)
    return Swept(stranded, moved, page[-1]["id"] if len(page) == n else JobId(0))


async def results_of_parents(conn: Connection, job_id: JobId) -> dict[str, Json]:
    """Return the results of a job's parents by step, or by id as text where it has none."""
    found = await conn.execute(_sql["results_of_parents"], {"job": job_id})
    return {row["name"]: row["body"] for row in await found.fetchall()}
