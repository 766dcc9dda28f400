"""A payment as Stripe's webhooks tell of one: the signature, what was paid, and for which search."""

import hmac
import json
from typing import Any, NamedTuple

from glaze.errors import InputError
from glaze.model.value import WorkspaceId

TOLERANCE_S = 300
"""Seconds that a signature may be old, or ahead, as Stripe's own libraries have it."""
CURRENCY = "usd"
PAID = "checkout.session.completed"


class Reference(NamedTuple):
    """Whose search a payment is for, as it stands in ``client_reference_id``."""

    workspace_id: WorkspaceId
    search_id: int
    seal: str

    def __str__(self) -> str:
        """Return it as the checkout is told."""
        return f"search-{self.workspace_id}-{self.search_id}-{self.seal}"


class Payment(NamedTuple):
    """A completed checkout. ``cents`` is the amount in the currency's smallest unit."""

    event_id: str
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
    """Return the payment that a signed event tells of; None for other events, and before money came.

    Raises: InputError where it is none of ours.
    """
    try:
        event: Any = json.loads(body)
        if event["type"] != PAID or event["data"]["object"]["payment_status"] != "paid":
            return None
        session = event["data"]["object"]
        cents, currency, event_id = session["amount_total"], session["currency"], event["id"]
        reference = _reference(session["client_reference_id"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("no payment for a search can be read in this") from error
    if not (isinstance(cents, int) and isinstance(currency, str) and isinstance(event_id, str)):
        raise InputError("no amount, currency or id can be read in this")
    if not (0 <= cents < 10**12 and 1 <= len(event_id) <= 255):  # noqa: PLR2004  as the table holds it
        raise InputError("an amount or an id that cannot be")
    return Payment(event_id, reference, cents, currency.lower()[:10])


def _reference(text: str) -> Reference:
    name, workspace_id, search_id, sealed = text.split("-")
    if name != "search" or max(len(workspace_id), len(search_id)) > 18:  # noqa: PLR2004  digits of a bigint
        raise ValueError(text)
    return Reference(WorkspaceId(int(workspace_id)), int(search_id), sealed)
