"""What a workspace believes of its sources: what providers declare, and what was found of them."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from glaze.model.belief import Belief
from glaze.model.freshness import Freshness
from glaze.model.provider import ProviderSpec
from glaze.model.value import FieldName, WorkspaceId
from glaze.store.calibration import CalibrationStore
from glaze.store.fresh_time import Days, FreshTimeStore

LOOK_EVERY_S = 5.0
"""After how long a process knows of a calibration or a time that another one set."""


class Beliefs:
    """The belief of each workspace, for whoever merges."""

    def __init__(
        self,
        specs: Iterable[ProviderSpec],
        store: CalibrationStore | None = None,
        chosen: Mapping[str, Mapping[FieldName, int]] | None = None,
        fresh: Freshness | None = None,
        times: FreshTimeStore | None = None,
    ) -> None:
        """Begin with what providers declare or the user set instead; without a store that is all.

        Args:
            specs: What the providers declare.
            store: Where calibrations are.
            chosen: Provider to field to the confidence that the user set.
            fresh: How long values stay fresh.
            times: Where workspaces have set other times.
        """
        self._declared = replace(Belief.of(specs, chosen), fresh=fresh or Freshness())
        self._store = store
        self._times = times
        self._known: dict[WorkspaceId, tuple[float, Belief]] = {}

    def fresh_with(self, own: Days) -> Freshness:
        """Return how long values stay fresh where a workspace has set these times of its own."""
        return self._declared.fresh.set_to(own) if own else self._declared.fresh

    async def of(self, workspace_id: WorkspaceId) -> Belief:
        """Return what the workspace believes now."""
        if self._store is None:
            return self._declared
        looked, belief = self._known.get(workspace_id, (0.0, self._declared))
        if not looked or time.monotonic() - looked > LOOK_EVERY_S:
            if looked:  # one looks; whoever comes meanwhile goes by what is known
                self._known[workspace_id] = (time.monotonic(), belief)
            newest = await self._store.newest(workspace_id)
            own = await self._times.of(workspace_id) if self._times else {}
            curves = {} if newest is None else newest.curves
            belief = replace(self._declared, curves=curves, fresh=self.fresh_with(own))
            self._known[workspace_id] = (time.monotonic(), belief)
        return belief
