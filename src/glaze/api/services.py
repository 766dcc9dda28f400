"""What the routes stand on; the composition root provides it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from glaze.jobs.burst import Summary
from glaze.jobs.kind import Kinds
from glaze.jobs.live import Live
from glaze.jobs.waiting import Waiting
from glaze.pipeline.collecting import Collector
from glaze.settings import Settings
from glaze.store.access import KeyStore
from glaze.store.audit import AuditStore
from glaze.store.batch import BatchStore
from glaze.store.batch_control import BatchControl
from glaze.store.callback import CallbackStore
from glaze.store.control import ControlStore
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.token import TokenStore
from glaze.store.webhook import WebhookStore
from glaze.store.webhook_delivery import DeliveryStore
from glaze.store.worker import WorkerStore


class Services(Protocol):
    """The parts of a booted Glaze that routes use."""

    @property
    def settings(self) -> Settings:
        """What the process was started with."""

    @property
    def keys(self) -> KeyStore:
        """API keys."""

    @property
    def tokens(self) -> TokenStore:
        """Read tokens."""

    @property
    def live(self) -> Live:
        """Who is told what changes."""

    @property
    def audit(self) -> AuditStore:
        """Who did what."""

    @property
    def db(self) -> Database:
        """The pools, for the health check."""

    @property
    def jobs(self) -> JobStore:
        """The queue."""

    @property
    def batches(self) -> BatchStore:
        """Tables of rows."""

    @property
    def batch_control(self) -> BatchControl:
        """What is done to batches from outside."""

    @property
    def ledger(self) -> LedgerStore:
        """What was paid."""

    @property
    def control(self) -> ControlStore:
        """What is done to jobs from outside."""

    @property
    def events(self) -> EventStore:
        """The log of each job."""

    @property
    def waiting(self) -> Waiting:
        """Who waits for results."""

    @property
    def workers(self) -> WorkerStore:
        """Who works."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time, aware UTC."""

    async def run_some(self, *, max_jobs: int = 10, timeout_ms: int = 25_000) -> Summary:
        """Run some jobs in this process."""

    @property
    def collector(self) -> Collector:
        """Who collects the answers that vendors promised."""

    @property
    def callbacks(self) -> CallbackStore:
        """What jobs wait to be told."""

    @property
    def webhooks(self) -> WebhookStore:
        """Endpoints that are told what happens."""

    @property
    def deliveries(self) -> DeliveryStore:
        """What they were told."""

    @property
    def kinds(self) -> Kinds:
        """The installed job kinds."""
