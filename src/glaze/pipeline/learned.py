"""What an operation is worth in the case at hand, by what was learned of it (E13): pure.

For one field, asking by the highest ratio of chance to price costs least, where the chances are those after the misses so
far. For several the gain is the number of missing fields that a call is expected to fill: the greedy rule of covering
a set at least expected cost.

Who is never asked is never learned of. So every fourth question, chosen by its hash, takes the rates at the upper end of their
interval: it goes to whoever could be better than the best as far as is known, and to nobody who cannot. Calls age, so intervals
widen again, and a vendor that became better is found out.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from glaze.model.value import MICROS_PER_DOLLAR, FieldName
from glaze.pipeline.rates import LEAST, Estimate, Rates

TRIAL_EVERY = 4
"""One question in so many is asked hopefully."""
_SAME = math.log(1.05)  # what is worth as much within 5 % is equal: then the quicker one is asked
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Worth:
    """What asking an operation is expected to bring and to cost."""

    by_field: Mapping[FieldName, Estimate]

    @property
    def known(self) -> bool:
        """Whether enough was asked, of one of the fields at least."""
        return any(one.known for one in self.by_field.values())

    @property
    def cost_micros(self) -> float:
        """The price to expect."""
        return sum(one.cost_micros for one in self.by_field.values()) / len(self.by_field)

    @property
    def per_dollar(self) -> float:
        """Fields filled for a dollar, as expected."""
        return self._per_dollar(sum(one.rate for one in self.by_field.values()))

    @property
    def hoped(self) -> float:
        """The same, should every rate be at the upper end of what is likely."""
        return self._per_dollar(sum(one.high for one in self.by_field.values()))

    @property
    def rank(self) -> tuple[float, float]:
        """The sort key: worth in steps of 5 %, then the time to the answer."""
        return (-round(math.log(max(self.per_dollar, 1e-9)) / _SAME), self._seconds)

    @property
    def _seconds(self) -> float:
        return max((one.seconds or 0.0 for one in self.by_field.values()), default=0.0)

    def _per_dollar(self, gain: float) -> float:
        return gain * MICROS_PER_DOLLAR / max(self.cost_micros, 1.0)

    def figures(self) -> str:
        """Say what was learned: ``fills 62 % of person_email at $0.049 expected, 340 asked``."""
        best = sorted(self.by_field.items(), key=lambda item: (-item[1].rate, item[0]))
        shown = ", ".join(f"{round(100 * one.rate)} % of {name}" for name, one in best[:_SHOWN])
        more = f" and {len(best) - _SHOWN} more" if len(best) > _SHOWN else ""
        calls = max(one.calls for one in self.by_field.values())
        dollars = f"${self.cost_micros / MICROS_PER_DOLLAR:.4f}".rstrip("0").ljust(5, "0")
        return f"fills {shown}{more} at {dollars} expected, {calls} asked"


@dataclass(frozen=True, slots=True)
class Experience:
    """What is known at one step of one waterfall: the rates, and the circumstances to read them by.

    ``question`` names who is asked about; with how far the waterfall has come it decides whether
    this is a trial, the same whenever the step is repeated.
    """

    rates: Rates
    earlier: AbstractSet[str] = frozenset()  # operations that have answered
    country: str = ""
    question: str = ""

    def worth(self, name: str, fields: Sequence[FieldName], needs: AbstractSet[FieldName]) -> Worth:
        """Return what asking ``name`` by the identifiers ``needs`` for ``fields`` is worth."""
        asked_by = "+".join(sorted(needs))
        return Worth(
            {
                field: self.rates.of(name, field, self.earlier, asked_by, self.country)
                for field in fields
            }
        )

    @property
    def is_trial(self) -> bool:
        """Whether this step is asked hopefully."""
        told = "|".join([self.question, *sorted(self.earlier)])
        (drawn,) = hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=1).digest()
        return drawn % TRIAL_EVERY == 0


def choose(worths: Mapping[str, Worth], experience: Experience) -> tuple[str, str] | None:
    """Return whom to ask among paid rivals, and why; None where nothing was learned of any.

    Those asked fewer than ``LEAST`` times come after those that are known, and are for the caller to
    order; only a trial puts one of them first.
    """
    known = {name: worth for name, worth in worths.items() if worth.known}
    if not known:
        return None
    best = min(known, key=lambda name: (*known[name].rank, name))
    if experience.is_trial:
        hoped = max(sorted(worths), key=lambda name: worths[name].hoped)
        if worths[hoped].hoped > worths[best].hoped:
            return hoped, _on_trial(worths[hoped], best)
    return best, worths[best].figures()


def _on_trial(worth: Worth, best: str) -> str:
    calls = max(one.calls for one in worth.by_field.values())
    if calls < LEAST:
        return f"on trial, {calls} asked: it may do better than {best}"
    return f"on trial: it may do better than {best}; {worth.figures()}"
