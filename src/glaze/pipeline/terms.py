"""How each job asks: by what it says itself, by its workspace's rules, by the settings."""

import time
from collections.abc import Mapping, Sequence

from glaze.model.asking_rule import AskingRule, Terms, Way, terms_of
from glaze.model.input_type import TYPES, InputType
from glaze.model.request import EnrichArgs
from glaze.model.value import WorkspaceId
from glaze.pipeline.order import LEARNED, Rules, arranged
from glaze.store.asking_rule import AskingRuleStore

LOOK_EVERY_S = 5.0
"""After how long a process knows of a rule that another one set."""


class StandingTerms:
    """The rules of each workspace, for whoever begins a job."""

    def __init__(self, order: Sequence[str], store: AskingRuleStore | None = None) -> None:
        """Begin with the settings' order; without a store that is all."""
        self._order = tuple(order)
        self._store = store
        self._known: dict[WorkspaceId, tuple[float, Sequence[AskingRule]]] = {}

    async def of(self, workspace_id: WorkspaceId, kind: str, args: EnrichArgs) -> Terms:
        """Return how a job of this kind asks."""
        own = Way(args.order, args.min_confidence, args.providers)
        order = self._order or _order_of(args.type)
        return terms_of(own, await self._rules(workspace_id), kind, order)

    async def _rules(self, workspace_id: WorkspaceId) -> Sequence[AskingRule]:
        if self._store is None:
            return ()
        looked, rules = self._known.get(workspace_id, (0.0, ()))
        if not looked or time.monotonic() - looked > LOOK_EVERY_S:
            if looked:  # one looks; whoever comes meanwhile goes by what is known
                self._known[workspace_id] = (time.monotonic(), rules)
            rules = await self._store.of(workspace_id)
            self._known[workspace_id] = (time.monotonic(), rules)
        return rules


def _order_of(type_: InputType | None) -> tuple[str, ...]:
    """Return whom to ask first by the type that a caller named; the others as learned."""
    first = () if type_ is None else TYPES[type_].first
    return (*first, LEARNED) if first else ()


def rules_of(terms: Terms, *, opted_in: frozenset[str], unusable: Mapping[str, str]) -> Rules:
    """Return the terms as the choice of the next operation takes them."""
    first, learned = arranged(terms.order)
    return Rules(
        order=first,
        learned=learned,
        only=terms.providers,
        opted_in=opted_in,
        unusable=unusable,
        floor=terms.floor,
        fields=terms.fields,
    )
