"""The company's name: what the page's statements about itself agree on."""

# ruff: noqa: RUF001, PLR2004  typographic signs separate; small counts of words speak for themselves

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape

from glaze.model.mailbox import is_free_mail
from glaze.model.names import company_key, has_legal_form
from glaze.model.site_credit import credit_start
from glaze.model.text import fold
from glaze.model.value import Reading
from glaze.model.web_address import is_shared_host
from glaze.providers.website.document import PLATFORMS, Document, domain_or_host, host_of
from glaze.providers.website.domain_spelling import best_spelling, squeezed_text, variants

_MAX_NAME = 70
_MAX_WORDS = 8
_SPLIT = re.compile(
    r"\s+[-–—|•·»«:/~>]+\s+|\s*[|•·»«]\s*|\s*::\s*|:\s+|\s+-{1,2}|-\s+|\s+[–—]|[–—]\s+"
)
_COPYRIGHT = re.compile(
    r"(?:©|\(c\)|\ufffd(?=\s*(?:19|20)\d\d)|&copy;|\bcopyright\b)[\s,:.-]*(?:©|\(c\)|\ufffd|copyright)?[\s,:.-]*(?:by\s+)?"
    r"(?P<years>(?:(?:19|20)\d\d(?:\s*(?:[-–—/,&]|to)\s*(?:(?:19|20)?\d\d|present|today))?)?)[\s,.:|-]*(?:by\s+|©\s*|copyright\s*)?(?P<name>[^©|•·]{2,90})",
    re.IGNORECASE,
)
_COPYRIGHT_AFTER = re.compile(
    r"(?P<name>[^.©|•·]{2,60}?)[\s,.|-]*(?:©|\(c\)\s|&copy;|copyright\b)\s*(?:©|\(c\))?\s*(?:19|20)\d\d",
    re.IGNORECASE,
)
_COPYRIGHT_END = re.compile(
    r"\s*(?:[.,;|–—-]?\s*\ball\s+(?:rights?|content|images)\b|[.,;|-]?\s*alle rechte|[.,;|-]?\s*tous droits|[.,;|-]?\s*todos los|[.,;|-]?\s*tutti i"
    r"|(?<=[a-z]{3})\.\s+[A-Z]|\s[-–—|•]\s|[.,;|]?\s*\b(?:privacy|terms|web ?site|site ?map|designed|design by|powered|registered (?:in|office|charity|company)|is a|a (?:division|subsidiary|member)"
    r"|and its|unless|last|legal (?:notice|info\w*|terms|disclaimer|mentions)|disclaimer|cookies?|developed|created|content (?:is|may|by)|hosted|company (?:no|reg)|vat|p\.?\s?iva|tel|telephone|phone|contact|imprint|impressum|mentions"
    r"|home|login|cvr|abn|trading as|t/a|\d{3,})\b).*",
    re.IGNORECASE | re.DOTALL,
)
_GENERIC = frozenset(
    "home|homepage|home page|welcome|index|contact|contact us|contacts|about|about us|blog|news|kontakt|impressum|startseite|accueil"
    "|inicio|contatti|untitled|untitled document|default|main|page|official site|official website|website|web site|site|online|shop|store|login"
    "|logo|site logo|company logo|brand logo|image|header|banner|menu|search|all rights reserved|rights reserved|the company|company|us|our company|copyright|your company|privacy policy"
    "|services|products|team|careers|articles|resources|faq|help|support|the|by|inc|ltd|llc|design|footer logo|header logo|main logo|white logo|logo white|legal|info|english|wordpress|my site|en|de|fr"
    "|home icon|icon|home logo|go to homepage|return home|back to home|skip to content|just another wordpress site|page not found|site title|news and articles|our blog|the blog".split(
        "|"
    )
)
_LEAD = re.compile(
    r"^(?:(?:19|20)\d\d|welcome to|home of|about|contact|visit|welcome at|welkom bij|willkommen bei|bienvenue chez|bienvenidos? a|the official (?:web)?site of|official site of|copyright|by|logo (?:of|for)|go to|back to|return to)\s+(?!us\b)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:\(?(?:official (?:web)?site|home ?page|website|blog|logo(?:type)?|icon|newsroom|documentation|docs|help cent(?:er|re)|main logo|(?:white|black|dark|light|color|header|footer) logo|logo (?:white|black|dark|light))\)?|[®™©])\s*$",
    re.IGNORECASE,
)
_TAIL_ENDS = (  # what every such tail ends in, for the pattern is dear
    *("site", "page", "blog", "logo", "logotype", "icon", "newsroom", "documentation", "docs"),
    *("center", "centre", "white", "black", "dark", "light", "®", "™", "©"),
)
_ABBREVIATED = re.compile(
    r"(?:\b(?:inc|corp|ltd|co|bros|assn)|\b[a-z](?:\. ?[a-z]{1,3}){1,3}|\bs\.? ?r\.? ?[lo])$",
    re.IGNORECASE,
)
_MAP = re.compile(  # whose data an embedded map shows
    r"map ?data|kartendaten|données cartographiques|datos de mapas|dati mappa|kaartgegevens"
    r"|картографические|openstreetmap|地図データ"
)
_BYLINE = re.compile(r"\s*(?:by|von|par|di|por|door)\s+[A-Z]")
_DOMAIN_LIKE = re.compile(
    r"(?:www\.)?[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|co\.uk|de|io|co|fr|it|us|biz|info|edu|gov|ca|au)\b\.?",
    re.IGNORECASE,
)
_DESCRIPTIVE = frozenset(
    [
        "best",
        "top",
        "how",
        "what",
        "why",
        "when",
        "guide",
        "your",
        "our",
        "the",
        "for",
        "and",
        "of",
        "in",
        "with",
        "to",
        "a",
        "services",
        "service",
        "solutions",
        "tips",
        "ways",
    ]
)


_NAMED = frozenset({"og:site_name", "application-name", "legal form", "home image"})
_STATED = _NAMED | {"copyright", "wordmark", "own line"}
_USUAL_SUBDOMAINS = frozenset(
    [
        "www",
        "blog",
        "blogs",
        "shop",
        "store",
        "m",
        "mobile",
        "en",
        "de",
        "fr",
        "es",
        "it",
        "nl",
        "us",
        "uk",
        "news",
        "info",
        "app",
        "my",
        "go",
        "get",
        "web",
        "support",
        "help",
        "docs",
        "about",
    ]
)


@dataclass
class _Candidate:
    text: str
    quote: str
    weight: float
    sources: set[str] = field(default_factory=set)


class _Ballot:
    """Candidates by key; a source's weight counts once for each key."""

    def __init__(self) -> None:
        self.found: dict[str, _Candidate] = {}

    def add(self, text: str, weight: float, source: str, quote: str) -> None:
        text = tidy_name(text)
        key = company_key(text).replace(" ", "")
        if not key or len(text) > _MAX_NAME or text.lower() in _GENERIC or key in _GENERIC:
            return
        known = self.found.get(key)
        if known is None:
            self.found[key] = _Candidate(text, quote, weight, {source})
        elif source not in known.sources:
            known.sources.add(source)
            known.weight += weight


def tidy_name(text: str) -> str:
    """Return a name without the words around it ("Welcome to ...", "... Logo", a trademark)."""
    text = unescape(text) if "&" in text else text
    text = text.replace("_", " ") if " " not in text else text
    text = with_dot(text, text.strip(" \t.,;:|-–—\"“”'*·•»«"))
    for _ in range(3):
        lead = _LEAD.match(text)
        shorter = text[lead.end() :] if lead else text
        if shorter.lower().rstrip(") ").endswith(_TAIL_ENDS):
            shorter = _TAIL.sub("", shorter)
        shorter = shorter.strip(' ,;:|-–—"“”*·')
        if shorter == text or not shorter:
            break
        text = shorter
    return text


def with_dot(text: str, stem: str) -> str:
    """Return ``stem`` with the dot behind it in ``text`` where that belongs to its legal form."""
    end = text.find(stem) + len(stem)
    return f"{stem}." if text[end : end + 1] == "." and _ABBREVIATED.search(stem) else stem


def site_labels(document: Document, emails: Sequence[str]) -> set[str]:
    """Return the names that the site's domains spell: of its host, its canonical URL, its mail."""
    hosts = {document.host}
    hosts |= {host_of(link) for link in document.rels.get("canonical", ())}
    hosts |= {host_of(document.meta("og:url"))}
    hosts |= {email.rpartition("@")[2] for email in emails}
    domains = {domain_or_host(host) for host in hosts if host}
    names = {
        domain.partition(".")[0]
        for domain in domains
        if not is_free_mail(domain) and domain not in PLATFORMS and not is_shared_host(domain)
    }
    first = document.host.partition(".")[0]
    if first not in _USUAL_SUBDOMAINS and document.host != document.domain:
        names.add(first)
    return {label for name in names if len(label := name.replace("-", "")) > 1}


def name_readings(document: Document, labels: set[str]) -> Iterator[Reading]:
    """Yield the likeliest names, best first; the registered name where one is written out.

    ``labels`` are the names that the site's domains spell: see ``site_labels``.
    """
    ballot = _Ballot()
    _from_metas(document, ballot)
    _from_title(document, ballot)
    legal = _from_text(document, ballot)
    _spelt_by_domain(document, labels, ballot)
    _from_pictures(document, ballot)
    author = company_key(document.meta("author")).replace(" ", "")
    for key, candidate in ballot.found.items():
        likeness = _likeness(key, candidate.text, labels)
        if key == author and not candidate.sources & _NAMED:
            candidate.weight *= 0.5
            likeness *= 0.3  # who writes a site owns its domain and rights, and is not its name
        if "og:site_name" in candidate.sources and _DOMAIN_LIKE.fullmatch(candidate.text):
            likeness = 3.0 + 1.2  # a site that is called by its domain
        candidate.weight += likeness + _shape(candidate.text)
    _support_longer(ballot)
    ranked = sorted(ballot.found.values(), key=lambda one: -one.weight)
    for place, candidate in enumerate(ranked[:3]):
        sure = max(45, min(82, int(52 + 5 * candidate.weight))) - 8 * place
        yield from document.reading("company_name", candidate.text, sure, candidate.quote)
    for text, quote in legal:
        yield from document.reading("company_legal_name", text, 72, quote)


def _from_metas(document: Document, ballot: _Ballot) -> None:
    for name, weight in (
        ("og:site_name", 3.4),
        ("application-name", 2.2),
        ("apple-mobile-web-app-title", 2.0),
        ("dc.publisher", 1.5),
        ("publisher", 1.2),
        ("copyright", 1.0),
        ("author", 0.5),
        ("name", 0.6),
    ):
        text = document.meta(name)
        if text and not text.startswith("http"):
            pieces = [piece for piece in _SPLIT.split(text) if piece]
            ballot.add(text, weight, name, text)
            if len(pieces) > 1:
                for piece in pieces:
                    ballot.add(piece, weight * 0.75, name, text)


def _from_title(document: Document, ballot: _Ballot) -> None:
    lines = set(document.lines)
    for source, title in (("title", document.title), ("og:title", document.meta("og:title"))):
        pieces = [
            piece for piece in _SPLIT.split(title) if piece.strip() and not _BYLINE.match(piece)
        ]
        scale = 1.0 if source == "title" else 0.4
        for place, piece in enumerate(pieces):
            edge = 1.0 if place == len(pieces) - 1 else 0.8 if place == 0 else 0.4
            alone = 0.7 if len(pieces) == 1 else 1.0
            ballot.add(piece, 1.6 * edge * alone * scale, source, title)
            if piece in lines:
                ballot.add(piece, 0.5, "own line", title)
    for heading in document.headings[:2]:
        ballot.add(heading, 0.5, "h1", heading)
    if _has_wordmark(document):
        ballot.add(document.headings[0], 2.4, "wordmark", document.headings[0])


def _has_wordmark(document: Document) -> bool:
    """Tell whether the first heading is the site's own and the second one the page's title."""
    mark, *others = document.headings or [""]
    topic = document.meta("og:title") or _SPLIT.split(document.title)[0]
    return bool(mark) and topic in others and mark != topic


def _spelt_by_domain(document: Document, labels: set[str], ballot: _Ballot) -> None:
    """Add the words in title or text that spell the domain: "Contact Acme Widgets Today"."""
    lines = [
        *(document.title, *document.headings),
        *(*document.lines[:400], *document.lines[400:][-100:]),
    ]
    squeezed = squeezed_text("\n".join(lines))
    for label in sorted(labels):
        for spelt in variants(label):
            found, count = best_spelling(lines, squeezed, spelt)
            if found:
                ballot.add(found, 0.5 + 0.15 * min(count, 5), "spells domain", found)


def _from_text(document: Document, ballot: _Ballot) -> list[tuple[str, str]]:
    legal: dict[str, str] = {}
    for line in (
        (*document.lines[:80], *document.lines[-120:])
        if len(document.lines) > 200
        else document.lines
    ):
        lower = line.lower()
        if "©" in line or "copyright" in lower or "(c)" in lower or "\ufffd" in line:
            if _MAP.search(lower):
                continue
            for name in _copyright_names(line[: credit_start(line)]):
                ballot.add(name, 2.2, "copyright", line)
                if has_legal_form(name):
                    legal.setdefault(tidy_name(name), line)
        elif len(line) <= _MAX_NAME and _ends_legally(line) and len(line.split()) <= _MAX_WORDS:
            ballot.add(line, 1.9, "legal form", line)
            if line[:1].isupper():
                legal.setdefault(line, line)
    return list(legal.items())[:2]


def _ends_legally(line: str) -> bool:
    head, _, last = line.replace("_", " ").rpartition(" ")
    return bool(head) and _is_legal_form(last)


@lru_cache(maxsize=65_536)
def _is_legal_form(word: str) -> bool:
    return has_legal_form(f"x {word}")


def _copyright_names(line: str) -> Iterator[str]:
    for match in _COPYRIGHT.finditer(line):
        name = with_dot(match["name"], _COPYRIGHT_END.sub("", match["name"]).strip(" .,-–—"))
        if name and len(name.split()) <= _MAX_WORDS and not name[:1].isdigit():
            yield name
    for match in _COPYRIGHT_AFTER.finditer(line):
        if len(match["name"].split()) <= _MAX_WORDS:
            yield match["name"].strip()


def _from_pictures(document: Document, ballot: _Ballot) -> None:
    for image in document.images:
        logo = "logo" in f"{image.hint} {image.alt} {image.url}".lower()
        if image.alt and "partner" not in image.places and "article" not in image.places:
            if image.leads_home:
                ballot.add(image.alt, 1.6, "home image", image.alt)
            elif logo and image.order < 3:  # the first pictures are the site's own
                ballot.add(image.alt, 1.0, "logo", image.alt)
    for link in document.links[:40]:
        if (
            link.url.rstrip("/") == f"https://{document.host}"
            or link.url.rstrip("/") == f"http://{document.host}"
        ):
            ballot.add(link.text, 0.9, "home link", link.text)


def _likeness(key: str, text: str, labels: set[str]) -> float:
    """Return how well a name spells one of the site's domains, 0 to 3."""
    best = 0.0
    whole = fold(text).replace(" ", "")
    initials = "".join(
        word[0] for word in fold(text).split() if word not in {"and", "of", "the", "for"}
    )
    for label in {variant for one in labels for variant in variants(one)}:
        if label in (key, whole, whole.replace("and", "")):
            best = max(best, 3.0)
        elif len(initials) > 2 and label == initials:  # two initials are chance
            best = max(best, 2.2)
        elif len(key) > 3 and (label.startswith(key) or key.startswith(label)):
            best = max(best, 2.4 * min(len(key), len(label)) / max(len(key), len(label)))
        elif len(key) > 3 and (key in label or label in key):
            best = max(best, 1.8 * min(len(key), len(label)) / max(len(key), len(label)))
        elif len(initials) > 2 and (label.startswith(initials)):
            best = max(best, 0.8)
    return best


_AGAINST: tuple[tuple[float, re.Pattern[str]], ...] = (
    (1.0, _SPLIT),
    (1.0, re.compile(r"[?!]$|\b(?:19|20)\d\d\b")),
    (0.5, re.compile(r"[^A-Z]* [^A-Z]*")),
    (1.2, _DOMAIN_LIKE),
)


def _shape(text: str) -> float:
    """Return what a text's shape says for (or against) its being a name."""
    words = text.split()
    legal = has_legal_form(text)
    points = 0.4 if legal else 0.0
    points -= 0.6 * max(0, len(words) - 5)
    if words[0].lower() in _DESCRIPTIVE - {"the"}:
        points -= 0.8
    if "," in text and not legal:
        points -= 0.8
    for loss, pattern in _AGAINST:
        whole = pattern in (_AGAINST[2][1], _DOMAIN_LIKE)
        if pattern.fullmatch(text) if whole else pattern.search(text):
            points -= loss
    return points


def _support_longer(ballot: _Ballot) -> None:
    """Let a stated longer name inherit from a short one that begins it: Acme, Acme Widgets Inc."""
    plain = {key: candidate.weight for key, candidate in ballot.found.items()}
    for key, candidate in ballot.found.items():
        words = fold(candidate.text).split()
        apart = _SPLIT.search(candidate.text) or (
            "," in candidate.text and not has_legal_form(candidate.text)
        )
        if 1 < len(words) <= 5 and candidate.sources & _STATED and not apart:  # more is a slogan
            shorter = [
                plain[short]
                for cut in range(1, len(words))
                if (short := "".join(words[:cut])) in plain
                and short != key
                and len(short) > 2
                # What a page calls itself in so many words is its name, however others go on.
                and "og:site_name" not in ballot.found[short].sources - candidate.sources
            ]
            candidate.weight += 0.75 * max(0.0, max(shorter, default=0.0))
