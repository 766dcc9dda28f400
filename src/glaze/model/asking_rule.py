"""How a workspace has its jobs ask: whom first, how sure a value has to be, who may be asked at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from glaze.model.value import FieldName

EVERY = ""
"""In place of a kind of job, or of a field: all of them."""
DEFAULT_FLOOR = 50
"""Below it a value counts as missing where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Way:
    """Parts of it; one that is None is said elsewhere.

    ``order`` is as people give it (``pipeline.order.arranged``), ``floor`` a confidence (0 to 100)
    below which a field counts as missing, ``providers`` the only ones that may be asked; they, or
    operations, are named.
    """

    order: tuple[str, ...] | None = None
    floor: int | None = None
    providers: tuple[str, ...] | None = None

    def over(self, wider: "Way") -> "Way":
        """Return its own parts, and those of ``wider`` where it has none."""
        return Way(
            wider.order if self.order is None else self.order,
            wider.floor if self.floor is None else self.floor,
            wider.providers if self.providers is None else self.providers,
        )


@dataclass(frozen=True, slots=True)
class AskingRule:
    """A way of asking for a kind of job and a field; either may be ``EVERY``."""

    kind: str
    field: str
    way: Way


@dataclass(frozen=True, slots=True)
class Terms:
    """How one job asks. ``fields`` are those with a way of their own, its None parts as for all."""

    order: tuple[str, ...] = ()
    floor: int = DEFAULT_FLOOR
    providers: tuple[str, ...] | None = None
    fields: Mapping[FieldName, Way] = field(default_factory=lambda: MappingProxyType({}))

    def floor_of(self, name: FieldName) -> int:
        """Return the confidence below which a field counts as missing."""
        own = self.fields.get(name, _NOTHING).floor
        return self.floor if own is None else own


_NOTHING = Way()


def terms_of(own: Way, rules: Iterable[AskingRule], kind: str, order: tuple[str, ...]) -> Terms:
    """Return how a job asks.

    What it says itself holds for all of its fields. Else a rule about a field goes before one about
    the kind of job, and one about both before either.

    Args:
        own: What the job says.
        rules: Those of its workspace.
        kind: The kind of the job.
        order: Whom to ask first where nobody says.
    """
    said = {(one.kind, one.field): one.way for one in rules if one.kind in (kind, EVERY)}
    of_all = said.get((kind, EVERY), _NOTHING).over(said.get((EVERY, EVERY), _NOTHING))
    general = own.over(of_all).over(Way(order, DEFAULT_FLOOR))
    names = {FieldName(name) for _, name in said if name != EVERY}
    fields = {
        name: _unless(own, said.get((kind, name), _NOTHING).over(said.get((EVERY, name), _NOTHING)))
        for name in sorted(names)
    }
    return Terms(
        order=general.order or (),
        floor=DEFAULT_FLOOR if general.floor is None else general.floor,
        providers=general.providers,
        fields=MappingProxyType(fields),
    )


def _unless(own: Way, way: Way) -> Way:
    """Return the parts of ``way`` of which the job itself says nothing."""
    return Way(
        way.order if own.order is None else None,
        way.floor if own.floor is None else None,
        way.providers if own.providers is None else None,
    )
