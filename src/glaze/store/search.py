"""Searches, the credit of a workspace, and payments: nothing that was paid is ever lost."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from glaze.errors import CreditShort, IdempotencyConflict, NotFound, SearchStateConflict
from glaze.model.job import NewJob
from glaze.model.payment import CURRENCY, Payment
from glaze.model.value import JobId, Json, Micros, WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.job import Enqueued, JobStore
from glaze.store.statements import statements
from glaze.store.text import storable

_sql = statements("search")


OF_COMPANIES = ("company_domain", "company_linkedin_url")
"""What a company that was found is enriched by; nobody is shown it before that is paid for.

Its batch's rows name it, enriched or not. So companies are handed over, and paid for, once the batch
is made; a person's row names nobody but by Apollo's id, and is handed over once it is enriched.
"""


@dataclass(frozen=True, slots=True)
class Search:
    """One search. Money in cents of a US dollar. ``contacts`` are companies where it is about those."""

    id: int
    about: str  # people, companies
    state: str  # draft, preview, paid, enriching, ready, failed
    criteria: Mapping[str, Json]
    fields: Sequence[str]
    most: int
    contacts: Sequence[Mapping[str, Json]] | None
    found: int | None
    price_cents: int | None
    paid_cents: int | None
    paid_by: str | None
    returned_cents: int
    spent_micros: Micros  # by tries before the last
    refunded_at: datetime | None
    job_id: JobId | None
    error: str | None
    created_by: str
    created_at: datetime
    paid_at: datetime | None
    ended_at: datetime | None

    @property
    def is_of_companies(self) -> bool:
        """Whether the contacts are companies."""
        return self.about == "companies"


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """What came into a workspace's credit (above 0) or went out of it."""

    id: int
    cents: int
    reason: str
    search_id: int | None
    actor: str
    at: datetime


class SearchStore:
    """Searches of a workspace. Each method is one transaction: money, state, job and event together."""

    def __init__(self, db: Database, jobs: JobStore) -> None:
        """Use the pools of ``db``; jobs are made by ``jobs`` in the same transaction."""
        self._db = db
        self._jobs = jobs

    async def create(
        self,
        workspace_id: WorkspaceId,
        criteria: Mapping[str, Json],
        fields: Sequence[str],
        most: int,
        actor: str,
        *,
        about: str = "people",
        key: str | None = None,
    ) -> int:
        """Make a search in state draft, with the job that looks; return its id.

        With a ``key`` it is made once; the same request finds it again.

        Raises: IdempotencyConflict where another request had the key.
        """
        params = {"criteria": Jsonb(storable(dict(criteria))), "fields": list(fields), "most": most}
        asked = json.dumps([about, dict(criteria), list(fields), most], sort_keys=True)
        keyed = {"key": _hash(key), "hash": _hash(asked)}
        async with self._db.workspace(workspace_id) as conn:
            row = await _one(conn, "create", **params, about=about, by=actor, **keyed)
            if row is None:
                made_before = await _one(conn, "of_request", **keyed)
                if made_before is None or bytes(made_before["request_hash"]) != keyed["hash"]:
                    raise _conflict(key)
                return int(made_before["id"])
            made = await self._work(conn, row["id"], "preview_search")
            await _tell(conn, row["id"], "search.created")
        self._jobs.tell(made.made)
        return int(row["id"])

    async def get(self, workspace_id: WorkspaceId, search_id: int) -> Search:
        """Return a search. Raises: NotFound."""
        async with self._db.workspace(workspace_id) as conn:
            return await _get(conn, search_id)

    async def page(
        self, workspace_id: WorkspaceId, n: int = 100, *, before: int | None = None
    ) -> list[Search]:
        """Return up to ``n`` searches, newest first, below the id ``before``."""
        async with self._db.workspace(workspace_id) as conn:
            return [Search(**row) for row in await _all(conn, "page", n=n, before=before)]

    async def previewed(
        self,
        workspace_id: WorkspaceId,
        search_id: int,
        contacts: Sequence[Json],
        *,
        found: int,
        price_cents: int,
    ) -> None:
        """Record what was found and what it costs; a search that is past this stays as it is."""
        told = {"contacts": Jsonb(storable(list(contacts))), "found": found, "price": price_cents}
        async with self._db.workspace(workspace_id) as conn:
            if await _one(conn, "previewed", search=search_id, **told) is not None:
                await _tell(conn, search_id, "search.preview")

    async def pay_by_credit(self, workspace_id: WorkspaceId, search_id: int, actor: str) -> None:
        """Unlock a search with the workspace's credit.

        Raises: NotFound; SearchStateConflict where it is in no state to be paid; CreditShort.
        """
        async with self._db.workspace(workspace_id) as conn:
            search = await _held(conn, search_id)
            if search.state != "preview" or search.price_cents is None:
                raise SearchStateConflict(f"search {search_id} is {search.state}, not preview")
            if search.price_cents:
                await _book(conn, -search.price_cents, "search", search_id, actor)
            made = await self._paid(conn, search, search.price_cents, "credit")
            facts: dict[str, Json] = {"cents": search.price_cents}
            await note(conn, Deed(actor, "search.unlock", str(search_id), facts))
        self._jobs.tell(made.made)

    async def pay(self, payment: Payment) -> str:
        """Take a payment, once; return what became of it: unlocked, credited, duplicate or refused.

        One that comes when the search is paid already goes to the workspace's credit.

        Raises: NotFound where the search is not there.
        """
        workspace_id, search_id = payment.reference.workspace_id, payment.reference.search_id
        made = Enqueued([], [])
        async with self._db.workspace(workspace_id) as conn:
            search = await _held(conn, search_id)
            outcome = _outcome(search, payment)
            ids = {"event": payment.event_id, "checkout": payment.checkout_id}
            told = ids | {"search": search_id, "cents": payment.cents}
            if not await _one(conn, "arrived", **told, currency=payment.currency, outcome=outcome):
                return "duplicate"
            if outcome == "unlocked":
                made = await self._paid(conn, search, payment.cents, "payment")
            elif outcome == "credited":
                await _book(conn, payment.cents, "paid_twice", search_id, "payment")
            deed = Deed("payment", "search.payment", str(search_id), {"outcome": outcome})
            await note(conn, deed)
        self._jobs.tell(made.made)
        return outcome

    async def retry(self, workspace_id: WorkspaceId, search_id: int, actor: str) -> None:
        """Try a failed search again; what was paid stays paid, and what is left of it may be spent.

        Raises: NotFound; SearchStateConflict where it did not fail, or was paid back.
        """
        async with self._db.workspace(workspace_id) as conn:
            search = await _held(conn, search_id)
            if search.state != "failed" or search.paid_at is None or search.refunded_at is not None:
                raise SearchStateConflict(f"search {search_id} is {search.state}: nothing is owed")
            await self._served(conn, search)
            await conn.execute(_sql["again"], {"search": search_id})
            made = await self._work(conn, search_id, "enrich_search")
            await note(conn, Deed(actor, "search.retry", str(search_id)))
        self._jobs.tell(made.made)

    async def refund(self, workspace_id: WorkspaceId, search_id: int, actor: str) -> None:
        """Give what was paid for a failed search back, as credit, once; not for who was handed over.

        Raises: NotFound; SearchStateConflict where it did not fail, or was paid back, or some are
            still worked on, or companies were handed over.
        """
        async with self._db.workspace(workspace_id) as conn:
            search = await _held(conn, search_id)
            if search.state != "failed" or search.paid_at is None or search.refunded_at is not None:
                raise SearchStateConflict(f"search {search_id} is {search.state}: nothing is owed")
            served = await self._served(conn, search)
            if served and search.is_of_companies:
                raise SearchStateConflict(
                    f"the companies of search {search_id} were handed over with its batch: nothing"
                    " is given back, try again what failed"
                )
            earned = _share(search, served)
            left = (search.paid_cents or 0) - search.returned_cents - earned
            if left > 0:
                await _book(conn, left, "refund", search_id, actor)
            await conn.execute(_sql["refunded"], {"search": search_id})
            await note(conn, Deed(actor, "search.refund", str(search_id)))
            await _tell(conn, search_id, "search.refunded")

    async def enriching(self, workspace_id: WorkspaceId, search_id: int) -> Search:
        """Record that the contacts of a paid search are worked on; return the search as it is then.

        Raises: NotFound.
        """
        async with self._db.workspace(workspace_id) as conn:
            await _held(conn, search_id)
            if await _one(conn, "enriching", search=search_id) is not None:
                await _tell(conn, search_id, "search.enriching")
            return await _get(conn, search_id)

    async def end(
        self,
        workspace_id: WorkspaceId,
        search_id: int,
        error: str | None,
        left_out: Mapping[str, int],
    ) -> None:
        """Record that the search is ready, or failed and why.

        What was paid for those who were ``left_out``, so many for each reason, goes back to the credit.
        """
        state = "ready" if error is None else "failed"
        async with self._db.workspace(workspace_id) as conn:
            search = await _held(conn, search_id)
            if await _one(conn, "end", search=search_id, state=state, error=error) is None:
                return
            before = search.returned_cents  # of an earlier try
            for reason, contacts in left_out.items():
                owed = _share(search, contacts)
                back, before = max(0, owed - before), max(0, before - owed)
                if back:
                    await _book(conn, back, reason, search_id, "search")
                    await conn.execute(_sql["returned"], {"search": search_id, "cents": back})
            await _tell(conn, search_id, f"search.{state}")

    async def grant(
        self, workspace_id: WorkspaceId, cents: int, actor: str, key: str | None = None
    ) -> int:
        """Add to the workspace's credit, or take from it below 0; return the balance.

        With a ``key`` once, however often it is asked.

        Raises: NotFound where there is no such workspace; CreditShort; IdempotencyConflict where
            the key gave something else.
        """
        async with self._db.workspace(workspace_id) as conn:
            if await _one(conn, "workspace") is None:
                raise NotFound(f"there is no workspace {workspace_id}")
            await conn.execute(_sql["open_account"])
            await conn.execute(_sql["hold_account"])
            before = await _one(conn, "granted", key=_hash(key))
            if before is not None and before["cents"] is not None:
                if before["cents"] != cents:
                    raise _conflict(key)
                return int(before["balance_cents"])
            balance = await _book(conn, cents, "granted", None, actor, key=key)
            await note(conn, Deed(actor, "credit.grant", detail={"cents": cents}))
        return balance

    async def balance(self, workspace_id: WorkspaceId) -> int:
        """Return the workspace's credit, in cents."""
        async with self._db.workspace(workspace_id) as conn:
            row = await _one(conn, "balance")
        return int(row["balance_cents"]) if row else 0

    async def entries(
        self, workspace_id: WorkspaceId, n: int = 100, *, before: int | None = None
    ) -> list[CreditEntry]:
        """Return how the balance came about, newest first."""
        async with self._db.workspace(workspace_id) as conn:
            return [CreditEntry(**row) for row in await _all(conn, "entries", n=n, before=before)]

    async def _paid(self, conn: Connection, search: Search, cents: int, by: str) -> Enqueued:
        """Record a payment and, in the same transaction, the job that gives what was paid for."""
        await conn.execute(_sql["pay"], {"search": search.id, "cents": cents, "by": by})
        made = await self._work(conn, search.id, "enrich_search")
        await _tell(conn, search.id, "search.paid")
        return made

    async def _served(self, conn: Connection, search: Search) -> int:
        """Return, and keep, how many contacts were handed over before the work on them was broken off.

        Raises: SearchStateConflict where some are still worked on.
        """
        row = await _one(conn, "served", search=search.id)
        if row is None:
            raise SearchStateConflict(f"search {search.id} is being stopped: try again in a moment")
        return int(row["served"])

    async def _work(self, conn: Connection, search_id: int, kind: str) -> Enqueued:
        job = NewJob(kind, {"search_id": search_id}, priority=1)
        made = await self._jobs.enqueue_within(conn, [job])
        await conn.execute(_sql["given_to"], {"search": search_id, "job": made.ids[0]})
        return made


def _share(search: Search, contacts: int) -> int:
    """Return what was paid for so many of the contacts, in whole cents, rounded down."""
    return (search.paid_cents or 0) * contacts // max(1, len(search.contacts or ()))


def _outcome(search: Search, payment: Payment) -> str:
    if payment.currency != CURRENCY:
        return f"refused: paid in {payment.currency}, not in {CURRENCY}"
    if search.paid_at is not None:
        return "credited"
    if search.state != "preview" or search.price_cents is None:
        return f"refused: the search is {search.state}, not preview"
    if payment.cents < search.price_cents:
        return f"refused: {payment.cents} cents of {search.price_cents}"
    return "unlocked"


async def _held(conn: Connection, search_id: int) -> Search:
    await conn.execute(_sql["hold"], {"search": search_id})
    return await _get(conn, search_id)


async def _get(conn: Connection, search_id: int) -> Search:
    row = await _one(conn, "get", search=search_id)
    if row is None:
        raise NotFound(f"there is no search {search_id}")
    return Search(**row)


async def _book(
    conn: Connection,
    cents: int,
    reason: str,
    search_id: int | None,
    actor: str,
    *,
    key: str | None = None,
) -> int:
    await conn.execute(_sql["open_account"])
    facts = {"reason": reason, "search": search_id, "actor": actor, "key": _hash(key)}
    row = await _one(conn, "book", cents=cents, **facts)
    if row is None:
        raise CreditShort(f"the workspace's credit is less than {-cents} cents")
    return int(row["balance_cents"])


def _hash(text: str | None) -> bytes | None:
    return None if text is None else hashlib.sha256(text.encode()).digest()


def _conflict(key: str | None) -> IdempotencyConflict:
    return IdempotencyConflict(f"idempotency key {key!r} was used with another body")


async def _tell(conn: Connection, search_id: int, type_: str) -> None:
    await conn.execute(_sql["tell"], {"search": search_id, "type": type_})


async def _all(conn: Connection, name: str, **params: object) -> list[dict[str, Any]]:
    return await (await conn.execute(_sql[name], params)).fetchall()


async def _one(conn: Connection, name: str, **params: object) -> dict[str, Any] | None:
    return await (await conn.execute(_sql[name], params)).fetchone()
