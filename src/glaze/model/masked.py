"""What is shown of a value before it is paid for: enough to see what it is, not enough to use it."""


def masked(text: str) -> str:
    """Return the first letters and the last.

    >>> masked("Orblomar Works"), masked("Acme"), masked("")
    ('Or***s', 'A***', '')
    """
    if not text:
        return ""
    return f"{text[:2]}***{text[-1]}" if len(text) > _SHORT else f"{text[:1]}***"


def masked_domain(domain: str) -> str:
    """Return the first letters and what it ends on.

    >>> masked_domain("orblomar-works.co.uk"), masked_domain("")
    ('or***.uk', '')
    """
    name, _, end = domain.rpartition(".")
    return f"{name[: 2 if len(name) > _SHORT else 1]}***.{end}" if name else ""


_SHORT = 5  # letters: of so few more would give it away
