"""What a process did since it started, counted; cheap enough for every job."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

from glaze.model.measure import Durations, Measures
from glaze.model.outcome import Done, Failed, Outcome, Partial, Retry

_GOOD = {Done.__name__.lower(), Partial.__name__.lower()}
_BAD = {Retry.__name__.lower(), Failed.__name__.lower()}


@dataclass(slots=True)
class Tally:
    """Counts of one process, or of several together; they only grow."""

    claimed: int = 0
    rescued: int = 0  # jobs taken back from dead workers
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, outcome) -> attempts
    durations: dict[str, Durations] = field(default_factory=dict)  # by kind
    measures: Measures = field(default_factory=Measures)  # of enrichments and vendors

    def end(self, kind: str, outcome: Outcome, seconds: float) -> None:
        """Count an attempt at its end."""
        self.ended[kind, type(outcome).__name__.lower()] += 1
        if (durations := self.durations.get(kind)) is None:
            durations = self.durations[kind] = Durations()
        durations.note(seconds)

    @property
    def done(self) -> int:
        """Attempts that ended well."""
        return sum(n for (_, outcome), n in self.ended.items() if outcome in _GOOD)

    @property
    def failed(self) -> int:
        """Attempts that did not; a snooze or a cancel is neither."""
        return sum(n for (_, outcome), n in self.ended.items() if outcome in _BAD)

    def add(self, other: "Tally") -> None:
        """Take in the counts of another process."""
        self.claimed += other.claimed
        self.rescued += other.rescued
        self.ended.update(other.ended)
        for kind, theirs in other.durations.items():
            self.durations.setdefault(kind, Durations()).add(theirs)
        self.measures.add(other.measures)

    def as_json(self) -> dict[str, Any]:
        """Return the counts as JSON, for another process."""
        return {
            "claimed": self.claimed,
            "rescued": self.rescued,
            "ended": [[*key, n] for key, n in self.ended.items()],
            "durations": {kind: [d.counts, d.total_s] for kind, d in self.durations.items()},
            "measures": self.measures.as_json(),
        }

    @classmethod
    def of_json(cls, told: dict[str, Any]) -> Self:
        """Return the counts that ``as_json`` of the same version gave."""
        return cls(
            told["claimed"],
            told["rescued"],
            Counter({(kind, outcome): n for kind, outcome, n in told["ended"]}),
            {kind: Durations(*parts) for kind, parts in told["durations"].items()},
            Measures.of_json(told["measures"]),
        )
