"""The callers' own leads, accounts and contacts, by their own ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.types.json import Jsonb

from glaze.errors import PersonSuppressed
from glaze.model.personal import people_in
from glaze.model.value import JobId, Json, WorkspaceId
from glaze.store.attempt import encode
from glaze.store.database import Database
from glaze.store.statements import statements
from glaze.store.suppression import WHY, suppressed
from glaze.store.text import storable

_sql = statements("record")

CHUNK = 5_000  # records a transaction: none lasts over a second


class RecordKind(StrEnum):
    """What a record is to its caller."""

    LEAD = "lead"
    ACCOUNT = "account"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the caller's. ``data`` maps canonical fields to values with where they came from."""

    external_id: str
    input: Mapping[str, Json]  # as the caller last gave it
    data: Mapping[str, Json] | None  # as enrichments wrote it back; None before the first
    job_id: JobId | None  # the last that did
    created_at: datetime
    updated_at: datetime


class RecordStore:
    """Records of a workspace."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def put(
        self,
        workspace_id: WorkspaceId,
        kind: RecordKind,
        inputs: Mapping[str, Mapping[str, Json]],
    ) -> None:
        """Make or renew the records ``inputs``, by external id; what was written back stays.

        Raises: InputError where an input is not JSON; PersonSuppressed.
        """
        rows: list[Json] = [{"external_id": key, "input": inputs[key]} for key in sorted(inputs)]
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            params = {"kind": kind, "records": encode(some)}
            async with self._db.workspace(workspace_id) as conn:
                if await suppressed(conn, lambda some=some: people_in(some)):  # type: ignore[misc]  # bound to this turn
                    raise PersonSuppressed(WHY)
                await conn.execute(_sql["put"], params)

    async def get(
        self, workspace_id: WorkspaceId, kind: RecordKind, ids: Sequence[str]
    ) -> dict[str, Record]:
        """Return the records with these external ids, as far as they exist."""
        params = {"kind": kind, "ids": list(ids)}
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["get"], params)).fetchall()
        return {row["external_id"]: Record(**row) for row in rows}

    async def write_back(
        self,
        workspace_id: WorkspaceId,
        kind: RecordKind,
        external_id: str,
        data: Mapping[str, Json],
        job_id: JobId,
    ) -> bool:
        """Lay what a job found over the record's data, field by field.

        Returns: False where the record is gone, or a newer job has written to it.
        """
        params = {
            "kind": kind,
            "external_id": external_id,
            "data": Jsonb(storable(dict(data))),
            "job": job_id,
        }
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["write_back"], params)).fetchone()
        return row is not None
