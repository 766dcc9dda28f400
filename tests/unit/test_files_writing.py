"""Results as files: the caller's columns untouched, values defused, whole files or none."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glaze.errors import InputError
from glaze.files.reading import BadRow, Row, read_rows
from glaze.files.source import Source, inspect
from glaze.files.writing import (
    defuse,
    dollars,
    errors_path,
    open_errors,
    open_output,
    own_columns,
    target_for,
)
from glaze.model.request import FieldValue
from glaze.model.value import FieldName

NAME, PHONE, TAGS = FieldName("company_name"), FieldName("company_phone"), FieldName("company_tags")


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


def source_of(tmp_path: Path, text: str, name: str = "in.csv", encoding: str = "utf-8") -> Source:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return inspect(path)


def enriched(
    source: Source, out: Path, data: dict, fields: list[FieldName], **options: bool
) -> str:
    target = target_for(out, source)
    with open_output(target, own_columns(source), fields, **options) as write:
        for row in read_rows(source):
            assert isinstance(row, Row)
            write(row, data)
    return out.read_bytes().decode(target.encoding)


def table(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_the_callers_columns_come_first_and_unchanged(tmp_path):
    source = source_of(tmp_path, 'Email,Email,,website\n=1+1," a ",,acme.com\n')
    text = enriched(source, tmp_path / "out.csv", {NAME: value("Acme")}, [NAME, PHONE])
    assert table(text) == [
        ["Email", "Email", "", "website", "company_name", "company_phone"],
        ["=1+1", " a ", "", "acme.com", "Acme", ""],
    ]


def test_provenance_adds_confidence_source_url_and_dollars(tmp_path):
    source = source_of(tmp_path, "website\nacme.com\n")
    data = {NAME: value("Acme", cost_micros=100_000)}
    text = enriched(source, tmp_path / "out.csv", data, [NAME], provenance=True)
    assert table(text) == [
        [
            "website",
            "company_name",
            "company_name_confidence",
            "company_name_source",
            "company_name_source_url",
            "company_name_cost_usd",
        ],
        ["acme.com", "Acme", "80", "website", "https://acme.com/imprint", "0.1"],
    ]


def test_separator_and_mark_follow_the_input(tmp_path):
    source = source_of(tmp_path, "Firma;website\nKöln;acme.com\n", encoding="cp1252")
    out = tmp_path / "out.csv"
    text = enriched(source, out, {NAME: value("Müller")}, [NAME])
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert table(text, ";")[1] == ["Köln", "acme.com", "Müller"]


def test_a_name_already_taken_is_not_written_over(tmp_path):
    source = source_of(tmp_path, "website,company_name\nacme.com,ACME\n")
    text = enriched(source, tmp_path / "out.csv", {NAME: value("Acme")}, [NAME])
    assert table(text) == [
        ["website", "company_name", "glaze_company_name"],
        ["acme.com", "ACME", "Acme"],
    ]


def test_jsonl_keeps_the_records_and_the_types_of_what_was_found(tmp_path):
    source = source_of(tmp_path, '{"website": "acme.com", "n": [1, null]}\n', "in.jsonl")
    text = enriched(source, tmp_path / "out.jsonl", {TAGS: value(["a", "b"])}, [TAGS, NAME])
    assert json.loads(text) == {
        "website": "acme.com",
        "n": [1, None],
        "company_tags": ["a", "b"],
        "company_name": None,
    }


def test_jsonl_becomes_csv_by_the_name_of_the_output(tmp_path):
    source = source_of(
        tmp_path, '{"website": "acme.com"}\n{"website": "b.de", "x": {"y": 1}}\n', "in.jsonl"
    )
    text = enriched(source, tmp_path / "out.csv", {TAGS: value(["a", "b"])}, [TAGS])
    assert table(text) == [
        ["website", "x", "company_tags"],
        ["acme.com", "", "a; b"],
        ["b.de", '{"y": 1}', "a; b"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\uff1d1",
        "\n=1",
        "-",
        "+49 30 1",
    ],
)
def test_a_found_formula_is_defused(text):
    assert defuse(text) == "'" + text


@pytest.mark.parametrize("text", ["+493012345678", "Acme", "a=b", "", "12", "jane@acme.com"])
def test_ordinary_values_and_phone_numbers_stay_as_they_are(text):
    assert defuse(text) == text


def test_formulas_inside_lists_are_defused_and_numbers_are_left_numbers(tmp_path):
    source = source_of(tmp_path, "website\nacme.com\n")
    data = {TAGS: value(["=cmd", "b"]), FieldName("company_revenue"): value(-5)}
    text = enriched(source, tmp_path / "out.csv", data, [TAGS, FieldName("company_revenue")])
    assert table(text)[1] == ["acme.com", "'=cmd; b", "-5"]


def test_a_run_that_breaks_off_leaves_the_earlier_file_and_no_remains(tmp_path):
    source = source_of(tmp_path, "website\nacme.com\n")
    out = tmp_path / "out.csv"
    out.write_text("earlier")
    output = open_output(target_for(out, source), own_columns(source), [NAME])
    with pytest.raises(TypeError), output as write:
        write(Row(1, 2, {"website": object()}), {})  # type: ignore[dict-item]
    assert out.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_bad_rows_are_written_with_line_reason_and_their_own_columns(tmp_path):
    source = source_of(tmp_path, "website,note\nacme.com,x\n")
    path = errors_path(tmp_path / "out.csv")
    with open_errors(path, source) as log:
        log.add(BadRow(1, 2, "no host name", {"website": "?", "note": "x"}))
        log.add(BadRow(2, 3, "3 values", {"website": "b.de", "note": "y"}, "b.de,y,z"))
    assert path.name == "out.errors.csv"
    assert table(path.read_text()) == [
        ["line", "reason", "website", "note", "raw line"],
        ["2", "no host name", "?", "x", ""],
        ["3", "3 values", "b.de", "y", "b.de,y,z"],
    ]


def test_no_bad_rows_leave_no_errors_file(tmp_path):
    source = source_of(tmp_path, "website\nacme.com\n")
    path = tmp_path / "out.errors.csv"
    path.write_text("from the last run")
    with open_errors(path, source):
        pass
    assert not path.exists()


def test_the_input_is_never_the_output(tmp_path):
    source = source_of(tmp_path, "website\nacme.com\n")
    with pytest.raises(InputError, match="is the input"):
        target_for(source.path, source)
    with pytest.raises(InputError, match="no folder"):
        target_for(tmp_path / "none" / "out.csv", source)
    with pytest.raises(InputError, match="is a folder"):
        target_for(tmp_path, source)


@given(st.integers(0, 10**12))
def test_dollars_are_exact(micros):
    assert Decimal(dollars(micros)) * 1_000_000 == micros


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.text(
            st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=12
        ),
        min_size=1,
        max_size=5,
    ),
    st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=12),
)
def test_what_is_written_is_read_back_and_holds_no_live_formula(tmp_path_factory, notes, found):
    folder = tmp_path_factory.mktemp("csv")
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([("website", "note"), *(("a.de", note) for note in notes)])
    source = source_of(folder, buffer.getvalue(), encoding="utf-8-sig")
    enriched(source, folder / "out.csv", {NAME: value(found)}, [NAME])
    again = list(read_rows(inspect(folder / "out.csv")))
    assert [row.values["note"] for row in again] == notes
    assert {row.values["company_name"] for row in again} == {defuse(found)}
