"""Profile addresses: LinkedIn pages and social handles in one form each."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, unquote

from glaze.model.value import FieldName
from glaze.model.web_address import WebAddress, parse_url


class LinkedIn(NamedTuple):
    """A public LinkedIn page: ``kind`` is in, company, school or showcase."""

    kind: str
    slug: str  # percent-decoded, lower case

    @property
    def is_person(self) -> bool:
        """Whether the page is a person's."""
        return self.kind == "in"

    @property
    def key(self) -> str:
        """The page as an identity: ``company/acme``."""
        return f"{self.kind}/{self.slug}"

    def __str__(self) -> str:
        """Return the page's address."""
        return f"https://www.linkedin.com/{self.kind}/{quote(self.slug, safe='')}"


_LINKEDIN_KINDS = ("in", "company", "school", "showcase")
_LINKEDIN_SLUG = re.compile(r"""[^\s/?#<>"\\]{2,100}""")
# Member and sales urns name the same person differently for every viewer.
_LINKEDIN_URN = re.compile(r"ac[owr][a-z0-9_-]{20,}")


def parse_linkedin(text: str) -> LinkedIn:
    """Read a LinkedIn profile or page: any subdomain, no scheme, or a bare ``company/acme``.

    Raises: ValueError where it is no public page, with a reason for people.
    """
    text = text.strip().lstrip("/")
    if text.partition("/")[0] in _LINKEDIN_KINDS:
        text = f"linkedin.com/{text}"
    address = parse_url(text)
    if not is_linkedin(address.host):
        raise ValueError("not a LinkedIn address")
    kind, slug = _linkedin_parts(address.path)
    slug = unicodedata.normalize("NFC", unicodedata.normalize("NFC", unquote(slug)).lower())
    if kind not in _LINKEDIN_KINDS or not _is_slug(slug):
        raise ValueError("not a public LinkedIn profile (/in/...) or page (/company/...)")
    if kind == "in" and _LINKEDIN_URN.fullmatch(slug):
        raise ValueError("a member urn, not a public LinkedIn profile")
    return LinkedIn(kind, slug)


def _is_slug(slug: str) -> bool:
    return bool(_LINKEDIN_SLUG.fullmatch(slug)) and slug.isprintable()


def _linkedin_parts(path: str) -> tuple[str, str]:
    steps = [step for step in path.split("/") if step]
    if steps and steps[0].lower() == "organization-guest":
        steps = steps[1:]
    kind = steps[0].lower() if steps else ""
    kind = "company" if kind == "company-beta" else kind
    return kind, steps[1] if len(steps) > 1 else ""


def is_linkedin(host: str) -> bool:
    """Tell whether ``host`` is LinkedIn's, whatever the country subdomain."""
    return host == "linkedin.com" or host.endswith(".linkedin.com")


def _handle(pattern: str, reserved: str = "") -> Callable[[list[str]], str | None]:
    shape, never = re.compile(pattern), frozenset(reserved.split())

    def read(steps: list[str]) -> str | None:
        name = steps[0].removeprefix("@").lower() if steps else ""
        return name if shape.fullmatch(name) and name not in never else None

    return read


def _facebook(steps: list[str]) -> str | None:
    if steps[:1] in (["pages"], ["people"]) and steps[2:] and steps[2].isdigit():
        return steps[2]  # /pages/Some-Name/123: the number is what stays
    if steps[:1] in (["pg"], ["pages"], ["people"]):
        steps = steps[1:]
    return _facebook_name(steps)


_facebook_name = _handle(
    r"[a-z0-9.\-]{3,80}",
    "sharer sharer.php share share.php dialog plugins tr groups events login login.php home.php"
    " watch hashtag help policies privacy marketplace profile.php story.php photo.php",
)


def _youtube(steps: list[str]) -> str | None:
    if steps[:1] == ["channel"] and len(steps) > 1:  # an id, the one part here that has case
        return f"channel/{steps[1]}" if re.fullmatch(r"UC[\w-]{22}", steps[1]) else None
    if steps[:1] and steps[0] in ("c", "user") and len(steps) > 1:
        name = _youtube_name(steps[1:])
        return name and f"{steps[0]}/{name}"
    name = _youtube_name(steps) if steps and steps[0].startswith("@") else None
    return name and f"@{name}"


_youtube_name = _handle(r"[a-z0-9._%\-]{2,100}")


def _crunchbase(steps: list[str]) -> str | None:
    if steps[:1] and steps[0] in ("organization", "person", "company") and len(steps) > 1:
        kind = "organization" if steps[0] == "company" else steps[0]
        slug = steps[1].lower()
        return f"{kind}/{slug}" if re.fullmatch(r"[a-z0-9-]{1,100}", slug) else None
    return None


def _xing(steps: list[str]) -> str | None:
    if steps[:1] and steps[0] in ("pages", "companies") and len(steps) > 1:
        slug = steps[1].lower()
        return f"pages/{slug}" if re.fullmatch(r"[a-z0-9._%-]{2,100}", slug) else None
    return None


def _at_handle(pattern: str) -> Callable[[list[str]], str | None]:
    """Read ``/@name``, where a path without the @ is something else."""
    shape = re.compile(pattern)

    def read(steps: list[str]) -> str | None:
        name = steps[0].lower() if steps else ""
        return name if shape.fullmatch(name) else None

    return read


@dataclass(frozen=True, slots=True)
class _Site:
    name: str
    hosts: frozenset[str]
    base: str
    read: Callable[[list[str]], str | None]
    bare: str  # the shape of a handle given without host; "" where none is used


_SITES: Mapping[str, _Site] = {
    site.name: site
    for site in (
        _Site(
            "twitter",
            frozenset({"twitter.com", "x.com", "mobile.twitter.com"}),
            "https://x.com/",
            _handle(
                r"\w{1,15}",
                "intent share home hashtag search i login signup explore settings privacy tos",
            ),
            r"@?\w{1,15}",
        ),
        _Site(
            "facebook",
            frozenset({"facebook.com", "m.facebook.com", "fb.com", "fb.me", "web.facebook.com"}),
            "https://www.facebook.com/",
            _facebook,
            r"@?[\w\-]{3,80}",
        ),
        _Site(
            "instagram",
            frozenset({"instagram.com", "instagr.am", "m.instagram.com"}),
            "https://www.instagram.com/",
            _handle(r"[a-z0-9_.]{1,30}", "p explore reel reels stories accounts tv share"),
            r"@?[\w]{1,30}",
        ),
        _Site(
            "youtube",
            frozenset({"youtube.com", "m.youtube.com"}),
            "https://www.youtube.com/",
            _youtube,
            r"@[\w\-]{2,100}",
        ),
        _Site(
            "github",
            frozenset({"github.com"}),
            "https://github.com/",
            _handle(
                r"[a-z0-9](?:[a-z0-9-]{0,38})",
                "about features pricing login join topics search orgs sponsors marketplace"
                " collections explore settings site security",
            ),
            r"@?[a-zA-Z0-9][a-zA-Z0-9\-]{0,38}",
        ),
        _Site(
            "crunchbase",
            frozenset({"crunchbase.com"}),
            "https://www.crunchbase.com/",
            _crunchbase,
            "",
        ),
        _Site(
            "tiktok",
            frozenset({"tiktok.com", "m.tiktok.com"}),
            "https://www.tiktok.com/",
            _at_handle(r"@[a-z0-9_.]{2,24}"),
            r"@[\w.]{2,24}",
        ),
        _Site("xing", frozenset({"xing.com"}), "https://www.xing.com/", _xing, ""),
        # Servers of many parties; a company's own server is not told from any other site.
        _Site(
            "mastodon",
            frozenset(
                """
                mastodon.social mastodon.online mastodon.world mstdn.social mas.to fosstodon.org
                hachyderm.io techhub.social infosec.exchange chaos.social social.coop mastodon.green
                indieweb.social c.im det.social norden.social ruhr.social
                """.split()
            ),
            "https://{host}/",
            _at_handle(r"@[a-z0-9_]{1,30}"),
            "",
        ),
    )
}

_SITE_OF_FIELD = re.compile(
    r"(?:company|person)_(twitter|facebook|instagram|youtube|github|crunchbase|tiktok|xing|mastodon)_url"
)


def profile_site(field: FieldName) -> str | None:
    """Return which site a field's profiles live on: ``linkedin``, ``twitter``, ... or None."""
    if field.endswith("linkedin_url"):
        return "linkedin"
    found = _SITE_OF_FIELD.fullmatch(field)
    return found[1] if found else None


def profile_url(site: str, text: str) -> str:
    """Return the canonical address of a profile on ``site``, from a URL or a bare handle.

    Raises: ValueError where it is no profile there, with a reason for people.
    """
    if site == "linkedin":
        return str(parse_linkedin(text))
    rules = _SITES[site]
    text = text.strip()
    if rules.bare and re.fullmatch(rules.bare, text):
        text = f"{min(rules.hosts, key=len)}/{text}"
    found = _profile_at(rules, parse_url(text))
    if found is None:
        raise ValueError(f"not a {site} profile")
    return found


def known_profile(address: WebAddress) -> tuple[str, str] | None:
    """Return (site, canonical profile URL) where ``address`` is a profile on a known site."""
    if is_linkedin(address.host):
        try:
            return "linkedin", str(parse_linkedin(str(address)))
        except ValueError:
            return None
    for name, rules in _SITES.items():
        found = _profile_at(rules, address)
        if found:
            return name, found
    return None


def _profile_at(rules: _Site, address: WebAddress) -> str | None:
    host = address.host.removeprefix("www.")
    if host not in rules.hosts:
        return None
    steps = [step for step in address.path.split("/") if step]
    if rules.name == "facebook" and steps == ["profile.php"]:
        number = re.search(r"(?:^|&)id=(\d+)", address.query)
        return f"{rules.base}{number[1]}" if number else None
    name = rules.read(steps)
    return rules.base.replace("{host}", host) + name if name else None
