"""A file through the pipeline: one batch that any number of interrupted runs finish together."""

import asyncio
import shlex
import sys
import time
from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping
from functools import partial
from itertools import islice

from rich.table import Table

from glaze.boot.app import App
from glaze.cli.ask import FileAsk, described
from glaze.cli.opening import workspace
from glaze.cli.progress import Standing, Tally, shown_progress
from glaze.cli.screen import Stops, err, say, stop_on_signals
from glaze.cli.summary import show_summary
from glaze.cli.working import work_until
from glaze.errors import InputError
from glaze.files.reading import BadRow, Row, identified, left_aside, read_identified, read_rows
from glaze.files.writing import ErrorLog, WriteRow, open_errors, open_output, own_columns
from glaze.jobs.enqueue import known_kind
from glaze.jobs.retry import set_within, until_available
from glaze.jobs.worker import Worker
from glaze.model.icp_score import Score
from glaze.model.identity import identify
from glaze.model.personal import is_erased
from glaze.model.provider import REFUSED
from glaze.model.request import EnrichResult
from glaze.model.value import BatchId, FieldName
from glaze.pipeline.order import arranged
from glaze.store.batch import Progress, RowResult
from glaze.store.lock import SessionLock, session_lock
from glaze.tasks.enrich import NAME
from glaze.tasks.page_scores import PageScores, page_scores

LOOK_EVERY_S = 0.5
_PAGE = 500
_STOPPING = "stopping: finishing what is in flight; Ctrl-C again stops at once"


def show_mapping(ask: FileAsk) -> None:
    """Tell what each column is taken for, and what is asked."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("column")
    table.add_column("is")
    for name, meaning in described(ask.mapping).items():
        table.add_row(name, meaning)
    err.print(table)
    say(f"asking for: {', '.join(ask.fields)}")


def check_rows(ask: FileAsk) -> None:
    """Make sure that there is something to do.

    Raises: InputError where no row of the file can be used.
    """
    first = None
    for row in read_identified(ask.source, ask.mapping):
        if isinstance(row, Row):
            return
        first = first or row
    if first is None:
        raise InputError(f"{ask.source.path} has a header but no rows")
    raise InputError(
        f"no row of {ask.source.path} can be used; line {first.line_no}: {first.reason}"
    )


def check_names(app: App, ask: FileAsk) -> None:
    """Make sure that whoever is to be asked is installed.

    Raises: InputError.
    """
    named = (*(ask.limits.providers or ()), *arranged(ask.limits.order or ())[0])
    strangers = sorted({name.partition(".")[0] for name in named} - app.providers.by_name.keys())
    if strangers:
        known = ", ".join(sorted(app.providers.by_name))
        raise InputError(f"no provider is called {', '.join(strangers)}; installed are {known}")


async def enrich_file(
    app: App,
    ask: FileAsk,
    *,
    concurrency: int | None,
    before_summary: Callable[[FileAsk], None] | None = None,
) -> bool:
    """Enrich every row and write the output; return False where the user stopped it before.

    The batch is found again by the same command on the same file, whatever ended the earlier run,
    until its output was written.

    Raises: InputError where the same command runs already, or the file changed meanwhile.
    """
    check_names(app, ask)
    async with session_lock(app.db.dsn, ask.key) as lock:
        await _only_one(lock)
        batch_id = await _open_batch(app, ask)
        progress = await _worked(app, ask, batch_id, concurrency)
        if progress.finished_at is None:
            return False
        await _only_one(lock)  # the work outlasts a restart of the server, the lock does not
        tally = await _write(app, ask, batch_id)
        written = partial(app.batches.written, workspace(), batch_id, progress.finished_at)
        await until_available(written, "record that the output is written")
        spend = await until_available(
            partial(app.ledger.spend_of_batch, workspace(), batch_id), "sum up the spend"
        )
        paused = await until_available(
            partial(app.budgets.paused, workspace()), "look for paused prices"
        )
        if before_summary is not None:
            before_summary(ask)
        show_summary(ask, tally, spend, paused)
    return True


async def _only_one(lock: SessionLock) -> None:
    """Keep a second run of the same command out: both would load and write the same rows.

    Raises: InputError.
    """
    if not await until_available(lock.hold, "lock the file"):
        raise InputError("the same command is already running on this file")


async def _worked(app: App, ask: FileAsk, batch_id: BatchId, concurrency: int | None) -> Progress:
    """Work on the batch until it is over or the user stops it; tell how far it is."""
    worker = app.worker(queues=(ask.queue,), concurrency=concurrency)
    with stop_on_signals(_STOPPING) as stops, shown_progress() as show:
        await _work(worker, stops, _Watch(app, batch_id), show)
    progress = await _progress(app, batch_id)
    if not progress.over:
        say(
            f"stopped: {progress.ended:,} of {progress.total:,} rows are done and kept,"
            f" nothing is written yet. To go on: {shlex.join(['glaze', *sys.argv[1:]])}"
        )
    elif progress.state == "cancelled":
        say(f"the batch was cancelled: {progress.cancelled:,} rows were not worked on")
    return progress


async def _open_batch(app: App, ask: FileAsk) -> BatchId:
    """Find the batch of this command whose output is not written, or make it; then it runs."""
    batch_id = await app.batches.find(workspace(), ask.key)
    if batch_id is None:
        kind = known_kind(app.kinds, NAME)
        shared = ask.limits.shared(ask.fields)
        new = kind.batch(shared, queue=ask.queue, source_key=ask.key)
        batch_id = await app.batches.create(workspace(), new)
    progress = await _progress(app, batch_id)
    if progress.state == "loading":
        inputs = islice(_inputs(ask), progress.total, None)
        rows = progress.total + await app.batches.add_rows(workspace(), batch_id, inputs)
        say(f"batch {batch_id}: {rows:,} rows")
        await app.batches.start(workspace(), batch_id)
    else:
        say(
            f"continuing batch {batch_id}: {progress.ended:,} of {progress.total:,} rows are done"
            " already"
        )
        if progress.state == "paused":
            await app.batches.resume(workspace(), batch_id)
    return batch_id


def _inputs(ask: FileAsk) -> Iterator[dict[str, str]]:
    for row in read_identified(ask.source, ask.mapping):
        if isinstance(row, Row):
            yield ask.mapping.input_of(row.values)


async def _progress(app: App, batch_id: BatchId) -> Progress:
    progress = await until_available(
        partial(app.batches.progress, workspace(), batch_id), "look at the progress"
    )
    if progress is None:
        raise InputError(f"batch {batch_id} is gone; run the command again")
    return progress


async def _work(
    worker: Worker, stops: Stops, watch: "_Watch", show: Callable[[Standing], None]
) -> None:
    """Work on the batch in this process until it is over or the user stops it."""
    async with asyncio.TaskGroup() as group:
        enough = asyncio.Event()
        group.create_task(work_until(enough, worker, stops))
        while not stops.soft.is_set():
            begun = time.monotonic()
            show(await until_available(watch.look, "look at the progress"))
            if watch.over:
                break
            # Of a large batch a look takes longer: looking must stay a small part of the work.
            pause = max(LOOK_EVERY_S, 10 * (time.monotonic() - begun))
            await set_within(stops.soft, pause)
        enough.set()


class _Watch:
    """Counts a running batch's results as they come, each about once, for the progress line."""

    def __init__(self, app: App, batch_id: BatchId) -> None:
        self._app = app
        self._batch_id = batch_id
        self._spend = app.ledger.batch_spend(workspace(), batch_id)
        self._tally = Tally()
        self._counted: set[int] = set()  # counted rows after self._after
        self._after = 0  # all rows up to here are counted
        self._paused = False
        self.over = False

    async def look(self) -> Standing:
        progress = await _progress(self._app, self._batch_id)
        self.over = progress.over
        if progress.state == "paused" and not self._paused:
            say(f"paused by another command; glaze batches resume {self._batch_id} goes on")
        self._paused = progress.state == "paused"
        await self._count()
        spend = await self._spend.look()
        return Standing(
            done=progress.ended,
            total=progress.total,
            filled=self._tally.filled.total(),
            cached=self._tally.cached,
            cost_micros=sum(int(row["price_micros"]) for row in spend),
        )

    async def _count(self) -> None:
        """Read on from the last row of the unbroken part, as far as there are new results."""
        after = self._after
        while True:
            page = await self._app.batches.results(
                workspace(), self._batch_id, after=after, n=_PAGE
            )
            new = [
                row for row in page if row.result is not None and row.row_no not in self._counted
            ]
            for row in new:
                self._tally.add(EnrichResult.model_validate(row.result), _stated(row))
                self._counted.add(row.row_no)
            if len(page) < _PAGE or not new:
                break
            after = page[-1].row_no
        # A row that hangs is left behind: what comes after it must not be read again each time.
        self._after = max(self._after, max(self._counted, default=0) - 2 * _PAGE)
        while self._after + 1 in self._counted:
            self._after += 1
        self._counted = {row_no for row_no in self._counted if row_no > self._after}


async def _write(app: App, ask: FileAsk, batch_id: BatchId) -> Tally:
    """Write output and errors, both whole or not at all; return what the results add up to."""
    tally = Tally()
    scoring = await page_scores(app.scoring, workspace())
    with (
        open_errors(ask.errors, ask.source) as log,
        open_output(
            ask.target,
            own_columns(ask.source),
            ask.fields,
            provenance=ask.provenance,
            scored=scoring is not None,
        ) as write,
    ):
        rows = read_rows(ask.source)
        async for found, icp in _results(app, batch_id, scoring):
            good = _row_of(found, rows, ask, log)
            _write_row(good, found, partial(write, icp=icp), log, tally)
            if aside := [*filter(None, [left_aside(good, ask.mapping)]), *_refusals(found)]:
                reason = f"asked for by the rest of the row, without {'; '.join(aside)}"
                log.add(BadRow(good.row_no, good.line_no, reason, good.values))
                tally.partly += 1
        for row in rows:
            bad = row if isinstance(row, BadRow) else identified(row, ask.mapping)
            if isinstance(bad, Row):
                raise _changed(ask)
            log.add(bad)
        tally.bad = log.count - tally.partly
    return tally


async def _results(
    app: App, batch_id: BatchId, scoring: PageScores | None
) -> AsyncIterator[tuple[RowResult, Score | None]]:
    after = 0
    while True:
        page = await until_available(
            partial(app.batches.results, workspace(), batch_id, after=after, n=_PAGE),
            "read the results",
        )
        if not page:
            break
        scores = [None] * len(page) if scoring is None else await scoring(page)
        for row, icp in zip(page, scores, strict=True):
            yield row, icp
        after = page[-1].row_no


def _row_of(found: RowResult, rows: Iterator[Row | BadRow], ask: FileAsk, log: ErrorLog) -> Row:
    """Return the file's row that a result belongs to; bad rows on the way go to the log.

    The batch holds the good rows in the file's order. A bad row never has a good one's input, for
    equal inputs are equally usable.
    """
    for row in rows:
        if isinstance(row, Row) and (
            is_erased(found.input) or ask.mapping.input_of(row.values) == found.input
        ):
            return row
        bad = row if isinstance(row, BadRow) else identified(row, ask.mapping)
        if isinstance(bad, Row):
            break
        log.add(bad)
    raise _changed(ask)


def _refusals(found: RowResult) -> Iterator[str]:
    """Yield which addresses of a row were not gone to, and why."""
    stages = () if found.result is None else EnrichResult.model_validate(found.result).stages
    for stage in stages:
        _, refused, why = (stage.detail or "").partition(REFUSED)
        if refused:
            yield f"the {stage.name}: {refused}{why}"


def _stated(found: RowResult) -> Container[FieldName]:
    """Return what a row of a batch gave itself."""
    if not isinstance(found.input, Mapping):
        return ()
    return identify({word: str(text) for word, text in found.input.items()}).known.keys()


def _changed(ask: FileAsk) -> InputError:
    return InputError(
        f"{ask.source.path} was changed while it was worked on; nothing is written."
        " Run the command again: what was found is kept and costs nothing"
    )


def _write_row(row: Row, found: RowResult, write: WriteRow, log: ErrorLog, tally: Tally) -> None:
    """Write a row with what was found; one that failed is in the output and in the errors."""
    if found.error is not None or found.result is None:
        log.add(BadRow(row.row_no, row.line_no, found.error or found.state, row.values))
    if found.result is None:
        write(row, {})
        return
    result = EnrichResult.model_validate(found.result)
    tally.add(result, _stated(found))
    write(row, result.data)
