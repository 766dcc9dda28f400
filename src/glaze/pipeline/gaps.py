"""Which wanted fields are still missing: the condition of the waterfall's loop."""

from collections.abc import Callable, Iterable, Mapping

from glaze.model.observation import Winner
from glaze.model.value import FieldName


def gaps(
    required: Iterable[FieldName],
    winners: Mapping[FieldName, Winner],
    floor_of: Callable[[FieldName], int],
) -> frozenset[FieldName]:
    """Return the required fields that have no value, or one with a confidence below its floor."""
    return frozenset(
        name
        for name in required
        if name not in winners or winners[name].confidence < floor_of(name)
    )
