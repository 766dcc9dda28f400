"""Policies: the product's own order with what it learned, without, and an oracle that knows the true rates."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bench.study.worlds import ASKED_BY, Case, Lead
from glaze.model.history import HALF_LIFE, WINDOW, Tally
from glaze.model.value import FieldName
from glaze.pipeline.learned import Experience
from glaze.pipeline.order import Rules, next_operation
from glaze.pipeline.rates import Rates

REFRESH = 50
"""After so many leads the rates are read again: 5 seconds at ten a second."""


@dataclass(frozen=True)
class Call:
    """One call as the ledger keeps it."""

    operation: str
    wanted: frozenset[FieldName]
    found: frozenset[FieldName]
    earlier: frozenset[str]
    country: str
    paid_micros: int


@dataclass(frozen=True)
class Outcome:
    """What one lead cost, and whether everything that was wanted was found."""

    cost_micros: int
    filled: bool
    asked: tuple[str, ...]


def tallies(calls: Sequence[Call]) -> list[Tally]:
    """Sum calls up as the ledger's own query does; a test holds that the two agree."""
    age: dict[FieldName, int] = defaultdict(int)
    sums: dict[tuple[str, FieldName, frozenset[str], str], list[float]] = defaultdict(
        lambda: [0, 0.0, 0.0, 0.0]
    )
    for call in reversed(calls[-WINDOW:]):
        for name in call.wanted:
            weight = 0.5 ** (age[name] / HALF_LIFE)
            age[name] += 1
            found = sums[call.operation, name, call.earlier, call.country]
            found[0] += 1
            found[1] += weight
            found[2] += weight * (name in call.found)
            found[3] += weight * call.paid_micros
    return [
        Tally(operation, name, earlier, ASKED_BY, country, int(n), asked, filled, paid, asked)
        for (operation, name, earlier, country), (n, asked, filled, paid) in sums.items()
    ]


def play(case: Case, leads: Sequence[Lead], rules: Rules) -> Iterator[Outcome]:
    """Ask about each lead as the product would: its order, its rates, its trials."""
    calls: list[Call] = []
    rates = Rates((), case.specs)
    for place, lead in enumerate(leads):
        if rules.learned and place % REFRESH == 0:
            rates = Rates(tallies(calls), case.specs)
        yield _ask(case, lead, rules, rates, calls)


def _ask(case: Case, lead: Lead, rules: Rules, rates: Rates, calls: list[Call]) -> Outcome:
    vendors = {vendor.name: vendor for vendor in case.vendors}
    missing, heard, cost = frozenset(case.wanted), frozenset[str](), 0
    asked: list[str] = []
    while missing:
        experience = Experience(rates, heard, lead.country, lead.subject)
        found = next_operation(
            case.specs,
            missing,
            lead.identity.known,
            None,
            tried=heard,
            rules=rules,
            experience=experience,
        )
        if found.choice is None:
            break
        vendor = vendors[found.choice.spec.name]
        told = lead.known_by[vendor.name]
        paid = vendor.price if told or vendor.misses_billed else 0
        wanted = missing & vendor.fields.keys()
        calls.append(Call(found.choice.name, wanted, told & wanted, heard, lead.country, paid))
        cost, missing, heard = cost + paid, missing - told, heard | {found.choice.name}
        asked.append(vendor.name)
    return Outcome(cost, not missing, tuple(asked))


def oracle(case: Case, leads: Sequence[Lead]) -> list[int]:
    """Return what each half of the run costs by the best adaptive order there is, in micros.

    It knows, for each region and each half, how often every vendor fills each field after whatever
    the others had said; every order is tried out. Like all policies it asks until nothing is missing
    or nobody is left.
    """
    half = len(leads) // 2
    return [_cheapest(case, part) for part in (leads[:half], leads[half:])]


def _cheapest(case: Case, leads: Sequence[Lead]) -> int:
    by_region: dict[str, Counter[tuple[frozenset[FieldName], ...]]] = defaultdict(Counter)
    for lead in leads:
        known = tuple(lead.known_by[vendor.name] for vendor in case.vendors)
        by_region[lead.region][known] += 1
    best = partial(_best, case, left=frozenset(range(len(case.vendors))))
    return sum(best(seen, missing=frozenset(case.wanted)) for seen in by_region.values())


def _best(
    case: Case,
    seen: Mapping[tuple[frozenset[FieldName], ...], int],
    *,
    missing: frozenset[FieldName],
    left: frozenset[int],
) -> int:
    """Return the least cost of going on with these leads, who look all the same so far."""
    useful = [i for i in left if missing & case.vendors[i].fields.keys()]
    costs = []
    for i in useful:
        vendor = case.vendors[i]
        cost = 0
        parts: dict[tuple[frozenset[FieldName], bool], Counter[tuple[frozenset[FieldName], ...]]]
        parts = defaultdict(Counter)
        for known, n in seen.items():
            cost += n * (vendor.price if known[i] or vendor.misses_billed else 0)
            parts[missing - known[i], bool(known[i])][known] += n
        for (rest, _), part in parts.items():
            cost += _best(case, part, missing=rest, left=left - {i}) if rest else 0
        costs.append(cost)
    return min(costs, default=0)
