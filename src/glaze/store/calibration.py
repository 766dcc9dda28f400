"""Calibrations of a workspace, and the statements that they are fitted to."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from psycopg.types.json import Jsonb

from glaze.model.agreement import agree
from glaze.model.calibration import (
    Bin,
    Calibration,
    Curve,
    Curves,
    Fit,
    HeldOut,
    Judged,
    Origin,
    Point,
)
from glaze.model.conflict import CHOICE
from glaze.model.field import FIELDS
from glaze.model.value import FieldName, Json, WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("calibration")
_PAGE = 1000

Truth = Mapping[FieldName, Json]
"""True values by field, in canonical form."""


class CalibrationStore:
    """Reads and writes of calibrations; pages are transactions of their own."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def newest(self, workspace_id: WorkspaceId) -> Calibration | None:
        """Return the calibration that counts, None where there never was one."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["newest"])).fetchone()
        return None if row is None else _calibration(row)

    async def add(
        self,
        workspace_id: WorkspaceId,
        origin: Origin,
        samples: int,
        curves: Curves,
        held_out: HeldOut | None = None,
    ) -> Calibration:
        """Let ``curves`` count from now on."""
        told = [
            {"provider": provider, "field": name, "points": curve.points, "bins": _told(curve.bins)}
            for (provider, name), curve in sorted(curves.items())
        ]
        kept = None if held_out is None else [astuple(one) for one in held_out]
        params = {
            "origin": origin.value,
            "samples": samples,
            "curves": Jsonb(told),
            "held_out": None if kept is None else Jsonb(kept),
        }
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["add"], params)).fetchone()
        if row is None:
            raise AssertionError("an insert that returns its row returned none")
        return _calibration(row)

    async def judged_by_people(self, workspace_id: WorkspaceId) -> list[Judged]:
        """Return every statement about what people confirmed, chose or corrected."""
        found: list[Judged] = []
        params: dict[str, object] = {"entity": 0, "field": "", "n": _PAGE, "choice": CHOICE}
        while True:
            async with self._db.workspace(workspace_id) as conn:
                rows = await (await conn.execute(_sql["judged_by_people"], params)).fetchall()
            if not rows:
                return found
            stated = (row for row in rows if row["provider"] is not None)
            found += [_judged(row, row["truth"]) for row in stated if row["field"] in FIELDS]
            params |= {"entity": rows[-1]["entity_id"], "field": rows[-1]["field"]}

    async def judged_by(
        self, workspace_id: WorkspaceId, truth: Mapping[str, Truth]
    ) -> list[Judged]:
        """Return every statement about the companies whose true values are known, by domain."""
        async with self._db.workspace(workspace_id) as conn:
            asked = {"domains": sorted(truth), "choice": CHOICE}
            cursor = await conn.execute(_sql["stated_of_domains"], asked)
            rows = await cursor.fetchall()
        return [
            _judged(row, truth[row["domain"]][FieldName(row["field"])])
            for row in rows
            if row["field"] in FIELDS and row["field"] in truth[row["domain"]]
        ]


def _judged(row: Mapping[str, Any], truth: Json) -> Judged:
    name = FieldName(row["field"])
    right = agree(name, row["value"], truth)
    return Judged(row["provider"], name, row["confidence"], right, row["entity_id"])


def _told(bins: Sequence[Bin]) -> list[list[float]]:
    return [[one.stated, one.n, one.right] for one in bins]


def _calibration(row: Mapping[str, Any]) -> Calibration:
    curves = {
        (one["provider"], FieldName(one["field"])): Curve(
            tuple(Point(*point) for point in one["points"]),
            tuple(Bin(stated, int(n), int(right)) for stated, n, right in one["bins"]),
        )
        for one in row["curves"]
    }
    kept = row["held_out"]
    held_out = None if kept is None else HeldOut(*(Fit(*one) for one in kept))
    origin = Origin(row["origin"])
    return Calibration(row["version"], origin, row["samples"], row["fitted_at"], curves, held_out)
