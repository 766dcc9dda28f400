"""Alerts: many jobs of one kind died within an hour."""

from collections.abc import Mapping
from typing import NamedTuple

from glaze.model.value import Json, WorkspaceId
from glaze.store.attempt import encode
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("alert")


class Alert(NamedTuple):
    """``dead`` jobs of ``kind`` died within an hour, most of them with the error ``code``."""

    workspace_id: WorkspaceId
    kind: str
    dead: int
    alert_after: int  # the limit that was reached
    code: str | None


class AlertStore:
    """Looks at all workspaces, as a duty of any worker."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def alert(self, limits: Mapping[str, int]) -> list[Alert]:
        """Raise what is due and return it; ``limits`` are dead jobs within an hour, by kind.

        An alert is an event in its workspace's feed, at most one an hour for a kind, whoever asks
        and how often.
        """
        rows: list[Json] = [{"kind": kind, "alert_after": limit} for kind, limit in limits.items()]
        async with self._db.fleet() as conn:
            raised = await conn.execute(_sql["raise"], {"limits": encode(rows)})
            return [Alert(**row) for row in await raised.fetchall()]
