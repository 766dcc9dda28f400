"""What a workspace believes of its sources: what the providers declare of themselves."""

from collections.abc import Iterable

from glaze.model.belief import Belief
from glaze.model.provider import ProviderSpec
from glaze.model.value import WorkspaceId


class Beliefs:
    """The belief of each workspace, for whoever merges."""

    def __init__(self, specs: Iterable[ProviderSpec]) -> None:
        """Begin with what the providers declare."""
        self._declared = Belief.of(specs)

    async def of(self, workspace_id: WorkspaceId) -> Belief:
        """Return what the workspace believes now."""
        del workspace_id
        return self._declared
