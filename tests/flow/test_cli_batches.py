"""Batches from the outside: every format, and a running batch in other hands."""

import csv
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from cli_process import Cli, Sandbox, ended, environment, running_sandbox, write_world
from python_calamine import CalamineWorkbook
from tests.storm_only import storm_only

FIELDS = "company_name,company_industry,company_phone"


@pytest.fixture(scope="module")
def played():
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(played: Sandbox) -> Sandbox:
    played.send("POST", "reset")
    return played


@pytest.fixture
def cli(tmp_path: Path, dsn: str, sandbox: Sandbox) -> Cli:
    return Cli(tmp_path, environment(dsn, sandbox))


@storm_only
def test_parquet_becomes_a_sheet_and_a_sheet_becomes_parquet_at_no_further_cost(cli, sandbox):
    write_world(cli.folder / "in.csv", 12)
    given = pyarrow.csv.read_csv(cli.folder / "in.csv")
    pq.write_table(given, cli.folder / "in.parquet")
    asked = ("--fields", FIELDS, "--provenance")
    cli.run("enrich", "in.parquet", "-o", "found.xlsx", *asked)
    sheet = CalamineWorkbook.from_path(str(cli.folder / "found.xlsx")).get_sheet_by_index(0)
    header, *rows = sheet.to_python()
    assert header[: given.num_columns] == given.column_names
    assert [row[0] for row in rows] == given.column(0).to_pylist()
    phone = header.index("company_phone")
    assert sum(bool(row[phone]) for row in rows) > 6

    billed = sandbox.billed_micros
    assert billed > 0
    cli.run("enrich", "found.xlsx", "-o", "again.parquet", *asked)
    assert sandbox.billed_micros == billed
    again = pq.read_table(cli.folder / "again.parquet")
    assert again.column("glaze_company_phone").to_pylist() == [row[phone] or None for row in rows]
    assert str(again.schema.field("glaze_company_phone_confidence").type) == "int64"


def wide(path: Path) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet().write_row(0, 0, [f"c{n}" for n in range(5_000)])


def test_hostile_tables_end_in_one_line_with_exit_code_2_and_nothing_written(cli, sandbox):
    wide(cli.folder / "wide.xlsx")
    (cli.folder / "cut.xlsx").write_bytes((cli.folder / "wide.xlsx").read_bytes()[:9000])
    (cli.folder / "cut.parquet").write_bytes(b"PAR1 and no more")
    (cli.folder / "named.csv").write_bytes((cli.folder / "wide.xlsx").read_bytes())
    before = {path: path.read_bytes() for path in cli.folder.iterdir()}
    for name, told in {
        "wide.xlsx": "more than 2000 columns",
        "cut.xlsx": "truncated",
        "cut.parquet": "as Parquet",
        "named.csv": "rename it to named.xlsx",
    }.items():
        ran = cli.run("enrich", name, code=2)
        assert told in ran.err
        assert len(ran.err.splitlines()) == 1
    assert {path: path.read_bytes() for path in cli.folder.iterdir()} == before
    assert sandbox.billed_micros == 0


# -- a batch in other hands ----------------------------------------------------------------------


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def one(cli: Cli) -> dict:
    """The newest batch, as the list has it."""
    lines = cli.run("batches", "list", "--json", "--limit", "1").out.splitlines()
    return json.loads(lines[0]) if lines else {}


@contextmanager
def under_way(cli: Cli, sandbox: Sandbox, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A worker in the middle of a file's batch: vendors are slow, and some were asked."""
    sandbox.slow_down(0.4)
    command = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, "--concurrency", "4")
    process = cli.start(*command, *options)
    try:
        deadline = time.monotonic() + 60
        while not sandbox.billed_micros and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)  # outside the product: the vendor's own books are what is watched
        yield process
    finally:
        process.kill()
        process.communicate()


def asked(sandbox: Sandbox) -> int:
    """How many paid questions the vendors have got."""
    return len(sandbox.get("billing"))


@storm_only
def test_a_running_batch_is_paused_shown_resumed_and_ends_with_every_row_once(cli, sandbox):
    lines = write_world(cli.folder / "in.csv", 40)
    with under_way(cli, sandbox) as process:
        batch = str(one(cli)["id"])
        told = cli.run("batches", "pause", batch).out
        assert "paused" in told
        deadline = time.monotonic() + 30
        while one(cli)["running"] and time.monotonic() < deadline:
            time.sleep(0.1)
        before = asked(sandbox)
        shown = json.loads(cli.run("batches", "show", batch, "--json").out)
        assert (shown["state"], shown["running"], shown["total"]) == ("paused", 0, 40)
        assert 0 < shown["queued"] <= 40
        assert shown["cost_micros"] == sandbox.billed_micros > 0
        assert "is not running" in cli.run("batches", "pause", batch, code=2).err
        assert asked(sandbox) == before
        sandbox.send("DELETE", "faults")
        cli.run("batches", "resume", batch)
        ran = ended(process)
    assert f"glaze batches resume {batch} goes on" in ran.err
    assert [
        f"{row['Company']},{row['Website']}" for row in rows_in(cli.folder / "out.csv")
    ] == lines
    assert one(cli)["state"] == "finished"
    assert sandbox.get("billing/duplicates") == []


def test_a_cancelled_batch_asks_no_vendor_any_more_and_writes_what_it_had(cli, sandbox):
    write_world(cli.folder / "in.csv", 60)
    with under_way(cli, sandbox) as process:
        batch = str(one(cli)["id"])
        told = cli.run("batches", "cancel", batch).out
        assert "draining" in told
        time.sleep(1)  # the promise: within a second
        before = asked(sandbox)
        ran = ended(process)
    assert asked(sandbox) == before
    state = one(cli)
    assert (state["state"], state["running"], state["draining"]) == ("cancelled", 0, 0)
    assert state["cancelled"] > 0
    assert f"the batch was cancelled: {state['cancelled']:,} rows" in ran.err
    assert len(rows_in(cli.folder / "out.csv")) == 60
    assert len(rows_in(cli.folder / "out.errors.csv")) == state["cancelled"]
    assert "at its end already" in cli.run("batches", "cancel", batch, code=2).err


def test_failed_rows_are_tried_again_within_the_budget_and_nothing_is_paid_twice(cli, sandbox):
    write_world(cli.folder / "in.csv", 20)
    asked_for = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, "--budget", "1.50")
    for vendor in ("apollo", "serper"):
        sandbox.send("POST", "faults", {"kind": "status", "vendor": vendor, "status": 400})
    cli.run(*asked_for)
    sandbox.send("DELETE", "faults")
    batch = one(cli)
    again = cli.run("batches", "retry-failed", str(batch["id"]), "--partial").out
    redo = batch["failed"] + batch["partial"]
    assert redo
    assert f"{redo} rows are tried again" in again
    assert "glaze worker --queues file-" in again
    opened = one(cli)
    assert (opened["state"], opened["failed"], opened["partial"]) == ("running", 0, 0)
    ran = cli.run(*asked_for)
    assert f"continuing batch {batch['id']}" in ran.err
    end = one(cli)
    assert (end["id"], end["state"], end["total"]) == (batch["id"], "finished", 20)
    assert end["completed"] + end["partial"] + end["failed"] == 20
    assert sandbox.get("billing/duplicates") == []
    assert 0 < sandbox.billed_micros <= 1_500_000
    told = cli.run("batches", "retry-failed", "99", code=2).err
    assert "there is no batch 99" in told


@storm_only
def test_a_batch_is_exported_in_every_format_with_its_states(cli):
    write_world(cli.folder / "in.csv", 8)
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS)
    batch = str(one(cli)["id"])
    cli.run("batches", "export", batch, "-o", "all.csv", "--provenance")
    rows = rows_in(cli.folder / "all.csv")
    assert [row["row"] for row in rows] == [str(n) for n in range(1, 9)]
    assert {row["state"] for row in rows} <= {"completed", "partial", "failed"}
    assert all(row["website"] for row in rows)
    phones = [row["company_phone"] for row in rows]
    assert phones == [row["company_phone"] for row in rows_in(cli.folder / "out.csv")]
    assert any(row["company_phone_source"] for row in rows)
    cli.run("batches", "export", batch, "-o", "all.parquet")
    assert pq.read_table(cli.folder / "all.parquet").column("row").to_pylist() == [*range(1, 9)]
    cli.run("batches", "export", batch, "-o", "all.xlsx")
    cli.run("batches", "export", batch, "-o", "all.jsonl")
    assert len((cli.folder / "all.jsonl").read_text().splitlines()) == 8
    assert "no folder" in cli.run("batches", "export", batch, "-o", "none/a.csv", code=2).err
    assert "no batch 99" in cli.run("batches", "export", "99", "-o", "a.csv", code=2).err
