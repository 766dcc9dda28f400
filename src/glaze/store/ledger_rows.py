"""What the ledger's statements are given: questions, requests, calls, settlements; as JSON rows."""

import base64
import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from glaze.model.field import FIELDS
from glaze.model.ledger import CallEnd, Intent, RequestFacts, Settlement
from glaze.model.recording import as_json, ask_as_json
from glaze.model.value import CallId, Json
from glaze.store.text import storable

_OPEN = frozenset({CallEnd.UNKNOWN, CallEnd.PENDING})
"""Ends of which nobody knows the price yet."""


def _question_row(ord_: int, intent: Intent) -> dict[str, object]:
    question, after = intent.question, intent.asker.miss_fresh_after
    return {
        "ord": ord_,
        "credential": question.credential,
        "provider": question.provider,
        "operation": question.operation,
        "flags": question.flags,
        "hex": question.key.hex(),
        "by_field": intent.by_field,
        "after": after and after.isoformat(),
    }


def question_rows(intents: Sequence[Intent]) -> Jsonb:
    """Return the questions of ``intents``; ``ord`` is their place."""
    return Jsonb([_question_row(i, intent) for i, intent in enumerate(intents)])


def new_request(ord_: int, first: Intent, *, calls: int, deadline_s: float) -> dict[str, object]:
    """Return the row of a request that carries ``calls`` calls, ``first`` among them."""
    return {
        "ord": ord_,
        "provider": first.question.provider,
        "operation": first.question.operation,
        "credential": first.question.credential,
        "calls": calls,
        "deadline_s": deadline_s,
        "correlation_id": first.asker.correlation_id,
    }


def new_call(request: int, intent: Intent, question: Mapping[str, Any]) -> dict[str, object]:
    """Return the row of a call, the next generation of ``question``, in the request ``request``."""
    asker = intent.asker
    return {
        "request": request,
        "question_id": question["question_id"],
        "generation": question["generation"] + 1,
        "job_id": asker.job_id,
        "batch_id": asker.batch_id,
        "worker_id": asker.token.worker_id,
        "claim_no": asker.token.claim_no,
        "position": intent.position,
        "missed": list(intent.missed),
        "reason": intent.reason,
        "wanted": list(intent.wanted),
        "reserved_micros": intent.price_micros,
        "budget_ids": list(intent.budgets),  # what was to cost nothing may bill
        "resend": intent.resend,
        "collect_s": intent.collect_s or None,
        "asked": _asked(intent) if intent.collect_s else None,
        "earlier": list(intent.earlier),
        "asked_by": "+".join(sorted(intent.known)),
        "country": intent.country,
        "floor": intent.floor,
    }


def _asked(intent: Intent) -> dict[str, object]:
    """Return what it takes to ask for the answer when nobody who wants it is at hand."""
    asked: dict[str, object] = {
        "known": {name: storable(value) for name, value in intent.known.items()},
        "entities": dict(intent.asker.entities),
    }
    if intent.whole is not None:
        asked["whole"] = storable(ask_as_json(intent.whole))
    return asked


def settle_params(
    requests: Sequence[RequestFacts],
    settlements: Sequence[Settlement],
    provider_of: Mapping[CallId, str],
    hash_key: bytes,
) -> dict[str, object]:
    """Return what the statement that settles is given."""
    answers = [_answer(s, hash_key) for s in settlements if s.raw or s.pages or s.recording]
    observed = [row for s in settlements for row in observation_rows(s, provider_of)]
    return {
        "calls": _settled(settlements),
        "call_ids": [s.call_id for s in settlements],
        "requests": _requests(requests),
        "request_ids": [r.request_id for r in requests],
        "answers": Jsonb(answers),
        "observations": Jsonb(observed),
    }


def _settled(settlements: Sequence[Settlement]) -> Jsonb:
    return Jsonb(
        [
            {
                "id": s.call_id,
                "state": s.end.value,
                "price_micros": None if s.end in _OPEN else s.price_micros,
                "verdict": s.verdict,
                "detail": storable(s.detail[:500]),
                "handle": s.handle and storable(s.handle),
                "wait_s": s.wait_s,
            }
            for s in settlements
        ]
    )


def _requests(requests: Sequence[RequestFacts]) -> Jsonb:
    return Jsonb(
        [
            {
                "id": r.request_id,
                "status": r.status,
                "exchanges": r.exchanges,
                "bytes": r.bytes,
                "billed_micros": r.billed_micros,
                "remainder_micros": r.remainder_micros,
                "error": storable(r.error) if r.error else None,
            }
            for r in requests
        ]
    )


def _answer(settlement: Settlement, hash_key: bytes) -> dict[str, object]:
    kept: dict[str, Json] = {
        "raw": base64.b64encode(settlement.raw).decode(),
        "pages": [{"url": p.url, "text": storable(p.text)} for p in settlement.pages],
    }
    if settlement.recording is not None and settlement.recording.is_whole:
        kept["recording"] = storable(as_json(settlement.recording, settlement.raw))
    plain = json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return {
        "call_id": settlement.call_id,
        "body": base64.b64encode(zlib.compress(plain, 1)).decode(),
        "digest": hmac.new(hash_key, settlement.raw, hashlib.sha256).hexdigest(),
    }


def observation_rows(
    settlement: Settlement, provider_of: Mapping[CallId, str]
) -> list[dict[str, Any]]:
    """One row a reading; the call's price is shared evenly, the first takes what is left over."""
    placed = [
        (reading, settlement.entities.get(FIELDS[reading.field].entity))
        for reading in settlement.readings
    ]
    rows = [(reading, entity) for reading, entity in placed if entity is not None]
    if not rows:
        return []
    share, left = divmod(settlement.price_micros, len(rows))
    return [
        {
            "entity_id": entity,
            "call_id": settlement.call_id,
            "field": reading.field,
            "value": storable(reading.value),
            "raw": storable(reading.raw),
            "confidence": reading.confidence,
            "provider": provider_of[settlement.call_id],
            "source_url": storable(reading.url),
            "quote": storable(reading.quote),
            "cost_micros": share + (left if i == 0 else 0),
        }
        for i, (reading, entity) in enumerate(rows)
    ]
