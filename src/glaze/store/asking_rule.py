"""The rules by which each workspace has its jobs ask."""

from collections.abc import Sequence
from typing import Any

from glaze.model.asking_rule import AskingRule, Way
from glaze.model.value import WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.statements import statements
from glaze.store.turns import Meets, take_turn, whatever

_sql = statements("asking_rule")


class AskingRuleStore:
    """Reads and writes of the rules; each is one transaction."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def of(self, workspace_id: WorkspaceId) -> list[AskingRule]:
        """Return a workspace's rules, by kind and field."""
        async with self._db.workspace(workspace_id) as conn:
            return await _all(conn)

    async def put(
        self,
        workspace_id: WorkspaceId,
        rule: AskingRule,
        actor: str,
        meets: Meets[Sequence[AskingRule]] = whatever,
    ) -> Sequence[AskingRule]:
        """Let a rule hold in place of the one about the same kind and field; return all that hold.

        ``meets`` is shown those that hold until now.
        """
        way = rule.way
        said = {
            "order": None if way.order is None else [*way.order],
            "floor": way.floor,
            "providers": None if way.providers is None else [*way.providers],
        }
        about = {"kind": rule.kind, "field": rule.field}
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, "order")
            meets(await _all(conn))
            await conn.execute(_sql["put"], about | said)
            await note(conn, Deed(actor, "order.set", _named(rule.kind, rule.field), said))
            return await _all(conn)

    async def remove(
        self,
        workspace_id: WorkspaceId,
        kind: str,
        field: str,
        actor: str,
        meets: Meets[Sequence[AskingRule]] = whatever,
    ) -> bool:
        """Remove the rule about a kind and a field; tell whether there was one."""
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, "order")
            meets(await _all(conn))
            cursor = await conn.execute(_sql["remove"], {"kind": kind, "field": field})
            if await cursor.fetchone() is None:
                return False
            await note(conn, Deed(actor, "order.remove", _named(kind, field)))
        return True


async def _all(conn: Connection) -> list[AskingRule]:
    rows = await (await conn.execute(_sql["all"])).fetchall()
    return [_rule(row) for row in rows]


def _named(kind: str, field: str) -> str:
    return f"{kind or '*'} {field or '*'}"


def _rule(row: dict[str, Any]) -> AskingRule:
    order, providers = row["ask_first"], row["providers"]
    way = Way(
        None if order is None else tuple(order),
        row["floor"],
        None if providers is None else tuple(providers),
    )
    return AskingRule(row["kind"], row["field"], way)
