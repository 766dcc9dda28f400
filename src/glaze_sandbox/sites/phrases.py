"""The words of a company site in each language: menu, labels, the sentences around a fact."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language."""

    contact: str
    about: str
    imprint: str
    team: str
    careers: str
    paths: tuple[str, str, str, str, str]  # of the pages above, in their order
    phone: str
    fax: str
    email: str
    address: str
    vat: str
    founded: str  # with {year}
    employees: str  # with {count}
    managed_by: str
    hours: str
    welcome: str
    filler: str
    credit: str


def _phrases(menu: str, paths: str, labels: str, sentences: str) -> Phrases:
    """Read the rows, each separated by ``|`` in the order of the fields."""
    contact, about, imprint, team, careers = menu.split("|")
    one, two, three, four, five = paths.split("|")
    phone, fax, email, address, vat, managed_by, hours = labels.split("|")
    founded, employees, welcome, filler, credit = sentences.split("|")
    return Phrases(
        contact=contact,
        about=about,
        imprint=imprint,
        team=team,
        careers=careers,
        paths=(one, two, three, four, five),
        phone=phone,
        fax=fax,
        email=email,
        address=address,
        vat=vat,
        founded=founded,
        employees=employees,
        managed_by=managed_by,
        hours=hours,
        welcome=welcome,
        filler=filler,
        credit=credit,
    )


PHRASES = {
    "en": _phrases(
        "Contact|About us|Legal notice|Our team|Careers",
        "/contact|/about|/legal|/team|/careers",
        "Phone|Fax|Email|Address|VAT number|Managing director|Opening hours",
        "Founded in {year}, we have grown step by step.|Today we are a team of {count} people.|"
        "Welcome|We listen first, plan with care and keep our dates.|Website by",
    ),
    "de": _phrases(
        "Kontakt|Über uns|Impressum|Unser Team|Karriere",
        "/kontakt|/ueber-uns|/impressum|/team|/karriere",
        "Telefon|Telefax|E-Mail|Anschrift|USt-IdNr.|Geschäftsführung|Öffnungszeiten",
        "Gegründet {year}, sind wir Schritt für Schritt gewachsen.|"
        "Heute arbeiten bei uns {count} Mitarbeiter.|Willkommen|"
        "Wir hören zu, planen sorgfältig und halten Termine ein.|Webdesign:",
    ),
    "fr": _phrases(
        "Contact|Qui sommes-nous|Mentions légales|Notre équipe|Recrutement",
        "/contact|/a-propos|/mentions-legales|/equipe|/recrutement",
        "Téléphone|Fax|Courriel|Adresse|N° TVA|Directeur de la publication|Horaires",
        "Fondée en {year}, notre maison a grandi pas à pas.|"
        "Notre équipe compte {count} collaborateurs.|Bienvenue|"
        "Nous écoutons, nous préparons et nous tenons nos délais.|Site réalisé par",
    ),
    "es": _phrases(
        "Contacto|Quiénes somos|Aviso legal|Equipo|Empleo",
        "/contacto|/quienes-somos|/aviso-legal|/equipo|/empleo",
        "Teléfono|Fax|Correo|Dirección|NIF|Administrador|Horario",
        "Fundada en {year}, hemos crecido paso a paso.|Hoy somos {count} empleados.|Bienvenidos|"
        "Escuchamos, planificamos y cumplimos los plazos.|Diseño web:",
    ),
    "it": _phrases(
        "Contatti|Chi siamo|Note legali|Il team|Lavora con noi",
        "/contatti|/chi-siamo|/note-legali|/team|/lavora-con-noi",
        "Telefono|Fax|Email|Sede|P. IVA|Amministratore|Orari",
        "Fondata nel {year}, siamo cresciuti passo dopo passo.|Oggi siamo {count} dipendenti.|"
        "Benvenuti|Ascoltiamo, pianifichiamo e rispettiamo i tempi.|Realizzazione sito:",
    ),
    "nl": _phrases(
        "Contact|Over ons|Disclaimer|Ons team|Vacatures",
        "/contact|/over-ons|/disclaimer|/team|/vacatures",
        "Telefoon|Fax|E-mail|Adres|BTW-nummer|Directie|Openingstijden",
        "Opgericht in {year}, zijn wij stap voor stap gegroeid.|"
        "Wij werken met {count} medewerkers.|Welkom|"
        "Wij luisteren, plannen zorgvuldig en komen afspraken na.|Website door",
    ),
    "ja": _phrases(
        "お問い合わせ|会社概要|特定商取引法に基づく表記|スタッフ|採用情報",
        "/contact|/company|/legal|/staff|/recruit",
        "電話|FAX|メール|所在地|登録番号|代表者|営業時間",
        "{year}年設立。着実に成長してまいりました。|従業員数{count}名。|ようこそ|"
        "お客様の声に耳を傾け、納期を守ります。|制作:",
    ),
}

COUNTRY_NAMES = {
    "US": "USA", "GB": "United Kingdom", "DE": "Deutschland", "FR": "France", "NL": "Nederland",
    "ES": "España", "IT": "Italia", "JP": "日本", "CA": "Canada", "AU": "Australia",
}  # fmt: skip

REGION_CODES = {
    "Texas": "TX", "Colorado": "CO", "Ohio": "OH", "Oregon": "OR", "North Carolina": "NC",
    "Massachusetts": "MA", "Wisconsin": "WI", "Ontario": "ON", "British Columbia": "BC",
    "Alberta": "AB", "New South Wales": "NSW", "Victoria": "VIC", "Queensland": "QLD",
}  # fmt: skip
