"""What was learned of the providers, for people to see: rates by circumstance, and what each one adds (E13): pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from glaze.model.history import Tally
from glaze.model.provider import ProviderSpec
from glaze.model.value import FieldName
from glaze.pipeline.rates import Estimate, Rates

_Z = 1.645  # of a 90 % interval


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one operation is expected to do for one field, in circumstances that occurred."""

    field: FieldName
    operation: str
    missed: tuple[str, ...]  # paid operations that had missed the field before
    asked_by: str  # "" for all together
    country: str
    calls: int  # in these very circumstances
    estimate: Estimate

    @property
    def per_fill_micros(self) -> float:
        """What filling the field with it costs, as expected."""
        return self.estimate.cost_micros / max(self.estimate.rate, 1e-9)


@dataclass(frozen=True, slots=True)
class Lift:
    """What a paid operation filled that the paid ones before it had not: an estimate.

    What it would have filled had it come first is not in it; nor is what later ones would have filled
    in its place, so that it bounds what would be lost without it. Calls are aged as everywhere.
    """

    field: FieldName
    operation: str
    calls: int  # made after others had missed
    rate: float  # of these, the share that it filled, with a 90 % interval
    low: float
    high: float
    points: float  # the same as a share of all runs in which one was asked about the field


def lessons(
    tallies: Sequence[Tally], specs: Sequence[ProviderSpec], *, segments: bool = False
) -> list[Lesson]:
    """Return what was learned, by field and misses, within these what fills most for a dollar first.

    Args:
        tallies: The workspace's history.
        specs: All installed providers.
        segments: Tell identifiers and countries apart.
    """
    rates = Rates(tallies, specs)
    paid = _paid(specs)
    calls: dict[tuple[str, FieldName, tuple[str, ...], str, str], int] = defaultdict(int)
    for one in tallies:
        missed = tuple(sorted(name for name in one.missed if (name, one.field) in paid))
        segment = (one.asked_by, one.country) if segments else ("", "")
        calls[one.operation, one.field, missed, *segment] += one.calls
    found = [
        Lesson(
            field,
            operation,
            missed,
            asked_by,
            country,
            n,
            rates.of(operation, field, frozenset(missed), asked_by, country),
        )
        for (operation, field, missed, asked_by, country), n in calls.items()
    ]
    return sorted(
        found,
        key=lambda one: (
            one.field,
            one.asked_by,
            one.country,
            len(one.missed),
            one.missed,
            one.per_fill_micros,
            one.operation,
        ),
    )


def lifts(
    tallies: Iterable[Tally], specs: Sequence[ProviderSpec], runs: Mapping[FieldName, int]
) -> list[Lift]:
    """Return what each paid operation added to those before it, by field, the most first.

    Args:
        tallies: The workspace's history.
        specs: All installed providers.
        runs: Of each field in how many runs a paid operation was asked about it. The calls do not
            tell: where an answer was there already none begins with a call before any miss.
    """
    paid = _paid(specs)
    late: dict[tuple[FieldName, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for one in tallies:
        is_late = any((name, one.field) in paid for name in one.missed)
        if (one.operation, one.field) in paid and is_late:
            sums = late[one.field, one.operation]
            sums[0] += one.calls
            sums[1] += one.asked
            sums[2] += one.filled
    found = []
    for (field, operation), (calls, asked, filled) in late.items():
        low, high = wilson(filled, asked)
        rate = filled / asked
        # A call is one of a run; of a model's there may be several, one a page.
        share = min(1.0, rate * calls / max(1, runs.get(field, 0)))
        found.append(Lift(field, operation, int(calls), rate, low, high, share))
    return sorted(found, key=lambda one: (one.field, -one.points, one.operation))


def wilson(filled: float, asked: float) -> tuple[float, float]:
    """Return the 90 % interval of a share (Wilson 1927); it needs no prior."""
    share, z2 = filled / asked, _Z * _Z
    middle = (share + z2 / (2 * asked)) / (1 + z2 / asked)
    spread = _Z * math.sqrt(share * (1 - share) / asked + z2 / (4 * asked**2)) / (1 + z2 / asked)
    return max(0.0, middle - spread), min(1.0, middle + spread)


def _paid(specs: Iterable[ProviderSpec]) -> set[tuple[str, FieldName]]:
    return {
        (f"{spec.name}.{operation.name}", field)
        for spec in specs
        for operation in spec.operations
        if operation.price_micros
        for field in operation.gives
    }
