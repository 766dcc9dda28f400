"""Smaller facts in meta tags and text: description, founding year, VAT, staff, hours, pages."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from glaze.model.value import Reading
from glaze.providers.website.document import MENU_LENGTH, Document, domain_or_host, host_of
from glaze.providers.website.opening import hours_in_text
from glaze.providers.website.registration import REGISTER_WORDS, registration_numbers
from glaze.providers.website.staff import STAFF_WORDS, staff_in

_MIN_DESCRIPTION = 25
_FOUNDED = re.compile(
    r"\b(?:founded|established|est\.?|since|in business since|incorporated|serving \w+(?: \w+)? since|gegründet|seit|fondée?|depuis"
    r"|créée?|fundada|desde|fondata|dal|opgericht|sinds)\b\s*(?:in|im|en|nel|em|:)?\s*(?:the year\s*)?(?P<year>1[89]\d{2}|20[0-2]\d)\b",
    re.IGNORECASE,
)
_FOUNDED_JP = re.compile(
    r"(?:設立|創業|創立)[\s:\uff1a]*(?P<year>(?:1[89]|20)\d\d)年"
    r"|(?P<before>(?:1[89]|20)\d\d)年(?:\d+月)?(?:\d+日)?に?(?:設立|創業|創立)"
)
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_FOUNDED_WORDS = tuple(
    word.encode()
    for word in (
        *(
            "ounded",
            "OUNDED",
            "stablished",
            "STABLISHED",
            "Est. ",
            "est. ",
            "Est ",
            "EST",
            "ince ",
            "INCE ",
        ),
        *(
            "ncorporated",
            "egründet",
            "seit ",
            "Seit ",
            "ondé",
            "epuis",
            "réé",
            "undad",
            "esde",
            "ondat",
            " dal ",
        ),
        *("pgericht", "inds", "設立", "創業", "創立"),
    )
)
_VAT_WORDS = tuple(
    word.encode()
    for word in (
        *(
            "VAT",
            "Vat ",
            "USt",
            "ATU",
            "Umsatz",
            "MwSt",
            "TVA",
            "BTW",
            "btw",
            "IVA",
            "Iva ",
            "NIF",
            "CIF",
        ),
        *("MVA", "Moms", "DPH", "UID", "V.A", "P.I."),
    )
)
_CLEARLY = re.compile(r"found|establish|est\b|gegr|fond|cré|fund|opger|incorp", re.IGNORECASE)
_VAT_LABEL = r"(?:VAT|V\.A\.T|USt|Umsatzsteuer|MwSt|TVA|BTW|IVA|P\.?\s?IVA|Partita\s+IVA|NIF|CIF|MVA|Moms|DPH|UID|ATU)"
_VAT = re.compile(
    rf"{_VAT_LABEL}[\w\s.:/()#-]{{0,45}}?\b(?P<id>(?:ATU\d{{8}}|BE ?0?\d{{9}}|BE ?0\d{{3}}\.\d{{3}}\.\d{{3}}|CHE[- ]?\d{{3}}\.?\d{{3}}\.?\d{{3}}"
    r"|DE ?\d{3} ?\d{3} ?\d{3}|DK ?\d{8}|EL ?\d{9}|ES ?[A-Z0-9]\d{7}[A-Z0-9]|FI ?\d{8}|FR ?[0-9A-Z]{2} ?\d{3} ?\d{3} ?\d{3}|GB ?\d{3} ?\d{4} ?\d{2}"
    r"|IE ?\d[0-9A-Z]\d{5}[A-Z]{1,2}|IT ?\d{11}|LU ?\d{8}|NL ?\d{9}B\d{2}|NO ?\d{9}|PL ?\d{10}|PT ?\d{9}|SE ?\d{12}|CZ ?\d{8,10}|SK ?\d{10}))\b",
    re.IGNORECASE,
)
_BARE_VAT = (  # without the country's letters, as at home
    ("GB", re.compile(r"VAT[\w\s.:/()#-]{0,30}?\b(\d{3} ?\d{4} ?\d{2})\b", re.IGNORECASE)),
    ("IT", re.compile(r"(?:P\.?\s?IVA|Partita\s+IVA|P\.I\.)[\s.:/]{0,5}(\d{11})\b", re.IGNORECASE)),
)
_CONTACT = re.compile("contact|kontakt|contatt|contacto|get-in-touch|nous-joindre|お問い合わせ")
_CONTACT_WORDS = tuple(
    word.encode()
    for word in ("contact", "kontakt", "contatt", "get-in-touch", "nous-joindre", "お問い合わせ")
)
_CAREERS = re.compile(
    r"career|jobs?\b|karriere|stellen|join-?us|work-?with-?us|vacanc|recrut|recruit(?:ment)?(?=[\s/.?]|$)|emploi|empleo"
    r"|lavora-con|werken-bij|vacatures|採用"
)
_CAREERS_WORDS = tuple(
    word.encode()
    for word in (  # what each of them begins with, or has in it
        *(
            "career",
            "job",
            "karriere",
            "stellen",
            "join",
            "work",
            "vaca",
            "recru",
            "emploi",
            "empleo",
        ),
        *("lavora-con", "werken-bij", "採用"),
    )
)
_TAG_LENGTH = range(3, 51)
_MAX_FACT = 800  # characters of a line in which a fact is looked for


def fact_readings(document: Document, country: str) -> Iterator[Reading]:
    """Yield what meta tags and text say of the company beside name, contact and profiles."""
    yield from _description(document)
    yield from _website(document)
    yield from _from_lines(document, country)
    hours = hours_in_text([document.lines[place] for place in document.numbered])
    if hours:
        yield from document.reading(
            "company_opening_hours",
            [text for text, _ in hours],
            62,
            " ".join(line for _, line in hours),
        )
    yield from _pages(document)
    words = [
        word.strip()
        for word in document.meta("keywords").split(",")
        if len(word.strip()) in _TAG_LENGTH
    ]
    yield from document.reading("company_tags", words[:20], 52, document.meta("keywords"))


def _description(document: Document) -> Iterator[Reading]:
    for name, sure in (("og:description", 72), ("description", 74), ("twitter:description", 68)):
        text = document.meta(name)
        if len(text) >= _MIN_DESCRIPTION and (name != "og:description" or _is_home(document)):
            yield from document.reading(
                "company_description", text, sure if _is_home(document) else sure - 20, text
            )


def _is_home(document: Document) -> bool:
    return urlsplit(document.url).path.strip("/").lower() in {
        "",
        "index.html",
        "index.php",
        "home",
        "en",
        "de",
        "fr",
    }


def _website(document: Document) -> Iterator[Reading]:
    host = host_of(next(iter(document.rels.get("canonical", ())), "")) or document.host
    if host and domain_or_host(host) == document.domain:
        yield from document.reading("company_website", f"https://{host}", 60, document.url)


def _from_lines(document: Document, country: str) -> Iterator[Reading]:
    for line in document.figures.lines_with(_FOUNDED_WORDS):
        short = line[:_MAX_FACT]
        if not short.isascii():
            yield from _in_japanese(document, short)
        for match in _FOUNDED.finditer(short) if _YEAR.search(short) else ():
            sure = 66 if _CLEARLY.match(match[0]) else 48
            yield from document.reading("company_founded_year", match["year"], sure, line)
    for line in document.figures.lines_with(STAFF_WORDS):
        for staff in staff_in(line[:_MAX_FACT]):
            yield from document.reading("company_employee_count", staff.number, 58, line)
            yield from document.reading("company_size", staff.size, 58, line)
    for line in document.figures.lines_with(REGISTER_WORDS):
        for number in registration_numbers(line[:_MAX_FACT]):
            yield from document.reading("company_registration_number", number, 76, line)
    yield from _vat(document, country)


def _vat(document: Document, country: str) -> Iterator[Reading]:
    for line in document.figures.lines_with(_VAT_WORDS):
        short = line[:_MAX_FACT]
        for match in _VAT.finditer(short):
            yield from document.reading("company_vat_id", match["id"], 80, line)
        for land, pattern in _BARE_VAT:
            if land == country and (bare := pattern.search(short)):
                yield from document.reading("company_vat_id", land + bare[1], 74, line)


def _in_japanese(document: Document, line: str) -> Iterator[Reading]:
    for match in _FOUNDED_JP.finditer(line):
        year = match["year"] or match["before"]
        yield from document.reading("company_founded_year", year, 66, line)


def _pages(document: Document) -> Iterator[Reading]:
    menu = document.menu
    for name, pattern, words in (
        ("company_contact_url", _CONTACT, _CONTACT_WORDS),
        ("company_careers_url", _CAREERS, _CAREERS_WORDS),
    ):
        for number in sorted(menu.numbers_with(words)):
            link = document.links[number]
            if not link.url.startswith("http") or not pattern.search(menu.lines[number]):
                continue
            in_menu = len(link.text) < MENU_LENGTH and pattern.search(link.text.lower())
            own = domain_or_host(host_of(link.url)) == document.domain
            if own and (in_menu or pattern.search(urlsplit(link.url.lower()).path)):
                yield from document.reading(name, link.url, 72, link.text or link.url)
                break
