"""Countries of the world: cities, address and phone shapes, given and family names.

Phone ranges are those set aside for fiction where a regulator names one (US and Canada 555-01xx,
Ofcom's 0xxx drama numbers, Bundesnetzagentur's and Arcep's, ACMA's 5550/7010); elsewhere any
number that is valid in the country's plan.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    """A city with the parts that addresses and phone numbers take from it."""

    name: str
    region: str
    postal: str  # pattern: '#' is a digit
    phone: str  # E.164 pattern: '#' is a digit


@dataclass(frozen=True, slots=True)
class Country:
    """How a country writes names, addresses and companies."""

    code: str
    name: str
    language: str
    weight: int
    tlds: tuple[str, ...]
    legal_forms: tuple[str, ...]
    street: str  # with {street} and {number}
    streets: tuple[str, ...]
    cities: tuple[City, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    vat: str | None  # pattern: '#' is a digit


def fill(pattern: str, rng: random.Random) -> str:
    """Replace each ``#`` of ``pattern`` by a digit."""
    return "".join(rng.choice("0123456789") if c == "#" else c for c in pattern)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _cities(*rows: str) -> tuple[City, ...]:
    return tuple(City(*row.split("|")) for row in rows)


COUNTRIES = (
    Country(
        "US", "United States", "en", 32, ("com", "com", "com", "io", "net"),
        ("Inc.", "LLC", "Corp."), "{number} {street}",
        ("Harbor Street", "Mill Road", "Foundry Avenue", "Lakeview Drive", "Cedar Lane", "5th Avenue"),
        _cities(
            "Austin|Texas|787##|+151255501##", "Denver|Colorado|802##|+130355501##",
            "Columbus|Ohio|432##|+161455501##", "Portland|Oregon|972##|+150355501##",
            "Raleigh|North Carolina|276##|+191955501##", "Boston|Massachusetts|021##|+161755501##",
            "Milwaukee|Wisconsin|532##|+141455501##",
        ),
        _words("James Maria Robert Linda Karen Thomas Ashley Kevin Denise Brian Nicole Carlos"),
        _words("Walker Ramirez Nguyen Foster Bennett Coleman Hughes Ortiz Sullivan Price Reyes Ward"),
        None,
    ),
    Country(
        "GB", "United Kingdom", "en", 14, ("co.uk", "co.uk", "com"), ("Ltd", "Limited", "PLC"),
        "{number} {street}",
        ("Station Road", "Victoria Street", "Canal Wharf", "Church Lane", "Kingsway", "Park Row"),
        _cities(
            "London|Greater London|EC1A #BB|+442079460###", "Manchester|Greater Manchester|M1 #AE|+441614960###",
            "Bristol|Bristol|BS1 #TR|+441174960###", "Leeds|West Yorkshire|LS1 #DF|+441134960###",
            "Edinburgh|Scotland|EH1 #YZ|+441314960###",
        ),
        _words("Oliver Amelia Harry Sophie George Emily Callum Fiona Rhys Hannah Imogen Alistair"),
        _words("Hargreaves Whitfield Thornton Ashworth Pryce MacLeod Lockwood Bexley Kendall Marsh Doyle Finch"),
        "GB#########",
    ),
    Country(
        "DE", "Germany", "de", 18, ("de", "de", "de", "com"), ("GmbH", "AG", "GmbH & Co. KG"),
        "{street} {number}",
        ("Hauptstraße", "Industriestraße", "Bahnhofstraße", "Gartenweg", "Lindenallee", "Am Hafen"),
        _cities(
            "Berlin|Berlin|101##|+493023125###", "Hamburg|Hamburg|203##|+494066969###",
            "München|Bayern|803##|+498999998###", "Köln|Nordrhein-Westfalen|506##|+492214710###",
            "Frankfurt am Main|Hessen|603##|+496990009###",
        ),
        _words("Jürgen Sabine Matthias Ulrike Björn Annika Stefan Heike Tobias Petra Lukas Jana"),
        _words("Müller Schröder Weiß Hoffmann Krüger Lehmann Vogel Brandt König Seidel Albrecht Winkler"),
        "DE#########",
    ),
    Country(
        "FR", "France", "fr", 9, ("fr", "fr", "com"), ("SAS", "SARL", "SA"), "{number} {street}",
        ("rue des Tilleuls", "avenue de la Gare", "boulevard Victor Hugo", "rue du Moulin", "quai Sud"),
        _cities(
            "Paris|Île-de-France|7501#|+3319900####",
            "Lyon|Auvergne-Rhône-Alpes|6900#|+3346571####", "Nantes|Pays de la Loire|44#00|+3326191####",
            "Toulouse|Occitanie|31#00|+3353649####", "Lille|Hauts-de-France|59#00|+3335301####",
        ),
        _words("Élodie Laurent Chloé Mathieu Céline Antoine Hélène Gaël Sandrine Jérôme Margaux Rémi"),
        _words("Lefèvre Moreau Gauthier Dubois Renaud Chevalier Perrin Blanchard Marchand Colin Besson Noël"),
        "FR###########",
    ),
    Country(
        "NL", "Netherlands", "nl", 6, ("nl", "nl", "com"), ("B.V.", "N.V."), "{street} {number}",
        ("Kerkstraat", "Havenweg", "Molenlaan", "Stationsplein", "Prinsengracht"),
        _cities(
            "Amsterdam|Noord-Holland|101# AB|+31207######", "Rotterdam|Zuid-Holland|301# CD|+31104######",
            "Utrecht|Utrecht|351# EF|+31302######",
        ),
        _words("Sanne Daan Lotte Bram Femke Jeroen Anouk Thijs Marloes Ruben Eva Pieter"),
        _words("Bakker Visser Smit Mulder Dekker Vermeer Hendriks Kuipers Postma Willems Jansen Brouwer"),
        "NL#########B01",
    ),
    Country(
        "ES", "Spain", "es", 6, ("es", "es", "com"), ("S.L.", "S.A."), "{street} {number}",
        ("Calle Mayor", "Avenida del Puerto", "Calle de la Fuente", "Paseo del Norte", "Calle Real"),
        _cities(
            "Madrid|Comunidad de Madrid|280##|+34912######", "Barcelona|Cataluña|080##|+34932######",
            "Valencia|Comunidad Valenciana|460##|+34962######",
        ),
        _words("Lucía Javier Marta Sergio Elena Álvaro Irene Pablo Nuria Andrés Carmen Iñaki"),
        _words("García Romero Navarro Molina Ibáñez Vidal Castaño Ferrer Peña Cabrera Soler Herrero"),
        "ESB########",
    ),
    Country(
        "IT", "Italy", "it", 6, ("it", "it", "com"), ("S.r.l.", "S.p.A."), "{street}, {number}",
        ("Via Roma", "Via Garibaldi", "Corso Italia", "Via dei Mille", "Viale Europa"),
        _cities(
            "Milano|Lombardia|201##|+39023######", "Torino|Piemonte|101##|+39011#######",
            "Bologna|Emilia-Romagna|401##|+39051#######",
        ),
        _words("Giulia Marco Chiara Alessandro Francesca Luca Elisa Davide Paola Matteo Ilaria Nicolò"),
        _words("Rossi Ferrari Bianchi Colombo Ricci Marino Greco Conti Costa Mancini Rizzo Lombardi"),
        "IT###########",
    ),
    Country(
        "JP", "Japan", "ja", 4, ("co.jp", "co.jp", "jp"), ("K.K.",), "3-{number} {street}",
        ("Nihonbashi", "Shinmachi", "Hommachi", "Sakuragaoka"),
        _cities(
            "Tokyo|Tokyo|103-00##|+8135#######", "Osaka|Osaka|541-00##|+8166#######",
            "Nagoya|Aichi|460-00##|+81522######",
        ),
        _words("Haruto Yui Kenji Aiko Takumi Naoko Ryo Emi Daichi Mika Sho Keiko"),
        _words("Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Mori"),
        None,
    ),
    Country(
        "CA", "Canada", "en", 3, ("ca", "com"), ("Inc.", "Ltd."), "{number} {street}",
        ("Maple Street", "Queen Street", "Granville Road", "King Street"),
        _cities(
            "Toronto|Ontario|M5V #B1|+141655501##", "Vancouver|British Columbia|V6B #K2|+160455501##",
            "Calgary|Alberta|T2P #M3|+140355501##",
        ),
        _words("Liam Chloe Owen Zoe Graham Paige Wesley Brooke Aiden Claire Trevor Megan"),
        _words("Tremblay MacDonald Chan Fraser Singh Gagnon Campbell Leblanc Wong Stewart Roy Kerr"),
        None,
    ),
    Country(
        "AU", "Australia", "en", 2, ("com.au", "com.au", "com"), ("Pty Ltd",), "{number} {street}",
        ("Bridge Street", "Collins Road", "Wattle Avenue", "Harbour Esplanade"),
        _cities(
            "Sydney|New South Wales|20##|+6125550####", "Melbourne|Victoria|30##|+6137010####",
            "Brisbane|Queensland|40##|+6175550####",
        ),
        _words("Jack Matilda Lachlan Ruby Angus Tahlia Declan Freya Bailey Isla Hamish Piper"),
        _words("Mitchell Kelly O'Brien Wilson Barrett Turnbull Hale Cameron Hayes Lawson Boyd Quinn"),
        None,
    ),
)  # fmt: skip

BY_CODE = {country.code: country for country in COUNTRIES}
