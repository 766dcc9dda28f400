"""Profiles found by trying addresses: believed where the page proves it, tried where it is allowed."""

from dataclasses import dataclass, field

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.errors import ConnectFailed
from glaze.model.provider import Unbilled, VendorResponse, Verdict
from glaze.providers.social.evidence import Subject, evidence
from glaze.providers.social.provider import Social
from glaze.providers.social.sites import SITES
from glaze_sandbox.vendors.social import SITES as PLAYED
from glaze_sandbox.vendors.social import has_profile

ACME = Subject("Acme Tools", is_person=False, domain="acme-tools.com")
JANE = Subject("Jane Doe", is_person=True, domain="acme.com", employer="Acme GmbH")
KNOWN = {"company_domain": "acme-tools.com", "company_name": "Acme Tools"}


def page(title: str, body: str = "", about: str = "") -> bytes:
    meta = f'<meta name="description" content="{about}">'
    return f"<html><head><title>{title}</title>{meta}</head><body>{body}</body></html>".encode()


LINK = '<a href="https://www.acme-tools.com/">our site</a>'


@pytest.mark.parametrize(
    ("body", "sure"),
    [
        (page("Acme Tools (@acme) · GitLab", LINK), 85),
        (page("Acme Tools GmbH | LinkedOut", "see acme-tools.com for more"), 85),
        (page("Home", LINK, about="Everything by Acme Tools, in oak"), 75),
        (page("Acme Tools (@acme) · GitLab"), None),
        (page("Acme Tools", '<a href="https://acme-tools.org">x</a>'), None),
        (page("Acme Tools", '<a href="https://notacme-tools.com">x</a>'), None),
        (page("Acme Tools", '<a href="https://acme-tools.com.evil.example">x</a>'), None),
        (page("Acme Tools", "mail fans@acme-tools.com"), None),
        (page("Tool lovers", LINK), None),
        (page("Acme", LINK), None),
        (b"\x00\xff<title", None),
    ],
)
def test_a_page_must_name_the_company_and_show_its_domain(body: bytes, sure: int | None) -> None:
    found = evidence(body, ACME)
    assert (found.sure if found else None) == sure


def test_a_person_must_be_named_with_the_employer() -> None:
    assert evidence(page("Jane Doe - DEV", about="CTO at Acme"), JANE)
    assert evidence(page("Jane Doe", '<a href="https://acme.com">work</a>'), JANE)
    assert evidence(page("Jane Doe - DEV", about="Paints in Oslo"), JANE) is None
    assert evidence(page("Janet Doe - DEV", about="CTO at Acme"), JANE) is None


@dataclass
class Web(VendorFake):
    """Pages by URL: bytes, a status, an error; robots.txt allows all where none is given."""

    pages: dict[str, object] = field(default_factory=dict)
    base_url: str = ""
    key: str = ""

    async def request(self, method, url, **more) -> VendorResponse:
        await super().request(method, url, **more)
        found = self.pages.get(url, 404)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, VendorResponse):
            return found
        status, body = (found, b"") if isinstance(found, int) else (200, found)
        return VendorResponse(status, {}, body, url)

    def asked(self, part: str) -> list[str]:
        return [sent.url for sent in self.sent if part in sent.url]


async def visited(http: Web, provider: Social | None = None, **known: str):
    question = ask("company_github_url", **(known or KNOWN))
    return await one(provider or Social(), "company_profiles", question, http)


async def test_profiles_come_with_address_and_quote_and_a_namesakes_not_at_all() -> None:
    own = page("Acme Tools · GitHub", LINK)
    http = Web(pages={
        "https://github.com/acme-tools": own,
        "https://dev.to/acmetools": own,
        "https://gitlab.com/acme-tools": page("Acme Tools · GitLab", "https://acme.example"),
    })  # fmt: skip
    reply = await visited(http)
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Unbilled())
    assert values(reply) == {
        "company_github_url": "https://github.com/acme-tools",
        "company_social_urls": ["https://github.com/acme-tools", "https://dev.to/acmetools"],
    }
    github = reply.readings[0]
    assert (github.url, github.quote) == ("https://github.com/acme-tools", "Acme Tools · GitHub")
    assert "https://dev.to/acmetools: Acme Tools" in (reply.readings[1].quote or "")


async def test_robots_txt_is_asked_first_obeyed_and_remembered() -> None:
    provider = Social()
    http = Web(pages={
        "https://github.com/robots.txt": b"User-agent: *\nDisallow: /acme-tools",
        "https://gitlab.com/robots.txt": 503,
        "https://github.com/acme-tools": page("Acme Tools", LINK),
        "https://gitlab.com/acme-tools": page("Acme Tools", LINK),
    })  # fmt: skip
    for _ in range(2):
        reply = await visited(http, provider)
    assert reply.readings == ()
    assert http.asked("https://github.com/") == ["https://github.com/robots.txt"]
    assert http.asked("https://gitlab.com/") == ["https://gitlab.com/robots.txt"]
    assert "github: robots.txt does not allow GlazeBot" in reply.notes


async def test_each_site_is_asked_for_two_addresses_at_most_and_says_who_asks() -> None:
    http = Web()
    await visited(http)
    for site in SITES:
        host = "/".join(site.address.split("/")[:3]) + "/"
        assert 1 <= len([url for url in http.asked(host) if "robots" not in url]) <= 2
    assert {sent.headers["User-Agent"].partition("/")[0] for sent in http.sent} == {"GlazeBot"}
    assert not http.asked("linkedin.com")


async def test_a_known_handle_is_tried_elsewhere_first() -> None:
    http = Web()
    await visited(http, company_twitter_url="https://x.com/acmehq", **KNOWN)
    assert http.asked("https://dev.to/a")[0] == "https://dev.to/acmehq"


async def test_a_site_that_leads_to_its_login_or_refuses_shows_nothing() -> None:
    login = VendorResponse(200, {}, page("Acme Tools", LINK), "https://github.com/login")
    http = Web(pages={
        "https://github.com/acme-tools": login,
        "https://gitlab.com/acme-tools": 403,
        "https://dev.to/acmetools": ConnectFailed("reset"),
        "https://huggingface.co/robots.txt": ConnectFailed("refused"),
    })  # fmt: skip
    reply = await visited(http)
    assert (reply.verdict, reply.readings) == (Verdict.NO_MATCH, ())
    assert "gitlab: it does not show its profiles (403)" in reply.notes
    assert any(note.startswith("dev") and "reset" in note for note in reply.notes)
    assert not http.asked("huggingface.co/acme")


async def test_where_no_site_answers_it_is_an_outage() -> None:
    everywhere = {f"{'/'.join(site.address.split('/')[:3])}/robots.txt" for site in SITES}
    reply = await visited(Web(pages=dict.fromkeys(everywhere, ConnectFailed("offline"))))
    assert (reply.verdict, reply.detail) == (Verdict.VENDOR_ERROR, "no site could be read")


class Answering(Web):
    """Lets robots read all, and answers every page with one status."""

    async def request(self, method, url, **more) -> VendorResponse:
        absent = url.endswith("/robots.txt")
        await super().request(method, url, **more)
        return VendorResponse(404 if absent else self.status, {}, b"", url)


@pytest.mark.parametrize("status", [500, 503, 429, 403])
async def test_where_no_site_says_whether_the_profile_is_there_it_is_no_miss(status: int) -> None:
    reply = await visited(Answering(status=status))
    assert (reply.verdict, reply.detail) == (Verdict.VENDOR_ERROR, "no site could be read")
    assert f"github: it does not show its profiles ({status})" in reply.notes


async def test_where_every_site_has_nobody_of_that_name_it_is_a_miss() -> None:
    assert (await visited(Answering(status=404))).verdict is Verdict.NO_MATCH


async def test_in_the_sandbox_what_is_found_is_the_companys_and_much_is_found(
    sandbox, http_of
) -> None:
    provider, found = Social(), 0
    for company in [*sandbox.state.world.companies()][:25]:
        known = {"company_domain": company.domain, "company_name": company.name}
        reply = await visited(http_of(provider), provider, **known)
        for url in values(reply).get("company_social_urls", []):
            found += 1
            assert has_profile(company, PLAYED[url.split("/")[2]]), url
        assert any("x" in note and "robots.txt" in note for note in reply.notes)
    assert found > 40
    assert sandbox.state.canary == 0


async def test_in_the_sandbox_a_persons_namesake_elsewhere_is_not_the_person(
    sandbox, http_of
) -> None:
    provider, found, tried = Social(), 0, 0
    http = http_of(provider)
    for company in [*sandbox.state.world.companies()][:12]:
        for person in sandbox.state.world.people_of(company)[:3]:
            known = {"person_full_name": person.full_name, "company_name": company.name}
            question = ask("person_social_urls", **known)
            reply = await one(provider, "person_profiles", question, http)
            tried += 1
            for reading in reply.readings:
                found += 1
                assert company.name in str(reading.quote)
    assert 0 < found < tried
