"""One URL, domain or e-mail address through the pipeline, as a job like any other."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import typer
from rich.table import Table
from rich.text import Text

from glaze.boot.app import App
from glaze.cli.ask import Limits
from glaze.cli.opening import workspace
from glaze.cli.screen import err, money, out, print_json, say, shown, stop_on_signals
from glaze.cli.working import work_until
from glaze.errors import GlazeError, InputError
from glaze.jobs.enqueue import enqueue, new_job
from glaze.model.job import TERMINAL
from glaze.model.request import EnrichResult, ResultStatus
from glaze.model.value import FieldName, JobId, Json
from glaze.store.job import JobView
from glaze.tasks.enrich import NAME

_QUOTE_SHOWN = 80


@dataclass(frozen=True, slots=True)
class OneAsk:
    """A single enrichment to do."""

    given: Mapping[str, str]
    fields: tuple[FieldName, ...]
    limits: Limits

    @property
    def args(self) -> dict[str, Json]:
        """The job's arguments."""
        return {**self.limits.shared(self.fields), "input": dict(self.given)}

    @property
    def key(self) -> str:
        """The same for the same command: an unfinished job is gone on with, not made again."""
        text = json.dumps([self.args, sorted(self.limits.allow)], sort_keys=True)
        return f"cli-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


async def enrich_one(app: App, ask: OneAsk) -> EnrichResult:
    """Enrich one input and return its result.

    Raises: GlazeError where the job ended without a result, or the user stopped it.
    """
    with stop_on_signals("stopping: finishing what is in flight") as stops:
        job_id = await _open_job(app, ask)
        async with asyncio.TaskGroup() as group:
            enough = asyncio.Event()
            worker = app.worker(queues=(ask.key,), concurrency=1)
            group.create_task(work_until(enough, worker, stops))
            await app.waiting.job(workspace(), job_id, stop=stops.soft)
            enough.set()
        job = await _view(app, job_id)
    if job.state in TERMINAL and job.result is not None:
        return EnrichResult.model_validate(job.result)
    if job.state in TERMINAL:
        raise GlazeError(f"{job.state}: {job.error or 'no result'}")
    raise GlazeError("stopped before the end; the same command goes on where it was")


async def _open_job(app: App, ask: OneAsk) -> JobId:
    """Return the unfinished job of this command, or a new one: what a job cost is its own."""
    number = 0
    while True:
        options = {"queue": ask.key, "priority": 1, "idempotency_key": f"{ask.key}-{number}"}
        new = new_job(app.kinds, NAME, ask.args, **options)
        (job_id,) = await enqueue(app.jobs, app.kinds, workspace(), [new])
        job = await _view(app, job_id)
        if job.state not in TERMINAL:
            return job_id
        number += 1


async def _view(app: App, job_id: JobId) -> JobView:
    job = await app.jobs.get(workspace(), job_id)
    if job is None:
        raise InputError(f"job {job_id} is gone; run the command again")
    return job


def show_result(result: EnrichResult, ask: OneAsk, *, as_json: bool) -> None:
    """Print the values with what they rest on; exits with 1 where every source failed."""
    if as_json:
        body = result.model_dump(mode="json")
        print_json({"input": dict(ask.given), **body})
    else:
        out.print(result_table(result, ask.fields))
        say(
            f"{result.status}: {len(ask.fields) - len(result.missing)} of {len(ask.fields)} fields,"
            f" {money(result.costs.total)}"
        )
        _show_faults(result)
    if result.status is ResultStatus.FAILED:
        raise typer.Exit(1)


def _show_faults(result: EnrichResult) -> None:
    if result.costs.unknown:
        say(f"outcome unknown: {money(result.costs.unknown)} are counted until resolved")
    for stage in result.stages:
        if stage.error:
            say(f"{stage.name}: {stage.error}")


def result_table(result: EnrichResult, fields: tuple[FieldName, ...]) -> Table:
    """Return field, value, confidence, source, cost and quote, a row each."""
    table = Table(box=None, pad_edge=False, header_style="bold", width=err.width)
    for name in ("field", "value", "conf.", "source", "cost", "quote"):
        plain = name in ("field", "conf.", "source", "cost")
        table.add_column(name, overflow="fold", no_wrap=plain)
    for field in fields:
        value = result.data.get(field)
        if value is None:
            table.add_row(field, Text("-", style="dim"))
            continue
        quote = shown(value.quote)
        cost = "cached" if value.cached else money(value.cost_micros)
        table.add_row(
            field,
            Text(shown(value.value)),
            str(value.confidence),
            value.source,
            cost,
            Text(quote if len(quote) <= _QUOTE_SHOWN else quote[: _QUOTE_SHOWN - 1] + "…"),
        )
    return table
