"""Bytes of any encoding to UTF-8: byte order mark, valid UTF-8, HTTP header, meta tag, cp1252."""

import codecs
import re

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]{2,40})", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:+-]{2,40})", re.IGNORECASE)
_MULTIBYTE = re.compile(rb"[\xc3-\xf4][\x80-\xbf]")
_SUPERSETS = {  # browsers read the Latin-1 family as its Windows superset
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_ESCAPE = b"\x1b"  # ISO-2022-JP is valid UTF-8 too


def as_utf8(html: bytes, content_type: str | None = None) -> bytes:
    """Return the page in UTF-8 without NUL; never raises, wrong bytes become U+FFFD.

    Valid UTF-8 is read as such whatever is declared: templates lie more often than bytes do. It
    comes back as it is, for text of megabytes is dear to copy.
    """
    for mark, codec in _BOMS:
        if html.startswith(mark):
            return _recoded(html[len(mark) :], codec)
    if _ESCAPE not in html and _is_utf8(html):
        return html.replace(b"\0", b"") if b"\0" in html else html
    declared = _declared(html, content_type)
    if declared in (None, "utf-8"):
        # Cut by a size cap or spoilt in places, it still has whole multi-byte characters.
        declared = "utf-8" if _MULTIBYTE.search(html) else "cp1252"
    return _recoded(html, declared or "cp1252")


def _is_utf8(html: bytes) -> bool:
    try:
        return html.isascii() or bool(html.decode("utf-8"))
    except UnicodeDecodeError:
        return False  # what is declared decides


# UTF-7 and the escape codecs yield lone surrogates; "undefined" refuses every text.
_NOT_OF_THE_WEB = frozenset(
    {"utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined"}
)


def _declared(html: bytes, content_type: str | None) -> str | None:
    header = _HEADER.search(content_type or "")
    if header and (codec := _codec(header.group(1))):
        return codec
    meta = _META.search(html[:4096])
    return _codec(meta.group(1).decode("ascii", "replace")) if meta else None


def _codec(label: str) -> str | None:
    try:
        info = codecs.lookup(label)
    except (LookupError, ValueError):
        return None
    if info.name in _NOT_OF_THE_WEB or not getattr(info, "_is_text_encoding", True):
        return None
    return _SUPERSETS.get(info.name, info.name)


def _recoded(html: bytes, codec: str) -> bytes:
    return html.decode(codec, "replace").replace("\0", "").encode("utf-8", "replace")
