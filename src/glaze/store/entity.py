"""Entities, their keys, what was observed of them, and the winners that answer from the cache."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress
from typing import Any, Protocol

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from glaze.errors import NotFound
from glaze.model.belief import USER
from glaze.model.decision import Act, Decision
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
from glaze.store.icp import score_merged
from glaze.store.statements import statements
from glaze.store.suppression import Stated, suppressed, turned_out
from glaze.store.text import storable

_sql = statements("entity")

Entities = Mapping[EntityKind, EntityId]
Unchanged = Callable[[Decision | None], None]
"""Sees what stands decided, None for nothing; raises where that is another than was seen."""
Merge = Callable[[Sequence[Observation], datetime], Mapping[FieldName, Winner]]


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


STRONG = frozenset({"email", "domain", "linkedin"})
"""Schemes whose keys are one entity's alone; names and the caller's own ids may be shared."""

Place = tuple[EntityKind, str, str]
Strong = dict[int, set[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Remerge:
    """Entities to derive anew; ``merge`` is pure and is given the observations of them all.

    ``now`` is the moment up to which it counts their age: it is kept, so that the same can be
    derived again later.
    """

    entities: Entities
    merge: Merge
    now: datetime


@dataclass(frozen=True, slots=True)
class Since:
    """Winners that are asked for: of ``fields`` those that a person decided or that are newer than ``at``.

    Those of ``always`` count whatever their age.
    """

    fields: Collection[FieldName]
    at: datetime
    always: Collection[FieldName] = ()


class EntityStore:
    """Reads and writes of entities. Every method is one transaction of one workspace."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def open(
        self, workspace_id: WorkspaceId, wanted: Sequence[Keys]
    ) -> list[tuple[dict[EntityKind, EntityId], dict[FieldName, Kept]] | None]:
        """Return for each the entities its keys lead to, and these entities' stored winners.

        None where one of its keys is that of a suppressed person: then none is made or looked at.

        The strongest key that leads anywhere decides; where none does the entity is made. Strong
        keys that lead to different entities show that these are one, unless each has an email, a
        domain or a profile of its own: the younger is merged into the older.
        """
        async with self._db.workspace(workspace_id) as conn:
            barred = await suppressed(conn, lambda: {s for one in wanted for s in _people(one)})
            let_in = [barred.isdisjoint(_people(one)) for one in wanted] if barred else None
            meant = wanted if let_in is None else [*compress(wanted, let_in)]
            opened = await _resolve(conn, meant)
            ids = sorted({id_ for entities in opened for id_ in entities.values()})
            rows = await (await conn.execute(_sql["cached"], {"entities": ids})).fetchall()
        kept: dict[int, dict[FieldName, Kept]] = {id_: {} for id_ in ids}
        for row in rows:
            kept[row["entity_id"]][FieldName(row["field"])] = _kept(row)
        found = iter(
            (entities, {n: k for id_ in entities.values() for n, k in kept[id_].items()})
            for entities in opened
        )
        return [next(found) if good else None for good in let_in or [True] * len(wanted)]

    async def recall(
        self, workspace_id: WorkspaceId, wanted: Sequence[Keys]
    ) -> list[tuple[dict[EntityKind, EntityId], dict[FieldName, Kept]] | None]:
        """Return for each what ``open`` would, as far as it would change nothing by it, else None.

        So each of its keys has to lead to the same entity already. Whether somebody is suppressed
        is not asked here.
        """
        places = {p for one in wanted for kind, keys in one.items() for p in _places(kind, keys)}
        rows = await self._db.workspace_rows(
            workspace_id, _sql["recall"], {"keys": _asked(places)}, row_factory=dict_row
        )
        ways: dict[Place, int] = {}
        kept: dict[int, dict[FieldName, Kept]] = {}
        for row in rows:
            id_ = row["entity_id"]
            ways[EntityKind(row["kind"]), row["scheme"], row["key"]] = id_
            fields = kept.setdefault(id_, {})
            if row["field"] is not None and row["field"] not in fields:
                fields[FieldName(row["field"])] = _kept(row)
        return [_recalled(one, ways, kept) for one in wanted]

    async def barred(self, workspace_id: WorkspaceId, stated: Sequence[Stated]) -> list[bool]:
        """Tell for each whether it names somebody about whom nothing may be kept.

        They are suppressed by all of it from then on.
        """
        async with self._db.workspace(workspace_id) as conn:
            return [await turned_out(conn, one) for one in stated]

    async def peek(
        self, workspace_id: WorkspaceId, wanted: Sequence[Keys], *, since: Since | None = None
    ) -> list[dict[FieldName, Kept]]:
        """Return the stored winners of the entities that these keys lead to; nothing is made.

        With ``since`` only those that it names.
        """
        places = {p for one in wanted for kind, keys in one.items() for p in _places(kind, keys)}
        async with self._db.workspace(workspace_id) as conn:
            ways = await _find(conn, places)
            strong = await _strong(conn, set(ways.values()))
            homes = [
                {_home(ways, strong, _places(kind, keys)) for kind, keys in one.items()} - {None}
                for one in wanted
            ]
            ids = sorted({home for found in homes for home in found if home is not None})
            rows = await _winners(conn, ids, since)
        kept: dict[int | None, dict[FieldName, Kept]] = {id_: {} for id_ in ids}
        for row in rows:
            kept[row["entity_id"]][FieldName(row["field"])] = _kept(row)
        return [{n: k for home in found for n, k in kept[home].items()} for found in homes]

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
            await conn.execute(_sql["hold_call"], {"call": call_id})
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
        """Derive winners anew from all observations and decisions, under the entities' locks."""
        async with self._db.workspace(workspace_id) as conn:
            return await derive(conn, wanted)

    async def find(self, workspace_id: WorkspaceId, keys: Keys) -> dict[EntityKind, EntityId]:
        """Return the entities that these keys lead to, as far as there are any; none is made."""
        return (await self.homes(workspace_id, [keys]))[0]

    async def homes(
        self, workspace_id: WorkspaceId, wanted: Sequence[Keys]
    ) -> list[dict[EntityKind, EntityId]]:
        """Return for each what ``find`` does, in one transaction."""
        places = [{kind: _places(kind, own) for kind, own in one.items()} for one in wanted]
        asked = {place for one in places for own in one.values() for place in own}
        async with self._db.workspace(workspace_id) as conn:
            ways = await _find(conn, asked)
            strong = await _strong(conn, set(ways.values()))
        led = [{kind: _home(ways, strong, own) for kind, own in one.items()} for one in places]
        return [
            {kind: EntityId(id_) for kind, id_ in one.items() if id_ is not None} for one in led
        ]

    async def known(
        self, workspace_id: WorkspaceId, entity: EntityId
    ) -> tuple[list[Observation], list[Decision]]:
        """Return all that sources stated of an entity, and what was decided."""
        ids = {"entities": [entity]}
        async with self._db.workspace(workspace_id) as conn:
            seen = await (await conn.execute(_sql["observations"], ids)).fetchall()
            decided = await (await conn.execute(_sql["decisions"], ids)).fetchall()
        return [_observation(row) for row in seen], [_decision(row) for row in decided]

    async def decide(
        self,
        workspace_id: WorkspaceId,
        wanted: Remerge,
        decision: Decision,
        unchanged: Unchanged,
    ) -> dict[FieldName, Kept]:
        """Record a decision of a person and merge its entity anew, in one transaction.

        ``unchanged`` sees the decision that is to be replaced, and raises where it is another than was seen.
        """
        params = {
            "field": decision.field,
            "value": Jsonb(storable(decision.value)),
            "act": decision.act.value,
            "by": decision.by,
        }
        async with self._db.workspace(workspace_id) as conn:
            (left,), _ = await _locked(conn, [wanted])
            entity = left.entities.get(FIELDS[decision.field].entity)
            if entity is None:
                raise NotFound("whom this is about was erased")
            unchanged(await _decided(conn, entity, decision.field))
            await conn.execute(_sql["decide"], {**params, "entity": entity})
            return (await derive(conn, [left]))[0]

    async def undecide(
        self,
        workspace_id: WorkspaceId,
        wanted: Remerge,
        field: FieldName,
        unchanged: Unchanged,
    ) -> bool:
        """Take a decision back and merge anew; False where nothing was decided."""
        async with self._db.workspace(workspace_id) as conn:
            (left,), _ = await _locked(conn, [wanted])
            entity = left.entities.get(FIELDS[field].entity)
            if entity is None:
                return False
            unchanged(await _decided(conn, entity, field))
            gone = await conn.execute(_sql["undecide"], {"entity": entity, "field": field})
            if await gone.fetchone() is None:
                return False
            await derive(conn, [left])
            return True


async def _decided(conn: Connection, entity: EntityId, field: FieldName) -> Decision | None:
    """Return what stands decided of a field of an entity whose lock is held."""
    cursor = await conn.execute(_sql["decisions"], {"entities": [entity]})
    found = [_decision(row) for row in await cursor.fetchall()]
    return next((one for one in found if one.field == field), None)


async def derive(conn: Connection, wanted: Sequence[Remerge]) -> list[dict[FieldName, Kept]]:
    """Derive winners anew within the caller's transaction, which holds the entities' locks."""
    wanted, rows = await _locked(conn, wanted)
    ids = _ids(wanted)
    seen: dict[int, list[dict[str, Any]]] = {id_: [] for id_ in ids}
    for row in rows:
        seen[row["entity_id"]].append(row)
    decided: dict[int, list[Decision]] = {id_: [] for id_ in ids}
    cursor = await conn.execute(_sql["decisions"], {"entities": ids})
    for row in await cursor.fetchall():
        decided[row["entity_id"]].append(_decision(row))
    merged = [_merged(one, seen, decided) for one in wanted]
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
    moments = [moment for one in wanted for moment in _moments(one)]
    await conn.execute(_sql["note_merge"], {"moments": Jsonb(moments)})
    await score_merged(conn, ids)
    return merged


def _moments(wanted: Remerge) -> list[dict[str, object]]:
    """Return when each entity is merged, and for whom the person works, who is told beside it."""
    employer = wanted.entities.get(EntityKind.COMPANY)
    return [
        {
            "id": id_,
            "at": wanted.now.isoformat(),
            "employer_id": employer if kind is EntityKind.PERSON else None,
        }
        for kind, id_ in wanted.entities.items()
    ]


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
    held = await locked.fetchall()
    into = {row["id"]: row["merged_into"] for row in held if row["merged_into"]}
    gone = {*ids["entities"]} - {row["id"] for row in held}
    if gone:  # who was erased meanwhile has nothing to derive
        left = [
            replace(one, entities={k: id_ for k, id_ in one.entities.items() if id_ not in gone})
            for one in wanted
        ]
        return await _locked(conn, left)
    if not into:
        return wanted, await seen.fetchall()
    left = [
        replace(one, entities={kind: into.get(id_, id_) for kind, id_ in one.entities.items()})
        for one in wanted
    ]
    return await _locked(conn, left)


async def _resolve(conn: Connection, wanted: Sequence[Keys]) -> list[dict[EntityKind, EntityId]]:
    groups = [(i, kind, keys) for i, want in enumerate(wanted) for kind, keys in want.items()]
    places = {(kind, key.scheme, key.value) for _, kind, keys in groups for key in keys}
    ways = await _find(conn, places)
    if all(
        len({ways.get(place) for place in _places(kind, keys)}) == 1 for _, kind, keys in groups
    ):
        strong: Strong = {}  # what all keys agree on needs no second look
    else:
        strong = await _strong(conn, set(ways.values()))
    if len(ways) < len(places):
        await _lead(conn, ways, strong, [(kind, keys) for _, kind, keys in groups])
        ways = await _find(conn, places)
        strong = await _strong(conn, set(ways.values()))
    into: dict[int, int] = {}
    for _, kind, keys in groups:
        first, *others = _places(kind, keys)
        for other in others:
            pair = sorted({into.get(ways[at], ways[at]) for at in (first, other)})
            if len(pair) > 1 and other[1] in STRONG and _may_be_one(strong, *pair):
                older, younger = pair
                left = await _merge(conn, younger, older)
                into = {gone: left if to == younger else to for gone, to in into.items()}
                into[younger] = left
                strong.setdefault(left, set()).update(strong.get(younger, ()))
    opened: list[dict[EntityKind, EntityId]] = [{} for _ in wanted]
    for i, kind, keys in groups:
        home = ways[_places(kind, keys)[0]]
        opened[i][kind] = EntityId(into.get(home, home))
    return opened


def _recalled(
    wanted: Keys, ways: Mapping[Place, int], kept: Mapping[int, dict[FieldName, Kept]]
) -> tuple[dict[EntityKind, EntityId], dict[FieldName, Kept]] | None:
    """Return the entities that all keys agree on, with what is kept of them; None where they do not."""
    entities: dict[EntityKind, EntityId] = {}
    for kind, keys in wanted.items():
        homes = {ways.get(place) for place in _places(kind, keys)}
        home = homes.pop()
        if home is None or homes:
            return None
        entities[kind] = EntityId(home)
    return entities, {n: k for id_ in entities.values() for n, k in kept[id_].items()}


def _people(wanted: Keys) -> list[str]:
    """Return what stands in the suppression list for the person of one input."""
    return [f"{key.scheme}:{key.value}" for key in wanted.get(EntityKind.PERSON, ())]


def _places(kind: EntityKind, keys: Sequence[Key]) -> list[Place]:
    return [(kind, key.scheme, key.value) for key in keys]


def _may_be_one(strong: Strong, one: int, other: int) -> bool:
    """Tell whether two entities can be the same: no two emails, no two domains, no two profiles."""
    schemes = [{scheme for scheme, _ in strong.get(id_, ())} for id_ in (one, other)]
    return not schemes[0] & schemes[1]


def _home(ways: Mapping[Place, int], strong: Strong, places: Sequence[Place]) -> int | None:
    """Return where the strongest key that leads anywhere leads, unless a stronger one objects.

    Who has another email than this input is somebody else, though the name is the same.
    """
    for n, place in enumerate(places):
        home = ways.get(place)
        if home is None:
            continue
        own = strong.get(home, set())
        taken = {scheme for scheme, _ in own}
        if not any(scheme in taken and (scheme, key) not in own for _, scheme, key in places[:n]):
            return home
    return None


async def _merge(conn: Connection, younger: int, older: int) -> int:
    """Let the younger entity become the older one; return who is left of the two."""
    cursor = await conn.execute(_sql["lock_to_merge"], {"entities": [older, younger]})
    gone = {row["id"]: row["merged_into"] for row in await cursor.fetchall()}
    left = gone.get(older) or older  # the older one may have been merged meanwhile
    if not gone.get(younger):
        pair = {"into": left, "from": younger}
        await conn.execute(_sql["inherit"], pair)
        await conn.execute(_sql["inherit_decisions"], pair)
        await conn.execute(_sql["repoint"], pair)
    return left


async def _lead(
    conn: Connection,
    ways: Mapping[Place, int],
    strong: Strong,
    groups: Sequence[tuple[EntityKind, Sequence[Key]]],
) -> None:
    """Lead every new key to its home, and make the homes that are lacking."""
    planned, owned = dict(ways), {id_: set(keys) for id_, keys in strong.items()}
    lacking: list[EntityKind] = []
    for kind, keys in groups:
        places = _places(kind, keys)
        home = _home(planned, owned, places)
        if home is None:
            lacking.append(kind)
            home = -len(lacking)  # until it is made
        for place in places:
            if planned.setdefault(place, home) == home and place[1] in STRONG:
                owned.setdefault(home, set()).add(place[1:])
    made: list[int] = []
    if lacking:
        cursor = await conn.execute(_sql["make"], {"kinds": lacking})
        made = [row["id"] for row in await cursor.fetchall()]
    led = [
        {
            "kind": kind,
            "scheme": scheme,
            "key": key,
            "entity_id": home if home > 0 else made[-home - 1],
        }
        for (kind, scheme, key), home in planned.items()
        if (kind, scheme, key) not in ways
    ]
    await conn.execute(_sql["claim_keys"], {"keys": Jsonb(led)})
    if made:  # somebody else may have been quicker
        orphans = set(made) - set((await _find(conn, set(planned))).values())
        if orphans:
            await conn.execute(_sql["forget"], {"entities": sorted(orphans)})


async def _find(conn: Connection, places: Collection[Place]) -> dict[Place, int]:
    """Return where keys lead, of those that lead anywhere."""
    cursor = await conn.execute(_sql["find"], {"keys": _asked(places)})
    return {
        (EntityKind(row["kind"]), row["scheme"], row["key"]): row["entity_id"]
        for row in await cursor.fetchall()
    }


async def _winners(
    conn: Connection, ids: Sequence[int], since: Since | None
) -> Sequence[Mapping[str, Any]]:
    if since is None:
        return await (await conn.execute(_sql["cached"], {"entities": ids})).fetchall()
    params = {
        "entities": ids,
        "fields": [*since.fields],
        "since": since.at,
        "always": [*since.always],
    }
    return await (await conn.execute(_sql["cached_since"], params)).fetchall()


def _asked(places: Collection[Place]) -> Jsonb:
    return Jsonb(
        [{"kind": kind, "scheme": scheme, "key": key} for kind, scheme, key in sorted(places)]
    )


async def _strong(conn: Connection, entities: Collection[int]) -> Strong:
    """Return the strong keys that lead to entities."""
    params = {"entities": sorted(entities), "schemes": sorted(STRONG)}
    found: Strong = {}
    for row in await (await conn.execute(_sql["keys_of"], params)).fetchall():
        found.setdefault(row["entity_id"], set()).add((row["scheme"], row["key"]))
    return found


def _merged(
    wanted: Remerge,
    seen: Mapping[int, Sequence[dict[str, Any]]],
    decided: Mapping[int, Sequence[Decision]],
) -> dict[FieldName, Kept]:
    ids = sorted(set(wanted.entities.values()))
    rows = [row for id_ in ids for row in seen[id_]]
    job_of = {row["id"]: row["job_id"] for row in rows}
    decisions = [decision.as_observation() for id_ in ids for decision in decided[id_]]
    winners = wanted.merge([*decisions, *map(_observation, rows)], wanted.now)
    return {
        name: Kept(winner, job_of.get(winner.observation.id))
        for name, winner in winners.items()
        if winner.observation.id is not None or winner.observation.provider == USER
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


def _decision(row: Mapping[str, Any]) -> Decision:
    return Decision(
        field=FieldName(row["field"]),
        value=row["value"],
        act=Act(row["act"]),
        by=row["decided_by"],
        at=row["decided_at"],
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
