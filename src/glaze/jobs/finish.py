"""Finish: outcomes that arrive together are written together, one transaction a workspace."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

import structlog

from glaze.jobs.retry import going_on, until_available
from glaze.model.failpoint import At
from glaze.model.job import ClaimedJob
from glaze.model.value import WorkspaceId
from glaze.store.attempt import Ended
from glaze.store.batch import BatchStore
from glaze.store.event import PROGRESS, EventStore, NewEvent
from glaze.store.job import JobStore

log = structlog.get_logger("jobs")

_LARGEST_GROUP = 2000  # so that no transaction lasts over a second
_WRITERS = 2  # while one waits for its commit the other gathers and sends


class Finisher:
    """Writes outcomes and what jobs say of themselves; a group is what came while the last one was written."""

    def __init__(
        self,
        jobs: JobStore,
        batches: BatchStore,
        events: EventStore,
        written: Callable[[Sequence[ClaimedJob]], None],
        at: At,
    ) -> None:
        """Tell ``written`` which jobs are off our hands."""
        self._jobs = jobs
        self._batches = batches
        self._events = events
        self._written = written
        self._at = at
        self._ended: list[Ended] = []
        self._said: dict[object, tuple[WorkspaceId, NewEvent]] = {}
        self._some = asyncio.Event()
        self._closed = False

    def add(self, ended: Ended) -> None:
        """Take an attempt at its end."""
        self._ended.append(ended)
        self._some.set()

    def say(self, job: ClaimedJob, event: NewEvent) -> None:
        """Take what a running job says of itself; of its progress only the last word is written."""
        key: object = job.id if event.type == PROGRESS else event
        self._said.pop(key, None)  # the last word comes last
        self._said[key] = (job.workspace_id, event)
        self._some.set()

    def close(self) -> None:
        """Let ``run`` end once everything is written."""
        self._closed = True
        self._some.set()

    async def run(self) -> None:
        """Write until closed."""
        async with asyncio.TaskGroup() as writers:
            for _ in range(_WRITERS):
                writers.create_task(self._write())

    async def _write(self) -> None:
        while going_on() and (self._ended or self._said or not self._closed):
            await self._some.wait()
            self._some.clear()
            await asyncio.sleep(0)  # slots that are about to end join this group
            await self._flush()

    async def _flush(self) -> None:
        group, self._ended = self._ended[:_LARGEST_GROUP], self._ended[_LARGEST_GROUP:]
        taken = [self._said.pop(key) for key in [*islice(self._said, _LARGEST_GROUP)]]
        if self._ended or self._said or self._closed:
            self._some.set()
        by_workspace: dict[WorkspaceId, list[Ended]] = defaultdict(list)
        for ended in group:
            by_workspace[ended.job.workspace_id].append(ended)
        said: dict[WorkspaceId, list[NewEvent]] = defaultdict(list)
        for workspace_id, event in taken:
            said[workspace_id].append(event)
        async with asyncio.TaskGroup() as tasks:
            for workspace_id in said.keys() - by_workspace.keys():
                tasks.create_task(self._say(workspace_id, said[workspace_id]))
            for workspace_id, part in by_workspace.items():
                tasks.create_task(self._finish(workspace_id, part, said.get(workspace_id, ())))

    async def _say(self, workspace_id: WorkspaceId, events: list[NewEvent]) -> None:
        await until_available(lambda: self._events.append(workspace_id, events), "write job logs")

    async def _finish(
        self, workspace_id: WorkspaceId, part: list[Ended], said: Sequence[NewEvent]
    ) -> None:
        self._at("finishing")
        finished = await until_available(
            lambda: self._jobs.finish(workspace_id, part, said), "write outcomes"
        )
        self._at("finished")
        if len(finished.accepted) < len(part):
            refused = [e.job.id for e in part if e.job.id not in finished.accepted]
            log.warning("outcomes refused: the jobs are not ours any more", jobs=refused)
        self._written([ended.job for ended in part])
        for batch_id in finished.hungry:
            await until_available(partial(self._batches.feed, batch_id), "feed batch")
