"""E-mail addresses: plain, in links, and in the disguises that sites give them."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote

from glaze.model.mailbox import is_free_mail, is_role
from glaze.model.site_credit import credit_start, credits_maker
from glaze.model.value import Reading
from glaze.providers.website.document import Document, Link, domain_or_host
from glaze.providers.website.hidden_emails import reversed_text

_PLAIN = re.compile(
    r"(?<![\w.+-])([A-Za-z0-9][\w.+'&-]{0,63})(?:\s@\s|@\s?)"
    r"((?:[A-Za-z0-9\u00c0-\u024f](?:[A-Za-z0-9\u00c0-\u024f-]{0,61}[A-Za-z0-9\u00c0-\u024f])?\.)+"
    r"(?:[a-z]{2,24}?(?=[A-Z]|https?:)|[A-Za-z]{2,24}(?![a-z_-])))"
)
_AT_WORD = (
    "at|arroba|arobase|chez|klammeraffe|apenstaartje|chiocciola|kukac|zavinac|snabel-?a|@|\u00e4t"
)
_AT = (
    rf"\s*(?:[\[({{<]\s*(?i:{_AT_WORD})\s*[\])}}>]|\s(?:at|AT|\(?a\)?)\s|\[a\]|\(a\)"
    r"|-at-|-AT-|_at_|_AT_|\*at\*|\*AT\*|&#64;)\s*"
)
_DOT = (
    r"(?:\s*(?:[\[({<]\s*(?i:dot|punkt|point|punto|punt|\.)\s*[\])}>]|\s(?:dot|DOT)\s"
    r"|_dot_|_DOT_|-dot-|-DOT-)\s*|\.)"
)
_DISGUISED = re.compile(
    rf"(?<![\w.+-])([A-Za-z0-9][\w.+-]{{0,63}}){_AT}([A-Za-z0-9-]{{2,40}}(?:{_DOT}[A-Za-z0-9-]{{2,40}}){{1,3}})(?![\w-])"
)
_STRONG_AT = re.compile(
    rf"[\[({{<]\s*(?:{_AT_WORD}|a)\s*[\])}}>]|[-_*]at[-_*]|&#64;", re.IGNORECASE
)
# What an address shows of itself in a text: a word, the full-width "@" among them, or a disguise.
_SIGNS = tuple(sign.encode() for sign in ("@", "\uff20", " dot ", " DOT "))
# One set of first signs, for the search then leaps from one to the next.
_DISGUISE_SIGN = re.compile(
    rf"[\[({{<&_*-](?i:(?<=[\[({{<])\s*(?:{_AT_WORD}|a)\s*[\])}}>]|(?<=[-_*])at[-_*]|#64;)[^\n]*"
)
_DOT_WORD = re.compile(_DOT)
_FILE_ENDINGS = (
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "avif",
    "css",
    "js",
    "mp4",
    "ico",
    "pdf",
)
_SAMPLE_DOMAINS = frozenset(
    [
        "example.com",
        "example.org",
        "example.net",
        "domain.com",
        "yourdomain.com",
        "yourcompany.com",
        "company.com",
        "email.com",
        "mail.com",
        "test.com",
        "sentry.io",
        "wixpress.com",
        "sentry.wixpress.com",
        "mysite.com",
        "website.com",
        "beispiel.de",
        "exemple.fr",
        "ejemplo.com",
        "mydomain.com",
        "yoursite.com",
    ]
)
_SAMPLE_NAMES = frozenset(
    [
        "you",
        "your",
        "yourname",
        "name",
        "user",
        "username",
        "jane.doe",
        "john.doe",
        "max.mustermann",
        "email",
        "youremail",
    ]
)
# Put in for robots to trip over, and told to people: "info@NOSPAM.acme.com".
_TRAP = re.compile(
    r"[._-]?(?:no[._-]?spam|spam[._-]?frei|remove[._-]?(?:this|me)|delete[._-]?this)[._-]?",
    re.IGNORECASE,
)
_ESCAPED = re.compile(
    r"^(?:u00[23][0-9a-f])+"
)  # of a JSON that was printed: "\\u003einfo@acme.com"
_WIDE = {0xFF20: "@", 0xFF0E: "."}
_METAS = ("business:contact_data:email", "og:email", "reply-to")
_OWN, _OWN_PERSON, _FREE, _FOREIGN = 84, 74, 68, 52
_DISGUISE = 4  # off the confidence of an address that had to be put together
_MOST_ON_A_PAGE = 40


def email_readings(document: Document) -> Iterator[Reading]:
    """Yield the page's addresses, each once: the company's own mailboxes, then people's, others."""
    found: dict[str, Reading] = {}
    for written, quote, loss in _candidates(document):
        address = _ESCAPED.sub("", _without_trap(written))
        loss = max(loss, _DISGUISE * (address != written))  # noqa: PLW2901  put together here, too
        local, _, domain = address.lower().partition("@")
        if domain in _SAMPLE_DOMAINS or local in _SAMPLE_NAMES or domain.endswith(_FILE_ENDINGS):
            continue
        sure = _confidence(document, address) - loss
        for reading in document.reading("company_email", address, sure, quote):
            found.setdefault(str(reading.value).lower(), reading)
    yield from sorted(found.values(), key=lambda reading: -reading.confidence)[:_MOST_ON_A_PAGE]


def _without_trap(address: str) -> str:
    """Return an address without what a person is told to leave out."""
    local, _, domain = address.partition("@")
    kept = _TRAP.sub("", local), _TRAP.sub("", domain)
    return "@".join(kept) if all(kept) else address


def _confidence(document: Document, address: str) -> int:
    domain = domain_or_host(address.rpartition("@")[2].lower())
    if domain == document.domain or domain.partition(".")[0] == document.domain.partition(".")[0]:
        return _OWN if is_role(address) else _OWN_PERSON
    return _FREE if is_free_mail(domain) else _FOREIGN


def _candidates(document: Document) -> Iterator[tuple[str, str, int]]:
    """Yield (address, quote, what its disguise takes off the confidence)."""
    for link in document.links:
        if (
            link.url[:1] in "mM"
            and link.url[:7].lower() == "mailto:"
            and not credits_maker(link.text)
        ):
            yield from _in_link(link)
    yield from _in_metas(document)
    disguised = (match.start() for match in _DISGUISE_SIGN.finditer(document.text))
    numbers = document.numbers_with(_SIGNS) | set(map(document.line_number, disguised))
    for line in map(document.lines.__getitem__, sorted(numbers)):
        yield from _in_line(line[: credit_start(line)].translate(_WIDE), line)
    for address in document.hidden_emails:
        yield address, address, _DISGUISE
    for line in document.lines_with([f"{document.domain[::-1]}@".encode()]):
        for address in reversed_text(line, document.domain):
            yield address, line, _DISGUISE


def _in_metas(document: Document) -> Iterator[tuple[str, str, int]]:
    for name in _METAS:
        text = document.meta(name)
        for match in _PLAIN.finditer(text):
            yield f"{match[1]}@{match[2]}", text, 0


def _in_line(own: str, line: str) -> Iterator[tuple[str, str, int]]:
    for match in _PLAIN.finditer(own) if "@" in own else ():
        yield f"{match[1].rstrip('.')}@{match[2]}", line, 0
    yield from _disguised_in(own, line)


def _in_link(link: Link) -> Iterator[tuple[str, str, int]]:
    target = unquote(unescape(link.url[7:].partition("?")[0]))
    for match in _PLAIN.finditer(target):
        yield f"{match[1]}@{match[2]}", link.text or target, 0
    if "@" not in target:
        for match in _DISGUISED.finditer(target):
            yield _undisguised(match), link.text or target, _DISGUISE


def _disguised_in(own: str, line: str) -> Iterator[tuple[str, str, int]]:
    # "meet us at acme.com" is no address; "info at acme dot com" is.
    may_be_one = " dot " in own.lower() or _STRONG_AT.search(own)
    for match in _DISGUISED.finditer(own) if may_be_one else ():
        if _STRONG_AT.search(match[0]) or " dot " in match[0].lower():
            yield _undisguised(match), line, _DISGUISE


def _undisguised(match: re.Match[str]) -> str:
    return f"{match[1]}@{_DOT_WORD.sub('.', match[2])}"
