"""The spend storm: workers killed at every point of a paid call while three classes of vendors fail.

python -m tests.storm.spend [--kills 300 --seeds 10]. The vendors' own billing log is the judge. Each
seed is a storm of its own and a line in --results: what is there already is not run again.
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from time import monotonic

import psycopg
import structlog
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from glaze.model.job import NewJob
from glaze.model.request import EnrichArgs
from glaze.model.value import DEFAULT_WORKSPACE, FieldName, Micros
from glaze.store.budget import WHOLE_WORKSPACE, BudgetStore
from glaze.store.calls import CallStore
from glaze.store.database import Database
from glaze.store.embedded import ensure_server
from glaze.store.job import JobStore
from glaze.store.ledger_check import verify
from glaze.store.migrate import migrate
from glaze_sandbox.faults import FaultKind, FaultSpec
from glaze_sandbox.nameserver import Zone
from glaze_sandbox.server import serve
from glaze_sandbox.state import State, new_state
from tests.storm.classes import CLASSES, FIELDS, PRICE, TIMEOUT_S, ClassVendor
from tests.storm.spend_victim import work

WORKERS = 3
OPEN = 12  # jobs that wait or run: each worker has enough to do when it dies
LONGEST_LIFE_S = 3.0  # of a worker that does not come to its failpoint: it is killed anywhere
DRAIN_S = 90.0
ROOM = Micros(PRICE * 8)  # left below the cap, which is near all the time
POINTS = (
    *("reserved", "answered", "settled", "claimed_due", "collected", "resolved"),
    *("begun", "performed", "finishing", "anywhere"),
)
FAULTS = (
    FaultKind.STATUS,
    FaultKind.SLOW,
    FaultKind.DROP_BEFORE_BILLING,
    FaultKind.DROP_AFTER_BILLING,
    FaultKind.MALFORMED,
)
FAULT_SHARE = 0.05  # of the requests, for each kind
WATCH = """
create table public.passed (n bigint);
create function public.note() returns trigger language plpgsql security definer as $$
begin
  insert into public.passed values (new.reserved_micros + new.spent_micros - new.overrun_micros);
  return null;
end $$;
create trigger note after insert or update on glaze.budget for each row
  when (new.reserved_micros + new.spent_micros - new.overrun_micros > new.cap_micros) execute function public.note();
"""
# What nobody waits for any more: the margins of seconds after a call's timeout are hurried.
HURRY = """
update glaze.call set deadline = least(deadline, clock_timestamp()),
  poll_at = case when poll_at > clock_timestamp() then clock_timestamp() else poll_at end
where state in ('sending', 'pending_vendor') and created_at < clock_timestamp() - make_interval(secs => %s)
"""
# A token that the vendor never saw is asked about no more; a key is sent again until it is answered.
GIVE_UP = """
update glaze.call set collect_until = least(collect_until, clock_timestamp())
where state = 'pending_vendor' and polls > 3 and resend = 'collect'
"""
CALLS = """
select c.id, q.provider, c.state::text as state, coalesce(c.price_micros, 0) as price_micros,
  a.args -> 'input' ->> 'domain' as domain
from glaze.call c join glaze.question q on q.workspace_id = c.workspace_id and q.id = c.question_id
join glaze.job_args a on a.workspace_id = c.workspace_id and a.job_id = c.job_id
"""
Question = tuple[str, str]
"""Provider and domain."""


def install(folder: Path) -> None:
    """Lay the providers down as an installed package of somebody else's."""
    info = folder / "spend_storm-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spend-storm\nVersion: 1.0\n")
    lines = [f"{name} = tests.storm.classes:{name}" for name in CLASSES]
    (info / "entry_points.txt").write_text("[glaze.providers]\n" + "\n".join(lines) + "\n")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the vendors' billing log and the ledger say of each other; ``bad`` has to be empty."""

    seed: int
    kills: Mapping[str, int]  # by point
    jobs: int
    calls: Mapping[str, int]  # by "provider state", before unknown ones were reconciled
    bills: int
    deduped: int  # requests that a vendor had had under the same key
    refused: int  # stages that a budget stopped
    seconds: float
    bad: Mapping[str, int]  # what must not be, where it is


@dataclass(slots=True)
class Worker:
    """A process, the failpoint at which it is to die, and since when it works."""

    process: ForkServerProcess
    point: str
    working: Event
    _since: float | None = None

    def worked_s(self) -> float:
        """Return for how many seconds it has worked."""
        if self._since is None and self.working.is_set():
            self._since = monotonic()
        return 0.0 if self._since is None else monotonic() - self._since


@dataclass(slots=True)
class SpendStorm:
    """A database and a sandbox, and workers that die over them."""

    dsn: str
    folder: Path
    kills: int
    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    _workers: list[Worker] = field(default_factory=list)

    async def run(self) -> Verdict:
        """Strike, drain, and judge."""
        begun = monotonic()
        install(self.folder)
        with psycopg.connect(self.dsn) as conn:
            conn.execute(WATCH)
        state = self._vendors()
        async with serve(state) as sandbox, Database.open(self.dsn, size=2) as db:
            async with self._crew():
                await self._strike(db, sandbox.url)
                state.faults.clear()
                await self._drain(sandbox.url)
            return await self._judge(db, state, begun)

    def _vendors(self) -> State:
        state = new_state(self.seed, companies=1)
        vendors = [ClassVendor(name) for name in CLASSES]
        state.vendors = {host: vendor for vendor in vendors for host in vendor.hosts}
        state.zone = Zone(state.world, frozenset(state.vendors))
        for name in CLASSES:
            for kind in FAULTS:
                slow = TIMEOUT_S * 1.5
                state.faults.add(
                    FaultSpec(kind=kind, vendor=name, probability=FAULT_SHARE, delay_s=slow)
                )
        return state

    @asynccontextmanager
    async def _crew(self) -> AsyncIterator[None]:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", "tests.storm.spend_victim"])
        try:
            yield
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()

    def _start(self, url: str, point: str, nth: int) -> None:
        environment = {
            "DATABASE_URL": self.dsn,
            "GLAZE_SANDBOX_URL": url,
            "GLAZE_LEASE_S": "2",
            "GLAZE_HEARTBEAT_S": "0.4",
            "GLAZE_POLL_S": "0.2",
            "GLAZE_CONCURRENCY": "6",
            "GLAZE_POOL_SIZE": "3",
            "GLAZE_HEALTH_PORT": "0",
            "GLAZE_LOG_LEVEL": "error",
            **{f"GLAZE_PROVIDER__{name.upper()}__KEY": "sandbox-storm" for name in CLASSES},
        }
        context = multiprocessing.get_context("forkserver")
        working = context.Event()
        given = (environment, str(self.folder), (point, nth), working)
        process = context.Process(target=work, args=given)
        process.start()
        self._workers.append(Worker(process, point, working))

    async def _strike(self, db: Database, url: str) -> None:
        rng = random.Random(self.seed)
        points = [POINTS[n % len(POINTS)] for n in range(self.kills + WORKERS)]
        rng.shuffle(points)
        lives = iter(points)
        while self.struck.total() < self.kills:
            while len(self._workers) < WORKERS:
                self._start(url, next(lives, "anywhere"), rng.randint(1, 4))
            await self._feed(db)
            await self._bury(rng)
            await asyncio.sleep(0.1)

    async def _bury(self, rng: random.Random) -> None:
        """Count who died at its point; kill who has lived for long, wherever it is."""
        for worker in list(self._workers):
            process, point = worker.process, worker.point
            life = LONGEST_LIFE_S * (rng.random() if point == "anywhere" else 2)
            if process.is_alive() and worker.worked_s() < life:
                continue
            if process.is_alive():
                process.kill()
                point = "anywhere"
            process.join()
            assert process.exitcode == -signal.SIGKILL, f"a worker ended with {process.exitcode}"
            self.struck[point] += 1
            self._workers.remove(worker)

    async def _feed(self, db: Database) -> None:
        """Keep jobs coming, two about each domain; keep the cap near, and calls not waiting."""
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(HURRY, (TIMEOUT_S * 2,))
            open_ = _one(
                conn,
                "select count(*) from glaze.job where state in ('pending', 'scheduled', 'processing')",
            )
            held = _one(
                conn,
                "select coalesce(max(reserved_micros + spent_micros), 0) from glaze.budget where scope = 'workspace_day'",
            )
        if self.jobs % 2 == 0:
            await BudgetStore(db).set_cap(DEFAULT_WORKSPACE, WHOLE_WORKSPACE, Micros(held + ROOM))
        if open_ < OPEN:
            new = [_job(self.jobs + n) for n in range(OPEN)]
            self.jobs += len(await JobStore(db).enqueue(DEFAULT_WORKSPACE, new))

    async def _drain(self, url: str) -> None:
        """Let workers that nobody kills end what is open."""
        async with asyncio.timeout(DRAIN_S):
            while True:
                while len(self._workers) < WORKERS:
                    self._start(url, "nowhere", 1)
                with psycopg.connect(self.dsn, autocommit=True) as conn:
                    conn.execute(HURRY, (TIMEOUT_S * 2,))
                    conn.execute(GIVE_UP)
                    if not _one(conn, _LEFT):
                        return
                await asyncio.sleep(0.2)

    async def _judge(self, db: Database, state: State, begun: float) -> Verdict:
        bills = Counter((bill.vendor, bill.question) for bill in state.billing.bills)
        with psycopg.connect(self.dsn, row_factory=dict_row) as conn:
            calls = conn.execute(CALLS).fetchall()
            refused = conn.execute(_REFUSED).fetchall()[0]["n"]
        of = {(c["provider"], c["domain"]) for c in calls}
        paid = Counter((c["provider"], c["domain"]) for c in calls if c["price_micros"])
        unknown = Counter((c["provider"], c["domain"]) for c in calls if c["state"] == "unknown")
        bad = Counter[str]()
        bad["questions billed twice"] = len(state.billing.duplicates())
        bad["bills without a call"] = sum(
            max(0, bills[q] - paid[q] - unknown[q]) for q in bills.keys() | of
        )
        bad["prices without a bill"] = sum(max(0, paid[q] - bills[q]) for q in of)
        bad["class A calls left unknown"] = sum(n for q, n in unknown.items() if q[0] == "class_a")
        bad.update(await self._broken(db))
        await self._reconcile(db, calls, bills)
        bad.update(await self._broken(db, " once reconciled"))
        billed = sum(bill.micros for bill in state.billing.bills)
        with psycopg.connect(self.dsn) as conn:
            spent = _one(conn, "select sum(spent_micros) from glaze.budget")
            bad["micros that ledger and bills differ by"] = abs(billed - spent)
            bad["micros still reserved"] = _one(
                conn, "select sum(reserved_micros) from glaze.budget"
            )
            bad["times over a cap"] = _one(conn, "select count(*) from public.passed")
            bad["jobs not at their end"] = _one(conn, _LEFT)
        return Verdict(
            seed=self.seed,
            kills=dict(sorted(self.struck.items())),
            jobs=self.jobs,
            calls=dict(sorted(Counter(f"{c['provider']} {c['state']}" for c in calls).items())),
            bills=sum(bills.values()),
            deduped=sum(v.deduped for v in state.vendors.values() if isinstance(v, ClassVendor)),
            refused=refused,
            seconds=round(monotonic() - begun, 1),
            bad={what: n for what, n in bad.items() if n},
        )

    async def _broken(self, db: Database, when: str = "") -> dict[str, int]:
        judged = await verify(db, DEFAULT_WORKSPACE)
        return {f"not {one.invariant}{when}": one.broken for one in judged}

    async def _reconcile(
        self, db: Database, calls: list[dict[str, object]], bills: Mapping[Question, int]
    ) -> None:
        """Record of unknown calls what the vendors' log says, as a user would."""
        found = {
            c["id"]: PRICE if bills[c["provider"], c["domain"]] else Micros(0)  # type: ignore[index]
            for c in calls
            if c["state"] == "unknown"
        }
        if found:
            await CallStore(db).resolve(DEFAULT_WORKSPACE, found, "the vendors' log")  # type: ignore[arg-type]


_LEFT = """
select (select count(*) from glaze.job where state in ('pending', 'scheduled', 'processing', 'waiting'))
     + (select count(*) from glaze.call where state in ('sending', 'pending_vendor'))
"""
_REFUSED = """
select count(*) as n from glaze.job j join glaze.result r on r.id = j.result_id
cross join jsonb_array_elements(r.body -> 'stages') s where s ->> 'detail' like 'not asked: over budget%'
"""


def _one(conn: psycopg.Connection[tuple[int, ...]], query: str, *given: object) -> int:
    row = conn.execute(query.encode(), given).fetchone()
    return int(row[0] or 0) if row else 0


def _job(n: int) -> NewJob:
    args = EnrichArgs(
        input={"domain": f"storm{n // 2}.com"},
        required_fields=tuple(map(FieldName, FIELDS.values())),
        providers=tuple(CLASSES),
    )
    return NewJob("enrich", args.model_dump(mode="json", exclude_defaults=True))


def one_storm(server_dsn: str, kills: int, seed: int) -> Verdict:
    """Run one storm on a database of its own."""
    name = f"spend_{seed}"
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"create database {name}".encode())
    dsn = make_conninfo(server_dsn, dbname=name)
    asyncio.run(migrate(dsn))
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(SpendStorm(dsn, Path(folder), kills, seed).run())
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)".encode())
    return verdict


def main() -> None:
    """Run the storms that have no line yet, and sum up."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm.spend")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=10, help="the kills are shared out over them")
    parser.add_argument("--results", type=Path, default=Path("spend_storm.jsonl"))
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    kills = -(-asked.kills // asked.seeds)
    lines = asked.results.read_text().splitlines() if asked.results.exists() else []
    known = {line["seed"]: line for line in map(json.loads, lines)}
    with (
        tempfile.TemporaryDirectory() as folder,
        ensure_server(Path(folder) / "data", idle_s=2) as lease,
    ):
        for seed in range(asked.seeds):
            if sum(known.get(seed, {}).get("kills", {}).values()) >= kills:
                continue
            known[seed] = line = asdict(one_storm(lease.dsn, kills, seed))
            with asked.results.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
    ran = [known[seed] for seed in range(asked.seeds)]
    by_point = sum((Counter(line["kills"]) for line in ran), Counter[str]())
    total = {key: sum(line[key] for line in ran) for key in ("jobs", "bills", "deduped", "refused")}
    print(json.dumps({"total": {"kills": by_point.total(), **total, "by point": by_point}}))
    if any(line["bad"] for line in ran):
        sys.exit("a spend storm does not hold: see the lines above")


if __name__ == "__main__":
    main()
