"""``glaze values`` from the outside: what a person decides stays, and nothing is bought for it."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_process import Cli, Sandbox, write_world

from conftest import COMPANIES

FIELDS = "company_name,company_city,company_employee_count,company_technologies"


@pytest.fixture
def cli(tmp_path: Path, quick: Mapping[str, str]) -> Cli:
    return Cli(tmp_path, quick)


def known(cli: Cli, record: str) -> dict[str, dict]:
    lines = cli.run("values", "show", record, "--json").out.splitlines()
    return {one["field"]: one for one in map(json.loads, lines)}


def of_rows(path: Path, column: str) -> list[str]:
    with path.open(newline="") as file:
        return [row[column] for row in csv.DictReader(file)]


def test_what_a_person_decided_stays_through_new_answers_and_old_age_and_buys_nothing(
    cli: Cli, vendors: Sandbox
) -> None:
    domain = write_world(cli.folder / "in.csv", 1, COMPANIES)[0].split(",")[1]
    cli.run("enrich", "in.csv", "-o", "first.csv", "--fields", FIELDS)
    stated = known(cli, domain)
    assert stated["company_city"]["decided"] is None
    sure, billed = stated["company_city"]["confidence"], vendors.billed_micros

    told = cli.run("values", "choose", domain, "company_city", "Atlantis", "--by", "Ann").err
    assert "company_city is Atlantis: corrected" in told
    locked = cli.run("values", "lock", domain, "company_employee_count").err
    assert "locked" in locked
    assert "confirmed" in cli.run("values", "confirm", domain, "company_name").err

    now = known(cli, domain)
    assert (now["company_city"]["value"], now["company_city"]["confidence"]) == ("Atlantis", 100)
    assert now["company_city"]["decided"]["by"] == "Ann"
    assert now["company_city"]["alternatives"][0]["value"] == stated["company_city"]["value"]
    assert now["company_employee_count"]["value"] == stated["company_employee_count"]["value"]

    # Everything is asked anew, as after years; what was decided is not asked at all.
    again = ("enrich", "in.csv", "--fields", "company_city", "--provenance", "--skip-cache")
    cli.run(*again, "-o", "again.csv")
    assert of_rows(cli.folder / "again.csv", "company_city") == ["Atlantis"]
    assert of_rows(cli.folder / "again.csv", "company_city_source") == ["user"]
    assert vendors.billed_micros == billed
    # Other fields of the same company are asked and merged anew, and the decision stands.
    cli.run("enrich", "in.csv", "--fields", FIELDS, "--skip-cache", "-o", "all.csv")
    assert of_rows(cli.folder / "all.csv", "company_city") == ["Atlantis"]
    cli.run("rebuild")
    assert known(cli, domain)["company_city"]["value"] == "Atlantis"
    assert cli.run("ledger", "verify").out.count("BROKEN") == 0

    cli.run("values", "unlock", domain, "company_city")
    back = known(cli, domain)["company_city"]
    assert back["value"] == stated["company_city"]["value"]
    assert back["confidence"] >= sure


def test_what_cannot_be_decided_says_why_and_changes_nothing(cli: Cli) -> None:
    domain = write_world(cli.folder / "in.csv", 1, COMPANIES)[0].split(",")[1]
    refused = cli.run("values", "show", domain, code=2).err
    assert "nothing is known of" in refused
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", "company_name")
    before = known(cli, domain)
    for arguments, why in (
        (("choose", domain, "company_founded_year", "soon"), "company_founded_year"),
        (("choose", domain, "company_colour", "red"), "unknown field 'company_colour'"),
        (("choose", domain, "person_title", "CEO"), "is a person's field"),
        (("choose", domain, "company_technologies", "[1,"), "looks like JSON"),
        (("confirm", domain, "company_revenue"), "nothing is known of company_revenue"),
        (("unlock", domain, "company_name"), "nothing was decided"),
    ):
        assert why in cli.run("values", *arguments, code=2).err
    assert known(cli, domain) == before
