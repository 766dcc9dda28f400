"""Whether a quote stands on a page and supports a value: what an inferred value must pass (E11)."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

import phonenumbers

from glaze.model.bystander import of_others
from glaze.model.denial import denied, supposed
from glaze.model.field import FieldType, known_field
from glaze.model.figures import amounts, exact_headcounts, headcounts, years
from glaze.model.industry import named
from glaze.model.normalise import Invalid, normalise
from glaze.model.text import fold
from glaze.model.value import FieldName, Json

LEAST_WEIGHT = 8
"""The shortest quote that means something: 8 letters or digits, or 4 ideographs."""
LONGEST_QUOTE = 600
"""A longer quote proves nothing: it is the page."""
_MOST_PLACES = 8  # where a quote may stand
_STEM = 5  # letters that two forms of a word share: develop, developer, development

_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", None),
    }
)

_SENTENCE_END = re.compile(r"[!?。]|\.(?=\s+[^a-z\d\s])")
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_INSIDE_NUMBER = re.compile(r"\d[.,' ]\d")
_HOST_MARK = re.compile(r"https?://(?:www\.)?|www\.", re.IGNORECASE)
_OTHER_LANDS = frozenset("New North South East West Latin Central Northern Southern Rhode".split())
_FIRST_NAMES = frozenset({"Jordan", "Chad", "Georgia", "Israel", "Kenya"})
_RATHER_NAMES = frozenset({"Jordan", "Chad"})
_PLACED = re.compile(r"(?:in|from|across|throughout|aus|en|au|[(,:|-]|.*[,:(|])", re.IGNORECASE)
_GEORGIAN = re.compile(r"Tbilisi|Tiflis|Batumi|Kutaisi|Caucasus|Republic of Georgia")
_SHORTEST_COUNTRY = 4  # letters: "IT" and "in" are words
_SHORT_COUNTRIES = frozenset(
    {"USA", "UK", "UAE", "U.S.", "U.S.A.", "U.K.", "日本", "中国", "韩国", "한국"}
)
_CLASSES = frozenset({"company_industry", "company_type", "person_department"})
_PROSE = frozenset({"company_description", "person_summary", "person_headline"})
_PLACES = frozenset({"company_city", "company_region", "person_city", "person_region"})
_PERSONS = frozenset({"person_full_name", "person_first_name", "person_last_name"})
_COMPANIES = frozenset({"company_name", "company_legal_name", "person_company_name"})
# A deputy is not the head, and who reports to the CEO is not the CEO.
_OTHER_RANK = re.compile(
    r"\b(?:(?:vice|deputy|assistant|associate|acting|interim|stellv\w*|vize)[ -](?:(?:to|of) )?"
    r"|(?:report\w*|secretary|advisor|adviser) (?:directly )?to )(?:the |our )?$",
    re.IGNORECASE,
)
_NAMED_ANYHOW = _CLASSES | _COMPANIES | {"company_industry_group"}
"""What a question or a plan may well name: "Why Acme?", "we aim to write software"."""

_REACHED = frozenset({FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.DOMAIN})

# No postal code: 10115 customers, and the groups of a phone number.
_COUNTED_THINGS = re.compile(
    r"[$€£#]\s?\d[\d.,]*|\d[\d.,]*\s?(?:%|[€$£]|[a-z]{3,}\b(?!@|\.\w))"
    r"|(?:\+|\b0(?!\d{4}-\d{4}\b))[\d()/ .-]{6,}\d"
)
_PHONE_RUN = re.compile(r"(?<![^\W_])\+?\(?\d[\d\s()./-]*\d(?![^\W_])")
_REGISTRY = re.compile(
    r"(?:\b(?:hr[ab]|rcs|siren|siret|vat|ust|uid|kvk|reg|ein|iban|bic|duns|cin|nif|cif|lei|isbn|btw"
    r"|tva|iva|tax|company|account|order)|regist[er]\w*|steuer\w*|konto\w*)"
    r"[\s.:#/-]*(?:(?:id\w*|no|nr|number|nummer|n°)[\s.:#-]*)*$",
    re.IGNORECASE,
)

_FAX = re.compile(
    r"(?<!tel/)(?<!phone/)(?<![&+/] )(?<![&/])\b(?:(?:tele)?fax|télécopie|faks|ファックス)\w*"
    r"[\s.:#/-]*(?:(?:no|nr|number|nummer|n°)[\s.:#-]*)?$",
    re.IGNORECASE,
)
_REGISTERED = re.compile(
    r"regist|\breg\b|\bhr[abn]\b|handels|\brcs\b|siren|siret|kvk|cvr|krs|regon|i[čc]o\b|cnpj|cpf"
    r"|\bab?cn\b|\babn\b|\brea\b|\bfn\b|\bche\b|\buid\b|\bein\b|\borg|\bnif\b|\bcif\b|y-tunnus"
    r"|company|firm|\bno\b|\bnr\b|number|nummer|num[eé]ro|n[°º]|番号",
    re.IGNORECASE,
)
_TAXED = re.compile(
    r"\bvat\b|_vat_|\bust|mwst|\btva\b|\biva\b|\bbtw\b|\btax|\bmoms\b|\bnip\b|\buid\b|\babn\b"
    r"|\bgst|\bein\b|\bcif\b|\bnif\b|steuer|\bdič\b|\bcui\b|\balv\b|\bafm\b|αφμ|inn\b|инн",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"nasdaq|nyse|ticker|symbol|stock|exchange|listed|traded|börse|boerse|\baktie|shares|\botc\b"
    r"|\blse\b|\baim\b|xetra|euronext|\btsx|\basx\b|hkex|\b(?:tse|sgx|nse|bse|six|omx)\b|bourse|borsa"
    r"|bolsa|证券|証券",
    re.IGNORECASE,
)

_FORMS = frozenset(
    "gmbh ag inc llc corp ltd limited plc sas sarl sa bv nv sl srl spa kk pty se kg co ug".split()
)
# Capitalised words beside a name that are no part of it.
_ASIDE = frozenset(
    "a an the in at from to by of for and or with we our is i he she they since founded visit about"
    " der die das den im bei von aus und mit seit wir unser unsere nous le la les de da di el en"
    " welcome copyright contact join meet firma kontakt impressum über dear"
    " mr mrs ms dr prof herr frau sir dipl ing founder cofounder director manager managing president"
    " chief officer head owner partner chairman chairwoman geschäftsführer geschäftsführerin"
    " geschäftsführung inhaber inhaberin gründer gründerin ansprechpartner vorstand prokurist"
    " gérant président directeur amministratore administrador directie".split()
)
_FOLDED_ASIDE = frozenset(map(fold, _ASIDE))
_LONGEST_INITIALS = 3  # letters before a full stop that ends no sentence: J., Co., Inc.
_ACRONYM = re.compile(r"[A-Z]{2,4}")
_BEFORE = re.compile(r"([^\W_][\w'.]*)( ?& ?|[ -])$")
_AFTER = re.compile(r"( ?& ?|[ -])([^\W_](?:[\w'.]*[\w])?)")


def as_read(text: str) -> str:
    """Return ``text`` in the form in which quotes are compared: NFKC, plain marks, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_SAME).split())


def find_quote(quote: str, page: str) -> str | None:
    """Return ``quote`` as it stands in ``page``, None where it does not or means too little.

    Both are compared by ``as_read``, case included, and the quote must not begin or end within a
    word. It must weigh at least ``LEAST_WEIGHT`` and be no longer than ``LONGEST_QUOTE``.
    """
    wanted, text = as_read(quote), as_read(page)
    if len(wanted) > LONGEST_QUOTE or _weight(wanted) < LEAST_WEIGHT:
        return None
    start = text.find(wanted)
    while start >= 0:
        if _is_whole(text, start, start + len(wanted)):
            return wanted
        start = text.find(wanted, start + 1)
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """What a quote stands in: it proves nothing, but may deny, suppose or be about somebody else."""

    before: str = ""  # of the same sentence
    after: str = ""
    ours: frozenset[str] = frozenset()  # what the subject's company is known by: names and domains


_ALONE = Context()


def contexts(quote: str, page: str, ours: frozenset[str] = frozenset()) -> list[Context]:
    """Return what ``quote``, as ``find_quote`` gave it, stands in wherever ``page`` has it.

    A sentence begins and ends with its line at the latest, and 600 characters from the quote. Of
    a quote that the page repeats, the first places with unlike sentences are given.
    """
    lines = [line for line in map(as_read, page.splitlines()) if line]
    text = " ".join(lines)
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    found: dict[Context, None] = {}  # in order, each once
    place = text.find(quote)
    while place >= 0 and len(found) < _MOST_PLACES:
        end = place + len(quote)
        if _is_whole(text, place, end):
            first = max(starts[bisect_right(starts, place) - 1], place - LONGEST_QUOTE)
            last = min(starts[bisect_left(starts, end)], end + LONGEST_QUOTE)
            ends = [one.end() for one in _SENTENCE_END.finditer(text[first : place + 1])]
            stop = _SENTENCE_END.search(text, end - 1, last)
            before = text[first + (ends[-1] if ends else 0) : place]
            after = text[end : stop.end() if stop else last].rstrip()
            found[Context(before.strip(), after, ours)] = None
        place = text.find(quote, place + 1)
    return [*found]


def _weight(text: str) -> int:
    return sum(1 + bool(_IDEOGRAPH.match(char)) for char in text if char.isalnum())


def _is_whole(text: str, start: int, end: int) -> bool:
    """Tell whether a passage begins and ends between words."""
    return not (_joined(text, start) or _joined(text, end))


def _joined(text: str, place: int) -> bool:
    """Tell whether ``place`` is inside a word, or inside a number such as 1,200 or 1 200."""
    if not 0 < place < len(text):
        return False
    if _INSIDE_NUMBER.match(text, max(0, place - 2)) or _INSIDE_NUMBER.match(text, place - 1):
        return True
    pair = text[place - 1 : place + 1]
    return all(char.isalnum() and not _IDEOGRAPH.match(char) for char in pair)


def supports(field: FieldName, value: Json, quote: str, context: Context = _ALONE) -> bool:
    """Tell whether ``quote`` states ``value``, which is in the canonical form of ``field``.

    - Numbers: the same number stands there, within a few words of one that says what is counted
      (employees, founded, revenue), money in US dollars.
    - Phone: the whole run of digits is the number, national or international, and neither a
      register's nor a fax's.
    - Email, URL, domain, code: the same characters, however they are punctuated; a register's
      number and a ticker only in words that name a register and an exchange.
    - Country: its name or an unmistakable code, as no part of another name.
    - Industry of the list: one of its cues stands there (``model/industry.py``).
    - Classifications (industry, type, department): at least half of the value's words share
      their stem with a word of the quote, and no fewer than one.
    - Prose (description, summary, headline): each of its words stands there.
    - Every other text: it stands there as one phrase, a name or place not within a longer one.

    What a clause denies ("not in Paris"), supposes ("if", "we plan to") or says of somebody else
    ("our parent Globex", "CEO of Initech") it does not state; how to reach the subject is told
    beside any words of denial ("do not hesitate to call").
    """
    text = as_read(quote)
    if field not in _PROSE:
        text = _told(field, text, context)
    if field == "company_industry_group":
        return named(str(value), text)
    rule = _RULES.get(known_field(field).type)
    if rule is None:
        return False
    if field in _CLASSES:
        return isinstance(value, str) and _shares_stems(value, text)
    return rule(field, value, text)


def _told(field: FieldName, quote: str, context: Context) -> str:
    """Return ``quote`` with a mark for each passage that its sentence does not state."""
    kind = known_field(field).type
    before = as_read(context.before)
    joint = " " if before and not _IDEOGRAPH.match(before[-1]) else ""
    place = len(before) + len(joint)
    stop = place + len(quote)
    whole = f"{before}{joint}{quote}{context.after}"
    cuts = [] if kind in _REACHED else denied(whole)
    told = whole
    for start, end in cuts:  # who is denied is nobody's bystander
        told = f"{told[:start]}{' ' * (end - start)}{told[end:]}"
    cuts += of_others(field, told, context.ours)
    if kind not in _REACHED and field not in _NAMED_ANYHOW:
        cuts += supposed(whole)
    kept = []
    for start, end in sorted(cuts):
        kept.append(whole[place : min(max(place, start), stop)])
        place = max(place, min(end, stop))
    return ";".join((*kept, whole[place:stop]))


def is_provable(field: FieldName) -> bool:
    """Tell whether a quote can support a value of ``field`` at all."""
    return known_field(field).type in _RULES


def _number(field: FieldName, value: Json, quote: str) -> bool:
    told = years if known_field(field).type is FieldType.YEAR else exact_headcounts
    return value in _values(field, told(quote))


def _size(field: FieldName, value: Json, quote: str) -> bool:
    return value in _values(field, headcounts(quote))


def _money(field: FieldName, value: Json, quote: str) -> bool:
    return value in list(amounts(field, quote))


def _country(field: FieldName, value: Json, quote: str) -> bool:
    words = quote.split()
    taken: set[int] = set()  # the words of longer names
    for length in range(4, 0, -1):
        for start in range(len(words) - length + 1):
            places = range(start, start + length)
            run = " ".join(words[place].strip(",;:()\"'") for place in places).rstrip(".,")
            is_name = len(run) >= _SHORTEST_COUNTRY and not run[0].islower()
            if taken.intersection(places) or not (is_name or run in _SHORT_COUNTRIES):
                continue
            if not (codes := _values(field, [run])):
                continue
            taken.update(places)
            ended = words[start + length - 1][-1] in ",;:.)"
            after = [] if ended else words[start + length :][:1]
            around = (words[start - 1] if start else "", *after)
            if run == "Georgia" and not _GEORGIAN.search(quote):
                continue  # Atlanta's
            if value in codes and not _is_other_name(run, *around):
                return True
    return any(
        mark in quote and value in _values(field, [mark])
        for mark in _SHORT_COUNTRIES
        if _IDEOGRAPH.match(mark)
    )


def _is_other_name(country: str, before: str, after: str = "") -> bool:
    """Tell whether the words beside a country make it another place, or a person.

    New Mexico; Jordan Smith; "talk to Chad", unlike "in Chad" and "N'Djamena, Chad".
    """
    if before in _OTHER_LANDS:
        return True
    named = after[:1].isupper() and not _ACRONYM.fullmatch(after.rstrip(".,;:"))
    if country in _RATHER_NAMES and not _PLACED.fullmatch(before):
        return True
    return named and country in _FIRST_NAMES


def _values(field: FieldName, texts: Iterator[str] | list[str]) -> list[Json]:
    """Return the canonical values of the texts that are values of ``field`` at all."""
    found = []
    for text in texts:
        try:
            found.append(normalise(field, text))
        except Invalid:
            continue  # most words are no value
    return found


def _phone(_field: FieldName, value: Json, quote: str) -> bool:
    try:
        number = phonenumbers.parse(str(value), None)
    except phonenumbers.NumberParseException:
        return False
    national = phonenumbers.national_significant_number(number)
    local = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    code = str(number.country_code)
    written = {national, f"0{national}", re.sub(r"\D", "", local)} | {
        f"{prefix}{code}{trunk}{national}" for prefix in ("", "00", "011") for trunk in ("", "0")
    }
    return any(re.sub(r"\D", "", run) in written for run in _phone_runs(quote))


def _phone_runs(quote: str) -> Iterator[str]:
    """Yield each whole run of digits that neither a register's name nor a fax's precedes."""
    for found in _PHONE_RUN.finditer(quote):
        before = quote[: found.start()]
        if not (_REGISTRY.search(before) or _FAX.search(before)):
            yield found[0]


def _address(_field: FieldName, value: Json, quote: str) -> bool:
    """Tell whether an email, domain or URL stands there as a whole, scheme and www. aside."""
    wanted = _HOST_MARK.sub("", str(value).lower()).rstrip("/")
    text = _HOST_MARK.sub("", quote.lower())
    return bool(re.search(rf"(?<![\w.@+%=?&-]){re.escape(wanted)}(?![\w@-]|\.\w)", text))


def _domain(field: FieldName, value: Json, quote: str) -> bool:
    """A domain also stands in an email address or below a longer host name."""
    text = quote.lower()
    whole = rf"(?<![\w-]){re.escape(str(value).lower())}(?![\w-]|\.\w)"
    return bool(re.search(whole, text)) or _address(field, value, quote)


def _code(field: FieldName, value: Json, quote: str) -> bool:
    wanted = re.sub(r"[^0-9A-Z]", "", str(value).upper())
    if field == "company_ticker":  # a word in small letters is a word
        found = re.search(rf"(?<![^\W_]){re.escape(str(value))}(?![^\W_])", quote)
        return bool(found and _LISTED.search(quote))
    if wanted.isdecimal() and not _CALLED.get(field, _ANYTHING).search(quote):
        return False
    runs = (re.sub(r"[^0-9A-Z]", "", run.upper()) for run in _code_runs(quote))
    return bool(wanted) and wanted in runs


_ANYTHING = re.compile("")
# Digits alone are a number of anything: what says that they are the code.
_CALLED: Mapping[str, re.Pattern[str]] = {
    "company_registration_number": _REGISTERED,
    "company_vat_id": _TAXED,
}


def _code_runs(quote: str) -> Iterator[str]:
    words = quote.split()
    for length in range(1, 6):
        for start in range(len(words) - length + 1):
            yield "".join(words[start : start + length])
            yield words[start].rpartition(":")[2]


def _text(field: FieldName, value: Json, quote: str) -> bool:
    if field in _PROSE:
        there = fold(quote)
        known = set(there.split())
        words = fold(str(value)).split()
        return bool(words) and all(
            word in known or (bool(_IDEOGRAPH.search(word)) and word in there) for word in words
        )
    text = _plain(quote)
    if field == "company_postal_code":
        text = _COUNTED_THINGS.sub(";", text)
    phrase = _phrase(field, str(value))
    return phrase is not None and any(
        _stands_alone(field, text, found)
        and not (field == "person_title" and _OTHER_RANK.search(text[: found.start()]))
        for found in phrase.finditer(text)
    )


def _plain(text: str) -> str:
    """Return ``text`` without accents, its case and marks kept."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare).replace("ß", "ss")


def _phrase(field: FieldName, value: str) -> re.Pattern[str] | None:
    """Return a pattern for the words of ``value`` one after the other, None without any."""
    words = unicodedata.normalize("NFC", fold(value)).split()
    if not words:
        return None
    # a comma or full stop ends a name, but for Acme, Inc. and J. Smith
    stops = ";!?|" + (",:." if field in _PLACES | _PERSONS else ":." if field in _COMPANIES else "")
    gap = rf"(?:_|[^\w{stops}])" + ("*" if _IDEOGRAPH.search(value) else "+")
    spelt = []
    for word in words:
        ending = r"\.?" if len(word) <= _LONGEST_INITIALS or word in _FORMS else ""
        spelt.append("[.']?".join(map(re.escape, word)) + ending)
    before = "" if _IDEOGRAPH.match(words[0][0]) else r"(?<![^\W_])"
    after = "" if _IDEOGRAPH.match(words[-1][-1]) else rf"(?![^\W_])|(?={_IDEOGRAPH.pattern})"
    phrase = gap.join(spelt).replace(rf"\.?{gap}", rf"(?:{gap}|\.{gap[:-1]}*)")  # J.P. Morgan
    return re.compile(f"{before}{phrase}(?:{after})", re.IGNORECASE)


def _stands_alone(field: FieldName, text: str, found: re.Match[str]) -> bool:
    """Tell whether a name or place is no part of a longer one; other texts may be."""
    if field not in _PLACES | _PERSONS | _COMPANIES:
        return True
    if field not in _COMPANIES and found[0].islower():
        return False  # reading is no town
    before = _BEFORE.search(text[: found.start()])
    after = _AFTER.match(text, found.end())
    left = before is not None and _continues(field, before[2], before[1])
    right = after is not None and _continues(field, after[1], after[2])
    if field in _COMPANIES and fold(found[0]).split()[-1] in _FORMS and after is not None:
        right = right and ("&" in after[1] or fold(after[2]) in _FORMS)  # the form ends the name
    if right and field in _PLACES and after is not None:
        right = not (_ACRONYM.fullmatch(after[2]) or _country_named(after[2]))  # Austin TX
    return not ((left and field != "person_last_name") or (right and field != "person_first_name"))


def _continues(field: FieldName, joint: str, word: str) -> bool:
    """Tell whether a word beside a name belongs to it: New beside York, & Co beside Acme KG."""
    if "&" in joint and field not in _COMPANIES:
        return False
    if not word[0].isupper() or _IDEOGRAPH.match(word):
        return False
    plain = fold(word)
    if plain in _FORMS:
        return field == "company_legal_name"
    if field in _PERSONS and _ACRONYM.fullmatch(word):
        return False  # CEO
    return plain not in _FOLDED_ASIDE


def _country_named(word: str) -> bool:
    return bool(_values(FieldName("company_country"), [word]))


def _shares_stems(value: str, quote: str) -> bool:
    words = [word for word in fold(value).split() if word not in _EMPTY_WORDS]
    there = fold(quote)
    stems = {word[:_STEM] for word in there.split()}
    hits = sum(
        word[:_STEM] in stems or (bool(_IDEOGRAPH.search(word)) and word in there) for word in words
    )
    return hits > 0 and 2 * hits >= len(words)


_EMPTY_WORDS = frozenset(
    "and or of the for in a an services service company companies industry und der die das et de la"
    " le y e di other".split()
)

_RULES: Mapping[FieldType, Callable[[FieldName, Json, str], bool]] = {
    FieldType.TEXT: _text,
    FieldType.EMAIL: _address,
    FieldType.PHONE: _phone,
    FieldType.URL: _address,
    FieldType.DOMAIN: _domain,
    FieldType.COUNTRY: _country,
    FieldType.YEAR: _number,
    FieldType.COUNT: _number,
    FieldType.SIZE: _size,
    FieldType.MONEY: _money,
    FieldType.CODE: _code,
}
