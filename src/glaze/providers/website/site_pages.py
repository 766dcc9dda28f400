"""Which few pages of a site to read beside the first: imprint, contact, about, team, careers."""

# ruff: noqa: RUF001  Turkish and Cyrillic letters look like Latin ones

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from glaze.providers.website.document import Document, domain_or_host, host_of

MOST_PAGES = 6  # the first one included
_MAX_DEPTH = 3
_MAX_TEXT = 40
_ENDING = re.compile(r"\.\w{2,5}$")
_NOT_A_PAGE = re.compile(
    r"\.(?:pdf|jpe?g|png|gif|svg|webp|zip|docx?|xlsx?|pptx?|mp[34]|ics|vcf|xml|json|css|js|exe|dmg)$"
    r"|/(?:login|signin|signup|register|cart|checkout|account|search|tag|category|wp-json|feed)(?:/|$)",
    re.IGNORECASE,
)
# What pages of each kind are called, in addresses and in menus; in the order in which they are
# worth a request. A hyphen stands for what separates words in either.
_WORDS: tuple[tuple[str, str], ...] = (
    (
        "imprint",
        (
            r"impressum imprint mentions?-l[ée]gales? aviso-legal not[ae]s?-legal[ei]? informazioni-legali"
            r" ^legal$ legal-(?:notice|info|information) company-(?:details|information) colofon impresszum"
            r" tir[áa][žz] informa[çc](?:ões|oes)-legais \bk[üu]nye juridisk-info\w* 特定商取引 会社概要"
            r" 公司简介"
        ),
    ),
    (
        "contact",
        (
            r"contact kontakt contatt[io] contato get-in-touch locations?\b offices?\b standorte? anfahrt"
            r" nous-trouver yhteystiedot ota-yhteytt[äa] kapcsolat ileti[sş]im контакт επικοινωνία"
            r" susisiekite お問い?合わせ 联系 聯[絡繫] 문의 오시는"
        ),
    ),
    (
        "about",
        (
            r"about ueber über \buns\b [aà]-propos qui-sommes chi-siamo azienda quienes quiénes nosotros"
            r" empresa \bsobre quem-somos over-ons unternehmen who-we-are our-(?:story|company) company\b"
            r" firma \bom-oss?\b \bo-n[aá]s\b \bo-firmie tietoa-meist[äa] \byritys\b \br[óo]lunk"
            r" despre-noi hakk[ıi]m[ıi]zda kurumsal о-нас о-компании σχετικά 会社(?:案内|情報) 企業情報"
            r" 关于 關於 회사소개"
        ),
    ),
    (
        "team",
        (
            r"\bteam leadership management-team ^management$ people\b staff [ée]quipe equipo equipa zesp[óo][łl]"
            r" ansprechpartner geschaeftsfuehrung medarbejdere ansatte medarbetare henkil[öo]st[öo]"
            r" команда 团队 役員"
        ),
    ),
    (
        "careers",
        (
            r"careers? \bjobs?\b karr?i[eéä]r[ae]? stellen join-us vacanc vacatures recruit emploi"
            r" empleo lavora work-with-us werken-bij \bpraca\b jobba-hos ledige-stillinger ty[öo]paikat"
            r" trabalhe \bvagas\b carreiras? trabaja kariyer вакансии карьера 採用 招聘 채용"
        ),
    ),
)
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (
        kind,
        re.compile("|".join(word.replace("-", "[-_ ]?") for word in words.split()), re.IGNORECASE),
    )
    for kind, words in _WORDS
)
_LEAST = 1.0  # points that make a page worth a request


@dataclass(frozen=True, slots=True)
class Choice:
    """A page worth reading, and what it is expected to be."""

    url: str
    kind: str


def pages_to_read(home: Document, listed: Sequence[str] = ()) -> list[Choice]:
    """Return at most one page of each kind, the best kinds first.

    They come out of the first page's own links, and out of ``listed`` pages of the site.
    """
    best: dict[str, tuple[float, str]] = {}
    seen = {_same_page(home.url)}
    named = [(link.url, link.text) for link in home.links]
    for url, text in (*named, *((page, "") for page in listed)):
        page = _same_page(url)
        if page in seen or not _is_own(url, home) or _NOT_A_PAGE.search(urlsplit(page).path):
            continue
        for kind, points in _kinds(page, text):
            if kind not in best or points > best[kind][0]:
                best[kind] = (points, page)
    chosen: dict[str, Choice] = {}
    for kind, _ in _KINDS:
        if kind in best:
            page = best[kind][1]
            chosen.setdefault(page, Choice(page, kind))
    return list(chosen.values())[: MOST_PAGES - 1]


def _same_page(url: str) -> str:
    return url.partition("#")[0]


def _is_own(url: str, home: Document) -> bool:
    return url.startswith("http") and domain_or_host(host_of(url)) == home.domain


def _kinds(url: str, text: str) -> list[tuple[str, float]]:
    """Return the kinds that a link may be, each with how sure that is."""
    parts = urlsplit(url)
    steps = [step for step in unquote(parts.path).split("/") if step]
    last = _ENDING.sub("", steps[-1]) if steps and len(steps) <= _MAX_DEPTH else ""
    # The shortest address is the general page, not one of its many children.
    far = 0.2 * len(steps) + 0.01 * len(parts.path) + 0.5 * bool(parts.query)
    found = []
    for kind, words in _KINDS:
        points = _covered(last, words) + _covered(text if len(text) <= _MAX_TEXT else "", words)
        if points >= _LEAST:
            found.append((kind, points - far))
    return found


def _covered(text: str, words: re.Pattern[str]) -> float:
    """Return 0.5 to 2 points for a text that holds one of the words: 2 where it is nothing else."""
    found = words.search(text)
    return 0.5 + 1.5 * (found.end() - found.start()) / len(text) if found else 0.0
