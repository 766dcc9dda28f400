"""Intake: claim what the slots can take, and a little ahead where jobs are short."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from time import monotonic

from glaze.errors import StoreUnavailable
from glaze.jobs.options import WorkerOptions
from glaze.jobs.ready import Ready
from glaze.jobs.retry import bear, going_on, set_within, until_available
from glaze.jobs.tally import Tally
from glaze.model.failpoint import At
from glaze.model.job import ClaimedJob
from glaze.model.value import JobId, WorkerId, WorkspaceId
from glaze.store.job import JobStore
from glaze.store.notify import Hint


class Intake:
    """The claim loop of one lease, and the buffer that slots take from.

    Claims start at the last rank, for dead index entries gather below it while anybody holds a
    snapshot open. A hint with a lower rank lowers the start, and each ``poll_s`` one claim
    starts from zero.
    """

    def __init__(
        self,
        jobs: JobStore,
        worker_id: WorkerId,
        options: WorkerOptions,
        tally: Tally,
        at: At,
    ) -> None:
        """Claim for ``worker_id``; claims are counted in ``tally``."""
        self.in_hand: dict[JobId, ClaimedJob] = {}  # claimed, and its outcome not yet written
        self._jobs = jobs
        self._worker_id = worker_id
        self._options = options
        self._tally = tally
        self._at = at
        self._ready = Ready()
        self._idle = 0  # slots that wait for a job
        self._ended = -options.concurrency  # in this span of ``ahead_s``; first takes end nothing
        self._ended_before = 0.0  # in the span before it
        self._span_began = monotonic()
        self._ahead = 0
        self._loading = 0  # jobs claimed whose arguments are on their way
        self._room_made = asyncio.Event()
        self._woken = asyncio.Event()
        self._closed = False
        self._from: dict[str, datetime | None] = {}
        self._hinted: dict[str, datetime] = {}  # lowest rank told since the last claim began
        self._zero_at: dict[str, float] = {}
        self._suspect: JobId | None = None
        self._suspect_at = 0.0

    # -- slots -----------------------------------------------------------------------------------

    async def take(self) -> ClaimedJob | None:
        """Return the next job for a slot, or None when there will be no more."""
        self._idle += 1
        self._ended += 1
        if (self._ready.qsize() + self._loading) * 2 <= self._ahead:
            self._room_made.set()
        job = await self._ready.get()
        self._idle -= 1
        return job

    def ended(self, jobs: Sequence[ClaimedJob]) -> None:
        """Forget jobs whose outcome is written or refused."""
        self._room_made.set()
        for job in jobs:
            del self.in_hand[job.id]
            if job.id == self._suspect:
                self._suspect, self._suspect_at = None, 0.0
                self._woken.set()

    # -- the claim loop --------------------------------------------------------------------------

    def wake(self, hint: Hint | None) -> None:
        """Look again: jobs came due, or (None) may have while nobody listened."""
        if hint is None:
            self._from.clear()
        elif hint.queue not in self._options.queues:
            return
        else:
            self._hinted[hint.queue] = min(hint.rank, self._hinted.get(hint.queue, hint.rank))
        self._woken.set()

    def close(self) -> None:
        """Claim no more; a claim under way is awaited by whoever awaits ``run``."""
        self._closed = True
        self._woken.set()
        self._room_made.set()

    def leave(self) -> None:
        """Drop what no slot has taken and let every slot end."""
        for job in self._ready.emptied():
            del self.in_hand[job.id]
        for _ in range(self._options.concurrency):
            self._ready.put_nowait(None)

    async def run(self) -> None:
        """Claim until closed."""
        async with asyncio.TaskGroup() as loads:
            while going_on() and not self._closed:
                room = self._room()
                if room <= 0:
                    self._room_made.clear()
                    await self._room_made.wait()
                    continue
                self._woken.clear()
                claimed = await self._claim(room)
                if claimed:  # arguments come while the next claim is under way
                    self._loading += len(claimed)
                    loads.create_task(self._bring(claimed))
                if len(claimed) < room and not self._closed:
                    # Polling is the safety net of a lost hint.
                    await set_within(self._woken, self._options.poll_s)

    def _room(self) -> int:
        options = self._options
        now = monotonic()
        if (passed := now - self._span_began) >= options.ahead_s:
            self._ended_before = self._ended * options.ahead_s / passed
            self._ended, self._span_began = 0, now
        # The greater of two spans: quick jobs are claimed ahead from the first ones that ended.
        self._ahead = min(options.most_ahead, int(max(self._ended, self._ended_before, 0)))
        most = options.concurrency + 2 * options.most_ahead
        coming = self._ready.qsize() + self._loading
        return min(self._idle + self._ahead - coming, most - len(self.in_hand))

    async def _claim(self, room: int) -> list[ClaimedJob]:
        """Claim up to ``room`` jobs, still without their arguments."""
        try:
            claimed = await self._claim_each(room)
        except StoreUnavailable as error:
            bear(error, "claim")
            # The commit may have happened: what we hold without knowing goes back.
            if self._suspect not in self.in_hand:
                self._suspect = None
            keep = tuple(self.in_hand)
            await until_available(
                lambda: self._jobs.hand_back(self._worker_id, keep), "give back lost claims"
            )
            return []
        self._at("claimed")
        self._tally.claimed += len(claimed)
        self.in_hand |= {job.id: job for job in claimed}
        return claimed

    async def _bring(self, claimed: Sequence[ClaimedJob]) -> None:
        for job in await self._load(claimed):
            self._ready.put_nowait(job)
        self._loading -= len(claimed)

    async def _claim_each(self, room: int) -> list[ClaimedJob]:
        claimed = await self._claim_suspect()
        for queue in self._options.queues:
            if (left := room - len(claimed)) <= 0:
                break
            now = monotonic()
            if now - self._zero_at.get(queue, 0.0) >= self._options.poll_s:
                self._zero_at[queue] = now
                self._from[queue] = None
            start, hinted = self._from.get(queue), self._hinted.pop(queue, None)
            if start is not None and hinted is not None:
                self._from[queue] = min(start, hinted)
            jobs, last = await self._jobs.claim(
                queue, left, self._worker_id, self._from.get(queue), self._options.kinds
            )
            claimed += jobs
            if last is not None:
                self._from[queue] = last
        return claimed

    async def _claim_suspect(self) -> list[ClaimedJob]:
        """Take one suspect, if none is in hand: a job beside which two workers have died."""
        now = monotonic()
        if self._suspect is not None or now - self._suspect_at < self._options.poll_s:
            return []
        self._suspect_at = now
        options = self._options
        job = await self._jobs.claim_suspect(options.queues, self._worker_id, options.kinds)
        self._suspect = job.id if job else None
        return [job] if job else []

    async def _load(self, claimed: Sequence[ClaimedJob]) -> list[ClaimedJob]:
        by_workspace: dict[WorkspaceId, list[ClaimedJob]] = defaultdict(list)
        for job in claimed:
            by_workspace[job.workspace_id].append(job)
        async with asyncio.TaskGroup() as group:
            loads = [
                group.create_task(
                    until_available(partial(self._jobs.load, *part), "load arguments")
                )
                for part in by_workspace.items()
            ]
        return list(chain.from_iterable(load.result() for load in loads))
