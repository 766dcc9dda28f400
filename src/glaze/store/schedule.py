"""Schedules: jobs that recur, each fired by exactly one worker for each of its times."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, NewType

from glaze.errors import InputError, PersonSuppressed, ScheduleBusy
from glaze.model.cron import Recurrence
from glaze.model.failpoint import At, nowhere
from glaze.model.job import JobState, NewJob
from glaze.model.schedule import Firing, Missed, NewSchedule, Overlap, firing
from glaze.model.value import JobId, Json, WorkspaceId
from glaze.store.attempt import encode, job_row
from glaze.store.database import Connection, Database
from glaze.store.job import JobStore
from glaze.store.statements import statements
from glaze.store.suppression import refuse_naming
from glaze.store.turns import Meets, take_turn

_sql = statements("schedule")

CHUNK = 100

ScheduleId = NewType("ScheduleId", int)

Check = Callable[[NewJob], object]
"""Raises InputError where no worker could run the job."""


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule as the outside sees it. Times are aware UTC; ``now`` is the database's."""

    id: ScheduleId
    name: str
    cron: str
    zone: str
    kind: str
    args: Json
    queue: str
    priority: int
    max_attempts: int
    tags: list[str]
    overlap: Overlap
    missed: Missed
    paused_at: datetime | None
    next_at: datetime  # while it is paused: the first time that is open
    last_fired_for: datetime | None
    last_job_id: JobId | None
    last_job_state: JobState | None
    created_at: datetime
    now: datetime


class Saved(NamedTuple):
    """A schedule that was created, or changed."""

    id: ScheduleId
    created: bool


class Soon(NamedTuple):
    """A schedule of any workspace that fires at ``next_at``, in ``wait_s`` seconds."""

    workspace_id: WorkspaceId
    id: ScheduleId
    next_at: datetime
    wait_s: float  # 0 or less: it is due


class ScheduleStore:
    """Schedules of a workspace. Firing is the fleet's duty, done in the schedule's workspace."""

    def __init__(self, db: Database, jobs: JobStore, at: At = nowhere) -> None:
        """Enqueue through ``jobs``; ``at`` is called at failpoints."""
        self._db = db
        self._jobs = jobs
        self._at = at

    # -- from outside ----------------------------------------------------------------------------

    async def save(
        self,
        workspace_id: WorkspaceId,
        new: NewSchedule,
        check: Check,
        meets: Meets[ScheduleView | None] | None = None,
    ) -> Saved:
        """Create a schedule, or change the one of this name.

        ``meets`` is shown what is there (None: nothing).

        A changed one keeps its last job and whether it is paused; its next time is counted anew
        where expression or zone differ.

        Raises: InputError where ``check`` refuses its jobs, or their arguments are not JSON;
            PersonSuppressed.
        """
        row = _row(new)
        check(_job(row))
        encode(job_row(0, _job(row)))
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, f"schedule {new.name}")
            await _rows(conn, "take", name=new.name)
            await _meet(conn, new.name, meets)
            await refuse_naming(conn, [new.name, new.args])
            now = (await _rows(conn, "now"))[0]["now"]
            times = {"args": encode(new.args), "next_at": _next_time(new.when, now)}
            row = (await _rows(conn, "save", **row | times))[0]
        return Saved(row["id"], row["created"])

    async def listed(self, workspace_id: WorkspaceId) -> Sequence[ScheduleView]:
        """Return all schedules in the order of their names."""
        async with self._db.workspace(workspace_id) as conn:
            return [_view(row) for row in await _rows(conn, "list", name=None)]

    async def get(self, workspace_id: WorkspaceId, name: str) -> ScheduleView | None:
        """Return the schedule of this name, or None."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _rows(conn, "list", name=name)
        return _view(rows[0]) if rows else None

    async def pause(self, workspace_id: WorkspaceId, name: str) -> bool:
        """Let it make no more jobs; return whether it went from active to paused."""
        async with self._db.workspace(workspace_id) as conn:
            return bool(await _rows(conn, "pause", name=name))

    async def resume(self, workspace_id: WorkspaceId, name: str) -> bool:
        """Let it go on; return whether it was paused. For times in between its policy decides."""
        async with self._db.workspace(workspace_id) as conn:
            return bool(await _rows(conn, "resume", name=name))

    async def delete(
        self,
        workspace_id: WorkspaceId,
        name: str,
        meets: Meets[ScheduleView | None] | None = None,
    ) -> bool:
        """Delete a schedule, not its jobs; return whether it was there."""
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, f"schedule {name}")
            await _rows(conn, "take", name=name)
            await _meet(conn, name, meets)
            return bool(await _rows(conn, "delete", name=name))

    async def run_now(self, workspace_id: WorkspaceId, name: str) -> JobId | None:
        """Make one job at once, paused or not; the next time stays. None: no such schedule.

        Raises: ScheduleBusy where the last job has not ended and jobs may not overlap.
        """
        async with self._db.workspace(workspace_id) as conn:
            rows = await _rows(conn, "take", name=name)
            if not rows:
                return None
            row = rows[0]
            if (busy := await _overlapping(conn, row)) is not None:
                raise ScheduleBusy(f"{name}: its last job, {busy}, has not ended")
            enqueued = await self._jobs.enqueue_within(conn, [_job(row)])
            event = _event(row, "schedule_fired", {"by_hand": True}, enqueued.ids[0])
            await _fired(conn, row, [event], job=enqueued.ids[0], next_at=row["next_at"])
        self._jobs.tell(enqueued.made)
        return enqueued.ids[0]

    # -- duty of any worker ----------------------------------------------------------------------

    async def soonest(self, n: int = CHUNK) -> list[Soon]:
        """Return the ``n`` schedules of all workspaces that come first, those that are due before."""
        async with self._db.fleet() as conn:
            return [Soon(**row) for row in await _rows(conn, "soonest", n=n)]

    async def fire(self, due: Soon) -> list[JobId]:
        """Make the jobs of a schedule that is due and set its next time, in one transaction.

        Returns: the jobs; none where somebody else does it or has done it, the schedule was
        changed meanwhile, or a policy says so. A schedule that cannot be read any more is paused,
        and so is one of somebody who was suppressed since.
        """
        async with self._db.workspace(due.workspace_id) as conn:
            rows = await _rows(conn, "take_due", id=due.id, next_at=due.next_at)
            if not rows:
                return []
            row = rows[0]
            try:
                plan = _plan(row)
            except InputError as error:
                paused = _event(row, "schedule_paused", {"reason": str(error)})
                await _fired(conn, row, [paused])
                return []
            busy = await _overlapping(conn, row) if plan.times else None
            times = plan.times if busy is None else ()
            new = [_job(row, time) for time in times]
            try:
                enqueued = await self._jobs.enqueue_within(conn, new)
            except PersonSuppressed as error:  # since it was saved
                await _fired(conn, row, [_event(row, "schedule_paused", {"reason": str(error)})])
                return []
            await _fired(
                conn,
                row,
                _told(row, plan, enqueued.ids, busy),
                next_at=plan.next_at,
                fired_for=times[-1] if times else None,
                job=enqueued.ids[-1] if times else None,
            )
            self._at("schedule_fired")
        self._jobs.tell(enqueued.made)
        return enqueued.ids


async def _meet(conn: Connection, name: str, meets: Meets[ScheduleView | None] | None) -> None:
    if meets is not None:
        there = await _rows(conn, "list", name=name)
        meets(_view(there[0]) if there else None)


def _plan(row: Mapping[str, Any]) -> Firing:
    """Raises: InputError where zone or expression are unknown here."""
    when = Recurrence.parse(row["cron"], row["zone"])
    return firing(when, Missed(row["missed"]), row["next_at"], row["now"])


async def _overlapping(conn: Connection, row: Mapping[str, Any]) -> JobId | None:
    """Return the job that keeps this schedule from making another."""
    if row["overlap"] == Overlap.ALLOW or row["last_job_id"] is None:
        return None
    rows = await _rows(conn, "unfinished", job=row["last_job_id"])
    return rows[0]["id"] if rows else None


def _told(
    row: Mapping[str, Any], plan: Firing, ids: Sequence[JobId], busy: JobId | None
) -> Sequence[Json]:
    """Return the events of one firing."""
    events: list[Json] = []
    if plan.dropped is not None:
        first, before = (time.isoformat() for time in plan.dropped)
        missed = {"reason": "missed", "from": first, "before": before}
        events.append(_event(row, "schedule_skipped", missed))
    if busy is not None:
        overlap = {"reason": "overlap", "for": plan.times[-1].isoformat()}
        events.append(_event(row, "schedule_skipped", overlap, busy))
    for job_id, time in zip(ids, plan.times if busy is None else (), strict=True):
        said = {"for": time.isoformat()}
        if row["missed"] == Missed.ONCE and time > row["next_at"]:
            said["since"] = row["next_at"].isoformat()
        events.append(_event(row, "schedule_fired", said, job_id))
    if plan.next_at is None:
        events.append(_event(row, "schedule_paused", {"reason": "no such time will come again"}))
    return events


def _event(
    row: Mapping[str, Any], type_: str, data: Mapping[str, Json], job_id: JobId | None = None
) -> dict[str, Json]:
    return {"type": type_, "job_id": job_id, "data": {"schedule": row["name"], **data}}


async def _fired(
    conn: Connection,
    row: Mapping[str, Any],
    events: Sequence[Json],
    *,
    next_at: datetime | None = None,
    fired_for: datetime | None = None,
    job: JobId | None = None,
) -> None:
    params = {"next_at": next_at, "fired_for": fired_for, "job": job, "events": encode(events)}
    await _rows(conn, "fired", id=row["id"], **params)


def _job(row: Mapping[str, Any], time: datetime | None = None) -> NewJob:
    """Return the job for one time of a schedule, or beside them; its correlation id names both."""
    name = f"schedule {row['name']}"
    return NewJob(
        kind=row["kind"],
        args=row["args"],
        queue=row["queue"],
        priority=row["priority"],
        max_attempts=row["max_attempts"],
        tags=tuple(row["tags"]),
        correlation_id=name if time is None else f"{name} {time:%Y-%m-%dT%H:%MZ}",
    )


def _row(new: NewSchedule) -> dict[str, Any]:
    return {
        "name": new.name,
        "cron": new.when.cron,
        "zone": new.when.zone,
        "kind": new.kind,
        "args": new.args,
        "queue": new.queue,
        "priority": new.priority,
        "max_attempts": new.max_attempts,
        "tags": [*new.tags],
        "overlap": new.overlap.value,
        "missed": new.missed.value,
    }


def _next_time(when: Recurrence, now: datetime) -> datetime:
    """Raises: InputError where there is none."""
    if (time := when.next_after(now)) is None:
        raise InputError(f"cron {when.cron!r} never comes again")
    return time


def _view(row: Mapping[str, Any]) -> ScheduleView:
    state = row["last_job_state"]
    known = {
        "overlap": Overlap(row["overlap"]),
        "missed": Missed(row["missed"]),
        "last_job_state": state and JobState(state),
    }
    return ScheduleView(**{**row, **known})


async def _rows(conn: Connection, statement: str, /, **params: object) -> Sequence[dict[str, Any]]:
    return await (await conn.execute(_sql[statement], params)).fetchall()
