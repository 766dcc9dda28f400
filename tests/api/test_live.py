"""What changes is told as it happens (H4): once, in order, to its own workspace, across every break."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import psycopg

from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE, JobId, WorkspaceId
from glaze.store.event import NewEvent
from tests.api.conftest import THEIRS, Client, Service, serving

WS = DEFAULT_WORKSPACE
HANG_S = 60.0


class Heard(NamedTuple):
    """One event; ``event`` is "message" where it has no name, and "" for a mere sign of life."""

    id: str
    event: str
    data: Any


class Stream:
    """An open subscription; ``cursor`` is what a browser would come back with."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.cursor: str | None = None

    async def next(self) -> Heard | None:
        """Return what comes next, as a browser reads it; None at the end."""
        named = {"event": "", "id": self.cursor or ""}
        async for raw in self._answer.content:
            line = raw.decode().rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(": ")
            named[name] = value
        else:
            return None
        self.cursor = named["id"]
        data = json.loads(named["data"]) if "data" in named else None
        return Heard(named["id"], named["event"] or ("message" if data else ""), data)

    async def until(self, last: str) -> list[Heard]:
        """Return what comes up to the first event of the type ``last``."""
        found: list[Heard] = []
        async with asyncio.timeout(HANG_S):
            while not found or found[-1].data["type"] != last:
                heard = await self.next()
                assert heard is not None, "it ended"
                found += [heard] if heard.event else []
        return found


@asynccontextmanager
async def subscribed(
    client: Client, query: str = "", after: str | None = None
) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {client.key}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    async with client.http.get(f"{client.url}/v1/events{query}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        stream = Stream(answer)
        async with asyncio.timeout(HANG_S):
            assert (await stream.next()) is not None  # where it begins
        yield stream


async def tell(service: Service, type_: str, ws: WorkspaceId = WS, job: int | None = None) -> None:
    told = NewEvent(type_, None, job_id=None if job is None else JobId(job))
    await service.app.events.append(ws, [told])


def types(heard: list[Heard]) -> list[str]:
    return [one.data["type"] for one in heard]


async def test_a_change_is_told_with_its_job_and_state_and_nothing_of_its_content(service: Service):
    client = await service.client()
    async with subscribed(client) as stream:
        made = await client.post(
            "/v1/jobs",
            {
                "kind": "enrich",
                "args": {
                    "input": {"domain": "secret.example"},
                    "required_fields": ["company_name"],
                },
            },
        )
        await client.post(f"/v1/jobs/{made.body['id']}/cancel")
        enqueued, cancelled = await stream.until("cancelled")
    assert enqueued.data["job_id"] == made.body["id"]
    assert enqueued.data["type"] == "enqueued"
    assert (cancelled.data["job_id"], cancelled.data["state"]) == (made.body["id"], "cancelled")
    assert set(cancelled.data) == {"event", "id", "type", "job_id", "batch_id", "state", "at"}
    assert cancelled.id == cancelled.data["id"]


async def test_who_comes_back_again_and_again_while_jobs_run_misses_nothing_and_hears_nothing_twice(
    service: Service,
):
    client = await service.client()
    n = 300

    async def work() -> None:
        for i in range(n):
            await tell(service, f"step{i}")
            if i % 10 == 0:
                await asyncio.sleep(0.01)
        await tell(service, "last")

    heard: list[Heard] = []
    async with asyncio.TaskGroup() as group, asyncio.timeout(HANG_S):
        async with subscribed(client) as stream:
            cursor = stream.cursor
        group.create_task(work())
        breaks = 0
        while not heard or heard[-1].data["type"] != "last":
            async with subscribed(client, after=cursor) as stream:
                for _ in range(25):  # then the connection is cut, whatever is on its way
                    one = await stream.next()
                    assert one is not None
                    if one.event:
                        heard.append(one)
                    cursor = stream.cursor
                    if one.event and one.data["type"] == "last":
                        break
            breaks += 1
    assert types(heard) == [*(f"step{i}" for i in range(n)), "last"]
    assert breaks > 5


async def test_two_workspaces_at_once_hear_each_their_own_alone(service: Service, theirs: Client):
    ours = await service.client()
    async with subscribed(ours) as mine, subscribed(theirs) as other:
        for i in range(50):
            await tell(service, f"ours{i}", WS)
            await tell(service, f"theirs{i}", THEIRS)
        await tell(service, "last", WS)
        await tell(service, "last", THEIRS)
        assert types(await mine.until("last")) == [*(f"ours{i}" for i in range(50)), "last"]
        assert types(await other.until("last")) == [*(f"theirs{i}" for i in range(50)), "last"]
    cursor = mine.cursor
    await tell(service, "more", THEIRS)
    async with subscribed(theirs, after=cursor) as other:
        assert types(await other.until("more")) == ["last", "more"], "a cursor lets nobody in"


async def test_a_subscriber_hears_of_one_job_one_batch_or_some_types_alone(service: Service):
    client = await service.client()
    job, other = await service.app.jobs.enqueue(
        WS, [NewJob("enrich", {"n": 1}), NewJob("enrich", {"n": 2})]
    )
    async with (
        subscribed(client, f"?job={job}") as one,
        subscribed(client, "?types=b&types=z") as b,
    ):
        for type_ in ("a", "b"):
            await tell(service, type_, job=other)
            await tell(service, type_, job=job)
        await tell(service, "z", job=job)
        assert types(await one.until("z")) == ["a", "b", "z"]
        assert types(await b.until("z")) == ["b", "b", "z"]


async def test_what_is_not_theirs_cannot_be_subscribed_to(service: Service, theirs: Client):
    ours = await service.client()
    (job,) = await service.app.jobs.enqueue(WS, [NewJob("enrich", {})])
    for query in (f"job={job}", "job=999", "batch=1"):
        answer = await theirs.get(f"/v1/events?{query}")
        assert (answer.status, answer.body["code"]) == (404, "not_found")
    for query in ("after=x", "job=0", "types=" + "x" * 65, "nothing=1"):
        assert (await ours.get(f"/v1/events?{query}")).status == 422
    assert (await service.stranger.get("/v1/events")).status == 401


async def test_a_cursor_older_than_what_is_kept_or_of_another_database_is_told_to_begin_anew(
    service: Service, dsn: str
):
    client = await service.client()
    async with subscribed(client) as stream:
        await tell(service, "old")
        await stream.until("old")
    begin, kept = "1-1", stream.cursor
    await tell(service, "taken")
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("update glaze.event set at = at - interval '40 days'")
    pruned = await service.app.retention.events(WS, 30.0)
    assert pruned.gone == {"events": 2}
    for lost in (begin, kept, "999999999999-1"):
        async with subscribed_raw(client, lost) as stream:
            first = await stream.next()
            assert first is not None
            assert (first.event, first.data["event"]) == ("reset", "reset")
            await tell(service, "new")
            assert types(await stream.until("new")) == ["new"]
        async with subscribed(client, after=stream.cursor) as stream:
            await tell(service, "newer")
            assert types(await stream.until("newer")) == ["newer"]
    async with subscribed(client, after="0-0") as stream:
        assert types(await stream.until("newer"))[:2] == ["new", "newer"], "all that is kept"


@asynccontextmanager
async def subscribed_raw(client: Client, after: str) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {client.key}", "Last-Event-ID": after}
    async with client.http.get(f"{client.url}/v1/events", headers=headers) as answer:
        yield Stream(answer)


async def test_a_restart_of_the_database_in_the_middle_loses_no_event(service: Service, dsn: str):
    client = await service.client()
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    async with subscribed(client) as stream:
        with psycopg.connect(dsn, autocommit=True) as owner:
            for i in range(5):
                owner.execute(
                    "insert into glaze.event (workspace_id, type) values (1, %s)", (f"n{i}",)
                )
                owner.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = %s and pid <> pg_backend_pid()",
                    (name,),
                )
                await asyncio.sleep(0.1)
            owner.execute("insert into glaze.event (workspace_id, type) values (1, 'last')")
        assert types(await stream.until("last")) == [*(f"n{i}" for i in range(5)), "last"]


async def there_are(service: Service, subscribers: int) -> None:
    while service.app.live.subscribers(WS) != subscribers:  # noqa: ASYNC110  as an operator looks
        await asyncio.sleep(0.01)


async def test_a_slow_subscriber_is_let_go_without_keeping_others_and_goes_on_from_its_cursor(
    service: Service, dsn: str
):
    client = await service.client()
    asked = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.key}\r\n\r\n"
    with socket.socket() as never_reads:
        never_reads.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        never_reads.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(never_reads, ("127.0.0.1", int(client.url.rsplit(":", 1)[1])))
        await loop.sock_sendall(never_reads, asked.encode())
        async with subscribed(client) as quick, asyncio.timeout(HANG_S):
            cursor = quick.cursor
            await there_are(service, 2)
            with psycopg.connect(dsn, autocommit=True) as owner:
                owner.execute(
                    "insert into glaze.event (workspace_id, type)"
                    " select 1, n || repeat('-', 500) from generate_series(1, 15000) n"
                )
            await tell(service, "last")
            heard = types(await quick.until("last"))
            await there_are(service, 1)
    assert [one.rstrip("-") for one in heard] == [*map(str, range(1, 15001)), "last"]
    async with subscribed(client, after=cursor) as again:
        assert types(await again.until("last")) == heard


async def test_subscribers_end_with_the_process(settings):
    async with serving(settings) as service:
        client = await service.client()
        async with subscribed(client) as stream:
            service.app.live.close()
            async with asyncio.timeout(HANG_S):
                while await stream.next() is not None:
                    pass
