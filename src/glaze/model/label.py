"""What callers pin to a job: tags to find it by, the address that is told of its end."""

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from glaze.errors import InputError

LATEST = datetime(3000, 1, 1, tzinfo=UTC)
"""No job is put off further: places in the queue are counted from run times, and a calendar ends."""
MOST_TAGS = 20
LONGEST_TAG = 64
LONGEST_URL = 2048


def checked_time(time: datetime, what: str) -> datetime:
    """Return ``time`` where it is aware and before the year 3000.

    Raises: InputError, which names it as ``what``.
    """
    if time.tzinfo is None:
        raise InputError(f"{what}: a time needs its zone")
    if time >= LATEST:
        raise InputError(f"{what}: a time before the year {LATEST.year} is needed")
    return time


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return ``tags`` in their order, each once.

    Raises: InputError for over 20, or one that is not 1 to 64 printable characters without
    blanks at its ends.
    """
    kept = tuple(dict.fromkeys(tags))
    if len(kept) > MOST_TAGS:
        raise InputError(f"{len(kept)} tags; a job has at most {MOST_TAGS}")
    for tag in kept:
        if not (1 <= len(tag) <= LONGEST_TAG and tag.isprintable() and tag == tag.strip()):
            raise InputError(
                f"not a tag: {tag[:80]!r}; a tag is 1 to {LONGEST_TAG} printable characters"
                " without blanks at its ends"
            )
    return kept


def checked_webhook(url: str) -> str:
    """Return ``url`` where it is an absolute http or https URL of at most 2,048 characters.

    Raises: InputError where it is not; its text, which may hold a secret, is not repeated.
    """
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise InputError(f"not a webhook URL: over {LONGEST_URL} characters, or blanks in it")
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise InputError(f"not a webhook URL: {error}") from None
    if parts.scheme not in {"http", "https"} or not named:
        raise InputError("not a webhook URL: it must be http:// or https:// with a host")
    return url
