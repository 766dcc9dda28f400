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
            _time(text)


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
