"""Authenticated encryption of one secret under a data key: AES-256-GCM-SIV (RFC 8452).

A nonce that is drawn twice costs no more there than to show that two secrets are the same. What
stands beside a secret, its context, is authenticated with it: moved elsewhere it does not open.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from glaze.errors import SecretUnreadable

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_FORM: Final = b"\x01"
"""First byte of what is kept: another cipher will have another."""


def new_key() -> bytes:
    """Return 256 random bits."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, secret: bytes, *context: str) -> bytes:
    """Encrypt ``secret`` by ``key`` (32 bytes) for ``context`` alone: form, nonce, ciphertext, tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return _FORM + nonce + AESGCMSIV(key).encrypt(nonce, secret, _told(context))


def unseal(key: bytes, sealed: bytes, *context: str) -> bytes:
    """Return what ``seal`` was given.

    Raises: SecretUnreadable for another key or context, or where a bit was changed.
    """
    form, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if form != _FORM:
        raise SecretUnreadable("what was encrypted is in a form that this version does not know")
    try:
        return AESGCMSIV(key).decrypt(nonce, rest, _told(context))
    except (InvalidTag, ValueError):
        raise SecretUnreadable(
            "what was encrypted does not open: it was moved or changed, or the key is another"
        ) from None


def _told(context: tuple[str, ...]) -> bytes:
    """Return the context as bytes that no other context has: each part with its length."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in context)
