"""Wait for results: hear that something has ended, then look once for all who wait in this process."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from glaze.errors import InputError, StoreUnavailable
from glaze.jobs.hearing import hear_ends
from glaze.jobs.retry import bear, going_on, set_within
from glaze.model.job import TERMINAL
from glaze.model.value import JobId, WorkflowId, WorkspaceId
from glaze.model.workflow import WorkflowView
from glaze.store.job import JobStore, JobView
from glaze.store.workflow import WorkflowStore

LOOK_EVERY_S = 0.5
"""The safety net: a hint may be lost, and some ends give none."""


class Waiting:
    """Everybody in this process who waits for a job: one listener, one look for all of them."""

    def __init__(self, dsn: str, jobs: JobStore, workflows: WorkflowStore) -> None:
        """Listen on a connection of its own to ``dsn``, opened by ``run`` once somebody waits."""
        self._dsn = dsn
        self._jobs = jobs
        self._workflows = workflows
        self._awaited: dict[tuple[WorkspaceId, JobId], set[asyncio.Event]] = defaultdict(set)
        self._somebody = asyncio.Event()
        self._heard = asyncio.Event()

    # -- who waits -------------------------------------------------------------------------------

    async def job(
        self,
        workspace_id: WorkspaceId,
        job_id: JobId,
        *,
        timeout_s: float | None = None,
        stop: asyncio.Event | None = None,
    ) -> JobView:
        """Return a job once it is at its end, or as it is after ``timeout_s`` or when ``stop`` is set.

        Raises: InputError where there is no such job, or no more.
        """
        with self._waiting(workspace_id, job_id) as ended:
            view = await self._view(workspace_id, job_id)
            if view.state in TERMINAL:
                return view
            await _first(ended, stop, timeout_s)
        return await self._view(workspace_id, job_id)

    async def workflow(
        self,
        workspace_id: WorkspaceId,
        workflow_id: WorkflowId,
        *,
        timeout_s: float | None = None,
        stop: asyncio.Event | None = None,
    ) -> WorkflowView:
        """Return a workflow once all its steps are at their end, or as ``job`` does.

        Raises: InputError where there is no such workflow.
        """
        loop = asyncio.get_running_loop()
        until = None if timeout_s is None else loop.time() + timeout_s
        while True:
            view = await self._workflows.view(workspace_id, workflow_id)
            if view is None:
                raise InputError(f"there is no workflow {workflow_id}")
            open_ = [node.id for node in view.nodes if node.state not in TERMINAL]
            left = None if until is None else until - loop.time()
            if not open_ or (left is not None and left <= 0) or (stop and stop.is_set()):
                return view
            await self.job(workspace_id, open_[-1], timeout_s=left, stop=stop)

    async def _view(self, workspace_id: WorkspaceId, job_id: JobId) -> JobView:
        view = await self._jobs.get(workspace_id, job_id)
        if view is None:
            raise InputError(f"there is no job {job_id}")
        return view

    @contextmanager
    def _waiting(self, workspace_id: WorkspaceId, job_id: JobId) -> Iterator[asyncio.Event]:
        ended, key = asyncio.Event(), (workspace_id, job_id)
        self._awaited[key].add(ended)
        self._somebody.set()
        try:
            yield ended
        finally:
            self._awaited[key].discard(ended)
            if not self._awaited[key]:
                del self._awaited[key]

    # -- who looks -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Listen and look until cancelled; idle, and without a connection, until somebody waits."""
        async with asyncio.TaskGroup() as group:
            group.create_task(hear_ends(self._dsn, self._somebody, self._heard))
            group.create_task(self._look())

    async def _look(self) -> None:
        while going_on():
            if not self._awaited:
                self._somebody.clear()
            await self._somebody.wait()
            await set_within(self._heard, LOOK_EVERY_S)
            self._heard.clear()
            try:
                await self._tell_ended()
            except StoreUnavailable as error:
                bear(error, "look for ends")

    async def _tell_ended(self) -> None:
        for key in await self._jobs.ended([*self._awaited]):
            for waiter in self._awaited.get(key, ()):
                waiter.set()


async def _first(ended: asyncio.Event, stop: asyncio.Event | None, timeout_s: float | None) -> None:
    """Wait for one of two events, at most ``timeout_s`` seconds."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(event.wait()) for event in (ended, stop) if event is not None]
        await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
