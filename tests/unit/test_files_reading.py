"""Files as people have them: encodings, dialects, damage; every row is read or reported."""

import csv
import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glaze.errors import UnreadableFile
from glaze.files.columns import map_columns
from glaze.files.reading import BadRow, Row, read_identified, read_rows
from glaze.files.source import Format, inspect
from glaze.files.text import MAX_LINE


def written(tmp_path: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(path: Path) -> list[Row | BadRow]:
    return list(read_rows(inspect(path)))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encoding_separator_and_line_ends_are_found_out(tmp_path, encoding, delimiter, line_end):
    lines = [
        ["Firma", "Website", "Ort"],
        ["Müller & Söhne", "mueller.de", "Köln"],
        ["Acme", "acme.com", ""],
    ]
    text = "".join(delimiter.join(line) + line_end for line in lines)
    rows = rows_of(written(tmp_path, text.encode(encoding)))
    assert [list(row.values.values()) for row in rows] == lines[1:]
    assert [row.line_no for row in rows] == [2, 3]


def test_late_umlauts_of_a_western_file_are_noticed(tmp_path):
    text = "name,website\n" + "Acme,acme.com\n" * 40_000 + "Köln,koeln.de\n"
    rows = rows_of(written(tmp_path, text.encode("cp1252")))
    assert rows[-1].values["name"] == "Köln"


def test_one_broken_byte_does_not_turn_utf8_into_another_encoding(tmp_path):
    good = "Müller,Köln,x.de\n" * 20
    rows = rows_of(written(tmp_path, b"name,city,website\n" + good.encode() + b"M\xff,a,b.de\n"))
    assert rows[0].values["name"] == "Müller"
    assert rows[-1].values["name"] == "M\ufffd"


def test_quoted_line_breaks_and_separators_belong_to_the_value(tmp_path):
    rows = rows_of(written(tmp_path, 'website,note\na.de,"one\ntwo, ""three"""\nb.de,x\n'))
    assert [row.values["note"] for row in rows] == ['one\ntwo, "three"', "x"]
    assert [row.line_no for row in rows] == [2, 4]


def test_a_stray_quote_costs_its_own_line_only(tmp_path):
    text = 'website,note\na.de,fine\nb.de,"never closed\nc.de,fine\nd.de,"x"\ne.de,fine\n'
    rows = rows_of(written(tmp_path, text))
    bad = [row for row in rows if isinstance(row, BadRow)]
    assert [(row.line_no, "quote" in row.reason) for row in bad] == [(3, True)]
    assert [row.values["website"] for row in rows if isinstance(row, Row)] == [
        "a.de",
        "c.de",
        "d.de",
        "e.de",
    ]
    assert [row.row_no for row in rows] == [1, 2, 3, 4, 5]


def test_a_quote_open_to_the_end_of_a_large_file_loses_one_row(tmp_path):
    text = 'website,note\na.de,"open\n' + "b.de,fine\n" * 50_000
    rows = rows_of(written(tmp_path, text))
    assert sum(isinstance(row, Row) for row in rows) == 50_000
    assert [row.line_no for row in rows if isinstance(row, BadRow)] == [2]


def test_rows_are_padded_when_short_and_reported_when_long(tmp_path):
    rows = rows_of(written(tmp_path, "a,b,c\n1\n1,2,3,,\n1,2,3,4\n\n,,\n5,6,7\n"))
    assert [row.row_no for row in rows] == [1, 2, 3, 4]
    assert dict(rows[0].values) == {"a": "1", "b": "", "c": ""}
    assert dict(rows[1].values) == {"a": "1", "b": "2", "c": "3"}
    assert isinstance(rows[2], BadRow)
    assert "4 values for 3 columns" in rows[2].reason


def test_a_row_that_cannot_be_read_keeps_its_line_for_its_repair(tmp_path):
    long = "a.de," + "x" * MAX_LINE
    lines = ["website,note", 'b.de,"two', 'lines",c,d', 'e.de,"never closed', long, "f.de,fine"]
    rows = rows_of(written(tmp_path, "\r\n".join(lines) + "\r\n"))
    raw = [row.raw for row in rows if isinstance(row, BadRow)]
    assert raw == ['b.de,"two\r\nlines",c,d', 'e.de,"never closed', long[:MAX_LINE]]
    rows = rows_of(written(tmp_path, '{"website": "a.de"}\n{oops\n', "rows.jsonl"))
    assert [row.raw for row in rows if isinstance(row, BadRow)] == ["{oops"]


@pytest.mark.parametrize("lines", [3, 60_000])
def test_a_file_that_is_not_in_the_encoding_it_was_said_to_be_in_is_refused_by_line_and_byte(
    tmp_path, lines
):
    before = "name,website\r\n" + "Acme,acme.com\r\n" * lines
    path = written(tmp_path, before.encode() + "Köln,koeln.de\r\n".encode("cp1252"))
    told = rf"not in utf-8: line {lines + 2} has the byte 0xf6 \(byte {len(before) + 2:,} of the file\)"
    with pytest.raises(UnreadableFile, match=told):
        inspect(path, encoding="utf-8")
    assert inspect(path, encoding="cp1252").encoding == "cp1252"
    cut = written(tmp_path, before.encode() + "Kö".encode()[:-1])
    with pytest.raises(UnreadableFile, match=f"line {lines + 2} has the byte 0xc3"):
        inspect(cut, encoding="utf-8")


def test_nul_bytes_and_excels_separator_line_do_no_harm(tmp_path):
    rows = rows_of(written(tmp_path, b"\xef\xbb\xbfsep=;\r\nweb\x00site;b\r\na.de;x\x00y\r\n"))
    assert [dict(row.values) for row in rows] == [{"website": "a.de", "b": "xy"}]


def test_a_line_without_end_is_reported_and_not_held(tmp_path):
    path = written(tmp_path, "website,b\na.de," + "x" * 3_000_000 + "\nb.de,y\n")
    rows = rows_of(path)
    assert isinstance(rows[0], BadRow)
    assert "too long" in rows[0].reason
    assert rows[1].values["website"] == "b.de"


def test_repeated_and_empty_headers_keep_their_columns_apart(tmp_path):
    source = inspect(written(tmp_path, "Email,Email,,website\na@x.de,b@x.de,c,x.de\n"))
    assert source.columns == ("Email", "Email (2)", "column 3", "website")
    assert source.header == ("Email", "Email", "", "website")


def test_one_column_is_a_file_too(tmp_path):
    assert [row.values for row in rows_of(written(tmp_path, "website\na.de\nb.de\n"))] == [
        {"website": "a.de"},
        {"website": "b.de"},
    ]


def test_jsonl_keeps_types_and_reports_what_is_no_object(tmp_path):
    lines = [
        '{"website": "a.de", "n": 1.5, "tags": ["x"]}',
        "[1]",
        "{oops",
        "",
        '{"website": "b.de", "late": null}',
        '{"x": NaN}',
        '{"x": -1e999}',
    ]
    path = written(tmp_path, "\n".join(lines), "rows.jsonl")
    rows = rows_of(path)
    assert inspect(path).columns == ("website", "n", "tags", "late")
    assert [type(row) for row in rows] == [Row, BadRow, BadRow, Row, BadRow, BadRow]
    assert rows[0].values == {"website": "a.de", "n": 1.5, "tags": ["x"]}
    assert [row.line_no for row in rows] == [1, 2, 3, 5, 6, 7]


def test_a_deeply_nested_line_is_a_bad_row(tmp_path):
    path = written(tmp_path, '{"website": "a.de"}\n{"x": ' + "[" * 200_000 + "\n", "rows.jsonl")
    assert [type(row) for row in rows_of(path)] == [Row, BadRow]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "rows.csv", "empty"),
        (" \n\n", "rows.csv", "empty"),
        (b"PK\x03\x04rest", "rows.xlsx", "spreadsheet"),
        (b"\x1f\x8brest", "rows.csv.gz", "gzip"),
        (bytes(range(256)) * 20, "rows.csv", "binary"),
        ("acme.com\nbeta.io\n", "rows.csv", "no header.*'acme.com'"),
        ('[{"website": "a.de"}]', "rows.json", "JSON array"),
        ("website\na.de\n", "rows.jsonl", "JSON object"),
        ("{}\n{}\n", "rows.jsonl", "no JSON object with keys"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_reason(tmp_path, content, name, message):
    with pytest.raises(UnreadableFile, match=message):
        inspect(written(tmp_path, content, name))


def test_what_is_no_readable_file_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="No such file"):
        inspect(tmp_path / "none.csv")
    with pytest.raises(UnreadableFile, match="not a regular file"):
        inspect(tmp_path)
    with pytest.raises(UnreadableFile, match="unknown encoding"):
        inspect(written(tmp_path, "website\na.de\n"), encoding="klingon")


def test_rows_that_identify_nobody_are_reported_by_line_and_reason(tmp_path):
    source = inspect(written(tmp_path, "website,note\nacme.com,x\nnot a site,y\n,z\n10.0.0.1,w\n"))
    rows = list(read_identified(source, map_columns(source)))
    assert [type(row) for row in rows] == [Row, BadRow, BadRow, BadRow]
    assert [row.line_no for row in rows] == [2, 3, 4, 5]
    assert "not a site" in rows[1].reason
    assert rows[1].values["note"] == "y"


def test_memory_stays_flat_however_long_the_file(tmp_path):
    path = written(tmp_path, "website,note\n" + f"acme.com,{'x' * 100}\n" * 100_000)
    source = inspect(path)
    tracemalloc.start()
    count = sum(1 for _ in read_rows(source))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 2_000_000


# Text that a CSV can carry and that is not taken for something else by itself: no NUL, no byte-order
# mark, and not only white space, for a blank line is no row.
_TEXTS = st.text(
    st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_TEXTS, _TEXTS), max_size=8), st.sampled_from(",;\t|"))
def test_whatever_a_csv_writer_wrote_is_read_back(tmp_path_factory, pairs, delimiter):
    rows = [("key", *pair) for pair in pairs]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerows([("id", "one", "two"), *rows])
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    path.write_bytes(b"\xef\xbb\xbf" + buffer.getvalue().encode())
    assert [tuple(row.values.values()) for row in rows_of(path)] == rows


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=6), _JSON, max_size=4), min_size=1, max_size=6))
def test_whatever_a_json_writer_wrote_is_read_back(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("jsonl") / "rows.jsonl"
    records = [{"website": "a.de"} | record for record in records]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert inspect(path).format is Format.JSONL
    assert [row.values for row in rows_of(path)] == records


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_without_a_reason(tmp_path_factory, body):
    path = tmp_path_factory.mktemp("any") / "rows.csv"
    path.write_bytes(b"website,note\n" + body)
    try:
        source = inspect(path)
    except UnreadableFile:
        return
    for row in read_rows(source):
        assert isinstance(row, Row | BadRow)
