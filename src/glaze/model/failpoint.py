"""Failpoints: named places where a test lets a process die or freeze; nothing happens elsewhere."""

from collections.abc import Callable

At = Callable[[str], None]
"""Called with a failpoint's name."""


def nowhere(_name: str) -> None:
    """Pass every failpoint: in production nothing fails on purpose."""
