"""A page of each kind that sites are made of, through ``glaze extract``: value, quote and page."""

import json
from collections import defaultdict
from collections.abc import Mapping

from cli_process import Cli

PAGES: Mapping[str, str] = {
    "graph": """<html lang="en"><head><title>Tools</title><script type="application/ld+json">
{"@context": "https://schema.org", "@graph": [
 {"@type": "WebSite", "publisher": {"@id": "https://graph-tools.com/#org"}},
 {"@type": "Organization", "@id": "https://graph-tools.com/#org", "name": "Graph Tools",
  "legalName": "Graph Tools Inc.", "url": "https://graph-tools.com/", "foundingDate": "1998",
  "logo": {"@type": "ImageObject", "url": "https://graph-tools.com/logo.svg"},
  "telephone": "+1 503-222-0148", "email": "mailto:hello@graph-tools.com",
  "address": {"@type": "PostalAddress", "streetAddress": "14 Harbor Way",
   "addressLocality": "Portland", "postalCode": "97209", "addressCountry": "US"},
  "openingHoursSpecification": [{"dayOfWeek": "Monday", "opens": "09:00", "closes": "17:00"}],
  "sameAs": ["https://www.linkedin.com/company/graph-tools"]}]}</script></head></html>""",
    "microdata": """<div itemscope itemtype="https://schema.org/LocalBusiness">
<b itemprop="name">Micro Bakery</b> <a itemprop="telephone" href="tel:+442079460018">Call</a>
<p itemprop="address" itemscope itemtype="https://schema.org/PostalAddress">
<span itemprop="streetAddress">5 Mill Lane</span> <span itemprop="addressLocality">Kent</span>
<span itemprop="postalCode">TN14 7QU</span></p><time itemprop="openingHours">Mo-Fr 07:00-15:00</time>
</div>""",
    "opengraph": """<head><meta property="og:site_name" content="Graph Paper Co">
<meta property="og:description" content="Paper with squares, made by hand since long ago.">
<meta property="business:contact_data:phone_number" content="+1 212-736-5000">
<meta property="og:email" content="shop@opengraph-paper.com">
<meta property="article:publisher" content="https://www.facebook.com/opengraphpaper"></head>""",
    "hcard": """<div class="vcard"><span class="fn org">Card Printers</span>
<span class="adr"><span class="street-address">9 Elm Road</span> <span class="locality">Leeds</span>
<span class="postal-code">LS1 4AP</span></span>
<span class="tel">+44 113 496 0000</span> <a class="email" href="mailto:post@hcard-printers.com">Mail</a>
</div>""",
    "hidden": """<p>Sales: sales [at] hidden-mail [dot] com</p>
<a href="/cdn-cgi/l/email-protection#660f08000926060f02020308"></a>
<span data-user="office" data-domain="hidden-mail.com" data-email="office@hidden-mail.com"></span>""",
    "hours": "<p>Open Mon-Fri 9:00 am - 5:30 pm</p><p>Saturday: 10:00 - 14:00</p>",
    "german": """<html lang="de"><h1>Impressum</h1><p>Muster Werkzeug GmbH<br>Hauptstraße 5<br>10115 Berlin
</p><p>Telefon: 030 / 901820-0<br>Telefax: 030 / 901820-99<br>E-Mail: info@german-werkzeug.de</p>
<p>Amtsgericht Charlottenburg, HRB 123456 B<br>USt-IdNr.: DE123456789</p>""",
    "french": """<html lang="fr"><h1>Mentions légales</h1><p>Exemple Outils SARL<br>12 rue de la Paix<br>
75002 Paris</p><p>Tél. : 01 42 68 53 00</p><p>RCS Paris B 552 100 554<br>TVA : FR 40 552100554</p>""",
    "italian": """<html lang="it"><h1>Note legali</h1><p>Esempio Utensili S.r.l.<br>Via Roma 12<br>
20121 Milano</p><p>Tel. 02 7200 1111</p><p>P.IVA IT01234567897</p>""",
    "spanish": """<html lang="es"><h1>Aviso legal</h1><p>Herramientas Ejemplo S.L.<br>Calle Mayor 8<br>
28013 Madrid</p><p>Teléfono: 915 21 30 00</p>""",
    "dutch": """<html lang="nl"><h1>Colofon</h1><p>Voorbeeld Gereedschap B.V.<br>Keizersgracht 12<br>
1015 CX Amsterdam</p><p>Tel: 020 623 4567</p><p>KvK 12345678</p>""",
}  # fmt: skip
SITES = {"german": "german-werkzeug.de", "hidden": "hidden-mail.com"}
EXPECTED: tuple[tuple[str, str, object], ...] = (
    ("graph", "company_name", "Graph Tools"),
    ("graph", "company_legal_name", "Graph Tools Inc."),
    ("graph", "company_phone", "+1 503-222-0148"),
    ("graph", "company_email", "hello@graph-tools.com"),
    ("graph", "company_street", "14 Harbor Way"),
    ("graph", "company_city", "Portland"),
    ("graph", "company_postal_code", "97209"),
    ("graph", "company_country", "US"),
    ("graph", "company_founded_year", 1998),
    ("graph", "company_logo_url", "https://graph-tools.com/logo.svg"),
    ("graph", "company_linkedin_url", "https://www.linkedin.com/company/graph-tools"),
    ("graph", "company_opening_hours", ["Mo 09:00-17:00"]),
    ("microdata", "company_name", "Micro Bakery"),
    ("microdata", "company_phone", "+442079460018"),
    ("microdata", "company_street", "5 Mill Lane"),
    ("microdata", "company_postal_code", "TN14 7QU"),
    ("microdata", "company_opening_hours", ["Mo-Fr 07:00-15:00"]),
    ("opengraph", "company_name", "Graph Paper Co"),
    ("opengraph", "company_phone", "+1 212-736-5000"),
    ("opengraph", "company_email", "shop@opengraph-paper.com"),
    ("opengraph", "company_description", "Paper with squares, made by hand since long ago."),
    ("opengraph", "company_facebook_url", "https://www.facebook.com/opengraphpaper"),
    ("hcard", "company_name", "Card Printers"),
    ("hcard", "company_phone", "+44 113 496 0000"),
    ("hcard", "company_email", "post@hcard-printers.com"),
    ("hcard", "company_street", "9 Elm Road"),
    ("hcard", "company_city", "Leeds"),
    ("hidden", "company_email", "sales@hidden-mail.com"),
    ("hidden", "company_email", "office@hidden-mail.com"),
    ("hours", "company_opening_hours", ["Mo-Fr 09:00-17:30", "Sa 10:00-14:00"]),
    ("german", "company_legal_name", "Muster Werkzeug GmbH"),
    ("german", "company_street", "Hauptstraße 5"),
    ("german", "company_city", "Berlin"),
    ("german", "company_phone", "030 / 901820-0"),
    ("german", "company_email", "info@german-werkzeug.de"),
    ("german", "company_registration_number", "HRB123456B"),
    ("german", "company_vat_id", "DE123456789"),
    ("french", "company_legal_name", "Exemple Outils SARL"),
    ("french", "company_street", "12 rue de la Paix"),
    ("french", "company_postal_code", "75002"),
    ("french", "company_phone", "01 42 68 53 00"),
    ("french", "company_registration_number", "552100554"),
    ("italian", "company_street", "Via Roma 12"),
    ("italian", "company_city", "Milano"),
    ("italian", "company_phone", "02 7200 1111"),
    ("italian", "company_vat_id", "IT01234567897"),
    ("spanish", "company_street", "Calle Mayor 8"),
    ("spanish", "company_phone", "915 21 30 00"),
    ("dutch", "company_street", "Keizersgracht 12"),
    ("dutch", "company_postal_code", "1015 CX"),
    ("dutch", "company_phone", "020 623 4567"),
    ("dutch", "company_registration_number", "12345678"),
)


def test_every_kind_of_page_gives_its_fields_each_with_its_page_and_a_passage_of_it(tmp_path):
    cli = Cli(tmp_path, {})  # it needs neither database nor vendors
    (cli.folder / "pages").mkdir()
    listed = []
    for name, page in PAGES.items():
        (cli.folder / "pages" / f"{name}.html").write_text(page)
        url = f"https://{SITES.get(name, f'{name}-tools.com')}/"
        listed.append({"page": name, "file": f"pages/{name}.html", "url": url})
    (cli.folder / "list.jsonl").write_text("\n".join(map(json.dumps, listed)) + "\n")
    ran = cli.run("extract", "pages", "--jsonl", "--pages", "list.jsonl")
    found = defaultdict(list)
    for row in map(json.loads, ran.out.splitlines()):
        found[row["page"], row["field"]].append(row)
    urls = {entry["page"]: entry["url"] for entry in listed}
    wrong = [
        f"{page} {field}: {value!r} is not in {[row['value'] for row in found[page, field]]}"
        for page, field, value in EXPECTED
        if value not in [row["value"] for row in found[page, field]]
    ]
    assert not wrong, "\n".join(wrong)
    assert all(row["quote"] for rows in found.values() for row in rows)
    assert all(row["url"] == urls[page] for (page, _), rows in found.items() for row in rows)
    assert "030 / 901820-99" not in [row["value"] for row in found["german", "company_phone"]]
