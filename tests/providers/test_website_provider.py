"""The website provider on a site that answers what the test says."""

# ruff: noqa: RUF001  menus are written in many languages

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from vendor_fake import ask

from glaze.errors import AddressRefused, BodyTooLarge, ConnectFailed, FetchTimeout, NoSuchHost
from glaze.model.provider import Reply, Unbilled, VendorHttp, VendorResponse, Verdict
from glaze.model.value import Json
from glaze.providers.website import website

HOME = """<html lang="en"><head><title>Lantern Works</title></head><body>
<nav><a href="/about">About us</a> <a href="/contact">Contact</a> <a href="/imprint">Imprint</a>
<a href="/blog/contact-lenses-and-us">A post</a> <a href="https://other.example/contact">Else</a>
<a href="/brochure-contact.pdf">PDF</a></nav><p>We light the north.</p>
<footer>© 2024 Lantern Works Ltd</footer></body></html>"""
CONTACT = """<title>Contact - Lantern Works</title><p>Tel: 020 7946 0018</p>
<p>12 Kiln Street<br>Leeds<br>LS1 4AP</p><p>hello@lantern-works.co.uk</p>"""
IMPRINT = "<title>Imprint</title><p>Lantern Works Ltd</p><p>VAT no. GB 123 4567 89</p>"
SITE = {"/": HOME, "/contact": CONTACT, "/imprint": IMPRINT, "/about": "<p>Founded in 1987.</p>"}
ORIGIN = "https://lantern-works.co.uk"


@dataclass
class SiteFake(VendorHttp):
    """A site of pages by path; a page may also be a status, an error or a whole response."""

    pages: Mapping[str, object]
    base_url: str = ""
    key: str = ""
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    async def request(
        self, method, url, *, params=None, headers=None, json=None, max_bytes=0, timeout_s=None
    ) -> VendorResponse:
        del method, params, json, timeout_s
        assert 0 < max_bytes <= 4_000_000
        self.asked.append(url)
        self.agents.add((headers or {}).get("User-Agent", ""))
        path = "/" + url.partition("://")[2].partition("/")[2]
        page = self.pages.get(url, self.pages.get(path, 404))
        if isinstance(page, list):
            page = page.pop(0) if len(page) > 1 else page[0]
        if isinstance(page, Exception):
            raise page
        if isinstance(page, VendorResponse):
            return page
        if isinstance(page, int):
            return VendorResponse(page, {"content-type": "text/html"}, b"", url)
        kind = "text/plain" if path == "/robots.txt" else "text/html; charset=utf-8"
        return VendorResponse(200, {"content-type": kind}, str(page).encode(), url)

    async def resolve(self, name: str, record_type: str) -> Sequence[str]:
        del name, record_type
        return ()


async def visit(pages: Mapping[str, object], **known: Json) -> tuple[Reply, SiteFake]:
    http = SiteFake(pages)
    asked = ask("company_name", **(known or {"company_website": ORIGIN}))
    [reply] = await website.look_up("site", [asked], http)
    return reply, http


def best(reply: Reply, name: str) -> Json:
    return next((one.value for one in reply.readings if one.field == name), None)


async def test_a_site_is_read_over_its_own_few_pages_each_reading_with_its_page() -> None:
    reply, http = await visit(SITE)
    assert reply.verdict is Verdict.MATCH
    assert reply.billing == Unbilled()
    assert best(reply, "company_name") == "Lantern Works"
    assert best(reply, "company_phone") == "+442079460018"
    assert best(reply, "company_street") == "12 Kiln Street"
    assert best(reply, "company_vat_id") == "GB123456789"
    assert best(reply, "company_founded_year") == 1987
    phone = next(one for one in reply.readings if one.field == "company_phone")
    assert (phone.url, phone.quote) == (f"{ORIGIN}/contact", "Tel: 020 7946 0018")
    assert [page.url for page in reply.pages] == [
        ORIGIN,
        *(f"{ORIGIN}{path}" for path in ("/imprint", "/contact", "/about")),
    ]
    assert all(agent.startswith("GlazeBot/") for agent in http.agents)
    assert not any("other.example" in url or ".pdf" in url or "/blog" in url for url in http.asked)


@pytest.mark.parametrize(
    ("paths", "texts"),
    [
        (("/impressum", "/kontakt", "/ueber-uns", "/team", "/karriere"), ("",) * 5),
        (("/mentions-legales", "/nous-trouver", "/qui-sommes-nous", "/equipe", "/emplois"), ("",) * 5),
        (("/p1", "/p2", "/p3", "/p4", "/p5"), ("Note legali", "Contatti", "Chi siamo", "Team", "Lavora con noi")),
        (("/a/1", "/a/2", "/a/3", "/a/4"), ("Aviso legal", "Contacto", "Quiénes somos", "Trabaja con nosotros")),
        (("/kontakt", "/o-nas", "/zespol", "/kariera"), ("Kontakt", "O nas", "Zespół", "Kariera")),
        (("/x1", "/x2", "/x3"), ("Yhteystiedot", "Tietoa meistä", "Avoimet työpaikat")),
        (("/1", "/2", "/3"), ("İletişim", "Hakkımızda", "Kariyer")),
        (("/c1", "/c2", "/c3"), ("Контакты", "О компании", "Вакансии")),
        (("/j1", "/j2", "/j3", "/j4"), ("特定商取引法に基づく表記", "お問い合わせ", "企業情報", "採用情報")),
        (("/z1", "/z2", "/z3"), ("联系我们", "关于我们", "招聘")),
    ],
)  # fmt: skip
async def test_the_pages_worth_reading_are_found_in_many_languages(
    paths: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    menu = "".join(f'<a href="{path}">{text}</a>' for path, text in zip(paths, texts, strict=True))
    decoys = """<a href="/blog/how-to-contact-lenses-and-jobs-for-teams">Read</a><a href="/promos">Promos</a>
    <a href="/personas">Personas</a><a href="/steam">Steam</a><a href="/cart/contact">Contact cart</a>"""
    pages = {"/": f"<title>Fern</title>{decoys}{menu}", **dict.fromkeys(paths, "<p>Text</p>")}
    reply, _ = await visit(pages)
    assert [page.url.removeprefix(ORIGIN) for page in reply.pages] == ["", *paths]


SITEMAP = (
    "<urlset><url><loc>{0}/kontakt</loc></url><url><loc><![CDATA[{0}/blog/x]]></loc></url></urlset>"
)
INDEX = """<sitemapindex><sitemap><loc>{0}/post-sitemap.xml</loc></sitemap>
<sitemap><loc>{0}/page-sitemap.xml</loc></sitemap></sitemapindex>"""


@pytest.mark.parametrize("index", [False, True])
async def test_where_the_menu_needs_a_script_the_sitemap_leads_on(index: bool) -> None:
    pages = {
        "/": "<title>Lantern Works</title><div id=app></div>",
        "/robots.txt": f"User-agent: *\nSitemap: {ORIGIN}/sitemap.xml",
        "/sitemap.xml": (INDEX if index else SITEMAP).format(ORIGIN),
        "/page-sitemap.xml": SITEMAP.format(ORIGIN),
        "/kontakt": CONTACT,
    }
    reply, http = await visit(pages)
    assert best(reply, "company_phone") == "+442079460018"
    assert not any("post-sitemap" in url or "blog" in url for url in http.asked)


@pytest.mark.parametrize("listed", ["https://other.example/sitemap.xml", f"{ORIGIN}/gone.xml"])
async def test_a_sitemap_elsewhere_or_gone_is_passed_over(listed: str) -> None:
    pages = {"/": "<title>Lantern Works</title>", "/robots.txt": f"Sitemap: {listed}"}
    reply, http = await visit(pages)
    assert reply.verdict is Verdict.MATCH
    assert not any("other.example" in url for url in http.asked)


async def test_a_site_with_a_menu_is_not_asked_for_its_sitemap() -> None:
    _, http = await visit({**SITE, "/robots.txt": f"Sitemap: {ORIGIN}/sitemap.xml"})
    assert f"{ORIGIN}/sitemap.xml" not in http.asked


async def test_an_answers_headers_and_cookies_show_technologies() -> None:
    headers = {
        "content-type": "text/html",
        "server": "nginx/1.26",
        "set-cookie": "PHPSESSID=s3cret; Path=/",
    }
    reply, _ = await visit({**SITE, "/": VendorResponse(200, headers, HOME.encode(), ORIGIN)})
    shown = next(one for one in reply.readings if one.field == "company_technologies")
    assert shown.value == ["nginx", "PHP"]
    assert shown.quote == "server: nginx/1.26 set-cookie: PHPSESSID"
    assert b"s3cret" not in reply.raw


async def test_a_domain_alone_is_enough_and_www_is_tried_where_nothing_answers() -> None:
    pages = {**SITE, "https://lantern-works.co.uk/": ConnectFailed("no such host")}
    pages["https://www.lantern-works.co.uk/"] = HOME
    reply, http = await visit(pages, company_domain="lantern-works.co.uk")
    assert best(reply, "company_name") == "Lantern Works"
    assert http.asked.count("https://lantern-works.co.uk/") == 3


async def test_a_domain_that_does_not_exist_is_a_miss_after_one_question_for_each_name() -> None:
    gone = {
        f"{scheme}://{host}{path}": NoSuchHost(host)
        for scheme in ("https", "http")
        for host in ("lantern-works.co.uk", "www.lantern-works.co.uk")
        for path in ("/", "/robots.txt")
    }
    reply, http = await visit(gone, company_domain="lantern-works.co.uk")
    assert (reply.verdict, reply.billing) == (Verdict.NO_MATCH, Unbilled())
    assert "lantern-works.co.uk has no address" in reply.detail
    assert http.asked.count("https://lantern-works.co.uk/") == 1
    assert not any(url.startswith("http://") for url in http.asked)


async def test_a_silent_host_stays_an_outage_where_its_www_name_does_not_exist() -> None:
    pages = {
        f"https://www.lantern-works.co.uk{path}": NoSuchHost("www") for path in ("/", "/robots.txt")
    }
    pages |= {f"{s}://lantern-works.co.uk/": ConnectFailed("refused") for s in ("https", "http")}
    reply, _ = await visit(pages, company_domain="lantern-works.co.uk")
    assert reply.verdict is Verdict.VENDOR_ERROR


async def test_robots_txt_is_asked_first_and_obeyed() -> None:
    reply, http = await visit({**SITE, "/robots.txt": "User-agent: GlazeBot\nDisallow: /"})
    assert reply.verdict is Verdict.NO_MATCH
    assert "robots.txt" in reply.detail
    assert http.asked == [f"{ORIGIN}/robots.txt"]


async def test_a_page_that_robots_txt_forbids_is_left_out_and_noted() -> None:
    reply, http = await visit({**SITE, "/robots.txt": "User-agent: *\nDisallow: /contact"})
    assert reply.verdict is Verdict.MATCH
    assert f"{ORIGIN}/contact" not in http.asked
    assert any("contact" in note and "robots.txt" in note for note in reply.notes)


async def test_a_failing_robots_txt_forbids_everything_for_now() -> None:
    reply, _ = await visit({**SITE, "/robots.txt": 500})
    assert "robots.txt fails" in reply.detail
    assert reply.verdict is Verdict.VENDOR_ERROR  # it may pass: nothing is remembered as absent


async def test_a_site_that_wants_long_pauses_is_read_on_its_first_page_only() -> None:
    reply, http = await visit({**SITE, "/robots.txt": "User-agent: *\nCrawl-delay: 60"})
    assert best(reply, "company_name") == "Lantern Works"
    assert http.asked == [f"{ORIGIN}/robots.txt", ORIGIN]


@pytest.mark.parametrize(
    ("home", "verdict", "word"),
    [
        (404, Verdict.NO_MATCH, "404"),
        (403, Verdict.NO_MATCH, "403"),
        (500, Verdict.VENDOR_ERROR, "500"),
        (429, Verdict.RATE_LIMITED, "429"),
        (BodyTooLarge("too large"), Verdict.NO_MATCH, "larger"),
        (FetchTimeout("slow"), Verdict.VENDOR_ERROR, "in time"),
        (AddressRefused("loopback"), Verdict.NO_MATCH, "loopback"),
        (ConnectFailed("no such host"), Verdict.VENDOR_ERROR, "no such host"),
        (VendorResponse(200, {"content-type": "application/pdf"}, b"%PDF", ORIGIN), Verdict.NO_MATCH, "pdf"),
        (VendorResponse(200, {}, HOME.encode(), "https://parked.example/"), Verdict.NO_MATCH, "parked.example"),
    ],
)  # fmt: skip
async def test_what_stops_a_visit_is_said_in_a_reply_and_never_raised(
    home: object, verdict: Verdict, word: str
) -> None:
    reply, _ = await visit({"/": home})
    assert reply.verdict is verdict
    assert word in reply.detail
    assert reply.readings == ()


_BROKER = (
    "<p>HugeDomains.com, 2635 Walnut Street, Denver, CO 80205</p><p>Tel: +1 303 893 0552</p>"
    '<p>sales@hugedomains.com <a href="https://facebook.com/hugedomains">Facebook</a></p>'
)


@pytest.mark.parametrize(
    "page",
    [
        f"<title>lantern-works.co.uk is for sale</title><p>An address.</p>{_BROKER}",
        f"<title>Welcome</title><h1>This premium domain may be for sale</h1>{_BROKER * 40}",
        f"<title>lantern-works.co.uk</title><p>Buy this domain now.</p>{_BROKER}",
        f"<title>Hier entsteht eine Seite</title><p>Diese Domain steht zum Verkauf</p>{_BROKER}",
        f"<title>lantern-works.co.uk</title><p>This domain has expired.</p>{_BROKER}",
        f"<title>Domain</title><p>Ce nom de domaine est à vendre</p>{_BROKER}",
    ],
)
async def test_a_parked_domain_is_no_site_and_its_brokers_data_are_nobodys(page: str) -> None:
    reply, http = await visit({**SITE, "/": page})
    assert (reply.verdict, reply.readings, reply.pages) == (Verdict.NO_MATCH, (), ())
    assert "parked" in reply.detail
    assert http.asked == [f"{ORIGIN}/robots.txt", ORIGIN]  # what else lies there is not read


@pytest.mark.parametrize(
    "page",
    [
        f"{HOME}<p>We help you buy and sell: domains, cars. The domain acme.example is registered.</p>",
        f"<title>Lantern Works</title>{'<p>We light the north.</p>' * 200}<p>Buy this domain: a guide.</p>",
        "<title>Lantern Works</title><p>Our old mill is for sale.</p><p>Tel: 020 7946 0018</p>",
    ],
)
async def test_a_site_that_speaks_of_sales_and_domains_is_not_parked(page: str) -> None:
    reply, _ = await visit({**SITE, "/": page})
    assert reply.verdict is Verdict.MATCH


@pytest.mark.parametrize(
    "page", [404, BodyTooLarge("large"), FetchTimeout("slow"), AddressRefused("no"), ConnectFailed("off")]
)  # fmt: skip
async def test_one_bad_page_among_several_is_a_note(page: object) -> None:
    reply, _ = await visit({**SITE, "/contact": page})
    assert reply.verdict is Verdict.MATCH
    assert any(note.startswith("contact page left out") for note in reply.notes)


async def test_a_passing_failure_is_tried_again_and_a_lasting_one_is_not() -> None:
    reply, _ = await visit({**SITE, "/": [502, ConnectFailed("reset"), HOME]})
    assert reply.verdict is Verdict.MATCH
    _, http = await visit({"/": 404})
    assert http.asked.count(ORIGIN) == 1


async def test_a_busy_sites_own_wait_is_passed_on() -> None:
    busy = VendorResponse(429, {"retry-after": "120"}, b"", ORIGIN)
    reply, http = await visit({"/": busy})
    assert reply.retry_after_s == 120
    assert http.asked.count(ORIGIN) == 1


async def test_raw_keeps_pages_and_readings_as_compact_json() -> None:
    reply, _ = await visit(SITE)
    raw = json.loads(reply.raw)
    assert raw["pages"][0]["url"] == ORIGIN
    assert {"field", "value", "confidence", "quote"} <= raw["pages"][1]["readings"][0].keys()


async def test_a_page_text_of_megabytes_is_capped_for_those_who_quote_from_it() -> None:
    reply, _ = await visit({"/": "<title>Long</title>" + "<p>word word</p>" * 100_000})
    assert len(reply.pages[0].text) <= 20_000


async def test_nothing_known_sends_nothing() -> None:
    reply, http = await visit(SITE, company_name="Lantern Works")
    assert reply.verdict is Verdict.BAD_INPUT
    assert http.asked == []
