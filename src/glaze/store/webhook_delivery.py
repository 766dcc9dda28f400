"""Deliveries of webhooks: made of the events, claimed, settled, shown, told again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from glaze.errors import InputError, NotFound
from glaze.model.failpoint import At, nowhere
from glaze.model.value import Json, WorkspaceId
from glaze.model.webhook import PROGRESS, TEST, listens, secret_of, told_as
from glaze.store.attempt import encode
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.event import Cursor, Event, page
from glaze.store.statements import statements
from glaze.store.webhook import disable, hash_key, hold

_sql = statements("webhook")
PAGE = 500
DISABLED_AFTER_S = 5 * 86_400.0
"""An endpoint that failed for so long, without one success, is disabled."""
_SYSTEM = "glaze"
_OWN_KIND = "deliver_webhook"  # what jobs' own URLs are told is no news to anybody
_OF_THE_EVENT = frozenset({"percent", "message", "code"})


@dataclass(frozen=True, slots=True)
class Due:
    """One attempt at a delivery, claimed."""

    workspace_id: WorkspaceId
    id: int
    webhook_id: int
    round: int
    attempt: int
    url: str
    body: str
    secrets: tuple[str, ...]  # all of which sign
    failing: bool

    @property
    def message_id(self) -> str:
        """The same whenever it is sent: by it a receiver knows what it was told before."""
        return f"msg_{self.workspace_id}_{self.id}"


class Attempt(NamedTuple):
    """How one attempt ended. ``wait_s`` None: it is not tried again."""

    delivered: bool
    status: int | None
    duration_ms: int
    error: str | None
    excerpt: str | None
    wait_s: float | None
    gone: bool = False  # nobody listens there any more


class Settled(NamedTuple):
    """What came of an attempt beside its own end."""

    disabled: str | None = None  # why its endpoint was disabled for it
    next: Due | None = None  # the next attempt at the endpoint, claimed


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery as the log shows it; ``attempts`` are its last 50, of all rounds."""

    id: int
    type: str
    job_id: int | None
    batch_id: int | None
    state: str
    round: int
    attempt: int
    created_at: datetime
    ended_at: datetime | None
    next_attempt_at: datetime | None
    body: str
    attempts: Sequence[Mapping[str, Json]]


class DeliveryStore:
    """Deliveries of each workspace. Every method is one transaction."""

    def __init__(self, db: Database, at: At = nowhere) -> None:
        """Use the pools of ``db``."""
        self._db = db
        self._at = at

    async def listened_to(self) -> list[WorkspaceId]:
        """Return the workspaces that have endpoints which listen."""
        return await self._workspaces("listened_to")

    async def due(self) -> list[WorkspaceId]:
        """Return the workspaces in which something is due."""
        return await self._workspaces("due")

    async def _workspaces(self, name: str) -> list[WorkspaceId]:
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(_sql[name])).fetchall()
        return [WorkspaceId(row["workspace_id"]) for row in rows]

    async def fan_out(self, workspace_id: WorkspaceId) -> int:
        """Make deliveries of the next events, and return how many events were looked at.

        How far they were looked through is written with the deliveries: whoever dies in between
        leaves neither, and nothing is told twice or not at all.
        """
        async with self._db.workspace(workspace_id) as conn:
            feed = await (await conn.execute(_sql["hold_feed"])).fetchone()
            if feed is None:
                return 0
            after = Cursor(feed["xid"], feed["event_id"])
            events = await page(conn, after, PAGE)
            if not events:
                return 0
            rows = await _told(conn, workspace_id, events)
            if rows:
                await conn.execute(_sql["deliver"], {"rows": encode(rows)})
            self._at("webhooks_fanned")
            end = events[-1].cursor
            await conn.execute(_sql["move_feed"], {"xid": end.xid, "event": end.id})
        return len(events)

    async def claim(
        self, workspace_id: WorkspaceId, most: int, *, each: int, failing: bool, lease_s: float
    ) -> list[Due]:
        """Claim up to ``most`` due attempts, ``each`` of an endpoint in the whole fleet.

        ``failing`` chooses endpoints that failed last, or those that did not.
        """
        params = {"most": most, "each": each, "failing": failing, "lease_s": lease_s}
        async with self._db.workspace(workspace_id) as conn:
            return await _claim(conn, workspace_id, params | {"webhook": None})

    async def settle(
        self, due: Due, attempt: Attempt, *, each: int = 0, lease_s: float = 0.0
    ) -> Settled:
        """Write how an attempt ended.

        Was it taken, the next one at the same endpoint is claimed with it, as long as no more than
        ``each`` are under way there.
        """
        facts = {
            "id": due.id,
            "round": due.round,
            "attempt": due.attempt,
            "status": attempt.status,
            "duration_ms": attempt.duration_ms,
            "error": attempt.error,
            "excerpt": attempt.excerpt,
        }
        async with self._db.workspace(due.workspace_id) as conn:
            try:
                await hold(conn, due.webhook_id)
            except NotFound:
                return Settled()  # it was removed meanwhile, with its deliveries
            await conn.execute(_sql["attempted"], facts)
            await conn.execute(_sql["settle"], facts | _ending(attempt))
            if not attempt.delivered:
                return Settled(disabled=await _failed(conn, due.webhook_id, gone=attempt.gone))
            await conn.execute(_sql["worked"], {"id": due.webhook_id})
            params = {"webhook": due.webhook_id, "failing": False, "each": each, "most": 1}
            claimed = await _claim(conn, due.workspace_id, params | {"lease_s": lease_s})
        return Settled(next=claimed[0] if claimed else None)

    async def page(
        self,
        workspace_id: WorkspaceId,
        webhook_id: int,
        n: int = 100,
        *,
        before: int | None = None,
        state: str | None = None,
    ) -> list[Delivered]:
        """Return what an endpoint was told, newest first, below the id ``before``."""
        params = {"id": webhook_id, "n": n, "before": before, "state": state}
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["deliveries"], params)).fetchall()
        return [Delivered(**row) for row in rows]

    async def replay(
        self,
        workspace_id: WorkspaceId,
        webhook_id: int,
        *,
        delivery_id: int | None = None,
        since: datetime | None = None,
        actor: str = "command line",
    ) -> int:
        """Tell an endpoint again what has ended: one delivery, or all that failed since a time.

        Returns: How many are told again, at once or when the endpoint listens; they keep their ids.
        Raises: NotFound.
        """
        if (delivery_id is None) == (since is None):
            raise InputError("say which delivery, or since when")
        params = {"id": webhook_id, "delivery": delivery_id, "since": since}
        async with self._db.workspace(workspace_id) as conn:
            await hold(conn, webhook_id)
            rows = await (await conn.execute(_sql["replay"], params)).fetchall()
            if not rows and delivery_id is not None:
                raise NotFound(f"webhook {webhook_id} has no delivery {delivery_id} that has ended")
            detail: dict[str, Json] = {
                "deliveries": len(rows),
                "since": since.isoformat() if since else None,
                "delivery": delivery_id,
            }
            await note(conn, Deed(actor, "webhook.replay", f"webhook {webhook_id}", detail))
        return len(rows)

    async def test(
        self, workspace_id: WorkspaceId, webhook_id: int, now: datetime, *, actor: str
    ) -> int:
        """Send an endpoint a word to try it with; return the delivery's id. Raises: NotFound."""
        body = _body(TEST, now, {"webhook_id": webhook_id})
        async with self._db.workspace(workspace_id) as conn:
            held = await hold(conn, webhook_id)
            if held["disabled_at"] is not None:
                raise InputError(f"webhook {webhook_id} is disabled: enable it first")
            params = {"id": webhook_id, "body": body}
            [row] = await (await conn.execute(_sql["deliver_test"], params)).fetchall()
            await note(conn, Deed(actor, "webhook.test", f"webhook {webhook_id}"))
        return int(row["id"])


async def _claim(
    conn: Connection, workspace_id: WorkspaceId, params: Mapping[str, object]
) -> list[Due]:
    rows = await (await conn.execute(_sql["claim"], params)).fetchall()
    key = await hash_key(conn) if rows else b""
    return [_due(workspace_id, row, key) for row in rows]


async def _failed(conn: Connection, webhook_id: int, *, gone: bool) -> str | None:
    params = {"id": webhook_id, "patience_s": DISABLED_AFTER_S}
    [row] = await (await conn.execute(_sql["failed"], params)).fetchall()
    why = "gone" if gone else "failing" if row["too_long"] else None
    if why is None or not await disable(conn, webhook_id, why):
        return None
    await note(conn, Deed(_SYSTEM, "webhook.disable", f"webhook {webhook_id}", {"why": why}))
    return why


def _ending(attempt: Attempt) -> dict[str, object]:
    if attempt.delivered:
        return {"state": "delivered", "wait_s": 0.0}
    state = "failed" if attempt.wait_s is None else "pending"
    return {"state": state, "wait_s": attempt.wait_s or 0.0}


def _due(workspace_id: WorkspaceId, row: dict[str, Any], key: bytes) -> Due:
    salts = [bytes(salt) for salt in (row["salt"], row["old_salt"]) if salt is not None]
    return Due(
        workspace_id=workspace_id,
        id=row["id"],
        webhook_id=row["webhook_id"],
        round=row["round"],
        attempt=row["attempt"],
        url=row["url"],
        body=row["body"],
        secrets=tuple(secret_of(key, salt) for salt in salts),
        failing=row["failing"],
    )


async def _told(
    conn: Connection, workspace_id: WorkspaceId, events: Sequence[Event]
) -> list[dict[str, Json]]:
    """Return a row for each endpoint and event that it listens to."""
    endpoints = await (await conn.execute(_sql["listening"])).fetchall()
    wanted = [(event, type_) for event, type_ in _latest(events) if endpoints]
    jobs = {event.job_id for event, _ in wanted if event.job_id is not None}
    batches = {event.batch_id for event, _ in wanted if event.batch_id is not None}
    of_jobs = await _facts(conn, "jobs", sorted(jobs))
    of_batches = await _facts(conn, "batches", sorted(batches))
    rows: list[dict[str, Json]] = []
    for event, type_ in wanted:
        known = (
            of_jobs.get(event.job_id, {}) if event.job_id else of_batches.get(event.batch_id, {})
        )
        if known.get("kind") == _OWN_KIND:
            continue
        data = {"workspace_id": workspace_id, **known, **_said(event)}
        body = _body(type_, event.at, data)
        rows += [
            {
                "webhook_id": one["id"],
                "event_id": event.cursor.id,
                "type": type_,
                "job_id": event.job_id,
                "batch_id": event.batch_id,
                "body": body,
            }
            for one in endpoints
            if event.at >= one["since"] and listens(one["events"], type_)
        ]
    return rows


def _latest(events: Sequence[Event]) -> Iterator[tuple[Event, str]]:
    """Yield what is told: of progress the last word, of the rows of a batch nothing."""
    last = {
        (event.job_id, event.batch_id): event.cursor
        for event in events
        if told_as(event.type) in PROGRESS
    }
    for event in events:
        type_ = told_as(event.type)
        of_a_row = event.job_id is not None and event.batch_id is not None
        if type_ is None or of_a_row:
            continue
        about = event.job_id, event.batch_id
        if type_ in PROGRESS and last[about] != event.cursor:
            continue
        yield event, type_


async def _facts(conn: Connection, name: str, ids: list[int]) -> dict[int | None, dict[str, Json]]:
    if not ids:
        return {}
    rows = await (await conn.execute(_sql[name], {name: ids})).fetchall()
    return {row.pop("id"): {key: _plain(value) for key, value in row.items()} for row in rows}


def _plain(value: object) -> Json:
    return value.isoformat() if isinstance(value, datetime) else value  # type: ignore[return-value]


def _said(event: Event) -> Mapping[str, Json]:
    """Return what the event itself says; of a search all, of jobs what anybody may know."""
    given = event.data if isinstance(event.data, dict) else {}
    if not event.type.startswith("search."):
        given = {key: value for key, value in given.items() if key in _OF_THE_EVENT}
    named: dict[str, Json] = {"job_id": event.job_id, "batch_id": event.batch_id}
    return {key: value for key, value in named.items() if value is not None} | given


def _body(type_: str, at: datetime, data: Mapping[str, Json]) -> str:
    body = {"type": type_, "timestamp": at.isoformat(), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
