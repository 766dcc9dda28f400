"""Bytes to text: byte order mark, valid UTF-8, HTTP header, meta tag, Windows-1252."""

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


def decode(html: bytes, content_type: str | None = None) -> str:
    """Return the page as text without NUL; never raises, wrong bytes become U+FFFD.

    Valid UTF-8 is read as such whatever is declared: templates lie more often than bytes do.
    """
    for mark, codec in _BOMS:
        if html.startswith(mark):
            return _text(html[len(mark) :], codec)
    if _ESCAPE not in html:
        try:
            return html.decode("utf-8").replace("\0", "")
        except UnicodeDecodeError:
            pass  # not UTF-8: what is declared decides
    declared = _declared(html, content_type)
    if declared in (None, "utf-8"):
        # Cut by a size cap or spoilt in places, it still has whole multi-byte characters.
        declared = "utf-8" if _MULTIBYTE.search(html) else "cp1252"
    return _text(html, declared or "cp1252")


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
    # UTF-7 and the escape codecs are no web encodings and yield lone surrogates.
    if info.name in {"utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode"}:
        return None
    if not getattr(info, "_is_text_encoding", True):
        return None
    return _SUPERSETS.get(info.name, info.name)


def _text(html: bytes, codec: str) -> str:
    return html.decode(codec, "replace").replace("\0", "")
