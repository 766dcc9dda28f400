"""Entities as people see them: who is known, by which keys, and what was ever stated of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from glaze.errors import NotFound
from glaze.model.field import EntityKind
from glaze.model.value import CallId, EntityId, FieldName, JobId, Json, Micros, WorkspaceId
from glaze.store.attempt import Row
from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("entity_view")

_ABOVE_ALL = 2**63 - 1


@dataclass(frozen=True, slots=True)
class EntityView:
    """A company or person; ``names`` are the few fields by which people know it."""

    id: EntityId
    kind: EntityKind
    created_at: datetime
    employer_id: EntityId | None  # of a person: the company that was named beside it
    keys: Sequence[tuple[str, str]] = ()  # (scheme, key)
    names: Mapping[FieldName, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stated:
    """What one source stated once. Money in micros; the time is aware UTC."""

    id: int
    field: FieldName
    value: Json
    raw: str | None
    confidence: int
    provider: str
    source_url: str | None
    quote: str | None
    call_id: CallId
    cost_micros: Micros
    retrieved_at: datetime
    job_id: JobId | None


class EntityViews:
    """Reads of entities. Every method is one transaction of one workspace."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def page(
        self,
        workspace_id: WorkspaceId,
        n: int,
        *,
        kind: EntityKind | None = None,
        before: int | None = None,
    ) -> list[EntityView]:
        """Return up to ``n`` entities below the id ``before``, newest first."""
        below = _ABOVE_ALL if before is None else before
        async with self._db.workspace(workspace_id) as conn:
            rows = await _rows(conn, "page", kind=kind, before=below, n=n)
            return await _views(conn, rows)

    async def get(self, workspace_id: WorkspaceId, entity: EntityId) -> EntityView:
        """Return an entity, or the one that it turned out to be. Raises: NotFound."""
        async with self._db.workspace(workspace_id) as conn:
            views = await _views(conn, await _rows(conn, "one", id=entity))
        if not views:
            raise NotFound(f"there is no entity {entity}")
        return views[0]

    async def history(
        self,
        workspace_id: WorkspaceId,
        entity: EntityId,
        n: int,
        *,
        field: FieldName | None = None,
        before: int | None = None,
    ) -> list[Stated]:
        """Return what sources stated, newest first, below the id ``before``."""
        below = _ABOVE_ALL if before is None else before
        async with self._db.workspace(workspace_id) as conn:
            rows = await _rows(conn, "history", entity=entity, field=field, before=below, n=n)
        return [Stated(**row) for row in rows]


async def _views(conn: Connection, rows: Sequence[Row]) -> list[EntityView]:
    ids = [row["id"] for row in rows]
    keys: dict[int, list[tuple[str, str]]] = {id_: [] for id_ in ids}
    names: dict[int, dict[FieldName, Json]] = {id_: {} for id_ in ids}
    for one in await _rows(conn, "keys", entities=ids):
        keys[one["entity_id"]].append((one["scheme"], one["key"]))
    for one in await _rows(conn, "names", entities=ids):
        names[one["entity_id"]][one["field"]] = one["value"]
    return [
        EntityView(**row | {"kind": EntityKind(row["kind"])}, keys=keys[id_], names=names[id_])
        for id_, row in zip(ids, rows, strict=True)
    ]


async def _rows(conn: Connection, statement: str, /, **params: object) -> list[Row]:
    return await (await conn.execute(_sql[statement], params)).fetchall()
