"""The companies' sites say what their truth says they publish, and the traps are what they claim."""

import asyncio
import gzip
import html
import json
import re

import pytest

from glaze_sandbox.sites.plan import TEMPLATES
from glaze_sandbox.sites.render import render_site
from glaze_sandbox.world.population import World


@pytest.fixture(scope="module")
def sites():
    world = World(7, 300)
    return [render_site(world, company) for company in world.companies()]


def text_of(site):
    bodies = [
        page.body.decode(site.plan.charset, "strict")
        for page in site.pages.values()
        if page.content_type.startswith("text/html")
    ]
    return html.unescape(" ".join(bodies)).replace("\\/", "/")


def test_every_template_and_language_occurs(sites):
    assert {site.plan.template for site in sites} == set(TEMPLATES)
    assert {site.plan.language for site in sites} == {"en", "de", "fr", "es", "it", "nl", "ja"}


@pytest.mark.parametrize("field", ["company_street", "company_postal_code", "company_city"])
def test_what_is_published_stands_on_the_pages_and_what_is_not_does_not(sites, field):
    for site in sites:
        if site.plan.robots == "open" and site.plan.charset == "utf-8":
            value = site.company.truth()[field]
            own_prose = site.company.description
            there = value in text_of(site).replace(own_prose, "")
            assert there == (field in site.published), (site.company.domain, field)


def test_published_addresses_stand_on_the_page_or_in_a_known_disguise(sites):
    for site in sites:
        if "company_email" in site.published and site.plan.email_style in {"mailto", "text"}:
            assert site.company.email in text_of(site)
        if site.plan.email_style == "script" and "jsonld" not in site.plan.template:
            assert "company_email" not in site.published


def test_a_site_that_denies_robots_publishes_nothing_to_them(sites):
    denied = [site for site in sites if site.plan.robots == "deny"]
    assert denied
    assert all(site.published == {} for site in denied)
    assert all(b"Disallow: /\n" in site.pages["/robots.txt"].body for site in denied)


def test_decoys_are_on_the_pages_but_never_in_the_truth(sites):
    pages = " ".join(text_of(site) for site in sites)
    truths = json.dumps([site.published for site in sites])
    for decoy in ("sharer.php", "intent/tweet", "pixelhandwerkstudio", "212-555-0199"):
        assert decoy in pages
        assert decoy not in truths


async def test_the_apex_redirects_to_www_and_keeps_the_clients_scheme(sandbox):
    company = next(c for c in sandbox.world.companies() if c.www and not sandbox.world.is_dead(c))
    async with sandbox.request("GET", company.domain, "/", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (301, f"//{company.host}/")
    async with sandbox.request("GET", company.host, "/") as response:
        assert company.name in html.unescape(await response.text())


async def test_truth_is_exported_line_by_line(sandbox):
    for name in ("companies", "people", "sites"):
        path = f"/_sandbox/truth/{name}.jsonl"
        async with sandbox.request("GET", "sandbox.glaze.internal", path) as response:
            rows = [json.loads(line) for line in (await response.text()).splitlines()]
        assert len(rows) > 100
        assert all(isinstance(row, dict) for row in rows)


async def test_every_trap_is_listed_with_its_hosts(sandbox):
    hosts = await sandbox.control("GET", "hosts")
    assert hosts["traps"]["bomb"]["hosts"] == ["bomb.trap-demo.example", "bomb-trap-demo.com"]
    assert {"apollo", "enrichlayer", "serper", "openai"} <= set(hosts["vendors"].values())


async def test_the_bomb_is_small_on_the_wire_and_200_mb_unpacked(sandbox):
    async with sandbox.session.get(
        f"{sandbox.running.url}/",
        headers={"Host": "bomb.trap-demo.example"},
        auto_decompress=False,
    ) as response:
        packed = await response.read()
    assert len(packed) < 1_000_000
    assert len(gzip.decompress(packed)) > 190_000_000


async def test_the_drip_never_ends_until_the_client_hangs_up(sandbox):
    async with sandbox.request("GET", "drip-trap-demo.com", "/") as response:
        seen = [await response.content.readany() for _ in range(3)]
        response.close()
    assert all(seen)
    async with asyncio.timeout(10):
        while not sandbox.running.state.hung_up:  # noqa: ASYNC110  the other side notices
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("to-loopback.trap-demo.example", r"http://127\.0\.0\.1:\d+/_sandbox/canary"),
        ("to-metadata.trap-demo.example", r"http://169\.254\.169\.254/.*"),
        ("loop.trap-demo.example", r"/hop-\d"),
    ],
)
async def test_redirecting_traps_lead_where_they_say(sandbox, host, target):
    async with sandbox.request("GET", host, "/", allow_redirects=False) as response:
        assert re.fullmatch(target, response.headers["Location"])


async def test_the_canary_counts_who_was_lured(sandbox):
    async with sandbox.request("GET", "to-loopback.trap-demo.example", "/") as response:
        assert "canary" in await response.text()
    assert (await sandbox.control("GET", "stats"))["canary"] == 1


@pytest.mark.parametrize(
    ("trap", "fragment"),
    [
        ("nul", b"Nul\x00brook"),
        ("nul", b"\xed\xa0\x80"),
        ("inject", b"Ignore previous instructions"),
        ("formula", b"=cmd|"),
        ("charset", b"K\xe4sewerk"),
        ("deep", b"<div><div><div>"),
        ("huge", b"x" * 1_000_000),
    ],
)
async def test_hostile_pages_carry_what_they_claim(sandbox, trap, fragment):
    async with sandbox.request("GET", f"{trap}-trap-demo.com", "/") as response:
        assert fragment in await response.read()
