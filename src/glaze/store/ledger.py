"""The ledger: questions, calls, requests, answers and budgets, each step one transaction."""

import base64
import hashlib
import hmac
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

from glaze.model.field import FIELDS
from glaze.model.ledger import (
    Blocked,
    CallEnd,
    Grant,
    InFlight,
    Intent,
    Known,
    Look,
    QuestionKey,
    Refusal,
    Refused,
    RequestFacts,
    Reserved,
    Settlement,
    Spend,
    Unasked,
)
from glaze.model.provider import Page, Verdict
from glaze.model.value import BatchId, BudgetId, CallId, JobId, Micros, RequestId, WorkspaceId
from glaze.store.database import Connection, Database
from glaze.store.statements import statements
from glaze.store.text import storable

_sql = statements("ledger")


@dataclass(frozen=True, slots=True)
class Sealed:
    """The intents that one request will carry, and how long it may take, in seconds."""

    intents: Sequence[Intent]
    deadline_s: float


@dataclass(frozen=True, slots=True)
class BudgetCap:
    """A budget by its scope (job, batch, workspace_day, provider_month) and key."""

    scope: str
    scope_key: str
    cap_micros: Micros


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
            rows = await _fetch(conn, "look", questions=_questions(intents))
            rows = await _expire(conn, rows)
        by_ord = {row["ord"]: row for row in rows}
        return [_judge(by_ord[i], intent) for i, intent in enumerate(intents)]

    async def reserve(
        self, workspace_id: WorkspaceId, sealed: Sequence[Sealed]
    ) -> list[list[Grant]]:
        """Record intents and their reservations; commit before anything is sent.

        The group is one transaction. Where its sum does not fit a budget, each request is tried
        by itself, so that one that fits is not refused for its neighbour.
        """
        try:
            async with self._db.workspace(workspace_id) as conn:
                return await _reserve(conn, sealed)
        except errors.CheckViolation:
            if len(sealed) > 1:
                return [(await self.reserve(workspace_id, [one]))[0] for one in sealed]
            return [await self._reserve_one_by_one(workspace_id, sealed[0])]

    async def _reserve_one_by_one(self, workspace_id: WorkspaceId, sealed: Sealed) -> list[Grant]:
        if len(sealed.intents) == 1:
            return [Refused(Refusal.BUDGET)]
        # A bulk request that does not fit whole: keep as many as do, in order.
        fits = list(sealed.intents)
        while fits:
            fits.pop()
            try:
                async with self._db.workspace(workspace_id) as conn:
                    granted = (await _reserve(conn, [replace(sealed, intents=fits)]))[0]
            except errors.CheckViolation:
                continue
            rest: list[Grant] = [Refused(Refusal.BUDGET)] * (len(sealed.intents) - len(fits))
            return [*granted, *rest]
        return [Refused(Refusal.BUDGET)] * len(sealed.intents)

    async def settle(
        self,
        workspace_id: WorkspaceId,
        requests: Sequence[RequestFacts],
        settlements: Sequence[Settlement],
        *,
        provider_of: Mapping[CallId, str],
        hash_key: bytes,
    ) -> None:
        """Record what became of calls: price, raw answer, observations, release of the rest.

        Never refused: a price above the reservation is booked as overrun.
        """
        async with self._db.workspace(workspace_id) as conn:
            ended = await _fetch(conn, "settle_calls", calls=_settled_rows(settlements))
            live = {row["id"] for row in ended}
            kept = [s for s in settlements if s.call_id in live]
            await conn.execute(_sql["settle_requests"], {"requests": _request_rows(requests)})
            answers = [_answer_row(s, hash_key) for s in kept if s.raw or s.pages]
            if answers:
                await conn.execute(_sql["keep_answers"], {"answers": Jsonb(answers)})
            observations = [row for s in kept for row in _observation_rows(s, provider_of)]
            if observations:
                await conn.execute(_sql["keep_observations"], {"observations": Jsonb(observations)})
            budgets = _budget_deltas(ended)
            if budgets:
                await conn.execute(_sql["settle_budgets"], {"budgets": Jsonb(budgets)})

    async def ensure_budgets(
        self, workspace_id: WorkspaceId, caps: Sequence[BudgetCap]
    ) -> tuple[BudgetId, ...]:
        """Return the ids of these budgets, made or brought to the given cap where needed."""
        if not caps:
            return ()
        rows = Jsonb(
            [{"scope": c.scope, "scope_key": c.scope_key, "cap_micros": c.cap_micros} for c in caps]
        )
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["ensure_budgets"], {"budgets": rows})
            found = await _fetch(conn, "budget_ids", budgets=rows)
        return tuple(BudgetId(row["id"]) for row in found)

    async def pages(self, workspace_id: WorkspaceId, call_id: CallId) -> tuple[Page, ...]:
        """Return the pages that came with a settled call, for inference to quote."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["answer"], {"call": call_id})).fetchone()
        if row is None:
            return ()
        kept = json.loads(zlib.decompress(bytes(row["body"])))
        return tuple(Page(url=page["url"], text=page["text"]) for page in kept["pages"])

    async def spend_of_jobs(
        self, workspace_id: WorkspaceId, jobs: Sequence[JobId]
    ) -> dict[JobId, Spend]:
        """Return what each job caused so far; a job without calls is left out."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "spend_of_jobs", jobs=sorted(set(jobs)))
        by_job: dict[JobId, dict[str, Micros]] = defaultdict(dict)
        unknown: dict[JobId, int] = defaultdict(int)
        for row in rows:
            by_job[row["job_id"]][row["provider"]] = Micros(row["price_micros"])
            unknown[row["job_id"]] += row["unknown_micros"]
        return {job: Spend(paid, Micros(unknown[job])) for job, paid in by_job.items()}

    async def spend_of_batch(
        self, workspace_id: WorkspaceId, batch_id: BatchId
    ) -> list[dict[str, Any]]:
        """Return a row a provider: calls, matches, price_micros, unknown_micros, unknown_calls."""
        async with self._db.workspace(workspace_id) as conn:
            return await _fetch(conn, "spend_of_batch", batch=batch_id)

    async def times_rate_limited(
        self, workspace_id: WorkspaceId, job_id: JobId, provider: str
    ) -> int:
        """Return how often ``provider`` told this job to wait."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "rate_limited_of_job", job=job_id, provider=provider)
        return int(rows[0]["times"])


async def _fetch(conn: Connection, name: str, **params: object) -> list[dict[str, Any]]:
    return await (await conn.execute(_sql[name], params)).fetchall()


def _question_row(ord_: int, question: QuestionKey) -> dict[str, object]:
    return {
        "ord": ord_,
        "credential": question.credential,
        "provider": question.provider,
        "operation": question.operation,
        "flags": question.flags,
        "key": question.key.hex(),
    }


def _questions(intents: Sequence[Intent]) -> Jsonb:
    return Jsonb([_question_row(i, intent.question) for i, intent in enumerate(intents)])


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
        case "sending" | "pending_vendor":
            return InFlight(row["deadline"])
        case "unknown":
            return Blocked(CallId(row["call_id"]))
        case "settled" if _fresh(row, intent):
            return Known(CallId(row["call_id"]), row["verdict"] or "", row["detail"] or "")
        case _:
            return Unasked()


def _fresh(row: Mapping[str, Any], intent: Intent) -> bool:
    matched = row["verdict"] == Verdict.MATCH
    after: datetime | None = intent.asker.fresh_after if matched else intent.asker.miss_fresh_after
    return after is None or row["settled_at"] >= after


async def _reserve(conn: Connection, sealed: Sequence[Sealed]) -> list[list[Grant]]:
    flat = [intent for one in sealed for intent in one.intents]
    refused = await _refusals(conn, flat)
    questions = Jsonb(
        [_question_row(i, it.question) for i, it in enumerate(flat) if i not in refused]
    )
    await conn.execute(_sql["make_questions"], {"questions": questions})
    rows = await _expire(conn, await _fetch(conn, "lock_questions", questions=questions))
    grants: list[Grant | None] = [refused.get(i) for i in range(len(flat))]
    to_send: dict[int, dict[str, Any]] = {}
    taken: set[int] = set()
    for row in rows:
        verdict = _judge(row, flat[row["ord"]])
        if not isinstance(verdict, Unasked):
            grants[row["ord"]] = verdict
        elif row["question_id"] in taken:
            grants[row["ord"]] = InFlight(None)  # its twin in this group goes
        else:
            taken.add(row["question_id"])
            to_send[row["ord"]] = row
    if to_send:
        await _send_rows(conn, sealed, flat, to_send, grants)
    done = [grant for grant in grants if grant is not None]
    return _unflatten(done, [len(one.intents) for one in sealed])


async def _refusals(conn: Connection, intents: Sequence[Intent]) -> dict[int, Refused]:
    """Check lease tokens, cancellation, batch state and the suppression list."""
    jobs = sorted({intent.asker.job_id for intent in intents})
    held = {row["id"]: row for row in await _fetch(conn, "hold_jobs", jobs=jobs)}
    subjects = list({s for intent in intents for s in intent.asker.subjects})
    suppressed = (
        {bytes(row["key_hash"]) for row in await _fetch(conn, "suppressed", subjects=subjects)}
        if subjects
        else set()
    )
    refused = {}
    for i, intent in enumerate(intents):
        why = _why_not(held.get(intent.asker.job_id), intent)
        if why is None and suppressed.intersection(intent.asker.subjects):
            why = Refusal.SUPPRESSED
        if why is not None:
            refused[i] = Refused(why)
    return refused


def _why_not(job: Mapping[str, Any] | None, intent: Intent) -> Refusal | None:
    token = intent.asker.token
    if job is None or (job["worker_id"], job["claim_no"]) != (token.worker_id, token.claim_no):
        return Refusal.STALE
    if not job["lease_holds"]:
        return Refusal.STALE
    if job["cancel_requested"] or job["batch_state"] in ("paused", "cancelled"):
        return Refusal.CANCELLED
    return None


async def _send_rows(
    conn: Connection,
    sealed: Sequence[Sealed],
    flat: Sequence[Intent],
    to_send: Mapping[int, Mapping[str, Any]],
    grants: list[Grant | None],
) -> None:
    """Insert requests and calls, advance the questions, take the money: the intent itself."""
    request_of: dict[int, int] = {}  # flat position -> index of its sealed request
    position = 0
    for index, one in enumerate(sealed):
        for _ in one.intents:
            if position in to_send:
                request_of[position] = index
            position += 1
    ordered = sorted(to_send)
    requests = [
        _new_request(index, sealed[index], flat, list(members))
        for index, members in groupby(ordered, key=request_of.__getitem__)
    ]
    made = await _fetch(conn, "make_requests", requests=Jsonb(requests))
    request_ids = {row["ord"]: new["id"] for row, new in zip(requests, made, strict=True)}
    calls = [
        _new_call(i, flat[i], to_send[i], request_ids[request_of[i]], sealed[request_of[i]])
        for i in ordered
    ]
    advanced = await _fetch(conn, "make_calls", calls=Jsonb(calls))
    call_of = {row["question_id"]: row["call_id"] for row in advanced}
    for i in ordered:
        call_id = CallId(call_of[to_send[i]["question_id"]])
        grants[i] = Reserved(call_id, RequestId(request_ids[request_of[i]]))
    sums: dict[int, int] = defaultdict(int)
    for i in ordered:
        for budget in flat[i].asker.budgets if flat[i].price_micros else ():
            sums[budget] += flat[i].price_micros
    if sums:
        rows = [{"id": id_, "micros": micros} for id_, micros in sorted(sums.items())]
        await conn.execute(_sql["reserve_budgets"], {"budgets": Jsonb(rows)})


def _new_request(
    index: int, sealed: Sealed, flat: Sequence[Intent], members: Sequence[int]
) -> dict[str, object]:
    first = flat[members[0]]
    return {
        "ord": index,
        "provider": first.question.provider,
        "operation": first.question.operation,
        "credential": first.question.credential,
        "calls": len(members),
        "deadline_s": sealed.deadline_s,
        "correlation_id": first.asker.correlation_id,
    }


def _new_call(
    ord_: int, intent: Intent, row: Mapping[str, Any], request_id: int, sealed: Sealed
) -> dict[str, object]:
    asker = intent.asker
    return {
        "ord": ord_,
        "question_id": row["question_id"],
        "generation": row["generation"] + 1,
        "request_id": request_id,
        "job_id": asker.job_id,
        "batch_id": asker.batch_id,
        "worker_id": asker.token.worker_id,
        "claim_no": asker.token.claim_no,
        "position": intent.position,
        "missed": list(intent.missed),
        "reason": intent.reason,
        "wanted": list(intent.wanted),
        "reserved_micros": intent.price_micros,
        "budget_ids": list(asker.budgets) if intent.price_micros else [],
        "deadline_s": sealed.deadline_s,
    }


def _unflatten(grants: Sequence[Grant], sizes: Sequence[int]) -> list[list[Grant]]:
    rest = iter(grants)
    return [[next(rest) for _ in range(size)] for size in sizes]


def _settled_rows(settlements: Sequence[Settlement]) -> Jsonb:
    return Jsonb(
        [
            {
                "id": s.call_id,
                "state": s.end.value,
                "price_micros": None if s.end is CallEnd.UNKNOWN else s.price_micros,
                "verdict": s.verdict,
                "detail": storable(s.detail[:500]),
            }
            for s in settlements
        ]
    )


def _request_rows(requests: Sequence[RequestFacts]) -> Jsonb:
    return Jsonb(
        [
            {
                "id": r.request_id,
                "status": r.status,
                "exchanges": r.exchanges,
                "bytes": r.bytes,
                "billed_micros": r.billed_micros,
                "remainder_micros": r.remainder_micros,
                "error": storable(r.error) if r.error else None,
            }
            for r in requests
        ]
    )


def _answer_row(settlement: Settlement, hash_key: bytes) -> dict[str, object]:
    kept = {
        "raw": base64.b64encode(settlement.raw).decode(),
        "pages": [{"url": p.url, "text": storable(p.text)} for p in settlement.pages],
    }
    plain = json.dumps(kept).encode()
    return {
        "call_id": settlement.call_id,
        "body": base64.b64encode(zlib.compress(plain, 1)).decode(),
        "digest": hmac.new(hash_key, settlement.raw, hashlib.sha256).hexdigest(),
    }


def _observation_rows(
    settlement: Settlement, provider_of: Mapping[CallId, str]
) -> list[dict[str, object]]:
    """One row a reading; the call's price is shared evenly, the first takes what is left over."""
    placed = [
        (reading, settlement.entities.get(FIELDS[reading.field].entity))
        for reading in settlement.readings
    ]
    rows = [(reading, entity) for reading, entity in placed if entity is not None]
    if not rows:
        return []
    share, left = divmod(settlement.price_micros, len(rows))
    return [
        {
            "entity_id": entity,
            "call_id": settlement.call_id,
            "field": reading.field,
            "value": storable(reading.value),
            "raw": storable(reading.raw),
            "confidence": reading.confidence,
            "provider": provider_of[settlement.call_id],
            "source_url": storable(reading.url),
            "quote": storable(reading.quote),
            "cost_micros": share + (left if i == 0 else 0),
        }
        for i, (reading, entity) in enumerate(rows)
    ]


def _budget_deltas(ended: Sequence[Mapping[str, Any]]) -> list[dict[str, int]]:
    """Sum, for each budget, what settled calls release, spend and overrun."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in ended:
        if row["state"] == "unknown":
            continue  # the reservation stays
        for budget in row["budget_ids"]:
            delta = sums[budget]
            delta[0] += row["reserved_micros"]
            delta[1] += row["price_micros"]
            delta[2] += max(0, row["price_micros"] - row["reserved_micros"])
    return [
        {"id": id_, "released": released, "spent": spent, "overrun": overrun}
        for id_, (released, spent, overrun) in sorted(sums.items())
    ]
