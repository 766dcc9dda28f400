"""Jobs and queues seen and steered from the command line, by processes of its own."""

import json
import os
import pty
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cli_process import Cli, ended
from psycopg.rows import dict_row

from glaze.cli.main import main

HEADER = 1
_JOBS = """
insert into glaze.job (workspace_id, kind, queue, state, priority, rank, due_at, finished_at, error, tags, max_attempts)
select 1, %(kind)s, %(queue)s, %(state)s, 3, now(), now(), case when %(ends)s then now() - interval '1 day' end,
  %(error)s, %(tags)s, 1
from generate_series(1, %(n)s) returning id
"""
_ARGS = """
insert into glaze.job_args (workspace_id, job_id, args)
select 1, id, '{"input": {"company_domain": "acme.example"}, "required_fields": ["company_name"]}' from glaze.job
"""


class Place:
    """A database with jobs in it, and the command on it."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.run = Cli(folder, {"DATABASE_URL": dsn}).run
        self.start = Cli(folder, {"DATABASE_URL": dsn}).start
        self._dsn = dsn

    def add(self, n: int, state: str, **options: Any) -> list[int]:
        given = {"kind": "enrich", "queue": "default", "error": None, "tags": None} | options
        ends = state in {"completed", "partial", "failed", "dead", "cancelled"}
        with psycopg.connect(self._dsn) as conn:
            made = conn.execute(_JOBS, {"n": n, "state": state, "ends": ends} | given)
            ids = [row[0] for row in made.fetchall()]
            conn.execute(_ARGS + " on conflict do nothing")
        return ids

    def jobs(self, where: str = "true") -> list[dict[str, Any]]:
        with psycopg.connect(self._dsn, row_factory=dict_row) as conn:
            query = f"select * from glaze.job where {where} order by id"
            return conn.execute(query.encode()).fetchall()

    def log(self, job_id: int) -> list[str]:
        with psycopg.connect(self._dsn) as conn:
            found = conn.execute(
                "select type from glaze.event where job_id = %s order by id", (job_id,)
            )
            return [row[0] for row in found.fetchall()]

    def states(self) -> dict[str, int]:
        with psycopg.connect(self._dsn) as conn:
            found = conn.execute("select state, count(*) from glaze.job group by 1")
            return dict(found.fetchall())


@pytest.fixture
def place(tmp_path: Path, dsn: str) -> Place:
    return Place(tmp_path, dsn)


def test_jobs_are_listed_by_filter_for_people_and_for_machines(place: Place) -> None:
    old, new = place.add(2, "dead", error="timeout: [slow] vendor \x1b[2J", tags=["spring", "vip"])
    place.add(3, "pending", queue="other")
    shown = place.run("jobs", "list", "--state", "dead", "--tag", "vip", "--tag", "spring").out
    assert [line.split()[0] for line in shown.splitlines()[HEADER:]] == [str(new), str(old)]
    assert "timeout: [slow] vendor �[2J" in shown
    assert "spring vip" in shown
    first = place.run("jobs", "list", "--json", "--limit=1", "--finished-after=2d").out
    job = json.loads(first)
    assert (job["id"], job["state"], job["tags"]) == (new, "dead", ["spring", "vip"])
    page = place.run("jobs", "list", "--json", "--error-code=timeout", "--before", str(new)).out
    assert [json.loads(line)["id"] for line in page.splitlines()] == [old]
    counted = json.loads(place.run("jobs", "list", "--count", "--json").out)
    assert counted == {"jobs": 5, "states": {"dead": 2, "pending": 3}}


def test_one_job_is_shown_with_its_error_its_stack_and_its_log(place: Place, dsn: str) -> None:
    [job_id] = place.add(1, "dead", error="boom: it [broke]")
    data = {"code": "boom", "message": "it [broke]", "attempt": 1, "stack": 'File "x.py"\nBoom: 1'}
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "insert into glaze.event (workspace_id, type, job_id, data) values"
            " (1, 'enqueued', %(id)s, null), (1, 'claimed', %(id)s, %(claim)s), (1, 'dead', %(id)s, %(data)s)",
            {"id": job_id, "claim": json.dumps({"worker": 7, "attempt": 1}), "data": json.dumps(data)},
        )  # fmt: skip
    shown = place.run("jobs", "show", str(job_id)).out
    for part in (
        f"job {job_id}, enrich: dead",
        "round 1, attempt 0 of 1",
        "error: boom: it [broke]",
        "acme.example",
        "claimed  worker 7, attempt 1",
        "dead  code boom, attempt 1, message it [broke]",
        'stack of the last failure:\n  File "x.py"\n  Boom: 1',
    ):  # fmt: skip
        assert part in shown
    machine = json.loads(place.run("jobs", "show", str(job_id), "--json").out)
    assert [event["type"] for event in machine["log"]] == ["enqueued", "claimed", "dead"]
    assert machine["log"][-1]["data"] == data
    assert "there is no job 999" in place.run("jobs", "show", "999", code=2).err


def test_dead_jobs_are_counted_by_kind_and_code_and_retried_by_that(place: Place) -> None:
    place.add(1200, "dead", error="timeout: slow")
    [poison] = place.add(1, "dead", error="poison: 3 workers died")
    place.add(1, "failed", error="timeout: no", kind="other")
    place.add(1, "completed")
    groups = json.loads(place.run("jobs", "dead", "--json").out)
    assert [(g["kind"], g["code"], g["jobs"]) for g in groups] == [
        ("enrich", "timeout", 1200),
        ("enrich", "poison", 1),
    ]
    assert "1,200" in place.run("jobs", "dead").out
    refused = place.run("jobs", "retry", "--error-code=timeout", code=2).err
    assert "this would retry 1,201 jobs: say --yes" in refused
    assert place.states()["dead"] == 1201
    done = place.run("jobs", "retry", "--error-code=timeout", "--yes")
    assert done.out == "retried 1,201 jobs\n"
    assert place.states() == {"pending": 1201, "dead": 1, "completed": 1}
    assert [job["id"] for job in place.jobs("state = 'dead'")] == [poison]


def test_a_person_is_asked_how_many_and_no_is_an_answer(place: Place) -> None:
    place.add(3, "pending")
    assert "nothing was cancelled" in answered(place, "n", 1)
    assert place.states() == {"pending": 3}
    assert "cancel 3 jobs?" in answered(place, "y", 0)
    assert place.states() == {"cancelled": 3}


def answered(place: Place, answer: str, code: int) -> str:
    """What is said to somebody at a terminal who answers so."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        process = place.start("jobs", "cancel", "--kind=enrich", stdin=theirs)
        return ended(process, code=code).err
    finally:
        os.close(ours)
        os.close(theirs)


def test_named_jobs_that_cannot_be_are_refused_with_their_state(place: Place) -> None:
    [dead] = place.add(1, "dead")
    [pending] = place.add(1, "pending")
    ran = place.run("jobs", "retry", str(dead), str(pending), "4711", "--yes", code=1)
    assert ran.out == "retried 1 job\n"
    assert f"{pending} was not retried: it is pending" in ran.err
    assert "4711 is no such job" in ran.err
    assert place.log(dead) == ["reopened"]


def test_a_replay_is_checked_against_its_kind_and_linked(place: Place) -> None:
    [old] = place.add(1, "failed")
    bad = place.run("jobs", "replay", str(old), "--args", '{"required_fields": 7}', "--yes", code=2)
    assert "required_fields" in bad.err
    assert len(place.jobs()) == 1
    patch = '{"required_fields": ["company_email"]}'
    ran = place.run("jobs", "replay", str(old), "--args", patch, "--yes", "--key=k", "--json")
    again = place.run("jobs", "replay", str(old), "--args", patch, "--yes", "--key=k", "--json")
    replays = json.loads(ran.out)["replays"]
    assert replays == json.loads(again.out)["replays"]
    _, new = place.jobs()
    assert replays == {str(old): new["id"]}
    assert (new["replay_of"], new["state"]) == (old, "pending")
    shown = json.loads(place.run("jobs", "show", str(new["id"]), "--json").out)
    assert shown["args"]["required_fields"] == ["company_email"]
    assert shown["args"]["input"] == {"company_domain": "acme.example"}


def test_what_has_not_begun_is_changed(place: Place) -> None:
    [job_id] = place.add(1, "pending", tags=["old"])
    options = ["--set-priority=1", "--run-at=2h", "--set-tag=a", "--set-tag=b"]
    hook = "--set-webhook=https://hooks.example.com/x"
    assert place.run("jobs", "change", str(job_id), *options, hook, "--yes").out == (
        "changed 1 job\n"
    )
    [job] = place.jobs()
    assert (job["priority"], job["state"], job["tags"]) == (1, "scheduled", ["a", "b"])
    assert 7000 < (job["due_at"] - job["created_at"]).total_seconds() < 7600
    place.run("jobs", "change", str(job_id), "--run-at=now", "--no-tags", "--no-webhook", "--yes")
    [job] = place.jobs()
    assert (job["state"], job["tags"], job["webhook_url"]) == ("pending", [], None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["retry"], "which jobs? Give ids, a filter, or --all"),
        (["retry", "--state=pending", "--yes"], "cannot be done to jobs that are pending"),
        (["purge", "--finished-before=yesterday", "--yes"], "--finished-before 'yesterday': give a time"),
        (["change", "1", "--yes"], "nothing to change"),
        (["change", "1", "--set-webhook=http://127.0.0.1/", "--yes"], "not a webhook URL"),
        (["replay", "1", "--args=[1]", "--yes"], "--args is a JSON object"),
        (["cancel", "x"], "Invalid value for '[ID]...'"),
        (["list", "--state=done"], "'done' is not one of"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_with_exit_code_2(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["glaze", "jobs", *words])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as refused:
        main()
    assert refused.value.code == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_ended_jobs_are_purged(place: Place) -> None:
    place.add(2, "completed")
    place.add(1, "pending")
    assert place.run("jobs", "purge", "--finished-before=2d", "--yes").out == "purged 0 jobs\n"
    assert place.run("jobs", "purge", "--finished-before=1h", "--yes").out == "purged 2 jobs\n"
    assert place.states() == {"pending": 1}


def test_a_queue_is_seen_paused_resumed_and_cleared(place: Place) -> None:
    place.add(2, "pending", queue="slow")
    kept = place.add(1, "pending", queue="fast")
    place.run("queues", "pause", "slow")
    fast, slow = map(json.loads, place.run("queues", "list", "--json").out.splitlines())
    assert (slow["name"], slow["pending"], fast["paused_at"]) == ("slow", 2, None)
    assert slow["paused_at"] is not None
    assert "paused since" in place.run("queues", "list").out
    assert place.run("queues", "clear", "slow", "--yes").out == "cancelled 2 jobs\n"
    place.run("queues", "resume", "slow")
    assert [job["id"] for job in place.jobs("state = 'pending'")] == kept
    listed = place.run("queues", "list", "--json").out
    assert json.loads(listed)["name"] == "fast"


@pytest.mark.parametrize("columns", ["80", None])
def test_a_list_of_jobs_keeps_ids_and_states_whatever_room_there_is(
    place: Place, dsn: str, columns: str | None
):
    tag = "a-rather-long-tag-of-a-customer"
    made = place.add(
        2, "dead", error=f"crashed: {'x' * 200}", tags=[tag], kind="single_lead_enrichment"
    )
    cli = Cli(Path(), {"DATABASE_URL": dsn, "COLUMNS": columns or ""})
    out = ended(cli.start("jobs", "list")).out  # the room is looked at when a process starts
    lines = out.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        [str(job_id), "single_lead_enrichment", "dead"] for job_id in sorted(made, reverse=True)
    ]
    assert max(map(len, lines)) <= (80 if columns else 260)
    assert columns or tag in out
