"""The job kind ``enrich``: one company or person, filled by the pipeline."""

from collections.abc import Iterable
from datetime import timedelta

from glaze.errors import ArgsInvalid, Fault, InputError, UnknownField
from glaze.jobs.kind import JobContext, Kind
from glaze.model.identity import identify, known_word
from glaze.model.input_type import refuse_unfit
from glaze.model.job import INTERACTIVE
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Partial, Retry, Snooze
from glaze.model.request import EnrichArgs, EnrichResult, ResultStatus
from glaze.model.value import Json
from glaze.pipeline.asking import Decline
from glaze.pipeline.enrichment import Enrichment, Later, Stopped, Unavailable
from glaze.pipeline.order import arranged
from glaze.pipeline.run import Pipeline
from glaze.tasks.tools import Tools

NAME = "enrich"
TIMEOUT_S = 600.0
LEAST_S = 10.0
"""Most enrichments end within; what one that is broken off has bought answers the next attempt."""
ALERT_AFTER = 100
"""Dead jobs within an hour that somebody should know of."""


def enrich_kind(tools: Tools) -> Kind[EnrichArgs]:
    """Return the kind that runs the pipeline once."""

    async def run(args: EnrichArgs, ctx: JobContext) -> Outcome:
        ended = await ask_pipeline(tools, args, ctx)
        return outcome_of(ended) if isinstance(ended, EnrichResult) else ended

    def check(args: EnrichArgs) -> None:
        refuse_unknown_words(NAME, "input", args.input)
        refuse_unfit_input(args)
        refuse_unknown_providers(tools.pipeline, NAME, "providers", args.providers or ())
        refuse_unknown_providers(tools.pipeline, NAME, "order", arranged(args.order or ())[0])

    return Kind(
        name=NAME,
        args=EnrichArgs,
        run=run,
        retry=INTERACTIVE,
        timeout_s=TIMEOUT_S,
        least_s=LEAST_S,
        alert_after=ALERT_AFTER,
        description="Fill the wanted fields of one company or person.",
        check=check,
    )


async def ask_pipeline(tools: Tools, args: EnrichArgs, ctx: JobContext) -> EnrichResult | Outcome:
    """Run the pipeline; return its result, or how the attempt ends without one."""
    ended = await tools.pipeline.run(Enrichment(ctx.job, args, ctx.cancelled.is_set, ctx.progress))
    match ended:
        case Later(wait_s, reason):
            return Snooze(tools.clock() + timedelta(seconds=wait_s), reason)
        case Stopped(why):
            return _stopped(why)
        case Unavailable(detail):
            return Retry("sources_unavailable", detail)
        case EnrichResult():
            return ended


def _stopped(why: Decline) -> Outcome:
    if why is Decline.CANCELLED:
        return Cancelled()
    # The outcome of a job that is another worker's is not written: its token is stale.
    return Retry(why.value, "the job is another worker's by now")


def outcome_of(result: EnrichResult, **more: Json) -> Outcome:
    """Return how a job with this result ends; ``more`` stands beside it in what is kept."""
    body = {**more, **result.model_dump(mode="json")}
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


def refuse_unfit_input(args: EnrichArgs) -> None:
    """Refuse an input that is not of the type that its caller named.

    The rows of a batch, whose inputs come later, are judged one by one as they run.

    Raises: ArgsInvalid.
    """
    if args.type is None or not args.input:
        return
    try:
        refuse_unfit(args.type, identify(args.input))
    except InputError as error:
        raise ArgsInvalid(NAME, [Fault("input", str(error))]) from error


def refuse_unknown_words(kind: str, path: str, given: Iterable[str]) -> None:
    """Refuse names in an input that are neither fields nor plain words.

    Raises: ArgsInvalid, naming each.
    """
    faults = []
    for word in given:
        try:
            known_word(word)
        except UnknownField as error:
            faults.append(Fault(f"{path}.{word}", str(error)))
    if faults:
        raise ArgsInvalid(kind, faults)


def refuse_unknown_providers(
    pipeline: Pipeline, kind: str, path: str, names: tuple[str, ...]
) -> None:
    """Refuse names of providers, or of their operations, that are not installed.

    Raises: ArgsInvalid, naming those that are.
    """
    unknown = sorted({name.partition(".")[0] for name in names} - pipeline.means.providers.keys())
    if unknown:
        installed = ", ".join(sorted(pipeline.means.providers))
        message = f"no provider is called {', '.join(unknown)}; installed are {installed}"
        raise ArgsInvalid(kind, [Fault(path, message)])
