"""Which column of a file means what: guessed from headers and a sample, overridden by the user."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from glaze.errors import InputError
from glaze.files.cell import Cell
from glaze.files.source import Source
from glaze.model.field import FIELDS
from glaze.model.identity import PLAIN_WORDS
from glaze.model.text import clean, fold, is_placeholder
from glaze.model.value import FieldName

_IDENTIFYING = frozenset(
    {"url", "website", "domain", "email", "company", "name", "linkedin_url", "company_domain"}
    | {"company_website", "company_email", "company_linkedin_url", "company_name"}
    | {"person_email", "person_linkedin_url", "person_company_domain"}
)

# What people call these columns, the plainest first: where two columns of a file could both be
# meant, the earlier word wins. Headers are compared without case, accents and punctuation.
_HEADERS: Mapping[str, str] = {
    "website": "website, company website, website url, company website url, web site, homepage,"
    " home page, web page, webpage, site web, url website, website address, web address, webseite,"
    " internetseite, internetadresse, firmenwebsite, firmenwebseite, site internet, sitio web,"
    " pagina web, sito web, sito internet, sito, site, web, www, strona www, strona internetowa,"
    " webbplats, hemsida, hjemmeside, nettside, kotisivu, webhely, webova stranka, veb sayt,"
    " account website, organization website, business website, corporate website, company site",
    "url": "url, link, web url, page url, company url, adresse url, lien, enlace, uri, address url",
    "domain": "domain, company domain, domain name, website domain, email domain, domaine,"
    " nom de domaine, dominio, domane, domein, domena, organization domain, account domain,"
    " primary domain, root domain, host, hostname, company domain name",
    "email": "email, e mail, work email, business email, email address, e mail address, mail,"
    " mail address, contact email, professional email, person email, lead email, primary email,"
    " corporate email, emails, email 1, e mail 1 value, e mail adresse, emailadresse, mailadresse,"
    " geschaftliche e mail, courriel, adresse email, adresse e mail, adresse mail, mel,"
    " adresse electronique, correo, correo electronico, email profesional, direccion de correo,"
    " posta elettronica, indirizzo email, e mailadres, emailadres, e post, e postadress,"
    " adres email, endereco de email, email corporativo, sahkoposti, posta, e posta",
    "first_name": "first name, firstname, first, given name, givenname, forename, fname, vorname,"
    " rufname, prenom, nombre, nombres, primer nombre, nome, primeiro nome, voornaam, fornamn,"
    " fornavn, imie, etunimi, keresztnev, jmeno, contact first name, lead first name, ad",
    "last_name": "last name, lastname, last, surname, family name, familyname, lname, nachname,"
    " familienname, zuname, nom de famille, nom, apellido, apellidos, primer apellido, cognome,"
    " sobrenome, apelido, achternaam, efternamn, etternavn, efternavn, nazwisko, sukunimi,"
    " vezeteknev, prijmeni, contact last name, lead last name, soyad",
    "name": "full name, fullname, person name, contact name, lead name, name, contact, person,"
    " contact person, ansprechpartner, ansprechperson, vollstandiger name, kontakt, kontaktperson,"
    " nom complet, nom et prenom, prenom nom, nombre completo, nombre y apellidos, nome completo,"
    " nome e cognome, contacto, contatto, contactpersoon, naam, imie i nazwisko, namn, navn",
    "company": "company name, company, organization, organisation, organization name,"
    " organisation name, account name, account, business name, business, employer,"
    " current company, company name for emails, brand, firm, firma, firmenname, unternehmen,"
    " unternehmensname, organisationsname, arbeitgeber, kunde, entreprise, societe,"
    " nom de l entreprise, nom entreprise, nom de la societe, raison sociale, empresa,"
    " nombre de la empresa, nombre empresa, compania, razon social, organizacion, azienda,"
    " nome azienda, societa, ragione sociale, ditta, nome da empresa, razao social, bedrijf,"
    " bedrijfsnaam, organisatie, foretag, foretagsnamn, firmanavn, bedrift, virksomhed, yritys,"
    " nazwa firmy, spolecnost, ceg, cegnev, sirket, legal name, company legal name",
    "company_linkedin_url": "company linkedin url, company linkedin, linkedin company url,"
    " linkedin company, linkedin company page, company linkedin page, organization linkedin url,"
    " organization linkedin, account linkedin, linkedin unternehmen, linkedin firma,"
    " linkedin entreprise, linkedin empresa, linkedin azienda",
    "person_linkedin_url": "person linkedin url, person linkedin, linkedin profile url,"
    " linkedin profile, profile url, contact linkedin, lead linkedin, linkedin person,"
    " linkedin profil, profil linkedin, perfil de linkedin, perfil linkedin, profilo linkedin",
    "linkedin_url": "linkedin url, linkedin, linkedin link, linkedin page, li url, linkedinurl",
    "phone": "phone, phone number, company phone, company phone number, telephone, telefon,"
    " telephone number, tel, tel nr, telefonnummer, rufnummer, festnetz, numero de telephone,"
    " telefono, numero de telefono, telefone, numero di telefono, telefoon, telefoonnummer,"
    " numer telefonu, puhelin, telefonszam, corporate phone, main phone, office phone,"
    " business phone, work phone, work direct phone, phone 1, phone 1 value",
    "person_mobile": "mobile, mobile phone, mobile number, cell, cell phone, mobil, mobiltelefon,"
    " handy, handynummer, portable, telephone portable, movil, celular, cellulare, gsm, telemovel",
    "country": "country, country code, company country, country region, billing country, land,"
    " staat, pays, pais, paese, nazione, kraj, maa, orszag, zeme, ulke, hq country,"
    " person country, location country",
    "lead_id": "lead id, leadid, record id, person id",
    "contact_id": "contact id, contactid, kontakt id",
    "account_id": "account id, accountid, company id, customer id, crm id, kundennummer,"
    " firmen id, organization id",
    "company_city": "city, company city, town, stadt, ort, ville, ciudad, citta, cidade, plaats,"
    " stad, miasto, kaupunki, varos, mesto, sehir, billing city, hq city, headquarters city",
    "company_region": "state, region, province, company state, bundesland, provincia, estado,"
    " regione, departement, state region, state province",
    "company_postal_code": "zip, zip code, zipcode, postal code, postcode, plz, postleitzahl,"
    " code postal, codigo postal, cap, cep, postnummer, kod pocztowy, irsz",
    "company_street": "street, street address, address, address line 1, strasse, anschrift,"
    " adresse, rue, calle, direccion, indirizzo, via, rua, endereco, straat, adres, ulica",
    "company_industry": "industry, branche, secteur, industria, settore, sektor",
    "person_title": "title, job title, jobtitle, position, role, funktion, berufsbezeichnung,"
    " poste, fonction, cargo, puesto, ruolo, functie, stanowisko, person title",
}

_BY_HEADER: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        fold(spelling): (target, rank)
        for target, spellings in _HEADERS.items()
        for rank, spelling in enumerate(spellings.split(","))
    }
)

_HOST = re.compile(r"(https?://)?([\w-]+\.)+[^\W\d_]{2,24}([/:?#].*)?", re.IGNORECASE)
_EMAIL = re.compile(r"(mailto:)?[^@\s]+@([\w-]+\.)+[^\W\d_]{2,24}", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d\s().\-/]{6,}(\s*(ext|x)\.?\s*\d+)?", re.IGNORECASE)
_LINKEDIN = re.compile(
    r"(https?://)?([\w-]+\.)?linkedin\.com/.+|(in|company)/[^/\s]+", re.IGNORECASE
)
_PROFILE = re.compile(r"(https?://)?([\w-]+\.)?linkedin\.com/in/.+|in/[^/\s]+", re.IGNORECASE)
_LEGAL_FORM = re.compile(
    r"\b(gmbh|ag|inc|llc|ltd|limited|corp|s\.?a\.?s?|sarl|b\.?v|plc|k\.?g|oy|ab|s\.?p\.?a|s\.?r\.?l|"
    r"sp\. ?z ?o\.?o|co|group|company|labs|software|solutions|systems|bank|university)\b\.?",
    re.IGNORECASE,
)


def _shape(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: bool(pattern.fullmatch(text))


_SHAPES: Mapping[str, Callable[[str], bool]] = {
    "website": _shape(_HOST),
    "url": _shape(_HOST),
    "domain": _shape(_HOST),
    "email": _shape(_EMAIL),
    "linkedin_url": _shape(_LINKEDIN),
    "person_linkedin_url": _shape(_LINKEDIN),
    "company_linkedin_url": _shape(_LINKEDIN),
    "phone": _shape(_PHONE),
    "person_mobile": _shape(_PHONE),
}
_BARE_NAME = frozenset({"name", "naam", "namn", "navn"})
_HALF_OR_WHOLE = frozenset({"nom", "nome", "nombre"})  # half a name beside its other half only
_MIN_FIT = 0.2  # below it a header's promise is not believed
_SURE_FIT = 0.8  # from it values speak for themselves, whatever the header


@dataclass(frozen=True, slots=True)
class Column:
    """What one column means. ``target`` None: it is carried through and not looked at."""

    name: str
    target: str | None
    reason: str  # for people: header, values, given, or why it was left alone


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The meaning of every column of a file, in the file's order."""

    columns: tuple[Column, ...]

    @property
    def used(self) -> Mapping[str, str]:
        """Map each column that is used to its input word or canonical field."""
        return {c.name: c.target for c in self.columns if c.target is not None}

    def input_of(self, values: Mapping[str, Cell]) -> dict[str, str]:
        """Return the enrichment input in a row: cleaned texts, without blanks and placeholders."""
        found = {}
        for name, target in self._pairs():
            text = _as_text(values.get(name))
            if text and not is_placeholder(text):
                found[target] = text
        return found

    def _pairs(self) -> Iterator[tuple[str, str]]:
        return ((c.name, c.target) for c in self.columns if c.target is not None)


def _as_text(value: Cell) -> str:
    """Return a scalar as clean text; lists, objects and truth values identify nobody."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def map_columns(source: Source, given: Mapping[str, str] | None = None) -> ColumnMapping:
    """Decide what each column of ``source`` means.

    Args:
        source: The inspected file.
        given: The user's own word, column name to input word or canonical field; an empty target
            leaves the column alone.

    Raises: InputError where a given column or target is unknown, two columns claim one meaning
        with equal right, or nothing in the file can identify a company or person.
    """
    chosen = _given(source.columns, given or {})
    for claim in _claims(source, chosen):
        chosen.setdefault(claim.name, claim)
    left = Column("", None, "carried through")
    mapping = ColumnMapping(
        tuple(chosen.get(name) or Column(name, left.target, left.reason) for name in source.columns)
    )
    if not usable(mapping.used.values()):
        raise InputError(
            f"no column says which company or person a row is about. {_listed(source.columns)}"
            " Name one with --map COLUMN=FIELD, such as"
            f" --map {_quoted(source.columns[0])}=website; FIELD is one of"
            f" {', '.join(PLAIN_WORDS)} or a canonical field."
        )
    return mapping


def usable(targets: Iterable[str]) -> bool:
    """Tell whether columns of these meanings can identify a company or a person at all."""
    return bool(_IDENTIFYING & set(targets))


def _given(columns: Sequence[str], given: Mapping[str, str]) -> dict[str, Column]:
    chosen: dict[str, Column] = {}
    for wanted, target in given.items():
        name = _find(columns, wanted)
        if target and target not in PLAIN_WORDS and FieldName(target) not in FIELDS:
            raise InputError(
                f"--map {wanted}={target}: {target!r} is no input; use one of"
                f" {', '.join(PLAIN_WORDS)} or a canonical field such as company_phone"
            )
        rival = next((c.name for c in chosen.values() if target and c.target == target), None)
        if rival:
            raise InputError(f"--map gives {target} twice, for {rival!r} and {name!r}: keep one")
        chosen[name] = Column(name, target or None, "given")
    return chosen


def _find(columns: Sequence[str], wanted: str) -> str:
    """Return the column called ``wanted``, exactly or but for case and accents."""
    if wanted in columns:
        return wanted
    alike = [name for name in columns if fold(name) == fold(wanted)]
    if len(alike) == 1:
        return alike[0]
    raise InputError(f"there is no column {wanted!r}. {_listed(columns)}")


@dataclass(frozen=True, slots=True)
class _Claim:
    name: str
    target: str
    rank: float  # smaller is better
    reason: str


def _claims(source: Source, chosen: Mapping[str, Column]) -> Iterator[Column]:
    """Yield the guessed columns: for every meaning the one column with the best claim to it.

    Values are asked only where no header helps: an address in some other column is as likely a
    logo, a news article or a job board. A header that its values contradict is the last resort:
    then each row says what is wrong with it.
    """
    texts = {name: _texts(source, name) for name in source.columns if name not in chosen}
    taken = {c.target for c in chosen.values() if c.target}
    topic = _Topic.of(source.columns, taken)
    guesses: Sequence[Callable[[str, list[str]], _Claim | None]] = (
        lambda name, values: _by_header(name, values, topic),
        _by_values,
        lambda name, values: _by_header(name, values, topic, min_fit=0.0),
    )
    for guess in guesses:
        claims = [claim for name, values in texts.items() if (claim := guess(name, values))]
        for column in _winners([c for c in claims if c.target not in taken], source.columns):
            yield column
            taken.add(str(column.target))
            del texts[column.name]
        if usable(taken):
            return


def _winners(claims: Sequence[_Claim], columns: Sequence[str]) -> Iterator[Column]:
    by_target: dict[str, list[_Claim]] = {}
    for claim in claims:
        by_target.setdefault(claim.target, []).append(claim)
    for target, rivals in by_target.items():
        best = min(rivals, key=lambda claim: claim.rank)
        equal = [claim.name for claim in rivals if claim.rank == best.rank]
        if len(equal) > 1:
            raise InputError(
                f"columns {' and '.join(repr(name) for name in equal)} both look like {target}."
                f" {_listed(columns)} Choose with --map {_quoted(equal[0])}={target}"
            )
        yield Column(best.name, target, best.reason)


def _texts(source: Source, name: str) -> list[str]:
    values = (_as_text(row.get(name)) for row in source.sample)
    return [text for text in values if text and not is_placeholder(text)]


@dataclass(frozen=True, slots=True)
class _Topic:
    """What the headers together tell of the rows, so that a bare "name" or "city" has an owner."""

    people: bool
    named_apart: bool  # a company or a mailbox has a column of its own
    half_named: bool  # a first or a last name is there, not both

    @classmethod
    def of(cls, columns: Sequence[str], taken: set[str]) -> "_Topic":
        headers = {_header_word(name) for name in columns}
        words = {_BY_HEADER[header][0] for header in headers if header in _BY_HEADER} | taken
        halves = words & {"first_name", "last_name"}
        people = len(halves) > 1 or bool(words & {"person_title", "person_linkedin_url"})
        return cls(
            people or ("email" in words and "website" not in words),
            bool(words & {"company", "email"}),
            len(halves) == 1,
        )


def _header_word(name: str) -> str:
    """Return a header in the form of _BY_HEADER; ``firstName`` is two words, ``LinkedIn`` is one."""
    whole = fold(name)
    return whole if whole in _BY_HEADER else fold(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))


def _by_header(
    name: str, values: list[str], topic: _Topic, *, min_fit: float = _MIN_FIT
) -> _Claim | None:
    folded = _header_word(name)
    canonical = folded.replace(" ", "_")
    if canonical in PLAIN_WORDS and canonical not in ("name", "linkedin_url"):
        target, rank = canonical, -1.0
    elif FieldName(canonical) in FIELDS:
        target, rank = canonical, 0.0
    elif folded in _BY_HEADER:
        target, rank = _BY_HEADER[folded][0], float(_BY_HEADER[folded][1])
    else:
        return None
    target = _in_context(target, folded, values, topic)
    fit = _fit(target, values)
    if values and fit < min_fit:
        return None
    # An empty column has no claim against one that holds values.
    return _Claim(name, target, rank if values else rank + 1000, "by its header")


def _in_context(target: str, folded: str, values: list[str], topic: _Topic) -> str:
    """Return what an ambiguous header means in this file."""
    if folded in _BARE_NAME or (folded in _HALF_OR_WHOLE and topic.half_named):
        legal = sum(bool(_LEGAL_FORM.search(value)) for value in values)
        is_person = (topic.people or topic.named_apart) and legal * 2 <= len(values)
        return "name" if is_person else "company"
    if target == "linkedin_url" and values:
        profiles = sum(bool(_PROFILE.fullmatch(value)) for value in values)
        if profiles in (0, len(values)):
            return "person_linkedin_url" if profiles else "company_linkedin_url"
    if topic.people and folded in ("city", "town", "state", "region", "province", "stadt", "ort"):
        return target.replace("company_", "person_")
    return target


def _by_values(name: str, values: list[str]) -> _Claim | None:
    """Guess from the values alone, where nearly all have the shape of an address."""
    if not values:
        return None
    for target in ("email", "person_linkedin_url", "website"):
        pattern = _PROFILE if target == "person_linkedin_url" else None
        fits = [bool(pattern.fullmatch(v)) if pattern else _SHAPES[target](v) for v in values]
        if sum(fits) >= _SURE_FIT * len(values) and not _is_elsewhere(target, values):
            return _Claim(name, target, 500.0, "by its values")
    return None


def _is_elsewhere(target: str, values: list[str]) -> bool:
    """Tell whether web addresses are profiles or files rather than sites of their own."""
    social = re.compile(
        r"(linkedin|facebook|twitter|x|instagram|youtube|github|crunchbase|xing)\.com/"
        r"|\.(png|jpe?g|svg|gif|webp|pdf)($|\?)",
        re.IGNORECASE,
    )
    return target == "website" and sum(bool(social.search(v)) for v in values) * 2 > len(values)


def _fit(target: str, values: list[str]) -> float:
    shape = _SHAPES.get(target)
    return sum(shape(v) for v in values) / len(values) if shape and values else 1.0


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in columns[:40])
    return f"The columns are: {shown}{' ...' if len(columns) > 40 else ''}."  # noqa: PLR2004


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else f'"{name}"'
