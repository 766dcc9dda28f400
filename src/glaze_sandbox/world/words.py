"""Word lists of the generated world: invented names, trades, titles, technologies."""

from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


HEADS = _words(
    "Alvo Aster Bel Bren Cal Cass Cor Dal Del Dorn Eld Eren Fal Fenn Gal Gren Hal Hest Ild Jor "
    "Kal Kest Lan Lor Mal Mer Nav Nor Old Orb Pel Pras Quel Ral Ren Sal Sken Tal Thorn Ul Val "
    "Ven Vol Wend Wex Yar Zel Zor"
)
TAILS = _words(
    "aris avik bane brook corra dane desh dova elin erra fane folk gard gate helm iska jorn kettle "
    "kova lane lith lomar march mere mont nara nell novo orin osta pell quist rada rask rell rivo "
    "sand sava stell tano tern tova ulla vane vell vern wick wold yara zen"
)

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "ja")


@dataclass(frozen=True, slots=True)
class Industry:
    """A trade: the name that data vendors use, words for company names, the trade in each language."""

    name: str
    suffixes: tuple[str, ...]
    trade: tuple[str, ...]  # in the order of LANGUAGES
    tags: tuple[str, ...]

    def in_language(self, language: str) -> str:
        """Return the trade as a phrase in ``language``."""
        return self.trade[LANGUAGES.index(language)]


def _industry(name: str, suffixes: str, trade: str, tags: str) -> Industry:
    return Industry(name, tuple(suffixes.split()), tuple(trade.split("|")), tuple(tags.split(", ")))


INDUSTRIES = (
    _industry(
        "computer software",
        "Software Systems Labs Digital",
        "business software|Unternehmenssoftware|logiciels de gestion|software de gestión|"
        "software gestionale|bedrijfssoftware|業務用ソフトウェア",
        "saas, workflow, automation",
    ),
    _industry(
        "machinery",
        "Machines Tools Engineering Works",
        "industrial machinery|Maschinenbau|machines industrielles|maquinaria industrial|"
        "macchinari industriali|machinebouw|産業機械",
        "cnc, machine tools, maintenance",
    ),
    _industry(
        "logistics & supply chain",
        "Logistics Freight Cargo Transport",
        "freight and logistics|Logistik und Spedition|transport et logistique|logística y transporte|"
        "logistica e trasporti|logistiek en transport|物流サービス",
        "freight, warehousing, customs",
    ),
    _industry(
        "construction",
        "Construction Builders Bau Contracting",
        "construction|Hochbau|construction de bâtiments|construcción|edilizia|bouw|建設",
        "general contractor, renovation, civil works",
    ),
    _industry(
        "medical devices",
        "Medical Surgical Diagnostics Health",
        "medical devices|Medizintechnik|dispositifs médicaux|dispositivos médicos|"
        "dispositivi medici|medische apparatuur|医療機器",
        "imaging, sterile, iso 13485",
    ),
    _industry(
        "renewables & environment",
        "Solar Energy Wind Power",
        "renewable energy|erneuerbare Energien|énergies renouvelables|energías renovables|"
        "energie rinnovabili|duurzame energie|再生可能エネルギー",
        "solar, storage, heat pumps",
    ),
    _industry(
        "food production",
        "Foods Mills Bakery Dairy",
        "food production|Lebensmittelherstellung|produits alimentaires|producción de alimentos|"
        "produzione alimentare|voedselproductie|食品製造",
        "organic, private label, haccp",
    ),
    _industry(
        "accounting",
        "Accounting Advisory Audit Tax",
        "accounting and tax advice|Steuerberatung|expertise comptable|asesoría fiscal|"
        "consulenza fiscale|belastingadvies|会計・税務",
        "audit, payroll, tax",
    ),
    _industry(
        "legal services",
        "Legal Law Counsel Partners",
        "legal services|Rechtsberatung|services juridiques|servicios jurídicos|servizi legali|"
        "juridische diensten|法律サービス",
        "contracts, compliance, employment law",
    ),
    _industry(
        "marketing & advertising",
        "Media Studio Creative Marketing",
        "marketing and advertising|Marketing und Werbung|marketing et publicité|"
        "marketing y publicidad|marketing e pubblicità|marketing en reclame|広告・マーケティング",
        "branding, seo, campaigns",
    ),
    _industry(
        "furniture",
        "Furniture Interiors Design Joinery",
        "furniture|Möbelbau|mobilier|mobiliario|arredamento|meubels|家具",
        "oak, office interiors, made to order",
    ),
    _industry(
        "chemicals",
        "Chemicals Coatings Polymers Materials",
        "specialty chemicals|Spezialchemie|chimie de spécialité|química especializada|"
        "chimica di specialità|specialistische chemie|特殊化学品",
        "coatings, resins, reach",
    ),
    _industry(
        "financial services",
        "Finance Capital Payments Leasing",
        "financial services|Finanzdienstleistungen|services financiers|servicios financieros|"
        "servizi finanziari|financiële diensten|金融サービス",
        "payments, leasing, treasury",
    ),
    _industry(
        "telecommunications",
        "Telecom Networks Connect Fibre",
        "telecommunications|Telekommunikation|télécommunications|telecomunicaciones|"
        "telecomunicazioni|telecommunicatie|通信",
        "fibre, voip, networks",
    ),
    _industry(
        "hospitality",
        "Hotels Travel Resorts Catering",
        "hotels and catering|Hotellerie und Catering|hôtellerie et restauration|"
        "hostelería y catering|ospitalità e catering|hotels en catering|ホテル・ケータリング",
        "hotels, events, catering",
    ),
    _industry(
        "automotive",
        "Automotive Motors Parts Mobility",
        "automotive parts|Automobilzulieferung|équipements automobiles|componentes de automoción|"
        "componenti per auto|auto-onderdelen|自動車部品",
        "brakes, drivetrain, aftermarket",
    ),
)

# title, seniority, department: the words of people-data vendors
ROLES = (
    ("Chief Executive Officer", "c_suite", "executive"),
    ("Founder", "founder", "executive"),
    ("Chief Technology Officer", "c_suite", "engineering"),
    ("Chief Financial Officer", "c_suite", "finance"),
    ("VP of Sales", "vp", "sales"),
    ("VP Marketing", "vp", "marketing"),
    ("Head of Operations", "director", "operations"),
    ("Director of Engineering", "director", "engineering"),
    ("Human Resources Manager", "manager", "human_resources"),
    ("Purchasing Manager", "manager", "operations"),
    ("Senior Software Engineer", "senior", "engineering"),
    ("Senior Account Executive", "senior", "sales"),
    ("Marketing Specialist", "entry", "marketing"),
    ("Customer Support Representative", "entry", "support"),
)

# what a company's site or DNS may show, and the category that Apollo prints
TECHNOLOGIES = {
    "WordPress": "CMS",
    "Google Analytics": "Analytics and Tracking",
    "HubSpot": "Marketing Automation",
    "Shopify": "Hosted Forms",
    "nginx": "Load Balancers",
    "PHP": "Frameworks and Programming Languages",
    "Cloudflare": "CDN",
    "jQuery": "Javascript Libraries",
    "Stripe": "Payments",
    "Atlassian": "Project Management",
}

# what the records in DNS give away, by who runs the mail and by what the site uses
IMPLIED = {
    "google": "Google Workspace",
    "microsoft365": "Microsoft 365",
    "Google Analytics": "Google Search Console",
}

EMAIL_PATTERNS = (
    "{first}.{last}",
    "{first}.{last}",
    "{f}{last}",
    "{first}",
    "{f}.{last}",
    "{last}",
)
