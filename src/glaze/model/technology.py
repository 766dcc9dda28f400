"""Technologies by the signs that a site shows: in its pages, its answers and its DNS records.

The signs are data, ``technologies.json``, all of them literal text in small letters:

- ``generator``: how the content of the generator meta tag begins; ``meta``: the name of a meta tag;
- ``script``: the id of a script element; ``file``: a library's file name without version and ending;
- ``host``: where scripts, style sheets and frames come from, or a domain above it, with the
  beginning of a path where that decides; ``path``: a part of the path of such an address;
- ``header``: a response header, with ``: text`` where its value must hold it; ``cookie``: how the
  name of a cookie begins;
- ``txt``: how a TXT record of the domain begins; ``spf``: what its SPF record includes; ``cname``:
  what its ``www`` is an alias for, or a domain above it;
- ``implies``: a technology that this one cannot be without.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

SIGNS: Final = (
    *("generator", "meta", "script", "file", "host", "path", "header", "cookie"),
    *("txt", "spf", "cname"),
)
"""The kinds of signs, beside ``implies``."""
_MAX_ADDRESS = 300
_VERSION = re.compile(r"[-_.@]v?\d.*$")
_BUILD = re.compile(
    r"[.-](?:min|slim|prod|production|development|dev|global|esm|umd|cjs|iife|pkgd|all|full|bundle)$"
)
_COOKIE = re.compile(r"(?:^|,\s*)([^=;,\s]+)=")
_INCLUDED = re.compile(r"\b(?:include:|redirect=)(\S+)")
_MAX_QUOTE = 200


@cache
def rules() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return the data file: the signs of each technology by kind."""
    text = files(__package__).joinpath("technologies.json").read_text("utf-8")
    found: Mapping[str, Mapping[str, Sequence[str]]] = json.loads(text)
    return found


@cache
def _by_sign(kind: str) -> Mapping[str, tuple[str, ...]]:
    """Return the technologies that each sign of a kind stands for."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, signs in rules().items():
        for sign in signs.get(kind, ()):
            found[sign].append(name)
    return {sign: tuple(names) for sign, names in found.items()}


@cache
def _hosts() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return (beginning of the path, technology) for each host."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for sign, names in _by_sign("host").items():
        host, _, path = sign.partition("/")
        found[host] += [(path, name) for name in names]
    return {host: tuple(entries) for host, entries in found.items()}


@cache
def _headers() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return (text in its value, technology) for each header."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for sign, names in _by_sign("header").items():
        header, _, text = sign.partition(": ")
        found[header] += [(text, name) for name in names]
    return {header: tuple(entries) for header, entries in found.items()}


def shown_by_markup(
    generators: Iterable[str], metas: Iterable[str], scripts: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield (technology, what shows it) of generator tags, names of meta tags, ids of scripts."""
    for text in generators:
        yield from ((name, text) for name in _begun("generator", text.lower()))
    for kind, names in (("meta", metas), ("script", scripts)):
        known = _by_sign(kind)
        for one in names:
            yield from ((name, one) for name in known.get(one.lower(), ()))


def shown_by_address(address: str) -> tuple[str, ...]:
    """Return what the address of a script, style sheet or frame gives away.

    >>> shown_by_address("//js.stripe.com/v3/")
    ('Stripe',)
    >>> shown_by_address("/assets/jquery-3.7.1.min.js?ver=2")
    ('jQuery',)
    """
    return _shown_by_address(address[:_MAX_ADDRESS].lower())


@lru_cache(maxsize=16_384)
def _shown_by_address(address: str) -> tuple[str, ...]:
    rest = address.partition("//")[2] if "//" in address[:8] else ""
    host, _, path = rest.partition("/") if rest else ("", "", address.lstrip("/"))
    found = [
        name
        for domain in _upwards(host.partition(":")[0])
        for start, name in _hosts().get(domain, ())
        if path.startswith(start)
    ]
    plain = "/" + path.partition("?")[0]
    found += [name for sign, names in _by_sign("path").items() if sign in plain for name in names]
    found += _by_sign("file").get(library(plain), ())
    return tuple(dict.fromkeys(found))


def library(path: str) -> str:
    """Return the library that a file is named for, "" where it is no script or style sheet.

    >>> library("/js/bootstrap.bundle.min.js"), library("/vue@3.4.1/dist/vue.global.prod.js")
    ('bootstrap', 'vue')
    """
    stem, dot, ending = path.rpartition("/")[2].rpartition(".")
    if not dot or ending not in {"js", "mjs", "css"}:
        return ""
    stem = _VERSION.sub("", stem)
    while (shorter := _BUILD.sub("", stem)) != stem:
        stem = shorter
    return stem


def shown_by_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (technology, what shows it) of an answer's headers, their names in small letters.

    Repeated headers are joined by a comma. Only the names of cookies are looked at and quoted.
    """
    for header, value in headers.items():
        for text, name in _headers().get(header, ()):
            if text in value.lower():
                yield name, f"{header}: {value}"[:_MAX_QUOTE]
    for cookie in _COOKIE.findall(headers.get("set-cookie", "")):
        yield from ((name, f"set-cookie: {cookie}") for name in _begun("cookie", cookie.lower()))


def shown_by_records(texts: Iterable[str], aliases: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (technology, what shows it) of TXT records and of what ``www`` is an alias for."""
    for record in texts:
        text = record.strip().strip('"')
        quote = f"TXT {text[:_MAX_QUOTE]}"
        yield from ((name, quote) for name in _begun("txt", text.lower()))
        for included in (
            _INCLUDED.findall(text.lower()) if text.lower().startswith("v=spf1") else ()
        ):
            yield from ((name, quote) for name in _below("spf", included))
    for alias in aliases:
        host = alias.rstrip(".").lower()
        yield from ((name, f"CNAME {alias}") for name in _below("cname", host))


def with_implied(found: Mapping[str, str]) -> dict[str, str]:
    """Return technologies by what shows them, with those that they imply."""
    whole = dict(found)
    waiting = list(whole)
    while waiting:
        name = waiting.pop()
        for implied in rules()[name].get("implies", ()):
            if implied not in whole:
                whole[implied] = whole[name]
                waiting.append(implied)
    return whole


def _begun(kind: str, text: str) -> Iterator[str]:
    for sign, names in _by_sign(kind).items():
        if text.startswith(sign):
            yield from names


def _below(kind: str, host: str) -> Iterator[str]:
    for domain in _upwards(host):
        yield from _by_sign(kind).get(domain, ())


def _upwards(host: str) -> Iterator[str]:
    """Yield ``host`` and the domains above it, without the top one."""
    while "." in host:
        yield host
        host = host.partition(".")[2]
