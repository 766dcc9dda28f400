"""Chance that repeats: every draw is a function of the seed and of what it is for."""

import random
from hashlib import blake2b


def number(*parts: object) -> int:
    """Return a 64-bit integer that depends on ``parts`` alone."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def draw(*parts: object) -> float:
    """Return a number in [0, 1) that depends on ``parts`` alone."""
    return number(*parts) / 2**64


def rng(*parts: object) -> random.Random:
    """Return a generator whose whole sequence depends on ``parts`` alone."""
    return random.Random(number(*parts))


def hex_id(*parts: object, length: int = 24) -> str:
    """Return ``length`` hexadecimal digits, the form of many vendors' record ids."""
    text = "\x1f".join(map(str, parts)).encode()
    return blake2b(text, digest_size=32).hexdigest()[:length]
