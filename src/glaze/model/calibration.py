"""How often a source was right where it was this sure: reliability curves, fitted at small n.

A curve of a provider's field is fitted in two steps, each towards what was believed before it. Its
statements fall into bins of ``WIDTH`` by what was stated; the share that was right is drawn towards
the stated confidence as if ``PRIOR`` further statements had been right as often as stated (the mean of
a beta-binomial). First all fields of the provider together, then each field towards that curve. So a
field of which nothing was judged is believed as stated, one with few as its provider is, and one
with many by its own record. Pool-adjacent-violators makes both monotone: who is surer is not right
less often. Between the bins a curve is linear, down to 0 at 0 and up to 1 at 100.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from glaze.model.value import FieldName

FOLDS = 5
PRIOR = 10.0
WIDTH = 5
_MOST = 100
_Z = 1.96  # of a normal distribution's middle 95 %


class Origin(StrEnum):
    """Who knew what is true; the two are never mixed in one calibration."""

    USERS = "users"  # people who confirmed, chose or corrected values
    SIMULATED = "simulated"  # the sandbox's own world


class Judged(NamedTuple):
    """One statement of a source, and whether it was right.

    ``stated`` is 0 to 100. ``record`` is whom it is about: what is said of one record is right or
    wrong together more often than not, so one part of it says nothing of how well the rest is told.
    """

    provider: str
    field: FieldName
    stated: int
    right: bool
    record: int = 0


class Point(NamedTuple):
    """Where a curve is fixed: ``stated`` 0 to 100, ``sure`` 0 to 1."""

    stated: float
    sure: float


@dataclass(frozen=True, slots=True)
class Bin:
    """What was judged of statements of about the same confidence, 0 to 100 on average."""

    stated: float
    n: int
    right: int

    @property
    def observed(self) -> float:
        """The share that was right, 0 to 1."""
        return self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of 95 % for that share (Wilson 1927)."""
        share, spread = self.observed, _Z * _Z / self.n
        middle = (share + spread / 2) / (1 + spread)
        half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / self.n + spread / (4 * self.n))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Curve:
    """How sure to be of one provider's field, by what it states."""

    points: tuple[Point, ...]
    bins: tuple[Bin, ...] = ()

    def sure(self, stated: float) -> float:
        """Return the calibrated confidence, 0 to 1, of a statement of confidence ``stated``."""
        fixed = [Point(0.0, 0.0), *self.points, Point(float(_MOST), 1.0)]
        for low, high in pairwise(fixed):
            if stated <= high.stated and high.stated > low.stated:
                share = max(0.0, (stated - low.stated) / (high.stated - low.stated))
                return low.sure + share * (high.sure - low.sure)
        return fixed[-1].sure


AS_STATED = Curve(())
Curves = Mapping[tuple[str, FieldName], Curve]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well confidences tell how often statements are right; 0 is perfect for both."""

    brier: float  # mean squared difference to 1 (right) and 0 (wrong)
    ece: float  # expected calibration error: mean distance of bins of 10, weighted by size


class HeldOut(NamedTuple):
    """How well statements are told by what was fitted to others alone, and without any of it."""

    before: Fit
    after: Fit


@dataclass(frozen=True, slots=True)
class Calibration:
    """The curves that count from ``fitted_at`` on, until the next version."""

    version: int
    origin: Origin
    samples: int
    fitted_at: datetime
    curves: Curves = field(default_factory=lambda: MappingProxyType({}))
    held_out: HeldOut | None = None  # None where too few records were judged to try


def fit(judged: Iterable[Judged]) -> dict[tuple[str, FieldName], Curve]:
    """Return the curve of each provider and field of which anything was judged."""
    by_field: dict[tuple[str, FieldName], list[Judged]] = defaultdict(list)
    by_provider: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        by_field[one.provider, one.field].append(one)
        by_provider[one.provider].append(one)
    general = {name: _fitted(_bins(seen), AS_STATED) for name, seen in by_provider.items()}
    return {
        (provider, name): _fitted(_bins(seen), general[provider])
        for (provider, name), seen in sorted(by_field.items())
    }


def _bins(judged: Sequence[Judged]) -> list[Bin]:
    """Return the bins that hold anything, the least sure first."""
    found: dict[int, list[Judged]] = defaultdict(list)
    for one in judged:
        found[one.stated // WIDTH].append(one)
    return [
        Bin(sum(one.stated for one in seen) / len(seen), len(seen), sum(one.right for one in seen))
        for _, seen in sorted(found.items())
    ]


def _fitted(bins: Sequence[Bin], before: Curve) -> Curve:
    drawn = [
        (one.stated, (one.right + PRIOR * before.sure(one.stated)) / (one.n + PRIOR), one.n + PRIOR)
        for one in bins
    ]
    rising = _pooled([(sure, weight) for _, sure, weight in drawn])
    points = tuple(Point(at, sure) for (at, _, _), sure in zip(drawn, rising, strict=True))
    return Curve(points, tuple(bins))


def _pooled(values: Sequence[tuple[float, float]]) -> list[float]:
    """Return the values, with weights, made non-decreasing at least cost (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, weight in values:
        mean, heavy, count = value, weight, 1
        while blocks and blocks[-1][0] > mean:
            above, other, many = blocks.pop()
            mean = (mean * heavy + above * other) / (heavy + other)
            heavy, count = heavy + other, count + many
        blocks.append((mean, heavy, count))
    return [mean for mean, _, count in blocks for _ in range(count)]


def goodness(judged: Sequence[Judged], curves: Curves) -> Fit:
    """Return how well ``curves`` fit what was judged; without a curve a statement counts as stated.

    Raises: ValueError where nothing was judged.
    """
    if not judged:
        raise ValueError("nothing was judged")
    return _goodness(judged, [_believed(one, curves) for one in judged])


def cross_validated(judged: Sequence[Judged], folds: int = FOLDS) -> HeldOut | None:
    """Return how well statements are told by curves fitted to other records.

    The records are dealt into ``folds``; each fold's statements are believed by what the others
    taught. None where fewer than two records were judged.
    """
    records = sorted({one.record for one in judged})
    if len(records) < 2:  # noqa: PLR2004  one to learn from and one to judge by
        return None
    fold_of = {record: n % folds for n, record in enumerate(records)}
    curves = {
        fold: fit(one for one in judged if fold_of[one.record] != fold)
        for fold in set(fold_of.values())
    }
    sure = [_believed(one, curves[fold_of[one.record]]) for one in judged]
    return HeldOut(goodness(judged, {}), _goodness(judged, sure))


def _believed(one: Judged, curves: Curves) -> float:
    return curves.get((one.provider, one.field), AS_STATED).sure(one.stated)


def _goodness(judged: Sequence[Judged], sure: Sequence[float]) -> Fit:
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for believed, one in zip(sure, judged, strict=True):
        bins[min(9, int(believed * 10))].append((believed, one.right))
    apart = (
        abs(sum(believed for believed, _ in seen) - sum(right for _, right in seen))
        for seen in bins.values()
    )
    squares = sum((believed - one.right) ** 2 for believed, one in zip(sure, judged, strict=True))
    return Fit(brier=squares / len(judged), ece=sum(apart) / len(judged))
