"""What the pipeline is asked for, under which policy, and how a run ends that has no result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from glaze.model.asking_rule import Terms
from glaze.model.job import ClaimedJob
from glaze.model.request import EnrichArgs
from glaze.model.value import Micros
from glaze.pipeline.asking import Decline


@dataclass(frozen=True, slots=True)
class Later:
    """The job has to wait ``wait_s`` seconds for ``reason``; nothing failed."""

    wait_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The job is not to go on: cancelled, another worker's by now, or about whom nothing may be kept."""

    why: Decline


Halt = Later | Stopped
"""Why a run does not go on now."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing is known and every source failed, one at least for a reason that may pass."""

    detail: str


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What one claimed job asks the pipeline for."""

    job: ClaimedJob
    args: EnrichArgs
    cancelled: Callable[[], bool]
    progress: Callable[[float, str], None] = lambda _percent, _message: None
    terms: Terms = field(default_factory=Terms)  # how it asks; the pipeline finds it out


@dataclass(frozen=True, slots=True)
class Policy:
    """What the workspace's settings say of every enrichment."""

    miss_ttl: timedelta = timedelta(days=1)
    order: Sequence[str] = ()  # as people give it: see ``arranged``
    opted_in: frozenset[str] = frozenset()
    unusable: Mapping[str, str] = field(default_factory=dict)
    caps: Mapping[str, Micros] = field(default_factory=dict)  # standing ones, see store/budget.py
    llm_pages: int = 5  # most pages of a site that a model reads for one job
    llm_cap_micros: Micros | None = None  # most that one job spends on models
    deferring: bool = False  # rows of batches have models answer later, where that is cheaper
