"""Calls that are due: given up by whoever sent them, or with an answer to ask for; and callbacks."""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from glaze.model.field import EntityKind
from glaze.model.ledger import Claimed, Delivery
from glaze.model.provider import Resend
from glaze.model.recording import ask_from_json
from glaze.model.value import CallId, EntityId, FieldName, RequestId, WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("due")
_ledger = statements("ledger")


class DueStore:
    """Reads and writes of what is due. Every method is one transaction."""

    def __init__(
        self, db: Database, hint: Callable[[str, datetime], None] = lambda _queue, _rank: None
    ) -> None:
        """Use the pools of ``db``; ``hint`` is told of jobs that wait no more."""
        self._db = db
        self._hint = hint

    async def workspaces(self) -> list[WorkspaceId]:
        """Return the workspaces in which something is due; of what it is nothing is seen."""
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(_sql["workspaces"])).fetchall()
        return [WorkspaceId(row["workspace_id"]) for row in rows]

    async def claim(self, workspace_id: WorkspaceId, most: int, *, lease_s: float) -> list[Claimed]:
        """Treat what is overdue by its class, and claim up to ``most`` answers to ask for now.

        A claim holds for ``lease_s`` seconds; who dies with one leaves it to the next.
        """
        async with self._db.workspace(workspace_id) as conn:
            late = await (await conn.execute(_sql["overdue"])).fetchall()
            if late:
                calls = [row["id"] for row in late]
                await conn.execute(_ledger["expire_calls"], {"calls": calls})
            await conn.execute(_sql["give_up"])
            claimed = await conn.execute(_sql["claim_due"], {"most": most, "lease_s": lease_s})
            rows = await claimed.fetchall()
        return [_claimed(workspace_id, row) for row in rows]

    async def put_off(self, claimed: Claimed, wait_s: float, *, handle: str | None = None) -> None:
        """Give a claim back: its answer is asked for again in ``wait_s`` seconds."""
        params = {
            "call": claimed.call_id,
            "wait_s": wait_s,
            "handle": handle,
            "poll_at": claimed.poll_at,
        }
        async with self._db.workspace(claimed.workspace_id) as conn:
            await conn.execute(_sql["put_off"], params)

    async def wake(self, claimed: Claimed) -> None:
        """Let the job that waits for an answer which is there now wait no more."""
        async with self._db.workspace(claimed.workspace_id) as conn:
            rows = await (await conn.execute(_sql["wake"], {"call": claimed.call_id})).fetchall()
        for row in rows:
            self._hint(row["queue"], row["rank"])

    async def credential(self, workspace_id: WorkspaceId, call_id: CallId) -> str | None:
        """Return the credential that a call was made with, None where there is no such call."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["credential"], {"call": call_id})).fetchone()
        return str(row["credential"]) if row else None

    async def called_back(
        self,
        workspace_id: WorkspaceId,
        call_id: CallId,
        provider: str,
        *,
        handle: str,
        body: bytes,
        hash_key: bytes,
    ) -> Delivery:
        """Record a genuine callback that announces ``handle``; its answer is due at once."""
        digest = hmac.digest(hash_key, body, "sha256")
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["hold_call"], {"call": call_id})).fetchone()
            if row is None or row["provider"] != provider:
                return Delivery.UNKNOWN
            if row["handle"] not in (None, handle):
                return Delivery.FORGED
            kept = await conn.execute(_sql["keep_callback"], {"call": call_id, "digest": digest})
            if await kept.fetchone() is None:
                return Delivery.REPLAYED
            if not row["current"] or row["state"] in ("settled", "not_billed"):
                return Delivery.STALE
            await conn.execute(_sql["called_back"], {"call": call_id, "handle": handle})
        return Delivery.ACCEPTED


def _claimed(workspace_id: WorkspaceId, row: Mapping[str, Any]) -> Claimed:
    asked = row["asked"] or {"known": {}, "entities": {}}
    return Claimed(
        workspace_id=workspace_id,
        call_id=CallId(row["id"]),
        request_id=RequestId(row["request_id"]),
        credential=row["credential"],
        provider=row["provider"],
        operation=row["operation"],
        resend=Resend(row["resend"]),
        handle=row["handle"],
        known={FieldName(name): value for name, value in asked["known"].items()},
        wanted=tuple(FieldName(name) for name in row["wanted"]),
        entities={EntityKind(kind): EntityId(id_) for kind, id_ in asked["entities"].items()},
        whole=ask_from_json(asked["whole"]) if "whole" in asked else None,
        polls=row["polls"],
        poll_at=row["poll_at"],
    )
