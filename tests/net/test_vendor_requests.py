"""What a provider gets: its own vendor unguarded and asked exactly once, all else guarded."""

import asyncio

import pytest

from glaze.errors import AddressRefused, ConnectFailed, HeldBack, ProviderError
from glaze.model.provider import VendorHttp

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
async def vendor(peers):
    """A vendor on loopback, as an administrator's own LLM would be."""

    async def talk(reader, writer) -> None:
        await peer.read_request(reader)
        writer.write(peer.answer)
        await writer.drain()

    peer = await peers(talk)
    peer.answer = ANSWER
    peer.base = f"http://127.0.0.1:{peer.port}/v1"
    return peer


async def quiet(reader, _writer) -> None:
    await reader.read()


async def test_a_configured_vendor_on_loopback_is_asked_as_given(worlds, vendor) -> None:
    world = await worlds(quiet)
    http = world.http(base_url=vendor.base + "/", key="k3y")
    bound: VendorHttp = http
    answer = await bound.request(
        "POST",
        f"{bound.base_url}/chat/completions",
        params=[("a", "1"), ("a", "2")],
        headers={"Authorization": f"Bearer {bound.key}"},
        json={"städte": ["Köln"]},
    )
    assert (answer.status, answer.body) == (200, b"{}")
    request = vendor.requests[0]
    assert request.startswith(b"POST /v1/chat/completions?a=1&a=2 HTTP/1.1\r\n")
    assert b"Authorization: Bearer k3y\r\n" in request
    assert b"Content-Type: application/json\r\n" in request
    assert b"Accept-Encoding: gzip, deflate\r\n" in request
    assert request.endswith('{"städte":["Köln"]}'.encode())
    fact = http.facts[0]
    assert (fact.method, fact.url, fact.status, fact.body_bytes, fact.error) == (
        "POST",
        f"{vendor.base}/chat/completions",
        200,
        2,
        None,
    )


async def test_only_urls_below_the_base_are_trusted(worlds, vendor) -> None:
    world = await worlds(quiet)
    http = world.http(base_url=vendor.base)
    port = vendor.port
    for url in (
        f"http://127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}/v1evil",
        f"http://127.0.0.1:{port}/v1/../admin",
        f"http://127.0.0.1:{port}/v1/%2e%2e/admin",
        f"http://127.0.0.1:{port + 1}/v1/x",
        f"https://127.0.0.1:{port}/v1/x",
        f"http://localhost:{port}/v1/x",
        "v1/x",
        "",
    ):
        with pytest.raises(AddressRefused):
            await http.request("GET", url)
    assert vendor.connections == 0


async def test_without_a_base_nothing_is_trusted(worlds, vendor) -> None:
    world = await worlds(quiet)
    with pytest.raises(AddressRefused):
        await world.http().request("GET", f"{vendor.base}/x")


async def test_a_vendor_s_redirect_is_an_answer_and_is_not_followed(worlds, vendor) -> None:
    world = await worlds(quiet)
    vendor.answer = b"HTTP/1.1 302 Found\r\nlocation: /v1/other\r\ncontent-length: 4\r\n\r\nmove"
    answer = await world.http(base_url=vendor.base).request("GET", f"{vendor.base}/x")
    assert (answer.status, answer.headers["location"], answer.body) == (302, "/v1/other", b"move")
    assert len(vendor.requests) == 1


async def test_a_second_request_of_a_paid_operation_is_the_provider_s_mistake(
    worlds, vendor
) -> None:
    world = await worlds(quiet)
    http = world.http(base_url=vendor.base, max_requests=1)
    await http.request("GET", f"{vendor.base}/a")
    with pytest.raises(ProviderError, match="more requests"):
        await http.request("GET", f"{vendor.base}/b")
    assert len(vendor.requests) == 1


async def test_two_paid_requests_started_at_once_are_still_one(worlds, vendor) -> None:
    world = await worlds(quiet)
    http = world.http(base_url=vendor.base, max_requests=1)
    ends = await asyncio.gather(
        *(http.request("GET", f"{vendor.base}/a") for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(end, ProviderError) for end in ends) == 4
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST"])
async def test_a_vendor_that_drops_after_reading_is_not_asked_again(worlds, vendor, method) -> None:
    """The HTTP library sends idempotent methods again by itself: the vendor would bill twice."""
    world = await worlds(quiet)
    vendor.answer = b""
    http = world.http(base_url=vendor.base, max_requests=1)
    with pytest.raises(ConnectFailed) as failure:
        await http.request(method, f"{vendor.base}/x")
    assert failure.value.sent is True
    assert len(vendor.requests) == 1
    assert vendor.connections == 1


async def test_a_site_that_drops_is_not_asked_again_either(worlds, vendor) -> None:
    world = await worlds(vendor.talk)
    world.play("site.example")
    vendor.answer = b""
    with pytest.raises(ConnectFailed):
        await world.http().request("GET", "https://site.example/")
    assert len(vendor.requests) == 1


async def test_each_vendor_request_has_a_connection_of_its_own(worlds, vendor) -> None:
    """A kept connection that the vendor closes meanwhile would lose a paid request."""
    world = await worlds(quiet)
    http = world.http(base_url=vendor.base)
    for _ in range(3):
        await http.request("GET", f"{vendor.base}/x")
    assert vendor.connections == 3


async def test_a_request_held_back_waits_with_its_connection_standing(worlds, peers) -> None:
    accepted, moment, seen = asyncio.Event(), asyncio.Event(), []

    async def talk(reader, writer) -> None:
        accepted.set()
        await peer.read_request(reader)
        seen.append("request")
        writer.write(ANSWER)
        await writer.drain()

    async def hold() -> None:
        await accepted.wait()  # never, were it not connected first
        await asyncio.sleep(0.1)
        seen.append("moment")
        moment.set()

    peer = await peers(talk)
    world = await worlds(quiet)
    http = world.http(base_url=f"http://127.0.0.1:{peer.port}", hold=hold)
    await http.request("POST", f"{http.base_url}/x", json={})
    assert seen == ["moment", "request"]
    assert http.facts[0].duration_ms < 100  # the vendor did not take the time that we waited


async def test_of_a_request_whose_turn_is_gone_no_byte_leaves_and_its_connection_ends(
    worlds, peers
) -> None:
    ended = asyncio.Event()

    async def talk(reader, _writer) -> None:
        peer.received += await reader.read()
        ended.set()

    async def hold() -> None:
        raise HeldBack("the permit ran out")

    peer = await peers(talk)
    world = await worlds(quiet)
    http = world.http(base_url=f"http://127.0.0.1:{peer.port}", max_requests=1, hold=hold)
    with pytest.raises(HeldBack) as failure:
        await http.request("POST", f"{http.base_url}/x", json={})
    async with asyncio.timeout(20):
        await ended.wait()
    assert (failure.value.sent, http.facts[0].sent, bytes(peer.received)) == (False, False, b"")


async def test_a_vendor_that_hangs_up_while_a_request_is_held_back_was_sent_nothing(
    worlds, peers
) -> None:
    closed = asyncio.Event()

    async def talk(_reader, writer) -> None:
        writer.close()
        await writer.wait_closed()
        closed.set()

    async def hold() -> None:
        await closed.wait()
        await asyncio.sleep(0.05)  # until the end has arrived here

    peer = await peers(talk)
    world = await worlds(quiet)
    http = world.http(base_url=f"http://127.0.0.1:{peer.port}", max_requests=1, hold=hold)
    with pytest.raises(ConnectFailed) as failure:
        await http.request("POST", f"{http.base_url}/x", json={})
    assert (failure.value.sent, http.facts[0].sent) == (False, False)


async def test_a_look_into_the_dns_is_held_back_like_any_request(worlds) -> None:
    async def hold() -> None:
        raise HeldBack("the permit ran out")

    world = await worlds(quiet)
    world.dns.say("acme.example", "10 mx.acme.example.", kind="MX")
    with pytest.raises(HeldBack):
        await world.http(hold=hold).resolve("acme.example", "MX")
    assert not world.dns.asked


async def test_a_vendor_s_own_host_is_played_by_the_sandbox(worlds, vendor) -> None:
    world = await worlds(vendor.talk)
    world.play("api.vendor.example")
    vendor.answer = b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n"
    http = world.http(base_url="https://api.vendor.example/api/v1", key="k", max_requests=1)
    answer = await http.request("GET", "https://api.vendor.example/api/v1/match")
    assert answer.status == 302
    assert b"Host: api.vendor.example\r\n" in vendor.requests[0]
    assert b"X-Forwarded-Proto: https\r\n" in vendor.requests[0]
    assert http.facts[0].note == "played by the sandbox"


async def test_under_a_sandbox_a_vendor_it_does_not_play_is_not_reached_elsewhere(worlds) -> None:
    world = await worlds(quiet)
    world.dns.say("api.other.example", "127.0.0.1")
    for host, error in (
        ("api.unknown.example", ConnectFailed),
        ("api.other.example", AddressRefused),
    ):
        http = world.http(base_url=f"https://{host}")
        with pytest.raises(error) as failure:
            await http.request("GET", f"https://{host}/x")
        assert failure.value.sent is False


async def test_failures_name_neither_key_nor_query(worlds, vendor) -> None:
    world = await worlds(quiet)
    vendor.answer = b"HTTP/1.1 garbage\r\n\r\n"
    http = world.http(base_url=vendor.base, key="s3cret")
    with pytest.raises(ConnectFailed) as failure:
        await http.request(
            "GET", f"{vendor.base}/x", params={"api_key": "s3cret"}, headers={"X-Key": "s3cret"}
        )
    seen = failure.value.__cause__, str(failure.value), http.facts
    assert "s3cret" not in repr(seen)
    assert failure.value.__suppress_context__


@pytest.mark.parametrize("headers", [{"X-Key": "a\r\nHost: b"}, {"X Key": "a"}, {"X-Key": "a\0"}])
async def test_a_header_that_would_break_the_request_is_refused_unsent(
    worlds, vendor, headers
) -> None:
    world = await worlds(quiet)
    with pytest.raises(ConnectFailed) as failure:
        await world.http(base_url=vendor.base).request("GET", f"{vendor.base}/x", headers=headers)
    assert failure.value.sent is False
    assert vendor.connections == 0


async def test_a_caller_cannot_choose_what_the_connection_decides(worlds, vendor) -> None:
    world = await worlds(quiet)
    headers = {"host": "evil", "ACCEPT-encoding": "br", "Cookie": "a=b", "user-agent": "Me/1"}
    await world.http(base_url=vendor.base).request("GET", f"{vendor.base}/x", headers=headers)
    request = vendor.requests[0].lower()
    assert b"host: 127.0.0.1" in request
    assert b"evil" not in request
    assert b"accept-encoding: gzip, deflate\r\n" in request
    assert b"cookie" not in request
    assert request.count(b"user-agent: me/1\r\n") == request.count(b"user-agent:") == 1
