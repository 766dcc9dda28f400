"""One figure of a benchmark: ours and its reference, round by round."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in rounds that took turns with the reference on the same machine.

    ``ours`` and ``reference`` are in ``unit``; ``reach`` says what is to hold: of the ratio, or
    of the figure itself where it names a unit.
    """

    name: str
    unit: str
    ours: Sequence[float]
    reference_name: str
    reference: Sequence[float]
    reach: str

    @property
    def ratios(self) -> list[float]:
        """Ours to reference, round by round."""
        return [a / b for a, b in zip(self.ours, self.reference, strict=True)]

    def line(self) -> str:
        """Return the row of the table in RESULTS.md."""
        ratios = self.ratios
        cells = (
            self.name,
            f"{_short(median(self.ours))} {self.unit}",
            f"{self.reference_name}: {_short(median(self.reference))} {self.unit}",
            f"{median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds",
            self.reach,
        )
        return "| " + " | ".join(cells) + " |"


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}"
