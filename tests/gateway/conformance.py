"""What comes of each provider's answers, through the whole gateway; ``python -m tests.gateway.conformance``.

Every provider found by entry point is asked over HTTP, its vendor played by the sandbox, in each
situation twice, as a job does that comes back. What was billed is counted in the vendor's own log.
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from glaze.boot.process import utc_now
from glaze.errors import FetchError
from glaze.model.provider import Ask, Operation, Page, Provider, Reply, Tier, Unbilled, Verdict
from glaze.model.value import DEFAULT_WORKSPACE, FREE, MICROS_PER_CENT, BudgetId, FieldName, Json
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.net.vendor import BoundHttp
from glaze.pipeline.asking import Access, Answer, Declined, Question
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.collecting import Collector
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.providers.registry import load_providers
from glaze.store.database import Database
from glaze.store.due import DueStore
from glaze.store.embedded import ensure_server
from glaze.store.entity import EntityStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from glaze.store.migrate import migrate
from glaze.store.worker import WorkerStore
from glaze_sandbox.faults import FaultKind, FaultSpec
from glaze_sandbox.limits import LimitSpec
from glaze_sandbox.server import Running, serve
from glaze_sandbox.state import State, new_state
from glaze_sandbox.vendors.keyless import Keyless
from glaze_sandbox.wire import Metered
from glaze_sandbox.world.registers import all_truth
from tests.gateway.conftest import Bench, Vendor
from tests.providers.vendor_fake import sample_ask

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
COMPANIES, CANDIDATES = 60, 150
MANY = 4
"""Above so many requests, how many it comes to depends on what else the machine does."""
TIMEOUT_S, SLOW_S = 1.5, 2.5
CALLBACK = "http://127.0.0.1:9"  # nobody listens: what was promised is asked for
HOSTS = {"rdap": "data.iana.org", "social": "github.com"}
"""Where the vendor of a provider without an address of its own is found."""
INVENTED: Mapping[str, Json] = {
    "company_domain": "qwxyzvbn.com",
    "company_name": "Qwxyz Zvbnm Ptfgh",
    "company_legal_name": "Qwxyz Zvbnm Ptfgh Ltd",
    "company_country": "GB",
    "company_registration_number": "09999998",
    "company_lei": "529900T8BM49AURSDO55",
    "company_linkedin_url": "https://www.linkedin.com/company/qwxyz-zvbnm-ptfgh",
    "company_github_url": "https://github.com/qwxyz-zvbnm-ptfgh",
    "person_email": "qwxyz@qwxyzvbn.com",
    "person_full_name": "Qwxyz Zvbnmpt",
    "person_first_name": "Qwxyz",
    "person_last_name": "Zvbnmpt",
    "person_linkedin_url": "https://www.linkedin.com/in/qwxyz-zvbnmpt",
    "person_github_url": "https://github.com/qwxyz-zvbnmpt",
}
HASTEN = """
    update call set poll_at = now(), deadline = now()
    where state = 'pending_vendor' and question_id in (select id from question where provider = %s)
    returning id
"""
SILENT = Page("https://acme.com/", "Nothing is said here of anybody.")


class Situation(StrEnum):
    """What the vendor does."""

    MATCH = "match"
    NO_MATCH = "no match"
    REFUSED = "401, a bad key"
    SPENT = "402, out of credits"
    LIMITED = "rate limited, by its own habit"
    FAILING = "503"
    SILENT = "no answer within the timeout"
    MALFORMED = "200 with half a body"
    LATER = "answer that comes later"


FAULTS = {
    Situation.FAILING: {"kind": FaultKind.STATUS, "status": 503},
    Situation.SPENT: {"kind": FaultKind.STATUS, "status": 402},
    Situation.SILENT: {"kind": FaultKind.SLOW, "delay_s": SLOW_S},
    Situation.MALFORMED: {"kind": FaultKind.MALFORMED},
}


@dataclass(frozen=True)
class Asked:
    """A question that the sandbox answers in a way that is known beforehand."""

    operation: Operation
    needs: frozenset[FieldName]
    ask: Ask


@dataclass(frozen=True)
class Row:
    """What came of one situation."""

    provider: str
    situation: Situation
    operation: str
    first: str
    again: str
    requests: int
    billed_micros: int  # by the vendor's own log
    spent_micros: int  # by the ledger
    held_micros: int  # by the ledger: reserved for what may have been billed

    @property
    def agrees(self) -> bool:
        """Whether the ledger and the vendor mean the same money."""
        if self.held_micros:
            return self.spent_micros <= self.billed_micros <= self.spent_micros + self.held_micros
        return self.spent_micros == self.billed_micros


@dataclass(frozen=True)
class Table:
    """Every row, and the providers that no vendor of the sandbox answers."""

    rows: Sequence[Row]
    not_played: Sequence[str]


def vendor_of(state: State, provider: Provider) -> str | None:
    """Return which vendor of the sandbox plays a provider's, None where none does."""
    host = HOSTS.get(provider.spec.name) or urlsplit(provider.spec.base_url).hostname or ""
    vendor = state.vendors.get(host)
    return vendor.name if vendor else None


@dataclass
class Examiner:
    """Puts one provider into every situation, one after the other."""

    bench: Bench
    sandbox: Running
    scouted: Running  # where questions are tried beforehand: what happens there counts nothing
    http: HttpClient
    scout: HttpClient
    provider: Provider
    collecting: asyncio.Lock

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.spec.name

    @property
    def vendor(self) -> str:
        """What the sandbox calls its vendor."""
        return str(vendor_of(self.sandbox.state, self.provider))

    async def examine(self) -> list[Row]:
        """Return a row for each situation that this vendor can bring about."""
        spec = self.provider.spec
        asked = await self.find(spec.operations, Verdict.MATCH)
        later = [one for one in spec.operations if one.collect_s]
        promised = await self.find(later, Verdict.PENDING)
        if asked is not None and asked.operation.deferral:
            promised = replace(asked, operation=asked.operation.deferred())
        subject = asked or promised
        assert subject is not None, f"the sandbox knows nothing that {self.name} can be asked"
        wanted = {
            Situation.MATCH: asked,
            Situation.NO_MATCH: await self.find(spec.operations, Verdict.NO_MATCH),
            **{one: subject for one in Situation if self.can(one, subject.operation)},
            Situation.LATER: promised,
        }
        return [
            await self.row(situation, wanted[situation])
            for situation in Situation
            if wanted.get(situation)
        ]

    def can(self, situation: Situation, operation: Operation) -> bool:
        """Tell whether this vendor can be brought into a situation of its own making."""
        if situation in {Situation.MATCH, Situation.NO_MATCH, Situation.LATER}:
            return False
        if situation is Situation.REFUSED:
            return not isinstance(self.player, Keyless)
        return situation is not Situation.SPENT or operation.price_micros > FREE

    @property
    def player(self) -> object:
        """The vendor that the sandbox plays."""
        vendors = self.sandbox.state.vendors.values()
        return next(one for one in vendors if one.name == self.vendor)

    def candidates(self, operation: Operation) -> Iterator[Asked]:
        """What may be asked, beginning with what nobody ever heard of."""
        if self.provider.spec.tier is Tier.INFERENCE:
            ask = sample_ask(operation)
            yield Asked(operation, operation.needs[0], replace(ask, evidence=(SILENT,)))
            yield Asked(operation, operation.needs[0], ask)
            return
        known: list[Mapping[str, Json]] = [INVENTED]
        world = self.scouted.state.world
        for company in world.companies():
            truth = all_truth(company)
            people = world.people_of(company)[:2]
            known += [truth, *(truth | person.truth() for person in people)]
        for one in known:
            needs = next((need for need in operation.needs if need <= one.keys()), None)
            if needs is not None:
                ask = Ask({name: one[name] for name in needs}, frozenset(operation.gives))
                yield Asked(operation, needs, ask)

    async def find(self, operations: Sequence[Operation], verdict: Verdict) -> Asked | None:
        """Try questions until the vendor answers one with ``verdict``."""
        for operation in operations:
            if operation.needs_callback and verdict is not Verdict.PENDING:
                continue
            for asked in islice(self.candidates(operation), CANDIDATES):
                reply = await self.tried(asked)
                free = operation.price_micros > FREE and isinstance(reply.billing, Unbilled)
                if reply.verdict is verdict and not (free and verdict is Verdict.MATCH):
                    return asked
        return None

    async def tried(self, asked: Asked) -> Reply:
        """Ask past the gateway, where it counts for nothing; again where this machine was too slow."""
        while True:
            try:
                return await self.tried_once(asked)
            except FetchError:
                await asyncio.sleep(0.1)

    async def tried_once(self, asked: Asked) -> Reply:
        """Ask past the gateway.

        Raises: FetchError where no answer came.
        """
        http = BoundHttp(
            self.scout,
            base_url=self.provider.spec.base_url,
            key=f"sandbox-scout{self.suffix}",
            deadline=time.monotonic() + 30,
            token="g1-1-scout",
            callback_url=f"{CALLBACK}/x",
        )
        (reply,) = await self.provider.look_up(asked.operation.name, [asked.ask], http)
        return reply

    async def row(self, situation: Situation, asked: Asked | None) -> Row:
        """Ask twice in one situation, and count."""
        assert asked is not None
        await self.forget_outages()
        state, key = self.sandbox.state, self.key(situation)
        question, budgets = await self.question(situation, asked)
        seen = state.requests[self.vendor]
        with self.brought_about(situation):
            async with self.opened(situation, key) as (gateway, collector):
                first = await sent(gateway, question)
                if situation is Situation.LATER:
                    async with self.collecting:  # a sweep takes whatever is due, whosever it is
                        await self.collected(collector)
                again = await sent(gateway, question)
            await self.all_answered(state)
        bills = [bill for bill in state.billing.bills if bill.api_key == key]
        mine = [bill for bill in bills if bill.vendor == self.vendor]
        spent, held = await self.ledger(budgets)
        return Row(
            provider=self.name,
            situation=situation,
            operation=asked.operation.name,
            first=told(first),
            again=told(again),
            requests=state.requests[self.vendor] - seen,
            billed_micros=sum(bill.micros for bill in mine),
            spent_micros=spent,
            held_micros=held,
        )

    def key(self, situation: Situation) -> str:
        """The key that bills of this row carry: what it begins with says how good it is."""
        row = f"{self.name}-{situation.name.lower()}{self.suffix}"
        if situation is Situation.REFUSED:
            return f"refused-{self.name}"
        metered = isinstance(self.player, Metered)
        return f"sandbox-{'spent-' if metered and situation is Situation.SPENT else ''}{row}"

    @property
    def suffix(self) -> str:
        """What makes a key of the kind that is no secret: an address to write to."""
        return "@us.example" if self.provider.spec.key_setting == "contact" else ""

    @contextmanager
    def brought_about(self, situation: Situation) -> Iterator[None]:
        """Let the vendor do what the situation says, until the block ends."""
        state, vendor = self.sandbox.state, self.vendor
        fault, limit = FAULTS.get(situation), None
        if situation is Situation.SPENT and isinstance(self.player, Metered):
            fault = None
        if situation is Situation.LIMITED:
            limit = LimitSpec(vendor=vendor, calls=0, window_s=40)
            state.limits.replace([*state.limits.specs, limit])
        active = state.faults.add(FaultSpec(vendor=vendor, **fault)) if fault else None
        yield
        if active:
            state.faults.clear(active.id)
        state.limits.replace([one for one in state.limits.specs if one is not limit])

    async def question(
        self, situation: Situation, asked: Asked
    ) -> tuple[Question, tuple[BudgetId, ...]]:
        """Return the question of a job of its own, with a budget of its own."""
        budgets = await self.bench.budget(10**9, f"{self.name} {situation}")
        (job,) = await self.bench.claimed()
        operation = asked.operation
        if situation is Situation.SILENT:
            operation = replace(operation, timeout_s=TIMEOUT_S)
        return (
            Question(
                provider=self.provider,
                operation=operation,
                needs=asked.needs,
                ask=asked.ask,
                asker=await self.bench.asker(job, budgets=budgets),
                position=1,
                missed=(),
                reason="it is examined",
                judge=lambda readings: readings,
            ),
            budgets,
        )

    @asynccontextmanager
    async def opened(
        self, situation: Situation, key: str
    ) -> AsyncIterator[tuple[Gateway, Collector]]:
        """Open a gateway whose key is this row's own: what is said of it concerns no other row."""
        bench, spec = self.bench, self.provider.spec
        access = Access(f"env {situation.name}", key, spec.base_url)
        async with Gateway.open(
            ledger=bench.ledger,
            limits=LimitStore(bench.db),
            entities=bench.entities,
            http=self.http,
            credentials=Credentials({self.name: access}),
            callback_url=CALLBACK,
        ) as gateway:
            yield (
                gateway,
                Collector(
                    gateway,
                    DueStore(bench.db),
                    self.http,
                    {self.name: self.provider},
                    beliefs=Beliefs([spec]),
                    clock=utc_now,
                    base_url=CALLBACK,
                ),
            )

    async def collected(self, collector: Collector) -> None:
        """Ask for what was promised until it is there; no wait that was agreed on is kept."""
        while await self.hastened():
            await collector.sweep()
            while collector._polling:  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)  # the vendor takes its time

    async def hastened(self) -> int:
        """Make every promise of this vendor due; return how many there are."""
        async with self.bench.db.workspace(DEFAULT_WORKSPACE) as conn:
            return len(await (await conn.execute(HASTEN, (self.name,))).fetchall())

    async def forget_outages(self) -> None:
        """Let no row's failures open the circuit of the next."""
        async with self.bench.db.fleet() as conn:
            await conn.execute("delete from circuit where provider = %s", (self.name,))

    async def all_answered(self, state: State) -> None:
        """Wait until the vendor is done with what it was asked, heard or not."""
        own = f"{self.vendor} "
        while state.requests[self.vendor] > sum(  # noqa: ASYNC110  the sandbox tells nobody
            n for status, n in state.statuses.items() if status.startswith(own)
        ):
            await asyncio.sleep(0.02)

    async def ledger(self, budgets: tuple[BudgetId, ...]) -> tuple[int, int]:
        """Return what the ledger has as spent, and as held, in micros."""
        sql = "select spent_micros, reserved_micros from budget where id = any(%s)"
        async with self.bench.db.workspace(DEFAULT_WORKSPACE) as conn:
            (row,) = await (await conn.execute(sql, ([*budgets],))).fetchall()
        return row["spent_micros"], row["reserved_micros"]


async def sent(gateway: Gateway, question: Question) -> Answer | Declined:
    """Ask until it is asked: on a busy machine a call may be given up before anything left."""
    while True:
        result = await gateway.ask(question)
        if not isinstance(result, Declined) or not result.unsent:
            return result


def told(result: Answer | Declined) -> str:
    """Return what a result means for its job, in a word or two."""
    if isinstance(result, Answer):
        return f"{result.verdict.value}, known" if result.known else result.verdict.value
    said = f" ({result.verdict.value})" if result.verdict else ""
    if result.verdict is Verdict.PENDING:
        return "promised"
    return f"{result.why.value}{said}"


async def measure(dsn: str) -> Table:
    """Examine every installed provider, all of them at the same time."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(Database.open(dsn))
        sandbox = await stack.enter_async_context(serve(new_state(companies=COMPANIES)))
        scouted = await stack.enter_async_context(serve(new_state(companies=COMPANIES)))
        http, scout = [
            await stack.enter_async_context(HttpClient(sandbox=SandboxRoute.from_url(one.url)))
            for one in (sandbox, scouted)
        ]
        worker = await WorkerStore(db).register("conformance", "0", ["default"], lease_s=600)
        bench = Bench(db, Vendor(), worker, JobStore(db), LedgerStore(db), EntityStore(db))
        installed = load_providers().providers
        played = [one for one in installed.values() if vendor_of(sandbox.state, one)]
        taking_turns = asyncio.Lock()
        examiners = [
            Examiner(bench, sandbox, scouted, http, scout, one, taking_turns) for one in played
        ]
        async with asyncio.TaskGroup() as tasks:
            found = [tasks.create_task(one.examine()) for one in examiners]
    names = {one.spec.name for one in played}
    return Table([row for rows in found for row in rows.result()], sorted(installed.keys() - names))


HEAD = """# Conformance

Written by `make conformance`, kept true by a test. Every provider found by entry point whose vendor the sandbox plays is asked over
HTTP through the whole gateway, the same question twice in each situation, as a job does that comes back: *outcome* is what the first
asking brought, *asked again* the second, *requests* what the vendor saw of both. *Billed* is counted in the vendor's own log; *ledger*
is what Glaze has as spent, *held* what it keeps reserved because the vendor may have billed it. Where nothing is held, the first two
are equal; where something is, the bill lies within it. A vendor whose own word for an empty account the sandbox does not play answers
a plain 402; `zerobounce` has one answer for a bad key and an empty account.
"""


def document(table: Table) -> str:
    """Return docs/conformance.md."""
    parts = [HEAD]
    for situation in Situation:
        rows = [row for row in table.rows if row.situation is situation]
        parts.append(f"\n## {situation.value[:1].upper()}{situation.value[1:]}\n\n")
        parts.append(
            "| provider | operation | outcome | asked again | requests | billed | ledger | held |\n"
        )
        parts.append("|---|---|---|---|---|---|---|---|\n")
        parts += [_line(row) for row in rows]
    none = ", ".join(f"`{name}`" for name in table.not_played)
    parts.append(
        f"\n## Not in the table\n\nNo vendor of the sandbox answers {none}: no money is paid there. "
    )
    parts.append(
        "They, all the others and every plug-in are held to\n"
        "`tests/providers/test_conformance.py`: whatever comes back, one sound reply for each question.\n"
    )
    return "".join(parts)


def _line(row: Row) -> str:
    cells = [
        f"`{row.provider}`",
        f"`{row.operation}`",
        row.first,
        row.again,
        _count(row),
        *map(_dollars, (row.billed_micros, row.spent_micros, row.held_micros)),
    ]
    return "| " + " | ".join(cells) + " |\n"


def _count(row: Row) -> str:
    if row.situation is Situation.LATER:
        return "1 and polls"
    return str(row.requests) if row.requests <= MANY else "many"


def _dollars(micros: int) -> str:
    return f"${micros / (MICROS_PER_CENT * 100):.4f}".rstrip("0").rstrip(".") if micros else "0"


async def _write() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        ensure_server(Path(folder) / "data", unsafe_fast=True, idle_s=2) as lease,
    ):
        await migrate(lease.dsn)
        DOCUMENT.write_text(document(await measure(lease.dsn)))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(_write())
