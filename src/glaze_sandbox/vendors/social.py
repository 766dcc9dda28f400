"""Public profile pages of twenty sites: companies', people's, strangers' with the same name, none."""

from html import escape

from glaze_sandbox.seeded import draw
from glaze_sandbox.vendors.keyless import Keyless
from glaze_sandbox.wire import Answer, Call
from glaze_sandbox.world.entities import Company, Person
from glaze_sandbox.world.make import slugify
from glaze_sandbox.world.population import World

SITES = {  # host -> name of the site
    "github.com": "GitHub", "gitlab.com": "GitLab", "x.com": "X", "www.youtube.com": "YouTube",
    "www.instagram.com": "Instagram", "www.facebook.com": "Facebook", "www.tiktok.com": "TikTok",
    "www.crunchbase.com": "Crunchbase", "www.xing.com": "XING", "mastodon.social": "Mastodon",
    "bsky.app": "Bluesky", "medium.com": "Medium", "www.reddit.com": "Reddit",
    "www.pinterest.com": "Pinterest", "vimeo.com": "Vimeo", "dribbble.com": "Dribbble",
    "www.behance.net": "Behance", "www.producthunt.com": "Product Hunt", "dev.to": "DEV",
    "huggingface.co": "Hugging Face", "t.me": "Telegram", "www.threads.net": "Threads",
}  # fmt: skip
CLOSED = frozenset({"x.com", "www.instagram.com", "www.facebook.com"})  # by robots.txt
POLITE_404 = frozenset({"www.pinterest.com", "t.me"})  # say 200 where nobody is
PROFILES, STRANGERS = 0.2, 0.25  # share of the companies, of those without a profile
SHOWS_SITE = 0.8  # share of the profiles that link to the company's site
PEOPLE = 0.15
_OF_PEOPLE = frozenset({"GitLab", "Medium", "DEV"})


class Social(Keyless):
    """Plays the profile pages."""

    name = "social"
    hosts = tuple(SITES)

    def __init__(self, world: World) -> None:
        """Draw the profiles out of ``world``."""
        self._world = world

    def answer(self, call: Call) -> Answer:
        """Answer robots.txt or one profile."""
        if call.path == "/robots.txt":
            rule = "/" if call.host in CLOSED else "/search"
            return Answer(200, f"User-agent: *\nDisallow: {rule}\n".encode(), "text/plain")
        site = SITES[call.host]
        handle = call.path.rstrip("/").rpartition("/")[2].lstrip("@").lower()
        company = self._world.by_domain(handle) or self._company_of(handle)
        if company is not None and has_profile(company, site):
            return _page(company.name, handle, site, own_site=_shown(company, site))
        taken = draw("social", "stranger", site, company.slug if company else "") < STRANGERS
        if company is not None and taken and handle != company.domain:
            return _page(
                company.name, handle, site, own_site=f"https://{company.slug}-fans.example/"
            )
        if (person := self._person_of(handle)) is not None and site in _OF_PEOPLE:
            return _page(
                person.full_name, handle, site, about=f"{person.title}, {person.company.name}"
            )
        if call.host in POLITE_404:
            return _page("", "", site)
        return Answer(404, b"<title>404</title>", "text/html; charset=utf-8")

    def _company_of(self, handle: str) -> Company | None:
        found = self._world.by_slug(handle) or self._world.by_name(handle)
        return found if found and handle.replace("-", "") == found.slug.replace("-", "") else None

    def _person_of(self, handle: str) -> Person | None:
        """Return the first person with an account whose name is spelled so; namesakes share one."""
        return next(
            (
                person
                for company in self._world.companies()
                for person in self._world.people_of(company)
                if slugify(person.full_name).replace("-", "") == handle and has_page(person)
            ),
            None,
        )


def has_page(person: Person) -> bool:
    """Tell whether the person has public profiles."""
    return draw("social", "person", person.slug) < PEOPLE


def has_profile(company: Company, site: str) -> bool:
    """Tell whether the company is on ``site``."""
    own = {
        "GitHub": company.github, "X": company.twitter, "YouTube": company.youtube,
        "Instagram": company.instagram, "Facebook": company.facebook,
    }  # fmt: skip
    if site in own:
        return own[site] is not None
    return draw("social", site, company.domain) < PROFILES


def _shown(company: Company, site: str) -> str:
    return company.url if draw("social", "shows", site, company.domain) < SHOWS_SITE else ""


def _page(name: str, handle: str, site: str, *, own_site: str = "", about: str = "") -> Answer:
    title = f"{name} (@{handle}) · {site}" if name else f"{site} - find what you love"
    link = (
        f'<a rel="me nofollow" href="{escape(own_site)}">{escape(own_site)}</a>' if own_site else ""
    )
    text = (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta property="og:title" content="{escape(name or site)}">'
        f'<meta name="description" content="{escape(about or f"{name} on {site}")}"></head>'
        f"<body><h1>{escape(name)}</h1>{link}<p>Posts, likes and followers</p></body></html>"
    )
    return Answer(200, text.encode(), "text/html; charset=utf-8")
