"""Budgets: what may be spent for whom, in which period, and prices that a vendor has passed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from glaze.model.access import COMMAND_LINE
from glaze.model.ledger import Allowance, Budget, PausedPrice
from glaze.model.value import MICROS_PER_CENT, BudgetId, Json, Micros, WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.statements import statements
from glaze.store.turns import Meets, take_turn, whatever

_sql = statements("budget")

WHOLE_WORKSPACE = ""
"""In place of a provider's name: the cap is the workspace's, for each day."""

StandingCaps = Mapping[str, Micros]
"""Caps for every period to come: by provider for each month, by ``WHOLE_WORKSPACE`` for each day."""


@dataclass(frozen=True, slots=True)
class BudgetCap:
    """A budget by its scope (job, batch, workspace_day, provider_month) and key."""

    scope: str
    scope_key: str
    cap_micros: Micros


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A budget as people see it. Money in micros; ``id`` is None before it is first spent from."""

    id: BudgetId | None
    scope: str
    scope_key: str
    cap_micros: Micros
    reserved_micros: Micros
    spent_micros: Micros
    overrun_micros: Micros  # of what was spent, that which passed its reservation
    by_default: bool | None  # of a standing cap: whether it comes from the settings

    @property
    def provider(self) -> str | None:
        """Of a standing cap: whose it is, ``WHOLE_WORKSPACE`` for each day's."""
        if self.scope == "workspace_day":
            return WHOLE_WORKSPACE
        return self.scope_key.partition("/")[0] if self.scope == "provider_month" else None

    @property
    def left_micros(self) -> Micros:
        """What may still be reserved."""
        return Micros(max(0, self.cap_micros - self.spent_micros - self.reserved_micros))


class BudgetStore:
    """Reads budgets for people, and takes the caps that they set."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def in_force(self, workspace_id: WorkspaceId, defaults: StandingCaps) -> list[BudgetView]:
        """Return the standing caps; ``defaults`` hold where the workspace set none of its own."""
        async with self._db.workspace(workspace_id) as conn:
            return _views(await _fetch(conn, "in_force", defaults=_defaults(defaults)))

    async def standing(self, workspace_id: WorkspaceId, defaults: StandingCaps) -> Allowance:
        """Return what the standing caps leave now and which prices are paused; nothing is written."""
        caps = tuple(
            Budget(
                view.id or BudgetId(0),
                view.scope,
                view.scope_key,
                view.provider or None,
                view.cap_micros,
                view.left_micros,
            )
            for view in await self.in_force(workspace_id, defaults)
        )
        return Allowance(caps, tuple(await self.paused(workspace_id)))

    async def page(self, workspace_id: WorkspaceId, n: int) -> list[BudgetView]:
        """Return the ``n`` newest budgets of every scope and period."""
        async with self._db.workspace(workspace_id) as conn:
            return _views(await _fetch(conn, "page", n=n))

    async def paused(self, workspace_id: WorkspaceId) -> list[PausedPrice]:
        """Return the prices that a vendor has passed."""
        async with self._db.workspace(workspace_id) as conn:
            return [_paused(row) for row in await _fetch(conn, "paused")]

    async def own_cap(self, workspace_id: WorkspaceId, provider: str) -> Micros | None:
        """Return the standing cap that the workspace set itself, or None."""
        async with self._db.workspace(workspace_id) as conn:
            return await _own(conn, provider)

    async def set_cap(
        self,
        workspace_id: WorkspaceId,
        provider: str,
        cap: Micros,
        meets: Meets[Micros | None] = whatever,
        *,
        actor: str = COMMAND_LINE,
    ) -> BudgetView:
        """Set a standing cap, and return the budget of the present day or month under it.

        Below what is committed there already it is clamped at that. ``meets`` is shown the cap that
        the workspace set before.
        """
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, "budget")
            meets(await _own(conn, provider))
            await conn.execute(_sql["set_cap"], {"provider": provider, "cap": cap})
            detail: dict[str, Json] = {"cap_cents": cap // MICROS_PER_CENT}
            await note(conn, Deed(actor, "budget.set", provider or "day", detail))
            allowance = await ensure(conn, [], {})
            (held,) = (one.id for one in allowance.budgets if one.provider == (provider or None))
            (view,) = (
                one
                for one in _views(await _fetch(conn, "in_force", defaults=_defaults({})))
                if one.id == held
            )
        return view

    async def remove_cap(
        self,
        workspace_id: WorkspaceId,
        provider: str,
        meets: Meets[Micros | None] = whatever,
        *,
        actor: str = COMMAND_LINE,
    ) -> bool:
        """Remove a standing cap; tell whether there was one."""
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, "budget")
            meets(await _own(conn, provider))
            removed = bool(await _fetch(conn, "remove_cap", provider=provider))
            if removed:
                await note(conn, Deed(actor, "budget.remove", provider or "day"))
        return removed

    async def resume(
        self,
        workspace_id: WorkspaceId,
        provider: str,
        operation: str | None,
        *,
        actor: str = COMMAND_LINE,
    ) -> list[str]:
        """Ask at paused prices again; return the operations of ``provider`` that were paused."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "resume", provider=provider, operation=operation)
            resumed = sorted(row["operation"] for row in rows)
            if resumed:
                detail: dict[str, Json] = {"operations": [*resumed]}
                await note(conn, Deed(actor, "price.resume", provider, detail))
        return resumed


async def ensure(conn: Connection, caps: Sequence[BudgetCap], defaults: StandingCaps) -> Allowance:
    """Return what may be spent under ``caps`` and the standing ones, within the caller's transaction.

    Budgets are made, or brought to their cap, where needed.
    """
    given = Jsonb(
        [{"scope": c.scope, "scope_key": c.scope_key, "cap_micros": c.cap_micros} for c in caps]
    )
    while True:
        made = await conn.execute(_sql["ensure"], {"caps": given, "defaults": _defaults(defaults)})
        paused = await conn.execute(_sql["paused"])
        rows = await made.fetchall()
        if all(row["id"] is not None for row in rows):
            budgets = tuple(Budget(**row) for row in rows)
            return Allowance(budgets, tuple(_paused(row) for row in await paused.fetchall()))


async def _own(conn: Connection, provider: str) -> Micros | None:
    rows = await _fetch(conn, "own_cap", provider=provider)
    return Micros(rows[0]["cap_micros"]) if rows else None


def _defaults(caps: StandingCaps) -> Jsonb:
    return Jsonb([{"provider": name, "cap_micros": cap} for name, cap in sorted(caps.items())])


def _views(rows: Sequence[Mapping[str, Any]]) -> list[BudgetView]:
    return [BudgetView(**row) for row in rows]


def _paused(row: Mapping[str, Any]) -> PausedPrice:
    return PausedPrice(**row)


async def _fetch(conn: Connection, name: str, **params: object) -> list[dict[str, Any]]:
    return await (await conn.execute(_sql[name], params)).fetchall()
