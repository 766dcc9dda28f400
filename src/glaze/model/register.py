"""Numbers by which registers know a company."""

import re

_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
_LEI_MODULUS = 97  # ISO 7064, MOD 97-10


def is_lei(text: str) -> bool:
    """Tell whether ``text`` is a legal entity identifier: 20 characters, check digits that fit.

    >>> is_lei("529900T8BM49AURSDO55"), is_lei("529900T8BM49AURSDO56")
    (True, False)
    """
    if not _LEI.fullmatch(text):
        return False
    return int("".join(str(int(letter, 36)) for letter in text)) % _LEI_MODULUS == 1
