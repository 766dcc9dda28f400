"""What a batch has cost so far, by provider, for whoever looks again and again while it runs."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from glaze.model.value import BatchId, WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import as_array, statements

_sql = statements("ledger")
_SUMS = ("calls", "matches", "price_micros", "unknown_micros", "unknown_calls")


class BatchSpend:
    """Sums a batch's calls up. Each look reads on from where nothing can change any more.

    One look alone reads every call of the batch. Not for two looks at once.
    """

    def __init__(self, db: Database, workspace_id: WorkspaceId, batch_id: BatchId) -> None:
        """Begin before the first call."""
        self._db = db
        self._workspace_id = workspace_id
        self._batch_id = batch_id
        self._ended: dict[str, Counter[str]] = defaultdict(Counter)
        self._after = 0  # calls up to here are in the sums, or open
        self._open: list[int] = []
        self._seen, self._horizon = 0, "0"  # the last call of a look, and what was under way then

    async def look(self) -> list[dict[str, Any]]:
        """Return a row a provider: calls, matches, price_micros, unknown_micros, unknown_calls."""
        params = {
            "batch": self._batch_id,
            "after": self._after,
            "open": as_array(self._open),
            "seen": self._seen,
            "horizon": self._horizon,
        }
        async with self._db.workspace(self._workspace_id) as conn:
            rows = await (await conn.execute(_sql["spend_of_batch"], params)).fetchall()
        if rows:
            self._move(rows)
        found = {provider: Counter(sums) for provider, sums in self._ended.items()}
        for row in rows:
            if not row["ended"]:
                found.setdefault(row["provider"], Counter()).update(_sums(row))
        return [
            {"provider": provider} | {name: found[provider][name] for name in _SUMS}
            for provider in sorted(found)
        ]

    def _move(self, rows: list[dict[str, Any]]) -> None:
        """Keep what has ended for good, and go on from there."""
        for row in rows:
            if row["ended"]:
                self._ended[row["provider"]].update(_sums(row))
        self._open = sorted(id_ for row in rows for id_ in row["open"])
        self._after = rows[0]["settled_to"]
        if self._after >= self._seen:  # the next place to reach
            self._seen = max(self._after, *(row["last"] for row in rows))
            self._horizon = rows[0]["horizon"]


def _sums(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(row[name]) for name in _SUMS}
