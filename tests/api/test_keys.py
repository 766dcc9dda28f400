"""Who may do what (H5, S1): keys are shown once, kept as hashes, scoped, rotated, revoked, counted."""

import asyncio
from datetime import datetime

import psycopg
import pytest

from glaze.api.auth import Gate
from glaze.errors import KeyRefused, StoreUnavailable
from glaze.model.access import Principal, Scope
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.settings import Settings
from glaze.store.access import KeyStore
from tests.api.conftest import Client, Service, serving

WS = DEFAULT_WORKSPACE


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        "glz_1_aaaaaaaa_" + "A" * 43,
        "glz_99999999_aaaaaaaa_" + "A" * 43,
        "glz_0_aaaaaaaa_" + "A" * 43,
        "\x00",
        "x" * 4000,
    ],
)
async def test_who_shows_no_key_that_counts_is_refused_and_told_how_to_get_one(service, shown):
    asked = Client(service.http, service.url, shown and shown.replace("\x00", "%00"))
    for method, path in (("GET", "/v1/jobs/1"), ("POST", "/enrich"), ("GET", "/v1/keys")):
        answer = await asked.ask(method, path)
        assert answer.status == 401
        assert answer.body["code"] == "key_refused"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "key" in answer.body["detail"]


async def test_a_key_is_told_once_and_no_dump_has_it(service: Service, dsn: str):
    admin = await service.client()
    made = await admin.post("/v1/keys", {"name": " crm ", "scopes": ["write"]})
    assert made.status == 201
    key = made.body["key"]
    assert made.body["name"] == "crm"
    assert (await Client(service.http, service.url, key).get("/v1/jobs/1")).status == 404

    listed = await admin.get("/v1/keys")
    assert key not in str(listed.body)
    with psycopg.connect(dsn) as owner:
        tables = owner.execute(
            "select c.relname from pg_class c where c.relnamespace = 'glaze'::regnamespace"
            " and c.relkind in ('r', 'p')"
        ).fetchall()
        dump = [
            str(owner.execute(f"select t::text from glaze.{name} t").fetchall())
            for (name,) in tables
        ]
    assert key.split("_", 3)[3] not in "".join(dump)


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        (Scope.READ, {"GET /v1/jobs/1"}),
        (Scope.WRITE, {"GET /v1/jobs/1", "POST /v1/enrich"}),
        (Scope.ADMIN, {"GET /v1/jobs/1", "POST /v1/enrich", "GET /v1/keys"}),
        (Scope.CALLBACK, set()),
    ],
)
async def test_a_key_may_do_what_its_scope_covers_and_no_more(service, scope, may):
    client = await service.client(scope)
    for asked in ("GET /v1/jobs/1", "POST /v1/enrich", "GET /v1/keys"):
        answer = await client.ask(*asked.split(), body={})
        if asked in may:
            assert answer.status not in {401, 403}, asked
        else:
            assert (answer.status, answer.body["code"]) == (403, "scope_missing"), asked
            assert "scope" in answer.body["detail"]


async def test_a_revoked_key_counts_no_more_and_neither_does_an_expired_one(
    service: Service, dsn: str
):
    admin, reader = await service.client(), await service.client(Scope.READ)
    assert (await reader.get("/v1/jobs/1")).status == 404
    last = (await admin.get("/v1/keys")).body[0]["id"]
    assert (await admin.ask("DELETE", f"/v1/keys/{last}")).body["revoked_at"]
    assert (await reader.get("/v1/jobs/1")).status == 401
    assert (await admin.ask("DELETE", f"/v1/keys/{last}")).status == 404

    expired = await service.app.keys.create(WS, "old", [Scope.READ])
    with psycopg.connect(dsn) as owner:
        owner.execute("update glaze.api_key set expires_at = '2026-01-01' where name = 'old'")
    assert (await Client(service.http, service.url, expired.text).get("/v1/jobs/1")).status == 401


async def test_a_rotated_key_counts_beside_its_successor_for_as_long_as_was_said(service: Service):
    admin = await service.client()
    first = (await admin.post("/v1/keys", {"name": "a", "scopes": ["read"]})).body
    path = f"/v1/keys/{first['id']}/rotate"
    second = (await admin.post(path, {"overlap_s": 60})).body
    for key in (first["key"], second["key"]):
        assert (await Client(service.http, service.url, key).get("/v1/jobs/1")).status == 404
    assert second["scopes"] == ["read"]

    third = (await admin.post(f"/v1/keys/{second['id']}/rotate", {})).body
    assert await service.app.keys.authenticate(second["key"]) is None
    assert await service.app.keys.authenticate(third["key"]) is not None
    assert (await admin.post(f"/v1/keys/{second['id']}/rotate", {})).status == 404


async def test_what_was_done_to_keys_stands_in_the_audit_log_with_who_did_it(service: Service):
    admin = await service.client()
    made = (await admin.post("/v1/keys", {"name": "a", "scopes": ["read"]})).body
    await admin.ask("DELETE", f"/v1/keys/{made['id']}")
    page = (await admin.get("/v1/audit?limit=2")).body
    assert [one["action"] for one in page["items"]] == ["api_key.revoke", "api_key.create"]
    assert {one["target"] for one in page["items"]} == {f"key {made['id']}"}
    assert all(one["actor"].startswith("key ") for one in page["items"])
    rest = (await admin.get(f"/v1/audit?before={page['next_before']}")).body
    assert [one["actor"] for one in rest["items"]] == ["command line"]
    assert rest["next_before"] is None


async def test_a_workspaces_keys_are_unseen_and_untouched_from_another(service, theirs):
    mine = await service.client()
    [key, *_] = (await mine.get("/v1/keys")).body
    assert key["id"] not in {one["id"] for one in (await theirs.get("/v1/keys")).body}
    assert (await theirs.ask("DELETE", f"/v1/keys/{key['id']}")).status == 404
    assert (await theirs.post(f"/v1/keys/{key['id']}/rotate", {})).status == 404
    assert (await mine.get("/v1/keys")).status == 200


@pytest.mark.usefixtures("theirs")
async def test_a_key_that_claims_another_workspace_opens_neither(service: Service):
    mine = await service.client()
    assert mine.key is not None
    forged = mine.key.replace("glz_1_", "glz_2_")
    assert (await Client(service.http, service.url, forged).get("/v1/keys")).status == 401


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(settings: Settings):
    async with serving(settings.with_changes(api_requests_per_minute=3)) as service:
        mine, other = await service.client(Scope.READ), await service.client(Scope.READ)
        left = [(await mine.get("/v1/jobs/1")).headers["RateLimit"] for _ in range(3)]
        assert [text.split(";")[1] for text in left] == ["r=2", "r=1", "r=0"]
        refused = await mine.get("/v1/jobs/1")
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert (await other.get("/v1/jobs/1")).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "scopes": ["read"]},
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["root"]},
        {"name": "a\x07", "scopes": ["read"]},
        {"name": "a", "scopes": ["read"], "expires_at": "2026-01-01T00:00:00"},
        {"name": "a", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"},
        {"name": "a", "scopes": ["read"], "expires_at": "9999-12-31T23:59:59Z"},
        {"name": "a", "scopes": ["read"], "also": 1},
    ],
)
async def test_a_key_that_cannot_be_is_refused_with_what_is_wrong(service: Service, body):
    answer = await (await service.client()).post("/v1/keys", body)
    assert answer.status == 422
    assert answer.body["detail"]


async def test_a_key_that_expires_has_a_successor_of_the_same_lifetime(service: Service):
    admin = await service.client()
    asked = {"name": "a", "scopes": ["read"], "expires_at": "2999-01-01T00:00:00Z"}
    first = (await admin.post("/v1/keys", asked)).body
    second = (await admin.post(f"/v1/keys/{first['id']}/rotate", {})).body
    lifetimes = [
        datetime.fromisoformat(one["expires_at"]) - datetime.fromisoformat(one["created_at"])
        for one in (first, second)
    ]
    assert abs((lifetimes[1] - lifetimes[0]).total_seconds()) < 60


class Counting(KeyStore):
    """Counts how often a key is looked up."""

    looks = 0

    async def authenticate(self, text: str) -> Principal | None:
        self.looks += 1
        return await super().authenticate(text)


async def test_many_who_show_a_key_at_once_are_one_look_and_one_that_was_revoked_meanwhile_another(
    service: Service,
):
    app = service.app
    keys = Counting(app.db)
    gate = Gate(keys, app.tokens, app.sign_ins, 1000)
    made = await keys.create(DEFAULT_WORKSPACE, "k", [Scope.READ])
    found = await asyncio.gather(*(gate.admit(made.text) for _ in range(100)))
    assert len(found) == 100
    assert keys.looks == 1
    gate.forget()

    async def revoke() -> None:
        while keys.looks == 1:  # noqa: ASYNC110  until it is looked up
            await asyncio.sleep(0)
        await keys.revoke(DEFAULT_WORKSPACE, made.view.id)
        gate.forget()

    await asyncio.gather(gate.admit(made.text), revoke(), return_exceptions=True)
    refused = await asyncio.gather(
        *(gate.admit(made.text) for _ in range(3)), return_exceptions=True
    )
    assert [type(one) for one in refused] == [KeyRefused] * 3


class Away(Counting):
    """Waits for a database that does not come back."""

    async def authenticate(self, text: str) -> Principal | None:  # noqa: ARG002
        self.looks += 1
        await asyncio.sleep(0)
        raise StoreUnavailable("PostgreSQL did not answer")


async def test_many_who_show_a_key_while_the_database_is_away_wait_no_longer_than_the_first(
    service: Service,
):
    keys = Away(service.app.db)
    gate = Gate(keys, service.app.tokens, service.app.sign_ins, 1000)
    asked = (gate.admit("glaze_any") for _ in range(100))
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(one) for one in told} == {StoreUnavailable}
    assert keys.looks == 1


async def test_a_rotation_asked_for_again_takes_back_the_successor_that_nobody_saw(
    service: Service,
):
    admin = await service.client()
    asked = {"name": "a", "scopes": ["read"], "expires_at": "2999-01-01T00:00:00Z"}
    old = (await admin.post("/v1/keys", asked)).body
    path = f"/v1/keys/{old['id']}/rotate"
    lost, taken = [(await admin.post(path, {"overlap_s": 600})).body for _ in range(2)]
    assert await service.app.keys.authenticate(lost["key"]) is None
    assert taken["expires_at"][:4] >= "2998", "as long as the first"
    mine = Client(service.http, service.url, taken["key"])
    assert (await mine.get("/v1/jobs/1")).status == 404
    refused = await admin.post(path, {"overlap_s": 600})
    assert (refused.status, refused.body["code"]) == (409, "key_replaced")
    assert (await mine.get("/v1/jobs/1")).status == 404


async def test_a_key_that_was_rotated_without_overlap_is_refused_at_once(service: Service):
    admin = await service.client()
    made = (await admin.post("/v1/keys", {"name": "a", "scopes": ["read"]})).body
    old = Client(service.http, service.url, made["key"])
    assert (await old.get("/v1/jobs/1")).status == 404
    assert (await admin.post(f"/v1/keys/{made['id']}/rotate", {})).status == 201
    assert (await old.get("/v1/jobs/1")).status == 401


async def test_a_key_and_the_tokens_that_it_made_have_one_limit_together(settings: Settings):
    async with serving(settings.with_changes(api_requests_per_minute=5)) as service:
        mine = await service.client(Scope.READ)
        made = [(await mine.post("/v1/tokens", {})).body["token"] for _ in range(3)]
        shown = [Client(service.http, service.url, one) for one in made]
        told = [await one.get("/v1/jobs/1") for one in shown]
        assert [one.status for one in told] == [404, 404, 429]
        assert told[-1].headers["RateLimit"].startswith('"key";r=0;')
        assert told[-1].headers["RateLimit-Policy"] == '"key";q=5;w=60'
        async with service.http.get(f"{service.url}/v1/events?access_token={made[0]}") as answer:
            assert answer.status == 429


async def test_the_audit_log_is_paged_from_any_number(service: Service):
    admin = await service.client()
    for before, status in (((1 << 63) - 1, 200), (1 << 63, 422)):
        assert (await admin.get(f"/v1/audit?before={before}")).status == status
