"""How far statements are believed: who takes whose data, and what the user has decided."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from glaze.model.calibration import Curves
from glaze.model.freshness import Freshness
from glaze.model.provider import ProviderSpec
from glaze.model.value import FieldName

USER = "user"
"""The source of what a person chose, confirmed, corrected or locked: it outranks every other."""
RESERVED = frozenset({USER, "input"})
"""Sources that are no providers; no provider may be called so."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What the merge knows of the sources themselves.

    ``families`` maps a provider to the name of whoever it takes its data from. Providers of one
    family are one witness; one that is not here (its plug-in was removed) is a family of its own.
    ``curves`` tell how often a provider's field was right; without one it is believed as it states.
    ``scales`` are what the user set instead: factors of what is stated, and no curve bends them.
    ``fresh`` is how long what they state holds.
    """

    families: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    curves: Curves = field(default_factory=lambda: MappingProxyType({}))
    scales: Mapping[tuple[str, FieldName], float] = field(
        default_factory=lambda: MappingProxyType({})
    )
    fresh: Freshness = field(default_factory=Freshness)

    @classmethod
    def of(
        cls,
        specs: Iterable[ProviderSpec],
        chosen: Mapping[str, Mapping[FieldName, int]] | None = None,
    ) -> "Belief":
        """Return what the providers declare of themselves, and what the user ``chosen`` instead.

        Args:
            specs: What the providers declare.
            chosen: Provider to field to the confidence, 0 to 100, of its surest statement.
        """
        specs = list(specs)
        scales = {
            (spec.name, name): confidence / max(1, declared(spec).get(name, 100))
            for spec in specs
            for name, confidence in (chosen or {}).get(spec.name, {}).items()
        }
        families = {spec.name: spec.family or spec.name for spec in specs}
        return cls(MappingProxyType(families), scales=MappingProxyType(scales))

    def sure(self, provider: str, name: FieldName, stated: int) -> float:
        """Return how sure (0 to 1) to be of a fresh statement of confidence ``stated``."""
        scale = self.scales.get((provider, name))
        if scale is not None:
            return min(1.0, stated / 100 * scale)
        curve = self.curves.get((provider, name))
        return stated / 100 if curve is None else curve.sure(stated)

    def shaped(self, spec: ProviderSpec) -> ProviderSpec:
        """Return a spec with the confidences that the user set: whom to ask is decided by them."""
        if not any(provider == spec.name for provider, _ in self.scales):
            return spec
        operations = tuple(
            replace(
                operation,
                gives={
                    name: round(100 * self.sure(spec.name, name, own))
                    if (spec.name, name) in self.scales
                    else own
                    for name, own in operation.gives.items()
                },
            )
            for operation in spec.operations
        )
        return replace(spec, operations=operations)

    def family(self, provider: str) -> str:
        """Return the family that a source belongs to."""
        return self.families.get(provider, provider)


def declared(spec: ProviderSpec) -> dict[FieldName, int]:
    """Return the most, 0 to 100, that a provider declares of each field it gives."""
    most: dict[FieldName, int] = {}
    for operation in spec.operations:
        for name, confidence in operation.gives.items():
            most[name] = max(confidence, most.get(name, 0))
    return most


NO_BELIEF = Belief()
"""Every provider is a family of its own."""
