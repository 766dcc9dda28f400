"""Recurring times: a cron expression in a time zone, and which moments it stands for.

cronsim reads the expression and counts in plain local time. How local time becomes moments where
clocks change is decided here, and is the rule of Debian's cron as its manual has it:

- An expression that leaves out some hours of the day (``30 2 * * *``, ``0 */6 * * *``) means local
  times. Each runs once a day: what falls into a stretch that the clocks skip runs right after it, all
  of it together as one run; what falls into a stretch that comes twice runs the first time.
- An expression that runs in every hour (``*/15 * * * *``, ``0 * * * *``) means the passing of time. It
  runs whenever the clock shows a time that matches: both times in a stretch that comes twice, and
  not at all for a stretch that is skipped.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from glaze.errors import InputError

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LONGEST = 200
_SOME_MOMENT = datetime(2024, 1, 1)  # noqa: DTZ001  a plain local time: where counting begins is no matter
_MINUTE = timedelta(minutes=1)
_SCAN = timedelta(hours=6)  # no zone changes its clocks twice within it


class _Part(NamedTuple):
    """One of the five fields of an expression."""

    name: str
    allowed: str


_PARTS = (
    _Part("minute", "0 to 59"),
    _Part("hour", "0 to 23"),
    _Part("day of month", "1 to 31, L or LW"),
    _Part("month", "1 to 12 or JAN to DEC"),
    _Part("day of week", "0 to 7 or SUN to SAT, such as MON#1 or 5L"),
)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When something recurs. ``cron`` and ``zone`` are kept as they were given."""

    cron: str
    zone: str
    _fields: str = field(repr=False, compare=False)
    _tz: ZoneInfo = field(repr=False, compare=False)
    _by_the_clock: bool = field(repr=False, compare=False)  # every hour: the passing of time

    @classmethod
    def parse(cls, cron: str, zone: str) -> Self:
        """Read a cron expression of five fields, or an alias such as ``@daily``, in an IANA zone.

        Day of month and day of week, where both are given, are alternatives, as in every cron;
        where one begins with ``*`` both must hold. ``L`` is the last day of the month, ``LW`` its
        last weekday, ``5L`` its last Friday, ``MON#1`` its first Monday.

        Raises: InputError that names the faulty part.
        """
        fields = _checked_fields(cron)
        tz = _zone(zone)
        every_hour = len(CronSim(fields, _SOME_MOMENT).hours) == len(range(24))
        recurrence = cls(cron, zone, fields, tz, every_hour)
        if recurrence.next_after(datetime(2024, 1, 1, tzinfo=UTC)) is None:
            raise InputError(f"cron {cron!r}: no day in 50 years is such a day")
        return recurrence

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time after ``moment``, in UTC; None where there is none in 50 years.

        Args:
            moment: any aware time.
        """
        start = moment.astimezone(UTC)
        return self._next_passing(start) if self._by_the_clock else self._next_local(start)

    def upcoming(self, after: datetime) -> Iterator[datetime]:
        """Yield the times after ``after``, in UTC and in order."""
        found = self.next_after(after)
        while found is not None:
            yield found
            found = self.next_after(found)

    def latest(self, first: datetime, last: datetime, most: int) -> list[datetime]:
        """Return the times from ``first`` to ``last``, both included, in order: the last ``most``.

        What it costs depends on ``most``, not on how many there are.
        """
        span = most * _MINUTE
        while True:
            begin = max(first, last - span)
            found = [*self._between(begin, last)]
            if len(found) >= most or begin == first:
                return found[-most:]
            span *= 2

    def _between(self, first: datetime, last: datetime) -> Iterator[datetime]:
        for found in self.upcoming(first - timedelta(microseconds=1)):
            if found > last:
                return
            yield found

    # -- local times, each once ------------------------------------------------------------------

    def _next_local(self, start: datetime) -> datetime | None:
        """Return the moment of the first matching local time whose moment is after ``start``.

        Moments grow with local times. In the second pass of a repeated stretch the local times
        up to its end are of the first pass, so they are passed over.
        """
        for local in CronSim(self._fields, self._local(start)):
            if (moment := self._first_moment(local)) > start:
                return moment
        return None

    def _first_moment(self, local: datetime) -> datetime:
        """Return when the clock first shows ``local``; where it never does, when it has passed."""
        moment = local.replace(tzinfo=self._tz).astimezone(UTC)
        if self._local(moment) == local:
            return moment
        # ``fold`` 0 of a skipped time counts with the offset from before, which leads behind the
        # change by as much as the time lies behind it.
        before = local.replace(tzinfo=self._tz, fold=1).astimezone(UTC)
        return self._change(before, moment)

    # -- the passing of time ---------------------------------------------------------------------

    def _next_passing(self, start: datetime) -> datetime | None:
        """Return the first moment after ``start`` at which the clock shows a matching time.

        Between two changes of the clocks local time runs as UTC does.
        """
        after = since = start  # counting begins after the one, with the offset of the other
        while True:
            offset = self._offset(since)
            local = next(CronSim(self._fields, after.replace(tzinfo=None) + offset), None)
            if local is None:
                return None
            moment = (local - offset).replace(tzinfo=UTC)
            change = self._first_change(since, moment)
            if change is None:
                return moment
            after, since = change - timedelta(seconds=1), change

    def _first_change(self, after: datetime, until: datetime) -> datetime | None:
        """Return the first moment in (``after``, ``until``] from which another offset holds."""
        for earlier, later in pairwise(_steps(after, until)):
            if self._offset(earlier) != self._offset(later):
                return self._change(earlier, later)
        return None

    # -- the zone --------------------------------------------------------------------------------

    def _change(self, before: datetime, after: datetime) -> datetime:
        """Return the first whole second in (``before``, ``after``] with the offset of ``after``."""
        old = self._offset(before)
        low, high = int(before.timestamp()), int(after.timestamp())
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(datetime.fromtimestamp(middle, UTC)) == old:
                low = middle
            else:
                high = middle
        return datetime.fromtimestamp(high, UTC)

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self._tz).utcoffset() or timedelta()

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._tz).replace(tzinfo=None, fold=0)


def _steps(first: datetime, last: datetime) -> Iterator[datetime]:
    while first < last:
        yield first
        first += _SCAN
    yield last


def _checked_fields(cron: str) -> str:
    """Return the five fields, an alias spelt out. Raises: InputError."""
    text = cron.strip()
    if text.startswith("@"):
        if text.lower() not in ALIASES:
            raise InputError(f"cron {cron[:50]!r} is no alias: there are {', '.join(ALIASES)}")
        return ALIASES[text.lower()]
    parts = text.split()
    if len(parts) != len(_PARTS) or len(text) > _LONGEST:
        raise InputError(
            f"cron {cron[:50]!r} has {len(parts)} fields: give five, at most {_LONGEST} characters,"
            ' for minute, hour, day of month, month and day of week, such as "0 6 * * MON"'
        )
    for place, part in enumerate(parts):
        _check_part(cron, place, part)
    fields = " ".join(parts)
    try:
        CronSim(fields, _SOME_MOMENT)
    except CronSimError:
        raise InputError(f"cron {cron!r}: none of these months has such a day of month") from None
    return fields


def _check_part(cron: str, place: int, part: str) -> None:
    """Try each term of one field alone, so that the faulty one can be named. Raises: InputError."""
    for term in part.split(","):
        alone = ["*"] * len(_PARTS)
        alone[place] = term
        try:
            CronSim(" ".join(alone), _SOME_MOMENT)
        except CronSimError:
            name, allowed = _PARTS[place]
            raise InputError(f"cron {cron!r}: {term!r} is no {name} ({allowed})") from None


@cache
def _zone_names() -> frozenset[str]:
    # "localtime" is whatever this host is set to, another one somewhere else.
    return frozenset(available_timezones()) - {"localtime"}


def _zone(name: str) -> ZoneInfo:
    """Return the zone called ``name``. Raises: InputError with names that are like it."""
    names = _zone_names()
    if name in names:
        return ZoneInfo(name)
    if not names:
        raise InputError("this machine has no time zone database: install the package tzdata")
    like = get_close_matches(name[:50], names, n=3) or ["Europe/Berlin", "UTC"]
    raise InputError(f"{name[:50]!r} is no IANA time zone; such as {', '.join(like)}")
