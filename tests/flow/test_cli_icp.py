"""``glaze icp`` from the outside: set, scored for nothing, explained, and scored again on a change."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_process import Cli, Sandbox, write_world
from pyarrow import parquet
from python_calamine import CalamineWorkbook
from tests.storm_only import storm_only

from conftest import COMPANIES

ROWS = 5


@pytest.fixture
def cli(tmp_path: Path, quick: Mapping[str, str]) -> Cli:
    return Cli(tmp_path, quick)


def scores(cli: Cli) -> list[dict[str, str]]:
    with (cli.folder / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def profile(cli: Cli, *criteria: dict[str, object]) -> None:
    (cli.folder / "profile.json").write_text(json.dumps({"criteria": criteria}))


@storm_only
def test_records_are_scored_for_nothing_and_again_only_where_something_changed(
    cli: Cli, vendors: Sandbox
) -> None:
    profile(cli, {"field": "company_city", "all_of": ["Ulm"]})
    assert "criteria.0" in cli.run("icp", "set", "profile.json", code=2).err
    assert "no profile is set" in cli.run("icp", "score", code=2).err
    domain = write_world(cli.folder / "in.csv", ROWS, COMPANIES)[0].split(",")[1]
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", "company_name,company_city")
    billed = vendors.billed_micros
    cli.run("values", "choose", domain, "company_city", "Ulm")
    city = {"field": "company_city", "any_of": ["Ulm", "Atlantis"], "weight": 3}
    profile(cli, city, {"field": "company_revenue", "at_least": 1_000_000})
    cli.run("icp", "set", "profile.json")
    assert f"{ROWS} scored, {ROWS} written" in cli.run("icp", "score", "-o", "scores.csv").err
    told = json.loads(cli.run("icp", "explain", domain, "--json").out)
    assert (told["score"], told["certainty"]) == (100, 75)
    assert [one["met"] for one in told["reasons"]] == [True, None]
    assert sorted({row["icp_score"] for row in scores(cli)} - {""}) == ["0", "100"]
    assert "0 scored" in cli.run("icp", "score").err
    cli.run("values", "choose", domain, "company_city", "Bern")
    # It is scored where it is merged, so that nothing is left to score.
    assert "0 scored" in cli.run("icp", "score", "-o", "scores.csv").err
    assert "100" not in {row["icp_score"] for row in scores(cli)}
    profile(cli, city | {"any_of": ["Bern"]})
    assert cli.run("icp", "set", "profile.json").err.endswith(", 1 criterion\n")
    assert f"{ROWS} scored" in cli.run("icp", "score", "-o", "scores.csv").err
    assert "100" in {row["icp_score"] for row in scores(cli)}
    assert vendors.billed_micros == billed


BIG = {"field": "company_employee_count", "at_least": 200, "weight": 3}
CITY = {"field": "company_city", "any_of": ["Atlantis"]}
UNASKED = {"field": "company_email_pattern", "any_of": ["{first}"]}


def test_every_enriched_record_has_its_score_in_its_result_and_in_every_form_of_file(
    cli: Cli, vendors: Sandbox
) -> None:
    lines = write_world(cli.folder / "in.csv", ROWS, COMPANIES)
    fields = ("--fields", "company_employee_count")
    cli.run("enrich", "in.csv", "-o", "before.csv", *fields)
    assert table(cli, "before.csv")[0].keys() == {"Company", "Website", "company_employee_count"}
    domain = lines[0].split(",")[1]
    assert "icp" not in json.loads(cli.run("enrich", domain, "--json", *fields).out)

    profile(cli, BIG, UNASKED)
    cli.run("icp", "set", "profile.json")
    billed = vendors.billed_micros
    cli.run("enrich", "in.csv", "-o", "out.csv", *fields)
    rows = table(cli, "out.csv")
    sizes = [int(row["company_employee_count"] or 0) for row in rows]
    told = [(row["icp_score"], row["icp_reasons"].partition(";")[0]) for row in rows]
    wanted = {True: ("100", f"{fields[1]} met"), False: ("0", f"{fields[1]} not met")}
    assert [one for one, size in zip(told, sizes, strict=True) if size] == [
        wanted[size >= 200] for size in sizes if size
    ]
    assert len({one for one, _ in told}) > 1
    result = json.loads(cli.run("enrich", domain, "--json", *fields).out)["icp"]
    assert (str(result["score"]), result["certainty"] < 75) == (rows[0]["icp_score"], True)
    assert [one["met"] is None for one in result["reasons"]] == [False, True]

    cli.run("enrich", "in.csv", "-o", "out.jsonl", *fields)
    cli.run("enrich", "in.csv", "-o", "out.parquet", *fields)
    cli.run("enrich", "in.csv", "-o", "out.xlsx", *fields)
    objects = [json.loads(line) for line in (cli.folder / "out.jsonl").read_text().splitlines()]
    assert [as_text(one["icp_score"]) for one in objects] == [one for one, _ in told]
    assert objects[0]["icp_reasons"] == rows[0]["icp_reasons"].split("; ")
    assert parquet.read_table(cli.folder / "out.parquet").to_pylist() == objects
    _, *sheet = (
        CalamineWorkbook.from_path(cli.folder / "out.xlsx").get_sheet_by_index(0).to_python()
    )
    assert [as_text(row[3]).removesuffix(".0") for row in sheet] == [one for one, _ in told]

    # Another profile counts at once in what is written, from what is stored.
    profile(cli, BIG | {"at_least": 1, "at_most": 199})
    cli.run("icp", "set", "profile.json")
    batch = json.loads(cli.run("batches", "list", "--json").out.splitlines()[0])["id"]
    cli.run("batches", "export", str(batch), "-o", "turned.csv")
    turned = [row["icp_score"] for row in table(cli, "turned.csv")]
    assert turned == [{"100": "0", "0": "100"}.get(one, "") for one, _ in told]
    assert vendors.billed_micros == billed


def test_the_rows_of_any_file_are_scored_by_what_identifies_them(cli: Cli) -> None:
    lines = write_world(cli.folder / "in.csv", 2, COMPANIES)
    assert "no profile is set" in cli.run("icp", "score", "in.csv", code=2).err
    first, second = (line.split(",")[1] for line in lines)
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", "company_city")
    cli.run("values", "choose", first, "company_city", "Atlantis")
    cli.run("values", "choose", second, "company_city", "Ulm")
    profile(cli, CITY)
    cli.run("icp", "set", "profile.json")
    other = [
        "Site,note",
        f"{second},ours",
        f"https://www.{first}/,ours",
        "nowhere.example,new",
        ",?",
    ]
    (cli.folder / "list.csv").write_text("\n".join(other))
    told = cli.run("icp", "score", "list.csv", "--map", "Site=website").err
    assert "3 rows written to list.scored.csv, 2 scored, 1 name nobody" in told
    rows = table(cli, "list.scored.csv")
    assert [row["note"] for row in rows] == ["ours", "ours", "new"]
    assert [row["icp_score"] for row in rows] == ["0", "100", ""]
    assert [row["icp_reasons"] for row in rows] == ["company_city not met", "company_city met", ""]


def test_a_person_is_scored_with_what_is_known_of_the_employer(cli: Cli, vendors: Sandbox) -> None:
    write_world(cli.folder / "people.csv", 6, COMPANIES, kind="leads")
    profile(cli, {"field": "person_title", "contains": ["nobody is that"]}, CITY)
    cli.run("icp", "set", "profile.json")
    fields = ("--fields", "person_title,company_city")
    cli.run("enrich", "people.csv", "-o", "out.jsonl", *fields)
    objects = [json.loads(line) for line in (cli.folder / "out.jsonl").read_text().splitlines()]
    both = [one for one in objects if one["person_title"] and one["company_city"]]
    assert both
    reasons = ["person_title not met", "company_city not met"]
    assert all((one["icp_score"], one["icp_reasons"]) == (0, reasons) for one in both)
    billed = vendors.billed_micros

    # What is learned of the company alone changes the score of who works there.
    domain = next(one["Email"] for one in both if one["Email"]).rpartition("@")[2]
    cli.run("values", "choose", f"domain={domain}", "company_city", "Atlantis")
    cli.run("icp", "score", "people.csv", "-o", "scored.jsonl")
    objects = [json.loads(line) for line in (cli.folder / "scored.jsonl").read_text().splitlines()]
    there = [one for one in objects if one["Email"].endswith(domain)]
    assert there
    assert all("company_city met" in one["icp_reasons"] and one["icp_score"] > 0 for one in there)
    assert vendors.billed_micros == billed


def test_the_schema_of_a_profile_says_what_set_takes(cli: Cli) -> None:
    schema = json.loads(cli.run("icp", "schema").out)
    criterion = schema["$defs"]["Criterion"]
    assert "company_country" in criterion["properties"]["field"]["enum"]
    assert {"required": ["any_of"]} in criterion["oneOf"]
    assert schema["additionalProperties"] is False


def test_what_is_wrong_with_a_profile_is_told_once_and_with_its_place(cli: Cli) -> None:
    profile(cli, {"field": "company_employee_count", "at_least": 9, "at_most": 5})
    told = cli.run("icp", "set", "profile.json", code=2).err
    why = "at_least is above at_most: nothing can be both"
    assert told == f"glaze: profile.json: criteria.0: {why}\n"
    profile(cli)
    assert "profile.json: criteria: " in cli.run("icp", "set", "profile.json", code=2).err
    (cli.folder / "profile.toml").write_bytes("name = 'Müller'".encode("cp1252"))
    told = cli.run("icp", "set", "profile.toml", code=2).err
    assert told.startswith("glaze: profile.toml: 'utf-8' codec can't decode byte 0xfc")


def table(cli: Cli, name: str) -> list[dict[str, str]]:
    with (cli.folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def as_text(score: object) -> str:
    return "" if score is None else str(score)
