"""The other commands from the outside: saved pages, demo, processes that keep running, doctor."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import Cli, Sandbox, ended, environment, running_sandbox, write_world
from tests.storm_only import storm_only

PAGE = """<!doctype html><html><head><title>Acme Widgets GmbH</title>
<link rel="canonical" href="https://acme-widgets.example/kontakt">
<meta property="og:site_name" content="Acme Widgets"></head>
<body><h1>Kontakt</h1><p>E-Mail: <a href="mailto:info@acme-widgets.example">schreiben</a></p>
<p>Tel. <a href="tel:+493012345678">+49 30 12345678</a></p></body></html>"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, dsn: str, sandbox: Sandbox) -> Cli:
    return Cli(tmp_path, environment(dsn, sandbox))


def test_a_saved_page_is_read_with_quotes_and_says_itself_where_it_belongs(cli):
    (cli.folder / "page.html").write_text(PAGE)
    ran = cli.run("extract", "page.html", "--jsonl")
    found = {row["field"]: row for row in map(json.loads, ran.out.splitlines())}
    assert found["company_email"]["value"] == "info@acme-widgets.example"
    assert found["company_phone"]["quote"]
    assert found["company_phone"]["url"] == "https://acme-widgets.example/kontakt"
    assert found["company_phone"]["page"] == "page"
    assert "company_email" in cli.run("extract", "page.html").out


def test_a_folder_of_pages_is_read_gzipped_or_not_under_the_names_of_its_list(cli):
    folder = cli.folder / "pages"
    (folder / "de").mkdir(parents=True)
    (folder / "de" / "one.html").write_text(PAGE)
    (folder / "two.html.gz").write_bytes(gzip.compress(PAGE.encode()))
    (folder / "notes.txt").write_text("no page")
    listed = {"page": "second", "file": "pages/two.html.gz", "url": "https://two.example/"}
    (cli.folder / "list.jsonl").write_text(json.dumps(listed) + "\n")
    ran = cli.run("extract", "pages", "--jsonl", "--pages", "list.jsonl")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert {row["page"] for row in rows} == {"de/one", "second"}
    assert {row["url"] for row in rows if row["page"] == "second"} == {"https://two.example/"}


def test_a_page_that_is_not_there_or_broken_is_said_with_exit_code_2(cli):
    assert "no file or folder" in cli.run("extract", "none.html", code=2).err
    (cli.folder / "torn.html.gz").write_bytes(gzip.compress(PAGE.encode())[:60])
    assert "cannot read" in cli.run("extract", "torn.html.gz", code=2).err


def test_what_lies_among_a_folders_pages_and_is_none_is_left_out_with_a_note(cli):
    folder = cli.folder / "pages"
    folder.mkdir()
    (folder / "a.html.gz").write_bytes(gzip.compress(PAGE.encode())[:60])
    os.mkfifo(folder / "b.html")
    (folder / "c.html").write_text(PAGE)
    ran = cli.run("extract", "pages", "--jsonl", code=1)
    assert {json.loads(line)["page"] for line in ran.out.splitlines()} == {"c"}
    assert "cannot read pages/a.html.gz" in ran.err
    assert "pages/b.html is not a regular file" in ran.err
    assert "not a regular file" in cli.run("extract", "pages/b.html", code=2).err


def test_a_page_of_unknown_address_shows_none_and_a_made_up_one_is_refused(cli):
    page = PAGE.replace('<link rel="canonical" href="https://acme-widgets.example/kontakt">', "")
    (cli.folder / "page.html").write_text(page + '<img class="logo" src="/logo.png" alt="logo">')
    ran = cli.run("extract", "page.html", "--jsonl")
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert {row["url"] for row in found} == {None}
    assert "company_email" in {row["field"] for row in found}
    assert "page.invalid" not in ran.out
    assert "page.invalid" not in cli.run("extract", "page.html").out
    refused = cli.run("extract", "page.html", "--url", "javascript:alert(1)", code=2)
    assert "--url javascript:alert(1)" in refused.err


@storm_only
def test_the_demo_runs_twice_alone_and_says_who_the_vendors_are(cli):
    write_world(cli.folder / "companies.csv", 8)
    del cli.environment["DATABASE_URL"], cli.environment["GLAZE_SANDBOX_URL"]
    cli.environment["GLAZE_DATA_DIR"] = str(cli.folder / "data")
    for _ in range(2):
        ran = cli.run("demo", "companies.csv", "-o", "out.csv")
        assert "played by the sandbox" in ran.err
        assert "hit rate" in ran.out
        assert "conf." in ran.out
        assert "total spend: $" in ran.out
        assert "total spend: $0.00" not in ran.out


def test_up_serves_the_api_works_on_jobs_and_ends_in_order(cli):
    website = write_world(cli.folder / "world.csv", 5)[4].split(",")[1]
    port = _free_port()
    cli.environment["GLAZE_API_PORT"] = str(port)
    process = cli.start("up")
    try:
        said = _said(process, "API key", "API: ", "providers: ")
        key = said["API key"].split()[-1]
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        body = {"url": website, "required_fields": ["company_name"], "wait_s": 30}
        answer = _post(f"http://127.0.0.1:{port}/enrich", body, key)
        unknown = {"input": {"foo": "x"}, "required_fields": ["company_name"]}
        with pytest.raises(urllib.error.HTTPError) as refused:
            _post(f"http://127.0.0.1:{port}/enrich", unknown, key)
        problem = json.load(refused.value)
    finally:
        process.send_signal(signal.SIGTERM)
        ended(process)
    assert "company_name" in json.dumps(answer)
    assert answer["state"] in {"completed", "partial"}
    assert answer["progress"]["percent"] == 100
    assert refused.value.code == 422
    assert [fault["path"] for fault in problem["errors"]] == ["input.foo"]
    assert said["API: "] == f"API: http://127.0.0.1:{port}/docs\n"
    assert "website" in said["providers: "]


def test_a_worker_starts_and_ends_by_signal(cli):
    process = cli.start("worker", "--queues", "a,b", "--concurrency", "2")
    line = process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    ended(process)
    assert line


def test_doctor_is_content_with_a_migrated_database_and_a_sandbox(cli):
    ran = cli.run("doctor")
    assert "PostgreSQL" in ran.out
    assert "up to date" in ran.out
    assert "provider website: ready" in ran.out
    assert "GLAZE_ALLOW=enrichlayer" in ran.out


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "no connection to PostgreSQL"),
        ("GLAZE_CONCURENCY", "3", "unknown setting GLAZE_CONCURENCY"),
        ("GLAZE_ALLOW", "nobody", "no provider is called nobody"),
    ],
)
def test_doctor_names_what_is_broken_and_exits_with_1(cli, name, value, told):
    cli.environment[name] = value
    ran = cli.run("doctor", code=1)
    assert "broken" in ran.out
    assert told in ran.out


def test_migrate_says_what_it_did(cli):
    assert "up to date" in cli.run("migrate").out


def test_an_output_that_cannot_be_written_or_is_read_no_further_is_no_traceback(cli):
    told = cli.run("ledger", "export", "-o", "nowhere/calls.csv", code=1).err
    assert told == "glaze: nowhere/calls.csv: No such file or directory\n"
    broken = "sys.exit(main._exit_code(ExceptionGroup('tasks', [BrokenPipeError()])))"
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; from glaze.cli import main; {broken}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (1, "")


def test_an_unreachable_database_is_one_line_and_exit_code_1(cli):
    cli.environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    ran = cli.run("enrich", "acme.com", code=1)
    assert ran.err.startswith("glaze: ")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)
        else:
            return


def _said(process: "subprocess.Popen[str]", *begins: str) -> dict[str, str]:
    """Return the lines that begin so, in whatever order they come."""
    assert process.stderr is not None
    said: dict[str, str] = {}
    for line in process.stderr:
        said |= {begin: line for begin in begins if line.startswith(begin)}
        if len(said) == len(begins):
            return said
    raise AssertionError(f"only these were said: {said}")


def _post(url: str, body: object, key: str) -> object:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
