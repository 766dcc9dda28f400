"""Numbers, addresses and profiles in the many ways that pages write, split and hide them."""

# ruff: noqa: RUF001  pages are typeset

import pytest

from glaze.model.value import Json
from glaze.providers.website import extract

URL = "https://www.brightwater-tools.com/contact"


def values(
    body: str, field: str, *, head: str = "", lang: str = "en", url: str = URL
) -> list[Json]:
    html = f"<html lang={lang}><head><title>Contact</title>{head}</head><body>{body}</body></html>"
    return [one.value for one in extract(html.encode(), url) if one.field == field]


MAIN, SECOND = "+12127365000", "+12127365002"


@pytest.mark.parametrize(
    "body",
    [
        "<p>Phone:212.736.5000.</p>",
        "<p>Phone #212-736-5000</p>",
        "<p>Phone:212-736-5000Fax:212-736-5009</p>",
        "<p>New York, NY 10001 212-736-5000</p>",
        "<p>New York, NY 10001-2345 (212) 736-5000</p>",
        "<p>212-736-5000x2229</p>",
        "<p>Tel: 212-736-5000 / 01</p>",
        "<p>Phone: (212) <!-- -->736-5000</p>",
        "<p>212-736-5000</p><p>212-736-5009 (fax)</p>",
        "<p>212-736-5009 (fax)</p><p>212-736-5000 (phone)</p>",
        "<p>212-736-5000 - Office; 212-736-5009 - Fax</p>",
        "<p>Fax no. is 212-736-5009, Ph no. is 212-736-5000.</p>",
        "<table><tr><th>Phone<th>Fax<tr><td>212-736-5000<td>212-736-5009</table>",
        "<table><tr><th>Fax<th>Phone<tr><td>212-736-5009<td>212-736-5000</table>",
        '<a href="tel:+12127365000,,5">Call</a>',
        '<a href="tel:+12127365000x5">Call</a>',
        '<a href="https://wa.me/12127365000?text=Hi">Chat</a>',
        '<a href="https://api.whatsapp.com/send?phone=12127365000">Chat</a>',
    ],
)
def test_the_phone_is_read_and_neither_its_neighbours_nor_the_fax(body: str) -> None:
    assert values(body, "company_phone") == [MAIN]


@pytest.mark.parametrize(
    "body",
    [
        "<p>Call 212-736-5000 or 212-736-5002</p>",
        "<p>212-736-5000/212-736-5002</p>",
        "<p>Tel: 212-736-5000,212-736-5002</p>",
        "<p>1(212)736-5000 1(212)736-5002</p>",
    ],
)
def test_two_numbers_in_one_breath_are_two(body: str) -> None:
    assert sorted(map(str, values(body, "company_phone"))) == [MAIN, SECOND]


@pytest.mark.parametrize(
    "body",
    [
        "<p>Call 1-800-flowers today</p>",
        "<p>Call 1-800-FLOWERS</p>",
        "<p>1.800.FLOWERS<br>(356-9377)</p>",
        "<p>1-800-FL-OWERS</p>",
    ],
)
def test_a_number_of_letters_is_the_number_that_it_spells(body: str) -> None:
    assert values(body, "company_phone") == ["+18003569377"]


@pytest.mark.parametrize(
    ("lang", "tld", "body", "phone"),
    [
        ("ja", "jp", "<p>TEL：03-3580-3311 FAX：03-3580-3312</p>", "+81335803311"),
        ("zh", "cn", "<p>电话：010-62782051 传真：010-62770334</p>", "+861062782051"),
        ("ko", "kr", "<p>전화: 02-2255-0114 팩스: 02-2255-0115</p>", "+82222550114"),
        ("ru", "ru", "<p>Тел.: +7 (495) 739-70-00 Факс: +7 (495) 739-70-01</p>", "+74957397000"),
        ("el", "gr", "<p>Τηλ: 210 1234567 Φαξ: 210 1234568</p>", "+302101234567"),
        ("tr", "com.tr", "<p>Tel: 0 212 555 12 34 Faks: 0 212 555 12 35</p>", "+902125551234"),
        ("fr", "fr", "<p>Tél. : 01 42 68 53 00 - Fax : 01 42 68 53 01</p>", "+33142685300"),
        ("fi", "fi", "<p>Puh. 09 1234567 Y-tunnus 1234567-8</p>", "+35891234567"),
    ],
)
def test_the_words_for_phone_and_fax_are_known_in_many_languages(
    lang: str, tld: str, body: str, phone: str
) -> None:
    found = values(body, "company_phone", lang=lang, url=f"https://brightwater.{tld}/")
    assert found == [phone]


@pytest.mark.parametrize(
    "body",
    [
        "<p>Order number 212-736-5000</p>",
        "<p>ISBN 978-0-306-40615-7</p>",
        "<p>Only $2,127,365,000</p>",
        "<p>2021-2023, 12.10.2023 - 14.10.2023</p>",
        "<p>40.7127837, -74.0059413</p>",
        "<p>10001 20002 30003 40004</p>",
    ],
)
def test_what_merely_has_many_digits_is_no_phone(body: str) -> None:
    assert values(body, "company_phone") == []


MAIL = "info@brightwater-tools.com"


@pytest.mark.parametrize(
    "body",
    [
        f"<p>Email:{MAIL}Phone: 212</p>",
        f"<p>{MAIL}212-736-5000</p>",
        f"<p>{MAIL}https://www.brightwater-tools.com</p>",
        "<p>info_AT_brightwater-tools_DOT_com</p>",
        "<p>info*at*brightwater-tools.com</p>",
        "<p>info (klammeraffe) brightwater-tools (Punkt) com</p>",
        "<p>info (arobase) brightwater-tools.com</p>",
        "<p>info＠brightwater-tools.com</p>",
        "<p>info@NOSPAM.brightwater-tools.com</p>",
        "<p>infoREMOVETHIS@brightwater-tools.com</p>",
        '<p>info@<span style="display: none">null</span>brightwater-tools.com</p>',
        "<p>info<!-- -->@<!-- -->brightwater-tools.com</p>",
        "<p>info<wbr>@brightwater-tools.com</p>",
        "<script>document.write('info' + '@' + 'brightwater-tools.com')</script>",
        (
            "<script>var u='info';var d='brightwater-tools.com';"
            "document.write('<a href=\"mailto:'+u+'@'+d+'\">')</script>"
        ),
        "<a href=\"javascript:decode('znvygb:vasb@oevtugjngre-gbbyf.pbz')\">write</a>",
    ],
)
def test_an_address_is_put_together_again(body: str) -> None:
    assert values(body, "company_email") == [MAIL]


@pytest.mark.parametrize(
    "body",
    [
        "<p>follow @brightwater.com now</p>",
        "<p>logo@2x.png</p>",
        "<a href='mailto:?subject=Look'>share</a>",
        "<script>var a='user'; track(a + '@' + b)</script>",
    ],
)
def test_what_merely_has_the_sign_is_no_address(body: str) -> None:
    assert values(body, "company_email") == []


def test_what_a_click_will_show_is_kept() -> None:
    body = '<p>Call <span style="display:none">212-736-5000</span></p>'
    assert values(body, "company_phone") == [MAIN]


def test_open_graph_states_phone_and_mail_of_a_business() -> None:
    head = (
        '<meta property="business:contact_data:phone_number" content="212-736-5000">'
        f'<meta property="business:contact_data:email" content="{MAIL}">'
    )
    assert values("", "company_phone", head=head) == [MAIN]
    assert values("", "company_email", head=head) == [MAIL]


BRIGHT = "https://www.facebook.com/brightwater"


@pytest.mark.parametrize(
    "body",
    [
        (
            '<iframe src="https://www.facebook.com/plugins/page.php?'
            'href=https%3A%2F%2Fwww.facebook.com%2Fbrightwater&tabs"></iframe>'
        ),
        f'<div class="fb-page" data-href="{BRIGHT}"></div>',
        '<footer><a href="www.facebook.com/brightwater">f</a></footer>',
        f'<footer><a href="https://www.google.com/url?q={BRIGHT}">f</a></footer>',
        (
            '<footer><a href="https://l.facebook.com/l.php?'
            'u=https%3A%2F%2Fwww.facebook.com%2Fbrightwater">f</a></footer>'
        ),
    ],
)
def test_a_profile_is_found_behind_what_leads_to_it(body: str) -> None:
    assert values(body, "company_facebook_url") == [BRIGHT]


def test_a_button_to_follow_names_the_profile() -> None:
    body = '<footer><a href="https://twitter.com/intent/follow?screen_name=bright">F</a></footer>'
    assert values(body, "company_twitter_url") == ["https://x.com/bright"]


def test_a_mastodon_account_in_the_footer_is_the_companys() -> None:
    body = '<footer><a href="https://mastodon.social/@brightwater">M</a></footer>'
    assert values(body, "company_mastodon_url") == ["https://mastodon.social/@brightwater"]


def test_a_profile_behind_the_credit_of_the_sites_maker_is_the_makers() -> None:
    body = (
        f'<footer><a href="{BRIGHT}">f</a>'
        '<div>Site by <a href="https://pixelhut.example">Pixelhut</a>'
        ' <a href="https://twitter.com/pixelhut">t</a></div>'
        '<p>Website by <a href="https://www.instagram.com/pixelhut">Pixelhut</a></p></footer>'
    )
    assert values(body, "company_facebook_url") == [BRIGHT]
    assert values(body, "company_twitter_url") == []
    assert values(body, "company_instagram_url") == []
