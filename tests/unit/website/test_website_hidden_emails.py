"""Addresses that pages keep from robots, each in the disguise that its software gives it."""

import base64

import pytest

from glaze.providers.website import extract
from glaze.providers.website.hidden_emails import in_attributes, in_link

PLAIN = "office@fernoak.com"


def turned(text: str, by: int) -> str:
    """Encode as TYPO3 does: within + to :, @ to Z and a to z, round and round."""
    coded = ""
    for sign in text:
        for first, last in ((0x2B, 0x3A), (0x40, 0x5A), (0x61, 0x7A)):
            if first <= ord(sign) <= last:
                sign = chr(first + (ord(sign) - first + by) % (last - first + 1))  # noqa: PLW2901
                break
        coded += sign
    return coded


def xored(text: str, key: int = 0x5A) -> str:
    return bytes([key, *(byte ^ key for byte in text.encode())]).hex()


JOOMLA = """<script>var prefix = '&#109;a' + 'i&#108;' + '&#116;o'; var path = 'hr' + 'ef' + '=';
var addy77341 = '&#111;ff&#105;c&#101;' + '&#64;';
addy77341 = addy77341 + 'f&#101;rn&#111;&#97;k' + '&#46;' + 'c&#111;m';
var addy_text77341 = '&#111;ff&#105;c&#101;' + '&#64;' + 'f&#101;rn&#111;&#97;k' + '&#46;' + 'c&#111;m';
</script>"""
PAGES = {
    "cloudflare": f'<span data-cfemail="{xored(PLAIN)}">[x]</span>',
    "cloudflare link": f'<a href="/cdn-cgi/l/email-protection#{xored(PLAIN)}">[x]</a>',
    "typo3 link": f"""<a href="javascript:linkTo_UnCryptMailto('{turned("mailto:" + PLAIN, 3)}');">a</a>""",
    "typo3 link, quoted": f"""<a href="javascript:linkTo_UnCryptMailto(%27{turned("mailto:" + PLAIN, -2)}%27);">a</a>""",
    "typo3 token": f'<a href="#" data-mailto-token="{turned("mailto:" + PLAIN, 1)}" data-mailto-vector="1">a</a>',
    "joomla": JOOMLA,
    "attribute": f'<a href="#" data-email="{PLAIN}">Mail</a>',
    "base64": f'<a href="#" data-email="{base64.b64encode(PLAIN.encode()).decode()}">Mail</a>',
    "pieces": '<a href="#" data-name="office" data-domain="fernoak" data-tld="com">Mail</a>',
    "two pieces": '<a href="" data-user="office" data-domain="fernoak.com"></a>',
    "right to left": f'<span style="unicode-bidi:bidi-override;direction:rtl">{PLAIN[::-1]}</span>',
    "entities": "".join(f"&#{ord(sign)};" for sign in PLAIN),
    "words": "office (at) fernoak (dot) com",
}


@pytest.mark.parametrize("disguise", PAGES)
def test_a_hidden_address_is_put_together_again(disguise: str) -> None:
    found = extract(PAGES[disguise].encode(), "https://fernoak.com/contact")
    assert [one.value for one in found if one.field == "company_email"] == [PLAIN]


@pytest.mark.parametrize(
    "given",
    [
        {"data-cfemail": "zz"},
        {"data-cfemail": ""},
        {"data-email": "bm90IGFuIGFkZHJlc3M="},
        {"data-email": "\ud800"},
        {"data-domain": "fernoak.com"},
        {"data-name": "Fern Oak", "data-host": "fernoak.com"},
        {"data-mailto-token": "nothing", "data-mailto-vector": "99"},
        {"data-mailto-token": "x" * 10_000},
    ],
)
def test_what_makes_no_address_is_left_alone(given: dict[str, str]) -> None:
    assert in_attributes(given) == ""
    assert in_link("javascript:void(0)") == ""
