"""Pages made to break a reader: it never raises, never hangs, and emits only storable text."""

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from glaze.model.value import Json
from glaze.providers.website import extract, rows

URL = "https://www.example.com/"
PIECES = st.sampled_from(
    [
        "<a href='tel:\x00+1'>", "<script type=application/ld+json>", '{"@type":"Organization",',
        '"name":"\\ud800Acme\\u0000"', '"telephone":["+1 503-222-0148",{}]', "}</script>", "<svg>",
        "<div itemscope itemtype=x>", "<p itemprop=address itemscope>", "&#0;&#xD800;&#x110000;",
        "© 2020 ", "Acme GmbH", "<br>", "10115 Berlin", "Hauptstr. 5", ", CA 94105", "GL3 1DL",
        "<meta property=og:site_name content='", "'>", "<title>", "info@acme.com", " [at] ", "\ufffe",
        "<a href='https://facebook.com/x\x00y'>", "<img src='data:,' srcset=','>", "<table><b><p>",
        "<base href='//[::1'>", "<link rel=icon href='http://['>", "\u202e", "</div>", "<!--", "]]>",
        "tel: 1", "+" * 30, "(" * 30, "9" * 40, "1-800-" + "A" * 20, '{\\"@context\\":1', "&amp;" * 5,
    ]
)  # fmt: skip


def storable(value: Json) -> None:
    if isinstance(value, str):
        assert "\x00" not in value
        value.encode()  # a lone surrogate cannot be encoded
    elif isinstance(value, dict):
        storable([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            storable(one)


def check(page: bytes, url: str = URL) -> None:
    found = extract(page, url)
    for reading in found:
        assert reading.quote
        storable([reading.value, reading.quote, reading.raw, reading.url])
    storable(list(rows(found)))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES | st.text(max_size=12), max_size=40))
def test_any_mixture_of_broken_markup_is_survived(pieces: list[str]) -> None:
    check("".join(pieces).encode("utf-8", "surrogatepass"))


@settings(max_examples=100, deadline=None)
@example(page=b"\x80", content_type="undefined")  # Python's codec that refuses everything
@given(st.binary(max_size=400), st.text(max_size=40))
def test_any_bytes_and_any_content_type_are_survived(page: bytes, content_type: str) -> None:
    extract(page, URL, content_type=content_type)
    extract(page, URL, content_type=f"text/html; charset={content_type}")


@pytest.mark.parametrize(
    "url", ["", "about:blank", "http://[", "https://例え.jp/", "not a url", "//x"]
)
def test_any_url_is_survived(url: str) -> None:
    check(b"<title>Acme</title><a href='/x'>y</a><img src=logo.png>", url)


def test_json_ld_with_nul_and_lone_surrogates_gives_storable_readings() -> None:
    page = b'<script type="application/ld+json">{"@type":"Organization","name":"A\\ud800cm\\u0000e"}</script>'
    names = [one.value for one in extract(page, URL) if one.field == "company_name"]
    assert names
    check(page)


DEPTH = 200_000
HANG_S = 15  # ten times what the worst takes on a busy machine: a hang, not a measurement
HOSTILE = {
    "deep blocks": "<div>" * DEPTH,
    "deep lists": "<ul><li>" * DEPTH,
    "blocks behind false end tags": "<div></x>" * DEPTH,
    "formatting cloned into every block": "".join(f"<b x={n}>" for n in range(20_000)) + "<p>x" * DEPTH,
    "a tag of countless attributes": "<div " + " ".join(f"a{n}" for n in range(DEPTH)) + ">",
    "deep JSON": '<script type="application/ld+json">' + "[" * DEPTH + "</script>",
    "one long line": "1 Main St, " * DEPTH,
    "one long word": "a" * 3_000_000,
    "digits without end": "12 34 " * DEPTH,
    "ats without end": "a@" * DEPTH,
    "letters and dots": "a." * DEPTH + "@b.com",
    "many links": "<a href='https://facebook.com/a'>x</a>" * 20_000,
    "open comment": "<!--" * DEPTH,
    "escaped JSON starts": '{\\"@context\\":' * 50_000,
    "copyrights": "© 2020 Acme " * 50_000,
    "places": "Springfield, " * DEPTH,
    "postcodes": "GL3 1DL " * 50_000,
    "short lines of digits": "<p>5 Main St</p>" * 50_000,
    "pictures": "<img src=logo.png alt=logo>" * 50_000,
    "items": "<p itemscope itemprop=name>" * 20_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_pages_of_megabytes_made_to_stall_a_reader_are_read_in_time(kind: str) -> None:
    began = time.monotonic()
    check(HOSTILE[kind].encode())
    assert time.monotonic() - began < HANG_S
