"""How far statements are believed: who takes whose data, and what the user has decided."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from glaze.model.provider import ProviderSpec

USER = "user"
"""The source of what a person chose, confirmed, corrected or locked: it outranks every other."""
RESERVED = frozenset({USER, "input"})
"""Sources that are no providers; no provider may be called so."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What the merge knows of the sources themselves.

    ``families`` maps a provider to the name of whoever it takes its data from. Providers of one
    family are one witness; one that is not here (its plug-in was removed) is a family of its own.
    """

    families: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, specs: Iterable[ProviderSpec]) -> "Belief":
        """Return what the providers declare of themselves."""
        return cls(MappingProxyType({spec.name: spec.family or spec.name for spec in specs}))

    def family(self, provider: str) -> str:
        """Return the family that a source belongs to."""
        return self.families.get(provider, provider)


NO_BELIEF = Belief()
"""Every provider is a family of its own."""
