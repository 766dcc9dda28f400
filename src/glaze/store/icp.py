"""The ideal customer profile of a workspace, and the scores by it: derived, free, in pages."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from glaze.model.field import EntityKind
from glaze.model.icp import Profile, Score, score
from glaze.model.value import EntityId, FieldName, Json, WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("icp")
PAGE = 500


class Scored(NamedTuple):
    """One entity's stored score; ``keys`` lead to it, as ``domain:acme.com``."""

    kind: str
    keys: tuple[str, ...]
    score: int | None
    certainty: int
    reasons: list[dict[str, Json]]


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
            row = await (await conn.execute(_sql["get"])).fetchone()
        return None if row is None else (row["version"], Profile.model_validate(row["profile"]))

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
        version, profile = set_
        kinds = [kind.value for kind in EntityKind if profile.of(kind)]
        fields = [one.field for one in profile.criteria]
        done, after = 0, 0
        while True:
            due = {"after": after, "kinds": kinds, "version": version, "n": page}
            async with self._db.workspace(workspace_id) as conn:
                rows = await (await conn.execute(_sql["due"], due)).fetchall()
                if not rows:
                    return done
                ids = [row["id"] for row in rows]
                asked = {"entities": ids, "fields": fields}
                known = _known(await (await conn.execute(_sql["values"], asked)).fetchall())
                scores = [_row(row, profile, known.get(row["id"], {})) for row in rows]
                kept = {"version": version, "scores": Jsonb(scores)}
                await conn.execute(_sql["keep"], kept)
            after, done = ids[-1], done + len(ids)
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
                yield Scored(
                    row["kind"],
                    tuple(row["keys"]),
                    row["score"],
                    row["certainty"],
                    row["reasons"],
                )
            if len(rows) < PAGE:
                return
            after = EntityId(rows[-1]["entity_id"])


_Known = dict[int, dict[FieldName, tuple[Json, int]]]


def _known(rows: list[dict[str, Any]]) -> _Known:
    found: _Known = {}
    for row in rows:
        values = found.setdefault(row["entity_id"], {})
        values[FieldName(row["field"])] = (row["value"], row["confidence"])
    return found


def _row(
    entity: Mapping[str, Any], profile: Profile, known: Mapping[FieldName, tuple[Json, int]]
) -> dict[str, Json]:
    found: Score = score(profile.of(EntityKind(entity["kind"])), known)
    return {
        "entity_id": entity["id"],
        "score": found.score,
        "certainty": found.certainty,
        "reasons": [asdict(one) for one in found.reasons],
    }
