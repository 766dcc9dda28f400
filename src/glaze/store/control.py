"""What people do to jobs from outside: find, count, retry, replay, cancel, change, purge."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from glaze.model.bulk import NOT_BEGUN, OPEN, Change, Filter
from glaze.model.job import TERMINAL, JobState, NewJob
from glaze.model.merge_patch import merge_patch
from glaze.model.value import JobId, Json, WorkspaceId
from glaze.store.attempt import Row, encode
from glaze.store.database import Connection, Database
from glaze.store.deadlock import past_deadlocks
from glaze.store.job import CHUNK, JobStore, JobView, view_of
from glaze.store.statements import statements

_SPAN = 100_000
"""Ids that one look goes through at most, so that a rare match keeps no transaction open long."""

_ABOVE_ALL = 2**63 - 1
_TURNS = 5
"""How often a page of a search among others is looked for, twice as far each time."""
_MOST_COUNTED = 10_000
_DEAREST_COUNT = 30_000.0
"""Counting that the planner thinks dearer, in its units, is not done: about 50 ms."""

_sql = statements("control")
_STATES: Mapping[JobState, LiteralString] = {
    JobState.WAITING: "waiting",
    JobState.SCHEDULED: "scheduled",
    JobState.PENDING: "pending",
    JobState.PROCESSING: "processing",
    JobState.COMPLETED: "completed",
    JobState.PARTIAL: "partial",
    JobState.FAILED: "failed",
    JobState.DEAD: "dead",
    JobState.CANCELLED: "cancelled",
}

Check = Callable[[NewJob], NewJob]
"""Returns a job as it may be enqueued. Raises: InputError where it may not."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one chunk of a bulk action did; it is committed."""

    done: Mapping[JobId, JobState] = field(default_factory=dict)  # as they are now, or were purged
    refused: Mapping[JobId, JobState] = field(default_factory=dict)  # named, in no state for it
    missing: tuple[JobId, ...] = ()  # named, but nothing that the filter asks for
    replays: Mapping[JobId, JobId] = field(default_factory=dict)  # old job -> new one


@dataclass(slots=True)
class Sum:
    """What the steps of an action came to."""

    done: int = 0
    stopping: int = 0  # of them: asked to stop, and running still
    refused: dict[JobId, JobState] = field(default_factory=dict)
    missing: list[JobId] = field(default_factory=list)
    replays: dict[JobId, JobId] = field(default_factory=dict)

    def add(self, step: Step) -> None:
        """Count one step."""
        self.done += len(step.done)
        self.stopping += sum(state == JobState.PROCESSING for state in step.done.values())
        self.refused |= step.refused
        self.missing += step.missing
        self.replays |= step.replays


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs of one state, kind and code of the last error; ``code`` is None where there is none.

    The times are of the first and the last to end, aware UTC; None where none has.
    """

    state: JobState
    kind: str
    code: str | None
    jobs: int
    first_at: datetime | None
    last_at: datetime | None


class Changeable(NamedTuple):
    """What of a job may be changed, and the state that tells whether it still may."""

    state: JobState
    priority: int
    due_at: datetime
    tags: Sequence[str] | None
    webhook_url: str | None


class Page(NamedTuple):
    """Jobs, newest first; below ``next_before`` there may be more, below None there are none."""

    jobs: list[JobView]
    next_before: JobId | None


class Estimate(NamedTuple):
    """How many jobs there are; not ``exact``: about so many."""

    jobs: int
    exact: bool


_Do = Callable[[Connection, list[Row]], Awaitable[dict[JobId, JobState]]]
"""Acts on held rows; returns the states of those it acted on."""


class ControlStore:
    """Actions on any number of jobs of one workspace.

    Each goes through the jobs in id order, in chunks that are short transactions of their own,
    and yields a step after every commit. Jobs that come later than its start are left alone. It
    may be stopped between steps and done again: what is done is in no state for it any more.
    """

    def __init__(self, db: Database, jobs: JobStore) -> None:
        """Use the pools of ``db``; what is cancelled, opened or made goes through ``jobs``."""
        self._db = db
        self._jobs = jobs

    # -- looking ---------------------------------------------------------------------------------

    async def page(
        self,
        workspace_id: WorkspaceId,
        which: Filter,
        n: int = 100,
        *,
        before: JobId | None = None,
    ) -> Page:
        """Return up to ``n`` jobs, newest first, below the id ``before``; no arguments, results.

        Of a search with further criteria a page may hold fewer, though there are more.
        """
        below = _ABOVE_ALL if before is None else before
        async with self._db.workspace(workspace_id) as conn:
            if which.text is None:
                rows = await _read(conn, which, below, n)
            elif which == Filter(text=which.text):
                ids = await _search(conn, which.text, below, n)
                rows = await _read(conn, Filter(ids=tuple(ids)), below, n)
            else:
                rows, rest = await _search_among(conn, which.text, which, below, n)
                return Page([view_of(row) for row in rows], rest)
        return _page(rows, n)

    async def estimate(self, workspace_id: WorkspaceId, which: Filter) -> Estimate | None:
        """Return how many jobs there are: counted where that is quick, else as the planner thinks.

        None of a search for words: nobody knows without looking.
        """
        if which.text is not None:
            return None
        some = _filtered("some")
        of_states = [f"and j.state = '{_STATES[one]}'" for one in sorted(which.states)]
        parts = " union all ".join([some.replace("{state}", one) for one in of_states or [""]])
        foreseen, counted = (
            _sql[name].replace("{parts}", parts) for name in ("foreseen", "counted")
        )
        where = criteria(which)
        async with self._db.workspace(workspace_id) as conn:
            [told] = await _rows(conn, foreseen, **where, most=None)
            plan = told["QUERY PLAN"][0]["Plan"]
            if plan["Total Cost"] > _DEAREST_COUNT:
                return Estimate(plan["Plan Rows"], exact=False)
            [row] = await _rows(conn, counted, **where, most=_MOST_COUNTED + 1)
        exact = row["jobs"] <= _MOST_COUNTED
        return Estimate(row["jobs"] if exact else max(row["jobs"], plan["Plan Rows"]), exact=exact)

    async def groups(self, workspace_id: WorkspaceId, which: Filter) -> list[Group]:
        """Return how many jobs there are by state, kind and error code, the largest group first."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _rows(conn, _filtered("tally"), **criteria(which))
        return [Group(**row | {"state": JobState(row["state"])}) for row in rows]

    async def count(self, workspace_id: WorkspaceId, which: Filter) -> int:
        """Return how many jobs there are."""
        return sum(group.jobs for group in await self.groups(workspace_id, which))

    async def arguments(
        self, workspace_id: WorkspaceId, jobs: Sequence[JobId]
    ) -> dict[JobId, Json]:
        """Return the arguments of jobs; those that are gone are left out."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _rows(conn, _sql["originals"], jobs=_array(jobs))
        return {JobId(row["id"]): row["args"] for row in rows}

    # -- acting ----------------------------------------------------------------------------------

    def retry(self, workspace_id: WorkspaceId, which: Filter) -> AsyncIterator[Step]:
        """Open jobs at their end again, each as a new round of the same job."""

        async def reopen(conn: Connection, held: list[Row]) -> dict[JobId, JobState]:
            opened = await self._jobs.reopen_within(conn, _ids(held))
            due.extend(opened)
            return dict.fromkeys(_ids(opened), JobState.PENDING)

        due: list[Row] = []
        return self._each(workspace_id, which, TERMINAL, reopen, due)

    def cancel(self, workspace_id: WorkspaceId, which: Filter) -> AsyncIterator[Step]:
        """Cancel what has not begun and ask what runs to stop.

        Those asked stay ``processing`` until they do, which workers look for twice a second.
        """

        async def cancel(conn: Connection, held: list[Row]) -> dict[JobId, JobState]:
            before = {row["id"]: JobState(row["state"]) for row in held}
            cancelled = await self._jobs.cancel_within(conn, _ids(held))
            due.extend(cancelled.due)
            return before | cancelled.states

        due: list[Row] = []
        return self._each(workspace_id, which, OPEN, cancel, due, ends=True)

    def change(
        self,
        workspace_id: WorkspaceId,
        which: Filter,
        change: Change,
        *,
        meant: Callable[[Changeable], None] = lambda _: None,
    ) -> AsyncIterator[Step]:
        """Change jobs that no worker holds; a new due time makes them scheduled or pending.

        ``meant`` sees each as it is now, held until it is changed, and raises where it is another
        than was meant.

        Raises: InputError where ``change`` cannot be had.
        """
        params = _change_params(change.checked())

        async def alter(conn: Connection, held: list[Row]) -> dict[JobId, JobState]:
            for row in held:
                meant(Changeable(**{name: row[name] for name in Changeable._fields}))
            hit = await _rows(conn, _sql["change"], jobs=_array(_ids(held)), **params)
            due.extend(hit)
            return _states(hit)

        due: list[Row] = []
        return self._each(workspace_id, which, NOT_BEGUN, alter, due)

    def purge(self, workspace_id: WorkspaceId, which: Filter) -> AsyncIterator[Step]:
        """Delete jobs at their end with arguments, result and log; the ledger keeps what was paid.

        One whose successor has not ended is refused. An idempotency key that led to a purged job
        still refuses a second run until the key expires.
        """

        async def purge(conn: Connection, held: list[Row]) -> dict[JobId, JobState]:
            results = [row["result_id"] for row in held if row["result_id"] is not None]
            params = {"jobs": _array(_ids(held)), "results": _array(results)}
            return _states(await _rows(conn, _sql["purge"], **params))

        return self._each(workspace_id, which, TERMINAL, purge)

    async def replay(
        self,
        workspace_id: WorkspaceId,
        which: Filter,
        *,
        patch: Json = None,
        key: str | None = None,
        check: Check = lambda job: job,
    ) -> AsyncIterator[Step]:
        """Enqueue, for each job at its end, a new one of the same kind, options and arguments.

        The old job stays as it is and says in its log what replays it. ``patch`` is a JSON merge
        patch (RFC 7396) of the arguments. Under the same ``key`` a job is replayed only once in 24
        hours, so that what was interrupted can be repeated. ``check`` sees every job before
        any of its chunk is made.

        Raises: InputError where new arguments are refused, IdempotencyConflict where ``key`` was
        used with another patch.
        """

        async def read(conn: Connection, held: list[Row]) -> dict[JobId, JobState]:
            originals[:] = await _rows(conn, _sql["originals"], jobs=_array(_ids(held)))
            return _states(held)

        originals: list[Row] = []
        async for step in self._each(workspace_id, which, TERMINAL, read):
            new = [check(_again(row, patch, key)) for row in originals]
            made = await self._jobs.enqueue(workspace_id, new)
            yield replace(step, replays=dict(zip(_ids(originals), made, strict=True)))
            originals.clear()

    async def _each(
        self,
        workspace_id: WorkspaceId,
        which: Filter,
        allowed: Collection[JobState],
        do: _Do,
        due: list[Row] | None = None,
        *,
        ends: bool = False,
    ) -> AsyncIterator[Step]:
        """Do it to chunk after chunk; ``due`` gathers rows of jobs that it made pending."""
        chunks = self._named if which.ids is not None else self._spans
        async for step in chunks(workspace_id, which, allowed, do):
            if due:
                self._jobs.tell(due)
                due.clear()
            if step.done and ends:
                self._jobs.tell_ended()
            yield step

    async def _named(
        self, workspace_id: WorkspaceId, which: Filter, allowed: Collection[JobState], do: _Do
    ) -> AsyncIterator[Step]:
        """Go through the jobs that the filter names, whatever their state."""
        ids = sorted(set(which.ids or ()))
        for start in range(0, len(ids), CHUNK):
            part = tuple(ids[start : start + CHUNK])
            held, done = await self._chunk(workspace_id, replace(which, ids=part), allowed, do)
            found = _states(held)
            refused = {id_: state for id_, state in found.items() if id_ not in done}
            yield Step(done, refused, tuple(id_ for id_ in part if id_ not in found))

    async def _spans(
        self, workspace_id: WorkspaceId, which: Filter, allowed: Collection[JobState], do: _Do
    ) -> AsyncIterator[Step]:
        """Go through the jobs of the states ``allowed`` that are there now."""
        which = which.within(allowed)
        async with self._db.workspace(workspace_id) as conn:
            [bounds] = await _rows(conn, _sql["bounds"])
        if bounds["first"] is None:
            return
        after, last = bounds["first"] - 1, bounds["last"]
        while after < last:
            upto = min(after + _SPAN, last)
            where = criteria(which) | {"after": after, "upto": upto, "n": CHUNK}
            async with self._db.workspace(workspace_id) as conn:
                picked = _ids(await _rows(conn, _filtered("pick"), **where))
            if picked:
                chosen = replace(which, ids=tuple(picked))
                _, done = await self._chunk(workspace_id, chosen, allowed, do)
                yield Step(done)
            after = picked[-1] if len(picked) == CHUNK else upto

    async def _chunk(
        self, workspace_id: WorkspaceId, which: Filter, allowed: Collection[JobState], do: _Do
    ) -> tuple[list[Row], dict[JobId, JobState]]:
        """Hold the jobs that ``which`` names and do it to those that allow it, in one transaction.

        Workers write groups of outcomes in the order of their coming, so the two can wait for
        each other: then the chunk is done again.
        """

        async def once() -> tuple[list[Row], dict[JobId, JobState]]:
            async with self._db.workspace(workspace_id) as conn:
                held = await _rows(conn, _filtered("hold"), **criteria(which))
                fit = [row for row in held if row["state"] in allowed]
                return held, await do(conn, fit) if fit else {}

        return await past_deadlocks(once)


def _filtered(name: str) -> LiteralString:
    return _sql[name].replace("{matching}", _sql["matching"])


def paged(which: Filter) -> tuple[LiteralString, dict[str, object]]:
    """Return the statement that reads a page by the most telling of the criteria.

    Each reads in the order of an index and stops at the page's end: a sort of all that meet one
    criterion would grow with the table.
    """
    if tags := which.tags_all[:1] or which.tags_any:
        if len(tags) == 1:
            return _filtered("page_of_tag"), {"tag": tags[0]}
        return _filtered("page_of_tags"), {"tags": [*tags]}
    if which.states and (not which.kinds or JobState.COMPLETED not in which.states):
        part, parts = _filtered("page_of_state"), [_STATES[one] for one in sorted(which.states)]
        all_ = " union all ".join([part.replace("{state}", one) for one in parts])
        return _sql["page_of_states"].replace("{parts}", all_), {}
    return _filtered("page_of_kinds" if which.kinds else "page"), {}


async def _read(conn: Connection, which: Filter, below: int, n: int) -> list[Row]:
    """Return the first ``n`` jobs below an id that meet criteria other than words."""
    sql, more = paged(which)
    return await _rows(conn, sql, **criteria(which), **more, before=below, n=n)


async def _search(conn: Connection, text: str, below: int, n: int) -> list[JobId]:
    """Return the first ``n`` jobs below an id that have words, whatever else they are."""
    return _ids(await _rows(conn, _sql["found"], text=text, before=below, most=n))


async def _search_among(
    conn: Connection, text: str, which: Filter, below: int, n: int
) -> tuple[list[Row], JobId | None]:
    """Return up to ``n`` jobs that have words and meet other criteria, and where to go on.

    No index knows of both, and either may be met by millions. So both are read in turn, each from
    where the other stopped, and what one gives is held against the other: whichever there are few
    of ends the search, and of what there are many some soon are both.
    """
    others, found, look = replace(which, text=None), list[Row](), n
    for _ in range(_TURNS):
        rows = await _read(conn, others, below, look)
        among = _array(_ids(rows))
        having = {*_ids(await _rows(conn, _sql["with_words"], text=text, among=among))}
        found += [row for row in rows if row["id"] in having]
        if len(rows) < look:
            below = 0
            break
        ids = await _search(conn, text, rows[-1]["id"], look)
        own = ids if which.ids is None else sorted({*ids} & {*which.ids})
        found += await _read(conn, replace(others, ids=tuple(own)), rows[-1]["id"], look)
        below = ids[-1] if len(ids) == look else 0
        if below == 0 or len(found) >= n:
            break
        look *= 2
    if len(found) > n:
        return found[:n], found[n - 1]["id"]
    return found, JobId(below) or None


def _page(rows: list[Row], n: int) -> Page:
    return Page([view_of(row) for row in rows], rows[-1]["id"] if len(rows) == n else None)


def criteria(which: Filter) -> dict[str, object]:
    """Return the parameters of {matching}; arrays as literals, so that the planner sees consts."""
    return {
        "ids": None if which.ids is None else _array(which.ids),
        "states": _array(sorted(which.states)) if which.states else None,
        "kinds": list(which.kinds) or None,
        "kinds_not": list(which.kinds_not) or None,
        "queues": list(which.queues) or None,
        "tags_any": list(which.tags_any) or None,
        "tags_all": list(which.tags_all) or None,
        "created_after": which.created_after,
        "created_before": which.created_before,
        "finished_after": which.finished_after,
        "finished_before": which.finished_before,
        "error_code": which.error_code,
        "slower_s": which.slower_s,
        "text": which.text,
    }


def _change_params(change: Change) -> dict[str, object]:
    said: dict[str, Json] = {}
    if change.priority is not None:
        said["priority"] = change.priority
    if change.due_at is not None:
        said["due_at"] = change.due_at.isoformat()
    if change.tags is not None:
        said["tags"] = list(change.tags)
    if change.webhook_url is not None:
        said["webhook"] = "set" if change.webhook_url else "none"  # the URL may hold a secret
    return {
        "priority": change.priority,
        "due_at": change.due_at,
        "tags": None if change.tags is None else list(change.tags),
        "webhook_url": change.webhook_url,
        "data": encode(said),
    }


def _again(row: Mapping[str, Any], patch: Json, key: str | None) -> NewJob:
    return NewJob(
        kind=row["kind"],
        args=row["args"] if patch is None else merge_patch(row["args"], patch),
        queue=row["queue"],
        priority=row["priority"],
        max_attempts=row["max_attempts"],
        idempotency_key=None if key is None else f"replay:{key}:{row['id']}",
        correlation_id=row["correlation_id"],
        tags=tuple(row["tags"] or ()),
        webhook_url=row["webhook_url"],
        replay_of=row["id"],
    )


def _array(values: Iterable[object]) -> str:
    """Return ids or states as an array literal."""
    return f"{{{','.join(map(str, values))}}}"


def _ids(rows: Iterable[Mapping[str, Any]]) -> list[JobId]:
    return [row["id"] for row in rows]


def _states(rows: Iterable[Mapping[str, Any]]) -> dict[JobId, JobState]:
    return {row["id"]: JobState(row["state"]) for row in rows}


async def _rows(conn: Connection, sql: LiteralString, **params: object) -> list[Row]:
    # Planned for these very values: the criteria that are not given fall away.
    return await (await conn.execute(sql, params)).fetchall()
