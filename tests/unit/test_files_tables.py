"""Parquet and XLSX as people have them: read as streams, written whole, hostile ones refused."""

import csv
import io
import json
import resource
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from glaze.errors import InputError, UnreadableFile
from glaze.files import parquet, workbook
from glaze.files.columns import map_columns
from glaze.files.reading import BadRow, Row, read_identified, read_rows
from glaze.files.source import Format, inspect
from glaze.files.writing import open_output, own_columns, target_for
from glaze.model.request import FieldValue
from glaze.model.value import FieldName

NAME, COUNT, TECH = map(FieldName, ("company_name", "company_employee_count", "company_tags"))
MOMENT, DAY = datetime(2026, 1, 2, 3, 4, 5), date(2026, 1, 2)  # noqa: DTZ001  without zone, as files have them


def value(content: object, cost_micros: int = 0) -> FieldValue:
    return FieldValue.model_validate(
        {
            "value": content,
            "confidence": 80,
            "source": "website",
            "source_url": "https://acme.com/imprint",
            "retrieved_at": datetime(2026, 1, 2, tzinfo=UTC),
            "cost_micros": cost_micros,
        }
    )


FOUND = {
    NAME: value("=Acme", cost_micros=100_000),
    COUNT: value(42),
    TECH: value(["a", "=b"]),
}


def parquet_file(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def sheet(path: Path, *rows: list[object], options: dict[str, object] | None = None) -> Path:
    with xlsxwriter.Workbook(str(path), options or {}) as book:
        page = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for row_no, row in enumerate(rows):
            for column, cell in enumerate(row):
                page.write(row_no, column, cell, day if isinstance(cell, date) else None)
    return path


def rows_of(path: Path) -> list[Row | BadRow]:
    return list(read_rows(inspect(path)))


def values_of(path: Path) -> list[dict[str, object]]:
    return [dict(row.values) for row in rows_of(path)]


def enriched(given: Path, out: Path) -> Path:
    source = inspect(given)
    fields = [NAME, COUNT, TECH]
    with open_output(target_for(out, source), own_columns(source), fields, provenance=True) as w:
        for row in read_rows(source):
            assert isinstance(row, Row)
            w(row, FOUND if row.row_no == 1 else {})
    return out


# -- in ------------------------------------------------------------------------------------------


def test_parquet_is_read_with_its_types_and_row_numbers(tmp_path):
    path = parquet_file(
        tmp_path / "in.parquet",
        website=["a.de", None],
        n=[1, 2],
        price=[Decimal("1.50"), None],
        seen=pa.array([MOMENT, None], pa.timestamp("ns")),
        tags=[["x"], []],
    )
    source = inspect(path)
    assert (source.format, source.columns) == (
        Format.PARQUET,
        ("website", "n", "price", "seen", "tags"),
    )
    first, second = rows_of(path)
    assert dict(first.values) == {
        "website": "a.de",
        "n": 1,
        "price": Decimal("1.50"),
        "seen": MOMENT,
        "tags": ["x"],
    }
    assert (second.row_no, second.line_no, second.values["website"]) == (2, 2, None)


def test_a_sheet_is_read_with_its_types_and_its_own_row_numbers(tmp_path):
    path = sheet(
        tmp_path / "in.xlsx",
        [],
        ["Website", "n", "since", None],
        ["a.de", 493012345678, DAY],
        [],
        ["b.de", 1.5, None],
    )
    source = inspect(path)
    assert source.columns == ("Website", "n", "since")
    assert [(row.row_no, row.line_no, dict(row.values)) for row in rows_of(path)] == [
        (1, 3, {"Website": "a.de", "n": 493012345678, "since": DAY}),
        (2, 5, {"Website": "b.de", "n": 1.5, "since": None}),
    ]


def test_a_sheets_row_that_is_wider_than_the_header_is_reported(tmp_path):
    path = sheet(tmp_path / "in.xlsx", ["website"], ["a.de", "lost"], ["b.de"])
    bad, good = rows_of(path)
    assert isinstance(bad, BadRow)
    assert (bad.line_no, "right of the last column" in bad.reason) == (2, True)
    assert isinstance(good, Row)


def test_rows_of_a_table_that_identify_nobody_are_reported_by_row(tmp_path):
    for path in (
        parquet_file(tmp_path / "in.parquet", website=["acme.com", "not a site", None]),
        sheet(tmp_path / "in.xlsx", ["website", "x"], ["acme.com"], ["not a site"], [None, 1]),
    ):
        source = inspect(path)
        rows = list(read_identified(source, map_columns(source)))
        assert [type(row) for row in rows] == [Row, BadRow, BadRow]


def test_repeated_and_empty_headers_of_tables_keep_their_columns_apart(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a@x.de"])] * 3, names=["Email", "Email", ""])
    pq.write_table(table, tmp_path / "in.parquet")
    sheet(tmp_path / "in.xlsx", ["Email", "Email", None, "x"], ["a@x.de"] * 4)
    assert inspect(tmp_path / "in.parquet").columns == ("Email", "Email (2)", "column 3")
    assert inspect(tmp_path / "in.xlsx").columns == ("Email", "Email (2)", "column 3", "x")


def test_nul_in_a_table_does_no_harm(tmp_path):
    path = parquet_file(tmp_path / "in.parquet", website=["a\0cme.com"], note=["x\0y"])
    source = inspect(path)
    (row,) = read_identified(source, map_columns(source))
    assert isinstance(row, Row)
    for name in ("out.xlsx", "out.csv", "out.jsonl", "out.parquet"):
        enriched(path, tmp_path / name)
        assert len(rows_of(tmp_path / name)) == 1


# -- hostile -------------------------------------------------------------------------------------


def broken_zip(path: Path, sheet_xml: bytes) -> Path:
    """A workbook with another sheet, whatever that sheet is."""
    model = io.BytesIO()
    with xlsxwriter.Workbook(model) as book:
        book.add_worksheet()
    with zipfile.ZipFile(model) as parts, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name in parts.namelist():
            is_sheet = name == "xl/worksheets/sheet1.xml"
            out.writestr(name, sheet_xml if is_sheet else parts.read(name))
    return path


def cells(*references: str) -> bytes:
    inner = "".join(f'<row><c r="{r}"><v>1</v></c></row>' for r in references)
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{inner}</sheetData></worksheet>'.encode()


def truncated(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
    def cut(path: Path) -> Path:
        body = make(path).read_bytes()
        path.write_bytes(body[: len(body) * 2 // 3])
        return path

    return cut


def written(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


def good_sheet(path: Path) -> Path:
    return sheet(path, ["website"], *([f"a{n}.de"] for n in range(500)))


def good_parquet(path: Path) -> Path:
    return parquet_file(path, website=[f"a{n}.de" for n in range(500)])


def corrupted_parquet(path: Path) -> Path:
    body = bytearray(good_parquet(path).read_bytes())
    body[20:400] = bytes(380)
    path.write_bytes(body)
    return path


def plain_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    return path


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("in.xlsx", truncated(good_sheet), "truncated"),
        ("in.parquet", truncated(good_parquet), "cannot read .* as Parquet"),
        ("in.parquet", corrupted_parquet, "cannot read .* as Parquet"),
        ("in.csv", good_sheet, r"is a spreadsheet.*rename it to in\.xlsx"),
        ("in.csv", good_parquet, r"is Parquet.*rename it to in\.parquet"),
        ("in.parquet", good_sheet, r"rename it to in\.xlsx"),
        ("in.xlsx", written(b"website\na.de\n"), "not a spreadsheet"),
        ("in.parquet", written(b"website\na.de\n"), "not Parquet"),
        ("in.parquet", written(b"PAR1"), "as Parquet"),
        ("in.xlsx", written(b"PK\x03\x04"), "truncated"),
        ("in.xlsx", written(b""), "empty"),
        ("in.xls", written(b"\xd0\xcf\x11\xe0rest"), "old or protected Excel"),
        ("in.zip", plain_zip, "zip archive, not a spreadsheet"),
        ("in.xlsx", lambda p: broken_zip(p, b"<not xml"), "empty|cannot be read"),
        ("in.xlsx", lambda p: broken_zip(p, cells("A1", "XFD1048576")), "1,048,576 rows by 16,384"),
        ("in.xlsx", lambda p: broken_zip(p, cells("A1", "A4000000000")), "4,000,000,000 rows"),
        ("in.xlsx", lambda p: broken_zip(p, cells("a1", "zzzzz1")), "by 12,356,630"),
        ("in.xlsx", lambda p: broken_zip(p, b"<row/>" * 2_000_000), "rows by 0 columns"),
        ("in.xlsx", lambda p: sheet(p, ["c"] * 16_000, ["x"]), "more than 2000 columns"),
        ("in.xlsx", sheet, "empty"),
        (
            "in.parquet",
            lambda p: parquet_file(p, **{f"c{n}": ["x"] for n in range(20_000)}),
            "more than 2000 columns",
        ),
    ],
)
def test_a_hostile_table_is_refused_with_a_reason(tmp_path, name, make, message):
    path = make(tmp_path / name)
    with pytest.raises(UnreadableFile, match=message):
        list(read_rows(inspect(path)))


def test_cells_without_references_are_counted_from_tag_to_tag():
    corner = workbook._Corner()
    for chunk in (
        b"<row><c/><c/><",
        b"c/></row><row",
        b'/><row r="9"><x:c r="B9"/><c s="1"/>',
        b"<",
    ):
        corner.feed(chunk)
    assert (corner.rows, corner.columns) == (9, 3)


def test_a_zip_bomb_that_lies_about_its_size_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1_000_000)
    path = broken_zip(tmp_path / "in.xlsx", b" " * 5_000_000)
    body, size = path.read_bytes(), (5_000_000).to_bytes(4, "little")
    assert size in body
    path.write_bytes(body.replace(size, (1024).to_bytes(4, "little")))
    with pytest.raises(UnreadableFile, match="unpacks to more than 1,000,000 bytes"):
        inspect(path)


def test_one_huge_value_in_every_row_costs_no_memory_and_is_refused(tmp_path):
    huge = "x" * 3_000_000
    path = tmp_path / "in.parquet"
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), [huge])
    pq.write_table(pa.table({"website": column}), path)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(UnreadableFile, match="holds a value of 3,000,000 bytes"):
        inspect(path)


def test_a_column_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_MAX_CHUNK", 1000)
    with pytest.raises(UnreadableFile, match="write smaller row groups"):
        inspect(good_parquet(tmp_path / "in.parquet"))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["in.parquet", "in.xlsx"]), st.floats(0, 1))
def test_no_damage_makes_the_reader_fail_without_a_reason(tmp_path_factory, noise, name, where):
    path = tmp_path_factory.mktemp("any") / name
    body = bytearray((good_parquet if name == "in.parquet" else good_sheet)(path).read_bytes())
    at = 4 + round(where * (len(body) - 4))
    body[at : at + len(noise)] = noise
    path.write_bytes(body)
    try:
        list(read_rows(inspect(path)))
    except UnreadableFile:
        return


# -- out -----------------------------------------------------------------------------------------

GIVEN = {
    "in.csv": written(b"website,note\nacme.com,=1+1\nb.de,\n"),
    "in.jsonl": written(
        b'{"website": "acme.com", "note": "=1+1"}\n{"website": "b.de", "note": null}\n'
    ),
    "in.parquet": lambda p: parquet_file(p, website=["acme.com", "b.de"], note=["=1+1", None]),
    "in.xlsx": lambda p: sheet(
        p,
        ["website", "note"],
        ["acme.com", "=1+1"],
        ["b.de"],
        options={"strings_to_formulas": False},
    ),
}


def read_back(path: Path) -> list[dict[str, object]]:
    """Read with the formats' own libraries, an empty cell as None."""
    match path.suffix:
        case ".csv":
            rows: list[dict[str, object]] = [*csv.DictReader(io.StringIO(path.read_text()))]
        case ".jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
        case ".parquet":
            rows = pq.read_table(path).to_pylist()
        case _:
            head, *body = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
            rows = [dict(zip(head, row, strict=True)) for row in body]
    return [{key: None if cell == "" else cell for key, cell in row.items()} for row in rows]


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".xlsx"])
def test_every_format_becomes_every_other_with_provenance(tmp_path, given, suffix):
    path = GIVEN[given](tmp_path / given)
    first, second = read_back(enriched(path, tmp_path / f"out{suffix}"))
    assert (first["website"], first["note"]) == ("acme.com", "=1+1")
    assert (second["website"], second["note"], second["company_name"]) == ("b.de", None, None)
    assert first["company_name"] == ("'=Acme" if suffix == ".csv" else "=Acme")
    numbers = (first["company_employee_count"], first["company_name_cost_usd"])
    assert numbers == (("42", "0.1") if suffix == ".csv" else (42, 0.1))
    assert str(first["company_name_confidence"]).removesuffix(".0") == "80"
    lists = {".csv": "a; =b", ".xlsx": "a; =b"}
    assert first["company_tags"] == lists.get(suffix, ["a", "=b"])


def test_a_sheet_holds_no_formula_and_no_link_whatever_was_found(tmp_path):
    path = written(b"website,note\nhttps://acme.com,=HYPERLINK(1)\n")(tmp_path / "in.csv")
    with zipfile.ZipFile(enriched(path, tmp_path / "out.xlsx")) as parts:
        xml = parts.read("xl/worksheets/sheet1.xml")
        names = parts.namelist()
    assert b"<f>" not in xml
    assert b"HYPERLINK(1)</t>" in xml
    assert not any("rels/sheet" in name for name in names)


def test_parquet_keeps_the_types_of_its_own_columns_and_types_what_was_found(tmp_path):
    path = parquet_file(
        tmp_path / "in.parquet",
        website=["acme.com"],
        n=pa.array([7], pa.int16()),
        price=pa.array([Decimal("1.50")], pa.decimal128(10, 2)),
        seen=pa.array([MOMENT], pa.timestamp("ms", "UTC")),
        day=[DAY],
        tags=[["x"]],
        raw=[b"\xff"],
        map=pa.array([{"a": MOMENT}]),
    )
    before = pq.read_table(path)
    after = pq.read_table(enriched(path, tmp_path / "out.parquet"))
    kept = [name for name in before.column_names if name != "map"]
    assert after.select(kept).equals(before.select(kept))
    assert json.loads(after.column("map")[0].as_py()) == {"a": MOMENT.isoformat()}
    types = {field.name: str(field.type) for field in after.schema}
    assert types["company_employee_count"] == "int64"
    assert types["company_tags"].startswith("list<")
    assert types["company_name_cost_usd"] == "double"


def test_columns_of_json_lines_are_typed_by_all_rows_and_mixed_ones_are_text(tmp_path):
    lines = ['{"website": "a.de", "n": 1, "x": 1, "y": 1, "z": true}'] * 300
    lines.append('{"website": "b.de", "n": 2.5, "x": "one", "y": [1], "z": null, "big": 1e400}')
    path = written("\n".join(lines).replace(', "big": 1e400', "").encode())(tmp_path / "in.jsonl")
    table = pq.read_table(enriched(path, tmp_path / "out.parquet"))
    types = [str(table.schema.field(name).type) for name in ("n", "x", "y", "z")]
    assert types == ["double", "string", "string", "bool"]
    assert table.column("y").to_pylist()[-2:] == ["1", "[1]"]


def test_dates_and_long_numbers_survive_a_sheet(tmp_path):
    path = parquet_file(
        tmp_path / "in.parquet",
        website=["a.de"],
        at=[MOMENT],
        day=[DAY],
        id=[2**60],
        long=["y" * 40_000],
    )
    (row,) = read_back(enriched(path, tmp_path / "out.xlsx"))
    assert (row["at"], row["day"], row["id"]) == (MOMENT, DAY, str(2**60))
    assert len(row["long"]) == workbook.MAX_TEXT


def test_surrogates_and_controls_are_written_to_every_format(tmp_path):
    path = written(b'{"website": "a.de", "note": "\\ud800\\u0001x"}\n')(tmp_path / "in.jsonl")
    for suffix in (".parquet", ".xlsx", ".csv", ".jsonl"):
        (row,) = read_back(enriched(path, tmp_path / f"out{suffix}"))
        assert row["note"].endswith("x")


def test_a_table_that_breaks_off_leaves_the_earlier_file_and_no_remains(tmp_path):
    source = inspect(GIVEN["in.csv"](tmp_path / "in.csv"))
    for name in ("out.parquet", "out.xlsx"):
        out = tmp_path / name
        out.write_text("earlier")
        output = open_output(target_for(out, source), own_columns(source), [NAME])
        with pytest.raises(LookupError), output as write:  # noqa: PT012  the error comes after a row
            write(Row(1, 2, {"website": "a.de"}), {})
            raise LookupError
        assert out.read_text() == "earlier"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.parquet", "out.xlsx"]


def test_standard_output_of_a_table_is_csv_and_json_needs_a_name_that_fits(tmp_path):
    source = inspect(GIVEN["in.parquet"](tmp_path / "in.parquet"))
    assert target_for(Path("-"), source).format is Format.CSV
    assert target_for(tmp_path / "result", source).format is Format.PARQUET
    with pytest.raises(InputError, match="--json writes JSON lines"):
        target_for(tmp_path / "out.xlsx", source, as_json=True)


def test_memory_stays_flat_however_long_the_table(tmp_path):
    path, n = tmp_path / "in.parquet", 60_000
    with pq.ParquetWriter(path, pa.schema([("website", pa.string()), ("n", pa.int64())])) as out:
        for at in range(0, n, 10_000):
            names = [f"acme{k}.com" for k in range(at, at + 10_000)]
            out.write_table(pa.table({"website": names, "n": range(at, at + 10_000)}))
    source = inspect(path)
    target = target_for(tmp_path / "out.parquet", source)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    with open_output(target, own_columns(source), [NAME]) as write:
        for row in read_rows(source):
            assert isinstance(row, Row)
            write(row, {})
            assert pa.total_allocated_bytes() - before < 20_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pq.ParquetFile(target.path).metadata.num_rows == n
    assert peak < 30_000_000  # one row group of 20,000 rows


def test_the_libraries_of_tables_are_not_imported_before_a_table_is_there():
    ask = "import sys, glaze.cli.main; print({'pyarrow', 'xlsxwriter', 'python_calamine'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def pointing(path: Path, length: int, cells: int, *, string: str = "{}", cell: str = "{}") -> Path:
    """Write a workbook whose cells all point at one text."""
    text, number = string.format("a" * length), cell.format(1)
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>{number}</v></c></row>' for n in range(2, cells + 2)
    )
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_RELS}"><Relationship Id="rId1" Type="{_KIND}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_KIND}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELS}"><Relationship Id="rId1" Type="{_KIND}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{_KIND}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}"><si><t>website</t></si><si>{text}</si></sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row>{rows}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, part in parts.items():
            book.writestr(name, part)
    return path


@pytest.mark.parametrize(
    "form",
    [
        {"string": "<t>{}</t>"},
        {"string": "<t>x<![CDATA[<si></si>]]>{}</t>"},
        {"string": "<r><t>x</t></r><!-- </si> --><r><t>{}</t></r>"},
        {"string": "<t>{}</t>", "cell": "&#4{}; ".replace("4{}", "49")},
        {"string": "<t>{}</t>", "cell": "<!-- 0 -->{}"},
    ],
)
def test_cells_that_all_point_at_a_long_text_are_refused_before_each_has_its_own(
    tmp_path: Path, form: dict[str, str]
):
    bomb = pointing(tmp_path / "bomb.xlsx", 20_000_000, 30, **form)
    assert bomb.stat().st_size < 100_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableFile, match="bytes of text in its cells"):
        workbook.check_workbook(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KiB


def test_cells_that_point_at_short_texts_are_read_though_one_is_long(tmp_path: Path):
    book = pointing(tmp_path / "a.xlsx", 30_000, 40_000, string="<t>a</t><rPh><t>{}</t></rPh>")
    with zipfile.ZipFile(book) as parts:
        kept = {name: parts.read(name) for name in parts.namelist()}
    long = b"<si><t>" + b"b" * 30_000 + b"</t></si></sst>"
    strings = b"<sst><si><t>website</t></si><si><t>a.example</t></si>" + long
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, part in kept.items():
            parts.writestr(name, strings if name == "xl/sharedStrings.xml" else part)
    workbook.check_workbook(book)
    rows = [*workbook.sheet_rows(book)]
    assert (len(rows), rows[-1][1]) == (40_001, ["a.example"])


@pytest.mark.parametrize(
    "part",
    [
        b"<worksheet><x:si ><t>a</t></x:si></worksheet>",
        b"<sst><si><t>a & b</t></si></sst>",
        b"x<sst><si><t>a</t></si></sst>",
        b"<worksheet & ><sheetData/></worksheet>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><sst><si><t>&b;</t></si></sst>",
    ],
)
def test_texts_that_a_more_forgiving_parser_might_read_are_refused(tmp_path: Path, part: bytes):
    book = pointing(tmp_path / "a.xlsx", 10, 1, string="<t>{}</t>")
    workbook.check_workbook(book)
    with zipfile.ZipFile(book, "a") as parts:
        parts.writestr("xl/other.xml", part)
    with pytest.raises(UnreadableFile):
        workbook.check_workbook(book)
