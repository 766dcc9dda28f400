"""Nobody else sees it: workspaces and roles, attacked through the database itself (S1)."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.rows import dict_row, tuple_row

from glaze.store.database import role_dsn
from glaze.store.migrate import runtime_login

FLEET_TABLES = {
    *("worker", "queue", "rate_slot", "vendor_room", "vendor_seat", "seat_claim", "circuit"),
    "schema_migration",
}
"""Tables without a workspace in them: registry, limits, circuits, the list of migrations."""
HIDDEN_FROM_QUEUE = {
    "job_args": "args",
    "batch_row": "input",
    "batch": "settings",
    "result": "body",
    "question": "key",
    "vendor_request": "provider",
    "call": "id",
    "answer": "body",
    "callback": "digest",
    "budget": "cap_micros",
    "spend_cap": "cap_micros",
    "asking_rule": "floor",
    "fresh_time": "days",
    "paused_price": "billed_micros",
    "suppression": "key_hash",
    "erasure": "traits",
    "search": "criteria",
    "credit": "balance_cents",
    "credit_entry": "cents",
    "payment": "cents",
    "retention": "answers_days",
    "entity": "id",
    "entity_key": "key",
    "observation": "value",
    "entity_field": "value",
    "decision": "value",
    "calibration": "curves",
    "icp": "profile",
    "icp_score": "reasons",
    "idempotency_key": "key",
    "workspace": "hash_key",
    "workflow": "name",
    "schedule": "args",
    "record": "input",
    "api_key": "digest",
    "data_key": "wrapped",
    "vendor_key": "sealed",
    "member": "email",
    "session": "digest",
    "invitation": "email",
    "login_attempt": "subject",
    "audit": "actor",
    "job_callback": "data",
    "webhook": "salt",
    "webhook_feed": "xid",
    "webhook_delivery": "body",
    "webhook_attempt": "excerpt",
    "event": "data",
    "event_horizon": "xid",
    "job_tag": "tag",
    "saved_view": "query",
}
"""A column of each table that the queue's role must not read."""
ROLES = ("glaze_app", "glaze_queue")


@pytest.fixture
def owner(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set search_path = glaze")
        yield conn


def tables(owner: Connection) -> list[dict]:
    return owner.execute(
        "select c.oid, c.relname as name, c.relrowsecurity, c.relforcerowsecurity,"
        " pg_get_userbyid(c.relowner) as owner,"
        " exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id')"
        "   as has_workspace"
        " from pg_class c where c.relnamespace = 'glaze'::regnamespace and c.relkind in ('r', 'p')"
    ).fetchall()


def test_every_table_has_forced_policies_but_for_the_fleets_own(owner: Connection):
    found = tables(owner)
    assert len(found) > 20
    for table in found:
        protected = table["relrowsecurity"] and table["relforcerowsecurity"]
        policies = owner.execute(
            "select roles::text[] as roles, qual, with_check, cmd from pg_policies"
            " where schemaname = 'glaze' and tablename = %s",
            (table["name"],),
        ).fetchall()
        if table["name"] in FLEET_TABLES:
            assert not table["has_workspace"], table["name"]
            continue
        assert protected, table["name"]
        for_app = [p for p in policies if "glaze_app" in p["roles"] or "public" in p["roles"]]
        assert len(for_app) == 1, table["name"]
        assert "current_workspace()" in for_app[0]["qual"], table["name"]


def test_the_roles_own_nothing_and_stand_above_nothing(owner: Connection):
    for role in ROLES:
        (row,) = owner.execute(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,"
            " (select count(*) from pg_class where relowner = r.oid) as owned,"
            " (select count(*) from pg_auth_members where member = r.oid) as member_of"
            " from pg_roles r where rolname = %s",
            (role,),
        ).fetchall()
        assert not any(row.values()), (role, row)


def test_no_view_and_no_function_but_the_search_for_words_lends_its_owners_rights(
    owner: Connection,
):
    lending = owner.execute(
        "select proname, proconfig[1] as path, array(select r from unnest(array['public', 'glaze_app',"
        " 'glaze_queue']) r where has_function_privilege(r, p.oid, 'execute')) as callers"
        " from pg_proc p where pronamespace = 'glaze'::regnamespace and prosecdef order by 1"
    ).fetchall()
    pinned = "search_path=glaze, pg_catalog, pg_temp"
    assert lending == [
        {"proname": "indexed_jobs", "path": pinned, "callers": []},
        {"proname": "search_jobs", "path": pinned, "callers": ["glaze_app"]},
    ]
    views = "select relname from pg_class where relnamespace = 'glaze'::regnamespace and relkind in ('v', 'm')"
    assert not owner.execute(views).fetchall()


def test_a_search_for_words_finds_nothing_of_another_workspace(dsn: str, owner: Connection):
    owner.execute("insert into workspace (id, name) values (2, 'theirs')")
    for workspace in (1, 2):
        owner.execute(
            "with made as (insert into job (workspace_id, kind, state, rank, due_at)"
            " select %s, 'k', 'pending', now(), now() from generate_series(1, 3) returning id)"
            ' insert into job_args select %s, id, \'{"q": "acme.com Jané"}\' from made',
            (workspace, workspace),
        )
    own = {row["id"] for row in owner.execute("select id from job where workspace_id = 2")}
    with psycopg.connect(role_dsn(dsn, "glaze_app"), autocommit=True) as conn:
        for most in (3, 100, None):  # by the latest, by the index, all
            for asked in ("acme", "jané", "ws/1", "acme.com jan", "' | '' 1'':*"):
                with conn.transaction():
                    conn.execute("select set_config('glaze.workspace', '2', true)")
                    found = conn.execute(
                        "select search_jobs(%s, 9223372036854775807, %s)", (asked, most)
                    ).fetchall()
                strange = {row[0] for row in found} - own
                assert not strange, asked
                assert (not found) == ("1" in asked), asked
        nowhere = conn.execute("select search_jobs('acme', 9223372036854775807, 100)").fetchall()
        assert nowhere == []


def _fill(owner: Connection, workspace: int, name: str) -> None:
    """Put a row of ``workspace`` into every table, past all constraints but types."""
    owner.execute(
        "insert into workspace (id, name) values (%s, %s) on conflict do nothing", (workspace, name)
    )
    owner.execute("set session_replication_role = replica")  # foreign keys are not the matter here
    for table in tables(owner):
        if not table["has_workspace"]:
            continue
        columns = owner.execute(
            "select attname, format_type(atttypid, null) as type,"
            " (select enumlabel from pg_enum where enumtypid = atttypid order by enumsortorder limit 1) as label"
            " from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped"
            " and attnotnull and not atthasdef and attidentity = ''",
            (table["oid"],),
        ).fetchall()
        values = {c["attname"]: c["label"] or _SAMPLE[c["type"]] for c in columns}
        values |= {"workspace_id": workspace} | _SPECIAL.get(table["name"], {})
        owner.execute(
            sql.SQL("insert into {} ({}) overriding system value values ({})").format(
                sql.Identifier(table["name"]),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(map(sql.Literal, values.values())),
            )
        )
    owner.execute("set session_replication_role = origin")


_SAMPLE = {
    "double precision": 1.5,
    "bigint": 1,
    "xid8": "1",
    "integer": 1,
    "smallint": 1,
    "text": "x",
    "bytea": b"x",
    "jsonb": "{}",
    "timestamp with time zone": "2026-01-01",
    "boolean": False,
    "text[]": "{x}",
}
_SPECIAL = {
    "job": {"state": "pending"},
    "budget": {"scope_key": "mine"},
    "job_edge": {"parent_id": 1},
    "saved_view": {"list": "jobs"},
    "erasure": {"traits": "{}"},
    "member": {"email": "a@b.c", "role": "viewer"},
    "invitation": {"email": "a@b.c", "role": "viewer"},
}


def test_a_workspace_sees_and_changes_no_row_of_another_in_any_table(owner: Connection, dsn: str):
    _fill(owner, 2, "theirs")
    with psycopg.connect(role_dsn(dsn, "glaze_app"), row_factory=tuple_row) as mine:
        for setting in ("1", "", None):
            mine.rollback()
            if setting is not None:
                mine.execute("select set_config('glaze.workspace', %s, false)", (setting,))
            for table in tables(owner):
                if not table["has_workspace"]:
                    continue
                name = sql.Identifier(table["name"])
                where = sql.SQL("from {} where workspace_id = 2").format(name)
                seen = mine.execute(sql.SQL("select count(*) {}").format(where)).fetchone()
                assert seen == (0,), table["name"]
                for change in (
                    sql.SQL("delete {}").format(where),
                    sql.SQL("update {} set workspace_id = 1 where workspace_id = 2").format(name),
                ):
                    assert _rows_touched(mine, change) == 0, table["name"]
        assert mine.execute("select count(*) from workspace where id = 2").fetchone() == (0,)


def _rows_touched(conn: Connection, change: sql.Composed) -> int:
    """Return how many rows a change reached; none where the role may not change the table."""
    try:
        with conn.transaction():
            return conn.execute(change).rowcount
    except psycopg.errors.InsufficientPrivilege:
        return 0


def test_a_workspace_cannot_write_into_another(owner: Connection, dsn: str):
    _fill(owner, 2, "theirs")
    with psycopg.connect(role_dsn(dsn, "glaze_app"), autocommit=True) as mine:
        mine.execute("select set_config('glaze.workspace', '1', false)")
        for statement in (
            "insert into event (workspace_id, type) values (2, 'forged')",
            "insert into entity (workspace_id, kind) values (2, 'company')",
            "insert into budget (workspace_id, scope, scope_key, cap_micros) values (2, 'job', '9', 1)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                mine.execute(statement.encode())


@pytest.mark.parametrize(("table", "column"), HIDDEN_FROM_QUEUE.items())
def test_the_queues_role_reads_no_personal_data(dsn: str, table: str, column: str):
    read = sql.SQL("select {} from {}").format(sql.Identifier(column), sql.Identifier(table))
    with (
        psycopg.connect(role_dsn(dsn, "glaze_queue"), autocommit=True) as queue,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        queue.execute(read)


def test_every_table_of_a_workspace_is_judged_for_the_queues_role(owner: Connection):
    readable = {"job", "job_edge", "dead_alert"}
    names = {t["name"] for t in tables(owner)} - FLEET_TABLES
    assert names == set(HIDDEN_FROM_QUEUE) | readable


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("way_out", ["reset role", "reset all", "discard all"])
def test_no_reset_leads_out_of_the_role(dsn: str, role: str, way_out: str):
    with psycopg.connect(role_dsn(dsn, role), autocommit=True) as conn:
        conn.execute(way_out.encode())
        assert conn.execute("select current_user").fetchone() == (role,)


async def test_the_login_of_a_running_process_is_nobody_without_its_role(dsn: str):
    login = await runtime_login(dsn)
    with psycopg.connect(role_dsn(login, "glaze_app"), autocommit=True) as conn:
        conn.execute("set glaze.workspace = '1'")
        assert conn.execute("select count(*) from workspace").fetchone() == (1,)
        conn.execute("set role none")
        for statement in ("select * from glaze.workspace", "set role glaze_migrate"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
