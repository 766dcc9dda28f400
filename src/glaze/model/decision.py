"""What a person decides of a value: it outranks every source, and tells which of them were right."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from glaze.model.belief import USER
from glaze.model.observation import Observation
from glaze.model.value import FieldName, Json

CERTAIN = 100


class Act(StrEnum):
    """How a decision stands to what the sources stated."""

    CONFIRMED = "confirmed"  # the winner is true
    CHOSEN = "chosen"  # another value that a source stated is true
    CORRECTED = "corrected"  # what nobody stated is true
    LOCKED = "locked"  # the value is to stay; this says nothing of whether it is true

    @property
    def tells_truth(self) -> bool:
        """Whether sources can be judged by it."""
        return self is not Act.LOCKED


@dataclass(frozen=True, slots=True)
class Decision:
    """One value that a person decided. ``by`` is who, as far as the caller says it."""

    field: FieldName
    value: Json
    act: Act
    by: str | None
    at: datetime  # aware

    def as_observation(self) -> Observation:
        """Return it as what the merge takes: the statement that outranks all others."""
        return Observation(self.field, self.value, CERTAIN, USER, self.at)
