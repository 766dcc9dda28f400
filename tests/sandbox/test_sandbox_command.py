"""The command that a user, the demo and the benchmarks run; and the example files."""

import csv
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from glaze_sandbox.world.population import World

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = [sys.executable, "-m", "glaze_sandbox"]


def rows_of(name):
    with (EXAMPLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_command_says_when_it_is_ready_and_stops_on_sigterm(tmp_path):
    log = tmp_path / "bills.jsonl"
    arguments = ["--port", "0", "--companies", "20", "--billing-log", str(log)]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{ready['url']}/_sandbox/health", timeout=10) as response:
            assert json.load(response) == {"status": "ok", "seed": 7, "companies": 20}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert ready["ready"] is True
    assert log.read_text() == ""


def test_the_command_writes_rows_of_the_world(tmp_path):
    path = tmp_path / "rows.csv"
    arguments = ["--write-csv", str(path), "--rows", "700", "--kind", "companies"]
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["rows"] == 700
    assert len(path.read_text().splitlines()) == 701


def test_a_taken_port_is_a_clear_message():
    with subprocess.Popen(
        [*COMMAND, "--port", "0", "--companies", "5"], stdout=subprocess.PIPE, text=True
    ) as process:
        port = json.loads(process.stdout.readline())["url"].rpartition(":")[2]
        second = subprocess.run(
            [*COMMAND, "--port", port], capture_output=True, text=True, check=False, timeout=20
        )
        process.terminate()
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr


def test_the_example_companies_live_in_the_default_world():
    world = World()
    rows = rows_of("companies.csv")
    found = [world.by_name(row["Company"]) for row in rows]
    assert len(rows) == 40
    assert [row["Company"] for row, c in zip(rows, found, strict=True) if c is None] == [
        "Unknown Bakery"
    ]
    for row, company in zip(rows, found, strict=True):
        assert company is None or company.domain in row["Website"].lower()


def test_the_example_leads_live_in_the_default_world():
    world = World()
    rows = rows_of("leads.csv")
    assert len(rows) == 30
    for row in rows:
        name = f"{row['First Name']} {row['Last Name']}"
        where = row["Email"].rpartition("@")[2] or row["LinkedIn URL"]
        slug = row["LinkedIn URL"].partition("/in/")[2].partition("/")[0]
        company = world.by_name(row["Company"]) or world.by_domain(where)
        person = world.person_by_slug(slug) or (company and world.person_by_name(name, company))
        assert person, row
