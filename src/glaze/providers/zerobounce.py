"""ZeroBounce: whether a mailbox takes mail, asked singly or a hundred in one request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus

from glaze.model.mailbox import as_subject
from glaze.model.provider import (
    Ask,
    Billed,
    Billing,
    BillingUnknown,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.value import FieldName, Json, Micros
from glaze.model.vendor_body import (
    Readings,
    field_sets,
    gives,
    identified_by,
    malformed,
    not_asked,
    objects_at,
    parse_json,
    redact,
    text_at,
    undocumented_billing,
    unusable,
)

VALIDATION_PRICE = Micros(10_000)
"""What one validation is taken to cost, $0.01 (unconfirmed); larger packages cost less."""
_EMAIL = FieldName("person_email")
_BULK = 100  # the vendor's SDK; its documentation says 200 for another host
_BLOCKED_S = 60.0
"""The pause after a 429 that names none: who goes on meanwhile is blocked for longer."""
_TIMEOUT_S = 30
_BULK_TIMEOUT_S = 60

# The vendor's status -> ours, and how sure that is; "unknown" is no answer and costs nothing.
_STATUSES: Mapping[str, tuple[str, int]] = {
    "valid": ("deliverable", 97),
    "invalid": ("undeliverable", 97),
    "catch-all": ("risky", 90),
    "spamtrap": ("risky", 95),
    "abuse": ("risky", 95),
    "do_not_mail": ("risky", 95),
}
_DISPOSABLE = "disposable"  # the one kind of do_not_mail that has a word of ours

_VALIDATE = Operation(
    name="validate",
    needs=field_sets("person_email"),
    gives=gives(person_email_status=97),  # the names it guesses are not worth a validation
    price_micros=VALIDATION_PRICE,
    batch_size=_BULK,
    timeout_s=75.0,
    limits=(Limit(500, 1),),  # far below the vendor's 50,000 in 10 s
    bulk_limits=(Limit(20, 60),),  # an older page says 5
)
SPEC = ProviderSpec(
    name="zerobounce",
    operations=(_VALIDATE,),
    base_url="https://api.zerobounce.net/v2",
    key_setting="zerobounce_api_key",
    limits=(Limit(500, 1),),
    key_in_question=True,
)


class ZeroBounce:
    """Speaks to ``api.zerobounce.net``.

    Vendor facts (its SDK and documentation): the key goes into the query, in bulk into the body;
    "unknown" is never charged; a bad key and an empty account are told by an ``error`` text, whatever
    the status code, and in bulk by an error of the address "all"; 403 is a shield that blocks for a
    while, not a bad key; rows of a bulk answer carry their address.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer up to a hundred asks of ``validate`` by one request."""
        declared = self.spec.operation(operation)
        emails = [identified_by(ask, declared.needs).get(_EMAIL, "") for ask in asks]
        sent = [email for email in emails if email]
        price = declared.price_micros
        if not sent:
            answers: list[Reply] = []
        elif len(sent) == 1:
            answers = [await _one(sent[0], http, price)]
        else:
            answers = await _several(sent, http, price)
        unused = iter(answers)
        return [next(unused) if email else not_asked("no address is known") for email in emails]


async def _one(email: str, http: VendorHttp, price: Micros) -> Reply:
    response = await http.request(
        "GET",
        f"{http.base_url}/validate",
        params={
            "api_key": http.key,
            "email": email,
            "ip_address": "",
            "timeout": str(_TIMEOUT_S),
        },
    )
    body = parse_json(response.body)
    refused = _refusal(response, text_at(body, "error"))
    if refused is not None:
        return refused
    about = text_at(body, "address")
    if about is not None and about.lower() != email.lower():
        reason = "the answer is about another address"
        return Reply(Verdict.VENDOR_ERROR, BillingUnknown(reason), raw=response.body, detail=reason)
    return _read(email, body, response, price)


async def _several(emails: Sequence[str], http: VendorHttp, price: Micros) -> list[Reply]:
    batch: list[Json] = [{"email_address": email, "ip_address": ""} for email in emails]
    response = await http.request(
        "POST",
        f"{http.base_url}/validatebatch",
        json={
            "api_key": http.key,
            "email_batch": batch,
            "timeout": str(_BULK_TIMEOUT_S),  # the vendor wants a text here
        },
    )
    body = parse_json(response.body)
    errors = {
        (text_at(one, "email_address") or "all").lower(): text_at(one, "error")
        for one in reversed(objects_at(body, "errors"))
    }
    of_all = errors.pop("all", None) or text_at(body, "error")
    rows = _rows(body)
    refused = _refusal(response, None if rows else of_all)
    if refused is None and not rows and not errors:
        refused = malformed(response)
    if refused is not None:
        return [refused] * len(emails)
    return [_row(email.lower(), rows, errors, response, price) for email in emails]


def _rows(body: Json) -> dict[str, list[Mapping[str, Json]]]:
    """Return the rows by their address in small letters: they come in any order."""
    rows: dict[str, list[Mapping[str, Json]]] = {}
    for one in objects_at(body, "email_batch"):
        address = text_at(one, "address")
        if address is not None:
            rows.setdefault(address.lower(), []).append(one)
    return rows


def _row(
    email: str,
    rows: Mapping[str, list[Mapping[str, Json]]],
    errors: Mapping[str, str | None],
    response: VendorResponse,
    price: Micros,
) -> Reply:
    """Return the reply to one address of a bulk request."""
    if rows.get(email):
        row = rows[email].pop(0)
        return _read(email, row, response, price)
    if email in errors:
        return Reply(Verdict.BAD_INPUT, Unbilled(), detail=redact(errors[email] or "")[:200])
    reason = "the answer has no row for this address"
    return Reply(Verdict.VENDOR_ERROR, BillingUnknown(reason), detail=reason)


def _read(email: str, body: Json, response: VendorResponse, price: Micros) -> Reply:
    raw = json.dumps(body).encode()  # of a batch this row alone
    status = (text_at(body, "status") or "").lower()
    said = text_at(body, "sub_status") or ""
    if status == "unknown":
        detail = f"the vendor could not tell: {said[:60]}".rstrip(": ")
        return Reply(Verdict.NO_MATCH, Unbilled(), raw=raw, detail=detail)
    verdict, sure = _STATUSES.get(status, (None, 0))
    if status == "do_not_mail" and said.lower() == _DISPOSABLE:
        verdict = "disposable"
    readings = Readings(_VALIDATE.gives)
    words = f"{status}, {said}" if said else status
    about = as_subject(email)
    if not readings.add("person_email_status", verdict, confidence=sure, url=about, quote=words):
        return malformed(response) if body is None else replace(malformed(response), raw=raw)
    billing: Billing = Billed(price) if price else Unbilled()
    return Reply(Verdict.MATCH, billing, readings.found, raw, detail=words, notes=readings.notes)


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    404: Verdict.VENDOR_ERROR,
    405: Verdict.VENDOR_ERROR,
    429: Verdict.RATE_LIMITED,
}


def _refusal(response: VendorResponse, error: str | None) -> Reply | None:
    """Return the reply for a refusal, by this vendor's habits; None where there is an answer."""
    said = (error or "").lower()
    if "credit" in said:  # the same text may mean a bad key: the vendor does not tell them apart
        return replace(unusable(Verdict.OUT_OF_CREDITS, response), detail=_told(response, error))
    if "api key" in said or "apikey" in said:
        return replace(unusable(Verdict.AUTH, response), detail=_told(response, error))
    if response.status == HTTPStatus.OK:
        return malformed(response) if error else None
    if response.status == HTTPStatus.UNAUTHORIZED:
        return unusable(Verdict.AUTH, response)
    verdict = _REFUSALS.get(response.status, Verdict.VENDOR_ERROR)
    reply = unusable(verdict, response, undocumented_billing(response))
    if verdict is Verdict.RATE_LIMITED:
        return replace(reply, retry_after_s=reply.retry_after_s or _BLOCKED_S)
    return reply


def _told(response: VendorResponse, error: str | None) -> str:
    return f"{response.status}: {redact(error or '')[:200]}"


zerobounce = ZeroBounce()
