"""``glaze enrich`` from the outside: whole runs, broken runs, refused runs."""

import csv
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import Cli, Ran, Sandbox, ended, environment, running_sandbox, write_world
from ledger_facts import one
from tests.storm_only import storm_only

FIELDS = "company_name,company_industry,company_phone"


@pytest.fixture(scope="module")
def played() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(played: Sandbox) -> Sandbox:
    played.send("POST", "reset")
    return played


@pytest.fixture
def cli(tmp_path: Path, dsn: str, sandbox: Sandbox) -> Cli:
    return Cli(tmp_path, environment(dsn, sandbox))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_file_comes_back_filled_and_the_second_run_costs_nothing(cli, sandbox):
    write_world(cli.folder / "in.csv", 25)
    first = cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, "--provenance")
    rows = table(cli.folder / "out.csv")
    given = table(cli.folder / "in.csv")
    assert [(row["Company"], row["Website"]) for row in rows] == [
        (row["Company"], row["Website"]) for row in given
    ]
    assert sum(bool(row["company_phone"]) for row in rows) > 15
    filled = next(row for row in rows if row["company_industry"])
    assert 50 <= int(filled["company_industry_confidence"]) <= 100
    assert filled["company_industry_source"]
    assert "Website" in first.err
    assert "website (by its header)" in first.err
    assert "hit rate" in first.out

    billed = sandbox.billed_micros
    assert billed > 0
    again = cli.run("enrich", "in.csv", "-o", "again.csv", "--fields", FIELDS)
    assert sandbox.billed_micros == billed
    assert "total spend: $0.00" in again.out
    assert [row["company_phone"] for row in table(cli.folder / "again.csv")] == [
        row["company_phone"] for row in rows
    ]


def test_bad_rows_go_to_the_errors_file_and_never_stop_the_rest(cli):
    good = write_world(cli.folder / "world.csv", 3)
    lines = ["Company,Website", good[0], ",", ",not a site", good[1], "a,b,c,d", good[2]]
    (cli.folder / "in.csv").write_text("\n".join(lines) + "\n")
    ran = cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", "company_phone")
    assert len(table(cli.folder / "out.csv")) == 3
    errors = table(cli.folder / "out.errors.csv")
    assert [row["line"] for row in errors] == ["4", "6"]
    assert "not a site" in errors[0]["reason"]
    assert "4 values for 2 columns" in errors[1]["reason"]
    assert "rows that could not be used: 2" in ran.out


def test_a_cell_that_names_nobody_is_told_though_the_row_goes_on_and_what_was_given_is_no_hit(cli):
    good = write_world(cli.folder / "world.csv", 2)
    name = good[1].split(",")[0]
    lines = ["Company,Website", good[0], f"{name},not a domain", f"{name},http://127.0.0.1/"]
    (cli.folder / "in.csv").write_text("\n".join(lines) + "\n")
    ran = cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", "company_name")
    assert len(table(cli.folder / "out.csv")) == 3
    errors = table(cli.folder / "out.errors.csv")
    assert [row["line"] for row in errors] == ["3", "4"]
    assert all("asked for by the rest of the row" in row["reason"] for row in errors)
    assert "'not a domain'" in errors[0]["reason"]
    assert "an IP address is nobody's name" in errors[1]["reason"]
    assert "asked for by the rest: 2, in out.errors.csv" in ran.out
    assert "could not be used: 2" not in ran.out
    told = next(line.split() for line in ran.out.splitlines() if line.startswith("company_name "))
    assert told == ["company_name", "3", "0", "-"]


def test_a_row_whose_site_leads_into_the_inner_network_says_that_nobody_went_there(cli, sandbox):
    traps = sandbox.get("hosts")["traps"].values()
    host = next(trap["hosts"][0] for trap in traps if "127.0.0.1" in trap["addresses"])
    (cli.folder / "in.csv").write_text(f"Website\n{host}\n")
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", "company_phone")
    (told,) = table(cli.folder / "out.errors.csv")
    assert "the website: refused to go there: 127.0.0.1 is not dialled" in told["reason"]
    assert len(table(cli.folder / "out.csv")) == 1


def test_json_lines_carry_the_row_and_what_was_found(cli):
    good = write_world(cli.folder / "world.csv", 4)
    records = [dict(zip(("Company", "Website"), row, strict=True)) for row in csv.reader(good)]
    (cli.folder / "in.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    ran = cli.run("enrich", "in.jsonl", "--json", "--fields", "company_city", "--provenance")
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert [{"Company": f["Company"], "Website": f["Website"]} for f in found] == records
    assert {"company_city", "company_city_confidence", "company_city_cost_usd"} <= found[0].keys()


@storm_only
def test_killed_three_times_the_same_command_ends_with_every_row_once_and_no_double_bill(
    cli, sandbox
):
    lines = write_world(cli.folder / "in.csv", 60)
    sandbox.slow_down(0.2)
    command = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS)
    for _ in range(3):
        before = sandbox.billed_micros
        process = cli.start(*command)
        deadline = time.monotonic() + 60
        while sandbox.billed_micros == before and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)  # outside the product: its own progress is what is watched
        process.kill()
        ended(process, code=-signal.SIGKILL)
        assert not (cli.folder / "out.csv").exists()
    sandbox.send("DELETE", "faults")
    ran = cli.run(*command)
    assert "continuing" in ran.err
    rows = table(cli.folder / "out.csv")
    assert [f"{row['Company']},{row['Website']}" for row in rows] == lines
    assert sandbox.get("billing/duplicates") == []


def test_ctrl_c_finishes_what_is_in_flight_says_how_to_go_on_and_writes_nothing(cli, sandbox):
    lines = write_world(cli.folder / "in.csv", 40)
    sandbox.slow_down(0.3)
    command = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, "--concurrency", "4")
    process = cli.start(*command)
    deadline = time.monotonic() + 60
    while not sandbox.billed_micros and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stopped = ended(process, code=130)
    assert "To go on: glaze enrich in.csv -o out.csv" in stopped.err
    assert not (cli.folder / "out.csv").exists()
    sandbox.send("DELETE", "faults")
    cli.run(*command)
    assert len(table(cli.folder / "out.csv")) == len(lines)
    assert sandbox.get("billing/duplicates") == []


def watched(process: "subprocess.Popen[str]", sandbox: Sandbox) -> None:
    """Wait until the run has paid for something."""
    deadline = time.monotonic() + 60
    while not sandbox.billed_micros and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)  # outside the product: its own progress is what is watched


@storm_only
def test_output_that_could_not_be_written_is_written_by_the_same_command_at_no_further_cost(
    cli, sandbox, dsn
):
    lines = write_world(cli.folder / "in.csv", 12)
    (cli.folder / "d").mkdir()
    sandbox.slow_down(0.2)
    command = ("enrich", "in.csv", "-o", "d/out.csv", "--skip-cache", "--fields", FIELDS)
    process = cli.start(*command, "--budget", "2")
    watched(process, sandbox)
    (cli.folder / "d").rmdir()
    assert "cannot write" in ended(process, code=1).err
    sandbox.send("DELETE", "faults")
    billed = sandbox.billed_micros

    (cli.folder / "d").mkdir()
    ran = cli.run(*command, "--budget", "2")
    assert "continuing" in ran.err
    assert len(table(cli.folder / "d" / "out.csv")) == len(lines)
    assert sandbox.billed_micros == billed
    assert one(dsn, "select count(*) from glaze.batch") == 1

    cli.run(*command, "--budget", "2")
    assert one(dsn, "select count(*) from glaze.batch") == 2
    assert sandbox.billed_micros > billed


@storm_only
def test_the_same_command_at_once_is_refused_wherever_its_temporary_files_go(cli, sandbox, dsn):
    lines = write_world(cli.folder / "in.csv", 20)
    sandbox.slow_down(6)  # ten companies go in one request
    command = ("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS)
    process = cli.start(*command)
    watched(process, sandbox)
    (cli.folder / "tmp").mkdir()
    elsewhere = Cli(cli.folder, cli.environment | {"TMPDIR": str(cli.folder / "tmp")})
    refused = elsewhere.run(*command, code=2)
    assert "the same command is already running on this file" in refused.err
    sandbox.send("DELETE", "faults")
    ended(process)
    assert len(table(cli.folder / "out.csv")) == len(lines)
    assert one(dsn, "select count(*) from glaze.batch_row") == len(lines)


def test_a_budget_for_the_file_is_never_passed(cli, sandbox):
    write_world(cli.folder / "in.csv", 30)
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS, "--budget", "0.35")
    assert 0 < sandbox.billed_micros <= 350_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none.csv",), "No such file"),
        (("in.csv", "--fields", "company_fone"), "did you mean"),
        (("in.csv", "--map", "Web=website"), "no column 'Web'"),
        (("in.csv", "--map", "Website=webbsite"), "is no input"),
        (("odd.csv",), "no column says"),
        (("empty.csv",), "empty"),
        (("hopeless.csv",), "line 2"),
        (("west.csv", "--encoding", "utf-8"), "line 2 has the byte 0xf6"),
        (("in.csv", "-o", "in.csv"), "is the input"),
        (("in.csv", "-o", "none/out.csv"), "no folder"),
        (("in.csv", "--max-cost", "lots"), "--max-cost lots"),
        (("in.csv", "--allow", "nobody"), "no provider is called nobody"),
        (("in.csv", "--order", "serper,apollo,serper"), "serper stands there twice"),
        (("in.csv", "--order", ","), "--order names nobody"),
        (("in.csv", "--order", "nobody"), "no provider is called nobody"),
        (("in.csv", "--providers", "apollo,nobody"), "no provider is called nobody"),
        (("not a site",), "host name"),
        (("",), "give a file of rows, a URL, a domain or an e-mail address"),
        (("acme.com", "-o", "out.csv"), "go with a file"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line_with_exit_code_2_and_nothing_is_written(
    cli, sandbox, arguments, told
):
    (cli.folder / "in.csv").write_text("Website\nacme.com\n")
    (cli.folder / "odd.csv").write_text("Colour,Size\nred,4\n")
    (cli.folder / "empty.csv").write_text("")
    (cli.folder / "west.csv").write_text("Company,Website\nKöln,koeln.de\n", "cp1252")
    (cli.folder / "hopeless.csv").write_text("Website\nnot a site\n")
    before = {path: path.read_bytes() for path in cli.folder.iterdir()}
    ran = cli.run("enrich", *arguments, code=2)
    assert told in ran.err
    assert ran.out == ""
    assert {path: path.read_bytes() for path in cli.folder.iterdir()} == before
    assert sandbox.billed_micros == 0


def _one(cli: Cli, *arguments: str) -> dict:
    ran: Ran = cli.run("enrich", *arguments, "--json")
    return json.loads(ran.out)


def test_a_single_site_is_answered_as_one_json_object_and_then_from_the_cache(cli, sandbox):
    website = write_world(cli.folder / "world.csv", 5)[4].split(",")[1]
    first = _one(cli, website, "--fields", "company_name,company_city")
    assert first["input"] == {"url": website}
    assert first["status"] in {"success", "partial"}
    name = first["data"]["company_name"]
    assert {"value", "confidence", "source", "quote", "cost_micros"} <= name.keys()
    billed = sandbox.billed_micros
    second = _one(cli, website, "--fields", "company_name,company_city")
    assert second["data"]["company_name"]["value"] == name["value"]
    assert sandbox.billed_micros == billed


def test_people_are_read_by_value_confidence_source_and_cost(cli):
    website = write_world(cli.folder / "world.csv", 5)[4].split(",")[1]
    ran = cli.run("enrich", website, "--fields", "company_name")
    assert "company_name" in ran.out
    assert "conf." in ran.out
    assert "1 of 1 fields" in ran.err


def test_only_the_named_providers_are_planned_and_asked_opt_in_ones_too(cli, sandbox):
    # EnrichLayer is opt-in, and Apollo would be asked first for the same field.
    lines = write_world(cli.folder / "all.csv", 12, kind="leads")
    known = [line.split(",")[-1] for line in lines if "linkedin.com/in/" in line]
    (cli.folder / "in.csv").write_text("\n".join(["LinkedIn URL", *known, ""]))
    options = ("--fields", "person_title", "--providers", "enrichlayer")
    plan = json.loads(cli.run("plan", "in.csv", *options, "--json").out)
    assert {name.partition(".")[0] for name in plan["providers"]} == {"enrichlayer"}
    cli.run("enrich", "in.csv", "-o", "out.csv", *options)
    assert {bill["vendor"] for bill in sandbox.get("billing")} == {"enrichlayer"}


def test_what_a_row_gave_is_no_hit_and_not_from_the_cache_though_a_vendor_agreed(cli):
    header = "First Name,Last Name,Company,Email,LinkedIn URL"
    leads = write_world(cli.folder / "all.csv", 8, kind="leads")
    lines = [line for line in leads if "@" in line]
    (cli.folder / "leads.csv").write_text("\n".join([header, *lines, ""]))
    given = str(len(lines))
    cli.run("enrich", "leads.csv", "-o", "out.csv", "--fields", "person_email,person_title")
    agreed = "select count(*) from glaze.observation where field = 'person_email'"
    assert one(cli.environment["DATABASE_URL"], agreed) > 0
    plan = json.loads(cli.run("plan", "leads.csv", "--fields", "person_email", "--json").out)
    assert (plan["fields"]["person_email"]["given"], plan["rows"]) == (len(lines), len(lines))
    again = cli.run("enrich", "leads.csv", "-o", "again.csv", "--fields", "person_email").out
    told = next(line.split() for line in again.splitlines() if line.startswith("person_email "))
    assert told == ["person_email", given, "0", "-"]
    assert "0 of 0 values came from the cache" in again


def test_a_type_says_what_is_asked_and_an_input_of_another_is_refused(cli):
    write_world(cli.folder / "in.csv", 2)
    site = table(cli.folder / "in.csv")[0]["Website"]
    one = json.loads(cli.run("enrich", site, "--type", "company_website", "--json").out)
    assert one["type"] == "company_website"
    assert {"company_name", "company_technologies"} <= {*one["data"], *one["missing"]}
    asked = [stage["name"] for stage in one["stages"]]
    assert asked[asked.index("cache") + 1] in {"dns_mx", "website"}
    short = cli.run("enrich", site, "--type=company_website", "--fields=name", "--json").out
    assert [*json.loads(short)["data"]] == ["company_name"]
    refused = cli.run("enrich", site, "--type", "linkedin_profile", code=2)
    assert "type linkedin_profile takes a LinkedIn profile" in refused.err
    assert "looks like company_website" in refused.err
    assert "--type person_or_so: there are company_website, " in (
        cli.run("enrich", site, "--type", "person_or_so", code=2).err
    )
    table_of = cli.run("enrich", "in.csv", "--type=linkedin_profile", "--json").out.splitlines()
    for row in map(json.loads, table_of):  # they come back unharmed, asked of nobody
        assert row["Website"]
        assert row["person_full_name"] is None


def test_a_company_by_its_name_alone_is_found_by_a_search_and_read_at_its_own_site(cli):
    write_world(cli.folder / "in.csv", 12)
    truth = {row["Company"]: row["Website"] for row in table(cli.folder / "in.csv")}
    names = cli.folder / "names.csv"
    names.write_text("Company\n" + "".join(f'"{name}"\n' for name in truth))
    fields = "--fields=company_technologies,company_logo_url"
    cli.run("enrich", "names.csv", "-o", "out.csv", fields, "--provenance")
    rows = [row for row in table(cli.folder / "out.csv") if row["company_logo_url"]]
    assert len(rows) > 3
    for row in rows:  # a namesake's site is nobody's
        domain = (
            truth[row["Company"]].lower().removeprefix("https://").removeprefix("www.").rstrip("/")
        )
        assert domain in row["company_logo_url_source_url"]
