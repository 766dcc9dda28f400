"""DNS: who runs the mail, and what the records were set up for."""

import json

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.errors import FetchError
from glaze.model.provider import Unbilled
from glaze.providers.dns_mx import dns_mx, mail_provider, technologies


@pytest.mark.parametrize(
    ("exchangers", "provider"),
    [
        (["10 aspmx.l.google.com", "20 alt1.aspmx.l.google.com"], "google"),
        (["0 acme-com.mail.protection.outlook.com."], "microsoft365"),
        (["20 aspmx.l.google.com", "10 mxa-001.gslb.pphosted.com"], "proofpoint"),
        (["10 eu-smtp-inbound-1.mimecast.com"], "mimecast"),
        (["10 mx.zoho.eu"], "zoho"),
        (["10 mail.acme.com"], "own"),
        (["10 acme.com"], "own"),
        (["10 mx.notacme.com"], "other"),
        (["10 evilgoogle.com"], "other"),
        (["0 ."], "none"),
        ([], "none"),
        (["garbage"], "other"),
    ],
)
def test_who_runs_the_mail_follows_from_the_most_preferred_host(exchangers, provider) -> None:
    assert mail_provider("acme.com", exchangers)[0] == provider


def test_records_show_the_services_they_were_set_up_for() -> None:
    texts = [
        "v=spf1 include:_spf.google.com include:mail.zendesk.com ~all",
        '"stripe-verification=abc"',
        "MS=ms123",
        "something=else",
    ]
    assert [*technologies(texts, ["shops.myshopify.com."])] == [
        "Google Workspace",
        "Zendesk",
        "Stripe",
        "Microsoft 365",
        "Shopify",
    ]


async def test_readings_carry_the_record_as_quote_and_cost_nothing() -> None:
    http = VendorFake(
        records={
            ("acme.com", "MX"): ["10 aspmx.l.google.com"],
            ("acme.com", "TXT"): ["docusign=1"],
            ("www.acme.com", "CNAME"): ["acme.netlify.app"],
        }
    )
    reply = await one(dns_mx, "records", ask("x", company_domain="acme.com"), http)
    assert values(reply) == {
        "company_mail_provider": "google",
        "company_technologies": ["DocuSign", "Netlify"],
    }
    assert reply.readings[0].quote == "10 aspmx.l.google.com"
    assert reply.readings[0].confidence == 95
    assert reply.billing == Unbilled()
    assert json.loads(reply.raw)["TXT"] == ["docusign=1"]


async def test_no_mail_at_all_is_a_fact_too() -> None:
    reply = await one(dns_mx, "records", ask("x", company_domain="acme.com"), VendorFake())
    assert values(reply) == {"company_mail_provider": "none"}


async def test_a_silent_resolver_is_no_answer() -> None:
    with pytest.raises(FetchError):
        await one(dns_mx, "records", ask("x", company_domain="acme.com"), VendorFake(records=None))


async def test_the_sandboxs_name_server_is_understood(sandbox, http_of) -> None:
    found = set()
    for company in [*sandbox.state.world.companies()][:20]:
        question = ask("x", company_domain=company.domain)
        reply = await one(dns_mx, "records", question, http_of(dns_mx, key=""))
        found.add(values(reply)["company_mail_provider"])
    assert {"google", "microsoft365"} <= found
