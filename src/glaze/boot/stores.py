"""The stores that need the database alone."""

from dataclasses import dataclass

from glaze.store.access import KeyStore
from glaze.store.asking_rule import AskingRuleStore
from glaze.store.audit import AuditStore
from glaze.store.backlog import BacklogStore
from glaze.store.budget import BudgetStore
from glaze.store.calibration import CalibrationStore
from glaze.store.calls import CallStore
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.entity_view import EntityViews
from glaze.store.event import EventStore
from glaze.store.fresh_time import FreshTimeStore
from glaze.store.history import HistoryStore
from glaze.store.ledger import LedgerStore
from glaze.store.member import MemberStore
from glaze.store.metrics import MetricsStore
from glaze.store.outline import OutlineStore
from glaze.store.overview import OverviewStore
from glaze.store.queues import QueueStore
from glaze.store.record import RecordStore
from glaze.store.retention import RetentionStore
from glaze.store.view import ViewStore
from glaze.store.webhook import WebhookStore
from glaze.store.worker import WorkerStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What stands on the pools and nothing else; each is made where it is asked for, for it keeps nothing."""

    db: Database

    @property
    def asking_rules(self) -> AskingRuleStore:
        """Whom workspaces ask first."""
        return AskingRuleStore(self.db)

    @property
    def fresh_times(self) -> FreshTimeStore:
        """How long values stay fresh for workspaces."""
        return FreshTimeStore(self.db)

    @property
    def audit(self) -> AuditStore:
        """Who did what."""
        return AuditStore(self.db)

    @property
    def backlog(self) -> BacklogStore:
        """What there is to do in the whole fleet."""
        return BacklogStore(self.db)

    @property
    def budgets(self) -> BudgetStore:
        """Caps."""
        return BudgetStore(self.db)

    @property
    def calibrations(self) -> CalibrationStore:
        """How far sources are believed."""
        return CalibrationStore(self.db)

    @property
    def calls(self) -> CallStore:
        """Calls to providers, as people see them."""
        return CallStore(self.db)

    @property
    def entities(self) -> EntityStore:
        """What is known of companies and people."""
        return EntityStore(self.db)

    @property
    def entity_views(self) -> EntityViews:
        """Who is known, as people see it."""
        return EntityViews(self.db)

    @property
    def events(self) -> EventStore:
        """What happened, in order."""
        return EventStore(self.db)

    @property
    def history(self) -> HistoryStore:
        """What the calls of workspaces teach."""
        return HistoryStore(self.db)

    @property
    def keys(self) -> KeyStore:
        """API keys."""
        return KeyStore(self.db)

    @property
    def ledger(self) -> LedgerStore:
        """What was asked and what it cost."""
        return LedgerStore(self.db)

    @property
    def members(self) -> MemberStore:
        """Who may sign in."""
        return MemberStore(self.db)

    @property
    def metrics(self) -> MetricsStore:
        """How the jobs of a workspace fare."""
        return MetricsStore(self.db)

    @property
    def outlines(self) -> OutlineStore:
        """Which rows of a table meet criteria."""
        return OutlineStore(self.db)

    @property
    def overview(self) -> OverviewStore:
        """How a workspace stands at a glance."""
        return OverviewStore(self.db)

    @property
    def queues(self) -> QueueStore:
        """Queues, and what is done to them."""
        return QueueStore(self.db)

    @property
    def records(self) -> RecordStore:
        """The caller's own leads, accounts and contacts."""
        return RecordStore(self.db)

    @property
    def retention(self) -> RetentionStore:
        """For how long workspaces keep things."""
        return RetentionStore(self.db)

    @property
    def views(self) -> ViewStore:
        """What people look at again and again."""
        return ViewStore(self.db)

    @property
    def webhooks(self) -> WebhookStore:
        """Endpoints that hear what happens."""
        return WebhookStore(self.db)

    @property
    def workers(self) -> WorkerStore:
        """Who works."""
        return WorkerStore(self.db)
