"""What a worker did and what waits, as Prometheus reads it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from glaze.errors import StoreUnavailable
from glaze.jobs.tally import BUCKETS_S, Tally
from glaze.store.backlog import Backlog

MOST_COUNTED = 100_000
"""No queue's depth is counted further: a count must stay cheap however long the queue is."""

_LOOK_EVERY_S = 5.0

Look = Callable[[], Awaitable[Sequence[Backlog]]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What one process, or a manager with all of its own, is at now."""

    tally: Tally
    slots: int
    slots_in_use: int
    processes: int
    memory_bytes: int  # resident, of all the processes


class Metrics:
    """Answers a scrape; queues are looked at every few seconds at most, whoever asks how often."""

    def __init__(self, now: Callable[[], Moment], look: Look) -> None:
        """Ask ``now`` for this process's own figures and ``look`` for the queues."""
        self._now = now
        self._look = look
        self._seen: Sequence[Backlog] = ()
        self._seen_at = float("-inf")

    async def scrape(self) -> tuple[str, bytes]:
        """Return content type and body. Without a database the queues' figures are left out."""
        if monotonic() - self._seen_at >= _LOOK_EVERY_S:
            try:
                self._seen = await self._look()
            except StoreUnavailable:
                self._seen = ()
            self._seen_at = monotonic()
        registry = CollectorRegistry()
        registry.register(_Once([*_of_jobs(self._now()), *_of_queues(self._seen)]))
        return CONTENT_TYPE_LATEST, generate_latest(registry)


class _Once(Collector):
    """A collector of figures that are known already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _of_jobs(now: Moment) -> list[Metric]:
    tally = now.tally
    ended = CounterMetricFamily(
        "glaze_jobs_finished",
        "Attempts at their end, by kind and outcome",
        labels=("kind", "outcome"),
    )
    for (kind, outcome), n in tally.ended.items():
        ended.add_metric((kind, outcome), n)
    durations = HistogramMetricFamily(
        "glaze_job_duration_seconds", "How long attempts took, by kind", labels=("kind",)
    )
    for kind, taken in tally.durations.items():
        durations.add_metric((kind,), _buckets(taken.counts), taken.total_s)
    return [
        CounterMetricFamily("glaze_jobs_claimed", "Jobs claimed", tally.claimed),
        ended,
        durations,
        CounterMetricFamily(
            "glaze_jobs_rescued", "Jobs taken back from dead workers", tally.rescued
        ),
        GaugeMetricFamily("glaze_worker_processes", "Worker processes", now.processes),
        GaugeMetricFamily("glaze_worker_slots", "Jobs that may run at once", now.slots),
        GaugeMetricFamily("glaze_worker_slots_in_use", "Jobs that run now", now.slots_in_use),
        GaugeMetricFamily(
            "glaze_worker_memory_bytes", "Resident memory of the workers", now.memory_bytes
        ),
    ]


def _buckets(counts: Sequence[int]) -> list[tuple[str, float]]:
    """Return upper bounds with cumulative counts, as Prometheus has them."""
    bounds = [*(str(bound) for bound in BUCKETS_S), "+Inf"]
    total, buckets = 0, []
    for bound, n in zip(bounds, counts, strict=True):
        total += n
        buckets.append((bound, float(total)))
    return buckets


def _of_queues(seen: Sequence[Backlog]) -> list[Metric]:
    depth = GaugeMetricFamily(
        "glaze_queue_jobs",
        f"Jobs that are not at their end, counted up to {MOST_COUNTED:,}",
        labels=("queue", "state"),
    )
    paused = GaugeMetricFamily("glaze_queue_paused", "1 while paused", labels=("queue",))
    for one in seen:
        depth.add_metric((one.queue, "pending"), one.pending)
        depth.add_metric((one.queue, "processing"), one.processing)
        depth.add_metric((one.queue, "scheduled"), one.scheduled)
        paused.add_metric((one.queue,), float(one.paused))
    return [depth, paused]
