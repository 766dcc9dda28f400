"""DNS records come as plain text, and nothing is asked about the inner network."""

import pytest

from glaze.errors import AddressRefused, ConnectFailed
from glaze.net.dns import Dns


@pytest.fixture
def lookup(name_server):
    server, port = name_server
    return server, Dns(nameserver=("127.0.0.1", port), lifetime_s=1.0)


async def test_records_come_as_text_without_final_dots_and_quotes(lookup) -> None:
    server, dns = lookup
    server.say("acme.example", ["10 MX1.Acme.example.", "20 mx2.acme.example."], kind="MX")
    server.say("acme.example", ['"v=spf1 " "-all"', '"caf\\195\\169"'], kind="TXT")
    server.say("acme.example", ["ns1.acme.example."], kind="NS")
    server.say("www.acme.example", ["acme.cdn.example."], kind="CNAME")
    server.say("acme.example", ["192.0.2.7"])
    server.say("null.example", ["0 ."], kind="MX")
    mx = await dns.resolve("Acme.example.", "MX")
    assert sorted(mx) == ["10 mx1.acme.example", "20 mx2.acme.example"]
    assert sorted(await dns.resolve("acme.example", "TXT")) == ["café", "v=spf1 -all"]
    assert await dns.resolve("acme.example", "NS") == ("ns1.acme.example",)
    assert await dns.resolve("www.acme.example", "CNAME") == ("acme.cdn.example",)
    assert await dns.resolve("acme.example", "A") == ("192.0.2.7",)
    assert await dns.resolve("null.example", "MX") == ("0 .",)


async def test_what_does_not_exist_is_empty(lookup) -> None:
    server, dns = lookup
    server.say("acme.example", "192.0.2.7")
    assert await dns.resolve("acme.example", "MX") == ()
    assert await dns.resolve("nowhere.example", "MX") == ()


async def test_names_with_umlauts_and_underscores_are_asked(lookup) -> None:
    server, dns = lookup
    server.say("xn--bcher-kva.example", "192.0.2.7")
    server.say("_dmarc.acme.example", ['"v=DMARC1"'], kind="TXT")
    assert await dns.resolve("Bücher.example", "A") == ("192.0.2.7",)
    assert await dns.resolve("_dmarc.acme.example", "TXT") == ("v=DMARC1",)


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "db.internal",
        "printer.local",
        "intranet",
        "a..b",
        "127.1",
        "",
        "\ud800.com",
        "a b.com",
    ],
)
async def test_names_of_the_inner_network_are_not_asked(lookup, name: str) -> None:
    server, dns = lookup
    with pytest.raises(AddressRefused):
        await dns.resolve(name, "A")
    assert not server.asked


async def test_a_silent_server_is_an_error_not_an_empty_answer(lookup) -> None:
    server, dns = lookup
    server.silent = True
    with pytest.raises(ConnectFailed) as failure:
        await dns.resolve("acme.example", "MX")
    assert failure.value.sent is False


async def test_half_an_answer_is_enough_to_connect(lookup) -> None:
    server, dns = lookup
    server.say("four.example", "192.0.2.7")
    server.say("six.example", "2001:db8::7", kind="AAAA")
    assert await dns.addresses("four.example") == ["192.0.2.7"]
    assert await dns.addresses("six.example") == ["2001:db8::7"]


async def test_a_server_that_denies_a_name_for_one_type_does_not_hide_its_others(lookup) -> None:
    server, dns = lookup
    server.everything_is = "192.0.2.7"  # and NXDOMAIN for AAAA, as broken load balancers say
    for _ in range(3):
        assert await dns.addresses("four.example") == ["192.0.2.7"]


async def test_a_name_that_comes_into_being_is_found_at_once(lookup) -> None:
    server, dns = lookup
    assert await dns.resolve("new.example", "A") == ()
    server.say("new.example", "192.0.2.7")
    assert await dns.resolve("new.example", "A") == ("192.0.2.7",)


async def test_an_answer_is_asked_again_once_its_time_is_over_and_not_before(lookup) -> None:
    server, dns = lookup
    server.ttl_s = 300
    server.say("kept.example", "192.0.2.7")
    for _ in range(3):
        await dns.resolve("kept.example", "A")
    assert server.asked["kept.example", "A"] == 1
    server.ttl_s = 0
    server.say("fleeting.example", "192.0.2.7")
    for _ in range(3):
        await dns.resolve("fleeting.example", "A")
    assert server.asked["fleeting.example", "A"] == 3


async def test_an_unknown_record_type_is_a_mistake_of_the_caller(lookup) -> None:
    with pytest.raises(ValueError, match="record type"):
        await lookup[1].resolve("acme.example", "ANY")
