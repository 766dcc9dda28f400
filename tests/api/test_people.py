"""People and retention over HTTP and by command (S5): the list, and what goes sooner in one workspace."""

import asyncio
import os
import subprocess
import sys

import psycopg

from glaze.jobs.prune import prune
from glaze.model.access import Scope
from glaze.store.retention import Keep
from tests.api.conftest import Client, Service
from tests.api.test_jobs import working

JANE = {"input": {"email": "jane@acme.com"}}
ENRICH = {"kind": "enrich", "args": {**JANE, "required_fields": ["person_title"]}}
OLD = "now() - interval '10 days'"


async def test_a_suppressed_person_is_refused_by_any_of_their_keys_until_taken_off_the_list(
    service: Service, theirs: Client, dsn: str
):
    admin = await service.client()
    both = {"input": {"email": "jane@acme.com", "linkedin_url": "linkedin.com/in/jane-d"}}
    assert (await admin.post("/v1/people/suppress", both)).body == {"keys": 2}
    for given in ({"email": "JANE@acme.com"}, {"url": "https://linkedin.com/in/jane-d/"}):
        body = {"kind": "enrich", "args": {"input": given, "required_fields": ["person_title"]}}
        refused = await admin.post("/v1/jobs", body)
        assert (refused.status, refused.body["code"]) == (422, "person_suppressed")
    assert (await theirs.post("/v1/jobs", ENRICH)).status == 202  # each workspace has its own
    with psycopg.connect(dsn) as conn:
        kept = str(conn.execute("select * from glaze.suppression, glaze.audit").fetchall())
        assert "jane" not in kept
    assert (await admin.post("/v1/people/unsuppress", JANE)).body == {"keys": 2}
    assert (await admin.post("/v1/jobs", ENRICH)).status == 202
    for path in ("erase", "suppress", "unsuppress", "where-from"):
        nobody = {"input": {"domain": "acme.com"}}
        assert (await admin.post(f"/v1/people/{path}", nobody)).status == 422
        writer = await service.client(Scope.WRITE)
        assert (await writer.post(f"/v1/people/{path}", JANE)).status == 403


async def test_nothing_that_names_a_suppressed_person_is_taken_in_whatever_it_names_them_in(
    service: Service, dsn: str
):
    admin = await service.client()
    both = {"input": {"email": "jane@acme.com", "linkedin_url": "linkedin.com/in/jane-d"}}
    assert (await admin.post("/v1/people/suppress", both)).status == 200
    emails = {"emails": ["joe@acme.com", " Jane@ACME.com"]}
    profile = "https://www.linkedin.com/in/jane-d/"
    timed = {"cron": "0 0 1 1 *"}
    view = {"list": "jobs", "name": "of one", "query": {"text": ["about"]}}
    seen = await admin.post("/v1/views", view)
    for method, path, body in (
        ("POST", "/v1/jobs", {"kind": "email_validation", "args": emails}),
        ("PUT", "/v1/schedules/nightly", timed | ENRICH),
        ("PUT", "/v1/schedules/nightly", timed | {"kind": "email_validation", "args": emails}),
        ("POST", "/v1/views", view | {"name": "jane@acme.com"}),
        ("POST", "/v1/views", view | {"name": "two", "query": {"text": [profile]}}),
        ("PUT", seen.headers["Location"], {"name": "two", "query": {"text": ["jane@acme.com"]}}),
    ):
        refused = await admin.ask(method, path, body)
        assert (refused.status, refused.body["code"]) == (422, "person_suppressed"), (path, body)
    others = {"kind": "email_validation", "args": {"emails": ["joe@acme.com", "j@"]}}
    assert (await admin.post("/v1/jobs", others)).status == 202
    with psycopg.connect(dsn) as conn:
        for table in ("job_args", "schedule", "saved_view"):
            kept = conn.execute(f"select t::text from glaze.{table} t").fetchall()  # type: ignore[arg-type]  # no text from outside
            assert "jane" not in str(kept).casefold(), table


async def none_is_due(conn: psycopg.Connection) -> None:
    due = "select from glaze.schedule where next_at <= now() and paused_at is null"
    async with asyncio.timeout(60):
        while True:
            if not conn.execute(due).fetchall():
                return
            await asyncio.sleep(0.05)


async def test_a_schedule_about_somebody_who_was_suppressed_since_is_paused_and_others_fire(
    service: Service, dsn: str
):
    admin = await service.client()
    joe = {"kind": "email_validation", "args": {"emails": ["joe@acme.com"]}}
    for name, of in (("a", ENRICH), ("b", joe)):
        saved = await admin.ask("PUT", f"/v1/schedules/{name}", {"cron": "* * * * *"} | of)
        assert saved.status == 201
    await admin.post("/v1/people/suppress", JANE)
    run = await admin.post("/v1/schedules/a/run")
    assert (run.status, run.body["code"]) == (422, "person_suppressed")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("update glaze.schedule set next_at = date_trunc('minute', now())")
        async with working(service):
            await none_is_due(conn)
        assert conn.execute("select distinct kind from glaze.job").fetchall() == [
            ("email_validation",)
        ]
    assert (await admin.get("/v1/schedules/a")).body["paused_at"]
    assert not (await admin.get("/v1/schedules/b")).body["paused_at"]


AGED = """
    insert into glaze.result (workspace_id, id, body, created_at)
    select W, n, '{}', case n when 1 then OLD else now() end from generate_series(1, 2) n;
    insert into glaze.event (workspace_id, type, at)
    values (W, 'log', OLD), (W, 'log', now()), (W, 'enqueued', OLD);
    insert into glaze.question (workspace_id, id, credential, provider, operation, key)
    values (W, W, 'none', 'p', 'o', 'k');
    insert into glaze.vendor_request (workspace_id, id, provider, operation, credential, calls, deadline)
    values (W, W, 'p', 'o', 'none', 1, now());
    insert into glaze.call (workspace_id, id, question_id, generation, state, request_id, position,
      reason, wanted, reserved_micros, price_micros, deadline, settled_at)
    values (W, W, W, 1, 'settled', W, 1, '', '{}', 0, 0, now(), OLD);
    insert into glaze.answer values (W, W, 'x', 'x')
"""


def aged(conn: psycopg.Connection, workspace: int) -> None:
    """Give a workspace something old of each, and something new."""
    conn.execute(AGED.replace("OLD", OLD).replace("W", str(workspace)).encode())


async def test_one_workspace_keeps_things_for_fewer_days_than_the_other(
    service: Service, theirs: Client, dsn: str
):
    admin = await service.client()
    days = {"answers_days": 5, "results_days": 5, "events_days": 20, "logs_days": 5}
    assert (await admin.ask("PUT", "/v1/retention", days)).status == 200
    assert (await admin.get("/v1/retention")).body == days
    assert (await theirs.get("/v1/retention")).body == dict.fromkeys(days)
    with psycopg.connect(dsn, autocommit=True) as conn:
        for workspace in (1, 2):
            aged(conn, workspace)
        await prune(service.app.retention, Keep(), 0)
        left = "select count(*) from glaze.{} where workspace_id = {} and {}"
        for table, which, counts in (
            ("result", "true", (1, 2)),
            ("event", "type = 'log'", (1, 2)),
            ("event", "type = 'enqueued'", (1, 1)),
            ("answer", "true", (0, 1)),
            ("call", "true", (1, 1)),
        ):
            found = [
                conn.execute(left.format(table, workspace, which).encode()).fetchone()
                for workspace in (1, 2)
            ]
            assert found == [(n,) for n in counts], table


def test_the_command_line_erases_suppresses_and_tells_where_from(dsn: str):
    def glaze(*words: str, code: int = 0) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "glaze.cli", "people", *words],
            env=os.environ | {"DATABASE_URL": dsn},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == code, ran.stderr
        return ran.stdout

    assert "nothing was stored" in glaze("erase", "email=jane@acme.com")
    assert '"suppressed": true' in glaze("where-from", "email=jane@acme.com", "--json")
    assert "1 keys left" in glaze("unsuppress", "email=jane@acme.com")
    glaze("unsuppress", "email=jane@acme.com", code=2)
    glaze("suppress", "jane", code=2)
