"""``glaze calibrate`` and set confidences from the outside: from then on they are what counts."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_process import Cli, Sandbox, write_world
from tests.storm_only import storm_only

from conftest import COMPANIES
from glaze.model.calibration import goodness
from glaze.model.normalise import normalise
from glaze.model.value import DEFAULT_WORKSPACE, FieldName
from glaze.store.calibration import CalibrationStore
from glaze.store.database import Database

FIELDS = "company_name,company_city,company_employee_count"


@pytest.fixture
def cli(tmp_path: Path, quick: Mapping[str, str]) -> Cli:
    return Cli(tmp_path, quick)


def sure_of(cli: Cli, record: str, field: str) -> int:
    lines = cli.run("values", "show", record, "--json").out.splitlines()
    return next(one["confidence"] for one in map(json.loads, lines) if one["field"] == field)


@storm_only
def test_sources_are_believed_as_people_and_the_simulation_found_them_and_never_mixed(
    cli: Cli, vendors: Sandbox
) -> None:
    rows = write_world(cli.folder / "in.csv", 8, COMPANIES)
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS)
    assert "nothing was confirmed" in cli.run("calibrate", code=2).err
    first, other = (row.split(",")[1] for row in rows[:2])
    stated = sure_of(cli, other, "company_name")
    cli.run("values", "choose", first, "company_name", "Somebody Else Ltd")
    made = cli.run("calibrate").err
    assert "version 1: " in made
    assert "simulated" not in made
    assert sure_of(cli, other, "company_name") < stated
    shown = [json.loads(line) for line in cli.run("calibrate", "--show", "--json").out.splitlines()]
    assert {line["field"] for line in shown} == {"company_name"}
    assert all(line["origin"] == "users" and line["observed"] == 0 for line in shown)
    assert all(line["believed"] < line["stated"] / 100 for line in shown)

    # The simulation takes the place of what people said; their one verdict is not among its own.
    truth = "\n".join(json.dumps(one) for one in told(vendors))
    (cli.folder / "truth.jsonl").write_text(truth)
    assert "simulated, " in cli.run("calibrate", "--from-sandbox", "truth.jsonl").err
    lines = cli.run("calibrate", "--show", "--json").out.splitlines()
    assert {one["origin"] for one in map(json.loads, lines)} == {"simulated"}

    assert "believed as they state" in cli.run("calibrate", "--reset").err
    assert sure_of(cli, other, "company_name") == stated


@storm_only
async def test_what_is_learned_from_some_companies_halves_the_error_on_others(
    cli: Cli, vendors: Sandbox, db: Database
) -> None:
    """The sandbox's sources state 65 to 90 and are right far more often."""
    rows = write_world(cli.folder / "in.csv", 24, COMPANIES)
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS)
    domains = {row.split(",")[1].removeprefix("https://").removeprefix("www.") for row in rows}
    known = {one["company_domain"]: one for one in told(vendors)}
    there = sorted(domain.rstrip("/") for domain in domains if domain.rstrip("/") in known)
    assert len(there) > 10
    learned = "\n".join(json.dumps(known[domain]) for domain in there[::2])
    (cli.folder / "learned.jsonl").write_text(learned)
    said = cli.run("calibrate", "--from-sandbox", "learned.jsonl").err
    assert "each record by what the others taught" in said

    store = CalibrationStore(db)
    newest = await store.newest(DEFAULT_WORKSPACE)
    assert newest is not None
    assert newest.held_out is not None
    names = [FieldName(name) for name in FIELDS.split(",")]
    others = {
        domain: {
            name: normalise(name, known[domain][name]) for name in names if name in known[domain]
        }
        for domain in there[1::2]
    }
    judged = await store.judged_by(DEFAULT_WORKSPACE, others)
    stated, believed = goodness(judged, {}), goodness(judged, newest.curves)
    assert stated.ece > 0.1
    assert believed.ece < stated.ece / 2
    assert believed.brier < stated.brier
    before, after = newest.held_out
    assert after.ece < before.ece / 2

    shown = cli.run("calibrate", "--show", "--json").out.splitlines()[0]
    assert json.loads(shown)["ece_after"] == after.ece
    assert f"ECE {before.ece:.3f} -> {after.ece:.3f}" in cli.run("calibrate", "--show").err

    # What a model chose among others' statements says nothing of how well it reads.
    async with db.workspace(DEFAULT_WORKSPACE) as conn:
        await conn.execute("update observation set raw = 'chosen among: ' || value::text")
    assert await store.judged_by(DEFAULT_WORKSPACE, others) == []
    assert await store.judged_by_people(DEFAULT_WORKSPACE) == []


def told(vendors: Sandbox) -> list[dict]:
    """Return the world's companies, as the sandbox tells them line by line."""
    import urllib.request  # noqa: PLC0415

    with urllib.request.urlopen(f"{vendors.url}/_sandbox/truth/companies.jsonl") as lines:
        return [json.loads(line) for line in lines]


def test_a_confidence_that_the_user_set_counts_and_an_unknown_field_is_refused(
    cli: Cli, vendors: Sandbox
) -> None:
    del vendors
    domain = write_world(cli.folder / "in.csv", 1, COMPANIES)[0].split(",")[1]
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS)
    sure = sure_of(cli, domain, "company_name")
    name = "GLAZE_PROVIDER__WEBSITE__CONFIDENCE__COMPANY_NAME"
    lowered = Cli(cli.folder, cli.environment | {name: "20"})
    assert sure_of(lowered, domain, "company_name") < sure
    wrong = Cli(cli.folder, cli.environment | {name + "X": "20"})
    assert "gives no field company_namex" in wrong.run("values", "show", domain, code=2).err
    much = Cli(cli.folder, cli.environment | {name: "101"})
    assert name in much.run("values", "show", domain, code=2).err
