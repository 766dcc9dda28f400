"""A payment as Stripe's webhooks tell of one: the signature, what was paid, and for which search."""

import hmac
import json
import re
from typing import Any, NamedTuple

from glaze.errors import InputError
from glaze.model.value import WorkspaceId

TOLERANCE_S = 300
"""Seconds that a signature may be old, or ahead, as Stripe's own libraries have it."""
CURRENCY = "usd"
PAID = frozenset({"checkout.session.completed", "checkout.session.async_payment_succeeded"})
"""Say that a checkout is paid: at once, or days after it was completed (bank debits and others).

Source: Stripe's documentation of fulfilment, which asks for both, for a look at ``payment_status``,
and for one fulfilment of a checkout however often it is told of.
"""
_LONGEST_ID = 255
_REFERENCE = re.compile(r"search-([0-9]{1,18})-([0-9]{1,18})-([0-9a-f]+)")


class Reference(NamedTuple):
    """Whose search a payment is for, as it stands in ``client_reference_id``."""

    workspace_id: WorkspaceId
    search_id: int
    seal: str

    def __str__(self) -> str:
        """Return it as the checkout is told."""
        return f"search-{self.workspace_id}-{self.search_id}-{self.seal}"


class Payment(NamedTuple):
    """A paid checkout. ``cents`` is the amount in the currency's smallest unit."""

    event_id: str
    checkout_id: str  # several events may tell of one
    reference: Reference
    cents: int
    currency: str


def seal(hash_key: bytes, search_id: int) -> str:
    """Return what only this workspace's own reference to the search holds."""
    return hmac.digest(hash_key, f"payment:{search_id}".encode(), "sha256").hex()[:32]


def signed(body: bytes, header: str, secret: str, now_s: float) -> bool:
    """Tell whether ``Stripe-Signature`` is ours and fresh: ``t=<unix seconds>,v1=<hex>``, several v1.

    Source: Stripe's documentation of webhook signatures. ``body`` is byte for byte as it came.
    """
    parts = [one.strip().partition("=") for one in header.split(",")]
    times = [
        value for name, _, value in parts if name == "t" and value.isascii() and value.isdigit()
    ]
    if len(times) != 1 or len(times[0]) > 12 or abs(now_s - int(times[0])) > TOLERANCE_S:  # noqa: PLR2004  digits
        return False
    genuine = hmac.new(secret.encode(), times[0].encode() + b"." + body, "sha256").hexdigest()
    given = [value for name, _, value in parts if name == "v1"]
    return any(hmac.compare_digest(genuine.encode(), one.encode()) for one in given)


def payment_of(body: bytes) -> Payment | None:
    """Return the payment for a search that a signed event tells of.

    None for other events, before money came, and for what else the same account sells.

    Raises: InputError where it cannot be read.
    """
    try:
        event: Any = json.loads(body)
        if event["type"] not in PAID or event["data"]["object"]["payment_status"] != "paid":
            return None
        session = event["data"]["object"]
        reference = _reference(session.get("client_reference_id"))
        if reference is None:
            return None
        cents, currency = session["amount_total"], session["currency"]
        ids = event["id"], session["id"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError("no payment for a search can be read in this") from error
    if type(cents) is not int or not all(isinstance(one, str) for one in (currency, *ids)):
        raise InputError("no amount, currency or id can be read in this")
    if not (0 <= cents < 10**12 and all(1 <= len(one) <= _LONGEST_ID for one in ids)):
        raise InputError("an amount or an id that cannot be")
    return Payment(*ids, reference, cents, currency.lower()[:10])


def _reference(text: object) -> Reference | None:
    """Return whose search is meant; None where it is no reference of ours."""
    found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    return Reference(WorkspaceId(int(found[1])), int(found[2]), found[3])
