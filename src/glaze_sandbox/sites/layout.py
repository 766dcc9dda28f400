"""The pages themselves: menu, body, footer, and the decoys that real sites carry."""

import html
from collections.abc import Callable
from urllib.parse import quote

from glaze_sandbox.sites.contact import contact_block, legal_block
from glaze_sandbox.sites.facts import Facts
from glaze_sandbox.sites.markup import head_of
from glaze_sandbox.sites.phrases import PHRASES
from glaze_sandbox.sites.plan import SitePlan

KINDS = ("contact", "about", "imprint", "team", "careers")
_BARE_FOOTERS = frozenset({"imprint_only", "definition_list", "address_tag"})
_ICON_TEMPLATES = frozenset({"div_soup", "jsonld_sloppy", "hcard", "footer_line"})
_IMPRINT_LANGUAGES = frozenset({"de", "fr"})

SCRIPTS = {
    "Google Analytics": "<script async "
    'src="https://www.googletagmanager.com/gtag/js?id=G-7Q2X81"></script>',
    "HubSpot": '<script src="//js.hs-scripts.com/4471029.js" async defer></script>',
    "Shopify": '<link rel="stylesheet" href="https://cdn.shopify.com/s/files/1/theme.css">',
    "jQuery": '<script src="/assets/jquery-3.7.1.min.js"></script>',
    "Stripe": '<script src="https://js.stripe.com/v3/"></script>',
    "WordPress": '<meta name="generator" content="WordPress 6.8">\n'
    '<link rel="stylesheet" href="/wp-content/themes/plain/style.css">',
}


def paths(plan: SitePlan) -> dict[str, str]:
    """Return the pages that the site has: kind -> path."""
    kinds = set(plan.publish)
    if plan.language in _IMPRINT_LANGUAGES or plan.template == "imprint_only":
        kinds.add("imprint")
    named = zip(KINDS, PHRASES[plan.language].paths, strict=True)
    return {"home": "/"} | {kind: path for kind, path in named if kind in kinds}


def document(kind: str, facts: Facts) -> str:
    """Return the page ``kind`` as HTML."""
    plan, company = facts.plan, facts.company
    scripts = "\n".join(SCRIPTS[name] for name in company.technologies if name in SCRIPTS)
    title = facts.name() if kind == "home" else f"{_menu(facts)[kind]} | {facts.name()}"
    return f"""<!DOCTYPE html>
<html lang="{plan.language}">
<head>
<meta charset="{plan.charset}">
<title>{title}</title>
{head_of(facts)}
{scripts}
</head>
<body>
{_header(facts)}
<main>
{_BODIES[kind](facts)}
</main>
{_footer(facts)}
</body>
</html>
"""


def _menu(facts: Facts) -> dict[str, str]:
    words = facts.words
    labels = (words.contact, words.about, words.imprint, words.team, words.careers)
    return dict(zip(KINDS, labels, strict=True))


def _header(facts: Facts) -> str:
    labels = _menu(facts)
    links = []
    for kind, path in paths(facts.plan).items():
        if kind == "home":
            continue
        if kind in {"contact", "careers"}:
            facts.say(f"company_{kind}_url", f"{facts.company.url}{path.lstrip('/')}")
        links.append(f'<a href="{path}">{labels[kind]}</a>')
    name = facts.name()
    brand = name
    if facts.shows("company_logo_url"):
        brand = f'<img src="{facts.logo()}" class="logo" alt="{name}">'
    return f'<header><a class="brand" href="/">{brand}</a><nav>{" ".join(links)}</nav></header>'


def _home(facts: Facts) -> str:
    parts = [f"<h1>{facts.words.welcome}: {facts.name()}</h1>"]
    if facts.shows("company_description"):
        parts.append(f"<p>{facts.description()}</p>")
    parts.append(f"<p>{facts.words.filler}</p>")
    if facts.plan.quoted_customer:
        parts.append(
            f"<blockquote>&bdquo;{facts.words.filler}&ldquo; <cite>{html.escape(facts.customer)}"
            "</cite></blockquote>"
        )
    if facts.plan.share_buttons:
        parts.append(_share_buttons(facts))
    return "\n".join(parts)


def _about(facts: Facts) -> str:
    parts = [f"<h1>{facts.words.about}</h1>"]
    if facts.shows("company_description"):
        parts.append(f"<p>{facts.description()}</p>")
    if facts.shows("company_founded_year"):
        parts.append(f"<p>{facts.founded()}</p>")
    if facts.shows("employees"):
        parts.append(f"<p>{facts.employees()}</p>")
    parts.append(f"<p>{facts.words.filler}</p>")
    return "\n".join(parts)


def _contact(facts: Facts) -> str:
    return f"<h1>{facts.words.contact}</h1>\n{contact_block(facts)}"


def _imprint(facts: Facts) -> str:
    return f"<h1>{facts.words.imprint}</h1>\n{legal_block(facts)}"


def _team(facts: Facts) -> str:
    cards = "\n".join(
        f'<li><h3>{html.escape(p.full_name)}</h3><p class="role">{p.title}</p></li>'
        for p in facts.people
    )
    return f"<h1>{facts.words.team}</h1>\n<ul>{cards}</ul>"


def _careers(facts: Facts) -> str:
    return f"<h1>{facts.words.careers}</h1>\n<p>{facts.words.filler}</p>"


_BODIES: dict[str, Callable[[Facts], str]] = {
    "home": _home,
    "about": _about,
    "contact": _contact,
    "imprint": _imprint,
    "team": _team,
    "careers": _careers,
}


def _footer(facts: Facts) -> str:
    parts = []
    if not (facts.plan.template in _BARE_FOOTERS and facts.shows("contact")):
        parts.append(contact_block(facts))
    profiles = " ".join(_profile_link(facts, url) for url in facts.socials())
    if profiles:
        parts.append(f'<div class="social">{profiles}</div>')
    parts.append(f"<small>&copy; 2026 {facts.legal_name()}</small>")
    if facts.plan.designer_credit:
        parts.append(
            f'<small>{facts.words.credit} <a href="https://www.pixelhandwerkstudio.com">Pixelhandwerk '
            "Studio</a>, +1 212-555-0199, hello@pixelhandwerkstudio.com</small>"
        )
    inner = "\n".join(parts)
    return f"<footer>\n{inner}\n</footer>"


def _profile_link(facts: Facts, url: str) -> str:
    """Return a link to one of the company's own profiles: an icon, or a word."""
    network = url.partition("//")[2].removeprefix("www.").partition(".")[0]
    if facts.plan.template in _ICON_TEMPLATES:
        return f'<a href="{url}" class="icon-{network}" aria-label="{network}"><svg></svg></a>'
    return f'<a href="{url}" rel="me">{network.title()}</a>'


def _share_buttons(facts: Facts) -> str:
    """Return links that lead to the networks, none of them to the company's own profile."""
    url = quote(facts.company.url, safe="")
    return (
        f'<a href="https://www.facebook.com/sharer/sharer.php?u={url}">Share</a> '
        f'<a href="https://twitter.com/intent/tweet?url={url}">Tweet</a> '
        f'<a href="https://www.linkedin.com/shareArticle?mini=true&amp;url={url}">LinkedIn</a>'
    )
