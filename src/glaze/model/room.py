"""What vendors say of the calls that they still take: read from their headers and refusals."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

LONGEST_PAUSE_S = 3600.0
"""A longer wait is not a pause: a quota is used up, and jobs go on without the provider."""
REFUSED_S = 300.0
"""For how long a key that was refused, or an account without credits, is not tried again."""
PROBE_S = 60.0
"""For how long the others wait for what the one that tries again finds out."""
_A_DAY_S = 86_400
_LONGEST_S = 31 * _A_DAY_S
_EPOCH_FROM = 1_000_000_000
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_UNITS = (86_400, 3_600, 60, 1, 0.001)


class Cause(StrEnum):
    """Why a vendor takes no more, or only so many."""

    PAUSE = "pause"  # it asked to wait
    WINDOW = "window"  # its own count of a window
    QUOTA = "quota"  # of a day or a month: jobs do not wait for the next
    CREDITS = "credits"  # the account is empty
    KEY = "key"  # it refuses the key


GOES_ON = frozenset({Cause.QUOTA, Cause.CREDITS, Cause.KEY})
"""Causes for which nobody waits: the waterfall goes on without the provider."""


@dataclass(frozen=True, slots=True)
class Room:
    """At most ``calls_left`` calls in the next ``wait_s`` seconds.

    With ``probe_s`` one call alone may try afterwards, and the others wait so long for it.
    """

    cause: Cause
    calls_left: int
    wait_s: float
    span: str = ""
    probe_s: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RoomHeaders:
    """The headers in which a vendor tells of one window, names in lower case.

    ``left`` holds the calls that are left, ``reset`` the window's end where the vendor tells it: a
    number of seconds, a moment (seconds since 1970, ISO 8601), a duration like ``6m0s``.
    ``window_s`` is the window's length in seconds. Where a header lists several windows, ``place``
    is that of this one, from 0; where it holds an object, ``key`` is its name in it.
    """

    left: str
    window_s: int
    reset: str = ""
    place: int = 0
    key: str = ""


def rooms(headers: Mapping[str, str], declared: Sequence[RoomHeaders]) -> Iterator[Room]:
    """Read what is left of each declared window; one whose header is missing or odd says nothing.

    A moment is seen from the answer's own ``date``.
    """
    for one in declared:
        left = _left(headers.get(one.left, ""), one)
        if left is None:
            continue
        told_s = _reset_s(_part(headers.get(one.reset, ""), one), headers.get("date", ""))
        # Without a stated end it is at most a window away; of a long one, ask again meanwhile.
        wait_s = min(one.window_s, REFUSED_S) if told_s is None else told_s
        guessed = told_s is None and one.window_s > REFUSED_S
        long = one.window_s >= _A_DAY_S or wait_s > LONGEST_PAUSE_S
        endless = wait_s > LONGEST_PAUSE_S  # a new key or plan ends it sooner: ask again meanwhile
        yield Room(
            cause=Cause.QUOTA if long else Cause.WINDOW,
            calls_left=left,
            wait_s=min(wait_s, LONGEST_PAUSE_S),
            span=f"{one.window_s} s",
            probe_s=PROBE_S if guessed or endless else None,
            detail=f"the vendor's own count of {span_name(one.window_s)}: {left} left",
        )


def pause(wait_s: float) -> Room:
    """Return what a vendor means that asks to wait for so long.

    A quota that is used up is tried again each hour, for a new key or plan ends it sooner.
    """
    if wait_s > LONGEST_PAUSE_S:
        used_up = "the vendor's quota is used up"
        return Room(Cause.QUOTA, 0, LONGEST_PAUSE_S, "told", PROBE_S, used_up)
    return Room(Cause.PAUSE, 0, wait_s, detail="the vendor asked to wait")


def refused(key_print: str) -> Room:
    """Return that the vendor refuses the key: it alone stops, and is tried again now and then."""
    return Room(Cause.KEY, 0, REFUSED_S, key_print, PROBE_S, "the vendor refuses the key")


def out_of_credits() -> Room:
    """Return that the account is empty."""
    return Room(Cause.CREDITS, 0, REFUSED_S, "", PROBE_S, "the account is out of credits")


def span_name(window_s: int) -> str:
    """Return a window's length for people."""
    named = {1: "a second", 60: "a minute", 3_600: "an hour", _A_DAY_S: "a day"}
    return named.get(window_s, f"{window_s:,} s")


def _part(stated: str, one: RoomHeaders) -> str:
    parts = [part.strip() for part in stated.split(",")]
    return parts[one.place] if one.place < len(parts) else ""


def _left(stated: str, one: RoomHeaders) -> int | None:
    if one.key:
        found = re.search(rf"[\"']{re.escape(one.key)}[\"']\s*:\s*(\d{{1,9}})\b", stated)
        return int(found[1]) if found else None
    part = _part(stated, one)
    return int(part) if re.fullmatch(r"\d{1,9}", part) else None


def _reset_s(stated: str, date: str) -> float | None:
    """Return the seconds to a stated end, 0 to a month; None where nothing can be read."""
    spelled = _DURATION.fullmatch(stated)
    try:
        if re.fullmatch(r"\d{1,12}(?:\.\d{1,9})?", stated):
            wait_s = float(stated)
            if wait_s >= _EPOCH_FROM:
                wait_s -= parsedate_to_datetime(date).timestamp()
        elif stated and spelled:
            parts = zip(spelled.groups(), _UNITS, strict=True)
            wait_s = sum(float(count) * unit for count, unit in parts if count)
        else:
            moment = datetime.fromisoformat(stated)
            moment = moment.replace(tzinfo=moment.tzinfo or UTC)
            wait_s = (moment - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait_s, 0.0), float(_LONGEST_S))
