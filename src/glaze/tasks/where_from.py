"""Where what is known of one person came from: every value, its source, and for whom it was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from glaze.jobs.erasing import Eraser, person_keys, traits_of
from glaze.model.value import Json, WorkspaceId


@dataclass(frozen=True, slots=True)
class Stated:
    """One value that a source stated of the person. Money in micros of a US dollar."""

    field: str
    value: Json
    wins: bool  # it is what the field is taken to be
    confidence: int
    provider: str
    source_url: str | None
    quote: str | None
    retrieved_at: datetime
    cost_micros: int
    call_id: int
    asked_at: datetime
    reason: str  # why this provider was asked
    asked_by: str | None  # the identifiers that it was asked by
    job_id: int | None
    job_kind: str | None
    batch_id: int | None
    correlation_id: str | None  # of whoever asked


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody of the workspace decided of a field."""

    field: str
    value: Json
    act: str
    decided_by: str | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known of a person. ``found_in`` counts the rows that name them, by table."""

    suppressed: bool
    entities: Sequence[int]
    keys: Sequence[str]
    values: Sequence[Stated]
    decisions: Sequence[Decided]
    found_in: Mapping[str, int]


async def where_from(eraser: Eraser, workspace_id: WorkspaceId, given: Mapping[str, str]) -> Report:
    """Tell of one person every value, where it stood, what it cost, and where else they are named.

    Raises: InputError where ``given`` identifies no person.
    """
    keys = person_keys(given)
    known = await eraser.personal.known(workspace_id, traits_of(given))
    stories = await eraser.personal.stories(workspace_id, known)
    decided = await eraser.personal.decided(workspace_id, known)
    return Report(
        suppressed=bool(await eraser.suppression.listed(workspace_id, keys)),
        entities=known.entities,
        keys=[f"{scheme}:{key}" for scheme, key in known.keys],
        values=[Stated(**{name: row[name] for name in Stated.__slots__}) for row in stories],
        decisions=[Decided(**row) for row in decided],
        found_in=await eraser.count(workspace_id, given),
    )
