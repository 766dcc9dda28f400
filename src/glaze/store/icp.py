"""The ideal customer profile of a workspace, and the scores by it: derived, free, in pages."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from glaze.model.field import EntityKind
from glaze.model.icp import Profile, score
from glaze.model.icp_score import Score
from glaze.model.value import EntityId, FieldName, Json, WorkspaceId
from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("icp")
PAGE = 500
_SCORE = TypeAdapter(Score)


class Scored(NamedTuple):
    """One entity's stored score; ``keys`` lead to it, as ``domain:acme.com``."""

    kind: str
    keys: tuple[str, ...]
    score: Score


class _Counting(NamedTuple):
    """The profile that counts, with its version."""

    version: int
    profile: Profile


class IcpStore:
    """Reads and writes of profile and scores; each page is one transaction."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def put(self, workspace_id: WorkspaceId, profile: Profile) -> int:
        """Let ``profile`` count from now on; return its version."""
        params = {"profile": Jsonb(profile.model_dump(mode="json"))}
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["put"], params)).fetchone()
        return int(row["version"]) if row else 0

    async def get(self, workspace_id: WorkspaceId) -> tuple[int, Profile] | None:
        """Return the profile with its version, None where none was set."""
        async with self._db.workspace(workspace_id) as conn:
            return await _counting(conn)

    async def of(
        self, workspace_id: WorkspaceId, entities: Collection[EntityId]
    ) -> dict[EntityId, Score]:
        """Return these entities' scores as they are now; one that is out of date is renewed.

        Empty where the workspace has no profile.
        """
        async with self._db.workspace(workspace_id) as conn:
            counting = await _counting(conn)
            if counting is None:
                return {}
            asked = {"entities": sorted(entities), "version": counting.version}
            rows = await (await conn.execute(_sql["subjects"], asked)).fetchall()
            renewed = await _renew(conn, counting, [row for row in rows if not row["is_scored"]])
        kept = {EntityId(row["id"]): _score(row) for row in rows if row["is_scored"]}
        return kept | renewed

    async def points(
        self, workspace_id: WorkspaceId, entities: Collection[EntityId], *, page: int = 4 * PAGE
    ) -> dict[EntityId, int | None]:
        """Return these entities' scores from 0 to 100, without the reasons; as ``of`` else.

        Args:
            workspace_id: Whose entities.
            entities: Any number.
            page: How many are looked at, and renewed, in one transaction.
        """
        ids, found = sorted(entities), dict[EntityId, int | None]()
        for begin in range(0, len(ids), page):
            some = ids[begin : begin + page]
            async with self._db.workspace(workspace_id) as conn:
                counting = await _counting(conn)
                if counting is None:
                    return {}
                asked = {"entities": some, "version": counting.version}
                kept = await (await conn.execute(_sql["points"], asked)).fetchone()
                found |= {EntityId(id_): points for id_, points in (kept or {})["points"]}
                asked["entities"] = [id_ for id_ in some if id_ not in found]
                rows = await (await conn.execute(_sql["subjects"], asked)).fetchall()
                renewed = await _renew(conn, counting, rows)
            found |= {id_: one.score for id_, one in renewed.items()}
        return found

    async def rescore(
        self,
        workspace_id: WorkspaceId,
        *,
        tell: Callable[[int], None] = lambda _: None,
        page: int = PAGE,
    ) -> int:
        """Score every entity whose score is not of this profile and of its values as they are.

        What a broken run has scored is not scored again by the next. Nothing is asked or bought.

        Args:
            workspace_id: Whose entities.
            tell: Given the count after each page.
            page: How many entities at once.

        Returns: how many were scored; 0 where there is no profile.
        """
        set_ = await self.get(workspace_id)
        if set_ is None:
            return 0
        counting = _Counting(*set_)
        kinds = [kind.value for kind in EntityKind if counting.profile.of(kind)]
        done, after = 0, 0
        while True:
            due = {"after": after, "kinds": kinds, "version": counting.version, "n": page}
            async with self._db.workspace(workspace_id) as conn:
                rows = await (await conn.execute(_sql["due"], due)).fetchall()
                if not rows:
                    return done
                await _renew(conn, counting, rows)
            after, done = rows[-1]["id"], done + len(rows)
            tell(done)

    async def scores(self, workspace_id: WorkspaceId) -> AsyncIterator[Scored]:
        """Yield the scores by the present profile, in the order of entities."""
        set_ = await self.get(workspace_id)
        after = 0
        while set_ is not None:
            params = {"after": after, "version": set_[0], "n": PAGE}
            async with self._db.workspace(workspace_id) as conn:
                rows = await (await conn.execute(_sql["scores"], params)).fetchall()
            for row in rows:
                yield Scored(row["kind"], tuple(row["keys"]), _score(row))
            if len(rows) < PAGE:
                return
            after = EntityId(rows[-1]["entity_id"])


async def score_merged(conn: Connection, entities: Sequence[EntityId]) -> None:
    """Score entities within the transaction that merges them; nothing without a profile."""
    counting = await _counting(conn)
    if counting is not None:
        asked = {"entities": entities, "version": counting.version}
        rows = await (await conn.execute(_sql["subjects"], asked)).fetchall()
        await _renew(conn, counting, rows)


async def _counting(conn: Connection) -> _Counting | None:
    row = await (await conn.execute(_sql["get"])).fetchone()
    if row is None:
        return None
    return _Counting(row["version"], Profile.model_validate(row["profile"]))


async def _renew(
    conn: Connection, counting: _Counting, rows: Sequence[Mapping[str, Any]]
) -> dict[EntityId, Score]:
    """Score the entities of these rows by their stored values, and keep it.

    How often the winners had changed was read before the values: a change in between lets the
    score be out of date, never seem newer than it is.
    """
    if not rows:
        return {}
    ids = sorted({id_ for row in rows for id_ in (row["id"], row["employer_id"]) if id_})
    fields = [one.field for one in counting.profile.criteria]
    cursor = await conn.execute(_sql["values"], {"entities": ids, "fields": fields})
    known = _known(await cursor.fetchall())
    found = {
        EntityId(row["id"]): score(
            counting.profile.of(EntityKind(row["kind"])),
            known.get(row["employer_id"], {}) | known.get(row["id"], {}),
        )
        for row in rows
    }
    told = [_row(row, found[row["id"]]) for row in rows]
    await conn.execute(_sql["keep"], {"version": counting.version, "scores": Jsonb(told)})
    return found


_Known = dict[int, dict[FieldName, tuple[Json, int]]]


def _known(rows: Sequence[Mapping[str, Any]]) -> _Known:
    found: _Known = {}
    for row in rows:
        values = found.setdefault(row["entity_id"], {})
        values[FieldName(row["field"])] = (row["value"], row["confidence"])
    return found


def _row(entity: Mapping[str, Any], found: Score) -> dict[str, Json]:
    return {
        "entity_id": entity["id"],
        "score": found.score,
        "certainty": found.certainty,
        "reasons": [asdict(one) for one in found.reasons],
        "employer_id": entity["employer_id"],
        "winners_changed": entity["winners_changed"],
    }


def _score(row: Mapping[str, Any]) -> Score:
    return _SCORE.validate_python({name: row[name] for name in ("score", "certainty", "reasons")})
