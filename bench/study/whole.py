"""The same world through the whole pipeline: ledger, history query and order on PostgreSQL."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from bench.study.policies import REFRESH
from bench.study.worlds import CONFIDENCE, Case, Lead, Vendor
from glaze.boot.process import utc_now
from glaze.model.history import Tally
from glaze.model.job import ClaimedJob, NewJob
from glaze.model.provider import (
    Ask,
    Billed,
    Provider,
    ProviderSpec,
    Reply,
    Unbilled,
    VendorHttp,
    Verdict,
)
from glaze.model.request import EnrichArgs, EnrichResult
from glaze.model.value import DEFAULT_WORKSPACE, FieldName, Json, Reading
from glaze.net.client import HttpClient
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.enrichment import Enrichment, Later, Policy
from glaze.pipeline.experience import History
from glaze.pipeline.gateway import Gateway
from glaze.pipeline.inquiry import Means
from glaze.pipeline.run import Pipeline
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.history import HistoryStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from glaze.store.worker import WorkerStore

_FOUND: dict[FieldName, Json] = {
    FieldName("person_title"): "Head of Sales",
    FieldName("person_phone"): "+442071838750",
}


@dataclass
class Seller:
    """A vendor of the study as a provider; it answers out of what the lead is known for."""

    vendor: Vendor
    known: dict[str, frozenset[FieldName]]  # by the name asked about

    @property
    def spec(self) -> ProviderSpec:
        """As the simulation has it."""
        return replace(self.vendor.spec, limits=())

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer as the world has it."""
        del operation, http
        return [self._reply(ask) for ask in asks]

    def _reply(self, ask: Ask) -> Reply:
        name, domain = (
            str(ask.known[FieldName(n)]) for n in ("person_full_name", "company_domain")
        )
        told = self.known[f"{name}@{domain}"]
        billing = Billed(self.vendor.price) if told or self.vendor.misses_billed else Unbilled()
        readings = tuple(
            Reading(field, _FOUND.get(field, f"{name.split()[-1].lower()}@{domain}"), CONFIDENCE)
            for field in sorted(told)
        )
        return Reply(Verdict.MATCH if told else Verdict.NO_MATCH, billing, readings, raw=b"{}")


@dataclass(frozen=True)
class Whole:
    """What the pipeline did: who was asked about each lead, the total cost, and what it remembers."""

    asked: list[tuple[str, ...]]
    cost_micros: int
    tallies: tuple[Tally, ...]


async def run_whole(db: Database, case: Case, leads: Sequence[Lead]) -> Whole:
    """Enrich ``leads`` one after the other; rates are read as often as in the simulation."""
    sellers: dict[str, Provider] = {
        vendor.name: Seller(vendor, {_who(lead): lead.known_by[vendor.name] for lead in leads})
        for vendor in case.vendors
    }
    worker = await WorkerStore(db).register("study", "0", ["default"], lease_s=3600)
    asked: list[tuple[str, ...]] = []
    cost = 0
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(HttpClient())
        gateway = await stack.enter_async_context(
            Gateway.open(
                ledger=LedgerStore(db),
                limits=LimitStore(db),
                entities=EntityStore(db),
                http=http,
                credentials=Credentials({}),
            )
        )
        means = Means(gateway, LedgerStore(db), sellers, Policy(), utc_now)
        plain = Pipeline(means, Beliefs(case.specs))
        store = HistoryStore(db)
        pipeline = plain
        for place, lead in enumerate(leads):
            if place % REFRESH == 0:
                history = History(store, case.specs, gateway.tasks, monotonic=lambda: 0.0)
                pipeline = replace(plain, history=history)
            args = EnrichArgs(input=dict(lead.given), required_fields=case.wanted)
            job = await _claimed(db, worker)
            result = await pipeline.run(Enrichment(job, args, lambda: False))
            while isinstance(result, Later):  # a busy machine was late in sending
                await asyncio.sleep(result.wait_s)
                result = await pipeline.run(Enrichment(job, args, lambda: False))
            if not isinstance(result, EnrichResult):
                raise TypeError(f"{lead.given}: {result}")
            asked.append(tuple(stage.name for stage in result.stages if stage.name in sellers))
            cost += result.costs.total
        tallies = await store.tallies(DEFAULT_WORKSPACE, case.specs)
    return Whole(asked, cost, tallies)


def _who(lead: Lead) -> str:
    known = lead.identity.known
    return f"{known[FieldName('person_full_name')]}@{known[FieldName('company_domain')]}"


async def _claimed(db: Database, worker: int) -> ClaimedJob:
    jobs = JobStore(db)
    await jobs.enqueue(DEFAULT_WORKSPACE, [NewJob("enrich", {})])
    ((job,), _) = await jobs.claim("default", 1, worker)
    return job
