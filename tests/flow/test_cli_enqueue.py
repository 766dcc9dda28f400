"""Any job from the command line: enqueued, waited for, refused with a reason."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_process import Cli
from whole_path import glaze_process, query

from glaze.cli.enqueue import _arguments, _time
from glaze.errors import InputError

ADDRESSES = {"emails": ["ada@mailinator.com"]}


@pytest.fixture
def cli(tmp_path: Path, quick: Mapping[str, str]) -> Cli:
    return Cli(tmp_path, quick)


def test_a_job_is_enqueued_with_its_options_and_its_end_waited_for(cli, quick, dsn):
    (cli.folder / "args.json").write_text(json.dumps(ADDRESSES))
    options = ["--priority", "1", "--max-retries", "2", "--tag", "a", "--tag", "b"]
    options += ["--webhook-url", "https://hooks.customer-app.com/x", "--idempotency-key", "k1"]
    first = cli.run("enqueue", "email_validation", "--args-file", "args.json", *options)
    job_id = int(first.out)
    row = query(
        dsn,
        "select to_jsonb(j) || jsonb_build_object('args', a.args) from glaze.job j"
        " join glaze.job_args a on a.job_id = j.id",
    )
    assert row["priority"] == 1
    assert row["max_attempts"] == 3
    assert row["tags"] == ["a", "b"]
    assert row["webhook_url"] == "https://hooks.customer-app.com/x"
    assert row["queue"] == "default"
    assert row["args"] == ADDRESSES
    with glaze_process(quick, "worker"):
        again = cli.run(
            "enqueue", "email_validation", "--args", json.dumps(ADDRESSES), *options, "--wait"
        )
    ended = json.loads(again.out)
    assert ended["id"] == job_id
    assert ended["state"] == "completed"
    assert ended["result"]["counts"]["disposable"] == 1


def test_who_waits_for_a_job_that_fails_is_told_by_the_exit_code(cli, quick):
    with glaze_process(quick, "worker"):
        args = '{"lead_id": "nobody"}'
        ran = cli.run("enqueue", "single_lead_enrichment", "--args", args, "--wait", code=1)
    ended = json.loads(ran.out)
    assert ended["state"] == "failed"
    assert ended["error"].startswith("record_not_found: ")


REFUSED = {
    ("emial_validation",): "no job kind is called 'emial_validation'; there are batch_lead_",
    ("email_validation", "--args", '{"emails": [1], "x": 2}'): "emails.0: ",
    (
        "email_validation",
        "--args",
        json.dumps(ADDRESSES),
        "--webhook-url",
        "http://localhost/x",
    ): "webhook_url: ",
}


def test_what_no_worker_could_run_is_refused_and_nothing_is_written(cli, dsn: str):
    for arguments, words in REFUSED.items():
        assert words in cli.run("enqueue", *arguments, code=2).err, arguments
    assert query(dsn, "select count(*) from glaze.job") == 0


def test_arguments_and_times_that_cannot_be_read_are_named(tmp_path: Path):
    (tmp_path / "latin.json").write_bytes(b'{"name": "\xe9"}')
    for given, words in (
        (("{emails}", None), "--args is no JSON"),
        ((None, tmp_path / "gone.json"), "cannot read"),
        ((None, tmp_path / "latin.json"), "cannot read"),
        (("{}", tmp_path / "x"), "not both"),
    ):
        with pytest.raises(InputError, match=words):
            _arguments(*given)
    assert _arguments(None, None) == {}
    for text, words in (("tomorrow", "--run-at tomorrow"), ("2027-01-31T08:00:00", "which zone")):
        with pytest.raises(InputError, match=words):
            _time(text, "--run-at")


def test_a_job_for_later_waits_for_its_time(cli, dsn: str):
    args = ("--args", json.dumps(ADDRESSES), "--run-at", "2099-01-31T08:00:00+01:00")
    cli.run("enqueue", "email_validation", *args, "--queue", "slow")
    row = query(dsn, "select to_jsonb(j) from glaze.job j")
    assert row["state"] == "scheduled"
    assert row["due_at"].startswith("2099-01-31T07:00:00")
    assert row["queue"] == "slow"


def test_the_kinds_are_listed_for_people_and_for_machines(cli):
    listed = cli.run("kinds").out
    assert "deliver_webhook" in listed
    assert "5 s, 30 s, 180 s" in listed
    facts = [json.loads(line) for line in cli.run("kinds", "--json").out.splitlines()]
    lead = next(kind for kind in facts if kind["name"] == "single_lead_enrichment")
    assert lead["retry"]["max_attempts"] == 5
    assert lead["args"]["required"] == ["lead_id"]
    assert "no job kind" in cli.run("kinds", "nothing", code=2).err


def test_a_run_time_that_no_calendar_has_is_refused_and_no_listing_breaks(cli, dsn):
    far = ["--run-at", "9999-12-31T23:59:59Z"]
    told = cli.run("enqueue", "email_validation", "--args", json.dumps(ADDRESSES), *far, code=2)
    assert "run_at: a time before the year 3000 is needed" in told.err
    late = ["--run-at", "2999-12-31T23:59:59Z"]
    job_id = cli.run(
        "enqueue", "email_validation", "--args", json.dumps(ADDRESSES), *late
    ).out.strip()
    told = cli.run("jobs", "change", job_id, *far, "-y", code=2)
    assert "before the year 3000" in told.err
    assert job_id in cli.run("jobs", "list").out
    assert query(dsn, "select count(*) from glaze.job") == 1


def test_a_job_comes_after_others_and_has_a_last_moment_to_begin(cli, dsn):
    arguments = ["email_validation", "--args", json.dumps(ADDRESSES)]
    first, second = [cli.run("enqueue", *arguments).out.strip() for _ in range(2)]
    last = ["--after", first, "--after", f"{second}:run", "--expires-at", "2030-01-01T00:00Z"]
    cli.run("enqueue", *arguments, *last)
    edges = "select jsonb_agg(array[parent_id::text, if_failed::text] order by parent_id) from glaze.job_edge"
    assert query(dsn, edges) == [[first, "cancel"], [second, "run"]]
    waiting = "select state::text || ' ' || extract(year from expires_at) from glaze.job order by id desc limit 1"
    assert query(dsn, waiting) == "waiting 2030"
    for wrong in ("x", "7:often", "batch/", "-1", "999999"):
        assert cli.run("enqueue", *arguments, "--after", wrong, code=2).err


@pytest.mark.parametrize(
    "options",
    [("--max-jobs", "3"), ("--timeout-ms", "2000"), ("--queues", ""), ("--kinds", " , ")],
)
def test_a_workers_option_that_would_do_nothing_is_refused(cli, options):
    assert options[0] in cli.run("worker", *options, code=2).err


def test_a_run_too_short_for_any_kind_says_so(cli):
    cli.run("enqueue", "email_validation", "--args", json.dumps(ADDRESSES))
    ran = cli.run("worker", "--once", "--timeout-ms", "1000", "--kinds", "email_validation")
    assert json.loads(ran.out)["left"] == 1
    assert "email_validation (" in ran.err
