"""How often an operation fills a field and at what price, as the ledger tells: pure estimates (E13).

Providers late in a waterfall see only what the earlier ones missed. So a rate belongs to its circumstances: which paid
operations had missed the field before, which identifiers were known, in which country. Circumstances seen rarely lean on
wider ones, in this order, each as if ``PULL`` calls of it had been made:

1. a prior of one half at the declared price: nobody's claims are believed, and the cheapest comes first;
2. calls after as many misses, where fewer misses come before more: what is found easily bounds what is found hard,
   and never the other way round;
3. calls after the very same misses, by whichever identifiers;
4. of these, calls by the same identifiers; and of these, in the same country.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from glaze.model.history import Tally
from glaze.model.provider import ProviderSpec
from glaze.model.value import FieldName

LEAST = 30
"""Below so many (aged) calls a rate is not acted upon."""
PULL = 10.0
"""With the weight of how many calls wider circumstances speak in narrower ones, at most."""
MOST_MISSES = 3
"""After this many misses and more, calls are alike where they are rare."""
_PRIOR_RATE, _PRIOR_WEIGHT = 0.5, 2.0
_Z = 1.645  # of a 90 % interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one more call is expected to do for one field."""

    rate: float  # chance that it fills the field, 0 to 1
    low: float  # with its 90 % interval
    high: float
    cost_micros: float  # expected price, misses as the vendor bills them
    seconds: float | None  # mean time to the answer; None: never asked
    asked: float  # calls after as many misses, aged
    calls: int  # the same, each counted as 1

    @property
    def known(self) -> bool:
        """Whether enough was asked to act upon it."""
        return self.asked >= LEAST


@dataclass(slots=True)
class _Sum:
    calls: int = 0
    asked: float = 0.0
    filled: float = 0.0
    paid_micros: float = 0.0
    seconds: float = 0.0

    def add(self, tally: Tally) -> None:
        self.calls += tally.calls
        self.asked += tally.asked
        self.filled += tally.filled
        self.paid_micros += tally.paid_micros
        self.seconds += tally.seconds


_NOTHING = _Sum()


class Rates:
    """The estimates that follow from one reading of a workspace's history."""

    def __init__(self, tallies: Iterable[Tally], specs: Iterable[ProviderSpec]) -> None:
        """Sum ``tallies`` up for every circumstance that they speak of."""
        self._prices: dict[str, int] = {}
        self._paid_givers: dict[FieldName, set[str]] = defaultdict(set)
        for spec in specs:
            for operation in spec.operations:
                name = f"{spec.name}.{operation.name}"
                self._prices[name] = operation.price_micros
                for field in operation.gives if operation.price_micros else ():
                    self._paid_givers[field].add(name)
        self._sums: dict[tuple[object, ...], _Sum] = defaultdict(_Sum)
        self._known: dict[tuple[object, ...], Estimate] = {}
        for tally in tallies:
            missed = tally.missed & self._paid_givers[tally.field]
            for key in _keys(tally.operation, tally.field, missed, tally.asked_by, tally.country):
                self._sums[key].add(tally)

    def __bool__(self) -> bool:
        """Tell whether there is any history."""
        return bool(self._sums)

    def of(
        self,
        operation: str,
        field: FieldName,
        earlier: AbstractSet[str] = frozenset(),
        asked_by: str = "",
        country: str = "",
    ) -> Estimate:
        """Return what to expect of ``operation`` for ``field``.

        Args:
            operation: Its full name.
            field: A field that it gives and that is still missing.
            earlier: Full names of the operations that have answered already.
            asked_by: Names of the identifiers it would be asked by, sorted, joined by "+".
            country: Of whom it would be asked; "" where nobody knows.
        """
        missed = frozenset(earlier) & self._paid_givers.get(field, frozenset())
        case = (operation, field, missed, asked_by, country)
        if case not in self._known:
            self._known[case] = self._estimate(operation, field, missed, asked_by, country)
        return self._known[case]

    def _estimate(
        self, operation: str, field: FieldName, missed: frozenset[str], asked_by: str, country: str
    ) -> Estimate:
        rate, cost = _PRIOR_RATE, float(self._prices.get(operation, 0))
        behind, weight = _PRIOR_WEIGHT, 0.0  # of the wider circumstances, and what they weigh here
        misses = min(len(missed), MOST_MISSES)
        wider = [(operation, field, fewer) for fewer in range(misses + 1)]
        # Those with as many misses hold those with the same misses: where all are the same, once is enough.
        narrower = _keys(operation, field, missed, asked_by, country)[1:]
        last = _NOTHING
        for key in (*wider, *narrower):
            seen = self._sums.get(key, _NOTHING)
            if seen.asked <= 0 or (key in narrower and seen.calls == last.calls):
                continue
            weight = min(PULL, behind)
            rate = (seen.filled + weight * rate) / (seen.asked + weight)
            cost = (seen.paid_micros + weight * cost) / (seen.asked + weight)
            behind, last = seen.asked + weight, seen
        alike = self._sums.get((operation, field, misses), _NOTHING)
        spread = _Z * math.sqrt(rate * (1 - rate) / (behind + 1))
        return Estimate(
            rate=rate,
            low=max(0.0, rate - spread),
            high=min(1.0, rate + spread),
            cost_micros=cost,
            seconds=alike.seconds / alike.asked if alike.asked > 0 else None,
            asked=alike.asked,
            calls=alike.calls,
        )


def _keys(
    operation: str, field: FieldName, missed: frozenset[str], asked_by: str, country: str
) -> tuple[tuple[object, ...], ...]:
    """Return the circumstances that a call is counted in, the widest first."""
    same = (operation, field, missed)
    keys: tuple[tuple[object, ...], ...] = (
        (operation, field, min(len(missed), MOST_MISSES)),
        same,
        (*same, asked_by),
    )
    return (*keys, (*same, asked_by, country)) if country else keys
