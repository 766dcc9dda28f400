"""``glaze icp`` from the outside: set, scored for nothing, explained, and scored again on a change."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_process import Cli, Sandbox, write_world

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
    told = json.loads(cli.run("icp", "explain", domain, "--json").out)
    assert (told["score"], told["certainty"]) == (100, 75)
    assert [one["met"] for one in told["reasons"]] == [True, None]

    assert f"{ROWS} scored, {ROWS} written" in cli.run("icp", "score", "-o", "scores.csv").err
    assert sorted({row["icp_score"] for row in scores(cli)} - {""}) == ["0", "100"]
    assert "0 scored" in cli.run("icp", "score").err
    cli.run("values", "choose", domain, "company_city", "Bern")
    assert "1 scored" in cli.run("icp", "score", "-o", "scores.csv").err
    assert "100" not in {row["icp_score"] for row in scores(cli)}
    profile(cli, city | {"any_of": ["Bern"]})
    cli.run("icp", "set", "profile.json")
    assert f"{ROWS} scored" in cli.run("icp", "score", "-o", "scores.csv").err
    assert "100" in {row["icp_score"] for row in scores(cli)}
    assert vendors.billed_micros == billed
