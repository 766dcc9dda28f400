"""Entities, their keys, what was observed of them, and the winners that answer from the cache."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from psycopg.types.json import Jsonb

from glaze.model.field import FIELDS, EntityKind
from glaze.model.observation import Kept, Observation, Winner
from glaze.model.request import Alternative
from glaze.model.value import (
    CallId,
    EntityId,
    FieldName,
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


Keys = Mapping[EntityKind, Sequence[Key]]
"""What leads to the entities of one input, by kind."""


@dataclass(frozen=True, slots=True)
class Remerge:
    """Entities to derive anew; ``merge`` is pure and is given the observations of them all."""

    entities: Entities
    merge: Merge


class EntityStore:
    """Reads and writes of entities. Every method is one transaction of one workspace."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def open(
        self, workspace_id: WorkspaceId, wanted: Sequence[Keys]
    ) -> list[tuple[dict[EntityKind, EntityId], dict[FieldName, Kept]]]:
        """Return for each the entities its keys lead to, and these entities' stored winners.

        Where no key leads anywhere the entity is made. Keys that lead to different entities show
        that these are one: the younger is merged into the oldest.
        """
        async with self._db.workspace(workspace_id) as conn:
            opened = await _resolve(conn, wanted)
            ids = sorted({id_ for entities in opened for id_ in entities.values()})
            rows = await (await conn.execute(_sql["cached"], {"entities": ids})).fetchall()
        kept: dict[int, dict[FieldName, Kept]] = {id_: {} for id_ in ids}
        for row in rows:
            kept[row["entity_id"]][FieldName(row["field"])] = _kept(row)
        return [
            (entities, {n: k for id_ in entities.values() for n, k in kept[id_].items()})
            for entities in opened
        ]

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
            await hold_homes(conn, entities.values())
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
        self, workspace_id: WorkspaceId, wanted: Sequence[Remerge]
    ) -> list[dict[FieldName, Kept]]:
        """Derive winners anew from all observations, under the entities' locks."""
        async with self._db.workspace(workspace_id) as conn:
            wanted, rows = await _locked(conn, wanted)
            ids = _ids(wanted)
            seen: dict[int, list[dict[str, Any]]] = {id_: [] for id_ in ids}
            for row in rows:
                seen[row["entity_id"]].append(row)
            merged = [_merged(one, seen) for one in wanted]
            stored = Jsonb(
                list(
                    {
                        (row["entity_id"], row["field"]): row
                        for one, kept in zip(wanted, merged, strict=True)
                        for row in _winner_rows(one, kept)
                    }.values()
                )
            )
            await conn.execute(_sql["keep_winners"], {"winners": stored})
            await conn.execute(_sql["clear_losers"], {"winners": stored, "entities": ids})
        return merged


async def hold_homes(conn: Connection, entities: Collection[int]) -> None:
    """Keep these entities, and those they were merged into, from being merged until the commit."""
    held: set[int] = set()
    wanted = set(entities)
    while wanted - held:  # again where one was merged while we waited for it
        cursor = await conn.execute(_sql["hold_homes"], {"entities": sorted(wanted)})
        rows = await cursor.fetchall()
        held = wanted | {row["id"] for row in rows}
        wanted = held | {row["merged_into"] for row in rows if row["merged_into"]}


def _ids(wanted: Sequence[Remerge]) -> list[EntityId]:
    return sorted({id_ for one in wanted for id_ in one.entities.values()})


async def _locked(
    conn: Connection, wanted: Sequence[Remerge]
) -> tuple[Sequence[Remerge], list[dict[str, Any]]]:
    """Lock the entities and read what was observed; those merged away give way to who is left."""
    ids = {"entities": _ids(wanted)}
    locked = await conn.execute(_sql["lock_entities"], ids)
    seen = await conn.execute(_sql["observations"], ids)
    into = {row["id"]: row["merged_into"] for row in await locked.fetchall() if row["merged_into"]}
    if not into:
        return wanted, await seen.fetchall()
    left = [
        replace(one, entities={kind: into.get(id_, id_) for kind, id_ in one.entities.items()})
        for one in wanted
    ]
    return await _locked(conn, left)


async def _resolve(conn: Connection, wanted: Sequence[Keys]) -> list[dict[EntityKind, EntityId]]:
    groups = [(i, kind, keys) for i, want in enumerate(wanted) for kind, keys in want.items()]
    rows = [
        {"ord": ord_, "kind": kind, "scheme": key.scheme, "key": key.value}
        for ord_, (_, kind, keys) in enumerate(groups)
        for key in keys
    ]
    found = await _find(conn, rows)
    if await _lead_all(conn, rows, found, [kind for _, kind, _ in groups]):
        found = await _find(conn, rows)
    opened: list[dict[EntityKind, EntityId]] = [{} for _ in wanted]
    into: dict[int, int] = {}
    for ord_, (i, kind, _) in enumerate(groups):
        oldest, *younger = sorted({into.get(id_, id_) for id_, _ in found[ord_]})
        for one in younger:
            oldest = into[one] = await _merge(conn, one, oldest)
        opened[i][kind] = EntityId(oldest)
    return [
        {kind: EntityId(into.get(id_, id_)) for kind, id_ in entities.items()}
        for entities in opened
    ]


async def _merge(conn: Connection, younger: int, older: int) -> int:
    """Let the younger entity become the older one; return who is left of the two."""
    cursor = await conn.execute(_sql["lock_to_merge"], {"entities": [older, younger]})
    gone = {row["id"]: row["merged_into"] for row in await cursor.fetchall()}
    left = gone.get(older) or older  # the older one may have been merged meanwhile
    if not gone.get(younger):
        await conn.execute(_sql["repoint"], {"into": left, "from": younger})
    return left


async def _lead_all(
    conn: Connection,
    rows: Sequence[Mapping[str, Any]],
    found: Mapping[int, set[tuple[int, int]]],
    kinds: Sequence[EntityKind],
) -> bool:
    """Make the entities that no key leads to, and lead every new key; tell whether any was new."""
    homeless = [ord_ for ord_ in range(len(kinds)) if not found[ord_]]
    lengths = Counter(row["ord"] for row in rows)
    if not homeless and all(len(found[ord_]) >= lengths[ord_] for ord_ in lengths):
        return False
    made = []
    if homeless:
        cursor = await conn.execute(_sql["make"], {"kinds": [kinds[ord_] for ord_ in homeless]})
        made = [row["id"] for row in await cursor.fetchall()]
    home = {ord_: min(id_ for id_, _ in found[ord_]) for ord_ in found if found[ord_]}
    home |= dict(zip(homeless, made, strict=True))
    led = Jsonb([{**row, "entity_id": home[row["ord"]]} for row in rows])
    await conn.execute(_sql["claim_keys"], {"keys": led})
    if made:  # somebody else, or a twin in this group, may have been quicker
        used = {id_ for ids in (await _find(conn, rows)).values() for id_, _ in ids}
        orphans = [id_ for id_ in made if id_ not in used]
        if orphans:
            await conn.execute(_sql["forget"], {"entities": orphans})
    return True


async def _find(
    conn: Connection, rows: Sequence[Mapping[str, Any]]
) -> dict[int, set[tuple[int, int]]]:
    """Return for each ord the entities found, each with the number of the key that led there."""
    numbered = [{**row, "n": n} for n, row in enumerate(rows)]
    cursor = await conn.execute(_sql["find"], {"keys": Jsonb(numbered)})
    found: dict[int, set[tuple[int, int]]] = {row["ord"]: set() for row in rows}
    for row in await cursor.fetchall():
        found[row["ord"]].add((row["entity_id"], row["n"]))
    return found


def _merged(wanted: Remerge, seen: Mapping[int, Sequence[dict[str, Any]]]) -> dict[FieldName, Kept]:
    rows = [row for id_ in sorted(set(wanted.entities.values())) for row in seen[id_]]
    job_of = {row["id"]: row["job_id"] for row in rows}
    winners = wanted.merge([_observation(row) for row in rows])
    return {
        name: Kept(winner, job_of.get(winner.observation.id))
        for name, winner in winners.items()
        if winner.observation.id is not None
    }


def _winner_rows(wanted: Remerge, kept: Mapping[FieldName, Kept]) -> list[dict[str, object]]:
    return [
        _winner_row(wanted.entities[FIELDS[name].entity], kept[name].winner)
        for name in sorted(kept)
        if FIELDS[name].entity in wanted.entities
    ]


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
