"""The tables of a migrated database, for docs/schema.md; ``python -m tests.docs.schema`` writes them anew."""

import asyncio
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from glaze.store.embedded import ensure_server
from glaze.store.migrate import migrate
from tests.docs.reading import ROOT
from tests.docs.tables import replaced, table

PATH = "docs/schema.md"
MIGRATIONS = ROOT / "src" / "glaze" / "store" / "migrations"

PURPOSES = {
    "answer": "What a vendor answered to one call, raw and compressed, so that it can be read again for nothing.",
    "api_key": "Keys of the API, as hashes, with scopes and expiry.",
    "fresh_time": "How long values stay fresh for the workspace, by field; '' is every one without a longer time of its own.",
    "asking_rule": "How the workspace has its jobs ask, by kind and field: whom first, how sure, who may be asked.",
    "audit": "Who changed what, when.",
    "batch": "A file or a table of rows: the settings that all share, and how far they are.",
    "batch_row": "One row of a batch: its input, its state, and where its result is.",
    "budget": "A cap of one job, batch, day or month, with what is reserved and spent below it.",
    "calibration": "How often each source was right, and so how far it is believed.",
    "call": "One question that was sent to a vendor: why, at what price, and what came of it. With `question` it is the ledger.",
    "callback": "What vendors told of calls that they answer later; each body once.",
    "circuit": "Providers that fail now and are left alone, for the whole fleet.",
    "credit": "What a workspace may still spend on searches.",
    "credit_entry": "What came into the credit and what went out of it.",
    "data_key": "What a workspace's vendor keys are encrypted by, itself encrypted.",
    "dead_alert": "When somebody was last told that many jobs of a kind die.",
    "decision": "What a person decided of a field: confirmed, chose, corrected, locked.",
    "entity": "A company or a person that was asked about.",
    "entity_field": "The winner of each field, derived from the observations: the cache.",
    "entity_key": "Domains, addresses, profiles and the caller's own ids; each leads to one entity.",
    "erasure": "People who are to be erased, and how far that is.",
    "event": "What happened to jobs, batches and schedules: job log and live feed in one.",
    "event_horizon": "How far back the events go, since older ones are deleted.",
    "icp": "The ideal customer profile.",
    "icp_score": "How well each entity fits the profile.",
    "idempotency_key": "Keys that callers sent with their requests, so that a repeated request makes one job.",
    "invitation": "Invitations to sign in, each of which counts once.",
    "job": "Every job, from the queue to its end: queue and record in one. Narrow; arguments and results are beside it.",
    "job_args": "A job's arguments, written once.",
    "job_callback": "What jobs wait to be told from outside, and what they were told.",
    "job_edge": "Which job waits for which.",
    "job_tag": "The tags of jobs as rows, so that an index finds them.",
    "login_attempt": "Who tried to sign in, so that guessing is slowed down.",
    "member": "Who may sign in to the dashboard.",
    "observation": "What one source stated once of one field; never changed.",
    "paused_price": "Prices that a vendor has passed: nothing is asked at them until somebody says so.",
    "payment": "Payments for searches, each event once.",
    "question": "One logical question, asked once for all who have it; an unknown call blocks it.",
    "queue": "Queues that are paused or otherwise set; others have no row.",
    "rate_slot": "Rate limits, a row for each call that a window allows, for the whole fleet.",
    "record": "The callers' own leads, accounts and contacts.",
    "result": "Results of jobs and rows, written once.",
    "retention": "For how long a workspace keeps things, where it differs from the settings.",
    "saved_view": "Lists of jobs that people saved.",
    "schedule": "Jobs that recur.",
    "schema_migration": "Which migrations have been applied.",
    "search": "People or companies by criteria, what they cost, and how far the enrichment is.",
    "seat_claim": "Which processes want how many calls under way at a vendor.",
    "session": "Sessions of members, as hashes.",
    "spend_cap": "Caps that come again each day or month.",
    "suppression": "People about whom nothing is bought or kept, as hashes.",
    "vendor_key": "Workspaces' own keys at vendors, encrypted.",
    "vendor_request": "One HTTP exchange with a vendor; it may carry many calls.",
    "vendor_room": "What vendors say is left of their limits and credits.",
    "vendor_seat": "Calls that are under way at a vendor, by process and lease.",
    "webhook": "Endpoints that are told what happens.",
    "webhook_attempt": "Each try to tell an endpoint, and how it ended.",
    "webhook_delivery": "What an endpoint was told, or is to be.",
    "webhook_feed": "How far the events were looked through for an endpoint.",
    "worker": "Worker processes and their leases.",
    "workflow": "Graphs of jobs that were enqueued as one.",
    "workspace": "The tenants.",
}

COMMON = {
    "workspace_id": "the workspace that it belongs to",
    "id": "its number",
    "batch_id": "the batch that it belongs to",
    "job_id": "the job that it belongs to",
    "worker_id": "the worker that holds it",
    "entity_id": "whom it is about",
    "call_id": "the call that it came from",
    "question_id": "what was asked",
    "request_id": "the exchange that it travelled in",
    "workflow_id": "the workflow that it belongs to",
    "search_id": "the search that it is about",
    "result_id": "where the result is",
    "row_no": "the row of the batch, from 1",
    "provider": "the provider's name",
    "operation": "which of the provider's operations",
    "credential": "which key pays",
    "field": "name of the canonical field",
    "value": "the field's value",
    "confidence": "how sure, 0 to 100",
    "kind": "of what kind it is",
    "queue": "the queue that it waits in",
    "state": "where it stands",
    "name": "its name",
    "total": "rows in all",
    "completed": "rows that ended so",
    "partial": "rows that ended so",
    "failed": "rows that ended so",
    "cancelled": "rows that ended so",
    "priority": "1, the most urgent, to 5",
    "max_attempts": "attempts at most",
    "error": "why it failed",
    "url": "the address",
    "actor": "who did it",
    "set_at": "when it was set",
    "created_at": "when it was made",
    "created_by": "who made it",
    "started_at": "when it began",
    "finished_at": "when it ended",
    "ended_at": "when it ended",
    "settled_at": "when it was settled",
    "sent_at": "when it was sent",
    "answered_at": "when the answer came",
    "paid_at": "when it was paid",
    "expires_at": "from then on it counts no more",
    "revoked_at": "from then on it counts no more",
    "cancelled_at": "when it was cancelled",
    "retrieved_at": "when the source said so",
    "at": "when",
    "correlation_id": "what its log lines have in common",
    "cap_micros": "the cap",
    "reserved_micros": "reserved of it now",
    "spent_micros": "spent of it",
    "price_micros": "what it did cost",
    "cost_micros": "what it did cost",
    "tags": "the caller's labels",
    "type": "what happened",
    "paused_at": "since when it is paused",
    "detail": "more about it",
    "arrived_at": "when it arrived",
    "updated_at": "when it was last changed",
    "role": "what the member may do",
    "email": "the address that signs in",
    "due_at": "when it is due",
    "args": "the arguments",
    "webhook_url": "who is told of its end",
    "generation": "how many times it was asked",
    "key": "what it is known by",
    "data": "more about it",
}
"""What a column holds in whatever table, where the migrations say nothing more."""

_TABLES = """
select c.oid, c.relname, c.relrowsecurity from pg_class c
where c.relnamespace = 'glaze'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
order by c.relname"""
_COLUMNS = """
select attname, format_type(atttypid, atttypmod), attnotnull,
  (select array_agg(enumlabel::text order by enumsortorder) from pg_enum where enumtypid = atttypid)
from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped order by attnum"""
_INDEXES = """
select c.relname, i.indisprimary, i.indisunique, pg_get_indexdef(i.indexrelid) from pg_index i
join pg_class c on c.oid = i.indexrelid where i.indrelid = %s
order by not i.indisprimary, not i.indisunique, c.relname"""
_REFERENCES = """
select distinct c.relname from pg_constraint f join pg_class c on c.oid = f.confrelid
where f.conrelid = %s and f.contype = 'f' order by c.relname"""

_COLUMN = re.compile(r"^\s*(?:alter table \w+ )?(?:add column )?(\w+) +[^,\s].*?--\s*(.+)$")


def schema(dsn: str) -> str:
    """Return every table of the migrated database at ``dsn`` with columns and indexes.

    Raises: LookupError for a table of which nobody has said what it is for.
    """
    said = remarks()
    with psycopg.connect(dsn, options="-c search_path=glaze") as conn:
        return "\n\n".join(
            "\n\n".join(_one(conn, said, *found)) for found in conn.execute(_TABLES).fetchall()
        )


def remarks() -> dict[tuple[str, str], str]:
    """Return what the migrations say of columns, by table and column."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(MIGRATIONS.glob("*.sql")):
        within, above = "", ""
        for line in path.read_text("utf-8").splitlines():
            begins = re.match(r"(?:create|alter) table (\w+)", line)
            within = begins[1] if begins else within
            if line.lstrip().startswith("--"):
                above = f"{above} {line.strip(' -')}".strip() if within else ""
                continue
            column = re.match(r"\s*(?:alter table \w+ )?(?:add column )?(\w+) ", line)
            beside = _COLUMN.match(line)
            if within and line.count("add column") < 2 and beside:
                found[within, beside[1]] = beside[2]
            elif within and not begins and column and above:
                found[within, column[1]] = above
            above = ""
            if line.partition("--")[0].rstrip().endswith(";"):
                within = ""
    return found


def _one(
    conn: psycopg.Connection[TupleRow],
    said: dict[tuple[str, str], str],
    oid: int,
    name: str,
    secured: bool,
) -> Iterator[str]:
    if name not in PURPOSES:
        raise LookupError(f"say in {Path(__file__).name} what the table {name} is for")
    whose = "" if secured else " Of the whole fleet: no workspace, no row level security."
    yield f"### {name}"
    yield PURPOSES[name] + whose
    yield table(
        ("column", "type", "what it holds"),
        (
            (f"`{column}`", _type(kind, must), _holds(said.get((name, column)), column, values))
            for column, kind, must, values in conn.execute(_COLUMNS, (oid,)).fetchall()
        ),
    )
    indexes = [_index(*row) for row in conn.execute(_INDEXES, (oid,)).fetchall()]
    leads = [f"`{row[0]}`" for row in conn.execute(_REFERENCES, (oid,)).fetchall()]
    lines = [f"- {index}" for index in indexes]
    if leads:
        lines.append("- refers to " + ", ".join(leads))
    yield "\n".join(lines)


def _type(kind: str, must: bool) -> str:
    short = kind.replace("timestamp with time zone", "timestamptz")
    return short if must else f"{short}, or null"


def _holds(said: str | None, column: str, values: list[str] | None) -> str:
    told = said or COMMON.get(column, "")
    if values is not None:
        told = f"{told}: " * bool(told) + ", ".join(f"`{value}`" for value in values)
    return told.replace("|", "\\|")


def _index(name: str, primary: bool, unique: bool, definition: str) -> str:
    what = "primary key" if primary else "unique index" if unique else "index"
    on = re.sub(r"^CREATE .*? USING ", "", definition).removeprefix("btree ")
    return f"{what} `{name}`: `{on}`"


def write() -> None:
    """Bring the tables in the guide up to date, from an empty database of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lease = ensure_server(Path(folder) / "data", unsafe_fast=True, idle_s=1)
        try:
            asyncio.run(migrate(lease.dsn))
            fresh = schema(lease.dsn)
        finally:
            lease.release()
    path = ROOT / PATH
    path.write_text(replaced(path.read_text("utf-8"), "tables", fresh), "utf-8")


if __name__ == "__main__":
    write()
