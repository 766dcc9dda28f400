"""The HTTP that one provider gets for one call: its base URL, its key, its deadline, its limit."""

import asyncio
import json as jsonlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from yarl import URL

from glaze.errors import FetchError, FetchTimeout, ProviderError
from glaze.model.provider import VendorHttp, VendorResponse
from glaze.model.recording import HIDDEN, Exchange
from glaze.model.value import Json
from glaze.net.client import HttpClient, Outgoing, RequestFact
from glaze.net.connect import Hold

_LONG_KEY = 16
"""Characters from which a key stands in no answer but as itself."""


class BoundHttp(VendorHttp):
    """``VendorHttp`` over the process's client.

    Answers come without the key in them. ``facts`` lists every attempt, one per hop of a redirect, also where the call failed: what the
    ledger keeps of its requests. ``exchanges`` are what came back, whole: what an answer is read
    again from.
    """

    def __init__(
        self,
        client: HttpClient,
        *,
        base_url: str = "",
        key: str = "",
        deadline: float,
        max_requests: int | None = None,
        token: str = "",
        tokens: Sequence[str] = (),
        callback_url: str = "",
        hold: Hold | None = None,
    ) -> None:
        """Bind to one provider and one call.

        Args:
            client: The process's way out.
            base_url: URLs below it are trusted, "" trusts none.
            key: The credential, "" for keyless.
            deadline: When the whole call ends, a reading of ``time.monotonic()`` in seconds.
            max_requests: How many requests may be made, 1 for a paid operation, None for any.
            token: Names the call to the vendor.
            tokens: Where the request carries several calls, each one's token, in order.
            callback_url: Where the vendor may report it, "" where it cannot.
            hold: Awaited before each request leaves, when its connection stands.
        """
        self.base_url = base_url.rstrip("/")
        self.key = key
        self.token = token
        self.tokens = tokens
        self.callback_url = callback_url
        self.facts: list[RequestFact] = []
        self.exchanges: list[Exchange] = []
        self._client = client
        self._hold = hold
        self._base = URL(self.base_url) if base_url else None
        self._deadline = deadline
        self._left = max_requests

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the vendor's last answer; none where there was none."""
        return (self.exchanges[-1].headers if self.exchanges else None) or {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Json = None,
        content: bytes | None = None,
        max_bytes: int = 5_000_000,
        timeout_s: float | None = None,
    ) -> VendorResponse:
        """Send exactly one request and read the whole body, within the call's deadline.

        ``timeout_s`` can only shorten it. ``content`` is a body as it stands, in place of ``json``.

        Raises: FetchError and its kinds; ProviderError where the provider asks more often than its
            operation may: a mistake in the provider, nothing is sent.
        """
        if self._left is not None:
            if self._left <= 0:
                raise ProviderError("the provider made more requests than its operation permits")
            self._left -= 1
        now = time.monotonic()
        deadline = self._deadline if timeout_s is None else min(self._deadline, now + timeout_s)
        if deadline <= now:
            raise FetchTimeout("the call's deadline passed before it began", sent=False)
        sent_headers = dict(headers or {})
        body = content
        if json is not None:
            body = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
            if "content-type" not in {name.lower() for name in sent_headers}:
                sent_headers["Content-Type"] = "application/json"
        full = _with_params(url, params)
        outgoing = Outgoing(method, full, deadline, max_bytes, sent_headers, body, hold=self._hold)
        try:
            answer = await self._client.send(outgoing, trusted=self._trusts(full), facts=self.facts)
        except FetchError as error:
            self.exchanges.append(self._failed(method, full, error))
            error.args = (self._without_key(str(error)),)
            raise
        answer = self._without_echo(answer)
        self.exchanges.append(
            Exchange(
                method,
                self._without_key(full),
                answer.status,
                answer.headers,
                answer.body,
                self._without_key(answer.url),
            )
        )
        return answer

    async def resolve(self, name: str, record_type: str) -> Sequence[str]:
        """Return the DNS records as text; empty where the name or the type does not exist.

        Raises: FetchError when the resolver does not answer.
        """
        asked = f"{name} {record_type}"
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                if self._hold is not None:
                    await self._hold()
                records = await self._client.dns.resolve(name, record_type)
        except TimeoutError:
            late = FetchTimeout("the call's deadline passed", sent=False)
            self.exchanges.append(self._failed("DNS", asked, late))
            raise late from None
        except FetchError as error:
            self.exchanges.append(self._failed("DNS", asked, error))
            raise
        self.exchanges.append(Exchange("DNS", asked, body=jsonlib.dumps([*records]).encode()))
        return records

    def _failed(self, method: str, url: str, error: FetchError) -> Exchange:
        told = self._without_key(str(error))
        return Exchange(
            method, self._without_key(url), error=error.code, message=told, sent=error.sent
        )

    def _without_echo(self, answer: VendorResponse) -> VendorResponse:
        """Return an answer in which our key does not stand: a vendor may repeat it, as in an error."""
        if len(self.key) < _LONG_KEY:
            return answer  # as a word of the language it may be part of any answer
        headers = {name: self._without_key(value) for name, value in answer.headers.items()}
        body = answer.body.replace(self.key.encode(), HIDDEN.encode())
        return replace(answer, headers=headers, body=body, url=self._without_key(answer.url))

    def _without_key(self, text: str) -> str:
        """Return ``text`` without our key: no secret is kept with an answer."""
        if not self.key:
            return text
        return text.replace(self.key, HIDDEN).replace(quote(self.key, safe=""), HIDDEN)

    def _trusts(self, text: str) -> bool:
        """Tell whether the URL lies below the configured base, by the parser that also dials."""
        try:
            url = URL(text)
            if self._base is None or not url.absolute or url.origin() != self._base.origin():
                return False
        except ValueError:
            return False  # the guard will say what is wrong with it
        below = self._base.raw_path.rstrip("/")
        return url.raw_path == below or url.raw_path.startswith(f"{below}/")


def _with_params(url: str, params: Mapping[str, str] | Sequence[tuple[str, str]] | None) -> str:
    if not params:
        return url
    try:
        return str(URL(url).extend_query(params))
    except ValueError:
        return url  # the guard will say what is wrong with it
