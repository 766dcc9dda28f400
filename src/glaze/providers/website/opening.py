"""Opening hours, in schema.org's short form ("Mo-Fr 09:00-17:00")."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY_WORDS = {  # the first letters that tell the days apart, per language
    "Mo": "monday mon mo montag lundi lun lunes lunedì lunedi maandag ma",
    "Tu": "tuesday tues tue tu dienstag di mardi martes martedì martedi dinsdag",
    "We": "wednesday wed we mittwoch mi mercredi mer miércoles mercoledì mercoledi woensdag wo",
    "Th": "thursday thurs thur thu th donnerstag do jeudi jeu jueves giovedì giovedi donderdag",
    "Fr": "friday fri fr freitag vendredi ven viernes venerdì venerdi vrijdag vr",
    "Sa": "saturday sat sa samstag samedi sam sábado sabato zaterdag za",
    "Su": "sunday sun su sonntag so dimanche dim domingo domenica zondag zo",
}
_DAY_OF = {word: day for day, words in _DAY_WORDS.items() for word in words.split()}
_DAY = "(?:" + "|".join(sorted(_DAY_OF, key=len, reverse=True)) + r")\b\.?"
_TIME = r"(\d{1,2})(?:[:.h](\d{2}))?\s*(?:uhr|h\b)?\s*(a\.?m\.?|p\.?m\.?)?"
_TO = r"\s*(?:-|\u2013|\u2014|to|till|until|through|thru|bis|à|au|a|al|tot|t/m)\s*"
_LINE = re.compile(
    rf"\b({_DAY})(?:{_TO}({_DAY}))?\s*[:,|]?\s*(?:from|von|de|dalle|van)?\s*{_TIME}{_TO}{_TIME}"
    r"(?!\d)",
    re.IGNORECASE,
)
_HOUR = re.compile(
    r"\d\s?(?:[:.h]\d\d|[ap]\.?m\b|uhr|h\b)|\d\s?(?:-|\u2013|to|bis)\s?\d", re.IGNORECASE
)
_MAX_LINES, _MAX_LINE = 14, 400
_MIDNIGHT = 24


def opening_hours(item: Mapping[str, Any]) -> list[str]:
    """Return the hours that an organisation's structured data states."""
    stated = item.get("openingHours")
    listed = stated if isinstance(stated, list) else [stated]
    found = [text.strip() for text in listed if isinstance(text, str) and text.strip()]
    specs = item.get("openingHoursSpecification")
    for spec in specs if isinstance(specs, list) else [specs]:
        if isinstance(spec, dict) and isinstance(spec.get("opens"), str):
            days = _spec_days(spec.get("dayOfWeek"))
            # From midnight to midnight is how closed is written.
            if days and isinstance(spec.get("closes"), str) and spec["opens"] != spec["closes"]:
                found.append(f"{days} {spec['opens'][:5]}-{spec['closes'][:5]}")
    return list(dict.fromkeys(found))[:_MAX_LINES]


def _spec_days(stated: object) -> str:
    listed: Sequence[object] = stated if isinstance(stated, list) else [stated]
    names = [
        day
        for one in listed
        if isinstance(one, str) and (day := _DAY_OF.get(one.rpartition("/")[2].lower()))
    ]
    return ",".join(sorted(set(names), key=_DAYS.index))


def hours_in_text(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Return (hours, the line they stand on) for opening hours in running text."""
    found: dict[str, str] = {}
    for line in lines:
        may_hold = len(line) <= _MAX_LINE and _HOUR.search(line)
        for match in _LINE.finditer(line) if may_hold else ():
            first, last, *times = match.groups()
            opens, closes = _clock(*times[:3]), _clock(*times[3:])
            # "9-5" and "8 to 6": an afternoon that nobody needs to name.
            if closes and opens and closes <= opens and not times[5]:
                closes = _clock(times[3], times[4], "pm")
            if opens and closes and opens < closes:
                days = _DAY_OF[first.lower().rstrip(".")]
                if last:
                    days += "-" + _DAY_OF[last.lower().rstrip(".")]
                found.setdefault(f"{days} {opens}-{closes}", line)
    return list(found.items())[:_MAX_LINES]


def _clock(hour: str, minute: str | None, half: str | None) -> str:
    number = int(hour)
    if half:
        number = number % 12 + (12 if half.lower().startswith("p") else 0)
    if number > _MIDNIGHT or int(minute or 0) > 59:  # noqa: PLR2004  minutes of an hour
        return ""
    return f"{number:02d}:{minute or '00'}"
