"""Answers that come later, over the whole path: the job waits without a slot, whoever dies meanwhile."""

import asyncio
import signal
from collections.abc import Mapping
from itertools import islice

import pytest
from cli_process import Sandbox
from ledger_facts import assert_budgets_hold, assert_paid_once, one, rows, unknown_calls
from tests.storm_only import storm_only
from whole_path import booted, enrichment, failing_process, finished, result_of

from glaze.model.job import JobState
from glaze.model.value import DEFAULT_WORKSPACE, JobId
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze_sandbox.knowledge import CLEARBIT, Knowledge
from glaze_sandbox.seeded import draw
from glaze_sandbox.vendors.clearbit import QUEUED_SHARE
from glaze_sandbox.world.population import World

NAME = "company_name"
POINTS = [
    "answered",
    "settled",
    *(pytest.param(point, marks=storm_only) for point in ("claimed_due", "collected")),
    "resolved",
]


@pytest.fixture
def patient(quick: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of a process that has a key of Clearbit."""
    return dict(quick) | {
        "CLEARBIT_API_KEY": "sandbox-test",
        "GLAZE_DAILY_CAP_CENTS": "100",
        "GLAZE_PROVIDER__CLEARBIT__TIMEOUT_S": "2",
    }


def looked_for(sandbox: Sandbox, n: int) -> list[str]:
    """Return sites of companies that Clearbit knows, but looks for first."""
    health = sandbox.get("health")
    world = World(health["seed"], health["companies"])
    known = Knowledge(CLEARBIT, world)
    found = (
        f"https://{company.domain}"
        for company in world.companies()
        if draw(world.seed, "clearbit-queue", f"company:{company.domain}") < QUEUED_SHARE
        and known.company(company)
    )
    return list(islice(found, n))


async def enqueued(db: Database, sandbox: Sandbox, n: int) -> list[JobId]:
    jobs = [enrichment(site, NAME, providers=("clearbit",)) for site in looked_for(sandbox, n)]
    return await JobStore(db).enqueue(DEFAULT_WORKSPACE, jobs)


async def test_jobs_wait_for_promised_answers_without_a_slot_and_without_an_attempt(
    db: Database, dsn: str, patient: Mapping[str, str], vendors: Sandbox
):
    ids = await enqueued(db, vendors, 6)
    async with booted(dict(patient) | {"GLAZE_CONCURRENCY": "1"}) as app:
        views = await finished(app, ids)
    for view in views:
        assert (view.state, view.attempt) == (JobState.COMPLETED, 1)
        assert result_of(view).data[NAME].source == "clearbit"
    waited = "select count(distinct job_id) from glaze.event where type = 'snoozed'"
    assert one(dsn, waited) == 6
    assert_paid_once(dsn, vendors)
    assert_budgets_hold(dsn)
    assert len(vendors.get("billing")) == 6


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_any_point_of_a_promise_loses_nothing_and_buys_nothing_twice(
    db: Database, dsn: str, patient: Mapping[str, str], vendors: Sandbox, point: str
):
    ids = await enqueued(db, vendors, 1)
    with failing_process(patient, point, 1, "kill") as victim:
        assert await asyncio.to_thread(victim.wait, 60) == -signal.SIGKILL
    async with booted(patient) as app:
        (view,) = await finished(app, ids)
    assert_paid_once(dsn, vendors)
    assert_budgets_hold(dsn)
    if point == "answered":  # nobody knows that it was promised: the vendor has no key of ours
        assert unknown_calls(dsn) == 1
        assert vendors.get("billing") == []
        return
    assert view.state is JobState.COMPLETED
    assert unknown_calls(dsn) == 0
    assert len(vendors.get("billing")) == 1
    (call,) = rows(dsn, "select state::text, asked, handle is not null as named from glaze.call")
    assert call == {"state": "settled", "asked": None, "named": True}
    assert one(dsn, "select count(*) from glaze.observation where field = 'company_name'") == 1
