"""Endpoints of a workspace that are told what happens; their secrets are made, not kept."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, LiteralString

from glaze.errors import NotFound
from glaze.model.access import COMMAND_LINE
from glaze.model.value import WorkspaceId
from glaze.model.webhook import secret_of, without_secrets
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.event import NewEvent, append
from glaze.store.statements import statements
from glaze.store.turns import Meets, whatever

_sql = statements("webhook")
_SALT_BYTES = 16
JOBS_SALT = b"jobs"
"""Of it the secret is made that deliveries to a job's own URL are signed with."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint, without its secret. ``disabled_why`` is ``asked``, ``gone`` or ``failing``."""

    id: int
    url: str
    description: str
    events: Sequence[str]
    since: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_why: str | None
    created_at: datetime
    old_secret_until: datetime | None


@dataclass(frozen=True, slots=True)
class WithSecret:
    """An endpoint and the secret that it is told once."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What to change of an endpoint; None leaves a thing as it is."""

    url: str | None = None
    description: str | None = None
    events: Sequence[str] | None = None
    disabled: bool | None = None


class WebhookStore:
    """The endpoints of each workspace. What is done to one stands in the audit log."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def create(
        self,
        workspace_id: WorkspaceId,
        url: str,
        events: Sequence[str],
        description: str = "",
        *,
        actor: str = COMMAND_LINE,
    ) -> WithSecret:
        """Make an endpoint that is told what happens from now on."""
        salt = secrets.token_bytes(_SALT_BYTES)
        given = {"url": url, "events": list(events), "description": description, "salt": salt}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["begin_feed"])
            [row] = await (await conn.execute(_shown("create"), given)).fetchall()
            detail = {"url": without_secrets(url), "events": list(events)}
            await note(conn, Deed(actor, "webhook.create", f"webhook {row['id']}", detail))
            return WithSecret(_webhook(row), secret_of(await hash_key(conn), salt))

    async def list(self, workspace_id: WorkspaceId) -> list[Webhook]:
        """Return all endpoints, newest first."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_shown("list"))).fetchall()
        return [_webhook(row) for row in rows]

    async def get(self, workspace_id: WorkspaceId, webhook_id: int) -> Webhook:
        """Return one endpoint. Raises: NotFound."""
        async with self._db.workspace(workspace_id) as conn:
            return await _get(conn, webhook_id)

    async def change(
        self,
        workspace_id: WorkspaceId,
        webhook_id: int,
        change: WebhookChange,
        meets: Meets[Webhook] = whatever,
        *,
        actor: str = COMMAND_LINE,
    ) -> Webhook:
        """Change an endpoint; enabled again it is told what it missed being told, and goes on.

        ``meets`` is shown it as it is until now.

        Raises: NotFound.
        """
        given = {
            "url": change.url,
            "description": change.description,
            "events": None if change.events is None else list(change.events),
        }
        async with self._db.workspace(workspace_id) as conn:
            await hold(conn, webhook_id)
            meets(await _get(conn, webhook_id))
            await conn.execute(_sql["change"], given | {"id": webhook_id})
            if change.disabled:
                await disable(conn, webhook_id, "asked")
            elif change.disabled is not None:
                await _enable(conn, webhook_id)
            told: dict[str, Any] = {k: value for k, value in given.items() if value is not None}
            if change.url is not None:
                told["url"] = without_secrets(change.url)
            if change.disabled is not None:
                told["disabled"] = change.disabled
            await note(conn, Deed(actor, "webhook.change", f"webhook {webhook_id}", told))
            return await _get(conn, webhook_id)

    async def remove(
        self,
        workspace_id: WorkspaceId,
        webhook_id: int,
        meets: Meets[Webhook] = whatever,
        *,
        actor: str = COMMAND_LINE,
    ) -> None:
        """Take an endpoint away, with the log of what it was told. Raises: NotFound."""
        async with self._db.workspace(workspace_id) as conn:
            await hold(conn, webhook_id)
            meets(await _get(conn, webhook_id))
            await conn.execute(_sql["remove"], {"id": webhook_id})
            await note(conn, Deed(actor, "webhook.remove", f"webhook {webhook_id}"))

    async def rotate(
        self,
        workspace_id: WorkspaceId,
        webhook_id: int,
        *,
        overlap_s: float,
        actor: str = COMMAND_LINE,
    ) -> WithSecret:
        """Make a new secret; for ``overlap_s`` seconds both sign. Raises: NotFound."""
        salt = secrets.token_bytes(_SALT_BYTES)
        given = {"id": webhook_id, "salt": salt, "overlap_s": overlap_s}
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_shown("rotate"), given)).fetchone()
            if row is None:
                raise _missing(webhook_id)
            detail = {"overlap_s": overlap_s}
            await note(conn, Deed(actor, "webhook.rotate", f"webhook {webhook_id}", detail))
            return WithSecret(_webhook(row), secret_of(await hash_key(conn), salt))

    async def job_secret(self, workspace_id: WorkspaceId) -> str:
        """Return what deliveries to the jobs' own URLs are signed with."""
        async with self._db.workspace(workspace_id) as conn:
            return secret_of(await hash_key(conn), JOBS_SALT)


async def hold(conn: Connection, webhook_id: int) -> dict[str, Any]:
    """Hold an endpoint until the transaction ends. Raises: NotFound."""
    row = await (await conn.execute(_sql["hold"], {"id": webhook_id})).fetchone()
    if row is None:
        raise _missing(webhook_id)
    return row


async def disable(conn: Connection, webhook_id: int, why: str) -> bool:
    """Tell a held endpoint nothing any more; return whether it was told until now."""
    params = {"id": webhook_id, "why": why}
    turned = await (await conn.execute(_sql["disable"], params)).fetchone()
    if turned is None:
        return False
    await conn.execute(_sql["shelve"], {"id": webhook_id})
    await append(conn, [NewEvent("webhook_disabled", {"webhook_id": webhook_id, "why": why})])
    return True


async def hash_key(conn: Connection) -> bytes:
    """Return the key that secrets of the transaction's workspace are made of."""
    [row] = await (await conn.execute(_sql["hash_key"])).fetchall()
    return bytes(row["hash_key"])


async def _enable(conn: Connection, webhook_id: int) -> None:
    await conn.execute(_sql["begin_feed"])
    await conn.execute(_sql["enable"], {"id": webhook_id})
    await conn.execute(_sql["unshelve"], {"id": webhook_id})


async def _get(conn: Connection, webhook_id: int) -> Webhook:
    row = await (await conn.execute(_shown("get"), {"id": webhook_id})).fetchone()
    if row is None:
        raise _missing(webhook_id)
    return _webhook(row)


def _missing(webhook_id: int) -> NotFound:
    return NotFound(f"there is no webhook {webhook_id}")


def _shown(name: str) -> LiteralString:
    return _sql[name].replace("{shown}", _sql["shown"])


def _webhook(row: dict[str, Any]) -> Webhook:
    return Webhook(**{one.name: row[one.name] for one in fields(Webhook)})
