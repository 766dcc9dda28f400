"""DNS over UDP: the sandbox's own names and no others."""

import dns.rcode
import pytest


def values(response):
    return [str(record) for rrset in response.answer for record in rrset]


@pytest.mark.parametrize(
    "name", ["api.apollo.io", "enrichlayer.com", "google.serper.dev", "api.openai.com"]
)
async def test_vendor_hosts_lead_to_the_documentation_address(sandbox, name):
    assert values(await sandbox.resolve(name)) == ["203.0.113.10"]


async def test_companies_have_addresses_mail_exchangers_and_texts(sandbox):
    expected = {"google": "google.com.", "microsoft365": "outlook.com.", "none": "0 ."}
    seen = set()
    for company in sandbox.world.companies():
        if sandbox.world.is_dead(company):
            continue
        assert values(await sandbox.resolve(f"www.{company.domain}")) == ["203.0.113.10"]
        exchangers = values(await sandbox.resolve(company.domain, "MX"))
        texts = " ".join(values(await sandbox.resolve(company.domain, "TXT")))
        seen.add(company.mail)
        assert bool(exchangers) == (company.mail != "absent")
        assert ("v=spf1" in texts) == (company.mail != "absent")
        if company.mail in expected:
            assert exchangers[0].endswith(expected[company.mail])
    assert seen >= {"google", "microsoft365", "own", "absent"}


async def test_dead_companies_and_strangers_do_not_exist(sandbox):
    dead = [c.domain for c in sandbox.world.companies() if sandbox.world.is_dead(c)]
    assert dead
    for name in [*dead, "www.linkedin.com", "python.org"]:
        assert (await sandbox.resolve(name)).rcode() == dns.rcode.NXDOMAIN


async def test_a_type_that_a_name_lacks_is_an_empty_answer(sandbox, known_company):
    response = await sandbox.resolve(known_company.domain, "AAAA")
    assert (response.rcode(), values(response)) == (dns.rcode.NOERROR, [])


@pytest.mark.parametrize("name", ["rebind.trap-demo.example", "7.rebind.trap-demo.example"])
async def test_a_rebinding_name_is_good_once_and_loopback_from_then_on(sandbox, name):
    responses = [await sandbox.resolve(name) for _ in range(3)]
    answers = [values(response)[0] for response in responses]
    assert {response.answer[0].ttl for response in responses} == {0}
    assert answers == ["203.0.113.10", "127.0.0.1", "127.0.0.1"]


@pytest.mark.parametrize(
    ("name", "type_", "address"),
    [
        ("loopback.trap-demo.example", "A", "127.0.0.1"),
        ("metadata-trap-demo.com", "A", "169.254.169.254"),
        ("mapped.trap-demo.example", "AAAA", "::ffff:127.0.0.1"),
        ("nat64.trap-demo.example", "AAAA", "64:ff9b::7f00:1"),
    ],
)
async def test_hostile_names_lead_where_they_should_not(sandbox, name, type_, address):
    assert values(await sandbox.resolve(name, type_)) == [address]
