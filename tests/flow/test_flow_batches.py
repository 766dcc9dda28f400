"""A batch that is stopped in the middle: pausing costs no row, cancelling buys nothing more."""

import asyncio
from collections.abc import Mapping

from cli_process import Sandbox
from ledger_facts import assert_paid_once
from whole_path import booted, websites

from glaze.boot.app import App
from glaze.model.value import DEFAULT_WORKSPACE, BatchId
from glaze.store.batch import NewBatch, Progress

HANG_S = 60.0
ROWS = 4


async def running_batch(app: App, vendors: Sandbox) -> BatchId:
    """Start a batch whose rows ask a slow vendor first and another one afterwards."""
    vendors.send("POST", "faults", {"kind": "slow", "vendor": "serper", "delay_s": 1.5})
    shared = {
        "required_fields": ["company_name", "company_employee_count"],
        "providers": ["serper", "apollo"],
    }
    batch_id = await app.batches.create(DEFAULT_WORKSPACE, NewBatch("enrich", shared))
    inputs = [{"url": site} for site in websites(vendors, ROWS)]
    await app.batches.add_rows(DEFAULT_WORKSPACE, batch_id, inputs)
    await app.batches.start(DEFAULT_WORKSPACE, batch_id)
    return batch_id


async def seen(app: App, batch_id: BatchId) -> Progress:
    progress = await app.batches.progress(DEFAULT_WORKSPACE, batch_id)
    assert progress is not None
    return progress


async def asked(vendors: Sandbox, vendor: str, n: int) -> None:
    async with asyncio.timeout(HANG_S):
        while vendors.get("stats")["requests"].get(vendor, 0) < n:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)


async def test_rows_that_run_while_their_batch_is_paused_go_on_after_it_is_resumed(
    dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    environment = dict(quick) | {"GLAZE_ORDER": "serper,apollo"}
    async with booted(environment) as app, asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        batch_id = await running_batch(app, vendors)
        stop = asyncio.Event()
        group.create_task(app.worker().run(stop))
        await asked(vendors, "serper", ROWS)
        await app.batches.pause(DEFAULT_WORKSPACE, batch_id)
        await asyncio.sleep(3)  # long enough for every row to want its second vendor
        paused = await seen(app, batch_id)
        assert "apollo" not in vendors.get("stats")["requests"]
        await app.batches.resume(DEFAULT_WORKSPACE, batch_id)
        while not (await seen(app, batch_id)).over:  # noqa: ASYNC110  the batch tells nobody
            await asyncio.sleep(0.1)
        stop.set()
        over = await seen(app, batch_id)
    assert (paused.cancelled, paused.failed) == (0, 0)
    assert paused.queued > 0
    assert over.completed + over.partial == ROWS
    assert vendors.get("stats")["requests"]["apollo"] > 0
    assert vendors.get("stats")["requests"]["serper"] == ROWS
    assert_paid_once(dsn, vendors)


async def test_rows_that_run_while_their_batch_is_cancelled_buy_nothing_more(
    dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    environment = dict(quick) | {"GLAZE_ORDER": "serper,apollo"}
    async with booted(environment) as app, asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        batch_id = await running_batch(app, vendors)
        stop = asyncio.Event()
        group.create_task(app.worker().run(stop))
        await asked(vendors, "serper", ROWS)
        assert await app.batches.cancel(DEFAULT_WORKSPACE, batch_id)
        while not (await seen(app, batch_id)).over:  # noqa: ASYNC110  the batch tells nobody
            await asyncio.sleep(0.1)
        stop.set()
        over = await seen(app, batch_id)
    assert over.cancelled > 0
    assert over.cancelled + over.completed == ROWS  # some need no second vendor
    assert "apollo" not in vendors.get("stats")["requests"]
    assert_paid_once(dsn, vendors)
