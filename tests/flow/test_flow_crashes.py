"""Processes that are killed or frozen at every point of a paid call: it is paid once, and ends."""

import asyncio
import signal
from collections.abc import Mapping

import pytest
from cli_process import Sandbox
from ledger_facts import assert_budgets_hold, assert_paid_once, one, rows, unknown_calls
from tests.storm_only import storm_only
from whole_path import (
    booted,
    enrichment,
    failing_process,
    finished,
    result_of,
    stopped,
    websites,
)

from glaze.model.job import JobState
from glaze.model.value import DEFAULT_WORKSPACE, JobId
from glaze.store.database import Database
from glaze.store.job import JobStore

EMPLOYEES = "company_employee_count"
ENDED_WELL = {JobState.COMPLETED, JobState.PARTIAL}


async def enqueued(db: Database, sandbox: Sandbox, n: int = 3, **more: object) -> list[JobId]:
    jobs = [
        enrichment(site, EMPLOYEES, providers=("apollo",), max_cost_cents=50, **more)
        for site in websites(sandbox, n)
    ]
    return await JobStore(db).enqueue(DEFAULT_WORKSPACE, jobs)


@pytest.mark.parametrize(
    "point",
    [
        "begun",
        "reserved",
        "answered",
        "finishing",
        *(
            pytest.param(one, marks=storm_only)
            for one in ("claimed", "settled", "performed", "finished")
        ),
    ],
)
async def test_a_worker_killed_at_any_point_of_its_work_loses_nothing_and_buys_nothing_twice(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox, point: str
):
    environment = dict(quick) | {
        "GLAZE_DAILY_CAP_CENTS": "100",
        "GLAZE_CONCURRENCY": "2",
        "GLAZE_PROVIDER__APOLLO__TIMEOUT_S": "2",
    }
    ids = await enqueued(db, vendors)
    with failing_process(environment, point, 1, "kill") as victim:
        assert await asyncio.to_thread(victim.wait, 60) == -signal.SIGKILL
    async with booted(environment) as app:
        views = await finished(app, ids)
    for view in views:  # nobody but the one vendor was asked, so its silence is the job's error
        assert view.state in ENDED_WELL or "outcome_unknown" in str(view.error)
    assert_paid_once(dsn, vendors)
    assert assert_budgets_hold(dsn) == 4
    assert len(vendors.get("billing")) <= 3
    assert unknown_calls(dsn) <= 2  # what the two slots had under way


async def test_an_intent_whose_process_froze_before_sending_is_not_sent_when_it_thaws(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    environment = dict(quick) | {"GLAZE_PROVIDER__APOLLO__TIMEOUT_S": "1"}
    ids = await enqueued(db, vendors, 1)
    with failing_process(environment, "reserved", 1, "stop") as frozen:
        await stopped(frozen)
        async with booted(environment) as app:
            (view,) = await finished(app, ids)  # after the lease and the call's deadline
            frozen.send_signal(signal.SIGCONT)
            async with asyncio.timeout(60):
                while unknown_calls(dsn):  # noqa: ASYNC110  the other process records it
                    await asyncio.sleep(0.05)
    assert "outcome_unknown" in str([stage.error for stage in result_of(view).stages])
    assert vendors.get("stats")["requests"] == {}
    (call,) = rows(dsn, "select state::text, price_micros, detail from glaze.call")
    assert (call["state"], call["price_micros"]) == ("not_billed", 0)
    assert "too long since the intent" in call["detail"]
    assert one(dsn, "select sum(reserved_micros) from glaze.budget") == 0
    assert_budgets_hold(dsn)


async def test_an_answer_that_arrives_after_the_job_went_to_another_worker_is_still_recorded(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    environment = dict(quick) | {"GLAZE_PROVIDER__APOLLO__TIMEOUT_S": "2"}
    ids = await enqueued(db, vendors, 1)
    with failing_process(environment, "answered", 1, "stop") as frozen:
        await stopped(frozen)
        async with booted(environment) as app:
            await finished(app, ids)
            assert unknown_calls(dsn) == 1
            assert one(dsn, "select reserved_micros from glaze.budget") > 0
            frozen.send_signal(signal.SIGCONT)
            async with asyncio.timeout(60):
                while unknown_calls(dsn):  # noqa: ASYNC110  the other process records it
                    await asyncio.sleep(0.05)
    assert vendors.get("stats")["requests"] == {"apollo": 1}
    assert one(dsn, "select state::text from glaze.call") == "settled"
    assert_paid_once(dsn, vendors)
    assert_budgets_hold(dsn)


async def test_a_job_that_skips_the_cache_and_snoozes_buys_each_answer_once_more_and_no_more(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    environment = dict(quick) | {"GLAZE_ORDER": "serper,apollo"}
    (site,) = websites(vendors, 1, skip=3)
    asked = enrichment(site, "company_name", EMPLOYEES, providers=("serper", "apollo"))
    anew = enrichment(
        site, "company_name", EMPLOYEES, providers=("serper", "apollo"), skip_cache=True
    )
    async with booted(environment) as app:
        await finished(app, await JobStore(db).enqueue(DEFAULT_WORKSPACE, [asked]))
        bought = sorted(bill["vendor"] for bill in vendors.get("billing"))
        assert "serper" in bought
        vendors.send(
            "POST",
            "faults",
            {"kind": "status", "vendor": "apollo", "status": 429, "retry_after": 2, "times": 1},
        )
        ids = await JobStore(db).enqueue(DEFAULT_WORKSPACE, [anew])
        (view,) = await finished(app, ids)
    log = [
        row["type"]
        for row in rows(dsn, f"select type from glaze.event where job_id = {ids[0]} order by id")
    ]
    assert log.count("snoozed") >= 1
    assert view.state in ENDED_WELL
    assert view.attempt == 1  # a snooze gives its attempt back
    assert sorted(bill["vendor"] for bill in vendors.get("billing")) == sorted(bought * 2)
    assert_budgets_hold(dsn)


async def test_a_job_that_skips_the_cache_and_is_killed_buys_nothing_a_second_time(
    db: Database, quick: Mapping[str, str], vendors: Sandbox
):
    (site,) = websites(vendors, 1, skip=3)
    anew = enrichment(site, EMPLOYEES, providers=("apollo",), skip_cache=True)
    async with booted(quick) as app:
        await finished(app, await JobStore(db).enqueue(DEFAULT_WORKSPACE, [anew]))
        before = len(vendors.get("billing"))
        ids = await JobStore(db).enqueue(DEFAULT_WORKSPACE, [anew])
        with failing_process(quick, "settled", 1, "kill") as victim:
            assert await asyncio.to_thread(victim.wait, 60) == -signal.SIGKILL
        (view,) = await finished(app, ids)
    assert view.deaths == 1
    assert view.state in ENDED_WELL
    assert len(vendors.get("billing")) == before * 2
