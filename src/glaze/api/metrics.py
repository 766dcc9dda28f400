"""``/metrics``: how a workspace's jobs fare."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from glaze.api.auth import Reader
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.store.metrics import MOST, SAMPLE, Asked, JobMetrics
from glaze.tasks.enrich import NAME as ENRICH

_MINUTE_S = 60.0


class ShareOut(BaseModel):
    """How many of how many; ``rate`` is null where there is none."""

    of: int
    hits: int
    rate: float | None


class DurationsOut(BaseModel):
    """From begin to end, in seconds; null where nothing has ended."""

    p50_s: float | None
    p95_s: float | None


class SampleOut(BaseModel):
    """What the latest single jobs came to that ended in the window."""

    jobs: int = Field(description=f"how many were looked at: at most {SAMPLE:,}")
    states: dict[str, int]
    success: ShareOut = Field(description="completed or partial, of those that were not cancelled")
    cache: ShareOut = Field(description="asked nobody, of the enrichments that were answered")
    inference: ShareOut = Field(description="asked a language model")
    cost_micros: int
    cost_per_job_micros: float | None
    durations: DurationsOut


class ProviderOut(BaseModel):
    """How the latest settled calls to a provider fared, those for rows of batches, too."""

    provider: str
    matches: ShareOut
    cost_micros: int
    p50_s: float | None


class MetricsOut(BaseModel):
    """What waits now, what ended in the window, and what the latest of it came to."""

    window_s: int
    open: dict[str, int] = Field(description=f"single jobs now, by state; {MOST:,}: or more")
    ended: int = Field(description=f"single jobs in the window; {MOST:,}: or more")
    per_minute: float | None = Field(description="jobs that ended, over the time of the sample")
    sample: SampleOut
    providers: list[ProviderOut]
    rows: dict[str, int] = Field(
        description=f"of batches that are open or were made in the window, the latest {SAMPLE:,}"
    )


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["jobs"], responses=PROBLEMS)

    @router.get("/metrics", summary="How jobs fare")
    async def metrics(
        who: Reader,
        window_s: Annotated[
            int, Query(ge=60, le=30 * 86_400, description="seconds until now")
        ] = 86_400,
    ) -> MetricsOut:
        """Return counts, throughput, success, hit rates, costs and durations of the workspace's jobs.

        Counts end at a bound, and shares are of the latest jobs and calls of the window, so that
        the answer comes as quickly however many there are.
        """
        since = services.clock() - timedelta(seconds=window_s)
        found = await services.metrics.of_jobs(
            who.workspace_id, since, enrich=ENRICH, inference=services.inference_names
        )
        return _shown(found, window_s)

    return router


def _shown(found: JobMetrics, window_s: int) -> MetricsOut:
    latest = found.latest
    states = ("completed", "partial", "failed", "dead", "cancelled")
    tried = latest.jobs - latest.cancelled
    whole = latest.jobs < SAMPLE  # then the sample is the window
    over_s = window_s if whole else latest.over_s
    return MetricsOut(
        window_s=window_s,
        open={**found.open},
        ended=found.ended,
        per_minute=latest.jobs / over_s * _MINUTE_S if over_s else None,
        sample=SampleOut(
            jobs=latest.jobs,
            states={name: getattr(latest, name) for name in states},
            success=_share(latest.completed + latest.partial, tried),
            cache=_share(latest.from_cache, latest.answered),
            inference=_share(latest.with_inference, latest.jobs),
            cost_micros=latest.cost_micros,
            cost_per_job_micros=latest.cost_micros / latest.jobs if latest.jobs else None,
            durations=DurationsOut(p50_s=latest.p50_s, p95_s=latest.p95_s),
        ),
        providers=[_provider(one) for one in found.providers],
        rows={**found.rows},
    )


def _provider(one: Asked) -> ProviderOut:
    return ProviderOut(
        provider=one.provider,
        matches=_share(one.matches, one.calls),
        cost_micros=one.cost_micros,
        p50_s=one.p50_s,
    )


def _share(hits: int, of: int) -> ShareOut:
    return ShareOut(of=of, hits=hits, rate=hits / of if of else None)
