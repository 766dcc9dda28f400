"""Eight processes that spend from one budget at once: what is reserved and spent never passes it."""

import asyncio
import sys
from pathlib import Path

import psycopg

from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.ledger_check import verify
from tests.gateway import racer
from tests.gateway.conftest import Bench

PROCESSES = 8
CAP = 6_000_000
WATCH = """
create table public.passed (n bigint);
create function public.note() returns trigger language plpgsql security definer as $$
begin
  insert into public.passed values (new.reserved_micros + new.spent_micros);
  return null;
end $$;
create trigger note after update on glaze.budget for each row
  when (new.reserved_micros + new.spent_micros > new.cap_micros) execute function public.note();
"""


async def test_eight_processes_at_one_budget_never_reserve_and_spend_more_than_its_cap(
    bench: Bench, dsn: str
):
    (job,) = await bench.claimed()
    (budget,) = await bench.budget(CAP)
    with psycopg.connect(dsn) as conn:
        conn.execute(WATCH)
    ids = (budget, job.id, job.token.worker_id, job.token.claim_no)
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(racer.__file__)), dsn, *map(str, ids), f"racer-{n}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for n in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
        assert await asyncio.gather(*(process.wait() for process in processes)) == [0] * PROCESSES
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
    with psycopg.connect(dsn) as conn:
        passed = conn.execute("select count(*) from public.passed").fetchone()
    assert passed == (0,)
    (held,) = await bench.rows("select reserved_micros + spent_micros as n from budget")
    assert CAP - racer.CHEAPEST < held["n"] <= CAP  # and all of it was to be had
    assert all(one.holds for one in await verify(bench.db, DEFAULT_WORKSPACE))
