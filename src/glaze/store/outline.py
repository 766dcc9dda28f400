"""Which rows of a table meet criteria, and by what each is sorted: found in the database, no row is read."""

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from psycopg.types.json import Jsonb

from glaze.model.value import BatchId, FieldName, Json, WorkspaceId
from glaze.store.database import Database
from glaze.store.entity import STRONG
from glaze.store.statements import statements

_sql = statements("outline")

Places = Mapping[str, Sequence[tuple[str, str]]]
"""Whom an input names: for each kind of entity scheme and key of what leads to it, the strongest first."""
PlacesOf = Callable[[Json], Places]

Trait = Literal["missing", "low", "conflicting", "found", "decided"]
By = Literal["state", "input", "carried", "value", "confidence", "icp"]


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked of rows. A trait and a source must be those of one cell of ``fields``.

    ``by`` and ``name``: the key is the state, a column of the input or of those that are carried
    through, or the value or confidence of a field; for ``icp`` it is ``{"subject": the entity that
    is scored, "own": the score that the row's job found}``. With ``says`` all that stands in these
    columns and in ``fields`` comes along.
    """

    fields: Sequence[FieldName]
    states: Sequence[str] = ()
    traits: Sequence[Trait] = ()
    sources: Sequence[str] = ()
    below: int = 70
    by: By | None = None
    name: str | None = None
    says: bool = False

    @property
    def needed(self) -> frozenset[FieldName]:
        """The fields whose cells have to be looked at."""
        searched = self.fields if self.says or self.traits or self.sources else ()
        own = [FieldName(self.name)] if self.by in ("value", "confidence") and self.name else []
        return frozenset([*searched, *own])

    @property
    def names_somebody(self) -> bool:
        """Whether it matters whom a row names."""
        return bool(self.needed) or self.by == "icp"


class Found(NamedTuple):
    """A row that meets the criteria: its number, its key, and what it says."""

    row_no: int
    key: Json
    said: Sequence[Json] | None


class OutlineStore:
    """Looks over tables of each workspace."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def rows(
        self,
        workspace_id: WorkspaceId,
        batch_id: BatchId,
        look: Look,
        *,
        kinds: Collection[str],
        places_of: PlacesOf,
        after: int,
        until: int,
    ) -> list[Found]:
        """Return the rows of the numbers above ``after`` up to ``until`` that meet ``look``, in order.

        Args:
            workspace_id: Whose table it is.
            batch_id: The table.
            look: What is asked.
            kinds: Of entity, that the needed fields speak of.
            places_of: Works out whom a row names where that is not kept yet; then it is.
            after: A row's number.
            until: A row's number, from which only so many are looked at as take about 0.3 s.
        """
        stretch = {"batch": batch_id, "after": after, "until": until}
        placed: dict[str, Places] = {}
        if look.names_somebody:
            placed = await self._place(workspace_id, stretch, places_of)
        params: dict[str, Any] = stretch | {
            "by": look.by,
            "name": look.name,
            "says": look.says,
            "searched": [*look.fields],
            "looks": look.names_somebody,
            "fields": [*look.needed],
            "kinds": [*kinds],
            "placed": Jsonb(placed),
            "strong": [*STRONG],
            "states": [*look.states],
            "traits": [*look.traits],
            "sources": [*look.sources],
            "below": look.below,
        }
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["alone"])
            row = await (await conn.execute(_sql["rows"], params)).fetchone()
        return [Found(*one) for one in (row or {})["found"]]

    async def _place(
        self, workspace_id: WorkspaceId, stretch: dict[str, int], places_of: PlacesOf
    ) -> dict[str, Places]:
        """Work out whom rows name where that is not kept, and keep it; return these, by number."""
        async with self._db.workspace(workspace_id) as conn:
            lacking = await (await conn.execute(_sql["unplaced"], stretch)).fetchall()
        if not lacking:
            return {}

        def worked_out() -> list[dict[str, Any]]:
            return [
                {
                    "row_no": one["row_no"],
                    "version": one["version"],
                    "places": places_of(one["input"]),
                }
                for one in lacking
            ]

        rows = await asyncio.to_thread(worked_out)  # it takes 60 µs a row
        async with self._db.workspace(workspace_id) as conn:
            params = {"batch": stretch["batch"], "rows": json.dumps(rows)}
            await conn.execute(_sql["place"], params)
        return {str(row["row_no"]): row["places"] for row in rows}
