"""What a reply, or its absence, means for the ledger and for the asker: pure rules."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from glaze.errors import FetchError
from glaze.model.field import FIELDS, EntityKind
from glaze.model.ledger import CallEnd, Settlement
from glaze.model.provider import Billed, Billing, BillingUnknown, Reply, Unbilled, Verdict
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


def settle_reply(
    call_id: CallId, reply: Reply, entities: Mapping[EntityKind, EntityId]
) -> Settlement:
    """Turn a reply into the settlement of its call."""
    end, price = _end(reply.billing, answered=reply.verdict in ANSWERS)
    settlement = Settlement(
        call_id=call_id,
        end=end,
        price_micros=price,
        verdict=reply.verdict,
        detail=reply.detail,
        readings=_storable_readings(reply.readings) if end is CallEnd.SETTLED else (),
        entities=entities,
        raw=reply.raw,
        pages=reply.pages,
    )
    if not 0 <= price <= MOST_MICROS:
        return unknown(settlement, "the vendor named no possible price")
    return settlement


def unknown(settlement: Settlement, why: str) -> Settlement:
    """Keep of a settlement only that its outcome is unknown: that can always be recorded."""
    return Settlement(settlement.call_id, CallEnd.UNKNOWN, verdict=settlement.verdict, detail=why)


def _storable_readings(readings: Sequence[Reading]) -> tuple[Reading, ...]:
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


def settle_failure(call_id: CallId, error: FetchError, *, costs: bool) -> Settlement:
    """Settle a call that ended in no answer.

    Once bytes may have left, a paid call may have been billed: it stays reserved as unknown.
    """
    end = CallEnd.UNKNOWN if costs and error.sent else CallEnd.NOT_BILLED
    return Settlement(call_id, end, verdict=Verdict.VENDOR_ERROR, detail=f"{error.code}: {error}")


def settle_unsent(call_id: CallId, why: str) -> Settlement:
    """Settle a call that was given up before anything was sent."""
    return Settlement(call_id, CallEnd.NOT_BILLED, detail=why)


def declined(settlement: Settlement) -> Declined:
    """Say what a call without an answer means for its asker."""
    why = Decline.UNKNOWN if settlement.end is CallEnd.UNKNOWN else Decline.FAILED
    return Declined(why, settlement.detail, call_id=settlement.call_id)


def answered(settlement: Settlement, reply: Reply) -> Answer | Declined:
    """Say what a settled reply means for its asker."""
    if settlement.end is CallEnd.SETTLED:
        return Answer(
            call_id=settlement.call_id,
            verdict=reply.verdict,
            readings=settlement.readings,
            pages=reply.pages,
            price_micros=settlement.price_micros,
            detail=reply.detail,
            notes=reply.notes,
        )
    if reply.verdict in ASKS_TO_WAIT:
        return Declined(
            Decline.WAIT,
            ASKS_TO_WAIT[reply.verdict],
            wait_s=pause_s(reply),
            verdict=reply.verdict,
            call_id=settlement.call_id,
        )
    return replace(declined(settlement), verdict=reply.verdict)


def pause_s(reply: Reply) -> float:
    """Return the pause, in seconds, that a rate-limited reply asks for."""
    return reply.retry_after_s or RATE_LIMIT_WAIT_S
