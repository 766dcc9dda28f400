"""Budgets from the command line: set, shown, held, and a stop that is a result and no error."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cli_process import Cli, Sandbox, write_world
from ledger_facts import assert_budgets_hold, assert_paid_once, one
from whole_path import booted, enrichment, finished, result_of, websites

from glaze.model.job import JobState
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.job import JobStore

JOBS = 200
EMPLOYEES = "company_employee_count"


@pytest.fixture
def cli(tmp_path: Path, quick: Mapping[str, str]) -> Cli:
    return Cli(tmp_path, quick)


def listed(cli: Cli, *options: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in cli.run("budget", "list", "--json", *options).out.splitlines()
    ]


async def test_two_hundred_jobs_under_a_day_s_cap_end_as_partial_results_that_say_what_it_stopped(
    db: Database, cli: Cli, dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    cli.run("budget", "set", "day", "2.00")
    asked = [enrichment(site, EMPLOYEES, providers=("apollo",)) for site in websites(vendors, JOBS)]
    async with booted(quick) as app:
        ids = await JobStore(db).enqueue(DEFAULT_WORKSPACE, asked)
        views = await finished(app, ids)
    assert {view.state for view in views} <= {JobState.COMPLETED, JobState.PARTIAL}
    assert {view.attempt for view in views} == {1}
    (day,) = listed(cli)
    assert (day["scope"], day["cap_micros"], day["reserved_micros"]) == (
        "workspace_day",
        2_000_000,
        0,
    )
    assert 0 <= day["left_micros"] < 100_000  # less than one more call may cost
    assert day["spent_micros"] == vendors.billed_micros <= 2_000_000
    told = [s for v in views for s in result_of(v).stages if s.name == "apollo"]
    stopped = [s for s in told if "not asked: over budget: " in (s.detail or "")]
    assert len(stopped) == JOBS - one(dsn, "select count(*) from glaze.call")
    assert not any(s.error for s in stopped)
    # Those who looked while something was left lost the race for it and are told so.
    known = [s for s in stopped if "left of the day's $2.00" in str(s.detail)]
    assert len(known) > JOBS // 2
    assert all("does not fit below a cap" in str(s.detail) for s in stopped if s not in known)
    # An id that no row has is a reservation rolled back: only those who looked before it was full.
    tried = one(dsn, "select last_value from glaze.vendor_request_id_seq")
    assert tried < JOBS
    assert_paid_once(dsn, vendors)
    assert_budgets_hold(dsn)


async def test_a_provider_s_month_is_capped_by_itself_and_others_go_on(
    db: Database, cli: Cli, quick: Mapping[str, str], vendors: Sandbox
):
    cli.run("budget", "set", "apollo", "0.20")
    asked = [
        enrichment(site, EMPLOYEES, "company_name", providers=("apollo", "serper"))
        for site in websites(vendors, 6)
    ]
    async with booted(dict(quick) | {"GLAZE_CONCURRENCY": "1"}) as app:
        await finished(app, await JobStore(db).enqueue(DEFAULT_WORKSPACE, asked))
    spent = {bill["vendor"] for bill in vendors.get("billing")}
    assert spent == {"apollo", "serper"}
    apollo = sum(bill["micros"] for bill in vendors.get("billing") if bill["vendor"] == "apollo")
    (month,) = listed(cli)
    assert month["scope"] == "provider_month"
    assert month["scope_key"].startswith("apollo/20")
    assert month["spent_micros"] == apollo <= 200_000


async def test_a_cap_is_lowered_to_what_is_committed_raised_and_removed(
    db: Database, cli: Cli, quick: Mapping[str, str], vendors: Sandbox
):
    environment = dict(quick) | {"GLAZE_DAILY_CAP_CENTS": "500"}
    mine = Cli(cli.folder, cli.environment | environment)
    (day,) = listed(mine)
    assert (day["cap_micros"], day["by_default"], day["id"]) == (5_000_000, True, None)
    asked = [enrichment(site, EMPLOYEES, providers=("apollo",)) for site in websites(vendors, 3)]
    async with booted(environment) as app:
        await finished(app, await JobStore(db).enqueue(DEFAULT_WORKSPACE, asked))
    paid = vendors.billed_micros
    assert paid > 10_000
    said = mine.run("budget", "set", "day", "0.01").err
    assert "are committed already" in said
    (day,) = listed(mine)
    assert (day["cap_micros"], day["left_micros"], day["by_default"]) == (paid, 0, False)
    mine.run("budget", "set", "day", "7.50")
    assert listed(mine)[0]["cap_micros"] == 7_500_000
    mine.run("budget", "remove", "day")
    assert listed(mine)[0]["by_default"] is True
    assert "workspace day" in mine.run("budget", "list", "--all").out
    for wrong, told in (
        (("remove", "day"), "no cap is set for day"),
        (("set", "nobody", "5"), "'nobody' is none; installed are"),
        (("set", "day", "much"), "give dollars and cents"),
        (("resume", "apollo"), "no price of apollo is paused"),
    ):
        assert told in mine.run("budget", *wrong, code=2).err


def test_a_paused_price_is_told_by_the_summary_of_a_file_with_how_to_resume_it(
    cli: Cli, dsn: str, vendors: Sandbox
):
    header, *lines = "Company,Website", *write_world(cli.folder / "all.csv", 4)
    for name, part in (("first", lines[:1]), ("rest", lines[1:])):
        (cli.folder / f"{name}.csv").write_text("\n".join([header, *part, ""]))
    options = ("--fields", EMPLOYEES, "--providers", "apollo")
    assert "resume" not in cli.run("enrich", "first.csv", *options).out
    with psycopg.connect(dsn, autocommit=True) as conn:  # as after a bill of $99
        conn.execute(
            "insert into glaze.paused_price"
            " (workspace_id, provider, operation, reserved_micros, billed_micros, request_id)"
            " select 1, 'apollo', 'organization_enrich', 1, 99000000, max(id)"
            " from glaze.vendor_request"
        )
    paid = vendors.billed_micros
    told = cli.run("enrich", "rest.csv", *options).out
    assert "apollo was not asked for 3 rows: apollo.organization_enrich billed $99.00" in told
    assert "glaze budget resume apollo.organization_enrich" in told
    assert vendors.billed_micros == paid > 0
    cli.run("budget", "resume", "apollo.organization_enrich")
    assert "resume" not in cli.run("enrich", "rest.csv", *options).out
    assert vendors.billed_micros > paid


def test_a_negative_cap_is_refused_as_an_amount_not_as_an_option(cli: Cli):
    told = cli.run("budget", "set", "day", "-1", code=2).err
    assert told == "glaze: DOLLARS -1: give dollars and cents up to 100000, such as 0.25\n"
    assert listed(cli) == []
