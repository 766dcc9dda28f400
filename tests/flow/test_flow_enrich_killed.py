"""``glaze enrich`` of a file, killed in the middle: every row once, every question paid once.

The storm runs the issue's own size: GLAZE_TEST_STORM=1 python -m pytest tests/flow -k storm.
"""

import csv
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psycopg
from cli_process import Cli, Sandbox, ended, write_world
from ledger_facts import assert_budgets_hold, assert_paid_once, one, unresolved_calls
from tests.storm_only import storm_only
from whole_path import query, watch

FIELDS = "company_name,company_industry,company_phone,company_employee_count"
PERSON_FIELDS = "person_title,person_email,company_industry"
DONE = "select completed + partial + failed from glaze.batch"
BUDGET = ("--budget", "500")


def table(path: Path) -> list[tuple[str, str]]:
    with path.open(newline="") as file:
        return [(row["Company"], row["Website"]) for row in csv.DictReader(file)]


def killed_when(cli: Cli, dsn: str, done: int, command: tuple[str, ...]) -> None:
    """Run the command and kill it, without a chance to tidy up, once ``done`` rows are done."""
    process = cli.start(*command)
    watch(lambda: process.poll() is not None or (query(dsn, DONE) or 0) >= done, hang_s=600)
    process.kill()
    ended(process, code=-signal.SIGKILL)


def survive_three_kills(cli: Cli, dsn: str, vendors: Sandbox, rows: int) -> None:
    write_world(cli.folder / "in.csv", rows, max(300, rows))
    command = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, *BUDGET)
    for part in (1, 2, 3):
        killed_when(cli, dsn, rows * part // 4, command)
        assert not (cli.folder / "out.csv").exists()
        assert_paid_once(dsn, vendors)
    ran = cli.run(*command)

    assert table(cli.folder / "out.csv") == table(cli.folder / "in.csv")
    assert_paid_once(dsn, vendors)
    assert assert_budgets_hold(dsn) == 1
    states = Counter(dict(_states(dsn)))
    assert set(states) <= {"completed", "partial", "failed"}, states
    unknown = unresolved_calls(dsn)
    told = re.search(r"calls whose outcome is unknown: (\d+)", ran.out)
    assert (int(told[1]) if told else 0) == unknown


def asks_nothing_again(cli: Cli, dsn: str) -> None:
    newest = one(dsn, "select max(id) from glaze.call")
    command = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, *BUDGET)
    again = cli.run(*command[:3], "again.csv", *command[4:])
    # A call of unknown outcome is not made again either, so nothing at all is left to ask, but by
    # rows that were in hand at all three kills: those were given up as poison before their end.
    poisoned = one(dsn, "select count(*) from glaze.batch_row where error like 'poison%'")
    assert len(_asking_jobs_since(dsn, newest)) <= poisoned
    assert poisoned or "total spend: $0.00" in again.out
    assert table(cli.folder / "again.csv") == table(cli.folder / "in.csv")
    assert one(dsn, "select count(*) from glaze.batch") == 2


def _states(dsn: str) -> list[tuple[str, int]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(
            "select state::text, count(*) from glaze.batch_row group by 1"
        ).fetchall()


def _asking_jobs_since(dsn: str, newest: int) -> set[int]:
    """Return the jobs that asked for money after the call ``newest``."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "select job_id from glaze.call where id > %s and reserved_micros > 0", (newest,)
        )
        return {job_id for (job_id,) in rows}


def _paid_requests(requests: dict[str, int]) -> dict[str, int]:
    return {vendor: n for vendor, n in requests.items() if vendor != "sites"}


@storm_only
def test_a_file_whose_run_is_killed_three_times_ends_with_every_row_once_and_each_bill_once(
    tmp_path: Path, dsn: str, quick: dict[str, str], vendors: Sandbox
):
    vendors.slow_down(0.1)
    cli = Cli(tmp_path, quick)
    survive_three_kills(cli, dsn, vendors, 32)
    asks_nothing_again(cli, dsn)


@storm_only
def test_people_whose_questions_travel_in_bulk_are_paid_once_though_the_run_is_killed(
    tmp_path: Path, dsn: str, quick: dict[str, str], vendors: Sandbox
):
    cli = Cli(tmp_path, quick | {"GLAZE_ORDER": "apollo"})
    write_leads(tmp_path / "leads.csv", 60)
    command = ("enrich", "leads.csv", "-o", "out.csv", "--fields", PERSON_FIELDS, *BUDGET)
    vendors.slow_down(0.5)
    killed_when(cli, dsn, 15, command)
    cli.run(*command)
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 61
    assert_paid_once(dsn, vendors)
    assert_budgets_hold(dsn)
    bulk = "select max(calls) from glaze.vendor_request where operation = 'people_match'"
    assert one(dsn, bulk) > 1
    before = _paid_requests(vendors.get("stats")["requests"])
    ran = cli.run(*command[:3], "again.csv", *command[4:])
    after = _paid_requests(vendors.get("stats")["requests"])
    assert {name: n for name, n in after.items() if name != "openai"} == {
        name: n for name, n in before.items() if name != "openai"
    }
    assert_paid_once(dsn, vendors)  # a model may be asked what only the first run made a question
    assert "total spend: $0.00" in ran.out


def write_leads(path: Path, rows: int) -> None:
    options = [f"--write-csv={path}", f"--rows={rows}", "--companies=300", "--kind=leads"]
    command = [sys.executable, "-m", "glaze_sandbox", *options]
    subprocess.run(command, check=True, capture_output=True)


@storm_only
def test_storm_of_2000_rows_killed_three_times(
    tmp_path: Path, dsn: str, quick: dict[str, str], vendors: Sandbox
):
    cli = Cli(tmp_path, quick)
    survive_three_kills(cli, dsn, vendors, 2000)
    asks_nothing_again(cli, dsn)
