"""A person's positions and studies, one line each, from the parts that vendors tell."""

from collections.abc import Iterable


def station(what: str | None, where: str | None, begin: str | None, end: str | None) -> str | None:
    """Return a line as ``Engineer, Acme (2019-03 to 2021)``; None where neither is told.

    ``begin`` and ``end`` are dates of ISO 8601 as far as they are known: ``2019`` or ``2019-03-01``,
    of which the month is kept. Without an end it goes on.

    >>> station("Engineer", "Acme", "2019-03-01", None)
    'Engineer, Acme (since 2019-03)'
    """
    told = ", ".join(part for part in (what, where) if part)
    if not told:
        return None
    begin, end = (date and date[:7] for date in (begin, end))
    span = f"{begin} to {end}" if begin and end else f"since {begin}" if begin else ""
    span = span or (f"until {end}" if end else "")
    return f"{told} ({span})" if span else told


def stations(lines: Iterable[str | None]) -> list[str]:
    """Return the lines that there are."""
    return [line for line in lines if line]
