"""HTML to a Document: one parse, a handful of native queries, then the text in lines."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple
from unicodedata import is_normalized
from urllib.parse import parse_qs, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from glaze.model.site_credit import credits_maker
from glaze.model.text import clean, wanted
from glaze.providers.website import hidden_emails
from glaze.providers.website.charset import as_utf8
from glaze.providers.website.document import Document, Image, Link, absolute
from glaze.providers.website.items import embedded_items
from glaze.providers.website.scripted import scripted_data
from glaze.providers.website.tame import tame

MAX_LINE = 1_000
MAX_TEXT = 300_000
MAX_LINES = 10_000
MAX_LINKS = 4_000
MAX_IMAGES = 1_000
_MAX_CLIMB = 14
_MAX_NAME = 60
_MAX_URL = 2_000
_ORIGIN = re.compile(r"https?://[\w.-]+(?::\d+)?(?=[/?#]|$)", re.ASCII)
_PLAIN_PATH = re.compile(r"/(?:[\w%~+=&?;,@!$'()*:-][\w%~+=&?;,@!$'()*:./-]*)?", re.ASCII)
_PLAIN_URL = re.compile(
    r"https?://[\w-]+(?:\.[\w-]+)+(?:/[\w%~+=&?;,@!$'()*:./-]*)?", re.ASCII | re.IGNORECASE
)
_MAX_HEAD = 300
_MAX_SNIPPET, _MOST_LOADED = 4_000, 10  # of what vendors have pasted into pages
_LOADED = re.compile(r"//[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[\w./-]*)?")
_NOWHERE: frozenset[str] = frozenset()
_ASSETS = frozenset(["stylesheet", "preload", "preconnect", "dns-prefetch"])
# What few pages have, so that one walk tells whether to look for any of it.
_UNSHOWN = 'span[style*="none"]'
_MARKED = f"[itemscope],[typeof],.vcard,.h-card,{hidden_emails.MARKED},{_UNSHOWN},.fb-page"
_LOOKED_AT = frozenset("a,img,meta,link,script,iframe,h1,base".split(","))
# The state that a page's framework keeps in its scripts names the publication's logo.
_STATE_LOGO = re.compile(
    rb'logo_?[uU]rl\\*"\s*:\s*\\*"https?:[^"\s]{0,600}?/([^/"\s\\]{5,200})\\*"'
)
_MAX_HIDDEN = 300
_MAX_UNSHOWN = 40
_CONTACT = re.compile(r"[\d@]")  # what a click shows is no trap
_BREAK = "\x1e"
_INLINE = (
    "a,b,i,em,strong,span,font,u,small,abbr,acronym,tt,sup,sub,label,big,cite,code,mark,ins,del,s"
    ",time,bdi,bdo,q,var,nobr,wbr,data"
)
_UNSEEN = "script,style,noscript,template,svg,head,select,textarea,title"
_ANY_TREE = LexborHTMLParser("")
# By the parser's numbers of their names, which are cheaper to ask for than the names: the elements
# that are looked at, those that go with all they hold, and those that leave it behind.
_NAMES: Mapping[int, str] = {_ANY_TREE.create_node(name).tag_id: name for name in _LOOKED_AT}
_GOING = frozenset(_ANY_TREE.create_node(name).tag_id for name in _UNSEEN.split(","))
_LEAVING = frozenset(_ANY_TREE.create_node(name).tag_id for name in _INLINE.split(","))
# Two things in one pass over the bytes. What stands within a word and is not seen goes: the marks
# that frameworks leave between two pieces of a text, and hints where a line may break. Inline
# elements without white space in between (the group) are set apart by style, nearly always.
_SEAM = re.compile(
    rb"<(?:(/(?:span|a|td|strong|b|label|SPAN|A|TD|STRONG|B|LABEL)>)"
    rb"(?=(?:</?(?:wbr|WBR)\s?/?>)*<(?:span|a|strong|b|label|SPAN|A|STRONG|B|LABEL))"
    rb"|!--(?:(?<=[^>\s]<!--)|(?<=[^>\s] <!--))[^<>-]{0,40}-->(?=[^<])|/?(?:wbr|WBR)\s?/?>)"
)
_PLACES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(words))
    for name, words in (
        ("footer", "footer|copyright|colophon|bottom-?bar"),
        ("header", "header|masthead|nav-?bar|top-?bar|navigation|brand|menu"),
        ("social", "social|follow|connect"),
        ("share", "shar(?:e|ing)|addtoany|addthis"),
        (
            "person",
            (
                r"author|byline|\bbio|team|comment|testimonial|review|staff|speaker|contributor"
                r"|embed|tweet|member|profile-card"
            ),
        ),
        ("article", "article|post-content|entry-content|post-body|blog-content|rich-?text"),
        ("partner", "partner|client|customer|sponsor|award|trust|badge|carousel|marquee|slider"),
    )
)
_PLACE_TAGS = {
    "footer": "footer",
    "header": "header",
    "nav": "header",
    "article": "article",
    "main": "main",
    "section": "section",
    "blockquote": "person",
    "p": "prose",
}
_SOCIAL_HOST = re.compile(
    r"https?://(?:[\w-]+\.)?(?:facebook|fb|twitter|x|linkedin|instagram|youtube|pinterest|tiktok|threads"
    r"|github|vimeo|xing|crunchbase|yelp|flickr|tumblr|medium|vk|snapchat|behance|dribbble|twitch"
    r"|soundcloud|bsky|t|discord|mastodon|weibo|glassdoor|trustpilot|foursquare|reddit|spotify)\."
    r"(?:com|net|org|app|me|social|gg|de|it|fr|co\.uk|at|ch|es|nl)/",
    re.IGNORECASE,
)
# A page that a network's own frame shows, and links that a mailer or a search engine wrapped.
_SHOWN_PAGE = re.compile(
    r"//(?:www\.)?facebook\.com/(?:plugins|widgets)/(?:page|likebox|fan|follow)\.php"
)
_WRAPS = ("/l.php?", "/url?")
_WRAPPED = re.compile(r"https?://(?:lm?\.facebook\.com/l\.php|(?:www\.)?google\.[a-z.]{2,6}/url)\?")
_SAME_LINE = frozenset(_INLINE.split(",")) | {"-text", "img"}
_MOST_BEFORE, _MOST_NESTED = 6, 3
_HOMES = frozenset(
    (
        *("", "index.html", "index.htm", "index.php", "default.aspx", "home"),
        *("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "no", "fi", "cs", "us", "uk"),
    )
)


def parse(html: bytes, url: str, content_type: str | None = None) -> Document:
    """Take a page apart. Never raises, whatever the bytes are."""
    markup = tame(as_utf8(html, content_type))
    tree = LexborHTMLParser(_SEAM.sub(_mended, markup))
    document = Document(url)
    nodes = _sorted_out(tree)
    bases = (given["href"] or "" for _, given in _having(nodes.named["base"], "href"))
    base = next(bases, "")
    page = _Page(nodes.named, document, absolute(url, base) if base else url)
    page.read_head(tree)
    page.read_scripts()
    page.read_links()
    page.read_images()
    marked = tree.css(_MARKED)
    unshown = [node for node in marked if node.tag == "span" and _is_unshown(node)]
    if len(marked) > len(unshown):
        page.read_shown_pages(marked)
        document.items = embedded_items(tree, page.absolute)
        document.hidden_emails += _hidden_emails(marked)
    document.scripted = scripted_data(markup, escaped_only=bool(document.data))
    document.state_logos = {
        match[1].decode("utf-8", "replace") for match in _STATE_LOGO.finditer(markup)
    }
    document.headings = [
        text for node in nodes.named["h1"][:5] if (text := clean(node.text(separator=" ")))
    ]
    for node in unshown:
        node.decompose()
    document.lines = _lines(tree, nodes)
    return document


def _is_unshown(node: LexborNode) -> bool:
    """Tell whether an element is a word that no reader sees, set within an address against robots."""
    style = (node.attributes.get("style") or "").replace(" ", "").lower()
    text = node.text()
    return "display:none" in style and len(text) <= _MAX_UNSHOWN and not _CONTACT.search(text)


class _Nodes(NamedTuple):
    """A page's elements, sorted by what is done with them; each list is in the page's order."""

    named: Mapping[str, list[LexborNode]]  # those that are looked at, by name
    going: list[LexborNode]  # not seen, nor what they hold
    leaving: list[LexborNode]  # inline: their text is a part of the line around


def _sorted_out(tree: LexborHTMLParser) -> _Nodes:
    """Walk the tree once; each selector of the parser would be a walk of its own."""
    named: dict[str, list[LexborNode]] = {name: [] for name in _LOOKED_AT}
    going: list[LexborNode] = []
    leaving: list[LexborNode] = []
    for node in tree.root.traverse() if tree.root else ():
        number = node.tag_id
        if number in _NAMES:
            named[_NAMES[number]].append(node)
        if number in _LEAVING:
            leaving.append(node)
        elif number in _GOING:
            going.append(node)
    return _Nodes(named, going, leaving)


def _having(
    nodes: Iterable[LexborNode], *names: str
) -> Iterator[tuple[LexborNode, dict[str, str | None]]]:
    """Yield the elements that have the attributes, with all that they have."""
    for node in nodes:
        given = node.attributes
        if all(name in given for name in names):
            yield node, given


def _hidden_emails(marked: Sequence[LexborNode]) -> list[str]:
    found = (hidden_emails.in_attributes(node.attributes) for node in marked[:_MAX_HIDDEN])
    return list(filter(None, found))


def _mended(seam: re.Match[bytes]) -> bytes:
    return seam[0] + b" " if seam[1] else b""


class _Page:
    """The parser's nodes while they are being read."""

    def __init__(
        self, nodes: Mapping[str, list[LexborNode]], document: Document, base: str
    ) -> None:
        self._nodes = nodes
        self._document = document
        self._base = base
        self._known: dict[str, str] = {}
        origin = _ORIGIN.match(base)
        self._origin = origin[0] if origin else ""

    def absolute(self, link: str) -> str:
        """Return ``link`` as an absolute URL; menus repeat theirs, so each is worked out once."""
        found = self._known.get(link)
        if found is None:
            found = self._known[link] = self._resolved(link.strip())
        return found

    def _resolved(self, link: str) -> str:
        if len(link) > _MAX_URL:
            return ""
        if link[:1] == "/" and self._origin and _PLAIN_PATH.fullmatch(link):
            return self._origin + link
        return link if _PLAIN_URL.fullmatch(link) else absolute(self._base, link)

    def read_head(self, tree: LexborHTMLParser) -> None:
        document = self._document
        root = tree.css_first("html")
        document.language = ((root.attributes.get("lang") or "") if root else "").lower()[:20]
        title = tree.css_first("head > title") or tree.css_first("title")
        document.title = clean(title.text()[:1000]) if title else ""
        for _, given in islice(_having(self._nodes["meta"], "content"), _MAX_HEAD):
            name = (
                given.get("property") or given.get("name") or given.get("itemprop") or ""
            ).lower()
            content = clean((given.get("content") or "")[:4_000])
            if name and content:
                document.metas.setdefault(name, []).append(content)
        for _, given in islice(_having(self._nodes["link"], "rel", "href"), _MAX_HEAD):
            rel, link = (given.get("rel") or "").lower(), given.get("href") or ""
            if rel in _ASSETS:
                document.assets.append(link)
            elif link := self.absolute(link):
                document.rels.setdefault(rel, []).append(link)

    def read_scripts(self) -> None:
        """Keep where scripts and frames come from, JSON-LD, and what short scripts give away."""
        document = self._document
        framed = _having(self._nodes["iframe"], "src")
        for node, given in islice(chain(_having(self._nodes["script"]), framed), _MAX_HEAD):
            kind = (given.get("type") or "").lower()
            if name := given.get("id"):
                document.script_ids.append(name[:_MAX_NAME])
            if address := given.get("src"):
                document.assets.append(address)
                if _SHOWN_PAGE.search(address[:80]):
                    self._read_shown_page(parse_qs(address.partition("?")[2]).get("href", [""])[0])
            elif "ld+json" in kind:
                document.data.append(node.text())
            elif "json" not in kind:
                self._read_snippet(node.text())

    def read_shown_pages(self, marked: Sequence[LexborNode]) -> None:
        """Keep the profiles that a network's own script will show in place of an element."""
        for node in marked[:_MAX_HIDDEN]:
            self._read_shown_page(node.attributes.get("data-href") or "")

    def _read_shown_page(self, address: str) -> None:
        if len(address) <= _MAX_URL and _SOCIAL_HOST.match(address):
            shown = Link(address, "", frozenset(["social"]), on_profile_site=True)
            self._document.links.append(shown)

    def _read_snippet(self, text: str) -> None:
        if len(text) <= _MAX_SNIPPET:
            self._document.hidden_emails += hidden_emails.in_script(text)
            self._document.assets += _LOADED.findall(text)[:_MOST_LOADED]

    def read_links(self) -> None:
        document = self._document
        for node, given in islice(_having(self._nodes["a"], "href"), MAX_LINKS):
            link = (given["href"] or "").strip()
            first = link[:1]
            if first in {"", "#"}:
                document.hidden_emails += filter(None, [hidden_emails.in_attributes(given)])
                continue
            if first in "tcmTCM" and link[:8].lower().startswith(("tel:", "callto:", "mailto:")):
                address = clean(link[:500])
            elif hidden := hidden_emails.in_link(link):
                document.hidden_emails.append(hidden)
                continue
            else:
                bare = first in "wW" and link[:4].lower() == "www."
                address = self.absolute(f"https://{link}" if bare else link)
            if address:
                document.links.append(self._link(node, address, given))

    def _link(self, node: LexborNode, address: str, given: dict[str, str | None]) -> Link:
        text = clean(node.text(separator=" ")[:400])[:200]
        if not text:
            text = clean((given.get("aria-label") or given.get("title") or "")[:200])
        if address.endswith(_WRAPS, 0, address.find("?") + 1) and _WRAPPED.match(address):
            target = parse_qs(address.partition("?")[2])
            address = absolute(address, (target.get("u") or target.get("q") or [""])[0]) or address
        is_own = bool(self._origin) and address.startswith(self._origin)
        if is_own or not _SOCIAL_HOST.match(address):
            return Link(address, text, _NOWHERE)
        places = _places(node)
        if credits_maker(f"{_before(node)} {text}"):
            places |= {"maker"}
        return Link(address, text, places, on_profile_site=True)

    def read_images(self) -> None:
        document = self._document
        titles = f"{document.title}\n{document.meta('og:site_name')}\n{document.meta('og:title')}"
        for order, node in enumerate(self._nodes["img"][:MAX_IMAGES]):
            given = node.attributes
            address = self._image_address(given)
            if not address:
                continue
            around, home = self._around(node)
            alt = clean((given.get("alt") or "")[:300])
            hint = f"{given.get('class') or ''} {given.get('id') or ''} {around}"
            called = f"{hint}\n{alt}\n{address}".lower()
            named = 1 < len(alt) <= _MAX_NAME and alt in titles
            if home or named or order == 0 or "logo" in called or "brand" in called:
                document.images.append(Image(address, alt, hint, _places(node), home, order))

    def _image_address(self, given: dict[str, str | None]) -> str:
        """Return where a picture is; loaders keep that in attributes of their own until it shows."""
        shown = (given.get("src") or "").strip()
        if shown and not shown.startswith("data:"):
            return _unwrapped(self.absolute(shown))
        loaders = (name for name in given if name.endswith(("-src", "-srcset", "-original")))
        for name in (*loaders, "srcset"):
            value = (given.get(name) or "").strip()
            if name.endswith("srcset"):
                value = (value.split(",")[0].split() or [""])[0]
            if value and not value.startswith("data:"):
                return _unwrapped(self.absolute(value))
        return ""

    def _around(self, node: LexborNode) -> tuple[str, bool]:
        """Return what the three elements around are called, and whether a link home is one."""
        names, home = [], False
        parent = node.parent
        for _ in range(3):
            if parent is None or not parent.tag or parent.tag == "body":
                break
            given = parent.attributes
            names.append(f"{given.get('class') or ''} {given.get('id') or ''}")
            if parent.tag == "a":
                names.append(given.get("title") or given.get("aria-label") or "")
                home = home or self._leads_home(given.get("href") or "")
            parent = parent.parent
        return " ".join(names)[:400], home

    def _leads_home(self, link: str) -> bool:
        site, path = _bare(self._origin), _bare(self.absolute(link))
        return path.startswith(site) and path[len(site) :].strip("/").lower() in _HOMES


def _bare(address: str) -> str:
    """Return an address without what differs between spellings of the same."""
    place = address.partition("#")[0].partition("?")[0]
    return place.partition("://")[2].removeprefix("www.")


def _unwrapped(address: str) -> str:
    """Return the picture that an image service was asked to resize (``?url=...``)."""
    if "_next/image" not in address:
        return address
    original = parse_qs(urlsplit(address).query).get("url", [""])[0]
    return absolute(address, original) or address


@lru_cache(maxsize=4096)
def _places_named(names: str) -> frozenset[str]:
    return frozenset(place for place, words in _PLACES if words.search(names))


def _places(node: LexborNode) -> frozenset[str]:
    found: set[str] = set()
    here: LexborNode | None = node
    for _ in range(_MAX_CLIMB):
        if here is None or here.tag in (None, "body", "html"):
            break
        if here.tag in _PLACE_TAGS:
            found.add(_PLACE_TAGS[here.tag])
        given = here.attributes
        found |= _places_named(f"{given.get('class') or ''} {given.get('id') or ''}"[:200].lower())
        here = here.parent
    return frozenset(found)


def _before(node: LexborNode) -> str:
    """Return what stands before a link in its line."""
    found: list[str] = []
    here: LexborNode | None = node
    for _ in range(_MOST_NESTED):
        sibling = here.prev if here else None
        while sibling is not None and sibling.tag in _SAME_LINE and len(found) < _MOST_BEFORE:
            found.append(sibling.text()[-_MAX_NAME:])
            sibling = sibling.prev
        here = here.parent if here else None
        if sibling is not None or here is None or here.tag not in _SAME_LINE:
            break
    return clean(" ".join(reversed(found)))


def _split(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(_BREAK) if part and not part.isspace()]


def _lines(tree: LexborHTMLParser, nodes: _Nodes) -> list[str]:
    """Return the visible text, one line for each block and line break. Destroys the tree."""
    for node in nodes.going:
        node.decompose(recursive=False)
    for node in nodes.leaving:
        node.unwrap()
    tree.merge_text_nodes()
    body = tree.body
    if body is None:
        return []
    text = body.text(separator=_BREAK, skip_empty=True)
    if len(text) > MAX_TEXT:  # contacts stand at both ends of a page
        text = text[: MAX_TEXT // 2] + _BREAK + text[-MAX_TEXT // 2 :]
    lines = _split(text)
    if not all(map(str.isprintable, lines)) or not is_normalized("NFC", text):
        lines = _split(wanted(text))
    if len(lines) > MAX_LINES:
        lines = lines[: MAX_LINES // 2] + lines[-MAX_LINES // 2 :]
    if len(text) > MAX_LINE and len(max(lines, key=len, default="")) > MAX_LINE:
        return [line[at : at + MAX_LINE] for line in lines for at in range(0, len(line), MAX_LINE)]
    return lines
