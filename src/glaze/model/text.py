"""Text as it may be stored and compared: cleaned, folded, and told from placeholders."""

import re
import unicodedata

# Controls (but not the white ones), zero-width and bidirectional marks, lone surrogates and
# non-characters: none belongs to a value, NUL and surrogates cannot even be stored. The joiners
# U+200C and U+200D stay, for Persian, Indic scripts and emoji need them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)

_NOT_WORD = re.compile(r"[\W_]+")
_PLACEHOLDERS = frozenset(
    {
        *(
            "x",
            "xx",
            "xxx",
            "n/a",
            "na",
            "n.a.",
            "n.a",
            "n-a",
            "#n/a",
            "none",
            "null",
            "nil",
            "nan",
        ),
        *("undefined", "unknown", "not available", "not applicable", "not specified", "no data"),
        *("not provided", "tbd", "tba", "to be determined", "no value", "not found", "missing"),
        *("empty", "confidential", "hidden", "redacted", "lorem ipsum", "test", "todo"),
        *("[object object]", "#ref!", "#value!", "#name?", "unbekannt", "k.a.", "keine angabe"),
        *("inconnu", "non renseigné", "desconocido", "sconosciuto", "onbekend", "s/o"),
    }
)
_TEMPLATE_HOLE = re.compile(r"[{<\[]{1,2}[^<>{}\[\]]*[}>\]]{1,2}")


def clean(text: str) -> str:
    """Return ``text`` in NFC, without unwanted characters, white space collapsed and trimmed."""
    plain = " ".join(text.split())
    if plain.isprintable():  # as most is, and then nothing in it is unwanted
        return plain if plain.isascii() else unicodedata.normalize("NFC", plain)
    return " ".join(wanted(text).split())


def wanted(text: str) -> str:
    """Return ``text`` in NFC, without unwanted characters; its white space stays as it is."""
    kept = text if text.isprintable() else _UNWANTED.sub("", text)
    return kept if kept.isascii() else unicodedata.normalize("NFC", kept)


def fold(text: str) -> str:
    """Return a form for comparison: no case, no accents, words of letters and digits only.

    >>> fold("Café  Müller, S.A.")
    'cafe muller sa'
    """
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in plain if not unicodedata.combining(c))
    text = text.casefold().replace(".", "").replace("'", "").replace("\u2019", "")
    return " ".join(_NOT_WORD.sub(" ", text).split())


def is_placeholder(text: str) -> bool:
    """Tell whether ``text`` stands for "no value" ("N/A", "unknown", "-", a template's hole)."""
    word = text.strip().casefold()
    if word in _PLACEHOLDERS or not any(c.isalnum() for c in word):
        return True
    if len(words := word.split()) > 1 and words[0] in _PLACEHOLDERS and len({*words}) == 1:
        return True  # "null null": a name put together of two that were missing
    return bool(_TEMPLATE_HOLE.fullmatch(word))
