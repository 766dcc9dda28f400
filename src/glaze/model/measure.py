"""What a process counts of itself: every metric there is, and the counts by their labels."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self

BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds of the histograms of durations, in seconds; the last bucket has none."""


class Metric(NamedTuple):
    """A metric as Prometheus has it; ``where``: on which port it is told."""

    kind: Literal["counter", "gauge", "histogram"]
    where: Literal["worker", "API", "both"]
    says: str
    labels: tuple[str, ...] = ()


METRICS: Mapping[str, Metric] = {
    "glaze_build_info": Metric("gauge", "both", "1, with the version that runs", ("version",)),
    "glaze_queue_jobs": Metric(
        "gauge",
        "both",
        "jobs that are not at their end: `pending` is the depth, `processing` what is active;"
        " looked at every 5 s at most, counted up to 100,000",
        ("queue", "state"),
    ),
    "glaze_queue_paused": Metric("gauge", "both", "1 while paused", ("queue",)),
    "glaze_circuit_state": Metric(
        "gauge",
        "both",
        "0: the provider is asked; 1: it failed too often and is left alone; 0.5: one probe may go",
        ("provider", "base_url"),
    ),
    "glaze_jobs_claimed": Metric("counter", "worker", "jobs claimed"),
    "glaze_jobs_finished": Metric(
        "counter",
        "worker",
        "attempts at their end: `done`, `partial`, `retry`, `snooze`, `failed`, `cancelled`",
        ("kind", "outcome"),
    ),
    "glaze_job_duration_seconds": Metric(
        "histogram", "worker", "how long attempts took", ("kind",)
    ),
    "glaze_jobs_rescued": Metric("counter", "worker", "jobs taken back from dead workers"),
    "glaze_worker_processes": Metric("gauge", "worker", "worker processes"),
    "glaze_worker_slots": Metric("gauge", "worker", "jobs that may run at once"),
    "glaze_worker_slots_in_use": Metric("gauge", "worker", "jobs that run now"),
    "glaze_worker_memory_bytes": Metric("gauge", "worker", "resident memory of the processes"),
    "glaze_enrichments": Metric(
        "counter",
        "both",
        "enrichments with a result: `success`, `partial`, `failed`; `llm` is `yes` where a language"
        " model was asked; the API tells those that it answered from the cache itself",
        ("about", "status", "llm"),
    ),
    "glaze_enrichment_cost_micros": Metric(
        "counter", "worker", "what they cost, in millionths of a US dollar", ("about",)
    ),
    "glaze_vendor_calls": Metric(
        "counter",
        "worker",
        "questions that a provider was asked; a hit is the verdict `match`",
        ("provider", "operation", "verdict"),
    ),
    "glaze_vendor_billed_micros": Metric(
        "counter",
        "worker",
        "what they cost, in millionths of a US dollar",
        ("provider", "operation"),
    ),
    "glaze_vendor_request_seconds": Metric(
        "histogram", "worker", "how long providers took to answer", ("provider",)
    ),
    "glaze_vendor_cached": Metric(
        "counter", "worker", "questions whose answer the ledger had already", ("provider",)
    ),
    "glaze_vendor_waits": Metric(
        "counter",
        "worker",
        "questions that were put off: `limit`, `circuit`, or what the vendor said (`key`, `credits`)",
        ("provider", "why"),
    ),
    "glaze_http_requests": Metric(
        "counter",
        "API",
        "requests by route and status; `route` is the path with its parameters' names",
        ("method", "route", "status"),
    ),
    "glaze_http_request_seconds": Metric(
        "histogram", "API", "how long they took until their answer began", ("route",)
    ),
}
"""By name; that of a counter ends with ``_total`` where Prometheus reads it."""


@dataclass(slots=True)
class Durations:
    """How long things took: a count for each bucket, and the sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    total_s: float = 0.0

    def note(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.total_s += seconds

    def add(self, other: "Durations") -> None:
        """Take in what another process counted."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.total_s += other.total_s


@dataclass(slots=True)
class Measures:
    """Counters and histograms of ``METRICS``: each key is the name and the values of its labels."""

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    took: dict[tuple[str, ...], Durations] = field(default_factory=dict)

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Count ``by`` more."""
        self.counts[name, *labels] += by

    def time(self, name: str, *labels: str, seconds: float) -> None:
        """Count one that took so long."""
        self.took.setdefault((name, *labels), Durations()).note(seconds)

    def add(self, other: "Measures") -> None:
        """Take in what another process counted."""
        self.counts.update(other.counts)
        for key, theirs in other.took.items():
            self.took.setdefault(key, Durations()).add(theirs)

    def as_json(self) -> dict[str, Any]:
        """Return the counts as JSON, for another process."""
        return {
            "counts": [[*key, n] for key, n in self.counts.items()],
            "took": [[*key, one.counts, one.total_s] for key, one in self.took.items()],
        }

    @classmethod
    def of_json(cls, told: dict[str, Any]) -> Self:
        """Return the counts that ``as_json`` of the same version gave."""
        return cls(
            Counter({tuple(key): n for *key, n in told["counts"]}),
            {tuple(key): Durations(counts, s) for *key, counts, s in told["took"]},
        )
