"""One page over the guarded HTTP: robots.txt, a few tries, and a plain reason where it fails."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from protego import Protego

from glaze.errors import (
    AddressRefused,
    BodyTooLarge,
    ConnectFailed,
    FetchError,
    FetchTimeout,
    NoSuchHost,
)
from glaze.model.provider import REFUSED, VendorHttp, VendorResponse, Verdict
from glaze.model.vendor_body import retry_after_s

AGENT = "GlazeBot"
_HEADERS: Mapping[str, str] = {
    "User-Agent": "GlazeBot/0.1 (company research; obeys robots.txt)",
    "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
}
MAX_PAGE_BYTES = 4_000_000  # decoded; some frameworks send megabytes of state
_MAX_ROBOTS_BYTES = 500_000  # RFC 9309, section 2.5
_PAGE_TIMEOUT_S = 12.0
_ROBOTS_TIMEOUT_S = 6.0
TRIES = 3
_FIRST_WAIT_S = 0.3
_LONGEST_WAIT_S = 2.0
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# 429 is not among them: who asks for less gets less, and the gateway keeps the wait.
_TRANSIENT = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a page could not be read, and what that means for the question."""

    verdict: Verdict
    detail: str
    retry_after_s: float | None = None
    unreached: bool = False  # no server answered under this address; another spelling may


async def get(http: VendorHttp, url: str, tries: int = TRIES) -> VendorResponse | Failure:
    """Fetch a page in at most ``tries``; only what may pass by itself is tried again."""
    answer: VendorResponse | Failure = Failure(Verdict.VENDOR_ERROR, "not tried")
    for attempt in range(tries):
        answer = await _once(http, url)
        if isinstance(answer, VendorResponse) and answer.status not in _TRANSIENT:
            return _usable(answer)
        wait = _FIRST_WAIT_S * 3**attempt
        if isinstance(answer, Failure):
            if not answer.unreached or answer.verdict is Verdict.NO_MATCH:
                return answer
        elif answer.status in _BUSY:
            wait = retry_after_s(answer) or wait
        if attempt + 1 == tries or wait > _LONGEST_WAIT_S:
            break
        await asyncio.sleep(wait)
    return answer if isinstance(answer, Failure) else _usable(answer)


async def _once(http: VendorHttp, url: str) -> VendorResponse | Failure:
    try:
        return await http.request(
            "GET", url, headers=_HEADERS, max_bytes=MAX_PAGE_BYTES, timeout_s=_PAGE_TIMEOUT_S
        )
    except FetchError as why:
        return _failure(why)


def _failure(why: FetchError) -> Failure:
    """Return what an error means: a miss where nobody is there, a failure where it may pass."""
    match why:
        case AddressRefused():
            return Failure(Verdict.NO_MATCH, f"{REFUSED}: {why}")
        case NoSuchHost():
            return Failure(Verdict.NO_MATCH, f"there is no such site: {why}", unreached=True)
        case BodyTooLarge():
            return Failure(Verdict.NO_MATCH, f"the page is larger than {MAX_PAGE_BYTES} bytes")
        case FetchTimeout():
            return Failure(Verdict.VENDOR_ERROR, "the site did not answer in time")
        case ConnectFailed():
            return Failure(Verdict.VENDOR_ERROR, f"no connection: {why}", unreached=True)
        case _:
            return Failure(Verdict.VENDOR_ERROR, str(why))


def _usable(answer: VendorResponse) -> VendorResponse | Failure:
    """Return the answer if it is a page, else what its status or type means."""
    status = answer.status
    if status in _GONE:
        return Failure(Verdict.NO_MATCH, f"the page does not exist ({status})")
    if status in _BUSY:
        return Failure(Verdict.RATE_LIMITED, f"the site is busy ({status})", retry_after_s(answer))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure(Verdict.VENDOR_ERROR, f"the site fails ({status})")
    if status != HTTPStatus.OK:
        return Failure(Verdict.NO_MATCH, f"the site does not show the page ({status})")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and "html" not in kind and kind not in {"text/plain", "application/xml", "text/xml"}:
        return Failure(Verdict.NO_MATCH, f"not a web page but {kind[:60]}")
    return answer


class Robots:
    """What a site's robots.txt allows us."""

    def __init__(self, rules: Protego | None, *, closed: str = "", failing: bool = False) -> None:
        """Keep the rules; None allows everything.

        Args:
            rules: What the file says.
            closed: Why nothing is allowed, "" where something is.
            failing: Whether it is closed for a reason that may pass.
        """
        self._rules = rules
        self._closed = closed
        self.failing = failing

    @classmethod
    async def read(cls, http: VendorHttp, page: str) -> "Robots":
        """Fetch the robots.txt of a page's host, as RFC 9309 wants it read.

        Absent (4xx) allows everything; failing (5xx) forbids everything for now.
        """
        parts = urlsplit(page)
        try:
            answer = await http.request(
                "GET",
                f"{parts.scheme}://{parts.netloc}/robots.txt",
                headers=_HEADERS,
                max_bytes=_MAX_ROBOTS_BYTES,
                timeout_s=_ROBOTS_TIMEOUT_S,
            )
        except BodyTooLarge:
            return cls(None, closed="its robots.txt is too large to read")
        except FetchError:
            return cls(None)  # no answer at all: the page itself will tell why
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return cls(None, closed=f"its robots.txt fails ({answer.status})", failing=True)
        if answer.status != HTTPStatus.OK:
            return cls(None)
        return cls(Protego.parse(answer.body.decode("utf-8", "replace")))

    def forbids(self, url: str) -> str:
        """Return why ``url`` may not be fetched, "" where it may."""
        if self._closed:
            return self._closed
        if self._rules is not None and not self._rules.can_fetch(url, AGENT):
            return f"robots.txt does not allow {AGENT}"
        return ""

    @property
    def sitemaps(self) -> list[str]:
        """The sitemaps that it names, where anything may be read at all."""
        return [] if self._closed or self._rules is None else [*self._rules.sitemaps]

    @property
    def delay_s(self) -> float:
        """The seconds that the site wants between two requests."""
        return float(self._rules.crawl_delay(AGENT) or 0) if self._rules is not None else 0.0
