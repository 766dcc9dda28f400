"""The company's own profiles: linked from its frame, not shared, not of its staff or designer."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from glaze.model.text import fold
from glaze.model.value import FieldName, Reading
from glaze.providers.website.document import Document, Link

_STATED_POINTS, _LINKED = 10.0, 0.5  # galleries and channels count where the data names them
_MOST_IN_META = 20
_STATED, _META, _FRAME, _ALIKE, _LOOSE = 88, 80, 80, 74, 58
_NOT_PROFILE = re.compile(
    r"/(?:sharer|share|sharearticle|intent|dialog|plugins|hashtag|search|home|login|signup|pin/create|submit"
    r"|post|posts|status|watch|embed|p/|reel|reels|stories|story|events?|groups?|photos?|permalink|tr\b|privacy|policies|legal|about/?$|help"
    r"|pulse|feed|jobs|learning|cws|oauth|widgets|badges|playlist|shorts|v/|in/|pub/|people|explore|tos|settings|i/|r/|questions|notifications|messages"
    r"|policy|ads|business/?$|creators|terms|download|gp/|live/|results|sponsors|topics|blob|tree|issues|releases|wiki/|profile/edit|add_|wiki|media\.php|photo\.php|video\.php|story\.php)",
    re.IGNORECASE,
)
_FOLLOWED = re.compile(r"/intent/(?:follow|user)/?", re.IGNORECASE)  # X's button to follow someone
# site: (host pattern, path of a profile)
_SITES: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    name: (re.compile(host, re.IGNORECASE), re.compile(path, re.IGNORECASE))
    for name, (host, path) in {
        "facebook": (
            r"(?:[\w-]+\.)?(?:facebook|fb)\.(?:com|me)",
            r"/(?:pg/|pages/(?:category/)?)?[\w.%-]{2,}(?:/\d+)?(?:/?|/[\w%.-]+/\d+/?)|/profile\.php",
        ),
        "twitter": (r"(?:www\.|mobile\.)?(?:twitter|x)\.com", r"/(?:#!/)?@?\w{1,20}/?"),
        "linkedin": (
            r"(?:[\w-]+\.)?linkedin\.com",
            r"/(?:company|school|showcase|organization-guest/company|company-beta)/[^/]+(?:/(?:about|mycompany|posts|jobs|life|people))?/?",
        ),
        "instagram": (r"(?:www\.|m\.)?instagr(?:am)?\.(?:com|am)", r"/[\w.]{2,40}/?"),
        "youtube": (
            r"(?:www\.|m\.)?youtube\.com",
            r"/(?:(?:c|user|channel)/[\w%.-]{2,}|@[\w%.-]{2,}|[\w-]{3,40})(?:/(?:featured|videos|about))?/?",
        ),
        "pinterest": (
            r"(?:[\w-]+\.)?pinterest\.(?:com|de|fr|it|es|at|ch|ca|co\.uk|com\.au)",
            r"/[\w-]{3,40}/?",
        ),
        "tiktok": (r"(?:www\.)?tiktok\.com", r"/@[\w.]{2,40}/?"),
        "threads": (r"(?:www\.)?threads\.(?:net|com)", r"/@[\w.]{2,40}/?"),
        "github": (r"(?:www\.)?github\.com", r"/[\w-]{1,39}/?"),
        "vimeo": (r"(?:www\.)?vimeo\.com", r"/(?!\d+/?$)[\w-]{3,40}/?"),
        "xing": (r"(?:www\.)?xing\.com", r"/(?:companies|pages|company)/[\w.-]+/?"),
        "crunchbase": (r"(?:www\.)?crunchbase\.com", r"/(?:organization|company)/[\w-]+/?"),
        "bluesky": (r"bsky\.app", r"/profile/[\w.:-]+/?"),
        "flickr": (r"(?:www\.)?flickr\.com", r"/(?:photos|people)/[\w@-]+/?"),
        "tumblr": (r"[\w-]+\.tumblr\.com", r"/?"),
        "medium": (r"(?:www\.)?medium\.com", r"/@?[\w.-]{2,60}/?"),
        "snapchat": (r"(?:www\.)?snapchat\.com", r"/add/[\w.-]+/?"),
        "vk": (r"(?:www\.)?vk\.com", r"/[\w.]{3,40}/?"),
        "telegram": (r"(?:www\.)?(?:t|telegram)\.me", r"/(?!share|joinchat|iv)[\w]{4,40}/?"),
        "discord": (r"(?:www\.)?discord\.(?:gg|com)", r"/(?:invite/)?[\w-]{4,30}/?"),
        "twitch": (r"(?:www\.)?twitch\.tv", r"/[\w]{3,30}/?"),
        "soundcloud": (r"(?:www\.)?soundcloud\.com", r"/[\w-]{3,40}/?"),
        "yelp": (r"(?:www\.)?yelp\.(?:com|co\.uk|ca|de)", r"/biz/[\w%-]+/?"),
        "behance": (r"(?:www\.)?behance\.net", r"/[\w-]{3,40}/?"),
        "dribbble": (r"(?:www\.)?dribbble\.com", r"/(?!shots)[\w-]{3,40}/?"),
        "spotify": (r"open\.spotify\.com", r"/(?:user|artist|show)/\w+/?"),
        "mastodon": (r"mastodon\.\w+", r"/@\w+/?"),
        "weibo": (r"(?:www\.)?weibo\.com", r"/(?:u/)?\w+/?"),
    }.items()
}
_MAIN = frozenset(
    [
        "facebook",
        "twitter",
        "linkedin",
        "instagram",
        "youtube",
        "pinterest",
        "tiktok",
        "threads",
        "github",
        "vimeo",
        "xing",
        "crunchbase",
        "bluesky",
        "mastodon",
    ]
)
# What site builders and social networks put into templates.
_TEMPLATE_HANDLES = frozenset(
    [
        "facebook",
        "twitter",
        "instagram",
        "linkedin",
        "youtube",
        "wordpress",
        "wix",
        "squarespace",
        "shopify",
        "envato",
        "wordpressdotcom",
        "themeforest",
        "elegantthemes",
        "x",
        "yourpage",
        "yourprofile",
        "username",
        "profile",
        "page",
        "pages",
        "company",
        "user",
        "share",
        "sharer",
        "github",
        "pinterest",
    ]
)
_FIELDS = {
    name: FieldName(f"company_{name}_url")
    for name in (
        *("linkedin", "twitter", "facebook", "instagram", "youtube", "github", "crunchbase"),
        *("tiktok", "xing", "mastodon"),
    )
}


@dataclass
class _Profile:
    site: str
    url: str  # as it stands on the page, without query and fragment
    handle: str
    points: float
    confidence: int
    quote: str


def profile_readings(
    document: Document, labels: Iterable[str], stated: Iterable[str]
) -> Iterator[Reading]:
    """Yield each own profile under its field, then all of them as ``company_social_urls``.

    ``labels`` are the site's and company's name in small letters; ``stated`` are the profiles that
    the structured data calls its own.
    """
    chosen = _chosen(document, {label for label in labels if label}, list(stated))
    for profile in chosen:
        if field := _FIELDS.get(profile.site):
            yield from document.reading(field, profile.url, profile.confidence, profile.quote)
    if not any(profile.site == "twitter" for profile in chosen):
        yield from _from_twitter_card(document)
    urls = [profile.url for profile in chosen]
    for reading in document.reading(
        "company_social_urls", urls, max((p.confidence for p in chosen), default=0), " ".join(urls)
    ):
        raw = "\n".join(urls)
        yield Reading(
            reading.field, reading.value, reading.confidence, reading.quote, reading.url, raw
        )


def _chosen(document: Document, labels: set[str], stated: list[str]) -> list[_Profile]:
    found: dict[str, _Profile] = {}
    for url in stated:
        _keep(found, _profile(url, _STATED_POINTS, _STATED, url))
    for name in ("article:publisher", "og:see_also"):
        for url in document.metas.get(name, ())[:_MOST_IN_META]:
            _keep(found, _profile(url, 6.0, _META, url))
    for link in document.links:
        if link.on_profile_site:
            profile = _profile(link.url, _points(link), _FRAME, link.text or link.url)
            if profile:
                profile.points += _alike(profile.handle, labels)
                _keep(found, profile)
    if carded := found.get(f"twitter/{_card_handle(document)}"):
        carded.points += 4.0
    return _best_of_each(found.values())


def _keep(found: dict[str, _Profile], profile: _Profile | None) -> None:
    if profile is None:
        return
    key = f"{profile.site}/{profile.handle}"
    known = found.get(key)
    if known is None:
        found[key] = profile
    else:
        known.points = max(known.points, profile.points) + 0.3
        known.confidence = max(known.confidence, profile.confidence)


def _profile(url: str, points: float, sure: int, quote: str) -> _Profile | None:
    url = url if "//" in url[:8] else f"https://{url.lstrip('/')}"
    url = f"https:{url}" if url.startswith("//") else url
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host, path = (parts.hostname or ""), _path(parts)
    for site, (hosts, paths) in _SITES.items():
        if hosts.fullmatch(host) and paths.fullmatch(path):
            if _NOT_PROFILE.match(path) and site not in {"flickr", "telegram"}:
                return None
            number = parse_qs(parts.query).get("id", [""])[0] if path == "/profile.php" else ""
            if path == "/profile.php" and not number:
                return None
            handle = _handle(site, host, path) + number
            if handle in _TEMPLATE_HANDLES or not handle:
                return None
            shown = f"https://{parts.netloc}{path}" + (f"?id={number}" if number else "")
            return _Profile(site, shown, handle, points, sure, quote)
    return None


def _path(parts: SplitResult) -> str:
    """Return where a profile's link leads to, also where its path does not say so."""
    if _FOLLOWED.fullmatch(parts.path):
        return "/" + parse_qs(parts.query).get("screen_name", [""])[0]
    return "/" + parts.fragment[2:] if parts.fragment[:2] == "!/" else parts.path.replace("//", "/")


def _handle(site: str, host: str, path: str) -> str:
    steps = [
        step for step in path.lower().split("/") if step not in {"", "featured", "videos", "about"}
    ]
    if site == "tumblr":
        return host.partition(".")[0]
    return steps[-1].lstrip("@") if steps else ""


def _points(link: Link) -> float:
    """Return how much a link's place speaks for a profile of the company itself."""
    places = link.places
    points = 0.0
    points += 3.0 * bool(places & {"footer", "header"})
    points += 2.0 * ("social" in places)
    points -= 3.0 * ("person" in places)
    points -= 10.0 * ("maker" in places)  # "Site by ...", the maker's own
    points -= 2.5 * ("share" in places and "social" not in places)
    points -= 2.0 * bool(places & {"article"}) + 1.0 * (
        "prose" in places and "footer" not in places
    )
    points -= 1.0 * ("main" in places) + 1.5 * ("partner" in places and "footer" not in places)
    text = link.text.lower()
    if re.search(
        r"\b(?:follow|like us|find us|join us|visit us|connect|our|on (?:facebook|twitter|linkedin))\b",
        text,
    ):
        points += 1.5
    elif re.fullmatch(
        r"(?:facebook|fb|twitter|x|linked ?in|instagram|you ?tube|pinterest|tik ?tok|github)?(?:[- ]?(?:icon|logo|link|page|opens .*))?",
        text,
    ):
        points += 1.0
    if re.search(r"\bshare\b|\btweet\b|\bpin it\b", text):
        points -= 4.0
    return points


def _alike(handle: str, labels: set[str]) -> float:
    plain = re.sub(r"[\W_]|\d{6,}", "", handle)
    best = 0.0
    for label in labels:
        short = min(len(plain), len(label))
        if plain == label:
            best = max(best, 4.0)
        elif short > 3 and (plain.startswith(label) or label.startswith(plain)):  # noqa: PLR2004
            best = max(best, 3.0)
        elif short > 3 and (label in plain or plain in label):  # noqa: PLR2004
            best = max(best, 2.5)
        elif short > 4 and _common_prefix(plain, label) >= 5:  # noqa: PLR2004
            best = max(best, 1.5)
    return best


def _common_prefix(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _card_handle(document: Document) -> str:
    handle = document.meta("twitter:site").lstrip("@").strip().lower()
    usable = re.fullmatch(r"\w{2,15}", handle) and handle not in _TEMPLATE_HANDLES
    return handle if usable else ""


def _from_twitter_card(document: Document) -> Iterator[Reading]:
    """The account in a Twitter card: a handle that the page names without linking it."""
    if handle := _card_handle(document):
        url = f"https://twitter.com/{handle}"
        yield from document.reading("company_twitter_url", url, _LOOSE, f"@{handle}")


def _best_of_each(profiles: Iterable[_Profile]) -> list[_Profile]:
    by_site: dict[str, list[_Profile]] = {}
    for profile in profiles:
        by_site.setdefault(profile.site, []).append(profile)
    chosen: list[_Profile] = []
    for site, rivals in by_site.items():
        rivals.sort(key=lambda one: -one.points)
        best = rivals[0]
        if best.points < (_LINKED if site in _MAIN else _STATED_POINTS):
            continue
        if best.points < 2:  # noqa: PLR2004  neither in the frame nor named alike
            best.confidence = min(best.confidence, _LOOSE)
        chosen.append(best)
    return chosen


def names_as_labels(names: Iterable[str]) -> set[str]:
    """Return names as handles would spell them."""
    return {fold(name).replace(" ", "") for name in names}
