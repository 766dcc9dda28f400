"""Stored answers, what was read in them, and how that is replaced by what is read in them today."""

import base64
import json
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from psycopg.types.json import Jsonb

from glaze.model.field import FIELDS, EntityKind
from glaze.model.ledger import CallEnd, Settlement
from glaze.model.recording import Recording, from_json
from glaze.model.value import CallId, EntityId, FieldName, Json, Micros, Reading, WorkspaceId
from glaze.store.database import Connection, Database
from glaze.store.entity import Merge, Remerge, derive
from glaze.store.ledger_rows import observation_rows
from glaze.store.statements import as_array, statements

_sql = statements("rebuild")
_CONTENT = ("value", "raw", "confidence", "source_url", "quote")


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answered call. ``raw`` is None where the answer was not kept or was erased."""

    call_id: CallId
    provider: str
    operation: str
    price_micros: Micros
    settled_at: datetime
    raw: bytes | None
    recording: Recording | None  # None: it was answered before recordings were kept


@dataclass(frozen=True, slots=True)
class Reread:
    """What an answer states as it is read today."""

    answer: StoredAnswer
    entities: Mapping[EntityKind, EntityId]
    readings: tuple[Reading, ...]


class Change(NamedTuple):
    """One value that a source stated: ``before`` is None for a new one, ``after`` for one gone."""

    call_id: CallId
    provider: str
    field: FieldName
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Restated:
    """What was replaced: statements, and how many fields the cache answers otherwise by now."""

    changes: tuple[Change, ...] = ()
    fields: int = 0


class _DryRun(Exception):
    """Nothing of the transaction is kept."""


def _undo() -> NoReturn:
    raise _DryRun


class RebuildStore:
    """Reads answers in pages; each replacement is one transaction, whole or not at all."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def answers(
        self, workspace_id: WorkspaceId, after: CallId, n: int, provider: str | None
    ) -> list[StoredAnswer]:
        """Return the next ``n`` answered calls after an id, of one provider or of all."""
        params = {"after": after, "n": n, "provider": provider}
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "answers", **params)
        return [_answer(row) for row in rows]

    async def restate(
        self, workspace_id: WorkspaceId, wanted: Sequence[Reread], merge: Merge, *, dry: bool
    ) -> Restated:
        """Let what is read today take the place of what was read before, where the two differ.

        Statements that are the same stay as they are, ids and times included. The winners of the
        entities concerned are derived in the same transaction, as of their last merge. With
        ``dry`` it is all undone, and only told.
        """
        async with self._db.workspace(workspace_id) as conn:
            differing = [one for one, plan in await _plans(conn, wanted) if plan.differs]
        if not differing:
            return Restated()
        async with self._transaction(workspace_id, dry=dry) as conn:
            calls = as_array(sorted(one.answer.call_id for one in differing))
            await conn.execute(_sql["hold_calls"], {"calls": calls})
            entities = await _hold(conn, differing)
            plans = [plan for _, plan in await _plans(conn, differing)]
            before = await _winners(conn, entities)
            await _apply(conn, plans)
            await _derive(conn, entities, merge)
            fields = _differences(before, await _winners(conn, entities))
            return Restated(tuple(c for plan in plans for c in plan.changes), fields)

    async def rederive(
        self, workspace_id: WorkspaceId, after: EntityId, n: int, merge: Merge, *, dry: bool
    ) -> tuple[EntityId | None, int, int]:
        """Derive the winners of the next ``n`` entities as of their last merge.

        Returns: the last id (None after the last page), how many entities, how many fields differ.
        """
        async with self._transaction(workspace_id, dry=dry) as conn:
            rows = await _fetch(conn, "entities", after=after, n=n)
            ids = [EntityId(row["id"]) for row in rows]
            if not ids:
                return None, 0, 0
            before = await _winners(conn, ids)
            await _derive(conn, ids, merge)
            fields = _differences(before, await _winners(conn, ids))
        return (ids[-1] if len(ids) == n else None), len(ids), fields

    @asynccontextmanager
    async def _transaction(
        self, workspace_id: WorkspaceId, *, dry: bool
    ) -> AsyncIterator[Connection]:
        try:
            async with self._db.workspace(workspace_id) as conn:
                yield conn
                if dry:
                    _undo()
        except _DryRun:
            pass


@dataclass(slots=True)
class _Plan:
    """How the statements of one call are brought to what is read today."""

    otherwise: list[dict[str, Any]]
    more: list[dict[str, Any]]
    gone: list[int]
    changes: list[Change]

    @property
    def differs(self) -> bool:
        return bool(self.otherwise or self.more or self.gone)


async def _plans(conn: Connection, wanted: Sequence[Reread]) -> list[tuple[Reread, _Plan]]:
    """Compare what is read today with what stands, call by call."""
    calls = as_array(one.answer.call_id for one in wanted)
    stated: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in await _fetch(conn, "stated", calls=calls):
        stated[row["call_id"]].append(row)
    homes = await _homes(conn, wanted)
    return [(one, _plan(one, stated[one.answer.call_id], homes)) for one in wanted]


async def _homes(conn: Connection, wanted: Sequence[Reread]) -> dict[int, int]:
    ids = {id_ for one in wanted for id_ in one.entities.values()}
    rows = await _fetch(conn, "homes", entities=as_array(sorted(ids)))
    return {row["id"]: row["home"] for row in rows}


def _plan(one: Reread, stated: Sequence[dict[str, Any]], homes: Mapping[int, int]) -> _Plan:
    places: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for row in stated:
        places[row["entity_id"], row["field"]].append(row)
    since = min((row["retrieved_at"] for row in stated), default=one.answer.settled_at)
    plan = _Plan([], [], [], [])
    for place, rows in _wanted_rows(one, places, homes).items():
        standing = places.pop(place, [])
        for row, stands in zip(rows, standing, strict=False):
            _compare(plan, one, row, stands)
        for row in rows[len(standing) :]:
            plan.more.append(row | {"retrieved_at": since.isoformat()})
            plan.changes.append(_change(one, row["field"], None, row["value"]))
        _drop(plan, one, standing[len(rows) :])
    for standing in places.values():
        _drop(plan, one, standing)
    return plan


def _compare(plan: _Plan, one: Reread, row: dict[str, Any], stands: Mapping[str, Any]) -> None:
    changed = any(row[name] != stands[name] for name in _CONTENT)
    if changed or row["cost_micros"] != stands["cost_micros"]:
        plan.otherwise.append(row | {"id": stands["id"]})
    if changed:
        plan.changes.append(_change(one, row["field"], stands["value"], row["value"]))


def _drop(plan: _Plan, one: Reread, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        plan.gone.append(row["id"])
        plan.changes.append(_change(one, row["field"], row["value"], None))


def _change(one: Reread, field: str, before: Json, after: Json) -> Change:
    return Change(one.answer.call_id, one.answer.provider, FieldName(field), before, after)


def _wanted_rows(
    one: Reread,
    places: Mapping[tuple[int, str], Sequence[object]],
    homes: Mapping[int, int],
) -> dict[tuple[int, str], list[dict[str, Any]]]:
    """Return the statements that there should be, by entity and field.

    What was bought for one entity is its own, at the call's price; others to whom it was copied,
    and the same one once more where it was merged with such another, have it for nothing.
    """
    owners = {kind: homes[id_] for kind, id_ in one.entities.items() if id_ in homes}
    own = _rows(one, {kind: EntityId(id_) for kind, id_ in owners.items()}, one.answer.price_micros)
    wanted: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for row in own:
        wanted[row["entity_id"], row["field"]].append(row)
    for (entity, kind), times in _copies(places, owners).items():
        for row in _rows(one, {kind: EntityId(entity)}, Micros(0)) * times:
            wanted[row["entity_id"], row["field"]].append(row)
    return wanted


def _copies(
    places: Mapping[tuple[int, str], Sequence[object]], owners: Mapping[EntityKind, int]
) -> dict[tuple[int, EntityKind], int]:
    """Return how often an entity has what a call stated beyond the owner's own.

    A source may state a field twice in one answer, but hardly all of them: what stands of the
    rarest field tells how often the answer was taken in.
    """
    times: dict[tuple[int, EntityKind], int] = {}
    for (entity, field), rows in places.items():
        if field in FIELDS:
            place = entity, FIELDS[FieldName(field)].entity
            times[place] = min(times.get(place, len(rows)), len(rows))
    for kind, owner in owners.items():
        if (owner, kind) in times:
            times[owner, kind] -= 1
    return times


def _rows(
    one: Reread, entities: Mapping[EntityKind, EntityId], price: Micros
) -> list[dict[str, Any]]:
    settlement = Settlement(
        one.answer.call_id,
        CallEnd.SETTLED,
        price_micros=price,
        readings=one.readings,
        entities=entities,
    )
    return observation_rows(settlement, {one.answer.call_id: one.answer.provider})


async def _hold(conn: Connection, wanted: Sequence[Reread]) -> list[EntityId]:
    """Lock every entity that these calls speak of; their statements cannot move any more."""
    calls = as_array(one.answer.call_id for one in wanted)
    held: set[int] = set()
    while True:
        homes = await _homes(conn, wanted)
        rows = await _fetch(conn, "stated", calls=calls)
        concerned = {*homes.values(), *(row["entity_id"] for row in rows)}
        if concerned <= held:
            return sorted(EntityId(id_) for id_ in held)
        held |= concerned
        await conn.execute(_sql["hold_entities"], {"entities": as_array(sorted(held))})


async def _apply(conn: Connection, plans: Sequence[_Plan]) -> None:
    gone = {"ids": as_array(id_ for plan in plans for id_ in plan.gone)}
    await conn.execute(_sql["underive"], gone)
    await conn.execute(_sql["unstate"], gone)
    otherwise = Jsonb([row for plan in plans for row in plan.otherwise])
    await conn.execute(_sql["state_otherwise"], {"rows": otherwise})
    more = Jsonb([row for plan in plans for row in plan.more])
    await conn.execute(_sql["state_more"], {"rows": more})


async def _derive(conn: Connection, entities: Collection[EntityId], merge: Merge) -> None:
    rows = await _fetch(conn, "moments", entities=as_array(sorted(entities)))
    await derive(
        conn,
        [Remerge({EntityKind(r["kind"]): EntityId(r["id"])}, merge, r["at"]) for r in rows],
    )


_Winners = dict[tuple[int, str], dict[str, Any]]


async def _winners(conn: Connection, entities: Collection[EntityId]) -> _Winners:
    rows = await _fetch(conn, "winners", entities=as_array(sorted(entities)))
    return {(row["entity_id"], row["field"]): row for row in rows}


def _differences(before: _Winners, after: _Winners) -> int:
    return sum(before.get(place) != after.get(place) for place in {*before, *after})


def _answer(row: Mapping[str, Any]) -> StoredAnswer:
    raw, recording = None, None
    if row["body"] is not None:
        kept = json.loads(zlib.decompress(bytes(row["body"])))
        raw = base64.b64decode(kept["raw"])
        recording = from_json(kept["recording"]) if "recording" in kept else None
    return StoredAnswer(
        CallId(row["id"]),
        row["provider"],
        row["operation"],
        Micros(row["price_micros"]),
        row["settled_at"],
        raw,
        recording,
    )


async def _fetch(conn: Connection, name: str, **params: object) -> list[dict[str, Any]]:
    return await (await conn.execute(_sql[name], params)).fetchall()
