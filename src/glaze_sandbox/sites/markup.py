"""Structured data in the head of a page: JSON-LD of several habits, OpenGraph, plain meta."""

import html
import json

from glaze_sandbox.sites.facts import Facts


def head_of(facts: Facts) -> str:
    """Return the structured data that the site's template puts into every page's head."""
    template = facts.plan.template
    if template == "jsonld_graph":
        return _script(_graph(facts))
    if template == "jsonld_business":
        return _script(_organization(facts, "LocalBusiness") | {"@context": "https://schema.org"})
    if template == "jsonld_sloppy":
        return _sloppy(facts)
    if template == "opengraph":
        return _opengraph(facts)
    return _meta(facts)


def _script(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=1).replace("</", "<\\/")
    return f'<script type="application/ld+json">{text}</script>'


def _organization(facts: Facts, type_: str) -> dict[str, object]:
    company = facts.company
    facts.say("company_name", company.name)
    node: dict[str, object] = {
        "@type": type_,
        "@id": f"{company.url}#organization",
        "name": company.name,
        "url": company.url,
    }
    if facts.shows("company_legal_name"):
        facts.legal_name()
        node["legalName"] = company.legal_name
    if facts.shows("company_logo_url"):
        facts.logo()
        node["logo"] = {"@type": "ImageObject", "url": f"{company.url}assets/logo.svg"}
    if facts.shows("address"):
        node["address"] = _postal_address(facts)
    if facts.shows("company_phone"):
        facts.say("company_phone", company.phone)
        node["telephone"] = company.phone
    if facts.shows("company_email"):
        facts.say("company_email", company.email)
        node["email"] = company.email
    node |= _figures(facts)
    if profiles := facts.socials():
        node["sameAs"] = profiles
    return node


def _figures(facts: Facts) -> dict[str, object]:
    figures: dict[str, object] = {}
    if facts.shows("company_founded_year"):
        facts.say("company_founded_year", facts.company.founded)
        figures["foundingDate"] = str(facts.company.founded)
    if facts.shows("employees"):
        facts.say("company_employee_count", facts.company.employees)
        figures["numberOfEmployees"] = {
            "@type": "QuantitativeValue",
            "value": facts.company.employees,
        }
    if facts.shows("company_opening_hours"):
        figures["openingHours"] = facts.hours()
    if facts.shows("company_vat_id") and facts.company.vat_id:
        figures["vatID"] = facts.vat()
    if facts.shows("company_description"):
        facts.description()
        figures["description"] = facts.company.description
    return figures


def _postal_address(facts: Facts) -> dict[str, object]:
    address = facts.company.address
    for record in (facts.street, facts.city, facts.region, facts.postal_code):
        record()
    return {
        "@type": "PostalAddress",
        "streetAddress": address.street,
        "addressLocality": address.city,
        "addressRegion": address.region,
        "postalCode": address.postal_code,
        "addressCountry": facts.country_code(),
    }


def _graph(facts: Facts) -> dict[str, object]:
    url = facts.company.url
    site = {
        "@type": "WebSite",
        "@id": f"{url}#website",
        "url": url,
        "name": facts.company.name,
        "publisher": {"@id": f"{url}#organization"},
        "inLanguage": facts.plan.language,
    }
    crumbs = {"@type": "BreadcrumbList", "@id": f"{url}#breadcrumb", "itemListElement": []}
    nodes = [{"@type": "WebPage", "@id": url, "isPartOf": {"@id": f"{url}#website"}}, site, crumbs]
    return {
        "@context": "https://schema.org",
        "@graph": [*nodes, _organization(facts, "Organization")],
    }


def _sloppy(facts: Facts) -> str:
    """Return JSON-LD as it is met in life: a list, wrapped in a comment, a type in an array."""
    node = _organization(facts, "Organization") | {"@context": "http://schema.org/"}
    node["@type"] = ["Organization", "Corporation"]
    text = json.dumps([node], ensure_ascii=False).replace("</", "<\\/")
    return f'<script type="application/ld+json">\n<!--\n{text}\n-->\n</script>'


def _opengraph(facts: Facts) -> str:
    company = facts.company
    facts.say("company_name", company.name)
    tags = {
        "og:site_name": company.name,
        "og:type": "website",
        "og:url": company.url,
        "og:image": f"{company.url}assets/hero.jpg",
        "og:locale": facts.plan.language,
    }
    if facts.shows("company_description"):
        facts.description()
        tags["og:description"] = company.description
    return "\n".join(
        f'<meta property="{name}" content="{html.escape(value)}">' for name, value in tags.items()
    )


def _meta(facts: Facts) -> str:
    if not facts.shows("company_description"):
        return ""
    return f'<meta name="description" content="{facts.description()}">'
