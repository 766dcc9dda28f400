"""Batches from the outside: every format, and a running batch in other hands."""

from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from cli_process import Cli, Sandbox, environment, running_sandbox, write_world
from python_calamine import CalamineWorkbook

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
