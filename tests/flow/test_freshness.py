"""Each field stays fresh for a time of its own: what has aged is asked again, and nothing else is."""

import json
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
from cli_process import Cli, write_world

from conftest import COMPANIES

YEAR, CITY, STAFF = "company_founded_year", "company_city", "company_employee_count"
AGED = (
    "update glaze.observation set retrieved_at = retrieved_at - interval '{} days'",
    "update glaze.entity_field set retrieved_at = retrieved_at - interval '{} days'",
    "update glaze.call set settled_at = settled_at - interval '{} days'",
)


def days_pass(dsn: str, days: int) -> None:
    with psycopg.connect(dsn) as conn:
        for statement in AGED:
            conn.execute(statement.format(days))


def is_known(cli: Cli, domain: str, name: str, **environment: str) -> bool:
    """Enrich one field; tell whether its value was in the cache. Else all of the company is new."""
    cli = Cli(cli.folder, {**cli.environment, **environment})
    told = json.loads(cli.run("enrich", domain, "--fields", name, "--json").out)
    return told["data"][name]["cached"]


def test_what_changes_once_in_years_outlives_what_moves_and_each_field_can_be_set(
    tmp_path: Path, dsn: str, quick: Mapping[str, str]
):
    cli = Cli(tmp_path, quick)
    domain = write_world(tmp_path / "in.csv", 1, COMPANIES)[0].split(",")[1]
    cli.run("enrich", domain, "--fields", f"{YEAR},{CITY},{STAFF}")
    days_pass(dsn, 20)
    assert is_known(cli, domain, CITY)
    assert is_known(cli, domain, STAFF, GLAZE_FRESH_DAYS=f"{STAFF}=30")
    assert not is_known(cli, domain, STAFF)
    days_pass(dsn, 100)
    assert is_known(cli, domain, YEAR)
    assert not is_known(cli, domain, CITY)
    assert is_known(cli, domain, CITY)
    assert not is_known(cli, domain, CITY, GLAZE_CACHE_TTL_DAYS="0")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("company_colour=3", "there is no field company_colour"),
        ("company_city", "field=days is asked for"),
        ("company_city=-1", "greater than or equal to 0"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_its_reason(
    tmp_path: Path, quick: Mapping[str, str], given: str, told: str
):
    cli = Cli(tmp_path, {**quick, "GLAZE_FRESH_DAYS": given})
    assert told in cli.run("enrich", "a.example", "--fields", "company_city", code=2).err


def test_a_workspace_sets_its_own_times_before_those_of_the_settings(
    tmp_path: Path, dsn: str, quick: Mapping[str, str]
):
    cli = Cli(tmp_path, quick)
    domain = write_world(tmp_path / "in.csv", 1, COMPANIES)[0].split(",")[1]
    cli.run("enrich", domain, "--fields", f"{STAFF},{CITY}")
    days_pass(dsn, 20)
    cli.run("freshness", "set", "30", "--field", STAFF)
    cli.run("freshness", "set", "10", "--field", CITY)
    assert is_known(cli, domain, STAFF)
    assert not is_known(cli, domain, CITY)
    assert is_known(cli, domain, STAFF, GLAZE_FRESH_DAYS=f"{STAFF}=1")
    told = json.loads(cli.run("freshness", "--json").out)
    assert told["set"] == {STAFF: 30, CITY: 10}
    assert told["days"][STAFF] == 30
    assert "workspace" in cli.run("freshness").out
    cli.run("freshness", "remove", "--field", STAFF)
    assert "has set no time" in cli.run("freshness", "remove", "--field", STAFF, code=2).err
    assert not is_known(cli, domain, STAFF)
    assert "unknown field" in cli.run("freshness", "set", "3", "--field", "colour", code=2).err
