"""Dates as registers write them: ISO 8601, often only a year or a month."""

import re
from datetime import date

_ISO = re.compile(r"\+?([12]\d{3})(?:-(\d{2})(?:-(\d{2}))?)?(?:[T ]\d{2}:\d{2}.*)?")


def iso_date(text: str) -> str:
    """Return the date in ``text``: a day, a month or a year, as precise as it is written.

    Only ISO 8601 is read, for ``03/04/2015`` is two days. Wikidata writes 00 for an unknown part.

    Raises: ValueError where it is no date.

    >>> iso_date("2015-03-09T10:00:00Z"), iso_date("+2015-00-00T00:00:00Z"), iso_date("2015-03")
    ('2015-03-09', '2015', '2015-03')
    """
    found = _ISO.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a date like 2015-03-09")
    year, month, day = (part if part not in (None, "00") else "" for part in found.groups())
    date(int(year), int(month or 1), int(day or 1))
    return "-".join(part for part in (year, month, day if month else "") if part)
