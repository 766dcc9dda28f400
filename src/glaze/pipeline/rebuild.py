"""Derives everything again from stored answers: pays nothing, sends nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from glaze.model.failpoint import At, nowhere
from glaze.model.provider import Provider
from glaze.model.value import CallId, EntityId, WorkspaceId
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.merge import merging
from glaze.pipeline.replay import Unreadable, reread
from glaze.store.rebuild import Change, RebuildStore, Reread, Restated, StoredAnswer

PAGE = 50
"""Answers, or entities, that are held in memory at once."""
_MOST_EXAMPLES = 10


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did, or would do."""

    answers: int = 0  # answered calls that were looked at
    read: int = 0  # among them, those that were read again
    left: Counter[str] = field(
        default_factory=Counter
    )  # "provider: why" the others stay as they are
    changed: int = 0  # values that sources state otherwise, as their answers are read today
    new: int = 0
    gone: int = 0
    examples: list[Change] = field(default_factory=list)
    entities: int = 0  # whose values were derived
    fields: int = 0  # of which the cache answers otherwise by now

    def add(self, restated: Restated) -> None:
        """Count what was replaced."""
        self.fields += restated.fields
        for change in restated.changes:
            if change.before is None:
                self.new += 1
            elif change.after is None:
                self.gone += 1
            else:
                self.changed += 1
            if len(self.examples) < _MOST_EXAMPLES:
                self.examples.append(change)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Reads stored answers with the installed providers, and derives what follows from them.

    Any number of times, beside running workers, and after it was killed: each page is replaced
    whole or not at all, and what is right already is not touched.
    """

    store: RebuildStore
    providers: Mapping[str, Provider]
    beliefs: Beliefs
    at: At = nowhere
    page: int = PAGE

    async def run(
        self,
        workspace_id: WorkspaceId,
        *,
        provider: str | None = None,
        dry: bool = False,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[Rebuilt], None] = lambda _: None,
    ) -> Rebuilt:
        """Rebuild one workspace, or one provider's part of it.

        Args:
            workspace_id: Whose answers.
            provider: Read only this one's answers.
            dry: Change nothing, only tell.
            stopped: Asked between pages; once true, what was done stays and the rest is left.
            tell: Given the counts after each page.
        """
        done = Rebuilt()
        merged = merging(await self.beliefs.of(workspace_id))
        after = CallId(0)
        while not stopped():
            page = await self.store.answers(workspace_id, after, self.page, provider)
            if page:
                after = page[-1].call_id
                read = await asyncio.gather(*map(self._read, page))
                done.answers += len(page)
                done.left.update(
                    f"{answer.provider}: {one.why}"
                    for answer, one in zip(page, read, strict=True)
                    if isinstance(one, Unreadable)
                )
                again = [one for one in read if isinstance(one, Reread)]
                done.read += len(again)
                done.add(await self.store.restate(workspace_id, again, merged, dry=dry))
                self.at("restated")
                tell(done)
            if len(page) < self.page:
                break
        entity: EntityId | None = EntityId(0)
        while entity is not None and not stopped():
            entity, count, fields = await self.store.rederive(
                workspace_id, entity, self.page, merged, dry=dry
            )
            done.entities += count
            done.fields += fields
            tell(done)
        return done

    async def _read(self, answer: StoredAnswer) -> Reread | Unreadable:
        installed = self.providers.get(answer.provider)
        if installed is None:
            return Unreadable("the provider is not installed")
        if answer.raw is None:
            return Unreadable("the answer was not kept")
        if answer.recording is None:
            return Unreadable("it was kept without its question")
        found = await reread(installed, answer.operation, answer.recording, answer.raw)
        if isinstance(found, Unreadable):
            return found
        return Reread(answer, answer.recording.entities, found)
