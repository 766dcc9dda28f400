"""Vendors that fail in every way at random, and a kill in the middle: the books still agree."""

import csv
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_process import Cli, Sandbox, ended, write_world
from ledger_facts import assert_budgets_hold, assert_paid_once, rows, unknown_calls
from tests.storm_only import storm_only
from whole_path import query, watch

FIELDS = "company_name,company_industry,company_employee_count,company_linkedin_url"
FAULTS = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "drop_before_billing"},
    {"kind": "drop_after_billing"},
    {"kind": "malformed"},
    {"kind": "slow", "delay_s": 4},  # longer than the whole call may take
)
DONE = "select completed + partial + failed from glaze.batch"
ROWS = 60


@pytest.fixture
def faulty(vendors: Sandbox) -> Sandbox:
    for vendor in ("apollo", "serper", "openai"):
        for fault in FAULTS:
            vendors.send("POST", "faults", {"vendor": vendor, "probability": 0.06, **fault})
    return vendors


@storm_only
def test_whatever_vendors_do_and_whenever_we_die_every_row_ends_and_every_bill_is_known(
    tmp_path: Path, dsn: str, quick: Mapping[str, str], faulty: Sandbox
):
    cli = Cli(tmp_path, quick)
    write_world(cli.folder / "in.csv", ROWS, 300)
    command = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, "--budget", "500")
    process = cli.start(*command)
    watch(lambda: process.poll() is not None or (query(dsn, DONE) or 0) >= ROWS // 3)
    process.kill()
    ended(process, code=-signal.SIGKILL)
    ran = cli.run(*command)

    with (cli.folder / "out.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == ROWS
    states = {row["state"] for row in rows(dsn, "select state::text from glaze.batch_row")}
    assert states <= {"completed", "partial", "failed"}
    assert_paid_once(dsn, faulty)
    assert assert_budgets_hold(dsn) == 1
    assert unknown_calls(dsn) > 0
    assert "calls whose outcome is unknown" in ran.out
    assert not rows(dsn, "select 1 from glaze.call where state in ('sending', 'pending_vendor')")
