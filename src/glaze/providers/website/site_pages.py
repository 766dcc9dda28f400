"""Which few pages of a site to read beside the first: contact, imprint, about, team, careers."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from glaze.providers.website.document import Document, domain_or_host, host_of

MOST_PAGES = 5  # the first one included
_MAX_DEPTH = 3
_MAX_TEXT = 40
_NOT_A_PAGE = re.compile(
    r"\.(?:pdf|jpe?g|png|gif|svg|webp|zip|docx?|xlsx?|pptx?|mp[34]|ics|vcf|xml|json|css|js|exe|dmg)$"
    r"|/(?:login|signin|signup|register|cart|checkout|account|search|tag|category|wp-json|feed)(?:/|$)",
    re.IGNORECASE,
)
# In the order in which they are worth a request.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(words, re.IGNORECASE))
    for kind, words in (
        (
            "imprint",
            (
                r"impressum|imprint|mentions?[-_ ]?l[ée]gales?|aviso[-_ ]?legal|note[-_ ]?legali|colofon"
                r"|legal[-_ ]?(?:notice|info|information)|company[-_ ]?(?:details|information)|特定商取引|会社概要"
            ),
        ),
        (
            "contact",
            (
                r"contact|kontakt|contatt[io]|contacto|contato|get[-_ ]?in[-_ ]?touch|locations?\b|offices?\b"
                r"|standorte?|nous[-_ ]?trouver|yhteystiedot|お問い?合わせ|联系"
            ),
        ),
        (
            "about",
            (
                r"about|ueber|über|uns\b|a[-_ ]?propos|à[-_ ]propos|qui[-_ ]?sommes|chi[-_ ]?siamo|azienda|quienes|quiénes|nosotros"
                r"|empresa|sobre|over[-_ ]?ons|unternehmen|who[-_ ]?we[-_ ]?are|our[-_ ]?(?:story|company)|company\b|firma|om[-_ ]?os|om[-_ ]?oss|会社"
            ),
        ),
        (
            "team",
            r"team|leadership|management|people\b|staff|equipe|équipe|equipo|geschaeftsfuehrung",
        ),
        (
            "careers",
            (
                r"careers?|jobs?\b|karriere|stellen|join[-_ ]?us|vacanc|vacatures|recru(?:it|t)|emploi|empleo|lavora|work[-_ ]?with[-_ ]?us|採用"
            ),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A page worth reading, and what it is expected to be."""

    url: str
    kind: str


def pages_to_read(home: Document, most: int = MOST_PAGES - 1) -> list[Choice]:
    """Return at most one page of each kind, out of the first page's own links, best kinds first."""
    best: dict[str, tuple[float, str]] = {}
    seen = {_same_page(home.url)}
    for link in home.links:
        page = _same_page(link.url)
        if page in seen or not _is_own(link.url, home) or _NOT_A_PAGE.search(urlsplit(page).path):
            continue
        for kind, points in _kinds(page, link.text):
            if points > best.get(kind, (0.0, ""))[0]:
                best[kind] = (points, page)
    chosen: dict[str, Choice] = {}
    for kind, _ in _KINDS:
        if kind in best:
            url = best[kind][1]
            chosen.setdefault(url, Choice(url, kind))
    return list(chosen.values())[:most]


def _same_page(url: str) -> str:
    return url.partition("#")[0]


def _is_own(url: str, home: Document) -> bool:
    return url.startswith("http") and domain_or_host(host_of(url)) == home.domain


def _kinds(url: str, text: str) -> list[tuple[str, float]]:
    """Return the kinds that a link may be, each with how sure that is."""
    parts = urlsplit(url)
    steps = [step for step in unquote(parts.path).split("/") if step]
    found = []
    for kind, words in _KINDS:
        points = 0.0
        if len(steps) <= _MAX_DEPTH and steps and words.search(steps[-1]):
            points += 2.0
        if text and len(text) <= _MAX_TEXT and words.search(text):
            points += 2.0
        if points:
            # The shortest address is the general page, not one of its many children.
            found.append(
                (kind, points - 0.2 * len(steps) - 0.01 * len(parts.path) - 0.5 * bool(parts.query))
            )
    return found
