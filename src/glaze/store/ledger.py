"""The ledger: questions, calls, requests, answers and budgets, each step one transaction."""

import base64
import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from psycopg import errors
from psycopg.types.json import Jsonb

from glaze.errors import CommitUnknown, StoreRefused, StoreUnavailable
from glaze.model.ledger import (
    Allowance,
    Awaited,
    Blocked,
    Doubtful,
    Grant,
    InFlight,
    Intent,
    Known,
    Look,
    Overrun,
    Refusal,
    Refused,
    RequestFacts,
    Reserved,
    Settlement,
    Spend,
    Unasked,
)
from glaze.model.provider import Page, Verdict
from glaze.model.value import BatchId, CallId, JobId, Micros, RequestId, WorkspaceId
from glaze.store.batch_spend import BatchSpend
from glaze.store.budget import BudgetCap, StandingCaps
from glaze.store.budget import ensure as ensure_budgets
from glaze.store.database import Connection, Database
from glaze.store.entity import hold_homes
from glaze.store.ledger_rows import new_call, new_request, question_rows, settle_params
from glaze.store.statements import statements

_sql = statements("ledger")


class _OverCap(Exception):
    """The money does not fit into a budget; the transaction is rolled back."""

    def __init__(self, payers: Sequence[int]) -> None:
        """``payers`` are the places, in order, of the intents that budget would have paid for."""
        super().__init__()
        self.payers = payers


@dataclass(frozen=True, slots=True)
class Sealed:
    """The intents that one request will carry, and how long it may take, in seconds."""

    intents: Sequence[Intent]
    deadline_s: float


Granting = list[Grant] | Doubtful
"""What became of one request's intents; doubtful where the COMMIT got no answer."""


class LedgerStore:
    """Reads and writes of the ledger. Every method is one transaction of one workspace."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def hash_key(self, workspace_id: WorkspaceId) -> bytes:
        """Return the key under which this workspace's personal data is hashed."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["hash_key"])).fetchone()
        if row is None:
            raise LookupError(f"workspace {workspace_id} does not exist")
        return bytes(row["hash_key"])

    async def look(self, workspace_id: WorkspaceId, intents: Sequence[Intent]) -> list[Look]:
        """Tell for each intent whether it is answered, under way, blocked or unasked."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "look", questions=question_rows(intents))
            rows = await _expire(conn, rows)
        by_ord = {row["ord"]: row for row in rows}
        return [_judge(by_ord[i], intent) for i, intent in enumerate(intents)]

    async def reserve(self, workspace_id: WorkspaceId, sealed: Sequence[Sealed]) -> list[Granting]:
        """Record intents and their reservations; commit before anything is sent.

        The group is one transaction. Where its sum does not fit a budget, each request is tried
        by itself, so that one that fits is not refused for its neighbour.
        """
        try:
            return await self._reserve(workspace_id, sealed)
        except _OverCap as over:
            if len(sealed) > 1:
                return await self._reserve_apart(workspace_id, sealed)
            return [await self._reserve_one_by_one(workspace_id, sealed[0], over)]

    async def _reserve_apart(
        self, workspace_id: WorkspaceId, sealed: Sequence[Sealed]
    ) -> list[Granting]:
        """Reserve each request by itself; the database may go away after some, which stand and are sent."""
        granted: list[Granting] = []
        for one in sealed:
            try:
                granted += await self.reserve(workspace_id, [one])
            except StoreUnavailable:
                if not granted:
                    raise
                granted.append(Doubtful((), ""))
        return granted

    async def _reserve(self, workspace_id: WorkspaceId, sealed: Sequence[Sealed]) -> list[Granting]:
        recorded: list[dict[str, Any]] = []
        try:
            async with self._db.workspace(workspace_id) as conn:
                return [*await _reserve(conn, sealed, recorded)]
        except CommitUnknown:
            if not recorded:
                raise
            xid = recorded[0]["xid"]
            whole = Doubtful(tuple(CallId(row["call_id"]) for row in recorded), xid)
            return [whole, *[Doubtful((), xid)] * (len(sealed) - 1)]

    async def _reserve_one_by_one(
        self, workspace_id: WorkspaceId, sealed: Sealed, over: _OverCap
    ) -> Granting:
        """Keep as many of a request's intents as fit, in order; leave out only whom no money is left for."""
        granted: list[Grant] = [Refused(Refusal.BUDGET)] * len(sealed.intents)
        fits = [*range(len(sealed.intents))]
        while True:
            del fits[over.payers[-1]]
            if not fits:
                return granted
            left = replace(sealed, intents=[sealed.intents[place] for place in fits])
            try:
                (some,) = await self._reserve(workspace_id, [left])
            except _OverCap as still:
                over = still
                continue
            if isinstance(some, Doubtful):
                return some
            for place, grant in zip(fits, some, strict=True):
                granted[place] = grant
            return granted

    async def committed(self, xid: str) -> bool:
        """Tell whether the transaction ``xid`` was committed.

        Raises: StoreUnavailable also while it has not ended.
        """
        async with self._db.fleet() as conn:
            row = await (await conn.execute(_sql["xact_status"], {"xid": xid})).fetchone()
        status = row and row["status"]
        if status == "in progress":
            raise StoreUnavailable("a transaction whose connection was lost has not ended yet")
        return bool(status == "committed")

    async def settle(
        self,
        workspace_id: WorkspaceId,
        requests: Sequence[RequestFacts],
        settlements: Sequence[Settlement],
        *,
        provider_of: Mapping[CallId, str],
        hash_key: bytes,
    ) -> list[Overrun]:
        """Record what became of calls: price, raw answer, observations, release of the rest.

        A price above the reservation is never refused, but booked as overrun. Returns the requests
        that billed more than was reserved for all of their calls: their prices are paused now.

        Raises: StoreRefused where a value cannot be stored; then nothing of the group is.
        """
        params = settle_params(requests, settlements, provider_of, hash_key)
        try:
            async with self._db.workspace(workspace_id) as conn:
                await hold_homes(conn, {e for s in settlements for e in s.entities.values()})
                rows = await _fetch(conn, "settle", **params)
        except (errors.DataError, errors.IntegrityError, errors.OperationalError) as error:
            raise StoreRefused(f"a settlement cannot be stored: {type(error).__name__}") from error
        return [Overrun(**row) for row in rows]

    async def allowance(
        self,
        workspace_id: WorkspaceId,
        caps: Sequence[BudgetCap],
        defaults: StandingCaps | None = None,
    ) -> Allowance:
        """Return what may be spent under ``caps`` and the workspace's standing ones.

        ``defaults`` are standing caps that hold where the workspace set none of its own.
        """
        async with self._db.workspace(workspace_id) as conn:
            return await ensure_budgets(conn, caps, defaults or {})

    async def pages(self, workspace_id: WorkspaceId, call_id: CallId) -> tuple[Page, ...]:
        """Return the pages that came with a settled call, for inference to quote."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["answer"], {"call": call_id})).fetchone()
        if row is None:
            return ()
        kept = json.loads(zlib.decompress(bytes(row["body"])))
        return tuple(Page(url=page["url"], text=page["text"]) for page in kept["pages"])

    async def raw(self, workspace_id: WorkspaceId, call_id: CallId) -> bytes | None:
        """Return a settled call's answer as it came, None where it is not kept."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["answer"], {"call": call_id})).fetchone()
        if row is None:
            return None
        kept = json.loads(zlib.decompress(bytes(row["body"])))
        return base64.b64decode(kept["raw"])

    async def spend_of_jobs(
        self, workspace_id: WorkspaceId, jobs: Sequence[JobId]
    ) -> dict[JobId, Spend]:
        """Return what each job caused so far; a job without calls is left out."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "spend_of_jobs", jobs=sorted(set(jobs)))
        by_job: dict[JobId, dict[str, Micros]] = defaultdict(dict)
        unknown: dict[JobId, dict[str, Micros]] = defaultdict(dict)
        for row in rows:
            by_job[row["job_id"]][row["provider"]] = Micros(row["price_micros"])
            unknown[row["job_id"]][row["provider"]] = Micros(row["unknown_micros"])
        return {job: Spend(paid, unknown[job]) for job, paid in by_job.items()}

    async def asked_by_job(self, workspace_id: WorkspaceId, job_id: JobId) -> frozenset[str]:
        """Return the full names of the operations whose answers this job has bought, or may have."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "asked_by_job", job=job_id)
        return frozenset(row["operation"] for row in rows)

    async def spend_of_batch(
        self, workspace_id: WorkspaceId, batch_id: BatchId
    ) -> list[dict[str, Any]]:
        """Return a row a provider: calls, matches, price_micros, unknown_micros, unknown_calls."""
        return await self.batch_spend(workspace_id, batch_id).look()

    def batch_spend(self, workspace_id: WorkspaceId, batch_id: BatchId) -> BatchSpend:
        """Return what sums a batch up for whoever looks more than once."""
        return BatchSpend(self._db, workspace_id, batch_id)

    async def times_told_to_wait(
        self, workspace_id: WorkspaceId, job_id: JobId, call_id: CallId
    ) -> int:
        """Return how often this job was told to wait for what this call was told to wait for."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "told_to_wait", job=job_id, call=call_id)
        return int(rows[0]["times"])


async def _fetch(conn: Connection, name: str, **params: object) -> list[dict[str, Any]]:
    return await (await conn.execute(_sql[name], params)).fetchall()


async def _expire(conn: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Move calls past their deadline out of ``sending``, and show them so."""
    sending = [row["call_id"] for row in rows if row["state"] == "sending"]
    if not sending:
        return rows
    expired = {row["id"]: row["state"] for row in await _fetch(conn, "expire_calls", calls=sending)}
    return [row | {"state": expired.get(row["call_id"], row["state"])} for row in rows]


def _judge(row: Mapping[str, Any], intent: Intent) -> Look:
    """Say what the question's current call means for this asker."""
    match row["state"]:
        case "sending":
            return InFlight(row["deadline"])
        case "pending_vendor":
            return Awaited(row["poll_in_s"] or 0.0)
        case "unknown":
            return Blocked(CallId(row["call_id"]))
        case "settled" if _fresh(row, intent) and _covers(row, intent):
            return Known(CallId(row["call_id"]), row["verdict"] or "", row["detail"] or "")
        case "not_billed":
            return Unasked(in_vain=bool(row["handle"]) and row["job_id"] == intent.asker.job_id)
        case _:
            return Unasked()


def _fresh(row: Mapping[str, Any], intent: Intent) -> bool:
    if row["verdict"] == Verdict.SUPPRESSED:
        return True  # a person's objection does not age, and no caller may pass it over
    matched = row["verdict"] == Verdict.MATCH
    after: datetime | None = intent.asker.fresh_after if matched else intent.asker.miss_fresh_after
    return after is None or row["settled_at"] >= after


def _covers(row: Mapping[str, Any], intent: Intent) -> bool:
    """Say whether everything that is wanted was asked already, found or not."""
    return not intent.by_field or set(intent.wanted) <= set(row["covered"])


async def _reserve(
    conn: Connection, sealed: Sequence[Sealed], recorded: list[dict[str, Any]]
) -> list[list[Grant]]:
    """Reserve within one transaction; ``recorded`` is given what it will leave once committed."""
    flat = [intent for one in sealed for intent in one.intents]
    questions = {"questions": question_rows(flat)}
    subjects = list({s for intent in flat for s in intent.asker.subjects})
    jobs = sorted({intent.asker.job_id for intent in flat})
    # No result is asked for in between: all of these are one round trip.
    held = await conn.execute(_sql["hold_jobs"], {"jobs": jobs})
    barred = await conn.execute(_sql["suppressed"], {"subjects": subjects})
    passed = await conn.execute(_sql["paused_prices"])
    await conn.execute(_sql["make_questions"], questions)
    await conn.execute(_sql["lock_questions"], questions)
    seen = await conn.execute(_sql["look"], questions)
    jobs_held = {row["id"]: row for row in await held.fetchall()}
    suppressed = {bytes(row["key_hash"]) for row in await barred.fetchall()}
    billed = {
        (row["provider"], row["operation"]): row["billed_micros"] for row in await passed.fetchall()
    }
    rows = await _expire(conn, await seen.fetchall())
    grants: list[Grant | None] = []
    to_send: dict[int, dict[str, Any]] = {}
    taken: set[int] = set()
    for row, intent in zip(rows, flat, strict=True):
        grant = (
            _refusal(jobs_held, suppressed, intent)
            or _already(row, intent, taken)
            or _passed(billed, intent)
        )
        if grant is None:
            taken.add(row["question_id"])
            to_send[row["ord"]] = row
        grants.append(grant)
    if to_send:
        recorded += await _record(conn, sealed, flat, to_send, grants)
    return _unflatten([grant for grant in grants if grant is not None], sealed)


def _already(row: Mapping[str, Any], intent: Intent, taken: set[int]) -> Grant | None:
    """Say why the question need not be sent, None where it may be."""
    seen = _judge(row, intent)
    if not isinstance(seen, Unasked):
        return seen
    return InFlight(None) if row["question_id"] in taken else None  # its twin in this group goes


def _refusal(
    held: Mapping[int, Mapping[str, Any]], suppressed: set[bytes], intent: Intent
) -> Refused | None:
    """Check lease token, cancellation, batch state and the suppression list."""
    why = _why_not(held.get(intent.asker.job_id), intent)
    if why is None and suppressed.intersection(intent.asker.subjects):
        why = Refusal.SUPPRESSED
    return None if why is None else Refused(why)


def _passed(billed: Mapping[tuple[str, str], int], intent: Intent) -> Refused | None:
    """Refuse a price that the vendor is known to have passed."""
    question = intent.question
    most = billed.get((question.provider, question.operation), 0)
    return Refused(Refusal.PRICE) if intent.price_micros < most else None


def _why_not(job: Mapping[str, Any] | None, intent: Intent) -> Refusal | None:
    token = intent.asker.token
    if job is None or (job["worker_id"], job["claim_no"]) != (token.worker_id, token.claim_no):
        return Refusal.STALE
    if not job["lease_holds"]:
        return Refusal.STALE
    if job["cancel_requested"] or job["batch_state"] == "cancelled":
        return Refusal.CANCELLED
    return Refusal.PAUSED if job["batch_state"] == "paused" else None


async def _record(
    conn: Connection,
    sealed: Sequence[Sealed],
    flat: Sequence[Intent],
    to_send: Mapping[int, Mapping[str, Any]],
    grants: list[Grant | None],
) -> list[dict[str, Any]]:
    """Insert requests and calls, advance the questions, take the money: the intent itself."""
    request_of = [index for index, one in enumerate(sealed) for _ in one.intents]
    ordered = sorted(to_send)
    requests = [
        new_request(
            index,
            flat[members[0]],
            calls=len(members),
            deadline_s=sealed[index].deadline_s,
        )
        for index, members in _grouped(ordered, request_of)
    ]
    calls = [new_call(request_of[i], flat[i], to_send[i]) for i in ordered]
    params = {"requests": Jsonb(requests), "calls": Jsonb(calls)}
    recorded = await _fetch(conn, "record_intents", **params)
    by_question = {row["question_id"]: row for row in recorded}
    for i in ordered:
        row = by_question[to_send[i]["question_id"]]
        grants[i] = Reserved(CallId(row["call_id"]), RequestId(row["request_id"]))
    sums: dict[int, int] = defaultdict(int)
    for i in ordered:
        for budget in flat[i].budgets:
            sums[budget] += flat[i].price_micros
    reserved = [{"id": id_, "micros": micros} for id_, micros in sorted(sums.items()) if micros]
    if reserved:
        await conn.execute(_sql["lock_budgets"], {"budgets": Jsonb(reserved)})
        fit = await _fetch(conn, "reserve_budgets", budgets=Jsonb(reserved))
        full = {one["id"] for one in reserved} - {row["id"] for row in fit}
        if full:
            paid = (i for i in ordered if flat[i].price_micros)
            raise _OverCap([i for i in paid if full.intersection(flat[i].budgets)])
    return recorded


def _grouped(ordered: Sequence[int], request_of: Sequence[int]) -> list[tuple[int, list[int]]]:
    return [(k, list(members)) for k, members in groupby(ordered, key=request_of.__getitem__)]


def _unflatten(grants: Sequence[Grant], sealed: Sequence[Sealed]) -> list[list[Grant]]:
    rest = iter(grants)
    return [[next(rest) for _ in one.intents] for one in sealed]
