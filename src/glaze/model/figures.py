"""Which numbers a quote states as what: a number is only what the words around it call it (E11)."""

import re
from collections.abc import Callable, Iterator, Mapping

from glaze.model.quantity import usd
from glaze.model.value import FieldName

# A number is only what it is called: without such a word a copyright year would be a foundation.
_FOUNDED = re.compile(
    r"\bfound(?:ed|ing|ation)\b|establish|\bsince\b|launched|start(?:ed| of)"
    r"|incorporat|inception|born in|history|\best(?:d\b|\.|\s*$)|gegründet|gründung|\bseit\b|bestehen|fond[éea]|créé|depuis|création"
    r"|fundad|desde|fundaci|creada|\bdal\b|nata nel|nasce|opgericht|sinds|gestart|założon|od roku"
    r"|založen|grundad|grunnlagt|stiftet|perustettu|設立|創業|創立|成立|основан",
    re.IGNORECASE,
)
_BORN = re.compile(
    r"(?:founders?|chief|ceo|president|he|she|i)\b[^.;]*\b(?:was|am|is)?\s*born in\s*$",
    re.IGNORECASE,
)
_VERB_AT_THE_END = re.compile(r"gegründet|opgericht", re.IGNORECASE)
_HEADCOUNT = re.compile(
    r"employ|staff|people|\bperson|team|colleague|workforce|headcount|specialist|expert|engineer"
    r"|professional|mitarbeit|beschäftigt|kolleg|salari|collaborat|effectif|emplead|plantilla"
    r"|dipendent|addett|medewerk|collega|anställd|ansatte|medarbejd|pracown|zaměstnan|työntekij"
    r"|従業員|社員|^\s*名|员工|сотрудник",
    re.IGNORECASE,
)
_BELOW = re.compile(
    r"(?:\b(?:fewer|less) than|\bunder|\bbelow|\bup to|weniger als|\bunter|bis zu|moins de"
    r"|menos de|meno di|minder dan|<)\s*$",
    re.IGNORECASE,
)
_SERVED = re.compile(
    r"\b(?:serv|train|teach|taught|help|insur|reach)\w*\s+(?:(?:over|about|some|more than)\s+)?$",
    re.IGNORECASE,
)
_AUDIENCE = re.compile(
    r"\s*(?:people|persons?|professionals|experts)\s+(?:(?:have|has)\s+)?"
    r"(?:attend|visit|sign|regist|join|watch|listen|trust|liv|die|follow|subscrib|us(?:e|ed|ing)\b)",
    re.IGNORECASE,
)
# People are not always somebody's staff, and staff that comes or goes is not all of it.
_WHOEVER = re.compile(r"people|person|professional|expert|specialist|engineer", re.IGNORECASE)
_STAFF = re.compile(
    r"\b(?:we|our|team|company|wir|unser\w*|nous|notre|nos|nosotros|nuestr\w+)\b|employ|staff|work"
    r"|headcount|strong|equip|équipe|arbeit|beschäftig",
    re.IGNORECASE,
)
_COME_OR_GO = re.compile(
    r"\b(?:hir(?:e|ed|es|ing)|recruit\w*|seek\w*|looking for|add(?:ed|s|ing)|laid off|lay off|let go"
    r"|lost|dismiss\w*|lea(?:ve|ving)|sind neu|such(?:en|t)|eingestellt|entlass\w+|embauch\w+"
    r"|recrut\w+|licenci\w+|contrat\w+|survey\w*|interview\w*|community|network|town|city|join)\b",
    re.IGNORECASE,
)
_A_PART = re.compile(
    r"\b(?:sales|support|service|marketing|development|engineering|management|leadership|executive"
    r"|design|hr|project|research) (?:team|department|staff)",
    re.IGNORECASE,
)
_SINCE = re.compile(r"\b(?:since|seit|depuis|desde|sinds|dal)\b", re.IGNORECASE)
_SINCE_THEN = re.compile(
    r"(?:certif|accredit)\w*\s*;|zertifiz|\bmember|mitglied|\bmembre|miembro|\b(?:partner|customer|kunde|client)\b|\blisted"
    r"|\bCEO\b|president|director|geschäftsführer",
    re.IGNORECASE,
)
_YOURS = re.compile(r"\b(?:your|ihr|votre|su|tu)\b", re.IGNORECASE)  # your partner since 1998
_BEGUN_PART = re.compile(
    r"\b(?:branch|subsidiar\w+|website|product|app|foundation|division|department|city|town|filiale"
    r"|sucursal|(?i:niederlassung|zweigstelle))\b(?! of)"
    r"|\blaunch\w* (?:an?|the|our|its|his|her|new)\b(?! (?:company|business|firm|agency|studio))"
    r"|\b(?:started|began) (?!operat|trad|build|mak|work)\w+ing\b"
)
_NEAR = 4  # words from a number to its cue, the cue included
_FAR = 9  # the same where grammar ties them: founded by X and Y in 1998, 1998 von X gegründet
_RATIO_BEFORE, _RATIO_AFTER = re.compile(r"\d[/:]$"), re.compile(r"[/:]\d")  # 24/7
_IN_YEAR = re.compile(r"\b(?:in|im|en|nel|anno|year)\s+$", re.IGNORECASE)
_DATED = re.compile(r"(?:\b(?:in|im|en|nel|anno|year|by|until)|[©(])\s*$", re.IGNORECASE)
_YEAR = re.compile(r"1[6-9]\d\d|20\d\d")
_OF_YEAR = re.compile(r"\b(?:19|20)\d\d\b:?(?=\s)")
_CLAUSE = re.compile(r"(?:(?<!\best)[.!?](?=\s)|[;。]|\d)", re.IGNORECASE)
_NO_COUNT = re.compile(r"\s*[%€$£]")
_PRICED = re.compile(r"[$€£#]\s*$")
_COUNTED = re.compile(
    r"\s+(?!(?:was|has|is|its|this|as|us|thus|always|nous|nos|dans|sous|plus|sans|les|des|vers|los"
    r"|las|desde|ons|sinds|als|bis|aus|uns|das|alles|es)\b)"
    r"(?:[^\W\d_]{2,}s|kunden|projekte\w*|pakete\w*|stück|filialen|länder\w*|standorte\w*|jahre\w*"
    r"|clienti|progetti|clientes)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![A-Za-z\d])(?:\d{1,3}(?:[.,'\s]\d{3})+|\d+(?:[.,]\d+)*)(?![A-Za-z\d]|[.,]\d)"
)
_RANGE = re.compile(r"\d[\d.,]*\s*(?:-|to|bis|à)\s*\d[\d.,]*|\d[\d.,]*\s*\+")
_AMOUNT = (
    r"\d[\d.,]*(?:\s*(?:k|m|mm|mn|mio|million|b|bn|billion|t|trillion|thousand)(?![^\W_]))?"
    r"(?![^\W_])"
)
_MONEY = re.compile(
    rf"(?:(?<![^\W_])(?:US\s?\$|USD\s?)|(?<![^\W_])\$)\s*(?P<after>{_AMOUNT})"
    rf"|(?<![\d.,$€£¥])(?P<before>{_AMOUNT})\s*(?:(?:US[\s-]?)?dollars?\b|USD\b|US\$|\$)",
    re.IGNORECASE,
)
_WORTH: Mapping[str, re.Pattern[str]] = {
    "company_revenue": re.compile(
        r"revenue|turnover|\bsales\b|\bARR\b|umsatz|umsätz|erlös|chiffre|fatturat|ricav|ingreso"
        r"|factura|omzet|receita|omsätt|omsetn|liikevaih|売上|营业额|营收",
        re.IGNORECASE,
    ),
    "company_funding_total": re.compile(
        r"\bfund(?:s|ed|ing|rais\w*)?\b|rais(?:e[ds]?|ing)\b|investor|invest\w+ (?:from|by)|\bround\b"
        r"|\bseries\b|\bseed\b|venture|financ(?:ing|ement|iac)|finanzierung|finanziament|finanç"
        r"|investisseur|inversor|kapital|\bcapital\b|backed|levée|levé\b|資金|调達|融资",
        re.IGNORECASE,
    ),
}
_NO_TOTAL = re.compile(r"\bby\s*$|\blo(?:st|ss|sses)\b|\bsav(?:e|ed|ing)\b", re.IGNORECASE)
_WORTH_BEFORE, _WORTH_AFTER = 8, 6  # words from an amount to what it is called


def years(quote: str) -> Iterator[str]:
    """Yield the years of foundation that ``quote`` states."""
    return _stated(_NUMBER, quote, _says_year)


def exact_headcounts(quote: str) -> Iterator[str]:
    """Yield the numbers of employees that ``quote`` states, and not merely as more than theirs."""
    return _stated(_NUMBER, quote, _says_exactly)


def headcounts(quote: str) -> Iterator[str]:
    """Yield the numbers and ranges of employees that ``quote`` states."""
    yield from _stated(_RANGE, quote, _says_headcount)
    yield from _stated(_NUMBER, quote, _says_headcount)


def _stated(
    pattern: re.Pattern[str], quote: str, says: Callable[[str, str, str], bool]
) -> Iterator[str]:
    """Yield the numbers of which ``says(before, number, after)`` holds."""
    for found in pattern.finditer(quote):
        number, before = found[0], quote[: found.start()]
        after = quote[found.end() :].removeprefix("+")
        marked = _NO_COUNT.match(after) or _PRICED.search(before)
        if not marked and says(before, number, after):
            yield number


def _says_year(before: str, _number: str, after: str) -> bool:
    """Tell whether the words around a number make it a year of foundation."""
    if _COUNTED.match(after) or _HEADCOUNT.search(_following(after, 1)) or _BORN.search(before):
        return False
    far, behind = _preceding(before, _FAR), _following(after, _FAR)
    if since := _SINCE.search(far):
        near = f"{_preceding(far[: since.start()], 6)} ; {behind}"
        if _SINCE_THEN.search(near) and not _YOURS.search(near):
            return False
    if _BEGUN_PART.search(far):
        return False
    tied = far.rpartition(",")[2] if _IN_YEAR.search(before) else ""
    return bool(
        _FOUNDED.search(tied)
        or _FOUNDED.search(_preceding(before, _NEAR))
        or _FOUNDED.search(_following(after, _NEAR))
        or _VERB_AT_THE_END.search(behind)
    )


def _says_headcount(before: str, number: str, after: str) -> bool:
    """Tell whether the words around a number make it a number of employees."""
    lead = _preceding(before, _NEAR)
    if _YEAR.fullmatch(number):
        told = before.rstrip().endswith(":") or _HEADCOUNT.search(_following(after, 1))
        if not told or _DATED.search(before) or _FOUNDED.search(lead):
            return False
    if any(one.search(before) for one in (_RATIO_BEFORE, _SERVED)) or any(
        one.match(after) for one in (_RATIO_AFTER, _AUDIENCE)
    ):
        return False
    far, behind = _preceding(before, _FAR), _following(after, _FAR)
    if _COME_OR_GO.search(f"{lead} ; {_following(after, _NEAR)}") or _A_PART.search(far):
        return False
    if _WHOEVER.match(behind) and not _STAFF.search(f"{far} {behind}"):
        return False
    if _COUNTED.match(after):  # 80 parcels, but 80 sales people
        return bool(_HEADCOUNT.search(_following(after, 2)))
    return bool(_HEADCOUNT.search(lead) or _HEADCOUNT.search(_following(after, _NEAR)))


def _says_exactly(before: str, number: str, after: str) -> bool:
    """Tell whether a number is one of employees, and not merely more than theirs."""
    return not _BELOW.search(before) and _says_headcount(before, number, after)


def _preceding(text: str, words: int) -> str:
    """Return the last words of ``text``, of the same clause and after any other number."""
    clause = _CLAUSE.split(text)[-1]
    last = " ".join(clause.split()[-words:])
    return f"{last} " if clause.endswith(" ") else last


def _following(text: str, words: int) -> str:
    """Return the first words of ``text``, of the same clause and before any other number."""
    return " ".join(_CLAUSE.split(text)[0].split()[:words])


def amounts(field: FieldName, quote: str) -> Iterator[int]:
    """Yield the US dollars that ``quote`` states as what ``field`` is, of other fields any."""
    called = _WORTH.get(field)
    for found in _MONEY.finditer(quote):
        lead = _preceding(_OF_YEAR.sub("", quote[: found.start()]), _WORTH_BEFORE)
        tail = _following(quote[found.end() :], _WORTH_AFTER)
        if called is None or (not _NO_TOTAL.search(lead) and _is_called(called, lead, tail)):
            try:
                yield usd((found["after"] or found["before"]).strip())
            except ValueError:
                continue


def _is_called(what: re.Pattern[str], lead: str, tail: str) -> bool:
    """Tell whether an amount is ``what``: the words before it decide, then those behind it."""
    for words in (lead, tail):
        if what.search(words):
            return True
        if any(other.search(words) for other in _WORTH.values()):
            return False
    return False
