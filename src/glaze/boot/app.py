"""The wiring: everything that a command, a route or a worker needs, made once."""

import asyncio
import os
import platform
import random
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

import structlog

from glaze.api.signing_in import SignIns
from glaze.boot.asking import asking, eraser_of
from glaze.boot.process import utc_now
from glaze.boot.providers import (
    Providers,
    checked_vendor,
    configure_providers,
    policy,
    sharing,
    standing_caps,
)
from glaze.boot.readiness import degraded
from glaze.boot.secrets import sign_ins, vendor_keys
from glaze.boot.server import running_server
from glaze.boot.standing import as_document, standings
from glaze.boot.stores import Stores
from glaze.errors import InputError
from glaze.jobs.burst import Burst, Summary
from glaze.jobs.erasing import Eraser
from glaze.jobs.kind import Kinds
from glaze.jobs.live import Live
from glaze.jobs.options import WorkerOptions
from glaze.jobs.waiting import Waiting
from glaze.jobs.wake import Wake
from glaze.jobs.worker import Worker
from glaze.logs import configure_logs
from glaze.model.failpoint import At, nowhere
from glaze.model.measure import Measures
from glaze.model.provider import ProviderSpec, Tier
from glaze.model.redact import Redactor
from glaze.model.value import DEFAULT_WORKSPACE, Json, WorkspaceId
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.collecting import Collector
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.deciding import Deciding
from glaze.pipeline.plan import Planner
from glaze.pipeline.scoring import Scoring
from glaze.pipeline.terms import StandingTerms
from glaze.pipeline.vendor_keys import VendorKeys
from glaze.settings import Settings
from glaze.store.batch import BatchStore
from glaze.store.batch_control import BatchControl
from glaze.store.budget import StandingCaps
from glaze.store.callback import CallbackStore
from glaze.store.control import ControlStore
from glaze.store.database import Database, password_of
from glaze.store.health import HealthStore
from glaze.store.history import HistoryStore
from glaze.store.icp import IcpStore
from glaze.store.job import JobStore
from glaze.store.migrate import migrate
from glaze.store.plan import PlanStore
from glaze.store.retention import Keep
from glaze.store.schedule import ScheduleStore
from glaze.store.search import SearchStore
from glaze.store.token import TokenStore
from glaze.store.webhook_delivery import DeliveryStore
from glaze.store.workflow import WorkflowStore
from glaze.tasks.answering import Answering
from glaze.tasks.courier import Courier
from glaze.tasks.registry import load_kinds
from glaze.tasks.tools import Tools
from glaze.traces import close_traces, configure_traces

log = structlog.get_logger("boot")


@dataclass(frozen=True, slots=True)
class App(Stores):
    """Everything that a command, a route or a worker needs, wired."""

    settings: Settings
    tokens: TokenStore
    live: Live
    jobs: JobStore
    batches: BatchStore
    workflows: WorkflowStore
    answering: Answering
    waiting: Waiting
    control: ControlStore
    batch_control: BatchControl
    schedules: ScheduleStore
    collector: Collector
    callbacks: CallbackStore
    deliveries: DeliveryStore
    courier: Courier
    eraser: Eraser
    searches: SearchStore
    beliefs: Beliefs
    deciding: Deciding
    sign_ins: SignIns
    vendor_keys: VendorKeys
    credentials: Credentials
    providers: Providers
    kinds: Kinds
    at: At
    redactor: Redactor
    wake: Wake
    clock: Callable[[], datetime]
    measures: Measures  # of enrichments and vendors, as a worker tells them
    traffic: Measures  # of what the API answers

    @property
    def keep(self) -> Keep:
        """For how long what is over is kept."""
        return Keep(
            events_days=self.settings.keep_events_days,
            jobs_days=self.settings.keep_jobs_days,
            batches_days=self.settings.keep_batches_days,
            keys_days=self.settings.keep_keys_days,
            workers_days=self.settings.keep_workers_days,
        )

    @property
    def scoring(self) -> Scoring:
        """How well records fit a workspace's profile."""
        return Scoring(IcpStore(self.db), self.entities)

    @property
    def inference_names(self) -> Collection[str]:
        """The installed providers that are language models."""
        return {one.name for one in self.providers.specs if one.tier is Tier.INFERENCE}

    @property
    def standing_caps(self) -> StandingCaps:
        """The caps that the settings hold for every period to come."""
        return standing_caps(self.settings)

    @property
    def provider_names(self) -> Collection[str]:
        """The installed providers."""
        return self.providers.by_name.keys()

    def check_vendor(self, name: str) -> None:
        """Let a provider's name pass that takes a key. Raises: NotFound, InputError."""
        checked_vendor(self.providers, name)

    @property
    def provider_specs(self) -> Sequence[ProviderSpec]:
        """What the installed providers declare."""
        return self.providers.specs

    async def provider_documents(self, workspace_id: WorkspaceId, since: datetime) -> list[Json]:
        """Return how each provider stands, with the workspace's calls since then."""
        health = await HealthStore(self.db).read(workspace_id, since=since)
        reach = await self.credentials.of(workspace_id)
        return [as_document(one) for one in standings(self.settings, self.providers, health, reach)]

    async def degraded(self) -> list[str]:
        """Return what does not work now, while the rest goes on. Raises: StoreUnavailable."""
        health = await HealthStore(self.db).read(DEFAULT_WORKSPACE, since=self.clock())
        living = [one for one in await self.workers.living() if one.lease_left_s > 0]
        reach = await self.credentials.of(DEFAULT_WORKSPACE)
        return degraded(self.settings, self.providers, health, reach, workers=len(living))

    def planner(self, settings: Settings | None = None) -> Planner:
        """Return what foresees a run, by these settings or the process's own."""
        chosen = policy(settings or self.settings, self.providers)
        return Planner(
            self.entities,
            self.ledger,
            HistoryStore(self.db),
            PlanStore(self.db),
            self.providers.specs,
            self.credentials,
            chosen,
            self.beliefs,
            self.budgets,
            StandingTerms(chosen.order, self.asking_rules),
        )

    def worker(
        self,
        *,
        queues: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        concurrency: int | None = None,
        memory_limit_bytes: int | None = None,
    ) -> Worker:
        """Return a worker of this process, not yet running.

        Raises: InputError for kinds that this version does not know.
        """
        options = self._options(queues=queues, kinds=kinds, concurrency=concurrency)
        options = replace(options, memory_limit_bytes=memory_limit_bytes)
        rng = random.Random()  # noqa: S311  jitter, no secret
        return Worker(
            self.db,
            self.kinds,
            options,
            rng=rng,
            at=self.at,
            redactor=self.redactor,
            collect=self.sweep,
            measures=self.measures,
        )

    async def run_some(
        self,
        *,
        max_jobs: int = 10,
        timeout_ms: int = 25_000,
        queues: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        stop: asyncio.Event | None = None,
        abort: asyncio.Event | None = None,
    ) -> Summary:
        """Run up to ``max_jobs`` within ``timeout_ms``, for places where no process stays.

        ``stop`` ends it early, ``abort`` at once.

        Raises: InputError, StoreUnavailable.
        """
        options = self._options(queues=queues, kinds=kinds)
        burst = Burst(
            self.db,
            self.kinds,
            options,
            rng=random.Random(),  # noqa: S311  jitter, no secret
            wake=self.wake,
            at=self.at,
            redactor=self.redactor,
            collect=self.sweep,
        )
        return await burst.run(max_jobs, timeout_ms, stop=stop, abort=abort)

    async def sweep(self) -> None:
        """Ask for answers that vendors promised, and tell endpoints what happened."""
        await self.collector.sweep()
        await self.courier.sweep()

    def _options(
        self,
        *,
        queues: Sequence[str] | None,
        kinds: Sequence[str] | None,
        concurrency: int | None = None,
    ) -> WorkerOptions:
        if unknown := sorted({*(kinds or ())} - self.kinds.keys()):
            known = ", ".join(sorted(self.kinds))
            raise InputError(f"no kind is called {', '.join(unknown)}; there are {known}")
        return WorkerOptions(
            queues=tuple(queues or self.settings.queues),
            kinds=tuple(kinds) if kinds else None,
            concurrency=concurrency or self.settings.concurrency,
            poll_s=self.settings.poll_s,
            heartbeat_s=self.settings.heartbeat_s,
            lease_s=self.settings.lease_s,
            shutdown_s=self.settings.shutdown_s,
            prune_s=self.settings.prune_s,
            keep=self.keep,
            name=f"{platform.node()}:{os.getpid()}",
            version=version("glaze"),
            host=platform.node(),
        )


@asynccontextmanager
async def boot(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    at: At = nowhere,
) -> AsyncIterator[App]:
    """Start what is needed and wire it; leaving waits for calls under way and lets go of all.

    Raises: StoreError when there is no usable database, SettingsError when settings and
    providers do not fit.
    """
    _configure_logs(settings, _redactor(settings))
    providers = configure_providers(settings)
    for problem in providers.problems:
        log.warning(problem)
    async with AsyncExitStack() as stack:
        if settings.traces_url:
            configure_traces(settings.traces_url, "glaze", version("glaze"))
            stack.push_async_callback(asyncio.to_thread, close_traces)
        db, redactor = await _opened(stack, settings)
        wake = Wake(db.dsn)
        await stack.enter_async_context(_running(wake.run()))
        own_keys = vendor_keys(settings, db, redactor.learn)
        credentials = providers.credentials(own_keys, sharing(settings))
        http, collector, pipeline = await asking(
            stack, settings, providers, credentials, db=db, wake=wake, clock=clock, at=at
        )
        jobs, batches = JobStore(db, wake.hint, wake.ended), BatchStore(db, wake.hint)
        workflows = WorkflowStore(db, jobs)
        waiting = Waiting(db.dsn, jobs, workflows)
        await stack.enter_async_context(_running(waiting.run()))
        stores = Stores(db)
        live = Live(db.dsn, stores.events)
        await stack.enter_async_context(_running(live.run()))
        deliveries = DeliveryStore(db, at)
        courier = await stack.enter_async_context(
            Courier.open(deliveries, http, clock=clock, rng=random.Random(), at=at)  # noqa: S311  jitter
        )
        searches = SearchStore(db, jobs)
        eraser = eraser_of(db, jobs, providers, at)
        traffic = Measures()
        installed = load_kinds(
            Tools(
                pipeline=pipeline,
                http=http,
                jobs=jobs,
                batches=batches,
                records=stores.records,
                webhooks=stores.webhooks,
                eraser=eraser,
                searches=searches,
                search_cents={
                    "people": settings.search_contact_cents,
                    "companies": settings.search_company_cents,
                },
                clock=clock,
            )
        )
        for problem in installed.problems:
            log.warning(problem)
        yield App(
            settings=settings,
            db=db,
            tokens=TokenStore(db, clock),
            live=live,
            jobs=jobs,
            batches=batches,
            workflows=workflows,
            answering=Answering(pipeline, jobs, traffic, at),
            waiting=waiting,
            control=ControlStore(db, jobs),
            batch_control=BatchControl(db, batches),
            schedules=ScheduleStore(db, jobs),
            collector=collector,
            callbacks=CallbackStore(db, wake.hint),
            deliveries=deliveries,
            courier=courier,
            eraser=eraser,
            searches=searches,
            beliefs=pipeline.beliefs,
            deciding=Deciding(stores.entities, pipeline.beliefs, clock=clock),
            sign_ins=sign_ins(settings, db),
            vendor_keys=own_keys,
            credentials=credentials,
            providers=providers,
            kinds=installed.kinds,
            at=at,
            redactor=redactor,
            wake=wake,
            clock=clock,
            measures=pipeline.means.gateway.measures,
            traffic=traffic,
        )


async def _opened(stack: AsyncExitStack, settings: Settings) -> tuple[Database, Redactor]:
    """Return the database, migrated, and what masks the secrets: the server's password among them."""
    server = await stack.enter_async_context(running_server(settings))
    redactor = _redactor(settings, server.dsn)
    _configure_logs(settings, redactor)
    await migrate(server.dsn)
    dsn = await server.runtime_dsn()
    opening = Database.open(dsn, size=settings.pool_size, recover=server.recover)
    return await stack.enter_async_context(opening), redactor


@asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let ``work`` run beside the body, and end with it."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        yield
        task.cancel()


def _redactor(settings: Settings, dsn: str = "") -> Redactor:
    """Return what masks every secret that this process knows."""
    given = settings.database_url.get_secret_value() if settings.database_url else ""
    return Redactor([*settings.secrets(), password_of(given), password_of(dsn)])


def _configure_logs(settings: Settings, redactor: Redactor) -> None:
    configure_logs(
        settings.log_level, settings.log_format, levels=settings.log_levels, mask=redactor.facts
    )
