"""A stored answer read again by the installed provider: nothing is sent, nothing is asked."""

import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from yarl import URL

from glaze.errors import (
    AddressRefused,
    BodyTooLarge,
    ConnectFailed,
    FetchError,
    FetchTimeout,
    NoSuchHost,
)
from glaze.model.provider import Collects, Provider, Reply, VendorHttp, VendorResponse
from glaze.model.recording import HIDDEN, Exchange, Recording
from glaze.model.value import Json, Reading
from glaze.pipeline.settling import ANSWERS, storable_readings
from glaze.pipeline.validate import Judging

_DNS = "DNS"
_ROBOTS = "/robots.txt"
_CALLBACK_URL = "https://replay.invalid/callback"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The stored answer cannot be read again; what was read of it stays as it is."""

    why: str


async def reread(
    provider: Provider, operation: str, recording: Recording, raw: bytes
) -> tuple[Reading, ...] | Unreadable:
    """Return what the installed provider reads in a stored answer today, judged as it was then.

    An answer that it does not understand any more, or for which it would want what was not kept,
    is unreadable: that a reader fails is no reason to forget what an earlier one read.
    """
    if operation not in {one.name for one in provider.spec.operations}:
        return Unreadable("the provider has no such operation any more")
    http = ReplayHttp(recording, raw)
    try:
        reply = await _asked_again(provider, operation, recording, http)
    except Exception as error:  # noqa: BLE001  a provider may raise anything; it is told, and counted
        return Unreadable(f"the provider fails: {type(error).__name__}")
    if http.lacking:
        return Unreadable("the provider wants what was not kept")
    if reply is None or reply.verdict not in ANSWERS:
        return Unreadable("the provider does not take it for an answer")
    judge = Judging(recording.ask.known, recording.judged_at, recording.mx)
    return storable_readings(judge(reply.readings))


async def _asked_again(
    provider: Provider, operation: str, recording: Recording, http: "ReplayHttp"
) -> Reply | None:
    if recording.handle is None:
        (reply,) = await provider.look_up(operation, [recording.ask], http)
        return reply
    if isinstance(provider, Collects):
        return await provider.collect(operation, recording.handle, recording.ask, http)
    return None


class ReplayHttp(VendorHttp):
    """``VendorHttp`` that answers from a recording; it has no way out.

    ``lacking`` lists what was asked for and is not in the recording.
    """

    def __init__(self, recording: Recording, raw: bytes) -> None:
        """Answer with the recorded exchanges, in order for each address; ``raw`` fills in bodies."""
        self.base_url = recording.base_url
        self.key = HIDDEN if recording.had_key else ""
        self.token = HIDDEN
        self.callback_url = _CALLBACK_URL
        self.lacking: list[str] = []
        kept = recording.exchanges
        # The one answer to a question answers it, however a newer version words the question.
        self._only = kept[0] if len(kept) == 1 and kept[0].method != _DNS else None
        self._raw = raw
        self._kept: dict[tuple[str, str], deque[Exchange]] = defaultdict(deque)
        for one in kept:
            self._kept[one.method, one.url].append(one)

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
        """Return the recorded answer, or raise the recorded error."""
        del headers, json, content, max_bytes, timeout_s
        found, self._only = self._only, None
        if found is None:
            found = self._take(method, _address(url, params))
        elif found.method == method:
            self._take(method, found.url)  # it is used up
        if found is None and url.endswith(_ROBOTS):
            # Rules that were known from another call: what they forbade was not asked for then.
            return VendorResponse(HTTPStatus.NOT_FOUND, {}, b"", url)
        if found is None:
            self.lacking.append(f"{method} {url}")
            raise FetchError("not in the recording", sent=False)
        body = self._raw if found.body is None else found.body
        if found.error:
            raise _raised(found)
        return VendorResponse(found.status, found.headers or {}, body, found.came_from or url)

    async def resolve(self, name: str, record_type: str) -> Sequence[str]:
        """Return the recorded records, or raise the recorded error."""
        found = self._take(_DNS, f"{name} {record_type}")
        if found is None:
            self.lacking.append(f"{_DNS} {name} {record_type}")
            raise FetchError("not in the recording", sent=False)
        if found.error:
            raise _raised(found)
        records = json.loads(found.body or b"[]")
        return [str(one) for one in records]

    def _take(self, method: str, url: str) -> Exchange | None:
        kept = self._kept.get((method, url))
        return kept.popleft() if kept else None


def _address(url: str, params: Mapping[str, str] | Sequence[tuple[str, str]] | None) -> str:
    try:
        return str(URL(url).extend_query(params)) if params else url
    except ValueError:
        return url


def _raised(one: Exchange) -> FetchError:
    """Return the recorded error as what it was, for providers tell errors apart."""
    if one.error == NoSuchHost.code:
        return NoSuchHost(one.message.removesuffix(" has no address"))
    if one.error == AddressRefused.code:
        return AddressRefused(one.message)
    kinds = {kind.code: kind for kind in (BodyTooLarge, FetchTimeout, ConnectFailed)}
    return kinds.get(one.error, FetchError)(one.message, sent=one.sent)
