"""How long values stay fresh: each field for a time of its own, unless the user set another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from glaze.model.field import DAY_S, FIELDS
from glaze.model.value import FieldName

EVERY = ""
"""In place of a field: all that have no longer time of their own."""
MOST_DAYS = 3650
"""The longest time that can be set."""
_LEAST_AGEING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The time that a value of each field stays fresh.

    ``usual`` holds for every field that has no longer time of its own; 0: nothing is fresh.
    ``chosen`` is what the user set for single fields, shorter or longer.
    """

    usual: timedelta = timedelta(days=7)
    chosen: Mapping[FieldName, timedelta] = field(default_factory=lambda: MappingProxyType({}))

    def set_to(self, days: Mapping[str, float]) -> "Freshness":
        """Return the same with other times, in days by field; ``EVERY`` sets the usual one."""
        own = {FieldName(name): timedelta(days=span) for name, span in days.items() if name}
        usual = timedelta(days=days[EVERY]) if EVERY in days else self.usual
        return Freshness(usual, MappingProxyType({**self.chosen, **own}))

    def of(self, name: FieldName) -> timedelta:
        """Return how long a value of the field need not be asked again."""
        if name in self.chosen:
            return self.chosen[name]
        return (
            max(self.usual, timedelta(seconds=FIELDS[name].fresh_s)) if self.usual else self.usual
        )

    def of_answer(self, missing: Iterable[FieldName]) -> timedelta:
        """Return how long a source's answer is believed not to have more of what is missing.

        That one brought nothing of a field says little, however long the field's values keep.
        """
        return min([self.usual, *map(self.of, missing)])

    def span_s(self, name: FieldName) -> float:
        """Return the seconds within which a value loses nothing in the merge, at least a day's."""
        return max(_LEAST_AGEING, self.of(name)).total_seconds()


_USUAL = Freshness()
USUAL_DAYS: Mapping[FieldName, int] = MappingProxyType(
    {name: int(_USUAL.of(name).total_seconds()) // DAY_S for name in FIELDS}
)
"""How many days each field stays fresh where nothing else is set."""
