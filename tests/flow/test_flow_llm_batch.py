"""Rows of a file ask the model by its vendor's batch API: half the price, the same values."""

import csv
import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import Cli, Sandbox, ended, environment, running_sandbox, write_world
from ledger_facts import assert_budgets_hold, assert_paid_once, one, rows, unresolved_calls
from tests.storm_only import storm_only
from whole_path import query, watch

FIELDS = "company_industry_group,company_description"
PLAIN = {"malformed_rate": 0, "unsupported_rate": 0, "batch_errored_rate": 0}
COMMAND = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, "--budget", "500")
ROWS = 8
CREATED = {"anthropic": "/v1/messages/batches", "openai": "/v1/batches"}
PROVIDERS = {"anthropic": "anthropic", "openai": "llm"}
BOTH = pytest.mark.parametrize("model", ["anthropic", pytest.param("openai", marks=storm_only)])
HANDED_IN = "select count(*) from glaze.call where state = 'pending_vendor'"


@pytest.fixture(scope="module")
def played() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(played: Sandbox) -> Sandbox:
    played.send("POST", "reset")
    played.send("POST", "llm", PLAIN)
    return played


@pytest.fixture
def model() -> str:
    """The vendor whose batches are used, as the sandbox calls it."""
    return "anthropic"


@pytest.fixture
def at_once(dsn: str, sandbox: Sandbox, model: str) -> dict[str, str]:
    own = {"LLM_PROVIDER": model, "GLAZE_ORDER": f"website,{PROVIDERS[model]}"}
    keyless = {"APOLLO_API_KEY": "", "SEARCH_API_KEY": "", "LINKEDIN_API_KEY": ""}
    return {**environment(dsn, sandbox), **own, **keyless}


@pytest.fixture
def later(at_once: dict[str, str]) -> dict[str, str]:
    return {**at_once, "GLAZE_LLM_BATCH": "auto"}


def filled(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return [[*row.values()] for row in csv.DictReader(file)]


def bills(sandbox: Sandbox, model: str) -> dict[str, int]:
    """What the model's vendor billed, by question."""
    paid: Counter[str] = Counter()
    for bill in sandbox.get("billing"):
        if bill["vendor"] == model:
            paid[bill["question"]] += bill["micros"]
    return dict(paid)


@BOTH
def test_rows_of_a_file_get_the_same_values_at_half_the_price(  # noqa: PLR0917  fixtures
    tmp_path: Path,
    dsn: str,
    at_once: dict[str, str],
    later: dict[str, str],
    sandbox: Sandbox,
    model: str,
):
    cli = Cli(tmp_path, later)
    write_world(cli.folder / "in.csv", ROWS)
    cli.run(*COMMAND)
    cheap, values = bills(sandbox, model), filled(tmp_path / "out.csv")
    assert sum(bool(row[-1]) for row in values) > ROWS // 2
    assert_paid_once(dsn, sandbox)
    assert_budgets_hold(dsn)
    most = f"select max(calls) from glaze.vendor_request where provider = '{PROVIDERS[model]}'"
    assert one(dsn, most) > 1
    cli.run("ledger", "verify")

    sandbox.send("POST", "reset")
    sandbox.send("POST", "llm", PLAIN)
    dear_cli = Cli(tmp_path, at_once)
    dear_cli.run(*COMMAND[:3], "dear.csv", *COMMAND[4:], "--skip-cache")
    dear = bills(sandbox, model)
    assert filled(tmp_path / "dear.csv") == values
    assert cheap.keys() == dear.keys()
    assert {asked: -(-micros // 2) for asked, micros in dear.items()} == cheap


def test_what_came_later_is_proven_by_its_page_and_can_be_read_again(
    tmp_path: Path, dsn: str, later: dict[str, str], sandbox: Sandbox
):
    sandbox.send("POST", "llm", {**PLAIN, "unsupported_rate": 0.5})
    cli = Cli(tmp_path, later)
    write_world(cli.folder / "in.csv", ROWS)
    cli.run(*COMMAND)
    told = rows(dsn, "select quote from glaze.observation where provider = 'anthropic'")
    assert told
    assert not [one for one in told if "The company states that it is" in one["quote"]]
    assert one(dsn, "select count(*) from glaze.call where asked is not null") == 0
    again = json.loads(cli.run("rebuild", "--json").out)
    assert again["read"] == again["answers"]
    assert (again["changed"], again["new"], again["gone"], again["fields"]) == (0, 0, 0, 0)


def test_a_run_killed_while_a_batch_is_out_collects_it_when_it_is_run_again(
    tmp_path: Path, dsn: str, later: dict[str, str], sandbox: Sandbox
):
    sandbox.send("POST", "llm", {**PLAIN, "batch_wait_s": 2})
    cli = Cli(tmp_path, later)
    write_world(cli.folder / "in.csv", ROWS)
    process = cli.start(*COMMAND)
    watch(lambda: process.poll() is not None or query(dsn, HANDED_IN) > 0)
    process.kill()
    ended(process, code=-signal.SIGKILL)
    cli.run(*COMMAND)
    assert_paid_once(dsn, sandbox)
    assert unresolved_calls(dsn) == 0
    assert sum(bool(row[-1]) for row in filled(tmp_path / "out.csv")) > ROWS // 2
    cli.run("ledger", "verify")


@BOTH
def test_a_batch_whose_creation_was_not_answered_is_found_at_its_vendor_and_paid_once(
    tmp_path: Path, dsn: str, later: dict[str, str], sandbox: Sandbox, model: str
):
    lost = {"kind": "drop_after_billing", "vendor": model, "times": 1}
    sandbox.send("POST", "faults", {**lost, "path_prefix": CREATED[model]})
    cli = Cli(tmp_path, later)
    write_world(cli.folder / "in.csv", ROWS)
    cli.run(*COMMAND)
    assert_paid_once(dsn, sandbox)
    assert unresolved_calls(dsn) == 0
    assert all(micros for micros in bills(sandbox, model).values())
    cli.run("ledger", "verify")


def test_a_file_of_questions_that_does_not_arrive_costs_nothing_and_is_sent_again(
    tmp_path: Path, dsn: str, at_once: dict[str, str], sandbox: Sandbox
):
    lost = {"kind": "drop_after_billing", "vendor": "openai", "times": 1}
    sandbox.send("POST", "faults", {**lost, "path_prefix": "/v1/files"})
    openai = {"LLM_PROVIDER": "openai", "GLAZE_ORDER": "website,llm", "GLAZE_LLM_BATCH": "auto"}
    cli = Cli(tmp_path, at_once | openai)
    write_world(cli.folder / "in.csv", ROWS)
    cli.run(*COMMAND)
    assert one(dsn, "select count(*) from glaze.call where detail like '%file was not taken%'") > 0
    assert sum(bool(row[-1]) for row in filled(tmp_path / "out.csv")) > ROWS // 2
    assert_paid_once(dsn, sandbox)
    assert unresolved_calls(dsn) == 0
    cli.run("ledger", "verify")


@BOTH
def test_what_was_handed_in_for_a_cancelled_batch_is_collected_and_kept_and_never_bought_again(
    tmp_path: Path, dsn: str, later: dict[str, str], sandbox: Sandbox, model: str
):
    sandbox.send("POST", "llm", {**PLAIN, "batch_wait_s": 3600})
    cli = Cli(tmp_path, later)
    write_world(cli.folder / "in.csv", ROWS)
    process = cli.start(*COMMAND)
    watch(lambda: process.poll() is not None or query(dsn, HANDED_IN) > 0)
    cli.run("batches", "cancel", "1")
    sandbox.send("POST", "llm", PLAIN)
    ended(process, code=None)
    paid = bills(sandbox, model)
    assert paid
    worker = cli.start("worker")
    watch(lambda: query(dsn, HANDED_IN) == 0)
    worker.terminate()
    ended(worker, code=None)
    assert unresolved_calls(dsn) == 0
    provider = PROVIDERS[model]
    kept = f"select count(*) from glaze.observation where provider = '{provider}'"
    assert one(dsn, kept) > 0
    assert bills(sandbox, model) == paid
    spent = (
        "select coalesce(sum(c.price_micros), 0) from glaze.call c join glaze.question q"
        f" on q.id = c.question_id where q.provider = '{provider}'"
    )
    assert one(dsn, spent) == sum(paid.values())
    cli.run(*COMMAND[:3], "again.csv", *COMMAND[4:])
    assert all(bills(sandbox, model)[question] == micros for question, micros in paid.items())
    assert_paid_once(dsn, sandbox)
    cli.run("ledger", "verify")


def test_what_a_batch_leaves_unanswered_is_asked_at_once_and_nothing_is_lost(
    tmp_path: Path, dsn: str, later: dict[str, str], sandbox: Sandbox
):
    sandbox.send("POST", "llm", {**PLAIN, "batch_errored_rate": 0.3, "batch_expired_rate": 0.3})
    cli = Cli(tmp_path, later)
    write_world(cli.folder / "in.csv", ROWS)
    cli.run(*COMMAND)
    assert sum(bool(row[-1]) for row in filled(tmp_path / "out.csv")) > ROWS // 2
    free = "select count(*) from glaze.call where state = 'not_billed' and handle is not null"
    assert one(dsn, free) > 0
    assert_paid_once(dsn, sandbox)
    assert unresolved_calls(dsn) == 0
    assert_budgets_hold(dsn)
    cli.run("ledger", "verify")
