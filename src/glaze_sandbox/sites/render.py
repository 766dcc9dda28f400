"""Renders a company's whole site, and keeps account of what its pages publish."""

from collections.abc import Sequence
from dataclasses import dataclass

from glaze_sandbox.sites.facts import Facts
from glaze_sandbox.sites.layout import SCRIPTS, document, paths
from glaze_sandbox.sites.plan import SitePlan, plan_site
from glaze_sandbox.world.entities import Company, Person
from glaze_sandbox.world.population import World

Values = dict[str, list[object]]

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40">'
    b'<rect width="120" height="40" fill="#246"/></svg>'
)
_SERVERS = {  # the first that applies names itself
    "Cloudflare": {"Server": "cloudflare", "CF-RAY": "8f2b1c7d9e0a4b11-FRA"},
    "nginx": {"Server": "nginx"},
}
_POWERED_BY = {"PHP": {"X-Powered-By": "PHP/8.3.11"}}


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a site."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Site:
    """A company's site: its pages by path, its headers, and the truth about what it says."""

    company: Company
    plan: SitePlan
    pages: dict[str, Page]
    headers: dict[str, str]
    published: Values  # what the pages that robots.txt allows print or mark up
    stated: Values  # what they say in prose or imply: right to infer, no gap if not extracted
    people: list[dict[str, object]]

    def truth(self) -> dict[str, object]:
        """Return the line of ``sites.jsonl``."""
        return {
            "domain": self.company.domain,
            "url": self.company.url,
            "template": self.plan.template,
            "language": self.plan.language,
            "robots": self.plan.robots,
            "pages": sorted(self.pages),
            "published": self.published,
            "stated": self.stated,
            "people": self.people,
        }


def render_site(world: World, company: Company) -> Site:
    """Render every page of ``company``'s site."""
    plan = plan_site(world.seed, company)
    people = world.people_of(company)
    customer = world.company((company.index + 1) % len(world)).name
    published: Values = {}
    stated: Values = {}
    pages = _machine_pages(company, plan)
    for kind, path in paths(plan).items():
        facts = Facts(company, plan, people, customer)
        body = document(kind, facts).encode(plan.charset, "xmlcharrefreplace")
        pages[path] = Page(body, f"text/html; charset={plan.charset}")
        if plan.robots != "partial" or kind != "imprint":
            _merge(published, facts.published)
            _merge(stated, facts.stated)
    headers, technologies = _visible_technologies(company)
    if technologies:
        published["company_technologies"] = list(technologies)
    published |= {"company_domain": [company.domain], "company_website": [company.url.rstrip("/")]}
    listed = _listed(people) if "team" in plan.publish else []
    if plan.robots == "deny":
        published, stated, listed = {}, {}, []
    return Site(company, plan, pages, headers, published, stated, listed)


def _merge(into: Values, more: Values) -> None:
    for name, values in more.items():
        known = into.setdefault(name, [])
        known.extend(v for v in values if v not in known)


def _listed(people: Sequence[Person]) -> list[dict[str, object]]:
    return [{"person_full_name": p.full_name, "person_title": p.title} for p in people]


def _visible_technologies(company: Company) -> tuple[dict[str, str], list[str]]:
    """Return the site's headers, and the technologies that headers or pages give away."""
    headers: dict[str, str] = {}
    shown = [name for name in company.technologies if name in SCRIPTS]
    for choices in (_SERVERS, _POWERED_BY):
        name = next((n for n in choices if n in company.technologies), None)
        if name is not None:
            headers |= choices[name]
            shown.append(name)
    return headers, sorted(shown)


def _machine_pages(company: Company, plan: SitePlan) -> dict[str, Page]:
    """Return what machines read: robots.txt, the sitemap, the logo."""
    pages = {"/assets/logo.svg": Page(LOGO, "image/svg+xml")}
    lines = ["User-agent: *"]
    if plan.robots == "deny":
        lines.append("Disallow: /")
    elif plan.robots == "partial":
        lines += ["Disallow: /admin/", f"Disallow: {paths(plan).get('imprint', '/cart')}"]
    else:
        lines.append("Disallow:")
    if plan.sitemap:
        lines.append(f"Sitemap: {company.url}sitemap.xml")
        urls = "".join(
            f"<url><loc>{company.url}{path.lstrip('/')}</loc></url>"
            for path in paths(plan).values()
        )
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
        )
        pages["/sitemap.xml"] = Page(xml.encode(), "application/xml")
    if plan.robots != "none":
        pages["/robots.txt"] = Page("\n".join(lines).encode() + b"\n", "text/plain; charset=utf-8")
    return pages
