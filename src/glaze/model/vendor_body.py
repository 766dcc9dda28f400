"""A vendor's answer read leniently: what is not of the expected type is absent, never an error."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import TypeGuard

from glaze.model.country import country_code
from glaze.model.normalise import Invalid, normalise, states_nothing
from glaze.model.provider import (
    Ask,
    Billed,
    Billing,
    BillingUnknown,
    Reply,
    Unbilled,
    VendorResponse,
    Verdict,
)
from glaze.model.text import clean
from glaze.model.value import FieldName, Json, Micros, Reading

_LONGEST_DETAIL = 200
_LONGEST_WAIT_S = 86_400.0
_TAG = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
# What an error message may echo of the question or of the credential.
_ECHOED = re.compile(
    r"\S+@\S+|https?://\S+|\b(?=[\w*-]*\d)[\w*-]{20,}|\bsk-\S+|\+?\d[\d ()./-]{6,}\d"
)


def parse_json(body: bytes) -> Json:
    """Return the JSON of ``body``, also where it is wrapped in a JSON string; None for no JSON."""
    found = _json(body)
    if isinstance(found, str) and found.lstrip()[:1] in {"{", "["}:
        found = _json(found)
    return found


def _json(text: str | bytes) -> Json:
    try:
        found: Json = json.loads(text)
    except (ValueError, RecursionError):  # also bad UTF-8, and integers of thousands of digits
        return None
    return found


def at(value: Json, *path: str | int) -> Json:
    """Return what stands at ``path`` (keys of objects, places in lists), None where nothing does."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and _is_list(value) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Json, *path: str | int, numbers: bool = False) -> str | None:
    """Return the cleaned text at ``path``; with ``numbers`` an integer counts as its digits."""
    found = at(value, *path)
    if numbers and isinstance(found, int) and not isinstance(found, bool):
        found = str(found) if abs(found) < 10**30 else None
    return (clean(found) or None) if isinstance(found, str) else None


def int_at(value: Json, *path: str | int) -> int | None:
    """Return the whole number at ``path``, also where it is written ``12.0`` or ``"1,200"``."""
    found = at(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, str) and re.fullmatch(r"\d{1,3}(?:,\d{3})+|\d{1,18}", found.strip()):
        found = int(found.replace(",", ""))
    if isinstance(found, float) and math.isfinite(found) and found == int(found):
        found = int(found)
    return found if isinstance(found, int) and abs(found) < 10**18 else None


def objects_at(value: Json, *path: str | int) -> list[Mapping[str, Json]]:
    """Return the objects of the list at ``path``, in order; anything else in it is passed over."""
    found = at(value, *path)
    return [one for one in found if isinstance(one, Mapping)] if _is_list(found) else []


def texts_at(value: Json, *path: str | int) -> list[str]:
    """Return the non-empty texts of the list at ``path``, in order."""
    found = at(value, *path)
    if not _is_list(found):
        return []
    return [text for one in found if isinstance(one, str) and (text := clean(one))]


def _is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_empty(field: FieldName, value: Json) -> bool:
    """Tell whether ``value`` states nothing; True in a text field is "exists, but hidden"."""
    if isinstance(value, str):
        return states_nothing(field, value)
    return value is None or isinstance(value, bool) or value in ([], {})


def gives(**confidence: int) -> Mapping[FieldName, int]:
    """Return what an operation gives: fields with their confidence, as keywords."""
    return MappingProxyType({FieldName(name): sure for name, sure in confidence.items()})


def field_sets(*needed: str) -> tuple[frozenset[FieldName], ...]:
    """Return alternative sets of identifiers; the names of one set are separated by spaces."""
    return tuple(frozenset(FieldName(name) for name in one.split()) for one in needed)


def country_of(text: str | None) -> str | None:
    """Return the ISO alpha-2 code of a country a vendor names, None where it names none."""
    try:
        return country_code(text) if text else None
    except ValueError:
        return None


class Readings:
    """What one answer states, normalised. A value that does not normalise is left out and noted."""

    def __init__(
        self,
        gives: Mapping[FieldName, int],
        *,
        url: str | None = None,
        country: str | None = None,
        minus: int = 0,
        share: float = 1.0,
    ) -> None:
        """Collect the fields of ``gives`` at that ``share`` of their confidence, less ``minus``.

        ``share`` (0 to 1) is how sure the vendor is that the record is of whom was asked about.
        ``url`` is where the answer was read, ``country`` (ISO alpha-2) helps to read phone numbers.
        """
        self._gives = gives
        self._url = url
        self._country = country
        self._minus = minus
        self._share = share
        self._found: dict[FieldName, Reading] = {}
        self._notes: list[str] = []

    def add(
        self,
        name: str,
        value: Json,
        *,
        confidence: int | None = None,
        url: str | None = None,
        quote: str | None = None,
        raw: str | None = None,
    ) -> bool:
        """Keep ``value`` for the field ``name`` unless it is empty, invalid or already known.

        ``raw`` is how it was stated, by default the value itself. Returns whether it was kept.
        """
        field = FieldName(name)
        if _is_empty(field, value) or field in self._found:
            return False
        try:
            normal = normalise(field, value, country=self._country)
        except Invalid as why:
            self._notes.append(f"{name} left out: {redact(str(why))}")
            return False
        stated = self._gives[field] if confidence is None else confidence
        if raw is None and isinstance(value, str) and value != normal:
            raw = value
        self._found[field] = Reading(
            field=field,
            value=normal,
            confidence=max(0, min(100, round(stated * self._share) - self._minus)),
            quote=clean(quote) if quote else None,
            url=url or self._url,
            raw=raw,
        )
        return True

    @property
    def found(self) -> tuple[Reading, ...]:
        """The readings, in the order they were added."""
        return tuple(self._found.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and why."""
        return tuple(self._notes)


def identified_by(ask: Ask, needs: Sequence[frozenset[FieldName]]) -> dict[FieldName, str]:
    """Return the identifiers of the first set of ``needs`` that is wholly known, as text.

    Only these make up the question, so only these may be sent. Empty where no set is known.
    """
    for needed in needs:
        known = {name: text for name in sorted(needed) if (text := text_at(ask.known.get(name)))}
        if len(known) == len(needed):
            return known
    return {}


def unusable(
    verdict: Verdict,
    response: VendorResponse,
    billing: Billing | None = None,
    *,
    wait_s: float | None = None,
) -> Reply:
    """Return the Reply for an answer without a usable result; unbilled unless ``billing`` is given.

    ``wait_s`` is the pause that the vendor asks for where it says so elsewhere than in
    ``retry-after``.
    """
    return Reply(
        verdict=verdict,
        billing=Unbilled() if billing is None else billing,
        raw=response.body,
        retry_after_s=retry_after_s(response) if wait_s is None else wait_s,
        detail=message_of(response),
    )


def promised(handle: str, response: VendorResponse) -> Reply:
    """Return the Reply for a question that was accepted; its answer is had under ``handle``."""
    return Reply(
        verdict=Verdict.PENDING,
        billing=BillingUnknown("the answer comes later"),
        retry_after_s=retry_after_s(response),
        detail=message_of(response),
        handle=handle,
    )


def stated(readings: Readings, billing: Billing, raw: bytes) -> Reply:
    """Return the Reply for a record; one that states nothing usable may still have been charged."""
    if readings.found:
        return Reply(Verdict.MATCH, billing, readings.found, raw, notes=readings.notes)
    reason = "a record without a usable value"
    return Reply(
        Verdict.VENDOR_ERROR, BillingUnknown(reason), raw=raw, detail=reason, notes=readings.notes
    )


def malformed(response: VendorResponse) -> Reply:
    """Return the Reply for a success that cannot be read: perhaps charged, perhaps not."""
    unknown = BillingUnknown("a success that could not be read")
    return unusable(Verdict.VENDOR_ERROR, response, unknown)


def undocumented_billing(response: VendorResponse) -> Billing:
    """Return what an unexpected status means for the bill where the vendor does not say.

    A refusal (3xx, 4xx) and "try later" (503) charge nothing. Any other answer came after the
    vendor, or a gateway before it, took the question on.
    """
    status = response.status
    if status == HTTPStatus.SERVICE_UNAVAILABLE or (
        HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        return Unbilled()
    return BillingUnknown(f"status {status}: the vendor does not say whether it charges")


def not_asked(reason: str) -> Reply:
    """Return the Reply for a question that cannot be put to the vendor; nothing was sent."""
    return Reply(Verdict.BAD_INPUT, Unbilled(), detail=reason)


def message_of(response: VendorResponse) -> str:
    """Return the vendor's own message, short, on one line, without what it echoes of the question."""
    parsed = parse_json(response.body)
    said = next(filter(None, (text_at(parsed, *path) for path in _MESSAGE_PATHS)), None)
    if said is None and not isinstance(parsed, Mapping):
        said = _TAG.sub(" ", response.body[:4000].decode("utf-8", "replace"))
    said = redact(said or "")[:_LONGEST_DETAIL]
    return f"{response.status}: {said}" if said else str(response.status)


_MESSAGE_PATHS: tuple[tuple[str | int, ...], ...] = (
    ("error", "message"),
    ("error_message",),
    ("message",),
    ("error",),
    ("detail", "error"),
    ("detail",),
    ("description",),
    ("errors", 0, "details"),
    ("errors", 0),
)


def redact(text: str) -> str:
    """Return ``text`` cleaned, with addresses, links, numbers and keys in it replaced by ``…``."""
    return _ECHOED.sub("…", clean(text))


def reset_wait_s(response: VendorResponse, header: str) -> float | None:
    """Return the seconds until the moment that ``header`` names, at most a day; None without one.

    The moment is in seconds since 1970 or by ISO 8601 in UTC, seen from the answer's own ``date``; a
    small number is the wait itself.
    """
    stated = response.headers.get(header, "").strip()
    try:
        wait = float(stated) if re.fullmatch(r"\d{1,12}", stated) else _utc_s(stated)
        if wait > _LONGEST_WAIT_S:
            wait -= parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT_S)


def _utc_s(stated: str) -> float:
    """Return the seconds since 1970 of a moment by ISO 8601. Raises: ValueError."""
    moment = datetime.fromisoformat(stated)
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def price_header(response: VendorResponse, header: str) -> float | BillingUnknown | None:
    """Return the number of credits, 0 or more, that a header states; None without the header.

    One that is there and states no possible number says that the price is not the documented one.
    """
    stated = response.headers.get(header)
    if stated is None:
        return None
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", stated.strip()):
        return float(stated)
    return BillingUnknown(f"the vendor states {stated.strip()[:40]!r} credits")


def share_out(micros: Micros, bearers: Sequence[int]) -> dict[int, Billing]:
    """Share a bulk request's price out over the places that bear it, evenly and without a rest."""
    if not bearers:
        return {}
    each, extra = divmod(micros, len(bearers))
    shares = {place: each + (rank < extra) for rank, place in enumerate(bearers)}
    return {place: Billed(Micros(one)) if one else Unbilled() for place, one in shares.items()}


def retry_after_s(response: VendorResponse) -> float | None:
    """Return the seconds that the ``retry-after`` header asks for, at most a day; None without one.

    A date is taken relative to the answer's own ``date``, for a provider has no clock.
    """
    stated = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", stated):
        return min(float(stated), _LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(stated)
        wait = (until - parsedate_to_datetime(response.headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one with and one without a zone
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT_S)
