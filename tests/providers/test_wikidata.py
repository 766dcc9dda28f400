"""Wikidata: the item of this company, read with dates and ranks, asked as Wikimedia wants it."""

import json
from dataclasses import dataclass, field

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.provider import Unbilled, VendorResponse, Verdict
from glaze.providers.wikidata import wikidata

SITE, NAME = {"company_domain": "acme.com"}, {"company_name": "Acme", "company_country": "DE"}


def stated(value: object, rank: str = "normal", **qualifiers: object) -> dict:
    snaks = {name: [{"datavalue": {"value": one}}] for name, one in qualifiers.items()}
    snak = {"snaktype": "value", "datavalue": {"value": value}}
    return {"mainsnak": snak, "rank": rank, "qualifiers": snaks}


def moment(text: str, precision: int) -> dict:
    return {"time": f"+{text}T00:00:00Z", "precision": precision}


def employees(count: int, year: int, rank: str = "normal") -> dict:
    return stated({"amount": f"+{count}"}, rank, P585=moment(f"{year}-00-00", 9))


def item(label: str, **claims: object) -> dict:
    listed = {name: one if isinstance(one, list) else [one] for name, one in claims.items()}
    return {"labels": {"en": {"value": label}}, "claims": listed}


ACME = item(
    "Acme",
    P856=stated("https://www.acme.com/"),
    P17=stated({"id": "Q183"}),
    P452=stated({"id": "Q11"}),
    P159=stated({"id": "Q64"}),
    P571=stated(moment("1998-05-00", 10)),
    P1128=[employees(900, 2019), employees(1200, 2023), employees(9999, 2024, "deprecated")],
    P2139=stated({"amount": "+5000000", "unit": "http://www.wikidata.org/entity/Q4916"}),
    P2002=stated("acme"),
    P2397=stated("UCabcdefghijklmnopqrstuv"),
    P4033=stated("acme@mastodon.social"),
    P1278=stated("529900T8BM49AURSDO55"),
    P414=stated({"id": "Q13"}, P249="ACM"),
)
REFERRED = {
    "Q183": item("Germany", P297=stated("DE")),
    "Q40": item("Austria", P297=stated("AT")),
    "Q11": item("software industry"),
    "Q64": item("Berlin"),
    "Q13": item("Nasdaq"),
}


@dataclass
class Items(VendorFake):
    """Wikidata with these items; ``by_site`` and ``by_name`` say what a search finds."""

    items: dict[str, dict] = field(default_factory=dict)
    by_site: tuple[str, ...] = ()
    by_name: tuple[str, ...] = ()
    key: str = ""

    async def request(self, method, url, **more) -> VendorResponse:
        await super().request(method, url, **more)
        params = self.sent[-1].params
        if "query" in params:
            rows = [
                {"item": {"value": f"http://www.wikidata.org/entity/{q}"}} for q in self.by_site
            ]
            found: object = {"results": {"bindings": rows}}
        elif params["action"] == "wbsearchentities":
            found = {"search": [{"id": q} for q in self.by_name]}
        else:
            known = self.items | REFERRED
            found = {"entities": {q: known.get(q, {}) for q in params["ids"].split("|")}}
        return VendorResponse(200, {}, json.dumps(found).encode(), url)


async def asked(http: VendorFake, **known: str):
    return await one(wikidata, "company", ask("company_industry", **known), http)


async def test_an_item_found_by_its_site_is_read_with_its_page() -> None:
    http = Items(items={"Q1": ACME}, by_site=("Q1",))
    reply = await asked(http, **SITE)
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Unbilled())
    assert reply.detail == "matched by domain"
    assert values(reply) == {
        "company_name": "Acme",
        "company_website": "https://www.acme.com",
        "company_country": "DE",
        "company_industry": "software industry",
        "company_city": "Berlin",
        "company_founded_date": "1998-05",
        "company_founded_year": 1998,
        "company_employee_count": 1200,
        "company_size": "1001-5000",
        "company_twitter_url": "https://x.com/acme",
        "company_youtube_url": "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv",
        "company_mastodon_url": "https://mastodon.social/@acme",
        "company_lei": "529900T8BM49AURSDO55",
        "company_registry_ids": {"lei": "529900T8BM49AURSDO55"},
        "company_exchange": "Nasdaq",
        "company_ticker": "ACM",
    }
    counted = next(r for r in reply.readings if r.field == "company_employee_count")
    assert (counted.quote, counted.url) == ("1200, as of 2023", "https://www.wikidata.org/wiki/Q1")


async def test_revenue_counts_in_dollars_only_and_a_preferred_statement_goes_first() -> None:
    dollars = stated({"amount": "+7000000", "unit": "http://www.wikidata.org/entity/Q4917"})
    preferred = employees(1100, 2020, "preferred")
    rich = item("Acme", P856=ACME["claims"]["P856"], P2139=dollars,
                P1128=[*ACME["claims"]["P1128"], preferred])  # fmt: skip
    found = values(await asked(Items(items={"Q1": rich}, by_site=("Q1",)), **SITE))
    assert (found["company_revenue"], found["company_employee_count"]) == (7_000_000, 1100)


async def test_by_name_the_site_decides_where_a_domain_is_known() -> None:
    http = Items(items={"Q1": ACME, "Q2": ACME | {"claims": ACME["claims"] | {"P856": [stated("https://acme.org")]}}},
                 by_name=("Q2", "Q1"))  # fmt: skip
    reply = await asked(http, **SITE, company_name="Acme")
    assert reply.readings[0].url == "https://www.wikidata.org/wiki/Q1"
    http.by_name = ("Q2",)
    assert (await asked(http, **SITE, company_name="Acme")).verdict is Verdict.NO_MATCH


async def test_by_name_and_country_one_organisation_must_fit_and_no_second() -> None:
    bare = {name: one for name, one in ACME["claims"].items() if name != "P856"}
    here = ACME | {"claims": bare}
    there = ACME | {"claims": bare | {"P17": [stated({"id": "Q40"})]}}
    person = item("Acme", P17=stated({"id": "Q183"}))
    http = Items(items={"Q1": here, "Q2": there, "Q3": person}, by_name=("Q3", "Q2", "Q1"))
    reply = await asked(http, **NAME)
    assert reply.readings[0].url == "https://www.wikidata.org/wiki/Q1"
    assert (reply.detail, reply.readings[0].confidence) == ("matched by name and country", 70)
    http.items["Q2"] = here
    assert "2 entries" in (await asked(http, **NAME)).detail


async def test_a_product_of_the_same_site_is_not_the_company() -> None:
    product = item(
        "Acme Notes", P856=stated("https://acme.com"), P571=stated(moment("2010-01-01", 11))
    )
    reply = await asked(Items(items={"Q7": product}, by_site=("Q7",)), **SITE)
    assert reply.verdict is Verdict.NO_MATCH


async def test_it_says_who_asks_and_that_it_can_wait() -> None:
    http = Items(items={"Q1": ACME}, by_site=("Q1",), key="Acme Research data@acme.com")
    await asked(http, **SITE)
    for sent in http.sent:
        assert "Glaze/" in sent.headers["User-Agent"]
        assert "data@acme.com" in sent.headers["User-Agent"]
        assert "query" in sent.params or sent.params["maxlag"] == "5"


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {"error": {"code": "maxlag", "info": "Waiting: 7 seconds lagged"}}, Verdict.RATE_LIMITED),
        (429, {}, Verdict.RATE_LIMITED),
        (403, {}, Verdict.AUTH),
        (500, {}, Verdict.VENDOR_ERROR),
        (200, {"results": 3}, Verdict.VENDOR_ERROR),
    ],
)  # fmt: skip
async def test_its_status_habits(status: int, body: object, verdict: Verdict) -> None:
    http = VendorFake.of(body, status, headers={"retry-after": "5"})
    reply = await asked(http, **SITE)
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())
    assert len(http.sent) == 1


async def test_in_the_sandbox_every_answer_is_the_company_and_no_namesake(sandbox, http_of) -> None:
    world, found, wrong = sandbox.state.world, 0, 0
    for company in world.companies():
        known = {"company_domain": company.domain, "company_name": company.name}
        got = values(await asked(http_of(wikidata, key=""), **known))
        by_name = {"company_name": company.name, "company_country": company.address.country}
        other = values(await asked(http_of(wikidata, key=""), **by_name))
        for reply in filter(None, (got, other)):
            found += 1
            assert reply["company_website"] == company.url.rstrip("/")
            wrong += reply.get("company_industry", company.industry) != company.industry
    assert found > 15
    assert wrong < found / 4
