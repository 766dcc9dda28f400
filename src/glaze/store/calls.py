"""Calls as people see them: which there are, what they brought, and what became of unknown ones."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from glaze.errors import InputError
from glaze.model.ledger import CallState
from glaze.model.provider import Verdict
from glaze.model.value import BatchId, CallId, JobId, Json, Micros, RequestId, WorkspaceId
from glaze.store.database import Connection, Database
from glaze.store.statements import as_array, statements

_sql = statements("calls")
_PAGE = 1000
_LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls: those that meet every criterion given; ``since`` includes its moment."""

    ids: tuple[CallId, ...] | None = None  # None: whatever their ids
    states: tuple[CallState, ...] | None = None
    provider: str | None = None
    job: JobId | None = None
    batch: BatchId | None = None
    since: datetime | None = None
    until: datetime | None = None
    paid: bool = False  # only those that cost something, or may


@dataclass(frozen=True, slots=True)
class CallView:
    """A call. Money in micros; ``price_micros`` is None until it is known."""

    id: CallId
    state: CallState
    provider: str
    operation: str
    credential: str
    generation: int  # the how manyth time that its question was asked
    job_id: JobId | None
    batch_id: BatchId | None
    request_id: RequestId
    created_at: datetime
    settled_at: datetime | None
    deadline: datetime
    reserved_micros: Micros
    price_micros: Micros | None
    verdict: str | None
    detail: str | None
    resolved_by: str | None  # who ended an unknown call, and how
    wanted: tuple[str, ...]
    position: int  # its place in the waterfall, from 1
    missed: tuple[str, ...]  # the providers that were asked before it in vain
    reason: str
    resend: str  # what may follow a lost answer: safe, idempotent, collect or never
    collect_until: datetime | None  # past it an answer that may still come is given up


@dataclass(frozen=True, slots=True)
class CallStory:
    """A call with its exchange and with what it stated."""

    call: CallView
    request: Mapping[str, Any]
    brought: tuple[Mapping[str, Any], ...]


class CallStore:
    """Reads the ledger, and takes what people found out about unknown calls."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def page(
        self, workspace_id: WorkspaceId, which: CallFilter, n: int, before: CallId | None = None
    ) -> list[CallView]:
        """Return up to ``n`` calls below the id ``before``, the newest first."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _fetch(conn, "page", **_criteria(which), n=n, before=before)
        return [_view(row) for row in rows]

    async def all(self, workspace_id: WorkspaceId, which: CallFilter) -> AsyncIterator[CallView]:
        """Yield every call, the newest first, a page at a time."""
        before: CallId | None = None
        while page := await self.page(workspace_id, which, _PAGE, before):
            for call in page:
                yield call
            before = page[-1].id

    async def story(self, workspace_id: WorkspaceId, call_id: CallId) -> CallStory:
        """Return one call with everything that is known of it.

        Raises: InputError where there is none.
        """
        async with self._db.workspace(workspace_id) as conn:
            criteria = _criteria(CallFilter(ids=(call_id,)))
            rows = await _fetch(conn, "page", **criteria, n=1, before=None)
            if not rows:
                raise InputError(f"there is no call {call_id}")
            request = await _fetch(conn, "request", request=rows[0]["request_id"])
            brought = await _fetch(conn, "brought", call=call_id)
        return CallStory(_view(rows[0]), request[0], tuple(brought))

    async def resolve(
        self, workspace_id: WorkspaceId, found: Mapping[CallId, Micros], by: str
    ) -> None:
        """Record what unknown calls did cost, 0 for not billed; all of them or none.

        Their reservations are released and the price is booked. The question of a call that was not
        billed may be asked again; that of one that was counts as answered by nothing, until it is
        old enough to be asked again. Where its answer came, and only the bill could not be read,
        that answer counts, billed or not. ``by`` says who found out, and how.

        Raises: InputError where a call is not there, is not unknown, or a price makes no sense.
        """
        if bad := sorted(call for call, micros in found.items() if micros < 0):
            raise InputError(f"call {bad[0]}: a price is 0 or more")
        by = by.strip()
        if not 1 <= len(by) <= _LONGEST_NOTE:
            raise InputError(f"say in 1 to {_LONGEST_NOTE} characters how this was found out")
        rows: list[Json] = [{"id": call, "price_micros": found[call]} for call in sorted(found)]
        async with self._db.workspace(workspace_id) as conn:
            held = {
                row["id"]: row["state"] for row in await _fetch(conn, "hold", calls=as_array(found))
            }
            _refuse_known(found, held)
            await _fetch(conn, "resolve", found=Jsonb(rows), by=by, lost=Verdict.LOST)


def _refuse_known(found: Mapping[CallId, Micros], held: Mapping[Any, str]) -> None:
    if missing := sorted(set(found) - set(held)):
        raise InputError(f"there is no call {', '.join(map(str, missing))}")
    known = [f"{call} is {held[call]}" for call in sorted(found) if held[call] != CallState.UNKNOWN]
    if known:
        raise InputError(f"only unknown calls can be resolved: call {', '.join(known)}")


def _criteria(which: CallFilter) -> dict[str, object]:
    criteria: dict[str, object] = asdict(which)
    criteria["ids"] = None if which.ids is None else as_array(which.ids)
    # As a literal, so that the planner sees which: the index of what is unknown is for that alone.
    criteria["states"] = None if which.states is None else f"{{{','.join(which.states)}}}"
    return criteria


def _view(row: Mapping[str, Any]) -> CallView:
    lists = {name: tuple(row[name]) for name in ("wanted", "missed")}
    return CallView(**{**row, **lists, "state": CallState(row["state"])})


async def _fetch(conn: Connection, name: str, **params: object) -> list[dict[str, Any]]:
    return await (await conn.execute(_sql[name], params)).fetchall()
