"""Vendors' keys by the API (S2): set, told of by their end alone, and written down nowhere."""

import asyncio
import json
import logging
import zlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import psycopg
import pytest
from aiohttp import web

from glaze.logs import configure_logs
from glaze.model.access import Scope
from glaze.secrets.wrapping import new_key_text
from glaze.settings import Settings
from glaze.traces import close_traces
from tests.api.conftest import Service, serving
from tests.otlp import collecting

CANARY = "canary-7Qx9vLr2Kp4Zt8Wm3Nb6"
KEY = "/v1/providers/hunter/key"


@pytest.fixture
def settings(dsn: str) -> Settings:
    return Settings(database_url=dsn, log_level="error", key_encryption_keys=new_key_text())


class Parrot:
    """A vendor that repeats the key that it is shown, wherever a vendor may."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.url = ""
        self.breaks_off = False

    async def answer(self, request: web.Request) -> web.Response:
        key = request.headers.get("X-API-KEY") or request.query.get("api_key", "")
        self.shown.append(key)
        if self.breaks_off and request.transport is not None:
            request.transport.abort()
        told = {"errors": [{"id": "wrong", "code": 401, "details": f"No user has the key {key}"}]}
        return web.json_response(told, status=401, headers={"X-Your-Key": key})


@pytest.fixture
async def parrot() -> AsyncIterator[Parrot]:
    parrot = Parrot()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", parrot.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    parrot.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield parrot
    await runner.cleanup()


async def test_a_key_is_set_told_of_by_its_end_exchanged_and_forgotten(service: Service):
    admin = await service.client()
    assert (await admin.get(KEY)).body == {
        "provider": "hunter",
        "set": False,
        "last_four": None,
        "set_at": None,
    }
    first = await admin.ask("PUT", KEY, {"key": CANARY})
    assert (first.status, first.body["set"], first.body["last_four"]) == (200, True, CANARY[-4:])
    assert first.body["set_at"]
    short = (await admin.ask("PUT", KEY, {"key": "short"})).body
    assert (short["set"], short["last_four"]) == (True, None)
    (told,) = [one for one in (await admin.get("/v1/providers")).body if one["name"] == "hunter"]
    assert (told["key"], told["in_use"]) == ("own", True)
    assert (await admin.ask("DELETE", KEY)).body["set"] is False
    assert (await admin.ask("DELETE", KEY)).status == 404
    assert (await admin.get(KEY)).body["set"] is False

    page = (await admin.get("/v1/audit?limit=3")).body["items"]
    deeds = ["vendor_key.forget", "vendor_key.set", "vendor_key.set"]
    assert [one["action"] for one in page] == deeds
    assert {one["target"] for one in page} == {"hunter"}
    assert all(one["actor"].startswith("key ") for one in page)


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
async def test_only_an_admin_comes_near_a_key(service: Service, scope: Scope):
    client = await service.client(scope)
    for method, body in (("GET", None), ("PUT", {"key": CANARY}), ("DELETE", None)):
        assert (await client.ask(method, KEY, body)).status == 403


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/providers/nobody/key", {"key": CANARY}, 404),
        ("/v1/providers/dns_mx/key", {"key": CANARY}, 422),
        (KEY, {"key": ""}, 422),
        (KEY, {"key": CANARY * 50}, 422),
        (KEY, {"key": CANARY + "\n" + CANARY}, 422),
        (KEY, {"keys": CANARY}, 422),
        (KEY, {"key": {"a": CANARY}}, 422),
    ],
)
async def test_a_key_that_cannot_be_is_refused_and_not_repeated(service, path, body, status):
    answer = await (await service.client()).ask("PUT", path, body)
    assert answer.status == status
    assert CANARY not in json.dumps(answer.body)


async def test_a_workspaces_key_is_its_own(service: Service, theirs):
    mine = await service.client()
    await mine.ask("PUT", KEY, {"key": CANARY})
    assert (await theirs.get(KEY)).body["set"] is False
    assert (await theirs.ask("DELETE", KEY)).status == 404
    assert (await mine.get(KEY)).body["set"] is True


async def test_without_a_key_encryption_key_none_is_kept_and_it_is_said_what_to_do(dsn: str):
    async with serving(Settings(database_url=dsn, log_level="error")) as service:
        answer = await (await service.client()).ask("PUT", KEY, {"key": CANARY})
    assert (answer.status, answer.body["code"]) == (409, "secrets_unavailable")
    assert "GLAZE_KEY_FILE" in answer.body["detail"]


FINDS = {
    "input": {"first_name": "Ada", "last_name": "Byron", "company_domain": "acme.com"},
    "required_fields": ["person_email"],
    "providers": ["hunter"],
}
VERIFIES = {
    "input": {"email": "ada@acme.com"},
    "required_fields": ["person_email_status"],
    "providers": ["zerobounce"],
}


class Shown(NamedTuple):
    """A vendor that was shown the key, what it was asked, and what is kept of what it did."""

    vendor: str
    asked: dict[str, Any]
    kept: str
    breaks_off: bool = False


REPEATS = Shown("hunter", FINDS, "No user has the key hidden")
BREAKS_OFF = Shown("zerobounce", VERIFIES, "connect_failed", breaks_off=True)  # after it in a URL


@pytest.mark.parametrize("shown", [REPEATS, BREAKS_OFF], ids=lambda one: one.vendor)
async def test_a_key_stands_in_no_log_trace_answer_event_or_dump_whatever_its_vendor_does(
    settings: Settings,
    dsn: str,
    parrot: Parrot,
    capfd: pytest.CaptureFixture[str],
    shown: Shown,
):
    vendor = shown.vendor
    parrot.breaks_off = shown.breaks_off
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    key = f"/v1/providers/{vendor}/key"
    heard: list[Any] = []
    with collecting() as collector:
        debug = settings.with_changes(
            log_level="debug",
            provider={vendor: {"base_url": parrot.url}},
            traces_url=f"http://127.0.0.1:{collector.server_port}",
        )
        async with serving(debug) as service:
            admin = await service.client()
            heard.append(await admin.ask("PUT", key, {"key": CANARY}))
            accepted = await admin.post("/v1/enrich", shown.asked | {"wait_s": 0})
            assert accepted.status == 202, accepted.body
            heard.append(accepted)
            await service.app.run_some()
            job = accepted.body["id"]
            paths = [f"/v1/jobs/{job}", f"/v1/jobs/{job}/log", "/v1/providers", key, "/v1/audit"]
            heard += [await admin.get(path) for path in (*paths, "/v1/calls", "/metrics")]
            assert "not in use" not in str(heard[2].body)
        await asyncio.to_thread(close_traces)
        assert any(span.name.startswith(vendor) for span in collector.spans)
        assert CANARY.encode() not in b"".join(collector.bodies)
    configure_logs("error", "text")
    assert CANARY in parrot.shown
    said = capfd.readouterr()
    assert "vendor request" in said.err
    assert CANARY not in said.err + said.out
    assert CANARY not in str([(one.body, [*one.headers.items()]) for one in heard])
    dump = dumped(dsn)
    assert shown.kept in dump  # what the vendor said is kept, without the key
    assert CANARY not in dump
    assert CANARY[:-4] not in dump


def dumped(dsn: str) -> str:
    """Return every row of every table as text, what is compressed unpacked."""
    parts = []
    with psycopg.connect(dsn) as owner:
        names = owner.execute(
            "select c.relname from pg_class c where c.relnamespace = 'glaze'::regnamespace"
            " and c.relkind in ('r', 'p')"
        ).fetchall()
        for (name,) in names:
            with owner.cursor().copy(f"copy glaze.{name} to stdout".encode()) as copy:
                parts += [bytes(row).decode() for row in copy]
        bodies = owner.execute("select body from glaze.answer").fetchall()
    parts += [zlib.decompress(bytes(body)).decode() for (body,) in bodies]
    return "".join(parts)
