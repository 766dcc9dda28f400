"""What a job kind stands on; the composition root gives it to every kind's factory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from glaze.jobs.erasing import Eraser
from glaze.net.client import HttpClient
from glaze.pipeline.run import Pipeline
from glaze.store.batch import BatchStore
from glaze.store.job import JobStore
from glaze.store.record import RecordStore
from glaze.store.search import SearchStore
from glaze.store.webhook import WebhookStore


@dataclass(frozen=True, slots=True)
class Tools:
    """The parts of a booted Glaze that job kinds use.

    A database connection lasts as long as a store's method; none is held while anybody is asked.
    """

    pipeline: Pipeline  # asks providers, through the ledger
    http: HttpClient  # the only way out, guarded
    jobs: JobStore
    batches: BatchStore
    records: RecordStore  # the callers' own leads, accounts and contacts
    webhooks: WebhookStore  # what deliveries are signed with
    eraser: Eraser  # erases people
    searches: SearchStore
    search_cents: Mapping[str, int]  # what one of those whom a search is about costs to unlock
    clock: Callable[[], datetime]  # aware UTC
