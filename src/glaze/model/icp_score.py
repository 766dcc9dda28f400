"""How well a record fits the ideal customer profile, with a reason for each of its criteria."""

from dataclasses import dataclass
from enum import StrEnum

from glaze.model.value import FieldName, Json


class CriterionRole(StrEnum):
    """What a criterion decides."""

    WEIGHED = "weighed"  # it counts by its weight
    MUST = "must"  # and who does not meet it scores 0
    EXCLUDES = "excludes"  # who meets it scores 0; it has no weight


@dataclass(frozen=True, slots=True)
class Reason:
    """What became of one criterion: ``met`` is None where the field is unknown."""

    field: FieldName
    wanted: str
    role: CriterionRole
    weight: int
    met: bool | None
    value: Json = None
    confidence: int = 0

    @property
    def word(self) -> str:
        """What became of it, for people."""
        if self.met is None:
            return "unknown"
        return "met" if self.met else "not met"


@dataclass(frozen=True, slots=True)
class Score:
    """How well a record fits: ``score`` 0 to 100, None where nothing that counts is known.

    ``certainty``, 0 to 100, is how much of the profile's weight the known values carry, each by
    its confidence.
    """

    score: int | None
    certainty: int
    reasons: tuple[Reason, ...]

    @property
    def said(self) -> tuple[str, ...]:
        """The reasons as a file shows them: ``company_country met``."""
        return tuple(f"{reason.field} {reason.word}" for reason in self.reasons)
