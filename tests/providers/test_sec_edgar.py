"""SEC EDGAR: the filer of this name and country, asked as the SEC wants it."""

import json
from dataclasses import dataclass, field

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.provider import Unbilled, VendorResponse, Verdict
from glaze.providers.sec_edgar import SecEdgar
from glaze_sandbox.vendors.sec_edgar import is_filer

KNOWN = {"company_name": "Acme Inc.", "company_country": "US"}
SEAT = {"street1": "1 MAIN ST", "city": "AUSTIN", "stateOrCountry": "TX", "zipCode": "78701",
        "stateOrCountryDescription": "TX"}  # fmt: skip
ABROAD = {
    "business": SEAT | {"stateOrCountry": "A6", "stateOrCountryDescription": "Ontario, Canada"}
}


def filer(cik: int = 7, name: str = "ACME INC /DE/", **more: object) -> dict:
    return {"cik": f"{cik:010d}", "name": name, "sic": "7372", "sicDescription": "Software",
            "tickers": ["ACM"], "exchanges": ["Nasdaq"], "ein": "123456789", "website": "",
            "phone": "512 555 0123", "addresses": {"business": SEAT},
            "filings": {"recent": {}}, **more}  # fmt: skip


@dataclass
class Edgar(VendorFake):
    """EDGAR with these filers; the list carries ``etag`` where it is set."""

    filers: list[dict] = field(default_factory=lambda: [filer()])
    etag: str = ""
    key: str = "Acme Research data@acme.com"

    async def request(self, method, url, **more) -> VendorResponse:
        await super().request(method, url, **more)
        headers = {"etag": self.etag} if self.etag else {}
        if "tickers" in url:
            if self.etag and self.sent[-1].headers.get("If-None-Match") == self.etag:
                return VendorResponse(304, headers, b"", url)
            rows = [[int(one["cik"]), one["name"], "T", "X"] for one in self.filers]
            found: object = {"fields": ["cik", "name", "ticker", "exchange"], "data": rows}
        else:
            found = next(one for one in self.filers if f"CIK{one['cik']}.json" in url)
        return VendorResponse(200, headers, json.dumps(found).encode(), url)


async def asked(http: VendorFake, provider: SecEdgar | None = None, **known: str):
    known = known or KNOWN
    return await one(provider or SecEdgar(), "company", ask("company_sic", **known), http)


async def test_a_filer_is_read_with_its_page() -> None:
    http = Edgar()
    reply = await asked(http)
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Unbilled())
    assert values(reply) == {
        "company_legal_name": "ACME INC",
        "company_registry_ids": {"cik": "7", "ein": "123456789"},
        "company_sic": ["7372"],
        "company_industry": "Software",
        "company_ticker": "ACM",
        "company_exchange": "Nasdaq",
        "company_phone": "+15125550123",
        "company_street": "1 MAIN ST",
        "company_city": "AUSTIN",
        "company_region": "Texas",
        "company_postal_code": "78701",
        "company_country": "US",
    }
    assert b"filings" not in reply.raw
    assert {sent.headers["User-Agent"] for sent in http.sent} == {"Acme Research data@acme.com"}
    assert http.sent[1].url.endswith("/submissions/CIK0000000007.json")


async def test_a_namesake_is_not_the_company() -> None:
    domain = {"company_name": "Acme", "company_domain": "acme.com"}
    for other in (filer(addresses=ABROAD), filer(name="ACME CORP")):
        assert (await asked(Edgar(filers=[other]))).verdict is Verdict.NO_MATCH
    assert (await asked(Edgar(), **domain)).verdict is Verdict.NO_MATCH
    own = Edgar(filers=[filer(website="https://acme.org"), filer(8, website="www.acme.com")])
    reply = await asked(own, **domain)
    assert (values(reply)["company_registry_ids"]["cik"], reply.detail) == (
        "8",
        "matched by domain",
    )
    canadian = await asked(
        Edgar(filers=[filer(addresses=ABROAD)]), **KNOWN | {"company_country": "CA"}
    )
    assert values(canadian)["company_region"] == "Ontario"


async def test_the_list_is_read_again_only_where_it_changed() -> None:
    provider, http = SecEdgar(), Edgar(etag='"1"')
    await asked(http, provider)
    assert (await asked(http, provider)).verdict is Verdict.MATCH
    assert "If-None-Match" not in http.sent[0].headers
    assert http.sent[2].headers["If-None-Match"] == '"1"'
    http.etag, http.filers = '"2"', [filer(9)]
    assert values(await asked(http, provider))["company_registry_ids"]["cik"] == "9"
    provider, http = SecEdgar(), Edgar()
    for _ in range(3):
        await asked(http, provider)
    assert sum("tickers" in sent.url for sent in http.sent) == 1


@pytest.mark.parametrize(
    ("status", "body", "verdict", "wait_s"),
    [
        (403, b"<h1>Undeclared Automated Tool</h1>", Verdict.AUTH, None),
        (403, b"<title>Request Rate Threshold Exceeded</title>", Verdict.RATE_LIMITED, 600),
        (429, b"", Verdict.RATE_LIMITED, 600),
        (503, b"", Verdict.VENDOR_ERROR, None),
        (200, b"{}", Verdict.VENDOR_ERROR, None),
        (404, b"", Verdict.VENDOR_ERROR, None),  # of the list itself
    ],
)
async def test_its_status_habits(status, body, verdict, wait_s) -> None:
    reply = await asked(VendorFake(status, body))
    assert (reply.verdict, reply.billing, reply.retry_after_s) == (verdict, Unbilled(), wait_s)


async def test_in_the_sandbox_every_answer_is_the_filer_and_who_says_nothing_gets_none(
    sandbox, http_of
) -> None:
    provider, found = SecEdgar(), 0
    http = http_of(provider, "Acme Research data@acme.com")
    for company in sandbox.state.world.companies():
        known = {"company_name": company.name, "company_country": company.address.country}
        reply = await asked(http, provider, **known, company_domain=company.domain)
        if reply.readings:
            found += 1
            assert is_filer(company)
            assert int(values(reply)["company_registry_ids"]["cik"]) == 1_000_000 + company.index
    assert found == sum(map(is_filer, sandbox.state.world.companies())) > 2
    assert sandbox.state.statuses["sec_edgar 304"] == len(sandbox.state.world) - 1
    assert (await asked(http_of(provider, "me"))).verdict is Verdict.AUTH
