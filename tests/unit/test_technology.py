"""The rule file of technologies: well formed, and each of its signs is recognised."""

import re
from collections.abc import Iterable

import pytest

from glaze.model.technology import (
    SIGNS,
    rules,
    shown_by_address,
    shown_by_headers,
    shown_by_markup,
    shown_by_records,
    with_implied,
)

ON_THE_SITE = frozenset(SIGNS) - {"txt", "spf", "cname"}


def names(found: Iterable[tuple[str, str]]) -> set[str]:
    return {name for name, _ in found}


def of_header(sign: str) -> set[str]:
    header, _, text = sign.partition(": ")
    return names(shown_by_headers({header: f"{text.title()}/1.2"}))


AS_ON_A_SITE = {
    "generator": lambda sign: names(shown_by_markup([f"{sign.title()} 6.4"], (), ())),
    "meta": lambda sign: names(shown_by_markup((), [sign], ())),
    "script": lambda sign: names(shown_by_markup((), (), [sign])),
    "file": lambda sign: set(shown_by_address(f"/assets/{sign}-3.1.0.min.js?v=2")),
    "host": lambda sign: set(shown_by_address(f"https://{sign}{'' if '/' in sign else '/a'}?id=1")),
    "path": lambda sign: set(shown_by_address(f"https://www.fernoak.com/x{sign}y/z.css")),
    "header": of_header,
    "cookie": lambda sign: names(shown_by_headers({"set-cookie": f"a=1; Path=/, {sign}x=2"})),
    "txt": lambda sign: names(shown_by_records([f'"{sign}abc"'], ())),
    "spf": lambda sign: names(shown_by_records([f"v=spf1 mx include:eu.{sign} ~all"], ())),
    "cname": lambda sign: names(shown_by_records((), [f"shop.{sign}."])),
}


@pytest.mark.parametrize("kind", SIGNS)
def test_every_sign_shows_its_technology(kind: str) -> None:
    signs = [(name, sign) for name, rule in rules().items() for sign in rule.get(kind, ())]
    assert signs
    assert not [(name, sign) for name, sign in signs if name not in AS_ON_A_SITE[kind](sign)]


def test_the_file_holds_literal_texts_of_known_kinds_and_nothing_twice() -> None:
    seen = set()
    for name, signs in rules().items():
        assert signs.keys() <= {*SIGNS, "implies"}, name
        assert signs.keys() & set(SIGNS), f"{name} can never be recognised"
        for kind, texts in signs.items():
            assert isinstance(texts, list), (name, kind)
            assert texts, (name, kind)
            assert all(isinstance(text, str) for text in texts), (name, kind)
            assert len(set(texts)) == len(texts), (name, kind)
            if kind == "implies":
                assert set(texts) <= rules().keys(), name
                continue
            for text in texts:
                assert text == text.lower().strip(), (name, text)
                assert (kind, text) not in seen, (name, text)
                seen.add((kind, text))
    assert [*rules()] == sorted(rules(), key=str.casefold)


def test_hosts_and_aliases_are_domains_and_paths_begin_at_a_step() -> None:
    domain = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[\w./-]+)?")
    for name, signs in rules().items():
        for kind in ("host", "cname", "spf"):
            assert all(domain.fullmatch(text.lstrip("_")) for text in signs.get(kind, ())), name
        assert all(text.startswith("/") for text in signs.get("path", ())), name


def test_well_over_a_hundred_technologies_are_told_by_the_site_itself() -> None:
    assert sum(bool(signs.keys() & ON_THE_SITE) for signs in rules().values()) >= 120


def test_an_ordinary_page_shows_nothing() -> None:
    for address in ("/js/app.js", "https://www.fernoak.com/style.css?v=3", "//cdn.fernoak.com/x/"):
        assert shown_by_address(address) == ()
    headers = {"server": "web", "content-type": "text/html", "set-cookie": "sid=1; HttpOnly"}
    assert not names(shown_by_headers(headers))
    assert not names(shown_by_markup(["Fernoak CMS"], ["description"], ["app"]))
    assert not names(shown_by_records(["hello=world"], ["web.fernoak.com."]))


def test_a_name_that_merely_ends_alike_is_not_the_host() -> None:
    assert shown_by_address("https://evil-js.stripe.com.fernoak.com/v3/") == ()
    assert shown_by_address("https://notcdn.shopify.com.br/x.js") == ()


def test_what_one_cannot_be_without_is_shown_by_the_same_sign() -> None:
    found = with_implied({"WooCommerce": "/plugins/woocommerce/"})
    assert found == {
        "WooCommerce": "/plugins/woocommerce/",
        "WordPress": "/plugins/woocommerce/",
    }


def test_only_the_name_of_a_cookie_is_quoted() -> None:
    [(name, quote)] = shown_by_headers({"set-cookie": "PHPSESSID=secret; Path=/"})
    assert (name, quote) == ("PHP", "set-cookie: PHPSESSID")
