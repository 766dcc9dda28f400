"""Entities, their keys, what was observed of them, and the winners that answer from the cache."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from psycopg.types.json import Jsonb

from glaze.model.field import FIELDS, EntityKind
from glaze.model.observation import Observation, Winner
from glaze.model.request import Alternative
from glaze.model.value import (
    CallId,
    EntityId,
    FieldName,
    JobId,
    Micros,
    ObservationId,
    Reading,
    WorkspaceId,
)
from glaze.store.database import Connection, Database
from glaze.store.statements import statements
from glaze.store.text import storable

_sql = statements("entity")

Entities = Mapping[EntityKind, EntityId]
Merge = Callable[[Sequence[Observation]], Mapping[FieldName, Winner]]


class Key(Protocol):
    """What leads to an entity: a domain, an email, a profile slug."""

    @property
    def scheme(self) -> str:
        """What sort of key."""

    @property
    def value(self) -> str:
        """The normalised key."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored winner, and the job whose call brought it."""

    winner: Winner
    job_id: JobId | None


class EntityStore:
    """Reads and writes of entities. Every method is one transaction of one workspace."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def resolve(
        self, workspace_id: WorkspaceId, keys: Mapping[EntityKind, Sequence[Key]]
    ) -> dict[EntityKind, EntityId]:
        """Return the entity that each kind's keys lead to, made where there is none.

        Keys that lead to different entities show that these are one: the younger is merged into
        the oldest.
        """
        async with self._db.workspace(workspace_id) as conn:
            return {kind: await _resolve(conn, kind, some) for kind, some in keys.items() if some}

    async def cached(
        self, workspace_id: WorkspaceId, entities: Entities, fields: Sequence[FieldName]
    ) -> dict[FieldName, Kept]:
        """Return the stored winners of ``fields``, fresh or not."""
        async with self._db.workspace(workspace_id) as conn:
            cursor = await conn.execute(
                _sql["cached"], {"entities": list(entities.values()), "fields": list(fields)}
            )
            rows = await cursor.fetchall()
        return {FieldName(row["field"]): _kept(row) for row in rows}

    async def adopt(
        self, workspace_id: WorkspaceId, call_id: CallId, entities: Entities
    ) -> tuple[Reading, ...]:
        """Return what a settled call brought, kept for ``entities`` too if it was for others."""
        params = {
            "call": call_id,
            "entities": Jsonb(
                [{"prefix": f"{kind}_", "entity_id": id_} for kind, id_ in entities.items()]
            ),
        }
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["adopt"], params)
            cursor = await conn.execute(
                _sql["readings_of_call"], {"call": call_id, "entities": list(entities.values())}
            )
            rows = await cursor.fetchall()
        return tuple(
            Reading(
                field=FieldName(row["field"]),
                value=row["value"],
                confidence=row["confidence"],
                quote=row["quote"],
                url=row["source_url"],
                raw=row["raw"],
            )
            for row in rows
        )

    async def remerge(
        self, workspace_id: WorkspaceId, entities: Entities, merge: Merge
    ) -> dict[FieldName, Kept]:
        """Derive the winners anew from all observations, under the entities' locks.

        ``merge`` is pure: it is given the observations of all ``entities`` and returns winners.
        """
        ids = sorted(set(entities.values()))
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["lock_entities"], {"entities": ids})
            rows = await (await conn.execute(_sql["observations"], {"entities": ids})).fetchall()
            job_of = {row["id"]: row["job_id"] for row in rows}
            winners = merge([_observation(row) for row in rows])
            kept = {
                name: Kept(winner, job_of.get(winner.observation.id))
                for name, winner in winners.items()
                if winner.observation.id is not None
            }
            stored = Jsonb(
                [
                    _winner_row(entities[FIELDS[name].entity], kept[name].winner)
                    for name in sorted(kept)
                    if FIELDS[name].entity in entities
                ]
            )
            await conn.execute(_sql["keep_winners"], {"winners": stored})
            await conn.execute(_sql["clear_losers"], {"winners": stored, "entities": ids})
        return kept


async def _resolve(conn: Connection, kind: EntityKind, keys: Sequence[Key]) -> EntityId:
    rows = Jsonb(
        [
            {"ord": i, "kind": kind, "scheme": key.scheme, "key": key.value}
            for i, key in enumerate(keys)
        ]
    )
    found = await _find(conn, rows)
    if len(found) == 1:
        complete = len(keys) == 1
        if not complete:
            await conn.execute(_sql["claim_keys"], {"keys": rows, "entity": found[0]})
        return EntityId(found[0])
    if not found:
        made = await (await conn.execute(_sql["make"], {"kind": kind})).fetchone()
        mine = made["id"] if made else 0
        await conn.execute(_sql["claim_keys"], {"keys": rows, "entity": mine})
        found = await _find(conn, rows)
        if mine not in found:  # somebody else was quicker
            await conn.execute(_sql["forget"], {"from": mine})
    oldest = found[0]
    for younger in found[1:]:
        await conn.execute(_sql["repoint"], {"into": oldest, "from": younger})
        await conn.execute(_sql["forget"], {"from": younger})
    if len(found) > 1:
        await conn.execute(_sql["claim_keys"], {"keys": rows, "entity": oldest})
    return EntityId(oldest)


async def _find(conn: Connection, keys: Jsonb) -> list[int]:
    rows = await (await conn.execute(_sql["find"], {"keys": keys})).fetchall()
    return sorted({row["entity_id"] for row in rows})


def _observation(row: Mapping[str, Any]) -> Observation:
    return Observation(
        field=FieldName(row["field"]),
        value=row["value"],
        confidence=row["confidence"],
        provider=row["provider"],
        retrieved_at=row["retrieved_at"],
        source_url=row["source_url"],
        quote=row["quote"],
        raw=row["raw"],
        call_id=CallId(row["call_id"]),
        cost_micros=Micros(row["cost_micros"]),
        id=ObservationId(row["id"]),
    )


def _kept(row: Mapping[str, Any]) -> Kept:
    observation = _observation(
        dict(row) | {"id": row["observation_id"], "confidence": row["own_confidence"]}
    )
    alternatives = tuple(Alternative.model_validate(a) for a in row["alternatives"])
    return Kept(Winner(observation, row["confidence"], alternatives), row["job_id"])


def _winner_row(entity: EntityId, winner: Winner) -> dict[str, object]:
    observation = winner.observation
    return {
        "entity_id": entity,
        "field": observation.field,
        "value": storable(observation.value),
        "confidence": winner.confidence,
        "observation_id": observation.id,
        "retrieved_at": observation.retrieved_at.isoformat(),
        "alternatives": [storable(a.model_dump(mode="json")) for a in winner.alternatives],
    }
