"""Numbers as people and vendors write them: counts, employee buckets, money, years."""

# ruff: noqa: PLR2004  three digits make a group of thousands, a range has two ends

import re
from typing import NamedTuple

_SCALE = {
    **dict.fromkeys(("k", "thousand", "tsd"), 10**3),
    **dict.fromkeys(("m", "mm", "mn", "mio", "million", "millions", "millionen"), 10**6),
    **dict.fromkeys(("b", "bn", "mrd", "billion", "billions"), 10**9),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), 10**12),
}
_NUMBER = r"\d[\d.,'\u2019]*(?:[ \u00a0\u202f]\d{3}(?!\d))*"
_AMOUNT = re.compile(rf"({_NUMBER})\s*([a-z]+)?\.?", re.IGNORECASE)
_DASH = re.compile(r"\s*(?:[-\u2010-\u2015]|\bto\b|\bbis\b|\band\b)\s*", re.IGNORECASE)
_DOLLARS = re.compile(r"us\s?\$|usd|\$|us dollars?|dollars?", re.IGNORECASE)
_OTHER_MONEY = re.compile(
    r"[€£¥₹₩₽₺₪฿]|\b(?:eur|euros?|gbp|pounds?|chf|jpy|yen|cny|rmb|inr|rs|aud|cad|nzd|sek|nok|dkk"
    r"|pln|brl|krw|sgd|hkd|zar|mxn)\b|(?:\b(?:a|c|ca|au|nz|s|hk|r|nt|mx))\$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)(1\d{3}|2[01]\d{2})(?!\d)")

_LARGEST = 10**15


class Range(NamedTuple):
    """From ``low`` to ``high``, both included; ``high`` None is open ("500+")."""

    low: int
    high: int | None


SIZES: tuple[tuple[str, Range], ...] = (
    ("1-10", Range(1, 10)),
    ("11-50", Range(11, 50)),
    ("51-200", Range(51, 200)),
    ("201-500", Range(201, 500)),
    ("501-1000", Range(501, 1000)),
    ("1001-5000", Range(1001, 5000)),
    ("5001-10000", Range(5001, 10000)),
    ("10001+", Range(10001, None)),
)
"""The ladder of employee buckets, as LinkedIn has it."""


def _plain(digits: str, *, scaled: bool) -> float:
    # A lone separator before three digits groups thousands, unless it is a dot before a scale
    # word: 1.234M is a decimal.
    digits = re.sub(r"[\s'\u2019]", "", digits).rstrip(".,")
    dot, comma = digits.rfind("."), digits.rfind(",")
    if dot >= 0 and comma >= 0:
        decimal = "." if dot > comma else ","
    else:
        mark = "." if dot >= 0 else ","
        head, _, tail = digits.partition(mark)
        grouping = digits.count(mark) > 1 or (len(tail) == 3 and head != "0" and len(head) <= 3)
        decimal = (
            mark if not grouping or (scaled and mark == "." and digits.count(".") == 1) else ""
        )
    for other in {".", ","} - {decimal}:
        digits = digits.replace(other, "")
    return float(digits.replace(decimal, ".") if decimal else digits)


def _amount(text: str) -> tuple[float, int]:
    """Return (number, scale) of a text that is one amount and nothing else."""
    found = _AMOUNT.fullmatch(text.strip())
    if not found:
        raise ValueError("not a number")
    word = (found[2] or "").lower()
    if word and word not in _SCALE:
        raise ValueError(f"not a number: {word!r} is no known scale")
    scale = _SCALE.get(word, 1)
    try:
        return _plain(found[1], scaled=scale > 1), scale
    except ValueError as error:
        raise ValueError("not a number") from error


def _whole(number: float) -> int:
    if not 0 <= number <= _LARGEST:
        raise ValueError("out of bounds")
    return round(number)


def parse_range(text: str) -> Range:
    """Read "11-50", "1K to 5K", "500+", "over 500", "< 10" or a single number as a range.

    Raises: ValueError where it is none of these.
    """
    text = text.strip().lower()
    below = re.match(r"(?:<|under|less than|up to|fewer than)\s*", text)
    above = re.match(r"(?:>|over|more than|at least)\s*", text)
    if below:
        number, scale = _amount(text[below.end() :])
        return Range(1, _whole(number * scale))
    if above or text.endswith("+"):
        number, scale = _amount(text[above.end() if above else 0 :].rstrip("+ "))
        return Range(_whole(number * scale), None)
    ends = _DASH.split(text)
    if len(ends) == 1:
        number, scale = _amount(re.sub(r"^(?:~|ca\.?|approx\.?|about|circa|around)\s*", "", text))
        return Range(_whole(number * scale), _whole(number * scale))
    if len(ends) != 2:
        raise ValueError("not a number or a range")
    (low, low_scale), (high, high_scale) = _amount(ends[0]), _amount(ends[1])
    # "$10-50M": the scale behind the second number is the first one's, too.
    if low_scale == 1 and high_scale > 1 and low < 1000:
        low_scale = high_scale
    found = Range(_whole(low * low_scale), _whole(high * high_scale))
    if found.high is not None and found.low > found.high:
        raise ValueError("a range that runs backwards")
    return found


def count(value: float | str) -> int:
    """Return a whole number of 0 or more.

    Raises: ValueError for ranges, negatives and anything that is no number.
    """
    if isinstance(value, str):
        found = parse_range(_without_people(value).rstrip("+ "))
        if found.low != found.high:
            raise ValueError("a range, not a count")
        plain = value.replace(".", "", 1)
        if plain.isdecimal() and plain.isascii() and 0 < abs(float(value) - found.low) < 1:
            raise ValueError("not a whole number")
        return found.low
    if value != int(value):
        raise ValueError("not a whole number")
    return _whole(value)


def size(value: float | str) -> str:
    """Return the employee bucket of a count, or of a range that fits one bucket.

    Raises: ValueError where the range spans buckets or is none.
    """
    found = (
        parse_range(_without_people(value))
        if isinstance(value, str)
        else Range(_whole(value), _whole(value))
    )
    for name, bucket in SIZES:
        top = bucket.high
        fits_top = top is None or (found.high is not None and found.high <= top)
        if bucket.low <= found.low and fits_top:
            return name
    raise ValueError("fits no single bucket of the ladder")


def _without_people(text: str) -> str:
    if re.fullmatch(r"\s*(self[- ]?employed|myself only)\s*", text, re.IGNORECASE):
        return "1"
    return re.sub(
        r"\s*(?:employees?|people|persons?|staff|mitarbeiter(?:innen)?|fte|headcount)\s*$",
        "",
        text,
        flags=re.IGNORECASE,
    )


def usd(value: float | str) -> int:
    """Return an amount in whole US dollars; a range is read as its arithmetic midpoint.

    An amount without a currency is taken for dollars. Other currencies are refused: an exchange
    rate is a fact of a day, not of a parser.

    Raises: ValueError for other currencies, open ranges and anything that is no amount.
    """
    if not isinstance(value, str):
        return _whole(value)
    found = _dollars(value)
    if found.high is None:
        raise ValueError("an open range, not an amount")
    return (found.low + found.high) // 2


def usd_range(text: str) -> str:
    """Return between which amounts in whole US dollars one lies: ``10000000-25000000``, ``10000000000+``.

    Raises: ValueError for other currencies and anything that is no range of amounts.
    """
    low, high = _dollars(text)
    return f"{low}+" if high is None else f"{low}-{high}"


def _dollars(text: str) -> Range:
    if _OTHER_MONEY.search(text):
        raise ValueError("not in US dollars")
    return parse_range(" ".join(_DOLLARS.sub(" ", text).split()))


def year(value: float | str) -> int:
    """Return the one year (1000 to 2199) that a number, a text or a date names.

    Raises: ValueError where it names none or several.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    found = set(_YEAR.findall(str(value)))
    if len(found) != 1 or isinstance(value, float):
        raise ValueError("names several years" if len(found) > 1 else "names no year")
    return int(found.pop())
