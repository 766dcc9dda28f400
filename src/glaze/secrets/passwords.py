"""Passwords as Argon2id hashes (RFC 9106), made and checked beside the event loop."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
"""With the parameters of RFC 9106 for little memory: 64 MiB, 3 passes, 4 lanes."""
_AT_ONCE = 2


class Passwords:
    """Hashes and checks passwords, two at a time: each takes 64 MiB and a good part of a core."""

    def __init__(self) -> None:
        """Begin with nobody at it."""
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def hashed(self, password: str) -> str:
        """Return what is kept of a password."""
        async with self._room:
            return await asyncio.to_thread(_hasher.hash, password)

    async def matches(self, kept: str | None, password: str) -> bool:
        """Tell whether ``password`` is the one of which ``kept`` was made.

        Nobody's (None) takes as long, and is never it.
        """
        async with self._room:
            return await asyncio.to_thread(_matches, kept, password)


def _matches(kept: str | None, password: str) -> bool:
    try:
        _hasher.verify(kept or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody's password")
