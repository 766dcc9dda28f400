"""How one company presents itself: template, language, what it publishes, how polite it wants you."""

import random
from dataclasses import dataclass

from glaze_sandbox.seeded import rng
from glaze_sandbox.world.entities import Company

TEMPLATES = (
    "jsonld_graph", "jsonld_business", "jsonld_sloppy", "microdata", "hcard", "opengraph",
    "tables", "definition_list", "footer_line", "address_tag", "imprint_only", "div_soup",
)  # fmt: skip

# shares of the sites that publish each field at all
PUBLISHED = {
    "company_legal_name": 0.75, "company_description": 0.95, "company_phone": 0.9,
    "company_email": 0.82, "address": 0.88, "company_country": 0.6, "company_founded_year": 0.6,
    "employees": 0.4, "company_vat_id": 0.6, "company_logo_url": 0.85, "fax": 0.25,
    "company_opening_hours": 0.3, "socials": 0.85, "team": 0.6, "careers": 0.45, "about": 0.85,
    "contact": 0.9,
}  # fmt: skip

_EMAIL_STYLES = ("mailto", "text", "entities", "brackets", "cfemail", "script")
_EMAIL_WEIGHTS = (58, 12, 8, 11, 6, 5)
_PHONE_STYLES = ("international", "national", "tel_link", "rfc3966")
_ROBOTS = ("open", "none", "partial", "deny")
_ROBOTS_WEIGHTS = (52, 26, 18, 4)
_ENGLISH_SHARE = 0.2  # of the sites from countries of another language
_LEGACY_SHARE = 0.3  # of the sites made of tables: not UTF-8
_SLOW_SHARE = 0.01
_SLOW_S = 1.0
_DESIGNER_SHARE, _SHARE_BUTTONS, _QUOTED_CUSTOMER = 0.35, 0.35, 0.25


@dataclass(frozen=True, slots=True)
class SitePlan:
    """The choices behind one site."""

    template: str
    language: str
    publish: frozenset[str]
    email_style: str
    phone_style: str
    robots: str  # open, none (no file), partial (the imprint is disallowed) or deny
    sitemap: bool
    slow_s: float  # seconds before each answer
    charset: str
    share_buttons: bool  # decoy: links to the networks' share pages
    designer_credit: bool  # decoy: another firm's name, link and phone
    quoted_customer: bool  # decoy: another company praises this one


def plan_site(seed: int, company: Company) -> SitePlan:
    """Return the plan of ``company``'s site."""
    chance = rng(seed, "site", company.domain)
    foreign = company.language != "en"
    language = "en" if foreign and chance.random() < _ENGLISH_SHARE else company.language
    template = chance.choice(TEMPLATES)
    publish = frozenset(name for name, share in PUBLISHED.items() if chance.random() < share)
    if language == "de" or template == "imprint_only":
        publish |= {"company_legal_name", "address", "company_email"}
    return SitePlan(
        template=template,
        language=language,
        publish=publish,
        email_style=chance.choices(_EMAIL_STYLES, _EMAIL_WEIGHTS)[0],
        phone_style=chance.choice(_PHONE_STYLES),
        robots=chance.choices(_ROBOTS, _ROBOTS_WEIGHTS)[0],
        sitemap=chance.random() < 0.6,  # noqa: PLR2004  the share of sites with a sitemap
        slow_s=_SLOW_S if chance.random() < _SLOW_SHARE else 0.0,
        charset=_charset(template, language, chance),
        share_buttons=chance.random() < _SHARE_BUTTONS,
        designer_credit=chance.random() < _DESIGNER_SHARE,
        quoted_customer=chance.random() < _QUOTED_CUSTOMER,
    )


def _charset(template: str, language: str, chance: random.Random) -> str:
    if template != "tables" or chance.random() >= _LEGACY_SHARE:
        return "utf-8"
    return "shift_jis" if language == "ja" else "iso-8859-1"
