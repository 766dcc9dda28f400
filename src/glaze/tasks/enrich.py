"""The job kind ``enrich``: one company or person, filled by the pipeline."""

from collections.abc import Callable
from datetime import datetime, timedelta

from glaze.jobs.kind import JobContext, Kind
from glaze.model.job import INTERACTIVE
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Partial, Retry, Snooze
from glaze.model.request import EnrichArgs, EnrichResult, ResultStatus
from glaze.pipeline.asking import Decline
from glaze.pipeline.run import Enrichment, Later, Pipeline, Stopped, Unavailable

NAME = "enrich"
TIMEOUT_S = 600.0


def enrich_kind(pipeline: Pipeline, clock: Callable[[], datetime]) -> Kind[EnrichArgs]:
    """Return the kind that runs ``pipeline``."""

    async def run(args: EnrichArgs, ctx: JobContext) -> Outcome:
        ended = await pipeline.run(Enrichment(ctx.job, args, ctx.cancelled.is_set))
        match ended:
            case Later(wait_s, reason):
                return Snooze(clock() + timedelta(seconds=wait_s), reason)
            case Stopped(why):
                return _stopped(why)
            case Unavailable(detail):
                return Retry("sources_unavailable", detail)
            case EnrichResult():
                return _outcome(ended)

    return Kind(name=NAME, args=EnrichArgs, run=run, retry=INTERACTIVE, timeout_s=TIMEOUT_S)


def _stopped(why: Decline) -> Outcome:
    if why is Decline.CANCELLED:
        return Cancelled()
    # The outcome of a job that is another worker's is not written: its token is stale.
    return Retry(why.value, "the job is another worker's by now")


def _outcome(result: EnrichResult) -> Outcome:
    body = result.model_dump(mode="json")
    match result.status:
        case ResultStatus.SUCCESS:
            return Done(body)
        case ResultStatus.PARTIAL:
            return Partial(body)
        case ResultStatus.FAILED:
            error = next(
                (stage.error for stage in result.stages if stage.error), "no source answered"
            )
            code, _, message = error.partition(": ")
            return Failed(code, message or code, body)
