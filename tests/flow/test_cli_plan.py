"""``glaze plan``, and what a run says before it buys: figures that the real run must meet."""

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cli_process import DEADLINE_S, Cli, Sandbox, environment, write_world
from ledger_facts import assert_budgets_hold, one
from tests.copied import copied
from tests.storm_only import storm_only

from glaze.cli.screen import money

FIELDS = "company_phone,company_employee_count,company_revenue"
OPTIONS = ("--fields", FIELDS, "--allow", "enrichlayer")
WRITTEN = ("entity", "entity_key", "observation", "question", "call", "budget", "batch", "job")
QUICK = {f"GLAZE_PROVIDER__{name}__CALLS_PER_MINUTE": "6000" for name in ("APOLLO", "SERPER")}


@pytest.fixture(scope="module")
def learned(
    server_dsn: str, template: str, playing: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cli]:
    """A workspace that has enriched 90 companies; 40 others stand in ``new.csv``."""
    playing.send("POST", "reset")
    with copied(server_dsn, template, "glaze_learned") as dsn:
        folder = tmp_path_factory.mktemp("learned")
        cli = Cli(folder, environment(dsn, playing) | QUICK | {"HUNTER_API_KEY": "sandbox-test"})
        del cli.environment["LLM_API_KEY"]
        lines = write_world(folder / "all.csv", 130, 300)
        for name, part in (("old", lines[:90]), ("new", lines[90:])):
            (folder / f"{name}.csv").write_text("\n".join(["Company,Website", *part, ""]))
        cli.run("enrich", "old.csv", "-o", "old.out.csv", *OPTIONS)
        yield cli


@pytest.fixture
def cli(server_dsn: str, learned: Cli) -> Iterator[Cli]:
    """A copy of that workspace."""
    with copied(server_dsn, "glaze_learned", "glaze_planned") as dsn:
        yield Cli(learned.folder, learned.environment | {"DATABASE_URL": dsn})


def planned(cli: Cli, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cli.run("plan", *arguments, "--json").out)
    return found


def filled(path: Path) -> dict[str, int]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: sum(bool(row[name]) for row in rows) for name in FIELDS.split(",")}


def spent(cli: Cli) -> int:
    return int(
        one(
            cli.environment["DATABASE_URL"], "select coalesce(sum(price_micros), 0) from glaze.call"
        )
    )


@storm_only
def test_the_real_run_falls_into_the_band_that_was_planned_and_a_plan_asks_nobody(
    cli: Cli, playing: Sandbox
):
    dsn = cli.environment["DATABASE_URL"]
    before = playing.get("stats"), [one(dsn, f"select count(*) from glaze.{t}") for t in WRITTEN]
    plan = planned(cli, "new.csv", *OPTIONS)
    assert (
        playing.get("stats"),
        [one(dsn, f"select count(*) from glaze.{t}") for t in WRITTEN],
    ) == before
    assert plan["rows_with_gaps"] == 40
    assert plan["values_yours"] == 0
    told = cli.run("plan", "new.csv", *OPTIONS)
    assert "would buy about" in told.out
    assert "by the price list" in told.out

    paid = spent(cli)
    cli.run("enrich", "new.csv", "-o", "new.out.csv", *OPTIONS)
    cost = spent(cli) - paid
    # One fair run in ten falls beside the band; beside one of twice the width, one in a thousand.
    low, middle, high = (plan["cost_micros"][p] for p in ("p5", "p50", "p95"))
    assert 2 * low - middle <= cost <= 2 * high - middle
    assert high <= plan["most_micros"]
    for name, n in filled(cli.folder / "new.out.csv").items():
        assert plan["fields"][name]["p5"] - 2 <= n <= plan["fields"][name]["p95"] + 2, name

    # The same again is all there: nothing would be bought, and nothing is.
    again = planned(cli, "new.csv", *OPTIONS)
    assert again["values_yours"] == sum(filled(cli.folder / "new.out.csv").values())
    assert again["cost_micros"]["p95"] == 0
    # One field more: what is there is not counted once more.
    more = planned(
        cli, "new.csv", "--fields", f"{FIELDS},company_twitter_url", "--allow", "enrichlayer"
    )
    assert more["values_yours"] >= again["values_yours"]
    assert more["values_wanted"] == 160


def test_without_history_a_plan_says_so_and_still_knows_the_most_it_can_cost(
    learned: Cli, dsn: str
):
    fresh = Cli(learned.folder, learned.environment | {"DATABASE_URL": dsn})
    told = fresh.run("plan", "new.csv", *OPTIONS).out
    assert "too little history" in told
    assert "a guess of one half" in told
    plan = planned(fresh, "new.csv", *OPTIONS)
    assert 0 < plan["cost_micros"]["p95"] <= plan["most_micros"]


@storm_only
def test_a_budget_binds_the_run_and_a_higher_one_goes_on_without_paying_again(cli: Cli):
    dsn, paid = cli.environment["DATABASE_URL"], spent(cli)
    budget = ("--budget", "0.60")
    assert "would stop it after about" in cli.run("plan", "new.csv", *OPTIONS, *budget).out
    stopped = cli.run("enrich", "new.csv", "-o", "a.csv", *OPTIONS, *budget).out
    first = spent(cli) - paid
    assert 0 < first <= 600_000
    assert f"stopped at {money(first)}" in stopped
    assert "rows complete" in stopped
    assert_budgets_hold(dsn)
    rest = planned(cli, "new.csv", *OPTIONS)
    cli.run("enrich", "new.csv", "-o", "b.csv", *OPTIONS, "--budget", "20")
    assert spent(cli) - paid - first <= rest["most_micros"]  # p95 is passed now and then
    paid_twice = (
        "select count(*) from (select question_id from glaze.call where price_micros > 0"
        " group by question_id having count(*) > 1) again"
    )
    assert one(dsn, paid_twice) == 0


def on_terminal(cli: Cli, answer: str, *arguments: str) -> tuple[int, str]:
    """Run a command whose user sits at a terminal and answers; return its exit code and its words."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "glaze.cli", *arguments]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cli.folder, env=cli.environment
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        told = b""
        while True:
            try:
                told += os.read(ours, 4096)
            except OSError:  # how a terminal says that nobody is left
                break
        code = process.wait(timeout=DEADLINE_S)
    os.close(ours)
    return code, told.decode("utf-8", "replace")


def test_on_a_terminal_the_price_of_an_edit_is_told_and_nothing_is_bought_before_a_yes(
    cli: Cli, playing: Sandbox
):
    asked = playing.get("stats")["requests"]
    edit = ("enrich", "old.csv", "-o", "c.csv", "--fields", f"{FIELDS},company_twitter_url")
    code, told = on_terminal(cli, "n\n", *edit)
    assert code == 0, told
    assert "would buy about" in told
    assert "values are already yours" in told
    assert "nothing was asked and nothing paid" in told
    assert playing.get("stats")["requests"] == asked
    assert not (cli.folder / "c.csv").exists()
    new = ("enrich", "new.csv", "-o", "d.csv", "--fields", "company_mail_provider", "--yes")
    code, told = on_terminal(cli, "", *new)
    assert code == 0, told
    assert "would buy" in told
    assert "go on?" not in told
    assert (cli.folder / "d.csv").exists()


@pytest.mark.parametrize("what", ["https://acme.com/about", "acme.com"])
def test_a_plan_for_a_single_site_is_refused_with_what_to_do_instead(learned: Cli, what: str):
    told = learned.run("plan", what, code=2).err
    assert f"glaze plan takes a file of rows, and no file is called {what!r}" in told
    assert "--max-cost" in told


@storm_only
def test_a_paused_price_and_a_cap_that_is_used_up_are_not_planned_with_and_are_told(cli: Cli):
    dsn = cli.environment["DATABASE_URL"]
    asked = planned(cli, "new.csv", *OPTIONS)["providers"]
    name = next(name for name in asked if name.startswith("apollo."))
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "insert into glaze.paused_price"
            " (workspace_id, provider, operation, reserved_micros, billed_micros, request_id)"
            " select 1, 'apollo', %s, 1, 99000000, max(id) from glaze.vendor_request",
            [name.removeprefix("apollo.")],
        )
    assert name not in planned(cli, "new.csv", *OPTIONS)["providers"]
    told = cli.run("plan", "new.csv", *OPTIONS).out
    assert f"Not in it: {name}, price paused" in told
    assert f"glaze budget resume {name}" in told
    cli.run("budget", "set", "day", "0.01")  # less than most calls may cost, and than the rest
    told = cli.run("plan", "new.csv", *OPTIONS).out
    assert "Not in it, for a call may cost more than a cap leaves: " in told
    assert "the day's cap leaves $0.01" in told
    cli.run("budget", "set", "day", "0")
    plan = planned(cli, "new.csv", *OPTIONS)
    assert (plan["cost_micros"]["p95"], plan["providers"]) == (0, {})
