"""Names of states and counties, and how postal codes look, per country."""

import re

US_STATES: dict[str, str] = dict(
    pair.split("=")
    for pair in (
        "Alabama=AL,Alaska=AK,Arizona=AZ,Arkansas=AR,California=CA,Colorado=CO,Connecticut=CT,"
        "Delaware=DE,District of Columbia=DC,Florida=FL,Georgia=GA,Hawaii=HI,Idaho=ID,Illinois=IL,"
        "Indiana=IN,Iowa=IA,Kansas=KS,Kentucky=KY,Louisiana=LA,Maine=ME,Maryland=MD,"
        "Massachusetts=MA,Michigan=MI,Minnesota=MN,Mississippi=MS,Missouri=MO,Montana=MT,"
        "Nebraska=NE,Nevada=NV,New Hampshire=NH,New Jersey=NJ,New Mexico=NM,New York=NY,"
        "North Carolina=NC,North Dakota=ND,Ohio=OH,Oklahoma=OK,Oregon=OR,Pennsylvania=PA,"
        "Puerto Rico=PR,Rhode Island=RI,South Carolina=SC,South Dakota=SD,Tennessee=TN,Texas=TX,"
        "Utah=UT,Vermont=VT,Virginia=VA,Washington=WA,West Virginia=WV,Wisconsin=WI,Wyoming=WY"
    ).split(",")
)
CA_PROVINCES: dict[str, str] = dict(
    pair.split("=")
    for pair in (
        "Ontario=ON,Quebec=QC,Québec=QC,British Columbia=BC,Alberta=AB,Manitoba=MB,"
        "Saskatchewan=SK,Nova Scotia=NS,New Brunswick=NB,Newfoundland=NL,"
        "Newfoundland and Labrador=NL,Prince Edward Island=PE,Yukon=YT,Nunavut=NU,"
        "Northwest Territories=NT,P.Q.=QC,PQ=QC"
    ).split(",")
)
AU_STATES: dict[str, str] = dict(
    pair.split("=")
    for pair in (
        "New South Wales=NSW,Victoria=VIC,Queensland=QLD,South Australia=SA,Western Australia=WA,"
        "Tasmania=TAS,Australian Capital Territory=ACT,Northern Territory=NT"
    ).split(",")
)
UK_COUNTIES = frozenset(
    name.lower()
    for name in (
        "Aberdeenshire,Angus,Argyll,Avon,Ayrshire,Bedfordshire,Beds,Berkshire,Berks,"
        "Buckinghamshire,Bucks,Cambridgeshire,Cambs,Cheshire,Cleveland,Clwyd,Cornwall,"
        "County Antrim,County Armagh,County Down,County Durham,Co. Durham,Co Durham,"
        "County Fermanagh,County Londonderry,County Tyrone,Co. Antrim,Co Antrim,Co. Down,Co Down,"
        "Cumbria,Denbighshire,Derbyshire,Devon,Dorset,Dumfriesshire,Dyfed,East Lothian,"
        "East Sussex,East Yorkshire,E. Sussex,Essex,Fife,Flintshire,Glamorgan,Gloucestershire,Glos,"
        "Greater London,Greater Manchester,Gwent,Gwynedd,Hampshire,Hants,Herefordshire,"
        "Hertfordshire,Herts,Inverness-shire,Isle of Wight,Kent,Lanarkshire,Lancashire,Lancs,"
        "Leicestershire,Leics,Lincolnshire,Lincs,Merseyside,Mid Glamorgan,Middlesex,Middx,"
        "Midlothian,Monmouthshire,Moray,Norfolk,North Yorkshire,N. Yorkshire,N Yorkshire,"
        "Northamptonshire,Northants,Northumberland,Nottinghamshire,Notts,Oxfordshire,Oxon,"
        "Pembrokeshire,Perthshire,Powys,Renfrewshire,Rutland,Shropshire,Somerset,South Glamorgan,"
        "South Yorkshire,S. Yorkshire,Staffordshire,Staffs,Stirlingshire,Suffolk,Surrey,Sussex,"
        "Tyne and Wear,Tyne & Wear,Warwickshire,Warks,West Glamorgan,West Lothian,West Midlands,"
        "West Sussex,W. Sussex,W Sussex,West Yorkshire,W. Yorkshire,W Yorkshire,Wiltshire,Wilts,"
        "Worcestershire,Worcs,Yorkshire,Yorks"
    ).split(",")
)
STREET_WORD = re.compile(
    r"\b(?:street|st|road|rd|avenue|ave|av|boulevard|blvd|bvd|drive|dr|lane|ln|way|court|ct|place|pl"
    r"|square|sq|parkway|pkwy|pky|highway|hwy|terrace|close|crescent|cres|gardens|grove|mews|row"
    r"|circle|cir|trail|trl|broadway|wharf|quay|plaza|turnpike|tpke|pike|route|rte|loop|alley|path"
    r"|expressway|expy|freeway|fwy|esplanade|promenade|parade|walk|rise|hill|bypass|commons?|causeway"
    r"|rue|bd|quai|chemin|impasse|all[ée]e|cours|faubourg|passage|z\.?[ai]\.?c?"
    r"|via|viale|v\.le|piazza|p\.zza|piazzale|corso|c\.so|largo|strada|vicolo|contrada|localit[àa]"
    r"|calle|c/|avda|avenida|paseo|carrer|ronda|carretera|ctra|camino|pol[íi]gono|rua|travessa"
    r"|ulica|ul|aleja|al)\b\.?"
    r"|stra(?:ß|ss)e\b|\bstr\.|str\.(?=\s*\d)|(?:weg|platz|allee|gasse|ring|damm|ufer|chaussee|wall|graben"
    r"|steig|hof|markt|berg|stra+t|laan|plein|gracht|kade|dijk|singel|steenweg|baan|vej|gade|gatan"
    r"|v[äa]gen|gata|veien|katu|tie)(?=\s+\d)",
    re.IGNORECASE,
)
UNIT_WORD = re.compile(
    r"\b(?:suite|ste|unit|floor|fl|level|building|bldg|house|block|apt|apartment|room|rm|tower|wing|studio(?= \w?\d)"
    r"|estate|business park|technology park|industrial park|science park|retail park|centre|center|court|hall"
    r"|mail ?code|mail stop|campus|works|mill|barn|farm|lodge|chambers|arcade|mall|shop|office \d+|etage|stock"
    r"|og|escalier|b[âa]t(?:iment)?|interno|piso|planta|local|p\.?\s?o\.?\s*box|post office box|po box|postfach|b\.?p\.?\s?\d"
    r"|c\.?p\.?\s?\d|casella postale|apartado|postbus|gpo box|locked bag|private bag)\b|#\s?\d",
    re.IGNORECASE,
)
UK_POSTCODE = r"(?:GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]?\s{0,2}\d[ABD-HJLNP-UW-Z]{2})"
CA_POSTCODE = r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ -]?\d[ABCEGHJ-NPRSTV-Z]\d"
# Countries that write "code city": digits of the code, and their way to write them.
CODE_FIRST: dict[str, str] = {
    **dict.fromkeys(
        ("DE", "FR", "IT", "ES", "FI", "EE", "HR", "RS", "TR", "MX", "MC", "LT", "UA"), r"\d{5}"
    ),
    **dict.fromkeys(
        ("AT", "CH", "BE", "DK", "NO", "LU", "HU", "SI", "BG", "LI", "LV", "CY", "GE"), r"\d{4}"
    ),
    **dict.fromkeys(("SE", "CZ", "SK", "GR"), r"\d{3} ?\d{2}"),
    "NL": r"\d{4} ?[A-Z]{2}",
    "PL": r"\d{2}-\d{3}",
    "PT": r"\d{4}-\d{3}",
    "JP": r"\d{3}-\d{4}",
    "BR": r"\d{5}-\d{3}",
    "RO": r"\d{6}",
    "RU": r"\d{6}",
}
