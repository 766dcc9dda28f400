"""Whether an address has no site, but a page on which its domain is offered, parked or expired."""

import re

from glaze.providers.website.document import Document

_SHORT = 2_000
"""Characters of a page that may be about its own domain throughout; a longer one speaks of others."""
_MOST_QUOTED = 120
_LOOKED_AT = 300
"""Characters of a line that are searched: a page may be made to cost time."""

_OFFERED = (
    r"(?:is|are|may be|might be|could be)\s+(?:now\s+|currently\s+|still\s+)?"
    r"(?:for sale|on sale|available for (?:sale|purchase)|listed for sale|parked)"
)
_ANYWHERE = re.compile(
    rf"\b(?:this|the) (?:premium )?(?:web ?)?(?:domain|address)(?: name)?(?: \S{{1,80}})? {_OFFERED}"
    r"|\b(?:buy|purchase|get|own|inquire about|make an offer (?:on|for)) this (?:premium )?domain\b"
    r"|\bthis (?:web ?)?(?:domain|site)(?: name)? (?:has|is) (?:been |just been )?"
    r"(?:registered|parked|expired|reserved|suspended)\b"
    r"|\b(?:domain parking|parked (?:free|domain|page))\b"
    r"|\bdiese (?:internet-?)?domain (?:steht|ist)\b.{0,40}\b(?:verkauf|verkaufen|erwerben|reserviert|registriert|geparkt)"
    r"|\bce (?:nom de )?domaine est (?:à vendre|en vente|réservé|enregistré)"
    r"|\beste dominio (?:está|puede estar) (?:a la|en) venta|\beste dom[ií]nio est[áa] [àa] venda"
    r"|\b(?:questo|il) dominio è (?:in vendita|parcheggiato)|\bdeze domein(?:naam)? is te koop"
    r"|\bdit domein is te koop|\bdomena (?:jest )?na sprzedaż",
    re.IGNORECASE,
)


def parked(page: Document) -> str | None:
    """Return the words that say that there is no site here, None where there is one.

    What such a page states of a company is its broker's or its registrar's.
    """
    own = re.compile(
        rf"(?<![\w.-]){re.escape(page.domain)}\s+{_OFFERED}|(?:buy|purchase)\s+{re.escape(page.domain)}\b",
        re.IGNORECASE,
    )
    told = [page.title, *page.headings]
    if len(page.text) <= _SHORT:
        told.extend(page.lines)
    for line in (line[:_LOOKED_AT] for line in told):
        found = own.search(line) or _ANYWHERE.search(line)
        if found:
            return found.group()[:_MOST_QUOTED]
    return None
