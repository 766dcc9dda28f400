"""What people decide of stored values: look, confirm, choose, correct, lock, and take it back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from glaze.errors import EditConflict, InputError
from glaze.model.agreement import agree
from glaze.model.decision import Act, Decision
from glaze.model.field import FIELDS, EntityKind, FieldType, known_field
from glaze.model.identity import identify
from glaze.model.normalise import Invalid, normalise
from glaze.model.observation import Observation, Winner
from glaze.model.value import EntityId, FieldName, Json, WorkspaceId
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.merge import merge, merging
from glaze.pipeline.validate import region_of
from glaze.store.entity import EntityStore, Remerge, Unchanged

Who = Mapping[str, str]
"""Names a record as the input of an enrichment does: ``{"domain": "acme.com"}``."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A field as it stands: the winner with its alternatives, and what was decided, if anything."""

    winner: Winner
    decision: Decision | None


Meant = Callable[[Standing | None], None]
"""Sees a field as it stands, None where nothing is known; raises where another was meant."""


class Deciding:
    """Decisions of one person at a time; each is one transaction."""

    def __init__(
        self, entities: EntityStore, beliefs: Beliefs, *, clock: Callable[[], datetime]
    ) -> None:
        """Merge what is stored by ``beliefs``."""
        self._entities = entities
        self._beliefs = beliefs
        self._clock = clock

    async def standing(self, workspace_id: WorkspaceId, who: Who) -> dict[FieldName, Standing]:
        """Return what is known of a record, field by field in name order.

        Raises: InputError where nothing is known of it.
        """
        shown: dict[FieldName, Standing] = {}
        for entity in (await self._found(workspace_id, who)).values():
            shown |= await self.standing_of_entity(workspace_id, entity)
        return dict(sorted(shown.items()))

    async def standing_of_entity(
        self, workspace_id: WorkspaceId, entity: EntityId
    ) -> dict[FieldName, Standing]:
        """Return what is known of one entity, field by field in name order."""
        stated, decided = await self._entities.known(workspace_id, entity)
        of_field = {one.field: one for one in decided}
        seen = [*stated, *(one.as_observation() for one in decided)]
        belief = await self._beliefs.of(workspace_id)
        won = merge(seen, now=self._clock(), belief=belief)
        return {name: Standing(won[name], of_field.get(name)) for name in sorted(won)}

    async def confirm(
        self,
        workspace_id: WorkspaceId,
        who: Who,
        field: str,
        *,
        by: str | None = None,
        meant: Meant | None = None,
    ) -> Decision:
        """Record that a field's winner is true. Raises: InputError, UnknownField, EditConflict."""
        standing = await self._standing_of(workspace_id, who, field)
        made = self._now(standing, Act.CONFIRMED, by)
        return await self._decide(workspace_id, who, made, _as_seen(standing, meant))

    async def lock(
        self,
        workspace_id: WorkspaceId,
        who: Who,
        field: str,
        *,
        by: str | None = None,
        meant: Meant | None = None,
    ) -> Decision:
        """Keep a field's winner as it is, true or not. Raises: InputError, UnknownField, EditConflict."""
        standing = await self._standing_of(workspace_id, who, field)
        unchanged = _as_seen(standing, meant)
        if standing.decision is not None:
            return standing.decision  # it stays already, and may say more than a lock
        made = self._now(standing, Act.LOCKED, by)
        return await self._decide(workspace_id, who, made, unchanged)

    async def choose(
        self,
        workspace_id: WorkspaceId,
        who: Who,
        field: str,
        value: Json,
        *,
        by: str | None = None,
        meant: Meant | None = None,
    ) -> Decision:
        """Record which value is true: the winner, an alternative, or one that nobody stated.

        Raises: InputError where nothing is known of the record or the value is none of the field's,
            UnknownField, EditConflict.
        """
        name = known_field(field).name
        country = await self._country(workspace_id, who, name)
        try:
            chosen = normalise(name, value, country=country)
        except Invalid as error:
            raise InputError(f"{field}: {error.reason}") from error
        entity = await self._entity(workspace_id, who, name)
        unchanged = await self._seen(workspace_id, entity, name, meant)
        stated, _ = await self._entities.known(workspace_id, entity)
        act = await self._act(workspace_id, name, chosen, stated)
        decision = Decision(name, chosen, act, by, self._clock())
        return await self._decide(workspace_id, who, decision, unchanged)

    async def unlock(
        self, workspace_id: WorkspaceId, who: Who, field: str, *, meant: Meant | None = None
    ) -> None:
        """Take back what was decided of a field: from here on its sources speak again.

        Raises: InputError where nothing was decided, UnknownField, EditConflict.
        """
        name = known_field(field).name
        wanted = await self._remerge(workspace_id, who, name)
        entity = wanted.entities[FIELDS[name].entity]
        unchanged = await self._seen(workspace_id, entity, name, meant)
        if not await self._entities.undecide(workspace_id, wanted, name, unchanged):
            raise InputError(f"nothing was decided of {name} there")

    async def _country(self, workspace_id: WorkspaceId, who: Who, name: FieldName) -> str | None:
        """Return where a phone number without country code is read, by what is known of the record."""
        if known_field(name).type is not FieldType.PHONE:
            return None
        standing = await self.standing(workspace_id, who)
        values = {name: one.winner.value for name, one in standing.items()}
        return region_of(name, {**values, **identify(who).known})

    async def _act(
        self,
        workspace_id: WorkspaceId,
        name: FieldName,
        chosen: Json,
        stated: Sequence[Observation],
    ) -> Act:
        """Tell how a value stands to what was stated."""
        belief = await self._beliefs.of(workspace_id)
        own = [seen for seen in stated if seen.field == name]
        won = merge(own, now=self._clock(), belief=belief).get(name)
        if won is not None and agree(name, won.value, chosen):
            return Act.CONFIRMED
        said = any(agree(name, seen.value, chosen) for seen in own)
        return Act.CHOSEN if said else Act.CORRECTED

    async def _seen(
        self, workspace_id: WorkspaceId, entity: EntityId, name: FieldName, meant: Meant | None
    ) -> Unchanged:
        if meant is None:
            return _whatever
        standing = (await self.standing_of_entity(workspace_id, entity)).get(name)
        return _as_seen(standing, meant)

    async def _decide(
        self, workspace_id: WorkspaceId, who: Who, decision: Decision, unchanged: Unchanged
    ) -> Decision:
        wanted = await self._remerge(workspace_id, who, decision.field)
        await self._entities.decide(workspace_id, wanted, decision, unchanged)
        return decision

    def _now(self, standing: Standing, act: Act, by: str | None) -> Decision:
        won = standing.winner.observation
        return Decision(won.field, won.value, act, by, self._clock())

    async def _remerge(self, workspace_id: WorkspaceId, who: Who, name: FieldName) -> Remerge:
        entity = await self._entity(workspace_id, who, name)
        belief = await self._beliefs.of(workspace_id)
        return Remerge({FIELDS[name].entity: entity}, merging(belief), self._clock())

    async def _standing_of(self, workspace_id: WorkspaceId, who: Who, field: str) -> Standing:
        name = known_field(field).name
        found = (await self.standing(workspace_id, who)).get(name)
        if found is None:
            raise InputError(f"nothing is known of {name} there: choose a value instead")
        return found

    async def _entity(self, workspace_id: WorkspaceId, who: Who, name: FieldName) -> EntityId:
        kind = FIELDS[name].entity
        found = await self._found(workspace_id, who)
        if kind not in found:
            raise InputError(
                f"{name} is a {kind}'s field, and {_called(who)} is not known as one:"
                f" name the {kind} by what identifies it"
            )
        return found[kind]

    async def _found(self, workspace_id: WorkspaceId, who: Who) -> dict[EntityKind, EntityId]:
        found = await self._entities.find(workspace_id, identify(who).keys)
        if not found:
            raise InputError(f"nothing is known of {_called(who)}: enrich it first")
        return found


def _called(who: Who) -> str:
    return ", ".join(who.values())


def _as_seen(standing: Standing | None, meant: Meant | None) -> Unchanged:
    """Let what was meant pass, and what holds nobody else's decision since. Raises: as ``meant``."""
    if meant is None:
        return _whatever
    meant(standing)
    seen = standing.decision if standing else None

    def check(held: Decision | None) -> None:
        if held != seen:
            raise EditConflict("somebody else decided it meanwhile: read it again")

    return check


def _whatever(_: Decision | None) -> None:
    """Let any pass."""
