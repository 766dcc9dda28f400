"""What rows will probably cost and bring: the waterfall played through by chance, nothing is asked (E13): pure.

Each play of a row takes the steps that the real one would take, by the same rules (``order.next_operation``), and
draws what each answer brings from the rates that the ledger taught. A vendor that has a record mostly has all of it,
so one draw decides for all fields of an answer. How far the rates themselves are unsure is drawn once a run, the
same for all rows: that is what makes a quote wide, for the luck of single rows evens out over many.
"""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import fmean, pvariance

from glaze.model.provider import ProviderSpec, Tier
from glaze.model.value import FieldName, Micros
from glaze.pipeline.learned import Experience
from glaze.pipeline.order import Choice, Rules, next_operation, question_needs
from glaze.pipeline.rates import LEAST, Rates

RUNS = 200
MOST_ROWS = 80
"""Of the rows that have gaps so many are played; they stand for the others."""
SEED = 20_260_101
_Z90 = 1.645
_ALWAYS = 0.98  # billed so often, a vendor charges for misses, too
_PRIOR_SHARE = 0.5
_COMPANY_DOMAIN = FieldName("company_domain")
_EMPLOYER_DOMAIN = FieldName("person_company_domain")


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row with gaps: what is known of it, and whom it needs not pay any more."""

    missing: frozenset[FieldName]
    known: frozenset[FieldName]
    answered: frozenset[str] = frozenset()  # operations whose answer is there, and fills no gap
    country: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """What the plays go by."""

    specs: Sequence[ProviderSpec]
    rules: Rules
    rates: Rates
    brought: Mapping[
        tuple[str, FieldName], float
    ]  # operation, identifier -> how often it states it
    left_micros: Micros | None = None  # most that one row may cost
    pages: int = 1  # most calls of a model for one row


@dataclass(frozen=True, slots=True)
class Band:
    """A figure with its 90 % band."""

    p5: float
    p50: float
    p95: float

    def plus(self, known: float) -> "Band":
        """Return it with what is known for sure added."""
        return Band(self.p5 + known, self.p50 + known, self.p95 + known)

    def upto(self, most: float) -> "Band":
        """Return it with nothing above ``most``."""
        return Band(min(self.p5, most), min(self.p50, most), min(self.p95, most))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of all rows with gaps together. Money in micros."""

    cost: Band
    answers: Band  # paid questions
    filled: Mapping[FieldName, Band]  # rows whose gap is filled
    most_micros: float  # by the price list, should nobody have anything
    asked: Mapping[str, float]  # paid operation -> times asked, on average
    spent: Mapping[str, float]  # the same in micros
    learned_from: int  # calls that the rates of the most used operation rest on
    unlearned: tuple[str, ...]  # paid operations of which too little is known


@dataclass(frozen=True, slots=True)
class _Step:
    """One decision, with what its answer may bring."""

    choice: Choice
    fills: tuple[tuple[FieldName, float, float], ...]  # field, rate, its standard deviation
    states: tuple[tuple[FieldName, float], ...]  # identifiers that come with it
    price: int
    billed: float  # how often it is billed


@dataclass(slots=True)
class _Sum:
    cost: float = 0.0
    answers: int = 0
    filled: dict[FieldName, int] = field(default_factory=lambda: defaultdict(int))


def forecast(
    played: Sequence[OpenRow], world: World, *, stands_for: int, runs: int = RUNS
) -> Forecast:
    """Play the rows ``runs`` times; the same rows and rates always give the same forecast.

    Args:
        played: Some of the rows with gaps, at most ``MOST_ROWS`` for a quick answer.
        world: What the plays go by.
        stands_for: How many rows with gaps there are.
        runs: How often each is played.
    """
    table = _Table(world)
    rng = random.Random(SEED)  # noqa: S311  luck for a forecast, no secret
    sums: list[_Sum] = []
    within: list[float] = []
    for _ in range(runs):
        luck: dict[str, float] = defaultdict(lambda: rng.gauss(0.0, 1.0))
        total = _Sum()
        costs = [table.play(row, rng, luck, total) for row in played]
        total.cost = sum(costs)
        within.append(pvariance(costs) if costs else 0.0)
        sums.append(total)
    scale = stands_for / max(1, len(played))
    noise = fmean(within) * len(played)  # variance of a sum over the played rows by luck alone
    used = sorted(table.used.items(), key=lambda item: -item[1])
    most = sum(table.most(row) for row in played) * scale
    return Forecast(
        cost=_band([one.cost for one in sums], scale, noise).upto(most),
        answers=_band([one.answers for one in sums], scale, 0.0),
        filled={
            name: _band([one.filled[name] for one in sums], scale, 0.0)
            for name in sorted({name for row in played for name in row.missing})
        },
        most_micros=most,
        asked={name: times * scale / runs for name, times in used},
        spent={name: table.paid[name] * scale / runs for name, _ in used},
        learned_from=table.calls.get(used[0][0], 0) if used else 0,
        unlearned=tuple(sorted(name for name, _ in used if table.calls[name] < LEAST)),
    )


def _band(sums: Sequence[float], scale: float, noise: float) -> Band:
    """Return the band of the whole file from sums over the played rows.

    The luck of single rows evens out: over ``scale`` times as many rows its part of the variance
    grows by ``scale`` alone, not by its square.
    """
    mean, spread = fmean(sums), pvariance(sums)
    shared = max(0.0, spread - noise)
    wanted = shared * scale**2 + min(noise, spread) * scale
    stretch = math.sqrt(wanted / spread) if spread > 0 else 0.0
    found = sorted(mean * scale + (one - mean) * stretch for one in sums)
    return Band(*(max(0.0, _quantile(found, share)) for share in (0.05, 0.5, 0.95)))


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


class _Table:
    """Decisions, each made once: most rows pass through the same few."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._steps: dict[tuple[object, ...], _Step | None] = {}
        needs = (need for spec in world.specs for one in spec.operations for need in one.needs)
        self._identifiers = frozenset(name for need in needs for name in need)
        self._is_trial = lru_cache(maxsize=100_000)(self._drawn)
        self.used: dict[str, int] = defaultdict(int)
        self.paid: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = {}

    def play(
        self, row: OpenRow, rng: random.Random, luck: Mapping[str, float], total: _Sum
    ) -> float:
        """Play one row to its end, add what it brings, and return what it costs."""
        missing, known, tried = row.missing, row.known, frozenset[str]()
        cost, left = 0.0, self._world.left_micros
        while missing:
            step = self._step(row, missing, known, tried, left)
            if step is None:
                break
            name = step.choice.name
            tried |= {name}
            if name in row.answered:
                continue
            calls = self._world.pages if step.choice.spec.tier is Tier.INFERENCE else 1
            for _ in range(calls):
                drawn = rng.random()
                got = {f for f, rate, sd in step.fills if drawn < rate + luck[name] * sd}
                price = step.price if drawn < self._billed(step, luck[name]) else 0
                cost += price
                left = None if left is None else Micros(left - price)
                missing -= got
                known |= got | {f for f, share in step.states if drawn < share}
                for found in got & row.missing:
                    total.filled[found] += 1
                if step.price:
                    total.answers += 1
                    self.used[name] += 1
                    self.paid[name] += price
                dear = left is not None and step.price > left
                if dear or got >= {f for f, _, _ in step.fills}:
                    break
        return cost

    def most(self, row: OpenRow) -> int:
        """Return what a row costs by the price list where nobody has anything."""
        missing, known, tried, cost = row.missing, row.known, frozenset[str](), 0
        # What comes with an answer opens further questions: all that anybody may state is known.
        gives = (
            name
            for spec in self._world.specs
            for one in spec.operations
            if not self._world.rules.unusable.get(spec.name)
            for name in one.gives
        )
        known |= self._identifiers & frozenset(gives)
        while step := self._step(row, missing, known, tried, self._world.left_micros):
            tried |= {step.choice.name}
            if step.choice.name not in row.answered:
                times = self._world.pages if step.choice.spec.tier is Tier.INFERENCE else 1
                cost += step.price * times
        cap = self._world.left_micros
        return cost if cap is None else min(cost, cap)

    def _billed(self, step: _Step, luck: float) -> float:
        if step.billed >= _ALWAYS or not step.fills:
            return step.billed
        _, rate, sd = max(step.fills, key=lambda fill: fill[1])
        return step.billed * max(0.0, rate + luck * sd) / max(rate, 1e-6)

    def _step(
        self,
        row: OpenRow,
        missing: frozenset[FieldName],
        known: frozenset[FieldName],
        tried: frozenset[str],
        left: Micros | None,
    ) -> _Step | None:
        trial = self._world.rules.learned and self._is_trial(row.subject, tried)
        key = (missing, known, tried, left, row.country, trial)
        if key not in self._steps:
            self._steps[key] = self._decided(row, missing, known, tried, left)
        return self._steps[key]

    def _drawn(self, subject: str, tried: frozenset[str]) -> bool:
        return Experience(self._world.rates, tried, "", subject).is_trial

    def _decided(
        self,
        row: OpenRow,
        missing: frozenset[FieldName],
        known: frozenset[FieldName],
        tried: frozenset[str],
        left: Micros | None,
    ) -> _Step | None:
        world = self._world
        experience = Experience(world.rates, tried, row.country, row.subject)
        values = dict.fromkeys(known, True)
        if _EMPLOYER_DOMAIN in values:
            values[_COMPANY_DOMAIN] = True  # as a run takes it
        choice = next_operation(
            world.specs,
            missing,
            values,
            left,
            tried=tried,
            rules=world.rules,
            experience=experience if world.rules.learned else None,
        ).choice
        if choice is None:
            return None
        operation, name = choice.operation, choice.name
        fields = world.rules.fills(choice.spec, operation, missing)
        needs = question_needs(operation, values) or frozenset()
        worth = experience.worth(name, fields, needs)
        calls = max(one.calls for one in worth.by_field.values())
        self.calls[name] = max(calls, self.calls.get(name, 0))
        price = operation.price_micros
        return _Step(
            choice=choice,
            fills=tuple(
                (f, one.rate, (one.high - one.low) / (2 * _Z90))
                for f, one in worth.by_field.items()
            ),
            states=tuple(
                (f, world.brought.get((name, f), _PRIOR_SHARE))
                for f in sorted((self._identifiers & operation.gives.keys()) - known - {*fields})
            ),
            price=price,
            billed=min(1.0, worth.cost_micros / price) if price else 0.0,
        )
