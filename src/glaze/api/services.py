"""What the routes stand on; the composition root provides it."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from glaze.api.signing_in import SignIns
from glaze.jobs.burst import Summary
from glaze.jobs.erasing import Eraser
from glaze.jobs.kind import Kinds
from glaze.jobs.live import Live
from glaze.jobs.waiting import Waiting
from glaze.model.measure import Measures
from glaze.model.provider import ProviderSpec
from glaze.model.value import Json, WorkspaceId
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.collecting import Collector
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.deciding import Deciding
from glaze.pipeline.plan import Planner
from glaze.pipeline.scoring import Scoring
from glaze.pipeline.vendor_keys import VendorKeys
from glaze.settings import Settings
from glaze.store.access import KeyStore
from glaze.store.asking_rule import AskingRuleStore
from glaze.store.audit import AuditStore
from glaze.store.backlog import BacklogStore
from glaze.store.batch import BatchStore
from glaze.store.batch_control import BatchControl
from glaze.store.budget import BudgetStore, StandingCaps
from glaze.store.calibration import CalibrationStore
from glaze.store.callback import CallbackStore
from glaze.store.calls import CallStore
from glaze.store.control import ControlStore
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.entity_view import EntityViews
from glaze.store.event import EventStore
from glaze.store.fresh_time import FreshTimeStore
from glaze.store.history import HistoryStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.member import MemberStore
from glaze.store.metrics import MetricsStore
from glaze.store.outline import OutlineStore
from glaze.store.overview import OverviewStore
from glaze.store.queues import QueueStore
from glaze.store.schedule import ScheduleStore
from glaze.store.search import SearchStore
from glaze.store.token import TokenStore
from glaze.store.view import ViewStore
from glaze.store.webhook import WebhookStore
from glaze.store.webhook_delivery import DeliveryStore
from glaze.store.worker import WorkerStore
from glaze.store.workflow import WorkflowStore
from glaze.tasks.answering import Answering


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
    def traffic(self) -> Measures:
        """What the API counts."""

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
    def entities(self) -> EntityStore:
        """What is known of companies and people."""

    @property
    def scoring(self) -> Scoring:
        """How well records fit a profile."""

    @property
    def deciding(self) -> Deciding:
        """What people decide of values."""

    @property
    def metrics(self) -> MetricsStore:
        """How the jobs of a workspace fare."""

    @property
    def outlines(self) -> OutlineStore:
        """Which rows of a table meet criteria."""

    @property
    def overview(self) -> OverviewStore:
        """How a workspace stands at a glance."""

    @property
    def backlog(self) -> BacklogStore:
        """What there is to do in the whole fleet."""

    @property
    def entity_views(self) -> EntityViews:
        """Who is known, as people see it."""

    @property
    def views(self) -> ViewStore:
        """What people look at again and again."""

    @property
    def inference_names(self) -> Collection[str]:
        """The installed providers that are language models."""

    @property
    def schedules(self) -> ScheduleStore:
        """Jobs that recur."""

    @property
    def workflows(self) -> WorkflowStore:
        """Jobs that come after one another."""

    @property
    def queues(self) -> QueueStore:
        """What waits."""

    @property
    def asking_rules(self) -> AskingRuleStore:
        """How workspaces have their jobs ask."""

    @property
    def fresh_times(self) -> FreshTimeStore:
        """How long values stay fresh for workspaces."""

    @property
    def beliefs(self) -> Beliefs:
        """What workspaces believe of their sources."""

    @property
    def budgets(self) -> BudgetStore:
        """What may be spent."""

    @property
    def calls(self) -> CallStore:
        """What was asked of providers."""

    @property
    def members(self) -> MemberStore:
        """Who may sign in."""

    @property
    def sign_ins(self) -> SignIns:
        """Who signs in and out."""

    @property
    def vendor_keys(self) -> VendorKeys:
        """Vendors' keys of workspaces' own."""

    @property
    def credentials(self) -> Credentials:
        """Whose key pays."""

    def check_vendor(self, name: str) -> None:
        """Let a provider's name pass that takes a key. Raises: NotFound, InputError."""

    @property
    def standing_caps(self) -> StandingCaps:
        """The caps of the settings."""

    @property
    def provider_names(self) -> Collection[str]:
        """The installed providers."""

    @property
    def provider_specs(self) -> Sequence[ProviderSpec]:
        """What the installed providers declare."""

    @property
    def history(self) -> HistoryStore:
        """What the calls of workspaces teach."""

    @property
    def calibrations(self) -> CalibrationStore:
        """How far sources are believed."""

    async def provider_documents(
        self, workspace_id: WorkspaceId, since: datetime
    ) -> Sequence[Json]:
        """Return how each provider stands."""

    async def degraded(self) -> Sequence[str]:
        """Return what does not work now, while the rest goes on. Raises: StoreUnavailable."""

    def planner(self) -> Planner:
        """Return what foresees a run."""

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
    def answering(self) -> Answering:
        """Who answers from the cache."""

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
    def eraser(self) -> Eraser:
        """Who erases people."""

    @property
    def searches(self) -> SearchStore:
        """Searches, and the credit that unlocks them."""

    @property
    def kinds(self) -> Kinds:
        """The installed job kinds."""
