"""Addresses that pages keep from robots and their own scripts put together for people."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator, Mapping
from html import unescape
from urllib.parse import unquote

ADDRESS = re.compile(r"[A-Za-z0-9][\w.+'&-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
_MAX_CODE, _MAX_LINE = 400, 1_000
_CLOUDFLARE = "/cdn-cgi/l/email-protection#"
_TYPO3 = re.compile(r"uncryptmailto\((['\"])(.{8,300}?)\1", re.IGNORECASE)
# The stretches of ASCII in which TYPO3 turns characters round.
_TURNED = ((0x2B, 0x3A), (0x40, 0x5A), (0x61, 0x7A))
_MOST_TURNS = 26
_ASSIGNED = re.compile(r"\b(addy\w*)\s*=\s*([^;\n]*)")
_ROT13 = re.compile(r"znvygb:([\w.+&@-]{6,200})")
_HELD = re.compile(r"\b(\w{1,40})\s*=\s*(?:'([^'\n]{0,200})'|\"([^\"\n]{0,200})\")\s*(?:[;,\n]|$)")
_TERM = re.compile(r"'([^'\n]{0,200})'|\"([^\"\n]{0,200})\"|(\b[A-Za-z_]\w{0,39})")
_ONE = r"(?:'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|\b[A-Za-z_]\w{0,39}\b)"
_SUM = re.compile(rf"{_ONE}(?:\s*\+\s*{_ONE}){{1,30}}")
_NOT_A_NAME = frozenset({"href", "style", "class", "target"})
_LITERAL = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"")
_LOCAL = ("data-name", "data-user", "data-local", "data-email-name", "data-mail-user")
_DOMAIN = ("data-domain", "data-host", "data-website", "data-email-domain", "data-mail-domain")
_WHOLE = ("data-email", "data-mail", "data-mailto", "data-enc-email")
MARKED = "[data-cfemail],[data-email]"
"""The elements beside links that may hide an address, as a selector; each name has its price."""

Attributes = Mapping[str, str | None]


def in_link(link: str) -> str:
    """Return the address behind a link's target that is no ``mailto:``, "" where none is."""
    if link[:1] not in "jJ" and "znvygb:" not in link and _CLOUDFLARE not in link:
        return ""  # said at once, for nearly every link
    if _CLOUDFLARE in link:
        return cloudflare(link.partition("#")[2])
    if link[:11].lower() == "javascript:" and (found := _TYPO3.search(unquote(link))):
        return _turned_back(found[2].replace("\\/", "/"), None)
    return next(_in_rot13(link), "")


def in_attributes(given: Attributes) -> str:
    """Return the address that an element's attributes make up, "" where they make none."""
    if code := given.get("data-cfemail"):
        return cloudflare(code)
    if token := given.get("data-mailto-token"):
        return _turned_back(token, given.get("data-mailto-vector"))
    for name in _WHOLE:
        if address := _whole(given.get(name) or ""):
            return address
    local = next((text for name in _LOCAL if (text := given.get(name))), "")
    domain = next((text for name in _DOMAIN if (text := given.get(name))), "")
    tld = given.get("data-tld") or ""
    if tld and not domain.endswith(f".{tld}"):
        domain = f"{domain}.{tld.lstrip('.')}"
    return _checked(f"{local}@{domain}")


def in_script(text: str) -> Iterator[str]:
    """Yield the addresses that a short script puts together piece by piece and writes out."""
    if "addy" in text:
        yield from _joomla(text)
    if "znvygb:" in text:
        yield from _in_rot13(text)
    if "mailto:" in text or "document.write" in text:
        yield from _concatenated(unescape(text))


def _joomla(text: str) -> Iterator[str]:
    """Yield what Joomla's cloak makes (``addy1 = 'in' + ...``), each once."""
    pieces: dict[str, str] = {}
    for name, value in _ASSIGNED.findall(unescape(text)):
        literals = "".join(one or other for one, other in _LITERAL.findall(value))
        pieces[name] = pieces.get(name, "") + literals
    yield from dict.fromkeys(filter(None, map(_checked, pieces.values())))


def _in_rot13(text: str) -> Iterator[str]:
    """Yield the addresses behind "mailto:" in ROT13, as WordPress plug-ins turn it."""
    for found in _ROT13.finditer(text):
        if address := _checked(codecs.decode(found[1], "rot13")):
            yield address


def _concatenated(text: str) -> Iterator[str]:
    """Yield the addresses in sums of strings and of variables that hold one."""
    held = {
        name: one or other for name, one, other in _HELD.findall(text) if name not in _NOT_A_NAME
    }
    for found in _SUM.finditer(text):
        terms = _TERM.findall(found[0])
        joined = "".join(
            held.get(name, "\0") if name else one or other for one, other, name in terms
        )
        yield from (match[0] for match in ADDRESS.finditer(joined))


def reversed_text(line: str, domain: str) -> Iterator[str]:
    """Yield the addresses at ``domain`` in a line that a style shows from right to left."""
    for found in ADDRESS.finditer(line[:_MAX_LINE][::-1]):
        if found[0].lower().endswith(f"@{domain}"):
            yield found[0]


def cloudflare(code: str) -> str:
    """Return the address behind ``data-cfemail``: hexadecimal, XORed with its first byte."""
    try:
        data = bytes.fromhex(code[:_MAX_CODE])
    except ValueError:
        return ""
    plain = bytes(byte ^ data[0] for byte in data[1:]).decode("utf-8", "replace") if data else ""
    return _checked(plain)


def _whole(text: str) -> str:
    plain = _checked(unescape(unquote(text)).removeprefix("mailto:"))
    if plain or not text or len(text) > _MAX_CODE:
        return plain
    try:
        return _checked(base64.b64decode(text, validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        return ""  # whatever the attribute holds, it is no address


def _turned_back(code: str, vector: str | None) -> str:
    """Return the address that TYPO3 turned by ``vector`` places, or by however many fit."""
    turns = re.fullmatch(r"-?\d{1,2}", vector or "")
    for turn in (-int(turns[0]),) if turns else range(-_MOST_TURNS, _MOST_TURNS + 1):
        plain = "".join(_turned(sign, turn) for sign in code[:_MAX_CODE])
        if plain.startswith("mailto:"):
            return _checked(plain.removeprefix("mailto:"))
    return ""


def _turned(sign: str, turn: int) -> str:
    for first, last in _TURNED:
        if first <= ord(sign) <= last:
            return chr(first + (ord(sign) - first + turn) % (last - first + 1))
    return sign


def _checked(text: str) -> str:
    found = ADDRESS.fullmatch(text.partition("?")[0].strip())
    return found[0] if found else ""
