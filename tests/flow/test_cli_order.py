"""What runs of the command line teach changes whom the next run asks first (E9, E13)."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cli_process import Cli, Sandbox, write_world
from ledger_facts import rows
from tests.storm_only import storm_only
from whole_path import websites

ROWS = 38


@pytest.fixture
def cli(tmp_path: Path, quick: Mapping[str, str], vendors: Sandbox) -> Cli:
    """Two search vendors with keys: the one that knows less is the cheaper one."""
    del vendors
    own = {name: value for name, value in quick.items() if not name.endswith("_API_KEY")}
    prices = {"SERPER": "0.12", "BRAVE": "0.1"}
    return Cli(
        tmp_path,
        {
            **own,
            "SEARCH_API_KEY": "sandbox-test",
            "BRAVE_API_KEY": "sandbox-test",
            **{f"GLAZE_PROVIDER__{name}__PRICE_CENTS": cents for name, cents in prices.items()},
        },
    )


def first_asked(dsn: str, batch: int) -> Counter[str]:
    """Count who was asked first, of those that cost something, by the rows of a batch."""
    asked = rows(
        dsn,
        "select distinct on (c.job_id) q.provider from glaze.call c"
        " join glaze.question q on q.id = c.question_id"
        f" where c.batch_id = {batch} and c.reserved_micros > 0 order by c.job_id, c.id",
    )
    return Counter(row["provider"] for row in asked)


@storm_only
def test_the_poor_source_sinks_once_runs_have_shown_it_and_the_reasons_say_so(
    cli: Cli, dsn: str
) -> None:
    header, *lines = write_and_read(cli.folder / "all.csv", 3 * ROWS)
    for part, order in enumerate(("brave", "serper", "learned")):
        own = lines[part * ROWS : (part + 1) * ROWS]
        (cli.folder / f"{order}.csv").write_text("\n".join([header, *own]) + "\n")
        fields = ("--fields", "company_phone", "--order", order)
        cli.run("enrich", f"{order}.csv", "-o", f"{order}.out.csv", *fields)

    assert set(first_asked(dsn, 1)) == {"brave"}
    assert set(first_asked(dsn, 2)) == {"serper"}
    learned = first_asked(dsn, 3)
    assert learned["serper"] > 4 * learned["brave"]
    reasons = [
        row["reason"] for row in rows(dsn, "select reason from glaze.call where batch_id = 3")
    ]
    assert any(reason.startswith("fills ") and " expected, " in reason for reason in reasons)

    told = json.loads(cli.run("order", "--field", "company_phone", "--json").out)
    rates = {
        one["operation"]: one["estimate"]["rate"] for one in told["lessons"] if not one["missed"]
    }
    found = "company_search"
    assert rates[f"serper.{found}"] > 1.5 * rates[f"brave.{found}"]
    (late,) = (one for one in told["lifts"] if one["operation"].startswith("serper"))
    assert late["low"] <= late["rate"] < late["high"]
    assert late["calls"] > 0  # after brave had missed
    page = cli.run("order").out
    assert "serper.company_search" in page
    assert "points" in page


def test_rules_of_the_workspace_say_who_is_asked_and_how_sure_a_value_has_to_be(
    tmp_path: Path, quick: Mapping[str, str], vendors: Sandbox, dsn: str
) -> None:
    cli = Cli(tmp_path, quick)
    fields = ("--fields", "company_employee_count,company_industry")
    sites, others = websites(vendors, 5), websites(vendors, 2, skip=5)

    def asked() -> set[str]:
        return {
            row["provider"] for row in rows(dsn, "select distinct provider from glaze.question")
        }

    def enriched(site: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(cli.run("enrich", site, *fields, "--json").out)
        return found

    cli.run("order", "set", "--kind", "enrich", "--only", "apollo")
    known = next(site for site in sites if not enriched(site)["missing"])
    assert asked() == {"apollo"}
    cli.run("order", "set", "--field", "company_employee_count", "--floor", "100")
    unsure = enriched(known)
    assert unsure["missing"] == ["company_employee_count"]
    assert unsure["data"]["company_employee_count"]["confidence"] < 100
    cli.run("order", "set", "--field", "company_employee_count", "--only", "website")
    enriched(others[0])
    assert asked() == {"apollo", "website"}
    cli.run("order", "set", "--kind", "email_validation", "--only", "hunter")
    listed = [json.loads(line) for line in cli.run("order", "list", "--json").out.splitlines()]
    assert [(one["kind"], one["field"], one["providers"]) for one in listed] == [
        (None, "company_employee_count", ["website"]),
        ("email_validation", None, ["hunter"]),
        ("enrich", None, ["apollo"]),
    ]
    cli.run("order", "remove", "--kind", "enrich")
    cli.run("order", "remove", "--field", "company_employee_count")
    cli.run("order", "set", "--first", "serper")
    enriched(others[1])
    assert "serper" in asked()
    for wrong in (("--only", "nobody"), ("--kind", "x", "--floor", "1"), ("--field", "x"), ()):
        cli.run("order", "set", *wrong, code=2)
    cli.run("order", "remove", "--kind", "enrich", code=2)


def write_and_read(path: Path, n: int) -> list[str]:
    write_world(path, n, 400)
    return path.read_text().splitlines()
