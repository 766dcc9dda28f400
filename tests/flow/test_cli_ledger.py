"""The ledger from the command line: what was bought, what is unknown, and whether the books are right."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from cli_process import QUICK, Cli, Sandbox, environment, write_world
from ledger_facts import assert_budgets_hold, one, rows, unknown_calls
from tests.copied import copied

FIELDS = "company_name,company_industry,company_employee_count,company_linkedin_url"
ENRICH = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, "--budget", "50")
ALONE = ("--providers", "serper")
"""Nobody else fills what it left open."""
DROPPED = 4
"""Answers that serper drops, half of them after billing: five in a row would open its circuit."""


def buy(cli: Cli, sandbox: Sandbox, *options: str) -> None:
    """Enrich rows while one vendor drops answers, billed and not billed."""
    sandbox.send("POST", "reset")
    for kind in ("drop_after_billing", "drop_before_billing"):
        fault = {"kind": kind, "vendor": "serper", "probability": 0.5, "times": DROPPED // 2}
        sandbox.send("POST", "faults", fault)
    write_world(cli.folder / "in.csv", 20, 300)
    cli.run(*ENRICH, *options)
    sandbox.send("DELETE", "faults")


class Bought(NamedTuple):
    """A workspace that has bought, and what its vendors billed."""

    cli: Cli
    billed_micros: int


@pytest.fixture(scope="module")
def once(
    server_dsn: str, template: str, playing: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bought]:
    with copied(server_dsn, template, "glaze_bought") as dsn:
        cli = Cli(tmp_path_factory.mktemp("bought"), environment(dsn, playing) | QUICK)
        buy(cli, playing)
        yield Bought(cli, playing.billed_micros)


@pytest.fixture
def dsn(server_dsn: str, once: Bought) -> Iterator[str]:
    """A copy of that workspace's database."""
    del once  # it only has to be there
    with copied(server_dsn, "glaze_bought", "glaze_booked") as name:
        yield name


@pytest.fixture
def bought(once: Bought, dsn: str, tmp_path: Path) -> Cli:
    """The command on that copy."""
    return Cli(tmp_path, once.cli.environment | {"DATABASE_URL": dsn})


def listed(cli: Cli, *options: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in cli.run("ledger", "list", "--json", *options).out.splitlines()
    ]


def broken(cli: Cli) -> dict[str, list[str]]:
    ran = cli.run("ledger", "verify", "--json", code=1)
    verdicts = [json.loads(line) for line in ran.out.splitlines()]
    return {v["invariant"]: v["examples"] for v in verdicts if not v["holds"]}


def test_unknown_calls_are_reconciled_with_the_vendors_own_account_and_the_books_stay_right(
    bought: Cli, dsn: str, once: Bought
):
    unknown = listed(bought, "--state", "unknown")
    assert {call["provider"] for call in unknown} == {"serper"}
    assert len(unknown) == unknown_calls(dsn) == DROPPED
    assert "0 broken" in bought.run("ledger", "verify").out

    bought.run("ledger", "export", "--state", "unknown", "-o", "unknown.csv")
    with (bought.folder / "unknown.csv").open(newline="") as file:
        exported = list(csv.DictReader(file))
    assert [int(row["id"]) for row in exported] == [call["id"] for call in unknown]
    # The vendor's account: half of them were billed. Which ones it cannot tell either.
    for n, row in enumerate(exported):
        row["billed"] = "0.001" if n < DROPPED // 2 else "0"
    with (bought.folder / "unknown.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, exported[0])
        writer.writeheader()
        writer.writerows(exported)
    ran = bought.run("ledger", "reconcile", "unknown.csv", "--by", "usage page of today")

    assert f"{DROPPED} resolved" in ran.err
    assert unknown_calls(dsn) == 0
    resolved = "select count(*) from glaze.call where resolved_by = 'usage page of today'"
    assert one(dsn, resolved) == DROPPED
    paid = "select sum(price_micros)::bigint from glaze.call c where c.price_micros > 0"
    assert one(dsn, paid) == once.billed_micros
    assert_budgets_hold(dsn)
    assert "BROKEN" not in bought.run("ledger", "verify").out


@pytest.mark.parametrize(
    ("found", "again"), [(("--not-billed",), True), (("--billed", "0.001"), False)]
)
def test_what_was_not_billed_is_asked_again_and_what_was_billed_is_not(
    server_dsn: str,
    template: str,
    playing: Sandbox,
    tmp_path: Path,
    found: tuple[str, ...],
    *,
    again: bool,
):
    with copied(server_dsn, template, "glaze_alone") as dsn:
        cli = Cli(tmp_path, environment(dsn, playing) | QUICK)
        buy(cli, playing, *ALONE)
        unknown = [str(call["id"]) for call in listed(cli, "--state", "unknown")]
        cli.run("ledger", "resolve", *unknown, *found, "--by", "support ticket 7")
        cli.run(*ENRICH[:5], f"{FIELDS},company_revenue", *ENRICH[6:], *ALONE)
        asked = "select max(generation) > 1 from glaze.question where provider = 'serper'"
        assert one(dsn, asked) is again
        assert "BROKEN" not in cli.run("ledger", "verify").out


def test_a_price_above_the_reservation_is_booked_as_overrun(bought: Cli, dsn: str):
    call = str(listed(bought, "--state", "unknown")[0]["id"])
    bought.run("ledger", "resolve", call, "--billed", "0.25", "--by", "invoice")
    assert one(dsn, "select sum(overrun_micros)::bigint from glaze.budget") == 249_000
    assert_budgets_hold(dsn)
    assert "BROKEN" not in bought.run("ledger", "verify").out


def test_one_call_is_shown_with_its_exchange_and_what_it_stated(bought: Cli):
    calls = listed(bought, "--state", "settled", "--provider", "serper")
    call = next(call for call in calls if call["verdict"] == "match")
    shown = json.loads(bought.run("ledger", "show", str(call["id"]), "--json").out)
    assert shown["request"]["status"] == 200
    assert shown["price_micros"] == 1000
    assert shown["brought"][0].keys() >= {"field", "value", "confidence", "source_url", "quote"}
    assert f"id: {call['id']}" in bought.run("ledger", "show", str(call["id"])).out


def test_an_unknown_call_is_shown_with_its_class_and_with_what_can_be_done(bought: Cli):
    (call,) = listed(bought, "--state", "unknown", "--limit", "1")
    ran = bought.run("ledger", "show", str(call["id"]))
    assert "resend: never" in ran.out
    assert "look into serper's own usage page for" in ran.err
    assert f"glaze ledger resolve {call['id']} --not-billed --by" in ran.err


MISTAKES = (
    (("resolve", "{settled}", "--not-billed", "--by", "me"), "only unknown calls"),
    (("resolve", "999999", "--not-billed", "--by", "me"), "there is no call 999999"),
    (
        ("resolve", "{unknown}", "{settled}", "--billed", "1", "--by", "me"),
        "only unknown calls",
    ),
    (("resolve", "{unknown}", "--by", "me"), "either --billed"),
    (
        ("resolve", "{unknown}", "--billed", "1", "--not-billed", "--by", "me"),
        "either --billed",
    ),
    (("resolve", "{unknown}", "--billed", "much", "--by", "me"), "no amount of dollars"),
    (("resolve", "{unknown}", "--billed", "-1", "--by", "me"), "no amount from $0"),
    (("resolve", "{unknown}", "--billed", "0.0000001", "--by", "me"), "in millionths"),
    (("resolve", "{unknown}", "--not-billed", "--by", "  "), "how this was found out"),
    (
        ("reconcile", "twice.csv", "--by", "me"),
        "twice.csv, line 3: call {unknown} is there twice",
    ),
    (("reconcile", "bad.csv", "--by", "me"), "bad.csv, line 2: 'x' is no call's id"),
    (("reconcile", "other.csv", "--by", "me"), 'the columns "id" and "billed" are needed'),
    (("show", "999999"), "there is no call 999999"),
)


def test_a_mistake_is_told_and_changes_nothing(bought: Cli, dsn: str):
    ids = {
        state: str(listed(bought, "--state", state, "--limit", "1")[0]["id"])
        for state in ("settled", "unknown")
    }
    (bought.folder / "twice.csv").write_text("id,billed\n{unknown},0\n{unknown},1\n".format(**ids))
    (bought.folder / "bad.csv").write_text("id,billed\nx,0\n")
    (bought.folder / "other.csv").write_text("call,price\n1,0\n")
    for arguments, said in MISTAKES:
        given = [argument.format(**ids) for argument in arguments]
        assert said.format(**ids) in bought.run("ledger", *given, code=2).err
    assert unknown_calls(dsn) == DROPPED


TAMPERED = {
    "budgets_hold_what_their_calls_hold": "update glaze.budget set spent_micros = spent_micros + 1",
    "no_budget_is_over_its_cap": "alter table glaze.budget drop constraint never_over_cap;"
    " update glaze.budget set cap_micros = 1",
    "questions_know_their_last_call": "update glaze.question set generation = generation + 1",
    "ended_calls_have_a_price": "update glaze.call set price_micros = 5 where state = 'not_billed'"
    " or id = (select min(id) from glaze.call where state = 'unknown')",
    "requests_add_up": "update glaze.vendor_request set billed_micros = billed_micros + 7",
    "observations_come_from_settled_calls": "update glaze.observation set provider = 'nobody'",
    "costs_of_values_add_up": "update glaze.observation set cost_micros = cost_micros + 1",
    "values_have_a_source": "update glaze.entity_field set observation_id ="
    " (select min(id) from glaze.observation where field <> 'company_name')"
    " where field = 'company_name'",
    "matches_kept_their_answer": "delete from glaze.answer",
}


def test_each_way_in_which_the_books_can_be_wrong_is_found_and_named(
    bought: Cli, dsn: str, server_dsn: str
):
    """One copy of the database for each tampering: what breaks it must be told by its name."""
    name = rows(dsn, "select current_database() as name")[0]["name"]
    found = {}
    for invariant, tampering in TAMPERED.items():
        with copied(server_dsn, name, f"{name}_tampered") as copy:
            with psycopg.connect(copy, autocommit=True) as conn:
                conn.execute(tampering.encode())
            found[invariant] = broken(
                Cli(bought.folder, bought.environment | {"DATABASE_URL": copy})
            )
    assert {invariant for invariant, told in found.items() if invariant not in told} == set()
    assert all(examples for told in found.values() for examples in told.values())
