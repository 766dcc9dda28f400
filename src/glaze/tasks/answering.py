"""Answers from the cache: where everything wanted is known, a job is at its end at once, without a worker."""

from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import NamedTuple

from glaze.errors import InputError
from glaze.model.failpoint import At
from glaze.model.job import NewJob
from glaze.model.measure import Measures
from glaze.model.request import EnrichArgs, EnrichResult
from glaze.model.value import JobId, WorkspaceId
from glaze.pipeline.grouping import Grouped
from glaze.pipeline.run import Pipeline
from glaze.store.job import Answered, JobStore, JobView

_Written = JobView | JobId | InputError


class Known(NamedTuple):
    """A job that was answered from the cache, and its result, which the view has as JSON."""

    job: JobView
    result: EnrichResult


class Answering:
    """Answers enrichments that would ask nobody; those under way together are written together."""

    def __init__(self, pipeline: Pipeline, jobs: JobStore, traffic: Measures, at: At) -> None:
        """Look into the cache of ``pipeline``, write to ``jobs``, count in ``traffic``."""
        self._pipeline = pipeline
        self._jobs = jobs
        self._traffic = traffic
        self._at = at
        self._writing: dict[WorkspaceId, Grouped[Answered, _Written]] = {}

    async def answer(
        self, workspace_id: WorkspaceId, job: NewJob, args: EnrichArgs
    ) -> Known | JobId | None:
        """Return ``job`` at its end, committed; None where somebody would have to be asked.

        An id is that of an earlier job with the same idempotency key, which may not have ended yet.

        Raises: as ``JobStore.insert_ended``.
        """
        begun = monotonic()
        result = await self._pipeline.known(workspace_id, job.kind, args)
        if result is None:
            return None
        body = result.model_dump(mode="json")
        written = await self._group(workspace_id)(Answered(job, body, monotonic() - begun))
        self._at("answered_from_cache")
        if isinstance(written, InputError):
            raise written
        if not isinstance(written, JobView):
            return written
        self._pipeline.count(args, result, self._traffic)
        return Known(written, result)

    def _group(self, workspace_id: WorkspaceId) -> Grouped[Answered, _Written]:
        found = self._writing.get(workspace_id)
        if found is None:
            # In the gateway's tasks: the process does not end before what was begun is written.
            tasks = self._pipeline.means.gateway.tasks
            found = Grouped(partial(self._write, workspace_id), tasks)
            self._writing[workspace_id] = found
        return found

    async def _write(
        self, workspace_id: WorkspaceId, group: Sequence[Answered]
    ) -> Sequence[_Written]:
        try:
            return await self._jobs.insert_ended(workspace_id, group)
        except InputError as error:
            if len(group) == 1:
                return [error]
        # One that is refused must not cost its neighbours their answers.
        return [(await self._write(workspace_id, [one]))[0] for one in group]
