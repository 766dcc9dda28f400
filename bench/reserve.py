"""E10: reservations on one budget, grouped and each in a commit of its own, also where commits take 3 ms more."""

import asyncio
from itertools import count
from time import perf_counter

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bench.figure import Figure
from glaze.model.job import ClaimedJob, NewJob
from glaze.model.ledger import Asker, Intent, QuestionKey, Reserved
from glaze.model.value import DEFAULT_WORKSPACE, Micros
from glaze.pipeline.books import Books, Granted
from glaze.store.budget import BudgetCap
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore, Sealed
from glaze.store.worker import WorkerStore

ASKERS = 40
"""Jobs of one process that ask at the same time."""
CALLS = 400
ROUNDS = 3
DELAY_US = 3_000
_numbers = count()


async def asker(db: Database) -> Asker:
    """Return somebody with a lease and a day's budget that is never used up."""
    jobs = JobStore(db)
    me = await WorkerStore(db).register("bench", "", ["default"], lease_s=600)
    await jobs.enqueue(DEFAULT_WORKSPACE, [NewJob("no_op", {})])
    claimed, _ = await jobs.claim("default", 1, me)
    job: ClaimedJob = claimed[0]
    cap = BudgetCap("workspace_day", "2026-11-22", Micros(2**60))
    allowance = await LedgerStore(db).allowance(DEFAULT_WORKSPACE, [cap])
    return Asker(DEFAULT_WORKSPACE, job.id, job.token, None, None, {}, allowance.of_all)


def sealed(who: Asker) -> Sealed:
    """Return a question that nobody has asked."""
    key = QuestionKey("env", "bench", "look", "", next(_numbers).to_bytes(8))
    return Sealed([Intent(who, key, Micros(10_000), 1, (), "a benchmark", ())], 30.0)


async def rate(db: Database, *, grouped: bool) -> float:
    """Return reservations a second."""
    ledger, who = LedgerStore(db), await asker(db)
    async with asyncio.TaskGroup() as tasks:
        books = Books(ledger, EntityStore(db), DEFAULT_WORKSPACE, b"key", tasks)

        async def ask(n: int) -> None:
            for _ in range(n):
                if grouped:
                    granted = await books.reserve(sealed(who))
                    assert isinstance(granted, Granted)
                    grants = granted.grants
                else:
                    (found,) = await ledger.reserve(DEFAULT_WORKSPACE, [sealed(who)])
                    assert isinstance(found, list)
                    grants = found
                assert isinstance(grants[0], Reserved)

        begun = perf_counter()
        await asyncio.gather(*(ask(CALLS // ASKERS) for _ in range(ASKERS)))
        return CALLS / (perf_counter() - begun)


def slow_commits(dsn: str) -> None:
    """Let each commit of new connections wait, as on a disk or a replica that takes its time."""
    name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
    with psycopg.connect(dsn, autocommit=True) as conn:
        for setting, value in (("commit_delay", DELAY_US), ("commit_siblings", 0)):
            conn.execute(
                sql.SQL("alter database {} set {} = {}").format(
                    name, sql.Identifier(setting), sql.Literal(value)
                )
            )


async def run(dsn: str) -> list[Figure]:
    """Measure both ways in turns, without and with the delay."""
    figures = []
    for what in ("", f", each commit {DELAY_US / 1000:.0f} ms slower"):
        if what:
            slow_commits(dsn)
        async with Database.open(dsn, size=20) as db:
            rounds = [
                (await rate(db, grouped=True), await rate(db, grouped=False)) for _ in range(ROUNDS)
            ]
        grouped, alone = zip(*rounds, strict=True)
        name = f"E10 reservations on one budget, {ASKERS} at a time{what}"
        reach = ">= 5" if what else ">= 1"
        figures.append(
            Figure(name, "calls/s", grouped, "each in a commit of its own", alone, reach)
        )
    return figures
