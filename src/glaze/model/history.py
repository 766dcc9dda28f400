"""What the ledger remembers of asking: how often an operation filled a field, and at what price."""

from dataclasses import dataclass

from glaze.model.value import FieldName


@dataclass(frozen=True, slots=True)
class Tally:
    """The settled calls of one operation that wanted one field, in the same circumstances.

    Sums are of aged calls: the newest counts 1, one that ``HALF_LIFE`` newer calls about the same
    field followed counts one half. ``calls`` counts each as 1.
    """

    operation: str  # its full name: ``apollo.people_match``
    field: FieldName
    missed: frozenset[str]  # paid operations that answered before it
    asked_by: str  # names of the identifiers it was asked by, joined by "+"
    country: str  # of whom it was about; "" where nobody knew
    calls: int
    asked: float
    filled: float  # of these, the field was stated with the confidence that was asked for
    paid_micros: float
    seconds: float  # from the intent to the answer


HALF_LIFE = 500
"""After so many newer calls about a field a call counts half: vendors change, and so do lists."""

WINDOW = 10_000
"""How many of the latest calls of a workspace are looked at."""
