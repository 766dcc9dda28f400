"""The sites whose profiles have addresses that can be guessed, and how their handles look."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """One site. ``address`` has ``{}`` for the handle, ``handle`` is its shape."""

    name: str
    address: str
    handle: re.Pattern[str]
    people: bool = False  # persons have profiles of the same form
    by_domain: bool = False  # the handle is a domain, which is proof by itself

    def fitting(self, handles: Iterable[str], domain: str) -> Iterator[str]:
        """Yield the addresses of the handles that can exist here."""
        for handle in [domain] if self.by_domain else handles:
            if self.handle.fullmatch(handle):
                yield self.address.format(handle)


_PLAIN = r"[a-z0-9]{2,40}"
_WORD = r"\w{2,30}"
_HYPHENS = r"[a-z0-9](?:[a-z0-9-]{0,37}[a-z0-9])?"

SITES: tuple[Site, ...] = tuple(
    Site(name, address, re.compile(handle), people="p" in kind, by_domain="d" in kind)
    for name, address, handle, kind in (
        ("github", "https://github.com/{}", _HYPHENS, "p"),
        ("gitlab", "https://gitlab.com/{}", _HYPHENS, "p"),
        ("twitter", "https://x.com/{}", r"\w{2,15}", "p"),
        ("youtube", "https://www.youtube.com/@{}", r"[a-z0-9.-]{3,30}", ""),
        ("instagram", "https://www.instagram.com/{}", r"[a-z0-9._]{2,30}", ""),
        ("facebook", "https://www.facebook.com/{}", r"[a-z0-9.]{5,50}", ""),
        ("tiktok", "https://www.tiktok.com/@{}", r"[a-z0-9._]{2,24}", ""),
        ("crunchbase", "https://www.crunchbase.com/organization/{}", _HYPHENS, ""),
        ("xing", "https://www.xing.com/pages/{}", _HYPHENS, ""),
        ("mastodon", "https://mastodon.social/@{}", _WORD, "p"),
        ("bluesky", "https://bsky.app/profile/{}", r"[a-z0-9.-]{4,80}", "d"),
        ("medium", "https://medium.com/@{}", r"[\w.-]{2,40}", "p"),
        ("reddit", "https://www.reddit.com/user/{}", r"[\w-]{3,20}", ""),
        ("pinterest", "https://www.pinterest.com/{}", _WORD, ""),
        ("vimeo", "https://vimeo.com/{}", _PLAIN, ""),
        ("dribbble", "https://dribbble.com/{}", _HYPHENS, "p"),
        ("behance", "https://www.behance.net/{}", _PLAIN, "p"),
        ("producthunt", "https://www.producthunt.com/@{}", _WORD, "p"),
        ("devto", "https://dev.to/{}", _WORD, "p"),
        ("huggingface", "https://huggingface.co/{}", r"[\w.-]{2,40}", "p"),
        ("telegram", "https://t.me/{}", r"\w{5,32}", ""),
        ("threads", "https://www.threads.net/@{}", r"[a-z0-9._]{2,30}", ""),
    )
)
