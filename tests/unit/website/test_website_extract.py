"""What the website extractor reads from pages of many kinds."""

# ruff: noqa: RUF001, PLR0917  pages are typeset; an address has many parts

import json

import pytest

from glaze.model.value import Json, Reading
from glaze.providers.website import extract, rows


def read(html: str, url: str = "https://www.brightwater-tools.com/") -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for reading in extract(html.encode(), url):
        found.setdefault(reading.field, []).append(reading.value)
    return found


def readings_of(
    html: str, field: str, url: str = "https://www.brightwater-tools.com/"
) -> list[Reading]:
    return [one for one in extract(html.encode(), url) if one.field == field]


GRAPH = """<html lang="en"><head><title>Home | Brightwater</title>
<script type="application/ld+json">{"@context":"https://schema.org","@graph":[
 {"@type":"WebSite","@id":"https://www.brightwater-tools.com/#site","name":"Brightwater",
  "publisher":{"@id":"https://www.brightwater-tools.com/#org"}},
 {"@type":"Organization","@id":"https://www.brightwater-tools.com/#org","name":"Brightwater Tools",
  "legalName":"Brightwater Tools Inc.","url":"https://www.brightwater-tools.com/",
  "logo":{"@type":"ImageObject","url":"https://www.brightwater-tools.com/img/logo.svg"},
  "telephone":"+1 503-222-0148","email":"mailto:hello@brightwater-tools.com","foundingDate":"1998-04-01",
  "vatID":"DE 123 456 789","numberOfEmployees":{"@type":"QuantitativeValue","minValue":51,"maxValue":200},
  "address":{"@type":"PostalAddress","streetAddress":"14 Harbor Way","addressLocality":"Portland",
   "addressRegion":"OR","postalCode":"97209","addressCountry":"US"},
  "openingHoursSpecification":[{"dayOfWeek":["Monday","Tuesday"],"opens":"09:00","closes":"17:00"}],
  "sameAs":["https://www.linkedin.com/company/brightwater-tools","https://twitter.com/brightwater"]},
 {"@type":"Product","name":"Chisel","brand":{"@type":"Organization","name":"Someone Else Ltd",
  "telephone":"+1 212-555-0100"}}]}</script></head><body><h1>Tools</h1></body></html>"""


def test_a_json_ld_graph_tells_the_whole_company() -> None:
    found = read(GRAPH)
    assert found["company_name"][0] == "Brightwater Tools"
    assert found["company_legal_name"] == ["Brightwater Tools Inc."]
    assert found["company_phone"] == ["+15032220148"]
    assert found["company_email"] == ["hello@brightwater-tools.com"]
    assert found["company_street"] == ["14 Harbor Way"]
    assert found["company_city"] == ["Portland"]
    assert found["company_postal_code"] == ["97209"]
    assert found["company_country"] == ["US"]
    assert found["company_founded_year"] == [1998]
    assert found["company_size"] == ["51-200"]
    assert found["company_vat_id"] == ["DE123456789"]
    assert found["company_logo_url"][0] == "https://www.brightwater-tools.com/img/logo.svg"
    assert found["company_opening_hours"] == [["Mo,Tu 09:00-17:00"]]
    assert found["company_linkedin_url"] == ["https://www.linkedin.com/company/brightwater-tools"]


def test_a_brand_or_employer_named_on_the_page_is_not_the_company() -> None:
    assert "+12125550100" not in read(GRAPH)["company_phone"]
    assert "Someone Else Ltd" not in read(GRAPH)["company_name"]


def test_json_ld_with_comments_control_characters_and_trailing_commas_is_still_read() -> None:
    page = """<script type="application/ld+json"><!-- {"@type":"Organization","name":"Fern &
    Oak","telephone":"+44 20 7946 0018",} --></script>"""
    assert read(page)["company_phone"] == ["+442079460018"]


def test_json_ld_inside_a_scripts_string_is_read() -> None:
    inner = json.dumps(
        {"@context": "https://schema.org", "@type": "Organization", "name": "Quillon"}
    )
    page = f"<script>self.__next_f.push([1,{json.dumps(inner)}])</script>"
    assert read(page, "https://quillon.io/")["company_name"] == ["Quillon"]


def test_a_directory_of_companies_names_none_of_them_as_its_own() -> None:
    listed = "".join(
        f'<script type="application/ld+json">{{"@type":"LocalBusiness","name":"{name} Movers",'
        f'"telephone":"+1 212-555-01{place}","url":"https://{name.lower()}.com"}}</script>'
        for place, name in enumerate(("Alder", "Birch", "Cedar"), start=10)
    )
    page = f"<title>Best movers | MoverGuide</title>{listed}"
    assert read(page, "https://moverguide.com/")["company_name"][0] == "MoverGuide"


def test_microdata_is_read_like_json_ld() -> None:
    page = """<div itemscope itemtype="http://schema.org/LocalBusiness"><span itemprop="name">Olive
    Press Bakery</span><a itemprop="telephone" href="tel:+4930123456">030 123456</a>
    <div itemprop="address" itemscope itemtype="http://schema.org/PostalAddress">
    <span itemprop="streetAddress">Lindenallee 7</span><span itemprop="postalCode">10115</span>
    <span itemprop="addressLocality">Berlin</span><meta itemprop="addressCountry" content="DE"></div>
    <img itemprop="logo" src="/olive.png"></div>"""
    found = read(page, "https://olivepress.de/")
    assert found["company_name"][0] == "Olive Press Bakery"
    assert found["company_phone"] == ["+4930123456"]
    assert (found["company_street"][0], found["company_city"][0]) == ("Lindenallee 7", "Berlin")
    assert found["company_logo_url"][0] == "https://olivepress.de/olive.png"


def test_an_hcard_is_read_and_its_fax_is_not_a_phone() -> None:
    page = """<div class="vcard"><div class="fn org">Harrow Mills</div><div class="adr">
    <span class="street-address">3 Mill Lane</span>, <span class="locality">York</span>
    <span class="postal-code">YO1 7HH</span></div><div class="tel">01904 555 121</div>
    <div class="tel"><span class="type">Fax</span> 01904 555 122</div></div>"""
    found = read(page, "https://harrowmills.co.uk/")
    assert found["company_phone"] == ["+441904555121"]
    assert found["company_street"][0] == "3 Mill Lane"
    assert found["company_city"][0] == "York"


def test_a_persons_vcard_names_no_company() -> None:
    page = """<title>Notes</title><div class="vcard author"><a class="url fn" href="/jo">Jo Marsh</a></div>"""
    assert "Jo Marsh" not in read(page).get("company_name", [])


BARE = """<html><head><title>Contact Us - Tallow & Reed</title></head><body>
<p>Welcome</p><h2>Tallow & Reed, LLC</h2><p>PO Box 1187<br>Boise, ID 83701-1187</p>
<p>Phone: (208) 555-0143 &nbsp; Fax: (208) 555-0199</p><p>E-mail: info [at] tallowreed [dot] com</p>
<p>Order no. 20855501</p><p>&copy; 2003-2014 Tallow & Reed, LLC. All rights reserved.</p></body></html>"""


def test_bare_html_gives_name_address_phone_and_a_disguised_email() -> None:
    found = read(
        BARE.replace("555-0143", "334-0143").replace("555-0199", "334-0199"),
        "http://tallowreed.com/contact.html",
    )
    assert found["company_name"][0] in {"Tallow & Reed", "Tallow & Reed, LLC"}
    assert found["company_street"] == ["PO Box 1187"]
    assert found["company_city"] == ["Boise"]
    assert found["company_region"] == ["ID"]
    assert found["company_postal_code"] == ["83701-1187"]
    assert found["company_phone"] == ["+12083340143"]
    assert found["company_email"] == ["info@tallowreed.com"]
    assert found["company_legal_name"] == ["Tallow & Reed, LLC"]


def test_a_german_imprint() -> None:
    page = """<html lang="de"><head><title>Impressum – Kesselmann</title></head><body><h1>Impressum</h1>
    <p>Kesselmann Anlagenbau GmbH<br>Rosenheimer Straße 116a<br>D-81669 München</p>
    <p>Telefon: 089 / 215 46 89-0<br>Telefax: 089 / 215 46 89-9<br>E-Mail: info(at)kesselmann.de</p>
    <p>Registergericht: Amtsgericht München, HRB 123456<br>USt-IdNr.: DE 198 765 432</p></body></html>"""
    found = read(page, "https://www.kesselmann.de/impressum")
    assert found["company_legal_name"] == ["Kesselmann Anlagenbau GmbH"]
    assert found["company_street"] == ["Rosenheimer Straße 116a"]
    assert found["company_city"] == ["München"]
    assert found["company_postal_code"] == ["81669"]
    assert found["company_country"] == ["DE"]
    assert found["company_phone"] == ["+498921546890"]
    assert found["company_email"] == ["info@kesselmann.de"]
    assert found["company_vat_id"] == ["DE198765432"]


@pytest.mark.parametrize(
    ("url", "text", "street", "code", "city", "country"),
    [
        (
            "https://velours.fr/",
            "Velours SARL, 12 rue de la Paix, 75002 Paris Cedex",
            "12 rue de la Paix",
            "75002",
            "Paris",
            "FR",
        ),
        (
            "https://molen.nl/",
            "Prinsengracht 263<br>1016 GV Amsterdam",
            "Prinsengracht 263",
            "1016 GV",
            "Amsterdam",
            "NL",
        ),
        (
            "https://olmo.it/",
            "Via Garibaldi, 21 - 20121 Milano (MI)",
            "Via Garibaldi, 21",
            "20121",
            "Milano",
            "IT",
        ),
        (
            "https://roble.es/",
            "Calle de Alcalá 45, 28014 Madrid",
            "Calle de Alcalá 45",
            "28014",
            "Madrid",
            "ES",
        ),
        (
            "https://alpen.ch/",
            "Bahnhofstrasse 10<br>8001 Zürich",
            "Bahnhofstrasse 10",
            "8001",
            "Zürich",
            "CH",
        ),
        (
            "https://donau.at/",
            "Kärntner Ring 5<br>A-1010 Wien",
            "Kärntner Ring 5",
            "1010",
            "Wien",
            "AT",
        ),
        (
            "https://fern.co.uk/",
            "Unit 4<br>Canal Wharf<br>Leeds<br>West Yorkshire<br>LS11 5PS",
            "Unit 4, Canal Wharf",
            "LS11 5PS",
            "Leeds",
            "GB",
        ),
        (
            "https://maple.ca/",
            "200 Elgin Street, Suite 12<br>Ottawa, Ontario<br>K2P 1L5",
            "200 Elgin Street, Suite 12",
            "K2P 1L5",
            "Ottawa",
            "CA",
        ),
        (
            "https://wattle.com.au/",
            "Level 2, 105 Collins Street, Melbourne VIC 3000",
            "Level 2, 105 Collins Street",
            "3000",
            "Melbourne",
            "AU",
        ),
        (
            "https://sakura.co.jp/",
            "〒104-0061 東京都中央区銀座4丁目1番1号",
            "銀座4丁目1番1号",
            "104-0061",
            "中央区",
            "JP",
        ),
    ],
)
def test_addresses_of_many_countries(
    url: str, text: str, street: str, code: str, city: str, country: str
) -> None:
    found = read(f"<html><body><p>{text}</p></body></html>", url)
    assert found["company_street"] == [street]
    assert found["company_postal_code"] == [code]
    assert found["company_city"] == [city]
    assert found["company_country"] == [country]


def test_dates_prices_and_register_numbers_are_no_phones() -> None:
    page = """<p>Opened 2019-03-04, price 1,250,000 and 12 500 000.</p><p>Company No. 0812 4455 120</p>
    <p>Version 10.2.3.4</p><p>Fax +1 503-222-0199</p><p>ISBN 978-3-16-148410-0</p>"""
    assert "company_phone" not in read(page)


def test_the_webdesigners_share_buttons_and_staff_profiles_are_not_the_companys() -> None:
    page = """<header><div class="social"><a href="https://www.facebook.com/brightwatertools?ref=x"></a>
    </div></header><article><a href="https://twitter.com/intent/tweet?text=hi">Tweet</a>
    <a href="https://www.facebook.com/sharer/sharer.php?u=x">Share</a>
    <p>As <a href="https://twitter.com/someauthor">@someauthor</a> said</p>
    <div class="author-bio"><a href="https://www.linkedin.com/company/otherfirm">me</a></div></article>
    <footer><a href="https://www.linkedin.com/in/jane-doe">Jane</a>
    <a href="https://www.instagram.com/brightwater.tools/">Instagram</a></footer>"""
    profiles = read(page)["company_social_urls"]
    assert profiles == [
        ["https://www.facebook.com/brightwatertools", "https://www.instagram.com/brightwater.tools"]
    ]


def test_the_logo_is_the_picture_that_leads_home_and_no_partners() -> None:
    page = """<header><a href="/"><img src="/assets/bw.svg" alt="Brightwater"></a></header>
    <section class="partners"><img class="logo" src="/p/acme-logo.png" alt="Acme logo"></section>"""
    assert read(page)["company_logo_url"] == ["https://www.brightwater-tools.com/assets/bw.svg"]


def test_a_cloudflare_hidden_address_is_decoded() -> None:
    plain, key = "office@brightwater-tools.com", 0x5A
    code = bytes([key, *(byte ^ key for byte in plain.encode())]).hex()
    page = (
        f'<a href="/cdn-cgi/l/email-protection#{code}"><span data-cfemail="{code}">[x]</span></a>'
    )
    assert read(page)["company_email"] == [plain]


def test_a_vendors_pasted_snippet_and_frames_show_it_and_a_pages_own_data_does_not() -> None:
    page = """<script>(function(h){h.src='https://static.hotjar.com/c/hotjar-'})(d)</script>
    <script type="application/json">{"url": "https://js.stripe.com/v3/"}</script>
    <script id="__NEXT_DATA__" type="application/json">{}</script>
    <iframe src="https://player.vimeo.com/video/1"></iframe>"""
    assert read(page)["company_technologies"] == [["Hotjar", "Next.js", "React", "Vimeo"]]


def test_technologies_and_pages_worth_knowing() -> None:
    page = """<meta name="generator" content="WordPress 6.4"><script src="https://js.stripe.com/v3/"></script>
    <a href="/contact-us">Contact</a><a href="/careers/">Jobs</a>"""
    found = read(page)
    assert found["company_technologies"] == [["Stripe", "WordPress"]]
    assert found["company_contact_url"] == ["https://www.brightwater-tools.com/contact-us"]
    assert found["company_careers_url"] == ["https://www.brightwater-tools.com/careers/"]


def test_a_line_break_within_a_links_address_does_not_shift_the_links_behind_it() -> None:
    page = """<a href="mailto:hello@brightwater-tools.com?body=one
    two">Mail</a><a href="/contact-us">Contact</a><a href="/blog">Blog</a><a href="/careers">Jobs</a>"""
    found = read(page)
    assert found["company_contact_url"] == ["https://www.brightwater-tools.com/contact-us"]
    assert found["company_careers_url"] == ["https://www.brightwater-tools.com/careers"]


@pytest.mark.parametrize(
    ("title", "url", "name"),
    [
        (
            "How to sharpen a chisel | Brightwater Tools",
            "https://www.brightwater-tools.com/blog/x",
            "Brightwater Tools",
        ),
        ("Welcome to Fern & Oak", "https://fernandoak.com/", "Fern & Oak"),
        ("Quillon – Accounting software for bakers", "https://quillon.io/", "Quillon"),
    ],
)
def test_the_name_is_the_part_of_the_title_that_the_domain_spells(
    title: str, url: str, name: str
) -> None:
    assert read(f"<title>{title}</title><p>text</p>", url)["company_name"][0] == name


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-8", "utf-16"])
def test_a_page_is_read_in_its_own_charset(charset: str) -> None:
    page = f'<meta charset="{charset}"><title>Grün</title><p>© 2020 Müßiggang GmbH</p>'
    found = extract(page.encode(charset), "https://muessiggang.de/")
    assert "Müßiggang GmbH" in [one.value for one in found if one.field == "company_legal_name"]


def test_every_reading_has_its_passage_and_its_page() -> None:
    for page in (GRAPH, BARE):
        for reading in extract(page.encode(), "https://www.brightwater-tools.com/x"):
            assert reading.quote
            assert reading.url == "https://www.brightwater-tools.com/x"
            assert 0 < reading.confidence <= 100


def test_rows_are_flat_one_line_a_profile_and_phones_as_the_page_writes_them() -> None:
    page = """<p>Tel. (503) 222-0148</p><footer><a href="https://twitter.com/brightwater">Twitter</a>
    <a href="https://www.facebook.com/brightwater">Facebook</a></footer>"""
    flat = list(rows(extract(page.encode(), "https://brightwater.com/")))
    values = [(row["field"], row["value"]) for row in flat]
    assert ("company_phone", "(503) 222-0148") in values
    assert ("company_social_url", "https://twitter.com/brightwater") in values
    assert ("company_social_url", "https://www.facebook.com/brightwater") in values
    assert ("company_twitter_url", "https://x.com/brightwater") in values
    json.dumps(flat)


def test_the_makers_phone_and_mail_behind_a_credit_are_not_the_companys() -> None:
    for credit in ("Website by", "Webdesign:", "Site réalisé par", "Realizzazione sito:", "制作："):
        found = read(
            f"<p>© 2024 Fern & Oak Ltd. {credit} Pixelhut, 020 7946 0018, hi@pixelhut.com</p>"
        )
        assert "company_phone" not in found
        assert "company_email" not in found
        assert found["company_legal_name"] == ["Fern & Oak Ltd."]


def test_a_legal_name_keeps_the_dot_of_its_legal_form() -> None:
    for name in ("Fern Oak B.V.", "Fern Oak S.r.l.", "Fern Oak Inc.", "Fern Legal Design B.V."):
        found = read(f"<title>Fern Oak</title><footer>© 2024 {name} All rights reserved.</footer>")
        assert found["company_legal_name"] == [name]


def test_an_element_with_the_names_of_both_card_versions_counts_once() -> None:
    page = """<div class="vcard h-card"><b class="fn org p-name p-org">Harrow Mills</b><div class="adr p-adr">
    <span class="street-address p-street-address">240 rue du Moulin</span>
    <span class="postal-code p-postal-code">31600</span> <span class="locality p-locality">Toulouse</span>
    </div></div>"""
    assert read(page, "https://harrowmills.fr/")["company_street"] == ["240 rue du Moulin"]


@pytest.mark.parametrize(
    ("page", "street", "code"),
    [
        ("<p>1-9-5 Otemachi<br>〒100-0004 Tokyo</p>", "1-9-5 Otemachi", "100-0004"),
        ("<p>3-140 Hommachi, Nagoya 460-0027, Japan</p>", "3-140 Hommachi", "460-0027"),
        ("<p>〒100-0004<br>東京都千代田区大手町1-9-5</p>", "大手町1-9-5", "100-0004"),
    ],
)
def test_japanese_addresses_are_read_in_either_script(page: str, street: str, code: str) -> None:
    found = read(page, "https://fernoak.co.jp/")
    assert found["company_street"] == [street]
    assert found["company_postal_code"] == [code]


def test_founding_year_and_staff_are_read_in_japanese() -> None:
    found = read("<p>2001年4月設立。</p><p>従業員数：約1,250名</p>", "https://fernoak.co.jp/")
    assert found["company_founded_year"] == [2001]
    assert found["company_employee_count"] == [1250]


def test_a_publications_name_is_its_wordmark_and_not_its_author() -> None:
    page = """<title>On tides - by Mara Quill - Salt Letters</title><meta name="author" content="Mara Quill">
    <meta property="og:title" content="On tides"><h1>Salt Letters</h1><h1>On tides</h1>
    <p>© 2025 Mara Quill</p>"""
    assert (
        read(page, "https://maraquill.substack.com/p/on-tides")["company_name"][0] == "Salt Letters"
    )


def test_what_an_embedded_map_says_of_its_data_names_nobody() -> None:
    page = "<title>Contact</title><p>Map data ©2024 Google</p><p>Kartendaten © 2024 GeoBasis-DE</p>"
    assert "company_name" not in read(page, "https://fernoak.example/")


def test_a_site_name_is_not_lengthened_by_what_else_begins_like_it() -> None:
    page = """<meta property="og:site_name" content="Quillon"><title>Quillon</title>
    <a href="/"><img src="/l.svg" alt="Quillon Services"></a>"""
    assert read(page, "https://quillon.services/")["company_name"][0] == "Quillon"


def test_a_name_is_lengthened_by_the_titles_words_that_stand_alone_in_the_page() -> None:
    page = """<title>Prism Reed Products - ball valves</title><p>Prism Reed Products</p>
    <p>Welcome to Prism Reed</p>"""
    assert read(page, "https://prismreed.com/")["company_name"][0] == "Prism Reed Products"


def test_mail_to_the_maker_of_the_site_is_not_the_companys() -> None:
    page = """<a href="mailto:hi@pixelhut.com">Site by</a><a href="mailto:us@fernoak.com">Mail us</a>"""
    assert read(page, "https://fernoak.com/")["company_email"] == ["us@fernoak.com"]


def test_profiles_in_see_also_tags_are_the_companys() -> None:
    page = """<meta property="og:see_also" content="https://www.facebook.com/fernoak">
    <meta property="og:see_also" content="https://www.linkedin.com/company/fern-oak">"""
    found = read(page, "https://fernoak.com/")
    assert found["company_linkedin_url"] == ["https://www.linkedin.com/company/fern-oak"]
    assert found["company_facebook_url"] == ["https://www.facebook.com/fernoak"]


def test_a_wall_of_customers_logos_holds_no_logo_of_the_company() -> None:
    page = """<title>Brightwater Tools</title><link rel="apple-touch-icon" href="/touch.png">
    <div class="hero_logos">
    <img class="hero_logos_img" src="/c/alder-logo.svg" alt="Alder"></div>"""
    assert read(page)["company_logo_url"] == ["https://www.brightwater-tools.com/touch.png"]


def test_a_publishing_platforms_icon_is_not_the_logo_of_who_publishes_there() -> None:
    page = """<link rel="apple-touch-icon" href="https://cdn.substack.com/icon.png">
    <div class="post-header"><img class="avatar" src="/a/mara.jpeg" alt="Mara Quill's avatar"></div>"""
    found = read(page, "https://maraquill.substack.com/")
    assert found["company_logo_url"] == ["https://maraquill.substack.com/a/mara.jpeg"]


@pytest.mark.parametrize(
    ("text", "street", "city", "region"),
    [
        ("<p>1391 Mill Road<br>Fenton, MO</p>", "1391 Mill Road", "Fenton", "MO"),
        ("<p>88 King Street West, Suite 4, Toronto, ON</p>", "88 King Street West, Suite 4", "Toronto", "ON"),
    ],
)  # fmt: skip
def test_an_address_without_its_postal_code_is_read_by_its_state(
    text: str, street: str, city: str, region: str
) -> None:
    found = read(text)
    assert found["company_street"] == [street]
    assert found["company_city"] == [city]
    assert found["company_region"] == [region]
    assert "company_postal_code" not in found


@pytest.mark.parametrize(
    ("line", "street"),
    [
        ("20828 SE 213th St., Maple Valley, WA 98038", "20828 SE 213th St"),
        ("Brightwater SE 14 Harbor Way, Portland, OR 97209", "14 Harbor Way"),
        ("3M Company 14 Harbor Way, Portland, OR 97209", "14 Harbor Way"),
    ],
)
def test_a_point_of_the_compass_behind_a_house_number_is_no_legal_form(
    line: str, street: str
) -> None:
    assert read(f"<p>{line}</p>")["company_street"] == [street]


def test_a_city_is_named_by_where_the_company_says_it_is() -> None:
    page = """<p>We are based in Orpington, Kent.</p><p>Serving the greater Milwaukee area.</p>
    <p>From Edmonton, Alberta.</p><p>Located in Germany.</p><p>Boone College, Ohio</p>"""
    assert sorted(map(str, read(page)["company_city"])) == ["Edmonton", "Milwaukee", "Orpington"]


def test_a_street_does_not_reach_over_the_end_of_the_address_above() -> None:
    page = "<p>Valkgracht 103<br>1011 MH Amsterdam<br>Kruisstraat 10<br>6634 AG Batenburg</p>"
    assert read(page, "https://fernoak.nl/")["company_street"] == [
        "Valkgracht 103",
        "Kruisstraat 10",
    ]
