"""A worker killed while bulk requests of three vendors are under way: no row is lost, none is paid twice."""

import asyncio
import json
import signal
import urllib.request
from collections.abc import Mapping

import pytest
from cli_process import Sandbox
from ledger_facts import assert_budgets_hold, assert_paid_once, one, rows
from tests.storm_only import storm_only
from whole_path import booted, failing_process, finished

from glaze.model.job import JobState, NewJob
from glaze.model.request import EnrichArgs
from glaze.model.value import DEFAULT_WORKSPACE, FieldName
from glaze.store.database import Database
from glaze.store.job import JobStore

KEYS = dict.fromkeys(("PDL_API_KEY", "ZEROBOUNCE_API_KEY"), "sandbox-test")
VENDORS = {
    "apollo": "person_title",
    "people_data_labs": "person_title",
    "zerobounce": "person_email_status",
}
PEOPLE = 12
ENDED_WELL = {JobState.COMPLETED, JobState.PARTIAL}


def people(sandbox: Sandbox) -> list[dict[str, str]]:
    url = f"{sandbox.url}/_sandbox/truth/people.jsonl"
    with urllib.request.urlopen(url, timeout=30) as answer:
        everybody = [json.loads(line) for line in answer]
    return [person for person in everybody if "person_email" in person]


def jobs_of(sandbox: Sandbox) -> list[NewJob]:
    """Jobs for each vendor, which is asked alone about people of its own: what one tells is cached for all."""
    jobs, everybody = [], people(sandbox)
    for n, (vendor, wanted) in enumerate(VENDORS.items()):
        for person in everybody[n * PEOPLE : (n + 1) * PEOPLE]:
            named = {
                "person_full_name": person["person_full_name"],
                "company_domain": person["person_company_domain"],
            }
            mail = {"person_email": person["person_email"]}
            args = EnrichArgs(
                input=mail if vendor == "zerobounce" else named,
                required_fields=(FieldName(wanted),),
                providers=(vendor,),
                max_cost_cents=100,
            )
            jobs.append(NewJob("enrich", args.model_dump(mode="json", exclude_defaults=True)))
    return jobs


@pytest.mark.parametrize("point", [pytest.param("reserved", marks=storm_only), "answered"])
async def test_a_worker_killed_with_bulk_requests_under_way_loses_no_row_and_pays_none_twice(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox, point: str
):
    brief = {f"GLAZE_PROVIDER__{name.upper()}__TIMEOUT_S": "2" for name in VENDORS}
    environment = dict(quick) | KEYS | brief | {"GLAZE_CONCURRENCY": "40"}
    ids = await JobStore(db).enqueue(DEFAULT_WORKSPACE, jobs_of(vendors))
    with failing_process(environment, point, 2, "kill") as victim:
        assert await asyncio.to_thread(victim.wait, 60) == -signal.SIGKILL
    async with booted(environment) as app:
        views = await finished(app, ids)
    for view in views:  # nobody but the one vendor was asked, so its silence is the job's error
        assert view.state in ENDED_WELL or "outcome_unknown" in str(view.error)
    assert_paid_once(dsn, vendors)
    assert assert_budgets_hold(dsn) == len(ids)
    asked = rows(
        dsn,
        "select q.provider, count(distinct q.id) as questions, count(*) filter"
        " (where c.state <> 'not_billed') as calls, max(r.calls) as most"
        " from glaze.question q join glaze.call c on c.question_id = q.id"
        " join glaze.vendor_request r on r.id = c.request_id group by 1",
    )
    assert {row["provider"]: row["questions"] for row in asked} == dict.fromkeys(VENDORS, PEOPLE)
    assert all(row["calls"] == row["questions"] for row in asked)  # each row once, whatever died
    assert max(row["most"] for row in asked) > 1
    unknown = one(dsn, "select count(*) from glaze.call where state = 'unknown'")
    sent = one(dsn, "select max(calls) from glaze.vendor_request where operation = 'validate'")
    assert sent > 1
    assert unknown > 0
