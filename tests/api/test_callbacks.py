"""Jobs that wait to be told something (H7): by a key of its own scope, once, and only those that wait."""

import asyncio
import random

import pytest
from pydantic import BaseModel, ConfigDict

from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.worker import Worker
from glaze.model.access import Scope
from glaze.model.job import TERMINAL, JobState
from glaze.model.outcome import Done, Failed, Outcome, Snooze
from glaze.model.value import DEFAULT_WORKSPACE, JobId
from tests.api.conftest import Client, Service

WS = DEFAULT_WORKSPACE
PATH = "/v1/callbacks/jobs"


class Args(BaseModel):
    model_config = ConfigDict(extra="forbid")
    within_s: float = 600.0


class Approval:
    """A kind that waits for ``approved``; at its first attempt a test may act before it goes."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.kind = Kind(name="approval", args=Args, run=self.run)

    async def run(self, args: Args, ctx: JobContext) -> Outcome:
        told = await ctx.callback("approved", within_s=args.within_s)
        self.asked.set()
        await self.go.wait()
        if isinstance(told, Snooze):
            return told
        return Failed("not_approved", "nobody did") if told is None else Done(told.data)


async def worked(service: Service, approval: Approval, job_id: JobId, *, to_end: bool = True):
    options = service.app._options(queues=None, kinds=None)
    kinds = {"approval": approval.kind}
    worker = Worker(service.app.db, kinds, options, rng=random.Random(1))

    async def over() -> bool:
        view = await service.app.jobs.get(WS, job_id)
        assert view is not None
        return view.state in TERMINAL if to_end else view.state is JobState.SCHEDULED

    async with asyncio.timeout(60):
        await worker.drain(over, asyncio.Event())
    return await service.app.jobs.get(WS, job_id)


async def waiting(service: Service, approval: Approval, **args: float) -> JobId:
    job = approval.kind.job(Args(**args))
    (job_id,) = await service.app.jobs.enqueue(WS, [job])
    await worked(service, approval, job_id, to_end=False)
    return job_id


def word(job_id: JobId, event: str = "approved") -> dict:
    return {"jobId": job_id, "event": event, "data": {"by": "ada"}}


async def test_a_job_that_waits_is_told_once_and_goes_on_at_once(service: Service, theirs: Client):
    approval, caller = Approval(), await service.client(Scope.CALLBACK)
    job_id = await waiting(service, approval)
    assert (await theirs.post(PATH, word(job_id))).status == 404
    assert (await caller.post(PATH, word(job_id, "denied"))).status == 404
    assert (await caller.post(PATH, word(JobId(job_id + 99)))).status == 404
    assert (await (await service.client(Scope.WRITE)).post(PATH, word(job_id))).status == 403
    assert (await service.stranger.post(PATH, word(job_id))).status == 401
    assert (await caller.post(PATH, word(job_id))).status == 202
    again = await caller.post(PATH, word(job_id))
    assert (again.status, again.body["code"]) == (409, "job_state_conflict")
    view = await worked(service, approval, job_id)
    assert (view.state, view.result, view.attempt) == (JobState.COMPLETED, {"by": "ada"}, 1)


async def test_what_comes_before_the_job_went_to_wait_is_not_lost(service: Service):
    approval, caller = Approval(), await service.client(Scope.CALLBACK)
    approval.go.clear()
    (job_id,) = await service.app.jobs.enqueue(WS, [approval.kind.job(Args())])
    async with asyncio.TaskGroup() as group:
        working = group.create_task(worked(service, approval, job_id))
        await approval.asked.wait()
        assert (await caller.post(PATH, word(job_id))).status == 202
        approval.go.set()
    assert working.result().state is JobState.COMPLETED


async def test_a_job_that_nobody_tells_gives_up_and_is_told_no_more(service: Service):
    approval, caller = Approval(), await service.client(Scope.CALLBACK)
    (job_id,) = await service.app.jobs.enqueue(WS, [approval.kind.job(Args(within_s=0.5))])
    view = await worked(service, approval, job_id)
    assert (view.state, view.error.partition(":")[0]) == (JobState.FAILED, "not_approved")
    assert (await caller.post(PATH, word(job_id))).status == 409


@pytest.mark.parametrize("wrong", [{"jobId": 0}, {"event": ""}, {"data": []}, {"also": 1}])
async def test_a_callback_that_cannot_be_is_refused(service: Service, wrong):
    caller = await service.client(Scope.CALLBACK)
    assert (await caller.post(PATH, word(JobId(1)) | wrong)).status == 422
