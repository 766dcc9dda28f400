"""No URL that somebody else chose leads into a private network, by any road (S3)."""
# ruff: noqa: RUF001  look-alike digits are the point

import asyncio
import random
import socket

import pytest

from glaze.errors import AddressRefused, ConnectFailed, FetchError
from glaze.net.connect import GuardedResolver, guarded_socket
from glaze.net.dns import Dns
from glaze.net.sandbox import SANDBOX_ADDRESS

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
PUBLIC = "93.184.216.34"


def redirect(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Go\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n".encode()


def says(*answers: bytes):
    """Answer the first request with the first of ``answers``, and so on; the last one stays."""

    async def talk(reader, writer) -> None:
        request = await talk.peer.read_request(reader)
        assert request
        writer.write(answers[min(len(talk.peer.requests), len(answers)) - 1])
        await writer.drain()

    return talk


async def world_saying(worlds, *answers: bytes):
    talk = says(*answers)
    world = await worlds(talk)
    talk.peer = world.sandbox
    return world


def spellings(port: int) -> list[str]:
    """Every way known to us to write this machine."""
    mapped = ["::1", "::", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:0:127.0.0.1"]
    tunnelled = [
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001::7f00:1",
        "fe80::1%25lo",
    ]
    plain = ["127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001"]
    odd = [
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "１２７.1",
        "127%2e0.0.1",
    ]
    named = [
        "localhost",
        "LOCALHOST.",
        "ⓛocalhost",
        "a.localhost",
        "x.local",
        "metadata.google.internal",
    ]
    resolved = [
        "inner.example",
        "INNER.example.",
        "mixed.example",
        "six.example",
        "nat.example",
        "alias.example",
    ]
    hosts = [f"[{host}]" for host in mapped + tunnelled] + plain + odd + named + resolved
    return [f"{host}:{port}" for host in hosts]


def hostile_urls(rng: random.Random, port: int, count: int) -> list[str]:
    around = [
        "{}",
        "user@{}",
        "user:pw@{}",
        "example.com@{}",
        "{}@{}",
        "example.com:80@{}",
        "example.com\\@{}",
    ]
    schemes = [
        "http://",
        "https://",
        "HTTP://",
        "http:\\\\",
        "http:/",
        "//",
        "http:///",
        "ftp://",
        "http:// ",
    ]
    paths = [
        "",
        "/",
        "/x?y=z",
        "#@example.com",
        "?@example.com",
        "/%2e%2e/",
        "\\@example.com",
        "/\r\nHost: x",
    ]
    weights = [40, 20, 4, 1, 1, 1, 1, 1, 1]
    hosts = spellings(port)
    return [
        rng.choices(schemes, weights)[0]
        + rng.choices(around, [30, 2, 1, 1, 1, 1, 1])[0].replace("{}", rng.choice(hosts))
        + rng.choice(paths)
        for _ in range(count)
    ]


async def test_ten_thousand_hostile_urls_bring_no_byte_to_the_canary(worlds, canary) -> None:
    world = await world_saying(worlds, OK)
    world.dns.say("inner.example", "127.0.0.1")
    world.dns.say("mixed.example", [PUBLIC, "127.0.0.1"])
    world.dns.say("six.example", "::1", kind="AAAA")
    world.dns.say("nat.example", "64:ff9b::7f00:1", kind="AAAA")
    world.dns.say("alias.example", ["::ffff:127.0.0.1"], kind="AAAA")
    world.dns.say("example.com", "127.0.0.1")
    http = world.http(within_s=120)
    refused = 0
    for url in hostile_urls(random.Random(20), canary.port, 10_000):
        with pytest.raises(FetchError) as failure:
            await http.request("GET", url)
        assert failure.value.sent is False, url
        refused += isinstance(failure.value, AddressRefused)
    assert canary.connections == 0
    assert bytes(canary.received) == b""
    assert world.sandbox.connections == 0
    assert refused > 9_900  # the few others end in a name that does not exist
    assert {fact.status for fact in http.facts} == {None}  # names that were asked, and refused
    assert len(http.facts) > 500


async def test_the_canary_can_be_reached_at_all(worlds, canary) -> None:
    world = await world_saying(worlds, OK)
    base = f"http://127.0.0.1:{canary.port}"
    answer = await world.http(base_url=base).request("GET", f"{base}/")
    assert answer.body == b"secret"
    assert canary.received


async def test_a_name_that_answers_public_first_and_loopback_next_gets_nothing(
    worlds, canary
) -> None:
    world = await world_saying(worlds, OK)
    world.dns.say("flip.example", SANDBOX_ADDRESS, "127.0.0.1")
    http = world.http()
    url = f"http://flip.example:{canary.port}/"
    assert (await http.request("GET", url)).body == b"hello"
    assert world.dns.asked["flip.example", "A"] == 1  # asked once: nothing to rebind in between
    with pytest.raises(AddressRefused):
        await http.request("GET", url)
    assert canary.connections == 0


async def test_a_name_that_flips_between_the_decision_and_the_dialling_gets_nothing(
    worlds, canary
) -> None:
    world = await world_saying(worlds, OK)
    world.dns.say("flip.example", PUBLIC, "127.0.0.1")
    with pytest.raises(AddressRefused):
        await world.http().request("GET", f"http://flip.example:{canary.port}/")
    assert canary.connections == 0


async def test_one_private_address_among_public_ones_refuses_the_whole_name(name_server) -> None:
    server, port = name_server
    server.say("both.example", [PUBLIC, "8.8.8.8"])
    server.say("both.example", "2606:4700:4700::1111", kind="AAAA")
    server.say("mixed.example", [PUBLIC, "10.0.0.7"])
    server.say("six.example", PUBLIC)
    server.say("six.example", "fd00::1", kind="AAAA")
    resolver = GuardedResolver(Dns(nameserver=("127.0.0.1", port)))
    dialled = await resolver.resolve("both.example", 443)
    hosts = [info["host"] for info in dialled]
    assert set(hosts[:2]) == {PUBLIC, "8.8.8.8"}
    assert hosts[2:] == ["2606:4700:4700::1111"]
    for name in ("mixed.example", "six.example"):
        with pytest.raises(AddressRefused):
            await resolver.resolve(name, 443)


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "203.0.113.10", "10.0.0.1"])
def test_no_socket_is_opened_to_an_address_that_slipped_past_the_resolver(address: str) -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
    with pytest.raises(PermissionError):
        guarded_socket(info)


@pytest.mark.parametrize(
    "inner",
    [
        "http://127.0.0.1:{}/",
        "http://localhost:{}/",
        "http://[::1]:{}/",
        "//127.0.0.1:{}/",
        "http://2130706433:{}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://inner.example:{}/",
        "http://user:pw@shop.example/",
        "file:///etc/passwd",
        "http://shop.example:22/",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_into_a_private_network_is_refused(
    worlds, canary, inner: str, status: int
) -> None:
    world = await world_saying(worlds, redirect(inner.format(canary.port), status))
    world.play("shop.example")
    world.dns.say("inner.example", "127.0.0.1")
    http = world.http()
    with pytest.raises(AddressRefused) as refusal:
        await http.request("GET", "https://shop.example/")
    assert refusal.value.sent is True  # the first hop was asked
    assert canary.connections == 0
    assert len(world.sandbox.requests) == 1
    assert http.facts[0].status == status
    assert all(fact.error == "address_refused" for fact in http.facts[1:])


async def test_the_metadata_address_is_refused_by_name_as_well(worlds) -> None:
    world = await world_saying(worlds, OK)
    world.dns.say("meta.example", "169.254.169.254")
    with pytest.raises(AddressRefused, match="link-local"):
        await world.http().request("GET", "http://meta.example/latest/meta-data/")


async def test_redirects_are_followed_up_to_five_hops(worlds) -> None:
    hops = [redirect(f"/hop{n}") for n in range(1, 6)]
    world = await world_saying(worlds, *hops, OK)
    world.play("shop.example")
    http = world.http()
    answer = await http.request("GET", "https://shop.example/start?secret=1")
    assert (answer.status, answer.body, answer.url) == (200, b"hello", "https://shop.example/hop5")
    assert [fact.url for fact in http.facts][:2] == [
        "https://shop.example/start",
        "https://shop.example/hop1",
    ]


async def test_the_sixth_hop_is_not_followed(worlds) -> None:
    hops = [redirect(f"/hop{n}") for n in range(1, 10)]
    world = await world_saying(worlds, *hops)
    world.play("shop.example")
    with pytest.raises(ConnectFailed, match="more than 5"):
        await world.http().request("GET", "https://shop.example/")
    assert len(world.sandbox.requests) == 6


async def test_a_redirect_loop_is_noticed_at_its_first_turn(worlds) -> None:
    world = await world_saying(worlds, redirect("/b"), redirect("/a"))
    world.play("shop.example")
    with pytest.raises(ConnectFailed, match="loop"):
        await world.http().request("GET", "https://shop.example/a")
    assert len(world.sandbox.requests) == 2


async def test_a_downgrade_to_http_is_followed_and_noted(worlds) -> None:
    world = await world_saying(worlds, redirect("http://shop.example/"), OK)
    world.play("shop.example")
    http = world.http()
    answer = await http.request("GET", "https://shop.example/")
    assert answer.url == "http://shop.example/"
    assert "from https to http" in (http.facts[1].note or "")


async def test_another_site_gets_neither_the_key_nor_the_body(worlds) -> None:
    world = await world_saying(worlds, redirect("https://evil.example/"), OK)
    world.play("shop.example", "evil.example")
    await world.http().request(
        "POST",
        "https://shop.example/",
        headers={"X-Api-Key": "s3cret", "Authorization": "Bearer s3cret", "Accept-Language": "de"},
        json={"email": "ada@example.com"},
    )
    first, second = world.sandbox.requests
    assert b"s3cret" in first
    assert b"ada@example.com" in first
    assert b"s3cret" not in second
    assert b"ada@example.com" not in second
    assert second.startswith(b"GET / ")
    assert b"Accept-Language: de" in second


async def test_a_307_within_one_site_sends_the_same_again(worlds) -> None:
    world = await world_saying(worlds, redirect("/b", 307), OK)
    world.play("shop.example")
    await world.http().request(
        "POST", "https://shop.example/a", headers={"X-Api-Key": "k"}, json=[1]
    )
    second = world.sandbox.requests[1]
    assert second.startswith(b"POST /b ")
    assert b"X-Api-Key: k" in second
    assert second.endswith(b"[1]")


async def test_cookies_do_not_travel_from_request_to_request(worlds) -> None:
    cookie = OK.replace(b"\r\n\r\n", b"\r\nset-cookie: id=1; Path=/\r\n\r\n", 1)
    world = await world_saying(worlds, cookie)
    world.play("shop.example")
    for _ in range(2):
        await world.http().request("GET", "https://shop.example/")
    assert b"cookie" not in world.sandbox.requests[1].lower()


async def test_a_proxy_in_the_environment_is_not_asked(
    worlds, canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    world = await world_saying(worlds, OK)
    world.play("shop.example")
    assert (await world.http().request("GET", "https://shop.example/")).body == b"hello"
    assert canary.connections == 0


async def test_the_sandbox_plays_a_host_whatever_its_scheme_and_port(worlds) -> None:
    world = await world_saying(worlds, OK)
    world.play("api.vendor.example")
    for url in ("https://api.vendor.example/v1/x?a=b%20c", "http://api.vendor.example:8080/"):
        answer = await world.http().request("GET", url)
        assert answer.url == url
    first, second = world.sandbox.requests
    assert first.startswith(b"GET /v1/x?a=b%20c HTTP/1.1\r\n")
    assert b"Host: api.vendor.example\r\n" in first
    assert b"X-Forwarded-Proto: https\r\n" in first
    assert b"Host: api.vendor.example:8080\r\n" in second
    assert b"X-Forwarded-Proto: http\r\n" in second


async def test_the_sandbox_s_address_means_nothing_beside_others_or_as_a_literal(worlds) -> None:
    world = await world_saying(worlds, OK)
    world.dns.say("mixed.example", [SANDBOX_ADDRESS, PUBLIC])
    for url in ("http://mixed.example/", f"http://{SANDBOX_ADDRESS}/"):
        with pytest.raises(AddressRefused):
            await world.http().request("GET", url)
    assert world.sandbox.connections == 0


async def test_five_hundred_fetches_at_once_all_pass_the_guard(worlds) -> None:
    world = await world_saying(worlds, OK)
    names = [f"site{n}.example" for n in range(500)]
    world.play(*names)
    http = world.http(within_s=60)
    answers = await asyncio.gather(*(http.request("GET", f"https://{n}/") for n in names))
    assert {answer.body for answer in answers} == {b"hello"}
