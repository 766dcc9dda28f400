"""One figure of a benchmark: ours and its reference, round by round."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in rounds that took turns with the reference on the same machine.

    ``ours`` and ``reference`` are rates (more is better) in ``unit``; ``reach`` is the ratio to
    hold.
    """

    name: str
    unit: str
    ours: Sequence[float]
    reference_name: str
    reference: Sequence[float]
    reach: float

    @property
    def ratios(self) -> list[float]:
        """Ours to reference, round by round."""
        return [a / b for a, b in zip(self.ours, self.reference, strict=True)]

    def line(self) -> str:
        """Return the row of the table in RESULTS.md."""
        ratios = self.ratios
        cells = (
            self.name,
            f"{median(self.ours):,.0f} {self.unit}",
            f"{self.reference_name}: {median(self.reference):,.0f} {self.unit}",
            f"{median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds",
            f">= {self.reach:.2f}",
        )
        return "| " + " | ".join(cells) + " |"
