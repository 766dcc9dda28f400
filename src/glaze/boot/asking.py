"""The wiring of what asks vendors, and of what knows who must not be asked about."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime

from glaze.boot.providers import Providers, freshness, policy, set_confidences
from glaze.jobs.erasing import Eraser
from glaze.jobs.wake import Wake
from glaze.model.failpoint import At
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.collecting import Collector
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.experience import History
from glaze.pipeline.gateway import Gateway
from glaze.pipeline.inquiry import Means
from glaze.pipeline.run import Pipeline
from glaze.pipeline.scoring import Scoring
from glaze.pipeline.terms import StandingTerms
from glaze.settings import Settings
from glaze.store.asking_rule import AskingRuleStore
from glaze.store.calibration import CalibrationStore
from glaze.store.database import Database
from glaze.store.due import DueStore
from glaze.store.entity import EntityStore
from glaze.store.fresh_time import FreshTimeStore
from glaze.store.history import HistoryStore
from glaze.store.icp import IcpStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from glaze.store.personal import PersonalStore
from glaze.store.suppression import SuppressionStore
from glaze.store.worker import WorkerStore


async def asking(
    stack: AsyncExitStack,
    settings: Settings,
    providers: Providers,
    credentials: Credentials,
    *,
    db: Database,
    wake: Wake,
    clock: Callable[[], datetime],
    at: At,
) -> tuple[HttpClient, Collector, Pipeline]:
    """Wire what asks the vendors and what collects the answers that come later."""
    route = SandboxRoute.from_url(settings.sandbox_url) if settings.sandbox_url else None
    http = await stack.enter_async_context(HttpClient(sandbox=route))
    ledger = LedgerStore(db)
    gateway = await stack.enter_async_context(
        Gateway.open(
            ledger=ledger,
            limits=LimitStore(db, seat_lease_s=settings.seat_lease_s),
            entities=EntityStore(db),
            http=http,
            credentials=credentials,
            callback_url=settings.callback_url,
            at=at,
        )
    )
    beliefs = Beliefs(
        providers.specs,
        CalibrationStore(db),
        set_confidences(settings),
        freshness(settings),
        FreshTimeStore(db),
    )
    collector = Collector(
        gateway,
        DueStore(db, wake.hint),
        http,
        providers.by_name,
        beliefs=beliefs,
        clock=clock,
        base_url=settings.callback_url,
        at=at,
    )
    means = Means(gateway, ledger, providers.by_name, policy(settings, providers), clock)
    pipeline = Pipeline(
        means,
        beliefs,
        History(HistoryStore(db), providers.specs, gateway.tasks),
        Scoring(IcpStore(db), EntityStore(db)),
        StandingTerms(settings.order, AskingRuleStore(db)),
    )
    return http, collector, pipeline


def eraser_of(db: Database, jobs: JobStore, providers: Providers, at: At) -> Eraser:
    """Return what erases people, told which operations are about people."""
    about_people = {
        f"{provider.spec.name}.{operation.name}"
        for provider in providers.by_name.values()
        for operation in provider.spec.operations
        if any(name.startswith("person_") for need in operation.needs for name in need)
    }
    return Eraser(
        PersonalStore(db),
        SuppressionStore(db),
        jobs,
        WorkerStore(db),
        LedgerStore(db),
        operations=about_people,
        at=at,
    )
