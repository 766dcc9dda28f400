"""How a site writes its address, phone and mail into the page: one function for each habit."""

from collections.abc import Callable

from glaze_sandbox.sites.facts import Facts


def _rows(facts: Facts) -> list[tuple[str, str]]:
    """Return (label, HTML) of what the site publishes, address lines as one row."""
    words = facts.words
    rows: list[tuple[str, str]] = []
    if facts.shows("address"):
        lines = [facts.street(), facts.city_line(), facts.country()]
        rows.append((words.address, ", ".join(line for line in lines if line)))
    if facts.shows("company_phone"):
        rows.append((words.phone, facts.phone()))
    if facts.shows("fax"):
        rows.append((words.fax, facts.fax()))
    if facts.shows("company_email"):
        rows.append((words.email, facts.email()))
    if facts.shows("company_opening_hours"):
        rows.append((words.hours, facts.hours()))
    return rows


def _table(facts: Facts) -> str:
    cells = "".join(
        f"<TR><TD><FONT size=2><B>{label}:</B></FONT></TD><TD><FONT size=2>{value}</FONT></TD></TR>"
        for label, value in _rows(facts)
    )
    return (
        f"<TABLE border=0 cellpadding=4><TR><TD colspan=2><B>{facts.legal_name()}</B></TD></TR>"
        f"{cells}</TABLE>"
    )


def _definition_list(facts: Facts) -> str:
    rows = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in _rows(facts))
    return f"<h3>{facts.legal_name()}</h3><dl>{rows}</dl>"


def _line(facts: Facts) -> str:
    parts = [facts.legal_name(), *(f"{label}: {value}" for label, value in _rows(facts)[1:])]
    if facts.shows("address"):
        parts[1:1] = [facts.street(), facts.city_line()]
    return "<p>" + " &middot; ".join(parts) + "</p>"


def _address_tag(facts: Facts) -> str:
    lines = [f"<strong>{facts.legal_name()}</strong>"]
    if facts.shows("address"):
        lines += [facts.street(), facts.city_line(), facts.country()]
    if facts.shows("company_phone"):
        lines.append(f"{facts.words.phone} {facts.phone()}")
    if facts.shows("company_email"):
        lines.append(facts.email())
    return "<address>" + "<br>\n".join(line for line in lines if line) + "</address>"


def _microdata(facts: Facts) -> str:
    parts = [f'<span itemprop="name">{facts.name()}</span>']
    if facts.shows("address"):
        parts.append(
            '<div itemprop="address" itemscope itemtype="https://schema.org/PostalAddress">'
            f'<span itemprop="streetAddress">{facts.street()}</span>, '
            f'<span itemprop="postalCode">{facts.postal_code()}</span> '
            f'<span itemprop="addressLocality">{facts.city()}</span> '
            f'<meta itemprop="addressCountry" content="{facts.country_code()}"></div>'
        )
    if facts.shows("company_phone"):
        parts.append(f'<span itemprop="telephone">{facts.phone()}</span>')
    if facts.shows("company_email"):
        parts.append(f'<span itemprop="email">{facts.email()}</span>')
    inner = "\n".join(parts)
    return f'<div itemscope itemtype="https://schema.org/Organization">{inner}</div>'


def _hcard(facts: Facts) -> str:
    parts = [f'<span class="p-name fn org">{facts.legal_name()}</span>']
    if facts.shows("address"):
        parts.append(
            f'<div class="p-adr adr"><span class="p-street-address street-address">{facts.street()}'
            f'</span> <span class="p-postal-code postal-code">{facts.postal_code()}</span> '
            f'<span class="p-locality locality">{facts.city()}</span></div>'
        )
    if facts.shows("company_phone"):
        parts.append(f'<span class="p-tel tel">{facts.phone()}</span>')
    if facts.shows("company_email"):
        parts.append(f'<span class="u-email email">{facts.email()}</span>')
    inner = "\n".join(parts)
    return f'<div class="h-card vcard">{inner}</div>'


def _div_soup(facts: Facts) -> str:
    rows = "".join(
        f'<div class="x1a {label[:1].lower()}9z"><div><span>{value}</span></div></div>'
        for label, value in _rows(facts)
    )
    return f'<div class="c7q"><div class="k2"><span>{facts.name()}</span></div>{rows}</div>'


_STYLES: dict[str, Callable[[Facts], str]] = {
    "microdata": _microdata,
    "hcard": _hcard,
    "tables": _table,
    "definition_list": _definition_list,
    "footer_line": _line,
    "div_soup": _div_soup,
}


def contact_block(facts: Facts) -> str:
    """Return the block with name, address, phone and mail in the template's habit."""
    return _STYLES.get(facts.plan.template, _address_tag)(facts)


def legal_block(facts: Facts) -> str:
    """Return what an imprint adds: who is responsible, the VAT number."""
    parts = [_address_tag(facts)]
    if facts.people:
        parts.append(f"<p>{facts.words.managed_by}: {facts.people[0].full_name}</p>")
    if facts.shows("company_vat_id") and facts.company.vat_id:
        parts.append(f"<p>{facts.words.vat}: {facts.vat()}</p>")
    return "\n".join(parts)
