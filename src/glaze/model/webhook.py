"""What endpoints are told: types of events, secrets, and when a delivery is tried again."""

import base64
import hmac
from collections.abc import Collection, Mapping, Sequence
from random import Random
from urllib.parse import urlsplit

from glaze.errors import InputError

EVENT_TYPES: Mapping[str, str] = {
    "enqueued": "job.created",
    "progress": "job.progress",
    "completed": "job.completed",
    "partial": "job.partial",
    "failed": "job.failed",
    "dead": "job.dead",
    "cancelled": "job.cancelled",
    "batch_progress": "batch.progress",
    "batch_finished": "batch.completed",
    "batch_cancelled": "batch.cancelled",
}
"""Events of the feed, and as what they are told."""
PROGRESS = frozenset({"job.progress", "batch.progress"})
TEST = "webhook.test"
SEARCH_TYPES = frozenset(
    f"search.{state}"
    for state in ("created", "preview", "paid", "enriching", "ready", "failed", "refunded")
)
"""Told under the names that they have in the feed."""
_FAMILIES = ("job.", "batch.", "search.")
EVERYTHING = "*"
MOST_TYPES = 50

RETRY_AFTER_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds to wait after each failure; three days in all."""
MOST_ATTEMPTS = len(RETRY_AFTER_S) + 1
_SPREAD = 0.2
LONGEST_WAIT_S = 86_400.0
"""No receiver's Retry-After is obeyed beyond it."""


def told_as(event: str) -> str | None:
    """Return the type as which an event of the feed is told, None where it is not."""
    return event if event in SEARCH_TYPES else EVENT_TYPES.get(event)


def listens(subscribed: Collection[str], type_: str) -> bool:
    """Tell whether an endpoint with these types is told of ``type_``."""
    family = f"{type_.partition('.')[0]}.*"
    return not {EVERYTHING, family, type_}.isdisjoint(subscribed)


def checked_types(given: Sequence[str]) -> tuple[str, ...]:
    """Return types of events to listen to, each once.

    Raises: InputError where one is unknown, or there is none.
    """
    known = {*EVENT_TYPES.values(), *SEARCH_TYPES, EVERYTHING, *(f"{name}*" for name in _FAMILIES)}
    unknown = [one for one in given if one not in known]
    if unknown or not given or len(given) > MOST_TYPES:
        named = ", ".join(sorted(known))
        raise InputError(f"no event type {', '.join(unknown) or 'is given'}; there are {named}")
    return tuple(dict.fromkeys(given))


def without_secrets(url: str) -> str:
    """Return where a URL leads without what only its owner knows: path and query are often secret.

    >>> without_secrets("https://me:pw@crm.example.com:8443/hook?token=1")
    'https://crm.example.com:8443/***'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" + ("/***" if parts.path.strip("/") or parts.query else "")


def secret_of(hash_key: bytes, salt: bytes) -> str:
    """Return an endpoint's secret, 256 bits, in the form of Standard Webhooks: ``whsec_...``.

    It is made anew whenever it is needed, of the workspace's key and a salt; a table of endpoints
    alone tells none.
    """
    secret = hmac.digest(hash_key, b"webhook:" + salt, "sha256")
    return f"whsec_{base64.b64encode(secret).decode()}"


def wait_s(attempt: int, rng: Random, asked_s: float | None = None) -> float | None:
    """Return the seconds until the next try after ``attempt`` (from 1), None after the last.

    ``asked_s`` is what the receiver asked for; it is obeyed up to a day.
    """
    if attempt > len(RETRY_AFTER_S):
        return None
    planned = RETRY_AFTER_S[attempt - 1] * rng.uniform(1 - _SPREAD, 1 + _SPREAD)
    return max(planned, min(asked_s or 0.0, LONGEST_WAIT_S))
