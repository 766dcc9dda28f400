"""Which mailboxes of the world there truly are, and what becomes of mail to the others."""

from enum import StrEnum

from glaze_sandbox.seeded import draw
from glaze_sandbox.world.population import World

ACCEPT_ALL_SHARE = 0.12  # of the domains that take mail: for any name at all
DISPOSABLE = frozenset({"mailinator.com", "yopmail.com", "guerrillamail.com", "maildrop.cc"})
WEBMAIL = frozenset({"gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.de", "web.de"})


class Mailbox(StrEnum):
    """What is behind an address."""

    PERSON = "person"
    ROLE = "role"  # a function's, as info@
    ACCEPT_ALL = "accept_all"  # the domain takes mail for any name
    WEBMAIL = "webmail"
    DISPOSABLE = "disposable"
    ABSENT = "absent"  # the domain takes mail, but not for this name
    NO_MAIL = "no_mail"  # the domain takes none, or there is no such domain


def mailbox_of(world: World, email: str) -> Mailbox:
    """Return what is behind ``email``."""
    domain = email.lower().rpartition("@")[2]
    for domains, box in ((DISPOSABLE, Mailbox.DISPOSABLE), (WEBMAIL, Mailbox.WEBMAIL)):
        if domain in domains:
            return box
    company = world.by_domain(domain)
    if company is None or company.mail in {"none", "absent"} or world.is_dead(company):
        return Mailbox.NO_MAIL
    if email.lower() == company.email.lower():
        return Mailbox.ROLE
    if draw(world.seed, "accept-all", company.domain) < ACCEPT_ALL_SHARE:
        return Mailbox.ACCEPT_ALL
    return Mailbox.PERSON if world.person_by_email(email) else Mailbox.ABSENT
