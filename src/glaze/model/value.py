"""Ids, money and readings: the small values that everything else passes around."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType

from typing_extensions import TypeAliasType

WorkspaceId = NewType("WorkspaceId", int)
JobId = NewType("JobId", int)
BatchId = NewType("BatchId", int)
WorkflowId = NewType("WorkflowId", int)
WorkerId = NewType("WorkerId", int)
EntityId = NewType("EntityId", int)
QuestionId = NewType("QuestionId", int)
CallId = NewType("CallId", int)
RequestId = NewType("RequestId", int)
BudgetId = NewType("BudgetId", int)
ObservationId = NewType("ObservationId", int)

Micros = NewType("Micros", int)
"""Money in millionths of a US dollar: $0.10 is 100_000. A cent is 10_000."""

FieldName = NewType("FieldName", str)
"""A canonical field such as ``company_phone``; see ``model/field.py``."""

# A named alias, for pydantic cannot follow an implicit one that contains itself.
Json = TypeAliasType(
    "Json", "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
)

FREE = Micros(0)
DEFAULT_WORKSPACE = WorkspaceId(1)
MICROS_PER_CENT = 10_000
MICROS_PER_DOLLAR = 100 * MICROS_PER_CENT


@dataclass(frozen=True, slots=True)
class Reading:
    """One value that one source stated, with the place it was read.

    ``confidence`` is 0 to 100, the source's own for this field. ``quote`` is the passage as it
    stands at ``url``. ``value`` is normalised to the field's canonical form; ``raw`` is what stood
    there where the two differ.
    """

    field: FieldName
    value: Json
    confidence: int
    quote: str | None = None
    url: str | None = None
    raw: str | None = None
