"""The long storm: python -m tests.storm [--kills 500 --server-kills 20 --freezes 40 --seeds 20].

Each seed is a storm of its own on a fresh database, and a line in --results: what is there already
is not run again, so that a long run can be interrupted and gone on with.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from time import monotonic

import psycopg
import structlog
from psycopg.conninfo import make_conninfo

from glaze.store.embedded import ensure_server
from glaze.store.embedded.lease import Lease
from glaze.store.migrate import migrate
from tests.storm.storm import Plan, Storm


def kill_server(data: Path, lease: Lease) -> None:
    """Kill PostgreSQL without warning and wait until its supervisor has it back."""
    pid = int((data / "pgdata" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    lease.recover()


def one_storm(data: Path, lease: Lease, plan: Plan) -> dict[str, object]:
    """Run one storm and return its line."""
    name = f"storm_{plan.seed}"
    with psycopg.connect(lease.dsn, autocommit=True) as conn:
        conn.execute(f"drop database if exists {name} with (force)".encode())
        conn.execute(f"create database {name}".encode())
    dsn = make_conninfo(lease.dsn, dbname=name)
    asyncio.run(migrate(dsn))
    begun = monotonic()
    with tempfile.TemporaryDirectory() as folder:
        storm = Storm(dsn, Path(folder), plan, lambda: kill_server(data, lease))
        verdict = asyncio.run(storm.run())
    with psycopg.connect(lease.dsn, autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)".encode())
    seconds = round(monotonic() - begun, 1)
    return asdict(plan) | asdict(verdict) | {"holds": verdict.holds, "seconds": seconds}


def share(total: int, seeds: int, n: int) -> int:
    """Return the part of ``total`` that falls to seed ``n`` of ``seeds``, from 0."""
    return total * (n + 1) // seeds - total * n // seeds


def main() -> None:
    """Run the storms that have no line yet, and sum up."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--server-kills", type=int, default=20)
    parser.add_argument("--freezes", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--results", type=Path, default=Path("storm.jsonl"))
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    plans = [
        Plan(
            seed,
            share(asked.kills, asked.seeds, seed),
            share(asked.server_kills, asked.seeds, seed),
            share(asked.freezes, asked.seeds, seed),
        )
        for seed in range(asked.seeds)
    ]
    lines = asked.results.read_text().splitlines() if asked.results.exists() else []
    known = {line["seed"]: line for line in map(json.loads, lines)}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        lease = ensure_server(data, idle_s=2)
        try:
            for plan in plans:
                if known.get(plan.seed, {}).items() >= asdict(plan).items():
                    continue
                known[plan.seed] = line = one_storm(data, lease, plan)
                with asked.results.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(json.dumps(line), flush=True)
        finally:
            lease.release()
    ran = [known[plan.seed] for plan in plans]
    numbers = [key for key, value in ran[0].items() if type(value) is int and key != "seed"]
    print(json.dumps({"total": {key: sum(line[key] for line in ran) for key in numbers}}))
    if not all(line["holds"] for line in ran):
        sys.exit("a storm does not hold: see the lines above")


if __name__ == "__main__":
    main()
