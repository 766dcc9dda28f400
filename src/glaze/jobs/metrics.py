"""What a process did and what waits, as Prometheus reads it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from time import monotonic
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from glaze.errors import StoreUnavailable
from glaze.jobs.tally import Tally
from glaze.model.measure import BUCKETS_S, METRICS, Measures
from glaze.store.backlog import Backlog, BacklogStore, Circuit

MOST_COUNTED = 100_000
"""No queue's depth is counted further: a count must stay cheap however long the queue is."""

_LOOK_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """What every process sees the same."""

    queues: Sequence[Backlog] = ()
    circuits: Sequence[Circuit] = ()


Look = Callable[[], Awaitable[Fleet]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What one process, or a manager with all of its own, is at now."""

    tally: Tally
    slots: int
    slots_in_use: int
    processes: int
    memory_bytes: int  # resident, of all the processes


Now = Callable[[], Moment | Measures]


class Metrics:
    """Answers a scrape; queues are looked at every few seconds at most, whoever asks how often."""

    def __init__(self, now: Now, look: Look) -> None:
        """Ask ``now`` for this process's own figures and ``look`` for the fleet's."""
        self._now = now
        self._look = look
        self._seen = Fleet()
        self._seen_at = float("-inf")

    async def scrape(self) -> tuple[str, bytes]:
        """Return content type and body. Without a database the fleet's figures are left out."""
        if monotonic() - self._seen_at >= _LOOK_EVERY_S:
            try:
                self._seen = await self._look()
            except StoreUnavailable:
                self._seen = Fleet()
            self._seen_at = monotonic()
        now = self._now()
        ours = _of_measures(now) if isinstance(now, Measures) else _of_jobs(now)
        registry = CollectorRegistry()
        registry.register(_Once([_build(), *ours, *_of_fleet(self._seen)]))
        return CONTENT_TYPE_LATEST, generate_latest(registry)


def look_through(
    store: BacklogStore, queues: Sequence[str], kinds: Sequence[str] | None = None
) -> Look:
    """Return what counts the jobs of these queues, and looks at the circuits."""

    async def look() -> Fleet:
        return Fleet(await store.look(queues, kinds, most=MOST_COUNTED), await store.circuits())

    return look


class _Once(Collector):
    """A collector of figures that are known already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class _Families:
    """Makes families of metrics that are in ``METRICS``, and of no others."""

    def __init__(self) -> None:
        self._made: dict[str, Metric] = {}

    def of(self, name: str) -> Any:
        """Return the family of this name, to add to."""
        if name not in self._made:
            spec = METRICS[name]
            make = _MAKES[spec.kind]
            self._made[name] = make(name, spec.says.replace("`", ""), labels=spec.labels)
        return self._made[name]

    def all(self) -> list[Metric]:
        """Return what was made."""
        return [*self._made.values()]


_MAKES: Mapping[str, Callable[..., Metric]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


def _build() -> Metric:
    families = _Families()
    families.of("glaze_build_info").add_metric((version("glaze"),), 1)
    return families.all()[0]


def _of_jobs(now: Moment) -> list[Metric]:
    tally, families = now.tally, _Families()
    for (kind, outcome), n in tally.ended.items():
        families.of("glaze_jobs_finished").add_metric((kind, outcome), n)
    for kind, taken in tally.durations.items():
        duration = families.of("glaze_job_duration_seconds")
        duration.add_metric((kind,), _buckets(taken.counts), taken.total_s)
    for name, n in (("glaze_jobs_claimed", tally.claimed), ("glaze_jobs_rescued", tally.rescued)):
        families.of(name).add_metric((), n)
    for name, level in (
        ("glaze_worker_processes", now.processes),
        ("glaze_worker_slots", now.slots),
        ("glaze_worker_slots_in_use", now.slots_in_use),
        ("glaze_worker_memory_bytes", now.memory_bytes),
    ):
        families.of(name).add_metric((), level)
    return [*families.all(), *_of_measures(tally.measures)]


def _of_measures(measures: Measures) -> list[Metric]:
    families = _Families()
    for (name, *labels), n in measures.counts.items():
        families.of(name).add_metric(labels, n)
    for (name, *labels), taken in measures.took.items():
        families.of(name).add_metric(labels, _buckets(taken.counts), taken.total_s)
    return families.all()


def _buckets(counts: Sequence[int]) -> list[tuple[str, float]]:
    """Return upper bounds with cumulative counts, as Prometheus has them."""
    bounds = [*(str(bound) for bound in BUCKETS_S), "+Inf"]
    total, buckets = 0, []
    for bound, n in zip(bounds, counts, strict=True):
        total += n
        buckets.append((bound, float(total)))
    return buckets


_LEVELS = {"closed": 0.0, "half-open": 0.5, "open": 1.0}


def _of_fleet(seen: Fleet) -> list[Metric]:
    families = _Families()
    depth, paused = families.of("glaze_queue_jobs"), families.of("glaze_queue_paused")
    for one in seen.queues:
        depth.add_metric((one.queue, "pending"), one.pending)
        depth.add_metric((one.queue, "processing"), one.processing)
        depth.add_metric((one.queue, "scheduled"), one.scheduled)
        paused.add_metric((one.queue,), float(one.paused))
    for circuit in seen.circuits:
        labels = (circuit.provider, circuit.base_url)
        families.of("glaze_circuit_state").add_metric(labels, _LEVELS[circuit.state])
    return families.all()
