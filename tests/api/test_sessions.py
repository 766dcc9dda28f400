"""Members and their sessions (H5): signed in by password, held by a cookie, attacked."""

import asyncio
from typing import Any

import psycopg
import pytest

from glaze.api.auth import COOKIE
from glaze.api.signing_in import MOST_OF_ACCOUNT, MOST_OF_ADDRESS, SignIns
from glaze.errors import LoginRefused, TooManyRequests
from glaze.model.access import Role, Scope
from glaze.model.value import DEFAULT_WORKSPACE, WorkspaceId
from glaze.secrets.passwords import Passwords
from glaze.settings import Settings
from glaze.store.member import By, MemberStore
from glaze.store.workspace import WorkspaceStore
from tests.api.conftest import Answer, Client, Service, serving

PASSWORD = "correct horse battery staple"
OTHER = "another horse, another battery"
JOB = "/v1/jobs/1"


class Person:
    """A browser of somebody: keeps its cookie, and the token that its page shows."""

    def __init__(self, service: Service, email: str, workspace: str = "default") -> None:
        self.client = Client(service.http, service.url, None)
        self.email, self.workspace = email, workspace
        self.cookie = self.csrf = ""
        self.set_cookie = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        held = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        shown = {"X-CSRF-Token": self.csrf} if self.csrf else {}
        answer = await self.client.ask(method, path, body, **held | shown | headers)
        if given := answer.headers.get("Set-Cookie"):
            self.set_cookie = given
            self.cookie = given.partition(";")[0].partition("=")[2]
            if answer.status == 200:
                self.csrf = answer.body["csrf_token"]
        return answer

    async def login(self, password: str = PASSWORD) -> Answer:
        asked = {"workspace": self.workspace, "email": self.email, "password": password}
        return await self.ask("POST", "/v1/session", asked)


async def member(
    service: Service,
    role: Role,
    email: str = "",
    workspace_id: WorkspaceId = DEFAULT_WORKSPACE,
    workspace: str = "default",
) -> Person:
    """Make a member and sign them in."""
    email = email or f"{role}@example.com"
    added = await service.app.sign_ins.add(workspace_id, email, role, PASSWORD, By())
    assert added is not None
    person = Person(service, email, workspace)
    assert (await person.login()).status == 200
    return person


async def test_a_session_is_its_cookies_alone_and_no_dump_or_body_has_it(
    service: Service, dsn: str
):
    person = await member(service, Role.EDITOR)
    parts = [part.strip().lower() for part in person.set_cookie.split(";")]
    assert person.set_cookie.startswith("__Host-")
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= set(parts)
    assert not [part for part in parts if part.startswith("domain")]
    who = await person.ask("GET", "/v1/session")
    assert (who.body["email"], who.body["role"]) == ("editor@example.com", "editor")
    assert who.body["csrf_token"] == person.csrf
    assert person.cookie not in str(who.body)
    bearer = Client(service.http, service.url, person.cookie)
    assert (await bearer.get(JOB)).status == 401  # a session is shown by its cookie alone
    with psycopg.connect(dsn) as owner:
        tables = ("member", "session", "audit", "login_attempt", "invitation", "event")
        dump = "".join(
            str(owner.execute(f"select t::text from glaze.{name} t".encode()).fetchall())
            for name in tables
        )
    for secret in (PASSWORD, person.cookie, person.cookie[-20:], person.csrf):
        assert secret not in dump
    assert "$argon2id$" in dump


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, {"GET /v1/jobs/1"}),
        (Role.EDITOR, {"GET /v1/jobs/1", "POST /v1/enrich"}),
        (Role.ADMIN, {"GET /v1/jobs/1", "POST /v1/enrich", "GET /v1/keys"}),
    ],
)
async def test_a_role_may_do_what_its_scope_covers_and_no_more(service, role: Role, may: set[str]):
    person = await member(service, role)
    for asked in ("GET /v1/jobs/1", "POST /v1/enrich", "GET /v1/keys"):
        answer = await person.ask(*asked.split(), body={})
        assert (answer.status not in {401, 403}) == (asked in may), (asked, answer)


async def test_a_change_that_no_page_of_ours_asks_for_is_refused(service: Service):
    person = await member(service, Role.ADMIN)
    other = await member(service, Role.ADMIN, "bea@example.com")
    made = {"name": "k", "scopes": ["read"]}
    host = service.url.removeprefix("http://")
    attacks: list[dict[str, str]] = [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": other.csrf},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://{host}.evil.example"},
    ]
    for headers in attacks:
        answer = await person.ask("POST", "/v1/keys", made, **headers)
        assert (answer.status, answer.body["code"]) == (403, "csrf_refused"), headers
        for method, path in (("DELETE", "/v1/session"), ("PUT", "/v1/providers/hunter/key")):
            assert (await person.ask(method, path, {}, **headers)).status == 403
    assert len((await person.ask("GET", "/v1/keys")).body) == 0
    ours = {"Origin": service.url, "Sec-Fetch-Site": "same-origin"}
    assert (await person.ask("POST", "/v1/keys", made, **ours)).status == 201
    # Nor may another site sign somebody in as whom it likes.
    stranger = Person(service, person.email)
    login = {"email": person.email, "password": PASSWORD}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert (await stranger.ask("POST", "/v1/session", login, **headers)).status == 403
    key = await service.client()
    assert (await key.post("/v1/keys", made, Origin="https://app.example")).status == 201


async def test_a_session_that_was_planted_is_not_the_one_that_is_begun(service: Service):
    mallory = await member(service, Role.VIEWER, "mallory@example.com")
    for n, planted in enumerate((mallory.cookie, "glzs_1_" + "A" * 43, "x")):
        victim = await member(service, Role.ADMIN, f"victim-{n}@example.com")
        victim.cookie, victim.csrf = planted, ""
        assert (await victim.login()).status == 200
        assert victim.cookie != planted
        assert (await victim.ask("GET", "/v1/session")).body["role"] == "admin"
    # What was shown at the login is over, so that the one who planted it has nothing.
    assert (await mallory.ask("GET", "/v1/session")).status == 401
    first = victim.cookie
    await victim.login()
    assert victim.cookie != first
    assert (await Person_with(service, first).ask("GET", JOB)).status == 401


def Person_with(service: Service, cookie: str) -> Person:  # noqa: N802  reads as one
    person = Person(service, "")
    person.cookie = cookie
    return person


async def test_a_session_ends_by_sign_out_everywhere_new_password_removal_and_time(
    settings: Settings, dsn: str
):
    async with serving(settings) as service:
        one = await member(service, Role.EDITOR)
        two, three = Person(service, one.email), Person(service, one.email)
        await two.login()
        await three.login()
        stolen = Person_with(service, one.cookie)
        assert (await one.ask("DELETE", "/v1/session")).status == 204
        assert "max-age=0" in one.set_cookie.lower()
        assert (await stolen.ask("GET", JOB)).status == 401
        assert (await two.ask("GET", JOB)).status == 404

        wrong = {"current": "as it never was", "new": OTHER}
        assert (await two.ask("PUT", "/v1/session/password", wrong)).status == 401
        before = two.cookie
        right = {"current": PASSWORD, "new": OTHER}
        assert (await two.ask("PUT", "/v1/session/password", right)).status == 200
        assert two.cookie != before
        assert (await two.ask("GET", JOB)).status == 404
        for gone in (before, three.cookie):
            assert (await Person_with(service, gone).ask("GET", JOB)).status == 401
        assert (await three.login()).status == 401
        assert (await three.login(OTHER)).status == 200
        assert (await three.ask("DELETE", "/v1/sessions")).status == 204
        assert (await two.ask("GET", JOB)).status == 401

        await two.login(OTHER)
        owner = await member(service, Role.OWNER)
        view = (await owner.ask("GET", "/v1/members")).body[0]
        assert (await owner.ask("DELETE", f"/v1/members/{view['id']}")).body["disabled_at"]
        assert (await two.ask("GET", JOB)).status == 401
        assert (await two.login(OTHER)).status == 401

        for age in ("expires_at = clock_timestamp()", "seen_at = now() - interval '13 hours'"):
            assert (await owner.login()).status == 200
            with psycopg.connect(dsn) as conn:
                conn.execute(f"update glaze.session set {age}".encode())
            # in this process as in one that never saw it
            refused = await service.app.sign_ins.admit(owner.cookie)
            assert refused is None


async def test_nobody_rises_above_their_own_role_and_one_owner_stays(service: Service):
    owner, admin = await member(service, Role.OWNER), await member(service, Role.ADMIN)
    editor = await member(service, Role.EDITOR)
    key = await service.client(Scope.ADMIN)
    ids = {one["role"]: one["id"] for one in (await owner.ask("GET", "/v1/members")).body}

    async def change(who: Any, whom: str, role: str) -> int:
        path = f"/v1/members/{ids[whom]}"
        answer: Answer = await who.ask("PATCH", path, {"role": role})
        return answer.status

    for who, whom, role in (
        (editor, "editor", "admin"),
        (admin, "admin", "owner"),
        (admin, "owner", "viewer"),
        (key, "editor", "owner"),
        (key, "owner", "viewer"),
        (owner, "owner", "admin"),  # the last one
    ):
        assert await change(who, whom, role) == 403, (whom, role)
    for who in (admin, key, owner):
        assert (await who.ask("DELETE", f"/v1/members/{ids['owner']}")).status == 403
    asked = {"email": "new@example.com", "role": "owner"}
    assert (await admin.ask("POST", "/v1/members/invitations", asked)).status == 403
    assert (await editor.ask("POST", "/v1/members/invitations", asked)).status == 403
    assert (await key.post("/v1/members/invitations", asked)).status == 403
    assert (
        await admin.ask("POST", "/v1/members/invitations", asked | {"role": "root"})
    ).status == 422

    # What is given counts at once in sessions that are there.
    assert (await editor.ask("GET", "/v1/keys")).status == 403
    assert await change(admin, "editor", "admin") == 200
    assert (await editor.ask("GET", "/v1/keys")).status == 200
    assert await change(owner, "admin", "viewer") == 200
    assert (await admin.ask("GET", "/v1/keys")).status == 403
    # Two owners that take the role from each other at once leave one.
    assert await change(owner, "editor", "owner") == 200
    assert sorted(
        await asyncio.gather(change(owner, "editor", "viewer"), change(editor, "owner", "viewer"))
    ) == [200, 403]
    deeds = [one["action"] for one in (await key.get("/v1/audit")).body["items"]]
    assert deeds.count("member.role") == 4


async def test_an_invitation_makes_one_member_once_for_a_week(service: Service, dsn: str):
    owner = await member(service, Role.OWNER)

    async def invited(email: str, role: str = "editor") -> dict[str, Any]:
        asked = {"email": email, "role": role}
        answer = await owner.ask("POST", "/v1/members/invitations", asked)
        assert answer.status == 201, answer.body
        body: dict[str, Any] = answer.body
        return body

    async def accept(token: str, password: str = PASSWORD) -> tuple[int, Person]:
        person = Person(service, "")
        asked = {"token": token, "password": password}
        return (await person.ask("POST", "/v1/invitations/accept", asked)).status, person

    first = await invited(" Ada@Example.com ")
    again = await invited("ada@example.com", "viewer")
    assert (await accept(first["token"]))[0] == 401  # the second took its place
    [listed] = (await owner.ask("GET", "/v1/members/invitations")).body
    assert again["token"] not in str(listed)
    assert (await accept(again["token"], "short"))[0] == 422
    tries = await asyncio.gather(*(accept(again["token"]) for _ in range(3)))
    assert sorted(status for status, _ in tries) == [200, 401, 401]
    (ada,) = [person for status, person in tries if status == 200]
    assert (await ada.ask("GET", "/v1/session")).body["role"] == "viewer"
    ada.email = "ADA@example.com"
    assert (await ada.login()).status == 200
    taken = {"email": "ada@example.com", "role": "viewer"}
    assert (await owner.ask("POST", "/v1/members/invitations", taken)).status == 422

    late = await invited("late@example.com")
    with psycopg.connect(dsn) as conn:
        conn.execute("update glaze.invitation set expires_at = clock_timestamp()")
    assert (await accept(late["token"]))[0] == 401
    gone = await invited("gone@example.com")
    path = f"/v1/members/invitations/{gone['id']}"
    assert (await owner.ask("DELETE", path)).status == 204
    assert (await owner.ask("DELETE", path)).status == 404
    assert (await accept(gone["token"]))[0] == 401


class Counted(Passwords):
    """Checks passwords, and counts how often."""

    def __init__(self) -> None:
        super().__init__()
        self.checked: list[bool] = []

    async def matches(self, kept: str | None, password: str) -> bool:
        self.checked.append(kept is None)
        return await super().matches(kept, password)


async def test_who_is_not_there_is_refused_like_who_has_another_password_after_the_same_work(
    service: Service,
):
    await member(service, Role.VIEWER, "ada@example.com")
    passwords, db = Counted(), service.app.db
    sign_ins = SignIns(MemberStore(db), WorkspaceStore(db), passwords, lasts_s=60, idle_s=60)
    said = set()
    for workspace, email, password in (
        ("default", "ada@example.com", "wrong"),
        ("default", "nobody@example.com", PASSWORD),
        ("nowhere", "ada@example.com", PASSWORD),
        ("default", "not an address", PASSWORD),
        ("default", "x" * 300, "nobody's password"),
    ):
        with pytest.raises(LoginRefused) as refused:
            await sign_ins.login(workspace, email, password, address="a")
        said.add(str(refused.value))
    assert len(said) == 1
    assert passwords.checked == [False, True, True, True, True]  # one hash each, nobody's too


async def test_too_many_tries_of_an_account_or_address_have_to_wait(service: Service):
    person = await member(service, Role.VIEWER, "ada@example.com")
    tries = [await person.login("wrong") for _ in range(MOST_OF_ACCOUNT)]
    assert {one.status for one in tries} == {401}
    stopped = await person.login()  # the right one, too: who guesses does not learn that it is
    assert (stopped.status, stopped.body["code"]) == (429, "rate_limited")
    assert 1 <= int(stopped.headers["Retry-After"]) <= 900
    assert (await person.ask("GET", JOB)).status == 404  # who has signed in stays so
    # Who is not there is stopped as early, and others are not stopped by it.
    ghost = Person(service, "ghost@example.com")
    assert [(await ghost.login()).status for _ in range(MOST_OF_ACCOUNT + 1)][-2:] == [401, 429]
    await member(service, Role.VIEWER, "bea@example.com")


async def test_an_address_that_tries_many_accounts_is_stopped_in_every_process(service: Service):
    async def nobody(kept: str | None, password: str) -> bool:
        del kept, password
        return False

    class Quick(Passwords):
        matches = staticmethod(nobody)  # type: ignore[assignment]

    def process() -> SignIns:
        db = service.app.db
        return SignIns(MemberStore(db), WorkspaceStore(db), Quick(), lasts_s=60, idle_s=60)

    tried: list[str] = []
    for n in range(MOST_OF_ADDRESS + 5):
        try:
            await process().login("default", f"m{n}@example.com", "x", address="203.0.113.9")
        except (LoginRefused, TooManyRequests) as error:
            tried.append(error.code)
    assert tried == ["login_refused"] * MOST_OF_ADDRESS + ["rate_limited"] * 5
    with pytest.raises(LoginRefused):
        await process().login("default", "m1@example.com", "x", address="203.0.113.10")


async def test_a_member_of_another_workspace_is_a_stranger_here(service: Service, theirs: Client):
    del theirs
    mine = await member(service, Role.OWNER)
    other = await member(
        service, Role.OWNER, "eve@example.com", workspace_id=WorkspaceId(2), workspace="theirs"
    )
    (view,) = (await mine.ask("GET", "/v1/members")).body
    listed = (await other.ask("GET", "/v1/members")).body
    assert [one["email"] for one in listed] == ["eve@example.com"]
    assert (await other.ask("PATCH", f"/v1/members/{view['id']}", {"role": "viewer"})).status == 404
    assert (await other.ask("DELETE", f"/v1/members/{view['id']}")).status == 404
    eve = Person(service, "eve@example.com", "default")
    assert (await eve.login()).status == 401
    # A cookie that claims this workspace opens neither.
    forged = Person_with(service, other.cookie.replace("glzs_2_", "glzs_1_"))
    assert (await forged.ask("GET", "/v1/session")).status == 401


async def test_a_read_token_of_a_member_ends_with_the_member(service: Service):
    owner, reader = await member(service, Role.OWNER), await member(service, Role.VIEWER)
    token = (await reader.ask("POST", "/v1/tokens", {})).body["token"]
    client = Client(service.http, service.url, token)
    assert (await client.get(JOB)).status == 404
    for view in (await owner.ask("GET", "/v1/members")).body:
        if view["role"] == "viewer":
            await owner.ask("DELETE", f"/v1/members/{view['id']}")
    assert (await client.get(JOB)).status == 401


async def test_a_session_follows_what_is_live(service: Service):
    person = await member(service, Role.VIEWER)
    held = {"Cookie": f"{COOKIE}={person.cookie}"}
    async with service.http.get(f"{service.url}/v1/events", headers=held) as stream:
        assert stream.status == 200
    async with service.http.get(f"{service.url}/v1/events") as stream:
        assert stream.status == 401
    with_origin = held | {"Origin": "https://evil.example"}
    url = service.url.replace("http", "ws") + "/v1/ws"
    async with service.http.ws_connect(url, headers=held) as socket:
        assert not socket.closed
    with pytest.raises(Exception, match="403"):
        await service.http.ws_connect(url, headers=with_origin)


async def test_a_token_of_a_session_ends_with_it(service: Service):
    async def tokened(person: Person) -> Client:
        made = await person.ask("POST", "/v1/tokens", {"ttl_s": 3600})
        shown = Client(service.http, service.url, made.body["token"])
        assert (await shown.get("/v1/jobs")).status == 200
        return shown

    person = await member(service, Role.EDITOR)
    other = Person(service, person.email)
    await other.login()
    for method, path, body in (
        ("DELETE", "/v1/session", None),
        ("DELETE", "/v1/sessions", None),
        ("PUT", "/v1/session/password", {"current": PASSWORD, "new": OTHER}),
    ):
        shown = await tokened(person)
        beside = await tokened(other)
        assert (await person.ask(method, path, body)).status in {200, 204}
        assert (await shown.get("/v1/jobs")).status == 401, path
        assert (await beside.get("/v1/jobs")).status == (200 if path == "/v1/session" else 401)
        for one in (person, other):
            one.cookie = one.csrf = ""
            await one.login()


async def test_who_is_removed_leaves_no_door_open(service: Service):
    owner, bad = await member(service, Role.OWNER), await member(service, Role.ADMIN)
    asked = {"name": "k", "scopes": ["admin"]}
    first = (await bad.ask("POST", "/v1/keys", asked)).body
    of_key = Client(service.http, service.url, first["key"])
    second = (await of_key.post("/v1/keys", asked)).body
    third = (await of_key.post(f"/v1/keys/{second['id']}/rotate", {"overlap_s": 600})).body
    others = (await owner.ask("POST", "/v1/keys", asked)).body
    invited = [
        (await inviter.post("/v1/members/invitations", {"email": email, "role": "admin"})).body
        if isinstance(inviter, Client)
        else (
            await inviter.ask("POST", "/v1/members/invitations", {"email": email, "role": "admin"})
        ).body
        for inviter, email in (
            (bad, "a@example.com"),
            (of_key, "b@example.com"),
            (bad, "c@example.com"),
            (owner, "c@example.com"),
        )
    ]
    who = (await bad.ask("GET", "/v1/session")).body["member_id"]
    gone = (await owner.ask("DELETE", f"/v1/members/{who}")).body
    assert gone["revoked_keys"] == [one["id"] for one in (first, second, third)]
    assert gone["withdrawn_invitations"] == [one["id"] for one in invited[:2]]
    for made in (first, second, third):
        shown = Client(service.http, service.url, made["key"])
        assert (await shown.get("/v1/keys")).status == 401
    assert (await Client(service.http, service.url, others["key"]).get("/v1/keys")).status == 200
    for made, status in ((invited[0], 401), (invited[1], 401), (invited[3], 200)):
        accepted = {"token": made["token"], "password": PASSWORD}
        answer = await service.stranger.post("/v1/invitations/accept", accepted)
        assert answer.status == status


async def test_keys_of_who_is_removed_go_on_where_that_is_asked_for_and_end_with_a_lower_role(
    service: Service,
):
    owner, leaving = await member(service, Role.OWNER), await member(service, Role.ADMIN)
    lower = await member(service, Role.ADMIN, "lower@example.com")
    kept, ended = [
        (await one.ask("POST", "/v1/keys", {"name": "k", "scopes": ["admin"]})).body
        for one in (leaving, lower)
    ]
    ids = [(await one.ask("GET", "/v1/session")).body["member_id"] for one in (leaving, lower)]
    gone = await owner.ask("DELETE", f"/v1/members/{ids[0]}?keys=keep")
    assert gone.body["revoked_keys"] == []
    await owner.ask("PATCH", f"/v1/members/{ids[1]}", {"role": "editor"})
    for made, status in ((kept, 200), (ended, 401)):
        assert (
            await Client(service.http, service.url, made["key"]).get("/v1/keys")
        ).status == status
