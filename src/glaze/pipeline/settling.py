"""What a reply, or its absence, means for the ledger and for the asker: pure rules."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from glaze.errors import FetchError
from glaze.model.field import FIELDS, EntityKind
from glaze.model.ledger import CallEnd, Settlement
from glaze.model.provider import (
    Billed,
    Billing,
    BillingUnknown,
    Operation,
    Reply,
    Resend,
    Unbilled,
    Verdict,
)
from glaze.model.room import LONGEST_PAUSE_S
from glaze.model.value import FREE, CallId, EntityId, Micros, Reading
from glaze.pipeline.asking import Answer, Decline, Declined

ANSWERS = frozenset({Verdict.MATCH, Verdict.NO_MATCH, Verdict.BAD_INPUT, Verdict.SUPPRESSED})
"""Verdicts that answer the question: they are kept, and not asked again while fresh."""

ASKS_TO_WAIT: Mapping[Verdict, str] = {
    Verdict.RATE_LIMITED: "the vendor asked to wait",
    Verdict.IN_PROGRESS: "the vendor is still working on it",
}
"""Verdicts after which the same question is asked again in a while, with what that means."""

MOST_MICROS = 2**62
"""No price is above this; what claims to be is no price, and its cost is unknown."""

RATE_LIMIT_WAIT_S = 1.0
"""The pause after a 429 that names none."""

FIRST_POLL_S, LONGEST_POLL_S = 2.0, 60.0
"""How long a promised answer is given before it is asked for first, and at most between two polls."""

LAST_POLL_S = 30.0
"""So long before it is given up a promised answer is asked for at the latest, whatever the vendor says."""

_HAD_AGAIN = frozenset({Resend.IDEMPOTENT, Resend.COLLECT})


def settle_reply(
    call_id: CallId,
    reply: Reply,
    entities: Mapping[EntityKind, EntityId],
    operation: Operation,
) -> Settlement:
    """Turn a reply into the settlement of its call.

    Where only the bill cannot be read the answer is kept all the same: it was probably paid for.
    """
    if reply.verdict is Verdict.PENDING:
        return _promised(call_id, reply, operation)
    billing = reply.billing
    if isinstance(billing, BillingUnknown):
        if not operation.price_micros:
            billing = Unbilled()  # what costs nothing leaves nothing to resolve
        elif had_again(operation):
            return resume(call_id, reply.detail or billing.reason)
    end, price = _end(billing, answered=reply.verdict in ANSWERS)
    brought = end is CallEnd.SETTLED or (end is CallEnd.UNKNOWN and reply.verdict in ANSWERS)
    settlement = Settlement(
        call_id=call_id,
        end=end,
        price_micros=price,
        verdict=reply.verdict,
        detail=reply.detail,
        readings=storable_readings(reply.readings) if brought else (),
        entities=entities,
        raw=reply.raw,
        pages=reply.pages,
    )
    if not 0 <= price <= MOST_MICROS:
        why = "the vendor named no possible price"
        if reply.verdict not in ANSWERS:
            return unknown(settlement, why)
        return replace(settlement, end=CallEnd.UNKNOWN, price_micros=FREE, detail=why)
    return settlement


def had_again(operation: Operation) -> bool:
    """Tell whether an answer that was lost can be had once more without paying for it twice."""
    return operation.resend in _HAD_AGAIN and operation.collect_s > 0


def resume(call_id: CallId, why: str) -> Settlement:
    """Leave a call to be sent again under its key, or to be collected, whoever comes to it."""
    return Settlement(call_id, CallEnd.PENDING, detail=why, wait_s=FIRST_POLL_S)


def _promised(call_id: CallId, reply: Reply, operation: Operation) -> Settlement:
    """Settle for now a call whose vendor promised the answer for later."""
    if not reply.handle or operation.collect_s <= 0:
        why = "an answer was promised, but there is no way to collect it"
        return Settlement(call_id, CallEnd.UNKNOWN, verdict=reply.verdict, detail=why)
    return Settlement(
        call_id,
        CallEnd.PENDING,
        verdict=reply.verdict,
        detail=reply.detail,
        handle=reply.handle,
        wait_s=min(poll_wait_s(reply, 0), max(FIRST_POLL_S, operation.collect_s - LAST_POLL_S)),
    )


def poll_wait_s(reply: Reply | None, polls: int) -> float:
    """Return when to ask for a promised answer next, in seconds, after ``polls`` in vain."""
    if reply is not None and reply.retry_after_s:
        return reply.retry_after_s
    return min(LONGEST_POLL_S, FIRST_POLL_S * 2.0 ** min(polls, 10))


def unknown(settlement: Settlement, why: str) -> Settlement:
    """Keep of a settlement only that its outcome is unknown: that can always be recorded."""
    return Settlement(settlement.call_id, CallEnd.UNKNOWN, verdict=settlement.verdict, detail=why)


def storable_readings(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Drop what the ledger cannot hold, and keep confidence within 0 to 100."""
    return tuple(
        replace(reading, confidence=int(min(100, max(0, reading.confidence))))
        for reading in readings
        if reading.field in FIELDS and math.isfinite(reading.confidence) and _is_json(reading.value)
    )


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _end(billing: Billing, *, answered: bool) -> tuple[CallEnd, Micros]:
    match billing:
        case Billed(micros):
            return CallEnd.SETTLED, micros
        case Unbilled():
            return (CallEnd.SETTLED if answered else CallEnd.NOT_BILLED), FREE
        case BillingUnknown():
            return CallEnd.UNKNOWN, FREE


def settle_failure(call_id: CallId, error: FetchError, operation: Operation) -> Settlement:
    """Settle a call that ended in no answer.

    Once bytes may have left, a paid call may have been billed: it stays reserved as unknown,
    unless its answer can be had again.
    """
    maybe_billed = operation.price_micros > 0 and error.sent
    if maybe_billed and had_again(operation):
        return resume(call_id, f"{error.code}: {error}")
    end = CallEnd.UNKNOWN if maybe_billed else CallEnd.NOT_BILLED
    return Settlement(call_id, end, verdict=Verdict.VENDOR_ERROR, detail=f"{error.code}: {error}")


def settle_unsent(call_id: CallId, why: str) -> Settlement:
    """Settle a call that was given up before anything was sent."""
    return Settlement(call_id, CallEnd.NOT_BILLED, detail=why)


def declined(settlement: Settlement) -> Declined:
    """Say what a call without an answer means for its asker."""
    if settlement.end is CallEnd.PENDING:
        return awaited(settlement.wait_s, settlement.call_id)
    why = Decline.UNKNOWN if settlement.end is CallEnd.UNKNOWN else Decline.FAILED
    return Declined(why, settlement.detail, call_id=settlement.call_id)


def awaited(wait_s: float, call_id: CallId | None = None) -> Declined:
    """Send an asker away until a promised answer has been asked for."""
    return Declined(
        Decline.WAIT,
        "the vendor answers later",
        wait_s=wait_s + 1.0,
        verdict=Verdict.PENDING,
        call_id=call_id,
    )


def answered(settlement: Settlement, reply: Reply) -> Answer | Declined:
    """Say what a settled reply means for its asker; values count whatever their bill says."""
    unread = settlement.end is CallEnd.UNKNOWN and bool(settlement.readings)
    if settlement.end is CallEnd.SETTLED or unread:
        return Answer(
            call_id=settlement.call_id,
            verdict=reply.verdict,
            readings=settlement.readings,
            pages=reply.pages,
            price_micros=settlement.price_micros,
            detail=reply.detail,
            notes=(*reply.notes, "what it cost is not known yet") if unread else reply.notes,
        )
    if reply.verdict in ASKS_TO_WAIT and settlement.end is not CallEnd.PENDING:
        used_up = pause_s(reply) > LONGEST_PAUSE_S
        return Declined(
            Decline.BUSY if used_up else Decline.WAIT,
            "the vendor's quota is used up" if used_up else ASKS_TO_WAIT[reply.verdict],
            wait_s=pause_s(reply),
            verdict=reply.verdict,
            call_id=settlement.call_id,
        )
    if settlement.end is CallEnd.PENDING:
        return declined(settlement)
    return replace(declined(settlement), verdict=reply.verdict)


def pause_s(reply: Reply) -> float:
    """Return the pause, in seconds, that a rate-limited reply asks for."""
    return reply.retry_after_s or RATE_LIMIT_WAIT_S
