"""How well records fit the workspace's ideal customer profile, for whoever shows them."""

import time
from collections.abc import Collection, Mapping, Sequence

from glaze.errors import InputError
from glaze.model.field import EntityKind
from glaze.model.icp_score import Score
from glaze.model.identity import Identity, identify
from glaze.model.value import EntityId, WorkspaceId
from glaze.store.entity import EntityStore
from glaze.store.icp import IcpStore

LOOK_EVERY_S = 5.0
"""How old the knowledge may be that a workspace has no profile."""


class Scoring:
    """Scores of records, by their entities or by what identifies them. Nothing is bought."""

    def __init__(self, icp: IcpStore, entities: EntityStore) -> None:
        """Read what is stored."""
        self._icp = icp
        self._entities = entities
        self._looked: dict[WorkspaceId, tuple[float, bool]] = {}

    async def counts(self, workspace_id: WorkspaceId) -> bool:
        """Tell whether the workspace has a profile; that is looked up every 5 seconds."""
        looked, counts = self._looked.get(workspace_id, (0.0, False))
        if not looked or time.monotonic() - looked > LOOK_EVERY_S:
            if looked:  # one looks; whoever comes meanwhile goes by what is known
                self._looked[workspace_id] = (time.monotonic(), counts)
            counts = await self._icp.get(workspace_id) is not None
            self._looked[workspace_id] = (time.monotonic(), counts)
        return counts

    async def of(
        self,
        workspace_id: WorkspaceId,
        identity: Identity,
        entities: Mapping[EntityKind, EntityId],
    ) -> Score | None:
        """Return the score of whom an input means; None without a profile or where it is unknown."""
        subject = entities.get(_subject(identity))
        if subject is None or not await self.counts(workspace_id):
            return None
        return (await self._icp.of(workspace_id, [subject])).get(subject)

    async def of_inputs(
        self, workspace_id: WorkspaceId, given: Sequence[Mapping[str, str]]
    ) -> list[Score | None]:
        """Return the score of whom each input means, None where nothing is known of it."""
        who = [_identity(one) for one in given]
        keys = [{} if one is None else one.keys for one in who]
        homes = await self._entities.homes(workspace_id, keys)
        subjects = [
            None if one is None else found.get(_subject(one))
            for one, found in zip(who, homes, strict=True)
        ]
        scores = await self._icp.of(workspace_id, {one for one in subjects if one is not None})
        return [None if one is None else scores.get(one) for one in subjects]

    async def points(
        self, workspace_id: WorkspaceId, subjects: Collection[EntityId]
    ) -> dict[EntityId, int | None] | None:
        """Return the scores of these entities, 0 to 100; None without a profile."""
        if not await self.counts(workspace_id):
            return None
        return await self._icp.points(workspace_id, subjects)


def _subject(identity: Identity) -> EntityKind:
    """Return whom an input is about: a person, where it names one."""
    return EntityKind.PERSON if EntityKind.PERSON in identity.keys else EntityKind.COMPANY


def _identity(given: Mapping[str, str]) -> Identity | None:
    try:
        return identify(given)
    except InputError:
        return None
